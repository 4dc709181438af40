/* Why the form is exact. Two steps are done in turn until neither changes anything.
 *
 * Cutting: a vertex with one arc is taken away, and so on. All vertices of its cell go alike, so what goes follows
 * from the cells and relations, which both graphs are known to share, and need not be written: each vertex of the cell
 * where it hung had the same number k of such neighbours, for k! automorphisms each.
 *
 * Merging: vertices of one cell with the same neighbours by the same relations are twins. When all sets of twins of a
 * cell have the same size t, one of each stays, t is written, and each set stands for t! automorphisms. A vertex
 * next to one twin is next to all, so the colouring stays stable, and cells may be merged in any order.
 *
 * What is left is written down in the order that BLISS gives it. A change of any of this is a new FORMS_VERSION. */
#define _GNU_SOURCE /* qsort_r */
#include "classify/irreducible.h"

#include <stdlib.h>
#include <string.h>

#include "graph/dag/shape.h"
#include "parser/bytes.h"
#include "parser/log10.h"
#include "parser/mem.h"
#include "parser/sha256.h"

#define SIZE_MAX_FOR_BLISS (UINT32_C(1) << 26)

enum status irreducible_new(uint32_t vertices, uint32_t arcs, struct irreducible *r, struct fault *fault)
{
    *r = (struct irreducible){.vertices = vertices, .arcs = arcs};
    r->cell = mem_alloc(vertices, sizeof *r->cell);
    r->from = mem_alloc(arcs, sizeof *r->from);
    r->to = mem_alloc(arcs, sizeof *r->to);
    r->relation = mem_alloc(arcs, sizeof *r->relation);
    r->marked = mem_alloc(arcs, sizeof *r->marked);
    if (r->cell && r->from && r->to && r->relation && r->marked)
        return STATUS_OK;
    irreducible_free(r);
    return fault_nomem(fault);
}

void irreducible_free(struct irreducible *r)
{
    mem_free(r->cell);
    mem_free(r->from);
    mem_free(r->to);
    mem_free(r->relation);
    mem_free(r->marked);
    *r = (struct irreducible){0};
}

struct work {
    struct irreducible *r;
    uint8_t *gone;        /* by vertex */
    uint32_t *degree;     /* by vertex */
    uint32_t *only;       /* by vertex: its arcs' numbers, xored: the number of an only arc */
    uint32_t *todo;       /* by vertex: stack, or vertices sorted */
    uint32_t *cell_size;  /* by cell */
    uint32_t *least;      /* by cell: smallest set of twins */
    uint32_t *most;       /* by cell: largest set of twins */
    uint32_t *cut;        /* by relation: arcs cut */
    uint32_t *holder;     /* by relation: the cell that they hung on */
    uint64_t *neighbours; /* [2 * arcs] */
    size_t *first;        /* [vertices + 1], in neighbours */
    uint8_t *bytes;
    size_t size;
    size_t capacity;
    double automorphisms_log10;
};

static void work_free(struct work *w)
{
    void *blocks[] = {w->gone, w->degree, w->only,   w->todo,       w->cell_size, w->least,
                      w->most, w->cut,    w->holder, w->neighbours, w->first};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        mem_free(blocks[i]);
}

static enum status work_new(struct work *w, struct irreducible *r)
{
    size_t n = r->vertices;
    *w = (struct work){.r = r};
    uint32_t **words[] = {&w->degree, &w->only, &w->todo, &w->cell_size, &w->least, &w->most, &w->cut, &w->holder};
    size_t lengths[] = {n, n, n, r->cells, r->cells, r->cells, r->relations, r->relations};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (!(*words[i] = mem_alloc(lengths[i], sizeof **words)))
            return STATUS_NOMEM;
    w->gone = mem_alloc(n, 1);
    w->neighbours = mem_alloc(2 * (size_t)r->arcs, sizeof *w->neighbours);
    w->first = mem_alloc(n + 2, sizeof *w->first);
    return w->gone && w->neighbours && w->first ? STATUS_OK : STATUS_NOMEM;
}

static enum status put32(struct work *w, uint32_t value)
{
    enum status status = mem_reserve(&w->bytes, &w->capacity, w->size + 4, 1);
    if (status != STATUS_OK)
        return status;
    store_le32(w->bytes + w->size, value);
    w->size += 4;
    return STATUS_OK;
}

