#include "graph/index/walk_window.h"

#include <stdio.h>

#include "graph/index/walked.h"
#include "graph/scan/filemap.h"
#include "parser/file.h"

#define WINDOW_BYTES (8u << 20) /* of blocks, about */
#define TX_BYTES_MIN 60u        /* one input, one output, empty scripts */
#define AHEAD 8u                /* so far ahead memory is asked for */
_Static_assert((WINDOW_BYTES + BLOCK_SIZE_MAX) / TX_BYTES_MIN < NEAR_TXS_MAX, "the transactions of a window fit");

/* ---- one block ---- */

static bool on_input(void *context, const struct tx_input *in, uint32_t vin)
{
    struct walker *walker = context;
    (void)vin;
    struct block_input input = {index_hash(&walker->work->hasher, in->prevout), in->prevout};
    return PUSH(walker->inputs, input);
}

static bool make_room(struct bytes *bytes, size_t more)
{
    return bytes->capacity - bytes->count >= more ||
           mem_reserve(&bytes->at, &bytes->capacity, bytes->count + more, 1) == STATUS_OK;
}

static bool on_output(void *context, const struct tx_output *out, uint32_t vout, enum kind kind, unsigned unknown)
{
    struct walker *walker = context;
    struct bytes *outs = &walker->window->streams[WORK_OUTS];
    (void)vout;
    (void)unknown;
    if (!make_room(outs, VARINT_SIZE_MAX))
        return false;
    uint8_t *p = outs->at + outs->count;
    outs->count += (size_t)(walked_value_write(out->value_sat, kind, p) - p);
    walker->block_sums[WORK_OUTS] += value_kind_of(out->value_sat, kind);
    return true;
}

static bool on_tx(void *context, const struct tx *tx, uint32_t index, unsigned unknown)
{
    struct walker *walker = context;
    (void)unknown;
    struct hasher_message message = {.first = tx->start,
                                     .body = tx->body,
                                     .body_size = (size_t)(tx->body_end - tx->body),
                                     .last = tx->end - HASHER_END,
                                     .out = &walker->txids[index]};
    struct tx_head head = {.flags = (tx->segwit ? TX_SEGWIT : 0u) | (index == 0 ? TX_FIRST : 0u),
                           .offset = (uint32_t)(tx->start - walker->block),
                           .inputs = tx->inputs,
                           .outputs = tx->outputs,
                           .size = (uint64_t)(tx->end - tx->start)};
    if (tx->segwit) /* marker, flag and witnesses: all but version, body and lock time */
        head.witness = head.size - 8 - (uint64_t)(tx->body_end - tx->body);
    struct block_input *last = &walker->inputs.at[walker->inputs.count - 1];
    struct tx_input first = {.prevout = last->prevout};
    if (tx->inputs == 1 && tx_is_coinbase(tx, &first)) {
        head.flags |= TX_COINBASE;
        last->prevout = NULL;
    }
    return PUSH(walker->messages, message) && PUSH(walker->heads, head);
}

static const struct block_visitor visitor = {.input = on_input, .output = on_output, .tx = on_tx};

static void hash_txids(struct walker *walker)
{
    enum hasher_kernel kernel = hasher_best();
    for (size_t i = 0; i < walker->messages.count; i += HASHER_BATCH) {
        size_t left = walker->messages.count - i;
        hasher_messages(kernel, walker->messages.at + i, left < HASHER_BATCH ? left : HASHER_BATCH);
    }
}

/* What the window's table of transactions has of a hash: not the bits that choose a part. */
static uint32_t near_hash(uint64_t hash) { return (uint32_t)hash; }

static void find_hashes(const struct walker *walker, struct walked_tx *txs)
{
    const struct index_hasher *hasher = &walker->work->hasher;
    for (size_t i = 0; i < walker->heads.count; i++) {
        const uint8_t *txid = walker->txids[i].bytes;
        txs[i] = (struct walked_tx){index_hash(hasher, txid), index_check_of(hasher, txid),
                                    (uint32_t)walker->heads.at[i].outputs};
    }
}

