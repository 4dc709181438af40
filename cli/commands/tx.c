#include "cli/command.h"
#include "cli/inputs/index_blocks.h"
#include "cli/inputs/spend_links.h"
#include "cli/output/message.h"
#include "cli/output/outfile.h"
#include "cli/inputs/opened_store.h"
#include "cli/inputs/operand.h"
#include "cli/views/chart.h"
#include "cli/views/indexed_scripts.h"
#include "cli/views/membership.h"
#include "parser/blkfile.h"
#include "parser/mem.h"
#include "parser/stop.h"

/* Text is written whenever so much of it has gathered: a transaction can have a hundred thousand inputs. */
#define FLUSH_SIZE (1u << 20)

struct view {
    const struct settings *settings;
    struct tx_index *index;
    struct outfile file;
    struct text text;
    bool json;
    bool asked_store; /* whether there is a store, which is loaded when the first transaction is shown */
    struct store *store;
    struct forest forest;
    struct indexed_scripts scripts; /* of --scripts */
    struct address_labels labels;   /* of --labels */
    struct labels_said said;
};

static enum status flush_some(struct view *view, struct fault *fault)
{
    size_t size = view->text.size;
    bool due = size >= FLUSH_SIZE && (view->json || view->text.bytes[size - 1] == '\n'); /* whole lines are wrapped */
    return due ? outfile_flush(&view->file, &view->text, fault) : STATUS_OK;
}

/* The result of text_printf as a status with a fault. */
static enum status put_done(struct view *view, enum status status, struct fault *fault)
{
    return status == STATUS_OK ? flush_some(view, fault) : fault_nomem(fault);
}

/* The end of an input or output. */
static enum status put_end(struct view *view, enum status status, struct fault *fault)
{
    if (status == STATUS_FORMAT)
        return index_damaged(view->index, "a transaction has other inputs or outputs than the files have", fault);
    return put_done(view, status == STATUS_OK && view->json ? text_printf(&view->text, "}") : status, fault);
}

/* ---- one input ---- */

static enum status put_input(struct view *view, const struct index_tx *tx, uint32_t vin, uint64_t spent,
                             struct fault *fault)
{
    struct link_end from;
    struct index_output output;
    char hex[HASH256_HEX_SIZE + 1] = "";
    if (spent == INDEX_NONE)
        return put_done(
            view, text_printf(&view->text, view->json ? "{\"vin\":0,\"coinbase\":true" : "    input 0: coinbase\n"),
            fault);
    enum status status = spend_links_output(view->index, spent, tx->first_input + vin, &from, &output, fault);
    if (status != STATUS_OK)
        return status;
    hash256_hex(&from.tx.txid, hex);
    if (view->json)
        status = text_printf(&view->text,
                             "{\"vin\":%u,\"prev_txid\":\"%s\",\"prev_vout\":%u,\"prev_height\":%u,\"value_sat\":%llu,"
                             "\"kind\":\"%s\"",
                             (unsigned)vin, hex, (unsigned)from.position, (unsigned)from.tx.height,
                             ULL(output.value_sat), kind_name(output.kind));
    else
        status = text_printf(&view->text, "    input %u spends %s:%u, height %u: " BTC ", %s\n", (unsigned)vin, hex,
                             (unsigned)from.position, (unsigned)from.tx.height, BTC_OF(output.value_sat),
                             kind_name(output.kind));
    return put_done(view, status, fault);
}

/* ---- one output ---- */

static enum status put_spender(struct view *view, uint64_t input, uint64_t spent, struct fault *fault)
{
    struct link_end to;
    char hex[HASH256_HEX_SIZE + 1] = "";
    if (input == INDEX_NONE)
        return put_done(view, text_printf(&view->text, view->json ? "null" : ", unspent\n"), fault);
    enum status status = spend_links_input(view->index, input, spent, &to, fault);
    if (status != STATUS_OK)
        return status;
    hash256_hex(&to.tx.txid, hex);
    status = text_printf(&view->text,
                         view->json ? "{\"txid\":\"%s\",\"vin\":%u,\"height\":%u}" : ", spent by %s/%u, height %u\n",
                         hex, (unsigned)to.position, (unsigned)to.tx.height);
    return put_done(view, status, fault);
}

static enum status put_output(struct view *view, const struct index_tx *tx, uint32_t vout,
                              const struct index_output *output, struct fault *fault)
{
    enum status status;
    if (view->json)
        status = text_printf(&view->text,
                             "{\"vout\":%u,\"value_sat\":%llu,\"kind\":\"%s\",\"spender\":", (unsigned)vout,
                             ULL(output->value_sat), kind_name(output->kind));
    else
        status = text_printf(&view->text, "    output %u: " BTC ", %s", (unsigned)vout, BTC_OF(output->value_sat),
                             kind_name(output->kind));
    return status == STATUS_OK ? put_spender(view, output->spender, tx->first_output + vout, fault)
                               : fault_nomem(fault);
}

