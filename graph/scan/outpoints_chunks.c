#include "graph/scan/outpoints_parts.h"

#include <assert.h>

#include "parser/mem.h"
#include "parser/parallel.h"

/* ---- saving ---- */

/* A chunk: a header; of each of its segments, how many home slots and slots in use; the slots of each; its part of the
 * filter. docs/store-format.md has it. */
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
            status = segment_resize(segment, (uint64_t)segment->home_slots * 9 / 8 + TAIL, &next);
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
        store_le32(*chunk + AT_SEGMENTS + 8 * s, segment->home_slots);
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
        segment->home_slots = load_le32(chunk + AT_SEGMENTS + 8 * s);
        segment->count = load_le32(chunk + AT_SEGMENTS + 8 * s + 4);
        if (segment->home_slots == 0 || segment->home_slots > UINT32_MAX - TAIL)
            return false;
        segment->size = segment->home_slots + TAIL;
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
    saved->tombstones = mem_alloc((size_t)(slots / 8 + 1), 1);
    if (!saved->tombstones)
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
    status = parallel_for(threads, OUTPOINTS_CHUNKS, load_chunk, l, NULL);
    for (uint32_t n = 0; n < OUTPOINTS_CHUNKS && status == STATUS_OK; n++)
        status = l->chunks[n].status;
    return status == STATUS_OK ? count_slots(table, l->saved, total) : status;
}

enum status outpoints_load(struct outpoints *table, unsigned threads, outpoints_get *get, void *context)
{
    outpoints_clear(table);
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
    outpoints_clear(table);
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
