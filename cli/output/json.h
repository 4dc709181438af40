/* json: reads a JSON text (RFC 8259), value by value. Thread rule: pure function.
 *
 * Each string, number, true, false and null is told with the way that leads to it: the keys from the outside in, with
 * "/" between two and "*" for an element of a list: "resources / * / path" without the spaces. */
#ifndef UNKTX_CLI_OUTPUT_JSON_H
#define UNKTX_CLI_OUTPUT_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include "parser/status.h"

#define JSON_WAY_SIZE 128u /* a longer way is told by its beginning, which is none that anyone asks for */

/* One value: strings without quotes and with escapes undone, the others as they stand. Borrowed until the return.
 * A status other than STATUS_OK ends the walk and is returned. */
typedef enum status json_value(void *context, const char *way, const char *value, bool is_string);

/* Walks the text, which is changed: strings are cut in place. `text` has `size` bytes and a terminator after them.
 * STATUS_FORMAT with the byte: no JSON, a zero byte in a string, or nested more than 16 deep. O(size). */
enum status json_walk(char *text, size_t size, const char *path, json_value *value, void *context, struct fault *fault)
    MUST_CHECK;

#endif
