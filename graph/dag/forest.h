/* forest: the stored transactions and tracked outputs of a whole store in memory, linked by spends, and the T-DAGs of a
 * rule set (docs/model.md, section 5): weakly connected components in which an unknown output was spent.
 *
 * Arrays of structs of plain numbers, indexed by transaction number and output ordinal (see record.h), because millions
 * of T-DAGs of three nodes must cost bytes, not allocations. 64 bytes a stored transaction (68 of a partial store), 24
 * a tracked output, 4 a spend. Thread rule: loading is parallel inside; a const forest or tdags is shareable. */
#ifndef UNKTX_GRAPH_DAG_FOREST_H
#define UNKTX_GRAPH_DAG_FOREST_H

#include "graph/store/store.h"

#define FOREST_NONE UINT32_MAX

struct forest_tx {
    struct hash256 txid;
    uint64_t value_out_sat; /* sum over all its outputs, saturating */
    uint32_t height;
    uint32_t first_output; /* ordinal of its first tracked output; the next transaction's comes after its last */
    uint32_t first_spend;  /* in forest.spends; likewise */
    uint32_t inputs : 30;
    uint32_t coinbase : 1;
    uint32_t spends_unknown : 1; /* all its spends are of outputs that every rule set of Core calls unknown */
    uint64_t outputs : 22;
    uint64_t nulldata : 22; /* how many nulldata outputs */
    uint64_t index : 20;    /* in its block */
};

/* No block record, of 32 MiB at most, has room for a transaction with more outputs (9 bytes each) or inputs (41), nor
 * for more transactions (60). */
#define FOREST_VOUT_MAX ((1u << 22) - 1)
#define FOREST_VIN_MAX ((1u << 30) - 1)
#define FOREST_INDEX_MAX ((1u << 20) - 1)

struct forest_output {
    uint64_t value_sat;
    uint32_t tx;      /* that creates it */
    uint32_t spender; /* transaction number, FOREST_NONE when unspent */
    uint32_t vout : 22;
    uint32_t kind : 5;    /* enum kind */
    uint32_t unknown : 4; /* mask of rule sets */
    uint32_t : 0;         /* one thread may read what is above while another writes what is below */
    uint32_t spender_vin : 31;
    uint32_t anyone_can_spend : 1;
};

_Static_assert(sizeof(struct forest_tx) == 64 && sizeof(struct forest_output) == 24, "there are millions of them");
_Static_assert(KINDS <= 1u << 5 && RULES_WITH_HIDDEN <= 4, "they fit");

struct forest {
    struct forest_tx *txs; /* txs_count + 1: a sentinel closes first_output and first_spend. Each is one line of the
                            * cache (mem_alloc_lines) */
    uint32_t txs_count;
    struct forest_output *outputs;
    uint32_t outputs_count;
    uint32_t *spends; /* ordinals spent, grouped by spending transaction, in order of vin */
    uint32_t spends_count;
    uint32_t *inputs_before; /* by transaction: how many spend what was made before the store's first block; NULL unless
                              * it is partial, see forest_inputs_before */
    uint32_t *block_times;   /* by height; 0 below first_height */
    uint32_t first_height;   /* of the first block: above 0 where the store is partial */
    uint32_t blocks;         /* the last block's height + 1 */
    struct hash256 tip;
    /* sums over all blocks */
    uint64_t total_txs;
    uint64_t total_inputs;
    uint64_t total_outputs;
    uint64_t kind_count[KINDS];
    uint64_t kind_value_sat[KINDS];
    uint64_t unknown_txs[RULES];           /* see forest_unknown_txs */
    uint64_t maybe_txs[RULES_WITH_HIDDEN]; /* of these, those with an input from before: roots that may not be roots */
    uint64_t inner_txs[RULES_WITH_HIDDEN]; /* of the stored ones with an unknown output, those that are no roots */
};

/* Reads the whole store on `threads` threads. STATUS_LIMIT beyond 2^32 - 2 transactions or outputs. O(store). */
enum status forest_load(const struct store *store, unsigned threads, struct forest *forest, struct fault *fault)
    MUST_CHECK;
/* forest_load; unless it is to compress, anyone_can_spend is false of all outputs, which saves a look at each script.
 */
enum status forest_load_for(const struct store *store, bool compress, unsigned threads, struct forest *forest,
                            struct fault *fault) MUST_CHECK;
void forest_free(struct forest *forest);

/* For loops in order over what refers to outputs and transactions anywhere in memory: how many steps before it is
 * needed each is asked for. Macros, since gcc (12 at least) takes a call of a function that only prefetches for one
 * without effect, and drops it. */
#define FOREST_AHEAD 32u
#define FOREST_PREFETCH_SPENT(forest, spend)                                                                           \
    __builtin_prefetch(                                                                                                \
        &(forest)                                                                                                      \
             ->outputs[(forest)->spends[(spend) + FOREST_AHEAD < (forest)->spends_count ? (spend) + FOREST_AHEAD       \
                                                                                        : (spend)]]                    \
             .spender)

