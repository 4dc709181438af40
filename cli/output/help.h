/* help: what --help and --version of a command print on stdout. */
#ifndef UNKTX_CLI_OUTPUT_HELP_H
#define UNKTX_CLI_OUTPUT_HELP_H

#include "cli/options.h"

/* The usage line, the summary, a line or more for each option (`options` ends with NULL), and `details`, which may be
 * NULL. */
void help_command(const char *name, const char *operands, const char *summary, const char *details,
                  const struct option *const *options);

void help_version(const char *version);

#endif
