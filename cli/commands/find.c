#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/inputs/opened_store.h"
#include "cli/inputs/sought.h"
#include "cli/output/partial.h"
#include "cli/output/outfile.h"
#include "cli/views/chart.h"
#include "cli/views/payments.h"
#include "graph/dag/names.h"
#include "parser/mem.h"
#include "parser/opcode.h"
#include "parser/pubkey.h"

enum format { FORMAT_TEXT, FORMAT_CSV, FORMAT_JSON };

struct find {
    const struct settings *settings;
    struct address_labels labels;
    struct dag_labels dag_labels;
    const struct dag_labels *labelled; /* NULL: without --labels */
    struct labels_said said;
    struct sought sought;
    struct store *store;
    struct forest forest;
    struct selection selection; /* T-DAGs and their names alone */
    struct store_readers readers;
    struct payments payments;
    enum format format;
    bool linked;     /* there is an index */
    bool unread;     /* scripts of payers and payees could not be read, and are not searched */
    bool unfit;      /* the operand is nothing that can be looked for */
    size_t batches;  /* chunks of them first, then of payers, then of payees */
    uint8_t *in_dag; /* by T-DAG: something was found in it */
    uint64_t count;
};

/* What was found, as a row. */
struct row {
    const char *found;
    const char *by;
    const struct hash256 *txid;
    uint32_t position; /* UINT32_MAX: none */
    uint32_t height;
    uint64_t value_sat;
    const char *kind; /* NULL: it has none, nor a value */
    const struct sought_hit *hit;
    uint32_t dag; /* 0: none */
};

/* ---- rows ---- */

#define CELLS 11u
/* Longer pushes than SCRIPT_PUSH_MAX fail where they are run, so no more of them is shown. */
#define ROW_MAX (2 * SCRIPT_PUSH_MAX + 2 * HASH256_HEX_SIZE + ADDRESS_SIZE_MAX + 6 * PUT_U64_MAX + 512u)

/* The cells, each a word, in the order of the columns. */
struct cells {
    char text[ROW_MAX];
    const char *cell[CELLS];
};

#define BTC_SIZE (PUT_U64_MAX + sizeof ".00000000 BTC")

/* For people as `tx` and `show` have it, a date and bitcoins; in tables a number. */
static char *put_time(char *p, enum format format, uint32_t time_s)
{
    char date[CHART_TIME_SIZE];
    return format == FORMAT_TEXT ? put_text(put_text(p, chart_time(date, time_s)), " UTC") : put_u64(p, time_s);
}

static char *put_value(char *p, enum format format, uint64_t value_sat)
{
    return format == FORMAT_TEXT ? p + snprintf(p, BTC_SIZE, BTC, BTC_OF(value_sat)) : put_u64(p, value_sat);
}

static void fill_cells(const struct find *find, const struct row *row, struct cells *cells)
{
    char *p = cells->text;
    size_t push = row->hit && row->hit->push ? row->hit->push_size : 0;
    size_t c = 0;
    cells->cell[c++] = row->found;
    cells->cell[c++] = row->by;
    cells->cell[c++] = p;
    p = hash256_hex(row->txid, p);
    *p++ = '\0';
    cells->cell[c++] = p;
    p = row->position != UINT32_MAX ? put_u64(p, row->position) : p;
    *p++ = '\0';
    cells->cell[c++] = p;
    p = put_u64(p, row->height);
    *p++ = '\0';
    cells->cell[c++] = p;
    p = put_time(p, find->format, find->forest.block_times[row->height]);
    *p++ = '\0';
    cells->cell[c++] = p;
    p = row->kind ? put_value(p, find->format, row->value_sat) : p;
    *p++ = '\0';
    cells->cell[c++] = row->kind ? row->kind : "";
    cells->cell[c++] = p;
    p = push > 0 ? put_hex(p, row->hit->push, push < SCRIPT_PUSH_MAX ? push : SCRIPT_PUSH_MAX) : p;
    *p++ = '\0';
    cells->cell[c++] = p;
    if (row->hit) {
        memcpy(p, row->hit->address, row->hit->address_size);
        p += row->hit->address_size;
    }
    *p++ = '\0';
    cells->cell[c++] = p;
    p = row->dag ? tdag_put_name(&find->forest, &find->selection.tdags, row->dag, p) : p;
    *p = '\0';
}

/* The last cells, of --labels: the labels of the address and of the T-DAG. */
struct label_cells {
    char *text[2]; /* NULL: there are none; free both */
    size_t size;   /* of both */
};

static const char *cell_at(const struct cells *cells, const struct label_cells *labels, size_t c)
{
    return c < CELLS ? cells->cell[c] : labels->text[c - CELLS];
}

