#include "graph/dag/forest.h"

#include <string.h>

#include "parser/mem.h"
#include "parser/stop.h"
#include "parser/union_find.h"

/* False: stopped. The smallest number of a component is its representative, so that is also the first transaction.
 * Until the numbering, tx_dag[r] of a representative r says whether its component has an arc. */
static bool join_arcs(const struct forest *forest, const uint8_t *skipped, struct tdags *tdags, uint32_t *parent)
{
    for (uint32_t t = 0; t < forest->txs_count; t++)
        parent[t] = t;
    for (uint32_t o = 0; o < forest->outputs_count; o++) {
        if (stop_due(o))
            return false;
        if (!forest_is_arc(&forest->outputs[o], tdags->rules) || (skipped && skipped[forest->outputs[o].tx]))
            continue;
        uint32_t a = union_find(parent, forest->outputs[o].tx), b = union_find(parent, forest->outputs[o].spender);
        if (a > b) {
            uint32_t swap = a;
            a = b;
            b = swap;
        }
        parent[b] = a;
        tdags->tx_dag[a] = 1;
    }
    return true;
}

/* Joins the components and numbers them. Sets `*members` to how many transactions lie in one. */
static enum status number_components(const struct forest *forest, const uint8_t *skipped, struct tdags *tdags,
                                     uint32_t *members, struct fault *fault)
{
    uint32_t n = forest->txs_count, *parent = mem_alloc_large(n, sizeof *parent);
    *members = 0;
    if (!parent)
        return fault_nomem(fault);
    bool stopped = !join_arcs(forest, skipped, tdags, parent);
    for (uint32_t t = 0; t < n && !stopped; t++) {
        stopped = stop_due(t);
        uint32_t first = union_find(parent, t);
        if (first < t)
            tdags->tx_dag[t] = tdags->tx_dag[first];
        else if (tdags->tx_dag[t])
            tdags->tx_dag[t] = ++tdags->count;
        *members += tdags->tx_dag[t] != 0;
    }
    mem_free(parent);
    return stopped ? stop_check(fault) : STATUS_OK;
}

/* Counting sort of the transactions by T-DAG, one place further on than final: filling moves every first[d] to where
 * it belongs. */
static enum status list_members(uint32_t txs, uint32_t members, struct tdags *tdags, struct fault *fault)
{
    tdags->first = mem_alloc((size_t)tdags->count + 2, sizeof *tdags->first);
    tdags->members = mem_alloc_large(members, sizeof *tdags->members);
    if (!tdags->first || !tdags->members)
        return fault_nomem(fault);
    for (uint32_t t = 0; t < txs; t++) {
        if (stop_due(t))
            return stop_check(fault);
        tdags->first[tdags->tx_dag[t] + 1] += tdags->tx_dag[t] != 0;
    }
    for (uint32_t d = 1; d <= tdags->count; d++)
        tdags->first[d + 1] += tdags->first[d];
    for (uint32_t t = 0; t < txs; t++) {
        if (stop_due(t))
            return stop_check(fault);
        if (tdags->tx_dag[t])
            tdags->members[tdags->first[tdags->tx_dag[t]]++] = t;
    }
    return STATUS_OK;
}

/* A transaction that is not stored spends nothing unknown, so it is a root if it has an unknown output. So the roots
 * are all transactions with an unknown output (as counted by the scan) but the stored ones whose inputs are all
 * unknown. */
static uint64_t count_roots(const struct forest *forest, enum rules rules)
{
    uint64_t all = forest_unknown_txs(forest, rules), inner = forest->inner_txs[rules];
    return all > inner ? all - inner : 0;
}

enum status tdags_find(const struct forest *forest, enum rules rules, struct tdags *tdags, struct fault *fault)
{
    return tdags_find_others(forest, rules, NULL, tdags, fault);
}

enum status tdags_find_others(const struct forest *forest, enum rules rules, const uint8_t *skipped,
                              struct tdags *tdags, struct fault *fault)
{
    uint32_t members = 0;
    *tdags = (struct tdags){.rules = rules, .tx_dag = mem_alloc_large(forest->txs_count, sizeof *tdags->tx_dag)};
    enum status status = tdags->tx_dag ? STATUS_OK : fault_nomem(fault);
    if (status == STATUS_OK)
        status = number_components(forest, skipped, tdags, &members, fault);
    if (status == STATUS_OK)
        status = list_members(forest->txs_count, members, tdags, fault);
    if (status == STATUS_OK)
        tdags->roots_all = count_roots(forest, rules);
    else
        tdags_free(tdags);
    return status;
}

void tdags_drop(struct tdags *tdags, const uint8_t *drop)
{
    uint32_t kept = 0, to = 0, begin = 0;
    for (uint32_t d = 1; d <= tdags->count; d++) {
        uint32_t end = tdags->first[d], number = drop[d] ? 0 : ++kept;
        for (uint32_t m = begin; m < end; m++) {
            uint32_t tx = tdags->members[m];
            tdags->tx_dag[tx] = number;
            if (number)
                tdags->members[to++] = tx;
        }
        begin = end;
        tdags->first[kept] = to;
    }
    tdags->count = kept;
    mem_free(tdags->names); /* fewer may do with fewer digits */
    tdags->names = NULL;
}

void tdags_free(struct tdags *tdags)
{
    mem_free(tdags->tx_dag);
    mem_free(tdags->first);
    mem_free(tdags->members);
    mem_free(tdags->names);
    memset(tdags, 0, sizeof *tdags);
}
