/* Commitments of taproot outputs, many at once: against libsecp256k1, with keys at both ends of the field, and the
 * field's arithmetic against one of single bits. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <secp256k1.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "parser/curve_field.h"
#include "parser/mem.h"
#include "parser/sha256.h"
#include "parser/taproot.h"
#include "tests/parser/hex.h"

static uint64_t random_state;

static uint64_t random_next(void)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return random_state ^ random_state >> 29;
}

static void random_bytes(uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(random_next() >> 32);
}

/* ---- the field ---- */

static const struct field prime = {{0xfffffffefffffc2f, UINT64_MAX, UINT64_MAX, UINT64_MAX}};

static bool below(const struct field *a, const struct field *b)
{
    for (unsigned i = 4; i-- > 0;)
        if (a->limb[i] != b->limb[i])
            return a->limb[i] < b->limb[i];
    return false;
}

/* a + b modulo p, a bit at a time. */
static struct field slow_add(const struct field *a, const struct field *b)
{
    struct field sum = {{0}};
    uint64_t carry = 0;
    for (unsigned bit = 0; bit < 256; bit++) {
        uint64_t three = (a->limb[bit / 64] >> bit % 64 & 1) + (b->limb[bit / 64] >> bit % 64 & 1) + carry;
        sum.limb[bit / 64] |= (three & 1) << bit % 64;
        carry = three >> 1;
    }
    if (!carry && below(&sum, &prime))
        return sum;
    unsigned borrow = 0; /* less p */
    for (unsigned bit = 0; bit < 256; bit++) {
        int left = (int)(sum.limb[bit / 64] >> bit % 64 & 1) - (int)(prime.limb[bit / 64] >> bit % 64 & 1) -
                   (int)borrow;
        borrow = left < 0;
        sum.limb[bit / 64] &= ~((uint64_t)1 << bit % 64);
        sum.limb[bit / 64] |= (uint64_t)(left & 1) << bit % 64;
    }
    return sum;
}

static struct field slow_multiply(const struct field *a, const struct field *b)
{
    struct field product = {{0}};
    for (unsigned bit = 256; bit-- > 0;) {
        product = slow_add(&product, &product);
        if (b->limb[bit / 64] >> bit % 64 & 1)
            product = slow_add(&product, a);
    }
    return product;
}

/* Limbs at the ends of their range, in any mixture. */
static struct field edge(void)
{
    static const uint64_t limbs[] = {0,
                                     1,
                                     FIELD_FOLD - 1,
                                     FIELD_FOLD,
                                     FIELD_FOLD + 1,
                                     1ull << 63,
                                     UINT64_MAX,
                                     0 - (uint64_t)FIELD_FOLD - 1,
                                     0 - (uint64_t)FIELD_FOLD};
    struct field a;
    do {
        for (unsigned i = 0; i < 4; i++)
            a.limb[i] = random_next() % 5 == 0 ? random_next() : limbs[random_next() % 9];
    } while (!below(&a, &prime));
    return a;
}

static void test_field(void **state)
{
    (void)state;
    static const struct field one = {{1}};
    for (unsigned i = 0; i < 3000; i++) {
        struct field a = edge(), b = edge();
        struct field sum = field_add(&a, &b), difference = field_subtract(&a, &b), product = field_multiply(&a, &b);
        struct field expected = slow_add(&a, &b), back = slow_add(&difference, &b);
        assert_memory_equal(&sum, &expected, sizeof sum);
        assert_memory_equal(&back, &a, sizeof a);
        expected = slow_multiply(&a, &b);
        assert_memory_equal(&product, &expected, sizeof product);
        product = field_square(&a);
        expected = slow_multiply(&a, &a);
        assert_memory_equal(&product, &expected, sizeof product);
        assert_true(below(&sum, &prime) && below(&difference, &prime) && below(&product, &prime));
        if (i % 16 > 0 || field_equal(&a, &(struct field){{0}}))
            continue;
        struct field inverse = field_invert(&a);
        expected = slow_multiply(&a, &inverse);
        assert_memory_equal(&expected, &one, sizeof one);
    }
}

