#include "parser/script.h"
#include "parser/spend_search.h"

bool script_anyone_can_spend(const uint8_t *script, size_t size)
{
    uint8_t spend[SCRIPT_SIZE_MAX];
    size_t spend_size;
    if (size == 0)
        return true; /* of a true item */
    /* every other kind asks for a signature or a hash, or is known; a version 0 witness program that is nonstandard for
     * its length cannot be spent at all */
    bool version_0 = size >= 4 && size <= 42 && script[0] == OP_0 && script[1] == size - 2;
    return !version_0 && script_kind(script, size) == KIND_NONSTANDARD &&
           spend_search(script, size, spend, &spend_size);
}
