/* accepted_blocks: the blocks of chain_vectors.h with how much is in them, and what block_verify says of a block.
 * cmocka's headers come first. */
#ifndef UNKTX_TESTS_PARSER_ACCEPTED_BLOCKS_H
#define UNKTX_TESTS_PARSER_ACCEPTED_BLOCKS_H

#include "parser/block.h"
#include "tests/parser/chain_vectors.h"

static const struct {
    const char *hex;
    const char *hash;
    uint32_t txs;
    uint32_t inputs;
    uint32_t outputs;
} accepted_blocks[] = {
    {GENESIS_BLOCK, GENESIS_HASH, 1, 1, 1},
    {BLOCK_170, BLOCK_170_HASH, 2, 2, 3},
    {REGTEST_212, REGTEST_212_HASH, 3, 4, 7},
};
#define ACCEPTED_BLOCKS (sizeof accepted_blocks / sizeof *accepted_blocks)

/* The input of a coinbase made here. */
#define NULL32 "0000000000000000000000000000000000000000000000000000000000000000"
#define COINBASE_INPUT                                                                                                 \
    "01" NULL32 "ffffffff"                                                                                             \
    "0151"                                                                                                             \
    "ffffffff"

/* What block_verify says, whose counts must be those of the walk. */
static inline enum block_flaw verify(const uint8_t *block, size_t size)
{
    struct block_verifier verifier = {0};
    struct block_counts counts, counted;
    enum block_flaw flaw = block_verify(&verifier, block, size, &counts);
    if (flaw != BLOCK_MALFORMED && flaw != BLOCK_NOMEM) {
        assert_int_equal(block_count(block, size, &counted), STATUS_OK);
        assert_memory_equal(&counts, &counted, sizeof counts);
    }
    block_verifier_free(&verifier);
    return flaw;
}

#endif
