/* near: spends of outputs of the same window of the walk, about half of all. The walk links these itself while the
 * caches have both ends, with full txids, so that they go through no other temporary file than `near`, see walked.h.
 * Whatever may be wrong, or comes twice, is left to the join. For walk_window.c only. Thread rule: one thread. */
#ifndef UNKTX_GRAPH_INDEX_NEAR_H
#define UNKTX_GRAPH_INDEX_NEAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "parser/status.h"

#define NEAR_TXS_MAX 1000000u /* in a window */

/* Numbers are counted from the window's first transaction or output. Zero-initialise. */
struct near {
    struct near_tx *txs;
    size_t count;
    size_t capacity;
    uint8_t *taken; /* of each output: it is spent already, or its txid comes twice */
    size_t outputs;
    size_t taken_capacity;
    uint32_t *slots; /* of a hash table, see near.c */
    size_t room;     /* slots, a power of 2; 0: none yet */
};

/* Forgets all. O(slots). */
void near_clear(struct near *near);
void near_free(const struct near *near);
/* Makes room for so many more, NEAR_TXS_MAX transactions at most in all; before anything below. STATUS_NOMEM.
 * Amortised O(txs + outputs). */
enum status near_reserve(struct near *near, size_t txs, size_t outputs) MUST_CHECK;
/* Adds a transaction, for which there is room, with 32 bits of a hash of its txid. The txid is at
 * records[txid_at]; those of the transactions before are still at the places that were given with them. O(1). */
void near_add(struct near *near, uint32_t hash, size_t outputs, const uint8_t *records, uint32_t txid_at);
/* Takes the output that an input of transaction `spender` spends; false where it is none of an earlier transaction of
 * the window, or may not be taken. O(1). */
bool near_take(struct near *near, uint32_t hash, const uint8_t *prevout, size_t spender, const uint8_t *records,
               size_t *output);
/* Have the memory for a near_take soon in the cache: its slot, and then what that leads to. */
static inline void near_prefetch(const struct near *near, uint32_t hash)
{
    __builtin_prefetch(&near->slots[hash & (near->room - 1)]);
}
void near_prefetch_txid(const struct near *near, uint32_t hash, const uint8_t *records);

#endif
