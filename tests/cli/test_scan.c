/* `unktx scan` over a chain that grows, branches, breaks off, or is not what was expected. */
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
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "graph/scan/ingest.h"
#include "graph/test_hooks.h"

#include "tests/support/chaingen.h"
#include "tests/support/run.h"
#include "tests/support/stores.h"
#include "tests/support/table.h"

/* A folder for one test: a generated chain in DIR/data, stores beside it. */
struct place {
    char *dir;
    char data[512];
};

static struct gen_options small_blocks(const struct place *place)
{
    return (struct gen_options){.dir = place->data,
                                .seed = 7,
                                .xored = true,
                                .block_bytes = 6000,
                                .file_bytes = 200000,
                                .window = 16,
                                .planted_per_10k = 2000,
                                .stale_every = 10};
}

static int set_up(void **state)
{
    struct place *place = must_alloc(1, sizeof *place);
    place->dir = temp_dir();
    snprintf(place->data, sizeof place->data, "%s/data", place->dir);
    struct gen_options options = small_blocks(place);
    struct gen *gen = gen_open(&options);
    gen_blocks(gen, 120, 0);
    gen_close(gen);
    *state = place;
    return 0;
}

static int tear_down(void **state)
{
    struct place *place = *state;
    remove_tree(place->dir);
    free(place->dir);
    free(place);
    return 0;
}

/* Scans into DIR/STORE. */
static void scan(const struct place *place, const char *store, const char *more)
{
    unktx_ok("scan --quiet --datadir %s --store %s/%s %s", place->data, place->dir, store, more);
}

static void assert_refused(int status, const char *text, const char *command)
{
    struct run run = unktx("%s", command);
    if (run.exit_status != status || (text && !strstr(run.err, text)))
        fail_msg("unktx %s: status %d, not %d with \"%s\": %s", command, run.exit_status, status, text ? text : "",
                 run.err);
    assert_true(run.err[0] != '\0' && run.out_size == 0);
    run_free(&run);
}

/* Both stores hold the same: what `check` says of them (its digest), and the tables. */
static void assert_same_store(const struct place *place, const char *a, const char *b)
{
    const char *stores[2] = {a, b};
    char *said[2];
    for (unsigned i = 0; i < 2; i++) {
        struct run run = unktx_expect(0, "check --store %s/%s", place->dir, stores[i]);
        char *digest = strstr(run.out, "digest");
        assert_non_null(digest);
        said[i] = strdup(digest);
        run_free(&run);
        unktx_ok("outputs --store %s/%s --rules core-22 -o %s/%s.csv", place->dir, stores[i], place->dir, stores[i]);
        unktx_ok("dags --store %s/%s --rules core-22 -o %s/%s-dags", place->dir, stores[i], place->dir, stores[i]);
    }
    assert_string_equal(said[0], said[1]);
    free(said[0]);
    free(said[1]);
    assert_same_file(path_of("%s/%s.csv", place->dir, a), path_of("%s/%s.csv", place->dir, b));
    assert_same_file(path_of("%s/%s-dags/tdags.csv", place->dir, a), path_of("%s/%s-dags/tdags.csv", place->dir, b));
    assert_same_file(path_of("%s/%s-dags/leaves.csv", place->dir, a), path_of("%s/%s-dags/leaves.csv", place->dir, b));
}

/* What the generator wrote is what is found: the one test here against numbers that no part of unktx computed. */
static void assert_truth(const struct place *place, const char *store)
{
    struct json truth = json_open(path_of("%s/truth.json", place->data));
    unktx_ok("stats --store %s/%s -o %s/stats.csv", place->dir, store, place->dir);
    struct table stats = table_read(path_of("%s/stats.csv", place->dir));
    static const char *const sums[4] = {"blocks", "txs", "inputs", "outputs"};
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(table_number(&stats, 0, table_column(&stats, sums[i])), json_find_number(&truth, sums[i]));
    for (unsigned k = 0; k < KIND_NAMES; k++) {
        uintmax_t count, sat;
        json_find(&truth, kind_names[k]);
        assert_int_equal(sscanf(truth.at, "%ju, %ju", &count, &sat), 2);
        assert_int_equal(table_number(&stats, 0, table_column(&stats, kind_names[k])), count);
        assert_int_equal(table_number(&stats, 0, table_column(&stats, path_of("%s_sat", kind_names[k]))), sat);
    }
    table_free(&stats);
    json_close(&truth);
}

