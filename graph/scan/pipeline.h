/* pipeline: the inner part of a scan: consecutive blocks from their bytes into the store, in windows of a MiB or
 * one block.
 *
 *   1. walk, in parallel: read each block, count its kinds, collect the transactions that create tracked outputs, and a
 *      keyed hash of every input's prevout. No transaction is hashed but those that create something to track.
 *   2. add, in chain order: the tracked outputs get their ordinals and go into the outpoint table.
 *   3. look up, in parallel: the few inputs that the filter lets pass are compared exactly. A thread takes what it has
 *      walked itself, if it can, since it still has the last block; of other blocks it reads these transactions again.
 *   4. append, in chain order: spends are confirmed, stored transactions written.
 *
 * A thread walks a window whole. When it is done it adds it, if those before it are added and nobody looks up, and
 * appends what was looked up meanwhile (in turn: one thread at a time); then it looks its window up, and walks the next
 * one. Where that cannot be, since another thread is at that or still walks what comes before, it walks on, and
 * whichever thread is free next does the rest. So all threads are busy to the end, and what only one thread can do is
 * done while the others walk.
 *
 * Because windows are added in order, and each before it is looked up, a spend finds what was created earlier; because
 * each look-up is limited to the ordinals before its transaction, what was added since does not count. So the order of
 * the chain decides and not that of the work. A block that is damaged ends the window before it.
 *
 * Thread rule: one thread drives a pipeline; it uses `threads` inside. Memory: some 10 % of the bytes of the windows at
 * work (where most transactions have unknown outputs, several times their bytes), and for each thread a block buffer,
 * and another for the largest transaction that it has read again. */
#ifndef UNKTX_GRAPH_SCAN_PIPELINE_H
#define UNKTX_GRAPH_SCAN_PIPELINE_H

#include "graph/scan/block_cache.h"
#include "graph/scan/ingest.h"
#include "graph/scan/outpoints.h"
#include "graph/scan/txid_set.h"
#include "parser/chain.h"

struct pipeline; /* opaque */

/* `known` is the set of a partial store's transactions, NULL for any other store. */
enum status pipeline_new(const struct ingest_options *options, const struct blkdir *dir, struct store *store,
                         struct outpoints *table, struct txid_set *known, struct pipeline **pipeline,
                         struct fault *fault) MUST_CHECK;
void pipeline_free(struct pipeline *pipeline);

/* Blocks of a chain, from height `first` to `end` - 1. */
struct pipeline_job {
    const struct chain *chain;
    uint32_t first;
    uint32_t end;
    const struct block_cache *cache; /* blocks in it are not read again; may be NULL */
    /* `count` more of them are in the store, to be committed now or later. From any thread, one call at a time. */
    void (*on_appended)(void *context, uint32_t count);
    void *context;
};

/* Takes the blocks into the store: all, or less once stop_requested(). Commits now and then; what came after
 * the last commit is left for the caller to commit. A damaged block (unreadable, malformed, other bytes than its header
 * says, or failing --verify) ends the job: STATUS_FORMAT with the blocks before it taken and the block named in
 * `fault`; the next job may begin with that block again, once the chain knows another copy of it. After any
 * status but these two the table may only be freed. */
enum status pipeline_run(struct pipeline *pipeline, const struct pipeline_job *job, struct fault *fault) MUST_CHECK;

#endif
