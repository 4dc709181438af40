/* unktx blocks against the node's answers for the bundled chains, an independent parser's counts for real blocks, and
 * damage made here. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/kind_names.h"
#include "tests/support/run.h"
#include "tests/support/table.h"

static char *folder;

/* Runs `unktx blocks` with these words and reads its table. */
static struct table blocks(const char *words)
{
    unktx_ok("blocks -o %s/all.csv %s", folder, words);
    return table_read(path_of("%s/all.csv", folder));
}

static struct table named_blocks(int result, const char *words, const char *named)
{
    struct run run = unktx_expect(result, "blocks -o %s/all.csv %s", folder, words);
    if (!strstr(run.err, named))
        fail_msg("no \"%s\" in: %s", named, run.err);
    run_free(&run);
    return table_read(path_of("%s/all.csv", folder));
}

static size_t count_rows(const struct table *table, const char *column, const char *value)
{
    size_t count = 0;
    for (size_t row = 0; row < table->rows; row++)
        count += strcmp(table_get(table, row, column), value) == 0;
    return count;
}

/* ---- the bundled chains ---- */

/* Adds up what the node lists for each block in truth/outputs.csv. */
static void compare_outputs(const struct table *rows, const char *fixture)
{
    struct table outputs = table_read(path_of("%s/truth/outputs.csv", fixture));
    size_t height_column = table_column(&outputs, "height"), type_column = table_column(&outputs, "type");
    size_t heights = 0;
    for (size_t i = 0; i < outputs.rows; i++)
        if (table_number(&outputs, i, height_column) >= heights)
            heights = table_number(&outputs, i, height_column) + 1;
    size_t(*expected)[KIND_NAMES] = calloc(heights, sizeof *expected);
    bool *seen = calloc(heights, sizeof *seen);
    for (size_t i = 0; i < outputs.rows; i++)
        for (size_t k = 0; k < KIND_NAMES; k++)
            expected[table_number(&outputs, i, height_column)][k] += strcmp(table_at(&outputs, i, type_column),
                                                                            kind_names[k]) == 0;
    size_t active = 0;
    for (size_t row = 0; row < rows->rows; row++) {
        if (strcmp(table_get(rows, row, "state"), "active") != 0)
            continue;
        size_t height = table_number(rows, row, table_column(rows, "height"));
        assert_true(height < heights);
        active += !seen[height];
        seen[height] = true;
        for (size_t k = 0; k < KIND_NAMES; k++)
            assert_int_equal(table_number(rows, row, table_column(rows, kind_names[k])), expected[height][k]);
    }
    assert_int_equal(active, heights);
    free(expected);
    free(seen);
    table_free(&outputs);
}

static void test_bundled_chains(void **state)
{
    (void)state;
    static const char *const names[] = {"regtest-xor", "dup-txid", "genesis"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char fixture[64], words[128];
        snprintf(fixture, sizeof fixture, "tests/fixtures/%s", names[i]);
        snprintf(words, sizeof words, "--verify %s", fixture);
        struct table rows = blocks(words);
        compare_outputs(&rows, fixture);
        assert_int_equal(count_rows(&rows, "verify", "ok"), rows.rows);
        assert_int_equal(count_rows(&rows, "state", "detached"), 0);
        struct table truth = table_read(path_of("%s/truth/blocks.csv", fixture));
        for (size_t row = 0; row < rows.rows; row++) {
            size_t height = table_number(&rows, row, table_column(&rows, "height"));
            if (strcmp(table_get(&rows, row, "state"), "active") == 0)
                assert_string_equal(table_get(&rows, row, "hash"), table_get(&truth, height, "hash"));
        }
        table_free(&truth);
        table_free(&rows);
    }
}

static void test_what_a_killed_node_leaves(void **state)
{
    (void)state;
    struct table rows = named_blocks(0, "--verify tests/fixtures/crash",
                                     "blk00022.dat: at byte 18186: skipped 915 bytes");
    assert_int_equal(count_rows(&rows, "verify", "ok"), rows.rows);
    compare_outputs(&rows, "tests/fixtures/crash");
    table_free(&rows);
}

static void test_threads_change_nothing(void **state)
{
    (void)state;
    unktx_ok("blocks --verify --threads 1 -o %s/one.csv tests/fixtures/regtest-xor tests/fixtures/dup-txid", folder);
    unktx_ok("blocks --verify --threads 4 -o %s/four.csv tests/fixtures/dup-txid/ tests/fixtures/regtest-xor", folder);
    unktx_ok("blocks --threads 4 --verify -o %s/again.csv -- tests/fixtures/regtest-xor tests/fixtures/dup-txid",
             folder);
    assert_same_file(path_of("%s/one.csv", folder), path_of("%s/again.csv", folder));
    struct table one = table_read(path_of("%s/one.csv", folder)), four = table_read(path_of("%s/four.csv", folder));
    assert_int_equal(one.rows, four.rows);
    /* Two folders have a blk00000.dat: only the path tells them apart. */
    assert_non_null(strstr(table_get(&one, 0, "file"), "regtest-xor/regtest/blocks/blk00000.dat"));
    assert_non_null(strstr(table_get(&four, 0, "file"), "dup-txid/regtest/blocks/blk00000.dat"));
    table_free(&one);
    table_free(&four);
}

