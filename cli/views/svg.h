/* svg: a T-DAG drawn in layers, as in the paper's Figure 4: roots above what they create. Squares are roots, filled
 * circles unknown outputs that were spent, hollow circles unknown ones that were not, diamonds known outputs: the shape
 * says it, the colour only helps. */
#ifndef UNKTX_CLI_VIEWS_SVG_H
#define UNKTX_CLI_VIEWS_SVG_H

#include "cli/output/printer.h"
#include "cli/views/drawing.h"

/* The styles that drawings and charts need, for light and for dark. */
extern const char svg_style[];

/* A file of its own: with style, legend, what is not drawn, and a tooltip on every vertex. */
enum status svg_file(struct printer *printer, const struct forest *forest, const struct tdags *tdags, uint32_t dag,
                     struct fault *fault) MUST_CHECK;

/* A small drawing within a page that has svg_style; `not_drawn` gets the number of nodes that are left out. */
enum status svg_inline(struct printer *printer, const struct forest *forest, const struct tdags *tdags, uint32_t dag,
                       uint64_t *not_drawn, struct fault *fault) MUST_CHECK;

/* A drawing as large as svg_file's within a page that has svg_style, of which every vertex is a link to its
 * transaction: `link` (the beginning of an attribute's value) and the txid. */
enum status svg_linked(struct printer *printer, const struct forest *forest, const struct tdags *tdags, uint32_t dag,
                       const char *link, uint64_t *not_drawn, struct fault *fault) MUST_CHECK;

/* The legend alone, 300 wide and 92 high, at (x, y). */
void svg_legend(struct printer *printer, double x, double y);

#endif
