#include "parser/timings.h"

#include <assert.h>
#include <string.h>
#include <time.h>

#include "parser/mem.h"

struct timings *timings_running;
_Thread_local struct timing_thread *timings_own;

static struct timings running;

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void count(struct timing_thread *thread, uint64_t now)
{
    thread->stages[thread->stage].ns[thread->scope][thread->wait] += now - thread->since_ns;
    thread->since_ns = now;
}

static void change(struct timing_thread *thread, enum timing_scope scope, enum timing_wait wait)
{
    count(thread, now_ns());
    thread->scope = scope;
    thread->wait = wait;
}

static void count_all(uint64_t now)
{
    for (unsigned i = 0; i <= running.threads_count; i++)
        count(&running.threads[i], now);
}

/* ---- from begin to end ---- */

enum status timings_begin(unsigned threads, struct fault *fault)
{
    assert(!timings_running);
    running = (struct timings){.threads = mem_alloc((size_t)threads + 1, sizeof *running.threads)};
    if (!running.threads)
        return fault_nomem(fault);
    running.threads_count = threads;
    running.stages[running.stages_count++] = "open";
    uint64_t now = now_ns();
    for (unsigned i = 0; i <= threads; i++)
        running.threads[i].since_ns = now;
    running.threads[0].scope = TIMING_ALONE;
    timings_own = &running.threads[0];
    timings_running = &running;
    return STATUS_OK;
}

void timings_end(struct timings *timings)
{
    if (timings_running)
        count_all(now_ns());
    *timings = running;
    running = (struct timings){0};
    timings_running = NULL;
    timings_own = NULL;
}

void timings_free(struct timings *timings)
{
    mem_free(timings->threads);
    *timings = (struct timings){0};
}

uint64_t timing_sum(const struct timing *timing)
{
    uint64_t sum = 0;
    for (unsigned scope = 0; scope < TIMING_SCOPES; scope++)
        for (unsigned wait = 0; wait < TIMING_WAITS; wait++)
            sum += timing->ns[scope][wait];
    return sum;
}

/* ---- what happens ---- */

void timings_begin_stage(const char *name)
{
    unsigned stage = 0;
    while (stage < running.stages_count && strcmp(running.stages[stage], name) != 0)
        stage++;
    assert(stage < TIMINGS_STAGES);
    if (stage == running.stages_count)
        running.stages[running.stages_count++] = name;
    count_all(now_ns());
    for (unsigned i = 0; i <= running.threads_count; i++)
        running.threads[i].stage = stage;
}

void timings_change(enum timing_scope scope, enum timing_wait wait) { change(timings_own, scope, wait); }

uint64_t timings_begin_piece(void)
{
    if (!timings_own)
        return 0;
    count(timings_own, now_ns());
    return timing_sum(&timings_own->stages[timings_own->stage]);
}

void timings_note_piece(uint64_t ns)
{
    if (timings_own && ns > timings_own->stages[timings_own->stage].longest_ns)
        timings_own->stages[timings_own->stage].longest_ns = ns;
}

void timings_end_piece(uint64_t begun) { timings_note_piece(timings_begin_piece() - begun); }

void timings_begin_worker(struct timing_thread *thread, enum timing_scope scope)
{
    timings_own = thread;
    change(thread, scope, TIMING_BUSY);
}

void timings_leave(void)
{
    if (!timings_own)
        return;
    change(timings_own, TIMING_SHARED, TIMING_THREADS);
    if (timings_own != running.threads)
        timings_own = NULL;
}

/* Up to here each of them has waited for the last. */
void timings_join_workers(void)
{
    uint64_t now = now_ns();
    for (unsigned i = 0; i < running.threads_count; i++) {
        struct timing_thread *thread = &running.threads[i];
        count(thread, now);
        thread->scope = i == 0 ? TIMING_ALONE : TIMING_NOTHING;
        thread->wait = TIMING_BUSY;
    }
}

void timings_leave_helper(void)
{
    if (timings_own)
        change(timings_own, TIMING_NOTHING, TIMING_BUSY);
    timings_own = NULL;
}
