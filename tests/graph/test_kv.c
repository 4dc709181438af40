/* Tables in a damaged file: whether pages are looked at on opening or on the way to a key, what comes of it is pairs
 * inside the file or STATUS_FORMAT with the way out, never a crash: values have their checksums above this. Every field
 * by which LMDB finds its way is damaged in every page. */
#define _GNU_SOURCE /* syscall */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "graph/lmdb/kv.h"
#include "graph/test_hooks.h"
#include "parser/bytes.h"
#include "tests/support/plan.h"
#include "tests/support/run.h"
#include "tests/support/stores.h"

/* Leaves of short keys, and of a few long ones under two levels of branches; each tenth value has its own pages. */
enum { TABLES = 2, KEYS = 60, LONG_KEY = 500, LONG_VALUE = 5000 };

static const char *const tables[TABLES] = {"short", "long"};
static const struct kv_words words = {"store", "scan"};
static struct fault fault;
static char *folder, path[300];

static size_t key_of(unsigned table, uint32_t number, uint8_t key[LONG_KEY])
{
    size_t size = table ? LONG_KEY : 4;
    memset(key, 'k', size);
    store_be32(key, number);
    return size;
}

static size_t value_size_of(uint32_t number) { return number % 10 ? number % 30 : LONG_VALUE; }

static bool fill(struct kv_txn *txn, void *context)
{
    static uint8_t value[LONG_VALUE];
    uint8_t key[LONG_KEY];
    (void)context;
    for (unsigned table = 0; table < TABLES; table++)
        for (uint32_t i = 0; i < KEYS; i++) {
            memset(value, (int)i, sizeof value);
            if (!kv_append(txn, table, key, key_of(table, 2 * i, key), value, value_size_of(i)))
                return false;
        }
    return true;
}

/* Something of each way to write, all over the tables. */
static bool change(struct kv_txn *txn, void *context)
{
    uint8_t key[LONG_KEY];
    (void)context;
    for (unsigned table = 0; table < TABLES; table++) {
        for (uint32_t i = 0; i < KEYS; i += 7)
            if (!kv_delete(txn, table, key, key_of(table, 2 * i, key)) ||
                !kv_put(txn, table, key, key_of(table, 2 * i + 1, key), "new", 3))
                return false;
        if (!kv_append(txn, table, key, key_of(table, 2 * KEYS, key), "last", 4) ||
            !kv_delete_from(txn, table, key, key_of(table, KEYS, key)))
            return false;
    }
    return kv_clear(txn, 0);
}

static int set_up(void **state)
{
    struct kv *kv;
    (void)state;
    temp_dir_in_memory();
    kv_map_step((size_t)1 << 20);
    folder = temp_dir();
    snprintf(path, sizeof path, "%s/data.mdb", folder);
    assert_int_equal(kv_open(folder, KV_WRITE, &words, tables, TABLES, fill, NULL, &kv, &fault), STATUS_OK);
    kv_close(kv);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    kv_open_leaves(UINT64_MAX);
    remove_tree(folder);
    free(folder);
    return 0;
}

static bool fine(enum status status)
{
    if (status != STATUS_OK && status != STATUS_NOT_FOUND && status != STATUS_FORMAT)
        fail_msg("status %d: %s", (int)status, fault.text);
    if (status == STATUS_FORMAT && !strstr(fault.text, "and run 'unktx scan' again") &&
        !strstr(fault.text, "this is not an unktx store"))
        fail_msg("no way out: %s", fault.text);
    return status == STATUS_OK;
}

/* So that a pair that reaches out of the file is noticed. */
static unsigned take(const struct kv_pair *pair)
{
    volatile uint8_t sum = 0;
    if (pair->key_size > 0)
        sum = pair->key[0] + pair->key[pair->key_size - 1];
    if (pair->value_size > 0)
        sum = pair->value[0] + pair->value[pair->value_size - 1];
    (void)sum;
    return 1;
}

static unsigned read_all(struct kv_view *view, unsigned table)
{
    struct kv_cursor *cursor;
    struct kv_pair pair;
    unsigned seen = 0;
    if (!fine(kv_cursor_open(view, table, &cursor, &fault)))
        return 0;
    while (fine(kv_next(cursor, &pair, &fault)))
        seen += take(&pair);
    kv_cursor_close(cursor);
    return seen;
}

