/* A scan beside a node that writes: blocks whose parents are not there yet. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/command.h"
#include "tests/support/run.h"

static char *dir;
static char blocks[300]; /* its blocks folder */

static const char *blk(unsigned number) { return path_of("%s/blk%05u.dat", blocks, number); }

static unsigned waits; /* of the scan, since `late` was set */
static bool late;      /* the node writes its last file in the next of them */

/* In place of the C library's: what happens while the scan waits, whatever the machine's speed. */
int nanosleep(const struct timespec *time, struct timespec *rest)
{
    waits++;
    if (late)
        copy_file(path_of("%s/whole", dir), blk(1));
    late = false;
    return clock_nanosleep(CLOCK_REALTIME, 0, time, rest);
}

/* A node writes the parents of blocks after these: the last file, of which there are so many bytes yet (SIZE_MAX: it is
 * not there), is whole when the scan looks again. */
static void check_late(size_t size)
{
    size_t whole;
    char *bytes = read_file(path_of("%s/whole", dir), &whole);
    unlink(blk(1));
    if (size < whole)
        write_file(blk(1), bytes, size);
    free(bytes);
    waits = 0;
    late = true;
    struct run run = command_run("scan --datadir %s/data --store %s/late-%zu", dir, dir, size);
    if (run.exit_status != 0 || !strstr(run.err, "height 260, tip "))
        fail_msg("%s", run.err);
    assert_int_equal(waits, 1);
    run_free(&run);
}

static void test_node_at_work(void **state)
{
    (void)state;
    dir = temp_dir();
    snprintf(blocks, sizeof blocks, "%s/data/regtest/blocks", dir);
    struct records records = records_read("tests/fixtures/regtest-xor/regtest/blocks");
    size_t last = records.count - 20;
    /* the last 20 records stand before the 20 in front of them, which begin a file */
    for (size_t i = 0; i < 20; i++) {
        struct record record = records.list[last - 20 + i];
        records.list[last - 20 + i] = records.list[last + i];
        records.list[last + i] = record;
    }
    records_write(&records, blocks, last, NULL);
    records_free(&records);
    copy_file(blk(1), path_of("%s/whole", dir));
    check_late(SIZE_MAX);
    check_late(3000);
    remove_tree(dir);
    free(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_node_at_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
