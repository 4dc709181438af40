/* Commands that are stopped: a scan killed at random moments, signals that ask for an end, and what is then on disk.
 * UNKTX_KILLS=200 asks for more moments than the 40 of `make check`. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "graph/scan/ingest.h"
#include "parser/stop.h"
#include "tests/support/chaingen.h"
#include "tests/support/run.h"
#include "tests/support/stores.h"
#include "tests/support/trouble.h"

#define COMMIT_BLOCKS 10u
#define KILLS 40u
#define NEVER 1000000000L /* looks */

/* A chain in DIR/data, and its undisturbed store in DIR/fresh with the tables in DIR/tables. */
static struct place {
    char *dir;
    char data[512];
    char fresh[512];
    char tables[512];
    struct hash256 stale_tip; /* of a branch that lost, 30 blocks deep */
} place;

static int set_up(void **state)
{
    (void)state;
    place.dir = temp_dir();
    snprintf(place.data, sizeof place.data, "%s/data", place.dir);
    snprintf(place.fresh, sizeof place.fresh, "%s/fresh", place.dir);
    snprintf(place.tables, sizeof place.tables, "%s/tables", place.dir);
    struct gen_options options = {.dir = place.data,
                                  .seed = 11,
                                  .xored = true,
                                  .block_bytes = 60000,
                                  .file_bytes = 8 << 20,
                                  .planted_per_10k = 2000,
                                  .stale_every = 40};
    struct gen *gen = gen_open(&options);
    gen_blocks(gen, 0, 24 << 20);
    place.stale_tip = gen_tip(gen);
    gen_fork(gen, gen_height(gen) - 30);
    gen_blocks(gen, 40, 0);
    gen_close(gen);
    unktx_ok("scan --quiet --datadir %s --store %s", place.data, place.fresh);
    store_tables(place.fresh, "core-22", place.tables);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    remove_tree(place.dir);
    free(place.dir);
    return 0;
}

/* A scan in a process of its own that commits every few blocks. */
static pid_t start_scan(const char *store, uint32_t to_height, const struct hash256 *tip)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child > 0)
        return child;
    struct ingest_options options = {.datadir = place.data,
                                     .store = store,
                                     .threads = 2,
                                     .to_height = to_height,
                                     .tip = tip,
                                     .commit_blocks = COMMIT_BLOCKS};
    struct ingest_result result;
    struct fault fault = {0};
    enum status status = ingest_run(&options, &result, &fault);
    if (status != STATUS_OK)
        fprintf(stderr, "scan: %s: %s\n", fault.path, fault.text);
    _exit(status == STATUS_OK ? 0 : 1);
}

/* ---- kill -9 ---- */

/* What a killed scan left is a whole store of a part of the chain, or none yet. */
static void assert_sound(const char *store)
{
    if (store_blocks(store) > 0)
        unktx_ok("check --store %s", store);
}

/* Scans that go forward, back, and to a branch that lost are killed on one store until one of them gets through; then
 * the next one must end with the store of a scan that nobody disturbed. */
