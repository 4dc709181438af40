#include "cli/inputs/operand.h"

#include <stdio.h>
#include <string.h>

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

bool operand_is_padded(const char *word)
{
    return word[0] == '0' && word[1] != '\0' && word[strspn(word, "0123456789")] == '\0';
}

bool operand_parse(const char *word, bool heights, struct operand *operand)
{
    size_t size = strcspn(word, ":/");
    *operand = (struct operand){.type = OPERAND_HEIGHT};
    if (heights && !operand_is_padded(word) && parse_number(word, &operand->number))
        return true;
    if (!prefix_parse(word, size, &operand->prefix))
        return false;
    if (size == HASH256_HEX_SIZE && !hash256_parse(operand->prefix.digits, &operand->hash))
        return false;
    operand->type = word[size] == ':' ? OPERAND_OUTPUT : word[size] == '/' ? OPERAND_INPUT : OPERAND_HASH;
    return operand->type == OPERAND_HASH || parse_number(word + size + 1, &operand->number);
}

static bool is_stdin(const char *word) { return strcmp(word, "-") == 0; }

const char *operand_next(struct operand_words *words)
{
    while (words->next < words->count) {
        const char *word = words->list[words->next];
        if (!is_stdin(word)) {
            words->next++;
            return word;
        }
        if (fscanf(stdin, "%255s", words->word) == 1)
            return words->word;
        words->next++;
    }
    return NULL;
}

const char *operand_unfit(const char *const *list, size_t count, bool (*fits)(const char *word))
{
    for (size_t i = 0; i < count; i++)
        if (!is_stdin(list[i]) && !fits(list[i]))
            return list[i];
    return NULL;
}

enum status operand_complete(struct operand *operand, const struct forest *forest, struct tx_index *index,
                             struct fault *fault)
{
    if (operand->type == OPERAND_HEIGHT || operand->prefix.size == HASH256_HEX_SIZE)
        return STATUS_OK;
    return index ? prefix_find_indexed(&operand->prefix, index, &operand->hash, fault)
                 : prefix_find_stored(&operand->prefix, forest, &operand->hash, fault);
}

enum status operand_tell_padded(const char *word, enum status status, struct fault *fault)
{
    if (status != STATUS_NOT_FOUND || !operand_is_padded(word))
        return status;
    struct fault found = *fault;
    return fault_set(fault, status, found.path, found.offset,
                     "%s; a HEIGHT has no zeros before it, and a BLOCKHASH all of its digits", found.text);
}

const char *operand_height_hint(uint32_t height)
{
    return height < 1000 ? "" : "; digits alone are a HEIGHT: of a hash that begins so give more, up to a letter";
}
