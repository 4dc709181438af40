/* The index of the whole chain and the commands that print it (dump, tx, show), against what a node says:
 * tests/fixtures, and ../shared/fixtures if there. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/index_truth.h"
#include "tests/support/markup.h"

/* ---- dump ---- */

static void check_dump_outputs(const struct truth *truth, const char *store)
{
    struct lines want = {0};
    lines_add(&want, "height,tx_index,txid,vout,value_sat,kind,spender_height,spender_txid,spender_vin\n");
    for (size_t o = 0; o < truth->outputs.rows; o++) {
        size_t tx = truth->output_tx[o], input = truth->spender[o];
        char spender[128] = ",,";
        if (input != NO_OUTPUT)
            snprintf(spender, sizeof spender, "%ju,%s,%ju", (uintmax_t)truth_height(truth, truth->input_tx[input]),
                     truth_txid(truth, truth->input_tx[input]), (uintmax_t)truth_vin(truth, input));
        lines_add(&want, "%ju,%s,%s,%zu,%ju,%s,%s\n", (uintmax_t)truth_height(truth, tx),
                  table_get(&truth->txs, tx, "index"), truth_txid(truth, tx), o - truth->first_output[tx],
                  (uintmax_t)truth_value(truth, o), truth_kind(truth, o), spender);
    }
    lines_assert_printed(&want, path_of("dump outputs --store %s", store));
}

static void check_dump_inputs(const struct truth *truth, const char *store)
{
    struct lines want = {0};
    lines_add(&want, "height,tx_index,txid,vin,prev_txid,prev_vout,prev_height,value_sat,kind\n");
    for (size_t i = 0; i < truth->first_input[truth->txs.rows]; i++) {
        size_t tx = truth->input_tx[i], o = truth->spent[i];
        const char *index = table_get(&truth->txs, tx, "index");
        assert_int_equal(o == NO_OUTPUT, truth_is_coinbase(truth, tx));
        if (o == NO_OUTPUT)
            lines_add(&want, "%ju,%s,%s,%ju,,,,,\n", (uintmax_t)truth_height(truth, tx), index, truth_txid(truth, tx),
                      (uintmax_t)truth_vin(truth, i));
        else
            lines_add(&want, "%ju,%s,%s,%ju,%s,%s,%ju,%ju,%s\n", (uintmax_t)truth_height(truth, tx), index,
                      truth_txid(truth, tx), (uintmax_t)truth_vin(truth, i), truth_txid(truth, truth->output_tx[o]),
                      truth_vout(truth, o), (uintmax_t)truth_height(truth, truth->output_tx[o]),
                      (uintmax_t)truth_value(truth, o), truth_kind(truth, o));
    }
    lines_assert_printed(&want, path_of("dump inputs --store %s --threads 3", store));
}

static uint64_t compact_size(uint64_t number) { return number < 0xfd ? 1 : number <= 0xffff ? 3 : 5; }

/* Sizes have no other witness than the block's own: header, count and transactions are all of it. */
static void check_dump_txs_and_blocks(const struct truth *truth, const char *store)
{
    static const char *const names[][2] = {{"height", "height"}, {"tx_index", "index"}, {"txid", "txid"},
                                           {"inputs", "n_in"},   {"outputs", "n_out"},  {"fee_sat", "fee_sat"}};
    static const char *const block_names[][2] = {
        {"height", "height"}, {"hash", "hash"}, {"time", "time"}, {"txs", "n_tx"}};
    unktx_ok("dump txs --store %s -o %s-dump-txs.csv", store, store);
    unktx_ok("dump blocks --store %s -o %s-dump-blocks.csv", store, store);
    struct table txs = table_read(path_of("%s-dump-txs.csv", store));
    struct table blocks = table_read(path_of("%s-dump-blocks.csv", store));
    struct table want = table_read(path_of("%s/truth/blocks.csv", truth->dir));
    assert_int_equal(txs.rows, truth->txs.rows);
    assert_int_equal(blocks.rows, want.rows);
    for (size_t b = 0, t = 0; b < blocks.rows; b++) {
        uint64_t size = 80, inputs = 0, outputs = 0, count = table_number(&blocks, b, table_column(&blocks, "txs"));
        for (size_t n = 0; n < 4; n++)
            assert_string_equal(table_get(&blocks, b, block_names[n][0]), table_get(&want, b, block_names[n][1]));
        for (uint64_t i = 0; i < count; i++, t++) {
            for (size_t n = 0; n < 6; n++)
                assert_string_equal(table_get(&txs, t, names[n][0]), table_get(&truth->txs, t, names[n][1]));
            uint64_t bytes = table_number(&txs, t, table_column(&txs, "size"));
            uint64_t weight = table_number(&txs, t, table_column(&txs, "weight"));
            bool segwit = strcmp(table_get(&txs, t, "segwit"), "1") == 0;
            assert_int_equal(table_number(&txs, t, table_column(&txs, "value_out_sat")), truth_value_out(truth, t));
            assert_true(segwit ? weight > bytes && weight < 4 * bytes : weight == 4 * bytes);
            size += bytes;
            inputs += table_number(&txs, t, table_column(&txs, "inputs"));
            outputs += table_number(&txs, t, table_column(&txs, "outputs"));
        }
        assert_int_equal(table_number(&blocks, b, table_column(&blocks, "size")), size + compact_size(count));
        assert_int_equal(table_number(&blocks, b, table_column(&blocks, "inputs")), inputs);
        assert_int_equal(table_number(&blocks, b, table_column(&blocks, "outputs")), outputs);
    }
    table_free(&txs);
    table_free(&blocks);
    table_free(&want);
}

