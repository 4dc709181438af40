#define _GNU_SOURCE /* qsort_r */
#include "classify/quotient.h"

#include <stdlib.h>
#include <string.h>

#include "parser/log10.h"
#include "parser/mem.h"

#define NONE UINT32_MAX

struct words {
    uint32_t *at;
    size_t capacity;
};

struct csr {
    struct words first;
    struct words to;
    struct words label;
};

struct quotient {
    uint64_t *colour;
    size_t colour_capacity;
    struct csr graph;
    struct csr family;
    struct words position; /* of the arc from the vertex that is being written to another vertex */
    /* compression only */
    struct words set_first; /* by position: where its parents begin in `parents` */
    struct words set_size;  /* by position: how many */
    struct words parents;
    size_t parents_count;
    size_t work;
    struct words seen;    /* by node: the last transaction that has taken it in */
    struct words creator; /* by node: the position of the transaction that creates it; NONE: a root node */
    struct words order;   /* positions by depth and parents */
    struct words vertex;  /* by position: its vertex */
    struct words uses;    /* by node: of how many vertices it is a parent */
    struct words shared;  /* by node: its own vertex; NONE */
    struct words from;    /* arcs before they are sorted */
    struct words to;
    size_t arcs;
};

static enum status reserve(struct words *words, size_t count)
{
    return mem_reserve(&words->at, &words->capacity, count, sizeof *words->at);
}

enum status quotient_new(struct quotient **quotient, struct fault *fault)
{
    *quotient = mem_alloc(1, sizeof **quotient);
    return *quotient ? STATUS_OK : fault_nomem(fault);
}

static void csr_free(struct csr *csr)
{
    mem_free(csr->first.at);
    mem_free(csr->to.at);
    mem_free(csr->label.at);
}

