/* --rules hidden of the commands that have it: what they show is what `unktx hidden --list` has the spenders show
 * (tests/hidden.sh holds that, and `dags`, against a reading in Python), each says that it is no rule of Core, and what
 * cannot have it says what can. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/command.h"
#include "tests/support/dir.h"
#include "tests/support/markup.h"
#include "tests/support/table.h"
#include "tests/support/web.h"

#define NO_RULE "no rule of Core"

static int begin(void **state)
{
    make_dir(state);
    copy_bundled_chain(path_of("%s/node", dir));
    unktx_ok("index --quiet --datadir %s/node --store %s/store", dir, dir);
    unktx_ok("scan --quiet --datadir %s/node --store %s/store", dir, dir);
    unktx_ok("hidden --quiet --dags --list --kind nonstandard --store %s/store -o %s/shown.csv", dir, dir);
    unktx_ok("dags --rules hidden --store %s/store -o %s/dags", dir, dir);
    return 0;
}

/* What the command prints; it says what the rule set is. */
static char *said_by(const char *line)
{
    struct run run = command_run("%s", line);
    if (run.exit_status != 0)
        fail_msg("%s: %s", line, run.err);
    assert_non_null(strstr(run.err, NO_RULE));
    char *out = run.out;
    free(run.err);
    return out;
}

/* The row of `table` whose columns have these values, or rows. */
static size_t row_of(const struct table *table, const char *first, const char *a, const char *second, const char *b)
{
    size_t row = 0, c = table_column(table, first), d = table_column(table, second);
    while (row < table->rows && (strcmp(table_at(table, row, c), a) != 0 || strcmp(table_at(table, row, d), b) != 0))
        row++;
    return row;
}

static bool has_address(const char *kind)
{
    return strcmp(kind, "scripthash") == 0 || strncmp(kind, "witness_", 8) == 0;
}

/* Those of core-22, and those whose spender is in the list: no other, none twice. */
static void outputs_are_those_shown(void **state)
{
    (void)state;
    struct table shown = table_read(path_of("%s/shown.csv", dir));
    free(said_by(path_of("outputs --rules hidden --store %s/store -o %s/outputs.csv", dir, dir)));
    unktx_ok("outputs --rules core-22 --store %s/store -o %s/core.csv", dir, dir);
    struct table outputs = table_read(path_of("%s/outputs.csv", dir)), core = table_read(path_of("%s/core.csv", dir));
    size_t met = 0, known = 0;
    for (size_t r = 0; r < outputs.rows; r++) {
        if (!has_address(table_get(&outputs, r, "kind"))) {
            assert_string_equal(table_get(&outputs, r, "txid"), table_get(&core, known, "txid"));
            assert_string_equal(table_get(&outputs, r, "vout"), table_get(&core, known++, "vout"));
            continue;
        }
        size_t at = row_of(&shown, "spent_txid", table_get(&outputs, r, "txid"), "spent_vout",
                           table_get(&outputs, r, "vout"));
        assert_true(at < shown.rows);
        assert_string_equal(table_get(&outputs, r, "spender_txid"), table_get(&shown, at, "txid"));
        assert_string_equal(table_get(&outputs, r, "spender_vin"), table_get(&shown, at, "vin"));
        met++;
    }
    assert_int_equal(known, core.rows);
    for (size_t r = 0; r < shown.rows; r++)
        assert_true(row_of(&outputs, "txid", table_get(&shown, r, "spent_txid"), "vout",
                           table_get(&shown, r, "spent_vout")) < outputs.rows);
    assert_true(met > 50);
    free(said_by(path_of("templates --rules hidden --store %s/store -o %s/templates.csv", dir, dir)));
    struct table templates = table_read(path_of("%s/templates.csv", dir));
    assert_int_equal(table_sum(&templates, "outputs"), outputs.rows);
    table_free(&templates);
    table_free(&core);
    table_free(&outputs);
    table_free(&shown);
}

static uint64_t rows_with(const struct table *table, const char *column, const char *value)
{
    size_t c = table_column(table, column);
    uint64_t count = 0;
    for (size_t r = 0; r < table->rows; r++)
        count += strcmp(table_at(table, r, c), value) == 0;
    return count;
}

