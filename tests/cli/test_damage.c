/* `unktx scan` over block files with damage in them: what is lost is named with file, place and way out, the chain ends
 * below the first block that cannot be believed, and intact files later make it whole. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "parser/blkfile.h"
#include "parser/bytes.h"
#include "parser/sha256.h"
#include "tests/support/chaingen.h"
#include "tests/support/run.h"
#include "tests/support/stores.h"

enum { BLOCKS = 40, PER_FILE = 10 };

static const uint8_t key[8] = {0x91, 0x00, 0x3c, 0xe7, 0x22, 0x58, 0xff, 0x0d};

/* A small chain whose records lie in the order of the chain; DIR/good is its store. Each test damages a copy of the
 * records, which goes to DIR/bad. */
static struct {
    char *dir;
    char bad[512];
    char store[512];
    char good[512];
    struct records records;
} place;

static int set_up(void **state)
{
    (void)state;
    place.dir = temp_dir();
    char data[500];
    snprintf(data, sizeof data, "%s/data", place.dir);
    snprintf(place.bad, sizeof place.bad, "%s/bad", place.dir);
    snprintf(place.store, sizeof place.store, "%s/store", place.dir);
    snprintf(place.good, sizeof place.good, "%s/good", place.dir);
    struct gen_options options = {.dir = data, .seed = 5, .block_bytes = 1500, .window = 1, .planted_per_10k = 3000};
    struct gen *gen = gen_open(&options);
    gen_blocks(gen, BLOCKS - 1, 0);
    gen_close(gen);
    place.records = records_read(path_of("%s/regtest/blocks", data));
    assert_true(place.records.count >= BLOCKS);
    unktx_ok("scan --quiet --verify --datadir %s --store %s", data, place.good);
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

static struct records copy_records(void)
{
    struct records copy = {.count = place.records.count, .capacity = place.records.count};
    copy.list = must_alloc(copy.count, sizeof *copy.list);
    for (size_t i = 0; i < copy.count; i++) {
        copy.list[i].size = place.records.list[i].size;
        copy.list[i].bytes = must_alloc(copy.list[i].size, 1);
        memcpy(copy.list[i].bytes, place.records.list[i].bytes, copy.list[i].size);
    }
    return copy;
}

static void write_bad(const struct records *records, bool xored)
{
    remove_tree(place.bad);
    records_write(records, place.bad, PER_FILE, xored ? key : NULL);
}

/* Scans DIR/bad into DIR/store: exit status, every one of the texts on stderr (NULL ends them), and a store that is
 * that of the intact chain up to `height`. */
static void expect_scan(int status, uint32_t height, const char *options, const char *const texts[])
{
    struct run run = unktx_expect(status, "scan --quiet --datadir %s --store %s %s", place.bad, place.store, options);
    for (; texts && *texts; texts++)
        if (!strstr(run.err, *texts))
            fail_msg("no \"%s\" in: %s", *texts, run.err);
    if (status == 0)
        assert_string_equal(run.err, "");
    run_free(&run);
    char part[600], found[DIGEST_SIZE + 1], wanted[DIGEST_SIZE + 1];
    snprintf(part, sizeof part, "%s/part-%u", place.dir, height);
    if (!path_exists(part))
        unktx_ok("scan --quiet --datadir %s/data --store %s --to-height %u", place.dir, part, height);
    assert_int_equal(store_blocks(place.store), height + 1);
    store_digest(place.store, found);
    store_digest(part, wanted);
    assert_string_equal(found, wanted);
}

/* The same into a new store, and then once more with the intact files. */
static void expect_fresh_scan(int status, uint32_t height, const char *options, const char *const texts[])
{
    remove_tree(place.store);
    expect_scan(status, height, options, texts);
    write_bad(&place.records, false);
    expect_scan(0, tip(), "", NULL);
}

#define TEXTS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* ---- one byte ---- */

/* Whatever bit flips in a block's record: it is no record any more, has another identity, or fails its verification. */
static void test_every_byte_flipped(void **state)
{
    (void)state;
    struct block_verifier verifier = {0};
    struct blk_scan scan = {0};
    struct blk_reader reader = {0};
    size_t tried = 0;
    for (size_t r = 1; r < 6; r++) {
        for (size_t at = 0; at < place.records.list[r].size; at++, tried++) {
            struct records two = {.list = place.records.list + r, .count = 2};
            struct blkdir dir;
            uint8_t *byte = &place.records.list[r].bytes[at], bit = (uint8_t)(1u << at % 8);
            struct hash256 before, after = {{0}};
            sha256d(place.records.list[r].bytes + 8, BLOCK_HEADER_SIZE, &before);
            *byte ^= bit;
            remove_tree(place.bad);
            records_write(&two, place.bad, 2, NULL);
            *byte ^= bit;
            assert_int_equal(blkdir_open(place.bad, NULL, &dir, NULL), STATUS_OK);
            assert_int_equal(blk_scan_file(&dir, 0, (const uint8_t *)"\xfa\xbf\xb5\xda", &scan, NULL), STATUS_OK);
            bool caught = true;
            for (size_t i = 0; i < scan.count; i++) {
                const uint8_t *bytes;
                struct block_counts counts;
                sha256d(scan.records[i].header, BLOCK_HEADER_SIZE, &after);
                if (!hash256_equal(&before, &after))
                    continue;
                assert_int_equal(
                    blk_read(&reader, &dir, 0, scan.records[i].offset + 8, scan.records[i].size, &bytes, NULL),
                    STATUS_OK);
                caught = block_verify(&verifier, bytes, scan.records[i].size, &counts) != BLOCK_FINE;
            }
            if (!caught)
                fail_msg("a flip of byte %zu of record %zu is not noticed", at, r);
            blk_reader_free(&reader);
            blkdir_free(&dir);
        }
    }
    print_message("%zu bytes flipped\n", tried);
    blk_scan_free(&scan);
    block_verifier_free(&verifier);
}

/* The same by the whole program, for bytes of every field: the chain ends below the block. */
static void test_flips_end_the_chain_below(void **state)
{
    (void)state;
    static const size_t places[] = {0,  3,  4,  5,  6,  7,  8,  12,  30,  44,  60, 76,
                                    80, 84, 88, 89, 93, 94, 95, 130, 135, 140, 150};
    enum { PLACES = sizeof places / sizeof *places, RANDOM = 25 };
    struct rng rng = {7};
    for (size_t i = 0; i < PLACES + RANDOM; i++) {
        struct records records = copy_records();
        size_t r = 3 + i % 30, size = records.list[r].size;
        size_t at = i < PLACES ? places[i] : 88 + rng_below(&rng, (uint32_t)size - 88);
        records.list[r].bytes[at] ^= (uint8_t)(1u << i % 8);
        write_bad(&records, i % 2);
        records_free(&records);
        /* A damaged header makes another block of it: then the one that misses its parent is named. */
        const char *where = at < 88 ? "/blk0000" : path_of("blk%05zu.dat: at byte ", r / PER_FILE);
        expect_fresh_scan(3, (uint32_t)r - 1, "--verify", TEXTS(where, ".dat: at byte ", "again"));
    }
}

/* Without --verify only what does not parse is noticed. */
static void test_flip_that_parses(void **state)
{
    (void)state;
    struct records records = copy_records();
    records.list[20].bytes[records.list[20].size - 5] ^= 0x10; /* in the last script or witness, before the lock time */
    write_bad(&records, false);
    struct run run = unktx_expect(0, "scan --quiet --datadir %s --store %s", place.bad, place.store);
    assert_string_equal(run.err, "");
    run_free(&run);
    expect_fresh_scan(3, 19, "--verify", TEXTS("blk00002.dat: at byte", "of height 20", "ends below"));
    records_free(&records);
}

/* ---- lengths and cuts ---- */

static void test_wrong_lengths(void **state)
{
    (void)state;
    static const int64_t off[] = {-81, -80, -9, -8, -1, 1, 7, 8, 9, 100, 5000, 0x1000000, 0x7f000000, -1000000};
    for (size_t i = 0; i < sizeof off / sizeof *off; i++) {
        struct records records = copy_records();
        size_t r = 5 + 2 * i;
        uint32_t right = load_le32(records.list[r].bytes + 4);
        store_le32(records.list[r].bytes + 4, off[i] == -1000000 ? 0 : (uint32_t)((int64_t)right + off[i]));
        write_bad(&records, i % 2);
        records_free(&records);
        expect_fresh_scan(3, (uint32_t)r - 1, "", TEXTS(path_of("blk%05zu.dat: at byte ", r / PER_FILE), "skipped"));
    }
}

/* A file in the middle is cut within its last record: in magic, length, header, transactions. */
static void test_truncated_file(void **state)
{
    (void)state;
    static const size_t cuts[] = {1, 3, 4, 6, 8, 40, 87, 88, 89, 150, SIZE_MAX - 4, SIZE_MAX};
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
        size_t last = 2 * PER_FILE - 1, size = place.records.list[last].size;
        size_t left = cuts[i] < size ? cuts[i] : size + cuts[i] - SIZE_MAX - 1; /* SIZE_MAX: all but one byte */
        write_bad(&place.records, i % 2);
        struct stat info;
        const char *path = path_of("%s/blk00001.dat", place.bad);
        assert_int_equal(stat(path, &info), 0);
        assert_int_equal(truncate(path, info.st_size - (off_t)(size - left)), 0);
        expect_fresh_scan(3, (uint32_t)last - 1, "",
                          TEXTS("blk00001.dat: at byte ", "torn", "blk00002.dat: at byte 0: block ", "in no blk file",
                                path_of("ends at height %u", (uint32_t)last - 1)));
    }
}

