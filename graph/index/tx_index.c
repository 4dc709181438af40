#include "graph/index/reader.h"

#include <pthread.h>
#include <stdio.h>

#include "parser/blkfile.h"
#include "parser/block.h"
#include "parser/mem.h"

/* LMDB allows one environment a file and process, so the indexes of a process share it. */
struct shared {
    char path[4096];
    struct kv *kv;
    unsigned users;
    bool seen;
    uint8_t state[STATE_SIZE]; /* that its users see */
    struct shared *next;
};
static pthread_mutex_t shared_lock = PTHREAD_MUTEX_INITIALIZER;
static struct shared *shared_first;

/* ---- opening ---- */

enum status index_damaged(const struct tx_index *index, const char *what, struct fault *fault)
{
    return kv_damaged(index->kv, what, fault);
}

static enum status read_meta(struct tx_index *index, struct fault *fault)
{
    const uint8_t *bytes;
    size_t size;
    enum status status = kv_get(index->view, TABLE_META, "identity", 8, &bytes, &size, fault);
    if (status == STATUS_NOT_FOUND || (status == STATUS_OK && size < 4))
        return damaged(index, "no identity", fault);
    if (status != STATUS_OK)
        return status;
    if (load_le32(bytes) != INDEX_VERSION)
        return fault_set(fault, STATUS_FORMAT, kv_data_path(index->kv), FAULT_NO_OFFSET,
                         "an index of version %u, this program knows version %u: delete it and index again",
                         load_le32(bytes), INDEX_VERSION);
    if (size != IDENTITY_SIZE)
        return damaged(index, "its identity is malformed", fault);
    struct index_totals identity = {0};
    memcpy(identity.magic, bytes + 4, 4);
    memcpy(identity.genesis.bytes, bytes + 8, HASH256_SIZE);
    memcpy(index->seed, bytes + 40, INDEX_SEED_SIZE);
    status = kv_get(index->view, TABLE_META, "state", 5, &bytes, &size, fault);
    if (status == STATUS_NOT_FOUND || (status == STATUS_OK && !index_state_read(bytes, size, &index->state)))
        return damaged(index, "its totals are malformed", fault);
    memcpy(index->state.totals.magic, identity.magic, 4);
    index->state.totals.genesis = identity.genesis;
    if (status != STATUS_OK)
        return status;
    status = kv_get(index->view, TABLE_META, "begun", 5, &bytes, &size, fault);
    if (status == STATUS_OK && size == INDEX_BEGUN_SIZE)
        memcpy(index->begun, bytes, INDEX_BEGUN_SIZE);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status; /* of an older version, or of no build yet */
}

static enum status begin(struct tx_index *index, struct fault *fault)
{
    enum status status = kv_view_open(index->kv, &index->view, fault);
    if (status == STATUS_OK)
        status = read_meta(index, fault);
    for (unsigned i = 0; i < INDEX_TABLE_COUNT && status == STATUS_OK; i++)
        status = kv_cursor_open(index->view, i, &index->cursors[i], fault);
    index_hasher_init(&index->hasher, index->seed);
    return status;
}

enum status index_check_pages(const struct tx_index *index, struct fault *fault)
{
    return kv_check_pages(index->kv, fault);
}

enum status index_open_on(struct kv *kv, struct tx_index **out, struct fault *fault)
{
    *out = NULL;
    struct tx_index *index = mem_alloc_apart(1, sizeof *index);
    if (!index)
        return fault_nomem(fault);
    index->kv = kv;
    enum status status = begin(index, fault);
    if (status == STATUS_OK)
        *out = index;
    else
        index_close(index);
    return status;
}

enum status index_open_windows(struct tx_index *index, struct fault *fault)
{
    enum status status = STATUS_OK;
    for (unsigned i = 0; i < WINDOWS && status == STATUS_OK; i++)
        status = kv_window_open(index->view, &index->windows[i], fault);
    return status;
}

