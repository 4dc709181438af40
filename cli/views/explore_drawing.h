/* explore_drawing: the drawing on the page of a T-DAG, and what is opened in it: `open=17` in the query is vertex 17 of
 * the drawing, `open=17.4` vertex 4 of the drawing of that part. */
#ifndef UNKTX_CLI_VIEWS_EXPLORE_DRAWING_H
#define UNKTX_CLI_VIEWS_EXPLORE_DRAWING_H

#include "cli/views/drawing.h"
#include "cli/views/explore_drawn.h"

#define OPENED_STEPS 16u
#define OPENED_TEXT (OPENED_STEPS * 5u)

/* Zero-initialise; explore_drawing_free in any case. */
struct explore_drawing {
    uint32_t dag;
    struct drawing_scope scope; /* what is drawn; its drawing is of `made` */
    struct explore_drawn *made; /* NULL: it is being made */
    char drawn[OPENED_TEXT];    /* and how the query names it; "" for the T-DAG */
    char asked[OPENED_TEXT];    /* what the query asks for, likewise */
    bool opened;
    struct drawing_vertex vertex; /* the opened one */
    uint32_t *numbers;            /* of the scope; NULL: the T-DAG's own */
    uint32_t *members;            /* transactions of the opened vertex; NULL: all of the T-DAG */
    uint32_t members_count;
};

/* STATUS_NOT_FOUND: nothing has that number. STATUS_BUSY: a drawing that it takes is being made; of the T-DAG itself
 * the page is made without. O(arcs log n) for each step. */
enum status explore_drawing_open(const struct explore_request *request, uint32_t dag, struct explore_drawing *drawing,
                                 struct fault *fault) MUST_CHECK;
void explore_drawing_free(struct explore *explore, struct explore_drawing *drawing);

/* The section with the drawing, left open for the caller to end. */
enum status explore_drawing_put(struct explore_request *request, const struct explore_drawing *drawing,
                                struct fault *fault) MUST_CHECK;

#endif