/* ---- files ---- */

static void test_missing_file(void **state)
{
    (void)state;
    for (unsigned xored = 0; xored < 2; xored++) {
        write_bad(&place.records, xored);
        assert_int_equal(unlink(path_of("%s/blk00001.dat", place.bad)), 0);
        expect_fresh_scan(3, PER_FILE - 1, "",
                          TEXTS("blk00002.dat: at byte", "blk00001.dat is missing", "ends at height 9"));
    }
    /* A folder in its place is as good as none. */
    write_bad(&place.records, false);
    assert_int_equal(unlink(path_of("%s/blk00001.dat", place.bad)), 0);
    make_dirs(path_of("%s/blk00001.dat", place.bad));
    expect_fresh_scan(3, PER_FILE - 1, "", TEXTS("blk00001.dat is missing"));
}

/* The store holds what the lost file held: it keeps that, and goes on once the file is back. */
static void test_file_lost_after_a_scan(void **state)
{
    (void)state;
    struct records records = copy_records(), most = records;
    most.count -= 5;
    remove_tree(place.store);
    write_bad(&most, false);
    expect_scan(0, tip() - 5, "", NULL);
    records.list[25].bytes[1] ^= 1;
    write_bad(&most, false);
    expect_scan(3, tip() - 5, "", TEXTS("blk00002.dat", "skipped", "ends at height 24"));
    records_free(&records);
    write_bad(&place.records, false);
    expect_scan(0, tip(), "", NULL);
}

