#include "parser/block.h"

#include "parser/hasher.h"
#include "parser/mem.h"
#include "parser/opcode.h"

void block_header_read(const uint8_t *bytes, struct block_header *header)
{
    memcpy(header->prev.bytes, bytes + 4, HASH256_SIZE);
    memcpy(header->merkle_root.bytes, bytes + 36, HASH256_SIZE);
    header->time = load_le32(bytes + 68);
    header->bits = load_le32(bytes + 72);
}

enum status block_count(const uint8_t *block, size_t size, struct block_counts *counts)
{
    static const struct block_visitor none;
    return block_walk(block, size, counts, &none, NULL);
}

bool block_meets_target(const struct hash256 *hash, uint32_t bits)
{
    /* arith_uint256::SetCompact: a mantissa of three bytes whose last is byte `exponent` - 1 of the target */
    int exponent = (int)(bits >> 24);
    uint32_t mantissa = bits & 0x7fffff;
    bool negative = bits & 0x800000;
    uint8_t target[HASH256_SIZE] = {0};
    bool zero = true;
    for (int i = 0; i < 3; i++) {
        uint8_t byte = (uint8_t)(mantissa >> 8 * i);
        int at = exponent - 3 + i;
        if (byte && at >= (int)HASH256_SIZE)
            return false;
        if (byte && at >= 0) {
            target[at] = byte;
            zero = false;
        }
    }
    if (zero || negative)
        return false;
    for (size_t i = HASH256_SIZE; i-- > 0;)
        if (hash->bytes[i] != target[i])
            return hash->bytes[i] < target[i];
    return true;
}

bool block_bip34_height(const uint8_t *block, size_t size, uint32_t *height)
{
    struct cursor c = cursor_over(block, size);
    int32_t version = (int32_t)cursor_u32(&c);
    cursor_take(&c, BLOCK_HEADER_SIZE - 4);
    cursor_compact(&c);
    struct tx tx;
    struct tx_input in;
    tx_begin(&c, &tx);
    tx_input(&c, &in);
    if (!cursor_ok(&c) || version < 2 || !tx_is_coinbase(&tx, &in))
        return false;
    struct cursor script = cursor_over(in.script, in.script_size);
    struct op op;
    if (!op_next(&script, &op))
        return false;
    if (op.code >= OP_1 && op.code <= OP_16) {
        *height = (uint32_t)(op.code - OP_1 + 1);
        return true;
    }
    if (op.code < 1 || op.code > 4)
        return false;
    uint32_t value = 0;
    for (size_t i = 0; i < op.size; i++)
        value |= (uint32_t)op.data[i] << 8 * i;
    /* shortest form: the last byte is needed for its bits or to keep the sign bit clear; up to 16 there are opcodes */
    uint8_t last = op.data[op.size - 1];
    bool shortest = last != 0 || (op.size > 1 && op.data[op.size - 2] & 0x80);
    if (last & 0x80 || !shortest || value <= 16)
        return false;
    *height = value;
    return true;
}

/* The witness commitment of BIP 141, as far as a block has it. */
struct commitment {
    const uint8_t *script;   /* last output of the coinbase that looks like one, NULL if none does */
    const uint8_t *reserved; /* the only item of the coinbase's witness, NULL unless that is 32 bytes */
};

#define COMMITMENT_SIZE 38u

static void note_coinbase_output(struct commitment *commitment, const struct tx_output *out)
{
    static const uint8_t prefix[6] = {OP_RETURN, 0x24, 0xaa, 0x21, 0xa9, 0xed};
    if (out->script_size >= COMMITMENT_SIZE && memcmp(out->script, prefix, sizeof prefix) == 0)
        commitment->script = out->script;
}

