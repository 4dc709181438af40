/* drawing_graph: for drawing*.c and for the levels of gexf.c: the graph of transactions of what is drawn, the two
 * paths, and how transactions are put together into blocks. */
#ifndef UNKTX_CLI_VIEWS_DRAWING_GRAPH_H
#define UNKTX_CLI_VIEWS_DRAWING_GRAPH_H

#include "cli/views/drawing.h"
#include "parser/union_find.h"

/* A transaction, by its place in scope->numbers: an order in which every arc leads on. */
struct drawing_tx {
    uint64_t known;    /* outputs */
    uint64_t unspent;  /* unknown ones */
    uint32_t inside;   /* spent within what is drawn */
    uint32_t outside;  /* spent elsewhere */
    uint32_t entering; /* outputs that it spends within what is drawn */
    uint32_t entered;  /* and elsewhere */
    uint32_t depth;    /* of its outputs, from 1 */
    uint8_t root;
    uint8_t marks; /* of paths through it */
};

/* A spent unknown output, in order of (from, vout). */
struct drawing_arc {
    uint32_t from;
    uint32_t to;
    uint32_t output; /* ordinal */
    uint8_t marks;
};

struct drawing_graph {
    const struct drawing_scope *scope;
    struct drawing_tx *txs;
    uint32_t txs_count;
    struct drawing_arc *arcs;
    uint32_t arcs_count;
    uint32_t height; /* the largest depth */
    uint64_t nodes;
    uint32_t flow;
    uint64_t flow_sat;
    uint32_t begins[2]; /* of the longest path, and of the heaviest flow: the first transaction; FOREST_NONE */
    uint32_t ends[2];   /* the last one */
};

/* drawing_graph_free in any case. */
enum status drawing_graph_make(const struct drawing_scope *scope, struct drawing_graph *graph) MUST_CHECK;
void drawing_graph_free(struct drawing_graph *graph);

/* The place of a transaction in scope->numbers; FOREST_NONE where it is none of them. */
uint32_t drawing_place(const uint32_t *numbers, uint32_t count, uint32_t number);

static inline void drawing_join(uint32_t *leader, uint32_t a, uint32_t b)
{
    a = union_find(leader, a);
    b = union_find(leader, b);
    leader[a > b ? a : b] = a > b ? b : a;
}

/* How far to collapse. */
struct drawing_limits {
    uint32_t bands;     /* at most so many */
    uint32_t kinds;     /* of transactions or components, in all bands together, about */
    bool paths_for_all; /* what is on a path is in no block with what is not */
};

struct drawing_block {
    uint32_t band;
    uint32_t first; /* place of the first transaction */
    uint32_t components;
    bool is_part; /* one of its components is of several transactions, and levels */
};

/* Transactions in blocks; `of` by their place. Free both with mem_free. */
struct drawing_blocks {
    uint32_t *of;
    struct drawing_block *list; /* in order of (band, first) */
    uint32_t count;
};

/* O(arcs + transactions + height * bands). */
enum status drawing_blocks_make(const struct drawing_graph *graph, const struct drawing_limits *limits,
                                struct drawing_blocks *blocks) MUST_CHECK;
/* A block for each transaction. */
enum status drawing_blocks_plain(const struct drawing_graph *graph, struct drawing_blocks *blocks) MUST_CHECK;

#endif
