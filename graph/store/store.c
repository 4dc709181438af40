#include "graph/store/store.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/random.h>

#include "graph/store/kv.h"
#include "parser/mem.h"
#include "parser/network.h"

#define BATCH_BYTES (256u << 10)  /* a batch is closed when it has so many bytes */
#define BATCH_BLOCKS 4096u        /* or so many blocks */
#define SNAPSHOT_CHUNKS_MAX 4096u
#define SNAPSHOT_HELD (16u << 20) /* bytes of snapshot chunks kept in memory */

enum table { TABLE_META, TABLE_BATCHES, TABLE_DIRECTORY, TABLE_FILES, TABLE_SNAPSHOT, TABLES };
static const char *const table_names[TABLES] = {"meta", "batches", "directory", "files", "snapshot"};
static const struct kv_words words = {.noun = "store", .verb = "scan"};

void store_map_step(size_t bytes) { kv_map_step(bytes); }

/* Values of the database "meta"; docs/store-format.md has the whole format. */
enum { IDENTITY_SIZE = 57, TOTALS_SIZE = 60, SNAPSHOT_SIZE = 12, ENTRY_SIZE = 24 };

/* Where a batch begins. */
struct entry {
    uint32_t first_height, blocks;
    uint64_t first_tx, first_ordinal;
};

struct blob {
    uint8_t *bytes;
    size_t size;
};

struct pending_batch {
    struct entry entry;
    struct blob blob;
};

/* What store_put_file (blob.bytes not NULL) and store_drop_file ask for. */
struct file_change {
    uint32_t number;
    struct blob blob;
};

struct store {
    enum store_mode mode;
    struct kv *kv;
    struct kv_view *view; /* the state that this store shows */
    struct store_identity identity;
    uint8_t seed[STORE_SEED_SIZE];
    struct store_totals committed, totals;
    uint64_t generation;    /* how often blocks were taken back: batches of one generation only grow in number */
    struct snapshot {
        uint32_t blocks;        /* that it belongs to; 0: there is none */
        uint32_t first, chunks; /* keys of the table: the chunks of a new one come behind those of the one before */
    } snapshot;                 /* the committed one */
    struct entry *entries;  /* committed batches */
    size_t entries_count, entries_capacity;

    /* Not committed. The lock is for readers that look an outpoint or a block up while the owner adds. */
    pthread_rwlock_t *pending_lock;
    struct pending_batch *pending;
    size_t pending_count, pending_capacity, pending_bytes;
    struct batch open;
    bool block_open;
    struct file_change *changes;
    size_t changes_count, changes_capacity, changes_bytes;
    struct blob *chunks;     /* of the new snapshot, from chunk chunks_first on: those before are written */
    size_t chunks_count, chunks_capacity, chunks_bytes;
    uint32_t chunks_first, chunks_blocks;
    bool chunks_given;
};

struct store_reader {
    const struct store *store;
    struct kv_view *view;
};

/* ---- small helpers ---- */

static enum status damaged(const struct store *store, const char *what, struct fault *fault)
{
    return kv_damaged(store->kv, what, fault);
}

static enum status get_numbered(const struct kv_view *view, enum table table, uint64_t number, size_t key_size,
                                const uint8_t **value, size_t *size, struct fault *fault)
{
    uint8_t key[8];
    store_be64(key, number);
    return kv_get(view, table, key + 8 - key_size, key_size, value, size, fault);
}

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

/* A value that every store has. */
static enum status get_meta(const struct store *store, const struct kv_view *view, const char *name,
                            const uint8_t **value, size_t *size, struct fault *fault)
{
    enum status status = kv_get(view, TABLE_META, name, strlen(name), value, size, fault);
    if (status == STATUS_NOT_FOUND)
        return fault_set(fault, STATUS_FORMAT, kv_data_path(store->kv), FAULT_NO_OFFSET, "this is not an unktx store");
    return status;
}

static bool put_meta(struct kv_txn *txn, const char *name, const void *bytes, size_t size)
{
    return kv_put(txn, TABLE_META, name, strlen(name), bytes, size);
}

/* ---- what meta and directory hold ---- */

