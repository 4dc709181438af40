/* A run that is killed at any step of putting its files in place: the next one goes on, its tables are those that come
 * undisturbed, and what has changed since the run before is right, or left out and said so. The calls below stand
 * before the C library's. */
#define _GNU_SOURCE /* renameat2 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/command.h"
#include "tests/support/dir.h"
#include "tests/support/steps.h"

/* ---- the calls before which it is killed ---- */

static bool has_gone;    /* a file before was removed, which is the same for all of them */
static bool no_exchange; /* the file system knows no such thing */

typedef int rename_fn(const char *from, const char *to);
typedef int renameat2_fn(int from_folder, const char *from, int to_folder, const char *to, unsigned flags);
typedef int unlink_fn(const char *path);

int rename(const char *from, const char *to)
{
    steps_take();
    return ((rename_fn *)next_function("rename"))(from, to);
}

int renameat2(int from_folder, const char *from, int to_folder, const char *to, unsigned flags)
{
    if (no_exchange) {
        errno = EINVAL;
        return -1;
    }
    if (access(to, F_OK) == 0)
        steps_take();
    return ((renameat2_fn *)next_function("renameat2"))(from_folder, from, to_folder, to, flags);
}

int unlink(const char *path)
{
    if (!has_gone)
        steps_take();
    has_gone = steps.counted;
    return ((unlink_fn *)next_function("unlink"))(path);
}

/* ---- the folders ---- */

/* store has all of the bundled chain, `before` and `plain` tables of its first blocks, with and without unlocks. The
 * others are undisturbed: `first` a new folder, `second` and `shown` these two after another run, `graph` an export. */
static int begin(void **state)
{
    temp_dir_in_memory();
    make_dir(state);
    copy_bundled_chain(path_of("%s/node", dir));
    unktx_ok("scan --quiet --to-height 200 --datadir %s/node --store %s/store", dir, dir);
    unktx_ok("dags --store %s/store -o %s/before", dir, dir);
    unktx_ok("dags --no-unlocks --store %s/store -o %s/plain", dir, dir);
    unktx_ok("scan --quiet --datadir %s/node --store %s/store", dir, dir);
    struct run run = shell("cp -a %s/plain %s/second && cp -a %s/before %s/shown", dir, dir, dir, dir);
    assert_int_equal(run.exit_status, 0);
    run_free(&run);
    unktx_ok("dags --no-unlocks --store %s/store -o %s/first", dir, dir);
    unktx_ok("dags --no-unlocks --store %s/store -o %s/second", dir, dir);
    unktx_ok("dags --store %s/store -o %s/shown", dir, dir);
    unktx_ok("export neo4j --no-unlocks --store %s/store -o %s/graph", dir, dir);
    return 0;
}

/* `killed` is what `from` is (NULL: not there). */
static void renew(const char *from)
{
    remove_tree(path_of("%s/killed", dir));
    if (!from)
        return;
    struct run run = shell("cp -a %s/%s %s/killed", dir, from, dir);
    assert_int_equal(run.exit_status, 0);
    run_free(&run);
}

/* Has `killed` what that folder has? */
static bool is_as(const char *folder, const char *passed_over)
{
    struct run run = shell("diff -r -x '.unktx-*' %s %s/killed %s/%s", passed_over, dir, dir, folder);
    bool same = run.exit_status == 0;
    if (run.exit_status > 1 && *passed_over)
        fail_msg("%s", run.err);
    run_free(&run);
    return same;
}

/* ---- the runs ---- */

struct runs {
    const char *from;    /* the folder before; NULL: none */
    const char *command; /* which is killed */
    const char *makes;   /* the folder that it makes undisturbed */
    const char *again;   /* the command after it */
    const char *end;     /* the folder that is to come of it */
};

static struct run run_apart(const char *command)
{
    return command_run_apart("%s --threads 1 --store %s/store -o %s/killed", command, dir, dir);
}

/* A table of no row, only its head */
static bool is_empty(const char *path)
{
    size_t size;
    char *text = read_file(path, &size);
    assert_non_null(text);
    bool empty = size > 0 && strchr(text, '\n') == text + size - 1;
    free(text);
    return empty;
}

