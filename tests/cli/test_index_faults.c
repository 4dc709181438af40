/* `unktx index` and what reads the index when something stops it, runs out or is taken: always the index of a run that
 * nobody disturbed in the end, and a word about what to do until then. UNKTX_KILLS=200 asks for more kills than 40. */
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
#include <time.h>
#include <unistd.h>

#include "graph/index/build.h"
#include "tests/support/chaingen.h"
#include "tests/support/run.h"
#include "tests/support/stores.h"
#include "tests/support/trouble.h"

#define KILLS 40u

/* A chain in DIR/data whose inputs spend outputs of it, and its undisturbed store and index in DIR/fresh. */
static struct {
    char *dir;
    char data[512];
    char fresh[512];
    char small[512];
    char digest[DIGEST_SIZE + 1]; /* of the index */
    char txid[HASH256_HEX_SIZE + 1];
    struct hash256 stale_tip; /* of a branch that lost, 30 blocks deep */
} place;

/* False where there is no index yet. */
static bool index_digest(const char *store, char digest[DIGEST_SIZE + 1])
{
    struct run run = unktx("check --store %s", store);
    const char *at = strstr(run.out, "index_digest ");
    bool told = strstr(run.err, "there is no") || strstr(run.err, "no blocks yet") || strstr(run.err, "not finished");
    bool none = !at && run.exit_status == 1 && told;
    if (!none && (run.exit_status != 0 || !at || sscanf(at, "index_digest %64s", digest) != 1))
        fail_msg("check --store %s: exit status %d: %s%s", store, run.exit_status, run.err, run.out);
    run_free(&run);
    return !none;
}

static void assert_fresh(const char *store)
{
    char digest[DIGEST_SIZE + 1];
    assert_true(index_digest(store, digest));
    assert_string_equal(digest, place.digest);
}

static int set_up(void **state)
{
    (void)state;
    place.dir = temp_dir();
    snprintf(place.data, sizeof place.data, "%s/data", place.dir);
    snprintf(place.fresh, sizeof place.fresh, "%s/fresh", place.dir);
    snprintf(place.small, sizeof place.small, "%s/small", place.dir);
    struct gen_options options = {.dir = place.data,
                                  .seed = 17,
                                  .xored = true,
                                  .block_bytes = 20000,
                                  .file_bytes = 2 << 20,
                                  .planted_per_10k = 2000,
                                  .stale_every = 40,
                                  .spends = true};
    struct gen *gen = gen_open(&options);
    gen_blocks(gen, 0, 6 << 20);
    place.stale_tip = gen_tip(gen);
    gen_fork(gen, gen_height(gen) - 30);
    gen_blocks(gen, 40, 0);
    gen_close(gen);
    unktx_ok("scan --quiet --datadir %s --store %s", place.data, place.fresh);
    unktx_ok("index --quiet --datadir %s --store %s", place.data, place.fresh);
    assert_true(index_digest(place.fresh, place.digest));
    struct run run = unktx_expect(0, "dump txs --store %s --to-height 1", place.fresh);
    const char *at = strstr(run.out, "\n1,0,");
    assert_true(at && sscanf(at, "\n1,0,%64[0-9a-f]", place.txid) == 1);
    run_free(&run);
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

/* ---- processes ---- */

static int told[2], goes_on[2]; /* pipes: from a build that has begun, and to it */

/* A build that has its lock, and that of the scan no more, says so and waits until it may go on; then it is slow. */
static void take_time(void *context, const struct index_progress *progress)
{
    static bool has_waited;
    char byte;
    (void)context;
    if (progress->stage != INDEX_HEADERS && !has_waited) {
        has_waited = true;
        (void)!write(told[1], "x", 1);
        close(goes_on[1]);
        (void)!read(goes_on[0], &byte, 1); /* nothing comes: it ends when the parent closes its side too */
    }
    usleep(30000);
}

static struct index_options options_for(const char *store, uint32_t to_height)
{
    return (struct index_options){
        .datadir = place.data, .store = store, .memory = UINT64_C(256) << 20, .threads = 2, .to_height = to_height};
}

/* An index in a process of its own. */
static pid_t start_index(const struct index_options *options)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child > 0)
        return child;
    struct index_result result;
    struct fault fault = {0};
    enum status status = index_build(options, &result, &fault);
    if (status != STATUS_OK)
        fprintf(stderr, "index: %s: %s\n", fault.path, fault.text);
    _exit(status == STATUS_OK ? 0 : 1);
}

