/* The record scan against files made here byte by byte, where what must be found is known because it was put there. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "parser/mem.h"
#include "parser/stop.h"
#include "tests/parser/blk_images.h"

static void test_every_truncation(void **state)
{
    (void)state;
    struct image image = make_image(3);
    size_t whole = image.size;
    for (size_t k = 0; k < KEYS; k++) {
        for (size_t size = 0; size <= whole; size++) {
            image.size = size;
            struct blk_scan scan = scan_image(&image, keys[k], k == 1 ? regtest_magic : NULL);
            size_t records = 0, end = 0;
            while (records < 3 && image.start[records] + image.length[records] <= size) {
                assert_true(has_record(&scan, &image, records));
                end = image.start[records] + image.length[records];
                records++;
            }
            assert_int_equal(scan.count, records);
            assert_int_equal(scan.end, end);
            if (end == size) {
                assert_int_equal(scan.gaps_count, 0);
            } else if (keys[k] != magic_key) { /* which makes the front of a torn record look like zeros */
                assert_int_equal(scan.gaps_count, 1);
                assert_int_equal(scan.gaps[0].offset, end);
                assert_int_equal(scan.gaps[0].reason, BLK_GAP_TORN);
            }
            blk_scan_free(&scan);
        }
    }
}

static void test_garbage_between_records(void **state)
{
    (void)state;
    for (size_t size = 1; size < 300; size++) {
        const uint8_t *key = keys[size % 2];
        struct image image = make_image(2);
        size_t at = image.size;
        for (size_t i = 0; i < size; i++) /* magics and pieces of them too; the last byte is no zero */
            put_byte(&image, i + 1 < size && rand() % 3 ? regtest_magic[i % 4] : 0x77);
        put_record(&image, regtest_magic, 30);
        struct blk_scan scan = scan_image(&image, key, NULL);
        assert_records(&scan, &image, -1);
        assert_one_gap(&scan, at, size, BLK_GAP_GARBAGE);
        blk_scan_free(&scan);
    }
}

static void test_garbage_with_zeros_around(void **state)
{
    (void)state;
    for (size_t k = 0; k < 2; k++) {
        struct image image = make_image(1);
        put_zeros(&image, 100);
        size_t at = image.size;
        for (size_t i = 0; i < 50; i++)
            put_byte(&image, 0x77);
        put_zeros(&image, 1000);
        put_record(&image, regtest_magic, 9);
        struct blk_scan scan = scan_image(&image, keys[k], NULL);
        assert_records(&scan, &image, -1);
        assert_one_gap(&scan, at, 50, BLK_GAP_GARBAGE);
        blk_scan_free(&scan);
    }
}

static void test_zeros_are_no_gap(void **state)
{
    (void)state;
    for (size_t k = 0; k < KEYS; k++) {
        for (size_t zeros = 1; zeros < 100; zeros++) {
            struct image image = {.size = 0};
            if (zeros % 2)
                put_zeros(&image, zeros);
            put_record(&image, regtest_magic, 9);
            put_zeros(&image, zeros);
            put_record(&image, regtest_magic, 17);
            put_zeros(&image, zeros * 300);
            struct blk_scan scan = scan_image(&image, keys[k], NULL);
            assert_records(&scan, &image, -1);
            assert_int_equal(scan.gaps_count, 0);
            assert_int_equal(scan.end, image.start[1] + image.length[1]);
            blk_scan_free(&scan);
        }
    }
}

static void test_only_zeros(void **state)
{
    (void)state;
    for (size_t k = 0; k < KEYS; k++) {
        struct image image = {.size = 0};
        put_zeros(&image, 60000);
        struct blk_scan scan = scan_image(&image, keys[k], NULL);
        assert_int_equal(scan.count, 0);
        assert_int_equal(scan.gaps_count, 0);
        blk_scan_free(&scan);
    }
}

