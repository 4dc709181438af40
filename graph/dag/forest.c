#include "graph/dag/forest.h"

#include <stdatomic.h>
#include <string.h>

#include "parser/mem.h"
#include "parser/money.h"
#include "parser/parallel.h"
#include "parser/stop.h"

struct spend {
    uint32_t ordinal;
    uint32_t vin;
};

struct batch_load {
    uint32_t first_tx;
    uint32_t first_output;
    uint32_t first_height;
    uint32_t blocks;
    uint32_t first_spend;
    bool spends_again; /* what another transaction has spent */
    size_t found;      /* where its spends are in load.found */
    size_t found_count;
    struct forest totals; /* only the sums */
};

struct load_worker {
    struct store_reader *reader;
    struct spend *spends; /* of the batch at hand */
    size_t spends_count;
    size_t spends_capacity;
    struct fault fault;
    enum status status;
    size_t failed; /* batch */
};

struct load {
    const struct store *store;
    struct forest *forest;
    bool compressible;
    struct batch_load *batches;
    size_t batches_count;
    struct load_worker *workers;
    /* The spends of all batches, until the numbers of all are known: a piece for each batch, in the order in which they
     * were read. Each output is spent once at most, so there is room for one of each. */
    struct spend *found;
    atomic_size_t found_count;
};

static enum status damaged(const struct load *load, struct fault *fault, const char *what)
{
    return fault_set(fault, STATUS_FORMAT, store_path(load->store), FAULT_NO_OFFSET, "the store is damaged: %s", what);
}

/* ---- decoding, in parallel: every batch fills its own stretch of the arrays ---- */

static void add_counts(struct forest *sums, const struct block_record *block)
{
    sums->total_txs += block->counts.txs;
    sums->total_inputs += block->counts.inputs;
    sums->total_outputs += block->counts.outputs;
    for (unsigned k = 0; k < KINDS; k++) {
        sums->kind_count[k] += block->counts.kind_count[k];
        sums->kind_value_sat[k] = add_saturating(sums->kind_value_sat[k], block->counts.kind_value_sat[k]);
    }
    for (unsigned r = 0; r < RULES; r++)
        sums->unknown_txs[r] += block->counts.unknown_txs[r];
    for (unsigned r = 0; r < RULES; r++)
        sums->maybe_txs[r] += block->maybe_txs[r];
}

static void add_sums(struct forest *sums, const struct forest *part)
{
    sums->total_txs += part->total_txs;
    sums->total_inputs += part->total_inputs;
    sums->total_outputs += part->total_outputs;
    for (unsigned k = 0; k < KINDS; k++) {
        sums->kind_count[k] += part->kind_count[k];
        sums->kind_value_sat[k] = add_saturating(sums->kind_value_sat[k], part->kind_value_sat[k]);
    }
    for (unsigned r = 0; r < RULES; r++)
        sums->unknown_txs[r] += part->unknown_txs[r];
    for (unsigned r = 0; r < RULES; r++)
        sums->maybe_txs[r] += part->maybe_txs[r];
    for (unsigned r = 0; r < RULES_WITH_HIDDEN; r++)
        sums->inner_txs[r] += part->inner_txs[r];
}

static enum status load_outputs(const struct load *load, struct tx_view *view, uint32_t tx, uint32_t output,
                                uint32_t end)
{
    struct forest_tx *to = &load->forest->txs[tx];
    struct output_record record;
    enum status status;
    uint32_t vout = 0, nulldata = 0;
    for (; (status = tx_next_output(view, &record)) == STATUS_OK; vout++) {
        to->value_out_sat = add_saturating(to->value_out_sat, record.value_sat);
        nulldata += record.kind == KIND_NULLDATA;
        if (!output_is_tracked(record.unknown, record.kind))
            continue;
        if (output == end || vout > FOREST_VOUT_MAX)
            return STATUS_FORMAT;
        load->forest->outputs[output++] = (struct forest_output){
            .value_sat = record.value_sat,
            .tx = tx,
            .spender = FOREST_NONE,
            .vout = vout & FOREST_VOUT_MAX,
            .kind = record.kind & 31u,
            .unknown = record.unknown & 15u,
            .anyone_can_spend = load->compressible && script_anyone_can_spend(record.script, record.script_size),
        };
    }
    if (status != STATUS_NOT_FOUND)
        return status;
    to->nulldata = nulldata & FOREST_VOUT_MAX;
    return output == end && vout == to->outputs ? STATUS_OK : STATUS_FORMAT;
}

