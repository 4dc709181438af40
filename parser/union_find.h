/* union-find: which elements are connected. `parent` has for each element another one of its set, or itself.
 *
 * Thread rule: none, no state but the caller's. */
#ifndef UNKTX_PARSER_UNION_FIND_H
#define UNKTX_PARSER_UNION_FIND_H

#include <stdint.h>

/* The element that stands for the set of `i`. Halves the path to it (Tarjan, van Leeuwen, Worst-case analysis of set
 * union algorithms, 1984): O(log elements) amortised, whichever of two such elements becomes the other's parent. */
static inline uint32_t union_find(uint32_t *parent, uint32_t i)
{
    while (parent[i] != i)
        i = parent[i] = parent[parent[i]];
    return i;
}

#endif
