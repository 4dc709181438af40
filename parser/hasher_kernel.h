/* hasher_kernel: what hasher.c needs of a processor with instructions for SHA-256, made in the file of its
 * architecture. Nothing else includes this. Thread rule: kernels have no state. */
#ifndef UNKTX_PARSER_HASHER_KERNEL_H
#define UNKTX_PARSER_HASHER_KERNEL_H

#include "parser/hasher.h"

#define LANES_MAX 16u

/* Hashes a message in each of its lanes, block by block. What `state` means is the kernel's own affair; it has
 * 8 * LANES_MAX words and is aligned to 64 bytes. */
struct hash_kernel {
    size_t lanes;
    size_t cost;      /* of a block of each lane, where nettle needs 10 for a block */
    size_t else_cost; /* of a block by the next slower kernel */
    void (*begin)(uint32_t *state);
    /* A block of 64 bytes for each lane; the states of lanes whose bit is not in `lanes` stay as they are. */
    void (*compress)(uint32_t *state, const uint8_t *const *at, uint32_t lanes);
    /* The hash of each lane's hash, where out[lane] is not NULL. */
    void (*end)(uint32_t *state, struct hash256 *const *out);
};

/* FIPS 180-4, sections 5.3.3 and 4.2.2; aligned to 16 bytes. */
extern const uint32_t hasher_first_state[8], hasher_round_constants[64];

#if defined(__x86_64__) || defined(__aarch64__)
#define HASHER_HAS_KERNELS
/* By enum hasher_kernel; empty for HASHER_SINGLE and for what the architecture has not. */
extern const struct hash_kernel hasher_kernel_of[HASHER_KERNELS];
/* A bit (1 << kernel) for each of them that this processor has. Slow: it asks the processor or the system. */
unsigned hasher_find_kernels(void);
#endif

#endif
