/* timings: each nanosecond is counted once, in the scope and wait in which the thread was. What slept is known to have
 * taken as long at least; nothing here expects that something was fast. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <time.h>

#include "parser/mem.h"
#include "parser/parallel.h"
#include "parser/timings.h"

#define NAP_NS UINT64_C(3000000)

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void nap(void)
{
    const struct timespec time = {.tv_nsec = (long)NAP_NS};
    nanosleep(&time, NULL);
}

/* All threads have the same time in each stage, and all stages together what passed. */
static void check_sums(const struct timings *timings, uint64_t passed)
{
    uint64_t all = 0;
    for (unsigned stage = 0; stage < timings->stages_count; stage++) {
        uint64_t elapsed = timing_sum(&timings->threads[0].stages[stage]);
        all += elapsed;
        for (unsigned i = 1; i <= timings->threads_count; i++)
            assert_int_equal(timing_sum(&timings->threads[i].stages[stage]), elapsed);
    }
    assert_true(all <= passed);
}

static void test_off(void **state)
{
    (void)state;
    struct timings timings;
    timings_stage("nothing");
    assert_int_equal(timings_wait(TIMING_DISK), TIMING_DISK);
    assert_int_equal(timings_scope(TIMING_SHARED), TIMING_SHARED);
    timings_read(5);
    timings_end_piece(timings_begin_piece());
    timings_end(&timings);
    assert_int_equal(timings.threads_count, 0);
    assert_int_equal(timings.stages_count, 0);
    timings_free(&timings);
}

static void test_scopes_and_waits(void **state)
{
    (void)state;
    struct timings timings;
    uint64_t begun = now_ns();
    assert_int_equal(timings_begin(1, NULL), STATUS_OK);
    for (unsigned scope = TIMING_ALONE; scope < TIMING_SCOPES; scope++)
        for (unsigned wait = 0; wait < TIMING_WAITS; wait++) {
            enum timing_scope scope_before = timings_scope((enum timing_scope)scope);
            enum timing_wait wait_before = timings_wait((enum timing_wait)wait);
            assert_int_equal(scope_before, TIMING_ALONE);
            assert_int_equal(wait_before, TIMING_BUSY);
            nap();
            timings_wait(wait_before);
            timings_scope(scope_before);
        }
    timings_stage("second");
    timings_read(70);
    timings_written(8);
    uint64_t piece = timings_begin_piece();
    nap();
    timings_end_piece(piece);
    timings_stage("open"); /* once more */
    timings_read(1);
    timings_end(&timings);
    check_sums(&timings, now_ns() - begun);
    assert_int_equal(timings.stages_count, 2);
    assert_string_equal(timings.stages[1], "second");
    const struct timing *first = &timings.threads[0].stages[0], *second = &timings.threads[0].stages[1];
    for (unsigned scope = TIMING_ALONE; scope < TIMING_SCOPES; scope++)
        for (unsigned wait = 0; wait < TIMING_WAITS; wait++)
            assert_true(first->ns[scope][wait] >= NAP_NS);
    assert_true(second->longest_ns >= NAP_NS);
    assert_true(second->longest_ns <= timing_sum(second));
    assert_int_equal(first->longest_ns, 0);
    assert_int_equal(second->read_bytes, 70);
    assert_int_equal(second->written_bytes, 8);
    assert_int_equal(first->read_bytes, 1);
    timings_free(&timings);
}

/* ---- several threads ---- */

static void nap_item(void *context, unsigned worker, size_t item)
{
    (void)context, (void)worker, (void)item;
    nap();
    timings_read(10);
}

static uint64_t sum_of(const struct timings *timings, enum timing_scope scope, enum timing_wait wait)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < timings->threads_count; i++)
        sum += timings->threads[i].stages[0].ns[scope][wait];
    return sum;
}

/* In whatever scope, of all threads. */
static uint64_t waited_for(const struct timings *timings, enum timing_wait wait)
{
    uint64_t sum = 0;
    for (unsigned scope = 0; scope < TIMING_SCOPES; scope++)
        sum += sum_of(timings, scope, wait);
    return sum;
}

