#include "graph/store/store_parts.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "parser/mem.h"
#include "parser/network.h"

static const char *const table_names[TABLES] = {"meta", "batches", "directory", "files", "snapshot"};
static const struct kv_words words = {.noun = "store", .verb = "scan"};
static const struct kv_words marked_words = {.noun = "store", .verb = "hidden --dags"};

/* What makes the store again. */
static const struct kv_words *words_of(const char *path)
{
    char marks[sizeof((struct fault *)0)->path + sizeof "/" STORE_MARKS];
    struct stat info;
    snprintf(marks, sizeof marks, "%s/" STORE_MARKS, path);
    return stat(marks, &info) == 0 ? &marked_words : &words;
}

/* ---- what meta and directory hold ---- */

/* Returns its size. */
static size_t write_identity(const struct store *store, uint8_t out[IDENTITY_PARTIAL_SIZE])
{
    bool partial = store->identity.first_height > 0;
    store_le32(out, partial ? STORE_VERSION_PARTIAL : STORE_VERSION);
    memcpy(out + 4, store->identity.magic, 4);
    memcpy(out + 8, store->identity.genesis.bytes, HASH256_SIZE);
    out[40] = store->identity.nulldata_stored;
    memcpy(out + 41, store->seed, STORE_SEED_SIZE);
    store_le32(out + IDENTITY_SIZE, store->identity.first_height);
    memcpy(out + IDENTITY_SIZE + 4, store->identity.first_block.bytes, HASH256_SIZE);
    return partial ? IDENTITY_PARTIAL_SIZE : IDENTITY_SIZE;
}

static enum status read_identity(struct store *store, struct fault *fault)
{
    const uint8_t *bytes;
    size_t size;
    enum status status = store_get_meta(store, store->view, "identity", &bytes, &size, fault);
    if (status != STATUS_OK)
        return status;
    if (size < 4)
        return store_damaged(store, "its identity is cut short", fault);
    uint32_t version = load_le32(bytes);
    bool partial = version == STORE_VERSION_PARTIAL;
    if (version != STORE_VERSION && !partial)
        return fault_set(fault, STATUS_FORMAT, kv_data_path(store->kv), FAULT_NO_OFFSET,
                         "a store of version %u, this program knows versions %u and %u: %s'unktx %s'%s", version,
                         STORE_VERSION, STORE_VERSION_PARTIAL,
                         version > STORE_VERSION_PARTIAL ? "use a newer unktx, or " : "delete it and run ",
                         store->words->verb, version > STORE_VERSION_PARTIAL ? " with another --store" : " again");
    if (size != (partial ? IDENTITY_PARTIAL_SIZE : IDENTITY_SIZE) || bytes[40] > 1 ||
        (partial && load_le32(bytes + IDENTITY_SIZE) - 1 >= STORE_FIRST_HEIGHT_MAX))
        return store_damaged(store, "its identity is malformed", fault);
    store->identity.first_height = partial ? load_le32(bytes + IDENTITY_SIZE) : 0;
    if (partial)
        memcpy(store->identity.first_block.bytes, bytes + IDENTITY_SIZE + 4, HASH256_SIZE);
    memcpy(store->identity.magic, bytes + 4, 4);
    memcpy(store->identity.genesis.bytes, bytes + 8, HASH256_SIZE);
    store->identity.nulldata_stored = bytes[40];
    memcpy(store->seed, bytes + 41, STORE_SEED_SIZE);
    return STATUS_OK;
}

/* A malformed snapshot counts as none: a scan replaces it. */
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
    enum status status = store_get_meta(store, store->view, "totals", &bytes, &size, fault);
    if (status != STATUS_OK)
        return status;
    if (size != TOTALS_SIZE)
        return store_damaged(store, "its totals are malformed", fault);
    store->committed.blocks = load_le32(bytes);
    store->committed.txs = load_le64(bytes + 4);
    store->committed.tracked = load_le64(bytes + 12);
    memcpy(store->committed.tip.bytes, bytes + 20, HASH256_SIZE);
    store->generation = load_le64(bytes + 52);
    if (store->committed.blocks < store->identity.first_height)
        return store_damaged(store, "its totals are malformed", fault);
    store->totals = store->committed;
    status = kv_get(store->view, TABLE_META, "snapshot", strlen("snapshot"), &bytes, &size, fault);
    if (status == STATUS_OK)
        read_snapshot(store, bytes, size);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* Takes in one entry of the directory, which must go on where the one before ends. */
