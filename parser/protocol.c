#include "parser/protocol.h"

#include "parser/address.h"
#include "parser/opcode.h"
#include "parser/pubkey.h"
#include "parser/pushes.h"
#include "parser/sha256.h"
#include "parser/tx.h"

const char *protocol_name(enum protocol protocol)
{
    static const char *const names[PROTOCOLS] = {
        [PROTOCOL_NONE] = "",     [PROTOCOL_COUNTERPARTY] = "counterparty", [PROTOCOL_STAMPS] = "stamps",
        [PROTOCOL_OMNI] = "omni", [PROTOCOL_CHANCECOIN] = "chancecoin",     [PROTOCOL_PPK] = "ppk",
        [PROTOCOL_RSK] = "rsk",   [PROTOCOL_KEY_BURN] = "key-burn",         [PROTOCOL_DATA_KEYS] = "data-keys",
    };
    return names[protocol];
}

#define MARK 8u
static const uint8_t counterparty_mark[MARK] = "CNTRPRTY";
static const uint8_t chancecoin_mark[MARK] = "CHANCECO";

/* What one key can carry, and the keys of one output together. */
#define KEY_MAX 65u
#define CHUNK_MAX ((MULTISIG_KEYS_MAX - 1) * (KEY_MAX - 2))

/* The keys from..to - 1, each without its first and last byte, under the cipher from where it is; returns the size.
 * Longer pushes are no keys and carry nothing. */
static size_t decrypt_keys(struct rc4 *cipher, const struct multisig *m, unsigned from, unsigned to,
                           uint8_t out[CHUNK_MAX])
{
    size_t size = 0;
    for (unsigned i = from; i < to; i++) {
        if (m->key_size[i] < 3 || m->key_size[i] > KEY_MAX)
            continue;
        rc4_apply(cipher, m->key[i] + 1, m->key_size[i] - 2, out + size);
        size += m->key_size[i] - 2;
    }
    return size;
}

/* ---- Counterparty ---- */

/* The message that the output has after CNTRPRTY; false if it has none. It is in `chunk`. */
static bool counterparty_message(const struct protocol_tx *tx, const struct multisig *m, uint8_t chunk[CHUNK_MAX],
                                 const uint8_t **message, size_t *size)
{
    struct rc4 cipher = tx->cipher; /* each output begins the stream anew */
    size_t chunk_size = decrypt_keys(&cipher, m, 0, m->keys - 1, chunk);
    if (chunk_size < 1 + MARK || memcmp(chunk + 1, counterparty_mark, MARK) != 0)
        return false;
    size_t length = chunk[0] < chunk_size ? chunk[0] : chunk_size - 1;
    *message = chunk + 1 + MARK;
    *size = length > MARK ? length - MARK : 0;
    return true;
}

/* The data of an output of the early form; NULL if it is none. */
static const uint8_t *plain_data(const struct multisig *m, size_t *size)
{
    if (m->required != 1 || m->keys != 2 || m->key_size[1] > KEY_MAX)
        return NULL;
    const uint8_t *key = m->key[1];
    *size = key[0];
    if (*size == 0 || *size >= m->key_size[1])
        return NULL;
    for (size_t i = *size + 1; i < m->key_size[1]; i++)
        if (key[i] != 0)
            return NULL;
    return key + 1;
}

/* Once an output has the mark, it and those after it are of that protocol. */
static enum protocol plain_next(struct protocol_tx *tx, const struct multisig *m)
{
    size_t size = 0;
    const uint8_t *data = plain_data(m, &size);
    if (!data)
        return PROTOCOL_NONE;
    if (size >= MARK && memcmp(data, counterparty_mark, MARK) == 0)
        tx->plain = PROTOCOL_COUNTERPARTY;
    if (size >= MARK && memcmp(data, chancecoin_mark, MARK) == 0)
        tx->plain = PROTOCOL_CHANCECOIN;
    return tx->plain;
}