static void digest(const uint8_t *bytes, size_t size, uint8_t out[FORMS_DIGEST_SIZE])
{
    uint8_t hash[32];
    sha256(bytes, size, hash);
    memcpy(out, hash, FORMS_DIGEST_SIZE);
}

static void count_cells(struct work *w)
{
    memset(w->cell_size, 0, w->r->cells * sizeof *w->cell_size);
    for (uint32_t v = 0; v < w->r->vertices; v++)
        w->cell_size[w->r->cell[v]] += !w->gone[v];
}

/* Drops the arcs of vertices that are gone. */
static void drop_arcs(struct work *w)
{
    struct irreducible *r = w->r;
    uint32_t kept = 0;
    for (uint32_t e = 0; e < r->arcs; e++) {
        if (w->gone[r->from[e]] || w->gone[r->to[e]])
            continue;
        r->from[kept] = r->from[e];
        r->to[kept] = r->to[e];
        r->relation[kept++] = r->relation[e];
    }
    r->arcs = kept;
}

static void cut(struct work *w)
{
    struct irreducible *r = w->r;
    uint32_t todo = 0;
    memset(w->degree, 0, r->vertices * sizeof *w->degree);
    memset(w->only, 0, r->vertices * sizeof *w->only);
    memset(w->cut, 0, r->relations * sizeof *w->cut);
    for (uint32_t e = 0; e < r->arcs; e++) {
        w->degree[r->from[e]]++;
        w->only[r->from[e]] ^= e;
        w->degree[r->to[e]]++;
        w->only[r->to[e]] ^= e;
    }
    for (uint32_t v = 0; v < r->vertices; v++)
        if (w->degree[v] == 1)
            w->todo[todo++] = v;
    while (todo > 0) {
        uint32_t v = w->todo[--todo];
        if (w->degree[v] != 1)
            continue;
        uint32_t e = w->only[v], holder = r->from[e] == v ? r->to[e] : r->from[e];
        w->gone[v] = 1;
        w->degree[v] = 0;
        w->only[holder] ^= e;
        w->cut[r->relation[e]]++;
        w->holder[r->relation[e]] = r->cell[holder];
        if (--w->degree[holder] == 1)
            w->todo[todo++] = holder;
    }
    for (uint32_t i = 0; i < r->relations; i++)
        if (w->cut[i] > 0) {
            uint32_t holders = w->cell_size[w->holder[i]];
            w->automorphisms_log10 += holders * log10_of_factorial(w->cut[i] / holders);
        }
    drop_arcs(w);
}

