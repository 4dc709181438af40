#include <assert.h>

#include "graph/index/join_part.h"
#include "parser/mem.h"
#include "parser/parallel.h"
#include "parser/search.h"
#include "parser/stop.h"

#define GROUP_CREATORS 1000000u /* whose pairs, 10 bytes each, fit into the queue */

struct join {
    struct index_work *work;
    struct part *parts;   /* one a thread */
    struct joined *slots; /* two a thread */
    size_t slots_count;
    uint32_t *passes; /* of each part, a power of 2 */
    size_t *firsts;   /* of each part: the number of its first pass, of all passes; and the end */
    size_t first;     /* pass of the group that is joined */
    struct work_run txids;
    unsigned __int128 sum; /* of the passes of the part before */
    bool spill_failed;     /* which knows why */
    enum status status;
};

static enum status flush(struct index_work *work)
{
    enum status status = spill_flush(work->links, work->fault);
    if (status == STATUS_OK)
        status = spill_flush(work->values, work->fault);
    return status == STATUS_OK ? spill_flush(work->late_spends, work->fault) : status;
}

static struct joined *slot_of(const struct join *join, size_t item) { return &join->slots[item % join->slots_count]; }

/* The part of a pass, of all passes. */
static unsigned part_of(const struct join *join, size_t pass)
{
    return (unsigned)LOWER_BOUND(i, 1, (size_t)1 << join->work->part_bits, join->firsts[i] <= pass) - 1;
}

static void join_part(void *context, unsigned worker, size_t lane, size_t item)
{
    struct join *join = context;
    struct part *part = &join->parts[worker];
    struct joined *joined = slot_of(join, item);
    struct index_work *work = join->work;
    (void)lane;
    part->worker = worker;
    part->number = part_of(join, join->first + item);
    part->pass = join->first + item - join->firsts[part->number];
    part->pass_shift = work->key_bits - (unsigned)__builtin_ctz(join->passes[part->number]);
    part_join(part, joined);
}

/* ---- the parts in order ---- */

/* After the last pass of a part: was it linked to the txids that its spenders name? Else the join is done again. */
static void compare_sums(struct join *join, unsigned part, bool last)
{
    struct index_work *work = join->work;
    if (!last)
        return;
    if (!work->exact[part] && join->sum != work->sums[part])
        work->exact[part] = work->unsure = true;
    join->sum = 0;
}

static enum status end_part(struct join *join, const struct joined *joined)
{
    if (joined->status == STATUS_OK)
        return work_pairs(&join->txids, joined->pairs, joined->count);
    join->spill_failed = joined->fault.status == STATUS_OK;
    if (!join->spill_failed && join->work->fault)
        *join->work->fault = joined->fault;
    return joined->status;
}

static bool take_part(void *context, size_t lane, size_t item)
{
    struct join *join = context;
    struct index_work *work = join->work;
    const struct joined *joined = slot_of(join, item);
    unsigned parts = 1u << work->part_bits, part = part_of(join, join->first + item);
    (void)lane;
    join->sum += joined->sum;
    compare_sums(join, part, join->first + item + 1 == join->firsts[part + 1]);
    join->status = end_part(join, joined);
    if ((item + 1) % join->slots_count == 0)
        work_write_out(work);
    work_progress(work, INDEX_JOIN, part, parts);
    if (join->status == STATUS_OK)
        join->status = stop_check(work->fault);
    return join->status == STATUS_OK;
}

/* ---- all parts ---- */

static enum status open_base(struct join *join)
{
    enum status status = STATUS_OK;
    for (unsigned i = 0; i < join->work->options->threads && status == STATUS_OK; i++)
        status = index_open_on(join->work->kv, &join->parts[i].base, join->work->fault);
    for (unsigned i = 0; i < join->work->options->threads && status == STATUS_OK && join->work->few; i++)
        status = index_open_windows(join->parts[i].base, join->work->fault);
    return status;
}

static void close_base(struct join *join)
{
    for (unsigned i = 0; i < join->work->options->threads; i++) {
        index_close(join->parts[i].base);
        join->parts[i].base = NULL;
    }
}

/* How many passes there are: of each part so many that one fits into a thread's share of the memory, and, where the
 * index is read meanwhile, into what is kept until that is done. */
static void choose_passes(struct join *join)
{
    const struct index_work *work = join->work;
    unsigned threads = work->options->threads;
    assert(threads > 0); /* as build.h says */
    uint64_t limit = work->memory / threads / WORK_CREATOR_BYTES;
    if (work->base.totals.blocks > 0 && limit > GROUP_CREATORS)
        limit = GROUP_CREATORS;
    join->firsts[0] = 0;
    for (unsigned i = 0; i < 1u << work->part_bits; i++) {
        uint64_t most = spill_count(work->creators, i);
        for (join->passes[i] = 1; most / join->passes[i] > limit && join->passes[i] < 1u << 16;)
            join->passes[i] *= 2;
        join->firsts[i + 1] = join->firsts[i] + join->passes[i];
    }
}

