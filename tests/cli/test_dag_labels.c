/* --labels of the commands that take it, on the bundled chain with planted labels: what is expected is worked out from
 * the tables that are written without them. */
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
static struct table tdags, payers, payees, keys;
static char label_file[512];
static size_t planted[4]; /* row of payers, of payees, of tdags, of keys */

static bool is_payment(const char *address)
{
    const struct table *ends[] = {&payers, &payees};
    for (size_t e = 0; e < 2; e++)
        for (size_t r = 0; r < ends[e]->rows; r++)
            if (strcmp(table_get(ends[e], r, "address"), address) == 0)
                return true;
    return false;
}

/* Has the key addresses that nobody paid from or to? */
static bool is_key_alone(size_t row)
{
    const char *nested = table_get(&keys, row, "p2sh_p2wpkh"), *native = table_get(&keys, row, "p2wpkh");
    return *nested && !is_payment(nested) && !is_payment(native);
}

/* Labels of the address of one payer, of another payee's, of a T-DAG by its name and of another by a txid, and of two
 * addresses of a key. */
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
    for (planted[3] = 0; !is_key_alone(planted[3]);)
        planted[3]++;
    char text[2048];
    int size = snprintf(text, sizeof text,
                        "source,address,label\nme,%s,\"Ex, change\"\n,%s,Alpha\n,%s,Beta\n,%s,\"a \"\"name\"\"\"\n"
                        ",%s,txid\n,%s,Holder\n,%s,Anybody\n,%s,Holder\n",
                        table_get(&payers, planted[0], "address"), table_get(&payers, planted[0], "address"),
                        table_get(&payees, planted[1], "address"), table_get(&tdags, planted[2], "dag"),
                        table_get(&tdags, 0, "first_txid"), table_get(&keys, planted[3], "p2sh_p2wpkh"),
                        table_get(&keys, planted[3], "p2sh_p2wpkh"), table_get(&keys, planted[3], "p2wpkh"));
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
    keys = table_read(path_of("%s/plain/keys.csv", dir));
    plant();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    table_free(&tdags);
    table_free(&payers);
    table_free(&payees);
    table_free(&keys);
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

/* Five of them, NULL where there is none. */
static void join_labels(const char *const *parts, char out[256])
{
    *out = '\0';
    for (size_t p = 0; p < 5; p++) {
        if (parts[p])
            sprintf(out + strlen(out), "%s%s", *out ? "; " : "", parts[p]);
    }
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
    join_labels(parts, out);
}

/* What the T-DAG of that name is labelled; nothing where there is no name. */
static void expect_dag_label(const struct table *table, size_t row, const char *dag, const char *label)
{
    const char *name = table_get(table, row, dag);
    char expected[256] = "";
    for (size_t d = 0; *name && d < tdags.rows; d++)
        if (strcmp(table_get(&tdags, d, "dag"), name) == 0)
            labels_of_dag(d, expected);
    assert_string_equal(table_get(table, row, label), expected);
}