static enum status take_entry(struct store *store, const struct kv_pair *pair, struct fault *fault)
{
    size_t n = store->entries_count;
    if (pair->key_size != 8 || load_be64(pair->key) != n || pair->value_size != ENTRY_SIZE)
        return store_damaged(store, "its directory is malformed", fault);
    const uint8_t *bytes = pair->value;
    struct entry entry = {load_le32(bytes), load_le32(bytes + 4), load_le64(bytes + 8), load_le64(bytes + 16)};
    const struct entry begin = {.first_height = store->identity.first_height};
    const struct entry *last = n > 0 ? &store->entries[n - 1] : &begin;
    if (entry.first_height != last->first_height + last->blocks || entry.blocks == 0 ||
        entry.blocks > UINT32_MAX - entry.first_height || entry.first_tx < last->first_tx ||
        entry.first_ordinal < last->first_ordinal || (n == 0 && (entry.first_tx != 0 || entry.first_ordinal != 0)))
        return store_damaged(store, "its directory is malformed", fault);
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
    const struct entry begin = {.first_height = store->identity.first_height};
    const struct entry *last = store->entries_count > 0 ? &store->entries[store->entries_count - 1] : &begin;
    if (last->first_height + last->blocks != store->committed.blocks || last->first_tx > store->committed.txs ||
        last->first_ordinal > store->committed.tracked)
        return store_damaged(store, "directory and totals differ", fault);
    return STATUS_OK;
}

/* ---- opening ---- */

/* The first values of a new store. */
static bool create(struct kv_txn *txn, void *context)
{
    const struct store *store = context;
    uint8_t bytes[IDENTITY_PARTIAL_SIZE], totals[TOTALS_SIZE];
    size_t size = write_identity(store, bytes);
    store_write_totals(&store->committed, store->generation, totals);
    return store_put_meta(txn, "identity", bytes, size) && store_put_meta(txn, "totals", totals, sizeof totals);
}

/* Another store is named with it. */
static const char *option_of(const struct store_identity *asked) { return asked->option ? asked->option : "--store"; }

static enum status compare_identity(const struct store *store, const struct store_identity *asked, struct fault *fault)
{
    const struct store_identity *has = &store->identity;
    char mine[NETWORK_LABEL_SIZE], theirs[NETWORK_LABEL_SIZE];
    if (memcmp(has->magic, asked->magic, 4) != 0)
        return fault_set(fault, STATUS_REFUSED, kv_path(store->kv), FAULT_NO_OFFSET,
                         "the store holds %s, the data directory %s: choose another %s",
                         network_label(has->magic, mine), network_label(asked->magic, theirs), option_of(asked));
    if (!hash256_equal(&has->genesis, &asked->genesis))
        return fault_set(fault, STATUS_REFUSED, kv_path(store->kv), FAULT_NO_OFFSET,
                         "the store's chain (%s) begins with another genesis block: choose another %s",
                         network_label(has->magic, mine), option_of(asked));
    return STATUS_OK;
}

/* A store without blocks, such as an index makes, takes what the scan says. */
static enum status compare_nulldata(struct store *store, const struct store_identity *asked, struct fault *fault)
{
    bool has = store->identity.nulldata_stored;
    if (has == asked->nulldata_stored || asked->nulldata_any)
        return STATUS_OK;
    if (!store_is_empty(store))
        return fault_set(
            fault, STATUS_REFUSED, kv_path(store->kv), FAULT_NO_OFFSET,
            "the store was made with --nulldata %s, this scan has --nulldata %s: go on with --nulldata %s, or "
            "choose another %s",
            has ? "store" : "count", has ? "count" : "store", has ? "store" : "count", option_of(asked));
    store->identity.nulldata_stored = asked->nulldata_stored;
    return kv_write(store->kv, 0, create, store, fault);
}

