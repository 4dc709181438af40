/* The whole program against what a node and the chain's maker say: tests/fixtures, and ../shared/fixtures if there. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/index_truth.h"
#include "tests/support/kind_names.h"
#include "tests/support/plan.h"
#include "tests/support/run.h"
#include "tests/support/table.h"
#include "tests/support/node_truth.h"

#define SHARED "../shared/fixtures"

static const char *const rules_list[3] = {"core-0.18", "core-0.19", "core-22"};

/* Every unknown output: kind, value, script and spender. */
static void check_outputs(const struct node_truth *truth, const char *store)
{
    unktx_ok("outputs --store %s --rules core-22 --nulldata -o %s-outputs.csv", store, store);
    struct table got = table_read(path_of("%s-outputs.csv", store));
    bool scripts = strstr(truth->outputs.fields[4], "script") || strstr(truth->outputs.fields[5], "script");
    size_t row = 0;
    for (size_t t = 0; t < truth->txs.rows; t++)
        for (size_t o = truth->first[t]; o < truth->first[t + 1]; o++) {
            if (!node_truth_is_unknown(truth, o))
                continue;
            node_truth_assert_field(&got, row, "height", &truth->txs, t, "height");
            node_truth_assert_field(&got, row, "tx_index", &truth->txs, t, "index");
            node_truth_assert_field(&got, row, "txid", &truth->txs, t, "txid");
            node_truth_assert_field(&got, row, "vout", &truth->outputs, o, "vout");
            node_truth_assert_field(&got, row, "value_sat", &truth->outputs, o, "value_sat");
            node_truth_assert_field(&got, row, "kind", &truth->outputs, o, "type");
            if (scripts)
                node_truth_assert_field(&got, row, "script_hex", &truth->outputs, o, "script_hex");
            node_truth_assert_field(&got, row, "spender_height", &truth->outputs, o, "spent_height");
            node_truth_assert_field(&got, row, "spender_txid", &truth->outputs, o, "spent_by_txid");
            node_truth_assert_field(&got, row, "spender_vin", &truth->outputs, o, "spent_by_vin");
            row++;
        }
    assert_int_equal(got.rows, row);
    table_free(&got);
}

/* Sums of a block by the node: transactions, inputs, outputs, and count and value of each kind. */
struct sums {
    uint64_t txs;
    uint64_t inputs;
    uint64_t outputs;
    uint64_t count[KIND_NAMES];
    uint64_t sat[KIND_NAMES];
};

static struct sums sums_of_block(const struct node_truth *truth, uint64_t height)
{
    struct sums sums = {0};
    size_t height_column = table_column(&truth->txs, "height"), in = table_column(&truth->txs, "n_in");
    size_t value = table_column(&truth->outputs, "value_sat");
    for (size_t t = 0; t < truth->txs.rows; t++) {
        if (table_number(&truth->txs, t, height_column) != height)
            continue;
        sums.txs++;
        sums.inputs += table_number(&truth->txs, t, in);
        sums.outputs += truth->first[t + 1] - truth->first[t];
        for (size_t o = truth->first[t]; o < truth->first[t + 1]; o++)
            for (unsigned k = 0; k < KIND_NAMES; k++)
                if (strcmp(kind_names[k], table_at(&truth->outputs, o, truth->type)) == 0) {
                    sums.count[k]++;
                    sums.sat[k] += table_number(&truth->outputs, o, value);
                }
    }
    return sums;
}

static void assert_sums(const struct table *got, size_t row, const struct sums *sums, bool values)
{
    assert_int_equal(table_number(got, row, table_column(got, "txs")), sums->txs);
    assert_int_equal(table_number(got, row, table_column(got, "inputs")), sums->inputs);
    assert_int_equal(table_number(got, row, table_column(got, "outputs")), sums->outputs);
    for (unsigned k = 0; k < KIND_NAMES; k++) {
        assert_int_equal(table_number(got, row, table_column(got, kind_names[k])), sums->count[k]);
        if (values)
            assert_int_equal(table_number(got, row, table_column(got, path_of("%s_sat", kind_names[k]))), sums->sat[k]);
    }
}

static void check_stats(const struct node_truth *truth, const char *store)
{
    unktx_ok("stats --store %s --by block -o %s-stats.csv", store, store);
    struct table got = table_read(path_of("%s-stats.csv", store));
    struct table blocks = table_read(path_of("%s/truth/blocks.csv", truth->dir));
    assert_int_equal(got.rows, blocks.rows);
    for (size_t b = 0; b < got.rows; b++) {
        struct sums sums = sums_of_block(truth, b);
        node_truth_assert_field(&got, b, "period", &blocks, b, "height");
        assert_sums(&got, b, &sums, true);
    }
    for (unsigned r = 0; r < 3; r++) {
        const char *path = path_of("%s/truth/tdags-%s.json", truth->dir, rules_list[r]);
        if (!path_exists(path))
            continue;
        struct json json = json_open(path);
        uint64_t unknown = table_sum(&got, path_of("unknown_txs_%s", rules_list[r]));
        assert_int_equal(unknown, json_find_number(&json, "unknown_txs"));
        json_close(&json);
    }
    table_free(&blocks);
    table_free(&got);
}

