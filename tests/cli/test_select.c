/* Options that select outputs: what is left is what the same rows of the whole table say. */
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

static char *place;

static int scan(void **state)
{
    (void)state;
    place = temp_dir();
    unktx_ok("scan --quiet --datadir tests/fixtures/regtest-xor --store %s/store", place);
    unktx_ok("outputs --store %s/store --rules core-22 -o %s/outputs.csv", place, place);
    unktx_ok("unlocks --store %s/store --rules core-22 -o %s/unlocks.csv", place, place);
    unktx_ok("keys --store %s/store --rules core-22 -o %s/keys.csv", place, place);
    return 0;
}

static int clean(void **state)
{
    (void)state;
    remove_tree(place);
    free(place);
    return 0;
}

typedef bool is_wanted(const struct table *all, size_t row);

/* Runs the command with the option and compares its rows with those of the whole table that are wanted. */
static void expect(const char *command, const char *option, is_wanted *wanted)
{
    unktx_ok("%s --store %s/store --rules core-22 %s --threads 3 -o %s/part.csv", command, place, option, place);
    struct table all = table_read(path_of("%s/%s.csv", place, command));
    struct table part = table_read(path_of("%s/part.csv", place));
    size_t row = 0;
    for (size_t r = 0; r < all.rows; r++) {
        if (!wanted(&all, r))
            continue;
        if (row == part.rows)
            fail_msg("%s %s: ends after %zu rows", command, option, row);
        for (size_t c = 0; c < all.columns; c++)
            assert_string_equal(table_at(&all, r, c), table_at(&part, row, c));
        row++;
    }
    if (row != part.rows || row == 0 || row == all.rows)
        fail_msg("%s %s: %zu rows, wanted %zu of %zu", command, option, part.rows, row, all.rows);
    table_free(&all);
    table_free(&part);
}

static bool is_multisig(const struct table *all, size_t row)
{
    return strcmp(table_get(all, row, "kind"), "multisig") == 0;
}

static bool is_data_keys(const struct table *all, size_t row)
{
    return strcmp(table_get(all, row, "protocol"), "data-keys") == 0;
}

static bool is_of_no_protocol(const struct table *all, size_t row)
{
    return table_get(all, row, "protocol")[0] == '\0';
}

static bool is_worth(const struct table *all, size_t row)
{
    return table_number(all, row, table_column(all, "value_sat")) >= 10000;
}

static bool is_from_110(const struct table *all, size_t row)
{
    return table_number(all, row, table_column(all, "height")) >= 110;
}

/* OP_HASH160, a push of 20 bytes, OP_EQUALVERIFY, OP_1, in hexadecimal. */
static bool is_hash160_verify(const struct table *all, size_t row)
{
    const char *hex = table_get(all, row, "script_hex");
    return strlen(hex) == 48 && strncmp(hex, "a914", 4) == 0 && strcmp(hex + 44, "8851") == 0;
}

static bool is_nop(const struct table *all, size_t row)
{
    return strcmp(table_get(all, row, "template"), "OP_NOP") == 0;
}

static bool is_empty(const struct table *all, size_t row) { return table_get(all, row, "script_hex")[0] == '\0'; }

static bool is_dag_11(const struct table *all, size_t row) { return strcmp(table_get(all, row, "dag_id"), "11") == 0; }

static void test_outputs(void **state)
{
    (void)state;
    expect("outputs", "--kind multisig", is_multisig);
    expect("outputs", "--protocol data-keys", is_data_keys);
    expect("outputs", "--protocol other", is_of_no_protocol);
    expect("outputs", "--min-value 10000", is_worth);
    expect("outputs", "--from-height 110", is_from_110);
    expect("keys", "--from-height 110", is_from_110);
    expect("outputs", "--template \"\"", is_empty); /* the two quotes that the tables have */
    expect("outputs", "--script ^OP_HASH160.[0-9a-f]{40}.OP_EQUALVERIFY.1$", is_hash160_verify);
}

static void test_unlocks(void **state)
{
    (void)state;
    expect("unlocks", "--kind multisig", is_multisig);
    expect("unlocks", "--min-value 10000", is_worth);
    expect("unlocks", "--template OP_NOP", is_nop);
    expect("unlocks", "--dag 11", is_dag_11);
}