/* In a loop over outputs in order, whose spender is needed. */
#define FOREST_PREFETCH_SPENDER(forest, ordinal)                                                                       \
    do {                                                                                                               \
        uint64_t ahead_ = (uint64_t)(ordinal) + FOREST_AHEAD;                                                          \
        uint32_t spender_ = ahead_ < (forest)->outputs_count ? (forest)->outputs[ahead_].spender : FOREST_NONE;        \
        if (spender_ != FOREST_NONE)                                                                                   \
            __builtin_prefetch(&(forest)->txs[spender_]);                                                              \
    } while (0)

/* True when the output is unknown in the rule set and spent: an arc from its transaction to its spender. */
static inline bool forest_is_arc(const struct forest_output *output, enum rules rules)
{
    return (output->unknown >> rules & 1) && output->spender != FOREST_NONE;
}

/* The number of inputs of a transaction that spend what was made before the store's first block. O(1). */
static inline uint32_t forest_inputs_before(const struct forest *forest, uint32_t tx)
{
    return forest->inputs_before ? forest->inputs_before[tx] : 0;
}

/* The number of inputs of a transaction that spend an unknown output (|Uin|). O(its spends), O(1) for most. */
uint32_t forest_unknown_inputs(const struct forest *forest, uint32_t tx, enum rules rules);
/* A root that may not be one: a transaction of before the store's first block may have made an unknown output that
 * it spends (docs/model.md, section 8). O(its outputs). */
bool forest_is_maybe_root(const struct forest *forest, uint32_t tx, enum rules rules);
/* |Uout|, nulldata included. O(its tracked outputs). */
uint32_t forest_unknown_outputs(const struct forest *forest, uint32_t tx, enum rules rules);
/* Transactions with an unknown output, of all blocks, stored or not. O(1), for the rule set hidden O(transactions). */
uint64_t forest_unknown_txs(const struct forest *forest, enum rules rules);
/* Of the stored transactions first .. end - 1 those with an unknown output under the rule set hidden and none under
 * core-22. O(end - first). */
uint64_t forest_only_hidden_txs(const struct forest *forest, uint32_t first, uint32_t end);
/* Adds a transaction to counts such as inner_txs where it counts there. Its spends end before spends[end_spend]; what
 * it spends and makes is there already, and so is first_output of the next one. */
void forest_count_inner(const struct forest *forest, uint32_t tx, uint32_t end_spend,
                        uint64_t inner_txs[RULES_WITH_HIDDEN]);
/* A coinbase, or a transaction with an input that spends a known output; and it has an unknown output (docs/model.md,
 * section 5). */
bool forest_is_root(const struct forest *forest, uint32_t tx, enum rules rules);

/* Kept, since rows that name a T-DAG are many more than T-DAGs. In halves, which need no padding. */
struct tdag_name {
    uint32_t high; /* the first 8 digits as a number */
    uint32_t low;  /* the next 8 */
    uint8_t digits;
};

/* The T-DAGs of one rule set, numbered 1.. in order of their first transaction. */
struct tdags {
    enum rules rules;
    uint32_t count;
    uint32_t *tx_dag;        /* by transaction number: its T-DAG, 0 for none */
    uint32_t *first;         /* count + 1: T-DAG d has members[first[d - 1] .. first[d] - 1] */
    uint32_t *members;       /* transaction numbers, in chain order within a T-DAG */
    struct tdag_name *names; /* by T-DAG - 1; NULL before tdags_name (names.h) */
    uint64_t roots_all;      /* roots of the forest, T-DAGs of height 1 included */
};

/* The first transaction of T-DAG d, 1..count. */
static inline uint32_t tdags_first_tx(const struct tdags *tdags, uint32_t d)
{
    return tdags->members[tdags->first[d - 1]];
}

/* Union-find over the arcs, with path halving: linear but for a factor that is at worst logarithmic. On one thread. */
enum status tdags_find(const struct forest *forest, enum rules rules, struct tdags *tdags, struct fault *fault)
    MUST_CHECK;
/* tdags_find on `threads` threads, unless `skipped` is NULL without the arcs of transactions t with skipped[t] not 0,
 * which must be whole T-DAGs: those that another rule set has alike need not be found again. roots_all counts as if
 * nothing were skipped. */
enum status tdags_find_others(const struct forest *forest, enum rules rules, const uint8_t *skipped, unsigned threads,
                              struct tdags *tdags, struct fault *fault) MUST_CHECK;
/* Drops the T-DAGs d (1..count) with drop[d] not 0 and numbers the others anew, in the same order. */
void tdags_drop(struct tdags *tdags, const uint8_t *drop);
void tdags_free(struct tdags *tdags);

#endif
