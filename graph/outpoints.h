/* outpoints: which tracked output an input spends. A bitmap filter small enough for the cache in front of a compact
 * table (8 bytes a slot: ordinal and a tag of a keyed hash), both in memory; the outpoints themselves stay in the store,
 * where a tag that matches is compared exactly (through the caller's function).
 *
 * Memory: at most 22 bytes for each output in it, growth included. The hash is keyed with the store's secret seed, since
 * txids are chosen by whoever makes a transaction.
 *
 * Equal outpoints (the repeated coinbase txids of BIP 30): the table holds the latest; within one round (until
 * outpoints_end_round) the earlier ones stay reachable for spends between the two.
 *
 * Thread rule: changes by one thread; outpoints_probe and outpoints_find by any number of threads between changes. */
#ifndef UNKTX_GRAPH_OUTPOINTS_H
#define UNKTX_GRAPH_OUTPOINTS_H

#include "parser/status.h"
#include "parser/tx.h"

#define OUTPOINT_NONE UINT64_MAX

struct outpoints; /* opaque */

/* The outpoint that has this ordinal, for the exact compare. */
typedef enum status outpoints_resolve(void *context, uint64_t ordinal, struct hash256 *txid, uint32_t *vout);

enum status outpoints_new(const uint8_t seed[16], struct outpoints **table, struct fault *fault) MUST_CHECK;
void outpoints_free(struct outpoints *table);

/* The keyed hash of a prevout (txid and vout as in an input: 36 bytes). */
uint64_t outpoints_hash(const struct outpoints *table, const uint8_t prevout[TX_PREVOUT_SIZE]);

/* False: certainly not in the table (one access to the filter). */
bool outpoints_probe(const struct outpoints *table, uint64_t hash);

/* Behind a probe that said true: false if no slot of the table has the hash's tag, so that only one in some millions of
 * the filter's false positives costs a look at the transaction. O(1) expected. */
bool outpoints_candidate(const struct outpoints *table, uint64_t hash);

/* Brings the filter's word for `hash` nearer. */
void outpoints_prefetch(const struct outpoints *table, uint64_t hash);

/* Adds output `ordinal` (larger than all before). If an equal outpoint is there, this one takes its place, and the former
 * one can only be found with a `limit` up to this ordinal, until outpoints_end_round. O(1) expected. */
enum status outpoints_add(struct outpoints *table, const uint8_t prevout[TX_PREVOUT_SIZE], uint64_t hash, uint64_t ordinal,
                          outpoints_resolve *resolve, void *context, struct fault *fault) MUST_CHECK;

/* The latest output with this outpoint whose ordinal is below `limit`, or OUTPOINT_NONE in *ordinal. O(1) expected. */
enum status outpoints_find(const struct outpoints *table, const uint8_t prevout[TX_PREVOUT_SIZE], uint64_t hash,
                           uint64_t limit, outpoints_resolve *resolve, void *context, uint64_t *ordinal) MUST_CHECK;

/* Takes out output `ordinal`, and with it every earlier one of the same outpoint; false if it was not in (a double
 * spend). O(1) expected. */
bool outpoints_remove(struct outpoints *table, uint64_t hash, uint64_t ordinal);

/* Outputs that a later one replaced since the last call are forgotten. */
void outpoints_end_round(struct outpoints *table);

uint64_t outpoints_count(const struct outpoints *table);

/* Save and load: the table as chunks of bytes. `put` is called with chunk 0, 1, ...; `get` returns STATUS_NOT_FOUND behind
 * the last. A loaded table answers as the saved one; damaged bytes are STATUS_FORMAT. Only between rounds. */
typedef enum status outpoints_put(void *context, uint32_t chunk, const void *bytes, size_t size);
typedef enum status outpoints_get(void *context, uint32_t chunk, const uint8_t **bytes, size_t *size);
enum status outpoints_save(const struct outpoints *table, outpoints_put *put, void *context) MUST_CHECK;
enum status outpoints_load(struct outpoints *table, outpoints_get *get, void *context) MUST_CHECK;

#endif
