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
#include "tests/support/trouble.h"

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

/* The commands that list the blk files before they read them end before they write, in one line, which calls nothing
 * damaged; DIR/indexed is an index of DIR/bad. */
static void expect_refusals(const char *as, const char *file)
{
    static const char *const commands[] = {
        "scan --quiet --datadir %s --store %s/refused",
        "scan --quiet --sequential --datadir %s --store %s/refused",
        "index --quiet --datadir %s --store %s/refused",
        "analyze --quiet --datadir %s -o %s/refused",
        "blocks %s -o %s/refused",
    };
    char command[1300], line[300];
    snprintf(line, sizeof line,
             "%s: Permission denied: run unktx as the user of the node, or let your group read the files\n", file);
    for (size_t i = 0; i <= sizeof commands / sizeof *commands; i++) {
        if (i < sizeof commands / sizeof *commands)
            snprintf(command, sizeof command, commands[i], place.bad, place.dir);
        else
            snprintf(command, sizeof command, "hidden --quiet --store %s/indexed -o %s/refused", place.dir, place.dir);
        struct run run = shell("%s$UNKTX %s", as, command);
        if (run.exit_status != 1 || !strstr(run.err, line) || strchr(run.err, '\n') != strrchr(run.err, '\n'))
            fail_msg("%s: exit status %d, not one line with \"%s\": %s", command, run.exit_status, line, run.err);
        assert_int_equal(run.out_size, 0);
        assert_false(path_exists(path_of("%s/refused", place.dir)));
        run_free(&run);
    }
}

/* For `unktx hidden`, as the user. What follows genesis is of no matter, and does not fit together for an index. */
static void make_index(const char *as)
{
    expect_shell(
        0, NULL,
        path_of("%s$UNKTX index --quiet --to-height 0 --datadir %s --store %s/indexed", as, place.bad, place.dir));
}

/* bitcoind makes its files with mode 600, which is no damage. Mode 0 is that for the owner too. */
static void test_refused_files(void **state)
{
    (void)state;
    char refused[100], bad[600];
    write_bad(&place.records, false);
    snprintf(bad, sizeof bad, "%s", place.bad);
    const char *as = as_a_user(place.dir);
    make_index(as);
    unsigned files = 0;
    assert_int_equal(chmod(path_of("%s/blk00001.dat", bad), 0), 0);
    expect_refusals(as, "blk00001.dat: cannot open the file");
    expect_shell(1, "cannot open the file: Permission denied: run",
                 path_of("%s$UNKTX blocks %s/blk00001.dat", as, bad));
    while (path_exists(path_of("%s/blk%05u.dat", bad, files)))
        assert_int_equal(chmod(path_of("%s/blk%05u.dat", bad, files++), 0), 0);
    assert_true(files > 2);
    snprintf(refused, sizeof refused, "blk00000.dat: cannot open the file (and %u more)", files - 1);
    expect_refusals(as, refused);
    for (unsigned n = 0; n < files; n++)
        assert_int_equal(chmod(path_of("%s/blk%05u.dat", bad, n), 0644), 0);
    struct run run = shell("%s$UNKTX scan --quiet --datadir %s --store %s/not-refused", as, bad, place.dir);
    assert_int_equal(run.exit_status, 0);
    run_free(&run);
    assert_int_equal(store_blocks(path_of("%s/not-refused", place.dir)), tip() + 1);
}

/* xor.dat and the folder are as little to be read. */
static void test_refused_folder(void **state)
{
    (void)state;
    char bad[600];
    write_bad(&place.records, true);
    snprintf(bad, sizeof bad, "%s", place.bad);
    const char *as = as_a_user(place.dir);
    make_index(as);
    assert_int_equal(chmod(path_of("%s/xor.dat", bad), 0), 0);
    expect_refusals(as, "xor.dat: cannot open the XOR key");
    assert_int_equal(chmod(path_of("%s/xor.dat", bad), 0644), 0);
    assert_int_equal(chmod(bad, 0), 0);
    expect_refusals(as, "bad/blocks: cannot open the folder");
    assert_int_equal(chmod(bad, 0755), 0);
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
        cmocka_unit_test(test_missing_file),
        cmocka_unit_test(test_file_lost_after_a_scan),
        cmocka_unit_test(test_restored_with_its_time),
        cmocka_unit_test(test_refused_files),
        cmocka_unit_test(test_refused_folder),
        cmocka_unit_test(test_no_data_directory),
        cmocka_unit_test(test_told_once),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
