#include "graph/scan/outpoints_parts.h"

#include "parser/mem.h"
#include "parser/search.h"
#include "parser/sha256.h"

/* ---- both parts ---- */

/* Where a slot is. */
struct locator {
    bool saved;
    uint32_t at;
};

static struct locator locate_first(const struct outpoints *table, uint64_t hash)
{
    const struct outpoints_segment *segment = &table->segments[segment_of(hash)];
    return (struct locator){.at = segment->count > 0 ? home(tag_of(hash), segment->home_slots) : 0};
}

/* Goes on from *locator to a slot with the tag of this hash; false if there is none. */
static bool locate_next(const struct outpoints *table, uint64_t hash, struct locator *locator)
{
    unsigned number = segment_of(hash);
    uint32_t tag = tag_of(hash);
    if (!locator->saved) {
        const struct outpoints_segment *segment = &table->segments[number];
        if (segment->count > 0 && seek(segment->slots, tag, &locator->at))
            return true;
        if (!table->saved)
            return false;
        *locator = (struct locator){.saved = true, .at = home(tag, table->saved->segments[number].home_slots)};
    }
    for (; seek(table->saved->segments[number].slots, tag, &locator->at); locator->at++)
        if (!is_tombstone(table->saved, number, locator->at))
            return true;
    return false;
}

static uint64_t slot_at(const struct outpoints *table, uint64_t hash, struct locator locator)
{
    unsigned number = segment_of(hash);
    return locator.saved ? load_le64(table->saved->segments[number].slots + (size_t)locator.at * sizeof(uint64_t))
                         : table->segments[number].slots[locator.at];
}

static void remove_slot(struct outpoints *table, uint64_t hash, struct locator locator)
{
    unsigned number = segment_of(hash);
    if (locator.saved) {
        struct saved_segment *segment = &table->saved->segments[number];
        uint64_t slot = segment->first_slot + locator.at;
        table->saved->tombstones[slot / 8] |= (uint8_t)(1u << slot % 8);
        if (segment->count == 0) /* somebody made a chunk that says less than it has */
            return;
        segment->count--;
    } else {
        segment_delete(&table->segments[number], locator.at);
    }
    table->count--;
}

/* ---- the filter ---- */

static void filter_add(uint64_t *filter, uint64_t words, uint64_t hash)
{
    filter[outpoints_filter_at(words, hash)] |= outpoints_filter_bits(hash);
}

enum status filter_rebuild(struct outpoints *table)
{
    uint64_t words = filter_share(table->count) * OUTPOINTS_SEGMENTS;
    uint64_t *filter = words <= UINT32_MAX ? mem_alloc_large((size_t)words, sizeof *filter) : NULL;
    if (!filter)
        return STATUS_NOMEM;
    for (unsigned s = 0; s < OUTPOINTS_SEGMENTS; s++) {
        struct merge merge = merge_begin(table, s);
        for (uint64_t slot; (slot = merge_next(&merge)) != 0;)
            filter_add(filter, words, slot_hash(s, slot));
    }
    mem_free(table->filter);
    table->filter = filter;
    table->filter_words = words;
    table->filter_left = filter_room(table->count);
    return STATUS_OK;
}

/* ---- outputs replaced by an equal outpoint in this window ---- */

#define REPLACED_NONE UINT32_MAX

/* Output `ordinal` was replaced by output `by`. The outputs of one outpoint form a list from the latest to the
 * earliest; the jumps halve the way on it, so that a chain made of repeated transactions does not cost its square. */
struct outpoints_replaced {
    uint64_t by;
    uint64_t ordinal;
    uint32_t earlier; /* the entry whose `by` is this ordinal */
    uint32_t jump;    /* an entry further on; itself at the end */
    uint32_t depth;   /* entries further on */
    bool spent;       /* so are then all further on */
};

static uint32_t replaced_by(const struct outpoints *table, uint64_t by)
{
    size_t at = LOWER_BOUND(i, 0, table->replaced_count, table->replaced[i].by < by);
    return at < table->replaced_count && table->replaced[at].by == by ? (uint32_t)at : REPLACED_NONE;
}

