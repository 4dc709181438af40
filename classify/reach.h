/* reach: how much can be reached from each vertex of an acyclic graph, for the paper's order of sub-DAGs
 * (docs/model.md, section 9).
 *
 * What is reached twice counts once, so sets have to be followed, and these are quadratic in general. They need not be
 * where no two ways meet again: below a vertex with one successor, and of out-trees that hang off the rest. For what is
 * left, sets are kept as bits, 64 vertices at a time, from one vertex that all ways lead through to the next.
 *
 * Thread rule: one thread's scratch space. */
#ifndef UNKTX_CLASSIFY_REACH_H
#define UNKTX_CLASSIFY_REACH_H

#include "classify/canon.h"

/* A graph of up to so many vertices is always within the bound on the work. */
#define REACH_VERTICES_SURE (1u << 16)

/* Zero-initialise; reach_free at the end. */
struct reach {
    uint32_t *order;   /* the vertices in a topological order; after reach_find */
    uint32_t *entries; /* arcs into each vertex */
    uint32_t *left;
    uint32_t *place; /* of a vertex in `core` */
    uint32_t *core;
    uint8_t *flags;
    uint64_t *bits;
    uint64_t *totals;
    uint64_t *weights;
    uint32_t core_count;
    size_t capacity;
};

/* sums[v] = the sum of the weights of all vertices that can be reached from v, itself among them. STATUS_LIMIT where
 * that takes more than 1,024 steps for each arc and 8,192 for each vertex; only for more than REACH_VERTICES_SURE
 * vertices. STATUS_INTERRUPTED as stop.h has it. Linear for trees, fans, and chains of small pieces. */
enum status reach_find(struct reach *reach, const struct canon_graph *graph, const uint64_t *weights, uint64_t *sums)
    MUST_CHECK;
void reach_free(struct reach *reach);

#endif
