/* unktx hidden --dags, killed at any step of putting its store in place: the one before or the new one is there, whole,
 * also where the file system cannot exchange two names. The calls below stand before the C library's. */
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
#include <time.h>
#include <unistd.h>

#include "tests/support/command.h"
#include "tests/support/dir.h"
#include "tests/support/steps.h"

static bool no_exchange; /* the file system knows no such thing */
static unsigned naps;

typedef int rename_fn(const char *from, const char *to);
typedef int renameat2_fn(int from_folder, const char *from, int to_folder, const char *to, unsigned flags);
typedef int unlinkat_fn(int folder, const char *name, int flags);
typedef int rmdir_fn(const char *path);
typedef int nanosleep_fn(const struct timespec *time, struct timespec *left);

int rename(const char *from, const char *to)
{
    steps_take();
    return ((rename_fn *)next_function("rename"))(from, to);
}

int renameat2(int from_folder, const char *from, int to_folder, const char *to, unsigned flags)
{
    steps_take();
    if (no_exchange) {
        errno = EINVAL;
        return -1;
    }
    return ((renameat2_fn *)next_function("renameat2"))(from_folder, from, to_folder, to, flags);
}

int unlinkat(int folder, const char *name, int flags)
{
    steps_take();
    return ((unlinkat_fn *)next_function("unlinkat"))(folder, name, flags);
}

int rmdir(const char *path)
{
    steps_take();
    return ((rmdir_fn *)next_function("rmdir"))(path);
}

int nanosleep(const struct timespec *time, struct timespec *left)
{
    naps++;
    return ((nanosleep_fn *)next_function("nanosleep"))(time, left);
}

static int begin(void **state)
{
    make_dir(state);
    copy_bundled_chain(path_of("%s/node", dir));
    unktx_ok("index --quiet --to-height 60 --datadir %s/node --store %s/store", dir, dir);
    unktx_ok("scan --quiet --to-height 60 --datadir %s/node --store %s/store", dir, dir);
    return 0;
}

/* The exit status of making it as of that height. */
static int make(unsigned height)
{
    struct run run = command_run_apart(
        "hidden --quiet --threads 1 --dags --to-height %u --store %s/store -o %s/rows.csv", height, dir, dir);
    int status = run.exit_status;
    if (status != 0 && status != STEPS_KILLED)
        fail_msg("%s", run.err);
    run_free(&run);
    return status;
}

/* Of which height the one that is there is: it has T-DAGs as of that, or another that is asked for is refused. */
static bool is_of(unsigned height)
{
    struct run run = command_run("dags --rules hidden --to-height %u --store %s/store", height, dir);
    bool is = run.exit_status == 0;
    if (!is)
        assert_non_null(strstr(run.err, "is as of block"));
    run_free(&run);
    return is;
}

/* One step later each time, until it comes to its end. */
static void kill_at_every_step(void **state)
{
    (void)state;
    bool seen[2] = {false};
    assert_int_equal(make(40), 0);
    assert_true(is_of(40));
    for (steps.kill_at = 1;; steps.kill_at++) {
        steps.made = 0;
        steps.counted = true;
        int status = make(50);
        steps.counted = false;
        bool old = is_of(40);
        assert_true(old || is_of(50));
        assert_false(old && status == 0);
        if (status == 0)
            break;
        seen[old] = true;
        assert_int_equal(make(40), 0); /* whatever is left of it is in nobody's way */
        assert_true(is_of(40));
        assert_false(path_exists(path_of("%s/store/hidden.new", dir)));
        assert_false(path_exists(path_of("%s/store/hidden.old", dir)));
    }
    assert_true(seen[false] && seen[true]);
    assert_true(steps.kill_at > 5);
}

/* What it locks itself is nothing to wait for. */
static void waits_for_nobody(void **state)
{
    (void)state;
    naps = 0;
    assert_int_equal(command_exit("hidden --quiet --dags --store %s/store -o %s/rows.csv", dir, dir), 0);
    assert_int_equal(command_exit("dags --rules hidden --store %s/store -o %s/out", dir, dir), 0);
    assert_int_equal(naps, 0);
}

static void without_exchange(void **state)
{
    no_exchange = true;
    kill_at_every_step(state);
    no_exchange = false;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kill_at_every_step),
        cmocka_unit_test(without_exchange),
        cmocka_unit_test(waits_for_nobody),
    };
    return cmocka_run_group_tests(tests, begin, remove_dir);
}