/* By key, forth and back. */
static unsigned read_some(struct kv_view *view, unsigned table)
{
    struct kv_cursor *cursor;
    struct kv_pair pair;
    uint8_t key[LONG_KEY];
    unsigned seen = 0;
    if (!fine(kv_cursor_open(view, table, &cursor, &fault)))
        return 0;
    for (uint32_t i = 0; i < KEYS; i++) {
        uint32_t number = i * 7 % KEYS;
        size_t size = key_of(table, 2 * number, key);
        if (fine(kv_get(view, table, key, size, &pair.value, &pair.value_size, &fault))) {
            pair.key_size = 0;
            seen += take(&pair);
        }
        size = key_of(table, 2 * number + 1, key);
        if (fine(kv_floor(cursor, key, size, &pair, &fault)) && take(&pair) && fine(kv_next(cursor, &pair, &fault)))
            seen += take(&pair);
    }
    kv_cursor_close(cursor);
    return seen;
}

/* What can be read of the file, then changed; how many pairs were seen. */
static unsigned use(bool change_it)
{
    struct kv *kv;
    struct kv_view *view;
    unsigned seen = 0;
    if (!fine(kv_open(folder, change_it ? KV_WRITE : KV_READ, &words, tables, TABLES, fill, NULL, &kv, &fault)))
        return 0;
    if (fine(kv_view_open(kv, &view, &fault))) {
        for (unsigned table = 0; table < TABLES; table++)
            seen += read_all(view, table) + read_some(view, table);
        kv_view_close(view);
    }
    if (change_it)
        (void)fine(kv_write(kv, 0, change, NULL, &fault));
    kv_close(kv);
    return seen;
}

static const unsigned whole = TABLES * (KEYS + KEYS + KEYS - 1);

/* Marks of the page, the first offsets of nodes, and of the nodes after two of them size, flags and key size. */
static size_t fields_of(const uint8_t *page, size_t page_size, size_t fields[32])
{
    static const size_t marks[] = {0, 4, 10, 12, 14, 16, 18, 20};
    size_t count = sizeof marks / sizeof *marks, nodes = (load_le16(page + 12) - 16u) / 2;
    memcpy(fields, marks, sizeof marks);
    for (size_t n = 0; n < 2 && (load_le16(page + 10) & 3) && nodes > 0 && nodes < page_size / 2; n++) {
        size_t at = load_le16(page + 16 + 2 * (n ? nodes - 1 : 0));
        for (size_t f = 0; f <= 16 && at + f + 2 <= page_size; f += 2)
            fields[count++] = at + f;
    }
    return count;
}

static void use_damaged(bool on_the_way)
{
    static const uint16_t numbers[] = {0, 1, 0x7fff, 0xfffe}; /* two of them for each field */
    size_t size, fields[32];
    uint8_t *good = (uint8_t *)read_file(path, &size), *bytes = must_alloc(size, 1);
    size_t page_size = store_page_size(path);
    unsigned told = 0, tried = 0;
    kv_open_leaves(on_the_way ? 0 : UINT64_MAX);
    assert_int_equal(use(false), whole);
    for (size_t page = 0; page < size; page += page_size) {
        size_t count = fields_of(good + page, page_size, fields);
        for (size_t i = 0; i < count * 2; i++) {
            memcpy(bytes, good, size);
            store_le16(bytes + page + fields[i / 2], numbers[(page / page_size + i / 2 + 2 * i) % 4]);
            write_file(path, bytes, size);
            told += use(false) < whole, tried++;
            (void)use(true);
        }
    }
    print_message("%u of %u changes noticed\n", told, tried);
    assert_true(told > tried / 4);
    write_file(path, good, size);
    assert_int_equal(use(false), whole);
    free(bytes);
    free(good);
}

static void test_looked_at_on_opening(void **state)
{
    (void)state;
    use_damaged(false);
}

static void test_looked_at_on_the_way(void **state)
{
    (void)state;
    use_damaged(true);
}

