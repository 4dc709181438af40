/* Vectors: BIP 173 and BIP 350 (in lower case), Bitcoin Core's src/test/data/key_io_valid.json, the all-zero hash. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "parser/address.h"
#include "tests/parser/hex.h"

static const struct {
    const char *network;
    const char *script;
    const char *address;
} vectors[] = {
    /* BIP 173 */
    {"main", "0014751e76e8199196d454941c45d1b3a323f1433bd6", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"},
    {"testnet3", "00201863143c14c5166804bd19203356da136c985678cd4d27a1b8c6329604903262",
     "tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k7"},
    {"testnet3", "0020000000c4a5cad46221b2a187905e5266362b99d5e91c6ce24d165dab93e86433",
     "tb1qqqqqp399et2xygdj5xreqhjjvcmzhxw4aywxecjdzew6hylgvsesrxh6hy"},
    /* BIP 350 */
    {"main", "5128751e76e8199196d454941c45d1b3a323f1433bd6751e76e8199196d454941c45d1b3a323f1433bd6",
     "bc1pw508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarvary0c5xw7kt5nd6y"},
    {"main", "6002751e", "bc1sw50qgdz25j"},
    {"main", "5210751e76e8199196d454941c45d1b3a323", "bc1zw508d6qejxtdg4y5r3zarvaryvaxxpcs"},
    {"testnet3", "5120000000c4a5cad46221b2a187905e5266362b99d5e91c6ce24d165dab93e86433",
     "tb1pqqqqp399et2xygdj5xreqhjjvcmzhxw4aywxecjdzew6hylgvsesf3hn0c"},
    {"main", "512079be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
     "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0"},
    /* Bitcoin Core */
    {"main", "76a914a31c06bd463e3923bc1aadbde48b16976c08071788ac", "1FsSia9rv4NeEwvJ2GvXrX7LyxYspbN2mo"},
    {"main", "a914373b819a068f32b7a6b38b6b38729647cfde01c287", "36j4NfKv6Akva9amjWrLG6MuSQym1GuEmm"},
    {"testnet4", "76a914ce28b26c57472737f5c3561a1761185bd8589a4388ac", "mzK2FFDEhxqHcmrJw1ysqFkVyhUULo45hZ"},
    {"testnet4", "a914ce0bba75891ff9ec60148d4bd4a09ee2dc5c933187", "2NC2hEhe28ULKAJkW5MjZ3jtTMJdvXmByvK"},
    {"signet", "76a914b4110ba93ac54afc14da3bdd19614774a2d55d2988ac", "mww4LvqtTMKvmeQvizPz2EQv26xTneWrbg"},
    {"signet", "a9145e5a35ab44b3efaea5129ba22b88ba3e2976614587", "2N1r7aC69VHeE7yQJPDLi9T1PYq4wnwvjuT"},
    {"regtest", "76a914fdeca3b08e38af53d7c4c60e3ad208ce5066441088ac", "n4fajahJrAuKbN7uNsKjLjQkz9Qn5ewJXQ"},
    {"regtest", "a91436e9f191e0b75036a77f65e2eaa4752443233fbe87", "2MxFajLApXpYk4VodBSZSt7rw8y4ryABkfA"},
    {"main", "00146100fc6343edc8c874496cb2f5bbfec88ea9b77c", "bc1qvyq0cc6rahyvsazfdje0twl7ez82ndmuac2lhv"},
    {"main", "002027304b37f70e94bc8a0fbf500e0c957a80ebda87280ef58214d92f119811acdc",
     "bc1qyucykdlhp62tezs0hagqury402qwhk589q80tqs5myh3rxq34nwqhkdhv7"},
    {"main", "51203c671ef1e3913f94980a9e146ba895908550ef4234abb7503d436521aba54c75",
     "bc1p83n3au0rjylefxq2nc2xh2y4jzz4pm6zxj4mw5pagdjjr2a9f36s6jjnnu"},
    {"main", "520250ed", "bc1z2rksukkjr8"},
    {"testnet4", "53104329bd718db46d8f021c13f1e2b0e726", "tb1rgv5m6uvdk3kc7qsuz0c79v88ycr5w4wa"},
    {"signet", "532031665447dd11f7c54759a48266adfbd78954f0071de0f8422d94f6fb43091b98",
     "tb1rx9n9g37az8mu236e5jpxdt0m67y4fuq8rhs0ss3djnm0kscfrwvq0ntlyg"},
    {"regtest", "00146f58bac9506f9bfb821d62e69330410bb56f0085", "bcrt1qdavt4j2sd7dlhqsavtnfxvzppw6k7qy97tmnu9"},
    {"regtest", "0020ecce89afb8f0bdbcab325d6e11f2aaeb549f50a9d91fb8e64c814faa685367b2",
     "bcrt1qan8gntac7z7me2ejt4hpru42ad2f759fmy0m3ejvs98656znv7eqga4uhv"},
    {"regtest", "51204b8d20316baaf061adbfe72c9d914d678cd5004d49356ec9949ba752777171ac",
     "bcrt1pfwxjqvtt4tcxrtdluukfmy2dv7xd2qzdfy6kajv5nwn4yam3wxkq3553uh"},
    {"regtest", "6028368279cbe6f5cbbc2ba8154883a9a29e5517d1f3c03cac4f39ce3225060b3efb799cd9c412746ae2",
     "bcrt1sx6p8njlx7h9mc2agz4yg82dzne23050ncq72cneeecez2pst8mahn8xecsf8g6hzx94420"},
    /* pay to anchor, as the release notes of Bitcoin Core 28 print it */
    {"main", "51024e73", "bc1pfeessrawgf"},
    {"main", "76a914000000000000000000000000000000000000000088ac", "1111111111111111111114oLvT2"},
};

