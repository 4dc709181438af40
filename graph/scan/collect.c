#include "graph/scan/window.h"

#include <time.h>

#include "graph/scan/filemap.h"

static bool on_input(void *context, const struct tx_input *in, uint32_t vin)
{
    struct worker *worker = context;
    (void)vin;
    uint64_t hash = outpoints_hash(worker->pipeline->table, in->prevout);
    if (worker->pipeline->known && !PUSH(worker->window->prevs, txid_set_number(in->prevout)))
        return false;
    return PUSH(worker->window->inputs, hash);
}

static bool on_output(void *context, const struct tx_output *out, uint32_t vout, enum kind kind, unsigned unknown)
{
    struct worker *worker = context;
    (void)out;
    (void)vout;
    unknown = marks_unknown(worker->pipeline->options->marks, worker->height, worker->outputs++, unknown);
    worker->tracked += output_is_tracked(unknown, kind);
    return true;
}

static void read_output(struct cursor *c, const struct output_marks *marks, uint32_t height, uint32_t number,
                        struct output_record *output)
{
    struct tx_output out;
    tx_output(c, &out);
    *output = (struct output_record){.value_sat = out.value_sat, .kind = script_kind(out.script, out.script_size)};
    output->unknown = marks_unknown(marks, height, number,
                                    script_unknown_rules(output->kind, out.script, out.script_size));
    if (output->unknown) {
        output->script = out.script;
        output->script_size = out.script_size;
    }
}

/* Reads inputs and outputs over, and notes what the record says of them; the first output. NULL: no transaction. */
static const uint8_t *read_over(const uint8_t *start, size_t size, struct tx *whole, struct tx_record *record)
{
    struct cursor c = cursor_over(start, size);
    struct tx tx;
    struct tx_input in;
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
    record->inputs = tx.inputs;
    record->outputs = tx.outputs;
    *whole = tx;
    return cursor_ok(&c) ? outputs : NULL;
}

/* The protocol that the transaction shows of its outputs, which come in order. Few transactions have one that could
 * have a protocol; only these are looked at. */
struct protocols {
    struct protocol_tx found;
    bool begun;
};

static enum protocol protocol_of(struct protocols *protocols, const struct tx *tx, const struct output_record *output)
{
    struct multisig keys;
    if (!output_has_protocol(output->kind) || !multisig_read(output->script, output->script_size, &keys))
        return PROTOCOL_NONE;
    if (!protocols->begun)
        protocol_tx_begin(&protocols->found, tx->start, (size_t)(tx->end - tx->start));
    protocols->begun = true;
    return protocol_tx_next(&protocols->found, output->script, output->script_size);
}

bool collect_record(struct worker *worker, const uint8_t *start, size_t size, uint32_t height, uint32_t first_output,
                    bool created, struct tx_record *record)
{
    struct tx tx;
    uint8_t prevout[TX_PREVOUT_SIZE];
    struct protocols protocols;
    protocols.begun = false;
    const uint8_t *outputs = read_over(start, size, &tx, record);
    if (!outputs)
        return false;
    if (!created)
        tx_id(&tx, &record->txid);
    struct cursor c = cursor_over(outputs, (size_t)(tx.body_end - outputs));
    for (uint32_t vout = 0; vout < tx.outputs; vout++) {
        struct output_record output;
        read_output(&c, worker->pipeline->options->marks, height, first_output + vout, &output);
        output.protocol = protocol_of(&protocols, &tx, &output);
        if (record_add_output(&worker->window->blob, &output) != STATUS_OK)
            return false;
        if (!output_is_tracked(output.unknown, output.kind))
            continue;
        record->tracked++;
        outpoints_prevout(&record->txid, vout, prevout);
        if (created && (!PUSH(worker->window->vouts, vout) ||
                        !PUSH(worker->window->hashes, outpoints_hash(worker->pipeline->table, prevout))))
            return false;
    }
    return true;
}

static bool on_tx(void *context, const struct tx *tx, uint32_t index, unsigned unknown)
{
    struct worker *worker = context;
    uint32_t tracked = worker->tracked;
    worker->tracked = 0;
    size_t inputs = worker->window->inputs.count - worker->first_input; /* of the block, so far */
    struct walked_tx walked = {.offset = (uint32_t)(tx->start - worker->block),
                               .first_input = (uint32_t)inputs - tx->inputs,
                               .first_output = worker->outputs - tx->outputs,
                               .unknown = (uint8_t)unknown};
    bool kept = worker->pipeline->options->verify || worker->pipeline->known;
    if (!PUSH(worker->window->walked, walked) || (kept && !PUSH(worker->txs, *tx)))
        return false;
    if (__builtin_expect(tracked == 0 && !(unknown && worker->pipeline->options->nulldata_stored), 1))
        return true;
    struct created_tx created = {.record.index = index, .first_output = walked.first_output};
    return PUSH(worker->creating, *tx) && PUSH(worker->window->created, created);
}

static const struct block_visitor walk_visitor = {.input = on_input, .output = on_output, .tx = on_tx};

