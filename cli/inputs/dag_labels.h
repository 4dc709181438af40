/* dag_labels: the labels of each T-DAG: those of its payers and payees, and those that a file gives to its name or to
 * the txid of one of its transactions (address_labels.h). */
#ifndef UNKTX_CLI_INPUTS_DAG_LABELS_H
#define UNKTX_CLI_INPUTS_DAG_LABELS_H

#include "cli/inputs/address_labels.h"
#include "graph/dag/forest.h"

/* Pairs of T-DAG and address as they are met, by one thread; the same pair may be met often. Zero-initialise. */
struct label_pairs {
    uint64_t *pairs; /* dag << 32 | first entry of the address or name */
    size_t count;
    size_t capacity;
};
/* Adds the labels of an address or name; none is legal. STATUS_NOMEM. Amortised O(log n). */
enum status label_pairs_add(struct label_pairs *pairs, uint32_t dag, const struct label_span *span) MUST_CHECK;
void label_pairs_free(struct label_pairs *pairs);

/* Labels that some T-DAGs have, and how many have these. */
struct dag_label_set {
    struct label_span span;
    struct label_union all; /* of several addresses: where the span's ids are */
    uint32_t dags;
};

/* T-DAGs with the same addresses and names share a set, and the set of one address is its entries: however many labels
 * that has, and however many T-DAGs it occurs in, they are there once. Zero-initialise; dag_labels_free in any case. */
struct dag_labels {
    const struct address_labels *labels; /* borrowed */
    struct dag_label_set *sets;          /* the first is empty */
    uint32_t *set_of;                    /* by T-DAG, 0 .. tdags */
    uint32_t sets_count;
    uint32_t tdags;
};

/* From the pairs of all `workers`, and from the T-DAGs' txids. The pairs are used up. O(n log n) for n pairs, and for
 * each set of several addresses as many labels as they have. */
enum status dag_labels_make(const struct address_labels *labels, const struct forest *forest, const struct tdags *tdags,
                            struct label_pairs *pairs, unsigned workers, struct dag_labels *made, struct fault *fault)
    MUST_CHECK;
void dag_labels_free(struct dag_labels *labels);

/* Those of T-DAG `dag`, 1... None where nothing was made. */
static inline struct label_span dag_labels_of(const struct dag_labels *labels, uint32_t dag)
{
    struct label_span none = {0};
    return labels->set_of && dag <= labels->tdags ? labels->sets[labels->set_of[dag]].span : none;
}

/* The labels of T-DAG `dag` as a cell of a table, after the comma that it needs: an empty one where there are none, as
 * of 0, and nothing at all where `labels` is NULL (without --labels). At most dag_labels_cell_size bytes. */
size_t dag_labels_cell_size(const struct dag_labels *labels, uint32_t dag);
char *dag_labels_put_cell(const struct dag_labels *labels, uint32_t dag, char *out);

/* Adds to each label's number, by id, how many T-DAGs have it. O(labels of the sets). */
void dag_labels_count(const struct dag_labels *labels, uint32_t *by_id);

/* Has T-DAG `dag` the label? O(log n). */
bool dag_labels_has(const struct dag_labels *labels, uint32_t dag, uint32_t id);

#endif
