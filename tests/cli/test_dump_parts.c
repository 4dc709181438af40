/* `unktx dump -o DIR`: the files of a folder are the stream cut into pieces, whatever the threads; each is whole or not
 * there, however the dump ends; and nothing else is written over. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/dump_files.h"
#include "tests/support/run.h"
#include "tests/support/trouble.h"

static void assert_joined_is_stream(const char *folder, const char *more)
{
    for (size_t t = 0; t < DUMP_NAMES; t++) {
        struct run stream = unktx_expect(0, "dump %s --store %s/store %s", dump_names[t], dump_dir, more);
        struct bytes all = joined(folder, dump_names[t]);
        assert_int_equal(all.size, stream.out_size);
        assert_memory_equal(all.at, stream.out, all.size);
        free(all.at);
        run_free(&stream);
    }
}

static void test_pieces_of_the_stream(void **state)
{
    (void)state;
    static const char *const ways[] = {
        "--rows-per-file 1 --compress none",
        "--rows-per-file 37 --compress zstd",
        "--rows-per-file 500 --compress none",
        "--rows-per-file 100000000",
        "--blocks-per-file 1",
        "--blocks-per-file 13 --compress none",
        "--blocks-per-file 30 --compress zstd",
        "",
    };
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        dump_ok("one", path_of("--threads 1 %s", ways[i]));
        dump_ok("four", path_of("--threads 4 %s", ways[i]));
        assert_same_folders("one", "four");
        assert_joined_is_stream("one", "");
        assert_manifest("one");
        remove_tree(in_dir("one"));
        remove_tree(in_dir("four"));
    }
}

static void test_names(void **state)
{
    (void)state;
    dump_ok("all", "");
    assert_true(path_exists(in_dir("all/outputs/height=000000-009999/part.csv.zst")));
    assert_true(path_exists(in_dir("all/blocks/height=000000-009999/part.csv.zst")));
    dump_ok("cut", "--blocks-per-file 20 --compress none --from-height 33 --to-height 61");
    assert_true(path_exists(in_dir("cut/txs/height=000020-000039/part.csv")));
    assert_true(path_exists(in_dir("cut/txs/height=000060-000079/part.csv")));
    assert_false(path_exists(in_dir("cut/txs/height=000080-000099/part.csv")));
    assert_joined_is_stream("cut", "--from-height 33 --to-height 61");
    unktx_ok("dump blocks --store %s/store -o %s/single/ --rows-per-file 40 --compress none", dump_dir, dump_dir);
    assert_true(path_exists(in_dir("single/blocks/height=000000-000039/part.csv")));
    assert_false(path_exists(in_dir("single/txs")));
    remove_tree(in_dir("all"));
    remove_tree(in_dir("cut"));
    remove_tree(in_dir("single"));
}

/* No file has more rows than asked for unless it is one block's, and none could have the first block of the next. */
static void test_balance(void **state)
{
    (void)state;
    enum { ROWS = 300 };
    dump_ok("even", "--compress none --rows-per-file 300");
    for (size_t t = 0; t < DUMP_NAMES; t++) {
        glob_t files = files_of("even", dump_names[t]);
        size_t before = 0;
        for (size_t i = 0; i < files.gl_pathc; i++) {
            struct run run = shell("tail -n +2 %s | cut -d, -f1 | uniq -c", files.gl_pathv[i]);
            size_t rows = 0, first = 0, blocks = 0, count;
            unsigned height;
            for (const char *at = run.out; sscanf(at, "%zu %u", &count, &height) == 2; at = strchr(at, '\n') + 1) {
                first = blocks++ == 0 ? count : first;
                rows += count;
            }
            assert_true(rows > 0 && (rows <= ROWS || blocks == 1));
            assert_true(i == 0 || before + first > ROWS);
            before = rows;
            run_free(&run);
        }
        globfree(&files);
    }
    remove_tree(in_dir("even"));
}