/* ---- kill -9 ---- */

static pid_t start_random_index(struct rng *rng, const char *store)
{
    struct index_options options = options_for(store, rng_below(rng, 3) ? UINT32_MAX : rng_below(rng, 300));
    options.tip = rng_below(rng, 4) ? NULL : &place.stale_tip;
    return start_index(&options);
}

/* Builds that go forward, back, and to a branch that lost are killed on one store until one of them gets through; then
 * the next one must end with the index of a build that nobody disturbed. */
static void test_killed_at_any_moment(void **state)
{
    (void)state;
    const char *asked = getenv("UNKTX_KILLS");
    unsigned kills = asked ? (unsigned)strtoul(asked, NULL, 10) : KILLS, landed = 0, rounds = 0, seen = 0;
    struct rng rng = {(uint64_t)time(NULL)};
    char store[600], digest[DIGEST_SIZE + 1];
    struct index_options all = options_for(store, UINT32_MAX);
    print_message("seed %llu\n", (unsigned long long)rng.state);
    snprintf(store, sizeof store, "%s/killed", place.dir);
    double begun = now_s();
    assert_int_equal(wait_status(start_index(&all)), 0);
    unsigned whole_us = (unsigned)((now_s() - begun) * 1e6);
    remove_tree(store);
    for (; landed < kills; rounds++) {
        for (unsigned step = 0; step < 5 && landed < kills; step++) {
            pid_t child = start_random_index(&rng, store);
            usleep(rng_below(&rng, whole_us + 1000));
            kill(child, SIGKILL);
            int status = wait_status(child);
            assert_true(status == 0 || status == 128 + SIGKILL);
            landed += status != 0;
            whole_us = status == 0 ? whole_us / 8 * 7 + 1000 : whole_us + whole_us / 32;
            seen += index_digest(store, digest);
        }
        assert_int_equal(wait_status(start_index(&all)), 0);
        assert_fresh(store);
        assert_false(path_exists(path_of("%s/tio/tmp", store)));
        if (rounds % 2) /* every other one goes on with the finished index: back, and forward again */
            remove_tree(store);
    }
    print_message("%u builds killed, %u indexes seen between, %u finished\n", landed, seen, rounds);
}

/* ---- SIGINT, SIGTERM ---- */

static void test_asked_to_stop(void **state)
{
    (void)state;
    static const char *const signals[2] = {"INT", "TERM"};
    unsigned stopped = 0;
    char store[600], tmp[600];
    snprintf(store, sizeof store, "%s/asked", place.dir);
    snprintf(tmp, sizeof tmp, "%s/asked-tmp", place.dir);
    make_dirs(tmp);
    for (unsigned i = 0; (i < 80 && stopped < 6) || (stopped == 0 && i < 400);
         i++) { /* at least one, on a slow machine too */
        struct run run = shell("timeout --preserve-status -s %s %.3f $UNKTX index --quiet --threads 1 --tmp %s "
                               "--datadir %s --store %s",
                               signals[i % 2], 0.01 + 0.01 * (i < 80 ? i % 40 : i), tmp, place.data, store);
        int uncaught = 128 + (i % 2 ? SIGTERM : SIGINT); /* before the program was there to catch it */
        if (run.exit_status == 130 && run.err[0]) {
            if (strstr(run.err, "interrupted; the same command goes on from what is finished"))
                expect_shell(0, NULL, path_of("ls %s/unktx-index-*/note >/dev/null", tmp));
            else
                assert_true(strstr(run.err, "interrupted before anything was finished") ||
                            strstr(run.err, "goes on from what the disk holds, if that is anything"));
            stopped++;
        } else if (run.exit_status == 0) {
            assert_fresh(store);
            assert_folder_is_empty(tmp);
            remove_tree(store);
        } else if (run.exit_status != uncaught || run.err[0]) {
            fail_msg("exit status %d: %s", run.exit_status, run.err);
        }
        run_free(&run);
    }
    assert_true(stopped > 0);
    unktx_ok("index --quiet --tmp %s --datadir %s --store %s", tmp, place.data, store);
    assert_fresh(store);
    assert_folder_is_empty(tmp);
}

