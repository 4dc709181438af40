/* `unktx scan` where block files are missing, replaced or not to be read: each is named with the way out, the chain
 * ends below the first block that is not there, and intact files later make it whole. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/cli/damaged_chain.h"
#include "tests/support/markup.h"
#include "tests/support/run.h"

static void test_missing_file(void **state)
{
    (void)state;
    for (unsigned xored = 0; xored < 2; xored++) {
        write_bad(&place.records, xored);
        assert_int_equal(unlink(path_of("%s/blk00001.dat", place.bad)), 0);
        expect_fresh_scan(3, PER_FILE - 1, "",
                          TEXTS("blk00002.dat: at byte", "blk00001.dat is missing", "ends at height 9"));
    }
    /* A folder in its place is as good as none. */
    write_bad(&place.records, false);
    assert_int_equal(unlink(path_of("%s/blk00001.dat", place.bad)), 0);
    make_dirs(path_of("%s/blk00001.dat", place.bad));
    expect_fresh_scan(3, PER_FILE - 1, "", TEXTS("blk00001.dat is missing"));
}

/* The store holds what the lost file held: it keeps that, and goes on once the file is back. */
static void test_file_lost_after_a_scan(void **state)
{
    (void)state;
    struct records records = copy_records(), most = records;
    most.count -= 5;
    remove_tree(place.store);
    write_bad(&most, false);
    expect_scan(0, tip() - 5, "", NULL);
    records.list[25].bytes[1] ^= 1;
    write_bad(&most, false);
    expect_scan(3, tip() - 5, "", TEXTS("blk00002.dat", "skipped", "ends at height 24"));
    records_free(&records);
    write_bad(&place.records, false);
    expect_scan(0, tip(), "", NULL);
}

/* Disks rot without a change of time, and what is restored keeps its own: the next scan looks again all the same. */
static void test_restored_with_its_time(void **state)
{
    (void)state;
    static const size_t places[] = {0, 4, 8, 12, 44, 76, 88, 93};
    static const struct timespec old[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000000}};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        struct records records = copy_records();
        size_t r = 8 + 3 * i;
        records.list[r].bytes[places[i]] ^= 2;
        remove_tree(place.store);
        for (unsigned whole = 0; whole < 2; whole++) {
            write_bad(whole ? &place.records : &records, false);
            for (unsigned n = 0; path_exists(path_of("%s/blk%05u.dat", place.bad, n)); n++)
                assert_int_equal(utimensat(AT_FDCWD, path_of("%s/blk%05u.dat", place.bad, n), old, 0), 0);
            expect_scan(whole ? 0 : 3, whole ? tip() : (uint32_t)r - 1, "--verify", NULL);
        }
        records_free(&records);
    }
}

/* What stands before a command for a user who may not read everything. Root may: then as another user, if the machine
 * can do that; else the test is skipped. */
static const char *as_a_user(void)
{
    if (geteuid() != 0)
        return "";
    struct run can = shell("setpriv --reuid=65534 --clear-groups $UNKTX --version");
    bool able = can.exit_status == 0;
    run_free(&can);
    if (!able) {
        print_message("skipped: root, and no other user can run the program here\n");
        skip();
    }
    assert_int_equal(chmod(place.dir, 0777), 0);
    /* the leak finder cannot look into a process of another user */
    return "ASAN_OPTIONS=detect_leaks=0 setpriv --reuid=65534 --clear-groups ";
}

