#include "graph/store/record_layout.h"

#include "parser/varint.h"

static uint64_t take_longer_varint(struct cursor *c, uint64_t max)
{
    uint64_t value = 0;
    const uint8_t *after = varint_get(c->at, c->end, &value);
    if (!after || value > max) {
        cursor_fail(c);
        return 0;
    }
    c->at = after;
    return value;
}

/* A varint of at most `max`, which is 127 or more. Most have one byte, and for those no function is called. */
static inline uint64_t take_varint(struct cursor *c, uint64_t max)
{
    if (__builtin_expect(c->at < c->end && *c->at < 0x80, 1))
        return *c->at++;
    return take_longer_varint(c, max);
}

static inline uint32_t take_varint32(struct cursor *c) { return (uint32_t)take_varint(c, UINT32_MAX); }

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
    uint32_t magic = size < BATCH_HEADER_SIZE ? 0 : load_le32(bytes + AT_MAGIC);
    if ((magic != BATCH_MAGIC && magic != PARTIAL_MAGIC) || load_le32(bytes + AT_SIZE) != size)
        return STATUS_FORMAT;
    view->partial = magic == PARTIAL_MAGIC;
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
        .partial = batch->partial,
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

enum status batch_view_cut(struct batch_view *view, uint32_t blocks)
{
    struct batch_view at = *view;
    struct block_record block;
    const uint8_t *begin = view->blocks.at;
    if (blocks > view->block_count)
        return STATUS_FORMAT;
    for (uint32_t b = 0; b < blocks; b++) {
        if (batch_next_block(&at, &block) != STATUS_OK)
            return STATUS_FORMAT;
    }
    view->block_count = view->blocks_left = blocks;
    view->tx_count = (uint32_t)(at.next_tx + at.txs_left - view->first_tx);
    view->tracked = (uint32_t)(at.block_end_ordinal - view->first_ordinal);
    view->blocks = cursor_over(begin, (size_t)(at.blocks.at - begin));
    return STATUS_OK;
}

bool batch_view_intact(const struct batch_view *view)
{
    return batch_checksum(view->bytes, view->size) == load_le64(view->bytes + AT_CHECKSUM);
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

static void take_partial(struct cursor *c, struct block_record *block)
{
    for (unsigned r = 0; r < RULES; r++) {
        block->maybe_txs[r] = take_varint32(c);
        if (block->maybe_txs[r] > block->counts.unknown_txs[r])
            cursor_fail(c);
    }
    block->txids = take_bytes(c, (size_t)block->counts.txs * RECORD_TXID);
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
    if (view->partial)
        take_partial(c, block);
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
static void take_tx(struct cursor *c, bool partial, struct tx_view *tx)
{
    take_hash(c, &tx->tx.txid);
    uint64_t inputs = take_varint(c, (uint64_t)UINT32_MAX << 1 | 1);
    tx->tx.coinbase = inputs & 1;
    tx->tx.inputs = (uint32_t)(inputs >> 1);
    tx->tx.outputs = take_varint32(c);
    tx->tx.tracked = take_varint32(c);
    tx->tx.spends = take_varint32(c);
    tx->tx.inputs_before = partial ? take_varint32(c) : 0;
    size_t size = (size_t)take_varint(c, UINT32_MAX);
    const uint8_t *bytes = take_bytes(c, size);
    if (!bytes || tx->tx.outputs > size / MIN_OUTPUT || tx->tx.tracked > tx->tx.outputs ||
        tx->tx.spends > tx->tx.inputs || tx->tx.inputs_before > tx->tx.inputs - tx->tx.spends) {
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
    take_tx(c, view->partial, tx);
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
    if (output->kind >= KINDS || output->unknown >= 1u << RULES_WITH_HIDDEN)
        cursor_fail(c);
    output->value_sat = take_varint(c, UINT64_MAX);
    if (output->unknown != 0) {
        output->script_size = take_varint32(c);
        output->script = take_bytes(c, output->script_size);
        output->protocol = output_has_protocol(output->kind) ? (enum protocol)cursor_u8(c) : PROTOCOL_NONE;
    }
    if (!cursor_ok(c) || output->protocol >= PROTOCOLS_OF_TX)
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

/* Where the index says that the txid of an output's transaction is, up to where the blocks end. */
static enum status look_up(const struct batch_view *view, uint64_t ordinal, struct cursor *tx, uint32_t *vout)
{
    if (ordinal < view->first_ordinal || ordinal - view->first_ordinal >= view->tracked)
        return STATUS_FORMAT;
    size_t blocks_end = view->size - (size_t)load_le32(view->bytes + AT_TRACKED) * INDEX_ENTRY;
    const uint8_t *entry = view->bytes + blocks_end + (size_t)(ordinal - view->first_ordinal) * INDEX_ENTRY;
    size_t at = load_le32(entry);
    if (at < BATCH_HEADER_SIZE || at > blocks_end || blocks_end - at < HASH256_SIZE)
        return STATUS_FORMAT;
    *tx = cursor_over(view->bytes + at, blocks_end - at);
    *vout = load_le32(entry + 4);
    return STATUS_OK;
}

enum status batch_outpoint(const struct batch_view *view, uint64_t ordinal, struct hash256 *txid, uint32_t *vout)
{
    struct cursor tx;
    enum status status = look_up(view, ordinal, &tx, vout);
    if (status == STATUS_OK)
        take_hash(&tx, txid);
    return status;
}

enum status batch_output(const struct batch_view *view, struct output_place *place, uint64_t ordinal,
                         struct output_record *output)
{
    struct cursor c;
    uint32_t vout;
    enum status status = look_up(view, ordinal, &c, &vout);
    if (status != STATUS_OK)
        return status;
    size_t tx = (size_t)(c.at - view->bytes);
    if (place->tx != tx || vout < place->next_vout) {
        memset(place, 0, sizeof *place);
        take_tx(&c, view->partial, &place->view);
        if (!cursor_ok(&c))
            return STATUS_FORMAT;
        place->tx = tx;
        place->view.outputs_left = place->view.tx.outputs;
    }
    do
        status = tx_next_output(&place->view, output);
    while (status == STATUS_OK && place->next_vout++ < vout);
    return status == STATUS_OK && output_is_tracked(output->unknown, output->kind) ? STATUS_OK : STATUS_FORMAT;
}
