#include "parser/script.h"

#include <stdio.h>

#include "parser/multisig.h"
#include "parser/opcode.h"
#include "parser/pubkey.h"

const char *kind_name(enum kind kind)
{
    static const char *const names[KINDS] = {
        [KIND_NONSTANDARD] = "nonstandard",
        [KIND_NULLDATA] = "nulldata",
        [KIND_PUBKEY] = "pubkey",
        [KIND_MULTISIG] = "multisig",
        [KIND_PUBKEYHASH] = "pubkeyhash",
        [KIND_SCRIPTHASH] = "scripthash",
        [KIND_WITNESS_V0_KEYHASH] = "witness_v0_keyhash",
        [KIND_WITNESS_V0_SCRIPTHASH] = "witness_v0_scripthash",
        [KIND_WITNESS_V1_TAPROOT] = "witness_v1_taproot",
        [KIND_ANCHOR] = "anchor",
        [KIND_WITNESS_UNKNOWN] = "witness_unknown",
    };
    return names[kind];
}

static const char *const rules_names[RULES_WITH_HIDDEN] = {
    [RULES_CORE_0_18] = "core-0.18",
    [RULES_CORE_0_19] = "core-0.19",
    [RULES_CORE_22] = "core-22",
    [RULES_HIDDEN] = "hidden",
};

const char *rules_name(enum rules rules) { return rules_names[rules]; }

bool rules_parse(const char *name, enum rules *rules)
{
    for (unsigned r = 0; r < RULES_WITH_HIDDEN; r++)
        if (strcmp(name, rules_names[r]) == 0) {
            *rules = (enum rules)r;
            return true;
        }
    return false;
}

bool script_key_size_fits(const uint8_t *key, size_t size)
{
    if (size == 33)
        return key[0] == 2 || key[0] == 3;
    return size == 65 && (key[0] == 4 || key[0] == 6 || key[0] == 7);
}

static bool is_push_only(const uint8_t *script, size_t size)
{
    struct cursor c = cursor_over(script, size);
    struct op op;
    while (op_next(&c, &op))
        if (op.code > OP_16)
            return false;
    return cursor_ok(&c);
}

/* A program of 2..40 bytes in one direct push after OP_0 or OP_1..OP_16. */
static bool is_witness_program(const uint8_t *script, size_t size)
{
    return size >= 4 && size <= 42 && script[1] == size - 2 &&
           (script[0] == OP_0 || (script[0] >= OP_1 && script[0] <= OP_16));
}

/* The kinds of 20 and 32 bytes in version 0 and of 32 in version 1 never get here. */
static enum kind witness_kind(const uint8_t *script, size_t size)
{
    if (script[0] == OP_0)
        return KIND_NONSTANDARD;
    bool anchor = size == 4 && script[0] == OP_1 && script[2] == 0x4e && script[3] == 0x73;
    return anchor ? KIND_ANCHOR : KIND_WITNESS_UNKNOWN;
}

enum kind script_kind_other(const uint8_t *script, size_t size)
{
    if (size > 0 && script[0] == OP_RETURN)
        return is_push_only(script + 1, size - 1) ? KIND_NULLDATA : KIND_NONSTANDARD;
    if (is_witness_program(script, size))
        return witness_kind(script, size);
    if ((size == 35 || size == 67) && script[0] == size - 2 && script[size - 1] == OP_CHECKSIG &&
        script_key_size_fits(script + 1, size - 2))
        return KIND_PUBKEY;
    struct multisig found;
    return multisig_read(script, size, &found) && found.keys_fit ? KIND_MULTISIG : KIND_NONSTANDARD;
}

unsigned script_unknown_rules(enum kind kind, const uint8_t *script, size_t size)
{
    struct multisig found;
    switch (kind) {
    case KIND_NONSTANDARD:
    case KIND_NULLDATA: return RULES_ALL;
    case KIND_PUBKEY: return 1u << RULES_CORE_0_19 | 1u << RULES_CORE_22;
    case KIND_MULTISIG:
        /* releases before 22 know counts by opcode only and call the others nonstandard */
        return multisig_read(script, size, &found) && !found.pushed_count ? 1u << RULES_CORE_22 : RULES_ALL;
    default: return 0;
    }
}

