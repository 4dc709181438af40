#include "cli/output/schema.h"

#include <stdio.h>
#include <string.h>

#include "parser/script.h"

const struct table_schema *const schema_all[] = {
    &schema_tdags,        &schema_classes,     &schema_txs,          &schema_arcs,
    &schema_leaves,       &schema_payers,      &schema_payees,       &schema_changes,
    &schema_outputs,      &schema_templates,   &schema_unlocks,      &schema_keys,
    &schema_hashes,       &schema_ties,        &schema_groups,       &schema_stats,
    &schema_stats_by_day, &schema_protocols,   &schema_blocks,       &schema_dump_blocks,
    &schema_dump_txs,     &schema_dump_inputs, &schema_dump_outputs, &schema_travel,
    &schema_find_rows,    &schema_compare,     &schema_hidden,       &schema_hidden_scripts,
    &schema_nodes,        &schema_edges,       &schema_timings,      NULL,
};

const struct column schema_partial = {"partial", COLUMN_INTEGER, COLUMN_WITH_PARTIAL, "block height",
                                      "the store's first block: outputs made below it are not known, and their spends "
                                      "look like spends of known outputs; this column is there only where the store "
                                      "does not begin with the genesis block"};

const struct table_schema *schema_find(const char *name)
{
    for (const struct table_schema *const *table = schema_all; *table; table++) {
        if (strcmp((*table)->name, name) == 0)
            return *table;
    }
    return NULL;
}

const struct table_schema *schema_of_file(const char *name)
{
    char table[64];
    const char *end = strrchr(name, '.');
    if (!end || strcmp(end, ".csv") != 0 || (size_t)(end - name) >= sizeof table)
        return NULL;
    snprintf(table, sizeof table, "%.*s", (int)(end - name), name);
    return schema_find(table);
}

const char *column_type_name(enum column_type type)
{
    static const char *const names[] = {
        [COLUMN_INTEGER] = "integer", [COLUMN_NUMBER] = "number",     [COLUMN_STRING] = "string",
        [COLUMN_BOOLEAN] = "boolean", [COLUMN_DATETIME] = "datetime",
    };
    return names[type];
}

/* A word that stands for several names, and these. */
static const struct repeated {
    const char *word;
    unsigned count;
} repeated[] = {{"KIND", KINDS}, {"RULES", RULES}};

static const struct repeated *repeated_in(const struct column *column)
{
    for (size_t i = 0; i < sizeof repeated / sizeof *repeated; i++) {
        if (strstr(column->name, repeated[i].word))
            return &repeated[i];
    }
    return NULL;
}

static void set_name(struct schema_walk *walk, const struct repeated *word)
{
    const char *name = walk->column->name;
    if (!word) {
        snprintf(walk->name, sizeof walk->name, "%s", name);
        return;
    }
    const char *at = strstr(name, word->word);
    const char *value = word == &repeated[0] ? kind_name((enum kind)walk->repeat)
                                             : rules_name((enum rules)walk->repeat);
    snprintf(walk->name, sizeof walk->name, "%.*s%s%s", (int)(at - name), name, value, at + strlen(word->word));
}

static bool is_written(const struct column *column, unsigned flags)
{
    return (column->flags & ~(flags | COLUMN_MAY_BE_EMPTY | COLUMN_EMPTY_TEXT)) == 0;
}

/* At the end of a group whose word has names left: back to its first column. */
static void repeat_group(struct schema_walk *walk)
{
    const struct table_schema *table = walk->table;
    const struct repeated *word = walk->column ? repeated_in(walk->column) : NULL;
    if (!word || (walk->next < table->columns_count && repeated_in(&table->columns[walk->next]) == word))
        return;
    if (++walk->repeat < word->count)
        walk->next = walk->group_begin;
}

bool schema_next(struct schema_walk *walk)
{
    const struct table_schema *table = walk->table;
    repeat_group(walk);
    while (walk->next < table->columns_count && !is_written(&table->columns[walk->next], walk->flags))
        walk->next++;
    if (walk->next > table->columns_count ||
        (walk->next == table->columns_count && !(walk->flags & COLUMN_WITH_PARTIAL)))
        return false;
    const struct column *column = walk->next < table->columns_count ? &table->columns[walk->next] : &schema_partial;
    const struct repeated *word = repeated_in(column);
    if (word && (!walk->column || repeated_in(walk->column) != word)) {
        walk->group_begin = walk->next;
        walk->repeat = 0;
    }
    walk->column = column;
    walk->next++;
    set_name(walk, word);
    return true;
}

enum status schema_put_header(struct text *text, const struct table_schema *table, unsigned flags)
{
    struct schema_walk walk = {.table = table, .flags = flags};
    const char *comma = "";
    enum status status = STATUS_OK;
    while (status == STATUS_OK && schema_next(&walk)) {
        status = text_printf(text, "%s%s", comma, walk.name);
        comma = ",";
    }
    return status == STATUS_OK ? text_printf(text, "\n") : status;
}
