/* The first spend of mainnet, and how scripts as BIP 65, BIP 112 and the usual hash lock contracts have them are
 * spent. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "parser/script.h"
#include "parser/unlock.h"

#include "tests/parser/hex.h"

#define SIG                                                                                                            \
    "47304402204e45e16932b8af514961a1d3a1a25fdf3f4f7732e9d624c6c61548ab5fb8cd410220181522ec8eca07de4860a4acdd12909d83" \
    "1cc56cbbac4622082221a8768d1d0901"
#define KEY "210279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
#define SHA256_OF_ABC "a820ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define ABC "03616263"
/* by Python's hashlib */
#define RIPEMD160_OF_G "e1c903c0d8d2b6458ffbe8e936cf395ef18b9c89"
#define SHA1_OF_G "06fee92cc1229fefc61a3ed004254a23e6e10bcf"
#define SHA256_OF_G "0f715baf5d4c2ed329785cef29e562f73488c8a2bb9dbc5700b361d54b9b0554"
#define HASH256_OF_G "b1cd0a4eb6d1cea5eb288fb4474ac403eab044004cc48f12bcb4ca8346d487e1"
#define SHA256_TWICE_OF_ABC "4f8b42c22dd3729b519ba6f68d2da7cc5b2d606d05daed5ad5128cc03e6c6358"
#define HASH160_OF_ABC "bb1be98c142444d7a56aa3981c3942a978e4dc33"

static struct unlock unlocked(const char *shown_hex, const char *script_hex)
{
    static uint8_t shown[2000], script[2000];
    struct unlock unlock;
    size_t shown_size = from_hex(shown_hex, shown), size = from_hex(script_hex, script);
    unlock_read(pushes_of_script(shown, shown_size), script, size, script_anyone_can_spend(script, size), &unlock);
    return unlock;
}

struct expected {
    const char *shown;
    const char *script;
    enum unlock_by by;
    uint32_t signatures;
    uint32_t keys;
    uint32_t preimages;
    uint32_t numbers;
    uint32_t nothing;
    uint32_t data;
    const char *branch;
    bool time;
};

static void check(const struct expected *e)
{
    struct unlock got = unlocked(e->shown, e->script);
    if (got.by != e->by)
        fail_msg("%s by %s: %s, not %s", e->script, e->shown, unlock_name(got.by), unlock_name(e->by));
    assert_int_equal(got.signatures, e->signatures);
    assert_int_equal(got.keys, e->keys);
    assert_int_equal(got.preimages, e->preimages);
    assert_int_equal(got.numbers, e->numbers);
    assert_int_equal(got.nothing, e->nothing);
    assert_int_equal(got.data, e->data);
    assert_string_equal(got.branch, e->branch);
    assert_int_equal(got.time, e->time);
    assert_true(got.whole);
}

static void check_all(const struct expected *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        check(&list[i]);
}
#define CHECK_ALL(list) check_all(list, sizeof(list) / sizeof *(list))

/* The first spend ever, of block 170: f4184fc596403b9d638783cf57adfe4c75c605f6356fbc91338530e9831e9e16, input 0. */
static void test_first_spend(void **state)
{
    (void)state;
    struct unlock got = unlocked(
        SIG, "410411db93e1dcdb8a016b49840f8c53bc1eb68a382e97b1482ecad7b148a6909a5cb2e0eaddfb84ccf9744464f82e16"
             "0bfa9b8b64f9d4c03f999b8643f656b412a3ac");
    assert_int_equal(got.by, UNLOCK_SIGNATURE);
    assert_int_equal(got.signatures, 1);
    assert_int_equal(got.strict_der, 1);
    assert_int_equal(got.low_s, 1);
    assert_int_equal(got.sighashes[0], 2);
    assert_string_equal(got.branch, "");
}

