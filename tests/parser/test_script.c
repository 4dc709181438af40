/* Kinds are compared with a node's answers and with a second classifier, which reads a script into a list of operations
 * first; asm is compared with strings written by hand from Core's ScriptToAsmStr and GetOpName. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "parser/script.h"

#include "tests/parser/hex.h"
#include "tests/parser/script_vectors.h"
#include "tests/parser/second_kind.h"

#define VECTORS (sizeof vectors / sizeof *vectors)

/* From a copy of exactly `size` bytes, so that a sanitizer or valgrind sees any read beyond it. */
static void compare(const uint8_t *script, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);
    memcpy(copy, script, size);
    unsigned expected_unknown;
    enum kind expected = second_kind(copy, size, &expected_unknown);
    enum kind kind = script_kind(copy, size);
    unsigned unknown = script_unknown_rules(kind, copy, size);
    if (kind != expected || unknown != expected_unknown) {
        for (size_t i = 0; i < size; i++)
            print_error("%02x", copy[i]);
        fail_msg(": %s %u, expected %s %u", kind_name(kind), unknown, kind_name(expected), expected_unknown);
    }
    free(copy);
}

/* ---- kinds ---- */

static void test_names(void **state)
{
    (void)state;
    enum rules rules;
    assert_true(rules_parse("core-0.18", &rules) && rules == RULES_CORE_0_18);
    assert_true(rules_parse("core-0.19", &rules) && rules == RULES_CORE_0_19);
    assert_true(rules_parse("core-22", &rules) && rules == RULES_CORE_22);
    assert_false(rules_parse("core-2", &rules));
    assert_false(rules_parse("", &rules));
    for (unsigned r = 0; r < RULES; r++)
        assert_true(rules_parse(rules_name((enum rules)r), &rules) && rules == r);
    for (unsigned a = 0; a < KINDS; a++)
        for (unsigned b = 0; b < a; b++)
            assert_string_not_equal(kind_name((enum kind)a), kind_name((enum kind)b));
}

static void check_node_answer(const uint8_t *script, size_t size, const char *type, int has_address, const char *what)
{
    enum kind kind = script_kind(script, size);
    unsigned unknown = script_unknown_rules(kind, script, size);
    if (strcmp(kind_name(kind), type) != 0 || has_address != !(unknown >> RULES_CORE_22 & 1))
        fail_msg("%s: %s, unknown %u; the node says %s, address %d", what, kind_name(kind), unknown, type, has_address);
    /* what older releases call unknown, newer ones do too */
    assert_true(!(unknown & 1) || unknown == RULES_ALL);
    assert_true(!(unknown & 2) || unknown & 4);
}

static void test_vectors(void **state)
{
    (void)state;
    uint8_t script[SCRIPT_MAX];
    assert_true(VECTORS >= 60);
    for (size_t i = 0; i < VECTORS; i++) {
        size_t size = from_hex(vectors[i].hex, script);
        check_node_answer(script, size, vectors[i].type, vectors[i].has_address, vectors[i].name);
        compare(script, size);
    }
}

/* Every output of a chain that a node wrote: columns found by name, since the bundled table is a part of the full one,
 * without the scripts of outputs with an address. */
static void test_node_outputs(void **state)
{
    (void)state;
    static const char *const names[3] = {"script_hex", "type", "has_address"};
    FILE *file = fopen("../shared/fixtures/regtest-xor/truth/outputs.csv", "r");
    if (!file)
        file = fopen("tests/fixtures/regtest-xor/truth/outputs.csv", "r");
    if (!file) {
        print_message("no outputs.csv of a node here: skipped\n");
        skip();
    }
    static char line[2 * SCRIPT_MAX + 1000];
    static uint8_t script[SCRIPT_MAX];
    size_t column[3] = {99, 99, 99}, rows = 0, compared = 0;
    for (; fgets(line, sizeof line, file); rows++) {
        line[strcspn(line, "\r\n")] = '\0';
        char *at = line, *fields[32], *cell[3] = {NULL};
        size_t count = 0;
        while (count < 32 && (fields[count] = strsep(&at, ",")))
            count++;
        for (size_t f = 0; f < count; f++)
            for (size_t i = 0; i < 3; i++) {
                if (rows == 0 && strcmp(fields[f], names[i]) == 0)
                    column[i] = f;
                if (f == column[i])
                    cell[i] = fields[f];
            }
        assert_true(cell[0] && cell[1] && cell[2]);
        if (rows == 0)
            continue;
        if (!*cell[0] && strcmp(cell[2], "1") == 0)
            continue;
        compared++;
        assert_true(strlen(cell[0]) <= 2 * SCRIPT_MAX);
        size_t size = from_hex(cell[0], script);
        check_node_answer(script, size, cell[1], atoi(cell[2]), cell[0]);
        compare(script, size);
    }
    fclose(file);
    assert_true(compared > 1000);
}

