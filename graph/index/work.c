#define _GNU_SOURCE /* sync_file_range */
#include "graph/index/work.h"

#include <fcntl.h>

#include "graph/scan/filemap.h"
#include "parser/mem.h"
#include "parser/search.h"
#include "parser/timings.h"

#define QUEUE_BYTES_MAX (16u << 20)
#define QUEUE_BYTES_SOON (4u << 20) /* the caches have what is written, and the disk never much to catch up with */
#define QUEUE_BYTES_MIN (1u << 20)
#define BUFFERS_BYTES_MAX (64u << 20)
#define BUFFER_MIN 4096u
#define BUFFER_MAX (16u << 10) /* those of all parts are to stay in the second cache */
#define PARTS_MAX 4096u

uint32_t index_checkpoint_blocks = 0;
const char *const work_stream_names[WORK_STREAMS] = {"txs", "outs", "near"};

void work_message(const struct index_work *work, const char *text)
{
    if (work->options->message)
        work->options->message(work->options->context, text);
}

void work_hold(struct index_work *work, bool begins)
{
    if (work->held != begins && work->options->hold)
        work->options->hold(work->options->context, begins);
    work->held = begins;
}

void work_goes_on(const struct index_work *work, bool goes_on)
{
    if (work->options->goes_on)
        work->options->goes_on(work->options->context, goes_on);
}

void work_progress(const struct index_work *work, enum index_stage stage, uint64_t done, uint64_t total)
{
    struct index_progress progress = {.stage = stage, .done = done, .total = total};
    if (work->options->progress)
        work->options->progress(work->options->context, &progress);
}

void work_write_out(const struct index_work *work)
{
    if (!work->durable || work->in_memory)
        return;
    const struct spill *spills[] = {work->creators, work->spenders, work->links, work->values, work->late_spends};
    for (size_t i = 0; i < sizeof spills / sizeof *spills; i++)
        if (spills[i])
            spill_write_out(spills[i]);
    for (size_t i = 0; i < WORK_STREAMS; i++)
        if (work->streams[i] >= 0)
            (void)sync_file_range(work->streams[i], 0, 0, SYNC_FILE_RANGE_WRITE);
}

uint64_t work_bytes(const struct index_work *work, uint32_t first, uint32_t end)
{
    uint64_t bytes = 0;
    for (uint32_t height = first; height < end && height <= chain_height(work->chain); height++)
        bytes += chain_active(work->chain, height)->size;
    return bytes;
}

uint32_t work_height_of_input(const struct index_work *work, uint64_t input)
{
    uint32_t blocks = work->end - work->first;
    return work->first + (uint32_t)LOWER_BOUND(i, 1, blocks, work->blocks[i].first_input <= input) - 1;
}

uint32_t work_height_of_output(const struct index_work *work, uint64_t output)
{
    uint32_t blocks = work->end - work->first;
    return work->first + (uint32_t)LOWER_BOUND(i, 1, blocks, work->blocks[i].first_output <= output) - 1;
}

unsigned work_parts(uint64_t things, uint64_t bytes_each, uint64_t memory, uint64_t wanted)
{
    uint64_t for_cache = things / wanted + 1, for_memory = things * bytes_each / memory + 1;
    uint64_t parts = for_cache > 512 ? 512 : for_cache;
    if (parts < for_memory)
        parts = for_memory;
    return parts > PARTS_MAX ? PARTS_MAX : (unsigned)parts;
}

size_t work_buffer(const struct index_work *work, unsigned parts)
{
    uint64_t all = work->memory / 8 > BUFFERS_BYTES_MAX ? BUFFERS_BYTES_MAX : work->memory / 8;
    uint64_t size = all / ((uint64_t)parts * work->options->threads);
    return size < BUFFER_MIN ? BUFFER_MIN : size > BUFFER_MAX ? BUFFER_MAX : (size_t)size;
}

enum status work_alloc_sums(struct index_work *work)
{
    work->sums = mem_alloc((size_t)1 << work->part_bits, sizeof *work->sums);
    work->exact = mem_alloc((size_t)1 << work->part_bits, sizeof *work->exact);
    return work->sums && work->exact ? STATUS_OK : fault_nomem(work->fault);
}

