#include "parser/block.h"

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
    bool needed;             /* some transaction has a witness */
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

/* Steps over one transaction and notes what the coinbase (index 0) says. */
static void read_tx(struct cursor *c, struct tx *tx, uint64_t index, struct commitment *commitment)
{
    tx_begin(c, tx);
    struct tx_input in;
    for (uint32_t i = 0; i < tx->inputs && cursor_ok(c); i++)
        tx_input(c, &in);
    tx_outputs(c, tx);
    struct tx_output out;
    for (uint32_t i = 0; i < tx->outputs && cursor_ok(c); i++) {
        tx_output(c, &out);
        if (index == 0 && cursor_ok(c))
            note_coinbase_output(commitment, &out);
    }
    tx_end(c, tx);
    if (!cursor_ok(c))
        return;
    commitment->needed |= tx->segwit;
    if (index == 0)
        note_coinbase_witness(commitment, tx);
}

/* Messages that wait to be hashed together (sha256d_many). */
#define BATCH 64u

struct batch {
    struct sha256_message messages[BATCH];
    struct hash256 *copies[BATCH]; /* where the same hash is wanted too, or NULL */
    size_t count;
};

static void batch_flush(struct batch *batch)
{
    sha256d_many(batch->messages, batch->count);
    for (size_t i = 0; i < batch->count; i++)
        if (batch->copies[i])
            *batch->copies[i] = *batch->messages[i].out;
    batch->count = 0;
}

static void batch_add(struct batch *batch, const struct sha256_message *message, struct hash256 *copy)
{
    if (batch->count == BATCH)
        batch_flush(batch);
    batch->messages[batch->count] = *message;
    batch->copies[batch->count++] = copy;
}

/* The txid, and the wtxid of all but the coinbase, which has zeros for it. Without witnesses both are the same. */
static void batch_add_tx(struct batch *batch, const struct tx *tx, bool coinbase, struct hash256 *txid,
                         struct hash256 *wtxid)
{
    struct sha256_message stripped = {.out = txid};
    tx_id_parts(tx, stripped.parts);
    batch_add(batch, &stripped, coinbase || tx->segwit ? NULL : wtxid);
    if (coinbase) {
        memset(wtxid, 0, sizeof *wtxid);
    } else if (tx->segwit) {
        struct sha256_message whole = {.parts = {{tx->start, (size_t)(tx->end - tx->start)}}, .out = wtxid};
        batch_add(batch, &whole, NULL);
    }
}

#define TX_SIZE_MIN 51u /* version, one input, no output, lock time: more transactions than that cannot follow */

/* Hashes all transactions into the verifier's arrays; *count is their number. */
static enum block_flaw hash_txs(struct block_verifier *v, struct cursor *c, size_t *count,
                                struct commitment *commitment)
{
    size_t txs = (size_t)cursor_compact(c);
    if (txs == 0 || txs > cursor_left(c) / TX_SIZE_MIN)
        return BLOCK_MALFORMED;
    /* one more than needed, for the copy of the last at an odd level of the tree */
    if (mem_reserve(&v->txids, &v->txids_capacity, txs + 1, sizeof *v->txids) != STATUS_OK ||
        mem_reserve(&v->wtxids, &v->wtxids_capacity, txs + 1, sizeof *v->wtxids) != STATUS_OK)
        return BLOCK_NOMEM;
    struct batch batch;
    batch.count = 0;
    for (size_t t = 0; t < txs; t++) {
        struct tx tx;
        read_tx(c, &tx, t, commitment);
        if (!cursor_ok(c))
            return BLOCK_MALFORMED;
        batch_add_tx(&batch, &tx, t == 0, &v->txids[t], &v->wtxids[t]);
    }
    batch_flush(&batch);
    *count = txs;
    return cursor_left(c) == 0 ? BLOCK_FINE : BLOCK_MALFORMED;
}

