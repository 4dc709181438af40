/* data_dictionary: the descriptions of tables (output/schema.h) for readers: as part of a man page, as Markdown
 * (docs/tables.md), as JSON. */
#ifndef UNKTX_CLI_VIEWS_DATA_DICTIONARY_H
#define UNKTX_CLI_VIEWS_DATA_DICTIONARY_H

#include "cli/output/printer.h"
#include "cli/output/schema.h"

/* What a row is, and a tagged paragraph of roff for each column. */
void data_dictionary_man(struct printer *printer, const struct table_schema *table);

/* A page with every table of the list, which ends with NULL. */
void data_dictionary_markdown(struct printer *printer, const struct table_schema *const *tables);
/* A JSON object with a Table Schema for each. */
void data_dictionary_json(struct printer *printer, const struct table_schema *const *tables);

#endif
