#include <errno.h>
#include <unistd.h>

#include "graph/index/work.h"
#include "parser/mem.h"
#include "parser/parallel.h"

#define STREAM_BYTES (1u << 20)

/* One range of outputs, or of inputs, made ready by one thread. */
struct range {
    struct index_work *work;
    unsigned worker;
    uint64_t number, first; /* of the range; the number of its first output or input */
    size_t count;
    enum status status;
    struct fault fault;
    uint8_t *outs, *records;  /* of outputs: as the walk left them, and as in the table */
    uint64_t *spent, *values; /* of inputs */
    uint64_t bad_input;       /* spends what is spent; UINT64_MAX: none */
    size_t capacity;
};

/* Fixed-width records on their way into pages. */
struct packer {
    struct work_queue *queue;
    enum index_table table;
    size_t record;
    uint32_t page_number;
    bool taken_over; /* the page is in the table already */
    uint8_t page[INDEX_PAGE];
    size_t size;
};

struct table_builder;

/* The txs file, read in order. */
struct stream {
    struct index_work *work;
    uint8_t *bytes;
    size_t size, at;
    uint64_t offset; /* in the file, behind `bytes` */
};

/* The ranges of one kind, in groups of one a thread: while one group is made ready, the group before is taken in. */
struct passage {
    void (*prepare)(struct table_builder *builder, struct range *range);
    enum status (*take)(struct table_builder *builder, struct range *range);
    uint64_t ranges, first; /* of how many; the first of the group that is made ready */
    size_t ready_count, next_count;
    enum status status; /* of taking in */
};

struct table_builder {
    struct index_work *work;
    struct work_queue queue;
    struct range *ready, *next; /* one a thread */
    struct passage passage;
    struct packer packer;
    uint64_t bad_input;
    /* transactions */
    struct stream stream;
    struct index_tx tx; /* that is to come next: numbers, height, index */
    struct tx_head head;
    struct hash256 txid;
    bool head_read;
    uint32_t inputs_left;
    uint64_t value_in_sat;
    uint8_t page[INDEX_PAGE];
    struct index_tx page_first;
    size_t page_size;
    unsigned page_count;
    uint32_t height; /* of the block under way */
};

/* ---- pages of fixed-width records ---- */

/* Goes on behind record `total` - 1: takes over the page that is not full. */
static enum status begin_packer(struct packer *packer, struct work_queue *queue, enum index_table table, size_t record,
                                uint64_t total)
{
    struct index_work *work = queue->work;
    *packer = (struct packer){.queue = queue, .table = table, .record = record};
    size_t a_page = INDEX_PAGE / record;
    packer->page_number = (uint32_t)(total / a_page);
    packer->size = total % a_page * record;
    packer->taken_over = packer->size > 0;
    if (!packer->taken_over)
        return STATUS_OK;
    struct kv_view *view = NULL;
    uint8_t key[4];
    const uint8_t *bytes;
    size_t size;
    store_be32(key, packer->page_number);
    enum status status = work_write(queue); /* no view may be open beside a write */
    if (status == STATUS_OK)
        status = kv_view_open(work->kv, &view, work->fault);
    if (status == STATUS_OK)
        status = kv_get(view, table, key, sizeof key, &bytes, &size, work->fault);
    if (status == STATUS_OK && size >= packer->size)
        memcpy(packer->page, bytes, packer->size);
    else if (status == STATUS_OK || status == STATUS_NOT_FOUND)
        status = kv_damaged(work->kv, "a page is missing", work->fault);
    kv_view_close(view);
    return status;
}

static enum status end_page(struct packer *packer)
{
    uint8_t key[4];
    store_be32(key, packer->page_number++);
    size_t size = packer->size;
    bool taken_over = packer->taken_over;
    packer->size = 0;
    packer->taken_over = false;
    return (taken_over ? work_put : work_append)(packer->queue, packer->table, key, sizeof key, packer->page, size);
}

