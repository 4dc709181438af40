/* `unktx scan` again and again over files that grow, branch, are overwritten, pruned, or of another chain: always the
 * store of a fresh scan, or a refusal that says why. */
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
#include "tests/support/stores.h"
#include "tests/support/table.h"

/* A folder for one test, with a generated chain in DIR/data whose blocks lie in the order of the chain. */
struct place {
    char *dir;
    char data[512];
    char blocks[600];
};

static const uint8_t key[8] = {0x4f, 0x01, 0xa7, 0x00, 0x13, 0xee, 0x5b, 0xc2};

static struct gen_options options_of(const struct place *place)
{
    return (struct gen_options){.dir = place->data,
                                .seed = 23,
                                .block_bytes = 3000,
                                .file_bytes = 100000,
                                .window = 1,
                                .planted_per_10k = 2000};
}

/* Adds blocks, on the tip or on the block of that height. */
static void grow(const struct place *place, uint32_t fork_height, uint32_t blocks)
{
    struct gen_options options = options_of(place);
    struct gen *gen = gen_open(&options);
    if (fork_height != UINT32_MAX)
        gen_fork(gen, fork_height);
    gen_blocks(gen, blocks, 0);
    gen_close(gen);
}

static uint32_t height_of(const struct place *place)
{
    struct gen_options options = options_of(place);
    struct gen *gen = gen_open(&options);
    uint32_t height = gen_height(gen);
    gen_close(gen);
    return height;
}

static int set_up(void **state)
{
    struct place *place = must_alloc(1, sizeof *place);
    place->dir = temp_dir();
    snprintf(place->data, sizeof place->data, "%s/data", place->dir);
    snprintf(place->blocks, sizeof place->blocks, "%s/regtest/blocks", place->data);
    grow(place, UINT32_MAX, 160);
    *state = place;
    return 0;
}

static int tear_down(void **state)
{
    struct place *place = *state;
    remove_tree(place->dir);
    free(place->dir);
    free(place);
    return 0;
}

/* Scans DATADIR into DIR/STORE; the height that it reports. */
static uint32_t scan(const struct place *place, const char *datadir, const char *store, const char *more)
{
    struct run run = unktx_expect(0, "scan --datadir %s --store %s/%s %s", datadir, place->dir, store, more);
    const char *at = strstr(run.err, ": height ");
    uint32_t height = 0;
    if (!at || sscanf(at, ": height %u", &height) != 1)
        fail_msg("no height in: %s", run.err);
    run_free(&run);
    return height;
}

/* The store is the same as that of a fresh scan of the folder. */
static void assert_fresh(const struct place *place, const char *datadir, const char *store)
{
    remove_tree(path_of("%s/fresh", place->dir));
    scan(place, datadir, "fresh", "");
    assert_same_stores(path_of("%s/fresh", place->dir), path_of("%s/%s", place->dir, store), place->dir);
}

static void assert_refused(const struct place *place, const char *text, const char *datadir, const char *store)
{
    char before[DIGEST_SIZE + 1], after[DIGEST_SIZE + 1];
    store_digest(path_of("%s/%s", place->dir, store), before);
    struct run run = unktx_expect(1, "scan --datadir %s --store %s/%s", datadir, place->dir, store);
    if (!strstr(run.err, text))
        fail_msg("no \"%s\" in: %s", text, run.err);
    run_free(&run);
    store_digest(path_of("%s/%s", place->dir, store), after);
    assert_string_equal(before, after);
}

/* ---- a node that writes ---- */

/* One file of the first `whole` records and `part` bytes of the next, and after it `zeros` raw zeros. */
static void write_cut(const struct records *records, size_t whole, size_t part, size_t zeros, bool xored,
                      const char *folder)
{
    size_t size = 0, total = 0;
    for (size_t r = 0; r <= whole && r < records->count; r++)
        total += records->list[r].size;
    uint8_t *bytes = must_alloc(total + zeros + 1, 1);
    for (size_t r = 0; r < whole; size += records->list[r++].size)
        memcpy(bytes + size, records->list[r].bytes, records->list[r].size);
    if (part > 0)
        memcpy(bytes + size, records->list[whole].bytes, part);
    size += part;
    for (size_t i = 0; xored && i < size; i++)
        bytes[i] ^= key[i % 8];
    make_dirs(folder);
    if (xored)
        write_file(path_of("%s/xor.dat", folder), key, sizeof key);
    write_file(path_of("%s/blk00000.dat", folder), bytes, size + zeros);
    free(bytes);
}

