/* explore: what its pages say is what the tables say, every link leads somewhere, and files are those of other
 * commands. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/markup.h"
#include "tests/support/run.h"
#include "tests/support/table.h"
#include "tests/support/web.h"

#define FIXTURE "tests/fixtures/regtest-xor"

static char *place;
static struct web web;    /* without an index */
static struct web linked; /* with one */

static int make(void **state)
{
    (void)state;
    place = temp_dir();
    unktx_ok("scan --quiet --datadir " FIXTURE " --store %s/store", place);
    unktx_ok("scan --quiet --datadir " FIXTURE " --store %s/linked", place);
    unktx_ok("index --quiet --datadir " FIXTURE " --store %s/linked", place);
    unktx_ok("dags --no-unlocks --store %s/store --rules core-22 -o %s/tables", place, place);
    web = web_start("--store %s/store", place);
    linked = web_start("--store %s/linked", place);
    return 0;
}

static int clean(void **state)
{
    (void)state;
    int first = web_stop(&web), second = web_stop(&linked);
    remove_tree(place);
    free(place);
    return first == 130 && second == 130 ? 0 : -1;
}

/* ---- files ---- */

static void expect_file(const char *target, const char *path)
{
    size_t size;
    char *body = web_body(&web, "%s", target), *file = read_file(path, &size);
    assert_non_null(file);
    if (strcmp(body, file) != 0)
        fail_msg("%s is not %s", target, path);
    free(body);
    free(file);
}

static void all_rows_are_those_of_the_table(void **state)
{
    (void)state;
    expect_file("/core-22/tdags.csv", path_of("%s/tables/tdags.csv", place));
}

static void filters_leave_the_rows_that_fit(void **state)
{
    (void)state;
    char *expected = table_lines(path_of("%s/tables/tdags.csv", place), 2, "fan-in");
    char *body = web_body(&web, "/core-22/tdags.csv?family=fan-in");
    assert_string_equal(body, expected);
    free(body);
    free(expected);
    struct table table = table_read(path_of("%s/tables/tdags.csv", place));
    uint64_t fit = 0, last = UINT64_MAX;
    for (size_t row = 0; row < table.rows; row++) {
        uint64_t nodes = strtoull(table_get(&table, row, "nodes"), NULL, 10);
        fit += nodes >= 10 && nodes <= 40 && strtod(table_get(&table, row, "automation"), NULL) >= 0.1;
    }
    table_free(&table);
    body = web_body(&web, "/core-22/tdags.csv?nodes=10..40&automation=0.1..&sort=nodes&order=desc");
    write_file(path_of("%s/some.csv", place), body, strlen(body));
    free(body);
    table = table_read(path_of("%s/some.csv", place));
    assert_true(fit > 3);
    assert_int_equal(table.rows, fit);
    for (size_t row = 0; row < table.rows; row++) {
        uint64_t nodes = strtoull(table_get(&table, row, "nodes"), NULL, 10);
        assert_true(nodes >= 10 && nodes <= last);
        last = nodes;
    }
    table_free(&table);
}

