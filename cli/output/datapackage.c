#include "cli/output/datapackage.h"

/* ---- one table ---- */

/* A list of names with commas between two, as a list of strings. */
static void print_names(struct printer *printer, const char *names)
{
    PRINT(printer, "[");
    while (*names) {
        size_t size = strcspn(names, ",");
        PRINT(printer, "\"%.*s\"", (int)size, names);
        names += size;
        if (*names) {
            PRINT(printer, ", ");
            names++;
        }
    }
    PRINT(printer, "]");
}

static void print_field(struct printer *printer, const struct schema_walk *walk, int indent)
{
    const struct column *column = walk->column;
    PRINT(printer, "%*s{\"name\": \"%s\", \"type\": \"%s\"", indent, "", walk->name, column_type_name(column->type));
    if (column->type == COLUMN_BOOLEAN)
        PRINT(printer, ", \"trueValues\": [\"1\"], \"falseValues\": [\"0\"]");
    if (!(column->flags & COLUMN_MAY_BE_EMPTY))
        PRINT(printer, ", \"constraints\": {\"required\": true}");
    if (column->flags & COLUMN_EMPTY_TEXT)
        PRINT(printer, ", \"missingValues\": []");
    if (column->unit) {
        PRINT(printer, ", \"unit\": ");
        print_json(printer, column->unit);
    }
    PRINT(printer, ", \"description\": ");
    print_json(printer, column->meaning);
    PRINT(printer, "}");
}

static void print_foreign_keys(struct printer *printer, const struct table_schema *table, int indent,
                               datapackage_has *has_table, const void *context)
{
    unsigned count = 0;
    for (size_t i = 0; i < SCHEMA_FOREIGN_KEYS && table->foreign_keys[i].table; i++) {
        const struct foreign_key *key = &table->foreign_keys[i];
        if (has_table && !has_table(context, key->table))
            continue;
        PRINT(printer, ",\n");
        if (count++ == 0)
            PRINT(printer, "%*s\"foreignKeys\": [\n", indent, "");
        PRINT(printer, "%*s{\"fields\": ", indent + 2, "");
        print_names(printer, key->columns);
        PRINT(printer, ", \"reference\": {\"resource\": \"%s\", \"fields\": ", key->table);
        print_names(printer, key->references);
        PRINT(printer, "}}");
    }
    if (count > 0)
        PRINT(printer, "\n%*s]", indent, "");
}

void datapackage_print_schema(struct printer *printer, const struct table_schema *table, unsigned flags, int indent,
                              datapackage_has *has_table, const void *context)
{
    struct schema_walk walk = {.table = table, .flags = flags};
    const char *comma = "";
    PRINT(printer, "{\n%*s\"fields\": [", indent + 2, "");
    while (printer->status == STATUS_OK && schema_next(&walk)) {
        PRINT(printer, "%s\n", comma);
        print_field(printer, &walk, indent + 4);
        comma = ",";
    }
    PRINT(printer, "\n%*s],\n%*s\"missingValues\": [\"\"]", indent + 2, "", indent + 2, "");
    if (table->primary_key) {
        PRINT(printer, ",\n%*s\"primaryKey\": ", indent + 2, "");
        print_names(printer, table->primary_key);
    }
    print_foreign_keys(printer, table, indent + 2, has_table, context);
    PRINT(printer, "\n%*s}", indent, "");
}

/* ---- the package ---- */

struct files {
    const struct datapackage_file *list;
    size_t count;
};

static bool has_table(const void *context, const char *table)
{
    const struct files *files = context;
    for (size_t i = 0; i < files->count; i++) {
        if (files->list[i].table && strcmp(files->list[i].table->name, table) == 0)
            return true;
    }
    return false;
}

static const struct {
    const char *ending;
    const char *format;
    const char *mediatype;
} formats[] = {{".csv", "csv", "text/csv"}, {".json", "json", "application/json"}, {".html", "html", "text/html"}};

