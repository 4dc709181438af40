/* script_anyone_can_spend: a run of the script with whatever the spender likes below it.
 *
 * The spender chooses what the script finds on the stack, so an item taken from below the script's own ones is *free*:
 * it is whatever suits. A condition on a free item is a choice, and all ways to choose (up to CHOICES_MAX of them) are
 * tried. Where following a free item would need more than that, it is set to the number 1, which is one thing that
 * a spender may choose; so a "true" is always earned, while a "false" may only mean that no way was found.
 *
 * Signatures, hashes, time conditions and every operation not in the list below end a run: that is the definition
 * (docs/model.md, section 5) for the former, and caution for the latter. OP_CHECKMULTISIG of 0 keys is the exception:
 * it asks for no signature. Limits are those of Core's EvalScript, as far as a run can get to them. */
#include "parser/multisig.h"
#include "parser/opcode.h"
#include "parser/script.h"

#define CHOICES_MAX 6u
#define NESTING_MAX 32u
#define STACK_MAX 64u
#define SUPPLIED 64u      /* items that the spender is taken to supply; OP_DEPTH sees them */
#define NUMBER_MAX 0x7fff /* no chain of SCRIPT_OPS_MAX operations leads from here out of a script number's 4 bytes */

enum form {
    FORM_NUMBER,      /* -NUMBER_MAX..NUMBER_MAX in its shortest encoding */
    FORM_BYTES,       /* a push of anything else */
    FORM_FREE,        /* any bytes, as the spender likes; each is on the stack once */
    FORM_FREE_NUMBER, /* any number from -NUMBER_MAX to NUMBER_MAX, as the spender likes */
};

struct value {
    enum form form;
    int32_t number;
    const uint8_t *data;
    size_t size;
};

struct machine {
    struct value stack[STACK_MAX];
    size_t depth;
    unsigned supplied; /* items of the spender's not yet taken */
    unsigned choices;  /* bit i set: the i-th choice is "false" */
    unsigned chosen;
    unsigned ops;
    uint64_t skipping; /* bit i set: the i-th open OP_IF is in the branch not taken */
    unsigned nesting;
    bool failed; /* the run proves nothing */
};

static bool is_free(const struct value *v) { return v->form == FORM_FREE || v->form == FORM_FREE_NUMBER; }

static void push(struct machine *m, struct value v)
{
    if (m->depth == STACK_MAX)
        m->failed = true;
    else
        m->stack[m->depth++] = v;
}

static void push_number(struct machine *m, int32_t number)
{
    m->failed |= number > NUMBER_MAX || number < -NUMBER_MAX;
    push(m, (struct value){.form = FORM_NUMBER, .number = number});
}

static struct value pop(struct machine *m)
{
    if (m->depth > 0)
        return m->stack[--m->depth];
    if (m->supplied == 0)
        m->failed = true;
    else
        m->supplied--;
    return (struct value){.form = FORM_FREE};
}

/* As pop, but a free item becomes the number 1, so that the value may be used twice or computed with. */
static struct value pop_settled(struct machine *m)
{
    struct value v = pop(m);
    return is_free(&v) ? (struct value){.form = FORM_NUMBER, .number = 1} : v;
}

static bool choose(struct machine *m) { return m->chosen >= CHOICES_MAX || !(m->choices >> m->chosen++ & 1); }

/* What Core's CastToBool says; free items are taken as true. */
static bool is_true(const struct value *v)
{
    if (v->form == FORM_NUMBER)
        return v->number != 0;
    if (v->form != FORM_BYTES)
        return true;
    for (size_t i = 0; i + 1 < v->size; i++)
        if (v->data[i])
            return true;
    return v->data[v->size - 1] & 0x7f; /* negative zero is false too */
}

static void push_data(struct machine *m, const struct op *op)
{
    const uint8_t *d = op->data;
    m->failed |= op->size > SCRIPT_PUSH_MAX;
    if (op->size == 0)
        push_number(m, 0);
    else if (op->size == 1 && d[0] & 0x7f)
        push_number(m, d[0] & 0x80 ? -(d[0] & 0x7f) : d[0]);
    else if (op->size == 2 && (d[1] & 0x7f || d[0] & 0x80))
        push_number(m, d[1] & 0x80 ? -(d[0] | (d[1] & 0x7f) << 8) : d[0] | d[1] << 8);
    else
        push(m, (struct value){.form = FORM_BYTES, .data = d, .size = op->size});
}