static void note_coinbase_witness(struct commitment *commitment, const struct tx *tx)
{
    if (!tx->segwit || tx->inputs != 1)
        return;
    struct cursor c = cursor_over(tx->body_end, (size_t)(tx->end - 4 - tx->body_end));
    if (cursor_compact(&c) == 1 && cursor_compact(&c) == HASH256_SIZE)
        commitment->reserved = cursor_take(&c, HASH256_SIZE);
}

/* What the coinbase says, which has been read before. */
static void read_coinbase(const struct tx *tx, struct commitment *commitment)
{
    struct cursor c = cursor_over(tx->body, (size_t)(tx->body_end - tx->body));
    struct tx_input in;
    struct tx_output out;
    for (uint64_t inputs = cursor_compact(&c); inputs > 0 && cursor_ok(&c); inputs--)
        tx_input(&c, &in);
    for (uint64_t outputs = cursor_compact(&c); outputs > 0 && cursor_ok(&c); outputs--) {
        tx_output(&c, &out);
        if (cursor_ok(&c))
            note_coinbase_output(commitment, &out);
    }
    note_coinbase_witness(commitment, tx);
}

struct batch {
    struct hasher_message *messages; /* room for HASHER_BATCH */
    size_t count;
};

static void batch_flush(struct batch *batch)
{
    hasher_messages(hasher_best(), batch->messages, batch->count);
    batch->count = 0;
}

static struct hasher_message *batch_next(struct batch *batch)
{
    if (batch->count == HASHER_BATCH)
        batch_flush(batch);
    return &batch->messages[batch->count++];
}

static struct hasher_message whole_message(const struct tx *tx, struct hash256 *wtxid)
{
    return (struct hasher_message){.first = tx->start,
                                   .body = tx->start + HASHER_END,
                                   .body_size = (size_t)(tx->end - tx->start) - 2 * HASHER_END,
                                   .last = tx->end - HASHER_END,
                                   .out = wtxid};
}

/* The txid, and, unless `wtxid` is NULL, the wtxid of all but the coinbase, which has zeros for it. Without witnesses
 * both are the same. */
static void batch_tx(struct batch *batch, const struct tx *tx, bool coinbase, struct hash256 *txid,
                     struct hash256 *wtxid)
{
    struct hasher_message *message = batch_next(batch);
    *message = tx_message(tx, txid);
    if (!wtxid)
        return;
    message->copy = coinbase || tx->segwit ? NULL : wtxid;
    if (coinbase)
        memset(wtxid, 0, sizeof *wtxid);
    else if (tx->segwit)
        *batch_next(batch) = whole_message(tx, wtxid);
}

/* For all levels of a tree, one after the other: each has half of the one before, rounded up, and may need a copy of
 * its last; there are fewer than 32. */
#define MERKLE_ROOM(leaves) (2 * (leaves) + 64)

static enum status reserve_hashes(struct block_verifier *v, size_t count)
{
    if (mem_reserve(&v->txids, &v->txids_capacity, MERKLE_ROOM(count), sizeof *v->txids) != STATUS_OK ||
        mem_reserve(&v->wtxids, &v->wtxids_capacity, MERKLE_ROOM(count), sizeof *v->wtxids) != STATUS_OK)
        return STATUS_NOMEM;
    return mem_reserve(&v->messages, &v->messages_capacity, HASHER_BATCH, sizeof *v->messages);
}

/* Hashes all transactions into the verifier's arrays; the wtxids only if they are wanted. */
static enum status hash_txs(struct block_verifier *v, const struct tx *txs, size_t count, bool wtxids)
{
    if (reserve_hashes(v, count) != STATUS_OK)
        return STATUS_NOMEM;
    struct batch batch = {.messages = v->messages};
    for (size_t t = 0; t < count; t++)
        batch_tx(&batch, &txs[t], t == 0, &v->txids[t], wtxids ? &v->wtxids[t] : NULL);
    batch_flush(&batch);
    return STATUS_OK;
}

