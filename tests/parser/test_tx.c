#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "parser/tx.h"

#include "tests/parser/chain_vectors.h"
#include "tests/parser/hex.h"

/* Reads one transaction from a copy of exact size; what is left after it goes to *left. */
static bool read_tx(const uint8_t *bytes, size_t size, uint8_t **copy, struct tx *tx, size_t *left)
{
    *copy = malloc(size ? size : 1);
    memcpy(*copy, bytes, size);
    struct cursor c = cursor_over(*copy, size);
    tx_begin(&c, tx);
    struct tx_input in;
    for (uint32_t i = 0; i < tx->inputs && cursor_ok(&c); i++)
        tx_input(&c, &in);
    tx_outputs(&c, tx);
    struct tx_output out;
    for (uint32_t i = 0; i < tx->outputs && cursor_ok(&c); i++)
        tx_output(&c, &out);
    tx_end(&c, tx);
    *left = cursor_left(&c);
    return cursor_ok(&c);
}

static const struct {
    const char *hex;
    const char *txid;
    bool segwit;
    uint32_t inputs;
    uint32_t outputs;
} txs[] = {
    {BLOCK_170_COINBASE, BLOCK_170_COINBASE_TXID, false, 1, 1},
    {BLOCK_170_PAYMENT, BLOCK_170_PAYMENT_TXID, false, 1, 2},
    {BIP143_TX, BIP143_TXID, true, 2, 2},
    {REGTEST_212_COINBASE, REGTEST_212_TXID_0, true, 1, 2},
    {REGTEST_212_SEGWIT, REGTEST_212_TXID_1, true, 2, 2},
    {REGTEST_212_PLAIN, REGTEST_212_TXID_2, false, 1, 3},
};
#define TXS (sizeof txs / sizeof *txs)

static void test_txids(void **state)
{
    (void)state;
    for (size_t i = 0; i < TXS; i++) {
        uint8_t bytes[1000], *copy;
        size_t size = from_hex(txs[i].hex, bytes), left;
        struct tx tx;
        struct hash256 txid;
        assert_true(read_tx(bytes, size, &copy, &tx, &left));
        assert_int_equal(left, 0);
        assert_ptr_equal(tx.start, copy);
        assert_ptr_equal(tx.end, copy + size);
        assert_int_equal(tx.segwit, txs[i].segwit);
        assert_int_equal(tx.inputs, txs[i].inputs);
        assert_int_equal(tx.outputs, txs[i].outputs);
        tx_id(&tx, &txid);
        assert_hash(&txid, txs[i].txid);
        free(copy);
    }
}

static void test_wtxid(void **state)
{
    (void)state;
    uint8_t bytes[1000];
    struct hash256 wtxid;
    sha256d(bytes, from_hex(BIP143_TX, bytes), &wtxid);
    assert_hash(&wtxid, BIP143_WTXID);
}

static void test_truncated(void **state)
{
    (void)state;
    for (size_t i = 0; i < TXS; i++) {
        uint8_t bytes[1000], *copy;
        for (size_t left, size = from_hex(txs[i].hex, bytes); size-- > 0;) {
            struct tx tx;
            assert_false(read_tx(bytes, size, &copy, &tx, &left));
            free(copy);
        }
    }
}

static void test_pieces(void **state)
{
    (void)state;
    uint8_t bytes[1000];
    struct cursor c = cursor_over(bytes, from_hex(BLOCK_170_PAYMENT, bytes));
    struct tx tx;
    struct tx_input in;
    struct tx_output out;
    tx_begin(&c, &tx);
    tx_input(&c, &in);
    assert_memory_equal(in.prevout, "\xc9\x97\xa5\xe5\x6e\x10\x41\x02", 8);
    assert_memory_equal(in.prevout + 32, "\0\0\0\0", 4);
    assert_int_equal(in.script_size, 72);
    assert_int_equal(in.script[0], 71);
    assert_false(tx_is_coinbase(&tx, &in));
    tx_outputs(&c, &tx);
    tx_output(&c, &out);
    assert_true(out.value_sat == 1000000000);
    assert_int_equal(out.script_size, 67);
    assert_int_equal(out.script[66], 0xac);
    tx_output(&c, &out);
    assert_true(out.value_sat == 4000000000);

    c = cursor_over(bytes, from_hex(REGTEST_212_COINBASE, bytes));
    tx_begin(&c, &tx);
    tx_input(&c, &in);
    assert_true(tx_is_coinbase(&tx, &in));
    tx.inputs = 2;
    assert_false(tx_is_coinbase(&tx, &in));
}

