/* multisig: the parts of a script that ends in OP_CHECKMULTISIG. Pure functions over borrowed bytes; any thread. */
#ifndef UNKTX_PARSER_MULTISIG_H
#define UNKTX_PARSER_MULTISIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MULTISIG_KEYS_MAX 20 /* MAX_PUBKEYS_PER_MULTISIG of Core's script/script.h */

struct multisig {
    unsigned required; /* signatures: the m of m of n */
    unsigned keys;     /* the n */
    const uint8_t *key[MULTISIG_KEYS_MAX];
    size_t key_size[MULTISIG_KEYS_MAX];
    bool pushed_count; /* m or n is 17..20, which only a push can say */
    bool keys_fit;     /* the size of each key is the one that its first byte announces */
};

/* m, n pushes of two bytes or more, n, OP_CHECKMULTISIG and no more, with 1 <= m <= n <= 20; false for any other
 * script. With keys_fit that is Solver's MatchMultisig; without, data stands where a key is expected, and the script is
 * nonstandard. O(n). */
bool multisig_read(const uint8_t *script, size_t size, struct multisig *found);

#endif
