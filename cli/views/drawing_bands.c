#include "cli/views/drawing_bands.h"

#include "parser/mem.h"
#include "parser/sort.h"

/* What there is of a level. Levels with the same sums look alike. */
#define SUMS 6u
struct level {
    uint64_t sums[SUMS];
};

/* Between a level and the one before it. */
struct change {
    uint64_t key; /* the larger the change, the smaller */
    uint32_t level;
};

static void add_up(const struct drawing_graph *graph, struct level *levels)
{
    for (uint32_t i = 0; i < graph->txs_count; i++) {
        const struct drawing_tx *tx = &graph->txs[i];
        const uint64_t of[SUMS] = {tx->root, tx->inside, tx->outside, tx->unspent, tx->known, tx->entering};
        for (unsigned s = 0; s < SUMS; s++)
            levels[tx->depth].sums[s] += of[s];
    }
}

static uint64_t difference(const struct level *a, const struct level *b)
{
    uint64_t sum = 0;
    for (unsigned s = 0; s < SUMS; s++)
        sum += a->sums[s] > b->sums[s] ? a->sums[s] - b->sums[s] : b->sums[s] - a->sums[s];
    return sum;
}

/* The longest band in which something changes is cut in the middle; false: there is none. `changed` counts the changes
 * up to each level. */
static bool halve(uint8_t *begins, const uint32_t *changed, uint32_t height)
{
    uint32_t longest = 0, at = 0;
    for (uint32_t first = 1, end; first <= height; first = end) {
        for (end = first + 1; end <= height && !begins[end]; end++)
            ;
        if (end - first > longest && changed[end - 1] > changed[first]) {
            longest = end - first;
            at = first + longest / 2;
        }
    }
    if (at > 0)
        begins[at] = 1;
    return at > 0;
}

/* All changes where they are few; else the largest, and the middles of what is long. `evenly`: as if every level
 * changed something. */
static enum status cut(const struct level *levels, uint32_t height, uint32_t most, bool evenly, uint8_t *begins)
{
    struct change *changes = mem_alloc(2 * (size_t)height, sizeof *changes);
    uint32_t *changed = mem_alloc((size_t)height + 1, sizeof *changed), count = 0, bands = 1;
    if (!changes || !changed) {
        mem_free(changes);
        mem_free(changed);
        return STATUS_NOMEM;
    }
    for (uint32_t level = 2; level <= height; level++) {
        uint64_t by = difference(&levels[level], &levels[level - 1]);
        changed[level] = changed[level - 1] + (by > 0 || evenly);
        if (by > 0)
            changes[count++] = (struct change){~by, level};
    }
    const struct change *sorted = sort_by_key(changes, changes + height, count, sizeof *changes);
    for (uint32_t i = 0; i < count && bands < (count < most ? most : most / 2 + 1); i++, bands++)
        begins[sorted[i].level] = 1;
    while (bands < most && halve(begins, changed, height))
        bands++;
    mem_free(changes);
    mem_free(changed);
    return STATUS_OK;
}

/* Something leads into it, or out of it. What is opened is to become less with each step, even of a chain. */
static bool is_part(const struct drawing_graph *graph)
{
    for (uint32_t i = 0; i < graph->txs_count; i++) {
        if (graph->txs[i].outside > 0 || graph->txs[i].entered > 0)
            return true;
    }
    return false;
}

enum status drawing_bands_choose(const struct drawing_graph *graph, uint32_t most, struct drawing_bands *bands)
{
    uint32_t height = graph->height;
    struct level *levels = mem_alloc((size_t)height + 1, sizeof *levels);
    uint8_t *begins = mem_alloc((size_t)height + 2, 1);
    *bands = (struct drawing_bands){.of = mem_alloc((size_t)height + 1, sizeof *bands->of)};
    enum status status = levels && begins && bands->of ? STATUS_OK : STATUS_NOMEM;
    for (uint32_t level = 1; level <= height && status == STATUS_OK; level++)
        begins[level] = level == 1 || height <= most;
    if (status == STATUS_OK && height > most) {
        add_up(graph, levels);
        status = cut(levels, height, most, is_part(graph), begins);
    }
    for (uint32_t level = 1; level <= height && status == STATUS_OK; level++) {
        bands->count += begins[level];
        bands->of[level] = bands->count - 1;
    }
    mem_free(levels);
    mem_free(begins);
    return status;
}

void drawing_bands_free(struct drawing_bands *bands)
{
    mem_free(bands->of);
    *bands = (struct drawing_bands){0};
}
