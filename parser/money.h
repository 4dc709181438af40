/* money: sums of amounts in satoshi, and how much there can be. A chain's amounts cannot reach 2^64, but those of a
 * block that nobody has validated can, and a sum that wrapped would look like a small one.
 *
 * Thread rule: none, no state. */
#ifndef UNKTX_PARSER_MONEY_H
#define UNKTX_PARSER_MONEY_H

#include <stdbool.h>
#include <stdint.h>

/* Core's MAX_MONEY: no output has more, nor have the outputs or the spent outputs of one transaction together. */
#define MONEY_MAX_SAT UINT64_C(2100000000000000)

/* a + b, or UINT64_MAX where that is more. */
static inline uint64_t add_saturating(uint64_t a, uint64_t b)
{
    uint64_t sum;
    return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

/* The same to a sum that several threads add to. */
static inline void add_saturating_shared(uint64_t *sum, uint64_t amount)
{
    uint64_t before = __atomic_load_n(sum, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(sum, &before, add_saturating(before, amount), true, __ATOMIC_RELAXED,
                                        __ATOMIC_RELAXED)) {
    }
}

#endif
