/* marks: which outputs a rule set hidden calls unknown, by hand: a bit is for the output of that number alone, and what
 * the index does not have in a block is not marked, though its number may be that of another block's output. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "graph/scan/marks.h"

#define HIDDEN (1u << RULES_HIDDEN)
#define CORE_22 (1u << RULES_CORE_22)

/* Two blocks of three outputs each; the second one ends with the bits' last word. */
static void test_unknown(void **state)
{
    (void)state;
    uint64_t bits[1] = {0}, first_output[] = {58, 61, 64};
    struct output_marks marks = {.bits = bits, .first_output = first_output, .blocks = 2};
    marks_set(&marks, 61);
    marks_set(&marks, 63);
    static const unsigned expected[2][4] = {{0, 0, 0, 0}, {HIDDEN, 0, HIDDEN, 0}};
    for (uint32_t height = 0; height < 2; height++)
        for (uint32_t output = 0; output < 4; output++) {
            assert_int_equal(marks_unknown(&marks, height, output, 0), expected[height][output]);
            assert_int_equal(marks_unknown(&marks, height, output, CORE_22), CORE_22 | HIDDEN);
        }
    assert_int_equal(marks_unknown(&marks, 1, 1000000, 0), 0);
    assert_int_equal(marks_unknown(&marks, 1, UINT32_MAX, 0), 0);
}

static void test_none(void **state)
{
    (void)state;
    uint64_t bits[1] = {UINT64_MAX}, first_output[] = {0, 64};
    struct output_marks marks = {.bits = bits, .first_output = first_output, .blocks = 1};
    assert_int_equal(marks_unknown(NULL, 0, 0, CORE_22), CORE_22);
    assert_int_equal(marks_unknown(&marks, 0, 0, 0), HIDDEN);
    assert_int_equal(marks_unknown(&marks, 1, 0, CORE_22), CORE_22);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_unknown), cmocka_unit_test(test_none)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
