#include "parser/unlock_run.h"

#include "parser/multisig.h"
#include "parser/opcode.h"
#include "parser/script_number.h"

#define STACK_MAX 64u
#define ALT_STACK_MAX 16u
#define NESTING_MAX 32u
#define HASHES_MAX 16u
#define NO_ITEM 255u /* and what comes after as many items */

struct value {
    const uint8_t *data; /* NULL: the bytes are in `made` */
    uint32_t size;
    uint8_t item;    /* which of the items shown it is, NO_ITEM for none */
    uint8_t hash_of; /* which of them it is the hash of */
    bool of_key;     /* and that one is taken for a key */
    bool asked;      /* a push of the script */
    uint8_t made[32];
};

struct machine {
    struct value stack[STACK_MAX];
    struct value alt[ALT_STACK_MAX];
    size_t depth;
    size_t alt_depth;
    unsigned ops;
    unsigned hashes;
    unsigned items;
    unsigned nesting;
    uint64_t skipping;       /* bit i set: the i-th open OP_IF is in the part not taken */
    bool in_script;          /* what was shown has been run */
    bool lost;               /* what comes next is beyond this machine */
    uint8_t before;          /* the last operation run */
    uint8_t opened[NO_ITEM]; /* by item shown: how often its hash was one that the script has; SCRIPT_OPS_MAX at most */
    struct unlock_run *run;
};

static const uint8_t *bytes_of(const struct value *v) { return v->data ? v->data : v->made; }

static void contradict(struct machine *m) { m->run->contradicts = m->lost = true; }

/* ---- the stack ---- */

static void push(struct machine *m, const struct value *v)
{
    if (m->depth == STACK_MAX)
        m->lost = true;
    else
        m->stack[m->depth++] = *v;
}

static struct value pop(struct machine *m)
{
    if (m->depth > 0)
        return m->stack[--m->depth];
    contradict(m);
    return (struct value){.item = NO_ITEM, .hash_of = NO_ITEM};
}

static void push_bytes(struct machine *m, const uint8_t *data, size_t size)
{
    struct value v = {.data = data, .size = (uint32_t)size, .item = NO_ITEM, .hash_of = NO_ITEM};
    v.asked = m->in_script;
    if (!m->in_script && m->items < NO_ITEM)
        v.item = (uint8_t)m->items;
    push(m, &v);
}

static void push_number(struct machine *m, int64_t number)
{
    struct value v = {.item = NO_ITEM, .hash_of = NO_ITEM};
    v.size = (uint32_t)script_number_write(number, v.made);
    push(m, &v);
}

static int64_t number_of(struct machine *m, const struct value *v)
{
    if (v->size <= SCRIPT_NUMBER_SIZE_MAX)
        return script_number_read(bytes_of(v), v->size);
    contradict(m);
    return 0;
}

static int64_t pop_number(struct machine *m)
{
    struct value v = pop(m);
    return number_of(m, &v);
}

static bool is_true(const struct value *v) { return script_is_true(bytes_of(v), v->size); }

static void verify(struct machine *m)
{
    struct value v = pop(m);
    if (!is_true(&v))
        contradict(m);
}

/* ---- operations ---- */

static bool shuffle(struct machine *m, uint8_t code)
{
    size_t takes;
    const char *leaves = script_shuffle(code, &takes);
    if (!leaves)
        return false;
    struct value taken[SHUFFLE_TAKES_MAX];
    for (size_t i = takes; i-- > 0;)
        taken[i] = pop(m);
    for (const char *p = leaves; *p; p++)
        push(m, &taken[*p - 'a']);
    return true;
}

static void pick_or_roll(struct machine *m, bool roll)
{
    int64_t n = pop_number(m);
    if (m->lost || n < 0 || (uint64_t)n >= m->depth) {
        contradict(m);
        return;
    }
    size_t at = m->depth - 1 - (size_t)n;
    struct value v = m->stack[at];
    if (roll) {
        memmove(&m->stack[at], &m->stack[at + 1], (m->depth - 1 - at) * sizeof *m->stack);
        m->depth--;
    }
    push(m, &v);
}

