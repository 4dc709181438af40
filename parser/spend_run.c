/* The run of spend_search.h: Core's EvalScript with the flags of today (DERSIG, NULLDUMMY, CHECKLOCKTIMEVERIFY,
 * CHECKSEQUENCEVERIFY), except that what asks for a signature, a preimage or a time fails. Those rules came in as soft
 * forks, so what they let pass was valid before too. What only nodes ask that relay (MINIMALDATA, CLEANSTACK,
 * NULLFAIL and the like) is not asked. */
#include "parser/multisig.h"
#include "parser/spend_search.h"

#define NESTING_NONE SIZE_MAX
#define NUMBERS_TRIED 4 /* of places for OP_PICK and OP_ROLL, and of keys */
#define SEQUENCE_DISABLED ((int64_t)1 << 31)
#define SEQUENCE_SIZE_MAX 5u
#define WORK_SHARE 8u /* bytes hashed, or items moved, for one step */

struct machine {
    struct spend_value *items; /* the stack from the front, the other stack from the back */
    size_t room;               /* for both */
    size_t depth;
    size_t alt_depth;
    size_t taken; /* of the items shown; the others are still below the stack */
    size_t count; /* of items shown */
    size_t most;  /* that there were at the same time on both stacks */
    bool fixed;   /* `count` may not grow any more */
    bool failed;
    bool preimage; /* of a hash in the script was shown: it goes on, for its ideas, and fails at the end */
    size_t ops;
    size_t nesting;
    size_t untaken; /* the outermost open OP_IF that is in the part not taken; NESTING_NONE */
    struct spend *spend;
    struct spend_ideas *ideas;
};

/* ---- the stack ---- */

static void depends_on(struct spend_value *v, unsigned variable)
{
    v->times[variable] = 1;
    v->variables |= (uint64_t)1 << variable;
}

/* False, and the run fails, where so many more items have no room. */
static bool fits(struct machine *m, size_t more)
{
    if (m->depth + m->alt_depth + more <= m->room)
        return true;
    m->ideas->cramped |= m->room < STACK_ITEMS_MAX;
    m->failed = true;
    return false;
}

static void push(struct machine *m, const struct spend_value *v)
{
    if (fits(m, 1))
        m->items[m->depth++] = *v;
}

/* The next of the items that are shown. */
static struct spend_value take(struct machine *m)
{
    struct spend_value v = spend_blank();
    if (m->taken == m->count) {
        if (m->fixed)
            spend_idea_count(m->ideas, m->count + 1);
        m->failed |= m->fixed || m->most == STACK_ITEMS_MAX;
        m->count++;
        m->most++;
    }
    const struct spend_item *item = spend_item(m->spend, m->taken++);
    v.shown = true;
    v.item = (uint8_t)(item - m->spend->items);
    v.size = item->size;
    v.data = item->data;
    memcpy(v.made, item->made, sizeof v.made);
    depends_on(&v, SPEND_VALUE + v.item);
    return v;
}

static struct spend_value pop(struct machine *m) { return m->depth > 0 ? m->items[--m->depth] : take(m); }

/* So many items at least are on the stack itself, not below it. */
static void reach(struct machine *m, size_t depth)
{
    size_t missing = depth > m->depth ? depth - m->depth : 0;
    if (missing == 0 || !fits(m, missing))
        return;
    memmove(m->items + missing, m->items, m->depth * sizeof *m->items);
    m->ideas->work += depth;
    m->depth += missing;
    for (size_t i = missing; i-- > 0;)
        m->items[i] = take(m);
}

/* Both stacks may have 1,000 items after each operation. */
static void measure(struct machine *m)
{
    size_t size = m->count - m->taken + m->depth + m->alt_depth;
    if (m->most < size)
        m->most = size;
    m->failed |= m->most > STACK_ITEMS_MAX;
}

static bool is_true(const struct spend_value *v) { return script_is_true(spend_bytes(v), v->size); }

static void push_number(struct machine *m, int64_t number, bool shown)
{
    struct spend_value v = spend_blank();
    uint8_t bytes[9];
    v.size = (uint16_t)script_number_write(number, bytes);
    memcpy(v.made, bytes, v.size);
    v.shown = shown;
    push(m, &v);
}

static int64_t number_of(struct machine *m, const struct spend_value *v)
{
    if (v->size <= SCRIPT_NUMBER_SIZE_MAX)
        return script_number_read(spend_bytes(v), v->size);
    spend_idea_bytes(m->ideas, v->item, spend_ones, 1);
    m->failed = true;
    return 0;
}

