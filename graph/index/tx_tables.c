#include "graph/index/tables.h"
#include "parser/money.h"

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
    return tables_read_at(work->txs_fd, stream->bytes + left, some, stream->offset - some, work->folder, work->fault);
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
    index_page_write(first, builder->page_count, builder->page);
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
    if (builder->value_in_sat > MONEY_MAX_SAT)
        return work_bad_input(builder->work, tx->first_input, "spends more value than there can be");
    if (!coinbase && builder->value_in_sat < head->value_out_sat)
        return work_bad_input(builder->work, tx->first_input, "creates more value than it spends");
    p = index_head_write(head, p);
    p = varint_put(p, coinbase ? 0 : builder->value_in_sat - head->value_out_sat);
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
static enum status sum_inputs(struct table_builder *builder, const struct range *range)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < range->count && status == STATUS_OK;) {
        if (!builder->head_read && (status = next_tx(builder)) != STATUS_OK)
            return status;
        for (; builder->inputs_left > 0 && i < range->count; i++, builder->inputs_left--) {
            if (range->spent[i] != INDEX_NONE_40 && range->spent[i] >= builder->tx.first_output)
                return work_bad_input(builder->work, range->first + i, "spends an output of a later transaction");
            builder->value_in_sat = add_saturating(builder->value_in_sat, range->values[i]);
        }
        if (builder->inputs_left == 0)
            status = end_tx(builder);
    }
    return status;
}

static enum status write_inputs(struct table_builder *builder, struct range *range)
{
    enum status status = page_writer_add(&builder->pages, range->records, range->count);
    return status == STATUS_OK ? sum_inputs(builder, range) : status;
}

enum status build_tx_tables(struct table_builder *builder)
{
    struct index_work *work = builder->work;
    builder->pass = (struct range_pass){.prepare = prepare_inputs,
                                        .write = write_inputs,
                                        .ranges = (work_inputs(work) + work->in_range - 1) / work->in_range};
    enum status status = page_writer_begin(&builder->pages, &builder->queue, TABLE_INPUTS, INPUT_SIZE,
                                           work->blocks[0].first_input);
    if (status == STATUS_OK)
        status = tables_run_pass(builder, 1);
    if (status == STATUS_OK)
        status = page_writer_end(&builder->pages);
    return status == STATUS_OK ? end_tx_page(builder) : status;
}
