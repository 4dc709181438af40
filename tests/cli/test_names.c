/* Names of T-DAGs, and what the command line takes for one: numbers, names, txids, and beginnings of them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "graph/dag/names.h"
#include "tests/support/chaingen.h"
#include "tests/support/markup.h"
#include "tests/support/run.h"
#include "tests/support/table.h"

static char *dir;
static struct table tdags, txs, classes;

static int set_up(void **state)
{
    (void)state;
    char data[512];
    dir = temp_dir();
    snprintf(data, sizeof data, "%s/data", dir);
    const struct gen_options options = {.dir = data, .seed = 1302, .spends = true};
    struct gen *gen = gen_open(&options);
    gen_tdags(gen, 1500);
    gen_close(gen);
    unktx_ok("scan --quiet --datadir %s --store %s/store", data, dir);
    unktx_ok("dags --rules core-22 --store %s/store -o %s/out", dir, dir);
    tdags = table_read(path_of("%s/out/tdags.csv", dir));
    txs = table_read(path_of("%s/out/txs.csv", dir));
    classes = table_read(path_of("%s/out/classes.csv", dir));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    table_free(&tdags);
    table_free(&txs);
    table_free(&classes);
    remove_tree(dir);
    free(dir);
    return 0;
}

static struct run show(int status, const char *what, const char *word)
{
    return unktx_expect(status, "show --rules core-22 --store %s/store %s %s", dir, what, word);
}

static void assert_shows(const char *what, const char *word, const char *expected)
{
    struct run run = show(0, what, word);
    if (!strstr(run.out, expected))
        fail_msg("show %s %s: no \"%s\" in: %s", what, word, expected, run.out);
    run_free(&run);
}

/* Nothing to do where it is there. */
static void make_index(void) { unktx_ok("index --quiet --memory 256M --datadir %s/data --store %s/store", dir, dir); }

/* ---- the column ---- */

static void test_column(void **state)
{
    (void)state;
    static const char *const tables[] = {"txs", "arcs", "leaves"};
    for (size_t r = 0; r < tdags.rows; r++) {
        const char *name = table_get(&tdags, r, "dag");
        assert_int_equal(strlen(name), 16);
        assert_memory_equal(name, table_get(&tdags, r, "first_txid"), 16);
    }
    for (size_t t = 0; t < sizeof tables / sizeof *tables; t++) {
        struct table table = table_read(path_of("%s/out/%s.csv", dir, tables[t]));
        for (size_t r = 0; r < table.rows; r++) {
            size_t dag = table_number(&table, r, table_column(&table, "dag_id"));
            assert_string_equal(table_get(&table, r, "dag"), table_get(&tdags, dag - 1, "dag"));
        }
        table_free(&table);
    }
    for (size_t r = 0; r < classes.rows; r++) {
        size_t dag = table_number(&classes, r, table_column(&classes, "first_dag_id"));
        assert_string_equal(table_get(&classes, r, "first_dag"), table_get(&tdags, dag - 1, "dag"));
    }
}

/* Names made by hand: txids are told apart by as many bytes as it takes, and equal ones not at all. */
static void test_lengths(void **state)
{
    (void)state;
    enum { COUNT = 6 };
    /* by T-DAG: which byte, counted in print, is 1 and not 0; the last two are equal */
    static const unsigned differing[COUNT] = {0, 9, 12, 31, 20, 20};
    static const size_t lengths[COUNT] = {16, 20, 26, 42, 64, 64};
    struct forest_tx list[COUNT];
    uint32_t members[COUNT], first[COUNT + 1];
    memset(list, 0, sizeof list);
    for (uint32_t i = 0; i < COUNT; i++) {
        list[i].txid.bytes[HASH256_SIZE - 1 - differing[i]] = 1;
        members[i] = first[i] = i;
    }
    first[COUNT] = COUNT;
    const struct forest forest = {.txs = list, .txs_count = COUNT};
    struct tdags few = {.count = COUNT, .first = first, .members = members};
    assert_int_equal(tdags_name(&forest, &few, NULL), STATUS_OK);
    for (uint32_t d = 1; d <= COUNT; d++) {
        char name[TDAG_NAME_MAX], hex[HASH256_HEX_SIZE];
        size_t size = (size_t)(tdag_put_name(&forest, &few, d, name) - name);
        hash256_hex(&list[d - 1].txid, hex);
        assert_memory_equal(name, hex, size);
        assert_int_equal(size, lengths[d - 1]);
    }
    free(few.names);
}

