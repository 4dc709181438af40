#include "cli/views/dump_rows.h"

#include "cli/inputs/index_blocks.h"
#include "cli/output/partitions.h"
#include "parser/address.h"
#include "parser/mem.h"
#include "parser/search.h"
#include "parser/sort.h"
#include "parser/stop.h"
#include "parser/tx.h"

/* Longer than any row of the tables, the cells of --scripts apart. */
#define ROW_MAX (2u * HASH256_HEX_SIZE + 32 + 10 * (PUT_U64_MAX + 1))

#define SINK_SIZE ((size_t)1 << 20) /* bytes of text that are given away */

const char *dump_table_name(enum dump_table table)
{
    static const char *const names[DUMP_TABLES] = {"blocks", "txs", "inputs", "outputs"};
    return names[table];
}

const struct table_schema *dump_table_schema(enum dump_table table) { return partitions_schemas[table]; }

/* The other end of a link. */
struct landing {
    struct hash256 txid;
    uint32_t height;
    uint32_t position;
    uint64_t value_sat; /* for an input: what it spends */
    enum kind kind;
};

/* The links of a batch, by row. They are followed in order of their target: links that lie near each other lead to the
 * same pages. */
struct dump_jumps {
    struct jump {
        uint64_t target; /* number of an output or input */
        uint64_t row;
    } * list;
    struct jump *spare;       /* for the sort */
    struct landing *landings; /* by row */
    uint64_t first;           /* input or output, of row 0 */
    size_t count;
    size_t capacity;
    size_t rows;
    size_t spare_capacity;
    size_t landings_capacity;
};

/* ---- links ---- */

static enum status add_jump(struct dump_jumps *jumps, uint64_t target, struct fault *fault)
{
    uint64_t row = jumps->rows++;
    if (target == INDEX_NONE)
        return STATUS_OK;
    if (mem_reserve(&jumps->list, &jumps->capacity, jumps->count + 1, sizeof *jumps->list) != STATUS_OK)
        return fault_nomem(fault);
    jumps->list[jumps->count++] = (struct jump){target, row};
    return STATUS_OK;
}

/* The links of transactions first .. end - 1. */
static enum status collect(const struct dump_rows *rows, enum dump_table table, uint64_t first, uint64_t end,
                           struct fault *fault)
{
    struct tx_index *index = rows->index;
    struct dump_jumps *jumps = rows->jumps;
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
    jumps->first = table == DUMP_INPUTS ? tx.first_input : tx.first_output;
    for (uint64_t i = tx.first_input; table == DUMP_INPUTS && i < inputs.end && status == STATUS_OK; i++) {
        status = inputs_run_at(&inputs, i, &target, fault);
        if (status == STATUS_OK)
            status = add_jump(jumps, target, fault);
    }
    for (uint64_t o = tx.first_output; table == DUMP_OUTPUTS && o < outputs.end && status == STATUS_OK; o++) {
        status = outputs_run_at(&outputs, o, &output, fault);
        if (status == STATUS_OK)
            status = add_jump(jumps, output.spender, fault);
    }
    return status;
}

/* Sorted by target; NULL without memory. */
static const struct jump *sorted(struct dump_jumps *jumps)
{
    if (mem_reserve(&jumps->spare, &jumps->spare_capacity, jumps->count, sizeof *jumps->spare) != STATUS_OK)
        return NULL;
    return sort_by_key(jumps->list, jumps->spare, jumps->count, sizeof *jumps->list);
}