static void test_field_bytes(void **state)
{
    (void)state;
    uint8_t bytes[32];
    struct field a;
    from_hex("fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2e", bytes);
    assert_true(field_read(&a, bytes));
    assert_true(a.limb[0] == prime.limb[0] - 1 && a.limb[3] == UINT64_MAX);
    bytes[31]++;
    assert_false(field_read(&a, bytes));
    memset(bytes, 0xff, sizeof bytes);
    assert_false(field_read(&a, bytes));
    bytes[15] = 0xfe;
    assert_true(field_read(&a, bytes));
}

/* ---- claims ---- */

/* The output's key and its parity by libsecp256k1; false if the internal key is no point. */
static bool commit(const uint8_t internal[32], const uint8_t root[32], uint8_t output[32], bool *odd)
{
    secp256k1_context *context = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
    secp256k1_pubkey point;
    struct sha256_stream stream;
    uint8_t key[33] = {2}, tweak[32];
    size_t size = sizeof key;
    sha256_begin_tagged(&stream, "TapTweak");
    sha256_add(&stream, internal, 32);
    sha256_add(&stream, root, 32);
    sha256_end(&stream, tweak);
    memcpy(key + 1, internal, 32);
    bool ok = secp256k1_ec_pubkey_parse(context, &point, key, sizeof key) == 1 &&
              secp256k1_ec_pubkey_tweak_add(context, &point, tweak) == 1 &&
              secp256k1_ec_pubkey_serialize(context, key, &size, &point, SECP256K1_EC_COMPRESSED) == 1;
    secp256k1_context_destroy(context);
    memcpy(output, key + 1, 32);
    *odd = key[0] == 3;
    return ok;
}

#define CLAIMS 6000
static uint8_t internals[CLAIMS][32], outputs[CLAIMS][32];

/* An internal key: random, or at the lower or the upper end of the field, beyond it too. */
static void draw_internal(uint8_t key[32], unsigned i)
{
    random_bytes(key, 32);
    if (i % 3 == 0)
        return;
    memset(key, i % 3 == 1 ? 0 : 0xff, 30);
    if (i % 3 == 2 && i % 2)
        store_be64(key + 24, prime.limb[0] - 500 + random_next() % 1000);
}

/* Spoils a claim that holds, in one of the ways in which one can be wrong. */
static void spoil(struct taproot_claim *claim, uint8_t *internal, uint8_t *output, unsigned way)
{
    switch (way) {
    case 0: claim->odd = !claim->odd; break;
    case 1: output[random_next() % 32] ^= (uint8_t)(1u << random_next() % 8); break;
    case 2: claim->root[random_next() % 32] ^= (uint8_t)(1u << random_next() % 8); break;
    case 3: internal[random_next() % 32] ^= (uint8_t)(1u << random_next() % 8); break;
    default: random_bytes(output, 32);
    }
}

/* All claims at once, and the first ones by few: nothing depends on which claims are together. */
static void check_claims(const struct taproot *taproot, struct taproot_claim *claims, const bool *expected)
{
    assert_int_equal(taproot_check(taproot, claims, CLAIMS), STATUS_OK);
    for (unsigned i = 0; i < CLAIMS; i++) {
        if (claims[i].holds != expected[i])
            print_error("claim %u\n", i);
        assert_int_equal(claims[i].holds, expected[i]);
    }
    for (unsigned count = 1, first = 0; count <= 40; first += count++) {
        for (unsigned i = 0; i < count; i++)
            claims[first + i].holds = !expected[first + i];
        assert_int_equal(taproot_check(taproot, &claims[first], count), STATUS_OK);
        for (unsigned i = first; i < first + count; i++)
            assert_int_equal(claims[i].holds, expected[i]);
    }
    assert_int_equal(taproot_check(taproot, claims, 0), STATUS_OK);
}