/* Other operations that only move items. */
static bool move(struct machine *m, uint8_t code)
{
    struct value v;
    switch (code) {
    case OP_TOALTSTACK:
        v = pop(m);
        if (m->alt_depth == ALT_STACK_MAX)
            m->lost = true;
        else
            m->alt[m->alt_depth++] = v;
        return true;
    case OP_FROMALTSTACK:
        if (m->alt_depth == 0)
            contradict(m);
        else
            push(m, &m->alt[--m->alt_depth]);
        return true;
    case OP_IFDUP:
        v = pop(m);
        push(m, &v);
        if (is_true(&v))
            push(m, &v);
        return true;
    case OP_DEPTH: push_number(m, (int64_t)m->depth); return true;
    case OP_SIZE:
        v = pop(m);
        push(m, &v);
        push_number(m, v.size);
        return true;
    case OP_PICK:
    case OP_ROLL: pick_or_roll(m, code == OP_ROLL); return true;
    default: return shuffle(m, code);
    }
}

/* An item that was shown and hashed, once or several times, and equals a hash that the script has. */
static void count_opened(struct machine *m, const struct value *hash, const struct value *other)
{
    if (hash->hash_of == NO_ITEM || !other->asked || hash->of_key)
        return;
    m->opened[hash->hash_of]++;
}

/* A key that was shown: where its hash is compared with one in the script, that asks for the key. */
static void mark_key(struct machine *m, const struct value *key)
{
    if (key->item < 64)
        m->run->key_items |= (uint64_t)1 << key->item;
}

static void count_preimages(struct machine *m)
{
    for (unsigned item = 0; item < m->items && item < NO_ITEM; item++) {
        uint64_t bit = item < 64 ? (uint64_t)1 << item : 0;
        if (m->opened[item] == 0 || m->run->key_items & bit)
            continue;
        m->run->preimages += m->opened[item];
        m->run->preimage_items |= bit;
    }
}

static void equal(struct machine *m)
{
    struct value b = pop(m), a = pop(m);
    bool same = a.size == b.size && memcmp(bytes_of(&a), bytes_of(&b), a.size) == 0;
    if (same) {
        count_opened(m, &a, &b);
        count_opened(m, &b, &a);
    }
    push_number(m, same);
}

static void hash(struct machine *m, uint8_t code)
{
    struct value v = pop(m), made = {.item = NO_ITEM, .hash_of = v.item != NO_ITEM ? v.item : v.hash_of};
    if (m->hashes++ == HASHES_MAX || v.size > SCRIPT_PUSH_MAX) {
        m->lost = true;
        return;
    }
    made.of_key = v.of_key || (code == OP_HASH160 && m->before == OP_DUP);
    made.size = (uint32_t)hash_by(code, bytes_of(&v), v.size, made.made);
    push(m, &made);
}

static bool compute_one(struct machine *m, uint8_t code)
{
    int64_t result;
    if (!script_number_of_one(code, 0, &result))
        return false;
    script_number_of_one(code, pop_number(m), &result);
    push_number(m, result);
    return true;
}

static bool compute(struct machine *m, uint8_t code)
{
    int64_t result;
    if (compute_one(m, code))
        return true;
    if (code == OP_WITHIN) {
        int64_t high = pop_number(m), low = pop_number(m), x = pop_number(m);
        push_number(m, low <= x && x < high);
        return true;
    }
    if (!script_number_of_two(code, 0, 0, &result))
        return false;
    int64_t y = pop_number(m), x = pop_number(m);
    script_number_of_two(code, x, y, &result);
    push_number(m, result);
    if (code == OP_NUMEQUALVERIFY)
        verify(m);
    return true;
}

static void check_signature(struct machine *m)
{
    struct value key = pop(m), signature = pop(m);
    mark_key(m, &key);
    m->run->signatures += signature.size > 0;
    push_number(m, signature.size > 0);
}

static void check_multisig(struct machine *m)
{
    int64_t keys = pop_number(m);
    if (keys < 0 || keys > MULTISIG_KEYS_MAX) {
        contradict(m);
        return;
    }
    m->ops += (unsigned)keys;
    for (int64_t i = 0; i < keys; i++) {
        struct value key = pop(m);
        mark_key(m, &key);
    }
    int64_t required = pop_number(m);
    if (required < 0 || required > keys) {
        contradict(m);
        return;
    }
    bool all = true;
    for (int64_t i = 0; i < required; i++)
        all &= pop(m).size > 0;
    pop(m); /* one item too many, as OP_CHECKMULTISIG always takes */
    m->run->multisig += all ? (uint32_t)required : 0;
    push_number(m, all);
}

