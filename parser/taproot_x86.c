/* taproot_x86: sums of multiples of the generator, eight at once, by AVX-512 with its products of 52 bits (IFMA). */
#ifdef __x86_64__
#include <immintrin.h>

#include "parser/taproot_kernel.h"

#define WITH_IFMA __attribute__((target("avx512f,avx512ifma")))
#define INLINE static inline __attribute__((always_inline))
#define LIMBS 5u
#define EIGHT 8u
#define VECTORS (TOGETHER / EIGHT)
#define HALF (WINDOWS / 2) /* the lower and the upper digits of a tweak have sums of their own */

/* Eight numbers modulo p, limbs of 52 bits, the lowest first: each is below 2^52, the last one at most 2^48 + 64. So a
 * number is below 2p, and not always below p. */
struct eight {
    __m512i limb[LIMBS];
};

WITH_IFMA INLINE __m512i words(uint64_t word) { return _mm512_set1_epi64((long long)word); }

/* Of limbs below 2^58: what is above 2^256 comes down, and each limb carries into the next. */
WITH_IFMA INLINE struct eight settle(__m512i t[LIMBS])
{
    struct eight result;
    t[0] = _mm512_madd52lo_epu64(t[0], _mm512_srli_epi64(t[4], 48), words(FIELD_FOLD));
    t[4] = _mm512_and_si512(t[4], words(UINT64_MAX >> 16));
#pragma GCC unroll 4
    for (unsigned i = 0; i < 4; i++) {
        t[i + 1] = _mm512_add_epi64(t[i + 1], _mm512_srli_epi64(t[i], 52));
        result.limb[i] = _mm512_and_si512(t[i], words(UINT64_MAX >> 12));
    }
    result.limb[4] = t[4];
    return result;
}

/* A product of ten limbs below 2^57; the upper five come down, times 2^260. The carries reach them first, since a
 * product takes the lower 52 bits of a factor. */
WITH_IFMA INLINE struct eight fold(__m512i t[2 * LIMBS])
{
    const __m512i factor = words((uint64_t)FIELD_FOLD << 4);
#pragma GCC unroll 4
    for (unsigned i = 5; i < 9; i++)
        t[i + 1] = _mm512_add_epi64(t[i + 1], _mm512_srli_epi64(t[i], 52));
    __m512i over = _mm512_madd52hi_epu64(_mm512_setzero_si512(), t[9], factor);
#pragma GCC unroll 5
    for (unsigned i = 0; i < 5; i++)
        t[i] = _mm512_madd52lo_epu64(t[i], t[i + 5], factor);
#pragma GCC unroll 4
    for (unsigned i = 0; i < 4; i++)
        t[i + 1] = _mm512_madd52hi_epu64(t[i + 1], t[i + 5], factor);
    t[0] = _mm512_madd52lo_epu64(t[0], over, factor);
    t[1] = _mm512_madd52hi_epu64(t[1], over, factor);
    return settle(t);
}

WITH_IFMA INLINE struct eight multiply(const struct eight *a, const struct eight *b)
{
    __m512i t[2 * LIMBS];
#pragma GCC unroll 10
    for (unsigned i = 0; i < 2 * LIMBS; i++)
        t[i] = _mm512_setzero_si512();
#pragma GCC unroll 5
    for (unsigned i = 0; i < LIMBS; i++)
#pragma GCC unroll 5
        for (unsigned j = 0; j < LIMBS; j++) {
            t[i + j] = _mm512_madd52lo_epu64(t[i + j], a->limb[i], b->limb[j]);
            t[i + j + 1] = _mm512_madd52hi_epu64(t[i + j + 1], a->limb[i], b->limb[j]);
        }
    return fold(t);
}

/* What is beside the diagonal is there twice. */
WITH_IFMA INLINE struct eight square(const struct eight *a)
{
    __m512i t[2 * LIMBS];
#pragma GCC unroll 10
    for (unsigned i = 0; i < 2 * LIMBS; i++)
        t[i] = _mm512_setzero_si512();
#pragma GCC unroll 4
    for (unsigned i = 0; i + 1 < LIMBS; i++)
#pragma GCC unroll 4
        for (unsigned j = i + 1; j < LIMBS; j++) {
            t[i + j] = _mm512_madd52lo_epu64(t[i + j], a->limb[i], a->limb[j]);
            t[i + j + 1] = _mm512_madd52hi_epu64(t[i + j + 1], a->limb[i], a->limb[j]);
        }
#pragma GCC unroll 8
    for (unsigned i = 1; i < 2 * LIMBS - 1; i++)
        t[i] = _mm512_add_epi64(t[i], t[i]);
#pragma GCC unroll 5
    for (unsigned i = 0; i < LIMBS; i++) {
        t[2 * i] = _mm512_madd52lo_epu64(t[2 * i], a->limb[i], a->limb[i]);
        t[2 * i + 1] = _mm512_madd52hi_epu64(t[2 * i + 1], a->limb[i], a->limb[i]);
    }
    return fold(t);
}

