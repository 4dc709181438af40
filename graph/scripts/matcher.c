#include "graph/scripts/matcher.h"

#include <string.h>

#include "graph/scripts/pattern.h"
#include "parser/bytes.h"
#include "parser/mem.h"

#define SLOTS 2048u

/* What a kind and a template say of each entry. */
struct slot {
    bool used;
    uint64_t key;
    struct name_set sure;     /* every script of this template is it */
    struct name_set guarded;  /* it is, if the entry's conditions hold */
    struct name_set possible; /* the asm must tell, and then the conditions */
};

struct matcher {
    const struct catalogue *catalogue;
    uint64_t key[2];
    struct name_set only_hidden;       /* entries that name no output's own script */
    struct name_set not_in[HIDDEN_IN]; /* entries that name no script hidden there */
    struct name_set anyones;           /* entries of what anyone can spend */
    size_t compiled;
    regex_t regexes[CATALOGUE_MAX];
    struct slot slots[SLOTS];
    char text[]; /* asm of a script */
};

static void find_places(struct matcher *m)
{
    for (size_t i = 0; i < m->catalogue->count; i++) {
        const struct known_script *entry = &m->catalogue->entries[i];
        if (entry->hidden_in)
            name_set_add(&m->only_hidden, i);
        if (entry->anyone_can_spend)
            name_set_add(&m->anyones, i);
        for (unsigned in = 0; in < HIDDEN_IN; in++)
            if (entry->keys_off_curve || (entry->anyone_can_spend && in == HIDDEN_P2TR) ||
                (entry->hidden_in && !(entry->hidden_in >> in & 1)))
                name_set_add(&m->not_in[in], i);
    }
}

enum status matcher_new(const struct catalogue *catalogue, const uint8_t seed[16], struct matcher **matcher,
                        struct fault *fault)
{
    char why[PATTERN_WHY];
    struct matcher *m = mem_alloc(1, sizeof *m + script_asm_bound(SCRIPT_SIZE_MAX));
    *matcher = m;
    if (!m)
        return fault_nomem(fault);
    m->catalogue = catalogue;
    m->key[0] = load_le64(seed);
    m->key[1] = load_le64(seed + 8);
    find_places(m);
    for (; m->compiled < catalogue->count; m->compiled++)
        /* the catalogue has compiled each of them before, so memory is all that can lack */
        if (pattern_compile(catalogue->entries[m->compiled].pattern, &m->regexes[m->compiled], why) != STATUS_OK)
            return fault_nomem(fault);
    return STATUS_OK;
}

void matcher_free(struct matcher *matcher)
{
    if (!matcher)
        return;
    for (size_t i = 0; i < matcher->compiled; i++)
        regfree(&matcher->regexes[i]);
    mem_free(matcher);
}

static bool begins_with(const char *text, size_t size, const char *head, size_t head_size)
{
    return size >= head_size && memcmp(text, head, head_size) == 0;
}

static bool ends_with(const char *text, size_t size, const char *tail, size_t tail_size)
{
    return size >= tail_size && memcmp(text + size - tail_size, tail, tail_size) == 0;
}

static bool matches(const struct matcher *m, size_t i, const char *text, size_t size)
{
    const struct known_script *entry = &m->catalogue->entries[i];
    return (!entry->head_size || begins_with(text, size, entry->head, entry->head_size)) &&
           (!entry->tail_size || ends_with(text, size, entry->tail, entry->tail_size)) &&
           regexec(&m->regexes[i], text, 0, NULL, 0) == 0;
}

/* Asm and template are the same text up to the first and after the last push of data. False where this shows that no
 * script of the template matches. */
static bool may_match(const struct known_script *entry, const char *template, size_t size)
{
    const char *cut = strstr(template, "..."), *last = strrchr(template, '>');
    size_t same = strcspn(template, "<");
    if (cut && (size_t)(cut - template) < same)
        same = (size_t)(cut - template);
    size_t head = same < entry->head_size ? same : entry->head_size;
    if (head && memcmp(template, entry->head, head) != 0)
        return false;
    size_t after = last ? (size_t)(template + size - (last + 1)) : size;
    size_t tail = after < entry->tail_size ? after : entry->tail_size;
    return cut || !tail || memcmp(template + size - tail, entry->tail + entry->tail_size - tail, tail) == 0;
}

