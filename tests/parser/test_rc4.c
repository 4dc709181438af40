#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "parser/rc4.h"
#include "tests/parser/hex.h"

static void expect_keystream(const uint8_t *key, size_t size, size_t at, const char *expected)
{
    static uint8_t stream[4112];
    char text[33];
    struct rc4 rc4;
    memset(stream, 0, sizeof stream);
    rc4_begin(&rc4, key, size);
    rc4_apply(&rc4, stream, sizeof stream, stream);
    for (size_t i = 0; i < 16; i++)
        snprintf(text + 2 * i, 3, "%02x", stream[at + i]);
    assert_string_equal(text, expected);
}

/* RFC 6229: keys of 40 and 256 bits. */
static void test_rfc_6229(void **state)
{
    (void)state;
    uint8_t key[32];
    for (size_t i = 0; i < sizeof key; i++)
        key[i] = (uint8_t)(i + 1);
    expect_keystream(key, 5, 0, "b2396305f03dc027ccc3524a0a1118a8");
    expect_keystream(key, 5, 4096, "ff25b58995996707e51fbdf08b34d875");
    expect_keystream(key, 32, 0, "eaa6bd25880bf93d3f5d1e4ca2611d91");
    expect_keystream(key, 32, 16, "cfa45c9f7e714b54bdfa80027cb14380");
}

/* However the bytes are cut, and from wherever a copy goes on. */
static void test_pieces(void **state)
{
    (void)state;
    uint8_t whole[100] = {0}, pieces[100] = {0};
    struct rc4 rc4, copy;
    rc4_begin(&rc4, (const uint8_t *)"Key", 3);
    rc4_apply(&rc4, whole, sizeof whole, whole);
    for (size_t cut = 0; cut <= sizeof whole; cut++) {
        memset(pieces, 0, sizeof pieces);
        rc4_begin(&rc4, (const uint8_t *)"Key", 3);
        rc4_apply(&rc4, pieces, cut, pieces);
        copy = rc4;
        rc4_apply(&copy, pieces + cut, sizeof pieces - cut, pieces + cut);
        assert_memory_equal(pieces, whole, sizeof whole);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rfc_6229), cmocka_unit_test(test_pieces)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
