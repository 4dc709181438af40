#include "graph/index/tables.h"
#include "parser/mem.h"
#include "parser/sort.h"

struct late_spend {
    uint64_t output; /* the key that they are sorted by */
    uint64_t input;
};

struct late_part {
    struct late_spend *spends;
    size_t count;
    size_t capacity;
    uint64_t first; /* output that the part begins with */
    uint64_t bad;   /* the first input that spends what is spent; UINT64_MAX: none */
    struct fault *fault;
};

static enum status on_late_spends(void *context, const struct spill_entry *entries, size_t count)
{
    struct late_part *part = context;
    if (mem_reserve(&part->spends, &part->capacity, part->count + count, sizeof *part->spends) != STATUS_OK)
        return fault_nomem(part->fault);
    for (size_t i = 0; i < count; i++)
        part->spends[part->count++] = (struct late_spend){part->first + entries[i].key, entries[i].number};
    return STATUS_OK;
}

/* Writes the spends of a part, in order. Where several inputs spend one output, all but the first are bad; in which
 * order those pairs are written then plays no part. */
static enum status write_part(struct late_part *part, const struct late_spend *sorted, struct work_run *run)
{
    enum status status = STATUS_OK;
    uint64_t first = 0;
    for (size_t i = 0; i < part->count && status == STATUS_OK; i++) {
        const struct late_spend *spend = &sorted[i];
        bool again = i > 0 && spend->output == sorted[i - 1].output;
        uint64_t later = spend->input > first ? spend->input : first;
        if (again && later < part->bad)
            part->bad = later;
        first = again && first < spend->input ? first : spend->input;
        status = work_pair(run, spend->output, spend->input);
    }
    return status;
}

/* One part of the late spends, which fits into memory. */
static enum status build_part(struct table_builder *builder, struct late_part *part, unsigned number,
                              struct work_run *run)
{
    struct index_work *work = builder->work;
    part->first = number * work->late_range;
    part->count = 0;
    enum status status = spill_read(work->late_spends, number, on_late_spends, part, work->fault);
    struct late_spend *spare = status == STATUS_OK ? mem_alloc(part->count, sizeof *spare) : NULL;
    if (status == STATUS_OK && !spare)
        status = fault_nomem(work->fault);
    if (status == STATUS_OK)
        status = write_part(part, sort_by_key(part->spends, spare, part->count, sizeof *spare), run);
    mem_free(spare);
    mem_free(part->spends);
    part->spends = NULL;
    part->capacity = 0;
    return status;
}

enum status build_late_spends(struct table_builder *builder)
{
    struct index_work *work = builder->work;
    struct late_part part = {.bad = UINT64_MAX, .fault = work->fault};
    struct work_run run = {.queue = builder->queue, .table = TABLE_LATE_SPENDS, .run = index_free_run(&work->base)};
    enum status status = STATUS_OK;
    uint64_t outputs = work->late_count > 0 ? work->base.totals.outputs : 0;
    for (unsigned n = 0; n * work->late_range < outputs && status == STATUS_OK; n++)
        status = build_part(builder, &part, n, &run);
    if (status == STATUS_OK && part.bad != UINT64_MAX)
        return work_bad_input(work, part.bad, "spends an output that is spent");
    return status == STATUS_OK ? work_run_end(&run) : status;
}
