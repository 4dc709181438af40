#include "parser/hash256.h"

char *hash256_hex(const struct hash256 *hash, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = HASH256_SIZE; i-- > 0;) {
        *out++ = digits[hash->bytes[i] >> 4];
        *out++ = digits[hash->bytes[i] & 15];
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