static void test_unreadable_file(void **state)
{
    (void)state;
    char bad[600];
    write_bad(&place.records, false);
    snprintf(bad, sizeof bad, "%s", place.bad);
    const char *as = as_a_user();
    assert_int_equal(chmod(path_of("%s/blk00001.dat", bad), 0), 0);
    struct run run = shell("%s$UNKTX scan --quiet --datadir %s --store %s/unreadable", as, bad, place.dir);
    assert_int_equal(run.exit_status, 3);
    assert_non_null(strstr(run.err, "blk00001.dat: cannot open the file: Permission denied"));
    assert_non_null(strstr(run.err, "ends at height 9"));
    run_free(&run);
    run = shell("%s$UNKTX blocks %s > /dev/null", as, bad);
    assert_int_equal(run.exit_status, 3);
    assert_non_null(strstr(run.err, "blk00001.dat: cannot open the file: Permission denied"));
    run_free(&run);
    run = shell("%s$UNKTX blocks %s/blk00001.dat", as, bad);
    assert_int_equal(run.exit_status, 1);
    run_free(&run);
    /* The first file is no better: but then there is no chain. */
    assert_int_equal(chmod(path_of("%s/blk00000.dat", bad), 0), 0);
    run = shell("%s$UNKTX scan --quiet --datadir %s --store %s/unreadable-2", as, bad, place.dir);
    assert_int_equal(run.exit_status, 1);
    assert_non_null(strstr(run.err, "blk00000.dat: cannot open the file: Permission denied"));
    run_free(&run);
    assert_int_equal(chmod(path_of("%s/blk00000.dat", bad), 0644), 0);
    assert_int_equal(chmod(path_of("%s/blk00001.dat", bad), 0644), 0);
    run = shell("%s$UNKTX scan --quiet --datadir %s --store %s/unreadable", as, bad, place.dir);
    assert_int_equal(run.exit_status, 0);
    run_free(&run);
    assert_int_equal(store_blocks(path_of("%s/unreadable", place.dir)), tip() + 1);
}

static void expect_failure(const char *datadir, const char *text)
{
    struct run run = unktx_expect(1, "scan --quiet --datadir %s --store %s/none", datadir, place.dir);
    if (!strstr(run.err, text))
        fail_msg("no \"%s\" in: %s", text, run.err);
    run_free(&run);
    assert_int_equal(store_blocks(path_of("%s/none", place.dir)), 0);
}

static void test_no_data_directory(void **state)
{
    (void)state;
    char folder[600];
    expect_failure(path_of("%s/nowhere", place.dir), "no such folder");
    snprintf(folder, sizeof folder, "%s/empty", place.dir);
    make_dirs(folder);
    expect_failure(folder, "no blk*.dat");
    write_file(path_of("%s/readme.txt", folder), "hello", 5);
    write_file(path_of("%s/blk1.dat", folder), "hello", 5);
    expect_failure(folder, "no blk*.dat");
    make_dirs(path_of("%s/blocks", folder));
    expect_failure(folder, "has no blk*.dat");
    write_file(path_of("%s/blocks/blk00000.dat", folder), "", 0);
    expect_failure(folder, "no block record");
    write_file(path_of("%s/blocks/blk00000.dat", folder), "hello, I am no block", 20);
    expect_failure(folder, "no block record");
    expect_failure("/dev/null", "");
    for (size_t size = 0; size < 20; size++) {
        if (size == 8)
            continue;
        write_bad(&place.records, true);
        write_file(path_of("%s/xor.dat", place.bad), "12345678901234567890", size);
        expect_failure(place.bad, "xor.dat: the XOR key has");
    }
    /* A wrong key of the right size: the files show their own. */
    write_file(path_of("%s/xor.dat", place.bad), "12345678", 8);
    expect_failure(place.bad, "XORed with the key");
}

/* Scan and index meet the same damaged block, which the node wrote at byte 18745 with its frame: one place, told once
 * and counted once. */
static void test_told_once(void **state)
{
    (void)state;
    static const char where[] = "blk00005.dat: at byte 18745: ";
    char file[600];
    snprintf(file, sizeof file, "%s/told/regtest/blocks/blk00005.dat", place.dir);
    copy_bundled_chain(path_of("%s/told", place.dir));
    size_t size;
    char *bytes = read_file(file, &size);
    assert_true(size > 20016);
    memset(bytes + 20000, 'A', 16);
    write_file(file, bytes, size);
    free(bytes);
    struct run run = unktx_expect(3, "analyze --index --datadir %s/told -o %s/once", place.dir, place.dir);
    assert_int_equal(count_of(run.err, ": at byte "), 1);
    assert_int_equal(count_of(run.err, where), 1);
    assert_int_equal(count_of(run.err, "damaged and skipped"), 1);
    assert_non_null(strstr(run.err, "damaged and skipped: 1 place of"));
    run_free(&run);
    run = unktx_expect(3, "index --datadir %s/told --store %s/index-alone", place.dir, place.dir);
    assert_int_equal(count_of(run.err, where), 1);
    run_free(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_missing_file),           cmocka_unit_test(test_file_lost_after_a_scan),
        cmocka_unit_test(test_restored_with_its_time), cmocka_unit_test(test_unreadable_file),
        cmocka_unit_test(test_no_data_directory),      cmocka_unit_test(test_told_once),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
