/* How the form is found, and why it is exact.
 *
 * 1. Colour refinement, from the vertex colours to the coarsest stable colouring: the vertices fall into *cells*,
 *    and two vertices of one cell have equally many arcs of each label and direction to each cell. Every choice on
 *    the way depends on colours, sizes and counts only, so the order of the cells is the same for isomorphic
 *    graphs, and an isomorphism maps each cell to its namesake. A cell is named by its place in that order.
 *
 * 2. Taking apart. Look at a connected piece of the graph (at first, all of it). Where every vertex of cell a (in
 *    this piece) has an arc of one label to every vertex of cell b, the names and sizes of a and b say it all:
 *    this *relation* is written down and its arcs are dropped. Arcs to or from a vertex that is alone in its cell
 *    always go. What is left falls into smaller pieces, each of which is treated alike: there a cell has fewer
 *    vertices, so more relations are complete. The form of a piece is its cells with their sizes, its relations,
 *    and the multiset of the forms of the smaller pieces; the piece can be built again from it, up to isomorphism,
 *    so equal forms mean isomorphic pieces. Conversely, isomorphic pieces give equal forms, since cells and
 *    relations are kept by isomorphisms. The automorphisms that keep the cells are the product, over the different
 *    forms of smaller pieces, of m! and the m-th power of the piece's own number, for a form found m times:
 *    complete relations forbid none of them.
 *
 *    This one step decides trees (the centre is alone in its cell, and then the root of each subtree), twins
 *    (their neighbours' arcs are complete in some piece), layered and nested symmetric structure, gadgets around
 *    hubs, and whatever refinement makes discrete.
 *
 * 3. A piece that stays whole is stuck: residue.c frees it of hanging trees and twins, and asks BLISS.
 *
 * A form is known by the leading 128 bits of its SHA-256, and forms contain those of their pieces: equal digests
 * are taken for equal forms, in the pieces as in the result.
 *
 * Cost: refinement O((n + m) log n). A piece's vertices and arcs are looked at once a level. Pieces that share a
 * cell share all their cells, with sizes in one proportion, so a level at least takes 1 off the size of each cell,
 * and it drops size * size arcs: L levels need L^3 / 3 arcs, and real graphs have a handful of levels. */
#include "classify/canon.h"

#include <stdlib.h>
#include <string.h>

#include "classify/irreducible.h"
#include "parser/bytes.h"
#include "parser/mem.h"
#include "parser/sha256.h"

#define END UINT32_MAX /* ends a list of relations; no cell has this name */

/* The first word of what is hashed tells the kinds of forms apart. */
enum tag { TAG_WHOLE = 1, TAG_PIECE, TAG_PIECES, TAG_STUCK, TAG_INEXACT };

struct item {
    uint64_t key;
    uint32_t value;
}; /* for sorting */
struct arc {
    uint32_t cell, label, to;
}; /* of a vertex; sorted by cell of `to`, then label */
struct result {
    uint8_t digest[CANON_ID_SIZE];
    double automorphisms_log10;
};

/* A piece whose smaller pieces are being decided. */
struct piece {
    uint32_t next, stop; /* in `order`: the smaller pieces still to do */
    size_t first_result; /* in `results`: those done */
    struct result own;   /* digest of cells and relations; automorphisms of single vertices */
};

struct canon {
    size_t vertex_capacity, arc_capacity, item_capacity, byte_capacity, stack_capacity, result_capacity;
    const struct canon_graph *graph;
    /* by place in the order of vertices: a cell is a run of places, named by its first */
    uint32_t *order, *size, *queue, *touched, *piece_end;
    uint8_t *queued;
    /* by vertex */
    uint32_t *place, *cell, *count, *in_first, *degree, *parent;
    /* by arc */
    uint32_t *in_from, *in_label;
    struct arc *arcs;
    uint8_t *kept;
    struct item *items, *items_spare;
    uint32_t queue_head, queue_length, cells, touched_cells;
    uint8_t *bytes; /* the form being written */
    size_t length;
    struct piece *stack;
    size_t depth;
    struct result *results;
    size_t results_count;
    uint8_t whole[CANON_ID_SIZE]; /* cells, colours and relations of the whole graph */
};

