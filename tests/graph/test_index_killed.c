/* Builds of the index, in the order of the chain and in that of the files, killed at random moments: whatever they
 * leave, the next one ends with the index of a build that nobody disturbed. UNKTX_KILLS=500 asks for more moments than
 * the 40 of `make check`. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "graph/index/build.h"
#include "graph/index/tx_index.h"
#include "graph/test_hooks.h"
#include "tests/support/chaingen.h"
#include "tests/support/dir.h"
#include "tests/support/run.h"
#include "tests/support/trouble.h"

enum { BLOCKS = 150, HEIGHTS_MAX = 300, KILLS = 40, CHECKPOINT_BLOCKS = 12 };

static char data[512], store[512];
static struct hash256 stale_tip; /* of a branch that lost, 20 blocks deep */
static uint32_t tip_height;
static char digests[HEIGHTS_MAX][65];
static unsigned went_on;
static enum ingest_order order; /* of the builds that are started */

static int set_up(void **state)
{
    (void)state;
    dir = temp_dir();
    snprintf(data, sizeof data, "%s/data", dir);
    snprintf(store, sizeof store, "%s/store", dir);
    make_dirs(data);
    struct gen_options options = {.dir = data,
                                  .seed = 23,
                                  .xored = true,
                                  .block_bytes = 30000,
                                  .file_bytes = 1 << 20,
                                  .window = 16,
                                  .planted_per_10k = 300,
                                  .spends = true};
    struct gen *gen = gen_open(&options);
    gen_blocks(gen, BLOCKS, 0);
    stale_tip = gen_tip(gen);
    gen_fork(gen, gen_height(gen) - 20);
    gen_blocks(gen, 30, 0);
    tip_height = gen_height(gen);
    assert_true(tip_height < HEIGHTS_MAX);
    gen_close(gen);
    return 0;
}

/* To a pipe: this process does not see the child's memory. */
static void on_message(void *context, const char *text)
{
    if (strncmp(text, "going on", 8) == 0)
        (void)!write(*(const int *)context, "g", 1);
    if (strstr(text, "begins anew"))
        (void)!write(*(const int *)context, "a", 1);
}

static pid_t start(const char *into, uint32_t to_height, const struct hash256 *tip, int notes)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child > 0)
        return child;
    struct index_options options = {.datadir = data,
                                    .store = into,
                                    .memory = UINT64_C(256) << 20,
                                    .threads = 2,
                                    .to_height = to_height,
                                    .tip = tip,
                                    .order = order,
                                    .message = on_message,
                                    .context = &notes};
    index_checkpoint_blocks = to_height % 4 == 1 ? 0 : CHECKPOINT_BLOCKS; /* without, few blocks are added in one go */
    struct index_result result;
    struct fault fault = {0};
    enum status status = index_build(&options, &result, &fault);
    if (status != STATUS_OK)
        fprintf(stderr, "index: %s: %s\n", fault.path, fault.text);
    _exit(status == STATUS_OK && result.damages == 0 ? 0 : 1);
}

/* One thread: what comes after is forked. */
static void digest_of(const char *path, char text[65])
{
    uint8_t digest[32];
    struct fault fault = {0};
    if (index_check(path, 1, digest, &fault) != STATUS_OK)
        fail_msg("%s: %s", fault.path, fault.text);
    for (int i = 0; i < 32; i++)
        snprintf(text + 2 * i, 3, "%02x", digest[i]);
}

/* Builds undisturbed to that height of the chain of the most work, and compares with a fresh one. */
static void assert_as_fresh(uint32_t height, int notes)
{
    char text[65];
    if (!digests[height][0]) {
        const char *fresh = path_of("%s/fresh", dir);
        enum ingest_order now = order;
        remove_tree(fresh);
        order = INGEST_BY_CHAIN;
        assert_int_equal(wait_status(start(fresh, height, NULL, notes)), 0);
        order = now;
        digest_of(fresh, digests[height]);
    }
    assert_int_equal(wait_status(start(store, height, NULL, notes)), 0);
    digest_of(store, text);
    assert_string_equal(text, digests[height]);
    assert_false(path_exists(path_of("%s/tio/tmp", store)));
}

static unsigned read_notes(int notes)
{
    char text[4096];
    ssize_t got = read(notes, text, sizeof text);
    return got > 0 ? (unsigned)got : 0;
}

