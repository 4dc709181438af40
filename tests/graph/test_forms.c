/* forms: what is kept is found again, and a file that is not whole, or cannot be written, changes nothing. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "graph/store/forms.h"
#include "parser/bytes.h"
#include "parser/mem.h"
#include "parser/sha256.h"
#include "tests/support/run.h"

static char *folder;

static int set_up(void **state)
{
    (void)state;
    folder = temp_dir();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    mem_fail_after(-1);
    remove_tree(folder);
    free(folder);
    return 0;
}

/* Key and form number i: the keys of honest use are digests. */
static void make(uint32_t i, uint8_t key[FORMS_KEY_SIZE], struct form *form)
{
    uint8_t digest[32];
    sha256((const uint8_t *)&i, sizeof i, digest);
    memcpy(key, digest, FORMS_KEY_SIZE);
    *form = (struct form){.decided = i % 3 != 0};
    if (form->decided) {
        memcpy(form->digest, digest + 16, FORMS_DIGEST_SIZE);
        form->automorphisms_log10 = i * 0.25;
    }
}

static struct forms *open_forms(void)
{
    struct forms *forms;
    assert_int_equal(forms_new(folder, &forms, NULL), STATUS_OK);
    return forms;
}

static void add(struct forms *forms, uint32_t i)
{
    uint8_t key[FORMS_KEY_SIZE];
    struct form form;
    make(i, key, &form);
    forms_add(forms, key, &form);
}

/* Is number i there? Then it must be as it was. */
static bool has(struct forms *forms, uint32_t i)
{
    uint8_t key[FORMS_KEY_SIZE];
    struct form wanted, form;
    make(i, key, &wanted);
    if (!forms_find(forms, key, &form))
        return false;
    assert_int_equal(form.decided, wanted.decided);
    assert_memory_equal(form.digest, wanted.digest, FORMS_DIGEST_SIZE);
    assert_memory_equal(&form.automorphisms_log10, &wanted.automorphisms_log10, sizeof(double));
    return true;
}

static uint32_t count_has(struct forms *forms, uint32_t begin, uint32_t end)
{
    uint32_t count = 0;
    for (uint32_t i = begin; i < end; i++)
        count += has(forms, i);
    return count;
}

/* A file with the forms begin to end - 1. */
static void keep(uint32_t begin, uint32_t end)
{
    struct forms *forms = open_forms();
    for (uint32_t i = begin; i < end; i++)
        add(forms, i);
    forms_close(forms);
}

static uint32_t count_kept(uint32_t begin, uint32_t end)
{
    struct forms *forms = open_forms();
    uint32_t count = count_has(forms, begin, end);
    forms_close(forms);
    return count;
}

static const char *file(void) { return path_of("%s/forms", folder); }

static void test_kept(void **state)
{
    (void)state;
    struct forms *forms = open_forms();
    assert_int_equal(count_has(forms, 0, 1000), 0);
    for (uint32_t i = 0; i < 500; i++)
        add(forms, i);
    add(forms, 7);
    assert_int_equal(count_has(forms, 0, 1000), 500);
    assert_false(path_exists(file()));
    forms_close(forms);
    assert_int_equal(count_kept(0, 1000), 500);
    keep(500, 600); /* those of before stay */
    assert_int_equal(count_kept(0, 1000), 600);
    forms_close(NULL);
}

/* The layout of docs/store-format.md. */
static void test_layout(void **state)
{
    (void)state;
    uint8_t wanted[16 + 2 * 48 + 32] = {'u', 'X', 'T', 'F', FORMS_VERSION, 0, 0, 0, 2};
    struct form form;
    size_t size;
    for (uint32_t i = 0; i < 2; i++) {
        uint8_t *entry = wanted + 16 + 48 * i;
        make(3 + i, entry, &form);
        memcpy(entry + 16, form.digest, 16);
        memcpy(entry + 32, &form.automorphisms_log10, 8);
        entry[40] = form.decided;
    }
    sha256(wanted, sizeof wanted - 32, wanted + sizeof wanted - 32);
    keep(3, 5);
    char *bytes = read_file(file(), &size);
    assert_int_equal(size, sizeof wanted);
    assert_memory_equal(bytes, wanted, size);
    free(bytes);
}

