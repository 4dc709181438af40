/* export: which targets it takes, and that what it writes is whole or not there: with too little room, a signal, files
 * of others in the folder. What is written is looked at by tests/export.py. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/run.h"
#include "tests/support/table.h"
#include "tests/support/trouble.h"

#define NODE "tests/fixtures/regtest-xor"

static char *dir; /* has store, of the bundled chain, with an index */

static int set_up(void **state)
{
    (void)state;
    dir = temp_dir();
    unktx_ok("scan --quiet --datadir " NODE " --store %s/store", dir);
    unktx_ok("index --quiet --datadir " NODE " --store %s/store", dir);
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

/* A command line that must end with that status, and say that. */
static void expect(int status, const char *said, const char *line)
{
    struct run run = unktx("%s", line);
    if (run.exit_status != status || !strstr(run.err, said))
        fail_msg("%s\nended with %d and said no \"%s\": %s", line, run.exit_status, said, run.err);
    assert_int_equal(run.out_size, 0);
    run_free(&run);
}

/* All names in a folder, hidden ones too. */
static struct run names_in(const char *folder) { return shell("ls -A %s", folder); }

static void assert_has(const char *folder, const char *names)
{
    struct run run = names_in(folder);
    assert_string_equal(run.out, names);
    run_free(&run);
}

static void test_usage(void **state)
{
    (void)state;
    expect(2, "missing operand", "export");
    expect(2, "none of sqlite, neo4j, edges", "export csv");
    expect(2, "name a folder with -o", path_of("export neo4j --store %s/store", dir));
    expect(2, "name a folder with -o", path_of("export edges --store %s/store", dir));
    expect(2, "--nodes is for edges only", path_of("export sqlite --nodes txs --store %s/store -o %s/x", dir, dir));
    expect(2, "--nodes is for edges only", path_of("export neo4j --nodes outputs --store %s/store -o %s/x", dir, dir));
    expect(2, "none of outputs|txs", path_of("export edges --nodes blocks --store %s/store -o %s/x", dir, dir));
    assert_false(path_exists(path_of("%s/x", dir)));
}

static void test_targets(void **state)
{
    (void)state;
    expect(1, "is no regular file", path_of("export sqlite --store %s/store -o -", dir));
    expect(1, "is no regular file", path_of("export sqlite --store %s/store -o /dev/null", dir));
    expect(1, "nothing is written", path_of("export sqlite --store %s/store -o %s/store/x.sqlite", dir, dir));
    expect(1, "is read by this command", path_of("export sqlite --store %s/store -o %s/store/data.mdb", dir, dir));
    expect(1, "", path_of("export sqlite --store %s/none -o %s/x.sqlite", dir, dir));
    assert_false(path_exists(path_of("%s/x.sqlite", dir)));
    /* without -o it is in the working folder, whose database of that name is replaced */
    make_dirs(path_of("%s/here", dir));
    write_file(path_of("%s/here/unktx.sqlite", dir), "SQLite format 3", 16);
    struct run run = shell("program=$(realpath $UNKTX); cd %s/here && $program export sqlite --store ../store", dir);
    assert_int_equal(run.exit_status, 0);
    assert_non_null(strstr(run.err, "written to unktx.sqlite: "));
    run_free(&run);
    size_t size;
    char *bytes = read_file(path_of("%s/here/unktx.sqlite", dir), &size);
    assert_memory_equal(bytes, "SQLite format 3", 16);
    free(bytes);
    assert_has(path_of("%s/here", dir), "unktx.sqlite\n");
}

/* A file that is no database stays; an empty one, or with --replace any, is replaced. */
static void test_no_database(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
    } others[] = {{"notes of a month of work\n", 25}, {"SQLite format 3", 15}, {"SQLite format 2", 16}, {"x", 1}};
    char line[600];
    snprintf(line, sizeof line, "export sqlite --quiet --store %s/store -o %s/other", dir, dir);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        size_t size;
        write_file(path_of("%s/other", dir), others[i].bytes, others[i].size);
        expect(1, "--replace", line);
        char *bytes = read_file(path_of("%s/other", dir), &size);
        assert_int_equal(size, others[i].size);
        assert_memory_equal(bytes, others[i].bytes, size);
        free(bytes);
    }
    unktx_ok("%s --replace", line);
    unktx_ok("%s", line);
    write_file(path_of("%s/other", dir), "", 0);
    unktx_ok("%s", line);
}

