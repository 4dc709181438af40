#include "graph/scan/pipeline.h"

#include <time.h>

#include "graph/scan/filemap.h"
#include "parser/array.h"
#include "parser/mem.h"
#include "parser/parallel.h"

#define RUNS 4u /* that are at work at the same time */
#define RUN_BYTES_PER_THREAD (3u << 20)
#define RUN_BYTES_MIN (12u << 20)
#define RUN_BLOCKS_MAX 4096u
#define SLICE_BYTES (1u << 20)
#define SLICE_BLOCKS 256u
#define AHEAD_BYTES_PER_THREAD (16u << 20) /* that the operating system is asked for before they are walked */
#define AHEAD_BYTES_MIN (48u << 20)
#define COMMIT_BYTES (4u << 20) /* of store to lose at most, and to write at once, beside the walk */
#define CANDIDATES_AHEAD 64u    /* inputs that passed the filter, likewise for their slots */
#define PROBES_AHEAD 48u        /* inputs: their filter words are asked for this much before they are needed */
#define CACHED_READ_RATE 1.0    /* bytes/ns: a run that is read slower than that waited for the disk */

/* A transaction that creates tracked outputs (or stored nulldata), as the walk leaves it in its worker's arrays. */
struct created_tx {
    struct tx_record record;
    size_t blob, blob_size; /* its outputs blob */
    size_t vouts;           /* its tracked vouts and their hashes */
    uint32_t before;        /* tracked outputs of its block before it; set by add_run */
};

struct walked_tx {
    uint32_t offset;      /* of the transaction in its block */
    uint32_t first_input; /* of the block's inputs; 0 is the coinbase's */
};

/* A transaction that spends tracked outputs, as the look-up leaves it. */
struct spending_tx {
    struct tx_record record;
    size_t blob, blob_size;
    size_t spends; /* into the worker's spends; record.spends of them */
};

struct found_spend {
    struct spend_record spend;
    uint64_t hash;
};

/* Some consecutive blocks of a run, which one thread takes at a time, and what it collects there: so nobody's arrays
 * grow with what others leave to him. Positions are indices, since the arrays grow. */
struct slice {
    size_t first, end;      /* items of the run */
    ARRAY(uint64_t) inputs; /* hashes of the inputs */
    ARRAY(struct walked_tx) walked;
    ARRAY(struct created_tx) created;
    ARRAY(uint32_t) vouts;
    ARRAY(uint64_t) hashes;
    ARRAY(struct spending_tx) spending;
    ARRAY(struct found_spend) spends;
    struct buffer blob;
};

/* What a thread does next. */
struct task {
    enum { TASK_NONE, TASK_WALK, TASK_LOOK, TASK_CHANGE } kind;
    struct run *run; /* a walk's or look-up's */
    struct slice *slice;
    struct run *append, *add; /* a change's; NULL for none */
    enum status status;       /* a change's */
    uint32_t ahead;           /* a change's: blocks from this height on may be asked for */
};

struct worker {
    struct pipeline *round;
    struct slice *slice; /* that it is at work on */
    struct blk_reader reader;
    struct store_reader *store_reader;
    struct block_verifier verifier;
    ARRAY(struct tx) txs;      /* of the block under the walk, for the verifier */
    ARRAY(struct tx) creating; /* those of them that slice->created ends with */
    const uint8_t *block;      /* under the walk */
    size_t first_input;        /* the block's, in slice->inputs */
    uint32_t tracked;          /* tracked outputs of the transaction under the walk */
    struct task task;
};

/* One block of a run. */
struct item {
    const struct chain_block *block;
    struct block_record record;
    enum status status;
    struct fault fault;
    struct slice *slice;
    double read_ns; /* what reading it took */
    size_t inputs, inputs_count, walked, walked_count, created, created_count, spending, spending_count;
    uint64_t first_ordinal;
};

struct run {
    struct item *items;
    size_t count;
    struct slice *slices;
    size_t slices_count;
    size_t next, left; /* of its walk, then of its look-ups: slices to hand out, and slices that are not done */
};

