/* chain_gap: blocks whose parent is in no file, and how far a chain with such gaps can be believed.
 *
 * Where a block of the best chain is lost, the branch with the most work that is still linked to genesis may be one
 * that lost: a stale sibling of the block, say. The blocks above the gap tell, since their coinbases name their height
 * (BIP 34). */
#ifndef UNKTX_GRAPH_SCAN_CHAIN_GAP_H
#define UNKTX_GRAPH_SCAN_CHAIN_GAP_H

#include "parser/blkfile.h"
#include "parser/chain.h"

/* The height up to which the best linked branch is certain: that of its tip, unless a detached branch of two blocks or
 * more reaches higher. Then the parent of that branch's missing block may be any linked block of its height, so the
 * chain is certain up to where there is but one of each height. Detached blocks that name no height say nothing.
 * O(blocks) if any is detached, and reads the lowest of each detached branch. */
enum status chain_gap_certain_height(const struct blkdir *dir, const struct chain *chain, uint32_t *height,
                                     struct fault *fault) MUST_CHECK;

/* A branch that has no way to genesis. */
struct chain_branch {
    uint32_t lowest; /* node; CHAIN_NONE: there is none that names its height */
    uint32_t tip;    /* node */
    uint32_t height; /* of the lowest, by its coinbase */
    uint32_t tip_height;
    uint32_t others; /* blocks of all other detached branches */
};

/* The detached branch that reaches highest. O(blocks), and reads the lowest of each detached branch. */
enum status chain_gap_highest_branch(const struct blkdir *dir, const struct chain *chain, struct chain_branch *branch,
                                     struct fault *fault) MUST_CHECK;

/* Where a chain can begin in files that have not its genesis block. */
struct chain_part {
    uint32_t lowest;  /* node of the first block of an unbroken chain; CHAIN_NONE: there is no block */
    uint32_t height;  /* of that block; not set where `named` is false */
    uint32_t above;   /* blocks above it in the longest branch */
    bool named;       /* coinbases tell the height */
    bool contradicts; /* they tell several, which is as good as none */
};

/* The lowest block of the branch that reaches highest, of all blocks in a chain that is not linked yet. Heights are
 * those that coinbases name (BIP 34), in version 2 and later: that of the genesis block's branch is known, of any other
 * the lowest block's or else the highest one's is taken, and it counts if a dozen blocks between, each with its parent,
 * name theirs accordingly. Where no branch has a height it is the one with the most blocks. A branch of one block
 * counts only where there is no other. O(blocks), and reads two blocks of each branch and two dozen of one. */
enum status chain_gap_find_part(const struct blkdir *dir, const struct chain *chain, const struct hash256 *genesis,
                                struct chain_part *part, struct fault *fault) MUST_CHECK;
/* The lowest block of the branch that has the node; `above` is then how many blocks the node is above it. O(blocks). */
enum status chain_gap_branch_of(const struct chain *chain, uint32_t node, struct chain_part *part, struct fault *fault)
    MUST_CHECK;

/* How many blocks the longest branch has above the node, the lowest block of a detached branch. O(blocks). */
enum status chain_gap_above(const struct chain *chain, uint32_t lowest, uint32_t *above, struct fault *fault)
    MUST_CHECK;

/* True for a detached block whose parent is in no file. */
static inline bool chain_gap_is_above(const struct chain *chain, const struct chain_block *block)
{
    return block->state == CHAIN_DETACHED && chain_find(chain, &block->prev_hash) == CHAIN_NONE;
}

#endif
