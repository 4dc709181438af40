/* `unktx index` over block files that are damaged, branch or belong to another chain, and what reads an index that is
 * itself damaged: the right index up to where the files can be believed, or an error that says what to do. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "graph/store/store.h"
#include "graph/test_hooks.h"
#include "tests/support/chaingen.h"
#include "tests/support/command.h"

enum { BLOCKS = 60, PER_FILE = 15 };

static const uint8_t key[8] = {0x91, 0x00, 0x3c, 0xe7, 0x22, 0x58, 0xff, 0x0d};

/* A small chain of real spends in DIR/data, in the order of the chain; a damaged copy of it goes to DIR/bad. */
static struct {
    char *dir;
    char data[512];
    char bad[512];
    char store[512];
    struct records records;
} place;

static struct gen_options options_of(const char *data)
{
    return (struct gen_options){
        .dir = data, .seed = 9, .block_bytes = 2500, .window = 1, .planted_per_10k = 2000, .spends = true};
}

static int set_up(void **state)
{
    (void)state;
    temp_dir_in_memory();
    kv_map_step((size_t)1 << 20);
    place.dir = temp_dir();
    snprintf(place.data, sizeof place.data, "%s/data", place.dir);
    snprintf(place.bad, sizeof place.bad, "%s/bad", place.dir);
    snprintf(place.store, sizeof place.store, "%s/store", place.dir);
    struct gen_options options = options_of(place.data);
    struct gen *gen = gen_open(&options);
    gen_blocks(gen, BLOCKS - 1, 0);
    gen_close(gen);
    place.records = records_read(path_of("%s/regtest/blocks", place.data));
    assert_true(place.records.count >= BLOCKS);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    records_free(&place.records);
    remove_tree(place.dir);
    free(place.dir);
    return 0;
}

static uint32_t tip(void) { return (uint32_t)place.records.count - 1; }

/* What `check` says of an index, but for its first line breaks. */
static void take_report(const char *store, char report[512])
{
    struct run run = command_run("check --store %s --threads 2", store);
    if (run.exit_status != 0 || run.out_size < 100 || run.out_size > 511)
        fail_msg("%s", run.err);
    memcpy(report, run.out, run.out_size + 1);
    run_free(&run);
}

/* The same as an index of the first blocks of that chain, made in one go. */
static void assert_index(const char *store, const char *data, uint32_t height, const char *more)
{
    char part[600], found[512], wanted[512];
    snprintf(part, sizeof part, "%s/part", place.dir);
    remove_tree(part);
    struct run run = command_run("index --quiet --datadir %s --store %s --to-height %u %s", data, part, height, more);
    if (run.exit_status != 0)
        fail_msg("%s", run.err);
    run_free(&run);
    take_report(store, found);
    take_report(part, wanted);
    assert_string_equal(found, wanted);
    if (!strstr(found, path_of("index_height %u\n", height)))
        fail_msg("not of height %u: %s", height, found);
}

static void assert_texts(const char *err, const char *const texts[])
{
    for (; texts && *texts; texts++)
        if (!strstr(err, *texts))
            fail_msg("no \"%s\" in: %s", *texts, err);
}

#define TEXTS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* Indexes DIR/bad: exit status, texts on stderr, and the index of the chain up to `height`. */
static void expect_index(int status, uint32_t height, const char *const texts[])
{
    struct run run = command_run("index --quiet --datadir %s --store %s", place.bad, place.store);
    if (run.exit_status != status)
        fail_msg("exit status %d, not %d: %s", run.exit_status, status, run.err);
    if (status == 0)
        assert_string_equal(run.err, "");
    assert_texts(run.err, texts);
    run_free(&run);
    assert_index(place.store, place.data, height, "");
}

static void write_bad(const struct records *records, bool xored)
{
    remove_tree(place.bad);
    records_write(records, place.bad, PER_FILE, xored ? key : NULL);
}

/* The same into a new store, and then once more with the intact files. */
static void expect_fresh_index(int status, uint32_t height, const char *const texts[])
{
    remove_tree(place.store);
    expect_index(status, height, texts);
    write_bad(&place.records, false);
    expect_index(0, tip(), NULL);
}

/* ---- damaged block files ---- */

/* Bits of every field and at random: with --verify the chain ends below each; a header that is another one makes
 * another block, if a right one. */