/* A line of words for people: those that are empty are left out, the others have their column's name, without the unit
 * of values. */
static char *put_text_cells(char *p, const struct cells *cells, const struct label_cells *labels)
{
    struct schema_walk walk = {.table = &schema_find_rows, .flags = labels->text[0] ? COLUMN_WITH_LABELS : 0};
    p = put_text(p, cells->cell[0]);
    for (size_t c = 0; schema_next(&walk); c++) {
        const char *cell = cell_at(cells, labels, c);
        if (c == 0 || !*cell)
            continue;
        p = put_text(put_text(p, c == 1 ? " " : ", "), strcmp(walk.name, "value_sat") == 0 ? "value" : walk.name);
        *p++ = ' ';
        p = put_text(p, cell);
    }
    *p++ = '\n';
    return p;
}

static char *put_json_cells(char *p, const struct cells *cells, const struct label_cells *labels)
{
    struct schema_walk walk = {.table = &schema_find_rows,
                               .flags = (labels->text[0] ? COLUMN_WITH_LABELS : 0) | partial_flag()};
    char partial[PUT_U64_MAX + 1];
    *put_u64(partial, partial_from()) = '\0';
    for (size_t c = 0; schema_next(&walk); c++) {
        const char *cell = walk.column == &schema_partial ? partial : cell_at(cells, labels, c);
        p = put_json(put_text(p, c == 0 ? "{" : ","), walk.name);
        *p++ = ':';
        if (!*cell)
            p = put_text(p, "null");
        else
            p = walk.column->type == COLUMN_INTEGER ? put_text(p, cell) : put_json(p, cell);
    }
    return put_text(p, "}\n");
}

static char *put_csv_cells(char *p, const struct cells *cells, const struct label_cells *labels)
{
    for (size_t c = 0; c < CELLS; c++)
        p = put_text(c > 0 ? put_text(p, ",") : p, cells->cell[c]);
    for (size_t l = 0; l < 2 && labels->text[l]; l++)
        p = put_field(put_text(p, ","), labels->text[l]);
    *p++ = '\n';
    return p;
}

static enum status labels_of(const struct find *find, const struct row *row, struct label_cells *cells)
{
    struct label_span spans[2] = {{0}};
    if (!find->labelled)
        return STATUS_OK;
    if (row->hit && row->hit->address_size > 0)
        spans[0] = address_labels_of(&find->labels, row->hit->address, row->hit->address_size);
    spans[1] = dag_labels_of(find->labelled, row->dag);
    for (size_t l = 0; l < 2; l++) {
        cells->text[l] = mem_alloc(address_labels_size(&find->labels, &spans[l]) + 1, 1);
        if (!cells->text[l])
            return STATUS_NOMEM;
        *address_labels_put_text(&find->labels, &spans[l], cells->text[l]) = '\0';
        cells->size += strlen(cells->text[l]);
    }
    return STATUS_OK;
}

static enum status put_row(struct find *find, struct text *text, const struct row *row)
{
    struct cells cells;
    struct label_cells labels = {0};
    enum status status = labels_of(find, row, &labels);
    char *p = status == STATUS_OK ? text_room(text, 2 * ROW_MAX + 6 * labels.size) : NULL;
    if (p) {
        fill_cells(find, row, &cells);
        p = find->format == FORMAT_TEXT   ? put_text_cells(p, &cells, &labels)
            : find->format == FORMAT_JSON ? put_json_cells(p, &cells, &labels)
                                          : put_csv_cells(p, &cells, &labels);
        text_end(text, p);
        __atomic_fetch_add(&find->count, 1, __ATOMIC_RELAXED);
        if (row->dag)
            __atomic_store_n(&find->in_dag[row->dag], 1, __ATOMIC_RELAXED);
    }
    mem_free(labels.text[0]);
    mem_free(labels.text[1]);
    return p ? STATUS_OK : STATUS_NOMEM;
}

/* ---- what has it ---- */

struct outputs_job {
    struct find *find;
    struct text *text;
};