/* Encodes the block's transactions. */
static enum status add_txs(struct walker *walker)
{
    struct window *window = walker->window;
    size_t count = walker->heads.count;
    struct bytes *records = &window->streams[WORK_TXS];
    if (!make_room(records, count * WALKED_TX_MAX) ||
        mem_reserve(&window->txs.at, &window->txs.capacity, window->txs.count + count, sizeof *window->txs.at) !=
            STATUS_OK)
        return STATUS_NOMEM;
    struct walked_tx *txs = &window->txs.at[window->txs.count];
    find_hashes(walker, txs);
    uint8_t *p = records->at + records->count;
    for (size_t i = 0; i < count; i++) {
        walker->block_sums[WORK_TXS] += walked_tx_sum(&walker->heads.at[i], walker->txids[i].bytes);
        near_prefetch(&walker->near, near_hash(txs[i + AHEAD < count ? i + AHEAD : i].hash));
        p = walked_head_write(&walker->heads.at[i], p);
        memcpy(p, walker->txids[i].bytes, HASH256_SIZE);
        near_add(&walker->near, near_hash(txs[i].hash), txs[i].outputs, records->at, (uint32_t)(p - records->at));
        p += HASH256_SIZE;
    }
    window->txs.count += count;
    records->count = (size_t)(p - records->at);
    return STATUS_OK;
}

/* The distance of the near output that an input of that transaction spends; 0: it is to be joined. */
static size_t link_input(struct walker *walker, const struct block_input *in, size_t tx)
{
    size_t output, end = walker->near.outputs;
    const uint8_t *records = walker->window->streams[WORK_TXS].at;
    bool taken = near_take(&walker->near, near_hash(in->hash), in->prevout, tx, records, &output);
    return taken && end - output <= WALKED_NEAR_MAX ? end - output : 0;
}

/* Links what inputs of the block spend of their window, and keeps the rest for the join. */
static enum status add_inputs(struct walker *walker)
{
    struct window *window = walker->window;
    const struct block_input *inputs = walker->inputs.at;
    size_t count = walker->inputs.count, tx = window->txs.count - walker->heads.count, n = 0;
    const uint8_t *records = window->streams[WORK_TXS].at;
    struct bytes *stream = &window->streams[WORK_NEAR];
    if (!make_room(stream, walked_near_size(count, count)))
        return STATUS_NOMEM;
    uint8_t *bits = stream->at + stream->count, *distances = bits + walked_near_size(count, 0), *next = distances;
    memset(bits, 0, walked_near_size(count, 0));
    for (size_t t = 0; t < walker->heads.count; t++, tx++)
        for (size_t end = n + walker->heads.at[t].inputs; n < end; n++) {
            const struct block_input *in = &inputs[n];
            near_prefetch(&walker->near, near_hash(inputs[n + 2 * AHEAD < count ? n + 2 * AHEAD : n].hash));
            near_prefetch_txid(&walker->near, near_hash(inputs[n + AHEAD < count ? n + AHEAD : n].hash), records);
            size_t distance = in->prevout ? link_input(walker, in, tx) : 0;
            struct walked_input joined = {in->hash, 0, 0, (uint32_t)(window->inputs_count + n)};
            if (distance > 0) {
                bits[n / 8] |= (uint8_t)(1u << n % 8);
                store_le16(next, (uint16_t)distance);
                next += WALKED_DISTANCE;
            } else if (in->prevout) {
                joined.check = index_check_of(&walker->work->hasher, in->prevout);
                joined.vout = load_le32(in->prevout + HASH256_SIZE);
                if (!PUSH(window->inputs, joined))
                    return STATUS_NOMEM;
            }
        }
    window->inputs_count += count;
    if (next > distances) {
        walker->block_sums[WORK_NEAR] = walked_bytes_sum(bits, (size_t)(next - bits));
        stream->count = (size_t)(next - stream->at);
    }
    return STATUS_OK;
}

