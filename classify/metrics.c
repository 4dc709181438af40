#include "classify/metrics.h"

#include <string.h>

#include "parser/mem.h"
#include "parser/money.h"

#define AHEAD 4u /* transactions, see ask_ahead */

/* A removed output stands for its own parents, which lie one step higher. */
static uint32_t look_at_inputs(const struct dag *dag, uint32_t tx, struct tdag_row *row, uint32_t *unknown_inputs)
{
    const struct forest *forest = dag->forest;
    uint32_t parents_depth = 0, count = 0;
    for (uint32_t s = forest->txs[tx].first_spend; s < forest->txs[tx + 1].first_spend; s++) {
        const struct forest_output *spent = &forest->outputs[forest->spends[s]];
        row->alike &= (spent->unknown & RULES_ALL) == RULES_ALL;
        if (!forest_is_arc(spent, dag->rules))
            continue;
        uint32_t depth = dag->depths[spent->tx] - dag_removes(dag, spent);
        parents_depth = depth > parents_depth ? depth : parents_depth;
        count++;
    }
    *unknown_inputs = count;
    return parents_depth;
}

static void look_at_outputs(const struct dag *dag, uint32_t tx, struct tdag_row *row, uint32_t *unknown,
                            uint32_t *removed, uint64_t *spent_sat)
{
    const struct forest *forest = dag->forest;
    uint32_t kept_spent = 0;
    *unknown = forest->txs[tx].nulldata;
    *removed = 0;
    for (uint32_t o = forest->txs[tx].first_output; o < forest->txs[tx + 1].first_output; o++) {
        const struct forest_output *output = &forest->outputs[o];
        row->alike &= (output->unknown & RULES_ALL) == RULES_ALL;
        if (!(output->unknown >> dag->rules & 1))
            continue;
        ++*unknown;
        if (output->spender == FOREST_NONE)
            continue;
        *spent_sat = add_saturating(*spent_sat, output->value_sat);
        if (dag_removes(dag, output)) {
            ++*removed;
        } else {
            kept_spent++;
            row->moved_value_sat = add_saturating(row->moved_value_sat, output->value_sat);
        }
    }
    row->spent_unknown += kept_spent;
    row->unspent_unknown += *unknown - kept_spent - *removed;
    row->known_leaves += forest->txs[tx].outputs - *unknown;
}

/* What one transaction adds to the row. Returns the value of its spent unknown outputs. */
static uint64_t add_tx(struct metrics *metrics, const struct dag *dag, uint32_t position, struct tdag_row *row)
{
    uint32_t tx = dag->members[position], unknown_inputs, unknown_outputs;
    const struct forest_tx *t = &dag->forest->txs[tx];
    uint64_t spent_sat = 0;
    uint32_t depth = 1 + look_at_inputs(dag, tx, row, &unknown_inputs);
    look_at_outputs(dag, tx, row, &unknown_outputs, &dag->removed[position], &spent_sat);
    bool root = (t->coinbase || unknown_inputs < t->inputs) && unknown_outputs > 0;
    uint32_t kept = t->outputs - dag->removed[position];
    dag->local[tx] = position;
    dag->depths[tx] = depth;
    dag->root[position] = root;
    metrics->level[depth] += kept;
    if (kept > 0 && depth > row->height)
        row->height = depth;
    row->roots += root;
    row->nodes += (uint64_t)kept + root;
    row->edges = add_saturating(row->edges, (uint64_t)kept * ((uint64_t)unknown_inputs + root));
    if (__builtin_add_overflow(row->inputs_before, forest_inputs_before(dag->forest, tx), &row->inputs_before))
        row->inputs_before = UINT32_MAX;
    row->maybe_roots += forest_inputs_before(dag->forest, tx) > 0 && unknown_outputs > 0;
    row->mixed_spenders += unknown_inputs > 0 && unknown_inputs < t->inputs;
    if (root)
        row->root_value_sat = add_saturating(row->root_value_sat, t->value_out_sat);
    return spent_sat;
}

/* Of a large T-DAG nearly every step waits for memory: a transaction, what it spends, and the depths of what made that,
 * one after the other. So each is asked for some transactions before it is needed; of what one spends the first few. */
static inline __attribute__((always_inline)) void ask_ahead(const struct dag *dag, uint32_t position)
{
    const struct forest *forest = dag->forest;
    const uint32_t *members = dag->members + position;
    if (dag->count - position <= 4 * AHEAD)
        return;
    uint32_t far = members[4 * AHEAD], spends = members[2 * AHEAD], near = members[AHEAD];
    __builtin_prefetch(&forest->txs[far]);
    __builtin_prefetch(&forest->txs[far + 1]);
    __builtin_prefetch(&dag->local[far], 1);
    __builtin_prefetch(&dag->depths[far], 1);
    __builtin_prefetch(&forest->spends[forest->txs[members[3 * AHEAD]].first_spend]);
    __builtin_prefetch(&forest->outputs[forest->txs[members[3 * AHEAD]].first_output]);
    for (uint32_t i = 0, s = forest->txs[spends].first_spend; i < AHEAD && s + i < forest->txs[spends + 1].first_spend;
         i++)
        __builtin_prefetch(&forest->outputs[forest->spends[s + i]].tx);
    for (uint32_t i = 0, s = forest->txs[near].first_spend; i < AHEAD && s + i < forest->txs[near + 1].first_spend; i++)
        __builtin_prefetch(&dag->depths[forest->outputs[forest->spends[s + i]].tx]);
}

enum status metrics_of(struct metrics *metrics, const struct dag *dag, struct tdag_row *row, uint64_t *removed)
{
    const struct forest *forest = dag->forest;
    uint64_t value_sat = 0, spent_sat = 0;
    enum status status = mem_reserve(&metrics->level, &metrics->capacity, (size_t)dag->count + 1,
                                     sizeof *metrics->level);
    if (status != STATUS_OK)
        return status;
    memset(metrics->level, 0, ((size_t)dag->count + 1) * sizeof *metrics->level);
    *row = (struct tdag_row){.txs = dag->count, .txs_left = dag->count, .alike = true};
    *removed = 0;
    for (uint32_t i = 0; i < dag->count; i++) {
        ask_ahead(dag, i);
        spent_sat = add_saturating(spent_sat, add_tx(metrics, dag, i, row));
        value_sat = add_saturating(value_sat, forest->txs[dag->members[i]].value_out_sat);
        *removed += dag->removed[i];
    }
    if (row->height < 2) {
        for (uint32_t i = 0; i < dag->count; i++)
            dag->depths[dag->members[i]] = 0;
        *row = (struct tdag_row){.vanished = true};
        return STATUS_OK;
    }
    const struct forest_tx *first = &forest->txs[dag->members[0]], *last = &forest->txs[dag->members[dag->count - 1]];
    row->first_height = first->height;
    row->last_height = last->height;
    row->first_time = forest->block_times[first->height];
    row->last_time = forest->block_times[last->height];
    row->leaf_value_sat = value_sat - spent_sat;
    row->leaves = row->unspent_unknown + row->known_leaves;
    row->width = row->roots;
    for (uint32_t depth = 1; depth <= row->height; depth++)
        row->width = metrics->level[depth] > row->width ? metrics->level[depth] : row->width;
    return STATUS_OK;
}

void metrics_free(struct metrics *metrics)
{
    mem_free(metrics->level);
    memset(metrics, 0, sizeof *metrics);
}
