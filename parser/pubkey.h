/* pubkey: whether a public key is a point of the curve secp256k1, in the one place that touches libsecp256k1; and
 * whether it is one that nobody has. */
#ifndef UNKTX_PARSER_PUBKEY_H
#define UNKTX_PARSER_PUBKEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* True if the 33 or 65 bytes are a point of the curve in compressed, uncompressed or hybrid form
 * (secp256k1_ec_pubkey_parse); `size` is that of `key`. Any thread; each remembers some keys that it was asked for.
 * O(1), a microsecond or two. */
bool pubkey_on_curve(const uint8_t *key, size_t size);

#define PUBKEY_UNCOMPRESSED_SIZE 65u

/* The uncompressed form of a key in any form (SEC 1, section 2.3.3): 04, x and y. False if it is no point. Any thread.
 * O(1), some microseconds. */
bool pubkey_uncompressed(const uint8_t *key, size_t size, uint8_t out[PUBKEY_UNCOMPRESSED_SIZE]);

/* True for a key that was chosen for its looks, so that nobody can know its private key: all bytes after the first are
 * the same, as in 0202..., 0222..., 0303... and 0333..., the key burns of Bitcoin Stamps
 * (https://github.com/mikeinspace/stamps/blob/main/Key-Burn.md). A random key is like that with a chance of 2^-248. The
 * sizes are 33 and 65. O(size). */
bool pubkey_is_burn(const uint8_t *key, size_t size);

#define PUBKEY_X_SIZE 32u

/* The output key of BIP 86: the key, tweaked by its own hash as BIP 341 has it for an output without a script path.
 * False if the key is no point, or the library was built without its module extrakeys. Any thread; each remembers
 * some keys that it was asked for. O(1), some ten microseconds. */
bool pubkey_taproot(const uint8_t *key, size_t size, uint8_t out[PUBKEY_X_SIZE]);
/* Has the library that module? Without it there is no output key of any key. */
bool pubkey_has_taproot(void);

#endif
