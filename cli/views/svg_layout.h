/* svg_layout: for svg.c alone: where the vertices of a drawing are, in units of SVG. */
#ifndef UNKTX_CLI_VIEWS_SVG_LAYOUT_H
#define UNKTX_CLI_VIEWS_SVG_LAYOUT_H

#include "cli/views/drawing.h"

#define LAYOUT_MARGIN 14.0 /* around the drawing */

struct layout {
    struct drawing drawing;
    bool is_borrowed; /* the drawing is somebody else's */
    double *x;        /* of the middle of each vertex */
    double *y;
    double width;
    double height;
};

/* What a vertex takes to the left and to the right of its middle, and below it. */
struct layout_room {
    double left;
    double right;
    double below;
};
typedef struct layout_room layout_room(const struct drawing_vertex *vertex);

/* Places the vertices of layout->drawing: `layer` units from one level to the next, so far from each other in a layer
 * as they need room. Zero-initialise; layout_free also frees the drawing, unless it is borrowed. O((vertices + arcs)
 * log) but for igraph's search for an order with few crossings, which is left out where arcs are long and many. */
enum status layout_make(struct layout *layout, layout_room *room, double layer, struct fault *fault) MUST_CHECK;
void layout_free(struct layout *layout);

#endif
