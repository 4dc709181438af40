/* tx --scripts and show --scripts: the genesis block's coinbase, which every network but testnet4 shares (its
 * bytes are in Core's chainparams.cpp), and a chain whose files are gone. tests/unlocks.sh holds many more
 * transactions against a parser in Python. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/run.h"

#define GENESIS "4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b"
#define SCRIPT_SIG                                                                                                     \
    "04ffff001d0104455468652054696d65732030332f4a616e2f32303039204368616e63656c6c6f72206f6e206272696e6b206f6620736563" \
    "6"                                                                                                                \
    "f6e64206261696c6f757420666f722062616e6b73"
#define KEY                                                                                                            \
    "04678afdb0fe5548271967f1a67130b7105cd6a828e03909a67962e0ea1f61deb649f6bc3f4cef38c4f35504e51ec112de5c384df7ba0b8d" \
    "5"                                                                                                                \
    "78a4c702b6bf11d5f"

static const char *const commands[] = {"tx --scripts", "show --scripts", "show --scripts"};
static const char *const stores[] = {"indexed", "indexed", "bare"};
static char *place;

static int scan(void **state)
{
    (void)state;
    place = temp_dir();
    copy_bundled_chain(path_of("%s/node", place));
    unktx_ok("scan --quiet --datadir %s/node --store %s/bare", place, place);
    unktx_ok("scan --quiet --datadir %s/node --store %s/indexed", place, place);
    unktx_ok("index --quiet --datadir %s/node --store %s/indexed", place, place);
    return 0;
}

static int clean(void **state)
{
    (void)state;
    remove_tree(place);
    free(place);
    return 0;
}

static void expect(const struct run *run, const char *text)
{
    if (!strstr(run->out, text))
        fail_msg("no '%s' in:\n%s", text, run->out);
}

static void test_json(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct run run = unktx_expect(0, "%s --format json --store %s/%s " GENESIS, commands[i], place, stores[i]);
        expect(&run, ",\"version\":1,\"locktime\":0,");
        expect(&run, "{\"vin\":0,\"coinbase\":true,\"sequence\":4294967295,\"script_sig_hex\":\"" SCRIPT_SIG
                     "\",\"script_sig_asm\":\"486604799 4 ");
        expect(&run, ",\"witness\":[]}");
        expect(&run, ",\"script_hex\":\"41" KEY "ac\",\"script_asm\":\"" KEY " OP_CHECKSIG\",\"address\":null");
        run_free(&run);
    }
}

static void test_text(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct run run = unktx_expect(0, "%s --store %s/%s " GENESIS, commands[i], place, stores[i]);
        expect(&run, "    version 1, lock time 0\n");
        expect(&run, "    input 0: coinbase\n      sequence 4294967295\n      scriptSig, hex: " SCRIPT_SIG "\n");
        expect(&run, "      script, hex: 41" KEY "ac\n      script, asm: " KEY " OP_CHECKSIG\n");
        run_free(&run);
    }
}

/* An unknown output's script stands once, with --scripts as without. */
static void test_script_stands_once(void **state)
{
    (void)state;
    struct run list = unktx_expect(0, "outputs --store %s/bare --rules core-22 -o -", place);
    char txid[65] = "", *row = strchr(list.out, '\n');
    assert_non_null(row);
    assert_int_equal(sscanf(row, "%*[^,],%*[^,],%64[0-9a-f]", txid), 1);
    struct run run = unktx_expect(0, "show --store %s/bare --scripts %s", place, txid);
    assert_null(strstr(run.out, "\n      script ")); /* that of the output, in asm alone */
    assert_non_null(strstr(run.out, "      script, asm: "));
    run_free(&run);
    run = unktx_expect(0, "show --store %s/bare %s", place, txid);
    assert_non_null(strstr(run.out, "      script "));
    run_free(&run);
    run_free(&list);
}

/* A clear error, and all else as without --scripts. */
static void test_files_gone(void **state)
{
    (void)state;
    struct run plain = unktx_expect(0, "tx --format json --store %s/indexed " GENESIS, place);
    struct run shown = unktx_expect(0, "show --format json --store %s/bare " GENESIS, place);
    unlink(path_of("%s/node/regtest/blocks/blk00000.dat", place));
    struct run run = unktx_expect(3, "tx --scripts --format json --store %s/indexed " GENESIS, place);
    assert_string_equal(run.out, plain.out);
    assert_non_null(strstr(run.err, "has no blk00000.dat"));
    run_free(&run);
    run = unktx_expect(3, "show --scripts --format json --store %s/bare " GENESIS, place);
    assert_string_equal(run.out, shown.out);
    assert_non_null(strstr(run.err, "has no blk00000.dat"));
    run_free(&run);
    run_free(&shown);
    rename(path_of("%s/node", place), path_of("%s/moved", place));
    run = unktx_expect(3, "tx --scripts --format json --store %s/indexed " GENESIS, place);
    assert_string_equal(run.out, plain.out);
    assert_non_null(strstr(run.err, "scripts are left out"));
    run_free(&run);
    run_free(&plain);
    plain = unktx_expect(0, "show --store %s/bare " GENESIS, place);
    run = unktx_expect(3, "show --scripts --store %s/bare " GENESIS, place);
    assert_string_equal(run.out, plain.out);
    assert_non_null(strstr(run.err, "the blk files are not where the store was made from"));
    run_free(&run);
    run_free(&plain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_json), cmocka_unit_test(test_text),
                                       cmocka_unit_test(test_script_stands_once), cmocka_unit_test(test_files_gone)};
    return cmocka_run_group_tests_name("tx_scripts", tests, scan, clean);
}