/* Every input of a T-DAG's transaction spends an unknown output of it, or has a payer. */
static void every_input_is_told(void **state)
{
    (void)state;
    struct table txs = table_read(path_of("%s/dags/txs.csv", dir)), arcs = table_read(path_of("%s/dags/arcs.csv", dir)),
                 payers = table_read(path_of("%s/dags/payers.csv", dir));
    assert_true(payers.rows > 0);
    for (size_t r = 0; r < txs.rows; r++) {
        const char *txid = table_get(&txs, r, "txid");
        bool coinbase = strcmp(table_get(&txs, r, "tx_index"), "0") == 0;
        assert_int_equal(rows_with(&arcs, "to_txid", txid),
                         table_number(&txs, r, table_column(&txs, "unknown_inputs")));
        assert_int_equal(rows_with(&payers, "txid", txid) + coinbase,
                         table_number(&txs, r, table_column(&txs, "known_inputs")));
    }
    char *said = said_by(path_of("flows --rules hidden --store %s/store", dir));
    assert_non_null(strstr(said, path_of("payers %zu,", payers.rows)));
    free(said);
    table_free(&payers);
    table_free(&arcs);
    table_free(&txs);
}

/* The first output with an address that is in a T-DAG; all three are the caller's to free. */
static void pick(char **txid, char **dag, char **script)
{
    struct table outputs = table_read(path_of("%s/outputs.csv", dir));
    size_t r = 0;
    while (!has_address(table_get(&outputs, r, "kind")) || !*table_get(&outputs, r, "dag"))
        r++;
    *txid = strdup(table_get(&outputs, r, "txid"));
    *dag = strdup(table_get(&outputs, r, "dag"));
    *script = strdup(table_get(&outputs, r, "script_hex"));
    table_free(&outputs);
}

/* show, tx and find tell of the T-DAG that the tables have. */
static void a_transaction_is_in_the_tables_tdag(void **state)
{
    (void)state;
    char *txid, *dag, *script;
    pick(&txid, &dag, &script);
    const char *line = path_of("    hidden (" NO_RULE "): T-DAG %s, ", dag);
    char *said = said_by(path_of("show %s --rules hidden --store %s/store", txid, dir));
    assert_non_null(strstr(said, line));
    assert_non_null(strstr(said, ", unknown in hidden\n"));
    free(said);
    said = said_by(path_of("tx %s --rules hidden --store %s/store", txid, dir));
    assert_non_null(strstr(said, line));
    free(said);
    struct run run = command_run("tx %s --store %s/store", txid, dir);
    assert_int_equal(run.exit_status, 0);
    assert_null(strstr(run.out, "hidden"));
    run_free(&run);
    said = said_by(path_of("show --dag %s --rules hidden --store %s/store", dag, dir));
    struct table tdags = table_read(path_of("%s/dags/tdags.csv", dir));
    size_t r = row_of(&tdags, "dag", dag, "dag", dag);
    assert_true(r < tdags.rows);
    assert_non_null(strstr(said, path_of("T-DAG %s, number %s of rules hidden: %s,", dag,
                                         table_get(&tdags, r, "dag_id"), table_get(&tdags, r, "family"))));
    assert_non_null(strstr(said, path_of("nodes %s, edges %s, roots %s,", table_get(&tdags, r, "nodes"),
                                         table_get(&tdags, r, "edges"), table_get(&tdags, r, "roots"))));
    table_free(&tdags);
    free(said);
    said = said_by(path_of("find %s --rules hidden --format csv --store %s/store", script, dir));
    assert_non_null(strstr(said, path_of("output,script,%s,", txid)));
    assert_non_null(strstr(said, dag));
    free(said);
    free(script);
    free(dag);
    free(txid);
}

/* The page and the graph have the numbers of the T-DAGs' table. */
static void pages_say_what_it_is(void **state)
{
    (void)state;
    struct table tdags = table_read(path_of("%s/dags/tdags.csv", dir));
    free(said_by(path_of("report --rules hidden --no-unlocks --store %s/store -o %s/report.html", dir, dir)));
    size_t size;
    char *page = read_file(path_of("%s/report.html", dir), &size);
    assert_non_null(strstr(page, "rules hidden (" NO_RULE ")"));
    const char *row = strstr(page, "<tr><th scope=\"row\">hidden</th>");
    assert_non_null(row);
    const char *cell = strstr(row, path_of("<td class=\"n\">%zu</td>", tdags.rows));
    assert_non_null(cell);
    assert_true(cell < strstr(row, "</tr>"));
    free(page);
    free(said_by(path_of("export edges --rules hidden --store %s/store -o %s/edges", dir, dir)));
    struct table edges = table_read(path_of("%s/edges/edges.csv", dir));
    assert_int_equal(edges.rows, table_sum(&tdags, "edges"));
    struct json json = json_open(path_of("%s/edges/datapackage.json", dir));
    assert_string_equal(json_find(&json, "rules"), "hidden");
    json_close(&json);
    table_free(&edges);
    table_free(&tdags);
}

