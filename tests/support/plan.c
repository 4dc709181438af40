#include "tests/support/plan.h"

#include <stdio.h>
#include <stdlib.h>

#include "parser/mem.h"

const char *const plan_family_names[PLAN_FAMILIES] = {
    "chain",    "fan-out",        "fan-in",    "peeling-chain",   "out-tree", "in-tree", "gather-scatter",
    "polytree", "scatter-gather", "bipartite", "series-parallel", "stack",    "general"};

void must_reserve(void *array, size_t *capacity, size_t need, size_t size)
{
    if (mem_reserve(array, capacity, need, size) != STATUS_OK) {
        fputs("out of memory\n", stderr);
        exit(1);
    }
}

void *must_alloc(size_t count, size_t size)
{
    void *block = mem_alloc(count, size);
    if (!block) {
        fputs("out of memory\n", stderr);
        exit(1);
    }
    return block;
}

static struct plan *plan_new(unsigned family)
{
    struct plan *plan = must_alloc(1, sizeof *plan);
    plan->family = family;
    return plan;
}

void plan_free(struct plan *plan)
{
    if (!plan)
        return;
    mem_free(plan->txs);
    mem_free(plan->arcs);
    mem_free(plan->txids);
    mem_free(plan->sats);
    mem_free(plan);
}

/* The next transaction; its arcs follow before another one is added. */
static uint32_t add_tx(struct plan *plan, uint32_t known)
{
    must_reserve(&plan->txs, &plan->capacity, plan->count + 1, sizeof *plan->txs);
    plan->txs[plan->count] = (struct plan_tx){.first_arc = (uint32_t)plan->arcs_count, .known = known};
    return (uint32_t)plan->count++;
}

/* The last transaction spends one more output of `from`. */
static void add_arc(struct plan *plan, uint32_t from)
{
    must_reserve(&plan->arcs, &plan->arcs_capacity, plan->arcs_count + 1, sizeof *plan->arcs);
    plan->arcs[plan->arcs_count++] = (struct plan_arc){from, plan->txs[from].spent++};
    plan->txs[plan->count - 1].arcs++;
}

static uint32_t add_child(struct plan *plan, uint32_t from)
{
    uint32_t tx = add_tx(plan, 0);
    add_arc(plan, from);
    return tx;
}

/* Gives every source its known input and every sink an output; with `rng`, also extra outputs, parallel arcs'
 * siblings and known inputs beside unknown ones (mixed spenders), none of which changes the family. */
static struct plan *settle(struct plan *plan, struct rng *rng)
{
    for (size_t t = 0; t < plan->count; t++) {
        struct plan_tx *tx = &plan->txs[t];
        if (rng) {
            tx->known += rng_below(rng, 3);
            tx->unspent = rng_below(rng, 7) ? 0 : 1 + rng_below(rng, 2);
            tx->known_input = rng_below(rng, 10) == 0;
        }
        if (!tx->arcs)
            tx->known_input = true;
        if (tx->spent + tx->unspent + tx->known == 0)
            tx->known = 1;
    }
    plan->txids = must_alloc(plan->count, sizeof *plan->txids);
    plan->sats = must_alloc(plan->count, sizeof *plan->sats);
    return plan;
}

static void add_star_out(struct plan *plan, uint32_t center, uint32_t width)
{
    for (uint32_t i = 0; i < width; i++)
        add_child(plan, center);
}

static uint32_t add_star_in(struct plan *plan, uint32_t width)
{
    uint32_t first = (uint32_t)plan->count;
    for (uint32_t i = 0; i < width; i++)
        add_tx(plan, 0);
    uint32_t sink = add_tx(plan, 0);
    for (uint32_t i = 0; i < width; i++)
        add_arc(plan, first + i);
    return sink;
}

static void add_chain(struct plan *plan, uint32_t length)
{
    uint32_t last = add_tx(plan, 0);
    for (uint32_t i = 1; i < length; i++)
        last = add_child(plan, last);
}

/* A path in which each transaction but the last has a second successor that ends there. */
static void add_peeling_chain(struct plan *plan, uint32_t length)
{
    uint32_t last = add_tx(plan, 0);
    for (uint32_t i = 0; i < length; i++) {
        add_child(plan, last);
        last = add_child(plan, last);
    }
}

