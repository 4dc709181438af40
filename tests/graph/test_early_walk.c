/* An index that is made while the files are read in their order: whatever is in the files and in the index, it ends
 * with the status, the result, the damages, the messages and the digest of one that reads in the order of the chain;
 * with much memory for blocks that wait, and with none. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "graph/test_hooks.h"
#include "parser/mem.h"
#include "parser/stop.h"
#include "tests/support/dir.h"
#include "tests/support/index_builds.h"
#include "tests/support/run.h"
#include "tests/support/told.h"

enum { WAYS = 4 };

static char data[512], blocks[560], store[600];

/* ---- one build, and all that it tells ---- */

static unsigned went_on;

static void on_message(void *context, const char *text)
{
    if (strncmp(text, "going on", 8) == 0)
        went_on++;
    else
        told_message(context, text);
}

static struct index_options plain(void)
{
    struct index_options options = index_options_for(data, store);
    options.threads = 1;
    options.memory = UINT64_C(512) << 20;
    options.progress = NULL;
    return options;
}

/* Builds; what that told and where it ended, as text to free. */
static char *build(const struct index_options *how, enum status *status)
{
    struct index_options options = *how;
    struct index_result result;
    struct fault fault = {0};
    struct told told;
    char tip[65] = "", digest[65] = "";
    told_begin(&told);
    options.damage = told_damage;
    options.message = on_message;
    options.context = &told;
    *status = index_build(&options, &result, &fault);
    hash_text(&result.tip, tip);
    if (*status == STATUS_OK)
        index_checked(options.store, 1, digest);
    fprintf(told.out, "status %d %s\n%s: height %u, tip %s\n%u added, %u removed, %llu bytes, %llu damages\n%s\n",
            (int)*status, *status == STATUS_OK ? "" : fault.text, result.network, result.height, tip,
            result.blocks_added, result.blocks_removed, (unsigned long long)result.bytes,
            (unsigned long long)result.damages, digest);
    fclose(told.out);
    return told.text;
}

/* Builds as `how` says, in both orders; before that the index is brought to where `before` says. */
static void assert_same_from(const struct index_options *how, const struct index_options *before)
{
    static const struct {
        unsigned threads;
        uint64_t cache_bytes;
        uint32_t checkpoint_blocks;
        uint64_t few_bytes;
    } ways[WAYS] = {{1, 0, 0, INDEX_FEW_BYTES}, {3, 1, 0, 0}, {1, 20000, 7, 0}, {2, 0, 1, INDEX_FEW_BYTES}};
    char *want = NULL;
    for (size_t way = 0; way <= WAYS; way++) {
        struct index_options options = *how;
        enum status status;
        remove_tree(store);
        if (before)
            free(build(before, &status));
        if (way > 0) {
            options.order = INGEST_BY_FILE;
            options.threads = ways[way - 1].threads;
            options.cache_bytes = ways[way - 1].cache_bytes;
            index_checkpoint_blocks = ways[way - 1].checkpoint_blocks;
            index_few_bytes = ways[way - 1].few_bytes;
        }
        char *got = build(&options, &status);
        index_checkpoint_blocks = 0;
        index_few_bytes = INDEX_FEW_BYTES;
        if (want)
            assert_string_equal(got, want);
        else
            want = strdup(got);
        free(got);
        assert_false(path_exists(path_of("%s/blocks.tmp", store)));
        assert_false(path_exists(path_of("%s/tio/tmp", store)));
    }
    free(want);
}

static void assert_same(void)
{
    struct index_options how = plain();
    assert_same_from(&how, NULL);
    how.verify = true;
    assert_same_from(&how, NULL);
}

/* ---- chains ---- */

static void begin(const char *name)
{
    snprintf(data, sizeof data, "%s/%s", dir, name);
    snprintf(blocks, sizeof blocks, "%s/regtest/blocks", data);
    snprintf(store, sizeof store, "%s/store", dir);
    make_dirs(data);
}

/* Small blocks, with stale ones, in files of some 30; shuffled within runs of `window`. */
static struct gen *grow(uint32_t window)
{
    struct gen_options options = index_chain(data);
    options.block_bytes = 2000;
    options.file_bytes = 60000;
    options.window = window;
    options.stale_every = 9;
    return gen_open(&options);
}

