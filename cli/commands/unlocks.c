#include "cli/command.h"
#include "cli/inputs/opened_store.h"
#include "cli/output/message.h"
#include "cli/views/payments.h"
#include "cli/views/unlocks.h"
#include "graph/dag/names.h"

static enum status list_unlocks(const struct settings *settings, bool *unread, struct fault *fault)
{
    struct store *store = NULL;
    struct forest forest = {0};
    struct tdags tdags = {0};
    struct spenders spenders = {0};
    struct selected_outputs selected = {.no_nulldata = "none of these outputs can be spent"};
    struct unlocks unlocks = {.spenders = &spenders, .selected = &selected};
    struct address_labels labels = {0};
    struct dag_labels dag_labels = {0};
    struct labels_said said = {0};
    enum status status = opened_store_open_labelled(settings, &labels, &store, fault);
    if (status == STATUS_OK)
        status = spenders_open(settings, store, &forest, &spenders, fault);
    if (status == STATUS_OK)
        status = forest_load(store, (unsigned)settings->threads, &forest, fault);
    if (status == STATUS_OK)
        status = opened_store_go_on(fault);
    if (status == STATUS_OK)
        status = tdags_find(&forest, settings->rules, &tdags, fault);
    if (status == STATUS_OK)
        status = tdags_name(&forest, &tdags, fault);
    if (status == STATUS_OK)
        status = selected_outputs_open(settings, store, &forest, &selected, fault);
    if (status == STATUS_OK)
        status = payments_labels_of(settings, store, &forest, &tdags, &labels, &dag_labels, &unlocks.labels, &said,
                                    fault);
    if (status == STATUS_OK)
        status = unlocks_write(&unlocks, &tdags, settings->folder, settings->out, fault);
    if (status == STATUS_OK)
        status = unlocks_commit(&unlocks, fault);
    if (status == STATUS_OK)
        *unread = unlocks_tell_unread(&unlocks) || said.unread;
    unlocks_close(&unlocks);
    dag_labels_free(&dag_labels);
    address_labels_free(&labels);
    spenders_close(&spenders);
    selected_outputs_close(&selected);
    tdags_free(&tdags);
    forest_free(&forest);
    store_close(store);
    return status;
}

static int run(const struct settings *settings)
{
    struct fault fault = {0};
    bool unread = false;
    int exit_status = selected_outputs_check(settings);
    if (exit_status != EXIT_DONE)
        return exit_status;
    exit_status = message_result(list_unlocks(settings, &unread, &fault), &fault);
    return message_left_out(exit_status, unread);
}

static const struct option *const options[] = {&option_read_store,
                                               &option_as_of_height,
                                               &option_blocks_now,
                                               &option_chain,
                                               &option_rules,
                                               OPTIONS_SELECT(option_select_kind_of_core),
                                               &option_labels,
                                               &option_threads,
                                               &option_out_file,
                                               &option_quiet,
                                               NULL};

static const struct table_schema *const tables[] = {&schema_unlocks, NULL};

const struct command command_unlocks = {
    .name = "unlocks",
    .operands = "",
    .summary = "List how each spent unknown output of a rule set was unlocked, as CSV in order of the spends.",
    .details =
        "The spenders are read from the blk files again. The column unlock says it in one word: signature, multisig,\n"
        "preimage, signature+preimage, time, nothing or other; man unktx-unlocks has every column.\n",
    .tables = tables,
    .options = options,
    .run = run,
};