static void test_words(void **state)
{
    (void)state;
    static const struct expected list[] = {
        /* a pubkeyhash with an OP_NOP after it (as db3f14e4...:2 of mainnet is), for the key of G */
        {SIG KEY, "76a914751e76e8199196d454941c45d1b3a323f1433bd688ac61", UNLOCK_SIGNATURE, 1, 1, 0, 0, 0, 0, "", 0},
        /* 1 of 2, 2 of 3 */
        {"00" SIG, "51" KEY KEY "52ae", UNLOCK_MULTISIG, 1, 0, 0, 0, 1, 0, "", 0},
        {"00" SIG SIG, "52" KEY KEY KEY "53ae", UNLOCK_MULTISIG, 2, 0, 0, 0, 1, 0, "", 0},
        /* two signatures apart */
        {SIG SIG, KEY "ad" KEY "ac", UNLOCK_MULTISIG, 2, 0, 0, 0, 0, 0, "", 0},
        /* hash locks */
        {ABC, SHA256_OF_ABC "87", UNLOCK_PREIMAGE, 0, 0, 1, 0, 0, 0, "", 0},
        {ABC SIG, KEY "ad" SHA256_OF_ABC "87", UNLOCK_SIGNATURE_PREIMAGE, 1, 0, 1, 0, 0, 0, "", 0},
        {"00" SIG ABC, SHA256_OF_ABC "8851" KEY "51ae", UNLOCK_SIGNATURE_PREIMAGE, 1, 0, 1, 0, 1, 0, "", 0},
        /* the hash before the preimage is hashed: <hash> OP_SWAP OP_SHA256 OP_EQUAL */
        {ABC, "20ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad7ca887", UNLOCK_PREIMAGE, 0, 0, 1, 0,
         0, 0, "", 0},
        /* sums, times, nothing */
        {"5253", "935587", UNLOCK_NOTHING, 0, 0, 0, 2, 0, 0, "", 0},
        {"0548656c6c6f",
         "760548656c6c6f8763516700"
         "68",
         UNLOCK_NOTHING, 0, 0, 0, 0, 0, 1, "1", 0}, /* the script shows what is asked for */
        {"", "0400e1f505b17551", UNLOCK_TIME, 0, 0, 0, 0, 0, 0, "", 1},
        {"51", "5ab275", UNLOCK_TIME, 0, 0, 0, 1, 0, 0, "", 1},
        {"", "51", UNLOCK_NOTHING, 0, 0, 0, 0, 0, 0, "", 0},
        {"51", "", UNLOCK_NOTHING, 0, 0, 0, 1, 0, 0, "", 0},
        {"000000", "0000ae", UNLOCK_NOTHING, 0, 0, 0, 0, 3, 0, "", 0},
    };
    CHECK_ALL(list);
}

/* An HTLC: OP_IF hash lock, key OP_ELSE time, key OP_ENDIF. And a branch without OP_ELSE, and one in another. */
static void test_branches(void **state)
{
    (void)state;
#define HTLC                                                                                                           \
    "63" SHA256_OF_ABC "88" KEY "6704"                                                                                 \
    "00e1f505"                                                                                                         \
    "b175" KEY "68ac"
    static const struct expected list[] = {
        {SIG ABC "51", HTLC, UNLOCK_SIGNATURE_PREIMAGE, 1, 0, 1, 1, 0, 0, "1", 0},
        {SIG "00", HTLC, UNLOCK_SIGNATURE, 1, 0, 0, 0, 1, 0, "0", 1},
        {"00",
         "637568"
         "51",
         UNLOCK_NOTHING, 0, 0, 0, 0, 1, 0, "0", 0},
        {SIG "51"
             "00",
         "63"
         "51"
         "67"
         "64" KEY "ac"
         "67" KEY "ac"
         "68"
         "68",
         UNLOCK_SIGNATURE, 1, 0, 0, 1, 1, 0, "00", 0},
        {SIG "00"
             "00",
         "63"
         "51"
         "67"
         "64" KEY "ac"
         "67" KEY "ac"
         "68"
         "68",
         UNLOCK_SIGNATURE, 1, 0, 0, 0, 2, 0, "01", 0},
    };
    CHECK_ALL(list);
}

/* A disabled operation, and an end that is false: the pushes do not tell, so their looks decide. */
static void test_unknown_branches(void **state)
{
    (void)state;
    static const struct expected list[] = {
        {SIG "51",
         "63" KEY "ac"
         "67"
         "7e"
         "68"
         "7e",
         UNLOCK_SIGNATURE, 1, 0, 0, 1, 0, 0, "?", 0},
        {SIG "51",
         "63"
         "0067"
         "51"
         "68",
         UNLOCK_SIGNATURE, 1, 0, 0, 1, 0, 0, "?", 0},
    };
    CHECK_ALL(list);
}

