/* classify against graphs of nodes and edges that the test expands by the words of docs/model.md, section 5. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "graph/dag/shape.h"
#include "parser/mem.h"
#include "tests/classify/classified.h"

#define KNOWN_OUTPUT UINT32_MAX

static void *room(size_t count, size_t size)
{
    void *block = calloc(count + 1, size);
    assert_non_null(block);
    return block;
}

/* ---- the expanded graph ---- */

struct world {
    const struct forest *forest;
    uint32_t *uin;  /* by transaction: |Uin| */
    uint32_t *root; /* by transaction: root node + 1, or 0 */
    uint32_t *base; /* by transaction: node of output 0 */
    uint32_t nodes;
    uint32_t edges;
    uint32_t *node_tx;
    uint32_t *node_output; /* KNOWN_OUTPUT for roots, known outputs and nulldata */
    bool *node_root;
    uint32_t *from;
    uint32_t *to;
    uint32_t *component;
    uint32_t components;
    uint32_t *component_first;
    uint32_t *component_nodes; /* nodes grouped by component */
};

/* By igraph, in slices of some 2,000 nodes or more that no edge leaves: shape.h bounds the work of a call. */
static void find_components(struct world *world)
{
    uint32_t *colour = room(world->nodes, 4), reach = 0;
    world->component = room(world->nodes, 4);
    for (uint32_t begin = 0, v = 0, edge = 0, edge_begin = 0; v < world->nodes; v++) {
        for (; edge < world->edges && world->from[edge] <= v; edge++)
            reach = world->to[edge] > reach ? world->to[edge] : reach;
        if (v < reach || (v - begin < 2000 && v + 1 < world->nodes))
            continue;
        struct fault fault = {0};
        uint32_t count;
        for (uint32_t e = edge_begin; e < edge; e++) {
            world->from[e] -= begin;
            world->to[e] -= begin;
        }
        struct shape_graph graph = {v + 1 - begin, edge - edge_begin, colour, world->from + edge_begin,
                                    world->to + edge_begin};
        assert_int_equal(shape_components(&graph, world->component + begin, &count, &fault), STATUS_OK);
        for (; begin <= v; begin++)
            world->component[begin] += world->components;
        world->components += count;
        edge_begin = edge;
    }
    free(colour);
}

/* Numbers the nodes, and makes room for them and their edges. */
static void number_nodes(struct world *world, const struct forest *forest)
{
    uint32_t n = forest->txs_count;
    *world = (struct world){.forest = forest, .uin = room(n, 4), .root = room(n, 4), .base = room(n, 4)};
    for (uint32_t o = 0; o < forest->outputs_count; o++)
        if (forest->outputs[o].spender != FOREST_NONE)
            world->uin[forest->outputs[o].spender]++;
    size_t edges = 0;
    for (uint32_t t = 0; t < n; t++) {
        const struct forest_tx *tx = &forest->txs[t];
        bool unknown = tx->nulldata > 0 || tx[1].first_output > tx->first_output;
        bool root = unknown && tx->inputs > world->uin[t];
        if (!root && world->uin[t] == 0)
            continue;
        if (root)
            world->root[t] = ++world->nodes;
        world->base[t] = world->nodes;
        world->nodes += tx->outputs;
        edges += (size_t)tx->outputs * (world->uin[t] + root);
    }
    world->node_tx = room(world->nodes, 4);
    world->node_output = room(world->nodes, 4);
    world->node_root = room(world->nodes, 1);
    world->from = room(edges, 4);
    world->to = room(edges, 4);
}

/* An edge from `node` to every output of transaction `tx`. */
static void add_edges(struct world *world, uint32_t node, uint32_t tx)
{
    for (uint32_t i = 0; i < world->forest->txs[tx].outputs; i++) {
        world->from[world->edges] = node;
        world->to[world->edges++] = world->base[tx] + i;
    }
}

/* Each node with what it stands for, and the edges that leave it. */
static void fill_nodes(struct world *world)
{
    const struct forest *forest = world->forest;
    for (uint32_t t = 0; t < forest->txs_count; t++) {
        const struct forest_tx *tx = &forest->txs[t];
        if (!world->root[t] && world->uin[t] == 0)
            continue;
        if (world->root[t]) {
            world->node_tx[world->root[t] - 1] = t;
            world->node_output[world->root[t] - 1] = KNOWN_OUTPUT;
            world->node_root[world->root[t] - 1] = true;
            add_edges(world, world->root[t] - 1, t);
        }
        for (uint32_t i = 0; i < tx->outputs; i++) {
            uint32_t node = world->base[t] + i;
            bool tracked = i < tx[1].first_output - tx->first_output;
            world->node_tx[node] = t;
            world->node_output[node] = tracked ? tx->first_output + i : KNOWN_OUTPUT;
            uint32_t spender = tracked ? forest->outputs[tx->first_output + i].spender : FOREST_NONE;
            if (spender != FOREST_NONE)
                add_edges(world, node, spender);
        }
    }
}

