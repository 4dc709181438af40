/* selection: the T-DAGs that a command works on: those of a rule set, without what --exclude-scripts and --compress
 * take away, numbered as in tdags.csv. */
#ifndef UNKTX_CLI_INPUTS_SELECTION_H
#define UNKTX_CLI_INPUTS_SELECTION_H

#include "classify/classes.h"
#include "graph/scripts/filter.h"

struct selection {
    struct tdags tdags;
    struct classes classes;
    uint32_t *excluded;              /* by pattern: T-DAGs left out; NULL without a filter */
    uint32_t vanished;               /* T-DAGs that compression left without an unknown output spent */
    const struct dag_labels *labels; /* set by the command; NULL: without --labels. Borrowed (dag_labels.h) */
};

/* With names (tdags_name). `filter` may be NULL. */
enum status selection_make(const struct store *store, const struct forest *forest, enum rules rules,
                           const struct filter *filter, bool compress, unsigned threads, struct selection *selection,
                           struct fault *fault) MUST_CHECK;
/* Without names, and without the T-DAGs of the `skipped` transactions, see tdags_find_others. */
enum status selection_make_others(const struct store *store, const struct forest *forest, enum rules rules,
                                  const struct filter *filter, bool compress, unsigned threads, const uint8_t *skipped,
                                  struct selection *selection, struct fault *fault) MUST_CHECK;
/* So many T-DAGs are enough not to ask whether another rule set was meant. */
#define SELECTION_ENOUGH 10u

/* Where a rule set of Core has fewer T-DAGs than `enough` and another has more: says on stderr which. `counts` is by
 * rule set. */
void selection_tell_other_rules(enum rules rules, const uint32_t counts[RULES], uint64_t enough);
/* The same for `found` T-DAGs; those of other rule sets are counted without filters. O(forest) where too few were
 * found. */
enum status selection_tell_other_forest(const struct forest *forest, enum rules rules, uint32_t found, uint64_t enough,
                                        struct fault *fault) MUST_CHECK;
void selection_free(struct selection *selection);

/* Most T-DAGs are the same under every rule set: for the numbers of another rule set than the selection's, only the
 * others have to be looked at. */
struct alike {
    uint8_t *has_tx;               /* by transaction: 1 in a T-DAG that every rule set has alike */
    uint8_t (*ids)[CANON_ID_SIZE]; /* classes of these T-DAGs, in ascending order */
    uint32_t tdags;
    uint32_t maybe_tdags; /* those with inputs_before */
    uint32_t classes;
    uint32_t inexact_classes;
    uint64_t nodes;
    uint64_t edges;
};

enum status alike_make(const struct forest *forest, const struct selection *selection, struct alike *alike,
                       struct fault *fault) MUST_CHECK;
/* Is a T-DAG that all rule sets have in the class? */
bool alike_has(const struct alike *alike, const uint8_t id[CANON_ID_SIZE]);
void alike_free(struct alike *alike);

#endif