/* A source with three children or more, each with `width` of its own: no path holds all that have successors. */
static void add_out_tree(struct plan *plan, uint32_t children, uint32_t width)
{
    uint32_t root = add_tx(plan, 0);
    for (uint32_t i = 0; i < children; i++)
        add_star_out(plan, add_child(plan, root), width);
}

static void add_in_tree(struct plan *plan, uint32_t parents, uint32_t width)
{
    uint32_t middles[8];
    for (uint32_t i = 0; i < parents; i++)
        middles[i] = add_star_in(plan, width);
    add_tx(plan, 0);
    for (uint32_t i = 0; i < parents; i++)
        add_arc(plan, middles[i]);
}

/* A zigzag: source, sink, source, sink, ... of at least two of each. */
static void add_zigzag(struct plan *plan, uint32_t sinks)
{
    uint32_t source = add_tx(plan, 0);
    for (uint32_t i = 0; i < sinks; i++) {
        uint32_t next = add_tx(plan, 0);
        add_tx(plan, 0);
        add_arc(plan, source);
        add_arc(plan, next);
        source = next;
    }
}

static void add_scatter_gather(struct plan *plan, uint32_t width)
{
    uint32_t source = add_tx(plan, 0), first = (uint32_t)plan->count;
    add_star_out(plan, source, width);
    add_tx(plan, 0);
    for (uint32_t i = 0; i < width; i++)
        add_arc(plan, first + i);
}

/* Every one of `from` transactions numbered from `first` is spent by each of `to` new ones. */
static void add_layer(struct plan *plan, uint32_t first, uint32_t from, uint32_t to)
{
    for (uint32_t i = 0; i < to; i++) {
        add_tx(plan, 0);
        for (uint32_t j = 0; j < from; j++)
            add_arc(plan, first + j);
    }
}

static void add_bipartite(struct plan *plan, uint32_t sources, uint32_t sinks)
{
    for (uint32_t i = 0; i < sources; i++)
        add_tx(plan, 0);
    add_layer(plan, 0, sources, sinks);
}

/* A scatter-gather after one step, and an arc past all of it. */
static void add_series_parallel(struct plan *plan, uint32_t width)
{
    uint32_t source = add_tx(plan, 0), inner = add_child(plan, source), first = (uint32_t)plan->count;
    add_star_out(plan, inner, width);
    add_tx(plan, 0);
    for (uint32_t i = 0; i < width; i++)
        add_arc(plan, first + i);
    add_arc(plan, source);
}

/* Layers of 1, width, width, 1, completely joined. */
static void add_stack(struct plan *plan, uint32_t width)
{
    add_tx(plan, 0);
    add_layer(plan, 0, 1, width);
    add_layer(plan, 1, width, width);
    add_layer(plan, 1 + width, width, 1);
}

/* Wheatstone's bridge with a tail: not series-parallel, and one arc skips a layer. */
static void add_bridge(struct plan *plan, uint32_t tail)
{
    uint32_t s = add_tx(plan, 0), a = add_child(plan, s), b = add_child(plan, s);
    add_arc(plan, a);
    uint32_t t = add_child(plan, a);
    add_arc(plan, b);
    for (uint32_t i = 0; i < tail; i++)
        t = add_child(plan, t);
}

struct plan *plan_of_family(struct rng *rng, unsigned family, bool embellish)
{
    struct plan *plan = plan_new(family);
    uint32_t a = 2 + rng_below(rng, 4), b = 2 + rng_below(rng, 4);
    switch (family) {
    case 0: add_chain(plan, 2 * a); break;
    case 1: add_star_out(plan, add_tx(plan, 0), 2 * a); break;
    case 2: add_star_in(plan, 2 * a); break;
    case 3: add_peeling_chain(plan, a + b); break;
    case 4: add_out_tree(plan, 1 + a, b); break;
    case 5: add_in_tree(plan, a, b); break;
    case 6: add_star_out(plan, add_star_in(plan, a), b); break;
    case 7: add_zigzag(plan, a + b); break;
    case 8: add_scatter_gather(plan, a + b); break;
    case 9: add_bipartite(plan, a, b); break;
    case 10: add_series_parallel(plan, a); break;
    case 11: add_stack(plan, a); break;
    default: add_bridge(plan, a); break;
    }
    return settle(plan, embellish ? rng : NULL);
}