/* A run in which nothing is new leaves the file alone. */
static void test_nothing_new(void **state)
{
    (void)state;
    struct stat before, after;
    keep(0, 10);
    assert_int_equal(stat(file(), &before), 0);
    keep(0, 10);
    assert_int_equal(count_kept(5, 15), 5);
    assert_int_equal(stat(file(), &after), 0);
    assert_int_equal(before.st_ino, after.st_ino);
    assert_int_equal(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
}

/* Cut anywhere, or with any bit turned: as good as none, and the next who has something to keep makes it whole. */
static void test_damaged(void **state)
{
    (void)state;
    size_t size;
    keep(0, 4);
    char *bytes = read_file(file(), &size);
    for (size_t at = 0; at < size; at++) {
        write_file(file(), bytes, at);
        assert_int_equal(count_kept(0, 4), 0);
        bytes[at] ^= (char)(1 << at % 8);
        write_file(file(), bytes, size);
        assert_int_equal(count_kept(0, 4), 0);
        bytes[at] ^= (char)(1 << at % 8);
    }
    keep(8, 9);
    assert_int_equal(count_kept(0, 4), 0);
    assert_int_equal(count_kept(8, 9), 1);
    free(bytes);
}

/* With a checksum that fits: another version, more entries than bytes, a number that is none. */
static void test_other_files(void **state)
{
    (void)state;
    static const struct change {
        size_t at;
        uint8_t value;
        uint32_t found; /* of the forms 0 to 3 */
    } changes[] = {{4, FORMS_VERSION + 1, 0}, {8, 5, 0}, {8, 3, 0}, {11, 1, 0}, {0, 'v', 0}, {16 + 39, 0x7f, 3}};
    size_t size;
    keep(0, 4);
    char *good = read_file(file(), &size);
    uint8_t *bytes = malloc(size);
    assert_non_null(bytes);
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        memcpy(bytes, good, size);
        bytes[changes[i].at] = changes[i].value;
        if (changes[i].found) /* an infinity: that entry only is left out */
            bytes[16 + 38] = 0xf0;
        sha256(bytes, size - 32, bytes + size - 32);
        write_file(file(), bytes, size);
        assert_int_equal(count_kept(0, 4), changes[i].found);
    }
    free(good);
    free(bytes);
}

/* Nobody's error: no folder, something else of that name, another process that writes, a file left by a kill. */
static void test_cannot_write(void **state)
{
    (void)state;
    char *whole = folder;
    folder = strdup(path_of("%s/absent", whole));
    keep(0, 4);
    assert_int_equal(count_kept(0, 4), 0);
    free(folder);
    folder = whole;

    make_dirs(file());
    keep(0, 4);
    assert_int_equal(count_kept(0, 4), 0);
    assert_false(path_exists(path_of("%s/forms.new", folder)));
    assert_int_equal(rmdir(file()), 0);

    int fd = open(folder, O_RDONLY | O_DIRECTORY);
    assert_true(fd >= 0);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    keep(0, 4);
    assert_false(path_exists(file()));
    close(fd);

    write_file(path_of("%s/forms.new", folder), "torn", 4);
    keep(0, 4);
    assert_int_equal(count_kept(0, 4), 4);
    assert_false(path_exists(path_of("%s/forms.new", folder)));
}

/* A link is not followed, neither to read nor to write, and nobody waits for a pipe. */
static void test_no_file(void **state)
{
    (void)state;
    const char *other = path_of("%s/other", folder);
    keep(0, 4);
    assert_int_equal(rename(file(), other), 0);
    assert_int_equal(symlink("other", file()), 0);
    assert_int_equal(count_kept(0, 4), 0);
    assert_int_equal(symlink("other", path_of("%s/forms.new", folder)), 0);
    keep(4, 6);
    assert_int_equal(count_kept(0, 6), 2);
    struct stat info;
    assert_int_equal(lstat(file(), &info), 0);
    assert_true(S_ISREG(info.st_mode));
    assert_int_equal(rename(other, file()), 0);
    assert_int_equal(count_kept(0, 6), 4);
    assert_int_equal(unlink(file()), 0);
    assert_int_equal(mkfifo(file(), 0600), 0);
    assert_int_equal(count_kept(0, 4), 0);
    keep(0, 4);
    assert_int_equal(count_kept(0, 4), 4);
}

