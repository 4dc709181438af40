/* outpoints_parts: what the files of the outpoint table share: outpoints.c looks up, adds and removes,
 * outpoints_segments.c keeps the slots in order, outpoints_chunks.c saves and loads. outpoints.h is what others use. */
#ifndef UNKTX_GRAPH_SCAN_OUTPOINTS_PARTS_H
#define UNKTX_GRAPH_SCAN_OUTPOINTS_PARTS_H

#include "graph/scan/outpoints.h"

/* The upper 40 bits of the hash say everything: 8 choose the segment, 32 are the tag in the slot: among six million
 * outputs one input in 2^17 meets the tag of another. A slot's home is a monotone function of its tag, so a segment
 * with linear probing is a sorted array with gaps: a search ends at the first larger tag, and growth and saving are one
 * pass in order, without the store. */
#define TAG_BITS 32u
#define ORDINAL_BITS 32u
#define SLOT_ORDINAL ((UINT64_C(1) << ORDINAL_BITS) - 1) /* ordinal + 1, so that no used slot is 0 */
#define TAIL 32u                                         /* slots behind the homes */

static inline unsigned segment_of(uint64_t hash) { return (unsigned)(hash >> 56); }
static inline uint32_t tag_of(uint64_t hash) { return (uint32_t)(hash >> (56 - TAG_BITS)); }
static inline uint32_t slot_tag(uint64_t slot) { return (uint32_t)(slot >> ORDINAL_BITS); }
static inline uint64_t slot_ordinal(uint64_t slot) { return (slot & SLOT_ORDINAL) - 1; }
static inline uint64_t slot_make(uint32_t tag, uint64_t ordinal)
{
    return (uint64_t)tag << ORDINAL_BITS | (ordinal + 1);
}
static inline uint32_t home(uint32_t tag, uint32_t homes) { return (uint32_t)((uint64_t)tag * homes >> TAG_BITS); }

/* What a slot still knows of its hash: the bits that segment_of, tag_of and the filter use. */
static inline uint64_t slot_hash(unsigned segment, uint64_t slot)
{
    return (uint64_t)segment << 56 | (uint64_t)slot_tag(slot) << (56 - TAG_BITS);
}

/* Goes on from *at to a slot with that tag; false if there is none. `slots` may be anywhere, as in a saved table. */
static inline bool seek(const void *slots, uint32_t tag, uint32_t *at)
{
    for (;; ++*at) {
        uint64_t slot = load_le64((const uint8_t *)slots + (size_t)*at * sizeof slot);
        if (slot == 0 || slot_tag(slot) >= tag)
            return slot != 0 && slot_tag(slot) == tag;
    }
}

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

static inline bool is_taken(const struct outpoints_saved *saved, unsigned segment, uint32_t at)
{
    uint64_t slot = saved->segments[segment].first_slot + at;
    return saved->taken[slot / 8] >> slot % 8 & 1;
}

/* ---- the filter ---- */

#define FILTER_BITS 12u /* for each output, when the filter is as full as it may be */

/* Additions that a filter has room for that is made for so many outputs. */
static inline uint64_t filter_room(uint64_t count) { return count / 5 + 4096; }

/* Words for one segment: those of a segment are beside each other, since a word is chosen by the upper bits. */
static inline uint64_t filter_share(uint64_t count)
{
    return (count + filter_room(count)) * FILTER_BITS / 64 / OUTPOINTS_SEGMENTS + 1;
}

/* ---- outpoints.c ---- */

enum status filter_rebuild(struct outpoints *table) MUST_CHECK;
void outpoints_clear(struct outpoints *table);

/* ---- outpoints_segments.c ---- */

bool segment_append(struct outpoints_segment *segment, uint64_t slot, uint32_t *next);
enum status segment_resize(struct outpoints_segment *segment, uint64_t homes, uint32_t *next) MUST_CHECK;
enum status segment_insert(struct outpoints_segment *segment, uint64_t slot) MUST_CHECK;
void segment_delete(struct outpoints_segment *segment, uint32_t at);

/* The slots of a segment in order, those of both parts. */
struct merge {
    const struct outpoints *table;
    unsigned segment;
    uint32_t at, saved_at;
    uint64_t next_saved;
};

struct merge merge_begin(const struct outpoints *table, unsigned segment);
uint64_t merge_next(struct merge *m);

#endif