/* ---- what is taken for one ---- */

static void test_dag(void **state)
{
    (void)state;
    char expected[128], number[24], cut[20];
    for (size_t r = 0; r < tdags.rows; r += 97) {
        snprintf(expected, sizeof expected, "T-DAG %s, number %zu of", table_get(&tdags, r, "dag"), r + 1);
        snprintf(number, sizeof number, "%zu", r + 1);
        snprintf(cut, sizeof cut, "%.15s", table_get(&tdags, r, "dag"));
        assert_shows("--dag", number, expected);
        assert_shows("--dag", table_get(&tdags, r, "dag"), expected);
        if (strspn(cut, "0123456789") < 15)
            assert_shows("--dag", cut, expected);
    }
    for (size_t r = 0; r < txs.rows; r += 211) {
        size_t dag = table_number(&txs, r, table_column(&txs, "dag_id"));
        snprintf(expected, sizeof expected, "T-DAG %s, number %zu of", table_get(&tdags, dag - 1, "dag"), dag);
        assert_shows("--dag", table_get(&txs, r, "txid"), expected);
    }
    struct run run = show(1, "--dag", "ffffffffffffffffffffffff");
    assert_non_null(strstr(run.err, "begins with ffff"));
    run_free(&run);
    snprintf(number, sizeof number, "%zu", tdags.rows + 1);
    run = show(1, "--dag", number);
    assert_non_null(strstr(run.err, "no T-DAG"));
    run_free(&run);
}

/* Digits alone, and more of them than there are T-DAGs: the beginning of a name. A few of each number of digits. */
static void test_digits_of_a_name(void **state)
{
    (void)state;
    char cut[17], expected[128];
    unsigned tried = 0, of_length[sizeof cut] = {0};
    for (size_t r = 0; r < txs.rows; r++) {
        const char *txid = table_get(&txs, r, "txid");
        size_t digits = strspn(txid, "0123456789"), dag = table_number(&txs, r, table_column(&txs, "dag_id"));
        if (digits < 8 || txid[0] == '0')
            continue;
        digits = digits < 15 ? digits : 15;
        if (of_length[digits]++ >= 3)
            continue;
        snprintf(cut, sizeof cut, "%.*s", (int)digits, txid);
        snprintf(expected, sizeof expected, "T-DAG %s, number %zu of", table_get(&tdags, dag - 1, "dag"), dag);
        assert_shows("--dag", cut, expected);
        tried++;
    }
    assert_true(tried > 0);
    /* where both could be meant, it is the number */
    snprintf(expected, sizeof expected, "T-DAG %s, number 1000 of", table_get(&tdags, 999, "dag"));
    assert_shows("--dag", "1000", expected);
}

/* A class id in place of its only T-DAG; of several, which option lists them. */
static void test_class_of_dag(void **state)
{
    (void)state;
    size_t alone = 0, several = 0;
    for (size_t r = 0; r < classes.rows && (alone < 5 || several < 5); r++) {
        char cut[13], expected[128];
        bool one = table_number(&classes, r, table_column(&classes, "tdags")) == 1;
        if (one ? alone >= 5 : several >= 5)
            continue;
        snprintf(cut, sizeof cut, "%.12s", table_get(&classes, r, "class_id"));
        snprintf(expected, sizeof expected, "T-DAG %s, number", table_get(&classes, r, "first_dag"));
        struct run run = show(one ? 0 : 1, "--dag", cut);
        if (one)
            assert_non_null(strstr(run.out, expected));
        else
            assert_non_null(strstr(run.err, "T-DAGs: 'unktx show --class "));
        run_free(&run);
        alone += one;
        several += !one;
    }
    assert_true(alone > 0 && several > 0);
    struct run run = show(2, "--class", "a");
    assert_non_null(strstr(run.err, "at least 4"));
    run_free(&run);
}

