/* classify against hand calculations, and against graphs of nodes and edges that the test expands by the model's words.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "classify/classes.h"
#include "graph/dag/shape.h"
#include "parser/mem.h"
#include "tests/support/forests.h"

#define KNOWN_OUTPUT UINT32_MAX

static void *room(size_t count, size_t size)
{
    void *block = calloc(count + 1, size);
    assert_non_null(block);
    return block;
}

struct result {
    struct tdags tdags;
    struct classes classes;
};

static struct result run(struct forest_builder *builder, bool compress, unsigned threads)
{
    struct result result;
    struct fault fault = {0};
    if (!builder->forest.block_times)
        forest_finish(builder);
    assert_int_equal(tdags_find(&builder->forest, RULES_CORE_0_18, &result.tdags, &fault), STATUS_OK);
    assert_int_equal(classify(&builder->forest, &result.tdags, compress, threads, &result.classes, &fault), STATUS_OK);
    return result;
}

static void result_free(struct result *result)
{
    classes_free(&result->classes);
    tdags_free(&result->tdags);
}

/* ---- hand calculations ---- */

/* Spends `count` unknown outputs of `tx` from the i-th on in the newest transaction. */
static void spend_all(struct forest_builder *builder, uint32_t tx, uint32_t i, uint32_t count)
{
    for (uint32_t k = 0; k < count; k++)
        forest_add_spend(builder, tx, i + k);
}

/* A root of `unknown` and `known` outputs, of which the first `spent` go together into one transaction of `into`
 * outputs. */
static void together(struct forest_builder *builder, uint32_t roots, uint32_t outputs, uint32_t spent, uint32_t into)
{
    uint32_t first = builder->forest.txs_count;
    for (uint32_t r = 0; r < roots; r++)
        forest_add_tx(builder, 1, spent, outputs - spent, 0);
    forest_add_tx(builder, 0, 0, into, 0);
    for (uint32_t r = 0; r < roots; r++)
        spend_all(builder, first + r, 0, spent);
}

static void paper_table(void **state)
{
    (void)state;
    static const struct {
        uint32_t roots, outputs, spent, into;
        uint64_t nodes, edges;
    } rows[] = {
        {1, 1, 1, 1, 3, 2}, {2, 4, 3, 1, 11, 14},
        {1, 4, 3, 1, 6, 7}, {1, 4, 1, 1, 6, 5},
        {1, 3, 1, 1, 5, 4}, {1, 5, 1, 1, 7, 6},
        {1, 3, 1, 3, 7, 6}, {1, 4, 2, 1, 6, 6},
        {1, 2, 1, 1, 4, 3}, {20000, 1, 1, 1, 40001, 40000},
    };
    const uint32_t count = sizeof rows / sizeof *rows;
    struct forest_builder builder = {0};
    for (uint32_t i = 0; i < count; i++)
        together(&builder, rows[i].roots, rows[i].outputs, rows[i].spent, rows[i].into);
    uint32_t root = forest_add_tx(&builder, 1, 2, 1, 0);
    for (uint32_t i = 0; i < 2; i++) {
        forest_add_tx(&builder, 0, 0, 1, 0);
        forest_add_spend(&builder, root, i);
    }
    struct result result = run(&builder, false, 1);
    assert_int_equal(result.classes.rows_count, count + 1);
    for (uint32_t d = 0; d <= count; d++) {
        const struct tdag_row *row = &result.classes.rows[d];
        assert_int_equal(row->height, 2);
        assert_int_equal(row->roots, d < count ? rows[d].roots : 1);
        assert_int_equal(row->nodes, d < count ? rows[d].nodes : 6);
        assert_int_equal(row->edges, d < count ? rows[d].edges : 5);
        assert_true(row->class_exact);
    }
    assert_int_equal(result.classes.classes_count, count + 1);
    /* The fan-in: its 20,000 roots change places at will, each with its output. */
    assert_true(fabs(result.classes.rows[9].automorphisms_log10 - lgamma(20001) / log(10)) < 1e-6);
    assert_int_equal(result.classes.rows[9].family, FAMILY_FAN_IN);
    assert_int_equal(result.classes.rows[9].width, 20000);
    /* Two roots change places (2), and three outputs of each change places (6 * 6). */
    assert_true(fabs(result.classes.rows[1].automorphisms_log10 - log10(72)) < 1e-9);
    result_free(&result);
    forest_builder_free(&builder);
}

