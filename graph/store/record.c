#include "graph/store/record.h"

#include <assert.h>

#include "parser/mem.h"
#include "parser/sha256.h"

/* Where things are in a batch's header; docs/store-format.md has the whole format. */
enum {
    AT_MAGIC = 0,
    AT_SIZE = 4,
    AT_CHECKSUM = 8,
    AT_FIRST_HEIGHT = 16,
    AT_BLOCKS = 20,
    AT_FIRST_TX = 24,
    AT_FIRST_ORDINAL = 32,
    AT_TXS = 40,
    AT_TRACKED = 44,
};
_Static_assert(AT_TRACKED + 4 == BATCH_HEADER_SIZE, "the header has no padding");
_Static_assert(KINDS <= 16, "a kind fits the low four bits of an output's first byte, the kinds present fit 16 bits");
_Static_assert(RULES <= 4, "a mask of rule sets fits the high four bits of an output's first byte");

#define BATCH_MAGIC 0x42545875u /* "uXTB" */
#define INDEX_ENTRY 8u
#define NUMBER_MAX (UINT64_MAX >> 16) /* of a transaction or ordinal: no sum of two can overflow */

/* The least bytes that each can take, so that a count is believed only as far as there are bytes for it. */
#define MIN_BLOCK 47u
#define MIN_TX 38u
#define MIN_OUTPUT 2u
#define MIN_SPEND 2u

/* ---- encoding ---- */

enum status buffer_add(struct buffer *buffer, const void *bytes, size_t size)
{
    if (size > SIZE_MAX - buffer->size)
        return STATUS_NOMEM;
    enum status status = mem_reserve(&buffer->bytes, &buffer->capacity, buffer->size + size, 1);
    if (status != STATUS_OK)
        return status;
    if (size > 0)
        memcpy(buffer->bytes + buffer->size, bytes, size);
    buffer->size += size;
    return STATUS_OK;
}

enum status buffer_add_varint(struct buffer *buffer, uint64_t value)
{
    uint8_t bytes[10];
    size_t size = 0;
    for (; value >= 0x80; value >>= 7)
        bytes[size++] = (uint8_t)(value | 0x80);
    bytes[size++] = (uint8_t)value;
    return buffer_add(buffer, bytes, size);
}

void buffer_free(struct buffer *buffer)
{
    mem_free(buffer->bytes);
    *buffer = (struct buffer){0};
}

enum status record_add_output(struct buffer *blob, const struct output_record *output)
{
    assert(output->kind < KINDS && output->unknown <= RULES_ALL);
    uint8_t first = (uint8_t)(output->kind | output->unknown << 4);
    enum status status = buffer_add(blob, &first, 1);
    if (status == STATUS_OK)
        status = buffer_add_varint(blob, output->value_sat);
    if (output->unknown == 0)
        return status;
    if (status == STATUS_OK)
        status = buffer_add_varint(blob, output->script_size);
    return status == STATUS_OK ? buffer_add(blob, output->script, output->script_size) : status;
}

void batch_reset(struct batch *batch, uint32_t first_height, uint64_t first_tx, uint64_t first_ordinal)
{
    batch->blocks.size = batch->index.size = batch->txs.size = 0;
    batch->first_height = first_height;
    batch->first_tx = first_tx;
    batch->first_ordinal = first_ordinal;
    batch->block_count = batch->tracked = batch->tx_count = 0;
    batch->open_index = 0;
}

enum status batch_begin_block(struct batch *batch, const struct block_record *block)
{
    assert(block->height == batch->first_height + batch->block_count);
    batch->open = *block;
    batch->open.stored_txs = 0;
    batch->last_tx_index = UINT32_MAX;
    batch->open_index = batch->index.size;
    batch->txs.size = 0;
    return STATUS_OK;
}

/* One index entry per tracked output; the offset counts from the open block's transactions until that block's place in
 * the batch is known. */
