/* block_spill: a temporary file for blocks that wait and have no room in memory. They are written in runs, each in the
 * order in which they will be asked for, as far as that is known: so each run is read from its beginning to its end, in
 * large pieces. The file has no name, so that nothing of it stays, and a run of which nothing is left takes no room on
 * the disk.
 *
 * Thread rule: one thread. */
#ifndef UNKTX_GRAPH_SCAN_BLOCK_SPILL_H
#define UNKTX_GRAPH_SCAN_BLOCK_SPILL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct block_spill; /* opaque */

/* In `folder`; `memory` bounds what is read ahead. NULL without memory. */
struct block_spill *block_spill_new(const char *folder, uint64_t memory);
void block_spill_free(struct block_spill *spill);

/* A new run begins. False without memory, or where no file can be made. */
bool block_spill_begin(struct block_spill *spill);
/* Appends a block; *place is for the other functions. False where the disk takes no more. */
bool block_spill_write(struct block_spill *spill, const uint8_t *bytes, size_t size, uint64_t *place);
/* Reads a block. False where the disk does not give it, or without memory. */
bool block_spill_read(struct block_spill *spill, uint64_t place, size_t size, uint8_t *bytes);
/* The block will not be asked for again. */
void block_spill_drop(struct block_spill *spill, uint64_t place);

#endif
