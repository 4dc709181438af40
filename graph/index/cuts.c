#include "graph/index/work.h"

/* Deletes what is above the base in a table of fixed width: what an interrupted build, or blocks taken back, left. */
static bool cut_fixed(struct kv_txn *txn, enum index_table table, uint64_t total, size_t a_page)
{
    uint8_t key[4];
    store_be32(key, (uint32_t)((total + a_page - 1) / a_page));
    return kv_delete_from(txn, table, key, sizeof key);
}

static bool cut_keyed(struct kv_txn *txn, enum index_table table, uint64_t total)
{
    uint8_t key[5];
    store_be40(key, total);
    return kv_delete_from(txn, table, key, sizeof key);
}

/* Deletes the runs that `base` does not have, except the one of this build if it is to stay. */
static bool cut_runs(struct kv_txn *txn, const struct index_state *base, enum index_table table, bool new_stays)
{
    bool stays[INDEX_RUNS_MAX + 2] = {false}; /* a build makes one run, or two */
    stays[index_free_run(base)] = new_stays;
    for (uint32_t i = 0; i < base->runs; i++)
        if (base->run[i].number < sizeof stays)
            stays[base->run[i].number] = true;
    for (uint32_t number = 0; number < sizeof stays; number++) {
        uint8_t key[PAIR_KEY_SIZE];
        store_run_key(key, number);
        if (!stays[number] && !kv_delete_prefix(txn, table, key, 2))
            return false;
    }
    return true;
}

bool index_cut_merged(struct kv_txn *txn, void *context)
{
    return cut_runs(txn, context, TABLE_TXIDS, false) && cut_runs(txn, context, TABLE_LATE_SPENDS, false);
}

bool index_cut_tables(struct kv_txn *txn, struct index_work *work, enum work_stage stage)
{
    const struct index_state *base = &work->base;
    const struct index_totals *totals = &base->totals;
    if (stage <= WORK_WALKED) { /* what checkpoints of the stages after that stand on is gone */
        memcpy(work->begun, work->number, INDEX_BEGUN_SIZE);
        if (!index_put(txn, TABLE_META, "begun", 5, work->begun, INDEX_BEGUN_SIZE))
            return false;
    }
    if (totals->blocks == 0 && stage <= WORK_WALKED) {
        for (unsigned table = TABLE_BLOCKS; table < INDEX_TABLE_COUNT; table++)
            if (!kv_clear(txn, table))
                return false;
        return true;
    }
    if (!cut_runs(txn, base, TABLE_TXIDS, stage > WORK_WALKED) || !cut_runs(txn, base, TABLE_LATE_SPENDS, false))
        return false;
    if (stage <= WORK_JOINED && !cut_fixed(txn, TABLE_OUTPUTS, totals->outputs, OUTPUTS_A_PAGE))
        return false;
    return cut_fixed(txn, TABLE_BLOCKS, totals->blocks, BLOCKS_A_PAGE) &&
           cut_fixed(txn, TABLE_INPUTS, totals->inputs, INPUTS_A_PAGE) && cut_keyed(txn, TABLE_TXS, totals->outputs) &&
           cut_keyed(txn, TABLE_TX_NUMBERS, totals->txs) && cut_keyed(txn, TABLE_TX_INPUTS, totals->inputs);
}

bool index_cut_after_stage(struct kv_txn *txn, void *context)
{
    struct index_work *work = context;
    return index_cut_tables(txn, work, work->stage);
}
