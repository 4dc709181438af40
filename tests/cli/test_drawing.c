/* drawing: of T-DAGs of every shape and size every node is counted once, all hangs together, and there is no more of it
 * than was asked for; the two paths against a search through all paths; parts that are opened, down to the last. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "cli/views/drawing.h"
#include "graph/dag/shape.h"
#include "tests/support/forests.h"
#include "tests/support/plan.h"

#define RULES_USED RULES_CORE_0_18

static const struct drawing_bounds large = {300, 160}, small = {24, 40}, least = {0, DRAWING_LEAST};

/* ---- what must be true of any drawing ---- */

/* Its nodes by the model's formula, output by output. */
static void count_nodes(const struct drawing_scope *scope, uint64_t nodes[4])
{
    memset(nodes, 0, 4 * sizeof *nodes);
    for (uint32_t i = 0; i < scope->count; i++) {
        const struct forest_tx *tx = &scope->forest->txs[scope->numbers[i]];
        uint64_t spent = 0;
        for (uint32_t o = tx->first_output; o < tx[1].first_output; o++)
            spent += scope->forest->outputs[o].spender != FOREST_NONE;
        uint64_t unknown = (uint64_t)tx[1].first_output - tx->first_output + tx->nulldata;
        nodes[VERTEX_ROOT] += forest_is_root(scope->forest, scope->numbers[i], scope->rules);
        nodes[VERTEX_SPENT] += spent;
        nodes[VERTEX_UNSPENT] += unknown - spent;
        nodes[VERTEX_KNOWN] += tx->outputs - unknown;
    }
}

static void expect_all_nodes(const struct drawing_scope *scope, const struct drawing *drawing)
{
    uint64_t nodes[4], drawn[4] = {0}, all = 0, stood_for = 0;
    bool parts = false;
    count_nodes(scope, nodes);
    for (uint32_t v = 0; v < drawing->vertices_count; v++) {
        const struct drawing_vertex *vertex = &drawing->vertices[v];
        assert_true((vertex->count == 0) == (vertex->type == VERTEX_JOINT || vertex->type == VERTEX_ENTRY));
        stood_for += vertex->count;
        parts |= vertex->type == VERTEX_PART;
        if (vertex->type < VERTEX_PART)
            drawn[vertex->type] += vertex->count;
    }
    for (unsigned t = 0; t < 4; t++) {
        assert_true(drawn[t] <= nodes[t] && (parts || drawn[t] == nodes[t]));
        all += nodes[t];
    }
    assert_int_equal(stood_for, all);
    assert_int_equal(drawing->nodes, all);
}

/* By igraph: one component, and every arc leads down. */
static void expect_connected(const struct drawing *drawing)
{
    uint32_t *component = calloc(drawing->vertices_count, sizeof *component), count = 0;
    uint32_t *colour = calloc(drawing->vertices_count, sizeof *colour);
    struct fault fault;
    assert_true(component && colour);
    const struct shape_graph graph = {drawing->vertices_count, drawing->arcs_count, colour, drawing->from, drawing->to};
    assert_int_equal(shape_components(&graph, component, &count, &fault), STATUS_OK);
    assert_int_equal(count, 1);
    for (uint32_t a = 0; a < drawing->arcs_count; a++)
        assert_true(drawing->vertices[drawing->from[a]].layer < drawing->vertices[drawing->to[a]].layer);
    free(component);
    free(colour);
}

static void expect_bounded(const struct drawing_scope *scope, const struct drawing_bounds *bounds,
                           const struct drawing *drawing)
{
    uint32_t joints = 0, stand_for_one = 0;
    for (uint32_t v = 0; v < drawing->vertices_count; v++) {
        joints += drawing->vertices[v].type == VERTEX_JOINT;
        stand_for_one += drawing->vertices[v].count == 1;
    }
    assert_int_equal(drawing->plain, drawing->nodes <= bounds->plain);
    if (drawing->plain)
        assert_int_equal(stand_for_one, drawing->nodes);
    else
        assert_true(drawing->vertices_count - joints <= bounds->most);
    assert_true(scope->count >= 1);
}

