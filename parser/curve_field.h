/* curve_field: the numbers modulo p = 2^256 - 2^32 - 977, in which the points of the curve secp256k1 have their
 * coordinates (SEC 2, section 2.4.1). All of it is public data: nothing here takes the same time for all values, and no
 * secret must be given to it. Values are always below p, so that equal ones have equal limbs. Pure functions; any
 * thread. O(1). */
#ifndef UNKTX_PARSER_CURVE_FIELD_H
#define UNKTX_PARSER_CURVE_FIELD_H

#include <stdbool.h>

#include "parser/bytes.h"

#define FIELD_FOLD 0x1000003d1u /* 2^256 modulo p, which is 2^256 - p */

struct field {
    uint64_t limb[4]; /* the lowest first */
};

/* Of 32 bytes, the highest first; false for a number that is p or more. */
static inline bool field_read(struct field *a, const uint8_t bytes[32])
{
    for (unsigned i = 0; i < 4; i++)
        a->limb[i] = load_be64(bytes + 24 - 8 * i);
    return (a->limb[3] & a->limb[2] & a->limb[1]) != UINT64_MAX || a->limb[0] < 0 - (uint64_t)FIELD_FOLD;
}

static inline bool field_equal(const struct field *a, const struct field *b)
{
    return memcmp(a->limb, b->limb, sizeof a->limb) == 0;
}

static inline bool field_is_odd(const struct field *a) { return a->limb[0] & 1; }

/* a + add modulo 2^256; what goes over is returned. */
static inline uint64_t field_carry(struct field *a, uint64_t add)
{
    unsigned __int128 sum = add;
#pragma GCC unroll 4
    for (unsigned i = 0; i < 4; i++) {
        sum += a->limb[i];
        a->limb[i] = (uint64_t)sum;
        sum >>= 64;
    }
    return (uint64_t)sum;
}

/* Of a number below 2p of which `over` times 2^256 are in `over`. */
static inline void field_settle(struct field *a, uint64_t over)
{
    struct field less = *a;
    if (__builtin_expect(over == 0 && a->limb[3] != UINT64_MAX, 1))
        return;
    if (field_carry(&less, FIELD_FOLD) + over > 0)
        *a = less;
}

static inline struct field field_add(const struct field *a, const struct field *b)
{
    struct field result;
    unsigned __int128 sum = 0;
#pragma GCC unroll 4
    for (unsigned i = 0; i < 4; i++) {
        sum += (unsigned __int128)a->limb[i] + b->limb[i];
        result.limb[i] = (uint64_t)sum;
        sum >>= 64;
    }
    field_settle(&result, (uint64_t)sum);
    return result;
}

static inline struct field field_subtract(const struct field *a, const struct field *b)
{
    struct field result;
    uint64_t borrow = 0;
#pragma GCC unroll 4
    for (unsigned i = 0; i < 4; i++) {
        unsigned __int128 difference = (unsigned __int128)a->limb[i] - b->limb[i] - borrow;
        result.limb[i] = (uint64_t)difference;
        borrow = (uint64_t)(difference >> 64) & 1;
    }
    borrow *= FIELD_FOLD; /* with p added there is no other borrow: a - b is above -p */
#pragma GCC unroll 4
    for (unsigned i = 0; i < 4; i++) {
        unsigned __int128 difference = (unsigned __int128)result.limb[i] - borrow;
        result.limb[i] = (uint64_t)difference;
        borrow = (uint64_t)(difference >> 64) & 1;
    }
    return result;
}

/* A product of two numbers modulo p: the upper half comes down, times 2^256. */
static inline struct field field_fold(const uint64_t product[8])
{
    struct field result;
    unsigned __int128 sum = 0;
#pragma GCC unroll 4
    for (unsigned i = 0; i < 4; i++) {
        sum += (unsigned __int128)product[i + 4] * FIELD_FOLD + product[i];
        result.limb[i] = (uint64_t)sum;
        sum >>= 64;
    }
    sum *= FIELD_FOLD; /* what is left was below 2^34: now below 2^67 */
#pragma GCC unroll 4
    for (unsigned i = 0; i < 4; i++) {
        sum += result.limb[i];
        result.limb[i] = (uint64_t)sum;
        sum >>= 64;
    }
    field_settle(&result, (uint64_t)sum);
    return result;
}

static inline struct field field_multiply(const struct field *a, const struct field *b)
{
    uint64_t product[8] = {0};
#pragma GCC unroll 4
    for (unsigned i = 0; i < 4; i++) {
        uint64_t carry = 0;
#pragma GCC unroll 4
        for (unsigned j = 0; j < 4; j++) {
            unsigned __int128 sum = (unsigned __int128)a->limb[i] * b->limb[j] + product[i + j] + carry;
            product[i + j] = (uint64_t)sum;
            carry = (uint64_t)(sum >> 64);
        }
        product[i + 4] = carry;
    }
    return field_fold(product);
}

/* What is beside the diagonal is there twice. */
static inline struct field field_square(const struct field *a)
{
    uint64_t product[8] = {0}, high = 0;
#pragma GCC unroll 4
    for (unsigned i = 0; i < 3; i++) {
        uint64_t carry = 0;
#pragma GCC unroll 4
        for (unsigned j = i + 1; j < 4; j++) {
            unsigned __int128 sum = (unsigned __int128)a->limb[i] * a->limb[j] + product[i + j] + carry;
            product[i + j] = (uint64_t)sum;
            carry = (uint64_t)(sum >> 64);
        }
        product[i + 4] = carry;
    }
    unsigned __int128 sum = 0;
#pragma GCC unroll 4
    for (unsigned i = 0; i < 4; i++) {
        unsigned __int128 square = (unsigned __int128)a->limb[i] * a->limb[i];
        uint64_t low = product[2 * i] << 1 | high >> 63, next = product[2 * i + 1];
        sum += (unsigned __int128)low + (uint64_t)square;
        uint64_t doubled = next << 1 | product[2 * i] >> 63;
        product[2 * i] = (uint64_t)sum;
        sum = (sum >> 64) + doubled + (uint64_t)(square >> 64);
        product[2 * i + 1] = (uint64_t)sum;
        sum >>= 64;
        high = next;
    }
    return field_fold(product);
}

/* a squared `times` times, then times b. */
static inline struct field field_power_step(struct field a, unsigned times, const struct field *b)
{
    while (times-- > 0)
        a = field_square(&a);
    return field_multiply(&a, b);
}

/* 1 / a for an a other than 0: a to the power p - 2 (Fermat), whose bits are 223 ones, a zero, 22 ones, 0000101101.
 * Some 270 multiplications. */
static inline struct field field_invert(const struct field *a)
{
    struct field ones2 = field_power_step(*a, 1, a); /* a to the power of so many ones */
    struct field ones3 = field_power_step(ones2, 1, a);
    struct field ones6 = field_power_step(ones3, 3, &ones3);
    struct field ones9 = field_power_step(ones6, 3, &ones3);
    struct field ones11 = field_power_step(ones9, 2, &ones2);
    struct field ones22 = field_power_step(ones11, 11, &ones11);
    struct field ones44 = field_power_step(ones22, 22, &ones22);
    struct field ones88 = field_power_step(ones44, 44, &ones44);
    struct field ones176 = field_power_step(ones88, 88, &ones88);
    struct field ones220 = field_power_step(ones176, 44, &ones44);
    struct field power = field_power_step(ones220, 3, &ones3);
    power = field_power_step(power, 23, &ones22);
    power = field_power_step(power, 5, a);
    power = field_power_step(power, 3, &ones2);
    return field_power_step(power, 2, a);
}

#endif
