/* --labels of dags, flows, show and report, and the filters of dags, on the bundled chain with planted labels: what is
 * expected is worked out from the tables that are written without them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/markup.h"
#include "tests/support/run.h"
#include "tests/support/table.h"

#define CHAIN "tests/fixtures/regtest-xor"

static char *dir;
static struct table tdags, payers, payees;
static char label_file[512];
static size_t planted[3]; /* row of payers, of payees, of tdags */

/* Labels of the address of one payer, of another payee's, of a T-DAG by its name and of another by a txid. */
static void plant(void)
{
    planted[0] = planted[1] = SIZE_MAX;
    for (size_t r = 0; r < payers.rows && planted[0] == SIZE_MAX; r++)
        planted[0] = *table_get(&payers, r, "address") && r > 5 ? r : SIZE_MAX;
    for (size_t r = payees.rows; r-- > 0 && planted[1] == SIZE_MAX;)
        if (*table_get(&payees, r, "address") &&
            strcmp(table_get(&payees, r, "address"), table_get(&payers, planted[0], "address")) != 0)
            planted[1] = r;
    planted[2] = tdags.rows / 2;
    char text[2048];
    int size = snprintf(text, sizeof text,
                        "source,address,label\nme,%s,\"Ex, change\"\n,%s,Alpha\n,%s,Beta\n,%s,\"a \"\"name\"\"\"\n"
                        ",%s,txid\n",
                        table_get(&payers, planted[0], "address"), table_get(&payers, planted[0], "address"),
                        table_get(&payees, planted[1], "address"), table_get(&tdags, planted[2], "dag"),
                        table_get(&tdags, 0, "first_txid"));
    snprintf(label_file, sizeof label_file, "%s/labels.csv", dir);
    write_file(label_file, text, (size_t)size);
}

static int set_up(void **state)
{
    (void)state;
    dir = temp_dir();
    unktx_ok("scan --quiet --datadir " CHAIN " --store %s/store", dir);
    unktx_ok("index --quiet --datadir " CHAIN " --store %s/store", dir);
    unktx_ok("dags --store %s/store -o %s/plain", dir, dir);
    tdags = table_read(path_of("%s/plain/tdags.csv", dir));
    payers = table_read(path_of("%s/plain/payers.csv", dir));
    payees = table_read(path_of("%s/plain/payees.csv", dir));
    plant();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    table_free(&tdags);
    table_free(&payers);
    table_free(&payees);
    remove_tree(dir);
    free(dir);
    return 0;
}

/* What the field of an address says. */
static const char *label_of(const char *address)
{
    if (strcmp(address, table_get(&payers, planted[0], "address")) == 0)
        return "Alpha; Ex, change";
    return strcmp(address, table_get(&payees, planted[1], "address")) == 0 ? "Beta" : "";
}

/* Labels of a T-DAG, in order: those of its rows in both tables, and its own. */
static void labels_of_dag(size_t row, char out[256])
{
    const char *id = table_get(&tdags, row, "dag_id");
    bool has[2] = {false};
    const struct table *ends[] = {&payers, &payees};
    for (size_t e = 0; e < 2; e++) {
        for (size_t r = 0; r < ends[e]->rows; r++) {
            if (strcmp(table_get(ends[e], r, "dag_id"), id) != 0)
                continue;
            const char *label = label_of(table_get(ends[e], r, "address"));
            has[0] |= label[0] == 'A';
            has[1] |= label[0] == 'B';
        }
    }
    const char *parts[5] = {has[0] ? "Alpha" : NULL, has[1] ? "Beta" : NULL, has[0] ? "Ex, change" : NULL,
                            row == planted[2] ? "a \"name\"" : NULL, row == 0 ? "txid" : NULL};
    *out = '\0';
    for (size_t p = 0; p < 5; p++) {
        if (parts[p])
            sprintf(out + strlen(out), "%s%s", *out ? "; " : "", parts[p]);
    }
}