static void test_all_short_scripts(void **state)
{
    (void)state;
    uint8_t s[3] = {0};
    compare(s, 0);
    for (unsigned v = 0; v < 1u << 24; v++) {
        s[0] = (uint8_t)v;
        s[1] = (uint8_t)(v >> 8);
        s[2] = (uint8_t)(v >> 16);
        unsigned expected_unknown;
        for (size_t size = v < 256 ? 1 : v < 65536 ? 2 : 3; size <= 3; size++) {
            enum kind kind = script_kind(s, size);
            if (kind != second_kind(s, size, &expected_unknown) ||
                script_unknown_rules(kind, s, size) != expected_unknown)
                compare(s, size); /* says what differs */
        }
    }
}

static void test_truncated(void **state)
{
    (void)state;
    uint8_t script[SCRIPT_MAX];
    for (size_t i = 0; i < VECTORS; i++)
        for (size_t size = from_hex(vectors[i].hex, script); size-- > 0;)
            compare(script, size);
}

static void test_changed_bytes(void **state)
{
    (void)state;
    uint8_t script[SCRIPT_MAX];
    uint64_t seed = 20260917;
    print_message("seed %llu\n", (unsigned long long)seed);
    for (size_t i = 0; i < VECTORS; i++) {
        size_t size = from_hex(vectors[i].hex, script);
        for (size_t at = 0; at < size; at++) {
            uint8_t saved = script[at];
            for (unsigned round = 0; round < 8; round++) {
                seed = seed * 6364136223846793005u + 1442695040888963407u;
                script[at] = (uint8_t)(seed >> 56);
                compare(script, size);
            }
            script[at] = saved;
        }
    }
}

/* Every way to write m and n around every number of keys. */
static void test_multisig_counts(void **state)
{
    (void)state;
    static uint8_t script[SCRIPT_MAX];
    unsigned accepted = 0;
    for (unsigned m_form = 0; m_form < 4; m_form++)
        for (unsigned n_form = 0; n_form < 4; n_form++)
            for (unsigned m = 0; m <= 21; m++)
                for (unsigned n = 0; n <= 21; n++)
                    for (unsigned keys = n ? n - 1 : 0; keys <= n + 1; keys++) {
                        size_t size = 0;
                        const unsigned form[2] = {m_form, n_form}, number[2] = {m, n};
                        for (unsigned side = 0; side < 2; side++) {
                            if (form[side] == 0)
                                script[size++] = (uint8_t)(0x50 + number[side]);
                            if (form[side] == 2)
                                script[size++] = 0x4c;
                            if (form[side] > 0)
                                script[size++] = form[side] == 3 ? 2 : 1;
                            if (form[side] > 0)
                                script[size++] = (uint8_t)number[side];
                            if (form[side] == 3)
                                script[size++] = 0;
                            for (unsigned k = 0; side == 0 && k < keys; k++) {
                                script[size++] = 33;
                                script[size++] = 2 + (k & 1);
                                memset(script + size, (int)k, 32);
                                size += 32;
                            }
                        }
                        script[size++] = 0xae;
                        compare(script, size);
                        accepted += script_kind(script, size) == KIND_MULTISIG;
                    }
    /* 1 <= m <= n <= 20, each number with one encoding only */
    assert_int_equal(accepted, 210);
}

/* ---- keys ---- */

static const char *const on_curve_key = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"; /* 1 G */

static void test_keys(void **state)
{
    (void)state;
    char hex[1000];
    uint8_t script[500];
    unsigned on_curve = 99;
    /* x = 5 is no x coordinate of the curve: 5^3 + 7 = 132 is no square modulo p */
    const char *fake = "020000000000000000000000000000000000000000000000000000000000000005";
    snprintf(hex, sizeof hex, "5121%s21%s52ae", on_curve_key, fake);
    size_t size = from_hex(hex, script);
    assert_int_equal(script_keys(script_kind(script, size), script, size, &on_curve), 2);
    assert_int_equal(on_curve, 1);
    snprintf(hex, sizeof hex, "21%sac", on_curve_key);
    size = from_hex(hex, script);
    assert_int_equal(script_keys(KIND_PUBKEY, script, size, &on_curve), 1);
    assert_int_equal(on_curve, 1);
    snprintf(hex, sizeof hex, "21%sac", fake);
    size = from_hex(hex, script);
    assert_int_equal(script_keys(KIND_PUBKEY, script, size, &on_curve), 1);
    assert_int_equal(on_curve, 0);
    size = from_hex("76a914000000000000000000000000000000000000000088ac", script);
    assert_int_equal(script_keys(KIND_PUBKEYHASH, script, size, &on_curve), 0);
    assert_int_equal(on_curve, 0);
}

/* ---- asm ---- */

static void check_asm(const char *hex, const char *expected)
{
    uint8_t script[1000];
    size_t size = from_hex(hex, script);
    char *out = malloc(script_asm_bound(size));
    size_t length = script_asm(script, size, out);
    assert_string_equal(out, expected);
    assert_int_equal(length, strlen(expected));
    free(out);
}

