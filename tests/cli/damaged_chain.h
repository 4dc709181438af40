/* A small chain and a damaged copy of its block files, for the tests of `unktx scan` over damage. */
#ifndef UNKTX_TESTS_CLI_DAMAGED_CHAIN_H
#define UNKTX_TESTS_CLI_DAMAGED_CHAIN_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
    /* by height: of the store of the intact chain up to there; empty: not yet asked for */
    char (*digests)[DIGEST_SIZE + 1];
} place;

static int set_up(void **state)
{
    (void)state;
    temp_dir_in_memory();
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
    place.digests = must_alloc(place.records.count, sizeof *place.digests);
    for (size_t height = 0; height < place.records.count; height++)
        place.digests[height][0] = '\0';
    unktx_ok("scan --quiet --verify --datadir %s --store %s", data, place.good);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    records_free(&place.records);
    free(place.digests);
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

/* The digest of the store of the intact chain up to `height`. */
static const char *digest_to(uint32_t height)
{
    char *digest = place.digests[height], part[600];
    if (*digest)
        return digest;
    snprintf(part, sizeof part, "%s/part", place.dir);
    remove_tree(part);
    unktx_ok("scan --quiet --datadir %s/data --store %s --to-height %u", place.dir, part, height);
    assert_int_equal(store_blocks(part), height + 1);
    store_digest(part, digest);
    return digest;
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
    char found[DIGEST_SIZE + 1];
    store_digest(place.store, found);
    assert_string_equal(found, digest_to(height));
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

#endif
