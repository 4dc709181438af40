#include "cli/views/drawing.h"

#include "cli/views/drawing_graph.h"
#include "parser/array.h"

/* So many arcs from what leads to a transaction to its outputs are drawn one by one, more by way of a joint. */
#define ARCS_WITHOUT_JOINT 16u
#define BANDS_MOST 24u

/* What there is of a block. */
struct sums {
    uint64_t roots;
    uint64_t entered;
    uint64_t outside;
    uint64_t unspent;
    uint64_t known;
    uint64_t nodes;
    uint32_t txs;
    uint32_t first_level;
    uint32_t last_level;
    uint8_t marks;
};

/* Outputs of one block that another one spends. */
struct pair {
    uint64_t count;
    uint8_t marks;
};

struct maker {
    const struct drawing_graph *graph;
    struct drawing_blocks blocks;
    struct sums *sums;  /* by block */
    struct pair *pairs; /* by (from, to) */
    bool plain;
    uint32_t most; /* vertices */
    ARRAY(struct drawing_vertex) vertices;
    ARRAY(uint32_t) from;
    ARRAY(uint32_t) to;
    ARRAY(uint8_t) marks;
    ARRAY(uint32_t) sources; /* scratch: vertices */
    ARRAY(uint32_t) outs;
    bool has_joints;
};

static struct pair *pair_of(const struct maker *maker, uint32_t from, uint32_t to)
{
    return &maker->pairs[(size_t)from * maker->blocks.count + to];
}

static enum status add_up(struct maker *maker)
{
    const struct drawing_graph *graph = maker->graph;
    const uint32_t *of = maker->blocks.of;
    maker->sums = mem_alloc(maker->blocks.count, sizeof *maker->sums);
    maker->pairs = mem_alloc((size_t)maker->blocks.count * maker->blocks.count, sizeof *maker->pairs);
    if (!maker->sums || !maker->pairs)
        return STATUS_NOMEM;
    for (uint32_t i = 0; i < graph->txs_count; i++) {
        const struct drawing_tx *tx = &graph->txs[i];
        struct sums *sums = &maker->sums[of[i]];
        sums->roots += tx->root;
        sums->entered += tx->entered;
        sums->outside += tx->outside;
        sums->unspent += tx->unspent;
        sums->known += tx->known;
        sums->nodes += tx->root + tx->inside + tx->outside + tx->unspent + tx->known;
        sums->first_level = sums->txs == 0 || tx->depth < sums->first_level ? tx->depth : sums->first_level;
        sums->last_level = tx->depth > sums->last_level ? tx->depth : sums->last_level;
        sums->marks |= tx->marks;
        sums->txs++;
    }
    for (uint32_t a = 0; a < graph->arcs_count; a++) {
        struct pair *pair = pair_of(maker, of[graph->arcs[a].from], of[graph->arcs[a].to]);
        pair->count++;
        pair->marks |= graph->arcs[a].marks;
    }
    return STATUS_OK;
}

/* ---- vertices ---- */

/* As one vertex, or in a plain drawing as one for each node. STATUS_LIMIT: the drawing is full. */
static enum status add_nodes(struct maker *maker, enum vertex_type type, uint32_t block, uint64_t count)
{
    const struct sums *sums = &maker->sums[block];
    const struct drawing_block *list = &maker->blocks.list[block];
    struct drawing_vertex vertex = {.type = type,
                                    .block = block,
                                    .to = FOREST_NONE,
                                    .tx = maker->graph->scope->numbers[list->first],
                                    .txs = sums->txs,
                                    .first_level = sums->first_level,
                                    .last_level = sums->last_level,
                                    .components = list->components,
                                    .layer = 2 * list->band + (type == VERTEX_ROOT ? 0 : 2),
                                    .count = maker->plain ? 1 : count};
    for (uint64_t done = 0; done < count; done += vertex.count) {
        if (maker->vertices.count >= maker->most)
            return STATUS_LIMIT;
        if (!PUSH(maker->vertices, vertex))
            return STATUS_NOMEM;
    }
    return STATUS_OK;
}