static void test_asm(void **state)
{
    (void)state;
    check_asm("", "");
    check_asm("00", "0");
    check_asm("4f50515260", "-1 OP_RESERVED 1 2 16");
    check_asm("0100"
              "0180"
              "0181"
              "01ff"
              "017f",
              "0 0 -1 -127 127");
    check_asm("02ff00"
              "020080"
              "02ff80"
              "03ffffff",
              "255 0 -255 -8388607");
    check_asm("04ffffff7f"
              "04ffffffff"
              "0400000080"
              "0401000000",
              "2147483647 -2147483647 0 1");
    check_asm("050102030405", "0102030405");
    check_asm("4c00"
              "4d0000"
              "4e00000000"
              "4c02e803",
              "0 0 0 1000");
    check_asm("4c050102030405", "0102030405");
}

static void test_asm_operations(void **state)
{
    (void)state;
    check_asm("76a914000102030405060708090a0b0c0d0e0f1011121388ac",
              "OP_DUP OP_HASH160 000102030405060708090a0b0c0d0e0f10111213 OP_EQUALVERIFY OP_CHECKSIG");
    check_asm("b0b1b2b3b9babbfeff",
              "OP_NOP1 OP_CHECKLOCKTIMEVERIFY OP_CHECKSEQUENCEVERIFY OP_NOP4 OP_NOP10 OP_CHECKSIGADD "
              "OP_UNKNOWN OP_UNKNOWN OP_INVALIDOPCODE");
    check_asm("6162636465666768696a",
              "OP_NOP OP_VER OP_IF OP_NOTIF OP_VERIF OP_VERNOTIF OP_ELSE OP_ENDIF OP_VERIFY OP_RETURN");
    check_asm("7b7d7e858687898a8b959fa5",
              "OP_ROT OP_TUCK OP_CAT OP_OR OP_XOR OP_EQUAL OP_RESERVED1 OP_RESERVED2 OP_1ADD OP_MUL "
              "OP_LESSTHAN OP_WITHIN");
    check_asm("a6a7a8a9aaabacadaeaf",
              "OP_RIPEMD160 OP_SHA1 OP_SHA256 OP_HASH160 OP_HASH256 OP_CODESEPARATOR OP_CHECKSIG "
              "OP_CHECKSIGVERIFY OP_CHECKMULTISIG OP_CHECKMULTISIGVERIFY");
    check_asm("05", "[error]");
    check_asm("4c", "[error]");
    check_asm("4d01", "[error]");
    check_asm("4effffffff", "[error]");
    check_asm("6a0501", "OP_RETURN [error]");
}

/* The bound holds for all opcodes and truncations; the copy of exact size lets a sanitizer see a write beyond it. */
static void test_asm_bound(void **state)
{
    (void)state;
    uint8_t script[SCRIPT_MAX];
    for (unsigned code = 0; code < 256; code++) {
        memset(script, (int)code, 50);
        for (size_t size = 0; size <= 50; size++) {
            char *out = malloc(script_asm_bound(size));
            size_t length = script_asm(script, size, out);
            assert_int_equal(strlen(out), length);
            assert_true(length < script_asm_bound(size));
            free(out);
        }
    }
    for (size_t i = 0; i < VECTORS; i++)
        for (size_t size = from_hex(vectors[i].hex, script) + 1; size-- > 0;) {
            char *out = malloc(script_asm_bound(size));
            assert_true(script_asm(script, size, out) < script_asm_bound(size));
            free(out);
        }
}

/* Of all scripts of one operation without data, and some with: one template, one hash. */
static void test_template_hash(void **state)
{
    (void)state;
    static const uint64_t key[2] = {1, 2};
    uint8_t scripts[256][2] = {0};
    size_t sizes[256];
    for (unsigned code = 0; code < 256; code++) {
        scripts[code][0] = (uint8_t)code;
        sizes[code] = code == 1 ? 2 : 1; /* one byte of data; any other push is truncated */
    }
    for (unsigned a = 0; a < 256; a++) {
        for (unsigned b = 0; b < 256; b++) {
            char one[SCRIPT_TEMPLATE_MAX], other[SCRIPT_TEMPLATE_MAX];
            script_template(scripts[a], sizes[a], one);
            script_template(scripts[b], sizes[b], other);
            assert_int_equal(script_template_hash(scripts[a], sizes[a], key) ==
                                 script_template_hash(scripts[b], sizes[b], key),
                             strcmp(one, other) == 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_node_outputs),
        cmocka_unit_test(test_all_short_scripts),
        cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_changed_bytes),
        cmocka_unit_test(test_multisig_counts),
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_asm),
        cmocka_unit_test(test_asm_operations),
        cmocka_unit_test(test_asm_bound),
        cmocka_unit_test(test_template_hash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
