/* unlocks: how the spent unknown outputs of a rule set were unlocked: the table unlocks.csv, and the counts by T-DAG
 * that tdags.csv and classes.csv have shares of. What the spenders showed is read from the blk files again, block by
 * block: the store does not keep it. */
#ifndef UNKTX_CLI_VIEWS_UNLOCKS_H
#define UNKTX_CLI_VIEWS_UNLOCKS_H

#include "classify/classes.h"
#include "cli/inputs/dag_labels.h"
#include "cli/inputs/selected_outputs.h"
#include "cli/inputs/shown_evidence.h"
#include "cli/output/outfolder.h"
#include "parser/unlock.h"

/* By enum unlock_by. */
struct unlock_counts {
    uint32_t of[UNLOCKS];
    bool unread; /* not all spenders could be read: the numbers are of a part, which no share is told of */
};

/* Set the first four (`spenders` by spenders_open); the rest zero. unlocks_close in any case. */
struct unlocks {
    struct spenders *spenders;
    struct selected_outputs *selected; /* NULL: all */
    struct shown_evidence *shown;      /* collects what is shown on the way; NULL: it is not wanted */
    const struct dag_labels *labels;   /* of the T-DAGs; NULL: without --labels */
    struct unlock_counts *counts;      /* by T-DAG, 1.. */
    struct unlock_counts *of_class;    /* by class, as selection->classes.classes; of unlocks_sum_classes */
    struct outfile file;               /* until unlocks_commit */
};

/* Writes the rows of the T-DAGs to the file `path`, or to that of the folder unless it is NULL (both NULL: nowhere),
 * and counts; the T-DAGs must have names (tdags_name) and stay until unlocks_close. O(the blocks that have a spender,
 * read again); memory: for each thread a block, and what the blocks of one batch spend. */
enum status unlocks_write(struct unlocks *unlocks, const struct tdags *tdags, struct outfolder *folder,
                          const char *path, struct fault *fault) MUST_CHECK;
/* Sums the counts of the T-DAGs by class (`class_of`: see known_scripts_held). O(T-DAGs). */
enum status unlocks_sum_classes(struct unlocks *unlocks, const struct classes *classes, const uint32_t *class_of,
                                struct fault *fault) MUST_CHECK;

#define UNLOCK_SHARES_MAX (UNLOCKS * (PUT_MICRO_MAX + 1))
/* A comma and the share of each way, in order of enum unlock_by; commas alone where nothing was counted, or not
 * everything. At most UNLOCK_SHARES_MAX bytes. */
char *put_unlock_shares(char *out, const struct unlock_counts *counts);

/* Lets the file appear. */
enum status unlocks_commit(struct unlocks *unlocks, struct fault *fault) MUST_CHECK;
/* Where spenders could not be read: true, after stderr says how many, and why. */
bool unlocks_tell_unread(const struct unlocks *unlocks);
void unlocks_close(struct unlocks *unlocks);

#endif
