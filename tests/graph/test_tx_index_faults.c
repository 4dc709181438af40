/* Builds of the index that are interrupted, and chains that cannot be right. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "graph/test_hooks.h"
#include "parser/mem.h"
#include "parser/sha256.h"
#include "parser/stop.h"
#include "tests/support/index_builds.h"
#include "tests/support/run.h"
#include "tests/support/trouble.h"

static void test_interrupted(void **state)
{
    (void)state;
    char *dir = temp_dir();
    const char *data = path_of("%s/data", dir), *store = path_of("%s/store", dir), *fresh = path_of("%s/fresh", dir);
    struct gen_options chain = index_chain(data);
    make_dirs(data);
    for (unsigned step = 0; step < 3; step++) { /* a first build, one that adds, one that adds few */
        index_few_bytes = step < 2 ? 0 : INDEX_FEW_BYTES;
        struct gen *gen = gen_open(&chain);
        gen_blocks(gen, 100, 0);
        gen_close(gen);
        index_went_on = 0;
        for (index_stop_at = INDEX_WALK; index_stop_at <= INDEX_TABLES; index_stop_at++) {
            struct index_options options = index_options_for(data, store);
            struct index_result result;
            struct fault fault = {0};
            assert_int_equal(index_build(&options, &result, &fault), STATUS_INTERRUPTED);
            stop_after(-1);
            struct tx_index *index; /* what was there is there */
            assert_int_equal(index_open(store, &index, &fault), step > 0 ? STATUS_OK : STATUS_REFUSED);
            index_close(index);
            assert_int_equal(path_exists(path_of("%s/tio/tmp", store)), step < 2);
        }
        index_stop_at = -1;
        index_built(data, store);
        assert_int_equal(index_went_on, step < 2 ? 3 : 0); /* from the walk twice, and from the join */
        remove_tree(fresh);
        index_built(data, fresh);
        assert_same_index(store, fresh);
        assert_false(path_exists(path_of("%s/tio/tmp", store)));
    }
    remove_tree(dir);
    free(dir);
}

/* What a build left in the tables that was interrupted goes with the one commit of a build that adds few. */
static void test_few_after_interrupted(void **state)
{
    (void)state;
    char *dir = temp_dir();
    const char *data = path_of("%s/data", dir), *store = path_of("%s/store", dir), *fresh = path_of("%s/fresh", dir);
    struct gen_options chain = index_chain(data);
    make_dirs(data);
    for (unsigned step = 0; step < 2; step++) {
        struct gen *gen = gen_open(&chain);
        gen_blocks(gen, 100, 0);
        gen_close(gen);
        if (step == 0)
            index_built(data, store);
    }
    struct index_options options = index_options_for(data, store);
    struct index_result result;
    struct fault fault = {0};
    index_few_bytes = 0;
    index_stop_at = INDEX_TABLES;
    assert_int_equal(index_build(&options, &result, &fault), STATUS_INTERRUPTED);
    stop_after(-1);
    index_stop_at = -1;
    index_few_bytes = INDEX_FEW_BYTES;
    options.to_height = 150; /* fewer blocks than are left */
    assert_int_equal(index_build(&options, &result, &fault), STATUS_OK);
    assert_int_equal(result.height, 150);
    index_built(data, store);
    index_built(data, fresh);
    assert_same_index(store, fresh);
    remove_tree(dir);
    free(dir);
}

static char told[16]; /* '-': the next build begins again, '+': it goes on */

static void on_goes_on(void *context, bool goes_on)
{
    size_t size = strlen(told);
    (void)context;
    if (size + 1 < sizeof told && (size == 0 || told[size - 1] != (goes_on ? '+' : '-')))
        strcpy(told + size, goes_on ? "+" : "-");
}

static void expect_told(struct index_options *options, int stop_at, const char *changes)
{
    struct index_result result;
    index_stop_at = stop_at;
    told[0] = '\0';
    options->goes_on = on_goes_on;
    assert_int_equal(index_build(options, &result, NULL), stop_at < 0 ? STATUS_OK : STATUS_INTERRUPTED);
    stop_after(-1);
    index_stop_at = -1;
    assert_string_equal(told, changes);
}

static void make_chain(const char *data, uint32_t blocks)
{
    struct gen_options chain = index_chain(data);
    make_dirs(data);
    struct gen *gen = gen_open(&chain);
    gen_blocks(gen, blocks, 0);
    gen_close(gen);
}

/* Whoever ends the process knows what the next build is going to do: temporary files in memory leave nothing before
 * the index is whole, those on the disk the last checkpoint. */
