#include <assert.h>
#include <stdlib.h>

#include "graph/index/work.h"
#include "parser/mem.h"
#include "parser/parallel.h"
#include "parser/stop.h"

#define BUCKET 4u /* creators a bucket, about */
#define SORT_SMALL 24u

/* A transaction of the part: sorted by (key, first output). */
struct creator {
    uint64_t key;
    uint64_t locator; /* where its outputs are, see locator_of */
    uint64_t check;
};

/* A locator: the number of a transaction's first output, and in the low bits how many it has. */
#define LOCATOR_COUNT_BITS 24
_Static_assert(BLOCK_SIZE_MAX / 9 < 1u << LOCATOR_COUNT_BITS, "the number of a transaction's outputs fits");
static uint64_t locator_of(uint64_t first_output, uint64_t outputs)
{
    return first_output << LOCATOR_COUNT_BITS | outputs;
}
static uint64_t first_output_of(const struct creator *creator) { return creator->locator >> LOCATOR_COUNT_BITS; }
static uint64_t outputs_of(const struct creator *creator)
{
    return creator->locator & ((UINT64_C(1) << LOCATOR_COUNT_BITS) - 1);
}

struct part {
    struct index_work *work;
    unsigned number;
    unsigned worker;
    enum status status;
    struct fault fault;
    struct creator *creators;
    struct creator *unsorted;
    size_t count;
    size_t capacity;
    uint32_t *buckets; /* where each begins, and where the last one ends */
    unsigned bucket_shift;
    unsigned pass_shift;
    uint64_t pass;
    struct tx_index *base; /* the index as it is; NULL: empty */
    struct blk_reader reader;
    uint64_t bad_input; /* the first that spends what does not exist; UINT64_MAX: none */
    uint64_t bad_spent; /* the first that spends what an older block spends */
    uint64_t late_count;
    bool exact;
    unsigned __int128 sum; /* of the checks of what was linked to */
};

struct join {
    struct index_work *work;
    struct part *parts; /* one a thread */
    unsigned first;     /* part of the group */
    struct work_run txids;
    uint64_t pass;
    uint64_t passes;
};

/* ---- sorting ---- */

static int compare(const void *a, const void *b)
{
    const struct creator *x = a, *y = b;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return (x->locator > y->locator) - (x->locator < y->locator);
}

/* Small buckets, which are most, by insertion. A bucket is large only where a txid occurs often. */
static void sort_bucket(struct creator *a, size_t count)
{
    if (count > SORT_SMALL) {
        qsort(a, count, sizeof *a, compare);
        return;
    }
    for (size_t i = 1; i < count; i++) {
        struct creator moving = a[i];
        size_t j = i;
        for (; j > 0 && compare(&moving, &a[j - 1]) < 0; j--)
            a[j] = a[j - 1];
        a[j] = moving;
    }
}

/* Hashes are spread evenly: one pass into buckets by the first bits leaves next to nothing to sort. */
static enum status sort_creators(struct part *part)
{
    size_t count = part->count;
    unsigned bits = 1;
    while (bits < 30 && ((size_t)1 << bits) * BUCKET < count)
        bits++;
    part->bucket_shift = part->pass_shift - bits;
    size_t buckets = (size_t)1 << bits;
    part->buckets = mem_alloc(buckets + 2, sizeof *part->buckets);
    part->creators = mem_alloc(count, sizeof *part->creators);
    if (!part->buckets || !part->creators)
        return fault_nomem(&part->fault);
    uint32_t *ends = part->buckets + 1;
    uint64_t mask = buckets - 1;
    for (size_t i = 0; i < count; i++)
        ends[(part->unsorted[i].key >> part->bucket_shift & mask) + 1]++;
    for (size_t i = 0; i < buckets; i++)
        ends[i + 1] += ends[i];
    for (size_t i = 0; i < count; i++)
        part->creators[ends[part->unsorted[i].key >> part->bucket_shift & mask]++] = part->unsorted[i];
    for (size_t i = 0; i < buckets; i++) {
        sort_bucket(part->creators + part->buckets[i], part->buckets[i + 1] - part->buckets[i]);
    }
    return STATUS_OK;
}

static enum status on_creators(void *context, const struct spill_entry *entries, size_t count)
{
    struct part *part = context;
    if (mem_reserve(&part->unsorted, &part->capacity, part->count + count, sizeof *part->unsorted) != STATUS_OK)
        return fault_nomem(&part->fault);
    for (size_t i = 0; i < count; i++)
        if (entries[i].key >> part->pass_shift == part->pass)
            part->unsorted[part->count++] = (struct creator){
                entries[i].key, locator_of(entries[i].number, entries[i].extra), entries[i].check};
    return STATUS_OK;
}

