/* Names of files and folders that would act on a terminal: whatever a command says, they are shown and not obeyed. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/dir.h"
#include "tests/support/markup.h"
#include "tests/support/run.h"

/* Clears the screen, breaks the line, a C1 control, no UTF-8, a mark that turns the text around; and a letter. */
#define HOSTILE "a\x1b[2J\nb\xc2\x9b\xff\xe2\x80\xae\xc3\xa9"
#define SHOWN "a\\x1b[2J\\x0ab\\xc2\\x9b\\xff\\xe2\\x80\\xae\xc3\xa9"

static int set_up(void **state)
{
    (void)state;
    dir = temp_dir();
    make_dirs(path_of("%s/" HOSTILE, dir));
    return 0;
}

/* By bytes, since all that is hostile above is told by one of them. */
static void assert_harmless(const char *line, const char *text)
{
    for (const unsigned char *at = (const unsigned char *)text; *at; at++)
        if ((*at < 0x20 && *at != '\n') || *at == 0x7f || *at == 0x9b || *at == 0xff || *at == 0xae)
            fail_msg("unktx %s: the byte 0x%02x in: %s", line, *at, text);
}

/* Runs it in the hostile folder `%s` of the line; what is said has the folder's name `times` times at least. */
static void expect(int status, unsigned times, const char *line)
{
    char folder[1024], words[4096];
    snprintf(folder, sizeof folder, "%s/" HOSTILE, dir);
    snprintf(words, sizeof words, line, folder, folder, folder);
    struct run run = unktx("%s", words);
    if (run.exit_status != status)
        fail_msg("unktx %s: exit status %d: %s", line, run.exit_status, run.err);
    assert_harmless(line, run.out);
    assert_harmless(line, run.err);
    size_t found = count_of(run.err, SHOWN) + count_of(run.out, SHOWN);
    if (found < times)
        fail_msg("unktx %s: the name is there %zu times: %s%s", line, found, run.out, run.err);
    for (const char *at = run.err; *at; at = strchr(at, '\n') + 1)
        if (strncmp(at, "unktx", 5) != 0 && strncmp(at, "Try 'unktx", 10) != 0)
            fail_msg("unktx %s: a line of its own: %s", line, at);
    run_free(&run);
}

static void names_are_shown(void **state)
{
    (void)state;
    expect(1, 1, "scan --datadir %s --store %s/store");
    expect(1, 1, "blocks %s");
    expect(1, 1, "outputs --store %s/none");
    expect(1, 1, "check --store %s/none");
    expect(1, 1, "index --datadir %s --store %s/store");
    expect(2, 1, "scan --no-such-option%s");
    expect(2, 1, "no-such-command%s");
    expect(2, 1, "outputs --rules %s");
    expect(2, 1, "dags --threads %s");
    expect(1, 1, "dags --store %s/none --scripts %s/none.tsv -o %s/out");
}

static void names_of_what_is_there(void **state)
{
    (void)state;
    expect(0, 1, "scan --datadir tests/fixtures/regtest-xor --store %s/store");
    expect(0, 1, "index --datadir tests/fixtures/regtest-xor --store %s/store");
    expect(0, 0, "dags --store %s/store -o %s/out");
    expect(0, 0, "check --store %s/store");
    expect(0, 0, "report --store %s/store -o -");
    expect(1, 1, "dags --store %s/store --exclude-scripts %s/none -o %s/out");
    expect(1, 1, "report --store %s/store --scripts %s/none -o -");
    expect(1, 1, "outputs --store %s/store -o %s/none/none.csv");
    /* two files of one base name: the table has their paths */
    static const char *const files[] = {"blk00000.dat", "xor.dat"};
    make_dirs(path_of("%s/twin", dir));
    for (size_t i = 0; i < 2; i++) {
        size_t size;
        char *bytes = read_file(path_of("tests/fixtures/genesis/regtest/blocks/%s", files[i]), &size);
        assert_non_null(bytes);
        write_file(path_of("%s/" HOSTILE "/%s", dir, files[i]), bytes, size);
        write_file(path_of("%s/twin/%s", dir, files[i]), bytes, size);
        free(bytes);
    }
    struct run run = unktx("blocks %s/" HOSTILE "/blk00000.dat %s/twin/blk00000.dat", dir, dir);
    assert_int_equal(run.exit_status, 0);
    assert_harmless("blocks", run.out);
    assert_non_null(strstr(run.out, SHOWN "/blk00000.dat,"));
    run_free(&run);
}

/* What a table of the user's says is refused before it is shown, with its place. */
static void tables_are_refused(void **state)
{
    (void)state;
    static const char table[] = "ok\t\tOP_1\t\t\tfine\nbad\t\tOP_1\t\t\t\x1b]0;title\x07\n",
                      patterns[] = "OP_1\nOP_\x1b\n";
    write_file(path_of("%s/table", dir), table, sizeof table - 1);
    write_file(path_of("%s/patterns", dir), patterns, sizeof patterns - 1);
    unktx_ok("scan --quiet --datadir tests/fixtures/regtest-xor --store %s/store2", dir);
    struct run run = unktx("dags --store %s/store2 --scripts %s/table -o %s/out2", dir, dir, dir);
    assert_int_equal(run.exit_status, 1);
    assert_non_null(strstr(run.err, "line 2, column 13: the byte 0x1b"));
    run_free(&run);
    run = unktx("dags --store %s/store2 --exclude-scripts %s/patterns -o %s/out2", dir, dir, dir);
    assert_int_equal(run.exit_status, 1);
    assert_non_null(strstr(run.err, "line 2, column 4: "));
    run_free(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_shown),
        cmocka_unit_test(names_of_what_is_there),
        cmocka_unit_test(tables_are_refused),
    };
    return cmocka_run_group_tests(tests, set_up, remove_dir);
}