/* --known against the column of `unktx templates`: the templates that have that name, and all of these. */
static void test_templates(void **state)
{
    (void)state;
    unktx_ok("templates --store %s/store --known puzzle-hash160 -o %s/known.csv", place, place);
    struct table table = table_read(path_of("%s/known.csv", place));
    assert_true(table.rows > 0);
    for (size_t r = 0; r < table.rows; r++)
        assert_non_null(strstr(table_get(&table, r, "scripts"), "puzzle-hash160"));
    unktx_ok("templates --store %s/store -o %s/named.csv", place, place);
    struct table named = table_read(path_of("%s/named.csv", place));
    size_t known = 0;
    for (size_t r = 0; r < named.rows; r++)
        known += strstr(table_get(&named, r, "scripts"), "puzzle-hash160") != NULL;
    assert_int_equal(table.rows, known);
    table_free(&named);
    table_free(&table);
    unktx_ok("templates --store %s/store --rules core-22 -o %s/all.csv", place, place);
    unktx_ok("templates --store %s/store --rules core-22 --kind pubkey -o %s/pubkey.csv", place, place);
    table = table_read(path_of("%s/all.csv", place));
    struct table part = table_read(path_of("%s/pubkey.csv", place));
    uint64_t outputs = 0;
    for (size_t r = 0; r < table.rows; r++)
        if (strcmp(table_get(&table, r, "kind"), "pubkey") == 0)
            outputs += table_number(&table, r, table_column(&table, "outputs"));
    assert_int_equal(outputs, table_sum(&part, "outputs"));
    table_free(&table);
    table_free(&part);
}

static void test_refused(void **state)
{
    (void)state;
    char known[4096], protocol[4096];
    write_file(path_of("%s/own.tsv", place), "# none\n", 7);
    snprintf(known, sizeof known, "--known no-such --known-scripts %s/own.tsv", place);
    snprintf(protocol, sizeof protocol, "--protocol nobody --known-scripts %s/own.tsv", place);
    const char *const options[][2] = {{"--dag 99999", "no T-DAG 99999"},
                                      {"--dag 0001", "begins with 0001; a number has no zeros before it\n"},
                                      {known, "no known script is called 'no-such'"},
                                      {protocol, "no protocol is called 'nobody'"}};
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        struct run run = unktx_expect(1, "outputs --store %s/store %s", place, options[i][0]);
        if (!strstr(run.err, options[i][1]))
            fail_msg("no '%s' in: %s", options[i][1], run.err);
        run_free(&run);
    }
}

/* What the word alone tells is usage, whatever is where the store should be. */
static void test_words(void **state)
{
    (void)state;
    static const char *const commands[] = {"outputs", "templates", "unlocks", "keys"};
    static const char *const options[][2] = {{"--script (", "--script: '('"},
                                             {"--template xx", "--template: 'xx' is no template"},
                                             {"--template <x>", "'<x>' is no template"},
                                             {"--known no-such", "no known script is called 'no-such'"},
                                             {"--protocol nobody", "no protocol is called 'nobody'"},
                                             {"--dag 0", "--dag: '0' is no number from 1 on, name or txid"}};
    struct run show = unktx_expect(2, "show --store %s/nowhere --dag 01", place);
    assert_non_null(strstr(show.err, "--dag: '01' is no number from 1 on, name, txid or class id"));
    run_free(&show);
    for (size_t c = 0; c < sizeof commands / sizeof *commands; c++) {
        for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
            struct run run = unktx_expect(2, "%s --store %s/nowhere %s", commands[c], place, options[i][0]);
            if (!strstr(run.err, options[i][1]) || !strstr(run.err, "--help"))
                fail_msg("no '%s' in: %s", options[i][1], run.err);
            run_free(&run);
        }
    }
}

/* A second value would silently take the place of the first. Values that are no text select nothing. */
static void test_usage(void **state)
{
    (void)state;
    static const char *const options[][2] = {
        {"outputs --script A --script B", "--script is given twice"},
        {"outputs --script=A --script=A", "--script is given twice"},
        {"unlocks --dag 1 --dag 2", "--dag is given twice"},
        {"templates --min-value 1 --min-value 2", "--min-value is given twice"},
        {"outputs --kind pubkey --kind multisig", "--kind is given twice"},
        {"keys --kind scripthash", "--kind: 'scripthash' is none of"},
        {"unlocks --kind witness_v1_taproot", "--kind: 'witness_v1_taproot' is none of"},
        {"outputs --rules core-22 --rules core-22", "--rules is given twice"},
        {"outputs -o a.csv --output b.csv", "--output is given twice"},
        {"outputs --script \xff\xfe", "is no text in UTF-8"},
        {"outputs --script a\x01", "is no text in UTF-8"},
        {"outputs --template \xc3", "is no text in UTF-8"},
        {"outputs --known \xed\xa0\x80", "is no text in UTF-8"},
    };
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        struct run run = unktx_expect(2, "%s --store %s/store", options[i][0], place);
        if (!strstr(run.err, options[i][1]))
            fail_msg("%s: no '%s' in: %s", options[i][0], options[i][1], run.err);
        run_free(&run);
    }
    unktx_ok("scan --quiet --quiet --datadir tests/fixtures/regtest-xor --store %s/quiet", place);
}

