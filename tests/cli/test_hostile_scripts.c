/* ScriptSigs and witnesses that are as long, as many-pieced or as broken as a block lets them be, through unlocks,
 * keys, ties and show; what they cost is counted, as bytes read and allocations. And the outputs and input of a pair of
 * real transactions. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "parser/bytes.h"
#include "parser/mem.h"
#include "parser/sha256.h"
#include "tests/parser/hex.h"
#include "tests/support/command.h"
#include "tests/support/dir.h"
#include "tests/support/handmade.h"
#include "tests/support/table.h"

static int set_up(void **state)
{
    (void)state;
    temp_dir_in_memory();
    dir = temp_dir();
    make_dirs(path_of("%s/data/blocks", dir));
    return 0;
}

/* ---- scripts ---- */

enum { NO_BYTES, KEYS, PREIMAGES, ONE_PUSH, CUT_PUSH, CUT_LENGTH, NO_SCRIPT, SPENDS };

static void repeat(struct buffer *to, const void *bytes, size_t size, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        add(to, bytes, size);
}

/* A scriptSig with some `n` items, or bytes. */
static void add_script_sig(struct buffer *to, unsigned which, uint32_t n)
{
    static const uint8_t key[34] = {33, 2, 7};
    static const uint8_t preimage[] = {5, 'u', 'n', 'k', 't', 'x'};
    struct buffer script = {0};
    uint8_t one[5] = {0x4e};
    switch (which) {
    case NO_BYTES: repeat(&script, "\0", 1, 200 * n); break;
    case KEYS: repeat(&script, key, sizeof key, n); break;
    case PREIMAGES: repeat(&script, preimage, sizeof preimage, n); break;
    case ONE_PUSH:
        store_le32(one + 1, 200 * n);
        add(&script, one, sizeof one);
        repeat(&script, "\x30", 1, 200 * n);
        break;
    case CUT_PUSH:
        store_le32(one + 1, UINT32_MAX);
        repeat(&script, "\x51", 1, n);
        add(&script, one, sizeof one);
        break;
    case CUT_LENGTH: add(&script, "\x51\x4d\xff", 3); break;
    default: break;
    }
    add_count(to, (uint32_t)script.size);
    if (script.size > 0)
        add(to, script.bytes, script.size);
    buffer_free(&script);
}

/* A transaction whose outputs all have one script, a hash lock of "unktx". */
static struct hash256 add_locks(struct buffer *block, uint32_t outputs)
{
    uint8_t output[8 + 1 + 35] = {0, 0, 0, 0, 0, 0, 0, 0, 35, 0xa8, 32};
    struct buffer tx = {0};
    static const struct hash256 elsewhere = {{3}};
    sha256((const uint8_t *)"unktx", 5, output + 11);
    output[43] = 0x87;
    add_u32(&tx, 1);
    add_count(&tx, 1);
    add_input(&tx, &elsewhere, 0);
    add_count(&tx, outputs);
    repeat(&tx, output, sizeof output, outputs);
    add_u32(&tx, 0);
    struct hash256 txid = hash_of(&tx);
    add(block, tx.bytes, tx.size);
    buffer_free(&tx);
    return txid;
}

/* Inputs and outputs of the spender, as its txid and the block both have them. */
static void add_body(struct buffer *to, const struct hash256 *locks, uint32_t n)
{
    static const struct hash256 elsewhere = {{4}};
    add_count(to, SPENDS + 2);
    for (uint32_t i = 0; i < SPENDS; i++) {
        add(to, locks->bytes, sizeof locks->bytes);
        add_u32(to, i);
        add_script_sig(to, i, n);
        add_u32(to, i);
    }
    add_input(to, &elsewhere, 0);
    add_input(to, &elsewhere, 1);
    add_count(to, 1);
    repeat(to, "\0\0\0\0\0\0\0\0\1\x51", 10, 1);
}