/* What is there cannot be looked at, or not be replaced: the file, the cause and the way out are told. */
static void test_target_refused(void **state)
{
    (void)state;
    const char *as = as_a_user(dir);
    char *place = strdup(path_of("%s/refused", dir)), line[1200];
    make_dirs(path_of("%s/folder", place));
    copy_bundled_chain(path_of("%s/node", dir)); /* this checkout may be root's alone */
    unktx_ok("scan --quiet --datadir %s/node --store %s/own", dir, dir);
    write_file(path_of("%s/closed", place), "SQLite format 3", 16);
    write_file(path_of("%s/plain", place), "notes", 5);
    expect_shell(0, NULL, path_of("chmod 0777 %s", place));
    snprintf(line, sizeof line, "%s$UNKTX export sqlite --quiet --store %s/own -o %s/mine", as, dir, place);
    expect_shell(0, NULL, line);
    expect_shell(0, NULL, path_of("chmod a-w %s/mine && chmod 0 %s/closed", place, place));
    expect_shell(0, NULL, line);
    struct stat info;
    assert_int_equal(stat(path_of("%s/mine", place), &info), 0);
    assert_int_equal(info.st_mode & 07777, 0444);
    static const struct {
        const char *name;
        const char *said;
    } cases[] = {
        {"closed", "closed: is there and cannot be read (Permission denied): only a SQLite database is replaced. Name "
                   "another file with -o, or replace it with --replace"},
        {"plain", "plain: is there and no SQLite database, so it is not replaced: name another file with -o, or"},
        {"plain/x", "plain/x: cannot be written: Not a directory (a part of the path is no folder: name another place"},
        {"folder", "folder: cannot be written: Is a directory (name a file in it, or another place)"},
        {"none/x", "none/x: cannot be written: No such file or directory (make the folder that is missing, or name"},
        {"none", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        snprintf(line, sizeof line, "%s$UNKTX export sqlite --quiet --store %s/own -o %s/%s", as, dir, place,
                 cases[i].name);
        expect_shell(cases[i].said ? 1 : 0, cases[i].said, line);
    }
    snprintf(line, sizeof line, "%s$UNKTX export sqlite --quiet --replace --store %s/own -o %s/closed", as, dir, place);
    expect_shell(0, NULL, line);
    free(place);
}

/* Every size of file below the whole one is too small, and names the limit. */
static void test_limited_size(void **state)
{
    (void)state;
    make_dirs(path_of("%s/limit", dir));
    write_file(path_of("%s/limit/a.sqlite", dir), "SQLite format 3\0old", 20);
    static const char *const blocks[] = {"9", "40", "100", "400", "1000"};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
        struct run run = shell("ulimit -f %s; $UNKTX export sqlite --store %s/store -o %s/limit/a.sqlite", blocks[i],
                               dir, dir);
        if (run.exit_status != 1 || !strstr(run.err, "ulimit -f"))
            fail_msg("limit %s: exit status %d: %s", blocks[i], run.exit_status, run.err);
        run_free(&run);
        size_t size;
        char *bytes = read_file(path_of("%s/limit/a.sqlite", dir), &size);
        assert_int_equal(size, 20);
        assert_memory_equal(bytes, "SQLite format 3\0old", size);
        free(bytes);
        assert_has(path_of("%s/limit", dir), "a.sqlite\n");
    }
}

static void test_full_disk(void **state)
{
    (void)state;
    mount_small(path_of("%s/small", dir), 400);
    expect(1, "No space left on device", path_of("export sqlite --store %s/store -o %s/small/a.sqlite", dir, dir));
    assert_has(path_of("%s/small", dir), "");
    resize_small(path_of("%s/small", dir), 64, false);
    expect(1, "No space left on device", path_of("export neo4j --store %s/store -o %s/small/graph", dir, dir));
    expect(1, "No space left on device", path_of("export edges --store %s/store -o %s/small/graph", dir, dir));
    assert_has(path_of("%s/small", dir), "");
    assert_int_equal(umount2(path_of("%s/small", dir), 0), 0);
}