/* ---- memory ---- */

enum status canon_new(struct canon **canon, struct fault *fault)
{
    *canon = mem_alloc(1, sizeof **canon);
    return *canon ? STATUS_OK : fault_nomem(fault);
}

/* Makes the array zeroed and `count` elements long; its content is not kept. */
static bool renew(void *array, size_t count, size_t size)
{
    void *old, *fresh;
    memcpy(&old, array, sizeof old);
    mem_free(old);
    fresh = mem_alloc(count, size);
    memcpy(array, &fresh, sizeof fresh);
    return fresh != NULL;
}

/* Room for a graph of this size. Between graphs, `count`, `queued` and `piece_end` are all zero. */
static bool reserve(struct canon *c, size_t vertices, size_t arcs)
{
    if (vertices > c->vertex_capacity) {
        uint32_t **words[] = {&c->order, &c->size,  &c->queue,    &c->touched, &c->piece_end, &c->place,
                              &c->cell,  &c->count, &c->in_first, &c->degree,  &c->parent};
        size_t capacity = vertices + vertices / 8 + 32;
        c->vertex_capacity = 0;
        for (size_t i = 0; i < sizeof words / sizeof *words; i++)
            if (!renew(words[i], capacity + 1, sizeof **words))
                return false;
        if (!renew(&c->queued, capacity, 1))
            return false;
        c->vertex_capacity = capacity;
    }
    if (arcs > c->arc_capacity) {
        size_t capacity = arcs + arcs / 8 + 32;
        c->arc_capacity = 0;
        if (!renew(&c->in_from, capacity, sizeof *c->in_from) || !renew(&c->in_label, capacity, sizeof *c->in_label) ||
            !renew(&c->arcs, capacity, sizeof *c->arcs) || !renew(&c->kept, capacity, 1))
            return false;
        c->arc_capacity = capacity;
    }
    size_t items = arcs > vertices ? arcs : vertices;
    if (items > c->item_capacity) {
        size_t capacity = items + items / 8 + 32;
        c->item_capacity = 0;
        if (!renew(&c->items, capacity, sizeof *c->items) || !renew(&c->items_spare, capacity, sizeof *c->items))
            return false;
        c->item_capacity = capacity;
    }
    return true;
}

void canon_free(struct canon *c)
{
    if (!c)
        return;
    void *blocks[] = {c->order, c->size,  c->queue,    c->touched,     c->piece_end, c->queued,  c->place,
                      c->cell,  c->count, c->in_first, c->degree,      c->parent,    c->in_from, c->in_label,
                      c->arcs,  c->kept,  c->items,    c->items_spare, c->bytes,     c->stack,   c->results};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        mem_free(blocks[i]);
    mem_free(c);
}

/* ---- sorting ---- */

/* Sorts the first `count` of c->items by key, by insertion when few, else byte by byte (least first), leaving out bytes
 * that are the same in all keys. Stable. O(count). */
static void sort_items(struct canon *c, size_t count)
{
    struct item *a = c->items;
    if (count <= 32) {
        for (size_t i = 1; i < count; i++) {
            struct item moved = a[i];
            size_t j = i;
            for (; j > 0 && a[j - 1].key > moved.key; j--)
                a[j] = a[j - 1];
            a[j] = moved;
        }
        return;
    }
    uint64_t differing = 0;
    for (size_t i = 1; i < count; i++)
        differing |= a[i].key ^ a[0].key;
    for (unsigned shift = 0; shift < 64; shift += 8) {
        if (!(differing >> shift & 0xff))
            continue;
        size_t place[257] = {0};
        for (size_t i = 0; i < count; i++)
            place[(c->items[i].key >> shift & 0xff) + 1]++;
        for (size_t i = 0; i < 256; i++)
            place[i + 1] += place[i];
        for (size_t i = 0; i < count; i++)
            c->items_spare[place[c->items[i].key >> shift & 0xff]++] = c->items[i];
        struct item *swap = c->items;
        c->items = c->items_spare;
        c->items_spare = swap;
    }
}

/* ---- colour refinement ---- */