static void print_file(struct printer *printer, const struct files *files, const struct datapackage_file *file)
{
    const char *dot = strrchr(file->name, '.');
    int stem = dot ? (int)(dot - file->name) : (int)strlen(file->name);
    PRINT(printer, "    {\n      \"name\": \"%.*s\",\n      \"path\": \"%s\",\n", stem, file->name, file->name);
    if (file->table) {
        PRINT(printer, "      \"profile\": \"tabular-data-resource\",\n      \"description\": ");
        print_json(printer, file->table->rows);
        PRINT(printer, ",\n      \"dialect\": {\"lineTerminator\": \"\\n\"},\n");
    } else {
        PRINT(printer, "      \"profile\": \"data-resource\",\n");
    }
    for (size_t i = 0; dot && i < sizeof formats / sizeof *formats; i++) {
        if (strcmp(dot, formats[i].ending) == 0)
            PRINT(printer, "      \"format\": \"%s\",\n      \"mediatype\": \"%s\",\n", formats[i].format,
                  formats[i].mediatype);
    }
    PRINT(printer, "      \"encoding\": \"utf-8\",\n      \"bytes\": %llu,\n      \"hash\": \"sha256:%s\"",
          ULL(file->bytes), file->sha256);
    if (file->table) {
        PRINT(printer, ",\n      \"rows\": %llu,\n      \"schema\": ", ULL(file->rows));
        datapackage_print_schema(printer, file->table, file->flags, 6, has_table, files);
    }
    PRINT(printer, "\n    }");
}

static void print_input(struct printer *printer, const char *name, const struct datapackage_input *input)
{
    PRINT(printer, "    \"%s\": ", name);
    if (!input->path) {
        PRINT(printer, "null,\n");
        return;
    }
    PRINT(printer, "{\"path\": ");
    print_json(printer, input->path);
    if (input->sha256[0])
        PRINT(printer, ", \"hash\": \"sha256:%s\"", input->sha256);
    PRINT(printer, "},\n");
}

static void print_labels(struct printer *printer, const struct datapackage_provenance *provenance)
{
    if (provenance->labels_count == 0)
        return;
    PRINT(printer, "    \"labels\": [");
    for (size_t i = 0; i < provenance->labels_count; i++) {
        PRINT(printer, "%s{\"path\": ", i > 0 ? ", " : "");
        print_json(printer, provenance->labels[i].path);
        if (provenance->labels[i].sha256[0])
            PRINT(printer, ", \"hash\": \"sha256:%s\"", provenance->labels[i].sha256);
        PRINT(printer, "}");
    }
    PRINT(printer, "],\n");
}

static void print_provenance(struct printer *printer, const struct datapackage_provenance *provenance)
{
    char tip[HASH256_HEX_SIZE + 1] = "";
    hash256_hex(&provenance->tip, tip);
    PRINT(printer, "  \"unktx\": {\n    \"version\": \"%s\",\n    \"network\": \"%s\",\n", provenance->version,
          provenance->network);
    PRINT(printer, "    \"tip\": {\"hash\": \"%s\", \"height\": %u},\n", tip, (unsigned)provenance->tip_height);
    if (provenance->first_height > 0)
        PRINT(printer, "    \"partial\": {\"first_height\": %u},\n", (unsigned)provenance->first_height);
    PRINT(printer, "    \"rules\": \"%s\",\n    \"compress\": %s,\n", rules_name(provenance->rules),
          provenance->compress ? "true" : "false");
    print_input(printer, "exclude_scripts", &provenance->exclude_scripts);
    print_input(printer, "scripts", &provenance->scripts);
    if (provenance->select) {
        PRINT(printer, "    \"select\": ");
        print_json(printer, provenance->select);
        PRINT(printer, ",\n");
    }
    if (provenance->nodes)
        PRINT(printer, "    \"nodes\": \"%s\",\n", provenance->nodes);
    print_labels(printer, provenance);
    PRINT(printer, "    \"nulldata\": \"%s\",\n    \"index\": %s\n  },\n", provenance->nulldata,
          provenance->with_index ? "true" : "false");
}

void datapackage_print(struct printer *printer, const struct datapackage_provenance *provenance,
                       const struct datapackage_file *files, size_t count)
{
    const struct files all = {files, count};
    PRINT(printer, "{\n  \"profile\": \"data-package\",\n  \"name\": \"unktx\",\n");
    PRINT(printer, "  \"title\": \"Unknown transactions of %s ", provenance->network);
    if (provenance->first_height > 0)
        PRINT(printer, "(partial) from block %u ", (unsigned)provenance->first_height);
    PRINT(printer, "to block %u, rules %s\",\n", (unsigned)provenance->tip_height, rules_name(provenance->rules));
    print_provenance(printer, provenance);
    PRINT(printer, "  \"resources\": [\n");
    for (size_t i = 0; i < count; i++) {
        print_file(printer, &all, &files[i]);
        PRINT(printer, "%s\n", i + 1 < count ? "," : "");
    }
    PRINT(printer, "  ]\n}\n");
}
