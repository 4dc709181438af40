/* spendable: whether an output without an address can be spent, as far as its script and its keys tell (docs/model.md,
 * section 10). Pure functions over borrowed bytes; no allocation; any thread. */
#ifndef UNKTX_PARSER_SPENDABLE_H
#define UNKTX_PARSER_SPENDABLE_H

#include "parser/protocol.h"

enum spendable {
    SPENDABLE_YES,
    SPENDABLE_NO,
    SPENDABLE_UNKNOWN,
};
#define SPENDABLES 3

enum spendable_reason {
    /* yes */
    REASON_SPENT,            /* it was */
    REASON_ANYONE_CAN_SPEND, /* script_anyone_can_spend */
    REASON_ENOUGH_KEYS,      /* as many keys as signatures are asked for may have an owner */
    /* no: fewer are left without */
    REASON_DATA_KEYS,      /* the keys that carry a protocol's data */
    REASON_BURNT_KEYS,     /* those, and the keys that were chosen for their looks (pubkey_is_burn) */
    REASON_KEYS_OFF_CURVE, /* those, and the keys that are no points of the curve */
    /* no */
    REASON_OP_RETURN,    /* nulldata */
    REASON_ALWAYS_FAILS, /* script_always_fails */
    /* unknown */
    REASON_UNDECIDED, /* the script asks for what cannot be judged from outside: a preimage, a key's hash, a time */
};
#define REASONS 9

/* "yes", "no", "unknown". Static string. */
const char *spendable_name(enum spendable spendable);
/* "spent", "anyone-can-spend", "enough-keys", "data-keys", "burnt-keys", "keys-off-curve", "op-return",
 * "always-fails", "undecided". Static string. */
const char *spendable_reason_name(enum spendable_reason reason);
enum spendable spendable_of(enum spendable_reason reason);

/* Why an output can be spent or cannot; `protocol` is what protocol_of_output says of it, `spent`: the chain spends it.
 * Keys are taken to have an owner unless something shows that they have none. O(size), and some microseconds for each
 * signature that is asked for. */
enum spendable_reason spendable_judge(enum kind kind, const uint8_t *script, size_t size, enum protocol protocol,
                                      bool spent);

/* True for a script that fails whatever the spender shows, under the consensus rules of today: a push that runs over
 * the end or is too long, an OP_IF without its end, an operation that is disabled or reserved, OP_RETURN on every way,
 * too many operations, an OP_CHECKMULTISIG of more signatures than keys or of counts out of range, a result that is
 * always false (such as a hash that is compared with bytes of another size, or a signature under a key that is no point
 * of the curve), a version 0 witness program of another size. Cautious: false when in doubt; branches of an OP_IF are
 * not followed. O(size). */
bool script_always_fails(const uint8_t *script, size_t size);

#endif
