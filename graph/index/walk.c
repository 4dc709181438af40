#include "graph/index/work.h"
#include "graph/scan/filemap.h"
#include "parser/array.h"
#include "parser/file.h"
#include "parser/hasher.h"
#include "parser/parallel.h"
#include "parser/stop.h"

#define WINDOW_BYTES_PER_THREAD (20u << 20)
#define WINDOW_BLOCKS_MAX 4096u
#define CHECKPOINT_BYTES (UINT64_C(16) << 30) /* of blocks between checkpoints: what a kill may cost */
#define TX_BYTES_MIN 60u                      /* one input, one output, empty scripts */

struct walked_input {
    uint64_t hash; /* of the prevout's txid */
    uint64_t check;
    uint32_t vout;
    bool none; /* a coinbase's */
};

struct walked_tx {
    uint64_t hash; /* of its txid */
    uint64_t check;
    uint32_t inputs;
    uint32_t outputs;
};

struct worker {
    struct index_work *work;
    struct blk_reader reader;
    struct block_verifier verifier;
    /* of the block under the walk */
    ARRAY(struct tx_head) heads;
    ARRAY(struct hasher_message) messages;
    struct hash256 *txids;
    size_t txids_capacity;
    const uint8_t *block;
    const uint8_t *prevout; /* of the last input */
    /* of the window */
    ARRAY(struct walked_input) inputs;
    ARRAY(struct walked_tx) txs;
    ARRAY(uint8_t) records;
    ARRAY(uint8_t) outs;
    /* of the build */
    unsigned __int128 *sums; /* of the checks of prevouts, by part */
};

/* A block of the window, and where in its worker's arrays it left what: from where on, and how many. */
struct walked_block {
    const struct chain_block *block;
    enum status status;
    struct fault fault;
    unsigned worker;
    size_t inputs;
    size_t inputs_count;
    size_t txs;
    size_t txs_count;
    size_t records;
    size_t records_size;
    size_t outs;
    size_t outs_size;
    uint64_t first_input; /* numbers */
    uint64_t first_output;
    uint64_t records_at; /* offsets in the files */
    uint64_t outs_at;
};

struct walk {
    struct index_work *work;
    struct worker *workers;
    struct walked_block *blocks;
    size_t count;
};

/* ---- one block ---- */

static bool on_input(void *context, const struct tx_input *in, uint32_t vin)
{
    struct worker *worker = context;
    (void)vin;
    worker->prevout = in->prevout;
    const struct index_hasher *hasher = &worker->work->hasher;
    struct walked_input input = {index_hash(hasher, in->prevout), index_check_of(hasher, in->prevout),
                                 load_le32(in->prevout + HASH256_SIZE), false};
    return PUSH(worker->inputs, input);
}

static bool on_output(void *context, const struct tx_output *out, uint32_t vout, enum kind kind, unsigned unknown)
{
    struct worker *worker = context;
    (void)vout;
    (void)unknown;
    if (worker->outs.capacity - worker->outs.count < 8 &&
        mem_reserve(&worker->outs.at, &worker->outs.capacity, worker->outs.count + 8, 1) != STATUS_OK)
        return false;
    store_le64(worker->outs.at + worker->outs.count, value_kind_of(out->value_sat, kind));
    worker->outs.count += VALUE_KIND_SIZE;
    return true;
}