/* ---- Stamps ---- */

/* Looks for stamp: or stamps:, in whatever case, in bytes that come in pieces. */
struct stamp_search {
    size_t matched; /* letters of "stamp" that the bytes so far end in; 5: all of it; 6: and an s */
    bool found;
};

static void stamp_search_add(struct stamp_search *search, const uint8_t *bytes, size_t size)
{
    static const char word[] = "stamps";
    for (size_t i = 0; i < size && !search->found; i++) {
        char letter = (char)(bytes[i] >= 'A' && bytes[i] <= 'Z' ? bytes[i] + ('a' - 'A') : bytes[i]);
        search->found = search->matched >= 5 && letter == ':';
        if (search->matched < 6 && letter == word[search->matched])
            search->matched++;
        else if (search->matched == 6 && letter == word[1])
            search->matched = 2; /* the s after the word was the first letter of another */
        else
            search->matched = letter == word[0] ? 1 : 0;
    }
}

static bool is_one_of_three(const struct multisig *m) { return m->required == 1 && m->keys == 3; }

/* ---- Omni ---- */

#define PACKET 31u

struct exodus {
    uint8_t script[25];
    const char *network;
};

/* 1EXoDusjGwvnjZUyKkxZ4UHEf77z6A5S4P, and moneyqMan7uh8FqdCA2BV5yZ8qVrc9ikLP of the test networks. */
static const struct exodus exodus[] = {
    {{0x76, 0xa9, 0x14, 0x94, 0x6c, 0xb2, 0xe0, 0x80, 0x75, 0xbc, 0xba, 0xf1, 0x57,
      0xe4, 0x7b, 0xcb, 0x67, 0xeb, 0x2b, 0x23, 0x39, 0xd2, 0x42, 0x88, 0xac},
     "main"},
    {{0x76, 0xa9, 0x14, 0x5a, 0xb9, 0x35, 0x63, 0xa2, 0x89, 0xb7, 0x4c, 0x35, 0x5a,
      0x9b, 0x92, 0x58, 0xb8, 0x6f, 0x12, 0xbb, 0x84, 0xaf, 0xfb, 0x88, 0xac},
     "regtest"}, /* its addresses of these two types are those of the other test networks */
};

static const struct exodus *exodus_of(const uint8_t *script, size_t size)
{
    for (size_t i = 0; i < sizeof exodus / sizeof *exodus; i++)
        if (size == sizeof exodus[i].script && memcmp(script, exodus[i].script, size) == 0)
            return &exodus[i];
    return NULL;
}

/* True if the first packet is one of that sender. A type is a small number, or one of the few that end the range. */
static bool packet_opens(const char *sender, size_t length, const uint8_t packet[PACKET])
{
    uint8_t hash[32], plain[5];
    sha256((const uint8_t *)sender, length, hash);
    for (size_t i = 0; i < sizeof plain; i++)
        plain[i] = packet[i] ^ hash[i];
    return plain[0] == 1 && plain[1] == 0 && (plain[3] == 0 || plain[3] == 0xff);
}

/* Does the last item that a scriptSig pushes, as the key of a P2PKH output or as the redeem script of a P2SH output,
 * have an address whose packet it is? A redeem script may look like a key. */
static bool input_opens(const struct tx_input *in, const struct network *network, const uint8_t packet[PACKET])
{
    struct pushes pushes = pushes_of_script(in->script, in->script_size);
    struct push push, last = {0};
    char text[ADDRESS_SIZE_MAX];
    while (pushes_next(&pushes, &push))
        last = push;
    if (!pushes_whole(&pushes) || !last.data)
        return false;
    uint8_t key[25] = {OP_DUP, OP_HASH160, HASH160_SIZE, [23] = OP_EQUALVERIFY, [24] = OP_CHECKSIG};
    uint8_t redeem[23] = {OP_HASH160, HASH160_SIZE, [22] = OP_EQUAL};
    hash160(last.data, last.size, redeem + 2);
    memcpy(key + 3, redeem + 2, HASH160_SIZE);
    if (packet_opens(text, (size_t)(address_put(text, network, redeem, sizeof redeem) - text), packet))
        return true;
    return script_key_size_fits(last.data, last.size) &&
           packet_opens(text, (size_t)(address_put(text, network, key, sizeof key) - text), packet);
}

