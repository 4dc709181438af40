/* irreducible: a piece of a graph that canon.c cannot take apart further, that is, a connected graph with no complete
 * relation between two cells. What hangs off its core (its 2-core) is cut, its twins are merged, and BLISS
 * (graph/dag/shape.h) decides the rest.
 *
 * Thread rule: owned by one thread at a time. */
#ifndef UNKTX_CLASSIFY_IRREDUCIBLE_H
#define UNKTX_CLASSIFY_IRREDUCIBLE_H

#include <stddef.h>
#include <stdint.h>

#include "graph/store/forms.h"
#include "parser/status.h"

#define IRREDUCIBLE_HEAD_SIZE 20u

/* A connected graph with a stable colouring by cells: of two vertices of one cell, each has equally many arcs of each
 * relation and direction. A relation is all arcs of one label from one cell to another. Cells and relations are
 * numbered in an order that isomorphisms keep. All arrays are owned. */
struct irreducible {
    uint32_t vertices;
    uint32_t arcs;
    uint32_t cells;
    uint32_t relations;
    uint32_t *cell;     /* [vertices] */
    uint32_t *from;     /* [arcs] */
    uint32_t *to;       /* [arcs] */
    uint32_t *relation; /* [arcs] */
    uint8_t *marked;    /* [relations]: all but one of those that lead from one cell to another */
};

/* Zeroed arrays for `vertices` and `arcs`, and for as many relations as arcs. */
enum status irreducible_new(uint32_t vertices, uint32_t arcs, struct irreducible *piece, struct fault *fault)
    MUST_CHECK;
void irreducible_free(struct irreducible *piece);

/* A digest that is the same for two pieces with the same cells and relations exactly when these are isomorphic, and
 * log10 of the number of automorphisms that keep cells and relations. The digest is of `head`, which the caller makes
 * of cells and relations, and of what is left of the piece in canonical order. What `forms` (may be NULL) has is taken
 * from there, what it lacks is added. Uses the piece up. STATUS_LIMIT when the piece is too hard (see shape_canonical)
 * or too large for BLISS. O((vertices + arcs) log vertices) before BLISS. */
enum status irreducible_form(struct irreducible *piece, struct forms *forms, const uint8_t head[IRREDUCIBLE_HEAD_SIZE],
                             uint8_t form_digest[FORMS_DIGEST_SIZE], double *automorphisms_log10, struct fault *fault)
    MUST_CHECK;

#endif
