/* sql: the statements that make a table and its indexes in a database, of the table's description. */
#ifndef UNKTX_CLI_OUTPUT_SQL_H
#define UNKTX_CLI_OUTPUT_SQL_H

#include "cli/output/printer.h"
#include "cli/output/schema.h"

#define SQL_NAME_SIZE 64u

/* The table of a file: its name up to the dot, with _ for -. */
void sql_table_name(const char *file, char name[SQL_NAME_SIZE]);

/* CREATE TABLE with types, NOT NULL, and primary and foreign keys, without a semicolon. */
void sql_print_table(struct printer *printer, const char *name, const struct table_schema *schema, unsigned flags);

/* CREATE INDEX for each foreign key that no primary key begins with, and each column by which rows are looked for. */
void sql_print_indexes(struct printer *printer, const char *name, const struct table_schema *schema, unsigned flags);

#endif