static enum status add_index(struct batch *batch, size_t txid_at, const uint32_t *vouts, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint8_t entry[INDEX_ENTRY];
        store_le32(entry, (uint32_t)txid_at);
        store_le32(entry + 4, vouts[i]);
        enum status status = buffer_add(&batch->index, entry, sizeof entry);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

static size_t varint_size(uint64_t value) { return (size_t)(70 - __builtin_clzll(value | 1)) / 7; }

static enum status add_spends(struct buffer *txs, const struct spend_record *spends, uint32_t count)
{
    size_t size = 0;
    uint32_t last = UINT32_MAX;
    for (uint32_t i = 0; i < count; last = spends[i++].vin)
        size += varint_size(spends[i].vin - (last + 1)) + varint_size(spends[i].ordinal);
    enum status status = count > 0 ? buffer_add_varint(txs, size) : STATUS_OK;
    last = UINT32_MAX;
    for (uint32_t i = 0; i < count && status == STATUS_OK; last = spends[i++].vin) {
        status = buffer_add_varint(txs, spends[i].vin - (last + 1));
        if (status == STATUS_OK)
            status = buffer_add_varint(txs, spends[i].ordinal);
    }
    return status;
}

enum status batch_add_tx(struct batch *batch, const struct tx_record *tx, const uint8_t *outputs, size_t outputs_size,
                         const uint32_t *tracked_vouts, const struct spend_record *spends)
{
    struct buffer *txs = &batch->txs;
    assert(tx->index < batch->open.counts.txs &&
           (batch->last_tx_index == UINT32_MAX || tx->index > batch->last_tx_index));
    enum status status = buffer_add_varint(txs, tx->index - (batch->last_tx_index + 1));
    size_t txid_at = txs->size;
    if (status == STATUS_OK)
        status = buffer_add(txs, tx->txid.bytes, HASH256_SIZE);
    const uint64_t numbers[] = {(uint64_t)tx->inputs << 1 | (tx->coinbase ? 1 : 0), tx->outputs, tx->tracked,
                                tx->spends, outputs_size};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers && status == STATUS_OK; i++)
        status = buffer_add_varint(txs, numbers[i]);
    if (status == STATUS_OK)
        status = buffer_add(txs, outputs, outputs_size);
    if (status == STATUS_OK)
        status = add_spends(txs, spends, tx->spends);
    if (status == STATUS_OK)
        status = add_index(batch, txid_at, tracked_vouts, tx->tracked);
    if (status != STATUS_OK)
        return status;
    batch->last_tx_index = tx->index;
    batch->open.stored_txs++;
    batch->tx_count++;
    batch->tracked += tx->tracked;
    return STATUS_OK;
}

static enum status add_counts(struct buffer *out, const struct block_counts *counts)
{
    uint64_t numbers[3 + 2 * KINDS + RULES] = {counts->txs, counts->inputs, counts->outputs};
    size_t n = 3;
    uint16_t present = 0;
    for (unsigned k = 0; k < KINDS; k++) {
        if (counts->kind_count[k] == 0 && counts->kind_value_sat[k] == 0)
            continue;
        present = (uint16_t)(present | 1u << k);
        numbers[n++] = counts->kind_count[k];
        numbers[n++] = counts->kind_value_sat[k];
    }
    for (unsigned r = 0; r < RULES; r++)
        numbers[n++] = counts->unknown_txs[r];
    uint8_t bits[2];
    store_le16(bits, present);
    enum status status = buffer_add(out, bits, sizeof bits);
    for (size_t i = 0; i < n && status == STATUS_OK; i++)
        status = buffer_add_varint(out, numbers[i]);
    return status;
}

enum status batch_end_block(struct batch *batch)
{
    struct buffer *blocks = &batch->blocks;
    uint8_t time[4];
    store_le32(time, batch->open.time);
    enum status status = buffer_add(blocks, batch->open.hash.bytes, HASH256_SIZE);
    if (status == STATUS_OK)
        status = buffer_add(blocks, time, sizeof time);
    if (status == STATUS_OK)
        status = add_counts(blocks, &batch->open.counts);
    const uint64_t numbers[] = {batch->open.stored_txs, (batch->index.size - batch->open_index) / INDEX_ENTRY,
                                batch->txs.size};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers && status == STATUS_OK; i++)
        status = buffer_add_varint(blocks, numbers[i]);
    size_t txs_at = BATCH_HEADER_SIZE + blocks->size;
    if (status == STATUS_OK)
        status = buffer_add(blocks, batch->txs.bytes, batch->txs.size);
    if (status != STATUS_OK)
        return status;
    if (batch_size(batch) > UINT32_MAX)
        return STATUS_LIMIT;
    for (size_t at = batch->open_index; at < batch->index.size; at += INDEX_ENTRY) {
        uint8_t *entry = batch->index.bytes + at;
        store_le32(entry, load_le32(entry) + (uint32_t)txs_at);
    }
    batch->open_index = batch->index.size;
    batch->txs.size = 0;
    batch->block_count++;
    return STATUS_OK;
}

size_t batch_size(const struct batch *batch) { return BATCH_HEADER_SIZE + batch->blocks.size + batch->index.size; }