/* The column is last, and without it the table is as before. */
static void check_ends(const char *folder, const char *name, const struct table *plain)
{
    struct table table = table_read(path_of("%s/%s/%s.csv", dir, folder, name));
    size_t labelled = 0;
    assert_int_equal(table.rows, plain->rows);
    assert_int_equal(table.columns, plain->columns + 1);
    assert_int_equal(table_column(&table, "label"), plain->columns);
    for (size_t r = 0; r < table.rows; r++) {
        for (size_t c = 0; c < plain->columns; c++)
            assert_string_equal(table_at(&table, r, c), table_at(plain, r, c));
        if (plain != &tdags)
            assert_string_equal(table_get(&table, r, "label"), label_of(table_get(plain, r, "address")));
        labelled += *table_get(&table, r, "label") != '\0';
    }
    assert_true(labelled > 0 && labelled < table.rows);
    table_free(&table);
}

static void test_tables(void **state)
{
    (void)state;
    for (unsigned threads = 1; threads <= 4; threads += 3)
        unktx_ok("dags --store %s/store -o %s/labels%u --threads %u --labels %s", dir, dir, threads, threads,
                 label_file);
    check_ends("labels1", "payers", &payers);
    check_ends("labels1", "payees", &payees);
    check_ends("labels1", "tdags", &tdags);
    struct table table = table_read(path_of("%s/labels1/tdags.csv", dir));
    for (size_t r = 0; r < table.rows; r++) {
        char expected[256];
        labels_of_dag(r, expected);
        assert_string_equal(table_get(&table, r, "label"), expected);
    }
    table_free(&table);
    static const char *const names[] = {"tdags", "payers", "payees", "txs", "arcs", "leaves", "classes"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char a[512];
        snprintf(a, sizeof a, "%s/labels1/%s.csv", dir, names[i]);
        assert_same_file(a, path_of("%s/labels4/%s.csv", dir, names[i]));
        if (i >= 3)
            assert_same_file(a, path_of("%s/plain/%s.csv", dir, names[i]));
    }
    unktx_ok("flows --store %s/store -o %s/flows --labels %s", dir, dir, label_file);
    assert_same_file(path_of("%s/flows/payers.csv", dir), path_of("%s/labels1/payers.csv", dir));
    /* a run without labels follows in the same folder: they are stored nowhere */
    unktx_ok("dags --store %s/store -o %s/labels4", dir, dir);
    assert_same_file(path_of("%s/plain/tdags.csv", dir), path_of("%s/labels4/tdags.csv", dir));
}

/* The manifest lists the column, and the file by its hash. */
static void test_manifest(void **state)
{
    (void)state;
    unktx_ok("dags --store %s/store -o %s/manifest --labels %s", dir, dir, label_file);
    struct json json = json_open(path_of("%s/manifest/datapackage.json", dir));
    json_find(&json, "labels");
    assert_string_equal(json_find(&json, "path"), label_file);
    struct run sum = shell("sha256sum %s", label_file);
    assert_memory_equal(json_find(&json, "hash") + strlen("sha256:"), sum.out, 64);
    run_free(&sum);
    size_t size;
    char *text = read_file(path_of("%s/manifest/datapackage.json", dir), &size);
    assert_int_equal(count_of(text, "{\"name\": \"label\""), 3);
    free(text);
    text = read_file(path_of("%s/plain/datapackage.json", dir), &size);
    assert_null(strstr(text, "label"));
    free(text);
}

/* The page's table of labelled T-DAGs has all of them, each with its name and its label. */
static void check_labelled(const char *page)
{
    const char *at = strstr(page, "<section id=\"labelled\"");
    char text[80];
    assert_non_null(at);
    for (size_t r = 0; r < tdags.rows; r++) {
        snprintf(text, sizeof text, ">%s<", table_get(&tdags, r, "dag"));
        assert_non_null(at = strstr(at, text));
        snprintf(text, sizeof text, "<td>&lt;i&gt;%zu&lt;/i&gt;</td></tr>", r);
        assert_non_null(at = strstr(at, text));
    }
}

