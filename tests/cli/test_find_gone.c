/* unktx find where an address is mistyped, and where the blk files of payers and payees are gone or damaged. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "parser/address.h"
#include "tests/support/run.h"
#include "tests/support/table.h"

#define CHAIN "tests/fixtures/regtest-xor"

static char *dir;
static struct table payers, payees, tdags;

static int set_up(void **state)
{
    (void)state;
    dir = temp_dir();
    unktx_ok("scan --quiet --datadir " CHAIN " --store %s/store", dir);
    unktx_ok("index --quiet --datadir " CHAIN " --store %s/store", dir);
    unktx_ok("dags --rules core-22 --store %s/store -o %s/tables", dir, dir);
    payers = table_read(path_of("%s/tables/payers.csv", dir));
    payees = table_read(path_of("%s/tables/payees.csv", dir));
    tdags = table_read(path_of("%s/tables/tdags.csv", dir));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    table_free(&payers);
    table_free(&payees);
    table_free(&tdags);
    remove_tree(dir);
    free(dir);
    return 0;
}

/* Of an address each character changed is none. */
static void test_checksums(void **state)
{
    (void)state;
    static const char others[] = "qz27";
    size_t seen[2] = {0, 0};
    for (size_t r = 0; r < payees.rows && (seen[0] < 2 || seen[1] < 2); r++) {
        char address[ADDRESS_SIZE_MAX + 1];
        snprintf(address, sizeof address, "%s", table_get(&payees, r, "address"));
        bool bech32 = strncmp(address, "bcrt1", 5) == 0;
        if (!*address || seen[bech32]++ >= 2)
            continue;
        for (size_t i = bech32 ? 5 : 1; i < strlen(address); i += 7) {
            char whole = address[i];
            address[i] = others[(i + (others[i % 4] == whole)) % 4];
            struct run run = unktx_expect(2, "find %s --store %s/store", address, dir);
            assert_non_null(strstr(run.err, "is no address (with its checksum)"));
            run_free(&run);
            address[i] = whole;
        }
    }
    assert_true(seen[0] >= 2 && seen[1] >= 2);
}

static void expect_cannot_be_said(const char *address, const char *store, const char *why)
{
    struct run run = unktx_expect(3, "find %s --rules core-22 --format csv --store %s/%s", address, dir, store);
    const char *const parts[] = {why, "were not searched: ", "so it cannot be said whether anything under core-22 has"};
    for (size_t i = 0; i < 3; i++)
        if (!strstr(run.err, parts[i]))
            fail_msg("find %s: no '%s' in %s", address, parts[i], run.err);
    assert_null(strstr(run.err, "nothing under"));
    run_free(&run);
}

/* The address of a payer that no unknown output has. */
static void find_payer(char address[ADDRESS_SIZE_MAX + 1])
{
    for (size_t r = 0; r < payers.rows && !*address; r++) {
        const char *payer = table_get(&payers, r, "address");
        struct run run = unktx("find %s --rules core-22 --format csv --store %s/moving", payer, dir);
        if (*payer && !strstr(run.out, "\noutput,"))
            snprintf(address, ADDRESS_SIZE_MAX + 1, "%s", payer);
        run_free(&run);
    }
    assert_string_not_equal(address, "");
}

/* What lies in blk files that are gone or damaged is not said to be nowhere, and the cause is named. */
static void test_blk_files_gone(void **state)
{
    (void)state;
    char blocks[600], address[ADDRESS_SIZE_MAX + 1] = "";
    snprintf(blocks, sizeof blocks, "%s/node/regtest/blocks", dir);
    copy_bundled_chain(path_of("%s/node", dir));
    unktx_ok("scan --quiet --datadir %s/node --store %s/moving", dir, dir);
    unktx_ok("index --quiet --datadir %s/node --store %s/moving", dir, dir);
    find_payer(address);
    for (int file = 0; path_exists(path_of("%s/blk%05d.dat", blocks, file)); file++)
        write_file(path_of("%s/blk%05d.dat", blocks, file), "", 0);
    expect_cannot_be_said(address, "moving", "the file ends within a block");
    size_t size;
    char *key = read_file(path_of("%s/xor.dat", blocks), &size);
    copy_bundled_chain(path_of("%s/node", dir));
    write_file(path_of("%s/xor.dat", blocks), key, 2);
    expect_cannot_be_said(address, "moving", "xor.dat");
    struct run run = unktx_expect(3, "dags --rules core-22 --store %s/moving -o %s/keyless", dir, dir);
    assert_non_null(strstr(run.err, "xor.dat"));
    assert_non_null(strstr(run.err, "how outputs were unlocked is left out"));
    assert_null(strstr(run.err, "not where"));
    assert_same_file(path_of("%s/keyless/txs.csv", dir), path_of("%s/tables/txs.csv", dir));
    run_free(&run);
    remove_tree(blocks);
    expect_cannot_be_said(address, "moving", "blocks");
    run = unktx_expect(3, "dags --rules core-22 --store %s/moving -o %s/gone", dir, dir);
    assert_same_file(path_of("%s/keyless/payers.csv", dir), path_of("%s/gone/payers.csv", dir));
    run_free(&run);
    run = unktx_expect(3, "find %s --rules core-22 --store %s/moving", table_get(&tdags, 0, "dag"), dir);
    assert_non_null(strstr(run.out, "tdag by name"));
    assert_null(strstr(run.err, "cannot be said"));
    run_free(&run);
    free(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_checksums), cmocka_unit_test(test_blk_files_gone)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