/* Where what is not drawn leads into the block. */
static enum status add_entry(struct maker *maker, uint32_t block)
{
    const struct drawing_vertex entry = {
        .type = VERTEX_ENTRY, .block = block, .to = FOREST_NONE, .layer = 2 * maker->blocks.list[block].band};
    if (maker->sums[block].entered == 0)
        return STATUS_OK;
    if (maker->vertices.count >= maker->most)
        return STATUS_LIMIT;
    return PUSH(maker->vertices, entry) ? STATUS_OK : STATUS_NOMEM;
}

static enum status add_spent(struct maker *maker, uint32_t block, uint32_t to, uint64_t count, uint8_t marks)
{
    enum status status = add_nodes(maker, VERTEX_SPENT, block, count);
    if (status != STATUS_OK)
        return status;
    struct drawing_vertex *vertex = &maker->vertices.at[maker->vertices.count - 1];
    vertex->to = to;
    vertex->marks = marks;
    return STATUS_OK;
}

/* `*arc`: in a plain drawing the first of those that begin at the block's transaction. */
static enum status add_all_spent(struct maker *maker, uint32_t block, uint32_t *arc)
{
    const struct drawing_graph *graph = maker->graph;
    enum status status = STATUS_OK;
    for (; maker->plain && *arc < graph->arcs_count && graph->arcs[*arc].from == block && status == STATUS_OK; ++*arc)
        status = add_spent(maker, block, graph->arcs[*arc].to, 1, graph->arcs[*arc].marks);
    for (uint32_t to = 0; !maker->plain && to < maker->blocks.count && status == STATUS_OK; to++) {
        const struct pair *pair = pair_of(maker, block, to);
        if (pair->count > 0)
            status = add_spent(maker, block, to, pair->count, pair->marks);
    }
    return status;
}

static enum status add_block(struct maker *maker, uint32_t block, uint32_t *arc)
{
    const struct sums *sums = &maker->sums[block];
    size_t before = maker->vertices.count;
    if (maker->blocks.list[block].is_part) {
        enum status status = add_nodes(maker, VERTEX_PART, block, sums->nodes);
        if (status == STATUS_OK) {
            maker->vertices.at[before].marks = sums->marks;
            maker->vertices.at[before].cut = sums->outside > 0;
        }
        return status;
    }
    enum status status = add_nodes(maker, VERTEX_ROOT, block, sums->roots);
    if (status == STATUS_OK)
        status = add_entry(maker, block);
    if (status == STATUS_OK)
        status = add_all_spent(maker, block, arc);
    before = maker->vertices.count;
    if (status == STATUS_OK)
        status = add_nodes(maker, VERTEX_SPENT, block, sums->outside);
    for (; before < maker->vertices.count; before++)
        maker->vertices.at[before].cut = true;
    if (status == STATUS_OK)
        status = add_nodes(maker, VERTEX_UNSPENT, block, sums->unspent);
    return status == STATUS_OK ? add_nodes(maker, VERTEX_KNOWN, block, sums->known) : status;
}

/* A path begins at a root, and ends in an output of its last transaction: one that is not spent, if there is one. */
static void mark_ends(struct maker *maker, unsigned which)
{
    static const uint8_t rank[] = {
        [VERTEX_SPENT] = 1, [VERTEX_KNOWN] = 2, [VERTEX_UNSPENT] = 3, [VERTEX_PART] = 4, [VERTEX_JOINT] = 0};
    const struct drawing_graph *graph = maker->graph;
    uint8_t mark = which == 0 ? DRAWING_LONGEST : DRAWING_HEAVIEST;
    struct drawing_vertex *last = NULL;
    if (graph->ends[which] == FOREST_NONE)
        return;
    uint32_t begin = maker->blocks.of[graph->begins[which]], end = maker->blocks.of[graph->ends[which]];
    for (size_t v = maker->vertices.count; v-- > 0;) {
        struct drawing_vertex *vertex = &maker->vertices.at[v];
        if (vertex->type == VERTEX_ROOT || vertex->type == VERTEX_ENTRY) {
            vertex->marks |= vertex->type == VERTEX_ROOT && vertex->block == begin ? mark : 0;
            continue;
        }
        if (vertex->block == end && (!last || rank[vertex->type] >= rank[last->type]))
            last = vertex;
    }
    if (last)
        last->marks |= mark;
}