static void make_chain(const char *name, uint32_t count, uint32_t window)
{
    begin(name);
    struct gen *gen = grow(window);
    gen_blocks(gen, count, 0);
    gen_close(gen);
}

/* A branch from that height on, which wins if it is long enough. */
static void branch(uint32_t height, uint32_t count)
{
    struct gen *gen = grow(1);
    gen_fork(gen, height);
    gen_blocks(gen, count, 0);
    gen_close(gen);
}

/* The order of the files is the chain's, backward, and by chance; in a file each, in few, in one. */
static void test_orders(void **state)
{
    (void)state;
    struct rng rng = {11};
    make_chain("orders", 150, 1);
    assert_same();
    struct records records = records_read(blocks);
    size_t *order = must_alloc(records.count, sizeof *order);
    for (unsigned way = 0; way < 4; way++) {
        for (size_t i = 0; i < records.count; i++)
            order[i] = way == 0 ? records.count - 1 - i : i;
        for (size_t i = records.count; way > 0 && i > 1; i--) {
            size_t other = rng_below(&rng, (uint32_t)i), kept = order[i - 1];
            order[i - 1] = order[other];
            order[other] = kept;
        }
        records_rewrite(&records, order, records.count, blocks, way == 1 ? 1 : way == 2 ? records.count : 12, NULL);
        assert_same();
    }
    free(order);
    records_free(&records);
}

/* A branch that is long and loses, before and after the one that wins, from the first block on too; and tips and
 * heights that one may ask for. */
static void test_branches(void **state)
{
    (void)state;
    make_chain("branches", 90, 4);
    struct index_options how = plain();
    struct gen *gen = grow(1);
    struct hash256 loser = gen_tip(gen), absent = loser;
    gen_close(gen);
    absent.bytes[0] ^= 1;
    branch(30, 70);
    assert_same();
    how.tip = &loser;
    assert_same_from(&how, NULL);
    how.to_height = 40;
    assert_same_from(&how, NULL);
    how.tip = &absent; /* refused, when much was walked */
    assert_same_from(&how, NULL);
    how.tip = NULL;
    assert_same_from(&how, NULL);
    struct other_chain other = {.what = "store", .block_1 = absent};
    how.other = &other;
    assert_same_from(&how, NULL);
    branch(0, 110);
    assert_same();
}

/* ---- an index that has blocks ---- */

static void test_again(void **state)
{
    (void)state;
    make_chain("again", 140, 16);
    struct index_options how = plain(), before = plain();
    static const uint32_t heights[] = {0, 1, 20, 80, 130, 138};
    for (size_t i = 0; i < sizeof heights / sizeof *heights; i++) {
        before.to_height = heights[i]; /* few blocks, after which all is made anew; and many */
        assert_same_from(&how, &before);
    }
    how.to_height = 50;
    assert_same_from(&how, &before); /* back */
    how.to_height = UINT32_MAX;
    struct hash256 loser;
    struct gen *gen = grow(1);
    loser = gen_tip(gen);
    gen_close(gen);
    branch(100, 130);
    before.to_height = UINT32_MAX;
    before.tip = &loser;
    assert_same_from(&how, &before); /* another branch has won, from below the index's tip on */
    before.tip = NULL;
    assert_same_from(&how, &before); /* nothing new */
}

/* A chain that grows, in files that a scan or an index has seen and in new ones. */
static void test_growing(void **state)
{
    (void)state;
    make_chain("growing", 100, 16);
    for (unsigned step = 0; step < 6; step++) {
        enum status status;
        struct index_options how = plain();
        how.order = step % 3 == 2 ? INGEST_BY_CHAIN : INGEST_BY_FILE;
        index_few_bytes = step % 2 ? INDEX_FEW_BYTES : 0;
        free(build(&how, &status));
        index_few_bytes = INDEX_FEW_BYTES;
        assert_int_equal(status, STATUS_OK);
        const char *fresh = path_of("%s/fresh", dir);
        remove_tree(fresh);
        index_built(data, fresh);
        assert_same_index(store, fresh);
        if (step % 3 == 1)
            branch(100 + step * 20 - 30, 60);
        struct gen *gen = grow(16);
        gen_blocks(gen, 20, 0);
        gen_close(gen);
    }
}

/* ---- interrupted ---- */

