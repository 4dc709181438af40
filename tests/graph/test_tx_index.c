/* The index against a node's answers, row by row, and against itself read in another order. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "graph/index/format.h"
#include "parser/mem.h"
#include "tests/support/index_builds.h"
#include "tests/support/plan.h"
#include "tests/support/run.h"

static void check_fixture(const char *fixture)
{
    char *dir = temp_dir();
    index_built(path_of("%s/regtest", fixture), dir);
    index_against_node(dir, path_of("%s/truth", fixture));
    remove_tree(dir);
    free(dir);
}

static void test_fixtures(void **state)
{
    (void)state;
    check_fixture("tests/fixtures/regtest-xor");
    check_fixture("tests/fixtures/dup-txid");
    check_fixture("tests/fixtures/crash");
}

static void test_all_fixtures(void **state)
{
    (void)state;
    static const char *const fixtures[] = {"regtest-xor",  "regtest-plain",  "extras/tie",    "extras/dup-txid",
                                           "extras/crash", "extras/padding", "extras/genesis"};
    if (!path_exists("../shared/fixtures/regtest-xor/truth/inputs.csv")) {
        print_message("skipped: no ../shared/fixtures here, so the bundled chains only\n");
        skip();
    }
    for (size_t i = 0; i < sizeof fixtures / sizeof *fixtures; i++)
        if (path_exists(path_of("../shared/fixtures/%s/truth/inputs.csv", fixtures[i])))
            check_fixture(path_of("../shared/fixtures/%s", fixtures[i]));
}

enum { PIECE = 8 };

/* Outputs and inputs from there on are as one pass in order read them, and their transactions are found. */
static void check_piece(struct tx_index *index, uint64_t first_output, const struct index_output *outputs,
                        uint64_t first_input, const uint64_t *inputs)
{
    struct index_output some[PIECE];
    struct index_tx one, two;
    uint64_t spent[PIECE];
    assert_int_equal(index_outputs(index, first_output, PIECE, some, NULL), STATUS_OK);
    assert_int_equal(index_inputs(index, first_input, PIECE, spent, NULL), STATUS_OK);
    for (size_t i = 0; i < PIECE; i++) {
        assert_int_equal(some[i].value_sat, outputs[i].value_sat);
        assert_int_equal(some[i].kind, outputs[i].kind);
        assert_int_equal(some[i].spender, outputs[i].spender);
        assert_int_equal(spent[i], inputs[i]);
    }
    assert_int_equal(index_tx_of_output(index, first_output, &one, NULL), STATUS_OK);
    assert_true(first_output - one.first_output < one.outputs);
    assert_int_equal(index_tx_at(index, one.number, &two, NULL), STATUS_OK);
    assert_memory_equal(&one, &two, sizeof one);
    assert_int_equal(index_tx_of_input(index, first_input, &one, NULL), STATUS_OK);
    assert_true(first_input - one.first_input < one.inputs);
}

/* Random places read in random order, and in pieces, are what one pass in order reads. */
static void test_random_access(void **state)
{
    (void)state;
    char *dir = temp_dir();
    struct rng rng = {(uint64_t)time(NULL)};
    print_message("seed %ju\n", (uintmax_t)rng.state);
    index_built("tests/fixtures/regtest-xor/regtest", dir);
    struct tx_index *index = index_opened(dir), *other = index_opened(dir);
    struct index_totals totals = index_totals_of(index);
    struct index_output *outputs = must_alloc(totals.outputs, sizeof *outputs);
    uint64_t *inputs = must_alloc(totals.inputs, sizeof *inputs);
    assert_int_equal(index_outputs(index, 0, (uint32_t)totals.outputs, outputs, NULL), STATUS_OK);
    assert_int_equal(index_inputs(index, 0, (uint32_t)totals.inputs, inputs, NULL), STATUS_OK);
    for (int i = 0; i < 20000; i++) {
        uint64_t output = rng_below(&rng, (uint32_t)totals.outputs - PIECE);
        uint64_t input = rng_below(&rng, (uint32_t)totals.inputs - PIECE);
        check_piece(other, output, outputs + output, input, inputs + input);
    }
    index_close(index);
    index_close(other);
    mem_free(outputs);
    mem_free(inputs);
    remove_tree(dir);
    free(dir);
}

static void test_what_is_not_there(void **state)
{
    (void)state;
    char *dir = temp_dir();
    index_built("tests/fixtures/regtest-xor/regtest", dir);
    struct tx_index *index = index_opened(dir);
    struct index_totals totals = index_totals_of(index);
    struct index_tx tx;
    struct index_block block;
    struct index_output outputs[2];
    uint64_t spent;
    struct hash256 nothing = {{1, 2, 3}};
    assert_int_equal(index_tx_at(index, totals.txs, &tx, NULL), STATUS_NOT_FOUND);
    assert_int_equal(index_tx_find(index, &nothing, UINT64_MAX, &tx, NULL), STATUS_NOT_FOUND);
    assert_int_equal(index_tx_of_output(index, totals.outputs, &tx, NULL), STATUS_NOT_FOUND);
    assert_int_equal(index_tx_of_input(index, totals.inputs, &tx, NULL), STATUS_NOT_FOUND);
    assert_int_equal(index_block_at(index, totals.blocks, &block, NULL), STATUS_NOT_FOUND);
    assert_int_equal(index_block_find(index, &nothing, &block, NULL), STATUS_NOT_FOUND);
    assert_int_equal(index_outputs(index, totals.outputs - 1, 2, outputs, NULL), STATUS_NOT_FOUND);
    assert_int_equal(index_inputs(index, totals.inputs, 1, &spent, NULL), STATUS_NOT_FOUND);
    index_close(index);
    remove_tree(dir);
    free(dir);
}

