/* The whole program against what a node and the chain's maker say: tests/fixtures, and ../shared/fixtures if there. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/plan.h"
#include "tests/support/run.h"
#include "tests/support/table.h"

#define SHARED "../shared/fixtures"

static const char *const rules_list[3] = {"core-0.18", "core-0.19", "core-22"};
static const char *const kinds[11] = {"nonstandard",
                                      "nulldata",
                                      "pubkey",
                                      "multisig",
                                      "pubkeyhash",
                                      "scripthash",
                                      "witness_v0_keyhash",
                                      "witness_v0_scripthash",
                                      "witness_v1_taproot",
                                      "anchor",
                                      "witness_unknown"};

/* What the node says of a chain, its rows in chain order. */
struct truth {
    const char *dir;
    struct table txs;
    struct table outputs;
    size_t *first;      /* row of the first output of each transaction, and one more */
    size_t *by_txid;    /* rows of txs by txid */
    size_t type;        /* column of outputs */
    size_t has_address; /* column of outputs */
    size_t spender;     /* column of outputs */
};

static const struct truth *sorting;

static int compare_txids(const void *a, const void *b)
{
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return strcmp(table_get(&sorting->txs, x, "txid"), table_get(&sorting->txs, y, "txid"));
}

static struct truth truth_read(const char *dir)
{
    struct truth truth = {.dir = dir,
                          .txs = table_read(path_of("%s/truth/txs.csv", dir)),
                          .outputs = table_read(path_of("%s/truth/outputs.csv", dir))};
    truth.type = table_column(&truth.outputs, "type");
    truth.has_address = table_column(&truth.outputs, "has_address");
    truth.spender = table_column(&truth.outputs, "spent_by_txid");
    truth.first = must_alloc(truth.txs.rows + 1, sizeof *truth.first);
    truth.by_txid = must_alloc(truth.txs.rows, sizeof *truth.by_txid);
    for (size_t t = 0; t < truth.txs.rows; t++) {
        truth.first[t + 1] = truth.first[t] + table_number(&truth.txs, t, table_column(&truth.txs, "n_out"));
        truth.by_txid[t] = t;
    }
    assert_int_equal(truth.first[truth.txs.rows], truth.outputs.rows);
    sorting = &truth;
    qsort(truth.by_txid, truth.txs.rows, sizeof *truth.by_txid, compare_txids);
    return truth;
}

static void truth_free(struct truth *truth)
{
    table_free(&truth->txs);
    table_free(&truth->outputs);
    free(truth->first);
    free(truth->by_txid);
}

/* Row of the transaction; the test fails if there is none. */
static size_t truth_tx(const struct truth *truth, const char *txid)
{
    size_t low = 0, high = truth->txs.rows;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = strcmp(txid, table_get(&truth->txs, truth->by_txid[middle], "txid"));
        if (order == 0)
            return truth->by_txid[middle];
        *(order < 0 ? &high : &low) = order < 0 ? middle : middle + 1;
    }
    fail_msg("no transaction %s on the chain", txid);
    return 0;
}

static bool unknown_in_22(const struct truth *truth, size_t output)
{
    return strcmp(table_at(&truth->outputs, output, truth->has_address), "0") == 0;
}

static bool is_spent(const struct truth *truth, size_t output)
{
    return *table_at(&truth->outputs, output, truth->spender) != '\0';
}

/* A node's data directory whose blocks are at `blocks`, scanned into `store`: status 0, or 3 where there is damage. */
static void scan(const char *datadir, const char *store, const char *more)
{
    struct run run = unktx("scan --quiet --nulldata store --datadir %s --store %s %s", datadir, store, more);
    if (run.exit_status != 0 && run.exit_status != 3)
        fail_msg("scan %s: %d: %s", datadir, run.exit_status, run.err);
    run_free(&run);
}

static void assert_field(const struct table *got, size_t row, const char *name, const struct table *want,
                         size_t want_row, const char *want_name)
{
    const char *a = table_get(got, row, name), *b = table_get(want, want_row, want_name);
    if (strcmp(a, b) != 0)
        fail_msg("row %zu: %s is %.200s, the node says %.200s", row, name, a, b);
}

