#define _GNU_SOURCE /* pthread_getattr_np, pthread_setattr_default_np */
#include "parser/parallel.h"

#include <errno.h>
#include <omp.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "parser/mem.h"
#include "parser/stop.h"
#include "parser/timings.h"

#define FEW_ITEMS 64u /* up to so many are taken in turns, for which no team of OpenMP spins afterwards */

unsigned parallel_default_threads(void)
{
    int processors = omp_get_num_procs();
    return processors > 0 ? (unsigned)processors : 1;
}

static void work_in_turns(unsigned threads, size_t items, parallel_work *work, void *context);

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
    if (items <= FEW_ITEMS) {
        work_in_turns(threads, items, work, context);
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

/* Else OpenMP's threads have what all threads have, and need not be made only to see that. */
static bool stacks_are_chosen(void)
{
    return getenv("OMP_STACKSIZE") || getenv("GOMP_STACKSIZE") || getenv("KMP_STACKSIZE");
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
        return threads > 1 && stacks_are_chosen() ? check_stacks(threads, fault) : STATUS_OK;
    errno = error;
    return fault_errno(fault, NULL, FAULT_NO_OFFSET,
                       "%u threads are not to be had, only %u (see ulimit -u, ulimit -v and the limits of a container; "
                       "or use --threads %u)",
                       threads, count + 1, count + 1);
}

/* ---- turns ---- */

struct turns {
    parallel_next *next;
    void (*work)(void *context, unsigned worker);
    void *context;
    pthread_mutex_t lock;
    pthread_cond_t turned;
};

struct turning {
    struct turns *turns;
    unsigned worker;
    pthread_t thread;
};

static void *take_turns(void *context)
{
    const struct turning *turning = context;
    struct turns *turns = turning->turns;
    enum parallel_turn turn;
    timings_enter(turning->worker);
    timings_lock(&turns->lock);
    while ((turn = turns->next(turns->context, turning->worker)) != PARALLEL_END) {
        if (turn == PARALLEL_WAIT) {
            timings_wait(TIMING_ORDER);
            pthread_cond_wait(&turns->turned, &turns->lock);
            timings_wait(TIMING_BUSY);
            continue;
        }
        pthread_cond_broadcast(&turns->turned);
        pthread_mutex_unlock(&turns->lock);
        turns->work(turns->context, turning->worker);
        timings_lock(&turns->lock);
    }
    pthread_cond_broadcast(&turns->turned);
    pthread_mutex_unlock(&turns->lock);
    timings_leave();
    return NULL;
}

/* Threads of its own, not OpenMP's: a thread that waits sleeps, and one that has ended is gone. At a barrier of OpenMP
 * it spins for milliseconds, which on a busy machine are those of the thread it waits for. */
void parallel_turns(unsigned threads, parallel_next *next, void (*work)(void *context, unsigned worker), void *context)
{
    struct turns turns = {next, work, context, PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER};
    struct turning own = {.turns = &turns, .worker = 0};
    struct turning *others = threads > 1 ? mem_alloc(threads - 1, sizeof *others) : NULL;
    unsigned made = 0;
    for (; others && made < threads - 1; made++) {
        others[made] = (struct turning){.turns = &turns, .worker = made + 1};
        if (pthread_create(&others[made].thread, NULL, take_turns, &others[made]) != 0)
            break;
    }
    take_turns(&own);
    for (unsigned i = 0; i < made; i++)
        pthread_join(others[i].thread, NULL);
    mem_free(others);
    timings_join();
}

/* Items in order, each taken by the thread that comes first. */
struct few_items {
    parallel_work *work;
    void *context;
    size_t items;
    size_t begun;
    size_t taken[FEW_ITEMS]; /* by each worker; of as many threads as there are items at most */
};

static enum parallel_turn next_item(void *context, unsigned worker)
{
    struct few_items *few = context;
    if (few->begun == few->items)
        return PARALLEL_END;
    few->taken[worker] = few->begun++;
    return PARALLEL_WORK;
}

static void work_on_item(void *context, unsigned worker)
{
    struct few_items *few = context;
    few->work(few->context, worker, few->taken[worker]);
}

static void work_in_turns(unsigned threads, size_t items, parallel_work *work, void *context)
{
    struct few_items few = {.work = work, .context = context, .items = items};
    parallel_turns(threads, next_item, work_on_item, &few);
}

/* ---- lanes ---- */

struct lane {
    size_t items;
    size_t slots;
    size_t made; /* or under way */
    size_t taken;
    bool is_taking;
    bool *is_ready;     /* by slot */
    uint64_t taking_ns; /* counted where time is (timings.h) */
};

/* What a worker was last given to do. */
struct lane_turn {
    enum { TURN_NONE, TURN_MAKE, TURN_TAKE } what;
    size_t lane;
    size_t item;
    bool goes_on; /* as `take` said */
};

struct lanes {
    struct lane *lanes;
    size_t count;
    struct lane_turn *turns; /* by worker */
    parallel_make *make;
    parallel_take *take;
    void *context;
    bool ended;
};

static void end_lane_turn(struct lanes *lanes, struct lane_turn *turn)
{
    struct lane *lane = &lanes->lanes[turn->lane];
    if (turn->what == TURN_MAKE)
        lane->is_ready[turn->item % lane->slots] = true;
    if (turn->what == TURN_TAKE) {
        lane->is_ready[turn->item % lane->slots] = false;
        lane->is_taking = false;
        lane->taken++;
        lanes->ended |= !turn->goes_on;
    }
    turn->what = TURN_NONE;
}

/* Lanes are made in step, each as far as its share goes, so that all end at about the same time. */
static bool is_behind(const struct lane *lane, const struct lane *other)
{
    return (unsigned __int128)lane->made * other->items < (unsigned __int128)other->made * lane->items;
}

static enum parallel_turn next_in_lanes(void *context, unsigned worker)
{
    struct lanes *lanes = context;
    struct lane_turn *turn = &lanes->turns[worker];
    struct lane *behind = NULL;
    bool left = false;
    end_lane_turn(lanes, turn);
    for (size_t i = 0; i < lanes->count && !lanes->ended; i++) {
        struct lane *lane = &lanes->lanes[i];
        left |= lane->taken < lane->items;
        if (!lane->is_taking && lane->is_ready[lane->taken % lane->slots]) {
            lane->is_taking = true;
            *turn = (struct lane_turn){.what = TURN_TAKE, .lane = i, .item = lane->taken};
            return PARALLEL_WORK;
        }
        if (lane->made < lane->items && lane->made - lane->taken < lane->slots && (!behind || is_behind(lane, behind)))
            behind = lane;
    }
    if (!left)
        return PARALLEL_END;
    if (!behind)
        return PARALLEL_WAIT;
    *turn = (struct lane_turn){TURN_MAKE, (size_t)(behind - lanes->lanes), behind->made++, true};
    return PARALLEL_WORK;
}

/* Of several lanes one is taken beside another: what no thread can help with is the longest of them. */
static void work_in_lanes(void *context, unsigned worker)
{
    struct lanes *lanes = context;
    struct lane_turn *turn = &lanes->turns[worker];
    if (turn->what == TURN_MAKE) {
        lanes->make(lanes->context, worker, turn->lane, turn->item);
        return;
    }
    enum timing_scope before = timings_scope(lanes->count > 1 ? TIMING_SHARED : TIMING_IN_TURN);
    uint64_t begun = timings_begin_piece();
    turn->goes_on = lanes->take(lanes->context, turn->lane, turn->item);
    lanes->lanes[turn->lane].taking_ns += timings_begin_piece() - begun;
    timings_scope(before);
}

static bool begin_lanes(struct lanes *lanes, const struct parallel_lane *given, unsigned threads)
{
    lanes->lanes = mem_alloc(lanes->count, sizeof *lanes->lanes);
    lanes->turns = mem_alloc(threads, sizeof *lanes->turns);
    bool ok = lanes->lanes && lanes->turns;
    for (size_t i = 0; i < lanes->count && ok; i++) {
        struct lane *lane = &lanes->lanes[i];
        *lane = (struct lane){.items = given[i].items, .slots = given[i].slots};
        lane->is_ready = mem_alloc(lane->slots, sizeof *lane->is_ready);
        ok = lane->is_ready != NULL;
    }
    return ok;
}

enum status parallel_lanes(unsigned threads, const struct parallel_lane *given, size_t count, parallel_make *make,
                           parallel_take *take, void *context, struct fault *fault)
{
    struct lanes lanes = {.count = count, .make = make, .take = take, .context = context};
    uint64_t longest_ns = 0;
    bool ok = begin_lanes(&lanes, given, threads);
    if (ok)
        parallel_turns(threads, next_in_lanes, work_in_lanes, &lanes);
    for (size_t i = 0; lanes.lanes && i < count; i++) {
        longest_ns = lanes.lanes[i].taking_ns > longest_ns ? lanes.lanes[i].taking_ns : longest_ns;
        mem_free(lanes.lanes[i].is_ready);
    }
    if (count > 1)
        timings_note_piece(longest_ns);
    mem_free(lanes.lanes);
    mem_free(lanes.turns);
    return ok ? STATUS_OK : fault_nomem(fault);
}
