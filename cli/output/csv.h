/* csv: rows of a table as unktx writes it (RFC 4180, lines that end with a line feed), taken apart again.
 *
 * Thread rule: a row belongs to one thread. */
#ifndef UNKTX_CLI_OUTPUT_CSV_H
#define UNKTX_CLI_OUTPUT_CSV_H

#include <stdbool.h>
#include <stddef.h>

#define CSV_CELLS_MAX 128u /* the widest table has some 50 */

/* A field without the quotes around it, borrowed. What is empty and not in quotes is missing. */
struct csv_cell {
    const char *text;
    size_t size;
    bool in_quotes;
    bool has_doubled; /* quotes within it stand twice, see csv_single */
};

struct csv_row {
    struct csv_cell cells[CSV_CELLS_MAX];
    size_t count; /* of all; those above CSV_CELLS_MAX are left out */
};

/* The row that begins at *at, which then is after it. False, and *at stays, where it does not end before `end`.
 * O(its size). */
bool csv_next(struct csv_row *row, const char **at, const char *end);

/* Copies a field with each doubled quote once; the end. At most cell->size bytes. */
char *csv_single(char *out, const struct csv_cell *cell);

#endif
