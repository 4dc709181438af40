/* explore_class_table: the classes of a rule set as the pages of `unktx explore` look for them: by id, by what they are
 * sorted by, and with the T-DAGs of each.
 *
 * Thread rule: made by one thread, then only read. */
#ifndef UNKTX_CLI_VIEWS_EXPLORE_CLASS_TABLE_H
#define UNKTX_CLI_VIEWS_EXPLORE_CLASS_TABLE_H

#include "classify/classes.h"
#include "graph/scripts/catalogue.h"

struct explore_rules;
struct prefix;

/* By what classes can be sorted. */
enum explore_class_order { BY_TDAGS, BY_HEIGHT, BY_NODES, BY_EDGES, BY_ROOTS, BY_TXS };
#define EXPLORE_CLASS_ORDERS 6u

struct explore_class_table {
    struct class_row *rows; /* in the order of their ids as printed */
    struct name_set *names; /* by class: the known scripts that one of its T-DAGs holds */
    uint32_t count;
    uint32_t *first;                        /* count + 1: class c has dags[first[c] .. first[c + 1] - 1] */
    uint32_t *dags;                         /* in the order of their numbers */
    uint32_t *orders[EXPLORE_CLASS_ORDERS]; /* classes, the most first; then the most common, then by id */
};

/* What the class is sorted by. */
uint64_t explore_class_key(const struct class_row *row, enum explore_class_order order);

/* Makes it of the rows of all T-DAGs. explore_class_table_free in any case. O(T-DAGs); memory: 56 bytes a T-DAG
 * meanwhile. */
enum status explore_class_table_make(const struct explore_rules *of, struct explore_class_table *table,
                                     struct fault *fault) MUST_CHECK;
void explore_class_table_free(struct explore_class_table *table);

/* The classes whose id begins with these digits: [*first, *end). O(log n). */
void explore_class_find(const struct explore_class_table *table, const struct prefix *prefix, uint32_t *first,
                        uint32_t *end);
/* Is there a class of that id? O(log n). */
bool explore_class_has(const struct explore_class_table *table, const uint8_t id[CANON_ID_SIZE]);

#endif
