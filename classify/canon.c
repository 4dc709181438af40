/* How the form is found, and why it is exact.
 *
 * 1. Colour refinement (classify/refinement.h), from the vertex colours to the coarsest stable colouring: the
 *    vertices fall into *cells*, and an isomorphism maps each cell to its namesake. A cell is named by its position in
 *    their order.
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
 * 3. A piece that stays whole is irreducible by this step: classify/irreducible.c frees it of hanging trees and
 *    twins, and asks BLISS.
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
#include "classify/refinement.h"
#include "parser/bytes.h"
#include "parser/log10.h"
#include "parser/mem.h"
#include "parser/sha256.h"
#include "parser/stop.h"
#include "parser/union_find.h"

_Static_assert(CANON_ID_SIZE == FORMS_DIGEST_SIZE && CANON_ID_SIZE + 4 == IRREDUCIBLE_HEAD_SIZE, "forms are digests");

#define END UINT32_MAX /* ends a list of relations; no cell has this name */

/* The first word of what is hashed tells the kinds of forms apart. */
enum tag { TAG_WHOLE = 1, TAG_PIECE, TAG_PIECES, TAG_IRREDUCIBLE, TAG_INEXACT };

struct result {
    uint8_t digest[CANON_ID_SIZE];
    double automorphisms_log10;
};

/* A piece whose smaller pieces are being decided. */
struct piece {
    uint32_t next; /* in `order`: the smaller pieces still to do, up to `stop` */
    uint32_t stop;
    size_t first_result; /* in `results`: those done */
    struct result own;   /* digest of cells and relations; automorphisms of single vertices */
};

struct canon {
    const struct canon_graph *graph;
    struct forms *forms;     /* may be NULL */
    struct refinement cells; /* `order`, `size` and `arcs` become those of the pieces that are being decided */
    uint32_t *degree;        /* [vertices] arcs that are left */
    uint32_t *parent;        /* [vertices] union-find of what they connect */
    uint32_t *piece_size;    /* [vertices] of a root of that */
    uint32_t *sorted;        /* [positions] */
    uint32_t *piece_end;     /* [positions] of the piece that begins there */
    uint8_t *kept;           /* [arcs] of one vertex */
    size_t vertex_capacity;
    size_t arc_capacity;
    uint8_t *bytes; /* the form being written, or the end of it */
    size_t length;
    bool has_more; /* what is before is in `stream` already */
    struct sha256_stream stream;
    size_t byte_capacity;
    struct piece *stack;
    size_t depth;
    size_t stack_capacity;
    struct result *results;
    size_t results_count;
    size_t result_capacity;
    uint8_t whole[CANON_ID_SIZE]; /* cells, colours and relations of the whole graph */
};

/* ---- memory ---- */

enum status canon_new(struct canon **canon, struct fault *fault)
{
    *canon = mem_alloc(1, sizeof **canon);
    return *canon ? STATUS_OK : fault_nomem(fault);
}

void canon_use_forms(struct canon *canon, struct forms *forms) { canon->forms = forms; }

/* Room for a graph of this size. */
static bool reserve(struct canon *c, size_t vertices, size_t arcs)
{
    if (vertices > c->vertex_capacity) {
        uint32_t **words[] = {&c->degree, &c->parent, &c->piece_size, &c->sorted, &c->piece_end};
        size_t capacity = refinement_room(vertices);
        c->vertex_capacity = 0;
        for (size_t i = 0; i < sizeof words / sizeof *words; i++)
            if (!mem_renew(words[i], capacity, sizeof **words))
                return false;
        c->vertex_capacity = capacity;
    }
    if (arcs > c->arc_capacity) {
        size_t capacity = refinement_room(arcs);
        c->arc_capacity = 0;
        if (!mem_renew(&c->kept, capacity, 1))
            return false;
        c->arc_capacity = capacity;
    }
    return true;
}

void canon_free(struct canon *c)
{
    if (!c)
        return;
    void *blocks[] = {c->degree, c->parent, c->piece_size, c->sorted, c->piece_end,
                      c->kept,   c->bytes,  c->stack,      c->results};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        mem_free(blocks[i]);
    refinement_free(&c->cells);
    mem_free(c);
}