/* At whatever moment a signal comes: nothing, or all of it. */
static void test_signal(void **state)
{
    (void)state;
    static const char *const forms[] = {"sqlite", "neo4j", "edges"};
    for (unsigned i = 0; i < 24; i++) {
        const char *form = forms[i % 3], *place = path_of("%s/signal-%u", dir, i);
        make_dirs(place);
        pid_t child = unktx_start("export %s --quiet --store %s/store -o %s/made", form, dir, place);
        nanosleep(&(struct timespec){.tv_nsec = (long)(i / 3) * 12000000}, NULL);
        kill(child, i % 2 ? SIGTERM : SIGINT);
        double started = now_s();
        int status = wait_status(child);
        /* before its handlers are there the signal itself ends it */
        if (status != 0 && status != 130 && status != 128 + SIGINT && status != 128 + SIGTERM)
            fail_msg("%s after %u: exit status %d", form, i, status);
        assert_true(now_s() - started < 60);
        assert_has(place, status == 0 ? "made\n" : "");
    }
}

static void test_folders(void **state)
{
    (void)state;
    unktx_ok("dags --no-unlocks --store %s/store -o %s/tables", dir, dir);
    struct run before = shell("cd %s/tables && sha256sum *", dir);
    expect(1, "unktx dags", path_of("export edges --store %s/store -o %s/tables", dir, dir));
    struct run after = shell("cd %s/tables && sha256sum *", dir);
    assert_string_equal(before.out, after.out);
    run_free(&before);
    run_free(&after);
    unktx_ok("export edges --quiet --store %s/store -o %s/graph", dir, dir);
    expect(1, "rule set", path_of("export edges --rules core-22 --store %s/store -o %s/graph", dir, dir));
    unktx_ok("export edges --quiet --rules core-22 --replace --store %s/store -o %s/graph", dir, dir);
    assert_has(path_of("%s/graph", dir), "datapackage.json\nedges.csv\nnodes.csv\n");
    expect(1, "unktx export", path_of("dags --rules core-22 --store %s/store -o %s/graph", dir, dir));
    /* another form is another maker; with --replace what this run does not make goes, and is named */
    char options[600];
    snprintf(options, sizeof options, "--quiet --rules core-22 --store %s/store -o %s/graph", dir, dir);
    expect(1, "unktx export edges", path_of("export neo4j %s", options));
    expect(1, "another --nodes", path_of("export edges --nodes txs %s", options));
    assert_has(path_of("%s/graph", dir), "datapackage.json\nedges.csv\nnodes.csv\n");
    unktx_ok("export edges --nodes outputs %s", options);
    unktx_ok("export edges --nodes txs --replace %s", options);
    unktx_ok("export edges --nodes txs %s", options);
    expect(1, "another --nodes", path_of("export edges %s", options));
    expect(0, "edges.csv", path_of("export neo4j --replace %s", options));
    assert_false(path_exists(path_of("%s/graph/edges.csv", dir)));
    assert_true(path_exists(path_of("%s/graph/nodes-tdags.csv", dir)));
    unktx_ok("export neo4j %s", options);
    expect(1, "unktx export neo4j", path_of("export edges %s", options));
    assert_true(path_exists(path_of("%s/graph/nodes-tdags.csv", dir)));
}

/* The rule set of the tables beside the store is taken, and that is said once for all parts. */
static void test_beside_tables(void **state)
{
    (void)state;
    unktx_ok("analyze --quiet --rules core-22 --datadir " NODE " -o %s/out", dir);
    struct run run = unktx_expect(0, "export edges --store %s/out -o %s/beside", dir, dir);
    const char *said = strstr(run.err, "--rules core-22");
    assert_non_null(said);
    assert_null(strstr(said + 1, "--rules core-22"));
    run_free(&run);
    run = unktx_expect(0, "export sqlite --store %s/out -o %s/beside.sqlite", dir, dir);
    said = strstr(run.err, "--rules core-22");
    assert_non_null(said);
    assert_null(strstr(said + 1, "--rules core-22"));
    run_free(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_usage),         cmocka_unit_test(test_targets),     cmocka_unit_test(test_limited_size),
        cmocka_unit_test(test_full_disk),     cmocka_unit_test(test_signal),      cmocka_unit_test(test_folders),
        cmocka_unit_test(test_beside_tables), cmocka_unit_test(test_no_database), cmocka_unit_test(test_target_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
