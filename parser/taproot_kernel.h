/* taproot_kernel: what taproot.c shares with the file that adds many points at once on a processor that can. Nothing
 * else includes this. Thread rule: no state. */
#ifndef UNKTX_PARSER_TAPROOT_KERNEL_H
#define UNKTX_PARSER_TAPROOT_KERNEL_H

#include "parser/curve_field.h"

#define WINDOW_BITS 11u
#define WINDOWS 24u    /* they have the 256 bits of a tweak, and the last one takes a carry */
#define DIGIT_MAX 1024 /* a digit is of -1023 .. 1024: a negative one mirrors its point, and carries 1 to the next */
#define TOGETHER 512u  /* claims whose inversions are one */
#define CHAINS 4u      /* products that do not wait for each other */
#define CACHE_LINE 64u

struct point {
    struct field x;
    struct field y;
};

/* Digit times 2048^window times the generator; of digit 0 none, its place is 0. Each is a cache line. */
typedef struct point multiples_of_window[DIGIT_MAX + 1];

/* Where the digit's multiple is; for a negative digit the one that it mirrors. */
static inline const struct point *place_of(const struct point *multiples, int digit)
{
    return &multiples[digit < 0 ? -digit : digit];
}

/* Numbers that are inverted together: their product is (Montgomery's trick), for three multiplications each. */
struct inversion {
    struct field number[TOGETHER]; /* none is 0 */
    struct field before[TOGETHER]; /* product of those before */
    size_t count;
};
void taproot_invert_all(struct inversion *all);

/* Tweaks, and what they are times the generator: the sum of the multiples for their digits. */
struct tweak_sums {
    int16_t digits[WINDOWS][TOGETHER];
    struct point sum[TOGETHER]; /* if the digits are not all 0 */
    struct inversion inversion;
};

#ifdef __x86_64__
#define TAPROOT_HAS_LANES
/* Eight sums in the words of AVX-512 registers (IFMA). */
bool taproot_lanes_usable(void); /* by this processor; slow */
size_t taproot_lanes_bytes(void);
/* Works out the first `count` sums. `room` has that many bytes, and is aligned to 64. O(count). */
void taproot_lanes_add(const multiples_of_window *multiples, struct tweak_sums *sums, size_t count, void *room);
#endif

#endif