/* docs/model.md, section 6: not isomorphic, but equal under the paper's labelling. */
static void unsound_pair(void **state)
{
    (void)state;
    struct forest_builder builder = {0};
    for (uint32_t first = 2; first >= 1; first--) {
        uint32_t root = forest_add_tx(&builder, 1, 4, 0, 0);
        forest_add_tx(&builder, 0, 0, 2, 0);
        spend_all(&builder, root, 0, first);
        forest_add_tx(&builder, 0, 0, 2, 0);
        spend_all(&builder, root, first, 4 - first);
    }
    struct result result = run(&builder, false, 1);
    const struct tdag_row *rows = result.classes.rows;
    assert_int_equal(result.classes.rows_count, 2);
    assert_int_equal(rows[0].nodes, rows[1].nodes);
    assert_int_equal(rows[0].edges, rows[1].edges);
    assert_int_equal(result.classes.classes_count, 2);
    assert_memory_not_equal(rows[0].class_id, rows[1].class_id, CANON_ID_SIZE);
    result_free(&result);
    forest_builder_free(&builder);
}

/* Values, times, kinds of leaves, a mixed spender, nulldata, and a spent output that the rule set calls known. */
static void one_row_by_hand(void **state)
{
    (void)state;
    struct forest_builder builder = {0};
    uint32_t lone = forest_add_tx(&builder, 1, 1, 0, 1); /* outputs 0: height 1, no T-DAG */
    uint32_t a = forest_add_tx(&builder, 1, 2, 1, 0);    /* outputs 1, 2 */
    uint32_t b = forest_add_tx(&builder, 2, 1, 0, 1);    /* output 3; spends 1: a root, and mixed */
    forest_add_spend(&builder, a, 0);
    uint32_t c = forest_add_tx(&builder, 1, 1, 1, 0); /* output 4, later a known one; spends 2 */
    forest_add_spend(&builder, a, 1);
    forest_add_tx(&builder, 0, 0, 1, 0); /* spends the known output 4: in no T-DAG */
    forest_add_spend(&builder, c, 0);
    builder.forest.outputs[4].unknown = 1 << RULES_CORE_22;
    builder.forest.unknown_txs[RULES_CORE_0_18]--; /* c */
    struct result result = run(&builder, false, 1);
    assert_int_equal(result.classes.rows_count, 1);
    const struct tdag_row *row = &result.classes.rows[0];
    assert_int_equal(result.tdags.tx_dag[lone], 0);
    assert_int_equal(row->txs, 3);
    assert_int_equal(row->roots, 2); /* a and b; c has no unknown output */
    assert_int_equal(row->nodes, 2 + 3 + 2 + 2);
    assert_int_equal(row->edges, 3 + 2 * 2 + 2);
    assert_int_equal(row->height, 2);
    assert_int_equal(row->width, 4); /* the outputs of b and c; 3 at depth 1, 2 roots at 0 */
    assert_int_equal(row->mixed_spenders, 2);
    assert_int_equal(row->spent_unknown, 2);
    assert_int_equal(row->unspent_unknown, 2); /* output 3 and b's nulldata */
    assert_int_equal(row->known_leaves, 3);    /* a's, and both of c */
    assert_int_equal(row->leaves, 5);
    assert_int_equal(row->first_height, a);
    assert_int_equal(row->last_height, c);
    assert_int_equal(row->first_time, 1000 + a);
    assert_int_equal(row->last_time, 1000 + c);
    assert_int_equal(row->moved_value_sat, 2 + 3);
    assert_int_equal(row->root_value_sat, (2 + 3 + 1000) + (4 + 1000));
    assert_int_equal(row->leaf_value_sat, 1000 + (4 + 1000) + (5 + 1000));
    assert_int_equal(row->family, FAMILY_FAN_OUT);
    assert_int_equal(result.classes.depths[b], 2);
    assert_int_equal(result.classes.depths[lone], 0);
    assert_int_equal(result.tdags.roots_all, 3); /* lone, a, b */
    result_free(&result);
    forest_builder_free(&builder);
}

