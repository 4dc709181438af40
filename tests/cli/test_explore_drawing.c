/* explore: what is opened in the drawing of a large T-DAG: the table has the transactions that the sign stands for, all
 * signs together have each once, and a part is drawn in its turn. The largest are drawn meanwhile. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/chaingen.h"
#include "tests/support/markup.h"
#include "tests/support/run.h"
#include "tests/support/table.h"
#include "tests/support/web.h"

static char *place;
static struct web web;
static struct table tdags;

/* A fan-in, chains with and without more roots, a random one. */
static int make(void **state)
{
    (void)state;
    place = temp_dir();
    const char *node = path_of("%s/node", place);
    const struct gen_options options = {.dir = node, .seed = 14};
    struct rng rng = {14};
    struct gen *gen = gen_open(&options);
    gen_plant(gen, plan_fan_in(1200));
    gen_plant(gen, plan_deep(2000, 4));
    gen_plant(gen, plan_deep(9000, 1));
    gen_plant(gen, plan_random(&rng, 6000));
    gen_tdags(gen, 20);
    gen_close(gen);
    unktx_ok("scan --quiet --datadir %s/node --store %s/store", place, place);
    unktx_ok("dags --no-unlocks --store %s/store --rules core-22 -o %s/tables", place, place);
    tdags = table_read(path_of("%s/tables/tdags.csv", place));
    web = web_start("--store %s/store --rules core-22", place);
    return 0;
}

static int clean(void **state)
{
    (void)state;
    int status = web_stop(&web);
    table_free(&tdags);
    remove_tree(place);
    free(place);
    return status == 130 ? 0 : -1;
}

static uint64_t number_at(const char *at)
{
    uint64_t number = 0;
    for (; (*at >= '0' && *at <= '9') || *at == ','; at++)
        number = *at == ',' ? number : number * 10 + (uint64_t)(*at - '0');
    return number;
}

static uint64_t number_after(const char *page, const char *mark)
{
    const char *at = strstr(page, mark);
    if (!at)
        fail_msg("no \"%s\" in the page", mark);
    return number_at(at + strlen(mark));
}

/* What the next link after *at opens; false: there is no more. */
static bool next_open(const char **at, char *out, size_t size)
{
    static const char mark[] = "<a href=\"?open=";
    const char *found = strstr(*at, mark);
    if (!found)
        return false;
    found += strlen(mark);
    size_t length = strcspn(found, "#\"");
    assert_true(length > 0 && length < size);
    memcpy(out, found, length);
    out[length] = '\0';
    *at = found + length;
    return true;
}

/* What is opened is named as the tooltip names it: up to its transactions, "part of" apart. */
static void expect_label(const char *opened, const char *title, bool is_part)
{
    char label[200];
    const char *way = strstr(opened, "<li aria-current=\"true\">"), *from = title + (is_part ? 15 : 7);
    snprintf(label, sizeof label, ": %.*s</li>", (int)(strstr(from, ", of ") - from), from);
    assert_non_null(way);
    const char *named = strstr(way, label);
    assert_true(named && named < strchr(way, '\n'));
}

/* The other rule sets' drawings have other signs: their menu opens none, and leads to a page. */
static void follow_rules(const char *opened)
{
    const char *at = strstr(opened, "<ul class=\"rules\">"), *end = strstr(at, "</ul>");
    size_t seen = 0;
    while ((at = strstr(at, "<a href=\"")) && at < end) {
        char target[200];
        at += strlen("<a href=\"");
        snprintf(target, sizeof target, "%.*s", (int)strcspn(at, "\""), at);
        assert_null(strchr(target, '?'));
        web_expect(&web, 200, "%s", target);
        seen++;
    }
    assert_int_equal(seen, 3);
}

/* Of the first 40 signs of a drawing that open: the page. Returns how many parts were among them. */
static unsigned open_all(const char *name, const char *page, unsigned depth)
{
    unsigned parts = 0, looked_at = 0;
    char open[64];
    const char *at = strstr(page, "<svg class=\"tdag\""), *end = strstr(at, "</svg>");
    while (next_open(&at, open, sizeof open) && at < end && looked_at++ < 40) {
        const char *title = strstr(at, "<title>");
        assert_non_null(title);
        bool is_part = strncmp(title, "<title>part of ", 15) == 0;
        uint64_t txs = number_after(title, ", of ");
        char *opened = web_body(&web, "/core-22/tdag/%s?open=%s", name, open);
        assert_well_formed(opened);
        assert_true(txs >= 2);
        expect_label(opened, title, is_part);
        if (looked_at == 1)
            follow_rules(opened);
        assert_int_equal(number_after(opened, "<a href=\"#transactions\">"), txs);
        assert_int_equal(count_of(strstr(opened, "<section id=\"transactions\""), "<tr><th scope=\"row\">"),
                         txs < 50 ? txs : 50);
        /* the first of them is the one that the tooltip names */
        const char *first = strstr(title, " transaction "), *table = strstr(opened, "<caption>Transactions of");
        assert_true(first && table && strstr(table, "/tx/"));
        assert_memory_equal(strstr(table, "/tx/") + strlen("/tx/"), first + strlen(" transaction "), 64);
        parts += is_part;
        if (is_part && depth < 2) {
            assert_true(strstr(opened, "<svg class=\"tdag\"") && strstr(opened, "Part of T-DAG"));
            parts += open_all(name, opened, depth + 1);
        }
        free(opened);
    }
    return parts;
}

