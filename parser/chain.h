/* chain: the tree of block headers and its best branch.
 *
 * Best means most work (sum of 2^256 / (target + 1), Core's GetBlockProof), on a tie the branch whose tip came first in
 * the files. Blocks may be added in any order; a block that is added twice counts once (the first position wins, the
 * others are kept for chain_next_copy). Memory: about 130 bytes a block, 24 for each further copy. Thread rule: one
 * thread to change it; a const chain is shareable. */
#ifndef UNKTX_PARSER_CHAIN_H
#define UNKTX_PARSER_CHAIN_H

#include "parser/block.h"
#include "parser/hash256.h"
#include "parser/status.h"

#define CHAIN_NONE UINT32_MAX

enum chain_state {
    CHAIN_DETACHED = 0, /* no path to the genesis block */
    CHAIN_STALE,        /* linked to genesis, not on the best branch */
    CHAIN_ACTIVE,
};

struct chain_block {
    struct hash256 hash;
    struct hash256 prev_hash;
    uint8_t work[16]; /* little-endian, the block's own until chain_link, then the sum from genesis; saturates */
    uint32_t prev;    /* node index, CHAIN_NONE while detached or for genesis (the root) */
    uint32_t height;  /* valid when not detached */
    uint32_t time;    /* of the header */
    uint32_t file;    /* index in the blkdir, not the number in its name; CHAIN_NONE: in no file any more */
    uint64_t offset;  /* of the block's bytes (after magic and length) */
    uint32_t size;
    uint8_t state; /* enum chain_state */
};

struct chain; /* opaque */

/* A tree of no block yet, whose root is the block with that hash. STATUS_NOMEM is the only error. Ended by
 * chain_free; NULL is legal there. */
enum status chain_new(const struct hash256 *genesis, struct chain **chain, struct fault *fault) MUST_CHECK;
void chain_free(struct chain *chain);

/* Forgets all blocks, for a second look at the files, and a root that chain_set_root named. O(blocks). */
void chain_clear(struct chain *chain);

/* Another root than the genesis block, and its height: where blk files begin above genesis. "Linked to genesis" then
 * means linked to it. Before chain_link. O(1). */
void chain_set_root(struct chain *chain, const struct hash256 *root, uint32_t height);

/* Adds a block by its 80-byte header. Order of the calls is the order "in the files" that settles ties. `*node` (may be
 * NULL) is its node, the earlier one's if the block is there already; a real position takes the place of CHAIN_NONE.
 * STATUS_NOMEM, or STATUS_LIMIT for more than 2^32 - 2 blocks. O(1) expected. */
enum status chain_add(struct chain *chain, const uint8_t header[BLOCK_HEADER_SIZE], uint32_t file, uint64_t offset,
                      uint32_t size, uint32_t *node, struct fault *fault) MUST_CHECK;

/* Gives the node the position of another copy of its block in the files, none of them twice; false when there is none
 * left. For a block whose bytes are damaged. O(1). */
bool chain_next_copy(struct chain *chain, uint32_t node);

/* Links all blocks, sums the work, chooses the best branch. `tip` (may be NULL) pins the branch that ends there:
 * STATUS_NOT_FOUND if no such block or not linked to genesis. STATUS_NOT_FOUND too when genesis itself is missing.
 * May be called again after further chain_add. O(blocks), no recursion. */
enum status chain_link(struct chain *chain, const struct hash256 *tip, struct fault *fault) MUST_CHECK;

/* After chain_link. What these return is valid until the next chain_add. O(1). */
uint32_t chain_count(const struct chain *chain); /* nodes */
const struct chain_block *chain_at(const struct chain *chain, uint32_t node);
uint32_t chain_height(const struct chain *chain); /* of the best tip */
uint32_t chain_base(const struct chain *chain);   /* height of the root */
/* NULL above the tip and below the root. */
const struct chain_block *chain_active(const struct chain *chain, uint32_t height);
uint32_t chain_find(const struct chain *chain, const struct hash256 *hash); /* node or CHAIN_NONE. O(1) expected */
uint32_t chain_detached(const struct chain *chain);                         /* how many blocks are detached */

#endif
