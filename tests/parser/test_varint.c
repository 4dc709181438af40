#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "parser/varint.h"

/* The examples of the DWARF standard (version 5, section 7.6), and the ends of each length. */
static const struct {
    uint64_t value;
    const char *bytes;
    size_t size;
} known[] = {
    {0, "\x00", 1},
    {2, "\x02", 1},
    {127, "\x7f", 1},
    {128, "\x80\x01", 2},
    {129, "\x81\x01", 2},
    {12857, "\xb9\x64", 2},
    {16383, "\xff\x7f", 2},
    {16384, "\x80\x80\x01", 3},
    {624485, "\xe5\x8e\x26", 3},
    {UINT64_MAX >> 1, "\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 9},
    {UINT64_MAX, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10},
};

static void test_known(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        uint8_t bytes[VARINT_SIZE_MAX];
        uint64_t value = 0;
        const uint8_t *from = (const uint8_t *)known[i].bytes;
        assert_int_equal(varint_put(bytes, known[i].value) - bytes, known[i].size);
        assert_memory_equal(bytes, known[i].bytes, known[i].size);
        assert_int_equal(varint_size(known[i].value), known[i].size);
        assert_ptr_equal(varint_get(from, from + known[i].size, &value), from + known[i].size);
        assert_int_equal(value, known[i].value);
        for (size_t size = 0; size < known[i].size; size++)
            assert_null(varint_get(from, from + size, &value));
    }
}

static void test_malformed(void **state)
{
    (void)state;
    static const char *const bytes[] = {
        "\x80\x00",                                     /* 0 in two bytes */
        "\xff\x80\x00",                                 /* 127 in three */
        "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02",     /* 65 bits */
        "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x80\x01", /* eleven bytes */
    };
    static const size_t sizes[] = {2, 3, 10, 11};
    uint64_t value;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        assert_null(varint_get((const uint8_t *)bytes[i], (const uint8_t *)bytes[i] + sizes[i], &value));
}

/* The least and the most that so many bytes hold, and the least in one more than it needs, with bytes after them. */
static void test_among_others(void **state)
{
    (void)state;
    static const uint8_t after[] = {0x00, 0x7f, 0x80, 0xff};
    for (size_t size = 2; size < VARINT_SIZE_MAX; size++)
        for (size_t i = 0; i < sizeof after; i++) {
            uint8_t bytes[2 * VARINT_SIZE_MAX];
            uint64_t value = 0;
            memset(bytes, after[i], sizeof bytes);
            memset(bytes, 0x80, size - 1);
            bytes[size - 1] = 0x01;
            assert_ptr_equal(varint_get(bytes, bytes + sizeof bytes, &value), bytes + size);
            assert_int_equal(value, UINT64_C(1) << (7 * (size - 1)));
            memset(bytes, 0xff, size - 1);
            bytes[size - 1] = 0x7f;
            assert_ptr_equal(varint_get(bytes, bytes + sizeof bytes, &value), bytes + size);
            assert_int_equal(value, (UINT64_C(1) << (7 * size)) - 1);
            bytes[size - 1] = 0x00;
            assert_null(varint_get(bytes, bytes + sizeof bytes, &value));
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_known), cmocka_unit_test(test_malformed),
                                       cmocka_unit_test(test_among_others)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
