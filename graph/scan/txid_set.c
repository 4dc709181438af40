#include "graph/scan/txid_set.h"

#include "parser/bytes.h"
#include "parser/mem.h"
#include "parser/stop.h"

#define SLOTS_FIRST 4096u
#define AHEAD 16u /* txids whose slots are asked for before they are needed */

struct txid_set {
    uint64_t *slots; /* 0: free */
    size_t mask;
    size_t count;
    uint64_t key[2]; /* of the store's secret seed: whoever makes txids must not be able to aim them at one slot */
};

uint64_t txid_set_number(const uint8_t txid[RECORD_TXID])
{
    uint64_t number = load_le64(txid);
    return number ? number : 1;
}

static size_t slot_of(const struct txid_set *set, uint64_t number)
{
    return (size_t)((number ^ set->key[0]) * (set->key[1] | 1) >> 20) & set->mask;
}

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

enum status txid_set_add(struct txid_set *set, const uint8_t *txids, size_t count)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        if (4 * (set->count + 1) > 3 * (set->mask + 1))
            status = grow(set);
        if (status != STATUS_OK)
            return status;
        if (i + AHEAD < count)
            __builtin_prefetch(&set->slots[slot_of(set, txid_set_number(txids + (i + AHEAD) * RECORD_TXID))], 1);
        insert(set, txid_set_number(txids + i * RECORD_TXID));
    }
    return status;
}

bool txid_set_has(const struct txid_set *set, uint64_t number)
{
    size_t slot = slot_of(set, number);
    while (set->slots[slot] && set->slots[slot] != number)
        slot = (slot + 1) & set->mask;
    return set->slots[slot] != 0;
}

static enum status add_batch(struct txid_set *set, const struct store_reader *reader, size_t batch, struct fault *fault)
{
    struct batch_view view;
    struct block_record block;
    enum status status = store_whole_batch(reader, batch, &view, fault);
    while (status == STATUS_OK && (status = batch_next_block(&view, &block)) == STATUS_OK)
        if (txid_set_add(set, block.txids, block.counts.txs) != STATUS_OK)
            return fault_nomem(fault);
    if (status == STATUS_FORMAT)
        return fault_set(fault, status, NULL, FAULT_NO_OFFSET,
                         "the store is damaged: `unktx check` tells where; scan into a new --store");
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
    enum status status = new->slots ? store_reader_open(store, &reader, fault) : fault_nomem(fault);
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
    mem_free(set);
}
