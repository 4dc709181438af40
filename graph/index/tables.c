#include "graph/index/tables.h"
#include "parser/block.h"
#include "parser/mem.h"
#include "parser/parallel.h"
#include "parser/file.h"
#include "parser/stop.h"

/* ---- pages of fixed-width records ---- */

enum status page_writer_begin(struct page_writer *writer, struct work_queue *queue, enum index_table table,
                              size_t record, uint64_t total)
{
    struct index_work *work = queue->work;
    *writer = (struct page_writer){.queue = queue, .table = table, .record = record};
    size_t a_page = INDEX_ROOM / record;
    writer->page_number = (uint32_t)(total / a_page);
    writer->size = total % a_page * record;
    writer->taken_over = writer->size > 0;
    if (!writer->taken_over)
        return STATUS_OK;
    struct kv_view *view = NULL;
    uint8_t key[4];
    struct kv_pair page = {0};
    store_be32(key, writer->page_number);
    enum status status = work_wait(queue); /* no view may be open during a write */
    if (status == STATUS_OK)
        status = kv_view_open(work->kv, &view, work->fault);
    if (status == STATUS_OK)
        status = index_get(work->kv, view, table, key, sizeof key, &page, work->fault);
    if (status == STATUS_OK && page.value_size >= writer->size)
        memcpy(writer->page, page.value, writer->size);
    else if (status == STATUS_OK || status == STATUS_NOT_FOUND)
        status = kv_damaged(work->kv, "a page is missing", work->fault);
    kv_view_close(view);
    return status;
}

static enum status write_page(struct page_writer *writer, const uint8_t *page, size_t size)
{
    uint8_t key[4];
    store_be32(key, writer->page_number++);
    bool taken_over = writer->taken_over;
    writer->size = 0;
    writer->taken_over = false;
    return (taken_over ? work_put : work_append)(writer->queue, writer->table, key, sizeof key, page, size);
}

enum status page_writer_add(struct page_writer *writer, const uint8_t *records, size_t count)
{
    enum status status = STATUS_OK;
    size_t room = INDEX_ROOM / writer->record * writer->record, left = count * writer->record;
    while (left > 0 && status == STATUS_OK) {
        size_t some = room - writer->size < left ? room - writer->size : left;
        if (some == room) { /* a whole page, from where it is */
            status = write_page(writer, records, room);
        } else {
            memcpy(writer->page + writer->size, records, some);
            writer->size += some;
            if (writer->size == room)
                status = write_page(writer, writer->page, room);
        }
        records += some;
        left -= some;
    }
    return status;
}

enum status page_writer_end(struct page_writer *writer)
{
    return writer->size > 0 ? write_page(writer, writer->page, writer->size) : STATUS_OK;
}

/* ---- what the walk left ---- */

void tables_begin_stream(const struct index_work *work, struct stream *stream, enum work_stream file,
                         const struct work_block *block)
{
    stream->size = stream->at = 0;
    stream->offset = block->at[file];
    stream->file = file;
    stream->end = work_end(work)->at[file];
}

static enum status read_stream(const struct index_work *work, enum work_stream file, uint8_t *bytes, size_t size,
                               uint64_t from, struct fault *fault)
{
    int fd = work->streams[file];
    ssize_t got = (work->in_memory ? file_memory_read_at : file_read_at)(fd, bytes, size, from);
    if (got < 0)
        return fault_errno(fault, work->folder, from, "cannot read a temporary file");
    if ((size_t)got < size)
        return fault_set(fault, STATUS_FORMAT, work->folder, from, "a temporary file is cut short");
    return STATUS_OK;
}

enum status tables_fill_stream(const struct index_work *work, struct stream *stream, size_t need, struct fault *fault)
{
    size_t left = stream->size - stream->at;
    if (left >= need || stream->offset >= stream->end)
        return STATUS_OK;
    memmove(stream->bytes, stream->bytes + stream->at, left);
    uint64_t more = stream->end - stream->offset;
    size_t some = more < STREAM_BYTES - left ? (size_t)more : STREAM_BYTES - left;
    stream->at = 0;
    stream->size = left + some;
    stream->offset += some;
    return read_stream(work, stream->file, stream->bytes + left, some, stream->offset - some, fault);
}

/* Whether so many bytes are of so many inputs, and each near output is one of the window's. */
static bool near_is_sound(const struct near_inputs *near, size_t size, uint64_t most)
{
    size_t bits = walked_near_size(near->count, 0), count = 0;
    for (size_t i = 0; i < bits; i++)
        count += (unsigned)__builtin_popcount(near->bytes[i]);
    if (size != walked_near_size(near->count, count) ||
        (near->count % 8 > 0 && near->bytes[bits - 1] >> near->count % 8 != 0))
        return false;
    bool sound = true;
    for (size_t i = bits; i < size; i += WALKED_DISTANCE) {
        unsigned distance = load_le16(near->bytes + i);
        sound &= distance > 0 && distance <= most;
    }
    return sound;
}

