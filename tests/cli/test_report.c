/* report: one page, well-formed, the same bytes for any number of threads, whose numbers are those of the tables. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

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
    static const char *const sections[] = {"scanned", "kinds", "sizes",  "classes", "ordered", "highest", "largest",
                                           "moved",   "tdags", "groups", "unlocks", "rules",   "files"};
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
        assert_non_null(at = strstr(at, path_of("<tr id=\"class-%zu\">", i + 1)));
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
        assert_true(next_cell(&at, cell, sizeof cell));
        const char *scripts = table_get(&classes, i, "scripts");
        assert_memory_equal(cell, scripts, strlen(scripts) <= 300 ? strlen(scripts) + 1 : 300);
        assert_true(next_cell(&at, cell, sizeof cell)); /* its T-DAGs */
        assert_true(next_cell(&at, cell, sizeof cell));
        assert_memory_equal(cell, "common", 6); /* all classes are in the table */
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

static void expect_no_file(const char *alone)
{
    assert_null(strstr(alone, ".csv\""));
    assert_null(strstr(alone, "summary.json\""));
    assert_non_null(strstr(alone, "Numbers from the store, as in tdags.csv: "));
}

/* A page alone is made from the store: beside tables of another rule set, or none, it leads to no table, and on stdout
 * it lies beside nothing, though the folder at hand has the same tables. */
