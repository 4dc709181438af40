/* canon on giants whose automorphisms have a closed form, and on what is too hard for it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "graph/dag/shape.h"
#include "parser/mem.h"
#include "tests/classify/arc_list.h"

static void test_fan_in(void **state)
{
    (void)state;
    struct list *list = list_new(20001);
    for (uint32_t v = 0; v < 20000; v++)
        add(list, v, 20000, 1);
    struct canon_form all = check_form(list, log10_factorial(20000));
    list->label[77] = 2;
    struct canon_form one = check_form(list, log10_factorial(19999));
    assert_false(same_id(&all, &one));
    list_free(list);
}

static void test_chain(void **state)
{
    (void)state;
    struct list *list = list_new(200000);
    for (uint32_t v = 0; v + 1 < list->vertices; v++)
        add(list, v, v + 1, 1);
    check_form(list, 0);
    list_free(list);
}

/* Ten sources feed a chain of 2,260 transactions, whose outputs are spent three together. */
static void test_deep(void **state)
{
    (void)state;
    struct list *list = list_new(2270);
    for (uint32_t v = 0; v + 1 < 2260; v++)
        add(list, v, v + 1, 3);
    for (uint32_t v = 0; v < 10; v++)
        add(list, 2260 + v, 226 * (v / 2), 1);
    check_form(list, 5 * log10(2));
    list_free(list);
}

static void test_lattices(void **state)
{
    (void)state;
    struct list *layers = list_new(5000), *grid = list_new(90000), *cube = list_new(1 << 12);
    for (uint32_t v = 0; v < 49 * 100; v++)
        for (uint32_t i = 0; i < 100; i++)
            add(layers, v, v / 100 * 100 + 100 + i, 1);
    check_form(layers, 50 * log10_factorial(100));
    for (uint32_t v = 0; v < 90000; v++) {
        if (v / 300 < 299)
            add(grid, v, v + 300, 1);
        if (v % 300 < 299)
            add(grid, v, v + 1, 1);
    }
    check_form(grid, log10(2));
    for (uint32_t v = 0; v < 1 << 12; v++)
        for (uint32_t bit = 1; bit < 1 << 12; bit *= 2)
            if (!(v & bit))
                add(cube, v, v | bit, 1);
    check_form(cube, log10_factorial(12));
    list_free(layers);
    list_free(grid);
    list_free(cube);
}

/* A thousand hexagons and a thousand cycles through a hub. */
static void test_hub(void **state)
{
    (void)state;
    struct list *hexagons = list_new(6001), *cycles = list_new(5001);
    for (uint32_t k = 0; k < 1000; k++) {
        for (uint32_t i = 0; i < 3; i++) {
            add(hexagons, 6 * k + i, 6 * k + 3 + i, 1);
            add(hexagons, 6 * k + i, 6 * k + 3 + (i + 1) % 3, 1);
            add(hexagons, 6000, 6 * k + i, 1);
        }
        add(cycles, 5000, 5 * k, 1);
        add(cycles, 5 * k, 5 * k + 1, 1);
        add(cycles, 5 * k + 1, 5 * k + 2, 1);
        add(cycles, 5 * k + 3, 5 * k + 2, 1);
        add(cycles, 5 * k + 4, 5 * k + 3, 1);
        add(cycles, 5000, 5 * k + 4, 1);
    }
    check_form(hexagons, log10_factorial(1000) + 1000 * log10(6));
    check_form(cycles, log10_factorial(1000) + 1000 * log10(2));
    list_free(hexagons);
    list_free(cycles);
}

/* The bipartite doubles of the Paley graph of 101 points (x -> a x + b, a square: 101 * 50) and of the 12 x 12 rook's
 * graph (12! for rows, 12! for columns, 2): regular, so all is left to BLISS. */
