/* best_chain: the best chain of a blocks folder, as far as it is certain: what a scan and an index both begin with.
 * Each gap in the chain (chain_gap.h) is reported, and no block above one is believed. Where a parent is missing the
 * folder is looked at again, twice at most: a node may just be writing it. */
#ifndef UNKTX_GRAPH_SCAN_BEST_CHAIN_H
#define UNKTX_GRAPH_SCAN_BEST_CHAIN_H

#include "graph/scan/filemap.h"
#include "graph/scan/findings.h"
#include "graph/scan/ingest.h"
#include "graph/store/store.h"
#include "parser/chain.h"

struct best_chain {
    const struct ingest_options *options; /* tip, threads, what to call */
    struct blkdir *dir;                   /* looked at again where a block's parent is missing */
    struct store *store;                  /* remembers what is in the files; the caller commits */
    struct chain *chain;                  /* filled and linked */
    uint8_t magic[4];
    struct hash256 genesis;
    struct findings findings;
    struct file_order *order; /* how the files are read the first time; may be NULL */
    uint64_t *damages;        /* counts */
    /* Asked with the height up to which the chain is certain; where it refuses the chain, no gap is told. May be NULL;
     * it fills the fault of best_chain_find. */
    enum status (*check)(void *context, uint32_t end);
    void *context;
    uint32_t end; /* out: the height up to which it is certain */
    bool unnamed; /* out: no coinbase tells the height of its lowest block: it is options->from_height */
};

/* Of a chain that is to begin above genesis the lowest block is found too (chain_base): the store's first block or one
 * below it, or for options->partial and an empty store what chain_gap_find_part finds.
 * STATUS_NOT_FOUND where the genesis block or options->tip is in no file. STATUS_REFUSED by options->other. O(changed
 * files + blocks). */
enum status best_chain_find(struct best_chain *best, struct fault *fault) MUST_CHECK;

/* The store's chain in *found, for ingest_options.other of who works beside it; NULL where it has only a genesis block,
 * or begins above that. What cannot be read is passed over: `unktx check` tells of it. */
const struct other_chain *best_chain_of_store(const struct store *store, struct other_chain *found);

/* Has the next run look again at the file that holds a block and at its neighbours: something is wrong in one of them,
 * and files are restored with the size and time that they had. What is remembered of them stays until then
 * (filemap_doubt). */
enum status best_chain_doubt_files(struct store *store, const struct blkdir *dir, const struct chain_block *block,
                                   struct fault *fault) MUST_CHECK;

#endif
