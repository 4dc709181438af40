/* hasher: double SHA-256 of many messages at once. A chain of rounds leaves most of a processor idle, so messages of
 * about the same length are hashed together: sixteen in the words of AVX-512 registers, or two by turns with the
 * SHA extensions of x86-64 or the SHA-2 instructions of ARMv8; elsewhere one after the other by nettle. What the
 * processor has is found at run time. Thread rule: any thread, no state. */
#ifndef UNKTX_PARSER_HASHER_H
#define UNKTX_PARSER_HASHER_H

#include <stdbool.h>

#include "parser/sha256.h"

enum hasher_kernel {
    HASHER_SINGLE,  /* nettle */
    HASHER_PAIRS,   /* instructions for SHA-256 */
    HASHER_SIXTEEN, /* AVX-512 */
    HASHER_KERNELS
};

/* Whether this processor has it. O(1). */
bool hasher_has(enum hasher_kernel kernel);
/* "single", "pairs", "sixteen". */
const char *hasher_name(enum hasher_kernel kernel);
/* The fastest that the processor has; for tests the one that the environment variable UNKTX_HASHER names, if the
 * processor has it. All give the same hashes. O(1). */
enum hasher_kernel hasher_best(void);

#define HASHER_BATCH 4096u /* most messages at a time */
#define HASHER_END 4u

/* A message in three parts, as a transaction without its witness is, and where its hash is wanted. */
struct hasher_message {
    const uint8_t *first; /* HASHER_END bytes */
    const uint8_t *body;
    size_t body_size;
    const uint8_t *last; /* HASHER_END bytes */
    struct hash256 *out;
    struct hash256 *copy; /* wanted here too, or NULL */
};

/* Double SHA-256 of each of up to HASHER_BATCH messages, by a kernel that the processor has; no hash may be wanted
 * where a message is. O(total size). */
void hasher_messages(enum hasher_kernel kernel, const struct hasher_message *messages, size_t count);

/* One level of a merkle tree: parents[i] is the double SHA-256 of nodes[2 * i] and nodes[2 * i + 1]. `parents` has room
 * for `count` and does not overlap the nodes. O(count). */
void hasher_parents(enum hasher_kernel kernel, const struct hash256 *nodes, size_t count, struct hash256 *parents);

#endif