/* A limb of `times` p, limb by limb: no limb of 2p is below one of a settled number. */
WITH_IFMA INLINE __m512i limb_of_p(unsigned i, unsigned times)
{
    const uint64_t full = UINT64_MAX >> 12;
    return words(times * (i == 0 ? full - FIELD_FOLD + 1 : i == 4 ? full >> 4 : full));
}

WITH_IFMA INLINE struct eight subtract(const struct eight *a, const struct eight *b)
{
    __m512i t[LIMBS];
#pragma GCC unroll 5
    for (unsigned i = 0; i < LIMBS; i++)
        t[i] = _mm512_add_epi64(_mm512_sub_epi64(a->limb[i], b->limb[i]), limb_of_p(i, 2));
    return settle(t);
}

/* a - b - c. */
WITH_IFMA INLINE struct eight subtract_both(const struct eight *a, const struct eight *b, const struct eight *c)
{
    __m512i t[LIMBS];
#pragma GCC unroll 5
    for (unsigned i = 0; i < LIMBS; i++)
        t[i] = _mm512_sub_epi64(_mm512_add_epi64(_mm512_sub_epi64(a->limb[i], b->limb[i]), limb_of_p(i, 4)),
                                c->limb[i]);
    return settle(t);
}

/* Where the bit of a lane is in `lanes` the number of b, else that of a. */
WITH_IFMA INLINE void choose(struct eight *a, __mmask8 lanes, const struct eight *b)
{
#pragma GCC unroll 5
    for (unsigned i = 0; i < LIMBS; i++)
        a->limb[i] = _mm512_mask_mov_epi64(a->limb[i], lanes, b->limb[i]);
}

WITH_IFMA INLINE struct eight ones(void)
{
    struct eight one = {{words(1)}};
#pragma GCC unroll 4
    for (unsigned i = 1; i < LIMBS; i++)
        one.limb[i] = _mm512_setzero_si512();
    return one;
}

/* ---- to and from numbers below p ---- */

/* Limbs of 64 bits of eight numbers. */
WITH_IFMA INLINE struct eight from_words(const __m512i w[4])
{
    const __m512i full = words(UINT64_MAX >> 12);
    return (struct eight){{
        _mm512_and_si512(w[0], full),
        _mm512_and_si512(_mm512_or_si512(_mm512_srli_epi64(w[0], 52), _mm512_slli_epi64(w[1], 12)), full),
        _mm512_and_si512(_mm512_or_si512(_mm512_srli_epi64(w[1], 40), _mm512_slli_epi64(w[2], 24)), full),
        _mm512_and_si512(_mm512_or_si512(_mm512_srli_epi64(w[2], 28), _mm512_slli_epi64(w[3], 36)), full),
        _mm512_srli_epi64(w[3], 16),
    }};
}

WITH_IFMA static void read_fields(const struct field *fields, struct eight *a)
{
    uint64_t at[4][EIGHT];
    __m512i w[4];
    for (unsigned i = 0; i < 4 * EIGHT; i++)
        at[i % 4][i / 4] = fields[i / 4].limb[i % 4];
    for (unsigned i = 0; i < 4; i++)
        w[i] = _mm512_loadu_si512(at[i]);
    *a = from_words(w);
}

WITH_IFMA static void write_fields(const struct eight *a, struct field *fields)
{
    uint64_t at[LIMBS][EIGHT];
    for (unsigned i = 0; i < LIMBS; i++)
        _mm512_storeu_si512(at[i], a->limb[i]);
    for (unsigned lane = 0; lane < EIGHT; lane++) {
        struct field *field = &fields[lane];
        field->limb[0] = at[0][lane] | at[1][lane] << 52;
        field->limb[1] = at[1][lane] >> 12 | at[2][lane] << 40;
        field->limb[2] = at[2][lane] >> 24 | at[3][lane] << 28;
        field->limb[3] = at[3][lane] >> 36 | at[4][lane] << 16;
        field_settle(field, at[4][lane] >> 48);
    }
}