/* Interrupted at any look at the flag, then again, and gone on with in the one order and in the other, after the chain
 * has grown: the same index as without. */
static void interrupt(uint32_t checkpoint_blocks, enum ingest_order then, const char *whole)
{
    unsigned stopped = 0;
    char digest[65];
    for (long looks = 1; looks < 3000; looks = looks * 3 / 2 + 5) {
        struct index_options how = plain();
        enum status status = STATUS_OK;
        how.order = INGEST_BY_FILE;
        how.cache_bytes = 8000;
        index_checkpoint_blocks = checkpoint_blocks;
        remove_tree(store);
        for (unsigned again = 0; again < 2; again++) {
            how.to_height = again ? UINT32_MAX : 90;
            stop_after(looks);
            free(build(&how, &status));
            stop_after(-1);
            stopped += status == STATUS_INTERRUPTED;
            assert_true(status == STATUS_INTERRUPTED || status == STATUS_OK);
        }
        how.order = then;
        free(build(&how, &status));
        index_checkpoint_blocks = 0;
        assert_int_equal(status, STATUS_OK);
        assert_string_equal(index_checked(store, 1, digest), whole);
        assert_false(path_exists(path_of("%s/tio/tmp", store)));
    }
    assert_true(stopped > 5);
}

static void test_interrupted(void **state)
{
    (void)state;
    make_chain("stopped", 100, 20);
    branch(40, 90); /* what was walked of the first branch is left */
    enum status status;
    char whole[65];
    struct index_options how = plain();
    free(build(&how, &status));
    index_checked(store, 1, whole);
    interrupt(0, INGEST_BY_FILE, whole);
    went_on = 0;
    interrupt(7, INGEST_BY_FILE, whole);
    assert_true(went_on > 5);
    went_on = 0;
    interrupt(7, INGEST_BY_CHAIN, whole);
    assert_true(went_on > 5);
}

/* Interrupted in each stage, after which the chain has grown by several files. */
static void test_interrupted_and_grown(void **state)
{
    (void)state;
    make_chain("grown", 60, 16);
    for (unsigned step = 0; step < 6; step++) {
        struct index_options how = index_options_for(data, store);
        enum status status;
        remove_tree(store);
        went_on = 0;
        index_checkpoint_blocks = 7;
        index_stop_at = INDEX_WALK + (int)step / 2;
        how.order = step % 2 ? INGEST_BY_FILE : INGEST_BY_CHAIN;
        free(build(&how, &status));
        index_stop_at = -1;
        stop_after(-1);
        assert_int_equal(status, STATUS_INTERRUPTED);
        struct gen *gen = grow(16);
        gen_blocks(gen, 80, 0);
        gen_close(gen);
        how.order = INGEST_BY_FILE;
        free(build(&how, &status));
        index_checkpoint_blocks = 0;
        assert_int_equal(status, STATUS_OK);
        assert_int_equal(went_on, 1);
        const char *fresh = path_of("%s/fresh", dir);
        remove_tree(fresh);
        index_built(data, fresh);
        assert_same_index(store, fresh);
    }
}

static unsigned holds, saved_held;

/* As a process that a signal ends as soon as it may. */
static void on_hold(void *context, bool begins)
{
    (void)context;
    assert_int_equal(holds, !begins);
    holds = begins;
    saved_held += !begins && path_exists(path_of("%s/tio/tmp/note", store));
}

/* What an interrupted build left before it let go outlasts a run that is refused, whether that came to look at it or
 * not. */
static void test_interrupted_and_refused(void **state)
{
    (void)state;
    make_chain("refused", 100, 4);
    struct hash256 absent = {{1}};
    struct other_chain other = {.what = "store", .block_1 = absent};
    for (unsigned way = 0; way < 4; way++) {
        struct index_options how = index_options_for(data, store), refused = plain();
        enum status status;
        remove_tree(store);
        saved_held = 0;
        index_checkpoint_blocks = 7;
        index_stop_at = INDEX_WALK;
        how.order = way % 2 ? INGEST_BY_FILE : INGEST_BY_CHAIN;
        how.hold = on_hold;
        free(build(&how, &status));
        index_stop_at = -1;
        stop_after(-1);
        assert_int_equal(status, STATUS_INTERRUPTED);
        assert_int_equal(holds, 0);
        assert_true(saved_held > 0);
        refused.order = INGEST_BY_FILE;
        refused.tip = way < 2 ? &absent : NULL;
        refused.other = way < 2 ? NULL : &other;
        free(build(&refused, &status));
        assert_int_equal(status, way < 2 ? STATUS_NOT_FOUND : STATUS_REFUSED);
        assert_true(path_exists(path_of("%s/tio/tmp/note", store)));
        went_on = 0;
        how.order = INGEST_BY_FILE;
        free(build(&how, &status));
        index_checkpoint_blocks = 0;
        assert_int_equal(status, STATUS_OK);
        assert_int_equal(went_on, 1);
        assert_false(path_exists(path_of("%s/tio/tmp", store)));
    }
}

