/* ties: reuse that the generator planted is found, all of it and nothing else; and what ties nothing. Keys and hashes
 * themselves are held against a parser in Python by tests/keys.sh. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/chaingen.h"
#include "tests/support/run.h"
#include "tests/support/table.h"

static char *place;

/* 40 T-DAGs and 600 single outputs of 90 holders, whose keys and hash locks are apart. */
static int make(void **state)
{
    (void)state;
    place = temp_dir();
    const struct gen_options options = {
        .dir = path_of("%s/node", place), .seed = 13, .block_bytes = 20000, .holders = 90, .list_holders = true};
    struct gen *gen = gen_open(&options);
    gen_tracked(gen, 600);
    gen_tdags(gen, 40);
    gen_close(gen);
    unktx_ok("scan --quiet --datadir %s/node --store %s/store", place, place);
    unktx_ok("ties --store %s/store --rules core-22 --threads 1 -o %s/ties", place, place);
    return 0;
}

static int clean(void **state)
{
    (void)state;
    remove_tree(place);
    free(place);
    return 0;
}

/* The holder of an outpoint, as a number in text. */
static const char *holder_of(const struct table *held, const char *txid, const char *vout)
{
    for (size_t r = 0; r < held->rows; r++) {
        if (strcmp(table_get(held, r, "txid"), txid) == 0 && strcmp(table_get(held, r, "vout"), vout) == 0)
            return table_get(held, r, "holder");
    }
    fail_msg("nobody holds %s:%s", txid, vout);
    return NULL;
}

static uint64_t truth(const char *key)
{
    struct json json = json_open(path_of("%s/node/truth.json", place));
    uint64_t number = json_find_number(&json, key);
    json_close(&json);
    return number;
}

/* Precision: the two of each row have one holder. Recall: as many rows as the holders have members more than one, and
 * no two alike; and a group for each of these holders. */
static void test_planted(void **state)
{
    (void)state;
    struct table ties = table_read(path_of("%s/ties/ties.csv", place));
    struct table groups = table_read(path_of("%s/ties/groups.csv", place));
    struct table held = table_read(path_of("%s/node/holders.csv", place));
    assert_int_equal(ties.rows, truth("ties"));
    assert_int_equal(groups.rows, truth("groups"));
    assert_true(ties.rows > 300 && groups.rows > 80);
    for (size_t r = 0; r < ties.rows; r++) {
        const char *holder = holder_of(&held, table_get(&ties, r, "txid"), table_get(&ties, r, "vout"));
        const char *tied = holder_of(&held, table_get(&ties, r, "tied_txid"), table_get(&ties, r, "tied_vout"));
        assert_string_equal(holder, tied);
        for (size_t s = 0; s < r; s++) {
            bool same = strcmp(table_get(&ties, r, "tied_txid"), table_get(&ties, s, "tied_txid")) == 0 &&
                        strcmp(table_get(&ties, r, "tied_vout"), table_get(&ties, s, "tied_vout")) == 0;
            assert_false(same);
            if (strcmp(table_get(&ties, r, "group_id"), table_get(&ties, s, "group_id")) == 0)
                assert_string_equal(holder, holder_of(&held, table_get(&ties, s, "txid"), table_get(&ties, s, "vout")));
        }
    }
    table_free(&ties);
    table_free(&groups);
    table_free(&held);
}

static void test_threads(void **state)
{
    (void)state;
    unktx_ok("ties --store %s/store --rules core-22 --threads 4 -o %s/four", place, place);
    assert_same_file(path_of("%s/ties/ties.csv", place), path_of("%s/four/ties.csv", place));
    assert_same_file(path_of("%s/ties/groups.csv", place), path_of("%s/four/groups.csv", place));
    unktx_ok("dags --store %s/store --rules core-22 -o %s/dags", place, place);
    assert_same_file(path_of("%s/ties/ties.csv", place), path_of("%s/dags/ties.csv", place));
    assert_same_file(path_of("%s/ties/groups.csv", place), path_of("%s/dags/groups.csv", place));
    for (unsigned threads = 1; threads <= 4; threads += 3) {
        unktx_ok("keys --store %s/store --rules core-22 --threads %u -o %s/keys.csv", place, threads, place);
        assert_same_file(path_of("%s/keys.csv", place), path_of("%s/dags/keys.csv", place));
        unktx_ok("keys --hashes --store %s/store --rules core-22 --threads %u -o %s/hashes.csv", place, threads, place);
        assert_same_file(path_of("%s/hashes.csv", place), path_of("%s/dags/hashes.csv", place));
    }
}