void quotient_free(struct quotient *quotient)
{
    if (!quotient)
        return;
    struct words *all[] = {
        &quotient->position, &quotient->set_first, &quotient->set_size, &quotient->parents,
        &quotient->seen,     &quotient->creator,   &quotient->order,    &quotient->vertex,
        &quotient->uses,     &quotient->shared,    &quotient->from,     &quotient->to,
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        mem_free(all[i]->at);
    csr_free(&quotient->graph);
    csr_free(&quotient->family);
    mem_free(quotient->colour);
    mem_free(quotient);
}

void quotient_let_go(struct quotient *quotient)
{
    mem_free(quotient->position.at);
    quotient->position = (struct words){0};
}

static uint64_t colour_of(uint32_t leaves, uint32_t roots) { return (uint64_t)leaves << 32 | roots; }

/* ---- without compression ---- */

static enum status reserve_graph(struct quotient *quotient, struct csr *csr, size_t vertices, size_t arcs)
{
    enum status status = reserve(&csr->first, vertices + 2);
    if (status == STATUS_OK)
        status = reserve(&csr->to, arcs);
    if (status == STATUS_OK)
        status = reserve(&csr->label, arcs);
    if (status == STATUS_OK)
        status = reserve(&quotient->position, vertices);
    if (status == STATUS_OK)
        status = mem_reserve(&quotient->colour, &quotient->colour_capacity, vertices, sizeof *quotient->colour);
    return status;
}

/* Adds the arc v -> w, or one to its label. position[w] was set since v began exactly if it is not below first[v]. */
static uint32_t add_arc(struct csr *csr, uint32_t *position, uint32_t v, uint32_t w, uint32_t arcs)
{
    if (position[w] != NONE && position[w] >= csr->first.at[v]) {
        csr->label.at[position[w]]++;
        return arcs;
    }
    position[w] = arcs;
    csr->to.at[arcs] = w;
    csr->label.at[arcs] = 1;
    return arcs + 1;
}

static double swaps_of(const struct quotient *quotient, const struct csr *csr, uint32_t vertices)
{
    double sum = 0;
    for (uint32_t v = 0; v < vertices; v++)
        if (!quotient_is_shared(quotient->colour[v]))
            sum += log10_of_factorial(quotient_leaves(quotient->colour[v])) +
                   log10_of_factorial(quotient_roots(quotient->colour[v]));
    for (uint32_t a = 0; a < csr->first.at[vertices]; a++)
        sum += log10_of_factorial(csr->label.at[a]);
    return sum;
}

static void show(struct quotient *quotient, uint32_t vertices, struct quotient_view *view)
{
    const struct csr *csr = &quotient->graph;
    view->graph = (struct canon_graph){vertices, quotient->colour, csr->first.at, csr->to.at, csr->label.at};
    view->family = (struct family_graph){vertices, csr->first.at, csr->to.at};
    view->swaps_log10 = swaps_of(quotient, csr, vertices);
}

enum status quotient_plain(struct quotient *quotient, const struct dag *dag, struct quotient_view *view)
{
    const struct forest *forest = dag->forest;
    struct csr *csr = &quotient->graph;
    size_t most_arcs = 0;
    for (uint32_t i = 0; i < dag->count; i++)
        most_arcs += forest->txs[dag->members[i] + 1].first_output - forest->txs[dag->members[i]].first_output;
    enum status status = reserve_graph(quotient, csr, dag->count, most_arcs);
    if (status != STATUS_OK)
        return status;
    memset(quotient->position.at, 0xff, dag->count * sizeof *quotient->position.at);
    uint32_t arcs = 0;
    for (uint32_t i = 0; i < dag->count; i++) {
        const struct forest_tx *tx = &forest->txs[dag->members[i]];
        uint32_t leaves = tx->outputs;
        csr->first.at[i] = arcs;
        for (uint32_t o = tx->first_output; o < tx[1].first_output; o++) {
            if (!forest_is_arc(&forest->outputs[o], dag->rules))
                continue;
            arcs = add_arc(csr, quotient->position.at, i, dag->local[forest->outputs[o].spender], arcs);
            leaves--;
        }
        quotient->colour[i] = colour_of(leaves, dag->root[i]);
    }
    csr->first.at[dag->count] = arcs;
    show(quotient, dag->count, view);
    return STATUS_OK;
}

/* ---- with compression ----
 *
 * Nodes here: i < count is the root node of the transaction at position i; count + e is the output spent by the e-th
 * arc, arcs in order of their spenders. The parents of a transaction's outputs: its root node, what it spends of the
 * outputs that are kept, and for each removed one the parents of that one. */

static int compare_words(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static enum status take_in(struct quotient *quotient, uint32_t position, uint32_t node)
{
    if (++quotient->work > QUOTIENT_WORK_MAX)
        return STATUS_LIMIT;
    if (quotient->seen.at[node] == position)
        return STATUS_OK;
    if (quotient->parents_count == QUOTIENT_PARENTS_MAX)
        return STATUS_LIMIT;
    enum status status = reserve(&quotient->parents, quotient->parents_count + 1);
    if (status != STATUS_OK)
        return status;
    quotient->seen.at[node] = position;
    quotient->parents.at[quotient->parents_count++] = node;
    return STATUS_OK;
}

/* True if all that transaction `position` spends is removed and has the same set of parents: then that is its set too,
 * and long runs of removed outputs cost no copies. */
static bool inherits(const struct quotient *quotient, const struct dag *dag, uint32_t position, uint32_t *from)
{
    const struct forest *forest = dag->forest;
    const struct forest_tx *tx = &forest->txs[dag->members[position]];
    *from = NONE;
    if (dag->root[position])
        return false;
    for (uint32_t s = tx->first_spend; s < tx[1].first_spend; s++) {
        const struct forest_output *spent = &forest->outputs[forest->spends[s]];
        if (!forest_is_arc(spent, dag->rules))
            continue;
        uint32_t creator = dag->local[spent->tx];
        if (!dag_removes(dag, spent) ||
            (*from != NONE && quotient->set_first.at[*from] != quotient->set_first.at[creator]))
            return false;
        *from = creator;
    }
    return *from != NONE;
}

static enum status collect_parents(struct quotient *quotient, const struct dag *dag, uint32_t position, uint32_t *node)
{
    const struct forest *forest = dag->forest;
    const struct forest_tx *tx = &forest->txs[dag->members[position]];
    size_t first = quotient->parents_count;
    uint32_t from;
    bool inherited = inherits(quotient, dag, position, &from);
    enum status status = STATUS_OK;
    if (dag->root[position])
        status = take_in(quotient, position, position);
    for (uint32_t s = tx->first_spend; status == STATUS_OK && s < tx[1].first_spend; s++) {
        const struct forest_output *spent = &forest->outputs[forest->spends[s]];
        if (!forest_is_arc(spent, dag->rules))
            continue;
        uint32_t creator = dag->local[spent->tx];
        quotient->creator.at[*node] = creator;
        if (!dag_removes(dag, spent))
            status = take_in(quotient, position, *node);
        else
            for (uint32_t p = 0; !inherited && status == STATUS_OK && p < quotient->set_size.at[creator]; p++)
                status = take_in(quotient, position, quotient->parents.at[quotient->set_first.at[creator] + p]);
        ++*node;
    }
    size_t size = quotient->parents_count - first;
    quotient->set_first.at[position] = inherited ? quotient->set_first.at[from] : (uint32_t)first;
    quotient->set_size.at[position] = inherited ? quotient->set_size.at[from] : (uint32_t)size;
    if (size > 1)
        qsort(quotient->parents.at + first, size, sizeof *quotient->parents.at, compare_words);
    return status;
}

struct order {
    const struct quotient *quotient;
    const struct dag *dag;
};

static int compare_parents(const struct quotient *quotient, uint32_t x, uint32_t y)
{
    uint32_t x_size = quotient->set_size.at[x], y_size = quotient->set_size.at[y];
    if (x_size != y_size)
        return x_size < y_size ? -1 : 1;
    if (quotient->set_first.at[x] == quotient->set_first.at[y])
        return 0;
    return memcmp(quotient->parents.at + quotient->set_first.at[x], quotient->parents.at + quotient->set_first.at[y],
                  x_size * sizeof *quotient->parents.at);
}

/* By depth, which puts creators before spenders; then equal parents next to each other; then in chain order. */
static int compare_positions(const void *a, const void *b, void *context)
{
    const struct order *order = context;
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    uint32_t x_depth = order->dag->depths[order->dag->members[x]], y_depth = order->dag->depths[order->dag->members[y]];
    if (x_depth != y_depth)
        return x_depth < y_depth ? -1 : 1;
    int parents = compare_parents(order->quotient, x, y);
    return parents ? parents : (x > y) - (x < y);
}

/* What is built in one run of quotient_compressed. */
struct build {
    struct quotient *quotient;
    const struct dag *dag;
    uint32_t nodes;    /* roots' positions and arcs */
    uint32_t ordered;  /* transactions with an output left */
    uint32_t roots;    /* shared roots: vertices 0 .. roots - 1 */
    uint32_t bundles;  /* transactions with equal parents: the next vertices */
    uint32_t vertices; /* shared outputs: the rest */
};

static uint32_t outputs_left(const struct dag *dag, uint32_t position)
{
    return dag->forest->txs[dag->members[position]].outputs - dag->removed[position];
}

static enum status find_parents(struct build *build)
{
    struct quotient *quotient = build->quotient;
    const struct dag *dag = build->dag;
    uint64_t nodes = dag->count;
    for (uint32_t i = 0; i < dag->count; i++)
        nodes += forest_unknown_inputs(dag->forest, dag->members[i], dag->rules);
    if (nodes >= NONE)
        return STATUS_LIMIT;
    build->nodes = (uint32_t)nodes;
    struct words *by_position[] = {&quotient->set_first, &quotient->set_size, &quotient->order, &quotient->vertex};
    struct words *by_node[] = {&quotient->seen, &quotient->creator, &quotient->uses, &quotient->shared};
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < 4; i++) {
        status = reserve(by_position[i], dag->count);
        if (status == STATUS_OK)
            status = reserve(by_node[i], build->nodes);
    }
    if (status != STATUS_OK)
        return status;
    memset(quotient->seen.at, 0xff, build->nodes * sizeof *quotient->seen.at);
    quotient->parents_count = quotient->work = 0;
    uint32_t node = dag->count;
    for (uint32_t i = 0; status == STATUS_OK && i < dag->count; i++)
        status = collect_parents(quotient, dag, i, &node);
    return status;
}

static void find_vertices(struct build *build)
{
    struct quotient *quotient = build->quotient;
    const struct dag *dag = build->dag;
    uint32_t *order = quotient->order.at, *uses = quotient->uses.at;
    for (uint32_t i = 0; i < dag->count; i++) {
        quotient->vertex.at[i] = NONE;
        if (outputs_left(dag, i) > 0)
            order[build->ordered++] = i;
    }
    qsort_r(order, build->ordered, sizeof *order, compare_positions, &(struct order){quotient, dag});
    memset(uses, 0, build->nodes * sizeof *uses);
    for (uint32_t i = 0; i < build->ordered; i++) {
        uint32_t position = order[i];
        if (i == 0 || compare_parents(quotient, order[i - 1], position) != 0) {
            build->bundles++;
            for (uint32_t p = 0; p < quotient->set_size.at[position]; p++)
                uses[quotient->parents.at[quotient->set_first.at[position] + p]]++;
        }
        quotient->vertex.at[position] = build->bundles - 1;
    }
    for (uint32_t x = 0; x < dag->count; x++)
        if (uses[x] > 1)
            quotient->shared.at[x] = build->roots++;
    for (uint32_t i = 0; i < build->ordered; i++)
        quotient->vertex.at[order[i]] += build->roots;
    build->vertices = build->roots + build->bundles;
    for (uint32_t x = dag->count; x < build->nodes; x++)
        if (uses[x] > 1)
            quotient->shared.at[x] = build->vertices++;
}

static void append_arc(struct quotient *quotient, uint32_t from, uint32_t to)
{
    quotient->from.at[quotient->arcs] = from;
    quotient->to.at[quotient->arcs++] = to;
}

/* Sorts the noted arcs by tail (counting sort; filling moves every first[v + 1] to where it belongs) and merges equal
 * ones. */
static enum status sort_arcs(struct quotient *quotient, struct csr *csr, uint32_t vertices)
{
    enum status status = reserve_graph(quotient, csr, vertices, quotient->arcs);
    if (status != STATUS_OK)
        return status;
    uint32_t *first = csr->first.at, arcs = 0, begin = 0;
    memset(first, 0, ((size_t)vertices + 2) * sizeof *first);
    memset(quotient->position.at, 0xff, vertices * sizeof *quotient->position.at);
    for (size_t a = 0; a < quotient->arcs; a++)
        first[quotient->from.at[a] + 2]++;
    for (uint32_t v = 1; v <= vertices; v++)
        first[v + 1] += first[v];
    for (size_t a = 0; a < quotient->arcs; a++)
        csr->to.at[first[quotient->from.at[a] + 1]++] = quotient->to.at[a];
    for (uint32_t v = 0; v < vertices; v++) {
        uint32_t end = first[v + 1];
        first[v] = arcs;
        for (uint32_t a = begin; a < end; a++)
            arcs = add_arc(csr, quotient->position.at, v, csr->to.at[a], arcs);
        begin = end;
    }
    first[vertices] = arcs;
    return STATUS_OK;
}

/* The parents of a vertex, from the first transaction of each bundle. */
static const uint32_t *parents_of(const struct build *build, uint32_t i, uint32_t *vertex, uint32_t *size)
{
    const struct quotient *quotient = build->quotient;
    uint32_t position = quotient->order.at[i];
    *vertex = quotient->vertex.at[position];
    bool again = i > 0 && quotient->vertex.at[quotient->order.at[i - 1]] == *vertex;
    *size = again ? 0 : quotient->set_size.at[position];
    return quotient->parents.at + quotient->set_first.at[position];
}

/* An arc to each bundle from what creates its parents. A parent that is shared is a vertex itself: with `via_shared`
 * the arc comes from there; else only from shared root nodes, and from the vertex that creates any other one. */
static void add_arcs_of_bundles(struct build *build, bool via_shared)
{
    struct quotient *quotient = build->quotient;
    uint32_t roots = build->dag->count;
    for (uint32_t i = 0; i < build->ordered; i++) {
        uint32_t v, size;
        const uint32_t *parents = parents_of(build, i, &v, &size);
        for (uint32_t p = 0; p < size; p++) {
            uint32_t parent = parents[p];
            if (quotient->uses.at[parent] > 1 && (via_shared || parent < roots))
                append_arc(quotient, quotient->shared.at[parent], v);
            else if (parent >= roots)
                append_arc(quotient, quotient->vertex.at[quotient->creator.at[parent]], v);
        }
    }
}

static enum status build_graph(struct build *build)
{
    struct quotient *quotient = build->quotient;
    quotient->arcs = 0;
    add_arcs_of_bundles(build, true);
    for (uint32_t x = build->dag->count; x < build->nodes; x++)
        if (quotient->uses.at[x] > 1)
            append_arc(quotient, quotient->vertex.at[quotient->creator.at[x]], quotient->shared.at[x]);
    return sort_arcs(quotient, &quotient->graph, build->vertices);
}

/* Arcs between bundles, whether the outputs between them are shared or not. */
static enum status build_family(struct build *build)
{
    build->quotient->arcs = 0;
    add_arcs_of_bundles(build, false);
    return sort_arcs(build->quotient, &build->quotient->family, build->roots + build->bundles);
}

static enum status colour_vertices(struct build *build)
{
    struct quotient *quotient = build->quotient;
    const struct dag *dag = build->dag;
    const struct forest *forest = dag->forest;
    uint32_t bundles_end = build->roots + build->bundles;
    for (uint32_t v = 0; v < build->vertices; v++)
        quotient->colour[v] = v < build->roots ? QUOTIENT_SHARED_ROOT : v < bundles_end ? 0 : QUOTIENT_SHARED_OUTPUT;
    for (uint32_t i = 0; i < build->ordered; i++) {
        uint32_t position = quotient->order.at[i], v, size, leaves = forest->txs[dag->members[position]].outputs;
        const struct forest_tx *tx = &forest->txs[dag->members[position]];
        const uint32_t *parents = parents_of(build, i, &v, &size);
        uint64_t *colour = &quotient->colour[v];
        for (uint32_t p = 0; p < size; p++)
            *colour += parents[p] < dag->count && quotient->uses.at[parents[p]] == 1;
        for (uint32_t o = tx->first_output; o < tx[1].first_output; o++)
            leaves -= forest_is_arc(&forest->outputs[o], dag->rules);
        if (leaves > UINT32_MAX - quotient_leaves(*colour) - 1)
            return STATUS_LIMIT;
        *colour += colour_of(leaves, 0);
    }
    return STATUS_OK;
}

enum status quotient_compressed(struct quotient *quotient, const struct dag *dag, struct quotient_view *view)
{
    struct build build = {.quotient = quotient, .dag = dag};
    enum status status = find_parents(&build);
    if (status != STATUS_OK)
        return status;
    find_vertices(&build);
    /* A parent appears once for each set, and once more as the head of an arc if it is shared. */
    size_t most_arcs = quotient->parents_count + build.nodes;
    status = reserve(&quotient->from, most_arcs);
    if (status == STATUS_OK)
        status = reserve(&quotient->to, most_arcs);
    if (status == STATUS_OK)
        status = build_family(&build);
    if (status == STATUS_OK)
        status = build_graph(&build);
    if (status == STATUS_OK)
        status = colour_vertices(&build);
    if (status != STATUS_OK)
        return status;
    show(quotient, build.vertices, view);
    view->family = (struct family_graph){build.roots + build.bundles, quotient->family.first.at,
                                         quotient->family.to.at};
    view->txs = build.bundles;
    view->edges = 0;
    for (uint32_t i = 0; i < dag->count; i++)
        view->edges += (uint64_t)outputs_left(dag, i) * quotient->set_size.at[i];
    return STATUS_OK;
}