static bool on_tx(void *context, const struct tx *tx, uint32_t index, unsigned unknown)
{
    struct worker *worker = context;
    (void)unknown;
    struct hasher_message message = {.first = tx->start,
                                     .body = tx->body,
                                     .body_size = (size_t)(tx->body_end - tx->body),
                                     .last = tx->end - HASHER_END,
                                     .out = &worker->txids[index]};
    struct tx_head head = {.flags = (tx->segwit ? TX_SEGWIT : 0u) | (index == 0 ? TX_FIRST : 0u),
                           .offset = (uint32_t)(tx->start - worker->block),
                           .inputs = tx->inputs,
                           .outputs = tx->outputs,
                           .size = (uint64_t)(tx->end - tx->start),
                           .value_out_sat = tx->value_out_sat};
    if (tx->segwit) /* marker, flag and witnesses: all but version, body and lock time */
        head.witness = head.size - 8 - (uint64_t)(tx->body_end - tx->body);
    struct tx_input first = {.prevout = worker->prevout};
    if (tx->inputs == 1 && tx_is_coinbase(tx, &first)) {
        head.flags |= TX_COINBASE;
        worker->inputs.at[worker->inputs.count - 1].none = true;
    }
    return PUSH(worker->messages, message) && PUSH(worker->heads, head);
}

static const struct block_visitor visitor = {.input = on_input, .output = on_output, .tx = on_tx};

static void hash_txids(struct worker *worker)
{
    enum hasher_kernel kernel = hasher_best();
    for (size_t i = 0; i < worker->messages.count; i += HASHER_BATCH) {
        size_t left = worker->messages.count - i;
        hasher_messages(kernel, worker->messages.at + i, left < HASHER_BATCH ? left : HASHER_BATCH);
    }
}

/* Encodes the block's transactions. */
static enum status encode(struct worker *worker)
{
    const struct index_hasher *hasher = &worker->work->hasher;
    size_t count = worker->heads.count;
    if (mem_reserve(&worker->records.at, &worker->records.capacity, worker->records.count + count * TX_RECORD_MAX, 1) !=
            STATUS_OK ||
        mem_reserve(&worker->txs.at, &worker->txs.capacity, worker->txs.count + count, sizeof *worker->txs.at) !=
            STATUS_OK)
        return STATUS_NOMEM;
    uint8_t *p = worker->records.at + worker->records.count;
    for (size_t i = 0; i < count; i++) {
        const struct tx_head *head = &worker->heads.at[i];
        const struct hash256 *txid = &worker->txids[i];
        p = index_head_write(head, p);
        memcpy(p, txid->bytes, HASH256_SIZE);
        p += HASH256_SIZE;
        worker->txs.at[worker->txs.count++] = (struct walked_tx){index_hash(hasher, txid->bytes),
                                                                 index_check_of(hasher, txid->bytes),
                                                                 (uint32_t)head->inputs, (uint32_t)head->outputs};
    }
    worker->records.count = (size_t)(p - worker->records.at);
    return STATUS_OK;
}

static enum status walk_bytes(struct worker *worker, struct walked_block *walked, const uint8_t *bytes)
{
    const struct chain_block *block = walked->block;
    struct block_counts counts;
    struct hash256 hash;
    sha256d(bytes, BLOCK_HEADER_SIZE, &hash);
    if (!hash256_equal(&hash, &block->hash))
        return fault_set(&walked->fault, STATUS_FORMAT, NULL, FAULT_NO_OFFSET,
                         "other bytes than when the header was read");
    if (mem_reserve(&worker->txids, &worker->txids_capacity, block->size / TX_BYTES_MIN + 2, HASH256_SIZE) != STATUS_OK)
        return STATUS_NOMEM;
    worker->block = bytes;
    worker->heads.count = worker->messages.count = 0;
    struct cursor c = cursor_over(bytes + BLOCK_HEADER_SIZE, block->size - BLOCK_HEADER_SIZE);
    if (cursor_compact(&c) > block->size / TX_BYTES_MIN)
        return fault_set(&walked->fault, STATUS_FORMAT, NULL, FAULT_NO_OFFSET,
                         "the block's bytes are no whole transactions");
    enum status status = block_walk(bytes, block->size, &counts, &visitor, worker);
    if (status == STATUS_FORMAT)
        return fault_set(&walked->fault, status, NULL, FAULT_NO_OFFSET, "the block's bytes are no whole transactions");
    if (status == STATUS_OK && counts.too_much_money)
        return fault_set(&walked->fault, STATUS_FORMAT, NULL, FAULT_NO_OFFSET, "%s", block_flaw_text(BLOCK_BAD_MONEY));
    if (status != STATUS_OK)
        return status;
    hash_txids(worker);
    return encode(worker);
}

