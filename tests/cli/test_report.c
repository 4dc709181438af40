/* report: one page, well-formed, the same bytes for any number of threads, whose numbers are those of the tables. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "parser/sha256.h"
#include "tests/support/markup.h"
#include "tests/support/run.h"
#include "tests/support/table.h"

#define FIXTURE "tests/fixtures/regtest-xor"

static char *place, *page;

static int make(void **state)
{
    (void)state;
    place = temp_dir();
    unktx_ok("analyze --quiet --datadir " FIXTURE " -o %s", place);
    size_t size;
    page = read_file(path_of("%s/report.html", place), &size);
    assert_non_null(page);
    return 0;
}

static int clean(void **state)
{
    (void)state;
    remove_tree(place);
    free(place);
    free(page);
    return 0;
}

static void one_page_well_formed(void **state)
{
    static const char *const sections[] = {"scanned", "kinds",   "sizes", "classes",
                                           "ordered", "highest", "rules", "files"};
    (void)state;
    assert_well_formed(page);
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++) {
        assert_non_null(strstr(page, path_of("<section id=\"%s\"", sections[i])));
        assert_non_null(strstr(page, path_of("<a href=\"#%s\"", sections[i])));
    }
    /* nothing is fetched from anywhere */
    assert_null(strstr(page, "http:"));
    assert_null(strstr(page, "https:"));
    assert_null(strstr(page, " src="));
    assert_null(strstr(page, "url("));
    assert_null(strstr(page, "@import"));
}

/* What the policy names the element `tag` by is the SHA-256 of what the page has in it; and there is one of it. */
static void expect_source(const char *tag)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char open[16], close[16], named[128] = "";
    uint8_t hash[32];
    snprintf(open, sizeof open, "<%s>", tag);
    snprintf(close, sizeof close, "</%s>", tag);
    const char *begin = strstr(page, open), *end = strstr(page, close);
    assert_true(begin && end && !strstr(begin + 1, open));
    begin += strlen(open);
    sha256((const uint8_t *)begin, (size_t)(end - begin), hash);
    size_t size = (size_t)snprintf(named, sizeof named, "%s-src 'sha256-", tag);
    for (unsigned i = 0; i < 43; i++) {
        unsigned value = 0;
        for (unsigned bit = 6 * i; bit < 6 * i + 6; bit++)
            value = 2 * value + (bit < 256 ? hash[bit / 8] >> (7 - bit % 8) & 1u : 0);
        named[size++] = digits[value];
    }
    strcpy(named + size, "='");
    if (!strstr(page, named))
        fail_msg("no %s in the page", named);
}

static void a_policy_shuts_the_rest_out(void **state)
{
    (void)state;
    const char *policy = strstr(page, "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; ");
    assert_non_null(policy);
    assert_true(policy < strstr(page, "<style>"));
    expect_source("style");
    expect_source("script");
    /* what a policy without 'unsafe-inline' would leave out */
    assert_null(strstr(page, " style="));
    assert_null(strstr(page, " onclick="));
    assert_null(strstr(page, "unsafe"));
}

/* The page that analyze writes leads to tables beside it. */
static void spend_links_lead_to_files(void **state)
{
    static const char mark[] = "<a href=\"";
    (void)state;
    size_t links = 0;
    for (const char *at = strstr(page, mark); at; at = strstr(at + 1, mark)) {
        const char *name = at + strlen(mark);
        if (*name == '#')
            continue;
        assert_true(path_exists(path_of("%s/%.*s", place, (int)strcspn(name, "\""), name)));
        links++;
    }
    assert_true(links >= 7);
}

static void the_same_bytes(void **state)
{
    (void)state;
    unktx_ok("report --store %s/store --threads 1 -o %s/one.html", place, place);
    unktx_ok("report --store %s/store --threads 4 -o %s/four.html", place, place);
    assert_same_file(path_of("%s/one.html", place), path_of("%s/four.html", place));
    assert_same_file(path_of("%s/one.html", place), path_of("%s/report.html", place));
}

/* ---- tables of the page ---- */

/* The next cell after `*at` as text without tags and commas; false at the end of the row. */
static bool next_cell(const char **at, char *out, size_t size)
{
    const char *row_end = strstr(*at, "</tr>"), *cell = *at;
    while (cell < row_end && strncmp(cell, "<td", 3) != 0 && strncmp(cell, "<th", 3) != 0)
        cell++;
    if (cell >= row_end)
        return false;
    const char *end = strstr(cell, cell[2] == 'd' ? "</td>" : "</th>");
    size_t length = 0;
    for (const char *p = cell; p < end; p++) {
        if (*p == '<')
            p = strchr(p, '>');
        else if (*p != ',' && length + 1 < size)
            out[length++] = *p;
    }
    out[length] = '\0';
    *at = end;
    return true;
}

