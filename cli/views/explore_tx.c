#include <stdio.h>

#include "cli/inputs/operand.h"
#include "cli/inputs/spend_links.h"
#include "cli/views/explore_page.h"
#include "cli/views/explore_tx_sides.h"
#include "cli/views/html.h"
#include "cli/views/membership.h"

/* Transactions with one txid that a page shows: two coinbases of mainnet have those of earlier ones. */
#define COPIES_MAX 4u

static void put_membership(struct explore_request *request, uint32_t number)
{
    struct printer *page = &request->page;
    struct explore *explore = request->explore;
    explore_begin_table(request, "The T-DAG that it is in", "rules|T-DAG|as|depth");
    for (unsigned r = 0; r < explore->rules_count; r++) {
        bool ready = explore_is_ready(explore, (enum rules)r);
        const struct explore_rules *of = &explore->rules[r];
        uint32_t dag = ready && number != FOREST_NONE ? of->tdags.tx_dag[number] : 0;
        PRINT(page, "<tr><th scope=\"row\">%s</th>", rules_name((enum rules)r));
        if (dag == 0) {
            PRINT(page, "<td colspan=\"3\">%s</td></tr>\n", ready ? "none" : "being loaded");
            continue;
        }
        struct explore_request other = *request;
        other.rules = (enum rules)r;
        other.tdags = &explore->rules[r];
        bool is_root = forest_is_root(&explore->opened.forest, number, (enum rules)r);
        bool is_maybe = forest_is_maybe_root(&explore->opened.forest, number, (enum rules)r);
        bool is_spender = forest_unknown_inputs(&explore->opened.forest, number, (enum rules)r) > 0;
        PRINT(&other.page, "<td>");
        explore_put_tdag(&other, dag);
        PRINT(&other.page, "</td><td>%s</td><td class=\"n\">%u</td></tr>\n",
              is_maybe                ? (is_spender ? "maybe-root and spender" : "maybe-root")
              : is_root && is_spender ? "root and spender"
              : is_root               ? "root"
                                      : "spender",
              (unsigned)explore_depth(of, number));
        request->page = other.page;
    }
    explore_end_table(request);
}

static void put_facts(struct explore_request *request, const struct explore_tx_copy *copy)
{
    struct printer *page = &request->page;
    const struct forest *forest = &request->explore->opened.forest;
    const struct forest_tx *stored = copy->number != FOREST_NONE ? &forest->txs[copy->number] : NULL;
    uint32_t height = stored ? stored->height : copy->linked.height;
    char time[CHART_TIME_SIZE];
    PRINT(page, "<p>Block ");
    explore_put_block(request, height);
    PRINT(page, ", %s UTC, number %u in it%s.</p>\n<dl>\n", chart_time(time, forest->block_times[height]),
          (unsigned)(stored ? stored->index : copy->linked.index),
          (stored ? stored->coinbase : copy->linked.coinbase) ? ", its coinbase" : "");
    html_fact(page, "inputs", stored ? stored->inputs : copy->linked.inputs);
    html_fact(page, "outputs", stored ? stored->outputs : copy->linked.outputs);
    html_value(page, "value out", stored ? stored->value_out_sat : copy->linked.value_out_sat);
    if (copy->is_linked) {
        if (!copy->linked.coinbase)
            html_value(page, "fee", copy->linked.fee_sat);
        html_fact(page, "bytes", copy->linked.size);
        html_fact(page, "weight", copy->linked.weight);
    }
    PRINT(page, "</dl>\n");
    put_membership(request, copy->number);
}

/* ---- which ones ---- */

