#include "cli/views/linked_tx.h"

#include "cli/inputs/opened_store.h"
#include "cli/inputs/spend_links.h"
#include "parser/mem.h"

static enum status put_input(struct tx_text *tx_text, const struct index_tx *tx, uint32_t vin, uint64_t spent,
                             struct fault *fault)
{
    struct link_end from;
    struct index_output output;
    if (spent == INDEX_NONE)
        return tx_text_input(tx_text, vin, NULL);
    enum status status = spend_links_output(tx_text->index, spent, tx->first_input + vin, &from, &output, fault);
    if (status != STATUS_OK)
        return status;
    const struct tx_prevout prevout = {
        from.tx.txid, from.position, true, from.tx.height, {.value_sat = output.value_sat, .kind = output.kind}};
    return tx_text_input(tx_text, vin, &prevout);
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
            status = tx_text_stored_input(tx_text, &stored[next++]);
        } else {
            status = inputs_run_at(&run, tx->first_input + vin, &spent, fault);
            if (status == STATUS_OK)
                status = put_input(tx_text, tx, vin, spent, fault);
        }
    }
    mem_free(stored);
    return status;
}

static enum status put_spender(struct tx_text *tx_text, uint64_t number, const struct index_output *output,
                               struct fault *fault)
{
    struct link_end to;
    if (output->kind == KIND_NULLDATA)
        return tx_text_no_spender(tx_text);
    if (output->spender == INDEX_NONE)
        return tx_text_unspent(tx_text);
    enum status status = spend_links_input(tx_text->index, output->spender, number, &to, fault);
    if (status == STATUS_OK && to.tx.height >= tx_text->forest->blocks)
        return tx_text_unspent(tx_text);
    return status == STATUS_OK ? tx_text_spent_by(tx_text, &to.tx.txid, to.position, to.tx.height) : status;
}

/* Of what is not stored only nulldata can be unknown, in all rule sets. */
static struct output_record other_output(const struct tx_text *tx_text, const struct index_output *output)
{
    unsigned all = RULES_ALL | (unsigned)tx_text->membership.with_hidden << RULES_HIDDEN;
    return (struct output_record){
        .value_sat = output->value_sat, .kind = output->kind, .unknown = output->kind == KIND_NULLDATA ? all : 0};
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
        if (!view)
            record = other_output(tx_text, &output);
        status = tx_text_output(tx_text, vout, &record);
        if (status == STATUS_OK)
            status = put_spender(tx_text, tx->first_output + vout, &output, fault);
    }
    return status;
}

static enum status put_tx(struct tx_text *tx_text, const struct index_tx *tx, uint32_t only, struct fault *fault)
{
    struct store_position position = {0};
    struct tx_view stored, *view = NULL;
    const struct tx_head head = {.txid = tx->txid,
                                 .number = membership_find(tx_text->forest, tx->height, tx->index, &tx->txid),
                                 .height = tx->height,
                                 .index = tx->index,
                                 .inputs = tx->inputs,
                                 .outputs = tx->outputs,
                                 .value_out_sat = tx->value_out_sat,
                                 .fee_sat = tx->fee_sat,
                                 .coinbase = tx->coinbase,
                                 .has_fee = !tx->coinbase};
    enum status status = STATUS_OK;
    if (head.number != FOREST_NONE) {
        status = opened_store_tx(tx_text->store, tx_text->reader, &position, tx->height, head.number, &stored, fault);
        view = &stored;
    }
    if (status == STATUS_OK)
        status = tx_text_begin(tx_text, &head, fault);
    if (status == STATUS_OK)
        status = put_inputs(tx_text, tx, view, fault);
    if (status == STATUS_OK)
        status = tx_text_begin_outputs(tx_text);
    if (status == STATUS_OK)
        status = put_outputs(tx_text, tx, view, only, fault);
    if (status == STATUS_OK)
        status = tx_text_end(tx_text);
    if (status == STATUS_FORMAT && !fault->text[0])
        return opened_store_damaged(tx_text->store, tx->height, fault);
    return status == STATUS_NOMEM ? fault_nomem(fault) : status;
}

/* It is in no block that is shown: in none at all, or, with `above` set, in one above the last of these. */
static enum status not_shown(const struct tx_text *tx_text, const struct index_tx *above, struct fault *fault)
{
    const struct store *store = tx_text->store;
    uint32_t last = tx_text->forest->blocks - 1;
    bool hidden = strcmp(store_path(store), store_main_path(store)) != 0;
    const char *go_on = hidden ? "the rule set hidden ends there: 'unktx index' and 'unktx hidden --dags' bring it on"
                               : "--to-height says so, or the store ends there, and 'unktx scan' brings it on";
    if (above)
        return fault_set(fault, STATUS_NOT_FOUND, store_path(store), FAULT_NO_OFFSET,
                         "this transaction is in block %u, and what is shown ends at block %u; %s",
                         (unsigned)above->height, (unsigned)last, go_on);
    return fault_set(fault, STATUS_NOT_FOUND, store_path(store), FAULT_NO_OFFSET,
                     "no transaction of the chain has this txid");
}

enum status linked_tx_put(struct tx_text *tx_text, const struct hash256 *txid, uint32_t vout, struct fault *fault)
{
    struct index_tx tx = {.number = UINT64_MAX}, later = {0};
    bool found = false, above = false;
    enum status status;
    while ((status = index_tx_find(tx_text->index, txid, tx.number, &tx, fault)) == STATUS_OK) {
        if (tx.height >= tx_text->forest->blocks) {
            later = tx;
            above = true;
            continue;
        }
        if (vout != TX_TEXT_ALL && vout >= tx.outputs)
            return tx_text_no_output(vout, tx.outputs, fault);
        status = found ? STATUS_OK : tx_text_begin_list(tx_text);
        if (status == STATUS_OK)
            status = put_tx(tx_text, &tx, vout, fault);
        if (status != STATUS_OK)
            return status;
        found = true;
    }
    if (status == STATUS_NOT_FOUND && found)
        return tx_text_end_list(tx_text) == STATUS_OK ? STATUS_OK : fault_nomem(fault);
    if (status != STATUS_NOT_FOUND)
        return status;
    return not_shown(tx_text, above ? &later : NULL, fault);
}
