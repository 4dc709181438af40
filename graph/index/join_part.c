#include "graph/index/join_part.h"

#include <stdlib.h>

#include "parser/mem.h"
#include "parser/search.h"
#include "parser/sort.h"

#define BUCKET 4u /* creators a bucket, about */
#define SORT_SMALL 24u
#define OLDER_MAX 65536u /* spenders of outputs of the index that are looked up together */

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
    if (mem_reserve(&part->buckets, &part->buckets_capacity, buckets + 2, sizeof *part->buckets) != STATUS_OK ||
        mem_reserve(&part->creators, &part->capacity, count, sizeof *part->creators) != STATUS_OK)
        return fault_nomem(&part->fault);
    memset(part->buckets, 0, (buckets + 2) * sizeof *part->buckets);
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

/* Of a hash of 64 bits, which are not all shifted out at once. */
static bool is_of_pass(const struct part *part, uint64_t key)
{
    return key >> 1 >> (part->pass_shift - 1) == part->pass;
}

static enum status on_creators(void *context, const struct spill_entry *entries, size_t count)
{
    struct part *part = context;
    if (mem_reserve(&part->unsorted, &part->unsorted_capacity, part->count + count, sizeof *part->unsorted) !=
        STATUS_OK)
        return fault_nomem(&part->fault);
    for (size_t i = 0; i < count; i++)
        if (is_of_pass(part, entries[i].key))
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
    return (uint64_t)part->number << 1 << (63 - work->part_bits) | key << (64 - work->part_bits - work->key_bits);
}

/* Links a spender to its output of that transaction of the index; see join_older for the rest. */
static enum status join_to(struct part *part, const struct spill_entry *spender, const struct index_tx *tx,
                           const struct hash256 *prevout, bool *doubt)
{
    struct index_output output = {.spender = INDEX_NONE};
    bool exists = spender->extra < tx->outputs;
    enum status status = STATUS_OK;
    if (exists)
        status = index_outputs(part->base, tx->first_output + spender->extra, 1, &output, &part->fault);
    *doubt = !prevout && (!exists || output.spender != INDEX_NONE);
    if (status != STATUS_OK || *doubt)
        return status;
    return exists ? link_older(part, tx, &output, spender->extra, spender->number) : not_there(part, spender->number);
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
        enum status status = index_candidate(part->base, hash, below, &below, &part->fault);
        if (status == STATUS_NOT_FOUND)
            return not_there(part, spender->number);
        if (status == STATUS_OK)
            status = index_candidate_tx(part->base, below, &tx, &part->fault);
        if (status != STATUS_OK)
            return status;
        if (prevout ? hash256_equal(prevout, &tx.txid) : index_hash(&part->work->hasher, tx.txid.bytes) == hash)
            return join_to(part, spender, &tx, prevout, doubt);
    }
}

/* Where hashes are equal the full txids decide, and of equal txids the latest before the spender. A creator with
 * another check has another txid: its block need not be read to know that. */
static enum status join_exactly(struct part *part, const struct spill_entry *spender, const struct creator *first,
                                size_t count)
{
    struct work_spend spend = {.first_output = 0};
    struct hash256 txid;
    enum status status = work_read_spend(part->work, &part->spends, spender->number, &spend, &part->fault);
    uint64_t check = index_check_of(&part->work->hasher, spend.prevout.bytes);
    size_t before = LOWER_BOUND(i, 0, count, first_output_of(&first[i]) < spend.first_output);
    for (size_t i = before; i > 0 && status == STATUS_OK; i--) {
        uint64_t output = first_output_of(&first[i - 1]);
        if (first[i - 1].check != check)
            continue;
        status = work_read_txid(part->work, &part->spendees, output, &txid, &part->fault);
        if (status == STATUS_OK && hash256_equal(&txid, &spend.prevout))
            return spender->extra < outputs_of(&first[i - 1])
                       ? link_output(part, output + spender->extra, spender->number, first[i - 1].check)
                       : not_there(part, spender->number);
    }
    bool doubt;
    return status == STATUS_OK ? join_older(part, spender, &spend.prevout, &doubt) : status;
}

/* ---- spenders of the index's outputs, in the order of its tables ---- */

/* Sorted by `at`: its key, then the transaction's first output. */
struct older {
    uint64_t at;
    uint64_t key;
    uint64_t input;
    uint32_t vout;
};
_Static_assert(sizeof(struct older) <= SORT_SIZE_MAX, "can be sorted");

static enum status settle_one(struct part *part, const struct older *older)
{
    const struct spill_entry spender = {older->key, older->input, older->vout, 0, NULL};
    struct index_tx tx;
    bool doubt;
    enum status status = index_candidate_tx(part->base, older->at, &tx, &part->fault);
    if (status != STATUS_OK)
        return status;
    if (index_hash(&part->work->hasher, tx.txid.bytes) == hash_of(part, older->key))
        status = join_to(part, &spender, &tx, NULL, &doubt);
    else
        status = join_older(part, &spender, NULL, &doubt);
    return doubt && status == STATUS_OK ? join_exactly(part, &spender, NULL, 0) : status;
}

