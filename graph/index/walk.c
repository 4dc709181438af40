#include <errno.h>
#include <unistd.h>

#include "graph/scan/filemap.h"
#include "graph/index/work.h"
#include "parser/hasher.h"
#include "parser/mem.h"
#include "parser/parallel.h"

#define ROUND_BYTES_PER_THREAD (20u << 20)
#define ROUND_BLOCKS_MAX 4096u
#define NOTE_BYTES (UINT64_C(16) << 30) /* of blocks: what an end without notice may cost */
#define TX_BYTES_MIN 60u                /* one input, one output, empty scripts */

#define ARRAY(type)                                                                                                    \
    struct {                                                                                                           \
        type *at;                                                                                                      \
        size_t count, capacity;                                                                                        \
    }
/* Appends; false without memory. The call is left to the one time in many that the array is full. */
#define PUSH(array, value)                                                                                             \
    (((array).count < (array).capacity ||                                                                              \
      mem_reserve(&(array).at, &(array).capacity, (array).count + 1, sizeof *(array).at) == STATUS_OK) &&              \
     ((array).at[(array).count++] = (value), true))

struct walked_input {
    uint64_t hash, check;
    uint32_t vout;
    bool none; /* a coinbase's */
};

struct walked_tx {
    uint64_t hash, check;
    uint32_t inputs, outputs;
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
    const uint8_t *block, *prevout; /* of the last input */
    uint64_t value_sat;
    const char *flaw;
    /* of the round */
    ARRAY(struct walked_input) inputs;
    ARRAY(struct walked_tx) txs;
    ARRAY(uint8_t) records, outs;
    /* of the build */
    unsigned __int128 *sums; /* of the checks of prevouts, by part */
};

struct item {
    const struct chain_block *block;
    enum status status;
    struct fault fault;
    unsigned worker;
    size_t inputs, inputs_count, txs, txs_count, records, records_size, outs, outs_size;
    uint64_t first_input, first_output, records_at, outs_at;
};

struct walk {
    struct index_work *work;
    struct worker *workers;
    struct item *items;
    size_t count;
};

/* ---- one block ---- */

static bool see_input(void *context, const struct tx_input *in, uint32_t vin)
{
    struct worker *worker = context;
    (void)vin;
    worker->prevout = in->prevout;
    const struct index_hasher *hasher = &worker->work->hasher;
    struct walked_input input = {index_hash(hasher, in->prevout), index_check_of(hasher, in->prevout),
                                 load_le32(in->prevout + HASH256_SIZE), false};
    return PUSH(worker->inputs, input);
}

static bool see_output(void *context, const struct tx_output *out, uint32_t vout, enum kind kind, unsigned unknown)
{
    struct worker *worker = context;
    (void)vout;
    (void)unknown;
    if (__builtin_expect(out->value_sat > INDEX_MONEY_SAT, 0))
        worker->flaw = "an output has more value than there can be";
    worker->value_sat = worker->value_sat + out->value_sat < worker->value_sat ? UINT64_MAX
                                                                               : worker->value_sat + out->value_sat;
    if (worker->outs.capacity - worker->outs.count < 8 &&
        mem_reserve(&worker->outs.at, &worker->outs.capacity, worker->outs.count + 8, 1) != STATUS_OK)
        return false;
    store_le64(worker->outs.at + worker->outs.count, value_kind_of(out->value_sat & ((UINT64_C(1) << 52) - 1), kind));
    worker->outs.count += 7;
    return true;
}

static bool see_tx(void *context, const struct tx *tx, uint32_t index, unsigned unknown)
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
                           .value_out_sat = worker->value_sat};
    if (tx->segwit) /* marker, flag and witnesses: all but version, body and lock time */
        head.witness = head.size - 8 - (uint64_t)(tx->body_end - tx->body);
    if (tx->inputs == 0 || tx->outputs == 0)
        worker->flaw = "a transaction has no inputs or no outputs";
    else if (worker->value_sat > INDEX_MONEY_SAT)
        worker->flaw = "a transaction's outputs have more value than there can be";
    struct tx_input first = {.prevout = worker->prevout};
    if (tx->inputs == 1 && tx_is_coinbase(tx, &first)) {
        head.flags |= TX_COINBASE;
        worker->inputs.at[worker->inputs.count - 1].none = true;
    }
    worker->value_sat = 0;
    return PUSH(worker->messages, message) && PUSH(worker->heads, head);
}

