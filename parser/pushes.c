#include "parser/pushes.h"

#include <stdio.h>

#include "parser/opcode.h"
#include "parser/script.h"
#include "parser/sha256.h"

struct pushes pushes_of_script(const uint8_t *script, size_t size)
{
    return (struct pushes){.c = cursor_over(script, size)};
}

struct pushes pushes_of_witness(const uint8_t *witness, size_t size)
{
    struct pushes pushes = {.c = cursor_over(witness, size), .witness = true};
    pushes.items = cursor_compact(&pushes.c);
    return pushes;
}

static bool next_of_witness(struct pushes *pushes, struct push *push)
{
    if (pushes->items == 0 || !cursor_ok(&pushes->c))
        return false;
    pushes->items--;
    push->code = OP_0;
    push->size = (size_t)cursor_compact(&pushes->c);
    push->data = cursor_take(&pushes->c, push->size);
    return push->data != NULL;
}

bool pushes_next(struct pushes *pushes, struct push *push)
{
    static const uint8_t numbers[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
    static const uint8_t minus_one = 0x81;
    struct op op;
    if (pushes->witness)
        return next_of_witness(pushes, push);
    if (!op_next(&pushes->c, &op))
        return false;
    *push = (struct push){.data = op.data, .size = op.size, .code = op.code};
    if (op.code >= OP_1 && op.code <= OP_16) {
        push->data = &numbers[op.code - OP_1];
        push->size = 1;
    } else if (op.code == OP_1NEGATE) {
        push->data = &minus_one;
        push->size = 1;
    }
    return true;
}

enum shown push_shows(const struct push *push)
{
    struct signature signature;
    if (!push->data)
        return SHOWN_OPERATION;
    if (push->size == 0)
        return SHOWN_NOTHING;
    if (push->size <= 4)
        return SHOWN_NUMBER;
    if (script_key_size_fits(push->data, push->size))
        return SHOWN_KEY;
    return signature_read(push->data, push->size, &signature) ? SHOWN_SIGNATURE : SHOWN_DATA;
}

size_t keys_shown(struct pushes pushes, struct push keys[KEYS_SHOWN_MAX])
{
    size_t count = 0;
    while (count < KEYS_SHOWN_MAX && pushes_next(&pushes, &keys[count]))
        count += keys[count].data && keys[count].size > 4 && script_key_size_fits(keys[count].data, keys[count].size);
    return count;
}

/* ---- signatures ---- */

/* IsValidSignatureEncoding of BIP 66: 30 len 02 len r 02 len s sighash, each length of one byte, no number negative or
 * longer than it need be. */
static bool strict_number(const uint8_t *number, size_t size)
{
    return size > 0 && !(number[0] & 0x80) && !(size > 1 && number[0] == 0 && !(number[1] & 0x80));
}

static bool is_strict_der(const uint8_t *data, size_t size)
{
    if (size < 9 || size > 73 || data[0] != 0x30 || data[1] != size - 3 || data[2] != 0x02)
        return false;
    size_t r_size = data[3];
    if (5 + r_size >= size)
        return false;
    size_t s_size = data[5 + r_size];
    if (r_size + s_size + 7 != size || data[4 + r_size] != 0x02)
        return false;
    return strict_number(data + 4, r_size) && strict_number(data + 6 + r_size, s_size);
}

/* A length of DER as ecdsa_signature_parse_der_lax reads it: above 127 the low bits say how many bytes have it, the
 * first of which may be zeros. */
static size_t lax_length(struct cursor *c)
{
    size_t length = cursor_u8(c);
    if (!(length & 0x80))
        return length;
    size_t bytes = length & 0x7f;
    const uint8_t *at = cursor_take(c, bytes);
    length = 0;
    for (size_t i = 0; at && i < bytes; i++) {
        if (length > SCRIPT_PUSH_MAX)
            cursor_fail(c);
        length = length << 8 | at[i];
    }
    return length;
}

/* An integer; its bytes without the zeros in front. */
static const uint8_t *lax_number(struct cursor *c, size_t *size)
{
    if (cursor_u8(c) != 0x02)
        cursor_fail(c);
    *size = lax_length(c);
    const uint8_t *number = cursor_take(c, *size);
    while (number && *size > 0 && *number == 0) {
        number++;
        (*size)--;
    }
    return number;
}

static bool is_low(const uint8_t *s, size_t size)
{
    static const uint8_t half_order[32] = {0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                           0xff, 0xff, 0xff, 0xff, 0xff, 0x5d, 0x57, 0x6e, 0x73, 0x57, 0xa4,
                                           0x50, 0x1d, 0xdf, 0xe9, 0x2f, 0x46, 0x68, 0x1b, 0x20, 0xa0};
    return size < sizeof half_order || (size == sizeof half_order && memcmp(s, half_order, size) <= 0);
}

bool signature_read(const uint8_t *data, size_t size, struct signature *signature)
{
    if (size < 9 || size > SCRIPT_PUSH_MAX || data[0] != 0x30)
        return false;
    struct cursor c = cursor_over(data + 1, size - 2);
    size_t r_size, s_size;
    /* the sequence's length is read over, as OpenSSL and libsecp256k1 did; only that it is there counts */
    uint8_t length = cursor_u8(&c);
    cursor_take(&c, length & 0x80 ? length & 0x7f : 0);
    lax_number(&c, &r_size);
    const uint8_t *s = lax_number(&c, &s_size);
    if (!s)
        return false;
    *signature = (struct signature){
        .sighash = data[size - 1], .strict_der = is_strict_der(data, size), .low_s = is_low(s, s_size)};
    return true;
}

size_t sighash_text(uint8_t sighash, char out[SIGHASH_TEXT])
{
    static const char *const names[2][4] = {{NULL, "ALL", "NONE", "SINGLE"},
                                            {NULL, "ALL|ANYONECANPAY", "NONE|ANYONECANPAY", "SINGLE|ANYONECANPAY"}};
    uint8_t type = sighash & 0x7f;
    if (type < 1 || type > 3)
        return (size_t)snprintf(out, SIGHASH_TEXT, "0x%02x", sighash);
    const char *name = names[sighash >> 7][type];
    size_t size = strlen(name);
    memcpy(out, name, size + 1);
    return size;
}

/* ---- hash locks ---- */

static size_t size_of_hash(uint8_t code)
{
    switch (code) {
    case OP_RIPEMD160:
    case OP_SHA1:
    case OP_HASH160: return HASH160_SIZE;
    case OP_SHA256:
    case OP_HASH256: return HASH256_SIZE;
    default: return 0;
    }
}

/* True where the next operation takes a key. */
static bool takes_key(struct cursor ahead)
{
    struct op op;
    return op_next(&ahead, &op) && (op.code == OP_CHECKSIG || op.code == OP_CHECKSIGVERIFY);
}

size_t hash_locks(const uint8_t *script, size_t size, struct hash_lock locks[HASH_LOCKS_MAX])
{
    struct cursor c = cursor_over(script, size);
    struct op op, before[3] = {{.code = OP_NOP}, {.code = OP_NOP}, {.code = OP_NOP}};
    size_t count = 0;
    while (count < HASH_LOCKS_MAX && op_next(&c, &op)) {
        const struct op *hash = &before[2];
        size_t hash_size = size_of_hash(before[1].code);
        if (hash_size > 0 && (op.code == OP_EQUAL || op.code == OP_EQUALVERIFY) && hash->data &&
            hash->size == hash_size)
            locks[count++] = (struct hash_lock){.hash = hash->data,
                                                .size = hash_size,
                                                .code = before[1].code,
                                                .of_key = before[0].code == OP_DUP &&
                                                          (before[1].code == OP_HASH160 || takes_key(c))};
        before[0] = before[1];
        before[1] = before[2];
        before[2] = op;
    }
    return count;
}

size_t hash_by(uint8_t code, const uint8_t *data, size_t size, uint8_t out[32])
{
    struct hash256 twice;
    switch (code) {
    case OP_RIPEMD160: ripemd160(data, size, out); break;
    case OP_SHA1: sha1(data, size, out); break;
    case OP_HASH160: hash160(data, size, out); break;
    case OP_SHA256: sha256(data, size, out); break;
    case OP_HASH256:
        sha256d(data, size, &twice);
        memcpy(out, twice.bytes, sizeof twice.bytes);
        break;
    default: return 0;
    }
    return size_of_hash(code);
}

size_t hash_locks_opened(const struct hash_lock *locks, size_t count, const uint8_t *data, size_t size)
{
    enum { FUNCTIONS = OP_HASH256 - OP_RIPEMD160 + 1 };
    uint8_t hashes[FUNCTIONS][HASH256_SIZE];
    bool have[FUNCTIONS] = {false};
    if (size > SCRIPT_PUSH_MAX)
        return count;
    for (size_t i = 0; i < count; i++) {
        size_t f = (size_t)(locks[i].code - OP_RIPEMD160);
        if (!have[f])
            hash_by(locks[i].code, data, size, hashes[f]);
        have[f] = true;
        if (memcmp(hashes[f], locks[i].hash, locks[i].size) == 0)
            return i;
    }
    return count;
}
