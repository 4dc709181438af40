/* unlock: how an output was unlocked: what its spender showed, and what of that its script asked for (docs/model.md,
 * section 10). Pure functions over borrowed bytes; no allocation; any thread. */
#ifndef UNKTX_PARSER_UNLOCK_H
#define UNKTX_PARSER_UNLOCK_H

#include "parser/pushes.h"

/* In one word. The order is that of the columns of shares. */
enum unlock_by {
    UNLOCK_SIGNATURE,          /* one OP_CHECKSIG that a signature was shown for */
    UNLOCK_MULTISIG,           /* several, or an OP_CHECKMULTISIG of one or more */
    UNLOCK_PREIMAGE,           /* bytes whose hash the script has, public keys apart */
    UNLOCK_SIGNATURE_PREIMAGE, /* these and one signature or several */
    UNLOCK_TIME,               /* none of these, but OP_CHECKLOCKTIMEVERIFY or OP_CHECKSEQUENCEVERIFY */
    UNLOCK_NOTHING,            /* none of all these, and no item was shown or anyone can spend */
    UNLOCK_OTHER,              /* none of all these, and it is not known that anyone can spend */
};
#define UNLOCKS 7

/* "signature", "multisig", "preimage", "signature+preimage", "time", "nothing", "other". Static string. */
const char *unlock_name(enum unlock_by by);

struct unlock {
    enum unlock_by by;
    /* items that were shown, by what they look like */
    uint32_t signatures;
    uint32_t keys;
    uint32_t preimages;
    uint32_t numbers;
    uint32_t nothing;
    uint32_t data;
    uint32_t operations;
    uint32_t strict_der;   /* of the signatures */
    uint32_t low_s;        /* of the signatures */
    uint64_t sighashes[4]; /* bit b set: a signature has the sighash byte b */
    bool whole;            /* false: a push ran over the end */
    bool time;             /* a time condition was on the way */
    char branch[104];      /* see unlock_read */
};

/* What `shown` (not yet pulled from) shows to a script, and whether anyone can spend that (script_anyone_can_spend).
 *
 * The script is run with it, and the signatures are taken for valid, since the spend is. `branch` has a character for
 * each OP_IF and OP_NOTIF on the way: 1 where its first part ran, 0 where the other one did; and a ? at the end where
 * the pushes alone do not tell more. It is empty for a script without any. If the script cannot be followed to its end,
 * `by` goes by the looks of what was shown.
 *
 * O(bytes); no more than 1,000 items, the most that a stack can have, are looked at for preimages. */
void unlock_read(struct pushes shown, const uint8_t *script, size_t size, bool anyone_can_spend, struct unlock *unlock);

#endif