/* Rows become columns. Each stage interleaves the rows of the upper half with those of the lower one, which rotates the
 * six bits of a word's place (row, column) by one: after three of them, row and column have changed places. */
WITH_IFMA INLINE void transpose(__m512i row[EIGHT])
{
    const __m512i low = _mm512_set_epi64(11, 3, 10, 2, 9, 1, 8, 0);
    const __m512i high = _mm512_set_epi64(15, 7, 14, 6, 13, 5, 12, 4);
    __m512i next[EIGHT];
#pragma GCC unroll 3
    for (int stage = 0; stage < 3; stage++) {
#pragma GCC unroll 4
        for (int i = 0; i < 4; i++) {
            next[2 * i] = _mm512_permutex2var_epi64(row[i], low, row[i + 4]);
            next[2 * i + 1] = _mm512_permutex2var_epi64(row[i], high, row[i + 4]);
        }
#pragma GCC unroll 8
        for (int i = 0; i < 8; i++)
            row[i] = next[i];
    }
}

/* ---- sums ---- */

/* Eight sums under way. */
struct lanes {
    struct eight x; /* of the sum so far */
    struct eight y;
    struct eight multiple_x; /* of the digit's multiple */
    struct eight multiple_y; /* its limbs may be up to 2^53 */
    struct eight number;     /* to be inverted: what the two differ by in x; 1 where nothing is added */
    struct eight before;     /* product of those before, in the chain */
    __mmask8 any;            /* lanes that have a sum */
    __mmask8 adds;           /* lanes that add now */
};

/* The multiples that the digits stand for; a bit of the result for each digit that is not 0. */
WITH_IFMA INLINE __mmask8 read_multiples(struct lanes *lanes, const struct point *multiples, const int16_t *digits)
{
    __m512i digit = _mm512_cvtepi16_epi64(_mm_loadu_si128((const __m128i *)(const void *)digits)), row[EIGHT];
    __mmask8 negative = _mm512_cmplt_epi64_mask(digit, _mm512_setzero_si512());
#pragma GCC unroll 8
    for (unsigned lane = 0; lane < EIGHT; lane++)
        row[lane] = _mm512_load_si512(place_of(multiples, digits[lane]));
    transpose(row);
    lanes->multiple_x = from_words(row);
    lanes->multiple_y = from_words(row + 4);
#pragma GCC unroll 5
    for (unsigned i = 0; i < LIMBS; i++)
        lanes->multiple_y.limb[i] = _mm512_mask_sub_epi64(lanes->multiple_y.limb[i], negative, limb_of_p(i, 2),
                                                          lanes->multiple_y.limb[i]);
    return _mm512_cmpneq_epi64_mask(digit, _mm512_setzero_si512());
}

/* Takes what is to be added in the lanes of `given`, and a number to invert into the product of the chain. */
WITH_IFMA INLINE void take_multiples(struct lanes *lanes, __mmask8 given, struct eight *product)
{
    const struct eight one = ones();
    __mmask8 begins = (__mmask8)(given & ~lanes->any);
    lanes->adds = given & lanes->any;
    lanes->number = subtract(&lanes->multiple_x, &lanes->x);
    choose(&lanes->number, (__mmask8)~lanes->adds, &one);
    lanes->before = *product;
    *product = multiply(product, &lanes->number);
    if (begins) {
        __m512i t[LIMBS];
        for (unsigned i = 0; i < LIMBS; i++)
            t[i] = lanes->multiple_y.limb[i];
        struct eight y = settle(t);
        choose(&lanes->x, begins, &lanes->multiple_x);
        choose(&lanes->y, begins, &y);
        lanes->any |= begins;
    }
}

/* Adds the multiples to the sums; *inverse is that of the chain's product up to here. */
WITH_IFMA INLINE void add_multiples(struct lanes *lanes, struct eight *inverse)
{
    struct eight slope = multiply(inverse, &lanes->before), rise = subtract(&lanes->multiple_y, &lanes->y);
    *inverse = multiply(inverse, &lanes->number);
    slope = multiply(&slope, &rise);
    struct eight x = square(&slope);
    x = subtract_both(&x, &lanes->x, &lanes->multiple_x);
    struct eight y = subtract(&lanes->x, &x);
    y = multiply(&y, &slope);
    y = subtract(&y, &lanes->y);
    choose(&lanes->x, lanes->adds, &x);
    choose(&lanes->y, lanes->adds, &y);
}