static bool accepted(const char *hex)
{
    uint8_t bytes[1000], *copy;
    struct tx tx;
    size_t left, size = from_hex(hex, bytes);
    bool ok = read_tx(bytes, size, &copy, &tx, &left) && left == 0;
    free(copy);
    return ok;
}

#define INPUT                                                                                                          \
    "0000000000000000000000000000000000000000000000000000000000000000"                                                 \
    "00000000"                                                                                                         \
    "00"                                                                                                               \
    "ffffffff"
#define OUTPUT                                                                                                         \
    "0100000000000000"                                                                                                 \
    "00"

/* What Core's UnserializeTransaction takes around the marker. */
static void test_marker(void **state)
{
    (void)state;
    assert_true(accepted("01000000"
                         "01" INPUT "01" OUTPUT "00000000"));
    assert_true(accepted("01000000"
                         "0001"
                         "01" INPUT "01" OUTPUT "0100"
                         "00000000")); /* one empty item */
    assert_true(accepted("01000000"
                         "0001"
                         "02" INPUT INPUT "01" OUTPUT "00"
                         "01"
                         "0155"
                         "00000000"));
}

/* What it refuses. */
static void test_wrong_marker(void **state)
{
    (void)state;
    assert_false(accepted("01000000"
                          "0001"
                          "01" INPUT "01" OUTPUT "00"
                          "00000000")); /* superfluous witness */
    assert_false(accepted("01000000"
                          "0001"
                          "00"
                          "01" OUTPUT "00000000"));
    assert_false(accepted("01000000"
                          "0000"
                          "00000000"));
    /* parsed by Core, but CheckTransaction lets none without outputs or inputs into a block */
    assert_false(accepted("01000000"
                          "01" INPUT "00"
                          "00000000"));
    assert_false(accepted("01000000"
                          "0001"
                          "01" INPUT "00"
                          "0100"
                          "00000000"));
    assert_false(accepted("01000000"
                          "0001"
                          "00"
                          "00"
                          "00000000"));
    assert_false(accepted("01000000"
                          "0002"
                          "01" INPUT "01" OUTPUT "0100"
                          "00000000"));
    assert_false(accepted("01000000"
                          "0003"
                          "01" INPUT "01" OUTPUT "0100"
                          "00000000"));
    assert_false(accepted("01000000"
                          "fd0100" INPUT "01" OUTPUT "00000000")); /* count not in its shortest form */
    assert_false(accepted("01000000"
                          "01" INPUT "fe01000000" OUTPUT "00000000"));
}

/* Counts that claim far more than the bytes hold: reading must end with the bytes. */
static void test_hostile_counts(void **state)
{
    (void)state;
    assert_false(accepted("01000000"
                          "fe00000002" INPUT "01" OUTPUT "00000000"));
    assert_false(accepted("01000000"
                          "01" INPUT "fe00000002" OUTPUT "00000000"));
    assert_false(accepted("01000000"
                          "0001"
                          "01" INPUT "01" OUTPUT "fe00000002"
                          "00"
                          "00000000"));
    assert_false(accepted("01000000"
                          "0001"
                          "01" INPUT "01" OUTPUT "01"
                          "fe00000002"
                          "00000000"));
    assert_false(accepted("01000000"
                          "ffffffffffffffffff" INPUT "01" OUTPUT "00000000"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_txids),          cmocka_unit_test(test_wtxid),  cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_pieces),         cmocka_unit_test(test_marker), cmocka_unit_test(test_wrong_marker),
        cmocka_unit_test(test_hostile_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
