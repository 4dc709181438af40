/* unktx hidden: the same whatever memory leaves of it, by period and as of a height, and what it says where something
 * is not there. tests/hidden.sh holds what it finds against a reading in Python. */
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

#include "graph/test_hooks.h"
#include "tests/support/command.h"
#include "tests/support/dir.h"
#include "tests/support/table.h"

static int begin(void **state)
{
    make_dir(state);
    copy_bundled_chain(path_of("%s/node", dir));
    unktx_ok("index --quiet --datadir %s/node --store %s/store", dir, dir);
    unktx_ok("hidden --quiet --store %s/store -o %s/table.csv", dir, dir);
    unktx_ok("hidden --quiet --list --store %s/store -o %s/list.csv", dir, dir);
    return 0;
}

/* Ranges of so few inputs that nearly every spend is of another range than its output, and so comes from the disk. */
static void test_ranges(void **state)
{
    (void)state;
    static const uint64_t inputs[] = {1, 7, 300};
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++) {
        index_promises_range = inputs[i];
        assert_int_equal(
            command_exit("hidden --quiet --threads 2 --tmp %s --store %s/store -o %s/few.csv", dir, dir, dir), 0);
        assert_same_file(path_of("%s/few.csv", dir), path_of("%s/table.csv", dir));
        assert_int_equal(command_exit("hidden --quiet --list --threads 1 --store %s/store -o %s/few.csv", dir, dir), 0);
        assert_same_file(path_of("%s/few.csv", dir), path_of("%s/list.csv", dir));
    }
    index_promises_range = 0;
}

/* Nothing is left of the temporary files, nor can be: without a place for them it ends before the first block. */
static void test_no_place(void **state)
{
    (void)state;
    index_promises_range = 7;
    struct run run = command_run("hidden --quiet --tmp %s/nowhere --store %s/store", dir, dir);
    index_promises_range = 0;
    assert_int_equal(run.exit_status, 1);
    assert_non_null(strstr(run.err, "--tmp"));
    run_free(&run);
    assert_false(path_exists(path_of("%s/nowhere", dir)));
    run = shell("ls -d %s/unktx-hidden-* %s/store/unktx-hidden-* 2>/dev/null", dir, dir);
    assert_string_equal(run.out, "");
    run_free(&run);
}

/* Periods add up to the whole, and a period's heights are within it. */
static void test_periods(void **state)
{
    (void)state;
    static const char *const columns[] = {"spends", "value_sat", "annexes"};
    struct table whole = table_read(path_of("%s/table.csv", dir));
    assert_int_equal(command_exit("hidden --quiet --by block --store %s/store -o %s/by.csv", dir, dir), 0);
    struct table by = table_read(path_of("%s/by.csv", dir));
    assert_true(by.rows > whole.rows);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(table_sum(&by, columns[i]), table_sum(&whole, columns[i]));
    for (size_t r = 0; r < by.rows; r++) {
        assert_string_equal(table_get(&by, r, "first_height"), table_get(&by, r, "period"));
        assert_string_equal(table_get(&by, r, "last_height"), table_get(&by, r, "period"));
    }
    table_free(&by);
    table_free(&whole);
}

/* As of a height: the first rows of the list. */
static void test_to_height(void **state)
{
    (void)state;
    size_t size, whole_size;
    assert_int_equal(command_exit("hidden --quiet --list --to-height 150 --store %s/store -o %s/to.csv", dir, dir), 0);
    char *to = read_file(path_of("%s/to.csv", dir), &size),
         *whole = read_file(path_of("%s/list.csv", dir), &whole_size);
    assert_true(size < whole_size);
    assert_memory_equal(to, whole, size);
    assert_true(atoi(whole + size) > 150);
    free(to);
    free(whole);
    struct run run = command_run("hidden --to-height 100000 --store %s/store", dir);
    assert_int_equal(run.exit_status, 1);
    assert_non_null(strstr(run.err, "no block of height 100000"));
    run_free(&run);
}

static void test_kind(void **state)
{
    (void)state;
    struct table whole = table_read(path_of("%s/list.csv", dir));
    assert_int_equal(command_exit("hidden --quiet --list --kind multisig --store %s/store -o %s/kind.csv", dir, dir),
                     0);
    struct table kind = table_read(path_of("%s/kind.csv", dir));
    size_t row = 0;
    for (size_t r = 0; r < whole.rows; r++)
        if (strcmp(table_get(&whole, r, "kind"), "multisig") == 0) {
            assert_true(row < kind.rows);
            assert_string_equal(table_get(&kind, row, "script_hex"), table_get(&whole, r, "script_hex"));
            assert_string_equal(table_get(&kind, row, "txid"), table_get(&whole, r, "txid"));
            row++;
        }
    assert_int_equal(row, kind.rows);
    assert_true(row > 10);
    table_free(&kind);
    table_free(&whole);
}