enum status work_bad_input(struct index_work *work, uint64_t input, const char *what)
{
    struct work_reader reader = {0};
    struct work_spend spend;
    char txid[HASH256_HEX_SIZE + 1] = "?", prevout[HASH256_HEX_SIZE + 1] = "?";
    work->bad_height = work_height_of_input(work, input);
    if (work_read_spend(work, &reader, input, &spend, NULL) == STATUS_OK) {
        *hash256_hex(&spend.txid, txid) = 0;
        *hash256_hex(&spend.prevout, prevout) = 0;
    }
    work_reader_free(&reader);
    const struct chain_block *block = chain_active(work->chain, work->bad_height);
    const char *path = block->file == FILEMAP_GONE ? NULL : work->dir.files[block->file].path;
    return fault_set(work->fault, STATUS_FORMAT, path, block->offset - BLK_FRAME_SIZE,
                     "transaction %s of height %u %s (it spends %s); the index ends before this block%s", txid,
                     work->bad_height, what, prevout,
                     work->base.totals.blocks > 0 ? ". If the node has this block, the index may be damaged, not the "
                                                    "file: 'unktx check' tells"
                                                  : "");
}

/* ---- writing ---- */

#define PUT 0x80u /* added to the table's number: the key may be there, or be below others */

/* A record in the queue: u8 table, u8 key size, u32 size, key, value. */
#define RECORD_HEADER 6u

static bool write_records(struct kv_txn *txn, void *context)
{
    const struct work_queue *queue = context;
    if (!queue->work->cut && !index_cut_tables(txn, queue->work, WORK_BEGUN))
        return false;
    for (const uint8_t *p = queue->writing; p < queue->writing + queue->writing_size;) {
        size_t key_size = p[1], size = load_le32(p + 2);
        const uint8_t *key = p + RECORD_HEADER, *value = key + key_size;
        if (!(p[0] & PUT ? kv_put : kv_append)(txn, p[0] & ~PUT, key, key_size, value, size))
            return false;
        p = value + size;
    }
    return !queue->merged || index_cut_merged(txn, queue->merged);
}

static void *write_in_thread(void *context)
{
    struct work_queue *queue = context;
    queue->status = kv_write(queue->work->kv, queue->writing_size, write_records, queue, &queue->fault);
    queue->work->cut |= queue->status == STATUS_OK;
    return NULL;
}

static void *write_beside(void *queue)
{
    timings_enter_helper();
    (void)write_in_thread(queue);
    timings_leave_helper();
    return NULL;
}

static enum status wait_for_writer(struct work_queue *queue)
{
    enum timing_wait before = timings_wait(TIMING_THREADS);
    if (queue->busy)
        pthread_join(queue->thread, NULL);
    timings_wait(before);
    queue->busy = false;
    if (queue->status != STATUS_OK && queue->work->fault)
        *queue->work->fault = queue->fault;
    return queue->status;
}

/* Begins to write what is there, once the write before is done. */
static enum status begin_write(struct work_queue *queue)
{
    enum status status = wait_for_writer(queue);
    if (status != STATUS_OK || queue->size == 0)
        return status;
    uint8_t *swap = queue->writing;
    queue->writing = queue->bytes;
    queue->writing_size = queue->size;
    queue->bytes = swap;
    queue->size = 0;
    queue->busy = !queue->waits && !queue->work->few && pthread_create(&queue->thread, NULL, write_beside, queue) == 0;
    if (queue->busy)
        return STATUS_OK;
    write_in_thread(queue);
    return wait_for_writer(queue);
}

/* Few blocks make few records: half of their bytes is more. What is made while the index is read waits, however much it
 * is. */
static bool has_bytes(struct work_queue *queue)
{
    const struct index_work *work = queue->work;
    if (queue->capacity == 0) {
        uint64_t size = QUEUE_BYTES_MIN + work_bytes(work, work->first, work->end) / 2;
        queue->capacity = size < QUEUE_BYTES_MAX ? (size_t)size : QUEUE_BYTES_MAX;
        bool soon = work->in_memory && !work->few && queue->capacity > QUEUE_BYTES_SOON;
        queue->soon = soon ? QUEUE_BYTES_SOON : queue->capacity;
    }
    if (!queue->bytes)
        queue->bytes = mem_alloc_large(queue->capacity, 1);
    return queue->bytes != NULL;
}