static void verify(struct machine *m)
{
    struct spend_value v = pop(m);
    if (m->failed || is_true(&v))
        return;
    spend_idea_truth(m->ideas, &v, true);
    m->failed = true;
}

/* ---- operations that move items ---- */

static bool shuffle(struct machine *m, uint8_t code)
{
    struct spend_value taken[SHUFFLE_TAKES_MAX];
    size_t takes;
    const char *leaves = script_shuffle(code, &takes);
    if (!leaves)
        return false;
    for (size_t i = takes; i-- > 0;)
        taken[i] = pop(m);
    for (const char *p = leaves; *p; p++)
        push(m, &taken[*p - 'a']);
    return true;
}

static void pick_or_roll(struct machine *m, bool roll)
{
    struct spend_value place = pop(m);
    int64_t n = number_of(m, &place);
    for (int64_t other = NUMBERS_TRIED; other-- > 0;)
        spend_idea_number(m->ideas, &place, other);
    if (m->failed || n < 0 || n >= STACK_ITEMS_MAX) {
        m->failed = true;
        return;
    }
    reach(m, (size_t)n + 1);
    if (m->failed)
        return;
    size_t at = m->depth - 1 - (size_t)n;
    struct spend_value v = m->items[at];
    if (roll) {
        memmove(&m->items[at], &m->items[at + 1], (m->depth - 1 - at) * sizeof *m->items);
        m->ideas->work += (size_t)n / WORK_SHARE;
        m->depth--;
    }
    push(m, &v);
}

static void to_other_stack(struct machine *m)
{
    struct spend_value v = pop(m);
    if (fits(m, 1))
        m->items[m->room - ++m->alt_depth] = v;
}

static void from_other_stack(struct machine *m)
{
    if (m->alt_depth == 0) {
        m->failed = true;
        return;
    }
    struct spend_value v = m->items[m->room - m->alt_depth--];
    push(m, &v);
}

static void push_depth(struct machine *m)
{
    push_number(m, (int64_t)(m->count - m->taken + m->depth), true);
    m->fixed = true;
    if (!m->failed)
        depends_on(&m->items[m->depth - 1], SPEND_COUNT);
}

static void push_size(struct machine *m)
{
    struct spend_value v = pop(m);
    push(m, &v);
    if (v.item == SPEND_NO_ITEM)
        spend_idea_sizes(m->ideas, &v);
    push_number(m, v.size, v.shown);
    if (!m->failed && v.item != SPEND_NO_ITEM)
        depends_on(&m->items[m->depth - 1], SPEND_SIZE + v.item);
}

static void dup_if_true(struct machine *m)
{
    struct spend_value v = pop(m);
    push(m, &v);
    spend_idea_truth(m->ideas, &v, !is_true(&v));
    if (is_true(&v))
        push(m, &v);
}

static bool move(struct machine *m, uint8_t code)
{
    switch (code) {
    case OP_TOALTSTACK: to_other_stack(m); return true;
    case OP_FROMALTSTACK: from_other_stack(m); return true;
    case OP_IFDUP: dup_if_true(m); return true;
    case OP_DEPTH: push_depth(m); return true;
    case OP_SIZE: push_size(m); return true;
    case OP_PICK:
    case OP_ROLL: pick_or_roll(m, code == OP_ROLL); return true;
    default: return shuffle(m, code);
    }
}

/* ---- bytes ---- */

static void equal(struct machine *m, bool verified)
{
    struct spend_value b = pop(m), a = pop(m);
    bool same = a.size == b.size && memcmp(spend_bytes(&a), spend_bytes(&b), a.size) == 0;
    if (m->failed)
        return;
    if (same) {
        if (!verified)
            spend_idea_unequal(m->ideas, &a, &b);
        spend_keep(m->ideas, &a, &b);
    } else {
        spend_idea_equal(m->ideas, &a, &b);
    }
    push_number(m, same, a.shown || b.shown);
}

static void hash(struct machine *m, uint8_t code)
{
    struct spend_value v = pop(m), made = spend_blank();
    if (m->failed)
        return;
    m->ideas->work += WORK_SHARE + v.size / WORK_SHARE;
    made.size = (uint16_t)hash_by(code, spend_bytes(&v), v.size, made.made);
    made.hash = code;
    made.hash_item = v.item;
    made.hashed = v.asked ? v.data : NULL;
    made.hashed_size = v.size;
    made.shown = v.shown;
    made.is_sum = false;
    push(m, &made);
    m->preimage |= v.shown && spend_is_preimage(m->ideas, &v, &made);
}