/* ---- writing forms ---- */

#define FORM_CHUNK ((size_t)64 << 10)

static void begin_form(struct canon *c)
{
    c->length = 0;
    c->has_more = false;
}

/* Only a form's digest is wanted, so a long one is never there as a whole. */
static enum status room(struct canon *c, size_t more)
{
    if (c->length >= FORM_CHUNK) {
        if (!c->has_more)
            sha256_begin(&c->stream);
        c->has_more = true;
        sha256_add(&c->stream, c->bytes, c->length);
        c->length = 0;
    }
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
    if (c->has_more) {
        sha256_add(&c->stream, c->bytes, c->length);
        sha256_end(&c->stream, hash);
    } else {
        sha256(c->bytes, c->length, hash);
    }
    memcpy(out, hash, CANON_ID_SIZE);
    begin_form(c);
}

/* ---- taking apart ---- */

/* The end of the run of positions of one cell that begins at `begin`. */
static uint32_t run_end(const struct canon *c, uint32_t begin, uint32_t end)
{
    uint32_t i = begin + 1;
    while (i < end && c->cells.cell[c->cells.order[i]] == c->cells.cell[c->cells.order[begin]])
        i++;
    return i;
}

/* The end of the run of arcs of one relation that begins at arc `begin` of a vertex. */
static uint32_t relation_end(const struct canon *c, uint32_t begin, uint32_t end)
{
    uint32_t i = begin + 1;
    while (i < end && c->cells.arcs[i].cell == c->cells.arcs[begin].cell &&
           c->cells.arcs[i].label == c->cells.arcs[begin].label)
        i++;
    return i;
}

/* Writes down the relations of the cell at positions begin..end, and drops those that are complete. */
static enum status drop_complete(struct canon *c, uint32_t begin, uint32_t end)
{
    uint32_t one = c->cells.order[begin], first = c->graph->first[one], last = first + c->degree[one], kept = 0;
    enum status status = room(c, 12 + 12 * (size_t)(last - first));
    if (status != STATUS_OK)
        return status;
    put32(c, c->cells.cell[one]);
    put32(c, end - begin);
    for (uint32_t i = first, next; i < last; i = next) {
        next = relation_end(c, i, last);
        put32(c, c->cells.arcs[i].cell);
        put32(c, c->cells.arcs[i].label);
        put32(c, next - i);
        bool complete = next - i == c->cells.size[c->cells.arcs[i].cell];
        for (uint32_t k = i; k < next; k++)
            c->kept[k - first] = !complete;
        kept += complete ? 0 : next - i;
    }
    put32(c, END);
    if (kept == last - first)
        return STATUS_OK;
    for (uint32_t p = begin; p < end; p++) {
        struct refinement_arc *arcs = c->cells.arcs + c->graph->first[c->cells.order[p]];
        uint32_t to = 0;
        for (uint32_t k = 0; k < last - first; k++)
            if (c->kept[k])
                arcs[to++] = arcs[k];
        c->degree[c->cells.order[p]] = kept;
    }
    return STATUS_OK;
}

/* Joins what the arcs that are left connect; c->piece_size of a root is then the size of its piece. */
static void connect(struct canon *c, uint32_t begin, uint32_t end)
{
    for (uint32_t p = begin; p < end; p++) {
        c->parent[c->cells.order[p]] = c->cells.order[p];
        c->piece_size[c->cells.order[p]] = 1;
    }
    for (uint32_t p = begin; p < end; p++) {
        const struct refinement_arc *arcs = c->cells.arcs + c->graph->first[c->cells.order[p]];
        for (uint32_t k = 0; k < c->degree[c->cells.order[p]]; k++) {
            uint32_t a = union_find(c->parent, c->cells.order[p]), b = union_find(c->parent, arcs[k].to);
            if (a == b)
                continue;
            uint32_t larger = c->piece_size[a] < c->piece_size[b] ? b : a, smaller = larger == a ? b : a;
            c->parent[smaller] = larger;
            c->piece_size[larger] += c->piece_size[smaller];
        }
    }
}

