/* Which scripts anyone can spend, by hand, and Core's limits. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "parser/script.h"

#include "tests/parser/hex.h"

static const char *const anyone_can_spend[] = {
    "", /* the spender pushes a true item */
    "51",
    "60",
    "4f",
    "0101",
    "020080"
    "51",
    "61",
    "b9",
    "6161",
    "04deadbeef",
    "4c0101",
    "7551",
    "6d51", /* OP_DROP 1, OP_2DROP 1 */
    "74",
    "76",
    "69"
    "51", /* OP_DEPTH, OP_DUP, OP_VERIFY 1 */
    "000000ae"
    "51",
    "0000ae",
    "000000ae",
    "00"
    "0051ae",
    "ae",
    "5151ae",
    "a35387", /* OP_MIN 3 OP_EQUAL, of the paper's section V.E */
    "87",
    "935787",
    "5387",
    "88"
    "51",
    "91",
    "0091",
    "9c",
    "51519387"
    "91", /* 2 OP_EQUAL OP_NOT of the spender's item */
    "5152935387",
    "525193"
    "53"
    "9c",
    "5352"
    "a452"
    "87"
    "91",
    "6351670068",
    "6300675168",
    "63"
    "ac"
    "67"
    "51"
    "68",
    "0063ff6851",
    "64516700"
    "68",
    "51"
    "7c"
    "75", /* 1 OP_SWAP OP_DROP: the 1 is left */
    "0051"
    "77", /* 0 1 OP_NIP */
    "0063"
    "6a"
    "6851",
};

static const char *const not_everyone_can_spend[] = {
    "00",
    "0100",
    "0180",
    "03000080",
    "5100",
    "0075"
    "00",
    "6a",
    "516a",
    "50",
    "62",
    "89",
    "ba",
    "ff",
    "0069",
    "0069"
    "51",
    "515287",
    "5191",
    "51529c",
    "51"
    "b1",
    "b2"
    "51", /* time conditions */
    "ac",
    "51"
    "51"
    "51"
    "ac",
    "ad"
    "51",
    "51"
    "0051ae"
    "00"
    "87", /* signatures */
    "a8",
    "a9"
    "51",
    "aa87",
    "a6",
    "a7", /* hashes */
    "51"
    "63",
    "51"
    "67",
    "51"
    "68",
    "516351", /* unbalanced */
    "05",
    "5105",
    "4effffffff", /* truncated */
    "51"
    "7e",
    "0063"
    "7e"
    "6851",
    "0063"
    "65"
    "6851",
    "0063"
    "8d"
    "6851", /* invalid even where not taken */
    "5121"
    "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
    "51ae", /* 1-of-1 */
    "0118"
    "00"
    "7c"
    "ae"
    "00"
    "87", /* too many keys */
    "a914"
    "000102030405060708090a0b0c0d0e0f10111213"
    "87",
    "0015"
    "000102030405060708090a0b0c0d0e0f1011121314", /* version 0, wrong length: cannot be spent */
    "00"
    "14"
    "000102030405060708090a0b0c0d0e0f10111213",
};

static void test_anyone_can_spend(void **state)
{
    (void)state;
    uint8_t script[1000];
    for (size_t i = 0; i < sizeof anyone_can_spend / sizeof *anyone_can_spend; i++)
        if (!script_anyone_can_spend(script, from_hex(anyone_can_spend[i], script)))
            fail_msg("%s: anyone can spend it", anyone_can_spend[i]);
    for (size_t i = 0; i < sizeof not_everyone_can_spend / sizeof *not_everyone_can_spend; i++)
        if (script_anyone_can_spend(script, from_hex(not_everyone_can_spend[i], script)))
            fail_msg("%s: not everyone can spend it", not_everyone_can_spend[i]);
}

/* Core's limits: a script of 10,000 bytes, 201 operations, pushes of 520 bytes. */
static void test_anyone_limits(void **state)
{
    (void)state;
    static uint8_t script[10001];
    memset(script, 0x61, sizeof script);
    assert_true(script_anyone_can_spend(script, 201));
    assert_false(script_anyone_can_spend(script, 202));
    for (size_t push = 520; push <= 521; push++) {
        memset(script, 1, sizeof script);
        script[0] = 0x4d;
        script[1] = (uint8_t)push;
        script[2] = (uint8_t)(push >> 8);
        assert_int_equal(script_anyone_can_spend(script, 3 + push), push == 520);
    }
    for (size_t size = 10000; size <= 10001; size++) {
        size_t at = 0;
        while (at + 523 + 1 <= size) {
            script[at] = 0x4d;
            script[at + 1] = 0x03;
            script[at + 2] = 0x02; /* 515 bytes */
            script[at + 518] = 0x75;
            at += 519;
        }
        memset(script + at, 0x61, size - at);
        script[size - 1] = 0x51;
        assert_int_equal(script_anyone_can_spend(script, size), size == 10000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_anyone_can_spend),
        cmocka_unit_test(test_anyone_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
