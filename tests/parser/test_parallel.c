/* parallel_lanes: each lane's items are made once and taken in order, what is in a slot stays until it was taken, and
 * nothing begins after the end. Where no more threads are to be had the calling one does all. */
#define _GNU_SOURCE /* pthread_setattr_default_np */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "parser/mem.h"
#include "parser/parallel.h"

#define LANES 4u
#define ITEMS_MAX 1000u
#define SLOTS_MAX 8u
#define NEVER SIZE_MAX

static const struct parallel_lane lanes[LANES] = {{ITEMS_MAX, 1}, {7, 3}, {0, 2}, {300, SLOTS_MAX}};

struct run {
    atomic_uint made[LANES][ITEMS_MAX];    /* how often */
    atomic_size_t slots[LANES][SLOTS_MAX]; /* the item in each */
    atomic_size_t taken[LANES];
    atomic_bool is_taking[LANES];
    atomic_bool wrong;
    size_t last; /* of lane 0: the item after which nothing is to begin */
};

static void make(void *context, unsigned worker, size_t lane, size_t item)
{
    struct run *run = context;
    (void)worker;
    if (run->made[lane][item]++ > 0)
        run->wrong = true;
    run->slots[lane][item % lanes[lane].slots] = item;
}

static bool take(void *context, size_t lane, size_t item)
{
    struct run *run = context;
    if (atomic_exchange(&run->is_taking[lane], true) || run->made[lane][item] != 1 || run->taken[lane] != item)
        run->wrong = true;
    sched_yield(); /* others may make now what has a free slot */
    if (run->slots[lane][item % lanes[lane].slots] != item)
        run->wrong = true;
    run->taken[lane]++;
    run->is_taking[lane] = false;
    return lane > 0 || item != run->last;
}

static void each_item_in_order(void **state)
{
    (void)state;
    for (unsigned threads = 1; threads <= 5; threads++) {
        struct run run = {.last = NEVER};
        assert_int_equal(parallel_lanes(threads, lanes, LANES, make, take, &run, NULL), STATUS_OK);
        assert_false(run.wrong);
        for (size_t lane = 0; lane < LANES; lane++)
            assert_int_equal(run.taken[lane], lanes[lane].items);
    }
}

/* The lane that says so has taken that item last, and has made no more than its slots after it. */
static void the_end_ends_all(void **state)
{
    (void)state;
    for (unsigned threads = 1; threads <= 5; threads++) {
        struct run run = {.last = 40};
        assert_int_equal(parallel_lanes(threads, lanes, LANES, make, take, &run, NULL), STATUS_OK);
        assert_false(run.wrong);
        assert_int_equal(run.taken[0], 41);
        for (size_t item = 41 + lanes[0].slots; item < ITEMS_MAX; item++)
            assert_int_equal(run.made[0][item], 0);
        if (threads == 1) /* lanes are made in step: 41 of 1000 are 12 of 300 */
            assert_in_range(run.taken[3], 12 - SLOTS_MAX, 12 + SLOTS_MAX);
    }
}

static void without_memory_nothing_is_done(void **state)
{
    (void)state;
    enum status status = STATUS_NOMEM;
    for (long allowed = 0; status == STATUS_NOMEM; allowed++) {
        struct run run = {.last = NEVER};
        struct fault fault = {0};
        assert_true(allowed < 20);
        mem_fail_after(allowed);
        status = parallel_lanes(2, lanes, LANES, make, take, &run, &fault);
        mem_fail_after(-1);
        assert_int_equal(fault.status, status);
        assert_int_equal(run.made[0][0], status == STATUS_OK);
    }
    assert_int_equal(status, STATUS_OK);
}

static void set_stack(size_t size)
{
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    assert_int_equal(pthread_attr_setstacksize(&attributes, size), 0);
    assert_int_equal(pthread_setattr_default_np(&attributes), 0);
    pthread_attr_destroy(&attributes);
}

static void note_item(void *context, unsigned worker, size_t item)
{
    unsigned *seen = context;
    seen[item] += 1 + 100 * worker;
}

static void without_threads_the_caller_does_all(void **state)
{
    (void)state;
    pthread_attr_t before;
    size_t size;
    unsigned seen[10] = {0};
    struct run run = {.last = NEVER};
    assert_int_equal(pthread_getattr_default_np(&before), 0);
    pthread_attr_getstacksize(&before, &size);
    pthread_attr_destroy(&before);
    set_stack(SIZE_MAX / 2 + 1); /* which no thread can have */
    parallel_whole(4, 10, note_item, seen);
    enum status status = parallel_lanes(4, lanes, LANES, make, take, &run, NULL), tried = parallel_try(2, NULL);
    set_stack(size);
    assert_int_equal(tried, STATUS_RESOURCES); /* so it was as said */
    for (size_t i = 0; i < 10; i++)
        assert_int_equal(seen[i], 1);
    assert_int_equal(status, STATUS_OK);
    assert_false(run.wrong);
    for (size_t lane = 0; lane < LANES; lane++)
        assert_int_equal(run.taken[lane], lanes[lane].items);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_item_in_order),
        cmocka_unit_test(the_end_ends_all),
        cmocka_unit_test(without_memory_nothing_is_done),
        cmocka_unit_test(without_threads_the_caller_does_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