/* Every unknown output: kind, value, script and spender. */
static void check_outputs(const struct truth *truth, const char *store)
{
    unktx_ok("outputs --store %s --rules core-22 --nulldata -o %s/outputs.csv", store, store);
    struct table got = table_read(path_of("%s/outputs.csv", store));
    bool scripts = strstr(truth->outputs.fields[4], "script") || strstr(truth->outputs.fields[5], "script");
    size_t row = 0;
    for (size_t t = 0; t < truth->txs.rows; t++)
        for (size_t o = truth->first[t]; o < truth->first[t + 1]; o++) {
            if (!unknown_in_22(truth, o))
                continue;
            assert_field(&got, row, "height", &truth->txs, t, "height");
            assert_field(&got, row, "tx_index", &truth->txs, t, "index");
            assert_field(&got, row, "txid", &truth->txs, t, "txid");
            assert_field(&got, row, "vout", &truth->outputs, o, "vout");
            assert_field(&got, row, "value_sat", &truth->outputs, o, "value_sat");
            assert_field(&got, row, "kind", &truth->outputs, o, "type");
            if (scripts)
                assert_field(&got, row, "script_hex", &truth->outputs, o, "script_hex");
            assert_field(&got, row, "spender_height", &truth->outputs, o, "spent_height");
            assert_field(&got, row, "spender_txid", &truth->outputs, o, "spent_by_txid");
            assert_field(&got, row, "spender_vin", &truth->outputs, o, "spent_by_vin");
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
    uint64_t count[11];
    uint64_t sat[11];
};

static struct sums sums_of_block(const struct truth *truth, uint64_t height)
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
            for (unsigned k = 0; k < 11; k++)
                if (strcmp(kinds[k], table_at(&truth->outputs, o, truth->type)) == 0) {
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
    for (unsigned k = 0; k < 11; k++) {
        assert_int_equal(table_number(got, row, table_column(got, kinds[k])), sums->count[k]);
        if (values)
            assert_int_equal(table_number(got, row, table_column(got, path_of("%s_sat", kinds[k]))), sums->sat[k]);
    }
}

static void check_stats(const struct truth *truth, const char *store)
{
    unktx_ok("stats --store %s --by block -o %s/stats.csv", store, store);
    struct table got = table_read(path_of("%s/stats.csv", store));
    struct table blocks = table_read(path_of("%s/truth/blocks.csv", truth->dir));
    assert_int_equal(got.rows, blocks.rows);
    for (size_t b = 0; b < got.rows; b++) {
        struct sums sums = sums_of_block(truth, b);
        assert_field(&got, b, "period", &blocks, b, "height");
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
static void check_blocks(const struct truth *truth, const char *datadir)
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
        assert_field(&got, r, "hash", &blocks, height, "hash");
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

/* ---- T-DAGs ---- */

static size_t row_of(const struct table *table, const char *column, const char *value)
{
    size_t c = table_column(table, column);
    for (size_t r = 0; r < table->rows; r++)
        if (strcmp(table_at(table, r, c), value) == 0)
            return r;
    fail_msg("no row with %s %s", column, value);
    return 0;
}

/* Two partitions of the same rows are equal: neither joins what the other parts. Classes by row, both as text. */
static void check_partition(const struct table *dags, char (*want)[32])
{
    size_t class_id = table_column(dags, "class_id");
    for (size_t a = 0; a < dags->rows; a++)
        for (size_t b = 0; b < a; b++) {
            bool same = strcmp(table_at(dags, a, class_id), table_at(dags, b, class_id)) == 0;
            if (same != (strcmp(want[a], want[b]) == 0))
                fail_msg("T-DAGs %zu and %zu are %sin one class", a + 1, b + 1, same ? "" : "not ");
        }
}

/* A number in the truth, and the column that must hold it. */
static const char *const dag_keys[][2] = {{"height", "height"},
                                          {"nodes", "nodes"},
                                          {"edges", "edges"},
                                          {"roots", "roots"},
                                          {"txs", "txs"},
                                          {"spent_unknown", "spent_unknown"},
                                          {"mixed", "mixed_spenders"},
                                          {"first_height", "first_height"},
                                          {"last_height", "last_height"}};

/* Reads the truth's T-DAGs one by one (each begins with its family) and compares them with the rows of tdags.csv. */
static void check_dag_rows(struct json *json, const struct table *dags, const char *rules)
{
    char(*classes)[32] = must_alloc(dags->rows + 1, sizeof *classes);
    bool *seen = must_alloc(dags->rows + 1, 1);
    char family[64] = "";
    size_t row = 0, found = 0;
    while (json_next(json)) {
        if (strcmp(json->key, "family") == 0) {
            snprintf(family, sizeof family, "%.63s", json->value);
        } else if (strcmp(json->key, "first") == 0) {
            row = row_of(dags, "first_txid", json->value);
            assert_false(seen[row]);
            seen[row] = true;
            found++;
            const char *got = table_get(dags, row, "family");
            if (strcmp(family, got) != 0)
                fail_msg("%s, T-DAG %zu: family %s, the truth is %s", rules, row + 1, got, family);
        } else if (strcmp(json->key, "cls") == 0) {
            snprintf(classes[row], sizeof classes[row], "%.31s", json->value);
        }
        for (size_t k = 0; k < sizeof dag_keys / sizeof *dag_keys; k++)
            if (strcmp(json->key, dag_keys[k][0]) == 0 &&
                strcmp(json->value, table_get(dags, row, dag_keys[k][1])) != 0)
                fail_msg("%s, T-DAG %zu: %s %s, the truth is %s", rules, row + 1, dag_keys[k][1],
                         table_get(dags, row, dag_keys[k][1]), json->value);
    }
    assert_int_equal(found, dags->rows);
    check_partition(dags, classes);
    free(classes);
    free(seen);
}

static int compare_keys(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

/* A class as one text that sorts. */
static char *class_key(const uintmax_t numbers[5])
{
    char *key = must_alloc(128, 1);
    snprintf(key, 128, "%ju %ju %ju %ju %ju", numbers[0], numbers[1], numbers[2], numbers[3], numbers[4]);
    return key;
}

/* The truth's table of classes ([tdags, height, nodes, edges, roots] each) against classes.csv, in any order. */
static void check_class_table(const struct json *json, const struct table *classes)
{
    char **want = must_alloc(classes->rows + 1, sizeof *want), **got = must_alloc(classes->rows + 1, sizeof *got);
    size_t count = 0;
    const char *at = json->at;
    for (;;) {
        at += strspn(at, " ,\n");
        if (*at != '[')
            break;
        uintmax_t n[5];
        assert_int_equal(sscanf(at, "[ %ju , %ju , %ju , %ju , %ju", &n[0], &n[1], &n[2], &n[3], &n[4]), 5);
        assert_true(count < classes->rows);
        want[count++] = class_key(n);
        at = strchr(at, ']') + 1;
    }
    assert_int_equal(count, classes->rows);
    static const char *const names[5] = {"tdags", "height", "nodes", "edges", "roots"};
    for (size_t r = 0; r < count; r++) {
        uintmax_t n[5];
        for (unsigned k = 0; k < 5; k++)
            n[k] = table_number(classes, r, table_column(classes, names[k]));
        got[r] = class_key(n);
    }
    qsort(want, count, sizeof *want, compare_keys);
    qsort(got, count, sizeof *got, compare_keys);
    for (size_t r = 0; r < count; r++) {
        assert_string_equal(got[r], want[r]);
        free(got[r]);
        free(want[r]);
    }
    free(got);
    free(want);
}

/* The totals that summary.json states for the rule set. */
static void check_summary(const char *path, const char *rules, const uint64_t *want)
{
    static const char *const keys[6] = {"unknown_txs", "roots", "tdags", "nodes", "edges", "classes"};
    struct json json = json_open(path);
    json_find(&json, rules);
    while (strcmp(json.value, "{") != 0)
        json_find(&json, rules);
    unsigned found = 0;
    while (found < 6 && json_next(&json))
        for (unsigned k = 0; k < 6; k++)
            if (strcmp(json.key, keys[k]) == 0) {
                if (json_number(&json) != want[k])
                    fail_msg("%s: %s of %s is %s, the truth %ju", path, keys[k], rules, json.value, (uintmax_t)want[k]);
                found++;
            }
    assert_int_equal(found, 6);
    json_close(&json);
}

static void check_tdags(const struct truth *truth, const char *store, const char *rules)
{
    const char *path = path_of("%s/truth/tdags-%s.json", truth->dir, rules);
    if (!path_exists(path))
        return;
    static const char *const keys[6] = {"unknown_txs", "roots_all", "tdags", "nodes", "edges", "classes"};
    uint64_t totals[6];
    for (unsigned k = 0; k < 6; k++) {
        struct json json = json_open(path);
        totals[k] = json_find_number(&json, keys[k]);
        json_close(&json);
    }
    char out[4096];
    snprintf(out, sizeof out, "%s/%s", store, rules);
    unktx_ok("dags --store %s --rules %s -o %s", store, rules, out);
    struct table dags = table_read(path_of("%s/tdags.csv", out)), classes = table_read(path_of("%s/classes.csv", out));
    assert_int_equal(dags.rows, totals[2]);
    assert_int_equal(classes.rows, totals[5]);
    struct json json = json_open(path);
    json_find(&json, "table");
    check_class_table(&json, &classes);
    json_find(&json, "dags");
    while (strcmp(json.value, "[") != 0)
        json_find(&json, "dags");
    check_dag_rows(&json, &dags, rules);
    json_close(&json);
    check_summary(path_of("%s/summary.json", out), rules, totals);
    table_free(&dags);
    table_free(&classes);
}

/* arcs.csv: exactly the spent unknown outputs, each with the spender that the node names. */
static void check_arcs(const struct truth *truth, const char *dir)
{
    struct table arcs = table_read(path_of("%s/arcs.csv", dir));
    size_t spent = 0;
    for (size_t o = 0; o < truth->outputs.rows; o++)
        spent += unknown_in_22(truth, o) && is_spent(truth, o);
    assert_int_equal(arcs.rows, spent);
    bool *seen = must_alloc(truth->outputs.rows, 1);
    for (size_t r = 0; r < arcs.rows; r++) {
        size_t tx = truth_tx(truth, table_get(&arcs, r, "from_txid"));
        size_t o = truth->first[tx] + table_number(&arcs, r, table_column(&arcs, "from_vout"));
        assert_false(seen[o]);
        seen[o] = true;
        assert_true(unknown_in_22(truth, o));
        assert_field(&arcs, r, "to_txid", &truth->outputs, o, "spent_by_txid");
        assert_field(&arcs, r, "to_vin", &truth->outputs, o, "spent_by_vin");
        assert_field(&arcs, r, "value_sat", &truth->outputs, o, "value_sat");
        assert_field(&arcs, r, "kind", &truth->outputs, o, "type");
    }
    free(seen);
    table_free(&arcs);
}

/* txs.csv: counts of inputs and outputs by the node; returns the number of outputs of all its transactions. */
static uint64_t check_txs(const struct truth *truth, const char *dir)
{
    struct table txs = table_read(path_of("%s/txs.csv", dir));
    uint64_t outputs = 0;
    uint64_t *spends = must_alloc(truth->txs.rows, sizeof *spends);
    for (size_t o = 0; o < truth->outputs.rows; o++)
        if (unknown_in_22(truth, o) && is_spent(truth, o))
            spends[truth_tx(truth, table_at(&truth->outputs, o, truth->spender))]++;
    for (size_t r = 0; r < txs.rows; r++) {
        size_t tx = truth_tx(truth, table_get(&txs, r, "txid"));
        uint64_t unknown = 0, value = 0, all = truth->first[tx + 1] - truth->first[tx];
        for (size_t o = truth->first[tx]; o < truth->first[tx + 1]; o++) {
            unknown += unknown_in_22(truth, o);
            value += table_number(&truth->outputs, o, table_column(&truth->outputs, "value_sat"));
        }
        assert_field(&txs, r, "height", &truth->txs, tx, "height");
        assert_field(&txs, r, "tx_index", &truth->txs, tx, "index");
        assert_int_equal(table_number(&txs, r, table_column(&txs, "unknown_inputs")), spends[tx]);
        assert_int_equal(table_number(&txs, r, table_column(&txs, "unknown_outputs")), unknown);
        assert_int_equal(table_number(&txs, r, table_column(&txs, "known_outputs")), all - unknown);
        assert_int_equal(table_number(&txs, r, table_column(&txs, "value_out_sat")), value);
        bool coinbase = strcmp(table_get(&truth->txs, tx, "coinbase"), "1") == 0;
        uint64_t known = table_number(&truth->txs, tx, table_column(&truth->txs, "n_in")) - spends[tx];
        if (!coinbase)
            assert_int_equal(table_number(&txs, r, table_column(&txs, "known_inputs")), known);
        assert_int_equal(table_number(&txs, r, table_column(&txs, "is_root")), unknown > 0 && (coinbase || known > 0));
        outputs += all;
    }
    free(spends);
    table_free(&txs);
    return outputs;
}

/* leaves.csv: every output of those transactions that is known or unspent. */
static void check_leaves(const struct truth *truth, const char *dir, uint64_t outputs)
{
    struct table leaves = table_read(path_of("%s/leaves.csv", dir)), arcs = table_read(path_of("%s/arcs.csv", dir));
    bool *seen = must_alloc(truth->outputs.rows, 1);
    assert_int_equal(leaves.rows + arcs.rows, outputs);
    for (size_t r = 0; r < leaves.rows; r++) {
        size_t tx = truth_tx(truth, table_get(&leaves, r, "txid"));
        size_t o = truth->first[tx] + table_number(&leaves, r, table_column(&leaves, "vout"));
        assert_true(o < truth->first[tx + 1] && !seen[o]);
        seen[o] = true;
        assert_field(&leaves, r, "value_sat", &truth->outputs, o, "value_sat");
        assert_field(&leaves, r, "kind", &truth->outputs, o, "type");
        assert_int_equal(table_number(&leaves, r, table_column(&leaves, "unknown")), unknown_in_22(truth, o));
        assert_false(unknown_in_22(truth, o) && is_spent(truth, o));
    }
    free(seen);
    table_free(&leaves);
    table_free(&arcs);
}

/* All of it for one chain: `dir` holds truth/, `datadir` the blocks. */
static void check_chain(const char *dir, const char *datadir, const char *scan_more)
{
    char *store = temp_dir();
    struct truth truth = truth_read(dir);
    scan(datadir, store, scan_more);
    check_outputs(&truth, store);
    check_stats(&truth, store);
    for (unsigned r = 0; r < 3; r++)
        check_tdags(&truth, store, rules_list[r]);
    const char *tables = path_of("%s/core-22", store);
    if (path_exists(tables)) {
        check_arcs(&truth, tables);
        check_leaves(&truth, tables, check_txs(&truth, tables));
    }
    unktx_ok("check --store %s", store);
    truth_free(&truth);
    remove_tree(store);
    free(store);
}

static void check_bundled(const char *name)
{
    char dir[512], datadir[600];
    snprintf(dir, sizeof dir, "tests/fixtures/%s", name);
    snprintf(datadir, sizeof datadir, "%s/regtest", dir);
    check_chain(dir, datadir, "");
    struct truth truth = truth_read(dir);
    check_blocks(&truth, datadir);
    truth_free(&truth);
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

/* ---- the same chain in other files ---- */

static void assert_same_tables(const char *a, const char *b)
{
    static const char *const files[] = {"outputs.csv", "stats.csv", "tdags.csv",  "classes.csv",
                                        "txs.csv",     "arcs.csv",  "leaves.csv", "summary.json"};
    for (size_t f = 0; f < sizeof files / sizeof *files; f++)
        for (unsigned r = 0; r < (f < 2 ? 1u : 3u); r++) {
            const char *sub = f < 2 ? "" : rules_list[r];
            assert_same_file(path_of("%s/%s/%s", a, sub, files[f]), path_of("%s/%s/%s", b, sub, files[f]));
        }
}

/* Every table of a chain, into the folder that holds the store. */
static char *tables_of(const char *datadir, unsigned threads)
{
    char *out = temp_dir();
    scan(datadir, out, path_of("--threads %u", threads));
    unktx_ok("outputs --store %s --rules core-22 --nulldata -o %s/outputs.csv", out, out);
    unktx_ok("stats --store %s --by block -o %s/stats.csv", out, out);
    for (unsigned r = 0; r < 3; r++)
        unktx_ok("dags --store %s --rules %s --threads %u -o %s/%s", out, rules_list[r], threads, out, rules_list[r]);
    return out;
}

static void compare_and_remove(const char *want, char *got)
{
    assert_same_tables(want, got);
    remove_tree(got);
    free(got);
}

static void shuffle(struct records *records, struct rng *rng)
{
    for (size_t i = records->count; i > 1; i--) {
        size_t j = rng_below(rng, (uint32_t)i);
        struct record swap = records->list[i - 1];
        records->list[i - 1] = records->list[j];
        records->list[j] = swap;
    }
}

/* Every third record is there a second time. */
static void duplicate(struct records *records)
{
    size_t count = records->count;
    for (size_t i = 0; i < count; i += 3) {
        must_reserve(&records->list, &records->capacity, records->count + 1, sizeof *records->list);
        struct record copy = {must_alloc(records->list[i].size, 1), records->list[i].size};
        memcpy(copy.bytes, records->list[i].bytes, copy.size);
        records->list[records->count++] = copy;
    }
}

static void append_zeros(const char *path, size_t count)
{
    FILE *file = fopen(path, "ab");
    assert_non_null(file);
    for (size_t i = 0; i < count; i++)
        putc(0, file);
    assert_int_equal(fclose(file), 0);
}

static void test_other_files(void **state)
{
    (void)state;
    struct rng rng = {20210315};
    print_message("seed %ju\n", (uintmax_t)rng.state);
    const char *fixture = "tests/fixtures/regtest-xor/regtest";
    char *want = tables_of(fixture, 1), *dir = temp_dir();
    compare_and_remove(want, tables_of(fixture, 4));
    compare_and_remove(want, tables_of(fixture, 1));

    struct records records = records_read(path_of("%s/blocks", fixture));
    static const uint8_t zeros[8] = {0}, key[8] = {0x11, 0x80, 0, 0xff, 7, 0x5a, 0xc3, 1};
    records_write(&records, path_of("%s/plain/regtest/blocks", dir), 14, zeros);
    compare_and_remove(want, tables_of(path_of("%s/plain", dir), 2));
    if (path_exists(SHARED "/regtest-plain"))
        compare_and_remove(want, tables_of(SHARED "/regtest-plain", 2));
    else
        print_message("no " SHARED ": regtest-plain is not compared\n");

    records_write(&records, path_of("%s/one/blocks", dir), records.count, NULL);
    append_zeros(path_of("%s/one/blocks/blk00000.dat", dir), 1 << 20);
    compare_and_remove(want, tables_of(path_of("%s/one", dir), 2));

    records_write(&records, path_of("%s/padded/blocks", dir), records.count, key);
    append_zeros(path_of("%s/padded/blocks/blk00000.dat", dir), 16 << 20);
    compare_and_remove(want, tables_of(path_of("%s/padded", dir), 2));

    for (unsigned round = 0; round < 3; round++) {
        char variant[4096];
        snprintf(variant, sizeof variant, "%s/shuffled-%u/blocks", dir, round);
        shuffle(&records, &rng);
        if (round == 1)
            duplicate(&records);
        records_write(&records, variant, 7 + 11 * round, round == 2 ? NULL : key);
        compare_and_remove(want, tables_of(variant, 1 + round));
    }
    records_free(&records);
    remove_tree(dir);
    remove_tree(want);
    free(dir);
    free(want);
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
        snprintf(more, sizeof more, "--tip %s", json_find(&json, "tip_hash"));
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
        cmocka_unit_test(test_regtest),        cmocka_unit_test(test_genesis),
        cmocka_unit_test(test_dup_txid),       cmocka_unit_test(test_crash),
        cmocka_unit_test(test_other_files),    cmocka_unit_test(test_shared_xor),
        cmocka_unit_test(test_shared_padding), cmocka_unit_test(test_shared_tie),
        cmocka_unit_test(test_shared_invalid), cmocka_unit_test(test_shared_crash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
