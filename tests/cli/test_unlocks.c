/* unlocks, and the shares of tdags.csv and classes.csv against sums over its rows. The rows themselves are held against
 * a parser in Python by tests/unlocks.sh, and the analysis by tests/parser/test_unlock.c. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/run.h"
#include "tests/support/table.h"

static const char *const words[7] = {"signature", "multisig", "preimage", "signature+preimage",
                                     "time",      "nothing",  "other"};
static const char *const shares[7] = {
    "unlock_signature", "unlock_multisig", "unlock_preimage", "unlock_signature_preimage",
    "unlock_time",      "unlock_nothing",  "unlock_other"};
static char *place;
static size_t spends; /* of unknown outputs */

static int scan(void **state)
{
    (void)state;
    place = temp_dir();
    copy_bundled_chain(path_of("%s/node", place));
    unktx_ok("scan --quiet --datadir %s/node --store %s/store", place, place);
    unktx_ok("dags --store %s/store -o %s/dags", place, place);
    unktx_ok("analyze --quiet --datadir %s/node --rules core-22 -o %s/all", place, place);
    struct table arcs = table_read(path_of("%s/dags/arcs.csv", place));
    spends = arcs.rows;
    table_free(&arcs);
    return 0;
}

static int clean(void **state)
{
    (void)state;
    remove_tree(place);
    free(place);
    return 0;
}

static void test_threads_and_folder(void **state)
{
    (void)state;
    unktx_ok("unlocks --store %s/store --threads 1 -o %s/one.csv", place, place);
    unktx_ok("unlocks --store %s/store --threads 4 -o %s/four.csv", place, place);
    assert_same_file(path_of("%s/one.csv", place), path_of("%s/four.csv", place));
    assert_same_file(path_of("%s/one.csv", place), path_of("%s/dags/unlocks.csv", place));
    unktx_ok("unlocks --store %s/all/store --rules core-22 -o %s/core-22.csv", place, place);
    assert_same_file(path_of("%s/core-22.csv", place), path_of("%s/all/unlocks.csv", place));
}

/* Every arc has a row, with the same ends. */
static void test_every_spend(void **state)
{
    (void)state;
    struct table rows = table_read(path_of("%s/all/unlocks.csv", place));
    struct table arcs = table_read(path_of("%s/all/arcs.csv", place));
    assert_int_equal(rows.rows, arcs.rows);
    uint64_t sums[2] = {0};
    for (size_t r = 0; r < rows.rows; r++) {
        assert_string_not_equal(table_get(&rows, r, "unlock"), "");
        sums[0] += table_number(&rows, r, table_column(&rows, "value_sat"));
        sums[1] += table_number(&arcs, r, table_column(&arcs, "value_sat"));
    }
    assert_int_equal(sums[0], sums[1]);
    table_free(&rows);
    table_free(&arcs);
}

static unsigned word_of(const char *word)
{
    unsigned w = 0;
    while (w < 7 && strcmp(word, words[w]) != 0)
        w++;
    assert_true(w < 7);
    return w;
}

/* counts[7 * dag + word] of unlocks.csv. */
static double *count_rows(size_t dags)
{
    struct table rows = table_read(path_of("%s/all/unlocks.csv", place));
    double *counts = calloc(7 * (dags + 1), sizeof *counts);
    for (size_t r = 0; r < rows.rows; r++) {
        uint64_t dag = table_number(&rows, r, table_column(&rows, "dag_id"));
        assert_in_range(dag, 1, dags);
        counts[7 * dag + word_of(table_get(&rows, r, "unlock"))]++;
    }
    table_free(&rows);
    return counts;
}

static void expect_shares(const struct table *table, size_t row, const double *counts)
{
    double sum = 0;
    for (unsigned w = 0; w < 7; w++)
        sum += counts[w];
    assert_true(sum > 0);
    for (unsigned w = 0; w < 7; w++) {
        double share = strtod(table_get(table, row, shares[w]), NULL);
        assert_true(fabs(share - counts[w] / sum) < 1e-6);
    }
}

static void test_shares(void **state)
{
    (void)state;
    struct table dags = table_read(path_of("%s/all/tdags.csv", place));
    struct table classes = table_read(path_of("%s/all/classes.csv", place));
    double *counts = count_rows(dags.rows);
    for (size_t d = 0; d < dags.rows; d++)
        expect_shares(&dags, d, counts + 7 * (d + 1));
    for (size_t c = 0; c < classes.rows; c++) {
        double sums[7] = {0};
        for (size_t d = 0; d < dags.rows; d++)
            for (unsigned w = 0; w < 7; w++)
                if (strcmp(table_get(&dags, d, "class_id"), table_get(&classes, c, "class_id")) == 0)
                    sums[w] += counts[7 * (d + 1) + w];
        expect_shares(&classes, c, sums);
    }
    free(counts);
    table_free(&dags);
    table_free(&classes);
}

static size_t unread_rows(const char *path)
{
    struct table rows = table_read(path);
    size_t unread = 0;
    for (size_t r = 0; r < rows.rows; r++) {
        bool empty = !*table_get(&rows, r, "unlock");
        unread += empty;
        assert_int_equal(empty, !*table_get(&rows, r, "signatures"));
        assert_int_equal(empty, !*table_get(&rows, r, "time"));
    }
    table_free(&rows);
    return unread;
}

