/* drawing: what is drawn of a T-DAG, or of a part of one, so that every node is stood for. A small one is drawn node by
 * node. In a larger one equal nodes become one vertex with their number, and what is still too large is collapsed until
 * the drawing fits:
 *
 * - Transactions are alike if they have the same depth and the same role: the same outputs, and predecessors and
 *   successors of the same roles. Their roots are one vertex, their unspent outputs are one, and so on.
 * - Levels (depths of outputs) that follow one another become a band, of which each connected component is one vertex,
 *   a part. Alike components are one.
 * - Of what a level or band still has too many kinds of, those with the most nodes are drawn, and one vertex stands for
 *   the rest.
 *
 * Any such drawing of a connected graph is connected. Two paths are drawn through (docs/model.md, section 5): the
 * longest one, and the heaviest flow. */
#ifndef UNKTX_CLI_VIEWS_DRAWING_H
#define UNKTX_CLI_VIEWS_DRAWING_H

#include "graph/dag/forest.h"

/* The last two stand for no node: what is above a joint leads to all that is below it, and in the drawing of a part an
 * entry is where it is spent into from outside of that. */
enum vertex_type { VERTEX_ROOT, VERTEX_SPENT, VERTEX_UNSPENT, VERTEX_KNOWN, VERTEX_PART, VERTEX_ENTRY, VERTEX_JOINT };

/* Marks of what is on one of the two paths. */
#define DRAWING_LONGEST 1u
#define DRAWING_HEAVIEST 2u

struct drawing_vertex {
    enum vertex_type type;
    uint8_t marks;
    bool cut;             /* has outputs that are spent by transactions outside of what is drawn */
    uint32_t block;       /* its transactions: vertices of the same ones have the same number */
    uint32_t to;          /* VERTEX_SPENT: the block of its spenders; else FOREST_NONE */
    uint32_t tx;          /* number of the first of its transactions */
    uint32_t txs;         /* how many these are; 0 for a joint or an entry */
    uint32_t first_level; /* of these within what is drawn, from 1 */
    uint32_t last_level;
    uint32_t components; /* VERTEX_PART: connected ones; else 1 for each transaction */
    uint32_t layer;      /* 0.. from the top, without gaps */
    uint64_t count;      /* nodes that it stands for; 0 for a joint or an entry */
};

struct drawing;

/* What is to be drawn: a T-DAG, or transactions of one. Borrowed. */
struct drawing_scope {
    const struct forest *forest;
    enum rules rules;
    const uint32_t *numbers; /* of transactions, ascending */
    uint32_t count;
    const struct drawing *made; /* drawing_make of it, for whom it was made before; NULL: it was not */
};

/* Zero-initialise; drawing_free at the end. */
struct drawing {
    struct drawing_vertex *vertices;
    uint32_t vertices_count;
    /* arcs between vertices */
    uint32_t *from;
    uint32_t *to;
    uint8_t *marks;
    uint32_t arcs_count;
    uint32_t *blocks; /* by the transaction's place in scope->numbers */
    bool plain;       /* node by node */
    bool has_joints;  /* a level takes two layers then */
    uint64_t nodes;
    uint32_t longest; /* edges of the longest path */
    uint32_t flow;    /* outputs of the heaviest flow; 0: there is none */
    uint64_t flow_sat;
};

/* How large a drawing may be: up to `plain` nodes are drawn one by one, else there are at most `most` vertices, joints
 * not counted. `most` >= DRAWING_LEAST. */
struct drawing_bounds {
    uint32_t plain;
    uint32_t most;
};
#define DRAWING_LEAST 12u

struct drawing_scope drawing_of_tdag(const struct forest *forest, const struct tdags *tdags, uint32_t dag);

/* Compression is not drawn. O(arcs * log(transactions)), memory O(arcs); the same for any threads. */
enum status drawing_make(const struct drawing_scope *scope, const struct drawing_bounds *bounds,
                         struct drawing *drawing, struct fault *fault) MUST_CHECK;
void drawing_free(struct drawing *drawing);

/* The transactions of a vertex, ascending: *members is the caller's to free. O(scope->count). */
enum status drawing_members(const struct drawing_scope *scope, const struct drawing *drawing, uint32_t vertex,
                            uint32_t **members, uint32_t *count) MUST_CHECK;
/* Keeps of such transactions the connected component with the most of them, the earliest of several. Returns how many
 * that are; FOREST_NONE without memory. */
uint32_t drawing_keep_component(const struct forest *forest, enum rules rules, uint32_t *members, uint32_t count)
    MUST_CHECK;

#endif
