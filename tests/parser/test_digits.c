/* digits: what is a number, and what are bytes in hexadecimal, against printf and by hand. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "parser/digits.h"

static void test_number(void **state)
{
    (void)state;
    static const char *const wrong[] = {"", "-1", "+1", " 1", "1 ", "0x1", "1.0", "1234", "a"};
    uint64_t number = 7;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_false(digits_number(wrong[i], 3, &number));
    assert_int_equal(number, 7);
    assert_true(digits_number("0", 3, &number) && number == 0);
    assert_true(digits_number("007", 3, &number) && number == 7);
    assert_true(digits_number("999", 3, &number) && number == 999);
    assert_true(digits_number("9999999999999999999", 19, &number) && number == UINT64_C(9999999999999999999));
    assert_false(digits_number("99999999999999999999", 19, &number));
}

static void test_bytes(void **state)
{
    (void)state;
    for (unsigned c = 1; c < 256; c++) {
        char text[3] = {(char)c, '0', '\0'};
        unsigned expected = 0;
        uint8_t byte = 1;
        bool is_hex = strchr("0123456789abcdefABCDEF", (int)c) != NULL;
        assert_int_equal(digits_bytes(text, 1, &byte), is_hex);
        assert_int_equal(digits_are_hex(text, 2), is_hex);
        if (is_hex)
            assert_true(sscanf(text, "%2x", &expected) == 1 && byte == expected);
    }
    uint8_t bytes[3] = {0};
    assert_true(digits_bytes("00fFA9 and more", 3, bytes));
    assert_memory_equal(bytes, "\x00\xff\xa9", 3);
    assert_false(digits_bytes("00f", 2, bytes)); /* the terminator is no digit */
    assert_false(digits_are_hex("", 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_number), cmocka_unit_test(test_bytes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
