/* explore: what its pages tell beyond the T-DAGs' own table, which comes from an index, from the blk files, or from the
 * files of --labels. */
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
    unktx_ok("flows --store %s/linked --rules core-22 -o %s/flows", place, place);
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

/* Those that payers.csv or payees.csv has for the T-DAG of that number, in its part of the page. */
static size_t expect_addresses(const char *begin, const char *end, const char *name, const char *number)
{
    struct table table = table_read(path_of("%s/flows/%s.csv", place, name));
    size_t seen = 0;
    for (size_t row = 0; row < table.rows; row++) {
        const char *address = table_get(&table, row, "address");
        if (strcmp(table_get(&table, row, "dag_id"), number) != 0 || !*address)
            continue;
        const char *at = strstr(begin, path_of(">%s<", address));
        assert_true(at && (!end || at < end));
        seen++;
    }
    table_free(&table);
    return seen;
}

/* Beside the drawing: the five most valuable rows of the table for that T-DAG, and how many there are besides. */
static void expect_valuable(const char *page, const char *title, const char *name, const char *number, size_t rows)
{
    struct table table = table_read(path_of("%s/flows/%s.csv", place, name));
    const char *begin = strstr(page, path_of("<h3>%s</h3>", title)), *at = begin;
    size_t place_in_order = 0;
    assert_non_null(begin);
    char *side = strndup(begin, (size_t)(strstr(begin, "</section>") - begin));
    assert_int_equal(count_of(side, "<li>"), rows < 5 ? rows : 5);
    assert_int_equal(strstr(side, path_of("And %zu more", rows - 5)) != NULL, rows > 5);
    while ((at = strstr(at, "<li>")) && at < begin + strlen(side)) {
        unsigned long long coins, rest;
        assert_int_equal(sscanf(at, "<li>%llu.%llu BTC", &coins, &rest), 2);
        uint64_t shown = coins * 100000000 + rest;
        size_t above = 0, equal = 0;
        for (size_t row = 0; row < table.rows; row++) {
            uint64_t value = strtoull(table_get(&table, row, "value_sat"), NULL, 10);
            bool is_here = strcmp(table_get(&table, row, "dag_id"), number) == 0;
            above += is_here && value > shown;
            equal += is_here && value == shown;
        }
        assert_true(equal > 0);
        assert_in_range(place_in_order, above, above + equal - 1);
        place_in_order++;
        at++;
    }
    free(side);
    table_free(&table);
}

/* Rows of a table in a page, by what only they have. */
static void payments_are_those_of_flows(void **state)
{
    (void)state;
    struct table table = table_read(path_of("%s/tables/tdags.csv", place));
    size_t seen = 0, addresses = 0;
    for (size_t row = 0; row < table.rows; row++) {
        const char *number = table_get(&table, row, "dag_id");
        char *payers = table_lines(path_of("%s/flows/payers.csv", place), 0, number);
        char *payees = table_lines(path_of("%s/flows/payees.csv", place), 0, number);
        size_t in = count_of(payers, "\n") - 1, out = count_of(payees, "\n") - 1;
        free(payers);
        free(payees);
        if (strtoul(table_get(&table, row, "txs"), NULL, 10) > 50 || in > 50 || out > 50)
            continue;
        char *page = web_body(&linked, "/core-22/tdag/%s", table_get(&table, row, "dag"));
        expect_valuable(page, "Payers", "payers", number, in);
        expect_valuable(page, "Payees", "payees", number, out);
        char *begin = strstr(page, "<caption>Payers"), *middle = strstr(page, "<caption>Payees");
        assert_true(begin && middle && begin < middle);
        char *end = strstr(middle, "</tbody>");
        *end = '\0';
        assert_int_equal(count_of(middle, "<tr><td>"), out);
        *middle = '\0';
        assert_int_equal(count_of(begin, "<tr><td>"), in);
        *middle = '<';
        seen += in + out;
        addresses += expect_addresses(begin, middle, "payers", number) +
                     expect_addresses(middle, NULL, "payees", number);
        free(page);
    }
    table_free(&table);
    assert_true(seen > 50 && addresses > 20);
}

