/* templates, stats --nulldata and the known scripts of T-DAGs, against the node's outputs of the bundled chain and a
 * second way to each table. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "graph/scripts/matcher.h"
#include "tests/parser/hex.h"
#include "tests/support/forests.h"
#include "tests/support/run.h"
#include "tests/support/table.h"

#define FIXTURE "tests/fixtures/regtest-xor"
#define SCRIPT_MAX 40000u

static char *place;

static const char *in_place(const char *name) { return path_of("%s/%s", place, name); }

static int scan(void **state)
{
    (void)state;
    place = temp_dir();
    unktx_ok("scan --quiet --datadir " FIXTURE " --nulldata store --store %s/all", place);
    unktx_ok("scan --quiet --datadir " FIXTURE " --store %s/count", place);
    return 0;
}

static int clean(void **state)
{
    (void)state;
    remove_tree(place);
    free(place);
    return 0;
}

/* The template by way of the asm: its words, but for those of pushes of data. */
static void second_template(const uint8_t *script, size_t size, char *out)
{
    char *as = malloc(script_asm_bound(size)), *rest = NULL;
    size_t at = 0;
    script_asm(script, size, as);
    *out = '\0';
    for (char *word = strtok_r(as, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
        size_t code = at < size ? script[at] : 0, length = code <= 75 ? code : 0, head = 1;
        if (code == 76 && at + 1 < size)
            length = script[at + 1], head = 2;
        else if (code == 77 && at + 2 < size)
            length = (size_t)script[at + 1] | (size_t)script[at + 2] << 8, head = 3;
        else if (code == 78 && at + 4 < size)
            length = load_le32(script + at + 1), head = 5;
        bool data = code > 0 && code <= 78 && strcmp(word, "[error]") != 0;
        sprintf(out + strlen(out), data ? "%s<%zu>" : "%s", *out ? " " : "", length);
        if (!data)
            strcat(out, word);
        at += head + length;
    }
    free(as);
}

static bool is_unknown(const char *kind, bool with_nulldata)
{
    return strcmp(kind, "nonstandard") == 0 || strcmp(kind, "pubkey") == 0 || strcmp(kind, "multisig") == 0 ||
           (with_nulldata && strcmp(kind, "nulldata") == 0);
}

static void templates_of_the_node(void **state)
{
    (void)state;
    static uint8_t script[SCRIPT_MAX];
    static char template[16 * SCRIPT_MAX];
    struct table truth = table_read(FIXTURE "/truth/outputs.csv");
    unktx_ok("templates --store %s/all --rules core-22 --nulldata --threads 1 -o %s/one.csv", place, place);
    unktx_ok("templates --store %s/all --rules core-22 --nulldata --threads 4 -o %s/four.csv", place, place);
    assert_same_file(in_place("one.csv"), in_place("four.csv"));
    struct table table = table_read(in_place("one.csv"));
    uint64_t *outputs = calloc(table.rows, sizeof *outputs), *spent = calloc(table.rows, sizeof *spent), cut = 0;
    for (size_t t = 0; t < truth.rows; t++) {
        const char *kind = table_get(&truth, t, "type");
        if (!is_unknown(kind, true))
            continue;
        second_template(script, from_hex(table_get(&truth, t, "script_hex"), script), template);
        size_t row = 0;
        while (row < table.rows && (strcmp(table_get(&table, row, "template"), template) != 0 ||
                                    strcmp(table_get(&table, row, "kind"), kind) != 0))
            row++;
        if (row == table.rows) {
            assert_true(strlen(template) > SCRIPT_TEMPLATE_MAX - 80);
            cut++;
            continue;
        }
        outputs[row]++;
        spent[row] += *table_get(&truth, t, "spent_by_txid") != '\0';
    }
    for (size_t row = 0; row < table.rows; row++) {
        if (strchr(table_get(&table, row, "template"), '#')) {
            cut -= table_number(&table, row, table_column(&table, "outputs"));
            continue;
        }
        assert_int_equal(table_number(&table, row, table_column(&table, "outputs")), outputs[row]);
        assert_int_equal(table_number(&table, row, table_column(&table, "spent")), spent[row]);
        if (row > 0)
            assert_true(outputs[row] <= table_number(&table, row - 1, table_column(&table, "outputs")));
    }
    assert_int_equal(cut, 0);
    free(outputs);
    free(spent);
    table_free(&table);
    table_free(&truth);
}

/* Of nulldata the bytes are enough to see by eye what they are. */
static void protocols_of_the_node(void **state)
{
    (void)state;
    struct table truth = table_read(FIXTURE "/truth/outputs.csv");
    uint64_t all = 0, commitments = 0, omni = 0, runes = 0;
    for (size_t t = 0; t < truth.rows; t++) {
        if (strcmp(table_get(&truth, t, "type"), "nulldata") != 0)
            continue;
        const char *hex = table_get(&truth, t, "script_hex");
        all++;
        commitments += strncmp(hex, "6a24aa21a9ed", 12) == 0;
        omni += strstr(hex, "6f6d6e69") == hex + 4;
        runes += strncmp(hex, "6a5d", 4) == 0;
    }
    unktx_ok("stats --nulldata --store %s/all --threads 1 -o %s/p1.csv", place, place);
    unktx_ok("stats --nulldata --store %s/all --threads 4 -o %s/p4.csv", place, place);
    assert_same_file(in_place("p1.csv"), in_place("p4.csv"));
    struct table table = table_read(in_place("p1.csv"));
    assert_int_equal(table_sum(&table, "outputs"), all);
    for (size_t row = 0; row < table.rows; row++) {
        const char *name = table_get(&table, row, "protocol");
        uint64_t outputs = table_number(&table, row, table_column(&table, "outputs"));
        if (strcmp(name, "witness-commitment") == 0)
            commitments -= outputs;
        else if (strcmp(name, "omni") == 0)
            omni -= outputs;
        else if (strcmp(name, "runes") == 0)
            runes -= outputs;
    }
    assert_int_equal(commitments, 0);
    assert_int_equal(omni, 0);
    assert_int_equal(runes, 0);
    table_free(&table);
    table_free(&truth);
}

/* Known scripts of each transaction's unknown outputs, by `unktx outputs`, and the union of all in a T-DAG by
 * `txs.csv`. */
static void add_names(struct name_set *set, struct matcher *matcher, const struct table *outputs, const char *txid)
{
    static uint8_t script[SCRIPT_MAX];
    size_t column = table_column(outputs, "txid"), hex = table_column(outputs, "script_hex");
    for (size_t o = 0; o < outputs->rows; o++) {
        if (strcmp(table_at(outputs, o, column), txid) != 0)
            continue;
        size_t size = from_hex(table_at(outputs, o, hex), script);
        matcher_match(matcher, script_kind(script, size), script, size, set);
    }
}

/* What remains when T-DAGs whose roots have known scripts are left out: `without` of `all`. */
static void check_exclusion(uint64_t without, uint64_t all)
{
    unktx_ok("dags --store %s/all --rules core-22 --exclude-scripts @known -o %s/rest", place, place);
    struct table rest = table_read(in_place("rest/tdags.csv"));
    assert_int_equal(rest.rows, without);
    assert_true(without > 0 && without < all);
    struct json json = json_open(in_place("rest/summary.json"));
    uint64_t excluded = 0;
    json_find(&json, "core-22");
    json_find(&json, "excluded");
    while (json_next(&json) && strcmp(json.key, "pattern") == 0) {
        assert_true(json_find_number(&json, "tdags") > 0);
        excluded += json_number(&json);
    }
    assert_int_equal(excluded + without, all);
    json_close(&json);
    table_free(&rest);
}

/* The names of a class are those of its T-DAGs, `of_dag` by number. */
static void check_classes(const struct catalogue *catalogue, const struct table *dags, const struct name_set *of_dag)
{
    struct table classes = table_read(in_place("dags/classes.csv"));
    char *names = malloc(catalogue_names_size(catalogue) + 1);
    for (size_t c = 0; c < classes.rows; c++) {
        struct name_set set = {{0}};
        for (size_t d = 0; d < dags->rows; d++)
            if (strcmp(table_get(dags, d, "class_id"), table_get(&classes, c, "class_id")) == 0)
                name_set_join(&set, &of_dag[d + 1]);
        *catalogue_put_names(catalogue, &set, names) = '\0';
        assert_string_equal(table_get(&classes, c, "scripts"), names);
    }
    free(names);
    table_free(&classes);
}

/* Names by number of the T-DAG: of all its transactions, and of its roots alone. */
static void names_of_tdags(const struct catalogue *catalogue, struct name_set *of_dag, struct name_set *of_roots)
{
    static const uint8_t seed[16] = "another seed 123";
    struct table txs = table_read(in_place("dags/txs.csv")), outputs = table_read(in_place("outputs.csv"));
    struct matcher *matcher = NULL;
    assert_int_equal(matcher_new(catalogue, seed, &matcher, NULL), STATUS_OK);
    for (size_t t = 0; t < txs.rows; t++) {
        uint64_t dag = table_number(&txs, t, table_column(&txs, "dag_id"));
        add_names(&of_dag[dag], matcher, &outputs, table_get(&txs, t, "txid"));
        if (*table_get(&txs, t, "is_root") == '1')
            add_names(&of_roots[dag], matcher, &outputs, table_get(&txs, t, "txid"));
    }
    matcher_free(matcher);
    table_free(&outputs);
    table_free(&txs);
}

static void scripts_of_tdags(void **state)
{
    (void)state;
    struct catalogue catalogue = {0};
    assert_int_equal(catalogue_read_built_in(&catalogue, NULL), STATUS_OK);
    unktx_ok("dags --store %s/all --rules core-22 --threads 3 -o %s/dags", place, place);
    unktx_ok("outputs --store %s/all --rules core-22 -o %s/outputs.csv", place, place);
    struct table dags = table_read(in_place("dags/tdags.csv"));
    char *names = malloc(catalogue_names_size(&catalogue) + 1);
    struct name_set *of_dag = calloc(dags.rows + 1, sizeof *of_dag),
                    *of_roots = calloc(dags.rows + 1, sizeof *of_roots);
    names_of_tdags(&catalogue, of_dag, of_roots);
    uint64_t without = 0;
    for (size_t d = 0; d < dags.rows; d++) {
        *catalogue_put_names(&catalogue, &of_dag[d + 1], names) = '\0';
        assert_string_equal(table_get(&dags, d, "scripts"), names);
        without += name_set_first(&of_roots[d + 1]) == CATALOGUE_MAX;
    }
    check_classes(&catalogue, &dags, of_dag);
    check_exclusion(without, dags.rows);
    struct run run = unktx_expect(0, "show --store %s/all --rules core-22 --dag 1", place);
    assert_non_null(strstr(run.out, path_of("known scripts: %s\n", table_get(&dags, 0, "scripts"))));
    run_free(&run);
    free(of_dag);
    free(of_roots);
    free(names);
    table_free(&dags);
    catalogue_free(&catalogue);
}

/* An output with a known script is shown with what the list says of it. */
static void shown(void **state)
{
    (void)state;
    struct table truth = table_read(FIXTURE "/truth/outputs.csv");
    size_t t = 0;
    while (strcmp(table_get(&truth, t, "script_hex"), "0000ae") != 0)
        t++;
    struct run run = unktx_expect(0, "show --store %s/all %s:%s", place, table_get(&truth, t, "txid"),
                                  table_get(&truth, t, "vout"));
    assert_non_null(strstr(run.out, "      known as checkmultisig-0-of-n: No signature of n keys is asked for"));
    assert_non_null(strstr(run.out, "      known as anyone-can-spend: "));
    assert_null(strstr(run.out, "known as op-if"));
    run_free(&run);
    table_free(&truth);
}

static void scripts_of_a_user(void **state)
{
    (void)state;
    static const char mine[] = "# mine\nmy-true\tnonstandard\t^1$\t\tme\tOP_TRUE\n";
    write_file(in_place("mine.tsv"), mine, sizeof mine - 1);
    unktx_ok("templates --store %s/count --known-scripts %s/mine.tsv -o %s/mine.csv", place, place, place);
    struct table table = table_read(in_place("mine.csv"));
    size_t row = 0;
    while (row < table.rows && strcmp(table_get(&table, row, "template"), "1") != 0)
        row++;
    assert_true(row < table.rows);
    assert_string_equal(table_get(&table, row, "scripts"), "anyone-can-spend my-true");
    table_free(&table);
    write_file(in_place("mine.tsv"), "x\n", 2);
    static const char *const commands[] = {"templates --known-scripts", "dags --scripts" /* the former name */,
                                           "stats --nulldata --known-scripts", "show --dag 1 --known-scripts"};
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        struct run run = unktx_expect(1, "%s %s/mine.tsv --store %s/count", commands[i], place, place);
        assert_non_null(strstr(run.err, "line 1: fewer than six columns"));
        run_free(&run);
    }
}