static void group_by_component(struct world *world)
{
    world->component_first = room(world->components + 1, 4);
    world->component_nodes = room(world->nodes, 4);
    for (uint32_t v = 0; v < world->nodes; v++)
        world->component_first[world->component[v] + 1]++;
    for (uint32_t c = 0; c < world->components; c++)
        world->component_first[c + 1] += world->component_first[c];
    uint32_t *next = room(world->components, 4);
    memcpy(next, world->component_first, world->components * sizeof *next);
    for (uint32_t v = 0; v < world->nodes; v++)
        world->component_nodes[next[world->component[v]]++] = v;
    free(next);
}

static void expand(struct world *world, const struct forest *forest)
{
    number_nodes(world, forest);
    fill_nodes(world);
    find_components(world);
    group_by_component(world);
}

static void world_free(struct world *world)
{
    void *all[] = {
        world->uin,  world->root, world->base,      world->node_tx,         world->node_output,    world->node_root,
        world->from, world->to,   world->component, world->component_first, world->component_nodes};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
}

/* One component, node by node, after compression if that is wanted. */
#define MATRIX 160
struct matrix {
    uint32_t nodes;
    uint32_t edges;
    uint32_t height;
    uint32_t roots;
    uint32_t width;
    uint32_t spent;
    uint32_t leaves;
    uint32_t known_leaves;
    uint32_t unspent;
    uint64_t moved_sat;
    uint64_t invariant;
    uint32_t from[MATRIX * MATRIX];
    uint32_t to[MATRIX * MATRIX];
};

static bool arc[MATRIX][MATRIX];
static bool gone[MATRIX];
static uint32_t depth[MATRIX];
static uint32_t in[MATRIX];
static uint32_t out[MATRIX];

static void fill_arcs(const struct world *world, const uint32_t *nodes, uint32_t n)
{
    for (uint32_t v = 0; v < n; v++)
        memset(arc[v], 0, n);
    for (uint32_t v = 0; v < n; v++) {
        uint32_t tx = world->node_tx[nodes[v]], output = world->node_output[nodes[v]];
        uint32_t to = world->node_root[nodes[v]] ? tx
                      : output == KNOWN_OUTPUT   ? FOREST_NONE
                                                 : world->forest->outputs[output].spender;
        for (uint32_t w = 0; to != FOREST_NONE && w < n; w++)
            arc[v][w] = !world->node_root[nodes[w]] && world->node_tx[nodes[w]] == to;
    }
}

/* Takes out what anyone can spend and somebody spent; its parents lead to its children then. */
static void compress_arcs(const struct world *world, const uint32_t *nodes, uint32_t n)
{
    for (uint32_t x = 0; x < n; x++) {
        uint32_t output = world->node_output[nodes[x]];
        gone[x] = output != KNOWN_OUTPUT && world->forest->outputs[output].anyone_can_spend &&
                  world->forest->outputs[output].spender != FOREST_NONE;
        for (uint32_t p = 0; gone[x] && p < n; p++)
            for (uint32_t c = 0; c < n; c++)
                arc[p][c] = arc[p][c] || (arc[p][x] && arc[x][c]);
        for (uint32_t v = 0; gone[x] && v < n; v++)
            arc[v][x] = arc[x][v] = false;
    }
}

static void list_arcs(struct matrix *m, uint32_t n)
{
    uint32_t name[MATRIX];
    for (uint32_t v = 0; v < n; v++)
        name[v] = gone[v] ? 0 : m->nodes++;
    for (uint32_t v = 0; v < n; v++)
        for (uint32_t w = 0; w < n; w++)
            if (arc[v][w]) {
                m->from[m->edges] = name[v];
                m->to[m->edges++] = name[w];
                out[v]++;
                in[w]++;
            }
}

static void find_depths(uint32_t n)
{
    for (bool changed = true; changed;) {
        changed = false;
        for (uint32_t v = 0; v < n; v++)
            for (uint32_t w = 0; w < n; w++)
                if (arc[v][w] && depth[w] <= depth[v]) {
                    depth[w] = depth[v] + 1;
                    changed = true;
                }
    }
}

