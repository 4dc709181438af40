/* Vectors: FIPS 180-4 examples (NIST), and hashes of Bitcoin's first block. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "parser/sha256.h"

#include "tests/parser/hex.h"

static void check(const char *text, const char *digest_hex)
{
    uint8_t digest[32], expected[32];
    from_hex(digest_hex, expected);
    sha256((const uint8_t *)text, strlen(text), digest);
    assert_memory_equal(digest, expected, 32);
}

static void test_fips(void **state)
{
    (void)state;
    check("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    check("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    check("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
          "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    check("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
          "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
          "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1");
    char *million = malloc(1000001);
    memset(million, 'a', 1000000);
    million[1000000] = '\0';
    check(million, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    free(million);
}

static void test_genesis_header(void **state)
{
    (void)state;
    uint8_t header[80];
    from_hex("0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b27ac72c3e6776"
             "8f617fc81bc3888a51323a9fb8aa4b1e5e4a29ab5f49ffff001d1dac2b7c",
             header);
    struct hash256 hash;
    sha256d(header, sizeof header, &hash);
    assert_hash(&hash, "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f");
}

/* Every length around the block size of 64, cut in every way into three parts, against sha256 twice. */
static void test_parts(void **state)
{
    (void)state;
    uint8_t data[200];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 7 + 3);
    for (size_t size = 0; size <= 140; size++) {
        uint8_t once[32];
        struct hash256 expected, hash;
        sha256(data, size, once);
        sha256(once, 32, expected.bytes);
        sha256d(data, size, &hash);
        assert_true(hash256_equal(&hash, &expected));
        for (size_t a = 0; a <= size; a += 3)
            for (size_t b = a; b <= size; b += 5) {
                const struct sha256_part parts[] = {{data, a}, {data + a, b - a}, {data + b, size - b}};
                sha256d_parts(parts, 3, &hash);
                assert_true(hash256_equal(&hash, &expected));
            }
    }
}

/* The same lengths as a stream in two pieces, each time with an empty one between. */
static void test_stream(void **state)
{
    (void)state;
    uint8_t data[140], expected[32], digest[32];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 11 + 5);
    for (size_t size = 0; size <= sizeof data; size++) {
        sha256(data, size, expected);
        for (size_t a = 0; a <= size; a++) {
            struct sha256_stream stream;
            sha256_begin(&stream);
            sha256_add(&stream, data, a);
            sha256_add(&stream, data, 0);
            sha256_add(&stream, data + a, size - a);
            sha256_end(&stream, digest);
            assert_memory_equal(digest, expected, 32);
        }
    }
}

/* BIP 340: the hash of the tag twice, then the message; of tags whose beginning is known and of others. */
static void test_tagged(void **state)
{
    (void)state;
    static const char *const tags[] = {"TapLeaf", "TapBranch", "TapTweak",         "TapSighash",
                                       "TapLea",  "",          "BIP0340/challenge"};
    uint8_t data[64 + 140], expected[32], digest[32];
    for (size_t i = 64; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 5 + 1);
    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++)
        for (size_t size = 0; size <= sizeof data - 64; size++) {
            struct sha256_stream stream;
            sha256((const uint8_t *)tags[i], strlen(tags[i]), data);
            memcpy(data + 32, data, 32);
            sha256(data, 64 + size, expected);
            sha256_begin_tagged(&stream, tags[i]);
            sha256_add(&stream, data + 64, size / 3);
            sha256_add(&stream, data + 64 + size / 3, size - size / 3);
            sha256_end(&stream, digest);
            assert_memory_equal(digest, expected, 32);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_fips), cmocka_unit_test(test_genesis_header),
                                       cmocka_unit_test(test_parts), cmocka_unit_test(test_stream),
                                       cmocka_unit_test(test_tagged)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