/* T-DAGs by family for each rule set. */
static void assert_families(const struct place *place, const char *store)
{
    for (unsigned r = 0; r < GEN_RULES; r++) {
        unktx_ok("dags --replace --store %s/%s --rules %s -o %s/dags", place->dir, store, gen_rules_names[r],
                 place->dir);
        struct table dags = table_read(path_of("%s/dags/tdags.csv", place->dir));
        struct json truth = json_open(path_of("%s/truth.json", place->data));
        uintmax_t want[3];
        json_find(&truth, "tdags");
        assert_int_equal(sscanf(truth.at, "%ju, %ju, %ju", &want[0], &want[1], &want[2]), 3);
        assert_int_equal(dags.rows, want[r]);
        static const char *const sums[3][2] = {{"nodes", "nodes"}, {"edges", "edges"}, {"heights", "height"}};
        for (unsigned s = 0; s < 3; s++) {
            json_find(&truth, sums[s][0]);
            assert_int_equal(sscanf(truth.at, "%ju, %ju, %ju", &want[0], &want[1], &want[2]), 3);
            assert_int_equal(table_sum(&dags, sums[s][1]), want[r]);
        }
        for (unsigned f = 0; f < PLAN_FAMILIES; f++) {
            uint64_t count = 0;
            for (size_t d = 0; d < dags.rows; d++)
                count += strcmp(table_get(&dags, d, "family"), plan_family_names[f]) == 0;
            json_find(&truth, plan_family_names[f]);
            assert_int_equal(sscanf(truth.at, "%ju, %ju, %ju", &want[0], &want[1], &want[2]), 3);
            if (count != want[r])
                fail_msg("%s: %ju T-DAGs of family %s, the truth is %ju", gen_rules_names[r], (uintmax_t)count,
                         plan_family_names[f], want[r]);
        }
        json_close(&truth);
        table_free(&dags);
    }
}

static void test_truth(void **state)
{
    struct place *place = *state;
    scan(place, "a", "--verify");
    assert_truth(place, "a");
    assert_families(place, "a");
}

static void test_steps(void **state)
{
    struct place *place = *state;
    scan(place, "fresh", "");
    for (unsigned height = 0; height < 120; height += 1 + height / 2)
        scan(place, "steps", path_of("--to-height %u --threads %u", height, 1 + height % 3));
    scan(place, "steps", "");
    assert_same_store(place, "fresh", "steps");
    scan(place, "half", "--to-height 60");
    scan(place, "half-again", "--to-height 60 --threads 4");
    assert_same_store(place, "half", "half-again");
    scan(place, "half", "");
    assert_same_store(place, "fresh", "half");
}

static void test_nothing_new(void **state)
{
    struct place *place = *state;
    scan(place, "a", "");
    scan(place, "b", "");
    scan(place, "b", "");
    assert_same_store(place, "a", "b");
    struct run run = unktx_expect(0, "scan --datadir %s --store %s/b", place->data, place->dir);
    assert_non_null(strstr(run.err, "0 blocks added"));
    run_free(&run);
}

static void grow(const struct place *place, uint32_t fork_height, uint32_t blocks)
{
    struct gen_options options = small_blocks(place);
    struct gen *gen = gen_open(&options);
    if (fork_height != UINT32_MAX)
        gen_fork(gen, fork_height);
    gen_blocks(gen, blocks, 0);
    gen_close(gen);
}

static void test_growth(void **state)
{
    struct place *place = *state;
    scan(place, "grown", "");
    for (unsigned i = 0; i < 4; i++) {
        grow(place, UINT32_MAX, 1 + 9 * i);
        scan(place, "grown", "");
    }
    scan(place, "fresh", "");
    assert_same_store(place, "fresh", "grown");
    assert_truth(place, "grown");
}

