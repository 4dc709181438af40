#include "graph/scan/window.h"

#define COMMIT_BYTES (4u << 20) /* of store to lose at most, and to write at once, beside the walk */
#define CANDIDATES_AHEAD 64u    /* inputs that passed the filter, likewise for their slots */

/* ---- 2. add ---- */

/* The outpoint of an output that this run created and that is not in the store yet. */
static enum status created_outpoint(const struct pipeline *round, uint64_t ordinal, struct hash256 *txid,
                                    uint32_t *vout)
{
    size_t low = 0, high = round->looked->count;
    while (high - low > 1) { /* the last item that begins at or before the ordinal */
        size_t middle = low + (high - low) / 2;
        if (round->looked->items[middle].first_ordinal <= ordinal)
            low = middle;
        else
            high = middle;
    }
    const struct item *item = &round->looked->items[low];
    const struct created_tx *created = created_of(item);
    uint64_t left = ordinal - item->first_ordinal;
    low = 0;
    high = item->created_count;
    while (high - low >
           1) { /* the last transaction that begins at or before it; those without any begin where the next does */
        size_t middle = low + (high - low) / 2;
        if (created[middle].before <= left)
            low = middle;
        else
            high = middle;
    }
    if (high == 0 || left - created[low].before >= created[low].record.tracked)
        return STATUS_NOT_FOUND;
    *txid = created[low].record.txid;
    *vout = item->slice->vouts.at[created[low].vouts + (left - created[low].before)];
    return STATUS_OK;
}

static enum status resolve(void *context, uint64_t ordinal, struct hash256 *txid, uint32_t *vout)
{
    struct worker *worker = context;
    const struct pipeline *round = worker->round;
    if (ordinal >= store_totals_of(round->store).tracked)
        return created_outpoint(round, ordinal, txid, vout);
    return store_outpoint(worker->store_reader, ordinal, txid, vout, NULL);
}

static enum status add_created(struct worker *worker, const struct slice *slice, const struct created_tx *created,
                               uint64_t *ordinal)
{
    struct outpoints *table = worker->round->table;
    uint8_t prevout[TX_PREVOUT_SIZE];
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < created->record.tracked && status == STATUS_OK; i++) {
        size_t at = created->vouts + i;
        if (at + PROBES_AHEAD < slice->hashes.count)
            outpoints_prefetch_add(table, slice->hashes.at[at + PROBES_AHEAD]);
        prevout_of(&created->record.txid, slice->vouts.at[at], prevout);
        status = outpoints_add(table, prevout, slice->hashes.at[at], (*ordinal)++, resolve, worker,
                               &worker->round->fault);
    }
    return status;
}

/* Gives every tracked output of the run its ordinal, and the table the output. */
enum status add_run(struct worker *worker, struct run *run)
{
    struct pipeline *round = worker->round;
    uint64_t ordinal = store_totals_of(round->store).tracked;
    round->looked = run;
    for (size_t i = 0; i < run->count; i++) { /* first all, because resolve() searches them */
        struct item *item = &run->items[i];
        item->first_ordinal = ordinal;
        for (size_t t = 0; t < item->created_count; t++) {
            struct created_tx *created = &item->slice->created.at[item->created + t];
            created->before = (uint32_t)(ordinal - item->first_ordinal);
            ordinal += created->record.tracked;
        }
    }
    ordinal = store_totals_of(round->store).tracked;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < run->count && status == STATUS_OK; i++) {
        const struct item *item = &run->items[i];
        for (size_t t = 0; t < item->created_count && status == STATUS_OK; t++)
            status = add_created(worker, item->slice, &item->slice->created.at[item->created + t], &ordinal);
    }
    return status;
}

/* ---- 3. look up ---- */

/* The inputs of one transaction whose hashes the table knows: compares them exactly and notes the spends. `limit` is
 * the first ordinal that the transaction comes before. STATUS_FORMAT: the bytes are not those that were walked, as
 * where somebody writes to the file. */
static enum status look_at_tx(struct worker *worker, const uint8_t *bytes, size_t size, const uint64_t *hashes,
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
        if (!outpoints_probe(worker->round->table, hashes[vin]))
            continue;
        status = outpoints_find(worker->round->table, in.prevout, hashes[vin], limit, resolve, worker, &ordinal);
        if (status != STATUS_OK || ordinal == OUTPOINT_NONE)
            continue;
        struct found_spend found = {.spend = {.vin = vin, .ordinal = ordinal}, .hash = hashes[vin]};
        if (!PUSH(worker->slice->spends, found))
            return STATUS_NOMEM;
        spending->record.spends++;
    }
    return status;
}