/* Without rows, the one line on stderr says why there can be none. */
static void expect_none(const char *line, const char *said)
{
    struct run run = unktx_expect(0, "%s --store %s/store", line, place);
    if (!strstr(run.err, said) || strchr(run.err, '\n') != strrchr(run.err, '\n'))
        fail_msg("%s: no '%s' in: %s", line, said, run.err);
    assert_ptr_equal(strchr(run.out, '\n'), strrchr(run.out, '\n')); /* the header */
    run_free(&run);
}

/* They can be listed, or never have what is asked for. */
static void test_none_of_nulldata(void **state)
{
    (void)state;
    static const char count[] = "; this store was made with --nulldata count,";
    expect_none("outputs --kind nulldata", "--kind nulldata: these outputs are listed with --nulldata only");
    expect_none("outputs --kind nulldata", count);
    expect_none("templates --kind nulldata", "listed with --nulldata only");
    expect_none("unlocks --kind nulldata", "--kind nulldata: none of these outputs can be spent\n");
    expect_none("keys --kind nulldata", "--kind nulldata: none of these outputs shows a key\n");
    expect_none("keys --hashes --kind nulldata", "--kind nulldata: none of these outputs has a hash lock\n");
    /* nulldata outputs of the bundled chain are written by it */
    expect_none("outputs --protocol runes",
                "--protocol runes in nulldata outputs: these outputs are listed with --nulldata only");
    expect_none("templates --protocol runes", "listed with --nulldata only");
    expect_none("unlocks --protocol runes",
                "--protocol runes in nulldata outputs: none of these outputs can be spent\n");
    unktx_ok("scan --quiet --nulldata store --datadir tests/fixtures/regtest-xor --store %s/stored", place);
    struct run run = unktx_expect(0, "outputs --kind nulldata --store %s/stored", place);
    assert_null(strstr(run.err, count));
    assert_non_null(strstr(run.err, "--nulldata only\n"));
    run_free(&run);
    run = unktx_expect(0, "outputs --kind nulldata --nulldata --store %s/stored", place);
    assert_string_equal(run.err, "");
    assert_true(strchr(run.out, '\n') != strrchr(run.out, '\n'));
    run_free(&run);
}

static void test_none(void **state)
{
    (void)state;
    static const char *const commands[] = {"outputs", "templates", "unlocks", "keys"};
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        expect_none(path_of("%s --kind pubkey", commands[i]),
                    "--kind pubkey: no output of this kind is unknown under core-0.18: add --rules core-0.19\n");
        expect_none(path_of("%s --known lightning-to-local", commands[i]), "a script that spenders show");
        expect_none(path_of("%s --from-height 261", commands[i]), "--from-height 261 is above the last block, 260\n");
    }
    expect_none("outputs --kind scripthash --rules core-22",
                "--kind scripthash: no output of this kind is unknown under core-22: add --rules hidden\n");
    struct run run = unktx_expect(0, "dags --known lightning-to-local --store %s/store", place);
    assert_non_null(strstr(run.err, "--known lightning-to-local: a script that spenders show"));
    run_free(&run);
    static const char *const others[] = {"--kind pubkey --rules core-0.19",
                                         "--kind multisig",
                                         "--kind nonstandard",
                                         "--from-height 100",
                                         "--known op-if",
                                         "--protocol other --rules core-22"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        run = unktx_expect(0, "outputs %s --store %s/store", others[i], place);
        assert_string_equal(run.err, "");
        assert_true(strchr(run.out, '\n') != strrchr(run.out, '\n'));
        run_free(&run);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_outputs),          cmocka_unit_test(test_unlocks), cmocka_unit_test(test_templates),
        cmocka_unit_test(test_refused),          cmocka_unit_test(test_words),   cmocka_unit_test(test_none),
        cmocka_unit_test(test_none_of_nulldata), cmocka_unit_test(test_usage)};
    return cmocka_run_group_tests_name("select", tests, scan, clean);
}
