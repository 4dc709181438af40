/* The record scan against a node's own files, and against files made here byte by byte, where what must be found is
 * known because it was put there. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "parser/blkfile.h"
#include "parser/mem.h"
#include "parser/sha256.h"
#include "tests/support/run.h"
#include "tests/support/table.h"

#define RECORDS_MAX 8
#define FRAME 8u

static const uint8_t regtest_magic[4] = {0xfa, 0xbf, 0xb5, 0xda};
static const uint8_t custom_magic[4] = {0x11, 0x22, 0x33, 0x44};
static const uint8_t no_key[8];
static const uint8_t some_key[8] = {0x87, 0xb4, 0x16, 0x43, 0x84, 0xa3, 0x6e, 0x4c};
/* Under this key the magic of regtest is four raw zeros, and raw zeros read as that magic. */
static const uint8_t magic_key[8] = {0xfa, 0xbf, 0xb5, 0xda, 0xfa, 0xbf, 0xb5, 0xda};
static const uint8_t *const keys[] = {no_key, some_key, magic_key};
#define KEYS (sizeof keys / sizeof *keys)

/* ---- files made here ---- */

struct image {
    uint8_t bytes[1 << 16];
    bool raw[1 << 16]; /* not XORed: preallocated */
    size_t size;
    size_t start[RECORDS_MAX], length[RECORDS_MAX]; /* of the records, with the 8 bytes in front */
    size_t records;
};

static void put(struct image *image, const void *bytes, size_t size)
{
    assert_true(image->size + size <= sizeof image->bytes);
    memcpy(image->bytes + image->size, bytes, size);
    memset(image->raw + image->size, 0, size);
    image->size += size;
}

static void put_byte(struct image *image, uint8_t byte) { put(image, &byte, 1); }

static void put_zeros(struct image *image, size_t size)
{
    assert_true(image->size + size <= sizeof image->bytes);
    memset(image->bytes + image->size, 0, size);
    memset(image->raw + image->size, 1, size);
    image->size += size;
}

/* A block of one coinbase whose script has `script` bytes (below 100); its header meets regtest's target. */
static void put_record(struct image *image, const uint8_t magic[4], unsigned script)
{
    uint8_t block[300] = {4}, *p = block + BLOCK_HEADER_SIZE;
    static const uint8_t to_anyone[] = {0xff, 0xff, 0xff, 0xff, 1, 0, 0xf2, 5, 0x2a, 1, 0, 0, 0, 1, 0x51, 0, 0, 0, 0};
    *p++ = 1;
    *p++ = 1;
    p += 3; /* version */
    *p++ = 1;
    p += 32;
    memset(p, 0xff, 4);
    p += 4;
    *p++ = (uint8_t)script;
    for (unsigned i = 0; i < script; i++)
        *p++ = (uint8_t)(0x51 + i);
    memcpy(p, to_anyone, sizeof to_anyone);
    p += sizeof to_anyone;
    uint8_t frame[FRAME];
    memcpy(frame, magic, 4);
    store_le32(frame + 4, (uint32_t)(p - block));
    struct hash256 txid; /* of the only transaction, so it is the merkle root too */
    sha256d(block + BLOCK_HEADER_SIZE + 1, (size_t)(p - block) - BLOCK_HEADER_SIZE - 1, &txid);
    memcpy(block + 36, txid.bytes, HASH256_SIZE);
    store_le32(block + 72, 0x207fffff);
    struct hash256 hash;
    do {
        store_le32(block + 76, load_le32(block + 76) + 1);
        sha256d(block, BLOCK_HEADER_SIZE, &hash);
    } while (hash.bytes[31] > 0x7f);
    image->start[image->records] = image->size;
    image->length[image->records++] = FRAME + (size_t)(p - block);
    put(image, frame, sizeof frame);
    put(image, block, (size_t)(p - block));
}

static struct image make_image(unsigned records)
{
    struct image image = {.size = 0};
    for (unsigned i = 0; i < records; i++)
        put_record(&image, regtest_magic, 4 + 7 * i);
    return image;
}

