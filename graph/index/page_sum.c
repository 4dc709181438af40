#include "graph/index/page_sum.h"

#include "parser/bytes.h"

#define INLINE static inline __attribute__((always_inline))

/* A bijection of the sum, and of the word: what changes one of them changes the result. */
INLINE uint32_t step(uint32_t sum, uint32_t word)
{
    uint32_t product = (sum ^ word) * 0x9e3779b1u;
    return product << 15 | product >> 17;
}

/* Word by word; what is left at the end is one too, with zeros. */
INLINE uint32_t sum_words(uint32_t sum, const uint8_t *bytes, size_t size)
{
    uint32_t last = 0;
    for (; size >= sizeof last; bytes += sizeof last, size -= sizeof last)
        sum = step(sum, load_le32(bytes));
    if (size == 0)
        return sum;
    memcpy(&last, bytes, size);
    return step(sum, last);
}

/* Eight sums at once. */
typedef uint32_t lanes __attribute__((vector_size(32)));
enum { BLOCK = 4 * sizeof(lanes), SMALL = 64 };

/* A bijection too, that of MurmurHash3, without a multiplication, which the vectors of the oldest machines lack. */
INLINE void step_lanes(lanes *sums, const lanes *words)
{
    lanes sum = *sums ^ *words;
    sum = sum << 13 | sum >> 19;
    *sums = sum + (sum << 2);
}

INLINE void step_bytes(lanes *sums, const uint8_t *bytes)
{
    lanes words;
    memcpy(&words, bytes, sizeof words);
    step_lanes(sums, &words);
}

/* Through 32 sums in turn, each of every 32nd word: so no step waits for the one before. */
INLINE uint32_t sum_blocks(uint32_t sum, const uint8_t *bytes, size_t size)
{
    lanes a = {1, 2, 3, 4, 5, 6, 7, 8}, b = {9, 10, 11, 12, 13, 14, 15, 16}, c = {17, 18, 19, 20, 21, 22, 23, 24},
          d = {25, 26, 27, 28, 29, 30, 31, 32}, all = {0};
    uint8_t last[BLOCK] = {0};
    for (; size >= BLOCK; bytes += BLOCK, size -= BLOCK) {
        step_bytes(&a, bytes);
        step_bytes(&b, bytes + sizeof a);
        step_bytes(&c, bytes + 2 * sizeof a);
        step_bytes(&d, bytes + 3 * sizeof a);
    }
    memcpy(last, bytes, size);
    step_bytes(&a, last);
    step_bytes(&b, last + sizeof a);
    step_bytes(&c, last + 2 * sizeof a);
    step_bytes(&d, last + 3 * sizeof a);
    step_lanes(&all, &a);
    step_lanes(&all, &b);
    step_lanes(&all, &c);
    step_lanes(&all, &d);
    for (unsigned i = 0; i < sizeof all / sizeof sum; i++)
        sum = step(sum, all[i]);
    return sum;
}

INLINE uint32_t sum_of(uint32_t table, const void *key, size_t key_size, const uint8_t *value, size_t size)
{
    uint32_t sum = step(table + 1, (uint32_t)(key_size << 16 | size));
    sum = sum_words(sum, key, key_size);
    return size < SMALL ? sum_words(sum, value, size) : sum_blocks(sum, value, size);
}

uint32_t page_sum_plain(uint32_t table, const void *key, size_t key_size, const uint8_t *value, size_t size)
{
    return sum_of(table, key, key_size, value, size);
}

#ifdef __x86_64__
__attribute__((target("avx2"))) static uint32_t sum_avx2(uint32_t table, const void *key, size_t key_size,
                                                         const uint8_t *value, size_t size)
{
    return sum_of(table, key, key_size, value, size);
}

uint32_t page_sum(uint32_t table, const void *key, size_t key_size, const uint8_t *value, size_t size)
{
    return (__builtin_cpu_supports("avx2") ? sum_avx2 : page_sum_plain)(table, key, key_size, value, size);
}
#else
uint32_t page_sum(uint32_t table, const void *key, size_t key_size, const uint8_t *value, size_t size)
{
    return page_sum_plain(table, key, key_size, value, size);
}
#endif
