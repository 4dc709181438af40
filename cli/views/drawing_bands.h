/* drawing_bands: for drawing_blocks.c alone: levels that follow one another are put together. */
#ifndef UNKTX_CLI_VIEWS_DRAWING_BANDS_H
#define UNKTX_CLI_VIEWS_DRAWING_BANDS_H

#include "cli/views/drawing_graph.h"

struct drawing_bands {
    uint32_t *of; /* by level, from 1: its band, from 0 */
    uint32_t count;
};

/* At most `most` bands (2 or more). They begin where levels differ from the one before: everywhere that can be, else
 * where they differ most; of a part, at even distances too. drawing_bands_free in any case. O(transactions +
 * height * most). */
enum status drawing_bands_choose(const struct drawing_graph *graph, uint32_t most, struct drawing_bands *bands)
    MUST_CHECK;
void drawing_bands_free(struct drawing_bands *bands);

#endif