static const struct block_visitor visitor = {.input = see_input, .output = see_output, .tx = see_tx};

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

static enum status walk_bytes(struct worker *worker, struct item *item, const uint8_t *bytes)
{
    const struct chain_block *block = item->block;
    struct block_counts counts;
    struct hash256 hash;
    sha256d(bytes, BLOCK_HEADER_SIZE, &hash);
    if (!hash256_equal(&hash, &block->hash))
        return fault_set(&item->fault, STATUS_FORMAT, NULL, FAULT_NO_OFFSET,
                         "other bytes than when the header was read");
    if (mem_reserve(&worker->txids, &worker->txids_capacity, block->size / TX_BYTES_MIN + 2, HASH256_SIZE) != STATUS_OK)
        return STATUS_NOMEM;
    worker->block = bytes;
    worker->heads.count = worker->messages.count = 0;
    worker->value_sat = 0;
    worker->flaw = NULL;
    struct cursor c = cursor_over(bytes + BLOCK_HEADER_SIZE, block->size - BLOCK_HEADER_SIZE);
    if (cursor_compact(&c) > block->size / TX_BYTES_MIN)
        return fault_set(&item->fault, STATUS_FORMAT, NULL, FAULT_NO_OFFSET,
                         "the block's bytes are no whole transactions");
    enum status status = block_walk(bytes, block->size, &counts, &visitor, worker);
    if (status == STATUS_FORMAT)
        return fault_set(&item->fault, status, NULL, FAULT_NO_OFFSET, "the block's bytes are no whole transactions");
    if (status == STATUS_OK && worker->flaw)
        return fault_set(&item->fault, STATUS_FORMAT, NULL, FAULT_NO_OFFSET, "%s", worker->flaw);
    if (status != STATUS_OK)
        return status;
    hash_txids(worker);
    return encode(worker);
}

static enum status verify(struct worker *worker, struct item *item, const uint8_t *bytes)
{
    struct block_counts counts;
    enum block_flaw flaw = block_verify(&worker->verifier, bytes, item->block->size, &counts);
    if (flaw == BLOCK_FINE)
        return STATUS_OK;
    if (flaw == BLOCK_NOMEM)
        return STATUS_NOMEM;
    return fault_set(&item->fault, STATUS_FORMAT, NULL, FAULT_NO_OFFSET, "%s", block_flaw_text(flaw));
}

static void walk_item(void *context, unsigned number, size_t i)
{
    struct walk *walk = context;
    struct worker *worker = &walk->workers[number];
    struct item *item = &walk->items[i];
    const struct chain_block *block = item->block;
    const uint8_t *bytes = NULL;
    item->worker = number;
    item->inputs = worker->inputs.count;
    item->txs = worker->txs.count;
    item->records = worker->records.count;
    item->outs = worker->outs.count;
    if (block->file == FILEMAP_GONE)
        item->status = fault_set(&item->fault, STATUS_FORMAT, NULL, FAULT_NO_OFFSET,
                                 "its blk file is gone (a pruned node?)");
    else
        item->status = blk_read(&worker->reader, &walk->work->dir, block->file, block->offset, block->size, &bytes,
                                &item->fault);
    if (item->status == STATUS_OK)
        item->status = walk_bytes(worker, item, bytes);
    if (item->status == STATUS_OK && walk->work->options->verify)
        item->status = verify(worker, item, bytes);
    item->inputs_count = worker->inputs.count - item->inputs;
    item->txs_count = worker->txs.count - item->txs;
    item->records_size = worker->records.count - item->records;
    item->outs_size = worker->outs.count - item->outs;
}

