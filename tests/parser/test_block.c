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

#include "tests/parser/chain_vectors.h"
#include "tests/parser/hex.h"

static const struct {
    const char *hex, *hash;
    uint32_t txs, inputs, outputs;
} blocks[] = {
    {GENESIS_BLOCK, GENESIS_HASH, 1, 1, 1},
    {BLOCK_170, BLOCK_170_HASH, 2, 2, 3},
    {REGTEST_212, REGTEST_212_HASH, 3, 4, 7},
};
#define BLOCKS (sizeof blocks / sizeof *blocks)

static enum block_flaw verify(const uint8_t *block, size_t size)
{
    struct block_verifier verifier = {0};
    struct block_counts counts, counted;
    enum block_flaw flaw = block_verify(&verifier, block, size, &counts);
    if (flaw != BLOCK_MALFORMED && flaw != BLOCK_NOMEM) {
        assert_int_equal(block_count(block, size, &counted), STATUS_OK);
        assert_memory_equal(&counts, &counted, sizeof counts);
    }
    block_verifier_free(&verifier);
    return flaw;
}

/* ---- walking ---- */

static void test_header(void **state)
{
    (void)state;
    uint8_t block[1000];
    struct block_header header;
    from_hex(BLOCK_170, block);
    block_header_read(block, &header);
    assert_hash(&header.prev, "000000002a22cfee1f2c846adbd12b3e183d4f97683f85dad08a79780a84bd55");
    assert_hash(&header.merkle_root, "7dac2c5666815c17a3b36427de37bb9d2e2c5ccec3f8633eb91a4205cb4c10ff");
    assert_int_equal(header.time, 1231731025);
    assert_int_equal(header.bits, 0x1d00ffff);
}

static void test_counts(void **state)
{
    (void)state;
    uint8_t block[1000];
    struct block_counts counts;
    for (size_t i = 0; i < BLOCKS; i++) {
        assert_int_equal(block_count(block, from_hex(blocks[i].hex, block), &counts), STATUS_OK);
        assert_int_equal(counts.txs, blocks[i].txs);
        assert_int_equal(counts.inputs, blocks[i].inputs);
        assert_int_equal(counts.outputs, blocks[i].outputs);
    }
    /* of the regtest block, by hand: OP_TRUE, commitment | taproot, v1 | p2wpkh, 03 0196d0 ed.., p2wpkh */
    assert_int_equal(counts.kind_count[KIND_NONSTANDARD], 2);
    assert_int_equal(counts.kind_count[KIND_NULLDATA], 1);
    assert_int_equal(counts.kind_count[KIND_WITNESS_V1_TAPROOT], 1);
    assert_int_equal(counts.kind_count[KIND_WITNESS_V0_KEYHASH], 2);
    assert_int_equal(counts.kind_count[KIND_WITNESS_UNKNOWN], 1);
    assert_int_equal(counts.unknown_txs[RULES_CORE_0_18], 2);
    assert_int_equal(counts.unknown_txs[RULES_CORE_22], 2);
    assert_int_equal(block_count(block, from_hex(BLOCK_170, block), &counts), STATUS_OK);
    assert_int_equal(counts.kind_count[KIND_PUBKEY], 3);
    assert_true(counts.kind_value_sat[KIND_PUBKEY] == 10000000000);
    assert_int_equal(counts.unknown_txs[RULES_CORE_0_18], 0);
    assert_int_equal(counts.unknown_txs[RULES_CORE_0_19], 2);
    assert_int_equal(counts.unknown_txs[RULES_CORE_22], 2);
}

struct seen {
    char text[1000];
    unsigned calls, refuse_at; /* refuse_at: the call that returns false, 0 for none */
};

static bool note(struct seen *seen, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    size_t used = strlen(seen->text);
    vsnprintf(seen->text + used, sizeof seen->text - used, format, args);
    va_end(args);
    return ++seen->calls != seen->refuse_at;
}

static bool on_input(void *context, const struct tx_input *in, uint32_t vin)
{
    return note(context, "i%u:%u ", vin, in->script_size);
}

static bool on_output(void *context, const struct tx_output *out, uint32_t vout, enum kind kind, unsigned unknown)
{
    return note(context, "o%u:%llu:%u:%u ", vout, (unsigned long long)out->value_sat, (unsigned)kind, unknown);
}

static bool on_tx(void *context, const struct tx *tx, uint32_t index, unsigned unknown)
{
    return note(context, "t%u:%u:%u ", index, (unsigned)(tx->end - tx->start), unknown);
}

static const struct block_visitor visitor = {on_input, on_output, on_tx};

