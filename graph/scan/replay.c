#include "graph/scan/replay.h"

#include "parser/mem.h"
#include "parser/sha256.h"

struct replay {
    struct store_reader *reader;
    struct outpoints *table;
    uint32_t blocks; /* that the table has already */
    uint64_t first;  /* ordinal of the first tracked output after them */
    uint64_t tracked;
    uint64_t txs;
    uint8_t *spent; /* a bit for each ordinal from `first` on */
};

static enum status resolve(void *context, uint64_t ordinal, struct hash256 *txid, uint32_t *vout)
{
    return store_outpoint(context, ordinal, txid, vout, NULL);
}

static uint64_t hash_of(const struct outpoints *table, const struct hash256 *txid, uint32_t vout,
                        uint8_t prevout[TX_PREVOUT_SIZE])
{
    outpoints_prevout(txid, vout, prevout);
    return outpoints_hash(table, prevout);
}

static enum status remove_older(struct replay *replay, uint64_t ordinal, struct fault *fault)
{
    struct hash256 txid;
    uint32_t vout;
    uint8_t prevout[TX_PREVOUT_SIZE];
    enum status status = store_outpoint(replay->reader, ordinal, &txid, &vout, fault);
    if (status == STATUS_OK)
        outpoints_remove(replay->table, hash_of(replay->table, &txid, vout, prevout), ordinal);
    return status;
}

