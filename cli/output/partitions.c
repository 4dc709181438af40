#include "cli/output/partitions.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/output/json.h"
#include "cli/output/manifest.h"
#include "parser/digits.h"
#include "parser/mem.h"
#include "parser/search.h"

void partitions_free(struct partitions *partitions)
{
    for (unsigned t = 0; t < PARTITIONS_TABLES; t++) {
        text_free(&partitions->tables[t].columns);
        mem_free(partitions->tables[t].files.at);
    }
    *partitions = (struct partitions){0};
}

/* ---- writing ---- */

static bool has_table(const void *context, const char *table)
{
    const struct partitions *partitions = context;
    for (unsigned t = 0; t < PARTITIONS_TABLES; t++) {
        if (partitions->tables[t].schema && strcmp(partitions->tables[t].schema->name, table) == 0)
            return true;
    }
    return false;
}

static void print_file(struct printer *printer, const struct partition *file)
{
    char hash[HASH256_HEX_SIZE + 1] = "";
    hash256_hex(&file->to_hash, hash);
    PRINT(printer, "        {\"path\": \"%s\", \"from_height\": %u, \"to_height\": %u, \"to_hash\": \"%s\", ",
          file->path, (unsigned)file->from_height, (unsigned)file->to_height, hash);
    PRINT(printer, "\"rows\": %llu, \"bytes\": %llu, \"hash\": \"sha256:%s\"", ULL(file->rows), ULL(file->bytes),
          file->sha256);
    if (file->last_spender > 0)
        PRINT(printer, ", \"last_spender_height\": %u", (unsigned)file->last_spender);
    PRINT(printer, "}");
}

static void print_table(struct printer *printer, const struct partitions *partitions,
                        const struct partition_table *table)
{
    uint64_t rows = 0, bytes = 0;
    const char *comma = "";
    PRINT(printer, "    {\n      \"name\": \"%s\",\n      \"path\": [", table->schema->name);
    for (size_t i = 0; i < table->files.count; i++) {
        if (!table->files.at[i].is_whole)
            continue;
        PRINT(printer, "%s\n        \"%s\"", comma, table->files.at[i].path);
        rows += table->files.at[i].rows;
        bytes += table->files.at[i].bytes;
        comma = ",";
    }
    PRINT(printer, "\n      ],\n      \"profile\": \"tabular-data-resource\",\n      \"description\": ");
    print_json(printer, table->schema->rows);
    PRINT(printer,
          ",\n      \"dialect\": {\"header\": true, \"lineTerminator\": \"\\n\"},\n      \"format\": \"csv\",\n");
    PRINT(printer, "      \"mediatype\": \"text/csv\",\n      \"encoding\": \"utf-8\",\n");
    if (partitions->rule.is_packed)
        PRINT(printer, "      \"compression\": \"zst\",\n");
    PRINT(printer, "      \"bytes\": %llu,\n      \"rows\": %llu,\n      \"partitions\": [", ULL(bytes), ULL(rows));
    comma = "";
    for (size_t i = 0; i < table->files.count; i++) {
        if (!table->files.at[i].is_whole)
            continue;
        PRINT(printer, "%s\n", comma);
        print_file(printer, &table->files.at[i]);
        comma = ",";
    }
    PRINT(printer, "\n      ],\n      \"schema\": ");
    datapackage_print_schema(printer, table->schema, table->flags, 6, has_table, partitions);
    PRINT(printer, "\n    }");
}

static void print_head(struct printer *printer, const struct partitions *partitions)
{
    const struct partition_rule *rule = &partitions->rule;
    char tip[HASH256_HEX_SIZE + 1] = "";
    hash256_hex(&partitions->tip, tip);
    PRINT(printer, "{\n  \"profile\": \"data-package\",\n  \"name\": \"unktx-dump\",\n");
    PRINT(printer, "  \"title\": \"Blocks, transactions, inputs or outputs of %s, as of block %u\",\n",
          partitions->network, (unsigned)partitions->tip_height);
    PRINT(printer, "  \"unktx\": {\n    \"version\": \"%s\",\n    \"network\": \"%s\",\n", partitions->version,
          partitions->network);
    PRINT(printer, "    \"tip\": {\"hash\": \"%s\", \"height\": %u},\n", tip, (unsigned)partitions->tip_height);
    PRINT(printer,
          "    \"dump\": {\"%s\": %llu, \"from_height\": %llu, \"compress\": \"%s\", \"complete\": %s}\n  },\n",
          rule->rows_per_file ? "rows_per_file" : "blocks_per_file",
          ULL(rule->rows_per_file ? rule->rows_per_file : rule->blocks_per_file), ULL(rule->from_height),
          rule->is_packed ? "zstd" : "none", partitions->is_complete ? "true" : "false");
}

