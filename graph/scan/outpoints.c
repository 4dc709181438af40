#include "graph/scan/outpoints.h"

#include <assert.h>

#include "parser/mem.h"
#include "parser/parallel.h"
#include "parser/sha256.h"

/* The upper 40 bits of the hash say everything: 8 choose the segment, 32 are the tag in the slot: among six million
 * outputs one input in 2^17 meets the tag of another. A slot's home is a monotone function of its tag, so a segment
 * with linear probing is a sorted array with gaps: a search ends at the first larger tag, and growth and saving are one
 * pass in order, without the store. */
#define TAG_BITS 32u
#define ORDINAL_BITS 32u
#define SLOT_ORDINAL ((UINT64_C(1) << ORDINAL_BITS) - 1) /* ordinal + 1, so that no used slot is 0 */
#define TAIL 32u                                         /* slots behind the homes */

static unsigned segment_of(uint64_t hash) { return (unsigned)(hash >> 56); }
static uint32_t tag_of(uint64_t hash) { return (uint32_t)(hash >> (56 - TAG_BITS)); }
static uint32_t slot_tag(uint64_t slot) { return (uint32_t)(slot >> ORDINAL_BITS); }
static uint64_t slot_ordinal(uint64_t slot) { return (slot & SLOT_ORDINAL) - 1; }
static uint64_t slot_make(uint32_t tag, uint64_t ordinal) { return (uint64_t)tag << ORDINAL_BITS | (ordinal + 1); }
static uint32_t home(uint32_t tag, uint32_t homes) { return (uint32_t)((uint64_t)tag * homes >> TAG_BITS); }

/* What a slot still knows of its hash: the bits that segment_of, tag_of and the filter use. */
static uint64_t slot_hash(unsigned segment, uint64_t slot)
{
    return (uint64_t)segment << 56 | (uint64_t)slot_tag(slot) << (56 - TAG_BITS);
}

/* ---- segments ---- */

/* Puts `slot`, whose tag is no smaller than any there, behind the others; *next is where the first gap behind them is.
 * False if the tail is full. */
static bool segment_append(struct outpoints_segment *segment, uint64_t slot, uint32_t *next)
{
    uint32_t at = home(slot_tag(slot), segment->homes);
    if (at < *next)
        at = *next;
    if (at + 1 >= segment->size)
        return false;
    segment->slots[at] = slot;
    segment->count++;
    *next = at + 1;
    return true;
}

/* Spreads the segment over at least so many homes. *next as in segment_append. On failure nothing changes. */
static enum status segment_resize(struct outpoints_segment *segment, uint64_t homes, uint32_t *next)
{
    for (;; homes += homes / 8 + TAIL) {
        if (homes > UINT32_MAX - TAIL)
            return STATUS_LIMIT;
        struct outpoints_segment wide = {.homes = (uint32_t)homes, .size = (uint32_t)homes + TAIL};
        wide.slots = mem_alloc(wide.size, sizeof *wide.slots);
        if (!wide.slots)
            return STATUS_NOMEM;
        *next = 0;
        bool fits = true;
        for (uint32_t i = 0; i < segment->size && fits; i++)
            fits = segment->slots[i] == 0 || segment_append(&wide, segment->slots[i], next);
        if (fits) {
            mem_free(segment->slots);
            *segment = wide;
            return STATUS_OK;
        }
        mem_free(wide.slots);
    }
}

/* At most 85 % of the homes are used: above that, runs of used slots get long. */
static bool segment_is_full(const struct outpoints_segment *segment, uint64_t count)
{
    return count * 20 > (uint64_t)segment->homes * 17;
}

