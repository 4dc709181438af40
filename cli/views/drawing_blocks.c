#include <stdlib.h>
#include <string.h>

#include "cli/views/drawing_bands.h"
#include "parser/mem.h"
#include "parser/sort.h"

/* A transaction, or in a band of several levels a connected component of them. */
struct item {
    uint64_t key; /* equal for what is alike */
    uint64_t nodes;
    uint32_t first; /* place of its first transaction */
    uint32_t band;
    uint8_t marks;
    bool several; /* transactions */
};

/* Items that are alike. */
struct group {
    uint64_t key;  /* what they are sorted by */
    uint32_t item; /* the first of them among the sorted ones */
    uint32_t items;
    uint32_t first; /* place of the first transaction */
};

struct maker {
    const struct drawing_graph *graph;
    const struct drawing_limits *limits;
    struct drawing_bands bands;
    uint32_t *leader;   /* by transaction: the first of its item */
    uint64_t *own;      /* by transaction: what it is alone; at leaders, of the item */
    uint64_t *role;     /* and with what comes before and after it */
    struct item *items; /* by transaction, then those of leaders */
    uint32_t items_count;
    uint32_t *kinds; /* by band: groups, but those of the paths */
    uint32_t share;  /* kinds that a band may have */
    struct group *groups;
    uint32_t groups_count;
};

/* The finaliser of splitmix64. Where two that differ get the same 64 bits, they are drawn as alike, no more. */
static uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

/* ---- roles ---- */

/* First of each what comes after it, then with that what comes before. */
static void find_roles(struct maker *maker)
{
    const struct drawing_graph *graph = maker->graph;
    uint64_t *own = maker->own, *role = maker->role;
    for (uint32_t i = 0; i < graph->txs_count; i++) {
        const struct drawing_tx *tx = &graph->txs[i];
        own[i] = mix(tx->depth + mix(tx->known + mix(tx->unspent + mix(tx->outside + mix(tx->inside)))));
        own[i] = mix(own[i] + mix(tx->entering + mix(tx->entered + ((uint64_t)tx->root << 32))));
        role[i] = own[i];
    }
    for (uint32_t a = graph->arcs_count; a-- > 0;)
        role[graph->arcs[a].from] += mix(role[graph->arcs[a].to] ^ 1);
    for (uint32_t i = 0; i < graph->txs_count; i++)
        role[i] = mix(role[i]);
    for (uint32_t a = 0; a < graph->arcs_count; a++)
        role[graph->arcs[a].to] += mix(role[graph->arcs[a].from] ^ 2);
}

/* ---- items ---- */

static void find_components(struct maker *maker)
{
    const struct drawing_graph *graph = maker->graph;
    uint32_t *leader = maker->leader;
    for (uint32_t i = 0; i < graph->txs_count; i++)
        leader[i] = i;
    for (uint32_t a = 0; a < graph->arcs_count; a++) {
        uint32_t from = graph->arcs[a].from, to = graph->arcs[a].to;
        if (maker->bands.of[graph->txs[from].depth] == maker->bands.of[graph->txs[to].depth])
            drawing_join(leader, from, to);
    }
    for (uint32_t i = 0; i < graph->txs_count; i++)
        leader[i] = union_find(leader, i);
}

static void make_items(struct maker *maker)
{
    const struct drawing_graph *graph = maker->graph;
    struct item *items = maker->items;
    for (uint32_t i = 0; i < graph->txs_count; i++) {
        const struct drawing_tx *tx = &graph->txs[i];
        uint32_t leader = maker->leader[i];
        uint64_t own = maker->own[i], role = maker->role[i];
        if (leader == i) {
            items[i] = (struct item){.first = i, .band = maker->bands.of[tx->depth]};
            maker->own[i] = maker->role[i] = 0;
        }
        maker->own[leader] += mix(own);
        maker->role[leader] += mix(role);
        items[leader].nodes += tx->known + tx->unspent + tx->inside + tx->outside + tx->root;
        items[leader].several |= leader != i;
        items[leader].marks |= maker->limits->paths_for_all ? tx->marks : 0;
    }
    maker->items_count = 0;
    for (uint32_t i = 0; i < graph->txs_count; i++) {
        if (maker->leader[i] == i)
            items[maker->items_count++] = items[i];
    }
}

