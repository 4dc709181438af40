/* show --format svg: every T-DAG of the bundled chain, its marks counted against tdags.csv. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "tests/support/markup.h"
#include "tests/support/run.h"
#include "tests/support/table.h"

#define FIXTURE "tests/fixtures/regtest-xor"

static char *place;

static int analyze(void **state)
{
    (void)state;
    place = temp_dir();
    struct run run = unktx_expect(0, "analyze --quiet --datadir " FIXTURE " --rules core-22 -o %s", place);
    run_free(&run);
    return 0;
}

static int clean(void **state)
{
    (void)state;
    remove_tree(place);
    free(place);
    return 0;
}

static uint64_t number_at(const char *at)
{
    uint64_t number = 0;
    for (; (*at >= '0' && *at <= '9') || *at == ','; at++)
        number = *at == ',' ? number : number * 10 + (uint64_t)(*at - '0');
    return number;
}

/* Nodes that the signs of a drawing stand for: one each, and what the counts say more; parts say how many. */
static uint64_t nodes_drawn(const char *svg)
{
    uint64_t nodes = count_of(svg, "</title></") - count_of(svg, "<title>part of ");
    for (const char *at = strstr(svg, ", times "); at; at = strstr(at + 1, ", times "))
        nodes += number_at(at + strlen(", times ")) - 1;
    for (const char *at = strstr(svg, "<title>part of "); at; at = strstr(at + 1, "<title>part of "))
        nodes += number_at(at + strlen("<title>part of "));
    return nodes;
}

static uint64_t number_of(const struct table *table, size_t row, const char *column)
{
    return table_number(table, row, table_column(table, column));
}

/* Of a drawing node by node: an arc for each edge, but for those by way of a joint. */
static void expect_plain(char *svg, const struct table *tdags, size_t row)
{
    if (count_of(svg, "r=\"1.5\"/>\n<") == 1) { /* the legend's alone */
        const char *arcs = strstr(svg, "<path class=\"a\" d=\"");
        char *end = strchr(strstr(arcs, "d=\"") + 3, '"');
        *end = '\0';
        assert_int_equal(count_of(arcs, "L"), number_of(tdags, row, "edges"));
        *end = '"';
    }
    assert_null(strstr(svg, ", times "));
    assert_int_equal(count_of(svg, "<title>root"), number_of(tdags, row, "roots"));
    assert_int_equal(count_of(svg, "<title>unknown output, spent"), number_of(tdags, row, "spent_unknown"));
    assert_int_equal(count_of(svg, "<title>unknown output, not spent"), number_of(tdags, row, "unspent_unknown"));
    assert_int_equal(count_of(svg, "<title>known output"), number_of(tdags, row, "known_leaves"));
    /* a path of n edges has n + 1 nodes */
    assert_int_equal(count_of(svg, "; on the longest path"), number_of(tdags, row, "height") + 1);
}

static void every_node_is_drawn(void **state)
{
    (void)state;
    struct table tdags = table_read(path_of("%s/tdags.csv", place));
    bool any_plain = false, any_counted = false;
    assert_true(tdags.rows > 20);
    for (size_t i = 0; i < tdags.rows; i++) {
        struct run run = unktx_expect(0, "show --store %s/store --rules core-22 --dag %zu --format svg", place, i + 1);
        uint64_t nodes = number_of(&tdags, i, "nodes");
        assert_well_formed(run.out);
        assert_int_equal(nodes_drawn(run.out), nodes);
        const char *told = strstr(run.out, "Longest path: ");
        assert_int_equal(number_at(told + strlen("Longest path: ")), number_of(&tdags, i, "height"));
        if (nodes <= 300)
            expect_plain(run.out, &tdags, i);
        any_plain |= nodes <= 300;
        any_counted |= strstr(run.out, ", times ") != NULL;
        run_free(&run);
    }
    assert_true(any_plain && any_counted);
    table_free(&tdags);
}

static void the_same_bytes_for_any_threads(void **state)
{
    (void)state;
    struct run one = unktx_expect(0, "show --store %s/store --dag 4 --format svg --threads 1", place);
    struct run four = unktx_expect(0, "show --store %s/store --dag 4 --format svg --threads 4", place);
    assert_string_equal(one.out, four.out);
    run_free(&one);
    run_free(&four);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_node_is_drawn),
        cmocka_unit_test(the_same_bytes_for_any_threads),
    };
    return cmocka_run_group_tests(tests, analyze, clean);
}
