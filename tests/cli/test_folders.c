/* folders: every state that a node, a disk or a hand leaves a data folder in: the message names the file, the cause and
 * the way out, the exit status tells, and the chain is right. Made from the fixture regtest-xor (tip: height 260). */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "parser/bytes.h"
#include "parser/sha256.h"
#include "tests/support/dir.h"
#include "tests/support/markup.h"
#include "tests/support/run.h"
#include "tests/support/table.h"

#define FIXTURE "tests/fixtures/regtest-xor"
#define TIP 260
#define FORK_HEADER 164u

static char blocks[300];  /* its blocks folder */
static uint8_t key[8];    /* of the fixture */
static char key_text[17]; /* as hexadecimal digits */
static unsigned runs;     /* stores made */

static int set_up(void **state)
{
    (void)state;
    dir = temp_dir();
    snprintf(blocks, sizeof blocks, "%s/data/regtest/blocks", dir);
    copy_bundled_chain(path_of("%s/data", dir));
    size_t size;
    char *bytes = read_file(FIXTURE "/regtest/blocks/xor.dat", &size);
    assert_int_equal(size, sizeof key);
    memcpy(key, bytes, sizeof key);
    free(bytes);
    for (size_t i = 0; i < sizeof key; i++)
        snprintf(key_text + 2 * i, 3, "%02x", key[i]);
    return 0;
}

static const char *blk(unsigned number) { return path_of("%s/blk%05u.dat", blocks, number); }

/* A scan into a new store ends with the status, says each of the words (NULL ends them), and takes the chain to
 * `height` (-1: to none). Returns what it said. */
static char *scan(int status, int height, const char *options, const char *const *words)
{
    struct run run = unktx_expect(status, "scan%s%s --datadir %s/data --store %s/store-%u", *options ? " " : "",
                                  options, dir, dir, ++runs);
    char tip[40];
    snprintf(tip, sizeof tip, "height %d, tip ", height);
    if (height >= 0 && !strstr(run.err, tip))
        fail_msg("not \"%s\" but: %s", tip, run.err);
    for (; *words; words++)
        if (!strstr(run.err, *words))
            fail_msg("no \"%s\" in: %s", *words, run.err);
    char *said = run.err;
    run.err = NULL;
    run_free(&run);
    return said;
}

#define SCAN(status, height, options, ...) free(scan(status, height, options, (const char *const[]){__VA_ARGS__, NULL}))

/* The tables of the store made last are those of the fixture as it is. */
static void assert_same_tables(void)
{
    unktx_ok("scan --quiet --datadir " FIXTURE " --store %s/right", dir);
    unktx_ok("dags --store %s/right -o %s/right-tables", dir, dir);
    unktx_ok("dags --store %s/store-%u -o %s/tables-%u", dir, runs, dir, runs);
    assert_same_file(path_of("%s/right-tables/tdags.csv", dir), path_of("%s/tables-%u/tdags.csv", dir, runs));
    assert_same_file(path_of("%s/right-tables/txs.csv", dir), path_of("%s/tables-%u/txs.csv", dir, runs));
}

/* XORs a file of the folder with what leads from one key to another. */
static void rekey(const char *path, const uint8_t *from, const uint8_t *to)
{
    size_t size;
    uint8_t *bytes = (uint8_t *)read_file(path, &size);
    assert_non_null(bytes);
    for (size_t i = 0; i < size; i++)
        bytes[i] ^= from[i % 8] ^ to[i % 8];
    write_file(path, bytes, size);
    free(bytes);
}

static const uint8_t zeros[8], other[8] = {9, 8, 7, 6, 5, 4, 3, 2};

/* ---- the key ---- */

/* The line that the message gives restores xor.dat, byte for byte. */
static void follow_way_out(const char *said)
{
    const char *line = strstr(said, "printf '");
    assert_non_null(line);
    size_t size = (size_t)(strstr(line, "xor.dat") - line) + strlen("xor.dat");
    struct run run = shell("cd %s && %.*s", blocks, (int)size, line);
    assert_int_equal(run.exit_status, 0);
    run_free(&run);
    assert_same_file(path_of("%s/xor.dat", blocks), FIXTURE "/regtest/blocks/xor.dat");
}

