/* operand: what an operand names: a transaction or block by its hash, an output, an input, a height. A txid may be cut
 * to its first digits (prefix.h). */
#ifndef UNKTX_CLI_INPUTS_OPERAND_H
#define UNKTX_CLI_INPUTS_OPERAND_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/inputs/prefix.h"

enum operand_type {
    OPERAND_HASH,   /* TXID or BLOCKHASH: 64 hexadecimal digits */
    OPERAND_OUTPUT, /* TXID:VOUT */
    OPERAND_INPUT,  /* TXID/VIN */
    OPERAND_HEIGHT, /* digits */
};

struct operand {
    enum operand_type type;
    struct hash256 hash; /* unless the prefix is shorter */
    struct prefix prefix;
    uint32_t number; /* vout, vin or height */
};

/* False if the word is none of these. With `heights` a word of digits alone below 2^32 - 1 without zeros before it is
 * one, else the beginning of a txid. */
bool operand_parse(const char *word, bool heights, struct operand *operand);
/* Digits alone with a zero before them, which may have been meant as a height: it is none, since many a hash begins
 * so. */
bool operand_is_padded(const char *word);

/* Sets the hash of an operand of which only the first digits were given, by the index, or by the stored transactions
 * where that is NULL. STATUS_NOT_FOUND; STATUS_REFUSED: several begin so, told on stderr. O(transactions). */
enum status operand_complete(struct operand *operand, const struct forest *forest, struct tx_index *index,
                             struct fault *fault) MUST_CHECK;

/* Where a padded word was not found (`status`), says too what may have been meant. Returns `status`. */
enum status operand_tell_padded(const char *word, enum status status, struct fault *fault) MUST_CHECK;

/* What is to be said after "no block of that height": the digits may be meant as the first ones of a hash. */
const char *operand_height_hint(uint32_t height);

#define OPERAND_WORD_SIZE 256u

/* The operands of a command one after the other; "-" stands for the words of standard input. Set `list` and `count`,
 * the rest zero. */
struct operand_words {
    const char *const *list;
    size_t count;
    size_t next;
    char word[OPERAND_WORD_SIZE]; /* of standard input; a longer one comes in pieces */
};

/* The next word, borrowed until the next call; NULL at the end. */
const char *operand_next(struct operand_words *words);

/* The first of the operands on the command line that `fits` refuses, NULL if none. "-" fits. */
const char *operand_unfit(const char *const *list, size_t count, bool (*fits)(const char *word));

#endif