/* `unktx blocks`: one row for each record, the active ones as the node counts them. */
static void check_blocks(const struct node_truth *truth, const char *datadir)
{
    struct run run = unktx("blocks --verify %s", datadir);
    if (run.exit_status != 0 && run.exit_status != 3)
        fail_msg("blocks %s: %d: %s", datadir, run.exit_status, run.err);
    char *path = temp_dir();
    const char *csv = path_of("%s/blocks.csv", path);
    write_file(csv, run.out, run.out_size);
    run_free(&run);
    struct table got = table_read(csv), blocks = table_read(path_of("%s/truth/blocks.csv", truth->dir));
    size_t state = table_column(&got, "state"), verdict = got.columns - 1;
    bool *seen = must_alloc(blocks.rows, 1);
    for (size_t r = 0; r < got.rows; r++) {
        assert_string_equal(table_at(&got, r, verdict), "ok");
        uint64_t height = table_number(&got, r, table_column(&got, "height"));
        if (strcmp(table_at(&got, r, state), "active") != 0)
            continue;
        assert_true(height < blocks.rows);
        node_truth_assert_field(&got, r, "hash", &blocks, height, "hash");
        struct sums sums = sums_of_block(truth, height);
        assert_sums(&got, r, &sums, false);
        seen[height] = true;
    }
    for (size_t b = 0; b < blocks.rows; b++)
        assert_true(seen[b]);
    free(seen);
    table_free(&got);
    table_free(&blocks);
    remove_tree(path);
    free(path);
}

/* All of it for one chain: `dir` holds truth/, `datadir` the blocks. */
static void check_chain(const char *dir, const char *datadir, const char *scan_more)
{
    char *temp = temp_dir(), store[4096];
    snprintf(store, sizeof store, "%s/store", temp);
    struct node_truth truth = node_truth_read(dir);
    run_on("scan", datadir, store, path_of(" --nulldata store%s", scan_more));
    check_outputs(&truth, store);
    check_stats(&truth, store);
    for (unsigned r = 0; r < 3; r++)
        node_truth_check_tdags(&truth, store, rules_list[r]);
    if (path_exists(path_of("%s/truth/tdags-core-22.json", dir)))
        node_truth_check_members(&truth, path_of("%s-core-22", store));
    unktx_ok("check --store %s", store);
    node_truth_free(&truth);
    remove_tree(temp);
    free(temp);
}

static void check_bundled(const char *name)
{
    char dir[512], datadir[600];
    snprintf(dir, sizeof dir, "tests/fixtures/%s", name);
    snprintf(datadir, sizeof datadir, "%s/regtest", dir);
    check_chain(dir, datadir, "");
    struct node_truth truth = node_truth_read(dir);
    check_blocks(&truth, datadir);
    node_truth_free(&truth);
}

static void test_regtest(void **state)
{
    (void)state;
    check_bundled("regtest-xor");
}
static void test_genesis(void **state)
{
    (void)state;
    check_bundled("genesis");
}
static void test_dup_txid(void **state)
{
    (void)state;
    check_bundled("dup-txid");
}
static void test_crash(void **state)
{
    (void)state;
    check_bundled("crash");
}

/* ---- the node's other chains ---- */

static void check_shared(const char *name, bool pinned)
{
    char dir[512], datadir[600], more[128] = "";
    snprintf(dir, sizeof dir, SHARED "/%s", name);
    if (!path_exists(dir)) {
        print_message("skipped: no %s here, so not compared with its node's answers\n", dir);
        skip();
    }
    if (pinned) {
        struct json json = json_open(path_of("%s/truth/chain.json", dir));
        snprintf(more, sizeof more, " --tip %s", json_find(&json, "tip_hash"));
        json_close(&json);
    }
    snprintf(datadir, sizeof datadir, "%s/regtest", dir);
    check_chain(dir, datadir, more);
}

static void test_shared_xor(void **state)
{
    (void)state;
    check_shared("regtest-xor", false);
}
static void test_shared_padding(void **state)
{
    (void)state;
    check_shared("extras/padding", false);
}
static void test_shared_tie(void **state)
{
    (void)state;
    check_shared("extras/tie", false);
}
static void test_shared_invalid(void **state)
{
    (void)state;
    check_shared("extras/invalid", true);
}
static void test_shared_crash(void **state)
{
    (void)state;
    check_shared("extras/crash", false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_regtest),    cmocka_unit_test(test_genesis),        cmocka_unit_test(test_dup_txid),
        cmocka_unit_test(test_crash),      cmocka_unit_test(test_shared_xor),     cmocka_unit_test(test_shared_padding),
        cmocka_unit_test(test_shared_tie), cmocka_unit_test(test_shared_invalid), cmocka_unit_test(test_shared_crash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
