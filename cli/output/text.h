/* text: rows of tables, formatted by hand into a growing buffer: printf would take most of a command's time.
 *
 * Use: p = text_room(&text, most that the row may take); p = put_u64(p, 7); *p++ = ','; ... text_end(&text, p).
 * The put functions write without a terminator and return the end. Thread rule: a text belongs to one thread. */
#ifndef UNKTX_CLI_OUTPUT_TEXT_H
#define UNKTX_CLI_OUTPUT_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "parser/hash256.h"
#include "parser/status.h"

/* Zero-initialise; text_free at the end. */
struct text {
    char *bytes;
    size_t size;
    size_t capacity;
};

/* Room for `size` more bytes after what is there; NULL without memory. */
char *text_room(struct text *text, size_t size) MUST_CHECK;
static inline void text_end(struct text *text, const char *end) { text->size = (size_t)(end - text->bytes); }

/* Appends as printf does; for what is not in a loop over rows. STATUS_NOMEM. */
enum status text_printf(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3))) MUST_CHECK;
/* Appends a word as a shell reads it back, in quotes where it needs them, and a terminator after the end, as
 * text_printf does. STATUS_NOMEM. */
enum status text_word(struct text *text, const char *word) MUST_CHECK;
void text_free(struct text *text);

/* For text_printf: a number as %llu, and satoshis as bitcoins with all eight decimals. */
#define ULL(number) ((unsigned long long)(number))
#define BTC "%llu.%08llu BTC"
#define BTC_OF(sat) ULL((sat) / 100000000u), ULL((sat) % 100000000u)

#define PUT_U64_MAX 20u

/* A number from 0 to 10^12 with six decimals. At most PUT_MICRO_MAX bytes. */
#define PUT_MICRO_MAX (PUT_U64_MAX + 1u)
char *put_micro(char *out, double value);
/* Its millionths as they are written. */
static inline uint64_t micro_of(double value) { return (uint64_t)(value * 1e6 + 0.5); }

char *put_u64(char *out, uint64_t value);
char *put_hex(char *out, const uint8_t *bytes, size_t size);
/* Text from outside: what would do something to a terminal instead of being seen (printable.h) as \xHH, byte by byte;
 * the rest as it is. At most 4 * size bytes. */
char *put_quoted(char *out, const char *text, size_t size);
/* A field of RFC 4180: put_quoted, and in quotes, with those inside doubled, where a comma or quote needs it. At most
 * 4 * strlen(field) + 2 bytes. */
char *put_field(char *out, const char *field);
/* A string of JSON with its quotes; what is not to be seen is escaped, and bytes that are no UTF-8 become U+FFFD. At
 * most 6 * strlen(string) + 2 bytes. */
char *put_json(char *out, const char *string);

static inline char *put_text(char *out, const char *string)
{
    size_t size = strlen(string);
    memcpy(out, string, size);
    return out + size;
}

/* A number and a comma after it. */
static inline char *put_cell(char *out, uint64_t value)
{
    out = put_u64(out, value);
    *out++ = ',';
    return out;
}

static inline char *put_hash_cell(char *out, const struct hash256 *hash)
{
    out = hash256_hex(hash, out);
    *out++ = ',';
    return out;
}

#endif
