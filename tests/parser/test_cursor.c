#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "parser/cursor.h"

static void test_take(void **state)
{
    (void)state;
    const uint8_t data[15] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    struct cursor c = cursor_over(data, sizeof data);
    assert_int_equal(cursor_u8(&c), 1);
    assert_int_equal(cursor_u32(&c), 0x05040302);
    assert_true(cursor_u64(&c) == 0x0d0c0b0a09080706);
    assert_int_equal(cursor_left(&c), 2);
    assert_ptr_equal(cursor_take(&c, 0), data + 13);
    assert_ptr_equal(cursor_take(&c, 2), data + 13);
    assert_ptr_equal(cursor_take(&c, 0), data + 15);
    assert_true(cursor_ok(&c));
    assert_null(cursor_take(&c, 1));
    assert_false(cursor_ok(&c));
}

/* Once failed, nothing brings it back, and pulls give zero. */
static void test_sticky(void **state)
{
    (void)state;
    const uint8_t data[4] = {1, 1, 1, 1};
    const size_t too_long[] = {5, 1000, SIZE_MAX / 2, SIZE_MAX};
    for (size_t i = 0; i < 4; i++) {
        struct cursor c = cursor_over(data, sizeof data);
        assert_null(cursor_take(&c, too_long[i]));
        assert_int_equal(cursor_left(&c), 0);
        assert_int_equal(cursor_u8(&c), 0);
        assert_int_equal(cursor_u32(&c), 0);
        assert_true(cursor_u64(&c) == 0);
        assert_true(cursor_compact(&c) == 0);
        assert_null(cursor_take(&c, 0));
        assert_false(cursor_ok(&c));
    }
    struct cursor c = cursor_over(data, 3);
    assert_int_equal(cursor_u32(&c), 0);
    assert_false(cursor_ok(&c));
}

/* Writes a CompactSize in the form of `width` bytes after the marker (0: none). */
static size_t encode(uint64_t value, size_t width, uint8_t *out)
{
    if (width == 0) {
        out[0] = (uint8_t)value;
        return 1;
    }
    out[0] = width == 2 ? 0xfd : width == 4 ? 0xfe : 0xff;
    for (size_t i = 0; i < width; i++)
        out[1 + i] = (uint8_t)(value >> 8 * i);
    return 1 + width;
}

static void test_compact(void **state)
{
    (void)state;
    static const uint64_t values[] = {0,          1,          0xfc,        0xfd,        0xfe,
                                      0xff,       0x100,      0xfffe,      0xffff,      0x10000,
                                      0x10001,    0x1ffffff,  0x2000000,   0x2000001,   0x7fffffff,
                                      0x80000000, 0xffffffff, 0x100000000, 0x100000001, 0x100000000ull + 0xfd,
                                      UINT64_MAX};
    static const size_t widths[] = {0, 2, 4, 8};
    for (size_t v = 0; v < sizeof values / sizeof *values; v++)
        for (size_t w = 0; w < 4; w++) {
            if (widths[w] < 8 && values[v] >> (widths[w] ? 8 * widths[w] : 8))
                continue; /* does not fit in the form */
            if (widths[w] == 0 && values[v] > 0xfc)
                continue;
            uint8_t bytes[9];
            size_t size = encode(values[v], widths[w], bytes);
            size_t shortest = values[v] < 0xfd ? 0 : values[v] <= 0xffff ? 2 : values[v] <= 0xffffffff ? 4 : 8;
            bool valid = widths[w] == shortest && values[v] <= 0x2000000;
            for (size_t cut = 0; cut <= size; cut++) {
                uint8_t *copy = malloc(cut ? cut : 1);
                memcpy(copy, bytes, cut);
                struct cursor c = cursor_over(copy, cut);
                uint64_t value = cursor_compact(&c);
                bool ok = valid && cut == size;
                assert_int_equal(cursor_ok(&c), ok);
                assert_true(value == (ok ? values[v] : 0));
                assert_int_equal(cursor_left(&c), 0);
                free(copy);
            }
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_take), cmocka_unit_test(test_sticky),
                                       cmocka_unit_test(test_compact)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
