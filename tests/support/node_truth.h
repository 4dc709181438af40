/* node_truth: what the node that wrote a chain says of it (DIR/truth, see tests/fixtures/README.md), and the
 * comparison of unktx's tables with it. Each function fails the test where they differ.
 *
 * Thread rule: one thread. */
#ifndef UNKTX_TESTS_SUPPORT_NODE_TRUTH_H
#define UNKTX_TESTS_SUPPORT_NODE_TRUTH_H

#include <stdbool.h>

#include "tests/support/table.h"

/* Rows in chain order. */
struct node_truth {
    const char *dir;
    struct table txs;
    struct table outputs;
    size_t *first;      /* row of the first output of each transaction, and one more */
    size_t *by_txid;    /* rows of txs by txid */
    size_t type;        /* column of outputs */
    size_t has_address; /* column of outputs */
    size_t spender;     /* column of outputs */
};

/* Reads DIR/truth/txs.csv and outputs.csv; borrows `dir`. node_truth_free at the end. O(n log n). */
struct node_truth node_truth_read(const char *dir);
void node_truth_free(struct node_truth *truth);

/* Row of the transaction. O(log n). */
size_t node_truth_tx(const struct node_truth *truth, const char *txid);
/* Whether the output in that row has no address, so is unknown to core-22; whether it is spent. O(1). */
bool node_truth_is_unknown(const struct node_truth *truth, size_t output);
bool node_truth_is_spent(const struct node_truth *truth, size_t output);

/* The two fields hold the same text. */
void node_truth_assert_field(const struct table *got, size_t row, const char *name, const struct table *want,
                             size_t want_row, const char *want_name);

/* Runs `dags` with those rules into STORE-RULES and compares tdags.csv, classes.csv and summary.json with the truth;
 * nothing where it does not speak of these rules. */
void node_truth_check_tdags(const struct node_truth *truth, const char *store, const char *rules);
/* The tables of members of core-22 in `dir`: txs.csv, arcs.csv, leaves.csv. */
void node_truth_check_members(const struct node_truth *truth, const char *dir);

#endif
