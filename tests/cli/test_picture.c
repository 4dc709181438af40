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

/* Nodes that the marks of a drawing stand for: one each, and what the counts say more. */
static uint64_t nodes_drawn(const char *svg)
{
    uint64_t nodes = count_of(svg, "</title></");
    for (const char *at = strstr(svg, ", times "); at; at = strstr(at + 1, ", times "))
        nodes += number_at(at + strlen(", times ")) - 1;
    return nodes;
}

static void every_node_is_drawn_or_told(void **state)
{
    (void)state;
    struct table tdags = table_read(path_of("%s/tdags.csv", place));
    bool any_cut = false, any_counted = false;
    assert_true(tdags.rows > 20);
    for (size_t i = 0; i < tdags.rows; i++) {
        struct run run = unktx_expect(0, "show --store %s/store --rules core-22 --dag %zu --format svg", place, i + 1);
        uint64_t nodes = table_number(&tdags, i, table_column(&tdags, "nodes"));
        const char *cut = strstr(run.out, "of which ");
        uint64_t not_drawn = cut ? number_at(cut + strlen("of which ")) : 0;
        assert_well_formed(run.out);
        assert_int_equal(nodes_drawn(run.out) + not_drawn, nodes);
        if (nodes <= 24) { /* node by node */
            const char *arcs = strstr(run.out, "<path class=\"a\" d=\"");
            char *end = strchr(strstr(arcs, "d=\"") + 3, '"');
            *end = '\0';
            assert_int_equal(count_of(arcs, "L"), table_number(&tdags, i, table_column(&tdags, "edges")));
            *end = '"';
            assert_null(strstr(run.out, ", times "));
            assert_int_equal(count_of(run.out, "<title>root"), table_number(&tdags, i, table_column(&tdags, "roots")));
            assert_int_equal(count_of(run.out, "<title>unknown output, spent"),
                             table_number(&tdags, i, table_column(&tdags, "spent_unknown")));
            assert_int_equal(count_of(run.out, "<title>known output"),
                             table_number(&tdags, i, table_column(&tdags, "known_leaves")));
        }
        any_cut |= cut != NULL;
        any_counted |= strstr(run.out, ", times ") != NULL;
        run_free(&run);
    }
    assert_true(any_cut && any_counted);
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
        cmocka_unit_test(every_node_is_drawn_or_told),
        cmocka_unit_test(the_same_bytes_for_any_threads),
    };
    return cmocka_run_group_tests(tests, analyze, clean);
}