struct pipeline {
    const struct ingest_options *options;
    const struct blkdir *dir;
    struct store *store;
    struct outpoints *table;
    struct worker *workers;
    const struct pipeline_job *job;
    uint32_t next; /* height of the next run to begin */
    bool ended;    /* no run is to begin */
    struct run runs[RUNS];
    size_t begun, added, appended; /* so many runs of the job; number n is runs[n % RUNS] */
    bool changing;                 /* a thread is at a change */
    const struct run *looked;      /* of which resolve() finds what is not in the store */
    struct blk_reader ahead;
    uint32_t asked;   /* height up to which blocks were asked for */
    bool reads_ahead; /* the blocks are not in the page cache, as far as the last run tells */
    ARRAY(struct spend_record) settled;
    enum status status;
    struct fault fault;         /* of the status */
    const struct item *damaged; /* the block that ended the job; NULL: none did */
};

static uint64_t bytes_for(const struct ingest_options *options, uint32_t per_thread, uint32_t least)
{
    uint64_t bytes = (uint64_t)per_thread * options->threads;
    return bytes < least ? least : bytes;
}

/* A run ends with the block that reaches its bytes, a slice with one that reaches its bytes or blocks. */
static size_t slices_max(const struct ingest_options *options)
{
    return (size_t)(bytes_for(options, RUN_BYTES_PER_THREAD, RUN_BYTES_MIN) / SLICE_BYTES) +
           RUN_BLOCKS_MAX / SLICE_BLOCKS + 2;
}

static enum status new_run(struct run *run, const struct ingest_options *options)
{
    run->items = mem_alloc(RUN_BLOCKS_MAX, sizeof *run->items);
    run->slices = mem_alloc(slices_max(options), sizeof *run->slices);
    return run->items && run->slices ? STATUS_OK : STATUS_NOMEM;
}

enum status pipeline_new(const struct ingest_options *options, const struct blkdir *dir, struct store *store,
                         struct outpoints *table, struct pipeline **out, struct fault *fault)
{
    struct pipeline *round = mem_alloc(1, sizeof *round);
    *out = round;
    if (!round)
        return fault_nomem(fault);
    *round = (struct pipeline){.options = options, .dir = dir, .store = store, .table = table, .reads_ahead = true};
    round->workers = mem_alloc(options->threads, sizeof *round->workers);
    enum status status = round->workers ? STATUS_OK : STATUS_NOMEM;
    for (unsigned i = 0; i < RUNS && status == STATUS_OK; i++)
        status = new_run(&round->runs[i], options);
    if (status != STATUS_OK)
        return fault_nomem(fault);
    for (unsigned i = 0; i < options->threads && status == STATUS_OK; i++) {
        round->workers[i].round = round;
        status = store_reader_open(store, &round->workers[i].store_reader, fault);
    }
    return status;
}

static void free_worker(struct worker *worker)
{
    blk_reader_free(&worker->reader);
    store_reader_close(worker->store_reader);
    block_verifier_free(&worker->verifier);
    mem_free(worker->txs.at);
    mem_free(worker->creating.at);
}

static void free_run(struct run *run, size_t slices)
{
    for (size_t i = 0; run->slices && i < slices; i++) {
        struct slice *slice = &run->slices[i];
        mem_free(slice->inputs.at);
        mem_free(slice->walked.at);
        mem_free(slice->created.at);
        mem_free(slice->vouts.at);
        mem_free(slice->hashes.at);
        mem_free(slice->spending.at);
        mem_free(slice->spends.at);
        buffer_free(&slice->blob);
    }
    mem_free(run->slices);
    mem_free(run->items);
}

void pipeline_free(struct pipeline *round)
{
    if (!round)
        return;
    for (unsigned i = 0; round->workers && i < round->options->threads; i++)
        free_worker(&round->workers[i]);
    for (unsigned i = 0; i < RUNS; i++)
        free_run(&round->runs[i], slices_max(round->options));
    blk_reader_free(&round->ahead);
    mem_free(round->workers);
    mem_free(round->settled.at);
    mem_free(round);
}

/* ---- 1. walk ---- */

