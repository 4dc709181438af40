/* `unktx compare` against what the fixture's node says, counted here once more, as of several heights; and each
 * verdict. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/dir.h"
#include "tests/support/run.h"
#include "tests/support/table.h"

#define FIXTURE "tests/fixtures/regtest-xor"
#define TIP 260u
#define DAY_END 1600041600u /* 2020-09-14 00:00 UTC */

static struct table txs, outputs, blocks;

static int set_up(void **state)
{
    (void)state;
    dir = temp_dir();
    txs = table_read(FIXTURE "/truth/txs.csv");
    outputs = table_read(FIXTURE "/truth/outputs.csv");
    blocks = table_read(FIXTURE "/truth/blocks.csv");
    unktx_ok("scan --quiet --datadir " FIXTURE " --store %s/store", dir);
    return 0;
}

static int tear_down(void **state)
{
    table_free(&txs);
    table_free(&outputs);
    table_free(&blocks);
    return remove_dir(state);
}

/* ---- a list of figures, and what is expected of each ---- */

#define EXPECTED_MAX 256u

static struct expected {
    char verdict[32];
    char ours[24];
} expected[EXPECTED_MAX];
static size_t expected_count;
static FILE *list;

static void begin_list(void)
{
    expected_count = 0;
    list = fopen(path_of("%s/figures.tsv", dir), "w");
    assert_non_null(list);
}

static void ask(const char *network, const char *figure, const char *as_of, uint64_t published, const char *verdict,
                const char *ours)
{
    struct expected *e = &expected[expected_count++];
    assert_true(expected_count <= EXPECTED_MAX);
    snprintf(e->verdict, sizeof e->verdict, "%s", verdict);
    snprintf(e->ours, sizeof e->ours, "%s", ours);
    fprintf(list, "%s\t%s\t%s\t%" PRIu64 "\ta test, \"quoted\"\t\n", network, figure, as_of, published);
}

/* The same with the true number, which must be met. */
static void ask_true(const char *figure, const char *as_of, uint64_t number)
{
    char ours[24];
    snprintf(ours, sizeof ours, "%" PRIu64, number);
    ask("regtest", figure, as_of, number, "equal", ours);
}

static struct table compared(void)
{
    fclose(list);
    unktx_ok("compare --store %s/store --figures %s/figures.tsv -o %s/compared.csv", dir, dir, dir);
    return table_read(path_of("%s/compared.csv", dir));
}

static void check_list(void)
{
    struct table table = compared();
    assert_true(table.rows > expected_count); /* the built-in ones come first */
    for (size_t i = 0; i < expected_count; i++) {
        size_t r = table.rows - expected_count + i;
        if (strcmp(table_get(&table, r, "ours"), expected[i].ours) != 0)
            fail_msg("%s as of %s: %s, not %s", table_get(&table, r, "figure"), table_get(&table, r, "as_of"),
                     table_get(&table, r, "ours"), expected[i].ours);
        assert_string_equal(table_get(&table, r, "verdict"), expected[i].verdict);
        assert_string_equal(table_get(&table, r, "source"), "a test, \"quoted\"");
    }
    for (size_t r = 0; r + expected_count < table.rows; r++) {
        assert_string_equal(table_get(&table, r, "network"), "main");
        assert_string_equal(table_get(&table, r, "verdict"), "not asked for on this network");
        assert_true(strlen(table_get(&table, r, "source")) > 0);
    }
    table_free(&table);
}

/* ---- the node's answers ---- */

enum spend { ANY, SPENT, UNSPENT };

/* Outputs of a kind (NULL: any) to a height, spent or not by then, whose script begins and ends so, of that many digits
 * if not 0. */
