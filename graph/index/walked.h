/* walked: what the walk leaves in its files in chain order, of each block one piece after the other, see
 * docs/index-format.md: in `txs` of each transaction a head and the txid, in `outs` of each output value and kind,
 * in `near` which inputs spend an output of their window, and which. For walk_window.c and the tables only. Thread
 * rule: no state. */
#ifndef UNKTX_GRAPH_INDEX_WALKED_H
#define UNKTX_GRAPH_INDEX_WALKED_H

#include "graph/index/format.h"

#define WALKED_TX_MAX (1u + 5u * VARINT_SIZE_MAX + HASH256_SIZE) /* bytes in `txs` */

/* The head without what `outs` tells, the sum of the outputs. Returns the end of what it wrote. */
uint8_t *walked_head_write(const struct tx_head *head, uint8_t *p);
/* Returns what follows; NULL where it is malformed. */
const uint8_t *walked_head_read(const uint8_t *p, const uint8_t *end, struct tx_head *head);

/* Kind and value as one varint, of three or four bytes for most. */
static inline uint8_t *walked_value_write(uint64_t value_sat, enum kind kind, uint8_t *p)
{
    return varint_put(p, value_of(value_sat) << 4 | kind);
}
/* Returns what follows; NULL where it is malformed. */
static inline const uint8_t *walked_value_read(const uint8_t *p, const uint8_t *end, uint64_t *value_kind)
{
    uint64_t value = 0;
    p = varint_get(p, end, &value);
    *value_kind = value_kind_of(value >> 4, (enum kind)(value & 15));
    return p && value >> VALUE_KIND_BITS == 0 ? p : NULL;
}

/* A block with near inputs: a bit for each input, the lowest of each byte first; then of each that is near, how many
 * outputs there are from its output to the end of the block. Of a block without there is nothing. */
#define WALKED_DISTANCE 2u /* bytes */
#define WALKED_NEAR_MAX UINT16_MAX
static inline size_t walked_near_size(size_t inputs, size_t near) { return (inputs + 7) / 8 + near * WALKED_DISTANCE; }

#endif
