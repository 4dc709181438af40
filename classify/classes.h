/* classes: metrics, family and isomorphism class of every T-DAG, in parallel.
 *
 * The class is the canonical form (canon.h) of the graph of transactions: vertex colour = root or not, and how many of
 * its outputs are leaves; arc label = how many outputs of one transaction the other spends. This graph determines the
 * T-DAG up to isomorphism and conversely (quotient.h argues why), and it never expands to nodes and edges. With
 * compression (docs/model.md, section 5) the graph is built from what is left (quotient.h): nodes, edges, leaves,
 * width, height, txs_left, spent_unknown and moved_value_sat count only that; txs, mixed_spenders and root_value_sat
 * are still those of all transactions. Beyond quotient.h's limits (only a chain made for it gets there) a row is as it
 * is without compression, with class_exact false and a class_id that no exact class has. */
#ifndef UNKTX_CLASSIFY_CLASSES_H
#define UNKTX_CLASSIFY_CLASSES_H

#include "classify/canon.h"
#include "classify/family.h"
#include "graph/dag/forest.h"

struct tdag_row {
    uint8_t class_id[CANON_ID_SIZE];
    bool class_exact;
    bool alike;     /* every rule set has this same T-DAG: all outputs that it creates or spends are unknown in each */
    bool vanished;  /* compression left a height below 2: no T-DAG any more; all else is then 0 */
    uint8_t family; /* enum family */
    uint32_t txs;
    uint32_t txs_left; /* with compression: groups of outputs that have the same parents; else txs */
    uint32_t roots;
    uint32_t height;
    uint32_t mixed_spenders;
    uint32_t maybe_roots;   /* of a partial store's (docs/model.md, section 8), else 0; of the whole T-DAG */
    uint32_t inputs_before; /* likewise; more than this can hold count as UINT32_MAX */
    uint32_t spent_unknown; /* no more than the forest has outputs */
    uint64_t nodes;
    uint64_t edges;
    uint64_t leaves;
    uint64_t width;
    uint64_t unspent_unknown;
    uint64_t known_leaves;
    uint32_t first_height;
    uint32_t last_height;
    uint32_t first_time;
    uint32_t last_time;
    uint64_t root_value_sat;
    uint64_t moved_value_sat;
    uint64_t leaf_value_sat;
    uint32_t roles;             /* stable colours of its transactions (canon.h) */
    uint32_t role_txs;          /* vertices that have them: with compression those of the quotient graph, without it the
                                 * transactions */
    double automorphisms_log10; /* of the T-DAG as a graph of nodes */
};

_Static_assert(sizeof(struct tdag_row) == 160, "there are millions of them");

struct class_row {
    uint8_t class_id[CANON_ID_SIZE];
    bool exact;
    bool alike; /* so is one of its T-DAGs */
    uint32_t tdags;
    uint32_t first_dag; /* id of the first T-DAG in it */
    uint32_t height;
    uint32_t roots;
    uint32_t txs;         /* txs_left of each of its T-DAGs */
    uint32_t maybe_tdags; /* those with inputs_before */
    uint64_t nodes;
    uint64_t edges;
    enum family family;
    double automorphisms_log10;
};

struct classes {
    struct tdag_row *rows; /* rows[d - 1] is T-DAG d */
    uint32_t rows_count;
    struct class_row *classes; /* most common first, then by class_id */
    uint32_t classes_count;
    uint32_t *depths; /* by transaction number: depth of its outputs; 0 outside T-DAGs */
    uint64_t nodes;   /* sum over all T-DAGs */
    uint64_t edges;   /* likewise */
};

/* Rows of every T-DAG of `tdags`, whose tx_dag is scratch space meanwhile and in the end as it was. With `compress`,
 * T-DAGs that vanish are marked and are in no class; the caller then drops them (tdags_drop) and calls again, or skips
 * them. `forms` (borrowed; may be NULL) keeps what took long, see canon_use_forms. O(transactions + arcs) but for what
 * canon_run takes. */
enum status classify(const struct forest *forest, struct tdags *tdags, bool compress, struct forms *forms,
                     unsigned threads, struct classes *classes, struct fault *fault) MUST_CHECK;
void classes_free(struct classes *classes);

#endif