static bool omni_opens(struct cursor inputs, uint32_t count, const struct exodus *paid, const uint8_t packet[PACKET])
{
    const struct network *network = network_by_name(paid->network);
    struct tx_input in;
    for (uint32_t i = 0; i < count; i++) {
        tx_input(&inputs, &in);
        if (!cursor_ok(&inputs))
            return false;
        if (input_opens(&in, network, packet))
            return true;
    }
    return false;
}

static bool has_packets(const struct multisig *m) { return m->keys >= 2 && m->keys_fit; }

/* ---- a transaction ---- */

/* What the walk over the outputs of a transaction finds. */
struct marks {
    struct rc4 stamps; /* goes on from output to output */
    uint8_t stamps_begin[CHUNK_MAX];
    size_t stamps_size; /* of the first output of 1 of 3; 0: none so far */
    struct stamp_search within;
    bool burn; /* a message of Counterparty has a key burn as its last key */
    const struct exodus *exodus;
    const uint8_t *packet; /* the first one, if it is one */
};

static void take_marks(const struct protocol_tx *tx, const uint8_t *script, size_t size, struct marks *marks)
{
    struct multisig m;
    uint8_t chunk[CHUNK_MAX];
    const uint8_t *message;
    size_t message_size;
    if (!marks->exodus)
        marks->exodus = exodus_of(script, size);
    if (!multisig_read(script, size, &m))
        return;
    if (marks->stamps_size == 0 && is_one_of_three(&m))
        marks->stamps_size = decrypt_keys(&marks->stamps, &m, 0, 2, marks->stamps_begin);
    if (!marks->packet && has_packets(&m))
        marks->packet = m.key[1] + 1;
    if (counterparty_message(tx, &m, chunk, &message, &message_size)) {
        stamp_search_add(&marks->within, message, message_size);
        marks->burn |= pubkey_is_burn(m.key[m.keys - 1], m.key_size[m.keys - 1]);
    }
}

static bool begins_stamp(const struct marks *marks)
{
    static const uint8_t mark[6] = "stamp:";
    return marks->stamps_size >= 2 + sizeof mark && memcmp(marks->stamps_begin + 2, mark, sizeof mark) == 0;
}

/* The key is the txid as it is printed, last byte first. */
static void begin_cipher(struct protocol_tx *tx, const struct tx_input *first)
{
    uint8_t key[HASH256_SIZE];
    for (size_t i = 0; i < HASH256_SIZE; i++)
        key[i] = first->prevout[HASH256_SIZE - 1 - i];
    rc4_begin(&tx->cipher, key, sizeof key);
}

void protocol_tx_begin(struct protocol_tx *found, const uint8_t *bytes, size_t size)
{
    struct cursor c = cursor_over(bytes, size);
    struct tx tx;
    struct tx_input in;
    struct tx_output out;
    *found = (struct protocol_tx){.plain = PROTOCOL_NONE};
    tx_begin(&c, &tx);
    struct cursor inputs = c;
    for (uint32_t i = 0; i < tx.inputs && cursor_ok(&c); i++) {
        tx_input(&c, &in);
        if (i == 0 && cursor_ok(&c))
            begin_cipher(found, &in);
    }
    tx_outputs(&c, &tx);
    struct marks marks = {.stamps = found->cipher};
    for (uint32_t i = 0; i < tx.outputs && cursor_ok(&c); i++) {
        tx_output(&c, &out);
        if (cursor_ok(&c))
            take_marks(found, out.script, out.script_size, &marks);
    }
    found->stamps = begins_stamp(&marks);
    found->stamps_within = marks.within.found || marks.burn;
    found->omni = marks.exodus && marks.packet && omni_opens(inputs, tx.inputs, marks.exodus, marks.packet);
}

