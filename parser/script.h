/* script: what a scriptPubKey is. Kinds are those of Bitcoin Core's Solver (script/solver.cpp, current release), rule
 * sets are the kinds from which a given release infers no address. Pure functions over bytes; no allocation; any
 * thread. */
#ifndef UNKTX_PARSER_SCRIPT_H
#define UNKTX_PARSER_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "parser/bytes.h"

/* Values are part of the store format; never renumber. */
enum kind {
    KIND_NONSTANDARD = 0,
    KIND_NULLDATA = 1,
    KIND_PUBKEY = 2,
    KIND_MULTISIG = 3,
    KIND_PUBKEYHASH = 4,
    KIND_SCRIPTHASH = 5,
    KIND_WITNESS_V0_KEYHASH = 6,
    KIND_WITNESS_V0_SCRIPTHASH = 7,
    KIND_WITNESS_V1_TAPROOT = 8,
    KIND_ANCHOR = 9,
    KIND_WITNESS_UNKNOWN = 10,
};
#define KINDS 11

enum rules {
    RULES_CORE_0_18 = 0, /* unknown: nonstandard, nulldata, multisig with m or n in 17..20 */
    RULES_CORE_0_19 = 1, /* + pubkey */
    RULES_CORE_22 = 2,   /* + every multisig */
    RULES_HIDDEN = 3,    /* no rule of Core: + outputs whose spender showed a nonstandard script (docs/model.md, section
                            11), in a store that was made for it */
};
#define RULES 3             /* those of Core */
#define RULES_ALL 7u        /* a mask with every rule set of Core in it */
#define RULES_WITH_HIDDEN 4 /* and the other one */

/* Core's name of the kind ("nonstandard", ...) / of the rule set ("core-0.18", ...). Static strings. */
const char *kind_name(enum kind kind);
const char *rules_name(enum rules rules);
/* The rule set of that name, hidden among them, for which arrays of RULES have no place; false if there is none. */
bool rules_parse(const char *name, enum rules *rules);

/* The part of script_kind for scripts that are none of the frames below. */
enum kind script_kind_other(const uint8_t *script, size_t size);

/* Core's Solver. O(size) at worst, O(1) for the common kinds.
 * Every output of a chain passes here and the order of their kinds is random, so the kinds that are one fixed frame
 * around a hash share one branch: a table tells by size and first byte which frame is the only one possible. */
static inline enum kind script_kind(const uint8_t *script, size_t size)
{
    struct frame {
        uint32_t head_mask; /* of the first four bytes */
        uint32_t head;      /* of the first four bytes */
        uint16_t tail_mask; /* of the last two */
        uint16_t tail;      /* of the last two */
        uint32_t kind;
    };
    enum { VERSION_1 = 0x51, VERSION_1_SIDE = 64 };
    static const struct frame frames[2 * VERSION_1_SIDE] = {
        [22] = {0xffff, 0x1400, 0, 0, KIND_WITNESS_V0_KEYHASH},                  /* 00 14 hash */
        [23] = {0xffff, 0x14a9, 0xff00, 0x8700, KIND_SCRIPTHASH},                /* a9 14 hash 87 */
        [25] = {0xffffff, 0x14a976, 0xffff, 0xac88, KIND_PUBKEYHASH},            /* 76 a9 14 hash 88 ac */
        [34] = {0xffff, 0x2000, 0, 0, KIND_WITNESS_V0_SCRIPTHASH},               /* 00 20 hash */
        [34 + VERSION_1_SIDE] = {0xffff, 0x2051, 0, 0, KIND_WITNESS_V1_TAPROOT}, /* 51 20 key */
    };
    if (size >= 22 && size <= 34) {
        const struct frame *f = &frames[size + (script[0] == VERSION_1 ? VERSION_1_SIDE : 0)];
        if (f->kind && (load_le32(script) & f->head_mask) == f->head &&
            (load_le16(script + size - 2) & f->tail_mask) == f->tail)
            return (enum kind)f->kind;
    }
    return script_kind_other(script, size);
}

/* Mask (1 << enum rules) of the rule sets in which an output of this kind and script is unknown; 0 = known in all.
 * O(1) but for multisig. */
unsigned script_unknown_rules(enum kind kind, const uint8_t *script, size_t size);

/* The public keys in a `pubkey` or `multisig` script (0 for any other kind), and in `*on_curve` how many of them
 * libsecp256k1 accepts as points. O(keys), some microseconds each. */
unsigned script_keys(enum kind kind, const uint8_t *script, size_t size, unsigned *on_curve);

/* CPubKey::ValidSize: the size is the one that the first byte of a public key announces. The point itself is not looked
 * at. O(1). */
bool script_key_size_fits(const uint8_t *key, size_t size);

/* True for a script that anyone can satisfy without a signature, preimage, or time condition (docs/model.md, section
 * 5): an input was found that does (spend_search.h). False where none was, which proves nothing. O(size),
 * see SPEND_WORK in spend_search.h. */
bool script_anyone_can_spend(const uint8_t *script, size_t size);

/* Bytes that script_asm may write for a script of `size` bytes, terminator included. */
size_t script_asm_bound(size_t size);

/* The script as Core's ScriptToAsmStr prints it: pushes of up to 4 bytes as decimal numbers, longer ones as
 * hexadecimal, opcodes by name, "[error]" where a push is truncated. Terminated; returns the length. `out` has
 * script_asm_bound(size) bytes. O(size). */
size_t script_asm(const uint8_t *script, size_t size, char *out);

/* Bytes that script_template may write, terminator included. */
#define SCRIPT_TEMPLATE_MAX 256u

/* The template of a script: its asm with each push of data replaced by its length, as in
 * `OP_DUP OP_HASH160 <20> OP_EQUALVERIFY OP_CHECKSIG`; numbers that are opcodes (0, -1, 1 to 16) stay. One that would
 * not fit ends in the number of operations left out and a checksum of them, as in `1 <33> ... 80 more
 * #0123456789abcdef`. Only these have a # in it. Terminated; returns the length. O(size). */
size_t script_template(const uint8_t *script, size_t size, char out[SCRIPT_TEMPLATE_MAX]);

/* A hash of the whole template, secret with the key: two scripts of one template have the same. O(size). */
uint64_t script_template_hash(const uint8_t *script, size_t size, const uint64_t key[2]);

#endif
