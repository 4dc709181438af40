#include "classify/family.h"

#include <stdbool.h>
#include <stddef.h>

#include "parser/mem.h"

/* One buffer of numbers, cut into the arrays that a graph needs: in-degrees, and for the two last rules a reverse
 * adjacency and some marks. */
struct family_scratch {
    uint32_t *words;
    size_t capacity;
};

const char *family_name(enum family family)
{
    static const char *const names[FAMILIES] = {
        "chain",    "fan-out",        "fan-in",    "peeling-chain",   "out-tree", "in-tree", "gather-scatter",
        "polytree", "scatter-gather", "bipartite", "series-parallel", "stack",    "general",
    };
    return names[family];
}

enum status family_scratch_new(struct family_scratch **scratch, struct fault *fault)
{
    *scratch = mem_alloc(1, sizeof **scratch);
    return *scratch ? STATUS_OK : fault_nomem(fault);
}

void family_scratch_free(struct family_scratch *scratch)
{
    if (!scratch)
        return;
    mem_free(scratch->words);
    mem_free(scratch);
}

/* What one pass over the degrees tells. */
struct degrees {
    const uint32_t *in;
    uint32_t arcs;
    uint32_t sources;
    uint32_t sinks;
    uint32_t max_in;
    uint32_t max_out;
    uint32_t passing; /* vertices with a predecessor and a successor */
    uint32_t middles; /* with at least two of each */
    bool thin;        /* every passing vertex has one predecessor and one successor */
};

static uint32_t out_degree(const struct family_graph *graph, uint32_t v)
{
    return graph->first[v + 1] - graph->first[v];
}

static struct degrees degrees_of(const struct family_graph *graph, uint32_t *in)
{
    uint32_t n = graph->vertices;
    struct degrees d = {.in = in, .arcs = graph->first[n], .thin = true};
    for (uint32_t v = 0; v < n; v++)
        in[v] = 0;
    for (uint32_t a = 0; a < d.arcs; a++)
        in[graph->to[a]]++;
    for (uint32_t v = 0; v < n; v++) {
        uint32_t out = out_degree(graph, v);
        d.sources += in[v] == 0;
        d.sinks += out == 0;
        d.max_in = in[v] > d.max_in ? in[v] : d.max_in;
        d.max_out = out > d.max_out ? out : d.max_out;
        if (in[v] > 0 && out > 0) {
            d.passing++;
            d.middles += in[v] >= 2 && out >= 2;
            d.thin = d.thin && in[v] == 1 && out == 1;
        }
    }
    return d;
}

/* Of an out-tree: the vertices with a successor are a subtree with the source in it, so they form one path exactly when
 * none of them has two successors of that sort. */
static bool is_caterpillar(const struct family_graph *graph)
{
    for (uint32_t v = 0; v < graph->vertices; v++) {
        uint32_t inner = 0;
        for (uint32_t a = graph->first[v]; a < graph->first[v + 1]; a++)
            inner += out_degree(graph, graph->to[a]) > 0;
        if (inner > 1)
            return false;
    }
    return true;
}

/* The rules for graphs whose underlying graph is a tree: connected, and one arc less than vertices. */
static enum family family_of_tree(const struct family_graph *graph, const struct degrees *d)
{
    uint32_t others = graph->vertices - 1;
    if (d->max_in <= 1 && d->max_out <= 1)
        return FAMILY_CHAIN;
    if (d->max_out == others)
        return FAMILY_FAN_OUT;
    if (d->max_in == others)
        return FAMILY_FAN_IN;
    if (d->max_in <= 1)
        return is_caterpillar(graph) ? FAMILY_PEELING_CHAIN : FAMILY_OUT_TREE;
    if (d->max_out <= 1)
        return FAMILY_IN_TREE;
    /* In a tree, a middle whose arcs are all the arcs there are touches every other vertex: no other passes. */
    if (d->passing == 1 && d->middles == 1 && d->max_in + d->max_out == others)
        return FAMILY_GATHER_SCATTER;
    return FAMILY_POLYTREE;
}

/* With one source and one sink, and one predecessor and one successor for all between: as many disjoint paths from the
 * source to the sink as the source has successors, and each has one vertex between exactly when those successors
 * are all the vertices between. */
