/* Builds of the index on a machine that loses its power: of LMDB's file the disk has its first two pages, which say
 * what is where, as they were last written, and of all others what was there at the last fdatasync. At whatever
 * moment that is, what is left is no index yet or a whole one, and the next build ends with that of a build that
 * nobody disturbed.
 *
 * This program's own fdatasync and rename are called by the library and by LMDB in place of those of libc. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "graph/test_hooks.h"
#include "tests/support/dir.h"
#include "tests/support/index_builds.h"
#include "tests/support/run.h"
#include "tests/support/trouble.h"

enum { NO_POWER = 128 + SIGKILL, META_PAGES = 2 };

static char data[512], store[512];
static char fresh[65]; /* digest of an index that nobody disturbed */

/* ---- the machine, in a child ---- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned moments_left; /* 0: the power stays */
static unsigned renames_left; /* of an index's files until one fails; 0: none does */
static char *synced;          /* the file at its last fdatasync */
static size_t synced_size;
static long page_size;

/* The file of the index, wherever it is by now. */
static const char *index_file(void)
{
    const char *unfinished = path_of("%s/tio/unfinished/data.mdb", store);
    return path_exists(unfinished) ? unfinished : path_of("%s/tio/data.mdb", store);
}

static void lose_power(void)
{
    size_t size, metas = (size_t)(META_PAGES * page_size);
    char *bytes = read_file(index_file(), &size);
    if (bytes && size > metas) {
        memset(bytes + metas, 0, size - metas);
        if (synced_size > metas)
            memcpy(bytes + metas, synced + metas, (synced_size < size ? synced_size : size) - metas);
        int fd = open(index_file(), O_WRONLY);
        if (fd < 0 || pwrite(fd, bytes, size, 0) != (ssize_t)size)
            _exit(1);
    }
    kill(getpid(), SIGKILL);
    pause();
}

/* Something happens that makes a difference to the disk, or may. */
static void moment(void)
{
    pthread_mutex_lock(&lock);
    if (moments_left > 0 && --moments_left == 0)
        lose_power();
    pthread_mutex_unlock(&lock);
}

static bool is_index_file(int fd)
{
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, path, sizeof path - 1);
    path[size > 0 ? size : 0] = 0;
    return strstr(path, "/tio/") && strstr(path, "/data.mdb");
}

int fdatasync(int fd)
{
    bool counts = moments_left > 0 && is_index_file(fd);
    if (counts) {
        moment();
        pthread_mutex_lock(&lock);
        free(synced);
        synced = read_file(index_file(), &synced_size);
        pthread_mutex_unlock(&lock);
        moment();
    }
    return (int)syscall(SYS_fdatasync, fd);
}

int rename(const char *from, const char *to)
{
    if (renames_left > 0 && strstr(from, "/tio/unfinished/") && --renames_left == 0) {
        errno = EIO;
        return -1;
    }
    moment();
    int result = renameat(AT_FDCWD, from, AT_FDCWD, to);
    moment();
    return result;
}

static void on_progress(void *context, const struct index_progress *progress)
{
    (void)context;
    if (progress->stage != INDEX_HEADERS)
        moment();
}

/* ---- what is left ---- */

/* The exit status of a build in a process of its own, which loses its power at that moment; 0: never. */
static int build(unsigned power_until)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child > 0)
        return wait_status(child);
    struct index_options options = index_options_for(data, store);
    struct index_result result;
    struct fault fault = {0};
    moments_left = power_until;
    options.progress = on_progress;
    options.memory = UINT64_C(1) << 30;
    enum status status = index_build(&options, &result, &fault);
    if (status != STATUS_OK)
        fprintf(stderr, "index: %s: %s\n", fault.path, fault.text);
    _exit(status == STATUS_OK ? 0 : 1);
}

static void assert_fresh(void)
{
    char text[65];
    assert_string_equal(index_checked(store, 1, text), fresh);
    assert_false(path_exists(path_of("%s/tio/unfinished", store)));
}

/* Whether there is an index; then it is the whole one. */
static bool is_whole(void)
{
    struct tx_index *index = NULL;
    struct fault fault = {0};
    char text[65];
    enum status status = index_open(store, &index, &fault);
    index_close(index);
    if (status != STATUS_OK && status != STATUS_NOT_FOUND && status != STATUS_REFUSED)
        fail_msg("%s: %s", fault.path, fault.text);
    if (status == STATUS_OK)
        assert_string_equal(index_checked(store, 1, text), fresh);
    return status == STATUS_OK;
}

/* Returns at how many of them the index was whole already. */
static unsigned lose_power_at_every_moment(void)
{
    unsigned none = 0, whole = 0;
    int status;
    for (unsigned i = 1; (status = build(i)) == NO_POWER; i++) {
        if (is_whole())
            whole++;
        else
            none++;
        assert_int_equal(build(0), 0);
        assert_fresh();
        remove_tree(store);
    }
    assert_int_equal(status, 0);
    assert_fresh();
    remove_tree(store);
    print_message("power lost %u times before the index was whole, %u times later\n", none, whole);
    assert_true(none > 10);
    return whole;
}

/* Temporary files in memory: there is nothing to go on from, and the disk is waited for once. */
static void test_begun_again(void **state)
{
    (void)state;
    assert_int_equal(lose_power_at_every_moment(), 1); /* when the file has its name */
}

/* Temporary files in a folder: each commit is on the disk, since the next build goes on from there. */
static void test_gone_on_from(void **state)
{
    (void)state;
    index_few_bytes = 0;
    (void)lose_power_at_every_moment();
    index_few_bytes = INDEX_FEW_BYTES;
}

/* One of the two files of a whole index is not to be had in its place: an error, and no index until the next build. */
static void test_not_renamed(void **state)
{
    (void)state;
    for (unsigned file = 1; file <= 2; file++) {
        renames_left = file;
        assert_int_equal(build(0), 1);
        renames_left = 0;
        assert_int_equal(path_exists(path_of("%s/tio/lock.mdb", store)), file == 2);
        assert_false(path_exists(path_of("%s/tio/data.mdb", store)));
        assert_false(is_whole());
        assert_int_equal(build(0), 0);
        assert_fresh();
        remove_tree(store);
    }
}

static int set_up(void **state)
{
    (void)state;
    dir = temp_dir();
    page_size = sysconf(_SC_PAGESIZE);
    snprintf(data, sizeof data, "%s/data", dir);
    snprintf(store, sizeof store, "%s/store", dir);
    make_dirs(data);
    struct gen_options chain = index_chain(data);
    struct gen *gen = gen_open(&chain);
    gen_blocks(gen, 100, 0);
    gen_close(gen);
    assert_int_equal(build(0), 0);
    index_checked(store, 1, fresh);
    remove_tree(store);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_begun_again),
        cmocka_unit_test(test_gone_on_from),
        cmocka_unit_test(test_not_renamed),
    };
    return cmocka_run_group_tests_name("a machine that loses its power", tests, set_up, remove_dir);
}