/* The last record is cut at every kind of place, by the end of the file or by zeros; the next scan finds it whole. */
static void test_half_written_records(void **state)
{
    struct place *place = *state;
    struct records records = records_read(place->blocks);
    static const size_t cuts[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 40, 80, 87, 88, 89, 92, 130, 200};
    enum { CUTS = sizeof cuts / sizeof *cuts, FROM_END = 12 };
    char data[600], folder[640];
    for (unsigned way = 0; way < 4; way++) {
        bool xored = way & 1, zeros = way & 2;
        snprintf(data, sizeof data, "%s/cut-%u", place->dir, way);
        snprintf(folder, sizeof folder, "%s/blocks", data);
        for (size_t c = 0; c < CUTS + FROM_END; c++) {
            size_t whole = 20 + c, size = records.list[whole].size, part = c < CUTS ? cuts[c] : size - (c - CUTS + 1);
            bool is_whole = zeros; /* where only (raw) zeros are cut off, with zeros after it nothing is missing */
            size_t start = 0;
            for (size_t r = 0; r < whole; r++)
                start += records.list[r].size;
            for (size_t i = part; i < size; i++)
                is_whole &= records.list[whole].bytes[i] == (xored ? key[(start + i) % 8] : 0);
            write_cut(&records, whole, part, zeros ? 300000 : 0, xored, folder);
            assert_int_equal(scan(place, data, path_of("cut-store-%u", way), ""), whole - 1 + is_whole);
        }
        write_cut(&records, records.count, 0, zeros ? 300000 : 0, xored, folder);
        scan(place, data, path_of("cut-store-%u", way), "");
        assert_fresh(place, place->data, path_of("cut-store-%u", way));
    }
    records_free(&records);
}

/* ---- reorganisations ---- */

/* The T-DAGs that lie below `height` as a whole have the ids and rows that they had. Those are the first ones here,
 * since the generator completes every T-DAG within a call. */
static void assert_ids_stay(const struct place *place, const char *before, const char *after, uint32_t height)
{
    struct table a = table_read(path_of("%s/%s/tdags.csv", place->dir, before));
    struct table b = table_read(path_of("%s/%s/tdags.csv", place->dir, after));
    size_t last = table_column(&a, "last_height"), untouched = 0;
    while (untouched < a.rows && table_number(&a, untouched, last) < height)
        untouched++;
    assert_true(untouched > 20 && untouched <= b.rows);
    for (size_t row = 0; row < untouched; row++)
        for (size_t column = 0; column < a.columns; column++)
            assert_string_equal(table_at(&a, row, column), table_at(&b, row, column));
    table_free(&a);
    table_free(&b);
}

/* Branches win between two scans; what is below the fork keeps its T-DAG ids. */
static void test_reorganisations(void **state)
{
    struct place *place = *state;
    static const uint32_t depths[] = {1, 6, 150};
    for (size_t i = 0; i < sizeof depths / sizeof *depths; i++) {
        uint32_t low = height_of(place);
        grow(place, UINT32_MAX, depths[i]);
        scan(place, place->data, "a", "");
        store_tables(path_of("%s/a", place->dir), "core-0.18", path_of("%s/before", place->dir));
        uint32_t tip = height_of(place);
        grow(place, tip - depths[i], depths[i] + 2);
        assert_true(height_of(place) > tip);
        assert_int_equal(scan(place, place->data, "a", ""), height_of(place));
        store_tables(path_of("%s/a", place->dir), "core-0.18", path_of("%s/after", place->dir));
        assert_ids_stay(place, "before", "after", low < tip - depths[i] ? low : tip - depths[i]);
        assert_fresh(place, place->data, "a");
    }
}

/* Down to the first block: the old ones are still in the files, so it is the same chain. */
static void test_reorganisation_of_everything(void **state)
{
    struct place *place = *state;
    scan(place, place->data, "a", "");
    grow(place, 0, height_of(place) + 1);
    scan(place, place->data, "a", "");
    assert_fresh(place, place->data, "a");
}