static enum status verify(struct worker *worker, struct walked_block *walked, const uint8_t *bytes)
{
    struct block_counts counts;
    enum block_flaw flaw = block_verify(&worker->verifier, bytes, walked->block->size, &counts);
    if (flaw == BLOCK_FINE)
        return STATUS_OK;
    if (flaw == BLOCK_NOMEM)
        return STATUS_NOMEM;
    return fault_set(&walked->fault, STATUS_FORMAT, NULL, FAULT_NO_OFFSET, "%s", block_flaw_text(flaw));
}

static void walk_block(void *context, unsigned number, size_t i)
{
    struct walk *walk = context;
    struct worker *worker = &walk->workers[number];
    struct walked_block *walked = &walk->blocks[i];
    const struct chain_block *block = walked->block;
    const uint8_t *bytes = NULL;
    walked->worker = number;
    walked->inputs = worker->inputs.count;
    walked->txs = worker->txs.count;
    walked->records = worker->records.count;
    walked->outs = worker->outs.count;
    if (block->file == FILEMAP_GONE)
        walked->status = fault_set(&walked->fault, STATUS_FORMAT, NULL, FAULT_NO_OFFSET,
                                   "its blk file is gone (a pruned node?)");
    else
        walked->status = blk_read(&worker->reader, &walk->work->dir, block->file, block->offset, block->size, &bytes,
                                  &walked->fault);
    if (walked->status == STATUS_OK)
        walked->status = walk_bytes(worker, walked, bytes);
    if (walked->status == STATUS_OK && walk->work->options->verify)
        walked->status = verify(worker, walked, bytes);
    walked->inputs_count = worker->inputs.count - walked->inputs;
    walked->txs_count = worker->txs.count - walked->txs;
    walked->records_size = worker->records.count - walked->records;
    walked->outs_size = worker->outs.count - walked->outs;
}

/* ---- one window ---- */

/* Spills what joins, and writes what is in chain order to the offset where it belongs. Item 0 has the disk begin. */
static void spill_block(void *context, unsigned number, size_t item)
{
    struct walk *walk = context;
    struct index_work *work = walk->work;
    if (item == 0) { /* of the windows before */
        work_write_out(work);
        return;
    }
    struct walked_block *walked = &walk->blocks[item - 1];
    const struct worker *worker = &walk->workers[walked->worker];
    unsigned shift = 64 - work->part_bits;
    uint64_t mask = (UINT64_C(1) << work->key_bits) - 1, output = walked->first_output;
    enum status status = STATUS_OK;
    for (size_t t = 0; t < walked->txs_count && status == STATUS_OK; t++) {
        const struct walked_tx *tx = &worker->txs.at[walked->txs + t];
        struct spill_entry entry = {tx->hash >> (shift - work->key_bits) & mask, output, tx->outputs, tx->check, NULL};
        status = spill_add(work->creators, number, (unsigned)(tx->hash >> shift), &entry);
        output += tx->outputs;
    }
    for (size_t n = 0; n < walked->inputs_count && status == STATUS_OK; n++) {
        const struct walked_input *input = &worker->inputs.at[walked->inputs + n];
        struct spill_entry entry = {input->hash >> (shift - work->key_bits) & mask, walked->first_input + n,
                                    input->vout, 0, NULL};
        unsigned part = (unsigned)(input->hash >> shift);
        if (input->none)
            continue;
        walk->workers[number].sums[part] += input->check;
        status = spill_add(work->spenders, number, part, &entry);
    }
    if (status == STATUS_OK &&
        (!file_write_at(work->txs_fd, worker->records.at + walked->records, walked->records_size, walked->records_at) ||
         !file_write_at(work->outs_fd, worker->outs.at + walked->outs, walked->outs_size, walked->outs_at)))
        status = fault_errno(&walked->fault, work->folder, FAULT_NO_OFFSET, "cannot write a temporary file");
    walked->status = status;
}

