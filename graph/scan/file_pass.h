/* file_pass: one pass over the blk files in the order of their numbers, each read once from its first byte to its last,
 * headers and blocks together: for a disk that takes long to go elsewhere, on which one look at the header of each
 * block costs more than to read all.
 *
 * 1. A file is read as a whole (blkimage.h); its records are found in memory and join the chain.
 * 2. The chain so far is linked. What lies some blocks below its best tip is taken by whom the pass is for.
 * 3. The other blocks of the file, but those of branches that have lost, wait (block_cache.h) for a later file's turn.
 *
 * Each time the chain so far leaves what was taken, four times as many blocks below the tip wait from then on.
 *
 * Memory: a file of up to 256 MiB, and one and a half times what is allowed for blocks that wait, with those that are
 * brought back. Thread rule: one thread; block_cache_find as block_cache.h says. */
#ifndef UNKTX_GRAPH_SCAN_FILE_PASS_H
#define UNKTX_GRAPH_SCAN_FILE_PASS_H

#include "graph/scan/block_cache.h"
#include "graph/scan/filemap.h"
#include "graph/scan/ingest.h"

/* Who takes the blocks. */
struct file_pass_taker {
    /* The height after that of the last block that is taken. */
    uint32_t (*next)(const void *context);
    /* The chain so far was linked. *may: what is taken is a beginning of it, and more may follow. file_pass_leave tells
     * the pass that the chain has left it. */
    enum status (*meet)(void *context, bool *may, struct fault *fault);
    /* Takes blocks from next() to `end` - 1, if that is any. */
    enum status (*take)(void *context, uint32_t end, struct fault *fault);
    void *context;
};

/* Zero-initialise; free the cache with block_cache_free. */
struct file_pass {
    const struct ingest_options *options; /* order, tip, to_height, other, cache_bytes */
    struct file_pass_taker taker;
    struct chain *chain;
    struct block_cache *cache; /* NULL: the files are not read in their order */
    struct file_order order;   /* for best_chain_find */
    uint32_t margin;           /* blocks below the best tip so far that are not certain */
    uint32_t linked_nodes;     /* nodes of the chain when it was linked */
    uint64_t unlinked_bytes;   /* of files since then */
};

/* With options: makes the cache, within `memory` bytes and with its temporary file in `folder`, if they want the files
 * read in their order. */
enum status file_pass_open(struct file_pass *pass, const struct blkdir *dir, const char *folder, uint64_t memory,
                           struct fault *fault) MUST_CHECK;
/* With options, taker, chain and cache: prepares pass->order. Files that have not changed are read if they have a block
 * of the time `since` or later. */
void file_pass_begin(struct file_pass *pass, uint32_t since);
/* From `meet`: the chain has left what was taken. */
void file_pass_leave(struct file_pass *pass);
/* Brings blocks back that come next, up to `end`; *until is the height up to which that was done. STATUS_NOMEM. */
enum status file_pass_fetch(struct file_pass *pass, uint32_t end, uint32_t *until, struct fault *fault) MUST_CHECK;
/* Lets go of blocks that were taken. */
void file_pass_drop(struct file_pass *pass);

#endif