/* Sorts the items by what they are and where. */
static void sort_items(struct maker *maker, bool all_by_role)
{
    uint32_t count = maker->items_count;
    for (uint32_t i = 0; i < count; i++) {
        struct item *item = &maker->items[i];
        bool by_role = all_by_role || maker->kinds[item->band] <= maker->share;
        item->key = item->marks ? item->marks : by_role ? maker->role[item->first] : maker->own[item->first];
        item->key = mix(item->key + mix(item->band));
    }
    struct item *sorted = sort_by_key(maker->items, maker->items + count, count, sizeof *maker->items);
    if (sorted != maker->items)
        memcpy(maker->items, sorted, count * sizeof *sorted);
}

static void find_groups(struct maker *maker)
{
    maker->groups_count = 0;
    memset(maker->kinds, 0, maker->bands.count * sizeof *maker->kinds);
    for (uint32_t i = 0, end; i < maker->items_count; i = end) {
        const struct item *item = &maker->items[i];
        struct group group = {.key = item->nodes, .item = i, .first = item->first};
        for (end = i + 1; end < maker->items_count && maker->items[end].key == item->key; end++) {
            group.key += maker->items[end].nodes;
            group.first = maker->items[end].first < group.first ? maker->items[end].first : group.first;
        }
        group.items = end - i;
        group.key = ~group.key;
        maker->groups[maker->groups_count++] = group;
        maker->kinds[item->band] += item->marks == 0;
    }
}

/* The largest number of kinds for a band with which all have about as many as they may. */
static void find_share(struct maker *maker)
{
    const struct drawing_limits *limits = maker->limits;
    for (maker->share = 1; maker->share < limits->kinds; maker->share++) {
        uint64_t sum = 0;
        for (uint32_t b = 0; b < maker->bands.count; b++)
            sum += maker->kinds[b] < maker->share + 1 ? maker->kinds[b] : maker->share + 1;
        if (sum > limits->kinds)
            return;
    }
}

/* ---- blocks ---- */

static int by_place(const void *a, const void *b)
{
    const struct drawing_block *x = a, *y = b;
    if (x->band != y->band)
        return x->band < y->band ? -1 : 1;
    return x->first < y->first ? -1 : x->first > y->first;
}

/* Each group becomes a block, the one with the most nodes first; those of a band beyond its share become one. */
static void fill_blocks(struct maker *maker, struct drawing_blocks *blocks, uint32_t *taken, uint32_t *rest)
{
    struct group *sorted = sort_by_key(maker->groups, maker->groups + maker->groups_count, maker->groups_count,
                                       sizeof *maker->groups);
    for (uint32_t g = 0; g < maker->groups_count; g++) {
        const struct item *items = &maker->items[sorted[g].item];
        uint32_t band = items->band, block = blocks->count;
        bool is_rest = items->marks == 0 && maker->kinds[band] > maker->share && taken[band] + 1 >= maker->share;
        taken[band] += items->marks == 0;
        if (is_rest && rest[band] > 0)
            block = rest[band] - 1;
        else
            blocks->list[blocks->count++] = (struct drawing_block){.band = band, .first = sorted[g].first};
        if (is_rest)
            rest[band] = block + 1;
        struct drawing_block *of = &blocks->list[block];
        of->first = sorted[g].first < of->first ? sorted[g].first : of->first;
        of->components += sorted[g].items;
        for (uint32_t i = 0; i < sorted[g].items; i++) {
            blocks->of[items[i].first] = block;
            of->is_part |= items[i].several;
        }
    }
}

