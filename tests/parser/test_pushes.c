/* Vectors: signatures of Core's sig_canonical.json and sig_noncanonical.json (BIP 66; the sighash byte apart, which BIP
 * 66 does not judge); half of the curve's order (BIP 62); RIPEMD-160 by its authors' page, SHA-1 by FIPS 180-4, HASH160
 * of the generator's key from BIP 173. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "parser/pushes.h"
#include "parser/sha256.h"

#include "tests/parser/hex.h"

static bool read_hex(const char *hex, struct signature *signature)
{
    uint8_t bytes[200];
    return signature_read(bytes, from_hex(hex, bytes), signature);
}

static void test_strict_signatures(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        bool low_s;
    } canonical[] = {
        {"300602010002010001", true},
        {"3008020200ff020200ff01", true},
        {"304402203932c892e2e550f3af8ee4ce9c215a87f9bb831dcac87b2838e2c2eaa891df0c022030b61dd36543125d56b9f9f3a1f935318"
         "9e5af33cdda8d77a5209aec03978fa001",
         true},
        {"30450220076045be6f9eca28ff1ec606b833d0b87e70b2a630f5e3a496b110967a40f90a0221008fffd599910eefe00bc803c688c2eca"
         "1d2ba7f6b180620eaa03488e6585db6ba01",
         false},
        {"3046022100876045be6f9eca28ff1ec606b833d0b87e70b2a630f5e3a496b110967a40f90a0221008fffd599910eefe00bc803c688c2"
         "eca1d2ba7f6b180620eaa03488e6585db6ba01",
         false},
    };
    for (size_t i = 0; i < sizeof canonical / sizeof *canonical; i++) {
        struct signature signature;
        assert_true(read_hex(canonical[i].hex, &signature));
        assert_true(signature.strict_der);
        assert_int_equal(signature.low_s, canonical[i].low_s);
        assert_int_equal(signature.sighash, 1);
    }
}

#define R "5990e0584b2b238e1dfaad8d6ed69ecc1a4a13ac85fc0b31d0df395eb1ba6105"
#define S "2d5876262c288beb511d061691bf26777344b702b00f8fe28621fe4e566695ed"

static void test_loose_signatures(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        bool taken; /* as a signature under the loose reading */
    } vectors[] = {
        {"30050201FF020001", false},
        {"30470221005990e0584b2b238e1dfaad8d6ed69ecc1a4a13ac85fc0b31d0df395eb1ba6105022200002d5876262c288beb511d0616"
         "91bf26777344b702b00f8fe28621fe4e566695ed01",
         true},
        {"31440220" R "0220" S "01", false},
        {"30450220" R "0220" S "01", true},
        {"301F01205990e0584b2b238e1dfaad8d6ed69ecc1a4a13ac85fc0b31d0df395eb101", false},
        {"30450220" R "0220" S "0001", true},
        {"30440120" R "0220" S "01", false},
        {"302402000220" S "01", true},
        {"304402208990e0584b2b238e1dfaad8d6ed69ecc1a4a13ac85fc0b31d0df395eb1ba61050220" S "01", true},
        {"3045022100" R "0220" S "01", true},
        {"30440220" R "0120" S "01", false},
        {"30240220" R "020001", true},
        {"30440220" R "0220fd5876262c288beb511d061691bf26777344b702b00f8fe28621fe4e566695ed01", true},
        {"30450220" R "022100" S "01", true},
        {"308144028101200281010201", true}, /* lengths of two bytes */
        {"308144028101200282010201", false},
    };
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        struct signature signature = {.strict_der = true};
        assert_int_equal(read_hex(vectors[i].hex, &signature), vectors[i].taken);
        assert_false(vectors[i].taken && signature.strict_der);
    }
    struct signature signature;
    assert_true(read_hex("30440220" R "0220" S "11", &signature));
    assert_true(signature.strict_der);
    assert_int_equal(signature.sighash, 0x11);
}

