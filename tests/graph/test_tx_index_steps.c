/* An index that was grown, cut back and switched to another branch is that of a fresh build. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "graph/index/format.h"
#include "tests/support/index_builds.h"
#include "tests/support/run.h"

static void test_steps(void **state)
{
    (void)state;
    static const uint32_t heights[] = {0, 1, 50, 120, 121, 200, 150, 151, 110, 260};
    char *dir = temp_dir(), *fresh = temp_dir();
    const char *fixture = "tests/fixtures/regtest-xor";
    for (size_t i = 0; i < sizeof heights / sizeof *heights; i++) {
        struct index_options options = index_options_for("tests/fixtures/regtest-xor/regtest", dir);
        options.to_height = heights[i];
        index_few_bytes = i % 2 ? 0 : INDEX_FEW_BYTES;
        struct index_result result = index_built_with(&options);
        assert_int_equal(result.height, heights[i]);
        options.store = fresh;
        remove_tree(fresh);
        index_built_with(&options);
        assert_same_index(dir, fresh);
    }
    index_against_node(dir, path_of("%s/truth", fixture));
    struct index_result again = index_built("tests/fixtures/regtest-xor/regtest", dir);
    assert_int_equal(again.blocks_added, 0);
    assert_int_equal(again.blocks_removed, 0);
    remove_tree(dir);
    remove_tree(fresh);
    free(dir);
    free(fresh);
}

/* A chain that grows by many small steps, then loses blocks to a longer branch, and again. */
static void test_reorganisations(void **state)
{
    (void)state;
    char *dir = temp_dir();
    const char *data = path_of("%s/data", dir), *store = path_of("%s/store", dir), *fresh = path_of("%s/fresh", dir);
    struct gen_options options = index_chain(data);
    make_dirs(data);
    for (unsigned step = 0; step < 8; step++) {
        struct gen *gen = gen_open(&options);
        uint32_t height = gen_height(gen);
        if (step % 3 == 2)
            gen_fork(gen, height - 3 - step);
        gen_blocks(gen, step == 0 ? 150 : 12 + step, 0);
        struct hash256 tip = gen_tip(gen);
        gen_close(gen);
        index_few_bytes = step % 2 ? 0 : INDEX_FEW_BYTES;
        struct index_result result = index_built(data, store);
        assert_int_equal(index_damages, 0);
        assert_true(hash256_equal(&result.tip, &tip));
        assert_int_equal(result.blocks_removed, step % 3 == 2 ? 3 + step : 0);
        remove_tree(fresh);
        index_built(data, fresh);
        assert_same_index(store, fresh);
    }
    index_few_bytes = INDEX_FEW_BYTES;
    remove_tree(dir);
    free(dir);
}

/* Many small builds, some of which take back, leave few runs, and what a fresh build makes. */
static void test_many_steps(void **state)
{
    (void)state;
    enum { FIRST = 40, STEPS = 80 };
    char *dir = temp_dir(), whole[65], text[65];
    const char *store = path_of("%s/store", dir);
    struct gen_options chain = index_chain(path_of("%s/data", dir));
    struct rng rng = {(uint64_t)time(NULL)};
    print_message("seed %ju\n", (uintmax_t)rng.state);
    make_dirs(chain.dir);
    chain.block_bytes = 8000;
    struct gen *gen = gen_open(&chain);
    gen_blocks(gen, FIRST + 2 * STEPS, 0);
    gen_close(gen);
    struct index_options options = index_options_for(chain.dir, store);
    options.threads = 1;
    uint32_t height = FIRST, most = 0;
    for (unsigned step = 0; step < STEPS; step++) {
        options.to_height = height;
        struct index_result result = index_built_with(&options);
        assert_true(step == 0 || result.blocks_added <= 3);
        struct tx_index *index = index_opened(store);
        const struct index_state *now = index_state_of(index);
        most = now->runs > most ? now->runs : most;
        for (uint32_t i = 1; i < now->runs; i++)
            assert_true(now->run[i - 1].pairs >= 2 * now->run[i].pairs);
        index_close(index);
        height = rng_below(&rng, 8) ? height + 1 + rng_below(&rng, 3) : height - rng_below(&rng, 6);
    }
    assert_true(most > 2 && most < 14); /* 2^14 pairs and more would be in the oldest */
    remove_tree(path_of("%s/fresh", dir));
    index_checked(store, 2, text);
    options.store = path_of("%s/fresh", dir);
    index_built_with(&options);
    assert_string_equal(index_checked(options.store, 2, whole), text);
    remove_tree(dir);
    free(dir);
}

static void test_generated(void **state)
{
    (void)state;
    char *dir = temp_dir();
    const char *data = path_of("%s/data", dir), *store = path_of("%s/store", dir);
    struct gen_options options = index_chain(data);
    make_dirs(data);
    options.stale_every = 0;
    struct gen *gen = gen_open(&options);
    gen_tdags(gen, 200);
    gen_blocks(gen, 0, 8000000);
    struct gen_truth truth = *gen_truth_of(gen);
    gen_close(gen);
    index_built(data, store);
    assert_int_equal(index_damages, 0);
    struct tx_index *index = index_opened(store);
    struct index_totals totals = index_totals_of(index);
    uint64_t kinds[KINDS] = {0}, sats[KINDS] = {0};
    assert_int_equal(totals.blocks, truth.blocks);
    assert_int_equal(totals.txs, truth.txs);
    assert_int_equal(totals.inputs, truth.inputs);
    assert_int_equal(totals.outputs, truth.outputs);
    for (uint64_t i = 0; i < totals.outputs; i++) {
        struct index_output output;
        assert_int_equal(index_outputs(index, i, 1, &output, NULL), STATUS_OK);
        kinds[output.kind]++;
        sats[output.kind] += output.value_sat;
    }
    for (unsigned kind = 0; kind < KINDS; kind++) {
        assert_int_equal(kinds[kind], truth.kind_count[kind]);
        assert_int_equal(sats[kind], truth.kind_sat[kind]);
    }
    index_close(index);
    char one[65], two[65];
    assert_string_equal(index_checked(store, 1, one), index_checked(store, 3, two));
    remove_tree(dir);
    free(dir);
}

/* One thread or three, much memory or next to none, a folder elsewhere: the same index. */
static void test_options(void **state)
{
    (void)state;
    char *dir = temp_dir(), first[65], next[65];
    struct gen_options chain = index_chain(path_of("%s/data", dir));
    make_dirs(chain.dir);
    struct gen *gen = gen_open(&chain);
    gen_blocks(gen, 100, 0);
    gen_close(gen);
    for (unsigned way = 0; way < 4; way++) {
        const char *store = path_of("%s/store-%u", dir, way), *tmp = path_of("%s/elsewhere", dir);
        struct index_options options = index_options_for(chain.dir, store);
        make_dirs(tmp);
        options.threads = way == 0 ? 1 : 3;
        options.memory = way == 1 ? 1 : UINT64_C(2) << 30;
        options.tmp = way == 2 ? tmp : NULL;
        index_built_with(&options);
        index_checked(store, 2, way == 0 ? first : next);
        if (way > 0)
            assert_string_equal(first, next);
    }
    remove_tree(dir);
    free(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_steps),     cmocka_unit_test(test_reorganisations), cmocka_unit_test(test_many_steps),
        cmocka_unit_test(test_generated), cmocka_unit_test(test_options),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
