#include "cli/command.h"
#include "cli/output/message.h"
#include "cli/output/outfolder.h"
#include "cli/views/periods.h"
#include "cli/views/protocols.h"
#include "cli/inputs/opened_store.h"

static enum status put_row(struct text *text, enum by by, const struct period *period)
{
    char *p = text_room(text, PERIOD_TEXT + (4 + 2 * KINDS + RULES) * (PUT_U64_MAX + 1));
    if (!p)
        return STATUS_NOMEM;
    p = period_put(p, by, period->key);
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
        uint32_t key = period_key(periods->by, &block);
        struct period alone = {.key = key};
        struct period *period = periods->by == BY_BLOCK ? &alone : periods_find(periods, key);
        if (!period)
            return STATUS_NOMEM;
        period_add(period, &block.counts);
        if (periods->by == BY_BLOCK && put_row(text, periods->by, period) != STATUS_OK)
            return STATUS_NOMEM;
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static enum status write_stats(const struct store *store, const struct store_reader *reader, struct periods *periods,
                               struct outfile *file, struct text *text, struct fault *fault)
{
    enum status status = outfile_begin_table(file, &schema_stats, 0, fault);
    size_t batches = store_batches(reader);
    for (size_t b = 0; b < batches && status == STATUS_OK && !outfile_left(file); b++) {
        struct batch_view view;
        if ((status = opened_store_go_on(fault)) != STATUS_OK ||
            (status = store_whole_batch(reader, b, &view, fault)) != STATUS_OK)
            return status;
        status = add_batch(periods, &view, text);
        if (status == STATUS_FORMAT)
            return opened_store_damaged(store, view.first_height, fault);
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
    struct periods periods = {.by = by_parse(settings->by)};
    struct outfile file = {0};
    struct text text = {0};
    enum status status = opened_store_open(settings, &store, fault);
    if (status == STATUS_OK)
        status = store_reader_open(store, &reader, fault);
    if (status == STATUS_OK)
        status = outfolder_begin(settings->folder, &file, settings->out, fault);
    if (status == STATUS_OK)
        status = write_stats(store, reader, &periods, &file, &text, fault);
    status = outfile_finish(&file, status, fault);
    text_free(&text);
    periods_free(&periods);
    if (reader)
        store_reader_close(reader);
    store_close(store);
    return status;
}

static int run(const struct settings *settings)
{
    struct fault fault = {0};
    bool by_protocol = settings->with_nulldata || settings->with_protocols;
    if (by_protocol && by_parse(settings->by) != BY_TOTAL)
        return message_usage("--%s counts the whole chain: it goes with --by total only",
                             settings->with_nulldata ? "nulldata" : "protocols");
    return message_result(by_protocol ? protocols_write(settings, &fault) : stats(settings, &fault), &fault);
}

static const struct option option_with_protocols = {
    .name = "protocols",
    .type = OPTION_FLAG,
    .field = offsetof(struct settings, with_protocols),
    .help = "another table: unknown outputs by the protocol that wrote them, by kind, and by whether they can be spent "
            "and why",
};

static const struct option option_with_nulldata = {
    .name = "nulldata",
    .type = OPTION_FLAG,
    .field = offsetof(struct settings, with_nulldata),
    .help = "of that table only nulldata outputs, as far as the store has them (scan --nulldata store keeps all)",
};

static const struct option *const options[] = {
    &option_read_store,    &option_as_of_height, &option_by,       &option_with_protocols, &option_with_nulldata,
    &option_known_scripts, &option_threads,      &option_out_file, &option_quiet,          NULL};

static const struct table_schema *const tables[] = {&schema_stats, &schema_protocols, NULL};

const struct command command_stats = {
    .name = "stats",
    .operands = "",
    .summary = "Count transactions, inputs and outputs by kind, for the whole chain or by period, as CSV.",
    .details = "KIND stands for each kind of output, RULES for each rule set. Counts are of all transactions, stored "
               "or not; protocols\n"
               "is the table of --protocols and --nulldata, most common first. man unktx-stats tells what each column "
               "means.\n",
    .tables = tables,
    .options = options,
    .run = run,
};
