#include "cli/command.h"
#include "cli/inputs/opened_forest.h"
#include "cli/inputs/provenance.h"
#include "cli/inputs/shown_evidence.h"
#include "cli/output/message.h"
#include "cli/views/payment_evidence.h"
#include "cli/views/ties.h"

static enum status print_sums(const struct ties *ties, struct fault *fault)
{
    struct text text = {0};
    uint64_t sums[EVIDENCE_KINDS] = {0};
    for (uint32_t g = 1; g <= ties->groups.count; g++) {
        for (unsigned k = 0; k < EVIDENCE_KINDS; k++)
            sums[k] += ties->counts[g][k];
    }
    enum status status = text_printf(&text, "groups %u, with T-DAGs and single outputs %u\nties",
                                     (unsigned)ties->groups.count, (unsigned)ties->groups.begins[ties->groups.count]);
    for (unsigned k = 0; k < EVIDENCE_KINDS && status == STATUS_OK; k++)
        status = text_printf(&text, "%s %s %llu", k > 0 ? "," : "", evidence_kind_name((enum evidence_kind)k),
                             ULL(sums[k]));
    if (status == STATUS_OK)
        status = text_printf(&text, "\n");
    status = status == STATUS_OK ? outfile_write_lines(NULL, true, &text, fault) : fault_nomem(fault);
    text_free(&text);
    return status;
}

static enum status write_ties(const struct settings *settings, const struct selection *selection,
                              const struct evidence_set *evidence, struct outfolder *folder, struct fault *fault)
{
    struct ties ties = {.evidence = evidence,
                        .classes = &selection->classes,
                        .rules = settings->rules,
                        .max_degree = (uint32_t)settings->max_degree,
                        .threads = (unsigned)settings->threads,
                        .labels = selection->labels};
    enum status status = ties_write(&ties, folder, fault);
    if (status == STATUS_OK)
        status = ties_commit(&ties, fault);
    if (status == STATUS_OK && folder)
        status = outfolder_commit(folder, settings->quiet, fault);
    if (status == STATUS_OK) {
        ties_tell_left_out(&ties);
        status = print_sums(&ties, fault);
    }
    ties_close(&ties);
    return status;
}

/* What payers and payees have in common, by the index. */
static enum status add_payments(const struct settings *settings, const struct opened_forest *opened,
                                struct evidence_set *evidence, bool *unread, struct fault *fault)
{
    struct payments payments = {0};
    enum status status = payments_open(&payments, opened->store, &opened->forest, (unsigned)settings->threads, fault);
    if (status == STATUS_OK)
        status = payment_evidence_add(&payments, &opened->selection, evidence, fault);
    if (status == STATUS_OK)
        *unread |= payments_tell_unread(&payments);
    payments_close(&payments);
    return status;
}

static enum status collect(const struct settings *settings, const struct opened_forest *opened,
                           struct evidence_set *evidence, bool *unread, struct fault *fault)
{
    struct spenders spenders = {0};
    enum status status = STATUS_OK;
    evidence_begin(&opened->forest, &opened->selection.tdags, store_seed(opened->store), evidence);
    if (settings->with_payers)
        status = add_payments(settings, opened, evidence, unread, fault);
    if (status == STATUS_OK)
        status = spenders_open_if_there(settings, opened->store, &opened->forest, &spenders, fault);
    spenders.tdags = &opened->selection.tdags;
    if (status == STATUS_OK)
        status = shown_evidence_collect(opened->store, spenders_are_there(&spenders), NULL, (unsigned)settings->threads,
                                        evidence, fault);
    if (status == STATUS_OK)
        *unread |= shown_evidence_tell_unread(&spenders);
    spenders_close(&spenders);
    return status;
}

static enum status ties(const struct settings *settings, bool *unread, struct fault *fault)
{
    struct opened_forest opened = {0};
    struct evidence_set evidence = {0};
    struct datapackage_provenance provenance = {0};
    struct labels_said said = {0};
    struct outfolder *folder = NULL;
    enum status status = opened_forest_open(settings, &opened, fault);
    if (status == STATUS_OK)
        status = provenance_of_settings(settings, UNKTX_VERSION, &provenance, fault);
    if (status == STATUS_OK) {
        provenance_add_store(&provenance, opened.store, &opened.forest);
        provenance.with_index = settings->with_payers;
    }
    if (status == STATUS_OK && settings->out)
        status = outfolder_open(settings->out, &provenance, FOLDER_TIES, settings->replace, &folder, fault);
    if (status == STATUS_OK)
        status = selection_make(opened.store, &opened.forest, settings->rules, opened.filter, settings->compress,
                                (unsigned)settings->threads, &opened.selection, fault);
    if (status == STATUS_OK)
        status = payments_labels_of(settings, opened.store, &opened.forest, &opened.selection.tdags, &opened.labels,
                                    &opened.dag_labels, &opened.selection.labels, &said, fault);
    if (status == STATUS_OK)
        status = collect(settings, &opened, &evidence, unread, fault);
    *unread |= said.unread;
    if (status == STATUS_OK)
        status = write_ties(settings, &opened.selection, &evidence, folder, fault);
    evidence_free(&evidence);
    outfolder_close(folder);
    provenance_free(&provenance);
    opened_forest_close(&opened);
    return status;
}

static int run(const struct settings *settings)
{
    struct fault fault = {0};
    bool unread = false;
    int exit_status = message_result(ties(settings, &unread, &fault), &fault);
    return message_left_out(exit_status, unread);
}

static const struct option option_payers = {
    .name = "payers",
    .type = OPTION_FLAG,
    .field = offsetof(struct settings, with_payers),
    .help = "also by addresses and transactions of payers and payees; needs 'unktx index'",
};

static const struct option option_max_degree = {
    .name = "max-degree",
    .type = OPTION_NUMBER,
    .value = "N",
    .fallback = "1000",
    .field = offsetof(struct settings, max_degree),
    .min = 2,
    .max = UINT32_MAX,
    .help = "what more T-DAGs and single outputs share than so many ties nothing",
};

static const struct option *const options[] = {
    &option_read_store, &option_as_of_height, &option_blocks_now,      &option_chain,
    &option_rules,      &option_compress,     &option_exclude_scripts, &option_known_scripts,
    &option_labels,     &option_payers,       &option_max_degree,      &option_threads,
    &option_out_folder, &option_replace,      &option_quiet,           NULL};

static const struct table_schema *const tables[] = {&schema_ties, &schema_groups, NULL};

const struct command command_ties = {
    .name = "ties",
    .operands = "",
    .summary = "Group T-DAGs and single unknown outputs that share a public key, a hash lock or a preimage.",
    .details =
        "ties has a row for each that shares something with another one, with both outpoints as evidence; groups one\n"
        "for each connected component. Burn and marker keys and keys off the curve tie nothing, nor does what is "
        "above\n"
        "--max-degree.\n",
    .tables = tables,
    .options = options,
    .run = run,
};
