/* ties: the tables ties.csv and groups.csv: what T-DAGs and single unknown outputs share, and the groups that they form
 * by it (evidence.h). */
#ifndef UNKTX_CLI_VIEWS_TIES_H
#define UNKTX_CLI_VIEWS_TIES_H

#include "classify/classes.h"
#include "cli/inputs/dag_labels.h"
#include "cli/output/outfolder.h"
#include "graph/dag/groups.h"

#define TIES_MAX_DEGREE 1000u

/* Set the first six; the rest zero. The evidence must be numbered, and its T-DAGs have names (tdags_name). */
struct ties {
    const struct evidence_set *evidence;
    const struct classes *classes;
    enum rules rules;
    uint32_t max_degree;
    unsigned threads;
    const struct dag_labels *labels; /* of the T-DAGs; NULL: without --labels */
    struct groups groups;
    uint64_t (*counts)[EVIDENCE_KINDS]; /* ties of each group, 1.. */
    struct outfile files[2];            /* ties.csv and groups.csv until ties_commit */
};

/* Finds the groups and writes both tables for the folder (NULL: nowhere). ties_close in any case. O(evidence and
 * members). */
enum status ties_write(struct ties *ties, struct outfolder *folder, struct fault *fault) MUST_CHECK;
enum status ties_commit(struct ties *ties, struct fault *fault) MUST_CHECK;
/* Says on stderr what too many share, so that it ties nothing. */
void ties_tell_left_out(const struct ties *ties);
void ties_close(struct ties *ties);

#endif
