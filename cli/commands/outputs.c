#include "cli/command.h"
#include "cli/output/message.h"
#include "cli/output/outfolder.h"
#include "cli/inputs/known_scripts.h"
#include "cli/inputs/selected_outputs.h"
#include "cli/views/judgement.h"
#include "cli/views/payments.h"
#include "graph/dag/names.h"
#include "parser/mem.h"

struct outputs {
    const struct store *store;
    const struct forest *forest;
    struct tdags tdags;
    struct known_scripts_workers workers;
    enum rules rules;
    bool with_nulldata;
    struct selected_outputs selected;
    struct address_labels labels; /* of --labels */
    struct dag_labels dag_labels;
    const struct dag_labels *labelled; /* NULL: without --labels */
    struct labels_said said;
};

/* The longest kind, two txids, a name, and the commas; numbers apart. */
#define ROW_TEXT (24u + 2 * HASH256_HEX_SIZE + TDAG_NAME_MAX + JUDGEMENT_TEXT + 16)
#define ROW_NUMBERS 9u

static bool is_spent(const struct forest *forest, uint64_t ordinal)
{
    return ordinal < forest->outputs_count && forest->outputs[ordinal].spender != FOREST_NONE;
}

static char *put_spender(char *p, const struct forest *forest, uint64_t ordinal)
{
    if (!is_spent(forest, ordinal))
        return put_text(p, ",,");
    const struct forest_output *output = &forest->outputs[ordinal];
    const struct forest_tx *spender = &forest->txs[output->spender];
    p = put_cell(p, spender->height);
    p = put_hash_cell(p, &spender->txid);
    return put_u64(p, output->spender_vin);
}

static enum status put_row(struct text *text, const struct outputs *outputs, unsigned worker, uint32_t height,
                           const struct tx_record *tx, const struct output_record *output, uint32_t vout,
                           uint64_t ordinal)
{
    const struct catalogue *catalogue = &outputs->selected.catalogue;
    struct judgement judgement = judgement_of(outputs->workers.matchers[worker], catalogue, output,
                                              is_spent(outputs->forest, ordinal));
    unsigned on_curve, keys = script_keys(output->kind, output->script, output->script_size, &on_curve);
    uint32_t dag = outputs->tdags.tx_dag[tx->number];
    char *p = text_room(text, ROW_TEXT + ROW_NUMBERS * PUT_U64_MAX + 2 * (size_t)output->script_size +
                                  dag_labels_cell_size(outputs->labelled, dag));
    if (!p)
        return STATUS_NOMEM;
    p = put_cell(p, height);
    p = put_cell(p, tx->index);
    p = put_hash_cell(p, &tx->txid);
    p = put_cell(p, vout);
    p = put_cell(p, output->value_sat);
    p = put_text(p, kind_name(output->kind));
    *p++ = ',';
    p = output->script_size > 0 ? put_hex(p, output->script, output->script_size) : put_text(p, "\"\"");
    *p++ = ',';
    p = put_cell(p, keys);
    p = put_cell(p, on_curve);
    p = put_spender(p, outputs->forest, ordinal);
    *p++ = ',';
    p = put_cell(p, outputs->forest->block_times[height]);
    p = dag ? tdag_put_name(outputs->forest, &outputs->tdags, dag, p) : p;
    *p++ = ',';
    p = dag_labels_put_cell(outputs->labelled, dag, judgement_put(p, catalogue, &judgement));
    *p++ = '\n';
    text_end(text, p);
    return STATUS_OK;
}

