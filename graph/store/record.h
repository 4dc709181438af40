/* record: the bytes of a store's batches: blocks with their counts, and their stored transactions. Encoding and
 * decoding only; no LMDB, no files. The format is documented byte by byte in docs/store-format.md.
 *
 * A *stored* transaction creates an output that some rule set calls unknown and that can be spent (pubkey, multisig,
 * nonstandard), or spends one, or (store option) creates nulldata. All its outputs are kept: kind and value of each,
 * script of those that are unknown in some rule set, and which protocol wrote into their keys.
 * A *tracked* output is one that is unknown in some rule set and is not nulldata. Tracked outputs are numbered from 0
 * in chain order over the whole store: the *ordinal*. Stored transactions are numbered likewise.
 *
 * A *partial* batch is one of a store that begins above the genesis block. Its blocks have the leading bytes of each of
 * their txids too, so that a later scan can tell which inputs spend what was made before the store begins; for each
 * stored transaction there is the number of these inputs, and for each block that of such unknown transactions.
 *
 * A batch is a run of consecutive blocks: a fixed header, the blocks, and an index of the tracked outputs that makes
 * (ordinal -> outpoint) one look-up.
 *
 * Decoding trusts nothing: every length is checked, and a bad batch ends in STATUS_FORMAT, never in a read outside it.
 * Thread rule: none, no state but the caller's. */
#ifndef UNKTX_GRAPH_STORE_RECORD_H
#define UNKTX_GRAPH_STORE_RECORD_H

#include "parser/block.h"
#include "parser/buffer.h"
#include "parser/protocol.h"

struct block_record {
    uint32_t height;
    struct hash256 hash;
    uint32_t time; /* of the header */
    struct block_counts counts;
    uint32_t stored_txs;
    /* Of partial batches only. */
    uint32_t maybe_txs[RULES]; /* of the unknown transactions those with an input made before the first block */
    const uint8_t *txids;      /* RECORD_TXID bytes of each transaction's txid; borrowed */
};

#define RECORD_TXID 8u

struct output_record {
    uint64_t value_sat;
    enum kind kind;
    unsigned unknown;      /* mask of rule sets */
    const uint8_t *script; /* NULL unless unknown != 0; borrowed */
    uint32_t script_size;
    enum protocol protocol; /* that its transaction shows, below PROTOCOLS_OF_TX */
};

/* Kinds of which the record has a protocol; it is PROTOCOL_NONE of all others. */
static inline bool output_has_protocol(enum kind kind) { return kind == KIND_MULTISIG || kind == KIND_NONSTANDARD; }

static inline bool output_is_tracked(unsigned unknown, enum kind kind) { return unknown != 0 && kind != KIND_NULLDATA; }

struct spend_record {
    uint32_t vin;
    uint64_t ordinal; /* of the tracked output that it spends */
};

struct tx_record {
    uint32_t index; /* in its block */
    struct hash256 txid;
    bool coinbase;
    uint32_t inputs;
    uint32_t outputs;
    uint32_t spends;
    uint64_t number;        /* of the stored transaction */
    uint64_t first_ordinal; /* of its first tracked output; the others follow in vout order */
    uint32_t tracked;       /* how many tracked outputs it has */
    uint32_t inputs_before; /* spend what was made before the store's first block; 0 unless partial */
};

#define BATCH_HEADER_SIZE 48u

/* ---- encoding ---- */

/* Appends the encoding of one output; the outputs of a transaction one after the other form its outputs blob, which
 * depends on the transaction alone and so can be made by any thread. */
enum status record_add_output(struct buffer *blob, const struct output_record *output) MUST_CHECK;

/* Builds one batch. Zero-initialise; reusable after batch_reset. */
struct batch {
    struct buffer blocks; /* encoded blocks, closed ones and the open one */
    struct buffer index;  /* 8 bytes per tracked output */
    struct buffer txs;    /* transactions of the open block */
    struct block_record open;
    uint32_t first_height;
    uint32_t block_count;
    uint64_t first_ordinal;
    uint64_t first_tx;
    uint32_t tracked;
    uint32_t tx_count;
    uint32_t last_tx_index;
    size_t open_index; /* bytes of index that belong to closed blocks */
    bool partial;      /* set before batch_reset */
};

/* Begins an empty batch whose first block has that height and whose first transaction and output have those numbers. */
void batch_reset(struct batch *batch, uint32_t first_height, uint64_t first_tx, uint64_t first_ordinal);
/* Begins a block; its height must be the next one. batch_add_tx for its stored transactions in order of index; then
 * batch_end_block. The record's stored_txs is ignored: it is counted; its txids must stay until batch_end_block. After
 * an error the batch may only be reset or freed. */