static void a_transaction_has_both_sides(void **state)
{
    (void)state;
    struct table table = table_read(path_of("%s/tables/arcs.csv", place));
    for (size_t row = 0; row < table.rows; row += 17) {
        const char *from = table_get(&table, row, "from_txid"), *to = table_get(&table, row, "to_txid");
        const char *vout = table_get(&table, row, "from_vout");
        const struct web *const both[] = {&web, &linked};
        for (size_t i = 0; i < 2; i++) {
            char *page = web_body(both[i], "/core-22/tx/%s?out=%lu", from, strtoul(vout, NULL, 10) / 50 + 1);
            assert_well_formed(page);
            assert_non_null(strstr(page, path_of("/core-22/tx/%s\"", to)));
            assert_non_null(strstr(page, path_of("tdag/%s", table_get(&table, row, "dag"))));
            free(page);
            page = web_body(both[i], "/core-22/tx/%s:%s", from, vout);
            assert_well_formed(page);
            assert_non_null(strstr(page, path_of("/core-22/tx/%s\"", to)));
            free(page);
            unsigned long vin = strtoul(table_get(&table, row, "to_vin"), NULL, 10);
            if (i == 0 && vin >= 50) /* without an index a page counts the stored spends alone */
                continue;
            page = web_body(both[i], "/core-22/tx/%s?in=%lu", to, vin / 50 + 1);
            assert_non_null(strstr(page, path_of("/core-22/tx/%s:%s\"", from, vout)));
            free(page);
        }
    }
    table_free(&table);
}

/* How an input unlocked the unknown output that it spends is as in unlocks.csv. */
static void unlocks_are_those_of_the_table(void **state)
{
    (void)state;
    unktx_ok("unlocks --store %s/store --rules core-22 -o %s/unlocks.csv", place, place);
    struct table table = table_read(path_of("%s/unlocks.csv", place));
    assert_true(table.rows > 20);
    for (size_t row = 0; row < table.rows; row += 7) {
        unsigned long vin = strtoul(table_get(&table, row, "spender_vin"), NULL, 10);
        char *page = web_body(&web, "/core-22/tx/%s?in=%lu", table_get(&table, row, "spender_txid"), vin / 50 + 1);
        const char *line = path_of("<li>input %lu, unlocked by %s", vin, table_get(&table, row, "unlock"));
        if (!strstr(page, line))
            fail_msg("%s: no %s", table_get(&table, row, "spender_txid"), line);
        free(page);
    }
    table_free(&table);
}

/* One label on every fourth T-DAG by name, and one that a page must not take for markup. */
static void labels_lead_to_their_tdags(void **state)
{
    (void)state;
    struct table table = table_read(path_of("%s/tables/tdags.csv", place));
    char *text = malloc(table.rows * 200 + 200), *p = text;
    assert_non_null(text);
    p += sprintf(p, "address,label\n%s,\"<b>&\"\"x'\"\n", table_get(&table, 1, "dag"));
    size_t labelled = 0;
    for (size_t row = 0; row < table.rows; row += 4, labelled++)
        p += sprintf(p, "%s,every fourth\n", table_get(&table, row, "dag"));
    write_file(path_of("%s/labels.csv", place), text, (size_t)(p - text));
    struct web web_with = web_start("--store %s/store --labels %s/labels.csv", place, place);
    char *csv = web_body(&web_with, "/core-22/tdags.csv?label=every+fourth");
    assert_int_equal(count_of(csv, "\n"), 1 + labelled);
    for (size_t row = 0; row < table.rows; row++)
        assert_int_equal(count_of(csv, path_of(",%s,", table_get(&table, row, "dag"))), row % 4 == 0);
    free(csv);
    unktx_ok("dags --no-unlocks --store %s/store --rules core-22 --labels %s/labels.csv -o %s/labelled", place, place,
             place);
    csv = web_body(&web_with, "/core-22/tdags.csv");
    size_t size;
    char *file = read_file(path_of("%s/labelled/tdags.csv", place), &size);
    assert_string_equal(csv, file);
    free(file);
    free(csv);
    char *page = web_body(&web_with, "/core-22/labels");
    assert_well_formed(page);
    assert_non_null(strstr(page, path_of(">every fourth</a></th><td class=\"n\">%zu</td>", labelled)));
    assert_non_null(strstr(page, ">&lt;b&gt;&amp;&quot;x&#39;</a></th><td class=\"n\">1</td>"));
    free(page);
    page = web_body(&web_with, "/core-22/tdag/%s", table_get(&table, 1, "dag"));
    assert_well_formed(page);
    assert_non_null(strstr(page, "/core-22/tdags?label=%3Cb%3E%26%22x%27\""));
    free(page);
    struct answer answer = web_get(&web_with, "/core-22/search?q=every");
    assert_int_equal(answer.status, 302);
    assert_non_null(strstr(answer.head, "Location: /core-22/tdags?label=every%20fourth\r\n"));
    answer_free(&answer);
    assert_int_equal(web_stop(&web_with), 130);
    web_expect(&web, 404, "/core-22/labels");
    free(text);
    table_free(&table);
}