static void write_identity(const struct store *store, uint8_t out[IDENTITY_SIZE])
{
    store_le32(out, STORE_VERSION);
    memcpy(out + 4, store->identity.magic, 4);
    memcpy(out + 8, store->identity.genesis.bytes, HASH256_SIZE);
    out[40] = store->identity.nulldata_stored;
    memcpy(out + 41, store->seed, STORE_SEED_SIZE);
}

static void write_totals(const struct store_totals *totals, uint64_t generation, uint8_t out[TOTALS_SIZE])
{
    store_le32(out, totals->blocks);
    store_le64(out + 4, totals->txs);
    store_le64(out + 12, totals->tracked);
    memcpy(out + 20, totals->tip.bytes, HASH256_SIZE);
    store_le64(out + 52, generation);
}

static enum status read_identity(struct store *store, struct fault *fault)
{
    const uint8_t *bytes;
    size_t size;
    enum status status = get_meta(store, store->view, "identity", &bytes, &size, fault);
    if (status != STATUS_OK)
        return status;
    if (size < 4)
        return damaged(store, "its identity is cut short", fault);
    uint32_t version = load_le32(bytes);
    if (version != STORE_VERSION)
        return fault_set(fault, STATUS_FORMAT, kv_data_path(store->kv), FAULT_NO_OFFSET,
                         "a store of version %u, this program knows version %u: %s", version, STORE_VERSION,
                         version > STORE_VERSION ? "use a newer unktx, or scan into another --store"
                                                 : "delete it and scan again");
    if (size != IDENTITY_SIZE || bytes[40] > 1)
        return damaged(store, "its identity is malformed", fault);
    memcpy(store->identity.magic, bytes + 4, 4);
    memcpy(store->identity.genesis.bytes, bytes + 8, HASH256_SIZE);
    store->identity.nulldata_stored = bytes[40];
    memcpy(store->seed, bytes + 41, STORE_SEED_SIZE);
    return STATUS_OK;
}

/* One that is malformed is none: a scan replaces it. */
static void read_snapshot(struct store *store, const uint8_t *bytes, size_t size)
{
    if (size != SNAPSHOT_SIZE)
        return;
    struct snapshot snapshot = {load_le32(bytes), load_le32(bytes + 4), load_le32(bytes + 8)};
    if (snapshot.chunks <= SNAPSHOT_CHUNKS_MAX && snapshot.first <= UINT32_MAX - 2 * SNAPSHOT_CHUNKS_MAX)
        store->snapshot = snapshot;
}

