/* labels: T-DAGs written by hand, and the filter by known scripts on the same. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "graph/scripts/filter.h"
#include "graph/scripts/labels.h"
#include "parser/mem.h"
#include "tests/support/forests.h"
#include "tests/support/run.h"

/* Each T-DAG: a root with two outputs, of which the first is spent by a transaction with one more. */
static const uint8_t *script_of(uint32_t ordinal, uint32_t *size)
{
    static const struct {
        uint8_t bytes[4];
        uint32_t size;
    } scripts[] = {
        {{0xac}, 1},
        {{0xac}, 1},
        {{0x52, 0x53}, 2}, /* 1: OP_2 OP_3 in the spender only */
        {{0xa3, 0x53, 0x87}, 3},
        {{0xac}, 1},
        {{0xac}, 1}, /* 2: OP_MIN 3 OP_EQUAL, spent */
        {{0xac}, 1},
        {{0x52, 0x53}, 2},
        {{0x05}, 1}, /* 3: OP_2 OP_3 unspent in the root, a cut push after it */
        {{0xac}, 1},
        {{0xac}, 1},
        {{0xac}, 1}, /* 4: nothing */
        {{0x63, 0x51, 0x68}, 3},
        {{0x05}, 1},
        {{0x05}, 1}, /* 5: OP_IF, and a cut push */
    };
    *size = scripts[ordinal].size;
    return scripts[ordinal].bytes;
}

struct chain {
    char *folder;
    struct store *store;
    struct forest forest;
    struct catalogue catalogue;
};

static int make(void **state)
{
    struct chain *chain = calloc(1, sizeof *chain);
    struct forest_builder builder = {0};
    for (uint32_t d = 0; d < 5; d++) {
        uint32_t root = forest_add_tx(&builder, 1, 2, 0, 1);
        forest_add_tx(&builder, 0, 1, 0, 0);
        forest_add_spend(&builder, root, 0);
    }
    /* core-0.18 knows the root's OP_2 OP_3 of the third */
    builder.forest.outputs[7].unknown = 1 << RULES_CORE_22;
    chain->folder = temp_dir();
    chain->store = forest_write(forest_finish(&builder), path_of("%s/store", chain->folder), script_of);
    forest_builder_free(&builder);
    *state = chain;
    return forest_load(chain->store, 2, &chain->forest, NULL) || catalogue_read_built_in(&chain->catalogue, NULL);
}

static int unmake(void **state)
{
    struct chain *chain = *state;
    catalogue_free(&chain->catalogue);
    forest_free(&chain->forest);
    store_close(chain->store);
    remove_tree(chain->folder);
    free(chain->folder);
    free(chain);
    return 0;
}

static void check_names(const struct chain *chain, const struct name_set *set, const char *expected)
{
    char names[4096];
    *catalogue_put_names(&chain->catalogue, set, names) = '\0';
    assert_string_equal(names, expected);
}

static void by_hand(void **state)
{
    const struct chain *chain = *state;
    static const char *const all[5] = {"anyone-can-spend push-2-3", "anyone-can-spend min-equal",
                                       "anyone-can-spend push-2-3 truncated-push", "",
                                       "anyone-can-spend op-if truncated-push"};
    static const char *const roots[5] = {"", "anyone-can-spend min-equal", "anyone-can-spend push-2-3", "",
                                         "anyone-can-spend op-if truncated-push"};
    struct tdags tdags;
    for (unsigned threads = 1; threads < 5; threads += 3) {
        struct labels labels;
        assert_int_equal(tdags_find(&chain->forest, RULES_CORE_22, &tdags, NULL), STATUS_OK);
        assert_int_equal(
            labels_find(&chain->catalogue, chain->store, &chain->forest, &tdags, true, threads, &labels, NULL), 0);
        for (uint32_t d = 1; d <= 5; d++) {
            check_names(chain, &labels.all[d], all[d - 1]);
            check_names(chain, &labels.roots[d], roots[d - 1]);
        }
        labels_free(&labels);
        tdags_free(&tdags);
        assert_int_equal(tdags_find(&chain->forest, RULES_CORE_0_18, &tdags, NULL), STATUS_OK);
        assert_int_equal(
            labels_find(&chain->catalogue, chain->store, &chain->forest, &tdags, true, threads, &labels, NULL), 0);
        check_names(chain, &labels.all[3], "truncated-push");
        labels_free(&labels);
        tdags_free(&tdags);
    }
}

static void filters(void **state)
{
    const struct chain *chain = *state;
    struct filter *filter = NULL;
    struct tdags tdags;
    uint32_t drop[6];
    assert_int_equal(filter_known(&chain->catalogue, &filter, NULL), STATUS_OK);
    assert_true(filter_is_known(filter));
    assert_int_equal(filter_count(filter), chain->catalogue.count);
    assert_int_equal(tdags_find(&chain->forest, RULES_CORE_22, &tdags, NULL), STATUS_OK);
    assert_int_equal(filter_match(filter, chain->store, &chain->forest, &tdags, 2, drop, NULL), STATUS_OK);
    static const char *const first[6] = {NULL, NULL, "min-equal", "push-2-3", NULL, "op-if"};
    for (uint32_t d = 1; d <= 5; d++) {
        assert_int_equal(drop[d] != 0, first[d] != NULL);
        if (drop[d])
            assert_string_equal(filter_pattern(filter, drop[d] - 1), first[d]);
    }
    tdags_free(&tdags);
    filter_free(filter);
}

static void no_memory(void **state)
{
    const struct chain *chain = *state;
    struct tdags tdags;
    assert_int_equal(tdags_find(&chain->forest, RULES_CORE_22, &tdags, NULL), STATUS_OK);
    enum status status = STATUS_NOMEM;
    for (long allowed = 0; status != STATUS_OK; allowed++) {
        struct labels labels;
        mem_fail_after(allowed);
        status = labels_find(&chain->catalogue, chain->store, &chain->forest, &tdags, true, 1, &labels, NULL);
        mem_fail_after(-1);
        labels_free(&labels);
        assert_true(status == STATUS_OK || status == STATUS_NOMEM);
        assert_true(allowed < 100);
    }
    tdags_free(&tdags);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_hand),
        cmocka_unit_test(filters),
        cmocka_unit_test(no_memory),
    };
    return cmocka_run_group_tests(tests, make, unmake);
}
