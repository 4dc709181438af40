/* Points: the generator (SEC 2) and what follows from the curve's equation y^2 = x^3 + 7 over p = 2^256 - 2^32 - 977.
 * */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "parser/pubkey.h"

#include "tests/parser/hex.h"

#define GX "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
#define GY "483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8" /* even */
#define P "fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f"
#define ZERO "0000000000000000000000000000000000000000000000000000000000000000"
#define ONE "0000000000000000000000000000000000000000000000000000000000000001"
#define FIVE "0000000000000000000000000000000000000000000000000000000000000005"

static bool on_curve(const char *hex)
{
    uint8_t key[80];
    uint8_t *copy = malloc(from_hex(hex, key));
    memcpy(copy, key, strlen(hex) / 2);
    bool result = pubkey_on_curve(copy, strlen(hex) / 2);
    free(copy);
    return result;
}

static void test_points(void **state)
{
    (void)state;
    assert_true(on_curve("02" GX));
    assert_true(on_curve("03" GX)); /* -G */
    assert_true(on_curve("04" GX GY));
    assert_true(on_curve("06" GX GY));
    assert_false(on_curve("07" GX GY)); /* hybrid with the wrong parity */
    assert_true(on_curve("02" ONE));    /* 1 + 7 = 8 is a square: the curve has a point with x = 1 */
}

static void test_no_points(void **state)
{
    (void)state;
    assert_false(on_curve("02" FIVE)); /* 132 is no square */
    assert_false(on_curve("02" ZERO)); /* nor is 7 */
    assert_false(on_curve("02" P));    /* x not below p */
    assert_false(on_curve("04" GX GX));
    assert_false(on_curve("04" ZERO ZERO));
    assert_false(on_curve("00" GX));
    assert_false(on_curve("05" GX GY));
    assert_false(on_curve("04" GX));
    assert_false(on_curve("02" GX GY));
    assert_false(on_curve("02" GX "00"));
    assert_false(on_curve("02"));
}

static bool is_burn(const char *hex)
{
    uint8_t key[80];
    size_t size = from_hex(hex, key);
    return pubkey_is_burn(key, size);
}

#define FOUR(byte) byte byte byte byte
#define THIRTY_TWO(byte) FOUR(FOUR(byte)) FOUR(FOUR(byte))

static void test_burns(void **state)
{
    (void)state;
    assert_true(is_burn("02" THIRTY_TWO("02")));
    assert_true(is_burn("02" THIRTY_TWO("22")));
    assert_true(is_burn("03" THIRTY_TWO("03")));
    assert_true(is_burn("03" THIRTY_TWO("33")));
    assert_true(is_burn("02" THIRTY_TWO("ff")));
    assert_true(is_burn("04" THIRTY_TWO("00") THIRTY_TWO("00")));
    assert_false(is_burn("02" GX));
    assert_false(is_burn("04" GX GY));
    assert_false(is_burn("02" ONE));
    assert_false(is_burn("0201" THIRTY_TWO("02")));
    assert_false(is_burn("02" FOUR("02")));
    assert_false(is_burn("02"));
    assert_false(is_burn(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_points), cmocka_unit_test(test_no_points),
                                       cmocka_unit_test(test_burns)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