/* ---- damage ---- */

static void test_damaged_block_is_named(void **state)
{
    (void)state;
    struct records records = records_read("tests/fixtures/regtest-xor/regtest/blocks");
    char words[300];
    assert_true(records.count > 8);
    records.list[2].bytes[8 + 81] ^= 1;      /* version of the coinbase: the merkle root is wrong */
    records.list[3].bytes[8 + 80] = 0xfd;    /* count of transactions */
    memset(records.list[6].bytes + 8, 0, 4); /* the header: no proof of work */
    memset(records.list[6].bytes + 80, 0, 4);
    make_dirs(path_of("%s/damaged", folder));
    records_write(&records, path_of("%s/damaged", folder), records.count, NULL);
    snprintf(words, sizeof words, "--verify %s/damaged", folder);
    struct table rows = named_blocks(3, words, "damaged block");
    assert_int_equal(rows.rows, records.count - 1);
    assert_int_equal(count_rows(&rows, "verify", "ok"), rows.rows - 2);
    assert_string_equal(table_get(&rows, 3, "txs"), "");
    assert_string_equal(table_get(&rows, 3, "witness_unknown"), "");
    assert_string_not_equal(table_get(&rows, 2, "txs"), "");
    assert_string_equal(table_get(&rows, 2, "file"), "blk00000.dat");
    table_free(&rows);
    /* Without --verify only what does not parse is seen. */
    snprintf(words, sizeof words, "%s/damaged/blk00000.dat", folder);
    rows = named_blocks(3, words, "skipped 228 bytes");
    assert_int_equal(count_rows(&rows, "txs", ""), 1);
    table_free(&rows);
    records_free(&records);
}

static void test_usage(void **state)
{
    (void)state;
    struct run run = unktx_expect(2, "blocks");
    run_free(&run);
    run = unktx_expect(1, "blocks %s/none", folder);
    assert_non_null(strstr(run.err, "none"));
    assert_int_equal(run.out_size, 0);
    run_free(&run);
    run = unktx_expect(0, "blocks --help");
    assert_non_null(strstr(run.out, "--verify"));
    run_free(&run);
}

/* ---- real blocks ---- */

static const char *our_name(const char *kind)
{
    static const char *const names[][2] = {{"p2pk", "pubkey"}, {"p2pkh", "pubkeyhash"}, {"p2sh", "scripthash"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(kind, names[i][0]) == 0)
            return names[i][1];
    return kind;
}

static void test_real_blocks(void **state)
{
    (void)state;
    static const char *const sums[] = {"txs", "inputs", "outputs"};
    if (!path_exists("../shared/real/expected.jsonl")) {
        print_message(
            "skipped: no ../shared/real here, so no blocks of public networks against another parser's counts\n");
        skip();
    }
    struct json json = json_open("../shared/real/expected.jsonl");
    size_t folders = 0;
    while (json_next(&json)) {
        if (strcmp(json.key, "dir") != 0)
            continue;
        char words[sizeof json.value + 32];
        snprintf(words, sizeof words, "--verify ../shared/real/%s", json.value);
        struct table rows = blocks(words);
        uint64_t duplicates = json_find_number(&json, "duplicate_records");
        assert_int_equal(count_rows(&rows, "verify", "ok"), rows.rows);
        json_find(&json, "all");
        assert_int_equal(rows.rows, json_find_number(&json, "blocks") + duplicates);
        /* A block that is there twice counts twice in our sums, and is a single small one in these files. */
        for (size_t i = 0; i < 3 && duplicates == 0; i++)
            assert_int_equal(table_sum(&rows, sums[i]), json_find_number(&json, sums[i]));
        json_find(&json, "kinds");
        for (size_t k = 0; k < KIND_NAMES && duplicates == 0; k++) {
            assert_true(json_next(&json));
            assert_int_equal(table_sum(&rows, our_name(json.key)), json_number(&json));
        }
        table_free(&rows);
        folders++;
    }
    json_close(&json);
    assert_true(folders > 0);
}

static int setup(void **state)
{
    (void)state;
    folder = temp_dir();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    remove_tree(folder);
    free(folder);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bundled_chains),
        cmocka_unit_test(test_what_a_killed_node_leaves),
        cmocka_unit_test(test_threads_change_nothing),
        cmocka_unit_test(test_damaged_block_is_named),
        cmocka_unit_test(test_usage),
        cmocka_unit_test(test_real_blocks),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