/* What a killed build left is an index, of the state before or after it, none, or one that is not finished. */
static void assert_readable(void)
{
    struct tx_index *index = NULL;
    struct fault fault = {0};
    enum status status = index_open(store, &index, &fault);
    if (status != STATUS_OK && status != STATUS_NOT_FOUND && status != STATUS_REFUSED)
        fail_msg("%s: %s", fault.path, fault.text);
    index_close(index);
}

static void test_killed_at_any_moment(void **state)
{
    (void)state;
    const char *asked = getenv("UNKTX_KILLS");
    unsigned kills = asked ? (unsigned)strtoul(asked, NULL, 10) : KILLS, landed = 0, rounds = 0;
    struct rng rng = {(uint64_t)time(NULL)};
    int notes[2];
    print_message("seed %llu\n", (unsigned long long)rng.state);
    assert_int_equal(pipe(notes), 0);
    assert_int_equal(fcntl(notes[0], F_SETFL, O_NONBLOCK), 0);
    double begun = now_s();
    assert_int_equal(wait_status(start(store, UINT32_MAX, NULL, notes[1])), 0);
    unsigned whole_us = (unsigned)((now_s() - begun) * 1e6);
    for (; landed < kills || (went_on == 0 && landed < 20 * kills); rounds++) {
        if (rounds % 2 == 0) /* a first build; then those that add and take back */
            remove_tree(store);
        for (unsigned step = 0; step < 5; step++) {
            uint32_t to_height = rng_below(&rng, 3) ? UINT32_MAX : rng_below(&rng, tip_height);
            order = rng_below(&rng, 2) ? INGEST_BY_FILE : INGEST_BY_CHAIN;
            pid_t child = start(store, to_height, rng_below(&rng, 4) ? NULL : &stale_tip, notes[1]);
            usleep(rng_below(&rng, whole_us + 1000));
            kill(child, SIGKILL);
            int status = wait_status(child);
            assert_true(status == 0 || status == 128 + SIGKILL);
            landed += status != 0;
            /* Other work on the machine makes a build slower and faster: keep to moments within it. */
            whole_us = status == 0 ? whole_us / 8 * 7 + 1000 : whole_us + whole_us / 32;
            assert_readable();
        }
        assert_as_fresh(rounds % 3 ? tip_height : tip_height / 2 + rng_below(&rng, 4), notes[1]);
        went_on += read_notes(notes[0]);
    }
    print_message("%u builds killed, %u indexes finished, %u builds went on\n", landed, rounds, went_on);
    assert_true(went_on > 0);
    close(notes[0]);
    close(notes[1]);
}

/* A checkpoint whose files are not as it says, or that is damaged itself, is not believed; that is said. */
static void test_temporary_files_gone(void **state)
{
    (void)state;
    static const char *const names[] = {"note", "txs", "outs", "near", "creators-0", "spenders-3"};
    int notes[2];
    assert_int_equal(pipe(notes), 0);
    assert_int_equal(fcntl(notes[0], F_SETFL, O_NONBLOCK), 0);
    for (size_t i = 0; i < 2 * sizeof names / sizeof *names; i++) {
        char path[600];
        remove_tree(store);
        snprintf(path, sizeof path, "%s/tio/tmp/%s", store, names[i / 2]);
        order = i % 3 ? INGEST_BY_FILE : INGEST_BY_CHAIN;
        pid_t child = start(store, tip_height, NULL, -1);
        siginfo_t ended = {0};
        while (!path_exists(path_of("%s/tio/tmp/note", store)) && ended.si_pid == 0) {
            usleep(200);
            assert_int_equal(waitid(P_PID, (id_t)child, &ended, WEXITED | WNOHANG | WNOWAIT), 0);
        }
        kill(child, SIGKILL);
        (void)wait_status(child);
        bool there = path_exists(path);
        if (there)
            assert_int_equal(i % 2 ? remove(path) : truncate(path, 50), 0);
        assert_as_fresh(tip_height, notes[1]);
        char said = 0;
        ssize_t got = read(notes[0], &said, 1);
        if (i < 2) /* of a checkpoint that is gone there is nothing to say */
            assert_int_equal(got == 1 ? said : 0, there && i % 2 == 0 ? 'a' : 0);
    }
    close(notes[0]);
    close(notes[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_killed_at_any_moment),
        cmocka_unit_test(test_temporary_files_gone),
    };
    return cmocka_run_group_tests(tests, set_up, remove_dir);
}
