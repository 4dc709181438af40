#include "graph/scan/outpoints.h"

#include <assert.h>

#include "parser/mem.h"
#include "parser/sha256.h"

/* The upper 32 bits of the hash say everything: 8 choose the segment, 24 are the tag in the slot. A slot's home is a
 * monotone function of its tag, so a segment with linear probing is a sorted array with gaps: a search ends at the
 * first larger tag, and growth and saving are one pass in order, without the store. */
#define TAG_BITS 24u
#define ORDINAL_BITS 40u
#define SLOT_ORDINAL ((UINT64_C(1) << ORDINAL_BITS) - 1) /* ordinal + 1, so that no used slot is 0 */
#define TAIL 32u                                         /* slots behind the homes */

static unsigned segment_of(uint64_t hash) { return (unsigned)(hash >> 56); }
static uint32_t tag_of(uint64_t hash) { return (uint32_t)(hash >> 32) & ((1u << TAG_BITS) - 1); }
static uint32_t slot_tag(uint64_t slot) { return (uint32_t)(slot >> ORDINAL_BITS); }
static uint64_t slot_ordinal(uint64_t slot) { return (slot & SLOT_ORDINAL) - 1; }
static uint64_t slot_make(uint32_t tag, uint64_t ordinal) { return (uint64_t)tag << ORDINAL_BITS | (ordinal + 1); }
static uint32_t home(uint32_t tag, uint32_t homes) { return (uint32_t)((uint64_t)tag * homes >> TAG_BITS); }

