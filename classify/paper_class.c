#include "classify/paper_class.h"

#include <stdlib.h>
#include <string.h>

#include "classify/metrics.h"
#include "classify/quotient.h"
#include "classify/reach.h"
#include "parser/array.h"
#include "parser/bytes.h"
#include "parser/mem.h"
#include "parser/parallel.h"
#include "parser/search.h"
#include "parser/sha256.h"
#include "parser/stop.h"

#define NODE_SIZE 32u

/* So many children are looked at for each arc and vertex of a graph with shared nodes, whose children are those of
 * several transactions. */
#define CHILDREN_FACTOR 512u
#define CHILDREN_LEAST (UINT64_C(1) << 20)

/* Children of one class. A leaf's class is zeros: it reaches itself alone and has no children. */
struct children {
    uint8_t node[NODE_SIZE];
    uint64_t count;
};

struct worker {
    MEM_APART struct metrics metrics;
    struct quotient *quotient;
    struct reach reach;
    ARRAY(struct children) children;
    uint64_t looked_at;
    uint64_t most;
    uint64_t *weights;
    uint64_t *sums;
    uint8_t (*nodes)[NODE_SIZE]; /* by vertex: the class of a node whose children are that vertex' outputs */
    size_t weights_capacity;
    size_t sums_capacity;
    size_t nodes_capacity;
    uint8_t *root;
    uint32_t *removed;
    size_t root_capacity;
    size_t removed_capacity;
    struct fault fault;
    enum status status;
};

struct job {
    const struct forest *forest;
    const struct tdags *tdags;
    bool compress;
    struct paper_classes *paper;
    const uint32_t *items; /* T-DAGs - 1 */
    uint32_t *local;
    uint32_t *depths;
    struct worker *workers;
};

/* ---- the class of a node ---- */

static int compare_children(const void *a, const void *b)
{
    const struct children *x = a, *y = b;
    return memcmp(x->node, y->node, NODE_SIZE);
}

/* STATUS_LIMIT beyond the bound on all children of a graph. */
static enum status add_children(struct worker *worker, const uint8_t *node, uint64_t count)
{
    struct children children = {.count = count};
    if (count == 0)
        return STATUS_OK;
    if (node)
        memcpy(children.node, node, NODE_SIZE);
    if (++worker->looked_at > worker->most)
        return STATUS_LIMIT;
    return PUSH(worker->children, children) ? STATUS_OK : STATUS_NOMEM;
}

/* Of a node that reaches `size` nodes, itself among them, and has the children collected. */
static void name_node(struct worker *worker, uint64_t size, uint8_t node[NODE_SIZE])
{
    struct children *list = worker->children.at;
    size_t count = worker->children.count, kinds = 0;
    struct sha256_stream stream;
    uint8_t word[8];
    if (count > 1)
        qsort(list, count, sizeof *list, compare_children);
    for (size_t i = 0; i < count; i++) {
        if (kinds > 0 && memcmp(list[kinds - 1].node, list[i].node, NODE_SIZE) == 0)
            list[kinds - 1].count += list[i].count;
        else
            list[kinds++] = list[i];
    }
    sha256_begin(&stream);
    store_le64(word, size);
    sha256_add(&stream, word, sizeof word);
    for (size_t i = 0; i < kinds; i++) {
        sha256_add(&stream, list[i].node, NODE_SIZE);
        store_le64(word, list[i].count);
        sha256_add(&stream, word, sizeof word);
    }
    sha256_end(&stream, node);
    worker->children.count = 0;
}

/* The outputs of a transaction, or of several with the same parents. */
static enum status add_outputs(struct worker *worker, const struct canon_graph *graph, uint32_t v)
{
    enum status status = add_children(worker, NULL, quotient_leaves(graph->colour[v]));
    for (uint32_t a = graph->first[v]; status == STATUS_OK && a < graph->first[v + 1]; a++)
        status = add_children(worker, worker->nodes[graph->to[a]], graph->label[a]);
    return status;
}

