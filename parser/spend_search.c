#include "parser/spend_search.h"

#define OLD_EVERY 4u /* runs */
#define NUMBERS_KEPT 4u
#define FEW_ITEMS 48u /* on the stacks, of most scripts */

/* All items alike. */
static void set_all(struct spend *spend, int64_t number)
{
    uint8_t bytes[9];
    size_t size = script_number_write(number, bytes);
    for (unsigned i = 0; i < SPEND_ITEMS; i++) {
        spend->items[i].data = NULL;
        spend->items[i].size = (uint16_t)size;
        memcpy(spend->items[i].made, bytes, size);
    }
    spend->count = 0;
}

/* An operation that runs whatever is shown, and always fails here. `last`: nothing comes after it. */
static bool asks_for_more(uint8_t code, bool last)
{
    return code == OP_RETURN || code == OP_CHECKLOCKTIMEVERIFY || code == OP_CHECKSIGVERIFY ||
           (code == OP_CHECKSIG && last);
}

/* A hash of what is shown, a push, and that they be equal, at the beginning. */
static bool asks_for_preimage(struct cursor c)
{
    struct op op;
    const uint8_t *at = c.at;
    if (cursor_left(&c) > 0 && *at == OP_DUP)
        cursor_take(&c, 1);
    if (!op_next(&c, &op) || op.code < OP_RIPEMD160 || op.code > OP_HASH256 || !op_next(&c, &op) || !op.data ||
        !op_next(&c, &op))
        return false;
    return op.code == OP_EQUALVERIFY || (op.code == OP_EQUAL && cursor_left(&c) == 0);
}

/* False for what fails here whatever is shown, as far as one pass tells: most of the scripts of a chain that not
 * everyone can spend. */
static bool may_end_well(const uint8_t *script, size_t size)
{
    struct cursor c = cursor_over(script, size);
    struct op op;
    size_t ops = 0, nesting = 0;
    if (asks_for_preimage(c))
        return false;
    while (op_next(&c, &op)) {
        ops += op.code > OP_16;
        if (op_is_always_invalid(op.code) || op.size > SCRIPT_PUSH_MAX || ops > SCRIPT_OPS_MAX ||
            (nesting == 0 && asks_for_more(op.code, cursor_left(&c) == 0)))
            return false;
        if (op.code == OP_IF || op.code == OP_NOTIF)
            nesting++;
        else if (op.code == OP_ELSE || op.code == OP_ENDIF) {
            if (nesting == 0)
                return false;
            nesting -= op.code == OP_ENDIF;
        }
    }
    return nesting == 0 && cursor_ok(&c);
}

/* Has it an operation that gives one of two numbers, or asks for a range? Few scripts do, and what spends them is
 * sought for longer. */
static bool has_choice(const uint8_t *script, size_t size)
{
    struct cursor c = cursor_over(script, size);
    struct op op;
    while (op_next(&c, &op))
        if (op.code == OP_ABS || (op.code >= OP_MIN && op.code <= OP_WITHIN))
            return true;
    return false;
}

/* The first bytes of the shortest push, which the data follow if `*follows`; returns how many, at most 3. */
static size_t write_head(const uint8_t *data, size_t size, uint8_t out[3], bool *follows)
{
    size_t at = 0;
    *follows = false;
    if (size == 1 && data[0] >= 1 && data[0] <= OP_16 - OP_1 + 1) {
        out[0] = (uint8_t)(OP_1 - 1 + data[0]);
        return 1;
    }
    if (size == 1 && data[0] == 0x81) {
        out[0] = OP_1NEGATE;
        return 1;
    }
    *follows = true;
    if (size > UINT8_MAX)
        out[at++] = OP_PUSHDATA2;
    else if (size >= OP_PUSHDATA1)
        out[at++] = OP_PUSHDATA1;
    out[at++] = (uint8_t)size;
    if (size > UINT8_MAX)
        out[at++] = (uint8_t)(size >> 8);
    return at;
}

/* The deepest item first; false where they are more than a scriptSig may have. */
static bool write_spend(const struct spend *spend, uint8_t out[SCRIPT_SIZE_MAX], size_t *size)
{
    *size = 0;
    for (size_t i = spend->count; i-- > 0;) {
        const struct spend_item *item = spend_item(spend, i);
        const uint8_t *data = item->data ? item->data : item->made;
        uint8_t head[3];
        bool follows;
        size_t head_size = write_head(data, item->size, head, &follows);
        size_t data_size = follows ? item->size : 0;
        if (head_size + data_size > SCRIPT_SIZE_MAX - *size)
            return false;
        memcpy(out + *size, head, head_size);
        memcpy(out + *size + head_size, data, data_size);
        *size += head_size + data_size;
    }
    return true;
}