static void test_claims(void **state)
{
    (void)state;
    static struct taproot_claim claims[CLAIMS];
    static bool expected[CLAIMS];
    unsigned holding = 0, points = 0;
    for (unsigned i = 0; i < CLAIMS; i++) {
        struct taproot_claim *claim = &claims[i];
        *claim = (struct taproot_claim){.output = outputs[i], .internal = internals[i], .holds = true};
        draw_internal(internals[i], i);
        random_bytes(claim->root, 32);
        bool point = commit(internals[i], claim->root, outputs[i], &claim->odd);
        expected[i] = point && i % 2;
        if (point && i % 2 == 0)
            spoil(claim, internals[i], outputs[i], i / 2 % 5);
        points += point;
        holding += expected[i];
    }
    assert_true(points > CLAIMS / 3 && points < CLAIMS * 2 / 3 && holding > CLAIMS / 6);
    struct taproot *taproot = taproot_new();
    assert_non_null(taproot);
    check_claims(taproot, claims, expected);
    taproot_without_lanes = true;
    check_claims(taproot, claims, expected);
    taproot_without_lanes = false;
    taproot_free(taproot);
}

/* BIP 341's wallet test vectors (scriptPubKey, the third and the last with script paths). */
static void test_vectors(void **state)
{
    (void)state;
    static const struct {
        const char *internal;
        const char *root;
        const char *output;
        bool odd;
    } vectors[] = {
        {"187791b6f712a8ea41c8ecdd0ee77fab3e85263b37e1ec18a3651926b3a6cf27",
         "5b75adecf53548f3ec6ad7d78383bf84cc57b55a3127c72b9a2481752dd88b21",
         "147c9c57132f6e7ecddba9800bb0c4449251c92a1e60371ee77557b6620f3ea3", true},
        {"93478e9488f956df2396be2ce6c5cced75f900dfa18e7dabd2428aae78451820",
         "c525714a7f49c28aedbbba78c005931a81c234b2f6c99a73e4d06082adc8bf2b",
         "e4d810fd50586274face62b8a807eb9719cef49c04177cc6b76a9a4251d5450e", false},
    };
    struct taproot *taproot = taproot_new();
    assert_non_null(taproot);
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        uint8_t internal[32], output[32];
        struct taproot_claim claim = {.output = output, .internal = internal, .odd = vectors[i].odd};
        from_hex(vectors[i].internal, internal);
        from_hex(vectors[i].root, claim.root);
        from_hex(vectors[i].output, output);
        assert_int_equal(taproot_check(taproot, &claim, 1), STATUS_OK);
        assert_true(claim.holds);
        claim.odd = !claim.odd;
        assert_int_equal(taproot_check(taproot, &claim, 1), STATUS_OK);
        assert_false(claim.holds);
    }
    taproot_free(taproot);
}

static void test_no_memory(void **state)
{
    (void)state;
    static uint8_t bytes[32];
    struct taproot_claim claim = {.output = bytes, .internal = bytes};
    for (unsigned after = 0; after < 3; after++) {
        mem_fail_after(after);
        assert_null(taproot_new());
        mem_fail_after(-1);
    }
    struct taproot *taproot = taproot_new();
    assert_non_null(taproot);
    mem_fail_after(0);
    assert_int_equal(taproot_check(taproot, &claim, 1), STATUS_NOMEM);
    mem_fail_after(-1);
    taproot_free(taproot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_field),   cmocka_unit_test(test_field_bytes), cmocka_unit_test(test_claims),
        cmocka_unit_test(test_vectors), cmocka_unit_test(test_no_memory),
    };
    random_state = (uint64_t)time(NULL);
    print_message("seed %llu\n", (unsigned long long)random_state);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
