#include "parser/sha256.h"

#include <string.h>

/* The one-shot and EVP interfaces cost more than the hash of a short transaction does; the low-level calls keep all
 * their state on the stack, so they are also safe from any thread. OpenSSL 3 deprecates them for want of providers. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/ripemd.h>
#include <openssl/sha.h>

void sha256(const uint8_t *data, size_t size, uint8_t out[32])
{
    SHA256_CTX context;
    SHA256_Init(&context);
    SHA256_Update(&context, data, size);
    SHA256_Final(out, &context);
}

void sha256d(const uint8_t *data, size_t size, struct hash256 *out)
{
    uint8_t once[32];
    sha256(data, size, once);
    sha256(once, sizeof once, out->bytes);
}

void sha1(const uint8_t *data, size_t size, uint8_t out[HASH160_SIZE])
{
    SHA_CTX context;
    SHA1_Init(&context);
    SHA1_Update(&context, data, size);
    SHA1_Final(out, &context);
}

void ripemd160(const uint8_t *data, size_t size, uint8_t out[HASH160_SIZE])
{
    RIPEMD160_CTX context;
    RIPEMD160_Init(&context);
    RIPEMD160_Update(&context, data, size);
    RIPEMD160_Final(out, &context);
}

void hash160(const uint8_t *data, size_t size, uint8_t out[HASH160_SIZE])
{
    uint8_t once[32];
    sha256(data, size, once);
    ripemd160(once, sizeof once, out);
}

void sha256d_parts(const struct sha256_part *parts, size_t count, struct hash256 *out)
{
    SHA256_CTX context;
    SHA256_Init(&context);
    for (size_t i = 0; i < count; i++)
        SHA256_Update(&context, parts[i].data, parts[i].size);
    uint8_t once[32];
    SHA256_Final(once, &context);
    sha256(once, sizeof once, out->bytes);
}

_Static_assert(sizeof(SHA256_CTX) <= sizeof(struct sha256_stream), "the state fits");
_Static_assert(_Alignof(SHA256_CTX) <= _Alignof(struct sha256_stream), "the state is aligned");

static SHA256_CTX *context_of(struct sha256_stream *stream) { return (SHA256_CTX *)(void *)stream->state; }

void sha256_begin(struct sha256_stream *stream) { SHA256_Init(context_of(stream)); }

void sha256_begin_tagged(struct sha256_stream *stream, const char *tag)
{
    uint8_t hash[32];
    sha256((const uint8_t *)tag, strlen(tag), hash);
    sha256_begin(stream);
    sha256_add(stream, hash, sizeof hash);
    sha256_add(stream, hash, sizeof hash);
}

void sha256_add(struct sha256_stream *stream, const void *data, size_t size)
{
    SHA256_Update(context_of(stream), data, size);
}

void sha256_end(struct sha256_stream *stream, uint8_t out[32]) { SHA256_Final(out, context_of(stream)); }
