/* opcode: the script opcodes that the parser knows by name, the limits of scripts, and a reader of one operation after
 * the other. Pure functions; any thread. */
#ifndef UNKTX_PARSER_OPCODE_H
#define UNKTX_PARSER_OPCODE_H

#include "parser/cursor.h"

/* What EvalScript refuses to go beyond, by the names in Core's script/script.h. */
#define SCRIPT_SIZE_MAX 10000u /* MAX_SCRIPT_SIZE */
#define SCRIPT_PUSH_MAX 520u   /* MAX_SCRIPT_ELEMENT_SIZE */
#define SCRIPT_OPS_MAX 201u    /* MAX_OPS_PER_SCRIPT; those above OP_16, and the keys of OP_CHECKMULTISIG */

enum opcode {
    OP_0 = 0x00,
    OP_PUSHDATA1 = 0x4c,
    OP_PUSHDATA2 = 0x4d,
    OP_PUSHDATA4 = 0x4e,
    OP_1NEGATE = 0x4f,
    OP_RESERVED = 0x50,
    OP_1 = 0x51,
    OP_16 = 0x60,
    OP_NOP = 0x61,
    OP_VER = 0x62,
    OP_IF = 0x63,
    OP_NOTIF = 0x64,
    OP_VERIF = 0x65,
    OP_VERNOTIF = 0x66,
    OP_ELSE = 0x67,
    OP_ENDIF = 0x68,
    OP_VERIFY = 0x69,
    OP_RETURN = 0x6a,
    OP_TOALTSTACK = 0x6b,
    OP_FROMALTSTACK = 0x6c,
    OP_2DROP = 0x6d,
    OP_2DUP = 0x6e,
    OP_IFDUP = 0x73,
    OP_DEPTH = 0x74,
    OP_DROP = 0x75,
    OP_DUP = 0x76,
    OP_NIP = 0x77,
    OP_OVER = 0x78,
    OP_PICK = 0x79,
    OP_ROLL = 0x7a,
    OP_SWAP = 0x7c,
    OP_TUCK = 0x7d,
    OP_CAT = 0x7e,
    OP_RIGHT = 0x81,
    OP_SIZE = 0x82,
    OP_INVERT = 0x83,
    OP_XOR = 0x86,
    OP_EQUAL = 0x87,
    OP_EQUALVERIFY = 0x88,
    OP_RESERVED1 = 0x89,
    OP_RESERVED2 = 0x8a,
    OP_1ADD = 0x8b,
    OP_1SUB = 0x8c,
    OP_2MUL = 0x8d,
    OP_2DIV = 0x8e,
    OP_NEGATE = 0x8f,
    OP_ABS = 0x90,
    OP_NOT = 0x91,
    OP_0NOTEQUAL = 0x92,
    OP_ADD = 0x93,
    OP_SUB = 0x94,
    OP_MUL = 0x95,
    OP_RSHIFT = 0x99,
    OP_BOOLAND = 0x9a,
    OP_BOOLOR = 0x9b,
    OP_NUMEQUAL = 0x9c,
    OP_NUMEQUALVERIFY = 0x9d,
    OP_NUMNOTEQUAL = 0x9e,
    OP_LESSTHAN = 0x9f,
    OP_GREATERTHAN = 0xa0,
    OP_LESSTHANOREQUAL = 0xa1,
    OP_GREATERTHANOREQUAL = 0xa2,
    OP_MIN = 0xa3,
    OP_MAX = 0xa4,
    OP_WITHIN = 0xa5,
    OP_RIPEMD160 = 0xa6,
    OP_SHA1 = 0xa7,
    OP_SHA256 = 0xa8,
    OP_HASH160 = 0xa9,
    OP_HASH256 = 0xaa,
    OP_CODESEPARATOR = 0xab,
    OP_CHECKSIG = 0xac,
    OP_CHECKSIGVERIFY = 0xad,
    OP_CHECKMULTISIG = 0xae,
    OP_CHECKMULTISIGVERIFY = 0xaf,
    OP_NOP1 = 0xb0,
    OP_CHECKLOCKTIMEVERIFY = 0xb1,
    OP_CHECKSEQUENCEVERIFY = 0xb2,
    OP_NOP4 = 0xb3,
    OP_NOP10 = 0xb9,
    OP_CHECKSIGADD = 0xba,
    OP_INVALIDOPCODE = 0xff,
};

/* True for operations that end a script even in a branch that is not taken. */
static inline bool op_is_always_invalid(uint8_t code)
{
    return code == OP_VERIF || code == OP_VERNOTIF || (code >= OP_CAT && code <= OP_RIGHT) ||
           (code >= OP_INVERT && code <= OP_XOR) || code == OP_2MUL || code == OP_2DIV ||
           (code >= OP_MUL && code <= OP_RSHIFT);
}

/* One operation. Pushes (code up to OP_PUSHDATA4) have data, which is borrowed from the script. */
struct op {
    uint8_t code;
    const uint8_t *data;
    size_t size;
};

/* Reads the next operation; false at the end, and where a push runs over the end (the cursor has failed then). */
static inline bool op_next(struct cursor *c, struct op *op)
{
    if (cursor_left(c) == 0)
        return false;
    op->code = *c->at++;
    op->data = NULL;
    op->size = 0;
    if (op->code > OP_PUSHDATA4)
        return true;
    op->size = op->code;
    if (op->code == OP_PUSHDATA1) {
        op->size = cursor_u8(c);
    } else if (op->code == OP_PUSHDATA2) {
        const uint8_t *p = cursor_take(c, 2);
        op->size = p ? load_le16(p) : 0;
    } else if (op->code == OP_PUSHDATA4) {
        op->size = cursor_u32(c);
    }
    op->data = cursor_take(c, op->size);
    return op->data != NULL;
}

#endif