/* A spend of an output of the same or a later transaction would make a cycle. */
static enum status load_spends(struct load_worker *worker, struct tx_view *view)
{
    struct spend_record record;
    enum status status;
    while ((status = tx_next_spend(view, &record)) == STATUS_OK) {
        if (record.ordinal >= view->tx.first_ordinal || record.vin >= view->tx.inputs || record.vin > FOREST_VIN_MAX)
            return STATUS_FORMAT;
        status = mem_reserve(&worker->spends, &worker->spends_capacity, worker->spends_count + 1,
                             sizeof *worker->spends);
        if (status != STATUS_OK)
            return status;
        worker->spends[worker->spends_count++] = (struct spend){(uint32_t)record.ordinal, record.vin};
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* first_spend counts from the batch's first for now. */
static enum status load_tx(struct load *load, struct load_worker *worker, const struct batch_load *batch,
                           struct tx_view *view, uint32_t height)
{
    const struct tx_record *tx = &view->tx;
    const struct batch_load *next = batch + 1;
    if (tx->number < batch->first_tx || tx->number >= next->first_tx || tx->first_ordinal < batch->first_output ||
        tx->first_ordinal > next->first_output || tx->tracked > next->first_output - tx->first_ordinal ||
        tx->index > FOREST_INDEX_MAX || tx->inputs == 0 || tx->inputs > FOREST_VIN_MAX || tx->outputs == 0 ||
        tx->outputs > FOREST_VOUT_MAX || tx->spends > (tx->coinbase ? 0 : tx->inputs) ||
        worker->spends_count > UINT32_MAX)
        return STATUS_FORMAT;
    uint32_t number = (uint32_t)tx->number, first_output = (uint32_t)tx->first_ordinal;
    load->forest->txs[number] = (struct forest_tx){
        .txid = tx->txid,
        .height = height,
        .index = tx->index & FOREST_INDEX_MAX,
        .coinbase = tx->coinbase,
        .inputs = tx->inputs & FOREST_VIN_MAX,
        .outputs = tx->outputs & FOREST_VOUT_MAX,
        .first_output = first_output,
        .first_spend = (uint32_t)worker->spends_count,
    };
    if (load->forest->inputs_before)
        load->forest->inputs_before[number] = tx->inputs_before;
    uint32_t tracked = tx->tracked;
    enum status status = load_spends(worker, view);
    if (status == STATUS_OK)
        status = load_outputs(load, view, number, first_output, first_output + tracked);
    return status;
}

/* What does not fit was spent twice, which link_spends tells. */
static void keep_spends(struct load *load, const struct load_worker *worker, struct batch_load *batch)
{
    size_t count = worker->spends_count, room = load->forest->outputs_count;
    batch->found = atomic_fetch_add_explicit(&load->found_count, count, memory_order_relaxed);
    batch->found_count = count;
    if (count > 0 && count <= room && batch->found <= room - count)
        memcpy(load->found + batch->found, worker->spends, count * sizeof *load->found);
}

static enum status load_batch(struct load *load, struct load_worker *worker, size_t b, struct fault *fault)
{
    struct batch_load *batch = &load->batches[b];
    struct batch_view view;
    struct block_record block;
    uint64_t txs = batch->first_tx, outputs = batch->first_output;
    uint32_t height = batch->first_height;
    enum status status = store_read_batch(worker->reader, b, true, &view, fault);
    if (status != STATUS_OK)
        return status;
    worker->spends_count = 0;
    while ((status = batch_next_block(&view, &block)) == STATUS_OK) {
        struct tx_view tx;
        if (block.height != height || height - batch->first_height >= batch->blocks)
            return damaged(load, fault, "its blocks do not follow one another");
        load->forest->block_times[height++] = block.time;
        add_counts(&batch->totals, &block);
        if (height == load->forest->blocks)
            load->forest->tip = block.hash;
        while ((status = batch_next_tx(&view, &tx)) == STATUS_OK) {
            if (tx.tx.number != txs || tx.tx.first_ordinal != outputs)
                return damaged(load, fault, "its transactions do not follow one another");
            status = load_tx(load, worker, batch, &tx, block.height);
            if (status != STATUS_OK)
                return status == STATUS_NOMEM ? fault_nomem(fault)
                                              : damaged(load, fault, "a transaction's bytes make no sense");
            txs++;
            outputs += tx.tx.tracked;
        }
        if (status != STATUS_NOT_FOUND)
            return damaged(load, fault, "a transaction's bytes make no sense");
    }
    if (status != STATUS_NOT_FOUND || height - batch->first_height != batch->blocks || txs != batch[1].first_tx ||
        outputs != batch[1].first_output)
        return damaged(load, fault, "a batch holds less than its header says");
    keep_spends(load, worker, batch);
    return STATUS_OK;
}

/* After a failure a worker takes no more batches. Batches are handed out in ascending order, so the first damaged one
 * is always among the workers' failures, and it is the one that is reported, whatever the number of threads. */
static void load_work(void *context, unsigned w, size_t b)
{
    struct load *load = context;
    struct load_worker *worker = &load->workers[w];
    if (worker->status != STATUS_OK)
        return;
    if (!worker->reader)
        worker->status = store_reader_open(load->store, &worker->reader, &worker->fault);
    if (worker->status == STATUS_OK)
        worker->status = load_batch(load, worker, b, &worker->fault);
    worker->failed = b;
}

/* ---- before decoding, on one thread ---- */

/* Where each batch begins: their headers must follow one another, so that the stretches above cannot overlap. */
static enum status load_headers(struct load *load, struct store_reader *reader, struct fault *fault)
{
    struct forest *forest = load->forest;
    uint64_t txs = 0, outputs = 0, blocks = store_first_height(load->store);
    forest->first_height = (uint32_t)blocks;
    load->batches_count = store_batches(reader);
    load->batches = mem_alloc(load->batches_count + 1, sizeof *load->batches);
    if (!load->batches)
        return fault_nomem(fault);
    for (size_t b = 0; b <= load->batches_count; b++) {
        struct batch_view view;
        if (stop_due(b))
            return stop_check(fault);
        if (txs >= FOREST_NONE || outputs >= FOREST_NONE || blocks >= FOREST_NONE)
            return fault_set(fault, STATUS_LIMIT, store_path(load->store), FAULT_NO_OFFSET,
                             "more than 2^32 - 2 transactions or outputs in the store");
        load->batches[b].first_tx = (uint32_t)txs;
        load->batches[b].first_output = (uint32_t)outputs;
        load->batches[b].first_height = (uint32_t)blocks;
        if (b == load->batches_count)
            break;
        enum status status = store_batch(reader, b, &view, fault);
        if (status != STATUS_OK)
            return status;
        if (view.first_tx != txs || view.first_ordinal != outputs || view.first_height != blocks ||
            view.tx_count > view.size || view.tracked > view.size || view.block_count > view.size)
            return damaged(load, fault, "its batches do not follow one another");
        load->batches[b].blocks = view.block_count;
        txs += view.tx_count;
        outputs += view.tracked;
        blocks += view.block_count;
    }
    store_let_go(reader); /* of the headers' pages */
    forest->txs_count = (uint32_t)txs;
    forest->outputs_count = (uint32_t)outputs;
    forest->blocks = (uint32_t)blocks;
    forest->txs = mem_alloc_lines((size_t)txs + 1, sizeof *forest->txs);
    forest->outputs = mem_alloc_lines((size_t)outputs, sizeof *forest->outputs);
    forest->block_times = mem_alloc((size_t)blocks, sizeof *forest->block_times);
    if (forest->first_height > 0)
        forest->inputs_before = mem_alloc((size_t)txs, sizeof *forest->inputs_before);
    return forest->txs && forest->outputs && forest->block_times && (forest->inputs_before || forest->first_height == 0)
               ? STATUS_OK
               : fault_nomem(fault);
}

static enum status load_parallel(struct load *load, unsigned threads, struct fault *fault)
{
    const struct load_worker *first = NULL;
    load->workers = mem_alloc(threads, sizeof *load->workers);
    load->found = mem_alloc_large(load->forest->outputs_count, sizeof *load->found);
    if (!load->workers || !load->found)
        return fault_nomem(fault);
    enum status status = parallel_for(threads, load->batches_count, load_work, load, fault);
    for (unsigned w = 0; w < threads; w++) {
        struct load_worker *worker = &load->workers[w];
        store_reader_close(worker->reader);
        mem_free(worker->spends);
        if (worker->status != STATUS_OK && (!first || worker->failed < first->failed))
            first = worker;
    }
    if (first && fault)
        *fault = first->fault;
    return first ? first->status : status;
}

/* ---- linking, in parallel ---- */

/* Two batches may claim the same output in a damaged store: only one is its spender, and who comes second says so. */
static void link_batch(void *context, unsigned worker, size_t b)
{
    struct load *load = context;
    struct forest *forest = load->forest;
    struct batch_load *batch = &load->batches[b];
    const struct spend *spends = load->found + batch->found;
    uint32_t s = 0, count = (uint32_t)batch->found_count;
    (void)worker;
    for (uint32_t t = batch->first_tx; t < batch[1].first_tx; t++) {
        uint32_t end = t + 1 < batch[1].first_tx ? forest->txs[t + 1].first_spend : count;
        unsigned unknown = RULES_ALL;
        forest->txs[t].first_spend = batch->first_spend + s;
        for (; s < end; s++) {
            if (s + FOREST_AHEAD < count)
                __builtin_prefetch(&forest->outputs[spends[s + FOREST_AHEAD].ordinal].spender, 1);
            struct spend spend = spends[s];
            struct forest_output *output = &forest->outputs[spend.ordinal];
            if (__atomic_exchange_n(&output->spender, t, __ATOMIC_RELAXED) != FOREST_NONE) {
                batch->spends_again = true;
                return;
            }
            output->spender_vin = spend.vin & FOREST_VIN_MAX;
            unknown &= output->unknown;
            forest->spends[batch->first_spend + s] = spend.ordinal;
        }
        forest->txs[t].spends_unknown = unknown == RULES_ALL;
        forest_count_inner(forest, t, batch->first_spend + end, batch->totals.inner_txs);
    }
}

/* Joins the batches' spends. */
static enum status link_spends(struct load *load, unsigned threads, struct fault *fault)
{
    struct forest *forest = load->forest;
    uint64_t count = 0;
    for (size_t b = 0; b < load->batches_count; b++) {
        load->batches[b].first_spend = (uint32_t)count;
        count += load->batches[b].found_count;
        if (count > forest->outputs_count)
            return damaged(load, fault, "more spends than outputs");
    }
    forest->spends_count = (uint32_t)count;
    forest->spends = mem_alloc_large((size_t)count, sizeof *forest->spends);
    if (!forest->spends)
        return fault_nomem(fault);
    forest->txs[forest->txs_count] = (struct forest_tx){.first_output = forest->outputs_count,
                                                        .first_spend = forest->spends_count};
    enum status status = parallel_for(threads, load->batches_count, link_batch, load, fault);
    for (size_t b = 0; b < load->batches_count && status == STATUS_OK; b++)
        if (load->batches[b].spends_again)
            status = damaged(load, fault, "an output is spent twice");
    return status;
}

enum status forest_load(const struct store *store, unsigned threads, struct forest *forest, struct fault *fault)
{
    return forest_load_for(store, true, threads, forest, fault);
}

enum status forest_load_for(const struct store *store, bool compress, unsigned threads, struct forest *forest,
                            struct fault *fault)
{
    struct load load = {.store = store, .forest = forest, .compressible = compress};
    struct store_reader *reader = NULL;
    memset(forest, 0, sizeof *forest);
    enum status status = store_reader_open(store, &reader, fault);
    if (status == STATUS_OK)
        status = load_headers(&load, reader, fault);
    store_reader_close(reader);
    if (status == STATUS_OK)
        status = load_parallel(&load, threads > 0 ? threads : 1, fault);
    if (status == STATUS_OK)
        status = link_spends(&load, threads > 0 ? threads : 1, fault);
    for (size_t b = 0; load.batches && b < load.batches_count; b++)
        add_sums(forest, &load.batches[b].totals);
    mem_free(load.found);
    mem_free(load.batches);
    mem_free(load.workers);
    if (status != STATUS_OK)
        forest_free(forest);
    return status;
}

void forest_free(struct forest *forest)
{
    mem_free(forest->txs);
    mem_free(forest->outputs);
    mem_free(forest->spends);
    mem_free(forest->inputs_before);
    mem_free(forest->block_times);
    memset(forest, 0, sizeof *forest);
}