static void enqueue(struct canon *c, uint32_t cell)
{
    if (c->queued[cell])
        return;
    c->queued[cell] = 1;
    uint32_t at = c->queue_head + c->queue_length++;
    c->queue[at < c->graph->vertices ? at : at - c->graph->vertices] = cell;
}

static uint32_t dequeue(struct canon *c)
{
    uint32_t cell = c->queue[c->queue_head];
    c->queue_head = c->queue_head + 1 < c->graph->vertices ? c->queue_head + 1 : 0;
    c->queue_length--;
    c->queued[cell] = 0;
    return cell;
}

static void reverse_arcs(struct canon *c)
{
    const struct canon_graph *g = c->graph;
    memset(c->in_first, 0, (g->vertices + (size_t)1) * sizeof *c->in_first);
    for (uint32_t i = 0; i < g->first[g->vertices]; i++)
        c->in_first[g->to[i] + 1]++;
    for (uint32_t v = 0; v < g->vertices; v++)
        c->in_first[v + 1] += c->in_first[v];
    memcpy(c->degree, c->in_first, g->vertices * sizeof *c->degree);
    for (uint32_t v = 0; v < g->vertices; v++)
        for (uint32_t i = g->first[v]; i < g->first[v + 1]; i++) {
            uint32_t at = c->degree[g->to[i]]++;
            c->in_from[at] = v;
            c->in_label[at] = g->label[i];
        }
}

/* The first cells: by colour. */
static void colour_cells(struct canon *c)
{
    const struct canon_graph *g = c->graph;
    uint32_t start = 0;
    for (uint32_t v = 0; v < g->vertices; v++)
        c->items[v] = (struct item){g->colour[v], v};
    sort_items(c, g->vertices);
    c->cells = c->queue_head = c->queue_length = 0;
    for (uint32_t i = 0; i < g->vertices; i++) {
        if (i == 0 || c->items[i].key != c->items[i - 1].key) {
            start = i;
            c->cells++;
            enqueue(c, start);
        }
        c->order[i] = c->items[i].value;
        c->place[c->order[i]] = i;
        c->cell[c->order[i]] = start;
        c->size[start] = i + 1 - start;
    }
}

/* Counts one arc between v and the splitter; a vertex counted for the first time goes to the end of its cell. */
static void touch(struct canon *c, uint32_t v)
{
    uint32_t cell = c->cell[v];
    if (c->size[cell] == 1 || c->count[v]++ > 0)
        return;
    uint32_t *touched_here = &c->piece_end[cell]; /* zero between uses */
    if (*touched_here == 0)
        c->touched[c->touched_cells++] = cell;
    uint32_t to = cell + c->size[cell] - 1 - (*touched_here)++, from = c->place[v], other = c->order[to];
    c->order[from] = other;
    c->place[other] = from;
    c->order[to] = v;
    c->place[v] = to;
}

/* Cuts places from..to off their cell as a cell of its own (or only notes the new size where it keeps the name). */
static void cut(struct canon *c, uint32_t from, uint32_t to)
{
    c->size[from] = to - from;
    for (uint32_t i = from; i < to; i++)
        c->cell[c->order[i]] = from;
}

/* Splits a cell by the counts of its vertices, least first. The parts go into the queue: all of them if the cell waits
 * there, else all but the (first) largest: what is stable under the whole and the other parts is stable under it. */
static void split(struct canon *c, uint32_t cell)
{
    uint32_t touched = c->piece_end[cell], end = cell + c->size[cell], rest = end - touched, parts = rest > cell;
    bool alike = true;
    c->piece_end[cell] = 0;
    for (uint32_t i = rest; i < end; i++) {
        c->items[i - rest] = (struct item){c->count[c->order[i]], c->order[i]};
        alike = alike && c->items[i - rest].key == c->items[0].key;
        c->count[c->order[i]] = 0;
    }
    if (alike && parts == 0)
        return;
    if (!alike) {
        sort_items(c, touched);
        for (uint32_t i = 0; i < touched; i++) {
            c->order[rest + i] = c->items[i].value;
            c->place[c->items[i].value] = rest + i;
        }
    }
    uint32_t largest = cell, largest_size = rest - cell, start = rest;
    if (rest > cell)
        c->size[cell] = rest - cell;
    for (uint32_t i = rest; i < end; i++)
        if (i + 1 == end || c->items[i - rest].key != c->items[i + 1 - rest].key) {
            cut(c, start, i + 1);
            if (c->size[start] > largest_size) {
                largest = start;
                largest_size = c->size[start];
            }
            parts++;
            start = i + 1;
        }
    c->cells += parts - 1;
    bool all = c->queued[cell];
    for (uint32_t part = cell; part < end; part += c->size[part])
        if (all || part != largest)
            enqueue(c, part);
}