static int compare_words(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Each vertex's neighbours as sorted words of relation, direction and number. */
static void list_neighbours(struct work *w)
{
    const struct irreducible *r = w->r;
    memset(w->first, 0, ((size_t)r->vertices + 2) * sizeof *w->first);
    for (uint32_t e = 0; e < r->arcs; e++) {
        w->first[r->from[e] + 2]++;
        w->first[r->to[e] + 2]++;
    }
    for (uint32_t v = 0; v < r->vertices; v++)
        w->first[v + 2] += w->first[v + 1];
    for (uint32_t e = 0; e < r->arcs; e++) {
        w->neighbours[w->first[r->from[e] + 1]++] = (uint64_t)r->relation[e] << 33 | r->to[e];
        w->neighbours[w->first[r->to[e] + 1]++] = (uint64_t)r->relation[e] << 33 | UINT64_C(1) << 32 | r->from[e];
    }
    for (uint32_t v = 0; v < r->vertices; v++)
        qsort(w->neighbours + w->first[v], w->first[v + 1] - w->first[v], sizeof *w->neighbours, compare_words);
}

/* By cell, then by neighbours: twins are equal. */
static int compare_vertices(const void *left, const void *right, void *work)
{
    const struct work *w = work;
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    if (w->r->cell[a] != w->r->cell[b])
        return w->r->cell[a] < w->r->cell[b] ? -1 : 1;
    size_t count = w->first[a + 1] - w->first[a]; /* the same for all of a cell */
    for (size_t i = 0; i < count; i++) {
        uint64_t x = w->neighbours[w->first[a] + i], y = w->neighbours[w->first[b] + i];
        if (x != y)
            return x < y ? -1 : 1;
    }
    return 0;
}

/* Merges twins; says whether there were any. */
static enum status merge(struct work *w, bool *merged)
{
    struct irreducible *r = w->r;
    uint32_t count = 0;
    enum status status = STATUS_OK;
    *merged = false;
    list_neighbours(w);
    for (uint32_t v = 0; v < r->vertices; v++)
        if (!w->gone[v])
            w->todo[count++] = v;
    qsort_r(w->todo, count, sizeof *w->todo, compare_vertices, w);
    memset(w->least, 0, r->cells * sizeof *w->least);
    memset(w->most, 0, r->cells * sizeof *w->most);
    for (uint32_t i = 0, next; i < count; i = next) {
        uint32_t cell = r->cell[w->todo[i]];
        for (next = i + 1; next < count && compare_vertices(&w->todo[i], &w->todo[next], w) == 0; next++)
            ;
        if (w->most[cell] == 0 || next - i < w->least[cell])
            w->least[cell] = next - i;
        if (next - i > w->most[cell])
            w->most[cell] = next - i;
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t cell = r->cell[w->todo[i]], twins = w->least[cell];
        if (twins == w->most[cell] && twins > 1)
            for (uint32_t left = twins; --left > 0;)
                w->gone[w->todo[++i]] = 1;
    }
    for (uint32_t cell = 0; cell < r->cells && status == STATUS_OK; cell++) {
        uint32_t twins = w->least[cell];
        if (twins < 2 || twins != w->most[cell])
            continue;
        *merged = true;
        uint32_t groups = w->cell_size[cell] / twins;
        w->automorphisms_log10 += groups * log10_of_factorial(twins);
        status = put32(w, cell);
        if (status == STATUS_OK)
            status = put32(w, twins);
    }
    if (status == STATUS_OK)
        status = put32(w, UINT32_MAX);
    drop_arcs(w);
    return status;
}

/* The graph for BLISS: vertices by cell; a marked arc goes through a vertex whose colour is its relation's. */
static void fill_shape(const struct work *w, uint32_t *name, uint32_t *colour, uint32_t *from, uint32_t *to,
                       struct shape_graph *graph)
{
    const struct irreducible *r = w->r;
    uint32_t vertices = 0, arcs = 0;
    for (uint32_t v = 0; v < r->vertices; v++)
        if (!w->gone[v]) {
            colour[vertices] = r->cell[v];
            name[v] = vertices++;
        }
    for (uint32_t e = 0; e < r->arcs; e++) {
        uint32_t begin = name[r->from[e]];
        if (r->marked[r->relation[e]]) {
            colour[vertices] = r->cells + r->relation[e];
            from[arcs] = begin;
            to[arcs++] = begin = vertices++;
        }
        from[arcs] = begin;
        to[arcs++] = name[r->to[e]];
    }
    *graph = (struct shape_graph){vertices, arcs, colour, from, to};
}

/* Writes the graph in its canonical order. */
static enum status put_shape(struct work *w, const struct shape_graph *graph, const uint32_t *position)
{
    size_t head = 8 + 4 * (size_t)graph->vertices, size = head + 8 * (size_t)graph->arcs;
    uint64_t *words = mem_alloc(graph->arcs, sizeof *words);
    if (!words || mem_reserve(&w->bytes, &w->capacity, w->size + size, 1) != STATUS_OK) {
        mem_free(words);
        return STATUS_NOMEM;
    }
    uint8_t *out = w->bytes + w->size;
    store_le32(out, graph->vertices);
    store_le32(out + 4, graph->arcs);
    for (uint32_t v = 0; v < graph->vertices; v++)
        store_le32(out + 8 + 4 * (size_t)position[v], graph->colour[v]);
    for (uint32_t i = 0; i < graph->arcs; i++)
        words[i] = (uint64_t)position[graph->from[i]] << 32 | position[graph->to[i]];
    qsort(words, graph->arcs, sizeof *words, compare_words);
    for (uint32_t i = 0; i < graph->arcs; i++)
        store_le64(out + head + 8 * (size_t)i, words[i]);
    w->size += size;
    mem_free(words);
    return STATUS_OK;
}

static enum status ask_bliss(struct work *w, struct fault *fault)
{
    size_t vertices = (size_t)w->r->vertices + w->r->arcs, arcs = 2 * (size_t)w->r->arcs;
    uint32_t *words = mem_alloc(3 * vertices + 2 * arcs, sizeof *words);
    struct shape_graph graph;
    double automorphisms_log10;
    if (!words)
        return STATUS_NOMEM;
    uint32_t *name = words, *colour = name + vertices, *position = colour + vertices, *from = position + vertices;
    fill_shape(w, name, colour, from, from + arcs, &graph);
    enum status status = shape_canonical(&graph, position, &automorphisms_log10, fault);
    if (status == STATUS_OK) {
        w->automorphisms_log10 += automorphisms_log10;
        status = put_shape(w, &graph, position);
    }
    mem_free(words);
    return status;
}

/* What irreducible_form does where no form is kept. */
static enum status compute(struct irreducible *r, const uint8_t head[IRREDUCIBLE_HEAD_SIZE], struct form *form,
                           struct fault *fault)
{
    struct work w;
    bool merged = true;
    if ((uint64_t)r->vertices + r->arcs > SIZE_MAX_FOR_BLISS)
        return fault_set(fault, STATUS_LIMIT, NULL, FAULT_NO_OFFSET, "a piece of a T-DAG is too large for BLISS");
    enum status status = work_new(&w, r);
    if (status == STATUS_OK)
        status = mem_reserve(&w.bytes, &w.capacity, IRREDUCIBLE_HEAD_SIZE, 1);
    if (status == STATUS_OK) {
        memcpy(w.bytes, head, IRREDUCIBLE_HEAD_SIZE);
        w.size = IRREDUCIBLE_HEAD_SIZE;
    }
    while (status == STATUS_OK && merged) {
        count_cells(&w);
        cut(&w);
        count_cells(&w);
        status = merge(&w, &merged);
    }
    if (status == STATUS_OK)
        status = ask_bliss(&w, fault);
    if (status == STATUS_OK) {
        digest(w.bytes, w.size, form->digest);
        form->automorphisms_log10 = w.automorphisms_log10;
        form->decided = true;
    }
    work_free(&w);
    mem_free(w.bytes);
    return status == STATUS_NOMEM ? fault_nomem(fault) : status;
}

/* All that the form follows from: the piece as it is numbered, its cells and relations (of which `head` has a digest,
 * and which tell what is marked), and how BLISS is asked. O(vertices + arcs). */
static enum status find_key(const struct irreducible *r, const uint8_t head[IRREDUCIBLE_HEAD_SIZE],
                            uint8_t key[FORMS_KEY_SIZE], struct fault *fault)
{
    const uint32_t *const arrays[] = {r->cell, r->from, r->to, r->relation};
    const size_t lengths[] = {r->vertices, r->arcs, r->arcs, r->arcs};
    size_t size = SHAPE_METHOD_SIZE + IRREDUCIBLE_HEAD_SIZE + 8;
    uint8_t *bytes = mem_alloc(size + 4 * (r->vertices + 3 * (size_t)r->arcs), 1);
    if (!bytes)
        return fault_nomem(fault);
    enum status status = shape_method((char *)bytes, fault);
    memcpy(bytes + SHAPE_METHOD_SIZE, head, IRREDUCIBLE_HEAD_SIZE);
    store_le32(bytes + size - 8, r->vertices);
    store_le32(bytes + size - 4, r->arcs);
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        for (size_t k = 0; k < lengths[i]; k++, size += 4)
            store_le32(bytes + size, arrays[i][k]);
    digest(bytes, size, key);
    mem_free(bytes);
    return status;
}

enum status irreducible_form(struct irreducible *r, struct forms *forms, const uint8_t head[IRREDUCIBLE_HEAD_SIZE],
                             uint8_t form_digest[FORMS_DIGEST_SIZE], double *automorphisms_log10, struct fault *fault)
{
    struct form form = {0};
    uint8_t key[FORMS_KEY_SIZE];
    enum status status = forms ? find_key(r, head, key, fault) : STATUS_OK;
    if (status != STATUS_OK)
        return status;
    if (!forms || !forms_find(forms, key, &form)) {
        status = compute(r, head, &form, fault);
        if (status != STATUS_OK && status != STATUS_LIMIT)
            return status;
        if (forms)
            forms_add(forms, key, &form);
    }
    if (!form.decided)
        return fault_set(fault, STATUS_LIMIT, NULL, FAULT_NO_OFFSET, "BLISS cannot decide a piece of a T-DAG");
    memcpy(form_digest, form.digest, FORMS_DIGEST_SIZE);
    *automorphisms_log10 = form.automorphisms_log10;
    return STATUS_OK;
}
