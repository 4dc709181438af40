/* listed: what an output folder's datapackage.json tells of stays what it tells: a command that writes one file leaves
 * it alone, and one that writes a folder removes what another command made there only if it is told to. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/dir.h"
#include "tests/support/run.h"

#define NODE "tests/fixtures/regtest-xor"

/* dir has all, of analyze --index, and node, a link to the fixture's blk files */

static int set_up(void **state)
{
    (void)state;
    dir = temp_dir();
    unktx_ok("analyze --quiet --index --rules core-22 --datadir " NODE " -o %s/all", dir);
    struct run run = shell("ln -s $PWD/" NODE "/regtest/blocks %s/node", dir);
    assert_int_equal(run.exit_status, 0);
    run_free(&run);
    return 0;
}

/* The names and bytes of a folder's files; freed. */
static char *files_of(const char *folder)
{
    struct run run = shell("cd %s/%s && sha256sum *.csv *.json *.html 2>&1", dir, folder);
    free(run.err);
    return run.out;
}

/* A command line in dir is refused, says so, and no file of the folder has changed. */
static void expect_refused(const char *folder, const char *said, const char *line)
{
    char *before = files_of(folder);
    struct run run = shell("u=$(realpath $UNKTX); cd %s && $u %s", dir, line);
    if (run.exit_status != 1 || !strstr(run.err, said))
        fail_msg("%s\nended with %d and said no \"%s\": %s", line, run.exit_status, said, run.err);
    run_free(&run);
    char *after = files_of(folder);
    assert_string_equal(before, after);
    free(before);
    free(after);
}

static void run_in(const char *line)
{
    struct run run = shell("u=$(realpath $UNKTX); cd %s && $u %s", dir, line);
    if (run.exit_status != 0)
        fail_msg("%s\nended with %d: %s", line, run.exit_status, run.err);
    run_free(&run);
}

static bool is_there(const char *path) { return path_exists(path_of("%s/%s", dir, path)); }

/* ---- one file ---- */

/* Every command with -o FILE, over tables of its own and of others, also where the bytes would be the same. */
static void test_single_files(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "outputs --store all --rules core-0.18 -o all/outputs.csv",
        "outputs --store all -o all/outputs.csv",
        "stats --store all --by day -o all/stats-by-day.csv",
        "templates --store all -o all/outputs.csv",
        "unlocks --store all -o all/unlocks.csv",
        "report --store all -o all/report.html",
        "show --store all --dag 1 -o all/tdags.csv",
        "dump blocks --store all -o all/classes.csv",
        "travel $(sed -n 2p all/txs.csv | cut -d, -f4) --store all -o all/arcs.csv",
        "tx 1 --store all -o all/txs.csv",
        "find 5175 --store all -o all/payers.csv",
        "blocks node -o all/payees.csv",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        expect_refused("all", "is listed in datapackage.json beside it", lines[i]);
    expect_refused("all", "name another file with -o", "outputs --store all -o all/datapackage.json");
    run_in("outputs --store all -o all/mine.csv");
    run_in("outputs --store all -o all/mine.csv"); /* it is no file of the manifest */
    assert_int_equal(unlink(path_of("%s/all/mine.csv", dir)), 0);
}

/* By another spelling of its path, a link, and where it was taken away. */
static void test_other_ways(void **state)
{
    (void)state;
    assert_int_equal(symlink("all/outputs.csv", path_of("%s/link.csv", dir)), 0);
    assert_int_equal(symlink("all", path_of("%s/same", dir)), 0);
    expect_refused("all", "is listed", "outputs --store all -o link.csv");
    expect_refused("all", "is listed", "outputs --store all -o same/outputs.csv");
    expect_refused("all", "is listed", "outputs --store all -o all/../all//outputs.csv");
    struct run run = shell("u=$(realpath $UNKTX); cd %s/all && $u outputs --store . -o outputs.csv", dir);
    assert_int_equal(run.exit_status, 1);
    run_free(&run);
    run_in("dags --store all -o gone");
    assert_int_equal(unlink(path_of("%s/gone/arcs.csv", dir)), 0);
    run = shell("$UNKTX outputs --store %s/all -o %s/gone/arcs.csv", dir, dir);
    assert_int_equal(run.exit_status, 1);
    assert_false(is_there("gone/arcs.csv"));
    run_free(&run);
}

