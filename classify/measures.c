#include "classify/measures.h"

#include <math.h>
#include <string.h>

#include "parser/log10.h"
#include "parser/mem.h"
#include "parser/parallel.h"
#include "parser/search.h"
#include "parser/sort.h"

#define CHUNK_DAGS 1024u
#define DAY_S 86400.0
#define SPAN_MIN_S 600u /* a block's interval: header times are no finer */

/* T-DAGs, and transactions of each, see ask_ahead. */
#define AHEAD 8u
#define FEW 4u

/* A step as one number: no block of 4 million weight units has a transaction with more inputs or outputs than this. */
#define STEP_BITS 20u
#define STEP_MAX ((UINT64_C(1) << STEP_BITS) - 1)

/* ---- equal keys ---- */

static size_t run_of(const uint64_t *sorted, size_t begin, size_t count)
{
    size_t end = begin + 1;
    while (end < count && sorted[end] == sorted[begin])
        end++;
    return end - begin;
}

/* 0 if all keys differ, 1 if all are equal; 0 for fewer than two. */
static double agreement(uint64_t *keys, uint64_t *spare, size_t count)
{
    const uint64_t *sorted = sort_by_key(keys, spare, count, sizeof *keys);
    size_t most = 1;
    for (size_t i = 0, run; i < count; i += run) {
        run = run_of(sorted, i, count);
        most = run > most ? run : most;
    }
    return count < 2 ? 0 : (double)(most - 1) / (double)(count - 1);
}

/* ---- steps, fan-outs and values ---- */

static uint64_t step_part(uint32_t number) { return number < STEP_MAX ? number : STEP_MAX; }

static uint64_t step_nodes(uint64_t step) { return (step & STEP_MAX) + (step >> 3 * STEP_BITS); }

/* The share of nodes in the step that covers most of them, of those that occur twice or more. */
static double repetition(uint64_t *steps, uint64_t *spare, size_t count)
{
    const uint64_t *sorted = sort_by_key(steps, spare, count, sizeof *steps);
    uint64_t nodes = 0, most = 0;
    for (size_t i = 0, run; i < count; i += run) {
        run = run_of(sorted, i, count);
        uint64_t covered = run * step_nodes(sorted[i]);
        nodes += covered;
        if (run > 1 && covered > most)
            most = covered;
    }
    return nodes > 0 ? (double)most / (double)nodes : 0;
}

/* What one T-DAG's transactions tell, each list in its part of scratch->keys. */
struct lists {
    uint64_t *steps;
    uint64_t *fan_outs;
    uint64_t *amounts;
    size_t steps_count;
    size_t fan_outs_count;
    size_t amounts_count;
};

static void add_amount(struct lists *lists, uint64_t value_sat)
{
    if (value_sat > 0)
        lists->amounts[lists->amounts_count++] = value_sat;
}

static void look_at_tx(const struct forest *forest, uint32_t number, enum rules rules, struct lists *lists)
{
    const struct forest_tx *tx = &forest->txs[number];
    uint32_t unknown = tx->nulldata, spent = 0, inputs = forest_unknown_inputs(forest, number, rules);
    uint64_t others_sat = tx->value_out_sat;
    for (uint32_t o = tx->first_output; o < tx[1].first_output; o++) {
        const struct forest_output *output = &forest->outputs[o];
        if (!(output->unknown >> rules & 1))
            continue;
        unknown++;
        spent += output->spender != FOREST_NONE;
        /* what a damaged store calls a sum need not be one */
        others_sat -= output->value_sat < others_sat ? output->value_sat : others_sat;
        add_amount(lists, output->value_sat);
    }
    add_amount(lists, others_sat);
    uint64_t root = (tx->coinbase || inputs < tx->inputs) && unknown > 0;
    lists->steps[lists->steps_count++] = root << 3 * STEP_BITS | step_part(inputs) << 2 * STEP_BITS |
                                         step_part(spent) << STEP_BITS | step_part(tx->outputs);
    if (spent > 0)
        lists->fan_outs[lists->fan_outs_count++] = tx->outputs;
}

