/* How a pass of hidden.h divides its memory. */
#include "graph/index/hidden.h"

#include "graph/index/promises.h"
#include "graph/index/waiting.h"

#define WINDOW_BYTES_A_THREAD (8u << 20)

uint64_t hidden_budget_thread(void) { return HIDDEN_THREAD_BYTES + waiting_bytes(); }

struct hidden_budget hidden_budget_of(uint64_t memory, unsigned threads)
{
    uint64_t most = (memory / 2 - HIDDEN_FIXED_BYTES) / hidden_budget_thread();
    struct hidden_budget budget = {.threads = threads < most ? threads : (unsigned)most};
    uint64_t left = memory - HIDDEN_FIXED_BYTES - budget.threads * hidden_budget_thread();
    uint64_t wanted = (uint64_t)WINDOW_BYTES_A_THREAD * budget.threads;
    budget.window = wanted < left / 12 ? wanted : left / 12;
    budget.buffers = left / 4;
    budget.promises = left / 2;
    return budget;
}

struct hidden_budget hidden_budget_for(uint64_t memory, unsigned threads, uint64_t inputs)
{
    struct hidden_budget budget = hidden_budget_of(memory, threads);
    while (budget.threads > 1 && promises_least_buffers(inputs, budget.promises, budget.threads) > budget.buffers)
        budget = hidden_budget_of(memory, budget.threads - 1);
    return budget;
}
