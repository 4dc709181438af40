/* chaingen: writes mainnet-like regtest chains of any size as a node's blk files, with exact counts of what is in
 * them.
 *
 * The same options give the same bytes. Blocks link, meet their target, and have right merkle roots and witness
 * commitments, so that --verify accepts them. Inputs that spend known outputs name random outpoints: a scan has
 * no UTXO set and takes every outpoint that is not an unknown output for a known one; and values are random. With
 * `spends`, for an index, they spend known outputs of the chain and values balance.
 *
 * Test support: an error ends the program with a message. One generator per thread. */
#ifndef UNKTX_TESTS_SUPPORT_CHAINGEN_H
#define UNKTX_TESTS_SUPPORT_CHAINGEN_H

#include <stdio.h>

#include "tests/support/kind_names.h"
#include "tests/support/plan.h"

#define GEN_RULES 3
extern const char *const gen_rules_names[GEN_RULES];

struct gen_options {
    const char *dir; /* data directory: files go to DIR/regtest/blocks */
    uint64_t seed;
    bool xored;               /* with a random xor.dat; else one of zeros, as Core writes it */
    uint32_t block_bytes;     /* size of a block, about; 0: 1.5 million */
    uint64_t file_bytes;      /* largest blk file; 0: 128 MiB */
    uint32_t window;          /* blocks are shuffled within runs of that many; 0: 64 */
    uint32_t planted_per_10k; /* transactions in 10,000 that belong to planted T-DAGs */
    uint32_t stale_every;     /* a stale sibling after so many blocks; 0: none */
    uint32_t holders;         /* of keys and hash locks of planted T-DAGs and tracked outputs; 0: each has its own */
    bool list_holders;        /* in DIR/holders.csv */
    bool spends;              /* real spends: every input spends an output of the chain, no value comes from nowhere */
};

/* What is in the active chain. Index r of an array is the rule set core-0.18, core-0.19, core-22. */
struct gen_truth {
    uint64_t blocks;
    uint64_t txs;
    uint64_t inputs;
    uint64_t outputs;
    uint64_t stale;
    uint64_t bytes;
    uint64_t kind_count[KIND_NAMES];
    uint64_t kind_sat[KIND_NAMES];
    uint64_t unknown_txs[GEN_RULES];
    uint64_t roots[GEN_RULES];
    uint64_t tdags[GEN_RULES];
    uint64_t nodes[GEN_RULES];
    uint64_t edges[GEN_RULES];
    uint64_t heights[GEN_RULES];
    uint64_t tdag_txs[GEN_RULES];
    uint64_t families[GEN_RULES][PLAN_FAMILIES + 1];
    uint64_t tracked; /* unknown outputs that can be spent, in any rule set */
    uint64_t spent;   /* those of them that are */
    uint64_t info;    /* bytes of what a store must know: see tx_close; the JSON adds 200 for each block */
};

struct gen; /* opaque */

/* Begins a chain with the regtest genesis block, or goes on with the one that gen_close left in the folder. */
struct gen *gen_open(const struct gen_options *options);
/* Adds mainnet-like blocks: `blocks` of them, or at least `bytes` bytes (the other is 0). Every T-DAG planted is
 * completed within the call. */
void gen_blocks(struct gen *gen, uint32_t blocks, uint64_t bytes);
/* Adds blocks that create at least `count` unknown outputs which are never spent. */
void gen_tracked(struct gen *gen, uint64_t count);
/* Adds blocks of nothing but T-DAGs: `tdags` of the shapes of Table III and, one in six, of random families. */
void gen_tdags(struct gen *gen, uint32_t tdags);
/* Has the next gen_tdags (or gen_blocks) write this one too; takes it. */
void gen_plant(struct gen *gen, struct plan *plan);
/* The next blocks are built on the active block of that height: a branch, which wins once it is longer. Truth then
 * counts blocks of both branches. */
void gen_fork(struct gen *gen, uint32_t height);
uint32_t gen_height(const struct gen *gen);
struct hash256 gen_tip(const struct gen *gen);
const struct gen_truth *gen_truth_of(const struct gen *gen);
/* Writes DIR/truth.json and what the next gen_open needs, and frees it. */
void gen_close(struct gen *gen);

void gen_print_truth(const struct gen *gen, FILE *out);

#endif
