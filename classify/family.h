/* family: the topology families of docs/model.md, section 7, read on the transaction-level graph with parallel arcs
 * merged. */
#ifndef UNKTX_CLASSIFY_FAMILY_H
#define UNKTX_CLASSIFY_FAMILY_H

#include "parser/status.h"

enum family {
    FAMILY_CHAIN,
    FAMILY_FAN_OUT,
    FAMILY_FAN_IN,
    FAMILY_PEELING_CHAIN,
    FAMILY_OUT_TREE,
    FAMILY_IN_TREE,
    FAMILY_GATHER_SCATTER,
    FAMILY_POLYTREE,
    FAMILY_SCATTER_GATHER,
    FAMILY_BIPARTITE,
    FAMILY_SERIES_PARALLEL,
    FAMILY_STACK,
    FAMILY_GENERAL,
};
#define FAMILIES 13

/* "chain", "fan-out", ...: static strings. */
const char *family_name(enum family family);

/* A weakly connected DAG of two transactions or more. Vertices are numbered in a topological order (every arc goes from
 * a smaller to a larger number). No parallel arcs. Borrowed arrays. */
struct family_graph {
    uint32_t vertices;
    const uint32_t *first; /* [vertices + 1] */
    const uint32_t *to;
};

struct family_scratch; /* one thread's, reused from graph to graph */
/* STATUS_NOMEM is the only error of this and of family_of. Ended by family_scratch_free; NULL is legal there. */
enum status family_scratch_new(struct family_scratch **scratch, struct fault *fault) MUST_CHECK;
void family_scratch_free(struct family_scratch *scratch);

/* The first family of the table that fits. O(vertices + arcs), no recursion. */
enum status family_of(struct family_scratch *scratch, const struct family_graph *graph, enum family *family) MUST_CHECK;

#endif
