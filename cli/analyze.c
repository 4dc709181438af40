#include "cli/command.h"
#include "cli/message.h"
#include "cli/outfile.h"
#include "parser/mem.h"

struct paths {
    char *store, *outputs, *stats;
};

static bool join_paths(const char *folder, struct paths *paths)
{
    paths->store = outfile_join(folder, "store");
    paths->outputs = outfile_join(folder, "outputs.csv");
    paths->stats = outfile_join(folder, "stats.csv");
    return paths->store && paths->outputs && paths->stats;
}

/* scan, then (--index) index, dags, outputs and stats, each as if typed. A scan or an index with damages goes on, and
 * its exit status is the last word. */
static int run_all(const struct settings *given, const struct paths *paths)
{
    struct settings settings = *given;
    settings.store = paths->store;
    int scanned = command_scan.run(&settings);
    if (scanned != EXIT_DONE && scanned != EXIT_DAMAGED)
        return scanned;
    int indexed = given->with_index ? command_index.run(&settings) : EXIT_DONE;
    if (indexed != EXIT_DONE && indexed != EXIT_DAMAGED)
        return indexed;
    int status = command_dags.run(&settings);
    settings.out = paths->outputs;
    if (status == EXIT_DONE)
        status = command_outputs.run(&settings);
    settings.out = paths->stats;
    if (status == EXIT_DONE)
        status = command_stats.run(&settings);
    if (status != EXIT_DONE)
        return status;
    if (!given->quiet)
        message("%s has tdags.csv, classes.csv, txs.csv, arcs.csv, leaves.csv, %soutputs.csv, stats.csv, summary.json "
                "and the store",
                given->out, given->with_index ? "payers.csv, payees.csv, " : "");
    return scanned == EXIT_DONE ? indexed : scanned;
}

static int run(const struct settings *settings)
{
    struct fault fault = {0};
    struct paths paths = {0};
    int exit_status = EXIT_FAILED;
    enum status status = outfile_make_folder(settings->out, &fault);
    if (status == STATUS_OK && !join_paths(settings->out, &paths))
        status = fault_nomem(&fault);
    if (status == STATUS_OK)
        exit_status = run_all(settings, &paths);
    else
        exit_status = message_result(status, &fault);
    mem_free(paths.store);
    mem_free(paths.outputs);
    mem_free(paths.stats);
    return exit_status;
}

static const struct option option_analyze_out = {
    .name = "output", .letter = 'o', .type = OPTION_TEXT, .value = "DIR", .fallback = "unktx-out",
    .field = offsetof(struct settings, out), .help = "folder for the tables and the store, made if absent"};

static const struct option option_analyze_index = {
    .name = "index", .type = OPTION_FLAG, .field = offsetof(struct settings, with_index),
    .help = "make or update the index too, and with it payers.csv and payees.csv"};

static const struct option *const options[] = {
    &option_datadir, &option_analyze_out, &option_chain, &option_threads, &option_to_height, &option_tip,
    &option_nulldata, &option_verify, &option_rules, &option_compress, &option_exclude_scripts, &option_scripts,
    &option_by, &option_analyze_index, &option_memory, &option_tmp, &option_quiet, NULL,
};

const struct command command_analyze = {
    .name = "analyze",
    .operands = "",
    .summary = "Do it all: scan a node's blocks, then write T-DAG tables, outputs and counts into one folder.",
    .details =
        "Writes what scan, dags, outputs and stats write. The next run in the same folder scans only what is new.\n",
    .options = options,
    .run = run,
};