static bool is_scatter_gather(const struct family_graph *graph, const struct degrees *d)
{
    uint32_t n = graph->vertices;
    if (d->sources != 1 || d->sinks != 1 || !d->thin || d->passing < 2 || out_degree(graph, 0) != n - 2)
        return false;
    for (uint32_t a = graph->first[0]; a < graph->first[1]; a++)
        if (graph->to[a] == n - 1)
            return false;
    return true;
}

/* Series and parallel steps in one pass over the vertices in topological order (the steps may be taken in any order:
 * Valdes, Tarjan and Lawler, "The recognition of series parallel digraphs", 1982). At v, each arc u -> v whose tail has
 * become a mere link (one predecessor, one successor) is pulled up to that predecessor, and two arcs from one tail
 * become one. A tail can turn into a link only by the second, and its one arc left then goes to v: so nothing but
 * the arcs into v has to be looked at, and every step removes a vertex or an arc for good: O(vertices + arcs). */
static bool is_series_parallel(const struct family_graph *graph, const struct degrees *d, uint32_t *words)
{
    uint32_t n = graph->vertices;
    if (d->sources != 1 || d->sinks != 1)
        return false;
    uint32_t *tails_end = words, *tails = words + n, *in = tails + d->arcs, *out = in + n, *tail = out + n,
             *seen = tail + n;
    uint32_t sum = 0;
    for (uint32_t v = 0; v < n; v++) {
        tails_end[v] = sum;
        sum += d->in[v];
        out[v] = out_degree(graph, v);
        seen[v] = 0;
    }
    for (uint32_t v = 0; v < n; v++)
        for (uint32_t a = graph->first[v]; a < graph->first[v + 1]; a++)
            tails[tails_end[graph->to[a]]++] = v;
    in[0] = tail[0] = 0;
    for (uint32_t v = 1, a = 0; v < n; v++) {
        in[v] = tail[v] = 0;
        for (; a < tails_end[v]; a++) {
            for (uint32_t u = tails[a];;) {
                if (in[u] == 1 && out[u] == 1) {
                    if (seen[u] == v) {
                        in[v]--;
                        tail[v] ^= u;
                    }
                    u = tail[u];
                } else if (seen[u] == v) {
                    out[u]--;
                    if (in[u] != 1 || out[u] != 1)
                        break;
                } else {
                    seen[u] = v;
                    in[v]++;
                    tail[v] ^= u; /* the exclusive or of all tails is the tail where there is only one */
                    break;
                }
            }
        }
    }
    return in[n - 1] == 1 && tail[n - 1] == 0;
}

/* layer = longest path from a source, which the topological order gives in one pass. */
static bool is_stack(const struct family_graph *graph, uint32_t *layer)
{
    uint32_t n = graph->vertices;
    for (uint32_t v = 0; v < n; v++)
        layer[v] = 0;
    for (uint32_t v = 0; v < n; v++)
        for (uint32_t a = graph->first[v]; a < graph->first[v + 1]; a++)
            if (layer[graph->to[a]] <= layer[v])
                layer[graph->to[a]] = layer[v] + 1;
    for (uint32_t v = 0; v < n; v++)
        for (uint32_t a = graph->first[v]; a < graph->first[v + 1]; a++)
            if (layer[graph->to[a]] != layer[v] + 1)
                return false;
    return true;
}

enum status family_of(struct family_scratch *scratch, const struct family_graph *graph, enum family *family)
{
    size_t n = graph->vertices;
    enum status status = mem_reserve(&scratch->words, &scratch->capacity, 6 * n + graph->first[n],
                                     sizeof *scratch->words);
    if (status != STATUS_OK)
        return status;
    struct degrees d = degrees_of(graph, scratch->words);
    uint32_t *words = scratch->words + n;
    if (d.arcs == n - 1)
        *family = family_of_tree(graph, &d);
    else if (is_scatter_gather(graph, &d))
        *family = FAMILY_SCATTER_GATHER;
    else if (d.passing == 0)
        *family = FAMILY_BIPARTITE;
    else if (is_series_parallel(graph, &d, words))
        *family = FAMILY_SERIES_PARALLEL;
    else if (is_stack(graph, words))
        *family = FAMILY_STACK;
    else
        *family = FAMILY_GENERAL;
    return STATUS_OK;
}
