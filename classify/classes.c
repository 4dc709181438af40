#include "classify/classes.h"

#include <stdlib.h>
#include <string.h>

#include "classify/metrics.h"
#include "classify/quotient.h"
#include "classify/refinement.h"
#include "parser/mem.h"
#include "parser/stop.h"
#include "parser/parallel.h"

/* A work item is a run of T-DAGs with about this many transactions together, or one larger T-DAG: few enough that all
 * the data of an item fits the nearer caches (prefetch_item). */
#define ITEM_TXS 256u

/* Most T-DAGs are of a few small shapes. A small quotient, written out word by word, is looked up before canon is
 * asked; only an equal one answers, so this changes no result. (It tells the family too, also after compression: which
 * bundles are joined, directly or through shared vertices, is all in it.) */
#define MEMO_SLOTS 1024u
#define MEMO_VERTICES 8u
#define MEMO_ARCS 12u
#define MEMO_WORDS (1 + 2 * MEMO_VERTICES + 2 * MEMO_ARCS)

struct memo {
    uint32_t key[MEMO_WORDS];
    uint32_t words; /* of the key; 0: an empty slot */
    enum family family;
    struct canon_form form;
};

struct worker {
    MEM_APART struct canon *canon;
    struct family_scratch *family;
    struct quotient *quotient;
    struct metrics metrics;
    struct memo *memos;
    uint8_t *root;
    uint32_t *removed;
    size_t root_capacity;
    size_t removed_capacity;
    struct fault fault;
    enum status status;
    size_t failed;       /* item */
    uint64_t prefetched; /* transactions; see prefetch_item */
};

struct item {
    uint32_t begin; /* T-DAGs begin + 1 .. end */
    uint32_t end;
    uint32_t txs;
};

struct job {
    const struct forest *forest;
    struct tdags *tdags;
    bool compress;
    struct forms *forms;
    struct classes *classes;
    struct item *items;
    size_t items_count;
    uint32_t *local; /* lent by tdags.tx_dag */
    struct worker *workers;
};

/* ---- one T-DAG ---- */

/* Words of the key, 0 if the graph is too large for one. */
static uint32_t memo_key(const struct canon_graph *graph, uint32_t key[MEMO_WORDS])
{
    uint32_t arcs = graph->first[graph->vertices], words = 1;
    if (graph->vertices > MEMO_VERTICES || arcs > MEMO_ARCS)
        return 0;
    key[0] = graph->vertices;
    for (uint32_t v = 0; v < graph->vertices; v++) {
        key[words++] = (uint32_t)graph->colour[v];
        key[words++] = (uint32_t)(graph->colour[v] >> 32);
        for (uint32_t a = graph->first[v]; a < graph->first[v + 1]; a++) {
            key[words++] = v << 8 | graph->to[a];
            key[words++] = graph->label[a];
        }
    }
    return words;
}

static struct memo *memo_slot(struct worker *worker, const uint32_t *key, uint32_t words)
{
    uint64_t hash = words;
    for (uint32_t i = 0; i < words; i++)
        hash = (hash ^ key[i]) * UINT64_C(0x9e3779b97f4a7c15);
    return &worker->memos[(hash >> 32) % MEMO_SLOTS];
}

static enum status form_of(struct worker *worker, const struct quotient_view *view, struct canon_form *form,
                           enum family *family)
{
    uint32_t key[MEMO_WORDS];
    uint32_t words = memo_key(&view->graph, key);
    struct memo *memo = words ? memo_slot(worker, key, words) : NULL;
    if (memo && memo->words == words && memcmp(memo->key, key, words * sizeof *key) == 0) {
        *form = memo->form;
        *family = memo->family;
        return STATUS_OK;
    }
    enum status status = canon_run(worker->canon, &view->graph, form, &worker->fault);
    if (status != STATUS_OK)
        return status;
    status = family_of(worker->family, &view->family, family);
    if (status != STATUS_OK)
        return fault_nomem(&worker->fault);
    if (memo) {
        memcpy(memo->key, key, words * sizeof *key);
        memo->words = words;
        memo->form = *form;
        memo->family = *family;
    }
    return STATUS_OK;
}

