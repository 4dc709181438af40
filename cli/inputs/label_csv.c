#include <string.h>

#include "cli/inputs/label_file.h"
#include "parser/mem.h"
#include "parser/printable.h"
#include "parser/stop.h"

/* Columns of a row that are looked at; a label file has three. */
#define COLUMNS_MAX 64u

struct cell {
    size_t begin; /* within row.bytes */
    size_t size;
    struct label_place place;
};

struct reading {
    struct address_labels *labels;
    const char *text;
    size_t size;
    size_t at;
    struct label_place place; /* of text[at] */
    char *bytes;              /* the fields of a row without their quotes */
    size_t bytes_size;
    size_t bytes_capacity;
    struct cell cells[COLUMNS_MAX];
    size_t cells_count;
    size_t columns;
    size_t column_of[3]; /* by enum label_field; COLUMNS_MAX: none */
    struct fault *fault;
};

/* ---- characters ---- */

static bool at_break(const struct reading *reading)
{
    if (reading->at >= reading->size)
        return true;
    char here = reading->text[reading->at];
    bool pair = here == '\r' && (reading->at + 1 == reading->size || reading->text[reading->at + 1] == '\n');
    return here == '\n' || pair;
}

static void step_over_break(struct reading *reading)
{
    if (reading->at < reading->size && reading->text[reading->at] == '\r')
        reading->at++;
    reading->at += reading->at < reading->size;
    reading->place.line++;
    reading->place.column = 1;
}

/* Takes the character here, of one or more bytes, into the row. */
static enum status take(struct reading *reading)
{
    size_t size = utf8_size(reading->text + reading->at, reading->size - reading->at);
    size = size > 0 ? size : 1;
    if (mem_reserve(&reading->bytes, &reading->bytes_capacity, reading->bytes_size + size, 1) != STATUS_OK)
        return fault_nomem(reading->fault);
    memcpy(reading->bytes + reading->bytes_size, reading->text + reading->at, size);
    reading->bytes_size += size;
    reading->at += size;
    reading->place.column++;
    return STATUS_OK;
}

/* ---- rows ---- */

/* From the character after the quote to the one after the closing quote. */
static enum status read_quoted(struct reading *reading, const struct label_place *open)
{
    enum status status = STATUS_OK;
    while (status == STATUS_OK) {
        if (at_break(reading))
            return label_refuse(open, reading->fault, "the quote is not closed on its line");
        bool quote = reading->text[reading->at] == '"';
        if (quote) {
            reading->at++;
            reading->place.column++;
        }
        if (quote && (reading->at >= reading->size || reading->text[reading->at] != '"'))
            return STATUS_OK;
        status = take(reading);
    }
    return status;
}

static enum status read_cell(struct reading *reading)
{
    if (reading->cells_count == COLUMNS_MAX)
        return label_refuse(&reading->place, reading->fault, "more than %u fields", COLUMNS_MAX);
    struct cell *cell = &reading->cells[reading->cells_count++];
    *cell = (struct cell){.begin = reading->bytes_size, .place = reading->place};
    enum status status = STATUS_OK;
    if (!at_break(reading) && reading->text[reading->at] == '"') {
        reading->at++;
        reading->place.column++;
        status = read_quoted(reading, &cell->place);
        if (status == STATUS_OK && !at_break(reading) && reading->text[reading->at] != ',')
            status = label_refuse(&reading->place, reading->fault, "neither a comma nor the end follows the quote");
    }
    while (status == STATUS_OK && !at_break(reading) && reading->text[reading->at] != ',') {
        if (reading->text[reading->at] == '"')
            return label_refuse(&reading->place, reading->fault, "a quote in a field that is not in quotes");
        status = take(reading);
    }
    cell->size = reading->bytes_size - cell->begin;
    return status;
}