static void deep_chain(void **state)
{
    (void)state;
    const uint32_t length = 100000;
    struct forest_builder builder = {0};
    for (uint32_t t = 0; t < length; t++) {
        forest_add_tx(&builder, t == 0, 1, 0, 0);
        if (t > 0)
            forest_add_spend(&builder, t - 1, 0);
    }
    struct result result = run(&builder, false, 1);
    assert_int_equal(result.classes.rows_count, 1);
    assert_int_equal(result.classes.rows[0].height, length);
    assert_int_equal(result.classes.rows[0].nodes, length + 1);
    assert_int_equal(result.classes.rows[0].edges, length);
    assert_int_equal(result.classes.rows[0].family, FAMILY_CHAIN);
    assert_true(result.classes.rows[0].class_exact);
    result_free(&result);
    forest_builder_free(&builder);
}

/* ---- the expanded graph ---- */

struct world {
    const struct forest *forest;
    uint32_t *uin, *root, *base; /* by transaction: |Uin|, root node + 1 or 0, node of output 0 */
    uint32_t nodes, edges;
    uint32_t *node_tx, *node_output; /* node_output: KNOWN_OUTPUT for roots, known outputs and nulldata */
    bool *node_root;
    uint32_t *from, *to, *component, components;
    uint32_t *component_first, *component_nodes; /* nodes grouped by component */
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

static void expand(struct world *world, const struct forest *forest)
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
    for (uint32_t t = 0; t < n; t++) {
        const struct forest_tx *tx = &forest->txs[t];
        if (!world->root[t] && world->uin[t] == 0)
            continue;
        if (world->root[t]) {
            world->node_tx[world->root[t] - 1] = t;
            world->node_output[world->root[t] - 1] = KNOWN_OUTPUT;
            world->node_root[world->root[t] - 1] = true;
            for (uint32_t i = 0; i < tx->outputs; i++) {
                world->from[world->edges] = world->root[t] - 1;
                world->to[world->edges++] = world->base[t] + i;
            }
        }
        for (uint32_t i = 0; i < tx->outputs; i++) {
            uint32_t node = world->base[t] + i;
            bool tracked = i < tx[1].first_output - tx->first_output;
            world->node_tx[node] = t;
            world->node_output[node] = tracked ? tx->first_output + i : KNOWN_OUTPUT;
            uint32_t spender = tracked ? forest->outputs[tx->first_output + i].spender : FOREST_NONE;
            for (uint32_t k = 0; spender != FOREST_NONE && k < forest->txs[spender].outputs; k++) {
                world->from[world->edges] = node;
                world->to[world->edges++] = world->base[spender] + k;
            }
        }
    }
    find_components(world);
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
    uint32_t nodes, edges, height, roots, width;
    uint32_t spent, leaves, known_leaves, unspent;
    uint64_t moved_sat;
    uint64_t invariant;
    uint32_t from[MATRIX * MATRIX], to[MATRIX * MATRIX];
};

static bool arc[MATRIX][MATRIX];

