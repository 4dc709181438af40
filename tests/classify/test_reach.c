/* reach against a search from each vertex. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "classify/reach.h"
#include "tests/classify/arc_list.h"

/* A list as reach takes it; arcs are sorted by their tails. */
struct arrays {
    struct canon_graph graph;
    uint32_t *first;
    uint32_t *to;
    uint64_t *weights;
    uint64_t *sums;
};

static struct arrays arrays_of(const struct list *list)
{
    struct arrays arrays = {
        .first = calloc(list->vertices + 2u, sizeof *arrays.first),
        .to = calloc(list->arcs + 1u, sizeof *arrays.to),
        .weights = calloc(list->vertices + 1u, sizeof *arrays.weights),
        .sums = calloc(list->vertices + 1u, sizeof *arrays.sums),
    };
    for (uint32_t i = 0; i < list->arcs; i++)
        arrays.first[list->from[i] + 2]++;
    for (uint32_t v = 0; v < list->vertices; v++) {
        arrays.first[v + 2] += arrays.first[v + 1];
        arrays.weights[v] = random_below(1000);
    }
    for (uint32_t i = 0; i < list->arcs; i++)
        arrays.to[arrays.first[list->from[i] + 1]++] = list->to[i];
    arrays.graph = (struct canon_graph){list->vertices, list->colour, arrays.first, arrays.to, NULL};
    return arrays;
}

static void arrays_free(struct arrays *arrays)
{
    free(arrays->first);
    free(arrays->to);
    free(arrays->weights);
    free(arrays->sums);
}

static uint64_t searched(const struct arrays *arrays, uint32_t from)
{
    const struct canon_graph *graph = &arrays->graph;
    uint8_t *seen = calloc(graph->vertices, 1);
    uint32_t *list = calloc(graph->vertices, sizeof *list), count = 0;
    uint64_t sum = 0;
    list[count++] = from;
    seen[from] = 1;
    for (uint32_t i = 0; i < count; i++) {
        sum += arrays->weights[list[i]];
        for (uint32_t a = graph->first[list[i]]; a < graph->first[list[i] + 1]; a++)
            if (!seen[graph->to[a]]) {
                seen[graph->to[a]] = 1;
                list[count++] = graph->to[a];
            }
    }
    free(seen);
    free(list);
    return sum;
}

static void check(struct reach *reach, const struct list *list)
{
    struct list *other = renumbered(list);
    struct arrays arrays = arrays_of(other);
    assert_int_equal(reach_find(reach, &arrays.graph, arrays.weights, arrays.sums), STATUS_OK);
    for (uint32_t v = 0; v < other->vertices; v++)
        assert_int_equal(arrays.sums[v], searched(&arrays, v));
    uint32_t *position = calloc(other->vertices + 1u, sizeof *position);
    for (uint32_t i = 0; i < other->vertices; i++)
        position[reach->order[i]] = i;
    for (uint32_t a = 0; a < other->arcs; a++)
        assert_true(position[other->from[a]] < position[other->to[a]]);
    free(position);
    arrays_free(&arrays);
    list_free(other);
}

/* Arcs lead at most `span` vertices ahead, so that small spans leave places that all ways lead through. */
static struct list *random_dag(uint32_t vertices, uint32_t span, uint32_t degree)
{
    struct list *list = list_new(vertices);
    for (uint32_t v = 0; v + 1 < vertices; v++) {
        uint32_t ahead = vertices - 1 - v < span ? vertices - 1 - v : span, before = UINT32_MAX;
        for (uint32_t i = random_below(degree + 1); i-- > 0;) {
            uint32_t to = v + 1 + random_below(ahead);
            if (to != before)
                add(list, v, to, 1);
            before = to;
        }
    }
    return list;
}

static void random_dags(void **state)
{
    (void)state;
    struct reach reach = {0};
    random_state = SEED;
    for (uint32_t i = 0; i < 600; i++) {
        uint32_t vertices = 1 + random_below(i % 10 == 0 ? 900 : 120);
        struct list *list = random_dag(vertices, 1 + random_below(vertices), 1 + random_below(4));
        check(&reach, list);
        list_free(list);
    }
    reach_free(&reach);
}

/* Trees, fans, and a chain of diamonds are linear: a million vertices are no limit. */
static void linear_ones(void **state)
{
    (void)state;
    const uint32_t n = 999999;
    struct reach reach = {0};
    for (uint32_t shape = 0; shape < 3; shape++) {
        struct list *list = list_new(n);
        for (uint32_t v = 1; v < n; v++) {
            if (shape == 0)
                add(list, (v - 1) / 3, v, 1); /* an out-tree */
            else if (shape == 1)
                add(list, v, (v - 1) / 3, 1); /* an in-tree */
            else if (v % 3 == 0) {
                add(list, v - 2, v, 1); /* v - 3 -> v - 2, v - 1 -> v */
                add(list, v - 1, v, 1);
            } else
                add(list, v - v % 3, v, 1);
        }
        struct arrays arrays = arrays_of(list);
        for (uint32_t v = 0; v < n; v++)
            arrays.weights[v] = 1;
        assert_int_equal(reach_find(&reach, &arrays.graph, arrays.weights, arrays.sums), STATUS_OK);
        assert_int_equal(arrays.sums[0], shape == 1 ? 1 : n);
        assert_int_equal(arrays.sums[n - 1], shape == 0 || shape == 2 ? 1 : 14); /* 14 levels of an in-tree */
        assert_true(shape != 2 || arrays.sums[n - 3] == 3);
        arrays_free(&arrays);
        list_free(list);
    }
    reach_free(&reach);
}

static void limit(void **state)
{
    (void)state;
    struct reach reach = {0};
    random_state = 3;
    for (uint32_t n = REACH_VERTICES_SURE; n <= 4 * REACH_VERTICES_SURE; n *= 4) {
        struct list *list = random_dag(n, n, 6);
        struct arrays arrays = arrays_of(list);
        enum status status = reach_find(&reach, &arrays.graph, arrays.weights, arrays.sums);
        assert_int_equal(status, n > REACH_VERTICES_SURE ? STATUS_LIMIT : STATUS_OK);
        for (uint32_t v = 0; status == STATUS_OK && v < n; v += 997)
            assert_int_equal(arrays.sums[v], searched(&arrays, v));
        arrays_free(&arrays);
        list_free(list);
    }
    reach_free(&reach);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_dags),
        cmocka_unit_test(linear_ones),
        cmocka_unit_test(limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
