/* multipede: graphs on which every canonical labelling by individualisation and refinement searches a tree that grows
 * exponentially (Neuen and Schweitzer, An exponential lower bound for individualization-refinement algorithms for graph
 * isomorphism, 2018; the gadgets are those of Cai, Fürer and Immerman, 1992). */
#ifndef UNKTX_TESTS_SUPPORT_MULTIPEDE_H
#define UNKTX_TESTS_SUPPORT_MULTIPEDE_H

#include "tests/support/forests.h"

#define MULTIPEDE_VERTICES(pairs) (6 * (pairs))
#define MULTIPEDE_ARCS(pairs) (12 * (pairs))

/* Writes the arcs of one. Vertices 2i and 2i + 1 are pair i; there are `pairs` random triples of pairs, every pair in
 * three of them. Each triple has four vertices of its own after those of the pairs: to each of them leads an arc
 * from one vertex of each pair of the triple, an even number of these being odd. The seed is not 0; another one gives
 * other triples. */
void multipede_arcs(uint32_t pairs, uint64_t seed, uint32_t *from, uint32_t *to);

/* The same as a T-DAG: a root of six outputs for each of the first 2 * pairs vertices, which the others spend. */
void multipede_add(struct forest_builder *builder, uint32_t pairs, uint64_t seed);

#endif