enum status partitions_write(const struct partitions *partitions, const char *folder, struct fault *fault)
{
    struct printer printer = {0};
    const char *comma = "";
    print_head(&printer, partitions);
    PRINT(&printer, "  \"resources\": [");
    for (unsigned t = 0; t < PARTITIONS_TABLES; t++) {
        if (!partitions->tables[t].schema)
            continue;
        PRINT(&printer, "%s\n", comma);
        print_table(&printer, partitions, &partitions->tables[t]);
        comma = ",";
    }
    PRINT(&printer, "\n  ]\n}\n");
    return printer_write_in(&printer, folder, DATAPACKAGE_NAME, fault);
}

/* ---- reading ---- */

struct reading {
    struct partitions *partitions;
    struct partition_table *table; /* of the last name; NULL: none of ours */
    struct partition *file;        /* of the last path; NULL: none */
    bool is_dump;
};

const struct table_schema *const partitions_schemas[PARTITIONS_TABLES] = {&schema_dump_blocks, &schema_dump_txs,
                                                                          &schema_dump_inputs, &schema_dump_outputs};

static void on_name(struct reading *reading, const char *name)
{
    reading->table = NULL;
    reading->file = NULL;
    for (unsigned t = 0; t < PARTITIONS_TABLES; t++) {
        if (strcmp(partitions_schemas[t]->name, name) == 0) {
            reading->table = &reading->partitions->tables[t];
            reading->table->schema = partitions_schemas[t];
        }
    }
}

static enum status on_path(struct reading *reading, const char *path)
{
    reading->file = NULL;
    if (!reading->table || strlen(path) >= PARTITION_PATH_SIZE || reading->table->files.count == PARTITIONS_MAX)
        return STATUS_OK;
    if (!PUSH(reading->table->files, (struct partition){0}))
        return STATUS_NOMEM;
    reading->file = &reading->table->files.at[reading->table->files.count - 1];
    memcpy(reading->file->path, path, strlen(path) + 1);
    return STATUS_OK;
}

/* The SHA-256 in hexadecimal as a dump writes it. A file with anything else there counts as not made. */
static void on_hash(struct partition *file, const char *value)
{
    static const char kind[] = "sha256:";
    const char *hex = value + sizeof kind - 1;
    bool is_ours = strncmp(value, kind, sizeof kind - 1) == 0 && strlen(hex) == DATAPACKAGE_HEX - 1 &&
                   strspn(hex, "0123456789abcdef") == DATAPACKAGE_HEX - 1;
    snprintf(file->sha256, sizeof file->sha256, "%s", is_ours ? hex : "");
}

static enum status on_string(struct reading *reading, const char *way, const char *value)
{
    struct partitions *partitions = reading->partitions;
    if (strcmp(way, "resources/*/name") == 0)
        on_name(reading, value);
    else if (strcmp(way, "resources/*/partitions/*/path") == 0)
        return on_path(reading, value);
    else if (strcmp(way, "resources/*/partitions/*/to_hash") == 0 && reading->file)
        (void)hash256_parse(value, &reading->file->to_hash); /* what is none is no block's */
    else if (strcmp(way, "resources/*/partitions/*/hash") == 0 && reading->file)
        on_hash(reading->file, value);
    else if (strcmp(way, "resources/*/schema/fields/*/name") == 0 && reading->table)
        return text_printf(&reading->table->columns, "%s,", value);
    else if (strcmp(way, "unktx/network") == 0 && strlen(value) < NETWORK_LABEL_SIZE)
        memcpy(partitions->network, value, strlen(value) + 1);
    else if (strcmp(way, "unktx/tip/hash") == 0)
        partitions->has_tip = hash256_parse(value, &partitions->tip);
    else if (strcmp(way, "unktx/dump/compress") == 0)
        partitions->rule.is_packed = strcmp(value, "zstd") == 0;
    return STATUS_OK;
}

