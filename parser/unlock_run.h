/* unlock_run: a run of a script with what a spender showed below it. Internal to parser/; unlock.h is for others.
 *
 * The spend is in a block, so it is valid; the run only finds out how. A signature that is not empty is taken for a
 * valid one. Where that, or anything else, leads to an end that a valid spend cannot have, the run tells nothing. */
#ifndef UNKTX_PARSER_UNLOCK_RUN_H
#define UNKTX_PARSER_UNLOCK_RUN_H

#include "parser/pushes.h"

#define UNLOCK_BRANCHES_MAX 100u

struct unlock_run {
    bool told;                             /* it went to the script's end, and the end is true */
    bool contradicts;                      /* it came to what no valid spend comes to */
    uint32_t signatures;                   /* taken by OP_CHECKSIG and OP_CHECKSIGVERIFY */
    uint32_t multisig;                     /* taken by OP_CHECKMULTISIG and OP_CHECKMULTISIGVERIFY */
    uint32_t preimages;                    /* times that an item's hash equalled one in the script, but for keys */
    uint32_t times;                        /* OP_CHECKLOCKTIMEVERIFY and OP_CHECKSEQUENCEVERIFY */
    uint64_t preimage_items;               /* bit i: item i, counted from 0, is such a preimage */
    uint64_t key_items;                    /* bit i: item i was taken as a key */
    uint32_t branches;                     /* OP_IF and OP_NOTIF run */
    char branch[UNLOCK_BRANCHES_MAX + 1u]; /* of each: 1 its first part, 0 the part after OP_ELSE or none */
};

/* Runs `shown`, then the script. Nothing of more than 64 items on the stack, 16 hashes or Core's limits on scripts is
 * followed. O(bytes) but for the hashes of at most 520 bytes each. */
void unlock_run(struct pushes shown, const uint8_t *script, size_t size, struct unlock_run *run);

#endif
