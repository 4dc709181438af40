/* digits: numbers and bytes that are written out, in a text from outside. Pure functions; any thread. */
#ifndef UNKTX_PARSER_DIGITS_H
#define UNKTX_PARSER_DIGITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A text of 1 to `digits` decimal digits, at most 19, and nothing else. */
bool digits_number(const char *text, size_t digits, uint64_t *number);
/* Are these so many hexadecimal digits, of either case? Not of none. */
bool digits_are_hex(const char *text, size_t count);
/* The bytes that 2 * size hexadecimal digits stand for. False where one is none; what follows is not looked at. */
bool digits_bytes(const char *text, size_t size, uint8_t *bytes);

#endif
