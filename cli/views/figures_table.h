/* figures_table: answered figures (figures.h) as a table of 80 columns and as CSV. */
#ifndef UNKTX_CLI_VIEWS_FIGURES_TABLE_H
#define UNKTX_CLI_VIEWS_FIGURES_TABLE_H

#include "cli/output/text.h"
#include "cli/views/figures.h"

/* Append all figures. STATUS_NOMEM. */
enum status figures_table(const struct figures *figures, struct text *text) MUST_CHECK;
enum status figures_csv(const struct figures *figures, struct text *text) MUST_CHECK;

#endif