/* The longest path is all there: a level for each of its edges, by what is marked of it. */
static void expect_path(const struct drawing *drawing)
{
    uint32_t marked = 0, levels = 0, flow = 0;
    for (uint32_t v = 0; v < drawing->vertices_count; v++) {
        const struct drawing_vertex *vertex = &drawing->vertices[v];
        if (vertex->count == 0)
            continue;
        flow += (vertex->marks & DRAWING_HEAVIEST) != 0;
        if (!(vertex->marks & DRAWING_LONGEST))
            continue;
        marked++;
        if (vertex->type != VERTEX_ROOT)
            levels += vertex->last_level - vertex->first_level + 1;
    }
    if (drawing->plain) {
        assert_int_equal(levels, drawing->longest);
        assert_true(marked == levels + 1 || marked == levels);
        assert_true(flow == 0 || flow == drawing->flow + 1 || flow == drawing->flow + 2);
    }
    assert_true(levels >= drawing->longest);
    assert_true((flow > 0) == (drawing->flow > 0));
}

static void expect_sound(const struct drawing_scope *scope, const struct drawing_bounds *bounds, uint32_t opened);

/* Every transaction is of one block, and a part's drawing is of less than what it is a part of. */
static void open_parts(const struct drawing_scope *scope, const struct drawing_bounds *bounds,
                       const struct drawing *drawing, uint32_t opened)
{
    uint8_t *seen = calloc(drawing->vertices_count + 1, 1);
    uint32_t *members, count, all = 0;
    assert_non_null(seen);
    for (uint32_t v = 0; v < drawing->vertices_count; v++) {
        const struct drawing_vertex *vertex = &drawing->vertices[v];
        if (vertex->count == 0 || (vertex->block <= drawing->vertices_count && seen[vertex->block]))
            continue;
        assert_true(vertex->block <= drawing->vertices_count);
        seen[vertex->block] = 1;
        assert_int_equal(drawing_members(scope, drawing, v, &members, &count), STATUS_OK);
        assert_int_equal(count, vertex->txs);
        assert_int_equal(members[0], vertex->tx);
        all += count;
        if (vertex->type == VERTEX_PART) {
            uint32_t kept = drawing_keep_component(scope->forest, scope->rules, members, count);
            assert_true(kept >= 2 && kept <= count && kept < scope->count);
            assert_true(vertex->components > 1 || kept == count);
            expect_sound(&(struct drawing_scope){scope->forest, scope->rules, members, kept, NULL}, bounds, opened + 1);
        }
        free(members);
    }
    assert_int_equal(all, scope->count);
    free(seen);
}

static void expect_sound(const struct drawing_scope *scope, const struct drawing_bounds *bounds, uint32_t opened)
{
    struct drawing drawing;
    struct fault fault;
    assert_int_equal(drawing_make(scope, bounds, &drawing, &fault), STATUS_OK);
    expect_all_nodes(scope, &drawing);
    expect_connected(&drawing);
    expect_bounded(scope, bounds, &drawing);
    expect_path(&drawing);
    if (opened < 2)
        open_parts(scope, bounds, &drawing, opened);
    drawing_free(&drawing);
}

/* The largest T-DAG of a forest, in drawings of three sizes; then the forest is freed. */
static void check(struct forest_builder *builder, uint32_t height)
{
    const struct forest *forest = forest_finish(builder);
    struct tdags tdags;
    struct fault fault;
    uint32_t largest = 1;
    assert_int_equal(tdags_find(forest, RULES_USED, &tdags, &fault), STATUS_OK);
    assert_true(tdags.count > 0);
    for (uint32_t d = 1; d <= tdags.count; d++)
        largest = tdags.first[d] - tdags.first[d - 1] > tdags.first[largest] - tdags.first[largest - 1] ? d : largest;
    const struct drawing_scope scope = drawing_of_tdag(forest, &tdags, largest);
    struct drawing drawing;
    assert_int_equal(drawing_make(&scope, &large, &drawing, &fault), STATUS_OK);
    if (height > 0)
        assert_int_equal(drawing.longest, height);
    drawing_free(&drawing);
    expect_sound(&scope, &large, 0);
    expect_sound(&scope, &small, 0);
    expect_sound(&scope, &least, 0);
    tdags_free(&tdags);
    forest_builder_free(builder);
}

/* ---- shapes ---- */

static void chains(void **state)
{
    static const uint32_t lengths[] = {2, 3, 24, 25, 99, 100, 101, 300, 5000, 100000};
    (void)state;
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        struct forest_builder builder = {0};
        for (uint32_t t = 0; t < lengths[i]; t++) {
            forest_add_tx(&builder, t == 0, 1, 2, 0);
            if (t > 0)
                forest_add_spend(&builder, t - 1, 0);
        }
        check(&builder, lengths[i]);
    }
}