static enum status put_tx(struct text *text, struct outputs *outputs, unsigned worker, uint32_t height,
                          struct tx_view *view)
{
    struct output_record output;
    uint64_t ordinal = view->tx.first_ordinal;
    enum status status;
    for (uint32_t vout = 0; (status = tx_next_output(view, &output)) == STATUS_OK; vout++) {
        bool tracked = output_is_tracked(output.unknown, output.kind);
        FOREST_PREFETCH_SPENDER(outputs->forest, ordinal);
        if ((output.unknown >> outputs->rules & 1) && (tracked || outputs->with_nulldata)) {
            status = selected_outputs_takes(&outputs->selected, worker, height, view->tx.number, &output);
            if (status == STATUS_OK)
                status = put_row(text, outputs, worker, height, &view->tx, &output, vout,
                                 tracked ? ordinal : UINT64_MAX);
            if (status != STATUS_OK && status != STATUS_NOT_FOUND)
                return status;
        }
        ordinal += tracked;
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static enum status put_batch(struct text *text, struct outputs *outputs, unsigned worker, struct batch_view *view)
{
    struct block_record block;
    struct tx_view tx;
    enum status status;
    while ((status = batch_next_block(view, &block)) == STATUS_OK) {
        while ((status = batch_next_tx(view, &tx)) == STATUS_OK) {
            if (tx.tx.number >= outputs->forest->txs_count || block.height >= outputs->forest->blocks)
                return STATUS_FORMAT;
            status = put_tx(text, outputs, worker, block.height, &tx);
            if (status != STATUS_OK)
                return status;
        }
        if (status != STATUS_NOT_FOUND)
            return status;
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* forest_load has looked at the checksum. */
static enum status format_batch(void *context, unsigned worker, size_t chunk, struct text *text, struct fault *fault)
{
    struct outputs *outputs = context;
    struct batch_view view;
    enum status status = store_read_batch(outputs->workers.readers.readers[worker], chunk, false, &view, fault);
    if (status != STATUS_OK)
        return status;
    status = put_batch(text, outputs, worker, &view);
    if (status == STATUS_FORMAT)
        return opened_store_damaged(outputs->store, view.first_height, fault);
    return status == STATUS_OK ? STATUS_OK : fault_nomem(fault);
}

static enum status write_outputs(const struct settings *settings, struct outputs *outputs, struct fault *fault)
{
    struct outfile file = {0};
    unsigned threads = (unsigned)settings->threads;
    enum status status = known_scripts_workers_open(&outputs->selected.catalogue, outputs->store, threads,
                                                    &outputs->workers, fault);
    if (status == STATUS_OK) {
        const struct outfile_table table = {&schema_outputs, outputs->labelled ? COLUMN_WITH_LABELS : 0,
                                            store_batches(outputs->workers.readers.readers[0]), format_batch, outputs};
        status = outfolder_begin(settings->folder, &file, settings->out, fault);
        if (status == STATUS_OK)
            status = outfile_write_table(&file, threads, &table, fault);
        status = outfile_finish(&file, status, fault);
    }
    known_scripts_workers_close(&outputs->workers);
    return status;
}

static enum status list_outputs(const struct settings *settings, struct outputs *outputs, struct fault *fault)
{
    struct store *store = NULL;
    struct forest forest = {0};
    enum status status = opened_store_open_labelled(settings, &outputs->labels, &store, fault);
    outputs->store = store;
    outputs->forest = &forest; /* cppcheck-suppress autoVariables ; it is not read after this function */
    if (status == STATUS_OK) {
        opened_store_tell_nulldata(settings, store);
        status = forest_load_for(store, false, (unsigned)settings->threads, &forest, fault);
    }
    if (status == STATUS_OK)
        status = tdags_find_others(&forest, settings->rules, NULL, (unsigned)settings->threads, &outputs->tdags, fault);
    if (status == STATUS_OK)
        status = tdags_name(&forest, &outputs->tdags, fault);
    if (status == STATUS_OK)
        status = opened_store_go_on(fault);
    if (status == STATUS_OK)
        status = selected_outputs_open(settings, store, &forest, &outputs->selected, fault);
    if (status == STATUS_OK)
        status = payments_labels_of(settings, store, &forest, &outputs->tdags, &outputs->labels, &outputs->dag_labels,
                                    &outputs->labelled, &outputs->said, fault);
    if (status == STATUS_OK)
        status = write_outputs(settings, outputs, fault);
    selected_outputs_close(&outputs->selected);
    dag_labels_free(&outputs->dag_labels);
    address_labels_free(&outputs->labels);
    tdags_free(&outputs->tdags);
    forest_free(&forest);
    store_close(store);
    return status;
}

static int run(const struct settings *settings)
{
    struct fault fault = {0};
    struct outputs outputs = {.rules = settings->rules, .with_nulldata = settings->with_nulldata};
    int exit_status = selected_outputs_check(settings);
    if (exit_status != EXIT_DONE)
        return exit_status;
    exit_status = message_result(list_outputs(settings, &outputs, &fault), &fault);
    return message_left_out(exit_status, outputs.said.unread);
}

static const struct option option_with_nulldata = {
    .name = "nulldata",
    .type = OPTION_FLAG,
    .field = offsetof(struct settings, with_nulldata),
    .help = "list nulldata outputs too, as far as the store has them (scan --nulldata store keeps all)",
};

static const struct option *const options[] = {&option_read_store,
                                               &option_as_of_height,
                                               &option_rules_hidden,
                                               &option_with_nulldata,
                                               OPTIONS_SELECT(option_select_kind),
                                               &option_labels,
                                               &option_threads,
                                               &option_out_file,
                                               &option_quiet,
                                               NULL};

static const struct table_schema *const tables[] = {&schema_outputs, NULL};

const struct command command_outputs = {
    .name = "outputs",
    .operands = "",
    .summary = "List the unknown outputs of a rule set with their spenders, as CSV in chain order.",
    .details = "The spender is empty when unspent, an empty script is two quotes. man unktx-outputs tells what each "
               "column means.\n",
    .tables = tables,
    .options = options,
    .run = run,
};
