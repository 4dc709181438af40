/* hasher_arm: two messages by turns with the SHA-2 instructions of ARMv8 (Arm ARM, FEAT_SHA256), which most
 * processors of 64 bits have: the Raspberry Pi 4 and those before it do not. The Makefile lets the compiler use them in
 * this file. */
#ifdef __aarch64__
#include <arm_neon.h>
#include <sys/auxv.h>

#include "parser/hasher_kernel.h"

#define INLINE static inline __attribute__((always_inline))

/* The state is that of the first lane, words A to H, then that of the second. */
struct pair {
    uint32x4_t abcd[2];
    uint32x4_t efgh[2];
};

INLINE struct pair load(const uint32_t *state)
{
    return (struct pair){{vld1q_u32(state), vld1q_u32(state + 8)}, {vld1q_u32(state + 4), vld1q_u32(state + 12)}};
}

INLINE void four_rounds(uint32x4_t *abcd, uint32x4_t *efgh, uint32x4_t w[4], int i)
{
    uint32x4_t now = vaddq_u32(w[i % 4], vld1q_u32(hasher_round_constants + 4 * i)), before = *abcd;
    if (i < 12)
        w[i % 4] = vsha256su1q_u32(vsha256su0q_u32(w[i % 4], w[(i + 1) % 4]), w[(i + 2) % 4], w[(i + 3) % 4]);
    *abcd = vsha256hq_u32(*abcd, *efgh, now);
    *efgh = vsha256h2q_u32(*efgh, before, now);
}

/* The states after a block with these words in both lanes. */
INLINE struct pair all_rounds(const struct pair *before, uint32x4_t w[2][4])
{
    struct pair s = *before;
#pragma GCC unroll 16
    for (int i = 0; i < 16; i++) {
        four_rounds(&s.abcd[0], &s.efgh[0], w[0], i);
        four_rounds(&s.abcd[1], &s.efgh[1], w[1], i);
    }
    for (int lane = 0; lane < 2; lane++) {
        s.abcd[lane] = vaddq_u32(s.abcd[lane], before->abcd[lane]);
        s.efgh[lane] = vaddq_u32(s.efgh[lane], before->efgh[lane]);
    }
    return s;
}

static void pair_begin(uint32_t *state)
{
    memcpy(state, hasher_first_state, sizeof hasher_first_state);
    memcpy(state + 8, hasher_first_state, sizeof hasher_first_state);
}

static void pair_compress(uint32_t *state, const uint8_t *const at[2], uint32_t lanes)
{
    uint32x4_t w[2][4];
    for (int lane = 0; lane < 2; lane++)
        for (int i = 0; i < 4; i++)
            w[lane][i] = vreinterpretq_u32_u8(vrev32q_u8(vld1q_u8(at[lane] + 16 * i)));
    struct pair before = load(state), after = all_rounds(&before, w);
    for (uint32_t lane = 0; lane < 2; lane++) {
        if (lanes >> lane & 1) {
            vst1q_u32(state + 8 * lane, after.abcd[lane]);
            vst1q_u32(state + 8 * lane + 4, after.efgh[lane]);
        }
    }
}

static void pair_end(uint32_t *state, struct hash256 *const out[2])
{
    static const uint32_t padding[8] = {[0] = UINT32_C(1) << 31, [7] = 256}; /* 256 bits */
    struct pair first = load(state);
    uint32x4_t w[2][4];
    for (int lane = 0; lane < 2; lane++) {
        w[lane][0] = first.abcd[lane];
        w[lane][1] = first.efgh[lane];
        w[lane][2] = vld1q_u32(padding);
        w[lane][3] = vld1q_u32(padding + 4);
    }
    pair_begin(state);
    struct pair before = load(state), after = all_rounds(&before, w);
    for (int lane = 0; lane < 2; lane++) {
        if (!out[lane])
            continue;
        vst1q_u8(out[lane]->bytes, vrev32q_u8(vreinterpretq_u8_u32(after.abcd[lane])));
        vst1q_u8(out[lane]->bytes + 16, vrev32q_u8(vreinterpretq_u8_u32(after.efgh[lane])));
    }
}

unsigned hasher_find_kernels(void)
{
    const unsigned long with_sha2 = 1ul << 6; /* HWCAP_SHA2 of Linux's asm/hwcap.h for arm64 */
    return (unsigned)((getauxval(AT_HWCAP) & with_sha2) != 0) << HASHER_PAIRS;
}

/* The cost is that of x86-64's: it was tried under emulation, which tells nothing of time. */
const struct hash_kernel hasher_kernel_of[HASHER_KERNELS] = {
    [HASHER_PAIRS] = {2, 14, 10, pair_begin, pair_compress, pair_end},
};
#endif
