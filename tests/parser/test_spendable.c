/* Whether outputs can be spent: by hand after Core's EvalScript, and for the outputs of the protocols. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "parser/spendable.h"
#include "tests/parser/hex.h"
#include "tests/parser/protocol_vectors.h"

#define G "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"   /* the generator */
#define ONE "020000000000000000000000000000000000000000000000000000000000000001" /* 8 is a square */
#define OFF "020000000000000000000000000000000000000000000000000000000000000005" /* 132 is none */
#define BURN "033333333333333333333333333333333333333333333333333333333333333333"
#define HASH "000102030405060708090a0b0c0d0e0f10111213"

static enum spendable_reason judge_as(const char *hex, enum protocol protocol, bool spent)
{
    static uint8_t script[12000];
    size_t size = from_hex(hex, script);
    uint8_t *copy = malloc(size);
    memcpy(copy, script, size);
    enum spendable_reason reason = spendable_judge(script_kind(copy, size), copy, size, protocol, spent);
    free(copy);
    return reason;
}

static void expect(const char *hex, const char *spendable, const char *reason)
{
    enum spendable_reason found = judge_as(hex, PROTOCOL_NONE, false);
    assert_string_equal(spendable_reason_name(found), reason);
    assert_string_equal(spendable_name(spendable_of(found)), spendable);
}

static void test_keys(void **state)
{
    (void)state;
    expect("21" G "ac", "yes", "enough-keys");
    expect("21" OFF "ac", "no", "keys-off-curve");
    expect("21" BURN "ac", "no", "burnt-keys");
    expect("5121" G "21" OFF "52ae", "yes", "enough-keys");
    expect("5221" G "21" OFF "52ae", "no", "keys-off-curve");
    expect("5221" G "21" BURN "52ae", "no", "burnt-keys");
    expect("5221" G "21" ONE "21" BURN "53ae", "yes", "enough-keys");
    expect("5221" G "21" OFF "21" BURN "53ae", "no", "keys-off-curve");
    expect("5121" OFF "21" OFF "21" BURN "53ae", "no", "keys-off-curve");
    expect("5121" BURN "21" BURN "52ae", "no", "burnt-keys");
    expect("5221" G "04deadbeef52ae", "no", "keys-off-curve"); /* what is no key by its size is off the curve too */
    expect("5121" G "04deadbeef52ae", "yes", "enough-keys");
}

static void expect_protocol(const char *hex, enum protocol protocol, const char *reason)
{
    assert_string_equal(spendable_reason_name(judge_as(hex, protocol, false)), reason);
}

/* The keys that a protocol writes data into have no owner, even where they are points of the curve. */
static void test_protocols(void **state)
{
    (void)state;
    expect_protocol(SRC20_EB96A65E_SCRIPT_1, PROTOCOL_STAMPS, "burnt-keys");
    expect_protocol("5121" G "21" ONE "21" BURN "53ae", PROTOCOL_STAMPS, "burnt-keys");
    expect_protocol("5121" G "21" ONE "21" BURN "53ae", PROTOCOL_NONE, "enough-keys");
    expect_protocol("5121" OFF "21" OFF "21" G "53ae", PROTOCOL_COUNTERPARTY, "enough-keys");
    expect_protocol("5121" G "21" G "21" OFF "53ae", PROTOCOL_COUNTERPARTY, "keys-off-curve");
    expect_protocol("5221" G "21" G "21" G "53ae", PROTOCOL_COUNTERPARTY, "data-keys");
    expect_protocol("5121" G "211c434e545250525459000000000000000006ca029900000000000001f50000000052ae",
                    PROTOCOL_COUNTERPARTY, "enough-keys");
    expect_protocol("5121" G "21" OFF "52ae", PROTOCOL_OMNI, "enough-keys");
    expect_protocol("5121" OFF "21" G "52ae", PROTOCOL_OMNI, "keys-off-curve");
    expect_protocol("5121" G "21" OFF "52ae", PROTOCOL_CHANCECOIN, "enough-keys");
    assert_int_equal(judge_as(SRC20_EB96A65E_SCRIPT_1, PROTOCOL_STAMPS, true), REASON_SPENT);
    assert_int_equal(spendable_of(REASON_SPENT), SPENDABLE_YES);
}

