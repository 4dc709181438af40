/* A scan that reads each file once from its beginning to its end (--sequential): whatever is in the files and in the
 * store, it ends with the status, the result, the damages, the messages and the store of a scan that reads in the order
 * of the chain; with much memory for blocks that wait, and with none. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "graph/scan/ingest.h"
#include "parser/mem.h"
#include "parser/stop.h"
#include "tests/support/chaingen.h"
#include "tests/support/dir.h"
#include "tests/support/plan.h"
#include "tests/support/run.h"
#include "tests/support/stores.h"
#include "tests/support/told.h"

static const uint8_t key[8] = {0x5a, 0x00, 0x91, 0x3c, 0xe7, 0x22, 0xff, 0x01};

/* ---- one scan, and all that it tells ---- */

/* Scans DATA into DIR/STORE; what it told and where it ended, as text to free. */
static char *scan(const struct ingest_options *how, const char *store)
{
    struct ingest_options options = *how;
    struct ingest_result result;
    struct fault fault = {0};
    struct told told;
    char path[600], digest[DIGEST_SIZE + 1] = "", tip[HASH256_HEX_SIZE + 1] = "";
    snprintf(path, sizeof path, "%s/%s", dir, store);
    told_begin(&told);
    options.store = path;
    options.store_option = "--store";
    options.damage = told_damage;
    options.message = told_message;
    options.context = &told;
    enum status status = ingest_run(&options, &result, &fault);
    hash256_hex(&result.tip, tip);
    if (result.blocks > 0)
        store_digest(path, digest);
    fprintf(told.out, "status %d %s\n%s: %u blocks from %u to %u, tip %s\n%u added, %u removed, %llu bytes, %u stale, ",
            (int)status, status == STATUS_OK ? "" : fault.text, result.network, result.blocks, result.first_height,
            result.height, result.blocks > 0 ? tip : "", result.blocks_added, result.blocks_removed,
            (unsigned long long)result.bytes, result.stale);
    fprintf(told.out, "%u detached, %llu damages\ndigest %s\n", result.detached, (unsigned long long)result.damages,
            digest);
    fclose(told.out);
    return told.text;
}

static char data[512];
static char blocks[560];

static struct ingest_options plain(void)
{
    return (struct ingest_options){.datadir = data, .threads = 1, .to_height = UINT32_MAX};
}

/* Scans as `how` says, in both orders; before that both stores are brought to where `before` says, by scans in the
 * order of the chain of what is in `earlier`. */
static void assert_same_scans_from(const struct ingest_options *how, const char *earlier,
                                   const struct ingest_options *before)
{
    static const struct {
        unsigned threads;
        uint64_t cache_bytes;
    } ways[] = {{1, 0}, {3, 1}, {1, 20000}};
    struct ingest_options options = *how;
    char *want = NULL;
    for (size_t way = 0; way <= sizeof ways / sizeof *ways; way++) {
        remove_tree(path_of("%s/store", dir));
        if (before) {
            struct ingest_options first = *before;
            first.datadir = earlier;
            free(scan(&first, "store"));
        }
        if (way > 0) {
            options.order = INGEST_BY_FILE;
            options.threads = ways[way - 1].threads;
            options.cache_bytes = ways[way - 1].cache_bytes;
        }
        char *got = scan(&options, "store");
        if (way == 0)
            want = got;
        else
            assert_string_equal(got, want);
        assert_false(path_exists(path_of("%s/store/blocks.tmp", dir)));
        if (way > 0)
            free(got);
    }
    free(want);
}

static void assert_same_scans(const struct ingest_options *how) { assert_same_scans_from(how, NULL, NULL); }

static void assert_same(void)
{
    struct ingest_options how = plain();
    assert_same_scans(&how);
    how.verify = true;
    assert_same_scans(&how);
}

/* ---- chains ---- */

static void begin(const char *name)
{
    snprintf(data, sizeof data, "%s/%s", dir, name);
    snprintf(blocks, sizeof blocks, "%s/regtest/blocks", data);
}

