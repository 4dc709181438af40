#include "cli/command.h"
#include "cli/views/payments.h"
#include "cli/output/message.h"
#include "cli/inputs/opened_forest.h"
#include "cli/inputs/provenance.h"
#include "parser/money.h"

static enum status print_sums(const struct payments *payments, struct fault *fault)
{
    struct text text = {0};
    uint64_t fee_sat = 0, payer_value_sat = 0;
    for (uint32_t d = 1; d <= payments->selection->tdags.count; d++) {
        fee_sat = add_saturating(fee_sat, payments->fee_sat[d]);
        payer_value_sat = add_saturating(payer_value_sat, payments->payer_value_sat[d]);
    }
    enum status status = text_printf(&text, "T-DAGs %u, payers %llu, payees %llu\npaid in " BTC ", fees " BTC "\n",
                                     (unsigned)payments->selection->tdags.count, ULL(payments->payers),
                                     ULL(payments->payees), BTC_OF(payer_value_sat), BTC_OF(fee_sat));
    status = status == STATUS_OK ? outfile_write_lines(NULL, true, &text, fault) : fault_nomem(fault);
    text_free(&text);
    return status;
}

static enum status flows(const struct settings *settings, bool *unread, struct fault *fault)
{
    struct opened_forest opened = {0};
    struct payments payments = {0};
    struct datapackage_provenance provenance = {0};
    struct outfolder *folder = NULL;
    unsigned threads = (unsigned)settings->threads;
    enum status status = opened_forest_open(settings, &opened, fault);
    if (status == STATUS_OK)
        status = provenance_of_settings(settings, UNKTX_VERSION, &provenance, fault);
    if (status == STATUS_OK) {
        provenance_add_store(&provenance, opened.store, &opened.forest);
        provenance.with_index = true;
    }
    if (status == STATUS_OK && settings->out)
        status = outfolder_open(settings->out, &provenance, FOLDER_FLOWS, settings->replace, &folder, fault);
    if (status == STATUS_OK)
        status = payments_open(&payments, opened.store, &opened.forest, threads, fault);
    payments.labels = settings->labels.count > 0 ? &opened.labels : NULL;
    if (status == STATUS_OK)
        status = selection_make(opened.store, &opened.forest, settings->rules, opened.filter, settings->compress,
                                threads, &opened.selection, fault);
    if (status == STATUS_OK)
        status = payments_write(&payments, &opened.selection, folder, fault);
    if (status == STATUS_OK)
        status = payments_commit(&payments, fault);
    if (status == STATUS_OK && folder)
        status = outfolder_commit(folder, settings->quiet, fault);
    if (status == STATUS_OK) {
        *unread = payments_tell_unread(&payments);
        status = print_sums(&payments, fault);
    }
    if (status == STATUS_OK)
        status = selection_tell_other_forest(&opened.forest, settings->rules, opened.selection.tdags.count,
                                             SELECTION_ENOUGH, fault);
    payments_close(&payments);
    outfolder_close(folder);
    provenance_free(&provenance);
    opened_forest_close(&opened);
    return status;
}

static int run(const struct settings *settings)
{
    struct fault fault = {0};
    bool unread = false;
    int exit_status = message_result(flows(settings, &unread, &fault), &fault);
    return message_left_out(exit_status, unread);
}

static const struct option *const options[] = {&option_read_store, &option_as_of_height,    &option_rules_hidden,
                                               &option_compress,   &option_exclude_scripts, &option_known_scripts,
                                               &option_labels,     &option_threads,         &option_out_folder,
                                               &option_replace,    &option_quiet,           NULL};

static const struct table_schema *const tables[] = {&schema_payers, &schema_payees, NULL};

const struct command command_flows = {
    .name = "flows",
    .operands = "",
    .summary = "Write who paid into each T-DAG and who was paid out of it, with addresses.",
    .details =
        "payers has a row for each known output that an input of a T-DAG's transaction spends, payees one for each "
        "known\n"
        "output of a T-DAG.\n"
        "dag_id is that of 'unktx dags' with the same options, which writes these tables too where there is an index.\n"
        "Needs what 'unktx scan' and 'unktx index' make; addresses are read from the blk files.\n",
    .tables = tables,
    .options = options,
    .run = run,
};
