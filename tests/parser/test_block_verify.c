/* Blocks that nodes accepted must pass; every change of a byte must be found. Blocks with other flaws are built here,
 * with the merkle root by its recursive definition and a proof of work at the test networks' lowest difficulty. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <glob.h>

#include "parser/block.h"
#include "parser/mem.h"

#include "tests/parser/accepted_blocks.h"
#include "tests/parser/hex.h"

/* ---- building ---- */

struct builder {
    uint8_t bytes[20000];
    size_t size;
    struct hash256 txids[40];
    uint8_t count;
};

static void build_begin(struct builder *b)
{
    memset(b, 0, sizeof *b);
    store_le32(b->bytes, 0x20000000);
    store_le32(b->bytes + 72, 0x207fffff);
    b->size = BLOCK_HEADER_SIZE + 1;
}

/* `stripped` is the transaction as the txid has it. */
static void build_tx(struct builder *b, const char *hex, const char *stripped)
{
    uint8_t bytes[2000];
    sha256d(bytes, from_hex(stripped, bytes), &b->txids[b->count++]);
    b->size += from_hex(hex, b->bytes + b->size);
}

static struct hash256 root_of(const struct hash256 *leaves, size_t count, size_t width)
{
    if (width == 1)
        return leaves[0];
    struct hash256 pair[2], root;
    size_t half = width / 2, left = count < half ? count : half;
    pair[0] = root_of(leaves, left, half);
    pair[1] = count > half ? root_of(leaves + half, count - half, half) : pair[0];
    sha256d(pair[0].bytes, 64, &root);
    return root;
}

static void mine(uint8_t *block)
{
    struct hash256 hash;
    do {
        store_le32(block + 76, load_le32(block + 76) + 1);
        sha256d(block, BLOCK_HEADER_SIZE, &hash);
    } while (hash.bytes[31] >= 0x7f);
}

static void build_end(struct builder *b)
{
    size_t width = 1;
    while (width < b->count)
        width *= 2;
    b->bytes[BLOCK_HEADER_SIZE] = b->count;
    struct hash256 root = root_of(b->txids, b->count, width);
    memcpy(b->bytes + 36, root.bytes, HASH256_SIZE);
    mine(b->bytes);
}

/* ---- verification ---- */

static void test_good_blocks(void **state)
{
    (void)state;
    uint8_t block[1000];
    for (size_t i = 0; i < ACCEPTED_BLOCKS; i++) {
        size_t size = from_hex(accepted_blocks[i].hex, block);
        struct hash256 hash;
        sha256d(block, BLOCK_HEADER_SIZE, &hash);
        assert_hash(&hash, accepted_blocks[i].hash);
        assert_string_equal(block_flaw_text(verify(block, size)), "ok");
    }
}

/* All bits of all bytes. At the regtest difficulty a changed header is often another valid one, except for its merkle
 * root; at mainnet's it never is. */
static void test_changed_bytes(void **state)
{
    (void)state;
    for (size_t i = 0; i < ACCEPTED_BLOCKS; i++) {
        uint8_t block[1000];
        size_t size = from_hex(accepted_blocks[i].hex, block);
        bool easy = strcmp(accepted_blocks[i].hash, REGTEST_212_HASH) == 0;
        for (size_t at = 0; at < size; at++)
            for (unsigned bit = 0; bit < 8; bit++) {
                block[at] ^= (uint8_t)(1 << bit);
                enum block_flaw flaw = verify(block, size);
                block[at] ^= (uint8_t)(1 << bit);
                bool says_nothing = easy && (at < 36 || (at >= 68 && at < BLOCK_HEADER_SIZE));
                if (flaw == BLOCK_FINE && !says_nothing)
                    fail_msg("%s: bit %u of byte %zu changed and not noticed", accepted_blocks[i].hash, bit, at);
                if (at >= BLOCK_HEADER_SIZE)
                    assert_true(flaw == BLOCK_MALFORMED || flaw == BLOCK_BAD_MERKLE || flaw == BLOCK_BAD_COMMITMENT ||
                                flaw == BLOCK_BAD_MONEY);
            }
        assert_int_equal(verify(block, size), BLOCK_FINE);
    }
}

