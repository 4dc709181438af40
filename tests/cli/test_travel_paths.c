/* unktx travel --to and --unknown, against what a node says of the bundled chain: the length and the number of shortest
 * ways are worked out in chain order, which BFS does not follow. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/index_truth.h"

static struct truth truth;
static char *store;

static int set_up(void **state)
{
    (void)state;
    store = temp_dir();
    truth = truth_read("tests/fixtures/regtest-xor");
    run_on("scan", "tests/fixtures/regtest-xor/regtest", store, "");
    run_on("index", "tests/fixtures/regtest-xor/regtest", store, " --memory 256M");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    truth_free(&truth);
    remove_tree(store);
    free(store);
    return 0;
}

/* Under core-22 what has no address is unknown; nulldata cannot be spent. */
static bool is_unknown(size_t output)
{
    return strcmp(table_at(&truth.outputs, output, truth.has_address), "0") == 0 &&
           strcmp(truth_kind(&truth, output), "nulldata") != 0;
}

struct way {
    uint64_t spends; /* UINT64_MAX: none */
    uint64_t count;
};

/* Shortest ways from `start` to every transaction. */
static struct way *ways_from(size_t start, bool unknown)
{
    struct way *ways = calloc(truth.txs.rows, sizeof *ways);
    assert_non_null(ways);
    for (size_t t = 0; t < truth.txs.rows; t++)
        ways[t].spends = t == start ? 0 : UINT64_MAX;
    ways[start].count = 1;
    for (size_t t = start; t < truth.txs.rows; t++) {
        for (size_t o = truth.first_output[t]; ways[t].count > 0 && o < truth.first_output[t + 1]; o++) {
            if (truth.spender[o] == NO_OUTPUT || (unknown && !is_unknown(o)))
                continue;
            struct way *to = &ways[truth.input_tx[truth.spender[o]]];
            if (ways[t].spends + 1 < to->spends)
                *to = (struct way){ways[t].spends + 1, 0};
            if (ways[t].spends + 1 == to->spends)
                to->count += ways[t].count;
        }
    }
    return ways;
}

static void check_way(size_t from, size_t to, const struct way *way, bool unknown, bool backward)
{
    char said[96];
    const char *a = truth_txid(&truth, backward ? to : from), *b = truth_txid(&truth, backward ? from : to);
    const char *more = unknown ? " --unknown --rules core-22" : "";
    if (way->count == 0) {
        expect_error(1, "there is no way", path_of("travel %s --to %s%s --store %s", a, b, more, store));
        return;
    }
    const char *file = path_of("%s-way.csv", store);
    struct run run = unktx_expect(0, "travel %s --to %s%s%s --store %s -o %s", a, b, more,
                                  backward ? " --backward" : "", store, file);
    snprintf(said, sizeof said, "shortest ways: %ju, of %ju spends", (uintmax_t)way->count, (uintmax_t)way->spends);
    if (!strstr(run.err, said))
        fail_msg("%s instead of: %s", run.err, said);
    run_free(&run);
    struct table rows = table_read(file);
    assert_int_equal(rows.rows, way->spends);
    for (size_t r = 0; r < rows.rows; r++) {
        size_t at = backward ? rows.rows - 1 - r : r; /* in the direction of the money */
        size_t creator = truth_find_tx(&truth, table_get(&rows, at, "from_txid"));
        size_t o = truth.first_output[creator] + (size_t)table_number(&rows, at, table_column(&rows, "from_vout"));
        assert_int_equal(table_number(&rows, r, table_column(&rows, "depth")), r + 1);
        assert_string_equal(table_get(&rows, at, "to_txid"), truth_txid(&truth, truth.input_tx[truth.spender[o]]));
        assert_true(!unknown || is_unknown(o));
        if (r == 0)
            assert_string_equal(table_get(&rows, at, "from_txid"), truth_txid(&truth, from));
        if (r + 1 < rows.rows)
            assert_string_equal(table_get(&rows, at, "to_txid"),
                                table_get(&rows, backward ? at - 1 : at + 1, "from_txid"));
        else
            assert_string_equal(table_get(&rows, at, "to_txid"), truth_txid(&truth, to));
    }
    table_free(&rows);
    remove(file);
}