/* Splits the cells that were touched, in canonical order. */
static void split_touched(struct canon *c)
{
    for (uint32_t i = 0; i < c->touched_cells; i++)
        c->items[i] = (struct item){c->touched[i], 0};
    sort_items(c, c->touched_cells);
    for (uint32_t i = 0; i < c->touched_cells; i++)
        c->touched[i] = (uint32_t)c->items[i].key;
    for (uint32_t i = 0; i < c->touched_cells; i++)
        split(c, c->touched[i]);
    c->touched_cells = 0;
}

/* Splits by the number of arcs of each label between a vertex and places from..to, in one direction. */
static void refine_by(struct canon *c, uint32_t from, uint32_t to, const uint32_t *first, const uint32_t *end,
                      const uint32_t *label)
{
    size_t count = 0, spread = 0;
    for (uint32_t p = from; p < to; p++)
        for (uint32_t i = first[c->order[p]]; i < first[c->order[p] + 1]; i++)
            c->items[count++] = (struct item){label[i], end[i]};
    for (size_t i = 1; i < count; i++)
        spread |= c->items[i].key ^ c->items[0].key;
    if (spread == 0) {
        for (size_t i = 0; i < count; i++)
            touch(c, c->items[i].value);
        split_touched(c);
        return;
    }
    /* Splitting uses c->items, so the sorted arcs move to c->arcs, which is free until the colouring is stable. */
    sort_items(c, count);
    for (size_t i = 0; i < count; i++)
        c->arcs[i] = (struct arc){0, (uint32_t)c->items[i].key, c->items[i].value};
    for (size_t i = 0; i < count; i++) {
        touch(c, c->arcs[i].to);
        if (i + 1 == count || c->arcs[i].label != c->arcs[i + 1].label)
            split_touched(c);
    }
}

/* To the coarsest stable colouring. Splitting permutes places within a cell only, so from..to stays the same set. */
static void refine(struct canon *c)
{
    const struct canon_graph *g = c->graph;
    reverse_arcs(c);
    colour_cells(c);
    while (c->queue_length > 0) {
        uint32_t from = dequeue(c), to = from + c->size[from];
        if (c->cells == g->vertices)
            continue;
        refine_by(c, from, to, g->first, g->to, g->label);
        refine_by(c, from, to, c->in_first, c->in_from, c->in_label);
    }
}

/* The arcs of every vertex by cell and label: of two vertices in a cell, the k-th arcs are then of one relation. */
static void sort_arcs(struct canon *c)
{
    const struct canon_graph *g = c->graph;
    for (uint32_t v = 0; v < g->vertices; v++) {
        uint32_t first = g->first[v], degree = g->first[v + 1] - first;
        c->degree[v] = degree;
        for (uint32_t i = 0; i < degree; i++) {
            uint32_t to = g->to[first + i];
            c->items[i] = (struct item){(uint64_t)c->cell[to] << 32 | g->label[first + i], to};
        }
        sort_items(c, degree);
        for (uint32_t i = 0; i < degree; i++)
            c->arcs[first + i] = (struct arc){(uint32_t)(c->items[i].key >> 32), (uint32_t)c->items[i].key,
                                              c->items[i].value};
    }
}

/* ---- writing forms ---- */

static enum status room(struct canon *c, size_t more)
{
    return mem_reserve(&c->bytes, &c->byte_capacity, c->length + more, 1);
}

static void put32(struct canon *c, uint32_t value)
{
    store_le32(c->bytes + c->length, value);
    c->length += 4;
}

static void put_bytes(struct canon *c, const uint8_t *bytes, size_t size)
{
    memcpy(c->bytes + c->length, bytes, size);
    c->length += size;
}