static void test_merkle_trees(void **state)
{
    (void)state;
    static struct builder b;
    for (unsigned count = 1; count <= 33; count++) {
        build_begin(&b);
        for (unsigned t = 0; t < count; t++) {
            char hex[300];
            snprintf(hex, sizeof hex,
                     "%02x000000"
                     "01"
                     "%064u"
                     "00000000"
                     "00"
                     "ffffffff"
                     "01"
                     "0000000000000000"
                     "00"
                     "00000000",
                     t, 0);
            build_tx(&b, hex, hex);
        }
        build_end(&b);
        assert_int_equal(verify(b.bytes, b.size), BLOCK_FINE);
        b.bytes[b.size - 1] ^= 1;
        assert_int_equal(verify(b.bytes, b.size), BLOCK_BAD_MERKLE);
    }
}

/* Core's consensus/tx_check.cpp: no output above MAX_MONEY (21 million coins), nor all of a transaction's together, and
 * each transaction for itself. */
static void test_money(void **state)
{
    (void)state;
    static const struct {
        const char *first;
        const char *second;
        bool fine;
    } tests[] = {
        {"0040075af0750700", "0000000000000000", true}, /* 2,100,000,000,000,000 satoshi, little-endian */
        {"0140075af0750700", "0000000000000000", false},
        {"0040075af0750700", "0100000000000000", false},
        {"ff3f075af0750700", "0100000000000000", true},
        {"0000000000000080", "0000000000000080", false}, /* 2^63 twice: 0 to whoever wraps */
        {"ffffffffffffffff", "0100000000000000", false}, /* -1 to whoever reads signed numbers */
    };
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        static struct builder b;
        build_begin(&b);
        for (unsigned t = 0; t < 2; t++) {
            char hex[300];
            snprintf(hex, sizeof hex, "%02x00000001%064u0000000000ffffffff02%s00%s0000000000", t, 0, tests[i].first,
                     tests[i].second);
            build_tx(&b, hex, hex);
        }
        build_end(&b);
        assert_int_equal(verify(b.bytes, b.size), tests[i].fine ? BLOCK_FINE : BLOCK_BAD_MONEY);
    }
}

/* CVE-2012-2459: the last transactions twice give the same root. */
static void test_mutated_tree(void **state)
{
    (void)state;
    uint8_t block[1500];
    size_t size = from_hex(REGTEST_212, block);
    size += from_hex(REGTEST_212_PLAIN, block + size);
    block[BLOCK_HEADER_SIZE] = 4;
    assert_int_equal(verify(block, size), BLOCK_BAD_MERKLE);
}

#define TX_HEAD "02000000"
#define LOOKALIKE                                                                                                      \
    "0000000000000000"                                                                                                 \
    "26"                                                                                                               \
    "6a24aa21a9ed" NULL32
#define PLAIN_BODY                                                                                                     \
    "01" NULL32 "00000000"                                                                                             \
    "00"                                                                                                               \
    "ffffffff"                                                                                                         \
    "01"                                                                                                               \
    "0100000000000000"                                                                                                 \
    "0151"

static enum block_flaw flaw_of(const char *coinbase, const char *coinbase_stripped, bool with_witness_tx)
{
    static struct builder b;
    build_begin(&b);
    build_tx(&b, coinbase, coinbase_stripped);
    if (with_witness_tx)
        build_tx(&b,
                 TX_HEAD "0001" PLAIN_BODY "010155"
                         "00000000",
                 TX_HEAD PLAIN_BODY "00000000");
    else
        build_tx(&b, TX_HEAD PLAIN_BODY "00000000", TX_HEAD PLAIN_BODY "00000000");
    build_end(&b);
    return verify(b.bytes, b.size);
}

static void test_commitment_rules(void **state)
{
    (void)state;
    const char *none = TX_HEAD COINBASE_INPUT "01"
                                              "0000000000000000"
                                              "0151"
                                              "00000000";
    const char *looks = TX_HEAD COINBASE_INPUT "01" LOOKALIKE "00000000";
    const char *reserved = TX_HEAD "0001" COINBASE_INPUT "01" LOOKALIKE "0120" NULL32 "00000000";
    const char *short_item = TX_HEAD "0001" COINBASE_INPUT "01" LOOKALIKE "0101ff"
                                     "00000000";
    assert_int_equal(flaw_of(none, none, false), BLOCK_FINE);
    assert_int_equal(flaw_of(looks, looks, false), BLOCK_FINE);
    assert_int_equal(flaw_of(none, none, true), BLOCK_BAD_COMMITMENT);
    assert_int_equal(flaw_of(looks, looks, true), BLOCK_BAD_COMMITMENT);
    assert_int_equal(flaw_of(reserved, looks, true), BLOCK_BAD_COMMITMENT);
    assert_int_equal(flaw_of(reserved, looks, false), BLOCK_BAD_COMMITMENT);
    assert_int_equal(flaw_of(short_item, looks, false), BLOCK_BAD_COMMITMENT);
}