/* Those that are kept: first all their txids, then all transactions, so that many find what they need on a page that
 * one before them was led to. */
static enum status settle_older(struct part *part)
{
    size_t count = part->older_count, left = 0;
    enum status status = STATUS_OK;
    struct older *sorted = sort_by_key(part->older, part->older_spare, count, sizeof *sorted);
    struct older *spare = sorted == part->older ? part->older_spare : part->older;
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        status = index_candidate(part->base, hash_of(part, sorted[i].key), UINT64_MAX, &sorted[i].at, &part->fault);
        if (status == STATUS_OK)
            sorted[left++] = sorted[i];
        if (status == STATUS_NOT_FOUND)
            status = not_there(part, sorted[i].input);
    }
    sorted = sort_by_key(sorted, spare, left, sizeof *sorted);
    for (size_t i = 0; i < left && status == STATUS_OK; i++)
        status = settle_one(part, &sorted[i]);
    part->older_count = 0;
    return status;
}

/* Keeps it until there are many. */
static enum status settle_later(struct part *part, const struct spill_entry *spender)
{
    if (!part->base)
        return not_there(part, spender->number);
    if (!part->older) {
        uint64_t most = part->work->memory / part->work->options->threads / (32 * sizeof *part->older);
        part->older_most = most < OLDER_MAX ? (size_t)most : OLDER_MAX;
        part->older = mem_resize(NULL, part->older_most, sizeof *part->older);
        part->older_spare = mem_resize(NULL, part->older_most, sizeof *part->older);
        if (!part->older || !part->older_spare)
            return fault_nomem(&part->fault);
    }
    part->older[part->older_count++] = (struct older){spender->key, spender->key, spender->number,
                                                      (uint32_t)spender->extra};
    return part->older_count == part->older_most ? settle_older(part) : STATUS_OK;
}

/* ---- spenders ---- */

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
    size_t many = (size_t)(end - at) > SORT_SMALL ? (size_t)(end - at) : 0; /* of one txid, most likely */
    at += LOWER_BOUND(i, 0, many, at[i].key < spender->key);
    while (at < end && at->key < spender->key)
        at++;
    const struct creator *first = at;
    many = (size_t)(end - at) > SORT_SMALL ? (size_t)(end - at) : 0;
    at += LOWER_BOUND(i, 0, many, at[i].key == spender->key);
    while (at < end && at->key == spender->key)
        at++;
    if (part->exact || at - first > 1 || (at > first && comes_later(part, first, spender->number)))
        return join_exactly(part, spender, first, (size_t)(at - first));
    if (at == first)
        return settle_later(part, spender);
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
        if (is_of_pass(part, entries[i].key))
            status = join_one(part, &entries[i], bucket_of(part, entries[i].key));
    }
    return status;
}

/* ---- one part ---- */

/* The pairs of a part in order of (40 bits, first output): creators are in order of more bits. */
static enum status make_pairs(struct part *part, struct joined *joined)
{
    if (mem_reserve(&joined->pairs, &joined->capacity, part->count * PAIR_SIZE, 1) != STATUS_OK)
        return fault_nomem(&part->fault);
    uint8_t *p = joined->pairs;
    for (size_t i = 0; i < part->count;) {
        uint64_t prefix = hash_of(part, part->creators[i].key) >> 24;
        size_t n = 1;
        while (i + n < part->count && hash_of(part, part->creators[i + n].key) >> 24 == prefix)
            n++;
        if (n > 1) {
            for (size_t k = i; k < i + n; k++)
                part->creators[k].key = 0;
            sort_bucket(part->creators + i, n);
        }
        for (size_t k = i; k < i + n; k++, p += PAIR_SIZE)
            store_pair(p, prefix, first_output_of(&part->creators[k]));
        i += n;
    }
    joined->count = part->count;
    return STATUS_OK;
}

void part_join(struct part *part, struct joined *joined)
{
    struct index_work *work = part->work;
    part->count = 0;
    part->exact = work->exact[part->number];
    part->sum = 0;
    part->older_count = 0;
    part->fault = (struct fault){0};
    enum status status = spill_read(work->creators, part->number, on_creators, part, &part->fault);
    if (status == STATUS_OK)
        status = sort_creators(part);
    if (status == STATUS_OK)
        status = spill_read(work->spenders, part->number, on_spenders, part, &part->fault);
    if (status == STATUS_OK && part->older_count > 0)
        status = settle_older(part);
    if (status == STATUS_OK)
        status = make_pairs(part, joined);
    joined->status = status;
    joined->fault = part->fault;
    joined->sum = part->sum;
}

void part_free(struct part *part)
{
    mem_free(part->unsorted);
    mem_free(part->buckets);
    mem_free(part->creators);
    mem_free(part->older);
    mem_free(part->older_spare);
    work_reader_free(&part->spends);
    work_reader_free(&part->spendees);
}