static void test_wrong_length(void **state)
{
    (void)state;
    struct image good = make_image(5);
    for (size_t k = 0; k < 2; k++) {
        for (uint32_t length = 0; length < 3000; length++) {
            struct image image = good;
            /* Far ones up to 2^32, among them those that would end after the file. */
            uint32_t wrong = length < 2000 ? length : length * 1431655u;
            if (wrong + FRAME == image.length[1])
                continue;
            store_le32(image.bytes + image.start[1] + 4, wrong);
            /* A length that ends where another record begins or the file ends cannot be told from a right one. */
            bool lucky = wrong + FRAME == image.size - image.start[1];
            for (size_t i = 2; i < 5; i++)
                lucky |= wrong + FRAME == image.start[i] - image.start[1];
            if (lucky)
                continue;
            struct blk_scan scan = scan_image(&image, keys[k], NULL);
            assert_records(&scan, &image, 1);
            assert_int_equal(scan.gaps_count, 1);
            assert_int_equal(scan.gaps[0].offset, image.start[1]);
            assert_int_equal(scan.gaps[0].size, image.length[1]);
            if (wrong > BLOCK_HEADER_SIZE && wrong <= BLOCK_SIZE_MAX)
                assert_int_equal(scan.gaps[0].reason, BLK_GAP_BAD_LENGTH);
            blk_scan_free(&scan);
        }
    }
}

/* What a killed node leaves: the front of a record overwritten, or its end never written. */
static void test_torn_records_inside(void **state)
{
    (void)state;
    for (size_t k = 0; k < 2; k++) {
        for (size_t cut = 1; cut < 140; cut++) {
            struct image image = make_image(2);
            struct image torn = make_image(1);
            size_t at = image.size;
            put(&image, torn.bytes, torn.size - cut > 4 ? torn.size - cut : 4);
            size_t size = image.size - at;
            put_record(&image, regtest_magic, 40);
            put_record(&image, regtest_magic, 50);
            struct blk_scan scan = scan_image(&image, keys[k], NULL);
            assert_records(&scan, &image, -1);
            assert_int_equal(scan.gaps_count, 1);
            assert_int_equal(scan.gaps[0].offset, at);
            /* Zeros that the torn record ends with may count as preallocated. */
            assert_true(scan.gaps[0].size <= size);
            for (size_t i = scan.gaps[0].size; i < size; i++)
                assert_int_equal(image.bytes[at + i], 0);
            blk_scan_free(&scan);
        }
    }
}

static void test_block_whose_end_was_not_written(void **state)
{
    (void)state;
    for (size_t k = 0; k < 2; k++) {
        struct image whole = make_image(3);
        for (size_t missing = 5; missing < whole.length[2]; missing++) { /* 4: the lock time is zeros anyway */
            struct image image = whole;
            image.size -= missing;
            image.records = 2;
            put_zeros(&image, missing + 5000);
            struct blk_scan scan = scan_image(&image, keys[k], NULL);
            assert_records(&scan, &image, -1);
            assert_int_equal(scan.gaps_count, 1);
            assert_int_equal(scan.gaps[0].offset, image.start[2]);
            assert_int_equal(scan.gaps[0].reason, BLK_GAP_TORN);
            blk_scan_free(&scan);
        }
    }
}

/* Preallocated zeros that were XORed along when the key was changed: what reads as the key from before. */
static void put_rekeyed_zeros(struct image *image, size_t size)
{
    static const uint8_t before[8] = {0x9e, 0x01, 0x33, 0xd7, 0xfa, 0xbf, 0xb5, 0xda};
    while (size-- > 0)
        put_byte(image, before[image->size % 8]);
}

static void test_rekeyed_zeros_at_the_end(void **state)
{
    (void)state;
    static const size_t sizes[] = {24, 25, 31, 100, 4096, 4100, 40000};
    for (size_t k = 0; k < KEYS; k++) {
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            struct image image = make_image(2);
            put_rekeyed_zeros(&image, sizes[i]);
            struct blk_scan scan = scan_image(&image, keys[k], NULL);
            assert_records(&scan, &image, -1);
            assert_int_equal(scan.gaps_count, 0);
            blk_scan_free(&scan);
        }
    }
}

/* Damage before such an end, and what is no such end: a record after the bytes, fewer than three times a key, and one
 * byte over and over, raw or not. */
