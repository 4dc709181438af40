/* `scan --partial` of odd chains: with two transactions of one txid, and with a gap between genesis and the first
 * block. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/command.h"
#include "tests/support/dir.h"
#include "tests/support/run.h"
#include "tests/support/table.h"

static void expect_success(struct run run)
{
    if (run.exit_status != 0)
        fail_msg("%d: %s", run.exit_status, run.err);
    run_free(&run);
}

/* The inputs of both transactions of block 106 spend coinbases of blocks below 8 (truth/inputs.csv), whose txids blocks
 * from 8 on have once more, above the spenders. */
static void test_txid_twice(void **state)
{
    (void)state;
    uint32_t found = 0;
    expect_success(command_run("scan --quiet --datadir tests/fixtures/dup-txid --store %s/a --from-height 8", dir));
    expect_success(command_run("check --store %s/a", dir));
    expect_success(command_run("dags --no-unlocks --store %s/a -o %s/out", dir, dir));
    struct table tdags = table_read(path_of("%s/out/tdags.csv", dir));
    for (size_t row = 0; row < tdags.rows; row++) {
        if (table_number(&tdags, row, table_column(&tdags, "first_height")) != 106)
            continue;
        assert_int_equal(table_number(&tdags, row, table_column(&tdags, "inputs_before")), 1);
        found++;
    }
    assert_int_equal(found, 2);
    table_free(&tdags);
}

/* File 10 of the fixture has the blocks of heights 136 to 139: what its loss leaves out is told, once. */
static void test_gap(void **state)
{
    (void)state;
    make_dirs(path_of("%s/data/regtest/blocks", dir));
    copy_files("tests/fixtures/regtest-xor/regtest/blocks", path_of("%s/data/regtest/blocks", dir));
    assert_int_equal(unlink(path_of("%s/data/regtest/blocks/blk00010.dat", dir)), 0);
    for (unsigned i = 0; i < 2; i++) {
        struct run run = command_run("scan --datadir %s/data --store %s/a --partial", dir, dir);
        const char *told = strstr(run.err, "heights 136 to 139 are missing (blk00010.dat is missing); the blocks from "
                                           "height 0 to 135 are there");
        assert_int_equal(run.exit_status, 0);
        assert_int_equal(told != NULL, i == 0);
        assert_non_null(strstr(run.err, "heights 140 to 260 (partial"));
        run_free(&run);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_txid_twice, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_gap, make_dir, remove_dir),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
