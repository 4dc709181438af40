#include "parser/jacobi.h"

#define STEPS 62u /* of a round: the lowest 64 bits of both numbers tell so many, and what they do to the symbol */

/* The numbers f and g become (u f + v g) / 2^62 and (q f + r g) / 2^62. u + v and q + r are at most 2^62, so none
 * becomes larger than the larger of both was. */
struct round {
    uint64_t u;
    uint64_t v;
    uint64_t q;
    uint64_t r;
};

struct symbol {
    uint64_t f[4]; /* odd; the lowest limb first */
    uint64_t g[4];
    int64_t eta;    /* below 0: the two change places with the next odd g */
    uint64_t flips; /* the lowest bit says whether (a/p) is -(g/f) */
};

static void swap(uint64_t *a, uint64_t *b)
{
    uint64_t old = *a;
    *a = *b;
    *b = old;
}

/* To halve g flips the symbol where f is 3 or 5 modulo 8, to change places where both are 3 modulo 4; to add f to g
 * does not. f is added to an odd g so often at once that up to six of its last bits become 0, of as many steps as are
 * left and as come before the next change of places: g + f (f g (f^2 - 2)) is g (f^2 - 1)^2, and f^2 - 1 a multiple of
 * 8. */
static struct round next_round(struct symbol *symbol)
{
    struct round m = {.u = 1, .r = 1};
    uint64_t f = symbol->f[0], g = symbol->g[0], flips = symbol->flips;
    int64_t eta = symbol->eta;
    for (unsigned left = STEPS;;) {
        unsigned zeros = (unsigned)__builtin_ctzll(g | UINT64_MAX << left);
        g >>= zeros;
        m.u <<= zeros;
        m.v <<= zeros;
        eta -= zeros;
        left -= zeros;
        flips ^= zeros & (f >> 1 ^ f >> 2);
        if (left == 0)
            break;
        if (eta < 0) {
            eta = -eta;
            swap(&f, &g);
            swap(&m.u, &m.q);
            swap(&m.v, &m.r);
            flips ^= (f & g) >> 1;
        }
        unsigned most = eta + 1 > left ? left : (unsigned)(eta + 1);
        uint64_t times = f * g * (f * f - 2) & 63 & UINT64_MAX >> (64 - most);
        g += times * f;
        m.q += times * m.u;
        m.r += times * m.v;
    }
    symbol->eta = eta;
    symbol->flips = flips;
    return m;
}

/* (a f + b g) / 2^62, which is below 2^256. */
static void combine(uint64_t a, const uint64_t f[4], uint64_t b, const uint64_t g[4], uint64_t out[4])
{
    unsigned __int128 sum = (unsigned __int128)a * f[0] + (unsigned __int128)b * g[0];
#pragma GCC unroll 3
    for (unsigned i = 1; i < 4; i++) {
        uint64_t below = (uint64_t)sum;
        sum = (sum >> 64) + (unsigned __int128)a * f[i] + (unsigned __int128)b * g[i];
        out[i - 1] = below >> STEPS | (uint64_t)sum << (64 - STEPS);
    }
    out[3] = (uint64_t)(sum >> STEPS);
}

/* All divisors that f and g have in common stay so; p has none with `a`, so f ends as 1, and (g/1) is 1. */
int jacobi_symbol(const struct field *a, unsigned rounds)
{
    struct symbol symbol = {.f = {0 - (uint64_t)FIELD_FOLD, UINT64_MAX, UINT64_MAX, UINT64_MAX}, .eta = -1};
    memcpy(symbol.g, a->limb, sizeof symbol.g);
    while (rounds-- > 0) {
        struct round m = next_round(&symbol);
        uint64_t f[4], g[4];
        combine(m.u, symbol.f, m.v, symbol.g, f);
        combine(m.q, symbol.f, m.r, symbol.g, g);
        memcpy(symbol.f, f, sizeof f);
        memcpy(symbol.g, g, sizeof g);
        if (f[0] == 1 && (f[1] | f[2] | f[3]) == 0)
            return symbol.flips & 1 ? -1 : 1;
    }
    return 0;
}
