/* target: what an HTTP request asks for (RFC 9112, section 3.2.1: a path and perhaps a query), taken apart. The text is
 * hostile: it is bounded, and what is not well-formed is refused as a whole.
 *
 * Pure functions; any thread. */
#ifndef UNKTX_CLI_OUTPUT_TARGET_H
#define UNKTX_CLI_OUTPUT_TARGET_H

#include <stdbool.h>
#include <stddef.h>

#define TARGET_MAX 2048u
#define TARGET_FIELDS 64u

struct target_field {
    const char *name;
    const char *value;
};

struct target {
    const char *path; /* decoded; begins with a slash */
    struct target_field fields[TARGET_FIELDS];
    size_t fields_count;
    char bytes[TARGET_MAX + 2]; /* what the others point into: a target is not to be copied */
};

/* False for what does not begin with a slash, is longer than TARGET_MAX, has more than TARGET_FIELDS fields, a percent
 * sign without two hexadecimal digits after it, a control character (also as %XX), or bytes that are no UTF-8. In a
 * query a + is a space. O(size). */
bool target_parse(const char *text, struct target *target);

/* The value of the last field of that name; NULL if there is none. */
const char *target_get(const struct target *target, const char *name);

/* Writes the text as a value of a query, without a terminator; returns the end. At most 3 * strlen(text) bytes. */
char *target_put(char *out, const char *text);

#endif