static enum status follow(struct dump_rows *rows, enum dump_table table, struct fault *fault)
{
    struct dump_jumps *jumps = rows->jumps;
    enum status status = STATUS_OK;
    struct index_output output = {0};
    struct link_end end = {0};
    if (mem_reserve(&jumps->landings, &jumps->landings_capacity, jumps->rows, sizeof *jumps->landings) != STATUS_OK)
        return fault_nomem(fault);
    if (jumps->count == 0)
        return STATUS_OK;
    const struct jump *list = sorted(jumps);
    if (!list)
        return fault_nomem(fault);
    for (size_t i = 0; i < jumps->count && status == STATUS_OK; i++) {
        if (table == DUMP_INPUTS)
            status = spend_links_output(rows->jumper, list[i].target, INDEX_NONE, &end, &output, fault);
        else
            status = spend_links_input(rows->jumper, list[i].target, INDEX_NONE, &end, fault);
        if (table == DUMP_OUTPUTS && end.tx.height > rows->last_spender)
            rows->last_spender = end.tx.height;
        jumps->landings[list[i].row] = (struct landing){end.tx.txid, end.tx.height, end.position, output.value_sat,
                                                        output.kind};
        if (status == STATUS_OK && stop_due(i))
            status = stop_check(fault);
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
    if (status == STATUS_OK && (last.first_input < first.first_input || last.first_output < first.first_output))
        status = index_damaged(index, "transactions overlap", fault);
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
    p = put_cell(p, from->value_sat);
    p = put_text(p, kind_name(from->kind));
    *p++ = '\n';
    return p;
}

/* Without the end of the line. */
static char *put_output(char *p, const struct index_tx *tx, uint32_t vout, const struct index_output *output,
                        const struct landing *to)
{
    p = put_tx_cells(p, tx);
    p = put_cell(p, vout);
    p = put_cell(p, output->value_sat);
    p = put_text(p, kind_name(output->kind));
    *p++ = ',';
    if (output->spender == INDEX_NONE)
        return put_text(p, ",,");
    p = put_cell(p, to->height);
    p = put_hash_cell(p, &to->txid);
    return put_u64(p, to->position);
}

/* Where the link of that input or output leads; NULL: it is none of the chunk, since transactions overlap. */
static const struct landing *landing_of(const struct dump_jumps *jumps, uint64_t number)
{
    return number - jumps->first < jumps->rows ? &jumps->landings[number - jumps->first] : NULL;
}

static enum status overlap(const struct tx_index *index, struct fault *fault)
{
    return index_damaged(index, "transactions overlap", fault);
}

/* The rows of one transaction. */
static enum status put_inputs(const struct index_tx *tx, struct inputs_run *run, const struct dump_jumps *jumps,
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

/* The outputs of a transaction, read from the blk files. */
struct tx_outputs {
    struct cursor c;
    bool is_read;
};

/* Reads the transaction where its outputs are to have scripts. */
static enum status find_scripts(struct dump_rows *rows, const struct index_tx *tx, struct tx_outputs *outputs,
                                struct fault *fault)
{
    const uint8_t *bytes;
    *outputs = (struct tx_outputs){.is_read = rows->blk_files != NULL};
    if (!rows->blk_files)
        return STATUS_OK;
    enum status status = index_blocks_tx(&rows->reader, rows->blk_files, rows->index, tx, &bytes, fault);
    if (status != STATUS_OK)
        return status;
    struct cursor c = cursor_over(bytes, tx->size);
    struct tx read;
    struct tx_input input;
    struct tx_output output;
    struct hash256 txid;
    tx_begin(&c, &read);
    for (uint32_t i = 0; i < read.inputs && cursor_ok(&c); i++)
        tx_input(&c, &input);
    tx_outputs(&c, &read);
    outputs->c = c;
    for (uint32_t i = 0; i < read.outputs && cursor_ok(&c); i++)
        tx_output(&c, &output);
    tx_end(&c, &read);
    if (!cursor_ok(&c) || read.outputs != tx->outputs)
        return index_blocks_other(rows->blk_files, tx, fault);
    tx_id(&read, &txid);
    return hash256_equal(&txid, &tx->txid) ? STATUS_OK : index_blocks_other(rows->blk_files, tx, fault);
}

/* The last cells of an output's row, and its end. */
static enum status end_output(const struct dump_rows *rows, struct tx_outputs *outputs, struct text *text,
                              struct fault *fault)
{
    struct tx_output output = {0};
    if (outputs->is_read)
        tx_output(&outputs->c, &output);
    char *p = text_room(text, 2 * (size_t)output.script_size + ADDRESS_SIZE_MAX + 5);
    if (!p)
        return fault_nomem(fault);
    if (outputs->is_read) {
        *p++ = ',';
        p = output.script_size > 0 ? put_hex(p, output.script, output.script_size) : put_text(p, "\"\"");
        *p++ = ',';
        p = address_put(p, rows->network, output.script, output.script_size);
    }
    *p++ = '\n';
    text_end(text, p);
    return STATUS_OK;
}

static enum status give_away(const struct dump_rows *rows, struct text *text, struct fault *fault)
{
    return rows->sink && text->size >= SINK_SIZE ? rows->sink(rows->sink_context, text, fault) : STATUS_OK;
}

static enum status put_outputs(struct dump_rows *rows, const struct index_tx *tx, struct outputs_run *run,
                               struct text *text, struct fault *fault)
{
    struct tx_outputs outputs;
    enum status status = find_scripts(rows, tx, &outputs, fault);
    for (uint32_t vout = 0; vout < tx->outputs && status == STATUS_OK; vout++) {
        struct index_output output;
        status = outputs_run_at(run, tx->first_output + vout, &output, fault);
        if (status != STATUS_OK)
            return status;
        const struct landing *landing = landing_of(rows->jumps, tx->first_output + vout);
        if (!landing)
            return overlap(run->index, fault);
        char *p = text_room(text, ROW_MAX);
        if (!p)
            return fault_nomem(fault);
        text_end(text, put_output(p, tx, vout, &output, landing));
        status = end_output(rows, &outputs, text, fault);
        if (status == STATUS_OK)
            status = give_away(rows, text, fault);
    }
    return status;
}

static enum status put_txs(struct dump_rows *rows, enum dump_table table, uint64_t first, uint64_t end,
                           struct text *text, struct fault *fault)
{
    struct tx_index *index = rows->index;
    struct index_totals totals = index_totals_of(index);
    struct inputs_run inputs = {.index = index, .end = totals.inputs};
    struct outputs_run outputs = {.index = index, .end = totals.outputs};
    enum status status = STATUS_OK;
    struct index_tx tx;
    for (uint64_t n = first; n < end && status == STATUS_OK; n++) {
        status = index_tx_at(index, n, &tx, fault);
        if (status == STATUS_OK && table == DUMP_TXS)
            status = put_tx(text, &tx, fault);
        else if (status == STATUS_OK && table == DUMP_INPUTS)
            status = put_inputs(&tx, &inputs, rows->jumps, text, fault);
        else if (status == STATUS_OK)
            status = put_outputs(rows, &tx, &outputs, text, fault);
        if (status == STATUS_OK)
            status = give_away(rows, text, fault);
        if (status == STATUS_OK && stop_due(n))
            status = stop_check(fault);
    }
    return status;
}

enum status dump_rows_put(struct dump_rows *rows, enum dump_table table, uint64_t first, uint64_t end,
                          struct text *text, struct fault *fault)
{
    enum status status = STATUS_OK;
    if (!rows->jumps && !(rows->jumps = mem_alloc(1, sizeof *rows->jumps)))
        return fault_nomem(fault);
    if (table == DUMP_BLOCKS) {
        for (uint64_t height = first; height < end && status == STATUS_OK; height++)
            status = put_block(rows->index, height, text, fault);
        return status;
    }
    if (table != DUMP_TXS)
        status = collect(rows, table, first, end, fault);
    if (status == STATUS_OK && table != DUMP_TXS)
        status = follow(rows, table, fault);
    return status == STATUS_OK ? put_txs(rows, table, first, end, text, fault) : status;
}

void dump_rows_free(struct dump_rows *rows)
{
    blk_reader_free(&rows->reader);
    if (rows->jumps) {
        mem_free(rows->jumps->list);
        mem_free(rows->jumps->spare);
        mem_free(rows->jumps->landings);
    }
    mem_free(rows->jumps);
    rows->jumps = NULL;
}

/* ---- batches ---- */

#define BATCH_ROWS 131072u

enum status dump_rows_batch(struct dump_rows *rows, enum dump_table table, uint64_t first, uint64_t end,
                            uint64_t *batch_end, struct fault *fault)
{
    struct index_tx begin, tx;
    *batch_end = end - first > BATCH_ROWS ? first + BATCH_ROWS : end;
    if (table != DUMP_INPUTS && table != DUMP_OUTPUTS)
        return STATUS_OK;
    enum status status = index_tx_at(rows->index, first, &begin, fault);
    uint64_t low = first + 1, high = *batch_end; /* each transaction has a row at least */
    while (low < high && status == STATUS_OK) {
        uint64_t middle = high - (high - low) / 2;
        status = index_tx_at(rows->index, middle - 1, &tx, fault);
        if (status != STATUS_OK)
            break;
        uint64_t count = table == DUMP_INPUTS ? tx.first_input + tx.inputs - begin.first_input
                                              : tx.first_output + tx.outputs - begin.first_output;
        if (count <= BATCH_ROWS)
            low = middle;
        else
            high = middle - 1;
    }
    *batch_end = low;
    return status;
}