/* Disks rot without a change of time, and what is restored keeps its own: the next scan looks again all the same. */
static void test_restored_with_its_time(void **state)
{
    (void)state;
    static const size_t places[] = {0, 4, 8, 12, 44, 76, 88, 93};
    static const struct timespec old[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000000}};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        struct records records = copy_records();
        size_t r = 8 + 3 * i;
        records.list[r].bytes[places[i]] ^= 2;
        remove_tree(place.store);
        for (unsigned whole = 0; whole < 2; whole++) {
            write_bad(whole ? &place.records : &records, false);
            for (unsigned n = 0; path_exists(path_of("%s/blk%05u.dat", place.bad, n)); n++)
                assert_int_equal(utimensat(AT_FDCWD, path_of("%s/blk%05u.dat", place.bad, n), old, 0), 0);
            expect_scan(whole ? 0 : 3, whole ? tip() : (uint32_t)r - 1, "--verify", NULL);
        }
        records_free(&records);
    }
}

/* What stands before a command for a user who may not read everything. Root may: then as another user, if the machine
 * can do that; else the test is skipped. */
static const char *as_a_user(void)
{
    if (geteuid() != 0)
        return "";
    struct run can = shell("setpriv --reuid=65534 --clear-groups $UNKTX --version");
    bool able = can.exit_status == 0;
    run_free(&can);
    if (!able) {
        print_message("skipped: root, and no other user can run the program here\n");
        skip();
    }
    assert_int_equal(chmod(place.dir, 0777), 0);
    /* the leak finder cannot look into a process of another user */
    return "ASAN_OPTIONS=detect_leaks=0 setpriv --reuid=65534 --clear-groups ";
}