static enum status name_vertex(struct worker *worker, const struct canon_graph *graph, uint32_t v)
{
    bool shared = quotient_is_shared(graph->colour[v]);
    enum status status = STATUS_OK;
    worker->children.count = 0;
    if (!shared)
        status = add_outputs(worker, graph, v);
    for (uint32_t a = graph->first[v]; shared && status == STATUS_OK && a < graph->first[v + 1]; a++)
        status = add_outputs(worker, graph, graph->to[a]);
    if (status == STATUS_OK)
        name_node(worker, worker->sums[v] + !shared, worker->nodes[v]);
    return status;
}

/* ---- one T-DAG ---- */

/* By vertex how many nodes it is. Returns the nodes of all, root nodes that are no vertices among them. */
static uint64_t weigh(struct worker *worker, const struct canon_graph *graph)
{
    uint64_t nodes = 0;
    for (uint32_t v = 0; v < graph->vertices; v++) {
        bool shared = quotient_is_shared(graph->colour[v]);
        worker->weights[v] = shared ? 1 : quotient_leaves(graph->colour[v]);
        for (uint32_t a = graph->first[v]; !shared && a < graph->first[v + 1]; a++)
            worker->weights[v] += quotient_is_shared(graph->colour[graph->to[a]]) ? 0 : graph->label[a];
        nodes += worker->weights[v] + (shared ? 0 : quotient_roots(graph->colour[v]));
    }
    return nodes;
}

/* The one root, or an artificial one above all of them. */
static enum status name_top(struct worker *worker, const struct canon_graph *graph, uint64_t nodes,
                            uint8_t top[NODE_SIZE])
{
    enum status status = STATUS_OK;
    uint64_t roots = 0;
    uint32_t last = 0;
    worker->children.count = 0;
    for (uint32_t v = 0; status == STATUS_OK && v < graph->vertices; v++) {
        uint64_t colour = graph->colour[v];
        uint32_t count = quotient_is_shared(colour) ? colour == QUOTIENT_SHARED_ROOT : quotient_roots(colour);
        status = add_children(worker, worker->nodes[v], count);
        roots += count;
        last = count > 0 ? v : last;
    }
    if (status == STATUS_OK && roots == 1)
        memcpy(top, worker->nodes[last], NODE_SIZE);
    else if (status == STATUS_OK)
        name_node(worker, nodes + 1, top);
    return status;
}

static enum status name_graph(struct worker *worker, const struct canon_graph *graph, struct paper_class *class)
{
    size_t vertices = graph->vertices;
    uint8_t top[NODE_SIZE];
    enum status status = mem_reserve(&worker->weights, &worker->weights_capacity, vertices, sizeof *worker->weights);
    if (status == STATUS_OK)
        status = mem_reserve(&worker->sums, &worker->sums_capacity, vertices, sizeof *worker->sums);
    if (status == STATUS_OK)
        status = mem_reserve(&worker->nodes, &worker->nodes_capacity, vertices, sizeof *worker->nodes);
    if (status != STATUS_OK)
        return status;
    worker->looked_at = 0;
    worker->most = CHILDREN_LEAST + CHILDREN_FACTOR * (graph->first[vertices] + (uint64_t)vertices);
    uint64_t nodes = weigh(worker, graph);
    status = reach_find(&worker->reach, graph, worker->weights, worker->sums);
    for (uint32_t i = graph->vertices; status == STATUS_OK && i-- > 0;)
        status = name_vertex(worker, graph, worker->reach.order[i]);
    if (status == STATUS_OK)
        status = name_top(worker, graph, nodes, top);
    if (status == STATUS_OK) {
        memcpy(class->id, top, CANON_ID_SIZE);
        class->known = true;
    }
    return status;
}

