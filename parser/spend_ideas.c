/* What to show instead, so that a run goes otherwise. An idea may be wrong: the run that tries it tells. */
#define _GNU_SOURCE /* memmem */
#include "parser/spend_search.h"

#define TIMES_MAX 1000000 /* of a kept equation; far from where products of two run over */
#define WORK_OF_NOTE 8u
#define SEEK_SHARE 64u /* bytes of the script looked through for one step */
#define SINGLES_MAX 4u /* ideas of one equation that change one variable */

#define ONES_8 1, 1, 1, 1, 1, 1, 1, 1
#define ONES_64 ONES_8, ONES_8, ONES_8, ONES_8, ONES_8, ONES_8, ONES_8, ONES_8
const uint8_t spend_ones[SCRIPT_PUSH_MAX] = {ONES_64, ONES_64, ONES_64, ONES_64, ONES_64,
                                             ONES_64, ONES_64, ONES_64, ONES_8};

/* The steps of FNV-1a, but of 8 bytes at once. */
static uint64_t mix(uint64_t hash, uint64_t number)
{
    hash = (hash ^ number) * 0x100000001b3u;
    return hash ^ hash >> 29;
}

static uint64_t hash_item(uint64_t hash, const struct spend_item *item)
{
    const uint8_t *data = item->data ? item->data : item->made;
    hash = mix(hash, item->size);
    for (size_t at = 0; at < item->size; at += 8) {
        uint64_t part = 0;
        memcpy(&part, data + at, item->size - at < 8 ? item->size - at : 8);
        hash = mix(hash, part);
    }
    return hash;
}

/* Over what tells spends apart. Two of one hash would only mean that the second is not tried. */
static uint64_t hash_spend(const struct spend *spend)
{
    uint64_t hash = mix(0xcbf29ce484222325u, spend->count);
    for (unsigned i = 0; i < SPEND_ITEMS; i++)
        hash = hash_item(hash, &spend->items[i]);
    return hash | 1;
}

/* True the first time. Where the table is full, a spend is taken for seen. */
static bool see(struct spend_notes *notes, uint64_t hash)
{
    for (size_t i = 0; i < 8; i++) {
        uint64_t *slot = &notes->seen[(hash + i) % SPEND_SEEN];
        if (*slot == hash)
            return false;
        if (*slot == 0) {
            *slot = hash;
            return true;
        }
    }
    return false;
}

void spend_note(struct spend_ideas *ideas, const struct spend *spend)
{
    struct spend_notes *notes = ideas->notes;
    ideas->work += WORK_OF_NOTE;
    if (!notes || !see(notes, hash_spend(spend)))
        return;
    if (notes->count == SPEND_PENDING) {
        notes->first = (notes->first + 1) % SPEND_PENDING;
        notes->count--;
    }
    notes->pending[(notes->first + notes->count++) % SPEND_PENDING] = *spend;
}

void spend_idea_count(struct spend_ideas *ideas, size_t count)
{
    if (count > STACK_ITEMS_MAX || !ideas->notes)
        return;
    struct spend spend = *ideas->running;
    spend.count = (uint16_t)count;
    spend_note(ideas, &spend);
}

static void set_bytes(struct spend_ideas *ideas, struct spend *spend, unsigned item, const uint8_t *data, size_t size)
{
    struct spend_item *to = &spend->items[item];
    bool in_script = data >= ideas->script && data < ideas->script + ideas->size;
    to->size = (uint16_t)size;
    to->data = in_script || size > sizeof to->made ? data : NULL;
    if (!to->data)
        memcpy(to->made, data, size);
}

void spend_idea_bytes(struct spend_ideas *ideas, unsigned item, const uint8_t *data, size_t size)
{
    if (item == SPEND_NO_ITEM || size > SCRIPT_PUSH_MAX || !ideas->notes)
        return;
    struct spend spend = *ideas->running;
    set_bytes(ideas, &spend, item, data, size);
    spend_note(ideas, &spend);
}

/* ---- equations ---- */

static unsigned first_of(uint64_t set) { return (unsigned)__builtin_ctzll(set); }
static unsigned last_of(uint64_t set) { return 63 - (unsigned)__builtin_clzll(set); }

static int64_t clamp(int64_t number, int64_t low, int64_t high)
{
    return number < low ? low : number > high ? high : number;
}

