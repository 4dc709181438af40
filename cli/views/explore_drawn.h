/* explore_drawn: the drawings that pages show. Small ones are made for the page; a large one is made by a thread of its
 * own, one at a time since that takes memory, and the last ones are kept.
 *
 * Thread rule: any number of threads at once. */
#ifndef UNKTX_CLI_VIEWS_EXPLORE_DRAWN_H
#define UNKTX_CLI_VIEWS_EXPLORE_DRAWN_H

#include "cli/views/drawing.h"
#include "cli/views/explore.h"

/* From here on a drawing is made by a thread of its own, and few files of graphs are sent at the same time. */
#define EXPLORE_LARGE_TXS 20000u

/* Before another one is made, the large ones that are kept take so much at most, with what pages made of them. */
#define EXPLORE_DRAWN_BYTES ((size_t)32 << 20)

/* Of what the query calls `path` ("" for all of the T-DAG), which is the scope; within svg_large. STATUS_BUSY: it is
 * being made, or has to wait for another one, or for pages that use those that are kept. explore_drawn_leave when it is
 * no longer needed. */
enum status explore_drawn_get(struct explore *explore, uint32_t dag, const char *path,
                              const struct drawing_scope *scope, struct explore_drawn **drawn, struct fault *fault)
    MUST_CHECK;

/* What a page makes of a large drawing and its T-DAG, kept with it as HTML: the next page has only to copy it. `put`:
 * false where no page has made it yet; then make it and `keep` what the page's text has from `before` on. `drawn` may
 * be NULL. */
enum drawn_part { DRAWN_PICTURE, DRAWN_TIMES, DRAWN_PARTS };
bool explore_drawn_put(struct explore *explore, const struct explore_drawn *drawn, enum drawn_part part,
                       struct printer *page);
void explore_drawn_keep(struct explore *explore, struct explore_drawn *drawn, enum drawn_part part,
                        const struct printer *page, size_t before);

const struct drawing *explore_drawn_drawing(const struct explore_drawn *drawn);
void explore_drawn_leave(struct explore *explore, struct explore_drawn *drawn);
void explore_drawn_free_all(struct explore *explore);

#endif