/* Spends of outputs that the table has already remove them at once; of the others a bit is set, for add_outputs. */
static enum status take_spends(struct replay *replay, struct tx_view *tx, struct fault *fault)
{
    struct spend_record spend;
    enum status status;
    replay->txs++;
    while ((status = tx_next_spend(tx, &spend)) == STATUS_OK) {
        if (spend.ordinal >= replay->tracked)
            return STATUS_FORMAT;
        uint64_t bit = spend.ordinal - replay->first;
        if (spend.ordinal >= replay->first)
            replay->spent[bit / 8] |= (uint8_t)(1u << bit % 8);
        else if ((status = remove_older(replay, spend.ordinal, fault)) != STATUS_OK)
            return status;
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* Spent outputs are added too and at once removed: they may replace an earlier one of the same outpoint. */
static enum status add_outputs(struct replay *replay, struct tx_view *tx, struct fault *fault)
{
    struct output_record output;
    uint64_t ordinal = tx->tx.first_ordinal;
    enum status status;
    for (uint32_t vout = 0; (status = tx_next_output(tx, &output)) == STATUS_OK; vout++) {
        if (!output_is_tracked(output.unknown, output.kind))
            continue;
        uint8_t prevout[TX_PREVOUT_SIZE];
        uint64_t hash = hash_of(replay->table, &tx->tx.txid, vout, prevout), bit = ordinal - replay->first;
        status = outpoints_add(replay->table, prevout, hash, ordinal, resolve, replay->reader, fault);
        if (status != STATUS_OK)
            return status;
        outpoints_end_window(replay->table);
        if (replay->spent[bit / 8] >> bit % 8 & 1)
            outpoints_remove(replay->table, hash, ordinal);
        ordinal++;
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

typedef enum status on_tx(struct replay *replay, struct tx_view *tx, struct fault *fault);

static enum status each_tx_of_block(struct replay *replay, struct batch_view *view, on_tx *on, struct fault *fault)
{
    struct tx_view tx;
    enum status status;
    while ((status = batch_next_tx(view, &tx)) == STATUS_OK)
        if ((status = on(replay, &tx, fault)) != STATUS_OK)
            return status;
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static enum status each_tx(struct replay *replay, on_tx *on, struct fault *fault)
{
    size_t first = 0;
    enum status status = store_batch_of_height(replay->reader, replay->blocks, &first, fault);
    for (size_t b = first; b < store_batches(replay->reader) && status == STATUS_OK; b++) {
        struct batch_view view;
        struct block_record block;
        status = store_whole_batch(replay->reader, b, &view, fault);
        while (status == STATUS_OK && (status = batch_next_block(&view, &block)) == STATUS_OK)
            if (block.height >= replay->blocks)
                status = each_tx_of_block(replay, &view, on, fault);
        if (status == STATUS_NOT_FOUND)
            status = STATUS_OK;
    }
    return status;
}

/* The ordinal of the first tracked output of block `blocks` or later. */
static enum status find_first(struct replay *replay, struct fault *fault)
{
    size_t batch;
    struct batch_view view;
    struct block_record block;
    enum status status = store_batch_of_height(replay->reader, replay->blocks, &batch, fault);
    if (status == STATUS_OK)
        status = store_batch(replay->reader, batch, &view, fault);
    while (status == STATUS_OK && (status = batch_next_block(&view, &block)) == STATUS_OK &&
           block.height < replay->blocks)
        continue;
    if (status == STATUS_OK)
        replay->first = view.next_ordinal;
    return status;
}

enum status replay_outpoints(const struct store *store, uint32_t blocks, struct outpoints *table, uint64_t *records,
                             struct fault *fault)
{
    struct replay replay = {.table = table, .blocks = blocks, .tracked = store_totals_of(store).tracked};
    *records = 0;
    if (blocks < store_first_height(store))
        replay.blocks = store_first_height(store);
    if (replay.blocks >= store_totals_of(store).blocks)
        return STATUS_OK;
    enum status status = store_reader_open(store, &replay.reader, fault);
    if (status == STATUS_OK)
        status = find_first(&replay, fault);
    if (status == STATUS_OK && replay.first > replay.tracked)
        status = STATUS_FORMAT;
    if (status == STATUS_OK) {
        replay.spent = mem_alloc((replay.tracked - replay.first) / 8 + 1, 1);
        status = replay.spent ? each_tx(&replay, take_spends, fault) : fault_nomem(fault);
    }
    if (status == STATUS_OK)
        status = each_tx(&replay, add_outputs, fault);
    if (status == STATUS_FORMAT)
        status = fault_set(fault, status, store_path(store), FAULT_NO_OFFSET,
                           "the store is damaged: `unktx check` tells where; delete it and run 'unktx %s' again",
                           store_made_by(store));
    *records = replay.txs + (replay.tracked - replay.first);
    mem_free(replay.spent);
    store_reader_close(replay.reader);
    return status;
}

/* ---- the snapshot ---- */

static enum status get_chunk(void *context, uint32_t chunk, const uint8_t **bytes, size_t *size)
{
    return store_get_snapshot(context, chunk, bytes, size, NULL);
}

enum status replay_load(struct store *store, unsigned threads, struct outpoints *table, uint64_t *records,
                        struct fault *fault)
{
    uint32_t blocks = store_snapshot_blocks(store);
    enum status status = blocks > 0 ? outpoints_load(table, threads, get_chunk, store) : STATUS_OK;
    if (status == STATUS_NOMEM)
        return fault_nomem(fault);
    if (status != STATUS_OK)
        blocks = 0; /* the table is empty: the store itself has all of it */
    return replay_outpoints(store, blocks, table, records, fault);
}

/* ---- checking ---- */

static enum status compare_chunk(void *context, uint32_t chunk, const void *bytes, size_t size)
{
    const uint8_t *saved;
    size_t saved_size;
    enum status status = get_chunk(context, chunk, &saved, &saved_size);
    if (status != STATUS_OK)
        return status;
    return size == saved_size && memcmp(bytes, saved, size) == 0 ? STATUS_OK : STATUS_FORMAT;
}

/* Each chunk's hash goes into the next one's. */
static enum status add_to_digest(void *context, uint32_t chunk, const void *bytes, size_t size)
{
    struct hash256 *digest = context;
    struct sha256_part parts[2] = {{digest->bytes, sizeof digest->bytes}, {bytes, size}};
    (void)chunk;
    sha256d_parts(parts, 2, digest);
    return STATUS_OK;
}

/* The digest of the table at the last block, begun with what `blocks` blocks leave: the snapshot, or nothing for 0. */
static enum status digest_table(struct store *store, uint32_t blocks, struct hash256 *digest, struct fault *fault)
{
    struct outpoints *table = NULL;
    uint64_t records;
    enum status status = outpoints_new(store_seed(store), &table, fault);
    if (status == STATUS_OK && blocks > 0)
        status = outpoints_load(table, 1, get_chunk, store);
    if (status == STATUS_OK && blocks > 0)
        status = outpoints_save(table, compare_chunk, store);
    if (status == STATUS_FORMAT || status == STATUS_NOT_FOUND)
        status = fault_set(fault, STATUS_FORMAT, store_path(store), FAULT_NO_OFFSET,
                           "the snapshot of the outpoint table is malformed");
    if (status == STATUS_OK)
        status = replay_outpoints(store, blocks, table, &records, fault);
    memset(digest, 0, sizeof *digest);
    if (status == STATUS_OK)
        status = outpoints_save(table, add_to_digest, digest);
    outpoints_free(table);
    return status == STATUS_NOMEM ? fault_nomem(fault) : status;
}

enum status replay_check(struct store *store, struct fault *fault)
{
    struct hash256 saved, expected;
    uint32_t blocks = store_snapshot_blocks(store);
    const uint8_t *chunk;
    size_t size;
    if (blocks == 0 || (get_chunk(store, 0, &chunk, &size) == STATUS_OK && outpoints_is_of_other_version(chunk, size)))
        return STATUS_OK;
    enum status status = digest_table(store, blocks, &saved, fault);
    if (status == STATUS_OK)
        status = digest_table(store, 0, &expected, fault);
    if (status == STATUS_OK && !hash256_equal(&saved, &expected))
        status = fault_set(fault, STATUS_FORMAT, store_path(store), FAULT_NO_OFFSET,
                           "the snapshot of the outpoint table is not what the store's blocks leave");
    return status;
}
