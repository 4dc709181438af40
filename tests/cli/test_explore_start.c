/* explore: before its store is loaded, pages say so and are no others; afterwards they are there. What the start page
 * counts is what its links lead to, and what has changed is what changes.csv says. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/inputs/output_folder.h"
#include "cli/views/chart.h"
#include "cli/views/explore_changes.h"
#include "parser/mem.h"
#include "tests/support/markup.h"
#include "tests/support/run.h"
#include "tests/support/table.h"
#include "tests/support/web.h"

#define FIXTURE "tests/fixtures/regtest-xor"

static char *place;

static int make(void **state)
{
    (void)state;
    place = temp_dir();
    unktx_ok("scan --quiet --datadir " FIXTURE " --store %s/store", place);
    return 0;
}

static int clean(void **state)
{
    (void)state;
    remove_tree(place);
    free(place);
    return 0;
}

/* The page as text, to be freed. */
static char *ask(struct explore *explore, const char *target, struct http_answer *answer)
{
    *answer = (struct http_answer){0};
    explore_answer(explore, target, answer);
    char *text = strndup(answer->body.size ? answer->body.bytes : "", answer->body.size);
    assert_non_null(text);
    text_free(&answer->body);
    return text;
}

static void pages_say_that_they_are_not_ready(void **state)
{
    static const char *const targets[] = {"/core-0.18/", "/core-22/search?q=ab"};
    static struct explore explore;
    char store[400];
    struct fault fault = {0};
    struct http_answer answer;
    (void)state;
    snprintf(store, sizeof store, "%s/store", place);
    const struct settings settings = {.store = store, .rules = RULES_CORE_0_18, .to_height = UINT32_MAX, .threads = 1};
    assert_int_equal(explore_open(&settings, &explore, &fault), STATUS_OK);
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        char *page = ask(&explore, targets[i], &answer);
        assert_int_equal(answer.status, 503);
        assert_true(answer.again);
        assert_well_formed(page);
        assert_non_null(strstr(page, "read the store: now"));
        free(page);
    }
    char *style = ask(&explore, "/style.css", &answer);
    assert_int_equal(answer.status, 200);
    free(style);
    assert_int_equal(explore_load(&explore, &fault), STATUS_OK);
    char *page = ask(&explore, "/core-0.18/", &answer);
    assert_int_equal(answer.status, 200);
    assert_false(answer.again);
    assert_non_null(strstr(page, "What was scanned"));
    free(page);
    page = ask(&explore, "/core-22/tdags", &answer);
    assert_int_equal(answer.status, 503);
    assert_true(answer.again);
    assert_well_formed(page);
    free(page);
    assert_int_equal(explore_load_others(&explore, &fault), STATUS_OK);
    page = ask(&explore, "/core-22/tdags", &answer);
    assert_int_equal(answer.status, 200);
    free(page);
    explore_close(&explore);
}

/* What a lack of memory has ended is begun again when it is asked for once more. */
static void what_failed_is_begun_again(void **state)
{
    static const char *const targets[] = {"/core-0.18/templates", "/core-0.18/groups"};
    static const long allowed[] = {3, 10, 30, 60, 100, 150, 200, 300};
    char store[400];
    struct http_answer answer;
    (void)state;
    snprintf(store, sizeof store, "%s/store", place);
    const struct settings settings = {.store = store, .rules = RULES_CORE_0_18, .to_height = UINT32_MAX, .threads = 1};
    size_t failed = 0;
    for (size_t t = 0; t < sizeof targets / sizeof *targets; t++) {
        static struct explore explore;
        struct fault fault = {0};
        assert_int_equal(explore_open(&settings, &explore, &fault), STATUS_OK);
        assert_int_equal(explore_load(&explore, &fault), STATUS_OK);
        for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++) {
            mem_fail_after(allowed[i]);
            answer = (struct http_answer){0};
            explore_answer(&explore, targets[t], &answer);
            mem_fail_after(-1);
            failed += answer.status == 500;
            text_free(&answer.body);
        }
        char *page = ask(&explore, targets[t], &answer);
        assert_int_equal(answer.status, 200);
        assert_well_formed(page);
        free(page);
        explore_close(&explore);
    }
    assert_true(failed >= 4);
}

/* What cannot be opened is told before an address is printed. */
static void no_address_without_a_store(void **state)
{
    (void)state;
    struct run run = unktx_expect(1, "explore --port 0 --store %s/nothing", place);
    assert_string_equal(run.out, "");
    run_free(&run);
}

/* ---- where points lead ---- */

/* An address out of an attribute at `at`, without its ampersands escaped. */
static void copy_address(const char *at, char *out, size_t size)
{
    size_t i = 0;
    for (; *at != '"' && i + 1 < size; at += strncmp(at, "&amp;", 5) == 0 ? 5 : 1)
        out[i++] = *at;
    out[i] = '\0';
}