static void check_wrong_key(const char *words)
{
    char option[64];
    snprintf(option, sizeof option, "--xor-key %s", key_text);
    char *said = scan(1, -1, "", (const char *const[]){words, key_text, option, blocks, NULL});
    SCAN(0, TIP, option, "261 blocks added");
    assert_same_tables();
    struct run run = unktx_expect(1, "blocks %s", blocks);
    assert_non_null(strstr(run.err, option));
    run_free(&run);
    run = unktx_expect(0, "blocks %s %s", option, blocks);
    assert_int_equal(count_of(run.out, ",active,"), TIP + 1);
    run_free(&run);
    unktx_ok("index %s --quiet --datadir %s/data --store %s/store-%u", option, dir, dir, runs);
    follow_way_out(said);
    free(said);
    SCAN(0, TIP, "", "261 blocks added");
}

static void test_lost_key(void **state)
{
    (void)state;
    unlink(path_of("%s/xor.dat", blocks));
    check_wrong_key("xor.dat is not there");
}

static void test_zero_key(void **state)
{
    (void)state;
    write_file(path_of("%s/xor.dat", blocks), zeros, 8);
    check_wrong_key("xor.dat has the key 0000000000000000");
}

static void test_key_of_another_node(void **state)
{
    (void)state;
    write_file(path_of("%s/xor.dat", blocks), other, 8);
    check_wrong_key("xor.dat has the key 0908070605040302");
}

static void test_key_of_wrong_size(void **state)
{
    (void)state;
    write_file(path_of("%s/xor.dat", blocks), key, 7);
    char *said = scan(1, -1, "", (const char *const[]){"7 bytes, not 8", key_text, "--xor-key", NULL});
    follow_way_out(said);
    free(said);
    unlink(path_of("%s/xor.dat", blocks));
    assert_int_equal(mkfifo(path_of("%s/xor.dat", blocks), 0600), 0);
    SCAN(1, -1, "", "xor.dat", "a FIFO");
}

static void test_options_of_key(void **state)
{
    (void)state;
    SCAN(2, -1, "--xor-key 12", "16 hexadecimal digits");
    SCAN(2, -1, "--xor-key 112233445566778g", "16 hexadecimal digits");
    SCAN(1, -1, "--xor-key 1122334455667788", "not the one of --xor-key", key_text);
}

/* All files and xor.dat to another key, each file as a whole: its preallocated end too. */
static void test_key_changed_with_the_zeros(void **state)
{
    (void)state;
    size_t size, grown = 7341;
    char *bytes = read_file(blk(9), &size);
    char *longer = calloc(1, size + grown); /* as the node leaves it */
    memcpy(longer, bytes, size);
    write_file(blk(9), longer, size + grown);
    for (unsigned i = 0; path_exists(blk(i)); i++)
        rekey(blk(i), key, other);
    write_file(path_of("%s/xor.dat", blocks), other, 8);
    SCAN(0, TIP, "", "regtest: height");
    assert_same_tables();
    free(bytes);
    free(longer);
}

/* A file without the key, and two of another one. */
static void test_files_under_other_keys(void **state)
{
    (void)state;
    rekey(blk(5), key, zeros);
    rekey(blk(7), key, other);
    rekey(blk(8), key, other);
    SCAN(3, TIP, "", "blk00005.dat", "0000000000000000", "blk00007.dat: to blk00008.dat", "0908070605040302",
         "nothing is lost");
    assert_same_tables();
    char *again = scan(3, TIP, "", (const char *const[]){"blk00005.dat", NULL}); /* a new run says it again */
    assert_null(strstr(again, "damaged and skipped"));
    free(again);
    struct run run = unktx_expect(3, "blocks %s", blocks);
    assert_int_equal(count_of(run.out, ",active,"), TIP + 1);
    assert_non_null(strstr(run.err, "blk00005.dat"));
    run_free(&run);
}

/* What bitcoind -reobfuscate-blocks leaves when it is stopped: files 0 to 3 are under the new key and not yet renamed;
 * of file 4 there is a part of the copy beside the original. */
static void test_interrupted_change_of_key(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        char to[400];
        rekey(blk(i), key, other);
        snprintf(to, sizeof to, "%s.reobfuscated", blk(i));
        assert_int_equal(rename(blk(i), to), 0);
    }
    write_file(path_of("%s.reobfuscated", blk(4)), other, 8);
    write_file(path_of("%s/xor.dat.reobfuscated", blocks), other, 8);
    SCAN(3, TIP, "", "5 blk files are under a name that ends in .reobfuscated", "start the node again",
         "blk00000.dat.reobfuscated: to blk00003.dat");
    assert_same_tables();
}

/* ---- blocks of the fork ---- */

