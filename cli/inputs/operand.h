/* operand: what an operand names: a transaction or block by its hash, an output, an input, a height. */
#ifndef UNKTX_CLI_INPUTS_OPERAND_H
#define UNKTX_CLI_INPUTS_OPERAND_H

#include "parser/hash256.h"

enum place_type {
    PLACE_HASH,   /* TXID or BLOCKHASH: 64 hexadecimal digits */
    PLACE_OUTPUT, /* TXID:VOUT */
    PLACE_INPUT,  /* TXID/VIN */
    PLACE_HEIGHT, /* digits */
};

struct place {
    enum place_type type;
    struct hash256 hash;
    uint32_t number; /* vout, vin or height */
};

/* False if the word is none of these. */
bool place_parse(const char *word, struct place *place);

#endif