static void test_tells_what_is_next(void **state)
{
    (void)state;
    char *dir = temp_dir();
    const char *data = path_of("%s/data", dir), *store = path_of("%s/store", dir);
    make_chain(data, 100);
    struct index_options options = index_options_for(data, store);
    index_few_bytes = INDEX_FEW_BYTES;
    options.memory = UINT64_C(1) << 30;
    expect_told(&options, INDEX_JOIN, "-");
    expect_told(&options, -1, "-+");
    remove_tree(store);
    make_dirs(path_of("%s/tmp", dir));
    options.tmp = path_of("%s/tmp", dir);
    expect_told(&options, INDEX_HEADERS, "");
    expect_told(&options, INDEX_WALK, "-+");
    expect_told(&options, INDEX_JOIN, "+");
    expect_told(&options, -1, "+");
    remove_tree(dir);
    free(dir);
}

/* With --tmp a build that was interrupted without it is not gone on from: what it left makes room before anything else
 * needs it, and the message of that comes once. A command that is refused deletes nothing. */
static void test_goes_elsewhere(void **state)
{
    (void)state;
    char *dir = temp_dir();
    const char *data = path_of("%s/data", dir), *store = path_of("%s/store", dir), *fresh = path_of("%s/fresh", dir);
    struct gen_options chain = index_chain(data);
    make_dirs(data);
    make_dirs(path_of("%s/tmp", dir));
    struct gen *gen = gen_open(&chain);
    gen_blocks(gen, 100, 0);
    gen_close(gen);
    uint64_t few_bytes = index_few_bytes;
    index_few_bytes = 0; /* files on the disk */
    struct index_options options = index_options_for(data, store);
    struct index_result result;
    index_went_on = index_made_room = 0;
    index_stop_at = INDEX_JOIN;
    assert_int_equal(index_build(&options, &result, NULL), STATUS_INTERRUPTED);
    stop_after(-1);
    assert_true(path_exists(path_of("%s/tio/tmp/txs", store)));
    options.tmp = path_of("%s/tmp", dir);
    const struct hash256 mistyped = {{1}};
    index_stop_at = -1;
    options.tip = &mistyped;
    assert_int_equal(index_build(&options, &result, NULL), STATUS_NOT_FOUND);
    assert_true(path_exists(path_of("%s/tio/tmp/txs", store)));
    options.tip = NULL;
    index_stop_at = INDEX_HEADERS; /* the index is not written to yet */
    assert_int_equal(index_build(&options, &result, NULL), STATUS_INTERRUPTED);
    stop_after(-1);
    assert_false(path_exists(path_of("%s/tio/tmp/txs", store)));
    assert_int_equal(index_made_room, 1);
    index_stop_at = -1;
    index_built_with(&options);
    assert_int_equal(index_made_room, 1);
    assert_int_equal(index_went_on, 0);
    assert_false(path_exists(path_of("%s/tio/tmp", store)));
    index_built(data, fresh);
    assert_same_index(store, fresh);
    index_few_bytes = few_bytes;
    remove_tree(dir);
    free(dir);
}

/* A process that ends between the last commit of an index and the end of its temporary files leaves these, and one that
 * ends once it has taken blocks back leaves them too. Nothing goes on from them where the index is made anew, which
 * empties the tables that they stand on. */
static void test_outlived_checkpoint(void **state)
{
    (void)state;
    char *dir = temp_dir();
    const char *data = path_of("%s/data", dir), *store = path_of("%s/store", dir), *fresh = path_of("%s/fresh", dir);
    make_chain(data, 200);
    uint64_t few_bytes = index_few_bytes;
    index_few_bytes = 0; /* files on the disk */
    struct index_options options = index_options_for(data, store);
    struct index_result result;
    index_stop_at = INDEX_TABLES;
    assert_int_equal(index_build(&options, &result, NULL), STATUS_INTERRUPTED);
    stop_after(-1);
    index_stop_at = -1;
    expect_shell(0, NULL, path_of("cp -r %s/tio/tmp %s/kept", store, dir));
    index_built(data, store);
    options.to_height = 5;
    index_built_with(&options);
    expect_shell(0, NULL, path_of("cp -r %s/kept %s/tio/tmp", dir, store));
    index_went_on = 0;
    index_built(data, store);
    assert_int_equal(index_went_on, 0);
    index_built(data, fresh);
    assert_same_index(store, fresh);
    index_few_bytes = few_bytes;
    remove_tree(dir);
    free(dir);
}

