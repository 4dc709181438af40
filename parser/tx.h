/* tx: the pieces of a serialised transaction, pulled one after the other from a cursor (BIP 144 serialisation as Core's
 * UnserializeTransaction accepts it, but for what no block holds: no inputs, no outputs). Inline: this is the inner
 * loop of every scan. Every pointer is borrowed from the block's bytes. Thread rule: none, no state.
 *
 *   1. tx_begin(&c, &tx)               version, segwit marker, number of inputs
 *   2. tx_input(&c, &in)               tx.inputs times
 *   3. tx_outputs(&c, &tx)             number of outputs
 *   4. tx_output(&c, &out)             tx.outputs times
 *   5. tx_end(&c, &tx)                 witness and lock time; then cursor_ok(&c) tells whether all of it was there
 */
#ifndef UNKTX_PARSER_TX_H
#define UNKTX_PARSER_TX_H

#include "parser/cursor.h"
#include "parser/hasher.h"

struct tx {
    const uint8_t *start;    /* first byte of the version */
    const uint8_t *body;     /* the count of inputs, which the txid's preimage has directly after the version */
    const uint8_t *body_end; /* after the last output */
    const uint8_t *end;      /* after the lock time */
    uint32_t inputs;
    uint32_t outputs;
    uint64_t value_out_sat; /* of all outputs together, at most UINT64_MAX; block_walk sums it up */
    bool segwit;            /* serialised with a marker and witnesses */
};

struct tx_input {
    const uint8_t *prevout; /* 36 bytes: txid, then vout little-endian */
    const uint8_t *script;
    uint32_t script_size;
};

struct tx_output {
    uint64_t value_sat;
    const uint8_t *script;
    uint32_t script_size;
};

#define TX_PREVOUT_SIZE 36u

static inline void tx_begin(struct cursor *c, struct tx *tx)
{
    tx->start = c->at;
    cursor_take(c, 4);
    tx->body = c->at;
    tx->inputs = (uint32_t)cursor_compact(c);
    tx->segwit = false;
    if (__builtin_expect(tx->inputs == 0 && cursor_ok(c), 0)) {
        /* No inputs: the marker. Core takes flag 1 (witnesses follow) and refuses the others; flag 0 would be a
         * transaction with neither inputs nor outputs, which no block can hold. */
        if (cursor_u8(c) != 1)
            cursor_fail(c);
        tx->segwit = true;
        tx->body = c->at;
        tx->inputs = (uint32_t)cursor_compact(c);
        if (tx->inputs == 0)
            cursor_fail(c);
    }
}

static inline void tx_input(struct cursor *c, struct tx_input *in)
{
    in->prevout = cursor_take(c, TX_PREVOUT_SIZE);
    in->script_size = (uint32_t)cursor_compact(c);
    in->script = cursor_take(c, in->script_size);
    cursor_take(c, 4);
}

/* Core's CheckTransaction lets no transaction without outputs into a block. */
static inline void tx_outputs(struct cursor *c, struct tx *tx)
{
    tx->outputs = (uint32_t)cursor_compact(c);
    if (__builtin_expect(tx->outputs == 0, 0))
        cursor_fail(c);
}

static inline void tx_output(struct cursor *c, struct tx_output *out)
{
    out->value_sat = cursor_u64(c);
    out->script_size = (uint32_t)cursor_compact(c);
    out->script = cursor_take(c, out->script_size);
}

/* Steps over the witnesses of a segwit transaction; fails the cursor where all of them are empty, as Core does. */
void tx_skip_witness(struct cursor *c, uint32_t inputs);

static inline void tx_end(struct cursor *c, struct tx *tx)
{
    tx->body_end = c->at;
    if (tx->segwit)
        tx_skip_witness(c, tx->inputs);
    cursor_take(c, 4);
    tx->end = c->at;
}

/* The preimage of the txid in parts, unused ones of size 0. */
void tx_id_parts(const struct tx *tx, struct sha256_part parts[3]);

/* The txid (double SHA-256 without marker and witnesses) of a transaction that was read to its end. O(size). */
void tx_id(const struct tx *tx, struct hash256 *txid);

/* The same as a message, for whoever hashes many at once. */
static inline struct hasher_message tx_message(const struct tx *tx, struct hash256 *txid)
{
    return (struct hasher_message){.first = tx->start,
                                   .body = tx->body,
                                   .body_size = (size_t)(tx->body_end - tx->body),
                                   .last = tx->end - HASHER_END,
                                   .out = txid};
}

/* True for a coinbase: one input whose prevout is the null outpoint. `first` is the transaction's first input. */
static inline bool tx_is_coinbase(const struct tx *tx, const struct tx_input *first)
{
    static const uint8_t null_prevout[TX_PREVOUT_SIZE] = {[32] = 0xff, [33] = 0xff, [34] = 0xff, [35] = 0xff};
    return tx->inputs == 1 && first->prevout && memcmp(first->prevout, null_prevout, TX_PREVOUT_SIZE) == 0;
}

#endif
