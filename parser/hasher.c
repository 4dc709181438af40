#include "parser/hasher.h"

#include "parser/bytes.h"

static void hash_single(const struct hasher_message *m)
{
    const struct sha256_part parts[] = {{m->first, HASHER_END}, {m->body, m->body_size}, {m->last, HASHER_END}};
    sha256d_parts(parts, 3, m->out);
}

#ifdef __x86_64__
#include <cpuid.h>
#include <immintrin.h>
#include <stdatomic.h>

#define WITH_SHA __attribute__((target("sha,sse4.1,ssse3")))
#define WITH_AVX512 __attribute__((target("avx512f,avx512bw")))
#define INLINE static inline __attribute__((always_inline))

static const uint32_t first_state[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                        0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

static const uint32_t round_constants[64] __attribute__((aligned(16))) = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

/* ---- two messages by the SHA extensions ---- */

/* Where a lane's state has words A to H: the extensions want A, B, E, F and C, D, G, H from the high one to the low
 * one. */
static const uint8_t abef_cdgh[8] = {3, 2, 7, 6, 1, 0, 5, 4};

/* Rounds 4 * i to 4 * i + 3, then the words that rounds 4 * i + 16 to 4 * i + 19 need. */
WITH_SHA INLINE void four_rounds(__m128i *abef, __m128i *cdgh, __m128i w[4], int i)
{
    __m128i k = _mm_load_si128((const __m128i *)(const void *)(round_constants + 4 * i));
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
        state[abef_cdgh[i]] = state[8 + abef_cdgh[i]] = first_state[i];
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
        sixteen_rounds(s, w, round_constants + i, true);
    sixteen_rounds(s, w, round_constants + 48, false);
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
        _mm512_store_si512(state + 16 * i, _mm512_set1_epi32((int)first_state[i]));
}

/* The hashes of the hashes. */
WITH_AVX512 static void sixteen_end(uint32_t *state, struct hash256 *const out[16])
{
    __m512i s[8], w[16];
#pragma GCC unroll 8
    for (int i = 0; i < 8; i++) {
        w[i] = ((const __m512i *)(const void *)state)[i];
        w[i + 8] = _mm512_setzero_si512();
        s[i] = _mm512_set1_epi32((int)first_state[i]);
    }
    w[8] = _mm512_set1_epi32(INT32_MIN);
    w[15] = _mm512_set1_epi32(256);
    all_rounds(s, w);
#pragma GCC unroll 8
    for (int i = 0; i < 8; i++) {
        w[i] = _mm512_add_epi32(s[i], _mm512_set1_epi32((int)first_state[i]));
        w[i + 8] = w[i];
    }
    transpose(w);
    for (int i = 0; i < 16; i++)
        if (out[i])
            _mm256_storeu_si256((__m256i *)(void *)out[i]->bytes, _mm512_castsi512_si256(swap_bytes(w[i])));
}

/* ---- groups of messages in step ---- */

#define LANES_MAX 16u

static const struct kernel {
    size_t lanes;
    size_t cost;      /* of a block of each lane, where libcrypto needs 10 for a block: measured */
    size_t else_cost; /* of a block by the next slower kernel */
    void (*begin)(uint32_t *state);
    void (*compress)(uint32_t *state, const uint8_t *const *at, uint32_t lanes);
    void (*end)(uint32_t *state, struct hash256 *const *out);
} kernel_of[] = {
    [HASHER_PAIRS] = {2, 14, 10, pair_begin, pair_compress, pair_end},
    [HASHER_SIXTEEN] = {16, 48, 7, sixteen_begin, sixteen_compress, sixteen_end},
};

/* A message as blocks: one of the first part and what follows it, those within the body, and the last one or two of
 * whatever is left and the padding; of a short message only the last. */
struct lane {
    size_t head_end;
    size_t body_end;
    size_t blocks;
    const uint8_t *body;
    uint8_t head[64];
    uint8_t tail[64 + 128]; /* what is written begins somewhere in the first 64 bytes */
};

static size_t blocks_of(const struct hasher_message *m) { return (2 * HASHER_END + m->body_size + 9 + 63) / 64; }

/* Copies of a fixed size need no branches: the end of the body is taken with as much before it as makes 64 bytes. */
static void lane_begin(struct lane *l, const struct hasher_message *m)
{
    uint8_t *tail = l->tail + 64, *to;
    memset(tail, 0, 64); /* in two, since for more compilers take an instruction that is slow to begin */
    memset(tail + 64, 0, 64);
    l->blocks = blocks_of(m);
    l->body = m->body;
    l->head_end = l->body_end = 0;
    if (m->body_size < 64) {
        memcpy(tail, m->first, HASHER_END);
        memcpy(tail + HASHER_END, m->body, m->body_size);
        to = tail + HASHER_END + m->body_size;
    } else {
        memcpy(l->head, m->first, HASHER_END);
        memcpy(l->head + HASHER_END, m->body, 64 - HASHER_END);
        l->body += 64 - HASHER_END;
        l->head_end = 1;
        size_t left = m->body_size - (64 - HASHER_END);
        l->body_end = 1 + left / 64;
        to = tail + left % 64;
        memcpy(to - 64, m->body + m->body_size - 64, 64);
    }
    memcpy(to, m->last, HASHER_END);
    to[HASHER_END] = 0x80;
    store_be64(tail + 64 * (l->blocks - l->body_end) - 8, 8 * (2 * HASHER_END + (uint64_t)m->body_size));
}

static const uint8_t *lane_block(const struct lane *l, size_t block)
{
    if (block < l->head_end)
        return l->head;
    return block < l->body_end ? l->body + 64 * (block - l->head_end) : l->tail + 64 + 64 * (block - l->body_end);
}

static void hash_group(const struct kernel *kernel, const struct hasher_message *messages, const uint16_t *order,
                       size_t count)
{
    _Alignas(64) uint32_t state[8 * LANES_MAX];
    struct lane lanes[LANES_MAX];
    const uint8_t *at[LANES_MAX];
    struct hash256 *out[LANES_MAX] = {NULL};
    size_t blocks = 0;
    for (size_t i = 0; i < count; i++) {
        lane_begin(&lanes[i], &messages[order[i]]);
        out[i] = messages[order[i]].out;
        blocks = lanes[i].blocks > blocks ? lanes[i].blocks : blocks;
    }
    for (size_t i = count; i < kernel->lanes; i++)
        at[i] = lanes[0].tail; /* cppcheck-suppress uninitvar ; count is 1 at least */
    kernel->begin(state);
    for (size_t block = 0; block < blocks; block++) {
        uint32_t going = 0;
        for (size_t i = 0; i < count; i++) {
            going |= (uint32_t)(block < lanes[i].blocks) << i;
            at[i] = lane_block(&lanes[i], block < lanes[i].blocks ? block : lanes[i].body_end);
        }
        kernel->compress(state, at, going);
    }
    kernel->end(state, out);
}

/* Orders lengths, the long ones only roughly: up to 64 blocks exactly, then by the top four bits. */
static uint16_t bucket_of(size_t blocks)
{
    if (blocks < 64)
        return (uint16_t)blocks;
    unsigned log = 63u - (unsigned)__builtin_clzll(blocks);
    return (uint16_t)(64 + 8 * (log - 6) + (blocks >> (log - 3) & 7));
}

#define BUCKETS (64 + 8 * 58)

static void sort_by_blocks(const struct hasher_message *messages, size_t count, uint16_t *order)
{
    uint16_t bucket[HASHER_BATCH], first[BUCKETS + 1] = {0};
    for (size_t i = 0; i < count; i++) {
        bucket[i] = bucket_of(blocks_of(&messages[i]));
        first[bucket[i] + 1]++;
    }
    for (size_t i = 0; i < BUCKETS; i++)
        first[i + 1] = (uint16_t)(first[i + 1] + first[i]);
    for (size_t i = 0; i < count; i++)
        order[first[bucket[i]]++] = (uint16_t)i;
}

/* Whether a group costs less than its messages by the next slower kernel: not if it is small or one is far longer. */
static bool group_pays(const struct kernel *kernel, const struct hasher_message *messages, const uint16_t *order,
                       size_t count)
{
    size_t longest = 0, sum = 0;
    for (size_t i = 0; i < count; i++) {
        size_t blocks = blocks_of(&messages[order[i]]) + 1;
        longest = blocks > longest ? blocks : longest;
        sum += blocks;
    }
    return longest * kernel->cost < sum * kernel->else_cost;
}

typedef void hash_sorted(const struct hasher_message *messages, const uint16_t *order, size_t count);

static void hash_singly(const struct hasher_message *messages, const uint16_t *order, size_t count)
{
    for (size_t i = 0; i < count; i++)
        hash_single(&messages[order[i]]);
}

/* In groups of neighbours; `slower` has those that do not pay. */
static void hash_with(const struct kernel *kernel, const struct hasher_message *messages, const uint16_t *order,
                      size_t count, hash_sorted *slower)
{
    for (size_t done = 0; done < count;) {
        size_t n = count - done < kernel->lanes ? count - done : kernel->lanes;
        if (group_pays(kernel, messages, order + done, n))
            hash_group(kernel, messages, order + done, n);
        else
            slower(messages, order + done, n);
        done += n;
    }
}

static void hash_in_pairs(const struct hasher_message *messages, const uint16_t *order, size_t count)
{
    hash_with(&kernel_of[HASHER_PAIRS], messages, order, count, hash_singly);
}

static void hash_in_groups(enum hasher_kernel kernel, const struct hasher_message *messages, size_t count)
{
    uint16_t order[HASHER_BATCH];
    sort_by_blocks(messages, count, order);
    bool pairs = kernel == HASHER_SIXTEEN && hasher_has(HASHER_PAIRS);
    hash_with(&kernel_of[kernel], messages, order, count, pairs ? hash_in_pairs : hash_singly);
}

static void group_parents(const struct kernel *kernel, const struct hash256 *nodes, size_t count,
                          struct hash256 *parents)
{
    static const uint8_t padding[64] = {[0] = 0x80, [62] = 2}; /* 512 bits */
    _Alignas(64) uint32_t state[8 * LANES_MAX];
    const uint8_t *at[LANES_MAX], *pad[LANES_MAX];
    struct hash256 *out[LANES_MAX];
    for (size_t i = 0; i < kernel->lanes; i++) {
        at[i] = nodes[i < count ? 2 * i : 0].bytes;
        pad[i] = padding;
        out[i] = i < count ? &parents[i] : NULL;
    }
    kernel->begin(state);
    kernel->compress(state, at, UINT32_MAX);
    kernel->compress(state, pad, UINT32_MAX);
    kernel->end(state, out);
}

static bool has_sha(void)
{
    unsigned a, b, c, d;
    bool sse = __get_cpuid(1, &a, &b, &c, &d) && (c & bit_SSSE3) && (c & bit_SSE4_1);
    return sse && __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_SHA);
}

