#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "parser/search.h"
#include "parser/sort.h"

#define MOST 2000u

struct element {
    uint64_t key;
    uint32_t number; /* where it was */
};
struct wide {
    uint64_t key;
    uint64_t number;
    uint64_t filling;
};

static uint64_t next_random(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return *seed >> 16;
}

static int compare_elements(const void *a, const void *b)
{
    const struct element *x = a, *y = b;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return x->number < y->number ? -1 : 1;
}

/* The C library's sort, with the place as a second key, is the stable order. `mask` makes many keys equal. */
static void check_sorted(size_t count, uint64_t mask)
{
    static struct element elements[MOST], spare[MOST], expected[MOST];
    static struct wide wide[MOST], wide_spare[MOST];
    static uint64_t keys[MOST], keys_spare[MOST];
    uint64_t seed = count + mask;
    for (size_t i = 0; i < count; i++) {
        expected[i] = elements[i] = (struct element){(next_random(&seed) << 20 ^ seed) & mask, (uint32_t)i};
        wide[i] = (struct wide){elements[i].key, i, 0};
        keys[i] = elements[i].key;
    }
    qsort(expected, count, sizeof *expected, compare_elements);
    const struct element *sorted = sort_by_key(elements, spare, count, sizeof *elements);
    const struct wide *wide_sorted = sort_by_key(wide, wide_spare, count, sizeof *wide);
    const uint64_t *keys_sorted = sort_by_key(keys, keys_spare, count, sizeof *keys);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(sorted[i].key, expected[i].key);
        assert_int_equal(sorted[i].number, expected[i].number);
        assert_int_equal(wide_sorted[i].number, expected[i].number);
        assert_int_equal(keys_sorted[i], expected[i].key);
    }
}

static void test_order(void **state)
{
    (void)state;
    static const uint64_t masks[] = {UINT64_MAX, 0, 3, UINT64_C(0xff00000000000000), UINT64_C(0x0000ff00ff000000)};
    for (size_t m = 0; m < sizeof masks / sizeof *masks; m++) {
        for (size_t count = 1; count <= 40; count++)
            check_sorted(count, masks[m]);
        check_sorted(MOST, masks[m]);
    }
}

static void test_numbers(void **state)
{
    (void)state;
    uint64_t numbers[] = {5, UINT64_MAX, 0, UINT64_C(1) << 32, 5, 3};
    static const uint64_t sorted[] = {0, 3, 5, 5, UINT64_C(1) << 32, UINT64_MAX};
    sort_numbers(numbers, sizeof numbers / sizeof *numbers);
    assert_memory_equal(numbers, sorted, sizeof sorted);
    sort_numbers(NULL, 0);
}

static void test_lower_bound(void **state)
{
    (void)state;
    static const unsigned sorted[] = {2, 4, 4, 4, 9};
    static const struct {
        unsigned wanted;
        size_t first_not_below;
        size_t first_above;
    } cases[] = {{0, 0, 0}, {2, 0, 1}, {3, 1, 1}, {4, 1, 4}, {5, 4, 4}, {9, 4, 5}, {10, 5, 5}};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        assert_int_equal(LOWER_BOUND(i, 0, 5, sorted[i] < cases[c].wanted), cases[c].first_not_below);
        assert_int_equal(LOWER_BOUND(i, 0, 5, sorted[i] <= cases[c].wanted), cases[c].first_above);
    }
    assert_int_equal(LOWER_BOUND(i, 3, 3, sorted[i] < 100), 3);
    assert_int_equal(LOWER_BOUND(i, 2, 5, sorted[i] < 4), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_order), cmocka_unit_test(test_numbers),
                                       cmocka_unit_test(test_lower_bound)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
