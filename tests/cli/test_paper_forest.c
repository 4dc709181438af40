/* The paper's forest, remade as blocks: the whole program has to print the paper's Table III, row for row, before and
 * after its script filter. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/dir.h"
#include "tests/support/paper_forest.h"
#include "tests/support/run.h"
#include "tests/support/table.h"

#define FAN_INS 9u

static int set_up(void **state)
{
    (void)state;
    temp_dir_in_memory();
    dir = temp_dir();
    paper_forest_write(path_of("%s/data", dir));
    unktx_ok("scan --quiet --chain regtest --datadir %s/data --store %s/store", dir, dir);
    return 0;
}

static uint32_t filtered(void)
{
    uint32_t sum = 0;
    for (uint32_t i = 0; i < PAPER_PATTERNS; i++)
        sum += paper_filtered[i];
    return sum;
}

/* A number with commas, as the printed tables have it. */
static const char *with_commas(uint32_t number, char text[16])
{
    if (number < 1000)
        snprintf(text, 16, "%u", number);
    else
        snprintf(text, 16, "%u,%03u", number / 1000, number % 1000);
    return text;
}

/* A class of exactly the row's T-DAGs and numbers; rows 6 and 7 differ in the first only. */
static void check_row(const struct table *classes, const char *out, const struct paper_row *row, bool printed)
{
    const char *const names[] = {"tdags", "height", "nodes", "edges", "roots"};
    const uint32_t numbers[] = {row->tdags, row->height, row->nodes, row->edges, row->roots};
    size_t found = 0;
    for (size_t r = 0; r < classes->rows; r++) {
        bool same = true;
        for (size_t i = 0; i < sizeof names / sizeof *names; i++)
            same = same && table_number(classes, r, table_column(classes, names[i])) == numbers[i];
        found += same;
    }
    assert_int_equal(found, 1);
    char cells[5][16], line[96];
    snprintf(line, sizeof line, "\n%s %s %s %s %s ", with_commas(numbers[0], cells[0]),
             with_commas(numbers[1], cells[1]), with_commas(numbers[2], cells[2]), with_commas(numbers[3], cells[3]),
             with_commas(numbers[4], cells[4]));
    if (printed)
        assert_non_null(strstr(out, line));
}

/* Without the spaces that set columns apart: none at the beginning of a line, one between two words. */
static void squeeze(char *text)
{
    char *end = text;
    for (const char *p = text; *p; p++)
        if (*p != ' ' || (p > text && p[-1] != ' ' && p[-1] != '\n'))
            *end++ = *p;
    *end = '\0';
}

/* All rows, and totals without `gone` T-DAGs of the first row. */
static void check_table(const char *folder, char *out, uint32_t gone)
{
    squeeze(out);
    struct table classes = table_read(path_of("%s/classes.csv", folder));
    struct json json = json_open(path_of("%s/summary.json", folder));
    for (uint32_t i = 0; i < PAPER_ROWS; i++) {
        struct paper_row row = paper_rows[i];
        row.tdags -= i == 0 ? gone : 0;
        check_row(&classes, out, &row, row.tdags > 9 || row.height > 2); /* two classes share the tenth place */
    }
    assert_string_equal(json_find(&json, "core-0.18"), "{");
    assert_int_equal(json_find_number(&json, "tdags"), PAPER_TDAGS - gone);
    assert_int_equal(json_find_number(&json, "nodes"), PAPER_NODES - FAN_INS - gone * paper_rows[0].nodes);
    assert_int_equal(json_find_number(&json, "edges"), PAPER_EDGES - gone * paper_rows[0].edges);
    assert_int_equal(json_find_number(&json, "classes"), PAPER_CLASSES);
    assert_int_equal(json_find_number(&json, "inexact_classes"), 0);
    json_close(&json);
    table_free(&classes);
}

static void test_before(void **state)
{
    (void)state;
    struct run run = unktx_expect(0, "dags --no-unlocks --store %s/store -o %s/all", dir, dir);
    check_table(path_of("%s/all", dir), run.out, 0);
    run_free(&run);
}

static void test_after(void **state)
{
    (void)state;
    struct run run = unktx_expect(0,
                                  "dags --no-unlocks --exclude-scripts notebooks-data/paper-scripts.txt --store "
                                  "%s/store -o %s/rest",
                                  dir, dir);
    assert_int_equal(filtered(), 12);
    assert_int_equal(PAPER_TDAGS - filtered(), 30321);
    check_table(path_of("%s/rest", dir), run.out, filtered());
    struct json json = json_open(path_of("%s/rest/summary.json", dir));
    json_find(&json, "core-0.18");
    json_find(&json, "excluded");
    for (uint32_t i = 0; i < PAPER_PATTERNS; i++)
        assert_int_equal(json_find_number(&json, "tdags"), paper_filtered[i]);
    json_close(&json);
    run_free(&run);
}

/* The paper's figures as unktx compares them, for this chain instead of mainnet. */
static void test_compared(void **state)
{
    (void)state;
    size_t size, asked = 0;
    char *list = read_file("cli/inputs/known-figures.tsv", &size), *rest = NULL;
    FILE *file = fopen(path_of("%s/figures.tsv", dir), "w");
    assert_non_null(file);
    for (char *line = strtok_r(list, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        const char *text = line + strlen("main\t"), *as_of = strchr(text, '\t');
        if (*line == '#' || !strstr(line, "Caprolu") || strstr(text, "txs") == text || strstr(text, "unknown-txs"))
            continue;
        fprintf(file, "regtest\t%.*s\ttip%s\n", (int)(as_of - text), text, strchr(as_of + 1, '\t'));
        asked++;
    }
    fclose(file);
    free(list);
    unktx_ok("compare --store %s/store --figures %s/figures.tsv -o %s/compared.csv", dir, dir, dir);
    struct table table = table_read(path_of("%s/compared.csv", dir));
    assert_true(asked > PAPER_ROWS);
    for (size_t r = table.rows - asked; r < table.rows; r++) {
        bool nodes = strcmp(table_get(&table, r, "figure"), "nodes core-0.18") == 0;
        assert_string_equal(table_get(&table, r, "verdict"), nodes ? "close" : "equal");
    }
    table_free(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_before),
        cmocka_unit_test(test_after),
        cmocka_unit_test(test_compared),
    };
    return cmocka_run_group_tests(tests, set_up, remove_dir);
}
