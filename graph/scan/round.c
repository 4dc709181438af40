#include "graph/scan/round.h"

#include <time.h>

#include "graph/scan/filemap.h"
#include "parser/mem.h"
#include "parser/parallel.h"

#define ROUND_BYTES_PER_THREAD (16u << 20)
#define ROUND_BYTES_MIN (48u << 20)
#define ROUND_BLOCKS_MAX 4096u
#define COMMIT_BYTES (4u << 20)         /* of store to lose at most, and to write at once, beside the walk */
#define CANDIDATES_AHEAD 64u        /* inputs that passed the filter, likewise for their slots */
#define PROBES_AHEAD 48u            /* inputs: their filter words are asked for this much before they are needed */
#define CACHED_READ_RATE 1.0        /* bytes/ns: a run that is read slower than that waited for the disk */

/* A transaction that creates tracked outputs (or stored nulldata), as the walk leaves it in its worker's arrays. */
struct created_tx {
    struct tx_record record;
    size_t blob, blob_size;  /* its outputs blob */
    size_t vouts;            /* its tracked vouts and their hashes */
    uint32_t before;         /* tracked outputs of its block before it; set by add_items */
};

struct walked_tx {
    uint32_t offset;         /* of the transaction in its block */
    uint32_t first_input;    /* of the block's inputs; 0 is the coinbase's */
};

/* A transaction that spends tracked outputs, as the look-up leaves it. */
struct spending_tx {
    struct tx_record record;
    size_t blob, blob_size;
    size_t spends;           /* into the worker's spends; record.spends of them */
};

struct found_spend {
    struct spend_record spend;
    uint64_t hash;
};

#define ARRAY(type) struct { type *at; size_t count, capacity; }

/* What one thread collects in one run for its appending; positions are indices, since the arrays grow. */
struct made {
    ARRAY(struct created_tx) created;
    ARRAY(uint32_t) vouts;
    ARRAY(uint64_t) hashes;
    ARRAY(struct spending_tx) spending;
    ARRAY(struct found_spend) spends;
    struct buffer blob;
};

struct worker {
    struct round *round;
    struct made *made;       /* its part of the run under the walk */
    ARRAY(uint64_t) inputs;  /* hashes of the run's inputs */
    ARRAY(struct walked_tx) walked;
    struct blk_reader reader;
    struct store_reader *store_reader;
    struct block_verifier verifier;
    ARRAY(struct tx) txs;    /* of the block under the walk, for the verifier */
    const uint8_t *block;    /* under the walk */
    size_t first_input;      /* the block's, in inputs */
    uint32_t tracked;        /* tracked outputs of the transaction under the walk */
    double read_ns;          /* this run's reads took that long in all ... */
    uint64_t read_bytes;     /* ... for so much */
};

/* One block of a run. */
struct item {
    const struct chain_block *block;
    struct block_record record;
    enum status status;
    struct fault fault;
    unsigned walk_worker, look_worker;
    size_t inputs, inputs_count, walked, walked_count, created, created_count, spending, spending_count;
    uint64_t first_ordinal;
};

struct run {
    struct item *items;
    size_t count;            /* sound blocks, once they are added */
    struct made *made;       /* by worker */
};

struct round {
    const struct ingest_options *options;
    const struct blkdir *dir;
    struct store *store;
    struct outpoints *table;
    struct worker *workers;
    struct run runs[2];
    struct run *now, *before; /* under the walk; walked, looked up, and to be appended */
    struct blk_reader ahead;
    bool reads_ahead;         /* the blocks are not in the page cache, as far as the last run tells */
    ARRAY(struct spend_record) settled;
    enum status append_status;
    struct fault append_fault;
};

/* Appends; false without memory. The call is left to the one time in many that the array is full. */
#define PUSH(array, value)                                                                                       \
    (((array).count < (array).capacity ||                                                                        \
      mem_reserve(&(array).at, &(array).capacity, (array).count + 1, sizeof *(array).at) == STATUS_OK) &&        \
     ((array).at[(array).count++] = (value), true))

static enum status new_run(struct run *run, unsigned threads)
{
    run->items = mem_alloc(ROUND_BLOCKS_MAX, sizeof *run->items);
    run->made = mem_alloc(threads, sizeof *run->made);
    return run->items && run->made ? STATUS_OK : STATUS_NOMEM;
}

