#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "parser/hash256.h"

static const char *const genesis = "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f";

static void test_order(void **state)
{
    (void)state;
    struct hash256 hash;
    assert_true(hash256_parse(genesis, &hash));
    assert_int_equal(hash.bytes[0], 0x6f);
    assert_int_equal(hash.bytes[26], 0x19);
    assert_int_equal(hash.bytes[31], 0);
    char text[HASH256_HEX_SIZE + 2] = {0};
    text[HASH256_HEX_SIZE] = '!';
    assert_ptr_equal(hash256_hex(&hash, text), text + HASH256_HEX_SIZE);
    assert_memory_equal(text, genesis, HASH256_HEX_SIZE);
    assert_int_equal(text[HASH256_HEX_SIZE], '!');
    struct hash256 upper, other = hash;
    assert_true(hash256_parse("000000000019D6689C085AE165831E934FF763AE46A2A6C172B3F1B60A8CE26F", &upper));
    assert_true(hash256_equal(&hash, &upper));
    other.bytes[31] ^= 1;
    assert_false(hash256_equal(&hash, &other));
}

/* Every shorter text, one longer, and every character that is no digit at every place. */
static void test_refused(void **state)
{
    (void)state;
    struct hash256 hash, untouched;
    memset(&hash, 0xaa, sizeof hash);
    untouched = hash;
    char text[HASH256_HEX_SIZE + 2];
    for (size_t length = 0; length < HASH256_HEX_SIZE; length++) {
        char *copy = test_malloc(length + 1); /* of exact size, so that a read beyond it is seen */
        memcpy(copy, genesis, length);
        copy[length] = '\0';
        assert_false(hash256_parse(copy, &hash));
        test_free(copy);
    }
    memcpy(text, genesis, HASH256_HEX_SIZE);
    strcpy(text + HASH256_HEX_SIZE, "0");
    assert_false(hash256_parse(text, &hash));
    for (size_t at = 0; at < HASH256_HEX_SIZE; at++)
        for (int c = 1; c < 256; c++) {
            strcpy(text, genesis);
            text[at] = (char)c;
            bool digit = strchr("0123456789abcdefABCDEF", c) != NULL;
            struct hash256 scratch;
            assert_int_equal(hash256_parse(text, &scratch), digit);
        }
    assert_true(hash256_equal(&hash, &untouched));
}

/* Every byte at every place of the text, as printf has it. */
static void test_digits(void **state)
{
    (void)state;
    struct hash256 hash;
    char text[HASH256_HEX_SIZE + 1] = {0}, expected[HASH256_HEX_SIZE + 1], digits[17] = {0};
    for (unsigned first = 0; first < 256; first++) {
        for (unsigned i = 0; i < HASH256_SIZE; i++) {
            hash.bytes[HASH256_SIZE - 1 - i] = (uint8_t)(first + i * 7);
            snprintf(expected + (size_t)2 * i, 3, "%02x", (first + i * 7) & 0xff);
        }
        hash256_hex(&hash, text);
        assert_string_equal(text, expected);
        uint64_t number = strtoull("0123456789abcdef" + first % 16, NULL, 16) * (first + 1);
        snprintf(expected, sizeof expected, "%016llx", (unsigned long long)number);
        assert_ptr_equal(hash256_digits(number, digits), digits + 16);
        assert_string_equal(digits, expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_order), cmocka_unit_test(test_refused),
                                       cmocka_unit_test(test_digits)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
