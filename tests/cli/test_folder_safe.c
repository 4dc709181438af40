/* folder: what else lies in an output folder, or happens to it: FIFOs, links, files of the user, a full disk, two runs
 * at once, tables of two runs side by side, and filters that differ only after many characters. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/dir.h"
#include "tests/support/run.h"
#include "tests/support/table.h"

#define NODE "tests/fixtures/regtest-xor"

/* dir has store, of the bundled chain, with an index */

static int set_up(void **state)
{
    (void)state;
    dir = temp_dir();
    unktx_ok("scan --quiet --datadir " NODE " --store %s/store", dir);
    unktx_ok("index --quiet --datadir " NODE " --store %s/store", dir);
    return 0;
}

/* A command line that must end, with that status and saying that. */
static void expect(int status, const char *said, const char *line)
{
    struct run run = shell("timeout 60 $UNKTX %s", line);
    if (run.exit_status != status || !strstr(run.err, said))
        fail_msg("%s\nended with %d and said no \"%s\": %s", line, run.exit_status, said, run.err);
    run_free(&run);
}

/* The regular files of a folder and what is in them. */
static struct run sums(const char *folder)
{
    return shell("cd %s/%s && find . -maxdepth 1 -type f | sort | xargs -r sha256sum", dir, folder);
}

static void assert_unchanged(const char *folder, struct run *before)
{
    struct run after = sums(folder);
    assert_string_equal(before->out, after.out);
    run_free(&after);
    run_free(before);
}

/* ---- all or none ---- */

/* Only the manifest is too large for the limit. */
static void test_manifest_cannot_be_written(void **state)
{
    (void)state;
    unktx_ok("dags --no-unlocks --store %s/store --min-height 1000 -o %s/limit", dir, dir);
    struct run before = sums("limit");
    static const char *const folders[] = {"limit", "limit-new"};
    for (size_t i = 0; i < 2; i++) {
        struct run run = shell(
            "ulimit -f 8; $UNKTX dags --no-unlocks --store %s/store --min-height 1000 --rules core-22 --replace "
            "-o %s/%s",
            dir, dir, folders[i]);
        assert_int_equal(run.exit_status, 1);
        assert_non_null(strstr(run.err, "datapackage.json"));
        assert_non_null(strstr(run.err, "ulimit -f"));
        run_free(&run);
    }
    assert_unchanged("limit", &before);
    assert_false(path_exists(path_of("%s/limit-new", dir)));
}

/* ---- what is no file ---- */

static void test_fifo(void **state)
{
    (void)state;
    static const char *const names[] = {"datapackage.json", "txs.csv", "summary.json"};
    for (size_t i = 0; i < 3; i++) {
        const char *folder = path_of("%s/fifo-%zu", dir, i);
        make_dirs(folder);
        assert_int_equal(mkfifo(path_of("%s/%s", folder, names[i]), 0600), 0);
        expect(1, "a FIFO", path_of("dags --store %s/store -o %s --replace", dir, folder));
        expect(1, "a FIFO", path_of("analyze --quiet --datadir " NODE " -o %s --replace", folder));
        struct run run = shell("ls -A %s", folder);
        assert_string_equal(run.out, path_of("%s\n", names[i]));
        run_free(&run);
    }
}

/* Of a folder with tables, in place of one: it is not read, and not replaced. */
static void test_fifo_of_before(void **state)
{
    (void)state;
    unktx_ok("analyze --quiet --datadir " NODE " -o %s/piped", dir);
    const char *name = path_of("%s/piped/txs.csv", dir);
    assert_int_equal(unlink(name), 0);
    assert_int_equal(mkfifo(name, 0600), 0);
    struct run before = sums("piped");
    expect(1, "a FIFO", path_of("dags --store %s/store -o %s/piped --replace", dir, dir));
    expect(1, "a FIFO", path_of("show --store %s/piped --dag 1", dir));
    assert_unchanged("piped", &before);
    name = path_of("%s/piped/datapackage.json", dir);
    assert_int_equal(unlink(name), 0);
    assert_int_equal(mkfifo(name, 0600), 0);
    expect(1, "a FIFO", path_of("show --store %s/piped --dag 1", dir));
    expect(1, "a FIFO", path_of("outputs --store %s/piped", dir));
}

