/* parallel: work on several threads; the one place that touches OpenMP.
 *
 * Determinism: items are handed out in any order to any worker; for ordered output store results by item and read them
 * after the call, or let parallel_lanes take them in order.
 *
 * Thread rule: call from one thread, and not from within work. */
#ifndef UNKTX_PARSER_PARALLEL_H
#define UNKTX_PARSER_PARALLEL_H

#include <stdbool.h>
#include <stddef.h>

#include "parser/status.h"

/* Work on item `item`; `worker` is 0..threads-1 and no two concurrent calls share it, so it may index scratch space. */
typedef void parallel_work(void *context, unsigned worker, size_t item);

/* Threads to use when the user names none: the processors that this process may run on, at least 1. */
unsigned parallel_default_threads(void);

/* Calls work(context, worker, i) for each i in 0..items-1 on at most `threads` threads and returns when all are done.
 * Not to be nested. `threads` of 1 runs in the calling thread. Looks at the flag of stop.h before each item: once it is
 * set, no further item begins, and STATUS_INTERRUPTED is returned if one was left out. */
enum status parallel_for(unsigned threads, size_t items, parallel_work *work, void *context, struct fault *fault)
    MUST_CHECK;
/* The same without that look: for work that takes little time and must be done as a whole. */
void parallel_whole(unsigned threads, size_t items, parallel_work *work, void *context);

#define PARALLEL_STACK ((size_t)2 << 20) /* bytes of stack that are enough for any thread */

/* Runs main(context), whose result goes to *result: at once, or, where the limit on the stack (ulimit -s) is below
 * PARALLEL_STACK, in a thread that has so much; the threads made later have it too. Before any other thread.
 * STATUS_RESOURCES: no such thread is to be had, and nothing was run. */
enum status parallel_with_stack(int (*main)(void *context), void *context, int *result, struct fault *fault) MUST_CHECK;

/* STATUS_RESOURCES if OMP_STACKSIZE gives OpenMP's threads less stack than they need, or if the system does not let
 * this process have so many threads at once, which OpenMP would answer with the end of the process; STATUS_NOMEM.
 * Makes them and ends them: some 20 microseconds each. */
enum status parallel_try(unsigned threads, struct fault *fault) MUST_CHECK;

/* Work of which one piece makes another possible, as each thread comes for it: `next` picks a piece for this worker, or
 * says that it must wait until another worker was here, or that there is nothing left; `work` does what was picked.
 * Calls of `next` come one after the other, and each sees all that was done before. It must not say to wait when no
 * worker is at work. Worker 0 is the calling thread; one that is not to be had leaves its work to the others. */
enum parallel_turn { PARALLEL_WORK, PARALLEL_WAIT, PARALLEL_END };
typedef enum parallel_turn parallel_next(void *context, unsigned worker);
void parallel_turns(unsigned threads, parallel_next *next, void (*work)(void *context, unsigned worker), void *context);

/* Work whose results are taken in order. A lane has items 0..items-1: any thread makes one, in the slot
 * item % slots, and whichever thread comes when the lane's next one is ready takes it from there. So nobody waits for a
 * group to be complete, and at most `slots` items of a lane are made and not yet taken. One item of a lane is taken at
 * a time, and each call sees what the calls before it did; lanes do not wait for each other. Once `take` says false,
 * nothing more is begun.
 *
 * STATUS_NOMEM: nothing was done. */
struct parallel_lane {
    size_t items;
    size_t slots; /* at least 1 */
};
typedef void parallel_make(void *context, unsigned worker, size_t lane, size_t item);
typedef bool parallel_take(void *context, size_t lane, size_t item);
enum status parallel_lanes(unsigned threads, const struct parallel_lane *lanes, size_t count, parallel_make *make,
                           parallel_take *take, void *context, struct fault *fault) MUST_CHECK;

#endif
