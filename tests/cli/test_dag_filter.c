/* The filters of dags on the bundled chain: what is expected is worked out from the table that is written without
 * them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/run.h"
#include "tests/support/table.h"

#define CHAIN "tests/fixtures/regtest-xor"

static char *dir;
static struct table tdags;
static char label_file[512];

static int set_up(void **state)
{
    (void)state;
    static const char text[] = "address,label\nnobody,x y\nnobody,pool\n";
    dir = temp_dir();
    unktx_ok("scan --quiet --datadir " CHAIN " --store %s/store", dir);
    unktx_ok("index --quiet --datadir " CHAIN " --store %s/store", dir);
    unktx_ok("dags --store %s/store -o %s/plain", dir, dir);
    tdags = table_read(path_of("%s/plain/tdags.csv", dir));
    snprintf(label_file, sizeof label_file, "%s/labels.csv", dir);
    write_file(label_file, text, sizeof text - 1);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    table_free(&tdags);
    remove_tree(dir);
    free(dir);
    return 0;
}

/* tdags.csv of `options` has the rows of the table without them for which `wanted` is true, but for dag_id. */
static size_t check_filter(const char *options, bool (*wanted)(size_t row))
{
    unktx_ok("dags --store %s/store -o %s/filtered --replace %s", dir, dir, options);
    struct table table = table_read(path_of("%s/filtered/tdags.csv", dir));
    size_t found = 0;
    for (size_t r = 0; r < tdags.rows; r++) {
        if (!wanted(r))
            continue;
        assert_true(found < table.rows);
        assert_int_equal(table_number(&table, found, 0), found + 1);
        for (size_t c = 1; c < tdags.columns; c++)
            assert_string_equal(table_at(&table, found, c), table_at(&tdags, r, c));
        found++;
    }
    assert_int_equal(found, table.rows);
    assert_true(found > 0 && found < tdags.rows);
    table_free(&table);
    /* the other tables have only theirs */
    struct table txs = table_read(path_of("%s/filtered/txs.csv", dir));
    struct table ends = table_read(path_of("%s/filtered/payees.csv", dir));
    for (size_t r = 0; r < txs.rows; r++)
        assert_in_range(table_number(&txs, r, table_column(&txs, "dag_id")), 1, found);
    for (size_t r = 0; r < ends.rows; r++)
        assert_in_range(table_number(&ends, r, table_column(&ends, "dag_id")), 1, found);
    table_free(&txs);
    table_free(&ends);
    struct json json = json_open(path_of("%s/filtered/summary.json", dir));
    json_find(&json, "left_out");
    assert_int_equal(strtoul(json.value, NULL, 10), tdags.rows - found);
    json_close(&json);
    return found;
}

static bool is_chain(size_t r) { return strcmp(table_get(&tdags, r, "family"), "chain") == 0; }
static bool is_high(size_t r) { return table_number(&tdags, r, table_column(&tdags, "height")) >= 4; }
static bool is_rich(size_t r) { return table_number(&tdags, r, table_column(&tdags, "moved_value_sat")) >= 100000000; }
static bool is_of_class(size_t r)
{
    return strcmp(table_get(&tdags, r, "class_id"), table_get(&tdags, 0, "class_id")) == 0;
}
static bool is_known(size_t r)
{
    char words[2048];
    snprintf(words, sizeof words, " %s ", table_get(&tdags, r, "scripts"));
    return strstr(words, " cltv-drop ") != NULL;
}
static bool is_high_chain(size_t r) { return is_chain(r) && is_high(r); }

static void test_filters(void **state)
{
    (void)state;
    check_filter("--family chain", is_chain);
    check_filter("--min-height 4", is_high);
    check_filter("--min-value 100000000", is_rich);
    check_filter(path_of("--class %.12s", table_get(&tdags, 0, "class_id")), is_of_class);
    check_filter("--known cltv-drop", is_known);
    check_filter("--family chain --min-height 4", is_high_chain);
    size_t size;
    char *text = read_file(path_of("%s/filtered/datapackage.json", dir), &size);
    assert_non_null(strstr(text, "\"select\": \"--family chain --min-height 4\""));
    free(text);
    /* the table on screen says it; what is in the folder is something else */
    struct run run = unktx_expect(0, "dags --store %s/store --family chain", dir);
    assert_non_null(strstr(run.out, "T-DAGs left out"));
    assert_non_null(strstr(run.out, "all but --family chain"));
    run_free(&run);
    run = unktx_expect(1, "dags --store %s/store -o %s/filtered", dir, dir);
    assert_non_null(strstr(run.err, "filter of T-DAGs"));
    run_free(&run);
}

