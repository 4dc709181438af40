#include "graph/dag/evidence.h"

#include "parser/bytes.h"
#include "parser/parallel.h"
#include "parser/pubkey.h"
#include "parser/stop.h"

const char *evidence_kind_name(enum evidence_kind kind)
{
    static const char *const names[EVIDENCE_KINDS] = {"key", "hash", "preimage", "address", "transaction"};
    return names[kind];
}

const char *evidence_role_name(enum evidence_role role)
{
    static const char *const names[] = {"pubkey", "multisig", "script", "scriptSig", "payer", "payee"};
    return names[role];
}

void evidence_begin(const struct forest *forest, const struct tdags *tdags, const uint8_t seed[16],
                    struct evidence_set *set)
{
    *set = (struct evidence_set){.forest = forest, .tdags = tdags};
    set->key[0] = load_le64(seed);
    set->key[1] = load_le64(seed + 8);
    set->key[2] = (set->key[0] ^ (set->key[1] << 1)) | 1;
}

void evidence_free(struct evidence_set *set)
{
    mem_free(set->pieces.at);
    mem_free(set->bytes.at);
    mem_free(set->things);
    mem_free(set->begins);
    mem_free(set->by_thing);
    *set = (struct evidence_set){0};
}

static enum status too_much(struct fault *fault, const char *what)
{
    return fault_set(fault, STATUS_LIMIT, NULL, FAULT_NO_OFFSET, "more than 2^32 - 2 %s", what);
}

enum status evidence_add(struct evidence_set *set, const struct evidence *piece, const uint8_t *bytes,
                         const uint8_t *outpoint, struct fault *fault)
{
    size_t size = piece->size + (outpoint ? EVIDENCE_OUTPOINT_SIZE : 0u);
    struct evidence copy = *piece;
    if (set->pieces.count >= UINT32_MAX - 1)
        return too_much(fault, "keys and hashes");
    if (mem_reserve(&set->bytes.at, &set->bytes.capacity, set->bytes.count + size, 1) != STATUS_OK)
        return fault_nomem(fault);
    copy.at = set->bytes.count;
    if (piece->size > 0)
        memcpy(set->bytes.at + set->bytes.count, bytes, piece->size);
    if (outpoint)
        memcpy(set->bytes.at + set->bytes.count + piece->size, outpoint, EVIDENCE_OUTPOINT_SIZE);
    set->bytes.count += size;
    return PUSH(set->pieces, copy) ? STATUS_OK : fault_nomem(fault);
}

enum status evidence_reserve(struct evidence_set *set, size_t pieces, size_t bytes, struct fault *fault)
{
    if (mem_reserve(&set->pieces.at, &set->pieces.capacity, set->pieces.count + pieces, sizeof *set->pieces.at) ==
            STATUS_OK &&
        mem_reserve(&set->bytes.at, &set->bytes.capacity, set->bytes.count + bytes, 1) == STATUS_OK)
        return STATUS_OK;
    return fault_nomem(fault);
}

enum status evidence_merge(struct evidence_set *set, const struct evidence_set *a, const struct evidence_set *b,
                           struct fault *fault)
{
    const struct evidence_set *const sets[2] = {a, b};
    size_t next[2] = {0}, bases[2] = {set->bytes.count, set->bytes.count + a->bytes.count};
    size_t pieces = a->pieces.count + b->pieces.count, bytes = a->bytes.count + b->bytes.count;
    if (set->pieces.count + pieces >= UINT32_MAX - 1)
        return too_much(fault, "keys and hashes");
    if (evidence_reserve(set, pieces, bytes, fault) != STATUS_OK)
        return STATUS_NOMEM;
    for (unsigned s = 0; s < 2; s++) {
        if (sets[s]->bytes.count > 0)
            memcpy(set->bytes.at + bases[s], sets[s]->bytes.at, sets[s]->bytes.count);
    }
    set->bytes.count += bytes;
    for (size_t i = 0; i < pieces; i++) {
        if (stop_due(i))
            return stop_check(fault);
        bool second = next[0] == a->pieces.count ||
                      (next[1] < b->pieces.count && b->pieces.at[next[1]].tx < a->pieces.at[next[0]].tx);
        struct evidence *piece = &set->pieces.at[set->pieces.count++];
        *piece = sets[second]->pieces.at[next[second]++];
        piece->at += bases[second];
    }
    return STATUS_OK;
}