static enum status pack(struct packer *packer, const uint8_t *records, size_t count)
{
    enum status status = STATUS_OK;
    size_t room = INDEX_PAGE / packer->record * packer->record, left = count * packer->record;
    while (left > 0 && status == STATUS_OK) {
        size_t some = room - packer->size < left ? room - packer->size : left;
        memcpy(packer->page + packer->size, records, some);
        packer->size += some;
        records += some;
        left -= some;
        if (packer->size == room)
            status = end_page(packer);
    }
    return status;
}

static enum status end_packer(struct packer *packer) { return packer->size > 0 ? end_page(packer) : STATUS_OK; }

/* ---- outputs ---- */

static enum status read_at(int fd, uint8_t *bytes, size_t size, uint64_t offset, const char *path, struct fault *fault)
{
    while (size > 0) {
        ssize_t got = pread(fd, bytes, size, (off_t)offset);
        if (got == 0)
            return fault_set(fault, STATUS_FORMAT, path, offset, "a temporary file is cut short");
        if (got < 0 && errno != EINTR)
            return fault_errno(fault, path, offset, "cannot read a temporary file");
        if (got > 0) {
            bytes += got;
            size -= (size_t)got;
            offset += (uint64_t)got;
        }
    }
    return STATUS_OK;
}

static enum status on_links(void *context, const struct spill_entry *entries, size_t count)
{
    struct range *range = context;
    struct index_work *work = range->work;
    uint64_t first_input = work->blocks[0].first_input;
    for (size_t i = 0; i < count; i++) {
        const struct spill_entry *link = &entries[i];
        if (link->key >= range->count || link->number < first_input || link->number >= work_end(work)->first_input)
            return fault_set(&range->fault, STATUS_FORMAT, work->folder, FAULT_NO_OFFSET,
                             "a temporary file is damaged");
        uint8_t *record = range->records + link->key * OUTPUT_SIZE;
        uint64_t before = load_40(record + 7);
        if (before != INDEX_NONE_40) { /* spent twice: the later input is the one that cannot be */
            uint64_t later = link->number > before ? link->number : before;
            range->bad_input = later < range->bad_input ? later : range->bad_input;
        }
        store_40(record + 7, link->number);
        uint64_t at = link->number - first_input;
        struct spill_entry value = {at % work->in_range, range->first + link->key,
                                    load_value_kind(record) & ((UINT64_C(1) << 52) - 1), 0};
        enum status status = spill_add(work->values, range->worker, (unsigned)(at / work->in_range), &value);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

static void prepare_outputs(struct table_builder *builder, struct range *range)
{
    struct index_work *work = builder->work;
    uint64_t all = work_outputs(work), from = range->number * work->out_range;
    range->first = work->blocks[0].first_output + from;
    range->count = (size_t)(all - from < work->out_range ? all - from : work->out_range);
    range->bad_input = UINT64_MAX;
    range->status = read_at(work->outs_fd, range->outs, range->count * 7, 7 * from, work->folder, &range->fault);
    if (range->status != STATUS_OK)
        return;
    for (size_t i = 0; i < range->count; i++)
        store_output(range->records + i * OUTPUT_SIZE, load_value_kind(range->outs + 7 * i), INDEX_NONE_40);
    range->status = spill_read(work->links, (unsigned)range->number, on_links, range, &range->fault);
}

static enum status take_outputs(struct table_builder *builder, struct range *range)
{
    builder->bad_input = range->bad_input < builder->bad_input ? range->bad_input : builder->bad_input;
    return pack(&builder->packer, range->records, range->count);
}

/* ---- ranges ---- */

static enum status range_status(const struct table_builder *builder, const struct range *range)
{
    if (range->status == STATUS_OK)
        return STATUS_OK;
    if (range->fault.status == STATUS_OK) /* a spill knows why */
        return spill_flush(builder->work->values, builder->work->fault);
    if (builder->work->fault)
        *builder->work->fault = range->fault;
    return range->status;
}

/* Item 0 takes the ready group in, the others make the next one ready. */
static void pass_item(void *context, unsigned worker, size_t item)
{
    struct table_builder *builder = context;
    struct passage *passage = &builder->passage;
    if (item > 0) {
        struct range *range = &builder->next[item - 1];
        range->worker = worker;
        range->number = passage->first + item - 1;
        passage->prepare(builder, range);
        return;
    }
    passage->status = STATUS_OK;
    for (size_t i = 0; i < passage->ready_count && passage->status == STATUS_OK; i++) {
        passage->status = range_status(builder, &builder->ready[i]);
        if (passage->status == STATUS_OK)
            passage->status = passage->take(builder, &builder->ready[i]);
    }
}

/* `done` of 2 * ranges have been shown as progress before. */
static enum status pass(struct table_builder *builder, uint64_t done)
{
    struct passage *passage = &builder->passage;
    unsigned threads = builder->work->options->threads;
    for (;;) {
        uint64_t left = passage->ranges - passage->first;
        passage->next_count = left < threads ? (size_t)left : threads;
        parallel_for(threads, 1 + passage->next_count, pass_item, builder);
        if (passage->status != STATUS_OK || passage->next_count == 0)
            return passage->status;
        struct range *swap = builder->ready;
        builder->ready = builder->next;
        builder->next = swap;
        passage->ready_count = passage->next_count;
        passage->first += passage->next_count;
        work_write_out(builder->work);
        work_progress(builder->work, INDEX_TABLES, done * passage->ranges + passage->first, 2 * passage->ranges);
        if (work_stopped(builder->work))
            return STATUS_INTERRUPTED;
    }
}

static enum status build_outputs(struct table_builder *builder)
{
    struct index_work *work = builder->work;
    builder->passage = (struct passage){.prepare = prepare_outputs,
                                        .take = take_outputs,
                                        .ranges = (work_outputs(work) + work->out_range - 1) / work->out_range};
    builder->bad_input = UINT64_MAX;
    enum status status = begin_packer(&builder->packer, &builder->queue, TABLE_OUTPUTS, OUTPUT_SIZE,
                                      work->blocks[0].first_output);
    if (status == STATUS_OK)
        status = pass(builder, 0);
    if (status == STATUS_OK)
        status = end_packer(&builder->packer);
    if (status == STATUS_OK)
        status = spill_flush(work->values, work->fault);
    if (status == STATUS_OK && builder->bad_input != UINT64_MAX)
        return work_bad_input(work, builder->bad_input, "spends an output that is spent");
    return status;
}

/* ---- transactions ---- */

static enum status fill_stream(struct stream *stream)
{
    struct index_work *work = stream->work;
    size_t left = stream->size - stream->at;
    memmove(stream->bytes, stream->bytes + stream->at, left);
    uint64_t more = work->txs_size - stream->offset;
    size_t some = more < STREAM_BYTES - left ? (size_t)more : STREAM_BYTES - left;
    stream->at = 0;
    stream->size = left + some;
    stream->offset += some;
    return read_at(work->txs_fd, stream->bytes + left, some, stream->offset - some, work->folder, work->fault);
}

/* Reads the head and txid of the next transaction. */
static enum status next_tx(struct table_builder *builder)
{
    struct stream *stream = &builder->stream;
    if (stream->size - stream->at < TX_RECORD_MAX && stream->offset < builder->work->txs_size) {
        enum status status = fill_stream(stream);
        if (status != STATUS_OK)
            return status;
    }
    const uint8_t *end = stream->bytes + stream->size,
                  *p = index_head_read(stream->bytes + stream->at, end, &builder->head);
    if (!p || (size_t)(end - p) < HASH256_SIZE)
        return fault_set(builder->work->fault, STATUS_FORMAT, builder->work->folder, FAULT_NO_OFFSET,
                         "a temporary file is damaged");
    memcpy(builder->txid.bytes, p, HASH256_SIZE);
    stream->at = (size_t)(p - stream->bytes) + HASH256_SIZE;
    builder->inputs_left = (uint32_t)builder->head.inputs;
    builder->value_in_sat = 0;
    builder->head_read = true;
    if (builder->head.flags & TX_FIRST) {
        builder->height++;
        builder->tx.index = 0;
        builder->tx.offset = builder->head.offset;
    }
    return STATUS_OK;
}

static enum status end_tx_page(struct table_builder *builder)
{
    uint8_t first_tx[5], first_input[5], first_output[5], value[5];
    const struct index_tx *first = &builder->page_first;
    if (builder->page_count == 0)
        return STATUS_OK;
    store_be40(first_tx, first->number);
    store_be40(first_input, first->first_input);
    store_be40(first_output, first->first_output);
    store_40(value, first->first_output);
    index_page_begin(first, builder->page);
    index_page_count(builder->page, builder->page_count);
    enum status status = work_append(&builder->queue, TABLE_TXS, first_output, 5, builder->page, builder->page_size);
    if (status == STATUS_OK)
        status = work_append(&builder->queue, TABLE_TX_NUMBERS, first_tx, 5, value, 5);
    if (status == STATUS_OK)
        status = work_append(&builder->queue, TABLE_TX_INPUTS, first_input, 5, value, 5);
    builder->page_count = 0;
    return status;
}

static enum status end_tx(struct table_builder *builder)
{
    uint8_t record[TX_RECORD_MAX], *p = record;
    const struct tx_head *head = &builder->head;
    struct index_tx *tx = &builder->tx;
    enum status status = STATUS_OK;
    bool coinbase = head->flags & TX_COINBASE;
    if (!coinbase && builder->value_in_sat < head->value_out_sat)
        return work_bad_input(builder->work, tx->first_input, "creates more value than it spends");
    p = index_head_write(head, p);
    p = put_varint(p, coinbase ? 0 : builder->value_in_sat - head->value_out_sat);
    memcpy(p, builder->txid.bytes, HASH256_SIZE);
    size_t size = (size_t)(p - record) + HASH256_SIZE;
    if (builder->page_count > 0 && builder->page_size + size > INDEX_PAGE)
        status = end_tx_page(builder);
    if (builder->page_count == 0) {
        builder->page_first = *tx;
        builder->page_first.height = builder->height;
        builder->page_size = TX_PAGE_HEADER;
    }
    memcpy(builder->page + builder->page_size, record, size);
    builder->page_size += size;
    builder->page_count++;
    tx->number++;
    tx->index++;
    tx->offset += (uint32_t)head->size;
    tx->first_input += head->inputs;
    tx->first_output += head->outputs;
    builder->head_read = false;
    return status;
}

/* ---- inputs ---- */

static enum status on_values(void *context, const struct spill_entry *entries, size_t count)
{
    struct range *range = context;
    for (size_t i = 0; i < count; i++) {
        if (entries[i].key >= range->count)
            return fault_set(&range->fault, STATUS_FORMAT, range->work->folder, FAULT_NO_OFFSET,
                             "a temporary file is damaged");
        range->spent[entries[i].key] = entries[i].number;
        range->values[entries[i].key] = entries[i].extra;
    }
    return STATUS_OK;
}

static void prepare_inputs(struct table_builder *builder, struct range *range)
{
    struct index_work *work = builder->work;
    uint64_t all = work_inputs(work), from = range->number * work->in_range;
    range->first = work->blocks[0].first_input + from;
    range->count = (size_t)(all - from < work->in_range ? all - from : work->in_range);
    for (size_t i = 0; i < range->count; i++)
        range->spent[i] = INDEX_NONE_40;
    memset(range->values, 0, range->count * sizeof *range->values);
    range->status = spill_read(work->values, (unsigned)range->number, on_values, range, &range->fault);
    for (size_t i = 0; i < range->count; i++)
        store_40(range->records + i * INPUT_SIZE, range->spent[i]);
}

/* Sums what the transactions' inputs bring, as far as this range has them. */
static enum status take_inputs(struct table_builder *builder, const struct range *range)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < range->count && status == STATUS_OK;) {
        if (!builder->head_read && (status = next_tx(builder)) != STATUS_OK)
            return status;
        for (; builder->inputs_left > 0 && i < range->count; i++, builder->inputs_left--) {
            if (range->spent[i] != INDEX_NONE_40 && range->spent[i] >= builder->tx.first_output)
                return work_bad_input(builder->work, range->first + i, "spends an output of a later transaction");
            builder->value_in_sat += range->values[i];
        }
        if (builder->inputs_left == 0)
            status = end_tx(builder);
    }
    return status;
}