static enum status add_vertices(struct maker *maker)
{
    enum status status = STATUS_OK;
    uint32_t arc = 0;
    for (uint32_t b = 0; b < maker->blocks.count && status == STATUS_OK; b++)
        status = add_block(maker, b, &arc);
    for (unsigned which = 0; which < 2 && status == STATUS_OK; which++)
        mark_ends(maker, which);
    return status;
}

/* ---- arcs ---- */

static bool add_arc(struct maker *maker, uint32_t from, uint32_t to, uint8_t marks)
{
    return PUSH(maker->from, from) && PUSH(maker->to, to) && PUSH(maker->marks, marks);
}

/* Which of the paths go from the vertex into the block, if it leads there. */
static bool leads_to(const struct maker *maker, const struct drawing_vertex *vertex, uint32_t block, uint8_t *marks)
{
    *marks = vertex->marks;
    switch (vertex->type) {
    case VERTEX_ROOT:
    case VERTEX_ENTRY: return vertex->block == block;
    case VERTEX_SPENT: return vertex->to == block;
    case VERTEX_PART: {
        const struct pair *pair = pair_of(maker, vertex->block, block);
        *marks = pair->marks;
        return vertex->block != block && pair->count > 0;
    }
    default: return false;
    }
}

static bool is_output(const struct drawing_vertex *vertex)
{
    return vertex->type != VERTEX_ROOT && vertex->type != VERTEX_ENTRY && vertex->type != VERTEX_JOINT;
}

/* What leads into the block, and its outputs; *into and *out: the paths that do. */
static bool find_ends(struct maker *maker, uint32_t block, uint8_t *into, uint8_t *out)
{
    bool done = true;
    uint8_t marks;
    maker->sources.count = maker->outs.count = 0;
    *into = *out = 0;
    for (size_t v = 0; v < maker->vertices.count && done; v++) {
        const struct drawing_vertex *vertex = &maker->vertices.at[v];
        if (leads_to(maker, vertex, block, &marks)) {
            done = PUSH(maker->sources, (uint32_t)v);
            *into |= marks;
        } else if (vertex->block == block && is_output(vertex)) {
            done = PUSH(maker->outs, (uint32_t)v);
            *out |= vertex->marks;
        }
    }
    return done;
}

/* The arcs from `sources` to `outs`, or to a joint, or from it. */
static bool add_joint(struct maker *maker, uint32_t block, uint8_t into, uint8_t out)
{
    uint32_t joint = (uint32_t)maker->vertices.count;
    uint8_t marks;
    bool done = PUSH(maker->vertices, ((struct drawing_vertex){.type = VERTEX_JOINT,
                                                               .block = block,
                                                               .to = FOREST_NONE,
                                                               .marks = into & out,
                                                               .layer = 2 * maker->blocks.list[block].band + 1}));
    maker->has_joints = true;
    for (size_t s = 0; s < maker->sources.count && done; s++) {
        uint32_t source = maker->sources.at[s];
        (void)leads_to(maker, &maker->vertices.at[source], block, &marks);
        done = add_arc(maker, source, joint, marks & out);
    }
    for (size_t o = 0; o < maker->outs.count && done; o++)
        done = add_arc(maker, joint, maker->outs.at[o], into & maker->vertices.at[maker->outs.at[o]].marks);
    return done;
}

static bool add_arcs_to(struct maker *maker, uint32_t block)
{
    uint8_t into, out, marks;
    if (!find_ends(maker, block, &into, &out))
        return false;
    size_t sources = maker->sources.count, outs = maker->outs.count;
    if (sources > 1 && outs > 1 && sources * outs > ARCS_WITHOUT_JOINT)
        return add_joint(maker, block, into, out);
    for (size_t s = 0; s < sources; s++) {
        const uint32_t source = maker->sources.at[s];
        (void)leads_to(maker, &maker->vertices.at[source], block, &marks);
        for (size_t o = 0; o < outs; o++) {
            uint32_t to = maker->outs.at[o];
            if (!add_arc(maker, source, to, marks & maker->vertices.at[to].marks))
                return false;
        }
    }
    return true;
}