bool evidence_has_members(const struct forest *forest, const struct tdags *tdags, uint32_t tx)
{
    if (tdags->tx_dag[tx])
        return true;
    for (uint32_t o = forest->txs[tx].first_output; o < forest->txs[tx + 1].first_output; o++) {
        if (forest_is_arc(&forest->outputs[o], tdags->rules))
            return false;
    }
    return forest_unknown_inputs(forest, tx, tdags->rules) == 0;
}

/* ---- things ---- */

size_t evidence_key_form(const uint8_t *key, size_t size, uint8_t out[65])
{
    memcpy(out, key, size);
    if (size != 65 || !pubkey_on_curve(key, size))
        return size;
    out[0] = 2 | (key[64] & 1); /* is y odd (SEC 1, section 2.3.3) */
    return 33;
}

/* The bytes by which a thing is the same as another one. */
struct thing_form {
    const uint8_t *bytes;
    size_t size;
    uint8_t key[65];
};

static void form_of(const struct evidence_set *set, const struct evidence *piece, struct thing_form *form)
{
    form->bytes = set->bytes.at + piece->at;
    form->size = piece->size;
    if (piece->kind == EVIDENCE_KEY && piece->size == 65) {
        form->size = evidence_key_form(form->bytes, 65, form->key);
        form->bytes = form->key;
    }
}

