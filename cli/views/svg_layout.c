#include "cli/views/svg_layout.h"

#include <stdlib.h>

#include "graph/dag/shape.h"
#include "parser/mem.h"

#define SETTLE_ROUNDS 24u
#define ORDER_ROUNDS 8u

/* Layers that all arcs together may cross for igraph to order the vertices: it puts a vertex wherever an arc crosses a
 * layer, and works for one thread at a time. */
#define CROSSED_MOST 3000u

/* Vertices in order of (layer, x), and the neighbours of each. */
struct placing {
    const struct layout *layout;
    struct placed *placed;
    uint32_t *order;
    double *offset;  /* of each in the order: from the first of its layer, as near as room allows */
    uint32_t *first; /* by vertex, and an end: its neighbours in `neighbours` */
    uint32_t *neighbours;
    double *wish;
    uint32_t *block;
};

struct placed {
    uint32_t layer;
    uint32_t vertex;
    double x;
};

static int compare_placed(const void *a, const void *b)
{
    const struct placed *p = a, *q = b;
    if (p->layer != q->layer)
        return p->layer < q->layer ? -1 : 1;
    if (p->x < q->x || p->x > q->x)
        return p->x < q->x ? -1 : 1;
    return p->vertex < q->vertex ? -1 : p->vertex > q->vertex;
}

/* One layer's vertices in their order, each as near to the mean of its neighbours as its neighbours in the layer let it
 * be: the least squares under these constraints, by pooling what would overlap into blocks. */
static void settle_layer(struct placing *placing, uint32_t begin, uint32_t end)
{
    double *wish = placing->wish;
    uint32_t blocks = 0;
    for (uint32_t i = begin; i < end; i++) {
        double sum = wish[i - begin] - placing->offset[i];
        uint32_t size = 1;
        for (; blocks > 0 && wish[blocks - 1] >= sum / size; blocks--) {
            sum += wish[blocks - 1] * placing->block[blocks - 1];
            size += placing->block[blocks - 1];
        }
        wish[blocks] = sum / size; /* never ahead of i: what is overwritten has been read */
        placing->block[blocks++] = size;
    }
    for (uint32_t b = 0, i = begin; b < blocks; b++) {
        for (uint32_t last = i + placing->block[b]; i < last; i++)
            placing->layout->x[placing->order[i]] = wish[b] + placing->offset[i];
    }
}

static double mean_of_neighbours(const struct placing *placing, uint32_t v)
{
    uint32_t first = placing->first[v], end = placing->first[v + 1];
    double sum = 0;
    for (uint32_t i = first; i < end; i++)
        sum += placing->layout->x[placing->neighbours[i]];
    return end > first ? sum / (end - first) : placing->layout->x[v];
}

/* By counting: first[v + 1] is the end of v's once all are placed. */
static void find_neighbours(struct placing *placing)
{
    const struct drawing *drawing = &placing->layout->drawing;
    uint32_t *first = placing->first;
    for (uint32_t a = 0; a < drawing->arcs_count; a++) {
        first[drawing->from[a] + 2]++;
        first[drawing->to[a] + 2]++;
    }
    for (uint32_t v = 2; v <= drawing->vertices_count; v++)
        first[v + 1] += first[v];
    for (uint32_t a = 0; a < drawing->arcs_count; a++) {
        placing->neighbours[first[drawing->from[a] + 1]++] = drawing->to[a];
        placing->neighbours[first[drawing->to[a] + 1]++] = drawing->from[a];
    }
}

/* The order within layers by x, and the least distances. */
static void put_in_order(struct placing *placing, layout_room *room)
{
    const struct layout *layout = placing->layout;
    const struct drawing_vertex *vertices = layout->drawing.vertices;
    uint32_t count = layout->drawing.vertices_count;
    for (uint32_t v = 0; v < count; v++)
        placing->placed[v] = (struct placed){vertices[v].layer, v, layout->x[v]};
    qsort(placing->placed, count, sizeof *placing->placed, compare_placed);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t v = placing->order[i] = placing->placed[i].vertex;
        bool begins = i == 0 || placing->placed[i].layer != placing->placed[i - 1].layer;
        placing->offset[i] = begins ? 0
                                    : placing->offset[i - 1] + room(&vertices[placing->order[i - 1]]).right +
                                          room(&vertices[v]).left;
        layout->x[v] = placing->offset[i];
    }
}

/* igraph's places keep long arcs straight and make drawings several times as wide as need be; its order within the
 * layers, which crosses few arcs, is kept. */
static void settle(struct placing *placing)
{
    uint32_t count = placing->layout->drawing.vertices_count;
    for (unsigned round = 0; round < SETTLE_ROUNDS; round++) {
        for (uint32_t first = 0, end; first < count; first = end) {
            for (end = first; end < count && placing->placed[end].layer == placing->placed[first].layer; end++)
                placing->wish[end - first] = mean_of_neighbours(placing, placing->order[end]);
            settle_layer(placing, first, end);
        }
    }
}

