#include "graph/scan/txid_set.h"

#include "parser/array.h"
#include "parser/bytes.h"
#include "parser/mem.h"
#include "parser/stop.h"

#define SLOTS_FIRST 4096u
#define AHEAD 16u /* txids whose slots are asked for before they are needed */

struct txid_set {
    uint64_t *slots; /* 0: free */
    size_t mask;
    size_t count;
    ARRAY(uint64_t) window; /* its txids' numbers, by place */
    uint32_t *places;       /* an open-addressing table as well: first place in the window + 1; 0: free */
    size_t places_mask;
    uint64_t key[2]; /* of the store's secret seed: whoever makes txids must not be able to aim them at one slot */
};

uint64_t txid_set_number(const uint8_t txid[RECORD_TXID])
{
    uint64_t number = load_le64(txid);
    return number ? number : 1;
}

static size_t hash_of(const struct txid_set *set, uint64_t number)
{
    return (size_t)((number ^ set->key[0]) * (set->key[1] | 1) >> 20);
}

static size_t slot_of(const struct txid_set *set, uint64_t number) { return hash_of(set, number) & set->mask; }

static void insert(struct txid_set *set, uint64_t number)
{
    size_t slot = slot_of(set, number);
    while (set->slots[slot] && set->slots[slot] != number)
        slot = (slot + 1) & set->mask;
    set->count += set->slots[slot] == 0;
    set->slots[slot] = number;
}

static enum status grow(struct txid_set *set)
{
    struct txid_set old = *set;
    set->mask = 2 * old.mask + 1;
    set->slots = mem_alloc_large(set->mask + 1, sizeof *set->slots);
    if (!set->slots) {
        *set = old;
        return STATUS_NOMEM;
    }
    set->count = 0;
    for (size_t i = 0; i <= old.mask; i++)
        if (old.slots[i])
            insert(set, old.slots[i]);
    mem_free(old.slots);
    return STATUS_OK;
}

static enum status add_older(struct txid_set *set, const uint64_t *numbers, size_t count)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        if (4 * (set->count + 1) > 3 * (set->mask + 1))
            status = grow(set);
        if (status != STATUS_OK)
            return status;
        if (i + AHEAD < count)
            __builtin_prefetch(&set->slots[slot_of(set, numbers[i + AHEAD])], 1);
        insert(set, numbers[i]);
    }
    return status;
}

/* ---- the window ---- */

/* The slot of the places that has the number, or is free for it. */
static uint32_t *place_of(const struct txid_set *set, uint64_t number)
{
    size_t slot = hash_of(set, number) & set->places_mask;
    while (set->places[slot] && set->window.at[set->places[slot] - 1] != number)
        slot = (slot + 1) & set->places_mask;
    return &set->places[slot];
}

/* Of several places the first stays. */
static void put_place(const struct txid_set *set, size_t place)
{
    uint32_t *slot = place_of(set, set->window.at[place]);
    if (*slot == 0)
        *slot = (uint32_t)place + 1;
}

/* Room for `count` more in the window, at most half full. */
static enum status reserve_places(struct txid_set *set, size_t count)
{
    size_t all = set->window.count + count, size = set->places_mask + 1;
    if (all >= UINT32_MAX)
        return STATUS_NOMEM;
    if (2 * all <= size)
        return STATUS_OK;
    while (size < 2 * all)
        size *= 2;
    uint32_t *places = mem_alloc_large(size, sizeof *places);
    if (!places)
        return STATUS_NOMEM;
    mem_free(set->places);
    set->places = places;
    set->places_mask = size - 1;
    for (size_t place = 0; place < set->window.count; place++)
        put_place(set, place);
    return STATUS_OK;
}

enum status txid_set_add(struct txid_set *set, const uint8_t *txids, size_t count)
{
    enum status status = reserve_places(set, count);
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        if (!PUSH(set->window, txid_set_number(txids + i * RECORD_TXID)))
            return STATUS_NOMEM;
        put_place(set, set->window.count - 1);
    }
    return status;
}

enum status txid_set_begin_window(struct txid_set *set)
{
    enum status status = add_older(set, set->window.at, set->window.count);
    if (set->window.count > 0)
        memset(set->places, 0, (set->places_mask + 1) * sizeof *set->places);
    set->window.count = 0;
    return status;
}

size_t txid_set_window(const struct txid_set *set) { return set->window.count; }

bool txid_set_has(const struct txid_set *set, uint64_t number, size_t place)
{
    size_t slot = slot_of(set, number);
    while (set->slots[slot] && set->slots[slot] != number)
        slot = (slot + 1) & set->mask;
    if (set->slots[slot])
        return true;
    uint32_t found = *place_of(set, number);
    return found > 0 && found - 1 < place;
}

/* ---- all of a store ---- */

static enum status add_batch(struct txid_set *set, const struct store_reader *reader, size_t batch, struct fault *fault)
{
    struct batch_view view;
    struct block_record block;
    if (txid_set_begin_window(set) != STATUS_OK)
        return fault_nomem(fault);
    enum status status = store_whole_batch(reader, batch, &view, fault);
    while (status == STATUS_OK && (status = batch_next_block(&view, &block)) == STATUS_OK)
        if (txid_set_add(set, block.txids, block.counts.txs) != STATUS_OK)
            return fault_nomem(fault);
    if (status == STATUS_FORMAT)
        return fault_set(fault, status, NULL, FAULT_NO_OFFSET,
                         "the store is damaged: `unktx check` tells where; scan into a new folder");
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

enum status txid_set_load(const struct store *store, struct txid_set **set, struct fault *fault)
{
    struct txid_set *new = mem_alloc(1, sizeof *new);
    struct store_reader *reader = NULL;
    *set = new;
    if (!new)
        return fault_nomem(fault);
    new->key[0] = load_le64(store_seed(store));
    new->key[1] = load_le64(store_seed(store) + 8);
    new->mask = SLOTS_FIRST - 1;
    new->slots = mem_alloc(SLOTS_FIRST, sizeof *new->slots);
    new->places_mask = SLOTS_FIRST - 1;
    new->places = mem_alloc(SLOTS_FIRST, sizeof *new->places);
    enum status status = new->slots &&new->places ? store_reader_open(store, &reader, fault) : fault_nomem(fault);
    for (size_t b = 0; status == STATUS_OK && b < store_batches(reader); b++) {
        status = stop_check(fault);
        if (status == STATUS_OK)
            status = add_batch(new, reader, b, fault);
    }
    if (status == STATUS_OK)
        store_let_go(reader);
    store_reader_close(reader);
    return status;
}

void txid_set_free(struct txid_set *set)
{
    if (!set)
        return;
    mem_free(set->slots);
    mem_free(set->places);
    mem_free(set->window.at);
    mem_free(set);
}