/* The last two inputs have witnesses: many items, and a long one. */
static struct hash256 add_spender(struct buffer *block, const struct hash256 *locks, uint32_t n)
{
    struct buffer plain = {0};
    add_u32(&plain, 2);
    add_body(&plain, locks, n);
    add_u32(&plain, 9);
    add_u32(block, 2);
    add(block, "\0\1", 2);
    add_body(block, locks, n);
    repeat(block, "\0", 1, SPENDS);
    add_count(block, n);
    repeat(block, "\1\7", 2, n);
    add_count(block, 1);
    add_count(block, 200 * n);
    repeat(block, "\x55", 1, 200 * n);
    add_u32(block, 9);
    struct hash256 txid = hash_of(&plain);
    buffer_free(&plain);
    return txid;
}

static void run_ok(const char *format)
{
    char command[4096];
    snprintf(command, sizeof command, format, dir, dir);
    struct run run = command_run("%s", command);
    if (run.exit_status != 0)
        fail_msg("%s: %s", command, run.err);
    run_free(&run);
}

static void show_ok(const char *format, const char *txid)
{
    struct run run = command_run("show --scripts --format %s --store %s/store %s", format, dir, txid);
    if (run.exit_status != 0)
        fail_msg("%s", run.err);
    run_free(&run);
}

static void expect_cells(const struct table *rows, size_t row, const char *unlock, uint64_t empty, uint64_t keys,
                         uint64_t preimages, uint64_t data)
{
    assert_string_equal(table_get(rows, row, "unlock"), unlock);
    assert_int_equal(table_number(rows, row, table_column(rows, "empty")), empty);
    assert_int_equal(table_number(rows, row, table_column(rows, "keys")), keys);
    assert_int_equal(table_number(rows, row, table_column(rows, "preimages")), preimages);
    assert_int_equal(table_number(rows, row, table_column(rows, "data")), data);
}

/* Of the items that a stack can have no more are looked at for preimages. */
static void check_rows(uint32_t n)
{
    struct table rows = table_read(path_of("%s/unlocks.csv", dir));
    struct table keys = table_read(path_of("%s/keys.csv", dir));
    struct table hashes = table_read(path_of("%s/hashes.csv", dir));
    assert_int_equal(rows.rows, SPENDS);
    assert_int_equal(table_number(&rows, NO_BYTES, table_column(&rows, "empty")), 200 * n);
    assert_int_equal(table_number(&rows, KEYS, table_column(&rows, "keys")), n);
    assert_int_equal(table_number(&rows, PREIMAGES, table_column(&rows, "preimages")), 1000);
    assert_int_equal(table_number(&rows, ONE_PUSH, table_column(&rows, "data")), 1);
    assert_int_equal(table_number(&rows, CUT_PUSH, table_column(&rows, "numbers")), n);
    assert_int_equal(table_number(&rows, CUT_LENGTH, table_column(&rows, "numbers")), 1);
    expect_cells(&rows, NO_SCRIPT, "nothing", 0, 0, 0, 0);
    assert_int_equal(keys.rows, 300);
    assert_int_equal(hashes.rows, SPENDS);
    for (size_t r = 0; r < hashes.rows; r++)
        assert_string_equal(table_get(&hashes, r, "preimage"), "756e6b7478");
    table_free(&rows);
    table_free(&keys);
    table_free(&hashes);
}

struct cost {
    uint64_t bytes;
    long allocations;
};

