/* second_kind: a second classifier of scripts, which reads a script into a list of operations first. What script_kind
 * says is compared with it. */
#ifndef UNKTX_TESTS_PARSER_SECOND_KIND_H
#define UNKTX_TESTS_PARSER_SECOND_KIND_H

#include "parser/script.h"

#define SCRIPT_MAX 40000u /* bytes of the largest script that it takes */

struct operation {
    int code; /* -1: a truncated push; nothing follows it */
    const uint8_t *data;
    size_t size;
};

static inline size_t split(const uint8_t *s, size_t n, struct operation *ops)
{
    size_t count = 0, at = 0;
    while (at < n) {
        struct operation *op = &ops[count++];
        *op = (struct operation){.code = s[at++]};
        size_t width = op->code == 0x4c ? 1 : op->code == 0x4d ? 2 : op->code == 0x4e ? 4 : 0;
        if (op->code > 0x4e)
            continue;
        bool whole = n - at >= width;
        op->size = width ? 0 : (size_t)op->code;
        for (size_t i = 0; whole && i < width; i++)
            op->size += (size_t)s[at + i] << 8 * i;
        at += width;
        if (!whole || n - at < op->size) {
            op->code = -1;
            break;
        }
        op->data = s + at;
        at += op->size;
    }
    return count;
}

static inline int second_number(const struct operation *op)
{
    if (op->code > 0x50 && op->code < 0x61)
        return op->code - 0x50;
    return op->code == 1 && op->data[0] >= 17 && op->data[0] <= 20 ? op->data[0] : 0;
}

static inline bool second_is_key(const struct operation *op)
{
    const uint8_t *d = op->data;
    return d && ((op->size == 33 && (d[0] & 0xfe) == 2) || (op->size == 65 && (d[0] == 4 || (d[0] & 0xfe) == 6)));
}

static inline enum kind second_witness_kind(const uint8_t *s, size_t n, const struct operation *ops)
{
    bool is_anchor = n == 4 && memcmp(s, "\x51\x02\x4e\x73", 4) == 0;
    if (ops[0].code != 0)
        return ops[0].code == 0x51 && ops[1].code == 32 ? KIND_WITNESS_V1_TAPROOT
               : is_anchor                              ? KIND_ANCHOR
                                                        : KIND_WITNESS_UNKNOWN;
    return ops[1].code == 20   ? KIND_WITNESS_V0_KEYHASH
           : ops[1].code == 32 ? KIND_WITNESS_V0_SCRIPTHASH
                               : KIND_NONSTANDARD;
}

static inline bool second_is_multisig(const struct operation *ops, size_t count)
{
    if (count < 4 || count > 23 || ops[count - 1].code != 0xae)
        return false;
    int required = second_number(&ops[0]), keys = second_number(&ops[count - 2]);
    for (size_t i = 1; i + 2 < count; i++)
        if (!second_is_key(&ops[i]))
            return false;
    return required > 0 && required <= keys && keys == (int)count - 3;
}

static inline enum kind second_kind(const uint8_t *s, size_t n, unsigned *unknown)
{
    static struct operation ops[SCRIPT_MAX];
    size_t count = split(s, n, ops);
    *unknown = 0;
    if (count == 3 && n == 23 && ops[0].code == 0xa9 && ops[1].code == 20 && ops[2].code == 0x87)
        return KIND_SCRIPTHASH;
    bool number = count > 0 && (ops[0].code == 0 || (ops[0].code > 0x50 && ops[0].code < 0x61));
    if (count == 2 && number && ops[1].code >= 2 && ops[1].code <= 40) {
        enum kind kind = second_witness_kind(s, n, ops);
        *unknown = kind == KIND_NONSTANDARD ? RULES_ALL : 0;
        return kind;
    }
    *unknown = RULES_ALL;
    if (count > 0 && ops[0].code == 0x6a) {
        for (size_t i = 1; i < count; i++)
            if (ops[i].code < 0 || ops[i].code > 0x60)
                return KIND_NONSTANDARD;
        return KIND_NULLDATA;
    }
    if (count == 2 && second_is_key(&ops[0]) && ops[0].code == (int)ops[0].size && ops[1].code == 0xac) {
        *unknown = 6;
        return KIND_PUBKEY;
    }
    if (count == 5 && n == 25 && ops[0].code == 0x76 && ops[1].code == 0xa9 && ops[2].code == 20 &&
        ops[3].code == 0x88 && ops[4].code == 0xac) {
        *unknown = 0;
        return KIND_PUBKEYHASH;
    }
    if (!second_is_multisig(ops, count))
        return KIND_NONSTANDARD;
    *unknown = ops[0].code == 1 || ops[count - 2].code == 1 ? RULES_ALL : 4;
    return KIND_MULTISIG;
}

#endif
