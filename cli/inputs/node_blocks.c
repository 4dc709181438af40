#include "cli/inputs/node_blocks.h"

#include "cli/output/message.h"
#include "cli/inputs/index_blocks.h"
#include "parser/mem.h"

static int find_blocks(const struct settings *settings, struct node_blocks *blocks)
{
    struct fault fault = {0};
    *blocks = (struct node_blocks){0};
    if (settings->tip && !hash256_parse(settings->tip, &blocks->hash))
        return message_usage("--tip: '%s' is no block hash of 64 hexadecimal digits", settings->tip);
    blocks->tip = settings->tip ? &blocks->hash : NULL;
    enum status status = index_blocks_datadir(settings, &blocks->datadir, &fault);
    return status == STATUS_REFUSED ? message_usage("%s", fault.text) : message_result(status, &fault);
}

int node_blocks_run(const struct settings *settings, node_blocks_work *work)
{
    struct node_blocks blocks;
    struct progress progress;
    int exit_status = find_blocks(settings, &blocks);
    if (exit_status == EXIT_DONE) {
        progress_begin(&progress, settings->quiet);
        exit_status = work(settings, &blocks, &progress);
    }
    mem_free(blocks.datadir);
    return exit_status;
}

const struct other_chain *node_blocks_of_index(const char *folder, struct other_chain *found)
{
    struct fault ignored = {0};
    struct tx_index *index = NULL;
    struct index_block block;
    if (index_open(folder, &index, &ignored) != STATUS_OK)
        return NULL;
    bool has = index_totals_of(index).blocks > 1 && index_block_at(index, 1, &block, &ignored) == STATUS_OK;
    if (has)
        *found = (struct other_chain){"index", block.hash};
    index_close(index);
    return has ? found : NULL;
}

const struct other_chain *node_blocks_of_store(const char *folder, struct other_chain *found)
{
    struct fault ignored = {0};
    struct store *store = NULL;
    struct store_reader *reader = NULL;
    struct block_record block;
    if (store_open(folder, STORE_READ, NULL, &store, &ignored) != STATUS_OK)
        return NULL;
    bool has = store_totals_of(store).blocks > 1 && store_reader_open(store, &reader, &ignored) == STATUS_OK &&
               store_block(reader, 1, &block, &ignored) == STATUS_OK;
    if (has)
        *found = (struct other_chain){"store", block.hash};
    if (reader)
        store_reader_close(reader);
    store_close(store);
    return has ? found : NULL;
}

enum status node_blocks_of_one_chain(const char *folder, struct fault *fault)
{
    struct other_chain store, index;
    if (!node_blocks_of_store(folder, &store) || !node_blocks_of_index(folder, &index) ||
        hash256_equal(&store.block_1, &index.block_1))
        return STATUS_OK;
    return fault_set(
        fault, STATUS_FORMAT, folder, FAULT_NO_OFFSET,
        "store and index are of two chains, which share only the genesis block: scan and index one of them "
        "into a new store");
}

void node_blocks_damage(void *context, const struct fault *what)
{
    (void)context;
    message_fault(what);
}

void node_blocks_note(void *context, const char *text)
{
    const struct progress *progress = context;
    if (!progress->quiet)
        message("%s", text);
}

int node_blocks_result(uint64_t damages)
{
    if (damages == 0)
        return EXIT_DONE;
    message("damaged and skipped: %llu place%s of the input", (unsigned long long)damages, damages == 1 ? "" : "s");
    return EXIT_DAMAGED;
}
