/* A partial store says that it is one wherever something is told of it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "tests/support/command.h"
#include "tests/support/dir.h"
#include "tests/support/run.h"
#include "tests/support/table.h"

#define FIXTURE "tests/fixtures/regtest-xor"

static void expect(int status, const char *line)
{
    struct run run = command_run("%s", line);
    if (run.exit_status != status)
        fail_msg("unktx %s: %d: %s", line, run.exit_status, run.err);
    run_free(&run);
}

static void expect_text(const char *text, const char *line)
{
    struct run run = command_run("%s", line);
    if (run.exit_status != 0 || !strstr(run.out, text))
        fail_msg("unktx %s: %d, no \"%s\" in: %s%s", line, run.exit_status, text, run.out, run.err);
    run_free(&run);
}

/* The folder of analyze of the bundled chain from block 150 on. */
static int set_up(void **state)
{
    make_dir(state);
    expect(0, path_of("analyze --quiet --datadir %s -o %s/out --from-height 150", FIXTURE, dir));
    return 0;
}

static void test_tables(void **state)
{
    (void)state;
    const char *const tables[] = {"tdags",   "classes", "txs",  "arcs",   "leaves", "outputs",     "stats",
                                  "unlocks", "keys",    "ties", "groups", "hashes", "stats-by-day"};
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        struct table table = table_read(path_of("%s/out/%s.csv", dir, tables[i]));
        assert_string_equal(table.fields[table.columns - 1], "partial");
        assert_true(table.rows > 0);
        for (size_t row = 0; row < table.rows; row++)
            assert_string_equal(table_at(&table, row, table.columns - 1), "150");
        table_free(&table);
    }
    struct json json = json_open(path_of("%s/out/datapackage.json", dir));
    assert_non_null(strstr(json_find(&json, "title"), "(partial) from block 150"));
    (void)json_find(&json, "partial");
    assert_int_equal(json_find_number(&json, "first_height"), 150);
    json_close(&json);
}

static void test_pages(void **state)
{
    (void)state;
    size_t size;
    char *report = read_file(path_of("%s/out/report.html", dir), &size);
    assert_non_null(strstr(report, "<strong>Partial:</strong> the chain from block 150 on"));
    free(report);
    expect_text("partial, from block 150 on: roots that may not be roots", path_of("show --store %s/out --dag 1", dir));
    expect_text("\n  partial=150;\n", path_of("show --store %s/out --dag 1 --format dot", dir));
    expect_text("maybe_root=", path_of("show --store %s/out --dag 1 --format dot", dir));
    expect_text("<data key=\"partial\">150</data>", path_of("show --store %s/out --dag 1 --format graphml", dir));
    expect_text("<data key=\"maybe_root\">", path_of("show --store %s/out --dag 1 --format graphml", dir));
    expect_text("of the chain from block 150 on</desc", path_of("show --store %s/out --dag 1 --format gexf", dir));
    expect_text("for=\"maybe_root\"", path_of("show --store %s/out --dag 1 --format gexf", dir));
    expect_text(", partial, from block 150 on</title>", path_of("show --store %s/out --dag 1 --format svg", dir));
}

/* txs.csv and nodes-transactions.csv have as many. */
static void expect_same_maybe_roots(void)
{
    struct table txs = table_read(path_of("%s/out/txs.csv", dir));
    struct table nodes = table_read(path_of("%s/neo4j/nodes-transactions.csv", dir));
    size_t counts[2] = {0};
    for (size_t row = 0; row < txs.rows; row++)
        counts[0] += strcmp(table_get(&txs, row, "maybe_root"), "1") == 0;
    for (size_t row = 0; row < nodes.rows; row++)
        counts[1] += strcmp(table_get(&nodes, row, "maybe_root:boolean"), "true") == 0;
    assert_true(counts[0] > 0);
    assert_int_equal(counts[1], counts[0]);
    table_free(&txs);
    table_free(&nodes);
}

static void test_graph(void **state)
{
    (void)state;
    expect(0, path_of("export neo4j --store %s/out -o %s/neo4j", dir, dir));
    const char *const graph[] = {"nodes-transactions", "nodes-outputs", "nodes-classes", "relationships-spends"};
    for (size_t i = 0; i < sizeof graph / sizeof *graph; i++) {
        struct table table = table_read(path_of("%s/neo4j/%s.csv", dir, graph[i]));
        assert_string_equal(table.fields[table.columns - 2], "partial:long");
        for (size_t row = 0; row < table.rows; row++)
            assert_string_equal(table_at(&table, row, table.columns - 2), "150");
        table_free(&table);
    }
    expect_same_maybe_roots();
}

static void test_texts(void **state)
{
    (void)state;
    expect_text("regtest (partial) from height 150 to height 260", path_of("dags --store %s/out", dir));
    expect_text("partial 150\n", path_of("check --store %s/out", dir));
    struct table txs = table_read(path_of("%s/out/txs.csv", dir));
    expect_text("partial, from block 150 on: inputs made before ",
                path_of("show --store %s/out %s", dir, table_get(&txs, 0, "txid")));
    expect_text("\"partial\":150,\"inputs_before\":",
                path_of("show --format json --store %s/out %s", dir, table_get(&txs, 0, "txid")));
    expect_text(",\"partial\":150}\n", path_of("find --format json --store %s/out %s", dir, table_get(&txs, 0, "dag")));
    table_free(&txs);
    struct run run = command_run("outputs --store %s/out", dir);
    assert_non_null(strstr(run.err, "partial: the chain from height 150 on"));
    run_free(&run);
    /* The next store of the same process is whole. */
    expect(0, path_of("scan --quiet --datadir %s --store %s/whole", FIXTURE, dir));
    run = command_run("outputs --store %s/whole", dir);
    assert_null(strstr(run.err, "partial"));
    assert_null(strstr(run.out, ",partial\n"));
    run_free(&run);
}

int main(void)
{
    temp_dir_in_memory();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tables),
        cmocka_unit_test(test_pages),
        cmocka_unit_test(test_graph),
        cmocka_unit_test(test_texts),
    };
    return cmocka_run_group_tests(tests, set_up, remove_dir);
}