static void assert_address(const struct network *network, const char *script_hex, const char *want)
{
    uint8_t script[1024];
    char text[ADDRESS_SIZE_MAX + 1];
    size_t size = from_hex(script_hex, script);
    char *end = address_put(text, network, script, size);
    assert_true(end <= text + ADDRESS_SIZE_MAX);
    *end = '\0';
    assert_string_equal(text, want);
}

static void test_vectors(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++)
        assert_address(network_by_name(vectors[i].network), vectors[i].script, vectors[i].address);
    assert_address(NULL, vectors[0].script, vectors[0].address);
}

/* Each vector is whole, in capitals too where it is Bech32, and no other with one character less or changed. */
static void test_whole(void **state)
{
    (void)state;
    /* a wrong checksum, mixed case, a letter that is none, a 1 too many */
    static const char *const broken[] = {"",
                                         "1",
                                         "bc1",
                                         "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5",
                                         "tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sL5k7",
                                         "1FsSia9rv4NeEwvJ2GvXrX7LyxYspbN2m0",
                                         "11FsSia9rv4NeEwvJ2GvXrX7LyxYspbN2mo"};
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        char text[ADDRESS_SIZE_MAX + 1];
        size_t size = strlen(vectors[i].address);
        snprintf(text, sizeof text, "%s", vectors[i].address);
        assert_true(address_is_whole(text, size));
        assert_false(address_is_whole(text, size - 1));
        char last = text[size - 1];
        text[size - 1] = last == 'q' ? 'z' : 'q';
        assert_false(address_is_whole(text, size));
        text[size - 1] = last;
        bool bech32 = strncmp(text, "bc", 2) == 0 || strncmp(text, "tb", 2) == 0;
        for (size_t c = 0; c < size; c++)
            text[c] = (char)toupper((unsigned char)text[c]);
        assert_int_equal(address_is_whole(text, size), bech32);
    }
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++)
        if (address_is_whole(broken[i], strlen(broken[i])))
            fail_msg("%s", broken[i]);
}

/* Every beginning of an address may be one, in capitals too where it is Bech32; what no address of the network has is
 * none. */
