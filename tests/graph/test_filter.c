/* filter: what is read, which T-DAGs match which pattern. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <regex.h>
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

    assert_int_equal(read_text(folder, "a[)]\\)(b)\n(a))\n", 16, &filter, &fault), STATUS_FORMAT);
    assert_non_null(strstr(fault.text, "line 2: a ) without its ("));
    assert_int_equal(filter_read(path_of("%s/absent", folder), &filter, &fault), STATUS_IO);
    assert_non_null(strstr(fault.path, "absent"));
    remove_tree(folder);
    free(folder);
}

static void refuses_what_takes_too_much(void **state)
{
    (void)state;
    char *folder = temp_dir();
    struct filter *filter = NULL;
    struct fault fault;
    /* what regcomp would take all memory, or all of the stack, for */
    static const char *const too_much[] = {"(x{1,255}){1,255}",
                                           "((x{1,99}){99}){99,}",
                                           "x{4001}",
                                           "(x{2000}y{2000}){1}z",
                                           "x{99999999999999999999}",
                                           "(((x{,255}){,255}){,255}){,255}",
                                           "x++++++++++++++++++++++++++++++",
                                           "(x{1000})*{60}*{60}*{60}",
                                           "(x{1000})?{60}",
                                           "(x{62,}){62,}"};
    static const char *const enough[] = {"(x{1,60}){1,60}", "x{3999}", "(x{1000}){2}(y{1000})", "[{1,255}]{3,}",
                                         "\\{99999",        "x+y*z?",  "(x{60}){,60}",          "x{1000,}(y+z*){3}"};
    for (size_t i = 0; i < sizeof too_much / sizeof *too_much; i++) {
        assert_int_equal(read_text(folder, too_much[i], strlen(too_much[i]), &filter, &fault), STATUS_FORMAT);
        assert_non_null(strstr(fault.text, "4,000"));
    }
    for (size_t i = 0; i < sizeof enough / sizeof *enough; i++) {
        assert_int_equal(read_text(folder, enough[i], strlen(enough[i]), &filter, &fault), STATUS_OK);
        filter_free(filter);
    }
    char nested[200001];
    memset(nested, '(', 100000);
    memset(nested + 100000, ')', 100000);
    assert_int_equal(read_text(folder, nested, 200000, &filter, &fault), STATUS_FORMAT);
    assert_non_null(strstr(fault.text, "50 parentheses"));
    assert_int_equal(filter_read("/dev/zero", &filter, &fault), STATUS_FORMAT);
    assert_non_null(strstr(fault.text, "1 MiB"));
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

/* A root with one output of this script, spent by a transaction whose output is nothing to any pattern. */
struct long_script {
    uint8_t *bytes;
    uint32_t size;
};
static struct long_script long_script;

static const uint8_t *long_script_of(uint32_t ordinal, uint32_t *size)
{
    static const uint8_t nothing[] = {0xac};
    *size = ordinal == 0 ? long_script.size : 1;
    return ordinal == 0 ? long_script.bytes : nothing;
}

/* Which of the patterns, one a line, is the first to match this script; 0: none. */
static uint32_t first_match(const char *folder, const char *patterns)
{
    struct forest_builder builder = {0};
    struct filter *filter = NULL;
    struct forest forest;
    struct tdags tdags;
    struct fault fault;
    uint32_t drop[2] = {0};
    uint32_t root = forest_add_tx(&builder, 1, 1, 0, 0);
    forest_add_tx(&builder, 0, 1, 0, 0);
    forest_add_spend(&builder, root, 0);
    struct store *store = forest_write(forest_finish(&builder), path_of("%s/store", folder), long_script_of);
    assert_int_equal(read_text(folder, patterns, strlen(patterns), &filter, &fault), STATUS_OK);
    assert_int_equal(forest_load(store, 1, &forest, &fault), STATUS_OK);
    assert_int_equal(tdags_find(&forest, RULES_CORE_22, &tdags, &fault), STATUS_OK);
    assert_int_equal(tdags.count, 1);
    assert_int_equal(filter_match(filter, store, &forest, &tdags, 2, drop, &fault), STATUS_OK);
    tdags_free(&tdags);
    forest_free(&forest);
    filter_free(filter);
    store_close(store);
    forest_builder_free(&builder);
    remove_tree(path_of("%s/store", folder));
    return drop[1];
}

/* Core's MAX_SCRIPT_SIZE is what patterns see of a script. None takes the square of that, though each of these might
 * begin at any of 10,000 places and would have to look at all that follows. */
static void long_scripts(void **state)
{
    (void)state;
    enum { SIZE = 10000 };
    char *folder = temp_dir();
    long_script.bytes = malloc(SIZE + 2);
    assert_non_null(long_script.bytes);
    memset(long_script.bytes, 0x61, SIZE + 2); /* OP_NOP */
    long_script.bytes[SIZE - 1] = 0xa3;        /* OP_MIN */
    long_script.bytes[SIZE] = 0xa4;            /* OP_MAX */
    static const char patterns[] = "OP_NOP.*OP_NOP.*OP_NOP.*OP_MAX\n"
                                   ".*.*.*.*OP_IF\n"
                                   "(OP_N|OP_NO|OP_NOP|N|P)+ .*(OP_NOP )*OP_IF$\n"
                                   "OP_CHECKSIG|OP_NOP OP_MIN\n";
    long_script.size = SIZE;
    assert_int_equal(first_match(folder, patterns), 4);
    long_script.size = SIZE + 2;
    assert_int_equal(first_match(folder, patterns), 4);
    long_script.bytes[SIZE - 1] = 0x61;
    assert_int_equal(first_match(folder, patterns), 0);
    assert_int_equal(first_match(folder, "OP_MIN$\n^OP_NOP$|^OP_IF\nNOP$\n"), 3);
    free(long_script.bytes);
    remove_tree(folder);
    free(folder);
}

/* The same as regexec over what is not anchored. */
static void places_of_matches(void **state)
{
    (void)state;
    static const char *const patterns[] = {"^OP_IF",         "OP_IF$",           "^OP_IF$",         "^OP_IF|OP_MIN",
                                           "OP_MIN|OP_IF$",  "(^OP_IF)|x",       "(OP_MIN|OP_IF)$", "x*",
                                           "OP_(IF|MIN) OP", "[)]|OP_IF OP_MIN", "^.*IF$"};
    static const uint8_t scripts[][2] = {{0x63, 0xa3}, {0xa3, 0x63}, {0x63, 0x63},
                                         {0xa3, 0xa3}, {0x61, 0x63}, {0x61, 0x61}};
    char *folder = temp_dir(), text[64];
    for (size_t s = 0; s < sizeof scripts / sizeof *scripts; s++)
        for (size_t p = 0; p < sizeof patterns / sizeof *patterns; p++) {
            uint8_t bytes[2] = {scripts[s][0], scripts[s][1]};
            long_script = (struct long_script){bytes, 2};
            regex_t regex;
            assert_int_equal(regcomp(&regex, patterns[p], REG_EXTENDED | REG_NOSUB), 0);
            script_asm(bytes, 2, text);
            bool matches = regexec(&regex, text, 0, NULL, 0) == 0;
            regfree(&regex);
            if ((first_match(folder, patterns[p]) == 1) != matches)
                fail_msg("'%s' over '%s'", patterns[p], text);
        }
    remove_tree(folder);
    free(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_patterns),    cmocka_unit_test(refuses_what_takes_too_much),
        cmocka_unit_test(matches_roots),     cmocka_unit_test(long_scripts),
        cmocka_unit_test(places_of_matches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
