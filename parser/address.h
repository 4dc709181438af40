/* address: the address that a wallet would show for a script, only as a *view*, to join the tables with other data: the
 * identity of an output stays its outpoint.
 *
 * As current releases of Bitcoin Core: Base58Check for P2PKH and P2SH, Bech32 (BIP 173) for witness version 0, Bech32m
 * (BIP 350) for the others, anchors among them; pubkey, multisig, nulldata and nonstandard scripts have none. Encoding
 * and checksums alone, in code of our own, since Debian 12 packages no C library for Base58Check or Bech32.
 * Pure functions; any thread. */
#ifndef UNKTX_PARSER_ADDRESS_H
#define UNKTX_PARSER_ADDRESS_H

#include "parser/network.h"
#include "parser/script.h"

#define ADDRESS_SIZE_MAX 90u /* BIP 173 */

/* Writes the address of a script on that network (NULL: as on main), without a terminator; returns the end,
 * which is `out` where the script has none. `out` has room for ADDRESS_SIZE_MAX bytes. O(size). */
char *address_put(char *out, const struct network *network, const uint8_t *script, size_t size);

/* The addresses that a wallet makes of one public key. */
enum key_address {
    KEY_ADDRESS_P2PKH,
    KEY_ADDRESS_P2SH_P2WPKH, /* BIP 49 */
    KEY_ADDRESS_P2WPKH,      /* BIP 84 */
    KEY_ADDRESS_P2TR,        /* BIP 86 */
};
#define KEY_ADDRESSES 4

/* Likewise of a public key of 33 or 65 bytes that is a point of the curve. As Core's descriptors have it, an
 * uncompressed key has a P2PKH address alone. */
char *address_put_of_key(char *out, const struct network *network, const uint8_t *key, size_t size,
                         enum key_address kind);

/* Is the text an address of some network: Base58Check of a version and 20 bytes, or Bech32 or Bech32m, with the right
 * checksum? Which one is not looked at. O(size). */
bool address_is_whole(const char *text, size_t size);

/* Can an address of that network (NULL: main) begin so: in characters of Base58 after the first one of its two
 * versions, or of Bech32 after the network's prefix and a 1, in either case? Whether any address does is not looked at.
 * O(size). */
bool address_may_begin(const struct network *network, const char *text, size_t size);

/* The networks on which an output can have this address: bit i for network_at(i), and 0 for none, as where the checksum
 * is wrong, the version is no network's, or a witness program has a size that BIP 141 forbids. O(size). */
unsigned address_networks(const char *text, size_t size);

#endif