static void verify(struct machine *m)
{
    struct value v = pop(m);
    m->failed |= !is_true(&v);
}

static void equal(struct machine *m)
{
    struct value b = pop(m), a = pop(m);
    if (is_free(&a) || is_free(&b)) {
        bool never = (a.form == FORM_FREE_NUMBER && b.form == FORM_BYTES) ||
                     (b.form == FORM_FREE_NUMBER && a.form == FORM_BYTES);
        push_number(m, !never && choose(m));
    } else if (a.form == FORM_NUMBER || b.form == FORM_NUMBER) {
        push_number(m, a.form == b.form && a.number == b.number);
    } else {
        push_number(m, a.size == b.size && memcmp(a.data, b.data, a.size) == 0);
    }
}

/* OP_NOT and OP_0NOTEQUAL. */
static void negate(struct machine *m, bool result_of_zero)
{
    struct value v = pop(m);
    m->failed |= v.form == FORM_BYTES;
    push_number(m, is_free(&v) ? choose(m) : (v.number == 0) == result_of_zero);
}

static void compute(struct machine *m, uint8_t code)
{
    struct value b = pop(m), a = pop(m);
    unsigned free_items = (unsigned)is_free(&a) + (unsigned)is_free(&b);
    bool sum = code == OP_ADD || code == OP_SUB;
    m->failed |= a.form == FORM_BYTES || b.form == FORM_BYTES;
    if (free_items == 2 && (sum || code == OP_MIN || code == OP_MAX)) {
        push(m, (struct value){.form = FORM_FREE_NUMBER});
        return;
    }
    if (free_items == 1 && sum) {
        push(m, (struct value){.form = FORM_FREE_NUMBER});
        return;
    }
    if (free_items == 2 || (free_items == 1 && code == OP_NUMEQUAL)) {
        push_number(m, choose(m));
        return;
    }
    int32_t x = is_free(&a) ? 1 : a.number, y = is_free(&b) ? 1 : b.number;
    switch (code) {
    case OP_ADD: push_number(m, x + y); break;
    case OP_SUB: push_number(m, x - y); break;
    case OP_MIN: push_number(m, x < y ? x : y); break;
    case OP_MAX: push_number(m, x > y ? x : y); break;
    case OP_BOOLAND: push_number(m, x && y); break;
    case OP_BOOLOR: push_number(m, x || y); break;
    default: push_number(m, x == y); break;
    }
}

/* 0-of-n only. A free count is chosen as 0. */
static void check_multisig(struct machine *m)
{
    struct value n = pop(m);
    int32_t keys = is_free(&n) ? 0 : n.number;
    if (n.form == FORM_BYTES || keys < 0 || keys > MULTISIG_KEYS_MAX) {
        m->failed = true;
        return;
    }
    m->ops += (unsigned)keys;
    while (keys-- > 0)
        pop(m);
    struct value required = pop(m);
    m->failed |= !is_free(&required) && (required.form != FORM_NUMBER || required.number != 0);
    pop(m); /* one item too many, as OP_CHECKMULTISIG always takes */
    push_number(m, 1);
}

/* OP_IF, OP_NOTIF, OP_ELSE, OP_ENDIF, in skipped branches too. */
static void branch(struct machine *m, uint8_t code)
{
    if (code == OP_IF || code == OP_NOTIF) {
        bool skip = false;
        if (!m->skipping) {
            struct value v = pop(m);
            bool truth = is_free(&v) ? choose(m) : is_true(&v);
            skip = truth != (code == OP_IF);
        }
        m->failed |= m->nesting == NESTING_MAX;
        m->skipping |= (uint64_t)skip << m->nesting++;
    } else if (m->nesting == 0) {
        m->failed = true;
    } else if (code == OP_ELSE) {
        m->skipping ^= (uint64_t)1 << (m->nesting - 1);
    } else {
        m->nesting--;
        m->skipping &= ~((uint64_t)1 << m->nesting);
    }
}