/* The number as an item, as short as can be, or in `size` bytes if that is longer: true then. */
static bool set_number(struct spend_ideas *ideas, struct spend *spend, unsigned item, int64_t number, size_t size)
{
    uint8_t bytes[9];
    size_t shortest = script_number_write(clamp(number, -SCRIPT_NUMBER_MAX, SCRIPT_NUMBER_MAX), bytes);
    if (size > SCRIPT_NUMBER_SIZE_MAX || size < shortest)
        size = shortest;
    if (size > shortest) {
        memset(bytes + shortest, 0, size - shortest);
        if (shortest > 0 && bytes[shortest - 1] & 0x80) {
            bytes[shortest - 1] &= 0x7f;
            bytes[size - 1] |= 0x80;
        }
    }
    set_bytes(ideas, spend, item, bytes, size);
    return size > shortest;
}

/* True if it made a number longer than need be, to keep its size. */
static bool change(struct spend_ideas *ideas, struct spend *spend, unsigned variable, int64_t by, bool same_size)
{
    if (variable == SPEND_COUNT) {
        spend->count = (uint16_t)clamp(spend->count + by, 0, STACK_ITEMS_MAX);
    } else if (variable < SPEND_SIZE) {
        const struct spend_item *item = &spend->items[variable - SPEND_VALUE];
        const uint8_t *data = item->data ? item->data : item->made;
        int64_t number = item->size <= SCRIPT_NUMBER_SIZE_MAX ? script_number_read(data, item->size) : 0;
        return set_number(ideas, spend, variable - SPEND_VALUE, number + by, same_size ? item->size : 0);
    } else {
        const struct spend_item *item = &spend->items[variable - SPEND_SIZE];
        size_t size = (size_t)clamp(item->size + by, 0, SCRIPT_PUSH_MAX);
        set_bytes(ideas, spend, variable - SPEND_SIZE, spend_ones, size);
    }
    return false;
}

static void note_change(struct spend_ideas *ideas, const struct spend_terms *by)
{
    bool longer = true;
    for (int same_size = 1; longer && same_size >= 0; same_size--) {
        struct spend spend = *ideas->running;
        longer = false;
        for (uint64_t left = by->variables; left; left &= left - 1)
            longer |= change(ideas, &spend, first_of(left), by->of[first_of(left)], same_size);
        spend_note(ideas, &spend);
    }
}

static int64_t term(const struct spend_terms *terms, unsigned variable)
{
    return terms->variables >> variable & 1 ? terms->of[variable] : 0;
}

/* Takes multiples of the kept equations from it, so that no pivot is left; false where the numbers get too large. */
static bool reduce(struct spend_ideas *ideas, struct spend_equation *equation)
{
    for (size_t k = 0; k < ideas->kept_count; k++) {
        const struct spend_equation *kept = &ideas->kept[k];
        int64_t p = term(&kept->times, kept->pivot), q = term(&equation->times, kept->pivot);
        if (q == 0)
            continue;
        if (equation->sum > INT32_MAX || equation->sum < INT32_MIN)
            return false;
        equation->sum *= p;
        uint64_t variables = 0;
        for (uint64_t left = equation->times.variables | kept->times.variables; left; left &= left - 1) {
            unsigned v = first_of(left);
            int64_t times = term(&equation->times, v) * p - term(&kept->times, v) * q;
            if (times > TIMES_MAX || times < -TIMES_MAX)
                return false;
            equation->times.of[v] = times;
            variables |= (uint64_t)(times != 0) << v;
        }
        equation->times.variables = variables;
        ideas->work++;
    }
    return true;
}

/* Changes that leave the kept equations as they are; false where some number is no whole one. An equation has no pivot
 * of one that was kept before it, so the last comes first. */
static bool follow(struct spend_ideas *ideas, struct spend_terms *by)
{
    for (size_t k = ideas->kept_count; k-- > 0;) {
        const struct spend_equation *kept = &ideas->kept[k];
        int64_t sum = 0, p = term(&kept->times, kept->pivot);
        for (uint64_t left = kept->times.variables & by->variables; left; left &= left - 1) {
            unsigned v = first_of(left);
            if (by->of[v] > INT32_MAX || by->of[v] < INT32_MIN)
                return false;
            sum += kept->times.of[v] * by->of[v];
        }
        if (sum % p != 0)
            return false;
        by->of[kept->pivot] = -sum / p;
        by->variables |= (uint64_t)(sum != 0) << kept->pivot;
        ideas->work++;
    }
    return true;
}

