#include "cli/views/drawing_graph.h"

#include "parser/mem.h"
#include "parser/money.h"
#include "parser/search.h"

uint32_t drawing_place(const uint32_t *numbers, uint32_t count, uint32_t number)
{
    size_t at = LOWER_BOUND(i, 0, count, numbers[i] < number);
    return at < count && numbers[at] == number ? (uint32_t)at : FOREST_NONE;
}

/* ---- transactions and arcs ---- */

static void look_at(struct drawing_graph *graph, uint32_t place)
{
    const struct drawing_scope *scope = graph->scope;
    const struct forest *forest = scope->forest;
    uint32_t number = scope->numbers[place];
    const struct forest_tx *tx = &forest->txs[number];
    struct drawing_tx *made = &graph->txs[place];
    uint64_t unknown = tx->nulldata;
    for (uint32_t o = tx->first_output; o < tx[1].first_output; o++) {
        const struct forest_output *output = &forest->outputs[o];
        unknown += output->unknown >> scope->rules & 1;
        if (!forest_is_arc(output, scope->rules))
            continue;
        uint32_t to = drawing_place(scope->numbers, scope->count, output->spender);
        if (to == FOREST_NONE) {
            made->outside++;
            continue;
        }
        made->inside++;
        graph->txs[to].entering++;
        graph->arcs[graph->arcs_count++] = (struct drawing_arc){.from = place, .to = to, .output = o};
    }
    made->entered = forest_unknown_inputs(forest, number, scope->rules) - made->entering;
    made->root = forest_is_root(forest, number, scope->rules);
    made->known = tx->outputs - unknown;
    made->unspent = unknown - made->inside - made->outside;
    graph->nodes += tx->outputs + (uint64_t)made->root;
}

static uint32_t spent_outputs(const struct drawing_scope *scope)
{
    uint32_t spent = 0;
    for (uint32_t i = 0; i < scope->count; i++) {
        const struct forest_tx *tx = &scope->forest->txs[scope->numbers[i]];
        for (uint32_t o = tx->first_output; o < tx[1].first_output; o++)
            spent += forest_is_arc(&scope->forest->outputs[o], scope->rules);
    }
    return spent;
}

/* ---- the two paths ---- */

/* Back from `end` along the arcs that were taken, up to a transaction that none was taken to. Returns how many. */
static uint32_t mark_path(struct drawing_graph *graph, const uint32_t *taken, uint32_t end, unsigned which)
{
    uint8_t mark = which == 0 ? DRAWING_LONGEST : DRAWING_HEAVIEST;
    uint32_t arcs = 0, at = end;
    graph->ends[which] = end;
    graph->txs[end].marks |= mark;
    for (; taken[at] != FOREST_NONE; arcs++) {
        struct drawing_arc *arc = &graph->arcs[taken[at]];
        arc->marks |= mark;
        at = arc->from;
        graph->txs[at].marks |= mark;
    }
    graph->begins[which] = at;
    return arcs;
}

static void find_longest(struct drawing_graph *graph, uint32_t *taken)
{
    struct drawing_tx *txs = graph->txs;
    uint32_t end = 0;
    for (uint32_t i = 0; i < graph->txs_count; i++) {
        txs[i].depth = 1;
        taken[i] = FOREST_NONE;
    }
    for (uint32_t a = 0; a < graph->arcs_count; a++) {
        const struct drawing_arc *arc = &graph->arcs[a];
        if (txs[arc->from].depth < txs[arc->to].depth)
            continue;
        txs[arc->to].depth = txs[arc->from].depth + 1;
        taken[arc->to] = a;
    }
    for (uint32_t i = 0; i < graph->txs_count; i++)
        end = txs[i].depth > txs[end].depth ? i : end;
    graph->height = txs[end].depth;
    (void)mark_path(graph, taken, end, 0);
}

static void find_heaviest(struct drawing_graph *graph, uint32_t *taken, uint64_t *sums)
{
    uint32_t end = FOREST_NONE;
    for (uint32_t i = 0; i < graph->txs_count; i++) {
        sums[i] = 0;
        taken[i] = FOREST_NONE;
    }
    for (uint32_t a = 0; a < graph->arcs_count; a++) {
        const struct drawing_arc *arc = &graph->arcs[a];
        uint64_t sum = add_saturating(sums[arc->from], graph->scope->forest->outputs[arc->output].value_sat);
        if (taken[arc->to] != FOREST_NONE && sum <= sums[arc->to])
            continue;
        sums[arc->to] = sum;
        taken[arc->to] = a;
    }
    for (uint32_t i = 0; i < graph->txs_count; i++) {
        if (taken[i] != FOREST_NONE && (end == FOREST_NONE || sums[i] > sums[end]))
            end = i;
    }
    if (end == FOREST_NONE)
        return;
    graph->flow_sat = sums[end];
    graph->flow = mark_path(graph, taken, end, 1);
}

enum status drawing_graph_make(const struct drawing_scope *scope, struct drawing_graph *graph)
{
    uint32_t arcs = spent_outputs(scope);
    *graph = (struct drawing_graph){
        .scope = scope, .begins = {FOREST_NONE, FOREST_NONE}, .ends = {FOREST_NONE, FOREST_NONE}};
    graph->txs_count = scope->count;
    graph->txs = mem_alloc(scope->count, sizeof *graph->txs);
    graph->arcs = mem_alloc(arcs ? arcs : 1, sizeof *graph->arcs);
    uint32_t *taken = mem_alloc(scope->count, sizeof *taken);
    uint64_t *sums = mem_alloc(scope->count, sizeof *sums);
    bool made = graph->txs && graph->arcs && taken && sums;
    for (uint32_t i = 0; i < scope->count && made; i++)
        look_at(graph, i);
    if (made) {
        find_longest(graph, taken);
        find_heaviest(graph, taken, sums);
    }
    mem_free(taken);
    mem_free(sums);
    return made ? STATUS_OK : STATUS_NOMEM;
}

void drawing_graph_free(struct drawing_graph *graph)
{
    mem_free(graph->txs);
    mem_free(graph->arcs);
    *graph = (struct drawing_graph){0};
}
