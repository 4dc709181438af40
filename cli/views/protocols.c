#include "cli/views/protocols.h"

#include <stdlib.h>

#include "cli/output/outfolder.h"
#include "cli/inputs/known_scripts.h"
#include "cli/views/judgement.h"
#include "graph/dag/forest.h"
#include "parser/mem.h"
#include "parser/money.h"
#include "parser/parallel.h"

struct row {
    const char *name;
    enum kind kind;
    enum spendable_reason reason;
    uint64_t outputs;
    uint64_t value_sat;
    uint32_t first_height;
    uint32_t last_height;
};

static const char other[] = "other"; /* outputs that are of none of the known protocols */

/* Rows by what they count: nulldata by entry of the catalogue (CATALOGUE_MAX: other), all others by kind, protocol and
 * reason. */
#define KINDS_COUNTED (KIND_MULTISIG + 1u)
#define NULLDATA_ROWS (CATALOGUE_MAX + 1u)
#define ROWS (NULLDATA_ROWS + KINDS_COUNTED * PROTOCOLS * REASONS)

struct tally {
    struct row rows[ROWS];
    const struct catalogue *catalogue;
    const struct forest *forest; /* empty where only nulldata is counted */
    bool nulldata_only;
    struct matcher *matcher;
    enum status status;
    struct fault fault;
};

struct protocols {
    const struct catalogue *catalogue;
    const struct store *store;
    const struct forest *forest;
    bool nulldata_only;
    struct known_scripts_workers workers;
    struct tally *tallies; /* by worker: sums do not depend on who adds what */
};

static size_t row_place(enum kind kind, const struct judgement *judgement)
{
    if (kind == KIND_NULLDATA)
        return judgement->protocol.entry;
    return NULLDATA_ROWS + ((size_t)kind * PROTOCOLS + judgement->protocol.protocol) * REASONS + judgement->reason;
}

static void row_join(struct row *row, const struct row *more)
{
    if (more->outputs == 0)
        return;
    if (row->outputs == 0 || more->first_height < row->first_height)
        row->first_height = more->first_height;
    if (row->outputs == 0 || more->last_height > row->last_height)
        row->last_height = more->last_height;
    row->outputs += more->outputs;
    row->value_sat = add_saturating(row->value_sat, more->value_sat);
    row->name = more->name;
    row->kind = more->kind;
    row->reason = more->reason;
}

static void add_output(struct tally *tally, uint32_t height, const struct output_record *output, bool spent)
{
    struct judgement judgement = judgement_of(tally->matcher, tally->catalogue, output, spent);
    const char *name = output_protocol_name(tally->catalogue, &judgement.protocol);
    const struct row one = {.name = name[0] ? name : other,
                            .kind = output->kind,
                            .reason = judgement.reason,
                            .outputs = 1,
                            .value_sat = output->value_sat,
                            .first_height = height,
                            .last_height = height};
    row_join(&tally->rows[row_place(output->kind, &judgement)], &one);
}