static enum status segment_insert(struct outpoints_segment *segment, uint64_t slot)
{
    uint32_t next;
    bool full = segment_is_full(segment, (uint64_t)segment->count + 1);
    for (;; full = true) {
        /* By a quarter only, one segment at a time: memory is short, and growing is one pass. */
        enum status status = full ? segment_resize(segment, (uint64_t)segment->homes * 5 / 4 + 16, &next) : STATUS_OK;
        if (status != STATUS_OK)
            return status;
        uint64_t *slots = segment->slots;
        uint32_t at = home(slot_tag(slot), segment->homes);
        while (slots[at] != 0 && slots[at] <= slot)
            at++;
        uint32_t gap = at;
        while (slots[gap] != 0)
            gap++;
        if (gap + 1 >= segment->size)
            continue;
        memmove(slots + at + 1, slots + at, (gap - at) * sizeof *slots);
        slots[at] = slot;
        segment->count++;
        return STATUS_OK;
    }
}

/* Closes the gap with the slots behind it that are not at home. */
static void segment_delete(struct outpoints_segment *segment, uint32_t at)
{
    uint64_t *slots = segment->slots;
    uint32_t end = at + 1;
    while (slots[end] != 0 && home(slot_tag(slots[end]), segment->homes) < end)
        end++;
    memmove(slots + at, slots + at + 1, (end - at - 1) * sizeof *slots);
    slots[end - 1] = 0;
    segment->count--;
}

/* Goes on from *at to a slot with that tag; false if there is none. `slots` may be anywhere, as in a saved table. */
static bool seek(const void *slots, uint32_t tag, uint32_t *at)
{
    for (;; ++*at) {
        uint64_t slot = load_le64((const uint8_t *)slots + (size_t)*at * sizeof slot);
        if (slot == 0 || slot_tag(slot) >= tag)
            return slot != 0 && slot_tag(slot) == tag;
    }
}

/* ---- the saved part ---- */

#define SEGMENTS_A_CHUNK (OUTPOINTS_SEGMENTS / OUTPOINTS_CHUNKS)

struct outpoints_saved {
    outpoints_get *get;
    void *context;
    struct saved_segment {
        const uint8_t *slots; /* of 8 bytes, as in a segment */
        size_t offset;        /* of them, in their chunk */
        uint64_t first_slot;  /* in the whole table */
        uint32_t homes, size;
        uint32_t count; /* slots that are not taken out */
    } segments[OUTPOINTS_SEGMENTS];
    uint8_t *taken; /* a bit for each slot */
};

static bool is_taken(const struct outpoints_saved *saved, unsigned segment, uint32_t at)
{
    uint64_t slot = saved->segments[segment].first_slot + at;
    return saved->taken[slot / 8] >> slot % 8 & 1;
}

static void saved_free(struct outpoints_saved *saved)
{
    if (saved)
        mem_free(saved->taken);
    mem_free(saved);
}

/* The slot behind *at, or 0; slots of a segment that are not taken out, in order. */
static uint64_t saved_next(const struct outpoints_saved *saved, unsigned segment, uint32_t *at)
{
    const struct saved_segment *s = &saved->segments[segment];
    while (*at < s->size) {
        uint64_t slot = load_le64(s->slots + (size_t)*at * sizeof slot);
        if (slot != 0 && !is_taken(saved, segment, *at)) {
            ++*at;
            return slot;
        }
        ++*at;
    }
    return 0;
}

/* ---- both parts ---- */

/* Where a slot is. */
struct place {
    bool saved;
    uint32_t at;
};

static struct place first_place(const struct outpoints *table, uint64_t hash)
{
    const struct outpoints_segment *segment = &table->segments[segment_of(hash)];
    return (struct place){.at = segment->count > 0 ? home(tag_of(hash), segment->homes) : 0};
}

/* Goes on from *place to a slot with the tag of this hash; false if there is none. */
static bool next_place(const struct outpoints *table, uint64_t hash, struct place *place)
{
    unsigned number = segment_of(hash);
    uint32_t tag = tag_of(hash);
    if (!place->saved) {
        const struct outpoints_segment *segment = &table->segments[number];
        if (segment->count > 0 && seek(segment->slots, tag, &place->at))
            return true;
        if (!table->saved)
            return false;
        *place = (struct place){.saved = true, .at = home(tag, table->saved->segments[number].homes)};
    }
    for (; seek(table->saved->segments[number].slots, tag, &place->at); place->at++)
        if (!is_taken(table->saved, number, place->at))
            return true;
    return false;
}

