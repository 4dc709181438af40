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
    SHA256_CTX *context = context_of(stream);
    uint8_t hash[32];
    sha256_begin(stream);
    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++)
        if (strcmp(tag, tags[i].tag) == 0) {
            memcpy(context->h, tags[i].state, sizeof tags[i].state);
            context->Nl = SHA256_CBLOCK * 8; /* bits */
            return;
        }
    sha256((const uint8_t *)tag, strlen(tag), hash);
    sha256_add(stream, hash, sizeof hash);
    sha256_add(stream, hash, sizeof hash);
}

void sha256_add(struct sha256_stream *stream, const void *data, size_t size)
{
    SHA256_Update(context_of(stream), data, size);
}

void sha256_end(struct sha256_stream *stream, uint8_t out[32]) { SHA256_Final(out, context_of(stream)); }