/* check of a store says of the one in it what check of that one says. */
static void check_inside(void)
{
    struct run inner = command_run("check --store %s/store/hidden", dir);
    struct run outer = command_run("check --store %s/store", dir);
    const char *digest = strstr(inner.out, "\ndigest "), *unspent = strstr(inner.out, "\nunspent ");
    assert_int_equal(outer.exit_status, 0);
    assert_non_null(digest);
    assert_non_null(unspent);
    assert_non_null(strstr(outer.out, path_of("\nhidden_%.72s", digest + 1)));
    assert_non_null(strstr(outer.out, path_of("\nhidden_%.10s", unspent + 1)));
    assert_null(strstr(inner.out, "hidden_"));
    run_free(&inner);
    run_free(&outer);
}

/* The rule set hidden: a store of its own, in which those of Core are as in the other one. */
static void test_dags(void **state)
{
    (void)state;
    unktx_ok("scan --quiet --datadir %s/node --store %s/store", dir, dir);
    struct run run = command_run("dags --rules hidden --store %s/store", dir);
    assert_int_equal(run.exit_status, 1);
    assert_non_null(strstr(run.err, "unktx hidden --dags"));
    run_free(&run);
    for (unsigned threads = 1; threads <= 4; threads += 3) {
        unktx_ok("hidden --quiet --dags --threads %u --store %s/store -o %s/again.csv", threads, dir, dir);
        assert_same_file(path_of("%s/again.csv", dir), path_of("%s/table.csv", dir));
        assert_false(path_exists(path_of("%s/store/hidden.new", dir)));
        unktx_ok("dags --rules hidden --threads %u --store %s/store -o %s/dags%u", threads, dir, dir, threads);
        unktx_ok("dags --rules core-22 --no-unlocks --store %s/store/hidden -o %s/inner", dir, dir);
        unktx_ok("check --store %s/store/hidden", dir);
    }
    check_inside();
    assert_same_file(path_of("%s/dags1/tdags.csv", dir), path_of("%s/dags4/tdags.csv", dir));
    assert_same_file(path_of("%s/dags1/summary.json", dir), path_of("%s/dags4/summary.json", dir));
    unktx_ok("dags --rules core-22 --no-unlocks --store %s/store -o %s/outer", dir, dir);
    assert_same_file(path_of("%s/inner/txs.csv", dir), path_of("%s/outer/txs.csv", dir));
    assert_same_file(path_of("%s/inner/arcs.csv", dir), path_of("%s/outer/arcs.csv", dir));
    assert_same_file(path_of("%s/inner/summary.json", dir), path_of("%s/outer/summary.json", dir));
    run = command_run("dags --rules hidden --to-height 100 --store %s/store", dir);
    assert_int_equal(run.exit_status, 1);
    assert_non_null(strstr(run.err, "--to-height 100"));
    run_free(&run);
    unktx_ok("dags --rules hidden --to-height 260 --store %s/store -o %s/same", dir, dir);
    assert_same_file(path_of("%s/same/tdags.csv", dir), path_of("%s/dags1/tdags.csv", dir));
    run = command_run("keys --rules hidden --store %s/store", dir);
    assert_int_equal(run.exit_status, 2);
    run_free(&run);
}

static void expect_said(int exit_status, const char *why, const char *line)
{
    struct run run = command_run("%s", line);
    assert_int_equal(run.exit_status, exit_status);
    if (!strstr(run.err, why))
        fail_msg("no '%s' in: %s", why, run.err);
    if (exit_status != 0)
        assert_string_equal(run.out, "");
    run_free(&run);
}

/* What it did not make is neither followed nor removed; test_dags has made the store. */
static void test_in_the_way(void **state)
{
    (void)state;
    const char *kept = path_of("%s/store/hidden/notes.txt", dir), *link = path_of("%s/store/hidden.new", dir);
    write_file(kept, "mine", 4);
    expect_said(1, "holds 'notes.txt'", path_of("hidden --dags --store %s/store", dir));
    assert_true(path_exists(kept));
    assert_true(path_exists(path_of("%s/store/hidden/data.mdb", dir)));
    assert_false(path_exists(link));
    assert_int_equal(symlink(path_of("%s/store/hidden", dir), link), 0);
    assert_int_equal(unlink(kept), 0);
    expect_said(1, "is in the way", path_of("hidden --dags --store %s/store", dir));
    assert_true(path_exists(path_of("%s/store/hidden/data.mdb", dir)));
    assert_int_equal(unlink(link), 0);
    /* what may be one that waited takes its name only if it is one */
    const char *folder = path_of("%s/store/hidden", dir), *old = path_of("%s/store/hidden.old", dir);
    assert_int_equal(rename(folder, old), 0);
    write_file(path_of("%s/notes.txt", old), "mine", 4);
    expect_said(1, "hidden.old: holds 'notes.txt'", path_of("hidden --dags --store %s/store", dir));
    assert_false(path_exists(folder));
    assert_int_equal(unlink(path_of("%s/notes.txt", old)), 0);
    assert_int_equal(rename(old, folder), 0);
}

