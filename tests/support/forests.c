#include "tests/support/forests.h"

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
uint32_t forest_add_tx(struct forest_builder *builder, uint32_t known_inputs, uint32_t unknown, uint32_t known, uint32_t nulldata)
{
    struct forest *forest = &builder->forest;
    uint32_t number = forest->txs_count++;
    reserve(&forest->txs, &builder->txs_capacity, (size_t)number + 2, sizeof *forest->txs);
    reserve(&forest->outputs, &builder->outputs_capacity, (size_t)forest->outputs_count + unknown + 1, sizeof *forest->outputs);
    struct forest_tx *tx = &forest->txs[number];
    *tx = (struct forest_tx){
        .height = number, .inputs = known_inputs, .outputs = unknown + known + nulldata, .nulldata = nulldata,
        .first_output = forest->outputs_count, .first_spend = forest->spends_count,
        .value_out_sat = UINT64_C(1000) * (known + nulldata),
    };
    store_le32(tx->txid.bytes, number);
    for (uint32_t i = 0; i < unknown; i++) {
        uint32_t ordinal = forest->outputs_count++;
        forest->outputs[ordinal] = (struct forest_output){
            .value_sat = ordinal + 1, .tx = number, .vout = i, .spender = FOREST_NONE, .kind = KIND_NONSTANDARD, .unknown = RULES_ALL,
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
    forest->outputs[ordinal].spender_vin = forest->txs[spender].inputs++;
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
    forest->txs[forest->txs_count] = (struct forest_tx){.first_output = forest->outputs_count, .first_spend = forest->spends_count};
    return forest;
}

void forest_builder_free(struct forest_builder *builder)
{
    forest_free(&builder->forest);
    memset(builder, 0, sizeof *builder);
}
