/* hex: test vectors as bytes. */
#ifndef UNKTX_TESTS_PARSER_HEX_H
#define UNKTX_TESTS_PARSER_HEX_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "parser/hash256.h"

static inline size_t from_hex(const char *hex, uint8_t *out)
{
    size_t size = strlen(hex) / 2;
    for (size_t i = 0; i < size; i++) {
        unsigned byte = 0;
        assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
        out[i] = (uint8_t)byte;
    }
    return size;
}

static inline void assert_hash(const struct hash256 *hash, const char *reversed_hex)
{
    char text[HASH256_HEX_SIZE + 1];
    *hash256_hex(hash, text) = '\0';
    assert_string_equal(text, reversed_hex);
}

#endif