static void test_flips(void **state)
{
    (void)state;
    static const size_t places[] = {0,  3,  4,  5,  7,  8,  12, 30,  44,  60,  76,
                                    80, 84, 88, 89, 93, 94, 95, 130, 135, 140, 150};
    enum { PLACES = sizeof places / sizeof *places, RANDOM = 10 };
    struct rng rng = {(uint64_t)time(NULL)};
    print_message("seed %llu\n", (unsigned long long)rng.state);
    for (size_t i = 0; i < PLACES + RANDOM; i++) {
        size_t r = 3 + i % 50, size = place.records.list[r].size;
        size_t at = i < PLACES ? places[i] : 88 + rng_below(&rng, (uint32_t)size - 88);
        uint8_t *byte = &place.records.list[r].bytes[at], bit = (uint8_t)(1u << i % 8);
        *byte ^= bit;
        write_bad(&place.records, i % 2);
        *byte ^= bit;
        remove_tree(place.store);
        struct run run = command_run("index --verify --quiet --datadir %s --store %s", place.bad, place.store);
        if (run.exit_status != 3)
            fail_msg("byte %zu of record %zu: exit status %d: %s", at, r, run.exit_status, run.err);
        assert_texts(run.err, TEXTS("/blk0000", ".dat: at byte ", "again"));
        run_free(&run);
        if (at < 88)
            take_report(place.store, (char[512]){0});
        else
            assert_index(place.store, place.data, (uint32_t)r - 1, "");
        write_bad(&place.records, false);
        expect_index(0, tip(), NULL);
    }
}

/* Files missing in the middle, cut within a record, with garbage or zeros in them. */
static void test_holes(void **state)
{
    (void)state;
    static const size_t cuts[] = {1, 5, 40, 88, 150};
    char file[600];
    struct stat info;
    snprintf(file, sizeof file, "%s/blk00001.dat", place.bad);
    write_bad(&place.records, true);
    assert_int_equal(unlink(file), 0);
    expect_fresh_index(3, PER_FILE - 1, TEXTS("blk00002.dat", "blk00001.dat is missing", "ends at height 14"));
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
        write_bad(&place.records, i % 2);
        assert_int_equal(stat(file, &info), 0);
        assert_int_equal(
            truncate(file, info.st_size - (off_t)place.records.list[2 * PER_FILE - 1].size + (off_t)cuts[i]), 0);
        expect_fresh_index(3, 2 * PER_FILE - 2, TEXTS("blk00001.dat: at byte ", "ends at height 28"));
    }
    for (int fill = 0; fill < 2; fill++) { /* over the file's second record and a part of the third */
        size_t size, from = place.records.list[PER_FILE].size, count = place.records.list[PER_FILE + 1].size + 100;
        write_bad(&place.records, false);
        char *bytes = read_file(file, &size);
        memset(bytes + from, fill ? 0xa5 : 0, count);
        write_file(file, bytes, size);
        free(bytes);
        expect_fresh_index(3, PER_FILE, TEXTS("blk00001.dat: at byte ", "ends at height 15"));
    }
}

/* The index keeps what lost files held, and goes on once they are back. */
static void test_files_lost_after_a_build(void **state)
{
    (void)state;
    struct records most = place.records;
    most.count -= 10;
    remove_tree(place.store);
    write_bad(&most, false);
    expect_index(0, tip() - 10, NULL);
    assert_int_equal(unlink(path_of("%s/blk00000.dat", place.bad)), 0);
    struct run run = command_run("index --quiet --datadir %s --store %s", place.bad, place.store);
    if (run.exit_status != 0 && run.exit_status != 3)
        fail_msg("%s", run.err);
    run_free(&run);
    assert_index(place.store, place.data, tip() - 10, "");
    write_bad(&place.records, false);
    expect_index(0, tip(), NULL);
}

static void expect_failure(const char *datadir, const char *text)
{
    struct run run = command_run("index --quiet --datadir %s --store %s/none", datadir, place.dir);
    assert_int_equal(run.exit_status, 1);
    assert_texts(run.err, TEXTS(text));
    run_free(&run);
    run = command_run("tx 0 --store %s/none", place.dir);
    assert_int_equal(run.exit_status, 1);
    assert_texts(run.err, TEXTS("unktx index"));
    run_free(&run);
}

static void test_no_data_directory(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 7, 9, 4096};
    char folder[600];
    expect_failure(path_of("%s/nowhere", place.dir), "no such folder");
    snprintf(folder, sizeof folder, "%s/empty", place.dir);
    make_dirs(folder);
    expect_failure(folder, "no blk*.dat");
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        write_bad(&place.records, true);
        char *bytes = must_alloc(4096, 1);
        write_file(path_of("%s/xor.dat", place.bad), bytes, sizes[i]);
        free(bytes);
        expect_failure(place.bad, "xor.dat");
    }
    write_bad(&place.records, false);
    assert_int_equal(unlink(path_of("%s/blk00000.dat", place.bad)), 0);
    expect_failure(place.bad, "pruned");
}

/* ---- growing, branches, other chains ---- */