static uint64_t count_outputs(uint32_t to, const char *kind, enum spend spend, const char *head, const char *tail,
                              size_t digits, uint64_t *value_sat)
{
    size_t type = table_column(&outputs, "type"), script = table_column(&outputs, "script_hex");
    size_t height = table_column(&outputs, "height"), by = table_column(&outputs, "spent_height");
    size_t value = table_column(&outputs, "value_sat");
    uint64_t count = 0;
    for (size_t r = 0; r < outputs.rows; r++) {
        const char *hex = table_at(&outputs, r, script);
        bool spent = *table_at(&outputs, r, by) && table_number(&outputs, r, by) <= to;
        size_t size = strlen(hex);
        if (table_number(&outputs, r, height) > to || (kind && strcmp(table_at(&outputs, r, type), kind) != 0) ||
            (spend == SPENT && !spent) || (spend == UNSPENT && spent) || strncmp(hex, head, strlen(head)) != 0 ||
            size < strlen(tail) || strcmp(hex + size - strlen(tail), tail) != 0 || (digits > 0 && size != digits))
            continue;
        count++;
        if (value_sat)
            *value_sat += table_number(&outputs, r, value);
    }
    return count;
}

static uint64_t sum_txs(uint32_t to, const char *column)
{
    uint64_t sum = 0;
    for (size_t r = 0; r < txs.rows; r++)
        if (table_number(&txs, r, table_column(&txs, "height")) <= to)
            sum += column ? table_number(&txs, r, table_column(&txs, column)) : 1;
    return sum;
}

/* The script of the first output of a kind: with a name of its own, since most are of one output. */
static const char *script_of(const char *kind)
{
    for (size_t r = outputs.rows; r-- > 0;)
        if (strcmp(table_get(&outputs, r, "type"), kind) == 0 && *table_get(&outputs, r, "script_hex"))
            return table_get(&outputs, r, "script_hex");
    fail();
    return NULL;
}

static void ask_all(uint32_t to, const char *as_of)
{
    static const char *const kinds[] = {"nonstandard",
                                        "nulldata",
                                        "pubkey",
                                        "multisig",
                                        "pubkeyhash",
                                        "scripthash",
                                        "witness_v0_keyhash",
                                        "witness_v0_scripthash",
                                        "witness_v1_taproot",
                                        "anchor",
                                        "witness_unknown"};
    char figure[32768];
    ask_true("txs", as_of, sum_txs(to, NULL));
    ask_true("inputs", as_of, sum_txs(to, "n_in"));
    ask_true("outputs", as_of, sum_txs(to, "n_out"));
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        snprintf(figure, sizeof figure, "created %s", kinds[k]);
        ask_true(figure, as_of, count_outputs(to, kinds[k], ANY, "", "", 0, NULL));
        snprintf(figure, sizeof figure, "spent %s", kinds[k]);
        if (k < 4)
            ask_true(figure, as_of, count_outputs(to, kinds[k], SPENT, "", "", 0, NULL));
        snprintf(figure, sizeof figure, "unspent %s", kinds[k]);
        if (k < 4)
            ask_true(figure, as_of, count_outputs(to, kinds[k], UNSPENT, "", "", 0, NULL));
    }
    ask_true("unspent multisig 1-of-2", as_of, count_outputs(to, "multisig", UNSPENT, "51", "52ae", 0, NULL));
    ask_true("unspent multisig 2-of-3", as_of, count_outputs(to, "multisig", UNSPENT, "52", "53ae", 0, NULL));
    ask_true("template <33> OP_CHECKSIG", as_of,
             count_outputs(to, NULL, ANY, "21", "ac", 70, NULL) + count_outputs(to, NULL, ANY, "4c21", "ac", 72, NULL) +
                 count_outputs(to, NULL, ANY, "4d2100", "ac", 74, NULL)); /* by whatever push */
    ask_true("template <65> OP_CHECKSIG", as_of, count_outputs(to, NULL, ANY, "41", "ac", 134, NULL));
    ask_true("template OP_HASH256 <32> OP_EQUAL", as_of, count_outputs(to, NULL, ANY, "aa20", "87", 70, NULL));
    ask_true("template 1", as_of, count_outputs(to, NULL, ANY, "51", "", 2, NULL));
    for (size_t k = 0; k < 4; k += k == 0 ? 2 : 1) {
        const char *script = script_of(kinds[k]);
        uint64_t value_sat = 0, count = count_outputs(to, kinds[k], ANY, script, "", strlen(script), &value_sat);
        snprintf(figure, sizeof figure, "script %s", script);
        ask_true(figure, as_of, count);
        snprintf(figure, sizeof figure, "script-sat %s", script);
        ask_true(figure, as_of, value_sat);
    }
}