enum status batch_begin_block(struct batch *batch, const struct block_record *block) MUST_CHECK;
/* `outputs` is the outputs blob made by record_add_output, of tx->outputs outputs, of which tx->tracked are tracked, at
 * the vouts `tracked_vouts`. `spends` in order of vin. tx->number and tx->first_ordinal are ignored: they follow. */
enum status batch_add_tx(struct batch *batch, const struct tx_record *tx, const uint8_t *outputs, size_t outputs_size,
                         const uint32_t *tracked_vouts, const struct spend_record *spends) MUST_CHECK;
enum status batch_end_block(struct batch *batch) MUST_CHECK;
/* Bytes that batch_write will write. No block may be open. */
size_t batch_size(const struct batch *batch);
/* Writes header, blocks and index to `out`, which has batch_size bytes. */
void batch_write(const struct batch *batch, uint8_t *out);
void batch_free(struct batch *batch);

/* Of a batch that is being built: a view of its closed blocks, for batch_next_block and what follows it only; it ends
 * with the next change of the batch. And the outpoint of a tracked output of a closed block, as batch_outpoint. */
struct batch_view;
void batch_peek(const struct batch *batch, struct batch_view *view);
enum status batch_peek_outpoint(const struct batch *batch, uint64_t ordinal, struct hash256 *txid, uint32_t *vout)
    MUST_CHECK;

/* ---- decoding ---- */

/* A view of an encoded batch; borrows the bytes. */
struct batch_view {
    const uint8_t *bytes;
    size_t size;
    uint32_t first_height;
    uint32_t block_count;
    uint64_t first_ordinal;
    uint64_t first_tx;
    uint32_t tracked;
    uint32_t tx_count;
    bool partial;
    /* position of the iteration */
    struct cursor blocks; /* the next block */
    struct cursor txs;    /* the next transaction of the current block */
    uint32_t blocks_left;
    uint32_t txs_left;
    uint32_t height;
    uint64_t next_tx;
    uint64_t next_ordinal;
    uint64_t block_end_ordinal; /* the first ordinal after the current block */
    uint32_t block_txs;         /* transactions of the current block, stored or not */
    uint32_t last_tx_index;     /* UINT32_MAX before the block's first */
};

/* Checks header and sizes. The bytes must stay while the view is used. */
enum status batch_view_open(struct batch_view *view, const uint8_t *bytes, size_t size) MUST_CHECK;
/* Leaves out all but the first `blocks` blocks of a view that was just opened, as if the batch ended there.
 * STATUS_FORMAT if it has fewer. O(blocks). */
enum status batch_view_cut(struct batch_view *view, uint32_t blocks) MUST_CHECK;
/* True if the batch's checksum is that of its bytes. O(size): some microseconds for 10 KiB. */
bool batch_view_intact(const struct batch_view *view);
/* The next block: STATUS_NOT_FOUND after the last. Skips what is left of the previous block's transactions in O(1). */
enum status batch_next_block(struct batch_view *view, struct block_record *block) MUST_CHECK;

/* A stored transaction with cursors over its outputs and spends. */
struct tx_view {
    struct tx_record tx;
    struct cursor outputs;
    struct cursor spends;
    uint32_t outputs_left;
    uint32_t spends_left;
    uint32_t last_vin;
};
/* The next transaction of the current block: STATUS_NOT_FOUND after the last. */
enum status batch_next_tx(struct batch_view *view, struct tx_view *tx) MUST_CHECK;
enum status tx_next_output(struct tx_view *tx, struct output_record *output)
    MUST_CHECK;                                                                       /* STATUS_NOT_FOUND at the end */
enum status tx_next_spend(struct tx_view *tx, struct spend_record *spend) MUST_CHECK; /* STATUS_NOT_FOUND at the end */

/* The outpoint of a tracked output of this batch, through the index. O(1). STATUS_FORMAT if the index is damaged or the
 * ordinal is not in the batch. */
enum status batch_outpoint(const struct batch_view *view, uint64_t ordinal, struct hash256 *txid, uint32_t *vout)
    MUST_CHECK;

/* Where the last output of a batch was found. Zero-initialise for each batch. */
struct output_place {
    size_t tx; /* 0: nowhere yet */
    struct tx_view view;
    uint32_t next_vout;
};
/* A tracked output of this batch, through the index; borrowed from the batch. O(outputs of its transaction), or only
 * what lies between where it follows the last one: any number of outputs in ascending order cost no more than all their
 * transactions. STATUS_FORMAT as above. */
enum status batch_output(const struct batch_view *view, struct output_place *place, uint64_t ordinal,
                         struct output_record *output) MUST_CHECK;

#endif
