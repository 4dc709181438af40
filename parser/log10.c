#include "parser/log10.h"

#include <string.h>

#define LN_2 0.69314718055994530942
#define LN_10 2.30258509299404568402
#define HALF_LN_2_PI 0.91893853320467274178
#define SQRT_2 1.41421356237309504880
#define SMALL 21u

/* ln(m) for m from sqrt(1/2) to sqrt(2): 2 artanh(s) with s = (m - 1) / (m + 1), by its series (Abramowitz and Stegun,
 * 4.1.27). s squared is below 0.0295, so the term that would be next is below 2^-54 of the sum. */
static double ln_near_one(double m)
{
    double s = (m - 1) / (m + 1), square = s * s, sum = 0;
    for (int odd = 21; odd >= 1; odd -= 2)
        sum = sum * square + 1.0 / odd;
    return 2 * s * sum;
}

static double ln_of(double x)
{
    const uint64_t fraction = (UINT64_C(1) << 52) - 1;
    uint64_t bits;
    double m;
    memcpy(&bits, &x, sizeof bits);
    int exponent = (int)(bits >> 52) - 1023;
    bits = (bits & fraction) | UINT64_C(1023) << 52; /* 1 <= m < 2 */
    memcpy(&m, &bits, sizeof m);
    if (m > SQRT_2) {
        m /= 2;
        exponent++;
    }
    return exponent * LN_2 + ln_near_one(m);
}

double log10_of(double x) { return ln_of(x) / LN_10; }

/* Stirling's series (Abramowitz and Stegun, 6.1.41): what is left out is below 1 / (1188 n^9). */
double log10_of_factorial(uint64_t n)
{
    static const double small[SMALL] = {0,
                                        0,
                                        0.3010299956639812,
                                        0.7781512503836436,
                                        1.380211241711606,
                                        2.0791812460476247,
                                        2.8573324964312685,
                                        3.7024305364455254,
                                        4.605520523437469,
                                        5.559763032876794,
                                        6.559763032876794,
                                        7.601155718035018,
                                        8.680336964082644,
                                        9.79428031638948,
                                        10.940408352067719,
                                        12.1164996111234,
                                        13.320619593779325,
                                        14.5510685151576,
                                        15.806341020260904,
                                        17.085094621213734,
                                        18.386124616877716};
    if (n < SMALL)
        return small[n];
    double x = (double)n, one_by = 1 / x, square = one_by * one_by;
    double series = one_by * (1.0 / 12 - square * (1.0 / 360 - square * (1.0 / 1260 - square / 1680)));
    return ((x + 0.5) * ln_of(x) - x + HALF_LN_2_PI + series) / LN_10;
}
