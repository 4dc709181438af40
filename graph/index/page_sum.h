/* page_sum: the checksum at the end of each value of the index, as docs/index-format.md has it, and of each piece of a
 * spill. Against failing disks, not against who can write both. Thread rule: no state, any thread. */
#ifndef UNKTX_GRAPH_INDEX_PAGE_SUM_H
#define UNKTX_GRAPH_INDEX_PAGE_SUM_H

#include <stddef.h>
#include <stdint.h>

/* Of the number of a table, a key of less than 65,536 bytes, and a value. Whatever changes one of the words of
 * four bytes of which key and value consist, counted from their beginnings, and nothing else, changes the sum; of all
 * other changes one in 2^32 does not. O(key + value): a page of 4 KiB in a fifth of a microsecond or less. */
uint32_t page_sum(uint32_t table, const void *key, size_t key_size, const uint8_t *value, size_t size);

/* The same number, by what every machine has: for tests. */
uint32_t page_sum_plain(uint32_t table, const void *key, size_t key_size, const uint8_t *value, size_t size);

#endif
