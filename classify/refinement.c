/* Colour refinement in the manner of Hopcroft: a cell that has split is a splitter to come, and of the parts of a cell
 * that is not waiting to be one, the largest need not be (Cardon, Crochemore, Partitioning a graph in O(|A| log |V|),
 * 1982; Berkholz, Bonsma, Grohe, Tight lower and upper bounds for the complexity of canonical colour refinement, 2017).
 * Every choice on the way depends on colours, sizes and counts only, never on numbers of vertices. */
#include "classify/refinement.h"

#include <string.h>

#include "parser/mem.h"
#include "parser/sort.h"
#include "parser/stop.h"

/* Cells of the queue, see ask_ahead. */
#define AHEAD 8u

/* ---- memory ---- */

/* Room for a graph of this size. Between graphs, `count`, `queued` and `touched_count` are all zero. */
static bool reserve(struct refinement *r, size_t vertices, size_t arcs)
{
    if (vertices > r->vertex_capacity) {
        uint32_t **words[] = {&r->order, &r->size,          &r->position, &r->cell,    &r->queue,
                              &r->count, &r->touched_count, &r->touched,  &r->in_first};
        size_t capacity = refinement_room(vertices);
        r->vertex_capacity = 0;
        for (size_t i = 0; i < sizeof words / sizeof *words; i++)
            if (!mem_renew(words[i], capacity + 1, sizeof **words))
                return false;
        if (!mem_renew(&r->queued, capacity, 1))
            return false;
        r->vertex_capacity = capacity;
    }
    if (arcs > r->arc_capacity) {
        size_t capacity = refinement_room(arcs);
        r->arc_capacity = 0;
        if (!mem_renew(&r->in_from, capacity, sizeof *r->in_from) ||
            !mem_renew(&r->in_label, capacity, sizeof *r->in_label) || !mem_renew(&r->arcs, capacity, sizeof *r->arcs))
            return false;
        r->arc_capacity = capacity;
    }
    size_t items = arcs > vertices ? arcs : vertices;
    if (items > r->item_capacity) {
        size_t capacity = refinement_room(items);
        r->item_capacity = 0;
        if (!mem_renew(&r->items, capacity, sizeof *r->items) ||
            !mem_renew(&r->items_spare, capacity, sizeof *r->items))
            return false;
        r->item_capacity = capacity;
    }
    return true;
}

void refinement_free(struct refinement *r)
{
    void *blocks[] = {r->order,   r->size,     r->position, r->cell,          r->arcs,
                      r->queue,   r->count,    r->touched,  r->touched_count, r->in_first,
                      r->in_from, r->in_label, r->items,    r->items_spare,   r->queued};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        mem_free(blocks[i]);
    *r = (struct refinement){0};
}

/* Sorts the first `count` of r->items by key. */
static void sort_items(struct refinement *r, size_t count)
{
    struct refinement_item *sorted = sort_by_key(r->items, r->items_spare, count, sizeof *sorted);
    if (sorted != r->items) {
        r->items_spare = r->items;
        r->items = sorted;
    }
}

/* ---- the cells ---- */

static void enqueue(struct refinement *r, uint32_t cell)
{
    if (r->queued[cell])
        return;
    r->queued[cell] = 1;
    uint32_t at = r->queue_head + r->queue_length++;
    r->queue[at < r->graph->vertices ? at : at - r->graph->vertices] = cell;
}

static uint32_t dequeue(struct refinement *r)
{
    uint32_t cell = r->queue[r->queue_head];
    r->queue_head = r->queue_head + 1 < r->graph->vertices ? r->queue_head + 1 : 0;
    r->queue_length--;
    r->queued[cell] = 0;
    return cell;
}

/* What a cell that waits at `ahead` in the queue needs; it may be split before, so this is a guess. */
static inline uint32_t queued_vertex(const struct refinement *r, uint32_t ahead)
{
    uint32_t at = r->queue_head + ahead;
    return r->order[r->queue[at < r->graph->vertices ? at : at - r->graph->vertices]];
}

/* Of a large graph nearly every step waits for memory: a cell, its vertex, the arcs of that, and the cells of what they
 * lead to, one after the other. So each is asked for a few cells before it is needed. */
static inline __attribute__((always_inline)) void ask_ahead(const struct refinement *r)
{
    const struct canon_graph *g = r->graph;
    if (r->queue_length <= 4 * AHEAD)
        return;
    uint32_t at = r->queue_head + 4 * AHEAD;
    __builtin_prefetch(&r->order[r->queue[at < g->vertices ? at : at - g->vertices]]);
    uint32_t v = queued_vertex(r, 3 * AHEAD);
    __builtin_prefetch(&g->first[v]);
    __builtin_prefetch(&r->in_first[v]);
    v = queued_vertex(r, 2 * AHEAD);
    __builtin_prefetch(&g->to[g->first[v]]);
    __builtin_prefetch(&g->label[g->first[v]]);
    __builtin_prefetch(&r->in_from[r->in_first[v]]);
    __builtin_prefetch(&r->in_label[r->in_first[v]]);
    v = queued_vertex(r, AHEAD);
    if (g->first[v] < g->first[v + 1])
        __builtin_prefetch(&r->cell[g->to[g->first[v]]]);
    if (r->in_first[v] < r->in_first[v + 1])
        __builtin_prefetch(&r->cell[r->in_from[r->in_first[v]]]);
    v = queued_vertex(r, AHEAD / 2);
    if (g->first[v] < g->first[v + 1])
        __builtin_prefetch(&r->size[r->cell[g->to[g->first[v]]]]);
    if (r->in_first[v] < r->in_first[v + 1])
        __builtin_prefetch(&r->size[r->cell[r->in_from[r->in_first[v]]]]);
}