/* An address in the table of payers has its labels beside it. */
static void labels_stand_with_payers(void **state)
{
    (void)state;
    struct table table = table_read(path_of("%s/flows/payers.csv", place));
    size_t row = 0;
    while (!*table_get(&table, row, "address"))
        row++;
    const char *address = table_get(&table, row, "address");
    char text[300];
    int size = snprintf(text, sizeof text, "address,label\n%s,who <pays>\n", address);
    write_file(path_of("%s/payers-labels.csv", place), text, (size_t)size);
    struct web with = web_start("--store %s/linked --labels %s/payers-labels.csv", place, place);
    char *page = web_body(&with, "/core-22/tdag/%s", table_get(&table, row, "dag"));
    assert_well_formed(page);
    assert_non_null(strstr(page, path_of(">%s</code></td><td class=\"names\"><a "
                                         "href=\"/core-22/tdags?label=who%%20%%3Cpays%%3E\">who &lt;pays&gt;</a></td>",
                                         address)));
    free(page);
    page = web_body(&with, "/core-22/search?q=%.10s", address); /* a payer is no unknown output */
    assert_well_formed(page);
    assert_non_null(strstr(page, path_of(">%s</code>, labels: <a href=\"/core-22/tdags?label=who", address)));
    free(page);
    assert_int_equal(web_stop(&with), 130);
    table_free(&table);
}

/* Labels as long as they may be, which begin alike, of what HTML and addresses write with more bytes: pages do not grow
 * with them, and each leads to its own T-DAGs. */
static void long_labels_have_short_links(void **state)
{
    (void)state;
    struct table table = table_read(path_of("%s/tables/tdags.csv", place));
    FILE *file = fopen(path_of("%s/long.csv", place), "w");
    assert_non_null(file);
    fprintf(file, "address,label\n");
    for (size_t row = 0; row < table.rows; row++) {
        for (unsigned l = 0; l < 8; l++) {
            fprintf(file, "%s,", table_get(&table, row, "dag"));
            for (unsigned c = 0; c < 200; c++)
                fputs(c % 2 ? "<" : "\u4ea4", file);
            fprintf(file, " %zu\n", (row + l) % 40);
        }
    }
    fclose(file);
    struct web with = web_start("--store %s/store --labels %s/long.csv", place, place);
    char *page = web_body(&with, "/core-22/tdags");
    assert_well_formed(page);
    assert_true(strlen(page) < 200000);
    assert_non_null(strstr(page, ", and 4 more</td>"));
    free(page);
    page = web_body(&with, "/core-22/labels");
    size_t seen = 0;
    for (const char *at = page; (at = strstr(at, "<a href=\"/core-22/tdags?label=")); at++, seen++) {
        const char *begin = at + strlen("<a href=\""), *count = strstr(at, "<td class=\"n\">");
        char *list = web_body(&with, "%.*s", (int)strcspn(begin, "\""), begin);
        assert_non_null(strstr(list, path_of("<p>%lu of ", strtoul(count + strlen("<td class=\"n\">"), NULL, 10))));
        assert_int_equal(count_of(list, "<p>The label: \u4ea4&lt;\u4ea4&lt;"), 1);
        free(list);
    }
    assert_int_equal(seen, 40);
    free(page);
    web_expect(&with, 400, "/core-22/tdags?label=%%E4%%BA%%A4%%E2%%80%%A60123456789abcdef");
    assert_int_equal(web_stop(&with), 130);
    table_free(&table);
}

