#include "parser/hash256.h"

#include "parser/bytes.h"

/* The eight digits of a number, eight at once: tables of millions of rows are mostly hashes. Each nibble goes to a byte
 * of its own, and those above 9 go on at 'a' and not after '9'. */
static uint64_t hex_digits(uint32_t number)
{
    uint64_t x = number;
    x = (x | x << 16) & UINT64_C(0x0000ffff0000ffff);
    x = (x | x << 8) & UINT64_C(0x00ff00ff00ff00ff);
    x = (x | x << 4) & UINT64_C(0x0f0f0f0f0f0f0f0f);
    uint64_t letters = (x + UINT64_C(0x0606060606060606)) >> 4 & UINT64_C(0x0101010101010101);
    return x + UINT64_C(0x3030303030303030) + letters * ('a' - '0' - 10);
}

char *hash256_hex(const struct hash256 *hash, char *out)
{
    for (size_t i = HASH256_SIZE; i > 0; i -= 4, out += 8) {
        uint64_t digits = __builtin_bswap64(hex_digits(load_le32(hash->bytes + i - 4)));
        memcpy(out, &digits, sizeof digits);
    }
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
