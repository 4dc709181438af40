/* union-find: which elements are connected. `parent` has for each element another one of its set, or itself.
 *
 * Thread rule: no state but the caller's. Those called shared may be called by any number of threads for the same
 * sets; what they answer is final once all are done, and the same whatever the order. */
#ifndef UNKTX_PARSER_UNION_FIND_H
#define UNKTX_PARSER_UNION_FIND_H

#include <stdbool.h>
#include <stdint.h>

/* The element that stands for the set of `i`. Halves the path to it (Tarjan, van Leeuwen, Worst-case analysis of set
 * union algorithms, 1984): O(log elements) amortised, whichever of two such elements becomes the other's parent. */
static inline uint32_t union_find(uint32_t *parent, uint32_t i)
{
    while (parent[i] != i)
        i = parent[i] = parent[parent[i]];
    return i;
}

/* The same while other threads join sets with union_join_shared. What it halves may be older than what another thread
 * wrote, but it is always one of the set and no larger. */
static inline uint32_t union_find_shared(uint32_t *parent, uint32_t i)
{
    for (;;) {
        uint32_t up = __atomic_load_n(&parent[i], __ATOMIC_RELAXED), next;
        if (up == i || (next = __atomic_load_n(&parent[up], __ATOMIC_RELAXED)) == up)
            return up;
        __atomic_store_n(&parent[i], next, __ATOMIC_RELAXED);
        i = next;
    }
}

/* Joins the sets of a and b and returns the smaller of their representatives, which stands for both unless another
 * thread has joined them with a smaller one, to which it was then returned. Every parent is
 * smaller than what it is a parent of, so no order of threads makes a cycle, and the smallest element of a set comes to
 * stand for it (Anderson, Woll, Wait-free parallel algorithms for the union-find problem, 1991). */
static inline uint32_t union_join_shared(uint32_t *parent, uint32_t a, uint32_t b)
{
    for (;;) {
        a = union_find_shared(parent, a);
        b = union_find_shared(parent, b);
        uint32_t small = a < b ? a : b, large = a < b ? b : a;
        if (small == large ||
            __atomic_compare_exchange_n(&parent[large], &large, small, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
            return small;
    }
}

#endif
