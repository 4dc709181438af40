#include "cli/views/drawing.h"

#include <stdlib.h>
#include <string.h>

#include "parser/mem.h"

/* A T-DAG of so many nodes is drawn node by node. */
#define PLAIN_MAX 24u

/* A transaction of the T-DAG by its position among the members. */
struct member {
    uint64_t signature; /* equal for twins: same leaves, predecessors and successors */
    uint32_t position;
    uint32_t twin;  /* position of the first twin */
    uint32_t twins; /* at the first: how many */
    uint32_t depth; /* of its outputs */
    uint64_t known;
    uint64_t unspent;
    bool root;
};

struct maker {
    const struct forest *forest;
    enum rules rules;
    const uint32_t *numbers; /* the members' transaction numbers, ascending */
    uint32_t count;
    uint32_t most;
    bool plain;
    struct member *members;
    uint32_t *spenders; /* scratch */
    size_t spenders_capacity;
    size_t vertices_capacity;
    size_t from_capacity;
    size_t to_capacity;
    struct drawing *drawing;
};

static uint32_t position_of(const struct maker *maker, uint32_t number)
{
    uint32_t low = 0, high = maker->count - 1;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (maker->numbers[middle] < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The finaliser of splitmix64. */
static uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

static void look_at(struct maker *maker, uint32_t position)
{
    const struct forest *forest = maker->forest;
    struct member *member = &maker->members[position];
    uint32_t number = maker->numbers[position];
    const struct forest_tx *tx = &forest->txs[number];
    uint64_t signature = 0, spent = 0, unknown = tx->nulldata;
    for (uint32_t s = tx->first_spend; s < tx[1].first_spend; s++) {
        const struct forest_output *output = &forest->outputs[forest->spends[s]];
        if (!forest_is_arc(output, maker->rules))
            continue;
        uint32_t depth = maker->members[position_of(maker, output->tx)].depth;
        member->depth = depth > member->depth ? depth : member->depth;
        signature += mix((uint64_t)output->tx << 1 | 1);
    }
    for (uint32_t o = tx->first_output; o < tx[1].first_output; o++) {
        const struct forest_output *output = &forest->outputs[o];
        unknown += output->unknown >> maker->rules & 1;
        if (!forest_is_arc(output, maker->rules))
            continue;
        spent++;
        signature += mix((uint64_t)output->spender << 32 | 1u << 31);
    }
    member->position = position;
    member->depth++;
    member->root = forest_is_root(forest, number, maker->rules);
    member->known = tx->outputs - unknown;
    member->unspent = unknown - spent;
    member->signature = mix(signature + mix(member->known << 33 ^ member->unspent << 1 ^ member->root));
    maker->drawing->nodes += tx->outputs + (uint64_t)member->root;
}

static int by_signature(const void *a, const void *b)
{
    const struct member *x = a, *y = b;
    if (x->signature != y->signature)
        return x->signature < y->signature ? -1 : 1;
    return x->position < y->position ? -1 : x->position > y->position;
}

static int by_position(const void *a, const void *b)
{
    const struct member *x = a, *y = b;
    return x->position < y->position ? -1 : x->position > y->position;
}

/* A wrong twin, which takes two equal hashes of 64 bits, would spoil a picture and nothing else. */
static void find_twins(struct maker *maker)
{
    struct member *members = maker->members;
    if (!maker->plain)
        qsort(members, maker->count, sizeof *members, by_signature);
    for (uint32_t i = 0, first = 0; i < maker->count; i++) {
        if (maker->plain || members[i].signature != members[first].signature)
            first = i;
        members[i].twin = members[first].position;
        members[first].twins++;
    }
    if (!maker->plain)
        qsort(members, maker->count, sizeof *members, by_position);
}

/* ---- vertices ---- */

static enum status add_vertex(struct maker *maker, const struct drawing_vertex *vertex)
{
    struct drawing *drawing = maker->drawing;
    if (drawing->vertices_count == maker->most)
        return STATUS_LIMIT;
    if (mem_reserve(&drawing->vertices, &maker->vertices_capacity, (size_t)drawing->vertices_count + 1,
                    sizeof *drawing->vertices) != STATUS_OK)
        return STATUS_NOMEM;
    drawing->vertices[drawing->vertices_count++] = *vertex;
    drawing->not_drawn -= vertex->count;
    return STATUS_OK;
}

/* `count` nodes as one vertex, or each as its own in a plain drawing. */
static enum status add_nodes(struct maker *maker, const struct member *member, enum vertex_type type, uint64_t count,
                             uint32_t spender)
{
    struct drawing_vertex vertex = {.type = type,
                                    .count = maker->plain ? 1 : count,
                                    .tx = maker->numbers[member->position],
                                    .position = member->position,
                                    .spender = spender,
                                    .layer = member->depth - (type == VERTEX_ROOT)};
    enum status status = STATUS_OK;
    for (uint64_t done = 0; done < count && status == STATUS_OK; done += vertex.count)
        status = add_vertex(maker, &vertex);
    return status;
}

static int compare_numbers(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

/* The spent outputs of a transaction and its twins, by who spends them. */
static enum status add_spent(struct maker *maker, const struct member *member)
{
    const struct forest_tx *tx = &maker->forest->txs[maker->numbers[member->position]];
    size_t count = 0;
    enum status status = mem_reserve(&maker->spenders, &maker->spenders_capacity,
                                     (size_t)(tx[1].first_output - tx->first_output), sizeof *maker->spenders);
    if (status != STATUS_OK)
        return status;
    for (uint32_t o = tx->first_output; o < tx[1].first_output; o++) {
        const struct forest_output *output = &maker->forest->outputs[o];
        if (forest_is_arc(output, maker->rules))
            maker->spenders[count++] = maker->members[position_of(maker, output->spender)].twin;
    }
    qsort(maker->spenders, count, sizeof *maker->spenders, compare_numbers);
    for (size_t i = 0, end; i < count && status == STATUS_OK; i = end) {
        for (end = i + 1; end < count && maker->spenders[end] == maker->spenders[i]; end++)
            ;
        status = add_nodes(maker, member, VERTEX_SPENT, (uint64_t)(end - i) * member->twins, maker->spenders[i]);
    }
    return status;
}

static bool is_reached(const struct maker *maker, const struct member *member)
{
    for (uint32_t v = 0; v < maker->drawing->vertices_count; v++) {
        if (maker->drawing->vertices[v].spender == member->position)
            return true;
    }
    return false;
}

/* STATUS_LIMIT once the drawing is full. */
static enum status add_vertices(struct maker *maker)
{
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < maker->count && status == STATUS_OK; i++) {
        struct member *member = &maker->members[i];
        if (member->twin != i || !(member->root || is_reached(maker, member)))
            continue;
        if (member->root)
            status = add_nodes(maker, member, VERTEX_ROOT, member->twins, FOREST_NONE);
        if (status == STATUS_OK)
            status = add_spent(maker, member);
        if (status == STATUS_OK)
            status = add_nodes(maker, member, VERTEX_UNSPENT, member->unspent * member->twins, FOREST_NONE);
        if (status == STATUS_OK)
            status = add_nodes(maker, member, VERTEX_KNOWN, member->known * member->twins, FOREST_NONE);
    }
    return status;
}

/* ---- arcs ---- */

static enum status add_arc(struct maker *maker, uint32_t from, uint32_t to)
{
    struct drawing *drawing = maker->drawing;
    size_t need = (size_t)drawing->arcs_count + 1;
    if (mem_reserve(&drawing->from, &maker->from_capacity, need, sizeof *drawing->from) != STATUS_OK ||
        mem_reserve(&drawing->to, &maker->to_capacity, need, sizeof *drawing->to) != STATUS_OK)
        return STATUS_NOMEM;
    drawing->from[drawing->arcs_count] = from;
    drawing->to[drawing->arcs_count++] = to;
    return STATUS_OK;
}

static enum status add_arcs(struct maker *maker)
{
    struct drawing *drawing = maker->drawing;
    enum status status = STATUS_OK;
    for (uint32_t v = 0; v < drawing->vertices_count; v++) {
        struct drawing_vertex *vertex = &drawing->vertices[v];
        uint32_t source = vertex->type == VERTEX_ROOT ? vertex->position : vertex->spender;
        bool any = false;
        for (uint32_t w = 0; w < drawing->vertices_count && source != FOREST_NONE && status == STATUS_OK; w++) {
            if (drawing->vertices[w].type == VERTEX_ROOT || drawing->vertices[w].position != source)
                continue;
            any = true;
            status = add_arc(maker, v, w);
        }
        vertex->cut = vertex->type == VERTEX_SPENT && !any;
    }
    return status;
}

/* Where a predecessor is not drawn, layers may be empty: those drawn are numbered anew. */
static enum status close_layers(struct drawing *drawing)
{
    uint32_t *layers = mem_alloc(drawing->vertices_count, sizeof *layers), count = 0;
    if (!layers)
        return STATUS_NOMEM;
    for (uint32_t v = 0; v < drawing->vertices_count; v++)
        layers[v] = drawing->vertices[v].layer;
    qsort(layers, drawing->vertices_count, sizeof *layers, compare_numbers);
    for (uint32_t v = 0; v < drawing->vertices_count; v++) {
        if (v == 0 || layers[v] != layers[count - 1])
            layers[count++] = layers[v];
    }
    for (uint32_t v = 0; v < drawing->vertices_count; v++) {
        uint32_t layer = 0;
        while (layers[layer] != drawing->vertices[v].layer)
            layer++;
        drawing->vertices[v].layer = layer;
    }
    mem_free(layers);
    return STATUS_OK;
}

enum status drawing_make(const struct forest *forest, const struct tdags *tdags, uint32_t dag, uint32_t most,
                         struct drawing *drawing, struct fault *fault)
{
    struct maker maker = {.forest = forest,
                          .rules = tdags->rules,
                          .numbers = tdags->members + tdags->first[dag - 1],
                          .count = tdags->first[dag] - tdags->first[dag - 1],
                          .most = most,
                          .drawing = drawing};
    *drawing = (struct drawing){0};
    maker.members = mem_alloc(maker.count, sizeof *maker.members);
    enum status status = maker.members ? STATUS_OK : STATUS_NOMEM;
    if (status == STATUS_OK) {
        for (uint32_t i = 0; i < maker.count; i++)
            look_at(&maker, i);
        drawing->not_drawn = drawing->nodes;
        maker.plain = drawing->nodes <= PLAIN_MAX && drawing->nodes <= most;
        find_twins(&maker);
        status = add_vertices(&maker);
    }
    if (status == STATUS_OK || status == STATUS_LIMIT)
        status = add_arcs(&maker);
    if (status == STATUS_OK)
        status = close_layers(drawing);
    mem_free(maker.members);
    mem_free(maker.spenders);
    return status == STATUS_OK ? STATUS_OK : fault_nomem(fault);
}

void drawing_free(struct drawing *drawing)
{
    mem_free(drawing->vertices);
    mem_free(drawing->from);
    mem_free(drawing->to);
    *drawing = (struct drawing){0};
}