static enum status take_range(struct table_builder *builder, struct range *range)
{
    enum status status = pack(&builder->packer, range->records, range->count);
    return status == STATUS_OK ? take_inputs(builder, range) : status;
}

static enum status build_inputs(struct table_builder *builder)
{
    struct index_work *work = builder->work;
    builder->passage = (struct passage){.prepare = prepare_inputs,
                                        .take = take_range,
                                        .ranges = (work_inputs(work) + work->in_range - 1) / work->in_range};
    enum status status = begin_packer(&builder->packer, &builder->queue, TABLE_INPUTS, INPUT_SIZE,
                                      work->blocks[0].first_input);
    if (status == STATUS_OK)
        status = pass(builder, 1);
    if (status == STATUS_OK)
        status = end_packer(&builder->packer);
    return status == STATUS_OK ? end_tx_page(builder) : status;
}

/* ---- blocks, later spends ---- */

static enum status build_blocks(struct table_builder *builder)
{
    struct index_work *work = builder->work;
    struct packer packer;
    enum status status = begin_packer(&packer, &builder->queue, TABLE_BLOCKS, BLOCK_SIZE, work->first);
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
        status = pack(&packer, bytes, 1);
        if (status == STATUS_OK)
            status = work_put(&builder->queue, TABLE_HEIGHTS, block->hash.bytes, HASH256_SIZE, value, sizeof value);
    }
    return status == STATUS_OK ? end_packer(&packer) : status;
}