/* The first of the block's created transactions at or behind `index`; created_count if there is none. */
static size_t created_from(const struct item *item, uint32_t index)
{
    const struct created_tx *created = created_of(item);
    size_t low = 0, high = item->created_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (created[middle].record.index < index)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The first ordinal that transaction `index` comes before. */
static uint64_t limit_of_tx(const struct item *item, size_t from)
{
    const struct created_tx *created = created_of(item);
    if (from < item->created_count)
        return item->first_ordinal + created[from].before;
    return from == 0 ? item->first_ordinal
                     : item->first_ordinal + created[from - 1].before + created[from - 1].record.tracked;
}

static enum status look_up_tx(struct worker *worker, struct item *item, uint32_t index)
{
    const struct slice *slice = item->slice;
    const struct walked_tx *walked = &slice->walked.at[item->walked + index];
    size_t end = index + 1 < item->walked_count ? walked[1].offset : item->block->size;
    const uint8_t *bytes = NULL;
    enum status status = read_block(worker, item, walked->offset, end - walked->offset, &bytes);
    if (status != STATUS_OK)
        return status;
    size_t from = created_from(item, index);
    struct spending_tx spending = {
        .record.index = index, .blob = worker->slice->blob.size, .spends = worker->slice->spends.count};
    size_t inputs_end = index + 1 < item->walked_count ? walked[1].first_input : item->inputs_count;
    status = look_at_tx(worker, bytes, end - walked->offset, slice->inputs.at + item->inputs + walked->first_input,
                        inputs_end - walked->first_input, limit_of_tx(item, from), &spending);
    if (status != STATUS_OK || spending.record.spends == 0)
        return status;
    /* The walk has recorded it already if it creates something tracked. */
    bool created = from < item->created_count && slice->created.at[item->created + from].record.index == index;
    if (!created) {
        if (!record_tx(worker, bytes, end - walked->offset, false, &spending.record))
            return STATUS_NOMEM;
        spending.blob_size = worker->slice->blob.size - spending.blob;
        if (spending.record.tracked > 0)
            return STATUS_FORMAT;
    }
    return PUSH(worker->slice->spending, spending) ? STATUS_OK : STATUS_NOMEM;
}

/* The transaction that has the block's input `input`, from `index` on. */
static uint32_t tx_of_input(const struct item *item, uint32_t index, size_t input)
{
    const struct walked_tx *walked = item->slice->walked.at + item->walked;
    size_t low = index, high = item->walked_count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (walked[middle].first_input <= input)
            low = middle;
        else
            high = middle;
    }
    return (uint32_t)low;
}

/* Inputs of a block that the filter let pass. Their slots are asked for all at once: one alone would be waited for,
 * since the addresses of the table's pages are not at hand either. */
struct waiting {
    size_t inputs[CANDIDATES_AHEAD];
    size_t count;
    uint32_t index; /* the last transaction that was looked at */
    size_t next;    /* the first input behind it */
};

static void look_at_waiting(struct worker *worker, struct item *item, struct waiting *waiting)
{
    const struct slice *slice = item->slice;
    const struct walked_tx *walked = slice->walked.at + item->walked;
    const uint64_t *hashes = slice->inputs.at + item->inputs;
    for (size_t i = 0; i < waiting->count; i++)
        outpoints_prefetch_slot(worker->round->table, hashes[waiting->inputs[i]]);
    for (size_t i = 0; i < waiting->count && item->status == STATUS_OK; i++) {
        size_t input = waiting->inputs[i];
        if (input < waiting->next || !outpoints_candidate(worker->round->table, hashes[input]))
            continue;
        waiting->index = tx_of_input(item, waiting->index, input);
        item->status = look_up_tx(worker, item, waiting->index);
        bool last = waiting->index + 1 >= item->walked_count;
        waiting->next = last ? item->inputs_count : walked[waiting->index + 1].first_input;
    }
    waiting->count = 0;
}