enum status tables_read_near(const struct index_work *work, struct near_inputs *near, uint32_t height,
                             struct fault *fault)
{
    const struct work_block *block = &work->blocks[height - work->first];
    uint64_t inputs = block[1].first_input - block->first_input, size = block[1].at[WORK_NEAR] - block->at[WORK_NEAR];
    uint64_t first = work->blocks[block->window - work->first].first_output;
    if (inputs > BLOCK_SIZE_MAX || size > walked_near_size(inputs, inputs) ||
        (size > 0 && size < walked_near_size(inputs, 0)))
        return tables_damaged(work, fault);
    size_t room = walked_near_size(inputs, 0) > size ? walked_near_size(inputs, 0) : size;
    if (mem_reserve(&near->bytes, &near->capacity, room + WALKED_DISTANCE, 1) != STATUS_OK)
        return fault_nomem(fault);
    near->count = inputs;
    near->next = 0;
    near->distances = near->bytes + walked_near_size(inputs, 0);
    near->end = block[1].first_output;
    if (size == 0)
        memset(near->bytes, 0, room);
    enum status status = size > 0 ? read_stream(work, WORK_NEAR, near->bytes, size, block->at[WORK_NEAR], fault)
                                  : STATUS_OK;
    uint32_t sum = status == STATUS_OK && size > 0 ? walked_sum(walked_bytes_sum(near->bytes, size)) : 0;
    if (status == STATUS_OK &&
        (sum != block->sums[WORK_NEAR] || (size > 0 && !near_is_sound(near, size, near->end - first))))
        status = tables_damaged(work, fault);
    return status;
}

enum status tables_damaged(const struct index_work *work, struct fault *fault)
{
    return fault_set(fault, STATUS_FORMAT, work->folder, FAULT_NO_OFFSET, SPILL_DAMAGED);
}

/* ---- ranges ---- */

static enum status range_status(struct table_builder *builder, const struct range *range)
{
    if (range->status == STATUS_OK)
        return STATUS_OK;
    builder->pass.spill_failed = range->fault.status == STATUS_OK;
    if (!builder->pass.spill_failed && builder->work->fault)
        *builder->work->fault = range->fault;
    return range->status;
}

static struct range *range_of(const struct table_builder *builder, size_t number)
{
    return &builder->ranges[number % builder->ranges_count];
}

static void prepare_range(void *context, unsigned worker, size_t lane, size_t number)
{
    struct table_builder *builder = context;
    struct range *range = range_of(builder, number);
    (void)lane;
    range->worker = worker;
    range->number = number;
    builder->pass.prepare(builder, range);
}

static bool write_range(void *context, size_t lane, size_t number)
{
    struct table_builder *builder = context;
    struct range_pass *pass = &builder->pass;
    struct range *range = range_of(builder, number);
    (void)lane;
    pass->status = range_status(builder, range);
    if (pass->status == STATUS_OK)
        pass->status = pass->write(builder, range);
    if (pass->status == STATUS_OK && number + 1 < pass->ranges && stop_requested())
        pass->status = STATUS_INTERRUPTED;
    if ((number + 1) % builder->ranges_count == 0)
        work_write_out(builder->work);
    work_progress(builder->work, INDEX_TABLES, pass->done + number + 1, 2 * pass->ranges);
    return pass->status == STATUS_OK;
}

enum status tables_run_pass(struct table_builder *builder)
{
    struct range_pass *pass = &builder->pass;
    unsigned threads = builder->work->options->threads;
    const struct parallel_lane lane = {pass->ranges, builder->ranges_count};
    if (stop_requested())
        return STATUS_INTERRUPTED;
    enum status status = parallel_lanes(threads, &lane, 1, prepare_range, write_range, builder, builder->work->fault);
    if (status == STATUS_OK && pass->spill_failed) /* only now, when no thread adds to it any more */
        status = spill_flush(builder->work->values, builder->work->fault);
    return status == STATUS_OK ? pass->status : status;
}

/* ---- blocks ---- */

