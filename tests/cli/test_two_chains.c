/* two_chains: a scan and an index in one folder are of one chain. The fixtures regtest-xor and dup-txid share only the
 * genesis block. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "tests/support/dir.h"
#include "tests/support/run.h"

static const char one[] = "tests/fixtures/regtest-xor", two[] = "tests/fixtures/dup-txid";

/* The command over the other chain is refused and says what is there; over the first one it goes on. */
static void check_refused(const char *command, const char *what, const char *store)
{
    struct run run = unktx_expect(1, "%s --quiet --datadir %s --store %s/%s", command, two, dir, store);
    if (!strstr(run.err, what) || !strstr(run.err, "another chain") || !strstr(run.err, "choose another --store"))
        fail_msg("%s said: %s", command, run.err);
    run_free(&run);
    unktx_ok("%s --quiet --datadir %s --store %s/%s", command, one, dir, store);
    unktx_ok("check --store %s/%s", dir, store);
}

static void test_index_after_scan(void **state)
{
    (void)state;
    unktx_ok("scan --quiet --datadir %s --store %s/a", one, dir);
    check_refused("index", "the store there", "a");
}

static void test_scan_after_index(void **state)
{
    (void)state;
    unktx_ok("index --quiet --datadir %s --store %s/b", one, dir);
    check_refused("scan", "the index there", "b");
}

/* Only the genesis block was there: no chain yet, so none that differs. */
static void test_genesis_alone(void **state)
{
    (void)state;
    unktx_ok("scan --quiet --to-height 0 --datadir %s --store %s/c", one, dir);
    /* 3: a block of that fixture has no parent in its files */
    struct run run = unktx_expect(3, "index --quiet --datadir %s --store %s/c", two, dir);
    run_free(&run);
}

/* As an earlier release made them: the scan of one chain beside the index of the other. */
static void test_old_mixture(void **state)
{
    (void)state;
    unktx_ok("scan --quiet --datadir %s --store %s/d", one, dir);
    unktx_ok("index --quiet --datadir %s --store %s/e", two, dir);
    copy_file(path_of("%s/d/data.mdb", dir), path_of("%s/e/data.mdb", dir));
    struct run run = unktx_expect(1, "check --store %s/e", dir);
    assert_non_null(strstr(run.err, "two chains"));
    run_free(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_index_after_scan),
        cmocka_unit_test(test_scan_after_index),
        cmocka_unit_test(test_genesis_alone),
        cmocka_unit_test(test_old_mixture),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