static void fan_ins(void **state)
{
    static const uint32_t roots[] = {2, 140, 149, 150, 20000};
    (void)state;
    for (size_t i = 0; i < sizeof roots / sizeof *roots; i++) {
        struct forest_builder builder = {0};
        for (uint32_t t = 0; t < roots[i]; t++)
            forest_add_tx(&builder, 1, 1, 0, 0);
        forest_add_tx(&builder, 0, 2, 3, 1);
        for (uint32_t t = 0; t < roots[i]; t++)
            forest_add_spend(&builder, t, 0);
        check(&builder, 2);
    }
}

/* One transaction of `branches` outputs, each the beginning of a chain; `lengths` of them differ. */
static void branches(void **state)
{
    static const uint32_t shapes[][2] = {{3, 1}, {400, 1}, {400, 7}, {60, 60}, {2, 20000}};
    (void)state;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        struct forest_builder builder = {0};
        uint32_t count = shapes[i][0], lengths = shapes[i][1], height = 0;
        forest_add_tx(&builder, 1, count, 0, 0);
        for (uint32_t b = 0; b < count; b++) {
            uint32_t length = 5 + (lengths > 100 ? lengths / (b + 1) : b % lengths), before = 0, output = b;
            for (uint32_t t = 0; t < length; t++) {
                uint32_t number = forest_add_tx(&builder, 0, 1, b % 2, 0);
                forest_add_spend(&builder, before, output);
                before = number;
                output = 0;
            }
            height = length + 1 > height ? length + 1 : height;
        }
        check(&builder, height);
    }
}

/* Transaction (x, y) spends outputs of (x - 1, y) and (x, y - 1). */
static void grids(void **state)
{
    static const uint32_t sides[][2] = {{3, 3}, {12, 30}, {300, 300}, {2, 30000}};
    (void)state;
    for (size_t i = 0; i < sizeof sides / sizeof *sides; i++) {
        struct forest_builder builder = {0};
        uint32_t wide = sides[i][0], high = sides[i][1];
        for (uint32_t y = 0; y < high; y++) {
            for (uint32_t x = 0; x < wide; x++) {
                forest_add_tx(&builder, x + y == 0, 2, 0, 0);
                if (x > 0)
                    forest_add_spend(&builder, y * wide + x - 1, 0);
                if (y > 0)
                    forest_add_spend(&builder, (y - 1) * wide + x, 1);
            }
        }
        check(&builder, wide + high - 1);
    }
}

/* Transactions of random outputs that spend random open ones, values 0 to `values` - 1. */
static void add_random(struct forest_builder *builder, struct rng *rng, uint32_t txs, uint32_t reach, uint32_t values)
{
    uint32_t *open = calloc((size_t)txs * 4, sizeof *open), count = 0;
    assert_non_null(open);
    for (uint32_t t = 0; t < txs; t++) {
        uint32_t before = count, wanted = t == 0 ? 0 : 1 + rng_below(rng, 3), unknown = rng_below(rng, 4);
        forest_add_tx(builder, before == 0 || rng_below(rng, 4) == 0, unknown, rng_below(rng, 3) + (unknown == 0),
                      rng_below(rng, 6) == 0);
        for (uint32_t s = 0; s < wanted && before > 0; s++, before--) {
            uint32_t from = before > reach ? before - reach : 0, at = from + rng_below(rng, before - from);
            uint32_t ordinal = open[at];
            memmove(open + at, open + at + 1, (count - at - 1) * sizeof *open);
            count--;
            uint32_t tx = builder->forest.outputs[ordinal].tx;
            forest_add_spend(builder, tx, ordinal - builder->forest.txs[tx].first_output);
        }
        for (uint32_t o = 0; o < unknown; o++) {
            open[count++] = builder->forest.txs[t].first_output + o;
            builder->forest.outputs[open[count - 1]].value_sat = rng_below(rng, values);
        }
    }
    free(open);
}

static void random_shapes(void **state)
{
    (void)state;
    struct rng rng = {14};
    for (unsigned i = 0; i < 60; i++) {
        static const uint32_t sizes[] = {60, 400, 3000};
        struct forest_builder builder = {0};
        add_random(&builder, &rng, sizes[i % 3], i % 2 ? 6 : 1000, 50);
        check(&builder, 0);
    }
}

/* ---- the two paths ---- */

/* All paths from a transaction on: the most edges below it, and the most value. */
static void search(const struct drawing_scope *scope, uint32_t number, uint32_t depth, uint64_t sum, uint32_t *deepest,
                   uint64_t *most)
{
    const struct forest_tx *tx = &scope->forest->txs[number];
    *deepest = depth > *deepest ? depth : *deepest;
    *most = sum > *most ? sum : *most;
    for (uint32_t o = tx->first_output; o < tx[1].first_output; o++) {
        const struct forest_output *output = &scope->forest->outputs[o];
        if (output->spender != FOREST_NONE)
            search(scope, output->spender, depth + 1, sum + output->value_sat, deepest, most);
    }
}

