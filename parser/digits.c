#include "parser/digits.h"

#include <assert.h>

#define DIGITS_MAX 19u /* 10^19 - 1 is below 2^64 */

bool digits_number(const char *text, size_t digits, uint64_t *number)
{
    uint64_t sum = 0;
    size_t i = 0;
    assert(digits <= DIGITS_MAX);
    for (; i < digits && text[i] >= '0' && text[i] <= '9'; i++)
        sum = sum * 10 + (uint64_t)(text[i] - '0');
    if (i == 0 || text[i] != '\0')
        return false;
    *number = sum;
    return true;
}

static int nibble(char digit)
{
    return digit >= '0' && digit <= '9'   ? digit - '0'
           : digit >= 'a' && digit <= 'f' ? digit - 'a' + 10
           : digit >= 'A' && digit <= 'F' ? digit - 'A' + 10
                                          : -1;
}

bool digits_are_hex(const char *text, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (nibble(text[i]) < 0)
            return false;
    return count > 0;
}

bool digits_bytes(const char *text, size_t size, uint8_t *bytes)
{
    for (size_t i = 0; i < size; i++, text += 2) {
        if (nibble(text[0]) < 0 || nibble(text[1]) < 0)
            return false;
        bytes[i] = (uint8_t)(nibble(text[0]) << 4 | nibble(text[1]));
    }
    return true;
}
