/* unktx flows, and dags with an index, against what a node says: tests/fixtures, and ../shared/fixtures if there; and
 * what both do where the index is not what they need. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "parser/address.h"
#include "tests/support/chaingen.h"
#include "tests/support/index_truth.h"
#include "tests/support/markup.h"
#include "tests/support/plan.h"

/* The address that the node's script gives, where the fixture has the script. */
static void assert_address(const struct truth *truth, size_t output, const char *got)
{
    bool has_address = strcmp(table_at(&truth->outputs, output, truth->has_address), "1") == 0;
    assert_int_equal(*got != '\0', has_address);
    for (size_t c = 0; has_address && c < truth->outputs.columns; c++) {
        if (strcmp(truth->outputs.fields[c], "script_hex") != 0)
            continue;
        const char *hex = table_at(&truth->outputs, output, c);
        uint8_t script[64];
        char text[ADDRESS_SIZE_MAX + 1];
        unsigned byte;
        size_t size = strlen(hex) / 2;
        if (size == 0)
            return;
        assert_true(size <= sizeof script);
        for (size_t i = 0; i < size; i++) {
            assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
            script[i] = (uint8_t)byte;
        }
        *address_put(text, network_by_name("regtest"), script, size) = '\0';
        assert_string_equal(got, text);
    }
}

/* Rows of payers.csv and payees.csv under core-22, where unknown is what has no address: every transaction of txs.csv,
 * input by input and output by output. Which T-DAG it is in is test_truth's. */
static void check_flow_rows(const struct truth *truth, const char *dir)
{
    struct table txs = table_read(path_of("%s/txs.csv", dir)), payers = table_read(path_of("%s/payers.csv", dir));
    struct table payees = table_read(path_of("%s/payees.csv", dir));
    size_t in = 0, out = 0;
    for (size_t r = 0; r < txs.rows; r++) {
        size_t tx = truth_find_tx(truth, table_get(&txs, r, "txid"));
        for (size_t i = truth->first_input[tx]; i < truth->first_input[tx + 1]; i++) {
            size_t o = truth->spent[i];
            if (o == NO_OUTPUT || strcmp(table_at(&truth->outputs, o, truth->has_address), "0") == 0)
                continue;
            assert_true(in < payers.rows);
            assert_string_equal(table_get(&payers, in, "dag_id"), table_get(&txs, r, "dag_id"));
            assert_string_equal(table_get(&payers, in, "txid"), truth_txid(truth, tx));
            assert_int_equal(table_number(&payers, in, table_column(&payers, "vin")), truth_vin(truth, i));
            assert_string_equal(table_get(&payers, in, "from_txid"), truth_txid(truth, truth->output_tx[o]));
            assert_string_equal(table_get(&payers, in, "from_vout"), truth_vout(truth, o));
            assert_int_equal(table_number(&payers, in, table_column(&payers, "value_sat")), truth_value(truth, o));
            assert_string_equal(table_get(&payers, in, "kind"), truth_kind(truth, o));
            assert_address(truth, o, table_get(&payers, in++, "address"));
        }
        for (size_t o = truth->first_output[tx]; o < truth->first_output[tx + 1]; o++) {
            if (strcmp(table_at(&truth->outputs, o, truth->has_address), "0") == 0)
                continue;
            assert_true(out < payees.rows);
            assert_string_equal(table_get(&payees, out, "dag_id"), table_get(&txs, r, "dag_id"));
            assert_string_equal(table_get(&payees, out, "txid"), truth_txid(truth, tx));
            assert_string_equal(table_get(&payees, out, "vout"), truth_vout(truth, o));
            assert_int_equal(table_number(&payees, out, table_column(&payees, "value_sat")), truth_value(truth, o));
            assert_string_equal(table_get(&payees, out, "kind"), truth_kind(truth, o));
            assert_string_equal(table_get(&payees, out, "spent"), truth->spender[o] == NO_OUTPUT ? "0" : "1");
            assert_address(truth, o, table_get(&payees, out++, "address"));
        }
    }
    assert_int_equal(in, payers.rows);
    assert_int_equal(out, payees.rows);
    table_free(&txs);
    table_free(&payers);
    table_free(&payees);
}

