#include "graph/index/tx_index.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>

#include "graph/index/format.h"
#include "parser/mem.h"
#include "parser/sha256.h"

const char *const index_table_names[INDEX_TABLE_COUNT] = {"meta",      "blocks", "heights", "txs", "tx_numbers",
                                                          "tx_inputs", "inputs", "outputs", "ids", "later"};
const struct kv_words index_words = {.noun = "index", .verb = "index"};
uint64_t index_hash_mask = UINT64_MAX;

/* A page of pairs at hand, and up to where it is the one to look into. */
struct pairs_page {
    bool at_hand;
    const uint8_t *bytes;
    size_t count;
    uint8_t first[PAIR_SIZE]; /* big-endian, as in the key */
    uint8_t next[PAIR_SIZE];  /* of the next page of the run; all ones behind the last */
};

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

struct tx_index {
    struct shared *shared; /* NULL: the kv is the builder's */
    struct kv *kv;
    struct kv_view *view;
    struct kv_cursor *cursors[INDEX_TABLE_COUNT];
    struct index_state state;
    uint8_t seed[INDEX_SEED_SIZE];
    struct index_hasher hasher;
    struct index_tx txs[TXS_A_PAGE_MAX]; /* the page decoded last */
    unsigned txs_count;
    const uint8_t *inputs, *outputs; /* the pages seen last, NULL at first */
    uint64_t inputs_page, outputs_page;
    struct pairs_page late_pages[INDEX_RUNS_MAX];
};

/* ---- bytes ---- */

void index_block_write(const struct block_entry *entry, uint8_t bytes[BLOCK_SIZE])
{
    const struct index_block *block = &entry->block;
    memcpy(bytes, block->hash.bytes, HASH256_SIZE);
    store_le32(bytes + 32, block->time);
    store_le32(bytes + 36, block->txs);
    store_40(bytes + 40, block->first_tx);
    store_40(bytes + 45, entry->first_input);
    store_40(bytes + 50, entry->first_output);
    store_le32(bytes + 55, block->file);
    store_le64(bytes + 59, block->offset);
    store_le32(bytes + 67, block->size);
    store_le32(bytes + 71, block->height);
}

void index_block_read(const uint8_t bytes[BLOCK_SIZE], struct block_entry *entry)
{
    struct index_block *block = &entry->block;
    memcpy(block->hash.bytes, bytes, HASH256_SIZE);
    block->time = load_le32(bytes + 32);
    block->txs = load_le32(bytes + 36);
    block->first_tx = load_40(bytes + 40);
    entry->first_input = load_40(bytes + 45);
    entry->first_output = load_40(bytes + 50);
    block->file = load_le32(bytes + 55);
    block->offset = load_le64(bytes + 59);
    block->size = load_le32(bytes + 67);
    block->height = load_le32(bytes + 71);
}

void index_state_write(const struct index_state *state, uint8_t bytes[STATE_SIZE])
{
    const struct index_totals *totals = &state->totals;
    store_le32(bytes, totals->blocks);
    store_40(bytes + 4, totals->txs);
    store_40(bytes + 9, totals->inputs);
    store_40(bytes + 14, totals->outputs);
    memcpy(bytes + 19, totals->tip.bytes, HASH256_SIZE);
    store_le64(bytes + 51, state->cut_input);
    store_le32(bytes + 59, state->runs);
    store_le64(bytes + 63, state->late_spends);
    memset(bytes + 71, 0, STATE_SIZE - 71);
    for (uint32_t i = 0; i < state->runs; i++) {
        store_le16(bytes + 74 + RUN_SIZE * i, (uint16_t)state->run[i].number);
        store_40(bytes + 76 + RUN_SIZE * i, state->run[i].pairs);
    }
}

