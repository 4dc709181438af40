/* What unktx does when something runs out or is taken: disk, memory, permission, the other end of a pipe, the store. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "graph/scan/ingest.h"
#include "tests/support/chaingen.h"
#include "tests/support/run.h"
#include "tests/support/stores.h"
#include "tests/support/trouble.h"

/* A chain of some megabytes in DIR/data, its store in DIR/store, the tables in DIR/tables. One of as many blocks, which
 * are smaller, in DIR/light, its store in DIR/light-store: where it does not matter how much there is to read. */
static struct {
    char *dir;
    char data[512];
    char store[512];
    char tables[512];
    char light[512];
    char light_store[512];
    char small[512];
} place;

static void make_chain(const char *data, uint32_t block_bytes, const char *store)
{
    struct gen_options options = {.dir = data, .seed = 31, .block_bytes = block_bytes, .planted_per_10k = 3000};
    struct gen *gen = gen_open(&options);
    gen_blocks(gen, 300, 0);
    gen_close(gen);
    unktx_ok("scan --quiet --datadir %s --store %s", data, store);
}

static int set_up(void **state)
{
    (void)state;
    place.dir = temp_dir();
    snprintf(place.data, sizeof place.data, "%s/data", place.dir);
    snprintf(place.store, sizeof place.store, "%s/store", place.dir);
    snprintf(place.tables, sizeof place.tables, "%s/tables", place.dir);
    snprintf(place.small, sizeof place.small, "%s/small", place.dir);
    snprintf(place.light, sizeof place.light, "%s/light", place.dir);
    snprintf(place.light_store, sizeof place.light_store, "%s/light-store", place.dir);
    make_chain(place.data, 20000, place.store);
    make_chain(place.light, 3000, place.light_store);
    store_tables(place.store, "core-22", place.tables);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    umount2(place.small, MNT_DETACH);
    remove_tree(place.dir);
    free(place.dir);
    return 0;
}

/* ---- disks ---- */

/* Whatever room there is, the scan says what is missing, and with more room goes on to the right store. */
static void test_store_on_a_full_disk(void **state)
{
    (void)state;
    mount_small(place.small, 1024);
    char *zeros = must_alloc(1024, 1024);
    unsigned refused = 0;
    for (unsigned free_kib = 0; free_kib <= 1024; free_kib += free_kib < 64 ? 4 : 48) {
        remove_tree(path_of("%s/store", place.small));
        write_file(path_of("%s/fill", place.small), zeros, (size_t)(1024 - free_kib) << 10);
        struct run run = unktx("scan --quiet --datadir %s --store %s/store", place.data, place.small);
        if (run.exit_status != 0) {
            refused++;
            assert_int_equal(run.exit_status, 1);
            if (!strstr(run.err, "the disk is full") && !strstr(run.err, "No space left"))
                fail_msg("with %u KiB free: %s", free_kib, run.err);
        }
        run_free(&run);
        assert_int_equal(unlink(path_of("%s/fill", place.small)), 0);
        if (free_kib % 16 == 0) {
            resize_small(place.small, 64 << 10, false);
            unktx_ok("scan --quiet --datadir %s --store %s/store", place.data, place.small);
            char wanted[DIGEST_SIZE + 1], found[DIGEST_SIZE + 1];
            store_digest(place.store, wanted);
            store_digest(path_of("%s/store", place.small), found);
            assert_string_equal(wanted, found);
            remove_tree(path_of("%s/store", place.small));
            resize_small(place.small, 1024, false);
        }
    }
    print_message("%u disks too small\n", refused);
    assert_true(refused > 10);
    free(zeros);
    assert_int_equal(umount2(place.small, 0), 0);
}

/* A disk that has room and no inodes is told from a full one. */
static void test_no_inodes(void **state)
{
    (void)state;
    char line[3000];
    mount_small(place.small, 1024);
    assert_int_equal(mount(NULL, place.small, NULL, MS_REMOUNT, "nr_inodes=1"), 0); /* which the folder itself has */
    for (unsigned slashes = 0; slashes < 3; slashes++) {
        snprintf(line, sizeof line, "$UNKTX scan --quiet --datadir %s --store %s/store%.*s", place.data, place.small,
                 (int)slashes, "//");
        expect_shell(
            1, "No space left on device (no inodes are left: delete files there, or name another folder for it", line);
    }
    snprintf(line, sizeof line, "$UNKTX outputs --store %s -o %s/x.csv", place.store, place.small);
    expect_shell(1,
                 "x.csv: cannot be written: No space left on device (no inodes are left: delete files there, or name "
                 "another place)",
                 line);
    snprintf(line, sizeof line, "$UNKTX index --quiet --datadir %s --store %s/inodes --tmp %s", place.data, place.dir,
             place.small);
    expect_shell(1, "(no inodes are left: delete files there, or name another folder with --tmp)", line);
    assert_int_equal(umount2(place.small, 0), 0);
}