static void fill_slot(const struct matcher *m, struct slot *slot, enum kind kind, const uint8_t *script, size_t size)
{
    char template[SCRIPT_TEMPLATE_MAX];
    size_t length = script_template(script, size, template);
    bool is_asm = !strpbrk(template, "<#");
    for (size_t i = 0; i < m->catalogue->count; i++) {
        const struct known_script *entry = &m->catalogue->entries[i];
        if (!(entry->kinds >> kind & 1))
            continue;
        bool by_asm = !entry->over_template && !is_asm && entry->pattern[0];
        if (by_asm) {
            if (may_match(entry, template, length))
                name_set_add(&slot->possible, i);
        } else if (matches(m, i, template, length)) {
            bool guarded = entry->anyone_can_spend || entry->keys_off_curve;
            name_set_add(guarded ? &slot->guarded : &slot->sure, i);
        }
    }
}

static struct slot *find_slot(struct matcher *m, enum kind kind, const uint8_t *script, size_t size)
{
    uint64_t key = script_template_hash(script, size, m->key) + (uint64_t)kind;
    struct slot *slot = &m->slots[key % SLOTS];
    if (!slot->used || slot->key != key) {
        *slot = (struct slot){.used = true, .key = key};
        fill_slot(m, slot, kind, script, size);
    }
    return slot;
}

/* The conditions that bytes decide, each worked out at most once for a script. */
struct conditions {
    enum kind kind;
    const uint8_t *script;
    size_t size;
    int anyone_can_spend; /* -1: not looked at */
    int keys_off_curve;   /* likewise */
};

static bool holds(struct conditions *c, const struct known_script *entry)
{
    if (entry->anyone_can_spend && c->anyone_can_spend < 0)
        c->anyone_can_spend = script_anyone_can_spend(c->script, c->size);
    if (entry->keys_off_curve && c->keys_off_curve < 0) {
        unsigned on_curve;
        c->keys_off_curve = script_keys(c->kind, c->script, c->size, &on_curve) > on_curve;
    }
    return (!entry->anyone_can_spend || c->anyone_can_spend == 1) && (!entry->keys_off_curve || c->keys_off_curve == 1);
}

/* Without the entries in `except`. */
static void match(struct matcher *m, enum kind kind, const uint8_t *script, size_t size, const struct name_set *except,
                  struct name_set *found)
{
    const struct slot *slot = find_slot(m, kind, script, size);
    struct conditions conditions = {kind, script, size, -1, -1};
    struct name_set sure = name_set_without(&slot->sure, except);
    struct name_set guarded = name_set_without(&slot->guarded, except);
    struct name_set possible = name_set_without(&slot->possible, except);
    const struct known_script *entries = m->catalogue->entries;
    guarded = name_set_without(&guarded, found);
    possible = name_set_without(&possible, found);
    name_set_join(found, &sure);
    for (size_t i; (i = name_set_first(&guarded)) < CATALOGUE_MAX; name_set_remove(&guarded, i))
        if (holds(&conditions, &entries[i]))
            name_set_add(found, i);
    if (name_set_first(&possible) == CATALOGUE_MAX)
        return;
    size_t length = script_asm(script, size < SCRIPT_SIZE_MAX ? size : SCRIPT_SIZE_MAX, m->text);
    for (size_t i; (i = name_set_first(&possible)) < CATALOGUE_MAX; name_set_remove(&possible, i))
        if (matches(m, i, m->text, length) && holds(&conditions, &entries[i]))
            name_set_add(found, i);
}

void matcher_match(struct matcher *m, enum kind kind, const uint8_t *script, size_t size, struct name_set *found)
{
    match(m, kind, script, size, &m->only_hidden, found);
}

static bool asks_for_signature(const struct hidden_script *script)
{
    struct cursor c = cursor_over(script->script, script->size);
    struct op op;
    while (op_next(&c, &op))
        if (op.code >= OP_CHECKSIG && op.code <= OP_CHECKMULTISIGVERIFY)
            return true;
    return false;
}

void matcher_match_hidden(struct matcher *m, const struct hidden_script *script, struct name_set *found)
{
    struct name_set except = m->not_in[script->in];
    if (script->in == HIDDEN_P2TR && script->leaf_version != TAP_LEAF_SCRIPT)
        return;
    if (script->kind == KIND_NONSTANDARD && asks_for_signature(script))
        name_set_join(&except, &m->anyones);
    match(m, script->kind, script->script, script->size, &except, found);
}
