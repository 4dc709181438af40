#include "cli/views/drawing_graph.h"
#include "parser/mem.h"

enum status drawing_members(const struct drawing_scope *scope, const struct drawing *drawing, uint32_t vertex,
                            uint32_t **members, uint32_t *count)
{
    uint32_t block = drawing->vertices[vertex].block;
    *members = mem_alloc(scope->count, sizeof **members);
    *count = 0;
    if (!*members)
        return STATUS_NOMEM;
    for (uint32_t i = 0; i < scope->count; i++) {
        if (drawing->blocks[i] == block)
            (*members)[(*count)++] = scope->numbers[i];
    }
    return STATUS_OK;
}

static void join(const struct forest *forest, enum rules rules, const uint32_t *members, uint32_t count,
                 uint32_t *leader)
{
    for (uint32_t i = 0; i < count; i++)
        leader[i] = i;
    for (uint32_t i = 0; i < count; i++) {
        const struct forest_tx *tx = &forest->txs[members[i]];
        for (uint32_t o = tx->first_output; o < tx[1].first_output; o++) {
            if (!forest_is_arc(&forest->outputs[o], rules))
                continue;
            uint32_t to = drawing_place(members, count, forest->outputs[o].spender);
            if (to != FOREST_NONE)
                drawing_join(leader, i, to);
        }
    }
}

uint32_t drawing_keep_component(const struct forest *forest, enum rules rules, uint32_t *members, uint32_t count)
{
    uint32_t *leader = mem_alloc(2 * (size_t)count, sizeof *leader), best = 0, kept = 0;
    if (!leader)
        return FOREST_NONE;
    uint32_t *sizes = leader + count;
    join(forest, rules, members, count, leader);
    for (uint32_t i = 0; i < count; i++)
        sizes[union_find(leader, i)]++;
    for (uint32_t i = 0; i < count; i++)
        best = sizes[i] > sizes[best] ? i : best;
    for (uint32_t i = 0; i < count; i++) {
        if (union_find(leader, i) == best)
            members[kept++] = members[i];
    }
    mem_free(leader);
    return kept;
}
