#include "cli/views/tx_text.h"

#include <stdlib.h>

#include "cli/inputs/opened_store.h"
#include "cli/output/message.h"
#include "parser/mem.h"

/* What is known of a script: its names, each with what it stands for and who says so. */
static enum status put_known(struct tx_text *tx_text, const struct output_record *output)
{
    struct name_set found = {{0}};
    enum status status = STATUS_OK;
    matcher_match(tx_text->matcher, output->kind, output->script, output->script_size, &found);
    for (size_t i; status == STATUS_OK && (i = name_set_first(&found)) < CATALOGUE_MAX; name_set_remove(&found, i)) {
        const struct known_script *known = &tx_text->catalogue->entries[i];
        bool dated = known->first_seen[0];
        status = text_printf(&tx_text->text, "      known as %s: %s (%s%s%s%s)\n", known->name, known->what,
                             dated ? "first seen " : "", known->first_seen, dated ? "; " : "", known->source);
    }
    return status;
}

enum status tx_text_script(struct tx_text *tx_text, const struct output_record *output)
{
    if (!output->unknown)
        return STATUS_OK;
    char *assembly = mem_alloc(script_asm_bound(output->script_size), 1);
    if (!assembly)
        return STATUS_NOMEM;
    script_asm(output->script, output->script_size, assembly);
    enum status status = text_printf(&tx_text->text, "      script %s\n", output->script_size ? assembly : "(empty)");
    mem_free(assembly);
    unsigned on_curve, keys = script_keys(output->kind, output->script, output->script_size, &on_curve);
    if (status == STATUS_OK && keys > 0)
        status = text_printf(&tx_text->text, "      keys %u, on the curve %u\n", keys, on_curve);
    return status == STATUS_OK ? put_known(tx_text, output) : status;
}

/* The names of the rule sets in the mask, as "unknown in A, B". */
enum status tx_text_unknown(struct tx_text *tx_text, unsigned unknown)
{
    enum status status = STATUS_OK;
    const char *before = ", unknown in ";
    for (unsigned r = 0; r < RULES && status == STATUS_OK; r++) {
        if (!(unknown >> r & 1))
            continue;
        status = text_printf(&tx_text->text, "%s%s", before, rules_name((enum rules)r));
        before = ", ";
    }
    return status == STATUS_OK ? text_printf(&tx_text->text, "\n") : status;
}

enum status tx_text_unspent(struct tx_text *tx_text) { return text_printf(&tx_text->text, "      unspent\n"); }

enum status tx_text_spent_by(struct tx_text *tx_text, const struct hash256 *txid, uint32_t vin, uint32_t height)
{
    char hex[HASH256_HEX_SIZE + 1] = "";
    hash256_hex(txid, hex);
    return text_printf(&tx_text->text, "      spent by %s input %u, height %u\n", hex, (unsigned)vin, (unsigned)height);
}

enum status tx_text_no_output(uint32_t vout, uint32_t outputs, struct fault *fault)
{
    return fault_set(fault, STATUS_NOT_FOUND, NULL, FAULT_NO_OFFSET,
                     "the transaction has no output %u; how many it has: %u", (unsigned)vout, (unsigned)outputs);
}

/* ---- what the blk files have ---- */

enum status tx_text_open_scripts(struct tx_text *tx_text, uint32_t height, uint32_t index, const struct hash256 *txid)
{
    struct fault why = {0};
    const uint8_t *bytes;
    uint32_t size;
    struct tx tx;
    tx_text->has_scripts = false;
    if (!tx_text->blocks)
        return STATUS_OK;
    enum status status = stored_blocks_read(tx_text->blocks, &tx_text->reader_of_blocks, height, &bytes, &size, &why);
    if (status == STATUS_NOMEM)
        return status;
    if (status == STATUS_OK) {
        struct block_txs txs = block_txs_of(bytes, size);
        tx_text->has_scripts = block_txs_read(&txs, index, &tx) &&
                               tx_scripts_open(&tx_text->scripts, tx.start, (size_t)(tx.end - tx.start), txid);
    }
    if (tx_text->has_scripts)
        return tx_scripts_head(&tx_text->scripts, &tx_text->text);
    if (status == STATUS_OK)
        status = fault_set(&why, STATUS_FORMAT, tx_text->blocks->dir.path, FAULT_NO_OFFSET,
                           "block %u is not at the place that the store has it at", (unsigned)height);
    message_fault(&why);
    tx_text->missing = true;
    return STATUS_OK;
}