/* Those of the index, the newest first, each with its number in the store. */
static enum status find_linked(struct explore_request *request, const struct hash256 *txid,
                               struct explore_tx_copy copies[COPIES_MAX], unsigned *count, struct fault *fault)
{
    const struct forest *forest = &request->explore->opened.forest;
    struct index_tx tx = {.number = UINT64_MAX};
    enum status status = STATUS_OK;
    while (*count < COPIES_MAX &&
           (status = index_tx_find(request->hand->index, txid, tx.number, &tx, fault)) == STATUS_OK) {
        if (tx.height >= forest->blocks)
            continue;
        copies[(*count)++] = (struct explore_tx_copy){
            .number = membership_find(forest, tx.height, tx.index, &tx.txid), .is_linked = true, .linked = tx};
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static void find_stored(const struct explore_request *request, const struct prefix *prefix,
                        struct explore_tx_copy copies[COPIES_MAX], unsigned *count)
{
    uint32_t first, end;
    explore_find_txs(request->explore, prefix, &first, &end);
    while (end > first && *count < COPIES_MAX)
        copies[(*count)++] = (struct explore_tx_copy){.number = request->explore->txs_by_txid[--end]};
}

/* Completes the first digits of a stored transaction. */
static enum status complete(const struct explore_request *request, struct operand *operand, struct fault *fault)
{
    const struct explore *explore = request->explore;
    uint32_t first, end;
    if (operand->prefix.size == HASH256_HEX_SIZE)
        return STATUS_OK;
    explore_find_txs(explore, &operand->prefix, &first, &end);
    if (first == end)
        return fault_set(fault, STATUS_NOT_FOUND, NULL, FAULT_NO_OFFSET,
                         "No stored transaction has a txid that begins with %s.", operand->prefix.digits);
    const struct hash256 *txid = &explore->opened.forest.txs[explore->txs_by_txid[first]].txid;
    if (!hash256_equal(txid, &explore->opened.forest.txs[explore->txs_by_txid[end - 1]].txid))
        return fault_set(fault, STATUS_REFUSED, NULL, FAULT_NO_OFFSET,
                         "Several stored transactions have a txid that begins with %s: give more digits.",
                         operand->prefix.digits);
    operand->hash = *txid;
    *hash256_hex(txid, operand->prefix.digits) = '\0';
    operand->prefix.size = HASH256_HEX_SIZE;
    return STATUS_OK;
}

static enum status find(struct explore_request *request, struct operand *operand,
                        struct explore_tx_copy copies[COPIES_MAX], unsigned *count, struct fault *fault)
{
    enum status status = complete(request, operand, fault);
    if (status != STATUS_OK)
        return status;
    if (request->explore->linked)
        status = find_linked(request, &operand->hash, copies, count, fault);
    else
        find_stored(request, &operand->prefix, copies, count);
    if (status != STATUS_OK || *count > 0)
        return status;
    return fault_set(fault, STATUS_NOT_FOUND, NULL, FAULT_NO_OFFSET,
                     request->explore->linked
                         ? "No transaction of the chain has the txid %s."
                         : "No stored transaction has the txid %s. Stored are those with an unknown output that can be "
                           "spent, and those that spend one; unktx index finds all.",
                     operand->prefix.digits);
}

/* ---- the page ---- */

static enum status put_copy(struct explore_request *request, const struct explore_tx_copy *copy,
                            const struct operand *operand, struct fault *fault)
{
    const struct forest *forest = &request->explore->opened.forest;
    uint32_t outputs = copy->number != FOREST_NONE ? forest->txs[copy->number].outputs : copy->linked.outputs;
    if (operand->type == OPERAND_OUTPUT && operand->number >= outputs)
        return fault_set(fault, STATUS_NOT_FOUND, NULL, FAULT_NO_OFFSET,
                         "The transaction has no output %u; how many it has: %u.", (unsigned)operand->number,
                         (unsigned)outputs);
    put_facts(request, copy);
    enum status status = STATUS_OK;
    if (operand->type == OPERAND_OUTPUT)
        return explore_put_one_output(request, copy, operand->number, fault);
    status = explore_put_inputs(request, copy, fault);
    if (status == STATUS_OK)
        status = explore_put_outputs(request, copy, fault);
    return status == STATUS_OK ? explore_put_scripts(request, copy, fault) : status;
}

enum status explore_tx(struct explore_request *request, struct fault *fault)
{
    const char *word = request->rest + strlen("tx/");
    struct explore_tx_copy copies[COPIES_MAX];
    struct operand operand;
    unsigned count = 0;
    char title[HASH256_HEX_SIZE + 48];
    if (!operand_parse(word, false, &operand) || operand.type == OPERAND_INPUT)
        return fault_set(fault, STATUS_NOT_FOUND, NULL, FAULT_NO_OFFSET,
                         "%.80s is neither a txid (its first digits, at least %u) nor TXID:VOUT.", word, PREFIX_MIN);
    explore_take_hand(request);
    enum status status = find(request, &operand, copies, &count, fault);
    if (status != STATUS_OK)
        return status;
    if (operand.type == OPERAND_OUTPUT)
        snprintf(title, sizeof title, "Output %u of transaction %s", (unsigned)operand.number, operand.prefix.digits);
    else
        snprintf(title, sizeof title, "Transaction %s", operand.prefix.digits);
    explore_begin_page(request, title);
    if (operand.type == OPERAND_OUTPUT) {
        PRINT(&request->page, "<p>Output of ");
        explore_put_tx(request, &operand.hash, HASH256_HEX_SIZE);
        PRINT(&request->page, ".</p>\n");
    }
    for (unsigned i = 0; i < count && status == STATUS_OK; i++)
        status = put_copy(request, &copies[i], &operand, fault);
    explore_put_elsewhere(request, "tx", &operand.hash);
    char vout[16] = "";
    if (operand.type == OPERAND_OUTPUT)
        snprintf(vout, sizeof vout, ":%u", (unsigned)operand.number);
    explore_put_command(request, TAKES_ALL, "show %s%s", operand.prefix.digits, vout);
    explore_end_page(request);
    return status;
}
