#include "cli/inputs/sought.h"

#include <string.h>

#include "cli/inputs/label_file.h"
#include "parser/digits.h"
#include "parser/mem.h"
#include "parser/opcode.h"
#include "parser/pushes.h"
#include "parser/sha256.h"

/* ---- addresses of hashes ---- */

/* The frames around a hash of 20 or 32 bytes that have an address. */
static const struct frame {
    uint8_t hash_size;
    uint8_t head_size;
    uint8_t tail_size;
    uint8_t head[3];
    uint8_t tail[2];
} frames[] = {
    {20, 3, 2, {0x76, 0xa9, 0x14}, {0x88, 0xac}}, /* P2PKH */
    {20, 2, 0, {0x00, 0x14}, {0}},                /* P2WPKH */
    {20, 2, 1, {0xa9, 0x14}, {0x87}},             /* P2SH */
    {32, 2, 0, {0x00, 0x20}, {0}},                /* P2WSH */
    {32, 2, 0, {0x51, 0x20}, {0}},                /* P2TR */
};
#define FRAMES (sizeof frames / sizeof *frames)

static char *put_frame(char *out, const struct network *network, const struct frame *frame, const uint8_t *hash)
{
    uint8_t script[40];
    memcpy(script, frame->head, frame->head_size);
    memcpy(script + frame->head_size, hash, frame->hash_size);
    memcpy(script + frame->head_size + frame->hash_size, frame->tail, frame->tail_size);
    return address_put(out, network, script, (size_t)frame->head_size + frame->hash_size + frame->tail_size);
}

typedef enum status take_address(void *context, const char *address, size_t size);

/* Calls `take` for each address until it returns other than STATUS_NOT_FOUND. */
static enum status each_address_of_hash(const struct network *network, const uint8_t *hash, size_t size,
                                        take_address *take, void *context)
{
    char address[ADDRESS_SIZE_MAX];
    enum status status = STATUS_NOT_FOUND;
    for (size_t f = 0; f < FRAMES && status == STATUS_NOT_FOUND; f++)
        if (frames[f].hash_size == size)
            status = take(context, address, (size_t)(put_frame(address, network, &frames[f], hash) - address));
    return status;
}

/* P2PKH, and of a compressed key P2WPKH, P2SH-P2WPKH (BIP 141, BIP 143) and, unless `taproot` is false, P2TR (BIP 86),
 * which takes the most time. */
static enum status each_address_of_key(const struct network *network, const uint8_t *key, size_t size, bool taproot,
                                       take_address *take, void *context)
{
    char address[ADDRESS_SIZE_MAX];
    enum status status = STATUS_NOT_FOUND;
    for (unsigned kind = 0; kind < KEY_ADDRESSES && status == STATUS_NOT_FOUND; kind++) {
        if (kind == KEY_ADDRESS_P2TR && !taproot)
            continue;
        char *end = address_put_of_key(address, network, key, size, (enum key_address)kind);
        if (end > address)
            status = take(context, address, (size_t)(end - address));
    }
    return status;
}

/* ---- the operand ---- */

struct reading {
    struct sought *sought;
    struct fault *fault;
};

static enum status add_term(void *context, const char *term, size_t size)
{
    const struct reading *reading = context;
    const char *kept = label_keep_address(&reading->sought->terms, term, size);
    if (!kept)
        return fault_nomem(reading->fault);
    enum status status = label_add(&reading->sought->terms, kept, "", NULL, NULL, reading->fault);
    return status == STATUS_OK ? STATUS_NOT_FOUND : status; /* go on to the next */
}

static void add_hash(struct sought *sought, const uint8_t *hash, size_t size)
{
    struct sought_item *item = &sought->hashes[sought->hashes_count++];
    memcpy(item->bytes, hash, size);
    item->size = (uint8_t)size;
}

static void add_hashes_of_key(struct sought *sought)
{
    uint8_t hash[32];
    struct hash256 twice;
    hash160(sought->bytes, sought->bytes_size, hash);
    add_hash(sought, hash, HASH160_SIZE);
    ripemd160(sought->bytes, sought->bytes_size, hash);
    add_hash(sought, hash, HASH160_SIZE);
    sha1(sought->bytes, sought->bytes_size, hash);
    add_hash(sought, hash, HASH160_SIZE);
    sha256(sought->bytes, sought->bytes_size, hash);
    add_hash(sought, hash, sizeof hash);
    sha256d(sought->bytes, sought->bytes_size, &twice);
    add_hash(sought, twice.bytes, sizeof twice.bytes);
}

