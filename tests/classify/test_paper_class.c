/* paper_class against the paper's Definitions 11 and 12, word by word: graphs of nodes and edges, and a comparison that
 * goes down both at once. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "classify/paper_class.h"
#include "parser/mem.h"
#include "tests/classify/classified.h"

/* ---- a T-DAG as nodes and edges ---- */

#define NODES 64

struct graph {
    uint32_t nodes;
    uint32_t top;
    bool edge[NODES][NODES];
    uint32_t size[NODES];
    uint32_t degree[NODES];
    uint32_t child[NODES][NODES]; /* sorted */
};

struct expansion {
    const struct forest *forest;
    bool compress;
    uint32_t tx[NODES];
    uint32_t spender[NODES]; /* FOREST_NONE: a leaf */
    bool root[NODES];
    bool removed[NODES];
};

static uint32_t add_node(struct graph *graph, struct expansion *expansion, uint32_t tx, uint32_t spender)
{
    assert_true(graph->nodes < NODES);
    expansion->tx[graph->nodes] = tx;
    expansion->spender[graph->nodes] = spender;
    return graph->nodes++;
}

static void add_nodes(struct graph *graph, struct expansion *expansion, uint32_t t)
{
    const struct forest *forest = expansion->forest;
    const struct forest_tx *tx = &forest->txs[t];
    uint32_t tracked = tx[1].first_output - tx->first_output;
    if (tx->inputs > tx[1].first_spend - tx->first_spend && tracked + tx->nulldata > 0)
        expansion->root[add_node(graph, expansion, t, FOREST_NONE)] = true;
    for (uint32_t i = 0; i < tx->outputs; i++) {
        const struct forest_output *output = i < tracked ? &forest->outputs[tx->first_output + i] : NULL;
        uint32_t v = add_node(graph, expansion, t, output ? output->spender : FOREST_NONE);
        expansion->removed[v] = expansion->compress && output && output->spender != FOREST_NONE &&
                                output->anyone_can_spend;
    }
}

/* Each removed node's parents lead to its children. */
static void remove_nodes(struct graph *graph, struct expansion *expansion)
{
    for (uint32_t x = 0; x < graph->nodes; x++) {
        for (uint32_t p = 0; expansion->removed[x] && p < graph->nodes; p++)
            for (uint32_t c = 0; graph->edge[p][x] && c < graph->nodes; c++)
                graph->edge[p][c] |= graph->edge[x][c];
        for (uint32_t v = 0; expansion->removed[x] && v < graph->nodes; v++)
            graph->edge[v][x] = graph->edge[x][v] = false;
    }
}

static uint64_t reached(const struct graph *graph, uint32_t from)
{
    uint64_t set = UINT64_C(1) << from, before;
    do {
        before = set;
        for (uint32_t v = 0; v < graph->nodes; v++)
            for (uint32_t w = 0; set >> v & 1 && w < graph->nodes; w++)
                set |= (uint64_t)graph->edge[v][w] << w;
    } while (set != before);
    return set;
}

/* ---- the order ---- */

static int8_t memo[NODES][NODES]; /* 2: not yet known */

static int order_of(const struct graph *a, uint32_t s, const struct graph *b, uint32_t t)
{
    if (memo[s][t] != 2)
        return memo[s][t];
    int order = (a->size[s] > b->size[t]) - (a->size[s] < b->size[t]);
    if (order == 0)
        order = (a->degree[s] > b->degree[t]) - (a->degree[s] < b->degree[t]);
    for (uint32_t i = 0; order == 0 && i < a->degree[s]; i++)
        order = order_of(a, a->child[s][i], b, b->child[t][i]);
    memo[s][t] = (int8_t)order;
    return order;
}

/* Children come before their parents in the order of reach, so that their own lists are sorted. */
static void sort_children(struct graph *graph, uint32_t v)
{
    for (uint32_t w = 0; w < graph->nodes; w++) {
        if (!graph->edge[v][w])
            continue;
        uint32_t at = graph->degree[v]++;
        for (; at > 0 && order_of(graph, graph->child[v][at - 1], graph, w) > 0; at--)
            graph->child[v][at] = graph->child[v][at - 1];
        graph->child[v][at] = w;
    }
}

static void forget(void) { memset(memo, 2, sizeof memo); }