/* Of a large T-DAG, what its quotient does not need. */
static void let_go(struct worker *worker)
{
    metrics_free(&worker->metrics);
    quotient_let_go(worker->quotient);
    mem_free(worker->root);
    mem_free(worker->removed);
    worker->root = NULL;
    worker->removed = NULL;
    worker->root_capacity = worker->removed_capacity = 0;
}

/* A T-DAG whose compression is beyond the limits is described as it is without compression, in a class that is marked
 * as not exact and kept apart from the exact ones. */
static enum status classify_dag(struct job *job, struct worker *worker, struct dag *dag, struct tdag_row *row)
{
    struct quotient_view view;
    struct canon_form form;
    enum family family;
    uint64_t removed;
    bool beyond = false;
    enum status status = metrics_of(&worker->metrics, dag, row, &removed);
    if (status != STATUS_OK)
        return fault_nomem(&worker->fault);
    if (row->vanished)
        return STATUS_OK;
    if (removed > 0) {
        status = quotient_compressed(worker->quotient, dag, &view);
        if (status == STATUS_OK) {
            row->edges = view.edges;
            row->txs_left = view.txs;
        }
    }
    if (status == STATUS_LIMIT) {
        beyond = true;
        dag->compress = false;
        status = metrics_of(&worker->metrics, dag, row, &removed);
        dag->compress = job->compress;
    }
    if (status == STATUS_OK && (removed == 0 || beyond))
        status = quotient_plain(worker->quotient, dag, &view);
    if (status != STATUS_OK)
        return fault_nomem(&worker->fault);
    if (dag->count >= REFINEMENT_LARGE)
        let_go(worker);
    status = form_of(worker, &view, &form, &family);
    if (status != STATUS_OK)
        return status;
    row->family = (uint8_t)family;
    memcpy(row->class_id, form.id, CANON_ID_SIZE);
    row->class_exact = form.exact && !beyond;
    if (beyond)
        row->class_id[0] ^= 0xff;
    row->automorphisms_log10 = form.automorphisms_log10 + view.swaps_log10;
    row->roles = form.roles;
    row->role_txs = view.graph.vertices;
    return STATUS_OK;
}

/* ---- all of them ---- */

static enum status worker_open(const struct job *job, struct worker *worker)
{
    enum status status = canon_new(&worker->canon, &worker->fault);
    if (status == STATUS_OK)
        status = family_scratch_new(&worker->family, &worker->fault);
    if (status == STATUS_OK)
        status = quotient_new(&worker->quotient, &worker->fault);
    if (status != STATUS_OK)
        return status;
    canon_use_forms(worker->canon, job->forms);
    worker->memos = mem_alloc(MEMO_SLOTS, sizeof *worker->memos);
    return worker->memos ? STATUS_OK : fault_nomem(&worker->fault);
}

static void worker_close(struct worker *worker)
{
    canon_free(worker->canon);
    family_scratch_free(worker->family);
    quotient_free(worker->quotient);
    metrics_free(&worker->metrics);
    mem_free(worker->memos);
    mem_free(worker->root);
    mem_free(worker->removed);
}

/* What a large T-DAG took is given back before the rows of all others are filled. */
static void worker_renew(struct worker *worker)
{
    struct worker left = {
        .fault = worker->fault, .status = worker->status, .failed = worker->failed, .prefetched = worker->prefetched};
    worker_close(worker);
    *worker = left;
}

/* The transactions of a T-DAG lie anywhere in memory: asking for all of an item's before the first is needed takes a
 * fraction of the time of waiting for each. Returns how many it asked for, since gcc (12 at least) drops calls of
 * functions that only prefetch. */
static uint32_t prefetch_item(const struct job *job, const struct item *item)
{
    const struct forest *forest = job->forest;
    const uint32_t *members = job->tdags->members + job->tdags->first[item->begin];
    uint32_t count = item->txs > ITEM_TXS ? 0 : item->txs;
    for (uint32_t i = 0; i < count; i++) {
        __builtin_prefetch(&forest->txs[members[i]]);
        __builtin_prefetch(&forest->txs[members[i] + 1]);
        __builtin_prefetch(&job->local[members[i]], 1);
        __builtin_prefetch(&job->classes->depths[members[i]], 1);
    }
    for (uint32_t i = 0; i < count; i++) {
        __builtin_prefetch(&forest->outputs[forest->txs[members[i]].first_output].spender);
        __builtin_prefetch(&forest->spends[forest->txs[members[i]].first_spend]);
    }
    return count;
}