/* Makes the chain and runs the commands on it. */
static struct cost run_all(uint32_t n)
{
    struct buffer file = {0}, bodies = {0};
    char hex[65] = "";
    struct hash256 tip = add_genesis(&file);
    (void)add_coinbase(&bodies, 1, 1);
    struct hash256 locks = add_locks(&bodies, SPENDS);
    tip = add_block(&file, &tip, 2, &bodies);
    bodies.size = 0;
    (void)add_coinbase(&bodies, 2, 1);
    struct hash256 spender = add_spender(&bodies, &locks, n);
    (void)add_block(&file, &tip, 2, &bodies);
    write_file(path_of("%s/data/blocks/blk00000.dat", dir), file.bytes, file.size);
    buffer_free(&file);
    buffer_free(&bodies);
    hash256_hex(&spender, hex);
    run_ok("scan --quiet --datadir %s/data --store %s/store");
    struct cost before = {bytes_read(), mem_count()};
    run_ok("unlocks --threads 2 --store %s/store -o %s/unlocks.csv");
    run_ok("keys --threads 2 --store %s/store -o %s/keys.csv");
    run_ok("keys --hashes --threads 2 --store %s/store -o %s/hashes.csv");
    run_ok("ties --threads 2 --store %s/store -o %s/ties");
    show_ok("text", hex);
    show_ok("json", hex);
    struct cost cost = {bytes_read() - before.bytes, mem_count() - before.allocations};
    check_rows(n);
    return cost;
}

static void test_hostile(void **state)
{
    (void)state;
    struct cost half = run_all(10000);
    remove_tree(path_of("%s/store", dir));
    struct cost whole = run_all(20000);
    assert_true(half.bytes > 0 || bytes_read() == 0);
    assert_in_range(whole.bytes, 0, 2 * half.bytes + 1000000);
    assert_in_range(whole.allocations, 0, 2 * half.allocations + 1000);
}

/* ---- real transactions ---- */

/* Two transactions of mainnet, whole (tests/fixtures/README.md says from where). The third output of the first is a
 * P2PKH with an OP_NOP after it (block 129,878); input 89 of the second, which has 117, spends it. */
#define CREATOR_TXID "db3f14e43fecc80eb3e0827cecce85b3499654694d12272bf91b1b2b8c33b5cb"
#define SPENDER_TXID "8ebe1df6ebf008f7ec42ccd022478c9afaec3ca0444322243b745aa2e317c272"
#define HOLDER                                                                                                         \
    "0412b80271b9e034006fd944ae4cdbdbc45ee30595c1f8961439385575f1973019b3ff615afed85a75737ff0d43cd81df74bc76004b45a6e" \
    "7"                                                                                                                \
    "c9e2d115f364da1d7"
#define HOLDER_HASH "6300bf4c5c2a724c280b893807afb976ec78a92b"
#define SPENDER_INPUTS 117u

static char *read_hex(const char *txid)
{
    size_t size, kept = 0;
    char *text = read_file(path_of("tests/fixtures/mainnet-pair/%s.hex", txid), &size);
    assert_non_null(text);
    for (size_t i = 0; i < size; i++)
        if (text[i] != '\n')
            text[kept++] = text[i];
    text[kept] = '\0';
    return text;
}

/* The bytes are those of the txid by their double SHA-256. */
static void add_real(struct buffer *block, const char *txid)
{
    char *hex = read_hex(txid), found[65] = "";
    uint8_t *bytes = malloc(strlen(hex) / 2);
    struct buffer tx = {0};
    add(&tx, bytes, from_hex(hex, bytes));
    struct hash256 hash = hash_of(&tx);
    hash256_hex(&hash, found);
    assert_string_equal(found, txid);
    add(block, tx.bytes, tx.size);
    buffer_free(&tx);
    free(bytes);
    free(hex);
}

static void expect_text(const struct table *rows, size_t row, const char *name, const char *text)
{
    if (strcmp(table_get(rows, row, name), text) != 0)
        fail_msg("%s is %s, not %s", name, table_get(rows, row, name), text);
}