static void points_lead_to_what_they_count(void **state)
{
    static const char *const marks[] = {"<a href=\"/core-22/tdags?nodes=", "<a href=\"/core-22/tdags?height="};
    (void)state;
    struct web web = web_start("--store %s/store", place);
    char *page = web_body(&web, "/core-22/");
    assert_well_formed(page);
    size_t seen = 0;
    for (size_t m = 0; m < sizeof marks / sizeof *marks; m++) {
        for (const char *at = page; (at = strstr(at, marks[m])); at++, seen++) {
            char address[300];
            copy_address(at + strlen("<a href=\""), address, sizeof address);
            const char *number = strncmp(strchr(at, '>') + 1, "<circle", 7) == 0 ? strstr(at, ": ") + 2
                                                                                 : strchr(at, '>') + 1;
            char *list = web_body(&web, "%s", address);
            if (!strstr(list, path_of("<p>%.*s of ", (int)strspn(number, "0123456789,"), number)))
                fail_msg("%s has not as many as its point says: %.30s", address, number);
            free(list);
        }
    }
    assert_true(seen > 40);
    size_t bars = 0;
    for (const char *at = page; (at = strstr(at, "<a href=\"/core-22/tdags?kind=")); at++, bars++) {
        char address[300];
        copy_address(at + strlen("<a href=\""), address, sizeof address);
        free(web_body(&web, "%s", address));
    }
    assert_true(bars >= 3);
    free(page);
    assert_int_equal(web_stop(&web), 130);
}

/* An axis says only where bars begin and end: the text says that the days between may be missing. A table without rows
 * says so too. */
static void what_is_left_out_is_said(void **state)
{
    (void)state;
    struct web web = web_start("--store %s/store", place);
    char *page = web_body(&web, "/core-22/");
    assert_non_null(strstr(page, "; days without a block are left out."));
    free(page);
    page = web_body(&web, "/core-22/tdags?nodes=99999999");
    assert_well_formed(page);
    assert_non_null(strstr(page, "<tbody>\n<tr class=\"none\"><td>none</td></tr>\n</tbody>"));
    free(page);
    page = web_body(&web, "/core-22/tdags");
    assert_null(strstr(page, "<td>none</td>"));
    free(page);
    assert_int_equal(web_stop(&web), 130);
}

/* The label of the largest value, on a time line of one transaction. */
static void expect_top(uint64_t value_sat, const char *label)
{
    static struct chart_times times;
    struct printer printer = {0};
    times = (struct chart_times){.first = 1400000000, .last = 1400000000};
    chart_moment(&times, times.first, value_sat);
    chart_timeline(&printer, "one", &times);
    assert_int_equal(printer.status, STATUS_OK);
    assert_non_null(strstr(printer.text.bytes, path_of("text-anchor=\"end\">%s</text>", label)));
    text_free(&printer.text);
}

static void time_lines_label_small_values(void **state)
{
    (void)state;
    expect_top(1, "0.00000001");
    expect_top(42, "0.00000042");
    expect_top(999999999, "9.99999999");
    expect_top(1234567890, "12.35");
    expect_top(123456789000, "1235");
}

/* ---- since the run before ---- */

static void changes_are_those_of_the_table(void **state)
{
    static const char *const words[] = {"new", "grown", "merged", "shrunk", "renamed", "gone"};
    (void)state;
    unktx_ok("analyze --quiet --datadir " FIXTURE " --rules core-22 --to-height 150 -o %s/results", place);
    struct web web = web_start("--store %s/results", place);
    char *page = web_body(&web, "/core-22/");
    assert_null(strstr(page, "Since the run before"));
    free(page);
    web_expect(&web, 404, "/core-22/changes");
    assert_int_equal(web_stop(&web), 130);
    unktx_ok("analyze --quiet --datadir " FIXTURE " --rules core-22 -o %s/results", place);
    struct table table = table_read(path_of("%s/results/changes.csv", place));
    assert_true(table.rows > 20);
    web = web_start("--store %s/results", place);
    page = web_body(&web, "/core-22/");
    for (size_t w = 0; w < sizeof words / sizeof *words; w++) {
        size_t rows = 0;
        for (size_t row = 0; row < table.rows; row++)
            rows += strcmp(table_get(&table, row, "change"), words[w]) == 0;
        assert_non_null(strstr(page, path_of(">%s</a></th><td class=\"n\">%zu</td>", words[w], rows)));
        char *list = web_body(&web, "/core-22/changes?change=%s", words[w]);
        assert_well_formed(list);
        assert_int_equal(count_of(list, "<tr><th scope=\"row\">"), rows < 50 ? rows : 50);
        for (size_t row = 0; row < table.rows && rows < 50; row++) {
            uint64_t moved = strtoull(table_get(&table, row, "moved_value_sat"), NULL, 10);
            const char *value = path_of("<td class=\"n\">%llu.%08llu</td>", BTC_OF(moved));
            if (strcmp(table_get(&table, row, "change"), words[w]) == 0 && *table_get(&table, row, "moved_value_sat"))
                assert_non_null(strstr(list, value));
        }
        for (size_t row = 0; row < table.rows && rows > 0; row++)
            assert_int_equal(strstr(list, path_of("tdag/%s\"", table_get(&table, row, "dag"))) != NULL,
                             strcmp(table_get(&table, row, "change"), words[w]) == 0);
        free(list);
    }
    free(page);
    web_expect(&web, 404, "/core-0.18/changes");
    assert_int_equal(web_stop(&web), 130);
    table_free(&table);
}

