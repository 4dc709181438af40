/* A folder's tables and the commands beside them are of one block: what a reading command takes from the folder and
 * says of it, and analyze while another scan goes on. And what is left of a command that fails: nothing. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/inputs/provenance.h"
#include "cli/output/outfolder.h"
#include "tests/support/chaingen.h"
#include "tests/support/command.h"
#include "tests/support/dir.h"
#include "tests/support/markup.h"
#include "tests/support/run.h"

#define NODE "tests/fixtures/regtest-xor"
#define TIP 260

/* ---- reading beside tables ---- */

/* What a command prints in the folder, against what it prints of a store that ends there. */
static void compare(const char *words, const char *more, const char *truth_more, const char *said)
{
    struct run truth = unktx_expect(0, "%s --store %s/whole%s", words, dir, truth_more);
    struct run run = unktx_expect(0, "%s --store %s/out%s", words, dir, more);
    assert_string_equal(run.out, truth.out);
    if (count_of(run.err, path_of("%s/out", dir)) != (said != NULL) || (said && !strstr(run.err, said)))
        fail_msg("%s%s: not once \"%s\": %s", words, more, said ? said : "", run.err);
    run_free(&run);
    run_free(&truth);
}

static void test_store_goes_on(void **state)
{
    (void)state;
    static const char *const words[] = {
        "show --dag 3", "dags", "dags --top 4", "outputs", "templates", "report", "show --dag 1 --format dot"};
    unktx_ok("scan --quiet --datadir " NODE " --store %s/whole", dir);
    unktx_ok("analyze --quiet --datadir " NODE " --rules core-22 --to-height 150 -o %s/out", dir);
    compare("show --dag 3", "", " --to-height 150 --rules core-22", "/out: --rules core-22\n");
    unktx_ok("scan --quiet --datadir " NODE " --store %s/out/store", dir);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        compare(words[i], "", " --to-height 150 --rules core-22",
                "/out: --rules core-22 --to-height 150 (the store goes on to block 260)\n");
    compare("stats", "", " --to-height 150", "/out: --to-height 150 (the store goes on to block 260)\n");
    /* unless the command line says otherwise */
    compare("stats", " --to-height 200", " --to-height 200", "this is to block 200");
    compare("dags", " --to-height 200", " --to-height 200 --rules core-22", "end with block 150");
    compare("dags", " --rules core-0.19", " --rules core-0.19",
            "are of --rules core-22 to block 150; this is of --rules core-0.19 to block 260\n");
    /* new tables for the folder are of all of the store */
    unktx_ok("dags --replace --store %s/out -o %s/out", dir, dir);
    compare("dags", "", " --rules core-22", "/out: --rules core-22\n");
    compare("dags", " --rules core-22", " --rules core-22", NULL);
}

/* The block that the tables end with was taken back: there is nothing to go by, and it is said. */
static void test_other_branch(void **state)
{
    (void)state;
    const struct gen_options options = {.dir = path_of("%s/data", dir), .seed = 5, .block_bytes = 4000, .window = 1};
    struct gen *gen = gen_open(&options);
    gen_tdags(gen, 20);
    uint32_t height = gen_height(gen);
    gen_close(gen);
    unktx_ok("analyze --quiet --datadir %s/data -o %s/out", dir, dir);
    gen = gen_open(&options);
    gen_fork(gen, height - 1);
    gen_blocks(gen, 5, 0);
    gen_close(gen);
    unktx_ok("scan --quiet --datadir %s/data --store %s/out/store", dir, dir);
    unktx_ok("scan --quiet --datadir %s/data --store %s/whole", dir, dir);
    compare("dags", "", "", path_of("the tables end with block %u of another branch\n", (unsigned)height));
}

/* The store was taken back below the tables' end: that is no other branch. */
static void test_taken_back(void **state)
{
    (void)state;
    unktx_ok("analyze --quiet --datadir " NODE " -o %s/out", dir);
    unktx_ok("scan --quiet --datadir " NODE " --to-height 200 --store %s/out/store", dir);
    unktx_ok("scan --quiet --datadir " NODE " --to-height 200 --store %s/whole", dir);
    compare("outputs", "", "", "this is to block 200, the tables end with block 260\n");
    compare("outputs", " --rules core-0.18", "",
            "are of --rules core-0.18 to block 260; this is of --rules core-0.18 to block 200\n");
}