/* A number is that of a row of the tables in the folder, which are numbered anew. */
static void test_numbers_of_folder(void **state)
{
    (void)state;
    struct run copied = shell("mkdir %s/part && cp -r %s/store %s/part/store", dir, dir, dir);
    assert_int_equal(copied.exit_status, 0);
    run_free(&copied);
    unktx_ok("dags --no-unlocks --store %s/part/store --family chain -o %s/part", dir, dir);
    struct table part = table_read(path_of("%s/part/tdags.csv", dir));
    size_t last = part.rows - 1;
    const char *name = table_get(&part, last, "dag");
    assert_string_not_equal(table_get(&tdags, last, "dag"), name);
    struct run run = unktx_expect(0, "show --store %s/part --dag %zu", dir, part.rows);
    assert_memory_equal(run.out, path_of("T-DAG %s,", name), strlen(name) + 7);
    run_free(&run);
    unktx_ok("outputs --store %s/part --dag %zu -o %s/outputs.csv", dir, part.rows, dir);
    struct table outputs = table_read(path_of("%s/outputs.csv", dir));
    assert_true(outputs.rows > 0);
    for (size_t r = 0; r < outputs.rows; r++)
        assert_string_equal(table_get(&outputs, r, "dag"), name);
    table_free(&outputs);
    table_free(&part);
    run = unktx_expect(1, "show --store %s/part --dag %zu", dir, last + 2);
    assert_non_null(strstr(run.err, "the tables there have"));
    run_free(&run);
}

static void expect_error(int status, const char *part, const char *options)
{
    struct run run = unktx_expect(status, "dags --store %s/store %s", dir, options);
    if (!strstr(run.err, part))
        fail_msg("%s instead of %s", run.err, part);
    run_free(&run);
}

static void test_errors(void **state)
{
    (void)state;
    expect_error(2, "--labels", "--label x");
    expect_error(2, "--class", "--class x");
    expect_error(2, "--family", "--family x");
    expect_error(2, "no known script", "--known x");
    write_file(path_of("%s/own.tsv", dir), "# none\n", 7);
    expect_error(1, "no known script", path_of("--known x --known-scripts %s/own.tsv", dir));
    expect_error(1, "begins with", "--class 00000000000000000000000000000000");
    expect_error(1, "have no label", path_of("--labels %s --label x", label_file));
    /* other letters are another label, which is said */
    expect_error(1, "and they have pool", path_of("--labels %s --label Pool", label_file));
    struct run found = unktx_expect(2, "find Pool --labels %s --store %s/store", label_file, dir);
    assert_non_null(strstr(found.err, "'Pool' is no label of --labels, but 'pool' is one"));
    run_free(&found);
    found = unktx_expect(1, "show --dag 1 --rules hidden --store %s/store", dir);
    assert_non_null(strstr(found.err, "has no store of the rule set hidden"));
    run_free(&found);
    /* a broken file: nothing is written */
    write_file(path_of("%s/broken.csv", dir), "address,label\nA,\n", 17);
    expect_error(1, "line 2, column 3", path_of("--labels %s --labels %s/broken.csv -o %s/none", label_file, dir, dir));
    assert_false(path_exists(path_of("%s/none", dir)));
    /* no output takes the place of a file of labels */
    struct run run = unktx_expect(1, "report --store %s/store --labels %s -o %s", dir, label_file, label_file);
    assert_non_null(strstr(run.err, "is read by this command"));
    run_free(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_filters), cmocka_unit_test(test_numbers_of_folder),
                                       cmocka_unit_test(test_errors)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
