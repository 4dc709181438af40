/* outpoints_parts: what the files of the outpoint table share: outpoints.c looks up, adds and removes,
 * outpoints_segments.c keeps the slots in order, outpoints_chunks.c saves and loads. outpoints.h is what others use. */
#ifndef UNKTX_GRAPH_SCAN_OUTPOINTS_PARTS_H
#define UNKTX_GRAPH_SCAN_OUTPOINTS_PARTS_H

#include "graph/scan/outpoints.h"

/* The table uses the upper 40 bits of a hash: 8 choose the segment, 32 are the tag in the slot. Among six million
 * outputs one input in 2^17 meets the tag of another output.
 *
 * A segment is a hash table with linear probing: the search for a tag begins at its home slot and ends at the first
 * empty one. The home slot grows with the tag, so the slots in use are sorted: a search also ends at the first larger
 * tag, and growing and saving are one pass in order, which needs no hash of the store. An output that is removed is
 * deleted from a segment in memory; in the saved part, which cannot change, it gets a tombstone. */
#define TAG_BITS 32u
#define ORDINAL_BITS 32u
#define SLOT_ORDINAL ((UINT64_C(1) << ORDINAL_BITS) - 1) /* ordinal + 1, so that no used slot is 0 */
#define TAIL 32u /* slots after the home slots, for what does not fit into them */

static inline unsigned segment_of(uint64_t hash) { return (unsigned)(hash >> 56); }
static inline uint32_t tag_of(uint64_t hash) { return (uint32_t)(hash >> (56 - TAG_BITS)); }
static inline uint32_t slot_tag(uint64_t slot) { return (uint32_t)(slot >> ORDINAL_BITS); }
static inline uint64_t slot_ordinal(uint64_t slot) { return (slot & SLOT_ORDINAL) - 1; }
static inline uint64_t slot_make(uint32_t tag, uint64_t ordinal)
{
    return (uint64_t)tag << ORDINAL_BITS | (ordinal + 1);
}
/* The home slot of a tag. */
static inline uint32_t home(uint32_t tag, uint32_t home_slots)
{
    return (uint32_t)((uint64_t)tag * home_slots >> TAG_BITS);
}

/* What a slot still knows of its hash: the bits that segment_of, tag_of and the filter use. */
static inline uint64_t slot_hash(unsigned segment, uint64_t slot)
{
    return (uint64_t)segment << 56 | (uint64_t)slot_tag(slot) << (56 - TAG_BITS);
}

/* Moves *at to the next slot with that tag, *at itself included; false if there is none. `slots` may have any
 * alignment, as in a saved table. */
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
        size_t offset;        /* of the slots in their chunk */
        uint64_t first_slot;  /* number of the first one among those of all segments */
        uint32_t home_slots;
        uint32_t size;
        uint32_t count; /* slots in use that have no tombstone */
    } segments[OUTPOINTS_SEGMENTS];
    uint8_t *tombstones; /* a bit for each slot: its output was removed */
};

static inline bool is_tombstone(const struct outpoints_saved *saved, unsigned segment, uint32_t at)
{
    uint64_t slot = saved->segments[segment].first_slot + at;
    return saved->tombstones[slot / 8] >> slot % 8 & 1;
}

/* ---- the filter ---- */

#define FILTER_BITS 12u /* for each output, when the filter is as full as it may be */

/* How many outputs may be added to a filter that was built with so many. */
static inline uint64_t filter_room(uint64_t count) { return count / 5 + 4096; }

/* Words for one segment: each segment has a stretch of its own, since the upper bits of the hash choose the word. */
static inline uint64_t filter_share(uint64_t count)
{
    return (count + filter_room(count)) * FILTER_BITS / 64 / OUTPOINTS_SEGMENTS + 1;
}

/* ---- outpoints.c ---- */

/* Builds the filter anew, with room for a fifth more than what is in the table: outputs that were removed leave it. */
enum status filter_rebuild(struct outpoints *table) MUST_CHECK;
/* Removes all that is in the table; the filter stays. */
void outpoints_clear(struct outpoints *table);

/* ---- outpoints_segments.c ---- */

/* Appends `slot`, whose tag is no smaller than any there; *next is where the first gap after the last slot is. False if
 * the tail is full. */
bool segment_append(struct outpoints_segment *segment, uint64_t slot, uint32_t *next);
/* Spreads the segment over at least so many home slots. *next as in segment_append. On failure nothing changes. */
enum status segment_resize(struct outpoints_segment *segment, uint64_t home_slots, uint32_t *next) MUST_CHECK;
enum status segment_insert(struct outpoints_segment *segment, uint64_t slot) MUST_CHECK;
void segment_delete(struct outpoints_segment *segment, uint32_t at);

/* The slots of a segment in order, of what was saved and of what was added since. */
struct merge {
    const struct outpoints *table;
    unsigned segment;
    uint32_t at;
    uint32_t saved_at;
    uint64_t next_saved;
};

struct merge merge_begin(const struct outpoints *table, unsigned segment);
/* 0 at the end. */
uint64_t merge_next(struct merge *m);

#endif
