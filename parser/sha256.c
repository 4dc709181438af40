#include "parser/sha256.h"

#include <string.h>

/* The one-shot and EVP interfaces cost more than the hash of a short transaction does; the low-level calls keep all
 * their state on the stack, so they are also safe from any thread. OpenSSL 3 deprecates them for want of providers. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

void sha256(const uint8_t *data, size_t size, uint8_t out[32])
{
    SHA256_CTX context;
    SHA256_Init(&context);
    SHA256_Update(&context, data, size);
    SHA256_Final(out, &context);
}

void sha256d(const uint8_t *data, size_t size, struct hash256 *out)
{
    uint8_t once[32];
    sha256(data, size, once);
    sha256(once, sizeof once, out->bytes);
}

void sha256d_parts(const struct sha256_part *parts, size_t count, struct hash256 *out)
{
    SHA256_CTX context;
    SHA256_Init(&context);
    for (size_t i = 0; i < count; i++)
        SHA256_Update(&context, parts[i].data, parts[i].size);
    uint8_t once[32];
    SHA256_Final(once, &context);
    sha256(once, sizeof once, out->bytes);
}

static void many_by_libcrypto(const struct sha256_message *messages, size_t count)
{
    for (size_t i = 0; i < count; i++)
        sha256d_parts(messages[i].parts, 3, messages[i].out);
}

#ifdef __x86_64__
#include <cpuid.h>
#include <immintrin.h>
#include <stdatomic.h>

#include "parser/bytes.h"

#define WITH_SHA __attribute__((target("sha,sse4.1,ssse3")))

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

/* One of the two messages in work. The registers are named as the SHA extensions order the state. */
struct lane {
    __m128i abef, cdgh;
    const struct sha256_part *part; /* being read */
    unsigned parts_left;            /* it and those behind it */
    const uint8_t *at;
    size_t left;                    /* of the part */
    uint64_t bits;
    size_t blocks_left;             /* of the message with its padding */
    bool marked;                    /* the bit behind the message has been set */
    bool second;                    /* the hash of the hash is in work */
    const struct sha256_message *message;
    uint8_t buffer[64];
};

WITH_SHA static void lane_reset(struct lane *l)
{
    l->abef = _mm_set_epi32(0x6a09e667, (int)0xbb67ae85, 0x510e527f, (int)0x9b05688c);
    l->cdgh = _mm_set_epi32(0x3c6ef372, (int)0xa54ff53a, 0x1f83d9ab, 0x5be0cd19);
}

WITH_SHA static void lane_begin(struct lane *l, const struct sha256_message *message)
{
    lane_reset(l);
    size_t size = message->parts[0].size + message->parts[1].size + message->parts[2].size;
    l->part = message->parts;
    l->parts_left = 3;
    l->at = l->part->data;
    l->left = l->part->size;
    l->bits = (uint64_t)size * 8;
    l->blocks_left = (size + 9 + 63) / 64;
    l->marked = l->second = false;
    l->message = message;
}

/* The next 64 bytes of message and padding. */
static const uint8_t *lane_block(struct lane *l)
{
    if (l->second)
        return l->buffer;
    if (l->left >= 64) {
        const uint8_t *block = l->at;
        l->at += 64;
        l->left -= 64;
        return block;
    }
    size_t used = 0;
    while (used < 64 && l->parts_left > 0) {
        size_t n = l->left < 64 - used ? l->left : 64 - used;
        if (n > 0) { /* a part of no bytes may have no address */
            memcpy(l->buffer + used, l->at, n);
            l->at += n;
        }
        used += n;
        l->left -= n;
        if (l->left == 0 && --l->parts_left > 0) {
            l->part++;
            l->at = l->part->data;
            l->left = l->part->size;
        }
    }
    if (used < 64) {
        memset(l->buffer + used, 0, 64 - used);
        if (!l->marked)
            l->buffer[used] = 0x80;
        l->marked = true;
        if (l->blocks_left == 1)
            store_be64(l->buffer + 56, l->bits);
    }
    return l->buffer;
}

