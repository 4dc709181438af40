/* buffer: a growable byte string. Zero-initialise; buffer_free at the end.
 *
 * STATUS_NOMEM leaves it as it was. Thread rule: none, no state but the buffer's. */
#ifndef UNKTX_PARSER_BUFFER_H
#define UNKTX_PARSER_BUFFER_H

#include <stddef.h>
#include <stdint.h>

#include "parser/status.h"

struct buffer {
    uint8_t *bytes;
    size_t size;
    size_t capacity;
};

/* Appends; amortised O(size). */
enum status buffer_add(struct buffer *buffer, const void *bytes, size_t size) MUST_CHECK;
enum status buffer_add_varint(struct buffer *buffer, uint64_t value) MUST_CHECK; /* as varint.h encodes it */
void buffer_free(struct buffer *buffer);

#endif
