/* filter: what is read, which T-DAGs match which pattern. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "graph/scripts/filter.h"
#include "parser/mem.h"
#include "tests/support/forests.h"
#include "tests/support/run.h"

static void write_patterns(const char *path, const char *text, size_t size)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static enum status read_text(const char *folder, const char *text, size_t size, struct filter **filter,
                             struct fault *fault)
{
    const char *path = path_of("%s/patterns", folder);
    write_patterns(path, text, size);
    memset(fault, 0, sizeof *fault);
    return filter_read(path, filter, fault);
}

static void reads_patterns(void **state)
{
    (void)state;
    char *folder = temp_dir();
    struct filter *filter = NULL;
    struct fault fault;
    static const char text[] = "# pay to hash\n\n^OP_HASH160\r\n(OP_MIN|OP_MAX) OP_EQUAL$\n#x\nOP_IF";
    assert_int_equal(read_text(folder, text, sizeof text - 1, &filter, &fault), STATUS_OK);
    assert_int_equal(filter_count(filter), 3);
    assert_string_equal(filter_pattern(filter, 0), "^OP_HASH160");
    assert_string_equal(filter_pattern(filter, 1), "(OP_MIN|OP_MAX) OP_EQUAL$");
    assert_string_equal(filter_pattern(filter, 2), "OP_IF");
    filter_free(filter);

    assert_int_equal(read_text(folder, "", 0, &filter, &fault), STATUS_OK);
    assert_int_equal(filter_count(filter), 0);
    filter_free(filter);

    assert_int_equal(read_text(folder, "a\n\n(b\n", 6, &filter, &fault), STATUS_FORMAT);
    assert_non_null(strstr(fault.text, "line 3"));
    assert_null(filter);
    assert_int_equal(read_text(folder, "a\0b\n", 4, &filter, &fault), STATUS_FORMAT);
    assert_non_null(strstr(fault.text, "line 1"));
    assert_int_equal(read_text(folder, "a\n\xff\n", 4, &filter, &fault), STATUS_FORMAT);
    assert_non_null(strstr(fault.text, "line 2"));

    assert_int_equal(read_text(folder, "a\\\\1\n(a)\\1\n", 11, &filter, &fault), STATUS_FORMAT);
    assert_non_null(strstr(fault.text, "line 2: back-references"));

    assert_int_equal(filter_read(path_of("%s/absent", folder), &filter, &fault), STATUS_IO);
    assert_non_null(strstr(fault.path, "absent"));
    remove_tree(folder);
    free(folder);
}

/* Each T-DAG: a root with two tracked outputs, of which the first is spent by a transaction with one more. */
static const uint8_t *script_of(uint32_t ordinal, uint32_t *size)
{
    static const struct {
        uint8_t bytes[3];
        uint32_t size;
    } scripts[] = {
        {{0xa9, 0x87}, 2}, {{0xac}, 1},       {{0x63}, 1}, /* 1: HASH160 EQUAL, CHECKSIG; IF in the spender only */
        {{0xac}, 1},       {{0xa3, 0x87}, 2}, {{0xac}, 1}, /* 2: CHECKSIG, MIN EQUAL */
        {{0xac}, 1},       {{0xac}, 1},       {{0xa3, 0x87}, 2}, /* 3: nothing in the root, MIN EQUAL in the spender */
        {{0xa3, 0x87}, 2}, {{0xa9, 0x87}, 2}, {{0xac}, 1},       /* 4: both: the first pattern counts */
    };
    *size = scripts[ordinal].size;
    return scripts[ordinal].bytes;
}

static void matches_roots(void **state)
{
    (void)state;
    static const char text[] = "^OP_HASH160 OP_EQUAL$\nOP_MIN\nOP_IF\n";
    char *folder = temp_dir();
    struct forest_builder builder = {0};
    struct filter *filter = NULL;
    struct forest forest;
    struct tdags tdags;
    struct fault fault;
    uint32_t drop[6];
    for (uint32_t d = 0; d < 4; d++) {
        uint32_t root = forest_add_tx(&builder, 1, 2, 0, 0);
        forest_add_tx(&builder, 0, 1, 0, 0);
        forest_add_spend(&builder, root, 0);
    }
    /* The last root's HASH160 script is a known one in core-0.18. */
    builder.forest.outputs[10].unknown = 1 << RULES_CORE_22;
    struct store *store = forest_write(forest_finish(&builder), path_of("%s/store", folder), script_of);
    assert_int_equal(read_text(folder, text, sizeof text - 1, &filter, &fault), STATUS_OK);
    assert_int_equal(forest_load(store, 2, &forest, &fault), STATUS_OK);

    assert_int_equal(tdags_find(&forest, RULES_CORE_22, &tdags, &fault), STATUS_OK);
    assert_int_equal(tdags.count, 4);
    memset(drop, 0xff, sizeof drop);
    assert_int_equal(filter_match(filter, store, &forest, &tdags, 2, drop, &fault), STATUS_OK);
    assert_memory_equal(drop, ((uint32_t[]){0, 1, 2, 0, 1, UINT32_MAX}), sizeof drop);
    tdags_free(&tdags);

    assert_int_equal(tdags_find(&forest, RULES_CORE_0_18, &tdags, &fault), STATUS_OK);
    assert_int_equal(filter_match(filter, store, &forest, &tdags, 2, drop, &fault), STATUS_OK);
    assert_memory_equal(drop, ((uint32_t[]){0, 1, 2, 0, 2, UINT32_MAX}), sizeof drop);
    mem_fail_after(0);
    enum status status = filter_match(filter, store, &forest, &tdags, 2, drop, &fault);
    mem_fail_after(-1);
    assert_int_equal(status, STATUS_NOMEM);
    tdags_free(&tdags);

    forest_free(&forest);
    filter_free(filter);
    store_close(store);
    remove_tree(folder);
    free(folder);
    forest_builder_free(&builder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_patterns),
        cmocka_unit_test(matches_roots),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
