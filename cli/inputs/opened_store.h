/* opened_store: a store opened for reading, as every command but scan does. */
#ifndef UNKTX_CLI_INPUTS_OPENED_STORE_H
#define UNKTX_CLI_INPUTS_OPENED_STORE_H

#include "cli/inputs/address_labels.h"
#include "cli/options.h"
#include "cli/output/text.h"
#include "graph/dag/forest.h"
#include "graph/store/store.h"

/* Opens settings->store as of settings->to_height; an empty one is STATUS_NOT_FOUND. */
enum status opened_store_open(const struct settings *settings, struct store **store, struct fault *fault) MUST_CHECK;

/* Reads the files of --labels, then does the same, and says which addresses the store's network has not. */
enum status opened_store_open_labelled(const struct settings *settings, struct address_labels *labels,
                                       struct store **store, struct fault *fault) MUST_CHECK;

/* STATUS_FORMAT with the store's path and the height that the damaged batch begins with. */
enum status opened_store_damaged(const struct store *store, uint32_t height, struct fault *fault) MUST_CHECK;

/* Says on stderr, where settings->with_nulldata asks for nulldata outputs, that the store has not all of them. */
void opened_store_tell_nulldata(const struct settings *settings, const struct store *store);

/* STATUS_INTERRUPTED once a signal came. */
enum status opened_store_go_on(struct fault *fault) MUST_CHECK;

/* One reader for each of `threads` workers. */
struct store_readers {
    struct store_reader **readers;
    unsigned count;
};
enum status store_readers_open(const struct store *store, unsigned threads, struct store_readers *readers,
                               struct fault *fault) MUST_CHECK;
void store_readers_close(struct store_readers *readers);

/* Calls `each` with every transaction of a batch and its block's height. STATUS_OK at the end, or what `each` or the
 * batch (STATUS_FORMAT) first gave else. */
typedef enum status opened_store_each(void *context, uint32_t height, struct tx_view *tx);
enum status opened_store_each_tx(struct batch_view *view, opened_store_each *each, void *context) MUST_CHECK;

/* Where the last transaction was found. Zero-initialise; belongs to one reader. */
struct store_position {
    bool open;
    size_t batch;
    struct batch_view view;
};
/* Transaction `number` of the store, which is in the block of that height. Its cursors borrow from the reader. O(its
 * batch), or only what lies between where it follows the last one of the same place: any number of transactions in
 * ascending order cost no more than their batches. */
enum status opened_store_tx(const struct store *store, const struct store_reader *reader,
                            struct store_position *position, uint32_t height, uint64_t number, struct tx_view *tx,
                            struct fault *fault) MUST_CHECK;

#endif