/* What is paid into a T-DAG, and created in it by coinbases, is what its leaves hold and what went in fees. */
static void check_flow_sums(const struct truth *truth, const char *dir)
{
    struct table dags = table_read(path_of("%s/tdags.csv", dir)), txs = table_read(path_of("%s/txs.csv", dir));
    uint64_t *created = must_alloc(dags.rows + 1, sizeof *created), *fees = must_alloc(dags.rows + 1, sizeof *fees);
    size_t fee = table_column(&truth->txs, "fee_sat");
    for (size_t r = 0; r < txs.rows; r++) {
        size_t tx = truth_find_tx(truth, table_get(&txs, r, "txid"));
        size_t dag = table_number(&txs, r, table_column(&txs, "dag_id"));
        created[dag] += truth_is_coinbase(truth, tx) ? truth_value_out(truth, tx) : 0;
        fees[dag] += table_number(&truth->txs, tx, fee);
    }
    for (size_t d = 0; d < dags.rows; d++) {
        uint64_t paid = table_number(&dags, d, table_column(&dags, "payer_value_sat"));
        uint64_t leaves = table_number(&dags, d, table_column(&dags, "leaf_value_sat"));
        assert_int_equal(table_number(&dags, d, table_column(&dags, "fee_sat")), fees[d + 1]);
        assert_int_equal(paid + created[d + 1], leaves + fees[d + 1]);
    }
    free(created);
    free(fees);
    table_free(&dags);
    table_free(&txs);
}

/* tdags.csv is the same but for the two columns of an index. */
static void assert_same_dags(const char *with, const char *without)
{
    struct table a = table_read(path_of("%s/tdags.csv", with)), b = table_read(path_of("%s/tdags.csv", without));
    assert_int_equal(a.rows, b.rows);
    assert_int_equal(a.columns, b.columns + 2);
    for (size_t r = 0; r < a.rows; r++)
        for (size_t c = 0; c < b.columns; c++)
            assert_string_equal(table_at(&a, r, table_column(&a, b.fields[c])), table_at(&b, r, c));
    table_free(&a);
    table_free(&b);
    static const char *const files[] = {"classes.csv", "txs.csv", "arcs.csv", "leaves.csv", "summary.json"};
    for (size_t f = 0; f < sizeof files / sizeof *files; f++) {
        assert_same_file(path_of("%s/%s", with, files[f]), path_of("%s/%s", without, files[f]));
    }
}

static void check_flows(const struct truth *truth, const char *store, const char *alone)
{
    static const char *const rules[] = {"core-0.18", "core-0.19", "core-22"};
    for (size_t r = 0; r < 3; r++) {
        char with[4096], without[4096], flows[4096];
        snprintf(with, sizeof with, "%s-with", store);
        snprintf(without, sizeof without, "%s-without", store);
        snprintf(flows, sizeof flows, "%s-flows", store);
        unktx_ok("dags --replace --store %s --rules %s -o %s", store, rules[r], with);
        unktx_ok("dags --replace --store %s --rules %s -o %s", alone, rules[r], without);
        unktx_ok("flows --replace --store %s --rules %s -o %s --threads 1", store, rules[r], flows);
        assert_same_dags(with, without);
        assert_same_file(path_of("%s/payers.csv", with), path_of("%s/payers.csv", flows));
        assert_same_file(path_of("%s/payees.csv", with), path_of("%s/payees.csv", flows));
        assert_false(path_exists(path_of("%s/payers.csv", without)));
        check_flow_sums(truth, with);
        if (r == 2)
            check_flow_rows(truth, with);
    }
}

/* ---- chains ---- */

static void test_chain(void **state)
{
    struct truth_case made = truth_begin(*state);
    char alone[600];
    snprintf(alone, sizeof alone, "%s/alone", made.temp);
    run_on("scan", made.datadir, alone, made.more);
    check_flows(&made.truth, made.store, alone);
    truth_end(&made);
}

