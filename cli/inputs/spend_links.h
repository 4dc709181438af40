/* spend_links: from an end of a spend to the other one in the index (graph/index/tx_index.h), and runs of outputs and
 * inputs read a piece at a time, so that no memory is taken for a count that the index only claims. Thread rule: as an
 * index. */
#ifndef UNKTX_CLI_INPUTS_SPEND_LINKS_H
#define UNKTX_CLI_INPUTS_SPEND_LINKS_H

#include "graph/dag/forest.h"
#include "graph/store/store.h"
#include "graph/index/tx_index.h"
#include "parser/network.h"

/* An output or an input by its transaction and its place there: vout or vin. */
struct link_end {
    struct index_tx tx;
    uint32_t position;
};

/* The end that output `number` is, and what it holds. `spender` is the input that was followed to it: STATUS_FORMAT
 * where the output does not name it, since each end of a spend has the number of the other. INDEX_NONE: this is not
 * looked at. */
enum status spend_links_output(struct tx_index *index, uint64_t number, uint64_t spender, struct link_end *end,
                               struct index_output *output, struct fault *fault) MUST_CHECK;
/* The end that input `number` is; `spent` is the output that was followed to it, as above. */
enum status spend_links_input(struct tx_index *index, uint64_t number, uint64_t spent, struct link_end *end,
                              struct fault *fault) MUST_CHECK;

/* Of an index that could not be opened (`status`, which is returned): where a partial store is in its folder, the fault
 * tells that there can be none. `store` is that store, NULL where it is not open. */
enum status spend_links_tell_partial(const char *folder, const struct store *store, enum status status,
                                     struct fault *fault) MUST_CHECK;

/* Outputs or inputs in ascending order of number. Zero-initialise with the index and the number after the last one
 * that is wanted. */
#define SPEND_LINKS_PIECE 256u
struct outputs_run {
    struct tx_index *index;
    uint64_t end;
    uint64_t first;
    uint32_t count;
    struct index_output outputs[SPEND_LINKS_PIECE];
};
struct inputs_run {
    struct tx_index *index;
    uint64_t end;
    uint64_t first;
    uint32_t count;
    uint64_t spent[SPEND_LINKS_PIECE];
};

enum status outputs_run_load(struct outputs_run *run, uint64_t number, struct fault *fault) MUST_CHECK;
enum status inputs_run_load(struct inputs_run *run, uint64_t number, struct fault *fault) MUST_CHECK;

static inline enum status outputs_run_at(struct outputs_run *run, uint64_t number, struct index_output *output,
                                         struct fault *fault)
{
    if (number - run->first >= run->count) {
        enum status status = outputs_run_load(run, number, fault);
        if (status != STATUS_OK)
            return status;
    }
    *output = run->outputs[number - run->first];
    return STATUS_OK;
}

static inline enum status inputs_run_at(struct inputs_run *run, uint64_t number, uint64_t *spent, struct fault *fault)
{
    if (number - run->first >= run->count) {
        enum status status = inputs_run_load(run, number, fault);
        if (status != STATUS_OK)
            return status;
    }
    *spent = run->spent[number - run->first];
    return STATUS_OK;
}

/* The network that the index is of, signet for a custom one; NULL if unknown. */
static inline const struct network *spend_links_network(const struct tx_index *index)
{
    struct index_totals totals = index_totals_of(index);
    return network_by_genesis(&totals.genesis);
}

/* STATUS_REFUSED, with the way out, where the index does not have the store's last block: one that ends lower, or is of
 * another branch, knows less than the store does. */
enum status spend_links_reach_tip(struct tx_index *index, const struct store *store, struct fault *fault) MUST_CHECK;

/* Whether there is an index in the folder; and whether it is behind the store there. An index or a store that cannot be
 * opened is none. */
bool spend_links_is_index(const char *folder);
bool spend_links_is_behind(const char *folder);

/* Says the same on stderr where a store with blocks lies in the index's folder, for who asks the index alone: spends in
 * blocks above it are not known, and their outputs would be taken for unspent without a word. Blocks above `height`
 * make no difference to him: UINT32_MAX if all do. */
void spend_links_tell_behind(struct tx_index *index, const char *folder, uint64_t height);

/* A stored transaction as the index has it. `*block` is that of the one before, zero at first: several in chain order
 * cost a look-up each and one for each block. STATUS_FORMAT: store and index disagree. */
enum status spend_links_stored(struct tx_index *index, const struct store *store, const struct forest_tx *stored,
                               struct index_block *block, struct index_tx *tx, struct fault *fault) MUST_CHECK;

/* The index of a store, once for each of `threads` workers. Zero-initialise; indexes_close in any case. */
struct indexes {
    struct tx_index **indexes;
    unsigned count;
};
enum status indexes_open(const char *store, unsigned threads, struct indexes *indexes, struct fault *fault) MUST_CHECK;
void indexes_close(struct indexes *indexes);

#endif