unsigned script_keys(enum kind kind, const uint8_t *script, size_t size, unsigned *on_curve)
{
    *on_curve = 0;
    if (kind == KIND_PUBKEY) {
        *on_curve = pubkey_on_curve(script + 1, size - 2);
        return 1;
    }
    struct multisig found;
    if (kind != KIND_MULTISIG || !multisig_read(script, size, &found))
        return 0;
    for (unsigned i = 0; i < found.keys; i++)
        *on_curve += pubkey_on_curve(found.key[i], found.key_size[i]);
    return found.keys;
}

/* By code, from GetOpName. Those not here have none. */
static const char *const opcode_names[256] = {
    [0x4f] = "-1",
    "OP_RESERVED",
    "1",
    "2",
    "3",
    "4",
    "5",
    "6",
    "7",
    "8",
    "9",
    "10",
    "11",
    "12",
    "13",
    "14",
    "15",
    "16",
    [0x61] = "OP_NOP",
    "OP_VER",
    "OP_IF",
    "OP_NOTIF",
    "OP_VERIF",
    "OP_VERNOTIF",
    "OP_ELSE",
    "OP_ENDIF",
    "OP_VERIFY",
    "OP_RETURN",
    "OP_TOALTSTACK",
    "OP_FROMALTSTACK",
    "OP_2DROP",
    "OP_2DUP",
    "OP_3DUP",
    "OP_2OVER",
    "OP_2ROT",
    "OP_2SWAP",
    "OP_IFDUP",
    "OP_DEPTH",
    "OP_DROP",
    "OP_DUP",
    "OP_NIP",
    "OP_OVER",
    "OP_PICK",
    "OP_ROLL",
    "OP_ROT",
    "OP_SWAP",
    "OP_TUCK",
    "OP_CAT",
    "OP_SUBSTR",
    "OP_LEFT",
    "OP_RIGHT",
    "OP_SIZE",
    "OP_INVERT",
    "OP_AND",
    "OP_OR",
    "OP_XOR",
    "OP_EQUAL",
    "OP_EQUALVERIFY",
    "OP_RESERVED1",
    "OP_RESERVED2",
    "OP_1ADD",
    "OP_1SUB",
    "OP_2MUL",
    "OP_2DIV",
    "OP_NEGATE",
    "OP_ABS",
    "OP_NOT",
    "OP_0NOTEQUAL",
    "OP_ADD",
    "OP_SUB",
    "OP_MUL",
    "OP_DIV",
    "OP_MOD",
    "OP_LSHIFT",
    "OP_RSHIFT",
    "OP_BOOLAND",
    "OP_BOOLOR",
    "OP_NUMEQUAL",
    "OP_NUMEQUALVERIFY",
    "OP_NUMNOTEQUAL",
    "OP_LESSTHAN",
    "OP_GREATERTHAN",
    "OP_LESSTHANOREQUAL",
    "OP_GREATERTHANOREQUAL",
    "OP_MIN",
    "OP_MAX",
    "OP_WITHIN",
    "OP_RIPEMD160",
    "OP_SHA1",
    "OP_SHA256",
    "OP_HASH160",
    "OP_HASH256",
    "OP_CODESEPARATOR",
    "OP_CHECKSIG",
    "OP_CHECKSIGVERIFY",
    "OP_CHECKMULTISIG",
    "OP_CHECKMULTISIGVERIFY",
    "OP_NOP1",
    "OP_CHECKLOCKTIMEVERIFY",
    "OP_CHECKSEQUENCEVERIFY",
    "OP_NOP4",
    "OP_NOP5",
    "OP_NOP6",
    "OP_NOP7",
    "OP_NOP8",
    "OP_NOP9",
    "OP_NOP10",
    "OP_CHECKSIGADD",
    [0xff] = "OP_INVALIDOPCODE",
};

static const char *opcode_name(uint8_t code) { return opcode_names[code] ? opcode_names[code] : "OP_UNKNOWN"; }

/* A push of up to 4 bytes as a number: little-endian, the top bit is the sign, any length. */
static int push_number(const struct op *op)
{
    if (op->size == 0)
        return 0;
    uint32_t value = 0;
    for (size_t i = 0; i < op->size; i++)
        value |= (uint32_t)op->data[i] << 8 * i;
    uint32_t sign = 0x80u << 8 * (op->size - 1);
    return value & sign ? -(int)(value & ~sign) : (int)value;
}

#define OPCODE_NAME_MAX 22u /* OP_CHECKMULTISIGVERIFY; no byte of a push takes that much */

size_t script_asm_bound(size_t size) { return size * (OPCODE_NAME_MAX + 1) + 1; }