/* ---- a transaction, whole or only what the operand names ---- */

static enum status separate(struct view *view, bool first, struct fault *fault)
{
    return view->json && !first ? put_done(view, text_printf(&view->text, ",\n  "), fault) : STATUS_OK;
}

/* Inputs or outputs first .. end - 1. */
static enum status put_inputs(struct view *view, const struct index_tx *tx, uint32_t first, uint32_t end,
                              struct fault *fault)
{
    struct inputs_run run = {.index = view->index, .end = tx->first_input + end};
    enum status status = STATUS_OK;
    uint64_t spent;
    for (uint32_t i = first; i < end && status == STATUS_OK && !outfile_left(&view->file); i++) {
        status = inputs_run_at(&run, tx->first_input + i, &spent, fault);
        if (status == STATUS_OK)
            status = separate(view, i == first, fault);
        if (status == STATUS_OK)
            status = put_input(view, tx, i, spent, fault);
        if (status == STATUS_OK)
            status = put_end(
                view, view->scripts.has_tx ? tx_scripts_input(&view->scripts.of_tx, &view->text, i) : STATUS_OK, fault);
    }
    return status;
}

static enum status put_outputs(struct view *view, const struct index_tx *tx, uint32_t first, uint32_t end,
                               struct fault *fault)
{
    struct outputs_run run = {.index = view->index, .end = tx->first_output + end};
    enum status status = STATUS_OK;
    struct index_output output;
    for (uint32_t i = first; i < end && status == STATUS_OK && !outfile_left(&view->file); i++) {
        status = outputs_run_at(&run, tx->first_output + i, &output, fault);
        if (status == STATUS_OK)
            status = separate(view, i == first, fault);
        if (status == STATUS_OK)
            status = put_output(view, tx, i, &output, fault);
        if (status == STATUS_OK)
            status = put_end(view,
                             view->scripts.has_tx ? tx_scripts_output(&view->scripts.of_tx, &view->text, i) : STATUS_OK,
                             fault);
    }
    return status;
}

/* A coinbase pays no fee. */
static enum status put_fee(struct view *view, const struct index_tx *tx, const char *end, struct fault *fault)
{
    enum status status;
    if (tx->coinbase)
        status = text_printf(&view->text, "%s%s", view->json ? ",\"fee_sat\":null" : "", end);
    else if (view->json)
        status = text_printf(&view->text, ",\"fee_sat\":%llu%s", ULL(tx->fee_sat), end);
    else
        status = text_printf(&view->text, ", fee " BTC "%s", BTC_OF(tx->fee_sat), end);
    return put_done(view, status, fault);
}

static enum status put_tx_head(struct view *view, const struct index_tx *tx, struct fault *fault)
{
    struct index_block block;
    char hex[HASH256_HEX_SIZE + 1] = "", block_hex[HASH256_HEX_SIZE + 1] = "", time[CHART_TIME_SIZE];
    enum status status = index_block_at(view->index, tx->height, &block, fault);
    if (status != STATUS_OK)
        return status;
    hash256_hex(&tx->txid, hex);
    hash256_hex(&block.hash, block_hex);
    if (view->json)
        status = text_printf(
            &view->text,
            "{\"txid\":\"%s\",\"height\":%u,\"time\":%u,\"block\":\"%s\",\"tx_index\":%u,\"coinbase\":%s,"
            "\"segwit\":%s,\n \"size\":%u,\"weight\":%u,\"file\":\"blk%05u.dat\",\"offset\":%llu,"
            "\"value_out_sat\":%llu",
            hex, (unsigned)tx->height, (unsigned)block.time, block_hex, (unsigned)tx->index,
            tx->coinbase ? "true" : "false", tx->segwit ? "true" : "false", (unsigned)tx->size, (unsigned)tx->weight,
            (unsigned)block.file, ULL(block.offset + tx->offset), ULL(tx->value_out_sat));
    else
        status = text_printf(&view->text,
                             "transaction %s\n    height %u, %s UTC, index %u%s%s, block %s\n"
                             "    size %u, weight %u, in blk%05u.dat at byte %llu\n"
                             "    inputs %u, outputs %u, value out " BTC,
                             hex, (unsigned)tx->height, chart_time(time, block.time), (unsigned)tx->index,
                             tx->coinbase ? ", coinbase" : "", tx->segwit ? ", segwit" : "", block_hex,
                             (unsigned)tx->size, (unsigned)tx->weight, (unsigned)block.file,
                             ULL(block.offset + tx->offset), (unsigned)tx->inputs, (unsigned)tx->outputs,
                             BTC_OF(tx->value_out_sat));
    status = status == STATUS_OK ? put_fee(view, tx, view->json ? "" : "\n", fault) : fault_nomem(fault);
    if (status == STATUS_OK && view->scripts.has_tx)
        status = put_done(view, tx_scripts_head(&view->scripts.of_tx, &view->text), fault);
    return status;
}

