#include "graph/store/store_parts.h"

#include "parser/mem.h"

/* ---- values of the tables ---- */

enum status store_damaged(const struct store *store, const char *what, struct fault *fault)
{
    return kv_damaged(store->kv, what, fault);
}

enum status store_get_numbered(const struct kv_view *view, enum table table, uint64_t number, size_t key_size,
                               const uint8_t **value, size_t *size, struct fault *fault)
{
    uint8_t key[8];
    store_be64(key, number);
    return kv_get(view, table, key + 8 - key_size, key_size, value, size, fault);
}

enum status store_get_meta(const struct store *store, const struct kv_view *view, const char *name,
                           const uint8_t **value, size_t *size, struct fault *fault)
{
    enum status status = kv_get(view, TABLE_META, name, strlen(name), value, size, fault);
    if (status == STATUS_NOT_FOUND)
        return fault_set(fault, STATUS_FORMAT, kv_data_path(store->kv), FAULT_NO_OFFSET, "this is not an unktx store");
    return status;
}

bool store_put_meta(struct kv_txn *txn, const char *name, const void *bytes, size_t size)
{
    return kv_put(txn, TABLE_META, name, strlen(name), bytes, size);
}

void store_write_totals(const struct store_totals *totals, uint64_t generation, uint8_t out[TOTALS_SIZE])
{
    store_le32(out, totals->blocks);
    store_le64(out + 4, totals->txs);
    store_le64(out + 12, totals->tracked);
    memcpy(out + 20, totals->tip.bytes, HASH256_SIZE);
    store_le64(out + 52, generation);
}

void store_write_entry(const struct entry *entry, uint8_t out[ENTRY_SIZE])
{
    store_le32(out, entry->first_height);
    store_le32(out + 4, entry->blocks);
    store_le64(out + 8, entry->first_tx);
    store_le64(out + 16, entry->first_ordinal);
}

/* ---- what is not committed ---- */

void store_begin_batch(struct store *store)
{
    store->open.partial = store->identity.first_height > 0;
    batch_reset(&store->open, store->totals.blocks, store->totals.txs, store->totals.tracked);
}

void store_drop_pending(struct store *store)
{
    for (size_t i = 0; i < store->pending_count; i++)
        mem_free(store->pending[i].blob.bytes);
    store->pending_count = store->pending_bytes = 0;
}

void store_drop_changes(struct store *store)
{
    for (size_t i = 0; i < store->changes_count; i++)
        mem_free(store->changes[i].blob.bytes);
    store->changes_count = store->changes_bytes = 0;
}

void store_drop_chunks(struct store *store)
{
    for (size_t i = 0; i < store->chunks_count; i++)
        mem_free(store->chunks[i].bytes);
    store->chunks_count = store->chunks_bytes = 0;
}