/* A checkpoint that lies, with a checksum that is right: numbers that others are divided by, or room is made for. */
static void test_lying_checkpoint(void **state)
{
    (void)state;
    enum { AT_RANGES = 534, RANGES = 3 }; /* out_range, in_range, late_range: u64 each */
    static const uint64_t lies[] = {0, UINT64_C(1) << 50};
    char *dir = temp_dir();
    const char *data = path_of("%s/data", dir), *store = path_of("%s/store", dir), *fresh = path_of("%s/fresh", dir);
    make_chain(data, 100);
    index_built(data, fresh);
    uint64_t few_bytes = index_few_bytes;
    index_few_bytes = 0; /* files on the disk */
    struct index_options options = index_options_for(data, store);
    struct index_result result;
    for (unsigned lie = 0; lie < 2 * RANGES - 1; lie++) { /* the last range may be large */
        size_t size;
        remove_tree(store);
        index_stop_at = INDEX_TABLES;
        assert_int_equal(index_build(&options, &result, NULL), STATUS_INTERRUPTED);
        stop_after(-1);
        index_stop_at = -1;
        char *bytes = read_file(path_of("%s/tio/tmp/note", store), &size);
        memcpy(bytes + AT_RANGES + lie % RANGES * 8, &lies[lie / RANGES], 8);
        sha256((uint8_t *)bytes, size - 32, (uint8_t *)bytes + size - 32);
        write_file(path_of("%s/tio/tmp/note", store), bytes, size);
        free(bytes);
        index_went_on = 0;
        index_built(data, store);
        assert_int_equal(index_went_on, 0);
        assert_same_index(store, fresh);
    }
    index_few_bytes = few_bytes;
    remove_tree(dir);
    free(dir);
}

/* One bit of what the walk left is another when the build goes on: it says so, and the next one begins anew. */
static void test_changed_files(void **state)
{
    (void)state;
    static const char *const names[] = {"txs", "outs", "near"};
    char *dir = temp_dir();
    const char *data = path_of("%s/data", dir), *store = path_of("%s/store", dir), *fresh = path_of("%s/fresh", dir);
    struct rng rng = {7};
    make_chain(data, 100);
    index_built(data, fresh);
    uint64_t few_bytes = index_few_bytes;
    index_few_bytes = 0; /* files on the disk */
    struct index_options options = index_options_for(data, store);
    struct index_result result;
    for (unsigned i = 0; i < 30; i++) {
        char path[600];
        struct fault fault = {0};
        size_t size;
        snprintf(path, sizeof path, "%s/tio/tmp/%s", store, names[i % 3]);
        remove_tree(store);
        index_stop_at = i % 2 ? INDEX_TABLES : INDEX_JOIN;
        assert_int_equal(index_build(&options, &result, NULL), STATUS_INTERRUPTED);
        stop_after(-1);
        index_stop_at = -1;
        char *bytes = read_file(path, &size);
        assert_true(size > 0);
        bytes[rng_below(&rng, (uint32_t)size)] ^= (char)(1 << rng_below(&rng, 7));
        write_file(path, bytes, size);
        free(bytes);
        assert_int_equal(index_build(&options, &result, &fault), STATUS_FORMAT);
        assert_non_null(strstr(fault.text, "temporary file is damaged"));
        index_built(data, store);
        assert_same_index(store, fresh);
    }
    index_few_bytes = few_bytes;
    remove_tree(dir);
    free(dir);
}

/* Nor where another build, with its temporary files elsewhere, began anew meanwhile: it has emptied the tables. */
static void test_outlived_elsewhere(void **state)
{
    (void)state;
    char *dir = temp_dir();
    const char *data = path_of("%s/data", dir), *store = path_of("%s/store", dir), *fresh = path_of("%s/fresh", dir);
    struct gen_options chain = index_chain(data);
    make_dirs(data);
    make_dirs(path_of("%s/tmp", dir));
    struct gen *gen = gen_open(&chain);
    gen_blocks(gen, 100, 0);
    gen_close(gen);
    uint64_t few_bytes = index_few_bytes;
    index_few_bytes = 0; /* files on the disk */
    struct index_options options = index_options_for(data, store);
    struct index_result result;
    for (int stage = INDEX_JOIN; stage <= INDEX_TABLES; stage++) {
        remove_tree(store);
        options.tmp = path_of("%s/tmp", dir);
        index_stop_at = stage;
        assert_int_equal(index_build(&options, &result, NULL), STATUS_INTERRUPTED);
        stop_after(-1);
        options.tmp = NULL;
        index_stop_at = INDEX_WALK;
        assert_int_equal(index_build(&options, &result, NULL), STATUS_INTERRUPTED);
        stop_after(-1);
        options.tmp = path_of("%s/tmp", dir);
        index_stop_at = -1;
        index_went_on = 0;
        index_built_with(&options);
        assert_int_equal(index_went_on, stage == INDEX_JOIN); /* what was walked is in no table */
        remove_tree(fresh);
        index_built(data, fresh);
        assert_same_index(store, fresh);
    }
    index_few_bytes = few_bytes;
    remove_tree(dir);
    free(dir);
}

