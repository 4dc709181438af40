/* rc4: the stream cipher RC4 by nettle's arcfour, which is touched nowhere else. Protocols on Bitcoin hide their data
 * with it (protocol.h); it keeps no secret. Thread rule: a stream belongs to one thread. */
#ifndef UNKTX_PARSER_RC4_H
#define UNKTX_PARSER_RC4_H

#include <stddef.h>
#include <stdint.h>

/* A key and a place in its stream. A copy goes on from the same place. */
struct rc4 {
    uint8_t state[258]; /* nettle's, for rc4.c alone */
};

/* The beginning of the stream of a key of 1 to 256 bytes. O(1): 256 steps. */
void rc4_begin(struct rc4 *stream, const uint8_t *key, size_t size);
/* Encrypts or decrypts the next `size` bytes, which is the same; `in` and `out` may be one. O(size). */
void rc4_apply(struct rc4 *stream, const uint8_t *in, size_t size, uint8_t *out);

#endif