/* Ends the form: its digest. */
static void digest(struct canon *c, uint8_t out[CANON_ID_SIZE])
{
    uint8_t hash[32];
    sha256(c->bytes, c->length, hash);
    memcpy(out, hash, CANON_ID_SIZE);
    c->length = 0;
}

/* ---- taking apart ---- */

/* The end of the run of places of one cell that begins at `begin`. */
static uint32_t run_end(const struct canon *c, uint32_t begin, uint32_t end)
{
    uint32_t i = begin + 1;
    while (i < end && c->cell[c->order[i]] == c->cell[c->order[begin]])
        i++;
    return i;
}

/* The end of the run of arcs of one relation that begins at arc `begin` of a vertex. */
static uint32_t relation_end(const struct canon *c, uint32_t begin, uint32_t end)
{
    uint32_t i = begin + 1;
    while (i < end && c->arcs[i].cell == c->arcs[begin].cell && c->arcs[i].label == c->arcs[begin].label)
        i++;
    return i;
}

/* Writes down the relations of the cell at places begin..end, and drops those that are complete. */
static enum status drop_complete(struct canon *c, uint32_t begin, uint32_t end)
{
    uint32_t one = c->order[begin], first = c->graph->first[one], last = first + c->degree[one], kept = 0;
    enum status status = room(c, 12 + 12 * (size_t)(last - first));
    if (status)
        return status;
    put32(c, c->cell[one]);
    put32(c, end - begin);
    for (uint32_t i = first, next; i < last; i = next) {
        next = relation_end(c, i, last);
        put32(c, c->arcs[i].cell);
        put32(c, c->arcs[i].label);
        put32(c, next - i);
        bool complete = next - i == c->size[c->arcs[i].cell];
        for (uint32_t k = i; k < next; k++)
            c->kept[k - first] = !complete;
        kept += complete ? 0 : next - i;
    }
    put32(c, END);
    if (kept == last - first)
        return STATUS_OK;
    for (uint32_t p = begin; p < end; p++) {
        struct arc *arcs = c->arcs + c->graph->first[c->order[p]];
        uint32_t to = 0;
        for (uint32_t k = 0; k < last - first; k++)
            if (c->kept[k])
                arcs[to++] = arcs[k];
        c->degree[c->order[p]] = kept;
    }
    return STATUS_OK;
}

static uint32_t find(uint32_t *parent, uint32_t v)
{
    while (parent[v] != v)
        v = parent[v] = parent[parent[v]];
    return v;
}

/* Joins what the arcs that are left connect; c->count of a root is then the size of its piece. */
static void connect(struct canon *c, uint32_t begin, uint32_t end)
{
    for (uint32_t p = begin; p < end; p++) {
        c->parent[c->order[p]] = c->order[p];
        c->count[c->order[p]] = 1;
    }
    for (uint32_t p = begin; p < end; p++) {
        const struct arc *arcs = c->arcs + c->graph->first[c->order[p]];
        for (uint32_t k = 0; k < c->degree[c->order[p]]; k++) {
            uint32_t a = find(c->parent, c->order[p]), b = find(c->parent, arcs[k].to);
            if (a == b)
                continue;
            uint32_t larger = c->count[a] < c->count[b] ? b : a, smaller = larger == a ? b : a;
            c->parent[smaller] = larger;
            c->count[larger] += c->count[smaller];
        }
    }
}

/* Sorts places begin..end by piece, single vertices behind all, and keeps the order of cells within a piece. Returns
 * where the single vertices start, and adds their automorphisms: the cells that lost all arcs. */
static uint32_t group(struct canon *c, uint32_t begin, uint32_t end, double *automorphisms_log10)
{
    uint32_t *sorted = c->queue, *at = c->place, stop = begin, singles;
    for (uint32_t p = begin; p < end; p++) {
        uint32_t root = find(c->parent, c->order[p]);
        if (c->count[root] > 1 && root == c->order[p]) {
            at[root] = stop;
            c->piece_end[stop] = stop + c->count[root];
            stop = c->piece_end[stop];
        }
    }
    singles = stop;
    for (uint32_t p = begin, next; p < end; p = next) {
        next = run_end(c, p, end);
        bool single = c->count[find(c->parent, c->order[p])] == 1;
        if (single)
            *automorphisms_log10 += factorial_log10(next - p);
        for (uint32_t i = p; i < next; i++)
            sorted[single ? singles++ : at[find(c->parent, c->order[i])]++] = c->order[i];
    }
    memcpy(c->order + begin, sorted + begin, (end - begin) * sizeof *sorted);
    return stop;
}

