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

struct place;

/* The txs file, read in order. */
struct stream {
    struct index_work *work;
    uint8_t *bytes;
    size_t size, at;
    uint64_t offset; /* in the file, behind `bytes` */
};

/* The ranges of one kind, in groups of one a thread: while one group is made ready, the group before is taken in. */
struct passage {
    void (*prepare)(struct place *place, struct range *range);
    enum status (*take)(struct place *place, struct range *range);
    uint64_t ranges, first; /* of how many; the first of the group that is made ready */
    size_t ready_count, next_count;
    enum status status; /* of taking in */
};

struct place {
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

static enum status see_links(void *context, const struct spill_entry *entries, size_t count)
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

static void prepare_outputs(struct place *place, struct range *range)
{
    struct index_work *work = place->work;
    uint64_t all = work_outputs(work), from = range->number * work->out_range;
    range->first = work->blocks[0].first_output + from;
    range->count = (size_t)(all - from < work->out_range ? all - from : work->out_range);
    range->bad_input = UINT64_MAX;
    range->status = read_at(work->outs_fd, range->outs, range->count * 7, 7 * from, work->folder, &range->fault);
    if (range->status != STATUS_OK)
        return;
    for (size_t i = 0; i < range->count; i++)
        store_output(range->records + i * OUTPUT_SIZE, load_value_kind(range->outs + 7 * i), INDEX_NONE_40);
    range->status = spill_read(work->links, (unsigned)range->number, see_links, range, &range->fault);
}

static enum status take_outputs(struct place *place, struct range *range)
{
    place->bad_input = range->bad_input < place->bad_input ? range->bad_input : place->bad_input;
    return pack(&place->packer, range->records, range->count);
}

/* ---- ranges ---- */

static enum status range_status(const struct place *place, const struct range *range)
{
    if (range->status == STATUS_OK)
        return STATUS_OK;
    if (range->fault.status == STATUS_OK) /* a spill knows why */
        return spill_flush(place->work->values, place->work->fault);
    if (place->work->fault)
        *place->work->fault = range->fault;
    return range->status;
}

/* Item 0 takes the ready group in, the others make the next one ready. */
static void pass_item(void *context, unsigned worker, size_t item)
{
    struct place *place = context;
    struct passage *passage = &place->passage;
    if (item > 0) {
        struct range *range = &place->next[item - 1];
        range->worker = worker;
        range->number = passage->first + item - 1;
        passage->prepare(place, range);
        return;
    }
    passage->status = STATUS_OK;
    for (size_t i = 0; i < passage->ready_count && passage->status == STATUS_OK; i++) {
        passage->status = range_status(place, &place->ready[i]);
        if (passage->status == STATUS_OK)
            passage->status = passage->take(place, &place->ready[i]);
    }
}

/* `done` of 2 * ranges have been shown as progress before. */
static enum status pass(struct place *place, uint64_t done)
{
    struct passage *passage = &place->passage;
    unsigned threads = place->work->options->threads;
    for (;;) {
        uint64_t left = passage->ranges - passage->first;
        passage->next_count = left < threads ? (size_t)left : threads;
        parallel_for(threads, 1 + passage->next_count, pass_item, place);
        if (passage->status != STATUS_OK || passage->next_count == 0)
            return passage->status;
        struct range *swap = place->ready;
        place->ready = place->next;
        place->next = swap;
        passage->ready_count = passage->next_count;
        passage->first += passage->next_count;
        work_write_out(place->work);
        work_progress(place->work, INDEX_TABLES, done * passage->ranges + passage->first, 2 * passage->ranges);
        if (work_stopped(place->work))
            return STATUS_INTERRUPTED;
    }
}

static enum status place_outputs(struct place *place)
{
    struct index_work *work = place->work;
    place->passage = (struct passage){.prepare = prepare_outputs,
                                      .take = take_outputs,
                                      .ranges = (work_outputs(work) + work->out_range - 1) / work->out_range};
    place->bad_input = UINT64_MAX;
    enum status status = begin_packer(&place->packer, &place->queue, TABLE_OUTPUTS, OUTPUT_SIZE,
                                      work->blocks[0].first_output);
    if (status == STATUS_OK)
        status = pass(place, 0);
    if (status == STATUS_OK)
        status = end_packer(&place->packer);
    if (status == STATUS_OK)
        status = spill_flush(work->values, work->fault);
    if (status == STATUS_OK && place->bad_input != UINT64_MAX)
        return work_bad_input(work, place->bad_input, "spends an output that is spent");
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
static enum status next_tx(struct place *place)
{
    struct stream *stream = &place->stream;
    if (stream->size - stream->at < TX_RECORD_MAX && stream->offset < place->work->txs_size) {
        enum status status = fill_stream(stream);
        if (status != STATUS_OK)
            return status;
    }
    const uint8_t *end = stream->bytes + stream->size,
                  *p = index_head_read(stream->bytes + stream->at, end, &place->head);
    if (!p || (size_t)(end - p) < HASH256_SIZE)
        return fault_set(place->work->fault, STATUS_FORMAT, place->work->folder, FAULT_NO_OFFSET,
                         "a temporary file is damaged");
    memcpy(place->txid.bytes, p, HASH256_SIZE);
    stream->at = (size_t)(p - stream->bytes) + HASH256_SIZE;
    place->inputs_left = (uint32_t)place->head.inputs;
    place->value_in_sat = 0;
    place->head_read = true;
    if (place->head.flags & TX_FIRST) {
        place->height++;
        place->tx.index = 0;
        place->tx.offset = place->head.offset;
    }
    return STATUS_OK;
}

static enum status end_tx_page(struct place *place)
{
    uint8_t first_tx[5], first_input[5], first_output[5], value[5];
    const struct index_tx *first = &place->page_first;
    if (place->page_count == 0)
        return STATUS_OK;
    store_be40(first_tx, first->number);
    store_be40(first_input, first->first_input);
    store_be40(first_output, first->first_output);
    store_40(value, first->first_output);
    index_page_begin(first, place->page);
    index_page_count(place->page, place->page_count);
    enum status status = work_append(&place->queue, TABLE_TXS, first_output, 5, place->page, place->page_size);
    if (status == STATUS_OK)
        status = work_append(&place->queue, TABLE_TX_NUMBERS, first_tx, 5, value, 5);
    if (status == STATUS_OK)
        status = work_append(&place->queue, TABLE_TX_INPUTS, first_input, 5, value, 5);
    place->page_count = 0;
    return status;
}

static enum status end_tx(struct place *place)
{
    uint8_t record[TX_RECORD_MAX], *p = record;
    const struct tx_head *head = &place->head;
    struct index_tx *tx = &place->tx;
    enum status status = STATUS_OK;
    bool coinbase = head->flags & TX_COINBASE;
    if (!coinbase && place->value_in_sat < head->value_out_sat)
        return work_bad_input(place->work, tx->first_input, "creates more value than it spends");
    p = index_head_write(head, p);
    p = put_varint(p, coinbase ? 0 : place->value_in_sat - head->value_out_sat);
    memcpy(p, place->txid.bytes, HASH256_SIZE);
    size_t size = (size_t)(p - record) + HASH256_SIZE;
    if (place->page_count > 0 && place->page_size + size > INDEX_PAGE)
        status = end_tx_page(place);
    if (place->page_count == 0) {
        place->page_first = *tx;
        place->page_first.height = place->height;
        place->page_size = TX_PAGE_HEADER;
    }
    memcpy(place->page + place->page_size, record, size);
    place->page_size += size;
    place->page_count++;
    tx->number++;
    tx->index++;
    tx->offset += (uint32_t)head->size;
    tx->first_input += head->inputs;
    tx->first_output += head->outputs;
    place->head_read = false;
    return status;
}

/* ---- inputs ---- */

static enum status see_values(void *context, const struct spill_entry *entries, size_t count)
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

static void prepare_inputs(struct place *place, struct range *range)
{
    struct index_work *work = place->work;
    uint64_t all = work_inputs(work), from = range->number * work->in_range;
    range->first = work->blocks[0].first_input + from;
    range->count = (size_t)(all - from < work->in_range ? all - from : work->in_range);
    for (size_t i = 0; i < range->count; i++)
        range->spent[i] = INDEX_NONE_40;
    memset(range->values, 0, range->count * sizeof *range->values);
    range->status = spill_read(work->values, (unsigned)range->number, see_values, range, &range->fault);
    for (size_t i = 0; i < range->count; i++)
        store_40(range->records + i * INPUT_SIZE, range->spent[i]);
}

/* Sums what the transactions' inputs bring, as far as this range has them. */
static enum status take_inputs(struct place *place, const struct range *range)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < range->count && status == STATUS_OK;) {
        if (!place->head_read && (status = next_tx(place)) != STATUS_OK)
            return status;
        for (; place->inputs_left > 0 && i < range->count; i++, place->inputs_left--) {
            if (range->spent[i] != INDEX_NONE_40 && range->spent[i] >= place->tx.first_output)
                return work_bad_input(place->work, range->first + i, "spends an output of a later transaction");
            place->value_in_sat += range->values[i];
        }
        if (place->inputs_left == 0)
            status = end_tx(place);
    }
    return status;
}

