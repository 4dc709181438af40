/* svg: a T-DAG drawn in layers, as in the paper's Figure 4: roots above what they create. Squares are roots, filled
 * circles unknown outputs that were spent, hollow circles unknown ones that were not, diamonds known outputs, boxes
 * collapsed parts: the shape says it, the colour only helps. The longest path has a broad line, the heaviest flow a
 * broken one. */
#ifndef UNKTX_CLI_VIEWS_SVG_H
#define UNKTX_CLI_VIEWS_SVG_H

#include "cli/output/printer.h"
#include "cli/views/drawing.h"

/* The styles that drawings and charts need, for light and for dark. */
extern const char svg_style[];

/* The bounds of drawings: that fill a page, stand in a report's text, or in a row of a table. */
extern const struct drawing_bounds svg_large, svg_medium, svg_small;

/* A file of its own: with style, legend, and a tooltip on every vertex. `made` is the T-DAG's drawing within svg_large,
 * NULL: it has to be made. */
enum status svg_file(struct printer *printer, const struct forest *forest, const struct tdags *tdags, uint32_t dag,
                     const struct drawing *made, struct fault *fault) MUST_CHECK;

/* Where vertices lead to: `tx` and the txid where a vertex is of one transaction, else `open`, its number in the
 * drawing, and `open_end`. All are parts of an attribute's value. */
struct svg_links {
    const char *tx;
    const char *open;
    const char *open_end;
};

/* A drawing within a page that has svg_style, within these bounds, or the one that the scope says was made; `title` is
 * HTML, a sentence. With `links` (NULL: without) every vertex has a tooltip and is a link. */
enum status svg_part(struct printer *printer, const struct drawing_scope *scope, const struct drawing_bounds *bounds,
                     const char *title, const struct svg_links *links, struct fault *fault) MUST_CHECK;

/* What a vertex stands for, as its tooltip begins: "root, times 12", or of a part its nodes, levels and components. Not
 * for a joint or an entry, which stand for nothing. */
void svg_put_label(struct printer *printer, const struct drawing_vertex *vertex);

/* The legend alone, as a drawing within a page. */
void svg_legend(struct printer *printer);

#endif