/* LMDB compares all 32 bits of the data version in both meta pages (mdb_env_read_header). */
static void test_other_data_version(void **state)
{
    (void)state;
    static const uint32_t versions[] = {0, 2, 0x10001, 0x80000001};
    size_t size;
    uint8_t *bytes = (uint8_t *)read_file(path, &size);
    for (size_t i = 0; i < 2 * sizeof versions / sizeof *versions; i++) {
        uint8_t *version = bytes + i % 2 * store_page_size(path) +
                           20; /* after a page's header of 16 bytes: magic, version */
        assert_int_equal(load_le32(version), 1);
        store_le32(version, versions[i / 2]);
        write_file(path, bytes, size);
        store_le32(version, 1);
        for (enum kv_mode mode = KV_READ; mode <= KV_WRITE; mode++) {
            struct kv *kv;
            assert_int_equal(kv_open(folder, mode, &words, tables, TABLES, fill, NULL, &kv, &fault), STATUS_FORMAT);
            assert_non_null(strstr(fault.text, "another format: delete the store and run 'unktx scan' again"));
        }
    }
    write_file(path, bytes, size);
    free(bytes);
}

/* ---- what is not finished ---- */

static bool disk_fails;

/* In place of that of libc. */
int fdatasync(int fd)
{
    if (!disk_fails)
        return (int)syscall(SYS_fdatasync, fd);
    errno = EIO;
    return -1;
}

static enum status open_new(const char *at)
{
    struct kv *kv;
    enum status status = kv_open(at, KV_NEW, &words, tables, TABLES, fill, NULL, &kv, &fault);
    kv_close(kv);
    return status;
}

/* Nothing is deleted that kv has not made, whatever has the name "unfinished": the fault says what that is. */
static void test_something_else_unfinished(void **state)
{
    (void)state;
    char at[300], name[320], other[300];
    snprintf(at, sizeof at, "%s/new", folder);
    snprintf(name, sizeof name, "%s/unfinished", at);
    snprintf(other, sizeof other, "%s/other", folder);
    make_dirs(at);
    make_dirs(other);
    write_file(path_of("%s/data.mdb", other), "mine", 4);
    write_file(path_of("%s/lock.mdb", other), "mine", 4);

    assert_int_equal(symlink(other, name), 0);
    assert_int_equal(open_new(at), STATUS_FORMAT);
    assert_string_equal(fault.path, name);
    assert_non_null(strstr(fault.text, "there is a link: move it away"));
    assert_true(path_exists(path_of("%s/data.mdb", other)) && path_exists(path_of("%s/lock.mdb", other)));
    assert_int_equal(unlink(name), 0);

    write_file(name, "mine", 4);
    assert_int_equal(open_new(at), STATUS_FORMAT);
    assert_non_null(strstr(fault.text, "there is a file: move it away"));
    assert_int_equal(unlink(name), 0); /* it is still there */

    make_dirs(name);
    write_file(path_of("%s/mine", name), "mine", 4);
    assert_int_equal(open_new(at), STATUS_FORMAT);
    assert_non_null(strstr(fault.text, "there is a folder with something else in it: move it away"));
    assert_int_equal(unlink(path_of("%s/mine", name)), 0);

    write_file(path_of("%s/data.mdb", name), "left", 4); /* as a process left it that was killed */
    assert_int_equal(open_new(at), STATUS_OK);
    assert_false(path_exists(name));
}

/* What another user left is told by the permission. */
static void test_unfinished_of_another(void **state)
{
    (void)state;
    char at[300], name[320];
    snprintf(at, sizeof at, "%s/others", folder);
    snprintf(name, sizeof name, "%s/unfinished", at);
    make_dirs(name);
    write_file(path_of("%s/data.mdb", name), "left", 4);
    assert_int_equal(chmod(folder, 0777) | chmod(at, 0777) | chmod(name, 0555), 0);
    bool root = geteuid() == 0;
    assert_int_equal(root ? seteuid(65534) : 0, 0);
    enum status status = open_new(at);
    assert_int_equal(root ? seteuid(0) : 0, 0);
    assert_int_equal(status, STATUS_IO);
    assert_string_equal(fault.path, name);
    assert_non_null(strstr(fault.text, "cannot be deleted: Permission denied"));
    assert_int_equal(chmod(name, 0755), 0);
}

static bool put(struct kv_txn *txn, void *context)
{
    (void)context;
    return kv_put(txn, 0, "key", 3, "value", 5);
}

