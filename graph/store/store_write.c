#include "graph/store/store_parts.h"

#include <assert.h>

#include "parser/mem.h"

#define BATCH_BYTES (256u << 10)  /* a batch is closed when it has so many bytes */
#define BATCH_BLOCKS 4096u        /* or so many blocks */
#define SNAPSHOT_HELD (16u << 20) /* bytes of snapshot chunks kept in memory */

static bool append_numbered(struct kv_txn *txn, enum table table, uint64_t number, size_t key_size, const void *bytes,
                            size_t size)
{
    uint8_t key[8];
    store_be64(key, number);
    return kv_append(txn, table, key + 8 - key_size, key_size, bytes, size);
}

static bool put_numbered(struct kv_txn *txn, enum table table, uint64_t number, size_t key_size, const void *bytes,
                         size_t size)
{
    uint8_t key[8];
    store_be64(key, number);
    return kv_put(txn, table, key + 8 - key_size, key_size, bytes, size);
}

/* ---- appending ---- */

static enum status fault_of_batch(enum status status, struct fault *fault)
{
    if (status == STATUS_NOMEM)
        return fault_nomem(fault);
    if (status == STATUS_LIMIT)
        return fault_set(fault, status, NULL, FAULT_NO_OFFSET, "more unknown outputs in a block than a batch can hold");
    return status;
}

enum status store_begin_block(struct store *store, const struct block_record *block, struct fault *fault)
{
    assert(store->mode == STORE_WRITE && !store->block_open && block->height == store->totals.blocks);
    pthread_rwlock_wrlock(store->pending_lock);
    enum status status = batch_begin_block(&store->open, block);
    store->block_open = status == STATUS_OK;
    pthread_rwlock_unlock(store->pending_lock);
    return fault_of_batch(status, fault);
}

enum status store_add_tx(struct store *store, const struct tx_record *tx, const uint8_t *outputs, size_t outputs_size,
                         const uint32_t *tracked_vouts, const struct spend_record *spends, struct fault *fault)
{
    assert(store->block_open);
    pthread_rwlock_wrlock(store->pending_lock);
    enum status status = batch_add_tx(&store->open, tx, outputs, outputs_size, tracked_vouts, spends);
    pthread_rwlock_unlock(store->pending_lock);
    if (status != STATUS_OK)
        return fault_of_batch(status, fault);
    store->totals.txs++;
    store->totals.tracked += tx->tracked;
    return STATUS_OK;
}

/* Encodes the open batch, if it has a block, and begins the next one. */
static enum status close_batch(struct store *store)
{
    struct batch *open = &store->open;
    if (open->block_count == 0)
        return STATUS_OK;
    struct pending_batch *slot;
    size_t n = store->pending_count;
    enum status status = mem_reserve(&store->pending, &store->pending_capacity, n + 1, sizeof *store->pending);
    if (status != STATUS_OK)
        return status;
    slot = &store->pending[n];
    slot->entry = (struct entry){open->first_height, open->block_count, open->first_tx, open->first_ordinal};
    slot->blob.size = batch_size(open);
    slot->blob.bytes = mem_resize(NULL, slot->blob.size, 1);
    if (!slot->blob.bytes)
        return STATUS_NOMEM;
    batch_write(open, slot->blob.bytes);
    store->pending_count++;
    store->pending_bytes += slot->blob.size;
    store_begin_batch(store);
    return STATUS_OK;
}

enum status store_end_block(struct store *store, struct fault *fault)
{
    assert(store->block_open);
    pthread_rwlock_wrlock(store->pending_lock);
    enum status status = batch_end_block(&store->open);
    if (status == STATUS_OK) {
        store->block_open = false;
        store->totals.blocks++;
        store->totals.tip = store->open.open.hash;
        if (batch_size(&store->open) >= BATCH_BYTES || store->open.block_count >= BATCH_BLOCKS)
            status = close_batch(store);
    }
    pthread_rwlock_unlock(store->pending_lock);
    return fault_of_batch(status, fault);
}

size_t store_pending(const struct store *store)
{
    return store->pending_bytes + store->changes_bytes + store->chunks_bytes +
           (store->open.block_count > 0 ? batch_size(&store->open) : 0);
}

/* ---- writing ---- */

