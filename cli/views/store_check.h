/* store_check: what must be true of every store, and one number for all that is in it.
 *
 * The digest does not depend on how blocks were batched, on the store's seed, on threads or on the machine: it is the
 * SHA-256 of the identity and of the SHA-256 of each block, whose fields are written in a fixed order and width. */
#ifndef UNKTX_CLI_VIEWS_STORE_CHECK_H
#define UNKTX_CLI_VIEWS_STORE_CHECK_H

#include "graph/store/store.h"
#include "parser/network.h"

struct store_checked {
    uint32_t first;  /* height of the first block: above 0 only of a partial store */
    uint32_t height; /* of the tip */
    struct hash256 tip;
    char network[NETWORK_LABEL_SIZE];
    bool nulldata_stored;
    uint32_t stored_txs;
    uint32_t unknown_outputs;
    uint64_t spent; /* of these */
    uint8_t digest[32];
};

/* Reads all of a store that has a block, with `threads` threads. STATUS_FORMAT with its path, the height and what is
 * not as it must be; STATUS_INTERRUPTED once a signal came. *checked only where all is sound. O(store); memory as of
 * forest_load, and 32 bytes a block. */
enum status store_check(struct store *store, unsigned threads, struct store_checked *checked, struct fault *fault)
    MUST_CHECK;

#endif