/* Ideas that make the equation true by a change of one variable, and of what follows from it if `keeping`. */
static void solve(struct spend_ideas *ideas, const struct spend_equation *equation, bool keeping)
{
    unsigned noted = 0;
    for (uint64_t left = equation->times.variables; left && noted < SINGLES_MAX;) {
        unsigned v = last_of(left);
        struct spend_terms by;
        left ^= (uint64_t)1 << v;
        if (equation->sum % equation->times.of[v] != 0)
            continue;
        by.variables = (uint64_t)1 << v;
        by.of[v] = equation->sum / equation->times.of[v];
        if (keeping && !follow(ideas, &by))
            continue;
        note_change(ideas, &by);
        noted++;
    }
}

static int64_t number_of(const struct spend_value *v)
{
    return v->size < 8 ? script_number_read(spend_bytes(v), v->size) : 0;
}

/* False where nothing that is shown would change it. */
static bool set_up(const struct spend_value *a, const struct spend_value *b, struct spend_equation *equation)
{
    equation->times.variables = 0;
    if (!a->is_sum || !b->is_sum)
        return false;
    for (uint64_t left = a->variables | b->variables; left; left &= left - 1) {
        unsigned v = first_of(left);
        equation->times.of[v] = (int64_t)spend_times(a, v) - spend_times(b, v);
        equation->times.variables |= (uint64_t)(equation->times.of[v] != 0) << v;
    }
    return equation->times.variables != 0;
}

void spend_idea_difference(struct spend_ideas *ideas, const struct spend_value *a, const struct spend_value *b,
                           int64_t difference)
{
    struct spend_equation equation;
    if (!ideas->notes || !set_up(a, b, &equation))
        return;
    ideas->work++;
    equation.sum = difference - (number_of(a) - number_of(b));
    if (equation.sum == 0)
        return;
    solve(ideas, &equation, false);
    if (ideas->kept_count > 0 && reduce(ideas, &equation))
        solve(ideas, &equation, true);
}

void spend_idea_number(struct spend_ideas *ideas, const struct spend_value *v, int64_t number)
{
    const struct spend_value zero = spend_blank();
    spend_idea_difference(ideas, v, &zero, number);
}

void spend_idea_other(struct spend_ideas *ideas, const struct spend_value *a, const struct spend_value *b)
{
    struct spend_equation equation;
    if (!ideas->notes || !set_up(a, b, &equation))
        return;
    for (uint64_t left = equation.times.variables; left; left ^= (uint64_t)1 << last_of(left))
        for (int64_t step = -1; step <= 1; step += 2) {
            struct spend_terms by;
            by.variables = (uint64_t)1 << last_of(left);
            by.of[last_of(left)] = step;
            note_change(ideas, &by);
        }
}

void spend_keep(struct spend_ideas *ideas, const struct spend_value *a, const struct spend_value *b)
{
    struct spend_equation *equation = &ideas->kept[ideas->kept_count];
    if (!ideas->notes || ideas->kept_count == SPEND_KEPT || !set_up(a, b, equation))
        return;
    equation->sum = 0;
    if (!reduce(ideas, equation))
        return;
    int64_t smallest = INT64_MAX;
    for (uint64_t left = equation->times.variables; left; left &= left - 1) {
        unsigned v = first_of(left);
        int64_t times = equation->times.of[v] < 0 ? -equation->times.of[v] : equation->times.of[v];
        if (times >= smallest)
            continue;
        smallest = times;
        equation->pivot = v;
    }
    ideas->kept_count += smallest != INT64_MAX;
}

/* ---- results ---- */

/* `code` is a comparison that the difference alone decides. */
static void change_order(struct spend_ideas *ideas, uint8_t code, const struct spend_value *a,
                         const struct spend_value *b)
{
    static const int64_t differences[] = {-2, 2, -1, 1, 0};
    int64_t now = 0, then = 0;
    script_number_of_two(code, number_of(a), number_of(b), &now);
    for (size_t i = 0; i < sizeof differences / sizeof *differences; i++) {
        script_number_of_two(code, differences[i], 0, &then);
        if (now != then)
            spend_idea_difference(ideas, a, b, differences[i]);
    }
}

void spend_idea_result(struct spend_ideas *ideas, uint8_t code, const struct spend_value *a,
                       const struct spend_value *b)
{
    bool verified = code == OP_NUMEQUALVERIFY && number_of(a) == number_of(b);
    if (code == OP_BOOLAND || code == OP_BOOLOR) {
        spend_idea_number(ideas, a, number_of(a) == 0);
        spend_idea_number(ideas, b, number_of(b) == 0);
    } else if (code == OP_MIN || code == OP_MAX) {
        change_order(ideas, OP_LESSTHAN, a, b);
    } else if (code != OP_ADD && code != OP_SUB && !verified) {
        change_order(ideas, code, a, b);
    }
}