/* A datapackage.json of another program, one that is none, and a FIFO of its name: the file is written. */
static void test_no_manifest(void **state)
{
    (void)state;
    static const char *const texts[] = {"{\"resources\": [{\"path\": \"outputs.csv\"}]}", "{\"na", ""};
    make_dirs(path_of("%s/user", dir));
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        write_file(path_of("%s/user/datapackage.json", dir), texts[i], strlen(texts[i]));
        run_in("outputs --store all -o user/outputs.csv");
    }
    struct run run = shell("cd %s/user && rm datapackage.json && mkfifo datapackage.json", dir);
    run_free(&run);
    run_in("outputs --store all -o user/outputs.csv");
}

/* ---- a folder of another command ---- */

static void test_another_command(void **state)
{
    (void)state;
    run_in("analyze --quiet --datadir node/../.. -o a --index");
    expect_refused("a", "has outputs.csv of 'unktx analyze'", "dags --store a -o a");
    expect_refused("a", "--replace", "dags --store a -o a");
    expect_refused("a", "has tdags.csv of 'unktx analyze'", "flows --store a -o a");
    run_in("analyze --quiet --datadir node/../.. -o a --index");
    run_in("dags --store a -o a --replace");
    assert_false(is_there("a/outputs.csv") || is_there("a/report.html") || is_there("a/stats.csv"));
    run_in("dags --store a -o a");
    expect_refused("a", "has tdags.csv of 'unktx dags'", "flows --store a -o a");
    run_in("flows --store a -o a --replace");
    assert_false(is_there("a/tdags.csv"));
    run_in("flows --store a -o a");
    run_in("dags --store a -o a"); /* it makes all that is there, and more */
    run_in("analyze --quiet --datadir node/../.. -o a");
    assert_true(is_there("a/tdags.csv") && is_there("a/report.html") && is_there("a/payers.csv"));
}

/* Without an index no payers: that shows only in the course of the run. Of the same command they go without asking. */
static void test_what_this_run_does_not_make(void **state)
{
    (void)state;
    run_in("scan --quiet --datadir node/../.. --store bare");
    run_in("flows --store all -o b");
    expect_refused("b", "has payers.csv of 'unktx flows'", "dags --store bare --rules core-22 -o b");
    run_in("dags --store bare --rules core-22 -o b --replace");
    assert_false(is_there("b/payers.csv"));
    run_in("dags --store all -o c");
    run_in("dags --store bare --rules core-22 -o c");
    assert_false(is_there("c/payers.csv"));
}

static void test_ties(void **state)
{
    (void)state;
    run_in("dags --store all -o e");
    expect_refused("e", "has tdags.csv of 'unktx dags'", "ties --store all -o e");
    run_in("ties --store all -o e --replace");
    run_in("ties --store all -o e");
    assert_true(is_there("e/ties.csv"));
    run_in("dags --store all -o e"); /* it makes these too */
    assert_true(is_there("e/ties.csv"));
}

/* What the user took away is not lost by the run. */
static void test_taken_away(void **state)
{
    (void)state;
    run_in("analyze --quiet --datadir node/../.. -o d");
    struct run run = shell("cd %s/d && rm outputs.csv stats.csv stats-by-day.csv report.html", dir);
    run_free(&run);
    run_in("dags --store d -o d");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_single_files),
        cmocka_unit_test(test_other_ways),
        cmocka_unit_test(test_no_manifest),
        cmocka_unit_test(test_another_command),
        cmocka_unit_test(test_what_this_run_does_not_make),
        cmocka_unit_test(test_taken_away),
        cmocka_unit_test(test_ties),
    };
    return cmocka_run_group_tests(tests, set_up, remove_dir);
}
