/* journey: the spends that `unktx travel` met, as the rows of a table or as a graph of the transactions. */
#ifndef UNKTX_CLI_VIEWS_JOURNEY_H
#define UNKTX_CLI_VIEWS_JOURNEY_H

#include "cli/output/text.h"
#include "graph/index/tx_index.h"

/* A step: an output and the input that spends it, each as far as there is one. Forward from an unspent output there is
 * no `to`, backward from a coinbase no `from`. */
struct step {
    uint32_t depth;
    bool has_from;
    bool has_to;
    bool unknown; /* with --unknown: the output is */
    /* numbers of the transactions */
    uint64_t from;
    uint64_t to;
    struct hash256 from_txid;
    struct hash256 to_txid;
    uint32_t from_height;
    uint32_t to_height;
    uint32_t vout;
    uint32_t vin;
    struct index_output output;
};

/* All borrowed. */
struct journey {
    struct tx_index *index;
    const struct step *steps; /* in the order in which they are told */
    size_t steps_count;
    uint64_t *txs; /* numbers of the transactions met; a graph puts them in order */
    size_t txs_count;
};

/* Appends it in the format "csv", "dot" or "graphml". O(n log n), and a look-up for each transaction of a graph. */
enum status journey_put(const struct journey *journey, const char *format, struct text *text, struct fault *fault)
    MUST_CHECK;

#endif
