/* sought: what `unktx find` looks for: everything that its operand can stand for, and whether a script has it.
 *
 *   an address          the address of the output; of a public key that the script pushes (P2PKH, P2WPKH, P2SH-P2WPKH,
 *                       and P2TR by BIP 86 where libsecp256k1 has its module extrakeys);
 *                       of a hash that it pushes (P2PKH, P2SH, P2WPKH; P2WSH, P2TR)
 *   a public key        in hexadecimal: a push of it, or of its HASH160, SHA-256, HASH256, RIPEMD-160 or SHA-1; its
 *                       addresses
 *   40 or 64 digits     a push of these bytes, of a key whose HASH160 they are; the addresses that stand for them
 *   16 to 64 digits     the T-DAG with a txid that begins so
 *   hexadecimal bytes   the whole script, or a push of them
 *   a label             every address and T-DAG that has it by --labels
 *
 * Thread rule: made by one thread; a const one is shareable. */
#ifndef UNKTX_CLI_INPUTS_SOUGHT_H
#define UNKTX_CLI_INPUTS_SOUGHT_H

#include "cli/inputs/address_labels.h"
#include "parser/address.h"

/* Bytes of the longest operand, in hexadecimal digits: those of the longest word that can be typed, or so. */
#define SOUGHT_BYTES_MAX 65536u
#define SOUGHT_ITEMS_MAX 5u

/* A hash of the key that was named. */
struct sought_item {
    uint8_t bytes[32];
    uint8_t size;
};

/* Zero-initialise; sought_free in any case. */
struct sought {
    const struct network *network;
    struct address_labels terms; /* addresses and names, each with the label "" */
    uint8_t *bytes;              /* of an operand in hexadecimal */
    size_t bytes_size;
    struct sought_item hashes[SOUGHT_ITEMS_MAX];
    size_t hashes_count;
    bool has_addresses;
    bool has_taproot; /* some of these are P2TR */
    bool is_key;      /* the operand is one */
    bool has_names;
};

/* Reads the operand. STATUS_NOT_FOUND: it is none of these. */
enum status sought_read(const char *word, const struct address_labels *labels, const struct network *network,
                        struct sought *sought, struct fault *fault) MUST_CHECK;
void sought_free(struct sought *sought);

/* How a script has it. */
enum sought_by { SOUGHT_NOT, SOUGHT_SCRIPT, SOUGHT_ADDRESS, SOUGHT_KEY, SOUGHT_HASH, SOUGHT_DATA };
/* "script", "address", ...: static strings. */
const char *sought_by_name(enum sought_by by);

/* What was found in a script. */
struct sought_hit {
    enum sought_by by;
    char address[ADDRESS_SIZE_MAX]; /* by which it was found, where it was */
    size_t address_size;
    const uint8_t *push; /* the push that tells, borrowed from the script; NULL: the whole script does */
    size_t push_size;
};
/* The first thing that tells, from the script as a whole to its last push. O(size), some hashes for each key. */
bool sought_in_script(const struct sought *sought, const uint8_t *script, size_t size, struct sought_hit *hit);
/* Can a script have it at all, or only a T-DAG's name? */
bool sought_takes_scripts(const struct sought *sought);

/* ---- by a beginning ---- */

#define SOUGHT_BEGINNING_MAX 2048u

/* A word as the beginning of an address or, in hexadecimal, of a script. */
struct sought_beginning {
    const struct network *network;
    bool is_address; /* it may be one of an address */
    bool has_taproot;
    bool is_script;
    size_t size;
    char word[ADDRESS_SIZE_MAX];             /* of an address, in the case in which these are written */
    uint8_t bytes[SOUGHT_BEGINNING_MAX / 2]; /* of a script, that of an odd number of digits with a 0 after the last */
};

/* False for what is neither, in 4 characters at least, or 8 digits for a script. */
bool sought_beginning_read(const char *word, const struct network *network, struct sought_beginning *beginning);
/* Calls `take` for a script that begins so, without an address; else for each address that does, in the order of
 * sought_in_script: its own, or those of the keys and hashes that it pushes, one twice where it pushes it twice. Ends
 * where `take` fails, with its status. O(size), some hashes for each key. */
typedef enum status sought_take(void *context, const char *address, size_t size);
enum status sought_begins_in_script(const struct sought_beginning *beginning, const uint8_t *script, size_t size,
                                    sought_take *take, void *context) MUST_CHECK;

/* Is the transaction's T-DAG meant, by its txid? O(log n). */
bool sought_is_txid(const struct sought *sought, const struct hash256 *txid);

#endif