static enum status classify_item(struct job *job, struct worker *worker, const struct item *item)
{
    enum status status = worker->memos ? STATUS_OK : worker_open(job, worker);
    worker->prefetched += prefetch_item(job, item);
    for (uint32_t d = item->begin; status == STATUS_OK && d < item->end; d++) {
        if ((status = stop_check(&worker->fault)) != STATUS_OK)
            return status;
        uint32_t begin = job->tdags->first[d], count = job->tdags->first[d + 1] - begin;
        status = mem_reserve(&worker->root, &worker->root_capacity, count, sizeof *worker->root);
        if (status == STATUS_OK)
            status = mem_reserve(&worker->removed, &worker->removed_capacity, count, sizeof *worker->removed);
        if (status != STATUS_OK)
            return fault_nomem(&worker->fault);
        struct dag dag = {
            .forest = job->forest,
            .rules = job->tdags->rules,
            .compress = job->compress,
            .members = job->tdags->members + begin,
            .count = count,
            .local = job->local,
            .depths = job->classes->depths,
            .root = worker->root,
            .removed = worker->removed,
        };
        status = classify_dag(job, worker, &dag, &job->classes->rows[d]);
    }
    return status;
}

static void classify_work(void *context, unsigned w, size_t i)
{
    struct job *job = context;
    struct worker *worker = &job->workers[w];
    if (worker->status != STATUS_OK)
        return;
    worker->status = classify_item(job, worker, &job->items[i]);
    worker->failed = i;
    if (job->items[i].txs >= REFINEMENT_LARGE)
        worker_renew(worker);
}

/* The largest first, so that no worker begins a giant when the others are done. */
static int compare_items(const void *a, const void *b)
{
    const struct item *x = a, *y = b;
    if (x->txs != y->txs)
        return x->txs > y->txs ? -1 : 1;
    return (x->begin > y->begin) - (x->begin < y->begin);
}

static enum status make_items(struct job *job, struct fault *fault)
{
    const struct tdags *tdags = job->tdags;
    size_t capacity = 0;
    for (uint32_t begin = 0, end; begin < tdags->count; begin = end) {
        uint32_t txs = 0;
        for (end = begin; end < tdags->count; end++) {
            uint32_t more = tdags->first[end + 1] - tdags->first[end];
            if (end > begin && (more > ITEM_TXS || txs + more > ITEM_TXS))
                break;
            txs += more;
        }
        if (mem_reserve(&job->items, &capacity, job->items_count + 1, sizeof *job->items) != STATUS_OK)
            return fault_nomem(fault);
        job->items[job->items_count++] = (struct item){begin, end, txs};
    }
    if (job->items_count > 0)
        qsort(job->items, job->items_count, sizeof *job->items, compare_items);
    return STATUS_OK;
}

/* Gives tdags.tx_dag back. */
static void renumber_item(void *context, unsigned w, size_t i)
{
    struct tdags *tdags = ((struct job *)context)->tdags;
    const struct item *item = &((struct job *)context)->items[i];
    (void)w;
    for (uint32_t d = item->begin; d < item->end; d++)
        for (uint32_t m = tdags->first[d]; m < tdags->first[d + 1]; m++)
            tdags->tx_dag[tdags->members[m]] = d + 1;
}

static enum status run(struct job *job, unsigned threads, struct fault *fault)
{
    const struct worker *first = NULL;
    job->workers = mem_alloc_apart(threads, sizeof *job->workers);
    if (!job->workers)
        return fault_nomem(fault);
    enum status status = parallel_for(threads, job->items_count, classify_work, job, fault);
    for (unsigned w = 0; w < threads; w++) {
        const struct worker *worker = &job->workers[w];
        if (worker->status && (!first || worker->failed < first->failed))
            first = worker;
    }
    if (first && fault)
        *fault = first->fault;
    status = first ? first->status : status;
    for (unsigned w = 0; w < threads; w++)
        worker_close(&job->workers[w]);
    return status;
}

/* ---- the table of classes ---- */

