#include "cli/views/stored_tx.h"

#include "cli/inputs/opened_store.h"
#include "parser/mem.h"

static enum status put_spender(struct tx_text *tx_text, uint64_t ordinal)
{
    const struct forest *forest = tx_text->forest;
    if (ordinal >= forest->outputs_count)
        return STATUS_FORMAT;
    const struct forest_output *output = &forest->outputs[ordinal];
    if (output->spender == FOREST_NONE)
        return tx_text_unspent(tx_text);
    const struct forest_tx *spender = &forest->txs[output->spender];
    return tx_text_spent_by(tx_text, &spender->txid, output->spender_vin, spender->height);
}

static enum status put_outputs(struct tx_text *tx_text, struct tx_view *view, uint32_t only)
{
    struct output_record output;
    uint64_t ordinal = view->tx.first_ordinal;
    enum status status;
    for (uint32_t vout = 0; (status = tx_next_output(view, &output)) == STATUS_OK; vout++) {
        bool tracked = output_is_tracked(output.unknown, output.kind);
        uint64_t own = ordinal;
        ordinal += tracked;
        if (only != TX_TEXT_ALL && only != vout)
            continue;
        status = tx_text_output(tx_text, vout, &output);
        if (status == STATUS_OK)
            status = tracked ? put_spender(tx_text, own) : tx_text_no_spender(tx_text);
        if (status != STATUS_OK)
            return status;
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* An input of which the store knows nothing, by what the blk files have. */
static enum status put_other_input(struct tx_text *tx_text, uint32_t vin, const struct tx_input *input)
{
    struct tx_prevout prevout = {.vout = load_le32(input->prevout + HASH256_SIZE)};
    memcpy(prevout.txid.bytes, input->prevout, HASH256_SIZE);
    return tx_text_input(tx_text, vin, tx_is_coinbase(&tx_text->scripts.tx, input) ? NULL : &prevout);
}

/* Every input, where the blk files have been read. */
static enum status put_all_inputs(struct tx_text *tx_text, const struct stored_spend *spent, size_t count)
{
    struct cursor c = tx_inputs_of(&tx_text->scripts.tx);
    struct tx_input input;
    enum status status = STATUS_OK;
    size_t next = 0;
    for (uint32_t vin = 0; vin < tx_text->scripts.tx.inputs && status == STATUS_OK; vin++) {
        tx_input(&c, &input);
        if (next < count && spent[next].spend.vin == vin)
            status = tx_text_stored_input(tx_text, &spent[next++]);
        else
            status = put_other_input(tx_text, vin, &input);
    }
    return status;
}

static enum status put_inputs(struct tx_text *tx_text, struct tx_view *view, struct fault *fault)
{
    size_t count;
    struct stored_spend *spent;
    enum status status = tx_text_spends(tx_text, view, &spent, &count, fault);
    if (status == STATUS_OK && tx_text->has_scripts)
        status = put_all_inputs(tx_text, spent, count);
    else
        for (size_t i = 0; i < count && status == STATUS_OK; i++)
            status = tx_text_stored_input(tx_text, &spent[i]);
    mem_free(spent);
    return status;
}

static enum status put_tx(struct tx_text *tx_text, uint32_t number, uint32_t only, struct fault *fault)
{
    const struct forest_tx *tx = &tx_text->forest->txs[number];
    const struct tx_head head = {.txid = tx->txid,
                                 .number = number,
                                 .height = tx->height,
                                 .index = tx->index,
                                 .inputs = tx->inputs,
                                 .outputs = tx->outputs,
                                 .value_out_sat = tx->value_out_sat,
                                 .coinbase = tx->coinbase};
    struct tx_view view;
    struct store_position position = {0};
    enum status status = opened_store_tx(tx_text->store, tx_text->reader, &position, tx->height, number, &view, fault);
    if (status != STATUS_OK)
        return status;
    status = tx_text_begin(tx_text, &head, fault);
    if (status == STATUS_OK)
        status = put_inputs(tx_text, &view, fault);
    if (status == STATUS_OK)
        status = tx_text_begin_outputs(tx_text);
    if (status == STATUS_OK)
        status = put_outputs(tx_text, &view, only);
    if (status == STATUS_OK)
        status = tx_text_end(tx_text);
    if (status == STATUS_FORMAT && !fault->text[0])
        return opened_store_damaged(tx_text->store, tx->height, fault);
    return status == STATUS_NOMEM ? fault_nomem(fault) : status;
}

enum status stored_tx_put(struct tx_text *tx_text, const struct hash256 *txid, uint32_t vout, struct fault *fault)
{
    bool found = false;
    for (uint32_t t = tx_text->forest->txs_count; t-- > 0;) {
        const struct forest_tx *tx = &tx_text->forest->txs[t];
        if (!hash256_equal(&tx->txid, txid))
            continue;
        if (vout != TX_TEXT_ALL && vout >= tx->outputs)
            return tx_text_no_output(vout, tx->outputs, fault);
        enum status status = found ? STATUS_OK : tx_text_begin_list(tx_text);
        if (status == STATUS_OK)
            status = put_tx(tx_text, t, vout, fault);
        if (status != STATUS_OK)
            return status;
        found = true;
    }
    if (found)
        return tx_text_end_list(tx_text) == STATUS_OK ? STATUS_OK : fault_nomem(fault);
    return fault_set(fault, STATUS_NOT_FOUND, store_path(tx_text->store), FAULT_NO_OFFSET,
                     "no such transaction; stored are those with an unknown output that can be spent, and those that "
                     "spend one%s",
                     tx_text->forest->first_height > 0 ? ", from the first block of this partial store on"
                                                       : "; 'unktx index' finds all");
}