/* No more than FORMS_MAX; what this process used stays before what it did not. */
static void test_bounded(void **state)
{
    (void)state;
    struct stat info;
    keep(0, FORMS_MAX + 100);
    assert_int_equal(stat(file(), &info), 0);
    assert_int_equal(info.st_size, 16 + FORMS_MAX * 48 + 32);
    struct forms *forms = open_forms();
    assert_int_equal(count_has(forms, 100, 200), 100);
    for (uint32_t i = FORMS_MAX + 100; i < 2 * FORMS_MAX + 500; i++)
        add(forms, i);
    assert_int_equal(count_has(forms, 0, 2 * FORMS_MAX + 500), 2 * FORMS_MAX); /* counted as used: in order then */
    forms_close(forms);
    forms = open_forms();
    assert_int_equal(count_has(forms, FORMS_MAX - 100, FORMS_MAX), 100);
    for (uint32_t i = 0; i < 50; i++)
        add(forms, 3 * FORMS_MAX + i);
    forms_close(forms);
    forms = open_forms();
    assert_int_equal(count_has(forms, FORMS_MAX - 100, FORMS_MAX), 100);
    assert_int_equal(count_has(forms, 3 * FORMS_MAX, 3 * FORMS_MAX + 50), 50);
    assert_int_equal(count_has(forms, 0, 3 * FORMS_MAX + 50), FORMS_MAX);
    forms_close(forms);
}

/* A file made so that all keys want the same place: some are not found, none wrongly, and none takes long. */
static void test_colliding(void **state)
{
    (void)state;
    struct forms *forms = open_forms();
    uint32_t found = 0;
    for (uint32_t round = 0; round < 2; round++)
        for (uint32_t i = 1; i <= 1000; i++) {
            uint8_t key[FORMS_KEY_SIZE] = {0};
            struct form form = {.decided = true, .automorphisms_log10 = i};
            store_le32(key + 12, i);
            if (round == 0)
                forms_add(forms, key, &form);
            else if (forms_find(forms, key, &form))
                found++;
            assert_true(form.automorphisms_log10 <= i && form.automorphisms_log10 >= i);
        }
    assert_in_range(found, 1, 100);
    forms_close(forms);
}

static void *work(void *context)
{
    struct forms *forms = context;
    for (uint32_t i = 0; i < 2000; i++) {
        if (!has(forms, i))
            add(forms, i);
        assert_true(has(forms, i));
    }
    return NULL;
}

static void test_threads(void **state)
{
    (void)state;
    pthread_t threads[4];
    keep(1000, 1500);
    struct forms *forms = open_forms();
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, work, forms), 0);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    forms_close(forms);
    assert_int_equal(count_kept(0, 3000), 2000);
}

/* Whatever allocation fails: some are not kept, none is wrong. */
static void test_out_of_memory(void **state)
{
    (void)state;
    keep(0, 200);
    for (long allowed = 0; allowed < 60; allowed++) {
        struct forms *forms = NULL;
        mem_fail_after(allowed);
        enum status status = forms_new(folder, &forms, NULL);
        if (status == STATUS_OK) {
            count_has(forms, 0, 300);
            for (uint32_t i = 200; i < 300; i++)
                add(forms, i);
            count_has(forms, 0, 300);
        }
        forms_close(forms);
        mem_fail_after(-1);
        assert_int_equal(status, allowed < 2 ? STATUS_NOMEM : STATUS_OK);
    }
    assert_int_equal(count_kept(200, 300), 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_kept, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_layout, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_nothing_new, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_damaged, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_other_files, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_cannot_write, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_bounded, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_colliding, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_threads, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_out_of_memory, set_up, tear_down),
    };
    temp_dir_in_memory();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