static uint64_t fold(uint64_t a, uint64_t b)
{
    unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Nobody sees hashes or the key, so nobody can choose things that collide. */
static uint64_t hash_of(const struct evidence_set *set, const struct evidence *piece, const struct thing_form *form)
{
    uint64_t hash = set->key[0] ^ ((uint64_t)piece->kind << 32 | form->size);
    for (size_t i = 0; i < form->size; i += 8) {
        uint8_t word[8] = {0};
        memcpy(word, form->bytes + i, form->size - i < 8 ? form->size - i : 8);
        hash = fold(hash ^ load_le64(word), set->key[2]) ^ set->key[1];
    }
    return fold(hash, set->key[2]);
}

static bool same(const struct evidence_set *set, const struct evidence *a, const struct thing_form *form,
                 const struct evidence *b)
{
    struct thing_form other;
    if (a->kind != b->kind)
        return false;
    form_of(set, b, &other);
    return other.size == form->size && (form->size == 0 || memcmp(other.bytes, form->bytes, form->size) == 0);
}

static bool is_marker(const struct evidence *piece, const struct thing_form *form)
{
    if (piece->kind == EVIDENCE_KEY)
        return pubkey_is_burn(form->bytes, form->size);
    return piece->kind == EVIDENCE_HASH && memcmp(form->bytes, form->bytes + 1, form->size - 1) == 0;
}

/* A hash table: slots hold numbers of first pieces, plus one. Of the pieces that come next form and hash are known
 * ahead, so that the slots, and then the pieces in them, are on their way from memory when they are needed. */
#define AHEAD 32u
struct thing_table {
    uint32_t *slots;
    uint64_t mask;
    struct {
        struct thing_form form;
        uint64_t slot; /* where the search begins */
    } next[AHEAD];     /* by number of the piece modulo AHEAD */
};

static void look_ahead(const struct evidence_set *set, struct thing_table *table, size_t i)
{
    const struct evidence *piece = &set->pieces.at[i];
    struct thing_form *form = &table->next[i % AHEAD].form;
    form_of(set, piece, form);
    table->next[i % AHEAD].slot = hash_of(set, piece, form) & table->mask;
    __builtin_prefetch(&table->slots[table->next[i % AHEAD].slot]);
    uint32_t nearer = i < AHEAD / 2 ? 0 : table->slots[table->next[(i - AHEAD / 2) % AHEAD].slot];
    if (nearer)
        __builtin_prefetch(&set->pieces.at[nearer - 1]);
}

/* Until all are known a piece has the number of its thing's first piece. */
static void find_first(struct evidence_set *set, struct thing_table *table, size_t i)
{
    struct evidence *piece = &set->pieces.at[i];
    const struct thing_form *form = &table->next[i % AHEAD].form;
    uint64_t s = table->next[i % AHEAD].slot;
    uint32_t *slots = table->slots;
    while (slots[s] && !same(set, piece, form, &set->pieces.at[slots[s] - 1]))
        s = (s + 1) & table->mask;
    if (!slots[s])
        slots[s] = (uint32_t)i + 1;
    piece->thing = slots[s] - 1;
    struct evidence *first = &set->pieces.at[piece->thing];
    set->things_count += piece != first && !first->repeated;
    first->repeated |= piece != first;
}

static struct evidence_thing thing_begun(const struct evidence_set *set, const struct evidence *piece)
{
    struct thing_form form;
    form_of(set, piece, &form);
    return (struct evidence_thing){.first = (uint32_t)(piece - set->pieces.at),
                                   .first_height = UINT32_MAX,
                                   .preimage = FOREST_NONE,
                                   .marker = is_marker(piece, &form)};
}

/* Numbers the things of several pieces. */
static enum status number_things(struct evidence_set *set)
{
    uint32_t count = 0;
    set->things = mem_alloc(set->things_count, sizeof *set->things);
    if (!set->things)
        return STATUS_NOMEM;
    for (size_t i = 0; i < set->pieces.count; i++) {
        struct evidence *piece = &set->pieces.at[i];
        if (stop_due(i))
            return STATUS_INTERRUPTED;
        if (piece->thing != i) {
            piece->thing = set->pieces.at[piece->thing].thing;
        } else if (piece->repeated) {
            set->things[count] = thing_begun(set, piece);
            piece->thing = count++;
        } else {
            piece->thing = EVIDENCE_ALONE;
        }
        if (piece->thing != EVIDENCE_ALONE)
            set->things[piece->thing].pieces++;
    }
    return STATUS_OK;
}

static enum status number_pieces(struct evidence_set *set)
{
    size_t count = set->pieces.count;
    uint64_t size = 16;
    while (size < count + count / 2)
        size *= 2;
    struct thing_table table = {.slots = mem_alloc_large(size, sizeof *table.slots), .mask = size - 1};
    enum status status = table.slots ? STATUS_OK : STATUS_NOMEM;
    for (size_t i = 0; i < AHEAD && i < count && status == STATUS_OK; i++)
        look_ahead(set, &table, i);
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        status = stop_due(i) ? STATUS_INTERRUPTED : STATUS_OK;
        find_first(set, &table, i);
        if (i + AHEAD < count)
            look_ahead(set, &table, i + AHEAD);
    }
    mem_free(table.slots);
    return status == STATUS_OK ? number_things(set) : status;
}

static void add_height(const struct evidence_set *set, const struct evidence *piece, struct evidence_thing *thing)
{
    uint32_t height = set->forest->txs[piece->tx].height;
    thing->first_height = height < thing->first_height ? height : thing->first_height;
    thing->last_height = height > thing->last_height ? height : thing->last_height;
}

struct evidence_thing evidence_thing_of(const struct evidence_set *set, const struct evidence *piece)
{
    if (piece->thing != EVIDENCE_ALONE)
        return set->things[piece->thing];
    struct evidence_thing thing = thing_begun(set, piece);
    thing.pieces = thing.members = 1;
    thing.dags = set->tdags->tx_dag[piece->tx] > 0;
    add_height(set, piece, &thing);
    if (piece->kind == EVIDENCE_HASH && thing.first + 1 < set->pieces.count && piece[1].kind == EVIDENCE_PREIMAGE)
        thing.preimage = thing.first + 1;
    return thing;
}

