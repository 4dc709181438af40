#include "cli/output/text.h"

#include <stdarg.h>
#include <stdio.h>

#include "parser/bytes.h"
#include "parser/mem.h"
#include "parser/printable.h"

char *text_room(struct text *text, size_t size)
{
    if (size > SIZE_MAX - text->size || mem_reserve(&text->bytes, &text->capacity, text->size + size, 1) != STATUS_OK)
        return NULL;
    return text->bytes + text->size;
}

enum status text_printf(struct text *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    char *out = size < 0 ? NULL : text_room(text, (size_t)size + 1);
    if (!out)
        return STATUS_NOMEM;
    va_start(arguments, format);
    vsnprintf(out, (size_t)size + 1, format, arguments);
    va_end(arguments);
    text->size += (size_t)size;
    return STATUS_OK;
}

enum status text_word(struct text *text, const char *word)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./@%+=:,-";
    static const char quote[] = "'\\''"; /* the quotes end, a quote of its own, the quotes begin again */
    size_t size = strlen(word);
    bool quoted = size == 0 || strspn(word, plain) < size;
    char *p = text_room(text, (sizeof quote - 1) * size + 3);
    if (!p)
        return STATUS_NOMEM;
    if (quoted)
        *p++ = '\'';
    for (; *word; word++)
        if (*word == '\'')
            p = put_text(p, quote);
        else
            *p++ = *word;
    if (quoted)
        *p++ = '\'';
    *p = '\0';
    text_end(text, p);
    return STATUS_OK;
}

void text_free(struct text *text)
{
    mem_free(text->bytes);
    *text = (struct text){0};
}

/* How many digits: log10 from log2 (1233 / 4096 is log10(2), just enough of it), one more where the number has reached
 * the next power of ten. */
static unsigned digits_of(uint64_t value)
{
    static const uint64_t powers[] = {0,
                                      UINT64_C(10),
                                      UINT64_C(100),
                                      UINT64_C(1000),
                                      UINT64_C(10000),
                                      UINT64_C(100000),
                                      UINT64_C(1000000),
                                      UINT64_C(10000000),
                                      UINT64_C(100000000),
                                      UINT64_C(1000000000),
                                      UINT64_C(10000000000),
                                      UINT64_C(100000000000),
                                      UINT64_C(1000000000000),
                                      UINT64_C(10000000000000),
                                      UINT64_C(100000000000000),
                                      UINT64_C(1000000000000000),
                                      UINT64_C(10000000000000000),
                                      UINT64_C(100000000000000000),
                                      UINT64_C(1000000000000000000),
                                      UINT64_C(10000000000000000000)};
    unsigned bits = 64u - (unsigned)__builtin_clzll(value | 1), digits = bits * 1233 >> 12;
    return digits + (value >= powers[digits]);
}

char *put_u64(char *out, uint64_t value)
{
    static const char pairs[] = "00010203040506070809101112131415161718192021222324252627282930313233343536373839"
                                "40414243444546474849505152535455565758596061626364656667686970717273747576777879"
                                "8081828384858687888990919293949596979899";
    char *end = out + digits_of(value), *at = end;
    while (value >= 100) {
        at -= 2;
        memcpy(at, pairs + value % 100 * 2, 2);
        value /= 100;
    }
    if (value >= 10)
        memcpy(at - 2, pairs + value * 2, 2);
    else
        at[-1] = (char)('0' + value);
    return end;
}

char *put_micro(char *out, double value)
{
    uint64_t micro = micro_of(value);
    out = put_u64(out, micro / 1000000);
    *out++ = '.';
    uint32_t rest = (uint32_t)(micro % 1000000);
    for (uint32_t unit = 100000; unit > 0; unit /= 10)
        *out++ = (char)('0' + rest / unit % 10);
    return out;
}

char *put_hex(char *out, const uint8_t *bytes, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    for (; size >= sizeof(uint64_t); size -= sizeof(uint64_t), bytes += sizeof(uint64_t))
        out = hash256_digits(load_be64(bytes), out);
    for (size_t i = 0; i < size; i++) {
        *out++ = digits[bytes[i] >> 4];
        *out++ = digits[bytes[i] & 15];
    }
    return out;
}

char *put_quoted(char *out, const char *text, size_t size)
{
    for (size_t shown, i = 0; i < size; i += shown) {
        shown = printable_size(text + i, size - i);
        if (shown == 0) {
            *out++ = '\\';
            *out++ = 'x';
            out = put_hex(out, (const uint8_t *)text + i, 1);
            shown = 1;
        } else {
            memcpy(out, text + i, shown);
            out += shown;
        }
    }
    return out;
}

char *put_field(char *out, const char *field)
{
    if (!field[strcspn(field, ",\"")])
        return put_quoted(out, field, strlen(field));
    *out++ = '"';
    while (*field) {
        size_t size = strcspn(field, "\"");
        out = put_quoted(out, field, size);
        field += size;
        if (*field == '"') {
            *out++ = '"';
            *out++ = *field++;
        }
    }
    *out++ = '"';
    return out;
}

/* One that is UTF-8 but not to be seen, of two or three bytes, all of Unicode's first plane. */
static char *put_json_escape(char *out, const unsigned char *bytes, size_t size)
{
    unsigned unit = size == 1   ? bytes[0]
                    : size == 2 ? (bytes[0] & 0x1fu) << 6 | (bytes[1] & 0x3fu)
                                : (bytes[0] & 0x0fu) << 12 | (bytes[1] & 0x3fu) << 6 | (bytes[2] & 0x3fu);
    const uint8_t big_endian[] = {(uint8_t)(unit >> 8), (uint8_t)unit};
    return put_hex(put_text(out, "\\u"), big_endian, 2);
}

char *put_json(char *out, const char *string)
{
    *out++ = '"';
    for (size_t shown, left = strlen(string); left > 0; left -= shown, string += shown) {
        shown = printable_size(string, left);
        if (*string == '"' || *string == '\\')
            *out++ = '\\';
        if (shown > 0) {
            memcpy(out, string, shown);
            out += shown;
            continue;
        }
        shown = utf8_size(string, left);
        out = shown ? put_json_escape(out, (const unsigned char *)string, shown) : put_text(out, "\\ufffd");
        shown += shown == 0;
    }
    *out++ = '"';
    return out;
}
