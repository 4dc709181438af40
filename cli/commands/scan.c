#include <string.h>

#include "cli/command.h"
#include "cli/inputs/node_blocks.h"
#include "cli/output/message.h"
#include "cli/output/progress.h"
#include "cli/output/signals.h"
#include "cli/output/timings_file.h"
#include "graph/scan/ingest.h"

static void on_progress(void *context, const struct ingest_progress *progress)
{
    struct node_blocks *blocks = context;
    if (progress->stage == INGEST_HEADERS)
        progress_show(&blocks->progress, "headers", progress->done, progress->total, PROGRESS_NO_HEIGHT);
    else if (progress->stage == INGEST_FILES)
        progress_show(&blocks->progress, "files", progress->done, progress->total, progress->height);
    else
        progress_show(&blocks->progress, "blocks", progress->done, progress->total, progress->height);
}

static void print_summary(const struct settings *settings, const struct ingest_result *result)
{
    char tip[HASH256_HEX_SIZE + 1] = "";
    hash256_hex(&result->tip, tip);
    if (result->first_height > 0)
        message("%s: heights %u to %u (partial: what was made below height %u is not known), tip %s", result->network,
                (unsigned)result->first_height, (unsigned)result->height, (unsigned)result->first_height, tip);
    else
        message("%s: height %u, tip %s", result->network, (unsigned)result->height, tip);
    message("%u block%s added (%.1f MB read), %u taken back; on disk outside the chain: %u stale, %u detached",
            (unsigned)result->blocks_added, result->blocks_added == 1 ? "" : "s", (double)result->bytes / 1e6,
            (unsigned)result->blocks_removed, (unsigned)result->stale, (unsigned)result->detached);
    message("the store is %s", settings->store);
}

/* An index is of the whole chain: the two would tell different things of one folder. */
static enum status refuse_index_beside(const struct settings *settings, bool partial, const struct other_chain *index,
                                       struct fault *fault)
{
    if (!partial || !index)
        return STATUS_OK;
    return fault_set(fault, STATUS_REFUSED, settings->store, FAULT_NO_OFFSET,
                     "there is an index of the whole chain, beside which no part of the chain is stored: choose "
                     "another %s",
                     settings->folder ? "-o" : "--store");
}

static enum status scan(const struct settings *settings, struct ingest_options *options, struct ingest_result *result,
                        struct fault *fault)
{
    struct text way = {0};
    enum status status = node_blocks_put_command(settings, &way);
    options->way_partial = way.bytes;
    options->way_without = settings->with_index ? "--index" : NULL;
    options->store_option = settings->folder ? "-o" : "--store";
    status = status == STATUS_OK ? ingest_run(options, result, fault) : fault_nomem(fault);
    text_free(&way);
    return status;
}

static int interrupted(const struct ingest_result *result)
{
    signals_end();
    if (result->blocks > result->first_height)
        message("interrupted; the store holds the chain to height %u, and the same command goes on from there",
                (unsigned)result->height);
    else
        message("interrupted; no block was added to the store");
    return EXIT_INTERRUPTED;
}

static int work(struct node_blocks *blocks)
{
    const struct settings *settings = blocks->settings;
    struct other_chain index;
    bool partial = settings->partial || settings->begin_height > 0;
    struct ingest_options options = {
        .datadir = blocks->datadir,
        .chain = settings->chain,
        .store = settings->store,
        .threads = (unsigned)settings->threads,
        .to_height = (uint32_t)settings->to_height,
        .tip = blocks->tip,
        .xor_key = blocks->xor_key,
        .other = node_blocks_of_index(settings->store, &index),
        .nulldata_stored = strcmp(settings->nulldata, "store") == 0,
        .verify = settings->verify,
        .order = node_blocks_order(settings),
        .partial = partial,
        .from_height = settings->begin_height > 0 ? (uint32_t)settings->begin_height : UINT32_MAX,
        .progress = on_progress,
        .opened = node_blocks_opened,
        .damage = node_blocks_damage,
        .message = node_blocks_message,
        .context = blocks,
    };
    struct ingest_result result = {0};
    struct fault fault = {0};
    enum status status = refuse_index_beside(settings, partial, options.other, &fault);
    if (status == STATUS_OK)
        status = scan(settings, &options, &result, &fault);
    progress_end(&blocks->progress);
    status = node_blocks_remember(blocks, status, result.blocks_added > 0, &fault);
    if (status == STATUS_INTERRUPTED)
        return interrupted(&result);
    if (status != STATUS_OK)
        return message_result(status, &fault);
    if (!settings->quiet)
        print_summary(settings, &result);
    return node_blocks_result(result.damages);
}

static int run(const struct settings *settings) { return node_blocks_run(settings, work); }

static const struct option *const options[] = {
    &option_datadir,       &option_chain,    &option_store,   &option_threads,
    &option_to_height,     &option_tip,      &option_partial, &option_begin_height,
    &option_xor_key,       &option_nulldata, &option_verify,  &option_sequential,
    &option_no_sequential, &option_timings,  &option_quiet,   NULL,
};

const struct command command_scan = {
    .name = "scan",
    .operands = "",
    .summary = "Read a node's block files and store the unknown outputs and what spends them.",
    .details = "A store is filled further by the next scan; reorganisations are followed. Interrupted, the scan keeps "
               "what it\n"
               "has and goes on from there the next time.\n",
    .options = options,
    .run = run,
};