static bool is_known_leaf(const struct world *world, uint32_t node)
{
    uint32_t tx = world->node_tx[node], first = world->base[tx];
    const struct forest_tx *t = &world->forest->txs[tx];
    uint32_t tracked = t[1].first_output - t->first_output, known = t->outputs - tracked - t->nulldata;
    return node >= first + tracked && node < first + tracked + known;
}

static void count_nodes(const struct world *world, const uint32_t *nodes, uint32_t n, struct matrix *m)
{
    uint32_t level[MATRIX] = {0};
    for (uint32_t v = 0; v < n; v++) {
        uint32_t output = world->node_output[nodes[v]];
        if (gone[v])
            continue;
        m->height = depth[v] > m->height ? depth[v] : m->height;
        m->width = ++level[depth[v]] > m->width ? level[depth[v]] : m->width;
        m->roots += world->node_root[nodes[v]];
        m->invariant += (in[v] * UINT64_C(0x9e3779b97f4a7c15) ^ out[v] * UINT64_C(0xc2b2ae3d27d4eb4f)) *
                        (2 * depth[v] + 1);
        if (world->node_root[nodes[v]])
            continue;
        if (out[v] > 0) {
            m->spent++;
            m->moved_sat += world->forest->outputs[output].value_sat;
            continue;
        }
        m->leaves++;
        m->known_leaves += is_known_leaf(world, nodes[v]);
    }
    m->unspent = m->leaves - m->known_leaves;
}

static void measure(const struct world *world, uint32_t component, bool compress, struct matrix *m)
{
    const uint32_t *nodes = world->component_nodes + world->component_first[component];
    uint32_t n = world->component_first[component + 1] - world->component_first[component];
    assert_true(n <= MATRIX);
    memset(m, 0, offsetof(struct matrix, from));
    memset(gone, 0, sizeof gone);
    memset(depth, 0, sizeof depth);
    memset(in, 0, sizeof in);
    memset(out, 0, sizeof out);
    fill_arcs(world, nodes, n);
    if (compress)
        compress_arcs(world, nodes, n);
    list_arcs(m, n);
    find_depths(n);
    count_nodes(world, nodes, n, m);
}

static struct shape_graph as_shape(const struct matrix *m)
{
    static const uint32_t colours[MATRIX];
    return (struct shape_graph){m->nodes, m->edges, colours, m->from, m->to};
}

struct representative {
    uint64_t invariant;
    uint32_t component;
    uint8_t class_id[CANON_ID_SIZE];
};

static int compare_representatives(const void *a, const void *b)
{
    const struct representative *x = a, *y = b;
    return (x->invariant > y->invariant) - (x->invariant < y->invariant);
}

static bool isomorphic(const struct world *world, uint32_t a, uint32_t b, bool compress)
{
    static struct matrix x, y;
    struct fault fault = {0};
    bool same = false;
    measure(world, a, compress, &x);
    measure(world, b, compress, &y);
    if (x.nodes != y.nodes || x.edges != y.edges)
        return false;
    struct shape_graph first = as_shape(&x), second = as_shape(&y);
    assert_int_equal(shape_isomorphic(&first, &second, &same, &fault), STATUS_OK);
    return same;
}

/* Every `step`-th T-DAG is isomorphic to its class' first one, and the first ones of two classes are not isomorphic. */
static void compare_partition(const struct world *world, const struct result *result, bool compress, uint32_t step)
{
    const struct classes *classes = &result->classes;
    uint32_t *component = room(classes->rows_count, 4);
    struct representative *first = room(classes->classes_count, sizeof *first);
    static struct matrix m;
    for (uint32_t d = 0; d < classes->rows_count; d++)
        component[d] = world->component[world->base[result->tdags.members[result->tdags.first[d]]]];
    for (uint32_t c = 0; c < classes->classes_count; c++) {
        first[c].component = component[classes->classes[c].first_dag - 1];
        memcpy(first[c].class_id, classes->classes[c].class_id, CANON_ID_SIZE);
        measure(world, first[c].component, compress, &m);
        first[c].invariant = m.invariant;
        assert_true(classes->classes[c].exact);
    }
    for (uint32_t d = 0; d < classes->rows_count; d += step)
        for (uint32_t c = 0; !classes->rows[d].vanished && c < classes->classes_count; c++)
            if (memcmp(first[c].class_id, classes->rows[d].class_id, CANON_ID_SIZE) == 0) {
                assert_true(isomorphic(world, first[c].component, component[d], compress));
                break;
            }
    qsort(first, classes->classes_count, sizeof *first, compare_representatives);
    for (uint32_t a = 0; a < classes->classes_count; a++)
        for (uint32_t b = a + 1; b < classes->classes_count && first[b].invariant == first[a].invariant; b++)
            assert_false(isomorphic(world, first[a].component, first[b].component, compress));
    free(component);
    free(first);
}

