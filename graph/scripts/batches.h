/* batches: all batches of a store, on several threads, each with a reader of its own. Internal to graph/. */
#ifndef UNKTX_GRAPH_SCRIPTS_BATCHES_H
#define UNKTX_GRAPH_SCRIPTS_BATCHES_H

#include "graph/store/store.h"

/* Work on one batch; no two concurrent calls have the same `worker`, 0..threads-1. A failure without a text in `fault`
 * is told as damage of the batch. */
typedef enum status batches_work(void *context, unsigned worker, struct batch_view *batch, struct fault *fault);

/* Calls work for each batch, in any order, until all are done or one fails; a worker that has failed is not called
 * again. Returns a failure if there was one. */
enum status batches_visit(const struct store *store, unsigned threads, batches_work *work, void *context,
                          struct fault *fault) MUST_CHECK;

#endif
