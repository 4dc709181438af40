#include "graph/scripts/labels.h"

#include "graph/scripts/matcher.h"
#include "parser/mem.h"
#include "parser/parallel.h"

struct worker {
    struct store_reader *reader;
    struct matcher *matcher;
    enum status status; /* of the first batch that failed */
    struct fault fault;
};

struct job {
    const struct catalogue *catalogue;
    const struct store *store;
    const struct forest *forest;
    const struct tdags *tdags;
    struct labels *labels;
    struct worker *workers;
};

/* A T-DAG's transactions lie in many batches, so several threads may add to one set: names are only ever added, so the
 * order does not show. */
static void join_shared(struct name_set *shared, const struct name_set *set)
{
    for (size_t w = 0; w < CATALOGUE_MAX / 64; w++)
        if (set->bits[w] & ~__atomic_load_n(&shared->bits[w], __ATOMIC_RELAXED))
            __atomic_fetch_or(&shared->bits[w], set->bits[w], __ATOMIC_RELAXED);
}

static enum status label_tx(const struct job *job, struct matcher *matcher, struct tx_view *view, uint32_t dag)
{
    struct name_set found = {0};
    struct output_record output;
    enum status status;
    while ((status = tx_next_output(view, &output)) == STATUS_OK)
        if ((output.unknown >> job->tdags->rules & 1) && output_is_tracked(output.unknown, output.kind) &&
            output.script)
            matcher_match(matcher, output.kind, output.script, output.script_size, &found);
    if (name_set_first(&found) < CATALOGUE_MAX) {
        join_shared(&job->labels->all[dag], &found);
        if (forest_is_root(job->forest, (uint32_t)view->tx.number, job->tdags->rules))
            join_shared(&job->labels->roots[dag], &found);
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static enum status label_batch(const struct job *job, struct matcher *matcher, struct batch_view *batch)
{
    struct block_record block;
    enum status status;
    while ((status = batch_next_block(batch, &block)) == STATUS_OK) {
        struct tx_view view;
        while ((status = batch_next_tx(batch, &view)) == STATUS_OK) {
            if (view.tx.number >= job->forest->txs_count)
                return STATUS_FORMAT;
            uint32_t dag = job->tdags->tx_dag[view.tx.number];
            if (dag && (status = label_tx(job, matcher, &view, dag)) != STATUS_OK)
                return status;
        }
        if (status != STATUS_NOT_FOUND)
            return status;
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static enum status label(const struct job *job, struct worker *worker, size_t b)
{
    struct batch_view batch;
    struct fault *fault = &worker->fault;
    enum status status = STATUS_OK;
    if (!worker->reader)
        status = store_reader_open(job->store, &worker->reader, fault);
    if (status == STATUS_OK && !worker->matcher)
        status = matcher_new(job->catalogue, store_seed(job->store), &worker->matcher, fault);
    if (status == STATUS_OK)
        status = store_batch(worker->reader, b, &batch, fault);
    if (status != STATUS_OK)
        return status;
    status = label_batch(job, worker->matcher, &batch);
    if (status != STATUS_OK)
        fault_set(fault, status, store_path(job->store), FAULT_NO_OFFSET, "the store is damaged: batch %zu", b);
    return status;
}

static void label_work(void *context, unsigned w, size_t b)
{
    const struct job *job = context;
    struct worker *worker = &job->workers[w];
    if (worker->status == STATUS_OK)
        worker->status = label(job, worker, b);
}

static enum status count_batches(const struct store *store, size_t *batches, struct fault *fault)
{
    struct store_reader *reader = NULL;
    enum status status = store_reader_open(store, &reader, fault);
    if (status == STATUS_OK)
        *batches = store_batches(reader);
    store_reader_close(reader);
    return status;
}

enum status labels_find(const struct catalogue *catalogue, const struct store *store, const struct forest *forest,
                        const struct tdags *tdags, unsigned threads, struct labels *labels, struct fault *fault)
{
    struct job job = {catalogue, store, forest, tdags, labels, NULL};
    size_t batches = 0;
    *labels = (struct labels){mem_alloc((size_t)tdags->count + 1, sizeof *labels->all),
                              mem_alloc((size_t)tdags->count + 1, sizeof *labels->roots)};
    job.workers = mem_alloc(threads, sizeof *job.workers);
    if (!labels->all || !labels->roots || !job.workers) {
        mem_free(job.workers);
        return fault_nomem(fault);
    }
    enum status status = count_batches(store, &batches, fault);
    if (status == STATUS_OK)
        parallel_for(threads, batches, label_work, &job);
    for (unsigned w = 0; w < threads; w++) {
        struct worker *worker = &job.workers[w];
        if (worker->status && status == STATUS_OK) {
            status = worker->status;
            if (fault)
                *fault = worker->fault;
        }
        store_reader_close(worker->reader);
        matcher_free(worker->matcher);
    }
    mem_free(job.workers);
    return status;
}

void labels_free(struct labels *labels)
{
    mem_free(labels->all);
    mem_free(labels->roots);
    *labels = (struct labels){0};
}