static enum status take_range(struct place *place, struct range *range)
{
    enum status status = pack(&place->packer, range->records, range->count);
    return status == STATUS_OK ? take_inputs(place, range) : status;
}

static enum status place_inputs(struct place *place)
{
    struct index_work *work = place->work;
    place->passage = (struct passage){.prepare = prepare_inputs,
                                      .take = take_range,
                                      .ranges = (work_inputs(work) + work->in_range - 1) / work->in_range};
    enum status status = begin_packer(&place->packer, &place->queue, TABLE_INPUTS, INPUT_SIZE,
                                      work->blocks[0].first_input);
    if (status == STATUS_OK)
        status = pass(place, 1);
    if (status == STATUS_OK)
        status = end_packer(&place->packer);
    return status == STATUS_OK ? end_tx_page(place) : status;
}

/* ---- blocks, later spends ---- */

static enum status place_blocks(struct place *place)
{
    struct index_work *work = place->work;
    struct packer packer;
    enum status status = begin_packer(&packer, &place->queue, TABLE_BLOCKS, BLOCK_SIZE, work->first);
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
            status = work_put(&place->queue, TABLE_HEIGHTS, block->hash.bytes, HASH256_SIZE, value, sizeof value);
    }
    return status == STATUS_OK ? end_packer(&packer) : status;
}

