#include <stdlib.h>

#include "cli/command.h"
#include "cli/inputs/spend_links.h"
#include "cli/output/message.h"
#include "cli/output/outfile.h"
#include "parser/blkfile.h"
#include "parser/mem.h"

/* Rows of one chunk are those of so many transactions (or blocks): the more there are, the more links lead to the same
 * pages; some 500 KiB of text. */
#define CHUNK_TXS 2048u

#define THREADS_MAX 128u /* each takes two of LMDB's 512 places for readers */

enum table { TABLE_BLOCKS, TABLE_TXS, TABLE_INPUTS, TABLE_OUTPUTS, TABLES };

static const char *const names[TABLES] = {"blocks", "txs", "inputs", "outputs"};
static const struct table_schema *const schemas[TABLES] = {&schema_dump_blocks, &schema_dump_txs, &schema_dump_inputs,
                                                           &schema_dump_outputs};

/* Longer than any row of the tables. */
#define ROW_MAX (2u * HASH256_HEX_SIZE + 32 + 10 * (PUT_U64_MAX + 1))

/* The other end of a link. */
struct landing {
    struct hash256 txid;
    uint32_t height;
    uint32_t position;
    struct index_output output; /* for an input: what it spends */
};

/* The links of a chunk, by row. They are followed in order of their target: links that lie near each other lead to the
 * same pages. */
struct jumps {
    struct jump {
        uint64_t target; /* number of an output or input */
        size_t row;
    } * list;
    struct landing *landings; /* by row */
    uint64_t first;           /* input or output, of row 0 */
    size_t count;
    size_t capacity;
    size_t rows;
    size_t landings_capacity;
};

struct dump {
    enum table table;
    struct indexes indexes; /* one for each worker, for what is dumped, in order */
    struct indexes jumpers; /* one for each worker, for the links: each index keeps the page that it read last */
    struct jumps *jumps;    /* by worker */
    /* blocks by height or transactions by number */
    uint64_t first;
    uint64_t end;
};

/* ---- links ---- */

static enum status add_jump(struct jumps *jumps, uint64_t target, struct fault *fault)
{
    size_t row = jumps->rows++;
    if (target == INDEX_NONE)
        return STATUS_OK;
    if (mem_reserve(&jumps->list, &jumps->capacity, jumps->count + 1, sizeof *jumps->list) != STATUS_OK)
        return fault_nomem(fault);
    jumps->list[jumps->count++] = (struct jump){target, row};
    return STATUS_OK;
}

/* The links of transactions first .. end - 1. */
static enum status collect(const struct dump *dump, struct tx_index *index, struct jumps *jumps, uint64_t first,
                           uint64_t end, struct fault *fault)
{
    struct index_tx tx = {0};
    struct index_output output;
    uint64_t target;
    struct inputs_run inputs = {.index = index};
    struct outputs_run outputs = {.index = index};
    enum status status = index_tx_at(index, end - 1, &tx, fault);
    inputs.end = tx.first_input + tx.inputs;
    outputs.end = tx.first_output + tx.outputs;
    if (status == STATUS_OK)
        status = index_tx_at(index, first, &tx, fault);
    jumps->count = jumps->rows = 0;
    jumps->first = dump->table == TABLE_INPUTS ? tx.first_input : tx.first_output;
    for (uint64_t i = tx.first_input; dump->table == TABLE_INPUTS && i < inputs.end && status == STATUS_OK; i++) {
        status = inputs_run_at(&inputs, i, &target, fault);
        if (status == STATUS_OK)
            status = add_jump(jumps, target, fault);
    }
    for (uint64_t o = tx.first_output; dump->table == TABLE_OUTPUTS && o < outputs.end && status == STATUS_OK; o++) {
        status = outputs_run_at(&outputs, o, &output, fault);
        if (status == STATUS_OK)
            status = add_jump(jumps, output.spender, fault);
    }
    return status;
}

static int compare_jumps(const void *a, const void *b)
{
    const struct jump *x = a, *y = b;
    return (x->target > y->target) - (x->target < y->target);
}

