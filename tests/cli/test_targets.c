/* Outputs: they never replace what is read, follow no link that somebody planted, keep a file's mode, and leave no
 * other file. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cli/output/outfile.h"
#include "tests/support/run.h"
#include "tests/support/stores.h"

static struct {
    char *dir;
    char data[256];
    char blocks[300];
    char store[256];
    char digest[DIGEST_SIZE + 1];
} place;

static int set_up(void **state)
{
    (void)state;
    place.dir = temp_dir();
    snprintf(place.data, sizeof place.data, "%s/data", place.dir);
    snprintf(place.blocks, sizeof place.blocks, "%s/regtest/blocks", place.data);
    snprintf(place.store, sizeof place.store, "%s/store", place.dir);
    copy_bundled_chain(place.data);
    unktx_ok("scan --quiet --datadir %s --store %s", place.data, place.store);
    unktx_ok("index --quiet --datadir %s --store %s", place.data, place.store);
    store_digest(place.store, place.digest);
    write_file(path_of("%s/patterns", place.dir), "^OP_1$\n", 7);
    assert_int_equal(symlink(place.store, path_of("%s/link", place.dir)), 0);
    assert_int_equal(symlink(path_of("%s/data.mdb", place.store), path_of("%s/file-link", place.dir)), 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    remove_tree(place.dir);
    free(place.dir);
    return 0;
}

static void expect_refused(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void expect_refused(const char *format, ...)
{
    char line[2000];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    struct run run = shell("unktx=$(realpath $UNKTX) && cd %s && $unktx %s", place.dir, line);
    bool told = strstr(run.err, "where nothing is written") || strstr(run.err, "is read by this command");
    if (run.exit_status != 1 || !told)
        fail_msg("%s: exit status %d, %s", line, run.exit_status, run.err);
    run_free(&run);
}

/* By whatever name: of the folder, below it, through a link, with dots, new or there. */
static void test_inputs_are_refused(void **state)
{
    (void)state;
    static const char *const targets[] = {"store/data.mdb",    "store/new.csv", "store/tio/data.mdb",
                                          "link/x.csv",        "file-link",     "./store/../store/x.csv",
                                          "store/tio/../x.csv"};
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        expect_refused("outputs --store store -o %s", targets[i]);
        expect_refused("dump blocks --store link -o %s", targets[i]);
        expect_refused("stats --store store -o %s", targets[i]);
    }
    expect_refused("outputs --store %s -o %s/data.mdb", place.store, place.store);
    expect_refused("dags --store store -o store");
    expect_refused("dags --store store -o store/new/folder");
    expect_refused("dags --store store --exclude-scripts patterns -o store/tables");
    expect_refused("blocks -o data/regtest/blocks/blk00000.dat data");
    expect_refused("blocks -o data/x.csv data");
    expect_refused("blocks -o data/regtest/blocks/blk00000.dat data/regtest/blocks/blk00000.dat");
    expect_refused("blocks -o data/regtest/blocks/xor.dat data/regtest/blocks/blk00000.dat");
    expect_refused("analyze --datadir data -o data/regtest/tables");
    /* the store's note leads there */
    static const char *const readers[] = {"unlocks", "keys", "tx 100 --scripts", "find 51"};
    for (size_t i = 0; i < sizeof readers / sizeof *readers; i++)
        expect_refused("%s --store store -o data/regtest/blocks/blk00000.dat", readers[i]);
    expect_refused("dags --store store -o data/regtest/blocks/tables");
    expect_refused("flows --store store -o data/regtest/blocks/tables");
    expect_refused("ties --store store -o data/regtest/blocks/tables");
    assert_false(path_exists(path_of("%s/tables", place.blocks)));
    char digest[DIGEST_SIZE + 1];
    store_digest(place.store, digest);
    assert_string_equal(digest, place.digest);
    assert_same_file(path_of("%s/blk00000.dat", place.blocks),
                     "tests/fixtures/regtest-xor/regtest/blocks/blk00000.dat");
    assert_same_file(path_of("%s/xor.dat", place.blocks), "tests/fixtures/regtest-xor/regtest/blocks/xor.dat");
    assert_false(path_exists(path_of("%s/x.csv", place.data)));
}

/* What stands beside, or has a name that only begins like it, is no input. */
static void test_others_are_written(void **state)
{
    (void)state;
    unktx_ok("outputs --store %s -o %s/store.csv", place.store, place.dir);
    unktx_ok("outputs --store %s -o %s/link/../store2.csv", place.store, place.dir);
    unktx_ok("dags --store %s -o %s/new/folder", place.store, place.dir);
    assert_true(path_exists(path_of("%s/store.csv", place.dir)));
    assert_true(path_exists(path_of("%s/new/folder/tdags.csv", place.dir)));
}

static unsigned left_in(const char *folder)
{
    glob_t found = {0};
    unsigned count = glob(path_of("%s/.unktx-*", folder), 0, NULL, &found) == 0 ? (unsigned)found.gl_pathc : 0;
    globfree(&found);
    return count;
}