static void test_visitor(void **state)
{
    (void)state;
    uint8_t block[1000];
    size_t size = from_hex(BLOCK_170, block);
    struct block_counts counts;
    struct seen seen = {0};
    assert_int_equal(block_walk(block, size, &counts, &visitor, &seen), STATUS_OK);
    assert_string_equal(seen.text,
                        "i0:7 o0:5000000000:2:6 t0:134:6 i0:72 o0:1000000000:2:6 o1:4000000000:2:6 t1:275:6 ");
    for (unsigned call = 1; call <= 7; call++) {
        seen = (struct seen){.refuse_at = call};
        assert_int_equal(block_walk(block, size, &counts, &visitor, &seen), STATUS_NOMEM);
        assert_int_equal(seen.calls, call);
    }
}

static void test_wrong_lengths(void **state)
{
    (void)state;
    for (size_t i = 0; i < BLOCKS; i++) {
        uint8_t block[1000] = {0};
        size_t whole = from_hex(blocks[i].hex, block);
        for (size_t size = 0; size <= whole + 1; size++) {
            uint8_t *copy = malloc(size ? size : 1);
            memcpy(copy, block, size);
            struct block_counts counts;
            struct seen seen = {0};
            uint32_t height;
            bool right = size == whole;
            assert_int_equal(block_count(copy, size, &counts), right ? STATUS_OK : STATUS_FORMAT);
            assert_int_equal(block_walk(copy, size, &counts, &visitor, &seen), right ? STATUS_OK : STATUS_FORMAT);
            assert_int_equal(verify(copy, size) == BLOCK_FINE, right);
            (void)block_bip34_height(copy, size, &height); /* must not read outside */
            free(copy);
        }
    }
    uint8_t empty[81] = {0};
    struct block_counts counts;
    assert_int_equal(block_count(empty, 81, &counts), STATUS_FORMAT); /* no transaction */
}

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
    for (size_t i = 0; i < BLOCKS; i++) {
        size_t size = from_hex(blocks[i].hex, block);
        struct hash256 hash;
        sha256d(block, BLOCK_HEADER_SIZE, &hash);
        assert_hash(&hash, blocks[i].hash);
        assert_string_equal(block_flaw_text(verify(block, size)), "ok");
    }
}

/* All bits of all bytes. At the regtest difficulty a changed header is often another valid one, except for its merkle
 * root; at mainnet's it never is. */
