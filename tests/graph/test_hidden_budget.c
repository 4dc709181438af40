/* The memory of `unktx hidden`: its parts together are what --memory says, however many threads there are; and what
 * waits for an answer is dropped with its block. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "graph/index/hidden.h"
#include "graph/index/waiting.h"
#include "parser/mem.h"

#define MIB ((uint64_t)1 << 20)
#define THREADS_MOST 256u

static void parts_fit(void **state)
{
    (void)state;
    static const uint64_t memories[] = {256 * MIB, 257 * MIB, 512 * MIB, 2048 * MIB, 100000 * MIB};
    for (size_t i = 0; i < sizeof memories / sizeof *memories; i++) {
        for (unsigned threads = 1; threads <= THREADS_MOST; threads++) {
            struct hidden_budget budget = hidden_budget_of(memories[i], threads);
            uint64_t all = HIDDEN_FIXED_BYTES + budget.threads * hidden_budget_thread() + 3 * budget.window +
                           budget.buffers + budget.promises;
            assert_true(all <= memories[i]);
            assert_true(all > memories[i] / 5 * 3);
            assert_true(budget.threads >= 1 && budget.threads <= threads);
            assert_true(budget.promises >= memories[i] / 5);
            assert_true(budget.window >= 4 * MIB); /* a block, whatever it holds */
        }
        assert_int_equal(hidden_budget_of(memories[i], 64).threads, 64);
    }
    assert_true(hidden_budget_of(256 * MIB, THREADS_MOST).threads < THREADS_MOST);
}

/* A spill of all ranges has a buffer of 128 bytes at least and 32 bytes beside it for each range and thread: with 80
 * threads and 4096 ranges 52 MB. Threads are left out until that has room too, and no more than that. */
static void pieces_are_counted(void **state)
{
    (void)state;
    static const uint64_t inputs[] = {0, 1000, 5000000, 400000000, 4000000000, 40000000000};
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++)
        for (unsigned threads = 1; threads <= THREADS_MOST; threads++) {
            struct hidden_budget budget = hidden_budget_for(256 * MIB, threads, inputs[i]);
            uint64_t ranges = inputs[i] / (budget.promises / 44) * 2 + 1;
            ranges = ranges < 4096 ? ranges : 4096;
            assert_true(budget.threads >= 1 && budget.threads <= threads);
            assert_true(budget.threads == 1 || ranges * budget.threads * (128 + 32) <= budget.buffers);
            struct hidden_budget other = hidden_budget_of(256 * MIB, budget.threads);
            assert_true(budget.window == other.window && budget.buffers == other.buffers &&
                        budget.promises == other.promises);
        }
    assert_int_equal(hidden_budget_for(256 * MIB, 80, 5000000).threads, hidden_budget_of(256 * MIB, 80).threads);
    assert_true(hidden_budget_for(256 * MIB, 80, 4000000000).threads < 64);
    assert_true(hidden_budget_for(256 * MIB, 80, 4000000000).threads > 16);
    assert_int_equal(hidden_budget_for(2048 * MIB, 80, 4000000000).threads, 80);
}

/* 1024 spends, each with a transaction, an input, up to two scripts and a claim, are counted for each thread. */
static void waiting_spends_are_counted(void **state)
{
    (void)state;
    size_t one = sizeof(struct hidden_spend) + sizeof(struct tx) + sizeof(struct tx_input) +
                 sizeof(struct taproot_claim);
    assert_true(waiting_bytes() >= 1024 * one);
    assert_true(hidden_budget_thread() >= HIDDEN_THREAD_BYTES + 1024 * one);
}

static enum status count_one(void *context, const struct hidden_spend *spend)
{
    (void)spend;
    ++*(unsigned *)context;
    return STATUS_OK;
}

static void add_one(struct waiting *waiting)
{
    static const uint8_t program[32];
    static const struct tx tx;
    static const struct tx_input input;
    struct hidden_spend spend = {.tx = &tx, .input = &input, .kind = KIND_SCRIPTHASH};
    waiting_add(waiting, &spend, program, NULL, 0);
}

static void what_was_dropped_is_not_shown(void **state)
{
    (void)state;
    struct waiting waiting = {0};
    unsigned shown = 0;
    struct taproot *taproot = taproot_new();
    assert_non_null(taproot);
    assert_int_equal(waiting_open(&waiting), STATUS_OK);
    add_one(&waiting);
    add_one(&waiting);
    waiting_drop(&waiting);
    add_one(&waiting);
    assert_int_equal(waiting_flush(&waiting, taproot, count_one, &shown), STATUS_OK);
    assert_int_equal(shown, 1);
    assert_int_equal(waiting_flush(&waiting, taproot, count_one, &shown), STATUS_OK);
    assert_int_equal(shown, 1);
    waiting_free(&waiting);
    taproot_free(taproot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_fit),
        cmocka_unit_test(pieces_are_counted),
        cmocka_unit_test(waiting_spends_are_counted),
        cmocka_unit_test(what_was_dropped_is_not_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