enum status round_new(const struct ingest_options *options, const struct blkdir *dir, struct store *store,
                      struct outpoints *table, struct round **out, struct fault *fault)
{
    struct round *round = mem_alloc(1, sizeof *round);
    *out = round;
    if (!round)
        return fault_nomem(fault);
    *round = (struct round){.options = options, .dir = dir, .store = store, .table = table, .reads_ahead = true};
    round->now = &round->runs[0];
    round->before = &round->runs[1];
    round->workers = mem_alloc(options->threads, sizeof *round->workers);
    if (!round->workers || new_run(round->now, options->threads) || new_run(round->before, options->threads))
        return fault_nomem(fault);
    enum status status = STATUS_OK;
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
    mem_free(worker->inputs.at);
    mem_free(worker->walked.at);
}

static void free_run(struct run *run, unsigned threads)
{
    for (unsigned i = 0; run->made && i < threads; i++) {
        struct made *made = &run->made[i];
        mem_free(made->created.at);
        mem_free(made->vouts.at);
        mem_free(made->hashes.at);
        mem_free(made->spending.at);
        mem_free(made->spends.at);
        buffer_free(&made->blob);
    }
    mem_free(run->made);
    mem_free(run->items);
}

void round_free(struct round *round)
{
    if (!round)
        return;
    for (unsigned i = 0; round->workers && i < round->options->threads; i++)
        free_worker(&round->workers[i]);
    free_run(&round->runs[0], round->options->threads);
    free_run(&round->runs[1], round->options->threads);
    blk_reader_free(&round->ahead);
    mem_free(round->workers);
    mem_free(round->settled.at);
    mem_free(round);
}

uint32_t round_size(const struct chain *chain, uint32_t first, uint32_t last, unsigned threads)
{
    uint64_t limit = (uint64_t)ROUND_BYTES_PER_THREAD * threads, bytes = 0;
    if (limit < ROUND_BYTES_MIN)
        limit = ROUND_BYTES_MIN;
    uint32_t count = 0;
    while (count < ROUND_BLOCKS_MAX && bytes < limit && first + count <= last)
        bytes += chain_active(chain, first + count++)->size;
    return count;
}

void round_read_ahead(struct round *round, const struct chain *chain, uint32_t first, uint32_t count)
{
    for (uint32_t i = 0; i < count && round->reads_ahead; i++) {
        const struct chain_block *block = chain_active(chain, first + i);
        if (block->file != FILEMAP_GONE)
            blk_read_ahead(&round->ahead, round->dir, block->file, block->offset, block->size);
    }
}

/* ---- 1. walk ---- */

static bool see_input(void *context, const struct tx_input *in, uint32_t vin)
{
    struct worker *worker = context;
    (void)vin;
    uint64_t hash = outpoints_hash(worker->round->table, in->prevout);
    return PUSH(worker->inputs, hash);
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

/* Fills in what the record says of the transaction that starts at `start`, and encodes its outputs; with `vouts`, notes
 * which of them are tracked, under their hashes. The bytes have been walked before, so they are sound. */
static bool record_tx(struct worker *worker, const uint8_t *start, size_t size, bool vouts, struct tx_record *record)
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
    tx_id(&tx, &record->txid);
    record->inputs = tx.inputs;
    record->outputs = tx.outputs;
    c = cursor_over(outputs, (size_t)(tx.body_end - outputs));
    for (uint32_t vout = 0; vout < tx.outputs; vout++) {
        struct output_record output;
        read_output(&c, &output);
        if (record_add_output(&worker->made->blob, &output) != STATUS_OK)
            return false;
        if (!output_is_tracked(output.unknown, output.kind))
            continue;
        record->tracked++;
        prevout_of(&record->txid, vout, prevout);
        if (vouts && (!PUSH(worker->made->vouts, vout) ||
                      !PUSH(worker->made->hashes, outpoints_hash(worker->round->table, prevout))))
            return false;
    }
    return true;
}

static bool see_tx(void *context, const struct tx *tx, uint32_t index, unsigned unknown)
{
    struct worker *worker = context;
    uint32_t tracked = worker->tracked;
    worker->tracked = 0;
    struct walked_tx walked = {.offset = (uint32_t)(tx->start - worker->block),
                               .first_input = (uint32_t)(worker->inputs.count - worker->first_input) - tx->inputs};
    if (!PUSH(worker->walked, walked) || (worker->round->options->verify && !PUSH(worker->txs, *tx)))
        return false;
    if (__builtin_expect(tracked == 0 && !(unknown && worker->round->options->nulldata_stored), 1))
        return true;
    struct created_tx created = {
        .record.index = index, .blob = worker->made->blob.size, .vouts = worker->made->vouts.count};
    if (!record_tx(worker, tx->start, (size_t)(tx->end - tx->start), true, &created.record))
        return false;
    created.blob_size = worker->made->blob.size - created.blob;
    return PUSH(worker->made->created, created);
}

