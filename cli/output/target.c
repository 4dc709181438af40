#include "cli/output/target.h"

#include <string.h>

#include "parser/printable.h"

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* The first `size` bytes of `text`, decoded, to `*out`, which moves to after their terminator. */
static bool decode(const char *text, size_t size, bool is_query, char **out)
{
    char *begin = *out, *p = begin;
    for (size_t i = 0; i < size; i++) {
        char c = text[i];
        if (c == '%') {
            int high = size - i > 2 ? digit_of(text[i + 1]) : -1, low = size - i > 2 ? digit_of(text[i + 2]) : -1;
            if (high < 0 || low < 0)
                return false;
            c = (char)(high << 4 | low);
            i += 2;
        } else if (c == '+' && is_query) {
            c = ' ';
        }
        *p++ = c;
    }
    size_t left = (size_t)(p - begin);
    for (const char *at = begin; left > 0;) {
        size_t shown = printable_size(at, left);
        if (shown == 0)
            return false;
        at += shown;
        left -= shown;
    }
    *p++ = '\0';
    *out = p;
    return true;
}

/* name=value, or a name alone, which is one with an empty value. */
static bool add_field(struct target *target, const char *text, size_t size, char **out)
{
    size_t name_size = 0;
    if (size == 0)
        return true;
    if (target->fields_count == TARGET_FIELDS)
        return false;
    struct target_field *field = &target->fields[target->fields_count++];
    while (name_size < size && text[name_size] != '=')
        name_size++;
    size_t skipped = name_size + (name_size < size);
    field->name = *out;
    if (!decode(text, name_size, true, out))
        return false;
    field->value = *out;
    return decode(text + skipped, size - skipped, true, out);
}

bool target_parse(const char *text, struct target *target)
{
    size_t size = strnlen(text, TARGET_MAX + 1);
    target->fields_count = 0;
    target->path = target->bytes;
    if (text[0] != '/' || size > TARGET_MAX || memchr(text, '#', size))
        return false;
    size_t path_size = strcspn(text, "?");
    char *out = target->bytes;
    if (!decode(text, path_size, false, &out))
        return false;
    for (size_t at = path_size; at < size;) {
        at++; /* the ? or & */
        size_t field_size = strcspn(text + at, "&");
        if (!add_field(target, text + at, field_size, &out))
            return false;
        at += field_size;
    }
    return true;
}

const char *target_get(const struct target *target, const char *name)
{
    for (size_t i = target->fields_count; i-- > 0;) {
        if (strcmp(target->fields[i].name, name) == 0)
            return target->fields[i].value;
    }
    return NULL;
}

char *target_put(char *out, const char *text)
{
    static const char digits[] = "0123456789ABCDEF";
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || strchr("-._~:,@", c);
        if (plain) {
            *out++ = *text;
            continue;
        }
        *out++ = '%';
        *out++ = digits[c >> 4];
        *out++ = digits[c & 15];
    }
    return out;
}
