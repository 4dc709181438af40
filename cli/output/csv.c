#include "cli/output/csv.h"

#include <string.h>

/* From after the opening quote to after the closing one; NULL where there is none. */
static const char *read_quoted(struct csv_cell *cell, const char *at, const char *end)
{
    *cell = (struct csv_cell){.text = at, .in_quotes = true};
    for (;;) {
        const char *quote = memchr(at, '"', (size_t)(end - at));
        if (!quote || quote + 1 == end) /* another one may follow */
            return NULL;
        if (quote[1] != '"') {
            cell->size = (size_t)(quote - cell->text);
            return quote + 1;
        }
        cell->has_doubled = true;
        at = quote + 2;
    }
}

static const char *read_plain(struct csv_cell *cell, const char *at, const char *end)
{
    *cell = (struct csv_cell){.text = at};
    while (at < end && *at != ',' && *at != '\n')
        at++;
    cell->size = (size_t)(at - cell->text);
    return at;
}

bool csv_next(struct csv_row *row, const char **at, const char *end)
{
    const char *here = *at;
    struct csv_cell beyond = {0};
    for (row->count = 0; here && here < end;) {
        struct csv_cell *cell = row->count < CSV_CELLS_MAX ? &row->cells[row->count] : &beyond;
        here = *here == '"' ? read_quoted(cell, here + 1, end) : read_plain(cell, here, end);
        row->count++;
        if (!here || here == end)
            return false;
        if (*here++ == '\n') {
            *at = here;
            return true;
        }
    }
    return false;
}

char *csv_single(char *out, const struct csv_cell *cell)
{
    for (size_t i = 0; i < cell->size; i++) {
        *out++ = cell->text[i];
        i += cell->text[i] == '"';
    }
    return out;
}