static enum status walk_bytes(struct walker *walker, struct walked_block *walked, const uint8_t *bytes)
{
    const struct chain_block *block = walked->block;
    struct block_counts counts;
    struct hash256 hash;
    sha256d(bytes, BLOCK_HEADER_SIZE, &hash);
    if (!hash256_equal(&hash, &block->hash))
        return fault_set(&walked->fault, STATUS_FORMAT, NULL, FAULT_NO_OFFSET,
                         "other bytes than when the header was read");
    if (mem_reserve(&walker->txids, &walker->txids_capacity, block->size / TX_BYTES_MIN + 2, HASH256_SIZE) != STATUS_OK)
        return STATUS_NOMEM;
    walker->block = bytes;
    walker->heads.count = walker->messages.count = walker->inputs.count = 0;
    memset(walker->block_sums, 0, sizeof walker->block_sums);
    struct cursor c = cursor_over(bytes + BLOCK_HEADER_SIZE, block->size - BLOCK_HEADER_SIZE);
    if (cursor_compact(&c) > block->size / TX_BYTES_MIN)
        return fault_set(&walked->fault, STATUS_FORMAT, NULL, FAULT_NO_OFFSET,
                         "the block's bytes are no whole transactions");
    enum status status = block_walk(bytes, block->size, &counts, &visitor, walker);
    if (status == STATUS_FORMAT)
        return fault_set(&walked->fault, status, NULL, FAULT_NO_OFFSET, "the block's bytes are no whole transactions");
    if (status == STATUS_OK && counts.too_much_money)
        return fault_set(&walked->fault, STATUS_FORMAT, NULL, FAULT_NO_OFFSET, "%s", block_flaw_text(BLOCK_BAD_MONEY));
    if (status != STATUS_OK)
        return status;
    walked->txs = counts.txs;
    walked->inputs = counts.inputs;
    walked->outputs = counts.outputs;
    hash_txids(walker);
    status = near_reserve(&walker->near, counts.txs, counts.outputs);
    if (status == STATUS_OK)
        status = add_txs(walker);
    return status == STATUS_OK ? add_inputs(walker) : status;
}

static enum status verify(struct walker *walker, struct walked_block *walked, const uint8_t *bytes)
{
    struct block_counts counts;
    enum block_flaw flaw = block_verify(&walker->verifier, bytes, walked->block->size, &counts);
    if (flaw == BLOCK_FINE)
        return STATUS_OK;
    if (flaw == BLOCK_NOMEM)
        return STATUS_NOMEM;
    return fault_set(&walked->fault, STATUS_FORMAT, NULL, FAULT_NO_OFFSET, "%s", block_flaw_text(flaw));
}

/* The block's bytes: those that wait in memory, or else from its file. */
static enum status find_bytes(struct walker *walker, struct walked_block *walked, const uint8_t **bytes)
{
    const struct index_work *work = walker->work;
    const struct chain_block *block = walked->block;
    *bytes = work_waits(work) ? block_cache_find(work->pass->cache, block) : NULL;
    if (*bytes)
        return STATUS_OK;
    if (block->file == FILEMAP_GONE)
        return fault_set(&walked->fault, STATUS_FORMAT, NULL, FAULT_NO_OFFSET, "its blk file is gone (a pruned node?)");
    return blk_read(&walker->reader, &work->dir, block->file, block->offset, block->size, bytes, &walked->fault);
}

static void walk_block(struct walker *walker, struct walked_block *walked)
{
    const struct index_work *work = walker->work;
    const struct window *window = walker->window;
    const uint8_t *bytes = NULL;
    for (size_t s = 0; s < WORK_STREAMS; s++)
        walked->sizes[s] = window->streams[s].count;
    walked->status = find_bytes(walker, walked, &bytes);
    if (walked->status == STATUS_OK)
        walked->status = walk_bytes(walker, walked, bytes);
    if (walked->status == STATUS_OK && work->options->verify)
        walked->status = verify(walker, walked, bytes);
    for (size_t s = 0; s < WORK_STREAMS; s++) {
        walked->sizes[s] = window->streams[s].count - walked->sizes[s];
        walked->sums[s] = walked_sum(walker->block_sums[s]);
    }
}

/* ---- one window ---- */

