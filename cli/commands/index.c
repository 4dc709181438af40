#include "cli/command.h"
#include "cli/inputs/node_blocks.h"
#include "cli/output/message.h"
#include "cli/output/progress.h"
#include "cli/output/signals.h"
#include "cli/output/timings_file.h"
#include "graph/index/build.h"

static void on_progress(void *context, const struct index_progress *progress)
{
    static const char *const stages[] = {[INDEX_HEADERS] = "headers",
                                         [INDEX_FILES] = "files",
                                         [INDEX_WALK] = "blocks",
                                         [INDEX_JOIN] = "join",
                                         [INDEX_TABLES] = "tables"};
    struct node_blocks *blocks = context;
    progress_show(&blocks->progress, stages[progress->stage], progress->done, progress->total, PROGRESS_NO_HEIGHT);
}

static void on_hold(void *context, bool begins)
{
    (void)context;
    if (begins)
        signals_hold();
    else
        signals_release();
}

static const char *interrupted_text(bool goes_on)
{
    return goes_on ? "interrupted; the same command goes on from what is finished"
                   : "interrupted before anything was finished: the same command begins this part anew";
}

/* The text of a process that is cut off: a checkpoint may come to be while it ends. */
static void on_goes_on(void *context, bool goes_on)
{
    (void)context;
    message_set_interrupted(interrupted_text(goes_on));
}

static void print_summary(const struct settings *settings, const struct index_result *result)
{
    char tip[HASH256_HEX_SIZE + 1] = "";
    hash256_hex(&result->tip, tip);
    message("%s: height %u, tip %s", result->network, (unsigned)result->height, tip);
    message("%u block%s added (%.1f MB read), %u taken back", (unsigned)result->blocks_added,
            result->blocks_added == 1 ? "" : "s", (double)result->bytes / 1e6, (unsigned)result->blocks_removed);
    message("the index is in %s", settings->store);
}

static int work(struct node_blocks *blocks)
{
    const struct settings *settings = blocks->settings;
    struct index_options options = {
        .datadir = blocks->datadir,
        .chain = settings->chain,
        .store = settings->store,
        .tmp = settings->tmp,
        .memory = settings->memory,
        .threads = (unsigned)settings->threads,
        .to_height = (uint32_t)settings->to_height,
        .tip = blocks->tip,
        .xor_key = blocks->xor_key,
        .order = node_blocks_order(settings),
        .verify = settings->verify,
        .progress = on_progress,
        .opened = node_blocks_opened,
        .damage = node_blocks_damage,
        .message = node_blocks_message,
        .hold = on_hold,
        .goes_on = on_goes_on,
        .context = blocks,
    };
    struct index_result result = {0};
    struct fault fault = {0};
    enum status status = node_blocks_check_tmp(settings, &fault);
    if (status == STATUS_OK)
        status = index_build(&options, &result, &fault);
    progress_end(&blocks->progress);
    status = node_blocks_remember(blocks, status, result.goes_on, &fault);
    if (status == STATUS_INTERRUPTED) {
        signals_end();
        message("%s", interrupted_text(result.goes_on));
        return EXIT_INTERRUPTED;
    }
    if (status != STATUS_OK)
        return message_result(status, &fault);
    if (!settings->quiet)
        print_summary(settings, &result);
    return node_blocks_result(result.damages);
}

static int run(const struct settings *settings) { return node_blocks_run(settings, work); }

static const struct option *const options[] = {
    &option_datadir,    &option_chain,         &option_store,   &option_memory,  &option_tmp,
    &option_threads,    &option_to_height,     &option_tip,     &option_xor_key, &option_verify,
    &option_sequential, &option_no_sequential, &option_timings, &option_quiet,   NULL,
};

const struct command command_index = {
    .name = "index",
    .operands = "",
    .summary = "Index every transaction, input and output of the chain, linked both ways, into the store.",
    .details = "tx, travel, dump, hidden and flows read it; dags, show, find and explore use it where it is. Another "
               "run indexes what is new, and\n"
               "follows reorganisations. It is independent of scan, and may be alone in its store.\n",
    .options = options,
    .run = run,
};
