/* store_place: which store a command means: scan and index find what the reading commands find, in a folder of analyze,
 * without --store, and where an earlier version made a second store. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/dir.h"
#include "tests/support/run.h"

#define NODE "tests/fixtures/regtest-xor"
#define OTHER "tests/fixtures/dup-txid" /* shares only the genesis block with it */

/* dir has analyzed, a folder of analyze without an index, and node and other, links to the chains */

static int set_up(void **state)
{
    (void)state;
    dir = temp_dir();
    struct run run = shell("ln -s $PWD/" NODE " %s/node && ln -s $PWD/" OTHER " %s/other", dir, dir);
    assert_int_equal(run.exit_status, 0);
    run_free(&run);
    unktx_ok("analyze --quiet --datadir " NODE " -o %s/analyzed", dir);
    return 0;
}

/* A command line in the folder below dir, which must end with that status and say that on stderr. */
static void expect_in(const char *folder, int status, const char *said, const char *line)
{
    struct run run = shell("u=$(realpath $UNKTX); cd %s/%s && $u %s", dir, folder, line);
    if (run.exit_status != status || !strstr(run.err, said))
        fail_msg("in %s: %s\nended with %d and said no \"%s\": %s", folder, line, run.exit_status, said, run.err);
    run_free(&run);
}

static void expect(int status, const char *said, const char *line) { expect_in(".", status, said, line); }

static bool is_there(const char *path) { return path_exists(path_of("%s/%s", dir, path)); }

/* ---- a folder of analyze ---- */

/* The store in it is meant: nothing is scanned again, and no second one appears. */
static void test_the_store_in_it(void **state)
{
    (void)state;
    expect(0, "\nunktx scan: 0 blocks added", "scan --datadir node --store analyzed");
    expect(0, "the store is analyzed/store\n", "scan --datadir node --store analyzed");
    expect(0, "the index is in analyzed/store\n", "index --datadir node --store analyzed/");
    expect(0, "", "tx 1 --store analyzed");
    expect(0, "", "dags --store analyzed");
    assert_false(is_there("analyzed/data.mdb") || is_there("analyzed/tio") || is_there("analyzed/writer.lock"));
    assert_true(is_there("analyzed/store/data.mdb") && is_there("analyzed/store/tio"));
}

/* Refused as where the store in it is named. */
static void test_another_chain(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "scan --datadir other --store analyzed", "index --datadir other --store analyzed",
        "scan --datadir other --store analyzed/store", "index --datadir other --store analyzed/store"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        expect(1, "another chain", lines[i]);
    /* What the store remembers of files that are not in the other folder is no gap in the chain of that. */
    struct run run = unktx_expect(1, "scan --quiet --datadir " OTHER " --store %s/analyzed", dir);
    assert_non_null(strstr(run.err, "another chain"));
    assert_ptr_equal(strchr(run.err, '\n'), strrchr(run.err, '\n'));
    run_free(&run);
    expect(0, "", "check --store analyzed");
}

/* Tables without a store: it is made in the folder as analyze does, and found there. */
static void test_tables_alone(void **state)
{
    (void)state;
    expect(0, "written to", "dags --store analyzed -o tables");
    expect(1, "tables/store", "tx 1 --store tables");
    expect(0, "the index is in tables/store\n", "index --datadir node --store tables");
    expect(0, "", "tx 1 --store tables");
    assert_false(is_there("tables/data.mdb"));
    make_dirs(path_of("%s/foreign", dir)); /* of another program: any folder */
    write_file(path_of("%s/foreign/datapackage.json", dir), "{\"name\": \"mine\"}", 16);
    expect(0, "the store is foreign\n", "scan --datadir node --store foreign");
    expect(0, "", "dags --store foreign");
}

/* ---- analyze, which has no --store ---- */

/* It is refused, and the way out names no option that it has not. */
static void expect_of_analyze(const char *said, const char *before, const char *options)
{
    struct run run = shell("u=$(realpath $UNKTX); cd %s && %s $u analyze --datadir node %s", dir, before, options);
    if (run.exit_status != 1 || !strstr(run.err, said) || strstr(run.err, "--store"))
        fail_msg("analyze %s ended with %d and said: %s", options, run.exit_status, run.err);
    run_free(&run);
}

static void test_ways_out_of_analyze(void **state)
{
    (void)state;
    expect_of_analyze("go on with --nulldata count, or choose another -o\n", "", "-o analyzed --nulldata store");
    expect_of_analyze("choose another -o, or delete this one\n", "mv node its; mv other node;", "-o analyzed");
    struct run run = shell("cd %s && mv node other && mv its node", dir);
    assert_int_equal(run.exit_status, 0);
    run_free(&run);
    expect_of_analyze("wait for it, or choose another folder\n", "flock analyzed/store/writer.lock", "-o analyzed");
    expect(0, "", "scan --quiet --datadir node --store stored --nulldata store");
    expect(1, "go on with --nulldata store, or choose another --store\n", "scan --datadir node --store stored");
    expect(0, "", "scan --quiet --datadir node --store stored --nulldata store");
}

/* ---- two stores ---- */