/* ---- joining ---- */

static enum status link_output(struct part *part, uint64_t output, uint64_t input, uint64_t check)
{
    const struct index_work *work = part->work;
    part->sum += check;
    uint64_t at = output - work->blocks[0].first_output;
    struct spill_entry entry = {at % work->out_range, input, 0, 0, NULL};
    return spill_add(work->links, part->worker, (unsigned)(at / work->out_range), &entry);
}

/* The spent output is in the index already. */
static enum status link_older(struct part *part, const struct index_tx *tx, const struct index_output *output,
                              uint64_t vout, uint64_t input)
{
    struct index_work *work = part->work;
    uint64_t number = tx->first_output + vout;
    if (output->spender != INDEX_NONE && input < part->bad_spent)
        part->bad_spent = input;
    uint64_t at = input - work->blocks[0].first_input;
    part->sum += index_check_of(&work->hasher, tx->txid.bytes);
    struct spill_entry value = {at % work->in_range, number, output->value_sat, 0, NULL};
    struct spill_entry later = {number % work->late_range, input, 0, 0, NULL};
    part->late_count++;
    enum status status = spill_add(work->values, part->worker, (unsigned)(at / work->in_range), &value);
    if (status == STATUS_OK)
        status = spill_add(work->late_spends, part->worker, (unsigned)(number / work->late_range), &later);
    return status;
}

static enum status not_there(struct part *part, uint64_t input)
{
    if (input < part->bad_input)
        part->bad_input = input;
    return STATUS_OK;
}

/* The whole hash as far as it was kept; the bits below are unknown. */
static uint64_t hash_of(const struct part *part, uint64_t key)
{
    const struct index_work *work = part->work;
    return (uint64_t)part->number << (64 - work->part_bits) | key << (64 - work->part_bits - work->key_bits);
}

/* Looks for the spent output in the index as it is. `prevout` is the txid that its transaction must have. With NULL
 * the hash decides, of which all 64 bits are kept in a build that adds to an index, until the sums are compared; but a
 * hash alone is not enough to call a spend impossible: then *doubt is set, and nothing is done. */
static enum status join_older(struct part *part, const struct spill_entry *spender, const struct hash256 *prevout,
                              bool *doubt)
{
    *doubt = false;
    if (!part->base)
        return not_there(part, spender->number);
    uint64_t hash = hash_of(part, spender->key), below = UINT64_MAX;
    struct index_tx tx;
    for (;;) {
        enum status status = index_candidate(part->base, hash, below, &tx, &part->fault);
        if (status == STATUS_NOT_FOUND)
            return not_there(part, spender->number);
        if (status != STATUS_OK)
            return status;
        below = tx.first_output;
        if (prevout ? !hash256_equal(prevout, &tx.txid) : index_hash(&part->work->hasher, tx.txid.bytes) != hash)
            continue;
        struct index_output output = {.spender = 0};
        if (spender->extra < tx.outputs)
            status = index_outputs(part->base, tx.first_output + spender->extra, 1, &output, &part->fault);
        if (status != STATUS_OK)
            return status;
        *doubt = !prevout && output.spender != INDEX_NONE;
        if (*doubt)
            return STATUS_OK;
        return spender->extra < tx.outputs ? link_older(part, &tx, &output, spender->extra, spender->number)
                                           : not_there(part, spender->number);
    }
}

/* Where hashes are equal the full txids decide, and of equal txids the latest before the spender. */
static enum status join_exactly(struct part *part, const struct spill_entry *spender, const struct creator *first,
                                size_t count)
{
    struct work_spend spend;
    struct hash256 txid;
    enum status status = work_read_spend(part->work, &part->reader, spender->number, &spend, &part->fault);
    for (size_t i = count; i > 0 && status == STATUS_OK; i--) {
        uint64_t output = first_output_of(&first[i - 1]);
        if (output >= spend.first_output)
            continue;
        status = work_read_txid(part->work, &part->reader, output, &txid, &part->fault);
        if (status == STATUS_OK && hash256_equal(&txid, &spend.prevout))
            return spender->extra < outputs_of(&first[i - 1])
                       ? link_output(part, output + spender->extra, spender->number, first[i - 1].check)
                       : not_there(part, spender->number);
    }
    bool doubt;
    return status == STATUS_OK ? join_older(part, spender, &spend.prevout, &doubt) : status;
}

