/* Which script a spend shows: every cut of real spends that a regtest node took (the bundled chain), items that are
 * none, and sizes that no rule allows. tests/hidden.sh has many more, with hashes and a curve in Python. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "parser/hidden.h"
#include "tests/parser/hex.h"

static struct taproot *taproot;

/* hidden_read, on copies of just the size, so that a sanitizer sees a byte too much. */
static enum hidden_way read_spend(enum kind kind, const uint8_t *program, const uint8_t *script, size_t script_size,
                                  const uint8_t *witness, size_t witness_size, struct hidden_script shown[2],
                                  size_t *count)
{
    static uint8_t *copies[2];
    free(copies[0]);
    free(copies[1]);
    copies[0] = malloc(script_size + 1);
    copies[1] = malloc(witness_size + 1);
    assert_true(copies[0] && copies[1]);
    memcpy(copies[0] + 1, script, script_size);
    if (witness)
        memcpy(copies[1] + 1, witness, witness_size);
    struct tx_input input = {.script = copies[0] + 1, .script_size = (uint32_t)script_size};
    struct taproot_claim claim;
    enum hidden_way way = hidden_read(kind, program, &input, witness ? copies[1] + 1 : NULL, witness_size, shown, count,
                                      &claim);
    if (!claim.output)
        return way;
    assert_int_equal(taproot_check(taproot, &claim, 1), STATUS_OK);
    *count = claim.holds ? *count : 0;
    return claim.holds ? way : HIDDEN_NOT_PROVEN;
}

#define TAP_PROGRAM "5a3b835e44526dac79c16f341a7838f1166a44d709fb32d4ca1ed630f3a70568"
#define TAP_WITNESS                                                                                                    \
    "03090602524954da36755121c12baeb819e83bac2ff275c5cb9585bc7acf840ab83b12ddf106e70d368b6ab5b20a507900f42b90e6dcd9"   \
    "5b"
#define TAP_SCRIPT_SIZE 9
#define TAP_ANNEX true

static void test_program(void **state)
{
    (void)state;
    uint8_t script[64];
    size_t size, n = from_hex("a914000102030405060708090a0b0c0d0e0f1011121387", script);
    assert_ptr_equal(hidden_program(script_kind(script, n), script, &size), script + 2);
    assert_int_equal(size, 20);
    n = from_hex("0020000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", script);
    assert_ptr_equal(hidden_program(script_kind(script, n), script, &size), script + 2);
    assert_int_equal(size, 32);
    script[0] = 0x51;
    assert_ptr_equal(hidden_program(script_kind(script, n), script, &size), script + 2);
    script[0] = 0x52;
    assert_null(hidden_program(script_kind(script, n), script, &size));
}

/* The script of a real P2TR spend; of any cut of its witness none is believed. */
static void test_tap_script(void **state)
{
    (void)state;
    uint8_t program[32], witness[600];
    struct hidden_script shown[2];
    size_t count, size = from_hex(TAP_WITNESS, witness);
    from_hex(TAP_PROGRAM, program);
    assert_int_equal(read_spend(KIND_WITNESS_V1_TAPROOT, program, program, 0, witness, size, shown, &count),
                     HIDDEN_SHOWN);
    assert_int_equal(count, 1);
    assert_int_equal(shown[0].in, HIDDEN_P2TR);
    assert_int_equal(shown[0].leaf_version, 0xc0);
    assert_int_equal(shown[0].annex, TAP_ANNEX);
    for (size_t cut = 0; cut < size; cut++) {
        assert_int_equal(read_spend(KIND_WITNESS_V1_TAPROOT, program, program, 0, witness, cut, shown, &count),
                         HIDDEN_NOT_PROVEN);
        assert_int_equal(count, 0);
    }
    for (size_t at = 0; at < size; at++) /* a byte of another value: never a script that the output does not have */
        for (unsigned bit = 0; bit < 8; bit += 7) {
            witness[at] ^= (uint8_t)(1u << bit);
            enum hidden_way way = read_spend(KIND_WITNESS_V1_TAPROOT, program, program, 0, witness, size, shown,
                                             &count);
            bool same = way == HIDDEN_SHOWN && shown[0].size == TAP_SCRIPT_SIZE;
            assert_true(way != HIDDEN_SHOWN || same); /* what is not hashed may differ: the items below, the annex */
            witness[at] ^= (uint8_t)(1u << bit);
        }
}