/* The environment of that folder, opened or found; under the lock. */
static enum status share(const char *path, struct shared **out, struct fault *fault)
{
    struct shared *shared = shared_first;
    while (shared && strcmp(shared->path, path) != 0)
        shared = shared->next;
    if (!shared) {
        shared = mem_alloc(1, sizeof *shared);
        if (!shared)
            return fault_nomem(fault);
        snprintf(shared->path, sizeof shared->path, "%s", path);
        enum status status = kv_open(path, KV_READ, &index_words, index_table_names, INDEX_TABLE_COUNT, NULL, NULL,
                                     &shared->kv, fault);
        if (status != STATUS_OK) {
            mem_free(shared);
            return status;
        }
        shared->next = shared_first;
        shared_first = shared;
    }
    shared->users++;
    *out = shared;
    return STATUS_OK;
}

static void unshare(struct shared *shared)
{
    pthread_mutex_lock(&shared_lock);
    if (--shared->users == 0) {
        struct shared **at = &shared_first;
        while (*at != shared)
            at = &(*at)->next;
        *at = shared->next;
        kv_close(shared->kv);
        mem_free(shared);
    }
    pthread_mutex_unlock(&shared_lock);
}

/* Those that share an environment read the same index, or the second one is refused. */
static bool is_as_seen(const struct tx_index *index)
{
    uint8_t state[STATE_SIZE];
    struct shared *shared = index->shared;
    index_state_write(&index->state, state);
    pthread_mutex_lock(&shared_lock);
    if (!shared->seen)
        memcpy(shared->state, state, sizeof state);
    shared->seen = true;
    bool same = memcmp(shared->state, state, sizeof state) == 0;
    pthread_mutex_unlock(&shared_lock);
    return same;
}

static enum status look_at_state(struct tx_index *index, struct fault *fault)
{
    const char *path = kv_path(index->kv);
    if (index->state.totals.blocks == 0)
        return fault_set(fault, STATUS_NOT_FOUND, path, FAULT_NO_OFFSET,
                         "the index has no blocks yet: run 'unktx index', or wait for the one that runs");
    if (!is_as_seen(index))
        return fault_set(fault, STATUS_BUSY, path, FAULT_NO_OFFSET,
                         "another 'unktx index' changed the index meanwhile: run the command again");
    return index_check_end(index, &index->state.totals, fault);
}

enum status index_open(const char *path, struct tx_index **out, struct fault *fault)
{
    char folder[4096];
    *out = NULL;
    int size = snprintf(folder, sizeof folder, "%s/tio", path);
    if (size < 0 || (size_t)size >= sizeof folder)
        return fault_set(fault, STATUS_LIMIT, path, FAULT_NO_OFFSET, "the path of the index is too long");
    struct shared *shared = NULL;
    pthread_mutex_lock(&shared_lock);
    enum status status = share(folder, &shared, fault);
    pthread_mutex_unlock(&shared_lock);
    if (status != STATUS_OK)
        return status;
    status = index_open_on(shared->kv, out, fault);
    if (status != STATUS_OK) {
        unshare(shared);
        return status;
    }
    (*out)->shared = shared;
    status = look_at_state(*out, fault);
    if (status != STATUS_OK) {
        index_close(*out);
        *out = NULL;
    }
    return status;
}

void index_close(struct tx_index *index)
{
    if (!index)
        return;
    for (unsigned i = 0; i < INDEX_TABLE_COUNT; i++)
        kv_cursor_close(index->cursors[i]);
    for (unsigned i = 0; i < WINDOWS; i++)
        kv_window_close(index->windows[i]);
    kv_view_close(index->view);
    if (index->shared)
        unshare(index->shared);
    mem_free(index);
}

struct index_totals index_totals_of(const struct tx_index *index) { return index->state.totals; }
const struct index_state *index_state_of(const struct tx_index *index) { return &index->state; }
const uint8_t *index_seed_of(const struct tx_index *index) { return index->seed; }
const uint8_t *index_begun_of(const struct tx_index *index) { return index->begun; }

