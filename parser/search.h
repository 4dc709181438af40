/* search: the binary search.
 *
 * Thread rule: none, no state. */
#ifndef UNKTX_PARSER_SEARCH_H
#define UNKTX_PARSER_SEARCH_H

#include <stddef.h>

/* The first index of [first, end) for which `is_before` is false, or `end`: the lower bound. `is_before` is an
 * expression in the variable `i`, which this declares; it is true up to some index and false from there on.
 * For the last index for which it is true, subtract 1. O(log(end - first)).
 *
 *     size_t at = LOWER_BOUND(i, 0, files_count, files[i].number < number); */
#define LOWER_BOUND(i, first, end, is_before)                                                                          \
    __extension__({                                                                                                    \
        size_t bound_low_ = (first);                                                                                   \
        size_t bound_high_ = (end);                                                                                    \
        while (bound_low_ < bound_high_) {                                                                             \
            size_t i = bound_low_ + (bound_high_ - bound_low_) / 2;                                                    \
            if (is_before)                                                                                             \
                bound_low_ = (i) + 1;                                                                                  \
            else                                                                                                       \
                bound_high_ = i;                                                                                       \
        }                                                                                                              \
        bound_low_;                                                                                                    \
    })

#endif
