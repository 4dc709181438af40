/* pattern: POSIX extended regular expressions over the asm of a script. Internal to graph/. */
#ifndef UNKTX_GRAPH_SCRIPTS_PATTERN_H
#define UNKTX_GRAPH_SCRIPTS_PATTERN_H

#include <regex.h>
#include <stdbool.h>

#define PATTERN_WHY 128

/* Compiles `text` for regexec without places of matches; regfree after true. False with the reason in `why` for what is
 * no such expression, and for a back-reference (\1): POSIX has none here, and where the C library does, one match may
 * take longer than anybody waits, out of reach of an interrupt. */
bool pattern_compile(const char *text, regex_t *regex, char why[PATTERN_WHY]);

#endif