/* script_hex as `unktx outputs` has it, from the store; both columns as `unktx tx` prints them. */
static void test_scripts(void **state)
{
    (void)state;
    unktx_ok("scan --quiet --datadir %s/node --store %s/store", dump_dir, dump_dir);
    dump_ok("scripts", "--scripts --blocks-per-file 25");
    struct bytes all = joined("scripts", "outputs");
    struct run stream = unktx_expect(0, "dump outputs --scripts --store %s/store", dump_dir);
    assert_string_equal(all.at, stream.out);
    assert_non_null(strstr(all.at, ",spender_vin,script_hex,address\n"));
    write_file(in_dir("joined"), all.at, all.size);
    struct run run = shell(
        "cd %s; $(realpath $OLDPWD/$UNKTX) outputs --rules core-22 --store store | awk -F, 'NR == 1 { for (i = 1; i <= "
        "NF; i++) c[$i] = i; next } { print $c[\"txid\"] \",\" $c[\"vout\"] \",\" $c[\"script_hex\"] }' | sort "
        ">unknown; "
        "wc -l <unknown; awk -F, 'NR > 1 { print $3 \",\" $4 \",\" $10 }' joined | sort | comm -13 - unknown",
        dump_dir);
    assert_true(atoi(run.out) > 10);
    assert_string_equal(strchr(run.out, '\n'), "\n");
    run_free(&run);
    run_free(&stream);
    free(all.at);
    remove_tree(in_dir("scripts"));
}

/* ---- cut off ---- */

/* Every file is the one of the whole dump; what has no such name is the manifest, or a temporary file where a kill may
 * leave one. */
static void assert_whole_files_only(bool after_kill)
{
    struct seen *seen;
    size_t count = look("cut", &seen), size;
    for (size_t i = 0; i < count; i++) {
        const char *name = strstr(seen[i].path, "/cut/") + 5;
        char *whole = read_file(path_of("%s/whole/%s", dump_dir, name), &size);
        assert_non_null(whole);
        assert_int_equal(size, seen[i].bytes.size);
        assert_memory_equal(whole, seen[i].bytes.at, size);
        free(whole);
        free(seen[i].bytes.at);
    }
    free(seen);
    struct run run = shell("test ! -d %s/cut || find %s/cut -type f ! -name 'part.csv*' ! -name datapackage.json %s",
                           dump_dir, dump_dir, after_kill ? "! -name '.unktx-*.part'" : "");
    assert_string_equal(run.out, "");
    run_free(&run);
}

/* False: it had ended before. */
static bool cut_off_after(int number, unsigned microseconds)
{
    pid_t child = unktx_start("dump all --store %s/store -o %s/cut --blocks-per-file 2 --threads 2", dump_dir,
                              dump_dir);
    for (unsigned i = 0; i < 10000 && !path_exists(in_dir("cut/datapackage.json")); i++)
        usleep(1000);
    usleep(microseconds);
    kill(child, number);
    int status = wait_status(child);
    if (status != 0)
        assert_int_equal(status, number == SIGKILL ? 128 + SIGKILL : 130);
    assert_whole_files_only(number == SIGKILL);
    dump_ok("cut", "--blocks-per-file 2 --resume");
    struct run run = shell("cd %s && rm -f cut/*/*/.unktx-*.part cut/.unktx-*.part && diff -r cut whole", dump_dir);
    assert_string_equal(run.out, "");
    run_free(&run);
    remove_tree(in_dir("cut"));
    return status != 0;
}

static void test_cut_off(void **state)
{
    (void)state;
    unsigned cut = 0;
    dump_ok("whole", "--blocks-per-file 2");
    for (unsigned i = 0; i < 12; i++) {
        cut += cut_off_after(SIGKILL, i * 5000);
        cut += cut_off_after(i % 2 ? SIGINT : SIGTERM, i * 5000);
    }
    assert_true(cut > 0);
    remove_tree(in_dir("whole"));
}

