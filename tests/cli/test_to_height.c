/* `--to-height H`: what is written of a store and an index that go further is what is written of a scan and an index
 * to H, byte for byte. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "tests/support/chaingen.h"
#include "tests/support/dir.h"
#include "tests/support/run.h"
#include "tests/support/table.h"

#define FIXTURE "tests/fixtures/regtest-xor/regtest"

static const char *const all_rules[] = {"core-0.18", "core-0.19", "core-22"};

static void scan(const char *datadir, const char *store, const char *more, bool indexed)
{
    unktx_ok("scan --quiet --datadir %s --store %s/%s --nulldata store%s", datadir, dir, store, more);
    if (indexed)
        unktx_ok("index --quiet --memory 256M --datadir %s --store %s/%s%s", datadir, dir, store, more);
}

/* Prints and writes what commands say of a store into a folder. */
static void tell(const char *store, const char *rules, const char *more, const char *out)
{
    make_dirs(path_of("%s/%s", dir, out));
    static const char *const commands[] = {"outputs --nulldata", "templates --nulldata", "unlocks", "report", "keys"};
    const char *to = path_of("%s/%s", dir, out);
    struct run run = unktx_expect(0, "dags --store %s/%s --rules %s -o %s/dags%s", dir, store, rules, to, more);
    write_file(path_of("%s/summary.txt", to), run.out, run.out_size);
    run_free(&run);
    run = unktx_expect(0, "dags --store %s/%s --rules %s --compress -o %s/compressed%s", dir, store, rules, to, more);
    run_free(&run);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        unktx_ok("%s --store %s/%s --rules %s -o %s/%zu%s", commands[i], dir, store, rules, to, i, more);
    unktx_ok("ties --store %s/%s --rules %s -o %s/ties%s", dir, store, rules, to, more);
}

/* What no rule set changes. */
static void tell_stats(const char *store, const char *more, const char *out)
{
    make_dirs(path_of("%s/%s", dir, out));
    static const char *const commands[] = {"--by block", "--nulldata", "--protocols"};
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        unktx_ok("stats %s --store %s/%s -o %s/%s/stats-%zu.csv%s", commands[i], dir, store, dir, out, i, more);
}

/* The sums that flows prints, and its own folder. */
static void tell_flows(const char *store, const char *rules, const char *more, const char *out)
{
    struct run run = unktx_expect(0, "flows --store %s/%s --rules %s -o %s/%s/flows%s", dir, store, rules, dir, out,
                                  more);
    write_file(path_of("%s/%s/flows.txt", dir, out), run.out, run.out_size);
    run_free(&run);
}

static void show(const char *store, const char *what, const char *more, const char *out)
{
    unktx_ok("show %s --store %s/%s -o %s/%s%s", what, dir, store, dir, out, more);
}

/* The first T-DAG and its first transaction, as text. */
static void compare_show(const char *part, const char *more)
{
    struct table tdags = table_read(path_of("%s/a/dags/tdags.csv", dir));
    if (tdags.rows > 0) {
        show("whole", path_of("--dag 1"), more, "a/dag");
        show(part, path_of("--dag 1"), "", "b/dag");
        show("whole", table_get(&tdags, 0, "first_txid"), more, "a/tx");
        show(part, table_get(&tdags, 0, "first_txid"), "", "b/tx");
    }
    table_free(&tdags);
}

/* The two folders, which then go. */
static void expect_same(unsigned height, const char *what)
{
    struct run run = shell("diff -r %s/a %s/b", dir, dir);
    if (run.exit_status != 0)
        fail_msg("height %u, %s: %s", height, what, run.out);
    run_free(&run);
    remove_tree(path_of("%s/a", dir));
    remove_tree(path_of("%s/b", dir));
}

/* The part is told by one thread, which takes less of the processor; the whole by as many as there are processors. */
static void compare_at(const char *datadir, unsigned height)
{
    char more[64];
    snprintf(more, sizeof more, " --to-height %u", height);
    scan(datadir, "part", more, true);
    tell_stats("whole", more, "a");
    tell_stats("part", "", "b");
    expect_same(height, "stats");
    for (size_t r = 0; r < sizeof all_rules / sizeof *all_rules; r++) {
        tell("whole", all_rules[r], more, "a");
        tell("part", all_rules[r], " --threads 1", "b");
        compare_show("part", more);
        tell_flows("whole", all_rules[r], more, "a");
        tell_flows("part", all_rules[r], " --threads 1", "b");
        expect_same(height, all_rules[r]);
    }
    remove_tree(path_of("%s/part", dir));
}

/* The bundled chain: from genesis on, where little is there, to the block below its tip. */
static void test_bundled(void **state)
{
    (void)state;
    scan(FIXTURE, "whole", "", true);
    struct run run = unktx_expect(0, "stats --by block --store %s/whole", dir);
    unsigned tip = 0;
    for (const char *at = run.out; (at = strchr(at, '\n')) && at[1]; at++)
        tip++;
    run_free(&run);
    tip--; /* the rows are those of the heights from 0 on */
    const unsigned heights[] = {0, 1, 101, tip / 2, tip - 1, tip};
    for (size_t i = 0; i < sizeof heights / sizeof *heights; i++)
        compare_at(FIXTURE, heights[i]);
}

/* A chain with T-DAGs that are half done at most heights, in several batches. */
static void test_generated(void **state)
{
    (void)state;
    char data[512];
    snprintf(data, sizeof data, "%s/data", dir);
    const struct gen_options options = {
        .dir = data, .seed = 61, .block_bytes = 4000, .planted_per_10k = 5000, .spends = true};
    struct gen *gen = gen_open(&options);
    gen_tdags(gen, 200);
    gen_blocks(gen, 120, 0);
    unsigned tip = gen_height(gen);
    gen_close(gen);
    scan(data, "whole", "", true);
    for (unsigned i = 1; i < 4; i++)
        compare_at(data, tip * i / 4);
}

/* Where the store ends below, it is told and the whole store is taken. */
static void test_above_the_tip(void **state)
{
    (void)state;
    scan(FIXTURE, "whole", "", false);
    struct run run = unktx_expect(0, "dags --store %s/whole --to-height 100000", dir);
    struct run all = unktx_expect(0, "dags --store %s/whole", dir);
    assert_non_null(strstr(run.err, "below --to-height 100000"));
    assert_string_equal(run.out, all.out);
    run_free(&run);
    run_free(&all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_bundled, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_generated, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_above_the_tip, make_dir, remove_dir),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
