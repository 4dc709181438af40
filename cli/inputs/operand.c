#include "cli/inputs/operand.h"

static bool parse_number(const char *text, uint32_t *number)
{
    uint64_t sum = 0;
    if (!*text)
        return false;
    for (; *text; text++) {
        unsigned digit = (unsigned)(*text - '0');
        if (digit > 9 || sum >= UINT32_MAX)
            return false;
        sum = sum * 10 + digit;
    }
    *number = (uint32_t)sum;
    return sum < UINT32_MAX;
}

bool place_parse(const char *word, struct place *place)
{
    char hex[HASH256_HEX_SIZE + 1] = "";
    size_t size = strcspn(word, ":/");
    *place = (struct place){.type = PLACE_HEIGHT};
    if (size != HASH256_HEX_SIZE)
        return parse_number(word, &place->number);
    memcpy(hex, word, size);
    if (!hash256_parse(hex, &place->hash))
        return false;
    place->type = word[size] == ':' ? PLACE_OUTPUT : word[size] == '/' ? PLACE_INPUT : PLACE_HASH;
    return place->type == PLACE_HASH || parse_number(word + size + 1, &place->number);
}
