#include "cli/views/explore_payments.h"

#include "cli/inputs/spend_links.h"
#include "cli/views/explore_page.h"
#include "cli/views/html.h"

#define LOOKED_AT_MAX 2000u /* ends of transactions, known or not */

/* Where a table is. */
struct side {
    uint32_t rows;
    uint32_t looked_at;
    bool cut;
};

static bool is_full(struct side *side)
{
    if (side->rows < EXPLORE_ROWS && side->looked_at < LOOKED_AT_MAX)
        return false;
    side->cut = true;
    return true;
}

static enum status put_payer(struct explore_request *request, const struct index_tx *tx, uint32_t vin, uint64_t spent,
                             struct fault *fault)
{
    struct printer *page = &request->page;
    struct link_end from = {0};
    struct index_output output;
    enum status status = spend_links_output(request->hand->index, spent, &from, &output, fault);
    if (status != STATUS_OK)
        return status;
    PRINT(page, "<tr><td>");
    explore_put_output(request, &from.tx.txid, from.position, 16);
    PRINT(page, "</td><td>%s</td><td class=\"n\">%llu.%08llu</td><td>", kind_name(output.kind),
          BTC_OF(output.value_sat));
    explore_put_tx(request, &tx->txid, 16);
    PRINT(page, "</td><td class=\"n\">%u</td></tr>\n", (unsigned)vin);
    return STATUS_OK;
}

/* Inputs that spend an unknown output are inside the T-DAG. */
static enum status put_payers_of(struct explore_request *request, uint32_t number, const struct index_tx *tx,
                                 struct side *side, struct fault *fault)
{
    const struct forest *forest = &request->explore->opened.forest;
    struct inputs_run run = {.index = request->hand->index, .end = tx->first_input + tx->inputs};
    uint32_t spend = forest->txs[number].first_spend, spend_end = forest->txs[number + 1].first_spend;
    enum status status = STATUS_OK;
    for (uint32_t vin = 0; vin < tx->inputs && !tx->coinbase && status == STATUS_OK && !is_full(side); vin++) {
        const struct forest_output *stored = spend < spend_end ? &forest->outputs[forest->spends[spend]] : NULL;
        bool is_stored = stored && stored->spender_vin == vin;
        uint64_t spent;
        spend += is_stored;
        side->looked_at++;
        if (is_stored && (stored->unknown >> request->rules & 1))
            continue;
        status = inputs_run_at(&run, tx->first_input + vin, &spent, fault);
        if (status == STATUS_OK)
            status = put_payer(request, tx, vin, spent, fault);
        side->rows++;
    }
    return status;
}

static enum status put_payee(struct explore_request *request, const struct index_tx *tx, uint32_t vout,
                             const struct index_output *output, struct fault *fault)
{
    struct printer *page = &request->page;
    struct link_end to = {0};
    enum status status = STATUS_OK;
    bool spent = output->spender != INDEX_NONE;
    if (spent)
        status = spend_links_input(request->hand->index, output->spender, &to, fault);
    if (status != STATUS_OK)
        return status;
    spent = spent && to.tx.height < request->explore->opened.forest.blocks;
    PRINT(page, "<tr><td>");
    explore_put_output(request, &tx->txid, vout, 16);
    PRINT(page, "</td><td>%s</td><td class=\"n\">%llu.%08llu</td><td>", kind_name(output->kind),
          BTC_OF(output->value_sat));
    if (spent)
        explore_put_tx(request, &to.tx.txid, 16);
    else
        PRINT(page, "unspent");
    PRINT(page, "</td></tr>\n");
    return STATUS_OK;
}

static enum status put_payees_of(struct explore_request *request, uint32_t number, const struct index_tx *tx,
                                 struct side *side, struct fault *fault)
{
    const struct forest *forest = &request->explore->opened.forest;
    struct outputs_run run = {.index = request->hand->index, .end = tx->first_output + tx->outputs};
    uint32_t tracked = forest->txs[number].first_output, tracked_end = forest->txs[number + 1].first_output;
    enum status status = STATUS_OK;
    for (uint32_t vout = 0; vout < tx->outputs && status == STATUS_OK && !is_full(side); vout++) {
        const struct forest_output *stored = tracked < tracked_end ? &forest->outputs[tracked] : NULL;
        bool is_tracked = stored && stored->vout == vout;
        struct index_output output;
        tracked += is_tracked;
        side->looked_at++;
        status = outputs_run_at(&run, tx->first_output + vout, &output, fault);
        if (status != STATUS_OK || (is_tracked && (stored->unknown >> request->rules & 1)) ||
            output.kind == KIND_NULLDATA)
            continue;
        status = put_payee(request, tx, vout, &output, fault);
        side->rows++;
    }
    return status;
}

typedef enum status put_side_of(struct explore_request *request, uint32_t number, const struct index_tx *tx,
                                struct side *side, struct fault *fault);

static enum status put_side(struct explore_request *request, const uint32_t *members, uint32_t count, put_side_of *put,
                            struct fault *fault)
{
    const struct opened_forest *opened = &request->explore->opened;
    struct side side = {0};
    struct index_block block = {0};
    struct index_tx tx = {0};
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < count && status == STATUS_OK && !side.cut; i++) {
        status = spend_links_stored(request->hand->index, opened->store, &opened->forest.txs[members[i]], &block, &tx,
                                    fault);
        if (status == STATUS_OK)
            status = put(request, members[i], &tx, &side, fault);
    }
    explore_end_table(request);
    if (side.cut)
        PRINT(&request->page, "<p>There are more; the page of each transaction has all of its own.</p>\n");
    return status;
}

enum status explore_put_payments(struct explore_request *request, const uint32_t *members, uint32_t count,
                                 struct fault *fault)
{
    explore_take_hand(request);
    html_begin_section(&request->page, "payments", "Payers and payees");
    PRINT(&request->page, "<p>Of the transactions in the table above: the known outputs that they spend, and the known "
                          "outputs that they create.</p>\n");
    explore_begin_table(request, "Payers; values in BTC", "output|kind|value|spent by|input");
    enum status status = put_side(request, members, count, put_payers_of, fault);
    explore_begin_table(request, "Payees; values in BTC", "output|kind|value|spent by");
    if (status == STATUS_OK)
        status = put_side(request, members, count, put_payees_of, fault);
    explore_put_command(request, TAKES_ALL, "flows");
    PRINT(&request->page, "</section>\n");
    return status;
}
