/* Spends as the index links them: each end has the number of the other, and a reader who came from another one is
 * told; and an index whose last commit was lost is no longer there for readers, which `unktx check` says. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/inputs/spend_links.h"
#include "tests/support/command.h"
#include "tests/support/dir.h"
#include "tests/support/index_builds.h"
#include "tests/support/run.h"
#include "tests/support/stores.h"

#define NODE "tests/fixtures/regtest-xor"

static int set_up(void **state)
{
    int result = make_dir(state);
    index_built(NODE, path_of("%s/store", dir));
    return result;
}

/* All spends of the chain, from both ends, and each with a wrong number for the end that it comes from. */
static void test_both_ends(void **state)
{
    (void)state;
    struct tx_index *index = index_opened(path_of("%s/store", dir));
    struct index_totals totals = index_totals_of(index);
    struct fault fault = {0};
    struct link_end end;
    struct index_output output;
    uint64_t spent, spends = 0;
    for (uint64_t input = 0; input < totals.inputs; input++) {
        assert_int_equal(index_inputs(index, input, 1, &spent, &fault), STATUS_OK);
        if (spent == INDEX_NONE)
            continue;
        spends++;
        assert_int_equal(spend_links_output(index, spent, input, &end, &output, &fault), STATUS_OK);
        assert_int_equal(end.tx.first_output + end.position, spent);
        assert_int_equal(spend_links_output(index, spent, INDEX_NONE, &end, &output, &fault), STATUS_OK);
        assert_int_equal(spend_links_output(index, spent, input ^ 1, &end, &output, &fault), STATUS_FORMAT);
        assert_non_null(strstr(fault.text, "do not name each other"));
        assert_int_equal(spend_links_input(index, input, spent, &end, &fault), STATUS_OK);
        assert_int_equal(end.tx.first_input + end.position, input);
        assert_int_equal(spend_links_input(index, input, INDEX_NONE, &end, &fault), STATUS_OK);
        assert_int_equal(spend_links_input(index, input, spent ^ 1, &end, &fault), STATUS_FORMAT);
    }
    assert_true(spends > 1000);
    index_close(index);
}

/* LMDB takes the meta page with the higher number of a commit, the 19th word of each of the first two pages. */
static void test_lost_commit(void **state)
{
    (void)state;
    enum { COMMIT = 144 };
    const char *path = path_of("%s/store/tio/data.mdb", dir);
    const long page = store_page_size(path);
    uint64_t commits[2], none = 0;
    FILE *file = fopen(path, "r+");
    assert_non_null(file);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(fseek(file, i * page + COMMIT, SEEK_SET), 0);
        assert_int_equal(fread(&commits[i], sizeof commits[i], 1, file), 1);
    }
    assert_int_equal(commits[0] > commits[1] ? commits[0] - commits[1] : commits[1] - commits[0], 1);
    struct run run = command_run("check --store %s/store", dir);
    assert_int_equal(run.exit_status, 0);
    assert_non_null(strstr(run.out, "index_height 260\n"));
    run_free(&run);
    assert_int_equal(fseek(file, (commits[1] > commits[0] ? page : 0) + COMMIT, SEEK_SET), 0);
    assert_int_equal(fwrite(&none, sizeof none, 1, file), 1);
    assert_int_equal(fclose(file), 0);
    run = command_run("check --store %s/store", dir);
    assert_null(strstr(run.out, "index_height"));
    if (!strstr(run.err, "the index has no blocks yet"))
        fail_msg("%s", run.err);
    run_free(&run);
}

/* An index whose file has no bytes any more is there, and is told; it is made anew by the command that is named. */
static void test_empty_index(void **state)
{
    (void)state;
    static const char *const commands[] = {"check --store %s/store", "dags --store %s/store -o %s/tables"};
    unktx_ok("scan --quiet --datadir " NODE " --store %s/store", dir);
    assert_int_equal(truncate(path_of("%s/store/tio/data.mdb", dir), 0), 0);
    for (size_t i = 0; i < 2; i++) {
        struct run run = command_run(commands[i], dir, dir);
        assert_int_equal(run.exit_status, 0);
        if (!strstr(run.err, "the index is not finished: type the same 'unktx index' again"))
            fail_msg("%s", run.err);
        run_free(&run);
    }
    unktx_ok("index --quiet --datadir " NODE " --store %s/store", dir);
    struct run run = unktx_expect(0, "check --store %s/store", dir);
    assert_non_null(strstr(run.out, "index_height 260\n"));
    run_free(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_ends),
        cmocka_unit_test(test_lost_commit),
        cmocka_unit_test(test_empty_index),
    };
    return cmocka_run_group_tests(tests, set_up, remove_dir);
}