/* A block record of the fork: the header of the given one with bit 31 and 84 more bytes, the same transactions. */
static struct record fork_of(const struct record *from, uint32_t height)
{
    uint8_t *bytes = calloc(1, from->size + 84);
    assert_non_null(bytes);
    memcpy(bytes, from->bytes, 88);
    bytes[8 + 3] |= 0x80;
    store_le32(bytes + 8 + 128, height);
    memcpy(bytes + 8 + FORK_HEADER, from->bytes + 88, from->size - 88);
    store_le32(bytes + 4, (uint32_t)(from->size + 84 - 8));
    return (struct record){bytes, from->size + 84};
}

/* The fixture's blocks, with the last five again as blocks of the fork. */
static void write_with_fork(size_t cut)
{
    struct records records = records_read(FIXTURE "/regtest/blocks");
    size_t first = records.count;
    records.list = realloc(records.list, (first + 5) * sizeof *records.list);
    for (size_t i = 0; i < 5; i++)
        records.list[records.count++] = fork_of(&records.list[first - 5 + i], 961640 + (uint32_t)i);
    records.list[records.count - 1].size -= cut;
    remove_tree(blocks);
    make_dirs(blocks);
    records_write(&records, blocks, 20, key);
    records_free(&records);
}

static void test_blocks_of_the_fork(void **state)
{
    (void)state;
    write_with_fork(0);
    SCAN(0, TIP, "", "5 blocks of the BLAKE2b fork (Bitcoin Knots 29.4), not followed");
    struct run run = unktx_expect(0, "scan --datadir %s/data --store %s/store-%u", dir, dir, runs);
    assert_non_null(strstr(run.err, "5 blocks of the BLAKE2b fork")); /* from what the store remembers */
    assert_non_null(strstr(run.err, "0 blocks added"));
    run_free(&run);
    unktx_ok("check --store %s/store-%u", dir, runs);
    run = unktx_expect(0, "blocks --verify %s", blocks);
    assert_int_equal(count_of(run.out, ",fork,"), 5);
    assert_int_equal(count_of(run.out, ",active,"), TIP + 1);
    assert_non_null(strstr(run.out, ",961644,fork,"));
    run_free(&run);
    assert_same_tables();
}

/* One that the node is still writing is no damage, one with a wrong merkle root is. */
static void test_damaged_blocks_of_the_fork(void **state)
{
    (void)state;
    write_with_fork(40);
    SCAN(0, TIP, "", "4 blocks of the BLAKE2b fork");
    write_with_fork(0);
    const char *last = blk(14); /* 277 records and 5 more, 20 a file */
    assert_false(path_exists(blk(15)));
    size_t size;
    uint8_t *bytes = (uint8_t *)read_file(last, &size);
    bytes[size - 3] ^= 1;
    write_file(last, bytes, size);
    free(bytes);
    SCAN(0, TIP, "", "4 blocks of the BLAKE2b fork"); /* as if torn: the last of the last file */
}

/* ---- a snapshot, and a node at work ---- */

/* Height by block hash, of the truth's table; -1 for a stale block. */
static int height_of(const struct table *truth, const uint8_t *header)
{
    struct hash256 hash;
    char hex[HASH256_HEX_SIZE + 1] = "";
    sha256d(header, 80, &hash);
    hash256_hex(&hash, hex);
    for (size_t r = 0; r < truth->rows; r++)
        if (strcmp(table_get(truth, r, "hash"), hex) == 0)
            return (int)table_number(truth, r, table_column(truth, "height"));
    return -1;
}

/* The fixture without the blocks of some heights, 20 a file. */
static void write_without(int from, int to)
{
    struct table truth = table_read(FIXTURE "/truth/blocks.csv");
    struct records all = records_read(FIXTURE "/regtest/blocks"), some = {0};
    some.list = calloc(all.count, sizeof *some.list);
    for (size_t i = 0; i < all.count; i++) {
        int height = height_of(&truth, all.list[i].bytes + 8);
        if (height < from || height > to)
            some.list[some.count++] = all.list[i];
    }
    remove_tree(blocks);
    make_dirs(blocks);
    records_write(&some, blocks, 20, key);
    free(some.list);
    records_free(&all);
    table_free(&truth);
}

static void test_snapshot(void **state)
{
    (void)state;
    write_without(151, 199);
    static const char tip[] = "200 to 260 (tip 6a7d0515f2f3671d2c8e97b1b5ae2ca168f22de1010513da1f45b1dbde06558f)";
    SCAN(3, 150, "", "snapshot (assumeutxo)", "as it looks", "heights 151 to 199", tip, "getchainstates", "-reindex",
         "damaged and skipped: 1 place of");
    make_dirs(path_of("%s/data/regtest/chainstate_snapshot", dir));
    char *said = scan(3, 150, "", (const char *const[]){"snapshot (assumeutxo)", "heights 151 to 199", NULL});
    assert_null(strstr(said, "as it looks"));
    assert_null(strstr(said, "-reindex"));
    free(said);
}