static bool see_input(void *context, const struct tx_input *in, uint32_t vin)
{
    struct worker *worker = context;
    (void)vin;
    uint64_t hash = outpoints_hash(worker->round->table, in->prevout);
    return PUSH(worker->slice->inputs, hash);
}

static bool see_output(void *context, const struct tx_output *out, uint32_t vout, enum kind kind, unsigned unknown)
{
    struct worker *worker = context;
    (void)out;
    (void)vout;
    worker->tracked += output_is_tracked(unknown, kind);
    return true;
}

static void read_output(struct cursor *c, struct output_record *output)
{
    struct tx_output out;
    tx_output(c, &out);
    *output = (struct output_record){.value_sat = out.value_sat, .kind = script_kind(out.script, out.script_size)};
    output->unknown = script_unknown_rules(output->kind, out.script, out.script_size);
    if (output->unknown) {
        output->script = out.script;
        output->script_size = out.script_size;
    }
}

static void prevout_of(const struct hash256 *txid, uint32_t vout, uint8_t prevout[TX_PREVOUT_SIZE])
{
    memcpy(prevout, txid->bytes, HASH256_SIZE);
    store_le32(prevout + HASH256_SIZE, vout);
}

/* Fills in what the record says of the transaction that starts at `start`, and encodes its outputs. One that is
 * `created` has its txid, and it is noted which outputs are tracked, under their hashes. The bytes have been walked
 * before, so they are sound. */
static bool record_tx(struct worker *worker, const uint8_t *start, size_t size, bool created, struct tx_record *record)
{
    struct cursor c = cursor_over(start, size);
    struct tx tx;
    struct tx_input in;
    uint8_t prevout[TX_PREVOUT_SIZE];
    tx_begin(&c, &tx);
    for (uint32_t i = 0; i < tx.inputs; i++) {
        tx_input(&c, &in);
        if (i == 0)
            record->coinbase = tx_is_coinbase(&tx, &in);
    }
    tx_outputs(&c, &tx);
    const uint8_t *outputs = c.at;
    for (uint32_t i = 0; i < tx.outputs; i++) {
        struct tx_output out;
        tx_output(&c, &out);
    }
    tx_end(&c, &tx);
    if (!cursor_ok(&c))
        return false;
    if (!created)
        tx_id(&tx, &record->txid);
    record->inputs = tx.inputs;
    record->outputs = tx.outputs;
    c = cursor_over(outputs, (size_t)(tx.body_end - outputs));
    for (uint32_t vout = 0; vout < tx.outputs; vout++) {
        struct output_record output;
        read_output(&c, &output);
        if (record_add_output(&worker->slice->blob, &output) != STATUS_OK)
            return false;
        if (!output_is_tracked(output.unknown, output.kind))
            continue;
        record->tracked++;
        prevout_of(&record->txid, vout, prevout);
        if (created && (!PUSH(worker->slice->vouts, vout) ||
                        !PUSH(worker->slice->hashes, outpoints_hash(worker->round->table, prevout))))
            return false;
    }
    return true;
}

static bool see_tx(void *context, const struct tx *tx, uint32_t index, unsigned unknown)
{
    struct worker *worker = context;
    uint32_t tracked = worker->tracked;
    worker->tracked = 0;
    size_t inputs = worker->slice->inputs.count - worker->first_input; /* of the block, so far */
    struct walked_tx walked = {.offset = (uint32_t)(tx->start - worker->block),
                               .first_input = (uint32_t)inputs - tx->inputs};
    if (!PUSH(worker->slice->walked, walked) || (worker->round->options->verify && !PUSH(worker->txs, *tx)))
        return false;
    if (__builtin_expect(tracked == 0 && !(unknown && worker->round->options->nulldata_stored), 1))
        return true;
    struct created_tx created = {.record.index = index};
    return PUSH(worker->creating, *tx) && PUSH(worker->slice->created, created);
}

static const struct block_visitor walk_visitor = {.input = see_input, .output = see_output, .tx = see_tx};