/* Branches of several depths win between scans; what they took back must leave nothing. */
static void test_reorganisation(void **state)
{
    struct place *place = *state;
    static const uint32_t depths[] = {1, 7, 60, 119};
    scan(place, "a", "");
    for (size_t i = 0; i < sizeof depths / sizeof *depths; i++) {
        struct gen_options options = small_blocks(place);
        struct gen *gen = gen_open(&options);
        uint32_t tip = gen_height(gen);
        gen_fork(gen, tip - depths[i]);
        gen_blocks(gen, depths[i] + 3, 0);
        assert_true(gen_height(gen) > tip);
        gen_close(gen);
        scan(place, "a", "");
        scan(place, path_of("fresh-%zu", i), "");
        assert_same_store(place, path_of("fresh-%zu", i), "a");
    }
}

/* Two tips of the same work: the first in the files stays; --tip takes the other, and back. */
static void test_tie_and_tip(void **state)
{
    struct place *place = *state;
    struct gen_options options = small_blocks(place);
    char first[HASH256_HEX_SIZE + 1] = "", second[HASH256_HEX_SIZE + 1] = "";
    struct gen *gen = gen_open(&options);
    uint32_t tip = gen_height(gen);
    struct hash256 hash = gen_tip(gen);
    hash256_hex(&hash, first);
    gen_fork(gen, tip - 1);
    gen_blocks(gen, 1, 0);
    uint32_t height = gen_height(gen);
    hash = gen_tip(gen);
    hash256_hex(&hash, second);
    gen_close(gen);
    scan(place, "best", "");
    struct run run = unktx_expect(0, "scan --datadir %s --store %s/best", place->data, place->dir);
    assert_non_null(strstr(run.err, height == tip ? first : second));
    run_free(&run);
    scan(place, "first", path_of("--tip %s", first));
    scan(place, "second", path_of("--tip %s", second));
    if (height == tip)
        assert_same_store(place, "best", "first");
    scan(place, "second", path_of("--tip %s", first));
    assert_same_store(place, "second", "first");
}

static void test_refusals(void **state)
{
    struct place *place = *state;
    char command[2048];
    scan(place, "a", "");
    snprintf(command, sizeof command, "scan --quiet --datadir %s --store %s/a --nulldata store", place->data,
             place->dir);
    assert_refused(1, "nulldata", command);
    snprintf(command, sizeof command, "scan --quiet --datadir %s --store %s/b --tip %064d", place->data, place->dir, 7);
    assert_refused(1, NULL, command);
    snprintf(command, sizeof command, "scan --quiet --datadir %s --store %s/b --tip 12", place->data, place->dir);
    assert_refused(2, "--tip", command);
    snprintf(command, sizeof command, "scan --quiet --datadir %s/nowhere --store %s/b", place->dir, place->dir);
    assert_refused(1, "nowhere", command);
    make_dirs(path_of("%s/empty/blocks", place->dir));
    snprintf(command, sizeof command, "scan --quiet --datadir %s/empty --store %s/b", place->dir, place->dir);
    assert_refused(1, NULL, command);
    write_file(path_of("%s/empty/blocks/xor.dat", place->dir), "1234567", 7);
    write_file(path_of("%s/empty/blocks/blk00000.dat", place->dir), "", 0);
    assert_refused(1, NULL, command);
    /* and the store is as it was */
    scan(place, "c", "");
    assert_same_store(place, "a", "c");
}

/* The same records under another network's magic: another chain, for the store that was made. */
static void test_other_network(void **state)
{
    struct place *place = *state;
    scan(place, "a", "");
    struct records records = records_read(path_of("%s/regtest/blocks", place->data));
    for (size_t i = 0; i < records.count; i++)
        memcpy(records.list[i].bytes, "\x0a\x03\xcf\x40", 4); /* signet's */
    records_write(&records, path_of("%s/signet/blocks", place->dir), records.count, NULL);
    records_free(&records);
    char command[2048];
    snprintf(command, sizeof command, "scan --quiet --datadir %s/signet --store %s/a", place->dir, place->dir);
    assert_refused(1, NULL, command);
}

