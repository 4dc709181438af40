#include <string.h>
#include <sys/stat.h>

#include "cli/command.h"
#include "cli/inputs/spend_links.h"
#include "cli/output/outfile.h"
#include "cli/output/progress.h"
#include "cli/views/dump_parts.h"

/* Rows of one chunk: the more there are, the more links lead to the same pages. Some MiB of text, and a few chunks a
 * thread wait their turn: where threads are many each has fewer rows. A script takes more than other cells. */
#define CHUNK_ROWS 65536u
#define CHUNK_ROWS_SCRIPTS 8192u
#define CHUNK_BLOCKS 2048u
#define THREADS_ROWS (256u << 10) /* of a chunk for each thread, together */

#define BLOCKS_PER_FILE 10000u

/* ---- one stream ---- */

struct dump {
    enum dump_table table;
    struct dump_readers readers;
    /* by number, blocks by height */
    uint64_t first;
    uint64_t end;
    uint64_t chunk_rows;
    struct progress_count progress;
};

/* The first transaction whose rows begin at `row` or after it, or the one after the last. */
static enum status tx_from(const struct dump *dump, struct tx_index *index, uint64_t row, uint64_t *number,
                           struct fault *fault)
{
    struct index_tx tx;
    bool inputs = dump->table == DUMP_INPUTS, last = row >= dump->end;
    uint64_t in_last = last ? dump->end - 1 : row;
    enum status status = inputs ? index_tx_of_input(index, in_last, &tx, fault)
                                : index_tx_of_output(index, in_last, &tx, fault);
    if (status == STATUS_OK)
        *number = tx.number + (last || (inputs ? tx.first_input : tx.first_output) < row ? 1 : 0);
    return status;
}

static enum status format_chunk(void *context, unsigned worker, size_t chunk, struct text *text, struct fault *fault)
{
    struct dump *dump = context;
    struct dump_rows *rows = &dump->readers.rows[worker];
    uint64_t first = dump->first + (uint64_t)chunk * dump->chunk_rows, first_row = first;
    uint64_t end = dump->end - first < dump->chunk_rows ? dump->end : first + dump->chunk_rows, end_row = end;
    enum status status = STATUS_OK;
    if (dump->table == DUMP_INPUTS || dump->table == DUMP_OUTPUTS) {
        status = tx_from(dump, rows->index, first_row, &first, fault);
        if (status == STATUS_OK)
            status = tx_from(dump, rows->index, end_row, &end, fault);
    }
    if (status == STATUS_OK && first < end)
        status = dump_rows_put(rows, dump->table, first, end, text, fault);
    progress_add(&dump->progress, end_row - first_row);
    return status;
}

/* In a damaged index what is last may come before what is first. */
static enum status check_range(const struct dump *dump, struct tx_index *index, struct fault *fault)
{
    return dump->first < dump->end ? STATUS_OK : index_damaged(index, "transactions overlap", fault);
}

/* Transactions to the numbers of their inputs or outputs. */
static enum status set_rows(struct dump *dump, struct tx_index *index, struct fault *fault)
{
    struct index_tx first, last;
    bool inputs = dump->table == DUMP_INPUTS;
    enum status status = index_tx_at(index, dump->first, &first, fault);
    if (status == STATUS_OK)
        status = index_tx_at(index, dump->end - 1, &last, fault);
    if (status != STATUS_OK)
        return status;
    dump->first = inputs ? first.first_input : first.first_output;
    dump->end = inputs ? last.first_input + last.inputs : last.first_output + last.outputs;
    return check_range(dump, index, fault);
}

/* Heights to the numbers of what is dumped. */
static enum status set_range(const struct settings *settings, struct dump *dump, struct fault *fault)
{
    struct tx_index *index = dump->readers.indexes.indexes[0];
    struct index_block first, last;
    uint32_t from, end;
    enum status status = dump_readers_range(&dump->readers, settings, &from, &end, fault);
    if (status != STATUS_OK)
        return status;
    dump->first = from;
    dump->end = end;
    if (dump->table == DUMP_BLOCKS)
        return STATUS_OK;
    status = index_block_at(index, from, &first, fault);
    if (status == STATUS_OK)
        status = index_block_at(index, end - 1, &last, fault);
    if (status != STATUS_OK)
        return status;
    dump->first = first.first_tx;
    dump->end = last.first_tx + last.txs;
    status = check_range(dump, index, fault);
    return status == STATUS_OK && dump->table != DUMP_TXS ? set_rows(dump, index, fault) : status;
}