static enum status put_literal(struct view *view, const char *json, struct fault *fault)
{
    return view->json ? put_done(view, text_printf(&view->text, "%s", json), fault) : STATUS_OK;
}

static enum status no_such(const struct index_tx *tx, const char *what, uint32_t number, uint32_t count,
                           struct fault *fault)
{
    char hex[HASH256_HEX_SIZE + 1] = "";
    hash256_hex(&tx->txid, hex);
    return fault_set(fault, STATUS_NOT_FOUND, NULL, FAULT_NO_OFFSET, "%s has no %s %u; how many it has: %u", hex, what,
                     (unsigned)number, (unsigned)count);
}

/* An index may be without a store. */
static enum status load_store(struct view *view, struct fault *fault)
{
    struct fault none = {0};
    if (view->asked_store)
        return STATUS_OK;
    view->asked_store = true;
    enum status status = opened_store_open(view->settings, &view->store, &none);
    if (status == STATUS_NOT_FOUND)
        return STATUS_OK;
    if (status != STATUS_OK) {
        *fault = none;
        return status;
    }
    return forest_load(view->store, (unsigned)view->settings->threads, &view->forest, fault);
}

/* Nothing is said of what the store does not reach. */
static enum status put_membership(struct view *view, const struct index_tx *tx, struct fault *fault)
{
    enum status status = load_store(view, fault);
    if (status != STATUS_OK || !view->store || tx->height >= view->forest.blocks)
        return status;
    const struct membership membership = {.store = view->store,
                                          .forest = &view->forest,
                                          .threads = (unsigned)view->settings->threads,
                                          .labels = view->settings->labels.count > 0 ? &view->labels : NULL,
                                          .said = &view->said,
                                          .with_hidden = view->settings->rules == RULES_HIDDEN};
    status = put_literal(view, " \"tdags\":[", fault);
    if (status == STATUS_OK)
        status = membership_put(&membership, membership_find(&view->forest, tx->height, tx->index, &tx->txid),
                                view->json, &view->text, fault);
    return status == STATUS_OK ? put_literal(view, "],\n", fault) : status;
}

static enum status put_tx(struct view *view, const struct index_tx *tx, const struct operand *operand,
                          struct fault *fault)
{
    bool input = operand->type == OPERAND_INPUT, output = operand->type == OPERAND_OUTPUT;
    if (input && operand->number >= tx->inputs)
        return no_such(tx, "input", operand->number, tx->inputs, fault);
    if (output && operand->number >= tx->outputs)
        return no_such(tx, "output", operand->number, tx->outputs, fault);
    enum status status = indexed_scripts_find(&view->scripts, tx, fault);
    if (status == STATUS_OK)
        status = put_tx_head(view, tx, fault);
    if (status == STATUS_OK)
        status = put_literal(view, ",\n", fault);
    if (status == STATUS_OK)
        status = put_membership(view, tx, fault);
    if (status == STATUS_OK)
        status = put_literal(view, " \"inputs\":[\n  ", fault);
    if (status == STATUS_OK && !output)
        status = put_inputs(view, tx, input ? operand->number : 0, input ? operand->number + 1 : tx->inputs, fault);
    if (status == STATUS_OK)
        status = put_literal(view, "],\n \"outputs\":[\n  ", fault);
    if (status == STATUS_OK && !input)
        status = put_outputs(view, tx, output ? operand->number : 0, output ? operand->number + 1 : tx->outputs, fault);
    if (status == STATUS_OK)
        status = put_literal(view, "]}", fault);
    return status;
}

/* Every occurrence, the newest first. */
static enum status put_txs(struct view *view, const struct operand *operand, struct fault *fault)
{
    struct index_tx tx = {.number = UINT64_MAX};
    enum status status;
    bool first = true;
    while ((status = index_tx_find(view->index, &operand->hash, tx.number, &tx, fault)) == STATUS_OK) {
        status = put_literal(view, first ? "[" : ",\n", fault);
        if (status == STATUS_OK)
            status = put_tx(view, &tx, operand, fault);
        if (status != STATUS_OK)
            return status;
        first = false;
    }
    if (status != STATUS_NOT_FOUND || first)
        return status;
    return put_literal(view, "]\n", fault);
}

