/* Any bytes as a block: the walk shows what it counts, in order and inside the bytes, and finds the same in each
 * transaction read by itself. */
#include <string.h>

#include "parser/block.h"
#include "tests/fuzz/fuzz.h"

struct seen {
    const uint8_t *block;
    const uint8_t *end;
    const uint8_t *last_tx_end;
    struct block_counts counts;
    uint32_t inputs;  /* of the transaction under the walk */
    uint32_t outputs; /* of the transaction under the walk */
    unsigned unknown;
    unsigned __int128 exact_sat; /* of the transaction's outputs so far */
};

static bool inside(const struct seen *seen, const uint8_t *bytes, size_t size)
{
    return bytes >= seen->block && bytes <= seen->end && size <= (size_t)(seen->end - bytes);
}

static bool on_input(void *context, const struct tx_input *in, uint32_t vin)
{
    struct seen *seen = context;
    must(vin == seen->inputs++, "inputs come in order");
    must(inside(seen, in->prevout, TX_PREVOUT_SIZE) && inside(seen, in->script, in->script_size),
         "an input is in the block");
    seen->counts.inputs++;
    return true;
}

static bool on_output(void *context, const struct tx_output *out, uint32_t vout, enum kind kind, unsigned unknown)
{
    struct seen *seen = context;
    must(vout == seen->outputs++, "outputs come in order");
    must(inside(seen, out->script, out->script_size), "an output is in the block");
    must(kind == script_kind(out->script, out->script_size), "an output has its script's kind");
    must(unknown == script_unknown_rules(kind, out->script, out->script_size), "an output has its script's rule sets");
    seen->counts.outputs++;
    seen->counts.kind_count[kind]++;
    uint64_t *sum = &seen->counts.kind_value_sat[kind];
    *sum = out->value_sat > UINT64_MAX - *sum ? UINT64_MAX : *sum + out->value_sat;
    seen->exact_sat += out->value_sat;
    seen->unknown |= unknown;
    return true;
}

/* The bytes that the txid hashes, without marker and witnesses. */
static void expect_txid(const struct tx *tx)
{
    size_t body = (size_t)(tx->body_end - tx->body);
    uint8_t *bytes = malloc(body + 8);
    must(bytes != NULL, "memory");
    memcpy(bytes, tx->start, 4);
    memcpy(bytes + 4, tx->body, body);
    memcpy(bytes + 4 + body, tx->end - 4, 4);
    struct hash256 expected, txid;
    sha256d(bytes, body + 8, &expected);
    tx_id(tx, &txid);
    must(hash256_equal(&expected, &txid), "the txid is the hash of the transaction without its witnesses");
    struct cursor c = cursor_over(bytes, body + 8);
    struct tx again;
    struct tx_input in;
    struct tx_output out;
    tx_begin(&c, &again);
    for (uint32_t i = 0; i < again.inputs; i++)
        tx_input(&c, &in);
    tx_outputs(&c, &again);
    for (uint32_t i = 0; i < again.outputs; i++)
        tx_output(&c, &out);
    tx_end(&c, &again);
    must(cursor_ok(&c) && cursor_left(&c) == 0 && again.inputs == tx->inputs && again.outputs == tx->outputs,
         "without its witnesses a transaction reads the same");
    free(bytes);
}

static bool on_tx(void *context, const struct tx *tx, uint32_t index, unsigned unknown)
{
    struct seen *seen = context;
    must(index == seen->counts.txs++, "transactions come in order");
    seen->counts.too_much_money |= seen->exact_sat > 2100000000000000;
    seen->exact_sat = 0;
    must(tx->inputs == seen->inputs && tx->outputs == seen->outputs && unknown == seen->unknown,
         "a transaction has what was shown of it");
    must(seen->last_tx_end == NULL || tx->start == seen->last_tx_end, "transactions follow one another");
    must(inside(seen, tx->start, (size_t)(tx->end - tx->start)), "a transaction is in the block");
    expect_txid(tx);
    for (unsigned r = 0; r < RULES; r++)
        seen->counts.unknown_txs[r] += unknown >> r & 1;
    seen->last_tx_end = tx->end;
    seen->inputs = seen->outputs = seen->unknown = 0;
    return true;
}

static const struct block_visitor visitor = {.input = on_input, .output = on_output, .tx = on_tx};

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct seen seen = {.block = data, .end = data + size};
    struct block_counts counts, plain;
    enum status status = block_walk(data, size, &counts, &visitor, &seen);
    must(block_count(data, size, &plain) == status, "a walk ends the same with and without a visitor");
    if (status == STATUS_OK) {
        must(memcmp(&counts, &plain, sizeof counts) == 0 && memcmp(&counts, &seen.counts, sizeof counts) == 0,
             "the counts are of what was shown");
        must(seen.last_tx_end == seen.end, "the last transaction ends where the block ends");
    }
    struct block_verifier verifier = {0};
    enum block_flaw flaw = block_verify(&verifier, data, size, &counts);
    must((flaw == BLOCK_MALFORMED) == (status != STATUS_OK) || flaw == BLOCK_BAD_WORK,
         "what cannot be walked is malformed");
    must(block_flaw_text(flaw)[0] != '\0', "a flaw has a text");
    block_verifier_free(&verifier);
    uint32_t height;
    if (size >= BLOCK_HEADER_SIZE)
        (void)block_bip34_height(data, size, &height);
    return 0;
}
