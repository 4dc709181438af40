#include "tests/support/core_rules.h"

#include <stdbool.h>
#include <string.h>

#include "parser/pushes.h"

struct element {
    size_t size;
    bool shown;   /* pushed by the input, or made from such */
    bool literal; /* pushed by the script */
    bool hash;
    uint8_t bytes[520];
};

static struct element stack[1100], alt[1100];
static size_t depth, alt_depth;
static bool is_input;
static const char *wrong;

static void refuse(const char *why)
{
    if (!wrong)
        wrong = why;
}

static struct element *at(size_t from_top)
{
    static struct element none;
    if (from_top >= depth) {
        refuse("too few items");
        return &none;
    }
    return &stack[depth - 1 - from_top];
}

static void push_element(const struct element *e)
{
    struct element copy = *e;
    if (depth + alt_depth >= 1050)
        refuse("too many items");
    else
        stack[depth++] = copy;
}

static struct element pop(void)
{
    struct element e = *at(0);
    if (depth > 0)
        depth--;
    return e;
}

static bool truth(const struct element *e)
{
    for (size_t i = 0; i < e->size; i++)
        if (e->bytes[i] != 0)
            return !(i == e->size - 1 && e->bytes[i] == 0x80);
    return false;
}

static long long number(const struct element *e, size_t most)
{
    long long n = 0;
    if (e->size > most) {
        refuse("number too long");
        return 0;
    }
    for (size_t i = e->size; i-- > 0;)
        n = n * 256 + (i + 1 == e->size ? e->bytes[i] % 128 : e->bytes[i]);
    return e->size > 0 && e->bytes[e->size - 1] >= 128 ? -n : n;
}

static long long pop_number(bool *shown)
{
    struct element e = pop();
    *shown |= e.shown;
    return number(&e, 4);
}

static void push_number(long long n, bool shown)
{
    struct element e = {.shown = shown};
    bool negative = n < 0;
    for (n = negative ? -n : n; n > 0; n /= 256)
        e.bytes[e.size++] = (uint8_t)(n % 256);
    if (e.size > 0 && e.bytes[e.size - 1] >= 128)
        e.size++;
    if (negative)
        e.bytes[e.size - 1] = (uint8_t)(e.bytes[e.size - 1] + 128);
    push_element(&e);
}

static void copy_of(size_t from_top) { push_element(at(from_top)); }

static void take_out(size_t from_top)
{
    if (from_top >= depth) {
        refuse("too few items");
        return;
    }
    memmove(&stack[depth - 1 - from_top], &stack[depth - from_top], from_top * sizeof *stack);
    depth--;
}

/* The item so deep goes to the top. */
static void raise(size_t from_top)
{
    copy_of(from_top);
    take_out(from_top + 1);
}

static void must_be_true(void)
{
    struct element e = pop();
    if (!truth(&e))
        refuse("not true");
}

static void op_equal(void)
{
    struct element b = pop(), a = pop();
    bool same = a.size == b.size && memcmp(a.bytes, b.bytes, a.size) == 0;
    if (same && ((a.hash && a.shown && b.literal) || (b.hash && b.shown && a.literal)))
        refuse("a preimage");
    push_number(same, a.shown || b.shown);
}

static void op_hash(uint8_t code)
{
    struct element from = pop(), e = {.hash = true, .shown = from.shown};
    e.size = hash_by(code, from.bytes, from.size, e.bytes);
    push_element(&e);
}

/* Only the empty one is no signature; it fails under any key. */
static bool op_checksig(void)
{
    pop();
    struct element signature = pop();
    if (signature.size > 0)
        refuse("a signature");
    push_number(0, false);
    return false;
}