/* All of a block at once: side by side their txids take half the time. */
static enum status record_created(struct worker *worker)
{
    struct slice *slice = worker->slice;
    struct hasher_message messages[256];
    size_t count = worker->creating.count;
    if (count == 0)
        return STATUS_OK;
    struct created_tx *created = slice->created.at + (slice->created.count - count);
    for (size_t done = 0, n = 0; done < count; done += n) {
        for (n = 0; n < sizeof messages / sizeof *messages && done + n < count; n++)
            messages[n] = tx_message(&worker->creating.at[done + n], &created[done + n].record.txid);
        hasher_messages(hasher_best(), messages, n);
    }
    for (size_t i = 0; i < count; i++) {
        const struct tx *tx = &worker->creating.at[i];
        created[i].blob = slice->blob.size;
        created[i].vouts = slice->vouts.count;
        if (!record_tx(worker, tx->start, (size_t)(tx->end - tx->start), true, &created[i].record))
            return STATUS_NOMEM;
        created[i].blob_size = slice->blob.size - created[i].blob;
    }
    return STATUS_OK;
}

static enum status walk_bytes(struct worker *worker, struct item *item, const uint8_t *bytes)
{
    const struct chain_block *block = item->block;
    struct hash256 hash;
    sha256d(bytes, BLOCK_HEADER_SIZE, &hash);
    if (!hash256_equal(&hash, &block->hash))
        return fault_set(&item->fault, STATUS_FORMAT, NULL, FAULT_NO_OFFSET,
                         "other bytes than when the header was read");
    worker->block = bytes;
    worker->first_input = worker->slice->inputs.count;
    worker->tracked = 0;
    worker->txs.count = worker->creating.count = 0;
    enum status status = block_walk(bytes, block->size, &item->record.counts, &walk_visitor, worker);
    if (status == STATUS_FORMAT)
        return fault_set(&item->fault, status, NULL, FAULT_NO_OFFSET, "the block's bytes are no whole transactions");
    if (status == STATUS_OK)
        status = record_created(worker);
    if (status == STATUS_OK && worker->round->options->verify) {
        enum block_flaw flaw = block_verify_txs(&worker->verifier, bytes, worker->txs.at, worker->txs.count);
        if (flaw != BLOCK_FINE)
            status = flaw == BLOCK_NOMEM
                         ? STATUS_NOMEM
                         : fault_set(&item->fault, STATUS_FORMAT, NULL, FAULT_NO_OFFSET, "%s", block_flaw_text(flaw));
    }
    return status;
}

static enum status read_block(struct worker *worker, struct item *item, uint64_t offset, size_t size,
                              const uint8_t **bytes)
{
    if (item->block->file == FILEMAP_GONE)
        return fault_set(&item->fault, STATUS_IO, NULL, FAULT_NO_OFFSET, "its blk file is gone (a pruned node?)");
    return blk_read(&worker->reader, worker->round->dir, item->block->file, item->block->offset + offset, size, bytes,
                    &item->fault);
}

static double now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void walk_item(struct worker *worker, struct slice *slice, struct item *item)
{
    const uint8_t *bytes = NULL;
    item->slice = slice;
    item->inputs = slice->inputs.count;
    item->walked = slice->walked.count;
    item->created = slice->created.count;
    double begin = now_ns();
    item->status = read_block(worker, item, 0, item->block->size, &bytes);
    item->read_ns = now_ns() - begin;
    if (item->status == STATUS_OK)
        item->status = walk_bytes(worker, item, bytes);
    item->inputs_count = slice->inputs.count - item->inputs;
    item->walked_count = slice->walked.count - item->walked;
    item->created_count = slice->created.count - item->created;
}

/* ---- 2. add ---- */

/* The block's created transactions; NULL if it has none. */
static const struct created_tx *created_of(const struct item *item)
{
    return item->created_count > 0 ? item->slice->created.at + item->created : NULL;
}

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
static enum status add_run(struct worker *worker, struct run *run)
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

static void look_up_item(struct worker *worker, struct item *item)
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

static enum status append_run(struct pipeline *round, const struct run *run)
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

/* ---- the operating system reads ahead ---- */

