/* Templates are compared with strings written by hand, and with the asm of the same script. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "parser/script.h"

#include "tests/parser/hex.h"
#include "tests/parser/script_vectors.h"

#define VECTORS (sizeof vectors / sizeof *vectors)
#define SCRIPT_MAX 40000u

static const uint64_t key[2] = {0x0123456789abcdef, 0xfedcba9876543210};

static void check(const char *hex, const char *expected)
{
    uint8_t script[SCRIPT_MAX];
    char out[SCRIPT_TEMPLATE_MAX];
    size_t length = script_template(script, from_hex(hex, script), out);
    assert_string_equal(out, expected);
    assert_int_equal(length, strlen(expected));
}

static void by_hand(void **state)
{
    (void)state;
    check("", "");
    check("00", "0");
    check("0100", "<1>");
    check("4f50515260", "-1 OP_RESERVED 1 2 16");
    check("4c00"
          "4d0000"
          "4e00000000"
          "4c02e803",
          "<0> <0> <0> <2>");
    check("76a914000102030405060708090a0b0c0d0e0f1011121388ac", "OP_DUP OP_HASH160 <20> OP_EQUALVERIFY OP_CHECKSIG");
    check("76a90088ac", "OP_DUP OP_HASH160 0 OP_EQUALVERIFY OP_CHECKSIG");
    check("736372697074", "OP_IFDUP OP_IF OP_2SWAP OP_VERIFY OP_2OVER OP_DEPTH");
    check("05", "[error]");
    check("6a4cff616263", "OP_RETURN [error]");
    check("4effffffff", "[error]");
}

/* Where there is no push of data the two are the same; where there is, they have as many words. */
static void beside_asm(void **state)
{
    (void)state;
    static uint8_t script[SCRIPT_MAX];
    for (size_t i = 0; i < VECTORS; i++) {
        char out[SCRIPT_TEMPLATE_MAX];
        size_t size = from_hex(vectors[i].hex, script), words[2] = {0};
        char *as = malloc(script_asm_bound(size));
        script_asm(script, size, as);
        script_template(script, size, out);
        if (strchr(out, '#')) {
            free(as);
            continue;
        }
        for (const char *p = as; *p; p++)
            words[0] += *p == ' ';
        for (const char *p = out; *p; p++)
            words[1] += *p == ' ';
        assert_int_equal(words[0], words[1]);
        if (!strchr(out, '<'))
            assert_string_equal(out, as);
        free(as);
    }
}

/* Equal templates have equal hashes, and of so few others none should. */
static void hashes(void **state)
{
    (void)state;
    static char texts[VECTORS][SCRIPT_TEMPLATE_MAX];
    static uint8_t script[SCRIPT_MAX];
    uint64_t hash[VECTORS];
    for (size_t i = 0; i < VECTORS; i++) {
        size_t size = from_hex(vectors[i].hex, script);
        script_template(script, size, texts[i]);
        hash[i] = script_template_hash(script, size, key);
        for (size_t k = 0; k < i; k++)
            assert_int_equal(hash[i] == hash[k], strcmp(texts[i], texts[k]) == 0);
    }
    /* also with a key that is all zeros */
    static const uint8_t a[] = {0xa9, 0x01, 0x05, 0x87}, b[] = {0xa8, 0x01, 0x05, 0x87}, c[] = {0xa9, 0x01, 0x06, 0x87};
    static const uint64_t none[2];
    assert_true(script_template_hash(a, 4, none) != script_template_hash(b, 4, none));
    assert_true(script_template_hash(a, 4, none) == script_template_hash(c, 4, none));
    assert_true(script_template_hash(a, 3, none) != script_template_hash(a, 4, none));
}

static void long_ones(void **state)
{
    (void)state;
    static uint8_t script[SCRIPT_MAX];
    char one[SCRIPT_TEMPLATE_MAX], two[SCRIPT_TEMPLATE_MAX];
    memset(script, 0xaf, sizeof script); /* OP_CHECKMULTISIGVERIFY, the longest name */
    for (size_t size = 0; size < 40; size++)
        assert_true(script_template(script, size, one) < SCRIPT_TEMPLATE_MAX);
    size_t length = script_template(script, sizeof script, one);
    assert_int_equal(length, strlen(one));
    assert_non_null(strstr(one, " more #"));
    assert_memory_equal(one, "OP_CHECKMULTISIGVERIFY OP_CHECKMULTISIGVERIFY ", 46);
    /* how many are left out is the total without the words in front */
    size_t shown = (size_t)(strstr(one, " ...") - one + 1) / 23;
    assert_int_equal(strtoul(strstr(one, "... ") + 4, NULL, 10) + shown, sizeof script);
    script[sizeof script - 1] = 0xac;
    script_template(script, sizeof script, two);
    assert_string_not_equal(one, two);
    assert_true(script_template_hash(script, sizeof script, key) !=
                script_template_hash(script, sizeof script - 1, key));
    script[sizeof script - 1] = 0x4e;
    script_template(script, sizeof script, two);
    assert_string_equal(two + strlen(two) - 8, " [error]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_hand),
        cmocka_unit_test(beside_asm),
        cmocka_unit_test(hashes),
        cmocka_unit_test(long_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
