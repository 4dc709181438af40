/* classify against hand calculations. test_classes_expanded.c compares it with whole graphs. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "parser/mem.h"
#include "tests/classify/classified.h"

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

/* Shapes of the paper's most frequent T-DAGs, and their sizes. */
static const struct {
    uint32_t roots;
    uint32_t outputs;
    uint32_t spent;
    uint32_t into;
    uint64_t nodes;
    uint64_t edges;
} paper_rows[] = {
    {1, 1, 1, 1, 3, 2}, {2, 4, 3, 1, 11, 14}, {1, 4, 3, 1, 6, 7}, {1, 4, 1, 1, 6, 5}, {1, 3, 1, 1, 5, 4},
    {1, 5, 1, 1, 7, 6}, {1, 3, 1, 3, 7, 6},   {1, 4, 2, 1, 6, 6}, {1, 2, 1, 1, 4, 3}, {20000, 1, 1, 1, 40001, 40000},
};

static void paper_table(void **state)
{
    (void)state;
    const uint32_t count = sizeof paper_rows / sizeof *paper_rows;
    struct forest_builder builder = {0};
    for (uint32_t i = 0; i < count; i++)
        together(&builder, paper_rows[i].roots, paper_rows[i].outputs, paper_rows[i].spent, paper_rows[i].into);
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
        assert_int_equal(row->roots, d < count ? paper_rows[d].roots : 1);
        assert_int_equal(row->nodes, d < count ? paper_rows[d].nodes : 6);
        assert_int_equal(row->edges, d < count ? paper_rows[d].edges : 5);
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
        status = classify(&builder.forest, &tdags, true, NULL, 1, &classes, &fault);
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
        cmocka_unit_test(paper_table),   cmocka_unit_test(unsound_pair),       cmocka_unit_test(one_row_by_hand),
        cmocka_unit_test(deep_chain),    cmocka_unit_test(compressed_by_hand), cmocka_unit_test(same_for_all),
        cmocka_unit_test(out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