/* The page lists the first 200 T-DAGs that have a label, and says that there are more. */
static void test_many_labelled(void **state)
{
    (void)state;
    FILE *file = fopen(path_of("%s/labels.csv", dir), "w");
    assert_non_null(file);
    fprintf(file, "address,label\n");
    for (size_t r = 10; r < 300; r++)
        fprintf(file, "%s,lot\n", table_get(&tdags, r, "dag"));
    fclose(file);
    struct run run = unktx_expect(0, "report --rules core-22 --store %s/store --labels %s/labels.csv -o -", dir, dir);
    const char *at = strstr(run.out, "id=\"labelled\"");
    assert_non_null(at);
    assert_non_null(strstr(at, "T-DAGs with a label: 290; the first 200 "));
    assert_int_equal(count_of(at, "<td>lot</td></tr>"), 200);
    run_free(&run);
}

/* Nothing is left: that is said, in place of headings with nothing under them. */
static void test_nothing_left(void **state)
{
    (void)state;
    static const char *const more[] = {"", " --top 3"};
    for (size_t i = 0; i < 2; i++) {
        struct run run = unktx_expect(0, "dags --rules core-22 --store %s/store --min-height 1000000%s", dir, more[i]);
        assert_non_null(strstr(run.out, "no T-DAG is left by these filters\n"));
        assert_null(strstr(run.out, "classes\n "));
        assert_null(strstr(run.out, "family"));
        run_free(&run);
    }
}

/* Two rows of different T-DAGs whose txids begin with the same four digits, not all decimal. */
static bool find_alike(size_t *a, size_t *b)
{
    for (*a = 0; *a < txs.rows; ++*a) {
        const char *txid = table_get(&txs, *a, "txid");
        for (*b = *a + 1; *b < txs.rows && strspn(txid, "0123456789") < 4; ++*b) {
            if (strncmp(txid, table_get(&txs, *b, "txid"), 4) == 0 &&
                strcmp(table_get(&txs, *a, "dag"), table_get(&txs, *b, "dag")) != 0)
                return true;
        }
    }
    return false;
}

/* What several begin with is refused with a list of them. */
static void test_ambiguous(void **state)
{
    (void)state;
    size_t a = 0, b = 0;
    char prefix[5];
    assert_true(find_alike(&a, &b));
    snprintf(prefix, sizeof prefix, "%.4s", table_get(&txs, a, "txid"));
    struct run run = show(1, "--dag", prefix);
    assert_non_null(strstr(run.err, table_get(&txs, a, "dag")));
    assert_non_null(strstr(run.err, table_get(&txs, b, "dag")));
    run_free(&run);
    run = show(1, "", prefix);
    assert_non_null(strstr(run.err, table_get(&txs, a, "txid")));
    assert_non_null(strstr(run.err, table_get(&txs, b, "txid")));
    run_free(&run);
}

static void test_txid(void **state)
{
    (void)state;
    const char *txid = table_get(&txs, txs.rows / 2, "txid");
    char cut[32], output[40];
    snprintf(cut, sizeof cut, "%.20s", txid);
    snprintf(output, sizeof output, "%.20s:0", txid);
    assert_shows("", cut, txid);
    assert_shows("", output, txid);
    make_index();
    assert_shows("", cut, txid);
    static const char *const commands[] = {"tx", "tx --format json", "travel --forward", "travel --backward"};
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        struct run whole = unktx_expect(0, "%s %s --store %s/store", commands[i], txid, dir);
        struct run part = unktx_expect(0, "%s %s --store %s/store", commands[i], cut, dir);
        assert_string_equal(whole.out, part.out);
        run_free(&whole);
        run_free(&part);
    }
    struct run run = unktx_expect(1, "tx ffffffffffffffffffffffff --store %s/store", dir);
    assert_non_null(strstr(run.err, "begins with ffff"));
    run_free(&run);
}

/* ---- what show and tx say of a transaction ---- */

