/* explore_order: all T-DAGs of a rule set in the order of a column. Made when it is first asked for and then kept, as
 * far as there is room: a range of values is a piece of it, so that a filter looks at no row.
 *
 * Thread rule: any number of threads at once. */
#ifndef UNKTX_CLI_VIEWS_EXPLORE_ORDER_H
#define UNKTX_CLI_VIEWS_EXPLORE_ORDER_H

#include "cli/views/explore.h"

/* Not to be changed; explore_order_leave when it is no longer needed. */
struct explore_order {
    struct explore_order *next;
    unsigned users;
    enum rules rules;
    unsigned column;  /* of explore_columns; not EXPLORE_BY_NUMBER, which needs no order */
    uint32_t *dags;   /* the least first; equal ones in the order of their numbers */
    uint64_t *begins; /* bit i: dags[i] has another value than the one before it */
};

/* NULL: not enough memory. O(1), or O(T-DAGs) where it has to be made. */
struct explore_order *explore_order_get(struct explore *explore, enum rules rules, unsigned column);
void explore_order_leave(struct explore *explore, struct explore_order *order);
/* Makes those of all columns, as far as there is room, before they are asked for. Ends early once a signal came. */
void explore_orders_make(struct explore *explore, enum rules rules);
void explore_orders_free(struct explore *explore);

/* The T-DAGs whose key (explore_key) lies from low to high: dags[*first .. *end - 1]. O(log n). */
void explore_order_range(const struct explore_rules *rules, const struct explore_order *order, uint64_t low,
                         uint64_t high, uint32_t *first, uint32_t *end);

#endif
