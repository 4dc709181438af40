/* blocks: random blocks as plain structs, the second method that the tests of record and store compare with. */
#ifndef UNKTX_TESTS_GRAPH_BLOCKS_H
#define UNKTX_TESTS_GRAPH_BLOCKS_H

#include <stdlib.h>
#include <time.h>

#include "graph/store/record.h"

static uint64_t rng;
static inline uint64_t next_random(void)
{
    uint64_t z = rng += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}
static inline uint32_t below(uint32_t n) { return (uint32_t)(next_random() >> 32) % n; }

/* Numbers of every length that a varint can have. */
static inline uint64_t any_number(void) { return next_random() >> below(64); }

static inline void seed_random(void)
{
    const char *given = getenv("TEST_SEED");
    rng = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);
    print_message("seed %llu (TEST_SEED=... repeats it)\n", (unsigned long long)rng);
}

#define SCRIPT_MAX 300
#define OUTPUTS_MAX 8
#define SPENDS_MAX 5

struct test_output {
    struct output_record record;
    uint8_t script[SCRIPT_MAX];
};
struct test_tx {
    struct tx_record record;
    struct test_output outputs[OUTPUTS_MAX];
    struct spend_record spends[SPENDS_MAX];
};
struct test_block {
    struct block_record record;
    struct test_tx *txs;
};
struct test_outpoint {
    struct hash256 txid;
    uint32_t vout;
};

/* Blocks from a height on, with the outpoint of each tracked output. */
struct chain {
    uint64_t first_ordinal;
    struct test_block *blocks;
    uint32_t count;
    struct test_outpoint *tracked;
    size_t tracked_count;
    size_t tracked_room;
    uint64_t txs;
};

static inline void any_hash(struct hash256 *hash)
{
    for (int i = 0; i < 4; i++)
        store_le64(hash->bytes + 8 * i, next_random());
}

static inline void make_output(struct test_output *output)
{
    struct output_record *record = &output->record;
    *record = (struct output_record){.value_sat = any_number(), .kind = (enum kind)below(KINDS)};
    if (record->kind <= KIND_MULTISIG)
        record->unknown = record->kind == KIND_NONSTANDARD || record->kind == KIND_NULLDATA ? 7
                          : record->kind == KIND_PUBKEY                                     ? 6
                                                                                            : 4;
    if (record->unknown == 0)
        return;
    record->script_size = below(SCRIPT_MAX);
    for (uint32_t i = 0; i < record->script_size; i++)
        output->script[i] = (uint8_t)next_random();
    if (record->kind == KIND_MULTISIG || record->kind == KIND_NONSTANDARD)
        record->protocol = (enum protocol)below(PROTOCOLS_OF_TX);
}

static inline void make_tx(struct chain *chain, struct test_tx *tx, uint32_t index)
{
    struct tx_record *record = &tx->record;
    *record = (struct tx_record){
        .index = index, .coinbase = index == 0, .outputs = 1 + below(OUTPUTS_MAX), .number = chain->txs++};
    any_hash(&record->txid);
    record->first_ordinal = chain->first_ordinal + chain->tracked_count;
    for (uint32_t o = 0; o < record->outputs; o++) {
        make_output(&tx->outputs[o]);
        if (!output_is_tracked(tx->outputs[o].record.unknown, tx->outputs[o].record.kind))
            continue;
        if (chain->tracked_count == chain->tracked_room)
            chain->tracked = realloc(chain->tracked,
                                     (chain->tracked_room = 2 * chain->tracked_room + 64) * sizeof *chain->tracked);
        chain->tracked[chain->tracked_count++] = (struct test_outpoint){record->txid, o};
        record->tracked++;
    }
    uint32_t vin = 0;
    record->spends = below(SPENDS_MAX + 1);
    for (uint32_t s = 0; s < record->spends; s++, vin++) {
        vin += (uint32_t)any_number() >> (8 + below(20));
        tx->spends[s] = (struct spend_record){vin, any_number() >> 24};
    }
    record->inputs = vin + 1 + below(3);
}