static void measure(const struct world *world, uint32_t component, bool compress, struct matrix *m)
{
    const uint32_t *nodes = world->component_nodes + world->component_first[component];
    uint32_t n = world->component_first[component + 1] - world->component_first[component];
    bool gone[MATRIX] = {false};
    uint32_t name[MATRIX], depth[MATRIX] = {0}, in[MATRIX] = {0}, out[MATRIX] = {0}, level[MATRIX] = {0};
    memset(m, 0, offsetof(struct matrix, from));
    assert_true(n <= MATRIX);
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
    for (uint32_t x = 0; compress && x < n; x++) {
        uint32_t output = world->node_output[nodes[x]];
        gone[x] = output != KNOWN_OUTPUT && world->forest->outputs[output].anyone_can_spend &&
                  world->forest->outputs[output].spender != FOREST_NONE;
        for (uint32_t p = 0; gone[x] && p < n; p++)
            for (uint32_t c = 0; c < n; c++)
                arc[p][c] = arc[p][c] || (arc[p][x] && arc[x][c]);
        for (uint32_t v = 0; gone[x] && v < n; v++)
            arc[v][x] = arc[x][v] = false;
    }
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
    for (bool changed = true; changed;) {
        changed = false;
        for (uint32_t v = 0; v < n; v++)
            for (uint32_t w = 0; w < n; w++)
                if (arc[v][w] && depth[w] <= depth[v]) {
                    depth[w] = depth[v] + 1;
                    changed = true;
                }
    }
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
        uint32_t tx = world->node_tx[nodes[v]],
                 tracked = world->forest->txs[tx + 1].first_output - world->forest->txs[tx].first_output;
        uint32_t known = world->forest->txs[tx].outputs - tracked - world->forest->txs[tx].nulldata;
        m->known_leaves += nodes[v] >= world->base[tx] + tracked && nodes[v] < world->base[tx] + tracked + known;
    }
    m->unspent = m->leaves - m->known_leaves;
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

static uint64_t random_state;

static uint32_t random_below(uint32_t limit)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)((random_state >> 20) % limit);
}

/* `n` transactions; arcs[i][j] outputs of i go to j; leaves[i] leaves of a kind that varies; a transaction spends a
 * known output if `known` says so or if it spends nothing else. */
static void add_dag(struct forest_builder *builder, uint32_t n, uint32_t arcs[6][6], const uint32_t *leaves,
                    uint32_t known)
{
    uint32_t tx[6], next[6] = {0};
    for (uint32_t j = 0; j < n; j++) {
        uint32_t in = 0, out = 0, kind = random_below(3);
        for (uint32_t i = 0; i < n; i++) {
            in += i < j ? arcs[i][j] : 0;
            out += i > j ? arcs[j][i] : 0;
        }
        uint32_t more = out == 0 && leaves[j] == 0 ? 1 : leaves[j];
        tx[j] = forest_add_tx(builder, (known >> j & 1) || in == 0, out + (kind == 0 ? more : 0), kind == 1 ? more : 0,
                              kind == 2 ? more : 0);
        for (uint32_t i = 0; i < j; i++)
            for (uint32_t k = 0; k < arcs[i][j]; k++)
                forest_add_spend(builder, tx[i], next[i]++);
    }
}

/* All DAGs of n labelled transactions with up to `most` outputs from one to another, all choices of known inputs, and
 * some of leaves. Ones that are not connected are several T-DAGs, or none. */