/* Of 3 threads one or two have the two items; none of the others works, and the main thread alone is never idle. */
static void test_divided(void **state)
{
    (void)state;
    for (unsigned threads = 1; threads <= 3; threads++) {
        struct timings timings;
        uint64_t begun = now_ns(), bytes = 0;
        assert_int_equal(timings_begin(threads, NULL), STATUS_OK);
        nap();
        assert_int_equal(parallel_for(threads, 2, nap_item, NULL, NULL), STATUS_OK);
        parallel_whole(threads, 7, nap_item, NULL);
        nap();
        timings_end(&timings);
        check_sums(&timings, now_ns() - begun);
        assert_int_equal(timings.threads_count, threads);
        for (unsigned i = 0; i < threads; i++)
            bytes += timings.threads[i].stages[0].read_bytes;
        assert_int_equal(bytes, 90);
        assert_true(sum_of(&timings, TIMING_SHARED, TIMING_BUSY) >= 9 * NAP_NS);
        assert_true(timings.threads[0].stages[0].ns[TIMING_ALONE][TIMING_BUSY] >= 2 * NAP_NS);
        assert_int_equal(timings.threads[0].stages[0].ns[TIMING_NOTHING][TIMING_BUSY], 0);
        for (unsigned i = 1; i < threads; i++) {
            assert_true(timings.threads[i].stages[0].ns[TIMING_NOTHING][TIMING_BUSY] >= 2 * NAP_NS);
            assert_int_equal(timings.threads[i].stages[0].ns[TIMING_ALONE][TIMING_BUSY], 0);
        }
        timings_free(&timings);
    }
}

/* The first who comes works, and the others must wait for it. */
struct turns {
    unsigned done;
    bool working;
    bool mine[2];
};

static enum parallel_turn next_turn(void *context, unsigned worker)
{
    struct turns *turns = context;
    if (turns->mine[worker]) {
        turns->mine[worker] = turns->working = false;
        turns->done++;
    }
    if (turns->done == 6)
        return PARALLEL_END;
    if (turns->working)
        return PARALLEL_WAIT;
    turns->mine[worker] = turns->working = true;
    return PARALLEL_WORK;
}

static void take_turn(void *context, unsigned worker)
{
    (void)context, (void)worker;
    enum timing_scope before = timings_scope(TIMING_IN_TURN);
    nap();
    timings_scope(before);
}

/* A thread that comes late need not wait: once in a few times one does. */
static void test_turns(void **state)
{
    (void)state;
    uint64_t waited = 0;
    for (unsigned tries = 0; tries < 50 && waited == 0; tries++) {
        struct turns turns = {0};
        struct timings timings;
        uint64_t begun = now_ns();
        assert_int_equal(timings_begin(2, NULL), STATUS_OK);
        parallel_turns(2, next_turn, take_turn, &turns);
        timings_end(&timings);
        check_sums(&timings, now_ns() - begun);
        assert_true(sum_of(&timings, TIMING_IN_TURN, TIMING_BUSY) >= 6 * NAP_NS);
        waited = waited_for(&timings, TIMING_ORDER);
        timings_free(&timings);
    }
    assert_true(waited > 0);
}

/* A lock that another thread holds until this one has waited for it. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *hold(void *unused)
{
    (void)unused;
    timings_enter_helper();
    pthread_mutex_lock(&lock);
    timings_written(4);
    nap();
    nap();
    pthread_mutex_unlock(&lock);
    timings_leave_helper();
    return NULL;
}

static void test_helper_and_lock(void **state)
{
    (void)state;
    uint64_t waited = 0;
    for (unsigned tries = 0; tries < 50 && waited == 0; tries++) {
        struct timings timings;
        pthread_t thread;
        uint64_t begun = now_ns();
        assert_int_equal(timings_begin(1, NULL), STATUS_OK);
        assert_int_equal(pthread_create(&thread, NULL, hold, NULL), 0);
        nap(); /* most often the other thread has the lock then */
        timings_lock(&lock);
        pthread_mutex_unlock(&lock);
        pthread_join(thread, NULL);
        timings_end(&timings);
        check_sums(&timings, now_ns() - begun);
        assert_true(timings.threads[1].stages[0].ns[TIMING_IN_TURN][TIMING_BUSY] >= 2 * NAP_NS);
        assert_int_equal(timings.threads[1].stages[0].written_bytes, 4);
        waited = waited_for(&timings, TIMING_LOCK);
        timings_free(&timings);
    }
    assert_true(waited > 0);
}

static void test_no_memory(void **state)
{
    (void)state;
    struct fault fault = {0};
    struct timings timings;
    mem_fail_after(0);
    assert_int_equal(timings_begin(2, &fault), STATUS_NOMEM);
    mem_fail_after(-1);
    assert_null(timings_running);
    timings_end(&timings);
    assert_int_equal(timings.threads_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_off),   cmocka_unit_test(test_scopes_and_waits), cmocka_unit_test(test_divided),
        cmocka_unit_test(test_turns), cmocka_unit_test(test_helper_and_lock),  cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