static enum status search_tx(void *context, uint32_t height, struct tx_view *view)
{
    const struct outputs_job *job = context;
    struct find *find = job->find;
    struct output_record output;
    struct sought_hit hit;
    enum status status;
    if (view->tx.number >= find->forest.txs_count || height >= find->forest.blocks)
        return STATUS_FORMAT;
    uint32_t dag = find->selection.tdags.tx_dag[view->tx.number];
    for (uint32_t vout = 0; (status = tx_next_output(view, &output)) == STATUS_OK; vout++) {
        if (!(output.unknown >> find->settings->rules & 1) ||
            !sought_in_script(&find->sought, output.script, output.script_size, &hit))
            continue;
        const struct row row = {"output",         sought_by_name(hit.by), &view->tx.txid, vout, height,
                                output.value_sat, kind_name(output.kind), &hit,           dag};
        if ((status = put_row(find, job->text, &row)) != STATUS_OK)
            return status;
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static enum status search_batch(struct find *find, unsigned worker, size_t batch, struct text *text,
                                struct fault *fault)
{
    struct batch_view view;
    struct outputs_job job = {find, text};
    enum status status = store_batch(find->readers.readers[worker], batch, &view, fault);
    if (status != STATUS_OK)
        return status;
    status = opened_store_each_tx(&view, search_tx, &job);
    if (status == STATUS_FORMAT)
        return opened_store_damaged(find->store, view.first_height, fault);
    return status == STATUS_OK ? STATUS_OK : fault_nomem(fault);
}

static enum status search_end(void *context, const struct payments_end *end, struct text *text, struct fault *fault)
{
    struct find *find = context;
    struct sought_hit hit;
    if (!end->script || !sought_in_script(&find->sought, end->script, end->script_size, &hit))
        return STATUS_OK;
    const struct row row = {
        end->payee ? "payee" : "payer", sought_by_name(hit.by),       &end->tx->txid, end->position, end->tx->height,
        end->output->value_sat,         kind_name(end->output->kind), &hit,           end->dag};
    return put_row(find, text, &row) == STATUS_OK ? STATUS_OK : fault_nomem(fault);
}

static enum status search_chunk(void *context, unsigned worker, size_t chunk, struct text *text, struct fault *fault)
{
    struct find *find = context;
    size_t chunks = find->linked ? payments_chunks(&find->payments) : 0;
    if (chunk < find->batches)
        return search_batch(find, worker, chunk, text, fault);
    chunk -= find->batches;
    bool payees = chunk >= chunks;
    return payments_chunk(&find->payments, worker, payees ? chunk - chunks : chunk, payees, text, fault);
}

/* Last the T-DAGs: those that are named, and those in which something was found. */
static enum status search_dags(struct find *find, struct outfile *file, struct fault *fault)
{
    const struct tdags *tdags = &find->selection.tdags;
    struct text text = {0};
    enum status status = STATUS_OK;
    for (uint32_t d = 1; d <= tdags->count && status == STATUS_OK; d++) {
        bool named = false;
        for (uint32_t m = tdags->first[d - 1]; find->sought.has_names && m < tdags->first[d] && !named; m++)
            named = sought_is_txid(&find->sought, &find->forest.txs[tdags->members[m]].txid);
        if (!named && !find->in_dag[d])
            continue;
        const struct forest_tx *first = &find->forest.txs[tdags_first_tx(tdags, d)];
        const struct row row = {
            "tdag", named ? "name" : "contents", &first->txid, UINT32_MAX, first->height, 0, NULL, NULL, d};
        status = put_row(find, &text, &row) == STATUS_OK ? outfile_flush(file, &text, fault) : fault_nomem(fault);
    }
    text_free(&text);
    return status;
}

/* ---- all of it ---- */

static enum status open_ends(struct find *find, struct fault *fault)
{
    unsigned threads = (unsigned)find->settings->threads;
    enum status status = payments_open(&find->payments, find->store, &find->forest, threads, fault);
    find->linked = status == STATUS_OK;
    if (status == STATUS_REFUSED)
        message_fault(fault);
    if (status == STATUS_NOT_FOUND || status == STATUS_REFUSED) {
        message("payers and payees are not searched: that takes an index (%s)",
                partial_from() > 0 ? "a partial store has none" : "'unktx index'");
        return STATUS_OK;
    }
    find->payments.each = search_end;
    find->payments.each_context = find;
    return status == STATUS_OK ? payments_visit(&find->payments, &find->selection, fault) : status;
}

static enum status open_all(struct find *find, struct fault *fault)
{
    const struct settings *settings = find->settings;
    unsigned threads = (unsigned)settings->threads;
    enum status status = opened_store_open_labelled(settings, &find->labels, &find->store, fault);
    if (status == STATUS_OK) {
        status = sought_read(settings->operands[0], &find->labels,
                             network_by_genesis(&store_identity_of(find->store)->genesis), &find->sought, fault);
        find->unfit = status == STATUS_NOT_FOUND;
        if ((find->sought.has_taproot || find->sought.is_key) && !pubkey_has_taproot())
            message("P2TR addresses of public keys (BIP 86) are not looked for: libsecp256k1 was built without its "
                    "module extrakeys");
    }
    if (status == STATUS_OK)
        status = store_readers_open(find->store, threads, &find->readers, fault);
    if (status == STATUS_OK)
        status = forest_load(find->store, threads, &find->forest, fault);
    if (status == STATUS_OK)
        status = tdags_find(&find->forest, settings->rules, &find->selection.tdags, fault);
    if (status == STATUS_OK)
        status = tdags_name(&find->forest, &find->selection.tdags, fault);
    if (status == STATUS_OK)
        status = payments_labels_of(settings, find->store, &find->forest, &find->selection.tdags, &find->labels,
                                    &find->dag_labels, &find->labelled, &find->said, fault);
    find->in_dag = mem_alloc((size_t)find->selection.tdags.count + 1, 1);
    if (status == STATUS_OK && !find->in_dag)
        status = fault_nomem(fault);
    if (status == STATUS_OK)
        status = open_ends(find, fault);
    return status == STATUS_OK ? opened_store_go_on(fault) : status;
}

/* Where payers and payees could not be read, what was not found may be there. */
static bool tell_unread(const struct find *find)
{
    if (find->payments.unread == 0)
        return false;
    message_fault(&find->payments.why);
    message("payers and payees whose scripts could not be read, and were not searched: %llu",
            ULL(find->payments.unread));
    if (find->count == 0)
        message("so it cannot be said whether anything under %s has %s", rules_name(find->settings->rules),
                find->settings->operands[0]);
    return true;
}

static enum status search(struct find *find, struct fault *fault)
{
    struct outfile file = {0};
    unsigned flags = find->settings->labels.count > 0 ? COLUMN_WITH_LABELS : 0;
    find->batches = store_batches(find->readers.readers[0]);
    size_t chunks = find->batches + (find->linked ? 2 * payments_chunks(&find->payments) : 0);
    const struct outfile_table table = {find->format == FORMAT_CSV ? &schema_find_rows : NULL, flags, chunks,
                                        search_chunk, find};
    enum status status = find->format == FORMAT_TEXT ? outfile_open_lines(&file, find->settings->out, fault)
                                                     : outfile_open(&file, find->settings->out, fault);
    if (status == STATUS_OK)
        status = outfile_write_table(&file, (unsigned)find->settings->threads, &table, fault);
    if (status == STATUS_OK)
        status = search_dags(find, &file, fault);
    if (status == STATUS_OK && find->count == 0) /* nothing is an answer too, and was not written */
        message_answer();
    if (status == STATUS_OK && find->linked && sought_takes_scripts(&find->sought))
        find->unread = tell_unread(find);
    if (status == STATUS_OK && find->count == 0 && !find->unread)
        status = fault_set(fault, STATUS_NOT_FOUND, NULL, FAULT_NO_OFFSET, "nothing under %s up to block %u has %s",
                           rules_name(find->settings->rules), (unsigned)find->forest.blocks - 1,
                           find->settings->operands[0]);
    return outfile_finish(&file, status, fault);
}

static int run(const struct settings *settings)
{
    struct fault fault = {0};
    struct find find = {.settings = settings};
    find.format = strcmp(settings->format, "csv") == 0    ? FORMAT_CSV
                  : strcmp(settings->format, "json") == 0 ? FORMAT_JSON
                                                          : FORMAT_TEXT;
    enum status status = open_all(&find, &fault);
    if (status == STATUS_OK)
        status = search(&find, &fault);
    payments_close(&find.payments);
    store_readers_close(&find.readers);
    selection_free(&find.selection);
    forest_free(&find.forest);
    store_close(find.store);
    mem_free(find.in_dag);
    sought_free(&find.sought);
    dag_labels_free(&find.dag_labels);
    address_labels_free(&find.labels);
    if (find.unfit)
        return message_usage("%s", fault.text);
    return message_left_out(message_result(status, &fault), find.unread || find.said.unread);
}

static const struct option option_find_format = {
    .name = "format",
    .type = OPTION_CHOICE,
    .value = "text|csv|json",
    .fallback = "text",
    .field = offsetof(struct settings, format),
    .help = "a line for each thing found, rows of a table, or a JSON object on each line",
};

static const struct option *const options[] = {&option_read_store, &option_as_of_height, &option_rules_hidden,
                                               &option_labels,     &option_find_format,  &option_threads,
                                               &option_out_file,   &option_quiet,        NULL};

static const struct table_schema *const tables[] = {&schema_find_rows, NULL};

const struct command command_find = {
    .name = "find",
    .operands = "ADDRESS | KEY | HASH | SCRIPT | LABEL",
    .summary = "Find the unknown outputs, payers, payees and T-DAGs that have an address, key, hash, script or label.",
    .details =
        "KEY, HASH and SCRIPT are in hexadecimal; a LABEL is one of --labels. Keys and hashes in unknown scripts are "
        "found by\n"
        "their addresses too. Payers and payees take an index. man unktx-find tells what each column means.\n",
    .tables = tables,
    .operands_min = 1,
    .operands_max = 1,
    .options = options,
    .run = run,
};
