/* quotient: the graph of transactions that determines a T-DAG, for canon and family. In graph terms it is the T-DAG's
 * quotient by "has the same parents": each class of nodes with equal parents becomes one vertex.
 *
 * Without compression: a vertex for each transaction, coloured by (leaves, root or not), and an arc for each pair of
 * transactions of which one spends the other's unknown outputs, labelled with how many.
 *
 * Why this is enough, both ways: all outputs of a transaction have the same parents (its root node and what it spends),
 * and there is at least one; an output is spent once, so two transactions never share a parent. The T-DAG's nodes
 * therefore fall into transactions by their parents alone, whoever numbered them; root nodes are those without a
 * parent. So an isomorphism of T-DAGs is one of quotient graphs, together with a free choice among the outputs that the
 * quotient graph does not tell apart: the leaves of a transaction, and the outputs that go to the same spender.
 * `swaps_log10` counts those choices.
 *
 * With compression (docs/model.md, section 5) a node can be the parent of the outputs of several transactions, and
 * several transactions can have the same parents. Transactions with the same parents are one vertex (nothing
 * distinguishes their outputs); one without an output left is none. A root node or a spent output that is a parent to
 * the outputs of one vertex only goes into that vertex' colour or that arc's label as above; one that is shared becomes
 * a vertex of its own, with a colour of its own. Where nothing is removed this is the graph without compression.
 *
 * Thread rule: one thread's scratch space. */
#ifndef UNKTX_CLASSIFY_QUOTIENT_H
#define UNKTX_CLASSIFY_QUOTIENT_H

#include "classify/metrics.h"

/* Limits on a compressed T-DAG's sets of parents, which on a chain made for that grow with the square of its size:
 * entries kept (4 bytes each), and entries looked at. */
#define QUOTIENT_PARENTS_MAX (1u << 24)
#define QUOTIENT_WORK_MAX (1u << 27)

/* Colours of vertices that are one node: a root node or a spent output that is the parent of several vertices. Any
 * other colour is that of a transaction or of several with the same parents: fewer than 2^32 - 1 root nodes that are
 * parents of nothing else, and leaves. */
#define QUOTIENT_SHARED_OUTPUT UINT64_MAX
#define QUOTIENT_SHARED_ROOT (UINT64_MAX - 1)

static inline bool quotient_is_shared(uint64_t colour) { return colour >= QUOTIENT_SHARED_ROOT; }
static inline uint32_t quotient_leaves(uint64_t colour) { return (uint32_t)(colour >> 32); }
static inline uint32_t quotient_roots(uint64_t colour) { return (uint32_t)colour; }

struct quotient; /* opaque */

struct quotient_view {
    struct canon_graph graph;   /* borrowed until the next call */
    struct family_graph family; /* likewise; a shared root is a vertex of its own: it may be all that joins two */
    double swaps_log10;
    /* of what is left; only from quotient_compressed: */
    uint64_t edges;
    uint32_t txs; /* sets of parents that outputs have: transactions, but those with the same parents count once */
};

enum status quotient_new(struct quotient **quotient, struct fault *fault) MUST_CHECK;
void quotient_free(struct quotient *quotient);
/* Gives back what no view needs. */
void quotient_let_go(struct quotient *quotient);

/* The T-DAG as it is. metrics_of comes first. O(outputs of its transactions). */
enum status quotient_plain(struct quotient *quotient, const struct dag *dag, struct quotient_view *view) MUST_CHECK;

/* What compression leaves, of a T-DAG from which it removes something and that has not vanished. STATUS_LIMIT beyond
 * the limits above. O(sum of the sets of parents), times a logarithm for finding equal ones. */
enum status quotient_compressed(struct quotient *quotient, const struct dag *dag, struct quotient_view *view)
    MUST_CHECK;

#endif
