/* The first signal ends a command soon, whatever it is doing: counted in looks at the flag, inside this process; and
 * from outside, where it waits for a pipe. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <glob.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/output/message.h"
#include "cli/output/signals.h"
#include "parser/stop.h"
#include "tests/support/chaingen.h"
#include "tests/support/command.h"
#include "tests/support/run.h"
#include "tests/support/stores.h"
#include "tests/support/trouble.h"

static struct {
    char *dir;
    char data[256];
    char store[256];
    char digest[DIGEST_SIZE + 1];
} place;

static int set_up(void **state)
{
    (void)state;
    place.dir = temp_dir();
    snprintf(place.data, sizeof place.data, "%s/data", place.dir);
    snprintf(place.store, sizeof place.store, "%s/store", place.dir);
    struct gen_options options = {.dir = place.data,
                                  .seed = 13,
                                  .block_bytes = 20000,
                                  .file_bytes = 400000,
                                  .planted_per_10k = 3000,
                                  .spends = true};
    struct gen *gen = gen_open(&options);
    gen_blocks(gen, 80, 0);
    gen_close(gen);
    unktx_ok("scan --quiet --datadir %s --store %s", place.data, place.store);
    unktx_ok("index --quiet --datadir %s --store %s", place.data, place.store);
    store_digest(place.store, place.digest);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    stop_after(-1);
    remove_tree(place.dir);
    free(place.dir);
    return 0;
}

/* ---- looks at the flag ---- */

static void assert_nothing_left(const char *folder)
{
    glob_t found = {0};
    assert_int_equal(glob(path_of("%s/.unktx-*", folder), 0, NULL, &found), GLOB_NOMATCH);
    globfree(&found);
}

static struct run run_once(const char *line)
{
    char command[1200];
    snprintf(command, sizeof command, line, place.store, place.dir);
    return command_run("%s", command);
}

/* Stopped at any look it ends with 130 and says so, takes few looks more, and leaves no file. */
static void expect_stops(const char *line, const char *made)
{
    stop_after(1000000000);
    struct run whole = run_once(line);
    long looks = stop_looks();
    assert_int_equal(whole.exit_status, 0);
    run_free(&whole);
    assert_true(looks > 0);
    for (long at = 0; at < looks; at += 1 + at / 4) {
        remove_tree(path_of("%s/%s", place.dir, made));
        stop_after(at);
        struct run run = run_once(line);
        long more = stop_looks() - at;
        stop_after(-1);
        if (run.exit_status != 130 || !strstr(run.err, "interrupted"))
            fail_msg("%s, stopped at look %ld of %ld: exit status %d, %s", line, at, looks, run.exit_status, run.err);
        if (more > 64)
            fail_msg("%s, stopped at look %ld of %ld: %ld looks more", line, at, looks, more);
        run_free(&run);
        const char *out = path_of("%s/%s", place.dir, made);
        assert_true(rmdir(out) == 0 || errno == ENOENT); /* an empty folder may be there */
        assert_nothing_left(place.dir);
    }
}

static void test_stopped_at_each_look(void **state)
{
    (void)state;
    expect_stops("dags --threads 1 --rules core-22 --store %s -o %s/tables", "tables");
    expect_stops("outputs --threads 1 --rules core-22 --store %s -o %s/outputs.csv", "outputs.csv");
    expect_stops("keys --threads 1 --rules core-22 --store %s -o %s/keys.csv", "keys.csv");
    expect_stops("ties --threads 1 --rules core-22 --store %s -o %s/ties", "ties");
    expect_stops("report --threads 1 --store %s -o %s/report.html", "report.html");
    expect_stops("check --threads 1 --store %s", "none");
    expect_stops("stats --threads 1 --store %s", "none");
    expect_stops("templates --threads 1 --store %s", "none");
    expect_stops("flows --threads 1 --store %s -o %s/flows", "flows");
}

