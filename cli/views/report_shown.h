/* report_shown: what the report says of how outputs were unlocked and of the groups of tied T-DAGs. `analyze` finds it
 * out for its tables; the report of the same run takes it from there. */
#ifndef UNKTX_CLI_VIEWS_REPORT_SHOWN_H
#define UNKTX_CLI_VIEWS_REPORT_SHOWN_H

#include "cli/inputs/selection.h"
#include "cli/views/ties.h"
#include "cli/views/unlocks.h"

/* report_shown_free at the end. */
struct report_shown {
    struct unlock_counts *unlocks; /* by T-DAG, 1..; NULL: nothing is known, and there are no groups */
    struct groups groups;          /* with names */
    bool unread;                   /* report_shown_find could not read some of the blk files */
};

/* Reads the spenders again. Where the blk files are gone stderr says so, and nothing is known. O(the blocks that have a
 * spender). */
enum status report_shown_find(const struct settings *settings, const struct store *store, const struct forest *forest,
                              const struct selection *selection, struct report_shown *shown, struct fault *fault)
    MUST_CHECK;

/* Moves what the tables have found out to the folder, for the report of the same run; nothing from `unlocks` without
 * counts. A lack of memory leaves it out. */
void report_shown_keep(struct outfolder *folder, struct unlocks *unlocks, struct ties *ties);
/* Takes what was kept; false: nothing was. */
bool report_shown_take(struct outfolder *folder, struct report_shown *shown);
void report_shown_free(struct report_shown *shown);

#endif