/* Either can be the one that is meant, so neither is taken. Moved away, the other one is. */
static void test_two_stores(void **state)
{
    (void)state;
    static const char *const lines[] = {"dags --store both", "tx 1 --store both", "check --store both",
                                        "scan --datadir node --store both", "index --datadir node --store both"};
    expect(0, "", "scan --datadir node --store both");
    make_dirs(path_of("%s/both/store", dir)); /* a folder of that name alone is no store */
    expect(0, "", "dags --store both");
    copy_file(path_of("%s/analyzed/store/data.mdb", dir), path_of("%s/both/store/data.mdb", dir));
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        expect(1, "both/data.mdb and both/store/data.mdb", lines[i]);
        expect(1, "--store both/store", lines[i]);
    }
    expect_of_analyze("both/data.mdb and both/store/data.mdb: move one of the two away", "", "-o both");
    expect(0, "", "dags --store both/store");
    assert_int_equal(unlink(path_of("%s/both/data.mdb", dir)), 0);
    expect(0, "the store is both/store\n", "scan --datadir node --store both");
}

/* analyze would make the second one. */
static void test_analyze_into_a_store(void **state)
{
    (void)state;
    expect(0, "", "scan --quiet --datadir node --store plain");
    expect(1, "is a store itself", "analyze --datadir node -o plain");
    assert_false(is_there("plain/store") || is_there("plain/datapackage.json"));
}

/* ---- no --store ---- */

/* What tx asks for is made where tx looks. */
static void test_the_same_place(void **state)
{
    (void)state;
    make_dirs(path_of("%s/desk", dir));
    expect_in("desk", 0, "the store is unktx-store\n", "scan --datadir ../node");
    expect_in("desk", 0, "", "dags");
    expect_in("desk", 0, "", "analyze --quiet --datadir ../node");
    expect_in("desk", 1, "unktx-out/store", "tx 1");
    expect_in("desk", 0, "the store is unktx-out/store, since", "index --datadir ../node");
    expect_in("desk", 0, "", "tx 1");
    expect_in("desk", 0, "\nunktx scan: 0 blocks added", "scan --datadir ../node");
    assert_false(is_there("desk/unktx-store/tio"));
    struct run run = shell("u=$(realpath $UNKTX); cd %s/desk && $u scan --quiet --datadir ../node", dir);
    assert_string_equal(run.err, "");
    run_free(&run);
}

/* Inside a folder of analyze, or the store, nothing is taken for granted, and nothing made. */
static void test_inside(void **state)
{
    (void)state;
    static const char *const lines[] = {"dags", "tx 1", "scan --datadir ../node", "index --datadir ../node"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        expect_in("analyzed", 1, "add --store . ", lines[i]);
    expect_in("analyzed/store", 1, "add --store . ", "dags");
    assert_false(is_there("analyzed/unktx-store"));
    expect_in("analyzed", 0, "", "dags --store .");
    expect_in("analyzed/store", 0, "", "dags --store .");
    make_dirs(path_of("%s/empty", dir));
    expect_in("empty", 1, "there is no store here", "dags");
}

/* Without --datadir what the store was made from, as long as it is there and no network is chosen. */
static void test_the_same_blocks(void **state)
{
    (void)state;
    struct run run = shell("cp -rL %s/node %s/moves", dir, dir);
    assert_int_equal(run.exit_status, 0);
    run_free(&run);
    expect(0, "", "scan --quiet --datadir moves --store moved");
    expect(0, "the index is in moved\n", "index --store moved");
    expect(0, "0 blocks added", "scan --store moved");
    expect(0, "", "analyze --quiet --index --datadir moves -o again");
    expect(0, "", "analyze --quiet --index -o again");
    setenv("HOME", path_of("%s/home", dir), 1);
    expect(1, "/home/.bitcoin", "index --chain regtest --store moved");
    expect(1, "/home/.bitcoin", "index --store fresh");
    assert_int_equal(rename(path_of("%s/moves", dir), path_of("%s/gone", dir)), 0);
    expect(1, "/home/.bitcoin", "index --store moved");
    expect(0, "0 blocks added", "index --datadir gone --store moved");
    expect(0, "0 blocks added", "index --store moved");
}

static void test_no_output_option(void **state)
{
    (void)state;
    expect(2, "unknown option -o; the folder to write is named with --store", "scan -o place --datadir node");
    expect(2, "unknown option -o; the folder to write is named with --store", "index -oplace --datadir node");
    expect(2, "unknown option --output; the folder to write is named with --store", "scan --output=place");
    expect(2, "unknown option -o\n", "check -o place");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_store_in_it), cmocka_unit_test(test_another_chain),
        cmocka_unit_test(test_tables_alone),    cmocka_unit_test(test_ways_out_of_analyze),
        cmocka_unit_test(test_two_stores),      cmocka_unit_test(test_inside),
        cmocka_unit_test(test_the_same_place),  cmocka_unit_test(test_no_output_option),
        cmocka_unit_test(test_the_same_blocks), cmocka_unit_test(test_analyze_into_a_store),
    };
    return cmocka_run_group_tests(tests, set_up, remove_dir);
}
