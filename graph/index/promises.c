#include "graph/index/promises.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "graph/index/reader.h"
#include "parser/mem.h"
#include "parser/search.h"

#define RANGES_MAX 4096u
#define BUFFER_MIN 128u /* some entries */
#define BUFFER_MAX (64u << 10)
#define TAKEN_AT_ONCE 256u /* numbers */
#define PROMISE_MEMORY (sizeof(struct promise) + sizeof(uint32_t))
#define INPUTS_MAX (UINT64_C(1) << 31) /* of a range: their promises' numbers have 32 bits */
#define DROPPED_MAX 64u                /* blocks whose numbers a worker notes */
#define WAITING 16u                    /* promises whose places are on their way to the cache */
#define FOLDER_NAME "/unktx-hidden-XXXXXX"

uint64_t index_promises_range = 0;

/* ---- promising ---- */

static enum status contradicts(const struct promises *promises, struct fault *fault)
{
    return index_damaged(promises->index, "an output's spender is none", fault);
}

static uint64_t range_begins(const struct promises *promises, unsigned range)
{
    return promises->places[promises->ranges[range]].first_input;
}

struct waiting_promise {
    uint64_t input;
    uint64_t value_kind;
    const uint8_t *bytes;
    size_t size;
    uint32_t number;
};

/* Of inputs whose promises were dropped; those above `count` were used again. */
struct dropped_numbers {
    const uint32_t *numbers;
    size_t count;
};

struct promises_worker {
    struct dropped_numbers dropped[DROPPED_MAX];
    size_t dropped_count;
    uint32_t next; /* of those taken that were never used */
    uint32_t end;
    unsigned waiting_count;
    struct waiting_promise waiting[WAITING];
};

/* A number that is free; 0 if there is none, as there are more promises than inputs. */
static uint32_t take_number(struct promises *promises, struct promises_worker *worker)
{
    while (worker->dropped_count > 0) {
        struct dropped_numbers *dropped = &worker->dropped[worker->dropped_count - 1];
        while (dropped->count > 0)
            if (dropped->numbers[--dropped->count])
                return dropped->numbers[dropped->count];
        worker->dropped_count--;
    }
    if (worker->next == worker->end) {
        uint64_t first = __atomic_fetch_add(&promises->used, TAKEN_AT_ONCE, __ATOMIC_RELAXED);
        if (first + TAKEN_AT_ONCE > promises->most)
            return 0;
        worker->next = (uint32_t)first + (first == 0);
        worker->end = (uint32_t)first + TAKEN_AT_ONCE;
    }
    return worker->next++;
}

/* An input spends one output: a second one for it is damage. */
static enum status put(struct promises *promises, const struct waiting_promise *one, struct fault *fault)
{
    uint64_t first = range_begins(promises, promises->range), end = range_begins(promises, promises->range + 1);
    if (one->input < first || one->input >= end || one->number == 0)
        return contradicts(promises, fault);
    promises->at[one->number].value_kind = one->value_kind;
    memcpy(promises->at[one->number].bytes, one->bytes, one->size);
    if (__atomic_exchange_n(&promises->numbers[one->input - first], one->number, __ATOMIC_RELAXED) != 0)
        return contradicts(promises, fault);
    return STATUS_OK;
}

enum status promises_settle(struct promises *promises, unsigned worker, struct fault *fault)
{
    struct promises_worker *own = &promises->workers[worker];
    enum status status = STATUS_OK;
    for (unsigned i = 0; i < own->waiting_count && status == STATUS_OK; i++)
        status = put(promises, &own->waiting[i], fault);
    own->waiting_count = 0;
    return status;
}

/* Where there is no room to note them they are not used again, and others are: there are as many as inputs. */
void promises_drop(struct promises *promises, unsigned worker, const uint32_t *numbers, size_t count)
{
    struct promises_worker *own = &promises->workers[worker];
    if (own->dropped_count < DROPPED_MAX)
        own->dropped[own->dropped_count++] = (struct dropped_numbers){numbers, count};
}

static unsigned range_of(const struct promises *promises, uint64_t input)
{
    return (unsigned)LOWER_BOUND(i, promises->range + 1, promises->ranges_count,
                                 range_begins(promises, (unsigned)i) <= input) -
           1;
}

