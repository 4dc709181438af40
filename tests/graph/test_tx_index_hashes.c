/* Txids whose hashes are equal: full txids settle each spend. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "graph/test_hooks.h"
#include "parser/block.h"
#include "tests/support/index_builds.h"
#include "tests/support/run.h"

/* Every hash of a txid the same in all but three bits: full txids must settle each spend. */
static void test_collisions(void **state)
{
    (void)state;
    char *dir = temp_dir();
    const char *fixture = "tests/fixtures/dup-txid", *data = path_of("%s/regtest", fixture);
    struct index_options options = index_options_for(data, dir);
    static const uint32_t window_blocks[] = {0, 1, 7};
    index_hash_mask = UINT64_C(7) << 61;
    for (size_t i = 0; i < sizeof window_blocks / sizeof *window_blocks; i++) { /* in one window, each in its own */
        index_checkpoint_blocks = window_blocks[i];
        index_built_with(&options);
        index_against_node(dir, path_of("%s/truth", fixture));
        remove_tree(dir);
    }
    index_checkpoint_blocks = 0;
    options.to_height = 115; /* between the two occurrences */
    index_built_with(&options);
    options.to_height = UINT32_MAX;
    index_built_with(&options);
    index_against_node(dir, path_of("%s/truth", fixture));
    remove_tree(dir);
    free(dir);
}

/* With a few bits of a hash most are alone with theirs, and a prevout in a later build than what it names is taken for
 * something else often. */
static void test_deceiving_hashes(void **state)
{
    (void)state;
    char *dir = temp_dir();
    const char *fixture = "tests/fixtures/regtest-xor", *data = path_of("%s/regtest", fixture);
    index_joined_again = 0;
    for (unsigned bits = 8; bits <= 16; bits += 4) {
        struct index_options options = index_options_for(data, dir);
        index_hash_mask = UINT64_MAX << (64 - bits);
        for (options.to_height = 110; options.to_height <= 260; options.to_height += 50)
            index_built_with(&options);
        index_against_node(dir, path_of("%s/truth", fixture));
        remove_tree(dir);
    }
    assert_true(index_joined_again > 0);
    free(dir);
}

static bool keep_prevout(void *context, const struct tx_input *in, uint32_t vin)
{
    const uint8_t **prevout = context;
    (void)vin;
    *prevout = in->prevout;
    return true;
}

/* Changes a bit of the txid that the last input of that block names. */
static void break_last_prevout(const char *file, const struct index_block *block)
{
    static const struct block_visitor visitor = {.input = keep_prevout};
    struct block_counts counts;
    size_t size;
    char *bytes = read_file(file, &size);
    const uint8_t *begin = (const uint8_t *)bytes + block->offset, *prevout = NULL;
    assert_int_equal(block_walk(begin, block->size, &counts, &visitor, &prevout), STATUS_OK);
    bytes[prevout - (const uint8_t *)bytes] ^= 1;
    write_file(file, bytes, size);
    free(bytes);
}

/* A prevout that does not exist, and has the hash of a transaction that does: half of the times, as few bits count. */
static void test_deceiving_prevout(void **state)
{
    (void)state;
    char *dir = temp_dir();
    struct gen_options chain = index_chain(path_of("%s/data", dir));
    const char *store = path_of("%s/store", dir);
    make_dirs(chain.dir);
    chain.xored = false;
    chain.stale_every = 0;
    struct gen *gen = gen_open(&chain);
    gen_blocks(gen, 20, 0);
    uint32_t height = gen_height(gen);
    gen_close(gen);
    index_built(chain.dir, store);
    struct tx_index *index = index_opened(store);
    struct index_block block;
    assert_int_equal(index_block_at(index, height, &block, NULL), STATUS_OK);
    index_close(index);
    break_last_prevout(path_of("%s/regtest/blocks/blk%05u.dat", chain.dir, block.file), &block);
    index_hash_mask = UINT64_MAX << 52;
    index_joined_again = 0;
    for (unsigned i = 0; i < 100 && index_joined_again < 3; i++) {
        remove_tree(store);
        struct index_options options = index_options_for(chain.dir, store);
        if (i % 2) { /* the last blocks beside an index of those before */
            options.to_height = height - 5;
            index_built_with(&options);
            options.to_height = UINT32_MAX;
        }
        struct index_result result = index_built_with(&options);
        assert_int_equal(result.height, height - 1);
        assert_int_equal(index_damages, 1);
        assert_non_null(strstr(index_damage_text, "does not exist"));
        /* what was indexed before may be wrong, where there was something */
        assert_int_equal(strstr(index_damage_text, "unktx check") != NULL, i % 2);
    }
    assert_true(index_joined_again >= 3); /* one round may join twice */
    remove_tree(dir);
    free(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_collisions, index_whole_hashes),
        cmocka_unit_test_teardown(test_deceiving_hashes, index_whole_hashes),
        cmocka_unit_test_teardown(test_deceiving_prevout, index_whole_hashes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
