/* figures: what a store says where others have published a figure (known_figures.h), as of the figure's height or date.
 *
 * Totals come from the blocks' counts, outputs from the stored ones, T-DAGs from the store as of the height. What a
 * store does not keep is told, never guessed: whether outputs with an address are spent, and their scripts. */
#ifndef UNKTX_CLI_VIEWS_FIGURES_H
#define UNKTX_CLI_VIEWS_FIGURES_H

#include "cli/inputs/known_figures.h"
#include "cli/options.h"
#include "parser/network.h"

enum figure_verdict {
    FIGURE_EQUAL,
    FIGURE_CLOSE, /* within one in a hundred of what was published */
    FIGURE_DIFFERS,
    FIGURE_BEYOND_TIP,
    FIGURE_NOT_AVAILABLE,
    FIGURE_OTHER_NETWORK,
};
#define FIGURE_VERDICTS 6

/* "equal", ...: static strings. */
const char *figure_verdict_text(enum figure_verdict verdict);

struct figure_answer {
    enum figure_verdict verdict;
    bool has_height;
    uint32_t height; /* of which the figure is, if has_height */
    bool has_ours;   /* equal, close and differs, but where there is no such thing */
    uint64_t ours;
    const char *needs; /* what would make it; static; NULL unless it is not available */
};

struct figures {
    const struct known_figures *known;
    struct figure_answer *answers; /* as known->list */
    char network[NETWORK_LABEL_SIZE];
    uint32_t tip;
};

/* Opens settings->store and answers each figure. Zero-initialise but for `known`; figures_free in any case. O(store),
 * and once more for each height of which T-DAGs are asked for. */
enum status figures_answer(const struct settings *settings, struct figures *figures, struct fault *fault) MUST_CHECK;
void figures_free(struct figures *figures);

#endif
