/* Real transactions of each protocol, from the public test data of deadmanoz/data-carry-research, and what
 * https://deadmanoz.xyz ("P2MS Data Carry Part 1") says of three more. The names are those of these sources. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "parser/mem.h"
#include "parser/protocol.h"
#include "parser/tx.h"
#include "tests/parser/hex.h"
#include "tests/parser/protocol_vectors.h"

#define BYTES_MAX 8192u

/* The protocols of the outputs, a word for each with a comma between two: what the transaction shows, else what the
 * output does. The bytes are an exact copy, so that a sanitizer sees what is read beyond. */
static void names_of(const uint8_t *bytes, size_t size, char *out)
{
    struct protocol_tx found;
    struct cursor c = cursor_over(bytes, size);
    struct tx tx;
    struct tx_input in;
    struct tx_output output;
    protocol_tx_begin(&found, bytes, size);
    tx_begin(&c, &tx);
    for (uint32_t i = 0; i < tx.inputs; i++)
        tx_input(&c, &in);
    tx_outputs(&c, &tx);
    *out = '\0';
    for (uint32_t i = 0; i < tx.outputs; i++) {
        tx_output(&c, &output);
        assert_true(cursor_ok(&c));
        enum protocol of_tx = protocol_tx_next(&found, output.script, output.script_size);
        assert_true(of_tx < PROTOCOLS_OF_TX);
        enum kind kind = script_kind(output.script, output.script_size);
        enum protocol protocol = protocol_of_output(of_tx, kind, output.script, output.script_size);
        out += sprintf(out, "%s%s", i > 0 ? "," : "", protocol_name(protocol));
    }
}

static void expect_names(const char *hex, const char *expected)
{
    char names[1024];
    static uint8_t bytes[BYTES_MAX];
    assert_true(strlen(hex) / 2 <= sizeof bytes);
    size_t size = from_hex(hex, bytes);
    uint8_t *copy = malloc(size);
    memcpy(copy, bytes, size);
    names_of(copy, size, names);
    free(copy);
    assert_string_equal(names, expected);
}

static void test_real(void **state)
{
    (void)state;
    expect_names(TX_SRC20_1E20A653, ",stamps,stamps,,");
    expect_names(TX_COUNTERPARTY_PLAIN_DA3ED1EF, ",counterparty,");
    expect_names(TX_COUNTERPARTY_PLAIN_585F50F1, ",counterparty,");
    expect_names(TX_COUNTERPARTY_A63EE2B1, "counterparty,counterparty,counterparty,");
    expect_names(TX_CHANCECOIN_A9B505F1, ",chancecoin,chancecoin");
    expect_names(TX_OMNI_0937F162, ",,omni");
    expect_names(TX_OMNI_15309186, ",omni,omni,omni,omni,omni,omni,");
    expect_names(TX_PPK_A72D797A, "ppk,,");
    expect_names(TX_MULTISIG_CD27C98D, "");
}

/* ---- what a description gives: the first input's txid and scripts ---- */

static char *begin_tx(char *hex, const char *first_txid, unsigned outputs)
{
    hex += sprintf(hex, "0100000001");
    for (size_t i = 64; i > 0; i -= 2)
        hex += sprintf(hex, "%.2s", first_txid + i - 2);
    return hex + sprintf(hex, "0000000000ffffffff%02x", outputs);
}

static char *add_output(char *hex, const char *script)
{
    return hex + sprintf(hex, "1603000000000000%02x%s", (unsigned)strlen(script) / 2, script);
}

static void test_described(void **state)
{
    (void)state;
    char hex[2 * BYTES_MAX], *at = begin_tx(hex, SRC20_EB96A65E_INPUT, 3);
    at = add_output(at, "0014da3f1e13b7f233373967f0ba3f6a5c0a1d000000");
    at = add_output(at, SRC20_EB96A65E_SCRIPT_1);
    at = add_output(at, SRC20_EB96A65E_SCRIPT_2);
    strcpy(at, "00000000");
    expect_names(hex, ",stamps,stamps");

    at = begin_tx(hex, STAMP_54FDEDA9_INPUT, 3); /* a message of Counterparty that goes on from output to output */
    at = add_output(at, STAMP_54FDEDA9_SCRIPT_1);
    at = add_output(at, STAMP_54FDEDA9_SCRIPT_2);
    at = add_output(at, STAMP_54FDEDA9_SCRIPT_3);
    strcpy(at, "00000000");
    expect_names(hex, "stamps,stamps,stamps");
}