/* Heights, and what opens hashes. False: stopped. */
static bool describe(struct evidence_set *set)
{
    for (size_t i = 0; i < set->pieces.count; i++) {
        if (stop_due(i))
            return false;
        const struct evidence *piece = &set->pieces.at[i];
        if (piece->thing != EVIDENCE_ALONE)
            add_height(set, piece, &set->things[piece->thing]);
        if (piece->kind == EVIDENCE_PREIMAGE && i > 0 && set->pieces.at[i - 1].thing != EVIDENCE_ALONE) {
            struct evidence_thing *hash = &set->things[set->pieces.at[i - 1].thing];
            if (hash->preimage == FOREST_NONE)
                hash->preimage = (uint32_t)i;
        }
    }
    return true;
}

/* Groups the pieces by thing; of each member the first stays: `seen` has for each the last thing that it was met with.
 * False: stopped. */
static bool count_members(struct evidence_set *set, uint32_t *seen)
{
    uint64_t sum = 0;
    for (size_t t = 0; t < set->things_count; t++) {
        set->begins[t] = sum;
        sum += set->things[t].pieces;
    }
    for (size_t i = 0; i < set->pieces.count; i++) {
        if (stop_due(i))
            return false;
        if (set->pieces.at[i].thing != EVIDENCE_ALONE)
            set->by_thing[set->begins[set->pieces.at[i].thing]++] = (uint32_t)i;
    }
    for (size_t t = 0; t < set->things_count; t++) {
        struct evidence_thing *thing = &set->things[t];
        uint32_t *pieces = set->by_thing + (set->begins[t] -= thing->pieces);
        for (uint32_t i = 0; i < thing->pieces; i++) {
            if (stop_due(set->begins[t] + i))
                return false;
            uint32_t member = evidence_member(set, &set->pieces.at[pieces[i]]);
            if (seen[member] == t + 1)
                continue;
            seen[member] = (uint32_t)t + 1;
            pieces[thing->members++] = pieces[i];
            thing->dags += member <= set->tdags->count;
        }
    }
    return true;
}

/* Things that one call looks at. */
#define CURVE_CHUNK 4096u

/* Keys that one member alone has tie nothing anyway. */
static void look_at_curve(void *context, unsigned worker, size_t chunk)
{
    struct evidence_set *set = context;
    size_t first = chunk * CURVE_CHUNK, left = set->things_count - first;
    (void)worker;
    for (size_t t = first; t < first + (left < CURVE_CHUNK ? left : CURVE_CHUNK); t++) {
        struct evidence_thing *thing = &set->things[t];
        const struct evidence *piece = &set->pieces.at[thing->first];
        if (piece->kind == EVIDENCE_KEY && thing->members > 1)
            thing->off_curve = !pubkey_on_curve(set->bytes.at + piece->at, piece->size);
    }
}

/* With its text. */
static enum status tell(enum status status, struct fault *fault)
{
    if (status == STATUS_INTERRUPTED)
        return stop_check(fault);
    return status == STATUS_NOMEM ? fault_nomem(fault) : status;
}

static enum status list_things(struct evidence_set *set)
{
    uint64_t pieces = 0;
    for (size_t t = 0; t < set->things_count; t++)
        pieces += set->things[t].pieces;
    set->begins = mem_alloc(set->things_count, sizeof *set->begins);
    set->by_thing = mem_alloc(pieces, sizeof *set->by_thing);
    uint32_t *seen = mem_alloc(evidence_members_bound(set), sizeof *seen);
    enum status status = set->begins && set->by_thing && seen ? STATUS_OK : STATUS_NOMEM;
    if (status == STATUS_OK && !count_members(set, seen))
        status = STATUS_INTERRUPTED;
    mem_free(seen);
    return status;
}

enum status evidence_number(struct evidence_set *set, unsigned threads, struct fault *fault)
{
    if (evidence_members_bound(set) >= UINT32_MAX)
        return too_much(fault, "T-DAGs and outputs");
    enum status status = number_pieces(set);
    if (status == STATUS_OK && !describe(set))
        status = STATUS_INTERRUPTED;
    if (status == STATUS_OK)
        status = list_things(set);
    if (status == STATUS_OK)
        return parallel_for(threads, set->things_count / CURVE_CHUNK + 1, look_at_curve, set, fault);
    return tell(status, fault);
}
