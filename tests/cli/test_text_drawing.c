/* The drawings of `unktx dags` on a terminal, which script(1) makes: each stands for as many nodes, roots and levels as
 * classes.csv says. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/run.h"
#include "tests/support/table.h"

static char *folder;

/* What `unktx dags` prints on a terminal. */
static char *on_terminal(const char *environment, const char *options)
{
    struct run run = shell("env -u NO_COLOR -u LC_ALL -u LC_CTYPE LANG=C.UTF-8 TERM=xterm %s "
                           "script -qefc \"$UNKTX dags --store %s/store -o %s/out --replace %s\" /dev/null </dev/null",
                           environment, folder, folder, options);
    if (run.exit_status != 0)
        fail_msg("exit status %d: %s%s", run.exit_status, run.out, run.err);
    free(run.err);
    return run.out;
}

struct nodes {
    uint64_t roots;
    uint64_t all;
    uint64_t levels;
};

/* Counts what a drawing without gaps stands for. */
static struct nodes read_sketch(const char *at)
{
    struct nodes sum = {0}, level = {0};
    uint64_t repeat = 1;
    for (; *at && *at != '\r' && *at != '\n';) {
        static const char *const signs[] = {"\u25cf", "\u25cb", "\u00b7"};
        size_t sign = 0;
        while (sign < 3 && strncmp(at, signs[sign], strlen(signs[sign])) != 0)
            sign++;
        if (sign < 3) {
            uint64_t count = 1;
            at += strlen(signs[sign]);
            if (strncmp(at, "\u00d7", 2) == 0)
                count = strtoull(at + 2, (char **)&at, 10);
            level.all += count;
            level.roots += sign == 0 ? count : 0;
        } else if (*at == ']') {
            assert_int_equal(strncmp(at + 1, "\u00d7", 2), 0);
            repeat = strtoull(at + 3, (char **)&at, 10);
        } else if (*at == '[' || *at == ' ') {
            at++;
        } else {
            assert_int_equal(strncmp(at, "\u2192", 3), 0);
            at += 3;
            sum = (struct nodes){sum.roots + level.roots, sum.all + repeat * level.all, sum.levels + repeat};
            level = (struct nodes){0};
            repeat = 1;
        }
    }
    return (struct nodes){sum.roots + level.roots, sum.all + repeat * level.all, sum.levels + repeat};
}

static void compare_rules(const char *rules)
{
    char *page = on_terminal("NO_COLOR=1", path_of("--rules %s", rules));
    struct table classes = table_read(path_of("%s/out/classes.csv", folder));
    assert_null(strstr(page, "\033["));
    unsigned whole = 0;
    for (size_t row = 0; row < classes.rows && row < 10; row++) {
        char id[13];
        snprintf(id, sizeof id, "%.12s", table_get(&classes, row, "class_id"));
        const char *line = strstr(page, id);
        assert_non_null(line);
        if (strstr(line, "\u2026") && strstr(line, "\u2026") < strchr(line + 16, '\n'))
            continue;
        line += 12; /* and on the next line where the drawing has one of its own */
        line += strncmp(line, "\r\n    ", 6) == 0 ? 6 : 0;
        struct nodes nodes = read_sketch(line);
        assert_int_equal(nodes.roots, table_number(&classes, row, table_column(&classes, "roots")));
        assert_int_equal(nodes.all, table_number(&classes, row, table_column(&classes, "nodes")));
        assert_int_equal(nodes.levels, table_number(&classes, row, table_column(&classes, "height")) + 1);
        whole++;
    }
    assert_true(whole >= 8);
    table_free(&classes);
    free(page);
}

static void test_counts(void **state)
{
    (void)state;
    compare_rules("core-0.18");
    compare_rules("core-0.19");
    compare_rules("core-22");
}

static void test_where_it_draws(void **state)
{
    (void)state;
    static const struct {
        const char *environment;
        const char *options;
        bool draws;
        bool colours;
    } cases[] = {
        {"", "", true, true},
        {"NO_COLOR=", "", true, true},
        {"NO_COLOR=0", "", true, false},
        {"TERM=dumb", "", true, false},
        {"LANG=C", "", false, false},
        {"LC_ALL=C", "", false, false},
        {"LANG=C LC_ALL=C.UTF-8", "", true, true},
        {"", "--compress", false, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *page = on_terminal(cases[i].environment, cases[i].options);
        assert_int_equal(strstr(page, "\u25cf") != NULL, cases[i].draws);
        assert_int_equal(strstr(page, "\033[33m") != NULL, cases[i].colours);
        assert_non_null(strstr(page, "The most common classes"));
        free(page);
    }
    struct run run = shell("LANG=C.UTF-8 TERM=xterm $UNKTX dags --store %s/store -o %s/out | cat", folder, folder);
    for (const char *at = run.out; *at; at++)
        assert_true(*at == '\n' || (*at >= ' ' && *at <= '~'));
    run_free(&run);
}

static int set_up(void **state)
{
    (void)state;
    struct run run = shell("script -qefc true /dev/null </dev/null");
    bool has = run.exit_status == 0;
    run_free(&run);
    if (!has) {
        print_message("script(1) of util-linux is not here or gets no terminal: skipped\n");
        exit(0);
    }
    folder = temp_dir();
    unktx_ok("scan --quiet --datadir tests/fixtures/regtest-xor --store %s/store", folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    remove_tree(folder);
    free(folder);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_counts), cmocka_unit_test(test_where_it_draws)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
