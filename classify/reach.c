#include "classify/reach.h"

#include <string.h>

#include "parser/mem.h"
#include "parser/stop.h"

#define BLOCK 64u /* bits of a word */

/* What a word of bits costs to weigh, in steps of one arc each. */
#define WEIGH_STEPS 8u
#define STEPS_FACTOR (REACH_VERTICES_SURE / BLOCK)

/* Blocks of fewer vertices are weighed bit by bit: tables cost more than they save. */
#define TABLES_FROM 512u

enum { TREE = 1, HARD = 2, CORE = 4, CUT = 8 };

static enum status reserve(struct reach *reach, uint32_t vertices)
{
    size_t capacity = reach->capacity;
    if (vertices <= capacity && capacity > 0)
        return STATUS_OK;
    capacity += capacity / 2;
    if (capacity < vertices)
        capacity = vertices;
    capacity += capacity == 0;
    reach->capacity = 0;
    uint32_t **numbers[] = {&reach->order, &reach->entries, &reach->left, &reach->place, &reach->core};
    uint64_t **words[] = {&reach->bits, &reach->totals, &reach->weights};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (!mem_renew(numbers[i], capacity, sizeof **numbers[i]))
            return STATUS_NOMEM;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (!mem_renew(words[i], capacity, sizeof **words[i]))
            return STATUS_NOMEM;
    if (!mem_renew(&reach->flags, capacity, 1))
        return STATUS_NOMEM;
    reach->capacity = capacity;
    return STATUS_OK;
}

/* False for a graph with a cycle. */
static bool find_order(struct reach *reach, const struct canon_graph *graph)
{
    uint32_t n = graph->vertices, placed = 0;
    memset(reach->entries, 0, n * sizeof *reach->entries);
    for (uint32_t a = 0; a < graph->first[n]; a++)
        reach->entries[graph->to[a]]++;
    memcpy(reach->left, reach->entries, n * sizeof *reach->left);
    for (uint32_t v = 0; v < n; v++)
        if (reach->left[v] == 0)
            reach->order[placed++] = v;
    for (uint32_t i = 0; i < placed; i++)
        for (uint32_t a = graph->first[reach->order[i]]; a < graph->first[reach->order[i] + 1]; a++)
            if (--reach->left[graph->to[a]] == 0)
                reach->order[placed++] = graph->to[a];
    return placed == n;
}

/* An out-tree that hangs on its one predecessor: nothing else leads into it. */
static bool hangs(const struct reach *reach, uint32_t v) { return reach->entries[v] == 1 && reach->flags[v] & TREE; }

/* Adds to each vertex what hangs on it, which is all of it for an out-tree. A vertex is hard if more than one successor
 * is left then: what these reach may be the same. */
static void add_trees(struct reach *reach, const struct canon_graph *graph, const uint64_t *weights, uint64_t *sums)
{
    for (uint32_t i = graph->vertices; i-- > 0;) {
        uint32_t v = reach->order[i], branches = 0;
        sums[v] = weights[v];
        for (uint32_t a = graph->first[v]; a < graph->first[v + 1]; a++) {
            if (hangs(reach, graph->to[a]))
                sums[v] += sums[graph->to[a]];
            else
                branches++;
        }
        reach->flags[v] = branches == 0 ? TREE : branches > 1 ? HARD : 0;
    }
}

/* The core: hard vertices and all that they reach, but for hanging trees. */
static void find_core(struct reach *reach, const struct canon_graph *graph)
{
    reach->core_count = 0;
    for (uint32_t i = 0; i < graph->vertices; i++) {
        uint32_t v = reach->order[i];
        if (!(reach->flags[v] & (HARD | CORE)))
            continue;
        reach->flags[v] |= CORE;
        reach->place[v] = reach->core_count;
        reach->core[reach->core_count++] = v;
        for (uint32_t a = graph->first[v]; a < graph->first[v + 1]; a++)
            if (!hangs(reach, graph->to[a]))
                reach->flags[graph->to[a]] |= CORE;
    }
}

/* A cut: no arc of the core leads from before it to after it. */
static void find_cuts(struct reach *reach, const struct canon_graph *graph)
{
    uint32_t farthest = 0;
    for (uint32_t i = 0; i < reach->core_count; i++) {
        uint32_t v = reach->core[i];
        if (farthest <= i)
            reach->flags[v] |= CUT;
        for (uint32_t a = graph->first[v]; a < graph->first[v + 1]; a++)
            if (!hangs(reach, graph->to[a]) && reach->place[graph->to[a]] > farthest)
                farthest = reach->place[graph->to[a]];
    }
}

/* ---- the core, from one cut to the next ---- */

/* Places begin .. end - 1 of the core, and the cut at `end`, whose sum is known, unless that is the core's end. */
struct piece {
    uint32_t begin;
    uint32_t end;
    uint32_t last; /* end, or end - 1 at the core's end */
};

static struct piece piece_before(const struct reach *reach, uint32_t end)
{
    uint32_t begin = end - 1;
    while (!(reach->flags[reach->core[begin]] & CUT))
        begin--;
    return (struct piece){begin, end, end < reach->core_count ? end : end - 1};
}

