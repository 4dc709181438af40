/* The number of transactions of a class: that of what compression leaves, so the same for each of its T-DAGs. Expected
 * values are by hand. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "classify/classes.h"
#include "tests/support/forests.h"

struct expected {
    uint32_t tdags;
    uint32_t txs_of_class;
    uint32_t txs_of_first;
    uint32_t txs_of_last;
};

static void expect(struct forest_builder *builder, bool compress, uint32_t count, const struct expected *expected)
{
    struct tdags tdags;
    struct classes classes;
    struct fault fault = {0};
    if (!builder->forest.block_times)
        forest_finish(builder);
    assert_int_equal(tdags_find(&builder->forest, RULES_CORE_0_18, &tdags, &fault), STATUS_OK);
    assert_int_equal(classify(&builder->forest, &tdags, compress, NULL, 1, &classes, &fault), STATUS_OK);
    assert_int_equal(classes.classes_count, count);
    for (uint32_t c = 0; c < count; c++) {
        const struct class_row *row = &classes.classes[c];
        const struct expected *e = row->first_dag == 1 ? &expected[0] : &expected[1];
        assert_int_equal(row->tdags, e->tdags);
        assert_int_equal(row->txs, e->txs_of_class);
        assert_int_equal(classes.rows[row->first_dag - 1].txs, e->txs_of_first);
        assert_int_equal(classes.rows[row->first_dag - 1 + row->tdags - 1].txs, e->txs_of_last);
    }
    classes_free(&classes);
    tdags_free(&tdags);
}

/* Transactions of one output each, which the next one spends. */
static void add_chain(struct forest_builder *builder, uint32_t txs)
{
    uint32_t first = builder->forest.txs_count;
    for (uint32_t t = 0; t < txs; t++) {
        forest_add_tx(builder, t == 0, 1, 0, 0);
        if (t > 0)
            forest_add_spend(builder, first + t - 1, 0);
    }
}

/* Four in a row, whose second output is removed, are three in a row: the second transaction has nothing left. */
static void nothing_left_of_one(void **state)
{
    (void)state;
    struct forest_builder builder = {0};
    add_chain(&builder, 4);
    add_chain(&builder, 3);
    builder.forest.outputs[1].anyone_can_spend = 1;
    expect(&builder, true, 1, (const struct expected[]){{2, 3, 4, 3}});
    expect(&builder, false, 2, (const struct expected[]){{1, 4, 4, 4}, {1, 3, 3, 3}});
    forest_builder_free(&builder);
}

/* A root's two outputs are removed, and the two that they are spent into get the root as their parent. So does a root
 * with two outputs of its own: one set of parents, and the one of what spends the first of them. */
static void same_parents(void **state)
{
    (void)state;
    struct forest_builder builder = {0};
    forest_add_tx(&builder, 1, 2, 0, 0);
    forest_add_tx(&builder, 0, 1, 0, 0);
    forest_add_spend(&builder, 0, 0);
    forest_add_tx(&builder, 0, 1, 0, 0);
    forest_add_spend(&builder, 0, 1);
    forest_add_tx(&builder, 0, 1, 0, 0);
    forest_add_spend(&builder, 1, 0);
    forest_add_tx(&builder, 1, 2, 0, 0);
    forest_add_tx(&builder, 0, 1, 0, 0);
    forest_add_spend(&builder, 4, 0);
    builder.forest.outputs[0].anyone_can_spend = builder.forest.outputs[1].anyone_can_spend = 1;
    expect(&builder, true, 1, (const struct expected[]){{2, 2, 4, 2}});
    expect(&builder, false, 2, (const struct expected[]){{1, 4, 4, 4}, {1, 2, 2, 2}});
    forest_builder_free(&builder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_left_of_one),
        cmocka_unit_test(same_parents),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
