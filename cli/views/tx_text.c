#include "cli/views/tx_text.h"

#include <stdlib.h>

#include "cli/inputs/opened_store.h"
#include "cli/output/message.h"
#include "cli/views/chart.h"
#include "parser/mem.h"

/* ---- lists of JSON ---- */

static enum status put_json_only(struct tx_text *tx_text, const char *json)
{
    return tx_text->json ? text_printf(&tx_text->text, "%s", json) : STATUS_OK;
}

enum status tx_text_begin_list(struct tx_text *tx_text)
{
    tx_text->in_list = false;
    return put_json_only(tx_text, "[");
}

enum status tx_text_end_list(struct tx_text *tx_text) { return put_json_only(tx_text, "]\n"); }

/* What stands before an entry of a list. */
static enum status separate(struct tx_text *tx_text, const char *comma)
{
    bool first = !tx_text->in_list;
    tx_text->in_list = true;
    return first ? STATUS_OK : put_json_only(tx_text, comma);
}

/* ---- what is known of a script ---- */

/* Its names, each with what it stands for and who says so. */
static enum status put_known(struct tx_text *tx_text, const struct output_record *output)
{
    struct name_set found = {{0}};
    enum status status = STATUS_OK;
    const char *comma = "";
    matcher_match(tx_text->matcher, output->kind, output->script, output->script_size, &found);
    for (size_t i; status == STATUS_OK && (i = name_set_first(&found)) < CATALOGUE_MAX; name_set_remove(&found, i)) {
        const struct known_script *known = &tx_text->catalogue->entries[i];
        bool dated = known->first_seen[0];
        if (tx_text->json)
            status = text_printf(&tx_text->text, "%s\"%s\"", comma, known->name);
        else
            status = text_printf(&tx_text->text, "      known as %s: %s (%s%s%s%s)\n", known->name, known->what,
                                 dated ? "first seen " : "", known->first_seen, dated ? "; " : "", known->source);
        comma = ",";
    }
    return status;
}

/* Keys and known scripts of an output that some rule set calls unknown. */
static enum status put_known_json(struct tx_text *tx_text, const struct output_record *output)
{
    unsigned on_curve, keys = script_keys(output->kind, output->script, output->script_size, &on_curve);
    enum status status = STATUS_OK;
    if (keys > 0)
        status = text_printf(&tx_text->text, ",\"keys\":%u,\"keys_on_curve\":%u", keys, on_curve);
    if (status == STATUS_OK)
        status = text_printf(&tx_text->text, ",\"known\":[");
    if (status == STATUS_OK)
        status = put_known(tx_text, output);
    return status == STATUS_OK ? text_printf(&tx_text->text, "]") : status;
}

static enum status put_script_line(struct tx_text *tx_text, const struct output_record *output)
{
    char *assembly = mem_alloc(script_asm_bound(output->script_size), 1);
    if (!assembly)
        return STATUS_NOMEM;
    script_asm(output->script, output->script_size, assembly);
    enum status status = text_printf(&tx_text->text, "      script %s\n", output->script_size ? assembly : "(empty)");
    mem_free(assembly);
    return status;
}

/* Script, keys and known scripts of an output that some rule set calls unknown. The script is left out where --scripts
 * shows it, in hexadecimal too. */
static enum status put_script(struct tx_text *tx_text, const struct output_record *output, bool shown)
{
    enum status status = shown ? STATUS_OK : put_script_line(tx_text, output);
    unsigned on_curve, keys = script_keys(output->kind, output->script, output->script_size, &on_curve);
    if (status == STATUS_OK && keys > 0)
        status = text_printf(&tx_text->text, "      keys %u, on the curve %u\n", keys, on_curve);
    return status == STATUS_OK ? put_known(tx_text, output) : status;
}

/* The names of the rule sets in the mask: the end of a line, as "unknown in A, B". */
static enum status put_unknown(struct tx_text *tx_text, unsigned unknown)
{
    const char *before = tx_text->json ? "\"" : ", unknown in ", *after = tx_text->json ? "\"" : "";
    enum status status = put_json_only(tx_text, ",\"unknown\":[");
    for (unsigned r = 0; r < RULES_WITH_HIDDEN && status == STATUS_OK; r++) {
        if (!(unknown >> r & 1))
            continue;
        status = text_printf(&tx_text->text, "%s%s%s", before, rules_name((enum rules)r), after);
        before = tx_text->json ? ",\"" : ", ";
    }
    return status == STATUS_OK ? text_printf(&tx_text->text, tx_text->json ? "]" : "\n") : status;
}

/* ---- the transaction as a whole ---- */

/* Of a partial store: an input that it tells nothing of may spend an unknown output that was made before. */
static enum status put_partial(struct tx_text *tx_text, const struct tx_head *head)
{
    const struct forest *forest = tx_text->forest;
    if (forest->first_height == 0 || head->number == FOREST_NONE)
        return STATUS_OK;
    return text_printf(&tx_text->text,
                       tx_text->json ? ",\"partial\":%u,\"inputs_before\":%u"
                                     : "    partial, from block %u on: inputs made before %u\n",
                       (unsigned)forest->first_height, (unsigned)forest_inputs_before(forest, (uint32_t)head->number));
}

