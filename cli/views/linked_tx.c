#include "cli/views/linked_tx.h"

#include "cli/inputs/opened_store.h"
#include "cli/inputs/spend_links.h"
#include "cli/views/chart.h"
#include "parser/mem.h"

/* What the store alone has of the output: in which rule sets it is unknown, and its script. */
static enum status put_stored(struct tx_text *tx_text, const struct index_tx *tx, const struct output_record *record,
                              bool stored, enum kind kind)
{
    if (stored) {
        enum status status = tx_text_unknown(tx_text, record->unknown);
        return status == STATUS_OK ? tx_text_script(tx_text, record) : status;
    }
    /* Of what is not stored only nulldata can be unknown, unless the store ends below. */
    return tx_text_unknown(tx_text, tx->height < tx_text->forest->blocks && kind == KIND_NULLDATA ? RULES_ALL : 0);
}

static enum status put_input(struct tx_text *tx_text, uint32_t vin, uint64_t spent, struct fault *fault)
{
    struct link_end from;
    struct index_output output;
    char hex[HASH256_HEX_SIZE + 1] = "";
    if (spent == INDEX_NONE)
        return text_printf(&tx_text->text, "    input 0: coinbase\n");
    enum status status = spend_links_output(tx_text->index, spent, &from, &output, fault);
    if (status != STATUS_OK)
        return status;
    hash256_hex(&from.tx.txid, hex);
    return text_printf(&tx_text->text, "    input %u spends %s:%u: " BTC ", %s\n", (unsigned)vin, hex,
                       (unsigned)from.position, BTC_OF(output.value_sat), kind_name(output.kind));
}

/* The store has the script of what an input spends, the index all the other inputs. */
static enum status put_inputs(struct tx_text *tx_text, const struct index_tx *tx, struct tx_view *view,
                              struct fault *fault)
{
    struct inputs_run run = {.index = tx_text->index, .end = tx->first_input + tx->inputs};
    struct stored_spend *stored = NULL;
    size_t count = 0, next = 0;
    enum status status = view ? tx_text_spends(tx_text, view, &stored, &count, fault) : STATUS_OK;
    for (uint32_t vin = 0; vin < tx->inputs && status == STATUS_OK; vin++) {
        uint64_t spent;
        if (next < count && stored[next].spend.vin == vin) {
            status = tx_text_input(tx_text, &stored[next++]);
        } else {
            status = inputs_run_at(&run, tx->first_input + vin, &spent, fault);
            if (status == STATUS_OK)
                status = put_input(tx_text, vin, spent, fault);
        }
        if (status == STATUS_OK)
            status = tx_text_input_scripts(tx_text, vin);
    }
    mem_free(stored);
    return status;
}

static enum status put_spender(struct tx_text *tx_text, const struct index_output *output, struct fault *fault)
{
    struct link_end to;
    if (output->kind == KIND_NULLDATA)
        return STATUS_OK;
    if (output->spender == INDEX_NONE)
        return tx_text_unspent(tx_text);
    enum status status = spend_links_input(tx_text->index, output->spender, &to, fault);
    if (status == STATUS_OK && to.tx.height >= tx_text->forest->blocks)
        return tx_text_unspent(tx_text);
    return status == STATUS_OK ? tx_text_spent_by(tx_text, &to.tx.txid, to.position, to.tx.height) : status;
}

static enum status put_outputs(struct tx_text *tx_text, const struct index_tx *tx, struct tx_view *view, uint32_t only,
                               struct fault *fault)
{
    struct outputs_run run = {.index = tx_text->index, .end = tx->first_output + tx->outputs};
    struct output_record record = {0};
    struct index_output output;
    enum status status = STATUS_OK;
    for (uint32_t vout = 0; vout < tx->outputs && status == STATUS_OK; vout++) {
        status = outputs_run_at(&run, tx->first_output + vout, &output, fault);
        if (status == STATUS_OK && view)
            status = tx_next_output(view, &record);
        if (status == STATUS_NOT_FOUND)
            return STATUS_FORMAT;
        if (status != STATUS_OK || (only != TX_TEXT_ALL && only != vout))
            continue;
        status = text_printf(&tx_text->text, "    output %u: " BTC ", %s", (unsigned)vout, BTC_OF(output.value_sat),
                             kind_name(output.kind));
        if (status == STATUS_OK)
            status = put_stored(tx_text, tx, &record, view != NULL, output.kind);
        if (status == STATUS_OK)
            status = tx_text_output_scripts(tx_text, vout);
        if (status == STATUS_OK)
            status = put_spender(tx_text, &output, fault);
    }
    return status;
}

static enum status put_tx(struct tx_text *tx_text, const struct index_tx *tx, uint32_t only, struct fault *fault)
{
    char hex[HASH256_HEX_SIZE + 1] = "", time[CHART_TIME_SIZE];
    struct store_position position = {0};
    struct tx_view stored, *view = NULL;
    uint32_t number = membership_find(tx_text->forest, tx->height, tx->index, &tx->txid);
    enum status status = STATUS_OK;
    if (only != TX_TEXT_ALL && only >= tx->outputs)
        return tx_text_no_output(only, tx->outputs, fault);
    if (number != FOREST_NONE) {
        status = opened_store_tx(tx_text->store, tx_text->reader, &position, tx->height, number, &stored, fault);
        view = &stored;
    }
    hash256_hex(&tx->txid, hex);
    if (status == STATUS_OK)
        status = text_printf(
            &tx_text->text, "transaction %s\n    height %u, %s UTC, index %u%s, inputs %u, outputs %u, value out " BTC,
            hex, (unsigned)tx->height, chart_time(time, tx_text->forest->block_times[tx->height]), (unsigned)tx->index,
            tx->coinbase ? ", coinbase" : "", (unsigned)tx->inputs, (unsigned)tx->outputs, BTC_OF(tx->value_out_sat));
    if (status == STATUS_OK && !tx->coinbase)
        status = text_printf(&tx_text->text, ", fee " BTC, BTC_OF(tx->fee_sat));
    if (status == STATUS_OK)
        status = text_printf(&tx_text->text, "\n");
    if (status == STATUS_OK)
        status = tx_text_open_scripts(tx_text, tx->height, tx->index, &tx->txid);
    if (status == STATUS_OK)
        status = membership_put(&tx_text->membership, number, false, &tx_text->text, fault);
    if (status == STATUS_OK)
        status = put_inputs(tx_text, tx, view, fault);
    if (status == STATUS_OK)
        status = put_outputs(tx_text, tx, view, only, fault);
    if (status == STATUS_FORMAT && !fault->text[0])
        return opened_store_damaged(tx_text->store, tx->height, fault);
    return status == STATUS_NOMEM ? fault_nomem(fault) : status;
}

enum status linked_tx_put(struct tx_text *tx_text, const struct hash256 *txid, uint32_t vout, struct fault *fault)
{
    struct index_tx tx = {.number = UINT64_MAX};
    bool found = false;
    enum status status;
    while ((status = index_tx_find(tx_text->index, txid, tx.number, &tx, fault)) == STATUS_OK) {
        if (tx.height >= tx_text->forest->blocks)
            continue;
        found = true;
        status = put_tx(tx_text, &tx, vout, fault);
        if (status != STATUS_OK)
            return status;
    }
    if (status != STATUS_NOT_FOUND || found)
        return status == STATUS_NOT_FOUND ? STATUS_OK : status;
    return fault_set(fault, STATUS_NOT_FOUND, store_path(tx_text->store), FAULT_NO_OFFSET,
                     "no transaction of the chain has this txid");
}