static char *folder;

static void write_image(const struct image *image, const uint8_t *key)
{
    static uint8_t bytes[1 << 16];
    for (size_t i = 0; i < image->size; i++)
        bytes[i] = image->raw[i] ? image->bytes[i] : (uint8_t)(image->bytes[i] ^ key[i % 8]);
    /* Some file systems write at once what replaces a file by truncation: thousands of times, that takes a minute. */
    unlink(path_of("%s/blk00000.dat", folder));
    unlink(path_of("%s/xor.dat", folder));
    write_file(path_of("%s/blk00000.dat", folder), bytes, image->size);
    write_file(path_of("%s/xor.dat", folder), key, 8);
}

static struct blk_scan scan_path(const char *path, const uint8_t *magic)
{
    struct blkdir dir;
    struct blk_scan scan = {0};
    assert_int_equal(blkdir_open_any(path, &dir, NULL), STATUS_OK);
    assert_int_equal(dir.count, 1);
    assert_int_equal(blk_scan_file(&dir, 0, magic, &scan, NULL), STATUS_OK);
    blkdir_free(&dir);
    return scan;
}

static struct blk_scan scan_image(const struct image *image, const uint8_t *key, const uint8_t *magic)
{
    write_image(image, key);
    return scan_path(folder, magic);
}

static bool has_record(const struct blk_scan *scan, const struct image *image, size_t record)
{
    for (size_t i = 0; i < scan->count; i++)
        if (scan->records[i].offset == image->start[record] && scan->records[i].size + FRAME == image->length[record])
            return memcmp(scan->records[i].header, image->bytes + image->start[record] + FRAME, BLOCK_HEADER_SIZE) == 0;
    return false;
}

/* All of the image's records but `missing` (-1: none) and no other. */
static void assert_records(const struct blk_scan *scan, const struct image *image, int missing)
{
    assert_int_equal(scan->count, image->records - (missing >= 0));
    for (size_t i = 0; i < image->records; i++)
        assert_int_equal(has_record(scan, image, i), (int)i != missing);
}

static void assert_one_gap(const struct blk_scan *scan, size_t offset, size_t size, enum blk_gap_reason reason)
{
    assert_int_equal(scan->gaps_count, 1);
    assert_int_equal(scan->gaps[0].offset, offset);
    assert_int_equal(scan->gaps[0].size, size);
    assert_int_equal(scan->gaps[0].reason, reason);
}

/* ---- the scan ---- */

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
            /* Far ones up to 2^32, among them those that would end behind the file. */
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
    /* Without a record behind it, the first word of a file is no magic. */
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

/* Records of the greatest length, mostly holes, up to one behind 4 GiB: offsets need 64 bits. */
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

/* ---- bytes ---- */

static void test_xor_at_any_offset(void **state)
{
    (void)state;
    uint8_t bytes[400], plain[400];
    for (size_t i = 0; i < sizeof plain; i++)
        plain[i] = (uint8_t)rand();
    for (uint64_t offset = UINT64_MAX - 4; offset != 20; offset++) {
        for (size_t size = 0; size < 300; size++) {
            size_t shift = size % 9;
            memcpy(bytes, plain, sizeof bytes);
            blk_xor(bytes + shift, size, some_key, offset);
            for (size_t i = 0; i < sizeof bytes; i++) {
                bool inside = i >= shift && i < shift + size;
                assert_int_equal(bytes[i], plain[i] ^ (inside ? some_key[(offset + i - shift) % 8] : 0));
            }
        }
    }
}