/* Sizes of a control block: 33 bytes and up to 128 times 32. Others are not even hashed. */
static void test_control_sizes(void **state)
{
    (void)state;
    static uint8_t witness[16000];
    static const size_t sizes[] = {0, 1, 32, 34, 64, 66, 33 + 32 * 128 + 1, 33 + 32 * 129, 33 + 32 * 300};
    uint8_t program[32] = {1};
    struct hidden_script shown[2];
    size_t count;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        uint8_t *p = witness;
        memset(witness, 0xc0, sizeof witness);
        *p++ = 2;
        *p++ = 1;
        p++;
        if (sizes[i] < 0xfd) {
            *p++ = (uint8_t)sizes[i];
        } else {
            *p++ = 0xfd;
            store_le16(p, (uint16_t)sizes[i]);
            p += 2;
        }
        assert_int_equal(read_spend(KIND_WITNESS_V1_TAPROOT, program, program, 0, witness,
                                    (size_t)(p - witness) + sizes[i], shown, &count),
                         HIDDEN_NOT_PROVEN);
    }
}

/* A P2SH spend of nothing but pushes shows the last one, however it is pushed; no spend without is one. */
static void test_redeem_script(void **state)
{
    (void)state;
    static const struct {
        const char *script_sig;
        int size; /* of the redeem script; -1: none is shown */
    } cases[] = {
        {"0151", 1},
        {"5101"
         "51",
         1},
        {"4c0151", 1},
        {"4d010051", 1},
        {"4e0100000051", 1},
        {"5161", -1},
        {"610151", -1},
        {"", -1},
        {"01", -1},
        {"4c", -1},
        {"4e0100000151", -1},
        {"010151", -1},
        {"01510151", 1},
        {"500151", -1},
        {"015100", -1},
    };
    uint8_t program[20], script[64];
    struct hidden_script shown[2];
    size_t count;
    hash160((const uint8_t[]){0x51}, 1, program);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t size = from_hex(cases[i].script_sig, script);
        enum hidden_way way = read_spend(KIND_SCRIPTHASH, program, script, size, NULL, 0, shown, &count);
        assert_int_equal(way, cases[i].size < 0 ? HIDDEN_NOT_PROVEN : HIDDEN_SHOWN);
        assert_int_equal(count, cases[i].size >= 0);
        if (count > 0) {
            assert_int_equal(shown[0].size, cases[i].size);
            assert_int_equal(shown[0].script[0], 0x51);
        }
    }
}

/* The empty script has a hash too. */
static void test_nothing_shown(void **state)
{
    (void)state;
    uint8_t program[32] = {0};
    struct hidden_script shown[2];
    size_t count;
    hash160(program, 0, program);
    const uint8_t zero = 0, one_empty[] = {1, 0}, none[] = {0};
    assert_int_equal(read_spend(KIND_SCRIPTHASH, program, &zero, 1, NULL, 0, shown, &count), HIDDEN_SHOWN);
    assert_int_equal(shown[0].size, 0);
    sha256(program, 0, program);
    assert_int_equal(read_spend(KIND_WITNESS_V0_SCRIPTHASH, program, none, 0, one_empty, 2, shown, &count),
                     HIDDEN_SHOWN);
    assert_int_equal(shown[0].size, 0);
    assert_int_equal(read_spend(KIND_WITNESS_V0_SCRIPTHASH, program, none, 0, none, 1, shown, &count),
                     HIDDEN_NOT_PROVEN);
    assert_int_equal(read_spend(KIND_WITNESS_V0_SCRIPTHASH, program, none, 0, NULL, 0, shown, &count),
                     HIDDEN_NOT_PROVEN);
    assert_int_equal(read_spend(KIND_WITNESS_V0_SCRIPTHASH, program, none, 1, one_empty, 2, shown, &count),
                     HIDDEN_NOT_PROVEN);
}

static int begin(void **state)
{
    (void)state;
    taproot = taproot_new();
    return taproot ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    taproot_free(taproot);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_program),       cmocka_unit_test(test_tap_script),
        cmocka_unit_test(test_control_sizes), cmocka_unit_test(test_redeem_script),
        cmocka_unit_test(test_nothing_shown),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
