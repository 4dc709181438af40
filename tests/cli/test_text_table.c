/* Tables for people: whatever is in them, they are at most 80 columns wide, and all of it is there. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/output/text_table.h"
#include "parser/mem.h"

#define COLUMNS 80u

/* What is printed, terminated; the caller frees. */
static char *print(struct text_table *table)
{
    struct printer printer = {0};
    text_table_print(table, &printer);
    assert_int_equal(printer.status, STATUS_OK);
    char *out = malloc(printer.text.size + 1);
    assert_non_null(out);
    memcpy(out, printer.text.bytes, printer.text.size);
    out[printer.text.size] = '\0';
    text_free(&printer.text);
    return out;
}

/* The widest line, of ASCII. */
static size_t widest(const char *out)
{
    size_t most = 0;
    for (const char *line = out, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        size_t size = (size_t)(end - line);
        assert_true(size == 0 || line[size - 1] != ' ');
        most = size > most ? size : most;
    }
    return most;
}

static const struct text_column numbers[] = {{"T-DAGs", true}, {"height", true},  {"nodes", true}, {"edges", true},
                                             {"roots", true},  {"family", false}, {"class", false}};

static void test_fits(void **state)
{
    (void)state;
    struct text_table table = {.columns = numbers, .count = 7};
    for (unsigned i = 0; i < 5; i++)
        text_table_number(&table, i == 2 ? 1234567 : i);
    text_table_cell(&table, "chain");
    text_table_cell(&table, "811b868f8723");
    char *out = print(&table);
    assert_string_equal(out, "T-DAGs  height      nodes  edges  roots  family  class\n"
                             "     0       1  1,234,567      3      4  chain   811b868f8723\n");
    free(out);
}

/* Counts of ten digits, heights of seven, and more bitcoins than there are: the class goes on under its row. */
static void test_large_numbers(void **state)
{
    (void)state;
    struct text_table table = {.columns = numbers, .count = 7};
    for (unsigned i = 0; i < 5; i++)
        text_table_number(&table, 1234567890);
    text_table_cell(&table, "series-parallel");
    text_table_cell(&table, "811b868f8723?");
    char *out = print(&table);
    assert_string_equal(out, "       T-DAGs         height          nodes          edges          roots\n"
                             "    family           class\n"
                             "1,234,567,890  1,234,567,890  1,234,567,890  1,234,567,890  1,234,567,890\n"
                             "    series-parallel  811b868f8723?\n");
    free(out);
}

/* Only the last column is too wide, in one row: only this row is broken, between words, or where there are none. */
static void test_long_words(void **state)
{
    (void)state;
    static const struct text_column columns[] = {{"txs", true}, {"dag", false}, {"labels", false}};
    struct text_table table = {.columns = columns, .count = 3};
    char words[200], one[200], expected[1024];
    snprintf(words, sizeof words, "%070d %s", 1, "second word");
    snprintf(one, sizeof one, "%0100d", 2);
    const char *const cells[] = {"1", "a", "short", "22", "bb", words, "3", "c", one, "4", "d", ""};
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++)
        text_table_cell(&table, cells[i]);
    char *out = print(&table);
    snprintf(expected, sizeof expected,
             "txs  dag  labels\n  1  a    short\n 22  bb\n    %070d\n    second word\n  3  c\n    %076d\n    %024d\n"
             "  4  d\n",
             1, 0, 2);
    assert_string_equal(out, expected);
    free(out);
}

/* Colours take no columns, a character of several bytes takes one and is not broken. */
static void test_characters(void **state)
{
    (void)state;
    static const struct text_column columns[] = {{"a", false}, {"b", false}};
    struct text_table table = {.columns = columns, .count = 2};
    char dots[76 * 2 + 1] = "";
    for (unsigned i = 0; i < 76; i++)
        strcat(dots, "\u00b7");
    text_table_cell(&table, "\033[33m\u25cf\033[0m");
    text_table_cell(&table, dots);
    char *out = print(&table), expected[400];
    snprintf(expected, sizeof expected, "a  b\n\033[33m\u25cf\033[0m  %s\n", dots);
    assert_string_equal(out, expected);
    free(out);
    char longer[76 * 2 + 10 * 2 + 1];
    snprintf(longer, sizeof longer, "%s%.20s", dots, dots);
    struct text_table broken = {.columns = columns, .count = 2};
    text_table_cell(&broken, "x");
    text_table_cell(&broken, longer);
    out = print(&broken);
    snprintf(expected, sizeof expected, "a  b\nx\n    %s\n    %.20s\n", dots, dots);
    assert_string_equal(out, expected);
    free(out);
}

/* Numbers of any size in any number of columns, and text at the end. */
static void test_any(void **state)
{
    (void)state;
    unsigned seed = 20261128;
    print_message("seed %u\n", seed);
    srand(seed);
    for (unsigned run = 0; run < 300; run++) {
        struct text_column columns[TEXT_TABLE_COLUMNS];
        size_t count = 1 + (size_t)rand() % TEXT_TABLE_COLUMNS;
        for (size_t c = 0; c < count; c++)
            columns[c] = (struct text_column){"head", c + 1 < count || run % 2};
        struct text_table table = {.columns = columns, .count = count};
        size_t digits = 0, printed = 0;
        for (size_t c = 0; c < 5 * count; c++) {
            char cell[GROUPED_SIZE];
            grouped(cell, UINT64_MAX >> rand() % 64);
            for (const char *p = cell; *p; p++)
                digits += *p != ',';
            text_table_cell(&table, cell);
        }
        char *out = print(&table);
        for (const char *p = out; *p; p++)
            printed += *p >= '0' && *p <= '9';
        assert_int_equal(printed, digits);
        assert_true(widest(out) <= COLUMNS);
        free(out);
    }
}

/* Without memory: said, and nothing is lost. */
static void test_no_memory(void **state)
{
    (void)state;
    for (unsigned fail = 0; fail < 4; fail++) {
        struct text_table table = {.columns = numbers, .count = 7};
        struct printer printer = {0};
        mem_fail_after(fail);
        for (unsigned i = 0; i < 700; i++)
            text_table_number(&table, 1000000);
        text_table_print(&table, &printer);
        mem_fail_after(-1);
        assert_int_equal(printer.status, STATUS_NOMEM);
        text_free(&printer.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fits),       cmocka_unit_test(test_large_numbers), cmocka_unit_test(test_long_words),
        cmocka_unit_test(test_characters), cmocka_unit_test(test_any),           cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
