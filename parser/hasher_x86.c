/* hasher_x86: two messages at once by the SHA extensions of x86-64, sixteen by AVX-512. */
#ifdef __x86_64__
#include <cpuid.h>
#include <immintrin.h>

#include "parser/bytes.h"
#include "parser/hasher_kernel.h"

#define WITH_SHA __attribute__((target("sha,sse4.1,ssse3")))
#define WITH_AVX512 __attribute__((target("avx512f,avx512bw")))
#define INLINE static inline __attribute__((always_inline))

/* ---- two messages by the SHA extensions ---- */

/* Where a lane's state has words A to H: the extensions want A, B, E, F and C, D, G, H from the high one to the low
 * one. */
static const uint8_t abef_cdgh[8] = {3, 2, 7, 6, 1, 0, 5, 4};

/* Rounds 4 * i to 4 * i + 3, then the words that rounds 4 * i + 16 to 4 * i + 19 need. */
WITH_SHA INLINE void four_rounds(__m128i *abef, __m128i *cdgh, __m128i w[4], int i)
{
    __m128i k = _mm_load_si128((const __m128i *)(const void *)(hasher_round_constants + 4 * i));
    __m128i now = _mm_add_epi32(w[i % 4], k);
    *cdgh = _mm_sha256rnds2_epu32(*cdgh, *abef, now);
    *abef = _mm_sha256rnds2_epu32(*abef, *cdgh, _mm_shuffle_epi32(now, 0x0e));
    if (i < 12) {
        __m128i sum = _mm_add_epi32(_mm_sha256msg1_epu32(w[i % 4], w[(i + 1) % 4]),
                                    _mm_alignr_epi8(w[(i + 3) % 4], w[(i + 2) % 4], 4));
        w[i % 4] = _mm_sha256msg2_epu32(sum, w[(i + 3) % 4]);
    }
}

/* Compresses a block into both lanes' states, or only into those whose bit is in `lanes`. */
WITH_SHA static void pair_compress(uint32_t *state, const uint8_t *const at[2], uint32_t lanes)
{
    const __m128i big_endian = _mm_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3);
    __m128i *s = (__m128i *)(void *)state, a[4], b[4];
    for (int i = 0; i < 4; i++) {
        a[i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(const void *)(at[0] + 16 * i)), big_endian);
        b[i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(const void *)(at[1] + 16 * i)), big_endian);
    }
    __m128i a0 = s[0], a1 = s[1], b0 = s[2], b1 = s[3];
#pragma GCC unroll 16
    for (int i = 0; i < 16; i++) {
        four_rounds(&a0, &a1, a, i);
        four_rounds(&b0, &b1, b, i);
    }
    if (lanes & 1) {
        s[0] = _mm_add_epi32(s[0], a0);
        s[1] = _mm_add_epi32(s[1], a1);
    }
    if (lanes & 2) {
        s[2] = _mm_add_epi32(s[2], b0);
        s[3] = _mm_add_epi32(s[3], b1);
    }
}

static void pair_begin(uint32_t *state)
{
    for (unsigned i = 0; i < 8; i++)
        state[abef_cdgh[i]] = state[8 + abef_cdgh[i]] = hasher_first_state[i];
}

/* The hashes of the hashes. */
static void pair_end(uint32_t *state, struct hash256 *const out[2])
{
    uint8_t once[2][64] = {{[32] = 0x80, [62] = 1}, {[32] = 0x80, [62] = 1}}; /* 256 bits */
    const uint8_t *at[2] = {once[0], once[1]};
    for (unsigned i = 0; i < 16; i++)
        store_be32(once[i / 8] + 4 * (i % 8), state[(i & 8) + abef_cdgh[i % 8]]);
    pair_begin(state);
    pair_compress(state, at, 3);
    for (unsigned i = 0; i < 16; i++)
        if (out[i / 8])
            store_be32(out[i / 8]->bytes + 4 * (i % 8), state[(i & 8) + abef_cdgh[i % 8]]);
}

