#include "cli/views/data_dictionary.h"

#include <ctype.h>

#include "cli/output/datapackage.h"

#define ALL_FLAGS                                                                                                      \
    (COLUMN_WITH_INDEX | COLUMN_WITH_VERIFY | COLUMN_WITH_UNLOCKS | COLUMN_WITH_LABELS | COLUMN_WITH_PAPER_CLASSES |   \
     COLUMN_WITH_SCRIPTS)

/* Text with a backslash before each of the bytes in `special`, and its first letter a capital if asked for. */
static void print_escaped(struct printer *printer, const char *text, const char *special, bool capital)
{
    for (const char *at = text; *at; at++) {
        char letter = capital && at == text ? (char)toupper((unsigned char)*at) : *at;
        PRINT(printer, strchr(special, *at) ? "\\%c" : "%c", letter);
    }
}

static const char *presence_of(const struct column *column)
{
    if (column->flags & COLUMN_WITH_INDEX)
        return "only where the store has an index";
    if (column->flags & COLUMN_WITH_UNLOCKS)
        return "only where the blk files could be read";
    if (column->flags & COLUMN_WITH_LABELS)
        return "only with --labels";
    if (column->flags & COLUMN_WITH_PAPER_CLASSES)
        return "only with --paper-classes";
    if (column->flags & COLUMN_WITH_SCRIPTS)
        return "only with --scripts";
    if (column->flags & COLUMN_WITH_PARTIAL)
        return "only of a partial store";
    return column->flags & COLUMN_WITH_VERIFY ? "only with --verify" : NULL;
}

/* ---- man pages ---- */

/* A hyphen that is typed must be escaped; a backslash is in none of the texts. */
#define ROFF_SPECIAL "-"

/* The widest tag that stands beside its text. */
#define TAG_WIDTH "20"

static void print_man_column(struct printer *printer, const struct column *column)
{
    const char *presence = presence_of(column);
    PRINT(printer, ".TP " TAG_WIDTH "\n.B ");
    print_escaped(printer, column->name, ROFF_SPECIAL, false);
    PRINT(printer, "\n");
    print_escaped(printer, column->meaning, ROFF_SPECIAL, false);
    PRINT(printer, "\n(%s", column_type_name(column->type));
    if (column->unit) {
        PRINT(printer, ", ");
        print_escaped(printer, column->unit, ROFF_SPECIAL, false);
    }
    if (column->flags & COLUMN_MAY_BE_EMPTY)
        PRINT(printer, "; may be empty");
    if (presence) {
        PRINT(printer, "; ");
        print_escaped(printer, presence, ROFF_SPECIAL, false);
    }
    PRINT(printer, ")\n");
}

void data_dictionary_man(struct printer *printer, const struct table_schema *table)
{
    print_escaped(printer, table->rows, ROFF_SPECIAL, true);
    PRINT(printer, ".\n");
    for (size_t i = 0; i < table->columns_count; i++)
        print_man_column(printer, &table->columns[i]);
}

/* ---- Markdown ---- */

#define MARKDOWN_SPECIAL "|<*"

static void print_markdown_keys(struct printer *printer, const struct table_schema *table)
{
    if (table->primary_key)
        PRINT(printer, "\nPrimary key: `%s`.", table->primary_key);
    for (size_t i = 0; i < SCHEMA_FOREIGN_KEYS && table->foreign_keys[i].table; i++) {
        const struct foreign_key *key = &table->foreign_keys[i];
        PRINT(printer, "\n`%s` is in [%s](#%s) (`%s`).", key->columns, key->table, key->table, key->references);
    }
    if (table->primary_key || table->foreign_keys[0].table)
        PRINT(printer, "\n");
}

static void print_markdown_table(struct printer *printer, const struct table_schema *table)
{
    PRINT(printer, "\n## %s\n\n", table->name);
    print_escaped(printer, table->rows, MARKDOWN_SPECIAL, true);
    PRINT(printer,
          ". Written by `unktx %s`.\n\n| column | type | unit | may be empty | meaning |\n|---|---|---|---|---|\n",
          table->command);
    for (size_t i = 0; i < table->columns_count; i++) {
        const struct column *column = &table->columns[i];
        const char *presence = presence_of(column);
        PRINT(printer, "| `%s` | %s | %s | %s | ", column->name, column_type_name(column->type),
              column->unit ? column->unit : "", column->flags & COLUMN_MAY_BE_EMPTY ? "yes" : "");
        print_escaped(printer, column->meaning, MARKDOWN_SPECIAL, false);
        PRINT(printer, "%s%s |\n", presence ? "; " : "", presence ? presence : "");
    }
    print_markdown_keys(printer, table);
}

void data_dictionary_markdown(struct printer *printer, const struct table_schema *const *tables)
{
    PRINT(printer,
          "# Tables\n\n"
          "Every table that unktx writes, and every column of it. This page is made by `make columns` from the\n"
          "descriptions in cli/output/schema_*.c, as are the lists of columns in the man pages and the schemas in\n"
          "datapackage.json.\n\n"
          "Tables are CSV as in RFC 4180, but lines end with a line feed; the first line has the names. Booleans\n"
          "are 1 and 0. Hashes are in the usual reversed hexadecimal. A string that has digits only is a string\n"
          "still. A missing value is an empty field, an empty script two quotes. In a name, KIND stands for each kind "
          "of output and RULES for each rule set. Of a partial store (`unktx scan --partial`) every table has a last\n"
          "column more, `%s` (%s): %s.\n",
          schema_partial.name, schema_partial.unit, schema_partial.meaning);
    for (; *tables; tables++)
        print_markdown_table(printer, *tables);
}

/* ---- JSON ---- */

void data_dictionary_json(struct printer *printer, const struct table_schema *const *tables)
{
    PRINT(printer, "{\n  \"tables\": [\n");
    for (; *tables; tables++) {
        PRINT(printer, "    {\n      \"name\": \"%s\",\n      \"command\": \"unktx %s\",\n      \"description\": ",
              (*tables)->name, (*tables)->command);
        print_json(printer, (*tables)->rows);
        PRINT(printer, ",\n      \"schema\": ");
        datapackage_print_schema(printer, *tables, ALL_FLAGS, 6, NULL, NULL);
        PRINT(printer, "\n    }%s\n", tables[1] ? "," : "");
    }
    PRINT(printer, "  ]\n}\n");
}