static void reverse_arcs(struct refinement *r)
{
    const struct canon_graph *g = r->graph;
    uint32_t *next = r->touched; /* free until arcs are counted */
    memset(r->in_first, 0, (g->vertices + (size_t)1) * sizeof *r->in_first);
    for (uint32_t i = 0; i < g->first[g->vertices]; i++)
        r->in_first[g->to[i] + 1]++;
    for (uint32_t v = 0; v < g->vertices; v++)
        r->in_first[v + 1] += r->in_first[v];
    memcpy(next, r->in_first, g->vertices * sizeof *next);
    for (uint32_t v = 0; v < g->vertices; v++)
        for (uint32_t i = g->first[v]; i < g->first[v + 1]; i++) {
            uint32_t at = next[g->to[i]]++;
            r->in_from[at] = v;
            r->in_label[at] = g->label[i];
        }
}

/* The first cells: by colour. */
static void colour_cells(struct refinement *r)
{
    const struct canon_graph *g = r->graph;
    uint32_t start = 0;
    for (uint32_t v = 0; v < g->vertices; v++)
        r->items[v] = (struct refinement_item){g->colour[v], v};
    sort_items(r, g->vertices);
    r->cells_count = r->queue_head = r->queue_length = 0;
    for (uint32_t i = 0; i < g->vertices; i++) {
        if (i == 0 || r->items[i].key != r->items[i - 1].key) {
            start = i;
            r->cells_count++;
            enqueue(r, start);
        }
        r->order[i] = r->items[i].value;
        r->position[r->order[i]] = i;
        r->cell[r->order[i]] = start;
        r->size[start] = i + 1 - start;
    }
}

/* Counts one arc between v and the splitter; a vertex counted for the first time goes to the end of its cell. */
static void touch(struct refinement *r, uint32_t v)
{
    uint32_t cell = r->cell[v];
    if (r->size[cell] == 1 || r->count[v]++ > 0)
        return;
    uint32_t *touched_here = &r->touched_count[cell]; /* zero between uses */
    if (*touched_here == 0)
        r->touched[r->touched_cells++] = cell;
    uint32_t to = cell + r->size[cell] - 1 - (*touched_here)++, from = r->position[v], other = r->order[to];
    r->order[from] = other;
    r->position[other] = from;
    r->order[to] = v;
    r->position[v] = to;
}

/* Cuts positions from..to off their cell as a cell of its own (or only notes the new size where it keeps the name). */
static void cut(struct refinement *r, uint32_t from, uint32_t to)
{
    r->size[from] = to - from;
    for (uint32_t i = from; i < to; i++)
        r->cell[r->order[i]] = from;
}

/* Splits a cell by the counts of its vertices, least first. The parts go into the queue: all of them if the cell waits
 * there, else all but the (first) largest: what is stable under the whole and the other parts is stable under it. */
static void split(struct refinement *r, uint32_t cell)
{
    uint32_t touched = r->touched_count[cell], end = cell + r->size[cell], rest = end - touched, parts = rest > cell;
    bool alike = true;
    r->touched_count[cell] = 0;
    for (uint32_t i = rest; i < end; i++) {
        r->items[i - rest] = (struct refinement_item){r->count[r->order[i]], r->order[i]};
        alike = alike && r->items[i - rest].key == r->items[0].key;
        r->count[r->order[i]] = 0;
    }
    if (alike && parts == 0)
        return;
    if (!alike) {
        sort_items(r, touched);
        for (uint32_t i = 0; i < touched; i++) {
            r->order[rest + i] = r->items[i].value;
            r->position[r->items[i].value] = rest + i;
        }
    }
    uint32_t largest = cell, largest_size = rest - cell, start = rest;
    if (rest > cell)
        r->size[cell] = rest - cell;
    for (uint32_t i = rest; i < end; i++)
        if (i + 1 == end || r->items[i - rest].key != r->items[i + 1 - rest].key) {
            cut(r, start, i + 1);
            if (r->size[start] > largest_size) {
                largest = start;
                largest_size = r->size[start];
            }
            parts++;
            start = i + 1;
        }
    r->cells_count += parts - 1;
    bool all = r->queued[cell];
    for (uint32_t part = cell; part < end; part += r->size[part])
        if (all || part != largest)
            enqueue(r, part);
}

