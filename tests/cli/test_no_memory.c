/* Every command with every one of its allocations failing in turn: an error that says so, nothing half written, and a
 * run without a failure after it ends as if there had been none. The commands run in this process. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "graph/store/store.h"
#include "graph/test_hooks.h"
#include "parser/mem.h"
#include "tests/support/chaingen.h"
#include "tests/support/command.h"
#include "tests/support/dir.h"

static char digest[512]; /* what `check` says of the undisturbed store */

/* Commands give free memory back to the system when they have read a store. Here the next one, in the same process,
 * asks for it again, thousands of times: it stays. */
int malloc_trim(size_t pad)
{
    (void)pad;
    return 0;
}

/* "data", or "spent": for an index, whose inputs spend outputs of the chain. */
static struct gen *open_chain(const char *name)
{
    static char data[512];
    snprintf(data, sizeof data, "%s/%s", dir, name);
    struct gen_options options = {.dir = data,
                                  .seed = 11,
                                  .xored = true,
                                  .block_bytes = 1500,
                                  .file_bytes = 12000,
                                  .window = 4,
                                  .planted_per_10k = 5000,
                                  .stale_every = 5,
                                  .spends = strcmp(name, "spent") == 0};
    return gen_open(&options);
}

static void expect_ok(struct run run)
{
    if (run.exit_status != 0)
        fail_msg("%s", run.err);
    run_free(&run);
}

/* What `check` says. */
static void take_report(const char *store, char report[sizeof digest])
{
    struct run run = command_run("check --store %s/%s --threads 1", dir, store);
    if (run.exit_status != 0)
        fail_msg("%s", run.err);
    assert_in_range(run.out_size, 100, sizeof digest - 1);
    memcpy(report, run.out, run.out_size + 1);
    run_free(&run);
}

static void expect_report(const char *store, const char *want)
{
    char found[sizeof digest];
    take_report(store, found);
    assert_string_equal(found, want);
}

static int set_up(void **state)
{
    (void)state;
    mallopt(M_TRIM_THRESHOLD, 256 << 20); /* as malloc_trim above */
    temp_dir_in_memory();
    dir = temp_dir();
    struct gen *gen = open_chain("data");
    gen_blocks(gen, 12, 0);
    gen_tdags(gen, 12);
    gen_close(gen);
    kv_map_step((size_t)1 << 20);
    expect_ok(command_run("scan --datadir %s/data --store %s/good --threads 1", dir, dir));
    take_report("good", digest);
    return 0;
}

/* Runs the command with `allowed` allocations; true if that was enough. */
static bool run_with(long allowed, const char *line)
{
    mem_fail_after(allowed);
    struct run run = command_run("%s", line);
    mem_fail_after(-1);
    bool done = run.exit_status == 0;
    if (!done && (run.exit_status != 1 || !strstr(run.err, "memory")))
        fail_msg("%s, with %ld allocations: exit status %d, '%s'", line, allowed, run.exit_status, run.err);
    run_free(&run);
    return done;
}

/* ---- scan and index ---- */

/* A command that fills a store from a chain. */
struct writing {
    const char *command;
    const char *data;
    const char *begin; /* the store to begin with; NULL: none */
    const char *want;  /* the report of `check` in the end */
    unsigned threads;
    /* what failed must go on as if nothing had been: seen every so often, for its price */
    long step;
    long every;
};

static void copy_store(const char *from)
{
    make_dirs(path_of("%s/store", dir));
    copy_file(path_of("%s/%s/data.mdb", dir, from), path_of("%s/store/data.mdb", dir));
    if (!path_exists(path_of("%s/%s/tio", dir, from)))
        return;
    make_dirs(path_of("%s/store/tio", dir));
    copy_file(path_of("%s/%s/tio/data.mdb", dir, from), path_of("%s/store/tio/data.mdb", dir));
}

static void fail_writing(const struct writing *writing)
{
    char line[1024];
    long n = 0, failures = 0;
    snprintf(line, sizeof line, "%s --quiet --datadir %s/%s --store %s/store --threads %u", writing->command, dir,
             writing->data, dir, writing->threads);
    for (bool done = false; !done; n += writing->step) {
        if (writing->begin)
            copy_store(writing->begin);
        done = run_with(n, line);
        failures += !done;
        if (done || n % writing->every == 0) {
            expect_ok(command_run("%s", line));
            expect_report("store", writing->want);
        }
        remove_tree(path_of("%s/store", dir));
    }
    print_message("%s: %ld allocations failed\n", writing->command, failures);
    assert_true(failures > 10);
}

static void test_scan(void **state)
{
    (void)state;
    fail_writing(&(struct writing){"scan", "data", NULL, digest, 1, 1, 9});
}

static void test_scan_threads(void **state)
{
    (void)state;
    fail_writing(&(struct writing){"scan", "data", NULL, digest, 2, 7, 14});
}

