#include "graph/store/store_parts.h"

#include <assert.h>
#include <stdio.h>

#include "parser/mem.h"
#include "parser/search.h"

/* ---- reading ---- */

/* The batches that the store knows are those of its generation; another process may have changed them since. */
static enum status check_generation(const struct store_reader *reader, struct fault *fault)
{
    const uint8_t *value;
    size_t size;
    enum status status = store_get_meta(reader->store, reader->view, "totals", &value, &size, fault);
    if (status != STATUS_OK)
        return status;
    if (size == TOTALS_SIZE && load_le64(value + 52) == reader->store->generation)
        return STATUS_OK;
    return fault_set(fault, STATUS_BUSY, kv_data_path(reader->store->kv), FAULT_NO_OFFSET,
                     "a scan took blocks back meanwhile: run the command again");
}

enum status store_reader_open(const struct store *store, struct store_reader **reader, struct fault *fault)
{
    *reader = NULL;
    struct store_reader *new = mem_alloc(1, sizeof *new);
    if (!new)
        return fault_nomem(fault);
    new->store = store;
    enum status status = kv_view_open(store->kv, &new->view, fault);
    if (status == STATUS_OK)
        status = check_generation(new, fault);
    if (status == STATUS_OK)
        *reader = new;
    else
        store_reader_close(new);
    return status;
}

void store_reader_close(struct store_reader *reader)
{
    if (!reader)
        return;
    kv_window_close(reader->window);
    kv_view_close(reader->view);
    mem_free(reader);
}

enum status store_reader_refresh(struct store_reader *reader, struct fault *fault)
{
    enum status status = kv_view_refresh(reader->view, fault);
    return status == STATUS_OK ? check_generation(reader, fault) : status;
}

enum status store_newest_tip(const struct store *store, uint32_t *blocks, struct hash256 *tip, struct fault *fault)
{
    const uint8_t *value;
    struct kv_view *view;
    size_t size;
    enum status status = kv_view_open(store->kv, &view, fault);
    if (status == STATUS_OK)
        status = store_get_meta(store, view, "totals", &value, &size, fault);
    if (status == STATUS_OK && size != TOTALS_SIZE)
        status = store_damaged(store, "its totals are malformed", fault);
    if (status == STATUS_OK) {
        *blocks = load_le32(value);
        memcpy(tip->bytes, value + 20, HASH256_SIZE);
    }
    kv_view_close(view);
    return status;
}

size_t store_batches(const struct store_reader *reader) { return reader->store->entries_count; }

static enum status open_batch(const struct store *store, size_t batch, const uint8_t *bytes, size_t size,
                              struct batch_view *view, struct fault *fault)
{
    const struct entry *entry = &store->entries[batch];
    if (batch_view_open(view, bytes, size) != STATUS_OK || view->first_height != entry->first_height ||
        view->block_count != entry->blocks || view->first_tx != entry->first_tx ||
        view->first_ordinal != entry->first_ordinal || view->partial != (store->identity.first_height > 0))
        return store_damaged(store, "a batch is malformed", fault);
    bool cut = store->last_blocks > 0 && batch == store->entries_count - 1;
    if (cut && batch_view_cut(view, store->last_blocks) != STATUS_OK)
        return store_damaged(store, "a batch is malformed", fault);
    return STATUS_OK;
}

static enum status get_bytes(const struct store *store, const struct kv_view *from, size_t batch, const uint8_t **bytes,
                             size_t *size, struct fault *fault)
{
    assert(batch < store->entries_count);
    enum status status = store_get_numbered(from, TABLE_BATCHES, batch, 8, bytes, size, fault);
    return status == STATUS_NOT_FOUND ? store_damaged(store, "a batch is missing", fault) : status;
}

enum status store_get_batch(const struct store *store, const struct kv_view *from, size_t batch,
                            struct batch_view *view, struct fault *fault)
{
    const uint8_t *bytes;
    size_t size;
    enum status status = get_bytes(store, from, batch, &bytes, &size, fault);
    return status == STATUS_OK ? open_batch(store, batch, bytes, size, view, fault) : status;
}

enum status store_batch(const struct store_reader *reader, size_t batch, struct batch_view *view, struct fault *fault)
{
    return store_get_batch(reader->store, reader->view, batch, view, fault);
}

/* Without a look at the batch, which would fetch its first pages, and those before them, again. */
void store_let_go_batch(const struct store_reader *reader, size_t batch)
{
    const uint8_t *bytes;
    size_t size;
    struct fault none = {0};
    if (get_bytes(reader->store, reader->view, batch, &bytes, &size, &none) == STATUS_OK)
        kv_let_go(bytes, size);
}

void store_let_go(const struct store_reader *reader)
{
    for (size_t b = 0; b < store_batches(reader); b++)
        store_let_go_batch(reader, b);
}

enum status store_check_sum(const struct store *store, const struct batch_view *view, struct fault *fault)
{
    char what[64];
    if (batch_view_intact(view))
        return STATUS_OK;
    snprintf(what, sizeof what, "the checksum of the batch from block %u on", view->first_height);
    return store_damaged(store, what, fault);
}