/* The last idea is about what stopped a run, so it is the best; but one may lead to the next without an end, and so the
 * oldest gets its turn too. */
static struct spend next(struct spend_notes *notes, bool oldest)
{
    size_t at = oldest ? notes->first : (notes->first + notes->count - 1) % SPEND_PENDING;
    if (oldest)
        notes->first = (notes->first + 1) % SPEND_PENDING;
    notes->count--;
    return notes->pending[at];
}

/* Two runs, the second with just the items that the first took. */
static bool try(struct spend_ideas *ideas, struct spend *spend, uint8_t out[SCRIPT_SIZE_MAX], size_t *out_size)
{
    struct spend_notes *notes = ideas->notes;
    if (!spend_run(ideas, spend, false))
        return false;
    ideas->notes = NULL;
    bool spends = spend_run(ideas, spend, true) && write_spend(spend, out, out_size);
    ideas->notes = notes;
    return spends;
}

/* Tries items that are all alike: the last numbers that the script pushes, and those beside them. */
static __attribute__((noinline)) bool try_numbers(struct spend_ideas *ideas, uint8_t out[SCRIPT_SIZE_MAX],
                                                  size_t *out_size)
{
    struct pushes own = pushes_of_script(ideas->script, ideas->size);
    struct push item;
    int64_t numbers[NUMBERS_KEPT];
    size_t count = 0;
    struct spend spend;
    while (pushes_next(&own, &item))
        if (item.data && item.size < SCRIPT_NUMBER_SIZE_MAX)
            numbers[count++ % NUMBERS_KEPT] = script_number_read(item.data, item.size);
    for (size_t i = 0; i < NUMBERS_KEPT && i < count; i++)
        for (int64_t by = -1; by <= 1 && ideas->work < ideas->work_most; by++) {
            set_all(&spend, numbers[i] + by);
            if (try(ideas, &spend, out, out_size))
                return true;
        }
    return false;
}

/* Tries what is noted until something spends. In a frame of its own, which is large and seldom needed. */
static __attribute__((noinline)) bool try_ideas(struct spend_ideas *ideas, uint8_t out[SCRIPT_SIZE_MAX],
                                                size_t *out_size)
{
    struct spend_notes notes;
    struct spend spend;
    notes.first = notes.count = 0;
    memset(notes.seen, 0, sizeof notes.seen);
    ideas->notes = &notes; /* cppcheck-suppress autoVariables ; it is not read after this function */
    ideas->work = 0;
    for (int64_t one = 0; one <= 1; one++) {
        set_all(&spend, one);
        spend_note(ideas, &spend);
    }
    for (unsigned runs = 0; notes.count > 0 && runs < ideas->runs_most && ideas->work < ideas->work_most; runs++) {
        spend = next(&notes, runs % OLD_EVERY == OLD_EVERY - 1);
        if (try(ideas, &spend, out, out_size))
            return true;
    }
    return false;
}

/* Likewise, with room for stacks of any depth. */
static __attribute__((noinline)) bool try_at_large(struct spend_ideas *ideas, uint8_t out[SCRIPT_SIZE_MAX],
                                                   size_t *out_size)
{
    struct spend_value items[STACK_ITEMS_MAX];
    ideas->items = items;
    ideas->room = STACK_ITEMS_MAX;
    return try_ideas(ideas, out, out_size);
}

bool spend_search(const uint8_t *script, size_t size, uint8_t out[SCRIPT_SIZE_MAX], size_t *out_size)
{
    struct spend_value items[FEW_ITEMS];
    struct spend_ideas ideas;
    struct spend spend;
    if (size > SCRIPT_SIZE_MAX || !may_end_well(script, size))
        return false;
    ideas.script = script;
    ideas.size = size;
    ideas.notes = NULL;
    ideas.work = 0;
    ideas.items = items;
    ideas.room = FEW_ITEMS;
    ideas.cramped = false;
    bool chooses = has_choice(script, size);
    ideas.runs_most = chooses ? SPEND_RUNS_OF_CHOICE : SPEND_RUNS_MAX;
    ideas.work_most = (chooses ? SPEND_WORK_OF_CHOICE : 0) + SPEND_WORK(size);
    set_all(&spend, 1);
    return try(&ideas, &spend, out, out_size) || (chooses && try_numbers(&ideas, out, out_size)) ||
           try_ideas(&ideas, out, out_size) || (ideas.cramped && try_at_large(&ideas, out, out_size));
}
