/* What a command with -o FILE says: that the file is there, and how many rows it has, if it is a table. Nothing with
 * --quiet, and nothing where the output goes to stdout or to what is no file. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/support/dir.h"
#include "tests/support/run.h"

static struct {
    char store[300];
    char file[300];
    char blocks[300];
} place;

static int set_up(void **state)
{
    (void)state;
    temp_dir_in_memory();
    dir = temp_dir();
    snprintf(place.store, sizeof place.store, "%s/store", dir);
    snprintf(place.file, sizeof place.file, "%s/written", dir);
    snprintf(place.blocks, sizeof place.blocks, "%s/data/regtest/blocks", dir);
    copy_bundled_chain(path_of("%s/data", dir));
    unktx_ok("scan --quiet --datadir %s/data --store %s", dir, place.store);
    unktx_ok("index --quiet --datadir %s/data --store %s", dir, place.store);
    return 0;
}

/* Lines of a table in which no cell has a line break, without the first. */
static unsigned rows_of(const char *path)
{
    size_t size;
    unsigned lines = 0;
    char *text = read_file(path, &size);
    assert_non_null(text);
    for (size_t i = 0; i < size; i++)
        lines += text[i] == '\n';
    free(text);
    assert_int_not_equal(lines, 0);
    return lines - 1;
}

static const struct {
    const char *words;
    bool is_table;
} commands[] = {
    {"outputs", true},
    {"outputs --script no-such-script", true},
    {"stats", true},
    {"stats --by month", true},
    {"stats --protocols", true},
    {"templates", true},
    {"unlocks", true},
    {"keys", true},
    {"keys --hashes", true},
    {"compare", false},
    {"dump blocks", true},
    {"dump outputs", true},
    {"hidden", true},
    {"travel %s", false},
    {"travel --format dot %s", false},
    {"find --format csv %s", true},
    {"find --format json %s", false},
    {"tx %s", false},
    {"show %s", false},
    {"show --dag 1 --format svg", false},
    {"report", false},
};

/* Runs the command with these words at its end; what it says on stderr, which the caller frees. */
static char *said_of(const char *words, const char *txid, const char *more)
{
    char line[600];
    size_t size = (size_t)snprintf(line, sizeof line, "%s", words);
    const char *place_of_txid = strstr(words, "%s");
    if (place_of_txid)
        size = (size_t)snprintf(line, sizeof line, "%.*s%s", (int)(place_of_txid - words), words, txid);
    snprintf(line + size, sizeof line - size, " --store %s%s", place.store, more);
    struct run run = unktx_expect(0, "%s", line);
    char *said = strdup(run.err);
    run_free(&run);
    return said;
}

static void expect_said(const char *name, bool is_table, const char *said)
{
    char expected[700];
    unsigned rows = is_table ? rows_of(place.file) : 0;
    int size = snprintf(expected, sizeof expected, "unktx %s: written to %s", name, place.file);
    if (is_table)
        snprintf(expected + size, sizeof expected - (size_t)size, ": %u row%s\n", rows, rows == 1 ? "" : "s");
    else
        snprintf(expected + size, sizeof expected - (size_t)size, "\n");
    if (!strstr(said, expected))
        fail_msg("'%s' is not in: %s", expected, said);
}

static void test_file(void **state)
{
    (void)state;
    char txid[80] = "", quiet[400], file[400];
    struct run run = unktx_expect(0, "outputs --store %s", place.store);
    assert_int_equal(sscanf(strchr(run.out, '\n'), "%*[^,],%*[^,],%64[0-9a-f]", txid), 1);
    run_free(&run);
    snprintf(file, sizeof file, " -o %s", place.file);
    snprintf(quiet, sizeof quiet, " --quiet -o %s", place.file);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        char name[32];
        assert_int_equal(sscanf(commands[i].words, "%31s", name), 1);
        char *said = said_of(commands[i].words, txid, file);
        expect_said(name, commands[i].is_table, said);
        free(said);
        said = said_of(commands[i].words, txid, quiet);
        assert_null(strstr(said, "written"));
        free(said);
        said = said_of(commands[i].words, txid, strcmp(name, "compare") == 0 ? " -o -" : " -o /dev/null");
        assert_null(strstr(said, "written"));
        free(said);
    }
}

static void test_without_store(void **state)
{
    (void)state;
    struct run run = unktx_expect(0, "blocks -o %s %s", place.file, place.blocks);
    expect_said("blocks", true, run.err);
    run_free(&run);
    run = unktx_expect(0, "blocks --quiet -o %s %s", place.file, place.blocks);
    assert_string_equal(run.err, "");
    run_free(&run);
}

/* Those of a folder are named by the command that makes the folder, once and together. */
static void test_folder(void **state)
{
    (void)state;
    struct run run = unktx_expect(0, "analyze --datadir %s/data -o %s/all", dir, dir);
    const char *first = strstr(run.err, "written to ");
    assert_non_null(first);
    assert_null(strstr(first + 1, "written to "));
    run_free(&run);
    run = unktx_expect(0, "dump blocks --store %s --rows-per-file 100 -o %s/many", place.store, dir);
    assert_null(strstr(run.err, "written to "));
    assert_non_null(strstr(run.err, " written, "));
    run_free(&run);
}

/* Nothing was found, which is a failure: no file is made or replaced, nor said to be. */
static void test_nothing_found(void **state)
{
    (void)state;
    static const char *const formats[] = {"text", "csv", "json"};
    for (size_t i = 0; i < 2 * sizeof formats / sizeof *formats; i++) {
        bool before = i % 2 == 1;
        size_t size = 0;
        remove(place.file);
        if (before)
            write_file(place.file, "x", 1);
        struct run run = unktx_expect(1, "find 1111 --format %s --store %s -o %s", formats[i / 2], place.store,
                                      place.file);
        assert_null(strstr(run.err, "written"));
        char *bytes = read_file(place.file, &size);
        assert_true(before ? bytes && size == 1 && bytes[0] == 'x' : !bytes);
        free(bytes);
        run_free(&run);
    }
    remove(place.file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_file),
        cmocka_unit_test(test_without_store),
        cmocka_unit_test(test_folder),
        cmocka_unit_test(test_nothing_found),
    };
    return cmocka_run_group_tests(tests, set_up, remove_dir);
}
