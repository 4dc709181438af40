/* sort: elements that begin with a 64-bit key, in an order and a time that no content can spoil. The keys often come
 * from the chain, so from whoever made a transaction: an algorithm with a bad case would be met with it.
 *
 * Thread rule: none, no state but the caller's. */
#ifndef UNKTX_PARSER_SORT_H
#define UNKTX_PARSER_SORT_H

#include <stddef.h>
#include <stdint.h>

#define SORT_SIZE_MAX 32u

/* Sorts `count` elements of `size` bytes (8 to SORT_SIZE_MAX) by the uint64_t that each begins with, least first, and
 * keeps the order of equal ones. `spare` has room for as many. Returns where the sorted elements are: in `elements` or
 * in `spare`; the other then holds nothing of use. O(count * size): few by insertion, more byte by byte (radix sort),
 * leaving out bytes that all keys have in common. */
void *sort_by_key(void *elements, void *spare, size_t count, size_t size);

/* Least first, in place. O(count log count) as a rule: for numbers that nobody can choose. */
void sort_numbers(uint64_t *numbers, size_t count);

#endif