static enum status follow(const struct dump *dump, struct tx_index *jumper, struct jumps *jumps, struct fault *fault)
{
    enum status status = STATUS_OK;
    struct link_end end = {0};
    if (mem_reserve(&jumps->landings, &jumps->landings_capacity, jumps->rows, sizeof *jumps->landings) != STATUS_OK)
        return fault_nomem(fault);
    if (jumps->count > 0)
        qsort(jumps->list, jumps->count, sizeof *jumps->list, compare_jumps);
    for (size_t i = 0; i < jumps->count && status == STATUS_OK; i++) {
        struct landing *landing = &jumps->landings[jumps->list[i].row];
        if (dump->table == TABLE_INPUTS)
            status = spend_links_output(jumper, jumps->list[i].target, &end, &landing->output, fault);
        else
            status = spend_links_input(jumper, jumps->list[i].target, &end, fault);
        landing->txid = end.tx.txid;
        landing->height = end.tx.height;
        landing->position = end.position;
    }
    return status;
}

/* ---- rows ---- */

static char *put_tx_cells(char *p, const struct index_tx *tx)
{
    p = put_cell(p, tx->height);
    p = put_cell(p, tx->index);
    return put_hash_cell(p, &tx->txid);
}

static enum status put_block(struct tx_index *index, uint64_t height, struct text *text, struct fault *fault)
{
    struct index_block block;
    struct index_tx first, last;
    enum status status = index_block_at(index, (uint32_t)height, &block, fault);
    if (status == STATUS_OK)
        status = index_tx_at(index, block.first_tx, &first, fault);
    if (status == STATUS_OK)
        status = index_tx_at(index, block.first_tx + block.txs - 1, &last, fault);
    if (status != STATUS_OK)
        return status;
    char *p = text_room(text, ROW_MAX);
    if (!p)
        return fault_nomem(fault);
    p = put_cell(p, block.height);
    p = put_hash_cell(p, &block.hash);
    p = put_cell(p, block.time);
    p = put_cell(p, block.txs);
    p = put_cell(p, last.first_input + last.inputs - first.first_input);
    p = put_cell(p, last.first_output + last.outputs - first.first_output);
    p = put_cell(p, block.size);
    p = put_cell(p, block.file);
    p = put_u64(p, block.offset - BLK_FRAME_SIZE);
    *p++ = '\n';
    text_end(text, p);
    return STATUS_OK;
}

static enum status put_tx(struct text *text, const struct index_tx *tx, struct fault *fault)
{
    char *p = text_room(text, ROW_MAX);
    if (!p)
        return fault_nomem(fault);
    p = put_tx_cells(p, tx);
    p = put_cell(p, tx->inputs);
    p = put_cell(p, tx->outputs);
    p = put_cell(p, tx->value_out_sat);
    if (!tx->coinbase)
        p = put_u64(p, tx->fee_sat);
    *p++ = ',';
    p = put_cell(p, tx->size);
    p = put_cell(p, tx->weight);
    *p++ = tx->segwit ? '1' : '0';
    *p++ = '\n';
    text_end(text, p);
    return STATUS_OK;
}

static char *put_input(char *p, const struct index_tx *tx, uint32_t vin, uint64_t spent, const struct landing *from)
{
    p = put_tx_cells(p, tx);
    p = put_cell(p, vin);
    if (spent == INDEX_NONE)
        return put_text(p, ",,,,\n");
    p = put_hash_cell(p, &from->txid);
    p = put_cell(p, from->position);
    p = put_cell(p, from->height);
    p = put_cell(p, from->output.value_sat);
    p = put_text(p, kind_name(from->output.kind));
    *p++ = '\n';
    return p;
}

static char *put_output(char *p, const struct index_tx *tx, uint32_t vout, const struct index_output *output,
                        const struct landing *to)
{
    p = put_tx_cells(p, tx);
    p = put_cell(p, vout);
    p = put_cell(p, output->value_sat);
    p = put_text(p, kind_name(output->kind));
    *p++ = ',';
    if (output->spender == INDEX_NONE)
        return put_text(p, ",,\n");
    p = put_cell(p, to->height);
    p = put_hash_cell(p, &to->txid);
    p = put_u64(p, to->position);
    *p++ = '\n';
    return p;
}

