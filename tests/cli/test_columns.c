/* columns: every table that unktx writes against its description in cli/output/schema.h: the header, the type of each
 * value, keys that are unique, and keys that lead into another table. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/output/schema.h"
#include "tests/support/dir.h"
#include "tests/support/run.h"
#include "tests/support/table.h"

#define NODE "tests/fixtures/regtest-xor"

static const char *const rules[] = {"core-0.18", "core-0.19", "core-22"};

/* Two stores of the bundled chain, one with an index and all nulldata. */
static int set_up(void **state)
{
    (void)state;
    dir = temp_dir();
    unktx_ok("scan --quiet --datadir " NODE " --store %s/bare", dir);
    unktx_ok("scan --quiet --nulldata store --datadir " NODE " --store %s/indexed", dir);
    unktx_ok("index --quiet --datadir " NODE " --store %s/indexed", dir);
    return 0;
}

/* ---- values ---- */

static bool is_integer(const char *text)
{
    size_t digits = strspn(text, "0123456789");
    return digits > 0 && !text[digits] && (text[0] != '0' || digits == 1);
}

static bool is_number(const char *text)
{
    size_t whole = strspn(text, "0123456789");
    size_t part = text[whole] == '.' ? strspn(text + whole + 1, "0123456789") : 0;
    return whole > 0 && part > 0 && !text[whole + 1 + part];
}

static bool is_datetime(const char *text)
{
    static const char form[] = "dddd-dd-ddTdd:dd:ddZ";
    if (strlen(text) != sizeof form - 1)
        return false;
    for (size_t i = 0; form[i]; i++) {
        if (form[i] == 'd' ? !isdigit((unsigned char)text[i]) : text[i] != form[i])
            return false;
    }
    return true;
}

static bool is_of_type(const char *text, const struct column *column)
{
    if (!*text)
        return column->flags & COLUMN_MAY_BE_EMPTY;
    switch (column->type) {
    case COLUMN_INTEGER: return is_integer(text);
    case COLUMN_NUMBER: return is_number(text);
    case COLUMN_BOOLEAN: return strcmp(text, "0") == 0 || strcmp(text, "1") == 0;
    case COLUMN_DATETIME: return is_datetime(text);
    case COLUMN_STRING: return true;
    }
    return false;
}

static void check_column(const struct table *table, size_t c, const struct column *column)
{
    for (size_t r = 0; r < table->rows; r++) {
        const char *text = table_at(table, r, c);
        if (!is_of_type(text, column))
            fail_msg("row %zu, column %s: '%s' is no %s", r, column->name, text, column_type_name(column->type));
    }
}

/* ---- keys ---- */

