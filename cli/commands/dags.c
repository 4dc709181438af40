#include "cli/command.h"
#include "cli/output/message.h"
#include "cli/output/timings_file.h"
#include "cli/inputs/dag_filter.h"
#include "cli/inputs/opened_forest.h"
#include "cli/inputs/provenance.h"
#include "cli/views/changes.h"
#include "cli/views/keys.h"
#include "cli/views/report_shown.h"
#include "cli/views/summary.h"
#include "cli/views/tables.h"
#include "cli/views/ties.h"
#include "cli/views/top.h"
#include "parser/mem.h"
#include "parser/timings.h"

/* What the tables are made of. */
struct work {
    const struct settings *settings;
    struct opened_forest opened;
    struct summary summary;
    struct known_scripts_held held;
    struct measures_row *measures; /* of --top */
    struct paper_classes paper;    /* of --paper-classes */
    struct datapackage_provenance provenance;
    struct outfolder *folder; /* NULL: no table is written */
    bool labelled;            /* opened.dag_labels are of the selection */
    struct labels_said labels_said;
    bool unread; /* of the blk files something was not there, and is left out */
};

/* The tables of what the blk files have, which appear together with the others. */
struct shown_tables {
    struct spenders spenders;
    struct unlocks unlocks;
    struct shown_evidence shown;
    struct evidence_set evidence;
    struct keys keys;
    struct ties ties;
};

/* Keys, hashes and ties, of what was collected on the way. */
static enum status write_evidence(struct work *work, struct shown_tables *tables, struct fault *fault)
{
    const struct settings *settings = work->settings;
    unsigned threads = (unsigned)settings->threads;
    const struct dag_labels *labels = work->opened.selection.labels;
    tables->keys = (struct keys){
        .store = work->opened.store, .evidence = &tables->evidence, .threads = threads, .labels = labels};
    tables->ties = (struct ties){.evidence = &tables->evidence,
                                 .classes = &work->opened.selection.classes,
                                 .rules = settings->rules,
                                 .max_degree = TIES_MAX_DEGREE,
                                 .threads = threads,
                                 .labels = labels};
    enum status status = shown_evidence_end(&tables->shown, fault);
    if (status == STATUS_OK)
        status = keys_write(&tables->keys, work->folder, "keys.csv", fault);
    if (status == STATUS_OK)
        status = hashes_write(&tables->keys, work->folder, "hashes.csv", fault);
    if (status == STATUS_OK)
        status = ties_write(&tables->ties, work->folder, fault);
    if (status == STATUS_OK)
        ties_tell_left_out(&tables->ties);
    return status;
}

/* How outputs were unlocked and what ties them, where the blk files are there; what is not done leaves the unlocks
 * without counts. One pass over the spenders collects for all. */
static enum status write_unlocks(struct work *work, struct shown_tables *tables, struct fault *fault)
{
    const struct opened_forest *opened = &work->opened;
    const struct selection *selection = &opened->selection;
    timings_stage("unlocks");
    if (work->settings->no_unlocks)
        return STATUS_OK;
    enum status status = spenders_open(work->settings, opened->store, &opened->forest, &tables->spenders, fault);
    if (status == STATUS_NOT_FOUND) {
        message_fault(fault);
        message("how outputs were unlocked is left out; --no-unlocks does not ask for it");
        work->unread = true;
        return STATUS_OK;
    }
    evidence_begin(&opened->forest, &selection->tdags, store_seed(opened->store), &tables->evidence);
    if (status == STATUS_OK)
        status = shown_evidence_open(opened->store, (unsigned)work->settings->threads, NULL, &tables->evidence,
                                     &tables->shown, fault);
    tables->unlocks = (struct unlocks){
        .spenders = &tables->spenders, .shown = &tables->shown, .labels = selection->labels};
    if (status == STATUS_OK)
        status = unlocks_write(&tables->unlocks, &selection->tdags, work->folder, "unlocks.csv", fault);
    if (status == STATUS_OK)
        status = unlocks_sum_classes(&tables->unlocks, &selection->classes, work->held.class_of, fault);
    if (status == STATUS_OK)
        work->unread |= unlocks_tell_unread(&tables->unlocks);
    return status == STATUS_OK ? write_evidence(work, tables, fault) : status;
}