static void compare_metrics(const struct world *world, const struct result *result, bool compress, uint32_t step)
{
    static struct matrix m;
    uint32_t dags = 0, vanished = 0;
    for (uint32_t c = 0; c < world->components; c++) {
        uint32_t v = world->component_nodes[world->component_first[c]], dag = result->tdags.tx_dag[world->node_tx[v]];
        measure(world, c, false, &m);
        assert_int_equal(dag != 0, m.height >= 2);
        if (!dag)
            continue;
        dags++;
        for (uint32_t i = world->component_first[c]; i < world->component_first[c + 1]; i++)
            assert_int_equal(result->tdags.tx_dag[world->node_tx[world->component_nodes[i]]], dag);
        const struct tdag_row *row = &result->classes.rows[dag - 1];
        if (compress)
            measure(world, c, true, &m);
        assert_int_equal(row->vanished, m.height < 2);
        vanished += row->vanished;
        if (row->vanished)
            continue;
        assert_int_equal(row->height, m.height);
        assert_int_equal(row->nodes, m.nodes);
        assert_int_equal(row->edges, m.edges);
        assert_int_equal(row->roots, m.roots);
        assert_int_equal(row->width, m.width);
        assert_int_equal(row->leaves, m.leaves);
        assert_int_equal(row->known_leaves, m.known_leaves);
        assert_int_equal(row->unspent_unknown, m.unspent);
        assert_int_equal(row->spent_unknown, m.spent);
        assert_int_equal(row->moved_value_sat, m.moved_sat);
        if (dag % step == 0) {
            double automorphisms;
            static uint32_t position[MATRIX];
            struct fault fault = {0};
            struct shape_graph graph = as_shape(&m);
            assert_int_equal(shape_canonical(&graph, position, &automorphisms, &fault), STATUS_OK);
            assert_true(fabs(automorphisms - row->automorphisms_log10) < 1e-6);
        }
    }
    assert_int_equal(dags, result->tdags.count);
    assert_int_equal(compress, vanished > 0);
}

/* All DAGs of n labelled transactions with up to `most` outputs from one to another, all choices of known inputs, and
 * some of leaves. Ones that are not connected are several T-DAGs, or none. */
static void add_all_dags(struct forest_builder *builder, uint32_t n, uint32_t most, uint32_t leaf_choices)
{
    uint32_t pairs = n * (n - 1) / 2, codes = 1;
    for (uint32_t p = 0; p < pairs; p++)
        codes *= most + 1;
    for (uint32_t code = 0; code < codes; code++) {
        uint32_t arcs[6][6] = {0}, rest = code;
        for (uint32_t i = 0; i < n; i++)
            for (uint32_t j = i + 1; j < n; j++, rest /= most + 1)
                arcs[i][j] = rest % (most + 1);
        for (uint32_t known = 0; known < 1u << n; known += 2)
            for (uint32_t choice = 0; choice < leaf_choices; choice++) {
                uint32_t leaves[6];
                for (uint32_t i = 0; i < n; i++)
                    leaves[i] = random_below(3);
                add_dag(builder, n, arcs, leaves, known);
            }
    }
}

static void compare(struct forest_builder *builder, bool compress, uint32_t step)
{
    struct world world;
    struct result result = run(builder, compress, 2);
    expand(&world, &builder->forest);
    compare_metrics(&world, &result, compress, step);
    compare_partition(&world, &result, compress, step);
    world_free(&world);
    result_free(&result);
}

static void every_small_dag(void **state)
{
    (void)state;
    struct forest_builder builder = {0};
    random_state = 12345;
    add_all_dags(&builder, 2, 3, 8);
    add_all_dags(&builder, 3, 2, 4);
    add_all_dags(&builder, 4, 1, 4);
    add_all_dags(&builder, 5, 1, 1);
    compare(&builder, false, 16);
    forest_builder_free(&builder);
}

static void compressed(void **state)
{
    (void)state;
    struct forest_builder builder = {0};
    random_state = 99;
    add_random_dags(&builder, 4000);
    for (uint32_t o = 0; o < builder.forest.outputs_count; o++)
        builder.forest.outputs[o].anyone_can_spend = random_below(3) == 0;
    compare(&builder, true, 1);
    forest_builder_free(&builder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_small_dag),
        cmocka_unit_test(compressed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