static void test_beginnings(void **state)
{
    (void)state;
    static const char *const none_of_main[] = {"", "0", "2", "m", "10", "1l", "bc", "bc2", "bc1b", "bC1q", "tb1q", "b"};
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        const char *address = vectors[i].address;
        const struct network *network = network_by_name(vectors[i].network);
        bool bech32 = strncmp(address, "bc", 2) == 0 || strncmp(address, "tb", 2) == 0;
        for (size_t size = bech32 ? 5 : 1; size <= strlen(address); size++) {
            char capitals[ADDRESS_SIZE_MAX];
            for (size_t c = 0; c < size; c++)
                capitals[c] = (char)toupper((unsigned char)address[c]);
            assert_true(address_may_begin(network, address, size));
            if (bech32)
                assert_true(address_may_begin(network, capitals, size));
        }
    }
    for (size_t i = 0; i < sizeof none_of_main / sizeof *none_of_main; i++)
        if (address_may_begin(NULL, none_of_main[i], strlen(none_of_main[i])))
            fail_msg("%s", none_of_main[i]);
}

/* Of which networks an address is, by its own; and of none: BIP 350's invalid ones (prefix, version, checksum of the
 * other kind, size, padding, no program), and an address of another chain. */
static void test_networks(void **state)
{
    (void)state;
    static const char *const of_none[] = {
        "",
        "tc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq5zuyut",
        "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd",
        "tb1z0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqglt7rf",
        "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kemeawh",
        "bc1p38j9r5y49hruaue7wxjce0updqjuyyx0kh56v8s25huc6995vvpql3jow4",
        "BC130XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ7ZWS8R",
        "bc1pw5dgrnzv",
        "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v8n0nx0muaewav253zgeav",
        "BC1QR508D6QEJXTDG4Y5R3ZARVARYV98GJ9P",
        "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v07qwwzcrf",
        "tb1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vpggkg4j",
        "bc1gmk9yu",
        "LdP8Qox1VAhCzLJNqrr74YovaWYyNBUWvL",
    };
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        const char *address = vectors[i].address;
        unsigned main = 1, regtest = 1u << 4, test = 2 | 4 | 8, expected = test | regtest;
        if (strcmp(vectors[i].network, "main") == 0)
            expected = main;
        else if (strncmp(address, "bcrt1", 5) == 0)
            expected = regtest;
        else if (strncmp(address, "tb1", 3) == 0)
            expected = test;
        assert_int_equal(address_networks(address, strlen(address)), expected);
        assert_int_equal(address_networks(address, strlen(address) - 1), 0);
    }
    for (size_t i = 0; i < sizeof of_none / sizeof *of_none; i++)
        if (address_networks(of_none[i], strlen(of_none[i])) != 0)
            fail_msg("%s", of_none[i]);
}

/* Versions and lengths that BIP 173 and 350 forbid, and the kinds that have no address in Core 22 and later. */
static void test_no_address(void **state)
{
    (void)state;
    static const char *const scripts[] = {
        "",
        "51",
        "6a",
        "6a0401020304",
        "0013751e76e8199196d454941c45d1b3a323f1433b",
        "510175",
        "5129751e76e8199196d454941c45d1b3a323f1433bd6751e76e8199196d454941c45d1b3a323f1433bd675",
        "0079be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
        "210279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798ac",
        "51210279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f8179851ae",
        "76a914000000000000000000000000000000000000000088ac61"};
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++)
        assert_address(network_by_name("main"), scripts[i], "");
}

/* The checksum as the BIPs define it for a reader: polymod over the expanded prefix and every value is the constant. */
static uint32_t checksum_of(const char *address, size_t prefix)
{
    static const uint32_t generator[5] = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3};
    static const char alphabet[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    uint8_t values[2 * ADDRESS_SIZE_MAX];
    size_t count = 0;
    for (size_t i = 0; i < prefix; i++)
        values[count++] = (uint8_t)(address[i] >> 5);
    values[count++] = 0;
    for (size_t i = 0; i < prefix; i++)
        values[count++] = address[i] & 31;
    for (const char *p = address + prefix + 1; *p; p++)
        values[count++] = (uint8_t)(strchr(alphabet, *p) - alphabet);
    uint32_t check = 1;
    for (size_t i = 0; i < count; i++) {
        uint32_t top = check >> 25;
        check = ((check & 0x1ffffff) << 5) ^ values[i];
        for (unsigned g = 0; g < 5; g++)
            if (top >> g & 1)
                check ^= generator[g];
    }
    return check;
}