static void test_scripts(void **state)
{
    (void)state;
    expect("", "yes", "anyone-can-spend");
    expect("51", "yes", "anyone-can-spend");
    expect("6a01aa", "no", "op-return");
    expect("76a914" HASH "88ac61", "unknown", "undecided");
    expect("a820" HASH "00000000000000000000000087", "unknown", "undecided");
    /* a push that runs over the end: RSKBLOCK, 105 of the OP_RETURN ERROR kind */
    expect("52534b424c4f434b3a" HASH HASH, "no", "always-fails");
    expect("6a4c", "no", "always-fails");
    expect("a3534c", "no", "always-fails");
    /* Mt. Gox: a hash that is nothing; a hash lock of another size; data that differ */
    expect("76a90088ac", "no", "always-fails");
    expect("a804deadbeef87", "no", "always-fails");
    expect("515288", "no", "always-fails");
    expect("515188", "yes", "anyone-can-spend");
    /* false at the end, or verified */
    expect("00", "no", "always-fails");
    expect("0180", "no", "always-fails");
    expect("0100", "no", "always-fails");
    expect("0069", "no", "always-fails");
    /* OP_RETURN, reserved, disabled, unbalanced */
    expect("516a", "no", "always-fails");
    expect("6a61", "no", "always-fails");
    expect("5162", "no", "always-fails");
    expect("51ba", "no", "always-fails");
    expect("5163686a51", "no", "always-fails");
    expect("7e", "no", "always-fails");
    expect("63516768", "yes", "anyone-can-spend");
    expect("636a6768", "yes", "anyone-can-spend"); /* by the way around it */
    expect("637e6768", "no", "always-fails");
    expect("736372697074", "no", "always-fails"); /* P2Pool's "script": an OP_IF without its end */
    expect("67", "no", "always-fails");
    /* signatures under what is no point of the curve */
    expect("21" OFF "ad51", "no", "always-fails");
    expect("21" OFF "ac61", "no", "always-fails");
    expect("21" OFF "ac91", "yes", "anyone-can-spend"); /* with an empty signature */
    expect("21" G "ad51", "unknown", "undecided");
    /* witness version 0 of another size; too many keys */
    expect("0003010203", "no", "always-fails");
    expect("510115ae", "no", "always-fails");
}

static void test_counts(void **state)
{
    (void)state;
    /* more signatures than keys, counts below 0 or of more than 4 bytes; and what may be */
    expect("5321" G "21" G "52ae", "no", "always-fails");
    expect("4f21" G "51ae", "no", "always-fails");
    expect("018121" G "51ae", "no", "always-fails");
    expect("5321" G "21" G "52af51", "no", "always-fails");
    expect("51004fae", "no", "always-fails");
    expect("050100000000"
           "21" G "51ae",
           "no", "always-fails");
    expect("5100ae91", "no", "always-fails");
    expect("5121" G "050100000000ae", "no", "always-fails");
    expect("02010021" G "51ae", "unknown", "undecided"); /* 1 of 1, with a byte too many */
    expect("5221" G "ac52ae", "unknown", "undecided");
    expect("21" G "51ae", "yes", "anyone-can-spend");       /* of no key: the spender says how many */
    expect("6321" G "685352ae", "yes", "anyone-can-spend"); /* 53 is the second key */
}

static void test_limits(void **state)
{
    (void)state;
    static char hex[24000];
    const struct {
        const char *head;
        const char *operation;
        unsigned times;
        const char *reason;
    } cases[] = {
        {"51", "61", 201, "anyone-can-spend"},     {"51", "61", 202, "always-fails"},
        {"4d0802", "01", 520, "anyone-can-spend"}, {"4d0902", "01", 521, "always-fails"},
        {"", "51", 1000, "anyone-can-spend"},      {"", "51", 10001, "always-fails"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *at = hex + sprintf(hex, "%s", cases[i].head);
        for (unsigned n = 0; n < cases[i].times; n++)
            at += sprintf(at, "%s", cases[i].operation);
        assert_string_equal(spendable_reason_name(judge_as(hex, PROTOCOL_NONE, false)), cases[i].reason);
    }
}

/* No script is both what anyone can spend and what always fails: all of up to two bytes, and three of the bytes that
 * matter. */
static void test_both(void **state)
{
    (void)state;
    static const uint8_t codes[] = {0x00, 0x01, 0x4f, 0x51, 0x53, 0x61, 0x63, 0x67, 0x68, 0x69, 0x6a, 0x75,
                                    0x76, 0x7c, 0x87, 0x88, 0x91, 0x93, 0xa9, 0xac, 0xae, 0xaf, 0xb1, 0xff};
    unsigned any = 0, fails = 0;
    for (unsigned n = 0; n < 65536; n++) {
        const uint8_t script[2] = {(uint8_t)n, (uint8_t)(n >> 8)};
        for (size_t size = 1; size <= 2; size++) {
            bool anyone = script_anyone_can_spend(script, size), never = script_always_fails(script, size);
            assert_false(anyone && never);
            any += anyone;
            fails += never;
        }
    }
    for (size_t n = 0; n < sizeof codes * sizeof codes * sizeof codes * sizeof codes; n++) {
        const uint8_t script[4] = {codes[n % 24], codes[n / 24 % 24], codes[n / 576 % 24], codes[n / 13824]};
        bool anyone = script_anyone_can_spend(script, 4), never = script_always_fails(script, 4);
        assert_false(anyone && never);
        any += anyone;
        fails += never;
    }
    assert_true(any > 1000 && fails > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_keys),    cmocka_unit_test(test_protocols),
                                       cmocka_unit_test(test_scripts), cmocka_unit_test(test_counts),
                                       cmocka_unit_test(test_limits),  cmocka_unit_test(test_both)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
