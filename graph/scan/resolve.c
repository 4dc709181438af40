#include "graph/scan/window.h"

#include "parser/search.h"

#define COMMIT_BYTES (4u << 20) /* of the store: committed as soon as so many wait, so that a crash loses no more */
#define FILTER_NEAR (32u << 10) /* words: a filter of so many stays in a core's cache and is not asked for ahead */
#define CANDIDATES_AHEAD 64u    /* inputs that passed the filter: their table slots are prefetched together */

/* ---- add ---- */

/* The outpoint of an output of a window in flight, which is not in the store yet. */
static enum status created_outpoint(const struct pipeline *pipeline, uint64_t ordinal, struct hash256 *txid,
                                    uint32_t *vout)
{
    /* The last window that begins at or before the ordinal, the last block of it that does, and the last of its
     * transactions: where several begin with the same ordinal, only the last of them has outputs. */
    size_t number = LOWER_BOUND(i, pipeline->appended + 1, pipeline->numbered,
                                window_of(pipeline, i)->first_ordinal <= ordinal) -
                    1;
    const struct window *window = window_of(pipeline, number);
    const struct slot *slot =
        &window->slots[LOWER_BOUND(i, 1, window->count, window->slots[i].first_ordinal <= ordinal) - 1];
    const struct created_tx *created = slot_created(slot);
    uint64_t left = ordinal - slot->first_ordinal;
    if (!created)
        return STATUS_NOT_FOUND;
    created += LOWER_BOUND(i, 1, slot->created_count, created[i].before <= left) - 1;
    if (left - created->before >= created->record.tracked)
        return STATUS_NOT_FOUND;
    *txid = created->record.txid;
    *vout = window->vouts.at[created->vouts + (left - created->before)];
    return STATUS_OK;
}

static enum status resolve(void *context, uint64_t ordinal, struct hash256 *txid, uint32_t *vout)
{
    struct worker *worker = context;
    const struct pipeline *pipeline = worker->pipeline;
    if (ordinal >= store_totals_of(pipeline->store).tracked)
        return created_outpoint(pipeline, ordinal, txid, vout);
    return store_outpoint(worker->store_reader, ordinal, txid, vout, NULL);
}

static enum status add_created(struct worker *worker, const struct window *window, const struct created_tx *created,
                               uint64_t *ordinal)
{
    struct outpoints *table = worker->pipeline->table;
    uint8_t prevout[TX_PREVOUT_SIZE];
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < created->record.tracked && status == STATUS_OK; i++) {
        size_t at = created->vouts + i;
        if (at + PROBES_AHEAD < window->hashes.count)
            outpoints_prefetch_add(table, window->hashes.at[at + PROBES_AHEAD]);
        outpoints_prevout(&created->record.txid, window->vouts.at[at], prevout);
        status = outpoints_add(table, prevout, window->hashes.at[at], (*ordinal)++, resolve, worker,
                               &worker->pipeline->fault);
    }
    return status;
}

enum status resolve_forget(struct pipeline *pipeline)
{
    outpoints_end_window(pipeline->table);
    enum status status = pipeline->known ? txid_set_begin_window(pipeline->known) : STATUS_OK;
    return status == STATUS_OK ? STATUS_OK : fault_nomem(&pipeline->fault);
}

/* The window's transactions join the set of those that are known. */
static enum status add_known(struct pipeline *pipeline, const struct window *window)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; pipeline->known && i < window->count && status == STATUS_OK; i++) {
        struct slot *slot = &window->slots[i];
        slot->known = txid_set_window(pipeline->known);
        status = txid_set_add(pipeline->known, window->txids.at[slot->txids].bytes, slot->walked_count);
    }
    return status == STATUS_OK ? STATUS_OK : fault_nomem(&pipeline->fault);
}

enum status resolve_add(struct worker *worker, struct window *window)
{
    struct pipeline *pipeline = worker->pipeline;
    uint64_t ordinal = pipeline->next_ordinal;
    window->first_ordinal = ordinal;
    for (size_t i = 0; i < window->count;
         i++) { /* all of them before the first outpoints_add: resolve() searches them */
        struct slot *slot = &window->slots[i];
        slot->first_ordinal = ordinal;
        for (size_t t = 0; t < slot->created_count; t++) {
            struct created_tx *created = &window->created.at[slot->created + t];
            created->before = (uint32_t)(ordinal - slot->first_ordinal);
            ordinal += created->record.tracked;
        }
    }
    pipeline->numbered++;
    enum status status = add_known(pipeline, window);
    for (size_t i = 0; i < window->count && status == STATUS_OK; i++) {
        const struct slot *slot = &window->slots[i];
        for (size_t t = 0; t < slot->created_count && status == STATUS_OK; t++)
            status = add_created(worker, window, &window->created.at[slot->created + t], &pipeline->next_ordinal);
    }
    return status;
}