/* Blocks of a small chain, with stale ones, in files of some 30; shuffled within runs of `window`. */
static struct gen *grow(uint32_t window)
{
    struct gen_options options = {.dir = data,
                                  .seed = 77,
                                  .block_bytes = 2000,
                                  .file_bytes = 60000,
                                  .window = window,
                                  .planted_per_10k = 2500,
                                  .stale_every = 9};
    return gen_open(&options);
}

static void make_chain(const char *name, uint32_t count, uint32_t window)
{
    begin(name);
    struct gen *gen = grow(window);
    gen_blocks(gen, count, 0);
    gen_close(gen);
}

/* Numbers from 0 on, in an order of chance (shuffled within runs of `run`), or backward. */
static size_t *order_of(size_t count, size_t run, bool backward, struct rng *rng)
{
    size_t *order = must_alloc(count + 1, sizeof *order);
    for (size_t i = 0; i < count; i++)
        order[i] = backward ? count - 1 - i : i;
    for (size_t i = 0; i < count; i++) {
        size_t end = i / run * run + run < count ? i / run * run + run : count;
        size_t other = i + (size_t)rng_below(rng, (uint32_t)(end - i)), kept = order[i];
        order[i] = order[other];
        order[other] = kept;
    }
    return order;
}

/* The order of the files is the chain's, a node's, backward, and by chance; in a file each, in few, in one. */
static void test_orders(void **state)
{
    (void)state;
    static const struct {
        size_t run;
        size_t per_file;
        bool backward;
        bool xored;
    } orders[] = {{1, 20, false, true},    {40, 10, false, false},  {1, 15, true, false},
                  {1000, 12, false, true}, {1000, 1, false, false}, {30, 1000, true, true}};
    struct rng rng = {11};
    make_chain("orders", 150, 1);
    assert_same();
    struct records records = records_read(blocks);
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
        size_t *order = order_of(records.count, orders[i].run, orders[i].backward, &rng);
        records_rewrite(&records, order, records.count, blocks, orders[i].per_file, orders[i].xored ? key : NULL);
        free(order);
        struct ingest_options how = plain();
        assert_same_scans(&how);
    }
    records_free(&records);
}

/* A branch that is long and loses, before and after the one that wins, from the first block on too; and tips and
 * heights that one may ask for. */
static void test_branches(void **state)
{
    (void)state;
    struct ingest_options how = plain();
    make_chain("branches", 90, 4);
    struct gen *gen = grow(1);
    struct hash256 loser = gen_tip(gen), absent = loser;
    gen_fork(gen, 30);
    gen_blocks(gen, 70, 0);
    gen_close(gen);
    assert_same();
    absent.bytes[0] ^= 1;
    how.tip = &loser;
    assert_same_scans(&how);
    how.to_height = 40;
    assert_same_scans(&how);
    how.tip = &absent; /* refused, when much was read */
    assert_same_scans(&how);
    how.tip = NULL;
    assert_same_scans(&how);
    struct other_chain other = {.what = "index", .block_1 = absent};
    how.other = &other;
    assert_same_scans(&how);
    how.other = NULL;
    gen = grow(1);
    gen_fork(gen, 0);
    gen_blocks(gen, 110, 0);
    gen_close(gen);
    assert_same();
    how.nulldata_stored = true;
    assert_same_scans(&how);
}

/* ---- a store that has blocks ---- */

static void test_again(void **state)
{
    (void)state;
    struct ingest_options how = plain(), before = plain();
    char earlier[512];
    make_chain("earlier", 80, 16);
    memcpy(earlier, data, sizeof earlier);
    make_chain("later", 80, 16);
    struct gen *gen = grow(16);
    uint32_t height = gen_height(gen);
    gen_blocks(gen, 60, 0);
    gen_close(gen);
    assert_same_scans_from(&how, earlier, &before); /* the last file has grown, and there are new ones */
    how.to_height = 50;
    assert_same_scans_from(&how, data, &before); /* back */
    how.to_height = UINT32_MAX;
    before.to_height = 33;
    assert_same_scans_from(&how, data, &before); /* on, in files that are all known */
    before.to_height = UINT32_MAX;
    gen = grow(1);
    gen_fork(gen, height - 40);
    gen_blocks(gen, 130, 0);
    gen_close(gen);
    assert_same_scans_from(&how, earlier, &before); /* another branch has won, from below the store's tip on */
    begin("other");
    struct gen_options other = {.dir = data, .seed = 5, .block_bytes = 2000};
    gen = gen_open(&other);
    gen_blocks(gen, 100, 0);
    gen_close(gen);
    assert_same_scans_from(&how, earlier, &before); /* another chain */
}

