/* operand: what an operand names: a transaction or block by its hash, an output, an input, a height. */
#ifndef UNKTX_CLI_INPUTS_OPERAND_H
#define UNKTX_CLI_INPUTS_OPERAND_H

#include "parser/hash256.h"

enum operand_type {
    OPERAND_HASH,   /* TXID or BLOCKHASH: 64 hexadecimal digits */
    OPERAND_OUTPUT, /* TXID:VOUT */
    OPERAND_INPUT,  /* TXID/VIN */
    OPERAND_HEIGHT, /* digits */
};

struct operand {
    enum operand_type type;
    struct hash256 hash;
    uint32_t number; /* vout, vin or height */
};

/* False if the word is none of these. */
bool operand_parse(const char *word, struct operand *operand);

#endif