/* The node of this fixture found the branch with the most work invalid: it spends an output twice. */
static void test_invalid(void **state)
{
    (void)state;
    if (!path_exists("../shared/fixtures/extras/invalid/regtest")) {
        print_message("skipped: no ../shared/fixtures here, so no chain that its node found invalid\n");
        skip();
    }
    char *dir = temp_dir(), text[65];
    struct index_result result = index_built("../shared/fixtures/extras/invalid/regtest", dir);
    assert_int_equal(index_damages, 1);
    assert_int_equal(result.damages, 1);
    assert_non_null(strstr(index_damage_text, "is spent"));
    index_checked(dir, 2, text);
    remove_tree(dir);
    free(dir);
}

/* Inputs that name outputs which are nowhere. */
static void test_missing_outputs(void **state)
{
    (void)state;
    char *dir = temp_dir();
    struct gen_options chain = index_chain(path_of("%s/data", dir));
    make_dirs(chain.dir);
    struct gen *gen = gen_open(&chain);
    gen_blocks(gen, 40, 0);
    uint32_t sound = gen_height(gen);
    gen_close(gen);
    chain.spends = false;
    gen = gen_open(&chain);
    gen_blocks(gen, 5, 0);
    gen_close(gen);
    struct index_result result = index_built(chain.dir, path_of("%s/store", dir));
    assert_int_equal(index_damages, 1);
    assert_int_equal(result.height, sound);
    assert_non_null(strstr(index_damage_text, "does not exist"));
    remove_tree(dir);
    free(dir);
}

/* A block whose bytes are damaged ends the index, unless it is in the files a second time. */
static void test_damaged_block(void **state)
{
    (void)state;
    enum { HEIGHT = 30 };
    char *dir = temp_dir(), whole[65], text[65];
    struct gen_options chain = index_chain(path_of("%s/data", dir));
    const char *store = path_of("%s/store", dir);
    make_dirs(chain.dir);
    chain.xored = false;
    struct gen *gen = gen_open(&chain);
    gen_blocks(gen, 40, 0);
    gen_close(gen);
    index_built(chain.dir, store);
    index_checked(store, 2, whole);
    struct index_block block;
    struct tx_index *index = index_opened(store);
    assert_int_equal(index_block_at(index, HEIGHT, &block, NULL), STATUS_OK);
    index_close(index);
    remove_tree(store);

    const char *file = path_of("%s/regtest/blocks/blk%05u.dat", chain.dir, block.file);
    size_t size;
    char *bytes = read_file(file, &size), *sound = must_alloc(block.size + 8, 1);
    memcpy(sound, bytes + block.offset - 8, block.size + 8);
    bytes[block.offset + 80] = (char)0xff; /* the number of transactions */
    write_file(file, bytes, size);
    struct index_result result = index_built(chain.dir, store);
    assert_int_equal(index_damages, 1);
    assert_int_equal(result.height, HEIGHT - 1);
    index_checked(store, 2, text);

    write_file(path_of("%s/regtest/blocks/blk00099.dat", chain.dir), sound, block.size + 8);
    index_built(chain.dir, store); /* adds to what is there */
    assert_int_equal(index_damages, 0);
    assert_string_equal(index_checked(store, 2, text), whole);
    free(bytes);
    mem_free(sound);
    remove_tree(dir);
    free(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_interrupted),        cmocka_unit_test(test_few_after_interrupted),
        cmocka_unit_test(test_goes_elsewhere),     cmocka_unit_test(test_outlived_checkpoint),
        cmocka_unit_test(test_lying_checkpoint),   cmocka_unit_test(test_changed_files),
        cmocka_unit_test(test_outlived_elsewhere), cmocka_unit_test(test_invalid),
        cmocka_unit_test(test_missing_outputs),    cmocka_unit_test(test_damaged_block),
        cmocka_unit_test(test_tells_what_is_next),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
