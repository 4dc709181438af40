#include "tests/support/node_truth.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "tests/support/plan.h"
#include "tests/support/run.h"

static const struct node_truth *sorting;

static int compare_txids(const void *a, const void *b)
{
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return strcmp(table_get(&sorting->txs, x, "txid"), table_get(&sorting->txs, y, "txid"));
}

struct node_truth node_truth_read(const char *dir)
{
    struct node_truth truth = {.dir = dir,
                               .txs = table_read(path_of("%s/truth/txs.csv", dir)),
                               .outputs = table_read(path_of("%s/truth/outputs.csv", dir))};
    truth.type = table_column(&truth.outputs, "type");
    truth.has_address = table_column(&truth.outputs, "has_address");
    truth.spender = table_column(&truth.outputs, "spent_by_txid");
    truth.first = must_alloc(truth.txs.rows + 1, sizeof *truth.first);
    truth.by_txid = must_alloc(truth.txs.rows, sizeof *truth.by_txid);
    for (size_t t = 0; t < truth.txs.rows; t++) {
        truth.first[t + 1] = truth.first[t] + table_number(&truth.txs, t, table_column(&truth.txs, "n_out"));
        truth.by_txid[t] = t;
    }
    assert_int_equal(truth.first[truth.txs.rows], truth.outputs.rows);
    sorting = &truth;
    qsort(truth.by_txid, truth.txs.rows, sizeof *truth.by_txid, compare_txids);
    return truth;
}

void node_truth_free(struct node_truth *truth)
{
    table_free(&truth->txs);
    table_free(&truth->outputs);
    free(truth->first);
    free(truth->by_txid);
}

size_t node_truth_tx(const struct node_truth *truth, const char *txid)
{
    size_t low = 0, high = truth->txs.rows;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = strcmp(txid, table_get(&truth->txs, truth->by_txid[middle], "txid"));
        if (order == 0)
            return truth->by_txid[middle];
        *(order < 0 ? &high : &low) = order < 0 ? middle : middle + 1;
    }
    fail_msg("no transaction %s on the chain", txid);
    return 0;
}

bool node_truth_is_unknown(const struct node_truth *truth, size_t output)
{
    return strcmp(table_at(&truth->outputs, output, truth->has_address), "0") == 0;
}

bool node_truth_is_spent(const struct node_truth *truth, size_t output)
{
    return *table_at(&truth->outputs, output, truth->spender) != '\0';
}

void node_truth_assert_field(const struct table *got, size_t row, const char *name, const struct table *want,
                             size_t want_row, const char *want_name)
{
    const char *a = table_get(got, row, name), *b = table_get(want, want_row, want_name);
    if (strcmp(a, b) != 0)
        fail_msg("row %zu: %s is %.200s, the node says %.200s", row, name, a, b);
}
