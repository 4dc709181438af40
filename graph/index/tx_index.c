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

/* The version is looked at before the checksum, which another version may not have. */
static enum status read_identity(struct tx_index *index, struct index_totals *identity, struct fault *fault)
{
    struct kv_pair pair = {.key = (const uint8_t *)"identity", .key_size = 8};
    enum status status = kv_get(index->view, TABLE_META, pair.key, pair.key_size, &pair.value, &pair.value_size, fault);
    if (status == STATUS_NOT_FOUND || (status == STATUS_OK && pair.value_size < 4))
        return damaged(index, "no identity", fault);
    if (status != STATUS_OK)
        return status;
    if (load_le32(pair.value) != INDEX_VERSION)
        return fault_set(fault, STATUS_FORMAT, kv_data_path(index->kv), FAULT_NO_OFFSET,
                         "an index of version %u, this program knows version %u: delete it and index again",
                         load_le32(pair.value), INDEX_VERSION);
    status = unseal(index, TABLE_META, &pair, fault);
    if (status != STATUS_OK)
        return status;
    if (pair.value_size != IDENTITY_SIZE)
        return damaged(index, "its identity is malformed", fault);
    memcpy(identity->magic, pair.value + 4, 4);
    memcpy(identity->genesis.bytes, pair.value + 8, HASH256_SIZE);
    memcpy(index->seed, pair.value + 40, INDEX_SEED_SIZE);
    return STATUS_OK;
}

static enum status read_meta(struct tx_index *index, struct fault *fault)
{
    struct kv_pair pair = {0};
    struct index_totals identity = {0};
    enum status status = read_identity(index, &identity, fault);
    if (status == STATUS_OK)
        status = index_get(index->kv, index->view, TABLE_META, "state", 5, &pair, fault);
    if (status == STATUS_NOT_FOUND ||
        (status == STATUS_OK && !index_state_read(pair.value, pair.value_size, &index->state)))
        return damaged(index, "its totals are malformed", fault);
    memcpy(index->state.totals.magic, identity.magic, 4);
    index->state.totals.genesis = identity.genesis;
    if (status == STATUS_OK)
        status = index_get(index->kv, index->view, TABLE_META, "begun", 5, &pair, fault);
    if (status == STATUS_OK && pair.value_size == INDEX_BEGUN_SIZE)
        memcpy(index->begun, pair.value, INDEX_BEGUN_SIZE);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status; /* of no build yet */
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
        return fault_set(fault, STATUS_REFUSED, path, FAULT_NO_OFFSET,
                         "the index has no blocks yet: type the same 'unktx index' again, or wait for the one that "
                         "runs");
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
    for (unsigned i = 0; i < INDEX_TABLE_COUNT; i++)
        mem_free(index->known[i].bits);
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

/* ---- checksums ---- */

/* How many pages a table may have, or places where its pages can be. */
static uint64_t pages_of(const struct tx_index *index, enum index_table table)
{
    const struct index_totals *totals = &index->state.totals;
    const struct index_state empty = index_state_empty();
    switch (table) {
    case TABLE_BLOCKS: return totals->blocks / BLOCKS_A_PAGE + 1;
    case TABLE_INPUTS: return (totals->inputs - empty.totals.inputs) / INPUTS_A_PAGE + 1;
    case TABLE_OUTPUTS: return (totals->outputs - empty.totals.outputs) / OUTPUTS_A_PAGE + 1;
    default: return kv_span(index->view) / PAGE_AT_LEAST + 1;
    }
}

static void begin_known(const struct tx_index *index, enum index_table table, struct known_pages *known)
{
    uint64_t pages = pages_of(index, table);
    for (known->number = 8; known->number < pages;)
        known->number *= 2;
    known->bits = mem_alloc((size_t)(known->number / 8), 1);
}

enum status index_unseal_page(struct tx_index *index, enum index_table table, uint64_t page, struct kv_pair *pair,
                              struct fault *fault)
{
    struct known_pages *known = &index->known[table];
    uint64_t at = page & (known->number - 1);
    if (known->bits && known->bits[at / 8] >> at % 8 & 1) {
        pair->value_size -= INDEX_SUM_SIZE;
        return STATUS_OK;
    }
    enum status status = unseal(index, table, pair, fault);
    if (status != STATUS_OK)
        return status;
    if (!known->bits)
        begin_known(index, table, known);
    if (known->bits) /* else each is looked at again */
        known->bits[page % known->number / 8] |= (uint8_t)(1u << page % 8);
    return STATUS_OK;
}

enum status index_floor(struct tx_index *index, enum index_table table, const void *key, size_t key_size,
                        struct kv_pair *pair, struct fault *fault)
{
    enum status status = kv_floor(index->cursors[table], key, key_size, pair, fault);
    return status == STATUS_OK ? unseal(index, table, pair, fault) : status;
}

enum status index_next(struct tx_index *index, enum index_table table, struct kv_pair *pair, struct fault *fault)
{
    enum status status = kv_next(index->cursors[table], pair, fault);
    return status == STATUS_OK ? unseal(index, table, pair, fault) : status;
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
    uint32_t page = height / BLOCKS_A_PAGE;
    enum status status = records_page(index, TABLE_BLOCKS, page, index->state.totals.blocks, BLOCKS_A_PAGE, BLOCK_SIZE,
                                      &index->blocks, fault);
    if (status != STATUS_OK)
        return status;
    index_block_read(index->blocks.bytes + height % BLOCKS_A_PAGE * BLOCK_SIZE, entry);
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

/* What the table of heights says. STATUS_NOT_FOUND without a fault. */
static enum status height_of(struct tx_index *index, const struct hash256 *hash, uint32_t *height, struct fault *fault)
{
    struct kv_pair pair;
    enum status status = index_floor(index, TABLE_HEIGHTS, hash->bytes, HASH256_SIZE, &pair, fault);
    if (status != STATUS_OK && status != STATUS_NOT_FOUND)
        return status;
    if (status == STATUS_NOT_FOUND || pair.key_size != HASH256_SIZE ||
        memcmp(pair.key, hash->bytes, HASH256_SIZE) != 0) {
        status = index_next(index, TABLE_HEIGHTS, &pair, fault);
        return status == STATUS_OK ? STATUS_NOT_FOUND : status;
    }
    if (pair.value_size != 4)
        return damaged(index, "the height of a block is malformed", fault);
    *height = load_le32(pair.value);
    return STATUS_OK;
}

enum status index_block_find(struct tx_index *index, const struct hash256 *hash, struct index_block *block,
                             struct fault *fault)
{
    uint32_t height = UINT32_MAX;
    enum status status = height_of(index, hash, &height, fault);
    if (status == STATUS_OK && height < index->state.totals.blocks) {
        status = index_block_at(index, height, block, fault);
        if (status != STATUS_OK || hash256_equal(&block->hash, hash))
            return status;
    }
    if (status != STATUS_OK && status != STATUS_NOT_FOUND)
        return status;
    return fault_set(fault, STATUS_NOT_FOUND, kv_path(index->kv), FAULT_NO_OFFSET, "the index has no such block");
}