/* The first row of the table with that caption. */
static const char *table_of(const char *caption)
{
    const char *at = strstr(page, path_of("<caption>%s</caption>", caption));
    assert_non_null(at);
    return strstr(at, "<tbody>");
}

static void expect_cell(const char **at, const char *expected)
{
    char cell[8192];
    assert_true(next_cell(at, cell, sizeof cell));
    assert_string_equal(cell, expected);
}

static void classes_are_those_of_the_table(void **state)
{
    (void)state;
    struct table classes = table_read(path_of("%s/classes.csv", place));
    const char *at = table_of("Isomorphism classes");
    assert_true(classes.rows > 50 && classes.rows <= 200);
    assert_int_equal(count_of(page, "<td class=\"drawn\">"), classes.rows);
    for (size_t i = 0; i < classes.rows; i++) {
        char cell[8192];
        assert_non_null(at = strstr(at, "<tr>"));
        assert_true(next_cell(&at, cell, sizeof cell)); /* the drawing */
        expect_cell(&at, table_get(&classes, i, "tdags"));
        expect_cell(&at, table_get(&classes, i, "height"));
        expect_cell(&at, table_get(&classes, i, "nodes"));
        expect_cell(&at, table_get(&classes, i, "edges"));
        expect_cell(&at, table_get(&classes, i, "roots"));
        expect_cell(&at, table_get(&classes, i, "txs"));
        expect_cell(&at, table_get(&classes, i, "family"));
        assert_true(next_cell(&at, cell, sizeof cell));
        assert_memory_equal(cell, table_get(&classes, i, "class_id"), 32);
        expect_cell(&at, table_get(&classes, i, "first_dag_id"));
        expect_cell(&at, table_get(&classes, i, "scripts"));
    }
    table_free(&classes);
}

static void rule_sets_are_those_of_the_summary(void **state)
{
    static const char *const rules[] = {"core-0.18", "core-0.19", "core-22"};
    static const char *const keys[] = {"unknown_txs", "roots", "tdags", "nodes", "edges", "classes", "inexact_classes"};
    (void)state;
    const char *at = table_of("Numbers of each rule set");
    struct json json = json_open(path_of("%s/summary.json", place));
    for (size_t r = 0; r < 3; r++) {
        assert_non_null(at = strstr(at, "<tr>"));
        expect_cell(&at, rules[r]);
        json_find(&json, rules[r]);
        for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
            expect_cell(&at, json_find(&json, keys[i]));
    }
    json_close(&json);
}

static void kinds_are_those_of_stats(void **state)
{
    (void)state;
    unktx_ok("stats --store %s/store --by day -o %s/days.csv", place, place);
    struct table days = table_read(path_of("%s/days.csv", place)), all = table_read(path_of("%s/stats.csv", place));
    const char *at = table_of("Outputs that may be unknown, by day");
    for (size_t i = 0; i < days.rows; i++) {
        assert_non_null(at = strstr(at, "<tr>"));
        expect_cell(&at, table_get(&days, i, "period"));
        expect_cell(&at, table_get(&days, i, "nonstandard"));
        expect_cell(&at, table_get(&days, i, "nulldata"));
        expect_cell(&at, table_get(&days, i, "pubkey"));
        expect_cell(&at, table_get(&days, i, "multisig"));
    }
    at = table_of("Outputs by kind");
    for (size_t k = 0; k < 11; k++) {
        char kind[64], cell[64];
        assert_non_null(at = strstr(at, "<tr>"));
        assert_true(next_cell(&at, kind, sizeof kind));
        expect_cell(&at, table_get(&all, 0, kind));
        assert_true(next_cell(&at, cell, sizeof cell));
        char *point = strchr(cell, '.');
        memmove(point, point + 1, strlen(point));
        assert_int_equal(strtoull(cell, NULL, 10), table_number(&all, 0, table_column(&all, path_of("%s_sat", kind))));
    }
    table_free(&days);
    table_free(&all);
}