static void test_node(void **state)
{
    (void)state;
    begin_list();
    ask_all(TIP, "tip");
    ask_all(TIP, "260");
    ask_all(150, "150");
    ask_all(1, "1");
    check_list();
}

/* Blocks before midnight. */
static void test_date(void **state)
{
    (void)state;
    uint32_t last = 0;
    for (size_t r = 0; r < blocks.rows; r++)
        if (table_number(&blocks, r, table_column(&blocks, "time")) < DAY_END)
            last = (uint32_t)table_number(&blocks, r, table_column(&blocks, "height"));
    assert_in_range(last, 1, TIP - 1);
    begin_list();
    ask_all(last, "2020-09-13");
    ask("regtest", "txs", "2020-09-14", 1, "beyond the tip", ""); /* the day is not over */
    ask("regtest", "txs", "2020-09", 1, "beyond the tip", "");
    ask("regtest", "txs", "2020", 1, "beyond the tip", "");
    ask("regtest", "txs", "2019", 1, "equal", "1"); /* the genesis block alone */
    ask("regtest", "txs", "2019-12", 1, "equal", "1");
    ask("regtest", "txs", "2010", 1, "beyond the tip", ""); /* no block is so old: it is not this chain's time */
    check_list();
}

/* Numbers and the table of the rule set in the node's tdags-RULES.json. */
static void ask_tdags(const char *rules)
{
    char figure[128];
    struct json json = json_open(path_of(FIXTURE "/truth/tdags-%s.json", rules));
    static const char *const names[] = {"unknown_txs", "tdags", "classes", "nodes", "edges"};
    static const char *const figures[] = {"unknown-txs", "tdags", "classes", "nodes", "edges"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(figure, sizeof figure, "%s %s", figures[i], rules);
        ask_true(figure, "tip", json_find_number(&json, names[i]));
    }
    json_close(&json);
}

/* Rows of the node's table: [T-DAGs, height, nodes, edges, roots]; those with the same four numbers add up. */
static void ask_rows(const char *rules)
{
    size_t size;
    char *text = read_file(path_of(FIXTURE "/truth/tdags-%s.json", rules), &size), figure[128];
    const char *table = strstr(text, "\"table\": [");
    unsigned rows[64][5], count = 0, shown;
    assert_non_null(table);
    for (const char *at = table + strlen("\"table\": ["); count < 64 && *at == '['; count++) {
        unsigned *row = rows[count];
        assert_int_equal(sscanf(at, "[%u, %u, %u, %u, %u]", &row[0], &row[1], &row[2], &row[3], &row[4]), 5);
        at = strchr(at, ']') + 1;
        at += strspn(at, ", ");
    }
    assert_true(count > 20);
    for (unsigned i = 0; i < 20; i++) {
        unsigned sum = 0, place = 0;
        for (unsigned j = 0; j < count; j++) {
            bool same = memcmp(rows[i] + 1, rows[j] + 1, 4 * sizeof(unsigned)) == 0;
            sum += same ? rows[j][0] : 0;
            place += same && j <= i;
        }
        shown = rows[i][1] >= 4; /* of these no row is beyond the 64th */
        snprintf(figure, sizeof figure, "row %s %u %u %u %u", rules, rows[i][1], rows[i][2], rows[i][3], rows[i][4]);
        if (shown)
            ask_true(figure, "tip", sum);
        snprintf(figure + strlen(figure), 16, " %u", place);
        ask_true(figure, "tip", rows[i][0]);
    }
    free(text);
}

static void test_tdags(void **state)
{
    (void)state;
    begin_list();
    ask_tdags("core-0.18");
    ask_tdags("core-0.19");
    ask_tdags("core-22");
    ask_rows("core-0.18");
    check_list();
}