static const struct block_visitor walk_visitor = {.input = see_input, .output = see_output, .tx = see_tx};

static enum status walk_bytes(struct worker *worker, struct item *item, const uint8_t *bytes)
{
    const struct chain_block *block = item->block;
    struct hash256 hash;
    sha256d(bytes, BLOCK_HEADER_SIZE, &hash);
    if (!hash256_equal(&hash, &block->hash))
        return fault_set(&item->fault, STATUS_FORMAT, NULL, FAULT_NO_OFFSET,
                         "other bytes than when the header was read");
    worker->block = bytes;
    worker->first_input = worker->inputs.count;
    worker->tracked = 0;
    worker->txs.count = 0;
    enum status status = block_walk(bytes, block->size, &item->record.counts, &walk_visitor, worker);
    if (status == STATUS_FORMAT)
        return fault_set(&item->fault, status, NULL, FAULT_NO_OFFSET, "the block's bytes are no whole transactions");
    if (status == STATUS_OK && worker->round->options->verify) {
        enum block_flaw flaw = block_verify_txs(&worker->verifier, bytes, worker->txs.at, worker->txs.count);
        if (flaw != BLOCK_FINE)
            status = flaw == BLOCK_NOMEM ? STATUS_NOMEM
                                         : fault_set(&item->fault, STATUS_FORMAT, NULL, FAULT_NO_OFFSET, "%s",
                                                     block_flaw_text(flaw));
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

static void walk_item(void *context, unsigned worker_number, size_t number)
{
    struct round *round = context;
    struct worker *worker = &round->workers[worker_number];
    struct item *item = &round->now->items[number];
    const struct chain_block *block = item->block;
    const uint8_t *bytes = NULL;
    item->walk_worker = worker_number;
    item->inputs = worker->inputs.count;
    item->walked = worker->walked.count;
    item->created = worker->made->created.count;
    double begin = now_ns();
    item->status = read_block(worker, item, 0, block->size, &bytes);
    worker->read_ns += now_ns() - begin;
    worker->read_bytes += block->size;
    if (item->status == STATUS_OK)
        item->status = walk_bytes(worker, item, bytes);
    item->inputs_count = worker->inputs.count - item->inputs;
    item->walked_count = worker->walked.count - item->walked;
    item->created_count = worker->made->created.count - item->created;
}

/* ---- 2. add ---- */

/* The block's created transactions; NULL if it has none. */
static const struct created_tx *created_of(const struct run *run, const struct item *item)
{
    return item->created_count > 0 ? run->made[item->walk_worker].created.at + item->created : NULL;
}

/* The outpoint of an output that this run created and that is not in the store yet. */
static enum status created_outpoint(const struct round *round, uint64_t ordinal, struct hash256 *txid, uint32_t *vout)
{
    size_t low = 0, high = round->now->count;
    while (high - low > 1) { /* the last item that begins at or before the ordinal */
        size_t middle = low + (high - low) / 2;
        if (round->now->items[middle].first_ordinal <= ordinal)
            low = middle;
        else
            high = middle;
    }
    const struct item *item = &round->now->items[low];
    const struct made *made = &round->now->made[item->walk_worker];
    const struct created_tx *created = created_of(round->now, item);
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
    *vout = made->vouts.at[created[low].vouts + (left - created[low].before)];
    return STATUS_OK;
}

static enum status resolve(void *context, uint64_t ordinal, struct hash256 *txid, uint32_t *vout)
{
    struct worker *worker = context;
    const struct round *round = worker->round;
    if (ordinal >= store_totals_of(round->store).tracked)
        return created_outpoint(round, ordinal, txid, vout);
    return store_outpoint(worker->store_reader, ordinal, txid, vout, NULL);
}

static enum status add_created(struct round *round, const struct made *made, const struct created_tx *created,
                               uint64_t *ordinal, struct fault *fault)
{
    uint8_t prevout[TX_PREVOUT_SIZE];
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < created->record.tracked && status == STATUS_OK; i++) {
        size_t at = created->vouts + i;
        if (at + PROBES_AHEAD < made->hashes.count)
            outpoints_prefetch_add(round->table, made->hashes.at[at + PROBES_AHEAD]);
        prevout_of(&created->record.txid, made->vouts.at[at], prevout);
        status = outpoints_add(round->table, prevout, made->hashes.at[at], (*ordinal)++, resolve,
                               &round->workers[0], fault);
    }
    return status;
}

/* Gives every tracked output of the sound blocks its ordinal; cuts the run before the first damaged block. */
static enum status add_items(struct round *round, struct fault *fault)
{
    uint64_t ordinal = store_totals_of(round->store).tracked;
    size_t items = round->now->count;
    for (size_t i = 0; i < items; i++) { /* first all, because resolve() searches them */
        struct item *item = &round->now->items[i];
        if (item->status != STATUS_OK)
            items = i;
        item->first_ordinal = ordinal;
        for (size_t t = 0; t < item->created_count; t++) {
            struct created_tx *created = &round->now->made[item->walk_worker].created.at[item->created + t];
            created->before = (uint32_t)(ordinal - item->first_ordinal);
            ordinal += created->record.tracked;
        }
    }
    round->now->count = items;
    ordinal = store_totals_of(round->store).tracked;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < items && status == STATUS_OK; i++) {
        const struct item *item = &round->now->items[i];
        const struct made *made = &round->now->made[item->walk_worker];
        for (size_t t = 0; t < item->created_count && status == STATUS_OK; t++)
            status = add_created(round, made, &made->created.at[item->created + t], &ordinal, fault);
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
        if (!PUSH(worker->made->spends, found))
            return STATUS_NOMEM;
        spending->record.spends++;
    }
    return status;
}