static enum status add_tx(void *context, uint32_t height, struct tx_view *tx)
{
    struct tally *tally = context;
    const struct forest *forest = tally->forest;
    uint64_t ordinal = tx->tx.first_ordinal;
    struct output_record output;
    enum status status;
    while ((status = tx_next_output(tx, &output)) == STATUS_OK) {
        bool tracked = output_is_tracked(output.unknown, output.kind);
        bool spent = tracked && ordinal < forest->outputs_count && forest->outputs[ordinal].spender != FOREST_NONE;
        ordinal += tracked;
        if (output.unknown && output.kind < KINDS_COUNTED && (output.kind == KIND_NULLDATA || !tally->nulldata_only))
            add_output(tally, height, &output, spent);
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static void tally_work(void *context, unsigned worker, size_t b)
{
    struct protocols *protocols = context;
    struct tally *tally = &protocols->tallies[worker];
    struct batch_view view;
    if (tally->status != STATUS_OK)
        return;
    tally->status = opened_store_go_on(&tally->fault);
    if (tally->status == STATUS_OK)
        tally->status = store_batch(protocols->workers.readers.readers[worker], b, &view, &tally->fault);
    if (tally->status != STATUS_OK)
        return;
    tally->catalogue = protocols->catalogue;
    tally->forest = protocols->forest;
    tally->nulldata_only = protocols->nulldata_only;
    tally->matcher = protocols->workers.matchers[worker];
    tally->status = opened_store_each_tx(&view, add_tx, tally);
    if (tally->status != STATUS_OK)
        tally->status = opened_store_damaged(protocols->store, view.first_height, &tally->fault);
}

/* Most common first, then by name, kind and reason. */
static int compare_rows(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    if (x->outputs != y->outputs)
        return x->outputs > y->outputs ? -1 : 1;
    int order = x->outputs > 0 ? strcmp(x->name, y->name) : 0;
    if (order != 0)
        return order;
    return x->kind != y->kind ? (int)x->kind - (int)y->kind : (int)x->reason - (int)y->reason;
}

static enum status put_rows(struct text *text, struct tally *total)
{
    qsort(total->rows, ROWS, sizeof *total->rows, compare_rows);
    enum status status = STATUS_OK;
    for (size_t i = 0; i < ROWS && total->rows[i].outputs > 0 && status == STATUS_OK; i++) {
        const struct row *row = &total->rows[i];
        status = text_printf(text, "%s,%llu,%llu,%u,%u,%s,%s,%s\n", row->name, ULL(row->outputs), ULL(row->value_sat),
                             (unsigned)row->first_height, (unsigned)row->last_height, kind_name(row->kind),
                             spendable_name(spendable_of(row->reason)), spendable_reason_name(row->reason));
    }
    return status;
}

static enum status write_total(const struct settings *settings, struct tally *total, struct fault *fault)
{
    struct outfile file = {0};
    struct text text = {0};
    enum status status = outfolder_begin(settings->folder, &file, settings->out, fault);
    if (status == STATUS_OK)
        status = outfile_begin_table(&file, &schema_protocols, 0, fault);
    if (status == STATUS_OK && put_rows(&text, total) != STATUS_OK)
        status = fault_nomem(fault);
    if (status == STATUS_OK)
        status = outfile_flush(&file, &text, fault);
    text_free(&text);
    return outfile_finish(&file, status, fault);
}

static enum status count(struct protocols *protocols, unsigned threads, struct fault *fault)
{
    enum status status = parallel_for(threads, store_batches(protocols->workers.readers.readers[0]), tally_work,
                                      protocols, fault);
    if (status != STATUS_OK)
        return status;
    for (unsigned w = 0; w < threads; w++) {
        struct tally *tally = &protocols->tallies[w];
        if (tally->status != STATUS_OK) {
            *fault = tally->fault;
            return tally->status;
        }
        for (size_t i = 0; w > 0 && i < ROWS; i++)
            row_join(&protocols->tallies[0].rows[i], &tally->rows[i]);
    }
    return STATUS_OK;
}

enum status protocols_write(const struct settings *settings, struct fault *fault)
{
    struct catalogue catalogue = {0};
    struct store *store = NULL;
    struct forest forest = {0};
    unsigned threads = (unsigned)settings->threads;
    struct protocols protocols = {.catalogue = &catalogue,
                                  .forest = &forest,
                                  .nulldata_only = settings->with_nulldata,
                                  .tallies = mem_alloc(threads, sizeof *protocols.tallies)};
    enum status status = protocols.tallies ? known_scripts_read(settings, &catalogue, fault) : fault_nomem(fault);
    if (status == STATUS_OK)
        status = opened_store_open(settings, &store, fault);
    if (status == STATUS_OK) {
        protocols.store = store;
        opened_store_tell_nulldata(settings, store);
        status = protocols.nulldata_only ? STATUS_OK : forest_load(store, threads, &forest, fault);
    }
    if (status == STATUS_OK)
        status = known_scripts_workers_open(&catalogue, store, threads, &protocols.workers, fault);
    if (status == STATUS_OK)
        status = count(&protocols, threads, fault);
    if (status == STATUS_OK)
        status = write_total(settings, &protocols.tallies[0], fault);
    known_scripts_workers_close(&protocols.workers);
    mem_free(protocols.tallies);
    forest_free(&forest);
    store_close(store);
    catalogue_free(&catalogue);
    return status;
}