/* Splits the cells that were touched, in canonical order. */
static void split_touched(struct refinement *r)
{
    for (uint32_t i = 0; i < r->touched_cells; i++)
        r->items[i] = (struct refinement_item){r->touched[i], 0};
    sort_items(r, r->touched_cells);
    for (uint32_t i = 0; i < r->touched_cells; i++)
        r->touched[i] = (uint32_t)r->items[i].key;
    for (uint32_t i = 0; i < r->touched_cells; i++)
        split(r, r->touched[i]);
    r->touched_cells = 0;
}

/* Splits by the number of arcs of each label between a vertex and positions from..to, in one direction. */
static void refine_by(struct refinement *r, uint32_t from, uint32_t to, const uint32_t *first, const uint32_t *end,
                      const uint32_t *label)
{
    size_t count = 0, spread = 0;
    for (uint32_t p = from; p < to; p++)
        for (uint32_t i = first[r->order[p]]; i < first[r->order[p] + 1]; i++)
            r->items[count++] = (struct refinement_item){label[i], end[i]};
    for (size_t i = 1; i < count; i++)
        spread |= r->items[i].key ^ r->items[0].key;
    if (spread == 0) {
        for (size_t i = 0; i < count; i++)
            touch(r, r->items[i].value);
        split_touched(r);
        return;
    }
    /* Splitting uses r->items, so the sorted arcs move to r->arcs, which is free until the colouring is stable. */
    sort_items(r, count);
    for (size_t i = 0; i < count; i++)
        r->arcs[i] = (struct refinement_arc){0, (uint32_t)r->items[i].key, r->items[i].value};
    for (size_t i = 0; i < count; i++) {
        touch(r, r->arcs[i].to);
        if (i + 1 == count || r->arcs[i].label != r->arcs[i + 1].label)
            split_touched(r);
    }
}

/* To the coarsest stable colouring. Splitting permutes positions within a cell only, so from..to stays the same set.
 * False: stopped. */
static bool refine(struct refinement *r)
{
    const struct canon_graph *g = r->graph;
    reverse_arcs(r);
    colour_cells(r);
    bool stopped = false;
    while (r->queue_length > 0) { /* also when stopped: the next graph needs an empty queue */
        ask_ahead(r);
        uint32_t from = dequeue(r), to = from + r->size[from];
        stopped = stopped || stop_requested();
        if (stopped || r->cells_count == g->vertices)
            continue;
        refine_by(r, from, to, g->first, g->to, g->label);
        refine_by(r, from, to, r->in_first, r->in_from, r->in_label);
    }
    return !stopped;
}

/* The arcs of every vertex by cell and label: of two vertices in a cell, the k-th arcs are then of one relation.
 * False: stopped. */
static bool sort_arcs(struct refinement *r)
{
    const struct canon_graph *g = r->graph;
    for (uint32_t v = 0; v < g->vertices; v++) {
        uint32_t first = g->first[v], degree = g->first[v + 1] - first;
        if (stop_due(v))
            return false;
        for (uint32_t i = 0; i < degree; i++) {
            uint32_t to = g->to[first + i];
            r->items[i] = (struct refinement_item){(uint64_t)r->cell[to] << 32 | g->label[first + i], to};
        }
        sort_items(r, degree);
        for (uint32_t i = 0; i < degree; i++)
            r->arcs[first + i] = (struct refinement_arc){(uint32_t)(r->items[i].key >> 32), (uint32_t)r->items[i].key,
                                                         r->items[i].value};
    }
    return true;
}

/* Room for the items of one vertex's arcs, in place of what there was. */
static bool reserve_degree(struct refinement *r)
{
    const uint32_t *first = r->graph->first;
    size_t most = 0;
    for (uint32_t v = 0; v < r->graph->vertices; v++)
        most = first[v + 1] - first[v] > most ? first[v + 1] - first[v] : most;
    return mem_renew(&r->items, most, sizeof *r->items) && mem_renew(&r->items_spare, most, sizeof *r->items);
}

/* All but the result goes, and the next graph finds no room. */
static void let_go(struct refinement *r)
{
    uint32_t **words[] = {&r->queue,   &r->count,    &r->touched, &r->touched_count,
                          &r->in_from, &r->in_first, &r->in_label};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        mem_free(*words[i]);
        *words[i] = NULL;
    }
    mem_free(r->queued);
    mem_free(r->items);
    mem_free(r->items_spare);
    r->queued = NULL;
    r->items = r->items_spare = NULL;
    r->vertex_capacity = r->arc_capacity = r->item_capacity = 0;
}

enum status refinement_run(struct refinement *r, const struct canon_graph *graph)
{
    r->graph = graph;
    if (!reserve(r, graph->vertices, graph->first[graph->vertices]))
        return STATUS_NOMEM;
    bool large = graph->vertices >= REFINEMENT_LARGE, stopped = !refine(r);
    if (large)
        let_go(r);
    if (large && !stopped && !reserve_degree(r))
        return STATUS_NOMEM;
    return !stopped && sort_arcs(r) ? STATUS_OK : STATUS_INTERRUPTED;
}
