#include "cli/command.h"
#include "cli/output/message.h"
#include "cli/inputs/node_blocks.h"
#include "cli/inputs/provenance.h"
#include "cli/inputs/spend_links.h"
#include "cli/inputs/store_place.h"
#include "cli/output/outfolder.h"
#include "cli/views/tables.h"
#include "graph/dag/shape.h"
#include "parser/mem.h"

/* What is written after the tables of dags, each as if it were typed. */
static const struct part {
    const struct command *command;
    const char *file;
    const char *by; /* NULL: what --by says */
} parts[] = {
    {&command_outputs, "outputs.csv", NULL},
    {&command_stats, "stats.csv", NULL},
    {&command_stats, "stats-by-day.csv", "day"}, /* which the report links to */
    {&command_report, "report.html", NULL},
};

static void say_step(const struct settings *settings, unsigned step, const char *what)
{
    if (!settings->quiet)
        message("[%u/%u] %s", step, settings->with_index ? 4u : 3u, what);
}

/* A part with damages is done too; the exit status tells of it at the end. */
static bool goes_on(int status) { return status == EXIT_DONE || status == EXIT_DAMAGED; }

/* What cannot be written is to show before the scan. */
static enum status check_files(const struct outfolder *folder, struct fault *fault)
{
    enum status status = tables_check(folder, fault);
    for (size_t i = 0; i < sizeof parts / sizeof *parts && status == STATUS_OK; i++)
        status = outfolder_check(folder, parts[i].file, fault);
    return status;
}

/* All tables of the folder, and then the folder's end: they appear together. */
static int write_all(const struct settings *given)
{
    struct fault fault = {0};
    unsigned step = given->with_index ? 3 : 2;
    say_step(given, step, "tables");
    int status = command_dags.run(given), worst = status;
    for (size_t i = 0; i < sizeof parts / sizeof *parts && goes_on(status); i++) {
        struct settings settings = *given;
        if (parts[i].command == &command_report)
            say_step(given, step + 1, "report");
        settings.out = parts[i].file;
        settings.by = parts[i].by ? parts[i].by : given->by;
        status = parts[i].command->run(&settings);
        worst = status == EXIT_DONE ? worst : status;
    }
    if (!goes_on(status))
        return status;
    status = message_result(outfolder_commit(given->folder, given->quiet, &fault), &fault);
    return status == EXIT_DONE ? worst : status;
}

/* Without --index an index that is there is only taken on to the store's end: else the tables that a run before made
 * with it would go. */
static int make_index(const struct settings *settings, bool asked)
{
    if (!settings->with_index)
        return EXIT_DONE;
    bool wanted = asked || spend_links_is_behind(settings->store);
    say_step(settings, 2, wanted ? "index" : "index: it has the store's last block");
    return wanted ? command_index.run(settings) : EXIT_DONE;
}

/* scan, then index and the tables. A scan or an index with damages goes on, and its exit status is the last word. */
static int run_all(const struct settings *settings, bool asked)
{
    say_step(settings, 1, "scan");
    int scanned = command_scan.run(settings);
    if (!goes_on(scanned))
        return scanned;
    int indexed = make_index(settings, asked);
    if (!goes_on(indexed))
        return indexed;
    int status = write_all(settings);
    if (status != EXIT_DONE)
        return status;
    return scanned == EXIT_DONE ? indexed : scanned;
}

static int run(const struct settings *given)
{
    struct fault fault = {0};
    struct settings settings = *given;
    struct datapackage_provenance provenance = {0};
    char *store = NULL;
    if (given->with_index && (given->partial || given->begin_height > 0))
        return message_usage("--index is of the whole chain: leave it out with --partial and --from-height");
    int exit_status = node_blocks_check_options(given);
    if (exit_status != EXIT_DONE)
        return exit_status;
    enum status status = shape_load(&fault); /* classes and drawings take it, which are made after the scan */
    if (status == STATUS_OK && given->with_index)
        status = node_blocks_check_tmp(given, &fault);
    if (status == STATUS_OK)
        status = store_place_in(given->out, &store, &fault);
    if (status == STATUS_OK)
        status = provenance_of_settings(given, UNKTX_VERSION, &provenance, &fault);
    if (status == STATUS_OK)
        status = outfolder_open(given->out, &provenance, FOLDER_ANALYZE, given->replace, &settings.folder, &fault);
    if (status == STATUS_OK)
        status = check_files(settings.folder, &fault);
    settings.store = store;
    settings.with_index = given->with_index || (store && spend_links_is_index(store));
    exit_status = status == STATUS_OK ? run_all(&settings, given->with_index) : message_result(status, &fault);
    outfolder_close(settings.folder);
    provenance_free(&provenance);
    mem_free(store);
    return exit_status;
}

static const struct option option_analyze_out = {
    .name = "output",
    .letter = 'o',
    .type = OPTION_TEXT,
    .value = "DIR",
    .fallback = "unktx-out",
    .field = offsetof(struct settings, out),
    .help = "folder for the tables and the store, made if absent",
};

static const struct option option_analyze_index = {
    .name = "index",
    .type = OPTION_FLAG,
    .field = offsetof(struct settings, with_index),
    .help =
        "make the index too, and with it payers.csv and payees.csv; not with --partial and --from-height, since it is "
        "of the whole chain. One that is there is brought up to date in any case",
};

static const struct option *const options[] = {
    &option_datadir,
    &option_analyze_out,
    &option_chain,
    &option_threads,
    &option_to_height,
    &option_tip,
    &option_partial,
    &option_begin_height,
    &option_xor_key,
    &option_nulldata,
    &option_verify,
    &option_sequential,
    &option_no_sequential,
    &option_rules,
    &option_compress,
    &option_exclude_scripts,
    &option_known_scripts,
    &option_labels,
    &option_by,
    &option_analyze_index,
    &option_no_unlocks,
    &option_replace,
    &option_memory,
    &option_tmp,
    &option_quiet,
    NULL,
};

const struct command command_analyze = {
    .name = "analyze",
    .operands = "",
    .summary = "Do it all: scan a node's blocks, then write T-DAG tables, outputs, counts and a page into one folder.",
    .details = "Writes what scan, dags, outputs, stats and report write. The next run in the same folder scans only\n"
               "what is new.\n",
    .options = options,
    .run = run,
};