/* The passes that are joined in one go. While the index is read nothing may be written to it: then so many that what
 * is to be written fits into the queue. */
static size_t end_of_group(const struct join *join)
{
    const struct index_work *work = join->work;
    size_t passes = join->firsts[1u << work->part_bits], end = join->first;
    uint64_t creators = 0;
    if (work->base.totals.blocks == 0)
        return passes;
    while (end < passes) {
        unsigned part = part_of(join, end);
        creators += spill_count(work->creators, part) / join->passes[part] + 1;
        if (creators > GROUP_CREATORS && end > join->first)
            break;
        end++;
    }
    return end;
}

/* So many passes. */
static enum status join_group(struct join *join, size_t count)
{
    struct index_work *work = join->work;
    const struct parallel_lane lane = {count, join->slots_count};
    bool on_base = work->base.totals.blocks > 0;
    enum status status = on_base ? work_write_all(join->txids.queue) : STATUS_OK;
    if (status == STATUS_OK && on_base)
        status = open_base(join);
    if (status == STATUS_OK)
        status = parallel_lanes(work->options->threads, &lane, 1, join_part, take_part, join, work->fault);
    close_base(join);
    if (status == STATUS_OK && join->spill_failed) /* only now, when no thread adds to it any more */
        status = flush(join->work);
    return status == STATUS_OK ? join->status : status;
}

static enum status join_parts(struct join *join)
{
    size_t passes = join->firsts[1u << join->work->part_bits];
    enum status status = STATUS_OK;
    for (size_t end; join->first < passes && status == STATUS_OK; join->first = end) {
        end = end_of_group(join);
        status = join_group(join, end - join->first);
    }
    if (status == STATUS_OK)
        status = work_run_end(&join->txids);
    if (status == STATUS_OK)
        status = work_write(join->txids.queue);
    return status == STATUS_OK ? flush(join->work) : status;
}

static enum status report_bad(struct join *join)
{
    uint64_t missing = UINT64_MAX, spent = UINT64_MAX;
    for (unsigned i = 0; i < join->work->options->threads; i++) {
        missing = join->parts[i].bad_input < missing ? join->parts[i].bad_input : missing;
        spent = join->parts[i].bad_spent < spent ? join->parts[i].bad_spent : spent;
        join->work->late_count += join->parts[i].late_count;
    }
    if (missing < spent)
        return work_bad_input(join->work, missing, "spends an output that does not exist");
    return spent == UINT64_MAX ? STATUS_OK : work_bad_input(join->work, spent, "spends an output that is spent");
}

static enum status begin_join(struct join *join)
{
    struct index_work *work = join->work;
    unsigned threads = work->options->threads;
    size_t parts = (size_t)1 << work->part_bits;
    join->slots_count = 2 * (size_t)threads;
    join->parts = mem_alloc_apart(threads, sizeof *join->parts);
    join->slots = mem_alloc(join->slots_count, sizeof *join->slots);
    join->passes = mem_alloc(parts, sizeof *join->passes);
    join->firsts = mem_alloc(parts + 1, sizeof *join->firsts);
    if (!join->parts || !join->slots || !join->passes || !join->firsts)
        return fault_nomem(work->fault);
    for (unsigned i = 0; i < threads; i++)
        join->parts[i] = (struct part){.work = work, .bad_input = UINT64_MAX, .bad_spent = UINT64_MAX};
    choose_passes(join);
    return STATUS_OK;
}

static void end_join(struct join *join)
{
    for (unsigned i = 0; join->parts && i < join->work->options->threads; i++) {
        part_free(&join->parts[i]);
    }
    for (size_t i = 0; join->slots && i < join->slots_count; i++)
        mem_free(join->slots[i].pairs);
    mem_free(join->parts);
    mem_free(join->slots);
    mem_free(join->passes);
    mem_free(join->firsts);
}

enum status index_join(struct index_work *work)
{
    struct join join = {.work = work};
    work->queue.waits = work->base.totals.blocks > 0;
    join.txids = (struct work_run){.queue = &work->queue, .table = TABLE_TXIDS, .run = index_free_run(&work->base)};
    enum status status = begin_join(&join);
    if (status == STATUS_OK)
        status = join_parts(&join);
    if (status == STATUS_OK)
        status = report_bad(&join);
    end_join(&join);
    return status;
}