static enum status replaced_add(struct outpoints *table, uint64_t by, uint64_t ordinal)
{
    size_t n = table->replaced_count;
    if (n >= REPLACED_NONE)
        return STATUS_LIMIT;
    enum status status = mem_reserve(&table->replaced, &table->replaced_capacity, n + 1, sizeof *table->replaced);
    if (status != STATUS_OK)
        return status;
    struct outpoints_replaced *all = table->replaced;
    struct outpoints_replaced entry = {.by = by, .ordinal = ordinal, .jump = (uint32_t)n};
    entry.earlier = replaced_by(table, ordinal);
    if (entry.earlier != REPLACED_NONE) {
        /* Myers, "An applicative random-access stack" (1983): a jump as long as two equal jumps before it, else one
         * step. */
        const struct outpoints_replaced *e = &all[entry.earlier], *j = &all[e->jump];
        bool twice = e->depth - j->depth == j->depth - all[j->jump].depth;
        entry.jump = twice ? j->jump : entry.earlier;
        entry.depth = e->depth + 1;
    }
    all[n] = entry;
    table->replaced_count++;
    return STATUS_OK;
}

/* The latest output below `limit` of those that `latest` replaced, or REPLACED_NONE. O(log n). */
static uint32_t replaced_before(const struct outpoints *table, uint64_t latest, uint64_t limit)
{
    const struct outpoints_replaced *all = table->replaced;
    uint32_t i = table->replaced_count > 0 ? replaced_by(table, latest) : REPLACED_NONE;
    while (i != REPLACED_NONE && all[i].ordinal >= limit)
        i = all[all[i].jump].ordinal >= limit && all[i].jump != i ? all[i].jump : all[i].earlier;
    return i;
}

/* ---- the table ---- */

enum status outpoints_new(const uint8_t seed[16], struct outpoints **table, struct fault *fault)
{
    *table = NULL;
    struct outpoints *new = mem_alloc(1, sizeof *new);
    if (!new || filter_rebuild(new) != STATUS_OK) {
        mem_free(new);
        return fault_nomem(fault);
    }
    uint8_t input[17], digest[32];
    memcpy(input, seed, 16);
    for (uint8_t i = 0; i < 3; i++) {
        input[16] = i;
        sha256(input, sizeof input, digest);
        for (unsigned w = 0; w < 4 && i < 2; w++)
            new->key[4 * i + w] = load_le64(digest + 8 * w);
    }
    new->fingerprint = load_le64(digest);
    *table = new;
    return STATUS_OK;
}

static void saved_free(struct outpoints_saved *saved)
{
    if (saved)
        mem_free(saved->tombstones);
    mem_free(saved);
}

void outpoints_clear(struct outpoints *table)
{
    for (unsigned s = 0; s < OUTPOINTS_SEGMENTS; s++) {
        mem_free(table->segments[s].slots);
        table->segments[s] = (struct outpoints_segment){0};
    }
    saved_free(table->saved);
    table->saved = NULL;
    table->count = 0;
    table->replaced_count = 0;
}

void outpoints_free(struct outpoints *table)
{
    if (!table)
        return;
    outpoints_clear(table);
    mem_free(table->filter);
    mem_free(table->replaced);
    mem_free(table);
}

void outpoints_prefetch_add(const struct outpoints *table, uint64_t hash)
{
    const struct outpoints_segment *segment = &table->segments[segment_of(hash)];
    outpoints_prefetch(table, hash);
    if (segment->slots)
        __builtin_prefetch(&segment->slots[home(tag_of(hash), segment->home_slots)]);
}

void outpoints_prefetch_slot(const struct outpoints *table, uint64_t hash)
{
    outpoints_prefetch_add(table, hash);
    if (table->saved) {
        const struct saved_segment *saved = &table->saved->segments[segment_of(hash)];
        __builtin_prefetch(saved->slots + (size_t)home(tag_of(hash), saved->home_slots) * sizeof(uint64_t));
    }
}

bool outpoints_candidate(const struct outpoints *table, uint64_t hash)
{
    struct locator locator = locate_first(table, hash);
    return locate_next(table, hash, &locator);
}

/* The output that has exactly this outpoint, and where its slot is; OUTPOINT_NONE if there is none. */
static enum status find(const struct outpoints *table, const uint8_t prevout[TX_PREVOUT_SIZE], uint64_t hash,
                        outpoints_resolve *resolve, void *context, struct locator *locator, uint64_t *ordinal)
{
    *ordinal = OUTPOINT_NONE;
    *locator = locate_first(table, hash);
    for (; locate_next(table, hash, locator); locator->at++) {
        struct hash256 txid;
        uint32_t vout;
        uint64_t found = slot_ordinal(slot_at(table, hash, *locator));
        enum status status = resolve(context, found, &txid, &vout);
        if (status != STATUS_OK)
            return status;
        if (memcmp(txid.bytes, prevout, HASH256_SIZE) == 0 && load_le32(prevout + HASH256_SIZE) == vout) {
            *ordinal = found;
            return STATUS_OK;
        }
    }
    return STATUS_OK;
}