/* The column is last, of payers and payees with the T-DAG's after it, and without them the table is as before. */
static void check_ends(const char *folder, const char *name, const struct table *plain)
{
    struct table table = table_read(path_of("%s/%s/%s.csv", dir, folder, name));
    size_t labelled = 0;
    assert_int_equal(table.rows, plain->rows);
    assert_int_equal(table.columns, plain->columns + (plain == &tdags ? 1 : 2));
    assert_int_equal(table_column(&table, "label"), plain->columns);
    for (size_t r = 0; r < table.rows; r++) {
        for (size_t c = 0; c < plain->columns; c++)
            assert_string_equal(table_at(&table, r, c), table_at(plain, r, c));
        if (plain != &tdags)
            assert_string_equal(table_get(&table, r, "label"), label_of(table_get(plain, r, "address")));
        if (plain != &tdags)
            expect_dag_label(&table, r, "dag", "dag_label");
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
    static const char *const names[] = {"tdags",   "payers", "payees", "txs",  "arcs",   "leaves",
                                        "unlocks", "keys",   "hashes", "ties", "groups", "classes"};
    size_t count = sizeof names / sizeof *names;
    for (size_t i = 0; i < count; i++)
        assert_same_file(path_of("%s/labels1/%s.csv", dir, names[i]), path_of("%s/labels4/%s.csv", dir, names[i]));
    assert_same_file(path_of("%s/labels1/classes.csv", dir), path_of("%s/plain/classes.csv", dir));
    unktx_ok("flows --store %s/store -o %s/flows --labels %s", dir, dir, label_file);
    assert_same_file(path_of("%s/flows/payers.csv", dir), path_of("%s/labels1/payers.csv", dir));
    /* a run without labels follows in the same folder: they are stored nowhere */
    unktx_ok("dags --store %s/store -o %s/labels4", dir, dir);
    for (size_t i = 0; i < count; i++)
        assert_same_file(path_of("%s/plain/%s.csv", dir, names[i]), path_of("%s/labels4/%s.csv", dir, names[i]));
}

/* The table with labels is that without, and `more` columns after it: the labels of the T-DAGs named in `dag`, and in
 * tied_dag where that is one. */
static void check_named(const char *folder, const char *plain_folder, const char *name, size_t more)
{
    struct table table = table_read(path_of("%s/%s/%s.csv", dir, folder, name));
    struct table plain = table_read(path_of("%s/%s/%s.csv", dir, plain_folder, name));
    size_t labelled = 0;
    assert_int_equal(table.rows, plain.rows);
    assert_int_equal(table.columns, plain.columns + more);
    for (size_t r = 0; r < table.rows; r++) {
        for (size_t c = 0; c < plain.columns; c++)
            assert_string_equal(table_at(&table, r, c), table_at(&plain, r, c));
        expect_dag_label(&table, r, "dag", "dag_label");
        if (strcmp(name, "ties") == 0)
            expect_dag_label(&table, r, "tied_dag", "tied_dag_label");
        labelled += *table_get(&table, r, "dag_label") != '\0';
    }
    assert_true(labelled < table.rows && (labelled > 0 || strcmp(name, "hashes") == 0 || strcmp(name, "ties") == 0));
    table_free(&table);
    table_free(&plain);
}

/* The labels of a key: those of its four addresses, each once. */
static void labels_of_key(size_t row, char out[256])
{
    static const char *const columns[] = {"p2pkh", "p2sh_p2wpkh", "p2wpkh", "p2tr"};
    const char *nested = table_get(&keys, planted[3], "p2sh_p2wpkh"), *native = table_get(&keys, planted[3], "p2wpkh");
    bool alpha = false, beta = false, anybody = false, holder = false;
    for (size_t c = 0; c < 4; c++) {
        const char *address = table_get(&keys, row, columns[c]), *label = label_of(address);
        alpha |= label[0] == 'A';
        beta |= label[0] == 'B';
        anybody |= strcmp(address, nested) == 0;
        holder |= strcmp(address, nested) == 0 || strcmp(address, native) == 0;
    }
    const char *parts[5] = {alpha ? "Alpha" : NULL, anybody ? "Anybody" : NULL, beta ? "Beta" : NULL,
                            alpha ? "Ex, change" : NULL, holder ? "Holder" : NULL};
    join_labels(parts, out);
}

/* A group has the labels of all T-DAGs that a tie of it names. */
static void check_groups(void)
{
    struct table groups = table_read(path_of("%s/named/groups.csv", dir));
    struct table ties = table_read(path_of("%s/named/ties.csv", dir));
    static const char *const labels[] = {"Alpha", "Beta", "Ex, change", "a \"name\"", "txid"};
    for (size_t g = 0; g < groups.rows; g++) {
        char expected[256] = "";
        for (size_t l = 0; l < sizeof labels / sizeof *labels; l++) {
            bool has = false;
            for (size_t r = 0; r < ties.rows; r++)
                has |= strcmp(table_get(&ties, r, "group_id"), table_get(&groups, g, "group_id")) == 0 &&
                       (strstr(table_get(&ties, r, "dag_label"), labels[l]) ||
                        strstr(table_get(&ties, r, "tied_dag_label"), labels[l]));
            if (has)
                sprintf(expected + strlen(expected), "%s%s", *expected ? "; " : "", labels[l]);
        }
        assert_string_equal(table_get(&groups, g, "label"), expected);
    }
    table_free(&groups);
    table_free(&ties);
}

/* Every table that names T-DAGs, by dags and by the commands that write it alone. */
static void test_other_tables(void **state)
{
    (void)state;
    static const char *const names[] = {"txs", "arcs", "leaves", "unlocks", "hashes", "ties"};
    unktx_ok("dags --store %s/store -o %s/named --labels %s", dir, dir, label_file);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        check_named("named", "plain", names[i], strcmp(names[i], "ties") == 0 ? 2 : 1);
    check_named("named", "plain", "keys", 2);
    check_groups();
    struct table table = table_read(path_of("%s/named/keys.csv", dir));
    for (size_t r = 0; r < table.rows; r++) {
        char expected[256];
        labels_of_key(r, expected);
        assert_string_equal(table_get(&table, r, "label"), expected);
    }
    assert_string_equal(table_get(&table, planted[3], "label"), "Anybody; Holder");
    table_free(&table);
    make_dirs(path_of("%s/alone", dir));
    unktx_ok("unlocks --store %s/store -o %s/alone/unlocks.csv --labels %s", dir, dir, label_file);
    unktx_ok("keys --store %s/store -o %s/alone/keys.csv --labels %s", dir, dir, label_file);
    unktx_ok("keys --hashes --store %s/store -o %s/alone/hashes.csv --labels %s", dir, dir, label_file);
    static const char *const alone[] = {"unlocks", "keys", "hashes"};
    for (size_t i = 0; i < sizeof alone / sizeof *alone; i++)
        assert_same_file(path_of("%s/alone/%s.csv", dir, alone[i]), path_of("%s/named/%s.csv", dir, alone[i]));
    unktx_ok("ties --store %s/store -o %s/tied --labels %s", dir, dir, label_file);
    assert_same_file(path_of("%s/tied/ties.csv", dir), path_of("%s/named/ties.csv", dir));
    assert_same_file(path_of("%s/tied/groups.csv", dir), path_of("%s/named/groups.csv", dir));
    unktx_ok("outputs --store %s/store -o %s/plain/outputs.csv", dir, dir);
    unktx_ok("outputs --store %s/store -o %s/alone/outputs.csv --labels %s", dir, dir, label_file);
    check_named("alone", "plain", "outputs", 1);
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
    json_close(&json);
    size_t size;
    char *text = read_file(path_of("%s/manifest/datapackage.json", dir), &size);
    assert_int_equal(count_of(text, "{\"name\": \"label\""), 5); /* of tdags, payers, payees, keys, groups */
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

static void expect_part(const char *command, const char *part)
{
    struct run run = unktx_expect(0, "%s --store %s/store --labels %s", command, dir, label_file);
    if (!strstr(run.out, part))
        fail_msg("%s: no %s in %s", command, part, run.out);
    run_free(&run);
}

/* A transaction tells the labels of its T-DAG, and of its addresses where these are shown. */
static void test_transactions(void **state)
{
    (void)state;
    char first[80], payee[80], labels[256], line[300], address[200];
    snprintf(first, sizeof first, "%s", table_get(&tdags, planted[2], "first_txid"));
    snprintf(payee, sizeof payee, "%s:%s", table_get(&payees, planted[1], "txid"),
             table_get(&payees, planted[1], "vout"));
    labels_of_dag(planted[2], labels);
    snprintf(line, sizeof line, "      labels: %s\n", labels);
    expect_part(path_of("show %s", first), line);
    expect_part(path_of("tx %s", first), line);
    expect_part(path_of("show --format json %s", first), "\"a \\\"name\\\"\"]}");
    expect_part(path_of("tx --format json %s", first), "\"a \\\"name\\\"\"]}");
    snprintf(address, sizeof address, "\"address\":\"%s\",\"labels\":[\"Beta\"]",
             table_get(&payees, planted[1], "address"));
    expect_part(path_of("show --scripts --format json %s", payee), address);
    expect_part(path_of("tx --scripts --format json %s", payee), address);
    snprintf(address, sizeof address, "address %s\n        labels: Beta\n", table_get(&payees, planted[1], "address"));
    expect_part(path_of("tx --scripts %s", payee), address);
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

static bool has_alpha(size_t r)
{
    char labels[256];
    labels_of_dag(r, labels);
    return strncmp(labels, "Alpha", 5) == 0;
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tables),          cmocka_unit_test(test_manifest),
        cmocka_unit_test(test_other_tables),    cmocka_unit_test(test_transactions),
        cmocka_unit_test(test_show_and_report), cmocka_unit_test(test_analyze),
        cmocka_unit_test(test_without_index),   cmocka_unit_test(test_label_filter),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
