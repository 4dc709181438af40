#include "graph/index/near.h"

#include <string.h>

#include "parser/bytes.h"
#include "parser/hash256.h"
#include "parser/mem.h"

#define ROOM_MIN 1024u

struct near_tx {
    uint32_t txid_at; /* in the records */
    uint32_t first_output;
    uint32_t hash;
};

/* A hash table with linear probing. A slot has the upper bits of a hash, and below them one more than the number of the
 * transaction; 0: free. The lower bits of the hash choose the slot where the search begins. At most half of all slots
 * are taken. */
#define TX_BITS 20u
_Static_assert(NEAR_TXS_MAX < 1u << TX_BITS, "the number of a transaction fits");
static uint32_t slot_of(uint32_t hash, size_t tx) { return (hash >> TX_BITS << TX_BITS) | (uint32_t)(tx + 1); }
static size_t tx_of(uint32_t slot) { return (size_t)(slot & ((1u << TX_BITS) - 1)) - 1; }

/* The slot of that txid, or else the free one where it would be. */
static uint32_t *find(const struct near *near, uint32_t hash, const uint8_t *txid, const uint8_t *records)
{
    size_t mask = near->room - 1, i = hash & mask;
    for (uint32_t slot; (slot = near->slots[i]) != 0; i = (i + 1) & mask)
        if ((slot ^ hash) >> TX_BITS == 0 && memcmp(records + near->txs[tx_of(slot)].txid_at, txid, HASH256_SIZE) == 0)
            break;
    return &near->slots[i];
}

void near_prefetch_txid(const struct near *near, uint32_t hash, const uint8_t *records)
{
    uint32_t slot = near->slots[hash & (near->room - 1)];
    if ((slot ^ hash) >> TX_BITS == 0 && slot != 0)
        __builtin_prefetch(records + near->txs[tx_of(slot)].txid_at);
}

void near_clear(struct near *near)
{
    if (near->count > 0)
        memset(near->slots, 0, near->room * sizeof *near->slots);
    near->count = near->outputs = 0;
}

void near_free(const struct near *near)
{
    mem_free(near->txs);
    mem_free(near->taken);
    mem_free(near->slots);
}

/* The slots of a larger table, with what is in those of the smaller one. */
static enum status grow(struct near *near, size_t room)
{
    uint32_t *slots = mem_alloc(room, sizeof *slots);
    if (!slots)
        return STATUS_NOMEM;
    for (size_t old = 0; old < near->room; old++) {
        uint32_t slot = near->slots[old];
        size_t i = slot != 0 ? near->txs[tx_of(slot)].hash & (room - 1) : 0;
        while (slot != 0 && slots[i] != 0)
            i = (i + 1) & (room - 1);
        if (slot != 0)
            slots[i] = slot;
    }
    mem_free(near->slots);
    near->slots = slots;
    near->room = room;
    return STATUS_OK;
}

enum status near_reserve(struct near *near, size_t txs, size_t outputs)
{
    size_t room = near->room > 0 ? near->room : ROOM_MIN;
    while (room / 2 < near->count + txs)
        room *= 2;
    if (mem_reserve(&near->txs, &near->capacity, near->count + txs + 1, sizeof *near->txs) != STATUS_OK ||
        mem_reserve(&near->taken, &near->taken_capacity, near->outputs + outputs, 1) != STATUS_OK)
        return STATUS_NOMEM;
    memset(near->taken + near->outputs, 0, outputs);
    return room > near->room ? grow(near, room) : STATUS_OK;
}

static size_t outputs_of(const struct near *near, size_t tx)
{
    return near->txs[tx + 1].first_output - near->txs[tx].first_output;
}

/* Of a txid that comes again nothing more is taken: the join tells which is meant. */
void near_add(struct near *near, uint32_t hash, size_t outputs, const uint8_t *records, uint32_t txid_at)
{
    size_t tx = near->count++;
    uint32_t *slot = find(near, hash, records + txid_at, records);
    near->txs[tx] = (struct near_tx){txid_at, (uint32_t)near->outputs, hash};
    near->outputs += outputs;
    near->txs[tx + 1].first_output = (uint32_t)near->outputs;
    if (*slot == 0)
        *slot = slot_of(hash, tx);
    else
        memset(near->taken + near->txs[tx_of(*slot)].first_output, 1, outputs_of(near, tx_of(*slot)));
}

bool near_take(struct near *near, uint32_t hash, const uint8_t *prevout, size_t spender, const uint8_t *records,
               size_t *output)
{
    uint32_t slot = *find(near, hash, prevout, records);
    size_t tx = tx_of(slot), vout = load_le32(prevout + HASH256_SIZE);
    if (slot == 0 || tx >= spender || vout >= outputs_of(near, tx))
        return false;
    *output = near->txs[tx].first_output + vout;
    bool taken = near->taken[*output];
    near->taken[*output] = 1;
    return !taken;
}
