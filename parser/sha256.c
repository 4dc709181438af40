#include "parser/sha256.h"

#include <nettle/ripemd160.h>
#include <nettle/sha1.h>
#include <nettle/sha2.h>
#include <nettle/version.h>
#include <string.h>

/* nettle 4 knows the size of a hash by itself. */
#if NETTLE_VERSION_MAJOR >= 4
#define END(hash, context, out) hash##_digest(context, out)
#else
#define END(hash, context, out) hash##_digest(context, sizeof((context)->state), out)
#endif

void sha256(const uint8_t *data, size_t size, uint8_t out[32])
{
    struct sha256_ctx context;
    sha256_init(&context);
    sha256_update(&context, size, data);
    END(sha256, &context, out);
}

void sha256d(const uint8_t *data, size_t size, struct hash256 *out)
{
    uint8_t once[32];
    sha256(data, size, once);
    sha256(once, sizeof once, out->bytes);
}

void sha1(const uint8_t *data, size_t size, uint8_t out[HASH160_SIZE])
{
    struct sha1_ctx context;
    sha1_init(&context);
    sha1_update(&context, size, data);
    END(sha1, &context, out);
}

void ripemd160(const uint8_t *data, size_t size, uint8_t out[HASH160_SIZE])
{
    struct ripemd160_ctx context;
    ripemd160_init(&context);
    ripemd160_update(&context, size, data);
    END(ripemd160, &context, out);
}

void hash160(const uint8_t *data, size_t size, uint8_t out[HASH160_SIZE])
{
    uint8_t once[32];
    sha256(data, size, once);
    ripemd160(once, sizeof once, out);
}

void sha256d_parts(const struct sha256_part *parts, size_t count, struct hash256 *out)
{
    struct sha256_ctx context;
    sha256_init(&context);
    for (size_t i = 0; i < count; i++)
        sha256_update(&context, parts[i].size, parts[i].data);
    uint8_t once[32];
    END(sha256, &context, once);
    sha256(once, sizeof once, out->bytes);
}

_Static_assert(sizeof(struct sha256_ctx) <= sizeof(struct sha256_stream), "the state fits");
_Static_assert(_Alignof(struct sha256_ctx) <= _Alignof(struct sha256_stream), "the state is aligned");

static struct sha256_ctx *context_of(struct sha256_stream *stream)
{
    return (struct sha256_ctx *)(void *)stream->state;
}

void sha256_begin(struct sha256_stream *stream) { sha256_init(context_of(stream)); }

/* The states after the hash of the tag has come twice, which is one block, of the tags that come often. */
static const struct tag {
    const char *tag;
    uint32_t state[8];
} tags[] = {
    {"TapLeaf", {0x9ce0e4e6, 0x7c116c39, 0x38b3caf2, 0xc30f5089, 0xd3f3936c, 0x47636e60, 0x7db33eea, 0xddc6f0c9}},
    {"TapBranch", {0x23a865a9, 0xb8a40da7, 0x977c1e04, 0xc49e246f, 0xb5be1376, 0x9d24c9b7, 0xb583b5d4, 0xa8d226d2}},
    {"TapTweak", {0xd129a2f3, 0x701c655d, 0x6583b6c3, 0xb9419727, 0x95f4e232, 0x94fd54f4, 0xa2ae8d85, 0x47ca590b}},
};

void sha256_begin_tagged(struct sha256_stream *stream, const char *tag)
{
    struct sha256_ctx *context = context_of(stream);
    uint8_t hash[32];
    sha256_begin(stream);
    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++)
        if (strcmp(tag, tags[i].tag) == 0) {
            memcpy(context->state, tags[i].state, sizeof tags[i].state);
            context->count = 1; /* blocks so far: nettle's own state, public in sha2.h */
            return;
        }
    sha256((const uint8_t *)tag, strlen(tag), hash);
    sha256_add(stream, hash, sizeof hash);
    sha256_add(stream, hash, sizeof hash);
}

void sha256_add(struct sha256_stream *stream, const void *data, size_t size)
{
    sha256_update(context_of(stream), size, data);
}

void sha256_end(struct sha256_stream *stream, uint8_t out[32]) { END(sha256, context_of(stream), out); }
