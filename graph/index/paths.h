/* paths: the shortest ways of money from one transaction to another in the index, and how many there are. A way is a
 * run of spends; two outputs that one transaction spends are two ways. Since a spender comes after what it spends in
 * the chain, nothing after the target is looked at.
 *
 * Breadth first, level by level in chain order; the number of shortest ways to a transaction is the sum of those to
 * the transactions before it (dynamic programming), and stops at 2^64 - 1. Thread rule: as an index. */
#ifndef UNKTX_GRAPH_INDEX_PATHS_H
#define UNKTX_GRAPH_INDEX_PATHS_H

#include "graph/index/tx_index.h"

#define PATHS_ANY_OUTPUT UINT32_MAX

/* May the way go through the output? STATUS_OK: yes; STATUS_NOT_FOUND: no; else why it cannot be told. */
typedef enum status paths_may_pass(void *context, const struct index_tx *tx, uint32_t vout,
                                   const struct index_output *output, struct fault *fault);

struct paths_query {
    struct tx_index *index;
    uint64_t from;            /* number of a transaction */
    uint32_t vout;            /* leave it through this output only, or PATHS_ANY_OUTPUT */
    uint64_t to;              /* number of a transaction */
    uint64_t depth;           /* most spends */
    paths_may_pass *may_pass; /* NULL: any */
    void *context;
};

struct paths {
    uint64_t count;    /* of shortest ways, saturating; 0: there is none */
    uint64_t *outputs; /* numbers of the outputs of one of them: from each level the first in chain order */
    size_t length;     /* spends */
};

/* `paths` is to be freed in any case. From a transaction to itself there is one way without a spend. STATUS_INTERRUPTED
 * once a signal came. O(outputs of the transactions between), memory some 100 to 200 bytes for each transaction met. */
enum status paths_find(const struct paths_query *query, struct paths *paths, struct fault *fault) MUST_CHECK;
void paths_free(struct paths *paths);

#endif