/* Blocks in order of (band, first), and each transaction in that of its leader. */
static enum status order_blocks(const struct maker *maker, struct drawing_blocks *blocks)
{
    uint32_t *place = mem_alloc(blocks->count, sizeof *place);
    if (!place)
        return STATUS_NOMEM;
    qsort(blocks->list, blocks->count, sizeof *blocks->list, by_place);
    for (uint32_t b = 0; b < blocks->count; b++)
        place[blocks->of[blocks->list[b].first]] = b;
    for (uint32_t i = 0; i < maker->graph->txs_count; i++)
        blocks->of[i] = maker->leader[i] == i ? place[blocks->of[i]] : blocks->of[maker->leader[i]];
    mem_free(place);
    return STATUS_OK;
}

static enum status put_together(struct maker *maker, struct drawing_blocks *blocks)
{
    uint32_t *taken = mem_alloc(2 * (size_t)maker->bands.count, sizeof *taken);
    maker->groups = mem_alloc(2 * (size_t)maker->items_count, sizeof *maker->groups);
    if (!taken || !maker->groups) {
        mem_free(taken);
        return STATUS_NOMEM;
    }
    sort_items(maker, true);
    find_groups(maker);
    find_share(maker);
    sort_items(maker, false);
    find_groups(maker);
    /* no more than a rest, a share and three sorts of marks for each band */
    size_t most = (size_t)maker->bands.count * (maker->share + 4u);
    blocks->list = mem_alloc(most < maker->groups_count ? most : maker->groups_count, sizeof *blocks->list);
    enum status status = blocks->list ? STATUS_OK : STATUS_NOMEM;
    if (status == STATUS_OK) {
        fill_blocks(maker, blocks, taken, taken + maker->bands.count);
        status = order_blocks(maker, blocks);
    }
    mem_free(taken);
    return status;
}

enum status drawing_blocks_make(const struct drawing_graph *graph, const struct drawing_limits *limits,
                                struct drawing_blocks *blocks)
{
    struct maker maker = {.graph = graph, .limits = limits};
    uint32_t count = graph->txs_count;
    *blocks = (struct drawing_blocks){.of = mem_alloc(count, sizeof *blocks->of)};
    maker.leader = mem_alloc(count, sizeof *maker.leader);
    maker.own = mem_alloc(2 * (size_t)count, sizeof *maker.own);
    maker.role = maker.own + count;
    maker.items = mem_alloc(2 * (size_t)count, sizeof *maker.items);
    enum status status = blocks->of && maker.leader && maker.own && maker.items ? STATUS_OK : STATUS_NOMEM;
    if (status == STATUS_OK)
        status = drawing_bands_choose(graph, limits->bands, &maker.bands);
    if (status == STATUS_OK) {
        maker.kinds = mem_alloc(maker.bands.count, sizeof *maker.kinds);
        status = maker.kinds ? STATUS_OK : STATUS_NOMEM;
    }
    if (status == STATUS_OK) {
        find_roles(&maker);
        find_components(&maker);
        make_items(&maker);
        status = put_together(&maker, blocks);
    }
    drawing_bands_free(&maker.bands);
    mem_free(maker.kinds);
    mem_free(maker.leader);
    mem_free(maker.own);
    mem_free(maker.items);
    mem_free(maker.groups);
    return status;
}

enum status drawing_blocks_plain(const struct drawing_graph *graph, struct drawing_blocks *blocks)
{
    *blocks = (struct drawing_blocks){.of = mem_alloc(graph->txs_count, sizeof *blocks->of),
                                      .list = mem_alloc(graph->txs_count, sizeof *blocks->list),
                                      .count = graph->txs_count};
    if (!blocks->of || !blocks->list)
        return STATUS_NOMEM;
    for (uint32_t i = 0; i < graph->txs_count; i++) {
        blocks->of[i] = i;
        blocks->list[i] = (struct drawing_block){.band = graph->txs[i].depth - 1, .first = i, .components = 1};
    }
    return STATUS_OK;
}