static void test_unreadable_file(void **state)
{
    (void)state;
    char bad[600];
    write_bad(&place.records, false);
    snprintf(bad, sizeof bad, "%s", place.bad);
    const char *as = as_a_user();
    assert_int_equal(chmod(path_of("%s/blk00001.dat", bad), 0), 0);
    struct run run = shell("%s$UNKTX scan --quiet --datadir %s --store %s/unreadable", as, bad, place.dir);
    assert_int_equal(run.exit_status, 3);
    assert_non_null(strstr(run.err, "blk00001.dat: cannot open the file: Permission denied"));
    assert_non_null(strstr(run.err, "ends at height 9"));
    run_free(&run);
    run = shell("%s$UNKTX blocks %s > /dev/null", as, bad);
    assert_int_equal(run.exit_status, 3);
    assert_non_null(strstr(run.err, "blk00001.dat: cannot open the file: Permission denied"));
    run_free(&run);
    run = shell("%s$UNKTX blocks %s/blk00001.dat", as, bad);
    assert_int_equal(run.exit_status, 1);
    run_free(&run);
    /* The first file is no better: but then there is no chain. */
    assert_int_equal(chmod(path_of("%s/blk00000.dat", bad), 0), 0);
    run = shell("%s$UNKTX scan --quiet --datadir %s --store %s/unreadable-2", as, bad, place.dir);
    assert_int_equal(run.exit_status, 1);
    assert_non_null(strstr(run.err, "blk00000.dat: cannot open the file: Permission denied"));
    run_free(&run);
    assert_int_equal(chmod(path_of("%s/blk00000.dat", bad), 0644), 0);
    assert_int_equal(chmod(path_of("%s/blk00001.dat", bad), 0644), 0);
    run = shell("%s$UNKTX scan --quiet --datadir %s --store %s/unreadable", as, bad, place.dir);
    assert_int_equal(run.exit_status, 0);
    run_free(&run);
    assert_int_equal(store_blocks(path_of("%s/unreadable", place.dir)), tip() + 1);
}

static void expect_failure(const char *datadir, const char *text)
{
    struct run run = unktx_expect(1, "scan --quiet --datadir %s --store %s/none", datadir, place.dir);
    if (!strstr(run.err, text))
        fail_msg("no \"%s\" in: %s", text, run.err);
    run_free(&run);
    assert_int_equal(store_blocks(path_of("%s/none", place.dir)), 0);
}

static void test_no_data_directory(void **state)
{
    (void)state;
    char folder[600];
    expect_failure(path_of("%s/nowhere", place.dir), "no such folder");
    snprintf(folder, sizeof folder, "%s/empty", place.dir);
    make_dirs(folder);
    expect_failure(folder, "no blk*.dat");
    write_file(path_of("%s/readme.txt", folder), "hello", 5);
    write_file(path_of("%s/blk1.dat", folder), "hello", 5);
    expect_failure(folder, "no blk*.dat");
    make_dirs(path_of("%s/blocks", folder));
    expect_failure(folder, "has no blk*.dat");
    write_file(path_of("%s/blocks/blk00000.dat", folder), "", 0);
    expect_failure(folder, "XORed with the key");
    write_file(path_of("%s/blocks/blk00000.dat", folder), "hello, I am no block", 20);
    expect_failure(folder, "no block record");
    expect_failure("/dev/null", "");
    for (size_t size = 0; size < 20; size++) {
        if (size == 8)
            continue;
        write_bad(&place.records, true);
        write_file(path_of("%s/xor.dat", place.bad), "12345678901234567890", size);
        expect_failure(place.bad, "xor.dat: the XOR key has");
    }
    /* A wrong key of the right size: nothing is recognised. */
    write_file(path_of("%s/xor.dat", place.bad), "12345678", 8);
    expect_failure(place.bad, "no block record");
}

