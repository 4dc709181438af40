/* walk_window: a few blocks of the walk, which one thread reads and hashes, and of which one thread spills what joins.
 * For walk.c only. Thread rule: a walker belongs to one thread, a window to one at a time. */
#ifndef UNKTX_GRAPH_INDEX_WALK_WINDOW_H
#define UNKTX_GRAPH_INDEX_WALK_WINDOW_H

#include "graph/index/near.h"
#include "graph/index/work.h"
#include "parser/array.h"
#include "parser/hasher.h"
#include "parser/mem.h"

#define WINDOW_BLOCKS_MAX 512u

struct bytes {
    uint8_t *at;
    size_t count;
    size_t capacity;
};

/* An input that is joined. */
struct walked_input {
    uint64_t hash; /* of the prevout's txid */
    uint32_t check;
    uint32_t vout;
    uint32_t number; /* counted from the window's first input */
};

struct walked_tx {
    uint64_t hash; /* of its txid */
    uint32_t check;
    uint32_t outputs;
};

/* An input of the block under the walk. */
struct block_input {
    uint64_t hash;
    const uint8_t *prevout; /* NULL: a coinbase's */
};

struct walker {
    MEM_APART struct index_work *work;
    struct blk_reader reader;
    struct block_verifier verifier;
    /* of the block under the walk */
    ARRAY(struct tx_head) heads;
    ARRAY(struct hasher_message) messages;
    ARRAY(struct block_input) inputs;
    struct hash256 *txids;
    size_t txids_capacity;
    const uint8_t *block;
    uint64_t block_sums[WORK_STREAMS]; /* walked.h */
    struct window *window;
    struct near near; /* of the window */
    /* of the build */
    unsigned __int128 *sums; /* of the checks of prevouts, by part */
};

/* A block of the window, and how many of what it left in the window's arrays. */
struct walked_block {
    const struct chain_block *block;
    enum status status;
    struct fault fault;
    size_t inputs;
    size_t txs;
    size_t outputs;
    size_t sizes[WORK_STREAMS]; /* bytes */
    uint32_t sums[WORK_STREAMS];
    uint64_t first_input; /* numbers */
    uint64_t first_output;
};

/* Consecutive blocks, which one thread walks, which are then numbered in the order of the chain, and which one thread
 * spills. */
struct window {
    MEM_APART enum { WINDOW_FREE, WINDOW_WALKING, WINDOW_WALKED, WINDOW_NUMBERED, WINDOW_SPILLING } state;
    uint32_t height; /* of the first */
    size_t count;
    uint64_t bytes;
    struct walked_block *blocks;
    size_t inputs_count;
    ARRAY(struct walked_input) inputs; /* those that are joined */
    ARRAY(struct walked_tx) txs;
    struct bytes streams[WORK_STREAMS]; /* what the blocks leave there */
    enum status status;                 /* of spilling */
    struct fault fault;
};

/* So many blocks from that height on, and below `end`, make a window; *bytes of them. */
size_t window_blocks(const struct index_work *work, uint32_t height, uint32_t end, uint64_t *bytes);
/* Walks the window's blocks, up to the first that is damaged. */
void window_walk(struct walker *walker, struct window *window);
/* Spills what joins, and writes what is in chain order to the offsets where it belongs. Its blocks are numbered. */
void window_spill(struct walker *walker, unsigned number, struct window *window);
bool walker_begin(struct walker *walker, struct index_work *work);
void walker_free(struct walker *walker);
void window_free(const struct window *window);

#endif
