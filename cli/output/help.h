/* help: what --help and --version of a command print on stdout. */
#ifndef UNKTX_CLI_OUTPUT_HELP_H
#define UNKTX_CLI_OUTPUT_HELP_H

#include "cli/options.h"
#include "cli/output/schema.h"

/* The usage line, the summary, a line or more for each option (`options` ends with NULL), the columns of each table
 * (ends with NULL; may be NULL), and `details`, which may be NULL. */
void help_command(const char *name, const char *operands, const char *summary, const char *details,
                  const struct option *const *options, const struct table_schema *const *tables);

void help_version(const char *version);

/* A line of the list of commands, and a paragraph, as wide as the terminal or 80 columns. */
void help_summary(const char *name, const char *summary);
void help_paragraph(const char *text);

#endif