/* Numbers the window's blocks; cuts it before the first damaged one. */
static void number_blocks(struct walk *walk, uint32_t height)
{
    struct index_work *work = walk->work;
    for (size_t i = 0; i < walk->count; i++) {
        struct walked_block *walked = &walk->blocks[i];
        struct work_block *block = &work->blocks[height - work->first + i];
        if (walked->status != STATUS_OK) {
            walk->count = i;
            return;
        }
        walked->first_input = block->first_input;
        walked->first_output = block->first_output;
        walked->records_at = work->txs_size;
        walked->outs_at = VALUE_KIND_SIZE * (block->first_output - work->blocks[0].first_output);
        work->txs_size += walked->records_size;
        block[1] = (struct work_block){block->first_tx + walked->txs_count, block->first_input + walked->inputs_count,
                                       block->first_output + walked->outs_size / VALUE_KIND_SIZE, work->txs_size};
    }
}

static void begin_window(struct walk *walk, uint32_t height, size_t count)
{
    walk->count = count;
    for (size_t i = 0; i < count; i++)
        walk->blocks[i] = (struct walked_block){.block = chain_active(walk->work->chain, height + (uint32_t)i)};
    for (unsigned i = 0; i < walk->work->options->threads; i++) {
        struct worker *worker = &walk->workers[i];
        worker->inputs.count = worker->txs.count = worker->records.count = worker->outs.count = 0;
    }
}

/* A damaged block ends the chain before it, and is told; anything else is an error. */
static enum status end_walk(struct walk *walk, uint32_t height, const struct walked_block *walked)
{
    struct index_work *work = walk->work;
    if (walked->status == STATUS_NOMEM)
        return fault_nomem(work->fault);
    if (walked->status != STATUS_FORMAT && walked->status != STATUS_IO) { /* not the block's fault */
        if (work->fault)
            *work->fault = walked->fault;
        return walked->status;
    }
    char hash[HASH256_HEX_SIZE + 1];
    *hash256_hex(&walked->block->hash, hash) = 0;
    const char *path = walked->block->file == FILEMAP_GONE ? NULL : work->dir.files[walked->block->file].path;
    work->bad_height = height;
    work->bad_bytes = true;
    return fault_set(
        work->fault, STATUS_FORMAT, path, walked->block->offset - BLK_FRAME_SIZE,
        "block %s of height %u is damaged (%s); the index ends before it: restore the file or run the node with "
        "-reindex, then index again",
        hash, height, walked->fault.text);
}

static void take_sums(struct worker *worker)
{
    for (size_t part = 0; part < (size_t)1 << worker->work->part_bits; part++) {
        worker->work->sums[part] += worker->sums[part];
        worker->sums[part] = 0;
    }
}

/* Writes what the workers still hold, and adds up their sums. */
static enum status flush(struct walk *walk)
{
    struct index_work *work = walk->work;
    enum status status = spill_flush(work->creators, work->fault);
    if (status == STATUS_OK)
        status = spill_flush(work->spenders, work->fault);
    for (unsigned i = 0; i < work->options->threads && status == STATUS_OK; i++)
        take_sums(&walk->workers[i]);
    return status;
}

/* So that an interrupted build goes on from here. */
static enum status save_walk(struct walk *walk)
{
    enum status status = flush(walk);
    return status == STATUS_OK ? work_save_checkpoint(walk->work, WORK_WALKING) : status;
}