/* ---- a block ---- */

static enum status put_block_tx(struct view *view, const struct index_tx *tx, struct fault *fault)
{
    char hex[HASH256_HEX_SIZE + 1] = "";
    hash256_hex(&tx->txid, hex);
    enum status status;
    if (view->json)
        status = text_printf(&view->text,
                             "{\"txid\":\"%s\",\"inputs\":%u,\"outputs\":%u,\"size\":%u,\"weight\":%u,"
                             "\"value_out_sat\":%llu",
                             hex, (unsigned)tx->inputs, (unsigned)tx->outputs, (unsigned)tx->size, (unsigned)tx->weight,
                             ULL(tx->value_out_sat));
    else
        status = text_printf(&view->text, "    %s: inputs %u, outputs %u, value out " BTC, hex, (unsigned)tx->inputs,
                             (unsigned)tx->outputs, BTC_OF(tx->value_out_sat));
    return status == STATUS_OK ? put_fee(view, tx, view->json ? "}" : "\n", fault) : fault_nomem(fault);
}

static enum status put_block(struct view *view, const struct index_block *block, struct fault *fault)
{
    char hex[HASH256_HEX_SIZE + 1] = "", time[CHART_TIME_SIZE];
    struct index_tx tx;
    hash256_hex(&block->hash, hex);
    enum status status;
    if (view->json)
        status = text_printf(&view->text,
                             "{\"hash\":\"%s\",\"height\":%u,\"time\":%u,\"size\":%u,\"file\":\"blk%05u.dat\","
                             "\"offset\":%llu,\n \"txs\":[\n  ",
                             hex, (unsigned)block->height, (unsigned)block->time, (unsigned)block->size,
                             (unsigned)block->file, ULL(block->offset - BLK_FRAME_SIZE));
    else
        status = text_printf(&view->text,
                             "block %s\n    height %u, time %u (%s UTC), size %u, in blk%05u.dat at byte %llu\n", hex,
                             (unsigned)block->height, (unsigned)block->time, chart_time(time, block->time),
                             (unsigned)block->size, (unsigned)block->file, ULL(block->offset - BLK_FRAME_SIZE));
    status = put_done(view, status, fault);
    for (uint32_t t = 0; t < block->txs && status == STATUS_OK && !outfile_left(&view->file); t++) {
        status = index_tx_at(view->index, block->first_tx + t, &tx, fault);
        if (status == STATUS_OK)
            status = separate(view, t == 0, fault);
        if (status == STATUS_OK)
            status = put_block_tx(view, &tx, fault);
    }
    return status == STATUS_OK ? put_literal(view, "]}\n", fault) : status;
}

/* A hash is a transaction's, else a block's. */
static enum status put_operand(struct view *view, const struct operand *operand, struct fault *fault)
{
    struct index_block block;
    enum status status;
    if (operand->type == OPERAND_HEIGHT) {
        status = index_block_at(view->index, operand->number, &block, fault);
        if (status == STATUS_NOT_FOUND)
            return fault_set(fault, status, settings_main_store(view->settings), FAULT_NO_OFFSET,
                             "no block of height %u; the index ends at %u%s", (unsigned)operand->number,
                             (unsigned)index_totals_of(view->index).blocks - 1, operand_height_hint(operand->number));
        return status == STATUS_OK ? put_block(view, &block, fault) : status;
    }
    status = put_txs(view, operand, fault);
    if (status != STATUS_NOT_FOUND || view->text.size > 0 || operand->type != OPERAND_HASH)
        return status;
    status = index_block_find(view->index, &operand->hash, &block, fault);
    if (status == STATUS_OK)
        return put_block(view, &block, fault);
    if (status == STATUS_NOT_FOUND)
        return fault_set(fault, status, settings_main_store(view->settings), FAULT_NO_OFFSET,
                         "no transaction and no block of the chain has this hash");
    return status;
}

static bool fits(const char *word)
{
    struct operand operand;
    return operand_parse(word, true, &operand);
}

#define NO_OPERAND                                                                                                     \
    "'%s' is no TXID (its first hexadecimal digits, at least 4), TXID:VOUT, TXID/VIN, HEIGHT (without zeros before "   \
    "it) or BLOCKHASH (whole)"

