#include "graph/index/work.h"
#include "graph/scan/filemap.h"
#include "parser/search.h"

/* Places in the block's bytes, and numbers counted from the block's first. */
struct reread_tx {
    uint32_t first_input;
    uint32_t first_output;
    uint32_t start;
    uint32_t body;
    uint32_t body_end;
    uint32_t end;
};

/* ---- a block ---- */

static bool on_input(void *context, const struct tx_input *in, uint32_t vin)
{
    struct work_reader *reader = context;
    (void)vin;
    return PUSH(reader->prevouts, (uint32_t)(in->prevout - reader->bytes));
}

static bool on_tx(void *context, const struct tx *tx, uint32_t index, unsigned unknown)
{
    struct work_reader *reader = context;
    const uint8_t *bytes = reader->bytes;
    (void)index;
    (void)unknown;
    const struct reread_tx place = {.first_input = (uint32_t)reader->prevouts.count - tx->inputs,
                                    .first_output = reader->outputs,
                                    .start = (uint32_t)(tx->start - bytes),
                                    .body = (uint32_t)(tx->body - bytes),
                                    .body_end = (uint32_t)(tx->body_end - bytes),
                                    .end = (uint32_t)(tx->end - bytes)};
    reader->outputs += tx->outputs;
    return PUSH(reader->txs, place);
}

static const struct block_visitor visitor = {.input = on_input, .tx = on_tx};

static enum status changed(const struct index_work *work, uint32_t height, struct fault *fault)
{
    return fault_set(fault, STATUS_IO, work->dir.path, FAULT_NO_OFFSET,
                     "the block of height %u changed while it was read: run the command again", height);
}

/* Reads the block, unless it is the one that was read last. */
static enum status read_block(const struct index_work *work, struct work_reader *reader, uint32_t height,
                              struct fault *fault)
{
    const struct chain_block *block = chain_active(work->chain, height);
    struct block_counts counts;
    if (reader->bytes && reader->height == height)
        return STATUS_OK;
    if (block->file == FILEMAP_GONE)
        return fault_set(fault, STATUS_IO, NULL, FAULT_NO_OFFSET, "the blk file of height %u is gone", height);
    enum status status = blk_read(&reader->reader, &work->dir, block->file, block->offset, block->size, &reader->bytes,
                                  fault);
    reader->height = height;
    reader->outputs = 0;
    reader->prevouts.count = reader->txs.count = 0;
    if (status == STATUS_OK) {
        status = block_walk(reader->bytes, block->size, &counts, &visitor, reader);
        if (status == STATUS_FORMAT)
            status = changed(work, height, fault);
        else if (status != STATUS_OK)
            status = fault_nomem(fault);
    }
    if (status != STATUS_OK)
        reader->bytes = NULL;
    return status;
}

static struct hash256 txid_of(const struct work_reader *reader, const struct reread_tx *place)
{
    struct hash256 txid;
    const struct tx tx = {.start = reader->bytes + place->start,
                          .body = reader->bytes + place->body,
                          .body_end = reader->bytes + place->body_end,
                          .end = reader->bytes + place->end,
                          .segwit = place->body - place->start > 4};
    tx_id(&tx, &txid);
    return txid;
}

/* ---- what is asked ---- */

enum status work_read_spend(const struct index_work *work, struct work_reader *reader, uint64_t input,
                            struct work_spend *spend, struct fault *fault)
{
    spend->height = work_height_of_input(work, input);
    enum status status = read_block(work, reader, spend->height, fault);
    if (status != STATUS_OK)
        return status;
    const struct work_block *block = &work->blocks[spend->height - work->first];
    uint64_t number = input - block->first_input;
    if (number >= reader->prevouts.count)
        return changed(work, spend->height, fault);
    const struct reread_tx *txs = reader->txs.at,
                           *tx = &txs[LOWER_BOUND(i, 1, reader->txs.count, txs[i].first_input <= number) - 1];
    memcpy(spend->prevout.bytes, reader->bytes + reader->prevouts.at[number], HASH256_SIZE);
    spend->txid = txid_of(reader, tx);
    spend->first_output = block->first_output + tx->first_output;
    return STATUS_OK;
}

enum status work_read_txid(const struct index_work *work, struct work_reader *reader, uint64_t first_output,
                           struct hash256 *txid, struct fault *fault)
{
    uint32_t height = work_height_of_output(work, first_output);
    enum status status = read_block(work, reader, height, fault);
    if (status != STATUS_OK)
        return status;
    uint64_t number = first_output - work->blocks[height - work->first].first_output;
    if (number >= reader->outputs)
        return changed(work, height, fault);
    const struct reread_tx *txs = reader->txs.at;
    *txid = txid_of(reader, &txs[LOWER_BOUND(i, 1, reader->txs.count, txs[i].first_output <= number) - 1]);
    return STATUS_OK;
}

void work_reader_free(struct work_reader *reader)
{
    blk_reader_free(&reader->reader);
    mem_free(reader->txs.at);
    mem_free(reader->prevouts.at);
    *reader = (struct work_reader){0};
}