bool index_state_read(const uint8_t *bytes, size_t size, struct index_state *state)
{
    if (size != STATE_SIZE)
        return false;
    struct index_totals *totals = &state->totals;
    totals->blocks = load_le32(bytes);
    totals->txs = load_40(bytes + 4);
    totals->inputs = load_40(bytes + 9);
    totals->outputs = load_40(bytes + 14);
    memcpy(totals->tip.bytes, bytes + 19, HASH256_SIZE);
    state->cut_input = load_le64(bytes + 51);
    state->runs = load_le32(bytes + 59);
    state->late_spends = load_le64(bytes + 63);
    if (state->runs > INDEX_RUNS_MAX)
        return false;
    for (uint32_t i = 0; i < INDEX_RUNS_MAX; i++)
        state->run[i] = (struct index_run){load_le16(bytes + 74 + RUN_SIZE * i), load_40(bytes + 76 + RUN_SIZE * i)};
    return (totals->blocks > 0) == (totals->txs > 0);
}

uint32_t index_free_run(const struct index_state *state)
{
    uint32_t number = 0;
    for (uint32_t i = 0; i < state->runs; i++)
        if (state->run[i].number == number) {
            number++;
            i = UINT32_MAX; /* from the beginning */
        }
    return number;
}

uint8_t *index_head_write(const struct tx_head *head, uint8_t *p)
{
    *p++ = (uint8_t)head->flags;
    if (head->flags & TX_FIRST)
        p = put_varint(p, head->offset);
    p = put_varint(p, head->inputs);
    p = put_varint(p, head->outputs);
    p = put_varint(p, head->size);
    if (head->flags & TX_SEGWIT)
        p = put_varint(p, head->witness);
    return put_varint(p, head->value_out_sat);
}

const uint8_t *index_head_read(const uint8_t *p, const uint8_t *end, struct tx_head *head)
{
    uint64_t offset = 0;
    if (p == end)
        return NULL;
    head->flags = *p++;
    head->witness = 0;
    if (head->flags & TX_FIRST && !(p = get_varint(p, end, &offset)))
        return NULL;
    head->offset = (uint32_t)offset;
    if (!(p = get_varint(p, end, &head->inputs)) || !(p = get_varint(p, end, &head->outputs)) ||
        !(p = get_varint(p, end, &head->size)))
        return NULL;
    if (head->flags & TX_SEGWIT && !(p = get_varint(p, end, &head->witness)))
        return NULL;
    p = get_varint(p, end, &head->value_out_sat);
    bool sound = offset <= UINT32_MAX && head->inputs <= UINT32_MAX && head->outputs <= UINT32_MAX &&
                 head->size <= UINT32_MAX / 4 && head->witness <= head->size;
    return sound ? p : NULL;
}

void index_page_begin(const struct index_tx *first, uint8_t page[TX_PAGE_HEADER])
{
    store_40(page, first->number);
    store_40(page + 5, first->first_input);
    store_40(page + 10, first->first_output);
    store_le32(page + 15, first->height);
    store_le32(page + 19, first->index);
    store_le32(page + 23, first->offset);
    memset(page + 27, 0, TX_PAGE_HEADER - 27);
}

void index_hasher_init(struct index_hasher *hasher, const uint8_t seed[INDEX_SEED_SIZE])
{
    uint8_t input[INDEX_SEED_SIZE + 1], digest[32];
    memcpy(input, seed, INDEX_SEED_SIZE);
    for (uint8_t i = 0; i < 2; i++) {
        input[INDEX_SEED_SIZE] = i;
        sha256(input, sizeof input, digest);
        for (size_t word = 0; word < 3; word++)
            hasher->key[3 * i + word] = load_le64(digest + 8 * word);
        hasher->key[6 + i] = load_le64(digest + 24);
    }
}

/* ---- opening ---- */

/* STATUS_FORMAT itself, so that a static analyser sees that it never says OK. */
static enum status damaged(const struct tx_index *index, const char *what, struct fault *fault)
{
    (void)kv_damaged(index->kv, what, fault);
    return STATUS_FORMAT;
}