static void test_what_is_no_rekeyed_end(void **state)
{
    (void)state;
    for (size_t k = 0; k < 2; k++) {
        struct image image = make_image(2);
        size_t at = image.size;
        for (size_t i = 0; i < 50; i++)
            put_byte(&image, 0x77);
        put_rekeyed_zeros(&image, 1000);
        struct blk_scan scan = scan_image(&image, keys[k], NULL);
        assert_records(&scan, &image, -1);
        assert_one_gap(&scan, at, 50, BLK_GAP_GARBAGE);
        blk_scan_free(&scan);
        image.size = at;
        put_rekeyed_zeros(&image, 1000);
        put_record(&image, regtest_magic, 9);
        scan = scan_image(&image, keys[k], NULL);
        assert_records(&scan, &image, -1);
        assert_one_gap(&scan, at, 1000, BLK_GAP_GARBAGE);
        blk_scan_free(&scan);
        for (unsigned way = 0; way < 3; way++) {
            image = make_image(2);
            if (way == 0)
                put_rekeyed_zeros(&image, 23);
            for (size_t i = 0; way > 0 && i < 1000; i++)
                put_byte(&image, (uint8_t)(0x77 ^ (way == 1 ? 0 : keys[k][image.size % 8])));
            scan = scan_image(&image, keys[k], NULL);
            assert_records(&scan, &image, -1);
            assert_one_gap(&scan, at, way == 0 ? 23 : 1000, BLK_GAP_GARBAGE);
            blk_scan_free(&scan);
        }
    }
}

/* Whatever one byte becomes, the records that do not hold it are found. */
static void test_any_flipped_byte_harms_one_record_only(void **state)
{
    (void)state;
    static const uint8_t flips[] = {0x01, 0x10, 0x80, 0xff};
    struct image good = make_image(5);
    for (size_t at = 0; at < good.size; at++) {
        struct image image = good;
        image.bytes[at] ^= flips[at % sizeof flips];
        struct blk_scan scan = scan_image(&image, keys[at % 2], NULL);
        for (size_t i = 0; i < image.records; i++)
            if (at < image.start[i] || at >= image.start[i] + image.length[i])
                assert_true(has_record(&scan, &image, i));
        blk_scan_free(&scan);
    }
}

static void test_magics(void **state)
{
    (void)state;
    struct image image = {.size = 0};
    put_record(&image, custom_magic, 9);
    put_record(&image, regtest_magic, 19);
    put_record(&image, custom_magic, 29);
    put_record(&image, network_by_name("main")->magic, 39);
    for (size_t k = 0; k < 2; k++) {
        struct blk_scan scan = scan_image(&image, keys[k], NULL);
        assert_records(&scan, &image, -1);
        assert_int_equal(scan.gaps_count, 0);
        for (size_t i = 0; i < 4; i++)
            assert_memory_equal(scan.records[i].magic, image.bytes + image.start[i], 4);
        blk_scan_free(&scan);
        scan = scan_image(&image, keys[k], custom_magic);
        assert_int_equal(scan.count, 2);
        assert_true(has_record(&scan, &image, 0) && has_record(&scan, &image, 2));
        assert_int_equal(scan.gaps_count, 2);
        blk_scan_free(&scan);
    }
    /* Without a record after it, the first word of a file is no magic. */
    image.bytes[image.start[0] + FRAME + 75] ^= 0xff; /* no target at all */
    struct blk_scan scan = scan_image(&image, no_key, NULL);
    assert_int_equal(scan.count, 2);
    blk_scan_free(&scan);
}

static void test_random_bytes(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 200; round++) {
        struct image image = {.size = 0};
        for (unsigned i = 0; i < 2000; i++)
            put_byte(&image, (uint8_t)(rand() >> 7));
        for (unsigned i = 0; i < 20; i++) /* heads of records at random places, their lengths random */
            memcpy(image.bytes + rand() % 1990, regtest_magic, 4);
        struct blk_scan scan = scan_image(&image, keys[round % KEYS], NULL);
        uint64_t end = 0;
        for (size_t i = 0; i < scan.count; i++) {
            assert_true(scan.records[i].offset >= end);
            end = scan.records[i].offset + FRAME + scan.records[i].size;
        }
        assert_true(end <= image.size && end == scan.end);
        blk_scan_free(&scan);
    }
}

