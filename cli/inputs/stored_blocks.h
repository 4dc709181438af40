/* stored_blocks: the blocks of a store, read from the blk files again, for what the store leaves there: scriptSigs and
 * witnesses. Thread rule: an open one is shareable; a blk_reader belongs to one thread. */
#ifndef UNKTX_CLI_INPUTS_STORED_BLOCKS_H
#define UNKTX_CLI_INPUTS_STORED_BLOCKS_H

#include "cli/options.h"
#include "graph/scan/block_places.h"
#include "parser/blkfile.h"
#include "parser/tx.h"

struct stored_blocks {
    struct blkdir dir;
    struct block_place *places; /* by height */
    uint32_t blocks;
};

/* Opens the blk files of settings->datadir, else those of the folder that was noted when the store was made. Zero-
 * initialise; stored_blocks_close in any case. STATUS_NOT_FOUND: there is no such folder any more, or its xor.dat is no
 * key; the text says what to do. */
enum status stored_blocks_open(const struct settings *settings, const struct store *store, struct stored_blocks *blocks,
                               struct fault *fault) MUST_CHECK;
void stored_blocks_close(struct stored_blocks *blocks);

/* The bytes of the block of that height, borrowed until the next call with the reader. STATUS_NOT_FOUND: its file is
 * gone (a pruned node), or shorter than it was; all else as status_ends_command. O(its size). */
enum status stored_blocks_read(const struct stored_blocks *blocks, struct blk_reader *reader, uint32_t height,
                               const uint8_t **bytes, uint32_t *size, struct fault *fault) MUST_CHECK;

/* The transactions of a block, one after the other. */
struct block_txs {
    struct cursor c;
    uint32_t next; /* index of the transaction that comes next */
};
struct block_txs block_txs_of(const uint8_t *block, size_t size);
/* Reads the transaction of that index, which is not below `next`, and goes on after it. False where the bytes are no
 * such block. O(bytes up to it). */
bool block_txs_read(struct block_txs *txs, uint32_t index, struct tx *tx);

/* The inputs of a transaction that was read, with tx_input. */
static inline struct cursor tx_inputs_of(const struct tx *tx)
{
    struct tx again;
    struct cursor c = cursor_over(tx->start, (size_t)(tx->end - tx->start));
    tx_begin(&c, &again);
    return c;
}

#endif