/* Files may not be larger than so many blocks of 512 bytes: some are, some are not. */
static void test_full_disk(void **state)
{
    (void)state;
    struct run run;
    dump_ok("whole", "--rows-per-file 400 --compress none");
    static const unsigned limits[] = {1, 8, 40, 80}; /* the manifest has some 20 KiB */
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        run = shell("ulimit -f %u; $UNKTX dump all --store %s/store -o %s/cut --rows-per-file 400 --compress none",
                    limits[i], dump_dir, dump_dir);
        assert_int_equal(run.exit_status, 1);
        if (!strstr(run.err, "File too large"))
            fail_msg("at %u blocks: %s", limits[i], run.err);
        run_free(&run);
        assert_whole_files_only(false);
    }
    dump_ok("cut", "--rows-per-file 400 --compress none --replace");
    assert_same_folders("cut", "whole");
    remove_tree(in_dir("cut"));
    remove_tree(in_dir("whole"));
}

/* ---- changed ---- */

/* Turns a byte in the middle: the size stays. */
static void change_file(const char *name)
{
    size_t size;
    char path[512];
    snprintf(path, sizeof path, "%s", in_dir(name));
    char *bytes = read_file(path, &size);
    assert_non_null(bytes);
    bytes[size / 2] ^= 1;
    write_file(path, bytes, size);
    free(bytes);
}

static ino_t inode_of(const char *name)
{
    struct stat st;
    assert_int_equal(stat(in_dir(name), &st), 0);
    return st.st_ino;
}

/* A file with other bytes of the same size is put right, and one with the right bytes stays, unless --resume trusts
 * what is there. */
static void test_changed(void **state)
{
    (void)state;
    static const char *const ways[] = {"--blocks-per-file 30", "--blocks-per-file 30 --replace"};
    static const char txs[] = "mine/txs/height=000030-000059/part.csv.zst";
    static const char outputs[] = "mine/outputs/height=000000-000029/part.csv.zst";
    dump_ok("whole", ways[0]);
    dump_ok("mine", ways[0]);
    ino_t before = inode_of(outputs);
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        change_file("mine/blocks/height=000000-000029/part.csv.zst");
        change_file(txs);
        change_file("mine/inputs/height=000060-000089/part.csv.zst");
        dump_ok("mine", ways[i]);
        assert_same_folders("mine", "whole");
        assert_int_equal(inode_of(outputs), before);
    }
    change_file(txs);
    before = inode_of(txs);
    dump_ok("mine", "--blocks-per-file 30 --resume");
    assert_int_equal(inode_of(txs), before);
    remove_tree(in_dir("mine"));
    remove_tree(in_dir("whole"));
}

/* ---- targets ---- */

static struct run listing(void)
{
    return shell("cd %s && find . ! -path './store/*' -printf '%%p %%i %%T@\\n' | sort; "
                 "find . -type f ! -path './store/*' | sort | xargs sha256sum",
                 dump_dir);
}

/* Refused with that text, and nothing below the folder has changed. */
static void expect_refused(const char *said, const char *line)
{
    struct run before = listing();
    struct run run = shell("u=$(realpath $UNKTX); cd %s && $u %s", dump_dir, line);
    if (run.exit_status != 1 || !strstr(run.err, said))
        fail_msg("%s\nended with %d and said no \"%s\": %s", line, run.exit_status, said, run.err);
    struct run after = listing();
    assert_string_equal(before.out, after.out);
    run_free(&before);
    run_free(&after);
    run_free(&run);
}

