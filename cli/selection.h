/* selection: the T-DAGs that a command works on: those of a rule set, without what --exclude-scripts and --compress
 * take away, numbered as in tdags.csv. */
#ifndef UNKTX_CLI_SELECTION_H
#define UNKTX_CLI_SELECTION_H

#include "classify/classes.h"
#include "graph/filter.h"

struct selection {
    struct tdags tdags;
    struct classes classes;
    uint32_t *excluded; /* by pattern: T-DAGs left out; NULL without a filter */
    uint32_t vanished;  /* T-DAGs that compression left without an unknown output spent */
};

/* `filter` may be NULL. */
enum status selection_make(const struct store *store, const struct forest *forest, enum rules rules,
                           const struct filter *filter, bool compress, unsigned threads, struct selection *selection,
                           struct fault *fault) MUST_CHECK;
void selection_free(struct selection *selection);

#endif