/* The values of the named columns of each row, with a line feed between two; sorted. */
static char **keys_of(const struct table *table, const char *names)
{
    char **keys = calloc(table->rows + 1, sizeof *keys);
    assert_non_null(keys);
    for (size_t r = 0; r < table->rows; r++) {
        char key[1024] = "", name[COLUMN_NAME_SIZE];
        for (const char *at = names; *at; at += strcspn(at, ",") + (at[strcspn(at, ",")] == ',')) {
            snprintf(name, sizeof name, "%.*s", (int)strcspn(at, ","), at);
            size_t used = strlen(key);
            int size = snprintf(key + used, sizeof key - used, "%s\n", table_get(table, r, name));
            assert_true(size >= 0 && (size_t)size < sizeof key - used);
        }
        keys[r] = strdup(key);
    }
    return keys;
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void free_keys(char **keys, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(keys[i]);
    free(keys);
}

static void check_primary_key(const struct table *table, const struct table_schema *schema)
{
    if (!schema->primary_key)
        return;
    char **keys = keys_of(table, schema->primary_key);
    qsort(keys, table->rows, sizeof *keys, compare_texts);
    for (size_t r = 1; r < table->rows; r++) {
        if (strcmp(keys[r - 1], keys[r]) == 0)
            fail_msg("%s: two rows with the primary key %s", schema->name, keys[r]);
    }
    free_keys(keys, table->rows);
}

/* ---- tables ---- */

/* The table in a file is as described; it has rows, or the test would show little. */
static void check_table(const char *path, const struct table_schema *schema, unsigned flags)
{
    struct table table = table_read(path);
    struct schema_walk walk = {.table = schema, .flags = flags};
    size_t columns = 0;
    if (table.rows == 0)
        fail_msg("%s: no rows", path);
    for (; schema_next(&walk); columns++) {
        if (columns >= table.columns || strcmp(table.fields[columns], walk.name) != 0)
            fail_msg("%s: column %zu is not %s", path, columns, walk.name);
        check_column(&table, columns, walk.column);
    }
    assert_int_equal(columns, table.columns);
    check_primary_key(&table, schema);
    table_free(&table);
}

static void check_foreign_key(const char *folder, const struct table_schema *schema, const struct foreign_key *key)
{
    struct table table = table_read(path_of("%s/%s.csv", folder, schema->name));
    struct table other = table_read(path_of("%s/%s.csv", folder, key->table));
    char **from = keys_of(&table, key->columns), **to = keys_of(&other, key->references);
    qsort(to, other.rows, sizeof *to, compare_texts);
    for (size_t r = 0; r < table.rows; r++) {
        if (!bsearch(&from[r], to, other.rows, sizeof *to, compare_texts))
            fail_msg("%s, row %zu: no %s in %s", schema->name, r, from[r], key->table);
    }
    free_keys(from, table.rows);
    free_keys(to, other.rows);
    table_free(&table);
    table_free(&other);
}

static void check_folder(const char *folder, const struct table_schema *const *tables, unsigned flags)
{
    for (; *tables; tables++) {
        check_table(path_of("%s/%s.csv", folder, (*tables)->name), *tables, flags);
        for (size_t i = 0; i < SCHEMA_FOREIGN_KEYS && (*tables)->foreign_keys[i].table; i++)
            check_foreign_key(folder, *tables, &(*tables)->foreign_keys[i]);
    }
}

/* The table that a command prints. */
static void check_printed(const struct table_schema *schema, unsigned flags, const char *command)
{
    unktx_ok("%s -o %s/printed.csv", command, dir);
    check_table(path_of("%s/printed.csv", dir), schema, flags);
}

static const struct table_schema *const of_dags[] = {&schema_tdags,  &schema_classes, &schema_txs, &schema_arcs,
                                                     &schema_leaves, &schema_unlocks, NULL};
static const struct table_schema *const of_flows[] = {&schema_tdags,  &schema_classes, &schema_txs,
                                                      &schema_payers, &schema_payees,  NULL};

static void test_dags(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        char folder[1024];
        snprintf(folder, sizeof folder, "%s/%s", dir, rules[i]);
        unktx_ok("dags --store %s/bare --rules %s -o %s", dir, rules[i], folder);
        check_folder(folder, of_dags, COLUMN_WITH_UNLOCKS);
        unktx_ok("dags --store %s/bare --rules %s --compress -o %s-c", dir, rules[i], folder);
        check_folder(path_of("%s-c", folder), of_dags, COLUMN_WITH_UNLOCKS);
        unktx_ok("dags --store %s/bare --rules %s --paper-classes -o %s-p", dir, rules[i], folder);
        check_folder(path_of("%s-p", folder), of_dags, COLUMN_WITH_UNLOCKS | COLUMN_WITH_PAPER_CLASSES);
        unktx_ok("dags --store %s/indexed --rules %s -o %s-i", dir, rules[i], folder);
        check_folder(path_of("%s-i", folder), of_dags, COLUMN_WITH_INDEX | COLUMN_WITH_UNLOCKS);
        check_folder(path_of("%s-i", folder), of_flows, COLUMN_WITH_INDEX | COLUMN_WITH_UNLOCKS);
    }
}

static void test_outputs(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        check_printed(&schema_outputs, 0, path_of("outputs --store %s/bare --rules %s", dir, rules[i]));
        check_printed(&schema_outputs, 0, path_of("outputs --nulldata --store %s/indexed --rules %s", dir, rules[i]));
        check_printed(&schema_unlocks, 0, path_of("unlocks --store %s/bare --rules %s", dir, rules[i]));
        check_printed(&schema_templates, 0, path_of("templates --store %s/bare --rules %s", dir, rules[i]));
        check_printed(&schema_templates, 0,
                      path_of("templates --nulldata --store %s/indexed --rules %s", dir, rules[i]));
    }
}

static void test_stats(void **state)
{
    (void)state;
    static const char *const by[] = {"total", "block", "day", "month", "year"};
    for (size_t i = 0; i < sizeof by / sizeof *by; i++)
        check_printed(&schema_stats, 0, path_of("stats --store %s/bare --by %s", dir, by[i]));
    check_printed(&schema_stats_by_day, 0, path_of("stats --store %s/bare --by day", dir));
    check_printed(&schema_protocols, 0, path_of("stats --nulldata --store %s/indexed", dir));
    check_printed(&schema_compare, 0, path_of("compare --store %s/indexed", dir));
    check_printed(&schema_hidden, 0, path_of("hidden --by day --store %s/indexed", dir));
    check_printed(&schema_hidden_scripts, 0, path_of("hidden --list --store %s/indexed", dir));
}

static void test_blocks(void **state)
{
    (void)state;
    static const char *const nodes[] = {NODE, "tests/fixtures/crash", "tests/fixtures/dup-txid"};
    for (size_t i = 0; i < sizeof nodes / sizeof *nodes; i++) {
        check_printed(&schema_blocks, 0, path_of("blocks %s", nodes[i]));
        check_printed(&schema_blocks, COLUMN_WITH_VERIFY, path_of("blocks --verify %s", nodes[i]));
    }
}

static void test_dump(void **state)
{
    (void)state;
    static const struct table_schema *const tables[] = {&schema_dump_blocks, &schema_dump_txs, &schema_dump_inputs,
                                                        &schema_dump_outputs, NULL};
    const char *folder = path_of("%s/dumped", dir);
    make_dirs(folder);
    for (size_t i = 0; tables[i]; i++)
        unktx_ok("%s --store %s/indexed -o %s/%s.csv", tables[i]->command, dir, folder, tables[i]->name);
    check_folder(folder, tables, 0);
}

