/* membership: which T-DAG a transaction is in under each rule set, and as what. */
#ifndef UNKTX_CLI_VIEWS_MEMBERSHIP_H
#define UNKTX_CLI_VIEWS_MEMBERSHIP_H

#include "cli/views/payments.h"

/* What T-DAGs are made of, all borrowed. */
struct membership {
    const struct store *store;
    const struct forest *forest;
    const struct filter *filter; /* NULL: none is left out */
    bool compress;
    unsigned threads;
    const struct address_labels *labels; /* NULL: without --labels */
    struct labels_said *said;            /* with labels */
    bool with_hidden;                    /* the store has the rule set hidden, and it is told of too */
};

/* The transaction of the forest at that place in the chain with that txid, FOREST_NONE if it is not stored.
 * O(log n). */
uint32_t membership_find(const struct forest *forest, uint32_t height, uint32_t index, const struct hash256 *txid);

/* A line for each rule set: name, number, family and class of the T-DAG, whether the transaction is a root or a spender
 * in it, and its depth; or that it is in none. With labels those of the T-DAG too, "labels" in JSON. With `json` a list
 * of objects, null for none. `tx` may be FOREST_NONE.
 * O(forest), and classify() of one T-DAG, or with a filter or compression of all. */
enum status membership_put(const struct membership *membership, uint32_t tx, bool json, struct text *text,
                           struct fault *fault) MUST_CHECK;

#endif