/* ---- look up ---- */

/* How many inputs of the block's transaction spend what was made before the store's first block; the first one is the
 * coinbase. */
static uint32_t inputs_before(const struct pipeline *pipeline, const struct slot *slot, uint32_t index)
{
    if (!pipeline->known || index == 0)
        return 0;
    const struct walked_tx *walked = slot->window->walked.at + slot->walked + index;
    const uint64_t *prevs = slot->window->prevs.at + slot->inputs;
    size_t end = index + 1 < slot->walked_count ? walked[1].first_input : slot->inputs_count;
    uint32_t count = 0;
    for (size_t i = walked->first_input; i < end; i++)
        count += !txid_set_has(pipeline->known, prevs[i], slot->known + index);
    return count;
}

/* The same of each transaction with an unknown output. */
static void look_up_before(const struct pipeline *pipeline, struct slot *slot)
{
    struct created_tx *created = slot->created_count > 0 ? slot->window->created.at + slot->created : NULL;
    size_t next = 0;
    for (uint32_t index = 0; pipeline->known && index < slot->walked_count; index++) {
        unsigned unknown = slot->window->walked.at[slot->walked + index].unknown;
        bool is_created = next < slot->created_count && created[next].record.index == index;
        uint32_t before = unknown ? inputs_before(pipeline, slot, index) : 0;
        for (unsigned r = 0; r < RULES; r++)
            slot->record.maybe_txs[r] += before > 0 && (unknown >> r & 1);
        if (is_created)
            created[next++].record.inputs_before = before;
    }
}

/* The inputs of one transaction whose hashes the table knows: compares them exactly and keeps the spends. `limit`:
 * outputs from this ordinal on are created after the transaction. STATUS_FORMAT: the bytes are not those that were
 * walked: somebody writes to the file. */
static enum status compare_inputs(struct worker *worker, const uint8_t *bytes, size_t size, const uint64_t *hashes,
                                  size_t hashes_count, uint64_t limit, struct spending_tx *spending)
{
    struct cursor c = cursor_over(bytes, size);
    struct tx tx;
    tx_begin(&c, &tx);
    enum status status = tx.inputs == hashes_count ? STATUS_OK : STATUS_FORMAT;
    for (uint32_t vin = 0; vin < tx.inputs && status == STATUS_OK; vin++) {
        struct tx_input in;
        uint64_t ordinal;
        tx_input(&c, &in);
        if (!cursor_ok(&c))
            return STATUS_FORMAT;
        if (!outpoints_probe(worker->pipeline->table, hashes[vin]))
            continue;
        status = outpoints_find(worker->pipeline->table, in.prevout, hashes[vin], limit, resolve, worker, &ordinal);
        if (status != STATUS_OK || ordinal == OUTPOINT_NONE)
            continue;
        struct found_spend found = {.spend = {.vin = vin, .ordinal = ordinal}, .hash = hashes[vin]};
        if (!PUSH(worker->window->spends, found))
            return STATUS_NOMEM;
        spending->record.spends++;
    }
    return status;
}

/* The first of the block's created transactions from transaction `index` on; created_count if there is none. */
static size_t created_from(const struct slot *slot, uint32_t index)
{
    const struct created_tx *created = slot_created(slot);
    return LOWER_BOUND(i, 0, slot->created_count, created[i].record.index < index);
}

/* The first ordinal that is given after a transaction; `from` is as created_from gives it. */
static uint64_t limit_of_tx(const struct slot *slot, size_t from)
{
    const struct created_tx *created = slot_created(slot);
    if (from < slot->created_count)
        return slot->first_ordinal + created[from].before;
    return from == 0 ? slot->first_ordinal
                     : slot->first_ordinal + created[from - 1].before + created[from - 1].record.tracked;
}