static uint64_t chunk_rows_of(const struct settings *settings, enum dump_table which, unsigned threads)
{
    uint64_t rows = settings->with_scripts ? CHUNK_ROWS_SCRIPTS : which == DUMP_BLOCKS ? CHUNK_BLOCKS : CHUNK_ROWS;
    return rows < THREADS_ROWS / threads ? rows : THREADS_ROWS / threads;
}

/* An output is spent in later blocks too. */
static enum status open_readers(const struct settings *settings, bool outputs, struct dump_readers *readers,
                                struct fault *fault)
{
    enum status status = dump_readers_open(settings, readers, fault);
    if (status == STATUS_OK)
        spend_links_tell_behind(readers->indexes.indexes[0], settings->store,
                                outputs ? UINT32_MAX : settings->to_height);
    return status;
}

static enum status write_stream(const struct settings *settings, enum dump_table which, struct fault *fault)
{
    struct dump dump = {.table = which};
    enum status status = open_readers(settings, which == DUMP_OUTPUTS, &dump.readers, fault);
    if (status == STATUS_OK)
        status = set_range(settings, &dump, fault);
    if (status == STATUS_OK) {
        uint64_t count = dump.end - dump.first;
        dump.chunk_rows = chunk_rows_of(settings, which, dump.readers.threads);
        /* to stdout silent: whoever reads it may show it on the same terminal */
        progress_begin(&dump.progress.progress, settings->quiet || strcmp(settings->out, "-") == 0);
        dump.progress.progress.unit = dump.progress.stage = which == DUMP_BLOCKS ? "blocks" : "rows";
        dump.progress.total = count;
        const struct outfile_table table = {dump_table_schema(which), dump_columns(settings),
                                            (size_t)((count + dump.chunk_rows - 1) / dump.chunk_rows), format_chunk,
                                            &dump};
        status = outfile_make_table(settings->out, dump.readers.threads, &table, fault);
        progress_end(&dump.progress.progress);
    }
    dump_readers_close(&dump.readers);
    return status;
}

/* ---- a folder of files ---- */

/* Is DIR meant by -o? A folder that is there can be nothing else. */
static bool is_folder(const struct settings *settings, bool all)
{
    struct stat st;
    const char *out = settings->out;
    size_t size = strlen(out);
    return all || settings->rows_per_file || settings->blocks_per_file || settings->packing || settings->resume ||
           settings->replace || (size > 0 && out[size - 1] == '/') || (stat(out, &st) == 0 && S_ISDIR(st.st_mode));
}

static enum status write_folder(const struct settings *settings, enum dump_table which, struct fault *fault)
{
    struct dump_readers readers = {0};
    struct dump_order order = {
        .folder = settings->out, .version = UNKTX_VERSION, .resume = settings->resume, .replace = settings->replace};
    for (unsigned t = 0; t < DUMP_TABLES; t++)
        order.tables[t] = which == DUMP_TABLES || t == (unsigned)which;
    order.rule = (struct partition_rule){.rows_per_file = settings->rows_per_file,
                                         .blocks_per_file = settings->blocks_per_file,
                                         .from_height = settings->from_height,
                                         .is_packed = !settings->packing || strcmp(settings->packing, "zstd") == 0};
    if (!order.rule.rows_per_file && !order.rule.blocks_per_file)
        order.rule.blocks_per_file = BLOCKS_PER_FILE;
    enum status status = open_readers(settings, order.tables[DUMP_OUTPUTS], &readers, fault);
    if (status == STATUS_OK)
        status = dump_parts_write(settings, &order, &readers, fault);
    dump_readers_close(&readers);
    return status;
}

/* ---- the command ---- */