static mode_t mode_of(const char *path)
{
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    return st.st_mode & 07777;
}

static void test_mode_stays(void **state)
{
    (void)state;
    static const mode_t modes[] = {0600, 0640, 0444, 0666};
    char path[300];
    snprintf(path, sizeof path, "%s/mode.csv", place.dir);
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        write_file(path, "old", 3);
        assert_int_equal(chmod(path, modes[i]), 0);
        unktx_ok("stats --store %s -o %s", place.store, path);
        assert_int_equal(mode_of(path), modes[i]);
        assert_int_equal(unlink(path), 0);
    }
    mode_t before = umask(027);
    unktx_ok("stats --store %s -o %s", place.store, path);
    umask(before);
    assert_int_equal(mode_of(path), 0640);
}

/* The longest names that a folder can have. */
static void test_long_names(void **state)
{
    (void)state;
    char name[256];
    for (size_t size = 240; size < sizeof name; size++) {
        memset(name, 'n', size);
        name[size] = '\0';
        unktx_ok("stats --store %s -o %s/%s", place.store, place.dir, name);
        assert_true(path_exists(path_of("%s/%s", place.dir, name)));
    }
    assert_int_equal(left_in(place.dir), 0);
}

/* -o of a link writes the file that the link names; nothing is written through a link that lies where an earlier
 * version had its temporary file. */