/* A creator in a later block than the spender: then the index may hold an older one of the same txid. */
static bool comes_later(const struct part *part, const struct creator *creator, uint64_t input)
{
    const struct index_work *work = part->work;
    return part->base &&
           first_output_of(creator) >= work->blocks[work_height_of_input(work, input) - work->first + 1].first_output;
}

/* A creator that is alone with its hash is taken for the one that is meant. Where it is not (the prevout does not
 * exist), the sums of the part differ, and full txids then settle all of the part. */
static enum status join_one(struct part *part, const struct spill_entry *spender, size_t bucket)
{
    const struct creator *at = part->creators + part->buckets[bucket],
                         *end = part->creators + part->buckets[bucket + 1];
    while (at < end && at->key < spender->key)
        at++;
    const struct creator *first = at;
    while (at < end && at->key == spender->key)
        at++;
    if (part->exact || at - first > 1 || (at > first && comes_later(part, first, spender->number)))
        return join_exactly(part, spender, first, (size_t)(at - first));
    bool doubt = false;
    if (at == first) {
        enum status status = join_older(part, spender, NULL, &doubt);
        return doubt && status == STATUS_OK ? join_exactly(part, spender, NULL, 0) : status;
    }
    if (spender->extra >= outputs_of(first))
        return join_exactly(part, spender, first, 1);
    return link_output(part, first_output_of(first) + spender->extra, spender->number, first->check);
}

static size_t bucket_of(const struct part *part, uint64_t key)
{
    unsigned bits = part->pass_shift - part->bucket_shift;
    return (size_t)(key >> part->bucket_shift & ((UINT64_C(1) << bits) - 1));
}

static enum status on_spenders(void *context, const struct spill_entry *entries, size_t count)
{
    enum { AHEAD = 12 };
    struct part *part = context;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        if (i + 2 * AHEAD < count)
            __builtin_prefetch(&part->buckets[bucket_of(part, entries[i + 2 * AHEAD].key)]);
        if (i + AHEAD < count)
            __builtin_prefetch(&part->creators[part->buckets[bucket_of(part, entries[i + AHEAD].key)]]);
        if (entries[i].key >> part->pass_shift == part->pass)
            status = join_one(part, &entries[i], bucket_of(part, entries[i].key));
    }
    return status;
}

static void join_part(void *context, unsigned worker, size_t item)
{
    struct join *join = context;
    struct part *part = &join->parts[item];
    struct index_work *work = join->work;
    part->work = work;
    part->number = join->first + (unsigned)item;
    part->worker = worker;
    part->pass = join->pass;
    part->pass_shift = work->key_bits - (unsigned)__builtin_ctzll(join->passes);
    part->count = 0;
    part->exact = work->exact[part->number];
    part->sum = join->pass > 0 ? part->sum : 0;
    part->status = spill_read(work->creators, part->number, on_creators, part, &part->fault);
    if (part->status == STATUS_OK)
        part->status = sort_creators(part);
    if (part->status == STATUS_OK)
        part->status = spill_read(work->spenders, part->number, on_spenders, part, &part->fault);
}

static enum status flush(struct index_work *work)
{
    enum status status = spill_flush(work->links, work->fault);
    if (status == STATUS_OK)
        status = spill_flush(work->values, work->fault);
    return status == STATUS_OK ? spill_flush(work->late_spends, work->fault) : status;
}

/* ---- the txid table ---- */

/* The pairs of a part in order of (40 bits, first output): creators are in order of more bits. */
static enum status write_txids(struct join *join, struct part *part)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < part->count && status == STATUS_OK;) {
        uint64_t prefix = hash_of(part, part->creators[i].key) >> 24;
        size_t n = 1;
        while (i + n < part->count && hash_of(part, part->creators[i + n].key) >> 24 == prefix)
            n++;
        if (n > 1) {
            for (size_t k = i; k < i + n; k++)
                part->creators[k].key = 0;
            sort_bucket(part->creators + i, n);
        }
        for (size_t k = i; k < i + n && status == STATUS_OK; k++)
            status = work_pair(&join->txids, prefix, first_output_of(&part->creators[k]));
        i += n;
    }
    return status;
}

/* After the last pass of a part: was it linked to the txids that its spenders name? Else the join is done again. */
static void compare_sums(const struct join *join, const struct part *part)
{
    struct index_work *work = join->work;
    if (join->pass + 1 == join->passes && !part->exact && part->sum != work->sums[part->number])
        work->exact[part->number] = work->unsure = true;
}