/* Takes note that a block has been compressed; true when the double hash is done and written. */
WITH_SHA static bool lane_advance(struct lane *l)
{
    if (--l->blocks_left > 0)
        return false;
    uint8_t *digest = l->second ? l->message->out->bytes : l->buffer;
    store_be32(digest, (uint32_t)_mm_extract_epi32(l->abef, 3));
    store_be32(digest + 4, (uint32_t)_mm_extract_epi32(l->abef, 2));
    store_be32(digest + 8, (uint32_t)_mm_extract_epi32(l->cdgh, 3));
    store_be32(digest + 12, (uint32_t)_mm_extract_epi32(l->cdgh, 2));
    store_be32(digest + 16, (uint32_t)_mm_extract_epi32(l->abef, 1));
    store_be32(digest + 20, (uint32_t)_mm_extract_epi32(l->abef, 0));
    store_be32(digest + 24, (uint32_t)_mm_extract_epi32(l->cdgh, 1));
    store_be32(digest + 28, (uint32_t)_mm_extract_epi32(l->cdgh, 0));
    if (l->second)
        return true;
    memset(l->buffer + 32, 0, 32);
    l->buffer[32] = 0x80;
    store_be64(l->buffer + 56, 256);
    lane_reset(l);
    l->second = true;
    l->blocks_left = 1;
    return false;
}

/* Loads the 16 words of a block. */
WITH_SHA static inline __attribute__((always_inline)) void load_words(__m128i w[4], const uint8_t *block)
{
    const __m128i big_endian = _mm_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3);
    for (int i = 0; i < 4; i++)
        w[i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(const void *)(block + 16 * i)), big_endian);
}

/* Rounds 4 * i to 4 * i + 3, then the words that rounds 4 * i + 16 to 4 * i + 19 need. */
WITH_SHA static inline __attribute__((always_inline)) void
four_rounds(__m128i *abef, __m128i *cdgh, __m128i w[4], int i)
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

WITH_SHA static void compress_two(struct lane *a, const uint8_t *block_a, struct lane *b, const uint8_t *block_b)
{
    __m128i wa[4], wb[4];
    load_words(wa, block_a);
    load_words(wb, block_b);
    __m128i a0 = a->abef, a1 = a->cdgh, b0 = b->abef, b1 = b->cdgh;
#pragma GCC unroll 16
    for (int i = 0; i < 16; i++) {
        four_rounds(&a0, &a1, wa, i);
        four_rounds(&b0, &b1, wb, i);
    }
    a->abef = _mm_add_epi32(a->abef, a0);
    a->cdgh = _mm_add_epi32(a->cdgh, a1);
    b->abef = _mm_add_epi32(b->abef, b0);
    b->cdgh = _mm_add_epi32(b->cdgh, b1);
}

WITH_SHA static void many_by_pairs(const struct sha256_message *messages, size_t count)
{
    struct lane lanes[2];
    size_t next = 0;
    for (; next < 2; next++)
        lane_begin(&lanes[next], &messages[next]);
    for (;;) {
        compress_two(&lanes[0], lane_block(&lanes[0]), &lanes[1], lane_block(&lanes[1]));
        for (unsigned i = 0; i < 2; i++) {
            if (!lane_advance(&lanes[i]))
                continue;
            if (next == count) {
                /* no partner for what is in work in the other lane: hash that message from its start */
                struct lane *other = &lanes[1 - i];
                if (i == 1 || !lane_advance(other))
                    many_by_libcrypto(other->message, 1);
                return;
            }
            lane_begin(&lanes[i], &messages[next++]);
        }
    }
}

static bool has_sha_extensions(void)
{
    static atomic_int known; /* 0: not yet asked, 1: no, 2: yes */
    int answer = atomic_load_explicit(&known, memory_order_relaxed);
    if (answer == 0) {
        unsigned a, b, c, d, ecx1 = 0, ebx7 = 0;
        if (__get_cpuid(1, &a, &b, &c, &d))
            ecx1 = c;
        if (__get_cpuid_count(7, 0, &a, &b, &c, &d))
            ebx7 = b;
        answer = (ecx1 & bit_SSSE3) && (ecx1 & bit_SSE4_1) && (ebx7 & bit_SHA) ? 2 : 1;
        atomic_store_explicit(&known, answer, memory_order_relaxed);
    }
    return answer == 2;
}

void sha256d_many(const struct sha256_message *messages, size_t count)
{
    if (count >= 2 && has_sha_extensions())
        many_by_pairs(messages, count);
    else
        many_by_libcrypto(messages, count);
}

#else

void sha256d_many(const struct sha256_message *messages, size_t count)
{
    many_by_libcrypto(messages, count);
}

#endif