/* One at a time: what another process is making is neither removed nor written into. */
static void test_locked(void **state)
{
    (void)state;
    const char *folder = path_of("%s/store/hidden.new", dir), *file = path_of("%s/store/hidden.new/marks", dir);
    assert_int_equal(mkdir(folder, 0777), 0);
    write_file(file, "mine", 4);
    int fd = open(folder, O_RDONLY | O_DIRECTORY);
    assert_true(fd >= 0);
    assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
    expect_said(1, "another 'unktx hidden --dags'", path_of("hidden --dags --store %s/store", dir));
    assert_true(path_exists(file));
    close(fd); /* what is left of a process that was killed */
    unktx_ok("hidden --quiet --dags --store %s/store -o %s/again.csv", dir, dir);
    assert_false(path_exists(folder));
}

/* Only a store that was made with marks, of the same chain. */
static void test_other_store(void **state)
{
    (void)state;
    unktx_ok("hidden --quiet --dags --to-height 200 --store %s/store -o %s/again.csv", dir, dir);
    expect_said(0, "the store has block 260, its rule set hidden block 200",
                path_of("dags --rules hidden --store %s/store", dir));
    unktx_ok("dags --rules hidden --to-height 200 --store %s/store", dir);
    unktx_ok("scan --quiet --datadir %s/node --store %s/store/hidden", dir, dir);
    expect_said(1, "is not a store as", path_of("dags --rules hidden --store %s/store", dir));
    expect_said(0, "is not a store as", path_of("check --store %s/store", dir));
    write_file(path_of("%s/store/hidden/data.mdb", dir), "none", 4);
    expect_said(1, "this is not an unktx store, or one cut short: delete it and run 'unktx hidden --dags' again",
                path_of("dags --rules hidden --store %s/store", dir));
    assert_int_equal(unlink(path_of("%s/store/hidden/data.mdb", dir)), 0);
    expect_said(1, "store/hidden: has no data.mdb", path_of("dags --rules hidden --store %s/store", dir));
    struct run run = command_run("check --store %s/store", dir);
    assert_int_equal(run.exit_status, 1);
    assert_non_null(strstr(run.err, "store/hidden: has no data.mdb"));
    run_free(&run);
    /* a plain store in its place, of the same blocks: its note is that of the other one */
    unktx_ok("scan --quiet --to-height 200 --datadir %s/node --store %s/store/hidden", dir, dir);
    expect_said(1, "is not a store as", path_of("dags --rules hidden --store %s/store", dir));
    expect_said(0, "is not a store as", path_of("check --store %s/store", dir));
    remove_tree(path_of("%s/store/hidden", dir));
    unktx_ok("scan --quiet --from-height 100 --datadir %s/node --store %s/store/hidden", dir, dir);
    expect_said(1, "is partial", path_of("dags --rules hidden --store %s/store", dir));
    expect_said(1, "the folder is not replaced", path_of("hidden --dags --store %s/store", dir));
    assert_true(path_exists(path_of("%s/store/hidden/data.mdb", dir)));
    remove_tree(path_of("%s/store/hidden", dir));
    unktx_ok("scan --quiet --from-height 100 --datadir %s/node --store %s/part", dir, dir);
    expect_said(1, "the store is partial", path_of("dags --rules hidden --store %s/part", dir));
    expect_said(1, "the store is partial", path_of("hidden --store %s/part", dir));
    expect_said(2, "--by total only", path_of("hidden --list --by month --store %s/store", dir));
}

static void refused(const char *store, const char *why)
{
    struct run run = command_run("hidden --quiet --store %s/%s -o %s/none.csv", dir, store, dir);
    assert_int_equal(run.exit_status, 1);
    if (!strstr(run.err, why))
        fail_msg("no '%s' in: %s", why, run.err);
    run_free(&run);
    assert_false(path_exists(path_of("%s/none.csv", dir)));
}

