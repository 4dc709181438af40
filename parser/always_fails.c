/* script_always_fails: a run of the script of which only what it pushes itself is known.
 *
 * The items on the stack that follow from the script alone are kept: pushes, and how many bytes a hash has. All others,
 * the spender's and those of operations that are not followed, may be anything. Within the branches of an OP_IF only
 * what fails even where it is not executed is looked at, and after them all is forgotten. So a "true" is always earned,
 * while a "false" may only mean that the run knew too little. Limits are those of Core's EvalScript. */
#include "parser/multisig.h"
#include "parser/opcode.h"
#include "parser/pubkey.h"
#include "parser/pushes.h"
#include "parser/script_number.h"
#include "parser/sha256.h"
#include "parser/spendable.h"

#define ITEMS_MAX 64u

struct item {
    const uint8_t *data; /* NULL: only its size is known */
    size_t size;
    bool known; /* false: any bytes */
};

struct trail {
    struct item items[ITEMS_MAX];
    size_t count; /* below them there may be anything */
    size_t ops;
    size_t nesting;
    bool fails;
};

static const struct item anything;

static void push(struct trail *trail, struct item item)
{
    if (trail->count == ITEMS_MAX)
        memmove(trail->items, trail->items + 1, --trail->count * sizeof *trail->items);
    trail->items[trail->count++] = item;
}

static struct item pop(struct trail *trail) { return trail->count > 0 ? trail->items[--trail->count] : anything; }

static void push_bytes(struct trail *trail, const uint8_t *data, size_t size)
{
    push(trail, (struct item){.data = data, .size = size, .known = true});
}

static void push_false(struct trail *trail) { push_bytes(trail, (const uint8_t *)"", 0); }

static bool is_false(const struct item *item)
{
    return item->known && item->data && !script_is_true(item->data, item->size);
}

static void push_op(struct trail *trail, const struct op *op)
{
    static const uint8_t numbers[17] = {0x81, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
    trail->fails |= op->size > SCRIPT_PUSH_MAX;
    if (op->code <= OP_PUSHDATA4)
        push_bytes(trail, op->data, op->size);
    else
        push_bytes(trail, &numbers[op->code == OP_1NEGATE ? 0 : op->code - OP_1 + 1], 1);
}

static void verify(struct trail *trail)
{
    struct item item = pop(trail);
    trail->fails |= is_false(&item);
}

static void equal(struct trail *trail)
{
    struct item b = pop(trail), a = pop(trail);
    bool differ = a.known && b.known && (a.size != b.size || (a.data && b.data && memcmp(a.data, b.data, a.size) != 0));
    if (differ)
        push_false(trail);
    else
        push(trail, anything);
}

static void check_signature(struct trail *trail)
{
    struct item key = pop(trail);
    pop(trail);
    if (key.known && (key.data ? !pubkey_on_curve(key.data, key.size) : key.size != 33 && key.size != 65))
        push_false(trail);
    else
        push(trail, anything);
}

/* A number that is known, as CScriptNum reads it; false where it is not known. One of more than 4 bytes fails. */
static bool pop_number(struct trail *trail, int64_t *number)
{
    struct item item = pop(trail);
    bool fits = item.size <= SCRIPT_NUMBER_SIZE_MAX;
    if (!item.known || (!item.data && fits))
        return false;
    trail->fails |= !fits;
    *number = fits ? script_number_read(item.data, item.size) : 0;
    return true;
}

/* Counts of keys and signatures that Core's EvalScript refuses whatever is shown (SCRIPT_ERR_PUBKEY_COUNT, _SIG_COUNT,
 * _OP_COUNT). What is asked of the keys is multisig_read's matter. */
static void check_multisig(struct trail *trail)
{
    int64_t keys, signatures;
    bool known = pop_number(trail, &keys);
    trail->fails |= known && (keys < 0 || keys > MULTISIG_KEYS_MAX);
    if (known && !trail->fails) {
        trail->ops += (size_t)keys;
        trail->fails |= trail->ops > SCRIPT_OPS_MAX;
        for (int64_t i = 0; i < keys; i++)
            pop(trail);
    }
    if (known && !trail->fails && pop_number(trail, &signatures))
        trail->fails |= signatures < 0 || signatures > keys;
    trail->count = 0;
}

static bool is_reserved(uint8_t code)
{
    return code == OP_RETURN || code == OP_VER || code == OP_RESERVED || code == OP_RESERVED1 || code == OP_RESERVED2 ||
           code > OP_NOP10;
}

static void execute(struct trail *trail, uint8_t code)
{
    struct item item;
    switch (code) {
    case OP_NOP:
    case OP_CODESEPARATOR: break;
    case OP_VERIFY: verify(trail); break;
    case OP_DROP: pop(trail); break;
    case OP_DUP:
        item = pop(trail);
        push(trail, item);
        push(trail, item);
        break;
    case OP_RIPEMD160:
    case OP_SHA1:
    case OP_HASH160:
        pop(trail);
        push(trail, (struct item){.size = HASH160_SIZE, .known = true});
        break;
    case OP_SHA256:
    case OP_HASH256:
        pop(trail);
        push(trail, (struct item){.size = HASH256_SIZE, .known = true});
        break;
    case OP_EQUAL: equal(trail); break;
    case OP_EQUALVERIFY:
        equal(trail);
        verify(trail);
        break;
    case OP_CHECKSIG: check_signature(trail); break;
    case OP_CHECKSIGVERIFY:
        check_signature(trail);
        verify(trail);
        break;
    case OP_CHECKMULTISIG:
    case OP_CHECKMULTISIGVERIFY: check_multisig(trail); break;
    default:
        trail->fails |= is_reserved(code);
        if (code < OP_NOP1) /* the others leave the stack as it is */
            trail->count = 0;
    }
}

static void step(struct trail *trail, const struct op *op)
{
    trail->fails |= op_is_always_invalid(op->code) || op->size > SCRIPT_PUSH_MAX;
    if (op->code > OP_16 && ++trail->ops > SCRIPT_OPS_MAX)
        trail->fails = true;
    if (op->code == OP_IF || op->code == OP_NOTIF) {
        trail->nesting++;
    } else if (op->code == OP_ELSE || op->code == OP_ENDIF) {
        trail->fails |= trail->nesting == 0;
        trail->nesting -= op->code == OP_ENDIF && trail->nesting > 0;
        trail->count = 0;
    } else if (trail->nesting == 0) {
        if (op->code <= OP_PUSHDATA4 || op->code == OP_1NEGATE || (op->code >= OP_1 && op->code <= OP_16))
            push_op(trail, op);
        else
            execute(trail, op->code);
    }
}

bool script_always_fails(const uint8_t *script, size_t size)
{
    bool version_0 = size >= 4 && size <= 42 && script[0] == OP_0 && script[1] == size - 2;
    if (size > SCRIPT_SIZE_MAX)
        return true;
    if (version_0)
        return size != 2 + HASH160_SIZE && size != 2 + HASH256_SIZE;
    struct trail trail;
    trail.count = trail.ops = trail.nesting = 0;
    trail.fails = false;
    struct cursor c = cursor_over(script, size);
    struct op op;
    while (!trail.fails && op_next(&c, &op))
        step(&trail, &op);
    if (trail.fails || trail.nesting > 0 || (size > 0 && !cursor_ok(&c)))
        return true;
    struct item top = pop(&trail);
    return is_false(&top);
}
