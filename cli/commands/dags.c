#include "cli/command.h"
#include "cli/output/message.h"
#include "cli/output/outfile.h"
#include "cli/inputs/opened_forest.h"
#include "cli/views/summary.h"
#include "cli/views/tables.h"
#include "cli/views/top.h"
#include "parser/mem.h"

/* Payers and payees too where there is an index that has the chain of the store. */
static enum status write_tables(const struct summary *summary, const struct selection *selection,
                                const struct known_scripts_held *held, const struct measures_row *measures,
                                struct fault *fault)
{
    const struct settings *settings = summary->settings;
    struct payments payments = {0};
    unsigned threads = (unsigned)settings->threads;
    enum status status = payments_open(&payments, summary->store, summary->forest, threads, fault);
    bool linked = status == STATUS_OK;
    if (status == STATUS_REFUSED) {
        message_fault(fault);
        message("payers and payees are left out; tables of them in the folder are of an earlier run");
    }
    if (status == STATUS_NOT_FOUND || status == STATUS_REFUSED)
        status = STATUS_OK;
    if (status == STATUS_OK && linked)
        status = payments_write(&payments, selection, settings->out, fault);
    if (status == STATUS_OK && linked)
        payments_tell_unread(&payments);
    if (status == STATUS_OK)
        status = tables_write(settings->out, summary->store, summary->forest, selection, held, measures,
                              linked ? &payments : NULL, threads, fault);
    if (status == STATUS_OK && linked)
        status = payments_commit(&payments, fault);
    payments_close(&payments);
    return status;
}

static enum status dags(const struct settings *settings, struct fault *fault)
{
    struct opened_forest opened = {0};
    struct known_scripts_held held = {0};
    struct measures_row *measures = NULL;
    unsigned threads = (unsigned)settings->threads;
    const struct forest *forest = &opened.forest;
    struct selection *selection = &opened.selection;
    enum status status = opened_forest_open(settings, &opened, fault);
    if (status == STATUS_OK)
        status = outfile_make_folder(settings->out, fault);
    struct summary summary = {.settings = settings, .store = opened.store, .forest = forest, .filter = opened.filter};
    if (status == STATUS_OK)
        status = summary_fill(&summary, settings->rules, selection, fault);
    if (status == STATUS_OK)
        status = known_scripts_find(&opened.catalogue, opened.store, forest, selection, threads, &held, fault);
    if (status == STATUS_OK)
        status = measures_all(forest, &selection->tdags, &selection->classes, threads, &measures, fault);
    if (status == STATUS_OK)
        status = write_tables(&summary, selection, &held, measures, fault);
    if (status == STATUS_OK)
        status = summary_write(&summary, settings->out, fault);
    if (status == STATUS_OK)
        status = settings->top > 0 || settings->order_by ? top_print(settings, forest, selection, measures, fault)
                                                         : summary_print(&summary, selection, fault);
    summary_free(&summary);
    known_scripts_held_free(&held);
    mem_free(measures);
    opened_forest_close(&opened);
    return status;
}

static int run(const struct settings *settings)
{
    struct fault fault = {0};
    return message_result(dags(settings, &fault), &fault);
}

static const struct option option_top = {
    .name = "top",
    .type = OPTION_NUMBER,
    .value = "N",
    .field = offsetof(struct settings, top),
    .min = 1,
    .max = UINT32_MAX,
    .help = "print the N T-DAGs that come first instead of the classes (10 with --by alone)",
};

static const struct option option_top_by = {
    .name = "by",
    .type = OPTION_CHOICE,
    .value = "automation|orderliness|height|value",
    .field = offsetof(struct settings, order_by),
    .help = "what to sort them by, the most first (default: automation)",
};

static const struct option *const options[] = {
    &option_store, &option_rules,  &option_compress, &option_exclude_scripts, &option_scripts,
    &option_top,   &option_top_by, &option_threads,  &option_out_folder,      NULL};

const struct command command_dags = {
    .name = "dags",
    .operands = "",
    .summary = "Build and classify the T-DAGs of a rule set: tables as CSV, and a summary on stdout.",
    .details =
        "Files, one row each for:\n"
        "  tdags.csv     T-DAG: class, family, sizes, heights in the chain, values, known scripts,\n"
        "                how orderly and how automatic it looks\n"
        "  classes.csv   isomorphism class, the most common first\n"
        "  txs.csv       transaction of a T-DAG, in chain order\n"
        "  arcs.csv      spent unknown output, from its transaction to the spender\n"
        "  leaves.csv    output of a T-DAG's transaction that is known or unspent\n"
        "  summary.json  totals, and the numbers of each rule set\n"
        "Where the store has an index ('unktx index'), tdags.csv has fee_sat and payer_value_sat too, and there are\n"
        "  payers.csv    known output that an input of a T-DAG's transaction spends\n"
        "  payees.csv    known output of a T-DAG\n"
        "A class id with a ? after it stands for a class that could not be decided. man unktx-dags has every "
        "column.\n",
    .options = options,
    .run = run,
};