/* A range of heights is that part of the whole; any number of threads gives the same bytes. */
static void check_dump_range(const char *store)
{
    static const char *const tables[] = {"blocks", "txs", "inputs", "outputs"};
    for (size_t t = 0; t < 4; t++) {
        struct run whole = unktx_expect(0, "dump %s --store %s --threads 1", tables[t], store);
        struct run four = unktx_expect(0, "dump %s --store %s --threads 4", tables[t], store);
        struct run part = unktx_expect(0, "dump %s --store %s --from-height 100 --to-height 129", tables[t], store);
        char *header_end = strchr(whole.out, '\n') + 1;
        char *begin = strstr(whole.out, "\n100,"), *end = strstr(whole.out, "\n130,");
        assert_string_equal(whole.out, four.out);
        assert_non_null(begin);
        assert_non_null(end);
        assert_memory_equal(part.out, whole.out, (size_t)(header_end - whole.out));
        const char *rows = part.out + (header_end - whole.out);
        assert_int_equal(strlen(rows), end - begin);
        assert_memory_equal(rows, begin + 1, (size_t)(end - begin));
        run_free(&whole);
        run_free(&four);
        run_free(&part);
    }
}

/* ---- tx and show ---- */

/* The numbers after a key, in order. */
static uint64_t sum_of_key(const char *json, const char *key)
{
    uint64_t sum = 0;
    for (const char *at = strstr(json, key); at; at = strstr(at + 1, key))
        sum += strtoull(at + strlen(key), NULL, 10);
    return sum;
}

static void check_tx(const struct truth *truth, const char *store)
{
    for (size_t n = 0; n < 10; n++) {
        size_t tx = truth_find_tx(truth, truth_txid(truth, n * (truth->txs.rows - 1) / 9));
        size_t inputs = truth->first_input[tx + 1] - truth->first_input[tx];
        size_t outputs = truth->first_output[tx + 1] - truth->first_output[tx], spent = 0;
        uint64_t value_in = 0;
        for (size_t i = truth->first_input[tx]; i < truth->first_input[tx + 1]; i++)
            value_in += truth->spent[i] == NO_OUTPUT ? 0 : truth_value(truth, truth->spent[i]);
        for (size_t o = truth->first_output[tx]; o < truth->first_output[tx + 1]; o++)
            spent += truth->spender[o] != NO_OUTPUT;
        struct run json = unktx_expect(0, "tx %s --format json --store %s", truth_txid(truth, tx), store);
        struct run text = unktx_expect(0, "tx %s --store %s", truth_txid(truth, tx), store);
        struct run show = unktx_expect(0, "show %s --store %s", truth_txid(truth, tx), store);
        size_t copies = count_of(json.out, "\"weight\":");
        assert_int_equal(count_of(text.out, "transaction "), copies);
        if (copies == 1) {
            assert_int_equal(count_of(json.out, "\"prev_txid\":"), truth_is_coinbase(truth, tx) ? 0 : inputs);
            assert_int_equal(count_of(json.out, "\"spender\":{"), spent);
            assert_int_equal(count_of(json.out, "\"spender\":null"), outputs - spent);
            assert_int_equal(sum_of_key(json.out, "\"value_sat\":"), value_in + truth_value_out(truth, tx));
            assert_int_equal(sum_of_key(json.out, "\"value_out_sat\":"), truth_value_out(truth, tx));
            assert_int_equal(count_of(text.out, "\n    input "), inputs);
            assert_int_equal(count_of(text.out, "\n    output "), outputs);
            assert_int_equal(count_of(text.out, " spent by "), spent);
            assert_int_equal(count_of(show.out, "\n    input "), inputs);
            assert_int_equal(count_of(show.out, "\n    output "), outputs);
            assert_int_equal(count_of(show.out, "\n      spent by "), spent);
            assert_int_equal(count_of(show.out, ", fee "), !truth_is_coinbase(truth, tx));
            assert_int_equal(count_of(text.out, ", fee "), !truth_is_coinbase(truth, tx));
        }
        run_free(&json);
        run_free(&text);
        run_free(&show);
    }
}

