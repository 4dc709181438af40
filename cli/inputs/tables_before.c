#include "cli/inputs/tables_before.h"

#include <stdio.h>
#include <string.h>

#include "cli/output/outfile.h"
#include "parser/mem.h"

#define LINE_MAX_SIZE (1u << 20) /* a row has some hundred bytes, and the names of known scripts */
#define FIELDS_MAX 64u
#define WANTED_MAX 8u

/* A file of lines with commas. No field that is asked for has quotes. */
struct reading {
    const char *path;
    FILE *file;
    char *line;
    const char *const *wanted; /* names of columns, ends with NULL */
    size_t places[WANTED_MAX]; /* of these in a row; FIELDS_MAX: there is none */
    const char *fields[FIELDS_MAX + 1];
    size_t fields_count;
};

static enum status malformed(const struct reading *reading, struct fault *fault)
{
    return fault_set(fault, STATUS_FORMAT, reading->path, FAULT_NO_OFFSET, "is not as unktx writes it");
}

static size_t cut_line(char *line, const char *fields[FIELDS_MAX + 1])
{
    size_t count = 0;
    while (line && count <= FIELDS_MAX)
        fields[count++] = strsep(&line, ",");
    return count;
}

/* STATUS_NOT_FOUND at the end. */
static enum status next_line(struct reading *reading, struct fault *fault)
{
    if (!fgets(reading->line, LINE_MAX_SIZE, reading->file))
        return ferror(reading->file) ? fault_errno(fault, reading->path, FAULT_NO_OFFSET, "cannot be read")
                                     : STATUS_NOT_FOUND;
    char *end = strchr(reading->line, '\n');
    if (!end)
        return malformed(reading, fault);
    *end = '\0';
    reading->fields_count = cut_line(reading->line, reading->fields);
    return reading->fields_count <= FIELDS_MAX ? STATUS_OK : malformed(reading, fault);
}

static enum status begin(struct reading *reading, struct fault *fault)
{
    reading->file = fopen(reading->path, "rb");
    if (!reading->file)
        return fault_errno(fault, reading->path, FAULT_NO_OFFSET, "cannot be read");
    enum status status = next_line(reading, fault);
    if (status != STATUS_OK)
        return status == STATUS_NOT_FOUND ? malformed(reading, fault) : status;
    for (size_t w = 0; reading->wanted[w]; w++) {
        reading->places[w] = FIELDS_MAX;
        for (size_t i = 0; i < reading->fields_count; i++) {
            if (strcmp(reading->fields[i], reading->wanted[w]) == 0)
                reading->places[w] = i;
        }
    }
    return STATUS_OK;
}

/* The wanted column of the row; an empty text where the row or the table has none. */
static const char *field(const struct reading *reading, size_t wanted)
{
    return reading->places[wanted] < reading->fields_count ? reading->fields[reading->places[wanted]] : "";
}

static bool read_number(const struct reading *reading, size_t wanted, uint64_t *number)
{
    const char *text = field(reading, wanted);
    size_t size = strlen(text);
    *number = 0;
    for (const char *at = text; *at >= '0' && *at <= '9' && *number <= (UINT64_MAX - 9) / 10; at++, size--)
        *number = *number * 10 + (uint64_t)(*at - '0');
    return *text && size == 0;
}

/* ---- the tables ---- */

typedef enum status take_row(const struct reading *reading, struct tables_before *before, struct fault *fault);

static const char *const tdag_columns[] = {"dag_id", "first_txid", "txs", "nodes", "moved_value_sat", "dag", NULL};

static enum status take_tdag(const struct reading *reading, struct tables_before *before, struct fault *fault)
{
    struct tdag_before tdag = {0};
    uint64_t id;
    const char *first = field(reading, 1), *name = field(reading, 5);
    if (!read_number(reading, 0, &id) || id != before->tdags_count + 1 || id > UINT32_MAX ||
        !hash256_parse(first, &tdag.first_txid) || !read_number(reading, 2, &tdag.txs) ||
        !read_number(reading, 3, &tdag.nodes) || !read_number(reading, 4, &tdag.moved_value_sat))
        return malformed(reading, fault);
    size_t size = *name ? strlen(name) : TDAG_NAME_MIN;
    if (size < TDAG_NAME_MIN || size > TDAG_NAME_MAX || strncmp(first, name, *name ? size : 0) != 0)
        return malformed(reading, fault);
    memcpy(tdag.name, first, size);
    if (mem_reserve(&before->tdags, &before->tdags_capacity, before->tdags_count + 1, sizeof tdag) != STATUS_OK)
        return fault_nomem(fault);
    before->tdags[before->tdags_count++] = tdag;
    return STATUS_OK;
}

static const char *const tx_columns[] = {"dag_id", "txid", "height", NULL};

static enum status take_tx(const struct reading *reading, struct tables_before *before, struct fault *fault)
{
    struct tx_before tx;
    uint64_t id, height;
    if (!read_number(reading, 0, &id) || id == 0 || id > before->tdags_count ||
        !hash256_parse(field(reading, 1), &tx.txid) || !read_number(reading, 2, &height) || height > UINT32_MAX)
        return malformed(reading, fault);
    tx.height = (uint32_t)height;
    tx.dag = (uint32_t)id;
    if (mem_reserve(&before->txs, &before->txs_capacity, before->txs_count + 1, sizeof tx) != STATUS_OK)
        return fault_nomem(fault);
    before->txs[before->txs_count++] = tx;
    before->tdags[id - 1].rows++;
    return STATUS_OK;
}

static enum status read_table(const char *folder, const char *name, const char *const *wanted, take_row *take,
                              struct tables_before *before, struct fault *fault)
{
    char *path = outfile_join(folder, name);
    struct reading reading = {.path = path, .wanted = wanted, .line = mem_alloc(LINE_MAX_SIZE, 1)};
    enum status status = path && reading.line ? begin(&reading, fault) : fault_nomem(fault);
    while (status == STATUS_OK && (status = next_line(&reading, fault)) == STATUS_OK)
        status = take(&reading, before, fault);
    if (reading.file)
        fclose(reading.file);
    mem_free(reading.line);
    mem_free(path);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

enum status tables_before_read(const char *folder, struct tables_before *before, struct fault *fault)
{
    enum status status = read_table(folder, "tdags.csv", tdag_columns, take_tdag, before, fault);
    if (status == STATUS_OK)
        status = read_table(folder, "txs.csv", tx_columns, take_tx, before, fault);
    for (size_t d = 0; d < before->tdags_count && status == STATUS_OK; d++) {
        if (before->tdags[d].rows != before->tdags[d].txs)
            status = fault_set(fault, STATUS_FORMAT, folder, FAULT_NO_OFFSET, "tdags.csv and txs.csv do not agree");
    }
    return status;
}

void tables_before_free(struct tables_before *before)
{
    mem_free(before->tdags);
    mem_free(before->txs);
    *before = (struct tables_before){0};
}