static char *put_text(char *out, const char *text)
{
    size_t length = strlen(text);
    memcpy(out, text, length);
    return out + length;
}

static char *put_hex(char *out, const uint8_t *data, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < size; i++) {
        *out++ = digits[data[i] >> 4];
        *out++ = digits[data[i] & 15];
    }
    return out;
}

size_t script_asm(const uint8_t *script, size_t size, char *out)
{
    char *at = out;
    struct cursor c = cursor_over(script, size);
    struct op op;
    while (op_next(&c, &op)) {
        if (at > out)
            *at++ = ' ';
        if (op.code > OP_PUSHDATA4)
            at = put_text(at, opcode_name(op.code));
        else if (op.size > 4)
            at = put_hex(at, op.data, op.size);
        else
            at += sprintf(at, "%d", push_number(&op));
    }
    if (size > 0 && !cursor_ok(&c)) {
        if (at > out)
            *at++ = ' ';
        at = put_text(at, "[error]");
    }
    *at = '\0';
    return (size_t)(at - out);
}

/* ---- templates ---- */

/* What a template may hold of the operations themselves, so that the longest tail still fits after them: the number of
 * operations, the checksum, [error]. */
#define TEMPLATE_ROOM (SCRIPT_TEMPLATE_MAX - sizeof " ... 18446744073709551615 more #0123456789abcdef [error]")

/* sprintf would cost most of a template, and tables have millions of them. */
static char *put_size(char *at, size_t size)
{
    size_t digits = 1;
    for (size_t rest = size; rest >= 10; rest /= 10)
        digits++;
    for (size_t i = digits; i-- > 0; size /= 10)
        at[i] = (char)('0' + size % 10);
    return at + digits;
}

/* One token of a template: OP_CHECKMULTISIGVERIFY or <4294967295>. */
static size_t template_token(const struct op *op, char token[OPCODE_NAME_MAX + 1])
{
    if (op->code > OP_PUSHDATA4)
        return (size_t)(put_text(token, opcode_name(op->code)) - token);
    if (op->code == OP_0)
        return (size_t)(put_text(token, "0") - token);
    *token = '<';
    char *end = put_size(token + 1, op->size);
    *end++ = '>';
    return (size_t)(end - token);
}

/* Folds the 128-bit product of two words, which spreads each bit of both over all bits. */
static uint64_t fold(uint64_t a, uint64_t b)
{
    unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

#define FOLD 0x9e3779b97f4a7c15u /* odd, and its bits look random; no more */

static uint64_t fold_op(uint64_t hash, const struct op *op, uint64_t key)
{
    bool push = op->code > OP_0 && op->code <= OP_PUSHDATA4;
    bool nameless = op->code > OP_CHECKSIGADD && op->code < OP_INVALIDOPCODE; /* all of them read OP_UNKNOWN */
    uint64_t value = push ? (uint64_t)1 << 32 | op->size : nameless ? OP_CHECKSIGADD + 1 : op->code;
    return fold(hash ^ value, key ^ FOLD) + (hash << 1);
}

size_t script_template(const uint8_t *script, size_t size, char out[SCRIPT_TEMPLATE_MAX])
{
    char *at = out, token[OPCODE_NAME_MAX + 1];
    struct cursor c = cursor_over(script, size);
    struct op op;
    uint64_t left_out = 0, checksum = FOLD;
    while (op_next(&c, &op)) {
        size_t length = left_out ? 0 : template_token(&op, token);
        if (left_out || (size_t)(at - out) + length + 1 > TEMPLATE_ROOM) {
            checksum = fold_op(checksum, &op, 0);
            left_out++;
            continue;
        }
        if (at > out)
            *at++ = ' ';
        memcpy(at, token, length);
        at += length;
    }
    if (left_out)
        at += sprintf(at, " ... %llu more #%016llx", (unsigned long long)left_out, (unsigned long long)checksum);
    if (size > 0 && !cursor_ok(&c))
        at = put_text(at, at > out ? " [error]" : "[error]");
    *at = '\0';
    return (size_t)(at - out);
}

uint64_t script_template_hash(const uint8_t *script, size_t size, const uint64_t key[2])
{
    struct cursor c = cursor_over(script, size);
    struct op op;
    uint64_t hash = key[0] ^ FOLD;
    while (op_next(&c, &op))
        hash = fold_op(hash, &op, key[1]);
    bool whole = size == 0 || cursor_ok(&c);
    return fold(hash ^ whole, key[0] ^ FOLD) ^ hash;
}
