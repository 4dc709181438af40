#include "graph/index/walked.h"

#include "parser/block.h"

/* The first byte: 3 bits of flags, 2 of inputs less one, 3 of outputs; where one of these is all ones the number
 * follows, less what the ones stand for. */
enum { FLAG_BITS = 3, INPUT_BITS = 2, OUTPUT_BITS = 3, INPUTS_MANY = 3, OUTPUTS_MANY = 7 };
_Static_assert(FLAG_BITS + INPUT_BITS + OUTPUT_BITS == 8, "all in one byte");
_Static_assert((TX_SEGWIT | TX_FIRST | TX_COINBASE) >> FLAG_BITS == 0, "all flags fit");

/* Bytes of a transaction beside scripts and witness: version, two numbers, lock time; prevout, sequence and length of
 * an input; value and length of an output. */
static uint64_t least_size(const struct tx_head *head) { return 10 + 41 * head->inputs + 9 * head->outputs; }

uint8_t *walked_head_write(const struct tx_head *head, uint8_t *p)
{
    uint64_t inputs = head->inputs - 1 < INPUTS_MANY ? head->inputs - 1 : INPUTS_MANY;
    uint64_t outputs = head->outputs < OUTPUTS_MANY ? head->outputs : OUTPUTS_MANY;
    *p++ = (uint8_t)(head->flags | inputs << FLAG_BITS | outputs << (FLAG_BITS + INPUT_BITS));
    if (head->flags & TX_FIRST)
        p = varint_put(p, head->offset);
    if (inputs == INPUTS_MANY)
        p = varint_put(p, head->inputs - 1 - inputs);
    if (outputs == OUTPUTS_MANY)
        p = varint_put(p, head->outputs - outputs);
    if (head->flags & TX_SEGWIT)
        p = varint_put(p, head->witness);
    return varint_put(p, head->size - head->witness - least_size(head));
}

const uint8_t *walked_head_read(const uint8_t *p, const uint8_t *end, struct tx_head *head)
{
    uint64_t offset = 0, inputs = 0, outputs = 0, rest = 0;
    if (p == end)
        return NULL;
    unsigned first = *p++, few_inputs = first >> FLAG_BITS & INPUTS_MANY,
             few_outputs = first >> (FLAG_BITS + INPUT_BITS);
    *head = (struct tx_head){.flags = first & ((1u << FLAG_BITS) - 1)};
    if (head->flags & TX_FIRST)
        p = varint_get(p, end, &offset);
    if (p && few_inputs == INPUTS_MANY)
        p = varint_get(p, end, &inputs);
    if (p && few_outputs == OUTPUTS_MANY)
        p = varint_get(p, end, &outputs);
    if (p && head->flags & TX_SEGWIT)
        p = varint_get(p, end, &head->witness);
    if (p)
        p = varint_get(p, end, &rest);
    if (!p || (offset | inputs | outputs | head->witness | rest) > BLOCK_SIZE_MAX)
        return NULL;
    head->offset = (uint32_t)offset;
    head->inputs = inputs + few_inputs + 1;
    head->outputs = outputs + few_outputs;
    head->size = rest + head->witness + least_size(head);
    return p;
}