/* The leading 8 bytes of the SHA-256 of all that follows the checksum. */
static uint64_t checksum(const uint8_t *bytes, size_t size)
{
    uint8_t digest[32];
    sha256(bytes + AT_FIRST_HEIGHT, size - AT_FIRST_HEIGHT, digest);
    return load_le64(digest);
}

void batch_write(const struct batch *batch, uint8_t *out)
{
    size_t size = batch_size(batch);
    store_le32(out + AT_MAGIC, BATCH_MAGIC);
    store_le32(out + AT_SIZE, (uint32_t)size);
    store_le32(out + AT_FIRST_HEIGHT, batch->first_height);
    store_le32(out + AT_BLOCKS, batch->block_count);
    store_le64(out + AT_FIRST_TX, batch->first_tx);
    store_le64(out + AT_FIRST_ORDINAL, batch->first_ordinal);
    store_le32(out + AT_TXS, batch->tx_count);
    store_le32(out + AT_TRACKED, batch->tracked);
    if (batch->blocks.size > 0)
        memcpy(out + BATCH_HEADER_SIZE, batch->blocks.bytes, batch->blocks.size);
    if (batch->index.size > 0)
        memcpy(out + BATCH_HEADER_SIZE + batch->blocks.size, batch->index.bytes, batch->index.size);
    store_le64(out + AT_CHECKSUM, checksum(out, size));
}

void batch_free(struct batch *batch)
{
    buffer_free(&batch->blocks);
    buffer_free(&batch->index);
    buffer_free(&batch->txs);
}

/* ---- decoding ---- */

/* A varint of at most `max`, in its shortest form only, so that equal content has equal bytes. */
static uint64_t take_varint(struct cursor *c, uint64_t max)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t byte = cursor_u8(c);
        if (!cursor_ok(c))
            return 0;
        if ((shift == 63 && byte > 1) || (shift > 0 && byte == 0))
            break;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            if (value > max)
                break;
            return value;
        }
    }
    cursor_fail(c);
    return 0;
}

static uint32_t take_varint32(struct cursor *c) { return (uint32_t)take_varint(c, UINT32_MAX); }

/* Where the size may be 0: no pull adds to the NULL of a cursor that failed before. */
static const uint8_t *take_bytes(struct cursor *c, size_t size) { return cursor_ok(c) ? cursor_take(c, size) : NULL; }

static void take_hash(struct cursor *c, struct hash256 *hash)
{
    const uint8_t *bytes = cursor_take(c, HASH256_SIZE);
    if (bytes)
        memcpy(hash->bytes, bytes, HASH256_SIZE);
}

enum status batch_view_open(struct batch_view *view, const uint8_t *bytes, size_t size)
{
    *view = (struct batch_view){.bytes = bytes, .size = size};
    if (size < BATCH_HEADER_SIZE || load_le32(bytes + AT_MAGIC) != BATCH_MAGIC || load_le32(bytes + AT_SIZE) != size)
        return STATUS_FORMAT;
    view->first_height = load_le32(bytes + AT_FIRST_HEIGHT);
    view->block_count = load_le32(bytes + AT_BLOCKS);
    view->first_tx = load_le64(bytes + AT_FIRST_TX);
    view->first_ordinal = load_le64(bytes + AT_FIRST_ORDINAL);
    view->tx_count = load_le32(bytes + AT_TXS);
    view->tracked = load_le32(bytes + AT_TRACKED);
    size_t body = size - BATCH_HEADER_SIZE;
    if (view->tracked > body / INDEX_ENTRY || view->first_tx > NUMBER_MAX || view->first_ordinal > NUMBER_MAX)
        return STATUS_FORMAT;
    body -= (size_t)view->tracked * INDEX_ENTRY;
    if (view->block_count > body / MIN_BLOCK || view->tx_count > body / MIN_TX ||
        view->block_count > UINT32_MAX - view->first_height)
        return STATUS_FORMAT;
    view->blocks = cursor_over(bytes + BATCH_HEADER_SIZE, body);
    view->txs = cursor_over(bytes, 0);
    view->blocks_left = view->block_count;
    view->next_tx = view->first_tx;
    view->next_ordinal = view->block_end_ordinal = view->first_ordinal;
    return STATUS_OK;
}

