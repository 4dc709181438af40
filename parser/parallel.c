#define _GNU_SOURCE /* pthread_getattr_np, pthread_setattr_default_np */
#include "parser/parallel.h"

#include <errno.h>
#include <omp.h>
#include <pthread.h>
#include <sys/resource.h>

#include "parser/mem.h"
#include "parser/stop.h"
#include "parser/timings.h"

unsigned parallel_default_threads(void)
{
    int processors = omp_get_num_procs();
    return processors > 0 ? (unsigned)processors : 1;
}

void parallel_whole(unsigned threads, size_t items, parallel_work *work, void *context)
{
    if (threads > items)
        threads = (unsigned)items;
    if (threads <= 1) {
        enum timing_scope before = timings_scope(TIMING_SHARED);
        for (size_t i = 0; i < items; i++)
            work(context, 0, i);
        timings_scope(before);
        return;
    }
#pragma omp parallel num_threads(threads)
    {
        unsigned worker = (unsigned)omp_get_thread_num();
        timings_enter(worker);
#pragma omp for schedule(dynamic, 1) nowait
        for (size_t i = 0; i < items; i++)
            work(context, worker, i);
        timings_leave();
    }
    timings_join();
}

struct stoppable {
    parallel_work *work;
    void *context;
    atomic_bool left_out;
};

static void work_unless_stopped(void *context, unsigned worker, size_t item)
{
    struct stoppable *stoppable = context;
    if (stop_requested())
        atomic_store_explicit(&stoppable->left_out, true, memory_order_relaxed);
    else
        stoppable->work(stoppable->context, worker, item);
}

enum status parallel_for(unsigned threads, size_t items, parallel_work *work, void *context, struct fault *fault)
{
    struct stoppable stoppable = {.work = work, .context = context};
    parallel_whole(threads, items, work_unless_stopped, &stoppable);
    return stoppable.left_out ? stop_check(fault) : STATUS_OK;
}

/* ---- stacks ---- */

#define STACK_NEEDED ((size_t)512 << 10) /* by a thread: twice what the deepest was seen to take (spend_search.c) */

struct stacked {
    int (*main)(void *context);
    void *context;
    int result;
};

static void *run_stacked(void *stacked)
{
    struct stacked *run = stacked;
    run->result = run->main(run->context);
    return NULL;
}

/* The stack of the process's first thread cannot be made larger than its limit, that of others can. */
enum status parallel_with_stack(int (*main)(void *context), void *context, int *result, struct fault *fault)
{
    struct stacked run = {main, context, 0};
    struct rlimit limit;
    pthread_attr_t enough;
    pthread_t thread;
    if (getrlimit(RLIMIT_STACK, &limit) != 0 || limit.rlim_cur >= PARALLEL_STACK) {
        *result = main(context);
        return STATUS_OK;
    }
    pthread_attr_init(&enough);
    pthread_attr_setstacksize(&enough, PARALLEL_STACK);
    pthread_setattr_default_np(&enough);
    errno = pthread_create(&thread, &enough, run_stacked, &run);
    pthread_attr_destroy(&enough);
    if (errno != 0)
        return fault_errno(
            fault, NULL, FAULT_NO_OFFSET,
            "the limit on the stack (ulimit -s) is %zu KiB, and a thread with the %zu that are needed is "
            "not to be had",
            (size_t)limit.rlim_cur >> 10, PARALLEL_STACK >> 10);
    pthread_join(thread, NULL);
    *result = run.result;
    return STATUS_OK;
}

static size_t own_stack(void)
{
    pthread_attr_t own;
    size_t size = 0;
    if (pthread_getattr_np(pthread_self(), &own) != 0)
        return SIZE_MAX;
    pthread_attr_getstacksize(&own, &size);
    pthread_attr_destroy(&own);
    return size;
}

/* OpenMP reads OMP_STACKSIZE before the program begins, and takes no other word for it. */
/* NOLINTNEXTLINE(misc-unused-parameters): `threads` is named in OpenMP's line only. */
static enum status check_stacks(unsigned threads, struct fault *fault)
{
    size_t least = SIZE_MAX;
#pragma omp parallel num_threads(threads)
    {
        size_t size = omp_get_thread_num() > 0 ? own_stack() : SIZE_MAX;
#pragma omp critical
        least = size < least ? size : least;
    }
    if (least >= STACK_NEEDED)
        return STATUS_OK;
    return fault_set(fault, STATUS_RESOURCES, NULL, FAULT_NO_OFFSET,
                     "threads would have only %zu KiB of stack and need %zu: unset OMP_STACKSIZE, give it 2M, or use "
                     "--threads 1",
                     least >> 10, STACK_NEEDED >> 10);
}

/* ---- all threads at once ---- */

static void *wait_for_all(void *gate)
{
    pthread_mutex_lock(gate);
    pthread_mutex_unlock(gate);
    return NULL;
}

enum status parallel_try(unsigned threads, struct fault *fault)
{
    pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER; /* they must be there at the same time */
    pthread_t *made = mem_alloc(threads, sizeof *made);
    unsigned count = 0;
    int error = 0;
    if (!made)
        return fault_nomem(fault);
    pthread_mutex_lock(&gate);
    while (count + 1 < threads && (error = pthread_create(&made[count], NULL, wait_for_all, &gate)) == 0)
        count++;
    pthread_mutex_unlock(&gate);
    for (unsigned i = 0; i < count; i++)
        pthread_join(made[i], NULL);
    mem_free(made);
    if (error == 0)
        return threads > 1 ? check_stacks(threads, fault) : STATUS_OK;
    errno = error;
    return fault_errno(fault, NULL, FAULT_NO_OFFSET,
                       "%u threads are not to be had, only %u (see ulimit -u, ulimit -v and the limits of a container; "
                       "or use --threads %u)",
                       threads, count + 1, count + 1);
}

/* A thread that waits sleeps. At a barrier of OpenMP it would spin for milliseconds, which on a busy machine are those
 * of the thread it waits for. */
/* NOLINTNEXTLINE(misc-unused-parameters): `threads` is named in OpenMP's line only. */
void parallel_turns(unsigned threads, parallel_next *next, void (*work)(void *context, unsigned worker), void *context)
{
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t turned = PTHREAD_COND_INITIALIZER;
#pragma omp parallel num_threads(threads)
    {
        unsigned worker = (unsigned)omp_get_thread_num();
        enum parallel_turn turn;
        timings_enter(worker);
        timings_lock(&lock);
        while ((turn = next(context, worker)) != PARALLEL_END) {
            if (turn == PARALLEL_WAIT) {
                timings_wait(TIMING_ORDER);
                pthread_cond_wait(&turned, &lock);
                timings_wait(TIMING_BUSY);
                continue;
            }
            pthread_cond_broadcast(&turned);
            pthread_mutex_unlock(&lock);
            work(context, worker);
            timings_lock(&lock);
        }
        pthread_cond_broadcast(&turned);
        pthread_mutex_unlock(&lock);
        timings_leave();
    }
    timings_join();
}