/* Amounts in bitcoins and days are other ways to write satoshis and seconds. */
static void filters_take_units(void **state)
{
    static const char *const pairs[][2] = {
        {"moved_value_sat=0.5BTC..60BTC", "moved_value_sat=50000000..6000000000"},
        {"first_time=2020-09-14", "first_time=1600041600..1600127999"},
        {"first_time=..2020-09-13", "first_time=..1600041599"},
        {"first_time=2020-09-14..2020-09", "first_time=1600041600..1601510399"},
        {"first_time=2020&nodes=10..", "first_time=1577836800..1609459199&nodes=10.."},
        {"time=2019..2020&nodes=10..", "time=1546300800..1609459199&nodes=10.."},
        {"height=2", "height=2..2"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        char *a = web_body(&web, "/core-22/tdags.csv?%s", pairs[i][0]);
        char *b = web_body(&web, "/core-22/tdags.csv?%s", pairs[i][1]);
        assert_string_equal(a, b);
        assert_true(count_of(a, "\n") > 1 && count_of(a, "\n") < 69);
        free(a);
        free(b);
    }
}

/* A measure as tables write it finds those that have it so. */
static void filters_find_measures_as_written(void **state)
{
    static const char *const measures[] = {"orderliness", "symmetry", "cadence", "chain_frequency"};
    (void)state;
    struct table table = table_read(path_of("%s/tables/tdags.csv", place));
    for (size_t row = 0; row < table.rows; row += 5) {
        const char *name = measures[row % 4], *written = table_get(&table, row, name);
        for (size_t form = 0; form < 3; form++) {
            size_t fit = 0;
            for (size_t other = 0; other < table.rows; other++) {
                double by = strtod(table_get(&table, other, name), NULL) - strtod(written, NULL);
                fit += form == 0 ? by == 0 : form == 1 ? by >= 0 : by <= 0;
            }
            char query[100];
            snprintf(query, sizeof query, form == 0 ? "%s=%s" : form == 1 ? "%s=%s.." : "%s=..%s", name, written);
            char *csv = web_body(&web, "/core-22/tdags.csv?%s", query);
            if (count_of(csv, "\n") != 1 + fit)
                fail_msg("%s: %zu, not %zu", query, count_of(csv, "\n") - 1, fit);
            free(csv);
        }
    }
    table_free(&table);
}

/* Those with a transaction in that time, by the table of transactions: a T-DAG has times without any between its first
 * and last, and blocks later in the chain may be earlier. */
static void filters_find_times_of_transactions(void **state)
{
    (void)state;
    struct table txs = table_read(path_of("%s/tables/txs.csv", place));
    for (size_t row = 0; row < txs.rows; row += 61) {
        uint64_t from = strtoull(table_get(&txs, row, "time"), NULL, 10), to = from + (row % 2 ? 0 : 700), fit = 0;
        bool met[100] = {false}; /* by T-DAG */
        for (size_t other = 0; other < txs.rows; other++) {
            uint64_t time = strtoull(table_get(&txs, other, "time"), NULL, 10);
            unsigned long dag = strtoul(table_get(&txs, other, "dag_id"), NULL, 10);
            assert_true(dag < sizeof met);
            fit += time >= from && time <= to && !met[dag];
            met[dag] |= time >= from && time <= to;
        }
        char *csv = web_body(&web, "/core-22/tdags.csv?time=%llu..%llu", (unsigned long long)from,
                             (unsigned long long)to);
        if (count_of(csv, "\n") != 1 + fit)
            fail_msg("time=%llu..%llu: not %llu", (unsigned long long)from, (unsigned long long)to,
                     (unsigned long long)fit);
        free(csv);
    }
    table_free(&txs);
}

/* Marks of a list that is filtered lead to as many as they say, whatever they are marks of. */
static void marks_lead_to_what_they_count(void **state)
{
    static const char *const queries[] = {"", "height=2", "height=3..5&moved_value_sat=..50000000",
                                          "first_time=2020-09-13..2020-09-14&family=fan-in"};
    (void)state;
    size_t seen = 0;
    for (size_t q = 0; q < sizeof queries / sizeof *queries; q++) {
        char *page = web_body(&web, "/core-22/tdags?%s", queries[q]);
        for (const char *at = page; (at = strstr(at, "<a href=\"/core-22/tdags?")); at++) {
            const char *title = strstr(at, "<title>"), *mark = strchr(at, '>') + 1;
            char address[400];
            size_t size = 0;
            if (strncmp(mark, "<rect", 5) != 0 && strncmp(mark, "<circle", 7) != 0)
                continue;
            for (const char *p = at + strlen("<a href=\""); *p != '"'; p += strncmp(p, "&amp;", 5) == 0 ? 5 : 1)
                address[size++] = *p;
            address[size] = '\0';
            const char *end = strstr(title, " T-DAG"), *begin = end;
            while (begin[-1] >= '0' && begin[-1] <= '9')
                begin--;
            char *list = web_body(&web, "%s", address);
            if (!strstr(list, path_of("<p>%.*s of ", (int)(end - begin), begin)))
                fail_msg("%s: %s has not as many as its mark says: %.60s", queries[q], address, title);
            free(list);
            seen++;
        }
        free(page);
    }
    assert_true(seen > 20);
}

static void a_tdag_saved_is_that_of_other_commands(void **state)
{
    static const char *const formats[] = {"graphml", "gexf", "dot", "svg"};
    (void)state;
    struct table table = table_read(path_of("%s/tables/tdags.csv", place));
    for (size_t row = 0; row < table.rows; row += 13) {
        const char *name = table_get(&table, row, "dag"), *number = table_get(&table, row, "dag_id");
        for (size_t f = 0; f < sizeof formats / sizeof *formats; f++) {
            unktx_ok("show --dag %s --rules core-22 --store %s/store --format %s -o %s/shown", name, place, formats[f],
                     place);
            expect_file(path_of("/core-22/tdag/%s.%s", name, formats[f]), path_of("%s/shown", place));
        }
        char *expected = table_lines(path_of("%s/tables/txs.csv", place), 0, number);
        char *body = web_body(&web, "/core-22/tdag/%s.txs.csv", name);
        assert_string_equal(body, expected);
        free(body);
        free(expected);
        expected = table_lines(path_of("%s/tables/arcs.csv", place), 0, number);
        body = web_body(&web, "/core-22/tdag/%s.arcs.csv", name);
        assert_string_equal(body, expected);
        free(body);
        free(expected);
    }
    table_free(&table);
}

/* ---- numbers ---- */

static char *grouped_text(const char *digits)
{
    static char text[4][40];
    static unsigned turn;
    char *out = text[turn++ % 4], *p = out;
    size_t size = strlen(digits);
    for (size_t i = 0; i < size; i++) {
        if (i > 0 && (size - i) % 3 == 0)
            *p++ = ',';
        *p++ = digits[i];
    }
    *p = '\0';
    return out;
}

static void expect_fact(const char *page, const char *name, const char *digits)
{
    const char *line = path_of("<div><dt>%s</dt><dd>%s</dd></div>", name, grouped_text(digits));
    if (!strstr(page, line))
        fail_msg("the page has no %s", line);
}

static void facts_are_those_of_the_table(void **state)
{
    static const char *const facts[][2] = {
        {"transactions", "txs"}, {"nodes", "nodes"},   {"edges", "edges"}, {"roots", "roots"},
        {"leaves", "leaves"},    {"height", "height"}, {"width", "width"}, {"spent unknown outputs", "spent_unknown"}};
    (void)state;
    struct table table = table_read(path_of("%s/tables/tdags.csv", place));
    for (size_t row = 0; row < table.rows; row++) {
        char *page = web_body(&web, "/core-22/tdag/%s", table_get(&table, row, "dag"));
        assert_well_formed(page);
        for (size_t i = 0; i < sizeof facts / sizeof *facts; i++)
            expect_fact(page, facts[i][0], table_get(&table, row, facts[i][1]));
        assert_non_null(strstr(page, path_of("<td class=\"n\">%s</td>", table_get(&table, row, "automation"))));
        assert_non_null(strstr(page, path_of("/core-22/class/%.32s\"", table_get(&table, row, "class_id"))));
        free(page);
    }
    table_free(&table);
}

static void classes_have_their_members(void **state)
{
    (void)state;
    struct table table = table_read(path_of("%s/tables/classes.csv", place));
    for (size_t row = 0; row < table.rows; row += 5) {
        const char *id = table_get(&table, row, "class_id");
        char *page = web_body(&web, "/core-22/class/%.32s", id);
        expect_fact(page, "T-DAGs", table_get(&table, row, "tdags"));
        free(page);
        char *csv = web_body(&web, "/core-22/tdags.csv?class=%.32s", id);
        assert_int_equal(count_of(csv, "\n"), 1 + table_number(&table, row, table_column(&table, "tdags")));
        free(csv);
    }
    table_free(&table);
}

/* Under a rule set that shares rows with the one that was loaded first, and page by page. */
static void classes_come_in_the_order_of_their_table(void **state)
{
    (void)state;
    struct table table = table_read(path_of("%s/tables/classes.csv", place));
    char *page = NULL, *at = NULL;
    for (size_t row = 0; row < table.rows; row++) {
        if (row % 50 == 0) {
            free(page);
            page = web_body(&web, "/core-22/classes?page=%zu", row / 50 + 1);
            at = strstr(page, "<tbody>");
        }
        at = strstr(at, "/core-22/class/");
        assert_non_null(at);
        at += strlen("/core-22/class/");
        assert_memory_equal(at, table_get(&table, row, "class_id"), 32);
    }
    free(page);
    table_free(&table);
}

/* ---- links ---- */

#define TARGETS_MAX 1200

static char *targets[TARGETS_MAX];
static size_t targets_count;

/* Links come as HTML, relative ones as ?query of the page's path. */
static void add_target(const char *link, size_t size, const char *from)
{
    char *target = malloc(size + strlen(from) + 1), *out = target;
    assert_non_null(target);
    if (*link == '?') {
        size_t path = strcspn(from, "?");
        memcpy(target, from, path);
        out += path;
    }
    for (size_t i = 0; i < size; i++) {
        *out++ = link[i];
        if (strncmp(link + i, "&amp;", 5) == 0)
            i += 4;
    }
    *out = '\0';
    for (size_t i = 0; i < targets_count; i++) {
        if (strcmp(targets[i], target) == 0) {
            free(target);
            return;
        }
    }
    if (targets_count < TARGETS_MAX)
        targets[targets_count++] = target;
    else
        free(target);
}

static void collect(const char *page, const char *from)
{
    static const char *const marks[] = {" href=\"", " src=\"", " action=\""};
    for (size_t m = 0; m < sizeof marks / sizeof *marks; m++) {
        for (const char *at = strstr(page, marks[m]); at; at = strstr(at, marks[m])) {
            at += strlen(marks[m]);
            if (*at == '#')
                continue;
            if (*at != '/' && *at != '?')
                fail_msg("%s has a link to elsewhere: %.60s", from, at);
            add_target(at, strcspn(at, "\"#"), from);
        }
    }
}

static void every_link_leads_somewhere(void **state)
{
    (void)state;
    const struct web *const both[] = {&web, &linked};
    for (size_t w = 0; w < 2; w++) {
        targets_count = 0;
        add_target("/core-0.18/", strlen("/core-0.18/"), "");
        for (size_t i = 0; i < targets_count; i++) {
            struct answer answer = web_get(both[w], "%s", targets[i]);
            if (answer.status != 200 && answer.status != 302)
                fail_msg("%s: %u", targets[i], answer.status);
            if (strstr(answer.head, "text/html")) {
                assert_well_formed(answer.body);
                assert_true(answer.body_size < 200000);
                collect(answer.body, targets[i]);
            }
            answer_free(&answer);
        }
        assert_int_equal(targets_count, TARGETS_MAX);
        for (size_t i = 0; i < targets_count; i++)
            free(targets[i]);
    }
}

/* ---- search ---- */

static void expect_location(const char *target, const char *location)
{
    struct answer answer = web_get(&web, "%s", target);
    assert_int_equal(answer.status, 302);
    if (!strstr(answer.head, path_of("Location: %s\r\n", location)))
        fail_msg("%s leads not to %s: %s", target, location, answer.head);
    answer_free(&answer);
}

static void search_finds_what_is_alone(void **state)
{
    (void)state;
    struct table table = table_read(path_of("%s/tables/txs.csv", place));
    const char *txid = NULL;
    for (size_t row = 0; row < table.rows && !txid; row++)
        txid = strcmp(table_get(&table, row, "is_root"), "0") == 0 ? table_get(&table, row, "txid") : NULL;
    assert_non_null(txid);
    expect_location(path_of("/core-22/search?q=%.12s", txid), path_of("/core-22/tx/%s", txid));
    expect_location(path_of("/core-22/search?q=++%s:0+", txid), path_of("/core-22/tx/%s:0", txid));
    expect_location("/core-22/search?q=260", "/core-22/block/260");
    expect_location("/core-22/search?q=witness-v0-other-size", "/core-22/tdags?script=witness-v0-other-size");
    table_free(&table);
    table = table_read(path_of("%s/tables/classes.csv", place));
    const char *id = table_get(&table, 3, "class_id");
    expect_location(path_of("/core-22/search?q=%.14s", id), path_of("/core-22/class/%.32s", id));
    table_free(&table);
    expect_location("/", "/core-0.18/");
    char *page = web_body(&web, "/core-22/search?q=nothing+has+this");
    assert_non_null(strstr(page, "Found: 0."));
    free(page);
    page = web_body(&web, "/core-22/search?q=00260"); /* the beginning of a hash, which none has, and no height */
    assert_non_null(strstr(page, "Found: 0."));
    free(page);
}

/* How much of a thing's name the search takes: `most` digits are too few, one more finds it. */
static void expect_digits(const struct web *of, const char *hex, unsigned most)
{
    char *few = web_body(of, "/core-22/search?q=%.*s", (int)most, hex), *none = strstr(few, "Found: 0.");
    if (!none)
        fail_msg("%.*s is found", (int)most, hex);
    struct answer answer = web_get(of, "/core-22/search?q=%.*s", (int)most + 1, hex);
    if (answer.status != 302 && (answer.status != 200 || strstr(answer.body, "Found: 0.")))
        fail_msg("%.*s is not found", (int)most + 1, hex);
    answer_free(&answer);
    free(few);
}

/* The digits that the start and a search without a find ask for are those that find. */
static void search_takes_the_digits_that_it_says(void **state)
{
    (void)state;
    static const char other[] = "first 4 digits will do; of an address the first 4 characters; of a key, a preimage, "
                                "a script or a hash in one the first 8 digits; ",
                      last[] = "Any other transaction is found only by its whole txid, and with an index.</p>";
    char *start = web_body(&linked, "/core-22/"), *none = web_body(&linked, "/core-22/search?q=zz");
    assert_true(strstr(start, other) && strstr(none, other) && strstr(start, last) && strstr(none, last));
    free(start);
    free(none);
    /* of the node's own answers, truth/txs.csv and outputs.csv: a transaction with unknown outputs, a key in a
     * multisig, and a coinbase all of whose outputs are known */
    expect_digits(&web, "4b35a2ab70f1259e724f2672b04c7d80", 3);
    expect_digits(&web, "0354b44dddf057bad4b9183a1f85d1fb", 7);
    expect_digits(&linked, "6d0d1d6407e1b75214d47ac6c687097ce1d1b3fb515c428a6686dffe238bdfe5", 63);
}

/* What can be searched is said where nothing was asked yet: by the field, by the start, and where nothing is found. */
static void search_says_what_it_finds(void **state)
{
    (void)state;
    static const char *const things[] = {"txid",  "TXID:VOUT", "height",    "hash",   "T-DAG",    "class",
                                         "group", "address",   " key",      "script", "preimage", "template",
                                         "label", "protocol",  "known scr", "digits"};
    char *start = web_body(&web, "/core-22/"), *none = web_body(&web, "/core-22/search?q=");
    const char *hint = strstr(start, "<p class=\"source\">The search above finds "),
               *title = strstr(none, " title=\"Finds ");
    const char *takes = strstr(none, " Search finds ");
    assert_true(hint && title && takes);
    *strchr(hint, '\n') = '\0';
    *strstr(title, "\" value") = '\0';
    for (size_t i = 0; i < sizeof things / sizeof *things; i++) {
        assert_non_null(strstr(hint, things[i]));
        assert_non_null(strstr(title, things[i]));
        assert_non_null(strstr(takes, things[i]));
    }
    assert_non_null(strstr(start, "placeholder=\"txid, block, address, key, script "));
    free(start);
    free(none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_rows_are_those_of_the_table),
        cmocka_unit_test(filters_leave_the_rows_that_fit),
        cmocka_unit_test(filters_take_units),
        cmocka_unit_test(filters_find_measures_as_written),
        cmocka_unit_test(filters_find_times_of_transactions),
        cmocka_unit_test(marks_lead_to_what_they_count),
        cmocka_unit_test(a_tdag_saved_is_that_of_other_commands),
        cmocka_unit_test(facts_are_those_of_the_table),
        cmocka_unit_test(classes_have_their_members),
        cmocka_unit_test(classes_come_in_the_order_of_their_table),
        cmocka_unit_test(every_link_leads_somewhere),
        cmocka_unit_test(search_finds_what_is_alone),
        cmocka_unit_test(search_takes_the_digits_that_it_says),
        cmocka_unit_test(search_says_what_it_finds),
    };
    return cmocka_run_group_tests(tests, make, clean);
}