/* A signature that is cut is none, or one that ends earlier and is not strict; nothing beyond is read (sanitizer). */
static void test_cut_signatures(void **state)
{
    (void)state;
    uint8_t whole[80];
    size_t size = from_hex("30440220" R "0220" S "01", whole);
    for (size_t cut = 0; cut < size; cut++) {
        uint8_t *bytes = malloc(cut + 1);
        struct signature signature;
        memcpy(bytes, whole, cut);
        assert_false(signature_read(bytes, cut, &signature));
        free(bytes);
    }
}

static void test_half_order(void **state)
{
    (void)state;
    struct signature signature;
    assert_true(
        read_hex("302502010102207fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a001", &signature));
    assert_true(signature.strict_der && signature.low_s);
    assert_true(
        read_hex("302502010102207fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a101", &signature));
    assert_true(signature.strict_der && !signature.low_s);
}

static void test_sighash(void **state)
{
    (void)state;
    static const struct {
        uint8_t sighash;
        const char *text;
    } names[] = {{1, "ALL"},  {2, "NONE"}, {3, "SINGLE"},  {0x81, "ALL|ANYONECANPAY"},   {0x82, "NONE|ANYONECANPAY"},
                 {0, "0x00"}, {4, "0x04"}, {0x80, "0x80"}, {0x83, "SINGLE|ANYONECANPAY"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char text[SIGHASH_TEXT];
        assert_int_equal(sighash_text(names[i].sighash, text), strlen(names[i].text));
        assert_string_equal(text, names[i].text);
    }
}

static void test_hashes(void **state)
{
    (void)state;
    uint8_t out[HASH160_SIZE], expected[HASH160_SIZE], key[33];
    from_hex("a9993e364706816aba3e25717850c26c9cd0d89d", expected);
    sha1((const uint8_t *)"abc", 3, out);
    assert_memory_equal(out, expected, sizeof out);
    from_hex("8eb208f7e05d987a9b044a8e98c6b087f15a0bfc", expected);
    ripemd160((const uint8_t *)"abc", 3, out);
    assert_memory_equal(out, expected, sizeof out);
    from_hex("0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798", key);
    from_hex("751e76e8199196d454941c45d1b3a323f1433bd6", expected);
    hash160(key, sizeof key, out);
    assert_memory_equal(out, expected, sizeof out);
}

static void test_script_items(void **state)
{
    (void)state;
    static const enum shown shown[] = {SHOWN_NOTHING, SHOWN_NUMBER, SHOWN_NUMBER,    SHOWN_NUMBER,
                                       SHOWN_KEY,     SHOWN_DATA,   SHOWN_OPERATION, SHOWN_SIGNATURE};
    static const size_t sizes[] = {0, 1, 1, 4, 33, 33, 0, 9};
    uint8_t script[200];
    size_t size = from_hex("00"
                           "4f"
                           "60"
                           "04ffffffff"
                           "210279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
                           "4c210579be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
                           "61"
                           "4d0900300602010002010001",
                           script);
    struct pushes pushes = pushes_of_script(script, size);
    struct push push;
    size_t count = 0;
    for (; pushes_next(&pushes, &push); count++) {
        assert_int_equal(push_shows(&push), shown[count]);
        assert_int_equal(push.size, sizes[count]);
    }
    assert_int_equal(count, 8);
    assert_true(pushes_whole(&pushes));
    for (size_t cut = size - 11; cut < size; cut++) { /* into the last push */
        pushes = pushes_of_script(script, cut);
        for (count = 0; pushes_next(&pushes, &push); count++)
            assert_true(!push.data || push.size <= 33);
        assert_int_equal(count, 7);
        assert_false(pushes_whole(&pushes));
    }
}

static void test_witness_items(void **state)
{
    (void)state;
    uint8_t witness[] = {3, 0, 2, 0xab, 0xcd, 1, 7}, hostile[] = {0xfe, 0xff, 0xff, 0xff, 0x01, 0, 0};
    struct pushes pushes = pushes_of_witness(witness, sizeof witness);
    struct push push;
    assert_true(pushes_next(&pushes, &push));
    assert_int_equal(push.size, 0);
    assert_true(pushes_next(&pushes, &push));
    assert_int_equal(push.size, 2);
    assert_int_equal(push.data[1], 0xcd);
    assert_true(pushes_next(&pushes, &push));
    assert_int_equal(push.data[0], 7);
    assert_false(pushes_next(&pushes, &push));
    assert_true(pushes_whole(&pushes));
    pushes = pushes_of_witness(hostile, sizeof hostile); /* 2^25 - 1 items in two bytes */
    assert_true(pushes_next(&pushes, &push));
    assert_true(pushes_next(&pushes, &push));
    assert_false(pushes_next(&pushes, &push));
    assert_false(pushes_whole(&pushes));
}

/* OP_IF OP_SHA256 <sha256("abc")> OP_EQUALVERIFY OP_ELSE OP_DUP OP_HASH160 <hash of G> OP_EQUALVERIFY OP_ENDIF, then
 * OP_SHA1 with a hash that is too long, and OP_0 OP_EQUAL, which is no hash lock. */
static void test_hash_locks(void **state)
{
    (void)state;
    uint8_t script[200], key[33];
    size_t size = from_hex("63a820ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad88"
                           "6776a914751e76e8199196d454941c45d1b3a323f1433bd68868"
                           "a715000000000000000000000000000000000000000000"
                           "87"
                           "610087",
                           script);
    struct hash_lock locks[HASH_LOCKS_MAX];
    size_t count = hash_locks(script, size, locks);
    assert_int_equal(count, 2);
    assert_false(locks[0].of_key);
    assert_true(locks[1].of_key);
    from_hex("0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798", key);
    assert_int_equal(hash_locks_opened(locks, count, (const uint8_t *)"abc", 3), 0);
    assert_int_equal(hash_locks_opened(locks, count, key, sizeof key), 1);
    assert_int_equal(hash_locks_opened(locks, count, key, 32), 2);
}

static void test_every_hash_lock(void **state)
{
    (void)state;
    /* of "abc": RIPEMD160, SHA1, SHA256, HASH160, HASH256 */
    static const char *const scripts[] = {
        "a6148eb208f7e05d987a9b044a8e98c6b087f15a0bfc87",
        "a714a9993e364706816aba3e25717850c26c9cd0d89d87",
        "a820ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad87",
        "a914bb1be98c142444d7a56aa3981c3942a978e4dc3387",
        "aa204f8b42c22dd3729b519ba6f68d2da7cc5b2d606d05daed5ad5128cc03e6c635887",
    };
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
        uint8_t script[64];
        struct hash_lock locks[HASH_LOCKS_MAX];
        assert_int_equal(hash_locks(script, from_hex(scripts[i], script), locks), 1);
        assert_int_equal(hash_locks_opened(locks, 1, (const uint8_t *)"abc", 3), 0);
        assert_int_equal(hash_locks_opened(locks, 1, (const uint8_t *)"abd", 3), 1);
    }
}

