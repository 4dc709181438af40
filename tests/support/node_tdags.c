/* T-DAGs, their classes and their members against the truth. */
#include "tests/support/node_truth.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/plan.h"
#include "tests/support/run.h"

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

void node_truth_check_tdags(const struct node_truth *truth, const char *store, const char *rules)
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
    snprintf(out, sizeof out, "%s-%s", store, rules);
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
static void check_arcs(const struct node_truth *truth, const char *dir)
{
    struct table arcs = table_read(path_of("%s/arcs.csv", dir));
    size_t spent = 0;
    for (size_t o = 0; o < truth->outputs.rows; o++)
        spent += node_truth_is_unknown(truth, o) && node_truth_is_spent(truth, o);
    assert_int_equal(arcs.rows, spent);
    bool *seen = must_alloc(truth->outputs.rows, 1);
    for (size_t r = 0; r < arcs.rows; r++) {
        size_t tx = node_truth_tx(truth, table_get(&arcs, r, "from_txid"));
        size_t o = truth->first[tx] + table_number(&arcs, r, table_column(&arcs, "from_vout"));
        assert_false(seen[o]);
        seen[o] = true;
        assert_true(node_truth_is_unknown(truth, o));
        node_truth_assert_field(&arcs, r, "to_txid", &truth->outputs, o, "spent_by_txid");
        node_truth_assert_field(&arcs, r, "to_vin", &truth->outputs, o, "spent_by_vin");
        node_truth_assert_field(&arcs, r, "value_sat", &truth->outputs, o, "value_sat");
        node_truth_assert_field(&arcs, r, "kind", &truth->outputs, o, "type");
    }
    free(seen);
    table_free(&arcs);
}

/* txs.csv: counts of inputs and outputs by the node; returns the number of outputs of all its transactions. */
static uint64_t check_txs(const struct node_truth *truth, const char *dir)
{
    struct table txs = table_read(path_of("%s/txs.csv", dir));
    uint64_t outputs = 0;
    uint64_t *spends = must_alloc(truth->txs.rows, sizeof *spends);
    for (size_t o = 0; o < truth->outputs.rows; o++)
        if (node_truth_is_unknown(truth, o) && node_truth_is_spent(truth, o))
            spends[node_truth_tx(truth, table_at(&truth->outputs, o, truth->spender))]++;
    for (size_t r = 0; r < txs.rows; r++) {
        size_t tx = node_truth_tx(truth, table_get(&txs, r, "txid"));
        uint64_t unknown = 0, value = 0, all = truth->first[tx + 1] - truth->first[tx];
        for (size_t o = truth->first[tx]; o < truth->first[tx + 1]; o++) {
            unknown += node_truth_is_unknown(truth, o);
            value += table_number(&truth->outputs, o, table_column(&truth->outputs, "value_sat"));
        }
        node_truth_assert_field(&txs, r, "height", &truth->txs, tx, "height");
        node_truth_assert_field(&txs, r, "tx_index", &truth->txs, tx, "index");
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
static void check_leaves(const struct node_truth *truth, const char *dir, uint64_t outputs)
{
    struct table leaves = table_read(path_of("%s/leaves.csv", dir)), arcs = table_read(path_of("%s/arcs.csv", dir));
    bool *seen = must_alloc(truth->outputs.rows, 1);
    assert_int_equal(leaves.rows + arcs.rows, outputs);
    for (size_t r = 0; r < leaves.rows; r++) {
        size_t tx = node_truth_tx(truth, table_get(&leaves, r, "txid"));
        size_t o = truth->first[tx] + table_number(&leaves, r, table_column(&leaves, "vout"));
        assert_true(o < truth->first[tx + 1] && !seen[o]);
        seen[o] = true;
        node_truth_assert_field(&leaves, r, "value_sat", &truth->outputs, o, "value_sat");
        node_truth_assert_field(&leaves, r, "kind", &truth->outputs, o, "type");
        assert_int_equal(table_number(&leaves, r, table_column(&leaves, "unknown")), node_truth_is_unknown(truth, o));
        assert_false(node_truth_is_unknown(truth, o) && node_truth_is_spent(truth, o));
    }
    free(seen);
    table_free(&leaves);
    table_free(&arcs);
}

void node_truth_check_members(const struct node_truth *truth, const char *dir)
{
    check_arcs(truth, dir);
    check_leaves(truth, dir, check_txs(truth, dir));
}
