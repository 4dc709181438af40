#include "parser/buffer.h"

#include <string.h>

#include "parser/mem.h"
#include "parser/varint.h"

enum status buffer_add(struct buffer *buffer, const void *bytes, size_t size)
{
    if (size > SIZE_MAX - buffer->size)
        return STATUS_NOMEM;
    enum status status = mem_reserve(&buffer->bytes, &buffer->capacity, buffer->size + size, 1);
    if (status != STATUS_OK)
        return status;
    if (size > 0)
        memcpy(buffer->bytes + buffer->size, bytes, size);
    buffer->size += size;
    return STATUS_OK;
}

enum status buffer_add_varint(struct buffer *buffer, uint64_t value)
{
    uint8_t bytes[VARINT_SIZE_MAX];
    return buffer_add(buffer, bytes, (size_t)(varint_put(bytes, value) - bytes));
}

void buffer_free(struct buffer *buffer)
{
    mem_free(buffer->bytes);
    *buffer = (struct buffer){0};
}