static void test_blocks_stopped_at_each_look(void **state)
{
    (void)state;
    stop_after(1000000000);
    assert_int_equal(command_exit("blocks --threads 1 -o %s/b.csv %s", place.dir, place.data), 0);
    long looks = stop_looks();
    assert_true(looks > 0);
    for (long at = 0; at < looks; at += 1 + at / 4) {
        unlink(path_of("%s/b.csv", place.dir));
        stop_after(at);
        struct run run = command_run("blocks --threads 1 -o %s/b.csv %s", place.dir, place.data);
        stop_after(-1);
        assert_int_equal(run.exit_status, 130);
        assert_false(path_exists(path_of("%s/b.csv", place.dir)));
        run_free(&run);
    }
}

/* A scan and an index that were stopped at any look go on to what they would have been. */
static void test_scan_stopped_at_each_look(void **state)
{
    (void)state;
    char store[300], digest[DIGEST_SIZE + 1];
    snprintf(store, sizeof store, "%s/stopped", place.dir);
    stop_after(1000000000);
    assert_int_equal(command_exit("scan --quiet --threads 1 --datadir %s --store %s", place.data, store), 0);
    assert_int_equal(command_exit("index --quiet --threads 1 --datadir %s --store %s", place.data, store), 0);
    long looks = stop_looks();
    assert_true(looks > 10);
    for (long at = 0; at < looks; at += 1 + at / 2) {
        remove_tree(store);
        for (unsigned command = 0; command < 2; command++) {
            const char *name = command == 0 ? "scan" : "index";
            stop_after(at);
            int status = command_exit("%s --quiet --threads 1 --datadir %s --store %s", name, place.data, store);
            stop_after(-1);
            assert_true(status == 130 || status == 0);
            assert_int_equal(command_exit("%s --quiet --threads 1 --datadir %s --store %s", name, place.data, store),
                             0);
        }
        store_digest(store, digest);
        assert_string_equal(digest, place.digest);
        assert_false(path_exists(path_of("%s/tio/tmp", store)));
    }
}

/* ---- signals from outside ---- */

/* A line that sends SIGINT after a while to what would go on for ever, and SIGKILL much later: 137. */
static void expect_ends(const char *line)
{
    struct run run = shell("%s", line);
    if (run.exit_status != 130)
        fail_msg("%s: exit status %d, %s", line, run.exit_status, run.err);
    run_free(&run);
}

static void test_pipes(void **state)
{
    (void)state;
    char line[2000];
    assert_int_equal(mkfifo(path_of("%s/fifo", place.dir), 0600), 0);
    static const char *const commands[] = {
        "timeout -k 60 --preserve-status -s INT 1 $UNKTX dags --store %s -o %s/tables --scripts %s/fifo",
        "timeout -k 60 --preserve-status -s INT 1 $UNKTX dags --store %s -o %s/tables --exclude-scripts %s/fifo",
        "timeout -k 60 --preserve-status -s INT 1 $UNKTX outputs --store %s -o %s/../$(basename %s)/fifo",
    };
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        snprintf(line, sizeof line, commands[i], place.store, place.dir, place.dir);
        expect_ends(line);
    }
    snprintf(line, sizeof line,
             "exec 3<>%s/fifo; timeout -k 60 --preserve-status -s INT 1 $UNKTX show --store %s - <&3", place.dir,
             place.store);
    expect_ends(line);
    snprintf(line, sizeof line,
             "{ timeout -k 60 --preserve-status -s TERM 1 $UNKTX outputs --rules core-22 --store %s; "
             "echo $? >%s/status; } | until [ -s %s/status ]; do sleep 0.1; done; exit $(cat %s/status)",
             place.store, place.dir, place.dir, place.dir);
    struct run run = shell("%s", line);
    assert_int_equal(run.exit_status, 130);
    run_free(&run);
}

/* A limit on the size of files is an error with a name, not the end without a word. */
static void test_file_size_limit(void **state)
{
    (void)state;
    struct run run = shell("ulimit -f 1; $UNKTX outputs --rules core-22 --store %s -o %s/big.csv", place.store,
                           place.dir);
    assert_int_equal(run.exit_status, 1);
    assert_non_null(strstr(run.err, "ulimit -f"));
    run_free(&run);
    assert_false(path_exists(path_of("%s/big.csv", place.dir)));
    assert_nothing_left(place.dir);
    run = shell("ulimit -f 1; $UNKTX scan --quiet --datadir %s --store %s/small", place.data, place.dir);
    assert_int_equal(run.exit_status, 1);
    assert_non_null(strstr(run.err, "ulimit -f"));
    run_free(&run);
}

