/* multipede: graphs on which every canonical labelling by individualisation and refinement searches a tree that grows
 * exponentially (Neuen and Schweitzer, An exponential lower bound for individualization-refinement algorithms for graph
 * isomorphism, 2018; the gadgets are those of Cai, Fürer and Immerman, 1992). */
#ifndef UNKTX_TESTS_SUPPORT_MULTIPEDE_H
#define UNKTX_TESTS_SUPPORT_MULTIPEDE_H

#include <stdint.h>

#define MULTIPEDE_VERTICES(pairs) (6 * (pairs))
#define MULTIPEDE_ARCS(pairs) (12 * (pairs))

/* Writes the arcs of one: vertices 2i and 2i + 1 are pair i, and for each of `pairs` random triples of pairs, every pair
 * in three of them, four vertices behind get an arc from one of each pair of the triple, an even number of odd ones. The
 * seed is not 0; another one gives other triples. */
void multipede_arcs(uint32_t pairs, uint64_t seed, uint32_t *from, uint32_t *to);

#endif