struct late_spend {
    uint64_t output, input;
};

struct late_part {
    struct late_spend *pairs;
    size_t count, capacity;
    uint64_t first;
    struct fault *fault;
};

static enum status on_late_spends(void *context, const struct spill_entry *entries, size_t count)
{
    struct late_part *part = context;
    if (mem_reserve(&part->pairs, &part->capacity, part->count + count, sizeof *part->pairs) != STATUS_OK)
        return fault_nomem(part->fault);
    for (size_t i = 0; i < count; i++)
        part->pairs[part->count++] = (struct late_spend){part->first + entries[i].key, entries[i].number};
    return STATUS_OK;
}

static bool pair_is_below(const struct late_spend *a, const struct late_spend *b)
{
    return a->output != b->output ? a->output < b->output : a->input < b->input;
}

/* Merge sort, from the bottom up; leaves the result in *a. */
static void sort_pairs(struct late_spend **a, struct late_spend **scratch, size_t count)
{
    for (size_t width = 1; width < count; width *= 2) {
        const struct late_spend *from = *a;
        struct late_spend *to = *scratch;
        for (size_t low = 0; low < count; low += 2 * width) {
            size_t middle = low + width < count ? low + width : count,
                   high = middle + width < count ? middle + width : count;
            size_t i = low, j = middle;
            for (size_t k = low; k < high; k++)
                to[k] = i < middle && (j == high || !pair_is_below(&from[j], &from[i])) ? from[i++] : from[j++];
        }
        *scratch = *a;
        *a = to;
    }
}

