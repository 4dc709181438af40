/* The walk over a block, its counts, targets and heights, by blocks that nodes accepted and by hand. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "parser/block.h"

#include "tests/parser/accepted_blocks.h"
#include "tests/parser/hex.h"

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
    for (size_t i = 0; i < ACCEPTED_BLOCKS; i++) {
        assert_int_equal(block_count(block, from_hex(accepted_blocks[i].hex, block), &counts), STATUS_OK);
        assert_int_equal(counts.txs, accepted_blocks[i].txs);
        assert_int_equal(counts.inputs, accepted_blocks[i].inputs);
        assert_int_equal(counts.outputs, accepted_blocks[i].outputs);
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
    unsigned calls;
    unsigned refuse_at; /* the call that returns false, 0 for none */
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
    for (size_t i = 0; i < ACCEPTED_BLOCKS; i++) {
        uint8_t block[1000] = {0};
        size_t whole = from_hex(accepted_blocks[i].hex, block);
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
        const char *target;
        const char *above;
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

static const struct {
    const char *script; /* with its length */
    bool has;
    uint32_t height;
} bip34_cases[] = {
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

static void test_bip34(void **state)
{
    (void)state;
    uint8_t block[1000];
    uint32_t height = 0;
    assert_true(block_bip34_height(block, from_hex(REGTEST_212, block), &height));
    assert_int_equal(height, 212);
    assert_false(block_bip34_height(block, from_hex(GENESIS_BLOCK, block), &height)); /* version 1 */
    for (size_t i = 0; i < sizeof bip34_cases / sizeof *bip34_cases; i++) {
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
                 bip34_cases[i].script);
        size_t size = BLOCK_HEADER_SIZE + from_hex(hex, block + BLOCK_HEADER_SIZE);
        for (uint32_t version = 1; version <= 2; version++) {
            store_le32(block, version);
            bool has = block_bip34_height(block, size, &height);
            if (has != (bip34_cases[i].has && version == 2) || (has && height != bip34_cases[i].height))
                fail_msg("version %u, script %s: %d, %u", version, bip34_cases[i].script, has, height);
        }
        block[BLOCK_HEADER_SIZE + 6] = 1; /* no null prevout: not a coinbase */
        assert_false(block_bip34_height(block, size, &height));
    }
}

/* Values that no chain allows: no sum of them wraps. */
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
    assert_true(counts.kind_value_sat[KIND_NONSTANDARD] == UINT64_MAX);
    assert_true(counts.too_much_money);
    assert_int_equal(counts.kind_count[KIND_NONSTANDARD], 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_header),         cmocka_unit_test(test_counts), cmocka_unit_test(test_visitor),
        cmocka_unit_test(test_wrong_lengths),  cmocka_unit_test(test_target), cmocka_unit_test(test_bip34),
        cmocka_unit_test(test_hostile_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