enum status index_damaged(const struct tx_index *index, const char *what, struct fault *fault)
{
    return damaged(index, what, fault);
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
    return status;
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
    struct tx_index *index = mem_alloc(1, sizeof *index);
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

static enum status look_at_state(const struct tx_index *index, struct fault *fault)
{
    const char *path = kv_path(index->kv);
    if (index->state.totals.blocks == 0)
        return fault_set(fault, STATUS_NOT_FOUND, path, FAULT_NO_OFFSET,
                         "the index has no blocks yet: run 'unktx index', or wait for the one that runs");
    if (!is_as_seen(index))
        return fault_set(fault, STATUS_BUSY, path, FAULT_NO_OFFSET,
                         "another 'unktx index' changed the index meanwhile: run the command again");
    return STATUS_OK;
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
    kv_view_close(index->view);
    if (index->shared)
        unshare(index->shared);
    mem_free(index);
}

struct index_totals index_totals_of(const struct tx_index *index) { return index->state.totals; }
const struct index_state *index_state_of(const struct tx_index *index) { return &index->state; }
const uint8_t *index_seed_of(const struct tx_index *index) { return index->seed; }

static enum status nothing(const struct tx_index *index, const char *what, uint64_t number, struct fault *fault)
{
    return fault_set(fault, STATUS_NOT_FOUND, kv_path(index->kv), FAULT_NO_OFFSET, "the index has no %s %llu", what,
                     (unsigned long long)number);
}

/* ---- blocks ---- */

enum status index_block_entry(struct tx_index *index, uint32_t height, struct block_entry *entry, struct fault *fault)
{
    if (height >= index->state.totals.blocks)
        return nothing(index, "block of height", height, fault);
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
    return entry->block.height == height ? STATUS_OK : damaged(index, "a block is malformed", fault);
}

enum status index_block_at(struct tx_index *index, uint32_t height, struct index_block *block, struct fault *fault)
{
    struct block_entry entry;
    enum status status = index_block_entry(index, height, &entry, fault);
    if (status == STATUS_OK)
        *block = entry.block;
    return status;
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

/* ---- transactions ---- */

/* Decodes one record behind the one before, or behind the page's header when `before` is NULL. */
static const uint8_t *read_tx(const uint8_t *p, const uint8_t *end, const struct index_tx *before, struct index_tx *tx)
{
    struct tx_head head;
    uint64_t fee;
    p = index_head_read(p, end, &head);
    if (!p || !(p = get_varint(p, end, &fee)) || (size_t)(end - p) < HASH256_SIZE)
        return NULL;
    if (before) {
        tx->number = before->number + 1;
        tx->height = before->height + (head.flags & TX_FIRST ? 1 : 0);
        tx->index = head.flags & TX_FIRST ? 0 : before->index + 1;
        tx->offset = head.flags & TX_FIRST ? head.offset : before->offset + before->size;
        tx->first_input = before->first_input + before->inputs;
        tx->first_output = before->first_output + before->outputs;
    }
    memcpy(tx->txid.bytes, p, HASH256_SIZE);
    tx->coinbase = head.flags & TX_COINBASE;
    tx->segwit = head.flags & TX_SEGWIT;
    tx->inputs = (uint32_t)head.inputs;
    tx->outputs = (uint32_t)head.outputs;
    tx->value_out_sat = head.value_out_sat;
    tx->fee_sat = fee;
    tx->size = (uint32_t)head.size;
    tx->weight = (uint32_t)(4 * head.size - 3 * head.witness);
    return p + HASH256_SIZE;
}

static enum status take_page(struct tx_index *index, const struct kv_pair *pair, struct fault *fault)
{
    const uint8_t *bytes = pair->value, *p = bytes + TX_PAGE_HEADER, *end = bytes + pair->value_size;
    index->txs_count = 0;
    unsigned count = pair->value_size > TX_PAGE_HEADER ? load_le16(bytes + 30) : 0;
    if (count == 0 || count > TXS_A_PAGE_MAX || pair->key_size != 5 || load_be40(pair->key) != load_40(bytes + 10))
        return damaged(index, "a page of transactions is malformed", fault);
    struct index_tx *first = index->txs;
    first->number = load_40(bytes);
    first->first_input = load_40(bytes + 5);
    first->first_output = load_40(bytes + 10);
    first->height = load_le32(bytes + 15);
    first->index = load_le32(bytes + 19);
    first->offset = load_le32(bytes + 23);
    for (unsigned i = 0; i < count && p; i++)
        p = read_tx(p, end, i > 0 ? &index->txs[i - 1] : NULL, &index->txs[i]);
    if (!p)
        return damaged(index, "a transaction is malformed", fault);
    index->txs_count = count;
    return STATUS_OK;
}

/* A page that a reorganisation cut still has what was taken back: what counts ends where the next page begins. */
static enum status cut_page(struct tx_index *index, struct fault *fault)
{
    struct kv_pair next;
    enum status status = kv_next(index->cursors[TABLE_TXS], &next, fault);
    if (status == STATUS_OK && next.key_size == 5)
        while (index->txs_count > 1 && index->txs[index->txs_count - 1].first_output >= load_be40(next.key))
            index->txs_count--;
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* Loads the page that has this output's transaction. */
static enum status page_of_output(struct tx_index *index, uint64_t output, struct fault *fault)
{
    uint8_t key[5];
    struct kv_pair pair;
    store_be40(key, output);
    enum status status = kv_floor(index->cursors[TABLE_TXS], key, sizeof key, &pair, fault);
    if (status == STATUS_NOT_FOUND)
        return damaged(index, "a page of transactions is missing", fault);
    if (status == STATUS_OK)
        status = take_page(index, &pair, fault);
    return status == STATUS_OK && index->state.cut_input != UINT64_MAX ? cut_page(index, fault) : status;
}

/* Loads the page that has transaction or input `number`, by the table that leads there. */
static enum status page_of(struct tx_index *index, enum index_table table, uint64_t number, struct fault *fault)
{
    uint8_t key[5];
    struct kv_pair pair;
    store_be40(key, number);
    enum status status = kv_floor(index->cursors[table], key, sizeof key, &pair, fault);
    if (status == STATUS_NOT_FOUND || (status == STATUS_OK && pair.value_size != 5))
        return damaged(index, "a page of transactions is missing", fault);
    return status == STATUS_OK ? page_of_output(index, load_40(pair.value), fault) : status;
}

static const struct index_tx *last_of_page(const struct tx_index *index) { return &index->txs[index->txs_count - 1]; }

enum status index_tx_at(struct tx_index *index, uint64_t number, struct index_tx *tx, struct fault *fault)
{
    if (number >= index->state.totals.txs)
        return nothing(index, "transaction", number, fault);
    if (index->txs_count == 0 || number < index->txs[0].number || number > last_of_page(index)->number) {
        enum status status = page_of(index, TABLE_TX_NUMBERS, number, fault);
        if (status != STATUS_OK)
            return status;
        if (number < index->txs[0].number || number > last_of_page(index)->number)
            return damaged(index, "a transaction is missing", fault);
    }
    *tx = index->txs[number - index->txs[0].number];
    return STATUS_OK;
}

enum status index_tx_of_output(struct tx_index *index, uint64_t output, struct index_tx *tx, struct fault *fault)
{
    if (output >= index->state.totals.outputs)
        return nothing(index, "output", output, fault);
    if (index->txs_count == 0 || output < index->txs[0].first_output ||
        output >= last_of_page(index)->first_output + last_of_page(index)->outputs) {
        enum status status = page_of_output(index, output, fault);
        if (status != STATUS_OK)
            return status;
    }
    for (unsigned i = 0; i < index->txs_count; i++)
        if (output - index->txs[i].first_output < index->txs[i].outputs) {
            *tx = index->txs[i];
            return STATUS_OK;
        }
    return damaged(index, "an output is of no transaction", fault);
}

enum status index_tx_of_input(struct tx_index *index, uint64_t input, struct index_tx *tx, struct fault *fault)
{
    if (input >= index->state.totals.inputs)
        return nothing(index, "input", input, fault);
    if (index->txs_count == 0 || input < index->txs[0].first_input ||
        input >= last_of_page(index)->first_input + last_of_page(index)->inputs) {
        enum status status = page_of(index, TABLE_TX_INPUTS, input, fault);
        if (status != STATUS_OK)
            return status;
    }
    for (unsigned i = 0; i < index->txs_count; i++)
        if (input - index->txs[i].first_input < index->txs[i].inputs) {
            *tx = index->txs[i];
            return STATUS_OK;
        }
    return damaged(index, "an input is of no transaction", fault);
}

/* ---- runs of pairs ---- */

static uint64_t pair_first(const uint8_t *pair) { return load_be40(pair); }
static uint64_t pair_second(const uint8_t *pair) { return load_be40(pair + 5); }

/* How many pairs of the page are not above `pair`. */
static size_t pairs_up_to(const uint8_t *bytes, size_t count, const uint8_t pair[PAIR_SIZE])
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (memcmp(bytes + middle * PAIR_SIZE, pair, PAIR_SIZE) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_of_run(const struct kv_pair *pair, uint32_t run)
{
    return pair->key_size == PAIR_KEY_SIZE && (uint32_t)(pair->key[0] << 8 | pair->key[1]) == run;
}

/* The last pair of the run not above (first, second): its second number in *found. STATUS_NOT_FOUND if its first number
 * is another. */
static enum status pair_floor(struct tx_index *index, enum index_table table, uint32_t run, uint64_t first,
                              uint64_t second, uint64_t *found, struct fault *fault)
{
    uint8_t key[PAIR_KEY_SIZE] = {(uint8_t)(run >> 8), (uint8_t)run};
    struct kv_pair page;
    store_be40(key + 2, first);
    store_be40(key + 7, second);
    enum status status = kv_floor(index->cursors[table], key, sizeof key, &page, fault);
    if (status != STATUS_OK)
        return status;
    if (!is_of_run(&page, run))
        return STATUS_NOT_FOUND;
    size_t n = pairs_up_to(page.value, page.value_size / PAIR_SIZE, key + 2);
    if (n == 0) /* the key of a run's first page is zeros, below its first pair */
        return STATUS_NOT_FOUND;
    const uint8_t *pair = page.value + (n - 1) * PAIR_SIZE;
    *found = pair_second(pair);
    return pair_first(pair) == first ? STATUS_OK : STATUS_NOT_FOUND;
}

/* ---- look-up by txid ---- */

enum status index_candidate(struct tx_index *index, uint64_t hash, uint64_t below, struct index_tx *tx,
                            struct fault *fault)
{
    uint64_t best = 0, found = 0;
    bool any = false;
    if (below > index->state.totals.outputs)
        below = index->state.totals.outputs;
    for (uint32_t run = index->state.runs; run > 0 && below > 0; run--) {
        uint32_t number = index->state.run[run - 1].number;
        enum status status = pair_floor(index, TABLE_TXIDS, number, hash >> 24, below - 1, &found, fault);
        if (status != STATUS_OK && status != STATUS_NOT_FOUND)
            return status;
        if (status == STATUS_OK && (!any || found > best)) {
            best = found;
            any = true;
        }
    }
    return any ? index_tx_of_output(index, best, tx, fault) : STATUS_NOT_FOUND;
}

enum status index_tx_find(struct tx_index *index, const struct hash256 *txid, uint64_t below, struct index_tx *tx,
                          struct fault *fault)
{
    uint64_t hash = index_hash(&index->hasher, txid->bytes), limit = UINT64_MAX;
    if (below < index->state.totals.txs) {
        enum status status = index_tx_at(index, below, tx, fault);
        if (status != STATUS_OK)
            return status;
        limit = tx->first_output;
    }
    for (;;) {
        enum status status = index_candidate(index, hash, limit, tx, fault);
        if (status == STATUS_NOT_FOUND)
            return fault_set(fault, status, kv_path(index->kv), FAULT_NO_OFFSET, "the index has no such transaction");
        if (status == STATUS_OK && tx->number >= below)
            return damaged(index, "transactions overlap", fault);
        if (status != STATUS_OK || hash256_equal(&tx->txid, txid))
            return status;
        limit = tx->first_output;
    }
}

/* ---- outputs and inputs ---- */

/* The page of fixed-width records that has `number`; `*bytes` is kept from call to call. */
static enum status fixed_page(struct tx_index *index, enum index_table table, uint64_t page, size_t need,
                              const uint8_t **bytes, uint64_t *at_hand, struct fault *fault)
{
    if (*bytes && *at_hand == page)
        return STATUS_OK;
    uint8_t key[4];
    size_t size;
    store_be32(key, (uint32_t)page);
    enum status status = kv_get(index->view, table, key, sizeof key, bytes, &size, fault);
    if (status == STATUS_OK && size >= need) {
        *at_hand = page;
        return STATUS_OK;
    }
    *bytes = NULL;
    return status == STATUS_OK || status == STATUS_NOT_FOUND ? damaged(index, "a page is missing", fault) : status;
}

/* Bytes that the page of fixed-width records has at least, by the totals. */
static size_t page_need(uint64_t page, uint64_t total, size_t a_page, size_t record)
{
    uint64_t left = total - page * a_page;
    return (left < a_page ? (size_t)left : a_page) * record;
}

static enum status input_at(struct tx_index *index, uint64_t number, uint64_t *spent, struct fault *fault)
{
    uint64_t page = number / INPUTS_A_PAGE;
    enum status status = fixed_page(index, TABLE_INPUTS, page,
                                    page_need(page, index->state.totals.inputs, INPUTS_A_PAGE, INPUT_SIZE),
                                    &index->inputs, &index->inputs_page, fault);
    if (status != STATUS_OK)
        return status;
    *spent = load_40(index->inputs + number % INPUTS_A_PAGE * INPUT_SIZE);
    if (*spent == INDEX_NONE_40)
        *spent = INDEX_NONE;
    else if (*spent >= index->state.totals.outputs)
        return damaged(index, "an input spends what is not there", fault);
    return STATUS_OK;
}

enum status index_inputs(struct tx_index *index, uint64_t first, uint32_t count, uint64_t *spent, struct fault *fault)
{
    if (first > index->state.totals.inputs || count > index->state.totals.inputs - first)
        return nothing(index, "input", first + count - 1, fault);
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < count && status == STATUS_OK; i++)
        status = input_at(index, first + i, &spent[i], fault);
    return status;
}

/* True if that input is there and does spend that output: an input from cut_input on may be of a block taken back. */
static enum status is_spender(struct tx_index *index, uint64_t output, uint64_t input, bool *is, struct fault *fault)
{
    *is = input < index->state.totals.inputs;
    if (!*is || input < index->state.cut_input)
        return STATUS_OK;
    uint64_t spent;
    enum status status = input_at(index, input, &spent, fault);
    *is = status == STATUS_OK && spent == output;
    return status;
}

/* Makes the page of that run that would have the pair the one at hand. */
static enum status find_late_page(struct tx_index *index, uint32_t i, const uint8_t pair[PAIR_SIZE],
                                  struct fault *fault)
{
    struct pairs_page *page = &index->late_pages[i];
    uint32_t run = index->state.run[i].number;
    if (page->at_hand && memcmp(pair, page->first, PAIR_SIZE) >= 0 && memcmp(pair, page->next, PAIR_SIZE) < 0)
        return STATUS_OK;
    uint8_t key[PAIR_KEY_SIZE] = {(uint8_t)(run >> 8), (uint8_t)run};
    struct kv_pair found;
    struct kv_cursor *cursor = index->cursors[TABLE_LATE_SPENDS];
    memcpy(key + 2, pair, PAIR_SIZE);
    *page = (struct pairs_page){0}; /* of a run without pairs: none, for all */
    memset(page->next, 0xff, PAIR_SIZE);
    enum status status = kv_floor(cursor, key, sizeof key, &found, fault);
    if (status == STATUS_OK && is_of_run(&found, run)) {
        page->bytes = found.value;
        page->count = found.value_size / PAIR_SIZE;
        memcpy(page->first, found.key + 2, PAIR_SIZE);
        status = kv_next(cursor, &found, fault);
        if (status == STATUS_OK && is_of_run(&found, run))
            memcpy(page->next, found.key + 2, PAIR_SIZE);
    }
    page->at_hand = status == STATUS_OK || status == STATUS_NOT_FOUND;
    return page->at_hand ? STATUS_OK : status;
}

/* Looks for the spender of an output in what later runs found. */
static enum status find_late_spender(struct tx_index *index, uint64_t output, uint64_t *spender, struct fault *fault)
{
    uint8_t pair[PAIR_SIZE];
    enum status status = STATUS_OK;
    store_be40(pair, output);
    store_be40(pair + 5, INDEX_NONE_40);
    for (uint32_t run = index->state.runs; run > 0 && status == STATUS_OK; run--) {
        struct pairs_page *page = &index->late_pages[run - 1];
        status = find_late_page(index, run - 1, pair, fault);
        size_t n = status == STATUS_OK ? pairs_up_to(page->bytes, page->count, pair) : 0;
        for (; n > 0 && status == STATUS_OK && pair_first(page->bytes + (n - 1) * PAIR_SIZE) == output; n--) {
            bool is;
            *spender = pair_second(page->bytes + (n - 1) * PAIR_SIZE);
            status = is_spender(index, output, *spender, &is, fault);
            if (status == STATUS_OK && is)
                return STATUS_OK;
        }
    }
    *spender = INDEX_NONE;
    return status;
}

static enum status output_at(struct tx_index *index, uint64_t number, struct index_output *output, struct fault *fault)
{
    uint64_t page = number / OUTPUTS_A_PAGE;
    enum status status = fixed_page(index, TABLE_OUTPUTS, page,
                                    page_need(page, index->state.totals.outputs, OUTPUTS_A_PAGE, OUTPUT_SIZE),
                                    &index->outputs, &index->outputs_page, fault);
    if (status != STATUS_OK)
        return status;
    const uint8_t *bytes = index->outputs + number % OUTPUTS_A_PAGE * OUTPUT_SIZE;
    uint64_t value_kind = load_value_kind(bytes);
    output->value_sat = value_kind & ((UINT64_C(1) << 52) - 1);
    output->kind = (enum kind)(value_kind >> 52);
    output->spender = load_40(bytes + 7);
    if (output->kind >= KINDS)
        return damaged(index, "an output is of no kind", fault);
    bool is = false;
    if (output->spender != INDEX_NONE_40)
        status = is_spender(index, number, output->spender, &is, fault);
    if (is || status != STATUS_OK)
        return status;
    output->spender = INDEX_NONE;
    return index->state.late_spends > 0 ? find_late_spender(index, number, &output->spender, fault) : STATUS_OK;
}

enum status index_outputs(struct tx_index *index, uint64_t first, uint32_t count, struct index_output *outputs,
                          struct fault *fault)
{
    if (first > index->state.totals.outputs || count > index->state.totals.outputs - first)
        return nothing(index, "output", first + count - 1, fault);
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < count && status == STATUS_OK; i++)
        status = output_at(index, first + i, &outputs[i], fault);
    return status;
}