/* Interrupted at any look at the flag, and then gone on with: the same store as without. */
static void test_interrupted(void **state)
{
    (void)state;
    make_chain("stopped", 60, 20);
    struct gen *gen = grow(20);
    gen_fork(gen, 20); /* what was taken of the first branch is left */
    gen_blocks(gen, 80, 0);
    gen_close(gen);
    struct ingest_options how = plain();
    char whole[DIGEST_SIZE + 1], digest[DIGEST_SIZE + 1];
    free(scan(&how, "whole"));
    store_digest(path_of("%s/whole", dir), whole);
    how.order = INGEST_BY_FILE;
    how.cache_bytes = 8000;
    how.commit_blocks = 7;
    unsigned stopped = 0;
    for (long looks = 1; looks < 3000; looks = looks * 3 / 2 + 5) {
        struct ingest_result result;
        struct fault fault;
        char store[600];
        snprintf(store, sizeof store, "%s/stopped-store", dir);
        how.store = store;
        remove_tree(store);
        stop_after(looks);
        enum status status = ingest_run(&how, &result, &fault);
        stop_after(-1);
        stopped += status == STATUS_INTERRUPTED;
        assert_true(status == STATUS_INTERRUPTED || status == STATUS_OK);
        assert_int_equal(ingest_run(&how, &result, &fault), STATUS_OK);
        store_digest(store, digest);
        assert_string_equal(digest, whole);
    }
    assert_true(stopped > 5);
}

/* ---- damage ---- */

/* Where record `record` of the files begins, if there are `per_file` in each. */
static size_t place_of(const struct records *records, size_t record, size_t per_file)
{
    size_t at = 0;
    for (size_t r = record / per_file * per_file; r < record; r++)
        at += records->list[r].size;
    return at;
}

static void flip(const char *path, size_t at, uint8_t bits)
{
    size_t size;
    char *bytes = read_file(path, &size);
    assert_true(bytes && at < size);
    bytes[at] = (char)(bytes[at] ^ bits);
    write_file(path, bytes, size);
    free(bytes);
}

enum { PER_FILE = 20 };

/* Damage of every sort, alone and with another copy of the block before and after it. */
static void test_damage(void **state)
{
    (void)state;
    make_chain("damage", 110, 1);
    struct records records = records_read(blocks);
    size_t *order = must_alloc(records.count + 2, sizeof *order);
    for (size_t i = 0; i < records.count; i++)
        order[i] = i;
    for (unsigned way = 0; way < 8; way++) {
        size_t count = records.count, record = 47, at = place_of(&records, record, PER_FILE);
        if (way == 1 || way == 2) /* again at the end */
            order[count++] = record;
        records_rewrite(&records, order, count, blocks, PER_FILE, way & 1 ? key : NULL);
        const char *path = path_of("%s/blk00002.dat", blocks);
        switch (way) {
        case 0:
        case 1: flip(path, at + 8 + 80 + 1, 0x40); break;                               /* no whole transactions */
        case 2: flip(path, at + records.list[record].size - 1, 0x10); break;            /* the last lock time: parses */
        case 3: flip(path, at + 20, 0x01); break;                                       /* the header: no record */
        case 4: flip(path, at + 5, 0x02); break;                                        /* its length */
        case 5: assert_int_equal(unlink(path), 0); break;                               /* a missing file */
        case 6: assert_int_equal(unlink(path_of("%s/blk00000.dat", blocks)), 0); break; /* with the genesis block */
        case 7: assert_int_equal(truncate(path, (off_t)at + 30), 0); break;             /* a cut one */
        }
        assert_same();
        struct ingest_options how = plain();
        how.partial = true;
        how.from_height = UINT32_MAX;
        if (way >= 5)
            assert_same_scans(&how);
    }
    free(order);
    records_free(&records);
}