/* OP_IF, OP_NOTIF, OP_ELSE, OP_ENDIF, in parts that are skipped too. */
static void branch(struct machine *m, uint8_t code)
{
    if (code == OP_IF || code == OP_NOTIF) {
        bool skip = false;
        if (!m->skipping) {
            struct value v = pop(m);
            skip = is_true(&v) != (code == OP_IF);
            if (m->in_script && m->run->branches < UNLOCK_BRANCHES_MAX)
                m->run->branch[m->run->branches++] = skip ? '0' : '1';
        }
        if (m->nesting == NESTING_MAX) {
            m->lost = true;
            return;
        }
        m->skipping |= (uint64_t)skip << m->nesting++;
    } else if (m->nesting == 0 || code == OP_VERIF || code == OP_VERNOTIF) {
        contradict(m);
    } else if (code == OP_ELSE) {
        m->skipping ^= (uint64_t)1 << (m->nesting - 1);
    } else {
        m->nesting--;
        m->skipping &= ~((uint64_t)1 << m->nesting);
    }
}

/* What is neither a push nor a branch. */
static void operate(struct machine *m, uint8_t code)
{
    if (move(m, code) || compute(m, code))
        return;
    switch (code) {
    case OP_VERIFY: verify(m); break;
    case OP_EQUAL: equal(m); break;
    case OP_EQUALVERIFY:
        equal(m);
        verify(m);
        break;
    case OP_CHECKSIG: check_signature(m); break;
    case OP_CHECKSIGVERIFY:
        check_signature(m);
        verify(m);
        break;
    case OP_CHECKMULTISIG: check_multisig(m); break;
    case OP_CHECKMULTISIGVERIFY:
        check_multisig(m);
        verify(m);
        break;
    case OP_CHECKLOCKTIMEVERIFY:
    case OP_CHECKSEQUENCEVERIFY: m->run->times += m->in_script; break;
    case OP_NOP:
    case OP_NOP1:
    case OP_CODESEPARATOR: break;
    default:
        if (code >= OP_RIPEMD160 && code <= OP_HASH256)
            hash(m, code);
        else if (code < OP_NOP4 || code > OP_NOP10)
            contradict(m);
        break;
    }
}

static void run_items(struct machine *m, struct pushes *items)
{
    struct push item;
    while (!m->lost && pushes_next(items, &item)) {
        if (item.code > OP_16 && ++m->ops > SCRIPT_OPS_MAX)
            contradict(m);
        else if (item.code >= OP_IF && item.code <= OP_ENDIF)
            branch(m, item.code);
        else if (!m->skipping && item.data)
            push_bytes(m, item.data, item.size);
        else if (!m->skipping)
            operate(m, item.code);
        m->before = item.code;
        m->items += !m->in_script && item.data;
    }
    if (!m->lost && (!pushes_whole(items) || m->nesting > 0))
        contradict(m);
}

void unlock_run(struct pushes shown, const uint8_t *script, size_t size, struct unlock_run *run)
{
    struct machine m;
    struct pushes own = pushes_of_script(script, size);
    memset(run, 0, sizeof *run);
    m.depth = m.alt_depth = 0;
    m.ops = m.hashes = m.items = m.nesting = 0;
    m.skipping = 0;
    m.in_script = m.lost = false;
    m.before = OP_NOP;
    memset(m.opened, 0, sizeof m.opened);
    m.run = run;
    if (size > SCRIPT_SIZE_MAX || cursor_left(&shown.c) > SCRIPT_SIZE_MAX)
        return;
    run_items(&m, &shown);
    m.in_script = true;
    m.ops = 0; /* each script has its own limit */
    m.alt_depth = 0;
    if (!m.lost)
        run_items(&m, &own);
    if (m.lost)
        return;
    struct value top = pop(&m);
    if (!is_true(&top))
        contradict(&m);
    count_preimages(&m);
    run->told = !run->contradicts;
}