static void shuffle(struct machine *m, uint8_t code)
{
    struct value b, a;
    switch (code) {
    case OP_2DROP:
        pop(m);
        pop(m);
        break;
    case OP_DROP: pop(m); break;
    case OP_NIP:
        b = pop(m);
        pop(m);
        push(m, b);
        break;
    case OP_SWAP:
        b = pop(m);
        a = pop(m);
        push(m, b);
        push(m, a);
        break;
    case OP_DUP:
        a = pop_settled(m);
        push(m, a);
        push(m, a);
        break;
    case OP_OVER:
        b = pop(m);
        a = pop_settled(m);
        push(m, a);
        push(m, b);
        push(m, a);
        break;
    default: /* OP_2DUP */
        b = pop_settled(m);
        a = pop_settled(m);
        push(m, a);
        push(m, b);
        push(m, a);
        push(m, b);
        break;
    }
}

static void execute(struct machine *m, const struct op *op)
{
    uint8_t code = op->code;
    switch (code) {
    case OP_NOP:
    case OP_NOP1: break;
    case OP_VERIFY: verify(m); break;
    case OP_2DROP:
    case OP_DROP:
    case OP_NIP:
    case OP_SWAP:
    case OP_DUP:
    case OP_2DUP:
    case OP_OVER: shuffle(m, code); break;
    case OP_DEPTH: push_number(m, (int32_t)(m->depth + m->supplied)); break;
    case OP_EQUAL: equal(m); break;
    case OP_EQUALVERIFY:
        equal(m);
        verify(m);
        break;
    case OP_NOT: negate(m, true); break;
    case OP_0NOTEQUAL: negate(m, false); break;
    case OP_ADD:
    case OP_SUB:
    case OP_MIN:
    case OP_MAX:
    case OP_BOOLAND:
    case OP_BOOLOR:
    case OP_NUMEQUAL: compute(m, code); break;
    case OP_NUMEQUALVERIFY:
        compute(m, OP_NUMEQUAL);
        verify(m);
        break;
    case OP_CHECKMULTISIG: check_multisig(m); break;
    default:
        if (code <= OP_PUSHDATA4)
            push_data(m, op);
        else if (code == OP_1NEGATE || (code >= OP_1 && code <= OP_16))
            push_number(m, code - OP_1 + 1);
        else
            m->failed |= code < OP_NOP4 || code > OP_NOP10;
        break;
    }
}

/* One run with the machine's choices; true if it ends with a true item on top. */
static bool run(struct machine *m, const uint8_t *script, size_t size)
{
    struct cursor c = cursor_over(script, size);
    struct op op;
    while (!m->failed && op_next(&c, &op)) {
        if (op.code > OP_16)
            m->ops++;
        if (op_is_always_invalid(op.code) || op.size > SCRIPT_PUSH_MAX || m->ops > SCRIPT_OPS_MAX)
            return false;
        if (op.code >= OP_IF && op.code <= OP_ENDIF)
            branch(m, op.code);
        else if (!m->skipping)
            execute(m, &op);
    }
    if (m->failed || m->nesting > 0 || !cursor_ok(&c) || m->ops > SCRIPT_OPS_MAX)
        return false;
    struct value top = pop(m);
    return !m->failed && is_true(&top);
}

bool script_anyone_can_spend(const uint8_t *script, size_t size)
{
    if (size == 0)
        return true;
    /* every other kind asks for a signature or a hash, or is known; a version 0 witness program that is nonstandard for
     * its length cannot be spent at all */
    bool version_0 = size >= 4 && size <= 42 && script[0] == OP_0 && script[1] == size - 2;
    if (size > SCRIPT_SIZE_MAX || version_0 || script_kind(script, size) != KIND_NONSTANDARD)
        return false;
    unsigned ways = 1;
    for (unsigned way = 0; way < ways; way++) {
        struct machine m;
        m.depth = m.chosen = m.ops = m.nesting = 0;
        m.supplied = SUPPLIED;
        m.choices = way;
        m.skipping = 0;
        m.failed = false;
        if (run(&m, script, size))
            return true;
        if (ways < 1u << m.chosen)
            ways = 1u << m.chosen;
    }
    return false;
}
