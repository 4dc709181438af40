#include "parser/taproot.h"

#include "parser/curve_field.h"
#include "parser/mem.h"
#include "parser/sha256.h"

#define WINDOWS 32u /* bytes of a tweak */
#define DIGITS 256u
#define TOGETHER 256u /* claims whose inversions are one */

struct point {
    struct field x;
    struct field y;
};

struct taproot {
    struct point multiples[WINDOWS][DIGITS]; /* digit times 256^window times the generator; of digit 0 none */
};

/* Numbers that are inverted together: their product is (Montgomery's trick), for three multiplications each. */
struct inversion {
    struct field number[TOGETHER]; /* none is 0 */
    struct field before[TOGETHER]; /* product of those before */
    size_t count;
};

static void invert_all(struct inversion *all)
{
    struct field product = {{1}};
    for (size_t i = 0; i < all->count; i++) {
        all->before[i] = product;
        product = field_multiply(&product, &all->number[i]);
    }
    product = field_invert(&product);
    for (size_t i = all->count; i-- > 0;) {
        struct field number = all->number[i];
        all->number[i] = field_multiply(&product, &all->before[i]);
        product = field_multiply(&product, &number);
    }
}

/* The third point on a line of that slope through points with the x of a and b, mirrored. */
static struct point chord(const struct field *slope, const struct point *a, const struct field *x_of_b)
{
    struct point sum;
    struct field square = field_square(slope);
    sum.x = field_subtract(&square, &a->x);
    sum.x = field_subtract(&sum.x, x_of_b);
    struct field step = field_subtract(&a->x, &sum.x);
    sum.y = field_multiply(slope, &step);
    sum.y = field_subtract(&sum.y, &a->y);
    return sum;
}

/* a + b of different x; `inverse` is of the difference b.x - a.x. */
static struct point add(const struct point *a, const struct point *b, const struct field *inverse)
{
    struct field rise = field_subtract(&b->y, &a->y);
    struct field slope = field_multiply(&rise, inverse);
    return chord(&slope, a, &b->x);
}

/* 2a; the curve has no point whose y is 0. */
static struct point twice(const struct point *a)
{
    struct field square = field_square(&a->x), y2 = field_add(&a->y, &a->y);
    struct field slope = field_add(&square, &square), inverse = field_invert(&y2);
    slope = field_add(&slope, &square);
    slope = field_multiply(&slope, &inverse);
    return chord(&slope, a, &a->x);
}

/* ---- multiples of the generator ---- */

/* SEC 2, section 2.4.1. */
static const struct point generator = {
    {{0x59f2815b16f81798, 0x029bfcdb2dce28d9, 0x55a06295ce870b07, 0x79be667ef9dcbbac}},
    {{0x9c47d08ffb10d4b8, 0xfd17b448a6855419, 0x5da4fbfc0e1108a8, 0x483ada7726a3c465}},
};

/* No two points that are added have the same x: digit times 256^window is neither 0 nor plus or minus the other's
 * modulo the order of the generator, which is above 255 times 256^31. */
struct taproot *taproot_new(void)
{
    struct taproot *taproot = mem_alloc(1, sizeof *taproot);
    struct inversion *inversion = mem_alloc(1, sizeof *inversion);
    bool enough = taproot && inversion;
    if (enough) {
        struct point base = generator;
        for (unsigned w = 0; w < WINDOWS; w++) {
            taproot->multiples[w][1] = base;
            for (unsigned bit = 0; bit < 8; bit++) {
                base = twice(&base);
                if (bit == 0)
                    taproot->multiples[w][2] = base;
            }
        }
        inversion->count = WINDOWS;
        for (unsigned d = 3; d < DIGITS; d++) {
            for (unsigned w = 0; w < WINDOWS; w++)
                inversion->number[w] = field_subtract(&taproot->multiples[w][d - 1].x, &taproot->multiples[w][1].x);
            invert_all(inversion);
            for (unsigned w = 0; w < WINDOWS; w++)
                taproot->multiples[w][d] = add(&taproot->multiples[w][1], &taproot->multiples[w][d - 1],
                                               &inversion->number[w]);
        }
    }
    mem_free(inversion);
    if (enough)
        return taproot;
    mem_free(taproot);
    return NULL;
}

void taproot_free(struct taproot *taproot) { mem_free(taproot); }

/* ---- tweaks ---- */

/* A claim under way. */
struct work {
    uint8_t tweak[32];
    struct point sum; /* of the multiples for the bytes that were added, if any */
    bool any;
    bool open;           /* nothing has ruled it out */
    struct field x;      /* of the internal key */
    struct field output; /* x of the output's key */
    struct field y2;     /* twice the y of the tweak's point */
    struct field part;   /* the y of the internal key times y2, if the claim holds */
};

struct together {
    struct work works[TOGETHER];
    unsigned at[TOGETHER]; /* the works whose numbers are inverted */
    struct inversion inversion;
};

