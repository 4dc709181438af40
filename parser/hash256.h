/* hash256: a block hash, txid or merkle root. Bytes are in internal order (as hashed and as in the blk files);
 * only hash256_hex reverses them, as every printed Bitcoin hash is reversed. Pure functions; any thread. O(1). */
#ifndef UNKTX_PARSER_HASH256_H
#define UNKTX_PARSER_HASH256_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define HASH256_SIZE 32u
#define HASH256_HEX_SIZE 64u

struct hash256 {
    uint8_t bytes[HASH256_SIZE];
};

static inline bool hash256_equal(const struct hash256 *a, const struct hash256 *b)
{
    return memcmp(a->bytes, b->bytes, HASH256_SIZE) == 0;
}

/* Writes the 64 reversed hexadecimal digits to `out`, without a terminator; returns out + 64. */
char *hash256_hex(const struct hash256 *hash, char *out);

/* Writes the 16 hexadecimal digits of a number, highest first, without a terminator; returns out + 16. */
char *hash256_digits(uint64_t number, char *out);

/* Reads 64 hexadecimal digits (either case, nothing after them); false if `text` is anything else. */
bool hash256_parse(const char *text, struct hash256 *hash);

#endif