static struct graph *expand(const struct result *result, const struct forest *forest, uint32_t d, bool compress)
{
    struct graph *graph = calloc(1, sizeof *graph);
    struct expansion expansion = {.forest = forest, .compress = compress};
    uint32_t roots = 0;
    assert_non_null(graph);
    for (uint32_t m = result->tdags.first[d]; m < result->tdags.first[d + 1]; m++)
        add_nodes(graph, &expansion, result->tdags.members[m]);
    for (uint32_t v = 0; v < graph->nodes; v++) {
        uint32_t to = expansion.root[v] ? expansion.tx[v] : expansion.spender[v];
        for (uint32_t w = 0; w < graph->nodes; w++)
            graph->edge[v][w] = to != FOREST_NONE && expansion.tx[w] == to && !expansion.root[w];
        roots += expansion.root[v];
        graph->top = expansion.root[v] ? v : graph->top;
    }
    remove_nodes(graph, &expansion);
    if (roots > 1) {
        graph->top = add_node(graph, &expansion, FOREST_NONE, FOREST_NONE);
        for (uint32_t v = 0; v < graph->top; v++)
            graph->edge[graph->top][v] = expansion.root[v];
    }
    for (uint32_t v = 0; v < graph->nodes; v++)
        graph->size[v] = (uint32_t)__builtin_popcountll(reached(graph, v));
    forget();
    for (uint32_t size = 1; size <= graph->nodes; size++)
        for (uint32_t v = 0; v < graph->nodes; v++)
            if (graph->size[v] == size)
                sort_children(graph, v);
    return graph;
}

struct compared {
    struct graph *graph;
    const struct paper_class *class;
};

static int compare_tdags(const void *a, const void *b)
{
    const struct compared *x = a, *y = b;
    forget();
    return order_of(x->graph, x->graph->top, y->graph, y->graph->top);
}

static struct paper_classes paper_of(const struct forest *forest, const struct result *result, bool compress,
                                     unsigned threads)
{
    struct paper_classes paper;
    struct fault fault = {0};
    assert_int_equal(paper_classes_find(forest, &result->tdags, &result->classes, compress, threads, &paper, &fault),
                     STATUS_OK);
    return paper;
}

/* Sorted by the definition, T-DAGs that are equal stand together; so must those of one id, and no others. */
static void compare(struct forest_builder *builder, bool compress)
{
    struct result result = run(builder, compress, 2);
    struct paper_classes paper = paper_of(&builder->forest, &result, compress, 2);
    struct compared *list = calloc(result.classes.rows_count, sizeof *list);
    uint32_t count = 0, groups = 0;
    for (uint32_t d = 0; d < result.classes.rows_count; d++) {
        if (result.classes.rows[d].vanished)
            continue;
        assert_true(paper.tdags[d].known);
        list[count++] = (struct compared){expand(&result, &builder->forest, d, compress), &paper.tdags[d]};
    }
    qsort(list, count, sizeof *list, compare_tdags);
    for (uint32_t i = 0; i < count; i++) {
        bool equal = i > 0 && compare_tdags(&list[i - 1], &list[i]) == 0;
        bool same = i > 0 && memcmp(list[i - 1].class->id, list[i].class->id, CANON_ID_SIZE) == 0;
        assert_int_equal(equal, same);
        groups += !equal;
    }
    assert_int_equal(paper.count, groups);
    assert_int_equal(paper.open, 0);
    assert_in_range(groups, 2, result.classes.classes_count - 1); /* something is merged */
    for (uint32_t i = 0; i < count; i++)
        free(list[i].graph);
    free(list);
    paper_classes_free(&paper);
    result_free(&result);
}

static void by_definition(void **state)
{
    (void)state;
    struct forest_builder builder = {0};
    random_state = 2021;
    add_random_dags(&builder, 6000);
    compare(&builder, false);
    forest_builder_free(&builder);
}

static void by_definition_compressed(void **state)
{
    (void)state;
    struct forest_builder builder = {0};
    random_state = 9459;
    add_random_dags(&builder, 6000);
    for (uint32_t o = 0; o < builder.forest.outputs_count; o++)
        builder.forest.outputs[o].anyone_can_spend = random_below(3) == 0;
    compare(&builder, true);
    forest_builder_free(&builder);
}

/* ---- by hand ---- */

static void spend(struct forest_builder *builder, uint32_t tx, uint32_t first, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        forest_add_spend(builder, tx, first + i);
}

/* docs/model.md, section 9: one transaction of four outputs, spent as 2 + 2 and as 1 + 3. Not isomorphic, and equal: in
 * both, four children of the root reach three nodes each. With a spender of three outputs in the place of one of two it
 * is another class. */
