#include "parser/printable.h"

#include <stdbool.h>
#include <stdint.h>

/* The bytes of the first character and its code point; 0 if there is none. */
static size_t decode(const unsigned char *text, size_t size, uint32_t *point)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t count = text[0] >= 0xf0 ? 4 : text[0] >= 0xe0 ? 3 : 2;
    *point = text[0];
    if (text[0] < 0x80)
        return 1;
    if (text[0] < 0xc0 || text[0] >= 0xf8 || count > size)
        return 0;
    *point &= 0x7fu >> count;
    for (size_t i = 1; i < count; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
        *point = *point << 6 | (text[i] & 0x3f);
    }
    return *point >= least[count] && *point <= 0x10ffff && (*point < 0xd800 || *point > 0xdfff) ? count : 0;
}

static bool acts(uint32_t point)
{
    return point < 0x20 || (point >= 0x7f && point < 0xa0) || point == 0x61c || point == 0x200e || point == 0x200f ||
           (point >= 0x2028 && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069);
}

size_t utf8_size(const char *text, size_t size)
{
    uint32_t point;
    return size > 0 ? decode((const unsigned char *)text, size, &point) : 0;
}

size_t printable_size(const char *text, size_t size)
{
    uint32_t point = 0;
    size_t used = size > 0 ? decode((const unsigned char *)text, size, &point) : 0;
    return acts(point) ? 0 : used;
}
