/* metrics: the numbers of one T-DAG (docs/model.md, section 5), from its transactions, without its nodes and edges.
 *
 * Thread rule: a struct metrics is one thread's scratch space; T-DAGs have no transaction in common, so several threads
 * may work on one forest, one `depths` and one `local`. */
#ifndef UNKTX_CLASSIFY_METRICS_H
#define UNKTX_CLASSIFY_METRICS_H

#include "classify/classes.h"

/* One T-DAG, borrowed. */
struct dag {
    const struct forest *forest;
    enum rules rules;
    bool compress;
    const uint32_t *members; /* transaction numbers in chain order, which is a topological order */
    uint32_t count;
    uint32_t *local;   /* by transaction number: its position in `members` */
    uint32_t *depths;  /* by transaction number: depth of its outputs */
    uint8_t *root;     /* by position: 1 for a root */
    uint32_t *removed; /* by position: how many of its outputs compression removes */
};

/* Compression removes the spent unknown outputs that anyone can spend. */
static inline bool dag_removes(const struct dag *dag, const struct forest_output *output)
{
    return dag->compress && output->anyone_can_spend && forest_is_arc(output, dag->rules);
}

/* Zero-initialise; metrics_free at the end. */
struct metrics {
    uint64_t *level; /* nodes by depth */
    size_t capacity;
};

/* Fills dag->local, depths, root and removed, and of the row all but class, family and automorphisms; and but for the
 * edges where the sum of `removed`, returned in *removed, is not 0. What compression removes counts as no node, no leaf
 * and no spent output; the sums over transactions (txs, mixed_spenders, root_value_sat) stay those of all members. With
 * compression a height below 2 ends in row->vanished and zeros elsewhere. O(outputs + spends of its transactions). */
enum status metrics_of(struct metrics *metrics, const struct dag *dag, struct tdag_row *row, uint64_t *removed)
    MUST_CHECK;
void metrics_free(struct metrics *metrics);

#endif
