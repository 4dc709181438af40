/* explore_order: all T-DAGs of a rule set in the order of a column. Made when it is first asked for and then kept, as
 * far as there is room: a range of values is a piece of it, so that a filter looks at no row. Of a rule set that shares
 * rows with another (explore_rules.h) it has its own T-DAGs alone, and where they belong in the order of that one.
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
    unsigned column;  /* a column or word to sort by; not EXPLORE_BY_NUMBER, which needs no order */
    uint32_t *dags;   /* the least first; equal ones in the order of their numbers */
    uint32_t count;   /* of these */
    uint32_t rest;    /* that have no such word: dags[count .. count + rest - 1], in the order of their numbers */
    uint64_t *begins; /* bit i: dags[i] has another value than the one before it */
    /* of a rule set that shares rows, else NULL */
    struct explore_order *base; /* of the rule set that has them */
    uint32_t *places;           /* dags[i] comes before base->dags[places[i]] */
    uint8_t *equals;            /* of dags[i]: enum explore_equal */
};

/* Which of the base have the same value: none, those before the place, or that at the place. */
enum explore_equal { EQUAL_NONE, EQUAL_BEFORE, EQUAL_AT };

/* NULL: not enough memory. O(1), or O(T-DAGs) where it has to be made. */
struct explore_order *explore_order_get(struct explore *explore, enum rules rules, unsigned column);
void explore_order_leave(struct explore *explore, struct explore_order *order);
/* Makes those of all columns, as far as there is room, before they are asked for. Ends early once a signal came. */
void explore_orders_make(struct explore *explore, enum rules rules);
void explore_orders_free(struct explore *explore);

/* The T-DAGs of a rule set that shares no rows whose key (explore_key) lies from low to high: dags[*first .. *end - 1].
 * O(log n). */
void explore_order_range(const struct explore_rules *rules, const struct explore_order *order, uint64_t low,
                         uint64_t high, uint32_t *first, uint32_t *end);

/* Writes up to `most` of the T-DAGs that have a bit (at their numbers), in this order, without the first `skip` of
 * them; descending, equal ones stay in the order of their numbers. Returns how many. O(T-DAGs up to the last of these).
 */
uint32_t explore_order_pick(const struct explore_rules *rules, const struct explore_order *order, bool descending,
                            const uint64_t *bits, uint64_t skip, uint32_t *out, uint32_t most);

#endif