static void what_is_not_there(void **state)
{
    (void)state;
    static const char *const commands[] = {"templates --nulldata", "stats --nulldata"};
    for (size_t i = 0; i < 2; i++) {
        struct run run = unktx_expect(0, "%s --store %s/count", commands[i], place);
        assert_non_null(strstr(run.err, "--nulldata count"));
        run_free(&run);
        run = unktx_expect(0, "%s --store %s/all", commands[i], place);
        assert_string_equal(run.err, "");
        run_free(&run);
    }
    struct run run = unktx_expect(2, "stats --nulldata --by year --store %s/all", place);
    run_free(&run);
    run = unktx_expect(1, "templates --store %s/none", place);
    run_free(&run);
}

/* Three opcodes, 64 of each, none of them a push. */
static const uint8_t *many_scripts(uint32_t ordinal, uint32_t *size)
{
    static uint8_t script[3];
    for (uint32_t i = 0; i < 3; i++)
        script[i] = (uint8_t)(0x6b + (ordinal >> 6 * i & 63));
    *size = 3;
    return script;
}

static void too_many_templates(void **state)
{
    (void)state;
    struct forest_builder builder = {0};
    for (uint32_t t = 0; t < 70; t++)
        forest_add_tx(&builder, 1, 1000, 0, 0);
    store_close(forest_write(forest_finish(&builder), in_place("many"), many_scripts));
    forest_builder_free(&builder);
    unktx_ok("templates --store %s/many --threads 1 -o %s/m1.csv", place, place);
    unktx_ok("templates --store %s/many --threads 4 -o %s/m4.csv", place, place);
    assert_same_file(in_place("m1.csv"), in_place("m4.csv"));
    struct table table = table_read(in_place("m1.csv"));
    assert_int_equal(table.rows, 65536 + 1);
    assert_int_equal(table_sum(&table, "outputs"), 70000);
    assert_string_equal(table_get(&table, 0, "template"), "(other)");
    assert_int_equal(table_number(&table, 0, table_column(&table, "outputs")), 70000 - 65536);
    assert_int_equal(table_number(&table, 0, table_column(&table, "last_height")), 69);
    table_free(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(templates_of_the_node),
        cmocka_unit_test(protocols_of_the_node),
        cmocka_unit_test(scripts_of_tdags),
        cmocka_unit_test(scripts_of_a_user),
        cmocka_unit_test(shown),
        cmocka_unit_test(what_is_not_there),
        cmocka_unit_test(too_many_templates),
    };
    return cmocka_run_group_tests(tests, scan, clean);
}
