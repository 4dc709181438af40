/* labels: which known scripts each T-DAG holds. */
#ifndef UNKTX_GRAPH_SCRIPTS_LABELS_H
#define UNKTX_GRAPH_SCRIPTS_LABELS_H

#include "graph/scripts/catalogue.h"
#include "graph/scripts/matcher.h"
#include "graph/dag/forest.h"

/* By T-DAG, 1..count: the entries that the unknown outputs of its transactions are, whether spent or not; and those of
 * its root transactions alone. nulldata is passed over: it can never be spent. */
struct labels {
    struct name_set *all;
    struct name_set *roots; /* NULL unless asked for */
};

/* Room for the T-DAGs, none of which holds anything yet. labels_free in any case. STATUS_NOMEM. */
enum status labels_new(const struct tdags *tdags, bool with_roots, struct labels *labels, struct fault *fault)
    MUST_CHECK;
/* Adds what the unknown outputs of a transaction of T-DAG `dag` are; `tx` is at its first output, and stays there.
 * Several threads may, each with a matcher of its own. STATUS_FORMAT: the record is damaged. O(outputs), but for what
 * matcher_match takes. */
enum status labels_add_tx(const struct labels *labels, const struct forest *forest, const struct tdags *tdags,
                          struct matcher *matcher, const struct tx_view *tx, uint32_t dag) MUST_CHECK;

/* Both, for all transactions of T-DAGs. On `threads` threads. O(outputs of the T-DAGs' transactions), but for what
 * matcher_match takes. */
enum status labels_find(const struct catalogue *catalogue, const struct store *store, const struct forest *forest,
                        const struct tdags *tdags, bool with_roots, unsigned threads, struct labels *labels,
                        struct fault *fault) MUST_CHECK;
void labels_free(struct labels *labels);

#endif
