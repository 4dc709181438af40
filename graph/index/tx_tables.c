#include "graph/index/tables.h"
#include "parser/money.h"

/* ---- the files in the order of the chain ---- */

/* Reads the values of so many outputs from that number on; *sum_sat of them, and adds to *sum (walked.h). */
static enum status read_values(const struct index_work *work, struct streams *streams, uint64_t first, uint64_t count,
                               uint64_t *sum_sat, uint64_t *sum, struct fault *fault)
{
    enum status status = STATUS_OK;
    *sum_sat = 0;
    for (uint64_t i = first; i < first + count && status == STATUS_OK; i++) {
        uint64_t value_kind = 0;
        status = tables_next_output(work, &streams->outs, &value_kind, fault);
        *sum_sat += streams->values[i % NEAR_VALUES] = value_of(value_kind);
        *sum += value_kind;
    }
    return status;
}

/* Whether what was read of a block is what the walk left, at its last transaction. Of a damaged file the first one of
 * the build may not begin its block. */
static bool sums_are_right(const struct index_work *work, struct begun_tx *begun)
{
    if (begun->tx.height - work->first >= work->end - work->first)
        return false;
    const struct work_block *block = &work->blocks[begun->tx.height - work->first];
    begun->sum += walked_tx_sum(&begun->head, begun->txid.bytes);
    return begun->tx.number + 1 != block[1].first_tx ||
           (walked_sum(begun->sum) == block->sums[WORK_TXS] && walked_sum(begun->outs_sum) == block->sums[WORK_OUTS]);
}

/* Goes from `begun` to the transaction after it: its head, its txid, its numbers. */
static enum status next_tx(const struct index_work *work, struct streams *streams, struct begun_tx *begun,
                           struct fault *fault)
{
    struct index_tx *tx = &begun->tx;
    struct stream *stream = &streams->txs;
    enum status status = tables_fill_stream(work, stream, WALKED_TX_MAX, fault);
    if (status != STATUS_OK)
        return status;
    tx->number++;
    tx->index++;
    tx->offset += (uint32_t)begun->head.size;
    tx->first_input += begun->head.inputs;
    tx->first_output += begun->head.outputs;
    const uint8_t *end = stream->bytes + stream->size,
                  *p = walked_head_read(stream->bytes + stream->at, end, &begun->head);
    if (!p || (size_t)(end - p) < HASH256_SIZE)
        return tables_damaged(work, fault);
    memcpy(begun->txid.bytes, p, HASH256_SIZE);
    stream->at = (size_t)(p - stream->bytes) + HASH256_SIZE;
    begun->inputs_left = (uint32_t)begun->head.inputs;
    begun->value_in_sat = 0;
    if (begun->head.flags & TX_FIRST) {
        tx->height++;
        tx->index = 0;
        begun->sum = begun->outs_sum = 0;
        tx->offset = begun->head.offset;
        status = tx->height < work->end ? tables_read_near(work, &streams->near, tx->height, fault)
                                        : tables_damaged(work, fault);
    }
    if (status == STATUS_OK)
        status = read_values(work, streams, tx->first_output, begun->head.outputs, &begun->head.value_out_sat,
                             &begun->outs_sum, fault);
    return status == STATUS_OK && !sums_are_right(work, begun) ? tables_damaged(work, fault) : status;
}

/* Goes to the transaction with that input, from the beginning of its block; values are read from that of its window on.
 */
static enum status find_tx(const struct index_work *work, struct streams *streams, uint64_t input,
                           struct begun_tx *begun, struct fault *fault)
{
    uint32_t height = work_height_of_input(work, input);
    const struct work_block *block = &work->blocks[height - work->first],
                            *window = &work->blocks[block->window - work->first];
    uint64_t before_sat, before_sum = 0, output;
    *begun = (struct begun_tx){.tx = {.number = block->first_tx - 1,
                                      .first_input = block->first_input,
                                      .first_output = block->first_output,
                                      .height = height - 1}};
    tables_begin_stream(work, &streams->txs, WORK_TXS, block);
    tables_begin_stream(work, &streams->outs, WORK_OUTS, window);
    enum status status = read_values(work, streams, window->first_output, block->first_output - window->first_output,
                                     &before_sat, &before_sum, fault);
    do {
        if (status == STATUS_OK)
            status = next_tx(work, streams, begun, fault);
        if (status == STATUS_OK && begun->tx.height != height)
            status = tables_damaged(work, fault);
    } while (status == STATUS_OK && input - begun->tx.first_input >= begun->head.inputs);
    for (uint64_t i = block->first_input; i < input && status == STATUS_OK; i++)
        (void)tables_next_near(&streams->near, &output);
    return status;
}