/* The bytes of hash_TapTweak; false if the order of the generator is not above them. */
static bool tweak_of(const struct taproot_claim *claim, uint8_t tweak[32])
{
    static const uint8_t order[32] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                      0xff, 0xff, 0xff, 0xff, 0xfe, 0xba, 0xae, 0xdc, 0xe6, 0xaf, 0x48,
                                      0xa0, 0x3b, 0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36, 0x41, 0x41};
    struct sha256_stream stream;
    sha256_begin_tagged(&stream, "TapTweak");
    sha256_add(&stream, claim->internal, 32);
    sha256_add(&stream, claim->root, 32);
    sha256_end(&stream, tweak);
    return memcmp(tweak, order, 32) < 0;
}

static void begin(struct work *work, const struct taproot_claim *claim)
{
    work->any = false;
    work->open = tweak_of(claim, work->tweak) && field_read(&work->x, claim->internal) &&
                 field_read(&work->output, claim->output);
}

/* Adds the multiples for a byte of each tweak. The sum so far is of lower bytes: a smaller number, and not 0; with this
 * one's it stays below the order, so neither their sum nor their difference is 0 modulo it. */
static void add_window(const struct taproot *taproot, struct together *together, size_t count, unsigned window)
{
    struct inversion *inversion = &together->inversion;
    const struct point *multiples = taproot->multiples[window];
    inversion->count = 0;
    for (unsigned i = 0; i < count; i++) {
        struct work *work = &together->works[i];
        uint8_t digit = work->tweak[31 - window];
        if (!work->open || digit == 0)
            continue;
        if (work->any) {
            together->at[inversion->count] = i;
            inversion->number[inversion->count++] = field_subtract(&multiples[digit].x, &work->sum.x);
        } else {
            work->sum = multiples[digit];
            work->any = true;
        }
    }
    invert_all(inversion);
    for (size_t n = 0; n < inversion->count; n++) {
        struct work *work = &together->works[together->at[n]];
        work->sum = add(&work->sum, &multiples[work->tweak[31 - window]], &inversion->number[n]);
    }
}

/* ---- comparing ---- */

/* P the internal key's point, R the tweak's, Q = P + R. On the line through P and R
 *
 *     (x_Q + x_P + x_R) (x_P - x_R)^2 = (y_P - y_R)^2 = y_P^2 - 2 y_P y_R + y_R^2
 *
 * with y^2 = x^3 + 7 for both. So the claimed x_Q leaves one y_P, without a square root, and the claim is right if and
 * only if its square is x_P^3 + 7, it is even, and y_Q has the parity. Rules out by the square. */
static void compare(struct work *work)
{
    static const struct field seven = {{7}};
    const struct point *r = &work->sum;
    struct field run = field_subtract(&work->x, &r->x), square = field_square(&run);
    struct field xs = field_add(&work->output, &work->x), p = field_square(&work->x), y_r = field_square(&r->y);
    p = field_multiply(&p, &work->x);
    p = field_add(&p, &seven);
    xs = field_add(&xs, &r->x);
    square = field_multiply(&square, &xs);
    work->part = field_add(&p, &y_r);
    work->part = field_subtract(&work->part, &square);
    work->y2 = field_add(&r->y, &r->y);
    struct field left = field_square(&work->part), right = field_square(&work->y2);
    right = field_multiply(&right, &p);
    work->open = work->any && !field_equal(&work->x, &r->x) && field_equal(&left, &right);
}

/* Whether both parities are right, with the inverse of y2 times the difference of P and R in x. */
static bool parities_right(const struct work *work, bool odd, const struct field *inverse)
{
    const struct point *r = &work->sum;
    struct field run = field_subtract(&work->x, &r->x);
    struct field of_y2 = field_multiply(inverse, &run), of_run = field_multiply(inverse, &work->y2);
    struct point p = {work->x, field_multiply(&work->part, &of_y2)};
    struct point q = add(r, &p, &of_run);
    return !field_is_odd(&p.y) && field_is_odd(&q.y) == odd;
}

static void check_together(const struct taproot *taproot, struct together *together, struct taproot_claim *claims,
                           size_t count)
{
    struct inversion *inversion = &together->inversion;
    for (size_t i = 0; i < count; i++)
        begin(&together->works[i], &claims[i]);
    for (unsigned window = 0; window < WINDOWS; window++)
        add_window(taproot, together, count, window);
    inversion->count = 0;
    for (unsigned i = 0; i < count; i++) {
        struct work *work = &together->works[i];
        claims[i].holds = false;
        if (work->open)
            compare(work);
        if (!work->open)
            continue;
        struct field run = field_subtract(&work->x, &work->sum.x);
        together->at[inversion->count] = i;
        inversion->number[inversion->count++] = field_multiply(&work->y2, &run);
    }
    invert_all(inversion);
    for (size_t n = 0; n < inversion->count; n++) {
        unsigned i = together->at[n];
        claims[i].holds = parities_right(&together->works[i], claims[i].odd, &inversion->number[n]);
    }
}

enum status taproot_check(const struct taproot *taproot, struct taproot_claim *claims, size_t count)
{
    if (count == 0)
        return STATUS_OK;
    struct together *together = mem_alloc(1, sizeof *together);
    if (!together)
        return STATUS_NOMEM;
    for (size_t done = 0; done < count; done += TOGETHER)
        check_together(taproot, together, claims + done, count - done < TOGETHER ? count - done : TOGETHER);
    mem_free(together);
    return STATUS_OK;
}