static void test_links(void **state)
{
    (void)state;
    static const char *const targets[] = {"/dev/null", "../precious", "../nowhere"};
    write_file(path_of("%s/precious", dir), "old", 3);
    for (size_t i = 0; i < 3; i++) {
        const char *folder = path_of("%s/links-%zu", dir, i);
        make_dirs(folder);
        assert_int_equal(symlink(targets[i], path_of("%s/txs.csv", folder)), 0);
        expect(1, "is no file but a link", path_of("dags --store %s/store -o %s", dir, folder));
        expect(1, "is no file but a link", path_of("dags --store %s/store -o %s --replace", dir, folder));
        assert_false(path_exists(path_of("%s/tdags.csv", folder)));
    }
    size_t size;
    char *text = read_file(path_of("%s/precious", dir), &size);
    assert_string_equal(text, "old");
    free(text);
    assert_false(path_exists(path_of("%s/nowhere", dir)));
}

/* ---- files of the user ---- */

static void test_own_file(void **state)
{
    (void)state;
    make_dirs(path_of("%s/own", dir));
    write_file(path_of("%s/own/txs.csv", dir), "mine", 4);
    struct run before = sums("own");
    const char *line = path_of("dags --store %s/store -o %s/own", dir, dir);
    expect(1, "--replace", line);
    expect(1, "txs.csv: is there and not of a run before",
           path_of("analyze --quiet --datadir " NODE " -o %s/own", dir));
    assert_unchanged("own", &before);
    unktx_ok("%s --replace", line);
    unktx_ok("%s", line); /* now it is listed */
    write_file(path_of("%s/own/changes.csv", dir), "mine", 4);
    unktx_ok("%s", line); /* listed by the run before */
    assert_int_equal(unlink(path_of("%s/own/datapackage.json", dir)), 0);
    expect(1, "--replace", line);
}

/* ---- two runs ---- */

static void test_locked(void **state)
{
    (void)state;
    unktx_ok("analyze --quiet --datadir " NODE " -o %s/locked", dir);
    struct run before = sums("locked");
    int fd = open(path_of("%s/locked", dir), O_RDONLY | O_DIRECTORY);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    expect(1, "another unktx is writing into this folder",
           path_of("dags --store %s/store --rules core-22 --replace -o %s/locked", dir, dir));
    expect(1, "another unktx is writing into this folder", path_of("analyze --datadir " NODE " -o %s/locked", dir));
    unktx_ok("show --store %s/locked --dag 1", dir);
    close(fd);
    assert_unchanged("locked", &before);
    unktx_ok("dags --store %s/store --rules core-22 --replace -o %s/locked", dir, dir);
    struct run run = shell("ls -A %s/locked", dir);
    assert_string_equal(run.out, "arcs.csv\nclasses.csv\ndatapackage.json\ngroups.csv\nhashes.csv\nkeys.csv\nleaves."
                                 "csv\npayees.csv\npayers.csv\n"
                                 "store\nsummary.json\ntdags.csv\nties.csv\ntxs.csv\nunlocks.csv\n");
    run_free(&run);
}

