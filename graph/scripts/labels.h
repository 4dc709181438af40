/* labels: which known scripts each T-DAG holds. */
#ifndef UNKTX_GRAPH_SCRIPTS_LABELS_H
#define UNKTX_GRAPH_SCRIPTS_LABELS_H

#include "graph/scripts/catalogue.h"
#include "graph/dag/forest.h"

/* By T-DAG, 1..count: the entries that the unknown outputs of its transactions are, whether spent or not; and those of
 * its root transactions alone. nulldata is passed over: it can never be spent. */
struct labels {
    struct name_set *all;
    struct name_set *roots; /* NULL unless asked for */
};

/* On `threads` threads. O(outputs of the T-DAGs' transactions), but for what matcher_match takes. */
enum status labels_find(const struct catalogue *catalogue, const struct store *store, const struct forest *forest,
                        const struct tdags *tdags, bool with_roots, unsigned threads, struct labels *labels,
                        struct fault *fault) MUST_CHECK;
void labels_free(struct labels *labels);

#endif