static bool drop_snapshot(struct kv_txn *txn)
{
    return kv_delete(txn, TABLE_META, "snapshot", strlen("snapshot")) && kv_clear(txn, TABLE_SNAPSHOT);
}

/* Key of the new snapshot's first chunk. */
static uint32_t chunks_key(const struct store *store) { return store->snapshot.first + store->snapshot.chunks; }

/* Until a commit makes the new snapshot the snapshot, the old one stays: it may be in use. */
static bool write_chunks(struct kv_txn *txn, void *context)
{
    const struct store *store = context;
    uint8_t key[4];
    store_be32(key, chunks_key(store));
    bool ok = store->chunks_first > 0 || kv_delete_from(txn, TABLE_SNAPSHOT, key, sizeof key);
    for (size_t i = 0; i < store->chunks_count && ok; i++)
        ok = append_numbered(txn, TABLE_SNAPSHOT, chunks_key(store) + store->chunks_first + i, 4,
                             store->chunks[i].bytes, store->chunks[i].size);
    return ok;
}

static bool write_changes(const struct store *store, struct kv_txn *txn)
{
    bool ok = true;
    for (size_t i = 0; i < store->changes_count && ok; i++) {
        const struct file_change *change = &store->changes[i];
        uint8_t key[4];
        store_be32(key, change->number);
        ok = change->blob.bytes ? kv_put(txn, TABLE_FILES, key, sizeof key, change->blob.bytes, change->blob.size)
                                : kv_delete(txn, TABLE_FILES, key, sizeof key);
    }
    return ok;
}

static bool snapshot_is_new(const struct store *store)
{
    return store->chunks_given && store->chunks_blocks == store->totals.blocks;
}

/* A new snapshot that blocks were added after does not count. */
static bool write_snapshot(struct store *store, struct kv_txn *txn)
{
    if (!snapshot_is_new(store))
        return true;
    bool ok = write_chunks(txn, store);
    for (uint32_t i = 0; i < store->snapshot.chunks && ok; i++) {
        uint8_t key[4];
        store_be32(key, store->snapshot.first + i);
        ok = kv_delete(txn, TABLE_SNAPSHOT, key, sizeof key);
    }
    uint8_t bytes[SNAPSHOT_SIZE];
    store_le32(bytes, store->totals.blocks);
    store_le32(bytes + 4, chunks_key(store));
    store_le32(bytes + 8, store->chunks_first + (uint32_t)store->chunks_count);
    return ok && store_put_meta(txn, "snapshot", bytes, sizeof bytes);
}

static bool write_all(struct kv_txn *txn, void *context)
{
    struct store *store = context;
    bool ok = true;
    for (size_t i = 0; i < store->pending_count && ok; i++) {
        const struct pending_batch *batch = &store->pending[i];
        uint64_t number = store->entries_count + i;
        uint8_t entry[ENTRY_SIZE];
        store_write_entry(&batch->entry, entry);
        ok = append_numbered(txn, TABLE_BATCHES, number, 8, batch->blob.bytes, batch->blob.size) &&
             append_numbered(txn, TABLE_DIRECTORY, number, 8, entry, sizeof entry);
    }
    uint8_t totals[TOTALS_SIZE];
    store_write_totals(&store->totals, store->generation, totals);
    return ok && write_changes(store, txn) && write_snapshot(store, txn) &&
           store_put_meta(txn, "totals", totals, sizeof totals);
}

enum status store_commit(struct store *store, struct fault *fault)
{
    assert(store->mode == STORE_WRITE && !store->block_open);
    if (close_batch(store) != STATUS_OK ||
        mem_reserve(&store->entries, &store->entries_capacity, store->entries_count + store->pending_count,
                    sizeof *store->entries) != STATUS_OK)
        return fault_nomem(fault);
    enum status status = STATUS_OK;
    if (store->pending_count > 0 || store->changes_count > 0 || snapshot_is_new(store))
        status = kv_write(store->kv, store_pending(store), write_all, store, fault);
    if (status != STATUS_OK)
        return status;
    for (size_t i = 0; i < store->pending_count; i++)
        store->entries[store->entries_count++] = store->pending[i].entry;
    if (snapshot_is_new(store))
        store->snapshot = (struct snapshot){store->totals.blocks, chunks_key(store),
                                            store->chunks_first + (uint32_t)store->chunks_count};
    store->committed = store->totals;
    store->chunks_given = false;
    store_drop_pending(store);
    store_drop_changes(store);
    store_drop_chunks(store);
    return STATUS_OK;
}