/* In place of igraph's order: each vertex goes to the mean of its neighbours. */
static void order_by_neighbours(struct placing *placing, layout_room *room)
{
    for (unsigned round = 0; round < ORDER_ROUNDS; round++) {
        put_in_order(placing, room);
        for (uint32_t i = 0; i < placing->layout->drawing.vertices_count; i++)
            placing->layout->x[placing->order[i]] = mean_of_neighbours(placing, placing->order[i]);
    }
}

static enum status draw_together(struct layout *layout, layout_room *room, bool ordered)
{
    size_t count = layout->drawing.vertices_count;
    struct placing placing = {
        .layout = layout,
        .placed = mem_alloc(count, sizeof *placing.placed),
        .order = mem_alloc(count, sizeof *placing.order),
        .offset = mem_alloc(count, sizeof *placing.offset),
        .first = mem_alloc(count + 2, sizeof *placing.first),
        .neighbours = mem_alloc(2 * (size_t)layout->drawing.arcs_count, sizeof *placing.neighbours),
        .wish = mem_alloc(count, sizeof *placing.wish),
        .block = mem_alloc(count, sizeof *placing.block)};
    enum status status = placing.placed && placing.order && placing.offset && placing.first && placing.neighbours &&
                                 placing.wish && placing.block
                             ? STATUS_OK
                             : STATUS_NOMEM;
    if (status == STATUS_OK) {
        find_neighbours(&placing);
        if (!ordered)
            order_by_neighbours(&placing, room);
        put_in_order(&placing, room);
        settle(&placing);
    }
    mem_free(placing.placed);
    mem_free(placing.order);
    mem_free(placing.offset);
    mem_free(placing.first);
    mem_free(placing.neighbours);
    mem_free(placing.wish);
    mem_free(placing.block);
    return status;
}

/* Places from igraph; where that would take long, *ordered stays false. */
static enum status find_order(struct layout *layout, bool *ordered, struct fault *fault)
{
    const struct drawing *drawing = &layout->drawing;
    uint32_t count = drawing->vertices_count;
    uint64_t crossed = 0;
    for (uint32_t a = 0; a < drawing->arcs_count; a++)
        crossed += drawing->vertices[drawing->to[a]].layer - drawing->vertices[drawing->from[a]].layer;
    if (crossed > CROSSED_MOST)
        return STATUS_OK;
    uint32_t *layers = mem_alloc(2 * (size_t)count, sizeof *layers); /* and as many colours, all 0 */
    if (!layers)
        return fault_nomem(fault);
    for (uint32_t v = 0; v < count; v++)
        layers[v] = drawing->vertices[v].layer;
    enum status status = shape_layout(&(struct shape_graph){.vertices = count,
                                                            .arcs = drawing->arcs_count,
                                                            .colour = layers + count,
                                                            .from = drawing->from,
                                                            .to = drawing->to},
                                      layers, layout->x, fault);
    mem_free(layers);
    *ordered = true;
    return status;
}

static void measure(struct layout *layout, layout_room *room, double layer)
{
    const struct drawing *drawing = &layout->drawing;
    double least = 0;
    for (uint32_t v = 0; v < drawing->vertices_count; v++) {
        double left = layout->x[v] - room(&drawing->vertices[v]).left;
        least = v == 0 || left < least ? left : least;
    }
    for (uint32_t v = 0; v < drawing->vertices_count; v++) {
        struct layout_room need = room(&drawing->vertices[v]);
        layout->x[v] += LAYOUT_MARGIN / 2 - least;
        layout->y[v] = LAYOUT_MARGIN + layer * drawing->vertices[v].layer / (drawing->has_joints ? 2 : 1);
        double right = layout->x[v] + need.right + LAYOUT_MARGIN / 2, below = layout->y[v] + need.below;
        layout->width = right > layout->width ? right : layout->width;
        layout->height = below > layout->height ? below : layout->height;
    }
}

enum status layout_make(struct layout *layout, layout_room *room, double layer, struct fault *fault)
{
    layout->x = mem_alloc(layout->drawing.vertices_count, sizeof *layout->x);
    layout->y = mem_alloc(layout->drawing.vertices_count, sizeof *layout->y);
    if (!layout->x || !layout->y)
        return fault_nomem(fault);
    bool ordered = false;
    enum status status = find_order(layout, &ordered, fault);
    if (status == STATUS_OK && draw_together(layout, room, ordered) != STATUS_OK)
        status = fault_nomem(fault);
    if (status == STATUS_OK)
        measure(layout, room, layer);
    return status;
}

void layout_free(struct layout *layout)
{
    if (!layout->is_borrowed)
        drawing_free(&layout->drawing);
    mem_free(layout->x);
    mem_free(layout->y);
    *layout = (struct layout){0};
}