static inline void make_block(struct chain *chain, struct test_block *block, uint32_t height)
{
    struct block_record *record = &block->record;
    *record = (struct block_record){.height = height, .time = (uint32_t)next_random(), .stored_txs = below(6)};
    any_hash(&record->hash);
    struct block_counts *counts = &record->counts;
    for (unsigned k = 0; k < KINDS; k++)
        if (below(2)) {
            counts->kind_count[k] = (uint32_t)any_number();
            counts->kind_value_sat[k] = any_number();
        }
    counts->inputs = (uint32_t)any_number();
    counts->outputs = (uint32_t)any_number();
    for (unsigned r = 0; r < RULES; r++)
        counts->unknown_txs[r] = (uint32_t)any_number();
    block->txs = calloc(record->stored_txs + 1, sizeof *block->txs);
    uint32_t index = 0;
    for (uint32_t t = 0; t < record->stored_txs; t++, index++) {
        index += below(4) ? 0 : below(1000);
        make_tx(chain, &block->txs[t], index);
    }
    counts->txs = index + 1;
}

/* Appends `count` blocks. */
static inline void chain_grow(struct chain *chain, uint32_t first_height, uint32_t count)
{
    chain->blocks = realloc(chain->blocks, (chain->count + count) * sizeof *chain->blocks);
    for (uint32_t b = 0; b < count; b++, chain->count++)
        make_block(chain, &chain->blocks[chain->count], first_height + chain->count);
}

static inline void chain_make(struct chain *chain, uint32_t first_height, uint64_t first_tx, uint64_t first_ordinal,
                              uint32_t count)
{
    *chain = (struct chain){.first_ordinal = first_ordinal, .txs = first_tx};
    chain_grow(chain, first_height, count);
}

static inline void chain_free_all(struct chain *chain)
{
    for (uint32_t b = 0; b < chain->count; b++)
        free(chain->blocks[b].txs);
    free(chain->blocks);
    free(chain->tracked);
}

/* The outputs blob of a transaction and the vouts of its tracked outputs. */
static inline enum status outputs_of(const struct test_tx *tx, struct buffer *blob, uint32_t vouts[OUTPUTS_MAX])
{
    enum status status = STATUS_OK;
    uint32_t tracked = 0;
    for (uint32_t o = 0; o < tx->record.outputs && status == STATUS_OK; o++) {
        struct output_record output = tx->outputs[o].record;
        output.script = tx->outputs[o].script;
        if (output_is_tracked(output.unknown, output.kind))
            vouts[tracked++] = o;
        status = record_add_output(blob, &output);
    }
    return status;
}

static inline enum status try_add_block(const struct chain *chain, uint32_t b, struct batch *batch)
{
    const struct test_block *block = &chain->blocks[b];
    enum status status = batch_begin_block(batch, &block->record);
    for (uint32_t t = 0; t < block->record.stored_txs && status == STATUS_OK; t++) {
        struct buffer blob = {0};
        uint32_t vouts[OUTPUTS_MAX];
        const struct test_tx *tx = &block->txs[t];
        status = outputs_of(tx, &blob, vouts);
        if (status == STATUS_OK)
            status = batch_add_tx(batch, &tx->record, blob.bytes, blob.size, vouts, tx->spends);
        buffer_free(&blob);
    }
    return status == STATUS_OK ? batch_end_block(batch) : status;
}

static inline void add_block(const struct chain *chain, uint32_t b, struct batch *batch)
{
    assert_int_equal(try_add_block(chain, b, batch), STATUS_OK);
}

static inline void expect_output(const struct test_output *want, const struct output_record *got)
{
    assert_int_equal(got->value_sat, want->record.value_sat);
    assert_int_equal(got->kind, want->record.kind);
    assert_int_equal(got->unknown, want->record.unknown);
    assert_int_equal(got->script_size, want->record.script_size);
    assert_int_equal(got->protocol, want->record.protocol);
    if (got->unknown != 0)
        assert_memory_equal(got->script, want->script, got->script_size);
    else
        assert_null(got->script);
}

static inline void expect_tx(const struct test_tx *want, struct tx_view *got)
{
    const struct tx_record *a = &want->record, *b = &got->tx;
    struct output_record output;
    struct spend_record spend;
    assert_int_equal(a->index, b->index);
    assert_memory_equal(a->txid.bytes, b->txid.bytes, 32);
    assert_int_equal(a->coinbase, b->coinbase);
    assert_int_equal(a->inputs, b->inputs);
    assert_int_equal(a->outputs, b->outputs);
    assert_int_equal(a->spends, b->spends);
    assert_int_equal(a->number, b->number);
    assert_int_equal(a->first_ordinal, b->first_ordinal);
    assert_int_equal(a->tracked, b->tracked);
    for (uint32_t o = 0; o < a->outputs; o++) {
        assert_int_equal(tx_next_output(got, &output), STATUS_OK);
        expect_output(&want->outputs[o], &output);
    }
    assert_int_equal(tx_next_output(got, &output), STATUS_NOT_FOUND);
    for (uint32_t s = 0; s < a->spends; s++) {
        assert_int_equal(tx_next_spend(got, &spend), STATUS_OK);
        assert_int_equal(spend.vin, want->spends[s].vin);
        assert_int_equal(spend.ordinal, want->spends[s].ordinal);
    }
    assert_int_equal(tx_next_spend(got, &spend), STATUS_NOT_FOUND);
}

