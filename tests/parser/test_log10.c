/* Decimal logarithms against those of the C library, and their bits against those that x86-64 gives. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <float.h>
#include <math.h>
#include <string.h>

#include "parser/log10.h"

static uint64_t seed = 20261127;

static uint64_t next_random(void)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return seed >> 11;
}

static void expect_near(double got, double expected, double scale)
{
    if (fabs(got - expected) > 4 * DBL_EPSILON * scale)
        fail_msg("%.17g instead of %.17g", got, expected);
}

static void whole_numbers(void **state)
{
    (void)state;
    assert_true(log10_of(1) <= 0 && log10_of(1) >= 0);
    for (uint32_t n = 2; n < 100000; n++)
        expect_near(log10_of(n), log10(n), log10(n));
}

static void any_numbers(void **state)
{
    (void)state;
    print_message("seed %llu\n", (unsigned long long)seed);
    for (unsigned i = 0; i < 100000; i++) {
        double x = ldexp(1 + (double)next_random() / 0x1p53, (int)(next_random() % 1023));
        expect_near(log10_of(x), log10(x), log10(x));
    }
    expect_near(log10_of(DBL_MAX), log10(DBL_MAX), 308);
    expect_near(log10_of(1 + DBL_EPSILON), log10(1 + DBL_EPSILON), log10(1 + DBL_EPSILON));
}

static void factorials(void **state)
{
    (void)state;
    for (uint32_t n = 0; n < 200000; n += n < 3000 ? 1 : 997)
        expect_near(log10_of_factorial(n), lgamma((double)n + 1) / log(10), n < 2 ? 0 : n * log10(n));
    double most = UINT32_MAX;
    expect_near(log10_of_factorial(UINT32_MAX), lgamma(most + 1) / log(10), most * log10(most));
}

static void add_bits(uint64_t *sum, double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    *sum = (*sum ^ bits) * UINT64_C(0x100000001b3); /* FNV-1a, by 64 bits */
}

/* The expected value is what x86-64 gives: a processor or compiler that rounds otherwise prints other tables. */
static void same_bits(void **state)
{
    (void)state;
    uint64_t sum = UINT64_C(0xcbf29ce484222325);
    for (uint32_t n = 1; n < 100000; n++) {
        add_bits(&sum, log10_of(n + 1 / 3.0));
        add_bits(&sum, log10_of_factorial(n));
    }
    assert_int_equal(sum, UINT64_C(0xfd9921a2a394ce64));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_numbers),
        cmocka_unit_test(any_numbers),
        cmocka_unit_test(factorials),
        cmocka_unit_test(same_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