/* Inverts the products of all chains and lanes, by one inversion. */
WITH_IFMA static void invert_chains(struct eight products[CHAINS], struct inversion *inversion)
{
    struct eight joined = ones(), before[CHAINS];
    for (unsigned i = 0; i < CHAINS; i++) {
        before[i] = joined;
        joined = multiply(&joined, &products[i]);
    }
    write_fields(&joined, inversion->number);
    inversion->count = EIGHT;
    taproot_invert_all(inversion);
    read_fields(inversion->number, &joined);
    for (unsigned i = CHAINS; i-- > 0;) {
        struct eight product = products[i];
        products[i] = multiply(&joined, &before[i]);
        joined = multiply(&joined, &product);
    }
}

WITH_IFMA static void prefetch_multiples(const struct point *multiples, const int16_t *digits)
{
    for (unsigned lane = 0; lane < EIGHT; lane++)
        __builtin_prefetch(place_of(multiples, digits[lane]));
}

/* Adds the multiples that `lanes` have, by one inversion. */
WITH_IFMA static void add_all(struct lanes *lanes, unsigned count, struct eight products[CHAINS],
                              struct inversion *inversion)
{
    invert_chains(products, inversion);
    for (unsigned v = count; v-- > 0;)
        add_multiples(&lanes[v], &products[v % CHAINS]);
}

/* The window's digits to the lower halves, those of the window of the same place to the upper ones. */
WITH_IFMA static void add_window(const multiples_of_window *multiples, struct tweak_sums *sums, unsigned vectors,
                                 struct lanes *lanes, unsigned window)
{
    struct eight products[CHAINS];
    for (unsigned i = 0; i < CHAINS; i++)
        products[i] = ones();
    for (unsigned v = 0; v < 2 * vectors; v++) {
        unsigned w = v < vectors ? window : window + HALF, first = (v < vectors ? v : v - vectors) * EIGHT;
        take_multiples(&lanes[v], read_multiples(&lanes[v], multiples[w], &sums->digits[w][first]),
                       &products[v % CHAINS]);
        if (window + 1 < HALF)
            prefetch_multiples(multiples[w + 1], &sums->digits[w + 1][first]);
    }
    add_all(lanes, 2 * vectors, products, &sums->inversion);
}

/* Adds the upper halves to the lower ones. With u and l what they are times the generator, u is 0 or at least 2^132,
 * and l is 8.01 times 2^128 in size at most. So u + l, the tweak, is 0 for u = l = 0 alone, and u - l is not 0. With n
 * the order of the generator, u - l is between -n and 2n, and not n: l would be negative, since u + l is below n, and
 * l + n a multiple of 2^132, as u is; but the one such l of that size is positive, 1.27 times 2^128. So no two points
 * have the same x. */
WITH_IFMA static void add_halves(struct lanes *lanes, unsigned vectors, struct inversion *inversion)
{
    struct eight products[CHAINS];
    for (unsigned i = 0; i < CHAINS; i++)
        products[i] = ones();
    for (unsigned v = 0; v < vectors; v++) {
        lanes[v].multiple_x = lanes[v + vectors].x;
        lanes[v].multiple_y = lanes[v + vectors].y;
        take_multiples(&lanes[v], lanes[v + vectors].any, &products[v % CHAINS]);
    }
    add_all(lanes, vectors, products, inversion);
}

bool taproot_lanes_usable(void) { return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512ifma"); }

size_t taproot_lanes_bytes(void) { return 2 * VECTORS * sizeof(struct lanes); }

WITH_IFMA void taproot_lanes_add(const multiples_of_window *multiples, struct tweak_sums *sums, size_t count,
                                 void *room)
{
    unsigned vectors = ((unsigned)count + EIGHT - 1) / EIGHT;
    struct lanes *lanes = room;
    for (size_t i = count; i < vectors * EIGHT; i++)
        for (unsigned window = 0; window < WINDOWS; window++)
            sums->digits[window][i] = 0;
    memset(lanes, 0, 2 * vectors * sizeof *lanes);
    for (unsigned window = 0; window < HALF; window++)
        add_window(multiples, sums, vectors, lanes, window);
    add_halves(lanes, vectors, &sums->inversion);
    for (unsigned v = 0; v < vectors; v++) {
        struct field x[EIGHT], y[EIGHT];
        write_fields(&lanes[v].x, x);
        write_fields(&lanes[v].y, y);
        for (unsigned lane = 0; lane < EIGHT; lane++)
            sums->sum[v * EIGHT + lane] = (struct point){x[lane], y[lane]};
    }
}
#endif
