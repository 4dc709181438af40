/* text_drawing: a T-DAG in one line for a terminal: its levels (longest path from a root) from left to right with an
 * arrow between two, in each level a sign for each node, `x 20` where there are more than three alike, `[...] x 9`
 * where levels repeat, and `n levels` in place of the middle of a long line. Every node is counted or said to be left
 * out. */
#ifndef UNKTX_CLI_VIEWS_TEXT_DRAWING_H
#define UNKTX_CLI_VIEWS_TEXT_DRAWING_H

#include "cli/output/printer.h"
#include "cli/inputs/selection.h"

/* The signs, for a line that explains them. */
#define TEXT_DRAWING_ROOT "\u25cf"  /* a root */
#define TEXT_DRAWING_SPENT "\u25cb" /* an unknown output that is spent */
#define TEXT_DRAWING_LEAF "\u00b7"  /* any other output */

/* Appends the drawing of T-DAG `dag` as the store has it, without compression; more levels are left out until it takes
 * `width` columns at most. O(its transactions and outputs). */
void text_drawing_put(struct printer *printer, const struct forest *forest, const struct selection *selection,
                      uint32_t dag, bool colour, unsigned width);

#endif
