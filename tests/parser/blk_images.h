/* blk_images: blk files made byte by byte, whose records are known because they were put there. cmocka's headers come
 * first. */
#ifndef UNKTX_TESTS_PARSER_BLK_IMAGES_H
#define UNKTX_TESTS_PARSER_BLK_IMAGES_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "parser/blkfile.h"
#include "parser/blkimage.h"
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
    size_t start[RECORDS_MAX];
    size_t length[RECORDS_MAX]; /* of the records, with the 8 bytes in front */
    size_t records;
};

static inline void put(struct image *image, const void *bytes, size_t size)
{
    assert_true(image->size + size <= sizeof image->bytes);
    memcpy(image->bytes + image->size, bytes, size);
    memset(image->raw + image->size, 0, size);
    image->size += size;
}

static inline void put_byte(struct image *image, uint8_t byte) { put(image, &byte, 1); }

static inline void put_zeros(struct image *image, size_t size)
{
    assert_true(image->size + size <= sizeof image->bytes);
    memset(image->bytes + image->size, 0, size);
    memset(image->raw + image->size, 1, size);
    image->size += size;
}

/* A block of one coinbase whose script has `script` bytes (below 100); its header meets regtest's target. */
static inline void put_record(struct image *image, const uint8_t magic[4], unsigned script)
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

static inline struct image make_image(unsigned records)
{
    struct image image = {.size = 0};
    for (unsigned i = 0; i < records; i++)
        put_record(&image, regtest_magic, 4 + 7 * i);
    return image;
}

static char *folder;

static inline void write_image(const struct image *image, const uint8_t *key)
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

/* A scan of the file's image in memory finds the same. */
static inline void assert_image_tells(const struct blkdir *dir, const uint8_t *magic, const struct blk_scan *want)
{
    struct blk_image image = {.there = false};
    struct blk_scan scan = {.image = &image};
    assert_int_equal(blk_image_load(&image, dir, 0, NULL), STATUS_OK);
    assert_int_equal(image.there, dir->files[0].size <= BLK_IMAGE_MAX);
    assert_int_equal(blk_scan_file(dir, 0, magic, &scan, NULL), STATUS_OK);
    assert_int_equal(scan.count, want->count);
    assert_int_equal(scan.gaps_count, want->gaps_count);
    assert_int_equal(scan.end, want->end);
    assert_int_equal(scan.other_key, want->other_key);
    assert_memory_equal(scan.key, want->key, XOR_KEY_SIZE);
    for (size_t i = 0; i < scan.count; i++) {
        const struct blk_record *a = &scan.records[i], *b = &want->records[i];
        assert_true(a->offset == b->offset && a->size == b->size && a->fork == b->fork);
        assert_memory_equal(a->header, b->header, BLOCK_HEADER_SIZE);
    }
    for (size_t i = 0; i < scan.gaps_count; i++) {
        const struct blk_gap *a = &scan.gaps[i], *b = &want->gaps[i];
        assert_true(a->offset == b->offset && a->size == b->size && a->reason == b->reason);
    }
    blk_scan_free(&scan);
    blk_image_free(&image);
}

static inline struct blk_scan scan_path(const char *path, const uint8_t *magic)
{
    struct blkdir dir;
    struct blk_scan scan = {0};
    assert_int_equal(blkdir_open_any(path, NULL, &dir, NULL), STATUS_OK);
    assert_int_equal(dir.count, 1);
    assert_int_equal(blk_scan_file(&dir, 0, magic, &scan, NULL), STATUS_OK);
    assert_image_tells(&dir, magic, &scan);
    blkdir_free(&dir);
    return scan;
}

static inline struct blk_scan scan_image(const struct image *image, const uint8_t *key, const uint8_t *magic)
{
    write_image(image, key);
    return scan_path(folder, magic);
}

static inline bool has_record(const struct blk_scan *scan, const struct image *image, size_t record)
{
    for (size_t i = 0; i < scan->count; i++)
        if (scan->records[i].offset == image->start[record] && scan->records[i].size + FRAME == image->length[record])
            return memcmp(scan->records[i].header, image->bytes + image->start[record] + FRAME, BLOCK_HEADER_SIZE) == 0;
    return false;
}

/* All of the image's records but `missing` (-1: none) and no other. */
static inline void assert_records(const struct blk_scan *scan, const struct image *image, int missing)
{
    assert_int_equal(scan->count, image->records - (missing >= 0));
    for (size_t i = 0; i < image->records; i++)
        assert_int_equal(has_record(scan, image, i), (int)i != missing);
}

static inline void assert_one_gap(const struct blk_scan *scan, size_t offset, size_t size, enum blk_gap_reason reason)
{
    assert_int_equal(scan->gaps_count, 1);
    assert_int_equal(scan->gaps[0].offset, offset);
    assert_int_equal(scan->gaps[0].size, size);
    assert_int_equal(scan->gaps[0].reason, reason);
}

static inline int setup(void **state)
{
    (void)state;
    folder = temp_dir();
    return 0;
}

static inline int teardown(void **state)
{
    (void)state;
    remove_tree(folder);
    free(folder);
    return 0;
}

#endif