/* The first of the block's created transactions at or behind `index`; created_count if there is none. */
static size_t created_from(const struct round *round, const struct item *item, uint32_t index)
{
    const struct created_tx *created = created_of(round->now, item);
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
static uint64_t limit_of_tx(const struct round *round, const struct item *item, size_t from)
{
    const struct created_tx *created = created_of(round->now, item);
    if (from < item->created_count)
        return item->first_ordinal + created[from].before;
    return from == 0 ? item->first_ordinal
                     : item->first_ordinal + created[from - 1].before + created[from - 1].record.tracked;
}

static enum status look_up_tx(struct worker *worker, struct item *item, uint32_t index)
{
    const struct round *round = worker->round;
    const struct worker *walker = &round->workers[item->walk_worker];
    const struct walked_tx *walked = &walker->walked.at[item->walked + index];
    size_t end = index + 1 < item->walked_count ? walked[1].offset : item->block->size;
    const uint8_t *bytes = NULL;
    enum status status = read_block(worker, item, walked->offset, end - walked->offset, &bytes);
    if (status != STATUS_OK)
        return status;
    size_t from = created_from(round, item, index);
    struct spending_tx spending = {
        .record.index = index, .blob = worker->made->blob.size, .spends = worker->made->spends.count};
    size_t inputs_end = index + 1 < item->walked_count ? walked[1].first_input : item->inputs_count;
    status = look_at_tx(worker, bytes, end - walked->offset, walker->inputs.at + item->inputs + walked->first_input,
                        inputs_end - walked->first_input, limit_of_tx(round, item, from), &spending);
    if (status != STATUS_OK || spending.record.spends == 0)
        return status;
    /* The walk has recorded it already if it creates something tracked. */
    bool created = from < item->created_count &&
                   round->now->made[item->walk_worker].created.at[item->created + from].record.index == index;
    if (!created) {
        if (!record_tx(worker, bytes, end - walked->offset, false, &spending.record))
            return STATUS_NOMEM;
        spending.blob_size = worker->made->blob.size - spending.blob;
        if (spending.record.tracked > 0)
            return STATUS_FORMAT;
    }
    return PUSH(worker->made->spending, spending) ? STATUS_OK : STATUS_NOMEM;
}

/* The transaction that has the block's input `input`, from `index` on. */
static uint32_t tx_of_input(const struct worker *walker, const struct item *item, uint32_t index, size_t input)
{
    const struct walked_tx *walked = walker->walked.at + item->walked;
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
    const struct worker *walker = &worker->round->workers[item->walk_worker];
    const struct walked_tx *walked = walker->walked.at + item->walked;
    const uint64_t *hashes = walker->inputs.at + item->inputs;
    for (size_t i = 0; i < waiting->count; i++)
        outpoints_prefetch_slot(worker->round->table, hashes[waiting->inputs[i]]);
    for (size_t i = 0; i < waiting->count && item->status == STATUS_OK; i++) {
        size_t input = waiting->inputs[i];
        if (input < waiting->next || !outpoints_candidate(worker->round->table, hashes[input]))
            continue;
        waiting->index = tx_of_input(walker, item, waiting->index, input);
        item->status = look_up_tx(worker, item, waiting->index);
        bool last = waiting->index + 1 >= item->walked_count;
        waiting->next = last ? item->inputs_count : walked[waiting->index + 1].first_input;
    }
    waiting->count = 0;
}

static void look_up_item(void *context, unsigned worker_number, size_t number)
{
    struct round *round = context;
    struct worker *worker = &round->workers[worker_number];
    struct item *item = &round->now->items[number];
    const uint64_t *hashes = round->workers[item->walk_worker].inputs.at + item->inputs;
    struct waiting waiting = {.count = 0};
    item->look_worker = worker_number;
    item->spending = worker->made->spending.count;
    for (size_t input = 0; input < item->inputs_count; input++) {
        if (input + PROBES_AHEAD < item->inputs_count)
            outpoints_prefetch(round->table, hashes[input + PROBES_AHEAD]);
        if (__builtin_expect(!outpoints_probe(round->table, hashes[input]), 1))
            continue;
        waiting.inputs[waiting.count++] = input;
        if (waiting.count == CANDIDATES_AHEAD)
            look_at_waiting(worker, item, &waiting);
    }
    look_at_waiting(worker, item, &waiting);
    item->spending_count = worker->made->spending.count - item->spending;
}

/* ---- 4. append ---- */

/* Settles in chain order: of two inputs that spend one output, which no valid chain has, the first one does. */
static enum status settle(struct round *round, const struct made *looked, const struct spending_tx *spending)
{
    round->settled.count = 0;
    for (uint32_t i = 0; spending && i < spending->record.spends; i++) {
        const struct found_spend *found = &looked->spends.at[spending->spends + i];
        if (outpoints_remove(round->table, found->hash, found->spend.ordinal) && !PUSH(round->settled, found->spend))
            return STATUS_NOMEM;
    }
    return STATUS_OK;
}

static enum status append_tx(struct round *round, const struct item *item, const struct created_tx *created,
                             const struct spending_tx *spending, struct fault *fault)
{
    const struct made *walked = &round->before->made[item->walk_worker],
                      *looked = &round->before->made[item->look_worker];
    enum status status = settle(round, looked, spending);
    if (status != STATUS_OK)
        return fault_nomem(fault);
    if (!created && round->settled.count == 0)
        return STATUS_OK;
    struct tx_record record = created ? created->record : spending->record;
    record.spends = (uint32_t)round->settled.count;
    const uint8_t *blob = created ? walked->blob.bytes : looked->blob.bytes;
    size_t blob_size = created ? created->blob_size : spending->blob_size;
    if (blob_size > 0)
        blob += created ? created->blob : spending->blob;
    const uint32_t *vouts = created && record.tracked > 0 ? walked->vouts.at + created->vouts : NULL;
    return store_add_tx(round->store, &record, blob, blob_size, vouts, round->settled.at, fault);
}

static enum status append_item(struct round *round, struct item *item, struct fault *fault)
{
    const struct made *looked = &round->before->made[item->look_worker];
    const struct created_tx *created = created_of(round->before, item);
    const struct spending_tx *spending = item->spending_count ? looked->spending.at + item->spending : NULL;
    size_t c = 0, s = 0;
    enum status status = store_begin_block(round->store, &item->record, fault);
    while (status == STATUS_OK && (c < item->created_count || s < item->spending_count)) {
        bool has_created = c < item->created_count &&
                           (s == item->spending_count || created[c].record.index <= spending[s].record.index);
        bool has_spending = s < item->spending_count &&
                            (c == item->created_count || spending[s].record.index <= created[c].record.index);
        status = append_tx(round, item, has_created ? &created[c] : NULL, has_spending ? &spending[s] : NULL, fault);
        c += has_created;
        s += has_spending;
    }
    return status == STATUS_OK ? store_end_block(round->store, fault) : status;
}

/* The store's values may lie elsewhere then: the table reads some of them. */
static enum status commit(struct round *round, struct fault *fault)
{
    enum status status = store_commit(round->store, fault);
    if (status == STATUS_OK && outpoints_moved(round->table) != STATUS_OK)
        status = fault_set(fault, STATUS_FORMAT, store_path(round->store), FAULT_NO_OFFSET,
                           "the saved table of outpoints cannot be read any more");
    return status;
}

/* Appends the run before; touches nothing that a walk does. */
static void append_before(struct round *round)
{
    struct fault *fault = &round->append_fault;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < round->before->count && status == STATUS_OK; i++)
        status = append_item(round, &round->before->items[i], fault);
    round->before->count = 0;
    outpoints_end_round(round->table);
    if (status == STATUS_OK && (store_pending(round->store) >= COMMIT_BYTES || round->options->commit_blocks))
        status = commit(round, fault);
    round->append_status = status;
}