void look_up_item(struct worker *worker, struct item *item)
{
    const struct outpoints *table = worker->round->table;
    struct slice *slice = item->slice;
    const uint64_t *hashes = slice->inputs.at + item->inputs;
    struct waiting waiting = {.count = 0};
    item->spending = slice->spending.count;
    for (size_t input = 0; input < item->inputs_count; input++) {
        if (input + PROBES_AHEAD < item->inputs_count)
            outpoints_prefetch(table, hashes[input + PROBES_AHEAD]);
        if (__builtin_expect(!outpoints_probe(table, hashes[input]), 1))
            continue;
        waiting.inputs[waiting.count++] = input;
        if (waiting.count == CANDIDATES_AHEAD)
            look_at_waiting(worker, item, &waiting);
    }
    look_at_waiting(worker, item, &waiting);
    item->spending_count = slice->spending.count - item->spending;
}

/* ---- 4. append ---- */

/* Settles in chain order: of two inputs that spend one output, which no valid chain has, the first one does. */
static enum status settle(struct pipeline *round, const struct slice *slice, const struct spending_tx *spending)
{
    round->settled.count = 0;
    for (uint32_t i = 0; spending && i < spending->record.spends; i++) {
        const struct found_spend *found = &slice->spends.at[spending->spends + i];
        if (outpoints_remove(round->table, found->hash, found->spend.ordinal) && !PUSH(round->settled, found->spend))
            return STATUS_NOMEM;
    }
    return STATUS_OK;
}

static enum status append_tx(struct pipeline *round, const struct slice *slice, const struct created_tx *created,
                             const struct spending_tx *spending)
{
    enum status status = settle(round, slice, spending);
    if (status != STATUS_OK)
        return fault_nomem(&round->fault);
    if (!created && (!spending || round->settled.count == 0))
        return STATUS_OK;
    struct tx_record record = created ? created->record : spending->record;
    record.spends = (uint32_t)round->settled.count;
    const uint8_t *blob = slice->blob.bytes;
    size_t blob_size = created ? created->blob_size : spending->blob_size;
    if (blob_size > 0)
        blob += created ? created->blob : spending->blob;
    const uint32_t *vouts = created && record.tracked > 0 ? slice->vouts.at + created->vouts : NULL;
    return store_add_tx(round->store, &record, blob, blob_size, vouts, round->settled.at, &round->fault);
}

static enum status append_item(struct pipeline *round, const struct item *item)
{
    const struct slice *slice = item->slice;
    const struct created_tx *created = created_of(item);
    const struct spending_tx *spending = item->spending_count ? slice->spending.at + item->spending : NULL;
    size_t c = 0, s = 0;
    enum status status = store_begin_block(round->store, &item->record, &round->fault);
    while (status == STATUS_OK && (c < item->created_count || s < item->spending_count)) {
        bool has_created = c < item->created_count &&
                           (s == item->spending_count || created[c].record.index <= spending[s].record.index);
        bool has_spending = s < item->spending_count &&
                            (c == item->created_count || spending[s].record.index <= created[c].record.index);
        status = append_tx(round, slice, has_created ? &created[c] : NULL, has_spending ? &spending[s] : NULL);
        c += has_created;
        s += has_spending;
    }
    return status == STATUS_OK ? store_end_block(round->store, &round->fault) : status;
}

/* The store's values may lie elsewhere then: the table reads some of them. */
static enum status commit(struct pipeline *round)
{
    enum status status = store_commit(round->store, &round->fault);
    if (status == STATUS_OK && outpoints_moved(round->table) != STATUS_OK)
        status = fault_set(&round->fault, STATUS_FORMAT, store_path(round->store), FAULT_NO_OFFSET,
                           "the saved table of outpoints cannot be read any more");
    return status;
}

enum status append_run(struct pipeline *round, const struct run *run)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < run->count && status == STATUS_OK; i++)
        status = run->items[i].status;
    if (status != STATUS_OK) /* no damage of the chain: what could be read a moment ago cannot be read any more */
        return status == STATUS_NOMEM
                   ? fault_nomem(&round->fault)
                   : fault_set(&round->fault, STATUS_IO, round->dir->path, FAULT_NO_OFFSET,
                               "a block could be read once and not again; run the command once more");
    for (size_t i = 0; i < run->count && status == STATUS_OK; i++)
        status = append_item(round, &run->items[i]);
    outpoints_end_round(round->table);
    if (status == STATUS_OK && (store_pending(round->store) >= COMMIT_BYTES || round->options->commit_blocks))
        status = commit(round);
    if (status == STATUS_OK)
        round->job->taken(round->job->context, (uint32_t)run->count);
    return status;
}