static enum status name_dag(const struct job *job, struct worker *worker, uint32_t d)
{
    uint32_t begin = job->tdags->first[d], count = job->tdags->first[d + 1] - begin;
    struct quotient_view view;
    struct tdag_row row;
    uint64_t removed = 0;
    enum status status = worker->quotient ? STATUS_OK : quotient_new(&worker->quotient, &worker->fault);
    if (status == STATUS_OK)
        status = mem_reserve(&worker->root, &worker->root_capacity, count, sizeof *worker->root);
    if (status == STATUS_OK)
        status = mem_reserve(&worker->removed, &worker->removed_capacity, count, sizeof *worker->removed);
    const struct dag dag = {
        .forest = job->forest,
        .rules = job->tdags->rules,
        .compress = job->compress,
        .members = job->tdags->members + begin,
        .count = count,
        .local = job->local,
        .depths = job->depths,
        .root = worker->root,
        .removed = worker->removed,
    };
    if (status == STATUS_OK)
        status = metrics_of(&worker->metrics, &dag, &row, &removed);
    if (status == STATUS_OK && row.vanished)
        return STATUS_OK;
    if (status == STATUS_OK)
        status = removed > 0 ? quotient_compressed(worker->quotient, &dag, &view)
                             : quotient_plain(worker->quotient, &dag, &view);
    if (status == STATUS_OK)
        status = name_graph(worker, &view.graph, &job->paper->tdags[d]);
    return status == STATUS_LIMIT ? STATUS_OK : status;
}

static void name_work(void *context, unsigned w, size_t i)
{
    const struct job *job = context;
    struct worker *worker = &job->workers[w];
    if (worker->status != STATUS_OK)
        return;
    worker->status = stop_check(&worker->fault);
    if (worker->status == STATUS_OK)
        worker->status = name_dag(job, worker, job->items[i]);
    if (worker->status == STATUS_NOMEM)
        worker->status = fault_nomem(&worker->fault);
    if (worker->status == STATUS_INTERRUPTED)
        worker->status = stop_check(&worker->fault);
}

static void worker_close(struct worker *worker)
{
    metrics_free(&worker->metrics);
    quotient_free(worker->quotient);
    reach_free(&worker->reach);
    mem_free(worker->children.at);
    mem_free(worker->weights);
    mem_free(worker->sums);
    mem_free(worker->nodes);
    mem_free(worker->root);
    mem_free(worker->removed);
}

static enum status run(struct job *job, size_t items, unsigned threads, struct fault *fault)
{
    job->workers = mem_alloc_apart(threads, sizeof *job->workers);
    if (!job->workers)
        return fault_nomem(fault);
    enum status status = parallel_for(threads, items, name_work, job, fault);
    for (unsigned w = 0; w < threads; w++) {
        if (status == STATUS_OK && job->workers[w].status != STATUS_OK) {
            status = job->workers[w].status;
            if (fault)
                *fault = job->workers[w].fault;
        }
        worker_close(&job->workers[w]);
    }
    mem_free(job->workers);
    return status;
}

/* ---- all of them ---- */

/* In order of the ids, to find the class of a T-DAG. */
struct class_by_id {
    const struct class_row *class;
    uint32_t number;
};

static int compare_ids(const void *a, const void *b)
{
    const struct class_by_id *x = a, *y = b;
    return memcmp(x->class->class_id, y->class->class_id, CANON_ID_SIZE);
}

/* Its id is among them. */
static uint32_t class_of(const struct class_by_id *by_id, uint32_t count, const uint8_t *id)
{
    return by_id[LOWER_BOUND(i, 0, count, memcmp(by_id[i].class->class_id, id, CANON_ID_SIZE) < 0)].number;
}

/* The T-DAGs of an exact class have what its first one has. */
static enum status spread(const struct classes *classes, struct paper_classes *paper, struct fault *fault)
{
    uint32_t count = classes->classes_count;
    struct class_by_id *by_id = mem_alloc(count, sizeof *by_id);
    if (!by_id)
        return fault_nomem(fault);
    for (uint32_t i = 0; i < count; i++) {
        const struct class_row *class = &classes->classes[i];
        by_id[i] = (struct class_by_id){class, i};
        if (class->exact)
            paper->classes[i] = paper->tdags[class->first_dag - 1];
    }
    if (count > 0)
        qsort(by_id, count, sizeof *by_id, compare_ids);
    for (uint32_t d = 0; d < classes->rows_count; d++) {
        const struct tdag_row *row = &classes->rows[d];
        if (row->vanished)
            continue;
        if (row->class_exact)
            paper->tdags[d] = paper->classes[class_of(by_id, count, row->class_id)];
        paper->open += !paper->tdags[d].known;
    }
    mem_free(by_id);
    return STATUS_OK;
}

