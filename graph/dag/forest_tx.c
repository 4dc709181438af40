/* What a transaction of a forest is under a rule set. */
#include "graph/dag/forest.h"

/* What it spends lies anywhere in memory, so it is only looked at where need be. */
uint32_t forest_unknown_inputs(const struct forest *forest, uint32_t tx, enum rules rules)
{
    const struct forest_tx *t = &forest->txs[tx];
    uint32_t count = 0;
    if (t->spends_unknown && rules < RULES)
        return t[1].first_spend - t->first_spend;
    for (uint32_t s = t->first_spend; s < t[1].first_spend; s++) {
        FOREST_PREFETCH_SPENT(forest, s);
        count += forest->outputs[forest->spends[s]].unknown >> rules & 1;
    }
    return count;
}

uint32_t forest_unknown_outputs(const struct forest *forest, uint32_t tx, enum rules rules)
{
    uint32_t count = forest->txs[tx].nulldata;
    for (uint32_t o = forest->txs[tx].first_output; o < forest->txs[tx + 1].first_output; o++)
        count += forest->outputs[o].unknown >> rules & 1;
    return count;
}

/* An input whose spend is not stored spends a known output. */
void forest_count_inner(const struct forest *forest, uint32_t tx, uint32_t end_spend,
                        uint64_t inner_txs[RULES_WITH_HIDDEN])
{
    const struct forest_tx *t = &forest->txs[tx];
    unsigned inputs = (1u << RULES_WITH_HIDDEN) - 1, outputs = t->nulldata > 0 ? inputs : 0; /* masks of rule sets */
    if (t->coinbase || end_spend - t->first_spend != t->inputs)
        return;
    for (uint32_t s = t->first_spend; s < end_spend; s++)
        inputs &= forest->outputs[forest->spends[s]].unknown;
    for (uint32_t o = t->first_output; o < t[1].first_output; o++)
        outputs |= forest->outputs[o].unknown;
    for (unsigned r = 0; r < RULES_WITH_HIDDEN; r++)
        inner_txs[r] += (inputs & outputs) >> r & 1;
}

bool forest_is_maybe_root(const struct forest *forest, uint32_t tx, enum rules rules)
{
    return forest_inputs_before(forest, tx) > 0 && forest_unknown_outputs(forest, tx, rules) > 0;
}

bool forest_is_root(const struct forest *forest, uint32_t tx, enum rules rules)
{
    const struct forest_tx *t = &forest->txs[tx];
    return (t->coinbase || forest_unknown_inputs(forest, tx, rules) < t->inputs) &&
           forest_unknown_outputs(forest, tx, rules) > 0;
}

uint64_t forest_only_hidden_txs(const struct forest *forest, uint32_t first, uint32_t end)
{
    uint64_t count = 0;
    for (uint32_t tx = first; tx < end; tx++)
        count += forest_unknown_outputs(forest, tx, RULES_HIDDEN) > 0 &&
                 forest_unknown_outputs(forest, tx, RULES_CORE_22) == 0;
    return count;
}

uint64_t forest_unknown_txs(const struct forest *forest, enum rules rules)
{
    if (rules != RULES_HIDDEN)
        return forest->unknown_txs[rules];
    /* core-22 counts all of them but those whose unknown outputs are all marked; these are all stored */
    return forest->unknown_txs[RULES_CORE_22] + forest_only_hidden_txs(forest, 0, forest->txs_count);
}
