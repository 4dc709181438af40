/* array: a growable array of any type, for code that would else call mem_reserve before each element.
 *
 * Zero-initialise; mem_free(array.at) at the end. Thread rule: none, no state but the array's. */
#ifndef UNKTX_PARSER_ARRAY_H
#define UNKTX_PARSER_ARRAY_H

#include <stdbool.h>

#include "parser/mem.h"

#define ARRAY(type)                                                                                                    \
    struct {                                                                                                           \
        type *at;                                                                                                      \
        size_t count;                                                                                                  \
        size_t capacity;                                                                                               \
    }

/* Appends; false without memory. The call is left to the one time in many that the array is full. `array` is
 * evaluated more than once. */
#define PUSH(array, value)                                                                                             \
    (((array).count < (array).capacity ||                                                                              \
      mem_reserve(&(array).at, &(array).capacity, (array).count + 1, sizeof *(array).at) == STATUS_OK) &&              \
     ((array).at[(array).count++] = (value), true))

/* Gives back the room that the array does not need, as far as that can be done. `array` is evaluated more than once. */
#define TRIM(array)                                                                                                    \
    do {                                                                                                               \
        void *trimmed = (array).count > 0 ? mem_resize((array).at, (array).count, sizeof *(array).at) : NULL;          \
        if (trimmed) {                                                                                                 \
            (array).at = trimmed;                                                                                      \
            (array).capacity = (array).count;                                                                          \
        }                                                                                                              \
    } while (0)

#endif