enum status store_whole_batch(const struct store_reader *reader, size_t batch, struct batch_view *view,
                              struct fault *fault)
{
    enum status status = store_batch(reader, batch, view, fault);
    return status == STATUS_OK ? store_check_sum(reader->store, view, fault) : status;
}

enum status store_read_batch(struct store_reader *reader, size_t batch, bool whole, struct batch_view *view,
                             struct fault *fault)
{
    const uint8_t *bytes;
    size_t size;
    enum status status = get_bytes(reader->store, reader->view, batch, &bytes, &size, fault);
    if (status == STATUS_OK && !reader->window)
        status = kv_window_open(reader->view, &reader->window, fault);
    if (status == STATUS_OK)
        status = kv_window_look(reader->window, bytes, size, &bytes, fault);
    if (status == STATUS_OK)
        status = open_batch(reader->store, batch, bytes, size, view, fault);
    return status == STATUS_OK && whole ? store_check_sum(reader->store, view, fault) : status;
}

/* The last batch that begins at or below a height or an ordinal; there is one. Of batches that begin with the same
 * ordinal only the last has outputs, and that is what this finds. */
static size_t entry_of(const struct store *store, uint64_t wanted, bool by_height)
{
    const struct entry *entries = store->entries;
    return LOWER_BOUND(i, 1, store->entries_count,
                       (by_height ? entries[i].first_height : entries[i].first_ordinal) <= wanted) -
           1;
}

size_t store_entry_of_height(const struct store *store, uint32_t height) { return entry_of(store, height, true); }

static enum status no_block(const struct store *store, uint32_t height, struct fault *fault)
{
    return fault_set(fault, STATUS_NOT_FOUND, kv_path(store->kv), FAULT_NO_OFFSET,
                     "the store has no block of height %u", height);
}

enum status store_batch_of_height(const struct store_reader *reader, uint32_t height, size_t *batch,
                                  struct fault *fault)
{
    if (height >= reader->store->committed.blocks || height < reader->store->identity.first_height)
        return no_block(reader->store, height, fault);
    *batch = store_entry_of_height(reader->store, height);
    return STATUS_OK;
}

/* The last pending batch (the open one not counted) that begins at or below the height or ordinal; pending_count: none.
 */
static size_t pending_of(const struct store *store, uint64_t wanted, bool by_height)
{
    const struct pending_batch *pending = store->pending;
    size_t after = LOWER_BOUND(i, 0, store->pending_count,
                               (by_height ? pending[i].entry.first_height : pending[i].entry.first_ordinal) <= wanted);
    return after > 0 ? after - 1 : store->pending_count;
}

static enum status pending_outpoint(const struct store *store, uint64_t ordinal, struct hash256 *txid, uint32_t *vout)
{
    if (ordinal >= store->open.first_ordinal)
        return batch_peek_outpoint(&store->open, ordinal, txid, vout);
    size_t i = pending_of(store, ordinal, false);
    struct batch_view view;
    if (i == store->pending_count)
        return STATUS_FORMAT;
    enum status status = batch_view_open(&view, store->pending[i].blob.bytes, store->pending[i].blob.size);
    return status == STATUS_OK ? batch_outpoint(&view, ordinal, txid, vout) : status;
}

enum status store_outpoint(const struct store_reader *reader, uint64_t ordinal, struct hash256 *txid, uint32_t *vout,
                           struct fault *fault)
{
    const struct store *store = reader->store;
    struct batch_view view;
    enum status status;
    if (ordinal < store->committed.tracked) {
        status = store_batch(reader, entry_of(store, ordinal, false), &view, fault);
        if (status != STATUS_OK)
            return status;
        status = batch_outpoint(&view, ordinal, txid, vout);
    } else {
        pthread_rwlock_rdlock(store->pending_lock);
        status = pending_outpoint(store, ordinal, txid, vout);
        pthread_rwlock_unlock(store->pending_lock);
    }
    return status == STATUS_OK ? STATUS_OK : store_damaged(store, "an output that is spent is missing", fault);
}

enum status store_tracked_output(const struct store_reader *reader, struct store_place *place, uint64_t ordinal,
                                 struct output_record *output, struct fault *fault)
{
    const struct store *store = reader->store;
    enum status status = STATUS_OK;
    if (ordinal >= store->committed.tracked)
        return store_damaged(store, "an output that is spent is missing", fault);
    size_t batch = entry_of(store, ordinal, false);
    if (!place->open || place->batch != batch) {
        *place = (struct store_place){.batch = batch};
        status = store_batch(reader, batch, &place->view, fault);
        place->open = status == STATUS_OK;
    }
    if (status != STATUS_OK)
        return status;
    status = batch_output(&place->view, &place->output, ordinal, output);
    return status == STATUS_OK ? STATUS_OK : store_damaged(store, "an output that is spent is missing", fault);
}

static enum status block_in(struct batch_view *view, uint32_t height, struct block_record *block)
{
    enum status status;
    do
        status = batch_next_block(view, block);
    while (status == STATUS_OK && block->height != height);
    return status;
}