/* As of a height: what a scan to it gives. */
static void test_tdags_as_of(void **state)
{
    (void)state;
    unktx_ok("scan --quiet --to-height 200 --datadir " FIXTURE " --store %s/part", dir);
    unktx_ok("dags --no-unlocks --store %s/part -o %s/tables", dir, dir);
    begin_list();
    struct json json = json_open(path_of("%s/tables/summary.json", dir));
    json_find(&json, "core-0.18");
    static const char *const names[] = {"unknown_txs", "tdags", "nodes", "edges", "classes"};
    static const char *const figures[] = {"unknown-txs core-0.18", "tdags core-0.18", "nodes core-0.18",
                                          "edges core-0.18", "classes core-0.18"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        ask_true(figures[i], "200", json_find_number(&json, names[i]));
    json_close(&json);
    struct run run = unktx_expect(0, "dags --no-unlocks --exclude-scripts @known --store %s/part -o %s/known", dir,
                                  dir);
    run_free(&run);
    json = json_open(path_of("%s/known/summary.json", dir));
    json_find(&json, "core-0.18");
    uint64_t left = json_find_number(&json, "tdags"), first = 0;
    json_find(&json, "excluded");
    char name[64], figure[128];
    snprintf(name, sizeof name, "%s", json_find(&json, "pattern"));
    first = json_find_number(&json, "tdags"); /* of the first pattern no other one takes any away */
    snprintf(figure, sizeof figure, "tdags-with core-0.18 %s", name);
    ask_true(figure, "200", first);
    json_close(&json);
    char *known = read_file("graph/scripts/known-scripts.tsv", &(size_t){0}), *rest = NULL,
         all[4096] = "tdags-without core-0.18 ";
    for (char *line = strtok_r(known, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
        if (*line != '#' && strchr(line, '\t'))
            snprintf(all + strlen(all), sizeof all - strlen(all), "%.*s,", (int)strcspn(line, "\t"), line);
    free(known);
    all[strlen(all) - 1] = '\0';
    ask_true(all, "200", left);
    check_list();
}

static void test_verdicts(void **state)
{
    (void)state;
    uint64_t all = sum_txs(TIP, NULL);
    char ours[24], script[512];
    begin_list();
    snprintf(ours, sizeof ours, "%" PRIu64, all);
    ask("regtest", "txs", "tip", all, "equal", ours);
    ask("regtest", "txs", "tip", all + all / 101, "close", ours);
    ask("regtest", "txs", "tip", all - all / 102, "close", ours);
    ask("regtest", "txs", "tip", all + all / 90, "differs", ours);
    ask("regtest", "txs", "tip", all - all / 90, "differs", ours);
    ask("regtest", "txs", "tip", 0, "differs", ours);
    ask("regtest", "txs", "261", all, "beyond the tip", "");
    ask("regtest", "txs", "@2012", all, "beyond the tip", "");
    ask("main", "txs", "tip", all, "not asked for on this network", "");
    ask("testnet4", "tdags core-22", "tip", all, "not asked for on this network", "");
    ask("regtest", "spent pubkeyhash", "tip", 1, "not available", "");
    ask("regtest", "unspent witness_v1_taproot", "tip", 1, "not available", "");
    snprintf(script, sizeof script, "script %s", "a914000102030405060708090a0b0c0d0e0f1011121387");
    ask("regtest", script, "tip", 1, "not available", "");
    snprintf(script, sizeof script, "script-sat %s", "0014000102030405060708090a0b0c0d0e0f10111213");
    ask("regtest", script, "tip", 1, "not available", "");
    ask("regtest", "template OP_DUP OP_HASH160 <20> OP_EQUALVERIFY OP_CHECKSIG", "tip", 1, "not available", "");
    ask("regtest", "template 1 <32>", "tip", 1, "not available", "");
    ask("regtest", "template OP_RETURN <20>", "tip", 1, "not available", "");
    ask("regtest", "tdags-with core-0.18 no-such-name", "tip", 1, "not available", "");
    struct table table = compared();
    for (size_t i = 0; i < expected_count; i++) {
        size_t r = table.rows - expected_count + i;
        bool needs = strcmp(expected[i].verdict, "not available") == 0;
        if (strcmp(table_get(&table, r, "verdict"), expected[i].verdict) != 0)
            fail_msg("%s: %s", table_get(&table, r, "figure"), table_get(&table, r, "verdict"));
        assert_string_equal(table_get(&table, r, "ours"), expected[i].ours);
        assert_int_equal(*table_get(&table, r, "needs") != '\0', needs);
    }
    assert_string_equal(table_get(&table, table.rows - expected_count + 3, "difference")[0] == '-' ? "-" : "", "-");
    assert_string_equal(table_get(&table, table.rows - expected_count + 5, "difference"), ours);
    table_free(&table);
}

/* The first block with an output of a kind; keys off the curve, as the rows of `unktx outputs` have them; an empty
 * script; scripts of nulldata where the store has them. */
static void test_others(void **state)
{
    (void)state;
    uint64_t first = UINT64_MAX, off_curve = 0, empty = 0, data = 0;
    for (size_t r = 0; r < outputs.rows; r++) {
        uint64_t height = table_number(&outputs, r, table_column(&outputs, "height"));
        const char *script = table_get(&outputs, r, "script_hex");
        if (strcmp(table_get(&outputs, r, "type"), "anchor") == 0 && height < first)
            first = height;
        empty += *script == '\0' && strcmp(table_get(&outputs, r, "type"), "nonstandard") == 0;
        data += strncmp(script, "6a14", 4) == 0 && strlen(script) == 44;
    }
    unktx_ok("outputs --rules core-22 --store %s/store -o %s/outputs.csv", dir, dir);
    struct table ours = table_read(path_of("%s/outputs.csv", dir));
    for (size_t r = 0; r < ours.rows; r++)
        off_curve += strcmp(table_get(&ours, r, "kind"), "multisig") == 0 && !*table_get(&ours, r, "spender_txid") &&
                     table_number(&ours, r, table_column(&ours, "keys")) >
                         table_number(&ours, r, table_column(&ours, "keys_on_curve"));
    table_free(&ours);
    assert_true(off_curve > 0 && empty > 0);
    begin_list();
    ask_true("first anchor", "tip", first);
    ask_true("unspent-off-curve multisig", "tip", off_curve);
    ask_true("script -", "tip", empty);
    ask_true("template \"\"", "tip", empty);
    ask("regtest", "first anchor", "1", 300, "beyond the tip", ""); /* there is none yet */
    ask("regtest", "first anchor", "1", 1, "differs", "");
    check_list();
    unktx_ok("scan --quiet --nulldata store --datadir " FIXTURE " --store %s/with-data", dir);
    begin_list();
    ask_true("template OP_RETURN <20>", "tip", data);
    fclose(list);
    unktx_ok("compare --store %s/with-data --figures %s/figures.tsv -o %s/data.csv", dir, dir, dir);
    struct table table = table_read(path_of("%s/data.csv", dir));
    assert_string_equal(table_get(&table, table.rows - 1, "verdict"), "equal");
    table_free(&table);
}

/* The table for people: 80 columns, each source once, all verdicts counted, no word of the notes of other networks. */
static void test_printed(void **state)
{
    (void)state;
    begin_list();
    ask("regtest", "txs", "tip", sum_txs(TIP, NULL), "equal", "");
    ask("regtest", "txs", "1", UINT64_C(260936304319), "differs", "");
    ask("regtest", "script -", "999999", 1, "beyond the tip", "");
    ask("regtest", "spent pubkeyhash", "tip", 999999999999999999, "not available", "");
    ask("regtest", "tdags-without core-0.18 p2pkh-nop,min-equal,puzzle-hash160,puzzle-sha256,puzzle-hash256,op-if",
        "tip", 7, "differs", "");
    fclose(list);
    struct run run = unktx_expect(0, "compare --store %s/store --figures %s/figures.tsv", dir, dir);
    size_t quoted = 0;
    for (const char *line = run.out; *line; line = strchr(line, '\n') + 1) {
        size_t size = strcspn(line, "\n");
        if (size > 80)
            fail_msg("%.*s", (int)size, line);
        quoted += strncmp(line, "a test, \"quoted\"\n", size + 1) == 0;
    }
    assert_int_equal(quoted, 1);
    assert_true(strstr(run.out, "regtest to height 260\n") && !strstr(run.out, "Caprolu"));
    assert_non_null(strstr(run.out, "\n1 equal, 2 differ, 1 beyond the tip, 1 not available, "));
    assert_non_null(strstr(run.out, "-2.60936e+11 differs\n"));
    assert_non_null(strstr(run.out, " 260,936,304,319 ") ? strstr(run.out, " 999,999,999,999,999,999 not av") : NULL);
    assert_true(strstr(run.out, "an index: 'unktx index'") && strstr(run.out, "other networks (-o has them)\n"));
    run_free(&run);
}

/* Each wrong in one way. */
static const char *const wrong_lines[] = {
    "regtest\ttxs\ttip\t1\tsource",
    "regtest\ttxs\ttip\t1\tsource\tnote\tmore",
    "mainnet\ttxs\ttip\t1\tsource\t",
    "regtest\ttx\ttip\t1\tsource\t",
    "regtest\ttxs all\ttip\t1\tsource\t",
    "regtest\t\ttip\t1\tsource\t",
    "regtest\ttxs\ttop\t1\tsource\t",
    "regtest\ttxs\t2012-13\t1\tsource\t",
    "regtest\ttxs\t2013-02-29\t1\tsource\t",
    "regtest\ttxs\t-1\t1\tsource\t",
    "regtest\ttxs\t4294967295\t1\tsource\t",
    "regtest\ttxs\ttip\t1,000\tsource\t",
    "regtest\ttxs\ttip\t\tsource\t",
    "regtest\ttxs\ttip\t1234567890123456789\tsource\t",
    "regtest\ttxs\ttip\t1\t\t",
    "regtest\tcreated p2sh\ttip\t1\tsource\t",
    "regtest\tcreated multisig 1-of-2\ttip\t1\tsource\t",
    "regtest\tunspent multisig 3-of-2\ttip\t1\tsource\t",
    "regtest\tunspent multisig 1-of-21\ttip\t1\tsource\t",
    "regtest\tunspent pubkey 1-of-1\ttip\t1\tsource\t",
    "regtest\tscript\ttip\t1\tsource\t",
    "regtest\tscript 5\ttip\t1\tsource\t",
    "regtest\tscript 5A\ttip\t1\tsource\t",
    "regtest\ttemplate\ttip\t1\tsource\t",
    "regtest\ttdags\ttip\t1\tsource\t",
    "regtest\ttdags core-23\ttip\t1\tsource\t",
    "regtest\tunknown-txs hidden\ttip\t1\tsource\t",
    "regtest\trow core-22 1 2 3\ttip\t1\tsource\t",
    "regtest\trow core-22 1 2 3 4 0\ttip\t1\tsource\t",
    "regtest\trow core-22 1 2 3 4 1 1\ttip\t1\tsource\t",
    "regtest\ttdags-with core-22\ttip\t1\tsource\t",
    "regtest\ttxs\ttip\t1\tso\x1burce\t",
};

static void test_refused(void **state)
{
    (void)state;
    static const char hint[] = "line 3: no such figure: 'tx'; man unktx-compare lists them under FIGURES\n";
    for (size_t i = 0; i < sizeof wrong_lines / sizeof *wrong_lines; i++) {
        FILE *file = fopen(path_of("%s/wrong.tsv", dir), "w");
        fprintf(file, "# a comment\n\n%s\n", wrong_lines[i]);
        fclose(file);
        struct run run = unktx("compare --store %s/store --figures %s/wrong.tsv", dir, dir);
        if (run.exit_status != 1 || !strstr(run.err, i == 3 ? hint : "line 3"))
            fail_msg("%s: %d %s", wrong_lines[i], run.exit_status, run.err);
        assert_int_equal(run.out_size, 0);
        run_free(&run);
    }
    struct run run = unktx_expect(1, "compare --store %s/store --figures %s/figures.tsv -o %s/figures.tsv", dir, dir,
                                  dir); /* it would replace what it reads */
    run_free(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_node),        cmocka_unit_test(test_date),     cmocka_unit_test(test_tdags),
        cmocka_unit_test(test_tdags_as_of), cmocka_unit_test(test_verdicts), cmocka_unit_test(test_others),
        cmocka_unit_test(test_printed),     cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