/* A temporary file cannot be made: blocks that find no room in memory are read again. What has its name, and another
 * one, stays as it is under that. */
static void test_no_room(void **state)
{
    (void)state;
    static const char text[] = "not of this program";
    make_chain("room", 100, 50);
    struct ingest_options how = plain();
    char *want = scan(&how, "plain");
    make_dirs(path_of("%s/full/blocks.tmp", dir));
    make_dirs(path_of("%s/linked", dir));
    write_file(path_of("%s/kept", dir), text, sizeof text);
    assert_int_equal(link(path_of("%s/kept", dir), path_of("%s/linked/blocks.tmp", dir)), 0);
    how.order = INGEST_BY_FILE;
    how.cache_bytes = 3000;
    for (unsigned i = 0; i < 2; i++) {
        char *got = scan(&how, i ? "linked" : "full");
        assert_string_equal(got, want);
        free(got);
    }
    size_t size;
    char *kept = read_file(path_of("%s/kept", dir), &size);
    assert_int_equal(size, sizeof text);
    assert_string_equal(kept, text);
    free(kept);
    free(want);
}

/* ---- what is told meanwhile ---- */

struct steps {
    enum ingest_stage stage;
    uint64_t done;
    uint32_t height;
    unsigned files;
};

static void on_progress(void *context, const struct ingest_progress *progress)
{
    struct steps *steps = context;
    assert_true(progress->stage != INGEST_HEADERS);
    assert_true(progress->done <= progress->total);
    if (progress->stage == steps->stage)
        assert_true(progress->done >= steps->done);
    assert_true(progress->stage >= steps->stage && progress->height >= steps->height);
    steps->files += progress->stage == INGEST_FILES;
    *steps = (struct steps){progress->stage, progress->done, progress->height, steps->files};
}

static void test_progress(void **state)
{
    (void)state;
    make_chain("progress", 120, 8);
    struct steps steps = {.stage = INGEST_FILES};
    struct ingest_result result;
    struct ingest_options how = plain();
    char store[600];
    snprintf(store, sizeof store, "%s/progress-store", dir);
    how.order = INGEST_BY_FILE;
    how.store = store;
    how.progress = on_progress;
    how.context = &steps;
    assert_int_equal(ingest_run(&how, &result, NULL), STATUS_OK);
    assert_true(steps.files >= 5);
    assert_int_equal(steps.stage, INGEST_BLOCKS);
    assert_int_equal(steps.height, result.height);
    assert_int_equal(steps.done, result.bytes);
}

/* ---- the options ---- */

static void test_options(void **state)
{
    (void)state;
    make_chain("options", 60, 8);
    struct run plain_run = unktx_expect(0, "scan --no-sequential --datadir %s --store %s/o", data, dir);
    remove_tree(path_of("%s/o", dir));
    struct run run = unktx_expect(0, "scan --sequential --datadir %s --store %s/o", data, dir);
    assert_string_equal(run.err, plain_run.err);
    assert_string_equal(run.out, "");
    run_free(&run);
    run_free(&plain_run);
    static const char *const commands[] = {"scan", "index"};
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        run = unktx_expect(2, "%s --sequential --no-sequential --datadir %s --store %s/o", commands[i], data, dir);
        assert_non_null(strstr(run.err, "contradict"));
        run_free(&run);
    }
    static const char *const refused[] = {"--sequential --no-sequential", "--xor-key zz", "--tip 12"};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        run = unktx_expect(2, "analyze %s --datadir %s -o %s/no", refused[i], data, dir);
        assert_null(strstr(run.err, "scan\n")); /* before the first step begins */
        assert_int_not_equal(access(path_of("%s/no", dir), F_OK), 0);
        run_free(&run);
    }
    unktx_ok("analyze --quiet --sequential --datadir %s -o %s/analyzed", data, dir);
    assert_same_stores(path_of("%s/o", dir), path_of("%s/analyzed", dir), dir);
}

int main(void)
{
    temp_dir_in_memory();
    mem_settle(); /* else each scan zeroes what one before has used */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_options, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_orders, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_branches, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_again, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_interrupted, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_damage, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_no_room, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_progress, make_dir, remove_dir),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
