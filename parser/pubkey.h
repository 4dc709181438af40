/* pubkey: whether a public key is a point of the curve secp256k1; the one place that touches libsecp256k1. */
#ifndef UNKTX_PARSER_PUBKEY_H
#define UNKTX_PARSER_PUBKEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* True if the 33 or 65 bytes are a point of the curve in compressed, uncompressed or hybrid form
 * (secp256k1_ec_pubkey_parse); `size` is that of `key`. Any thread. O(1), a few microseconds. */
bool pubkey_on_curve(const uint8_t *key, size_t size);

#endif