static void test_killed_at_any_moment(void **state)
{
    (void)state;
    const char *asked = getenv("UNKTX_KILLS");
    unsigned kills = asked ? (unsigned)strtoul(asked, NULL, 10) : KILLS, landed = 0, rounds = 0;
    struct rng rng = {(uint64_t)time(NULL)};
    char store[600];
    print_message("seed %llu\n", (unsigned long long)rng.state);
    snprintf(store, sizeof store, "%s/killed", place.dir);
    double begun = now_s();
    assert_int_equal(wait_status(start_scan(store, UINT32_MAX, NULL)), 0);
    unsigned whole_us = (unsigned)((now_s() - begun) * 1e6);
    remove_tree(store);
    for (; landed < kills; rounds++) {
        for (unsigned step = 0; step < 5 && landed < kills; step++) {
            uint32_t to_height = rng_below(&rng, 4) ? UINT32_MAX : rng_below(&rng, 380);
            pid_t child = start_scan(store, to_height, rng_below(&rng, 4) ? NULL : &place.stale_tip);
            usleep(rng_below(&rng, whole_us / (1 + step) + 1000));
            kill(child, SIGKILL);
            int status = wait_status(child);
            assert_true(status == 0 || status == 128 + SIGKILL);
            landed += status != 0;
            /* Other work on the machine makes a scan slower and faster: keep to moments within it. */
            whole_us = status == 0 ? whole_us / 8 * 7 + 1000 : whole_us + whole_us / 32;
            assert_sound(store);
        }
        assert_int_equal(wait_status(start_scan(store, UINT32_MAX, NULL)), 0);
        char fresh[DIGEST_SIZE + 1], after[DIGEST_SIZE + 1];
        store_digest(place.fresh, fresh);
        store_digest(store, after);
        assert_string_equal(fresh, after);
        if (rounds % 4 == 0) { /* the digest says it all; the tables now and then */
            store_tables(store, "core-22", path_of("%s/after", place.dir));
            assert_same_tables(place.tables, path_of("%s/after", place.dir));
        }
        if (rounds % 2) /* every other one goes on with the finished store: back, and forward again */
            remove_tree(store);
    }
    print_message("%u scans killed, %u stores finished\n", landed, rounds);
}

/* ---- SIGINT, SIGTERM ---- */

static void assert_no_part_files(const char *folder)
{
    glob_t found = {0};
    assert_int_equal(glob(path_of("%s/*.part", folder), 0, NULL, &found), GLOB_NOMATCH);
    globfree(&found);
}

/* Done, or stopped; the signal itself may also have come before the program was there to catch it. */
static void assert_ended(const struct run *run, const char *signal_name)
{
    int uncaught = 128 + (strcmp(signal_name, "INT") == 0 ? SIGINT : SIGTERM);
    if (run->exit_status != 0 && run->exit_status != 130 && !(run->exit_status == uncaught && run->err[0] == '\0'))
        fail_msg("exit status %d: %s", run->exit_status, run->err);
}

/* Blocks that an interrupted scan says it has kept; UINT32_MAX: it was cut off before it could say. */
static uint32_t blocks_kept(const char *err)
{
    const char *at = strstr(err, "interrupted; the store holds ");
    uint32_t height;
    if (!at)
        return UINT32_MAX;
    assert_int_equal(sscanf(at, "interrupted; the store holds the chain to height %u", &height), 1);
    return height + 1;
}

static enum status scan_stopped_at(const char *store, long look, struct ingest_result *result, long *looks)
{
    struct ingest_options options = {
        .datadir = place.data, .store = store, .threads = 1, .to_height = UINT32_MAX, .commit_blocks = COMMIT_BLOCKS};
    stop_after(look);
    enum status status = ingest_run(&options, result, NULL);
    *looks = stop_looks();
    stop_after(-1);
    return status;
}

/* Stopped at looks at the flag while it takes blocks, whatever the machine's speed: the blocks that it says it has are
 * those of the store, and the next scan goes on from there. */
static void test_scan_knows_what_it_kept(void **state)
{
    (void)state;
    unsigned stopped = 0;
    char store[600];
    struct ingest_result result;
    long looks, ignored;
    snprintf(store, sizeof store, "%s/kept", place.dir);
    assert_int_equal(scan_stopped_at(store, NEVER, &result, &looks), STATUS_OK);
    for (long back = 40; back > 0; back -= 5) {
        remove_tree(store);
        enum status status = scan_stopped_at(store, looks - back, &result, &ignored);
        assert_true(status == STATUS_INTERRUPTED || status == STATUS_OK);
        if (result.blocks > 0)
            assert_int_equal(result.blocks, store_blocks(store));
        stopped += status == STATUS_INTERRUPTED && result.blocks > 0;
    }
    assert_true(stopped > 2);
    assert_int_equal(scan_stopped_at(store, NEVER, &result, &ignored), STATUS_OK);
    assert_same_stores(place.fresh, store, place.dir);
}