/* Tables appear whole or not at all. */
static void test_readers_asked_to_stop(void **state)
{
    (void)state;
    static const char *const commands[] = {"dump outputs -o %s/out.csv", "travel %s -o %s/out.csv", "flows -o %s",
                                           "dump inputs -o %s/out.csv"};
    char folder[600], command[1400];
    unsigned stopped = 0;
    snprintf(folder, sizeof folder, "%s/stopped", place.dir);
    for (unsigned i = 0; i < 24 || (stopped == 0 && i < 400); i++) { /* at least one, on a slow machine too */
        make_dirs(folder);
        if (i % 4 == 1)
            snprintf(command, sizeof command, commands[1], place.txid, folder);
        else
            snprintf(command, sizeof command, commands[i % 4], folder);
        struct run run = shell("timeout --preserve-status -s INT %.4f $UNKTX %s --store %s", 0.004 + 0.002 * i, command,
                               place.fresh);
        stopped += run.exit_status == 130;
        if (run.exit_status != 0 && run.exit_status != 130 && run.exit_status != 128 + SIGINT)
            fail_msg("%s: exit status %d: %s", command, run.exit_status, run.err);
        if (run.exit_status != 0)
            assert_folder_is_empty(folder);
        run_free(&run);
        remove_tree(folder);
    }
    assert_true(stopped > 0);
}

/* ---- other processes ---- */

/* The second of two says so; a scan of the same store and every reader work beside one. */
static void test_two_at_once(void **state)
{
    (void)state;
    char store[600];
    snprintf(store, sizeof store, "%s/two", place.dir);
    unktx_ok("index --quiet --datadir %s --store %s --to-height 250", place.data, store);
    struct index_options options = options_for(store, UINT32_MAX);
    options.progress = take_time;
    assert_int_equal(pipe(told), 0);
    assert_int_equal(pipe(goes_on), 0);
    pid_t first = start_index(&options);
    unsigned refused = 0, scanned = 0;
    int status;
    char byte;
    close(told[1]);
    assert_int_equal(read(told[0], &byte, 1), 1);
    while (waitpid(first, &status, WNOHANG) == 0) {
        struct run run = unktx("index --quiet --datadir %s --store %s", place.data, store);
        if (run.exit_status != 0 && !strstr(run.err, "wait for it, or choose another folder"))
            fail_msg("%s", run.err);
        refused += run.exit_status == 1;
        run_free(&run);
        run = unktx("scan --quiet --datadir %s --store %s", place.data, store);
        if (run.exit_status != 0 && !strstr(run.err, "is writing to this store"))
            fail_msg("%s", run.err);
        scanned += run.exit_status == 0;
        run_free(&run);
        unktx_ok("tx 100 --store %s", store);
        unktx_ok("check --store %s", store);
        close(goes_on[1]);
        goes_on[1] = -1;
    }
    close(told[0]);
    close(goes_on[0]);
    assert_int_equal(status, 0);
    print_message("%u second ones refused, %u scans beside it\n", refused, scanned);
    assert_true(refused > 0 && scanned > 0);
    assert_fresh(store);
}

/* Fills an index, takes it back and fills it again until it is killed. */
static pid_t start_restless_index(const char *store)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child > 0)
        return child;
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* also when this test fails */
    for (unsigned turn = 0;; turn++) {
        struct index_options options = options_for(store, turn % 3 == 2 ? UINT32_MAX : 60 + 37 * (turn % 7));
        struct index_result result;
        options.tip = turn % 5 == 4 ? &place.stale_tip : NULL;
        if (index_build(&options, &result, NULL) != STATUS_OK)
            _exit(1);
    }
}

/* Every reading command beside an index that takes back and commits all the time: right, or a word to run it again. It
 * is built anew where more is to come than there is: then it is away meanwhile. */