enum status index_has_no(const struct tx_index *index, const char *what, uint64_t number, struct fault *fault)
{
    return fault_set(fault, STATUS_NOT_FOUND, kv_path(index->kv), FAULT_NO_OFFSET, "the index has no %s %llu", what,
                     (unsigned long long)number);
}

/* ---- blocks ---- */

/* Whether the block can be one of so many: what it has is counted from there on, and memory reserved for its bytes. */
static bool is_within(const struct block_entry *entry, const struct index_totals *totals)
{
    const struct index_block *block = &entry->block;
    return block->txs > 0 && block->first_tx + block->txs <= totals->txs && entry->first_input <= totals->inputs &&
           entry->first_output <= totals->outputs && block->offset >= BLK_FRAME_SIZE && block->size <= BLOCK_SIZE_MAX;
}

enum status index_block_entry(struct tx_index *index, uint32_t height, struct block_entry *entry, struct fault *fault)
{
    if (height >= index->state.totals.blocks)
        return index_has_no(index, "block of height", height, fault);
    uint8_t key[4];
    const uint8_t *bytes;
    size_t size, at = height % BLOCKS_A_PAGE * BLOCK_SIZE;
    store_be32(key, height / BLOCKS_A_PAGE);
    enum status status = kv_get(index->view, TABLE_BLOCKS, key, sizeof key, &bytes, &size, fault);
    if (status == STATUS_NOT_FOUND || (status == STATUS_OK && size < at + BLOCK_SIZE))
        return damaged(index, "a page of blocks is missing", fault);
    if (status != STATUS_OK)
        return status;
    index_block_read(bytes + at, entry);
    bool sound = entry->block.height == height && is_within(entry, &index->state.totals);
    return sound ? STATUS_OK : damaged(index, "a block is malformed", fault);
}

enum status index_block_at(struct tx_index *index, uint32_t height, struct index_block *block, struct fault *fault)
{
    struct block_entry entry;
    enum status status = index_block_entry(index, height, &entry, fault);
    if (status == STATUS_OK)
        *block = entry.block;
    return status;
}

enum status index_check_end(struct tx_index *index, const struct index_totals *totals, struct fault *fault)
{
    struct index_block block = {0};
    struct index_tx tx = {0};
    if (totals->blocks == 0)
        return STATUS_OK;
    enum status status = index_block_at(index, totals->blocks - 1, &block, fault);
    if (status == STATUS_OK)
        status = index_tx_at(index, totals->txs - 1, &tx, fault);
    if (status != STATUS_OK)
        return status;
    bool same = hash256_equal(&block.hash, &totals->tip) && block.first_tx + block.txs == totals->txs &&
                tx.height == block.height && tx.first_input + tx.inputs == totals->inputs &&
                tx.first_output + tx.outputs == totals->outputs;
    return same ? STATUS_OK : damaged(index, "its totals are not those of its blocks", fault);
}

enum status index_block_find(struct tx_index *index, const struct hash256 *hash, struct index_block *block,
                             struct fault *fault)
{
    const uint8_t *bytes;
    size_t size;
    enum status status = kv_get(index->view, TABLE_HEIGHTS, hash->bytes, HASH256_SIZE, &bytes, &size, fault);
    if (status == STATUS_OK && size != 4)
        return damaged(index, "the height of a block is malformed", fault);
    if (status == STATUS_OK && load_le32(bytes) < index->state.totals.blocks) {
        status = index_block_at(index, load_le32(bytes), block, fault);
        if (status != STATUS_OK || hash256_equal(&block->hash, hash))
            return status;
    }
    if (status != STATUS_OK && status != STATUS_NOT_FOUND)
        return status;
    return fault_set(fault, STATUS_NOT_FOUND, kv_path(index->kv), FAULT_NO_OFFSET, "the index has no such block");
}