/* A number that cannot be is the largest one, which none is compared equal with. */
static uint64_t number_of(const char *text)
{
    uint64_t number;
    return digits_number(text, 18, &number) ? number : UINT64_MAX;
}

static uint32_t height_of(uint64_t number) { return number < UINT32_MAX ? (uint32_t)number : UINT32_MAX; }

static void on_number(struct reading *reading, const char *way, uint64_t number)
{
    static const char in_file[] = "resources/*/partitions/*/";
    struct partitions *partitions = reading->partitions;
    struct partition *file = reading->file;
    if (strncmp(way, in_file, sizeof in_file - 1) == 0 && file) {
        way += sizeof in_file - 1;
        if (strcmp(way, "from_height") == 0)
            file->from_height = height_of(number);
        else if (strcmp(way, "to_height") == 0)
            file->to_height = height_of(number);
        else if (strcmp(way, "rows") == 0)
            file->rows = number;
        else if (strcmp(way, "bytes") == 0)
            file->bytes = number;
        else if (strcmp(way, "last_spender_height") == 0)
            file->last_spender = height_of(number);
    } else if (strcmp(way, "unktx/tip/height") == 0) {
        partitions->tip_height = height_of(number);
    } else if (strcmp(way, "unktx/dump/rows_per_file") == 0) {
        partitions->rule.rows_per_file = number;
    } else if (strcmp(way, "unktx/dump/blocks_per_file") == 0) {
        partitions->rule.blocks_per_file = number;
    } else if (strcmp(way, "unktx/dump/from_height") == 0) {
        partitions->rule.from_height = number;
    }
}

static enum status on_value(void *context, const char *way, const char *value, bool is_string)
{
    struct reading *reading = context;
    if (is_string)
        return on_string(reading, way, value);
    if (strcmp(way, "unktx/dump/complete") == 0) {
        reading->is_dump = true;
        reading->partitions->is_complete = strcmp(value, "true") == 0;
    } else {
        on_number(reading, way, number_of(value));
    }
    return STATUS_OK;
}

enum status partitions_read(const char *folder, struct partitions *partitions, struct fault *fault)
{
    struct reading reading = {.partitions = partitions};
    char *text = NULL, *path = NULL;
    size_t size;
    enum status status = manifest_load(folder, &path, &text, &size, fault);
    if (status == STATUS_OK) {
        status = json_walk(text, size, path, on_value, &reading, fault);
        status = status == STATUS_NOMEM ? fault_nomem(fault) : status;
    }
    if (status == STATUS_OK && !reading.is_dump)
        status = fault_set(fault, STATUS_REFUSED, path, FAULT_NO_OFFSET,
                           "is not of 'unktx dump', which writes into folders of its own: name another folder with -o");
    mem_free(text);
    mem_free(path);
    return status;
}

/* ---- what was read ---- */

const struct partition *partitions_find(const struct partition_table *table, const char *path)
{
    const char *low = strchr(path, '=');
    uint64_t height = low ? strtoull(low + 1, NULL, 10) : 0;
    size_t at = LOWER_BOUND(i, 0, table->files.count, table->files.at[i].to_height < height);
    const struct partition *file = at < table->files.count ? &table->files.at[at] : NULL;
    return file && strcmp(file->path, path) == 0 ? file : NULL;
}

bool partitions_same_columns(const struct partition_table *made, const struct partition_table *now)
{
    struct schema_walk walk = {.table = now->schema, .flags = now->flags};
    struct text columns = {0};
    enum status status = STATUS_OK;
    while (status == STATUS_OK && schema_next(&walk))
        status = text_printf(&columns, "%s,", walk.name);
    bool same = status == STATUS_OK && columns.size == made->columns.size && columns.size > 0 &&
                memcmp(columns.bytes, made->columns.bytes, columns.size) == 0;
    text_free(&columns);
    return same;
}
