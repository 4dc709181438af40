#include "graph/scan/outpoints_parts.h"

#include "parser/mem.h"

/* ---- segments ---- */

bool segment_append(struct outpoints_segment *segment, uint64_t slot, uint32_t *next)
{
    uint32_t at = home(slot_tag(slot), segment->home_slots);
    if (at < *next)
        at = *next;
    if (at + 1 >= segment->size)
        return false;
    segment->slots[at] = slot;
    segment->count++;
    *next = at + 1;
    return true;
}

enum status segment_resize(struct outpoints_segment *segment, uint64_t home_slots, uint32_t *next)
{
    for (;; home_slots += home_slots / 8 + TAIL) {
        if (home_slots > UINT32_MAX - TAIL)
            return STATUS_LIMIT;
        struct outpoints_segment wide = {.home_slots = (uint32_t)home_slots, .size = (uint32_t)home_slots + TAIL};
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

/* At most 85 % of the home slots are used: above that, runs of used slots get long. */
static bool segment_is_full(const struct outpoints_segment *segment, uint64_t count)
{
    return count * 20 > (uint64_t)segment->home_slots * 17;
}

enum status segment_insert(struct outpoints_segment *segment, uint64_t slot)
{
    uint32_t next;
    bool full = segment_is_full(segment, (uint64_t)segment->count + 1);
    for (;; full = true) {
        /* By a quarter only, one segment at a time: memory is short, and growing is one pass. */
        enum status status = full ? segment_resize(segment, (uint64_t)segment->home_slots * 5 / 4 + 16, &next)
                                  : STATUS_OK;
        if (status != STATUS_OK)
            return status;
        uint64_t *slots = segment->slots;
        uint32_t at = home(slot_tag(slot), segment->home_slots);
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

/* Closes the gap with the slots after it that are not in their home slot. */
void segment_delete(struct outpoints_segment *segment, uint32_t at)
{
    uint64_t *slots = segment->slots;
    uint32_t end = at + 1;
    while (slots[end] != 0 && home(slot_tag(slots[end]), segment->home_slots) < end)
        end++;
    memmove(slots + at, slots + at + 1, (end - at - 1) * sizeof *slots);
    slots[end - 1] = 0;
    segment->count--;
}

/* ---- the saved part ---- */

/* The next slot in use without a tombstone, from *at on, and *at after it; 0 at the end. */
static uint64_t saved_next(const struct outpoints_saved *saved, unsigned segment, uint32_t *at)
{
    const struct saved_segment *s = &saved->segments[segment];
    while (*at < s->size) {
        uint64_t slot = load_le64(s->slots + (size_t)*at * sizeof slot);
        if (slot != 0 && !is_tombstone(saved, segment, *at)) {
            ++*at;
            return slot;
        }
        ++*at;
    }
    return 0;
}

/* ---- both parts ---- */

struct merge merge_begin(const struct outpoints *table, unsigned segment)
{
    struct merge merge = {.table = table, .segment = segment};
    if (table->saved)
        merge.next_saved = saved_next(table->saved, segment, &merge.saved_at);
    return merge;
}

uint64_t merge_next(struct merge *m)
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
