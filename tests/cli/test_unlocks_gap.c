/* unlocks where the chain of the files ends at a gap: the blocks below it are read again, after a second scan too. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <unistd.h>

#include "tests/support/run.h"
#include "tests/support/table.h"

static void expect_all_read(const char *path)
{
    struct table rows = table_read(path);
    assert_true(rows.rows > 1000);
    for (size_t r = 0; r < rows.rows; r++)
        assert_string_not_equal(table_get(&rows, r, "unlock"), "");
    table_free(&rows);
}

static void test_gap(void **state)
{
    (void)state;
    char *place = temp_dir();
    copy_bundled_chain(path_of("%s/node", place));
    unlink(path_of("%s/node/regtest/blocks/blk00015.dat", place));
    for (unsigned scan = 0; scan < 2; scan++) {
        struct run run = unktx_expect(3, "scan --quiet --datadir %s/node --store %s/store", place, place);
        run_free(&run);
        unktx_ok("unlocks --rules core-22 --store %s/store -o %s/%u.csv", place, place, scan);
        expect_all_read(path_of("%s/%u.csv", place, scan));
    }
    remove_tree(place);
    free(place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_gap)};
    return cmocka_run_group_tests_name("unlocks at a gap", tests, NULL, NULL);
}