/* Flips a bit of the last place that has these bytes; false if there is none. */
static bool flip_last(const char *path, const uint8_t *what, size_t what_size)
{
    size_t size;
    char *bytes = read_file(path, &size);
    size_t at = size - what_size, key_size;
    char *key = read_file(path_of("%s/node/regtest/blocks/xor.dat", dir), &key_size), *plain = malloc(size);
    assert_true(plain && key_size == 8);
    for (size_t i = 0; i < size; i++)
        plain[i] = (char)(bytes[i] ^ key[i % 8]);
    free(key);
    while (at > 0 && memcmp(plain + at, what, what_size) != 0)
        at--;
    free(plain);
    bytes[at + what_size / 2] ^= at > 0;
    write_file(path, bytes, size);
    free(bytes);
    return at > 0;
}

/* The bytes of the last witness script of the list. */
static size_t last_witness_script(uint8_t *script, size_t room)
{
    size_t size, count = 0;
    char *rows = read_file(path_of("%s/list.csv", dir), &size);
    char *found = NULL;
    rows[size - 1] = '\0';
    for (char *row = strtok(rows, "\n"); row; row = strtok(NULL, "\n"))
        if (strstr(row, ",p2wsh,") && strlen(strrchr(row, ',') + 1) >= 64)
            found = strrchr(row, ',') + 1;
    assert_non_null(found);
    for (; found[2 * count] && count < room; count++) {
        unsigned byte;
        assert_int_equal(sscanf(found + 2 * count, "%2x", &byte), 1);
        script[count] = (uint8_t)byte;
    }
    free(rows);
    return count;
}

/* A witness that changed after the index was made is in no txid: the block's commitment tells. */
static void test_changed_witness(void **state)
{
    (void)state;
    uint8_t script[4096];
    unktx_ok("hidden --quiet --list --store %s/store -o %s/list.csv", dir, dir);
    size_t size = last_witness_script(script, sizeof script);
    char file[4096];
    bool found = false;
    for (unsigned i = 21; i-- > 0 && !found;) {
        snprintf(file, sizeof file, "%s/node/regtest/blocks/blk%05u.dat", dir, i);
        found = flip_last(file, script, size);
    }
    assert_true(found);
    struct run run = command_run("hidden --dags --store %s/store -o %s/changed.csv", dir, dir);
    assert_int_equal(run.exit_status, 3);
    assert_non_null(strstr(run.err, "the witnesses are not those that the block commits to"));
    assert_non_null(strstr(run.err, "blocks whose witnesses have changed: 1; the store of --dags is not made"));
    assert_false(path_exists(path_of("%s/store/hidden.new", dir)));
    run_free(&run);
    script[size / 2] ^= 1;
    assert_true(flip_last(file, script, size));
    unktx_ok("hidden --quiet --list --store %s/store -o %s/changed.csv", dir, dir);
    assert_same_file(path_of("%s/changed.csv", dir), path_of("%s/list.csv", dir));
}

/* No index; other bytes; a file that is gone: no table of a part. */
static void test_not_there(void **state)
{
    (void)state;
    size_t size;
    unktx_ok("scan --quiet --datadir %s/node --store %s/bare", dir, dir);
    refused("bare", "there is no index here");
    expect_said(1, "there is no index here", path_of("hidden --store %s/bare", dir));
    const char *first = path_of("%s/node/regtest/blocks/blk00000.dat", dir);
    char *bytes = read_file(first, &size);
    bytes[8 + 80 + 60] ^= 1; /* in the coinbase's scriptSig: the header stays as it is */
    write_file(first, bytes, size);
    refused("store", "blk00000.dat: at byte 8: block 0 is not what the index has");
    bytes[8 + 80 + 60] ^= 1;
    write_file(first, bytes, size);
    free(bytes);
    const char *file = path_of("%s/node/regtest/blocks/blk00001.dat", dir);
    bytes = read_file(file, &size);
    memset(bytes, 0x55, size);
    write_file(file, bytes, size);
    refused("store", "is not what the index has");
    free(bytes);
    assert_int_equal(unlink(file), 0);
    refused("store", "has no blk00001.dat any more");
    refused("store", "run unktx index again with their --datadir");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ranges),          cmocka_unit_test(test_no_place),  cmocka_unit_test(test_periods),
        cmocka_unit_test(test_to_height),       cmocka_unit_test(test_kind),      cmocka_unit_test(test_dags),
        cmocka_unit_test(test_in_the_way),      cmocka_unit_test(test_locked),    cmocka_unit_test(test_other_store),
        cmocka_unit_test(test_changed_witness), cmocka_unit_test(test_not_there),
    };
    return cmocka_run_group_tests(tests, begin, remove_dir);
}