static void grow(const char *data, uint32_t fork_height, uint32_t blocks)
{
    struct gen_options options = options_of(data);
    struct gen *gen = gen_open(&options);
    if (fork_height != UINT32_MAX)
        gen_fork(gen, fork_height);
    gen_blocks(gen, blocks, 0);
    gen_close(gen);
}

static uint32_t height_of(const char *data, char hex[HASH256_HEX_SIZE + 1])
{
    struct gen_options options = options_of(data);
    struct gen *gen = gen_open(&options);
    uint32_t height = gen_height(gen);
    struct hash256 hash = gen_tip(gen);
    *hash256_hex(&hash, hex) = '\0';
    gen_close(gen);
    return height;
}

static void index_and_compare(const char *data, const char *store, const char *more)
{
    struct run run = command_run("index --quiet --datadir %s --store %s %s", data, store, more);
    if (run.exit_status != 0)
        fail_msg("%s", run.err);
    run_free(&run);
    char whole[600], found[512], wanted[512];
    snprintf(whole, sizeof whole, "%s/whole", place.dir);
    remove_tree(whole);
    run = command_run("index --quiet --datadir %s --store %s %s", data, whole, more);
    assert_int_equal(run.exit_status, 0);
    run_free(&run);
    take_report(store, found);
    take_report(whole, wanted);
    assert_string_equal(found, wanted);
}

static void test_reorganisations(void **state)
{
    (void)state;
    static const uint32_t depths[] = {1, 6, 150};
    char data[600], store[600], lost[HASH256_HEX_SIZE + 1], best[HASH256_HEX_SIZE + 1];
    snprintf(data, sizeof data, "%s/branches", place.dir);
    snprintf(store, sizeof store, "%s/branches-store", place.dir);
    for (size_t i = 0; i < sizeof depths / sizeof *depths; i++) {
        grow(data, UINT32_MAX, depths[i] + 20);
        index_and_compare(data, store, "");
        uint32_t height = height_of(data, lost);
        grow(data, height - depths[i], depths[i] + 2);
        index_and_compare(data, store, "");
        (void)height_of(data, best);
        assert_string_not_equal(lost, best);
        index_and_compare(data, store, path_of("--tip %s", lost)); /* back, and forth again */
        index_and_compare(data, store, path_of("--tip %s --to-height %u", lost, height - depths[i] - 5));
        index_and_compare(data, store, "");
    }
}

/* The last record is cut at every kind of place; the next run finds it whole. */
static void test_half_written_records(void **state)
{
    (void)state;
    static const size_t cuts[] = {1, 4, 7, 8, 40, 87, 88, 92, 200};
    remove_tree(place.store);
    for (size_t c = 0; c < sizeof cuts / sizeof *cuts; c++) {
        struct records some = place.records;
        some.count = 20 + c;
        size_t size = some.list[some.count - 1].size;
        write_bad(&some, c % 2);
        char file[600];
        struct stat info;
        snprintf(file, sizeof file, "%s/blk00001.dat", place.bad);
        assert_int_equal(stat(file, &info), 0);
        assert_int_equal(truncate(file, info.st_size - (off_t)size + (off_t)cuts[c]), 0);
        expect_index(0, (uint32_t)some.count - 2, NULL);
    }
    write_bad(&place.records, false);
    expect_index(0, tip(), NULL);
}

static void assert_refused(const char *data, const char *store, const char *text)
{
    char before[512], after[512];
    take_report(store, before);
    struct run run = command_run("index --quiet --datadir %s --store %s", data, store);
    assert_int_equal(run.exit_status, 1);
    assert_texts(run.err, TEXTS(text));
    run_free(&run);
    take_report(store, after);
    assert_string_equal(before, after);
}

static void test_another_chain_or_network(void **state)
{
    (void)state;
    char data[600], store[600];
    snprintf(data, sizeof data, "%s/other", place.dir);
    snprintf(store, sizeof store, "%s/other-store", place.dir);
    index_and_compare(place.data, store, "");
    struct gen_options options = options_of(data);
    options.seed = 99;
    struct gen *gen = gen_open(&options);
    gen_blocks(gen, 2 * BLOCKS, 0);
    gen_close(gen);
    assert_refused(data, store, "only the genesis block");
    struct records records = records_read(path_of("%s/regtest/blocks", data));
    for (size_t i = 0; i < records.count; i++)
        memcpy(records.list[i].bytes, "\x0b\x11\x09\x07", 4); /* testnet3's */
    records_write(&records, path_of("%s/testnet/blocks", place.dir), records.count, NULL);
    records_free(&records);
    assert_refused(path_of("%s/testnet", place.dir), store, "regtest");
}

