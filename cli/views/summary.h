/* summary: the results of `unktx dags` in short: summary.json, and on stdout the paper's Table III for this chain. */
#ifndef UNKTX_CLI_VIEWS_SUMMARY_H
#define UNKTX_CLI_VIEWS_SUMMARY_H

#include "classify/paper_class.h"
#include "cli/options.h"
#include "cli/inputs/selection.h"
#include "cli/output/outfolder.h"

/* What remains of a rule set once its selection has been worked on. */
struct summary_rules {
    uint64_t roots;
    uint64_t maybe_tdags; /* of a partial store's T-DAGs those that may be others in the whole chain */
    uint64_t nodes;
    uint64_t edges;
    uint32_t tdags;
    uint32_t classes;
    uint32_t inexact_classes;
    uint32_t vanished;
    uint32_t *excluded; /* by pattern; owned here */
};

struct summary {
    const struct settings *settings;
    const struct store *store;
    const struct forest *forest;
    const struct filter *filter; /* may be NULL */
    struct summary_rules rules[RULES_WITH_HIDDEN];
    const struct paper_classes *paper; /* of the chosen rule set; NULL: not asked for. Borrowed, as `classes` */
    const struct classes *classes;     /* with `paper`: what it is of */
    uint32_t left_out;                 /* T-DAGs of the chosen rule set, by --family and its like */
};

/* Makes the selection of the chosen rule set, and fills in the numbers of all of them. */
enum status summary_fill(struct summary *summary, enum rules chosen, struct selection *selection, struct fault *fault)
    MUST_CHECK;
/* selection_tell_other_rules with the numbers of the summary. */
void summary_tell_other_rules(const struct summary *summary, enum rules rules);
/* After a filter of T-DAGs: takes the numbers of the chosen rule set anew from what is left. */
void summary_select(struct summary *summary, const struct selection *selection);
void summary_free(struct summary *summary);

enum status summary_write(const struct summary *summary, struct outfolder *folder, struct fault *fault) MUST_CHECK;
enum status summary_print(const struct summary *summary, const struct selection *selection, struct fault *fault)
    MUST_CHECK;

#endif
