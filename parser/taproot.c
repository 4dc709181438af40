#include "parser/taproot.h"

#include "parser/mem.h"
#include "parser/sha256.h"
#include "parser/taproot_kernel.h"

struct taproot {
    multiples_of_window *multiples; /* WINDOWS of them, aligned, in `block` */
    void *block;
    bool lanes; /* the processor adds eight points at once */
};

bool taproot_without_lanes = false;

/* Each chain has a product of its own; they are joined for the one inversion. */
void taproot_invert_all(struct inversion *all)
{
    struct field products[CHAINS], joined = {{1}}, before[CHAINS];
    for (size_t chain = 0; chain < CHAINS; chain++)
        products[chain] = (struct field){{1}};
    for (size_t i = 0; i < all->count; i++) {
        all->before[i] = products[i % CHAINS];
        products[i % CHAINS] = field_multiply(&products[i % CHAINS], &all->number[i]);
    }
    for (size_t chain = 0; chain < CHAINS; chain++) {
        before[chain] = joined;
        joined = field_multiply(&joined, &products[chain]);
    }
    joined = field_invert(&joined);
    for (size_t chain = CHAINS; chain-- > 0;) {
        struct field product = products[chain];
        products[chain] = field_multiply(&joined, &before[chain]);
        joined = field_multiply(&joined, &product);
    }
    for (size_t i = all->count; i-- > 0;) {
        struct field *product = &products[i % CHAINS], number = all->number[i];
        all->number[i] = field_multiply(product, &all->before[i]);
        *product = field_multiply(product, &number);
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

/* Those of the digits 2^bit + 1 .. 2^(bit + 1), from those up to 2^bit, of one window. */
static void double_digits(struct point *multiples, unsigned bit, struct inversion *inversion)
{
    const unsigned top = 1u << bit;
    const struct point *base = &multiples[top];
    for (unsigned done = 1; done < top; done += (unsigned)inversion->count) {
        inversion->count = top - done < TOGETHER ? top - done : TOGETHER;
        for (unsigned i = 0; i < inversion->count; i++)
            inversion->number[i] = field_subtract(&multiples[done + i].x, &base->x);
        taproot_invert_all(inversion);
        for (unsigned i = 0; i < inversion->count; i++)
            multiples[top + done + i] = add(base, &multiples[done + i], &inversion->number[i]);
    }
    multiples[2 * top] = twice(base);
}

/* No two points that are added have the same x: the one's factor of 2048^window is below the other's, so neither their
 * sum nor their difference is 0 modulo the order of the generator, which is a prime and no factor of that power. */
static void fill_multiples(multiples_of_window *all, struct inversion *inversion)
{
    for (unsigned w = 0; w < WINDOWS; w++) {
        struct point *multiples = all[w];
        multiples[1] = w == 0 ? generator : twice(&all[w - 1][DIGIT_MAX]);
        multiples[2] = twice(&multiples[1]);
        for (unsigned bit = 1; bit + 1 < WINDOW_BITS; bit++)
            double_digits(multiples, bit, inversion);
    }
}

static void *aligned(void *block)
{
    return (uint8_t *)block + (CACHE_LINE - (uintptr_t)block % CACHE_LINE) % CACHE_LINE;
}

struct taproot *taproot_new(void)
{
    struct taproot *taproot = mem_alloc(1, sizeof *taproot);
    struct inversion *inversion = mem_alloc(1, sizeof *inversion);
    if (taproot)
        taproot->block = mem_alloc(1, WINDOWS * sizeof *taproot->multiples + CACHE_LINE);
    bool enough = taproot && inversion && taproot->block;
    if (enough) {
        taproot->multiples = aligned(taproot->block);
        fill_multiples(taproot->multiples, inversion);
#ifdef TAPROOT_HAS_LANES
        taproot->lanes = taproot_lanes_usable();
#endif
    }
    mem_free(inversion);
    if (enough)
        return taproot;
    taproot_free(taproot);
    return NULL;
}

void taproot_free(struct taproot *taproot)
{
    if (taproot)
        mem_free(taproot->block);
    mem_free(taproot);
}

/* ---- tweaks ---- */

/* A claim under way. */
struct work {
    bool open;           /* nothing has ruled it out */
    struct field x;      /* of the internal key */
    struct field output; /* x of the output's key */
    struct field y2;     /* twice the y of the tweak's point */
    struct field part;   /* the y of the internal key times y2, if the claim holds */
};

struct together {
    struct tweak_sums sums;
    struct work works[TOGETHER];
    bool any[TOGETHER];    /* digits that are not 0 */
    unsigned at[TOGETHER]; /* the works whose numbers are inverted */
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

/* The window's bits of the tweak; those above its highest one are 0. */
static unsigned bits_of(const uint8_t tweak[32], unsigned window)
{
    unsigned first = window * WINDOW_BITS, bits = 0;
    for (unsigned byte = 0; byte < 3 && first / 8 + byte < 32; byte++)
        bits |= (unsigned)tweak[31 - first / 8 - byte] << 8 * byte;
    return bits >> first % 8 & (2 * DIGIT_MAX - 1);
}

static void read_digits(struct together *together, unsigned i, const uint8_t tweak[32])
{
    int carry = 0;
    for (unsigned w = 0; w < WINDOWS; w++) {
        int digit = (int)bits_of(tweak, w) + carry;
        carry = digit > DIGIT_MAX;
        together->sums.digits[w][i] = (int16_t)(digit - carry * 2 * DIGIT_MAX);
        together->any[i] |= together->sums.digits[w][i] != 0;
    }
}

static void begin(struct together *together, unsigned i, const struct taproot_claim *claim)
{
    static const uint8_t none[32];
    uint8_t tweak[32];
    struct work *work = &together->works[i];
    together->any[i] = false;
    work->open = tweak_of(claim, tweak) && field_read(&work->x, claim->internal) &&
                 field_read(&work->output, claim->output);
    read_digits(together, i, work->open ? tweak : none);
}

/* The multiple that the digit stands for. */
static struct point multiple_of(const struct point *multiples, int digit)
{
    static const struct field zero;
    struct point point = *place_of(multiples, digit);
    if (digit < 0)
        point.y = field_subtract(&zero, &point.y);
    return point;
}

/* Adds the multiples for a digit of each tweak. The sum so far is s times the generator, this digit's multiple d times.
 * s is not 0, as its last digit is not, and smaller in size than d, so neither d + s nor d - s is 0. Nor is one of them
 * a multiple of the order n, by which points with the same x would differ: both are smaller than n in size, but where
 * the last digit carries to d = 2^256. There s = tweak - 2^256 is from -2^252 to n - 2^256, and d - s between n and 2n.
 */
static void add_window(const struct taproot *taproot, struct together *together, size_t count, unsigned window,
                       bool *begun)
{
    struct inversion *inversion = &together->sums.inversion;
    const struct point *multiples = taproot->multiples[window];
    const int16_t *digits = together->sums.digits[window];
    struct point *sum = together->sums.sum;
    inversion->count = 0;
    for (unsigned i = 0; i < count; i++) {
        if (digits[i] == 0)
            continue;
        if (begun[i]) {
            together->at[inversion->count] = i;
            inversion->number[inversion->count++] = field_subtract(&place_of(multiples, digits[i])->x, &sum[i].x);
        } else {
            sum[i] = multiple_of(multiples, digits[i]);
            begun[i] = true;
        }
    }
    taproot_invert_all(inversion);
    for (size_t n = 0; n < inversion->count; n++) {
        unsigned i = together->at[n];
        if (window + 1 < WINDOWS)
            __builtin_prefetch(place_of(taproot->multiples[window + 1], together->sums.digits[window + 1][i]));
        struct point multiple = multiple_of(multiples, digits[i]);
        sum[i] = add(&sum[i], &multiple, &inversion->number[n]);
    }
}

/* Each tweak times the generator; `room` is for eight at a time. */
static void add_windows(const struct taproot *taproot, struct together *together, size_t count, void *room)
{
#ifdef TAPROOT_HAS_LANES
    if (room) {
        taproot_lanes_add(taproot->multiples, &together->sums, count, room);
        return;
    }
#endif
    bool begun[TOGETHER] = {false};
    for (unsigned window = 0; window < WINDOWS; window++)
        add_window(taproot, together, count, window, begun);
}

/* ---- comparing ---- */

/* P the internal key's point, R the tweak's, Q = P + R. On the line through P and R
 *
 *     (x_Q + x_P + x_R) (x_P - x_R)^2 = (y_P - y_R)^2 = y_P^2 - 2 y_P y_R + y_R^2
 *
 * with y^2 = x^3 + 7 for both. So the claimed x_Q leaves one y_P, without a square root, and the claim is right if and
 * only if its square is x_P^3 + 7, it is even, and y_Q has the parity. Rules out by the square. */
static void compare(struct work *work, const struct point *r)
{
    static const struct field seven = {{7}};
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
    work->open = !field_equal(&work->x, &r->x) && field_equal(&left, &right);
}

/* Whether both parities are right, with the inverse of y2 times the difference of P and R in x. */
static bool parities_right(const struct work *work, const struct point *r, bool odd, const struct field *inverse)
{
    struct field run = field_subtract(&work->x, &r->x);
    struct field of_y2 = field_multiply(inverse, &run), of_run = field_multiply(inverse, &work->y2);
    struct point p = {work->x, field_multiply(&work->part, &of_y2)};
    struct point q = add(r, &p, &of_run);
    return !field_is_odd(&p.y) && field_is_odd(&q.y) == odd;
}

static void check_together(const struct taproot *taproot, struct together *together, struct taproot_claim *claims,
                           size_t count, void *room)
{
    struct inversion *inversion = &together->sums.inversion;
    const struct point *sum = together->sums.sum;
    for (unsigned i = 0; i < count; i++)
        begin(together, i, &claims[i]);
    add_windows(taproot, together, count, room);
    inversion->count = 0;
    for (unsigned i = 0; i < count; i++) {
        struct work *work = &together->works[i];
        claims[i].holds = false;
        if (work->open && together->any[i])
            compare(work, &sum[i]);
        if (!work->open || !together->any[i])
            continue;
        struct field run = field_subtract(&work->x, &sum[i].x);
        together->at[inversion->count] = i;
        inversion->number[inversion->count++] = field_multiply(&work->y2, &run);
    }
    taproot_invert_all(inversion);
    for (size_t n = 0; n < inversion->count; n++) {
        unsigned i = together->at[n];
        claims[i].holds = parities_right(&together->works[i], &sum[i], claims[i].odd, &inversion->number[n]);
    }
}

enum status taproot_check(const struct taproot *taproot, struct taproot_claim *claims, size_t count)
{
    if (count == 0)
        return STATUS_OK;
    size_t lanes_bytes = 0;
#ifdef TAPROOT_HAS_LANES
    if (taproot->lanes && !taproot_without_lanes)
        lanes_bytes = taproot_lanes_bytes();
#endif
    uint8_t *block = mem_resize(NULL, 1, lanes_bytes + sizeof(struct together) + 2 * CACHE_LINE);
    if (!block)
        return STATUS_NOMEM;
    uint8_t *room = aligned(block);
    struct together *together = (struct together *)(void *)(room + lanes_bytes);
    for (size_t done = 0; done < count; done += TOGETHER)
        check_together(taproot, together, claims + done, count - done < TOGETHER ? count - done : TOGETHER,
                       lanes_bytes > 0 ? room : NULL);
    mem_free(block);
    return STATUS_OK;
}