/* Adds the arcs of the cell at places begin..end to what is stuck. */
static void stuck_arcs(const struct canon *c, uint32_t begin, uint32_t end, struct irreducible *r)
{
    uint32_t one = c->order[begin], first = c->graph->first[one], last = first + c->degree[one];
    for (uint32_t i = first, next; i < last; i = next) {
        next = relation_end(c, i, last);
        r->marked[r->relations] = i > first && c->arcs[i].cell == c->arcs[i - 1].cell;
        for (uint32_t p = begin; p < end; p++)
            for (uint32_t k = i - first; k < next - first; k++) {
                r->from[r->arcs] = c->place[c->order[p]];
                r->to[r->arcs] = c->place[c->arcs[c->graph->first[c->order[p]] + k].to];
                r->relation[r->arcs++] = r->relations;
            }
        r->relations++;
    }
}

/* Decides the piece at places begin..end as a residue. On entry own->digest is that of its cells and relations. */
static enum status stuck(struct canon *c, uint32_t begin, uint32_t end, struct result *own, struct fault *fault)
{
    struct irreducible r;
    uint8_t *bytes = NULL;
    size_t size = 0;
    uint32_t arcs = 0;
    for (uint32_t p = begin; p < end; p++)
        arcs += c->degree[c->order[p]];
    enum status status = irreducible_new(end - begin, arcs, &r, fault);
    if (status)
        return status;
    r.arcs = 0;
    for (uint32_t p = begin, next; p < end; p = next, r.cells++) {
        next = run_end(c, p, end);
        for (uint32_t i = p; i < next; i++) {
            c->place[c->order[i]] = i - begin;
            r.cell[i - begin] = r.cells;
        }
    }
    for (uint32_t p = begin, next; p < end; p = next) {
        next = run_end(c, p, end);
        stuck_arcs(c, p, next, &r);
    }
    status = irreducible_form(&r, &bytes, &size, &own->automorphisms_log10, fault);
    if (!status)
        status = room(c, 4 + CANON_ID_SIZE + size);
    if (!status) {
        put32(c, TAG_STUCK);
        put_bytes(c, own->digest, CANON_ID_SIZE);
        put_bytes(c, bytes, size);
        digest(c, own->digest);
    }
    mem_free(bytes);
    irreducible_free(&r);
    return status;
}

/* Opens the piece at places begin..end: decided at once, it becomes a result, else it goes on the stack. */
static enum status open_piece(struct canon *c, uint32_t begin, uint32_t end, struct fault *fault)
{
    struct piece piece = {.next = begin};
    enum status status = STATUS_OK;
    for (uint32_t p = begin, next; p < end; p = next) {
        next = run_end(c, p, end);
        c->size[c->cell[c->order[p]]] = next - p;
    }
    if (c->depth > 0) { /* the whole graph has its own beginning */
        if ((status = room(c, 4)))
            return status;
        put32(c, TAG_PIECE);
    }
    for (uint32_t p = begin, next; p < end && !status; p = next) {
        next = run_end(c, p, end);
        status = drop_complete(c, p, next);
    }
    if (status)
        return status;
    digest(c, piece.own.digest);
    if (c->depth == 0)
        memcpy(c->whole, piece.own.digest, CANON_ID_SIZE);
    connect(c, begin, end);
    piece.stop = group(c, begin, end, &piece.own.automorphisms_log10);
    piece.first_result = c->results_count;
    for (uint32_t p = begin; p < end; p++)
        c->count[c->order[p]] = 0;
    if (piece.stop > begin && c->piece_end[begin] == end) {
        if ((status = stuck(c, begin, end, &piece.own, fault)))
            return status;
        piece.stop = begin;
    }
    if ((status = mem_reserve(&c->stack, &c->stack_capacity, c->depth + 1, sizeof *c->stack)))
        return status;
    c->stack[c->depth++] = piece;
    return STATUS_OK;
}