/* Tooltips "nodes from 5: 18 T-DAGs": the numbers of T-DAGs add up, as do those of small sizes one by one. */
static void points_are_those_of_the_table(void **state)
{
    static const char *const columns[] = {"nodes", "height"};
    (void)state;
    struct table tdags = table_read(path_of("%s/tdags.csv", place));
    for (size_t c = 0; c < 2; c++) {
        char *from = NULL, part[32];
        uint64_t sum = 0;
        snprintf(part, sizeof part, "<title>%s from ", columns[c]);
        for (const char *at = strstr(page, part); at; at = strstr(at + 1, part)) {
            uint64_t value = strtoull(at + strlen(part), &from, 10), count = strtoull(from + 2, NULL, 10), seen = 0;
            for (size_t i = 0; i < tdags.rows; i++)
                seen += table_number(&tdags, i, table_column(&tdags, columns[c])) == value;
            assert_true(seen > 0 && seen <= count);
            assert_true(value >= 10 || seen == count);
            sum += count;
        }
        assert_int_equal(sum, tdags.rows);
    }
    table_free(&tdags);
}

static void the_most_ordered_come_first(void **state)
{
    (void)state;
    struct table tdags = table_read(path_of("%s/tdags.csv", place));
    size_t count = 0;
    double last = 1;
    for (const char *at = strstr(page, "<h3 id=\"ordered-"); at; at = strstr(at + 1, "<h3 id=\"ordered-"), count++) {
        size_t row = strtoull(at + strlen("<h3 id=\"ordered-"), NULL, 10) - 1, before = 0;
        const char *told = strstr(at, "<dt>automation</dt><dd>") + strlen("<dt>automation</dt><dd>");
        double automation = strtod(told, NULL);
        assert_true(automation <= last);
        assert_memory_equal(told, table_get(&tdags, row, "automation"), strlen(table_get(&tdags, row, "automation")));
        for (size_t i = 0; i < tdags.rows; i++)
            before += strtod(table_get(&tdags, i, "automation"), NULL) > automation;
        assert_true(before <= count);
        last = automation;
    }
    assert_int_equal(count, 9);
    table_free(&tdags);
}

static void the_highest_come_first(void **state)
{
    (void)state;
    struct table tdags = table_read(path_of("%s/tdags.csv", place));
    uint64_t last = UINT64_MAX;
    size_t count = 0;
    for (const char *at = strstr(page, "<h3 id=\"highest-"); at; at = strstr(at + 1, "<h3 id=\"highest-"), count++) {
        size_t row = strtoull(at + strlen("<h3 id=\"highest-"), NULL, 10) - 1;
        uint64_t height = table_number(&tdags, row, table_column(&tdags, "height")), higher = 0;
        const char *told = strstr(at, "<dt>height</dt><dd>");
        assert_int_equal(strtoull(told + strlen("<dt>height</dt><dd>"), NULL, 10), height);
        for (size_t i = 0; i < tdags.rows; i++)
            higher += table_number(&tdags, i, table_column(&tdags, "height")) > height;
        assert_true(higher <= count && height <= last);
        assert_non_null(strstr(at, table_get(&tdags, row, "first_txid")));
        last = height;
    }
    assert_int_equal(count, 9);
    table_free(&tdags);
}

static void chains_with_nothing(void **state)
{
    (void)state;
    unktx_ok("scan --quiet --datadir tests/fixtures/genesis --store %s/bare", place);
    struct run run = unktx_expect(0, "report --store %s/bare -o -", place);
    assert_well_formed(run.out);
    assert_non_null(strstr(run.out, " isomorphic. T-DAGs: 0; classes: 0."));
    run_free(&run);
    run = unktx_expect(0, "report --store %s/store --rules core-22 --compress --exclude-scripts @known -o -", place);
    assert_well_formed(run.out);
    run_free(&run);
}

/* Names of known scripts come from a file of the user's. */
static void hostile_names(void **state)
{
    static const char line[] = "a<b&c\tanyone-can-spend\t.*\t\ta test\ta test\n";
    (void)state;
    write_file(path_of("%s/mine.tsv", place), line, strlen(line));
    struct run run = unktx("report --store %s/store --known-scripts %s/mine.tsv -o -", place, place);
    if (run.exit_status == 0)
        assert_well_formed(run.out);
    else
        assert_non_null(strstr(run.err, "mine.tsv")); /* the catalogue refuses such names */
    run_free(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_page_well_formed),
        cmocka_unit_test(a_policy_shuts_the_rest_out),
        cmocka_unit_test(spend_links_lead_to_files),
        cmocka_unit_test(the_same_bytes),
        cmocka_unit_test(classes_are_those_of_the_table),
        cmocka_unit_test(rule_sets_are_those_of_the_summary),
        cmocka_unit_test(kinds_are_those_of_stats),
        cmocka_unit_test(points_are_those_of_the_table),
        cmocka_unit_test(the_most_ordered_come_first),
        cmocka_unit_test(the_highest_come_first),
        cmocka_unit_test(chains_with_nothing),
        cmocka_unit_test(hostile_names),
    };
    return cmocka_run_group_tests(tests, make, clean);
}