static const char *share_of(const struct table *table, size_t row, unsigned word)
{
    return table_get(table, row, shares[word]);
}

/* A share is that of the whole chain, or empty where a row of its T-DAG, or of one of its class, is. */
static void test_shares_of_a_part(void **state)
{
    (void)state;
    copy_bundled_chain(path_of("%s/part", place));
    unktx_ok("scan --quiet --datadir %s/part --store %s/part-store", place, place);
    unlink(path_of("%s/part/regtest/blocks/blk00003.dat", place));
    struct run run = unktx_expect(3, "dags --rules core-22 --store %s/part-store -o %s/part-dags", place, place);
    assert_non_null(strstr(run.err, "has no blk00003.dat any more"));
    run_free(&run);
    struct table rows = table_read(path_of("%s/part-dags/unlocks.csv", place));
    struct table part = table_read(path_of("%s/part-dags/tdags.csv", place));
    struct table whole = table_read(path_of("%s/all/tdags.csv", place));
    bool *unread = calloc(part.rows + 1, sizeof *unread);
    for (size_t r = 0; r < rows.rows; r++)
        unread[table_number(&rows, r, table_column(&rows, "dag_id"))] |= !*table_get(&rows, r, "unlock");
    size_t empty = 0;
    for (size_t d = 0; d < part.rows; d++) {
        empty += unread[d + 1];
        for (unsigned w = 0; w < 7; w++)
            assert_string_equal(share_of(&part, d, w), unread[d + 1] ? "" : share_of(&whole, d, w));
    }
    assert_true(empty > 0 && empty < part.rows);
    struct table classes = table_read(path_of("%s/part-dags/classes.csv", place));
    struct table all = table_read(path_of("%s/all/classes.csv", place));
    assert_int_equal(classes.rows, all.rows);
    for (size_t c = 0; c < classes.rows; c++) {
        bool any = false;
        for (size_t d = 0; d < part.rows; d++)
            any |= unread[d + 1] && strcmp(table_get(&part, d, "class_id"), table_get(&classes, c, "class_id")) == 0;
        for (unsigned w = 0; w < 7; w++)
            assert_string_equal(share_of(&classes, c, w), any ? "" : share_of(&all, c, w));
    }
    free(unread);
    struct table *tables[] = {&rows, &part, &whole, &classes, &all};
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        table_free(tables[i]);
}

/* One file pruned, then the folder moved, then a folder of another chain's files. */
static void test_files_gone(void **state)
{
    (void)state;
    unlink(path_of("%s/node/regtest/blocks/blk00003.dat", place));
    struct run run = unktx_expect(3, "unlocks --store %s/store -o %s/pruned.csv", place, place);
    assert_non_null(strstr(run.err, "has no blk00003.dat any more"));
    assert_non_null(strstr(run.err, "is left empty: "));
    run_free(&run);
    size_t unread = unread_rows(path_of("%s/pruned.csv", place));
    assert_true(unread > 0 && unread < spends);
    rename(path_of("%s/node", place), path_of("%s/moved", place));
    run = unktx_expect(1, "unlocks --store %s/store -o %s/none.csv", place, place);
    assert_non_null(strstr(run.err, "'unktx scan --datadir' notes their place anew"));
    run_free(&run);
    assert_false(path_exists(path_of("%s/none.csv", place)));
    run = unktx_expect(3, "unlocks --store %s/store --datadir %s/moved -o %s/moved.csv", place, place, place);
    run_free(&run);
    assert_same_file(path_of("%s/moved.csv", place), path_of("%s/pruned.csv", place));
    run = unktx_expect(3, "dags --store %s/store -o %s/without", place, place);
    assert_non_null(strstr(run.err, "how outputs were unlocked is left out"));
    run_free(&run);
    assert_false(path_exists(path_of("%s/without/unlocks.csv", place)));
    run = unktx_expect(3, "unlocks --store %s/store --datadir tests/fixtures/crash -o %s/other.csv", place, place);
    run_free(&run);
    assert_int_equal(unread_rows(path_of("%s/other.csv", place)), spends);
}

static void test_no_unlocks(void **state)
{
    (void)state;
    unktx_ok("dags --no-unlocks --store %s/store -o %s/no-unlocks", place, place);
    assert_false(path_exists(path_of("%s/no-unlocks/unlocks.csv", place)));
    struct table dags = table_read(path_of("%s/no-unlocks/tdags.csv", place));
    for (size_t c = 0; c < dags.columns; c++)
        assert_null(strstr(dags.fields[c], "unlock_"));
    table_free(&dags);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_threads_and_folder),
        cmocka_unit_test(test_every_spend),
        cmocka_unit_test(test_shares),
        cmocka_unit_test(test_no_unlocks),
        cmocka_unit_test(test_shares_of_a_part),
        cmocka_unit_test(test_files_gone),
    };
    return cmocka_run_group_tests_name("unlocks", tests, scan, clean);
}
