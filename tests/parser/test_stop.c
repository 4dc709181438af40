/* The flag that ends long loops, and the loops of parser/ and classify/ that look at it. Work is counted, not timed. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "parser/parallel.h"
#include "parser/stop.h"

static int clear(void **state)
{
    (void)state;
    stop_after(-1);
    return 0;
}

static void test_flag(void **state)
{
    (void)state;
    struct fault fault = {0};
    assert_false(stop_requested());
    assert_int_equal(stop_check(&fault), STATUS_OK);
    stop_request();
    assert_true(stop_requested());
    assert_int_equal(stop_check(&fault), STATUS_INTERRUPTED);
    assert_string_equal(fault.text, "interrupted");
    assert_int_equal(stop_check(NULL), STATUS_INTERRUPTED);
}

/* The look after so many is the first that says to stop, and all later ones do. */
static void test_after_looks(void **state)
{
    (void)state;
    for (long looks = 0; looks < 5; looks++) {
        stop_after(looks);
        for (long i = 0; i < looks; i++)
            assert_false(stop_requested());
        for (long i = 0; i < 3; i++)
            assert_true(stop_requested());
        assert_int_equal(stop_looks(), looks + 3);
    }
    stop_after(0);
    assert_false(stop_due(1));
    assert_false(stop_due(4095));
    assert_true(stop_due(4096));
}

struct counted {
    atomic_long done;
    long stop_at;
};

static void count(void *context, unsigned worker, size_t item)
{
    struct counted *counted = context;
    (void)worker, (void)item;
    long done = ++counted->done; /* who comes later asks too: the first may be held up before it does */
    if (counted->stop_at > 0 && done >= counted->stop_at)
        stop_request();
}

/* Once the flag is set no item begins but those that other threads have just looked for. */
static void test_parallel_for(void **state)
{
    (void)state;
    struct fault fault = {0};
    for (unsigned threads = 1; threads <= 4; threads++) {
        struct counted all = {.stop_at = -1}, some = {.stop_at = 100}, last = {.stop_at = 1000}, whole = {.stop_at = 1};
        stop_after(-1);
        assert_int_equal(parallel_for(threads, 1000, count, &all, &fault), STATUS_OK);
        assert_int_equal(all.done, 1000);
        assert_int_equal(parallel_for(threads, 1000, count, &some, &fault), STATUS_INTERRUPTED);
        assert_true(some.done >= 100 && some.done < 100 + (long)threads);
        stop_after(-1);
        assert_int_equal(parallel_for(threads, 1000, count, &last, &fault), STATUS_OK); /* nothing was left out */
        parallel_whole(threads, 1000, count, &whole);
        assert_int_equal(whole.done, 1000);
    }
}

static void test_parallel_try(void **state)
{
    (void)state;
    struct fault fault = {0};
    assert_int_equal(parallel_try(1, &fault), STATUS_OK);
    assert_int_equal(parallel_try(8, &fault), STATUS_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_flag, clear),
        cmocka_unit_test_teardown(test_after_looks, clear),
        cmocka_unit_test_teardown(test_parallel_for, clear),
        cmocka_unit_test_teardown(test_parallel_try, clear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
