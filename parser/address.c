#include "parser/address.h"

#include "parser/opcode.h"
#include "parser/pubkey.h"
#include "parser/sha256.h"

#define HASH160_SIZE 20u
#define CHECK_SIZE 4u
#define PAYLOAD_SIZE (1u + HASH160_SIZE + CHECK_SIZE)

/* What Core's kernel/chainparams.cpp says of its networks: the test networks differ in the Bech32 prefix alone. */
struct prefixes {
    uint8_t pubkeyhash;
    uint8_t scripthash;
    const char *bech32;
};

static struct prefixes prefixes_of(const struct network *network)
{
    if (!network || strcmp(network->name, "main") == 0)
        return (struct prefixes){0, 5, "bc"};
    return (struct prefixes){111, 196, strcmp(network->name, "regtest") == 0 ? "bcrt" : "tb"};
}

/* ---- Base58Check ---- */

static const char base58_alphabet[] = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

static char *put_base58check(char *out, uint8_t version, const uint8_t hash[HASH160_SIZE])
{
    uint8_t payload[PAYLOAD_SIZE] = {version};
    char digits[PAYLOAD_SIZE * 2]; /* log 256 / log 58 is below 1.4 */
    size_t count = 0, zeros = 0;
    struct hash256 check;
    memcpy(payload + 1, hash, HASH160_SIZE);
    sha256d(payload, 1 + HASH160_SIZE, &check);
    memcpy(payload + 1 + HASH160_SIZE, check.bytes, CHECK_SIZE);
    while (zeros < sizeof payload && payload[zeros] == 0)
        zeros++;
    memset(out, base58_alphabet[0], zeros);
    out += zeros;
    /* Division of the big-endian number by 58 gives the digits from the last to the first. */
    for (size_t first = zeros; first < sizeof payload; first += payload[first] == 0) {
        unsigned rest = 0;
        for (size_t i = first; i < sizeof payload; i++) {
            unsigned part = rest * 256 + payload[i];
            payload[i] = (uint8_t)(part / 58);
            rest = part % 58;
        }
        digits[count++] = base58_alphabet[rest];
    }
    while (count > 0)
        *out++ = digits[--count]; /* cppcheck-suppress uninitvar ; the loop above wrote `count` of them */
    return out;
}

/* payload = payload * 58 + digit; false where it does not have room. */
static bool add_base58(uint8_t payload[PAYLOAD_SIZE], unsigned digit)
{
    for (size_t i = PAYLOAD_SIZE; i-- > 0; digit >>= 8) {
        digit += payload[i] * 58u;
        payload[i] = (uint8_t)digit;
    }
    return digit == 0;
}

/* A zero byte in front is a 1 in front, so each address has one text. */
static bool read_base58check(const char *text, size_t size, uint8_t *version)
{
    uint8_t payload[PAYLOAD_SIZE] = {0};
    struct hash256 check;
    size_t ones = 0, zeros = 0;
    while (ones < size && text[ones] == base58_alphabet[0])
        ones++;
    for (size_t i = 0; i < size; i++) {
        const char *at = memchr(base58_alphabet, text[i], sizeof base58_alphabet - 1);
        if (!at || !add_base58(payload, (unsigned)(at - base58_alphabet)))
            return false;
    }
    while (zeros < sizeof payload && payload[zeros] == 0)
        zeros++;
    sha256d(payload, 1 + HASH160_SIZE, &check);
    *version = payload[0];
    return ones == zeros && memcmp(payload + 1 + HASH160_SIZE, check.bytes, CHECK_SIZE) == 0;
}

/* ---- Bech32 and Bech32m ---- */

#define BECH32_CONSTANT 1u
#define BECH32M_CONSTANT 0x2bc830a3u
#define CHECK_CHARACTERS 6u

/* One step of the BCH code's checksum, as the BIP gives it. */
static uint32_t polymod(uint32_t check, unsigned value)
{
    static const uint32_t generator[5] = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3};
    uint32_t top = check >> 25;
    check = (check & 0x1ffffff) << 5 ^ value;
    for (unsigned i = 0; i < 5; i++)
        check ^= top >> i & 1 ? generator[i] : 0;
    return check;
}