enum status promises_add(struct promises *promises, unsigned worker, uint64_t input, uint64_t value_kind,
                         const uint8_t *bytes, size_t size, struct fault *fault)
{
    struct promises_worker *own = &promises->workers[worker];
    enum status status = STATUS_OK;
    if (input >= promises->places[promises->blocks].first_input)
        return STATUS_OK;
    if (promises->spill && input >= range_begins(promises, promises->range + 1)) {
        uint8_t whole[PROMISE_BYTES] = {0};
        memcpy(whole, bytes, size);
        struct spill_entry entry = {.key = value_kind, .number = input, .bytes = whole};
        return spill_add(promises->spill, worker, range_of(promises, input), &entry);
    }
    if (own->waiting_count == WAITING)
        status = promises_settle(promises, worker, fault);
    struct waiting_promise one = {input, value_kind, bytes, size, take_number(promises, own)};
    if (input >= range_begins(promises, promises->range))
        __builtin_prefetch(&promises->numbers[input - range_begins(promises, promises->range)], 1);
    __builtin_prefetch(&promises->at[one.number], 1);
    own->waiting[own->waiting_count++] = one;
    return status;
}

enum status promises_failure(const struct promises *promises, struct fault *fault)
{
    return promises->spill ? spill_flush(promises->spill, fault) : STATUS_OK;
}

/* ---- ranges ---- */

struct loading {
    struct promises *promises;
    struct fault *fault;
};

static enum status load_entries(void *context, const struct spill_entry *entries, size_t count)
{
    const struct loading *loading = context;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        status = put(loading->promises,
                     &(struct waiting_promise){entries[i].number, entries[i].key, entries[i].bytes, PROMISE_BYTES,
                                               take_number(loading->promises, &loading->promises->workers[0])},
                     loading->fault);
    return status;
}

enum status promises_begin_range(struct promises *promises, unsigned range, struct fault *fault)
{
    struct loading loading = {promises, fault};
    uint64_t inputs = range_begins(promises, range + 1) - range_begins(promises, range);
    promises->range = range;
    promises->used = 0;
    promises->most = inputs + (uint64_t)(promises->threads + 1) * TAKEN_AT_ONCE;
    memset(promises->workers, 0, promises->threads * sizeof *promises->workers);
    mem_free(promises->numbers);
    mem_free(promises->at);
    promises->at = NULL;
    promises->numbers = mem_alloc_large((size_t)inputs, sizeof *promises->numbers);
    if (promises->numbers)
        promises->at = mem_alloc_large((size_t)promises->most, sizeof *promises->at);
    if (!promises->at)
        return fault_nomem(fault);
    enum status status = promises->spill ? spill_flush(promises->spill, fault) : STATUS_OK;
    if (status == STATUS_OK && promises->spill)
        status = spill_read(promises->spill, range, load_entries, &loading, fault);
    return status;
}

/* ---- opening ---- */

/* Where each block begins; an index that goes back in it is damaged. */
static enum status load_places(struct promises *promises, uint32_t to_height, struct fault *fault)
{
    struct index_totals totals = index_totals_of(promises->index);
    struct promises_block end = {totals.inputs, totals.outputs}, before = {0};
    if (to_height != UINT32_MAX && to_height >= totals.blocks)
        return fault_set(fault, STATUS_NOT_FOUND, NULL, FAULT_NO_OFFSET, "no block of height %u; the index ends at %u",
                         (unsigned)to_height, (unsigned)totals.blocks - 1);
    promises->blocks = to_height == UINT32_MAX ? totals.blocks : to_height + 1;
    promises->places = mem_alloc((size_t)promises->blocks + 1, sizeof *promises->places);
    if (!promises->places)
        return fault_nomem(fault);
    for (uint32_t h = 0; h <= promises->blocks; h++) {
        struct block_entry entry = {.first_input = end.first_input, .first_output = end.first_output};
        enum status status = h < totals.blocks ? index_block_entry(promises->index, h, &entry, fault) : STATUS_OK;
        if (status != STATUS_OK)
            return status;
        if (entry.first_input < before.first_input || entry.first_output < before.first_output ||
            entry.first_input > end.first_input || entry.first_output > end.first_output)
            return index_damaged(promises->index, "its blocks are not in order", fault);
        promises->places[h] = before = (struct promises_block){entry.first_input, entry.first_output};
        promises->bytes += h < promises->blocks ? entry.block.size : 0;
    }
    return STATUS_OK;
}