static enum status put_head(struct tx_text *tx_text, const struct tx_head *head)
{
    uint32_t seconds = tx_text->forest->block_times[head->height];
    char hex[HASH256_HEX_SIZE + 1] = "", time[CHART_TIME_SIZE];
    hash256_hex(&head->txid, hex);
    if (!tx_text->json) {
        enum status status = text_printf(
            &tx_text->text, "transaction %s\n    height %u, %s UTC, index %u%s, inputs %u, outputs %u, value out " BTC,
            hex, (unsigned)head->height, chart_time(time, seconds), (unsigned)head->index,
            head->coinbase ? ", coinbase" : "", (unsigned)head->inputs, (unsigned)head->outputs,
            BTC_OF(head->value_out_sat));
        if (status == STATUS_OK && head->has_fee)
            status = text_printf(&tx_text->text, ", fee " BTC, BTC_OF(head->fee_sat));
        return status == STATUS_OK ? text_printf(&tx_text->text, "\n") : status;
    }
    enum status status = text_printf(&tx_text->text,
                                     "{\"txid\":\"%s\",\"height\":%u,\"time\":%u,\"tx_index\":%u,\"coinbase\":%s,"
                                     "\"value_out_sat\":%llu",
                                     hex, (unsigned)head->height, (unsigned)seconds, (unsigned)head->index,
                                     head->coinbase ? "true" : "false", ULL(head->value_out_sat));
    if (status != STATUS_OK)
        return status;
    return head->has_fee ? text_printf(&tx_text->text, ",\"fee_sat\":%llu", ULL(head->fee_sat))
                         : text_printf(&tx_text->text, ",\"fee_sat\":null");
}

/* Reads the transaction from the blk files where that is asked for. */
static enum status open_scripts(struct tx_text *tx_text, const struct tx_head *head, struct fault *fault)
{
    struct fault why = {0};
    const uint8_t *bytes;
    uint32_t size;
    struct tx tx;
    tx_text->has_scripts = false;
    if (!tx_text->blocks)
        return STATUS_OK;
    enum status status = stored_blocks_read(tx_text->blocks, &tx_text->reader_of_blocks, head->height, &bytes, &size,
                                            &why);
    if (status_ends_command(status)) {
        *fault = why;
        return status;
    }
    if (status == STATUS_OK) {
        struct block_txs txs = block_txs_of(bytes, size);
        tx_text->has_scripts = block_txs_read(&txs, head->index, &tx) &&
                               tx_scripts_open(&tx_text->scripts, tx.start, (size_t)(tx.end - tx.start), &head->txid);
    }
    if (tx_text->has_scripts)
        return tx_scripts_head(&tx_text->scripts, &tx_text->text);
    if (status == STATUS_OK)
        (void)fault_set(&why, STATUS_FORMAT, tx_text->blocks->dir.path, FAULT_NO_OFFSET,
                        "block %u is not at the place that the store has it at", (unsigned)head->height);
    message_fault(&why);
    tx_text->missing = true;
    return STATUS_OK;
}

enum status tx_text_begin(struct tx_text *tx_text, const struct tx_head *head, struct fault *fault)
{
    enum status status = separate(tx_text, ",\n");
    if (status == STATUS_OK)
        status = put_head(tx_text, head);
    if (status == STATUS_OK)
        status = put_partial(tx_text, head);
    if (status == STATUS_OK)
        status = open_scripts(tx_text, head, fault);
    if (status == STATUS_OK)
        status = put_json_only(tx_text, ",\n \"tdags\":[");
    if (status == STATUS_OK)
        status = membership_put(&tx_text->membership, head->number, tx_text->json, &tx_text->text, fault);
    tx_text->in_list = false;
    return status == STATUS_OK ? put_json_only(tx_text, "],\n \"inputs\":[\n  ") : status;
}

enum status tx_text_begin_outputs(struct tx_text *tx_text)
{
    tx_text->in_list = false;
    return put_json_only(tx_text, "],\n \"outputs\":[\n  ");
}

enum status tx_text_end(struct tx_text *tx_text)
{
    tx_text->in_list = true;
    return put_json_only(tx_text, "]}");
}

/* ---- an input ---- */

/* As far as something else than its outpoint is known. */
static enum status put_spent(struct tx_text *tx_text, const struct tx_prevout *prevout)
{
    const struct output_record *output = &prevout->output;
    enum status status;
    if (tx_text->json && !prevout->told)
        return text_printf(&tx_text->text, ",\"prev_height\":null,\"value_sat\":null,\"kind\":null,\"unknown\":[]");
    if (!prevout->told)
        return text_printf(&tx_text->text, "\n");
    if (tx_text->json)
        status = text_printf(&tx_text->text, ",\"prev_height\":%u,\"value_sat\":%llu,\"kind\":\"%s\"",
                             (unsigned)prevout->height, ULL(output->value_sat), kind_name(output->kind));
    else
        status = text_printf(&tx_text->text, ": " BTC ", %s", BTC_OF(output->value_sat), kind_name(output->kind));
    if (status == STATUS_OK)
        status = put_unknown(tx_text, output->unknown);
    if (status != STATUS_OK || !output->script)
        return status;
    if (!tx_text->json)
        return put_script(tx_text, output, false);
    status = tx_scripts_put_script(&tx_text->text, true, "prev_script", output->script, output->script_size);
    return status == STATUS_OK ? put_known_json(tx_text, output) : status;
}

