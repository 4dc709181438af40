/* `unktx dags --paper-classes`: what it writes and says, on a chain by hand and on the fixture. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/dir.h"
#include "tests/support/handmade.h"
#include "tests/support/run.h"
#include "tests/support/table.h"

static int set_up(void **state)
{
    (void)state;
    dir = temp_dir();
    unktx_ok("scan --quiet --datadir tests/fixtures/regtest-xor --store %s/store", dir);
    return 0;
}

/* A transaction that spends `count` outputs of another, and has two. */
static void add_spender(struct buffer *block, const struct hash256 *from, uint32_t first, uint32_t count)
{
    add_u32(block, 2);
    add_count(block, count);
    for (uint32_t i = 0; i < count; i++)
        add_input(block, from, first + i);
    add_outputs(block, 2);
}

/* docs/model.md, section 9: four outputs spent as 2 + 2 and as 1 + 3. */
static void write_counterexample(const char *data)
{
    struct buffer file = {0}, block = {0};
    struct hash256 tip = add_genesis(&file), coinbases[2];
    for (uint32_t i = 0; i < 2; i++) {
        block.size = 0;
        coinbases[i] = add_coinbase(&block, i + 1, 4);
        tip = add_block(&file, &tip, 1, &block);
    }
    block.size = 0;
    (void)add_coinbase(&block, 3, 1);
    add_spender(&block, &coinbases[0], 0, 2);
    add_spender(&block, &coinbases[0], 2, 2);
    add_spender(&block, &coinbases[1], 0, 1);
    add_spender(&block, &coinbases[1], 1, 3);
    (void)add_block(&file, &tip, 5, &block);
    make_dirs(path_of("%s/regtest/blocks", data));
    write_file(path_of("%s/regtest/blocks/blk00000.dat", data), file.bytes, file.size);
    buffer_free(&file);
    buffer_free(&block);
}

static void test_counterexample(void **state)
{
    (void)state;
    write_counterexample(path_of("%s/data", dir));
    unktx_ok("scan --quiet --chain regtest --datadir %s/data --store %s/two", dir, dir);
    struct run run = unktx_expect(0, "dags --no-unlocks --paper-classes --store %s/two -o %s/tables", dir, dir);
    struct table classes = table_read(path_of("%s/tables/classes.csv", dir));
    assert_int_equal(classes.rows, 2);
    const char *first = table_get(&classes, 0, "class_id"), *second = table_get(&classes, 1, "class_id");
    assert_string_not_equal(first, second);
    assert_string_equal(table_get(&classes, 0, "paper_class"), table_get(&classes, 1, "paper_class"));
    assert_int_equal(strlen(table_get(&classes, 0, "paper_class")), 32);
    assert_non_null(strstr(run.out, "\nBy the paper's equality (its Definitions 11 and 12) the 2 classes are 1.\n"));
    char line[64];
    snprintf(line, sizeof line, "\n  %.12s = %.12s\n", first, second);
    assert_non_null(strstr(run.out, line));
    run_free(&run);
    size_t size;
    char *summary = read_file(path_of("%s/tables/summary.json", dir), &size), merged[96];
    snprintf(merged, sizeof merged, "\"merged\": [\n        [\"%s\", \"%s\"]\n      ]", first, second);
    assert_non_null(strstr(summary, merged));
    assert_non_null(strstr(summary, "\"paper_classes\": {\n      \"classes\": 1,\n      \"tdags_without\": 0,"));
    free(summary);
    table_free(&classes);
}

static void test_not_asked(void **state)
{
    (void)state;
    struct run run = unktx_expect(0, "dags --no-unlocks --store %s/store -o %s/without", dir, dir);
    size_t size;
    assert_null(strstr(run.out, "paper"));
    char *summary = read_file(path_of("%s/without/summary.json", dir), &size);
    char *tdags = read_file(path_of("%s/without/tdags.csv", dir), &size);
    assert_null(strstr(summary, "paper"));
    assert_null(strstr(tdags, "paper"));
    free(summary);
    free(tdags);
    run_free(&run);
}

/* The number of different cells of the column. */
static size_t distinct(const struct table *table)
{
    size_t count = 0;
    for (size_t r = 0; r < table->rows; r++) {
        bool again = false;
        for (size_t q = 0; q < r && !again; q++)
            again = strcmp(table_get(table, q, "paper_class"), table_get(table, r, "paper_class")) == 0;
        count += !again;
    }
    return count;
}

static void check_folder(const char *folder)
{
    struct table tdags = table_read(path_of("%s/tdags.csv", folder));
    struct table classes = table_read(path_of("%s/classes.csv", folder));
    struct json json = json_open(path_of("%s/summary.json", folder));
    assert_int_equal(table_column(&tdags, "paper_class"), tdags.columns - 1);
    assert_int_equal(table_column(&classes, "paper_class"), classes.columns - 1);
    for (size_t d = 0; d < tdags.rows; d++)
        for (size_t c = 0; c < classes.rows; c++)
            if (strcmp(table_get(&tdags, d, "class_id"), table_get(&classes, c, "class_id")) == 0)
                assert_string_equal(table_get(&tdags, d, "paper_class"), table_get(&classes, c, "paper_class"));
    json_find(&json, "paper_classes");
    assert_int_equal(json_find_number(&json, "classes"), distinct(&classes));
    assert_int_equal(distinct(&tdags), distinct(&classes));
    assert_in_range(distinct(&classes), 2, classes.rows);
    json_close(&json);
    table_free(&tdags);
    table_free(&classes);
}

static void test_fixture(void **state)
{
    (void)state;
    static const char *const options[] = {"", " --compress", " --min-height 3"};
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        for (unsigned threads = 1; threads <= 4; threads += 3)
            unktx_ok("dags --no-unlocks --paper-classes --rules core-22%s --threads %u --store %s/store -o %s/f%u-%u",
                     options[i], threads, dir, dir, (unsigned)i, threads);
        const char *one = path_of("%s/f%u-1", dir, (unsigned)i);
        check_folder(one);
        assert_same_file(path_of("%s/tdags.csv", one), path_of("%s/f%u-4/tdags.csv", dir, (unsigned)i));
        assert_same_file(path_of("%s/classes.csv", one), path_of("%s/f%u-4/classes.csv", dir, (unsigned)i));
        assert_same_file(path_of("%s/summary.json", one), path_of("%s/f%u-4/summary.json", dir, (unsigned)i));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counterexample),
        cmocka_unit_test(test_not_asked),
        cmocka_unit_test(test_fixture),
    };
    return cmocka_run_group_tests(tests, set_up, remove_dir);
}
