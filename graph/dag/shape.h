/* shape: the one place that touches igraph: BLISS canonical forms and automorphism groups of small coloured graphs, and
 * the layout of drawings.
 *
 * igraph as Debian builds it is not thread-safe (process-wide state): every call here takes one process-wide lock, so
 * shape functions may be called from any thread, one works at a time. igraph's error handler is ours: no abort.
 *
 * igraph is loaded by the first call (parser/library.h): STATUS_RESOURCES of any of them is that it is not there. */
#ifndef UNKTX_GRAPH_DAG_SHAPE_H
#define UNKTX_GRAPH_DAG_SHAPE_H

#include <stdbool.h>
#include <stdint.h>

#include "parser/status.h"

#define SHAPE_METHOD_SIZE 96u

/* A simple digraph (no parallel arcs, no loops) with coloured vertices. Borrowed arrays. */
struct shape_graph {
    uint32_t vertices;
    uint32_t arcs;
    const uint32_t *colour; /* [vertices], small numbers */
    const uint32_t *from;   /* [arcs] */
    const uint32_t *to;     /* [arcs] */
};

/* Loads igraph, for who would rather know before long work than after it that it is not there. */
enum status shape_load(struct fault *fault) MUST_CHECK;

/* Canonical positions: position[v] is v's place in the canonical form; two graphs are isomorphic (colours kept) exactly
 * when renaming each by its positions gives the same graph. `*automorphisms_log10` gets the log10 of the group's order.
 * STATUS_LIMIT when BLISS asked more than shape_budget(vertices + arcs) questions: nothing is decided then. It depends
 * on the graph as it is numbered and on igraph's release, not on time, threads or earlier calls. The search is
 * exponential at worst (Neuen and Schweitzer, An exponential lower bound for individualization-refinement algorithms
 * for graph isomorphism, 2018); the budget makes it O(vertices + arcs) or so. */
enum status shape_canonical(const struct shape_graph *graph, uint32_t *position, double *automorphisms_log10,
                            struct fault *fault) MUST_CHECK;

/* How many questions BLISS may ask on a graph of so many vertices and arcs. It asks once or twice in each node of its
 * search tree whether to go on. */
uint64_t shape_budget(uint64_t size);

/* What a canonical form depends on apart from the graph: igraph's release and the budget. Two programs that say the
 * same give the same positions for the same graph. */
enum status shape_method(char text[SHAPE_METHOD_SIZE], struct fault *fault) MUST_CHECK;

/* Test support: questions that BLISS asked since the program began, for all threads. */
uint64_t shape_questions(void);

/* igraph's own isomorphism test by BLISS, for tests. */
enum status shape_isomorphic(const struct shape_graph *a, const struct shape_graph *b, bool *isomorphic,
                             struct fault *fault) MUST_CHECK;

/* Weakly connected components by igraph (for tests and `check`): component[v] numbered in order of smallest vertex. */
enum status shape_components(const struct shape_graph *graph, uint32_t *component, uint32_t *count, struct fault *fault)
    MUST_CHECK;

/* A drawing in layers by the method of Sugiyama, Tagawa and Toda (1981): x[v], at least 1 apart within a layer, from 0.
 * layer[v] is given; every arc leads to a higher one. Colours do not matter. The arcs are taken as straight: those over
 * several layers may run close to vertices between. O(vertices * arcs) or so: for some hundred vertices. */
enum status shape_layout(const struct shape_graph *graph, const uint32_t *layer, double *x, struct fault *fault)
    MUST_CHECK;

#endif
