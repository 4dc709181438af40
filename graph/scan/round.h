/* round: the inner part of a scan: one run of consecutive blocks from their bytes into the store.
 *
 *   1. walk, in parallel: read each block, count its kinds, collect the transactions that create tracked outputs, and a
 *      keyed hash of every input's prevout. No transaction is hashed but those that create something to track.
 *   2. add, in chain order: the tracked outputs get their ordinals and go into the outpoint table.
 *   3. look up, in parallel: the few inputs that the filter lets pass are read again and compared exactly.
 *   4. append, in chain order: spends are settled, stored transactions written; by one thread, beside the next run's
 * walk.
 *
 * Because 2 comes before 3 for a whole run of blocks, a spend finds what was created earlier in the same run; because
 * each look-up is limited to ordinals before its transaction, the order of the chain decides and not that of the work.
 * A block that is damaged ends the run before it.
 *
 * Thread rule: one thread drives a round; it uses `threads` inside. Memory: some 10 % of the bytes of the run, a block
 * buffer for each thread. */
#ifndef UNKTX_GRAPH_ROUND_H
#define UNKTX_GRAPH_ROUND_H

#include "graph/scan/ingest.h"
#include "graph/scan/outpoints.h"
#include "parser/chain.h"

struct round; /* opaque */

enum status round_new(const struct ingest_options *options, const struct blkdir *dir, struct store *store,
                      struct outpoints *table, struct round **round, struct fault *fault) MUST_CHECK;
void round_free(struct round *round);

/* Takes the active blocks of `chain` from height `first` on, `count` at most. *done is how many are sound; those go
 * into the store beside the walk of the next run, or with round_flush. A damaged block (unreadable, malformed, other
 * bytes than its header says, or failing --verify) ends the run: STATUS_FORMAT with *done blocks before it and the
 * block named in `fault`; the next run may begin with that block again, once `chain` knows another copy of it. After
 * any other status the table is no more than good to be freed. */
enum status round_run(struct round *round, const struct chain *chain, uint32_t first, uint32_t count, uint32_t *done,
                      struct fault *fault) MUST_CHECK;

/* Puts the last run into the store; commits now and then, as round_run does, but not for certain. */
enum status round_flush(struct round *round, struct fault *fault) MUST_CHECK;

/* How many blocks from height `first` on, at most up to `last`, make one run for this many threads. */
uint32_t round_size(const struct chain *chain, uint32_t first, uint32_t last, unsigned threads);

/* Asks the operating system to read these blocks soon, unless the last run found its blocks in the page cache. */
void round_read_ahead(struct round *round, const struct chain *chain, uint32_t first, uint32_t count);

#endif
