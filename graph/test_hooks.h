/* test_hooks: what tests change in the graph folder's own behaviour, so that a small case meets what else takes a large
 * one. Nothing outside tests calls these. Each says what it stands in for; the default is back with the value it names.
 *
 * Thread rule: to be called before the threads that use what it changes. */
#ifndef UNKTX_GRAPH_TEST_HOOKS_H
#define UNKTX_GRAPH_TEST_HOOKS_H

#include <stddef.h>
#include <stdint.h>

/* Map sizes of LMDB files are multiples of so many bytes; 0 for the default. For folders opened later. */
void kv_map_step(size_t bytes);

/* kv_open looks at all pages of a file that has up to so many leaf pages, and else at those on the way to a key just
 * before LMDB goes there. */
void kv_open_leaves(uint64_t pages);

/* Bits of the keyed hash of a txid that count in an index (graph/index/format.h): with few of them hashes collide.
 * UINT64_MAX is the default. */
extern uint64_t index_hash_mask;

/* A build of an index (graph/index/build.h) saves a checkpoint of its walk after so many blocks, as a large one does;
 * 0 is the default. */
extern uint32_t index_checkpoint_blocks;

/* A build of an index that adds blocks of no more bytes than this adds them in one go; with 0 none does, and none has
 * its temporary files in memory. INDEX_FEW_BYTES is the default. */
#define INDEX_FEW_BYTES (UINT64_C(16) << 20)
extern uint64_t index_few_bytes;

/* The first transaction of an index that is made (graph/index/build.h) has this number, and its first input and output
 * the last one up to it with which a page of their tables begins, as if so many came before: numbers beyond 2^32
 * without as many outputs. 0 is the default. Who reads the index needs it too. */
extern uint64_t index_first_number;

/* Inputs in a range of graph/index/promises.h, as few memory makes them; 0 is the default. */
extern uint64_t index_promises_range;

#endif