/* A number is that of a row of the tables, which were made with a filter that `outputs` does not have: what it says
 * where the command line lets the number mean something else, or cuts the T-DAG off. */
static void test_numbers_of_filtered_tables(void **state)
{
    (void)state;
    unktx_ok("analyze --quiet --compress --datadir " NODE " -o %s/out", dir);
    unktx_ok("scan --quiet --datadir " NODE " --store %s/whole", dir);
    compare("outputs --dag 2", " --rules core-0.18", "",
            "are of --rules core-0.18 --compress; this is of --rules core-0.18\n");
    struct run row = shell("awk -F, 'NR == 1 { while ($++h != \"first_height\"); while ($++t != \"first_txid\"); } "
                           "NR > 1 && $h > 100 { printf \"no T-DAG %%s: in the tables of %s/out it begins with "
                           "transaction %%s, which is in no T-DAG up to block 100\", $1, $t; exit }' %s/out/tdags.csv",
                           dir, dir);
    char number[16] = "";
    assert_int_equal(sscanf(row.out, "no T-DAG %15[0-9]", number), 1);
    struct run run = unktx_expect(1, "outputs --store %s/out --dag %s --to-height 100", dir, number);
    assert_non_null(strstr(run.err, row.out));
    run_free(&run);
    run_free(&row);
    unktx_ok("dags --replace --quiet --family chain --store %s/out -o %s/out", dir, dir);
    compare("show --dag 2", " --rules core-0.18", "", "(dag_id is another there, names are the same)");
}

/* With the rule set hidden in its menu explore shows that one's store, which ends where the tables do. */
static void test_hidden_beside_tables(void **state)
{
    (void)state;
    unktx_ok("analyze --quiet --datadir " NODE " --to-height 200 -o %s/out", dir);
    unktx_ok("index --quiet --datadir " NODE " --to-height 200 --store %s/out", dir);
    unktx_ok("hidden --quiet --dags --store %s/out -o %s/hidden.csv", dir, dir);
    unktx_ok("scan --quiet --datadir " NODE " --store %s/out/store", dir);
    struct run run = shell("$UNKTX explore --port 0 --store %s/out 2>%s/said >%s/address & "
                           "while ! grep -q Ctrl-C %s/said; do kill -0 $! || exit 1; sleep 0.05; done; kill -INT $!; "
                           "wait $!; cat %s/said",
                           dir, dir, dir, dir, dir);
    assert_non_null(strstr(run.out, "/out: --rules core-0.18 --to-height 200 (the store goes on to block 260)\n"));
    run_free(&run);
}

/* Nothing is said of the folder where no answer follows. */
static void test_said_before_answers_only(void **state)
{
    (void)state;
    static const char *const failing[] = {"show --dag",
                                          "show --dga 3",
                                          "dags --top 0",
                                          "flows",
                                          "show --dag 3 --format x",
                                          "dags --exclude-scripts /nowhere"};
    unktx_ok("analyze --quiet --datadir " NODE " --rules core-22 -o %s/out", dir);
    for (size_t i = 0; i < sizeof failing / sizeof *failing; i++) {
        struct run run = unktx("%s --store %s/out", failing[i], dir);
        assert_true(run.exit_status == 1 || run.exit_status == 2);
        if (strstr(run.err, "as in the tables"))
            fail_msg("%s: %s", failing[i], run.err);
        run_free(&run);
    }
    /* that there is no such T-DAG is an answer: in what was looked */
    struct run run = unktx_expect(1, "show --store %s/out --dag 9999", dir);
    assert_int_equal(count_of(run.err, "as in the tables"), 1);
    run_free(&run);
}

/* ---- analyze beside another scan ---- */