/* `roots` transactions of `outputs` outputs, `spent` of each spent together into `into` outputs. */
static struct plan *plan_joined(uint32_t roots, uint32_t outputs, uint32_t spent, uint32_t into)
{
    struct plan *plan = plan_new(roots > 1 ? 2 : 0);
    for (uint32_t r = 0; r < roots; r++)
        add_tx(plan, outputs - spent);
    add_tx(plan, into);
    for (uint32_t r = 0; r < roots; r++)
        for (uint32_t s = 0; s < spent; s++)
            add_arc(plan, r);
    return settle(plan, NULL);
}

struct plan *plan_of_table(struct rng *rng)
{
    static const struct {
        uint32_t share;
        uint32_t roots;
        uint32_t outputs;
        uint32_t spent;
        uint32_t into;
    } rows[] = {
        {607, 2, 4, 3, 1}, {51, 1, 4, 3, 1}, {36, 1, 4, 1, 1}, {32, 1, 3, 1, 1},
        {25, 1, 5, 1, 1},  {20, 1, 3, 1, 3}, {14, 1, 4, 2, 1}, {12, 1, 2, 1, 1},
    };
    uint32_t draw = rng_below(rng, 30033);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (draw < rows[i].share)
            return plan_joined(rows[i].roots, rows[i].outputs, rows[i].spent, rows[i].into);
        draw -= rows[i].share;
    }
    if (draw >= 9)
        return plan_joined(1, 1, 1, 1);
    struct plan *plan = plan_new(1);
    uint32_t root = add_tx(plan, 1);
    add_child(plan, root);
    add_child(plan, root);
    return settle(plan, NULL);
}

struct plan *plan_fan_in(uint32_t roots) { return plan_joined(roots, 1, 1, 1); }

struct plan *plan_deep(uint32_t height, uint32_t roots)
{
    struct plan *plan = plan_new(roots > 1 ? 5 : 0);
    uint32_t every = height / roots, last = add_tx(plan, 0);
    for (uint32_t i = 1; i < height; i++) {
        bool joined = i % every == 0 && i / every < roots;
        uint32_t other = joined ? add_tx(plan, 0) : 0;
        last = add_child(plan, last);
        if (joined)
            add_arc(plan, other);
    }
    return settle(plan, NULL);
}

struct plan *plan_random(struct rng *rng, uint32_t txs)
{
    struct plan *plan = plan_new(PLAN_FAMILIES);
    uint32_t *open = must_alloc(3 * (size_t)txs + 3, sizeof *open); /* creators of outputs not yet spent */
    size_t count = 0;
    for (uint32_t t = 0; t < txs; t++) {
        add_tx(plan, rng_below(rng, 2));
        for (uint32_t i = t ? 1 + (rng_below(rng, 10) < 3) : 0; i > 0 && count > 0; i--) {
            size_t pick = rng_below(rng, (uint32_t)count);
            add_arc(plan, open[pick]);
            open[pick] = open[--count];
        }
        for (uint32_t i = count < 2 ? 3 : 1 + rng_below(rng, 3); i > 0; i--)
            open[count++] = t;
    }
    for (size_t i = 0; i < count; i++)
        plan->txs[open[i]].unspent++;
    mem_free(open);
    return settle(plan, NULL);
}

struct plan_sums plan_sum(struct plan *plan)
{
    struct plan_sums sums = {.txs = plan->count};
    for (size_t t = 0; t < plan->count; t++) {
        struct plan_tx *tx = &plan->txs[t];
        uint64_t unknown = (uint64_t)tx->spent + tx->unspent, outputs = unknown + tx->known;
        bool root = tx->known_input && unknown > 0;
        tx->depth = 1;
        for (uint32_t i = 0; i < tx->arcs; i++) {
            uint32_t parent = plan->txs[plan->arcs[tx->first_arc + i].from].depth;
            if (parent + 1 > tx->depth)
                tx->depth = parent + 1;
        }
        sums.roots += root;
        sums.nodes += root + outputs;
        sums.edges += outputs * (tx->arcs + root);
        sums.spent += tx->spent;
        sums.tracked += unknown;
        if (tx->depth > sums.height)
            sums.height = tx->depth;
    }
    return sums;
}
