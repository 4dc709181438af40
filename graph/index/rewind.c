#include "graph/index/rewind.h"

#include <stdio.h>

static enum status hash_at(void *context, uint32_t height, struct hash256 *hash, struct fault *fault)
{
    struct index_block block = {0};
    enum status status = index_block_at(context, height, &block, fault);
    *hash = block.hash;
    return status;
}

static bool write_base(struct kv_txn *txn, void *context)
{
    struct index_work *work = context;
    uint8_t state[STATE_SIZE];
    index_state_write(&work->base, state);
    return index_put(txn, TABLE_META, "state", 5, state, sizeof state) && index_cut_tables(txn, work, WORK_BEGUN);
}

/* Makes the base the first `keep` blocks of what it is. */
static enum status keep_blocks(struct index_work *work, struct tx_index *index, uint32_t keep)
{
    struct index_state *base = &work->base;
    struct block_entry entry, last;
    if (keep == base->totals.blocks)
        return STATUS_OK;
    if (keep == 0) {
        *base = index_state_empty();
        return STATUS_OK;
    }
    enum status status = index_block_entry(index, keep, &entry, work->fault);
    if (status == STATUS_OK)
        status = index_block_entry(index, keep - 1, &last, work->fault);
    if (status != STATUS_OK)
        return status;
    base->totals.blocks = keep;
    base->totals.txs = entry.block.first_tx;
    base->totals.inputs = entry.first_input;
    base->totals.outputs = entry.first_output;
    base->totals.tip = last.block.hash;
    base->cut_input = entry.first_input < base->cut_input ? entry.first_input : base->cut_input;
    return STATUS_OK;
}

/* Where the new blocks are many more than the old ones all is built anew: a join of all costs less than that many
 * look-ups. */
static bool is_worth_keeping(const struct index_work *work, uint32_t target)
{
    uint32_t blocks = work->base.totals.blocks;
    return work_bytes(work, blocks, target) / 2 <= work_bytes(work, 0, blocks);
}

static enum status refuse_other_network(const struct index_work *work, const struct index_identity *identity,
                                        const struct tx_index *index)
{
    const struct index_totals *totals = &index_state_of(index)->totals;
    if (memcmp(totals->magic, identity->magic, 4) == 0 && hash256_equal(&totals->genesis, &identity->genesis))
        return STATUS_OK;
    return fault_set(work->fault, STATUS_REFUSED, kv_path(work->kv), FAULT_NO_OFFSET,
                     "the index is of another network: choose another --store");
}

static enum status refuse_other_chain(const struct index_work *work, const struct fork *fork)
{
    bool knows = true;
    if (fork->common > 1 || fork->blocks < 2 || fork->end == 0)
        return STATUS_OK;
    enum status status = fork_knows_first_block(fork, &knows, work->fault);
    if (status != STATUS_OK || knows)
        return status;
    return fault_set(work->fault, STATUS_REFUSED, kv_path(work->kv), FAULT_NO_OFFSET,
                     "the index was made from another chain, which shares only the genesis block with this one: choose "
                     "another --store, or delete this one");
}

/* Reads what the index holds into the base, and cuts the base at the fork. */
static enum status find_base(struct index_work *work, const struct index_identity *identity, struct fork *fork)
{
    struct tx_index *index = NULL;
    enum status status = index_open_on(work->kv, &index, work->fault);
    if (status != STATUS_OK)
        return status;
    work->base = *index_state_of(index);
    memcpy(work->seed, index_seed_of(index), INDEX_SEED_SIZE);
    memcpy(work->begun, index_begun_of(index), INDEX_BEGUN_SIZE);
    fork->chain = work->chain;
    fork->blocks = work->base.totals.blocks;
    fork->to_height = work->options->to_height;
    fork->tip_chosen = work->options->tip != NULL;
    fork->hash_at = hash_at;
    fork->context = index;
    status = refuse_other_network(work, identity, index);
    if (status == STATUS_OK)
        status = fork_find(fork, work->fault);
    if (status == STATUS_OK)
        status = refuse_other_chain(work, fork);
    if (status == STATUS_OK)
        status = keep_blocks(work, index, fork->keep);
    if (status == STATUS_OK) /* all that is added is counted from there on */
        status = index_check_end(index, &work->base.totals, work->fault);
    index_close(index);
    return status;
}

enum status index_refuse_other_network(const struct index_work *work, const struct index_identity *identity)
{
    struct tx_index *index = NULL;
    enum status status = index_open_on(work->kv, &index, work->fault);
    if (status != STATUS_OK)
        return status;
    status = refuse_other_network(work, identity, index);
    index_close(index);
    return status;
}

enum status index_rewind_to_fork(struct index_work *work, const struct index_identity *identity, struct fork *fork)
{
    enum status status = find_base(work, identity, fork);
    if (status != STATUS_OK)
        return status;
    bool removes = fork->keep < fork->blocks;
    char text[160];
    snprintf(text, sizeof text, "taking back %u block%s, from height %u on", fork->blocks - fork->keep,
             fork->blocks - fork->keep == 1 ? "" : "s", fork->keep);
    if (removes)
        work_message(work, text);
    bool anew = fork->keep > 0 && fork->target > fork->keep && !is_worth_keeping(work, fork->target);
    if (anew)
        work->base = index_state_empty();
    return anew || removes ? kv_write(work->kv, 0, write_base, work, work->fault) : STATUS_OK;
}