void batch_peek(const struct batch *batch, struct batch_view *view)
{
    *view = (struct batch_view){
        .first_height = batch->first_height,
        .block_count = batch->block_count,
        .first_ordinal = batch->first_ordinal,
        .first_tx = batch->first_tx,
        .tracked = batch->tracked,
        .tx_count = batch->tx_count,
        .blocks = cursor_over(batch->blocks.bytes, batch->blocks.size),
        .blocks_left = batch->block_count,
        .next_tx = batch->first_tx,
        .next_ordinal = batch->first_ordinal,
        .block_end_ordinal = batch->first_ordinal,
    };
}

enum status batch_peek_outpoint(const struct batch *batch, uint64_t ordinal, struct hash256 *txid, uint32_t *vout)
{
    if (ordinal < batch->first_ordinal || ordinal - batch->first_ordinal >= batch->open_index / INDEX_ENTRY)
        return STATUS_FORMAT;
    const uint8_t *entry = batch->index.bytes + (size_t)(ordinal - batch->first_ordinal) * INDEX_ENTRY;
    memcpy(txid->bytes, batch->blocks.bytes + (load_le32(entry) - BATCH_HEADER_SIZE), HASH256_SIZE);
    *vout = load_le32(entry + 4);
    return STATUS_OK;
}

bool batch_view_intact(const struct batch_view *view)
{
    return checksum(view->bytes, view->size) == load_le64(view->bytes + AT_CHECKSUM);
}

static void take_counts(struct cursor *c, struct block_counts *counts)
{
    const uint8_t *bits = cursor_take(c, 2);
    unsigned present = bits ? load_le16(bits) : 0;
    if (present >> KINDS)
        cursor_fail(c);
    counts->txs = take_varint32(c);
    counts->inputs = take_varint32(c);
    counts->outputs = take_varint32(c);
    for (unsigned k = 0; k < KINDS; k++)
        if (present >> k & 1) {
            counts->kind_count[k] = take_varint32(c);
            counts->kind_value_sat[k] = take_varint(c, UINT64_MAX);
            if (counts->kind_count[k] == 0 &&
                counts->kind_value_sat[k] == 0) /* present means that there is something */
                cursor_fail(c);
        }
    for (unsigned r = 0; r < RULES; r++)
        counts->unknown_txs[r] = take_varint32(c);
}

/* The sums in the header must be those of the blocks. */
static enum status end_of_batch(const struct batch_view *view)
{
    bool whole = cursor_ok(&view->blocks) && cursor_left(&view->blocks) == 0 &&
                 view->next_tx == view->first_tx + view->tx_count &&
                 view->next_ordinal == view->first_ordinal + view->tracked;
    return whole ? STATUS_NOT_FOUND : STATUS_FORMAT;
}

enum status batch_next_block(struct batch_view *view, struct block_record *block)
{
    view->next_tx += view->txs_left;
    view->next_ordinal = view->block_end_ordinal;
    view->txs_left = 0;
    if (view->blocks_left == 0)
        return end_of_batch(view);
    memset(block, 0, sizeof *block);
    struct cursor *c = &view->blocks;
    block->height = view->first_height + (view->block_count - view->blocks_left);
    take_hash(c, &block->hash);
    block->time = cursor_u32(c);
    take_counts(c, &block->counts);
    block->stored_txs = take_varint32(c);
    uint32_t tracked = take_varint32(c);
    size_t size = (size_t)take_varint(c, UINT32_MAX);
    const uint8_t *txs = take_bytes(c, size);
    uint64_t txs_before = view->next_tx - view->first_tx, tracked_before = view->next_ordinal - view->first_ordinal;
    if (!cursor_ok(c) || block->stored_txs > size / MIN_TX || block->stored_txs > view->tx_count - txs_before ||
        tracked > view->tracked - tracked_before) {
        cursor_fail(c);
        return STATUS_FORMAT;
    }
    view->blocks_left--;
    view->txs = cursor_over(txs, size);
    view->txs_left = block->stored_txs;
    view->block_end_ordinal = view->next_ordinal + tracked;
    view->height = block->height;
    view->block_txs = block->counts.txs;
    view->last_tx_index = UINT32_MAX;
    return STATUS_OK;
}