/* Memory runs out anywhere, also between the walk and the stages after it: no folder of temporary files is left, since
 * these were in memory. */
static void test_out_of_memory(void **state)
{
    (void)state;
    make_chain("memory", 30, 4);
    struct index_options how = plain();
    enum status status = STATUS_NOMEM;
    how.order = INGEST_BY_FILE;
    for (long allowed = 0; status != STATUS_OK; allowed += 1 + allowed / 64) {
        remove_tree(store);
        mem_fail_after(allowed);
        struct index_result result;
        status = index_build(&how, &result, NULL);
        mem_fail_after(-1);
        assert_true(status == STATUS_OK || status == STATUS_NOMEM);
        assert_false(path_exists(path_of("%s/tio/tmp", store)));
    }
}

/* ---- damage ---- */

static void flip(const char *path, size_t at, uint8_t bits)
{
    size_t size;
    char *bytes = read_file(path, &size);
    assert_true(bytes && at < size);
    bytes[at] = (char)(bytes[at] ^ bits);
    write_file(path, bytes, size);
    free(bytes);
}

/* Damage of every sort, alone and with another copy of the block after it. */
static void test_damage(void **state)
{
    (void)state;
    enum { PER_FILE = 20, RECORD = 47 };
    make_chain("damage", 110, 1);
    struct records records = records_read(blocks);
    size_t *order = must_alloc(records.count + 1, sizeof *order), at = 0;
    for (size_t i = 0; i < records.count; i++)
        order[i] = i;
    order[records.count] = RECORD;
    for (size_t r = RECORD / PER_FILE * PER_FILE; r < RECORD; r++)
        at += records.list[r].size;
    for (unsigned way = 0; way < 8; way++) {
        records_rewrite(&records, order, records.count + (way == 1 || way == 2), blocks, PER_FILE, NULL);
        const char *path = path_of("%s/blk00002.dat", blocks);
        switch (way) {
        case 0:
        case 1: flip(path, at + 8 + 80 + 1, 0x40); break;                               /* no whole transactions */
        case 2: flip(path, at + records.list[RECORD].size - 1, 0x10); break;            /* a lock time: another txid */
        case 3: flip(path, at + 20, 0x01); break;                                       /* the header: no record */
        case 4: flip(path, at + 5, 0x02); break;                                        /* its length */
        case 5: assert_int_equal(unlink(path), 0); break;                               /* a missing file */
        case 6: assert_int_equal(unlink(path_of("%s/blk00000.dat", blocks)), 0); break; /* with the genesis block */
        case 7: assert_int_equal(truncate(path, (off_t)at + 30), 0); break;             /* a cut one */
        }
        assert_same();
    }
    free(order);
    records_free(&records);
}

/* Memory that has no room for a file: the order is the chain's, which is told. */
static void test_no_room(void **state)
{
    (void)state;
    enum status status;
    make_chain("room", 60, 8);
    struct index_options how = plain();
    assert_int_equal(truncate(path_of("%s/blk00001.dat", blocks), 200 << 20), 0);
    how.memory = UINT64_C(256) << 20;
    how.order = INGEST_BY_FILE;
    char *told = build(&how, &status);
    assert_int_equal(status, STATUS_OK);
    assert_non_null(strstr(told, "--memory has no room"));
    free(told);
}

int main(void)
{
    temp_dir_in_memory();
    mem_settle(); /* else each build zeroes what one before has used */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_orders, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_branches, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_again, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_growing, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_interrupted, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_interrupted_and_grown, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_interrupted_and_refused, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_out_of_memory, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_damage, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_no_room, make_dir, remove_dir),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
