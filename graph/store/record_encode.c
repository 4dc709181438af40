#include "graph/store/record_layout.h"

#include <assert.h>

#include "parser/sha256.h"
#include "parser/varint.h"

enum status record_add_output(struct buffer *blob, const struct output_record *output)
{
    assert(output->kind < KINDS && output->unknown < 1u << RULES_WITH_HIDDEN && output->protocol < PROTOCOLS_OF_TX);
    uint8_t first = (uint8_t)(output->kind | output->unknown << 4);
    enum status status = buffer_add(blob, &first, 1);
    if (status == STATUS_OK)
        status = buffer_add_varint(blob, output->value_sat);
    if (output->unknown == 0)
        return status;
    if (status == STATUS_OK)
        status = buffer_add_varint(blob, output->script_size);
    if (status == STATUS_OK)
        status = buffer_add(blob, output->script, output->script_size);
    uint8_t protocol = (uint8_t)output->protocol;
    return status == STATUS_OK && output_has_protocol(output->kind) ? buffer_add(blob, &protocol, 1) : status;
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
                                tx->spends};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers && status == STATUS_OK; i++)
        status = buffer_add_varint(txs, numbers[i]);
    if (status == STATUS_OK && batch->partial)
        status = buffer_add_varint(txs, tx->inputs_before);
    if (status == STATUS_OK)
        status = buffer_add_varint(txs, outputs_size);
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

/* What only partial batches have of a block. */
static enum status add_partial(struct batch *batch)
{
    const struct block_record *open = &batch->open;
    enum status status = STATUS_OK;
    for (unsigned r = 0; r < RULES && status == STATUS_OK; r++)
        status = buffer_add_varint(&batch->blocks, open->maybe_txs[r]);
    return status == STATUS_OK ? buffer_add(&batch->blocks, open->txids, (size_t)open->counts.txs * RECORD_TXID)
                               : status;
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
    if (status == STATUS_OK && batch->partial)
        status = add_partial(batch);
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

uint64_t batch_checksum(const uint8_t *bytes, size_t size)
{
    uint8_t digest[32];
    sha256(bytes + AT_FIRST_HEIGHT, size - AT_FIRST_HEIGHT, digest);
    return load_le64(digest);
}

void batch_write(const struct batch *batch, uint8_t *out)
{
    size_t size = batch_size(batch);
    store_le32(out + AT_MAGIC, batch->partial ? PARTIAL_MAGIC : BATCH_MAGIC);
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
    store_le64(out + AT_CHECKSUM, batch_checksum(out, size));
}

void batch_free(struct batch *batch)
{
    buffer_free(&batch->blocks);
    buffer_free(&batch->index);
    buffer_free(&batch->txs);
}