/* Reads a transaction's own numbers and cuts out its outputs and spends; the cursor fails where they make no sense. */
static void take_tx(struct cursor *c, struct tx_view *tx)
{
    take_hash(c, &tx->tx.txid);
    uint64_t inputs = take_varint(c, (uint64_t)UINT32_MAX << 1 | 1);
    tx->tx.coinbase = inputs & 1;
    tx->tx.inputs = (uint32_t)(inputs >> 1);
    tx->tx.outputs = take_varint32(c);
    tx->tx.tracked = take_varint32(c);
    tx->tx.spends = take_varint32(c);
    size_t size = (size_t)take_varint(c, UINT32_MAX);
    const uint8_t *bytes = take_bytes(c, size);
    if (!bytes || tx->tx.outputs > size / MIN_OUTPUT || tx->tx.tracked > tx->tx.outputs ||
        tx->tx.spends > tx->tx.inputs) {
        cursor_fail(c);
        return;
    }
    tx->outputs = cursor_over(bytes, size);
    size = tx->tx.spends > 0 ? (size_t)take_varint(c, UINT32_MAX) : 0;
    bytes = take_bytes(c, size);
    if (!bytes || tx->tx.spends > size / MIN_SPEND) {
        cursor_fail(c);
        return;
    }
    tx->spends = cursor_over(bytes, size);
}

enum status batch_next_tx(struct batch_view *view, struct tx_view *tx)
{
    struct cursor *c = &view->txs;
    if (view->txs_left == 0)
        return cursor_ok(c) && cursor_left(c) == 0 && view->next_ordinal == view->block_end_ordinal ? STATUS_NOT_FOUND
                                                                                                    : STATUS_FORMAT;
    memset(tx, 0, sizeof *tx);
    uint64_t index = (uint64_t)(uint32_t)(view->last_tx_index + 1) + take_varint32(c);
    take_tx(c, tx);
    if (!cursor_ok(c) || index >= view->block_txs || tx->tx.tracked > view->block_end_ordinal - view->next_ordinal) {
        cursor_fail(c);
        return STATUS_FORMAT;
    }
    tx->tx.index = view->last_tx_index = (uint32_t)index;
    tx->tx.number = view->next_tx++;
    tx->tx.first_ordinal = view->next_ordinal;
    tx->outputs_left = tx->tx.outputs;
    tx->spends_left = tx->tx.spends;
    tx->last_vin = UINT32_MAX;
    view->next_ordinal += tx->tx.tracked;
    view->txs_left--;
    return STATUS_OK;
}

static enum status end_of_list(const struct cursor *c)
{
    return cursor_ok(c) && cursor_left(c) == 0 ? STATUS_NOT_FOUND : STATUS_FORMAT;
}

enum status tx_next_output(struct tx_view *tx, struct output_record *output)
{
    struct cursor *c = &tx->outputs;
    if (tx->outputs_left == 0)
        return end_of_list(c);
    memset(output, 0, sizeof *output);
    uint8_t first = cursor_u8(c);
    output->kind = (enum kind)(first & 15);
    output->unknown = first >> 4;
    if (output->kind >= KINDS || output->unknown > RULES_ALL)
        cursor_fail(c);
    output->value_sat = take_varint(c, UINT64_MAX);
    if (output->unknown != 0) {
        output->script_size = take_varint32(c);
        output->script = take_bytes(c, output->script_size);
    }
    if (!cursor_ok(c))
        return STATUS_FORMAT;
    tx->outputs_left--;
    return STATUS_OK;
}

enum status tx_next_spend(struct tx_view *tx, struct spend_record *spend)
{
    struct cursor *c = &tx->spends;
    if (tx->spends_left == 0)
        return end_of_list(c);
    uint64_t vin = (uint64_t)(uint32_t)(tx->last_vin + 1) + take_varint32(c);
    spend->ordinal = take_varint(c, NUMBER_MAX);
    if (!cursor_ok(c) || vin >= tx->tx.inputs) {
        cursor_fail(c);
        return STATUS_FORMAT;
    }
    spend->vin = tx->last_vin = (uint32_t)vin;
    tx->spends_left--;
    return STATUS_OK;
}

enum status batch_outpoint(const struct batch_view *view, uint64_t ordinal, struct hash256 *txid, uint32_t *vout)
{
    if (ordinal < view->first_ordinal || ordinal - view->first_ordinal >= view->tracked)
        return STATUS_FORMAT;
    size_t blocks_end = view->size - (size_t)view->tracked * INDEX_ENTRY;
    const uint8_t *entry = view->bytes + blocks_end + (size_t)(ordinal - view->first_ordinal) * INDEX_ENTRY;
    size_t at = load_le32(entry);
    if (at < BATCH_HEADER_SIZE || at > blocks_end || blocks_end - at < HASH256_SIZE)
        return STATUS_FORMAT;
    memcpy(txid->bytes, view->bytes + at, HASH256_SIZE);
    *vout = load_le32(entry + 4);
    return STATUS_OK;
}