/* The most inputs of a range, but for one that is a single block. */
static uint64_t range_inputs(uint64_t inputs, uint64_t memory)
{
    uint64_t most = memory / PROMISE_MEMORY;
    if (most > INPUTS_MAX)
        most = INPUTS_MAX;
    return most < inputs / (RANGES_MAX / 2) ? inputs / (RANGES_MAX / 2) : most;
}

/* Two ranges that follow each other have more inputs than one may have. */
uint64_t promises_least_buffers(uint64_t inputs, uint64_t memory, unsigned threads)
{
    uint64_t ranges = inputs / range_inputs(inputs, memory) * 2 + 1;
    return (ranges < RANGES_MAX ? ranges : RANGES_MAX) * threads * (BUFFER_MIN + SPILL_PIECE_BYTES);
}

/* Ranges whose promises take the memory. */
static enum status choose_ranges(struct promises *promises, uint64_t memory, struct fault *fault)
{
    uint64_t inputs = promises->places[promises->blocks].first_input;
    uint64_t most = range_inputs(inputs, memory);
    if (index_promises_range > 0)
        most = index_promises_range < inputs / (RANGES_MAX / 2) ? inputs / (RANGES_MAX / 2) : index_promises_range;
    promises->ranges = mem_alloc(RANGES_MAX + 1, sizeof *promises->ranges);
    if (!promises->ranges)
        return fault_nomem(fault);
    promises->ranges_count = 1;
    for (uint32_t h = 1; h < promises->blocks; h++) {
        uint64_t first = range_begins(promises, promises->ranges_count - 1);
        if (promises->places[h + 1].first_input - first > most && promises->ranges_count < RANGES_MAX)
            promises->ranges[promises->ranges_count++] = h;
    }
    promises->ranges[promises->ranges_count] = promises->blocks;
    return STATUS_OK;
}

/* In a folder that is gone before anything is in its files. */
static enum status open_spill(struct promises *promises, const struct promises_options *options, struct fault *fault)
{
    uint64_t room = options->buffers / ((uint64_t)promises->ranges_count * options->threads);
    size_t buffer = (size_t)(room > SPILL_PIECE_BYTES ? room - SPILL_PIECE_BYTES : 0);
    struct spill_shape shape = {.folder = promises->folder,
                                .name = "promises",
                                .parts = promises->ranges_count,
                                .workers = options->threads,
                                .key_size = VALUE_KIND_SIZE,
                                .bytes = PROMISE_BYTES};
    shape.buffer = buffer < BUFFER_MIN ? BUFFER_MIN : buffer > BUFFER_MAX ? BUFFER_MAX : buffer;
    int size = snprintf(promises->folder, sizeof promises->folder, "%s" FOLDER_NAME, options->tmp);
    if (size < 0 || (size_t)size >= sizeof promises->folder)
        return fault_set(fault, STATUS_LIMIT, NULL, FAULT_NO_OFFSET, "the path of the temporary files is too long");
    if (!mkdtemp(promises->folder))
        return fault_errno_place(fault, promises->folder, FAULT_NO_OFFSET, SPILL_OTHER,
                                 "cannot create a folder for temporary files");
    enum status status = spill_new(&shape, &promises->spill, fault);
    if (status == STATUS_OK)
        spill_unlink(promises->spill);
    rmdir(promises->folder);
    return status;
}

enum status promises_open(struct promises *promises, struct tx_index *index, const struct promises_options *options,
                          struct fault *fault)
{
    promises->index = index;
    promises->threads = options->threads;
    promises->workers = mem_alloc(options->threads, sizeof *promises->workers);
    if (!promises->workers)
        return fault_nomem(fault);
    enum status status = load_places(promises, options->to_height, fault);
    if (status == STATUS_OK)
        status = choose_ranges(promises, options->memory, fault);
    if (status == STATUS_OK && promises->ranges_count > 1)
        status = open_spill(promises, options, fault);
    return status;
}

void promises_close(struct promises *promises)
{
    spill_free(promises->spill);
    mem_free(promises->places);
    mem_free(promises->ranges);
    mem_free(promises->numbers);
    mem_free(promises->at);
    mem_free(promises->workers);
    *promises = (struct promises){0};
}