/* An index that ends below the store serves neither flows nor dags; once brought up to date it does. */
static void test_lower_index(void **state)
{
    (void)state;
    char *temp = temp_dir();
    const char *datadir = "tests/fixtures/regtest-xor/regtest";
    run_on("scan", datadir, temp, "");
    run_on("index", datadir, temp, " --to-height 200");
    expect_error(1, "run 'unktx index'", path_of("flows --store %s -o %s-out", temp, temp));
    expect_error(0, "payers and payees are left out", path_of("dags --store %s -o %s-out", temp, temp));
    assert_false(path_exists(path_of("%s-out/payers.csv", temp)));
    run_on("index", datadir, temp, "");
    unktx_ok("dags --store %s -o %s-out", temp, temp);
    assert_true(path_exists(path_of("%s-out/payers.csv", temp)));
    remove_tree(path_of("%s-out", temp));
    remove_tree(temp);
    free(temp);
}

/* The index that is there is taken on with the store, but no more is taken back than a user asks for. */
static void test_analyze_with_lower_index(void **state)
{
    (void)state;
    char *temp = temp_dir();
    const char *datadir = "tests/fixtures/regtest-xor/regtest";
    run_on("index", datadir, path_of("%s/store", temp), " --to-height 200");
    unktx_ok("analyze --datadir %s -o %s", datadir, temp);
    assert_true(path_exists(path_of("%s/payers.csv", temp)));
    unktx_ok("flows --store %s/store -o %s/flows", temp, temp);
    unktx_ok("analyze --datadir %s -o %s --to-height 100", datadir, temp);
    struct run run = unktx_expect(0, "check --store %s/store", temp);
    assert_non_null(strstr(run.out, "height 260")); /* of the index */
    run_free(&run);
    remove_tree(temp);
    free(temp);
}

/* Of a chain whose block 151 is not valid there can be no index above, though the scan takes it. The tables and the
 * page each do without payers and payees; why is said once. */
static void test_analyze_above_index(void **state)
{
    (void)state;
    static const char datadir[] = "../shared/fixtures/extras/invalid";
    if (!path_exists(datadir)) {
        print_message("skipped: no %s here, so no index that ends below its store\n", datadir);
        return;
    }
    char *temp = temp_dir();
    struct run run = unktx_expect(3, "analyze --index --datadir %s -o %s", datadir, temp);
    assert_int_equal(count_of(run.err, "run 'unktx index'"), 1);
    assert_int_equal(count_of(run.err, "payers and payees are left out"), 2);
    run_free(&run);
    remove_tree(temp);
    free(temp);
}

/* Output 0 of this coinbase, of height 10, is spent at 163: an index that ends below does not know it, and each command
 * that asks the index alone says so. Once it is up to date, none does. */
static void test_index_alone(void **state)
{
    (void)state;
    static const char txid[] = "43c0d23d0297c642d8cb2599fe783465cef6374a43474a7c53084944a51290ef";
    char *temp = temp_dir();
    const char *datadir = "tests/fixtures/regtest-xor/regtest";
    static const char *const commands[] = {
        "tx --store %s %s",        "tx --format json --store %s %s", "travel --store %s %s --depth 1",
        "dump outputs --store %s", "dump inputs --store %s",         "hidden --store %s"};
    enum { COUNT = sizeof commands / sizeof *commands };
    char lines[COUNT][300];
    for (size_t i = 0; i < COUNT; i++)
        snprintf(lines[i], sizeof lines[i], commands[i], temp, txid);
    run_on("scan", datadir, temp, "");
    run_on("index", datadir, temp, " --to-height 150");
    for (size_t i = 0; i < COUNT; i++)
        expect_error(0, "the store's last block (height 260), it ends at height 150", lines[i]);
    for (size_t i = 0; i < 2; i++) { /* no later block can change these */
        struct run run = unktx_expect(0, "%s --store %s --to-height 150", i ? "hidden" : "dump inputs", temp);
        assert_null(strstr(run.err, "last block"));
        run_free(&run);
    }
    run_on("index", datadir, temp, "");
    for (size_t i = 0; i < COUNT; i++) {
        struct run run = unktx_expect(0, "%s", lines[i]);
        assert_null(strstr(run.err, "last block"));
        run_free(&run);
    }
    remove_tree(temp);
    free(temp);
}

