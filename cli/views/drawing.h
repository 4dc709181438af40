/* drawing: what is drawn of a T-DAG. A small one is drawn node by node. In a larger one equal nodes become one vertex
 * with a count: the unspent outputs of a transaction, those that one transaction spends together, and whole
 * transactions that have the same predecessors and successors (20,000 one-output roots spent together are one vertex).
 * Of what is still too large the first transactions in chain order are drawn, and the drawing says how many nodes are
 * not. */
#ifndef UNKTX_CLI_VIEWS_DRAWING_H
#define UNKTX_CLI_VIEWS_DRAWING_H

#include "graph/dag/forest.h"

enum vertex_type { VERTEX_ROOT, VERTEX_SPENT, VERTEX_UNSPENT, VERTEX_KNOWN };

struct drawing_vertex {
    enum vertex_type type;
    bool cut;          /* spent, but the spender is not drawn */
    uint64_t count;    /* nodes that it stands for */
    uint32_t tx;       /* number of the transaction that it belongs to (of the first of them) */
    uint32_t position; /* of that transaction among those of the T-DAG */
    uint32_t spender;  /* position of the spender; FOREST_NONE */
    uint32_t layer;    /* 0.. from the top, without gaps */
};

/* Zero-initialise; drawing_free at the end. */
struct drawing {
    struct drawing_vertex *vertices;
    uint32_t vertices_count;
    /* arcs between vertices */
    uint32_t *from;
    uint32_t *to;
    uint32_t arcs_count;
    uint64_t nodes;     /* of the T-DAG */
    uint64_t not_drawn; /* those that no vertex stands for */
};

/* At most `most` vertices. Compression is not drawn. O(arcs * log(transactions)) of the T-DAG, memory likewise. */
enum status drawing_make(const struct forest *forest, const struct tdags *tdags, uint32_t dag, uint32_t most,
                         struct drawing *drawing, struct fault *fault) MUST_CHECK;
void drawing_free(struct drawing *drawing);

#endif