#define LEFT_OUT "what has changed since the run before is left out"

/* Is changes.csv there, as it is to be? Where all had been put in place (`whole`), nothing has changed since. */
static bool has_changes(const struct runs *runs, bool whole, const char *said)
{
    const char *path = path_of("%s/killed/changes.csv", dir);
    bool left_out = strstr(said, LEFT_OUT) != NULL;
    if (!path_exists(path))
        assert_true(left_out);
    if (left_out)
        assert_false(path_exists(path));
    else if (whole)
        assert_true(is_empty(path));
    else
        assert_true(is_as(runs->end, "-x datapackage.json"));
    return !left_out;
}

/* The run after a killed one; true if it compared with the run before that. */
static bool go_on(const struct runs *runs)
{
    bool listed = path_exists(path_of("%s/killed/datapackage.json", dir)), whole = listed && is_as(runs->makes, "");
    bool tables = strncmp(runs->again, "dags", 4) == 0;
    struct run run = run_apart(runs->again);
    if (run.exit_status != 0)
        fail_msg("after a kill at %ld: %s", steps.kill_at, run.err);
    assert_true(is_as(runs->end, "-x changes.csv -x datapackage.json"));
    bool compared = tables && listed && has_changes(runs, whole, run.err);
    if (!tables || !listed)
        assert_true(is_as(runs->end, ""));
    run_free(&run);
    return compared;
}

static void kill_at_each(const struct runs *runs)
{
    unsigned seen[2] = {0};
    for (steps.kill_at = 1;; steps.kill_at++) {
        renew(runs->from);
        steps.made = 0;
        has_gone = false;
        steps.counted = true;
        struct run run = run_apart(runs->command);
        steps.counted = false;
        int status = run.exit_status;
        run_free(&run);
        if (status == 0)
            break;
        assert_int_equal(status, STEPS_KILLED);
        seen[go_on(runs)]++;
    }
    assert_true(is_as(runs->makes, ""));
    assert_true(seen[false] > 2);
    assert_true(!runs->from || seen[true] > 1); /* before the manifest was in place, and after the last table was */
}

/* ---- the tests ---- */

#define PLAIN "dags --no-unlocks"

static void test_new_folder(void **state)
{
    (void)state;
    kill_at_each(&(struct runs){NULL, PLAIN, "first", PLAIN, "first"});
}

static void test_second_run(void **state)
{
    (void)state;
    kill_at_each(&(struct runs){"plain", PLAIN, "second", PLAIN, "second"});
}

/* What the killed run removes, or would have removed, is in nobody's way; nor where names cannot be exchanged. */
static void test_fewer_files(void **state)
{
    (void)state;
    no_exchange = true;
    kill_at_each(&(struct runs){"before", PLAIN, "second", "dags", "shown"});
    no_exchange = false;
}

static void test_export(void **state)
{
    (void)state;
    static const char command[] = "export neo4j --no-unlocks";
    kill_at_each(&(struct runs){NULL, command, "graph", command, "graph"});
}

/* As it was left where the manifest was put in place last: all tables are of the killed run, and what tells of them is
 * of the run before. */
static void test_manifest_last(void **state)
{
    (void)state;
    renew("second");
    copy_file(path_of("%s/plain/datapackage.json", dir), path_of("%s/killed/datapackage.json", dir));
    assert_int_equal(unlink(path_of("%s/killed/changes.csv", dir)), 0);
    struct run run = run_apart(PLAIN);
    assert_int_equal(run.exit_status, 0);
    assert_non_null(strstr(run.err, LEFT_OUT));
    assert_false(path_exists(path_of("%s/killed/changes.csv", dir)));
    assert_true(is_as("first", "-x datapackage.json"));
    run_free(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_new_folder), cmocka_unit_test(test_second_run),    cmocka_unit_test(test_fewer_files),
        cmocka_unit_test(test_export),     cmocka_unit_test(test_manifest_last),
    };
    return cmocka_run_group_tests(tests, begin, remove_dir);
}
