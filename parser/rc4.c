#include "parser/rc4.h"

#include <nettle/arcfour.h>
#include <string.h>

_Static_assert(sizeof(struct arcfour_ctx) == sizeof(struct rc4), "a stream has the room of nettle's");

void rc4_begin(struct rc4 *stream, const uint8_t *key, size_t size)
{
    struct arcfour_ctx ctx;
    arcfour_set_key(&ctx, size, key);
    memcpy(stream->state, &ctx, sizeof ctx);
}

void rc4_apply(struct rc4 *stream, const uint8_t *in, size_t size, uint8_t *out)
{
    struct arcfour_ctx ctx;
    memcpy(&ctx, stream->state, sizeof ctx);
    arcfour_crypt(&ctx, size, out, in);
    memcpy(stream->state, &ctx, sizeof ctx);
}