/* ---- one round ---- */

static enum status write_at(int fd, const uint8_t *bytes, size_t size, uint64_t offset)
{
    while (size > 0) {
        ssize_t written = pwrite(fd, bytes, size, (off_t)offset);
        if (written <= 0 && errno != EINTR)
            return STATUS_IO;
        if (written > 0) {
            bytes += written;
            size -= (size_t)written;
            offset += (uint64_t)written;
        }
    }
    return STATUS_OK;
}

/* Spills what joins, and writes what is in chain order to its place. */
static void spill_item(void *context, unsigned number, size_t i)
{
    struct walk *walk = context;
    struct index_work *work = walk->work;
    struct item *item = &walk->items[i];
    const struct worker *worker = &walk->workers[item->worker];
    unsigned shift = 64 - work->part_bits;
    uint64_t mask = (UINT64_C(1) << work->key_bits) - 1, output = item->first_output;
    enum status status = STATUS_OK;
    for (size_t t = 0; t < item->txs_count && status == STATUS_OK; t++) {
        const struct walked_tx *tx = &worker->txs.at[item->txs + t];
        struct spill_entry entry = {tx->hash >> (shift - work->key_bits) & mask, output, tx->outputs, tx->check};
        status = spill_add(work->creators, number, (unsigned)(tx->hash >> shift), &entry);
        output += tx->outputs;
    }
    for (size_t n = 0; n < item->inputs_count && status == STATUS_OK; n++) {
        const struct walked_input *input = &worker->inputs.at[item->inputs + n];
        struct spill_entry entry = {input->hash >> (shift - work->key_bits) & mask, item->first_input + n, input->vout,
                                    0};
        unsigned part = (unsigned)(input->hash >> shift);
        if (input->none)
            continue;
        walk->workers[number].sums[part] += input->check;
        status = spill_add(work->spenders, number, part, &entry);
    }
    if (status == STATUS_OK)
        status = write_at(work->txs_fd, worker->records.at + item->records, item->records_size, item->records_at);
    if (status == STATUS_OK)
        status = write_at(work->outs_fd, worker->outs.at + item->outs, item->outs_size, item->outs_at);
    if (status == STATUS_IO)
        status = fault_errno(&item->fault, work->folder, FAULT_NO_OFFSET, "cannot write a temporary file");
    item->status = status;
}

/* Numbers the round's blocks; cuts it before the first damaged one. */
static void number_items(struct walk *walk, uint32_t height)
{
    struct index_work *work = walk->work;
    for (size_t i = 0; i < walk->count; i++) {
        struct item *item = &walk->items[i];
        struct work_block *block = &work->blocks[height - work->first + i];
        if (item->status != STATUS_OK) {
            walk->count = i;
            return;
        }
        item->first_input = block->first_input;
        item->first_output = block->first_output;
        item->records_at = work->txs_size;
        item->outs_at = 7 * (block->first_output - work->blocks[0].first_output);
        work->txs_size += item->records_size;
        block[1] = (struct work_block){block->first_tx + item->txs_count, block->first_input + item->inputs_count,
                                       block->first_output + item->outs_size / 7};
    }
}

static void begin_round(struct walk *walk, uint32_t height, size_t count)
{
    walk->count = count;
    for (size_t i = 0; i < count; i++)
        walk->items[i] = (struct item){.block = chain_active(walk->work->chain, height + (uint32_t)i)};
    for (unsigned i = 0; i < walk->work->options->threads; i++) {
        struct worker *worker = &walk->workers[i];
        worker->inputs.count = worker->txs.count = worker->records.count = worker->outs.count = 0;
    }
}