/* It succeeds, or says why not. */
static void assert_answers(const struct run *run, size_t at, const char *command)
{
    if (run->exit_status > 1 || (run->exit_status == 1 && run->err[0] == '\0'))
        fail_msg("byte %zu: %s: exit status %d, %s%s", at, command, run->exit_status, run->err, run->out);
}

/* ---- the index itself ---- */

enum { PAGE = 4096, READERS = 6 };

/* Each reader's command, and what it writes of the index as it is. */
struct reader {
    char command[200];
    char *rows;
};

static void take_rows(struct reader readers[READERS], const char *store)
{
    static const char *const commands[READERS] = {"dump outputs", "dump inputs", "dump txs",
                                                  "tx 40",        "dump blocks", "travel"};
    char txid[HASH256_HEX_SIZE + 1] = "";
    struct run run = command_run("dump txs --from-height 5 --to-height 5 --store %s", store);
    assert_true(sscanf(strchr(run.out, '\n'), "\n5,0,%64[0-9a-f]", txid) == 1);
    run_free(&run);
    for (size_t i = 0; i < READERS; i++) {
        snprintf(readers[i].command, sizeof readers[i].command, "%s%s%s --store", commands[i], i == 5 ? " " : "",
                 i == 5 ? txid : "");
        run = command_run("%s %s", readers[i].command, store);
        assert_int_equal(run.exit_status, 0);
        readers[i].rows = strdup(run.out);
        run_free(&run);
    }
}

/* Of an index with another byte at `at`. */
static bool is_refused(const struct reader *reader, size_t at, const char *store)
{
    struct run run = command_run("%s %s", reader->command, store);
    assert_answers(&run, at, reader->command);
    if (run.exit_status == 0 && at >= 2 * PAGE && strcmp(run.out, reader->rows) != 0)
        fail_msg("byte %zu: %s writes other rows", at, reader->command);
    bool refused = run.exit_status == 1;
    run_free(&run);
    return refused;
}

/* An index with one bit changed anywhere, half of the time in a page's first bytes: check ends in an error with a text,
 * or finds what was there. What reads it writes what it wrote before, or ends in an error with a text. In LMDB's first
 * two pages a bit can make the commit before the last one the last: then they tell of that one. */
static void test_any_bit(void **state)
{
    (void)state;
    enum { FLIPS = 800 };
    struct reader readers[READERS];
    const char *given = getenv("TEST_SEED");
    struct rng rng = {given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL)};
    print_message("seed %llu (TEST_SEED=... repeats it)\n", (unsigned long long)rng.state);
    char good[600], lie[600], whole[512];
    size_t size;
    unsigned found = 0, refused = 0;
    snprintf(good, sizeof good, "%s/good", place.dir);
    snprintf(lie, sizeof lie, "%s/lie", place.dir);
    for (uint32_t height = 40; height <= tip(); height += tip() - 40) /* a part of it added later */
        index_and_compare(place.data, good, path_of("--to-height %u", height));
    take_report(good, whole);
    take_rows(readers, good);
    char *bytes = read_file(path_of("%s/tio/data.mdb", good), &size);
    make_dirs(path_of("%s/tio", lie));
    for (int i = 0; i < FLIPS; i++) {
        size_t at = rng_below(&rng, (uint32_t)size);
        at = i % 2 ? at / PAGE * PAGE + rng_below(&rng, 160) : at;
        char bit = (char)(1 << rng_below(&rng, 8));
        bytes[at] ^= bit;
        write_file(path_of("%s/tio/data.mdb", lie), bytes, size);
        bytes[at] ^= bit;
        kv_open_leaves(i % 4 < 2 ? 0 : UINT64_MAX); /* pages are looked at on the way to a key, or on opening */
        struct run run = command_run("check --store %s --threads 2", lie);
        assert_answers(&run, at, "check");
        found += run.exit_status == 1;
        if (run.exit_status == 0 && at >= 2 * PAGE && strcmp(run.out, whole) != 0)
            fail_msg("byte %zu: check says %s", at, run.out);
        run_free(&run);
        refused += is_refused(&readers[i % READERS], at, lie);
    }
    print_message("%u of %u found, the others changed nothing; %u readings refused\n", found, FLIPS, refused);
    assert_in_range(found, FLIPS / 10, FLIPS);
    for (size_t i = 0; i < READERS; i++)
        free(readers[i].rows);
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flips),
        cmocka_unit_test(test_holes),
        cmocka_unit_test(test_files_lost_after_a_build),
        cmocka_unit_test(test_no_data_directory),
        cmocka_unit_test(test_reorganisations),
        cmocka_unit_test(test_half_written_records),
        cmocka_unit_test(test_another_chain_or_network),
        cmocka_unit_test(test_any_bit),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