/* The menu has it where its store is there, also where another rule set was asked for. */
static void explore_has_it_in_the_menu(void **state)
{
    (void)state;
    struct table tdags = table_read(path_of("%s/dags/tdags.csv", dir));
    struct web web = web_start("--store %s/store --rules core-0.19", dir);
    char *page = web_body(&web, "/core-0.18/");
    assert_non_null(strstr(page, "<a href=\"/hidden/\">hidden</a>"));
    assert_null(strstr(page, "hidden is " NO_RULE));
    free(page);
    page = web_body(&web, "/hidden/");
    assert_well_formed(page);
    assert_non_null(strstr(page, "hidden is " NO_RULE));
    assert_non_null(strstr(page, path_of("<dt>T-DAGs</dt><dd>%zu</dd>", tdags.rows)));
    free(page);
    page = web_body(&web, "/hidden/tdags.csv");
    assert_int_equal(count_of(page, "\n"), 1 + tdags.rows);
    free(page);
    page = web_body(&web, "/hidden/tdag/%s", table_get(&tdags, 0, "dag"));
    assert_well_formed(page);
    assert_non_null(strstr(page, "is not told of the rule set hidden"));
    assert_non_null(strstr(page, "--rules hidden"));
    assert_null(strstr(page, "store/hidden"));
    free(page);
    for (uint32_t height = 0; height < 3; height++) {
        page = web_body(&web, "/hidden/block/%u", 22 + (unsigned)height);
        assert_well_formed(page);
        free(page);
    }
    struct answer answer = web_get(&web, "/hidden/groups");
    assert_int_equal(answer.status, 404);
    assert_non_null(strstr(answer.body, "is not told of the rule set hidden"));
    answer_free(&answer);
    /* and no page leads to such an answer */
    static const char *const of_core[] = {"groups", "tdags?sort=group", "tdags?group=0123"};
    for (size_t i = 0; i < sizeof of_core / sizeof *of_core; i++) {
        page = web_body(&web, "/core-22/%s", of_core[i]);
        assert_non_null(strstr(page, "<a href=\"/hidden/tdags\">hidden</a>"));
        free(page);
    }
    assert_int_equal(web_stop(&web), 130);
    table_free(&tdags);
}

static void expect_said(int exit_status, const char *why, const char *line)
{
    struct run run = command_run("%s", line);
    assert_int_equal(run.exit_status, exit_status);
    if (!strstr(run.err, why))
        fail_msg("no '%s' in: %s", why, run.err);
    run_free(&run);
}

static void what_cannot_says_what_can(void **state)
{
    (void)state;
    static const char *const without[] = {"keys", "ties", "unlocks", "travel 00", "analyze"};
    static const char *const with[] = {"outputs", "templates", "flows",        "report",       "explore",
                                       "tx 0000", "find 00",   "show --dag 1", "export sqlite"};
    for (size_t i = 0; i < sizeof without / sizeof *without; i++)
        expect_said(2, NO_RULE ", is for dags, outputs, ", path_of("%s --rules hidden", without[i]));
    for (size_t i = 0; i < sizeof with / sizeof *with; i++) {
        expect_said(1, "name the store that it lies in",
                    path_of("%s --rules hidden --store %s/store/hidden", with[i], dir));
        expect_said(1, "unktx hidden --dags", path_of("%s --rules hidden --store %s/bare", with[i], dir));
    }
    expect_said(0, "is a store of the rule set hidden", path_of("show --dag 1 --store %s/store/hidden", dir));
}

/* A hidden store that knows more blocks than the store around it would tell of what the store has not. */
static void one_that_goes_further_is_refused(void **state)
{
    (void)state;
    unktx_ok("scan --quiet --datadir %s/node --to-height 100 --store %s/short", dir, dir);
    struct run run = shell("cp -r %s/store/hidden %s/short/hidden", dir, dir);
    assert_int_equal(run.exit_status, 0);
    run_free(&run);
    expect_said(1, "the store that it lies in at block 100", path_of("outputs --rules hidden --store %s/short", dir));
    expect_said(1, "the store that it lies in at block 100", path_of("dags --rules hidden --store %s/short", dir));
}

/* What is to be done is to be done to the store that has the note and the index: a scan into the other one would be no
 * store of this rule set any more. */
