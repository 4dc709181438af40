/* money: sums of amounts in satoshi. A chain's amounts cannot reach 2^64, but those of a block that nobody has
 * validated can, and a sum that wrapped would look like a small one.
 *
 * Thread rule: none, no state. */
#ifndef UNKTX_PARSER_MONEY_H
#define UNKTX_PARSER_MONEY_H

#include <stdint.h>

/* a + b, or UINT64_MAX where that is more. */
static inline uint64_t add_saturating(uint64_t a, uint64_t b)
{
    uint64_t sum;
    return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

#endif