/* ---- larger damage ---- */

static void test_garbage_between_records(void **state)
{
    (void)state;
    for (unsigned way = 0; way < 4; way++) {
        struct records records = copy_records();
        size_t r = 13, size = 1000 + 77 * way;
        struct rng rng = {way};
        uint8_t *bytes = must_alloc(records.list[r].size + size, 1);
        for (size_t i = 0; i < size; i++)
            bytes[i] = (uint8_t)(rng_next(&rng) | 1);
        if (way & 2) /* that looks like a record at first */
            memcpy(bytes, place.records.list[3].bytes, 60);
        memcpy(bytes + size, records.list[r].bytes, records.list[r].size);
        free(records.list[r].bytes);
        records.list[r].bytes = bytes;
        records.list[r].size += size;
        write_bad(&records, way & 1);
        records_free(&records);
        expect_fresh_scan(3, tip(), "", TEXTS("blk00001.dat: at byte ", path_of("skipped %zu bytes", size)));
    }
}

/* A megabyte of zeros over larger blocks, from the middle of one into the middle of another. */
static void test_zeroed_megabyte(void **state)
{
    (void)state;
    char data[600], blocks[700], path[800];
    for (unsigned xored = 0; xored < 2; xored++) {
        snprintf(data, sizeof data, "%s/large-%u", place.dir, xored);
        snprintf(blocks, sizeof blocks, "%s/regtest/blocks", data);
        struct gen_options options = {.dir = data,
                                      .seed = 6,
                                      .xored = xored,
                                      .block_bytes = 200000,
                                      .window = 1,
                                      .file_bytes = 3000000,
                                      .planted_per_10k = 3000};
        struct gen *gen = gen_open(&options);
        gen_blocks(gen, 40, 0);
        gen_close(gen);
        snprintf(path, sizeof path, "%s/blk00001.dat", blocks);
        size_t size;
        char *bytes = read_file(path, &size);
        assert_true(size > 2000000);
        char *intact = must_alloc(size, 1);
        memcpy(intact, bytes, size);
        memset(bytes + 700000, 0, 1 << 20);
        write_file(path, bytes, size);
        struct run run = unktx_expect(3, "scan --quiet --datadir %s --store %s/store", data, data);
        assert_non_null(strstr(run.err, "blk00001.dat: at byte "));
        assert_non_null(strstr(run.err, "in no blk file"));
        run_free(&run);
        uint32_t left = store_blocks(path_of("%s/store", data));
        assert_true(left > 10 && left < 25);
        unktx_ok("check --store %s/store", data);
        write_file(path, intact, size);
        unktx_ok("scan --quiet --datadir %s --store %s/store", data, data);
        unktx_ok("scan --quiet --datadir %s --store %s/fresh", data, data);
        assert_same_stores(path_of("%s/store", data), path_of("%s/fresh", data), data);
        free(bytes);
        free(intact);
    }
}

/* The end of a block inside a file is zeros. */
static void test_zeroed_end_of_a_block(void **state)
{
    (void)state;
    for (size_t zeros = 6; zeros < 400; zeros += 50) {
        struct records records = copy_records();
        memset(records.list[12].bytes + records.list[12].size - zeros, 0, zeros);
        write_bad(&records, false);
        records_free(&records);
        expect_fresh_scan(3, 11, "--verify", TEXTS("blk00001.dat: at byte "));
    }
}

/* ---- copies and branches ---- */