/* As a run leaves it that is killed before the manifest is in place. */
static void test_mixture(void **state)
{
    (void)state;
    unktx_ok("analyze --quiet --datadir " NODE " -o %s/mixed", dir);
    unktx_ok("dags --store %s/store --rules core-22 -o %s/others", dir, dir);
    copy_file(path_of("%s/others/tdags.csv", dir), path_of("%s/mixed/tdags.csv", dir));
    const char *show = path_of("show --store %s/mixed --dag 1", dir);
    expect(1, "do not belong together", show);
    expect(1, "do not belong together", path_of("dags --store %s/mixed/store", dir));
    unktx_ok("%s --rules core-0.18", show);
    expect(0, "changed since the run before is left out",
           path_of("dags --store %s/store -o %s/mixed --replace", dir, dir));
    assert_false(path_exists(path_of("%s/mixed/changes.csv", dir)));
    unktx_ok("%s", show);
    unktx_ok("dags --store %s/store -o %s/mixed", dir, dir);
    assert_true(path_exists(path_of("%s/mixed/changes.csv", dir)));
    /* of the same size */
    size_t size;
    char *text = read_file(path_of("%s/mixed/arcs.csv", dir), &size);
    text[size - 2] ^= 1;
    write_file(path_of("%s/mixed/arcs.csv", dir), text, size);
    free(text);
    expect(1, "do not belong together", show);
    assert_int_equal(unlink(path_of("%s/mixed/arcs.csv", dir)), 0); /* whoever needs it no more may remove it */
    unktx_ok("%s", show);
}

/* ---- filters that are long ---- */

static void test_long_label(void **state)
{
    (void)state;
    char labels[2][901], line[8192];
    unktx_ok("flows --store %s/store -o %s/flows", dir, dir);
    struct table payees = table_read(path_of("%s/flows/payees.csv", dir));
    size_t row = 0;
    while (*table_get(&payees, row, "address") == '\0')
        row++;
    FILE *file = fopen(path_of("%s/labels.csv", dir), "w");
    assert_non_null(file);
    fprintf(file, "address,label\n");
    for (size_t i = 0; i < 2; i++) { /* the same T-DAGs have both */
        memset(labels[i], 'l', 900);
        labels[i][899] = (char)('1' + i);
        labels[i][900] = '\0';
        fprintf(file, "%s,%s\n", table_get(&payees, row, "address"), labels[i]);
    }
    fclose(file);
    table_free(&payees);
    for (size_t i = 0; i < 2; i++) {
        snprintf(line, sizeof line, "dags --store %s/store --labels %s/labels.csv -o %s/labelled --label %s", dir, dir,
                 dir, labels[i]);
        if (i == 0)
            unktx_ok("%s", line);
        else
            expect(1, "another filter of T-DAGs", line);
    }
    struct json json = json_open(path_of("%s/labelled/datapackage.json", dir));
    assert_string_equal(json_find(&json, "select") + strlen("--label "), labels[0]);
    json_close(&json);
}

static void test_long_path(void **state)
{
    (void)state;
    char path[4000];
    write_file(path_of("%s/drop.txt", dir), "OP_DROP\n", 8);
    size_t size = (size_t)snprintf(path, sizeof path, "%s", dir);
    while (size < 2500)
        size += (size_t)snprintf(path + size, sizeof path - size, "/.");
    snprintf(path + size, sizeof path - size, "/drop.txt");
    unktx_ok("analyze --quiet --datadir " NODE " -o %s/deep --exclude-scripts %s", dir, path);
    expect(1, "another --exclude-scripts", path_of("dags --store %s/store -o %s/deep", dir, dir));
    struct run truth = unktx_expect(0, "show --store %s/store --dag 5 --exclude-scripts %s/drop.txt", dir, dir);
    struct run run = unktx_expect(0, "show --store %s/deep --dag 5", dir);
    assert_string_equal(run.out, truth.out);
    run_free(&run);
    run_free(&truth);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_manifest_cannot_be_written),
        cmocka_unit_test(test_fifo),
        cmocka_unit_test(test_fifo_of_before),
        cmocka_unit_test(test_links),
        cmocka_unit_test(test_own_file),
        cmocka_unit_test(test_locked),
        cmocka_unit_test(test_mixture),
        cmocka_unit_test(test_long_label),
        cmocka_unit_test(test_long_path),
    };
    return cmocka_run_group_tests(tests, set_up, remove_dir);
}