static void test_strongly_regular(void **state)
{
    (void)state;
    struct list *paley = list_new(202), *rook = list_new(288);
    bool square[101] = {false};
    for (uint32_t i = 1; i < 101; i++)
        square[i * i % 101] = true;
    for (uint32_t i = 0; i < 101; i++)
        for (uint32_t j = 0; j < 101; j++)
            if (square[(i + 101 - j) % 101])
                add(paley, i, 101 + j, 1);
    for (uint32_t i = 0; i < 144; i++)
        for (uint32_t j = 0; j < 144; j++)
            if (i != j && (i / 12 == j / 12 || i % 12 == j % 12))
                add(rook, i, 144 + j, 1);
    check_form(paley, log10(101 * 50));
    check_form(rook, 2 * log10_factorial(12) + log10(2));
    list_free(paley);
    list_free(rook);
}

/* A tree of 200,000 and a DAG of as many with two inputs each. */
static void test_random_giants(void **state)
{
    (void)state;
    struct list *list = list_new(200000);
    random_state = SEED;
    for (uint32_t v = 1; v < list->vertices; v++)
        add(list, random_below(v), v, 1 + random_below(2));
    struct canon_form tree = form_of(list);
    check_form(list, tree.automorphisms_log10);
    for (uint32_t v = 2; v < list->vertices; v++) {
        uint32_t u = random_below(v);
        if (u != list->from[v - 1])
            add(list, u, v, 1);
    }
    struct canon_form dag = form_of(list);
    check_form(list, dag.automorphisms_log10);
    assert_true(dag.automorphisms_log10 < tree.automorphisms_log10);
    list_free(list);
}

/* A ring, of sources and sinks in turn, with a star on each vertex: the stars are cut. */
static void test_ring_of_stars(void **state)
{
    (void)state;
    enum { HALF = 500, LEAVES = 20 };
    struct list *list = list_new(2 * HALF * (1 + LEAVES));
    for (uint32_t i = 0; i < HALF; i++) {
        add(list, i, HALF + i, 1);
        add(list, i, HALF + (i + 1) % HALF, 1);
    }
    for (uint32_t i = 0; i < 2 * HALF * LEAVES; i++)
        add(list, i / LEAVES, 2 * HALF + i, 1);
    check_form(list, log10(2 * HALF) + 2 * HALF * log10_factorial(LEAVES));
    list_free(list);
}

/* A ring of joints, neighbours joined by `paths` paths with `inner` vertices each, towards every second joint. */
static struct list *ring_of_links(uint32_t joints, uint32_t paths, uint32_t inner)
{
    struct list *list = list_new(joints * (1 + paths * inner));
    for (uint32_t i = 0; i < joints; i++)
        for (uint32_t path = 0; path < paths; path++) {
            uint32_t at = i % 2 ? (i + 1) % joints : i, end = i % 2 ? i : (i + 1) % joints;
            for (uint32_t k = 0; k < inner; k++) {
                uint32_t next = joints + (paths * i + path) * inner + k;
                add(list, at, next, 1);
                at = next;
            }
            add(list, at, end, 1);
        }
    return list;
}

static void test_ring_of_twins(void **state)
{
    (void)state;
    struct list *list = ring_of_links(4000, 5, 1);
    check_form(list, log10(4000) + 4000 * log10_factorial(5));
    list_free(list);
}

/* More work than BLISS may do: not exact, but the same id for any numbering. */
static void test_too_hard(void **state)
{
    (void)state;
    struct list *list = ring_of_links(6, 6000, 2), *other = renumbered(list);
    struct canon_form a = form_of(list), b = form_of(other);
    assert_false(a.exact || b.exact);
    assert_true(same_id(&a, &b));
    list_free(list);
    list_free(other);
    test_fan_in(NULL); /* the scratch space is as good as new */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fan_in),        cmocka_unit_test(test_chain),
        cmocka_unit_test(test_deep),          cmocka_unit_test(test_lattices),
        cmocka_unit_test(test_hub),           cmocka_unit_test(test_strongly_regular),
        cmocka_unit_test(test_random_giants), cmocka_unit_test(test_ring_of_stars),
        cmocka_unit_test(test_ring_of_twins), cmocka_unit_test(test_too_hard),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