struct page {
    uint8_t key[5];
    uint8_t bytes[INDEX_PAGE];
    size_t size;
};

static bool write_page(struct kv_txn *txn, void *context)
{
    const struct page *page = context;
    return kv_put(txn, TABLE_TXS, page->key, sizeof page->key, page->bytes, page->size);
}

static bool no_create(struct kv_txn *txn, void *context)
{
    (void)txn;
    (void)context;
    return false;
}

/* Takes the last byte off the page that has this transaction, whose checksum is right again. */
static void cut_page_of(const char *store, const struct index_tx *tx)
{
    struct kv *kv;
    struct kv_view *view;
    struct kv_cursor *cursor;
    struct kv_pair pair;
    struct page page;
    uint8_t key[5];
    store_be40(key, tx->first_output);
    assert_int_equal(kv_open(path_of("%s/tio", store), KV_WRITE, &index_words, index_table_names, INDEX_TABLE_COUNT,
                             no_create, NULL, &kv, NULL),
                     STATUS_OK);
    assert_int_equal(kv_view_open(kv, &view, NULL), STATUS_OK);
    assert_int_equal(kv_cursor_open(view, TABLE_TXS, &cursor, NULL), STATUS_OK);
    assert_int_equal(kv_floor(cursor, key, sizeof key, &pair, NULL), STATUS_OK);
    assert_true(pair.key_size == sizeof page.key && pair.value_size <= sizeof page.bytes);
    pair.value_size -= INDEX_SUM_SIZE;
    memcpy(page.key, pair.key, sizeof page.key);
    memcpy(page.bytes, pair.value, pair.value_size);
    page.size = pair.value_size - 1;
    index_seal(TABLE_TXS, page.key, sizeof page.key, page.bytes, page.size);
    page.size += INDEX_SUM_SIZE;
    kv_cursor_close(cursor);
    kv_view_close(view);
    assert_int_equal(kv_write(kv, page.size, write_page, &page, NULL), STATUS_OK);
    kv_close(kv);
}

/* Of a page that is cut short all transactions but the last are found by txid, in whichever order. By number, for which
 * the whole page is decoded, none is. */
static void test_damaged_page(void **state)
{
    (void)state;
    char *dir = temp_dir();
    index_built("tests/fixtures/regtest-xor/regtest", dir);
    struct tx_index *index = index_opened(dir);
    uint64_t count = index_totals_of(index).txs, last = 0, damaged = 0;
    struct index_tx *txs = must_alloc(count, sizeof *txs), tx;
    for (uint64_t i = 0; i < count; i++)
        assert_int_equal(index_tx_at(index, i, &txs[i], NULL), STATUS_OK);
    index_close(index);
    cut_page_of(dir, &txs[count / 2]);
    index = index_opened(dir);
    for (uint64_t i = 0; i < count; i++)
        if (index_tx_at(index, i, &tx, NULL) == STATUS_FORMAT) {
            last = i;
            damaged++;
        }
    assert_true(damaged > 2 && damaged < count && last - damaged < count / 2 && count / 2 <= last); /* one page */
    for (uint64_t i = 0; i < 4 * count; i++) { /* up, down, and each after the one that is not there */
        uint64_t n = i < count ? i : i < 2 * count ? 2 * count - 1 - i : i % 2 ? last : (i - 2 * count) / 2;
        struct fault fault = {0};
        assert_int_equal(index_tx_find(index, &txs[n].txid, UINT64_MAX, &tx, &fault),
                         n == last ? STATUS_FORMAT : STATUS_OK);
        if (n == last)
            assert_non_null(strstr(fault.text, "a transaction is malformed"));
        else
            assert_memory_equal(&tx, &txs[n], sizeof tx);
    }
    index_close(index);
    free(txs);
    remove_tree(dir);
    free(dir);
}

static void test_no_index(void **state)
{
    (void)state;
    char *dir = temp_dir();
    struct tx_index *index;
    struct fault fault = {0};
    assert_int_equal(index_open(dir, &index, &fault), STATUS_NOT_FOUND);
    assert_non_null(strstr(fault.text, "unktx index"));
    remove_tree(dir);
    free(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fixtures),      cmocka_unit_test(test_all_fixtures),
        cmocka_unit_test(test_random_access), cmocka_unit_test(test_what_is_not_there),
        cmocka_unit_test(test_damaged_page),  cmocka_unit_test(test_no_index),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