static enum status pending_block(const struct store *store, uint32_t height, struct block_record *block)
{
    struct batch_view view;
    if (height >= store->open.first_height) {
        if (height - store->open.first_height >= store->open.block_count)
            return STATUS_NOT_FOUND;
        batch_peek(&store->open, &view);
        return block_in(&view, height, block);
    }
    size_t i = pending_of(store, height, true);
    if (i == store->pending_count ||
        batch_view_open(&view, store->pending[i].blob.bytes, store->pending[i].blob.size) != STATUS_OK)
        return STATUS_FORMAT;
    return block_in(&view, height, block);
}

enum status store_block(const struct store_reader *reader, uint32_t height, struct block_record *block,
                        struct fault *fault)
{
    const struct store *store = reader->store;
    struct batch_view view;
    enum status status;
    if (height < store->identity.first_height)
        return no_block(store, height, fault);
    if (height < store->committed.blocks) {
        status = store_batch(reader, store_entry_of_height(store, height), &view, fault);
        if (status != STATUS_OK)
            return status;
        status = block_in(&view, height, block) == STATUS_OK ? STATUS_OK : STATUS_FORMAT;
    } else {
        pthread_rwlock_rdlock(store->pending_lock);
        status = pending_block(store, height, block);
        pthread_rwlock_unlock(store->pending_lock);
    }
    if (status == STATUS_NOT_FOUND)
        return no_block(store, height, fault);
    return status == STATUS_OK ? STATUS_OK : store_damaged(store, "a block is missing", fault);
}

/* ---- the store as of a height ---- */

enum status store_end_at(struct store *store, uint32_t height, struct fault *fault)
{
    struct store_totals *totals = &store->committed;
    struct batch_view view;
    struct block_record block;
    assert(store->mode == STORE_READ && height >= store->identity.first_height);
    if (height >= totals->blocks || height == totals->blocks - 1)
        return STATUS_OK;
    size_t last = store_entry_of_height(store, height);
    store->entries_count = last + 1;
    store->last_blocks = height - store->entries[last].first_height + 1;
    enum status status = store_get_batch(store, store->view, last, &view, fault);
    if (status != STATUS_OK)
        return status;
    *totals = (struct store_totals){
        .blocks = height + 1, .txs = view.first_tx + view.tx_count, .tracked = view.first_ordinal + view.tracked};
    if (block_in(&view, height, &block) != STATUS_OK)
        return store_damaged(store, "a block is missing", fault);
    totals->tip = block.hash;
    store->totals = *totals;
    store_begin_batch(store);
    return STATUS_OK;
}

/* ---- files and snapshot ---- */

enum status store_each_file(const struct store *store, store_file_fn *fn, void *context, struct fault *fault)
{
    struct kv_cursor *cursor;
    struct kv_pair pair;
    bool ended = false; /* by fn, not by the end of the table */
    enum status status = kv_cursor_open(store->view, TABLE_FILES, &cursor, fault);
    while (status == STATUS_OK && (status = kv_next(cursor, &pair, fault)) == STATUS_OK) {
        if (pair.key_size != 4)
            status = store_damaged(store, "the number of a file is malformed", fault);
        else
            status = fn(context, load_be32(pair.key), pair.value, pair.value_size);
        ended = status != STATUS_OK;
    }
    kv_cursor_close(cursor);
    return status == STATUS_NOT_FOUND && !ended ? STATUS_OK : status;
}

uint32_t store_snapshot_blocks(const struct store *store) { return store->snapshot.blocks; }

enum status store_get_snapshot(const struct store *store, uint32_t chunk, const uint8_t **bytes, size_t *size,
                               struct fault *fault)
{
    enum status status = STATUS_NOT_FOUND;
    if (store->snapshot.blocks > 0 && chunk < store->snapshot.chunks)
        status = store_get_numbered(store->view, TABLE_SNAPSHOT, store->snapshot.first + chunk, 4, bytes, size, fault);
    if (status == STATUS_NOT_FOUND)
        return fault_set(fault, status, kv_data_path(store->kv), FAULT_NO_OFFSET, "no such chunk of a snapshot");
    return status;
}

enum status store_get_file(const struct store *store, uint32_t number, const uint8_t **value, size_t *size,
                           struct fault *fault)
{
    enum status status = STATUS_OK;
    size_t last = store->changes_count; /* the last change of it counts */
    while (last > 0 && store->changes[last - 1].number != number)
        last--;
    if (last == 0) {
        status = store_get_numbered(store->view, TABLE_FILES, number, 4, value, size, fault);
    } else if (store->changes[last - 1].blob.bytes) {
        *value = store->changes[last - 1].blob.bytes;
        *size = store->changes[last - 1].blob.size;
    } else {
        status = STATUS_NOT_FOUND;
    }
    if (status == STATUS_NOT_FOUND)
        return fault_set(fault, status, kv_data_path(store->kv), FAULT_NO_OFFSET, "nothing is known of blk file %u",
                         number);
    return status;
}