static inline void expect_block_record(const struct block_record *a, const struct block_record *b)
{
    assert_int_equal(a->height, b->height);
    assert_memory_equal(a->hash.bytes, b->hash.bytes, 32);
    assert_int_equal(a->time, b->time);
    assert_int_equal(a->stored_txs, b->stored_txs);
    assert_int_equal(a->counts.txs, b->counts.txs);
    assert_int_equal(a->counts.inputs, b->counts.inputs);
    assert_int_equal(a->counts.outputs, b->counts.outputs);
    assert_memory_equal(a->counts.kind_count, b->counts.kind_count, sizeof a->counts.kind_count);
    assert_memory_equal(a->counts.kind_value_sat, b->counts.kind_value_sat, sizeof a->counts.kind_value_sat);
    assert_memory_equal(a->counts.unknown_txs, b->counts.unknown_txs, sizeof a->counts.unknown_txs);
}

/* The view's next block is block b; its transactions are read, or only the first of them. */
static inline void expect_block(const struct chain *chain, uint32_t b, struct batch_view *view, bool whole)
{
    const struct test_block *want = &chain->blocks[b];
    struct block_record block;
    struct tx_view tx;
    assert_int_equal(batch_next_block(view, &block), STATUS_OK);
    expect_block_record(&want->record, &block);
    for (uint32_t t = 0; t < want->record.stored_txs && (whole || t == 0); t++) {
        assert_int_equal(batch_next_tx(view, &tx), STATUS_OK);
        expect_tx(&want->txs[t], &tx);
    }
    if (whole)
        assert_int_equal(batch_next_tx(view, &tx), STATUS_NOT_FOUND);
}

/* batch_output in ascending, then in descending order, against the outputs that the iteration shows. */
static inline void expect_outputs(const struct batch_view *read)
{
    struct batch_view view;
    assert_int_equal(batch_view_open(&view, read->bytes, read->size), STATUS_OK);
    struct output_place place = {0};
    struct batch_view all = view;
    struct block_record block;
    struct tx_view tx;
    struct output_record output, got, *outputs = calloc(view.tracked + 1, sizeof *outputs);
    size_t count = 0;
    while (batch_next_block(&all, &block) == STATUS_OK)
        while (batch_next_tx(&all, &tx) == STATUS_OK)
            while (tx_next_output(&tx, &output) == STATUS_OK)
                if (output_is_tracked(output.unknown, output.kind))
                    outputs[count++] = output;
    assert_int_equal(count, view.tracked);
    for (size_t i = 0; i < 2 * count; i++) {
        size_t at = i < count ? i : 2 * count - 1 - i;
        assert_int_equal(batch_output(&view, &place, view.first_ordinal + at, &got), STATUS_OK);
        assert_int_equal(got.value_sat, outputs[at].value_sat);
        assert_int_equal(got.kind, outputs[at].kind);
        assert_ptr_equal(got.script, outputs[at].script);
        assert_int_equal(got.script_size, outputs[at].script_size);
    }
    assert_int_equal(batch_output(&view, &place, view.first_ordinal + count, &got), STATUS_FORMAT);
    free(outputs);
}

static inline void expect_outpoints(const struct chain *chain, const struct batch_view *view)
{
    struct hash256 txid;
    uint32_t vout;
    assert_int_equal(view->tracked, chain->tracked_count);
    expect_outputs(view);
    for (size_t i = 0; i < chain->tracked_count; i++) {
        assert_int_equal(batch_outpoint(view, chain->first_ordinal + i, &txid, &vout), STATUS_OK);
        assert_memory_equal(txid.bytes, chain->tracked[i].txid.bytes, 32);
        assert_int_equal(vout, chain->tracked[i].vout);
    }
    assert_int_equal(batch_outpoint(view, chain->first_ordinal - 1, &txid, &vout), STATUS_FORMAT);
    assert_int_equal(batch_outpoint(view, chain->first_ordinal + chain->tracked_count, &txid, &vout), STATUS_FORMAT);
}

#endif