/* What LMDB's short write is of: of a limit the text does not send the user to the disk. */
static void test_limit_on_file_size(void **state)
{
    (void)state;
    struct run run = shell("ulimit -f 200; $UNKTX scan --quiet --datadir %s --store %s/short", place.data, place.dir);
    assert_int_equal(run.exit_status, 1);
    assert_non_null(strstr(run.err, "data.mdb: File too large: some"));
    assert_non_null(strstr(run.err, "Raise the limit (ulimit -f"));
    assert_null(strstr(run.err, "disk"));
    run_free(&run);
    unktx_ok("scan --quiet --datadir %s --store %s/short", place.data, place.dir);
    assert_same_stores(place.store, path_of("%s/short", place.dir), place.dir);
}

/* Tables on a full disk: an error, and nothing is left. */
static void test_tables_on_a_full_disk(void **state)
{
    (void)state;
    mount_small(place.small, 256);
    char line[3000];
    static const char *const commands[] = {"outputs --rules core-22 --store %s -o %s/out/outputs.csv",
                                           "dags --rules core-22 --store %s -o %s/out",
                                           "blocks -o %s/out/blocks.csv %s"};
    make_dirs(path_of("%s/out", place.small));
    char *zeros = must_alloc(256, 1024);
    for (unsigned free_kib = 0; free_kib < 40; free_kib += 4) {
        for (size_t c = 0; c < 3; c++) {
            write_file(path_of("%s/fill", place.small), zeros, (size_t)(256 - free_kib) << 10);
            int used = snprintf(line, sizeof line, "$UNKTX ");
            snprintf(line + used, sizeof line - (size_t)used, commands[c], c < 2 ? place.store : place.small,
                     c < 2 ? place.small : place.data);
            expect_shell(1, "No space left on device", line);
            assert_folder_is_empty(path_of("%s/out", place.small));
            assert_int_equal(unlink(path_of("%s/fill", place.small)), 0);
        }
    }
    free(zeros);
    assert_int_equal(umount2(place.small, 0), 0);
}

static void test_read_only_disk(void **state)
{
    (void)state;
    mount_small(place.small, 64 << 10);
    char line[2000];
    copy_files(place.store, path_of("%s/store", place.small));
    resize_small(place.small, 64 << 10, true);
    assert_same_stores(place.store, path_of("%s/store", place.small), place.dir);
    snprintf(line, sizeof line, "$UNKTX scan --datadir %s --store %s/store", place.data, place.small);
    expect_shell(1, "Read-only file system", line);
    snprintf(line, sizeof line, "$UNKTX outputs --store %s -o %s/x.csv", place.store, place.small);
    expect_shell(1, "x.csv: cannot be written: Read-only file system (mount it for writing, or name another place)",
                 line);
    assert_int_equal(umount2(place.small, 0), 0);
}

/* ---- permissions ---- */

/* A store and a folder that another user may read and not write. */
static void test_no_permission_to_write(void **state)
{
    (void)state;
    const char *as = as_a_user(place.dir);
    char line[3000], store[600], unwritable[600];
    snprintf(store, sizeof store, "%s/others", place.dir);
    snprintf(unwritable, sizeof unwritable, "%s/unwritable", place.dir);
    copy_files(place.store, store);
    make_dirs(unwritable);
    expect_shell(0, NULL, path_of("chmod -R a-w %s %s", store, unwritable));
    static const char *const readers[] = {"outputs", "stats", "check", "show --dag 1"};
    for (size_t i = 0; i < sizeof readers / sizeof *readers; i++) {
        snprintf(line, sizeof line, "%s$UNKTX %s --store %s > /dev/null", as, readers[i], store);
        expect_shell(0, NULL, line);
    }
    snprintf(line, sizeof line, "%s$UNKTX scan --datadir %s --store %s", as, place.data, store);
    expect_shell(1, "Permission denied", line);
    snprintf(line, sizeof line, "%s$UNKTX scan --datadir %s --store %s/new", as, place.data, store);
    expect_shell(1, "Permission denied", line);
    snprintf(line, sizeof line, "%s$UNKTX outputs --store %s -o %s/x.csv", as, store, unwritable);
    expect_shell(1, "x.csv: cannot be written: Permission denied (name another place, or get the permission", line);
    snprintf(line, sizeof line, "%s$UNKTX dags --store %s -o %s/new", as, store, unwritable);
    expect_shell(1, "Permission denied (name another place, or get the permission", line);
    snprintf(line, sizeof line, "$UNKTX outputs --store %s -o %s/none/x.csv", store, unwritable);
    expect_shell(1, "x.csv: cannot be written: No such file or directory (make the folder that is missing, or", line);
    write_file(path_of("%s/plain", place.dir), "x", 1);
    snprintf(line, sizeof line, "$UNKTX dags --store %s -o %s/plain", store, place.dir);
    expect_shell(1, "is no folder", line);
    expect_shell(0, NULL, path_of("chmod a-r %s/data.mdb", store));
    expect_shell(1, "cannot open the store (get the permission for it", path_of("%s$UNKTX dags --store %s", as, store));
    expect_shell(0, NULL, path_of("chmod -R u+rw %s", store));
    assert_same_stores(place.store, store, place.dir);
}