static enum status read_totals(struct store *store, struct fault *fault)
{
    const uint8_t *bytes;
    size_t size;
    enum status status = get_meta(store, store->view, "totals", &bytes, &size, fault);
    if (status != STATUS_OK)
        return status;
    if (size != TOTALS_SIZE)
        return damaged(store, "its totals are malformed", fault);
    store->committed.blocks = load_le32(bytes);
    store->committed.txs = load_le64(bytes + 4);
    store->committed.tracked = load_le64(bytes + 12);
    memcpy(store->committed.tip.bytes, bytes + 20, HASH256_SIZE);
    store->generation = load_le64(bytes + 52);
    store->totals = store->committed;
    status = kv_get(store->view, TABLE_META, "snapshot", strlen("snapshot"), &bytes, &size, fault);
    if (status == STATUS_OK)
        read_snapshot(store, bytes, size);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static void write_entry(const struct entry *entry, uint8_t out[ENTRY_SIZE])
{
    store_le32(out, entry->first_height);
    store_le32(out + 4, entry->blocks);
    store_le64(out + 8, entry->first_tx);
    store_le64(out + 16, entry->first_ordinal);
}

/* Takes in one entry of the directory, which must go on where the one before ends. */
static enum status take_entry(struct store *store, const struct kv_pair *pair, struct fault *fault)
{
    size_t n = store->entries_count;
    if (pair->key_size != 8 || load_be64(pair->key) != n || pair->value_size != ENTRY_SIZE)
        return damaged(store, "its directory is malformed", fault);
    const uint8_t *bytes = pair->value;
    struct entry entry = {load_le32(bytes), load_le32(bytes + 4), load_le64(bytes + 8), load_le64(bytes + 16)};
    const struct entry zero = {0}, *last = n > 0 ? &store->entries[n - 1] : &zero;
    if (entry.first_height != last->first_height + last->blocks || entry.blocks == 0 ||
        entry.blocks > UINT32_MAX - entry.first_height || entry.first_tx < last->first_tx ||
        entry.first_ordinal < last->first_ordinal || (n == 0 && (entry.first_tx != 0 || entry.first_ordinal != 0)))
        return damaged(store, "its directory is malformed", fault);
    if (mem_reserve(&store->entries, &store->entries_capacity, n + 1, sizeof entry) != STATUS_OK)
        return fault_nomem(fault);
    store->entries[store->entries_count++] = entry;
    return STATUS_OK;
}

static enum status read_directory(struct store *store, struct fault *fault)
{
    struct kv_cursor *cursor;
    struct kv_pair pair;
    store->entries_count = 0;
    enum status status = kv_cursor_open(store->view, TABLE_DIRECTORY, &cursor, fault);
    while (status == STATUS_OK && (status = kv_next(cursor, &pair, fault)) == STATUS_OK)
        status = take_entry(store, &pair, fault);
    kv_cursor_close(cursor);
    if (status != STATUS_NOT_FOUND)
        return status;
    const struct entry zero = {0}, *last = store->entries_count > 0 ? &store->entries[store->entries_count - 1] : &zero;
    if (last->first_height + last->blocks != store->committed.blocks || last->first_tx > store->committed.txs ||
        last->first_ordinal > store->committed.tracked)
        return damaged(store, "directory and totals differ", fault);
    return STATUS_OK;
}

/* ---- opening ---- */

/* The first values of a new store. */
static bool create(struct kv_txn *txn, void *context)
{
    const struct store *store = context;
    uint8_t bytes[IDENTITY_SIZE], totals[TOTALS_SIZE];
    write_identity(store, bytes);
    write_totals(&store->committed, 0, totals);
    return put_meta(txn, "identity", bytes, sizeof bytes) && put_meta(txn, "totals", totals, sizeof totals);
}

/* "regtest", or the magic of a network without a name. */
static const char *network_label(const uint8_t magic[4], char out[32])
{
    const struct network *network = network_by_magic(magic);
    if (network)
        snprintf(out, 32, "%s", network->name);
    else
        snprintf(out, 32, "signet-%02x%02x%02x%02x", magic[0], magic[1], magic[2], magic[3]);
    return out;
}

static enum status compare_identity(const struct store *store, const struct store_identity *asked, struct fault *fault)
{
    const struct store_identity *has = &store->identity;
    char mine[32], theirs[32];
    if (memcmp(has->magic, asked->magic, 4) != 0)
        return fault_set(fault, STATUS_REFUSED, kv_path(store->kv), FAULT_NO_OFFSET,
                         "the store holds %s, the data directory %s: choose another --store",
                         network_label(has->magic, mine), network_label(asked->magic, theirs));
    if (!hash256_equal(&has->genesis, &asked->genesis))
        return fault_set(fault, STATUS_REFUSED, kv_path(store->kv), FAULT_NO_OFFSET,
                         "the store's chain (%s) begins with another genesis block: choose another --store",
                         network_label(has->magic, mine));
    if (has->nulldata_stored != asked->nulldata_stored)
        return fault_set(fault, STATUS_REFUSED, kv_path(store->kv), FAULT_NO_OFFSET,
                         "the store was made with --nulldata %s, this scan has --nulldata %s: choose another --store",
                         has->nulldata_stored ? "store" : "count", asked->nulldata_stored ? "store" : "count");
    return STATUS_OK;
}

static enum status open_all(struct store *store, const char *path, const struct store_identity *identity,
                            struct fault *fault)
{
    if (identity)
        store->identity = *identity;
    if (getrandom(store->seed, sizeof store->seed, 0) != (ssize_t)sizeof store->seed)
        return fault_errno(fault, path, FAULT_NO_OFFSET, "no random numbers");
    enum status status = kv_open(path, store->mode == STORE_WRITE ? KV_WRITE : KV_READ, &words, table_names, TABLES,
                                 create, store, &store->kv, fault);
    if (status == STATUS_OK)
        status = kv_view_open(store->kv, &store->view, fault);
    if (status == STATUS_OK)
        status = read_identity(store, fault);
    if (status == STATUS_OK && identity && store->mode == STORE_WRITE)
        status = compare_identity(store, identity, fault);
    if (status == STATUS_OK)
        status = read_totals(store, fault);
    if (status == STATUS_OK)
        status = read_directory(store, fault);
    return status;
}

static void begin_batch(struct store *store)
{
    batch_reset(&store->open, store->totals.blocks, store->totals.txs, store->totals.tracked);
}

enum status store_open(const char *path, enum store_mode mode, const struct store_identity *identity,
                       struct store **store, struct fault *fault)
{
    assert(identity || mode == STORE_READ);
    *store = NULL;
    struct store *new = mem_alloc(1, sizeof *new);
    if (!new)
        return fault_nomem(fault);
    new->mode = mode;
    new->pending_lock = mem_alloc(1, sizeof *new->pending_lock);
    if (!new->pending_lock) {
        mem_free(new);
        return fault_nomem(fault);
    }
    pthread_rwlock_init(new->pending_lock, NULL);
    enum status status = open_all(new, path, identity, fault);
    if (status != STATUS_OK) {
        store_close(new);
        return status;
    }
    begin_batch(new);
    *store = new;
    return STATUS_OK;
}

static void drop_pending_batches(struct store *store)
{
    for (size_t i = 0; i < store->pending_count; i++)
        mem_free(store->pending[i].blob.bytes);
    store->pending_count = store->pending_bytes = 0;
}

static void drop_changes(struct store *store)
{
    for (size_t i = 0; i < store->changes_count; i++)
        mem_free(store->changes[i].blob.bytes);
    store->changes_count = store->changes_bytes = 0;
}

static void drop_chunks(struct store *store)
{
    for (size_t i = 0; i < store->chunks_count; i++)
        mem_free(store->chunks[i].bytes);
    store->chunks_count = store->chunks_bytes = 0;
}

void store_close(struct store *store)
{
    if (!store)
        return;
    kv_view_close(store->view);
    kv_close(store->kv);
    drop_pending_batches(store);
    drop_changes(store);
    drop_chunks(store);
    batch_free(&store->open);
    mem_free(store->pending);
    mem_free(store->changes);
    mem_free(store->chunks);
    mem_free(store->entries);
    pthread_rwlock_destroy(store->pending_lock);
    mem_free(store->pending_lock);
    mem_free(store);
}

const struct store_identity *store_identity_of(const struct store *store) { return &store->identity; }
const uint8_t *store_seed(const struct store *store) { return store->seed; }
struct store_totals store_totals_of(const struct store *store) { return store->totals; }
const char *store_path(const struct store *store) { return kv_path(store->kv); }

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
    slot->blob.bytes = mem_alloc(slot->blob.size, 1);
    if (!slot->blob.bytes)
        return STATUS_NOMEM;
    batch_write(open, slot->blob.bytes);
    store->pending_count++;
    store->pending_bytes += slot->blob.size;
    begin_batch(store);
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

/* The new snapshot stands beside the old one until a commit makes it the snapshot: the old one may be in use. */
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

/* One that blocks were added behind is none. */
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
    return ok && put_meta(txn, "snapshot", bytes, sizeof bytes);
}