static int compare_classes(const void *a, const void *b)
{
    const struct class_row *x = a, *y = b;
    if (x->tdags != y->tdags)
        return x->tdags > y->tdags ? -1 : 1;
    return memcmp(x->class_id, y->class_id, CANON_ID_SIZE);
}

static uint64_t class_hash(const uint8_t id[CANON_ID_SIZE])
{
    uint64_t hash;
    memcpy(&hash, id, sizeof hash);
    return hash;
}

static enum status add_to_class(struct classes *classes, size_t *capacity, uint32_t *slots, size_t slots_count,
                                uint32_t d)
{
    const struct tdag_row *row = &classes->rows[d];
    size_t slot = class_hash(row->class_id) & (slots_count - 1);
    while (slots[slot] && memcmp(classes->classes[slots[slot] - 1].class_id, row->class_id, CANON_ID_SIZE) != 0)
        slot = (slot + 1) & (slots_count - 1);
    if (!slots[slot]) {
        enum status status = mem_reserve(&classes->classes, capacity, (size_t)classes->classes_count + 1,
                                         sizeof *classes->classes);
        if (status != STATUS_OK)
            return status;
        struct class_row *class = &classes->classes[classes->classes_count];
        *class = (struct class_row){
            .exact = true,
            .first_dag = d + 1,
            .height = row->height,
            .roots = row->roots,
            .txs = row->txs_left,
            .nodes = row->nodes,
            .edges = row->edges,
            .family = (enum family)row->family,
            .automorphisms_log10 = row->automorphisms_log10,
        };
        memcpy(class->class_id, row->class_id, CANON_ID_SIZE);
        slots[slot] = ++classes->classes_count;
    }
    struct class_row *class = &classes->classes[slots[slot] - 1];
    class->tdags++;
    class->maybe_tdags += row->inputs_before > 0;
    class->exact = class->exact && row->class_exact;
    class->alike = class->alike || row->alike;
    return STATUS_OK;
}

/* In order of the T-DAGs, so a class is described by its first one. */
static enum status make_classes(struct classes *classes, struct fault *fault)
{
    size_t slots_count = 16, capacity = 0;
    while (slots_count < 2 * (size_t)classes->rows_count)
        slots_count *= 2;
    uint32_t *slots = mem_alloc_large(slots_count, sizeof *slots);
    if (!slots)
        return fault_nomem(fault);
    enum status status = STATUS_OK;
    for (uint32_t d = 0; status == STATUS_OK && d < classes->rows_count; d++) {
        const struct tdag_row *row = &classes->rows[d];
        if (row->vanished)
            continue;
        classes->nodes += row->nodes;
        classes->edges += row->edges;
        if (add_to_class(classes, &capacity, slots, slots_count, d) != STATUS_OK)
            status = fault_nomem(fault);
    }
    mem_free(slots);
    if (status == STATUS_OK && classes->classes_count > 0)
        qsort(classes->classes, classes->classes_count, sizeof *classes->classes, compare_classes);
    return status;
}

enum status classify(const struct forest *forest, struct tdags *tdags, bool compress, struct forms *forms,
                     unsigned threads, struct classes *classes, struct fault *fault)
{
    struct job job = {.forest = forest,
                      .tdags = tdags,
                      .compress = compress,
                      .forms = forms,
                      .classes = classes,
                      .local = tdags->tx_dag};
    enum status status = STATUS_OK;
    *classes = (struct classes){
        .rows = mem_alloc_large(tdags->count, sizeof *classes->rows),
        .rows_count = tdags->count,
        .depths = mem_alloc_large(forest->txs_count, sizeof *classes->depths),
    };
    if (!classes->rows || !classes->depths)
        status = fault_nomem(fault);
    if (status == STATUS_OK)
        status = make_items(&job, fault);
    if (status == STATUS_OK)
        status = run(&job, threads > 0 ? threads : 1, fault);
    parallel_whole(threads > 0 ? threads : 1, job.items_count, renumber_item, &job);
    mem_free(job.items);
    mem_free(job.workers);
    if (status == STATUS_OK)
        status = make_classes(classes, fault);
    if (status != STATUS_OK)
        classes_free(classes);
    return status;
}

void classes_free(struct classes *classes)
{
    mem_free(classes->rows);
    mem_free(classes->classes);
    mem_free(classes->depths);
    memset(classes, 0, sizeof *classes);
}