/* An error of the disk ends the writes, not only kv_finish; nothing is kept, and the text says so. */
static void test_disk_that_fails(void **state)
{
    (void)state;
    char at[300];
    struct kv *kv;
    enum status status = STATUS_OK;
    snprintf(at, sizeof at, "%s/failing", folder);
    assert_int_equal(kv_open(at, KV_NEW, &words, tables, TABLES, fill, NULL, &kv, &fault), STATUS_OK);
    disk_fails = true;
    for (unsigned i = 0; i < 60000 && status == STATUS_OK; i++) { /* the first that finds the thread at its end */
        status = kv_write(kv, 5, put, NULL, &fault);
        usleep(1000);
    }
    disk_fails = false;
    assert_int_equal(status, STATUS_IO);
    assert_non_null(strstr(fault.text, "or damaged"));
    assert_non_null(strstr(fault.text, "nothing is kept of what is not finished"));
    assert_int_equal(kv_write(kv, 5, put, NULL, &fault), STATUS_IO);
    assert_int_equal(kv_finish(kv, &fault), STATUS_IO);
    kv_close(kv);
    assert_false(path_exists(path_of("%s/unfinished", at)) || path_exists(path_of("%s/data.mdb", at)));
}

/* ---- others at the same time ---- */

static atomic_bool let_go;

static void *let_go_later(void *fd)
{
    usleep(100000);
    atomic_store(&let_go, true);
    assert_int_equal(close(*(int *)fd), 0);
    return NULL;
}

static bool counted;
static unsigned pauses;

/* In place of that of libc: a wait that is counted takes no time. */
int nanosleep(const struct timespec *time, struct timespec *left)
{
    pauses += counted;
    errno = counted ? 0 : clock_nanosleep(CLOCK_REALTIME, 0, time, left);
    return errno == 0 ? 0 : -1;
}

/* As if another process were opening it or closing it: LMDB's mutexes may be none then. */
static void begin_elsewhere(const char *at, int *fd, pthread_t *thread)
{
    atomic_store(&let_go, false);
    *fd = open(path_of("%s/data.mdb", at), O_RDONLY);
    assert_true(*fd >= 0);
    assert_int_equal(flock(*fd, LOCK_EX), 0);
    assert_int_equal(pthread_create(thread, NULL, let_go_later, fd), 0);
}

static void test_opened_and_closed_one_by_one(void **state)
{
    (void)state;
    int fd;
    char at[300], moved[300];
    pthread_t thread;
    struct kv *kv;
    snprintf(at, sizeof at, "%s/in-turn", folder);
    assert_int_equal(kv_open(at, KV_WRITE, &words, tables, TABLES, fill, NULL, &kv, &fault), STATUS_OK);
    kv_close(kv);
    begin_elsewhere(at, &fd, &thread);
    assert_int_equal(kv_open(at, KV_READ, &words, tables, TABLES, NULL, NULL, &kv, &fault), STATUS_OK);
    assert_true(atomic_load(&let_go));
    pthread_join(thread, NULL);
    snprintf(moved, sizeof moved, "%s/moved", folder); /* as hidden --dags does with its new folder */
    assert_int_equal(rename(at, moved), 0);
    begin_elsewhere(moved, &fd, &thread);
    kv_close(kv);
    assert_true(atomic_load(&let_go));
    pthread_join(thread, NULL);
}

/* Another program has the lock and keeps it: a process waits for it once, and not at each opening and closing. */
static void test_lock_that_is_not_let_go(void **state)
{
    (void)state;
    char at[300];
    struct kv *kv;
    snprintf(at, sizeof at, "%s/held", folder);
    assert_int_equal(kv_open(at, KV_WRITE, &words, tables, TABLES, fill, NULL, &kv, &fault), STATUS_OK);
    kv_close(kv);
    int fd = open(path_of("%s/data.mdb", at), O_RDONLY);
    assert_true(fd >= 0);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    counted = true;
    for (unsigned i = 0, first = 0; i < 3; i++) {
        assert_int_equal(kv_open(at, KV_READ, &words, tables, TABLES, NULL, NULL, &kv, &fault), STATUS_OK);
        kv_close(kv);
        assert_true(pauses > 0);
        first = i == 0 ? pauses : first;
        assert_int_equal(pauses, first);
    }
    counted = false;
    assert_in_range(pauses, 1, 2000); /* milliseconds */
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_looked_at_on_opening),
        cmocka_unit_test(test_looked_at_on_the_way),
        cmocka_unit_test(test_other_data_version),
        cmocka_unit_test(test_something_else_unfinished),
        cmocka_unit_test(test_unfinished_of_another),
        cmocka_unit_test(test_disk_that_fails),
        cmocka_unit_test(test_opened_and_closed_one_by_one),
        cmocka_unit_test(test_lock_that_is_not_let_go), /* after it, no test here waits any more */
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
