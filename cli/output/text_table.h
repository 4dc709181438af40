/* text_table: a table for people, at most TEXT_WIDTH columns wide whatever is in its cells: each column is as wide as
 * the widest of its cells. Where all of them are wider, those that do not fit go on in a line of their own under each
 * row, further in. The last column alone does so where only some of its cells are too wide, and is broken at spaces.
 *
 * Use: text_table_cell for each cell, row by row; text_table_print. Cells are UTF-8, and may have colours. Thread rule:
 * one thread. */
#ifndef UNKTX_CLI_OUTPUT_TEXT_TABLE_H
#define UNKTX_CLI_OUTPUT_TEXT_TABLE_H

#include "cli/output/printer.h"

#define TEXT_TABLE_COLUMNS 8u
/* The width that a cell has in a line of its own: what is no words, and so cannot be broken, should not be wider. */
#define TEXT_TABLE_CELL (TEXT_WIDTH - 4u)

struct text_column {
    const char *head;
    bool is_number; /* at the right side of its column */
};

/* Zero-initialise but for the columns, which are borrowed; text_table_print frees it. */
struct text_table {
    const struct text_column *columns;
    size_t count; /* of columns, at most TEXT_TABLE_COLUMNS */
    struct text cells;
    size_t cells_count;
    unsigned widths[TEXT_TABLE_COLUMNS]; /* of the widest cell so far */
    enum status status;                  /* the first failure, which text_table_print passes on */
};

/* The next cell; the first after the last column begins a row. */
void text_table_cell(struct text_table *table, const char *cell);
/* A cell with a number as grouped() writes it. */
void text_table_number(struct text_table *table, uint64_t number);
/* Prints the heads and all rows, the last of which is whole, and frees the table. O(size of the cells). */
void text_table_print(struct text_table *table, struct printer *printer);

#endif