size_t window_blocks(const struct index_work *work, uint32_t height, uint32_t end, uint64_t *bytes)
{
    size_t count = 0, most = index_checkpoint_blocks ? index_checkpoint_blocks : WINDOW_BLOCKS_MAX;
    *bytes = 0;
    while (count < most && count < WINDOW_BLOCKS_MAX && *bytes < WINDOW_BYTES && height + count < end)
        *bytes += chain_active(work->chain, height + (uint32_t)count++)->size;
    return count;
}

void window_walk(struct walker *walker, struct window *window)
{
    window->inputs_count = window->inputs.count = window->txs.count = 0;
    near_clear(&walker->near);
    for (size_t s = 0; s < WORK_STREAMS; s++)
        window->streams[s].count = 0;
    walker->window = window;
    for (size_t i = 0; i < window->count; i++) {
        window->blocks[i] = (struct walked_block){
            .block = chain_active(walker->work->chain, window->height + (uint32_t)i)};
        walk_block(walker, &window->blocks[i]);
        if (window->blocks[i].status != STATUS_OK)
            return;
    }
}

static enum status spill_txs(const struct index_work *work, unsigned number, const struct window *window)
{
    uint64_t output = window->blocks[0].first_output;
    for (size_t t = 0; t < window->txs.count; t++) {
        const struct walked_tx *tx = &window->txs.at[t];
        struct spill_entry entry = {work_key_of(work, tx->hash), output, tx->outputs, tx->check, NULL};
        enum status status = spill_add(work->creators, number, work_part_of(work, tx->hash), &entry);
        if (status != STATUS_OK)
            return status;
        output += tx->outputs;
    }
    return STATUS_OK;
}

static enum status spill_inputs(const struct index_work *work, unsigned number, unsigned __int128 *sums,
                                const struct window *window)
{
    for (size_t n = 0; n < window->inputs.count; n++) {
        const struct walked_input *input = &window->inputs.at[n];
        struct spill_entry entry = {work_key_of(work, input->hash), window->blocks[0].first_input + input->number,
                                    input->vout, 0, NULL};
        unsigned part = work_part_of(work, input->hash);
        sums[part] += input->check;
        enum status status = spill_add(work->spenders, number, part, &entry);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

static enum status write_stream(const struct index_work *work, struct window *window, size_t stream)
{
    char path[4096 + 16];
    const struct bytes *bytes = &window->streams[stream];
    uint64_t offset = work->blocks[window->height - work->first].at[stream];
    if ((work->in_memory ? file_memory_write_at : file_write_at)(work->streams[stream], bytes->at, bytes->count,
                                                                 offset))
        return STATUS_OK;
    snprintf(path, sizeof path, "%s/%s", work->in_memory ? "(memory)" : work->folder, work_stream_names[stream]);
    return fault_errno_place(&window->fault, path, offset, SPILL_OTHER, "cannot write a temporary file");
}

void window_spill(struct walker *walker, unsigned number, struct window *window)
{
    const struct index_work *work = walker->work;
    window->status = spill_txs(work, number, window);
    if (window->status == STATUS_OK)
        window->status = spill_inputs(work, number, walker->sums, window);
    for (size_t s = 0; s < WORK_STREAMS && window->status == STATUS_OK; s++)
        window->status = write_stream(work, window, s);
}

/* ---- beginning and end ---- */

bool walker_begin(struct walker *walker, struct index_work *work)
{
    walker->work = work;
    walker->sums = mem_alloc_apart((size_t)1 << work->part_bits, sizeof *walker->sums);
    return walker->sums != NULL;
}

void walker_free(struct walker *walker)
{
    blk_reader_free(&walker->reader);
    block_verifier_free(&walker->verifier);
    mem_free(walker->heads.at);
    mem_free(walker->messages.at);
    mem_free(walker->inputs.at);
    near_free(&walker->near);
    mem_free(walker->txids);
    mem_free(walker->sums);
}

void window_free(const struct window *window)
{
    mem_free(window->blocks);
    mem_free(window->inputs.at);
    mem_free(window->txs.at);
    for (size_t s = 0; s < WORK_STREAMS; s++)
        mem_free(window->streams[s].at);
}