void spend_idea_sizes(struct spend_ideas *ideas, const struct spend_value *v)
{
    static const int64_t smallest[] = {0, 1, 0x80, 0x8000, 0x800000, 0x80000000};
    for (size_t size = sizeof smallest / sizeof *smallest; size-- > 0;)
        spend_idea_number(ideas, v, smallest[size]);
}

/* ---- truth and bytes ---- */

void spend_idea_truth(struct spend_ideas *ideas, const struct spend_value *v, bool truth)
{
    const struct spend_value zero = spend_blank();
    if (v->item != SPEND_NO_ITEM)
        spend_idea_bytes(ideas, v->item, spend_ones, truth);
    else if (truth)
        spend_idea_other(ideas, v, &zero);
    else
        spend_idea_number(ideas, v, 0);
}

/* a is to become b. */
static void make_equal(struct spend_ideas *ideas, const struct spend_value *a, const struct spend_value *b)
{
    spend_idea_bytes(ideas, a->item, spend_bytes(b), b->size);
    if (a->hash == 0 || a->hash != b->hash || a->hash_item == SPEND_NO_ITEM)
        return;
    if (b->hashed)
        spend_idea_bytes(ideas, a->hash_item, b->hashed, b->hashed_size);
    if (b->hash_item != SPEND_NO_ITEM && ideas->notes) {
        struct spend spend = *ideas->running;
        spend.items[a->hash_item] = spend.items[b->hash_item];
        spend_note(ideas, &spend);
    }
}

void spend_idea_equal(struct spend_ideas *ideas, const struct spend_value *a, const struct spend_value *b)
{
    if (a->size <= SCRIPT_NUMBER_SIZE_MAX + 1 && b->size <= SCRIPT_NUMBER_SIZE_MAX + 1)
        spend_idea_difference(ideas, a, b, 0);
    make_equal(ideas, b, a);
    make_equal(ideas, a, b);
}

/* Another item: one that is no number, the same number in a byte more, another number. */
static void make_other(struct spend_ideas *ideas, unsigned item)
{
    if (item == SPEND_NO_ITEM || !ideas->notes)
        return;
    struct spend spend = *ideas->running;
    const struct spend_item *from = &spend.items[item];
    const uint8_t *data = from->data ? from->data : from->made;
    size_t size = from->size;
    spend_idea_bytes(ideas, item, spend_ones, size > SCRIPT_NUMBER_SIZE_MAX ? 1 : SCRIPT_NUMBER_SIZE_MAX + 1);
    if (size < SCRIPT_NUMBER_SIZE_MAX) {
        int64_t number = script_number_read(data, size);
        set_number(ideas, &spend, item, number, size + 1);
        spend_note(ideas, &spend);
        set_number(ideas, &spend, item, number + 1, 0);
        spend_note(ideas, &spend);
    }
    spend_idea_bytes(ideas, item, spend_ones, 0);
}

void spend_idea_unequal(struct spend_ideas *ideas, const struct spend_value *a, const struct spend_value *b)
{
    make_other(ideas, b->item);
    make_other(ideas, a->item);
    make_other(ideas, b->hash_item);
    make_other(ideas, a->hash_item);
    if (a->item == SPEND_NO_ITEM && b->item == SPEND_NO_ITEM)
        spend_idea_other(ideas, a, b);
}

static bool stands_in_script(struct spend_ideas *ideas, const uint8_t *hash, size_t size)
{
    ideas->work += ideas->size / SEEK_SHARE;
    return memmem(ideas->script, ideas->size, hash, size) != NULL;
}

bool spend_is_preimage(struct spend_ideas *ideas, const struct spend_value *item, const struct spend_value *hash)
{
    uint8_t first[32];
    bool asked = stands_in_script(ideas, hash->made, hash->size);
    if (!asked && (hash->hash == OP_HASH160 || hash->hash == OP_HASH256))
        asked = stands_in_script(ideas, first, hash_by(OP_SHA256, spend_bytes(item), item->size, first));
    if (!asked)
        return false;
    make_other(ideas, item->item);
    make_other(ideas, item->hash_item);
    return true;
}
