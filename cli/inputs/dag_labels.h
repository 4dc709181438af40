/* dag_labels: the labels of each T-DAG: those of its payers and payees, and those that a file gives to its name or to
 * the txid of one of its transactions (address_labels.h). */
#ifndef UNKTX_CLI_INPUTS_DAG_LABELS_H
#define UNKTX_CLI_INPUTS_DAG_LABELS_H

#include "cli/inputs/address_labels.h"
#include "graph/dag/forest.h"

/* Pairs of T-DAG and label as they are met, by one thread; the same pair may be met often. Zero-initialise. */
struct label_pairs {
    uint64_t *pairs; /* dag << 32 | id */
    size_t count;
    size_t capacity;
};
/* STATUS_NOMEM. Amortised O(log n). */
enum status label_pairs_add(struct label_pairs *pairs, uint32_t dag, uint32_t id) MUST_CHECK;
void label_pairs_free(struct label_pairs *pairs);

/* Zero-initialise; dag_labels_free in any case. */
struct dag_labels {
    const struct address_labels *labels; /* borrowed */
    uint32_t *ids;                       /* by T-DAG, ascending */
    size_t *first;                       /* tdags + 2: T-DAG d has ids[first[d] .. first[d + 1] - 1] */
    uint32_t tdags;
};

/* From the pairs of all `workers`, and from the T-DAGs' txids. The pairs are used up. O(n log n). */
enum status dag_labels_make(const struct address_labels *labels, const struct forest *forest, const struct tdags *tdags,
                            struct label_pairs *pairs, unsigned workers, struct dag_labels *made, struct fault *fault)
    MUST_CHECK;
void dag_labels_free(struct dag_labels *labels);

/* Those of T-DAG `dag`, 1... None where nothing was made. */
static inline struct label_span dag_labels_of(const struct dag_labels *labels, uint32_t dag)
{
    struct label_span none = {0};
    if (!labels->first || dag > labels->tdags)
        return none;
    return (struct label_span){labels->ids + labels->first[dag], 0, labels->first[dag + 1] - labels->first[dag]};
}

/* The labels of T-DAG `dag` as a cell of a table, after the comma that it needs: an empty one where there are none, as
 * of 0, and nothing at all where `labels` is NULL (without --labels). At most dag_labels_cell_size bytes. */
size_t dag_labels_cell_size(const struct dag_labels *labels, uint32_t dag);
char *dag_labels_put_cell(const struct dag_labels *labels, uint32_t dag, char *out);

/* Has T-DAG `dag` the label? O(log n). */
bool dag_labels_has(const struct dag_labels *labels, uint32_t dag, uint32_t id);

#endif
