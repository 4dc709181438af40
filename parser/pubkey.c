#include "parser/pubkey.h"

#include <secp256k1.h>
#include <string.h>

bool pubkey_on_curve(const uint8_t *key, size_t size)
{
    /* The static context has no tables for signing and needs none here; being constant, it serves every thread. Its
     * name before libsecp256k1 0.2 was secp256k1_context_no_precomp. */
    secp256k1_pubkey point;
    return secp256k1_ec_pubkey_parse(secp256k1_context_static, &point, key, size) == 1;
}

bool pubkey_is_burn(const uint8_t *key, size_t size)
{
    return (size == 33 || size == 65) && memcmp(key + 1, key + 2, size - 2) == 0;
}