static void test_readers_beside_a_build(void **state)
{
    (void)state;
    static const char *const commands[] = {"check --store %s",
                                           "tx 60 --store %s",
                                           "dump outputs --store %s -o %s-a.csv",
                                           "dump txs --store %s -o %s-b.csv",
                                           "travel %s --store %s",
                                           "tx %s --store %s"};
    enum { COMMANDS = sizeof commands / sizeof *commands, TIMES = 15 };
    char store[600], command[1400];
    unsigned again = 0;
    snprintf(store, sizeof store, "%s/restless", place.dir);
    unktx_ok("index --quiet --datadir %s --store %s --to-height 100", place.data, store);
    pid_t build = start_restless_index(store);
    for (unsigned i = 0; i < COMMANDS * TIMES; i++) {
        if (i % COMMANDS >= 4)
            snprintf(command, sizeof command, commands[i % COMMANDS], place.txid, store);
        else
            snprintf(command, sizeof command, commands[i % COMMANDS], store, store);
        again += run_until_done(command, "has no blocks yet");
    }
    assert_int_equal(kill(build, SIGKILL), 0);
    assert_int_equal(wait_status(build), 128 + SIGKILL);
    print_message("%u commands asked %u times to be run again\n", COMMANDS * TIMES, again);
    unktx_ok("index --quiet --datadir %s --store %s", place.data, store);
    assert_fresh(store);
}

/* ---- disks ---- */

/* Whatever room there is for the store, or for the temporary files, the command says what is missing, and with more
 * room it ends with the right index and leaves no other file. */
static void full_disk(bool of_store)
{
    enum { LARGE = 128 << 10 };
    char line[2000], store[600], tmp[600];
    unsigned refused = 0;
    mount_small(place.small, LARGE);
    snprintf(store, sizeof store, of_store ? "%s/store" : "%s-store", place.small);
    snprintf(tmp, sizeof tmp, of_store ? "%s-tmp" : "%s/tmp", place.small);
    make_dirs(tmp);
    snprintf(line, sizeof line, "index --quiet --datadir %s --store %s --tmp %s", place.data, store, tmp);
    for (unsigned kib = 32; kib < 8 << 10; kib += kib / 4) {
        remove_tree(store);
        remove_tree(tmp);
        make_dirs(tmp);
        resize_small(place.small, kib, false);
        struct run run = unktx("%s", line);
        refused += run.exit_status == 1;
        if (run.exit_status != 0 &&
            (run.exit_status != 1 || (!strstr(run.err, "the disk is full") && !strstr(run.err, "No space left"))))
            fail_msg("with %u KiB: exit status %d: %s", kib, run.exit_status, run.err);
        run_free(&run);
        resize_small(place.small, LARGE, false);
        if (refused % 3 == 0) {
            unktx_ok("%s", line);
            assert_fresh(store);
            assert_folder_is_empty(tmp);
        }
    }
    print_message("%u disks too small\n", refused);
    assert_true(refused > 5);
    unktx_ok("%s", line);
    assert_fresh(store);
    assert_folder_is_empty(tmp);
    assert_int_equal(umount2(place.small, 0), 0);
}

static void test_store_on_a_full_disk(void **state)
{
    (void)state;
    full_disk(true);
}

static void test_temporary_files_on_a_full_disk(void **state)
{
    (void)state;
    full_disk(false);
}

static const char *const readers[] = {"check", "tx 60", "dump txs", "dump outputs", "dump inputs", "dump blocks"};
#define READERS (sizeof readers / sizeof *readers)

