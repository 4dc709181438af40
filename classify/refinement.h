/* refinement: the coarsest stable colouring of a coloured, arc-labelled digraph (its coarsest equitable partition), by
 * colour refinement. Its colour classes are called *cells*: two vertices of one cell have the same colour, and equally
 * many arcs of each label and direction to each cell.
 *
 * The order of the cells is the same for isomorphic graphs, and an isomorphism maps each cell to its namesake.
 *
 * Ownership: a refinement owns its arrays, and borrows the graph while it runs. Thread rule: one thread's scratch
 * space; any number of them may run at the same time. */
#ifndef UNKTX_CLASSIFY_REFINEMENT_H
#define UNKTX_CLASSIFY_REFINEMENT_H

#include "classify/canon.h"

struct refinement_arc {
    uint32_t cell; /* of `to` */
    uint32_t label;
    uint32_t to;
};

/* For sorting: sort_by_key takes what begins with the key. Packed, since there are two for each vertex or arc. */
struct __attribute__((packed)) refinement_item {
    uint64_t key;
    uint32_t value;
};

/* Zero-initialise; reused from graph to graph; refinement_free at the end. A *position* is an index of `order`, in
 * which the vertices of a cell stand one after the other; the cell is named by its first position. */
struct refinement {
    /* the result, of the graph that ran last */
    uint32_t cells_count;
    uint32_t *order;             /* [positions] the vertex there */
    uint32_t *size;              /* [positions] of the cell that begins there */
    uint32_t *position;          /* [vertices] where in `order` */
    uint32_t *cell;              /* [vertices] */
    struct refinement_arc *arcs; /* [arcs] numbered as the graph's; each vertex's own by cell, then label */
    /* while it runs */
    const struct canon_graph *graph;
    uint32_t *queue; /* cells that may split others, as a ring */
    uint32_t queue_head;
    uint32_t queue_length;
    uint8_t *queued;         /* [positions] by cell */
    uint32_t *count;         /* [vertices] arcs between it and the cell that splits */
    uint32_t *touched;       /* cells with such a vertex */
    uint32_t *touched_count; /* [positions] by cell: how many such vertices */
    uint32_t touched_cells;
    uint32_t *in_first; /* the graph's arcs by their heads, laid out as the graph's own */
    uint32_t *in_from;
    uint32_t *in_label;
    struct refinement_item *items;
    struct refinement_item *items_spare;
    size_t vertex_capacity;
    size_t arc_capacity;
    size_t item_capacity;
};

/* A graph of so many vertices leaves only the result behind: its room is worth more than the time to make it. */
#define REFINEMENT_LARGE 4096u

/* How many of `need` to make room for: some more, so that not each graph that is a little larger than those before
 * needs other room; of a large graph no more, since its room is given back. */
static inline size_t refinement_room(size_t need) { return need < REFINEMENT_LARGE ? need + need / 8 + 32 : need; }

/* Refines the graph's own colours. STATUS_NOMEM; STATUS_INTERRUPTED (stop.h). O((vertices + arcs) log vertices). */
enum status refinement_run(struct refinement *refinement, const struct canon_graph *graph) MUST_CHECK;
void refinement_free(struct refinement *refinement);

#endif