/* From a store that has a part of the chain. */
static void test_scan_further(void **state)
{
    (void)state;
    expect_ok(command_run("scan --quiet --datadir %s/data --store %s/half --to-height 6 --threads 1", dir, dir));
    fail_writing(&(struct writing){"scan", "data", "half", digest, 1, 1, 9});
}

/* A part of the chain, from nothing and from a store that has some of it. */
static void test_scan_partial(void **state)
{
    (void)state;
    char want[sizeof digest];
    expect_ok(command_run("scan --quiet --datadir %s/data --store %s/part --from-height 5 --threads 1", dir, dir));
    take_report("part", want);
    fail_writing(&(struct writing){"scan --from-height 5", "data", NULL, want, 1, 3, 9});
    remove_tree(path_of("%s/part", dir));
    expect_ok(command_run("scan --quiet --datadir %s/data --store %s/part --from-height 5 --to-height 6 --threads 1",
                          dir, dir));
    fail_writing(&(struct writing){"scan --partial", "data", "part", want, 1, 3, 9});
}

/* The store has blocks of a branch that lost. */
static void test_scan_back(void **state)
{
    (void)state;
    struct gen *gen = open_chain("data");
    uint32_t height = gen_height(gen);
    gen_fork(gen, height - 3);
    gen_blocks(gen, 5, 0);
    gen_close(gen);
    expect_ok(command_run("scan --quiet --datadir %s/data --store %s/branch --threads 1", dir, dir));
    char before[sizeof digest];
    memcpy(before, digest, sizeof digest);
    take_report("branch", digest);
    assert_string_not_equal(before, digest);
    fail_writing(&(struct writing){"scan", "data", "good", digest, 1, 1, 25});
    expect_ok(command_run("scan --quiet --datadir %s/data --store %s/good --threads 1", dir, dir));
}

/* A first index, one that adds blocks to an older one, and one that takes blocks back. */
static void test_index(void **state)
{
    (void)state;
    char want[sizeof digest];
    struct gen *gen = open_chain("spent");
    gen_blocks(gen, 14, 0);
    gen_close(gen);
    expect_ok(command_run("index --quiet --datadir %s/spent --store %s/older --threads 1", dir, dir));
    expect_ok(command_run("index --quiet --datadir %s/spent --store %s/lower --to-height 12 --threads 1", dir, dir));
    take_report("older", want);
    fail_writing(&(struct writing){"index", "spent", NULL, want, 1, 1, 25});
    fail_writing(&(struct writing){"index", "spent", NULL, want, 2, 7, 49});
    fail_writing(&(struct writing){"index", "spent", "lower", want, 1, 7, 210});
    gen = open_chain("spent");
    gen_fork(gen, gen_height(gen) - 3);
    gen_blocks(gen, 5, 0);
    gen_close(gen);
    expect_ok(command_run("index --quiet --datadir %s/spent --store %s/newer --threads 1", dir, dir));
    take_report("newer", want);
    fail_writing(&(struct writing){"index", "spent", "older", want, 1, 7, 210});
}

/* ---- what reads ---- */

static size_t files_in(const char *path)
{
    size_t count = 0;
    DIR *folder = opendir(path);
    const struct dirent *entry;
    while (folder && (entry = readdir(folder)))
        count += entry->d_name[0] != '.' || entry->d_name[1] != '\0';
    if (folder)
        closedir(folder);
    return folder ? count - 1 : 0; /* without ".." */
}

/* What is in `out` is as in `good`; `missing` of those may not be there. */
static void expect_same_files(const char *good, const char *out, size_t missing)
{
    assert_in_range(files_in(out), files_in(good) - missing, files_in(good));
    DIR *folder = opendir(out);
    const struct dirent *entry;
    while ((entry = readdir(folder)))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            assert_same_file(path_of("%s/%s", good, entry->d_name), path_of("%s/%s", out, entry->d_name));
    closedir(folder);
}

/* Runs `command` with its tables in the folder that the line names. After a failure there must be no file in it, unless
 * the tables were written and only the summary after them failed. */
static void fail_reading(const char *command, const char *store, const char *file, long step)
{
    char good[512], out[512], line[1500];
    long failures = 0;
    snprintf(good, sizeof good, "%s/good-out", dir);
    snprintf(out, sizeof out, "%s/out", dir);
    make_dirs(good);
    expect_ok(command_run("%s --store %s/%s -o %s%s", command, dir, store, good, file));
    snprintf(line, sizeof line, "%s --store %s/%s -o %s%s", command, dir, store, out, file);
    make_dirs(out);
    for (long n = 0; !run_with(n, line); n += step, failures++) {
        if (files_in(out) > 0)
            expect_same_files(good, out, 1);
        remove_tree(out);
        make_dirs(out);
    }
    print_message("%s: %ld allocations failed\n", command, failures);
    assert_true(failures > 3);
    expect_same_files(good, out, 0);
    remove_tree(good);
    remove_tree(out);
}

