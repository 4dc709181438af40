/* txid_set: which transactions there are from a partial store's first block on, to tell which inputs spend what was
 * made before it (docs/model.md, section 8). The leading RECORD_TXID bytes of a txid stand for it: the store keeps no
 * more, and among n transactions an input is taken for one of them by chance once in 2^64 / n.
 *
 * An open-addressing table of 8 bytes a slot, at most three quarters full: 11 to 22 bytes a transaction. Thread rule:
 * one thread to change it; a const set is shareable. */
#ifndef UNKTX_GRAPH_SCAN_TXID_SET_H
#define UNKTX_GRAPH_SCAN_TXID_SET_H

#include "graph/store/store.h"

struct txid_set; /* opaque */

/* All transactions of a partial store. Ended by txid_set_free; NULL is legal there. O(store). */
enum status txid_set_load(const struct store *store, struct txid_set **set, struct fault *fault) MUST_CHECK;
void txid_set_free(struct txid_set *set);

/* The number that stands for a txid. */
uint64_t txid_set_number(const uint8_t txid[RECORD_TXID]);

/* Adds `count` txids of RECORD_TXID bytes each. STATUS_NOMEM. O(count) expected. */
enum status txid_set_add(struct txid_set *set, const uint8_t *txids, size_t count) MUST_CHECK;
/* O(1) expected. */
bool txid_set_has(const struct txid_set *set, uint64_t number);

#endif
