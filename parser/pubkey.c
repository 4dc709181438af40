#include "parser/pubkey.h"

#include <secp256k1.h>
#if __has_include(<secp256k1_extrakeys.h>)
#include <secp256k1_extrakeys.h>
#endif
#include <string.h>

#include "parser/jacobi.h"
#include "parser/sha256.h"

#define COMPRESSED_SIZE 33u
#define REMEMBERED                                                                                                     \
    64u /* keys, by their last byte; more would not fit a small stack, of which a thread's own memory is */

static bool library_parses(const uint8_t *key, size_t size)
{
    /* The static context has no tables for signing and needs none here; being constant, it serves every thread. Its
     * name before libsecp256k1 0.2 was secp256k1_context_no_precomp. */
    secp256k1_pubkey point;
    return secp256k1_ec_pubkey_parse(secp256k1_context_static, &point, key, size) == 1;
}

/* Has the curve y^2 = x^3 + 7 a point with that x? The library would work y out. */
static bool compressed_on_curve(const uint8_t key[COMPRESSED_SIZE])
{
    static const struct field seven = {{7}};
    struct field x, y2;
    if (!field_read(&x, key + 1))
        return false;
    y2 = field_square(&x);
    y2 = field_multiply(&y2, &x);
    y2 = field_add(&y2, &seven);
    int symbol = jacobi_symbol(&y2, JACOBI_ROUNDS);
    return symbol == 0 ? library_parses(key, COMPRESSED_SIZE) : symbol > 0;
}

/* A table's row asks for a key up to three times, and a protocol's outputs have the same key over and over. */
bool pubkey_on_curve(const uint8_t *key, size_t size)
{
    static _Thread_local struct {
        uint8_t key[COMPRESSED_SIZE];
        bool on_curve;
    } known[REMEMBERED];
    if (size != COMPRESSED_SIZE || (key[0] != 2 && key[0] != 3))
        return library_parses(key, size);
    size_t place = key[COMPRESSED_SIZE - 1] % REMEMBERED;
    if (memcmp(known[place].key, key, COMPRESSED_SIZE) != 0) {
        memcpy(known[place].key, key, COMPRESSED_SIZE);
        known[place].on_curve = compressed_on_curve(key);
    }
    return known[place].on_curve;
}

bool pubkey_uncompressed(const uint8_t *key, size_t size, uint8_t out[PUBKEY_UNCOMPRESSED_SIZE])
{
    const secp256k1_context *context = secp256k1_context_static;
    secp256k1_pubkey point;
    size_t out_size = PUBKEY_UNCOMPRESSED_SIZE;
    return secp256k1_ec_pubkey_parse(context, &point, key, size) == 1 &&
           secp256k1_ec_pubkey_serialize(context, out, &out_size, &point, SECP256K1_EC_UNCOMPRESSED) == 1;
}

bool pubkey_is_burn(const uint8_t *key, size_t size)
{
    return (size == 33 || size == 65) && memcmp(key + 1, key + 2, size - 2) == 0;
}

#ifdef SECP256K1_EXTRAKEYS_H
/* hash_TapTweak(x) of BIP 341, for an output without a script path. */
static void tap_tweak(const uint8_t x[PUBKEY_X_SIZE], uint8_t out[32])
{
    struct sha256_stream stream;
    sha256_begin_tagged(&stream, "TapTweak");
    sha256_add(&stream, x, PUBKEY_X_SIZE);
    sha256_end(&stream, out);
}

static bool work_taproot_out(const uint8_t *key, size_t size, uint8_t out[PUBKEY_X_SIZE])
{
    const secp256k1_context *context = secp256k1_context_static;
    secp256k1_pubkey point, tweaked;
    secp256k1_xonly_pubkey x_only;
    uint8_t tweak[32];
    if (secp256k1_ec_pubkey_parse(context, &point, key, size) != 1 ||
        secp256k1_xonly_pubkey_from_pubkey(context, &x_only, NULL, &point) != 1 ||
        secp256k1_xonly_pubkey_serialize(context, out, &x_only) != 1)
        return false;
    tap_tweak(out, tweak);
    return secp256k1_xonly_pubkey_tweak_add(context, &tweaked, &x_only, tweak) == 1 &&
           secp256k1_xonly_pubkey_from_pubkey(context, &x_only, NULL, &tweaked) == 1 &&
           secp256k1_xonly_pubkey_serialize(context, out, &x_only) == 1;
}

/* Remembered as in pubkey_on_curve: it takes ten times as long. */
bool pubkey_taproot(const uint8_t *key, size_t size, uint8_t out[PUBKEY_X_SIZE])
{
    static _Thread_local struct {
        uint8_t key[COMPRESSED_SIZE];
        uint8_t x[PUBKEY_X_SIZE];
        bool is_point;
    } known[REMEMBERED];
    if (size != COMPRESSED_SIZE)
        return work_taproot_out(key, size, out);
    size_t place = key[COMPRESSED_SIZE - 1] % REMEMBERED;
    if (memcmp(known[place].key, key, COMPRESSED_SIZE) != 0) {
        memcpy(known[place].key, key, COMPRESSED_SIZE);
        known[place].is_point = work_taproot_out(key, size, known[place].x);
    }
    memcpy(out, known[place].x, PUBKEY_X_SIZE);
    return known[place].is_point;
}

bool pubkey_has_taproot(void) { return true; }
#else
bool pubkey_taproot(const uint8_t *key, size_t size, uint8_t out[PUBKEY_X_SIZE])
{
    (void)key;
    (void)size;
    (void)out;
    return false;
}

bool pubkey_has_taproot(void) { return false; }
#endif
