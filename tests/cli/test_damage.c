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
#include "tests/cli/damaged_chain.h"
#include "tests/support/chaingen.h"
#include "tests/support/run.h"
#include "tests/support/stores.h"

/* ---- one byte ---- */

/* Whatever bit flips in a block's record: it is no record any more, has another identity, or fails its verification. */
static void test_every_byte_flipped(void **state)
{
    (void)state;
    struct block_verifier verifier = {0};
    struct blk_scan scan = {0};
    struct blk_reader reader = {0};
    size_t tried = 0;
    remove_tree(place.bad);
    for (size_t r = 1; r < 6; r++) {
        for (size_t at = 0; at < place.records.list[r].size; at++, tried++) {
            struct records two = {.list = place.records.list + r, .count = 2};
            struct blkdir dir;
            uint8_t *byte = &place.records.list[r].bytes[at], bit = (uint8_t)(1u << at % 8);
            struct hash256 before, after = {{0}};
            sha256d(place.records.list[r].bytes + 8, BLOCK_HEADER_SIZE, &before);
            *byte ^= bit;
            records_write(&two, place.bad, 2, NULL); /* over the file before */
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
        cmocka_unit_test(test_every_byte_flipped), cmocka_unit_test(test_flips_end_the_chain_below),
        cmocka_unit_test(test_flip_that_parses),   cmocka_unit_test(test_wrong_lengths),
        cmocka_unit_test(test_truncated_file),     cmocka_unit_test(test_garbage_between_records),
        cmocka_unit_test(test_zeroed_megabyte),    cmocka_unit_test(test_zeroed_end_of_a_block),
        cmocka_unit_test(test_second_copy),        cmocka_unit_test(test_branches),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