static void test_missing_genesis(void **state)
{
    struct place *place = *state;
    struct records records = records_read(path_of("%s/regtest/blocks", place->data)), rest = records;
    rest.list++;
    rest.count--;
    records_write(&rest, path_of("%s/headless/blocks", place->dir), rest.count, NULL);
    records_free(&records);
    char command[2048];
    snprintf(command, sizeof command, "scan --quiet --datadir %s/headless --store %s/a", place->dir, place->dir);
    assert_refused(1, "genesis", command);
}

/* Stops a scan by `signal_number` after `microseconds`; its exit status. */
static int stopped_scan(const char *data, const char *store, int signal_number, useconds_t microseconds)
{
    pid_t child = unktx_start("scan --quiet --datadir %s --store %s", data, store);
    usleep(microseconds);
    kill(child, signal_number);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Interrupted or killed at any moment, the next scan goes on to the same store. */
static void test_interruption(void **state)
{
    struct place *place = *state;
    char data[1024], store[1024];
    snprintf(data, sizeof data, "%s/large", place->dir);
    struct gen_options options = {.dir = data, .seed = 3, .planted_per_10k = 300, .file_bytes = 16 << 20};
    struct gen *gen = gen_open(&options);
    gen_blocks(gen, 0, 120 << 20);
    gen_close(gen);
    unktx_ok("scan --quiet --datadir %s --store %s/fresh", data, place->dir);
    static const int signals[2] = {SIGINT, SIGKILL};
    unsigned stopped = 0;
    for (unsigned s = 0; s < 2; s++) {
        snprintf(store, sizeof store, "%s/stopped-%u", place->dir, s);
        for (useconds_t wait = 2000; wait < 60000; wait += 8000) {
            int status = stopped_scan(data, store, signals[s], wait);
            assert_true(status == 0 || status == (signals[s] == SIGINT ? 130 : 128 + SIGKILL));
            stopped += status != 0;
        }
        unktx_ok("scan --quiet --datadir %s --store %s", data, store);
        assert_same_store(place, "fresh", s ? "stopped-1" : "stopped-0");
    }
    assert_true(stopped > 0);
}

/* A second writer is told that the store is in use. */
static void test_second_writer(void **state)
{
    struct place *place = *state;
    char data[1024], command[2200];
    snprintf(data, sizeof data, "%s/large", place->dir);
    struct gen_options options = {.dir = data, .seed = 4, .planted_per_10k = 300};
    struct gen *gen = gen_open(&options);
    gen_blocks(gen, 0, 60 << 20);
    gen_close(gen);
    snprintf(command, sizeof command, "scan --quiet --datadir %s --store %s/a", data, place->dir);
    bool refused = false;
    for (unsigned attempt = 0; attempt < 20 && !refused; attempt++) {
        remove_tree(path_of("%s/a", place->dir));
        pid_t first = unktx_start("%s", command);
        struct run second = unktx("%s", command);
        int status;
        assert_int_equal(waitpid(first, &status, 0), first);
        status = WIFEXITED(status) ? WEXITSTATUS(status) : 128;
        /* Whichever came second is refused, unless the first was done by then. */
        assert_true(status == 0 || second.exit_status == 0);
        refused = status == 1 || second.exit_status == 1;
        run_free(&second);
    }
    assert_true(refused);
    unktx_ok("%s", command);
    unktx_ok("scan --quiet --datadir %s --store %s/fresh", data, place->dir);
    assert_same_store(place, "fresh", "a");
}

/* Giants, with numbers by hand: nodes are roots and outputs, edges lead to each output from its root and each spent
 * output. Neither may be expanded or walked by recursion. */
static void test_giants(void **state)
{
    static const struct {
        const char *family;
        uint64_t txs;
        uint64_t nodes;
        uint64_t edges;
        uint64_t roots;
        uint64_t height;
    } want[] = {{"fan-in", 20001, 40001, 40000, 20000, 2},
                {"in-tree", 2269, 2279, 2278, 10, 2260},
                {"chain", 100000, 100001, 100000, 1, 100000}};
    static const char *const columns[5] = {"txs", "nodes", "edges", "roots", "height"};
    struct place *place = *state;
    char data[1024];
    snprintf(data, sizeof data, "%s/giants", place->dir);
    struct gen_options options = {.dir = data, .seed = 5};
    struct gen *gen = gen_open(&options);
    gen_plant(gen, plan_fan_in(20000));
    gen_plant(gen, plan_deep(2260, 10));
    gen_plant(gen, plan_deep(100000, 1));
    gen_tdags(gen, 0);
    gen_close(gen);
    unktx_ok("scan --quiet --datadir %s --store %s/a", data, place->dir);
    unktx_ok("dags --store %s/a -o %s/dags", place->dir, place->dir);
    struct table dags = table_read(path_of("%s/dags/tdags.csv", place->dir));
    assert_int_equal(dags.rows, 3);
    for (size_t d = 0; d < 3; d++) {
        size_t w = 0;
        while (w < 2 && strcmp(want[w].family, table_get(&dags, d, "family")) != 0)
            w++;
        assert_string_equal(table_get(&dags, d, "family"), want[w].family);
        const uint64_t numbers[5] = {want[w].txs, want[w].nodes, want[w].edges, want[w].roots, want[w].height};
        for (unsigned c = 0; c < 5; c++)
            assert_int_equal(table_number(&dags, d, table_column(&dags, columns[c])), numbers[c]);
    }
    table_free(&dags);
}

/* How many blocks the saved table of DIR/steps belongs to. */
static uint32_t saved_blocks(const struct place *place)
{
    struct store *store = NULL;
    struct fault fault = {0};
    assert_int_equal(store_open(path_of("%s/steps", place->dir), STORE_READ, NULL, &store, &fault), STATUS_OK);
    uint32_t blocks = store_snapshot_blocks(store);
    store_close(store);
    return blocks;
}

/* A scan to that height, with a commit after every tenth block, by a store whose map is moved whenever it grows. */
static void scan_in_steps(const struct place *place, uint32_t to_height)
{
    struct ingest_options options = {.datadir = place->data, .threads = 3, .to_height = to_height, .commit_blocks = 10};
    struct ingest_result result;
    struct fault fault = {0};
    options.store = path_of("%s/steps", place->dir);
    kv_map_step((size_t)1 << 20);
    assert_int_equal(ingest_run(&options, &result, &fault), STATUS_OK);
    kv_map_step(0);
    unktx_ok("check --store %s/steps", place->dir);
}

/* A scan that goes on from a saved table, which is used where it lies in the store while the store grows and moves:
 * outputs of the table are spent, replayed, saved anew, and taken back to. */
static void test_saved_table(void **state)
{
    const struct place *place = *state;
    struct gen_options options = small_blocks(place);
    options.block_bytes = 60000;
    struct gen *gen = gen_open(&options);
    uint32_t begin = gen_height(gen);
    for (unsigned i = 0; i < 3; i++)
        gen_plant(gen, plan_fan_in(20000));
    gen_plant(gen, plan_deep(40000, 1));
    gen_tdags(gen, 0);
    uint32_t end = gen_height(gen), middle = begin + (end - begin) / 2, later = begin + (end - begin) / 4 * 3;
    gen_close(gen);
    char fresh[DIGEST_SIZE + 1], steps[DIGEST_SIZE + 1];
    scan(place, "fresh", "");
    store_digest(path_of("%s/fresh", place->dir), fresh);
    scan_in_steps(place, middle);
    assert_int_equal(saved_blocks(place), middle + 1);
    for (unsigned round = 0; round < 2; round++) { /* forward twice, and back */
        scan_in_steps(place, later);
        scan_in_steps(place, end);
        assert_in_range(saved_blocks(place), middle + 1, end + 1);
        store_digest(path_of("%s/steps", place->dir), steps);
        assert_string_equal(fresh, steps);
        scan_in_steps(place, round ? begin : middle);
    }
    assert_int_equal(saved_blocks(place), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_saved_table, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_giants, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_truth, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_steps, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_nothing_new, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_growth, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_reorganisation, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_tie_and_tip, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refusals, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_other_network, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_missing_genesis, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_interruption, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_second_writer, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