/* The first copy of a block is damaged, a second one in the files is not. */
static void test_second_copy(void **state)
{
    (void)state;
    static const struct {
        size_t at;
        const char *options;
    } damages[] = {{88, ""}, {200, "--verify"}};
    for (size_t d = 0; d < 2; d++) {
        for (size_t copies = 1; copies < 4; copies++) {
            struct records records = copy_records();
            size_t r = 17, at = damages[d].at;
            records.list[r].bytes[at] ^= 0x40;
            must_reserve(&records.list, &records.capacity, records.count + copies, sizeof *records.list);
            for (size_t c = 0; c < copies; c++) { /* one of them is sound */
                struct record *copy = &records.list[records.count++];
                copy->size = place.records.list[r].size;
                copy->bytes = must_alloc(copy->size, 1);
                memcpy(copy->bytes, place.records.list[r].bytes, copy->size);
                if (c != 1 && copies > 1)
                    copy->bytes[at] ^= 0x40;
            }
            write_bad(&records, copies == 2);
            records_free(&records);
            expect_fresh_scan(3, tip(), damages[d].options, TEXTS("of height 17", "the copy in blk0000", "is taken"));
        }
    }
}

/* A branch that lost: damage in it does not matter, and it does not take the place of a damaged best chain. */
static void test_branches(void **state)
{
    (void)state;
    char data[600], blocks[700];
    snprintf(data, sizeof data, "%s/branch", place.dir);
    snprintf(blocks, sizeof blocks, "%s/regtest/blocks", data);
    struct gen_options options = {.dir = data, .seed = 8, .block_bytes = 1500, .window = 1, .planted_per_10k = 3000};
    struct gen *gen = gen_open(&options);
    gen_blocks(gen, 30, 0); /* heights 1 to 30: records 1 to 30; what follows 27 loses */
    uint32_t lost = gen_height(gen);
    gen_fork(gen, lost - 3);
    gen_blocks(gen, 6, 0);
    uint32_t best = gen_height(gen);
    gen_close(gen);
    struct records records = records_read(blocks);
    unktx_ok("scan --quiet --datadir %s --store %s/fresh", data, data);
    assert_int_equal(store_blocks(path_of("%s/fresh", data)), best + 1);
    /* in the branch that lost, unparsable */
    records.list[lost - 1].bytes[88] ^= 0x40;
    remove_tree(place.bad);
    records_write(&records, place.bad, PER_FILE, NULL);
    unktx_ok("scan --quiet --datadir %s --store %s/stale-bad", place.bad, data);
    assert_same_stores(path_of("%s/fresh", data), path_of("%s/stale-bad", data), data);
    records.list[lost - 1].bytes[88] ^= 0x40;
    /* in the one that won, at the height of the fork's first block: unparsable, then lost */
    for (unsigned way = 0; way < 2; way++) {
        records.list[lost + 1].bytes[way ? 0 : 88] ^= 0x40;
        remove_tree(place.bad);
        records_write(&records, place.bad, PER_FILE, NULL);
        records.list[lost + 1].bytes[way ? 0 : 88] ^= 0x40;
        struct run run = unktx_expect(3, "scan --quiet --datadir %s --store %s/best-bad-%u", place.bad, data, way);
        run_free(&run);
        assert_int_equal(store_blocks(path_of("%s/best-bad-%u", data, way)), lost - 3 + 1);
        /* and a store that was right stays */
        if (way) {
            run = unktx_expect(3, "scan --quiet --datadir %s --store %s/stale-bad", place.bad, data);
            run_free(&run);
            assert_same_stores(path_of("%s/fresh", data), path_of("%s/stale-bad", data), data);
        }
    }
    records_free(&records);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_byte_flipped),
        cmocka_unit_test(test_flips_end_the_chain_below),
        cmocka_unit_test(test_flip_that_parses),
        cmocka_unit_test(test_wrong_lengths),
        cmocka_unit_test(test_truncated_file),
        cmocka_unit_test(test_missing_file),
        cmocka_unit_test(test_file_lost_after_a_scan),
        cmocka_unit_test(test_restored_with_its_time),
        cmocka_unit_test(test_unreadable_file),
        cmocka_unit_test(test_no_data_directory),
        cmocka_unit_test(test_garbage_between_records),
        cmocka_unit_test(test_zeroed_megabyte),
        cmocka_unit_test(test_zeroed_end_of_a_block),
        cmocka_unit_test(test_second_copy),
        cmocka_unit_test(test_branches),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