/* With the blk files gone, all but the addresses is there. */
static void test_without_blk_files(void **state)
{
    (void)state;
    char *temp = temp_dir(), blocks[4096];
    snprintf(blocks, sizeof blocks, "%s/node/regtest/blocks", temp);
    copy_bundled_chain(path_of("%s/node", temp));
    run_on("scan", path_of("%s/node/regtest", temp), path_of("%s/store", temp), "");
    run_on("index", path_of("%s/node/regtest", temp), path_of("%s/store", temp), "");
    unktx_ok("flows --store %s/store -o %s/one", temp, temp);
    remove_tree(blocks);
    expect_error(3, "addresses are left empty", path_of("flows --store %s/store -o %s/two", temp, temp));
    struct table one = table_read(path_of("%s/one/payers.csv", temp));
    struct table two = table_read(path_of("%s/two/payers.csv", temp));
    assert_int_equal(one.rows, two.rows);
    for (size_t r = 0; r < one.rows; r++) {
        assert_string_equal(table_get(&one, r, "from_txid"), table_get(&two, r, "from_txid"));
        assert_string_equal(table_get(&two, r, "address"), "");
    }
    table_free(&one);
    table_free(&two);
    remove_tree(temp);
    free(temp);
}

/* Thousands of T-DAGs of the smallest transactions there are: the T-DAGs are the same with an index, and in each what
 * is paid in is what its leaves hold and what went in fees. The generator plants no coinbase in a T-DAG. */
static void test_generated(void **state)
{
    (void)state;
    char *temp = temp_dir(), chain[512], with[512], without[512];
    snprintf(chain, sizeof chain, "%s/chain", temp);
    snprintf(with, sizeof with, "%s/with", temp);
    snprintf(without, sizeof without, "%s/without", temp);
    const struct gen_options options = {.dir = chain, .seed = 14, .spends = true};
    print_message("seed %ju\n", (uintmax_t)options.seed);
    struct gen *gen = gen_open(&options);
    gen_tdags(gen, 3000);
    gen_close(gen);
    run_on("scan", chain, with, "");
    run_on("scan", chain, without, "");
    run_on("index", chain, with, " --memory 256M");
    unktx_ok("check --store %s", with);
    unktx_ok("dags --store %s -o %s/a", with, temp);
    unktx_ok("dags --store %s -o %s/b", without, temp);
    snprintf(with, sizeof with, "%s/a", temp);
    snprintf(without, sizeof without, "%s/b", temp);
    assert_same_dags(with, without);
    struct table dags = table_read(path_of("%s/tdags.csv", with));
    assert_true(dags.rows > 2000);
    for (size_t d = 0; d < dags.rows; d++)
        assert_int_equal(table_number(&dags, d, table_column(&dags, "payer_value_sat")),
                         table_number(&dags, d, table_column(&dags, "leaf_value_sat")) +
                             table_number(&dags, d, table_column(&dags, "fee_sat")));
    table_free(&dags);
    remove_tree(temp);
    free(temp);
}

static void test_analyze(void **state)
{
    (void)state;
    char *temp = temp_dir();
    unktx_ok("analyze --quiet --index --memory 256M --datadir tests/fixtures/regtest-xor/regtest -o %s/out", temp);
    assert_true(path_exists(path_of("%s/out/payers.csv", temp)));
    assert_true(path_exists(path_of("%s/out/payees.csv", temp)));
    unktx_ok("tx 1 --store %s/out/store", temp);
    remove_tree(temp);
    free(temp);
}

int main(void)
{
    struct CMUnitTest tests[] = {
        [TRUTH_CHAINS + 0] = cmocka_unit_test(test_lower_index),
        [TRUTH_CHAINS + 1] = cmocka_unit_test(test_without_blk_files),
        [TRUTH_CHAINS + 2] = cmocka_unit_test(test_generated),
        [TRUTH_CHAINS + 3] = cmocka_unit_test(test_analyze),
        [TRUTH_CHAINS + 4] = cmocka_unit_test(test_analyze_with_lower_index),
        cmocka_unit_test(test_analyze_above_index),
        cmocka_unit_test(test_index_alone),
    };
    truth_tests(tests, test_chain);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
