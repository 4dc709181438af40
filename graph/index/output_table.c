#include "graph/index/tables.h"

static void set_spender(struct range *range, uint8_t *record, uint64_t input)
{
    uint64_t before = load_spender(record);
    if (before != INDEX_NONE_40) { /* spent twice: the later input is the one that cannot be */
        uint64_t later = input > before ? input : before;
        range->bad_input = later < range->bad_input ? later : range->bad_input;
    }
    store_spender(record, input);
}

static enum status on_links(void *context, const struct spill_entry *entries, size_t count)
{
    struct range *range = context;
    struct index_work *work = range->work;
    uint64_t first_input = work->blocks[0].first_input;
    for (size_t i = 0; i < count; i++) {
        const struct spill_entry *link = &entries[i];
        if (link->key >= range->count || link->number < first_input || link->number >= work_end(work)->first_input)
            return tables_damaged(work, &range->fault);
        uint8_t *record = range->records + link->key * OUTPUT_SIZE;
        set_spender(range, record, link->number);
    }
    return STATUS_OK;
}

/* What the walk has linked of a block. */
static void add_block(struct range *range, const struct near_inputs *near, uint64_t first_input)
{
    const uint8_t *distance = near->distances;
    for (size_t i = 0; i < near->count; i += 8)
        for (unsigned bits = near->bytes[i / 8]; bits != 0; bits &= bits - 1, distance += WALKED_DISTANCE) {
            uint64_t at = near->end - load_le16(distance) - range->first;
            if (at < range->count)
                set_spender(range, range->records + at * OUTPUT_SIZE, first_input + i + (unsigned)__builtin_ctz(bits));
        }
}

/* In the windows that have outputs of the range. */
static enum status add_near(struct table_builder *builder, struct range *range)
{
    const struct index_work *work = range->work;
    struct near_inputs *near = &builder->streams[range->worker].near;
    uint32_t last = work_height_of_output(work, range->first + range->count - 1);
    enum status status = STATUS_OK;
    for (uint32_t height = work_height_of_output(work, range->first); height < work->end; height++) {
        const struct work_block *block = &work->blocks[height - work->first];
        if (block->window > last || status != STATUS_OK)
            break;
        status = tables_read_near(work, near, height, &range->fault);
        if (status == STATUS_OK)
            add_block(range, near, block->first_input);
    }
    return status;
}

/* Of what the join has linked. In the order of outputs, whose numbers then go up in small steps. What is spent twice
 * ends the build anyway. */
static enum status spill_values(struct range *range)
{
    struct index_work *work = range->work;
    uint64_t first_input = work->blocks[0].first_input;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < range->count && status == STATUS_OK; i++) {
        const uint8_t *record = range->records + i * OUTPUT_SIZE;
        uint64_t spender = load_spender(record), at = spender - first_input;
        if (spender == INDEX_NONE_40)
            continue;
        struct spill_entry value = {at % work->in_range, range->first + i, value_of(load_value_kind(record)), 0, NULL};
        status = spill_add(work->values, range->worker, (unsigned)(at / work->in_range), &value);
    }
    return status;
}

/* Reads what the walk left of the range's outputs, from the beginning of a block: so each block is read by one range to
 * its end, and its sum compared. */
static enum status read_outputs(struct table_builder *builder, struct range *range)
{
    const struct index_work *work = range->work;
    struct stream *outs = &builder->streams[range->worker].outs;
    const struct work_block *block = &work->blocks[work_height_of_output(work, range->first) - work->first];
    size_t skip = (size_t)(range->first - block->first_output);
    uint64_t sum = 0, output = block->first_output;
    enum status status = STATUS_OK;
    tables_begin_stream(work, outs, WORK_OUTS, block);
    for (size_t i = 0; i < skip + range->count && status == STATUS_OK; i++) {
        uint64_t value_kind = 0;
        status = tables_next_output(work, outs, &value_kind, &range->fault);
        if (status == STATUS_OK && i >= skip)
            store_output(range->records + (i - skip) * OUTPUT_SIZE, value_kind, INDEX_NONE_40);
        sum += value_kind;
        if (++output == block[1].first_output) {
            if (status == STATUS_OK && walked_sum(sum) != block->sums[WORK_OUTS])
                return tables_damaged(work, &range->fault);
            block++;
            sum = 0;
        }
    }
    return status;
}

static void prepare_outputs(struct table_builder *builder, struct range *range)
{
    struct index_work *work = builder->work;
    uint64_t all = work_outputs(work), from = range->number * work->out_range;
    range->first = work->blocks[0].first_output + from;
    range->count = (size_t)(all - from < work->out_range ? all - from : work->out_range);
    range->bad_input = UINT64_MAX;
    range->status = read_outputs(builder, range);
    if (range->status != STATUS_OK)
        return;
    range->status = spill_read(work->links, (unsigned)range->number, on_links, range, &range->fault);
    if (range->status == STATUS_OK)
        range->status = spill_values(range);
    if (range->status == STATUS_OK)
        range->status = add_near(builder, range);
}

static enum status write_outputs(struct table_builder *builder, struct range *range)
{
    builder->bad_input = range->bad_input < builder->bad_input ? range->bad_input : builder->bad_input;
    return page_writer_add(&builder->pages, range->records, range->count);
}

enum status build_output_table(struct table_builder *builder)
{
    struct index_work *work = builder->work;
    builder->pass = (struct range_pass){.prepare = prepare_outputs,
                                        .write = write_outputs,
                                        .ranges = (work_outputs(work) + work->out_range - 1) / work->out_range};
    builder->bad_input = UINT64_MAX;
    enum status status = page_writer_begin(&builder->pages, builder->queue, TABLE_OUTPUTS, OUTPUT_SIZE,
                                           work->blocks[0].first_output);
    if (status == STATUS_OK)
        status = tables_run_pass(builder);
    if (status == STATUS_OK)
        status = page_writer_end(&builder->pages);
    if (status == STATUS_OK)
        status = spill_flush(work->values, work->fault);
    if (status == STATUS_OK && builder->bad_input != UINT64_MAX)
        return work_bad_input(work, builder->bad_input, "spends an output that is spent");
    return status;
}