static enum status add_arcs(struct maker *maker)
{
    bool done = true;
    uint32_t least = UINT32_MAX;
    for (uint32_t b = 0; b < maker->blocks.count && done; b++)
        done = add_arcs_to(maker, b);
    for (size_t v = 0; v < maker->vertices.count; v++)
        least = maker->vertices.at[v].layer < least ? maker->vertices.at[v].layer : least;
    for (size_t v = 0; v < maker->vertices.count; v++) {
        struct drawing_vertex *vertex = &maker->vertices.at[v];
        vertex->layer = (vertex->layer - least) / (maker->has_joints ? 1 : 2);
    }
    return done ? STATUS_OK : STATUS_NOMEM;
}

/* ---- all of it ---- */

/* STATUS_LIMIT: it does not fit. */
static enum status attempt(struct maker *maker, const struct drawing_limits *limits)
{
    enum status status = maker->plain ? drawing_blocks_plain(maker->graph, &maker->blocks)
                                      : drawing_blocks_make(maker->graph, limits, &maker->blocks);
    maker->vertices.count = 0;
    if (status == STATUS_OK)
        status = add_up(maker);
    if (status == STATUS_OK)
        status = add_vertices(maker);
    if (status == STATUS_OK)
        status = add_arcs(maker);
    mem_free(maker->sums);
    mem_free(maker->pairs);
    mem_free(maker->blocks.list);
    maker->sums = NULL;
    maker->pairs = NULL;
    if (status != STATUS_OK)
        mem_free(maker->blocks.of);
    return status;
}

/* Less and less is told apart until the drawing fits: two bands of a block each always do. */
static enum status make(struct maker *maker, const struct drawing_bounds *bounds)
{
    struct drawing_limits limits = {bounds->most / 6, bounds->most * 3 / 8, true};
    limits.bands = limits.bands > BANDS_MOST ? BANDS_MOST : limits.bands;
    maker->plain = maker->graph->nodes <= bounds->plain;
    maker->most = maker->plain ? UINT32_MAX : bounds->most;
    enum status status = attempt(maker, &limits);
    while (status == STATUS_LIMIT && limits.paths_for_all) {
        limits.paths_for_all = limits.bands > 2 || limits.kinds > 2;
        limits.bands = limits.bands > 3 ? limits.bands * 2 / 3 : 2;
        limits.kinds = limits.kinds > 4 ? limits.kinds / 2 : 2;
        status = attempt(maker, &limits);
    }
    return status;
}

static void give_back(struct maker *maker, struct drawing *drawing)
{
    const struct drawing_graph *graph = maker->graph;
    *drawing = (struct drawing){.vertices = maker->vertices.at,
                                .vertices_count = (uint32_t)maker->vertices.count,
                                .from = maker->from.at,
                                .to = maker->to.at,
                                .marks = maker->marks.at,
                                .arcs_count = (uint32_t)maker->from.count,
                                .blocks = maker->blocks.of,
                                .plain = maker->plain,
                                .has_joints = maker->has_joints,
                                .nodes = graph->nodes,
                                .longest = graph->height,
                                .flow = graph->flow,
                                .flow_sat = graph->flow_sat};
}

enum status drawing_make(const struct drawing_scope *scope, const struct drawing_bounds *bounds,
                         struct drawing *drawing, struct fault *fault)
{
    struct drawing_graph graph;
    struct maker maker = {.graph = &graph};
    *drawing = (struct drawing){0};
    enum status status = drawing_graph_make(scope, &graph);
    if (status == STATUS_OK)
        status = make(&maker, bounds);
    if (status == STATUS_OK) {
        give_back(&maker, drawing);
    } else {
        mem_free(maker.vertices.at);
        mem_free(maker.from.at);
        mem_free(maker.to.at);
        mem_free(maker.marks.at);
    }
    mem_free(maker.sources.at);
    mem_free(maker.outs.at);
    drawing_graph_free(&graph);
    return status == STATUS_OK ? STATUS_OK : fault_nomem(fault);
}

void drawing_free(struct drawing *drawing)
{
    mem_free(drawing->vertices);
    mem_free(drawing->from);
    mem_free(drawing->to);
    mem_free(drawing->marks);
    mem_free(drawing->blocks);
    *drawing = (struct drawing){0};
}

struct drawing_scope drawing_of_tdag(const struct forest *forest, const struct tdags *tdags, uint32_t dag)
{
    return (struct drawing_scope){.forest = forest,
                                  .rules = tdags->rules,
                                  .numbers = tdags->members + tdags->first[dag - 1],
                                  .count = tdags->first[dag] - tdags->first[dag - 1]};
}