static void test_dags(void **state)
{
    (void)state;
    fail_reading("dags --threads 1", "good", "", 1);
    fail_reading("dags --threads 2 --compress --rules core-22", "good", "", 7);
    fail_reading("dags --no-unlocks --threads 1 --paper-classes", "good", "", 3);
}

/* Figures of each sort: totals, outputs, T-DAGs as of two heights. */
static void test_compare(void **state)
{
    (void)state;
    static const char figures[] = "regtest\ttxs\ttip\t1\ta test\t\n"
                                  "regtest\tscript 51\t200\t1\ta test\t\n"
                                  "regtest\ttdags core-22\ttip\t1\ta test\t\n"
                                  "regtest\trow core-0.18 2 3 2 1\t200\t1\ta test\t\n"
                                  "regtest\ttdags-with core-0.18 op-if\t200\t1\ta test\t\n";
    char line[1024];
    write_file(path_of("%s/figures.tsv", dir), figures, sizeof figures - 1);
    snprintf(line, sizeof line, "compare --threads 1 --figures %s/figures.tsv", dir);
    fail_reading(line, "good", "/compared.csv", 3);
}

static void test_outputs(void **state)
{
    (void)state;
    fail_reading("outputs --threads 1", "good", "/outputs.csv", 1);
}

static void test_stats(void **state)
{
    (void)state;
    fail_reading("stats --by block", "good", "/stats.csv", 1);
}

static void fail_printing(const char *line)
{
    long n = 0;
    while (!run_with(n, line))
        n++;
    print_message("%.5s: %ld allocations failed\n", line, n);
    assert_true(n > 3);
}

static void test_check(void **state)
{
    (void)state;
    char line[1024];
    snprintf(line, sizeof line, "check --store %s/good --threads 1", dir);
    fail_printing(line);
    expect_report("good", digest);
}

static void test_show(void **state)
{
    (void)state;
    char line[1024];
    snprintf(line, sizeof line, "show --store %s/good --dag 1", dir);
    fail_printing(line);
    snprintf(line, sizeof line, "show --store %s/good --dag 1 --format svg", dir);
    fail_printing(line);
}

/* A chain with repeated txids, scanned and indexed. */
static void test_indexed(void **state)
{
    (void)state;
    const char *node = "tests/fixtures/dup-txid/regtest";
    char line[1024];
    expect_ok(command_run("scan --quiet --datadir %s --store %s/indexed --threads 1", node, dir));
    expect_ok(command_run("index --quiet --datadir %s --store %s/indexed --threads 1", node, dir));
    fail_reading("dump inputs --threads 1", "indexed", "/inputs.csv", 1);
    fail_reading("dump outputs --threads 2", "indexed", "/outputs.csv", 3);
    fail_reading("tx 106 --format json", "indexed", "/block.json", 1);
    fail_reading("travel 1d10be33807afb5df50a43e6c0213fe865e8839bbd20ae3fbd11fca467e57fff", "indexed", "/travel.csv",
                 1);
    fail_reading("flows --threads 1", "indexed", "", 1);
    fail_reading("hidden --threads 1 --quiet", "indexed", "/hidden.csv", 3);
    fail_reading("dags --threads 1", "indexed", "", 5);
    snprintf(line, sizeof line,
             "show --store %s/indexed bf18ab9f8c4a26b3e24f2937f78cd13bce206a7c48ce407730548014fe31be43", dir);
    fail_printing(line);
    snprintf(line, sizeof line, "check --store %s/indexed --threads 1", dir);
    fail_printing(line);
}

/* Of few T-DAGs: it asks for memory in the same places as of many, less often in each. */
static void test_report(void **state)
{
    (void)state;
    char line[1024];
    struct gen *gen = open_chain("few");
    gen_blocks(gen, 4, 0);
    gen_tdags(gen, 3);
    gen_close(gen);
    expect_ok(command_run("scan --quiet --datadir %s/few --store %s/few-store --threads 1", dir, dir));
    snprintf(line, sizeof line, "report --store %s/few-store --threads 1 -o -", dir);
    fail_printing(line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scan),         cmocka_unit_test(test_scan_threads), cmocka_unit_test(test_scan_further),
        cmocka_unit_test(test_scan_partial), cmocka_unit_test(test_scan_back),    cmocka_unit_test(test_index),
        cmocka_unit_test(test_dags),         cmocka_unit_test(test_outputs),      cmocka_unit_test(test_stats),
        cmocka_unit_test(test_check),        cmocka_unit_test(test_show),         cmocka_unit_test(test_indexed),
        cmocka_unit_test(test_report),       cmocka_unit_test(test_compare),
    };
    return cmocka_run_group_tests(tests, set_up, remove_dir);
}
