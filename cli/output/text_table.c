#include "cli/output/text_table.h"

#include "cli/output/wrap.h"

#define GAP 2u
#define FURTHER_IN (TEXT_WIDTH - TEXT_TABLE_CELL)

static void add_cell(struct text_table *table, const char *cell)
{
    size_t size = strlen(cell) + 1, c = table->cells_count++ % table->count;
    unsigned width = wrap_columns(cell, size - 1);
    char *p = table->status == STATUS_OK ? text_room(&table->cells, size) : NULL;
    if (!p) {
        table->status = STATUS_NOMEM;
        return;
    }
    memcpy(p, cell, size);
    text_end(&table->cells, p + size);
    if (width > table->widths[c])
        table->widths[c] = width;
}

void text_table_cell(struct text_table *table, const char *cell)
{
    if (table->count == 0)
        return;
    if (table->cells_count == 0)
        for (size_t c = 0; c < table->count; c++)
            add_cell(table, table->columns[c].head);
    add_cell(table, cell);
}

void text_table_number(struct text_table *table, uint64_t number)
{
    char cell[GROUPED_SIZE];
    text_table_cell(table, grouped(cell, number));
}

/* The last column is not counted where it is text, since nothing stands after it. */
static bool is_ragged(const struct text_table *table, size_t c)
{
    return c + 1 == table->count && !table->columns[c].is_number;
}

/* Which columns begin a line under the row. */
static void break_row(const struct text_table *table, bool breaks[TEXT_TABLE_COLUMNS])
{
    unsigned used = 0;
    for (size_t c = 0; c < table->count; c++) {
        unsigned width = is_ragged(table, c) ? wrap_columns(table->columns[c].head, strlen(table->columns[c].head))
                                             : table->widths[c];
        unsigned before = used > 0 ? used + GAP : 0;
        breaks[c] = before + width > TEXT_WIDTH;
        used = (breaks[c] ? FURTHER_IN : before) + width;
    }
}

/* Prints the row at *cell and moves on to the next one. */
static void put_row(const struct text_table *table, const bool breaks[TEXT_TABLE_COLUMNS], const char **cell,
                    struct printer *printer)
{
    unsigned used = 0, spaces = 0; /* columns that are taken; of them, those not printed until a cell comes */
    for (size_t c = 0; c < table->count; c++) {
        const char *text = *cell;
        bool ragged = is_ragged(table, c), is_number = table->columns[c].is_number;
        unsigned width = wrap_columns(text, strlen(text)), room = ragged ? width : table->widths[c];
        unsigned gap = c > 0 ? GAP : 0;
        *cell += strlen(text) + 1;
        if (ragged && width == 0)
            break;
        if (breaks[c] || (c > 0 && used + gap + room > TEXT_WIDTH)) {
            PRINT(printer, "\n");
            used = spaces = 0;
            gap = FURTHER_IN;
        }
        if (ragged && gap + room > TEXT_WIDTH) {
            print_words(printer, text, gap);
            return;
        }
        PRINT(printer, "%*s%s", (int)(spaces + gap + (is_number ? room - width : 0)), "", text);
        used += gap + room;
        spaces = is_number ? 0 : room - width;
    }
    PRINT(printer, "\n");
}

void text_table_print(struct text_table *table, struct printer *printer)
{
    bool breaks[TEXT_TABLE_COLUMNS];
    const char *cell = table->cells.bytes;
    if (printer->status == STATUS_OK)
        printer->status = table->status;
    break_row(table, breaks);
    for (size_t row = 0; printer->status == STATUS_OK && row * table->count < table->cells_count; row++)
        put_row(table, breaks, &cell, printer);
    text_free(&table->cells);
}
