/* block_cache: blocks that were read in the order of the files, and wait for their turn in the chain.
 *
 * Of the file that was read last all bytes are there. What of it may still be needed is then kept, block by block, in
 * memory up to a bound; where that is reached, all that wait are written to a temporary file (block_spill.h), lowest
 * first as far as their heights are known, and are brought back when the chain has come to them. A block that finds no
 * room anywhere is not there: it is read from its blk file again.
 *
 * Thread rule: one thread changes it; block_cache_find by any number of threads between changes. */
#ifndef UNKTX_GRAPH_SCAN_BLOCK_CACHE_H
#define UNKTX_GRAPH_SCAN_BLOCK_CACHE_H

#include "parser/blkimage.h"
#include "parser/chain.h"

struct block_cache; /* opaque */

/* `memory` bounds the bytes of blocks, beside those of one file. `folder` is for the temporary file. STATUS_NOMEM. */
enum status block_cache_new(const char *folder, uint64_t memory, struct block_cache **cache, struct fault *fault)
    MUST_CHECK;
void block_cache_free(struct block_cache *cache);

/* The file that is read. The caller loads it. */
struct blk_image *block_cache_image(struct block_cache *cache);

/* All bytes of a block; NULL where they are not in memory. O(log n). */
const uint8_t *block_cache_find(const struct block_cache *cache, const struct chain_block *block);

/* What the chain needs still: blocks from height `next` to `end` - 1, and those that are not linked yet. */
struct block_need {
    const struct chain *chain;
    uint32_t next;
    uint32_t end;
};

/* Keeps what may be needed of the file that was read, whose blocks are the chain's nodes from `first_node` on, and lets
 * go of the file. Files come in the order of their indexes. STATUS_NOMEM. O(its blocks). */
enum status block_cache_keep(struct block_cache *cache, const struct block_need *need, uint32_t first_node,
                             struct fault *fault) MUST_CHECK;
/* Lets go of what is needed no more. O(n). */
void block_cache_drop(struct block_cache *cache, const struct block_need *need);

/* Brings blocks from height need->next on back into memory, as many as there is room for; the height up to which that
 * was done, at most need->end, is *end. O(blocks). STATUS_NOMEM. */
enum status block_cache_fetch(struct block_cache *cache, const struct block_need *need, uint32_t *end,
                              struct fault *fault) MUST_CHECK;

#endif