static bool write_all(struct kv_txn *txn, void *context)
{
    struct store *store = context;
    bool ok = true;
    for (size_t i = 0; i < store->pending_count && ok; i++) {
        const struct pending_batch *batch = &store->pending[i];
        uint64_t number = store->entries_count + i;
        uint8_t entry[ENTRY_SIZE];
        write_entry(&batch->entry, entry);
        ok = append_numbered(txn, TABLE_BATCHES, number, 8, batch->blob.bytes, batch->blob.size) &&
             append_numbered(txn, TABLE_DIRECTORY, number, 8, entry, sizeof entry);
    }
    uint8_t totals[TOTALS_SIZE];
    write_totals(&store->totals, store->generation, totals);
    return ok && write_changes(store, txn) && write_snapshot(store, txn) &&
           put_meta(txn, "totals", totals, sizeof totals);
}

enum status store_commit(struct store *store, struct fault *fault)
{
    assert(store->mode == STORE_WRITE && !store->block_open);
    if (close_batch(store) != STATUS_OK ||
        mem_reserve(&store->entries, &store->entries_capacity, store->entries_count + store->pending_count,
                    sizeof *store->entries) != STATUS_OK)
        return fault_nomem(fault);
    enum status status = kv_write(store->kv, store_pending(store), write_all, store, fault);
    if (status != STATUS_OK)
        return status;
    for (size_t i = 0; i < store->pending_count; i++)
        store->entries[store->entries_count++] = store->pending[i].entry;
    if (snapshot_is_new(store))
        store->snapshot = (struct snapshot){store->totals.blocks, chunks_key(store),
                                            store->chunks_first + (uint32_t)store->chunks_count};
    store->committed = store->totals;
    store->chunks_given = false;
    drop_pending_batches(store);
    drop_changes(store);
    drop_chunks(store);
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
        write_entry(&back->last.entry, entry);
        ok = put_numbered(txn, TABLE_BATCHES, back->keep - 1, 8, back->last.blob.bytes, back->last.blob.size) &&
             put_numbered(txn, TABLE_DIRECTORY, back->keep - 1, 8, entry, sizeof entry);
    }
    write_totals(&back->totals, store->generation + 1, totals);
    if (back->totals.blocks < store->snapshot.blocks)
        ok = ok && drop_snapshot(txn);
    return ok && put_meta(txn, "totals", totals, sizeof totals);
}

