/* spenders: the inputs that spend the unknown outputs of T-DAGs, read from the blk files again, batch by batch of the
 * store: the store itself does not keep what they show. */
#ifndef UNKTX_CLI_INPUTS_SPENDERS_H
#define UNKTX_CLI_INPUTS_SPENDERS_H

#include "cli/inputs/opened_store.h"
#include "cli/inputs/stored_blocks.h"

/* Where a worker is. */
struct spender_hand;

struct spenders {
    const struct store *store;
    const struct forest *forest;
    const struct tdags *tdags; /* the caller sets it before the first batch */
    bool frugal;               /* likewise: what was read of the store goes out of memory, which takes twice the time */
    struct stored_blocks blocks;
    struct store_readers readers;
    struct spender_hand *hands; /* by worker */
    unsigned threads;
    uint64_t unread;  /* inputs that could not be read */
    struct fault why; /* of one of them */
};

/* Opens the blk files (stored_blocks_open): STATUS_NOT_FOUND where they are gone. Borrows store and forest.
 * spenders_close in any case. */
enum status spenders_open(const struct settings *settings, const struct store *store, const struct forest *forest,
                          struct spenders *spenders, struct fault *fault) MUST_CHECK;
void spenders_close(struct spenders *spenders);

/* An input that spends an unknown output of a T-DAG. */
struct spend {
    uint64_t ordinal;
    uint32_t tx; /* number of the spender */
    uint32_t vin;
    struct output_record output; /* that it spends */
};

/* Its scriptSig. STATUS_NOT_FOUND: it cannot be read, and is counted; the reason is in spenders->why. Asked for in
 * the order of the spends, or not at all. O(bytes of the block) for the first of a block. */
enum status spender_input(struct spender_hand *hand, const struct spend *spend, struct tx_input *input) MUST_CHECK;

typedef enum status spenders_each(void *context, struct spender_hand *hand, const struct spend *spend);

/* Calls `each` with the spends of a batch of the store, in order of the inputs, until it returns another status than
 * STATUS_OK; no two concurrent calls have the same `worker`. STATUS_INTERRUPTED once a signal came. Memory: a block,
 * and what the blocks of one batch spend. */
enum status spenders_visit(struct spenders *spenders, unsigned worker, size_t batch, spenders_each *each, void *context,
                           struct fault *fault) MUST_CHECK;

#endif
