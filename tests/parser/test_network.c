/* Genesis hashes are checked by hashing the genesis headers of Core's chain parameters (time, bits, nonce, merkle
 * root), which all have version 1 and no predecessor. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "parser/block.h"
#include "parser/network.h"
#include "parser/sha256.h"

#define SATOSHI_ROOT "4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b"

static const struct {
    const char *name;
    const char *folder;
    const char *root;
    uint32_t magic; /* as printed, first byte first */
    uint32_t time;
    uint32_t bits;
    uint32_t nonce;
} facts[] = {
    {"main", "", SATOSHI_ROOT, 0xf9beb4d9, 1231006505, 0x1d00ffff, 2083236893},
    {"testnet3", "testnet3", SATOSHI_ROOT, 0x0b110907, 1296688602, 0x1d00ffff, 414098458},
    {"testnet4", "testnet4", "7aa0a7ae1e223414cb807e40cd57e667b718e42aaf9306db9102fe28912b7b4e", 0x1c163f28, 1714777860,
     0x1d00ffff, 393743547},
    {"signet", "signet", SATOSHI_ROOT, 0x0a03cf40, 1598918400, 0x1e0377ae, 52613770},
    {"regtest", "regtest", SATOSHI_ROOT, 0xfabfb5da, 1296688602, 0x207fffff, 2},
};
#define FACTS (sizeof facts / sizeof *facts)

static void test_genesis_headers_hash_to_the_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < FACTS; i++) {
        uint8_t header[BLOCK_HEADER_SIZE] = {0};
        struct hash256 root, hash;
        assert_true(hash256_parse(facts[i].root, &root));
        store_le32(header, 1);
        memcpy(header + 36, root.bytes, HASH256_SIZE);
        store_le32(header + 68, facts[i].time);
        store_le32(header + 72, facts[i].bits);
        store_le32(header + 76, facts[i].nonce);
        sha256d(header, sizeof header, &hash);
        const struct network *network = network_by_name(facts[i].name);
        assert_non_null(network);
        assert_memory_equal(&hash, &network->genesis, sizeof hash);
    }
}

static void test_each_network_is_found_by_each_key(void **state)
{
    (void)state;
    for (unsigned i = 0; i < FACTS; i++) {
        const struct network *network = network_at(i);
        uint8_t magic[4];
        store_be32(magic, facts[i].magic);
        assert_string_equal(network->name, facts[i].name);
        assert_string_equal(network->folder, facts[i].folder);
        assert_ptr_equal(network_by_name(facts[i].name), network);
        assert_ptr_equal(network_by_magic(magic), network);
        assert_ptr_equal(network_by_genesis(&network->genesis), network);
    }
    assert_null(network_at(FACTS));
}

static void test_strangers_are_not_found(void **state)
{
    (void)state;
    struct hash256 hash = network_at(0)->genesis;
    hash.bytes[31] ^= 1;
    assert_null(network_by_name("mainnet"));
    assert_null(network_by_name(""));
    assert_null(network_by_magic((const uint8_t[4]){0xf9, 0xbe, 0xb4, 0xd8}));
    assert_null(network_by_genesis(&hash));
}

static void test_labels_name_magics(void **state)
{
    (void)state;
    char out[NETWORK_LABEL_SIZE];
    assert_string_equal(network_label((const uint8_t[4]){0xfa, 0xbf, 0xb5, 0xda}, out), "regtest");
    assert_string_equal(network_label((const uint8_t[4]){0x01, 0xbf, 0x00, 0xda}, out), "signet-01bf00da");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_genesis_headers_hash_to_the_table),
        cmocka_unit_test(test_each_network_is_found_by_each_key),
        cmocka_unit_test(test_strangers_are_not_found),
        cmocka_unit_test(test_labels_name_magics),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
