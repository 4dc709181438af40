/* Forms kept in the store, as commands use them: the next command asks BLISS nothing, and whether and how they are kept
 * changes no byte of what a command writes. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "graph/dag/shape.h"
#include "tests/support/command.h"
#include "tests/support/multipede.h"
#include "tests/support/stores.h"
#include "tests/support/trouble.h"

/* DIR/store: two T-DAGs that are too hard for BLISS and one that is not. */
static char *dir;

static int set_up(void **state)
{
    (void)state;
    struct forest_builder builder = {0};
    dir = temp_dir();
    multipede_add(&builder, 100, 1);
    multipede_add(&builder, 20, 2);
    multipede_add(&builder, 90, 3);
    store_close(forest_write(forest_finish(&builder), path_of("%s/store", dir), NULL));
    forest_builder_free(&builder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    umount2(path_of("%s/small", dir), MNT_DETACH);
    remove_tree(dir);
    free(dir);
    return 0;
}

static const char *forms_file(void) { return path_of("%s/store/forms", dir); }

/* Runs the command in this process, which must succeed; how many questions it asked. */
static uint64_t questions_of(const char *line)
{
    uint64_t before = shape_questions();
    struct run run = command_run("%s", line);
    assert_int_equal(run.exit_status, 0);
    run_free(&run);
    return shape_questions() - before;
}

static uint64_t dags(const char *store, const char *folder)
{
    char line[600];
    snprintf(line, sizeof line, "dags --no-unlocks --replace --store %s/%s -o %s/%s", dir, store, dir, folder);
    return questions_of(line);
}

/* Two folders with the same tables. */
static void assert_same_dags(const char *a, const char *b)
{
    static const char *const tables[] = {"tdags.csv", "classes.csv", "txs.csv"};
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        assert_same_file(path_of("%s/%s/%s", dir, a, tables[i]), path_of("%s/%s/%s", dir, b, tables[i]));
}

static void test_next_command(void **state)
{
    (void)state;
    char line[600];
    unlink(forms_file());
    assert_in_range(dags("store", "first"), 2 * shape_budget(1800), 2 * shape_budget(1620) + 2000);
    assert_int_equal(dags("store", "second"), 0);
    assert_same_dags("first", "second");
    struct run run = command_run("dags --no-unlocks --store %s/store -o %s/second", dir, dir);
    assert_non_null(strstr(run.out, "classes not decided (marked ?)                     2"));
    run_free(&run);
    snprintf(line, sizeof line, "show --store %s/store --dag 1", dir);
    assert_int_equal(questions_of(line), 0);
    snprintf(line, sizeof line, "report --no-unlocks --store %s/store -o %s/report.html", dir, dir);
    assert_int_equal(questions_of(line), 0);
}

/* A file that is damaged is computed anew, and then whole again. */
static void test_damaged(void **state)
{
    (void)state;
    size_t size;
    dags("store", "first");
    char *bytes = read_file(forms_file(), &size);
    assert_non_null(bytes);
    bytes[size / 2] ^= 1;
    write_file(forms_file(), bytes, size);
    assert_true(dags("store", "second") > 0);
    assert_same_dags("first", "second");
    assert_int_equal(dags("store", "second"), 0);
    free(bytes);
}

/* Nothing can be kept there, and nothing is said of it. */
static void test_read_only(void **state)
{
    (void)state;
    mount_small(path_of("%s/small", dir), 8 << 10);
    unlink(forms_file());
    copy_files(path_of("%s/store", dir), path_of("%s/small/store", dir));
    resize_small(path_of("%s/small", dir), 8 << 10, true);
    assert_true(dags("store", "first") > 0);
    for (int i = 0; i < 2; i++) {
        uint64_t before = shape_questions();
        struct run run = command_run("dags --no-unlocks --store %s/small/store -o %s/second", dir, dir);
        assert_int_equal(run.exit_status, 0);
        /* but what has changed since the run before, which is nothing, and what was written */
        static const char same[] = "unktx dags: T-DAGs since the run before: new 0, grown 0, merged 0, shrunk 0, "
                                   "renamed 0, gone 0 (changes.csv)\n"
                                   "unktx dags: written to ";
        assert_int_equal(strncmp(run.err, same, sizeof same - 1), 0);
        assert_ptr_equal(strchr(run.err + sizeof same, '\n'), run.err + strlen(run.err) - 1);
        run_free(&run);
        assert_true(shape_questions() > before);
        assert_same_dags("first", "second");
    }
    assert_int_equal(umount2(path_of("%s/small", dir), 0), 0);
}

/* The bundled chain asks BLISS nothing under any rule set, so nothing of it is marked and nothing is kept; and forms of
 * another chain change neither its digest nor its tables. */
static void test_bundled_chain(void **state)
{
    (void)state;
    static const char *const rules[] = {"core-0.18", "core-0.19", "core-22"};
    char line[600], before[DIGEST_SIZE + 1], after[DIGEST_SIZE + 1];
    unktx_ok("scan --quiet --datadir tests/fixtures/regtest-xor --store %s/chain", dir);
    for (size_t r = 0; r < 3; r++)
        for (int compress = 0; compress < 2; compress++) {
            snprintf(line, sizeof line, "dags --replace --store %s/chain --rules %s %s -o %s/chain-dags", dir, rules[r],
                     compress ? "--compress" : "", dir);
            assert_int_equal(questions_of(line), 0);
        }
    assert_false(path_exists(path_of("%s/chain/forms", dir)));
    dags("store", "first");
    dags("chain", "without");
    store_digest(path_of("%s/chain", dir), before);
    copy_file(forms_file(), path_of("%s/chain/forms", dir));
    dags("chain", "with");
    store_digest(path_of("%s/chain", dir), after);
    assert_string_equal(before, after);
    assert_same_dags("without", "with");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_next_command),
        cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_read_only),
        cmocka_unit_test(test_bundled_chain),
    };
    temp_dir_in_memory();
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
