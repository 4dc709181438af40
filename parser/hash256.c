#include "parser/hash256.h"

#include "parser/bytes.h"

typedef uint8_t bytes8 __attribute__((vector_size(8)));
typedef uint8_t bytes16 __attribute__((vector_size(16)));
typedef uint16_t pairs8 __attribute__((vector_size(16)));

/* The 16 digits of a number, all at once: tables of millions of rows are mostly hashes. Each byte becomes a pair of
 * bytes, its high nibble before its low one, and nibbles above 9 go on at 'a' and not after '9'. */
char *hash256_digits(uint64_t number, char *out)
{
    bytes8 bytes;
    number = __builtin_bswap64(number);
    memcpy(&bytes, &number, sizeof bytes);
    pairs8 pairs = __builtin_convertvector(bytes, pairs8);
    pairs = pairs >> 4 | (pairs & 15) << 8;
    bytes16 digits = (bytes16)pairs;
    digits += '0' + ((bytes16)(digits > 9) & ('a' - '0' - 10));
    memcpy(out, &digits, sizeof digits);
    return out + sizeof digits;
}

char *hash256_hex(const struct hash256 *hash, char *out)
{
    for (size_t i = HASH256_SIZE; i > 0; i -= sizeof(uint64_t))
        out = hash256_digits(load_le64(hash->bytes + i - sizeof(uint64_t)), out);
    return out;
}

static int digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool hash256_parse(const char *text, struct hash256 *hash)
{
    struct hash256 parsed;
    for (size_t i = HASH256_SIZE; i-- > 0; text += 2) {
        int high = digit_value(text[0]);
        int low = high < 0 ? -1 : digit_value(text[1]); /* a terminator in text[0] must not be stepped over */
        if (low < 0)
            return false;
        parsed.bytes[i] = (uint8_t)(high << 4 | low);
    }
    if (*text != '\0')
        return false;
    *hash = parsed;
    return true;
}
