#include "cli/output/text.h"

#include <stdarg.h>
#include <stdio.h>

#include "parser/mem.h"

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
    uint64_t micro = (uint64_t)(value * 1e6 + 0.5);
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
    for (size_t i = 0; i < size; i++) {
        *out++ = digits[bytes[i] >> 4];
        *out++ = digits[bytes[i] & 15];
    }
    return out;
}

char *put_field(char *out, const char *field)
{
    if (!field[strcspn(field, ",\"\r\n")])
        return put_text(out, field);
    *out++ = '"';
    for (; *field; field++) {
        if (*field == '"')
            *out++ = '"';
        *out++ = *field;
    }
    *out++ = '"';
    return out;
}

char *put_json(char *out, const char *string)
{
    static const char digits[] = "0123456789abcdef";
    *out++ = '"';
    for (; *string; string++) {
        unsigned char byte = (unsigned char)*string;
        if (byte == '"' || byte == '\\') {
            *out++ = '\\';
            *out++ = (char)byte;
        } else if (byte < 0x20) {
            out = put_text(out, "\\u00");
            *out++ = digits[byte >> 4];
            *out++ = digits[byte & 15];
        } else {
            *out++ = (char)byte;
        }
    }
    *out++ = '"';
    return out;
}