/* Removes an equal outpoint, which this output replaces. */
static enum status replace(struct outpoints *table, const uint8_t prevout[TX_PREVOUT_SIZE], uint64_t hash,
                           uint64_t ordinal, outpoints_resolve *resolve, void *context)
{
    struct locator locator;
    uint64_t earlier;
    enum status status = find(table, prevout, hash, resolve, context, &locator, &earlier);
    if (status != STATUS_OK || earlier == OUTPOINT_NONE)
        return status;
    status = replaced_add(table, ordinal, earlier);
    if (status == STATUS_OK)
        remove_slot(table, hash, locator);
    return status;
}

static enum status add(struct outpoints *table, const uint8_t prevout[TX_PREVOUT_SIZE], uint64_t hash, uint64_t ordinal,
                       outpoints_resolve *resolve, void *context)
{
    if (ordinal >= SLOT_ORDINAL)
        return STATUS_LIMIT;
    enum status status = STATUS_OK;
    if (outpoints_probe(table, hash))
        status = replace(table, prevout, hash, ordinal, resolve, context);
    if (status == STATUS_OK && table->filter_left == 0)
        status = filter_rebuild(table);
    if (status == STATUS_OK)
        status = segment_insert(&table->segments[segment_of(hash)], slot_make(tag_of(hash), ordinal));
    if (status != STATUS_OK)
        return status;
    filter_add(table->filter, table->filter_words, hash);
    table->filter_left--;
    table->count++;
    return STATUS_OK;
}

enum status outpoints_add(struct outpoints *table, const uint8_t prevout[TX_PREVOUT_SIZE], uint64_t hash,
                          uint64_t ordinal, outpoints_resolve *resolve, void *context, struct fault *fault)
{
    enum status status = add(table, prevout, hash, ordinal, resolve, context);
    if (status == STATUS_NOMEM)
        return fault_nomem(fault);
    if (status == STATUS_LIMIT)
        return fault_set(fault, status, NULL, FAULT_NO_OFFSET, "too many unknown outputs for the table of outpoints");
    if (status != STATUS_OK)
        return fault_set(fault, status, NULL, FAULT_NO_OFFSET, "the store has no outpoint for an output in the table");
    return STATUS_OK;
}

enum status outpoints_find(const struct outpoints *table, const uint8_t prevout[TX_PREVOUT_SIZE], uint64_t hash,
                           uint64_t limit, outpoints_resolve *resolve, void *context, uint64_t *ordinal)
{
    *ordinal = OUTPOINT_NONE;
    struct locator locator;
    uint64_t latest;
    enum status status = find(table, prevout, hash, resolve, context, &locator, &latest);
    if (status != STATUS_OK || latest == OUTPOINT_NONE)
        return status;
    if (latest < limit) {
        *ordinal = latest;
        return STATUS_OK;
    }
    uint32_t i = replaced_before(table, latest, limit);
    if (i != REPLACED_NONE && !table->replaced[i].spent)
        *ordinal = table->replaced[i].ordinal;
    return STATUS_OK;
}

/* Takes out an output that `latest` replaced, and what it had replaced; false if it is not among them. */
static bool remove_replaced(struct outpoints *table, uint64_t latest, uint64_t ordinal)
{
    uint32_t i = replaced_before(table, latest, ordinal + 1);
    if (i == REPLACED_NONE || table->replaced[i].ordinal != ordinal || table->replaced[i].spent)
        return false;
    for (; i != REPLACED_NONE && !table->replaced[i].spent; i = table->replaced[i].earlier)
        table->replaced[i].spent = true;
    return true;
}

bool outpoints_remove(struct outpoints *table, uint64_t hash, uint64_t ordinal)
{
    struct locator locator = locate_first(table, hash);
    for (; locate_next(table, hash, &locator); locator.at++) {
        uint64_t latest = slot_ordinal(slot_at(table, hash, locator));
        if (latest == ordinal) {
            remove_slot(table, hash, locator);
            return true;
        }
        if (remove_replaced(table, latest, ordinal))
            return true;
    }
    return false;
}

void outpoints_end_window(struct outpoints *table) { table->replaced_count = 0; }

uint64_t outpoints_count(const struct outpoints *table) { return table->count; }