/* 4 MB of pushes: as many items as bytes, and no lock beyond HASH_LOCKS_MAX. */
static void test_hostile_size(void **state)
{
    (void)state;
    enum { SIZE = 4000000 };
    uint8_t *script = calloc(1, SIZE);
    struct pushes pushes = pushes_of_script(script, SIZE);
    struct push push;
    size_t count = 0;
    while (pushes_next(&pushes, &push))
        count++;
    assert_int_equal(count, SIZE);
    for (size_t at = 0; at + 23 <= SIZE; at += 23) {
        script[at] = 0xa9;
        script[at + 1] = 20;
        script[at + 22] = 0x87;
    }
    struct hash_lock locks[HASH_LOCKS_MAX];
    assert_int_equal(hash_locks(script, SIZE, locks), HASH_LOCKS_MAX);
    assert_int_equal(hash_locks_opened(locks, HASH_LOCKS_MAX, script, SIZE), HASH_LOCKS_MAX);
    free(script);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_strict_signatures), cmocka_unit_test(test_loose_signatures),
        cmocka_unit_test(test_cut_signatures),    cmocka_unit_test(test_half_order),
        cmocka_unit_test(test_sighash),           cmocka_unit_test(test_hashes),
        cmocka_unit_test(test_script_items),      cmocka_unit_test(test_witness_items),
        cmocka_unit_test(test_hash_locks),        cmocka_unit_test(test_every_hash_lock),
        cmocka_unit_test(test_hostile_size),
    };
    return cmocka_run_group_tests_name("pushes", tests, NULL, NULL);
}