/* An id, and the class that has it; PAPER_NONE for one of a T-DAG of a class that is not exact. */
struct named {
    const uint8_t *id;
    uint32_t class;
};

static int compare_named(const void *a, const void *b)
{
    const struct named *x = a, *y = b;
    int ids = memcmp(x->id, y->id, CANON_ID_SIZE);
    return ids ? ids : (x->class > y->class) - (x->class < y->class);
}

static void link_equal(const struct named *named, size_t count, struct paper_classes *paper)
{
    for (size_t i = 0, begin = 0; i < count; i++) {
        bool again = i > 0 && memcmp(named[i - 1].id, named[i].id, CANON_ID_SIZE) == 0;
        begin = again ? begin : i;
        paper->count += !again;
        if (named[i].class == PAPER_NONE)
            continue;
        paper->first[named[i].class] = named[begin].class;
        if (again)
            paper->next[named[i - 1].class] = named[i].class;
    }
}

static enum status find_equal(const struct classes *classes, struct paper_classes *paper, struct fault *fault)
{
    ARRAY(struct named) named = {0};
    bool room = true;
    for (uint32_t i = 0; i < paper->classes_count; i++) {
        paper->first[i] = i;
        paper->next[i] = PAPER_NONE;
        if (paper->classes[i].known)
            room = room && PUSH(named, ((struct named){paper->classes[i].id, i}));
    }
    for (uint32_t d = 0; d < classes->rows_count; d++)
        if (!classes->rows[d].vanished && !classes->rows[d].class_exact && paper->tdags[d].known)
            room = room && PUSH(named, ((struct named){paper->tdags[d].id, PAPER_NONE}));
    if (room && named.count > 0) {
        qsort(named.at, named.count, sizeof *named.at, compare_named);
        link_equal(named.at, named.count, paper);
    }
    mem_free(named.at);
    return room ? STATUS_OK : fault_nomem(fault);
}

enum status paper_classes_find(const struct forest *forest, const struct tdags *tdags, const struct classes *classes,
                               bool compress, unsigned threads, struct paper_classes *paper, struct fault *fault)
{
    struct job job = {.forest = forest, .tdags = tdags, .compress = compress, .paper = paper};
    ARRAY(uint32_t) items = {0};
    bool room = true;
    *paper = (struct paper_classes){
        .tdags = mem_alloc(tdags->count, sizeof *paper->tdags),
        .classes = mem_alloc(classes->classes_count, sizeof *paper->classes),
        .first = mem_alloc(classes->classes_count, sizeof *paper->first),
        .next = mem_alloc(classes->classes_count, sizeof *paper->next),
        .classes_count = classes->classes_count,
    };
    job.local = mem_alloc_large(forest->txs_count, sizeof *job.local);
    job.depths = mem_alloc_large(forest->txs_count, sizeof *job.depths);
    for (uint32_t i = 0; i < classes->classes_count; i++)
        if (classes->classes[i].exact)
            room = room && PUSH(items, classes->classes[i].first_dag - 1);
    for (uint32_t d = 0; d < classes->rows_count; d++)
        if (!classes->rows[d].vanished && !classes->rows[d].class_exact)
            room = room && PUSH(items, d);
    job.items = items.at;
    enum status status = STATUS_OK;
    if (!room || !paper->tdags || !paper->classes || !paper->first || !paper->next || !job.local || !job.depths)
        status = fault_nomem(fault);
    if (status == STATUS_OK)
        status = run(&job, items.count, threads, fault);
    if (status == STATUS_OK)
        status = spread(classes, paper, fault);
    if (status == STATUS_OK)
        status = find_equal(classes, paper, fault);
    mem_free(job.local);
    mem_free(job.depths);
    mem_free(items.at);
    if (status != STATUS_OK)
        paper_classes_free(paper);
    return status;
}

uint32_t paper_classes_merging(const struct paper_classes *paper)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < paper->classes_count; i++)
        count += paper->first[i] == i && paper->next[i] != PAPER_NONE;
    return count;
}

void paper_classes_free(struct paper_classes *paper)
{
    mem_free(paper->tdags);
    mem_free(paper->classes);
    mem_free(paper->first);
    mem_free(paper->next);
    *paper = (struct paper_classes){0};
}