static void check_tx_places(const struct truth *truth, const char *store)
{
    size_t tx = truth->txs.rows - 1;
    while (truth_is_coinbase(truth, tx) && tx > 0)
        tx--;
    if (tx == 0)
        return;
    const char *txid = truth_txid(truth, tx);
    size_t o = truth->spent[truth->first_input[tx]];
    struct run input = unktx_expect(0, "tx %s/0 --store %s", txid, store);
    const char *prev_txid = truth_txid(truth, truth->output_tx[o]);
    struct run output = unktx_expect(0, "tx %s:%s --store %s", prev_txid, truth_vout(truth, o), store);
    char spends[128], spent[128];
    snprintf(spends, sizeof spends, "    input 0 spends %s:%s, ", prev_txid, truth_vout(truth, o));
    snprintf(spent, sizeof spent, ", spent by %s/0, height %ju\n", txid, (uintmax_t)truth_height(truth, tx));
    assert_non_null(strstr(input.out, spends));
    assert_null(strstr(input.out, "output 0"));
    assert_non_null(strstr(output.out, spent));
    run_free(&input);
    run_free(&output);
    struct table blocks = table_read(path_of("%s/truth/blocks.csv", truth->dir));
    size_t b = blocks.rows - 1;
    struct run height = unktx_expect(0, "tx %zu --store %s", b, store);
    struct run hash = unktx_expect(0, "tx %s --store %s", table_get(&blocks, b, "hash"), store);
    assert_string_equal(height.out, hash.out);
    assert_int_equal(count_of(height.out, ": inputs "), table_number(&blocks, b, table_column(&blocks, "n_tx")));
    run_free(&height);
    run_free(&hash);
    table_free(&blocks);
}

/* ---- chains ---- */

static void test_chain(void **state)
{
    struct truth_case made = truth_begin(*state);
    check_dump_outputs(&made.truth, made.store);
    check_dump_inputs(&made.truth, made.store);
    check_dump_txs_and_blocks(&made.truth, made.store);
    check_tx(&made.truth, made.store);
    check_tx_places(&made.truth, made.store);
    unktx_ok("check --store %s", made.store);
    truth_end(&made);
}

/* ---- the commands around ---- */

/* An index that ends below the store knows fewer spends: this output, of height 10, is spent at 163. */
static void test_show_with_a_lower_index(void **state)
{
    (void)state;
    static const char output[] = "43c0d23d0297c642d8cb2599fe783465cef6374a43474a7c53084944a51290ef:0";
    static const char spender[] = "spent by 5e3df09c81f6eddd1dd4100a594887b75b63a58354ee115382348c461b27d71e input 0";
    char *temp = temp_dir();
    for (unsigned i = 0; i < 2; i++) {
        run_on("index", "tests/fixtures/regtest-xor/regtest", temp, i ? "" : " --to-height 150");
        run_on("scan", "tests/fixtures/regtest-xor/regtest", temp, "");
        struct run show = unktx_expect(0, "show %s --store %s", output, temp);
        assert_non_null(strstr(show.out, spender));
        assert_int_equal(
            strstr(show.err,
                   "the index does not have the store's last block (height 260), it ends at "
                   "height 150: run 'unktx index' with this --store on the same chain; where it ends there again, "
                   "block 151 is damaged") != NULL,
            i == 0);
        run_free(&show);
    }
    remove_tree(temp);
    free(temp);
}

/* The first `size` digits of a txid, 0 and nothing above 9, with which no other one begins; NULL if there is none. */
static const char *decimal_beginning(const struct truth *truth, size_t count, size_t size)
{
    for (size_t i = 0; i < count; i++) {
        const char *txid = truth_txid(truth, i);
        unsigned alike = 0;
        for (size_t j = 0; j < count && txid[0] == '0' && strspn(txid, "0123456789") >= size; j++)
            alike += strncmp(txid, truth_txid(truth, j), size) == 0;
        if (alike == 1)
            return txid;
    }
    return NULL;
}