static void paths_are_those_of_a_search(void **state)
{
    (void)state;
    struct rng rng = {3};
    unsigned looked_at = 0;
    for (unsigned i = 0; i < 400; i++) {
        struct forest_builder builder = {0};
        add_random(&builder, &rng, 4 + i % 16, 100, i % 5 ? 100 : 1 + i % 3);
        const struct forest *forest = forest_finish(&builder);
        struct tdags tdags;
        struct fault fault;
        assert_int_equal(tdags_find(forest, RULES_USED, &tdags, &fault), STATUS_OK);
        for (uint32_t d = 1; d <= tdags.count; d++, looked_at++) {
            const struct drawing_scope scope = drawing_of_tdag(forest, &tdags, d);
            struct drawing drawing;
            uint32_t deepest = 0;
            uint64_t most = 0;
            assert_int_equal(drawing_make(&scope, &large, &drawing, &fault), STATUS_OK);
            for (uint32_t m = 0; m < scope.count; m++)
                search(&scope, scope.numbers[m], 1, 0, &deepest, &most);
            assert_int_equal(drawing.longest, deepest);
            assert_int_equal(drawing.flow_sat, most);
            assert_true(drawing.flow >= 1);
            drawing_free(&drawing);
        }
        tdags_free(&tdags);
        forest_builder_free(&builder);
    }
    assert_true(looked_at > 300);
}

/* Values 5, 9, 4 one after the other are more than 10 and 7, and those more than a branch that is longer. */
static void the_heaviest_flow_by_hand(void **state)
{
    (void)state;
    struct forest_builder builder = {0};
    static const uint64_t values[] = {5, 10, 1, 9, 7, 4, 1, 1, 1};
    forest_add_tx(&builder, 1, 3, 0, 0); /* outputs 0 1 2 */
    forest_add_tx(&builder, 0, 1, 0, 0); /* 3 */
    forest_add_spend(&builder, 0, 0);
    forest_add_tx(&builder, 0, 1, 0, 0); /* 4 */
    forest_add_spend(&builder, 0, 1);
    forest_add_tx(&builder, 0, 1, 0, 0); /* 5 */
    forest_add_spend(&builder, 1, 0);
    forest_add_tx(&builder, 0, 0, 1, 0);
    forest_add_spend(&builder, 2, 0);
    forest_add_tx(&builder, 0, 0, 1, 0);
    forest_add_spend(&builder, 3, 0);
    for (uint32_t t = 6; t < 10; t++) { /* 6 7 8 9 */
        forest_add_tx(&builder, 0, 1, 0, 0);
        forest_add_spend(&builder, t == 6 ? 0 : t - 1, t == 6 ? 2 : 0);
    }
    for (uint32_t o = 0; o < sizeof values / sizeof *values; o++)
        builder.forest.outputs[o].value_sat = values[o];
    const struct forest *forest = forest_finish(&builder);
    struct tdags tdags;
    struct fault fault;
    struct drawing drawing;
    assert_int_equal(tdags_find(forest, RULES_USED, &tdags, &fault), STATUS_OK);
    const struct drawing_scope scope = drawing_of_tdag(forest, &tdags, 1);
    assert_int_equal(drawing_make(&scope, &large, &drawing, &fault), STATUS_OK);
    assert_int_equal(drawing.flow_sat, 18);
    assert_int_equal(drawing.flow, 3);
    assert_int_equal(drawing.longest, 5);
    for (uint32_t v = 0; v < drawing.vertices_count; v++) {
        const struct drawing_vertex *vertex = &drawing.vertices[v];
        bool heavy = vertex->marks & DRAWING_HEAVIEST, is_long = vertex->marks & DRAWING_LONGEST;
        assert_true(heavy == (vertex->type == VERTEX_ROOT || vertex->tx == 1 || vertex->tx == 3 || vertex->tx == 5 ||
                              (vertex->tx == 0 && vertex->to == 1)));
        assert_true(is_long ==
                    (vertex->type == VERTEX_ROOT || vertex->tx >= 6 || (vertex->tx == 0 && vertex->to == 6)));
    }
    drawing_free(&drawing);
    tdags_free(&tdags);
    forest_builder_free(&builder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chains),
        cmocka_unit_test(fan_ins),
        cmocka_unit_test(branches),
        cmocka_unit_test(grids),
        cmocka_unit_test(random_shapes),
        cmocka_unit_test(paths_are_those_of_a_search),
        cmocka_unit_test(the_heaviest_flow_by_hand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