static void test_read_at_any_offset(void **state)
{
    (void)state;
    enum { SIZE = 600000 };
    uint8_t *plain = malloc(SIZE), *xored = malloc(SIZE);
    for (size_t i = 0; i < SIZE; i++) {
        plain[i] = (uint8_t)rand();
        xored[i] = plain[i] ^ some_key[i % 8];
    }
    write_file(path_of("%s/blk00000.dat", folder), xored, SIZE);
    write_file(path_of("%s/xor.dat", folder), some_key, 8);
    struct blkdir dir;
    struct blk_reader reader = {0};
    const uint8_t *bytes;
    assert_int_equal(blkdir_open(folder, NULL, &dir, NULL), STATUS_OK);
    for (unsigned round = 0; round < 60; round++) {
        size_t offset = (size_t)rand() % SIZE, size = (size_t)rand() % (SIZE - offset + 1);
        blk_read_ahead(&reader, &dir, 0, offset, size);
        assert_int_equal(blk_read(&reader, &dir, 0, offset, size, &bytes, NULL), STATUS_OK);
        assert_memory_equal(bytes, plain + offset, size);
    }
    blk_reader_free(&reader);
    blkdir_free(&dir);
    free(plain);
    free(xored);
}

/* ---- the folder ---- */

static void make_file(const char *path) { write_file(path, "", 0); }

static void assert_opens(const char *path, const char *chain, const char *blocks, const char *network)
{
    struct blkdir dir;
    struct fault fault = {0};
    if (blkdir_open(path, chain, &dir, &fault) != STATUS_OK)
        fail_msg("%s: %s", fault.path, fault.text);
    assert_string_equal(dir.path, blocks);
    assert_true(network ? dir.chain == network_by_name(network) : dir.chain == NULL);
    blkdir_free(&dir);
}

static void assert_refused(enum status status, const char *path, const char *chain, const char *words)
{
    struct blkdir dir;
    struct fault fault = {0};
    assert_int_equal(blkdir_open(path, chain, &dir, &fault), status);
    if (!strstr(fault.text, words))
        fail_msg("no \"%s\" in \"%s\"", words, fault.text);
    assert_int_equal(dir.count, 0);
}

static void test_where_the_blocks_are(void **state)
{
    (void)state;
    char *data = temp_dir();
    char main_blocks[256], test_blocks[256], sub[256], slash[256];
    snprintf(main_blocks, sizeof main_blocks, "%s/blocks", data);
    snprintf(test_blocks, sizeof test_blocks, "%s/regtest/blocks", data);
    snprintf(sub, sizeof sub, "%s/regtest", data);
    snprintf(slash, sizeof slash, "%s//", data);
    assert_refused(STATUS_NOT_FOUND, path_of("%s/none", data), NULL, "no such folder");
    assert_refused(STATUS_NOT_FOUND, data, NULL, "no blk*.dat");
    make_dirs(test_blocks);
    assert_refused(STATUS_NOT_FOUND, sub, NULL, "its blocks folder has no blk*.dat");
    make_file(path_of("%s/blk00000.dat", test_blocks));
    assert_opens(data, NULL, test_blocks, "regtest");
    assert_opens(slash, NULL, test_blocks, "regtest");
    assert_opens(sub, NULL, test_blocks, NULL);
    assert_opens(test_blocks, NULL, test_blocks, NULL);
    assert_refused(STATUS_NOT_FOUND, data, "main", "--chain");
    assert_refused(STATUS_NOT_FOUND, data, "simnet", "simnet");
    make_dirs(path_of("%s/signet/blocks", data));
    make_file(path_of("%s/signet/blocks/blk00000.dat", data));
    assert_refused(STATUS_REFUSED, data, NULL, "signet, regtest");
    assert_opens(data, "regtest", test_blocks, "regtest");
    make_dirs(main_blocks);
    make_file(path_of("%s/blk00000.dat", main_blocks));
    assert_opens(data, NULL, main_blocks, NULL);
    assert_opens(data, "main", main_blocks, NULL);
    assert_opens(data, "regtest", test_blocks, "regtest");
    assert_int_equal(symlink(data, path_of("%s/link", data)), 0);
    assert_opens(path_of("%s/link/", data), NULL, path_of("%s/link/blocks", data), NULL);
    remove_tree(data);
    free(data);
}

