/* csv and sql: rows taken apart, cut at every byte, and the statements for a table by hand. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "cli/output/csv.h"
#include "cli/output/sql.h"

static void expect_cell(const struct csv_cell *cell, const char *text, bool in_quotes)
{
    char single[64];
    assert_true(cell->size < sizeof single);
    *csv_single(single, cell) = '\0';
    if (!cell->has_doubled) {
        assert_memory_equal(cell->text, text, strlen(text));
        assert_int_equal(cell->size, strlen(text));
    }
    assert_string_equal(single, text);
    assert_int_equal(cell->in_quotes, in_quotes);
}

static void test_rows(void **state)
{
    (void)state;
    static const char text[] = "1,,\"\",\"a,b\"\n\"say \"\"x\"\"\",\"two\nlines\",z\n\n";
    const char *at = text, *end = text + strlen(text);
    struct csv_row row;
    assert_true(csv_next(&row, &at, end));
    assert_int_equal(row.count, 4);
    expect_cell(&row.cells[0], "1", false);
    expect_cell(&row.cells[1], "", false);
    expect_cell(&row.cells[2], "", true);
    expect_cell(&row.cells[3], "a,b", true);
    assert_true(csv_next(&row, &at, end));
    assert_int_equal(row.count, 3);
    expect_cell(&row.cells[0], "say \"x\"", true);
    assert_true(row.cells[0].has_doubled);
    expect_cell(&row.cells[1], "two\nlines", true);
    expect_cell(&row.cells[2], "z", false);
    assert_true(csv_next(&row, &at, end));
    assert_int_equal(row.count, 1);
    assert_ptr_equal(at, end);
    assert_false(csv_next(&row, &at, end));
}

/* A row that is not there to its end is none, and the place stays. */
static void test_cut(void **state)
{
    (void)state;
    static const char text[] = "\"say \"\"x\"\"\",\"\",7\n";
    struct csv_row row;
    for (size_t size = 0; size < strlen(text); size++) {
        const char *at = text;
        assert_false(csv_next(&row, &at, text + size));
        assert_ptr_equal(at, text);
    }
}

static void test_many_cells(void **state)
{
    (void)state;
    char text[2 * CSV_CELLS_MAX + 64];
    memset(text, ',', sizeof text);
    text[sizeof text - 1] = '\n';
    const char *at = text;
    struct csv_row row;
    assert_true(csv_next(&row, &at, text + sizeof text));
    assert_int_equal(row.count, sizeof text);
}

static void test_statements(void **state)
{
    (void)state;
    struct printer printer = {0};
    char name[SQL_NAME_SIZE];
    sql_table_name("stats-by-day.csv", name);
    assert_string_equal(name, "stats_by_day");
    sql_print_table(&printer, "arcs", &schema_edges, 0);
    assert_string_equal(printer.text.bytes, "CREATE TABLE \"arcs\" (\n"
                                            "  \"source\" INTEGER NOT NULL,\n"
                                            "  \"target\" INTEGER NOT NULL,\n"
                                            "  \"dag_id\" INTEGER NOT NULL,\n"
                                            "  \"value_sat\" INTEGER NOT NULL,\n"
                                            "  \"time\" INTEGER NOT NULL,\n"
                                            "  FOREIGN KEY (\"source\") REFERENCES \"nodes\" (\"id\"),\n"
                                            "  FOREIGN KEY (\"target\") REFERENCES \"nodes\" (\"id\")\n)");
    text_free(&printer.text);
    sql_print_indexes(&printer, "payers", &schema_payers, 0);
    assert_string_equal(printer.text.bytes, "CREATE INDEX \"payers_dag_id\" ON \"payers\" (\"dag_id\");\n"
                                            "CREATE INDEX \"payers_address\" ON \"payers\" (\"address\");\n");
    text_free(&printer.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_many_cells),
        cmocka_unit_test(test_statements),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