/* Under another txid the same outputs show nothing: burn keys are all that is left to see. */
static void test_other_input(void **state)
{
    (void)state;
    char hex[2 * BYTES_MAX], *at = begin_tx(hex, STAMP_54FDEDA9_INPUT, 2);
    at = add_output(at, SRC20_EB96A65E_SCRIPT_1);
    at = add_output(at, SRC20_EB96A65E_SCRIPT_2);
    strcpy(at, "00000000");
    expect_names(hex, "key-burn,key-burn");
}

/* ---- planted ---- */

/* A second RC4, as its inventor's description became public in 1994. */
static void second_rc4(const uint8_t *key, size_t key_size, uint8_t *data, size_t size)
{
    uint8_t s[256], swap;
    unsigned i, j = 0;
    for (i = 0; i < 256; i++)
        s[i] = (uint8_t)i;
    for (i = 0; i < 256; i++) {
        j = (j + s[i] + key[i % key_size]) % 256;
        swap = s[i], s[i] = s[j], s[j] = swap;
    }
    i = j = 0;
    for (size_t n = 0; n < size; n++) {
        i = (i + 1) % 256;
        j = (j + s[i]) % 256;
        swap = s[i], s[i] = s[j], s[j] = swap;
        data[n] ^= s[(s[i] + s[j]) % 256];
    }
}

#define TXID "00112233445566778899aabbccddeeff0123456789abcdef0123456789abcdef"
#define KEY "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
#define BURN "030303030303030303030303030303030303030303030303030303030303030303"

/* The script of an output with that message after CNTRPRTY, in `keys` - 1 keys of `key_size` bytes and a last one. */
static void put_message(const char *message, unsigned keys, size_t key_size, const char *last, char *hex)
{
    uint8_t txid[32], chunk[2048] = {0};
    size_t room = (keys - 1) * (key_size - 2);
    from_hex(TXID, txid);
    chunk[0] = (uint8_t)(8 + strlen(message));
    memcpy(chunk + 1, "CNTRPRTY", 8);
    memcpy(chunk + 9, message, strlen(message));
    second_rc4(txid, sizeof txid, chunk, room);
    hex += sprintf(hex, "51");
    for (unsigned k = 0; k + 1 < keys; k++) {
        hex += sprintf(hex, "%02x%s", (unsigned)key_size, key_size == 33 ? "02" : "04");
        for (size_t i = 0; i < key_size - 2; i++)
            hex += sprintf(hex, "%02x", chunk[k * (key_size - 2) + i]);
        hex += sprintf(hex, "00");
    }
    hex += sprintf(hex, "21%s", last);
    sprintf(hex, keys > 16 ? "01%02xae" : "%02xae", keys > 16 ? keys : 0x50 + keys);
}

/* Outputs with these messages, up to a NULL. */
static void expect_messages(const char *const *messages, unsigned keys, size_t key_size, const char *last,
                            const char *expected)
{
    static char hex[2 * BYTES_MAX], script[4096];
    unsigned count = 0;
    while (messages[count])
        count++;
    char *at = begin_tx(hex, TXID, count);
    for (unsigned i = 0; i < count; i++) {
        put_message(messages[i], keys, key_size, last, script);
        size_t size = strlen(script) / 2;
        at += sprintf(at, size < 0xfd ? "1603000000000000%02zx" : "1603000000000000fd%02zx%02zx", size & 255,
                      size >> 8);
        at += sprintf(at, "%s", script);
    }
    strcpy(at, "00000000");
    expect_names(hex, expected);
}

static void test_counterparty(void **state)
{
    (void)state;
    const char *const two[] = {"message", "another", NULL};
    for (unsigned keys = 2; keys <= 20; keys++) {
        expect_messages(two, keys, 33, KEY, "counterparty,counterparty");
        expect_messages(two, keys, 65, KEY, "counterparty,counterparty");
    }
    expect_messages((const char *const[]){"", NULL}, 3, 33, KEY, "counterparty");
}