struct later_pair {
    uint64_t output, input;
};

struct later_part {
    struct later_pair *pairs;
    size_t count, capacity;
    uint64_t first;
    struct fault *fault;
};

static enum status see_later(void *context, const struct spill_entry *entries, size_t count)
{
    struct later_part *part = context;
    if (mem_reserve(&part->pairs, &part->capacity, part->count + count, sizeof *part->pairs) != STATUS_OK)
        return fault_nomem(part->fault);
    for (size_t i = 0; i < count; i++)
        part->pairs[part->count++] = (struct later_pair){part->first + entries[i].key, entries[i].number};
    return STATUS_OK;
}

static bool pair_is_below(const struct later_pair *a, const struct later_pair *b)
{
    return a->output != b->output ? a->output < b->output : a->input < b->input;
}

/* Merge sort, from the bottom up; leaves the result in *a. */
static void sort_pairs(struct later_pair **a, struct later_pair **scratch, size_t count)
{
    for (size_t width = 1; width < count; width *= 2) {
        const struct later_pair *from = *a;
        struct later_pair *to = *scratch;
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

static enum status place_later(struct place *place)
{
    struct index_work *work = place->work;
    struct later_part part = {.fault = work->fault};
    struct work_run run = {.queue = &place->queue, .table = TABLE_LATER, .run = index_free_run(&work->base)};
    enum status status = STATUS_OK;
    uint64_t bad = UINT64_MAX;
    for (uint64_t number = 0; number * work->later_range < work->base.totals.outputs && status == STATUS_OK; number++) {
        part.first = number * work->later_range;
        part.count = 0;
        status = spill_read(work->later, (unsigned)number, see_later, &part, work->fault);
        struct later_pair *scratch = mem_alloc(part.count, sizeof *scratch);
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

static enum status begin_place(struct place *place)
{
    struct index_work *work = place->work;
    unsigned threads = work->options->threads;
    size_t outputs = (size_t)work->out_range, inputs = (size_t)work->in_range;
    size_t records = outputs * OUTPUT_SIZE > inputs * INPUT_SIZE ? outputs * OUTPUT_SIZE : inputs * INPUT_SIZE;
    place->stream = (struct stream){.work = work, .bytes = mem_alloc(STREAM_BYTES, 1)};
    place->ready = mem_alloc(threads, sizeof *place->ready);
    place->next = mem_alloc(threads, sizeof *place->next);
    bool ok = place->stream.bytes && place->ready && place->next;
    for (unsigned i = 0; ok && i < 2 * threads; i++) {
        struct range *range = i < threads ? &place->ready[i] : &place->next[i - threads];
        range->work = work;
        range->outs = mem_alloc(outputs * 7 + 8, 1);
        range->records = mem_alloc(records + 8, 1);
        range->spent = mem_alloc(inputs, sizeof *range->spent);
        range->values = mem_alloc(inputs, sizeof *range->values);
        ok = range->outs && range->records && range->spent && range->values;
    }
    place->height = work->first - 1; /* the first transaction begins the first block */
    place->tx.number = work->blocks[0].first_tx;
    place->tx.first_input = work->blocks[0].first_input;
    place->tx.first_output = work->blocks[0].first_output;
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

static void end_place(struct place *place)
{
    free_ranges(place->ready, place->work->options->threads);
    free_ranges(place->next, place->work->options->threads);
    mem_free(place->stream.bytes);
    work_queue_free(&place->queue);
    mem_free(place);
}

static enum status run_place(struct index_work *work, enum status (*run)(struct place *place))
{
    struct place *place = mem_alloc(1, sizeof *place);
    if (!place)
        return fault_nomem(work->fault);
    place->work = work;
    place->queue.work = work;
    enum status status = begin_place(place);
    if (status == STATUS_OK)
        status = run(place);
    if (status == STATUS_OK)
        status = work_write(&place->queue);
    end_place(place);
    return status;
}

static enum status place_rest(struct place *place)
{
    enum status status = place_inputs(place);
    if (status == STATUS_OK && place->work->later_pairs > 0)
        status = place_later(place);
    return status == STATUS_OK ? place_blocks(place) : status;
}

enum status index_place_outputs(struct index_work *work) { return run_place(work, place_outputs); }
enum status index_place_rest(struct index_work *work) { return run_place(work, place_rest); }