static enum status append_result(const struct round *round, struct fault *fault)
{
    if (round->append_status != STATUS_OK && fault)
        *fault = round->append_fault;
    return round->append_status;
}

/* ---- the run ---- */

static void begin(struct round *round, const struct chain *chain, uint32_t first, uint32_t count)
{
    round->now->count = count;
    for (unsigned i = 0; i < round->options->threads; i++) {
        struct worker *worker = &round->workers[i];
        struct made *made = &round->now->made[i];
        worker->made = made;
        worker->inputs.count = worker->walked.count = made->created.count = made->vouts.count = 0;
        made->hashes.count = made->spending.count = made->spends.count = made->blob.size = 0;
        worker->read_ns = 0;
        worker->read_bytes = 0;
    }
    for (uint32_t i = 0; i < count; i++) {
        const struct chain_block *block = chain_active(chain, first + i);
        round->now->items[i] = (struct item){
            .block = block, .record = {.height = first + i, .hash = block->hash, .time = block->time}};
    }
}

/* The first item is the appending of the run before: the one part that is not divided goes beside the walk. */
static void walk_or_append(void *context, unsigned worker, size_t number)
{
    if (number == 0)
        append_before(context);
    else
        walk_item(context, worker, number - 1);
}

/* All reads together decide: a thread that lost its processor for a moment makes one of them slow, not the disk. */
static void note_slow_reads(struct round *round)
{
    double ns = 0, bytes = 0;
    for (unsigned i = 0; i < round->options->threads; i++) {
        ns += round->workers[i].read_ns;
        bytes += (double)round->workers[i].read_bytes;
    }
    round->reads_ahead = bytes < ns * CACHED_READ_RATE;
}

