/* Values through a window: in any order the bytes that were written, and no touch of the mapped file, which would end
 * the program where the file is cut short. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "graph/lmdb/kv.h"
#include "parser/bytes.h"
#include "tests/support/run.h"

enum { KEYS = 300, PAGE = 4096, HEADER = 16, LARGEST = 70000 };

static const char *const tables[] = {"pages"};
static const struct kv_words words = {"store", "scan"};
static struct fault fault;
static char *folder, path[300];
static struct kv *kv;
static struct kv_view *view;

/* One page mostly; beside its key; two pages; more than a window has, which it then reads on its own. */
static size_t size_of(uint32_t number)
{
    return number % 97 == 96 ? LARGEST : number % 50 == 49 ? 5000 : number % 10 == 9 ? 20 : PAGE - HEADER;
}

static void value_of(uint32_t number, uint8_t value[LARGEST])
{
    uint32_t random = number;
    for (size_t i = 0; i < size_of(number); i++) {
        random = random * 1103515245 + 12345;
        value[i] = (uint8_t)(random >> 16);
    }
}

static bool fill(struct kv_txn *txn, void *context)
{
    static uint8_t value[LARGEST];
    uint8_t key[4];
    (void)context;
    for (uint32_t i = 0; i < KEYS; i++) {
        value_of(i, value);
        store_be32(key, i);
        if (!kv_append(txn, 0, key, sizeof key, value, size_of(i)))
            return false;
    }
    return true;
}

static int set_up(void **state)
{
    (void)state;
    temp_dir_in_memory();
    folder = temp_dir();
    snprintf(path, sizeof path, "%s/data.mdb", folder);
    assert_int_equal(kv_open(folder, KV_WRITE, &words, tables, 1, fill, NULL, &kv, &fault), STATUS_OK);
    assert_int_equal(kv_view_open(kv, &view, &fault), STATUS_OK);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    kv_view_close(view);
    kv_close(kv);
    remove_tree(folder);
    free(folder);
    return 0;
}

static const uint8_t *borrow(uint32_t number)
{
    const uint8_t *value;
    uint8_t key[4];
    size_t size;
    store_be32(key, number);
    assert_int_equal(kv_get(view, 0, key, sizeof key, &value, &size, &fault), STATUS_OK);
    assert_int_equal(size, size_of(number));
    return value;
}

static enum status look(struct kv_window *window, uint32_t number, const uint8_t **copy)
{
    return kv_window_look(window, borrow(number), size_of(number), copy, &fault);
}

static void test_any_order(void **state)
{
    static const uint32_t steps[] = {1, 2, 3, 7, 31, KEYS - 1}; /* the last: backwards */
    static uint8_t expected[LARGEST];
    const uint8_t *copy;
    (void)state;
    for (size_t s = 0; s < sizeof steps / sizeof *steps; s++) {
        struct kv_window *window;
        assert_int_equal(kv_window_open(view, &window, &fault), STATUS_OK);
        for (uint32_t i = 0, at = KEYS - 1; i < KEYS; i++, at = (at + steps[s]) % KEYS) {
            value_of(at, expected);
            assert_int_equal(look(window, at, &copy), STATUS_OK);
            assert_memory_equal(copy, expected, size_of(at));
            assert_int_equal(look(window, at, &copy), STATUS_OK); /* again */
            assert_memory_equal(copy, expected, size_of(at));
        }
        kv_window_close(window);
    }
}

/* Where in the file the value stands. */
static size_t offset_of(uint32_t number)
{
    static uint8_t expected[LARGEST];
    size_t size, at = 0;
    uint8_t *bytes = (uint8_t *)read_file(path, &size);
    value_of(number, expected);
    while (at + PAGE <= size && memcmp(bytes + at + HEADER, expected, PAGE - HEADER) != 0)
        at += PAGE;
    free(bytes);
    assert_true(at + PAGE <= size);
    return at + HEADER;
}

static void test_cut_short(void **state)
{
    (void)state;
    size_t size;
    char *good = read_file(path, &size);
    const uint8_t *copy, *before = borrow(100), *cut = borrow(101), *after = borrow(102);
    const uint8_t *large = borrow(193), *large_before = borrow(96);
    struct kv_window *window;
    assert_int_equal(kv_window_open(view, &window, &fault), STATUS_OK);
    assert_int_equal(look(window, 1, &copy), STATUS_OK);
    assert_int_equal(truncate(path, (off_t)offset_of(101) + 8), 0);
    assert_int_equal(kv_window_look(window, before, size_of(100), &copy, &fault), STATUS_OK);
    assert_int_equal(kv_window_look(window, cut, size_of(101), &copy, &fault), STATUS_FORMAT);
    assert_non_null(strstr(fault.text, "cut short"));
    assert_int_equal(kv_window_look(window, after, size_of(102), &copy, &fault), STATUS_FORMAT);
    assert_int_equal(kv_window_look(window, large, size_of(193), &copy, &fault), STATUS_FORMAT);
    assert_non_null(strstr(fault.text, "cut short"));
    assert_int_equal(kv_window_look(window, large_before, size_of(96), &copy, &fault), STATUS_OK);
    assert_int_equal(kv_window_look(window, before, size_of(100), &copy, &fault), STATUS_OK);
    kv_window_close(window);
    write_file(path, good, size);
    free(good);
}

/* By the number in its page the place of all others is known. */
static void test_wrong_number(void **state)
{
    (void)state;
    size_t size, at = offset_of(5) - HEADER;
    uint8_t *bytes = (uint8_t *)read_file(path, &size);
    const uint8_t *copy;
    for (int change = -1; change <= 1; change++) {
        struct kv_window *window;
        store_le64(bytes + at, at / PAGE + (uint64_t)(int64_t)change);
        write_file(path, bytes, size);
        assert_int_equal(kv_window_open(view, &window, &fault), STATUS_OK);
        assert_int_equal(look(window, 5, &copy), change == 0 ? STATUS_OK : STATUS_FORMAT);
        kv_window_close(window);
    }
    store_le64(bytes + at, at / PAGE);
    write_file(path, bytes, size);
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_order),
        cmocka_unit_test(test_cut_short),
        cmocka_unit_test(test_wrong_number),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