static enum status look_up_tx(struct worker *worker, struct slot *slot, uint32_t index)
{
    const struct window *window = slot->window;
    const struct walked_tx *walked = &window->walked.at[slot->walked + index];
    size_t end = index + 1 < slot->walked_count ? walked[1].offset : slot->block->size;
    const uint8_t *bytes = NULL;
    enum status status = slot_read_again(worker, slot, walked->offset, end - walked->offset, &bytes);
    if (status != STATUS_OK)
        return status;
    size_t from = created_from(slot, index);
    struct spending_tx spending = {
        .record.index = index, .blob = worker->window->blob.size, .spends = worker->window->spends.count};
    size_t inputs_end = index + 1 < slot->walked_count ? walked[1].first_input : slot->inputs_count;
    status = compare_inputs(worker, bytes, end - walked->offset, window->inputs.at + slot->inputs + walked->first_input,
                            inputs_end - walked->first_input, limit_of_tx(slot, from), &spending);
    if (status != STATUS_OK || spending.record.spends == 0)
        return status;
    spending.record.inputs_before = inputs_before(worker->pipeline, slot, index);
    /* The walk has recorded it already if it creates something tracked. */
    bool created = from < slot->created_count && window->created.at[slot->created + from].record.index == index;
    if (!created) {
        if (!collect_record(worker, bytes, end - walked->offset, slot->record.height, walked->first_output, false,
                            &spending.record))
            return STATUS_NOMEM;
        spending.blob_size = worker->window->blob.size - spending.blob;
        if (spending.record.tracked > 0)
            return STATUS_FORMAT;
    }
    return PUSH(worker->window->spending, spending) ? STATUS_OK : STATUS_NOMEM;
}

/* The transaction that has the block's input `input`, from `index` on. */
static uint32_t tx_of_input(const struct slot *slot, uint32_t index, size_t input)
{
    const struct walked_tx *walked = slot->window->walked.at + slot->walked;
    return (uint32_t)LOWER_BOUND(i, (size_t)index + 1, slot->walked_count, walked[i].first_input <= input) - 1;
}

/* Inputs of a block that the filter let pass. Their table slots are prefetched together: the processor would wait for
 * each one alone, since even its address translation is not in a cache. */
struct candidates {
    size_t inputs[CANDIDATES_AHEAD];
    size_t count;
    uint32_t index; /* the last transaction that was looked up */
    size_t next;    /* the first input after it */
};

static enum status look_up_candidates(struct worker *worker, struct slot *slot, struct candidates *candidates)
{
    const struct window *window = slot->window;
    const struct walked_tx *walked = window->walked.at + slot->walked;
    const uint64_t *hashes = window->inputs.at + slot->inputs;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < candidates->count; i++)
        outpoints_prefetch_slot(worker->pipeline->table, hashes[candidates->inputs[i]]);
    for (size_t i = 0; i < candidates->count && status == STATUS_OK; i++) {
        size_t input = candidates->inputs[i];
        if (input < candidates->next || !outpoints_candidate(worker->pipeline->table, hashes[input]))
            continue;
        candidates->index = tx_of_input(slot, candidates->index, input);
        status = look_up_tx(worker, slot, candidates->index);
        bool last = candidates->index + 1 >= slot->walked_count;
        candidates->next = last ? slot->inputs_count : walked[candidates->index + 1].first_input;
    }
    candidates->count = 0;
    return status;
}

enum status resolve_look_up(struct worker *worker, struct slot *slot)
{
    const struct outpoints *table = worker->pipeline->table;
    struct window *window = slot->window;
    const uint64_t *hashes = window->inputs.at + slot->inputs;
    struct candidates candidates = {.count = 0};
    bool is_far = table->filter_words > FILTER_NEAR;
    enum status status = STATUS_OK;
    slot->spending = window->spending.count;
    for (size_t input = 0; input < slot->inputs_count && status == STATUS_OK; input++) {
        if (is_far && input + PROBES_AHEAD < slot->inputs_count)
            outpoints_prefetch(table, hashes[input + PROBES_AHEAD]);
        if (__builtin_expect(!outpoints_probe(table, hashes[input]), 1))
            continue;
        candidates.inputs[candidates.count++] = input;
        if (candidates.count == CANDIDATES_AHEAD)
            status = look_up_candidates(worker, slot, &candidates);
    }
    if (status == STATUS_OK)
        status = look_up_candidates(worker, slot, &candidates);
    slot->spending_count = window->spending.count - slot->spending;
    look_up_before(worker->pipeline, slot);
    return status;
}

