/* script_number: how script operations read bytes as numbers and truths (Core's CScriptNum and CastToBool), and what
 * the operations on numbers and those that move items do. Pure functions over borrowed bytes; no allocation; any
 * thread. */
#ifndef UNKTX_PARSER_SCRIPT_NUMBER_H
#define UNKTX_PARSER_SCRIPT_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCRIPT_NUMBER_SIZE_MAX 4u /* bytes of an operand; a result may have one more */
#define SCRIPT_NUMBER_MAX 0x7fffffff

/* Little-endian; the top bit of the last byte is the sign. `size` is at most 8. */
int64_t script_number_read(const uint8_t *data, size_t size);

/* The shortest bytes of a number; returns how many. O(1). */
size_t script_number_write(int64_t number, uint8_t out[9]);

/* True if a bit is set other than the sign. O(size). */
bool script_is_true(const uint8_t *data, size_t size);

/* The result of an operation on one number (OP_1ADD to OP_0NOTEQUAL), or on two (OP_ADD, OP_SUB, OP_BOOLAND to OP_MAX;
 * x is the deeper one; OP_NUMEQUALVERIFY as OP_NUMEQUAL). False for any other operation. O(1). */
bool script_number_of_one(uint8_t code, int64_t x, int64_t *result);
bool script_number_of_two(uint8_t code, int64_t x, int64_t y, int64_t *result);

#define SHUFFLE_TAKES_MAX 6u
/* What the operations from OP_2DROP to OP_TUCK that only move items leave of the `*takes` items that they take, a the
 * deepest of them; NULL for any other operation. Static string. */
const char *script_shuffle(uint8_t code, size_t *takes);

#endif