static enum status commit_unlocks(struct shown_tables *tables, struct fault *fault)
{
    enum status status = unlocks_commit(&tables->unlocks, fault);
    if (status == STATUS_OK)
        status = keys_commit(&tables->keys, fault);
    return status == STATUS_OK ? ties_commit(&tables->ties, fault) : status;
}

static void close_unlocks(struct shown_tables *tables)
{
    ties_close(&tables->ties);
    keys_close(&tables->keys);
    unlocks_close(&tables->unlocks);
    shown_evidence_close(&tables->shown);
    evidence_free(&tables->evidence);
    spenders_close(&tables->spenders);
}

/* --labels was given */
static bool has_labels(const struct work *work) { return work->settings->labels.count > 0; }

/* The labels of the selection's T-DAGs, unless they are known: from what `payments` met, without one by a search. */
static enum status find_labels(struct work *work, struct payments *payments, struct fault *fault)
{
    struct opened_forest *opened = &work->opened;
    if (!has_labels(work) || work->labelled)
        return STATUS_OK;
    enum status status = payments ? payments_dag_labels(payments, &opened->dag_labels, fault)
                                  : payments_find_labels(opened->store, &opened->forest, &opened->selection,
                                                         &opened->labels, 0, (unsigned)work->settings->threads,
                                                         &opened->dag_labels, &work->labels_said, fault);
    opened->selection.labels = &opened->dag_labels;
    work->labelled = status == STATUS_OK;
    return status;
}

/* Payers and payees where there is an index that has the chain of the store: *linked. */
static enum status write_payments(struct work *work, struct payments *payments, bool *linked, struct fault *fault)
{
    const struct opened_forest *opened = &work->opened;
    enum status status = payments_open(payments, opened->store, &opened->forest, (unsigned)work->settings->threads,
                                       fault);
    *linked = status == STATUS_OK;
    payments->labels = has_labels(work) ? &opened->labels : NULL;
    if (status == STATUS_REFUSED) {
        if (message_first(MESSAGE_INDEX_LAGS))
            message_fault(fault);
        message("payers and payees are left out");
    }
    if (status == STATUS_NOT_FOUND || status == STATUS_REFUSED)
        status = STATUS_OK;
    work->provenance.with_index = *linked;
    if (status == STATUS_OK)
        status = outfolder_set_provenance(work->folder, &work->provenance, fault);
    if (status == STATUS_OK && *linked)
        status = payments_write(payments, &opened->selection, work->folder, fault);
    if (status == STATUS_OK && *linked)
        work->unread |= payments_tell_unread(payments);
    return status == STATUS_OK ? find_labels(work, *linked ? payments : NULL, fault) : status;
}

/* The tables of T-DAGs, and of what the blk files have. Unlocks are found while the disk has what tables_begin wrote.
 * `payments` is NULL without an index. */
static enum status write_files(struct work *work, const struct payments *payments, struct shown_tables *shown,
                               struct tables_files *files, struct fault *fault)
{
    const struct opened_forest *opened = &work->opened;
    timings_stage("tables");
    enum status status = tables_begin(files, work->folder, &work->held.labels, fault);
    timings_stage("scripts");
    if (status == STATUS_OK)
        status = known_scripts_hold(&opened->catalogue, &opened->selection, &work->held, fault);
    if (status == STATUS_OK)
        status = write_unlocks(work, shown, fault);
    timings_stage("tables");
    const struct unlocks *counted = shown->unlocks.counts ? &shown->unlocks : NULL;
    if (status == STATUS_OK)
        status = tables_end(files, &work->held, payments, counted, fault);
    return status == STATUS_OK && counted ? commit_unlocks(shown, fault) : status;
}