/* A damaged block ends the chain before it, and is told; anything else is an error. */
static enum status end_walk(struct walk *walk, uint32_t height, const struct item *item)
{
    struct index_work *work = walk->work;
    if (item->status == STATUS_NOMEM)
        return fault_nomem(work->fault);
    if (item->status != STATUS_FORMAT && item->status != STATUS_IO)
        return item->status;
    char hash[HASH256_HEX_SIZE + 1];
    *hash256_hex(&item->block->hash, hash) = 0;
    const char *path = item->block->file == FILEMAP_GONE ? NULL : work->dir.files[item->block->file].path;
    work->bad_height = height;
    work->bad_bytes = true;
    return fault_set(
        work->fault, STATUS_FORMAT, path, item->block->offset,
        "block %s of height %u is damaged (%s); the index ends before it: restore the file or run the node with "
        "-reindex, then index again",
        hash, height, item->fault.text);
}

static void take_sums(struct worker *worker)
{
    for (size_t part = 0; part < (size_t)1 << worker->work->part_bits; part++) {
        worker->work->sums[part] += worker->sums[part];
        worker->sums[part] = 0;
    }
}

/* Takes in what the workers have. */
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
static enum status note_walk(struct walk *walk)
{
    enum status status = flush(walk);
    return status == STATUS_OK ? work_note_stage(walk->work, WORK_WALKING) : status;
}

static enum status run_round(struct walk *walk, uint32_t height, size_t count)
{
    unsigned threads = walk->work->options->threads;
    begin_round(walk, height, count);
    parallel_for(threads, count, walk_item, walk);
    number_items(walk, height);
    if (walk->count < count)
        return end_walk(walk, height + (uint32_t)walk->count, &walk->items[walk->count]);
    parallel_for(threads, count, spill_item, walk);
    for (size_t i = 0; i < count; i++)
        if (walk->items[i].status != STATUS_OK) {
            enum status status = flush(walk);
            if (status == STATUS_OK && walk->work->fault)
                *walk->work->fault = walk->items[i].fault;
            return walk->items[i].status;
        }
    return STATUS_OK;
}

static size_t round_count(const struct index_work *work, uint32_t height)
{
    uint64_t bytes = 0, limit = (uint64_t)ROUND_BYTES_PER_THREAD * work->options->threads;
    size_t count = 0, most = work->options->note_blocks ? work->options->note_blocks : ROUND_BLOCKS_MAX;
    while (count < most && bytes < limit && height + count < work->end)
        bytes += chain_active(work->chain, height + (uint32_t)count++)->size;
    return count;
}

static enum status run_rounds(struct walk *walk)
{
    struct index_work *work = walk->work;
    uint64_t done = 0, total = 0;
    for (uint32_t height = work->first; height < work->end; height++) {
        done += height < work->walked ? chain_active(work->chain, height)->size : 0;
        total += chain_active(work->chain, height)->size;
    }
    uint64_t noted = done;
    enum status status = STATUS_OK;
    while (work->walked < work->end && status == STATUS_OK) {
        size_t count = round_count(work, work->walked);
        status = run_round(walk, work->walked, count);
        for (size_t i = 0; i < count; i++)
            done += walk->items[i].block->size;
        work->walked += status == STATUS_OK ? (uint32_t)count : 0;
        bool stopped = work_stopped(work);
        bool due = stopped || done - noted >= NOTE_BYTES || work->options->note_blocks;
        if (status == STATUS_OK && work->walked < work->end && due) {
            status = note_walk(walk);
            noted = done;
        }
        work_write_out(work);
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
    walk.items = mem_alloc(ROUND_BLOCKS_MAX, sizeof *walk.items);
    enum status status = walk.workers && walk.items ? STATUS_OK : fault_nomem(work->fault);
    for (unsigned i = 0; i < threads && status == STATUS_OK; i++)
        status = begin_worker(&walk.workers[i], work) ? STATUS_OK : fault_nomem(work->fault);
    if (status == STATUS_OK)
        status = run_rounds(&walk);
    for (unsigned i = 0; i < threads && walk.workers; i++)
        free_worker(&walk.workers[i]);
    mem_free(walk.workers);
    mem_free(walk.items);
    return status;
}