/* Records of the greatest length, mostly holes, up to one beyond 4 GiB: offsets need 64 bits. */
static void test_file_beyond_4_gib(void **state)
{
    (void)state;
    enum { LARGE = 130 };
    const uint64_t stride = FRAME + (uint64_t)BLOCK_SIZE_MAX, at = LARGE * stride;
    struct image image = make_image(1), large = image;
    const char *path = path_of("%s/blk00000.dat", folder);
    store_le32(large.bytes + 4, BLOCK_SIZE_MAX);
    write_image(&image, no_key);
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    for (unsigned i = 0; i < LARGE; i++) {
        assert_int_equal(fseeko(file, (off_t)(i * stride), SEEK_SET), 0);
        assert_int_equal(fwrite(large.bytes, 1, FRAME + BLOCK_HEADER_SIZE, file), FRAME + BLOCK_HEADER_SIZE);
    }
    assert_int_equal(fseeko(file, (off_t)at, SEEK_SET), 0);
    assert_int_equal(fwrite(image.bytes, 1, image.size, file), image.size);
    assert_int_equal(fclose(file), 0);
    struct blk_scan scan = scan_path(folder, NULL);
    assert_int_equal(scan.count, LARGE + 1);
    assert_true(at > UINT32_MAX && scan.records[LARGE].offset == at && scan.end == at + image.size);
    assert_int_equal(scan.gaps_count, 0);
    blk_scan_free(&scan);
    struct blkdir dir;
    struct blk_reader reader = {0};
    const uint8_t *bytes;
    assert_int_equal(blkdir_open(folder, NULL, &dir, NULL), STATUS_OK);
    assert_int_equal(blk_read(&reader, &dir, 0, at + 3, image.size - 3, &bytes, NULL), STATUS_OK);
    assert_memory_equal(bytes, image.bytes + 3, image.size - 3);
    struct fault fault = {0};
    assert_int_equal(blk_read(&reader, &dir, 0, at + 3, image.size - 2, &bytes, &fault), STATUS_IO);
    assert_true(fault.offset == at + image.size);
    blk_reader_free(&reader);
    blkdir_free(&dir);
    unlink(path);
}

/* Zeros without end, a hole on the disk, are not read to their end once somebody asks for an end. */
static void test_interrupted_in_zeros(void **state)
{
    (void)state;
    struct image image = make_image(1);
    struct blkdir dir;
    struct blk_scan scan = {0};
    struct fault fault = {0};
    write_image(&image, no_key);
    assert_int_equal(truncate(path_of("%s/blk00000.dat", folder), (off_t)64 << 20), 0);
    assert_int_equal(blkdir_open(folder, NULL, &dir, NULL), STATUS_OK);
    stop_after(1000);
    enum status status = blk_scan_file(&dir, 0, NULL, &scan, &fault);
    stop_after(-1);
    assert_int_equal(status, STATUS_INTERRUPTED);
    assert_int_equal(fault.status, STATUS_INTERRUPTED);
    assert_int_equal(blk_scan_file(&dir, 0, NULL, &scan, &fault), STATUS_OK);
    assert_int_equal(scan.count, 1);
    assert_int_equal(scan.gaps_count, 0);
    blk_scan_free(&scan);
    blkdir_free(&dir);
    unlink(path_of("%s/blk00000.dat", folder));
}

static void test_allocation_failure_is_reported(void **state)
{
    (void)state;
    struct image image = make_image(2);
    put(&image, "garbage", 7);
    put_record(&image, regtest_magic, 60);
    write_image(&image, some_key);
    bool done = false;
    for (long allowed = 0; !done && allowed < 100; allowed++) {
        struct blkdir dir;
        struct blk_scan scan = {0};
        mem_fail_after(allowed);
        enum status status = blkdir_open(folder, NULL, &dir, NULL);
        if (status == STATUS_OK) {
            status = blk_scan_file(&dir, 0, NULL, &scan, NULL);
            mem_fail_after(-1);
            blkdir_free(&dir);
        }
        mem_fail_after(-1);
        assert_true(status == STATUS_OK || status == STATUS_NOMEM);
        done = status == STATUS_OK;
        if (done)
            assert_records(&scan, &image, -1);
        blk_scan_free(&scan);
    }
    assert_true(done);
}

int main(void)
{
    unsigned seed = (unsigned)time(NULL);
    printf("seed %u\n", seed);
    srand(seed);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_truncation),
        cmocka_unit_test(test_garbage_between_records),
        cmocka_unit_test(test_garbage_with_zeros_around),
        cmocka_unit_test(test_zeros_are_no_gap),
        cmocka_unit_test(test_only_zeros),
        cmocka_unit_test(test_wrong_length),
        cmocka_unit_test(test_torn_records_inside),
        cmocka_unit_test(test_block_whose_end_was_not_written),
        cmocka_unit_test(test_rekeyed_zeros_at_the_end),
        cmocka_unit_test(test_what_is_no_rekeyed_end),
        cmocka_unit_test(test_any_flipped_byte_harms_one_record_only),
        cmocka_unit_test(test_magics),
        cmocka_unit_test(test_random_bytes),
        cmocka_unit_test(test_file_beyond_4_gib),
        cmocka_unit_test(test_interrupted_in_zeros),
        cmocka_unit_test(test_allocation_failure_is_reported),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
