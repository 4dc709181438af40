#include "cli/views/protocols.h"

#include <stdlib.h>

#include "cli/output/outfile.h"
#include "cli/inputs/known_scripts.h"
#include "parser/mem.h"
#include "parser/money.h"
#include "parser/parallel.h"

struct row {
    const char *name;
    uint64_t outputs;
    uint64_t value_sat;
    uint32_t first_height;
    uint32_t last_height;
};

#define OTHER CATALOGUE_MAX /* nulldata that is none of the known protocols */

struct tally {
    struct row rows[CATALOGUE_MAX + 1];
    const struct catalogue *catalogue;
    struct matcher *matcher;
    enum status status;
    struct fault fault;
};

struct protocols {
    const struct catalogue *catalogue;
    const struct store *store;
    struct known_scripts_workers workers;
    struct tally *tallies; /* by worker: sums do not depend on who adds what */
};

static void row_join(struct row *row, const struct row *other)
{
    if (other->outputs == 0)
        return;
    if (row->outputs == 0 || other->first_height < row->first_height)
        row->first_height = other->first_height;
    if (row->outputs == 0 || other->last_height > row->last_height)
        row->last_height = other->last_height;
    row->outputs += other->outputs;
    row->value_sat = add_saturating(row->value_sat, other->value_sat);
}

static void add_output(struct tally *tally, uint32_t height, const struct output_record *output)
{
    struct name_set found = {{0}};
    matcher_match(tally->matcher, output->kind, output->script, output->script_size, &found);
    size_t first = name_set_first(&found);
    while (first < CATALOGUE_MAX && !catalogue_is_protocol(tally->catalogue, first)) {
        name_set_remove(&found, first);
        first = name_set_first(&found);
    }
    const struct row one = {
        .outputs = 1, .value_sat = output->value_sat, .first_height = height, .last_height = height};
    row_join(&tally->rows[first], &one); /* CATALOGUE_MAX is OTHER */
}

static enum status add_tx(void *context, uint32_t height, struct tx_view *tx)
{
    struct tally *tally = context;
    struct output_record output;
    enum status status;
    while ((status = tx_next_output(tx, &output)) == STATUS_OK)
        if (output.kind == KIND_NULLDATA && output.script)
            add_output(tally, height, &output);
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
    tally->matcher = protocols->workers.matchers[worker];
    tally->status = opened_store_each_tx(&view, add_tx, tally);
    if (tally->status != STATUS_OK)
        tally->status = opened_store_damaged(protocols->store, view.first_height, &tally->fault);
}

/* Most common first, then by name. */
static int compare_rows(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    if (x->outputs != y->outputs)
        return x->outputs > y->outputs ? -1 : 1;
    return strcmp(x->name, y->name);
}

static enum status put_rows(struct text *text, struct tally *total, const struct catalogue *catalogue)
{
    for (size_t i = 0; i <= CATALOGUE_MAX; i++)
        total->rows[i].name = i < catalogue->count ? catalogue->entries[i].name : i == OTHER ? "other" : "";
    qsort(total->rows, CATALOGUE_MAX + 1, sizeof *total->rows, compare_rows);
    enum status status = schema_put_header(text, &schema_protocols, 0);
    for (size_t i = 0; i <= CATALOGUE_MAX && total->rows[i].outputs > 0 && status == STATUS_OK; i++) {
        const struct row *row = &total->rows[i];
        status = text_printf(text, "%s,%llu,%llu,%u,%u\n", row->name, (unsigned long long)row->outputs,
                             (unsigned long long)row->value_sat, (unsigned)row->first_height,
                             (unsigned)row->last_height);
    }
    return status;
}

static enum status write_total(const struct settings *settings, struct tally *total, const struct catalogue *catalogue,
                               struct fault *fault)
{
    struct text text = {0};
    enum status status = put_rows(&text, total, catalogue);
    status = status == STATUS_OK ? outfile_write_text(settings->out, &text, fault) : fault_nomem(fault);
    text_free(&text);
    return status;
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
        for (size_t i = 0; w > 0 && i <= CATALOGUE_MAX; i++)
            row_join(&protocols->tallies[0].rows[i], &tally->rows[i]);
    }
    return STATUS_OK;
}

enum status protocols_write(const struct settings *settings, struct fault *fault)
{
    struct catalogue catalogue = {0};
    struct store *store = NULL;
    unsigned threads = (unsigned)settings->threads;
    struct protocols protocols = {.catalogue = &catalogue, .tallies = mem_alloc(threads, sizeof *protocols.tallies)};
    enum status status = protocols.tallies ? known_scripts_read(settings, &catalogue, fault) : fault_nomem(fault);
    if (status == STATUS_OK)
        status = opened_store_open(settings, &store, fault);
    if (status == STATUS_OK) {
        protocols.store = store;
        opened_store_tell_nulldata(settings, store);
        status = known_scripts_workers_open(&catalogue, store, threads, &protocols.workers, fault);
    }
    if (status == STATUS_OK)
        status = count(&protocols, threads, fault);
    if (status == STATUS_OK)
        status = write_total(settings, &protocols.tallies[0], &catalogue, fault);
    known_scripts_workers_close(&protocols.workers);
    mem_free(protocols.tallies);
    store_close(store);
    catalogue_free(&catalogue);
    return status;
}