static void test_max_degree(void **state)
{
    (void)state;
    struct run run = unktx_expect(0, "ties --store %s/store --rules core-22 --max-degree 3 -o %s/few", place, place);
    assert_non_null(strstr(run.err, "left out above --max-degree 3: ties of kind key, so many: "));
    assert_non_null(strstr(run.err, "left out above --max-degree 3: ties of kind hash, so many: "));
    run_free(&run);
    struct table all = table_read(path_of("%s/ties/ties.csv", place));
    struct table few = table_read(path_of("%s/few/ties.csv", place));
    size_t row = 0;
    for (size_t r = 0; r < all.rows; r++) {
        if (table_number(&all, r, table_column(&all, "members")) > 3)
            continue;
        assert_true(row < few.rows);
        assert_string_equal(table_get(&all, r, "value"), table_get(&few, row, "value"));
        assert_string_equal(table_get(&all, r, "tied_txid"), table_get(&few, row++, "tied_txid"));
    }
    assert_int_equal(row, few.rows);
    assert_true(few.rows > 0 && few.rows < all.rows);
    table_free(&all);
    table_free(&few);
}

/* A pruned file takes what its spenders showed, and the exit status says so; what outputs show stays. */
static void test_file_pruned(void **state)
{
    (void)state;
    char datadir[512];
    snprintf(datadir, sizeof datadir, "%s/part", place);
    copy_bundled_chain(datadir);
    unktx_ok("scan --quiet --datadir %s/part --store %s/part-store", place, place);
    unktx_ok("keys --store %s/part-store --rules core-22 -o %s/whole.csv", place, place);
    unktx_ok("ties --store %s/part-store --rules core-22 -o %s/whole", place, place);
    unlink(path_of("%s/part/regtest/blocks/blk00003.dat", place));
    struct run runs[] = {
        unktx_expect(3, "keys --store %s/part-store --rules core-22 -o %s/part.csv", place, place),
        unktx_expect(3, "keys --hashes --store %s/part-store --rules core-22 -o %s/hashes.csv", place, place),
        unktx_expect(3, "ties --store %s/part-store --rules core-22 -o %s/part-ties", place, place),
    };
    struct run page = unktx_expect(3, "report --store %s/part-store --rules core-22 -o %s/part.html", place, place);
    assert_non_null(strstr(page.err, "has no blk00003.dat any more"));
    run_free(&page);
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
        assert_non_null(strstr(runs[i].err, "has no blk00003.dat any more"));
        assert_non_null(strstr(runs[i].err, "inputs that could not be read, and what they showed is left out: "));
        run_free(&runs[i]);
    }
    struct table whole = table_read(path_of("%s/whole.csv", place)), part = table_read(path_of("%s/part.csv", place));
    assert_true(part.rows > 0 && part.rows < whole.rows);
    table_free(&whole);
    table_free(&part);
    rename(path_of("%s/part", place), path_of("%s/part-moved", place));
    struct run gone = unktx_expect(3, "keys --store %s/part-store --rules core-22 -o %s/gone.csv", place, place);
    assert_non_null(strstr(gone.err, "what the spenders showed is left out"));
    run_free(&gone);
}

/* Without the blk files scripts alone are looked at, and here nothing else shows anything. */
static void test_files_gone(void **state)
{
    (void)state;
    rename(path_of("%s/node", place), path_of("%s/moved", place));
    struct run run = unktx_expect(3, "ties --store %s/store --rules core-22 -o %s/gone", place, place);
    assert_non_null(strstr(run.err, "what the spenders showed is left out"));
    run_free(&run);
    assert_same_file(path_of("%s/ties/ties.csv", place), path_of("%s/gone/ties.csv", place));
    unktx_ok("ties --store %s/store --datadir %s/moved --rules core-22 -o %s/moved-ties", place, place, place);
    assert_same_file(path_of("%s/ties/ties.csv", place), path_of("%s/moved-ties/ties.csv", place));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_planted),     cmocka_unit_test(test_threads),    cmocka_unit_test(test_max_degree),
        cmocka_unit_test(test_file_pruned), cmocka_unit_test(test_files_gone),
    };
    return cmocka_run_group_tests_name("ties", tests, make, clean);
}