static enum status write_tables(struct work *work, struct fault *fault)
{
    struct shown_tables shown = {0};
    struct tables_files files = {.opened = &work->opened,
                                 .measures = work->measures,
                                 .paper = work->summary.paper,
                                 .threads = (unsigned)work->settings->threads};
    struct payments payments = {0};
    bool linked;
    enum status status = write_payments(work, &payments, &linked, fault);
    if (status == STATUS_OK)
        status = write_files(work, linked ? &payments : NULL, &shown, &files, fault);
    tables_close(&files);
    timings_stage("changes");
    if (status == STATUS_OK)
        status = changes_write(work->folder, &work->opened.forest, &work->opened.selection, work->settings->quiet,
                               (unsigned)work->settings->threads, fault);
    if (status == STATUS_OK && linked)
        status = payments_commit(&payments, fault);
    payments_close(&payments);
    if (status == STATUS_OK)
        report_shown_keep(work->folder, &shown.unlocks, &shown.ties);
    close_unlocks(&shown);
    return status == STATUS_OK ? summary_write(&work->summary, work->folder, fault) : status;
}

/* The folder first: a refusal is not to cost what the T-DAGs do. */
static enum status begin(struct work *work, struct fault *fault)
{
    const struct settings *settings = work->settings;
    enum status status = opened_forest_open(settings, &work->opened, fault);
    if (status == STATUS_OK)
        status = provenance_of_settings(settings, UNKTX_VERSION, &work->provenance, fault);
    if (status != STATUS_OK)
        return status;
    provenance_add_store(&work->provenance, work->opened.store, &work->opened.forest);
    work->folder = settings->folder;
    if (!work->folder && settings->out)
        status = outfolder_open(settings->out, &work->provenance, FOLDER_DAGS, settings->replace, &work->folder, fault);
    if (status == STATUS_OK && work->folder)
        status = tables_check(work->folder, fault);
    work->summary = (struct summary){.settings = settings,
                                     .store = work->opened.store,
                                     .forest = &work->opened.forest,
                                     .filter = work->opened.filter};
    return status;
}

/* Leaves out what --family and its like do not ask for. What is found out for that is of the T-DAGs before. */
static enum status filter(struct work *work, struct fault *fault)
{
    const struct settings *settings = work->settings;
    struct opened_forest *opened = &work->opened;
    struct known_scripts_held held = {0};
    enum status status = STATUS_OK;
    if (!dag_filter_given(settings))
        return STATUS_OK;
    if (settings->select_known)
        status = known_scripts_find(&opened->catalogue, opened->store, &opened->forest, &opened->selection,
                                    (unsigned)settings->threads, &held, fault);
    if (status == STATUS_OK && settings->label)
        status = find_labels(work, NULL, fault);
    if (status == STATUS_OK)
        status = dag_filter_apply(settings, opened->store, &opened->forest, &held, &opened->dag_labels,
                                  &opened->selection, &work->summary.left_out, fault);
    if (status == STATUS_OK)
        summary_select(&work->summary, &opened->selection);
    known_scripts_held_free(&held);
    dag_labels_free(&opened->dag_labels);
    opened->selection.labels = NULL;
    work->labelled = false;
    return status;
}

/* What --paper-classes asks for. */
static enum status find_paper_classes(struct work *work, struct fault *fault)
{
    const struct selection *selection = &work->opened.selection;
    if (!work->settings->with_paper_classes)
        return STATUS_OK;
    work->summary.paper = &work->paper;
    work->summary.classes = &selection->classes;
    return paper_classes_find(&work->opened.forest, &selection->tdags, &selection->classes, work->settings->compress,
                              (unsigned)work->settings->threads, &work->paper, fault);
}