static void test_read_only_disk(void **state)
{
    (void)state;
    char line[2000];
    mount_small(place.small, 64 << 10);
    make_dirs(path_of("%s/store/tio", place.small));
    copy_files(path_of("%s/tio", place.fresh), path_of("%s/store/tio", place.small));
    copy_file(path_of("%s/data.mdb", place.fresh), path_of("%s/store/data.mdb", place.small));
    resize_small(place.small, 64 << 10, true);
    assert_fresh(path_of("%s/store", place.small));
    for (size_t i = 0; i < READERS; i++) {
        snprintf(line, sizeof line, "$UNKTX %s --store %s/store > /dev/null", readers[i], place.small);
        expect_shell(0, NULL, line);
    }
    snprintf(line, sizeof line, "$UNKTX index --datadir %s --store %s/store", place.data, place.small);
    expect_shell(1, "Read-only file system", line);
    snprintf(line, sizeof line, "$UNKTX dump txs --store %s/store -o %s/x.csv", place.small, place.small);
    expect_shell(1, "x.csv: cannot be written: Read-only file system", line);
    snprintf(line, sizeof line, "$UNKTX index --tmp %s --datadir %s --store %s/other", place.small, place.data,
             place.dir);
    expect_shell(1, "Read-only file system", line);
    assert_int_equal(umount2(place.small, 0), 0);
}

/* ---- memory ---- */

/* Any limit on address space ends in success or in a plain message, and the index stays right. */
static void test_memory_limit(void **state)
{
    (void)state;
#if SANITIZED
    print_message("skipped: sanitizers need terabytes of address space\n");
    skip();
#endif
    char line[2000];
    unsigned refused = 0, done = 0;
    for (unsigned mib = 900; mib<3400; mib += refused> 0 && done > 0 ? 250 : 50) {
        snprintf(line, sizeof line,
                 "ulimit -v %u; $UNKTX index --quiet --memory 256M --threads 2 --datadir %s --store %s/limited; "
                 "first=$?; $UNKTX dump inputs --threads 2 --store %s > /dev/null || exit $?; "
                 "$UNKTX flows --threads 2 --store %s -o %s/limited-tables || exit $?; exit $first",
                 mib << 10, place.data, place.dir, place.fresh, place.fresh, place.dir);
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
        if (path_exists(path_of("%s/limited/tio/data.mdb", place.dir)))
            (void)index_digest(path_of("%s/limited", place.dir), (char[DIGEST_SIZE + 1]){0});
        if (done % 2)
            remove_tree(path_of("%s/limited", place.dir));
    }
    print_message("%u limits were too low, %u were not\n", refused, done);
    assert_true(refused > 0 && done > 0);
    unktx_ok("index --quiet --datadir %s --store %s/limited", place.data, place.dir);
    assert_fresh(path_of("%s/limited", place.dir));
}

/* ---- stdout and -o ---- */

static void test_stdout(void **state)
{
    (void)state;
    char line[1500];
    for (size_t i = 0; i < READERS; i++) {
        snprintf(line, sizeof line, "$UNKTX %s --store %s > /dev/full", readers[i], place.fresh);
        expect_shell(1, "stdout: write failed: No space left on device", line);
        snprintf(line, sizeof line, "$UNKTX %s --store %s >&-", readers[i], place.fresh);
        expect_shell(1, "stdout: write failed: Bad file descriptor", line);
        snprintf(line, sizeof line, "{ $UNKTX %s --store %s; echo status $? >&2; } | head -c 1 > /dev/null", readers[i],
                 place.fresh);
        expect_shell(0, "status 0\n", line);
        snprintf(line, sizeof line, "$UNKTX %s --store %s -o %s/none/x.csv", readers[i], place.fresh, place.dir);
        if (i > 1) /* check and tx only print */
            expect_shell(1, "x.csv: cannot be written: No such file or directory", line);
    }
    snprintf(line, sizeof line, "$UNKTX travel %s --store %s -o %s/none/x.csv", place.txid, place.fresh, place.dir);
    expect_shell(1, "x.csv: cannot be written: No such file or directory", line);
    snprintf(line, sizeof line, "touch %s/file; $UNKTX flows --store %s -o %s/file", place.dir, place.fresh, place.dir);
    expect_shell(1, "is no folder", line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_killed_at_any_moment),
        cmocka_unit_test(test_asked_to_stop),
        cmocka_unit_test(test_readers_asked_to_stop),
        cmocka_unit_test(test_two_at_once),
        cmocka_unit_test(test_readers_beside_a_build),
        cmocka_unit_test(test_store_on_a_full_disk),
        cmocka_unit_test(test_temporary_files_on_a_full_disk),
        cmocka_unit_test(test_read_only_disk),
        cmocka_unit_test(test_memory_limit),
        cmocka_unit_test(test_stdout),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
