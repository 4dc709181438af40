#include "tests/support/index_builds.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "tests/support/run.h"
#include "tests/support/table.h"

struct node_tables {
    struct table blocks;
    struct table txs;
    struct table outputs;
    struct table inputs;
    bool reduced; /* as in tests/fixtures: inputs name transactions by row, outputs only some of the spenders */
};

static void check_blocks(struct tx_index *index, const struct node_tables *node)
{
    struct index_totals totals = index_totals_of(index);
    assert_int_equal(totals.blocks, node->blocks.rows);
    for (size_t row = 0; row < node->blocks.rows; row++) {
        struct index_block block, found;
        char text[65];
        assert_int_equal(index_block_at(index, (uint32_t)row, &block, NULL), STATUS_OK);
        hash_text(&block.hash, text);
        assert_string_equal(text, table_get(&node->blocks, row, "hash"));
        assert_int_equal(block.txs, table_number(&node->blocks, row, table_column(&node->blocks, "n_tx")));
        assert_int_equal(block.time, table_number(&node->blocks, row, table_column(&node->blocks, "time")));
        assert_int_equal(index_block_find(index, &block.hash, &found, NULL), STATUS_OK);
        assert_int_equal(found.height, row);
    }
}

static void check_txs(struct tx_index *index, const struct node_tables *node)
{
    const struct table *txs = &node->txs;
    size_t height = table_column(txs, "height"), index_in_block = table_column(txs, "index"),
           txid = table_column(txs, "txid"), inputs = table_column(txs, "n_in"), outputs = table_column(txs, "n_out"),
           fee = table_column(txs, "fee_sat"), coinbase = table_column(txs, "coinbase");
    assert_int_equal(index_totals_of(index).txs, txs->rows);
    for (size_t row = 0; row < txs->rows; row++) {
        struct index_tx tx, found;
        char text[65];
        assert_int_equal(index_tx_at(index, row, &tx, NULL), STATUS_OK);
        hash_text(&tx.txid, text);
        assert_string_equal(text, table_at(txs, row, txid));
        assert_int_equal(tx.height, table_number(txs, row, height));
        assert_int_equal(tx.index, table_number(txs, row, index_in_block));
        assert_int_equal(tx.inputs, table_number(txs, row, inputs));
        assert_int_equal(tx.outputs, table_number(txs, row, outputs));
        assert_int_equal(tx.coinbase, table_number(txs, row, coinbase));
        assert_int_equal(tx.fee_sat, table_number(txs, row, fee)); /* empty, which is 0, for a coinbase */
        uint64_t below = UINT64_MAX;                               /* newest first, every occurrence */
        do {
            assert_int_equal(index_tx_find(index, &tx.txid, below, &found, NULL), STATUS_OK);
            assert_true(found.number < below && hash256_equal(&found.txid, &tx.txid));
            below = found.number;
        } while (below > row);
        assert_int_equal(below, row);
    }
}

static void check_outputs(struct tx_index *index, const struct node_tables *node)
{
    const struct table *outputs = &node->outputs;
    size_t txid = table_column(outputs, "txid"), vout = table_column(outputs, "vout"),
           value = table_column(outputs, "value_sat"), type = table_column(outputs, "type"),
           spender = table_column(outputs, "spent_by_txid"), vin = table_column(outputs, "spent_by_vin"),
           spent_height = table_column(outputs, "spent_height");
    assert_int_equal(index_totals_of(index).outputs, outputs->rows);
    for (size_t row = 0; row < outputs->rows; row++) {
        struct index_output output;
        struct index_tx tx;
        char text[65];
        assert_int_equal(index_outputs(index, row, 1, &output, NULL), STATUS_OK);
        assert_int_equal(index_tx_of_output(index, row, &tx, NULL), STATUS_OK);
        hash_text(&tx.txid, text);
        assert_memory_equal(text, table_at(outputs, row, txid), strlen(table_at(outputs, row, txid)));
        assert_int_equal(row - tx.first_output, table_number(outputs, row, vout));
        assert_int_equal(output.value_sat, table_number(outputs, row, value));
        assert_string_equal(kind_name(output.kind), table_at(outputs, row, type));
        if (*table_at(outputs, row, spender) == '\0' && !node->reduced) {
            assert_true(output.spender == INDEX_NONE);
        } else if (*table_at(outputs, row, spender) != '\0') {
            assert_int_equal(index_tx_of_input(index, output.spender, &tx, NULL), STATUS_OK);
            hash_text(&tx.txid, text);
            assert_memory_equal(text, table_at(outputs, row, spender), strlen(table_at(outputs, row, spender)));
            assert_int_equal(output.spender - tx.first_input, table_number(outputs, row, vin));
            assert_int_equal(tx.height, table_number(outputs, row, spent_height));
        }
    }
}

/* That transaction is the one of the field: a txid, or a row of the transactions. */
static void assert_tx(const struct node_tables *node, const struct index_tx *tx, size_t row, size_t column)
{
    char text[65];
    if (node->reduced) {
        assert_int_equal(tx->number, table_number(&node->inputs, row, column));
        return;
    }
    hash_text(&tx->txid, text);
    assert_string_equal(text, table_at(&node->inputs, row, column));
}

/* The node's rows leave coinbases out. */
static void check_inputs(struct tx_index *index, const struct node_tables *node)
{
    const struct table *inputs = &node->inputs;
    size_t tx_column = table_column(inputs, node->reduced ? "tx" : "txid"), vin = table_column(inputs, "vin"),
           prev = table_column(inputs, node->reduced ? "prev_tx" : "prev_txid"),
           vout = table_column(inputs, "prev_vout"), row = 0;
    struct index_totals totals = index_totals_of(index);
    for (uint64_t input = 0; input < totals.inputs; input++) {
        uint64_t spent;
        struct index_tx tx, from;
        assert_int_equal(index_inputs(index, input, 1, &spent, NULL), STATUS_OK);
        assert_int_equal(index_tx_of_input(index, input, &tx, NULL), STATUS_OK);
        assert_int_equal(spent == INDEX_NONE, tx.coinbase);
        if (tx.coinbase)
            continue;
        assert_true(row < inputs->rows);
        assert_tx(node, &tx, row, tx_column);
        assert_int_equal(input - tx.first_input, table_number(inputs, row, vin));
        assert_int_equal(index_tx_of_output(index, spent, &from, NULL), STATUS_OK);
        assert_tx(node, &from, row, prev);
        assert_int_equal(spent - from.first_output, table_number(inputs, row, vout));
        row++;
    }
    assert_int_equal(row, inputs->rows);
}

void index_against_node(const char *store, const char *truth_dir)
{
    struct node_tables node = {.blocks = table_read(path_of("%s/blocks.csv", truth_dir)),
                               .txs = table_read(path_of("%s/txs.csv", truth_dir)),
                               .outputs = table_read(path_of("%s/outputs.csv", truth_dir)),
                               .inputs = table_read(path_of("%s/inputs.csv", truth_dir))};
    node.reduced = strcmp(node.inputs.fields[0], "tx") == 0;
    struct tx_index *index = index_opened(store);
    char text[65];
    check_blocks(index, &node);
    check_txs(index, &node);
    check_outputs(index, &node);
    check_inputs(index, &node);
    table_free(&node.inputs);
    index_close(index);
    index_checked(store, 2, text);
    table_free(&node.blocks);
    table_free(&node.txs);
    table_free(&node.outputs);
}