/* The word that a list is sorted by: of several the first. */
static void word_of(const struct table *table, size_t row, const char *column, char separator, char out[128])
{
    const char *cell = table_get(table, row, column), *end = strchr(cell, separator);
    snprintf(out, 128, "%.*s", (int)(end ? (size_t)(end - cell) : strlen(cell)), cell);
}

static void expect_sorted(const struct table *sorted, const char *column, char separator, bool down)
{
    char before[128] = "", word[128];
    bool met[100] = {false};
    for (size_t row = 0; row < sorted->rows; row++) {
        unsigned long number = strtoul(table_get(sorted, row, "dag_id"), NULL, 10);
        word_of(sorted, row, column, separator, word);
        int by = strcmp(before, word);
        if (row > 0 && (!*before ? *word != '\0' : *word && (down ? by < 0 : by > 0)))
            fail_msg("%s: %s before %s", column, before, word);
        if (row > 0 && by == 0)
            assert_true(strtoul(table_get(sorted, row - 1, "dag_id"), NULL, 10) < number);
        assert_false(met[number]);
        met[number] = true;
        memcpy(before, word, sizeof before);
    }
}

static struct web start_with_some_labels(const struct table *table)
{
    FILE *file = fopen(path_of("%s/some.csv", place), "w");
    assert_non_null(file);
    fprintf(file, "address,label\n");
    for (size_t row = 0; row < table->rows; row += 3)
        fprintf(file, "%s,of %zu\n%s,zz\n", table_get(table, row, "dag"), (row * 7) % 10, table_get(table, row, "dag"));
    fclose(file);
    return web_start("--store %s/store --labels %s/some.csv", place, place);
}

/* In the order of their words, those without one last in either direction, equal ones in the order of their numbers;
 * and all of them. */
static void lists_are_sorted_by_words(void **state)
{
    static const struct {
        const char *sort;
        const char *column;
        char separator;
    } sorts[] = {
        {"family", "family", ' '}, {"class", "class_id", ' '}, {"script", "scripts", ' '}, {"label", "label", ';'}};
    (void)state;
    struct table table = table_read(path_of("%s/tables/tdags.csv", place));
    struct web with = start_with_some_labels(&table);
    for (size_t s = 0; s < 2 * sizeof sorts / sizeof *sorts; s++) {
        char *csv = web_body(&with, "/core-22/tdags.csv?sort=%s&order=%s", sorts[s / 2].sort, s % 2 ? "desc" : "asc");
        write_file(path_of("%s/sorted.csv", place), csv, strlen(csv));
        free(csv);
        struct table sorted = table_read(path_of("%s/sorted.csv", place));
        assert_int_equal(sorted.rows, table.rows);
        expect_sorted(&sorted, sorts[s / 2].column, sorts[s / 2].separator, s % 2);
        char *page = web_body(&with, "/core-22/tdags?sort=%s&order=%s&page=2", sorts[s / 2].sort,
                              s % 2 ? "desc" : "asc");
        char *first = strstr(page, "<tr><th scope=\"row\">");
        assert_non_null(first);
        const char *name = strstr(first, path_of(">%s<", table_get(&sorted, 50, "dag")));
        assert_true(name && name < strstr(first, "</tr>"));
        free(page);
        table_free(&sorted);
    }
    char *page = web_body(&with, "/core-22/tdags?sort=label");
    assert_well_formed(page);
    assert_non_null(strstr(page, "<option value=\"label\" selected=\"selected\">"));
    assert_non_null(strstr(page, "<option value=\"symmetry\">"));
    assert_non_null(strstr(page, "aria-sort=\"ascending\"><a href=\"?sort=label&amp;order=desc\">"));
    free(page);
    web_expect(&web, 400, "/core-22/tdags?sort=label");
    assert_int_equal(web_stop(&with), 130);
    table_free(&table);
}

/* Those of which the table has the same number stay in the order in which they are, though they differ in what it does
 * not write. */