enum status tx_text_input_scripts(struct tx_text *tx_text, uint32_t vin)
{
    return tx_text->has_scripts ? tx_scripts_input(&tx_text->scripts, &tx_text->text, vin) : STATUS_OK;
}

enum status tx_text_output_scripts(struct tx_text *tx_text, uint32_t vout)
{
    return tx_text->has_scripts ? tx_scripts_output(&tx_text->scripts, &tx_text->text, vout) : STATUS_OK;
}

/* ---- what the inputs of a stored transaction spend ---- */

static int by_ordinal(const void *a, const void *b)
{
    uint64_t x = ((const struct stored_spend *)a)->spend.ordinal, y = ((const struct stored_spend *)b)->spend.ordinal;
    return (x > y) - (x < y);
}

static int by_vin(const void *a, const void *b)
{
    uint32_t x = ((const struct stored_spend *)a)->spend.vin, y = ((const struct stored_spend *)b)->spend.vin;
    return (x > y) - (x < y);
}

/* In order of ordinal each creating transaction is read once, however many of its outputs are spent. */
static enum status find_outputs(struct tx_text *tx_text, struct stored_spend *spent, size_t count, struct fault *fault)
{
    struct store_position position = {0};
    struct tx_view tx = {0};
    uint32_t last = FOREST_NONE, vout = 0;
    enum status status = STATUS_OK;
    qsort(spent, count, sizeof *spent, by_ordinal);
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        const struct forest_output *output = &tx_text->forest->outputs[spent[i].spend.ordinal];
        if (output->tx != last) {
            last = output->tx;
            vout = 0;
            status = opened_store_tx(tx_text->store, tx_text->reader, &position, tx_text->forest->txs[last].height,
                                     last, &tx, fault);
        }
        if (vout > output->vout)
            return STATUS_FORMAT;
        for (; vout <= output->vout && status == STATUS_OK; vout++)
            status = tx_next_output(&tx, &spent[i].output);
    }
    qsort(spent, count, sizeof *spent, by_vin);
    return status == STATUS_NOT_FOUND ? STATUS_FORMAT : status;
}

enum status tx_text_input(struct tx_text *tx_text, const struct stored_spend *spent)
{
    const struct forest_output *output = &tx_text->forest->outputs[spent->spend.ordinal];
    char hex[HASH256_HEX_SIZE + 1] = "";
    hash256_hex(&tx_text->forest->txs[output->tx].txid, hex);
    enum status status = text_printf(&tx_text->text, "    input %u spends %s:%u: " BTC ", %s",
                                     (unsigned)spent->spend.vin, hex, (unsigned)output->vout, BTC_OF(output->value_sat),
                                     kind_name((enum kind)output->kind));
    if (status == STATUS_OK)
        status = tx_text_unknown(tx_text, spent->output.unknown);
    return status == STATUS_OK ? tx_text_script(tx_text, &spent->output) : status;
}

enum status tx_text_spends(struct tx_text *tx_text, struct tx_view *view, struct stored_spend **spent, size_t *count,
                           struct fault *fault)
{
    *count = 0;
    *spent = mem_alloc(view->tx.spends, sizeof **spent);
    enum status status = *spent ? STATUS_OK : STATUS_NOMEM;
    while (status == STATUS_OK && *count < view->tx.spends) {
        struct spend_record *spend = &(*spent)[(*count)++].spend;
        status = tx_next_spend(view, spend);
        if (status == STATUS_OK && spend->ordinal >= tx_text->forest->outputs_count)
            status = STATUS_FORMAT;
    }
    if (status == STATUS_OK)
        status = find_outputs(tx_text, *spent, *count, fault);
    return status == STATUS_NOT_FOUND ? STATUS_FORMAT : status;
}