static void test_names_and_order_of_files(void **state)
{
    (void)state;
    char *data = temp_dir();
    static const char *const names[] = {"blk00010.dat", "blk00002.dat",      "blk100000.dat", "blk99999.dat",
                                        "blk0001.dat",  "blk00003.dat.bak",  "blk.dat",       "rev00001.dat",
                                        "blk0000x.dat", "blk99999999999.dat"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        make_file(path_of("%s/%s", data, names[i]));
    make_dirs(path_of("%s/blk00004.dat", data));
    struct blkdir dir;
    assert_int_equal(blkdir_open(data, NULL, &dir, NULL), STATUS_OK);
    static const uint32_t numbers[] = {2, 10, 99999, 100000};
    assert_int_equal(dir.count, 4);
    for (size_t i = 0; i < dir.count; i++)
        assert_int_equal(dir.files[i].number, numbers[i]);
    assert_false(dir.xored);
    blkdir_free(&dir);
    assert_int_equal(blkdir_open_any(path_of("%s/blk.dat", data), &dir, NULL), STATUS_OK);
    assert_int_equal(dir.count, 1);
    assert_string_equal(dir.path, data);
    blkdir_free(&dir);
    write_file(path_of("%s/xor.dat", data), "123456789", 9);
    assert_refused(STATUS_FORMAT, data, NULL, "9 bytes");
    write_file(path_of("%s/xor.dat", data), no_key, 8);
    assert_int_equal(blkdir_open(data, NULL, &dir, NULL), STATUS_OK);
    assert_false(dir.xored);
    blkdir_free(&dir);
    remove_tree(data);
    free(data);
}

/* ---- a node's own files ---- */

/* The records of all files are those that the node's index has, byte positions and sizes included. */
static void check_folder(const char *path, const char *truth)
{
    struct table files = table_read(truth);
    struct blkdir dir;
    size_t row = 0;
    assert_int_equal(blkdir_open(path, NULL, &dir, NULL), STATUS_OK);
    for (size_t i = 0; i < dir.count; i++) {
        struct blk_scan scan = {0};
        assert_int_equal(blk_scan_file(&dir, i, NULL, &scan, NULL), STATUS_OK);
        for (size_t r = 0; r < scan.count; r++, row++) {
            struct hash256 hash, expected;
            assert_true(row < files.rows);
            assert_string_equal(strrchr(dir.files[i].path, '/') + 1, table_get(&files, row, "file"));
            assert_int_equal(scan.records[r].offset, table_number(&files, row, table_column(&files, "offset")));
            assert_int_equal(scan.records[r].size, table_number(&files, row, table_column(&files, "size")));
            sha256d(scan.records[r].header, BLOCK_HEADER_SIZE, &hash);
            assert_true(hash256_parse(table_get(&files, row, "block_hash"), &expected));
            assert_memory_equal(&hash, &expected, sizeof hash);
        }
        blk_scan_free(&scan);
    }
    assert_int_equal(row, files.rows);
    blkdir_free(&dir);
    table_free(&files);
}

static void test_records_are_those_of_the_node(void **state)
{
    (void)state;
    static const char *const folders[] = {"regtest-xor",    "extras/crash",   "extras/dup-txid", "extras/genesis",
                                          "extras/invalid", "extras/padding", "extras/tie"};
    if (!path_exists("../shared/fixtures")) {
        print_message("skipped: no ../shared/fixtures here\n");
        skip();
    }
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        const char *path = path_of("../shared/fixtures/%s", folders[i]);
        check_folder(path, path_of("%s/truth/blockfiles.csv", path));
    }
    check_folder("../shared/fixtures/regtest-plain", "../shared/fixtures/regtest-xor/truth/blockfiles.csv");
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
        cmocka_unit_test(test_any_flipped_byte_harms_one_record_only),
        cmocka_unit_test(test_magics),
        cmocka_unit_test(test_random_bytes),
        cmocka_unit_test(test_file_beyond_4_gib),
        cmocka_unit_test(test_allocation_failure_is_reported),
        cmocka_unit_test(test_xor_at_any_offset),
        cmocka_unit_test(test_read_at_any_offset),
        cmocka_unit_test(test_where_the_blocks_are),
        cmocka_unit_test(test_names_and_order_of_files),
        cmocka_unit_test(test_records_are_those_of_the_node),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