/* A file that is cut, or none of unktx's, is taken for none, and costs no more than its size. */
static void damaged_changes_are_none(void **state)
{
    static const char text[] = "dag,change,txs_before,txs,nodes_before,nodes,moved_value_sat_before,moved_value_sat,"
                               "joined\n<b>,new,,3,,7,,5,\n12,gone,3,,7,,5,,\"a,\"\"b\"\"\"\n";
    (void)state;
    char folder_path[400];
    snprintf(folder_path, sizeof folder_path, "%s", place);
    const struct output_folder folder = {.path = folder_path};
    const struct settings settings = {.tables = &folder};
    struct fault fault = {0};
    for (size_t size = 0; size < sizeof text; size++) {
        struct explore_changes changes = {0};
        write_file(path_of("%s/changes.csv", place), text, size);
        assert_int_equal(explore_changes_load(&settings, &changes, &fault), STATUS_OK);
        size_t lines = 0;
        for (size_t i = 0; i < size; i++)
            lines += text[i] == '\n';
        bool whole = size > 0 && text[size - 1] == '\n';
        assert_int_equal(changes.text != NULL, whole);
        assert_int_equal(changes.count, whole ? lines - 1 : 0);
        explore_changes_free(&changes);
    }
    static const char *const others[] = {"\n", "dag,change\n", "\"", "dag,change,a,b,c,d,e,f,g\nx,new,,,,,,,\n"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        struct explore_changes changes = {0};
        write_file(path_of("%s/changes.csv", place), others[i], strlen(others[i]));
        assert_int_equal(explore_changes_load(&settings, &changes, &fault), STATUS_OK);
        assert_null(changes.text);
    }
    /* explore has no pages of that rule set */
    const struct output_folder hidden = {.path = folder_path, .manifest = {.rules = RULES_HIDDEN}};
    const struct settings of_hidden = {.tables = &hidden};
    struct explore_changes changes = {0};
    write_file(path_of("%s/changes.csv", place), text, sizeof text - 1);
    assert_int_equal(explore_changes_load(&of_hidden, &changes, &fault), STATUS_OK);
    assert_null(changes.text);
}

/* ---- other blocks in the store ---- */

/* The pages' notice once there is one; the caller frees it. */
static char *notice_of(struct web *of)
{
    for (unsigned i = 0; i < 600; i++) {
        nanosleep(&(struct timespec){.tv_nsec = 200000000}, NULL);
        char *page = web_body(of, "/core-0.18/"), *notice = strstr(page, "class=\"notice\"");
        if (notice) {
            notice = strndup(notice, strcspn(notice, "\n"));
            free(page);
            return notice;
        }
        free(page);
    }
    fail_msg("no notice came");
    return NULL;
}

/* Scans with one option while pages of a scan with another are served. */
static void expect_notice(const char *before, const char *after, const char *said)
{
    unktx_ok("scan --quiet %s --datadir " FIXTURE " --store %s/growing", before, place);
    struct web growing = web_start("--store %s/growing", place);
    char *page = web_body(&growing, "/core-0.18/");
    assert_null(strstr(page, "class=\"notice\""));
    free(page);
    unktx_ok("scan --quiet %s --datadir " FIXTURE " --store %s/growing", after, place);
    char *notice = notice_of(&growing);
    if (!strstr(notice, said))
        fail_msg("from %s to %s: %s", before, after, notice);
    free(notice);
    assert_int_equal(web_stop(&growing), 130);
}

static void a_scan_meanwhile_is_told(void **state)
{
    (void)state;
    expect_notice("--to-height 200", "--to-height 260", "The store has newer blocks than these pages.");
    expect_notice("--to-height 260", "--to-height 205",
                  "Blocks were taken back since these pages were loaded: the store ends with block 205 now.");
    /* a block of that height that lost */
    expect_notice("--to-height 205", "--tip 588221bc1701903f8682bcb493e50e8d4213722e0800001ac5f0a9063809a646",
                  "The store has other blocks at its end than when these pages were loaded.");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(points_lead_to_what_they_count), cmocka_unit_test(changes_are_those_of_the_table),
        cmocka_unit_test(damaged_changes_are_none),       cmocka_unit_test(pages_say_that_they_are_not_ready),
        cmocka_unit_test(no_address_without_a_store),     cmocka_unit_test(what_failed_is_begun_again),
        cmocka_unit_test(what_is_left_out_is_said),       cmocka_unit_test(time_lines_label_small_values),
        cmocka_unit_test(a_scan_meanwhile_is_told),
    };
    return cmocka_run_group_tests(tests, make, clean);
}
