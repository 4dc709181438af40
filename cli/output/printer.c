#include "cli/output/printer.h"

const char *grouped(char out[GROUPED_SIZE], uint64_t number)
{
    char digits[PUT_U64_MAX];
    size_t size = (size_t)(put_u64(digits, number) - digits);
    char *p = out;
    for (size_t i = 0; i < size; i++) {
        if (i > 0 && (size - i) % 3 == 0)
            *p++ = ',';
        *p++ = digits[i];
    }
    *p = '\0';
    return out;
}
