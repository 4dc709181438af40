/* block: one walk over a serialised block, which counts what every table needs and shows each piece to a visitor.
 *
 * block_walk is inlined into each caller together with the (constant) visitor it is given, so there is one walker in
 * the source and none of its calls in the machine code. Bytes are untrusted: nothing outside [block, block + size) is
 * read, and a visitor sees a piece only after its length has been checked. Thread rule: none, no state. */
#ifndef UNKTX_PARSER_BLOCK_H
#define UNKTX_PARSER_BLOCK_H

#include "parser/money.h"
#include "parser/script.h"
#include "parser/status.h"
#include "parser/tx.h"

#define BLOCK_HEADER_SIZE 80u
#define BLOCK_FORK_HEADER_SIZE 164u /* of the BLAKE2b fork: the 80 bytes, with bit 31 of the version set, and 84 more */
#define BLOCK_SIZE_MAX 0x02000000u  /* Core's MAX_SIZE: no record is believed to be longer */

struct block_header {
    struct hash256 prev;
    struct hash256 merkle_root;
    uint32_t time; /* Unix time, seconds */
    uint32_t bits; /* compact target */
};

/* `bytes` has BLOCK_HEADER_SIZE bytes. */
void block_header_read(const uint8_t *bytes, struct block_header *header);

struct block_counts {
    uint32_t txs;
    uint32_t inputs; /* the coinbase's included */
    uint32_t outputs;
    uint32_t kind_count[KINDS];
    uint64_t kind_value_sat[KINDS]; /* UINT64_MAX where it is more: a hostile block may claim any values */
    uint32_t unknown_txs[RULES];    /* transactions with an unknown output, nulldata included */
    bool too_much_money;            /* some transaction's outputs have more than MONEY_MAX_SAT, alone or together */
};

/* What a walk shows. Each member may be NULL; each may return false to end the walk (STATUS_NOMEM is returned then).
 * Per transaction: every input, every output with its kind and unknown-mask, then tx(). */
struct block_visitor {
    bool (*input)(void *context, const struct tx_input *in, uint32_t vin);
    bool (*output)(void *context, const struct tx_output *out, uint32_t vout, enum kind kind, unsigned unknown);
    /* `unknown` is the union of the outputs' masks; `index` counts from 0 in the block. */
    bool (*tx)(void *context, const struct tx *tx, uint32_t index, unsigned unknown);
};

/* The part of block_walk that shows the outputs of one transaction, and sums them up; adds their masks to
 * *unknown. */
static inline __attribute__((always_inline)) enum status block_walk_outputs(struct cursor *c, struct tx *tx,
                                                                            struct block_counts *counts,
                                                                            const struct block_visitor *visitor,
                                                                            void *context, unsigned *unknown)
{
    tx->value_out_sat = 0;
    for (uint32_t i = 0; i < tx->outputs; i++) {
        struct tx_output out;
        tx_output(c, &out);
        if (__builtin_expect(!cursor_ok(c), 0))
            return STATUS_FORMAT;
        enum kind kind = script_kind(out.script, out.script_size);
        unsigned mask = 0;
        if (kind <= KIND_MULTISIG)
            mask = script_unknown_rules(kind, out.script, out.script_size);
        counts->kind_count[kind]++;
        counts->kind_value_sat[kind] = add_saturating(counts->kind_value_sat[kind], out.value_sat);
        tx->value_out_sat = add_saturating(tx->value_out_sat, out.value_sat);
        *unknown |= mask;
        if (visitor->output && !visitor->output(context, &out, i, kind, mask))
            return STATUS_NOMEM;
    }
    counts->too_much_money |= tx->value_out_sat > MONEY_MAX_SAT;
    return STATUS_OK;
}

/* block_walk of a block whose header has `header_size` bytes. */
static inline __attribute__((always_inline)) enum status block_walk_after(const uint8_t *block, size_t size,
                                                                          size_t header_size,
                                                                          struct block_counts *counts,
                                                                          const struct block_visitor *visitor,
                                                                          void *context)
{
    struct cursor c = cursor_over(block, size);
    memset(counts, 0, sizeof *counts);
    cursor_take(&c, header_size);
    uint64_t txs = cursor_compact(&c);
    uint64_t inputs = 0, outputs = 0;
    for (uint64_t t = 0; t < txs && cursor_ok(&c); t++) {
        struct tx tx;
        unsigned unknown = 0;
        tx_begin(&c, &tx);
        for (uint32_t i = 0; i < tx.inputs; i++) {
            struct tx_input in;
            tx_input(&c, &in);
            if (__builtin_expect(!cursor_ok(&c), 0))
                return STATUS_FORMAT;
            if (visitor->input && !visitor->input(context, &in, i))
                return STATUS_NOMEM;
        }
        tx_outputs(&c, &tx);
        enum status status = block_walk_outputs(&c, &tx, counts, visitor, context, &unknown);
        if (__builtin_expect(status != STATUS_OK, 0))
            return status;
        tx_end(&c, &tx);
        if (__builtin_expect(!cursor_ok(&c), 0))
            return STATUS_FORMAT;
        inputs += tx.inputs;
        outputs += tx.outputs;
        if (unknown)
            for (unsigned r = 0; r < RULES; r++)
                counts->unknown_txs[r] += unknown >> r & 1;
        if (visitor->tx && !visitor->tx(context, &tx, (uint32_t)t, unknown))
            return STATUS_NOMEM;
    }
    counts->txs = (uint32_t)txs;
    counts->inputs = (uint32_t)inputs;
    counts->outputs = (uint32_t)outputs;
    return cursor_ok(&c) && txs > 0 && cursor_left(&c) == 0 ? STATUS_OK : STATUS_FORMAT;
}