static void add_all_dags(struct forest_builder *builder, uint32_t n, uint32_t most, uint32_t leaf_choices)
{
    uint32_t pairs = n * (n - 1) / 2, codes = 1;
    for (uint32_t p = 0; p < pairs; p++)
        codes *= most + 1;
    for (uint32_t code = 0; code < codes; code++) {
        uint32_t arcs[6][6] = {{0}}, rest = code;
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

static void add_random_dags(struct forest_builder *builder, uint32_t count)
{
    while (count-- > 0) {
        uint32_t n = 2 + random_below(5), arcs[6][6] = {{0}}, leaves[6], density = 1 + random_below(3);
        for (uint32_t i = 0; i < n; i++) {
            leaves[i] = random_below(3);
            for (uint32_t j = i + 1; j < n; j++)
                arcs[i][j] = random_below(4) < density ? random_below(3) : 0;
        }
        add_dag(builder, n, arcs, leaves, random_below(1u << n));
    }
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

/* One root of one output that anyone can spend, spent into one transaction: nothing is left but height 1. A chain whose
 * middle link is removed keeps the rest. */
static void compressed_by_hand(void **state)
{
    (void)state;
    struct forest_builder builder = {0};
    together(&builder, 1, 1, 1, 1);
    uint32_t first = builder.forest.txs_count;
    for (uint32_t t = 0; t < 4; t++) {
        forest_add_tx(&builder, t == 0, 1, 0, 0);
        if (t > 0)
            forest_add_spend(&builder, first + t - 1, 0);
    }
    builder.forest.outputs[0].anyone_can_spend = builder.forest.outputs[2].anyone_can_spend = 1;
    struct result result = run(&builder, true, 1);
    assert_int_equal(result.classes.rows_count, 2);
    assert_true(result.classes.rows[0].vanished);
    assert_false(result.classes.rows[1].vanished);
    assert_int_equal(result.classes.rows[1].height, 3);
    assert_int_equal(result.classes.rows[1].nodes, 4);
    assert_int_equal(result.classes.rows[1].edges, 3);
    assert_int_equal(result.classes.rows[1].spent_unknown, 2);
    assert_int_equal(result.classes.rows[1].family, FAMILY_CHAIN);
    assert_int_equal(result.classes.classes_count, 1);
    result_free(&result);
    forest_builder_free(&builder);
}

/* With nothing to remove, compression changes no row; nor does the number of threads. */
static void same_for_all(void **state)
{
    (void)state;
    struct forest_builder builder = {0};
    random_state = 7;
    add_random_dags(&builder, 20000);
    together(&builder, 3000, 2, 1, 2);
    struct result one = run(&builder, false, 1), four = run(&builder, false, 4), compressing = run(&builder, true, 4);
    assert_int_equal(one.classes.rows_count, four.classes.rows_count);
    assert_int_equal(one.classes.classes_count, four.classes.classes_count);
    assert_memory_equal(one.classes.rows, four.classes.rows, one.classes.rows_count * sizeof *one.classes.rows);
    assert_memory_equal(one.classes.rows, compressing.classes.rows, one.classes.rows_count * sizeof *one.classes.rows);
    for (uint32_t c = 0; c < one.classes.classes_count; c++) {
        const struct class_row *x = &one.classes.classes[c], *y = &four.classes.classes[c];
        assert_memory_equal(x->class_id, y->class_id, CANON_ID_SIZE);
        assert_int_equal(x->tdags, y->tdags);
        assert_int_equal(x->first_dag, y->first_dag);
        assert_true(x->automorphisms_log10 == y->automorphisms_log10);
        assert_true(c == 0 || x[-1].tdags >= x->tdags);
    }
    result_free(&one);
    result_free(&four);
    result_free(&compressing);
    forest_builder_free(&builder);
}

static void out_of_memory(void **state)
{
    (void)state;
    struct forest_builder builder = {0};
    struct fault fault = {0};
    struct tdags tdags;
    enum status status = STATUS_NOMEM;
    random_state = 3;
    add_random_dags(&builder, 30);
    for (uint32_t o = 0; o < builder.forest.outputs_count; o += 2)
        builder.forest.outputs[o].anyone_can_spend = 1;
    forest_finish(&builder);
    assert_int_equal(tdags_find(&builder.forest, RULES_CORE_0_18, &tdags, &fault), STATUS_OK);
    for (long allowed = 0; status == STATUS_NOMEM; allowed++) {
        struct classes classes = {0};
        assert_true(allowed < 5000);
        mem_fail_after(allowed);
        status = classify(&builder.forest, &tdags, true, 1, &classes, &fault);
        mem_fail_after(-1);
        classes_free(&classes);
    }
    assert_int_equal(status, STATUS_OK);
    tdags_free(&tdags);
    forest_builder_free(&builder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paper_table),        cmocka_unit_test(unsound_pair),    cmocka_unit_test(one_row_by_hand),
        cmocka_unit_test(deep_chain),         cmocka_unit_test(every_small_dag), cmocka_unit_test(compressed),
        cmocka_unit_test(compressed_by_hand), cmocka_unit_test(same_for_all),    cmocka_unit_test(out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
