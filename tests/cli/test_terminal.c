/* What commands print on a terminal of 80 columns: no line is wider unless one word is, and the words are those that go
 * into a pipe. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/dir.h"
#include "tests/support/markup.h"
#include "tests/support/run.h"
#include "tests/support/table.h"

#define CHAIN "tests/fixtures/regtest-xor"
#define COLUMNS 80u

static char txid[65], key[131], class_id[33];

static int set_up(void **state)
{
    (void)state;
    dir = temp_dir();
    unktx_ok("scan --quiet --datadir " CHAIN " --store %s/store", dir);
    unktx_ok("index --quiet --datadir " CHAIN " --store %s/store", dir);
    unktx_ok("dags --rules core-22 --store %s/store -o %s/tables", dir, dir);
    struct table txs = table_read(path_of("%s/tables/txs.csv", dir));
    struct table keys = table_read(path_of("%s/tables/keys.csv", dir));
    snprintf(txid, sizeof txid, "%s", table_get(&txs, txs.rows / 2, "txid"));
    snprintf(key, sizeof key, "%s", table_get(&keys, keys.rows / 2, "key"));
    table_free(&txs);
    table_free(&keys);
    struct table classes = table_read(path_of("%s/tables/classes.csv", dir));
    snprintf(class_id, sizeof class_id, "%s", table_get(&classes, 0, "class_id"));
    table_free(&classes);
    return 0;
}

/* What the program prints with its standard streams on a terminal; the caller frees. */
static char *on_terminal(const char *line)
{
    struct winsize size = {.ws_row = 50, .ws_col = COLUMNS};
    size_t capacity = 1 << 22, used = 0;
    char *out = malloc(capacity);
    int fd, ended;
    pid_t child = forkpty(&fd, NULL, NULL, &size);
    if (child == 0) {
        execl("/bin/sh", "sh", "-c", line, (char *)NULL);
        _exit(127);
    }
    assert_true(child > 0 && out);
    for (ssize_t got; used + 1 < capacity && (got = read(fd, out + used, capacity - used - 1)) > 0;)
        used += (size_t)got;
    out[used] = '\0';
    close(fd);
    assert_int_equal(waitpid(child, &ended, 0), child);
    if (!WIFEXITED(ended) || WEXITSTATUS(ended) != 0)
        fail_msg("%s: %s", line, out);
    return out;
}

/* Columns of a line, whose colours take none. */
static unsigned columns_of(const char *line, size_t size)
{
    unsigned columns = 0;
    for (size_t i = 0; i < size; i++) {
        if (line[i] == '\033')
            while (i < size && line[i] != 'm')
                i++;
        else
            columns += ((unsigned char)line[i] & 0xc0) != 0x80 && line[i] != '\r';
    }
    return columns;
}

static void check_width(const char *command, const char *out)
{
    for (const char *line = out, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        size_t size = (size_t)(end - line), spaces = strspn(line, " ");
        bool is_word = !memchr(line + spaces, ' ', size - spaces);
        if (columns_of(line, size) > COLUMNS && !is_word)
            fail_msg("%s: wider than %u columns: %.*s", command, COLUMNS, (int)size, line);
    }
}

/* The same words in the same order, however lines are broken. */
static void check_words(const char *command, const char *a, const char *b)
{
    static const char between[] = " \r\n";
    for (size_t at = 0; *a || *b; at++) {
        a += strspn(a, between);
        b += strspn(b, between);
        size_t size = strcspn(a, between);
        if (size != strcspn(b, between) || memcmp(a, b, size) != 0)
            fail_msg("%s: word %zu is %.*s, not %.40s", command, at, (int)size, a, b);
        a += size;
        b += size;
    }
}

static void check(const char *command, bool same_words)
{
    char line[1024];
    snprintf(line, sizeof line, "LC_ALL=C exec %s %s --store %s/store 2>/dev/null", unktx_path(), command, dir);
    char *terminal = on_terminal(line);
    struct run pipe = unktx_expect(0, "%s --store %s/store", command, dir);
    assert_true(strlen(pipe.out) > 0);
    check_width(command, terminal);
    if (same_words)
        check_words(command, terminal, pipe.out);
    run_free(&pipe);
    free(terminal);
}

static void test_lines(void **state)
{
    (void)state;
    check(path_of("find %s --rules core-22", key), true);
    check(path_of("tx %s", txid), true);
    check(path_of("tx --scripts %s", txid), true);
    check("tx 200", true);
    check(path_of("show %s", txid), true);
    check(path_of("show --scripts %s", txid), true);
    check(path_of("show %s:0", txid), true);
    check(path_of("tx %s:0", txid), true);
    check("show --dag 1", true);
    check("show --dag 24 --rules core-22", true);
    check(path_of("show --class %s --rules core-22", class_id), true);
    check("compare", false);
    check("check", true);
    check("flows --rules core-22", true);
    check("ties --payers --rules core-22", true);
    check("dags --rules core-22", false);
    check("dags --top 5 --rules core-22", false);
}

/* The tables for people, with what only a terminal gets: drawings of levels, colours, and labels of any length. */
static void test_drawn(void **state)
{
    (void)state;
    static const char *const rules[] = {"core-0.18", "core-0.19", "core-22"};
    char line[1024];
    FILE *labels = fopen(path_of("%s/labels.csv", dir), "w");
    assert_non_null(labels);
    struct table txs = table_read(path_of("%s/tables/txs.csv", dir));
    fprintf(labels, "address,label\n");
    for (size_t r = 0; r < txs.rows; r++)
        fprintf(labels, "%s,%s number %zu of those that have a long label\n", table_get(&txs, r, "txid"),
                r % 2 ? "a label" : "another label", r);
    assert_int_equal(fclose(labels), 0);
    table_free(&txs);
    for (size_t r = 0; r < 3; r++) {
        snprintf(line, sizeof line, "unset NO_COLOR; LC_ALL=C.UTF-8 exec %s dags --rules %s --store %s/store",
                 unktx_path(), rules[r], dir);
        char *drawn = on_terminal(line);
        assert_non_null(strstr(drawn, "  levels\r\n"));
        check_width("dags", drawn);
        free(drawn);
        snprintf(line, sizeof line,
                 "exec %s dags --top 30 --by value --rules %s --labels %s/labels.csv --store %s/store", unktx_path(),
                 rules[r], dir, dir);
        char *top = on_terminal(line);
        check_width("dags --top --labels", top);
        free(top);
        snprintf(line, sizeof line,
                 "exec %s dags --exclude-scripts @known --paper-classes --rules %s --min-value 1 --label "
                 "'a label number 1 of those that have a long label' --labels %s/labels.csv "
                 "--store %s/store",
                 unktx_path(), rules[r], dir, dir);
        char *filtered = on_terminal(line);
        check_width("dags with filters", filtered);
        free(filtered);
    }
}

/* Rows of tables are for programs: they are never wrapped. */
static void test_tables(void **state)
{
    (void)state;
    char line[1024];
    snprintf(line, sizeof line, "exec %s find %s --format csv --rules core-22 --store %s/store 2>/dev/null",
             unktx_path(), key, dir);
    char *terminal = on_terminal(line);
    struct run pipe = unktx_expect(0, "find %s --format csv --rules core-22 --store %s/store", key, dir);
    assert_int_equal(count_of(terminal, "\n"), count_of(pipe.out, "\n"));
    run_free(&pipe);
    free(terminal);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_lines), cmocka_unit_test(test_drawn),
                                       cmocka_unit_test(test_tables)};
    return cmocka_run_group_tests(tests, set_up, remove_dir);
}