/* The word counts wherever it is, also where one output has its first half and the next the rest. */
static void test_stamps(void **state)
{
    (void)state;
    expect_messages((const char *const[]){"STAMP:iVBOR", NULL}, 3, 33, KEY, "stamps");
    expect_messages((const char *const[]){"x stamps:", NULL}, 3, 33, KEY, "stamps");
    expect_messages((const char *const[]){"stampStamp:", NULL}, 3, 33, KEY, "stamps");
    expect_messages((const char *const[]){"sstamp:", NULL}, 3, 33, KEY, "stamps");
    expect_messages((const char *const[]){"first", "sta", "mp:", NULL}, 3, 33, KEY, "stamps,stamps,stamps");
    expect_messages((const char *const[]){"stamp", NULL}, 3, 33, KEY, "counterparty");
    expect_messages((const char *const[]){"stampss:", "stam:", NULL}, 3, 33, KEY, "counterparty,counterparty");
    expect_messages((const char *const[]){"message", NULL}, 3, 33, BURN, "stamps");
}

static void expect_alone(const char *hex, const char *expected)
{
    uint8_t script[512];
    size_t size = from_hex(hex, script);
    enum kind kind = script_kind(script, size);
    assert_string_equal(protocol_name(protocol_of_output(PROTOCOL_NONE, kind, script, size)), expected);
}

/* What the script alone shows. 0279be... is the curve's generator; x = 5 and x = 0 belong to no point. */
static void test_alone(void **state)
{
    (void)state;
    const char *none = "0000000000000000000000000000000000000000000000000000000000000005";
    char hex[1024];
    expect_alone("21" KEY "ac", "");
    expect_alone("21" BURN "ac", "key-burn");
    sprintf(hex, "2102%sac", none);
    expect_alone(hex, "data-keys");
    sprintf(hex, "512102%s21" BURN "52ae", none);
    expect_alone(hex, "key-burn");
    sprintf(hex, "512102%s21" KEY "52ae", none);
    expect_alone(hex, "data-keys");
    expect_alone("5121" KEY "21" KEY "52ae", "");
    expect_alone("5121" KEY "04deadbeef52ae", "data-keys"); /* nonstandard, of the same form */
    expect_alone("52534b424c4f434b3a"
                 "00112233445566778899aabbccddeeff0123456789abcdef0123456789abcdef",
                 "rsk");
    expect_alone("52534b", "");
    expect_alone("6a0b52534b424c4f434b3a0000", ""); /* nulldata has its names in known-scripts.tsv */
    expect_alone("76a914000102030405060708090a0b0c0d0e0f1011121388ac", "");
    expect_alone("", "");
    expect_alone("ae", "");
}

/* Takes in the bytes, which may be anything, and asks for what outputs there are: what is said is in range. They are
 * an exact copy, so that a sanitizer sees what is read beyond. */
static void take_any(const uint8_t *bytes, size_t size)
{
    struct protocol_tx found;
    struct tx tx;
    struct tx_input in;
    struct tx_output output;
    uint8_t *copy = malloc(size);
    memcpy(copy, bytes, size);
    struct cursor c = cursor_over(copy, size);
    protocol_tx_begin(&found, copy, size);
    tx_begin(&c, &tx);
    for (uint32_t i = 0; i < tx.inputs && cursor_ok(&c); i++)
        tx_input(&c, &in);
    tx_outputs(&c, &tx);
    for (uint32_t i = 0; i < tx.outputs && cursor_ok(&c); i++) {
        tx_output(&c, &output);
        if (cursor_ok(&c))
            assert_true(protocol_tx_next(&found, output.script, output.script_size) < PROTOCOLS_OF_TX);
    }
    free(copy);
}

/* Cut at every byte, and with each byte changed: whatever is said, nothing outside is read. */
static void test_hostile(void **state)
{
    (void)state;
    static const char *const hex[] = {TX_SRC20_1E20A653, TX_COUNTERPARTY_A63EE2B1, TX_CHANCECOIN_A9B505F1,
                                      TX_OMNI_0937F162, TX_PPK_A72D797A};
    static uint8_t bytes[BYTES_MAX];
    for (size_t v = 0; v < sizeof hex / sizeof *hex; v++) {
        size_t size = from_hex(hex[v], bytes);
        for (size_t cut = 0; cut <= size; cut++)
            take_any(bytes, cut);
        for (size_t at = 0; at < size; at++) {
            bytes[at] ^= 0xff;
            take_any(bytes, size);
            bytes[at] ^= 0xff;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_real),        cmocka_unit_test(test_described),
                                       cmocka_unit_test(test_other_input), cmocka_unit_test(test_counterparty),
                                       cmocka_unit_test(test_stamps),      cmocka_unit_test(test_alone),
                                       cmocka_unit_test(test_hostile)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