static void test_heights_and_tips(void **state)
{
    struct place *place = *state;
    struct gen_options options = options_of(place);
    char first[HASH256_HEX_SIZE + 1] = "";
    struct gen *gen = gen_open(&options);
    struct hash256 hash = gen_tip(gen);
    uint32_t height = gen_height(gen);
    hash256_hex(&hash, first);
    gen_fork(gen, height - 20);
    gen_blocks(gen, 25, 0);
    uint32_t best = gen_height(gen);
    gen_close(gen);
    /* Forward, back, to the branch that lost, back and half of it. */
    assert_int_equal(scan(place, place->data, "a", "--to-height 30"), 30);
    assert_int_equal(scan(place, place->data, "a", "--to-height 100"), 100);
    assert_int_equal(scan(place, place->data, "a", "--to-height 40"), 40);
    assert_int_equal(scan(place, place->data, "a", path_of("--tip %s", first)), height);
    assert_int_equal(scan(place, place->data, "a", ""), best);
    assert_int_equal(scan(place, place->data, "a", path_of("--tip %s", first)), height);
    assert_int_equal(scan(place, place->data, "b", path_of("--tip %s", first)), height);
    assert_same_stores(path_of("%s/a", place->dir), path_of("%s/b", place->dir), place->dir);
    assert_int_equal(scan(place, place->data, "a", path_of("--tip %s --to-height %u", first, height - 10)),
                     height - 10);
    assert_int_equal(scan(place, place->data, "a", ""), best);
    assert_fresh(place, place->data, "a");
}

/* Growth leaves the ids of what was complete before. */
static void test_growth_leaves_ids(void **state)
{
    struct place *place = *state;
    uint32_t height = height_of(place);
    scan(place, place->data, "a", "");
    store_tables(path_of("%s/a", place->dir), "core-0.18", path_of("%s/before", place->dir));
    grow(place, UINT32_MAX, 70);
    scan(place, place->data, "a", "");
    store_tables(path_of("%s/a", place->dir), "core-0.18", path_of("%s/after", place->dir));
    assert_ids_stay(place, "before", "after", height + 1);
}

/* ---- overwritten, moved and pruned files ---- */

/* A node that was killed begins again at an earlier place of its last file: it writes the blocks a second time, in
 * another order and with others between them, over the old ones. Scanned at every step. */
static void test_overwritten_file(void **state)
{
    struct place *place = *state;
    char data[600], folder[640];
    snprintf(data, sizeof data, "%s/over", place->dir);
    snprintf(folder, sizeof folder, "%s/blocks", data);
    struct records records = records_read(place->blocks);
    enum { BEFORE = 100, BACK = 80, AFTER = 130 };
    size_t size = 0, at = 0;
    for (size_t r = 0; r < AFTER + 20; r++)
        size += records.list[r].size;
    uint8_t *bytes = must_alloc(size, 1);
    for (size_t r = 0; r < BEFORE; at += records.list[r++].size) {
        memcpy(bytes + at, records.list[r].bytes, records.list[r].size);
        if (r + 1 == BACK)
            size = at + records.list[r].size; /* where the node goes on after the crash */
    }
    size_t end = at;
    make_dirs(folder);
    write_file(path_of("%s/blk00000.dat", folder), bytes, end);
    assert_int_equal(scan(place, data, "over-store", ""), BEFORE - 1);
    at = size;
    for (size_t i = BACK; i < AFTER; i++) {
        size_t r = i % 3 == 0 && i + 1 < AFTER ? i + 1 : i % 3 == 1 && i > BACK ? i - 1 : i; /* pairs change places */
        memcpy(bytes + at, records.list[r].bytes, records.list[r].size);
        at += records.list[r].size;
        end = at > end ? at : end;
        if (i % 7)
            continue;
        write_file(path_of("%s/blk00000.dat", folder), bytes, end);
        struct run run = unktx("scan --quiet --datadir %s --store %s/over-store", data, place->dir);
        assert_true(run.exit_status == 0 ||
                    run.exit_status == 3); /* a block may be missing until it is written again */
        run_free(&run);
    }
    write_file(path_of("%s/blk00000.dat", folder), bytes, end);
    free(bytes);
    records_free(&records);
    scan(place, data, "over-store", "");
    assert_fresh(place, data, "over-store");
}

/* The same with a real node's files: scanned when they held the blocks in another order and fewer of them. */
static void test_crashed_node(void **state)
{
    struct place *place = *state;
    char data[600], folder[640];
    snprintf(data, sizeof data, "%s/crash", place->dir);
    snprintf(folder, sizeof folder, "%s/regtest/blocks", data);
    struct records records = records_read("tests/fixtures/crash/regtest/blocks");
    struct records before = records;
    before.count = records.count - 40;
    records_write(&before, folder, 15, key);
    struct run run = unktx("scan --quiet --datadir %s --store %s/crash-store", data, place->dir);
    assert_true(run.exit_status == 0 || run.exit_status == 3);
    run_free(&run);
    records_free(&records);
    remove_tree(folder);
    copy_files("tests/fixtures/crash/regtest/blocks", folder);
    assert_int_equal(scan(place, data, "crash-store", ""), scan(place, "tests/fixtures/crash", "whole", ""));
    assert_fresh(place, data, "crash-store");
}

