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

/* Each piece of a block is checked when it is read: by a sum of its numbers, which is another one where one of them
 * is. For files that lay on a disk between two builds. */
static inline uint64_t walked_tx_sum(const struct tx_head *head, const uint8_t *txid)
{
    uint64_t numbers = head->size + (head->witness << 16) + (head->inputs << 32) + (head->outputs << 40);
    if (head->flags & TX_FIRST)
        numbers += (uint64_t)head->offset << 8;
    return numbers + ((uint64_t)head->flags << 61) + load_le64(txid) + load_le64(txid + 8) + load_le64(txid + 16) +
           load_le64(txid + 24);
}
static inline uint64_t walked_bytes_sum(const uint8_t *bytes, size_t size)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < size; i++)
        sum += (2 * i + 1) * (bytes[i] + UINT64_C(1));
    return sum;
}
/* As it is kept. */
static inline uint32_t walked_sum(uint64_t sum) { return (uint32_t)(sum ^ sum >> 32); }

#endif