static enum status dags(struct work *work, struct fault *fault)
{
    const struct settings *settings = work->settings;
    const struct forest *forest = &work->opened.forest;
    struct selection *selection = &work->opened.selection;
    unsigned threads = (unsigned)settings->threads;
    bool top = settings->top > 0 || settings->order_by;
    mem_settle();
    enum status status = begin(work, fault);
    mem_give_back(); /* of what loading took */
    timings_stage("classes");
    if (status == STATUS_OK)
        status = summary_fill(&work->summary, settings->rules, selection, fault);
    if (status == STATUS_OK)
        summary_tell_other_rules(&work->summary, settings->rules);
    if (status == STATUS_OK)
        status = filter(work, fault);
    timings_stage("classes");
    if (status == STATUS_OK)
        status = find_paper_classes(work, fault);
    timings_stage("measures");
    if (status == STATUS_OK && top)
        status = measures_all(forest, &selection->tdags, &selection->classes, threads, &work->measures, fault);
    timings_stage("payments");
    mem_give_back(); /* of what finding the T-DAGs took */
    if (status == STATUS_OK && work->folder)
        status = write_tables(work, fault);
    timings_stage("end");
    if (status == STATUS_OK && top)
        status = find_labels(work, NULL, fault);
    if (status == STATUS_OK && work->folder && !settings->folder)
        status = outfolder_commit(work->folder, settings->quiet, fault);
    if (status == STATUS_OK && !outfolder_is_database(work->folder))
        status = top ? top_print(settings, forest, selection, work->measures, fault)
                     : summary_print(&work->summary, selection, fault);
    return status;
}

static int run(const struct settings *settings)
{
    struct fault fault = {0};
    struct work work = {.settings = settings};
    struct timings_file timings = {0};
    int exit_status = dag_filter_check(settings);
    if (exit_status != EXIT_DONE)
        return exit_status;
    enum status status = timings_file_begin(&timings, settings, &fault);
    if (status == STATUS_OK)
        status = dags(&work, &fault);
    if (!settings->folder)
        outfolder_close(work.folder);
    provenance_free(&work.provenance);
    summary_free(&work.summary);
    known_scripts_held_free(&work.held);
    mem_free(work.measures);
    paper_classes_free(&work.paper);
    opened_forest_close(&work.opened);
    return timings_file_end(&timings,
                            message_left_out(message_result(status, &fault), work.unread || work.labels_said.unread));
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

static const struct option option_paper_classes = {
    .name = "paper-classes",
    .type = OPTION_FLAG,
    .field = offsetof(struct settings, with_paper_classes),
    .help = "also the classes of the paper's own equality, which is coarser: a column more, and which exact classes it "
            "takes for one",
};

static const struct option *const options[] = {&option_read_store, &option_as_of_height,    &option_rules_hidden,
                                               &option_compress,   &option_exclude_scripts, &option_known_scripts,
                                               &option_labels,     OPTIONS_DAG_FILTER,      &option_paper_classes,
                                               &option_top,        &option_top_by,          &option_no_unlocks,
                                               &option_threads,    &option_out_folder,      &option_replace,
                                               &option_timings,    &option_quiet,           NULL};

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
        "  unlocks.csv   spent unknown output, with what its spender showed (not with --no-unlocks, and only where "
        "the\n"
        "                blk files are still where the store was made from)\n"
        "  keys.csv      place of a public key that an unknown output or its spender shows, with addresses; as\n"
        "                unlocks.csv, which holds for the next three too\n"
        "  hashes.csv    hash lock, with its preimage\n"
        "  ties.csv      key, hash or preimage that two T-DAGs or single outputs share\n"
        "  groups.csv    group of T-DAGs and single outputs that such ties join\n"
        "  summary.json  totals, and the numbers of each rule set\n"
        "Where the store has an index ('unktx index'), tdags.csv has fee_sat and payer_value_sat too, and there are\n"
        "  payers.csv    known output that an input of a T-DAG's transaction spends\n"
        "  payees.csv    known output of a T-DAG\n"
        "and on a second run into the same folder\n"
        "  changes.csv   T-DAG that is new, grown, merged, shrunk, renamed or gone since the run before\n"
        "A class id with a ? after it stands for a class that could not be decided. man unktx-dags has every "
        "column.\n",
    .options = options,
    .run = run,
};