/* ---- append ---- */

/* Confirms the spends that were looked up, in chain order: of two inputs that spend one output, which no valid chain
 * has, the first one spends it. */
static enum status confirm_spends(struct pipeline *pipeline, const struct window *window,
                                  const struct spending_tx *spending)
{
    pipeline->confirmed.count = 0;
    for (uint32_t i = 0; spending && i < spending->record.spends; i++) {
        const struct found_spend *found = &window->spends.at[spending->spends + i];
        if (outpoints_remove(pipeline->table, found->hash, found->spend.ordinal) &&
            !PUSH(pipeline->confirmed, found->spend))
            return STATUS_NOMEM;
    }
    return STATUS_OK;
}

static enum status append_tx(struct pipeline *pipeline, const struct window *window, const struct created_tx *created,
                             const struct spending_tx *spending)
{
    enum status status = confirm_spends(pipeline, window, spending);
    if (status != STATUS_OK)
        return fault_nomem(&pipeline->fault);
    if (!created && (!spending || pipeline->confirmed.count == 0))
        return STATUS_OK;
    struct tx_record record = created ? created->record : spending->record;
    record.spends = (uint32_t)pipeline->confirmed.count;
    const uint8_t *blob = window->blob.bytes;
    size_t blob_size = created ? created->blob_size : spending->blob_size;
    if (blob_size > 0)
        blob += created ? created->blob : spending->blob;
    const uint32_t *vouts = created && record.tracked > 0 ? window->vouts.at + created->vouts : NULL;
    return store_add_tx(pipeline->store, &record, blob, blob_size, vouts, pipeline->confirmed.at, &pipeline->fault);
}

static enum status append_slot(struct pipeline *pipeline, const struct slot *slot)
{
    const struct window *window = slot->window;
    const struct created_tx *created = slot_created(slot);
    const struct spending_tx *spending = slot->spending_count ? window->spending.at + slot->spending : NULL;
    size_t c = 0, s = 0;
    struct block_record record = slot->record;
    if (pipeline->known)
        record.txids = window->txids.at[slot->txids].bytes;
    enum status status = store_begin_block(pipeline->store, &record, &pipeline->fault);
    while (status == STATUS_OK && (c < slot->created_count || s < slot->spending_count)) {
        bool has_created = c < slot->created_count &&
                           (s == slot->spending_count || created[c].record.index <= spending[s].record.index);
        bool has_spending = s < slot->spending_count &&
                            (c == slot->created_count || spending[s].record.index <= created[c].record.index);
        status = append_tx(pipeline, window, has_created ? &created[c] : NULL, has_spending ? &spending[s] : NULL);
        c += has_created;
        s += has_spending;
    }
    return status == STATUS_OK ? store_end_block(pipeline->store, &pipeline->fault) : status;
}

/* After a commit the store's values may lie elsewhere; the table reads some of them. */
static enum status commit_store(struct pipeline *pipeline)
{
    enum status status = store_commit(pipeline->store, &pipeline->fault);
    if (status == STATUS_OK && outpoints_moved(pipeline->table) != STATUS_OK)
        status = fault_set(&pipeline->fault, STATUS_FORMAT, store_path(pipeline->store), FAULT_NO_OFFSET,
                           "the saved table of outpoints cannot be read any more");
    return status;
}

enum status resolve_append(struct pipeline *pipeline, const struct window *window)
{
    enum status status = window->status;
    if (status == STATUS_RESOURCES || status == STATUS_INTERRUPTED) {
        pipeline->fault = window->fault;
        return status;
    }
    if (status != STATUS_OK) /* no damage of the chain: what could be read a moment ago cannot be read any more */
        return status == STATUS_NOMEM
                   ? fault_nomem(&pipeline->fault)
                   : fault_set(&pipeline->fault, STATUS_IO, pipeline->dir->path, FAULT_NO_OFFSET,
                               "a block could be read once and not again; run the command once more");
    for (size_t i = 0; i < window->count && status == STATUS_OK; i++)
        status = append_slot(pipeline, &window->slots[i]);
    if (status == STATUS_OK && (store_pending(pipeline->store) >= COMMIT_BYTES || pipeline->options->commit_blocks))
        status = commit_store(pipeline);
    if (status == STATUS_OK)
        pipeline->job->on_appended(pipeline->job->context, (uint32_t)window->count);
    return status;
}
