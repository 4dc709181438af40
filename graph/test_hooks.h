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

#endif