static enum status look_at_all(struct measures_scratch *scratch, const struct forest *forest, enum rules rules,
                               const uint32_t *members, uint32_t count, struct measures_row *measures)
{
    size_t amounts = count;
    for (uint32_t i = 0; i < count; i++)
        amounts += forest->txs[members[i] + 1].first_output - forest->txs[members[i]].first_output;
    enum status status = mem_reserve(&scratch->keys, &scratch->keys_capacity, 2 * (size_t)count + amounts,
                                     sizeof *scratch->keys);
    if (status == STATUS_OK)
        status = mem_reserve(&scratch->spare, &scratch->spare_capacity, amounts, sizeof *scratch->spare);
    if (status != STATUS_OK)
        return status;
    struct lists lists = {
        .steps = scratch->keys, .fan_outs = scratch->keys + count, .amounts = scratch->keys + 2 * (size_t)count};
    for (uint32_t i = 0; i < count; i++)
        look_at_tx(forest, members[i], rules, &lists);
    measures->repetition = repetition(lists.steps, scratch->spare, lists.steps_count);
    measures->fan_out_regularity = agreement(lists.fan_outs, scratch->spare, lists.fan_outs_count);
    measures->equal_values = agreement(lists.amounts, scratch->spare, lists.amounts_count);
    return STATUS_OK;
}

/* ---- times ---- */

/* Whole numbers, so that no order of summing matters: gaps are below 2^32, and there are fewer than 2^32. */
struct spread {
    uint64_t count;
    uint64_t sum;
    unsigned __int128 squares;
};

static void spread_add(struct spread *spread, uint64_t gap)
{
    spread->count++;
    spread->sum += gap;
    spread->squares += (unsigned __int128)gap * gap;
}

/* 1 - coefficient of variation, not below 0, and less the fewer gaps there are. Gaps of chance (a Poisson process)
 * vary by 1. */
static double steadiness(const struct spread *spread)
{
    if (spread->count < 2 || spread->sum == 0)
        return 0;
    unsigned __int128 variance = spread->count * spread->squares - (unsigned __int128)spread->sum * spread->sum;
    double variation = sqrt((double)variance) / (double)spread->sum;
    return variation < 1 ? (1 - variation) * (1 - 1 / (double)spread->count) : 0;
}

/* Transactions of one block are one beat; of the beats in blocks and in seconds the steadier one counts. */
static double cadence(const struct forest *forest, const uint32_t *members, uint32_t count)
{
    struct spread blocks = {0}, seconds = {0};
    for (uint32_t i = 1; i < count; i++) {
        uint32_t before = forest->txs[members[i - 1]].height, height = forest->txs[members[i]].height;
        if (height == before)
            continue;
        uint32_t before_s = forest->block_times[before], time_s = forest->block_times[height];
        spread_add(&blocks, height - before);
        spread_add(&seconds, time_s > before_s ? time_s - before_s : 0);
    }
    return fmax(steadiness(&blocks), steadiness(&seconds));
}

static double chain_frequency(const struct tdag_row *row)
{
    uint32_t span_s = row->last_time > row->first_time ? row->last_time - row->first_time : 0;
    return row->txs * DAY_S / (span_s > SPAN_MIN_S ? span_s : SPAN_MIN_S);
}

/* ---- shape ---- */

static double orderliness(const struct tdag_row *row)
{
    return row->role_txs < 2 ? 0 : 1 - log10_of(row->roles) / log10_of(row->role_txs);
}

static double symmetry(const struct tdag_row *row)
{
    return row->nodes < 2 ? 0 : fmin(1, row->automorphisms_log10 / log10_of_factorial(row->nodes));
}

/* ---- one T-DAG, and all of them ---- */

/* T-DAGs are measured in their order, and their transactions lie anywhere in memory: those of the next ones, of each
 * the first few, are asked for before they are needed, and then their outputs. The transaction after each is asked
 * for too, since it tells where the outputs end. Always in line: a call costs what it spares of a small T-DAG. */
static inline __attribute__((always_inline)) void ask_ahead(const struct forest *forest, const struct tdags *tdags,
                                                            uint32_t dag)
{
    const uint32_t *first = tdags->first, *members = tdags->members;
    if (tdags->count - dag < 2 * AHEAD)
        return;
    uint32_t near = first[dag + AHEAD - 1], far = first[dag + 2 * AHEAD - 1];
    for (uint32_t i = far; i < far + FEW && i < first[dag + 2 * AHEAD]; i++) {
        __builtin_prefetch(&forest->txs[members[i]]);
        __builtin_prefetch(&forest->txs[members[i] + 1]);
    }
    for (uint32_t i = near; i < near + FEW && i < first[dag + AHEAD]; i++)
        __builtin_prefetch(&forest->outputs[forest->txs[members[i]].first_output]);
}

