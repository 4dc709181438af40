/* `unktx dump -o DIR --resume`: a dump that goes on is the same as one made at once, after new blocks and after
 * reorganisations, and writes no file whose bytes would be the same. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/dump_files.h"
#include "tests/support/run.h"

/* After --resume: as a fresh dump, and a file was written again exactly if its bytes are others. How many were not. */
static size_t resume(const char *more)
{
    struct seen *before;
    struct stat st;
    size_t count = look("parts", &before), size, untouched = 0;
    dump_ok("parts", path_of("--resume %s", more));
    dump_ok("fresh", more);
    assert_same_folders("parts", "fresh");
    assert_manifest("parts");
    for (size_t i = 0; i < count; i++) {
        char *now = read_file(before[i].path, &size);
        bool same = now && size == before[i].bytes.size && memcmp(now, before[i].bytes.at, size) == 0;
        if (now) {
            assert_int_equal(stat(before[i].path, &st), 0);
            bool left = st.st_ino == before[i].st.st_ino && st.st_mtim.tv_sec == before[i].st.st_mtim.tv_sec &&
                        st.st_mtim.tv_nsec == before[i].st.st_mtim.tv_nsec;
            if (left != same)
                fail_msg("%s was %s, but its bytes are %s", before[i].path, left ? "left" : "written",
                         same ? "the same" : "others");
            untouched += left;
        }
        free(now);
        free(before[i].bytes.at);
    }
    free(before);
    remove_tree(in_dir("fresh"));
    return untouched;
}

static uint32_t height_now(void)
{
    struct run run = unktx_expect(0, "dump blocks --store %s/store", dump_dir);
    const char *last = run.out;
    for (const char *at = run.out; *at; at = strchr(at, '\n') + 1)
        last = at;
    uint32_t height = (uint32_t)atoi(last);
    run_free(&run);
    return height;
}

static void go_on(const char *more)
{
    dump_ok("parts", more);
    size_t files = 0;
    struct seen *seen;
    assert_true(resume(more) > 20); /* nothing has come */
    grow(UINT32_MAX, 3);
    assert_true(resume(more) > 10);
    grow(UINT32_MAX, 40);
    assert_true(resume(more) > 5);
    grow(height_now() - 4, 6);
    assert_true(resume(more) > 5);
    grow(height_now() - 60, 61); /* the new branch has but one block more */
    assert_true(resume(more) > 2);
    files = look("parts", &seen);
    assert_int_equal(unlink(seen[files / 2].path), 0); /* somebody took one away */
    write_file(seen[files - 1].path, "cut", 3);
    for (size_t i = 0; i < files; i++)
        free(seen[i].bytes.at);
    free(seen);
    dump_ok("parts", path_of("--resume %s", more));
    dump_ok("fresh", more);
    assert_same_folders("parts", "fresh");
    remove_tree(in_dir("fresh"));
    remove_tree(in_dir("parts"));
}

static void test_resume_by_blocks(void **state)
{
    (void)state;
    go_on("--blocks-per-file 12");
}

static void test_resume_by_rows(void **state)
{
    (void)state;
    go_on("--rows-per-file 200 --compress none");
}

/* A dump of fewer blocks is one of a chain that lost some. */
static void test_resume_to_height(void **state)
{
    (void)state;
    dump_ok("parts", "--rows-per-file 150");
    (void)resume("--rows-per-file 150 --to-height 50");
    (void)resume("--rows-per-file 150 --to-height 70");
    (void)resume("--rows-per-file 150");
    remove_tree(in_dir("parts"));
}

/* Writes KIND and then `times` times UNIT for each hash that the manifest has. */
static void replace_hashes(const char *path, const char *kind, const char *unit, unsigned times)
{
    static const char key[] = "\"hash\": \"";
    size_t size, replaced = 0;
    char *text = read_file(path, &size);
    assert_non_null(text);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    const char *at = text;
    for (const char *hash; (hash = strstr(at, key)) != NULL; replaced++) {
        hash += sizeof key - 1;
        fprintf(out, "%.*s%s", (int)(hash - at), at, kind);
        for (unsigned i = 0; i < times; i++)
            fputs(unit, out);
        at = strchr(hash, '"');
    }
    fputs(at, out);
    assert_int_equal(fclose(out), 0);
    assert_true(replaced > 10);
    free(text);
}

/* A hash that none can be is no reason to keep a file, and nothing of it comes into the new manifest. */
static void test_resume_bad_hash(void **state)
{
    (void)state;
    static const struct {
        const char *kind;
        const char *unit;
        unsigned times;
    } bad[] = {{"sha256:", "\\\"", 64}, {"sha256:", "g", 64}, {"sha256:", "A", 64}, {"sha256:", "a", 63},
               {"sha256:", "a", 65},    {"sha512:", "a", 64}, {"", "a", 71},        {"", "", 0}};
    char manifest[512];
    snprintf(manifest, sizeof manifest, "%s", in_dir("parts/datapackage.json"));
    dump_ok("fresh", "--blocks-per-file 30");
    dump_ok("parts", "--blocks-per-file 30");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        replace_hashes(manifest, bad[i].kind, bad[i].unit, bad[i].times);
        dump_ok("parts", "--blocks-per-file 30 --resume");
        assert_same_folders("parts", "fresh");
    }
    remove_tree(in_dir("parts"));
    remove_tree(in_dir("fresh"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_resume_by_blocks),
        cmocka_unit_test(test_resume_by_rows),
        cmocka_unit_test(test_resume_to_height),
        cmocka_unit_test(test_resume_bad_hash),
    };
    return cmocka_run_group_tests(tests, dump_set_up, dump_tear_down);
}
