#include "graph/index/format.h"

#include <assert.h>
#include <stdio.h>

#include "graph/index/page_sum.h"
#include "parser/sha256.h"

const char *const index_table_names[INDEX_TABLE_COUNT] = {"meta",      "blocks", "heights", "txs", "tx_numbers",
                                                          "tx_inputs", "inputs", "outputs", "ids", "later"};
const struct kv_words index_words = {.noun = "index", .verb = "index"};
uint64_t index_hash_mask = UINT64_MAX;
uint64_t index_first_number = 0;

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
    if (state->runs >= INDEX_RUNS_MAX) /* the next build has one more */
        return false;
    for (uint32_t i = 0; i < INDEX_RUNS_MAX; i++)
        state->run[i] = (struct index_run){load_le16(bytes + 74 + RUN_SIZE * i), load_40(bytes + 76 + RUN_SIZE * i)};
    return (totals->blocks > 0) == (totals->txs > index_first_number) &&
           (state->cut_input <= totals->inputs || state->cut_input == UINT64_MAX);
}

struct index_state index_state_empty(void)
{
    return (struct index_state){.totals = {.txs = index_first_number,
                                           .inputs = index_first_number / INPUTS_A_PAGE * INPUTS_A_PAGE,
                                           .outputs = index_first_number / OUTPUTS_A_PAGE * OUTPUTS_A_PAGE},
                                .cut_input = UINT64_MAX};
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

/* ---- checksums ---- */

void index_seal(enum index_table table, const void *key, size_t key_size, uint8_t *value, size_t size)
{
    store_le32(value + size, page_sum(table, key, key_size, value, size));
}

enum status index_unseal(const struct kv *kv, enum index_table table, struct kv_pair *pair, struct fault *fault)
{
    char what[80];
    size_t size = pair->value_size - INDEX_SUM_SIZE;
    if (pair->value_size >= INDEX_SUM_SIZE && pair->value_size <= INDEX_PAGE &&
        load_le32(pair->value + size) == page_sum(table, pair->key, pair->key_size, pair->value, size)) {
        pair->value_size = size;
        return STATUS_OK;
    }
    snprintf(what, sizeof what, "a value of the table '%s' is not what its checksum says", index_table_names[table]);
    (void)kv_damaged(kv, what, fault);
    return STATUS_FORMAT;
}

enum status index_get(const struct kv *kv, const struct kv_view *view, enum index_table table, const void *key,
                      size_t key_size, struct kv_pair *pair, struct fault *fault)
{
    *pair = (struct kv_pair){.key = key, .key_size = key_size};
    enum status status = kv_get(view, table, key, key_size, &pair->value, &pair->value_size, fault);
    return status == STATUS_OK ? index_unseal(kv, table, pair, fault) : status;
}

bool index_put(struct kv_txn *txn, enum index_table table, const void *key, size_t key_size, const void *value,
               size_t size)
{
    uint8_t bytes[INDEX_PAGE];
    assert(size <= INDEX_ROOM);
    memcpy(bytes, value, size);
    index_seal(table, key, key_size, bytes, size);
    return kv_put(txn, table, key, key_size, bytes, size + INDEX_SUM_SIZE);
}

/* ---- pages of transactions ---- */

uint8_t *index_head_write(const struct tx_head *head, uint8_t *p)
{
    *p++ = (uint8_t)head->flags;
    if (head->flags & TX_FIRST)
        p = varint_put(p, head->offset);
    p = varint_put(p, head->inputs);
    p = varint_put(p, head->outputs);
    p = varint_put(p, head->size);
    if (head->flags & TX_SEGWIT)
        p = varint_put(p, head->witness);
    return varint_put(p, head->value_out_sat);
}

const uint8_t *index_head_read(const uint8_t *p, const uint8_t *end, struct tx_head *head)
{
    uint64_t offset = 0;
    if (p == end)
        return NULL;
    head->flags = *p++;
    head->witness = 0;
    if (head->flags & TX_FIRST && !(p = varint_get(p, end, &offset)))
        return NULL;
    head->offset = (uint32_t)offset;
    if (!(p = varint_get(p, end, &head->inputs)) || !(p = varint_get(p, end, &head->outputs)) ||
        !(p = varint_get(p, end, &head->size)))
        return NULL;
    if (head->flags & TX_SEGWIT && !(p = varint_get(p, end, &head->witness)))
        return NULL;
    p = varint_get(p, end, &head->value_out_sat);
    bool sound = offset <= UINT32_MAX && head->inputs <= UINT32_MAX && head->outputs <= UINT32_MAX &&
                 head->size <= UINT32_MAX / 4 && head->witness <= head->size;
    return sound ? p : NULL;
}

void index_page_write(const struct index_tx *first, unsigned count, uint8_t page[TX_PAGE_HEADER])
{
    store_40(page, first->number);
    store_40(page + 5, first->first_input);
    store_40(page + 10, first->first_output);
    store_le32(page + 15, first->height);
    store_le32(page + 19, first->index);
    store_le32(page + 23, first->offset);
    store_le16(page + 27, (uint16_t)count);
}

unsigned index_page_read(const uint8_t page[TX_PAGE_HEADER], struct index_tx *first)
{
    first->number = load_40(page);
    first->first_input = load_40(page + 5);
    first->first_output = load_40(page + 10);
    first->height = load_le32(page + 15);
    first->index = load_le32(page + 19);
    first->offset = load_le32(page + 23);
    return load_le16(page + 27);
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