static const char bech32_alphabet[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

static char *put_value(char *out, uint32_t *check, unsigned value)
{
    *check = polymod(*check, value);
    *out++ = bech32_alphabet[value];
    return out;
}

static char *put_segwit(char *out, const char *prefix, unsigned version, const uint8_t *program, size_t size)
{
    uint32_t check = 1, bits = 0;
    unsigned pending = 0;
    for (const char *p = prefix; *p; p++)
        check = polymod(check, (unsigned)*p >> 5);
    check = polymod(check, 0);
    for (const char *p = prefix; *p; p++) {
        check = polymod(check, (unsigned)*p & 31);
        *out++ = *p;
    }
    *out++ = '1';
    out = put_value(out, &check, version);
    for (size_t i = 0; i < size; i++) {
        bits = (bits << 8 | program[i]) & 0xfff;
        for (pending += 8; pending >= 5; pending -= 5)
            out = put_value(out, &check, bits >> (pending - 5) & 31);
    }
    if (pending > 0)
        out = put_value(out, &check, bits << (5 - pending) & 31);
    for (unsigned i = 0; i < CHECK_CHARACTERS; i++)
        check = polymod(check, 0);
    check ^= version == 0 ? BECH32_CONSTANT : BECH32M_CONSTANT;
    for (unsigned i = 0; i < CHECK_CHARACTERS; i++)
        *out++ = bech32_alphabet[check >> 5 * (5 - i) & 31];
    return out;
}

struct bech32 {
    char lower[ADDRESS_SIZE_MAX];
    size_t prefix; /* bytes before the 1 */
    uint32_t constant;
    uint8_t values[ADDRESS_SIZE_MAX]; /* of the characters after it, without the checksum */
    size_t count;
};

/* Into small letters; false for a text of both cases, or one that is too long. */
static bool fold_case(const char *text, size_t size, struct bech32 *read)
{
    bool has_lower = false, has_upper = false;
    read->prefix = 0;
    if (size > sizeof read->lower)
        return false;
    for (size_t i = 0; i < size; i++) {
        bool upper = text[i] >= 'A' && text[i] <= 'Z';
        has_upper |= upper;
        has_lower |= text[i] >= 'a' && text[i] <= 'z';
        read->lower[i] = (char)(upper ? text[i] - 'A' + 'a' : text[i]);
        read->prefix = text[i] == '1' ? i : read->prefix;
    }
    return !(has_lower && has_upper);
}

/* In one case, with a prefix, a 1 and a checksum of six characters at least. */
static bool split_bech32(const char *text, size_t size, struct bech32 *read)
{
    return fold_case(text, size, read) && read->prefix > 0 && size - read->prefix >= 1 + CHECK_CHARACTERS;
}

static bool read_bech32(const char *text, size_t size, struct bech32 *read)
{
    uint32_t check = 1;
    if (!split_bech32(text, size, read))
        return false;
    for (size_t i = 0; i < read->prefix; i++)
        check = polymod(check, (unsigned char)read->lower[i] >> 5);
    check = polymod(check, 0);
    for (size_t i = 0; i < read->prefix; i++)
        check = polymod(check, (unsigned char)read->lower[i] & 31);
    read->count = size - read->prefix - 1 - CHECK_CHARACTERS;
    for (size_t i = 0; i < read->count + CHECK_CHARACTERS; i++) {
        const char *at = memchr(bech32_alphabet, read->lower[read->prefix + 1 + i], sizeof bech32_alphabet - 1);
        if (!at)
            return false;
        read->values[i] = (uint8_t)(at - bech32_alphabet);
        check = polymod(check, read->values[i]);
    }
    read->constant = check;
    return check == BECH32_CONSTANT || check == BECH32M_CONSTANT;
}

/* A version and a program of whole bytes, after which less than five bits of 0 are left. */
static bool is_segwit(const struct bech32 *read)
{
    size_t bits = read->count > 0 ? 5 * (read->count - 1) : 0, size = bits / 8;
    if (size < 2 || size > 40 || read->values[0] > 16 || bits % 8 > 4)
        return false;
    if (read->values[read->count - 1] & ((1u << bits % 8) - 1))
        return false;
    return read->values[0] > 0 ? read->constant == BECH32M_CONSTANT
                               : read->constant == BECH32_CONSTANT && (size == 20 || size == 32);
}

bool address_is_whole(const char *text, size_t size)
{
    struct bech32 read;
    uint8_t version;
    return read_base58check(text, size, &version) || read_bech32(text, size, &read);
}

unsigned address_networks(const char *text, size_t size)
{
    struct bech32 read;
    uint8_t version = 0;
    unsigned networks = 0;
    bool base58 = read_base58check(text, size, &version);
    bool segwit = !base58 && read_bech32(text, size, &read) && is_segwit(&read);
    const struct network *network;
    for (unsigned i = 0; (network = network_at(i)) != NULL; i++) {
        struct prefixes prefixes = prefixes_of(network);
        bool fits = base58 && (version == prefixes.pubkeyhash || version == prefixes.scripthash);
        if (segwit)
            fits = read.prefix == strlen(prefixes.bech32) && memcmp(read.lower, prefixes.bech32, read.prefix) == 0;
        networks |= (unsigned)fits << i;
    }
    return networks;
}

/* Characters of an alphabet alone. */
static bool consists_of(const char *text, size_t size, const char *alphabet)
{
    size_t i = 0;
    while (i < size && text[i] != '\0' && strchr(alphabet, text[i]))
        i++;
    return i == size;
}

bool address_may_begin(const struct network *network, const char *text, size_t size)
{
    struct prefixes prefixes = prefixes_of(network);
    size_t prefix = strlen(prefixes.bech32);
    struct bech32 read;
    if (size == 0 || size > ADDRESS_SIZE_MAX)
        return false;
    if (strchr(prefixes.pubkeyhash == 0 ? "13" : "mn2", text[0]) && consists_of(text, size, base58_alphabet))
        return true;
    return fold_case(text, size, &read) && size > prefix && memcmp(read.lower, prefixes.bech32, prefix) == 0 &&
           read.lower[prefix] == '1' && consists_of(read.lower + prefix + 1, size - prefix - 1, bech32_alphabet);
}

char *address_put(char *out, const struct network *network, const uint8_t *script, size_t size)
{
    struct prefixes prefixes = prefixes_of(network);
    switch (script_kind(script, size)) {
    case KIND_PUBKEYHASH: return put_base58check(out, prefixes.pubkeyhash, script + 3);
    case KIND_SCRIPTHASH: return put_base58check(out, prefixes.scripthash, script + 2);
    case KIND_WITNESS_V0_KEYHASH:
    case KIND_WITNESS_V0_SCRIPTHASH: return put_segwit(out, prefixes.bech32, 0, script + 2, size - 2);
    case KIND_WITNESS_V1_TAPROOT:
    case KIND_ANCHOR:
    case KIND_WITNESS_UNKNOWN: return put_segwit(out, prefixes.bech32, script[0] - 0x50u, script + 2, size - 2);
    case KIND_NONSTANDARD:
    case KIND_NULLDATA:
    case KIND_PUBKEY:
    case KIND_MULTISIG: break;
    }
    return out;
}

char *address_put_of_key(char *out, const struct network *network, const uint8_t *key, size_t size,
                         enum key_address kind)
{
    uint8_t hash[HASH160_SIZE], program[2 + PUBKEY_X_SIZE] = {OP_0, HASH160_SIZE};
    struct prefixes prefixes = prefixes_of(network);
    if (kind == KEY_ADDRESS_P2TR) {
        program[0] = OP_1;
        program[1] = PUBKEY_X_SIZE;
        bool has = size == 33 && pubkey_taproot(key, size, program + 2);
        return has ? address_put(out, network, program, 2 + PUBKEY_X_SIZE) : out;
    }
    hash160(key, size, hash);
    if (kind == KEY_ADDRESS_P2PKH)
        return put_base58check(out, prefixes.pubkeyhash, hash);
    if (size != 33)
        return out;
    memcpy(program + 2, hash, HASH160_SIZE);
    if (kind == KEY_ADDRESS_P2WPKH)
        return address_put(out, network, program, 2 + HASH160_SIZE);
    hash160(program, 2 + HASH160_SIZE, hash);
    return put_base58check(out, prefixes.scripthash, hash);
}
