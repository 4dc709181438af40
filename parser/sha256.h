/* sha256: SHA-256 (FIPS 180-4), Bitcoin's double SHA-256, and the other hashes that a script can ask for, by
 * nettle; hasher.h hashes many messages at once. Thread rule: any thread; a stream belongs to one. */
#ifndef UNKTX_PARSER_SHA256_H
#define UNKTX_PARSER_SHA256_H

#include <stddef.h>

#include "parser/hash256.h"

struct sha256_part {
    const uint8_t *data;
    size_t size;
};

/* SHA-256. O(size). */
void sha256(const uint8_t *data, size_t size, uint8_t out[32]);

/* SHA-256 of the SHA-256. O(size). */
void sha256d(const uint8_t *data, size_t size, struct hash256 *out);

#define HASH160_SIZE 20u

/* SHA-1 (FIPS 180-4), RIPEMD-160, and RIPEMD-160 of the SHA-256 (OP_HASH160, and the hash in an address). O(size). */
void sha1(const uint8_t *data, size_t size, uint8_t out[HASH160_SIZE]);
void ripemd160(const uint8_t *data, size_t size, uint8_t out[HASH160_SIZE]);
void hash160(const uint8_t *data, size_t size, uint8_t out[HASH160_SIZE]);

/* SHA-256 of bytes that come in pieces. */
struct sha256_stream {
    uint64_t state[14]; /* nettle's, for sha256.c alone */
};
void sha256_begin(struct sha256_stream *stream);
/* The same with the tag before them: the tagged hash of BIP 340. O(tag); two blocks less for TapLeaf, TapBranch
 * and TapTweak (BIP 341). */
void sha256_begin_tagged(struct sha256_stream *stream, const char *tag);
/* O(size). */
void sha256_add(struct sha256_stream *stream, const void *data, size_t size);
/* Of all that was added; the stream is used up. */
void sha256_end(struct sha256_stream *stream, uint8_t out[32]);

/* Double SHA-256 of the concatenation of `count` parts. O(total size). */
void sha256d_parts(const struct sha256_part *parts, size_t count, struct hash256 *out);

#endif