static void test_show_and_report(void **state)
{
    (void)state;
    struct run run = unktx_expect(0, "show --dag %s --store %s/store --labels %s", table_get(&tdags, planted[2], "dag"),
                                  dir, label_file);
    char expected[256], line[300];
    labels_of_dag(planted[2], expected);
    snprintf(line, sizeof line, "  labels: %s\n", expected);
    assert_non_null(strstr(run.out, line));
    run_free(&run);
    /* by every name, so that each T-DAG of the page has one; what HTML would take for a tag is seen */
    char *all = malloc(tdags.rows * 64), *at = all + sprintf(all, "address,label\n");
    for (size_t r = 0; r < tdags.rows; r++)
        at += sprintf(at, "%s,<i>%zu</i>\n", table_get(&tdags, r, "dag"), r);
    write_file(path_of("%s/all.csv", dir), all, (size_t)(at - all));
    free(all);
    run = unktx_expect(0, "report --store %s/store --labels %s/all.csv -o -", dir, dir);
    assert_non_null(strstr(run.out, "<dt>labels</dt><dd>&lt;i&gt;"));
    assert_null(strstr(run.out, "<dd><i>"));
    check_labelled(run.out);
    run_free(&run);
    run = unktx_expect(0, "report --store %s/store -o -", dir);
    assert_null(strstr(run.out, "Labelled"));
    run_free(&run);
    run = unktx_expect(0, "dags --store %s/store --labels %s/all.csv --top 3", dir, dir);
    assert_non_null(strstr(run.out, "<i>"));
    run_free(&run);
}

static void test_analyze(void **state)
{
    (void)state;
    unktx_ok("analyze --quiet --datadir " CHAIN " --index -o %s/analyzed --labels %s", dir, label_file);
    unktx_ok("dags --store %s/store -o %s/tables --labels %s", dir, dir, label_file);
    assert_same_file(path_of("%s/analyzed/tdags.csv", dir), path_of("%s/tables/tdags.csv", dir));
    assert_same_file(path_of("%s/analyzed/payees.csv", dir), path_of("%s/tables/payees.csv", dir));
}

static void test_without_index(void **state)
{
    (void)state;
    unktx_ok("scan --quiet --datadir " CHAIN " --store %s/bare", dir);
    struct run run = unktx_expect(0, "dags --store %s/bare -o %s/bare-tables --labels %s", dir, dir, label_file);
    assert_non_null(strstr(run.err, "labels of payers and payees are left out"));
    run_free(&run);
    struct table table = table_read(path_of("%s/bare-tables/tdags.csv", dir));
    for (size_t r = 0; r < table.rows; r++)
        assert_string_equal(table_get(&table, r, "label"), r == 0 ? "txid" : r == planted[2] ? "a \"name\"" : "");
    table_free(&table);
}

/* ---- filters ---- */

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
static bool has_alpha(size_t r)
{
    char labels[256];
    labels_of_dag(r, labels);
    return strncmp(labels, "Alpha", 5) == 0;
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

static void test_label_filter(void **state)
{
    (void)state;
    unktx_ok("dags --store %s/store -o %s/alpha --labels %s --label Alpha", dir, dir, label_file);
    struct table table = table_read(path_of("%s/alpha/tdags.csv", dir));
    size_t found = 0;
    for (size_t r = 0; r < tdags.rows; r++) {
        char labels[256];
        if (!has_alpha(r))
            continue;
        labels_of_dag(r, labels);
        assert_string_equal(table_get(&table, found, "dag"), table_get(&tdags, r, "dag"));
        assert_string_equal(table_get(&table, found++, "label"), labels);
    }
    assert_int_equal(found, table.rows);
    table_free(&table);
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
    expect_error(1, "no known script", "--known x");
    expect_error(1, "begins with", "--class 00000000000000000000000000000000");
    expect_error(1, "have no label", path_of("--labels %s --label x", label_file));
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
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tables),          cmocka_unit_test(test_manifest),
        cmocka_unit_test(test_show_and_report), cmocka_unit_test(test_analyze),
        cmocka_unit_test(test_without_index),   cmocka_unit_test(test_filters),
        cmocka_unit_test(test_label_filter),    cmocka_unit_test(test_errors),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