/* One level of the tree: count / 2 hashes of pairs, to the front of `hashes`. */
static void merkle_level(struct hash256 *hashes, size_t count)
{
    struct sha256_message messages[BATCH];
    struct hash256 parents[BATCH];
    for (size_t done = 0; done < count / 2;) {
        size_t n = count / 2 - done < BATCH ? count / 2 - done : BATCH;
        for (size_t i = 0; i < n; i++) {
            const struct hash256 *pair = &hashes[2 * (done + i)];
            messages[i] = (struct sha256_message){.parts = {{pair->bytes, 2 * HASH256_SIZE}}, .out = &parents[i]};
        }
        sha256d_many(messages, n);
        /* cppcheck-suppress uninitvar ; written through messages */
        memcpy(hashes + done, parents, n * sizeof *parents);
        done += n;
    }
}

/* Reduces the hashes to their root in hashes[0]; room for one more than `count`. Returns true if some level has an
 * equal pair, which lets two lists of transactions share a root (CVE-2012-2459). */
static bool merkle_root(struct hash256 *hashes, size_t count)
{
    bool mutated = false;
    for (; count > 1; count /= 2) {
        for (size_t i = 0; i + 1 < count; i += 2)
            mutated |= hash256_equal(&hashes[i], &hashes[i + 1]);
        if (count % 2) {
            hashes[count] = hashes[count - 1];
            count++;
        }
        merkle_level(hashes, count);
    }
    return mutated;
}

static bool commitment_holds(struct block_verifier *v, size_t count, const struct commitment *commitment)
{
    if (!commitment->script || !commitment->reserved)
        return false;
    merkle_root(v->wtxids, count);
    const struct sha256_part parts[] = {{v->wtxids[0].bytes, HASH256_SIZE}, {commitment->reserved, HASH256_SIZE}};
    struct hash256 hash;
    sha256d_parts(parts, 2, &hash);
    return memcmp(hash.bytes, commitment->script + COMMITMENT_SIZE - HASH256_SIZE, HASH256_SIZE) == 0;
}

enum block_flaw block_verify(struct block_verifier *verifier, const uint8_t *block, size_t size)
{
    struct cursor c = cursor_over(block, size);
    if (!cursor_take(&c, BLOCK_HEADER_SIZE))
        return BLOCK_MALFORMED;
    struct block_header header;
    block_header_read(block, &header);
    struct hash256 hash;
    sha256d(block, BLOCK_HEADER_SIZE, &hash);
    if (!block_meets_target(&hash, header.bits))
        return BLOCK_BAD_WORK;

    struct commitment commitment = {0};
    size_t count = 0;
    enum block_flaw flaw = hash_txs(verifier, &c, &count, &commitment);
    if (flaw != BLOCK_FINE)
        return flaw;
    if (merkle_root(verifier->txids, count) || !hash256_equal(&verifier->txids[0], &header.merkle_root))
        return BLOCK_BAD_MERKLE;
    /* without any witness there is nothing to commit to: an output that looks like a commitment is then just data, as
     * it may well be in a block from before segwit */
    if (commitment.needed && !commitment_holds(verifier, count, &commitment))
        return BLOCK_BAD_COMMITMENT;
    return BLOCK_FINE;
}

void block_verifier_free(struct block_verifier *verifier)
{
    mem_free(verifier->txids);
    mem_free(verifier->wtxids);
    memset(verifier, 0, sizeof *verifier);
}

const char *block_flaw_text(enum block_flaw flaw)
{
    switch (flaw) {
    case BLOCK_FINE: return "ok";
    case BLOCK_MALFORMED: return "malformed";
    case BLOCK_BAD_WORK: return "header misses its proof-of-work target";
    case BLOCK_BAD_MERKLE: return "merkle root does not match";
    case BLOCK_BAD_COMMITMENT: return "witness commitment does not match";
    case BLOCK_NOMEM: return "out of memory";
    }
    return "unknown flaw";
}
