#include "cli/inputs/stored_blocks.h"

#include "cli/inputs/index_blocks.h"
#include "parser/mem.h"

static enum status open_folder(const struct settings *settings, const struct store *store, struct blkdir *dir,
                               struct fault *fault)
{
    enum status status = settings->datadir ? blkdir_open(settings->datadir, settings->chain, dir, fault)
                                           : index_blocks_open(store_main_path(store), dir, fault);
    if (status_ends_command(status) || status == STATUS_OK || settings->datadir)
        return status;
    if (status != STATUS_NOT_FOUND) { /* fault says why it cannot be read from */
        if (fault)
            fault->status = STATUS_NOT_FOUND;
        return STATUS_NOT_FOUND;
    }
    return fault_set(fault, STATUS_NOT_FOUND, store_main_path(store), FAULT_NO_OFFSET,
                     "the blk files are not where the store was made from; 'unktx scan --datadir' notes their place "
                     "anew");
}

enum status stored_blocks_open(const struct settings *settings, const struct store *store, struct stored_blocks *blocks,
                               struct fault *fault)
{
    enum status status = open_folder(settings, store, &blocks->dir, fault);
    if (status != STATUS_OK)
        blocks->dir = (struct blkdir){0};
    blocks->blocks = store_totals_of(store).blocks;
    return status == STATUS_OK ? block_places_find(store, &blocks->places, fault) : status;
}

void stored_blocks_close(struct stored_blocks *blocks)
{
    blkdir_free(&blocks->dir);
    mem_free(blocks->places);
    *blocks = (struct stored_blocks){0};
}

enum status stored_blocks_read(const struct stored_blocks *blocks, struct blk_reader *reader, uint32_t height,
                               const uint8_t **bytes, uint32_t *size, struct fault *fault)
{
    size_t file = 0;
    const struct block_place *place = height < blocks->blocks ? &blocks->places[height] : NULL;
    if (!place || place->size == 0)
        return fault_set(fault, STATUS_NOT_FOUND, blocks->dir.path, FAULT_NO_OFFSET,
                         "the store does not know where block %u is; if a blk file still has it, 'unktx scan' finds it",
                         (unsigned)height);
    if (!index_blocks_file(&blocks->dir, place->file, &file))
        return fault_set(fault, STATUS_NOT_FOUND, blocks->dir.path, FAULT_NO_OFFSET,
                         "has no blk%05u.dat any more, which block %u is in", (unsigned)place->file, (unsigned)height);
    *size = place->size;
    return index_blocks_bytes(reader, &blocks->dir, file, place->offset, place->size, bytes, fault);
}

struct block_txs block_txs_of(const uint8_t *block, size_t size)
{
    struct block_txs txs = {.c = cursor_over(block, size)};
    cursor_take(&txs.c, BLOCK_HEADER_SIZE);
    cursor_compact(&txs.c);
    return txs;
}

/* Steps over one transaction. */
static bool read_tx(struct cursor *c, struct tx *tx)
{
    struct tx_input input;
    struct tx_output output;
    tx_begin(c, tx);
    for (uint32_t i = 0; i < tx->inputs && cursor_ok(c); i++)
        tx_input(c, &input);
    tx_outputs(c, tx);
    for (uint32_t i = 0; i < tx->outputs && cursor_ok(c); i++)
        tx_output(c, &output);
    tx_end(c, tx);
    return cursor_ok(c);
}

bool block_txs_read(struct block_txs *txs, uint32_t index, struct tx *tx)
{
    if (txs->next > index)
        return false;
    bool whole = true;
    for (; txs->next <= index && whole; txs->next++)
        whole = read_tx(&txs->c, tx);
    return whole;
}