/* Of several outputs that look like the commitment the last one counts (BIP 141). The root of the witness tree of this
 * block is hash(0 | wtxid of the other transaction). */
static void test_last_commitment(void **state)
{
    (void)state;
    const char *witness_tx = TX_HEAD "0001" PLAIN_BODY "010155"
                                     "00000000";
    uint8_t bytes[500], level[64] = {0};
    struct hash256 hash;
    sha256d(bytes, from_hex(witness_tx, bytes), &hash);
    memcpy(level + 32, hash.bytes, 32);
    sha256d(level, 64, &hash);
    memset(level, 0, 64);
    memcpy(level, hash.bytes, 32);
    sha256d(level, 64, &hash);
    char commitment[65] = "", body[1000], full[1200], stripped[1200];
    for (size_t i = 0; i < 32; i++)
        sprintf(commitment + 2 * i, "%02x", hash.bytes[i]);
    for (unsigned last_is_right = 0; last_is_right < 2; last_is_right++) {
        snprintf(body, sizeof body,
                 COINBASE_INPUT "02"
                                "0000000000000000"
                                "26"
                                "6a24aa21a9ed%s"
                                "0000000000000000"
                                "26"
                                "6a24aa21a9ed%s",
                 last_is_right ? NULL32 : commitment, last_is_right ? commitment : NULL32);
        snprintf(full, sizeof full, TX_HEAD "0001%s0120" NULL32 "00000000", body);
        snprintf(stripped, sizeof stripped, TX_HEAD "%s00000000", body);
        assert_int_equal(flaw_of(full, stripped, true), last_is_right ? BLOCK_FINE : BLOCK_BAD_COMMITMENT);
    }
}

static void test_no_memory(void **state)
{
    (void)state;
    uint8_t block[1000];
    size_t size = from_hex(REGTEST_212, block);
    unsigned failures = 0;
    for (long allowed = 0;; allowed++) {
        mem_fail_after(allowed);
        enum block_flaw flaw = verify(block, size);
        mem_fail_after(-1);
        if (flaw == BLOCK_FINE)
            break;
        assert_int_equal(flaw, BLOCK_NOMEM);
        failures++;
    }
    assert_true(failures >= 2);
}

/* Records of real chains: magic, length, block. */
static void test_real_blocks(void **state)
{
    (void)state;
    glob_t found;
    if (glob("../shared/real/*/blocks/blk*.dat", 0, NULL, &found) != 0) {
        print_message("no real blocks here: skipped\n");
        skip();
    }
    unsigned good = 0;
    for (size_t f = 0; f < found.gl_pathc; f++) {
        FILE *file = fopen(found.gl_pathv[f], "rb");
        assert_non_null(file);
        uint8_t head[8];
        while (fread(head, 1, 8, file) == 8 && load_le32(head) != 0) {
            uint32_t size = load_le32(head + 4);
            assert_true(size <= BLOCK_SIZE_MAX);
            uint8_t *block = malloc(size ? size : 1);
            if (fread(block, 1, size, file) == size) {
                enum block_flaw flaw = verify(block, size);
                if (flaw != BLOCK_FINE)
                    fail_msg("%s: block %u: %s", found.gl_pathv[f], good, block_flaw_text(flaw));
                good++;
            }
            free(block);
        }
        fclose(file);
    }
    globfree(&found);
    assert_true(good > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_blocks),     cmocka_unit_test(test_changed_bytes),
        cmocka_unit_test(test_merkle_trees),    cmocka_unit_test(test_money),
        cmocka_unit_test(test_mutated_tree),    cmocka_unit_test(test_commitment_rules),
        cmocka_unit_test(test_last_commitment), cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_real_blocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