static void counterexample(void **state)
{
    (void)state;
    static const uint32_t cases[][3] = {{2, 2, 2}, {1, 2, 2}, {1, 3, 2}};
    struct forest_builder builder = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint32_t root = forest_add_tx(&builder, 1, 4, 0, 0);
        forest_add_tx(&builder, 0, 0, cases[i][1], 0);
        spend(&builder, root, 0, cases[i][0]);
        forest_add_tx(&builder, 0, 0, cases[i][2], 0);
        spend(&builder, root, cases[i][0], 4 - cases[i][0]);
    }
    struct result result = run(&builder, false, 1);
    struct paper_classes paper = paper_of(&builder.forest, &result, false, 1);
    assert_int_equal(result.classes.classes_count, 3);
    assert_int_equal(paper.count, 2);
    assert_int_equal(paper_classes_merging(&paper), 1);
    assert_memory_equal(paper.tdags[0].id, paper.tdags[1].id, CANON_ID_SIZE);
    assert_memory_not_equal(paper.tdags[0].id, paper.tdags[2].id, CANON_ID_SIZE);
    paper_classes_free(&paper);
    result_free(&result);
    forest_builder_free(&builder);
}

/* A chain of two roots spent together has the artificial root above it that the same shape below one root has as a
 * node: the definition does not tell them apart. */
static void artificial_root(void **state)
{
    (void)state;
    struct forest_builder builder = {0};
    forest_add_tx(&builder, 1, 1, 0, 0);
    forest_add_tx(&builder, 1, 1, 0, 0);
    forest_add_tx(&builder, 0, 0, 1, 0);
    spend(&builder, 0, 0, 1);
    spend(&builder, 1, 0, 1);
    uint32_t root = forest_add_tx(&builder, 1, 2, 0, 0);
    for (uint32_t i = 0; i < 2; i++) {
        forest_add_tx(&builder, 0, 1, 0, 0);
        spend(&builder, root, i, 1);
    }
    forest_add_tx(&builder, 0, 0, 1, 0);
    spend(&builder, root + 1, 0, 1);
    spend(&builder, root + 2, 0, 1);
    struct result result = run(&builder, false, 1);
    struct paper_classes paper = paper_of(&builder.forest, &result, false, 1);
    assert_int_equal(result.classes.classes_count, 2);
    assert_int_equal(paper.count, 1);
    paper_classes_free(&paper);
    result_free(&result);
    forest_builder_free(&builder);
}

/* Transactions of which each spends an output of the last one and of one far before it: ways part and meet everywhere.
 * Of a size above the limit the class stays open, and the others have theirs. */
static void add_woven(struct forest_builder *builder, uint32_t count, uint64_t seed)
{
    uint32_t first = builder->forest.txs_count;
    random_state = seed;
    for (uint32_t i = 0; i < count; i++) {
        forest_add_tx(builder, i == 0, i + 1 < count ? 2 : 1, 0, 0);
        if (i > 0)
            forest_add_spend(builder, first + i - 1, 0);
        if (i > 1 && random_below(2) == 0) {
            uint32_t from = first + random_below(i - 1);
            if (builder->forest.outputs[builder->forest.txs[from].first_output + 1].spender == FOREST_NONE)
                forest_add_spend(builder, from, 1);
        }
    }
}

static void too_large(void **state)
{
    (void)state;
    struct forest_builder builder = {0};
    add_woven(&builder, 100000, 77);
    add_woven(&builder, 3000, 78);
    struct result result = run(&builder, false, 2);
    struct paper_classes paper = paper_of(&builder.forest, &result, false, 2);
    assert_int_equal(result.classes.rows_count, 2);
    assert_false(paper.tdags[0].known);
    assert_true(paper.tdags[1].known);
    assert_int_equal(paper.open, 1);
    assert_int_equal(paper.count, 1);
    paper_classes_free(&paper);
    result_free(&result);
    forest_builder_free(&builder);
}

static void out_of_memory(void **state)
{
    (void)state;
    struct forest_builder builder = {0};
    struct fault fault = {0};
    enum status status = STATUS_NOMEM;
    random_state = 5;
    add_random_dags(&builder, 40);
    for (uint32_t o = 0; o < builder.forest.outputs_count; o += 3)
        builder.forest.outputs[o].anyone_can_spend = 1;
    struct result result = run(&builder, true, 1);
    for (long allowed = 0; status == STATUS_NOMEM; allowed++) {
        struct paper_classes paper;
        assert_true(allowed < 5000);
        mem_fail_after(allowed);
        status = paper_classes_find(&builder.forest, &result.tdags, &result.classes, true, 1, &paper, &fault);
        mem_fail_after(-1);
        if (status == STATUS_OK)
            paper_classes_free(&paper);
    }
    assert_int_equal(status, STATUS_OK);
    result_free(&result);
    forest_builder_free(&builder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_definition),  cmocka_unit_test(by_definition_compressed),
        cmocka_unit_test(counterexample), cmocka_unit_test(artificial_root),
        cmocka_unit_test(too_large),      cmocka_unit_test(out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