/* From some transactions: to the farthest, to the one with the most ways, and to one that cannot be reached. */
static void test_ways(void **state)
{
    (void)state;
    uint64_t most = 0, longest = 0;
    for (unsigned unknown = 0; unknown < 2; unknown++) {
        for (size_t start = 1; start < truth.txs.rows; start += truth.txs.rows / 23) {
            struct way *ways = ways_from(start, unknown);
            size_t far = start, many = start, none = start - 1;
            for (size_t t = start; t < truth.txs.rows; t++) {
                if (ways[t].count == 0)
                    continue;
                far = ways[t].spends > ways[far].spends ? t : far;
                many = ways[t].count > ways[many].count ? t : many;
            }
            most = ways[many].count > most ? ways[many].count : most;
            longest = ways[far].spends > longest ? ways[far].spends : longest;
            check_way(start, far, &ways[far], unknown, false);
            check_way(start, many, &ways[many], unknown, true);
            check_way(start, none, &ways[none], unknown, false);
            free(ways);
        }
    }
    assert_true(most > 1 && longest > 2);
}

/* Rows of --unknown are those of all whose output is unknown, as long as the way there is. */
static void test_unknown(void **state)
{
    (void)state;
    size_t found = 0;
    for (size_t t = 0; t < truth.txs.rows; t += 37) {
        const char *txid = truth_txid(&truth, t), *file = path_of("%s-unknown.csv", store);
        struct run run = unktx_expect(0, "travel %s --unknown --rules core-22 --depth 1 --store %s -o %s", txid, store,
                                      file);
        struct table rows = table_read(file);
        size_t r = 0;
        t = truth_find_tx(&truth, txid);
        for (size_t o = truth.first_output[t]; o < truth.first_output[t + 1]; o++) {
            if (!is_unknown(o))
                continue;
            assert_true(r < rows.rows);
            assert_string_equal(table_get(&rows, r++, "from_vout"), truth_vout(&truth, o));
        }
        assert_int_equal(r, rows.rows);
        assert_true((r == 0) == (strstr(run.err, "no way leads on from") != NULL));
        run_free(&run);
        found += r;
        table_free(&rows);
        run = unktx_expect(0, "travel %s --backward --unknown --rules core-22 --depth 1 --store %s -o %s", txid, store,
                           file);
        rows = table_read(file);
        r = 0;
        for (size_t i = truth.first_input[t]; i < truth.first_input[t + 1]; i++)
            r += truth.spent[i] != NO_OUTPUT && is_unknown(truth.spent[i]);
        assert_int_equal(r, rows.rows);
        assert_true((r == 0) == (strstr(run.err, "no way leads back from") != NULL));
        run_free(&run);
        table_free(&rows);
        remove(file);
    }
    assert_true(found > 0);
}

static void test_usage(void **state)
{
    (void)state;
    const char *txid = truth_txid(&truth, 5);
    expect_error(2, "--to", path_of("travel %s --to x --store %s", txid, store));
    expect_error(2, "--to", path_of("travel %s --to %s:0 --store %s", txid, txid, store));
    expect_error(1, "begins with", path_of("travel %s --to 00000000 --store %s", txid, store));
    expect_error(1, "has no output", path_of("travel %s:9999 --to %s --store %s", txid, txid, store));
    struct run run = unktx_expect(0, "travel %s --to %s --store %s", txid, txid, store);
    assert_non_null(strstr(run.err, "shortest ways: 1, of 0 spends"));
    run_free(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ways),
        cmocka_unit_test(test_unknown),
        cmocka_unit_test(test_usage),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