enum status work_write_all(struct work_queue *queue)
{
    enum status status = begin_write(queue);
    return status == STATUS_OK ? wait_for_writer(queue) : status;
}

enum status work_write(struct work_queue *queue) { return queue->work->in_memory ? STATUS_OK : work_write_all(queue); }

enum status work_wait(struct work_queue *queue) { return wait_for_writer(queue); }

enum status work_drop(struct work_queue *queue)
{
    queue->size = 0;
    return wait_for_writer(queue);
}

static enum status add(struct work_queue *queue, unsigned table, const void *key, size_t key_size, const void *value,
                       size_t size)
{
    size_t more = RECORD_HEADER + key_size + size + INDEX_SUM_SIZE;
    if (!has_bytes(queue))
        return fault_nomem(queue->work->fault);
    if (queue->size + more > (queue->waits ? queue->capacity : queue->soon)) {
        enum status status = begin_write(queue);
        if (status != STATUS_OK)
            return status;
    }
    if (!has_bytes(queue))
        return fault_nomem(queue->work->fault);
    uint8_t *p = queue->bytes + queue->size;
    p[0] = (uint8_t)table;
    p[1] = (uint8_t)key_size;
    store_le32(p + 2, (uint32_t)size + INDEX_SUM_SIZE);
    memcpy(p + RECORD_HEADER, key, key_size);
    uint8_t *copy = p + RECORD_HEADER + key_size;
    memcpy(copy, value, size);
    index_seal(table & ~PUT, key, key_size, copy, size);
    queue->size += more;
    return STATUS_OK;
}

enum status work_append(struct work_queue *queue, enum index_table table, const void *key, size_t key_size,
                        const void *value, size_t size)
{
    return add(queue, table, key, key_size, value, size);
}

enum status work_put(struct work_queue *queue, enum index_table table, const void *key, size_t key_size,
                     const void *value, size_t size)
{
    return add(queue, table | PUT, key, key_size, value, size);
}

void work_queue_free(struct work_queue *queue)
{
    if (queue->busy)
        pthread_join(queue->thread, NULL);
    mem_free(queue->bytes);
    mem_free(queue->writing);
    *queue = (struct work_queue){.work = queue->work};
}

static enum status write_page(struct work_run *run)
{
    uint8_t key[PAIR_KEY_SIZE] = {0};
    store_run_key(key, run->run);
    if (run->begun) /* the first page has zeros, so that what is below its first pair leads to it too */
        memcpy(key + 2, run->page, PAIR_SIZE);
    run->begun = true;
    bool alone = run->queue->work->base.totals.blocks == 0; /* else there may be runs with higher numbers */
    enum status status = (alone ? work_append : work_put)(run->queue, run->table, key, sizeof key, run->page,
                                                          run->size);
    run->size = 0;
    return status;
}

enum status work_pair(struct work_run *run, uint64_t first, uint64_t second)
{
    store_pair(run->page + run->size, first, second);
    run->size += PAIR_SIZE;
    return run->size + PAIR_SIZE <= INDEX_ROOM ? STATUS_OK : write_page(run);
}

enum status work_pairs(struct work_run *run, const uint8_t *pairs, size_t count)
{
    enum status status = STATUS_OK;
    for (size_t left = count * PAIR_SIZE; left > 0 && status == STATUS_OK;) {
        size_t room = (INDEX_ROOM - run->size) / PAIR_SIZE * PAIR_SIZE, some = room < left ? room : left;
        memcpy(run->page + run->size, pairs, some);
        run->size += some;
        pairs += some;
        left -= some;
        if (run->size + PAIR_SIZE > INDEX_ROOM)
            status = write_page(run);
    }
    return status;
}

enum status work_run_end(struct work_run *run) { return run->size > 0 || !run->begun ? write_page(run) : STATUS_OK; }
