/* marks: outputs that count as unknown although their own script has an address: those of the rule set hidden. A bit
 * for each output of a chain, by the numbers of its index. Thread rule: a const one is shareable; marks_set by any
 * thread. */
#ifndef UNKTX_GRAPH_SCAN_MARKS_H
#define UNKTX_GRAPH_SCAN_MARKS_H

#include "parser/hash256.h"
#include "parser/script.h"

struct output_marks {
    uint64_t *bits;
    uint64_t *first_output; /* number of each block's first output, by height, and where the last block ends */
    uint32_t blocks;
    struct hash256 tip; /* the last of them */
};

static inline void marks_set(const struct output_marks *marks, uint64_t output)
{
    __atomic_fetch_or(&marks->bits[output / 64], (uint64_t)1 << output % 64, __ATOMIC_RELAXED);
}

/* The mask of an output, the rule set hidden among them: it has all that core-22 calls unknown, and what is marked.
 * `output` counts from the block's first; one that the index has not in that block is not marked: bytes on the disk may
 * have changed since. Without marks (NULL) that rule set calls nothing unknown. */
static inline unsigned marks_unknown(const struct output_marks *marks, uint32_t height, uint32_t output,
                                     unsigned unknown)
{
    if (!marks || height >= marks->blocks)
        return unknown;
    uint64_t number = marks->first_output[height] + output;
    bool marked = number < marks->first_output[height + 1] && marks->bits[number / 64] >> number % 64 & 1;
    bool is = unknown >> RULES_CORE_22 & 1 || marked;
    return unknown | (unsigned)is << RULES_HIDDEN;
}

#endif