static void parts_are_opened(void **state)
{
    (void)state;
    unsigned parts = 0, large = 0;
    for (size_t row = 0; row < tdags.rows; row++) {
        if (table_number(&tdags, row, table_column(&tdags, "nodes")) <= 300)
            continue;
        char *page = web_body(&web, "/core-22/tdag/%s", table_get(&tdags, row, "dag"));
        assert_well_formed(page);
        assert_int_equal(number_after(strstr(page, "<svg class=\"tdag\""), "Edges lead down. "),
                         table_number(&tdags, row, table_column(&tdags, "nodes")));
        assert_int_equal(number_after(page, "Longest path: "),
                         table_number(&tdags, row, table_column(&tdags, "height")));
        parts += open_all(table_get(&tdags, row, "dag"), page, 0);
        large++;
        free(page);
    }
    assert_true(large >= 4 && parts >= 10);
}

static void what_is_not_there_is_told(void **state)
{
    static const char *const wrong[] = {
        "x",
        "9999",
        "1.",
        ".1",
        "1..1",
        "1.9999",
        "-1",
        "00001",
        "0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0",
        "11111111111111111111111111111111111111111111111111111111111111111111111111111111111"};
    (void)state;
    const char *name = table_get(&tdags, 0, "dag");
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct answer answer = web_get(&web, "/core-22/tdag/%s?open=%s", name, wrong[i]);
        assert_int_equal(answer.status, 404);
        assert_well_formed(answer.body);
        answer_free(&answer);
    }
}

/* So large a drawing is made while its page is there without it; then it is that of `unktx show`, and opens like any
 * other. */
static void a_large_one_is_made_meanwhile(void **state)
{
    (void)state;
    const char *node = path_of("%s/large-node", place);
    const struct gen_options options = {.dir = node, .seed = 15};
    struct gen *gen = gen_open(&options);
    gen_plant(gen, plan_deep(24000, 4));
    gen_tdags(gen, 2);
    gen_close(gen);
    unktx_ok("scan --quiet --datadir %s/large-node --store %s/large", place, place);
    struct web large = web_start("--store %s/large --rules core-22", place);
    char *list = web_body(&large, "/core-22/tdags.csv?txs=20000..");
    unsigned number = (unsigned)number_at(strchr(list, '\n') + 1);
    free(list);
    char *page = web_body(&large, "/core-22/tdag/%u", number);
    for (unsigned i = 0; i < 300 && !strstr(page, "<svg class=\"tdag\""); i++) {
        assert_well_formed(page);
        assert_non_null(strstr(page, "The drawing is being made."));
        assert_non_null(strstr(page, "<h2 id=\"measures-title\">"));
        free(page);
        usleep(100000);
        page = web_body(&large, "/core-22/tdag/%u", number);
    }
    assert_well_formed(page);
    assert_true(number_after(strstr(page, "<svg class=\"tdag\""), "Edges lead down. ") > 24000);
    char *file = web_body(&large, "/core-22/tdag/%u.svg", number);
    struct run run = unktx("show --dag %u --format svg --store %s/large --rules core-22", number, place);
    assert_string_equal(file, run.out);
    run_free(&run);
    free(file);
    const char *open = strstr(page, "?open=");
    assert_non_null(open);
    char *part = web_body(&large, "/core-22/tdag/%u?open=%u", number, (unsigned)number_at(open + strlen("?open=")));
    assert_well_formed(part);
    assert_non_null(strstr(part, "Opened: "));
    free(part);
    part = web_body(&large, "/core-22/class/%.32s", strstr(page, "/core-22/class/") + strlen("/core-22/class/"));
    assert_non_null(strstr(part, "<svg class=\"tdag\""));
    free(part);
    free(page);
    assert_int_equal(web_stop(&large), 130);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_are_opened),
        cmocka_unit_test(what_is_not_there_is_told),
        cmocka_unit_test(a_large_one_is_made_meanwhile),
    };
    return cmocka_run_group_tests(tests, make, clean);
}