/* Two quotes are an empty script; as many as the node's own list has, where scripts of other kinds are left out. */
static void test_empty_scripts(void **state)
{
    (void)state;
    size_t expected = 0, found = 0;
    struct table truth = table_read(NODE "/truth/outputs.csv");
    for (size_t r = 0; r < truth.rows; r++)
        expected += strcmp(table_get(&truth, r, "type"), "nonstandard") == 0 && !*table_get(&truth, r, "script_hex");
    struct run run = unktx_expect(0, "dump outputs --scripts --store %s/indexed", dir);
    for (const char *at = run.out; (at = strstr(at, ",\"\",\n")); at++)
        found++;
    assert_true(expected > 0);
    assert_int_equal(found, expected);
    assert_null(strstr(run.out, ",,\n"));
    run_free(&run);
    table_free(&truth);
}

/* From a coinbase, which has no input to follow, and back from the last transaction. */
static void test_travel(void **state)
{
    (void)state;
    unktx_ok("dump txs --store %s/indexed -o %s/all.csv", dir, dir);
    struct table txs = table_read(path_of("%s/all.csv", dir));
    check_printed(&schema_travel, 0,
                  path_of("travel %s --forward --store %s/indexed", table_get(&txs, 1, "txid"), dir));
    check_printed(&schema_travel, 0,
                  path_of("travel %s --backward --store %s/indexed", table_get(&txs, txs.rows - 1, "txid"), dir));
    table_free(&txs);
}

/* Same keys where the txids of two coinbases are equal. */
static void test_equal_txids(void **state)
{
    (void)state;
    unktx_ok("analyze --quiet --rules core-22 --index --datadir tests/fixtures/dup-txid -o %s/dup", dir);
    check_folder(path_of("%s/dup", dir), of_dags, COLUMN_WITH_INDEX | COLUMN_WITH_UNLOCKS);
    check_table(path_of("%s/dup/outputs.csv", dir), &schema_outputs, 0);
    check_table(path_of("%s/dup/stats.csv", dir), &schema_stats, 0);
    check_table(path_of("%s/dup/stats-by-day.csv", dir), &schema_stats_by_day, 0);
}

/* ---- the descriptions ---- */

/* Keys name columns of their tables, no name comes twice, and no text would break a line of roff. */
static void check_names(const char *names, const struct table_schema *schema)
{
    for (const char *at = names; *at; at += strcspn(at, ",") + (at[strcspn(at, ",")] == ',')) {
        bool found = false;
        for (size_t c = 0; c < schema->columns_count; c++)
            found |= strlen(schema->columns[c].name) == strcspn(at, ",") &&
                     strncmp(schema->columns[c].name, at, strcspn(at, ",")) == 0;
        if (!found)
            fail_msg("%s has no column %.*s", schema->name, (int)strcspn(at, ","), at);
    }
}

static void test_descriptions(void **state)
{
    (void)state;
    for (const struct table_schema *const *t = schema_all; *t; t++) {
        assert_ptr_equal(schema_find((*t)->name), *t);
        if ((*t)->primary_key)
            check_names((*t)->primary_key, *t);
        for (size_t i = 0; i < SCHEMA_FOREIGN_KEYS && (*t)->foreign_keys[i].table; i++) {
            const struct foreign_key *key = &(*t)->foreign_keys[i];
            check_names(key->columns, *t);
            assert_non_null(schema_find(key->table));
            check_names(key->references, schema_find(key->table));
        }
        for (size_t c = 0; c < (*t)->columns_count; c++) {
            const char *meaning = (*t)->columns[c].meaning;
            assert_true(*meaning && *meaning != '.' && *meaning != '\'' && !strpbrk(meaning, "\\\n"));
            assert_true(meaning[strlen(meaning) - 1] != '.');
            for (size_t d = 0; d < c; d++)
                assert_string_not_equal((*t)->columns[c].name, (*t)->columns[d].name);
        }
    }
    assert_null(schema_find("tdag"));
}

/* Every table's columns stand in some man page (stats by day are those of stats). */
static void test_man_pages(void **state)
{
    (void)state;
    for (const struct table_schema *const *t = schema_all; *t; t++) {
        struct run run = shell("grep -lxF '.\\\" columns %s' cli/man/*.1", (*t)->name);
        if (run.exit_status != 0 && *t != &schema_stats_by_day)
            fail_msg("no man page has the columns of %s", (*t)->name);
        run_free(&run);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dags),      cmocka_unit_test(test_outputs),     cmocka_unit_test(test_stats),
        cmocka_unit_test(test_blocks),    cmocka_unit_test(test_dump),        cmocka_unit_test(test_empty_scripts),
        cmocka_unit_test(test_travel),    cmocka_unit_test(test_equal_txids), cmocka_unit_test(test_descriptions),
        cmocka_unit_test(test_man_pages),
    };
    return cmocka_run_group_tests(tests, set_up, remove_dir);
}
