/* record_layout: where things are in a batch, for record_encode.c and record_decode.c. record.h is what others use;
 * docs/store-format.md has the whole format. */
#ifndef UNKTX_GRAPH_STORE_RECORD_LAYOUT_H
#define UNKTX_GRAPH_STORE_RECORD_LAYOUT_H

#include "graph/store/record.h"

/* Of a batch's header. */
enum {
    AT_MAGIC = 0,
    AT_SIZE = 4,
    AT_CHECKSUM = 8,
    AT_FIRST_HEIGHT = 16,
    AT_BLOCKS = 20,
    AT_FIRST_TX = 24,
    AT_FIRST_ORDINAL = 32,
    AT_TXS = 40,
    AT_TRACKED = 44,
};
_Static_assert(AT_TRACKED + 4 == BATCH_HEADER_SIZE, "the header has no padding");
_Static_assert(KINDS <= 16, "a kind fits the low four bits of an output's first byte, the kinds present fit 16 bits");
_Static_assert(RULES_WITH_HIDDEN <= 4, "a mask of rule sets fits the high four bits of an output's first byte");

#define BATCH_MAGIC 0x42545875u   /* "uXTB" */
#define PARTIAL_MAGIC 0x44545875u /* "uXTD", of a partial batch */
#define INDEX_ENTRY 8u
#define NUMBER_MAX (UINT64_MAX >> 16) /* of a transaction's number or an ordinal: no sum of two can overflow */

/* The least bytes that each can take, so that a count is believed only as far as there are bytes for it. */
#define MIN_BLOCK 47u
#define MIN_TX 38u
#define MIN_OUTPUT 2u
#define MIN_SPEND 2u

/* The leading 8 bytes of the SHA-256 of all that follows the checksum. */
uint64_t batch_checksum(const uint8_t *bytes, size_t size);

#endif