/* Threads that are not to be had are told by unktx, not by OpenMP. */
static void test_no_threads(void **state)
{
    (void)state;
    if (SANITIZED) {
        print_message("skipped: sanitizers need terabytes of address space\n");
        skip();
    }
    struct run run = shell("ulimit -v 300000; $UNKTX outputs --threads 256 --store %s", place.store);
    assert_int_equal(run.exit_status, 1);
    assert_non_null(strstr(run.err, "unktx outputs: 256 threads are not to be had, only "));
    assert_null(strstr(run.err, "libgomp"));
    run_free(&run);
}

/* libgomp passes over what the system has no threads for: less than 16 KiB on x86-64, 128 KiB on arm64. */
static bool is_stack_of_threads(size_t kib)
{
    pthread_attr_t attributes;
    assert_int_equal(pthread_attr_init(&attributes), 0);
    bool is = pthread_attr_setstacksize(&attributes, kib << 10) == 0;
    pthread_attr_destroy(&attributes);
    return is;
}

/* Threads with little stack: by ulimit they get enough all the same; OpenMP's own word is final, and refused. */
static void test_small_stacks(void **state)
{
    (void)state;
    struct run run;
    for (unsigned kib = 64; kib <= 512 && !SANITIZED; kib *= 2) {
        run = shell("ulimit -s %u; $UNKTX scan --quiet --threads 4 --datadir %s --store %s/stack%u", kib, place.data,
                    place.dir, kib);
        assert_int_equal(run.exit_status, 0);
        run_free(&run);
        run = shell("ulimit -s %u; $UNKTX dags --threads 4 --store %s -o %s/stack-dags%u", kib, place.store, place.dir,
                    kib);
        assert_int_equal(run.exit_status, 0);
        run_free(&run);
    }
    for (unsigned kib = 16; kib <= 256; kib *= 4) { /* 256: little more than the deepest search takes */
        run = shell("OMP_STACKSIZE=%uk $UNKTX dags --threads 4 --store %s", kib, place.store);
        bool refused = is_stack_of_threads(kib);
        assert_int_equal(run.exit_status, refused);
        assert_true(refused || kib < 256);
        if (refused) {
            assert_non_null(strstr(run.err, "unktx dags: threads would have only "));
            assert_non_null(strstr(run.err, "OMP_STACKSIZE"));
        }
        run_free(&run);
    }
    run = shell("OMP_STACKSIZE=16k $UNKTX dags --threads 1 --store %s", place.store);
    assert_int_equal(run.exit_status, 0);
    run_free(&run);
}

/* A command that says that it was interrupted, and then takes its time to end, is not cut off with a second line. */
static void test_said_once(void **state)
{
    (void)state;
    struct fault fault = {.status = STATUS_INTERRUPTED, .text = "told by the command"};
    char line[200] = "";
    int pipes[2];
    assert_int_equal(pipe(pipes), 0);
    pid_t child = fork();
    if (child == 0) {
        dup2(pipes[1], STDERR_FILENO);
        signals_catch();
        raise(SIGINT);
        int status = message_result(STATUS_INTERRUPTED, &fault);
        for (unsigned i = 0; i < 6; i++)
            usleep(SIGNALS_PATIENCE_MS * 1000);
        _exit(status);
    }
    close(pipes[1]);
    assert_int_equal(wait_status(child), 130);
    assert_true(read(pipes[0], line, sizeof line - 1) > 0);
    close(pipes[0]);
    assert_string_equal(strchr(line, ':'), ": told by the command\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_said_once),
        cmocka_unit_test(test_stopped_at_each_look),
        cmocka_unit_test(test_blocks_stopped_at_each_look),
        cmocka_unit_test(test_scan_stopped_at_each_look),
        cmocka_unit_test(test_pipes),
        cmocka_unit_test(test_file_size_limit),
        cmocka_unit_test(test_no_threads),
        cmocka_unit_test(test_small_stacks),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
