/* replay: the outpoint table brought up to the store, from what the store itself holds. */
#ifndef UNKTX_GRAPH_SCAN_REPLAY_H
#define UNKTX_GRAPH_SCAN_REPLAY_H

#include "graph/scan/outpoints.h"
#include "graph/store/store.h"

/* `table` is that of the store's first `blocks` blocks (0: empty): adds and removes what the committed blocks after
 * them create and spend. *records gets how much that was: stored transactions and tracked outputs. Afterwards the table
 * is the one that a scan of these blocks leaves. STATUS_FORMAT for a store that spends what it does not have. O(what is
 * replayed). */
enum status replay_outpoints(const struct store *store, uint32_t blocks, struct outpoints *table, uint64_t *records,
                             struct fault *fault) MUST_CHECK;

/* An empty table filled with the store's snapshot and what came since; a snapshot that is damaged counts as none. The
 * table borrows from the store: after each commit outpoints_moved is due. *records as for replay_outpoints. */
enum status replay_load(struct store *store, unsigned threads, struct outpoints *table, uint64_t *records,
                        struct fault *fault) MUST_CHECK;

/* The store's snapshot, if it has one, must be the table that a scan of its blocks leaves: both are brought up to the
 * last block and compared; and its bytes those that saving it gives. STATUS_FORMAT if they differ. One of
 * another version of unktx is as good as none. O(store), memory for two tables. */
enum status replay_check(struct store *store, struct fault *fault) MUST_CHECK;

#endif