static enum status build_late_spends(struct table_builder *builder)
{
    struct index_work *work = builder->work;
    struct late_part part = {.fault = work->fault};
    struct work_run run = {.queue = &builder->queue, .table = TABLE_LATE_SPENDS, .run = index_free_run(&work->base)};
    enum status status = STATUS_OK;
    uint64_t bad = UINT64_MAX;
    for (uint64_t number = 0; number * work->late_range < work->base.totals.outputs && status == STATUS_OK; number++) {
        part.first = number * work->late_range;
        part.count = 0;
        status = spill_read(work->late_spends, (unsigned)number, on_late_spends, &part, work->fault);
        struct late_spend *scratch = mem_alloc(part.count, sizeof *scratch);
        if (!scratch)
            status = fault_nomem(work->fault);
        if (status == STATUS_OK)
            sort_pairs(&part.pairs, &scratch, part.count);
        for (size_t i = 0; i < part.count && status == STATUS_OK; i++) {
            if (i > 0 && part.pairs[i].output == part.pairs[i - 1].output && part.pairs[i].input < bad)
                bad = part.pairs[i].input;
            status = work_pair(&run, part.pairs[i].output, part.pairs[i].input);
        }
        mem_free(scratch); /* either of the two: they change places */
        mem_free(part.pairs);
        part.pairs = NULL;
        part.capacity = 0;
    }
    if (status == STATUS_OK && bad != UINT64_MAX)
        return work_bad_input(work, bad, "spends an output that is spent");
    return status == STATUS_OK ? work_run_end(&run) : status;
}