static enum status build_blocks(struct table_builder *builder)
{
    struct index_work *work = builder->work;
    struct page_writer writer;
    enum status status = page_writer_begin(&writer, builder->queue, TABLE_BLOCKS, BLOCK_SIZE, work->first);
    for (uint32_t height = work->first; height < work->end && status == STATUS_OK; height++) {
        const struct chain_block *block = chain_active(work->chain, height);
        const struct work_block *at = &work->blocks[height - work->first];
        struct block_entry entry = {.block = {.height = height,
                                              .time = block->time,
                                              .txs = (uint32_t)(at[1].first_tx - at->first_tx),
                                              .hash = block->hash,
                                              .first_tx = at->first_tx,
                                              .file = work->dir.files[block->file].number,
                                              .offset = block->offset,
                                              .size = block->size},
                                    .first_input = at->first_input,
                                    .first_output = at->first_output};
        uint8_t bytes[BLOCK_SIZE], value[4];
        index_block_write(&entry, bytes);
        store_le32(value, height);
        status = page_writer_add(&writer, bytes, 1);
        if (status == STATUS_OK)
            status = work_put(builder->queue, TABLE_HEIGHTS, block->hash.bytes, HASH256_SIZE, value, sizeof value);
    }
    return status == STATUS_OK ? page_writer_end(&writer) : status;
}

/* ---- all ---- */

static bool begin_streams(struct streams *streams)
{
    streams->txs.bytes = mem_alloc(STREAM_BYTES, 1);
    streams->outs.bytes = mem_alloc(STREAM_BYTES, 1);
    streams->values = mem_alloc(NEAR_VALUES, sizeof *streams->values);
    return streams->txs.bytes && streams->outs.bytes && streams->values;
}

static enum status begin_builder(struct table_builder *builder)
{
    struct index_work *work = builder->work;
    unsigned threads = work->options->threads;
    size_t outputs = (size_t)work->out_range, inputs = (size_t)work->in_range;
    size_t records = outputs * OUTPUT_SIZE > inputs * INPUT_SIZE ? outputs * OUTPUT_SIZE : inputs * INPUT_SIZE;
    builder->ranges_count = 2 * (size_t)threads;
    builder->streams = mem_alloc_apart(threads, sizeof *builder->streams);
    builder->ranges = mem_alloc_apart(builder->ranges_count, sizeof *builder->ranges);
    bool ok = builder->streams && builder->ranges;
    for (unsigned i = 0; ok && i < threads; i++)
        ok = begin_streams(&builder->streams[i]);
    for (size_t i = 0; ok && i < builder->ranges_count; i++) {
        struct range *range = &builder->ranges[i];
        range->work = work;
        range->records = mem_resize(NULL, records + 8, 1); /* of all these what is used is written */
        range->spent = mem_resize(NULL, inputs, sizeof *range->spent);
        range->values = mem_resize(NULL, inputs, sizeof *range->values);
        range->txs = mem_resize(NULL, inputs + 1, sizeof *range->txs);
        range->txs_bytes = mem_resize(NULL, inputs, TX_RECORD_MAX);
        ok = range->records && range->spent && range->values && range->txs && range->txs_bytes;
    }
    return ok ? STATUS_OK : fault_nomem(work->fault);
}

static void free_range(const struct range *range)
{
    mem_free(range->records);
    mem_free(range->spent);
    mem_free(range->values);
    mem_free(range->txs);
    mem_free(range->txs_bytes);
}

static void free_builder(struct table_builder *builder)
{
    for (size_t i = 0; builder->ranges && i < builder->ranges_count; i++)
        free_range(&builder->ranges[i]);
    for (unsigned i = 0; builder->streams && i < builder->work->options->threads; i++) {
        mem_free(builder->streams[i].txs.bytes);
        mem_free(builder->streams[i].outs.bytes);
        mem_free(builder->streams[i].near.bytes);
        mem_free(builder->streams[i].values);
    }
    mem_free(builder->ranges);
    mem_free(builder->streams);
    mem_free(builder);
}

static enum status build_tables(struct index_work *work, const struct index_state *state, bool is_last,
                                enum status (*run)(struct table_builder *builder))
{
    struct table_builder *builder = mem_alloc(1, sizeof *builder);
    if (!builder)
        return fault_nomem(work->fault);
    builder->work = work;
    builder->queue = &work->queue;
    builder->queue->waits = false;
    builder->state = state;
    enum status status = begin_builder(builder);
    if (status == STATUS_OK)
        status = run(builder);
    if (status == STATUS_OK)
        status = is_last ? work_write_all(builder->queue) : work_write(builder->queue);
    free_builder(builder);
    return status;
}

static enum status build_rest(struct table_builder *builder)
{
    enum status status = build_tx_tables(builder);
    if (status == STATUS_OK)
        status = build_late_spends(builder);
    if (status == STATUS_OK)
        status = build_blocks(builder);
    if (status != STATUS_OK || !builder->state)
        return status;
    uint8_t bytes[STATE_SIZE];
    index_state_write(builder->state, bytes);
    return work_put(builder->queue, TABLE_META, "state", 5, bytes, sizeof bytes);
}

enum status index_build_outputs(struct index_work *work) { return build_tables(work, NULL, false, build_output_table); }

enum status index_build_txs(struct index_work *work, const struct index_state *state)
{
    return build_tables(work, state, true, build_rest);
}
