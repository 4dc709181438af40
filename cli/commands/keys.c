#include "cli/command.h"
#include "cli/inputs/opened_store.h"
#include "cli/output/message.h"
#include "cli/views/keys.h"
#include "cli/views/payments.h"
#include "graph/dag/names.h"

static enum status write_keys(const struct settings *settings, const struct store *store,
                              const struct evidence_set *evidence, const struct address_labels *labels, bool *unread,
                              struct fault *fault)
{
    struct keys keys = {.store = store, .evidence = evidence, .threads = (unsigned)settings->threads};
    struct dag_labels dag_labels = {0};
    struct labels_said said = {0};
    enum status status = payments_labels_of(settings, store, evidence->forest, evidence->tdags, labels, &dag_labels,
                                            &keys.labels, &said, fault);
    *unread = said.unread;
    if (status == STATUS_OK)
        status = settings->with_hashes ? hashes_write(&keys, settings->folder, settings->out, fault)
                                       : keys_write(&keys, settings->folder, settings->out, fault);
    if (status == STATUS_OK)
        status = keys_commit(&keys, fault);
    keys_close(&keys);
    dag_labels_free(&dag_labels);
    return status;
}

static enum status collect(const struct settings *settings, const struct store *store, struct spenders *spenders,
                           struct evidence_set *evidence, struct fault *fault)
{
    struct selected_outputs selected = {.no_nulldata = settings->with_hashes ? "none of these outputs has a hash lock"
                                                                             : "none of these outputs shows a key"};
    spenders->tdags = evidence->tdags;
    enum status status = selected_outputs_open(settings, store, evidence->forest, &selected, fault);
    if (status == STATUS_OK)
        status = shown_evidence_collect(store, spenders_are_there(spenders), &selected, (unsigned)settings->threads,
                                        evidence, fault);
    selected_outputs_close(&selected);
    return status;
}

static enum status list_keys(const struct settings *settings, bool *unread, struct fault *fault)
{
    struct store *store = NULL;
    struct forest forest = {0};
    struct tdags tdags = {0};
    struct spenders spenders = {0};
    struct evidence_set evidence = {0};
    struct address_labels labels = {0};
    enum status status = opened_store_open_labelled(settings, &labels, &store, fault);
    if (status == STATUS_OK)
        status = spenders_open_if_there(settings, store, &forest, &spenders, fault);
    if (status == STATUS_OK)
        status = forest_load(store, (unsigned)settings->threads, &forest, fault);
    if (status == STATUS_OK)
        status = opened_store_go_on(fault);
    if (status == STATUS_OK)
        status = tdags_find(&forest, settings->rules, &tdags, fault);
    if (status == STATUS_OK)
        status = tdags_name(&forest, &tdags, fault);
    if (status == STATUS_OK) {
        evidence_begin(&forest, &tdags, store_seed(store), &evidence);
        status = collect(settings, store, &spenders, &evidence, fault);
    }
    if (status == STATUS_OK)
        status = write_keys(settings, store, &evidence, &labels, unread, fault);
    if (status == STATUS_OK)
        *unread |= shown_evidence_tell_unread(&spenders);
    evidence_free(&evidence);
    address_labels_free(&labels);
    spenders_close(&spenders);
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
    exit_status = message_result(list_keys(settings, &unread, &fault), &fault);
    return message_left_out(exit_status, unread);
}

static const struct option option_hashes = {
    .name = "hashes",
    .type = OPTION_FLAG,
    .field = offsetof(struct settings, with_hashes),
    .help = "list the hashes of hash locks instead, with the preimages that were shown",
};

static const struct option *const options[] = {
    &option_read_store, &option_as_of_height, &option_blocks_now,
    &option_chain,      &option_rules,        OPTIONS_SELECT(option_select_kind_of_core),
    &option_hashes,     &option_labels,       &option_threads,
    &option_out_file,   &option_quiet,        NULL};

static const struct table_schema *const tables[] = {&schema_keys, &schema_hashes, NULL};

const struct command command_keys = {
    .name = "keys",
    .operands = "",
    .summary = "List the public keys that unknown outputs and their unlocking show, with addresses, as CSV.",
    .details = "What spenders showed is read from the blk files again; where these are gone, it is left out.\n"
               "Addresses are views, to join the table with data that know only addresses.\n",
    .tables = tables,
    .options = options,
    .run = run,
};