static void check_pair(void)
{
    struct table rows = table_read(path_of("%s/unlocks.csv", dir));
    assert_int_equal(rows.rows, 1);
    expect_text(&rows, 0, "txid", CREATOR_TXID);
    expect_text(&rows, 0, "vout", "2");
    expect_text(&rows, 0, "spender_txid", SPENDER_TXID);
    expect_text(&rows, 0, "spender_vin", "89");
    expect_text(&rows, 0, "template", "OP_DUP OP_HASH160 <20> OP_EQUALVERIFY OP_CHECKSIG OP_NOP");
    expect_text(&rows, 0, "unlock", "signature");
    expect_text(&rows, 0, "script_sig_template", "<72> <65>");
    expect_text(&rows, 0, "strict_der", "1");
    expect_text(&rows, 0, "low_s", "1");
    expect_text(&rows, 0, "sighashes", "ALL");
    table_free(&rows);
    rows = table_read(path_of("%s/keys.csv", dir));
    assert_int_equal(rows.rows, 1);
    expect_text(&rows, 0, "key", HOLDER);
    expect_text(&rows, 0, "role", "scriptSig");
    expect_text(&rows, 0, "on_curve", "1");
    expect_text(&rows, 0, "compressed", "0");
    expect_text(&rows, 0, "p2wpkh", "");
    table_free(&rows);
    rows = table_read(path_of("%s/hashes.csv", dir));
    assert_int_equal(rows.rows, 1);
    expect_text(&rows, 0, "hash", HOLDER_HASH);
    expect_text(&rows, 0, "of_key", "1");
    expect_text(&rows, 0, "preimage", HOLDER);
    table_free(&rows);
}

/* Every input of the spender, each on a line of the fixture: outpoint, scriptSig with its size before it, sequence. */
static void check_inputs(const char *json)
{
    size_t size, inputs = 0;
    char *text = read_file(path_of("tests/fixtures/mainnet-pair/%s.hex", SPENDER_TXID), &size);
    const char *at = json;
    for (char *line = strchr(text, '\n'); line && inputs < SPENDER_INPUTS; inputs++) {
        char *end = strchr(++line, '\n'), wanted[512];
        snprintf(wanted, sizeof wanted, "\"script_sig_hex\":\"%.*s\"", (int)(end - line) - 74 - 8, line + 74);
        at = strstr(at, wanted);
        if (!at)
            fail_msg("input %zu has no %s", inputs, wanted);
        line = end;
    }
    assert_int_equal(inputs, SPENDER_INPUTS);
    free(text);
}

static void test_real_pair(void **state)
{
    (void)state;
    struct buffer file = {0}, bodies = {0};
    struct hash256 tip = add_genesis(&file);
    (void)add_coinbase(&bodies, 1, 1);
    add_real(&bodies, CREATOR_TXID);
    add_real(&bodies, SPENDER_TXID);
    (void)add_block(&file, &tip, 3, &bodies);
    write_file(path_of("%s/data/blocks/blk00000.dat", dir), file.bytes, file.size);
    buffer_free(&file);
    buffer_free(&bodies);
    run_ok("scan --quiet --datadir %s/data --store %s/store");
    run_ok("unlocks --store %s/store -o %s/unlocks.csv");
    run_ok("keys --store %s/store -o %s/keys.csv");
    run_ok("keys --hashes --store %s/store -o %s/hashes.csv");
    check_pair();
    struct run run = command_run("show --scripts --format json --store %s/store " SPENDER_TXID, dir);
    if (run.exit_status != 0)
        fail_msg("%s", run.err);
    check_inputs(run.out);
    run_free(&run);
    run = command_run("show --scripts --store %s/store " CREATOR_TXID, dir);
    assert_int_equal(run.exit_status, 0);
    assert_non_null(strstr(run.out, "OP_DUP OP_HASH160 " HOLDER_HASH " OP_EQUALVERIFY OP_CHECKSIG OP_NOP"));
    run_free(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_hostile, set_up, remove_dir),
        cmocka_unit_test_setup_teardown(test_real_pair, set_up, remove_dir),
    };
    return cmocka_run_group_tests_name("hostile_scripts", tests, NULL, NULL);
}
