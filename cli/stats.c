#include <stdio.h>
#include <time.h>

#include "cli/command.h"
#include "cli/message.h"
#include "cli/outfile.h"
#include "cli/protocols.h"
#include "cli/source.h"
#include "parser/mem.h"

enum by { BY_TOTAL, BY_BLOCK, BY_DAY, BY_MONTH, BY_YEAR };

static const char *const by_names[] = {"total", "block", "day", "month", "year"};

struct period {
    uint32_t key; /* sorts as the period does: height, yyyymmdd, yyyymm, yyyy */
    uint64_t blocks, txs, inputs, outputs;
    uint64_t kind_count[KINDS], kind_value_sat[KINDS];
    uint64_t unknown_txs[RULES];
};

struct periods {
    enum by by;
    struct period *rows; /* by key */
    size_t count, capacity;
};

static uint32_t key_of(enum by by, const struct block_record *block)
{
    time_t seconds = block->time;
    struct tm date;
    if (by == BY_TOTAL)
        return 0;
    if (by == BY_BLOCK)
        return block->height;
    gmtime_r(&seconds, &date);
    uint32_t year = (uint32_t)date.tm_year + 1900, month = (uint32_t)date.tm_mon + 1;
    if (by == BY_YEAR)
        return year;
    return by == BY_MONTH ? year * 100 + month : (year * 100 + month) * 100 + (uint32_t)date.tm_mday;
}

/* The row of that key, a new one if there is none. Header times are nearly in order, so the place is near the end. */
static struct period *find_period(struct periods *periods, uint32_t key)
{
    size_t at = periods->count;
    while (at > 0 && periods->rows[at - 1].key > key)
        at--;
    if (at > 0 && periods->rows[at - 1].key == key)
        return &periods->rows[at - 1];
    if (mem_reserve(&periods->rows, &periods->capacity, periods->count + 1, sizeof *periods->rows) != STATUS_OK)
        return NULL;
    memmove(periods->rows + at + 1, periods->rows + at, (periods->count - at) * sizeof *periods->rows);
    periods->rows[at] = (struct period){.key = key};
    periods->count++;
    return &periods->rows[at];
}