static uint64_t steps_of(const struct reach *reach, const struct canon_graph *graph, const struct piece *piece)
{
    uint64_t arcs = 0, vertices = piece->last - piece->begin + 1;
    for (uint32_t i = piece->begin; i < piece->end; i++)
        arcs += graph->first[reach->core[i] + 1] - graph->first[reach->core[i]];
    return (vertices + BLOCK - 1) / BLOCK * (arcs + WEIGH_STEPS * vertices);
}

static uint64_t weigh_bits(const uint64_t *weights, uint64_t word)
{
    uint64_t sum = 0;
    for (; word; word &= word - 1)
        sum += weights[__builtin_ctzll(word)];
    return sum;
}

/* By byte: the sums of all choices of 8 weights. */
static void make_tables(const uint64_t *weights, uint32_t count, uint64_t tables[8][256])
{
    for (uint32_t byte = 0; byte < 8; byte++) {
        tables[byte][0] = 0;
        for (uint32_t choice = 1; choice < 256; choice++) {
            uint32_t bit = (uint32_t)__builtin_ctz(choice);
            uint64_t weight = byte * 8 + bit < count ? weights[byte * 8 + bit] : 0;
            tables[byte][choice] = tables[byte][choice & (choice - 1)] + weight;
        }
    }
}

static uint64_t weigh_bytes(uint64_t tables[8][256], uint64_t word)
{
    uint64_t sum = 0;
    for (uint32_t byte = 0; byte < 8; byte++)
        sum += tables[byte][word >> 8 * byte & 0xff];
    return sum;
}

/* Adds to the totals of the piece what is reached of the vertices at the places t .. t + 63. */
static void add_block(struct reach *reach, const struct canon_graph *graph, const struct piece *piece, uint32_t t)
{
    uint64_t tables[8][256];
    uint32_t last = piece->last - t < BLOCK ? piece->last : t + BLOCK - 1;
    bool tabled = last - piece->begin >= TABLES_FROM;
    if (tabled)
        make_tables(reach->weights + t, last - t + 1, tables);
    for (uint32_t i = last + 1; i-- > piece->begin;) {
        uint64_t word = i >= t ? UINT64_C(1) << (i - t) : 0;
        uint32_t v = reach->core[i];
        for (uint32_t a = graph->first[v]; i < piece->end && a < graph->first[v + 1]; a++) {
            if (!hangs(reach, graph->to[a]) && reach->place[graph->to[a]] <= last)
                word |= reach->bits[reach->place[graph->to[a]]];
        }
        reach->bits[i] = word;
        if (word)
            reach->totals[i] += tabled ? weigh_bytes(tables, word) : weigh_bits(reach->weights + t, word);
    }
}

static enum status sum_piece(struct reach *reach, const struct canon_graph *graph, const struct piece *piece,
                             uint64_t *sums)
{
    for (uint32_t i = piece->begin; i <= piece->last; i++) {
        reach->weights[i] = sums[reach->core[i]];
        reach->totals[i] = 0;
    }
    for (uint32_t t = piece->begin; t <= piece->last; t += BLOCK) {
        if (stop_requested())
            return STATUS_INTERRUPTED;
        add_block(reach, graph, piece, t);
    }
    for (uint32_t i = piece->begin; i < piece->end; i++)
        sums[reach->core[i]] = reach->totals[i];
    return STATUS_OK;
}

static enum status sum_core(struct reach *reach, const struct canon_graph *graph, uint64_t *sums)
{
    uint64_t most = STEPS_FACTOR * (graph->first[graph->vertices] + (uint64_t)WEIGH_STEPS * graph->vertices), steps = 0;
    for (uint32_t end = reach->core_count; end > 0;) {
        struct piece piece = piece_before(reach, end);
        steps += steps_of(reach, graph, &piece);
        end = piece.begin;
    }
    if (steps > most && graph->vertices > REACH_VERTICES_SURE)
        return STATUS_LIMIT;
    enum status status = STATUS_OK;
    for (uint32_t end = reach->core_count; status == STATUS_OK && end > 0;) {
        struct piece piece = piece_before(reach, end);
        status = sum_piece(reach, graph, &piece, sums);
        end = piece.begin;
    }
    return status;
}

/* Outside the core and the out-trees each vertex has one successor that does not hang on it. */
static void sum_others(const struct reach *reach, const struct canon_graph *graph, uint64_t *sums)
{
    for (uint32_t i = graph->vertices; i-- > 0;) {
        uint32_t v = reach->order[i];
        if (reach->flags[v] & (TREE | CORE))
            continue;
        for (uint32_t a = graph->first[v]; a < graph->first[v + 1]; a++)
            if (!hangs(reach, graph->to[a]))
                sums[v] += sums[graph->to[a]];
    }
}

enum status reach_find(struct reach *reach, const struct canon_graph *graph, const uint64_t *weights, uint64_t *sums)
{
    enum status status = reserve(reach, graph->vertices);
    if (status != STATUS_OK)
        return status;
    if (!find_order(reach, graph))
        return STATUS_LIMIT;
    add_trees(reach, graph, weights, sums);
    find_core(reach, graph);
    find_cuts(reach, graph);
    status = sum_core(reach, graph, sums);
    if (status == STATUS_OK)
        sum_others(reach, graph, sums);
    return status;
}

void reach_free(struct reach *reach)
{
    void *all[] = {reach->order, reach->entries, reach->left,   reach->place,  reach->core,
                   reach->flags, reach->bits,    reach->totals, reach->weights};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        mem_free(all[i]);
    *reach = (struct reach){0};
}