/* A key of a hash is no preimage, and bytes that look like a key are one where a hash lock alone asks for them. */
static void test_keys_and_preimages(void **state)
{
    (void)state;
    static const struct expected list[] = {
        {SIG KEY, "76a914751e76e8199196d454941c45d1b3a323f1433bd688ac", UNLOCK_SIGNATURE, 1, 1, 0, 0, 0, 0, "", 0},
        {KEY,
         "a914751e76e8199196d454941c45d1b3a323f1433bd68751"
         "9a",
         UNLOCK_PREIMAGE, 0, 0, 1, 0, 0, 0, "", 0},
        /* the key of G by its RIPEMD-160, SHA-1, SHA-256, HASH256; in a part of an OP_IF; OP_CHECKSIGVERIFY */
        {SIG KEY, "76a614" RIPEMD160_OF_G "88ac", UNLOCK_SIGNATURE, 1, 1, 0, 0, 0, 0, "", 0},
        {SIG KEY, "76a714" SHA1_OF_G "88ac", UNLOCK_SIGNATURE, 1, 1, 0, 0, 0, 0, "", 0},
        {SIG KEY, "76a820" SHA256_OF_G "88ac", UNLOCK_SIGNATURE, 1, 1, 0, 0, 0, 0, "", 0},
        {SIG KEY, "76aa20" HASH256_OF_G "88ac", UNLOCK_SIGNATURE, 1, 1, 0, 0, 0, 0, "", 0},
        {SIG KEY "51", "6376a820" SHA256_OF_G "88670068ac", UNLOCK_SIGNATURE, 1, 1, 0, 1, 0, 0, "1", 0},
        {SIG KEY, "76a820" SHA256_OF_G "88ad51", UNLOCK_SIGNATURE, 1, 1, 0, 0, 0, 0, "", 0},
        /* compared, and no key of anything: a preimage, used twice */
        {ABC,
         "76" SHA256_OF_ABC "8882"
         "5387",
         UNLOCK_PREIMAGE, 0, 0, 1, 0, 0, 0, "", 0},
        /* the key's hash, and a preimage too */
        {SIG KEY ABC, SHA256_OF_ABC "8876a820" SHA256_OF_G "88ac", UNLOCK_SIGNATURE_PREIMAGE, 1, 1, 1, 0, 0, 0, "", 0},
        /* a hash of a hash, and of that */
        {ABC, "a8a820" SHA256_TWICE_OF_ABC "87", UNLOCK_PREIMAGE, 0, 0, 1, 0, 0, 0, "", 0},
        {ABC, "a8a820" SHA256_TWICE_OF_ABC "8851", UNLOCK_PREIMAGE, 0, 0, 1, 0, 0, 0, "", 0},
        {ABC, "a8a614" HASH160_OF_ABC "87", UNLOCK_PREIMAGE, 0, 0, 1, 0, 0, 0, "", 0},
        {SIG KEY, "76a8a614751e76e8199196d454941c45d1b3a323f1433bd688ac", UNLOCK_SIGNATURE, 1, 1, 0, 0, 0, 0, "", 0},
    };
    CHECK_ALL(list);
}

static void test_cut(void **state)
{
    (void)state;
    struct unlock got = unlocked("4d0200ab", "51");
    assert_false(got.whole);
    assert_int_equal(got.by, UNLOCK_OTHER);
    got = unlocked("61"
                   "51",
                   "51"); /* an operation in a scriptSig, which old blocks have */
    assert_int_equal(got.operations, 1);
    assert_int_equal(got.by, UNLOCK_NOTHING);
}

/* Every script and every scriptSig of two bytes ends, and no branch is longer than its room (sanitizer). */
static void test_all_short(void **state)
{
    (void)state;
    for (unsigned s = 0; s < 0x10000; s++) {
        uint8_t script[2] = {(uint8_t)s, (uint8_t)(s >> 8)}, shown[3] = {0x51, (uint8_t)(s * 7), 0x52};
        struct unlock unlock;
        unlock_read(pushes_of_script(shown, s % 4), script, 2, false, &unlock);
        assert_true(unlock.by < UNLOCKS);
        assert_true(strlen(unlock.branch) <= 1);
    }
}

/* A script of as many OP_IF as it may have, one of more, and a stack that grows beyond what a run follows. */
static void test_limits(void **state)
{
    (void)state;
    uint8_t script[400] = {0}, shown[200];
    struct unlock unlock;
    memset(shown, 0x51, sizeof shown);
    for (size_t i = 0; i < 100; i++) {
        script[2 * i] = 0x63;
        script[2 * i + 1] = 0x68;
    }
    script[200] = 0x51;
    unlock_read(pushes_of_script(shown, 60), script, 100, false, &unlock); /* 50 of them */
    assert_int_equal(strlen(unlock.branch), 50);
    unlock_read(pushes_of_script(shown, 200), script, 201, false, &unlock);
    assert_string_equal(unlock.branch, "?");
    assert_int_equal(unlock.numbers, 200);
    uint8_t *many = calloc(1, 4000000);
    unlock_read(pushes_of_script(many, 4000000), script, 201, false, &unlock);
    assert_int_equal(unlock.nothing, 4000000);
    unlock_read(pushes_of_script(shown, 1), many, 4000000, false, &unlock);
    assert_int_equal(unlock.by, UNLOCK_OTHER);
    free(many);
}

static void test_witness(void **state)
{
    (void)state;
    uint8_t witness[] = {2, 3, 'a', 'b', 'c', 0}, script[64];
    struct unlock unlock;
    size_t size = from_hex("75" SHA256_OF_ABC "87", script);
    unlock_read(pushes_of_witness(witness, sizeof witness), script, size, false, &unlock);
    assert_int_equal(unlock.by, UNLOCK_PREIMAGE);
    assert_int_equal(unlock.preimages, 1);
    assert_int_equal(unlock.nothing, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_spend),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_branches),
        cmocka_unit_test(test_unknown_branches),
        cmocka_unit_test(test_keys_and_preimages),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_all_short),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_witness),
    };
    return cmocka_run_group_tests_name("unlock", tests, NULL, NULL);
}