static enum status read_bytes(const char *word, size_t size, struct reading *reading)
{
    struct sought *sought = reading->sought;
    sought->bytes = mem_alloc(size / 2, 1);
    sought->bytes_size = size / 2;
    if (!sought->bytes)
        return fault_nomem(reading->fault);
    if (!digits_bytes(word, sought->bytes_size, sought->bytes))
        return STATUS_NOT_FOUND;
    if (sought->bytes_size == 20 || sought->bytes_size == 32)
        return each_address_of_hash(sought->network, sought->bytes, sought->bytes_size, add_term, reading);
    if ((sought->bytes_size != 33 && sought->bytes_size != 65) ||
        !script_key_size_fits(sought->bytes, sought->bytes_size))
        return STATUS_NOT_FOUND;
    add_hashes_of_key(sought);
    sought->is_key = true;
    return each_address_of_key(sought->network, sought->bytes, sought->bytes_size, true, add_term, reading);
}

static enum status add_labelled(const char *word, const struct address_labels *labels, struct reading *reading)
{
    uint32_t id;
    enum status status = STATUS_NOT_FOUND;
    if (!address_labels_id(labels, word, &id))
        return status;
    for (size_t i = 0; i < labels->count && status == STATUS_NOT_FOUND; i++)
        if (labels->entries[i].id == id)
            status = add_term(reading, labels->entries[i].address, strlen(labels->entries[i].address));
    return status;
}

/* Bech32m of witness version 1, in lower case as it is kept: what follows the network's prefix, the 1 and the p is as
 * long for every output key. */
static bool is_taproot(const char *address, size_t size)
{
    size_t rest = 52 + 6; /* 32 bytes by 5 bits, and the checksum */
    return size > rest + 2 && address[size - rest - 1] == 'p' && address[size - rest - 2] == '1';
}

/* Whether there are terms of either form. */
static void look_at_terms(struct sought *sought)
{
    for (size_t i = 0; i < sought->terms.count; i++) {
        size_t size = strlen(sought->terms.entries[i].address);
        bool name = size >= LABEL_DIGITS_MIN && size <= HASH256_HEX_SIZE &&
                    digits_are_hex(sought->terms.entries[i].address, size);
        sought->has_names |= name;
        sought->has_addresses |= !name;
        sought->has_taproot |= !name && is_taproot(sought->terms.entries[i].address, size);
    }
}

static enum status nothing(const char *word, const struct address_labels *labels, struct fault *fault)
{
    const char *other = address_labels_other_case(labels, word);
    if (other)
        return fault_set(fault, STATUS_NOT_FOUND, NULL, FAULT_NO_OFFSET,
                         "'%s' is no label of --labels, but '%s' is one: capital and small letters differ", word,
                         other);
    return fault_set(
        fault, STATUS_NOT_FOUND, NULL, FAULT_NO_OFFSET,
        "'%s' is no address (with its checksum), key, hash, script or T-DAG's name in hexadecimal, and no label of "
        "--labels",
        word);
}

enum status sought_read(const char *word, const struct address_labels *labels, const struct network *network,
                        struct sought *sought, struct fault *fault)
{
    struct reading reading = {sought, fault};
    size_t size = strlen(word);
    bool hex = digits_are_hex(word, size), bytes = hex && size % 2 == 0 && size / 2 <= SOUGHT_BYTES_MAX;
    bool name = hex && size >= LABEL_DIGITS_MIN && size <= HASH256_HEX_SIZE;
    sought->network = network;
    enum status status = add_labelled(word, labels, &reading);
    if (status == STATUS_NOT_FOUND && bytes)
        status = read_bytes(word, size, &reading);
    if (status == STATUS_NOT_FOUND && (name || address_is_whole(word, size)))
        status = add_term(&reading, word, size);
    if (status != STATUS_NOT_FOUND)
        return status;
    if (sought->terms.count == 0 && !sought->bytes)
        return nothing(word, labels, fault);
    status = address_labels_settle(&sought->terms, fault);
    look_at_terms(sought);
    return status;
}