/* ---- sixteen messages by AVX-512; the state is word A of all lanes, then word B, ... ---- */

/* Rows become columns. Each stage interleaves the rows of the upper half with those of the lower one, which rotates the
 * eight bits of an element's place (row, column) by one: after four of them, row and column have changed places. */
WITH_AVX512 INLINE void transpose(__m512i row[16])
{
    const __m512i low = _mm512_set_epi32(23, 7, 22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    const __m512i high = _mm512_set_epi32(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8);
    __m512i next[16];
#pragma GCC unroll 4
    for (int stage = 0; stage < 4; stage++) {
#pragma GCC unroll 8
        for (int i = 0; i < 8; i++) {
            next[2 * i] = _mm512_permutex2var_epi32(row[i], low, row[i + 8]);
            next[2 * i + 1] = _mm512_permutex2var_epi32(row[i], high, row[i + 8]);
        }
#pragma GCC unroll 16
        for (int i = 0; i < 16; i++)
            row[i] = next[i];
    }
}

WITH_AVX512 INLINE __m512i swap_bytes(__m512i words)
{
    return _mm512_shuffle_epi8(
        words, _mm512_broadcast_i32x4(_mm_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3)));
}

#define XOR3 0x96 /* truth tables for vpternlog */
#define CHOOSE 0xca
#define MAJORITY 0xe8

/* Compilers sum in an order of their own, which may make the way from one round to the next half as long again. */
#define SUMMED(x) __asm__("" : "+v"(x))

WITH_AVX512 INLINE __m512i xor3(__m512i a, __m512i b, __m512i c) { return _mm512_ternarylogic_epi32(a, b, c, XOR3); }

/* Round i. The way from E to the next E is a rotation, an xor and one sum: what is at hand before is summed before. */
WITH_AVX512 INLINE void one_round(__m512i s[8], int i, __m512i word, uint32_t k)
{
    __m512i *a = &s[-i & 7], *b = &s[(1 - i) & 7], *c = &s[(2 - i) & 7], *d = &s[(3 - i) & 7];
    __m512i *e = &s[(4 - i) & 7], *f = &s[(5 - i) & 7], *g = &s[(6 - i) & 7], *h = &s[(7 - i) & 7];
    __m512i sum1 = xor3(_mm512_ror_epi32(*e, 6), _mm512_ror_epi32(*e, 11), _mm512_ror_epi32(*e, 25));
    __m512i sum0 = xor3(_mm512_ror_epi32(*a, 2), _mm512_ror_epi32(*a, 13), _mm512_ror_epi32(*a, 22));
    __m512i t = _mm512_add_epi32(*h, _mm512_add_epi32(word, _mm512_set1_epi32((int)k)));
    __m512i next = _mm512_add_epi32(t, *d);
    SUMMED(next);
    next = _mm512_add_epi32(next, _mm512_ternarylogic_epi32(*e, *f, *g, CHOOSE));
    SUMMED(next);
    next = _mm512_add_epi32(next, sum1);
    SUMMED(next);
    t = _mm512_sub_epi32(next, *d);
    SUMMED(t);
    *d = next;
    t = _mm512_add_epi32(t, _mm512_ternarylogic_epi32(*a, *b, *c, MAJORITY));
    SUMMED(t);
    *h = _mm512_add_epi32(t, sum0);
    SUMMED(*h);
}

/* The word that takes the place of word i, sixteen rounds later. */
WITH_AVX512 INLINE __m512i next_word(const __m512i w[16], int i)
{
    __m512i w1 = w[(i + 1) & 15], w14 = w[(i + 14) & 15];
    __m512i sigma0 = xor3(_mm512_ror_epi32(w1, 7), _mm512_ror_epi32(w1, 18), _mm512_srli_epi32(w1, 3));
    __m512i sigma1 = xor3(_mm512_ror_epi32(w14, 17), _mm512_ror_epi32(w14, 19), _mm512_srli_epi32(w14, 10));
    return _mm512_add_epi32(_mm512_add_epi32(_mm512_add_epi32(w[i], w[(i + 9) & 15]), sigma0), sigma1);
}

