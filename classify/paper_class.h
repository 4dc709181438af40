/* paper_class: the paper's equality of T-DAGs (its Definitions 11 and 12; docs/model.md, section 9), as an id that two
 * T-DAGs share exactly if neither comes before the other.
 *
 * Two sub-DAGs are equal if they have as many nodes, and children that are equal one by one when both lists are sorted.
 * So a node's class is the pair of how many nodes it reaches (reach.h) and the multiset of its children's classes, and
 * its id a hash of that pair; no order has to be worked out. All outputs of a transaction have the same parents, so
 * this is done on the graph of transactions, or of what compression leaves (quotient.h). Isomorphic T-DAGs are equal,
 * so one of each exact class is looked at.
 *
 * Left open, and never guessed: T-DAGs beyond the limits of reach.h and quotient.h, and with compression those of more
 * children than CHILDREN_FACTOR allows (paper_class.c).
 *
 * Thread rule: paper_classes_find is parallel inside; a const result is shareable. */
#ifndef UNKTX_CLASSIFY_PAPER_CLASS_H
#define UNKTX_CLASSIFY_PAPER_CLASS_H

#include "classify/classes.h"

struct paper_class {
    uint8_t id[CANON_ID_SIZE]; /* leading bytes of a SHA-256: the same on every machine */
    bool known;                /* false: id is zeros */
};

#define PAPER_NONE UINT32_MAX

struct paper_classes {
    struct paper_class *tdags;   /* by T-DAG - 1 */
    struct paper_class *classes; /* as classes->classes; of one that is not exact none is known */
    uint32_t *first;             /* likewise: the first class with the same id, itself if there is none before it */
    uint32_t *next;              /* likewise: the next class with the same id, else PAPER_NONE */
    uint32_t classes_count;      /* of the arrays above */
    uint32_t count;              /* different ids */
    uint32_t open;               /* T-DAGs without one */
};

/* `classes` is what classify() gave for the same arguments. Linear but for sorting and for what reach_find takes. */
enum status paper_classes_find(const struct forest *forest, const struct tdags *tdags, const struct classes *classes,
                               bool compress, unsigned threads, struct paper_classes *paper, struct fault *fault)
    MUST_CHECK;
void paper_classes_free(struct paper_classes *paper);

/* Of all classes of `paper` those that share an id with another one: how many such ids there are. O(classes). */
uint32_t paper_classes_merging(const struct paper_classes *paper);

#endif