/* What the processor has, a bit for each kernel; asked for once, since the question is slow in a virtual machine. */
static unsigned kernels(void)
{
    static atomic_uint known;
    unsigned answer = atomic_load_explicit(&known, memory_order_relaxed);
    if (answer == 0) {
        bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw");
        answer = 1u << HASHER_SINGLE | (unsigned)has_sha() << HASHER_PAIRS | (unsigned)avx512 << HASHER_SIXTEEN;
        atomic_store_explicit(&known, answer, memory_order_relaxed);
    }
    return answer;
}

#else

static unsigned kernels(void) { return 1u << HASHER_SINGLE; }

#endif

bool hasher_has(enum hasher_kernel kernel) { return kernels() >> kernel & 1; }

enum hasher_kernel hasher_best(void)
{
    return hasher_has(HASHER_SIXTEEN) ? HASHER_SIXTEEN : hasher_has(HASHER_PAIRS) ? HASHER_PAIRS : HASHER_SINGLE;
}

void hasher_messages(enum hasher_kernel kernel, const struct hasher_message *messages, size_t count)
{
    if (kernel == HASHER_SINGLE)
        for (size_t i = 0; i < count; i++)
            hash_single(&messages[i]);
#ifdef __x86_64__
    else
        hash_in_groups(kernel, messages, count);
#endif
    for (size_t i = 0; i < count; i++)
        if (messages[i].copy)
            *messages[i].copy = *messages[i].out;
}

void hasher_parents(enum hasher_kernel kernel, const struct hash256 *nodes, size_t count, struct hash256 *parents)
{
    size_t done = 0;
#ifdef __x86_64__
    const struct kernel *k = &kernel_of[kernel];
    while (kernel != HASHER_SINGLE && (count - done) * 10 > k->cost) {
        size_t n = count - done < k->lanes ? count - done : k->lanes;
        group_parents(k, nodes + 2 * done, n, parents + done);
        done += n;
    }
#endif
    for (; done < count; done++)
        sha256d(nodes[2 * done].bytes, 2 * HASH256_SIZE, &parents[done]);
}
