#include "parser/script_number.h"

#include "parser/opcode.h"

int64_t script_number_read(const uint8_t *data, size_t size)
{
    uint64_t number = 0;
    for (size_t i = 0; i < size; i++)
        number |= (uint64_t)(i + 1 == size ? data[i] & 0x7f : data[i]) << 8 * i;
    return size > 0 && data[size - 1] & 0x80 ? -(int64_t)number : (int64_t)number;
}

size_t script_number_write(int64_t number, uint8_t out[9])
{
    size_t size = 0;
    for (uint64_t left = number < 0 ? -(uint64_t)number : (uint64_t)number; left > 0; left >>= 8)
        out[size++] = (uint8_t)left;
    if (size > 0 && out[size - 1] & 0x80)
        out[size++] = 0;
    if (number < 0)
        out[size - 1] |= 0x80;
    return size;
}

bool script_is_true(const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (data[i] & (i + 1 == size ? 0x7f : 0xff))
            return true;
    return false;
}

bool script_number_of_one(uint8_t code, int64_t x, int64_t *result)
{
    switch (code) {
    case OP_1ADD: *result = x + 1; return true;
    case OP_1SUB: *result = x - 1; return true;
    case OP_NEGATE: *result = -x; return true;
    case OP_ABS: *result = x < 0 ? -x : x; return true;
    case OP_NOT: *result = x == 0; return true;
    case OP_0NOTEQUAL: *result = x != 0; return true;
    default: return false;
    }
}

bool script_number_of_two(uint8_t code, int64_t x, int64_t y, int64_t *result)
{
    switch (code) {
    case OP_ADD: *result = x + y; return true;
    case OP_SUB: *result = x - y; return true;
    case OP_BOOLAND: *result = x && y; return true;
    case OP_BOOLOR: *result = x || y; return true;
    case OP_NUMEQUAL:
    case OP_NUMEQUALVERIFY: *result = x == y; return true;
    case OP_NUMNOTEQUAL: *result = x != y; return true;
    case OP_LESSTHAN: *result = x < y; return true;
    case OP_GREATERTHAN: *result = x > y; return true;
    case OP_LESSTHANOREQUAL: *result = x <= y; return true;
    case OP_GREATERTHANOREQUAL: *result = x >= y; return true;
    case OP_MIN: *result = x < y ? x : y; return true;
    case OP_MAX: *result = x > y ? x : y; return true;
    default: return false;
    }
}

const char *script_shuffle(uint8_t code, size_t *takes)
{
    static const struct {
        uint8_t takes;
        const char *leaves;
    } shuffles[] = {{2, ""},   {2, "abab"}, {3, "abcabc"}, {4, "abcdab"}, {6, "cdefab"}, {4, "cdab"},
                    {0, NULL}, {0, NULL},   {1, ""},       {1, "aa"},     {2, "b"},      {2, "aba"},
                    {0, NULL}, {0, NULL},   {3, "bca"},    {2, "ba"},     {2, "bab"}};
    if (code < OP_2DROP || code > OP_TUCK)
        return NULL;
    *takes = shuffles[code - OP_2DROP].takes;
    return shuffles[code - OP_2DROP].leaves;
}