/* What a slot still knows of its hash: the bits that segment_of, tag_of and the filter use. */
static uint64_t slot_hash(unsigned segment, uint64_t slot)
{
    return (uint64_t)segment << 56 | (uint64_t)slot_tag(slot) << 32;
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
        while (slots[at] != 0 && slot_tag(slots[at]) <= slot_tag(slot))
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

/* Slots with that tag: the first is sought from segment_begin on, each next one from behind the last. */
static uint32_t segment_begin(const struct outpoints_segment *segment, uint32_t tag)
{
    return segment->count > 0 ? home(tag, segment->homes) : 0;
}
static bool segment_match(const struct outpoints_segment *segment, uint32_t tag, uint32_t *at)
{
    if (segment->count == 0)
        return false;
    while (segment->slots[*at] != 0 && slot_tag(segment->slots[*at]) < tag)
        ++*at;
    return segment->slots[*at] != 0 && slot_tag(segment->slots[*at]) == tag;
}

/* ---- the filter ---- */

#define FILTER_BITS 10u /* for each output, when the filter is as full as it may be */

static void filter_fill(struct outpoints *table)
{
    for (unsigned s = 0; s < OUTPOINTS_SEGMENTS; s++) {
        const struct outpoints_segment *segment = &table->segments[s];
        for (uint32_t i = 0; i < segment->size; i++)
            if (segment->slots[i] != 0) {
                uint64_t hash = slot_hash(s, segment->slots[i]);
                *outpoints_filter_word(table, hash) |= outpoints_filter_bits(hash);
            }
    }
}

/* Builds the filter anew, with room for a fifth more than what is in the table: outputs that were taken out leave it.
 */
static enum status filter_rebuild(struct outpoints *table)
{
    uint64_t room = table->count / 5 + 4096;
    uint64_t words = (table->count + room) * FILTER_BITS / 64;
    uint64_t *filter = words <= UINT32_MAX ? mem_alloc((size_t)words, sizeof *filter) : NULL;
    if (!filter)
        return STATUS_NOMEM;
    mem_free(table->filter);
    table->filter = filter;
    table->filter_words = words;
    table->filter_left = room;
    filter_fill(table);
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

void outpoints_prefetch_slot(const struct outpoints *table, uint64_t hash)
{
    const struct outpoints_segment *segment = &table->segments[segment_of(hash)];
    outpoints_prefetch(table, hash);
    if (segment->slots)
        __builtin_prefetch(&segment->slots[home(tag_of(hash), segment->homes)]);
}

bool outpoints_candidate(const struct outpoints *table, uint64_t hash)
{
    const struct outpoints_segment *segment = &table->segments[segment_of(hash)];
    uint32_t at = segment_begin(segment, tag_of(hash));
    return segment_match(segment, tag_of(hash), &at);
}

/* The slot whose output has exactly this outpoint, or NULL in *slot. */
static enum status find_slot(const struct outpoints *table, const uint8_t prevout[TX_PREVOUT_SIZE], uint64_t hash,
                             outpoints_resolve *resolve, void *context, uint64_t **slot)
{
    const struct outpoints_segment *segment = &table->segments[segment_of(hash)];
    uint32_t tag = tag_of(hash);
    *slot = NULL;
    for (uint32_t at = segment_begin(segment, tag); segment_match(segment, tag, &at); at++) {
        struct hash256 txid;
        uint32_t vout;
        enum status status = resolve(context, slot_ordinal(segment->slots[at]), &txid, &vout);
        if (status != STATUS_OK)
            return status;
        if (memcmp(txid.bytes, prevout, HASH256_SIZE) == 0 && load_le32(prevout + HASH256_SIZE) == vout) {
            *slot = &segment->slots[at];
            return STATUS_OK;
        }
    }
    return STATUS_OK;
}

static enum status add(struct outpoints *table, const uint8_t prevout[TX_PREVOUT_SIZE], uint64_t hash, uint64_t ordinal,
                       outpoints_resolve *resolve, void *context)
{
    if (ordinal >= SLOT_ORDINAL)
        return STATUS_LIMIT;
    uint64_t *slot;
    enum status status = find_slot(table, prevout, hash, resolve, context, &slot);
    if (status != STATUS_OK)
        return status;
    if (slot) {
        status = replaced_add(table, ordinal, slot_ordinal(*slot));
        if (status == STATUS_OK)
            *slot = slot_make(tag_of(hash), ordinal);
        return status;
    }
    if (table->filter_left == 0)
        status = filter_rebuild(table);
    if (status == STATUS_OK)
        status = segment_insert(&table->segments[segment_of(hash)], slot_make(tag_of(hash), ordinal));
    if (status != STATUS_OK)
        return status;
    *outpoints_filter_word(table, hash) |= outpoints_filter_bits(hash);
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
    uint64_t *slot;
    enum status status = find_slot(table, prevout, hash, resolve, context, &slot);
    if (status != STATUS_OK || !slot)
        return status;
    uint64_t latest = slot_ordinal(*slot);
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
    struct outpoints_segment *segment = &table->segments[segment_of(hash)];
    uint32_t tag = tag_of(hash);
    for (uint32_t at = segment_begin(segment, tag); segment_match(segment, tag, &at); at++) {
        uint64_t latest = slot_ordinal(segment->slots[at]);
        if (latest == ordinal) {
            segment_delete(segment, at);
            table->count--;
            return true;
        }
        if (remove_replaced(table, latest, ordinal))
            return true;
    }
    return false;
}

void outpoints_end_round(struct outpoints *table) { table->replaced_count = 0; }

uint64_t outpoints_count(const struct outpoints *table) { return table->count; }

/* ---- saving and loading ---- */

/* A chunk: a header, then runs: segment number, number of slots, the slots in order. docs/store-format.md has it. */
enum {
    AT_MAGIC = 0,
    AT_VERSION = 4,
    AT_CHECKSUM = 8,
    AT_FINGERPRINT = 16,
    AT_TOTAL = 24,
    AT_CHUNK = 32,
    AT_BYTES = 36,
    CHUNK_HEADER = 40,
};
#define CHUNK_MAGIC 0x50545875u /* "uXTP" */
#define CHUNK_VERSION 1u
#define RUN_HEADER 8u

static uint64_t chunk_checksum(const uint8_t *chunk, size_t size)
{
    uint8_t digest[32];
    sha256(chunk + AT_FINGERPRINT, size - AT_FINGERPRINT, digest);
    return load_le64(digest);
}

struct saving {
    const struct outpoints *table;
    outpoints_put *put;
    void *context;
    uint8_t *chunk;
    size_t size;
    uint32_t number;
};

static enum status put_chunk(struct saving *s)
{
    store_le32(s->chunk + AT_MAGIC, CHUNK_MAGIC);
    store_le32(s->chunk + AT_VERSION, CHUNK_VERSION);
    store_le64(s->chunk + AT_FINGERPRINT, s->table->fingerprint);
    store_le64(s->chunk + AT_TOTAL, s->table->count);
    store_le32(s->chunk + AT_CHUNK, s->number);
    store_le32(s->chunk + AT_BYTES, (uint32_t)s->size);
    store_le64(s->chunk + AT_CHECKSUM, chunk_checksum(s->chunk, s->size));
    enum status status = s->put(s->context, s->number++, s->chunk, s->size);
    s->size = CHUNK_HEADER;
    return status;
}

/* One run with as many slots from *at on as fit the chunk. */
static void save_run(struct saving *s, unsigned number, uint32_t *at)
{
    const struct outpoints_segment *segment = &s->table->segments[number];
    uint8_t *run = s->chunk + s->size;
    uint32_t slots = 0;
    s->size += RUN_HEADER;
    for (; *at < segment->size && s->size + sizeof *segment->slots <= OUTPOINTS_CHUNK_MAX; ++*at)
        if (segment->slots[*at] != 0) {
            store_le64(s->chunk + s->size, segment->slots[*at]);
            s->size += sizeof *segment->slots;
            slots++;
        }
    store_le32(run, number);
    store_le32(run + 4, slots);
}

enum status outpoints_save(const struct outpoints *table, outpoints_put *put, void *context)
{
    assert(table->replaced_count == 0);
    struct saving s = {.table = table, .put = put, .context = context, .size = CHUNK_HEADER};
    s.chunk = mem_alloc(OUTPOINTS_CHUNK_MAX, 1);
    enum status status = s.chunk ? STATUS_OK : STATUS_NOMEM;
    for (unsigned n = 0; n < OUTPOINTS_SEGMENTS && status == STATUS_OK; n++)
        for (uint32_t at = 0; table->segments[n].count > 0 && at < table->segments[n].size && status == STATUS_OK;) {
            if (OUTPOINTS_CHUNK_MAX - s.size < RUN_HEADER + sizeof(uint64_t))
                status = put_chunk(&s);
            if (status == STATUS_OK)
                save_run(&s, n, &at);
        }
    if (status == STATUS_OK && (s.size > CHUNK_HEADER || s.number == 0))
        status = put_chunk(&s);
    mem_free(s.chunk);
    return status;
}

/* Appends slots to a segment that holds the smaller tags; *next as in segment_append. */
static enum status load_slots(struct outpoints_segment *segment, const uint8_t *slots, uint32_t count, uint32_t *next)
{
    uint64_t all = (uint64_t)segment->count + count;
    enum status status = STATUS_OK;
    if (segment_is_full(segment, all))
        status = segment_resize(segment, all * 4 / 3 + 16, next);
    uint32_t last = *next > 0 ? slot_tag(segment->slots[*next - 1]) : 0;
    for (uint32_t i = 0; i < count && status == STATUS_OK; i++) {
        uint64_t slot = load_le64(slots + (size_t)i * 8);
        if ((slot & SLOT_ORDINAL) == 0 || slot_tag(slot) < last)
            return STATUS_FORMAT;
        last = slot_tag(slot);
        while (status == STATUS_OK && !segment_append(segment, slot, next))
            status = segment_resize(segment, (uint64_t)segment->homes * 9 / 8 + TAIL, next);
    }
    return status;
}

struct loading {
    unsigned segment;
    uint32_t next;
    uint64_t total;
};

static enum status load_chunk(struct outpoints *table, struct loading *l, uint32_t number, const uint8_t *chunk,
                              size_t size)
{
    if (size < CHUNK_HEADER || load_le32(chunk + AT_MAGIC) != CHUNK_MAGIC || load_le32(chunk + AT_BYTES) != size ||
        load_le32(chunk + AT_VERSION) != CHUNK_VERSION || load_le64(chunk + AT_FINGERPRINT) != table->fingerprint ||
        load_le32(chunk + AT_CHUNK) != number || load_le64(chunk + AT_CHECKSUM) != chunk_checksum(chunk, size))
        return STATUS_FORMAT;
    l->total = load_le64(chunk + AT_TOTAL);
    struct cursor c = cursor_over(chunk + CHUNK_HEADER, size - CHUNK_HEADER);
    while (cursor_left(&c) > 0) {
        uint32_t segment = cursor_u32(&c), count = cursor_u32(&c);
        const uint8_t *slots = cursor_take(&c, (size_t)count * 8);
        if (!slots || segment >= OUTPOINTS_SEGMENTS || segment < l->segment)
            return STATUS_FORMAT;
        if (segment != l->segment)
            l->next = 0;
        l->segment = segment;
        enum status status = load_slots(&table->segments[segment], slots, count, &l->next);
        if (status != STATUS_OK)
            return status;
        table->count += count;
    }
    return cursor_ok(&c) ? STATUS_OK : STATUS_FORMAT;
}

enum status outpoints_load(struct outpoints *table, outpoints_get *get, void *context)
{
    struct loading l = {0};
    uint32_t number = 0;
    enum status status;
    clear(table);
    for (;;) {
        const uint8_t *chunk = NULL;
        size_t size = 0;
        status = get(context, number, &chunk, &size);
        if (status == STATUS_OK)
            status = load_chunk(table, &l, number, chunk, size);
        if (status != STATUS_OK)
            break;
        number++;
    }
    if (status == STATUS_NOT_FOUND && number > 0)
        status = table->count == l.total ? STATUS_OK : STATUS_FORMAT;
    if (status != STATUS_OK)
        clear(table);
    enum status rebuilt = filter_rebuild(table);
    return status != STATUS_OK ? status : rebuilt;
}