static uint64_t slot_at(const struct outpoints *table, uint64_t hash, struct place place)
{
    unsigned number = segment_of(hash);
    return place.saved ? load_le64(table->saved->segments[number].slots + (size_t)place.at * sizeof(uint64_t))
                       : table->segments[number].slots[place.at];
}

static void take_out(struct outpoints *table, uint64_t hash, struct place place)
{
    unsigned number = segment_of(hash);
    if (place.saved) {
        struct saved_segment *segment = &table->saved->segments[number];
        uint64_t slot = segment->first_slot + place.at;
        table->saved->taken[slot / 8] |= (uint8_t)(1u << slot % 8);
        if (segment->count == 0) /* somebody made a chunk that says less than it has */
            return;
        segment->count--;
    } else {
        segment_delete(&table->segments[number], place.at);
    }
    table->count--;
}

/* The slots of a segment in order, those of both parts. */
struct merge {
    const struct outpoints *table;
    unsigned segment;
    uint32_t at, saved_at;
    uint64_t next_saved;
};

static struct merge merge_begin(const struct outpoints *table, unsigned segment)
{
    struct merge merge = {.table = table, .segment = segment};
    if (table->saved)
        merge.next_saved = saved_next(table->saved, segment, &merge.saved_at);
    return merge;
}

/* 0 at the end. */
static uint64_t merge_next(struct merge *m)
{
    const struct outpoints_segment *segment = &m->table->segments[m->segment];
    while (m->at < segment->size && segment->slots[m->at] == 0)
        m->at++;
    uint64_t slot = m->at < segment->size ? segment->slots[m->at] : 0, saved = m->next_saved;
    if (saved == 0 || (slot != 0 && slot < saved)) {
        m->at += slot != 0;
        return slot;
    }
    m->next_saved = saved_next(m->table->saved, m->segment, &m->saved_at);
    return saved;
}

/* ---- the filter ---- */

#define FILTER_BITS 12u /* for each output, when the filter is as full as it may be */

/* Additions that a filter has room for that is made for so many outputs. */
static uint64_t filter_room(uint64_t count) { return count / 5 + 4096; }

/* Words for one segment: those of a segment are beside each other, since a word is chosen by the upper bits. */
static uint64_t filter_share(uint64_t count)
{
    return (count + filter_room(count)) * FILTER_BITS / 64 / OUTPOINTS_SEGMENTS + 1;
}

static void filter_add(uint64_t *filter, uint64_t words, uint64_t hash)
{
    filter[outpoints_filter_at(words, hash)] |= outpoints_filter_bits(hash);
}

/* Builds the filter anew, with room for a fifth more than what is in the table: outputs that were taken out leave it.
 */
static enum status filter_rebuild(struct outpoints *table)
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

/* ---- outputs replaced by an equal outpoint in this round ---- */

#define REPLACED_NONE UINT32_MAX

/* Output `ordinal` was replaced by output `by`. The outputs of one outpoint form a list from the latest to the
 * earliest; the jumps halve the way on it, so that a chain made of repeated transactions does not cost its square. */
struct outpoints_replaced {
    uint64_t by, ordinal;
    uint32_t earlier; /* the entry whose `by` is this ordinal */
    uint32_t jump;    /* an entry further on; itself at the end */
    uint32_t depth;   /* entries further on */
    bool spent;       /* so are then all further on */
};

static uint32_t replaced_by(const struct outpoints *table, uint64_t by)
{
    size_t low = 0, high = table->replaced_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (table->replaced[middle].by < by)
            low = middle + 1;
        else
            high = middle;
    }
    return low < table->replaced_count && table->replaced[low].by == by ? (uint32_t)low : REPLACED_NONE;
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

static void clear(struct outpoints *table)
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
    clear(table);
    mem_free(table->filter);
    mem_free(table->replaced);
    mem_free(table);
}