static int run(const struct settings *settings)
{
    struct fault fault = {0};
    unsigned which = DUMP_BLOCKS;
    bool all = strcmp(settings->operands[0], "all") == 0;
    while (which < DUMP_TABLES && strcmp(settings->operands[0], dump_table_name((enum dump_table)which)) != 0)
        which++;
    if (which == DUMP_TABLES && !all)
        return message_usage("'%s' is none of all, blocks, txs, inputs, outputs", settings->operands[0]);
    if (settings->with_scripts && !all && which != DUMP_OUTPUTS)
        return message_usage("--scripts is for outputs and all only");
    if (!is_folder(settings, all))
        return message_result(write_stream(settings, (enum dump_table)which, &fault), &fault);
    if (strcmp(settings->out, "-") == 0)
        return message_usage("%s writes a folder: name it with -o DIR", all ? "'all'" : "this option");
    if (settings->rows_per_file && settings->blocks_per_file)
        return message_usage("--rows-per-file and --blocks-per-file exclude each other");
    if (settings->resume && settings->replace)
        return message_usage("--resume and --replace exclude each other");
    return message_result(write_folder(settings, (enum dump_table)which, &fault), &fault);
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

static const struct option option_scripts_too = {
    .name = "scripts",
    .type = OPTION_FLAG,
    .field = offsetof(struct settings, with_scripts),
    .help = "outputs also with script and address, read from the blk files",
};

static const struct option option_out = {
    .name = "output",
    .letter = 'o',
    .type = OPTION_TEXT,
    .value = "FILE|DIR",
    .fallback = "-",
    .field = offsetof(struct settings, out),
    .help = "file to write, - for stdout; a folder of many files where it is one, or one of the options below is given",
};

static const struct option option_rows_per_file = {
    .name = "rows-per-file",
    .type = OPTION_NUMBER,
    .value = "N",
    .field = offsetof(struct settings, rows_per_file),
    .min = 1,
    .max = UINT32_MAX,
    .help = "as many blocks in a file as have no more than N rows, at least one",
};

static const struct option option_blocks_per_file = {
    .name = "blocks-per-file",
    .type = OPTION_NUMBER,
    .value = "N",
    .field = offsetof(struct settings, blocks_per_file),
    .min = 1,
    .max = UINT32_MAX,
    .help = "N blocks in a file (default: 10000)",
};

static const struct option option_packing = {
    .name = "compress",
    .type = OPTION_CHOICE,
    .value = "zstd|none",
    .field = offsetof(struct settings, packing),
    .help = "how the files are compressed (default: zstd)",
};

static const struct option option_resume = {
    .name = "resume",
    .type = OPTION_FLAG,
    .field = offsetof(struct settings, resume),
    .help = "keep the files of an earlier dump in the folder that would be the same again",
};

static const struct option option_replace_dump = {
    .name = "replace",
    .type = OPTION_FLAG,
    .field = offsetof(struct settings, replace),
    .help = "replace a dump of other tables, options or another network in the folder, and files of the same names",
};

static const struct option *const options[] = {&option_read_store,
                                               &option_from_height,
                                               &option_to_height,
                                               &option_scripts_too,
                                               &option_threads,
                                               &option_out,
                                               &option_rows_per_file,
                                               &option_blocks_per_file,
                                               &option_packing,
                                               &option_resume,
                                               &option_replace_dump,
                                               &option_quiet,
                                               NULL};

static const struct table_schema *const tables[] = {&schema_dump_blocks, &schema_dump_txs, &schema_dump_inputs,
                                                    &schema_dump_outputs, NULL};

const struct command command_dump = {
    .name = "dump",
    .operands = "all|blocks|txs|inputs|outputs",
    .summary = "Write every block, transaction, input or output of the index as CSV, in chain order.",
    .details =
        "A coinbase has no fee and its input nothing that it spends: empty. An unspent output has no spender: empty.\n"
        "The files of a folder are DIR/TABLE/height=FROM-TO/part.csv.zst, each with a header line, and "
        "datapackage.json, which lists them; 'all' writes all four tables.\n",
    .tables = tables,
    .operands_min = 1,
    .operands_max = 1,
    .options = options,
    .run = run,
};