static enum status open_all(struct store *store, const char *path, const struct store_identity *identity,
                            struct fault *fault)
{
    if (identity)
        store->identity = *identity;
    store->identity.option = NULL;    /* of the asking alone */
    store->identity.first_height = 0; /* until store_begin_at */
    store->words = words_of(path);
    if (getrandom(store->seed, sizeof store->seed, 0) != (ssize_t)sizeof store->seed)
        return fault_errno(fault, path, FAULT_NO_OFFSET, "no random numbers");
    enum status status = kv_open(path, store->mode == STORE_WRITE ? KV_WRITE : KV_READ, store->words, table_names,
                                 TABLES, create, store, &store->kv, fault);
    if (status == STATUS_OK)
        status = kv_view_open(store->kv, &store->view, fault);
    if (status == STATUS_OK)
        status = read_identity(store, fault);
    if (status == STATUS_OK && identity && store->mode == STORE_WRITE)
        status = compare_identity(store, identity, fault);
    if (status == STATUS_OK)
        status = read_totals(store, fault);
    if (status == STATUS_OK && identity && store->mode == STORE_WRITE)
        status = compare_nulldata(store, identity, fault);
    if (status == STATUS_OK)
        status = read_directory(store, fault);
    return status;
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
    if (status == STATUS_OK)
        status = forms_new(path, &new->forms, fault);
    if (status != STATUS_OK) {
        store_close(new);
        return status;
    }
    store_begin_batch(new);
    *store = new;
    return STATUS_OK;
}

void store_close(struct store *store)
{
    if (!store)
        return;
    kv_view_close(store->view);
    kv_close(store->kv);
    forms_close(store->forms);
    store_drop_pending(store);
    store_drop_changes(store);
    store_drop_chunks(store);
    batch_free(&store->open);
    mem_free(store->pending);
    mem_free(store->changes);
    mem_free(store->chunks);
    mem_free(store->entries);
    mem_free(store->main_path);
    pthread_rwlock_destroy(store->pending_lock);
    mem_free(store->pending_lock);
    mem_free(store);
}

const struct store_identity *store_identity_of(const struct store *store) { return &store->identity; }
const char *store_made_by(const struct store *store) { return store->words->verb; }
const uint8_t *store_seed(const struct store *store) { return store->seed; }
struct store_totals store_totals_of(const struct store *store) { return store->totals; }
const char *store_path(const struct store *store) { return kv_path(store->kv); }

const char *store_main_path(const struct store *store)
{
    return store->main_path ? store->main_path : store_path(store);
}

enum status store_lies_in(struct store *store, const char *main, struct fault *fault)
{
    size_t size = strlen(main) + 1;
    char *copy = mem_alloc(size, 1);
    if (!copy)
        return fault_nomem(fault);
    memcpy(copy, main, size);
    mem_free(store->main_path);
    store->main_path = copy;
    return STATUS_OK;
}

struct forms *store_forms(const struct store *store) { return store->forms; }
bool store_is_empty(const struct store *store) { return store->totals.blocks == store->identity.first_height; }
uint32_t store_first_height(const struct store *store) { return store->identity.first_height; }

enum status store_begin_at(struct store *store, uint32_t height, const struct hash256 *block, struct fault *fault)
{
    assert(store->mode == STORE_WRITE && store_is_empty(store) && !store->block_open);
    struct store_identity before = store->identity;
    store->identity.first_height = height;
    if (height > 0)
        store->identity.first_block = *block;
    store->committed = store->totals = (struct store_totals){.blocks = height};
    enum status status = kv_write(store->kv, 0, create, store, fault);
    if (status != STATUS_OK) {
        store->identity = before;
        store->committed = store->totals = (struct store_totals){.blocks = before.first_height};
    }
    store_begin_batch(store);
    return status;
}