void sought_free(struct sought *sought)
{
    address_labels_free(&sought->terms);
    mem_free(sought->bytes);
    *sought = (struct sought){0};
}

/* ---- scripts ---- */

const char *sought_by_name(enum sought_by by)
{
    static const char *const names[] = {"", "script", "address", "key", "hash", "data"};
    return names[by];
}

struct matching {
    const struct sought *sought;
    struct sought_hit *hit;
    bool by_address; /* keys and hashes may tell by their addresses */
};

static enum status match_address(void *context, const char *address, size_t size)
{
    const struct matching *matching = context;
    if (size == 0 || address_labels_of(&matching->sought->terms, address, size).count == 0)
        return STATUS_NOT_FOUND;
    memcpy(matching->hit->address, address, size);
    matching->hit->address_size = size;
    return STATUS_OK;
}

static bool equal(const struct push *push, const uint8_t *bytes, size_t size)
{
    return push->size == size && size > 0 && memcmp(push->data, bytes, size) == 0;
}

/* How a key that is pushed tells: itself, its hash, its addresses. */
static bool match_key(struct matching *matching, const struct push *push)
{
    const struct sought *sought = matching->sought;
    uint8_t hash[HASH160_SIZE];
    if (!matching->by_address && sought->bytes_size != HASH160_SIZE)
        return false;
    hash160(push->data, push->size, hash);
    if (sought->bytes_size == HASH160_SIZE && memcmp(hash, sought->bytes, HASH160_SIZE) == 0)
        return true;
    return sought->has_addresses && each_address_of_key(sought->network, push->data, push->size, sought->has_taproot,
                                                        match_address, matching) == STATUS_OK;
}

static enum sought_by match_push(struct matching *matching, const struct push *push)
{
    const struct sought *sought = matching->sought;
    bool key = push_shows(push) == SHOWN_KEY, hash = push->size == 20 || push->size == 32;
    if (equal(push, sought->bytes, sought->bytes_size))
        return key ? SOUGHT_KEY : hash ? SOUGHT_HASH : SOUGHT_DATA;
    for (size_t i = 0; i < sought->hashes_count; i++)
        if (equal(push, sought->hashes[i].bytes, sought->hashes[i].size))
            return SOUGHT_HASH;
    if (key)
        return match_key(matching, push) ? SOUGHT_KEY : SOUGHT_NOT;
    if (hash && matching->by_address &&
        each_address_of_hash(sought->network, push->data, push->size, match_address, matching) == STATUS_OK)
        return SOUGHT_HASH;
    return SOUGHT_NOT;
}

bool sought_in_script(const struct sought *sought, const uint8_t *script, size_t size, struct sought_hit *hit)
{
    struct matching matching = {sought, hit, sought->has_addresses};
    struct pushes pushes = pushes_of_script(script, size);
    struct push push;
    char address[ADDRESS_SIZE_MAX];
    *hit = (struct sought_hit){.by = SOUGHT_NOT};
    size_t own = sought->has_addresses ? (size_t)(address_put(address, sought->network, script, size) - address) : 0;
    matching.by_address = sought->has_addresses && own == 0; /* what has an address is not met by another one */
    if (sought->bytes_size > 0 && size == sought->bytes_size && memcmp(script, sought->bytes, size) == 0)
        hit->by = SOUGHT_SCRIPT;
    else if (own > 0 && match_address(&matching, address, own) == STATUS_OK)
        hit->by = SOUGHT_ADDRESS;
    while (hit->by == SOUGHT_NOT && pushes_next(&pushes, &push)) {
        if (!push.data || push.size == 0)
            continue;
        hit->by = match_push(&matching, &push);
        hit->push = hit->by != SOUGHT_NOT ? push.data : NULL;
        hit->push_size = push.size;
    }
    return hit->by != SOUGHT_NOT;
}

/* ---- by a beginning ---- */

#define BEGINNING_CHARACTERS 4u
#define BEGINNING_DIGITS 8u

struct beginning_match {
    const struct sought_beginning *beginning;
    sought_take *take;
    void *context;
};