/* A copy of the chain in files of other sizes, not XORed any more: what was remembered of the old files misleads
 * nobody. */
static void test_other_layout(void **state)
{
    struct place *place = *state;
    char data[600];
    snprintf(data, sizeof data, "%s/layout", place->dir);
    struct records records = records_read(place->blocks);
    records_write(&records, path_of("%s/blocks", data), 7, key);
    assert_int_equal(scan(place, data, "layout-store", "--to-height 50"), 50);
    remove_tree(path_of("%s/blocks", data));
    records_write(&records, path_of("%s/blocks", data), 50, NULL);
    records_free(&records);
    assert_int_equal(scan(place, data, "layout-store", ""), height_of(place));
    assert_fresh(place, place->data, "layout-store");
}

/* Files that a node prunes away after a scan do not matter to the next one; a first scan needs them all. */
static void test_pruned(void **state)
{
    struct place *place = *state;
    scan(place, place->data, "a", "");
    make_dirs(path_of("%s/full", place->dir));
    copy_files(place->blocks, path_of("%s/full", place->dir));
    for (unsigned n = 0; n < 3; n++)
        assert_int_equal(unlink(path_of("%s/blk%05u.dat", place->blocks, n)), 0);
    scan(place, place->data, "a", "");
    struct run run = unktx_expect(1, "scan --datadir %s --store %s/b", place->data, place->dir);
    assert_non_null(strstr(run.err, "genesis"));
    assert_non_null(strstr(run.err, "pruned"));
    run_free(&run);
    grow(place, UINT32_MAX, 30);
    assert_int_equal(scan(place, place->data, "a", ""), height_of(place));
    for (unsigned n = 0; n < 3; n++)
        copy_file(path_of("%s/full/blk%05u.dat", place->dir, n), path_of("%s/blk%05u.dat", place->blocks, n));
    assert_fresh(place, place->data, "a");
}

/* ---- other chains ---- */

static void test_another_chain(void **state)
{
    struct place *place = *state;
    char data[600];
    snprintf(data, sizeof data, "%s/other", place->dir);
    struct gen_options options = options_of(place);
    options.dir = data;
    options.seed = 99;
    struct gen *gen = gen_open(&options);
    gen_blocks(gen, 30, 0);
    gen_close(gen);
    scan(place, place->data, "a", "");
    assert_refused(place, "only the genesis block", data, "a");
    /* A longer one is as much another chain. */
    gen = gen_open(&options);
    gen_blocks(gen, 300, 0);
    gen_close(gen);
    assert_refused(place, "only the genesis block", data, "a");
    /* A node that was reset, in the very folder. */
    remove_tree(place->blocks);
    copy_files(path_of("%s/regtest/blocks", data), place->blocks);
    assert_refused(place, "only the genesis block", place->data, "a");
    /* A store of the genesis block alone can become any chain's. */
    scan(place, place->data, "b", "--to-height 0");
    scan(place, data, "b", "");
    assert_fresh(place, data, "b");
}

static void test_another_network_or_option(void **state)
{
    struct place *place = *state;
    scan(place, place->data, "a", "");
    struct records records = records_read(place->blocks);
    for (size_t i = 0; i < records.count; i++)
        memcpy(records.list[i].bytes, "\x0b\x11\x09\x07", 4); /* testnet3's */
    records_write(&records, path_of("%s/testnet/blocks", place->dir), records.count, NULL);
    records_free(&records);
    assert_refused(place, "the store holds regtest, the data directory testnet3", path_of("%s/testnet", place->dir),
                   "a");
    struct run run = unktx_expect(1, "scan --nulldata store --datadir %s --store %s/a", place->data, place->dir);
    assert_non_null(strstr(run.err, "--nulldata count"));
    run_free(&run);
    run = unktx_expect(1, "scan --chain signet --datadir %s --store %s/a", place->blocks, place->dir);
    assert_non_null(strstr(run.err, "regtest"));
    run_free(&run);
    assert_fresh(place, place->data, "a");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_half_written_records, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_reorganisations, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_reorganisation_of_everything, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_heights_and_tips, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_growth_leaves_ids, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_overwritten_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_crashed_node, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_other_layout, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_pruned, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_another_chain, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_another_network_or_option, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
