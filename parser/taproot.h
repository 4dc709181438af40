/* taproot: whether output keys commit to internal keys and trees of scripts (BIP 341), for many at once: that takes
 * less than half of the time of libsecp256k1, which has no call for many, and a third of that where the processor has
 * AVX-512 with IFMA (found out at run time). It is exact, in both directions, as long as nobody finds a tweak that is 0
 * or the private key of an internal key that it is the hash of, which is to invert SHA-256: such a one is taken for
 * none. */
#ifndef UNKTX_PARSER_TAPROOT_H
#define UNKTX_PARSER_TAPROOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "parser/status.h"

/* What is claimed of an output. */
struct taproot_claim {
    const uint8_t *output;   /* its key: 32 bytes; borrowed */
    const uint8_t *internal; /* key of 32 bytes; borrowed */
    uint8_t root[32];        /* of the tree of scripts */
    bool odd;                /* parity of y of the output's key */
    bool holds;              /* the answer */
};

/* Multiples of the generator, 1.5 MiB, for any number of threads at once. NULL without memory. Some four
 * milliseconds. */
struct taproot *taproot_new(void) MUST_CHECK;
void taproot_free(struct taproot *taproot);

/* Answers all claims: lift_x(internal) + hash_TapTweak(internal, root) G is the point with the x of `output` and that
 * parity. Any thread. O(count), some four microseconds each where there are many, or one and a half. STATUS_NOMEM. */
enum status taproot_check(const struct taproot *taproot, struct taproot_claim *claims, size_t count) MUST_CHECK;

/* Test support: no instructions for eight points at a time are used. */
extern bool taproot_without_lanes;

#endif