/* Where the link of that input or output leads; NULL: it is none of the chunk, since transactions overlap. */
static const struct landing *landing_of(const struct jumps *jumps, uint64_t number)
{
    return number - jumps->first < jumps->rows ? &jumps->landings[number - jumps->first] : NULL;
}

static enum status overlap(const struct tx_index *index, struct fault *fault)
{
    return index_damaged(index, "transactions overlap", fault);
}

/* The rows of one transaction. */
static enum status put_inputs(const struct index_tx *tx, struct inputs_run *run, const struct jumps *jumps,
                              struct text *text, struct fault *fault)
{
    for (uint32_t vin = 0; vin < tx->inputs; vin++) {
        uint64_t spent;
        enum status status = inputs_run_at(run, tx->first_input + vin, &spent, fault);
        if (status != STATUS_OK)
            return status;
        const struct landing *landing = landing_of(jumps, tx->first_input + vin);
        if (!landing)
            return overlap(run->index, fault);
        char *p = text_room(text, ROW_MAX);
        if (!p)
            return fault_nomem(fault);
        text_end(text, put_input(p, tx, vin, spent, landing));
    }
    return STATUS_OK;
}

static enum status put_outputs(const struct index_tx *tx, struct outputs_run *run, const struct jumps *jumps,
                               struct text *text, struct fault *fault)
{
    for (uint32_t vout = 0; vout < tx->outputs; vout++) {
        struct index_output output;
        enum status status = outputs_run_at(run, tx->first_output + vout, &output, fault);
        if (status != STATUS_OK)
            return status;
        const struct landing *landing = landing_of(jumps, tx->first_output + vout);
        if (!landing)
            return overlap(run->index, fault);
        char *p = text_room(text, ROW_MAX);
        if (!p)
            return fault_nomem(fault);
        text_end(text, put_output(p, tx, vout, &output, landing));
    }
    return STATUS_OK;
}

static enum status put_txs(const struct dump *dump, struct tx_index *index, uint64_t first, uint64_t end,
                           const struct jumps *jumps, struct text *text, struct fault *fault)
{
    struct index_totals totals = index_totals_of(index);
    struct inputs_run inputs = {.index = index, .end = totals.inputs};
    struct outputs_run outputs = {.index = index, .end = totals.outputs};
    enum status status = STATUS_OK;
    struct index_tx tx;
    for (uint64_t n = first; n < end && status == STATUS_OK; n++) {
        status = index_tx_at(index, n, &tx, fault);
        if (status == STATUS_OK && dump->table == TABLE_TXS)
            status = put_tx(text, &tx, fault);
        else if (status == STATUS_OK && dump->table == TABLE_INPUTS)
            status = put_inputs(&tx, &inputs, jumps, text, fault);
        else if (status == STATUS_OK && dump->table == TABLE_OUTPUTS)
            status = put_outputs(&tx, &outputs, jumps, text, fault);
    }
    return status;
}

static enum status format_chunk(void *context, unsigned worker, size_t chunk, struct text *text, struct fault *fault)
{
    const struct dump *dump = context;
    struct tx_index *index = dump->indexes.indexes[worker];
    struct jumps *jumps = &dump->jumps[worker];
    uint64_t first = dump->first + (uint64_t)chunk * CHUNK_TXS;
    uint64_t end = dump->end - first < CHUNK_TXS ? dump->end : first + CHUNK_TXS;
    enum status status = STATUS_OK;
    if (dump->table == TABLE_BLOCKS) {
        for (uint64_t height = first; height < end && status == STATUS_OK; height++)
            status = put_block(index, height, text, fault);
        return status;
    }
    if (dump->table != TABLE_TXS)
        status = collect(dump, index, jumps, first, end, fault);
    if (status == STATUS_OK && dump->table != TABLE_TXS)
        status = follow(dump, dump->jumpers.indexes[worker], jumps, fault);
    return status == STATUS_OK ? put_txs(dump, index, first, end, jumps, text, fault) : status;
}