/* ---- numbers ---- */

/* What was pushed last is the sum of both, or with `sign` -1 the difference. */
static void follow_sum(struct machine *m, const struct spend_value *a, const struct spend_value *b, int sign)
{
    struct spend_value *made = &m->items[m->depth - 1];
    made->is_sum = a->is_sum && b->is_sum;
    made->variables = a->variables | b->variables;
    for (uint64_t left = made->variables; left; left &= left - 1) {
        unsigned v = (unsigned)__builtin_ctzll(left);
        int times = spend_times(a, v) + sign * spend_times(b, v);
        made->is_sum &= times < INT16_MAX && times > -INT16_MAX;
        made->times[v] = (int16_t)times;
    }
}

static bool compute_one(struct machine *m, uint8_t code)
{
    int64_t result;
    if (!script_number_of_one(code, 0, &result))
        return false;
    struct spend_value v = pop(m);
    int64_t x = number_of(m, &v);
    script_number_of_one(code, x, &result);
    if (code == OP_NOT || code == OP_0NOTEQUAL)
        spend_idea_number(m->ideas, &v, x == 0);
    else if (code == OP_ABS)
        spend_idea_number(m->ideas, &v, x < 0 ? 1 : -1);
    push_number(m, result, v.shown);
    const struct spend_value none = spend_blank();
    if (!m->failed && code != OP_NOT && code != OP_0NOTEQUAL)
        follow_sum(m, &none, &v, code == OP_NEGATE || (code == OP_ABS && x < 0) ? -1 : 1);
    return true;
}

static bool compute_two(struct machine *m, uint8_t code)
{
    int64_t result;
    if (!script_number_of_two(code, 0, 0, &result))
        return false;
    struct spend_value b = pop(m), a = pop(m), zero = spend_blank();
    int64_t y = number_of(m, &b), x = number_of(m, &a);
    if (m->failed)
        return true;
    script_number_of_two(code, x, y, &result);
    spend_idea_result(m->ideas, code, &a, &b);
    if (x == y && (code == OP_NUMEQUAL || code == OP_NUMEQUALVERIFY))
        spend_keep(m->ideas, &a, &b);
    push_number(m, result, a.shown || b.shown);
    if (m->failed)
        return true;
    if (code == OP_ADD || code == OP_SUB)
        follow_sum(m, &a, &b, code == OP_ADD ? 1 : -1);
    else if (code == OP_MIN || code == OP_MAX)
        follow_sum(m, result == x ? &a : &b, &zero, 1);
    if (code == OP_NUMEQUALVERIFY)
        verify(m);
    return true;
}

static void within(struct machine *m)
{
    struct spend_value high = pop(m), low = pop(m), v = pop(m);
    int64_t end = number_of(m, &high), start = number_of(m, &low), x = number_of(m, &v);
    bool inside = start <= x && x < end;
    spend_idea_difference(m->ideas, &high, &v, inside ? 0 : 1);
    spend_idea_difference(m->ideas, &v, &low, inside ? -1 : 0);
    push_number(m, inside, high.shown || low.shown || v.shown);
}

/* ---- signatures and time ---- */

/* None is shown: it is empty, and so the result is false. */
static void no_signature(struct machine *m)
{
    struct spend_value signature = pop(m);
    if (signature.size == 0)
        return;
    spend_idea_truth(m->ideas, &signature, false);
    m->failed = true;
}

static void check_signature(struct machine *m)
{
    pop(m); /* the key, of any bytes */
    no_signature(m);
    push_number(m, 0, false);
}

static void check_multisig(struct machine *m)
{
    struct spend_value of_keys = pop(m);
    int64_t keys = number_of(m, &of_keys);
    for (int64_t other = NUMBERS_TRIED; other-- > 0;)
        spend_idea_number(m->ideas, &of_keys, other);
    m->failed |= keys < 0 || keys > MULTISIG_KEYS_MAX;
    if (m->failed)
        return;
    m->ops += (size_t)keys;
    m->failed |= m->ops > SCRIPT_OPS_MAX;
    for (int64_t i = 0; i < keys; i++)
        pop(m);
    struct spend_value of_signatures = pop(m);
    int64_t signatures = number_of(m, &of_signatures);
    spend_idea_number(m->ideas, &of_signatures, signatures == 0);
    m->failed |= signatures < 0 || signatures > keys;
    for (int64_t i = 0; !m->failed && i < signatures; i++)
        no_signature(m);
    no_signature(m); /* one item too many, empty since BIP 147 */
    push_number(m, signatures == 0, false);
}