/* ---- taking back ---- */

/* Copies one stored transaction into another batch. */
static enum status copy_tx(struct batch *to, const struct batch_view *from, struct tx_view *tx)
{
    struct spend_record *spends = mem_alloc(tx->tx.spends, sizeof *spends);
    uint32_t *vouts = mem_alloc(tx->tx.tracked, sizeof *vouts);
    enum status status = spends && vouts ? STATUS_OK : STATUS_NOMEM;
    struct hash256 txid;
    for (uint32_t i = 0; i < tx->tx.tracked && status == STATUS_OK; i++)
        status = batch_outpoint(from, tx->tx.first_ordinal + i, &txid, &vouts[i]);
    for (uint32_t i = 0; i < tx->tx.spends && status == STATUS_OK; i++)
        status = tx_next_spend(tx, &spends[i]);
    if (status == STATUS_OK)
        status = batch_add_tx(to, &tx->tx, tx->outputs.at, cursor_left(&tx->outputs), vouts, spends);
    mem_free(spends);
    mem_free(vouts);
    return status;
}

/* Copies the blocks below height `blocks`; *tip gets the hash of the last. */
static enum status copy_blocks(struct batch *to, struct batch_view *from, uint32_t blocks, struct hash256 *tip)
{
    struct block_record block;
    struct tx_view tx;
    enum status status = STATUS_OK;
    to->partial = from->partial;
    batch_reset(to, from->first_height, from->first_tx, from->first_ordinal);
    while (status == STATUS_OK && from->first_height + to->block_count < blocks) {
        status = batch_next_block(from, &block);
        if (status == STATUS_OK)
            status = batch_begin_block(to, &block);
        while (status == STATUS_OK && (status = batch_next_tx(from, &tx)) == STATUS_OK)
            status = copy_tx(to, from, &tx);
        if (status == STATUS_NOT_FOUND)
            status = batch_end_block(to);
        if (status == STATUS_OK)
            *tip = block.hash;
    }
    return status == STATUS_NOT_FOUND ? STATUS_FORMAT : status;
}

/* What a rollback leaves: batches 0..keep-1, and the last of them with these bytes. */
struct rollback {
    const struct store *store;
    size_t keep;
    struct pending_batch last;
    struct store_totals totals;
};

static bool write_rollback(struct kv_txn *txn, void *context)
{
    const struct rollback *back = context;
    const struct store *store = back->store;
    uint8_t key[8], entry[ENTRY_SIZE], totals[TOTALS_SIZE];
    store_be64(key, back->keep);
    bool ok = kv_delete_from(txn, TABLE_BATCHES, key, sizeof key) &&
              kv_delete_from(txn, TABLE_DIRECTORY, key, sizeof key);
    if (back->keep > 0 && ok) {
        store_write_entry(&back->last.entry, entry);
        ok = put_numbered(txn, TABLE_BATCHES, back->keep - 1, 8, back->last.blob.bytes, back->last.blob.size) &&
             put_numbered(txn, TABLE_DIRECTORY, back->keep - 1, 8, entry, sizeof entry);
    }
    store_write_totals(&back->totals, store->generation + 1, totals);
    if (back->totals.blocks < store->snapshot.blocks)
        ok = ok && drop_snapshot(txn);
    return ok && store_put_meta(txn, "totals", totals, sizeof totals);
}