/* How many blocks from height `first` on are so many bytes, or so many as a run may have. */
static uint32_t blocks_in(const struct pipeline *round, uint32_t first, uint64_t limit)
{
    uint32_t count = 0, most = round->options->commit_blocks;
    if (most == 0 || most > RUN_BLOCKS_MAX)
        most = RUN_BLOCKS_MAX;
    for (uint64_t bytes = 0; count < most && bytes < limit && first + count < round->job->end; count++)
        bytes += chain_active(round->job->chain, first + count)->size;
    return count;
}

/* Asks for the blocks from height `from` on. */
static void read_ahead(struct pipeline *round, uint32_t from)
{
    uint32_t end = from + blocks_in(round, from, bytes_for(round->options, AHEAD_BYTES_PER_THREAD, AHEAD_BYTES_MIN));
    for (uint32_t height = from > round->asked ? from : round->asked; height < end; height++) {
        const struct chain_block *block = chain_active(round->job->chain, height);
        if (round->reads_ahead && block->file != FILEMAP_GONE)
            blk_read_ahead(&round->ahead, round->dir, block->file, block->offset, block->size);
        round->asked = height + 1;
    }
}

/* All reads together decide: a thread that lost its processor for a moment makes one of them slow, not the disk. */
static void note_slow_reads(struct pipeline *round, const struct run *run)
{
    double ns = 0, bytes = 0;
    for (size_t i = 0; i < run->count; i++) {
        ns += run->items[i].read_ns;
        bytes += run->items[i].block->size;
    }
    round->reads_ahead = bytes < ns * CACHED_READ_RATE;
}

/* ---- who does what when ---- */

static struct run *run_of(struct pipeline *round, size_t number) { return &round->runs[number % RUNS]; }

/* Parts the run's blocks into slices, which are empty as yet. */
static void make_slices(struct run *run)
{
    run->slices_count = 0;
    for (size_t item = 0; item < run->count; run->slices_count++) {
        struct slice *slice = &run->slices[run->slices_count];
        uint64_t bytes = 0;
        slice->first = item;
        for (; item < run->count && bytes < SLICE_BYTES && item - slice->first < SLICE_BLOCKS; item++)
            bytes += run->items[item].block->size;
        slice->end = item;
        slice->inputs.count = slice->walked.count = slice->created.count = slice->vouts.count = 0;
        slice->hashes.count = slice->spending.count = slice->spends.count = slice->blob.size = 0;
    }
    run->next = 0;
    run->left = run->slices_count;
}

static void begin_run(struct pipeline *round)
{
    struct run *run = run_of(round, round->begun++);
    uint64_t bytes = bytes_for(round->options, RUN_BYTES_PER_THREAD, RUN_BYTES_MIN);
    uint32_t first = round->next, count = blocks_in(round, first, bytes);
    run->count = count;
    round->next += count;
    for (uint32_t i = 0; i < count; i++) {
        const struct chain_block *block = chain_active(round->job->chain, first + i);
        run->items[i] = (struct item){.block = block,
                                      .record = {.height = first + i, .hash = block->hash, .time = block->time}};
    }
    make_slices(run);
}

/* Ends a walked run, and with it all, before its first damaged block. */
static void cut_run(struct pipeline *round, struct run *run)
{
    size_t sound = 0;
    while (sound < run->count && run->items[sound].status == STATUS_OK)
        sound++;
    if (sound == run->count)
        return;
    round->damaged = &run->items[sound];
    run->count = sound;
    while (run->slices_count > 0 && run->slices[run->slices_count - 1].first >= sound)
        run->slices_count--;
    if (run->slices_count > 0)
        run->slices[run->slices_count - 1].end = sound;
    round->begun = round->added + 1;
    round->ended = true;
}

/* Store and table are changed by one thread at a time, and the table not beside look-ups. */
static bool take_change(struct pipeline *round, struct task *task)
{
    if (round->changing)
        return false;
    struct run *looked = round->added > round->appended ? run_of(round, round->appended) : NULL;
    struct run *walked = round->begun > round->added ? run_of(round, round->added) : NULL;
    if (looked && looked->left > 0)
        return false;
    if (walked && walked->left > 0)
        walked = NULL;
    if (walked)
        cut_run(round, walked);
    *task = (struct task){.kind = TASK_CHANGE, .append = looked, .add = walked, .ahead = round->next};
    round->changing = looked || walked;
    return round->changing;
}