/* The line of a transaction as the tables of a rule set have it; "" of one that is not there. */
static void expected_line(char out[256], const char *rules, const struct table *of_txs, const struct table *of_tdags,
                          const char *txid, bool json)
{
    snprintf(out, 256, json ? "{\"rules\":\"%s\",\"dag\":null}" : "    %s: in no T-DAG\n", rules);
    for (size_t r = 0; r < of_txs->rows; r++) {
        if (strcmp(table_get(of_txs, r, "txid"), txid) != 0)
            continue;
        size_t dag = table_number(of_txs, r, table_column(of_txs, "dag_id"));
        bool root = *table_get(of_txs, r, "is_root") == '1', spender = *table_get(of_txs, r, "unknown_inputs") != '0';
        snprintf(out, 256,
                 json ? "{\"rules\":\"%s\",\"dag\":\"%s\",\"dag_id\":%zu,\"family\":\"%s\",\"class_id\":\"%s\","
                        "\"role\":\"%s\",\"depth\":%s}"
                      : "    %s: T-DAG %s, number %zu, %s, class %s; %s, depth %s\n",
                 rules, table_get(of_txs, r, "dag"), dag, table_get(of_tdags, dag - 1, "family"),
                 table_get(of_tdags, dag - 1, "class_id"),
                 root && spender ? "root and spender"
                 : root          ? "root"
                                 : "spender",
                 table_get(of_txs, r, "depth"));
    }
}

static void check_line(const char *command, const char *txid, const char *expected)
{
    struct run run = unktx_expect(0, "%s --store %s/store %s", command, dir, txid);
    if (!strstr(run.out, expected))
        fail_msg("%s %s: no \"%s\" in: %s", command, txid, expected, run.out);
    run_free(&run);
}

static void check_membership(const char *rules, const char *more)
{
    char show_command[64], line[256];
    const char *out = path_of("%s/of-%s", dir, *more ? "compressed" : "whole");
    unktx_ok("dags --replace --rules %s --store %s/store -o %s%s", rules, dir, out, more);
    struct table of_tdags = table_read(path_of("%s/tdags.csv", out)), of_txs = table_read(path_of("%s/txs.csv", out));
    snprintf(show_command, sizeof show_command, "show%s", more);
    for (size_t r = 5; r < txs.rows; r += txs.rows / 6) {
        const char *txid = table_get(&txs, r, "txid");
        expected_line(line, rules, &of_txs, &of_tdags, txid, false);
        check_line(show_command, txid, line);
        if (!*more)
            check_line("tx", txid, line);
        expected_line(line, rules, &of_txs, &of_tdags, txid, true);
        if (!*more)
            check_line("tx --format json", txid, line);
    }
    table_free(&of_tdags);
    table_free(&of_txs);
}

static void test_membership(void **state)
{
    (void)state;
    static const char *const rules[] = {"core-0.18", "core-0.19", "core-22"};
    make_index();
    for (size_t r = 0; r < sizeof rules / sizeof *rules; r++) {
        check_membership(rules[r], "");
        check_membership(rules[r], " --compress");
    }
    /* the coinbase of the block after genesis is in none */
    struct run run = unktx_expect(0, "tx 1 --store %s/store", dir);
    assert_non_null(strstr(run.out, " UTC), size "));
    char txid[65] = "";
    memcpy(txid, strchr(strstr(run.out, "byte "), '\n') + 5, 64);
    check_line("tx", txid, "core-0.18: in no T-DAG\n    core-0.19: in no T-DAG\n    core-22: in no T-DAG\n");
    run_free(&run);
}

static void test_class(void **state)
{
    (void)state;
    for (size_t r = 0; r < classes.rows; r += 7) {
        const char *id = table_get(&classes, r, "class_id");
        char cut[16];
        snprintf(cut, sizeof cut, "%.12s", id);
        struct run whole = show(0, "--class", id), part = show(0, "--class", cut);
        assert_string_equal(whole.out, part.out);
        assert_non_null(strstr(whole.out, id));
        size_t told = 0;
        for (size_t d = 0; d < tdags.rows; d++) {
            if (strcmp(table_get(&tdags, d, "class_id"), id) != 0)
                continue;
            assert_non_null(strstr(whole.out, table_get(&tdags, d, "dag")));
            told++;
        }
        assert_int_equal(told, table_number(&classes, r, table_column(&classes, "tdags")));
        run_free(&whole);
        run_free(&part);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_column),       cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_dag),          cmocka_unit_test(test_ambiguous),
        cmocka_unit_test(test_class),        cmocka_unit_test(test_txid),
        cmocka_unit_test(test_membership),   cmocka_unit_test(test_digits_of_a_name),
        cmocka_unit_test(test_class_of_dag), cmocka_unit_test(test_many_labelled),
        cmocka_unit_test(test_nothing_left),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