/* Sorts positions begin..end by piece, single vertices last, and keeps the order of cells within a piece. Returns
 * where the single vertices start, and adds their automorphisms: the cells that lost all arcs. */
static uint32_t group(struct canon *c, uint32_t begin, uint32_t end, double *automorphisms_log10)
{
    uint32_t *sorted = c->sorted, *at = c->cells.position, stop = begin, singles;
    for (uint32_t p = begin; p < end; p++) {
        uint32_t root = union_find(c->parent, c->cells.order[p]);
        if (c->piece_size[root] > 1 && root == c->cells.order[p]) {
            at[root] = stop;
            c->piece_end[stop] = stop + c->piece_size[root];
            stop = c->piece_end[stop];
        }
    }
    singles = stop;
    for (uint32_t p = begin, next; p < end; p = next) {
        next = run_end(c, p, end);
        bool single = c->piece_size[union_find(c->parent, c->cells.order[p])] == 1;
        if (single)
            *automorphisms_log10 += log10_of_factorial(next - p);
        for (uint32_t i = p; i < next; i++)
            sorted[single ? singles++ : at[union_find(c->parent, c->cells.order[i])]++] = c->cells.order[i];
    }
    memcpy(c->cells.order + begin, sorted + begin, (end - begin) * sizeof *sorted);
    return stop;
}

/* Adds the arcs of the cell at positions begin..end. */
static void add_irreducible_arcs(const struct canon *c, uint32_t begin, uint32_t end, struct irreducible *r)
{
    uint32_t one = c->cells.order[begin], first = c->graph->first[one], last = first + c->degree[one];
    for (uint32_t i = first, next; i < last; i = next) {
        next = relation_end(c, i, last);
        r->marked[r->relations] = i > first && c->cells.arcs[i].cell == c->cells.arcs[i - 1].cell;
        for (uint32_t p = begin; p < end; p++)
            for (uint32_t k = i - first; k < next - first; k++) {
                r->from[r->arcs] = c->cells.position[c->cells.order[p]];
                r->to[r->arcs] = c->cells.position[c->cells.arcs[c->graph->first[c->cells.order[p]] + k].to];
                r->relation[r->arcs++] = r->relations;
            }
        r->relations++;
    }
}

/* Decides a piece that stays whole, at positions begin..end. On entry own->digest is that of its cells and
 * relations. */
static enum status decide_irreducible(struct canon *c, uint32_t begin, uint32_t end, struct result *own,
                                      struct fault *fault)
{
    struct irreducible r;
    uint8_t head[IRREDUCIBLE_HEAD_SIZE];
    uint32_t arcs = 0;
    for (uint32_t p = begin; p < end; p++)
        arcs += c->degree[c->cells.order[p]];
    enum status status = irreducible_new(end - begin, arcs, &r, fault);
    if (status != STATUS_OK)
        return status;
    r.arcs = 0;
    for (uint32_t p = begin, next; p < end; p = next, r.cells++) {
        next = run_end(c, p, end);
        for (uint32_t i = p; i < next; i++) {
            c->cells.position[c->cells.order[i]] = i - begin;
            r.cell[i - begin] = r.cells;
        }
    }
    for (uint32_t p = begin, next; p < end; p = next) {
        next = run_end(c, p, end);
        add_irreducible_arcs(c, p, next, &r);
    }
    store_le32(head, TAG_IRREDUCIBLE);
    memcpy(head + 4, own->digest, CANON_ID_SIZE);
    status = irreducible_form(&r, c->forms, head, own->digest, &own->automorphisms_log10, fault);
    irreducible_free(&r);
    return status;
}

