#include "parser/sort.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define FEW 32u /* sorted by insertion */

static inline uint64_t key_of(const uint8_t *element)
{
    uint64_t key;
    memcpy(&key, element, sizeof key);
    return key;
}

static inline __attribute__((always_inline)) void sort_few(uint8_t *elements, size_t count, size_t size)
{
    for (size_t i = 1; i < count; i++) {
        uint8_t moved[SORT_SIZE_MAX];
        memcpy(moved, elements + i * size, size);
        size_t j = i;
        for (; j > 0 && key_of(elements + (j - 1) * size) > key_of(moved); j--)
            memcpy(elements + j * size, elements + (j - 1) * size, size);
        memcpy(elements + j * size, moved, size);
    }
}

/* Inlined with a constant size, so that an element is moved by an instruction or two. */
static inline __attribute__((always_inline)) void *sort_sized(uint8_t *from, uint8_t *to, size_t count, size_t size)
{
    if (count <= FEW) {
        sort_few(from, count, size);
        return from;
    }
    uint64_t differing = 0;
    for (size_t i = 1; i < count; i++)
        differing |= key_of(from + i * size) ^ key_of(from);
    for (unsigned shift = 0; shift < 64; shift += 8) {
        if (!(differing >> shift & 0xff))
            continue;
        size_t next[257] = {0};
        for (size_t i = 0; i < count; i++)
            next[(key_of(from + i * size) >> shift & 0xff) + 1]++;
        for (size_t i = 0; i < 256; i++)
            next[i + 1] += next[i];
        for (size_t i = 0; i < count; i++)
            memcpy(to + next[key_of(from + i * size) >> shift & 0xff]++ * size, from + i * size, size);
        uint8_t *swap = from;
        from = to;
        to = swap;
    }
    return from;
}

void *sort_by_key(void *elements, void *spare, size_t count, size_t size)
{
    assert(size >= sizeof(uint64_t) && size <= SORT_SIZE_MAX);
    switch (size) {
    case 8: return sort_sized(elements, spare, count, 8);
    case 12: return sort_sized(elements, spare, count, 12);
    case 16: return sort_sized(elements, spare, count, 16);
    default: return sort_sized(elements, spare, count, size);
    }
}

static int compare_numbers(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

void sort_numbers(uint64_t *numbers, size_t count)
{
    if (count > 1)
        qsort(numbers, count, sizeof *numbers, compare_numbers);
}
