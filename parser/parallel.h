/* parallel: the one place that touches OpenMP.
 *
 * Determinism: items are handed out in any order to any worker; whoever wants ordered output stores results by item
 * and reads them after the call. */
#ifndef UNKTX_PARSER_PARALLEL_H
#define UNKTX_PARSER_PARALLEL_H

#include <stddef.h>

/* Work on item `item`; `worker` is 0..threads-1 and no two concurrent calls share it, so it may index scratch space. */
typedef void parallel_work(void *context, unsigned worker, size_t item);

/* Threads to use when the user names none: the processors that this process may run on, at least 1. */
unsigned parallel_default_threads(void);

/* Calls work(context, worker, i) for each i in 0..items-1 on at most `threads` threads and returns when all are done.
 * Not to be nested. `threads` of 1 runs in the calling thread. */
void parallel_for(unsigned threads, size_t items, parallel_work *work, void *context);

#endif