static enum status walk_window(struct walk *walk, uint32_t height, size_t count)
{
    unsigned threads = walk->work->options->threads;
    begin_window(walk, height, count);
    parallel_whole(threads, count, walk_block, walk); /* a window of some MiB for each thread */
    number_blocks(walk, height);
    if (walk->count < count)
        return end_walk(walk, height + (uint32_t)walk->count, &walk->blocks[walk->count]);
    parallel_whole(threads, 1 + count, spill_block, walk);
    for (size_t i = 0; i < count; i++)
        if (walk->blocks[i].status != STATUS_OK) {
            enum status status = flush(walk);
            if (status == STATUS_OK && walk->work->fault)
                *walk->work->fault = walk->blocks[i].fault;
            return walk->blocks[i].status;
        }
    return STATUS_OK;
}

static size_t window_blocks(const struct index_work *work, uint32_t height)
{
    uint64_t bytes = 0, limit = (uint64_t)WINDOW_BYTES_PER_THREAD * work->options->threads;
    size_t count = 0, most = index_checkpoint_blocks ? index_checkpoint_blocks : WINDOW_BLOCKS_MAX;
    while (count < most && bytes < limit && height + count < work->end)
        bytes += chain_active(work->chain, height + (uint32_t)count++)->size;
    return count;
}

static enum status walk_windows(struct walk *walk)
{
    struct index_work *work = walk->work;
    uint64_t done = 0, total = 0;
    for (uint32_t height = work->first; height < work->end; height++) {
        done += height < work->walked ? chain_active(work->chain, height)->size : 0;
        total += chain_active(work->chain, height)->size;
    }
    uint64_t saved = done;
    enum status status = STATUS_OK;
    while (work->walked < work->end && status == STATUS_OK) {
        size_t count = window_blocks(work, work->walked);
        status = walk_window(walk, work->walked, count);
        for (size_t i = 0; i < count; i++)
            done += walk->blocks[i].block->size;
        work->walked += status == STATUS_OK ? (uint32_t)count : 0;
        bool stopped = stop_requested();
        bool due = stopped || done - saved >= CHECKPOINT_BYTES || index_checkpoint_blocks;
        if (status == STATUS_OK && work->walked < work->end && due) {
            status = save_walk(walk);
            saved = done;
        }
        work_progress(work, INDEX_WALK, done, total);
        if (status == STATUS_OK && stopped && work->walked < work->end)
            status = STATUS_INTERRUPTED;
    }
    return status == STATUS_OK ? flush(walk) : status;
}

static void free_worker(struct worker *worker)
{
    blk_reader_free(&worker->reader);
    block_verifier_free(&worker->verifier);
    mem_free(worker->heads.at);
    mem_free(worker->messages.at);
    mem_free(worker->txids);
    mem_free(worker->inputs.at);
    mem_free(worker->txs.at);
    mem_free(worker->records.at);
    mem_free(worker->outs.at);
    mem_free(worker->sums);
}

static bool begin_worker(struct worker *worker, struct index_work *work)
{
    worker->work = work;
    worker->sums = mem_alloc((size_t)1 << work->part_bits, sizeof *worker->sums);
    return worker->sums != NULL;
}

enum status index_walk(struct index_work *work)
{
    unsigned threads = work->options->threads;
    struct walk walk = {.work = work};
    walk.workers = mem_alloc(threads, sizeof *walk.workers);
    walk.blocks = mem_alloc(WINDOW_BLOCKS_MAX, sizeof *walk.blocks);
    enum status status = walk.workers && walk.blocks ? STATUS_OK : fault_nomem(work->fault);
    for (unsigned i = 0; i < threads && status == STATUS_OK; i++)
        status = begin_worker(&walk.workers[i], work) ? STATUS_OK : fault_nomem(work->fault);
    if (status == STATUS_OK)
        status = walk_windows(&walk);
    for (unsigned i = 0; i < threads && walk.workers; i++)
        free_worker(&walk.workers[i]);
    mem_free(walk.workers);
    mem_free(walk.blocks);
    return status;
}
