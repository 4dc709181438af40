/* replacement: files that take their places together, whichever rename fails, and where the file system cannot exchange
 * two names. The calls below stand before the C library's. */
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

#include "cli/output/replacement.h"
#include "parser/mem.h"
#include "tests/support/run.h"
#include "tests/support/steps.h"

/* ---- the calls that fail ---- */

static long made;        /* renames of both kinds */
static long fail_at;     /* which of them fails, from 1; 0: none */
static long fail_times;  /* how many, that one included */
static bool no_exchange; /* the file system knows no such thing */
static bool no_links;    /* nor second names of a file */
static char calls[64];   /* the last letter of each name that changes, and | where names are made durable */
static const int errors[] = {EPERM, EBUSY, EIO, ENOSPC};
static int fail_with;

typedef int rename_fn(const char *from, const char *to);
typedef int link_fn(const char *from, const char *to);
typedef int fsync_fn(int fd);
typedef int renameat2_fn(int from_folder, const char *from, int to_folder, const char *to, unsigned flags);

static bool fails(void)
{
    made++;
    errno = fail_with;
    return fail_at > 0 && made >= fail_at && made < fail_at + fail_times;
}

static void note(const char *path)
{
    size_t size = strlen(calls);
    if (size + 2 < sizeof calls)
        calls[size] = path[strlen(path) - 1];
}

int fsync(int fd)
{
    note("|");
    return ((fsync_fn *)next_function("fsync"))(fd);
}

int rename(const char *from, const char *to)
{
    note(strstr(to, "/.unktx-") ? from : to);
    return fails() ? -1 : ((rename_fn *)next_function("rename"))(from, to);
}

int link(const char *from, const char *to)
{
    if (no_links) {
        errno = EPERM;
        return -1;
    }
    return ((link_fn *)next_function("link"))(from, to);
}

int renameat2(int from_folder, const char *from, int to_folder, const char *to, unsigned flags)
{
    if (no_exchange) {
        errno = EINVAL;
        return -1;
    }
    note(to);
    return fails() ? -1 : ((renameat2_fn *)next_function("renameat2"))(from_folder, from, to_folder, to, flags);
}

/* What the file system can do, from 0: all of it, no exchange, and no second names either. */
#define WAYS 3

static void set_way(unsigned way)
{
    no_exchange = way > 0;
    no_links = way > 1;
}

/* ---- a folder ---- */

/* a and b are replaced, c goes, d is new, e stays. */
#define FILES 4u
static const char *const names[FILES] = {"a", "b", "c", "d"};

static char *dir;

static void put(const char *name, const char *text) { write_file(path_of("%s/%s", dir, name), text, strlen(text)); }

static char *temporary(const char *name, const char *text)
{
    const char *path = path_of("%s/.unktx-%s.part", dir, name);
    char *copy = mem_alloc(strlen(path) + 1, 1);
    assert_non_null(copy);
    strcpy(copy, path);
    write_file(copy, text, strlen(text));
    return copy;
}

static void begin(struct replaced files[FILES])
{
    static const char *const old[] = {"a", "b", "c", "e"};
    dir = temp_dir();
    for (size_t i = 0; i < 4; i++)
        put(old[i], "old");
    for (size_t i = 0; i < FILES; i++)
        files[i] = (struct replaced){.name = names[i], .temporary = i == 2 ? NULL : temporary(names[i], "new")};
    made = fail_at = fail_times = 0;
    set_way(0);
}

static void end(struct replaced files[FILES])
{
    fail_at = 0;
    replacement_free(files, FILES);
    remove_tree(dir);
    free(dir);
}

/* All files of the folder, with what is in them. */
static void assert_folder(const char *expected)
{
    struct run run = shell("cd %s && for f in $(ls -A); do printf '%%s=%%s ' $f $(cat $f); done", dir);
    assert_string_equal(run.out, expected);
    run_free(&run);
}

#define OLD "a=old b=old c=old e=old "
#define NEW "a=new b=new d=new e=old "

/* ---- the tests ---- */

static void test_all(void **state)
{
    (void)state;
    for (unsigned way = 0; way < WAYS; way++) {
        struct replaced files[FILES];
        struct fault fault = {0};
        begin(files);
        set_way(way);
        assert_int_equal(replacement_make(dir, files, FILES, &fault), STATUS_OK);
        assert_folder(NEW);
        assert_true(files[2].is_done && files[2].is_gone && files[3].is_done && !files[3].is_gone);
        end(files);
    }
}

/* Files of a step wait until those of the one before have their names for good. */
static void test_steps(void **state)
{
    (void)state;
    static const unsigned order[FILES] = {3, 1, 0, 1};
    struct replaced files[FILES];
    struct fault fault = {0};
    begin(files);
    for (size_t i = 0; i < FILES; i++)
        files[i].step = order[i];
    no_exchange = true; /* then d, which is new, is tried to be moved away before */
    memset(calls, 0, sizeof calls);
    assert_int_equal(replacement_make(dir, files, FILES, &fault), STATUS_OK);
    assert_string_equal(calls, "c|bdd|a|");
    assert_folder(NEW);
    end(files);
}

/* Whichever fails, once: what was before, and nothing beside it. */
static void test_one_fails(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < WAYS * sizeof errors / sizeof *errors; kind++) {
        fail_with = errors[kind / WAYS];
        for (long at = 1;; at++) {
            struct replaced files[FILES];
            struct fault fault = {0};
            begin(files);
            set_way(kind % WAYS);
            fail_at = at;
            fail_times = 1;
            enum status status = replacement_make(dir, files, FILES, &fault);
            if (status == STATUS_OK) {
                assert_true(made < at); /* one that failed is never passed over */
                end(files);
                assert_true(at > 4);
                break;
            }
            assert_non_null(strstr(fault.text, "are as they were"));
            replacement_free(files, FILES);
            assert_folder(OLD);
            end(files);
        }
    }
}

/* All fail from one on: nothing can be put back. No file is lost, and what is told is what lies there. */
static void test_all_fail(void **state)
{
    (void)state;
    fail_with = EIO;
    for (unsigned way = 0; way < WAYS; way++) {
        for (long at = 2; at <= 4; at++) {
            struct replaced files[FILES];
            struct fault fault = {0};
            begin(files);
            set_way(way);
            fail_at = at;
            fail_times = 1000;
            assert_int_equal(replacement_make(dir, files, FILES, &fault), STATUS_IO);
            assert_null(strstr(fault.text, "are as they were"));
            assert_string_equal(fault.path, path_of("%s/%s", dir, names[way == 2 ? (at - 1) / 2 : at - 1]));
            replacement_free(files, FILES);
            struct run run = shell("cd %s && cat $(ls -A) | tr -d '\n' | sed 's/new//g; s/oldoldoldold/all/'", dir);
            assert_string_equal(run.out, "all");
            run_free(&run);
            end(files);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all),
        cmocka_unit_test(test_steps),
        cmocka_unit_test(test_one_fails),
        cmocka_unit_test(test_all_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