static void test_links(void **state)
{
    (void)state;
    char victim[300], target[300];
    snprintf(victim, sizeof victim, "%s/victim", place.dir);
    snprintf(target, sizeof target, "%s/through", place.dir);
    write_file(victim, "precious", 8);
    assert_int_equal(symlink("linked-to", target), 0);
    struct run run = shell(
        "unktx=$(realpath $UNKTX) && cd %s && ln -s victim x.csv.$$.part && exec $unktx stats --store store -o x.csv",
        place.dir);
    assert_int_equal(run.exit_status, 0);
    run_free(&run);
    size_t size;
    char *bytes = read_file(victim, &size);
    assert_int_equal(size, 8);
    free(bytes);
    write_file(path_of("%s/linked-to", place.dir), "old", 3);
    unktx_ok("stats --store %s -o %s", place.store, target);
    struct stat st;
    assert_int_equal(lstat(target, &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    assert_same_file(target, path_of("%s/x.csv", place.dir));
}

/* A file has no content under its name before it is whole; what was not committed is gone. */
static void test_aborted(void **state)
{
    (void)state;
    struct outfile file = {0};
    struct fault fault = {0};
    char path[300];
    snprintf(path, sizeof path, "%s/aborted", place.dir);
    assert_int_equal(outfile_open(&file, path, &fault), STATUS_OK);
    assert_int_equal(outfile_write(&file, "half", 4, &fault), STATUS_OK);
    assert_false(path_exists(path));
    outfile_abort(&file);
    assert_false(path_exists(path));
    assert_int_equal(left_in(place.dir), 0);
}

static void make_old(const char *path, bool old)
{
    struct timespec times[2] = {{.tv_nsec = UTIME_NOW}, {.tv_nsec = UTIME_NOW}};
    write_file(path, "rest", 4);
    if (old)
        times[0] = times[1] = (struct timespec){.tv_sec = time(NULL) - 2 * 24 * 60 * 60};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

/* A file that has its name while it is written, as SQLite's, goes with a process that ends by itself; the next
 * run removes it, however young, once nobody holds it. */
static void test_killed(void **state)
{
    (void)state;
    const char *folder = path_of("%s/killed", place.dir);
    char path[300], name[300];
    int from_child[2];
    make_dirs(folder);
    snprintf(path, sizeof path, "%s/x.db", folder);
    assert_int_equal(pipe(from_child), 0);
    pid_t child = fork();
    if (child == 0) {
        struct outfile file = {0};
        const char *temporary;
        bool opened = outfile_open(&file, path, NULL) == STATUS_OK &&
                      outfile_temporary(&file, &temporary, NULL) == STATUS_OK;
        (void)!write(from_child[1], opened ? temporary : "", 1 + (opened ? strlen(temporary) : 0));
        pause();
    }
    assert_true(child > 0 && read(from_child[0], name, sizeof name) > 1);
    unktx_ok("stats --store %s -o %s/x.csv", place.store, folder);
    assert_true(path_exists(name));
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    assert_true(path_exists(name));
    unktx_ok("stats --store %s -o %s/x.csv", place.store, folder);
    assert_false(path_exists(name));
    close(from_child[0]);
    close(from_child[1]);
}

/* Removed: old ones of a killed process. Not: young ones, those that a process holds, and other names. */
static void test_stale(void **state)
{
    (void)state;
    static const char *const names[] = {".unktx-00000000000000aa.part", ".unktx-00000000000000bb.part",
                                        ".unktx-00000000000000cc.part", ".unktx-notes.part", "x.csv.123.part"};
    make_dirs(path_of("%s/stale", place.dir));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        make_old(path_of("%s/stale/%s", place.dir, names[i]), i != 1);
    int held = open(path_of("%s/stale/%s", place.dir, names[2]), O_RDONLY | O_CLOEXEC);
    assert_int_equal(flock(held, LOCK_EX), 0);
    unktx_ok("stats --store %s -o %s/stale/x.csv", place.store, place.dir);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_int_equal(path_exists(path_of("%s/stale/%s", place.dir, names[i])), i != 0);
    close(held);
}

/* Blocks that lie elsewhere: a folder, or files, that a link in the data folder leads to; another name of a file. */
static void test_data_elsewhere(void **state)
{
    (void)state;
    char far[300];
    snprintf(far, sizeof far, "%s/far", place.dir);
    make_dirs(far);
    make_dirs(path_of("%s/linked/regtest", place.dir));
    copy_files(place.blocks, far);
    assert_int_equal(symlink(far, path_of("%s/linked/regtest/blocks", place.dir)), 0);
    expect_refused("blocks -o %s/blk00003.dat %s/linked/regtest", far, place.dir);
    expect_refused("blocks -o %s/new.csv %s/linked", far, place.dir);
    expect_refused("analyze --datadir %s/linked -o %s", place.dir, far);
    make_dirs(path_of("%s/single/blocks", place.dir));
    assert_int_equal(symlink(path_of("%s/blk00000.dat", far), path_of("%s/single/blocks/blk00000.dat", place.dir)), 0);
    assert_int_equal(link(path_of("%s/blk00001.dat", far), path_of("%s/single/blocks/blk00001.dat", place.dir)), 0);
    copy_file(path_of("%s/xor.dat", far), path_of("%s/single/blocks/xor.dat", place.dir));
    expect_refused("blocks -o %s/blk00000.dat %s/single", far, place.dir);
    expect_refused("blocks -o %s/blk00001.dat %s/single", far, place.dir);
    unktx_ok("blocks -o %s/beside.csv %s/single", far, place.dir);
    for (unsigned i = 0; i < 4; i++)
        assert_same_file(path_of("%s/blk%05u.dat", place.blocks, i), path_of("%s/blk%05u.dat", far, i));
}

/* What analyze reads it does not replace in any of its parts: it says so before the scan, of the last two after it. */
static void test_analyze_keeps_inputs(void **state)
{
    (void)state;
    static const char *const names[] = {"leaves.csv", "stats-by-day.csv", "keys.csv", "payers.csv"};
    static const char text[] = "address,label\nx,y\n";
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        make_dirs(path_of("%s/kept", place.dir));
        write_file(path_of("%s/labels.csv", place.dir), text, sizeof text - 1);
        assert_int_equal(link(path_of("%s/labels.csv", place.dir), path_of("%s/kept/%s", place.dir, names[i])), 0);
        expect_refused("analyze --quiet --index --replace --datadir data -o kept --labels labels.csv");
        assert_same_file(path_of("%s/labels.csv", place.dir), path_of("%s/kept/%s", place.dir, names[i]));
        assert_false(path_exists(path_of("%s/kept/tdags.csv", place.dir)));
        remove_tree(path_of("%s/kept", place.dir));
    }
}

/* Nor does a folder's new run remove it, where the run before made a file of that name: of another command, by
 * --replace, or of its own and not made this time. */
static void test_removal_keeps_inputs(void **state)
{
    (void)state;
    static const char text[] = "address,label\nx,y\n";
    static const char *const lines[][2] = {
        {"arcs.csv", "flows --store store --replace -o gone --labels gone/arcs.csv"},
        {"tdags.csv", "ties --store store --replace -o gone --labels gone/tdags.csv"},
        {"keys.csv", "export edges --quiet --store store --replace -o gone --labels gone/keys.csv"},
        {"unlocks.csv", "dags --store store --no-unlocks --replace -o gone --labels gone/unlocks.csv"}};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        unktx_ok("dags --store %s -o %s/gone", place.store, place.dir);
        write_file(path_of("%s/gone/%s", place.dir, lines[i][0]), text, sizeof text - 1);
        write_file(path_of("%s/labels.csv", place.dir), text, sizeof text - 1);
        expect_refused("%s", lines[i][1]);
        assert_same_file(path_of("%s/labels.csv", place.dir), path_of("%s/gone/%s", place.dir, lines[i][0]));
        assert_true(path_exists(path_of("%s/gone/classes.csv", place.dir)));
        remove_tree(path_of("%s/gone", place.dir));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_data_elsewhere),
        cmocka_unit_test(test_inputs_are_refused),
        cmocka_unit_test(test_others_are_written),
        cmocka_unit_test(test_mode_stays),
        cmocka_unit_test(test_long_names),
        cmocka_unit_test(test_links),
        cmocka_unit_test(test_aborted),
        cmocka_unit_test(test_stale),
        cmocka_unit_test(test_killed),
        cmocka_unit_test(test_analyze_keeps_inputs),
        cmocka_unit_test(test_removal_keeps_inputs),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
