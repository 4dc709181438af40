/* block_places: where in the blk files the blocks of a store are, by what the scan has remembered of the files: for
 * reading again what the store leaves there. The files may have changed since. */
#ifndef UNKTX_GRAPH_SCAN_BLOCK_PLACES_H
#define UNKTX_GRAPH_SCAN_BLOCK_PLACES_H

#include "graph/store/store.h"

struct block_place {
    uint64_t offset; /* of the block's bytes */
    uint32_t file;   /* the NNNNN of blkNNNNN.dat */
    uint32_t size;   /* 0: the block is in no file that the store remembers */
};

/* The places of the blocks 0 .. store_totals_of(store).blocks - 1; owned by the caller, who frees them with mem_free.
 * Of a block that is in the files twice: the first place. O(blocks + records), each hashed; 60 bytes a block meanwhile,
 * 16 after. Any thread. STATUS_FORMAT: a damaged store. */
enum status block_places_find(const struct store *store, struct block_place **places, struct fault *fault) MUST_CHECK;

#endif
