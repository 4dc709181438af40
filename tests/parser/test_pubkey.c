/* Points: the generator (SEC 2) and what follows from the curve's equation y^2 = x^3 + 7 over p = 2^256 - 2^32 - 977.
 * */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <secp256k1.h>
#include <stdio.h>
#include <time.h>

#include "parser/pubkey.h"
#include "parser/sha256.h"
#include "tests/parser/hex.h"
#include "tests/support/plan.h"

#define COMPRESSED 33u
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

/* The uncompressed form, or "" where there is none. */
static const char *uncompressed(const char *hex)
{
    static char out[2 * PUBKEY_UNCOMPRESSED_SIZE + 1];
    uint8_t key[65], whole[PUBKEY_UNCOMPRESSED_SIZE] = {0};
    bool is_point = pubkey_uncompressed(key, from_hex(hex, key), whole);
    for (size_t i = 0; i < sizeof whole; i++)
        snprintf(out + 2 * i, 3, "%02x", whole[i]);
    return is_point ? out : "";
}

#define MINUS_GY "b7c52588d95c3b9aa25b0403f1eef75702e84bb7597aabe663b82f6f04ef2777" /* p - GY */

static void test_uncompressed(void **state)
{
    (void)state;
    assert_string_equal(uncompressed("02" GX), "04" GX GY);
    assert_string_equal(uncompressed("03" GX), "04" GX MINUS_GY);
    assert_string_equal(uncompressed("04" GX GY), "04" GX GY);
    assert_string_equal(uncompressed("06" GX GY), "04" GX GY);
    assert_string_equal(uncompressed("07" GX GY), "");
    assert_string_equal(uncompressed("02" FIVE), "");
}

/* libsecp256k1 itself. */
static bool library_parses(const uint8_t *key)
{
    secp256k1_pubkey point;
    return secp256k1_ec_pubkey_parse(secp256k1_context_static, &point, key, COMPRESSED) == 1;
}

/* Keys whose last bytes are alike share a place among those that are remembered. */
static void test_library(void **state)
{
    enum { KEYS = 20000 };
    uint8_t(*keys)[COMPRESSED] = calloc(KEYS, sizeof *keys);
    struct rng rng = {(uint64_t)time(NULL)};
    unsigned points = 0;
    (void)state;
    printf("seed %llu\n", (unsigned long long)rng.state);
    for (unsigned i = 0; i < KEYS; i++) {
        keys[i][0] = (uint8_t)(2 + rng_below(&rng, 2));
        for (unsigned j = 1; j < COMPRESSED; j++)
            keys[i][j] = (uint8_t)rng_below(&rng, 256);
    }
    for (unsigned i = 0; i < 3 * KEYS; i++) {
        const uint8_t *key = keys[i < KEYS ? i : rng_below(&rng, KEYS)];
        bool expected = library_parses(key);
        points += expected;
        assert_int_equal(pubkey_on_curve(key, COMPRESSED), expected);
    }
    assert_in_range(points, KEYS, 2 * KEYS); /* each x has one with a chance of a half */
    free(keys);
}

/* Every x that is near 0, near p, or near 2^256 and so no number below p. */
static void test_library_at_the_ends(void **state)
{
    uint8_t key[COMPRESSED], p[80];
    unsigned points = 0;
    (void)state;
    from_hex(P, p);
    for (int i = -3000; i < 3000; i++) {
        for (unsigned place = 0; place < 3; place++) {
            int64_t sum = i; /* of 0 (below it: of 2^256), of p, of 2^32 times a number, byte by byte */
            for (unsigned j = 32; j > 0; j--) {
                sum += place == 1 ? p[j - 1] : place == 2 && j == 28 ? 0x5a : 0;
                key[j] = (uint8_t)sum;
                sum >>= 8;
            }
            for (key[0] = 1; key[0] <= 4; key[0]++) {
                assert_int_equal(pubkey_on_curve(key, COMPRESSED), library_parses(key));
                points += library_parses(key);
            }
        }
    }
    assert_in_range(points, 11000, 13000); /* of 12,000 numbers below p, with both parities */
}

/* BIP 341 by the library's function for any key: that of the even y, and hash_TapTweak(x) times the generator added. */
static bool tweaked(const uint8_t key[COMPRESSED], uint8_t x[PUBKEY_X_SIZE])
{
    const secp256k1_context *context = secp256k1_context_static;
    secp256k1_pubkey point;
    struct sha256_stream stream;
    uint8_t bytes[COMPRESSED], tweak[32];
    size_t size = sizeof bytes;
    memcpy(bytes, key, COMPRESSED);
    bytes[0] = 2;
    if (!library_parses(key) || secp256k1_ec_pubkey_parse(context, &point, bytes, COMPRESSED) != 1)
        return false;
    sha256_begin_tagged(&stream, "TapTweak");
    sha256_add(&stream, key + 1, COMPRESSED - 1);
    sha256_end(&stream, tweak);
    assert_int_equal(secp256k1_ec_pubkey_tweak_add(context, &point, tweak), 1);
    secp256k1_ec_pubkey_serialize(context, bytes, &size, &point, SECP256K1_EC_COMPRESSED);
    memcpy(x, bytes + 1, PUBKEY_X_SIZE);
    return true;
}

/* Keys are asked for again, beside others whose last byte is the same. */
static void test_taproot(void **state)
{
    enum { KEYS = 1000 };
    static uint8_t keys[KEYS][COMPRESSED], wanted[KEYS][PUBKEY_X_SIZE];
    static bool points[KEYS];
    struct rng rng = {(uint64_t)time(NULL)};
    unsigned found = 0;
    (void)state;
    if (!pubkey_has_taproot())
        skip();
    printf("seed %llu\n", (unsigned long long)rng.state);
    for (unsigned i = 0; i < KEYS; i++) {
        for (unsigned j = 1; i > 0 && j < COMPRESSED; j++)
            keys[i][j] = (uint8_t)rng_below(&rng, j == COMPRESSED - 1 ? 8 : 256);
        keys[i][0] = i > 0 ? (uint8_t)(2 + rng_below(&rng, 2)) : 0; /* the first is zeros */
        points[i] = tweaked(keys[i], wanted[i]);
    }
    for (unsigned i = 0; i < 10 * KEYS; i++) {
        unsigned k = i < KEYS ? i : i % 3 > 0 ? rng_below(&rng, KEYS) : rng_below(&rng, 10);
        uint8_t x[PUBKEY_X_SIZE];
        assert_int_equal(pubkey_taproot(keys[k], COMPRESSED, x), points[k]);
        if (points[k])
            assert_memory_equal(x, wanted[k], sizeof x);
        found += points[k];
    }
    assert_in_range(found, KEYS, 9 * KEYS);
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
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_points),  cmocka_unit_test(test_uncompressed),        cmocka_unit_test(test_no_points),
        cmocka_unit_test(test_library), cmocka_unit_test(test_library_at_the_ends), cmocka_unit_test(test_taproot),
        cmocka_unit_test(test_burns)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