static bool take_slice(struct run *run, struct task *task)
{
    if (run->next >= run->slices_count) /* more: the run was cut */
        return false;
    task->run = run;
    task->slice = &run->slices[run->next++];
    return true;
}

/* While there is nothing to look up, blocks are walked ahead, as far as there are runs for them. */
static bool take_task(struct pipeline *round, struct task *task)
{
    if (take_change(round, task))
        return true;
    task->kind = TASK_LOOK;
    if (!round->changing && round->added > round->appended && take_slice(run_of(round, round->appended), task))
        return true;
    task->kind = TASK_WALK;
    if (round->begun > round->added && take_slice(run_of(round, round->begun - 1), task))
        return true;
    round->ended |= round->next == round->job->end || (round->options->stop && *round->options->stop);
    if (round->ended || round->begun - round->appended == RUNS)
        return false;
    begin_run(round);
    return take_slice(run_of(round, round->begun - 1), task);
}

static void end_task(struct pipeline *round, struct task *task)
{
    if (task->kind == TASK_CHANGE) {
        round->changing = false;
        round->status = task->status;
        round->appended += task->append != NULL;
        round->added += task->add != NULL;
        if (task->add) {
            task->add->next = 0;
            task->add->left = task->add->slices_count;
        }
    } else if (task->kind != TASK_NONE) {
        task->run->left--;
    }
    task->kind = TASK_NONE;
}

static enum parallel_turn next_task(void *context, unsigned number)
{
    struct pipeline *round = context;
    struct task *task = &round->workers[number].task;
    end_task(round, task);
    if (round->status == STATUS_OK && take_task(round, task))
        return PARALLEL_WORK;
    task->kind = TASK_NONE;
    return round->status != STATUS_OK || round->appended == round->begun ? PARALLEL_END : PARALLEL_WAIT;
}

static enum status change(struct worker *worker, const struct task *task)
{
    struct pipeline *round = worker->round;
    enum status status = task->append ? append_run(round, task->append) : STATUS_OK;
    if (status == STATUS_OK && task->add) {
        status = add_run(worker, task->add);
        note_slow_reads(round, task->add);
        read_ahead(round, task->ahead);
    }
    return status;
}

static void do_task(void *context, unsigned number)
{
    struct pipeline *round = context;
    struct worker *worker = &round->workers[number];
    struct task *task = &worker->task;
    if (task->kind == TASK_CHANGE) {
        task->status = change(worker, task);
        return;
    }
    worker->slice = task->slice;
    for (size_t i = task->slice->first; i < task->slice->end; i++)
        if (task->kind == TASK_WALK)
            walk_item(worker, task->slice, &task->run->items[i]);
        else
            look_up_item(worker, &task->run->items[i]);
}

/* The block that ended the run, as a fault for the user: which block, where, and why. */
static enum status name_damage(const struct pipeline *round, struct fault *fault)
{
    const struct item *item = round->damaged;
    char hex[HASH256_HEX_SIZE + 1] = "";
    hash256_hex(&item->block->hash, hex);
    hex[HASH256_HEX_SIZE] = 0;
    if (item->status == STATUS_NOMEM)
        return fault_nomem(fault);
    const char *path = item->block->file == FILEMAP_GONE ? NULL : round->dir->files[item->block->file].path;
    return fault_set(fault, STATUS_FORMAT, path, item->block->offset, "block %s of height %u: %s", hex,
                     item->record.height, item->fault.text);
}

enum status pipeline_run(struct pipeline *round, const struct pipeline_job *job, struct fault *fault)
{
    round->job = job;
    round->next = round->asked = job->first;
    round->ended = false;
    round->begun = round->added = round->appended = 0;
    round->damaged = NULL;
    read_ahead(round, job->first);
    parallel_turns(round->options->threads, next_task, do_task, round);
    if (round->status != STATUS_OK && fault)
        *fault = round->fault;
    if (round->status != STATUS_OK)
        return round->status;
    return round->damaged ? name_damage(round, fault) : STATUS_OK;
}
