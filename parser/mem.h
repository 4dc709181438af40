/* mem: the one door for allocation. Sizes are checked for overflow; nothing here aborts.
 *
 * Ownership: what mem_alloc and mem_resize return is released with mem_free (or free). Thread rule: any thread. */
#ifndef UNKTX_PARSER_MEM_H
#define UNKTX_PARSER_MEM_H

#include <stdbool.h>
#include <stddef.h>

#include "parser/status.h"

_Static_assert(sizeof(size_t) == 8, "sizes and offsets of files and tables, which pass 4 GiB, are kept in size_t");

/* `count` elements of `size` bytes, zeroed; NULL when there is no memory or count * size overflows. A count of 0
 * gives a valid pointer. */
void *mem_alloc(size_t count, size_t size) MUST_CHECK;

/* As mem_alloc, for much that is read in no order: asks the system for large pages, which cost fewer faults and misses
 * of the address cache. */
void *mem_alloc_large(size_t count, size_t size) MUST_CHECK;

/* The same, but begins at a multiple of MEM_LINE, a line of the cache, and its content is undefined: for what is filled
 * in as a whole, and whose elements are to lie in as few lines as they can. */
#define MEM_LINE 64u
void *mem_alloc_lines(size_t count, size_t size) MUST_CHECK;

/* What one thread writes and another one reads or writes at the same time stands so far apart: a core takes a whole
 * line of memory from the others to write to any of it, and often the line beside it (twice 64 bytes on x86-64, 128 on
 * some Arm). A structure that each thread has one of begins with MEM_APART, and is allocated by mem_alloc_apart. */
#define MEM_APART_BYTES 128
#define MEM_APART _Alignas(MEM_APART_BYTES)

/* As mem_alloc; begins at a multiple of MEM_APART_BYTES. */
void *mem_alloc_apart(size_t count, size_t size) MUST_CHECK;

/* Makes `*array` at least `need` bytes long, for what is filled and read again and again; its content is not kept and
 * undefined. Large pages of its own, where it comes to one. `array` is a pointer to the array pointer. On failure it is
 * NULL, and the capacity 0. */
enum status mem_renew_buffer(void *array, size_t *capacity, size_t need) MUST_CHECK;

/* Resizes `block` to `count` elements of `size` bytes (new bytes undefined); NULL on failure, `block` then still
 * valid. Asks for large pages, as mem_alloc_large does, where it comes to one. */
void *mem_resize(void *block, size_t count, size_t size) MUST_CHECK;

/* Makes room for at least `need` elements in `*array`, whose capacity is `*capacity` elements, growing by half at
 * least. `array` is a pointer to the array pointer. On failure nothing changes. Amortised O(1) per element. */
enum status mem_reserve(void *array, size_t *capacity, size_t need, size_t size) MUST_CHECK;

/* Makes `*array` zeroed and `count` elements long, as mem_alloc_large does; its content is not kept. `array` is a
 * pointer to the array pointer. False without memory; the array is then NULL. */
bool mem_renew(void *array, size_t count, size_t size) MUST_CHECK;

/* What is freed goes back to the system, once. Any thread. O(free memory). */
void mem_give_back(void);

/* For work that takes and frees blocks of some 100 KiB all the time: what is freed stays for the next ones, whichever
 * thread takes them, and the next `bytes` of the heap, at most 256 MiB, are in large pages: a page of the system's
 * costs more to touch for the first time than to fill, and most where threads share them. What is not touched takes no
 * memory. For the rest of the process: all its threads have one heap, and a block of less than 32 MiB comes from there.
 * Before the threads are made. O(1). */
void mem_keep(size_t bytes);

/* For a process that has loaded what it will work with: what is freed goes back to the system, and from now on blocks
 * of a MiB or more do at once. Any thread. */
void mem_settle(void);

/* free(NULL) is legal. */
void mem_free(void *block);

/* Test support: the allocation after `allowed` more successful ones fails, and every later one, until called with -1.
 * Counts all threads. */
void mem_fail_after(long allowed);

/* Test support: allocations asked for since the program began. */
long mem_count(void);

#endif