static void op_checkmultisig(size_t *ops)
{
    bool shown = false;
    long long keys = pop_number(&shown);
    if (keys < 0 || keys > 20) {
        refuse("number of keys");
        return;
    }
    *ops += (size_t)keys;
    if (*ops > 201)
        refuse("too many operations");
    for (long long i = 0; i < keys; i++)
        pop();
    long long signatures = pop_number(&shown);
    if (signatures < 0 || signatures > keys) {
        refuse("number of signatures");
        return;
    }
    for (long long i = 0; i < signatures; i++)
        if (pop().size > 0)
            refuse("a signature");
    if (pop().size > 0)
        refuse("dummy");
    push_number(signatures == 0, false);
}

/* OP_PICK, OP_ROLL. */
static void op_place(bool roll)
{
    bool shown = false;
    long long n = pop_number(&shown);
    if (n < 0 || n >= (long long)depth)
        refuse("place");
    else if (roll)
        raise((size_t)n);
    else
        copy_of((size_t)n);
}

static bool op_on_stack(uint8_t code)
{
    switch (code) {
    case 0x6b:
        if (depth > 0)
            alt[alt_depth++] = pop();
        else
            refuse("too few items");
        return true;
    case 0x6c:
        if (alt_depth > 0)
            push_element(&alt[--alt_depth]);
        else
            refuse("other stack");
        return true;
    case 0x6d: pop(), pop(); return true;
    case 0x6e: copy_of(1), copy_of(1); return true;
    case 0x6f: copy_of(2), copy_of(2), copy_of(2); return true;
    case 0x70: copy_of(3), copy_of(3); return true;
    case 0x71: raise(5), raise(5); return true;
    case 0x72: raise(3), raise(3); return true;
    case 0x73:
        if (truth(at(0)))
            copy_of(0);
        return true;
    case 0x74: push_number((long long)depth, true); return true;
    case 0x75: pop(); return true;
    case 0x76: copy_of(0); return true;
    case 0x77: take_out(1); return true;
    case 0x78: copy_of(1); return true;
    case 0x79:
    case 0x7a: op_place(code == 0x7a); return true;
    case 0x7b: raise(2); return true;
    case 0x7c: raise(1); return true;
    case 0x7d: raise(1), copy_of(1); return true;
    case 0x82: push_number((long long)at(0)->size, at(0)->shown); return true;
    default: return false;
    }
}

static bool op_on_numbers(uint8_t code)
{
    bool shown = false;
    long long c, b, a;
    if (code == 0xa5) {
        c = pop_number(&shown), b = pop_number(&shown), a = pop_number(&shown);
        push_number(a >= b && a < c, shown);
        return true;
    }
    if ((code >= 0x8b && code <= 0x92) && code != 0x8d && code != 0x8e) {
        a = pop_number(&shown);
        const long long results[] = {a + 1, a - 1, 0, 0, -a, a > 0 ? a : -a, !a, !!a};
        push_number(results[code - 0x8b], shown);
        return true;
    }
    if (code != 0x93 && code != 0x94 && (code < 0x9a || code > 0xa4))
        return false;
    b = pop_number(&shown), a = pop_number(&shown);
    const long long results[] = {a && b,    a || b, a == b, a == b,        a != b,
                                 a<b, a> b, a <= b, a >= b, a < b ? a : b, a > b ? a : b};
    push_number(code == 0x93 ? a + b : code == 0x94 ? a - b : results[code - 0x9a], shown);
    if (code == 0x9d)
        must_be_true();
    return true;
}

static void op_other(uint8_t code, size_t *ops)
{
    switch (code) {
    case 0x61:
    case 0xab: break;
    case 0x69: must_be_true(); break;
    case 0x87: op_equal(); break;
    case 0x88: op_equal(), must_be_true(); break;
    case 0xac: op_checksig(); break;
    case 0xad: op_checksig(), must_be_true(); break;
    case 0xae: op_checkmultisig(ops); break;
    case 0xaf: op_checkmultisig(ops), must_be_true(); break;
    case 0xb1: refuse("a time"); break;
    case 0xb2:
        if (!(number(at(0), 5) >> 31 & 1) || number(at(0), 5) < 0)
            refuse("a time");
        break;
    default:
        if (code >= 0xa6 && code <= 0xaa)
            op_hash(code);
        else if (code != 0xb0 && (code < 0xb3 || code > 0xb9))
            refuse("operation");
    }
}