/* Opens the piece at positions begin..end: decided at once, it becomes a result, else it goes on the stack. */
static enum status open_piece(struct canon *c, uint32_t begin, uint32_t end, struct fault *fault)
{
    struct piece piece = {.next = begin};
    enum status status = STATUS_OK;
    for (uint32_t p = begin, next; p < end; p = next) {
        next = run_end(c, p, end);
        c->cells.size[c->cells.cell[c->cells.order[p]]] = next - p;
    }
    if (c->depth > 0) { /* the whole graph has its own beginning */
        if ((status = room(c, 4)) != STATUS_OK)
            return status;
        put32(c, TAG_PIECE);
    }
    for (uint32_t p = begin, next; p < end && status == STATUS_OK; p = next) {
        next = run_end(c, p, end);
        status = drop_complete(c, p, next);
    }
    if (status != STATUS_OK)
        return status;
    digest(c, piece.own.digest);
    if (c->depth == 0)
        memcpy(c->whole, piece.own.digest, CANON_ID_SIZE);
    connect(c, begin, end);
    piece.stop = group(c, begin, end, &piece.own.automorphisms_log10);
    piece.first_result = c->results_count;
    if (piece.stop > begin && c->piece_end[begin] == end) {
        if ((status = decide_irreducible(c, begin, end, &piece.own, fault)) != STATUS_OK)
            return status;
        piece.stop = begin;
    }
    if ((status = mem_reserve(&c->stack, &c->stack_capacity, c->depth + 1, sizeof *c->stack)) != STATUS_OK)
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
    if (status != STATUS_OK)
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
            own.automorphisms_log10 += log10_of_factorial((uint32_t)(next - i)) +
                                       (double)(next - i) * parts[i].automorphisms_log10;
        }
        digest(c, own.digest);
    }
    c->results_count = piece->first_result;
    status = mem_reserve(&c->results, &c->result_capacity, c->results_count + 1, sizeof *c->results);
    if (status == STATUS_OK)
        c->results[c->results_count++] = own;
    return status;
}

/* The beginning of the whole graph's form: the cells with their colours and sizes. */
static enum status put_cells(struct canon *c)
{
    enum status status = room(c, 8);
    if (status != STATUS_OK)
        return status;
    put32(c, TAG_WHOLE);
    put32(c, c->cells.cells_count);
    for (uint32_t cell = 0; cell < c->graph->vertices; cell += c->cells.size[cell]) {
        if ((status = room(c, 12)) != STATUS_OK)
            return status;
        store_le64(c->bytes + c->length, c->graph->colour[c->cells.order[cell]]);
        c->length += 8;
        put32(c, c->cells.size[cell]);
    }
    return STATUS_OK;
}

static enum status take_apart(struct canon *c, struct fault *fault)
{
    begin_form(c);
    c->depth = c->results_count = 0;
    enum status status = put_cells(c);
    if (status == STATUS_OK)
        status = open_piece(c, 0, c->graph->vertices, fault);
    while (status == STATUS_OK && c->depth > 0) {
        struct piece *piece = &c->stack[c->depth - 1];
        if (stop_requested())
            return STATUS_INTERRUPTED;
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

/* The form of a graph of which a piece was too hard. What was decided so far may depend on the numbering; the stable
 * colouring does not. */
static enum status put_inexact(struct canon *c, struct canon_form *form)
{
    begin_form(c);
    enum status status = room(c, 4 + CANON_ID_SIZE);
    if (status != STATUS_OK)
        return status;
    put32(c, TAG_INEXACT);
    put_bytes(c, c->whole, CANON_ID_SIZE);
    digest(c, form->id);
    form->automorphisms_log10 = 0;
    form->exact = false;
    return STATUS_OK;
}

enum status canon_run(struct canon *c, const struct canon_graph *graph, struct canon_form *form, struct fault *fault)
{
    c->graph = graph;
    enum status status = refinement_run(&c->cells, graph);
    if (status == STATUS_OK && !reserve(c, graph->vertices, graph->first[graph->vertices]))
        status = STATUS_NOMEM;
    if (status == STATUS_OK) {
        form->roles = c->cells.cells_count;
        for (uint32_t v = 0; v < graph->vertices; v++)
            c->degree[v] = graph->first[v + 1] - graph->first[v];
        status = take_apart(c, fault);
    }
    if (status == STATUS_LIMIT)
        status = put_inexact(c, form);
    else if (status == STATUS_OK) {
        memcpy(form->id, c->results[0].digest, CANON_ID_SIZE);
        form->automorphisms_log10 = c->results[0].automorphisms_log10;
        form->exact = true;
    }
    if (status == STATUS_INTERRUPTED)
        return stop_check(fault);
    return status == STATUS_NOMEM ? fault_nomem(fault) : status;
}
