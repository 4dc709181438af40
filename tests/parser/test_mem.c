#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <string.h>
#include <sys/resource.h>

#include "parser/mem.h"
#include "tests/support/trouble.h"

static void test_alloc(void **state)
{
    (void)state;
    uint8_t *p = mem_alloc(100, 3);
    assert_non_null(p);
    for (size_t i = 0; i < 300; i++)
        assert_int_equal(p[i], 0);
    uint8_t *q = mem_resize(p, 1000, 2);
    assert_non_null(q);
    memset(q, 1, 2000);
    mem_free(q);
    mem_free(NULL);
    void *empty = mem_alloc(0, 8);
    assert_non_null(empty);
    mem_free(empty);
}

static void test_apart(void **state)
{
    (void)state;
    struct hand {
        MEM_APART uint32_t count;
    };
    assert_int_equal(sizeof(struct hand) % MEM_APART_BYTES, 0);
    for (size_t count = 0; count < 9; count++) {
        struct hand *hands = mem_alloc_apart(count, sizeof *hands);
        assert_non_null(hands);
        assert_int_equal((uintptr_t)hands % MEM_APART_BYTES, 0);
        for (size_t i = 0; i < count; i++)
            assert_int_equal(hands[i].count++, 0);
        mem_free(hands);
    }
    mem_fail_after(0);
    assert_null(mem_alloc_apart(1, 1));
    mem_fail_after(-1);
}

static void test_lines(void **state)
{
    (void)state;
    static const size_t counts[] = {0, 1, 3, 5000, 3 << 20};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        uint8_t *block = mem_alloc_lines(counts[i], 3);
        assert_non_null(block);
        assert_int_equal((uintptr_t)block % MEM_LINE, 0);
        memset(block, 1, 3 * counts[i]);
        mem_free(block);
    }
    mem_fail_after(0);
    assert_null(mem_alloc_lines(1, 1));
    mem_fail_after(-1);
}

/* From some bytes to more than large pages have, and as much as there cannot be. */
static void test_renew_buffer(void **state)
{
    (void)state;
    static const size_t needs[] = {1, 4096, 5000, 3 << 20, 1 << 20, (6 << 20) + 1};
    uint8_t *buffer = NULL;
    size_t capacity = 0, most = 0;
    for (size_t i = 0; i < sizeof needs / sizeof *needs; i++) {
        assert_int_equal(mem_renew_buffer(&buffer, &capacity, needs[i]), STATUS_OK);
        assert_true(capacity >= needs[i] && capacity >= most && capacity < needs[i] + (4 << 20));
        memset(buffer, 1, capacity);
        most = capacity;
    }
    mem_fail_after(0);
    assert_int_equal(mem_renew_buffer(&buffer, &capacity, most), STATUS_OK); /* it is there */
    assert_int_equal(mem_renew_buffer(&buffer, &capacity, most + 1), STATUS_NOMEM);
    assert_true(!buffer && capacity == 0);
    mem_fail_after(-1);
    assert_int_equal(mem_renew_buffer(&buffer, &capacity, SIZE_MAX), STATUS_NOMEM);
    assert_true(!buffer && capacity == 0);
}

static void test_overflow(void **state)
{
    (void)state;
    volatile size_t half = SIZE_MAX / 2 + 1; /* hides the size from the compiler's own warning */
    assert_null(mem_alloc(half, 2));
    assert_null(mem_alloc(2, half));
    assert_null(mem_alloc_apart(half, 2));
    assert_null(mem_alloc_lines(half, 2));
    assert_null(mem_alloc_lines(half - 1, 2));
    assert_null(mem_alloc_apart(half - 1, 2)); /* with what comes before and after it */
    void *p = mem_alloc(1, 1);
    assert_null(mem_resize(p, half, 2));
    assert_null(mem_resize(p, half, 16));
    size_t capacity = 1;
    void *array = p;
    assert_int_equal(mem_reserve(&array, &capacity, half, 2), STATUS_NOMEM);
    assert_ptr_equal(array, p);
    assert_int_equal(capacity, 1);
    mem_free(p);
}

static void test_reserve(void **state)
{
    (void)state;
    uint64_t *array = NULL;
    size_t capacity = 0;
    long before = mem_count();
    for (uint64_t i = 0; i < 100000; i++) {
        assert_int_equal(mem_reserve(&array, &capacity, i + 1, sizeof *array), STATUS_OK);
        assert_true(capacity > i);
        array[i] = i;
    }
    for (uint64_t i = 0; i < 100000; i++)
        assert_int_equal(array[i], i);
    assert_true(mem_count() - before < 40); /* by half at least: log_1.5(100,000) is 28.4 */
    assert_int_equal(mem_reserve(&array, &capacity, 5, sizeof *array), STATUS_OK);
    mem_free(array);
}