/* Each in turn. Of several, one that is not there is told and the others are shown: *missing. */
static enum status put_operands(struct view *view, bool *missing, struct fault *fault)
{
    const struct settings *settings = view->settings;
    struct operand_words words = {.list = settings->operands, .count = settings->operands_count};
    bool several = settings->operands_count > 1 || strcmp(settings->operands[0], "-") == 0;
    enum status status = STATUS_OK;
    const char *word;
    while (status == STATUS_OK && (word = operand_next(&words)) != NULL) {
        struct operand operand;
        if (operand_parse(word, true, &operand))
            status = operand_tell_padded(word, operand_complete(&operand, NULL, view->index, fault), fault);
        else
            status = fault_set(fault, STATUS_NOT_FOUND, NULL, FAULT_NO_OFFSET, NO_OPERAND, word);
        if (status == STATUS_OK)
            status = put_operand(view, &operand, fault);
        if (several && (status == STATUS_NOT_FOUND || status == STATUS_REFUSED)) {
            message("%s: %s", word, fault->text);
            *missing = true;
            status = STATUS_OK;
        }
        if (status == STATUS_OK)
            status = outfile_flush(&view->file, &view->text, fault);
    }
    return status == STATUS_OK ? stop_check(fault) : status; /* a signal ends a wait for standard input */
}

static enum status show(struct view *view, bool *missing, struct fault *fault)
{
    const struct settings *settings = view->settings;
    const char *store = settings_main_store(settings);
    enum status status = address_labels_read(settings, &view->labels, fault);
    if (status == STATUS_OK)
        status = spend_links_tell_partial(store, NULL, index_open(store, &view->index, fault), fault);
    if (status == STATUS_OK) {
        spend_links_tell_behind(view->index, store, UINT32_MAX);
        address_labels_tell(&view->labels, spend_links_network(view->index));
        status = view->json ? outfile_open(&view->file, settings->out, fault)
                            : outfile_open_lines(&view->file, settings->out, fault);
    }
    if (status == STATUS_OK && settings->with_scripts)
        status = indexed_scripts_open(&view->scripts, store, view->index, view->json, fault);
    view->scripts.of_tx.labels = settings->labels.count > 0 ? &view->labels : NULL;
    if (status == STATUS_OK)
        status = put_operands(view, missing, fault);
    status = outfile_finish(&view->file, status, fault);
    text_free(&view->text);
    forest_free(&view->forest);
    store_close(view->store);
    indexed_scripts_close(&view->scripts);
    address_labels_free(&view->labels);
    index_close(view->index);
    return status;
}

static int run(const struct settings *settings)
{
    struct fault fault = {0};
    struct view view = {.settings = settings, .json = strcmp(settings->format, "json") == 0};
    const char *unfit = operand_unfit(settings->operands, settings->operands_count, fits);
    bool missing = false;
    if (unfit)
        return message_usage(NO_OPERAND, unfit);
    int exit_status = message_result(show(&view, &missing, &fault), &fault);
    if (exit_status == EXIT_DONE && missing)
        return EXIT_FAILED;
    return message_left_out(exit_status, view.scripts.missing || view.said.unread);
}

static const struct option option_tx_format = {
    .name = "format",
    .type = OPTION_CHOICE,
    .value = "text|json",
    .fallback = "text",
    .field = offsetof(struct settings, format),
    .help = "how to print it",
};

static const struct option option_tx_scripts = {
    .name = "scripts",
    .type = OPTION_FLAG,
    .field = offsetof(struct settings, with_scripts),
    .help = "show scripts, witnesses, addresses, version, lock time and sequences too, from the blk files",
};

static const struct option option_tx_rules = {
    .name = "rules",
    .type = OPTION_RULES,
    .value = "hidden",
    .field = offsetof(struct settings, rules),
    .help = "tell of this rule set's T-DAGs too, which is no rule of Core ('unktx hidden --dags' makes its store); "
            "those of Core are told in any case, but with this as of that store's last block",
};

static const struct option *const options[] = {
    &option_read_store, &option_tx_rules, &option_tx_format, &option_tx_scripts,
    &option_labels,     &option_out_file, &option_quiet,     NULL};

const struct command command_tx = {
    .name = "tx",
    .operands = "TXID | TXID:VOUT | TXID/VIN | HEIGHT | BLOCKHASH | - ...",
    .summary = "Show any transaction, output, input or block of the index, with links both ways.",
    .details =
        "A txid that occurs more than once in the chain is shown as often, the newest first; JSON is then a list of\n"
        "transactions, for a single one too. Several operands are shown one after the other, each with a document\n"
        "of its own; - reads them from standard input.\n"
        "The first digits of a txid do where no other begins so. Needs what 'unktx index' makes.\n",
    .operands_min = 1,
    .operands_max = SIZE_MAX,
    .options = options,
    .run = run,
};