/* All of a block at once: side by side their txids take half the time. */
static enum status record_created(struct worker *worker)
{
    struct window *window = worker->window;
    struct hasher_message messages[256];
    size_t count = worker->creating.count;
    if (count == 0)
        return STATUS_OK;
    struct created_tx *created = window->created.at + (window->created.count - count);
    for (size_t done = 0, n = 0; done < count; done += n) {
        for (n = 0; n < sizeof messages / sizeof *messages && done + n < count; n++)
            messages[n] = tx_message(&worker->creating.at[done + n], &created[done + n].record.txid);
        hasher_messages(hasher_best(), messages, n);
    }
    for (size_t i = 0; i < count; i++) {
        const struct tx *tx = &worker->creating.at[i];
        created[i].blob = window->blob.size;
        created[i].vouts = window->vouts.count;
        if (!collect_record(worker, tx->start, (size_t)(tx->end - tx->start), worker->height, created[i].first_output,
                            true, &created[i].record))
            return STATUS_NOMEM;
        created[i].blob_size = window->blob.size - created[i].blob;
    }
    return STATUS_OK;
}

/* The txids of all of a block's transactions, for the set of what is known and for the store. */
static enum status record_txids(struct worker *worker)
{
    struct window *window = worker->window;
    struct hasher_message messages[256];
    struct hash256 txids[256];
    for (size_t done = 0, n = 0; done < worker->txs.count; done += n) {
        for (n = 0; n < sizeof messages / sizeof *messages && done + n < worker->txs.count; n++)
            messages[n] = tx_message(&worker->txs.at[done + n], &txids[n]);
        hasher_messages(hasher_best(), messages, n);
        for (size_t i = 0; i < n; i++) {
            struct txid_lead lead;
            memcpy(lead.bytes, txids[i].bytes, sizeof lead.bytes);
            if (!PUSH(window->txids, lead))
                return STATUS_NOMEM;
        }
    }
    return STATUS_OK;
}

static enum status walk_bytes(struct worker *worker, struct slot *slot, const uint8_t *bytes)
{
    const struct chain_block *block = slot->block;
    struct hash256 hash;
    sha256d(bytes, BLOCK_HEADER_SIZE, &hash);
    if (!hash256_equal(&hash, &block->hash))
        return fault_set(&worker->window->fault, STATUS_FORMAT, NULL, FAULT_NO_OFFSET,
                         "other bytes than when the header was read");
    worker->block = bytes;
    worker->first_input = worker->window->inputs.count;
    worker->tracked = 0;
    worker->height = slot->record.height;
    worker->outputs = 0;
    worker->txs.count = worker->creating.count = 0;
    enum status status = block_walk(bytes, block->size, &slot->record.counts, &walk_visitor, worker);
    if (status == STATUS_FORMAT)
        return fault_set(&worker->window->fault, status, NULL, FAULT_NO_OFFSET,
                         "the block's bytes are no whole transactions");
    if (status == STATUS_OK)
        status = record_created(worker);
    if (status == STATUS_OK && worker->pipeline->known)
        status = record_txids(worker);
    if (status == STATUS_OK && worker->pipeline->options->verify) {
        enum block_flaw flaw = block_verify_txs(&worker->verifier, bytes, &slot->record.counts, worker->txs.at);
        if (flaw != BLOCK_FINE)
            status = flaw == BLOCK_NOMEM ? STATUS_NOMEM
                                         : fault_set(&worker->window->fault, STATUS_FORMAT, NULL, FAULT_NO_OFFSET, "%s",
                                                     block_flaw_text(flaw));
    }
    return status;
}

static enum status slot_read(struct worker *worker, struct blk_reader *reader, struct slot *slot, uint64_t offset,
                             size_t size, const uint8_t **bytes)
{
    if (slot->block->file == FILEMAP_GONE)
        return fault_set(&worker->window->fault, STATUS_IO, NULL, FAULT_NO_OFFSET,
                         "its blk file is gone (a pruned node?)");
    const struct block_cache *cache = worker->pipeline->job->cache;
    const uint8_t *cached = cache ? block_cache_find(cache, slot->block) : NULL;
    if (cached) {
        *bytes = cached + offset;
        return STATUS_OK;
    }
    return blk_read(reader, worker->pipeline->dir, slot->block->file, slot->block->offset + offset, size, bytes,
                    &worker->window->fault);
}

enum status slot_read_again(struct worker *worker, struct slot *slot, uint64_t offset, size_t size,
                            const uint8_t **bytes)
{
    if (worker->held != slot->block)
        return slot_read(worker, &worker->again, slot, offset, size, bytes);
    *bytes = worker->held_bytes + offset;
    return STATUS_OK;
}

static double now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

enum status collect_slot(struct worker *worker, struct slot *slot)
{
    struct window *window = worker->window;
    const uint8_t *bytes = NULL;
    slot->window = window;
    slot->inputs = window->inputs.count;
    slot->walked = window->walked.count;
    slot->txids = window->txids.count;
    slot->created = window->created.count;
    double begin = now_ns();
    enum status status = slot_read(worker, &worker->reader, slot, 0, slot->block->size, &bytes);
    window->read_ns += now_ns() - begin;
    window->read_bytes += slot->block->size;
    worker->held = status == STATUS_OK ? slot->block : NULL;
    worker->held_bytes = bytes;
    if (status == STATUS_OK)
        status = walk_bytes(worker, slot, bytes);
    slot->inputs_count = window->inputs.count - slot->inputs;
    slot->walked_count = window->walked.count - slot->walked;
    slot->created_count = window->created.count - slot->created;
    return status;
}

const struct created_tx *slot_created(const struct slot *slot)
{
    return slot->created_count > 0 ? slot->window->created.at + slot->created : NULL;
}
