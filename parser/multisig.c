#include "parser/multisig.h"

#include "parser/opcode.h"
#include "parser/script.h"

/* A number of signatures or keys, 0 where there is none. Above 16 it must be the shortest push; that push of a number
 * up to 16 would be the opcode, so nothing but one byte of 17..20 is left. */
static unsigned read_count(const struct op *op, bool *pushed)
{
    if (op->code >= OP_1 && op->code <= OP_16)
        return (unsigned)(op->code - OP_1 + 1);
    if (op->code == 1 && op->data[0] > 16 && op->data[0] <= MULTISIG_KEYS_MAX) {
        *pushed = true;
        return op->data[0];
    }
    return 0;
}

bool multisig_read(const uint8_t *script, size_t size, struct multisig *found)
{
    if (size < 3 || script[size - 1] != OP_CHECKMULTISIG)
        return false;
    struct cursor c = cursor_over(script, size);
    struct op op;
    found->keys = 0;
    found->pushed_count = false;
    found->keys_fit = true;
    if (!op_next(&c, &op))
        return false;
    found->required = read_count(&op, &found->pushed_count);
    if (found->required == 0)
        return false;
    for (;;) {
        if (!op_next(&c, &op))
            return false;
        if (op.size < 2)
            break;
        if (found->keys == MULTISIG_KEYS_MAX)
            return false;
        found->keys_fit &= script_key_size_fits(op.data, op.size);
        found->key[found->keys] = op.data;
        found->key_size[found->keys++] = op.size;
    }
    unsigned total = read_count(&op, &found->pushed_count);
    return total >= found->required && total == found->keys && cursor_left(&c) == 1;
}