static void the_way_out_names_the_store_around(void **state)
{
    (void)state;
    char *txid, *dag, *script;
    pick(&txid, &dag, &script);
    const char *node = path_of("%s/node", dir), *away = path_of("%s/away", dir);
    assert_int_equal(rename(node, away), 0);
    expect_said(3, path_of("%s/store: the blk files are not", dir),
                path_of("show %s --scripts --rules hidden --store %s/store", txid, dir));
    assert_int_equal(rename(away, node), 0);
    free(script);
    free(dag);
    free(txid);
}

static bool menu_has_it(void)
{
    struct web web = web_start("--store %s", dir);
    char *page = web_body(&web, "/core-0.18/");
    bool has = strstr(page, "<a href=\"/hidden/\">hidden</a>") != NULL;
    free(page);
    assert_int_equal(web_stop(&web), 130);
    return has;
}

/* In a folder of tables the pages are as of their last block: so is the rule set, or it is left out. */
static void the_menu_is_of_one_block(void **state)
{
    (void)state;
    unktx_ok("dags --no-unlocks --to-height 250 --store %s/store -o %s", dir, dir);
    assert_false(menu_has_it());
    unktx_ok("hidden --quiet --dags --to-height 250 --store %s/store -o %s/rows.csv", dir, dir);
    assert_true(menu_has_it());
}

/* A transaction above the last block of the rule set's store is in the chain, and how to go on is said; so is one above
 * --to-height. */
static void what_comes_later_is_told(void **state)
{
    (void)state;
    unktx_ok("hidden --quiet --dags --to-height 250 --store %s/store -o %s/rows.csv", dir, dir);
    struct run run = command_run("tx --format json 260 --store %s/store", dir);
    const char *at = run.out ? strstr(run.out, "\"txid\":") : NULL;
    char txid[65];
    assert_non_null(at);
    assert_int_equal(sscanf(at, "\"txid\":\"%64[0-9a-f]", txid), 1);
    run_free(&run);
    const char *line = path_of("show %s --store %s/store --rules hidden", txid, dir);
    expect_said(1, "is in block 260, and what is shown ends at block 250; the rule set hidden ends there", line);
    expect_said(1, "'unktx hidden --dags' bring it on", line);
    expect_said(1, "nothing under hidden up to block 250 has",
                path_of("find %s --store %s/store --rules hidden", txid, dir));
    expect_said(1, "in block 260, and what is shown ends at block 100; --to-height",
                path_of("show %s --store %s/store --to-height 100", txid, dir));
    expect_said(1, "no transaction of the chain", path_of("show %064d --store %s/store --rules hidden", 0, dir));
    unktx_ok("show %s --store %s/store", txid, dir);
    unktx_ok("hidden --quiet --dags --store %s/store -o %s/rows.csv", dir, dir);
    free(said_by(path_of("show %s --store %s/store --rules hidden", txid, dir)));
}

/* What is taken over from tables of this rule set is said, and that its store has gone on since. */
static void a_folder_of_its_tables_is_told(void **state)
{
    (void)state;
    unktx_ok("hidden --quiet --dags --to-height 250 --store %s/store -o %s/rows.csv", dir, dir);
    unktx_ok("dags --rules hidden --compress --replace --store %s/store -o %s", dir, dir);
    const char *line = path_of("dags --store %s", dir);
    expect_said(0, path_of("as in the tables of %s: --rules hidden --compress\n", dir), line);
    unktx_ok("hidden --quiet --dags --store %s/store -o %s/rows.csv", dir, dir);
    expect_said(0, "--rules hidden --compress; this is to block 260, the tables end with block 250\n", line);
}

static int make_bare(void **state)
{
    (void)state;
    unktx_ok("scan --quiet --datadir %s/node --store %s/bare", dir, dir);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outputs_are_those_shown),
        cmocka_unit_test(every_input_is_told),
        cmocka_unit_test(a_transaction_is_in_the_tables_tdag),
        cmocka_unit_test(pages_say_what_it_is),
        cmocka_unit_test(explore_has_it_in_the_menu),
        cmocka_unit_test_setup(what_cannot_says_what_can, make_bare),
        cmocka_unit_test(one_that_goes_further_is_refused),
        cmocka_unit_test(the_way_out_names_the_store_around),
        cmocka_unit_test(what_comes_later_is_told),
        cmocka_unit_test(the_menu_is_of_one_block),
        cmocka_unit_test(a_folder_of_its_tables_is_told),
    };
    return cmocka_run_group_tests(tests, begin, remove_dir);
}