/* A lost file is no snapshot. */
static void test_missing_file(void **state)
{
    (void)state;
    unlink(blk(7));
    char *said = scan(3, -1, "", (const char *const[]){"blk00007.dat is missing", "-reindex", NULL});
    assert_null(strstr(said, "snapshot"));
    free(said);
}

/* ---- names that are no file ---- */

static void test_misfits(void **state)
{
    (void)state;
    assert_int_equal(symlink("/nowhere/blk00021.dat", blk(21)), 0);
    assert_int_equal(mkfifo(blk(22), 0600), 0);
    make_dirs(blk(23));
    SCAN(3, TIP, "", "blk00021.dat: it has the name of a blk file and is a link that leads nowhere",
         "blk00022.dat: it has the name of a blk file and is a FIFO",
         "blk00023.dat: it has the name of a blk file and is a folder", "damaged and skipped: 3 places");
    struct run run = unktx_expect(3, "blocks %s", blocks);
    assert_non_null(strstr(run.err, "a link that leads nowhere"));
    assert_int_equal(count_of(run.out, ",active,"), TIP + 1);
    run_free(&run);
    run = unktx_expect(1, "blocks %s", blk(21));
    assert_non_null(strstr(run.err, "it is a link that leads nowhere"));
    run_free(&run);
    run = unktx_expect(1, "blocks %s", blk(22));
    assert_non_null(strstr(run.err, "neither a file nor a folder"));
    run_free(&run);
}

static void test_only_misfits(void **state)
{
    (void)state;
    remove_tree(blocks);
    make_dirs(blocks);
    assert_int_equal(symlink("/nowhere/blk00000.dat", blk(0)), 0);
    SCAN(1, -1, "", blk(0), "a link that leads nowhere");
    unlink(blk(0));
    SCAN(1, -1, "--chain regtest", blocks, "no blk*.dat"); /* the path told is the path looked for */
}

/* ---- counted right, told once ---- */

/* Every 25th block of the chain is cut out: each of the gaps counts, and analyze says it once. */
static void test_many_gaps(void **state)
{
    (void)state;
    struct table truth = table_read(FIXTURE "/truth/blocks.csv");
    struct records all = records_read(FIXTURE "/regtest/blocks"), some = {0};
    some.list = calloc(all.count, sizeof *some.list);
    unsigned cut = 0, gaps = 0;
    for (size_t i = 0; i < all.count; i++) {
        int height = height_of(&truth, all.list[i].bytes + 8);
        if (height > 20 && height < TIP && height % 25 == 0)
            cut++;
        else
            some.list[some.count++] = all.list[i];
    }
    /* a gap in the chain is a block whose parent is in no file */
    for (size_t i = 0; i < some.count; i++) {
        bool found = height_of(&truth, some.list[i].bytes + 8) == 0;
        for (size_t k = 0; k < some.count && !found; k++) {
            struct hash256 hash;
            sha256d(some.list[k].bytes + 8, 80, &hash);
            found = memcmp(hash.bytes, some.list[i].bytes + 12, sizeof hash) == 0;
        }
        gaps += !found;
    }
    assert_true(cut >= 9 && gaps >= cut);
    remove_tree(blocks);
    make_dirs(blocks);
    records_write(&some, blocks, 20, key);
    char count[64];
    snprintf(count, sizeof count, "damaged and skipped: %u places of", gaps);
    SCAN(3, -1, "", count);
    struct run run = unktx_expect(3, "analyze --index --datadir %s/data -o %s/out", dir, dir);
    assert_int_equal(count_of(run.err, count), 1);
    assert_int_equal(count_of(run.err, "damaged and skipped"), 1);
    assert_int_equal(count_of(run.err, "further gaps"), 1);
    assert_int_equal(count_of(run.err, "[1/4] scan"), 1);
    run_free(&run);
    free(some.list);
    records_free(&all);
    table_free(&truth);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, remove_dir)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_lost_key),
        TEST(test_zero_key),
        TEST(test_key_of_another_node),
        TEST(test_key_of_wrong_size),
        TEST(test_options_of_key),
        TEST(test_key_changed_with_the_zeros),
        TEST(test_files_under_other_keys),
        TEST(test_interrupted_change_of_key),
        TEST(test_blocks_of_the_fork),
        TEST(test_damaged_blocks_of_the_fork),
        TEST(test_snapshot),
        TEST(test_missing_file),
        TEST(test_misfits),
        TEST(test_only_misfits),
        TEST(test_many_gaps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