/* ---- all ---- */

static enum status begin_builder(struct table_builder *builder)
{
    struct index_work *work = builder->work;
    unsigned threads = work->options->threads;
    size_t outputs = (size_t)work->out_range, inputs = (size_t)work->in_range;
    size_t records = outputs * OUTPUT_SIZE > inputs * INPUT_SIZE ? outputs * OUTPUT_SIZE : inputs * INPUT_SIZE;
    builder->stream = (struct stream){.work = work, .bytes = mem_alloc(STREAM_BYTES, 1)};
    builder->ready = mem_alloc(threads, sizeof *builder->ready);
    builder->next = mem_alloc(threads, sizeof *builder->next);
    bool ok = builder->stream.bytes && builder->ready && builder->next;
    for (unsigned i = 0; ok && i < 2 * threads; i++) {
        struct range *range = i < threads ? &builder->ready[i] : &builder->next[i - threads];
        range->work = work;
        range->outs = mem_alloc(outputs * 7 + 8, 1);
        range->records = mem_alloc(records + 8, 1);
        range->spent = mem_alloc(inputs, sizeof *range->spent);
        range->values = mem_alloc(inputs, sizeof *range->values);
        ok = range->outs && range->records && range->spent && range->values;
    }
    builder->height = work->first - 1; /* the first transaction begins the first block */
    builder->tx.number = work->blocks[0].first_tx;
    builder->tx.first_input = work->blocks[0].first_input;
    builder->tx.first_output = work->blocks[0].first_output;
    return ok ? STATUS_OK : fault_nomem(work->fault);
}

static void free_ranges(struct range *ranges, unsigned count)
{
    for (unsigned i = 0; ranges && i < count; i++) {
        mem_free(ranges[i].outs);
        mem_free(ranges[i].records);
        mem_free(ranges[i].spent);
        mem_free(ranges[i].values);
    }
    mem_free(ranges);
}

static void free_builder(struct table_builder *builder)
{
    free_ranges(builder->ready, builder->work->options->threads);
    free_ranges(builder->next, builder->work->options->threads);
    mem_free(builder->stream.bytes);
    work_queue_free(&builder->queue);
    mem_free(builder);
}

static enum status build_tables(struct index_work *work, enum status (*run)(struct table_builder *builder))
{
    struct table_builder *builder = mem_alloc(1, sizeof *builder);
    if (!builder)
        return fault_nomem(work->fault);
    builder->work = work;
    builder->queue.work = work;
    enum status status = begin_builder(builder);
    if (status == STATUS_OK)
        status = run(builder);
    if (status == STATUS_OK)
        status = work_write(&builder->queue);
    free_builder(builder);
    return status;
}

static enum status build_txs(struct table_builder *builder)
{
    enum status status = build_inputs(builder);
    if (status == STATUS_OK && builder->work->late_count > 0)
        status = build_late_spends(builder);
    return status == STATUS_OK ? build_blocks(builder) : status;
}

enum status index_build_outputs(struct index_work *work) { return build_tables(work, build_outputs); }
enum status index_build_txs(struct index_work *work) { return build_tables(work, build_txs); }