/* Every version and every length of a program: a valid checksum and room for the longest. */
static void test_every_program(void **state)
{
    (void)state;
    for (unsigned version = 1; version <= 16; version++)
        for (unsigned size = 2; size <= 40; size++) {
            uint8_t script[42] = {(uint8_t)(0x50 + version), (uint8_t)size};
            char text[ADDRESS_SIZE_MAX + 1];
            for (unsigned i = 0; i < size; i++)
                script[2 + i] = (uint8_t)(i * 37 + version);
            *address_put(text, network_by_name("regtest"), script, size + 2) = '\0';
            assert_int_equal(strlen(text), 4 + 1 + 1 + (size * 8 + 4) / 5 + 6);
            assert_int_equal(checksum_of(text, 4), 0x2bc830a3);
        }
}

#define GX "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
#define GY "483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8"

static const struct {
    const char *network;
    const char *key;
    enum key_address kind;
    const char *address;
} of_keys[] = {
    {"main", "02" GX, KEY_ADDRESS_P2PKH, "1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMH"},
    {"main", "04" GX GY, KEY_ADDRESS_P2PKH, "1EHNa6Q4Jz2uvNExL497mE43ikXhwF6kZm"},
    {"main", "04" GX GY, KEY_ADDRESS_P2SH_P2WPKH, ""},
    {"main", "04" GX GY, KEY_ADDRESS_P2WPKH, ""},
    {"main", "04" GX GY, KEY_ADDRESS_P2TR, ""},
    /* BIP 173 */
    {"main", "02" GX, KEY_ADDRESS_P2WPKH, "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"},
    /* BIP 49 */
    {"testnet3", "03a1af804ac108a8a51782198c2d034b28bf90c8803f5a53f76276fa69a4eae77f", KEY_ADDRESS_P2SH_P2WPKH,
     "2Mww8dCYPUpKHofjgcXcBCEGmniw9CoaiD2"},
    /* BIP 84 */
    {"main", "0330d54fd0dd420a6e5f8d3624f5f3482cae350f79d5f0753bf5beef9c2d91af3c", KEY_ADDRESS_P2WPKH,
     "bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu"},
    /* BIP 86; x alone counts */
    {"main", "02cc8a4bc64d897bddc5fbc2f670f7a8ba0b386779106cf1223c6fc5d7cd6fc115", KEY_ADDRESS_P2TR,
     "bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr"},
    {"main", "03cc8a4bc64d897bddc5fbc2f670f7a8ba0b386779106cf1223c6fc5d7cd6fc115", KEY_ADDRESS_P2TR,
     "bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr"},
    {"main", "0283dfe85a3151d2517290da461fe2815591ef69f2b18a2ce63f01697a8b313145", KEY_ADDRESS_P2TR,
     "bc1p4qhjn9zdvkux4e44uhx8tc55attvtyu358kutcqkudyccelu0was9fqzwh"},
    {"main", "02399f1b2f4393f29a18c937859c5dd8a77350103157eb880f02e8c08214277cef", KEY_ADDRESS_P2TR,
     "bc1p3qkhfews2uk44qtvauqyr2ttdsw7svhkl9nkm9s9c3x4ax5h60wqwruhk7"},
};

static void test_of_keys(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof of_keys / sizeof *of_keys; i++) {
        uint8_t key[65];
        char text[ADDRESS_SIZE_MAX + 1];
        size_t size = from_hex(of_keys[i].key, key);
        *address_put_of_key(text, network_by_name(of_keys[i].network), key, size, of_keys[i].kind) = '\0';
        assert_string_equal(text, of_keys[i].address);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),    cmocka_unit_test(test_whole),         cmocka_unit_test(test_beginnings),
        cmocka_unit_test(test_no_address), cmocka_unit_test(test_every_program), cmocka_unit_test(test_of_keys),
        cmocka_unit_test(test_networks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