enum status measures_of(struct measures_scratch *scratch, const struct forest *forest, const struct tdags *tdags,
                        uint32_t dag, const struct tdag_row *row, struct measures_row *measures)
{
    const uint32_t *members = tdags->members + tdags->first[dag - 1];
    uint32_t count = tdags->first[dag] - tdags->first[dag - 1];
    ask_ahead(forest, tdags, dag);
    *measures = (struct measures_row){.orderliness = orderliness(row),
                                      .symmetry = symmetry(row),
                                      .cadence = cadence(forest, members, count),
                                      .chain_frequency = chain_frequency(row)};
    enum status status = look_at_all(scratch, forest, tdags->rules, members, count, measures);
    measures->automation = (measures->orderliness + measures->repetition + measures->fan_out_regularity +
                            measures->equal_values + measures->cadence) /
                           5;
    return status;
}

void measures_scratch_free(struct measures_scratch *scratch)
{
    mem_free(scratch->keys);
    mem_free(scratch->spare);
    *scratch = (struct measures_scratch){0};
}

static uint32_t list_large(const struct tdags *tdags, uint32_t *dags)
{
    uint32_t count = 0;
    for (uint32_t d = 1; d <= tdags->count; d++) {
        if (tdags->first[d] - tdags->first[d - 1] < MEASURES_LARGE)
            continue;
        if (dags)
            dags[count] = d;
        count++;
    }
    return count;
}

enum status measures_large_list(const struct tdags *tdags, struct measures_large *large)
{
    uint32_t count = list_large(tdags, NULL);
    *large = (struct measures_large){mem_alloc(count, sizeof *large->dags), mem_alloc(count, sizeof *large->rows),
                                     count};
    if (!large->dags || !large->rows)
        return STATUS_NOMEM;
    list_large(tdags, large->dags);
    return STATUS_OK;
}

const struct measures_row *measures_large_of(const struct measures_large *large, uint32_t dag)
{
    size_t at = LOWER_BOUND(i, 0, large->count, large->dags[i] < dag);
    return at < large->count && large->dags[at] == dag ? &large->rows[at] : NULL;
}

void measures_large_free(struct measures_large *large)
{
    mem_free(large->dags);
    mem_free(large->rows);
    *large = (struct measures_large){0};
}

struct worker {
    MEM_APART struct measures_scratch scratch;
    enum status status;
};

struct job {
    const struct forest *forest;
    const struct tdags *tdags;
    const struct classes *classes;
    struct measures_row *rows;
    struct worker *workers;
};

static void measure_chunk(void *context, unsigned w, size_t chunk)
{
    struct job *job = context;
    struct worker *worker = &job->workers[w];
    uint32_t begin = (uint32_t)chunk * CHUNK_DAGS, count = job->classes->rows_count;
    uint32_t end = count - begin < CHUNK_DAGS ? count : begin + CHUNK_DAGS;
    for (uint32_t d = begin; worker->status == STATUS_OK && d < end; d++)
        worker->status = measures_of(&worker->scratch, job->forest, job->tdags, d + 1, &job->classes->rows[d],
                                     &job->rows[d]);
}

enum status measures_all(const struct forest *forest, const struct tdags *tdags, const struct classes *classes,
                         unsigned threads, struct measures_row **rows, struct fault *fault)
{
    struct job job = {forest, tdags, classes, mem_alloc_large(classes->rows_count, sizeof *job.rows),
                      mem_alloc_apart(threads, sizeof *job.workers)};
    enum status status = job.rows && job.workers ? STATUS_OK : STATUS_NOMEM;
    if (status == STATUS_OK)
        status = parallel_for(threads, ((size_t)classes->rows_count + CHUNK_DAGS - 1) / CHUNK_DAGS, measure_chunk, &job,
                              fault);
    for (unsigned w = 0; job.workers && w < threads; w++) {
        if (job.workers[w].status != STATUS_OK)
            status = job.workers[w].status;
        measures_scratch_free(&job.workers[w].scratch);
    }
    mem_free(job.workers);
    *rows = job.rows;
    if (status == STATUS_OK)
        return STATUS_OK;
    mem_free(job.rows);
    *rows = NULL;
    return status == STATUS_INTERRUPTED ? status : fault_nomem(fault);
}