static enum status end_part(struct join *join, struct part *part)
{
    enum status status = part->status;
    if (status == STATUS_OK) {
        compare_sums(join, part);
        status = write_txids(join, part);
    } else if (part->fault.status == STATUS_OK) /* a spill knows why */
        status = flush(join->work);
    else if (join->work->fault)
        *join->work->fault = part->fault;
    mem_free(part->buckets);
    mem_free(part->creators);
    part->buckets = NULL;
    part->creators = NULL;
    return status;
}

/* ---- all parts ---- */

static enum status open_base(struct join *join, unsigned count)
{
    enum status status = STATUS_OK;
    for (unsigned i = 0; i < count && status == STATUS_OK && join->work->base.totals.blocks > 0; i++)
        status = index_open_on(join->work->kv, &join->parts[i].base, join->work->fault);
    return status;
}

static void close_base(struct join *join, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        index_close(join->parts[i].base);
        join->parts[i].base = NULL;
    }
}

/* So many passes, a power of 2, that the largest part of the group fits into memory in one. */
static void choose_passes(struct join *join, unsigned count)
{
    unsigned threads = join->work->options->threads;
    assert(threads > 0); /* as build.h says */
    uint64_t most = 0, limit = join->work->memory / threads;
    for (unsigned i = 0; i < count; i++) {
        uint64_t n = spill_count(join->work->creators, join->first + i);
        most = n > most ? n : most;
    }
    for (join->passes = 1; most / join->passes * WORK_CREATOR_BYTES > limit && join->passes < 1u << 16;)
        join->passes *= 2;
}

/* So many parts, each by a thread of its own. */
static enum status join_pass(struct join *join, unsigned count)
{
    enum status status = open_base(join, count);
    if (status == STATUS_OK)
        status = parallel_for(join->work->options->threads, count, join_part, join, join->work->fault);
    close_base(join, count);
    for (unsigned i = 0; i < count; i++) {
        enum status end = status == STATUS_OK ? end_part(join, &join->parts[i]) : STATUS_OK;
        status = status == STATUS_OK ? end : status;
    }
    return status;
}

static enum status join_group(struct join *join, unsigned count)
{
    enum status status = STATUS_OK;
    choose_passes(join, count);
    if (join->passes == 1)
        return join_pass(join, count);
    unsigned end = join->first + count; /* part by part: the txid table must come in order */
    for (; join->first < end && status == STATUS_OK; join->first++)
        for (join->pass = 0; join->pass < join->passes && status == STATUS_OK; join->pass++)
            status = join_pass(join, 1);
    join->pass = 0;
    return status;
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

enum status index_join(struct index_work *work)
{
    unsigned threads = work->options->threads, parts = 1u << work->part_bits;
    struct work_queue queue = {.work = work, .waits = work->base.totals.blocks > 0};
    struct join *join = mem_alloc(1, sizeof *join);
    enum status status = STATUS_OK;
    if (!join || !(join->parts = mem_alloc(threads, sizeof *join->parts)))
        status = fault_nomem(work->fault);
    for (unsigned i = 0; status == STATUS_OK && i < threads; i++)
        join->parts[i].bad_input = join->parts[i].bad_spent = UINT64_MAX;
    if (status == STATUS_OK) {
        join->work = work;
        join->txids = (struct work_run){.queue = &queue, .table = TABLE_TXIDS, .run = index_free_run(&work->base)};
    }
    for (unsigned first = 0; first < parts && status == STATUS_OK; first += threads) {
        join->first = first;
        status = join_group(join, parts - first < threads ? parts - first : threads);
        work_write_out(work);
        work_progress(work, INDEX_JOIN, first, parts);
        if (status == STATUS_OK)
            status = stop_check(work->fault);
    }
    if (status == STATUS_OK)
        status = work_run_end(&join->txids);
    if (status == STATUS_OK)
        status = work_write(&queue);
    if (status == STATUS_OK)
        status = flush(work);
    if (status == STATUS_OK)
        status = report_bad(join);
    for (unsigned i = 0; join && join->parts && i < threads; i++) {
        mem_free(join->parts[i].unsorted);
        mem_free(join->parts[i].buckets); /* of a part whose neighbour failed */
        mem_free(join->parts[i].creators);
        blk_reader_free(&join->parts[i].reader);
    }
    mem_free(join ? join->parts : NULL);
    mem_free(join);
    work_queue_free(&queue);
    return status;
}