static void measures_are_sorted_as_written(void **state)
{
    static const char *const measures[] = {"orderliness", "cadence", "chain_frequency", "repetition"};
    (void)state;
    for (size_t m = 0; m < 2 * sizeof measures / sizeof *measures; m++) {
        const char *name = measures[m / 2];
        char *csv = web_body(&web, "/core-22/tdags.csv?sort=%s&order=%s", name, m % 2 ? "desc" : "asc");
        write_file(path_of("%s/sorted.csv", place), csv, strlen(csv));
        free(csv);
        struct table sorted = table_read(path_of("%s/sorted.csv", place));
        assert_true(sorted.rows > 50);
        for (size_t row = 1; row < sorted.rows; row++) {
            double before = strtod(table_get(&sorted, row - 1, name), NULL);
            double here = strtod(table_get(&sorted, row, name), NULL);
            assert_true(m % 2 ? before >= here : before <= here);
            if (before == here)
                assert_true(strtoul(table_get(&sorted, row - 1, "dag_id"), NULL, 10) <
                            strtoul(table_get(&sorted, row, "dag_id"), NULL, 10));
        }
        table_free(&sorted);
    }
}

/* As many as there may be, with texts of a hundred KB each, which HTML writes with six bytes for one: pages of 50, each
 * of them below 200 KB. */
static void known_scripts_have_pages(void **state)
{
    (void)state;
    struct web plain = web_start("--store %s/store", place);
    char *page = web_body(&plain, "/core-22/scripts");
    size_t built_in = count_of(page, "<tr><th scope=\"row\""), more = 30;
    free(page);
    assert_int_equal(web_stop(&plain), 130);
    FILE *file = fopen(path_of("%s/known.tsv", place), "w");
    assert_non_null(file);
    for (size_t i = 0; i < more; i++) {
        fprintf(file, "own-%zu\tnonstandard\t^OP_RETURN OP_%zu$\t", i, i);
        for (unsigned column = 0; column < 3; column++) {
            for (unsigned c = 0; c < 1000; c++)
                fputs("\"\u4ea4<", file);
            fputs(column < 2 ? "\t" : "\n", file);
        }
    }
    fclose(file);
    struct web with = web_start("--store %s/store --known-scripts %s/known.tsv", place, place);
    size_t rows = 0, pages = (built_in + more - 1) / 50 + 1;
    for (size_t p = 1; p <= pages; p++) {
        page = web_body(&with, "/core-22/scripts?page=%zu", p);
        assert_well_formed(page);
        assert_true(strlen(page) < 200000);
        rows += count_of(page, "<tr><th scope=\"row\"");
        free(page);
    }
    assert_int_equal(rows, built_in + more);
    assert_int_equal(web_stop(&with), 130);
}

/* What is left out of the list is counted, in whatever case the labels are written; an output that is not there is not
 * found. */
static void search_counts_all(void **state)
{
    (void)state;
    char text[2000], *p = text;
    struct table table = table_read(path_of("%s/tables/tdags.csv", place));
    p += sprintf(p, "address,label\n");
    for (unsigned i = 0; i < 25; i++)
        p += sprintf(p, "%s,%s %u\n", table_get(&table, 0, "dag"), i % 2 ? "Many of Them" : "many of them", i);
    write_file(path_of("%s/many.csv", place), text, (size_t)(p - text));
    struct web with = web_start("--store %s/store --labels %s/many.csv", place, place);
    char *page = web_body(&with, "/core-22/search?q=MANY+of");
    assert_non_null(strstr(page, "Found: 25; of each kind the first 20 are listed"));
    assert_int_equal(count_of(page, "<li>Label "), 20);
    free(page);
    page = web_body(&with, "/core-22/search?q=%s:99999", table_get(&table, 0, "first_txid"));
    assert_non_null(strstr(page, "Found: 0."));
    free(page);
    assert_int_equal(web_stop(&with), 130);
    table_free(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(payments_are_those_of_flows),    cmocka_unit_test(a_transaction_has_both_sides),
        cmocka_unit_test(unlocks_are_those_of_the_table), cmocka_unit_test(labels_lead_to_their_tdags),
        cmocka_unit_test(labels_stand_with_payers),       cmocka_unit_test(search_counts_all),
        cmocka_unit_test(long_labels_have_short_links),   cmocka_unit_test(lists_are_sorted_by_words),
        cmocka_unit_test(measures_are_sorted_as_written), cmocka_unit_test(known_scripts_have_pages),
    };
    return cmocka_run_group_tests(tests, make, clean);
}