/* The next line that is not empty; STATUS_NOT_FOUND at the end. */
static enum status read_row(struct reading *reading)
{
    while (reading->at < reading->size && at_break(reading))
        step_over_break(reading);
    if (reading->at >= reading->size)
        return STATUS_NOT_FOUND;
    reading->bytes_size = reading->cells_count = 0;
    enum status status = read_cell(reading);
    while (status == STATUS_OK && !at_break(reading)) {
        reading->at++; /* the comma */
        reading->place.column++;
        status = read_cell(reading);
    }
    if (status == STATUS_OK && reading->at < reading->size)
        step_over_break(reading);
    return status;
}

/* ---- what they say ---- */

static enum status read_header(struct reading *reading)
{
    static const char *const names[] = {"address", "label", "source"};
    enum status status = read_row(reading);
    struct label_place top = {reading->place.path, 1, 1};
    if (status == STATUS_NOT_FOUND)
        return label_refuse(&top, reading->fault, "the file is empty; its first line is address,label[,source]");
    for (size_t f = 0; f < 3; f++)
        reading->column_of[f] = COLUMNS_MAX;
    for (size_t c = 0; c < reading->cells_count && status == STATUS_OK; c++) {
        const struct cell *cell = &reading->cells[c];
        for (size_t f = 0; f < 3 && status == STATUS_OK; f++) {
            if (cell->size != strlen(names[f]) || memcmp(reading->bytes + cell->begin, names[f], cell->size) != 0)
                continue;
            if (reading->column_of[f] < COLUMNS_MAX)
                status = label_refuse(&cell->place, reading->fault, "a second column %s", names[f]);
            reading->column_of[f] = c;
        }
    }
    reading->columns = reading->cells_count;
    for (size_t f = LABEL_ADDRESS; f <= LABEL_LABEL && status == STATUS_OK; f++)
        if (reading->column_of[f] == COLUMNS_MAX)
            status = label_refuse(&reading->cells[0].place, reading->fault,
                                  "no column %s; the first line is address,label[,source] (the name of a TagPack ends "
                                  "in .yaml or .yml)",
                                  names[f]);
    return status;
}

/* A field that was checked and kept; *kept is NULL where there is no such column, or an empty source. */
static enum status keep_field(struct reading *reading, enum label_field field, const char **kept)
{
    size_t column = reading->column_of[field];
    *kept = NULL;
    if (column == COLUMNS_MAX)
        return STATUS_OK;
    const struct cell *cell = &reading->cells[column];
    const char *text = cell->size > 0 ? reading->bytes + cell->begin : "";
    enum status status = label_check(field, text, cell->size, &cell->place, reading->fault);
    if (status != STATUS_OK || cell->size == 0)
        return status;
    *kept = field == LABEL_ADDRESS ? label_keep_address(reading->labels, text, cell->size)
                                   : label_keep(reading->labels, text, cell->size);
    return *kept ? STATUS_OK : fault_nomem(reading->fault);
}

static enum status add_row(struct reading *reading)
{
    const char *fields[3];
    enum status status = STATUS_OK;
    if (reading->cells_count != reading->columns)
        return label_refuse(&reading->cells[reading->cells_count - 1].place, reading->fault,
                            "the line has %zu fields, the first line %zu", reading->cells_count, reading->columns);
    for (unsigned f = 0; f < 3 && status == STATUS_OK; f++)
        status = keep_field(reading, (enum label_field)f, &fields[f]);
    const struct label_place *place = &reading->cells[reading->column_of[LABEL_ADDRESS]].place;
    return status == STATUS_OK ? label_add(reading->labels, fields[LABEL_ADDRESS], fields[LABEL_LABEL],
                                           fields[LABEL_SOURCE], place, reading->fault)
                               : status;
}

enum status label_csv_read(struct address_labels *labels, const char *path, const char *text, size_t size,
                           struct fault *fault)
{
    struct reading reading = {.labels = labels, .text = text, .size = size, .place = {path, 1, 1}, .fault = fault};
    enum status status = read_header(&reading);
    while (status == STATUS_OK && (status = read_row(&reading)) == STATUS_OK) {
        status = add_row(&reading);
        if (status == STATUS_OK && stop_due(reading.place.line))
            status = stop_check(fault);
    }
    mem_free(reading.bytes);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}
