#include "graph/scan/window.h"

#include <time.h>

#include "graph/scan/filemap.h"

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

void prevout_of(const struct hash256 *txid, uint32_t vout, uint8_t prevout[TX_PREVOUT_SIZE])
{
    memcpy(prevout, txid->bytes, HASH256_SIZE);
    store_le32(prevout + HASH256_SIZE, vout);
}

/* Fills in what the record says of the transaction that starts at `start`, and encodes its outputs. One that is
 * `created` has its txid, and it is noted which outputs are tracked, under their hashes. The bytes have been walked
 * before, so they are sound. */
bool record_tx(struct worker *worker, const uint8_t *start, size_t size, bool created, struct tx_record *record)
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

enum status read_block(struct worker *worker, struct item *item, uint64_t offset, size_t size, const uint8_t **bytes)
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

void walk_item(struct worker *worker, struct slice *slice, struct item *item)
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

const struct created_tx *created_of(const struct item *item)
{
    return item->created_count > 0 ? item->slice->created.at + item->created : NULL;
}
