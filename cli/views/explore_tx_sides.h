/* explore_tx_sides: the inputs and outputs of a transaction as tables: from the store, which has scripts, and from the
 * index, which has what is known too. */
#ifndef UNKTX_CLI_VIEWS_EXPLORE_TX_SIDES_H
#define UNKTX_CLI_VIEWS_EXPLORE_TX_SIDES_H

#include "cli/views/explore.h"

/* A transaction of the store, of the index, or of both. */
struct explore_tx_copy {
    uint32_t number; /* in the forest; FOREST_NONE */
    bool is_linked;
    struct index_tx linked;
};

/* A page of each, as the query's fields in and out say. The request has a hand. O(rows + the batch of each). */
enum status explore_put_inputs(struct explore_request *request, const struct explore_tx_copy *copy, struct fault *fault)
    MUST_CHECK;
enum status explore_put_outputs(struct explore_request *request, const struct explore_tx_copy *copy,
                                struct fault *fault) MUST_CHECK;
/* What the inputs of that page show, from the blk files; nothing where these are gone. O(the block). */
enum status explore_put_scripts(struct explore_request *request, const struct explore_tx_copy *copy,
                                struct fault *fault) MUST_CHECK;
/* A tracked output by its ordinal, with its script, which is in the transaction that created it: borrowed from the
 * hand's reader. `position` as for opened_store_tx. */
enum status explore_read_spent(struct explore_request *request, struct store_position *position, uint32_t ordinal,
                               struct output_record *output, struct fault *fault) MUST_CHECK;
/* One output with all that is known of it. */
enum status explore_put_one_output(struct explore_request *request, const struct explore_tx_copy *copy, uint32_t vout,
                                   struct fault *fault) MUST_CHECK;

#endif