/* A part of analyze as it runs after the tables of dags, which end with that block. */
static int run_part(const struct command *command, const char *out, uint32_t height, const struct hash256 *tip)
{
    struct fault fault = {0};
    struct settings settings = {.store = path_of("%s/store", dir), .out = out, .by = "total", .threads = 1};
    struct datapackage_provenance provenance;
    settings.to_height = UINT32_MAX;
    assert_int_equal(provenance_of_settings(&settings, "test", &provenance, &fault), STATUS_OK);
    assert_int_equal(
        outfolder_open(path_of("%s/part", dir), &provenance, FOLDER_ANALYZE, false, &settings.folder, &fault),
        STATUS_OK);
    provenance.tip = *tip;
    provenance.tip_height = height;
    assert_int_equal(outfolder_set_provenance(settings.folder, &provenance, &fault), STATUS_OK);
    int status = command->run(&settings);
    if (status == EXIT_DONE)
        assert_int_equal(outfolder_commit(settings.folder, true, &fault), STATUS_OK);
    outfolder_close(settings.folder);
    provenance_free(&provenance);
    return status;
}

static void block_hash(uint32_t height, struct hash256 *hash)
{
    unktx_ok("scan --quiet --datadir " NODE " --store %s/other --to-height %u", dir, (unsigned)height);
    struct run run = unktx_expect(0, "check --store %s/other", dir);
    const char *tip = strstr(run.out, "\ntip ");
    assert_non_null(tip);
    char hex[65] = "";
    memcpy(hex, tip + 5, 64);
    assert_true(hash256_parse(hex, hash));
    run_free(&run);
}

/* Another scan has added blocks meanwhile: they do not count. It has taken the last one back: the part fails. */
static void test_one_block_for_all_parts(void **state)
{
    (void)state;
    struct hash256 tip;
    block_hash(150, &tip);
    unktx_ok("scan --quiet --datadir " NODE " --store %s/store", dir);
    unktx_ok("stats --store %s/other -o %s/stats.csv", dir, dir);
    unktx_ok("outputs --store %s/other -o %s/outputs.csv", dir, dir);
    assert_int_equal(run_part(&command_stats, "stats.csv", 150, &tip), EXIT_DONE);
    assert_same_file(path_of("%s/part/stats.csv", dir), path_of("%s/stats.csv", dir));
    assert_int_equal(run_part(&command_outputs, "outputs.csv", 150, &tip), EXIT_DONE);
    assert_same_file(path_of("%s/part/outputs.csv", dir), path_of("%s/outputs.csv", dir));
    remove_tree(path_of("%s/part", dir));
    assert_int_equal(run_part(&command_stats, "stats.csv", 151, &tip), EXIT_FAILED);
    assert_int_equal(run_part(&command_report, "report.html", TIP + 1, &tip), EXIT_FAILED);
    assert_false(path_exists(path_of("%s/part", dir)));
}

/* ---- commands that fail ---- */

/* No folder stays, nor those that were made for it. */
static void test_nothing_is_left(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "analyze --datadir /nowhere -o %s/new/a/b",
        "analyze --datadir " NODE " --chain main -o %s/new/a/",
        "analyze --datadir " NODE " --exclude-scripts /nowhere -o %s/new",
        "analyze --datadir " NODE " --xor-key 0102030405060708 -o %s/new",
        "dags --store /nowhere -o %s/new",
        "flows --store /nowhere -o %s/new//a",
        "flows --store %s/store -o %s/new/a",
        "dags --store %s/store --scripts /nowhere -o %s/new/a",
        "scan --datadir /nowhere --store %s/new",
        "scan --datadir " NODE " --chain main --store %s/new",
        "index --datadir /nowhere --store %s/new",
        "outputs --store /nowhere -o %s/new",
        "report --store /nowhere -o %s/new",
    };
    unktx_ok("scan --quiet --datadir " NODE " --store %s/store", dir);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        char line[4096];
        snprintf(line, sizeof line, lines[i], dir, dir);
        struct run run = unktx("%s", line);
        if (run.exit_status != 1 || path_exists(path_of("%s/new", dir)))
            fail_msg("%s: exit status %d, %s", line, run.exit_status, run.err);
        run_free(&run);
    }
    /* what was there stays */
    make_dirs(path_of("%s/there", dir));
    struct run run = unktx_expect(1, "analyze --datadir /nowhere -o %s/there", dir);
    assert_true(path_exists(path_of("%s/there", dir)));
    run_free(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_store_goes_on, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_other_branch, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_taken_back, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_numbers_of_filtered_tables, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_hidden_beside_tables, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_said_before_answers_only, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_one_block_for_all_parts, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_nothing_is_left, make_dir, remove_dir),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
