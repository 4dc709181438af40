/* txid_set: which transactions there are from a partial store's first block on, to tell which inputs spend what was
 * made before it (docs/model.md, section 8). The leading RECORD_TXID bytes of a txid stand for it: the store keeps no
 * more, and among n transactions an input is taken for one of them by chance once in 2^64 / n.
 *
 * Before BIP 30 and 34 two transactions could have one txid: an input can spend a copy that was made before the first
 * block although there is one later. So of the blocks that are looked up together, a window (here several of the
 * pipeline), the place of each transaction is known too: only what was made before an input counts.
 *
 * An open-addressing table of 8 bytes a slot, at most three quarters full: 11 to 22 bytes a transaction, and 32 while
 * it is copied into one of twice the size. Thread rule: one thread to change it; a const set is shareable. */
#ifndef UNKTX_GRAPH_SCAN_TXID_SET_H
#define UNKTX_GRAPH_SCAN_TXID_SET_H

#include "graph/store/store.h"

struct txid_set; /* opaque */

/* All transactions of a partial store. Ended by txid_set_free; NULL is legal there. O(store). */
enum status txid_set_load(const struct store *store, struct txid_set **set, struct fault *fault) MUST_CHECK;
void txid_set_free(struct txid_set *set);

/* The number that stands for a txid. */
uint64_t txid_set_number(const uint8_t txid[RECORD_TXID]);

/* Adds `count` txids of RECORD_TXID bytes each, of a window's next block. STATUS_NOMEM. O(count) expected. */
enum status txid_set_add(struct txid_set *set, const uint8_t *txids, size_t count) MUST_CHECK;
/* The next txid begins a window: what is there is older. STATUS_NOMEM. O(transactions of the last window) expected. */
enum status txid_set_begin_window(struct txid_set *set) MUST_CHECK;
/* How many txids the window has so far, which is the place of the next one. O(1). */
size_t txid_set_window(const struct txid_set *set);
/* Whether it is older than the window, or in it below `place`. O(1) expected. */
bool txid_set_has(const struct txid_set *set, uint64_t number, size_t place);

#endif
