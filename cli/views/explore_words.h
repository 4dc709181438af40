/* explore_words: lists of T-DAGs sorted by what is no number: family, class, the first known script, protocol or label,
 * and the group of tied T-DAGs. explore_order.h keeps them.
 *
 * Thread rule: any number of threads at once. */
#ifndef UNKTX_CLI_VIEWS_EXPLORE_WORDS_H
#define UNKTX_CLI_VIEWS_EXPLORE_WORDS_H

#include "cli/views/explore_list.h"

/* Numbers of these sorts follow those of the columns. */
enum explore_word {
    EXPLORE_BY_FAMILY = EXPLORE_COLUMNS,
    EXPLORE_BY_CLASS,
    EXPLORE_BY_SCRIPT,
    EXPLORE_BY_PROTOCOL,
    EXPLORE_BY_LABEL,
    EXPLORE_BY_GROUP,
    EXPLORE_SORTS
};

/* The sort of that name: a column or a word; EXPLORE_SORTS if there is none. */
unsigned explore_sort_find(const char *name);
const char *explore_sort_name(unsigned sort);
const char *explore_sort_head(unsigned sort);
/* Has the store that is open what it sorts by? */
bool explore_has_sort(const struct explore *explore, unsigned sort);

/* To be called before explore_words_pick. STATUS_BUSY: what it sorts by is being looked for. */
enum status explore_words_ready(struct explore_request *request, unsigned sort, struct fault *fault) MUST_CHECK;
/* Ranks of all T-DAGs by number, from 1 on, into zeroed room for one more than there are; 0 for one that has no such
 * word. O(T-DAGs), for a protocol O(outputs that have one) too. */
enum status explore_words_rank(struct explore *explore, enum rules number, unsigned sort, uint32_t *ranks) MUST_CHECK;
/* As explore_list_pick. Those that have no such word come last in either direction; equal ones stay in the order of
 * their numbers. */
enum status explore_words_pick(struct explore *explore, const struct explore_list *list,
                               const struct explore_filter *filter, uint64_t skip, uint32_t *out, uint32_t most,
                               uint32_t *count) MUST_CHECK;

#endif
