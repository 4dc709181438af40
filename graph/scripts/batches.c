#include "graph/scripts/batches.h"

#include "parser/mem.h"
#include "parser/parallel.h"

struct worker {
    struct store_reader *reader;
    enum status status; /* of the first batch that failed */
    struct fault fault;
};

struct job {
    const struct store *store;
    batches_work *work;
    void *context;
    struct worker *workers;
};

static void visit(void *context, unsigned w, size_t b)
{
    const struct job *job = context;
    struct worker *worker = &job->workers[w];
    struct batch_view batch;
    if (worker->status != STATUS_OK)
        return;
    if (!worker->reader)
        worker->status = store_reader_open(job->store, &worker->reader, &worker->fault);
    if (worker->status == STATUS_OK)
        worker->status = store_read_batch(worker->reader, b, false, &batch, &worker->fault);
    if (worker->status == STATUS_OK)
        worker->status = job->work(job->context, w, &batch, &worker->fault);
    if (worker->status == STATUS_NOMEM)
        (void)fault_nomem(&worker->fault);
    else if (worker->status != STATUS_OK && !worker->fault.text[0])
        (void)fault_set(&worker->fault, worker->status, store_path(job->store), FAULT_NO_OFFSET,
                        "the store is damaged: batch %zu", b);
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

enum status batches_visit(const struct store *store, unsigned threads, batches_work *work, void *context,
                          struct fault *fault)
{
    struct job job = {store, work, context, mem_alloc(threads, sizeof *job.workers)};
    size_t batches = 0;
    if (!job.workers)
        return fault_nomem(fault);
    enum status status = count_batches(store, &batches, fault);
    if (status == STATUS_OK)
        status = parallel_for(threads, batches, visit, &job, fault);
    for (unsigned w = 0; w < threads; w++) {
        const struct worker *worker = &job.workers[w];
        if (worker->status != STATUS_OK && status == STATUS_OK) {
            status = worker->status;
            if (fault)
                *fault = worker->fault;
        }
        store_reader_close(worker->reader);
    }
    mem_free(job.workers);
    return status;
}
