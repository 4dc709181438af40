/* report: of a chain with many T-DAGs and classes, large ones, many payers and long labels the page is still below
 * 2 MB, says what it leaves out, and has the highest and the largest classes beside the most common. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/chaingen.h"
#include "tests/support/markup.h"
#include "tests/support/run.h"
#include "tests/support/table.h"

#define PAGE_MOST 2000000u

static char *place, *page;
static struct table tdags, classes;

static void write_chain(void)
{
    const char *node = path_of("%s/node", place);
    const struct gen_options options = {.dir = node, .seed = 2, .spends = true};
    struct rng rng = {2};
    struct gen *gen = gen_open(&options);
    for (unsigned i = 0; i < 320; i++)
        gen_plant(gen, plan_random(&rng, 90));
    gen_plant(gen, plan_fan_in(3000));
    gen_plant(gen, plan_deep(3000, 7));
    gen_plant(gen, plan_random(&rng, 8000));
    gen_tdags(gen, 400);
    gen_close(gen);
}

/* Long ones, of characters that HTML writes with six, on every T-DAG. */
static void write_labels(void)
{
    FILE *file = fopen(path_of("%s/labels.csv", place), "w");
    assert_non_null(file);
    fprintf(file, "address,label\n");
    for (size_t i = 0; i < tdags.rows; i++) {
        for (unsigned l = 0; l < 3; l++) {
            fprintf(file, "%s,\"%zu %u ", table_get(&tdags, i, "dag"), i, l);
            for (unsigned c = 0; c < 900; c++)
                fputs(c % 3 == 0 ? "<" : c % 3 == 1 ? "&" : "\"\"", file);
            fprintf(file, "\"\n");
        }
    }
    fclose(file);
}

static int make(void **state)
{
    (void)state;
    size_t size;
    place = temp_dir();
    write_chain();
    unktx_ok("analyze --quiet --index --datadir %s/node -o %s/out", place, place);
    tdags = table_read(path_of("%s/out/tdags.csv", place));
    classes = table_read(path_of("%s/out/classes.csv", place));
    write_labels();
    unktx_ok("report --store %s/out/store --labels %s/labels.csv -o %s/page.html", place, place, place);
    page = read_file(path_of("%s/page.html", place), &size);
    return 0;
}

static int clean(void **state)
{
    (void)state;
    table_free(&tdags);
    table_free(&classes);
    remove_tree(place);
    free(place);
    free(page);
    return 0;
}

static void the_page_is_small(void **state)
{
    size_t size;
    (void)state;
    assert_true(tdags.rows > 600 && classes.rows > 320);
    assert_well_formed(page);
    print_message("the page has %zu bytes\n", strlen(page));
    assert_true(strlen(page) < PAGE_MOST);
    char *bare = read_file(path_of("%s/out/report.html", place), &size);
    assert_well_formed(bare);
    assert_true(size < PAGE_MOST);
    free(bare);
}

static void classes_left_out_are_told(void **state)
{
    (void)state;
    char number[32];
    snprintf(number, sizeof number, classes.rows < 1000 ? "%zu" : "1,%03zu",
             classes.rows < 1000 ? classes.rows : classes.rows - 1000);
    const char *told = strstr(page, path_of("<b>200 of %s classes</b>", number));
    assert_non_null(told);
    assert_true(told < strstr(page, "<caption>Isomorphism classes</caption>"));
    assert_int_equal(count_of(page, "<td class=\"drawn\">"), 200);
}

/* Those with the largest number in a column are in the table, 40 at least. */
static void expect_first_by(const char *column, const char *reason)
{
    for (size_t i = 0; i < classes.rows; i++) {
        uint64_t value = table_number(&classes, i, table_column(&classes, column));
        size_t before = 0;
        for (size_t other = 0; other < classes.rows; other++) {
            uint64_t than = table_number(&classes, other, table_column(&classes, column));
            before += than > value || (than == value && other < i);
        }
        if (before >= 40)
            continue;
        const char *row = strstr(page, path_of("<tr id=\"class-%zu\">", i + 1));
        assert_non_null(row);
        const char *end = strstr(row, "</tr>"), *id = strstr(row, table_get(&classes, i, "class_id"));
        const char *told = strstr(row, reason);
        assert_true(id && id < end && told && told < end);
    }
}

static void the_highest_and_the_largest_are_there(void **state)
{
    (void)state;
    expect_first_by("height", "high");
    expect_first_by("nodes", "large");
    for (size_t i = 0; i < 120; i++)
        assert_non_null(strstr(page, path_of("<tr id=\"class-%zu\">", i + 1)));
}

static void labels_are_cut(void **state)
{
    (void)state;
    assert_int_equal(count_of(page, "<section id=\"labelled\""), 1);
    assert_non_null(strstr(page, "the first 200 in the order of the chain are listed"));
    assert_non_null(strstr(page, "0 0 &lt;&amp;&quot;"));
    assert_non_null(strstr(page, "\u2026</td>"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_page_is_small),
        cmocka_unit_test(classes_left_out_are_told),
        cmocka_unit_test(the_highest_and_the_largest_are_there),
        cmocka_unit_test(labels_are_cut),
    };
    return cmocka_run_group_tests(tests, make, clean);
}