/* ---- the transactions of a range, by one thread ---- */

static void set_bad(struct range *range, uint64_t input, const char *what)
{
    range->bad_input = input;
    range->bad = what;
}

/* Why a transaction with so much coming in cannot be; NULL if it can. */
static const char *flaw_of(const struct begun_tx *begun)
{
    if (begun->value_in_sat > MONEY_MAX_SAT)
        return "spends more value than there can be";
    if (!(begun->head.flags & TX_COINBASE) && begun->value_in_sat < begun->head.value_out_sat)
        return "creates more value than it spends";
    return NULL;
}

/* The whole record; returns its end. */
static uint8_t *put_tx(const struct begun_tx *begun, uint8_t *p)
{
    bool coinbase = begun->head.flags & TX_COINBASE;
    p = index_head_write(&begun->head, p);
    p = varint_put(p, coinbase ? 0 : begun->value_in_sat - begun->head.value_out_sat);
    memcpy(p, begun->txid.bytes, HASH256_SIZE);
    return p + HASH256_SIZE;
}

/* Sums what the transaction's inputs from *at on bring, as far as the range has them; *at is then where they end. */
static void sum_inputs(struct streams *streams, struct range *range, size_t *at, struct begun_tx *begun)
{
    for (; begun->inputs_left > 0 && *at < range->count && !range->bad; ++*at, begun->inputs_left--) {
        size_t i = *at;
        uint64_t output;
        uint64_t near = tables_next_near(&streams->near, &output);
        output &= near; /* of one that is not near it has no meaning, and may lead to memory never written */
        uint64_t near_sat = streams->values[output % NEAR_VALUES], spent = output | (range->spent[i] & ~near);
        range->spent[i] = spent;
        if (spent != INDEX_NONE_40 && spent >= begun->tx.first_output)
            set_bad(range, range->first + i, "spends an output of a later transaction");
        begun->value_in_sat = add_saturating(begun->value_in_sat, (near_sat & near) | (range->values[i] & ~near));
    }
}

static void make_tx(struct range *range, const struct begun_tx *begun)
{
    const struct index_tx *tx = &begun->tx;
    const char *flaw = flaw_of(begun);
    if (flaw) {
        set_bad(range, tx->first_input, flaw);
        return;
    }
    if (range->txs_count == 0)
        range->first_tx = tx->number;
    range->txs[range->txs_count++] = (struct made_tx){tx->first_input, tx->first_output, tx->height,
                                                      tx->index,       tx->offset,       (uint32_t)range->txs_size};
    range->txs_size = (size_t)(put_tx(begun, range->txs_bytes + range->txs_size) - range->txs_bytes);
}

/* To the end of the block, where the sums tell whether it is bad itself or the temporary files are. */
static enum status read_to_end(const struct index_work *work, struct streams *streams, struct begun_tx *begun,
                               struct fault *fault)
{
    uint64_t end = work->blocks[begun->tx.height - work->first + 1].first_tx;
    enum status status = STATUS_OK;
    while (begun->tx.number + 1 < end && status == STATUS_OK)
        status = next_tx(work, streams, begun, fault);
    return status;
}

/* Up to the first that cannot be right. */
static enum status make_txs(struct table_builder *builder, struct range *range)
{
    const struct index_work *work = builder->work;
    struct streams *streams = &builder->streams[range->worker];
    struct begun_tx begun;
    range->lead = 0;
    range->txs_count = range->txs_size = 0;
    range->begun.inputs_left = 0;
    range->bad = NULL;
    enum status status = find_tx(work, streams, range->first, &begun, &range->fault);
    if (status != STATUS_OK)
        return status;
    size_t i = 0;
    if (begun.tx.first_input < range->first) {
        begun.inputs_left -= (uint32_t)(range->first - begun.tx.first_input);
        sum_inputs(streams, range, &i, &begun);
        range->lead = (uint32_t)i;
        range->lead_value_sat = begun.value_in_sat;
        if (i < range->count && !range->bad)
            status = next_tx(work, streams, &begun, &range->fault);
    }
    while (i < range->count && !range->bad && status == STATUS_OK) {
        sum_inputs(streams, range, &i, &begun);
        if (begun.inputs_left == 0 && !range->bad)
            make_tx(range, &begun);
        if (i < range->count && !range->bad)
            status = next_tx(work, streams, &begun, &range->fault);
        else if (begun.inputs_left > 0)
            range->begun = begun;
    }
    range->txs[range->txs_count].record = (uint32_t)range->txs_size;
    return status == STATUS_OK && range->bad ? read_to_end(work, streams, &begun, &range->fault) : status;
}