/* ---- memory ---- */

/* Any limit on address space ends in success or in a plain message, and the store stays right. */
static void test_memory_limit(void **state)
{
    (void)state;
#if SANITIZED
    print_message("skipped: sanitizers need terabytes of address space\n");
    skip();
#endif
    char line[2000];
    unsigned refused = 0, done = 0;
    for (unsigned mib = 1024; mib < 2048; mib += mib < 1300 ? 8 : 100) {
        snprintf(line, sizeof line,
                 "ulimit -v %u; $UNKTX scan --quiet --threads 2 --datadir %s --store %s/limited; first=$?; "
                 "$UNKTX dags --threads 2 --store %s -o %s/limited-tables > /dev/null || exit $?; exit $first",
                 mib << 10, place.light, place.dir, place.light_store, place.dir);
        struct run run = shell("%s", line);
        if (run.exit_status == 127 || strstr(run.err, "loading shared libraries")) {
            run_free(&run);
            continue;
        }
        if (run.exit_status != 0 &&
            !(run.exit_status == 1 && (strstr(run.err, "memory") || strstr(run.err, "Thread creation"))))
            fail_msg("%u MiB: exit status %d: %s", mib, run.exit_status, run.err);
        refused += run.exit_status != 0;
        done += run.exit_status == 0;
        run_free(&run);
        if (store_blocks(path_of("%s/limited", place.dir)) > 0)
            unktx_ok("check --store %s/limited", place.dir);
    }
    print_message("%u limits were too low, %u were not\n", refused, done);
    assert_true(refused > 0 && done > 0);
    unktx_ok("scan --quiet --datadir %s --store %s/limited", place.light, place.dir);
    assert_same_stores(place.light_store, path_of("%s/limited", place.dir), place.dir);
}

/* ---- stdout ---- */

static void test_stdout(void **state)
{
    (void)state;
    static const char *const commands[] = {"outputs", "stats --by block", "check", "show --dag 1"};
    char line[1500];
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        snprintf(line, sizeof line, "$UNKTX %s --store %s > /dev/full", commands[i], place.store);
        expect_shell(1, "stdout: write failed: No space left on device", line);
        snprintf(line, sizeof line, "$UNKTX %s --store %s >&-", commands[i], place.store);
        expect_shell(1, "stdout: write failed: Bad file descriptor", line);
        /* A reader that leaves early is no failure. */
        snprintf(line, sizeof line, "{ $UNKTX %s --store %s; echo status $? >&2; } | head -c 1 > /dev/null",
                 commands[i], place.store);
        expect_shell(0, "status 0\n", line);
        snprintf(line, sizeof line, "{ $UNKTX %s --store %s; echo status $? >&2; } | true", commands[i], place.store);
        expect_shell(0, "status 0\n", line);
    }
    /* A slow reader gets all of it. */
    snprintf(line, sizeof line,
             "$UNKTX outputs --rules core-22 --store %s | { sleep 0.3; cat; } | cmp - %s/outputs.csv", place.store,
             place.tables);
    expect_shell(0, NULL, line);
    /* The tables are in place before the summary fails. */
    snprintf(line, sizeof line, "$UNKTX dags --no-unlocks --rules core-22 --store %s -o %s/full > /dev/full",
             place.store, place.dir);
    expect_shell(1, "stdout", line);
    assert_same_file(path_of("%s/full/tdags.csv", place.dir), path_of("%s/tdags.csv", place.tables));
    snprintf(line, sizeof line, "$UNKTX stats --store %s 2>&-", place.store);
    struct run run = shell("%s", line);
    assert_int_equal(run.exit_status, 0);
    run_free(&run);
}

