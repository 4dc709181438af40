/* pattern: POSIX extended regular expressions over the asm of a script. Internal to graph/. */
#ifndef UNKTX_GRAPH_SCRIPTS_PATTERN_H
#define UNKTX_GRAPH_SCRIPTS_PATTERN_H

#include <regex.h>

#include "parser/status.h"

#define PATTERN_WHY 128

/* Compiles `text` for regexec without places of matches; regfree after STATUS_OK. STATUS_FORMAT with the reason in
 * `why` for what is no such expression; for a back-reference (\1): POSIX has none here, and where the C library does,
 * one match may take longer than anybody waits; for a ) without its (, which POSIX leaves open; and for what regcomp
 * would take all memory or all of the stack for: more than 50 parentheses in one another, more than 4,000 characters
 * where what has a count in braces is written out. regexec then takes O(size of the asm): by itself it would begin anew
 * at each of its characters. */
enum status pattern_compile(const char *text, regex_t *regex, char why[PATTERN_WHY]) MUST_CHECK;

/* Whether pattern_compile takes it. */
enum status pattern_check(const char *text, char why[PATTERN_WHY]) MUST_CHECK;

#endif
