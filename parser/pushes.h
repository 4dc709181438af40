/* pushes: the items that a scriptSig pushes or a witness holds, one after the other, what each of them looks like, and
 * the hash locks of a script that they may open. Nothing here runs a script; unlock.h does that. Pure functions over
 * borrowed bytes; no allocation; any thread. */
#ifndef UNKTX_PARSER_PUSHES_H
#define UNKTX_PARSER_PUSHES_H

#include "parser/cursor.h"

/* Items of one input, pulled one after the other with pushes_next. */
struct pushes {
    struct cursor c;
    uint64_t items; /* of a witness: how many are left */
    bool witness;
};

struct push {
    const uint8_t *data; /* NULL for an operation of a scriptSig that is no push */
    size_t size;
    uint8_t code; /* the operation; that of an item of a witness is 0 */
};

struct pushes pushes_of_script(const uint8_t *script, size_t size);
/* The witness of one input: a CompactSize of items, then the size and bytes of each (BIP 144). A witness that has fewer
 * bytes than its numbers say ends early. */
struct pushes pushes_of_witness(const uint8_t *witness, size_t size);

/* The next item; false at the end, and where a push runs over the end. An OP_1 to OP_16 and OP_1NEGATE have the one
 * byte that they push. O(1). */
bool pushes_next(struct pushes *pushes, struct push *push);
/* After pushes_next has returned false: false where a push ran over the end. */
static inline bool pushes_whole(const struct pushes *pushes) { return cursor_ok(&pushes->c); }

/* What an item looks like, by its bytes alone. */
enum shown {
    SHOWN_NOTHING,   /* no bytes: false, or the item too many that OP_CHECKMULTISIG takes */
    SHOWN_NUMBER,    /* 1 to 4 bytes: what operations on numbers take */
    SHOWN_SIGNATURE, /* signature_read takes it */
    SHOWN_KEY,       /* 33 bytes from 02 or 03, or 65 from 04, 06 or 07; whether it is a point is not looked at */
    SHOWN_DATA,      /* any other bytes */
    SHOWN_OPERATION, /* no push at all */
};
enum shown push_shows(const struct push *push);

#define STACK_ITEMS_MAX 1000u /* Core's MAX_STACK_SIZE: no more items than that open anything */

#define KEYS_SHOWN_MAX 300u /* more than 10,000 bytes, the most that a script can be run with, have room for */

/* The items that show a key (SHOWN_KEY) in order, the first KEYS_SHOWN_MAX of them; returns how many. O(bytes). */
size_t keys_shown(struct pushes pushes, struct push keys[KEYS_SHOWN_MAX]);

/* An ECDSA signature with the byte of its sighash type after it, as a scriptSig has it. */
struct signature {
    uint8_t sighash; /* 1 ALL, 2 NONE, 3 SINGLE; + 0x80 ANYONECANPAY; old blocks have others too */
    bool strict_der; /* BIP 66 */
    bool low_s;      /* s is at most half of the order of the curve (BIP 62, BIP 146) */
};

/* False for bytes that are no signature even under the loose reading of DER that OpenSSL had before BIP 66 (Core's
 * ecdsa_signature_parse_der_lax). O(size), and at most 520 bytes. */
bool signature_read(const uint8_t *data, size_t size, struct signature *signature);

#define SIGHASH_TEXT 24u
/* "ALL", "SINGLE|ANYONECANPAY", or "0x41" for a byte that has no name. Terminated; returns the length. */
size_t sighash_text(uint8_t sighash, char out[SIGHASH_TEXT]);

/* OP_RIPEMD160, OP_SHA1, OP_SHA256, OP_HASH160 or OP_HASH256, a push of a hash of the right size, and OP_EQUAL or
 * OP_EQUALVERIFY, anywhere in a script. */
struct hash_lock {
    const uint8_t *hash; /* borrowed from the script */
    size_t size;         /* 20 or 32 */
    uint8_t code;
    bool of_key; /* what is asked for is a public key: OP_DUP before an OP_HASH160, or before any of the five where the
                    next operation is OP_CHECKSIG or OP_CHECKSIGVERIFY */
};
#define HASH_LOCKS_MAX 16u

/* The hash locks of a script in order, the first HASH_LOCKS_MAX of them; returns how many. O(size). */
size_t hash_locks(const uint8_t *script, size_t size, struct hash_lock locks[HASH_LOCKS_MAX]);

/* Writes the hash by that operation, one of the five above; returns its size, 0 for any other operation. O(size). */
size_t hash_by(uint8_t code, const uint8_t *data, size_t size, uint8_t out[32]);

/* The lock that the bytes open, `count` if none. Each of the hashes that occur is computed once. O(size + count). */
size_t hash_locks_opened(const struct hash_lock *locks, size_t count, const uint8_t *data, size_t size);

#endif