/* Encodes the batch that holds the cut anew, without what is dropped. */
static enum status prepare_rollback(struct store *store, uint32_t blocks, struct rollback *back, struct fault *fault)
{
    struct batch batch = {0};
    struct batch_view view = {0};
    if (blocks <= store->identity.first_height) {
        back->totals.blocks = store->identity.first_height;
        return STATUS_OK;
    }
    size_t last = store_entry_of_height(store, blocks - 1);
    enum status status = store_get_batch(store, store->view, last, &view, fault);
    if (status == STATUS_OK) /* a new checksum must not cover up a damage */
        status = store_check_sum(store, &view, fault);
    if (status != STATUS_OK)
        return status;
    status = copy_blocks(&batch, &view, blocks, &back->totals.tip);
    if (status == STATUS_OK) {
        back->keep = last + 1;
        back->totals.blocks = blocks;
        back->totals.txs = batch.first_tx + batch.tx_count;
        back->totals.tracked = batch.first_ordinal + batch.tracked;
        back->last.entry = (struct entry){batch.first_height, batch.block_count, batch.first_tx, batch.first_ordinal};
        back->last.blob.size = batch_size(&batch);
        back->last.blob.bytes = mem_alloc(back->last.blob.size, 1);
        if (back->last.blob.bytes)
            batch_write(&batch, back->last.blob.bytes);
        else
            status = STATUS_NOMEM;
    }
    batch_free(&batch);
    if (status == STATUS_NOMEM)
        return fault_nomem(fault);
    return status == STATUS_OK ? STATUS_OK : store_damaged(store, "a batch is malformed", fault);
}

enum status store_rollback(struct store *store, uint32_t blocks, struct fault *fault)
{
    assert(store->mode == STORE_WRITE && !store->block_open);
    enum status status = STATUS_OK;
    if (store->totals.blocks != store->committed.blocks)
        status = store_commit(store, fault);
    if (status != STATUS_OK || blocks >= store->committed.blocks)
        return status;
    struct rollback back = {.store = store};
    status = prepare_rollback(store, blocks, &back, fault);
    if (status == STATUS_OK)
        status = kv_write(store->kv, back.last.blob.size, write_rollback, &back, fault);
    if (status == STATUS_OK) {
        store->entries_count = back.keep;
        if (back.keep > 0)
            store->entries[back.keep - 1] = back.last.entry;
        store->committed = store->totals = back.totals;
        store->generation++;
        if (back.totals.blocks < store->snapshot.blocks)
            store->snapshot = (struct snapshot){0};
        store_begin_batch(store);
    }
    mem_free(back.last.blob.bytes);
    return status;
}

/* ---- files and snapshot ---- */

static bool copy_blob(struct blob *blob, const void *bytes, size_t size)
{
    blob->bytes = mem_alloc(size, 1);
    blob->size = size;
    if (blob->bytes && size > 0)
        memcpy(blob->bytes, bytes, size);
    return blob->bytes != NULL;
}

static enum status add_change(struct store *store, const struct file_change *change)
{
    enum status status = mem_reserve(&store->changes, &store->changes_capacity, store->changes_count + 1,
                                     sizeof *store->changes);
    if (status == STATUS_OK) {
        store->changes[store->changes_count++] = *change;
        store->changes_bytes += change->blob.size;
    }
    return status;
}

enum status store_put_file(struct store *store, uint32_t number, const void *value, size_t size, struct fault *fault)
{
    struct file_change change = {.number = number};
    if (!copy_blob(&change.blob, value, size) || add_change(store, &change) != STATUS_OK) {
        mem_free(change.blob.bytes);
        return fault_nomem(fault);
    }
    return STATUS_OK;
}

enum status store_drop_file(struct store *store, uint32_t number, struct fault *fault)
{
    struct file_change change = {.number = number};
    return add_change(store, &change) == STATUS_OK ? STATUS_OK : fault_nomem(fault);
}

enum status store_put_snapshot(struct store *store, uint32_t chunk, const void *bytes, size_t size, struct fault *fault)
{
    if (chunk == 0) {
        store_drop_chunks(store);
        store->chunks_first = 0;
        store->chunks_blocks = store->totals.blocks;
        store->chunks_given = true;
    }
    size_t n = store->chunks_count;
    assert(store->chunks_given && chunk == store->chunks_first + n && chunk < SNAPSHOT_CHUNKS_MAX);
    if (mem_reserve(&store->chunks, &store->chunks_capacity, n + 1, sizeof *store->chunks) != STATUS_OK ||
        !copy_blob(&store->chunks[n], bytes, size))
        return fault_nomem(fault);
    store->chunks_count++;
    store->chunks_bytes += size;
    if (store->chunks_bytes < SNAPSHOT_HELD)
        return STATUS_OK;
    enum status status = kv_write(store->kv, store_pending(store), write_chunks, store, fault);
    if (status == STATUS_OK) {
        store->chunks_first += (uint32_t)store->chunks_count;
        store_drop_chunks(store);
    }
    return status;
}