static void test_failure(void **state)
{
    (void)state;
    uint64_t *array = NULL;
    size_t capacity = 0;
    mem_fail_after(2);
    void *a = mem_alloc(1, 1);
    void *b = mem_resize(NULL, 1, 1);
    void *c = mem_alloc(1, 1);
    void *d = mem_resize(a, 2, 1);
    enum status status = mem_reserve(&array, &capacity, 1, sizeof *array);
    mem_fail_after(-1);
    assert_true(a && b && !c && !d);
    assert_int_equal(status, STATUS_NOMEM);
    assert_null(array);
    assert_int_equal(capacity, 0);
    c = mem_alloc(1, 1);
    assert_non_null(c);
    mem_free(a);
    mem_free(b);
    mem_free(c);
}

#define THREADS 4
#define PER_THREAD 1000

static void *allocate(void *given)
{
    size_t *granted = given;
    for (size_t i = 0; i < PER_THREAD; i++) {
        void *p = mem_alloc(1, 8);
        *granted += p != NULL;
        mem_free(p);
    }
    return NULL;
}

/* Exactly the allowed number, whoever asks. */
static void test_threads(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    size_t granted[THREADS] = {0}, total = 0;
    long before = mem_count();
    mem_fail_after(THREADS * PER_THREAD / 2 + 7);
    for (size_t t = 0; t < THREADS; t++)
        assert_int_equal(pthread_create(&threads[t], NULL, allocate, &granted[t]), 0);
    for (size_t t = 0; t < THREADS; t++) {
        pthread_join(threads[t], NULL);
        total += granted[t];
    }
    mem_fail_after(-1);
    assert_int_equal(total, THREADS * PER_THREAD / 2 + 7);
    assert_int_equal(mem_count() - before, THREADS * PER_THREAD);
}

/* ---- mem_keep ---- */

#define BLOCK ((size_t)256 << 10)
#define BLOCKS 8u

static long first_touches(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_minflt;
}

/* As between two commits of a store: some blocks are filled, then all are freed. */
static void fill_and_free(void)
{
    void *blocks[BLOCKS];
    for (unsigned i = 0; i < BLOCKS; i++) {
        blocks[i] = mem_resize(NULL, BLOCK, 1);
        assert_non_null(blocks[i]);
        memset(blocks[i], 1, BLOCK);
    }
    for (unsigned i = 0; i < BLOCKS; i++)
        mem_free(blocks[i]);
}

static void *fill_in_thread(void *unused)
{
    fill_and_free();
    return unused;
}

/* The room begins where a large page does: what lies before one is in small pages, each with a first touch of its
 * own. */
static void test_keep_place(void **state)
{
    (void)state;
    if (SANITIZED) {
        print_message("skipped: a sanitizer has an allocator of its own\n");
        skip();
    }
    const uintptr_t large_page = (uintptr_t)2 << 20;
    mem_keep((size_t)16 << 20);
    void *block = mem_resize(NULL, (size_t)4 << 20, 1);
    assert_non_null(block);
    assert_true(((uintptr_t)block + 128) % large_page < 256);
    mem_free(block);
}

/* The pages are the system's once, and then the process's, whichever thread takes them. Before the tests that make
 * threads, which would have memory of their own. */
static void test_keep(void **state)
{
    (void)state;
    mem_keep(0);
    fill_and_free();
    if (SANITIZED) {
        print_message("skipped: a sanitizer has an allocator of its own\n");
        skip();
    }
    long before = first_touches();
    for (unsigned round = 0; round < 8; round++)
        fill_and_free();
    assert_true(first_touches() - before < (long)(BLOCKS * BLOCK / 4096 / 4));
    before = first_touches();
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, fill_in_thread, NULL), 0);
    pthread_join(thread, NULL);
    assert_true(first_touches() - before < (long)(BLOCKS * BLOCK / 4096 / 4));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keep_place),   cmocka_unit_test(test_keep),    cmocka_unit_test(test_alloc),
        cmocka_unit_test(test_overflow),     cmocka_unit_test(test_reserve), cmocka_unit_test(test_failure),
        cmocka_unit_test(test_threads),      cmocka_unit_test(test_apart),   cmocka_unit_test(test_lines),
        cmocka_unit_test(test_renew_buffer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