/* Sixteen rounds; with `more`, the words of the next sixteen take the place of those used. */
WITH_AVX512 INLINE void sixteen_rounds(__m512i s[8], __m512i w[16], const uint32_t *k, bool more)
{
#pragma GCC unroll 16
    for (int i = 0; i < 16; i++) {
        one_round(s, i, w[i], k[i]);
        if (more)
            w[i] = next_word(w, i);
    }
}

WITH_AVX512 INLINE void all_rounds(__m512i s[8], __m512i w[16])
{
    for (int i = 0; i < 48; i += 16)
        sixteen_rounds(s, w, hasher_round_constants + i, true);
    sixteen_rounds(s, w, hasher_round_constants + 48, false);
}

/* Compresses a block of each lane into its state, where its bit is in `lanes`. */
WITH_AVX512 static void sixteen_compress(uint32_t *state, const uint8_t *const at[16], uint32_t lanes)
{
    __m512i *before = (__m512i *)(void *)state, s[8], w[16];
#pragma GCC unroll 16
    for (int i = 0; i < 16; i++)
        w[i] = swap_bytes(_mm512_loadu_si512(at[i]));
    transpose(w);
#pragma GCC unroll 8
    for (int i = 0; i < 8; i++)
        s[i] = before[i];
    all_rounds(s, w);
#pragma GCC unroll 8
    for (int i = 0; i < 8; i++)
        before[i] = _mm512_mask_add_epi32(before[i], (__mmask16)lanes, before[i], s[i]);
}

WITH_AVX512 static void sixteen_begin(uint32_t *state)
{
    for (int i = 0; i < 8; i++)
        _mm512_store_si512(state + 16 * i, _mm512_set1_epi32((int)hasher_first_state[i]));
}

/* The hashes of the hashes. */
WITH_AVX512 static void sixteen_end(uint32_t *state, struct hash256 *const out[16])
{
    __m512i s[8], w[16];
#pragma GCC unroll 8
    for (int i = 0; i < 8; i++) {
        w[i] = ((const __m512i *)(const void *)state)[i];
        w[i + 8] = _mm512_setzero_si512();
        s[i] = _mm512_set1_epi32((int)hasher_first_state[i]);
    }
    w[8] = _mm512_set1_epi32(INT32_MIN);
    w[15] = _mm512_set1_epi32(256);
    all_rounds(s, w);
#pragma GCC unroll 8
    for (int i = 0; i < 8; i++) {
        w[i] = _mm512_add_epi32(s[i], _mm512_set1_epi32((int)hasher_first_state[i]));
        w[i + 8] = w[i];
    }
    transpose(w);
    for (int i = 0; i < 16; i++)
        if (out[i])
            _mm256_storeu_si256((__m256i *)(void *)out[i]->bytes, _mm512_castsi512_si256(swap_bytes(w[i])));
}

/* ---- what this processor has ---- */

static bool has_sha(void)
{
    unsigned a, b, c, d;
    bool sse = __get_cpuid(1, &a, &b, &c, &d) && (c & bit_SSSE3) && (c & bit_SSE4_1);
    return sse && __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_SHA);
}

static bool has_avx512(void) { return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw"); }

unsigned hasher_find_kernels(void)
{
    return (unsigned)has_sha() << HASHER_PAIRS | (unsigned)has_avx512() << HASHER_SIXTEEN;
}

/* The costs are measured. */
const struct hash_kernel hasher_kernel_of[HASHER_KERNELS] = {
    [HASHER_PAIRS] = {2, 14, 10, pair_begin, pair_compress, pair_end},
    [HASHER_SIXTEEN] = {16, 48, 7, sixteen_begin, sixteen_compress, sixteen_end},
};
#endif