/* OP_CHECKSEQUENCEVERIFY asks for nothing where its number has this bit. */
static void check_sequence(struct machine *m)
{
    struct spend_value v = pop(m);
    int64_t sequence = v.size <= SEQUENCE_SIZE_MAX ? script_number_read(spend_bytes(&v), v.size) : 0;
    m->failed |= sequence < 0 || !(sequence & SEQUENCE_DISABLED);
    push(m, &v);
}

/* ---- the run ---- */

static void branch(struct machine *m, uint8_t code)
{
    if (code == OP_IF || code == OP_NOTIF) {
        if (m->untaken == NESTING_NONE) {
            struct spend_value v = pop(m);
            spend_idea_truth(m->ideas, &v, !is_true(&v));
            if (is_true(&v) != (code == OP_IF))
                m->untaken = m->nesting;
        }
        m->nesting++;
    } else if (m->nesting == 0) {
        m->failed = true;
    } else if (code == OP_ELSE) {
        if (m->untaken == NESTING_NONE)
            m->untaken = m->nesting - 1;
        else if (m->untaken == m->nesting - 1)
            m->untaken = NESTING_NONE;
    } else if (m->untaken == --m->nesting) {
        m->untaken = NESTING_NONE;
    }
}

static void operate(struct machine *m, uint8_t code)
{
    if (move(m, code) || compute_one(m, code) || compute_two(m, code))
        return;
    switch (code) {
    case OP_WITHIN: within(m); break;
    case OP_VERIFY: verify(m); break;
    case OP_EQUAL: equal(m, false); break;
    case OP_EQUALVERIFY:
        equal(m, true);
        verify(m);
        break;
    case OP_CHECKSIG: check_signature(m); break;
    case OP_CHECKMULTISIG: check_multisig(m); break;
    case OP_CHECKMULTISIGVERIFY:
        check_multisig(m);
        verify(m);
        break;
    case OP_CHECKSEQUENCEVERIFY: check_sequence(m); break;
    case OP_NOP:
    case OP_NOP1:
    case OP_CODESEPARATOR: break;
    default:
        if (code >= OP_RIPEMD160 && code <= OP_HASH256)
            hash(m, code);
        else
            m->failed |= code < OP_NOP4 || code > OP_NOP10;
        break;
    }
}

static void step(struct machine *m, const struct push *item)
{
    m->ideas->work++;
    if (item->code > OP_16)
        m->ops++;
    if (op_is_always_invalid(item->code) || item->size > SCRIPT_PUSH_MAX || m->ops > SCRIPT_OPS_MAX) {
        m->failed = true;
    } else if (item->code >= OP_IF && item->code <= OP_ENDIF) {
        branch(m, item->code);
    } else if (m->untaken != NESTING_NONE) {
        return;
    } else if (item->data) {
        struct spend_value v = spend_blank();
        v.data = item->data;
        v.size = (uint16_t)item->size;
        v.asked = true;
        push(m, &v);
    } else {
        operate(m, item->code);
    }
    measure(m);
}

bool spend_run(struct spend_ideas *ideas, struct spend *spend, bool whole)
{
    struct machine m;
    struct pushes own = pushes_of_script(ideas->script, ideas->size);
    struct push item;
    m.depth = m.alt_depth = m.taken = m.ops = m.nesting = 0;
    m.count = m.most = spend->count;
    m.fixed = whole;
    m.failed = m.preimage = false;
    m.items = ideas->items;
    m.room = ideas->room;
    m.untaken = NESTING_NONE;
    m.spend = spend;
    m.ideas = ideas;
    ideas->running = spend;
    ideas->kept_count = 0;
    while (!m.failed && pushes_next(&own, &item))
        step(&m, &item);
    if (m.failed || !pushes_whole(&own) || m.nesting > 0)
        return false;
    struct spend_value top = pop(&m);
    if (!m.failed && !is_true(&top))
        spend_idea_truth(ideas, &top, true);
    spend->count = (uint16_t)m.count;
    return !m.failed && !m.preimage && is_true(&top);
}