/* Bech32 in capitals is the same address (BIP 173). What follows the 1 is the witness version: p is 1. */
static void read_bech32(struct sought_beginning *beginning)
{
    char *word = beginning->word, *one = NULL;
    for (size_t i = 0; i < beginning->size; i++) {
        word[i] = word[i] >= 'A' && word[i] <= 'Z' ? (char)(word[i] - 'A' + 'a') : word[i];
        one = !one && word[i] == '1' ? word + i : one;
    }
    beginning->has_taproot = one && (one + 1 == word + beginning->size || one[1] == 'p');
}

bool sought_beginning_read(const char *word, const struct network *network, struct sought_beginning *beginning)
{
    size_t size = strlen(word);
    *beginning = (struct sought_beginning){.network = network, .size = size};
    if (size < BEGINNING_CHARACTERS || size > SOUGHT_BEGINNING_MAX)
        return false;
    if (size >= BEGINNING_DIGITS && digits_are_hex(word, size)) {
        const char last[] = {word[size - 1], '0'};
        beginning->is_script = digits_bytes(word, size / 2, beginning->bytes) &&
                               (size % 2 == 0 || digits_bytes(last, 1, &beginning->bytes[size / 2]));
    }
    beginning->is_address = address_may_begin(network, word, size);
    if (beginning->is_address)
        memcpy(beginning->word, word, size);
    if (beginning->is_address && strchr("bBtT", word[0]))
        read_bech32(beginning);
    return beginning->is_script || beginning->is_address;
}

/* STATUS_NOT_FOUND: go on. */
static enum status match_beginning(void *context, const char *address, size_t size)
{
    const struct beginning_match *match = context;
    if (size < match->beginning->size || memcmp(address, match->beginning->word, match->beginning->size) != 0)
        return STATUS_NOT_FOUND;
    enum status status = match->take(match->context, address, size);
    return status == STATUS_OK ? STATUS_NOT_FOUND : status;
}

static bool begins_with_bytes(const struct sought_beginning *beginning, const uint8_t *script, size_t size)
{
    size_t whole = beginning->size / 2;
    if (2 * size < beginning->size || memcmp(script, beginning->bytes, whole) != 0)
        return false;
    return beginning->size % 2 == 0 || (script[whole] & 0xf0) == beginning->bytes[whole];
}

static enum status take_pushes(struct beginning_match *match, const uint8_t *script, size_t size)
{
    const struct sought_beginning *beginning = match->beginning;
    struct pushes pushes = pushes_of_script(script, size);
    struct push push;
    enum status status = STATUS_NOT_FOUND;
    while (status == STATUS_NOT_FOUND && pushes_next(&pushes, &push)) {
        if (!push.data)
            continue;
        if (push_shows(&push) == SHOWN_KEY)
            status = each_address_of_key(beginning->network, push.data, push.size, beginning->has_taproot,
                                         match_beginning, match);
        else if (push.size == 20 || push.size == 32)
            status = each_address_of_hash(beginning->network, push.data, push.size, match_beginning, match);
    }
    return status;
}

enum status sought_begins_in_script(const struct sought_beginning *beginning, const uint8_t *script, size_t size,
                                    sought_take *take, void *context)
{
    struct beginning_match match = {beginning, take, context};
    char address[ADDRESS_SIZE_MAX];
    if (beginning->is_script && begins_with_bytes(beginning, script, size))
        return take(context, "", 0);
    if (!beginning->is_address)
        return STATUS_OK;
    size_t own = (size_t)(address_put(address, beginning->network, script, size) - address);
    enum status status = own == 0 ? take_pushes(&match, script, size) : match_beginning(&match, address, own);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* ---- names ---- */

static enum status met_one(void *context, const struct label_span *span)
{
    (void)span;
    *(bool *)context = true;
    return STATUS_OK;
}

bool sought_takes_scripts(const struct sought *sought) { return sought->has_addresses || sought->bytes_size > 0; }

bool sought_is_txid(const struct sought *sought, const struct hash256 *txid)
{
    bool met = false;
    return sought->has_names && address_labels_of_txid(&sought->terms, txid, met_one, &met) == STATUS_OK && met;
}
