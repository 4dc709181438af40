#include "graph/scripts/labels.h"

#include "graph/scripts/batches.h"
#include "parser/mem.h"

struct job {
    const struct catalogue *catalogue;
    const struct store *store;
    const struct forest *forest;
    const struct tdags *tdags;
    struct labels *labels;
    struct matcher **matchers; /* one a worker */
};

/* A T-DAG's transactions lie in many batches, so several threads may add to one set: names are only ever added, so the
 * order does not show. */
static void join_shared(struct name_set *shared, const struct name_set *set)
{
    for (size_t w = 0; w < CATALOGUE_MAX / 64; w++)
        if (set->bits[w] & ~__atomic_load_n(&shared->bits[w], __ATOMIC_RELAXED))
            __atomic_fetch_or(&shared->bits[w], set->bits[w], __ATOMIC_RELAXED);
}

enum status labels_new(const struct tdags *tdags, bool with_roots, struct labels *labels, struct fault *fault)
{
    *labels = (struct labels){.all = mem_alloc_large((size_t)tdags->count + 1, sizeof *labels->all)};
    if (with_roots)
        labels->roots = mem_alloc_large((size_t)tdags->count + 1, sizeof *labels->roots);
    return labels->all && (!with_roots || labels->roots) ? STATUS_OK : fault_nomem(fault);
}

enum status labels_add_tx(const struct labels *labels, const struct forest *forest, const struct tdags *tdags,
                          struct matcher *matcher, const struct tx_view *tx, uint32_t dag)
{
    struct name_set found = {0};
    struct tx_view view = *tx;
    struct output_record output;
    enum status status;
    while ((status = tx_next_output(&view, &output)) == STATUS_OK)
        if ((output.unknown >> tdags->rules & 1) && output_is_tracked(output.unknown, output.kind) && output.script)
            matcher_match(matcher, output.kind, output.script, output.script_size, &found);
    if (name_set_first(&found) < CATALOGUE_MAX) {
        join_shared(&labels->all[dag], &found);
        if (labels->roots && forest_is_root(forest, (uint32_t)tx->tx.number, tdags->rules))
            join_shared(&labels->roots[dag], &found);
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static enum status label_batch(void *context, unsigned worker, struct batch_view *batch, struct fault *fault)
{
    const struct job *job = context;
    struct matcher **matcher = &job->matchers[worker];
    struct block_record block;
    enum status status = STATUS_OK;
    if (!*matcher)
        status = matcher_new(job->catalogue, store_seed(job->store), matcher, fault);
    if (status != STATUS_OK)
        return status;
    while ((status = batch_next_block(batch, &block)) == STATUS_OK) {
        struct tx_view view;
        while ((status = batch_next_tx(batch, &view)) == STATUS_OK) {
            if (view.tx.number >= job->forest->txs_count)
                return STATUS_FORMAT;
            uint32_t dag = job->tdags->tx_dag[view.tx.number];
            status = dag ? labels_add_tx(job->labels, job->forest, job->tdags, *matcher, &view, dag) : STATUS_OK;
            if (status != STATUS_OK)
                return status;
        }
        if (status != STATUS_NOT_FOUND)
            return status;
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

enum status labels_find(const struct catalogue *catalogue, const struct store *store, const struct forest *forest,
                        const struct tdags *tdags, bool with_roots, unsigned threads, struct labels *labels,
                        struct fault *fault)
{
    struct job job = {catalogue, store, forest, tdags, labels, NULL};
    enum status status = labels_new(tdags, with_roots, labels, fault);
    job.matchers = mem_alloc(threads, sizeof *job.matchers);
    if (status == STATUS_OK && !job.matchers)
        status = fault_nomem(fault);
    if (status == STATUS_OK)
        status = batches_visit(store, threads, label_batch, &job, fault);
    for (unsigned w = 0; job.matchers && w < threads; w++)
        matcher_free(job.matchers[w]);
    mem_free(job.matchers);
    return status;
}

void labels_free(struct labels *labels)
{
    mem_free(labels->all);
    mem_free(labels->roots);
    *labels = (struct labels){0};
}