/* OP_IF, OP_NOTIF, OP_ELSE, OP_ENDIF; `ways` are those of the open ones, as Core's vfExec. */
static void op_branch(uint8_t code, bool runs, bool ways[], size_t *open)
{
    if (code == 0x65 || code == 0x66) {
        refuse("operation");
    } else if (code <= 0x64) {
        bool way = false;
        if (runs) {
            struct element e = pop();
            way = truth(&e) == (code == 0x63);
        }
        ways[(*open)++] = way;
    } else if (*open == 0) {
        refuse("no OP_IF");
    } else if (code == 0x67) {
        ways[*open - 1] = !ways[*open - 1];
    } else {
        (*open)--;
    }
}

static bool is_disabled(uint8_t code)
{
    static const uint8_t disabled[] = {0x7e, 0x7f, 0x80, 0x81, 0x83, 0x84, 0x85, 0x86,
                                       0x8d, 0x8e, 0x95, 0x96, 0x97, 0x98, 0x99};
    return memchr(disabled, code, sizeof disabled) != NULL;
}

/* Size of the push whose bytes begin at *at, which moves there; refuses one that runs over the end. */
static size_t read_push(const uint8_t *script, size_t size, size_t *at, uint8_t code)
{
    size_t width = code == 0x4c ? 1 : code == 0x4d ? 2 : code == 0x4e ? 4 : 0;
    size_t length = width ? 0 : code;
    if (width > size - *at) {
        refuse("cut");
        return 0;
    }
    for (size_t i = 0; i < width; i++)
        length |= (size_t)script[*at + i] << 8 * i;
    *at += width;
    if (length > size - *at)
        refuse("cut");
    else if (length > 520)
        refuse("push too long");
    return wrong ? 0 : length;
}

static void op_push(const uint8_t *data, size_t size)
{
    struct element e = {.size = size, .shown = is_input, .literal = !is_input};
    memcpy(e.bytes, data, size);
    push_element(&e);
}

static void run(const uint8_t *script, size_t size)
{
    bool ways[10000];
    size_t open = 0, ops = 0;
    alt_depth = 0;
    if (size > 10000)
        refuse("too long");
    for (size_t i = 0; !wrong && i < size;) {
        uint8_t code = script[i++];
        bool runs = true;
        for (size_t n = 0; n < open; n++)
            runs &= ways[n];
        if (code > 0x60 && ++ops > 201)
            refuse("too many operations");
        if (is_disabled(code) || (is_input && code > 0x60))
            refuse("operation");
        if (code <= 0x4e) {
            size_t length = read_push(script, size, &i, code);
            if (runs && !wrong)
                op_push(script + i, length);
            i += length;
        } else if (code >= 0x63 && code <= 0x68) {
            op_branch(code, runs, ways, &open);
        } else if (runs && code <= 0x60) {
            if (code == 0x50)
                refuse("operation");
            op_push(&(uint8_t){code == 0x4f ? 0x81 : (uint8_t)(code - 0x50)}, 1);
        } else if (runs && !op_on_stack(code) && !op_on_numbers(code)) {
            op_other(code, &ops);
        }
        if (depth + alt_depth > 1000)
            refuse("too many items");
    }
    if (open > 0)
        refuse("OP_IF");
}

const char *core_refuses(const uint8_t *shown, size_t shown_size, const uint8_t *script, size_t size)
{
    depth = 0;
    wrong = NULL;
    is_input = true;
    run(shown, shown_size);
    is_input = false;
    if (!wrong)
        run(script, size);
    if (!wrong)
        must_be_true();
    return wrong;
}