enum protocol protocol_tx_next(struct protocol_tx *tx, const uint8_t *script, size_t size)
{
    struct multisig m;
    uint8_t chunk[CHUNK_MAX];
    const uint8_t *message;
    size_t message_size;
    if (!multisig_read(script, size, &m))
        return PROTOCOL_NONE;
    if (tx->omni && has_packets(&m))
        return PROTOCOL_OMNI;
    if (tx->stamps && is_one_of_three(&m))
        return PROTOCOL_STAMPS;
    if (counterparty_message(tx, &m, chunk, &message, &message_size))
        return tx->stamps_within ? PROTOCOL_STAMPS : PROTOCOL_COUNTERPARTY;
    return plain_next(tx, &m);
}

/* ---- an output alone ---- */

static bool is_rskblock(const uint8_t *script, size_t size)
{
    static const uint8_t mark[9] = "RSKBLOCK:";
    return size >= sizeof mark && memcmp(script, mark, sizeof mark) == 0;
}

static bool is_ppk(const struct multisig *m)
{
    static const uint8_t mark[33] = {0x03, 0x20, 0xa0, 0xde, 0x36, 0x0c, 0xc2, 0xae, 0x86, 0x72, 0xdb,
                                     0x7d, 0x55, 0x70, 0x86, 0xa4, 0xe7, 0xc8, 0xec, 0xa0, 0x62, 0xc0,
                                     0xa5, 0xa4, 0xba, 0x99, 0x22, 0xde, 0xe0, 0xaa, 0xcf, 0x3e, 0x12};
    return m->keys >= 2 && m->key_size[1] == sizeof mark && memcmp(m->key[1], mark, sizeof mark) == 0;
}

static enum protocol protocol_of_keys(const uint8_t *const *keys, const size_t *sizes, unsigned count)
{
    bool off_curve = false;
    for (unsigned i = 0; i < count; i++) {
        if (pubkey_is_burn(keys[i], sizes[i]))
            return PROTOCOL_KEY_BURN;
        off_curve = off_curve || !pubkey_on_curve(keys[i], sizes[i]);
    }
    return off_curve ? PROTOCOL_DATA_KEYS : PROTOCOL_NONE;
}

enum protocol protocol_of_output(enum protocol of_tx, enum kind kind, const uint8_t *script, size_t size)
{
    struct multisig m;
    if (of_tx != PROTOCOL_NONE)
        return of_tx;
    if (kind == KIND_PUBKEY) {
        const uint8_t *key = script + 1;
        size_t key_size = size - 2;
        return protocol_of_keys(&key, &key_size, 1);
    }
    if (kind == KIND_NONSTANDARD && is_rskblock(script, size))
        return PROTOCOL_RSK;
    if ((kind != KIND_MULTISIG && kind != KIND_NONSTANDARD) || !multisig_read(script, size, &m))
        return PROTOCOL_NONE;
    return is_ppk(&m) ? PROTOCOL_PPK : protocol_of_keys(m.key, m.key_size, m.keys);
}

unsigned protocol_data_keys(enum protocol protocol, const struct multisig *keys)
{
    size_t size;
    unsigned all = (1u << keys->keys) - 1;
    switch (protocol) {
    case PROTOCOL_COUNTERPARTY:
        if (plain_data(keys, &size))
            return 2; /* the early form has the sender's key first */
        return all >> 1;
    case PROTOCOL_STAMPS: return all >> 1;
    case PROTOCOL_CHANCECOIN: return 2;
    case PROTOCOL_OMNI:
    case PROTOCOL_PPK: return all & ~1u;
    default: return 0;
    }
}
