/* The Jacobi symbol: against Euler's criterion by single multiplications, and where p's neighbours, powers of two and
 * squares leave no choice. What pubkey_on_curve makes of it is held against libsecp256k1 by test_pubkey. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <time.h>

#include "parser/jacobi.h"
#include "tests/support/plan.h"

static const struct field zero, one = {{1}};

/* a to the power (p - 1) / 2, bit by bit: 1 for a square, else -1 modulo p. */
static int euler(const struct field *a)
{
    static const uint64_t half[4] = {0xffffffff7ffffe17, UINT64_MAX, UINT64_MAX, UINT64_MAX >> 1};
    struct field power = one, none = field_subtract(&zero, &one);
    for (unsigned bit = 256; bit-- > 0;) {
        power = field_square(&power);
        if (half[bit / 64] >> bit % 64 & 1)
            power = field_multiply(&power, a);
    }
    assert_true(field_equal(&power, &one) || field_equal(&power, &none));
    return field_equal(&power, &one) ? 1 : -1;
}

/* Its symbol, and that of its negative, which is the other one: -1 is no square modulo p, which is 3 modulo 4. */
static void check(const struct field *a)
{
    struct field negative = field_subtract(&zero, a);
    int expected = euler(a);
    assert_int_equal(jacobi_symbol(a, JACOBI_ROUNDS), expected);
    assert_int_equal(jacobi_symbol(&negative, JACOBI_ROUNDS), -expected);
}

/* Of 1..63 those to the power (p - 1) / 2 are 1 by Python's pow. */
static void test_small(void **state)
{
    const uint64_t squares = 0x7c069cdde26f8b16;
    (void)state;
    for (unsigned n = 1; n < 64; n++)
        assert_int_equal(jacobi_symbol(&(struct field){{n}}, JACOBI_ROUNDS), squares >> n & 1 ? 1 : -1);
}

/* Long runs of zeros and ones. */
static void test_powers_of_two(void **state)
{
    (void)state;
    for (unsigned bit = 1; bit < 256; bit++) {
        struct field power = {{0}}, beside;
        power.limb[bit / 64] = UINT64_C(1) << bit % 64;
        check(&power);
        for (uint64_t n = 1; n < 4; n++) {
            beside = field_add(&power, &(struct field){{n}});
            check(&beside);
            beside = field_subtract(&power, &(struct field){{n}});
            if (!field_equal(&beside, &zero))
                check(&beside);
        }
    }
}

static void test_random(void **state)
{
    struct rng rng = {(uint64_t)time(NULL)};
    (void)state;
    printf("seed %llu\n", (unsigned long long)rng.state);
    for (unsigned i = 0; i < 5000; i++) {
        struct field a = {{rng_next(&rng), rng_next(&rng), rng_next(&rng), rng_next(&rng) >> 1}};
        struct field square = field_square(&a);
        check(&a);
        assert_int_equal(jacobi_symbol(&square, JACOBI_ROUNDS), 1);
    }
}

/* Rounds that are not enough tell nothing, and 0 is neither. A step takes one bit off one of the two numbers at most,
 * which have 256 and 255. */
static void test_untold(void **state)
{
    const struct field large = {{1, 2, 3, UINT64_MAX >> 1}};
    unsigned rounds = 0;
    (void)state;
    while (jacobi_symbol(&large, rounds) == 0)
        rounds++;
    assert_in_range(rounds, (256 + 255) / 62, JACOBI_ROUNDS - 1);
    assert_int_equal(jacobi_symbol(&large, rounds), euler(&large));
    assert_int_equal(jacobi_symbol(&zero, JACOBI_ROUNDS), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_small),
        cmocka_unit_test(test_powers_of_two),
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_untold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