/* Values are whatever a block says: a sum that does not fit stays at the largest number. */
static uint64_t add_saturating(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static void add_block(struct period *period, const struct block_counts *counts)
{
    period->blocks++;
    period->txs += counts->txs;
    period->inputs += counts->inputs;
    period->outputs += counts->outputs;
    for (unsigned k = 0; k < KINDS; k++) {
        period->kind_count[k] += counts->kind_count[k];
        period->kind_value_sat[k] = add_saturating(period->kind_value_sat[k], counts->kind_value_sat[k]);
    }
    for (unsigned r = 0; r < RULES; r++)
        period->unknown_txs[r] += counts->unknown_txs[r];
}

static enum status put_header(struct text *text)
{
    enum status status = text_printf(text, "period,blocks,txs,inputs,outputs");
    for (unsigned k = 0; k < KINDS && status == STATUS_OK; k++)
        status = text_printf(text, ",%s,%s_sat", kind_name((enum kind)k), kind_name((enum kind)k));
    for (unsigned r = 0; r < RULES && status == STATUS_OK; r++)
        status = text_printf(text, ",unknown_txs_%s", rules_name((enum rules)r));
    return status == STATUS_OK ? text_printf(text, "\n") : status;
}

static char *put_period(char *p, enum by by, uint32_t key)
{
    if (by == BY_TOTAL)
        return put_text(p, by_names[BY_TOTAL]);
    if (by == BY_BLOCK || by == BY_YEAR)
        return put_u64(p, key);
    unsigned month = by == BY_DAY ? key / 100 : key;
    p += sprintf(p, "%04u-%02u", month / 100, month % 100);
    return by == BY_DAY ? p + sprintf(p, "-%02u", key % 100) : p;
}

static enum status put_row(struct text *text, enum by by, const struct period *period)
{
    char *p = text_room(text, 32 + (4 + 2 * KINDS + RULES) * (PUT_U64_MAX + 1));
    if (!p)
        return STATUS_NOMEM;
    p = put_period(p, by, period->key);
    *p++ = ',';
    p = put_cell(p, period->blocks);
    p = put_cell(p, period->txs);
    p = put_cell(p, period->inputs);
    p = put_cell(p, period->outputs);
    for (unsigned k = 0; k < KINDS; k++) {
        p = put_cell(p, period->kind_count[k]);
        p = put_cell(p, period->kind_value_sat[k]);
    }
    for (unsigned r = 0; r < RULES; r++)
        p = put_cell(p, period->unknown_txs[r]);
    p[-1] = '\n';
    text_end(text, p);
    return STATUS_OK;
}

/* Adds the batch's blocks to their periods; one period a block needs no memory of the others. */
static enum status add_batch(struct periods *periods, struct batch_view *view, struct text *text)
{
    struct block_record block;
    enum status status;
    while ((status = batch_next_block(view, &block)) == STATUS_OK) {
        uint32_t key = key_of(periods->by, &block);
        struct period alone = {.key = key};
        struct period *period = periods->by == BY_BLOCK ? &alone : find_period(periods, key);
        if (!period)
            return STATUS_NOMEM;
        add_block(period, &block.counts);
        if (periods->by == BY_BLOCK && put_row(text, periods->by, period) != STATUS_OK)
            return STATUS_NOMEM;
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static enum status write_stats(const struct store *store, const struct store_reader *reader, struct periods *periods,
                               struct outfile *file, struct text *text, struct fault *fault)
{
    enum status status = put_header(text);
    size_t batches = store_batches(reader);
    for (size_t b = 0; b < batches && status == STATUS_OK && !outfile_left(file); b++) {
        struct batch_view view;
        if ((status = source_go_on(fault)) != STATUS_OK || (status = store_whole_batch(reader, b, &view, fault)) != STATUS_OK)
            return status;
        status = add_batch(periods, &view, text);
        if (status == STATUS_FORMAT)
            return source_damaged(store, view.first_height, fault);
        if (status == STATUS_OK)
            status = outfile_flush(file, text, fault);
    }
    for (size_t i = 0; i < periods->count && status == STATUS_OK; i++)
        status = put_row(text, periods->by, &periods->rows[i]);
    if (status == STATUS_NOMEM)
        return fault_nomem(fault);
    return status == STATUS_OK ? outfile_flush(file, text, fault) : status;
}

static enum status stats(const struct settings *settings, struct fault *fault)
{
    struct store *store = NULL;
    struct store_reader *reader = NULL;
    struct periods periods = {0};
    struct outfile file = {0};
    struct text text = {0};
    for (unsigned i = 0; i < sizeof by_names / sizeof *by_names; i++) {
        if (strcmp(settings->by, by_names[i]) == 0)
            periods.by = (enum by)i;
    }
    enum status status = source_open(settings, &store, fault);
    if (status == STATUS_OK)
        status = store_reader_open(store, &reader, fault);
    if (status == STATUS_OK)
        status = outfile_open(&file, settings->out, fault);
    if (status == STATUS_OK)
        status = write_stats(store, reader, &periods, &file, &text, fault);
    if (status == STATUS_OK)
        status = outfile_commit(&file, fault);
    outfile_abort(&file);
    text_free(&text);
    mem_free(periods.rows);
    if (reader)
        store_reader_close(reader);
    store_close(store);
    return status;
}

static int run(const struct settings *settings)
{
    struct fault fault = {0};
    if (settings->with_nulldata && strcmp(settings->by, by_names[BY_TOTAL]) != 0)
        return message_usage("--nulldata counts the whole chain: it goes with --by total only");
    return message_result(settings->with_nulldata ? protocols_write(settings, &fault) : stats(settings, &fault), &fault);
}

static const struct option option_by_protocol = {
    .name = "nulldata", .type = OPTION_FLAG, .field = offsetof(struct settings, with_nulldata),
    .help = "another table: nulldata outputs by the protocol that their first bytes name, as far as the store has them "
            "(scan --nulldata store keeps all)"};

static const struct option *const options[] = {&option_store,   &option_by,       &option_by_protocol, &option_scripts,
                                               &option_threads, &option_out_file, NULL};

const struct command command_stats = {
    .name = "stats",
    .operands = "",
    .summary = "Count transactions, inputs and outputs by kind, for the whole chain or by period, as CSV.",
    .details =
        "Columns: period, blocks, txs, inputs (coinbases' included), outputs; for each kind its count and its satoshis\n"
        "(KIND, KIND_sat); for each rule set the transactions with an unknown output, nulldata included\n"
        "(unknown_txs_RULES). Counts are of all transactions, stored or not.\n"
        "With --nulldata: protocol,outputs,value_sat,first_height,last_height; most common first.\n",
    .options = options,
    .run = run,
};