/* The block that ended the run, as a fault for the user: which block, where, and why. */
static enum status name_damage(const struct round *round, const struct item *item, struct fault *fault)
{
    char hex[HASH256_HEX_SIZE + 1] = "";
    hash256_hex(&item->block->hash, hex);
    hex[HASH256_HEX_SIZE] = 0;
    if (item->status == STATUS_NOMEM)
        return fault_nomem(fault);
    const char *path = item->block->file == FILEMAP_GONE ? NULL : round->dir->files[item->block->file].path;
    return fault_set(fault, STATUS_FORMAT, path, item->block->offset, "block %s of height %u: %s", hex,
                     item->record.height, item->fault.text);
}

enum status round_run(struct round *round, const struct chain *chain, uint32_t first, uint32_t count, uint32_t *done,
                      struct fault *fault)
{
    *done = 0;
    begin(round, chain, first, count);
    parallel_for(round->options->threads, (size_t)count + 1, walk_or_append, round);
    note_slow_reads(round);
    enum status status = append_result(round, fault);
    if (status == STATUS_OK)
        status = add_items(round, fault);
    if (status != STATUS_OK)
        return status;
    struct run *run = round->now;
    parallel_for(round->options->threads, run->count, look_up_item, round);
    for (size_t i = 0; i < run->count && status == STATUS_OK; i++)
        status = run->items[i].status;
    if (status != STATUS_OK) /* no damage of the chain: what could be read a moment ago cannot be read any more */
        return status == STATUS_NOMEM
                   ? fault_nomem(fault)
                   : fault_set(fault, STATUS_IO, round->dir->path, FAULT_NO_OFFSET,
                               "a block could be read once and not again; run the command once more");
    *done = (uint32_t)run->count;
    round->now = round->before;
    round->before = run;
    return *done < count ? name_damage(round, &run->items[*done], fault) : STATUS_OK;
}

enum status round_flush(struct round *round, struct fault *fault)
{
    append_before(round);
    return append_result(round, fault);
}
