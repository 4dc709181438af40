/* plan: T-DAGs by design. A plan lists the transactions of one T-DAG in topological order, how many unknown outputs
 * each creates and which of them it spends, so that the generator can write it into a chain and say beforehand what
 * must be found there. Test support: out of memory ends the program. */
#ifndef UNKTX_TESTS_SUPPORT_PLAN_H
#define UNKTX_TESTS_SUPPORT_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "parser/hash256.h"

/* splitmix64: the same numbers for the same seed on every machine. */
struct rng {
    uint64_t state;
};

static inline uint64_t rng_next(struct rng *rng)
{
    uint64_t z = rng->state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* A number in 0..below-1. */
static inline uint32_t rng_below(struct rng *rng, uint32_t below)
{
    return (uint32_t)((rng_next(rng) >> 32) * below >> 32);
}

#define PLAN_FAMILIES 13 /* in the order of the model's table */
extern const char *const plan_family_names[PLAN_FAMILIES];

struct plan_arc {
    uint32_t from;   /* transaction of the plan */
    uint32_t number; /* which of its unknown outputs */
};

struct plan_tx {
    uint32_t first_arc; /* what it spends */
    uint32_t arcs;
    uint32_t spent; /* its unknown outputs: 0..spent-1 are spent */
    uint32_t unspent;
    uint32_t known; /* its known outputs */
    uint32_t depth;
    bool known_input;
};

struct plan {
    unsigned level;  /* the first rule set that calls its outputs unknown: 0 nonstandard, 1 pubkey, 2 multisig */
    unsigned family; /* PLAN_FAMILIES: not known by design */
    struct plan_tx *txs;
    size_t count;
    size_t capacity;
    struct plan_arc *arcs;
    size_t arcs_count;
    size_t arcs_capacity;
    struct hash256 *txids; /* filled in while it is written */
    uint64_t *sats;        /* value of each of its outputs, as the txids */
    size_t next;           /* transaction to write next */
    uint32_t holder;       /* of its unknown outputs; 0: each has another one */
};

struct plan_sums {
    uint64_t txs;
    uint64_t roots;
    uint64_t nodes;
    uint64_t edges;
    uint64_t height;
    uint64_t spent;
    uint64_t tracked;
};

/* A plan of the given family with random widths. */
struct plan *plan_of_family(struct rng *rng, unsigned family, bool embellish);
/* The shapes of the paper's Table III with two or three transactions, by their shares there. */
struct plan *plan_of_table(struct rng *rng);
/* `roots` one-output roots spent together into one output. */
struct plan *plan_fan_in(uint32_t roots);
/* `height` transactions one after the other, the first a root; `roots` - 1 more roots flow in at even distances. */
struct plan *plan_deep(uint32_t height, uint32_t roots);
/* `txs` transactions, each spending one or two random open outputs. */
struct plan *plan_random(struct rng *rng, uint32_t txs);
void plan_free(struct plan *plan);

/* Settles what the model's formulas say of it (depths too). */
struct plan_sums plan_sum(struct plan *plan);

/* mem_resize or end the program; grows `*array` to hold `need` elements. */
void must_reserve(void *array, size_t *capacity, size_t need, size_t size);
void *must_alloc(size_t count, size_t size);

#endif