static enum status put_prevout(struct tx_text *tx_text, uint32_t vin, const struct tx_prevout *prevout)
{
    char hex[HASH256_HEX_SIZE + 1] = "";
    if (!prevout)
        return text_printf(&tx_text->text, tx_text->json ? "{\"vin\":0,\"coinbase\":true" : "    input 0: coinbase\n");
    hash256_hex(&prevout->txid, hex);
    enum status status = text_printf(&tx_text->text,
                                     tx_text->json ? "{\"vin\":%u,\"prev_txid\":\"%s\",\"prev_vout\":%u"
                                                   : "    input %u spends %s:%u",
                                     (unsigned)vin, hex, (unsigned)prevout->vout);
    return status == STATUS_OK ? put_spent(tx_text, prevout) : status;
}

enum status tx_text_input(struct tx_text *tx_text, uint32_t vin, const struct tx_prevout *prevout)
{
    enum status status = separate(tx_text, ",\n  ");
    if (status == STATUS_OK)
        status = put_prevout(tx_text, vin, prevout);
    if (status == STATUS_OK && tx_text->has_scripts)
        status = tx_scripts_input(&tx_text->scripts, &tx_text->text, vin);
    return status == STATUS_OK ? put_json_only(tx_text, "}") : status;
}

/* ---- an output ---- */

/* The blk files have every script, the store those that some rule set calls unknown. */
static enum status put_output_script(struct tx_text *tx_text, uint32_t vout, const struct output_record *output)
{
    enum status status = STATUS_OK;
    if (output->script && !tx_text->json)
        status = put_script(tx_text, output, tx_text->has_scripts);
    if (status == STATUS_OK && tx_text->has_scripts)
        status = tx_scripts_output(&tx_text->scripts, &tx_text->text, vout);
    else if (status == STATUS_OK && output->script && tx_text->json)
        status = tx_scripts_put_script(&tx_text->text, true, "script", output->script, output->script_size);
    if (status == STATUS_OK && output->script && tx_text->json)
        status = put_known_json(tx_text, output);
    return status;
}

enum status tx_text_output(struct tx_text *tx_text, uint32_t vout, const struct output_record *output)
{
    enum status status = separate(tx_text, ",\n  ");
    if (status != STATUS_OK)
        return status;
    if (tx_text->json)
        status = text_printf(&tx_text->text, "{\"vout\":%u,\"value_sat\":%llu,\"kind\":\"%s\"", (unsigned)vout,
                             ULL(output->value_sat), kind_name(output->kind));
    else
        status = text_printf(&tx_text->text, "    output %u: " BTC ", %s", (unsigned)vout, BTC_OF(output->value_sat),
                             kind_name(output->kind));
    if (status == STATUS_OK)
        status = put_unknown(tx_text, output->unknown);
    return status == STATUS_OK ? put_output_script(tx_text, vout, output) : status;
}

enum status tx_text_unspent(struct tx_text *tx_text)
{
    return text_printf(&tx_text->text, tx_text->json ? ",\"spender\":null}" : "      unspent\n");
}

enum status tx_text_spent_by(struct tx_text *tx_text, const struct hash256 *txid, uint32_t vin, uint32_t height)
{
    char hex[HASH256_HEX_SIZE + 1] = "";
    hash256_hex(txid, hex);
    return text_printf(&tx_text->text,
                       tx_text->json ? ",\"spender\":{\"txid\":\"%s\",\"vin\":%u,\"height\":%u}}"
                                     : "      spent by %s input %u, height %u\n",
                       hex, (unsigned)vin, (unsigned)height);
}

enum status tx_text_no_spender(struct tx_text *tx_text) { return put_json_only(tx_text, "}"); }

enum status tx_text_no_output(uint32_t vout, uint32_t outputs, struct fault *fault)
{
    return fault_set(fault, STATUS_NOT_FOUND, NULL, FAULT_NO_OFFSET,
                     "the transaction has no output %u; how many it has: %u", (unsigned)vout, (unsigned)outputs);
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

enum status tx_text_stored_input(struct tx_text *tx_text, const struct stored_spend *spent)
{
    const struct forest *forest = tx_text->forest;
    const struct forest_output *output = &forest->outputs[spent->spend.ordinal];
    const struct forest_tx *tx = &forest->txs[output->tx];
    const struct tx_prevout prevout = {tx->txid, output->vout, true, tx->height, spent->output};
    return tx_text_input(tx_text, spent->spend.vin, &prevout);
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