void outpoints_prefetch_add(const struct outpoints *table, uint64_t hash)
{
    const struct outpoints_segment *segment = &table->segments[segment_of(hash)];
    outpoints_prefetch(table, hash);
    if (segment->slots)
        __builtin_prefetch(&segment->slots[home(tag_of(hash), segment->homes)]);
}

void outpoints_prefetch_slot(const struct outpoints *table, uint64_t hash)
{
    outpoints_prefetch_add(table, hash);
    if (table->saved) {
        const struct saved_segment *saved = &table->saved->segments[segment_of(hash)];
        __builtin_prefetch(saved->slots + (size_t)home(tag_of(hash), saved->homes) * sizeof(uint64_t));
    }
}

bool outpoints_candidate(const struct outpoints *table, uint64_t hash)
{
    struct place place = first_place(table, hash);
    return next_place(table, hash, &place);
}

/* The output that has exactly this outpoint, and where its slot is; OUTPOINT_NONE if there is none. */
static enum status find(const struct outpoints *table, const uint8_t prevout[TX_PREVOUT_SIZE], uint64_t hash,
                        outpoints_resolve *resolve, void *context, struct place *place, uint64_t *ordinal)
{
    *ordinal = OUTPOINT_NONE;
    *place = first_place(table, hash);
    for (; next_place(table, hash, place); place->at++) {
        struct hash256 txid;
        uint32_t vout;
        uint64_t found = slot_ordinal(slot_at(table, hash, *place));
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

/* Takes an equal outpoint out, which this output replaces. */
static enum status replace(struct outpoints *table, const uint8_t prevout[TX_PREVOUT_SIZE], uint64_t hash,
                           uint64_t ordinal, outpoints_resolve *resolve, void *context)
{
    struct place place;
    uint64_t earlier;
    enum status status = find(table, prevout, hash, resolve, context, &place, &earlier);
    if (status != STATUS_OK || earlier == OUTPOINT_NONE)
        return status;
    status = replaced_add(table, ordinal, earlier);
    if (status == STATUS_OK)
        take_out(table, hash, place);
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
    struct place place;
    uint64_t latest;
    enum status status = find(table, prevout, hash, resolve, context, &place, &latest);
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
    struct place place = first_place(table, hash);
    for (; next_place(table, hash, &place); place.at++) {
        uint64_t latest = slot_ordinal(slot_at(table, hash, place));
        if (latest == ordinal) {
            take_out(table, hash, place);
            return true;
        }
        if (remove_replaced(table, latest, ordinal))
            return true;
    }
    return false;
}

void outpoints_end_window(struct outpoints *table) { table->replaced_count = 0; }

uint64_t outpoints_count(const struct outpoints *table) { return table->count; }

/* ---- saving ---- */

/* A chunk: a header; of each of its segments, homes and slots that are used; the slots of each; its part of the filter.
 * docs/store-format.md has it. */
enum {
    AT_MAGIC = 0,
    AT_VERSION = 4,
    AT_CHECKSUM = 8,
    AT_FINGERPRINT = 16,
    AT_TOTAL = 24,
    AT_CHUNK = 32,
    AT_SEGMENTS = 40,
    AT_SLOTS = AT_SEGMENTS + 8 * SEGMENTS_A_CHUNK,
};
#define CHUNK_MAGIC 0x50545875u /* "uXTP" */
#define CHUNK_VERSION 3u
#define CHECKSUM_FACTOR UINT64_C(0x9e3779b97f4a7c15)

static uint64_t checksum_step(uint64_t sum, uint64_t word)
{
    uint64_t product = (sum ^ word) * CHECKSUM_FACTOR;
    return product << 31 | product >> 33;
}

/* Against failing disks, at the speed of memory: SHA-256 would be most of what loading costs. Each step is a bijection
 * of the sum and of the word, so one changed word is always told, several but once in 2^64. Four sums in turn, since a
 * multiplication takes as long as four can be begun. */
static uint64_t chunk_checksum(const uint8_t *chunk, size_t size)
{
    uint64_t sums[4] = {1, 2, 3, 4};
    size_t at = AT_FINGERPRINT;
    for (; size - at >= sizeof sums; at += sizeof sums)
        for (unsigned i = 0; i < 4; i++)
            sums[i] = checksum_step(sums[i], load_le64(chunk + at + 8 * i));
    for (unsigned i = 0; i < (size - at) / 8; i++)
        sums[i] = checksum_step(sums[i], load_le64(chunk + at + 8 * i));
    uint64_t all = size;
    for (unsigned i = 0; i < 4; i++)
        all = checksum_step(all, sums[i]);
    return all;
}

/* A segment of both parts: closer than one that changes. Its slots depend on nothing but what is in it. */
static enum status merge_segment(const struct outpoints *table, unsigned number, struct outpoints_segment *segment)
{
    uint64_t count = table->segments[number].count + (table->saved ? table->saved->segments[number].count : 0);
    uint32_t next = 0;
    enum status status = segment_resize(segment, count * 10 / 9 + TAIL, &next);
    struct merge merge = merge_begin(table, number);
    for (uint64_t slot; status == STATUS_OK && (slot = merge_next(&merge)) != 0;)
        while (status == STATUS_OK && !segment_append(segment, slot, &next))
            status = segment_resize(segment, (uint64_t)segment->homes * 9 / 8 + TAIL, &next);
    return status;
}

/* Writes the segments, beginning with number `first`, into a new chunk. */
static enum status chunk_make(const struct outpoints *table, uint32_t first,
                              const struct outpoints_segment segments[SEGMENTS_A_CHUNK], uint8_t **chunk, size_t *size)
{
    uint64_t share = filter_share(table->count), words = share * OUTPOINTS_SEGMENTS;
    uint64_t *filter = mem_alloc((size_t)share * SEGMENTS_A_CHUNK, sizeof *filter);
    size_t at = AT_SLOTS;
    *size = at + (size_t)share * SEGMENTS_A_CHUNK * sizeof *filter;
    for (unsigned s = 0; s < SEGMENTS_A_CHUNK; s++)
        *size += segments[s].size * sizeof *segments[s].slots;
    *chunk = mem_alloc(*size, 1);
    for (unsigned s = 0; s < SEGMENTS_A_CHUNK && filter && *chunk; s++) {
        const struct outpoints_segment *segment = &segments[s];
        store_le32(*chunk + AT_SEGMENTS + 8 * s, segment->homes);
        store_le32(*chunk + AT_SEGMENTS + 8 * s + 4, segment->count);
        memcpy(*chunk + at, segment->slots, segment->size * sizeof *segment->slots);
        at += segment->size * sizeof *segment->slots;
        for (uint32_t i = 0; i < segment->size; i++) {
            uint64_t hash = slot_hash(first + s, segment->slots[i]);
            if (segment->slots[i] != 0)
                filter[outpoints_filter_at(words, hash) - first * share] |= outpoints_filter_bits(hash);
        }
    }
    enum status status = filter && *chunk ? STATUS_OK : STATUS_NOMEM;
    if (status == STATUS_OK)
        memcpy(*chunk + at, filter, *size - at);
    mem_free(filter);
    return status;
}

static enum status save_chunk(const struct outpoints *table, uint32_t number, outpoints_put *put, void *context)
{
    struct outpoints_segment segments[SEGMENTS_A_CHUNK] = {{0}};
    uint8_t *chunk = NULL;
    size_t size = 0;
    enum status status = STATUS_OK;
    for (unsigned s = 0; s < SEGMENTS_A_CHUNK && status == STATUS_OK; s++)
        status = merge_segment(table, number * SEGMENTS_A_CHUNK + s, &segments[s]);
    if (status == STATUS_OK)
        status = chunk_make(table, number * SEGMENTS_A_CHUNK, segments, &chunk, &size);
    if (status == STATUS_OK) {
        store_le32(chunk + AT_MAGIC, CHUNK_MAGIC);
        store_le32(chunk + AT_VERSION, CHUNK_VERSION);
        store_le64(chunk + AT_FINGERPRINT, table->fingerprint);
        store_le64(chunk + AT_TOTAL, table->count);
        store_le64(chunk + AT_CHUNK, number);
        store_le64(chunk + AT_CHECKSUM, chunk_checksum(chunk, size));
        status = put(context, number, chunk, size);
    }
    for (unsigned s = 0; s < SEGMENTS_A_CHUNK; s++)
        mem_free(segments[s].slots);
    mem_free(chunk);
    return status;
}

enum status outpoints_save(struct outpoints *table, outpoints_put *put, void *context)
{
    assert(table->replaced_count == 0);
    enum status status = STATUS_OK;
    for (uint32_t n = 0; n < OUTPOINTS_CHUNKS && status == STATUS_OK; n++) {
        status = save_chunk(table, n, put, context);
        if (status == STATUS_OK)
            status = outpoints_moved(table);
    }
    return status;
}

/* ---- loading ---- */

struct loading {
    struct outpoints *table;
    struct outpoints_saved *saved;
    struct loading_chunk {
        const uint8_t *bytes;
        size_t size;
        enum status status;
    } chunks[OUTPOINTS_CHUNKS];
};

bool outpoints_is_of_other_version(const uint8_t *chunk, size_t size)
{
    return size >= AT_CHECKSUM && load_le32(chunk + AT_MAGIC) == CHUNK_MAGIC &&
           load_le32(chunk + AT_VERSION) != CHUNK_VERSION;
}

/* Lays the segments out that a chunk says it has; false if it has other bytes than that. */
static bool lay_out(struct outpoints_saved *saved, uint32_t number, const uint8_t *chunk, size_t size, uint64_t share)
{
    uint64_t at = AT_SLOTS;
    for (unsigned s = 0; s < SEGMENTS_A_CHUNK; s++) {
        struct saved_segment *segment = &saved->segments[number * SEGMENTS_A_CHUNK + s];
        segment->homes = load_le32(chunk + AT_SEGMENTS + 8 * s);
        segment->count = load_le32(chunk + AT_SEGMENTS + 8 * s + 4);
        if (segment->homes == 0 || segment->homes > UINT32_MAX - TAIL)
            return false;
        segment->size = segment->homes + TAIL;
        segment->slots = chunk + at;
        segment->offset = at;
        at += (uint64_t)segment->size * sizeof(uint64_t);
        /* A gap at the end ends every search. */
        if (segment->count >= segment->size || at > size || load_le64(chunk + at - sizeof(uint64_t)) != 0)
            return false;
    }
    return size - at == share * SEGMENTS_A_CHUNK * sizeof(uint64_t);
}

/* What can be told of a chunk without its checksum. All of them know the total. */
static bool looks_right(const struct outpoints *table, uint32_t number, const struct loading_chunk *chunk,
                        uint64_t *total)
{
    const uint8_t *bytes = chunk->bytes;
    if (chunk->size < AT_SLOTS || chunk->size % 8 != 0 || load_le32(bytes + AT_MAGIC) != CHUNK_MAGIC ||
        load_le32(bytes + AT_VERSION) != CHUNK_VERSION || load_le64(bytes + AT_FINGERPRINT) != table->fingerprint ||
        load_le64(bytes + AT_CHUNK) != number)
        return false;
    if (number == 0)
        *total = load_le64(bytes + AT_TOTAL);
    return load_le64(bytes + AT_TOTAL) == *total && *total < SLOT_ORDINAL;
}

static enum status get_all(struct loading *l, uint64_t *total)
{
    enum status status = STATUS_OK;
    for (uint32_t n = 0; n < OUTPOINTS_CHUNKS && status == STATUS_OK; n++) {
        struct loading_chunk *chunk = &l->chunks[n];
        status = l->saved->get(l->saved->context, n, &chunk->bytes, &chunk->size);
        if (status == STATUS_NOT_FOUND && n > 0)
            status = STATUS_FORMAT;
        if (status == STATUS_OK && !(looks_right(l->table, n, chunk, total) &&
                                     lay_out(l->saved, n, chunk->bytes, chunk->size, filter_share(*total))))
            status = STATUS_FORMAT;
    }
    return status;
}

static void load_chunk(void *context, unsigned worker, size_t number)
{
    (void)worker;
    struct loading *l = context;
    struct loading_chunk *chunk = &l->chunks[number];
    if (load_le64(chunk->bytes + AT_CHECKSUM) != chunk_checksum(chunk->bytes, chunk->size)) {
        chunk->status = STATUS_FORMAT;
        return;
    }
    size_t words = (size_t)l->table->filter_words / OUTPOINTS_CHUNKS, size = words * sizeof *l->table->filter;
    memcpy(l->table->filter + number * words, chunk->bytes + chunk->size - size, size);
}

/* Numbers the slots, and counts what they hold. */
static enum status count_slots(struct outpoints *table, struct outpoints_saved *saved, uint64_t total)
{
    uint64_t slots = 0;
    for (unsigned s = 0; s < OUTPOINTS_SEGMENTS; s++) {
        saved->segments[s].first_slot = slots;
        slots += saved->segments[s].size;
        table->count += saved->segments[s].count;
    }
    saved->taken = mem_alloc((size_t)(slots / 8 + 1), 1);
    if (!saved->taken)
        return STATUS_NOMEM;
    return table->count == total ? STATUS_OK : STATUS_FORMAT;
}

static enum status load(struct outpoints *table, unsigned threads, struct loading *l)
{
    uint64_t total = 0;
    enum status status = get_all(l, &total);
    if (status != STATUS_OK)
        return status;
    uint64_t words = filter_share(total) * OUTPOINTS_SEGMENTS;
    uint64_t *filter = words <= UINT32_MAX ? mem_alloc_large((size_t)words, sizeof *filter) : NULL;
    if (!filter)
        return STATUS_NOMEM;
    mem_free(table->filter);
    table->filter = filter;
    table->filter_words = words;
    table->filter_left = filter_room(total);
    parallel_for(threads, OUTPOINTS_CHUNKS, load_chunk, l);
    for (uint32_t n = 0; n < OUTPOINTS_CHUNKS && status == STATUS_OK; n++)
        status = l->chunks[n].status;
    return status == STATUS_OK ? count_slots(table, l->saved, total) : status;
}

enum status outpoints_load(struct outpoints *table, unsigned threads, outpoints_get *get, void *context)
{
    clear(table);
    struct loading *l = mem_alloc(1, sizeof *l);
    struct outpoints_saved *saved = mem_alloc(1, sizeof *saved);
    enum status status = STATUS_NOMEM;
    if (l && saved) {
        *saved = (struct outpoints_saved){.get = get, .context = context};
        *l = (struct loading){.table = table, .saved = saved};
        status = load(table, threads, l);
    }
    mem_free(l);
    table->saved = saved;
    if (status == STATUS_OK)
        return STATUS_OK;
    clear(table);
    enum status empty = filter_rebuild(table);
    return empty == STATUS_OK ? status : empty;
}

enum status outpoints_moved(struct outpoints *table)
{
    struct outpoints_saved *saved = table->saved;
    enum status status = STATUS_OK;
    for (uint32_t n = 0; n < OUTPOINTS_CHUNKS && saved && status == STATUS_OK; n++) {
        const uint8_t *bytes;
        size_t size;
        status = saved->get(saved->context, n, &bytes, &size);
        for (unsigned s = 0; s < SEGMENTS_A_CHUNK && status == STATUS_OK; s++) {
            struct saved_segment *segment = &saved->segments[n * SEGMENTS_A_CHUNK + s];
            segment->slots = bytes + segment->offset;
        }
    }
    return status == STATUS_NOT_FOUND ? STATUS_FORMAT : status;
}