/* The wtxids alone. */
static enum status hash_wholes(struct block_verifier *v, const struct tx *txs, size_t count)
{
    if (reserve_hashes(v, count) != STATUS_OK)
        return STATUS_NOMEM;
    struct batch batch = {.messages = v->messages};
    memset(&v->wtxids[0], 0, sizeof v->wtxids[0]);
    for (size_t t = 1; t < count; t++)
        *batch_next(&batch) = txs[t].segwit ? whole_message(&txs[t], &v->wtxids[t])
                                            : tx_message(&txs[t], &v->wtxids[t]);
    batch_flush(&batch);
    return STATUS_OK;
}

/* Writes the levels of the tree after its leaves and returns its root. *mutated: some level has an equal pair, which
 * lets two lists of transactions share a root (CVE-2012-2459). */
static const struct hash256 *merkle_root(struct hash256 *hashes, size_t count, bool *mutated)
{
    *mutated = false;
    while (count > 1) {
        for (size_t i = 0; i + 1 < count; i += 2)
            *mutated |= hash256_equal(&hashes[i], &hashes[i + 1]);
        if (count % 2) {
            hashes[count] = hashes[count - 1];
            count++;
        }
        hasher_parents(hasher_best(), hashes, count / 2, hashes + count);
        hashes += count;
        count /= 2;
    }
    return hashes;
}

static bool commitment_holds(struct block_verifier *v, size_t count, const struct commitment *commitment)
{
    if (!commitment->script || !commitment->reserved)
        return false;
    bool mutated; /* of no matter: the txids have been judged */
    const struct hash256 *root = merkle_root(v->wtxids, count, &mutated);
    const struct sha256_part parts[] = {{root->bytes, HASH256_SIZE}, {commitment->reserved, HASH256_SIZE}};
    struct hash256 hash;
    sha256d_parts(parts, 2, &hash);
    return memcmp(hash.bytes, commitment->script + COMMITMENT_SIZE - HASH256_SIZE, HASH256_SIZE) == 0;
}

/* As block_verify_txs, without the proof of work. */
static enum block_flaw verify_roots(struct block_verifier *verifier, const struct block_header *header,
                                    const struct tx *txs, size_t count)
{
    if (hash_txs(verifier, txs, count, true) != STATUS_OK)
        return BLOCK_NOMEM;
    bool mutated, witness = false;
    const struct hash256 *root = merkle_root(verifier->txids, count, &mutated);
    if (mutated || !hash256_equal(root, &header->merkle_root))
        return BLOCK_BAD_MERKLE;
    for (size_t t = 0; t < count && !witness; t++)
        witness = txs[t].segwit;
    /* without any witness there is nothing to commit to: an output that looks like a commitment is then just data, as
     * it may well be in a block from before segwit */
    struct commitment commitment = {0};
    read_coinbase(&txs[0], &commitment);
    if (witness && !commitment_holds(verifier, count, &commitment))
        return BLOCK_BAD_COMMITMENT;
    return BLOCK_FINE;
}

enum block_flaw block_verify_txs(struct block_verifier *verifier, const uint8_t *block,
                                 const struct block_counts *counts, const struct tx *txs)
{
    if (counts->too_much_money)
        return BLOCK_BAD_MONEY;
    struct block_header header;
    block_header_read(block, &header);
    struct hash256 hash;
    sha256d(block, BLOCK_HEADER_SIZE, &hash);
    return block_meets_target(&hash, header.bits) ? verify_roots(verifier, &header, txs, counts->txs) : BLOCK_BAD_WORK;
}

static bool keep_tx(void *context, const struct tx *tx, uint32_t index, unsigned unknown)
{
    struct block_verifier *v = context;
    (void)unknown;
    if (mem_reserve(&v->txs, &v->txs_capacity, (size_t)index + 1, sizeof *v->txs) != STATUS_OK)
        return false;
    v->txs[index] = *tx;
    return true;
}