/* Zeros before a number: the beginning of a hash, as it was copied, and no height. */
static void check_zeros_before(const struct truth *truth, size_t count, const char *store)
{
    char word[8];
    const char *txid = decimal_beginning(truth, count, 4);
    assert_non_null(txid);
    snprintf(word, sizeof word, "%.4s", txid);
    struct run cut = unktx_expect(0, "tx %s --store %s", word, store);
    struct run whole = unktx_expect(0, "tx %s --store %s", txid, store);
    assert_string_equal(cut.out, whole.out);
    run_free(&cut);
    run_free(&whole);
    expect_error(2, "'00' is no TXID (its first hexadecimal digits, at least 4), TXID:VOUT, TXID/VIN, HEIGHT (without",
                 path_of("tx 00 --store %s", store));
    expect_error(1, "begins with 000000; a HEIGHT has no zeros before it, and a BLOCKHASH all of its digits",
                 path_of("tx 000000 --store %s", store));
    unktx_ok("tx 0 --store %s", store);
}

static void test_ranges_and_limits(void **state)
{
    (void)state;
    char *temp = temp_dir();
    struct truth truth = truth_read("tests/fixtures/regtest-xor");
    run_on("index", "tests/fixtures/regtest-xor/regtest", temp, " --memory 256M --threads 1");
    check_dump_range(temp);
    expect_error(1, "no block of height 261; the index ends at 260",
                 path_of("dump txs --from-height 261 --store %s", temp));
    expect_error(1, "no blocks from height 5 to 4", path_of("dump txs --from-height 5 --to-height 4 --store %s", temp));
    expect_error(1, "the index ends at 260\n", path_of("tx 261 --store %s", temp));
    expect_error(1, "the index ends at 260; digits alone are a HEIGHT", path_of("tx 31959 --store %s", temp));
    expect_error(2, "--rules: 'core-22' is not hidden\n", path_of("tx 31959 --rules core-22 --store %s", temp));
    check_zeros_before(&truth, truth.txs.rows, temp);
    expect_error(1, "has no input", path_of("tx %s/1 --store %s", truth_txid(&truth, 0), temp));
    expect_error(1, "has no output", path_of("tx %s:1 --store %s", truth_txid(&truth, 0), temp));
    /* an index alone is checked too */
    struct run check = unktx_expect(0, "check --store %s", temp);
    assert_non_null(strstr(check.out, "index_height 260\n"));
    assert_non_null(strstr(check.out, "index_digest "));
    run_free(&check);
    /* and the first scan beside it says what becomes of nulldata */
    unktx_ok("scan --quiet --nulldata store --datadir tests/fixtures/regtest-xor --store %s", temp);
    expect_error(1, "the store was made with --nulldata store",
                 path_of("scan --datadir tests/fixtures/regtest-xor --store %s", temp));
    truth_free(&truth);
    remove_tree(temp);
    free(temp);
}

static void test_usage(void **state)
{
    (void)state;
    char *temp = temp_dir();
    unktx_ok("scan --quiet --datadir tests/fixtures/genesis/regtest --store %s", temp);
    expect_error(2, "none of all, blocks, txs, inputs, outputs", "dump everything");
    expect_error(2, "missing operand", "dump");
    expect_error(2, "TXID", "tx xyz");
    /* a folder of --tmp that is not there leaves no store, and is no secret where there is nothing to do */
    static const char data[] = "--datadir tests/fixtures/genesis/regtest";
    expect_error(1, "(--tmp): No such file", path_of("index %s --store %s/none --tmp %s/gone", data, temp, temp));
    assert_false(path_exists(path_of("%s/none", temp)));
    unktx_ok("index --quiet %s --store %s/made", data, temp);
    expect_error(1, "(--tmp): No such file", path_of("index %s --store %s/made --tmp %s/gone", data, temp, temp));
    expect_error(1, "(--tmp): No such file", path_of("analyze --index %s -o %s/none --tmp %s/gone", data, temp, temp));
    assert_false(path_exists(path_of("%s/none", temp)));
    expect_error(2, "TXID", "travel 12");
    expect_error(2, "exclude each other",
                 "travel 4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b --forward --backward");
    expect_error(2, "no size", "index --memory 100M");
    expect_error(2, "no size", "index --memory 2X");
    expect_error(2, "no size", "index --memory 99999999999999T");
    static const char *const commands[] = {"tx 0", "dump txs", "flows",
                                           "travel 4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b"};
    for (size_t c = 0; c < 4; c++)
        expect_error(1, "unktx index", path_of("%s --store %s", commands[c], temp));
    remove_tree(temp);
    free(temp);
}

int main(void)
{
    struct CMUnitTest tests[] = {
        [TRUTH_CHAINS + 0] = cmocka_unit_test(test_ranges_and_limits),
        [TRUTH_CHAINS + 1] = cmocka_unit_test(test_usage),
        [TRUTH_CHAINS + 2] = cmocka_unit_test(test_show_with_a_lower_index),
    };
    truth_tests(tests, test_chain);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
