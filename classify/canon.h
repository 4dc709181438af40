/* canon: an exact canonical form of a coloured, arc-labelled digraph of any size.
 *
 * The class of a T-DAG is such a form (docs/model.md, section 6).
 *
 * BLISS alone takes minutes on large symmetric graphs, so the graph is first taken apart by steps that every isomorphic
 * graph takes alike: colours are refined to a stable colouring, arcs that colours determine are dropped, and what falls
 * apart is treated piece by piece. A piece that stays whole is freed of what hangs off its core and of twins
 * (classify/irreducible.h), and the core goes to BLISS (graph/dag/shape.h). Each step is invertible up to isomorphism,
 * so equal forms mean isomorphic graphs and conversely; the source says why for each.
 *
 * Thread rule: a struct canon is one thread's scratch space; several may run at the same time. */
#ifndef UNKTX_CLASSIFY_CANON_H
#define UNKTX_CLASSIFY_CANON_H

#include <stdbool.h>
#include <stdint.h>

#include "graph/store/forms.h"
#include "parser/status.h"

#define CANON_ID_SIZE 16u

/* Simple: at most one arc from a vertex to another, no loops. Borrowed arrays. Acyclic in all uses here, but not
 * relied on for termination or memory. */
struct canon_graph {
    uint32_t vertices;
    const uint64_t *colour; /* [vertices] */
    const uint32_t *first;  /* [vertices + 1] into to/label: arcs of v are first[v] .. first[v + 1] - 1 */
    const uint32_t *to;
    const uint32_t *label; /* of the arc; isomorphisms keep it */
};

struct canon_form {
    uint8_t id[CANON_ID_SIZE];  /* leading bytes of the SHA-256 of the canonical form */
    double automorphisms_log10; /* log10 of how many the coloured, labelled graph has; 0 if not exact */
    uint32_t roles;             /* colours of the coarsest stable colouring */
    bool exact;                 /* false: a piece was too hard; id is then an isomorphism invariant only */
};

struct canon; /* scratch space, reused from graph to graph */

/* STATUS_NOMEM is the only error. Ended by canon_free; NULL is legal there. */
enum status canon_new(struct canon **canon, struct fault *fault) MUST_CHECK;
void canon_free(struct canon *canon);

/* From now on, what BLISS would be asked is looked for in `forms` first (borrowed; NULL: no more), and what it answers
 * is kept there. Changes no result. */
void canon_use_forms(struct canon *canon, struct forms *forms);

/* Near-linear where the reductions decide; see shape_canonical for the pieces that stay whole. Any numbering of the
 * vertices and any order of the arcs give the same form. STATUS_NOMEM, STATUS_INTERRUPTED. */
enum status canon_run(struct canon *canon, const struct canon_graph *graph, struct canon_form *form,
                      struct fault *fault) MUST_CHECK;

#endif