/* Walks all of the block. STATUS_FORMAT if its bytes do not make whole transactions that end where the block ends,
 * or it has none. *counts is valid only with STATUS_OK. O(size). */
static inline __attribute__((always_inline)) enum status block_walk(const uint8_t *block, size_t size,
                                                                    struct block_counts *counts,
                                                                    const struct block_visitor *visitor, void *context)
{
    return block_walk_after(block, size, BLOCK_HEADER_SIZE, counts, visitor, context);
}

/* The walk without a visitor. */
enum status block_count(const uint8_t *block, size_t size, struct block_counts *counts) MUST_CHECK;

enum block_flaw {
    BLOCK_FINE = 0,
    BLOCK_MALFORMED,      /* does not parse */
    BLOCK_BAD_MONEY,      /* an output, or the outputs of a transaction together, have more than MONEY_MAX_SAT */
    BLOCK_BAD_WORK,       /* the header's hash does not meet its own target */
    BLOCK_BAD_MERKLE,     /* merkle root does not match the txids, or a mutated tree (CVE-2012-2459) */
    BLOCK_BAD_COMMITMENT, /* BIP 141 witness commitment does not match, is missing although there are witnesses */
    BLOCK_NOMEM,
};

struct hasher_message; /* hasher.h */

/* Scratch space of block_verify, reused from block to block. Zero-initialise; one thread; block_verifier_free at the
 * end. */
struct block_verifier {
    struct tx *txs;
    struct hash256 *txids;
    struct hash256 *wtxids;
    struct hasher_message *messages; /* that are hashed together */
    size_t txs_capacity;
    size_t txids_capacity;
    size_t wtxids_capacity;
    size_t messages_capacity;
};

/* Recomputes every txid, the merkle root, every wtxid and the witness commitment (BIP 141), and checks the header's
 * proof of work against its own bits and what the outputs claim to have (Core's CheckTransaction). A block without any
 * witness needs no commitment, and what looks like one in it is not judged: blocks from before segwit may hold
 * anything. *counts is valid unless BLOCK_MALFORMED or BLOCK_NOMEM is returned. O(size) hashing. */
enum block_flaw block_verify(struct block_verifier *verifier, const uint8_t *block, size_t size,
                             struct block_counts *counts);

/* The same for a block that a walk has found sound: what it counted, and the transactions as it showed them. */
enum block_flaw block_verify_txs(struct block_verifier *verifier, const uint8_t *block,
                                 const struct block_counts *counts, const struct tx *txs);
/* Whether the transactions are those that the header names, and nothing else: BLOCK_FINE, BLOCK_MALFORMED,
 * BLOCK_BAD_MERKLE or BLOCK_NOMEM. Witnesses are not looked at. With the first and third of these verifier->txids has
 * the txids of counts->txs transactions until the next call. O(size) hashing. */
enum block_flaw block_verify_txids(struct block_verifier *verifier, const uint8_t *block, size_t size,
                                   struct block_counts *counts);
/* Whether the witnesses are those that the coinbase commits to (BIP 141), and nothing else: BLOCK_FINE, also where it
 * commits to none, BLOCK_MALFORMED, BLOCK_BAD_COMMITMENT or BLOCK_NOMEM. For a block with witnesses. O(size)
 * hashing. */
enum block_flaw block_verify_witnesses(struct block_verifier *verifier, const uint8_t *block, size_t size);
void block_verifier_free(struct block_verifier *verifier);

/* Blocks of the BLAKE2b fork (Bitcoin Knots 29.4; mainnet from height 961,640): bit 31 of the version, a longer header
 * (src/primitives/block.h there), the same transactions and merkle root. Their hash and proof of work are another
 * function, which is not computed here. */
static inline bool block_claims_fork(const uint8_t header[BLOCK_HEADER_SIZE]) { return (header[3] & 0x80) != 0; }

/* True if the bytes are such a block: bit 31, transactions that end where the block ends, and their merkle root in the
 * header. *counts and *height (which the header names) are valid if true. *nomem: memory was short. O(size) hashing. */
bool block_is_of_fork(struct block_verifier *verifier, const uint8_t *block, size_t size, struct block_counts *counts,
                      uint32_t *height, bool *nomem);

/* "ok", or what is wrong, in a few words without commas. Static string. */
const char *block_flaw_text(enum block_flaw flaw);

/* True if `hash` meets the compact target `bits` (Core's CheckProofOfWork without the network's limit). */
bool block_meets_target(const struct hash256 *hash, uint32_t bits);

/* The height that the coinbase's script begins with (BIP 34), read from a whole block; false where it has none
 * (versions below 2, no coinbase, or a first operation that is neither OP_1..OP_16, as in young test chains, nor the
 * shortest push of a number of 1 to 4 bytes). O(1). */
bool block_bip34_height(const uint8_t *block, size_t size, uint32_t *height);

#endif
