#include "tests/support/forests.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "parser/bytes.h"
#include "parser/mem.h"

static void reserve(void *array, size_t *capacity, size_t need, size_t size)
{
    if (mem_reserve(array, capacity, need, size) != STATUS_OK)
        abort();
}

/* One element more than asked for: the sentinel's place. */
uint32_t forest_add_tx(struct forest_builder *builder, uint32_t known_inputs, uint32_t unknown, uint32_t known,
                       uint32_t nulldata)
{
    struct forest *forest = &builder->forest;
    uint32_t number = forest->txs_count++;
    reserve(&forest->txs, &builder->txs_capacity, (size_t)number + 2, sizeof *forest->txs);
    reserve(&forest->outputs, &builder->outputs_capacity, (size_t)forest->outputs_count + unknown + 1,
            sizeof *forest->outputs);
    struct forest_tx *tx = &forest->txs[number];
    *tx = (struct forest_tx){
        .height = number,
        .inputs = known_inputs & FOREST_VIN_MAX,
        .outputs = (unknown + known + nulldata) & FOREST_VOUT_MAX,
        .nulldata = nulldata & FOREST_VOUT_MAX,
        .first_output = forest->outputs_count,
        .first_spend = forest->spends_count,
        .value_out_sat = UINT64_C(1000) * (known + nulldata),
    };
    store_le32(tx->txid.bytes, number);
    for (uint32_t i = 0; i < unknown; i++) {
        uint32_t ordinal = forest->outputs_count++;
        forest->outputs[ordinal] = (struct forest_output){
            .value_sat = ordinal + 1,
            .tx = number,
            .vout = i & FOREST_VOUT_MAX,
            .spender = FOREST_NONE,
            .kind = KIND_NONSTANDARD,
            .unknown = RULES_ALL,
        };
        tx->value_out_sat += ordinal + 1;
    }
    if (unknown + nulldata > 0)
        for (unsigned r = 0; r < RULES; r++)
            forest->unknown_txs[r]++;
    return number;
}

void forest_add_spend(struct forest_builder *builder, uint32_t tx, uint32_t i)
{
    struct forest *forest = &builder->forest;
    uint32_t spender = forest->txs_count - 1, ordinal = forest->txs[tx].first_output + i;
    if (tx >= spender || ordinal >= forest->txs[tx + 1].first_output || forest->outputs[ordinal].spender != FOREST_NONE)
        abort();
    reserve(&forest->spends, &builder->spends_capacity, (size_t)forest->spends_count + 1, sizeof *forest->spends);
    forest->spends[forest->spends_count++] = ordinal;
    forest->outputs[ordinal].spender = spender;
    forest->outputs[ordinal].spender_vin = forest->txs[spender].inputs++ & FOREST_VIN_MAX;
}

const struct forest *forest_finish(struct forest_builder *builder)
{
    struct forest *forest = &builder->forest;
    forest->blocks = forest->txs_count;
    forest->block_times = mem_alloc(forest->blocks, sizeof *forest->block_times);
    if (!forest->block_times)
        abort();
    for (uint32_t h = 0; h < forest->blocks; h++)
        forest->block_times[h] = 1000 + h;
    forest->txs[forest->txs_count] = (struct forest_tx){.first_output = forest->outputs_count,
                                                        .first_spend = forest->spends_count};
    for (uint32_t t = 0; t < forest->txs_count; t++)
        forest_count_inner(forest, t, forest->txs[t + 1].first_spend, forest->inner_txs);
    return forest;
}

void forest_builder_free(struct forest_builder *builder)
{
    forest_free(&builder->forest);
    memset(builder, 0, sizeof *builder);
}

static void must(enum status status, const struct fault *fault)
{
    if (status != STATUS_OK) {
        fprintf(stderr, "a store for a test: status %d %s\n", (int)status, fault ? fault->text : "");
        abort();
    }
}

static const uint8_t anyone[] = {0x51}, signature[] = {0xac}, nulldata[] = {0x6a};

static void add_outputs(const struct forest *forest, uint32_t t, forest_script *script, struct buffer *blob)
{
    const struct forest_tx *tx = &forest->txs[t];
    for (uint32_t o = tx->first_output; o < tx[1].first_output; o++) {
        const struct forest_output *output = &forest->outputs[o];
        struct output_record record = {
            .value_sat = output->value_sat, .kind = output->kind, .unknown = output->unknown};
        record.script = script ? script(o, &record.script_size) : NULL;
        if (!record.script) {
            record.script = output->anyone_can_spend ? anyone : signature;
            record.script_size = output->anyone_can_spend ? sizeof anyone : sizeof signature;
        }
        must(record_add_output(blob, &record), NULL);
    }
    for (uint32_t i = tx[1].first_output - tx->first_output; i < tx->outputs; i++) {
        struct output_record record = {.value_sat = 1000, .kind = KIND_PUBKEYHASH};
        if (i + tx->nulldata >= tx->outputs)
            record = (struct output_record){
                .value_sat = 1000,
                .kind = KIND_NULLDATA,
                .unknown = RULES_ALL,
                .script = nulldata,
                .script_size = sizeof nulldata,
            };
        must(record_add_output(blob, &record), NULL);
    }
}

static void write_tx(const struct forest *forest, uint32_t t, forest_script *script, struct store *store)
{
    const struct forest_tx *tx = &forest->txs[t];
    struct fault fault = {0};
    struct buffer blob = {0};
    uint32_t tracked = tx[1].first_output - tx->first_output, spends = tx[1].first_spend - tx->first_spend;
    struct tx_record record = {
        .txid = tx->txid,
        .coinbase = tx->coinbase,
        .inputs = tx->inputs,
        .outputs = tx->outputs,
        .spends = spends,
        .tracked = tracked,
    };
    uint32_t *vouts = mem_alloc(tracked, sizeof *vouts);
    struct spend_record *records = mem_alloc(spends, sizeof *records);
    if (!vouts || !records)
        abort();
    add_outputs(forest, t, script, &blob);
    for (uint32_t i = 0; i < tracked; i++)
        vouts[i] = i;
    for (uint32_t i = 0; i < spends; i++)
        records[i] = (struct spend_record){tx->inputs - spends + i, forest->spends[tx->first_spend + i]};
    struct block_record block = {.height = t, .time = forest->block_times[t], .stored_txs = 1};
    block.counts = (struct block_counts){.txs = 1, .inputs = tx->inputs, .outputs = tx->outputs};
    store_le32(block.hash.bytes, t);
    for (unsigned r = 0; r < RULES; r++)
        block.counts.unknown_txs[r] = forest_unknown_outputs(forest, t, r) > 0;
    block.counts.kind_count[KIND_NULLDATA] = tx->nulldata;
    must(store_begin_block(store, &block, &fault), &fault);
    must(store_add_tx(store, &record, blob.bytes, blob.size, vouts, records, &fault), &fault);
    must(store_end_block(store, &fault), &fault);
    mem_free(vouts);
    mem_free(records);
    buffer_free(&blob);
}

struct store *forest_write(const struct forest *forest, const char *path, forest_script *script)
{
    struct store_identity identity = {.magic = {1, 2, 3, 4}};
    struct store *store = NULL;
    struct fault fault = {0};
    must(store_open(path, STORE_WRITE, &identity, &store, &fault), &fault);
    for (uint32_t t = 0; t < forest->txs_count; t++)
        write_tx(forest, t, script, store);
    must(store_commit(store, &fault), &fault);
    store_close(store);
    must(store_open(path, STORE_READ, NULL, &store, &fault), &fault);
    return store;
}