static int compare_results(const void *a, const void *b)
{
    return memcmp(((const struct result *)a)->digest, ((const struct result *)b)->digest, CANON_ID_SIZE);
}

/* Takes a piece whose smaller pieces are all decided off the stack, and makes it a result in their place. */
static enum status close_piece(struct canon *c)
{
    struct piece *piece = &c->stack[--c->depth];
    struct result own = piece->own;
    size_t count = c->results_count - piece->first_result;
    enum status status = room(c, 4 + CANON_ID_SIZE + count * (CANON_ID_SIZE + 4));
    if (status)
        return status;
    if (count > 0) {
        struct result *parts = c->results + piece->first_result;
        qsort(parts, count, sizeof *parts, compare_results);
        put32(c, TAG_PIECES);
        put_bytes(c, own.digest, CANON_ID_SIZE);
        for (size_t i = 0, next; i < count; i = next) {
            for (next = i + 1; next < count && compare_results(&parts[i], &parts[next]) == 0; next++)
                ;
            put_bytes(c, parts[i].digest, CANON_ID_SIZE);
            put32(c, (uint32_t)(next - i));
            own.automorphisms_log10 += factorial_log10((uint32_t)(next - i)) +
                                       (double)(next - i) * parts[i].automorphisms_log10;
        }
        digest(c, own.digest);
    }
    c->results_count = piece->first_result;
    status = mem_reserve(&c->results, &c->result_capacity, c->results_count + 1, sizeof *c->results);
    if (!status)
        c->results[c->results_count++] = own;
    return status;
}

/* The beginning of the whole graph's form: the cells with their colours and sizes. */
static enum status put_cells(struct canon *c)
{
    enum status status = room(c, 8 + 12 * (size_t)c->cells);
    if (status)
        return status;
    put32(c, TAG_WHOLE);
    put32(c, c->cells);
    for (uint32_t cell = 0; cell < c->graph->vertices; cell += c->size[cell]) {
        store_le64(c->bytes + c->length, c->graph->colour[c->order[cell]]);
        c->length += 8;
        put32(c, c->size[cell]);
    }
    return STATUS_OK;
}

static enum status take_apart(struct canon *c, struct fault *fault)
{
    c->length = c->depth = c->results_count = 0;
    enum status status = put_cells(c);
    if (!status)
        status = open_piece(c, 0, c->graph->vertices, fault);
    while (!status && c->depth > 0) {
        struct piece *piece = &c->stack[c->depth - 1];
        if (piece->next < piece->stop) {
            uint32_t begin = piece->next;
            piece->next = c->piece_end[begin];
            status = open_piece(c, begin, piece->next, fault);
        } else {
            status = close_piece(c);
        }
    }
    return status;
}

enum status canon_run(struct canon *c, const struct canon_graph *graph, struct canon_form *form, struct fault *fault)
{
    c->graph = graph;
    if (!reserve(c, graph->vertices, graph->first[graph->vertices]))
        return fault_nomem(fault);
    refine(c);
    form->roles = c->cells;
    sort_arcs(c);
    /* from here on `piece_end` holds ends of pieces, and is zeroed for the next graph's refinement */
    enum status status = take_apart(c, fault);
    memset(c->piece_end, 0, graph->vertices * sizeof *c->piece_end);
    if (status == STATUS_LIMIT) {
        /* What was decided so far may depend on the numbering; the stable colouring does not. */
        c->length = 0;
        status = room(c, 4 + CANON_ID_SIZE);
        if (status)
            return fault_nomem(fault);
        put32(c, TAG_INEXACT);
        put_bytes(c, c->whole, CANON_ID_SIZE);
        digest(c, form->id);
        form->automorphisms_log10 = 0;
        form->exact = false;
        return STATUS_OK;
    }
    if (status)
        return status == STATUS_NOMEM ? fault_nomem(fault) : status;
    memcpy(form->id, c->results[0].digest, CANON_ID_SIZE);
    form->automorphisms_log10 = c->results[0].automorphisms_log10;
    form->exact = true;
    return STATUS_OK;
}