enum block_flaw block_verify_txids(struct block_verifier *verifier, const uint8_t *block, size_t size,
                                   struct block_counts *counts)
{
    static const struct block_visitor visitor = {.tx = keep_tx};
    struct block_header header;
    bool mutated; /* of no matter: that changes the size */
    enum status status = block_walk(block, size, counts, &visitor, verifier);
    if (status == STATUS_OK)
        status = hash_txs(verifier, verifier->txs, counts->txs, false);
    if (status != STATUS_OK)
        return status == STATUS_NOMEM ? BLOCK_NOMEM : BLOCK_MALFORMED;
    block_header_read(block, &header);
    const struct hash256 *root = merkle_root(verifier->txids, counts->txs, &mutated);
    return hash256_equal(root, &header.merkle_root) ? BLOCK_FINE : BLOCK_BAD_MERKLE;
}

enum block_flaw block_verify(struct block_verifier *verifier, const uint8_t *block, size_t size,
                             struct block_counts *counts)
{
    static const struct block_visitor visitor = {.tx = keep_tx};
    enum status status = block_walk(block, size, counts, &visitor, verifier);
    if (status != STATUS_OK)
        return status == STATUS_NOMEM ? BLOCK_NOMEM : BLOCK_MALFORMED;
    return block_verify_txs(verifier, block, counts, verifier->txs);
}

enum block_flaw block_verify_witnesses(struct block_verifier *verifier, const uint8_t *block, size_t size)
{
    static const struct block_visitor visitor = {.tx = keep_tx};
    struct block_counts counts;
    struct commitment commitment = {0};
    enum status status = block_walk(block, size, &counts, &visitor, verifier);
    if (status != STATUS_OK)
        return status == STATUS_NOMEM ? BLOCK_NOMEM : BLOCK_MALFORMED;
    read_coinbase(&verifier->txs[0], &commitment);
    if (!commitment.script)
        return BLOCK_FINE;
    if (hash_wholes(verifier, verifier->txs, counts.txs) != STATUS_OK)
        return BLOCK_NOMEM;
    return commitment_holds(verifier, counts.txs, &commitment) ? BLOCK_FINE : BLOCK_BAD_COMMITMENT;
}

bool block_is_of_fork(struct block_verifier *verifier, const uint8_t *block, size_t size, struct block_counts *counts,
                      uint32_t *height, bool *nomem)
{
    static const struct block_visitor visitor = {.tx = keep_tx};
    *nomem = false;
    if (size <= BLOCK_FORK_HEADER_SIZE || !block_claims_fork(block))
        return false;
    enum status status = block_walk_after(block, size, BLOCK_FORK_HEADER_SIZE, counts, &visitor, verifier);
    enum block_flaw flaw = BLOCK_MALFORMED;
    struct block_header header;
    block_header_read(block, &header);
    if (status == STATUS_OK)
        flaw = verify_roots(verifier, &header, verifier->txs, counts->txs);
    *nomem = status == STATUS_NOMEM || flaw == BLOCK_NOMEM;
    *height = load_le32(block + 128);
    return flaw == BLOCK_FINE;
}

void block_verifier_free(struct block_verifier *verifier)
{
    mem_free(verifier->txs);
    mem_free(verifier->txids);
    mem_free(verifier->wtxids);
    mem_free(verifier->messages);
    memset(verifier, 0, sizeof *verifier);
}

const char *block_flaw_text(enum block_flaw flaw)
{
    switch (flaw) {
    case BLOCK_FINE: return "ok";
    case BLOCK_MALFORMED: return "malformed";
    case BLOCK_BAD_MONEY: return "outputs have more value than there can be";
    case BLOCK_BAD_WORK: return "header misses its proof-of-work target";
    case BLOCK_BAD_MERKLE: return "merkle root does not match";
    case BLOCK_BAD_COMMITMENT: return "witness commitment does not match";
    case BLOCK_NOMEM: return "out of memory";
    }
    return "unknown flaw";
}