static void test_refused(void **state)
{
    (void)state;
    dump_ok("mine", "--blocks-per-file 30");
    unktx_ok("scan --quiet --datadir %s/node --store %s/store", dump_dir, dump_dir);
    unktx_ok("flows --store %s/store -o %s/flows", dump_dir, dump_dir);
    make_dirs(in_dir("foreign"));
    write_file(in_dir("foreign/datapackage.json"), "{\"name\": \"x\"}", 13);
    make_dirs(in_dir("named/outputs"));
    make_dirs(in_dir("linked"));
    make_dirs(in_dir("elsewhere"));
    write_file(in_dir("file"), "x", 1);
    assert_int_equal(symlink("../elsewhere", in_dir("linked/txs")), 0);
    expect_refused("is not of 'unktx dump'", "dump all --store store -o flows");
    expect_refused("is not of 'unktx dump'", "dump all --store store -o foreign --replace");
    expect_refused("is not of 'unktx dump'", "dump all --store store -o foreign --resume");
    expect_refused("not of a dump before", "dump all --store store -o named");
    expect_refused("a link by the name of txs", "dump all --store store -o linked");
    expect_refused("a link by the name of txs", "dump all --store store -o linked --replace");
    expect_refused("is no folder", "dump all --store store -o file");
    expect_refused("lies in the node's data or the store", "dump all --store store -o store");
    expect_refused("lies in the node's data or the store", "dump all --store store -o store/tio/x");
    expect_refused("lies in the node's data or the store",
                   "dump outputs --scripts --store store -o node/regtest/blocks/x --resume");
    expect_refused("another --rows-per-file", "dump all --store store -o mine --blocks-per-file 31 --resume");
    expect_refused("another --rows-per-file", "dump all --store store -o mine");
    expect_refused("another --compress", "dump all --store store -o mine --blocks-per-file 30 --compress none");
    expect_refused("another --from-height", "dump all --store store -o mine --blocks-per-file 30 --from-height 1");
    expect_refused("other tables or columns", "dump txs --store store -o mine --blocks-per-file 30");
    expect_refused("other tables or columns", "dump all --scripts --store store -o mine --blocks-per-file 30 --resume");
    expect_refused("tells what", "dump txs --store store -o mine/datapackage.json");
    expect_refused("no block of height", "dump all --store store -o new --from-height 100000");
}

/* A datapackage.json that is no JSON is in the way whatever the options, and the message tells the way out. */
static void test_no_json(void **state)
{
    (void)state;
    static const char way_out[] = "is no JSON here: name another folder, or take this file away";
    make_dirs(in_dir("broken"));
    write_file(in_dir("broken/datapackage.json"), "{\"profile\": ", 12);
    expect_refused(way_out, "dump all --store store -o broken");
    expect_refused(way_out, "dump all --store store -o broken --resume");
    expect_refused(way_out, "dump all --store store -o broken --replace");
    expect_refused(way_out, "flows --store store -o broken");
    assert_int_equal(unlink(in_dir("broken/datapackage.json")), 0);
    dump_ok("broken", "");
    assert_manifest("broken");
    remove_tree(in_dir("broken"));
}

static void test_replaced(void **state)
{
    (void)state;
    write_file(in_dir("mine/notes.txt"), "x", 1);
    write_file(in_dir("mine/outputs/height=000000-000029/notes.txt"), "x", 1);
    unktx_ok("dump txs --store %s/store -o %s/mine --rows-per-file 100 --compress none --replace", dump_dir, dump_dir);
    assert_true(path_exists(in_dir("mine/notes.txt")));
    assert_true(path_exists(in_dir("mine/outputs/height=000000-000029/notes.txt")));
    assert_false(path_exists(in_dir("mine/outputs/height=000000-000029/part.csv.zst")));
    assert_false(path_exists(in_dir("mine/inputs")));
    assert_manifest("mine");
}

static void test_usage(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "all",
        "txs --rows-per-file 3",
        "txs --resume -o -",
        "all -o x --rows-per-file 3 --blocks-per-file 3",
        "all -o x --rows-per-file 0",
        "all -o x --compress gzip",
        "all -o x --resume --replace",
        "none -o x",
        "blocks --scripts",
        "txs --scripts",
        "inputs --scripts",
        "inputs --scripts -o x --resume",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct run run = unktx("dump --store %s/store %s", dump_dir, lines[i]);
        assert_int_equal(run.exit_status, 2);
        run_free(&run);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pieces_of_the_stream),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_balance),
        cmocka_unit_test(test_scripts),
        cmocka_unit_test(test_cut_off),
        cmocka_unit_test(test_full_disk),
        cmocka_unit_test(test_changed),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_no_json),
        cmocka_unit_test(test_replaced),
        cmocka_unit_test(test_usage),
    };
    return cmocka_run_group_tests(tests, dump_set_up, dump_tear_down);
}
