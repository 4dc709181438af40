#include "cli/output/sql.h"

#include <stdio.h>

void sql_table_name(const char *file, char name[SQL_NAME_SIZE])
{
    snprintf(name, SQL_NAME_SIZE, "%.*s", (int)strcspn(file, "."), file);
    for (char *at = name; *at; at++)
        *at = *at == '-' ? '_' : *at;
}

static const char *declared(enum column_type type)
{
    static const char *const types[] = {
        [COLUMN_INTEGER] = "INTEGER", [COLUMN_NUMBER] = "REAL",   [COLUMN_STRING] = "TEXT",
        [COLUMN_BOOLEAN] = "BOOLEAN", [COLUMN_DATETIME] = "TEXT",
    };
    return types[type];
}

/* a,b as "a","b" */
static void print_names(struct printer *printer, const char *names)
{
    PRINT(printer, "\"");
    for (; *names; names++) {
        if (*names == ',')
            PRINT(printer, "\",\"");
        else
            PRINT(printer, "%c", *names);
    }
    PRINT(printer, "\"");
}

static void print_keys(struct printer *printer, const struct table_schema *schema)
{
    if (schema->primary_key) {
        PRINT(printer, ",\n  PRIMARY KEY (");
        print_names(printer, schema->primary_key);
        PRINT(printer, ")");
    }
    for (size_t i = 0; i < SCHEMA_FOREIGN_KEYS && schema->foreign_keys[i].table; i++) {
        const struct foreign_key *key = &schema->foreign_keys[i];
        PRINT(printer, ",\n  FOREIGN KEY (");
        print_names(printer, key->columns);
        PRINT(printer, ") REFERENCES \"%s\" (", key->table);
        print_names(printer, key->references);
        PRINT(printer, ")");
    }
    PRINT(printer, "\n)");
}

void sql_print_table(struct printer *printer, const char *name, const struct table_schema *schema, unsigned flags)
{
    struct schema_walk walk = {.table = schema, .flags = flags};
    const char *comma = "";
    PRINT(printer, "CREATE TABLE \"%s\" (", name);
    while (schema_next(&walk)) {
        PRINT(printer, "%s\n  \"%s\" %s%s", comma, walk.name, declared(walk.column->type),
              walk.column->flags & COLUMN_MAY_BE_EMPTY ? "" : " NOT NULL");
        comma = ",";
    }
    print_keys(printer, schema);
}

/* ---- indexes ---- */

/* By what rows are looked for, keys apart. From a transaction the others are found by its place in the chain, which
 * their keys have; each index of txids takes as long as a third of all rows. */
static bool is_looked_for(const char *table, const char *column)
{
    static const struct {
        const char *table;
        const char *column;
    } places[] = {{"txs", "txid"},    {"outputs", "txid"},   {"unlocks", "txid"},   {"keys", "key"},
                  {"hashes", "hash"}, {"payers", "address"}, {"payees", "address"}, {"ties", "value"}};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        if (strcmp(table, places[i].table) == 0 && strcmp(column, places[i].column) == 0)
            return true;
    }
    return false;
}

static void print_index(struct printer *printer, const char *table, const char *columns)
{
    PRINT(printer, "CREATE INDEX \"%s_", table);
    for (const char *at = columns; *at; at++)
        PRINT(printer, "%c", *at == ',' ? '_' : *at);
    PRINT(printer, "\" ON \"%s\" (", table);
    print_names(printer, columns);
    PRINT(printer, ");\n");
}

/* What a primary key begins with is found by that. */
static bool begins_key(const struct table_schema *schema, const char *columns)
{
    size_t size = strlen(columns);
    const char *key = schema->primary_key ? schema->primary_key : "";
    return strncmp(key, columns, size) == 0 && (key[size] == ',' || key[size] == '\0');
}

void sql_print_indexes(struct printer *printer, const char *name, const struct table_schema *schema, unsigned flags)
{
    struct schema_walk walk = {.table = schema, .flags = flags};
    for (size_t i = 0; i < SCHEMA_FOREIGN_KEYS && schema->foreign_keys[i].table; i++) {
        if (!begins_key(schema, schema->foreign_keys[i].columns))
            print_index(printer, name, schema->foreign_keys[i].columns);
    }
    while (schema_next(&walk)) {
        if (is_looked_for(name, walk.name))
            print_index(printer, name, walk.name);
    }
}