/* Signals at moments of the clock, of which any number may meet the scan: the height that it names is that of the
 * store. */
static void test_scan_asked_to_stop(void **state)
{
    (void)state;
    static const char *const signals[2] = {"INT", "TERM"};
    unsigned stopped = 0;
    for (unsigned i = 0; i < 60 && stopped < 4; i++) {
        struct run run = shell(
            "timeout --preserve-status -s %s %.3f $UNKTX scan --quiet --threads 1 --datadir %s --store %s/asked",
            signals[i % 2], 0.004 + 0.003 * (i % 20), place.data, place.dir);
        assert_ended(&run, signals[i % 2]);
        uint32_t kept = blocks_kept(run.err);
        if (kept != UINT32_MAX) {
            assert_int_equal(kept, store_blocks(path_of("%s/asked", place.dir)));
            stopped++;
        } else if (run.exit_status == 0) {
            remove_tree(path_of("%s/asked", place.dir));
        }
        run_free(&run);
    }
    print_message("%u scans stopped\n", stopped);
    unktx_ok("scan --quiet --datadir %s --store %s/asked", place.data, place.dir);
    assert_same_stores(place.fresh, path_of("%s/asked", place.dir), place.dir);
}

static void assert_whole_or_absent(const char *folder)
{
    static const char *const names[] = {"outputs", "tdags", "classes", "txs", "arcs", "leaves"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (path_exists(path_of("%s/%s.csv", folder, names[i])))
            assert_same_file(path_of("%s/%s.csv", folder, names[i]), path_of("%s/%s.csv", place.tables, names[i]));
    assert_no_part_files(folder);
}

/* Tables appear whole or not at all, and nothing else is left. */
static void test_tables_asked_to_stop(void **state)
{
    (void)state;
    static const char *const commands[] = {"dags --rules core-22 --store %s -o %s",
                                           "outputs --rules core-22 --store %s -o %s/outputs.csv"};
    unsigned stopped = 0;
    for (unsigned i = 0; i < 24 || (stopped == 0 && i < 400); i++) { /* at least one, on a slow machine too */
        char folder[600], command[1400];
        snprintf(folder, sizeof folder, "%s/stopped", place.dir);
        make_dirs(folder);
        snprintf(command, sizeof command, i % 2 ? commands[1] : commands[0], place.fresh, folder);
        struct run run = shell("timeout --preserve-status -s INT %.4f $UNKTX %s", 0.003 + 0.004 * i, command);
        assert_ended(&run, "INT");
        stopped += strstr(run.err, "interrupted") != NULL;
        run_free(&run);
        assert_whole_or_absent(folder);
        remove_tree(folder);
    }
    assert_true(stopped > 0);
}

static void test_analyze_asked_to_stop(void **state)
{
    (void)state;
    char folder[600];
    snprintf(folder, sizeof folder, "%s/analyzed", place.dir);
    unsigned stopped = 0;
    for (unsigned i = 0; i < 12 || (stopped == 0 && i < 100); i++) {
        struct run run = shell("timeout --preserve-status -s TERM %.3f $UNKTX analyze --quiet --no-unlocks --rules "
                               "core-22 --datadir %s -o %s",
                               0.01 + 0.03 * i, place.data, folder);
        assert_ended(&run, "TERM");
        stopped += strstr(run.err, "interrupted") != NULL;
        run_free(&run);
        if (path_exists(folder))
            assert_whole_or_absent(folder);
    }
    assert_true(stopped > 0);
    unktx_ok("analyze --quiet --no-unlocks --rules core-22 --datadir %s -o %s", place.data, folder);
    assert_whole_or_absent(folder);
    assert_same_stores(place.fresh, path_of("%s/store", folder), place.dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_killed_at_any_moment),  cmocka_unit_test(test_scan_knows_what_it_kept),
        cmocka_unit_test(test_scan_asked_to_stop),    cmocka_unit_test(test_tables_asked_to_stop),
        cmocka_unit_test(test_analyze_asked_to_stop),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