/* ---- pages, in order ---- */

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
    enum status status = work_append(builder->queue, TABLE_TXS, first_output, 5, builder->page, builder->page_size);
    if (status == STATUS_OK)
        status = work_append(builder->queue, TABLE_TX_NUMBERS, first_tx, 5, value, 5);
    if (status == STATUS_OK)
        status = work_append(builder->queue, TABLE_TX_INPUTS, first_input, 5, value, 5);
    builder->page_count = 0;
    return status;
}

/* `tx` is asked for where the record begins a page. */
static enum status add_record(struct table_builder *builder, const struct index_tx *tx, const uint8_t *record,
                              size_t size)
{
    enum status status = STATUS_OK;
    if (builder->page_count > 0 && builder->page_size + size > INDEX_ROOM)
        status = end_tx_page(builder);
    if (builder->page_count == 0) {
        builder->page_first = *tx;
        builder->page_size = TX_PAGE_HEADER;
    }
    memcpy(builder->page + builder->page_size, record, size);
    builder->page_size += size;
    builder->page_count++;
    return status;
}

/* The transaction that began in an earlier range: its inputs in this one. */
static enum status go_on(struct table_builder *builder, const struct range *range)
{
    struct begun_tx *begun = &builder->begun;
    uint8_t record[TX_RECORD_MAX];
    begun->inputs_left -= range->lead;
    begun->value_in_sat = add_saturating(begun->value_in_sat, range->lead_value_sat);
    if (begun->inputs_left > 0)
        return STATUS_OK;
    const char *flaw = flaw_of(begun);
    if (flaw)
        return work_bad_input(builder->work, begun->tx.first_input, flaw);
    return add_record(builder, &begun->tx, record, (size_t)(put_tx(begun, record) - record));
}

static enum status add_txs(struct table_builder *builder, const struct range *range)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < range->txs_count && status == STATUS_OK; i++) {
        const struct made_tx *made = &range->txs[i];
        const struct index_tx tx = {.number = range->first_tx + i,
                                    .first_input = made->first_input,
                                    .first_output = made->first_output,
                                    .height = made->height,
                                    .index = made->index,
                                    .offset = made->offset};
        status = add_record(builder, &tx, range->txs_bytes + made->record, made[1].record - made->record);
    }
    return status;
}

/* ---- inputs ---- */

static enum status on_values(void *context, const struct spill_entry *entries, size_t count)
{
    struct range *range = context;
    for (size_t i = 0; i < count; i++) {
        if (entries[i].key >= range->count)
            return tables_damaged(range->work, &range->fault);
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
    if (range->status == STATUS_OK)
        range->status = make_txs(builder, range);
    for (size_t i = 0; i < range->count; i++)
        store_40(range->records + i * INPUT_SIZE, range->spent[i]);
}

/* What is bad is told where it comes in the order of the chain: an input that a transaction from before has in this
 * range, that transaction, the ones made here. */
static enum status write_inputs(struct table_builder *builder, struct range *range)
{
    bool bad_lead = range->bad && range->bad_input < range->first + range->lead;
    enum status status = page_writer_add(&builder->pages, range->records, range->count);
    if (status == STATUS_OK && bad_lead)
        return work_bad_input(builder->work, range->bad_input, range->bad);
    if (status == STATUS_OK && range->lead > 0)
        status = go_on(builder, range);
    if (status == STATUS_OK)
        status = add_txs(builder, range);
    if (status == STATUS_OK && range->bad)
        return work_bad_input(builder->work, range->bad_input, range->bad);
    if (range->begun.inputs_left > 0)
        builder->begun = range->begun;
    return status;
}

enum status build_tx_tables(struct table_builder *builder)
{
    struct index_work *work = builder->work;
    builder->pass = (struct range_pass){.prepare = prepare_inputs,
                                        .write = write_inputs,
                                        .ranges = (work_inputs(work) + work->in_range - 1) / work->in_range};
    builder->pass.done = builder->pass.ranges;
    enum status status = page_writer_begin(&builder->pages, builder->queue, TABLE_INPUTS, INPUT_SIZE,
                                           work->blocks[0].first_input);
    if (status == STATUS_OK)
        status = tables_run_pass(builder);
    if (status == STATUS_OK)
        status = page_writer_end(&builder->pages);
    return status == STATUS_OK ? end_tx_page(builder) : status;
}
