#include "cli/inputs/spend_links.h"

#include "cli/output/message.h"
#include "parser/mem.h"

static const char not_each_other[] = "an output and the input that spends it do not name each other";

enum status spend_links_output(struct tx_index *index, uint64_t number, uint64_t spender, struct link_end *end,
                               struct index_output *output, struct fault *fault)
{
    enum status status = index_tx_of_output(index, number, &end->tx, fault);
    if (status == STATUS_OK)
        status = index_outputs(index, number, 1, output, fault);
    if (status != STATUS_OK)
        return status;
    if (number - end->tx.first_output >= end->tx.outputs)
        return index_damaged(index, "a link leads nowhere", fault);
    if (spender != INDEX_NONE && output->spender != spender)
        return index_damaged(index, not_each_other, fault);
    end->position = (uint32_t)(number - end->tx.first_output);
    return STATUS_OK;
}

enum status spend_links_input(struct tx_index *index, uint64_t number, uint64_t spent, struct link_end *end,
                              struct fault *fault)
{
    uint64_t named = spent;
    enum status status = index_tx_of_input(index, number, &end->tx, fault);
    if (status == STATUS_OK && spent != INDEX_NONE)
        status = index_inputs(index, number, 1, &named, fault);
    if (status != STATUS_OK)
        return status;
    if (named != spent)
        return index_damaged(index, not_each_other, fault);
    if (number - end->tx.first_input >= end->tx.inputs)
        return index_damaged(index, "a link leads nowhere", fault);
    end->position = (uint32_t)(number - end->tx.first_input);
    return STATUS_OK;
}

/* At most a piece, and nothing after the end. For a number after the end it is one, so that the index says what is
 * wrong. */
static uint32_t piece(uint64_t number, uint64_t end)
{
    uint64_t left = number < end ? end - number : 1;
    return left < SPEND_LINKS_PIECE ? (uint32_t)left : SPEND_LINKS_PIECE;
}

enum status outputs_run_load(struct outputs_run *run, uint64_t number, struct fault *fault)
{
    uint32_t count = piece(number, run->end);
    run->count = 0;
    enum status status = index_outputs(run->index, number, count, run->outputs, fault);
    if (status != STATUS_OK)
        return status;
    run->first = number;
    run->count = count;
    return STATUS_OK;
}

enum status inputs_run_load(struct inputs_run *run, uint64_t number, struct fault *fault)
{
    uint32_t count = piece(number, run->end);
    run->count = 0;
    enum status status = index_inputs(run->index, number, count, run->spent, fault);
    if (status != STATUS_OK)
        return status;
    run->first = number;
    run->count = count;
    return STATUS_OK;
}

enum status spend_links_reach_tip(struct tx_index *index, const struct store *store, struct fault *fault)
{
    struct store_totals totals = store_totals_of(store);
    struct index_block block;
    uint32_t blocks = index_totals_of(index).blocks;
    if (blocks >= totals.blocks) {
        enum status status = index_block_at(index, totals.blocks - 1, &block, fault);
        if (status != STATUS_OK)
            return status;
        if (hash256_equal(&block.hash, &totals.tip))
            return STATUS_OK;
    }
    unsigned last = totals.blocks - 1;
    if (blocks > 0 && blocks <= last)
        return fault_set(fault, STATUS_REFUSED, store_main_path(store), FAULT_NO_OFFSET,
                         "the index does not have the store's last block (height %u), it ends at height %u: run 'unktx "
                         "index' with this --store on the same chain; where it ends there again, block %u is damaged "
                         "or not valid, which "
                         "'unktx index' says of it, and there can be no index above",
                         last, (unsigned)blocks - 1, (unsigned)blocks);
    return fault_set(
        fault, STATUS_REFUSED, store_main_path(store), FAULT_NO_OFFSET,
        "the index does not have the store's last block (height %u): run 'unktx index' with this --store on "
        "the same chain",
        last);
}

/* The fault tells how. */
static bool is_behind(struct tx_index *index, const char *folder, struct fault *fault)
{
    struct store *store = NULL;
    bool behind = store_open(folder, STORE_READ, NULL, &store, fault) == STATUS_OK &&
                  store_totals_of(store).blocks > 0 && spend_links_reach_tip(index, store, fault) == STATUS_REFUSED;
    store_close(store);
    return behind;
}

static bool open_and_ask(const char *folder, bool behind)
{
    struct fault ignored = {0};
    struct tx_index *index = NULL;
    bool is = index_open(folder, &index, &ignored) == STATUS_OK && (!behind || is_behind(index, folder, &ignored));
    index_close(index);
    return is;
}

bool spend_links_is_index(const char *folder) { return open_and_ask(folder, false); }

bool spend_links_is_behind(const char *folder) { return open_and_ask(folder, true); }

void spend_links_tell_behind(struct tx_index *index, const char *folder, uint64_t height)
{
    struct fault fault = {0};
    if (height < index_totals_of(index).blocks || !is_behind(index, folder, &fault))
        return;
    message_fault(&fault);
    message("told as the index has it: later blocks, and what they spend, are not known");
}

static enum status disagree(const struct store *store, uint32_t height, struct fault *fault)
{
    return fault_set(fault, STATUS_FORMAT, store_path(store), FAULT_NO_OFFSET,
                     "store and index disagree about block %u; 'unktx check' tells which is damaged", (unsigned)height);
}

enum status spend_links_stored(struct tx_index *index, const struct store *store, const struct forest_tx *stored,
                               struct index_block *block, struct index_tx *tx, struct fault *fault)
{
    enum status status = STATUS_OK;
    if (block->txs == 0 || block->height != stored->height)
        status = index_block_at(index, stored->height, block, fault);
    if (status != STATUS_OK)
        return status;
    if (stored->index >= block->txs)
        return disagree(store, stored->height, fault);
    status = index_tx_at(index, block->first_tx + stored->index, tx, fault);
    if (status == STATUS_OK &&
        (!hash256_equal(&tx->txid, &stored->txid) || tx->inputs != stored->inputs || tx->outputs != stored->outputs))
        return disagree(store, stored->height, fault);
    return status;
}

enum status spend_links_tell_partial(const char *folder, const struct store *store, enum status status,
                                     struct fault *fault)
{
    struct store *opened = NULL;
    struct fault ignored = {0};
    if (status != STATUS_NOT_FOUND)
        return status;
    if (!store && store_open(folder, STORE_READ, NULL, &opened, &ignored) == STATUS_OK)
        store = opened;
    unsigned first = store ? store_first_height(store) : 0;
    if (first > 0)
        status = fault_set(fault, status, folder, FAULT_NO_OFFSET,
                           "there is no index here, and none can be made: the store is partial, it begins at height "
                           "%u, and an index takes all blk files from the genesis block on, and another --store",
                           first);
    store_close(opened);
    return status;
}

enum status indexes_open(const char *store, unsigned threads, struct indexes *indexes, struct fault *fault)
{
    *indexes = (struct indexes){0};
    indexes->indexes = mem_alloc(threads, sizeof *indexes->indexes);
    if (!indexes->indexes)
        return fault_nomem(fault);
    while (indexes->count < threads) {
        enum status status = index_open(store, &indexes->indexes[indexes->count], fault);
        if (status != STATUS_OK)
            return status;
        indexes->count++;
    }
    return STATUS_OK;
}

void indexes_close(struct indexes *indexes)
{
    for (unsigned i = 0; i < indexes->count; i++)
        index_close(indexes->indexes[i]);
    mem_free(indexes->indexes);
    *indexes = (struct indexes){0};
}
