/* unktx travel, against what a node says: tests/fixtures, and ../shared/fixtures if there. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/index_truth.h"
#include "tests/support/markup.h"
#include "tests/support/plan.h"

static int compare_sizes(const void *a, const void *b)
{
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return (x > y) - (x < y);
}

/* One row, and the transaction that it leads to; NO_OUTPUT where the way ends. */
static size_t add_step(const struct truth *truth, struct lines *lines, unsigned depth, size_t output, size_t input,
                       bool backward)
{
    size_t from = output == NO_OUTPUT ? NO_OUTPUT : truth->output_tx[output];
    size_t to = input == NO_OUTPUT ? NO_OUTPUT : truth->input_tx[input];
    char from_cells[128] = ",", to_cells[128] = ",", value[64] = ",", heights[64];
    if (from != NO_OUTPUT) {
        snprintf(from_cells, sizeof from_cells, "%s,%s", truth_txid(truth, from), truth_vout(truth, output));
        snprintf(value, sizeof value, "%ju,%s", (uintmax_t)truth_value(truth, output), truth_kind(truth, output));
    }
    if (to != NO_OUTPUT)
        snprintf(to_cells, sizeof to_cells, "%s,%ju", truth_txid(truth, to), (uintmax_t)truth_vin(truth, input));
    snprintf(heights, sizeof heights, "%s,%s", from == NO_OUTPUT ? "" : table_get(&truth->txs, from, "height"),
             to == NO_OUTPUT ? "" : table_get(&truth->txs, to, "height"));
    lines_add(lines, "%u,%s,%s,%s,%s\n", depth, from_cells, to_cells, value, heights);
    return backward ? from : to;
}

/* The walk over the node's rows. `only` is a vout, or NO_OUTPUT. */
static struct lines walk(const struct truth *truth, size_t start, size_t only, unsigned depths, bool backward)
{
    struct lines lines = {0};
    bool *met = must_alloc(truth->txs.rows + 1, sizeof *met);
    size_t *level = must_alloc(truth->txs.rows + 1, sizeof *level),
           *next = must_alloc(truth->txs.rows + 1, sizeof *next);
    size_t count = 1;
    lines_add(&lines, "depth,from_txid,from_vout,to_txid,to_vin,value_sat,kind,from_height,to_height\n");
    level[0] = start;
    met[start] = true;
    for (unsigned depth = 1; depth <= depths && count > 0; depth++) {
        size_t found = 0;
        for (size_t l = 0; l < count; l++) {
            size_t tx = level[l];
            const size_t *first = backward ? truth->first_input : truth->first_output;
            for (size_t at = first[tx]; at < first[tx + 1]; at++) {
                if (!backward && depth == 1 && only != NO_OUTPUT && at - first[tx] != only)
                    continue;
                size_t other = add_step(truth, &lines, depth, backward ? truth->spent[at] : at,
                                        backward ? at : truth->spender[at], backward);
                if (other != NO_OUTPUT && !met[other]) {
                    met[other] = true;
                    next[found++] = other;
                }
            }
        }
        qsort(next, found, sizeof *next, compare_sizes);
        memcpy(level, next, found * sizeof *level);
        count = found;
    }
    free(met);
    free(level);
    free(next);
    return lines;
}

static void check_travel(const struct truth *truth, const char *store)
{
    for (size_t n = 0; n < 12 && n < truth->txs.rows; n++) {
        /* the last, the first, and some between */
        size_t tx = truth_find_tx(
            truth, truth_txid(truth, n == 0 ? truth->txs.rows - 1 : (n - 1) * (truth->txs.rows - 1) / 11));
        unsigned depth = (unsigned)(n % 5 + 1);
        struct lines forward = walk(truth, tx, NO_OUTPUT, depth, false);
        struct lines one = walk(truth, tx, 0, depth, false);
        struct lines backward = walk(truth, tx, NO_OUTPUT, depth + 4, true);
        const char *txid = truth_txid(truth, tx);
        lines_assert_printed(&forward, path_of("travel %s --depth %u --limit 9999999 --store %s", txid, depth, store));
        lines_assert_printed(
            &one, path_of("travel %s:0 --forward --depth=%u --limit 9999999 --store %s", txid, depth, store));
        lines_assert_printed(
            &backward, path_of("travel %s --backward --depth %u --limit 9999999 --store %s", txid, depth + 4, store));
    }
}

/* The first rows, and a word that there are more. */
static void check_travel_limit(const struct truth *truth, const char *store)
{
    const char *txid = truth_txid(truth, truth->txs.rows - 1);
    struct run all = unktx_expect(0, "travel %s --backward --depth 1000 --store %s", txid, store);
    struct run cut = unktx_expect(0, "travel %s --backward --depth 1000 --limit 5 --store %s", txid, store);
    size_t lines = 0;
    for (const char *p = cut.out; *p; p++)
        lines += *p == '\n';
    assert_int_equal(lines, 6);
    assert_memory_equal(all.out, cut.out, strlen(cut.out));
    assert_non_null(strstr(cut.err, "--limit"));
    assert_string_equal(all.err, "");
    run_free(&all);
    run_free(&cut);
}

static void check_travel_graph(const struct truth *truth, const char *store)
{
    const char *txid = truth_txid(truth, truth->txs.rows / 2);
    unktx_ok("travel %s --depth 4 --store %s -o %s-travel.csv", txid, store, store);
    struct table rows = table_read(path_of("%s-travel.csv", store));
    struct run dot = unktx_expect(0, "travel %s --depth 4 --format dot --store %s", txid, store);
    struct run graphml = unktx_expect(0, "travel %s --depth 4 --format graphml --store %s", txid, store);
    size_t spends = 0, txs = count_of(dot.out, "txid=");
    for (size_t r = 0; r < rows.rows; r++) {
        spends += *table_get(&rows, r, "to_txid") != '\0';
        assert_non_null(strstr(dot.out, table_get(&rows, r, "from_txid")));
        assert_non_null(strstr(dot.out, table_get(&rows, r, "to_txid")));
    }
    assert_int_equal(count_of(dot.out, " -> "), spends);
    assert_int_equal(count_of(graphml.out, "<edge "), spends);
    assert_int_equal(count_of(graphml.out, "<node "), txs);
    remove(path_of("%s-travel.csv", store));
    table_free(&rows);
    run_free(&dot);
    run_free(&graphml);
}

/* ---- chains ---- */

static void test_chain(void **state)
{
    struct truth_case made = truth_begin(*state);
    check_travel(&made.truth, made.store);
    truth_end(&made);
}

static void test_limits_and_graph(void **state)
{
    (void)state;
    char *temp = temp_dir();
    struct truth truth = truth_read("tests/fixtures/regtest-xor");
    run_on("index", "tests/fixtures/regtest-xor/regtest", temp, " --memory 256M --threads 1");
    check_travel_limit(&truth, temp);
    check_travel_graph(&truth, temp);
    expect_error(1, "has no output 1", path_of("travel %s:1 --store %s", truth_txid(&truth, 0), temp));
    truth_free(&truth);
    remove_tree(temp);
    free(temp);
}

int main(void)
{
    struct CMUnitTest tests[] = {
        [TRUTH_CHAINS + 0] = cmocka_unit_test(test_limits_and_graph),
    };
    truth_tests(tests, test_chain);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