/* Heights to the numbers of what is dumped. A last height above the tip means the tip. */
static enum status set_range(const struct settings *settings, struct dump *dump, struct fault *fault)
{
    struct tx_index *index = dump->indexes.indexes[0];
    uint64_t blocks = index_totals_of(index).blocks;
    uint64_t end = settings->to_height < blocks ? settings->to_height + 1 : blocks;
    struct index_block first, last;
    if (settings->from_height >= blocks)
        return fault_set(fault, STATUS_NOT_FOUND, settings->store, FAULT_NO_OFFSET,
                         "no block of height %llu; the index ends at %lld", ULL(settings->from_height),
                         (long long)blocks - 1);
    if (settings->from_height >= end)
        return fault_set(fault, STATUS_NOT_FOUND, settings->store, FAULT_NO_OFFSET,
                         "no blocks from height %llu to %llu", ULL(settings->from_height), ULL(settings->to_height));
    dump->first = settings->from_height;
    dump->end = end;
    if (dump->table == TABLE_BLOCKS)
        return STATUS_OK;
    enum status status = index_block_at(index, (uint32_t)settings->from_height, &first, fault);
    if (status == STATUS_OK)
        status = index_block_at(index, (uint32_t)end - 1, &last, fault);
    if (status != STATUS_OK)
        return status;
    dump->first = first.first_tx;
    dump->end = last.first_tx + last.txs;
    return STATUS_OK;
}

static enum status write_dump(const struct settings *settings, struct dump *dump, struct fault *fault)
{
    unsigned threads = settings->threads < THREADS_MAX ? (unsigned)settings->threads : THREADS_MAX;
    enum status status = indexes_open(settings->store, threads, &dump->indexes, fault);
    if (status == STATUS_OK)
        status = indexes_open(settings->store, threads, &dump->jumpers, fault);
    dump->jumps = mem_alloc(threads, sizeof *dump->jumps);
    if (status == STATUS_OK && !dump->jumps)
        status = fault_nomem(fault);
    if (status == STATUS_OK)
        status = set_range(settings, dump, fault);
    if (status == STATUS_OK) {
        uint64_t count = dump->end - dump->first;
        const struct outfile_table table = {schemas[dump->table], 0, (size_t)((count + CHUNK_TXS - 1) / CHUNK_TXS),
                                            format_chunk, dump};
        status = outfile_make_table(settings->out, threads, &table, fault);
    }
    indexes_close(&dump->indexes);
    indexes_close(&dump->jumpers);
    for (unsigned i = 0; dump->jumps && i < threads; i++) {
        mem_free(dump->jumps[i].list);
        mem_free(dump->jumps[i].landings);
    }
    mem_free(dump->jumps);
    return status;
}

static int run(const struct settings *settings)
{
    struct fault fault = {0};
    struct dump dump = {.table = TABLE_BLOCKS};
    while (dump.table < TABLES && strcmp(settings->operands[0], names[dump.table]) != 0)
        dump.table++;
    if (dump.table == TABLES)
        return message_usage("'%s' is none of blocks, txs, inputs, outputs", settings->operands[0]);
    return message_result(write_dump(settings, &dump, &fault), &fault);
}

static const struct option option_from_height = {
    .name = "from-height",
    .type = OPTION_NUMBER,
    .value = "H",
    .fallback = "0",
    .field = offsetof(struct settings, from_height),
    .max = UINT32_MAX - 1,
    .help = "first block to take",
};

static const struct option *const options[] = {&option_read_store, &option_from_height, &option_to_height,
                                               &option_threads,    &option_out_file,    NULL};

static const struct table_schema *const tables[] = {&schema_dump_blocks, &schema_dump_txs, &schema_dump_inputs,
                                                    &schema_dump_outputs, NULL};

const struct command command_dump = {
    .name = "dump",
    .operands = "blocks|txs|inputs|outputs",
    .summary = "Write every block, transaction, input or output of the index as CSV, in chain order.",
    .details =
        "A coinbase has no fee and its input nothing that it spends: empty. An unspent output has no spender: empty.\n",
    .tables = tables,
    .operands_min = 1,
    .operands_max = 1,
    .options = options,
    .run = run,
};