static void a_page_alone_names_no_file(void **state)
{
    static const char *const rules[] = {"core-22", "core-0.18"};
    (void)state;
    assert_int_equal(mkdir(path_of("%s/elsewhere", place), 0700), 0);
    for (size_t i = 0; i < 2; i++) {
        const char *path = i == 0 ? path_of("%s/alone.html", place) : path_of("%s/elsewhere/alone.html", place);
        unktx_ok("report --store %s/store --rules %s -o %s", place, rules[i], path);
        char *alone = read_file(path, &(size_t){0});
        expect_no_file(alone);
        free(alone);
    }
    struct run run = shell("program=$(realpath %s); cd %s && \"$program\" report --store store -o -", unktx_path(),
                           place);
    assert_int_equal(run.exit_status, 0);
    expect_no_file(run.out);
    run_free(&run);
    assert_non_null(strstr(page, "Numbers from <a href=\"tdags.csv\">tdags.csv</a>: "));
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

/* The T-DAG of a row of a list: the first link to an article after *at. */
static size_t listed_row(const char **at)
{
    const char *found = strstr(*at, "<tr><td class=\"n\"><a href=\"#tdag-"), *end = strstr(*at, "</table>");
    if (!found || found > end)
        return SIZE_MAX;
    found += strlen("<tr><td class=\"n\"><a href=\"#tdag-");
    *at = found;
    return strtoull(found, NULL, 10) - 1;
}

/* The nine first by a column, the most first, and no T-DAG left out has more. */
static void lists_have_what_comes_first(void **state)
{
    static const char *const lists[][2] = {{"T-DAGs by automation", "automation"},
                                           {"T-DAGs by height from the top", "height"},
                                           {"T-DAGs by number of nodes from the top", "nodes"},
                                           {"T-DAGs by value moved within", "moved_value_sat"}};
    (void)state;
    struct table tdags = table_read(path_of("%s/tdags.csv", place));
    for (size_t l = 0; l < sizeof lists / sizeof *lists; l++) {
        const char *at = table_of(lists[l][0]), *column = lists[l][1];
        double last = 1e18;
        size_t count = 0;
        for (size_t row = listed_row(&at); row != SIZE_MAX; row = listed_row(&at), count++) {
            double value = strtod(table_get(&tdags, row, column), NULL);
            size_t before = 0;
            assert_true(value <= last);
            for (size_t i = 0; i < tdags.rows; i++)
                before += strtod(table_get(&tdags, i, column), NULL) > value;
            assert_true(before <= count);
            last = value;
        }
        assert_int_equal(count, 9);
    }
    table_free(&tdags);
}

/* ---- links ---- */

/* Every link within the page leads to something in it, and each id is there once. */
static void links_lead_to_what_is_there(void **state)
{
    static const char mark[] = "href=\"#", id[] = " id=\"";
    (void)state;
    size_t links = 0;
    for (const char *at = strstr(page, mark); at; at = strstr(at + 1, mark), links++) {
        const char *name = at + strlen(mark);
        const char *wanted = path_of(" id=\"%.*s\"", (int)strcspn(name, "\""), name);
        if (count_of(page, wanted) != 1)
            fail_msg("%zu of%s", count_of(page, wanted), wanted);
    }
    assert_true(links > 150);
    for (const char *at = strstr(page, id); at; at = strstr(at + 1, id)) {
        const char *name = at + strlen(id);
        assert_int_equal(count_of(page, path_of(" id=\"%.*s\"", (int)strcspn(name, "\""), name)), 1);
    }
}

/* The article of a T-DAG. */
static const char *article_of(const char *text, size_t dag, const char **end)
{
    const char *at = strstr(text, path_of("<article id=\"tdag-%zu\"", dag));
    assert_non_null(at);
    *end = strstr(at, "</article>");
    return at;
}

static bool has(const char *at, const char *end, const char *part)
{
    const char *found = strstr(at, part);
    return found && found < end;
}

static void articles_are_those_of_the_tables(void **state)
{
    (void)state;
    struct table tdags = table_read(path_of("%s/tdags.csv", place)), txs = table_read(path_of("%s/txs.csv", place));
    struct table groups = table_read(path_of("%s/groups.csv", place));
    const char *lists = table_of("T-DAGs by number of nodes from the top");
    size_t looked_at = 0;
    for (size_t row = listed_row(&lists); row != SIZE_MAX; row = listed_row(&lists), looked_at++) {
        const char *end, *article = article_of(page, row + 1, &end);
        assert_true(has(article, end, table_get(&tdags, row, "dag")));
        assert_true(has(article, end, table_get(&tdags, row, "first_txid")));
        assert_true(
            has(article, end,
                path_of("<code class=\"hash\">%s</code> (<a href=\"#class-", table_get(&tdags, row, "class_id"))));
        size_t listed = 0;
        for (size_t t = 0; t < txs.rows && listed < 12; t++) {
            if (table_number(&txs, t, table_column(&txs, "dag_id")) != row + 1)
                continue;
            assert_true(
                has(article, end, path_of("<tr><td><code class=\"hash\">%s</code></td>", table_get(&txs, t, "txid"))));
            listed++;
        }
        assert_true(listed >= 2);
    }
    assert_int_equal(looked_at, 9);
    assert_non_null(strstr(page, path_of("of %zu groups</b>", groups.rows)));
    for (size_t g = 0; g < groups.rows && g < 50; g++)
        assert_non_null(strstr(page, path_of("<code class=\"hash\">%s</code>", table_get(&groups, g, "group"))));
    table_free(&groups);
    table_free(&txs);
    table_free(&tdags);
}

/* Words and numbers of the table are those of unlocks.csv. */
static void unlocks_are_those_of_the_table(void **state)
{
    (void)state;
    struct table unlocks = table_read(path_of("%s/unlocks.csv", place));
    const char *at = table_of("Spent unknown outputs of T-DAGs by how they were unlocked");
    size_t sum = 0;
    for (size_t u = 0; u < 7; u++) {
        char word[64], cell[64];
        size_t count = 0;
        assert_non_null(at = strstr(at, "<tr>"));
        assert_true(next_cell(&at, word, sizeof word) && next_cell(&at, cell, sizeof cell));
        for (size_t i = 0; i < unlocks.rows; i++)
            count += strcmp(table_get(&unlocks, i, "unlock"), word) == 0;
        assert_int_equal(strtoull(cell, NULL, 10), count);
        sum += count;
    }
    assert_int_equal(sum, unlocks.rows);
    table_free(&unlocks);
}

/* With an index: the first payers and payees of a T-DAG, with addresses. */
static void payers_and_payees(void **state)
{
    (void)state;
    unktx_ok("analyze --quiet --index --datadir " FIXTURE " -o %s/linked", place);
    size_t size;
    char *text = read_file(path_of("%s/linked/report.html", place), &size);
    struct table tdags = table_read(path_of("%s/linked/tdags.csv", place));
    assert_well_formed(text);
    for (unsigned payees = 0; payees < 2; payees++) {
        struct table ends = table_read(path_of("%s/linked/%s.csv", place, payees ? "payees" : "payers"));
        const char *lists = table_of("T-DAGs by height from the top");
        for (size_t row = listed_row(&lists); row != SIZE_MAX; row = listed_row(&lists)) {
            const char *end, *article = article_of(text, row + 1, &end);
            size_t count = 0;
            for (size_t i = 0; i < ends.rows; i++) {
                if (table_number(&ends, i, table_column(&ends, "dag_id")) != row + 1 || count++ >= 12)
                    continue;
                const char *txid = table_get(&ends, i, payees ? "txid" : "from_txid");
                const char *vout = table_get(&ends, i, payees ? "vout" : "from_vout");
                assert_true(has(article, end, path_of("<code class=\"hash\">%s:%s</code>", txid, vout)));
                assert_true(
                    has(article, end, path_of("<code class=\"hash\">%s</code>", table_get(&ends, i, "address"))));
            }
            assert_true(has(article, end,
                            path_of("%s: %s%zu</summary>", payees ? "Payees" : "Payers",
                                    count > 12 ? "the first 12 of " : "", count)));
        }
        table_free(&ends);
    }
    table_free(&tdags);
    free(text);
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
        cmocka_unit_test(a_page_alone_names_no_file),
        cmocka_unit_test(lists_have_what_comes_first),
        cmocka_unit_test(links_lead_to_what_is_there),
        cmocka_unit_test(articles_are_those_of_the_tables),
        cmocka_unit_test(unlocks_are_those_of_the_table),
        cmocka_unit_test(payers_and_payees),
        cmocka_unit_test(chains_with_nothing),
        cmocka_unit_test(hostile_names),
    };
    return cmocka_run_group_tests(tests, make, clean);
}
