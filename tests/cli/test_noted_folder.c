/* scan, index and analyze note in the store where the blk files are: an interrupted run too, so that the same command
 * goes on without --datadir. What is no folder of blk files, or of another chain, is not noted. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "parser/stop.h"
#include "tests/support/run.h"
#include "tests/support/stores.h"
#include "tests/support/trouble.h"

static struct {
    char *dir;
    char data[300];
    char moved[300]; /* the same files in another place */
} place;

static int set_up(void **state)
{
    (void)state;
    temp_dir_in_memory();
    place.dir = temp_dir();
    char *real = realpath(place.dir, NULL);
    snprintf(place.data, sizeof place.data, "%s/data", real);
    snprintf(place.moved, sizeof place.moved, "%s/moved", real);
    free(real);
    copy_bundled_chain(place.data);
    copy_bundled_chain(place.moved);
    return setenv("HOME", place.dir, 1); /* which has no .bitcoin */
}

static int tear_down(void **state)
{
    (void)state;
    remove_tree(place.dir);
    free(place.dir);
    return 0;
}

static void need_forks(void)
{
    if (!SANITIZED)
        return;
    print_message("skipped: under a sanitizer the program is started anew, and does not inherit when to stop\n");
    skip();
}

static void assert_noted(const char *store, const char *datadir)
{
    size_t size;
    char *note = read_file(path_of("%s/blocks-folder", store), &size);
    assert_non_null(note);
    assert_string_equal(note, path_of("%s/regtest/blocks", datadir));
    free(note);
}

/* Exit status of the command when it is asked to stop at that look at the flag. The run is a fork of this process. */
static int stopped_at(long look, const char *command)
{
    stop_after(look);
    struct run run = unktx("%s", command);
    stop_after(-1);
    int status = run.exit_status;
    run_free(&run);
    return status;
}

/* Whenever a first run is stopped after it has made the store, the same command goes on without --datadir. */
static void stop_first_runs(const char *words, const char *out, const char *store)
{
    unsigned stopped = 0;
    int status = 130;
    char command[800], with_datadir[1200];
    snprintf(command, sizeof command, "%s %s", words, out);
    snprintf(with_datadir, sizeof with_datadir, "%s --datadir %s", command, place.data);
    for (long look = 0; status != 0; look += 1 + look / 4) {
        remove_tree(out);
        status = stopped_at(look, with_datadir);
        assert_true(status == 0 || status == 130);
        if (status == 0 || !path_exists(path_of("%s/data.mdb", store)))
            continue;
        stopped++;
        assert_noted(store, place.data);
        unktx_ok("%s", command);
        assert_noted(store, place.data);
    }
    assert_true(stopped > 1);
}

static void test_first_run_stopped(void **state)
{
    (void)state;
    char out[400], store[420];
    need_forks();
    snprintf(out, sizeof out, "%s/first", place.dir);
    snprintf(store, sizeof store, "%s/store", out);
    stop_first_runs("scan --quiet --threads 1 --store", out, out);
    stop_first_runs("scan --quiet --threads 1 --sequential --store", out, out);
    stop_first_runs("index --quiet --threads 1 --store", out, out);
    stop_first_runs("analyze --quiet --threads 1 --no-unlocks -o", out, store);
}

/* A folder that takes the place of another is noted once blocks were taken from it, and not before. */
static void test_other_place_stopped(void **state)
{
    (void)state;
    char store[400], line[1600];
    unsigned before = 0, after = 0;
    int status = 130;
    need_forks();
    snprintf(store, sizeof store, "%s/other", place.dir);
    unktx_ok("scan --quiet --to-height 20 --datadir %s --store %s", place.data, store);
    snprintf(line, sizeof line, "scan --quiet --threads 1 --sequential --datadir %s --store %s", place.moved, store);
    for (long look = 0; status != 0; look++) {
        uint32_t blocks = store_blocks(store);
        status = stopped_at(look, line);
        bool took = store_blocks(store) > blocks;
        if (status != 0 && after == 0)
            assert_noted(store, took ? place.moved : place.data);
        before += status != 0 && after == 0 && !took;
        after += status != 0 && took;
    }
    assert_noted(store, place.moved);
    assert_int_not_equal(before, 0);
    assert_int_not_equal(after, 0);
}

static void expect_refused(const char *text, const char *command, const char *datadir, const char *store)
{
    struct run run = unktx_expect(1, "%s --datadir %s --store %s", command, datadir, store);
    assert_non_null(strstr(run.err, text));
    run_free(&run);
}

static void test_typo(void **state)
{
    (void)state;
    static const char *const commands[] = {"scan", "index"};
    char store[400], empty[400];
    snprintf(store, sizeof store, "%s/typo", place.dir);
    snprintf(empty, sizeof empty, "%s/empty", place.dir);
    make_dirs(empty);
    for (unsigned i = 0; i < 2; i++) {
        expect_refused("empty", commands[i], empty, store);
        assert_false(path_exists(path_of("%s/blocks-folder", store)));
        unktx_ok("%s --quiet --datadir %s --store %s", commands[i], place.data, store);
        expect_refused("empty", commands[i], empty, store);
        assert_noted(store, place.data);
        remove_tree(store);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_run_stopped),
        cmocka_unit_test(test_other_place_stopped),
        cmocka_unit_test(test_typo),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