/* ---- other processes ---- */

static void take_time(void *context, const struct ingest_progress *progress)
{
    (void)context, (void)progress;
    usleep(3000);
}

/* Beside a scan that only goes forward nobody has to wait or to try again. */
static void test_readers_beside_commits(void **state)
{
    (void)state;
    char store[600];
    unsigned read = 0;
    snprintf(store, sizeof store, "%s/forward", place.dir);
    for (unsigned turn = 0; turn < 2; turn++) {
        unktx_ok("scan --quiet --datadir %s --store %s --to-height 0", place.light, store);
        pid_t scan = fork();
        assert_true(scan >= 0);
        if (scan == 0) {
            struct ingest_options options = {.datadir = place.light,
                                             .store = store,
                                             .threads = 1,
                                             .to_height = UINT32_MAX,
                                             .commit_blocks = 1,
                                             .progress = take_time};
            struct ingest_result result;
            _exit(ingest_run(&options, &result, NULL) != STATUS_OK);
        }
        int status;
        for (; waitpid(scan, &status, WNOHANG) == 0; read++) {
            unktx_ok("check --store %s", store);
            unktx_ok("outputs --store %s -o %s.csv", store, store);
            unktx_ok("dags --store %s -o %s.dags", store, store);
        }
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        assert_same_stores(place.light_store, store, place.dir);
        remove_tree(store);
    }
    print_message("%u readings beside commits\n", read);
}

/* Fills a store, takes it back and fills it again, with a commit every few blocks, until it is killed. */
static pid_t start_restless_scan(const char *store)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child > 0)
        return child;
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* also when this test fails */
    for (unsigned turn = 0;; turn++) {
        struct ingest_options options = {.datadir = place.light,
                                         .store = store,
                                         .threads = 1,
                                         .to_height = turn % 3 == 2 ? UINT32_MAX : 40 + 37 * (turn % 7),
                                         .commit_blocks = 7};
        struct ingest_result result;
        usleep(10000); /* a scan of so few blocks takes less than what reads them, which would never come to its end */
        enum status status = ingest_run(&options, &result, NULL);
        if (status != STATUS_OK && status != STATUS_BUSY)
            _exit(1);
    }
}

/* Every reading command beside a scan that takes back and commits all the time: right, or a word to run it again. */
static void test_readers_beside_a_scan(void **state)
{
    (void)state;
    static const char *const commands[] = {"check --store %s/restless",
                                           "outputs --store %s/restless -o %s/beside/outputs.csv",
                                           "dags --store %s/restless -o %s/beside",
                                           "stats --by block --store %s/restless", "show --dag 1 --store %s/restless"};
    enum { COMMANDS = sizeof commands / sizeof *commands, TIMES = 20 };
    char store[600], command[1400];
    unsigned again = 0, refused = 0;
    snprintf(store, sizeof store, "%s/restless", place.dir);
    make_dirs(path_of("%s/beside", place.dir));
    unktx_ok("scan --quiet --datadir %s --store %s --to-height 100", place.light, store);
    pid_t scan = start_restless_scan(store);
    for (unsigned i = 0; i < COMMANDS * TIMES || (refused == 0 && i < 10 * COMMANDS * TIMES); i++) {
        snprintf(command, sizeof command, commands[i % COMMANDS], place.dir, place.dir);
        again += run_until_done(command, NULL);
        if (i % 10 == 0) { /* and a second scan, which may also come between two of the first */
            struct run run = unktx("scan --quiet --datadir %s --store %s", place.light, store);
            refused += run.exit_status == 1 && strstr(run.err, "another unktx is writing to this store");
            run_free(&run);
        }
    }
    assert_int_equal(kill(scan, SIGKILL), 0);
    assert_int_equal(wait_status(scan), 128 + SIGKILL);
    print_message("%u commands asked %u times to be run again; %u second scans refused\n", COMMANDS * TIMES, again,
                  refused);
    assert_true(refused > 0);
    unktx_ok("scan --quiet --datadir %s --store %s", place.light, store);
    assert_same_stores(place.light_store, store, place.dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_store_on_a_full_disk),
        cmocka_unit_test(test_tables_on_a_full_disk),
        cmocka_unit_test(test_no_inodes),
        cmocka_unit_test(test_limit_on_file_size),
        cmocka_unit_test(test_read_only_disk),
        cmocka_unit_test(test_no_permission_to_write),
        cmocka_unit_test(test_memory_limit),
        cmocka_unit_test(test_stdout),
        cmocka_unit_test(test_readers_beside_commits),
        cmocka_unit_test(test_readers_beside_a_scan),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