static void test_changed_bytes(void **state)
{
    (void)state;
    for (size_t i = 0; i < BLOCKS; i++) {
        uint8_t block[1000];
        size_t size = from_hex(blocks[i].hex, block);
        bool easy = strcmp(blocks[i].hash, REGTEST_212_HASH) == 0;
        for (size_t at = 0; at < size; at++)
            for (unsigned bit = 0; bit < 8; bit++) {
                block[at] ^= (uint8_t)(1 << bit);
                enum block_flaw flaw = verify(block, size);
                block[at] ^= (uint8_t)(1 << bit);
                bool says_nothing = easy && (at < 36 || (at >= 68 && at < BLOCK_HEADER_SIZE));
                if (flaw == BLOCK_FINE && !says_nothing)
                    fail_msg("%s: bit %u of byte %zu changed and not noticed", blocks[i].hash, bit, at);
                if (at >= BLOCK_HEADER_SIZE)
                    assert_true(flaw == BLOCK_MALFORMED || flaw == BLOCK_BAD_MERKLE || flaw == BLOCK_BAD_COMMITMENT);
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
#define NULL32 "0000000000000000000000000000000000000000000000000000000000000000"
#define COINBASE_INPUT                                                                                                 \
    "01" NULL32 "ffffffff"                                                                                             \
    "0151"                                                                                                             \
    "ffffffff"
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

/* ---- target and height ---- */

static bool meets(const char *reversed_hex, uint32_t bits)
{
    struct hash256 hash;
    assert_true(hash256_parse(reversed_hex, &hash));
    return block_meets_target(&hash, bits);
}

/* The examples of Core's arith_uint256 tests (bignum_SetCompact): a target is met by itself, not by one more. */
static void test_target(void **state)
{
    (void)state;
    static const struct {
        uint32_t bits;
        const char *target, *above;
    } valid[] = {
        {0x01123456, "0000000000000000000000000000000000000000000000000000000000000012",
         "0000000000000000000000000000000000000000000000000000000000000013"},
        {0x02123456, "0000000000000000000000000000000000000000000000000000000000001234",
         "0000000000000000000000000000000000000000000000000000000000001235"},
        {0x03123456, "0000000000000000000000000000000000000000000000000000000000123456",
         "0000000000000000000000000000000000000000000000000000000000123457"},
        {0x04123456, "0000000000000000000000000000000000000000000000000000000012345600",
         "0000000000000000000000000000000000000000000000000000000012345601"},
        {0x05009234, "0000000000000000000000000000000000000000000000000000000092340000",
         "0000000000000000000000000000000000000000000000000000000092340001"},
        {0x20123456, "1234560000000000000000000000000000000000000000000000000000000000",
         "1234560000000000000000000000000000000000000000000000000000000001"},
        {0x1d00ffff, "00000000ffff0000000000000000000000000000000000000000000000000000",
         "00000000ffff0000000000000000000000000000000000000000000000000001"},
        {0x2200007f, "7f00000000000000000000000000000000000000000000000000000000000000",
         "7f00000000000000000000000000000000000000000000000000000000000001"},
        {0x21007fff, "7fff000000000000000000000000000000000000000000000000000000000000",
         "7fff000000000000000000000000000000000000000000000000000000000001"},
    };
    for (size_t i = 0; i < sizeof valid / sizeof *valid; i++) {
        assert_true(meets(valid[i].target, valid[i].bits));
        assert_true(meets(NULL32, valid[i].bits));
        assert_false(meets(valid[i].above, valid[i].bits));
    }
    /* zero, negative, too large */
    static const uint32_t invalid[] = {0,          0x00123456, 0x01003456, 0x02000056, 0x03000000,
                                       0x04000000, 0x00923456, 0x01803456, 0x04923456, 0x01fedcba,
                                       0xff123456, 0x21123456, 0x22001234, 0x23000012, 0x23000001};
    for (size_t i = 0; i < sizeof invalid / sizeof *invalid; i++)
        assert_false(meets(NULL32, invalid[i]));
}

static void test_bip34(void **state)
{
    (void)state;
    static const struct {
        const char *script; /* with its length */
        bool has;
        uint32_t height;
    } cases[] = {
        {"0151", true, 1},
        {"0160", true, 16},
        {"020111", true, 17},
        {"020110", false, 0},
        {"0100", false, 0},
        {"0302d400", true, 212},
        {"0201d4", false, 0} /* negative */,
        {"0302"
         "1100",
         false, 0},
        {"0302"
         "7f00",
         false, 0},
        {"0302"
         "8000",
         true, 128},
        {"0403"
         "ff7f00",
         false, 0},
        {"0403"
         "ff8000",
         true, 33023},
        {"0403"
         "38790d",
         true, 883000},
        {"0403"
         "24798d",
         false, 0},
        {"0504"
         "00000001",
         true, 16777216},
        {"0504"
         "ffffff7f",
         true, 2147483647},
        {"0504"
         "ffffffff",
         false, 0},
        {"0605"
         "0000000001",
         false, 0},
        {"0303"
         "0102",
         false, 0},
        {"00", false, 0},
        {"0161", false, 0},
        {"034c01d4", false, 0},
        {"0302d4", false, 0},
    };
    uint8_t block[1000];
    uint32_t height = 0;
    assert_true(block_bip34_height(block, from_hex(REGTEST_212, block), &height));
    assert_int_equal(height, 212);
    assert_false(block_bip34_height(block, from_hex(GENESIS_BLOCK, block), &height)); /* version 1 */
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char hex[500];
        memset(block, 0, BLOCK_HEADER_SIZE);
        snprintf(hex, sizeof hex,
                 "01"
                 "02000000"
                 "01" NULL32 "ffffffff"
                 "%s"
                 "ffffffff"
                 "01"
                 "0000000000000000"
                 "00"
                 "00000000",
                 cases[i].script);
        size_t size = BLOCK_HEADER_SIZE + from_hex(hex, block + BLOCK_HEADER_SIZE);
        for (uint32_t version = 1; version <= 2; version++) {
            store_le32(block, version);
            bool has = block_bip34_height(block, size, &height);
            if (has != (cases[i].has && version == 2) || (has && height != cases[i].height))
                fail_msg("version %u, script %s: %d, %u", version, cases[i].script, has, height);
        }
        block[BLOCK_HEADER_SIZE + 6] = 1; /* no null prevout: not a coinbase */
        assert_false(block_bip34_height(block, size, &height));
    }
}

/* Values that no chain allows add up modulo 2^64. */
static void test_hostile_values(void **state)
{
    (void)state;
    uint8_t block[1000] = {0};
    const char *hex = "01"
                      "02000000" COINBASE_INPUT "02"
                      "ffffffffffffffff"
                      "0151"
                      "ffffffffffffffff"
                      "0151"
                      "00000000";
    size_t size = BLOCK_HEADER_SIZE + from_hex(hex, block + BLOCK_HEADER_SIZE);
    struct block_counts counts;
    assert_int_equal(block_count(block, size, &counts), STATUS_OK);
    assert_true(counts.kind_value_sat[KIND_NONSTANDARD] == UINT64_MAX - 1);
    assert_int_equal(counts.kind_count[KIND_NONSTANDARD], 2);
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
        cmocka_unit_test(test_header),
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_visitor),
        cmocka_unit_test(test_wrong_lengths),
        cmocka_unit_test(test_good_blocks),
        cmocka_unit_test(test_changed_bytes),
        cmocka_unit_test(test_merkle_trees),
        cmocka_unit_test(test_mutated_tree),
        cmocka_unit_test(test_commitment_rules),
        cmocka_unit_test(test_last_commitment),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_target),
        cmocka_unit_test(test_bip34),
        cmocka_unit_test(test_hostile_values),
        cmocka_unit_test(test_real_blocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
