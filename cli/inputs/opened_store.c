#include "cli/inputs/opened_store.h"

#include "cli/inputs/hidden_marks.h"
#include "cli/inputs/output_folder.h"
#include "cli/output/message.h"
#include "cli/output/outfolder.h"
#include "cli/output/partial.h"
#include "parser/mem.h"
#include "parser/stop.h"

/* The parts of one run of analyze see the chain that the first of them saw, whatever another scan adds meanwhile. */
static enum status end_as_the_others(const struct datapackage_provenance *provenance, const struct store *store,
                                     uint32_t *height, struct fault *fault)
{
    static const struct hash256 unknown;
    bool has_block = true;
    if (hash256_equal(&provenance->tip, &unknown))
        return STATUS_OK;
    *height = provenance->tip_height;
    enum status status = output_folder_has_block(store, provenance->tip_height, &provenance->tip, &has_block, fault);
    if (status != STATUS_OK || has_block)
        return status;
    return fault_set(fault, STATUS_BUSY, store_path(store), FAULT_NO_OFFSET,
                     "another scan took blocks back meanwhile, and the tables would be of two chains: run the command "
                     "again");
}

/* A store that was just opened is as of the height that is asked for. */
static enum status settle(const struct settings *settings, struct store *store, struct fault *fault)
{
    uint32_t blocks = store_totals_of(store).blocks, height = (uint32_t)settings->to_height;
    enum status status = STATUS_OK;
    unsigned first = store_first_height(store);
    if (first > 0 && partial_from() != first && !settings->quiet)
        message("partial: the chain from height %u on; outputs made before are not known, and their spends look "
                "like spends of known outputs",
                first);
    partial_set(first);
    if (store_is_empty(store))
        return fault_set(fault, STATUS_NOT_FOUND, settings->store, FAULT_NO_OFFSET,
                         "the store has no blocks yet; 'unktx scan' fills it");
    if (settings->folder)
        status = end_as_the_others(outfolder_provenance(settings->folder), store, &height, fault);
    else if (height != UINT32_MAX && height >= blocks)
        message("the store ends at height %u, below --to-height %u", (unsigned)blocks - 1, (unsigned)height);
    if (status == STATUS_OK && height < first)
        return fault_set(fault, STATUS_REFUSED, settings->store, FAULT_NO_OFFSET,
                         "the store is partial: it begins at height %u, above --to-height %u", first, (unsigned)height);
    if (status == STATUS_OK && settings->tables)
        status = output_folder_settle(settings, store, &height, fault);
    return status == STATUS_OK ? store_end_at(store, height, fault) : status;
}

enum status opened_store_open(const struct settings *settings, struct store **store, struct fault *fault)
{
    enum status status = store_open(settings->store, STORE_READ, NULL, store, fault);
    if (status != STATUS_OK)
        return status;
    if (settings->main_store)
        status = store_lies_in(*store, settings->main_store, fault);
    else if (!settings->quiet && hidden_marks_are_in(settings->store))
        message(
            "%s is a store of the rule set hidden: --rules hidden, and --store with the store that it lies in, shows "
            "its T-DAGs; the rule sets of Core are as in that one",
            settings->store);
    if (status == STATUS_OK)
        status = settle(settings, *store, fault);
    if (status == STATUS_OK)
        return STATUS_OK;
    store_close(*store);
    *store = NULL;
    return status;
}

enum status opened_store_open_labelled(const struct settings *settings, struct address_labels *labels,
                                       struct store **store, struct fault *fault)
{
    enum status status = address_labels_read(settings, labels, fault);
    if (status == STATUS_OK)
        status = opened_store_open(settings, store, fault);
    if (status == STATUS_OK)
        address_labels_tell(labels, network_by_genesis(&store_identity_of(*store)->genesis));
    return status;
}

enum status opened_store_damaged(const struct store *store, uint32_t height, struct fault *fault)
{
    return fault_set(fault, STATUS_FORMAT, store_path(store), FAULT_NO_OFFSET,
                     "the batch of blocks from height %u is damaged: delete the store and run 'unktx %s' again",
                     (unsigned)height, store_made_by(store));
}

void opened_store_tell_nulldata(const struct settings *settings, const struct store *store)
{
    if (settings->with_nulldata && !store_identity_of(store)->nulldata_stored)
        message(
            "this store was made with --nulldata count: it has nulldata outputs only where a stored transaction has "
            "them");
}

enum status opened_store_go_on(struct fault *fault) { return stop_check(fault); }

enum status store_readers_open(const struct store *store, unsigned threads, struct store_readers *readers,
                               struct fault *fault)
{
    readers->count = 0;
    readers->readers = mem_alloc(threads, sizeof *readers->readers);
    if (!readers->readers)
        return fault_nomem(fault);
    while (readers->count < threads) {
        enum status status = store_reader_open(store, &readers->readers[readers->count], fault);
        if (status != STATUS_OK)
            return status;
        readers->count++;
    }
    return STATUS_OK;
}

void store_readers_close(struct store_readers *readers)
{
    for (unsigned i = 0; i < readers->count; i++)
        store_reader_close(readers->readers[i]);
    mem_free(readers->readers);
    *readers = (struct store_readers){0};
}

static bool must_start_over(const struct store_position *position, size_t batch, uint64_t number)
{
    return !position->open || batch != position->batch || number < position->view.next_tx;
}

enum status opened_store_tx(const struct store *store, const struct store_reader *reader,
                            struct store_position *position, uint32_t height, uint64_t number, struct tx_view *tx,
                            struct fault *fault)
{
    struct batch_view *view = &position->view;
    struct block_record block;
    size_t batch;
    enum status status = store_batch_of_height(reader, height, &batch, fault);
    if (status == STATUS_OK && must_start_over(position, batch, number))
        status = store_batch(reader, batch, view, fault);
    position->open = status == STATUS_OK;
    position->batch = batch;
    if (status != STATUS_OK)
        return status;
    while (status == STATUS_OK && number >= view->next_tx + view->txs_left)
        status = batch_next_block(view, &block);
    do
        status = status == STATUS_OK ? batch_next_tx(view, tx) : status;
    while (status == STATUS_OK && tx->tx.number < number);
    return status == STATUS_OK && tx->tx.number == number ? STATUS_OK : opened_store_damaged(store, height, fault);
}

enum status opened_store_each_tx(struct batch_view *view, opened_store_each *each, void *context)
{
    struct block_record block;
    struct tx_view tx;
    enum status status;
    while ((status = batch_next_block(view, &block)) == STATUS_OK) {
        while ((status = batch_next_tx(view, &tx)) == STATUS_OK) {
            status = each(context, block.height, &tx);
            if (status != STATUS_OK)
                return status;
        }
        if (status != STATUS_NOT_FOUND)
            return status;
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}