static size_t entry_of_height(const struct store *store, uint32_t height);
static enum status get_batch(const struct store *store, const struct kv_view *from, size_t batch,
                             struct batch_view *view, struct fault *fault);
static enum status check_sum(const struct store *store, const struct batch_view *view, struct fault *fault);

/* Encodes the batch that holds the cut anew, without what is dropped. */
static enum status prepare_rollback(struct store *store, uint32_t blocks, struct rollback *back, struct fault *fault)
{
    struct batch batch = {0};
    struct batch_view view = {0};
    if (blocks == 0)
        return STATUS_OK;
    size_t last = entry_of_height(store, blocks - 1);
    enum status status = get_batch(store, store->view, last, &view, fault);
    if (status == STATUS_OK) /* a new checksum must not cover up a damage */
        status = check_sum(store, &view, fault);
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
    return status == STATUS_OK ? STATUS_OK : damaged(store, "a batch is malformed", fault);
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
        begin_batch(store);
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

enum status store_each_file(const struct store *store, store_file_fn *fn, void *context, struct fault *fault)
{
    struct kv_cursor *cursor;
    struct kv_pair pair;
    bool ended = false; /* by fn, not by the end of the table */
    enum status status = kv_cursor_open(store->view, TABLE_FILES, &cursor, fault);
    while (status == STATUS_OK && (status = kv_next(cursor, &pair, fault)) == STATUS_OK) {
        if (pair.key_size != 4)
            status = damaged(store, "the number of a file is malformed", fault);
        else
            status = fn(context, load_be32(pair.key), pair.value, pair.value_size);
        ended = status != STATUS_OK;
    }
    kv_cursor_close(cursor);
    return status == STATUS_NOT_FOUND && !ended ? STATUS_OK : status;
}

enum status store_put_snapshot(struct store *store, uint32_t chunk, const void *bytes, size_t size, struct fault *fault)
{
    if (chunk == 0) {
        drop_chunks(store);
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
        drop_chunks(store);
    }
    return status;
}

uint32_t store_snapshot_blocks(const struct store *store) { return store->snapshot.blocks; }

enum status store_get_snapshot(const struct store *store, uint32_t chunk, const uint8_t **bytes, size_t *size,
                               struct fault *fault)
{
    enum status status = STATUS_NOT_FOUND;
    if (store->snapshot.blocks > 0 && chunk < store->snapshot.chunks)
        status = get_numbered(store->view, TABLE_SNAPSHOT, store->snapshot.first + chunk, 4, bytes, size, fault);
    if (status == STATUS_NOT_FOUND)
        return fault_set(fault, status, kv_data_path(store->kv), FAULT_NO_OFFSET, "no such chunk of a snapshot");
    return status;
}

enum status store_get_file(const struct store *store, uint32_t number, const uint8_t **value, size_t *size,
                           struct fault *fault)
{
    enum status status = get_numbered(store->view, TABLE_FILES, number, 4, value, size, fault);
    if (status == STATUS_NOT_FOUND)
        return fault_set(fault, status, kv_data_path(store->kv), FAULT_NO_OFFSET, "nothing is known of blk file %u",
                         number);
    return status;
}

/* ---- reading ---- */

/* The batches that the store knows are those of its generation; another process may have changed them since. */
static enum status check_generation(const struct store_reader *reader, struct fault *fault)
{
    const uint8_t *value;
    size_t size;
    enum status status = get_meta(reader->store, reader->view, "totals", &value, &size, fault);
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
    kv_view_close(reader->view);
    mem_free(reader);
}

enum status store_reader_refresh(struct store_reader *reader, struct fault *fault)
{
    enum status status = kv_view_refresh(reader->view, fault);
    return status == STATUS_OK ? check_generation(reader, fault) : status;
}

size_t store_batches(const struct store_reader *reader) { return reader->store->entries_count; }

static enum status get_batch(const struct store *store, const struct kv_view *from, size_t batch,
                             struct batch_view *view, struct fault *fault)
{
    const uint8_t *bytes;
    size_t size;
    assert(batch < store->entries_count);
    const struct entry *entry = &store->entries[batch];
    enum status status = get_numbered(from, TABLE_BATCHES, batch, 8, &bytes, &size, fault);
    if (status == STATUS_NOT_FOUND)
        return damaged(store, "a batch is missing", fault);
    if (status != STATUS_OK)
        return status;
    if (batch_view_open(view, bytes, size) != STATUS_OK || view->first_height != entry->first_height ||
        view->block_count != entry->blocks || view->first_tx != entry->first_tx ||
        view->first_ordinal != entry->first_ordinal)
        return damaged(store, "a batch is malformed", fault);
    return STATUS_OK;
}

enum status store_batch(const struct store_reader *reader, size_t batch, struct batch_view *view, struct fault *fault)
{
    return get_batch(reader->store, reader->view, batch, view, fault);
}

static enum status check_sum(const struct store *store, const struct batch_view *view, struct fault *fault)
{
    char what[64];
    if (batch_view_intact(view))
        return STATUS_OK;
    snprintf(what, sizeof what, "the checksum of the batch from block %u on", view->first_height);
    return damaged(store, what, fault);
}

enum status store_whole_batch(const struct store_reader *reader, size_t batch, struct batch_view *view,
                              struct fault *fault)
{
    enum status status = store_batch(reader, batch, view, fault);
    return status == STATUS_OK ? check_sum(reader->store, view, fault) : status;
}

/* The last batch that begins at or below the height; there is one. */
static size_t entry_of_height(const struct store *store, uint32_t height)
{
    size_t low = 0, high = store->entries_count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (store->entries[middle].first_height <= height)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* Of batches that begin with the same ordinal only the last has outputs, and that is what this finds. */
static size_t entry_of_ordinal(const struct store *store, uint64_t ordinal)
{
    size_t low = 0, high = store->entries_count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (store->entries[middle].first_ordinal <= ordinal)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static enum status no_block(const struct store *store, uint32_t height, struct fault *fault)
{
    return fault_set(fault, STATUS_NOT_FOUND, kv_path(store->kv), FAULT_NO_OFFSET,
                     "the store has no block of height %u", height);
}

enum status store_batch_of_height(const struct store_reader *reader, uint32_t height, size_t *batch,
                                  struct fault *fault)
{
    if (height >= reader->store->committed.blocks)
        return no_block(reader->store, height, fault);
    *batch = entry_of_height(reader->store, height);
    return STATUS_OK;
}

/* The last pending batch (the open one not counted) that begins at or below the height or ordinal; pending_count: none.
 */
static size_t pending_of(const struct store *store, uint64_t wanted, bool by_height)
{
    size_t low = 0, high = store->pending_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct entry *entry = &store->pending[middle].entry;
        if ((by_height ? entry->first_height : entry->first_ordinal) <= wanted)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 ? low - 1 : store->pending_count;
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
        status = store_batch(reader, entry_of_ordinal(store, ordinal), &view, fault);
        if (status != STATUS_OK)
            return status;
        status = batch_outpoint(&view, ordinal, txid, vout);
    } else {
        pthread_rwlock_rdlock(store->pending_lock);
        status = pending_outpoint(store, ordinal, txid, vout);
        pthread_rwlock_unlock(store->pending_lock);
    }
    return status == STATUS_OK ? STATUS_OK : damaged(store, "an output that is spent is missing", fault);
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
    if (height < store->committed.blocks) {
        status = store_batch(reader, entry_of_height(store, height), &view, fault);
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
    return status == STATUS_OK ? STATUS_OK : damaged(store, "a block is missing", fault);
}
