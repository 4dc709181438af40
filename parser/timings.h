/* timings: where the time of a command goes. For each stage and thread: how long it was busy, how long it waited and
 * for what, how long it had nothing to do, and how many bytes it read and wrote.
 *
 * A thread is always in one scope, which says who else could work meanwhile, and waits for one thing or is busy. Every
 * nanosecond from timings_begin to timings_end is counted once for each thread, so that these times add up to the time
 * that passed. What waits within a call of the system is seen (file.h, a commit of LMDB, a lock); what waits for a page
 * of a mapped file is not, and counts as busy.
 *
 * Off until timings_begin: then each call here looks at one variable. On, a change costs a look at the monotonic clock,
 * some 25 ns, and is made for each round of work, task, lock that is held, and call that reads or writes, never for a
 * transaction.
 *
 * Thread rule: timings_begin, timings_stage and timings_end by the main thread while no other works; the rest by the
 * thread whose time it is. */
#ifndef UNKTX_PARSER_TIMINGS_H
#define UNKTX_PARSER_TIMINGS_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#include "parser/status.h"

enum timing_scope {
    TIMING_NOTHING, /* to do for this thread */
    TIMING_ALONE,   /* the main thread, with nothing that others could do */
    TIMING_IN_TURN, /* one thread at a time can do this; others do something else */
    TIMING_SHARED,  /* any number of threads can */
    TIMING_SCOPES,
};

enum timing_wait {
    TIMING_BUSY,    /* it does not wait */
    TIMING_LOCK,    /* for a lock that another thread holds */
    TIMING_DISK,    /* for a call that reads or writes a file, also where memory has the bytes */
    TIMING_ORDER,   /* for another thread's piece, which comes first */
    TIMING_THREADS, /* for the other threads to end, so that all can go on */
    TIMING_WAITS,
};

/* Of one thread in one stage. */
struct timing {
    uint64_t ns[TIMING_SCOPES][TIMING_WAITS];
    uint64_t longest_ns; /* piece of timings_begin_piece */
    uint64_t read_bytes; /* by calls of the system */
    uint64_t written_bytes;
};

#define TIMINGS_STAGES 24u

/* A thread's own. Read by others only while it does not work. */
struct timing_thread {
    uint64_t since_ns; /* when it came to be in this scope and wait */
    enum timing_scope scope;
    enum timing_wait wait;
    unsigned stage;
    struct timing stages[TIMINGS_STAGES];
};

struct timings {
    const char *stages[TIMINGS_STAGES]; /* static strings, in the order in which they came first */
    unsigned stages_count;
    unsigned threads_count;        /* workers; thread 0 is the main thread */
    struct timing_thread *threads; /* so many, and one more: the helper that writes beside them */
};

/* NULL: off. For the functions below only. */
extern struct timings *timings_running;
extern _Thread_local struct timing_thread *timings_own;

/* Begins with the stage "open", the calling thread alone. STATUS_NOMEM: it stays off. */
enum status timings_begin(unsigned threads, struct fault *fault) MUST_CHECK;
/* Ends and gives what was counted, with threads_count 0 if it was off. timings_free at the end. */
void timings_end(struct timings *timings);
void timings_free(struct timings *timings);

/* All of a thread's times in a stage. */
uint64_t timing_sum(const struct timing *timing);

/* ---- what happens ---- */

void timings_begin_stage(const char *name);
void timings_change(enum timing_scope scope, enum timing_wait wait);
void timings_begin_worker(struct timing_thread *thread, enum timing_scope scope);
void timings_join_workers(void);

/* What comes now is of this stage, also if it has been before. `name` is a static string. */
static inline void timings_stage(const char *name)
{
    if (timings_running)
        timings_begin_stage(name);
}

/* The thread is in this scope from now on; returns the one before, for the same function. */
static inline enum timing_scope timings_scope(enum timing_scope scope)
{
    enum timing_scope before = timings_own ? timings_own->scope : scope;
    if (timings_own)
        timings_change(scope, timings_own->wait);
    return before;
}

/* The thread waits for this from now on, or is busy; returns what it did before, for the same function. */
static inline enum timing_wait timings_wait(enum timing_wait wait)
{
    enum timing_wait before = timings_own ? timings_own->wait : wait;
    if (timings_own)
        timings_change(timings_own->scope, wait);
    return before;
}

/* Where work is of a few pieces, each of which one thread does whole, so that more threads than pieces are of no use:
 * around each. What the first returns, what this thread has spent in this stage, is for the second. */
uint64_t timings_begin_piece(void);
void timings_end_piece(uint64_t begun);
/* The same for a piece that one thread at a time did a part of, and whose parts were added up. */
void timings_note_piece(uint64_t ns);

static inline void timings_read(uint64_t bytes)
{
    if (timings_own)
        timings_own->stages[timings_own->stage].read_bytes += bytes;
}

static inline void timings_written(uint64_t bytes)
{
    if (timings_own)
        timings_own->stages[timings_own->stage].written_bytes += bytes;
}

/* pthread_mutex_lock; waiting is counted if there is any. */
static inline void timings_lock(pthread_mutex_t *mutex)
{
    if (timings_own && pthread_mutex_trylock(mutex) == 0)
        return;
    enum timing_wait before = timings_wait(TIMING_LOCK);
    pthread_mutex_lock(mutex);
    timings_wait(before);
}

/* ---- for parallel.c, and for a thread of one's own ---- */

/* A worker's first and last step in work that was divided, and the main thread's after all have ended. */
static inline void timings_enter(unsigned worker)
{
    if (timings_running && worker < timings_running->threads_count)
        timings_begin_worker(&timings_running->threads[worker], TIMING_SHARED);
}
void timings_leave(void);
static inline void timings_join(void)
{
    if (timings_running)
        timings_join_workers();
}

/* The first and the last step of the helper, of which there is one at a time, and none while the stage changes. */
static inline void timings_enter_helper(void)
{
    if (timings_running)
        timings_begin_worker(&timings_running->threads[timings_running->threads_count], TIMING_IN_TURN);
}
void timings_leave_helper(void);

#endif
