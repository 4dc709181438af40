/* unktx find: a public key in a script is found by its P2TR address too, with the first vector of BIP 86. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "parser/address.h"
#include "parser/pubkey.h"
#include "tests/parser/hex.h"
#include "tests/support/dir.h"
#include "tests/support/handmade.h"
#include "tests/support/run.h"
#include "tests/support/table.h"

/* The key of m/86'/0'/0'/0/0 and the output key that the BIP gives for it. */
#define INTERNAL "02cc8a4bc64d897bddc5fbc2f670f7a8ba0b386779106cf1223c6fc5d7cd6fc115"
#define OUTPUT_KEY "a60869f0dbcf1dc659c9cecbaf8050135ea9e8cdc487053f1dc6880949dc684c"

/* A chain with a pubkey output of the internal key. */
static int set_up(void **state)
{
    (void)state;
    static const struct hash256 elsewhere = {{1}};
    struct buffer file = {0}, bodies = {0};
    uint8_t value[8] = {1}, script[64];
    struct hash256 tip = add_genesis(&file);
    (void)add_coinbase(&bodies, 1, 1);
    add_u32(&bodies, 1);
    add_count(&bodies, 1);
    add_input(&bodies, &elsewhere, 0);
    add_count(&bodies, 1);
    add(&bodies, value, sizeof value);
    add_count(&bodies, 35);
    add(&bodies, script, from_hex("21" INTERNAL "ac", script));
    add_u32(&bodies, 0);
    (void)add_block(&file, &tip, 2, &bodies);
    dir = temp_dir();
    make_dirs(path_of("%s/data/blocks", dir));
    write_file(path_of("%s/data/blocks/blk00000.dat", dir), file.bytes, file.size);
    buffer_free(&file);
    buffer_free(&bodies);
    unktx_ok("scan --quiet --datadir %s/data --store %s/store", dir, dir);
    return 0;
}

/* The operand finds the output, by its key; `address` is what the row says of an address. */
static void expect_found(const char *operand, const char *address)
{
    unktx_ok("find %s --rules core-22 --format csv -o %s/found.csv --store %s/store", operand, dir, dir);
    struct table rows = table_read(path_of("%s/found.csv", dir));
    assert_int_equal(rows.rows, 1);
    assert_string_equal(table_get(&rows, 0, "found"), "output");
    assert_string_equal(table_get(&rows, 0, "by"), "key");
    assert_string_equal(table_get(&rows, 0, "push"), INTERNAL);
    assert_string_equal(table_get(&rows, 0, "address"), address);
    table_free(&rows);
}

static void test_taproot(void **state)
{
    (void)state;
    char address[ADDRESS_SIZE_MAX + 1];
    uint8_t script[64];
    *address_put(address, network_by_name("regtest"), script, from_hex("5120" OUTPUT_KEY, script)) = '\0';
    expect_found(INTERNAL, "");
    if (!pubkey_has_taproot()) {
        struct run run = unktx_expect(1, "find %s --rules core-22 --store %s/store", address, dir);
        assert_non_null(strstr(run.err, "extrakeys"));
        run_free(&run);
        return;
    }
    expect_found(address, address);
    expect_found(OUTPUT_KEY, address); /* the 32 bytes stand for the address */
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_taproot)};
    return cmocka_run_group_tests(tests, set_up, remove_dir);
}
