/* tables_before: tdags.csv and txs.csv of an earlier run, as far as it takes to say what has changed since. Nothing in
 * them is trusted: what does not fit is refused. Thread rule: one thread. */
#ifndef UNKTX_CLI_INPUTS_TABLES_BEFORE_H
#define UNKTX_CLI_INPUTS_TABLES_BEFORE_H

#include <stdbool.h>

#include "graph/dag/names.h"

struct tdag_before {
    char name[TDAG_NAME_MAX + 1];
    struct hash256 first_txid;
    uint64_t txs;
    uint64_t nodes;
    uint64_t moved_value_sat;
    uint64_t rows; /* of txs.csv */
};

struct tx_before {
    struct hash256 txid;
    uint32_t height;
    uint32_t dag;
};

/* Zero-initialise; tables_before_free in any case. */
struct tables_before {
    struct tdag_before *tdags; /* tdags[d - 1] is T-DAG d */
    size_t tdags_count;
    size_t tdags_capacity;
    struct tx_before *txs; /* in chain order */
    size_t txs_count;
    size_t txs_capacity;
};

/* STATUS_FORMAT: they are not as unktx writes them, or do not belong together; STATUS_IO. O(size of the files). */
enum status tables_before_read(const char *folder, struct tables_before *before, struct fault *fault) MUST_CHECK;
void tables_before_free(struct tables_before *before);

#endif
