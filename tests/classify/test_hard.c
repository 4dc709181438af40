/* Graphs that are too hard for BLISS: how much it is asked, what they are told as, and forms kept from one run to the
 * next. The multipedes are asked for up to here as questions, not as seconds. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "classify/classes.h"
#include "graph/dag/shape.h"
#include "tests/support/multipede.h"
#include "tests/support/run.h"

enum { EASY = 20, HARD = 100 };

static char *folder;

static int set_up(void **state)
{
    (void)state;
    folder = temp_dir();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    remove_tree(folder);
    free(folder);
    return 0;
}

/* What one run says of each T-DAG, and how many questions it asked. */
struct answers {
    struct classes classes;
    uint64_t questions;
};

static struct answers answers_of(const struct forest *forest, struct forms *forms, unsigned threads)
{
    struct answers answers;
    struct tdags tdags;
    uint64_t before = shape_questions();
    assert_int_equal(tdags_find(forest, RULES_CORE_0_18, &tdags, NULL), STATUS_OK);
    assert_int_equal(classify(forest, &tdags, false, forms, threads, &answers.classes, NULL), STATUS_OK);
    tdags_free(&tdags);
    answers.questions = shape_questions() - before;
    return answers;
}

static void assert_same_rows(const struct classes *a, const struct classes *b)
{
    assert_int_equal(a->rows_count, b->rows_count);
    for (uint32_t d = 0; d < a->rows_count; d++) {
        assert_memory_equal(a->rows[d].class_id, b->rows[d].class_id, CANON_ID_SIZE);
        assert_int_equal(a->rows[d].class_exact, b->rows[d].class_exact);
        assert_memory_equal(&a->rows[d].automorphisms_log10, &b->rows[d].automorphisms_log10, sizeof(double));
    }
}

static bool same_class(const struct classes *classes, uint32_t a, uint32_t b)
{
    return memcmp(classes->rows[a].class_id, classes->rows[b].class_id, CANON_ID_SIZE) == 0;
}

/* A few multipedes, hard and easy ones. */
static const struct forest *multipedes(struct forest_builder *builder)
{
    static const struct {
        uint32_t pairs;
        uint64_t seed;
    } list[] = {{HARD, 1}, {HARD, 2}, {EASY, 3}, {HARD + 1, 1}, {EASY, 4}, {EASY, 3}, {HARD, 1}};
    for (size_t i = 0; i < sizeof list / sizeof *list; i++)
        multipede_add(builder, list[i].pairs, list[i].seed);
    return forest_finish(builder);
}

/* A hard one shares its class with those that colour refinement does not tell from it, and with no other. */
static void test_ids(void **state)
{
    (void)state;
    static const bool hard[] = {true, true, false, true, false, false, true};
    struct forest_builder builder = {0};
    struct answers answers = answers_of(multipedes(&builder), NULL, 1);
    const struct classes *classes = &answers.classes;
    assert_int_equal(classes->rows_count, sizeof hard / sizeof *hard);
    for (uint32_t d = 0; d < classes->rows_count; d++) {
        assert_int_equal(classes->rows[d].class_exact, !hard[d]);
        assert_int_equal(classes->rows[d].roles, 2);
    }
    assert_true(same_class(classes, 0, 1)); /* other triples, but each vertex has the same degree */
    assert_true(same_class(classes, 0, 6));
    assert_true(same_class(classes, 2, 5));
    assert_false(same_class(classes, 2, 4)); /* BLISS tells these apart */
    assert_false(same_class(classes, 0, 3)); /* another size */
    assert_int_equal(classes->classes_count, 4);
    classes_free(&answers.classes);
    forest_builder_free(&builder);
}

/* The work of all T-DAGs together is linear in their sizes, and no thread asks more or less. */
static void test_linear(void **state)
{
    (void)state;
    enum { COUNT = 12, SIZE = MULTIPEDE_VERTICES(HARD) + MULTIPEDE_ARCS(HARD) };
    struct forest_builder builder = {0};
    for (uint32_t i = 0; i < COUNT; i++)
        multipede_add(&builder, HARD, i + 1);
    const struct forest *forest = forest_finish(&builder);
    struct answers one = answers_of(forest, NULL, 1), four = answers_of(forest, NULL, 4);
    assert_int_equal(one.classes.rows_count, COUNT);
    assert_in_range(one.questions, COUNT * shape_budget(SIZE), COUNT * (shape_budget(SIZE) + 2));
    assert_int_equal(one.questions, four.questions);
    assert_same_rows(&one.classes, &four.classes);
    classes_free(&one.classes);
    classes_free(&four.classes);
    forest_builder_free(&builder);
}

/* What a run has found out, it and the next one ask no more, for hard and easy ones, and say the same. */
static void test_kept(void **state)
{
    (void)state;
    struct forest_builder builder = {0};
    const struct forest *forest = multipedes(&builder);
    struct answers without = answers_of(forest, NULL, 1);
    for (unsigned run = 0; run < 3; run++) {
        struct forms *forms;
        assert_int_equal(forms_new(folder, &forms, NULL), STATUS_OK);
        struct answers with = answers_of(forest, forms, run + 1), again = answers_of(forest, forms, 1);
        assert_int_equal(again.questions, 0);
        if (run == 0)
            assert_in_range(with.questions, 1, without.questions - 1); /* two of them are there twice */
        else
            assert_int_equal(with.questions, 0);
        assert_same_rows(&without.classes, &with.classes);
        assert_same_rows(&without.classes, &again.classes);
        classes_free(&with.classes);
        classes_free(&again.classes);
        forms_close(forms);
    }
    classes_free(&without.classes);
    forest_builder_free(&builder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ids),
        cmocka_unit_test(test_linear),
        cmocka_unit_test(test_kept),
    };
    temp_dir_in_memory();
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
