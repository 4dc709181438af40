/* printable: which characters of a text from outside (the name of a file, a line of a table) can be shown as they are.
 * Thread rule: none, no state. */
#ifndef UNKTX_PARSER_PRINTABLE_H
#define UNKTX_PARSER_PRINTABLE_H

#include <stddef.h>

/* The number of bytes, 1 to 4, of the first character of text[0..size - 1] in UTF-8 in its shortest form (RFC 3629), 0
 * where there is none. O(1). */
size_t utf8_size(const char *text, size_t size);

/* The same, and 0 for what would do something rather than be seen: control characters (C0, DEL, C1),
 * line and paragraph separators, and marks that turn the direction of the text around them (Unicode's Bidi_Control).
 * O(1). */
size_t printable_size(const char *text, size_t size);

#endif
