#include "cli/output/json.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define DEPTH_MAX 16u

struct walk {
    char *begin;
    char *at;
    char *end; /* *end is the terminator */
    json_value *value;
    void *context;
    const char *path; /* for faults */
    struct fault *fault;
    unsigned depth;
    char way[JSON_WAY_SIZE];
};

static enum status wrong(struct walk *walk)
{
    return fault_set(walk->fault, STATUS_FORMAT, walk->path, (uint64_t)(walk->at - walk->begin), "is no JSON here");
}

static void skip_space(struct walk *walk)
{
    while (*walk->at == ' ' || *walk->at == '\t' || *walk->at == '\n' || *walk->at == '\r')
        walk->at++;
}

/* ---- strings ---- */

/* Four hexadecimal digits; UINT32_MAX if they are none. */
static uint32_t read_unit(const char *at)
{
    static const char digits[] = "0123456789abcdef";
    uint32_t unit = 0;
    for (int i = 0; i < 4; i++) {
        const char *digit = at[i] ? strchr(digits, at[i] | ('A' <= at[i] && at[i] <= 'F' ? 0x20 : 0)) : NULL;
        if (!digit)
            return UINT32_MAX;
        unit = unit << 4 | (uint32_t)(digit - digits);
    }
    return unit;
}

static char *put_utf8(char *out, uint32_t point)
{
    if (point < 0x80) {
        *out++ = (char)point;
        return out;
    }
    unsigned rest = point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
    static const unsigned char leads[] = {0, 0xc0, 0xe0, 0xf0};
    *out++ = (char)(leads[rest] | point >> 6 * rest);
    while (rest-- > 0)
        *out++ = (char)(0x80 | (point >> 6 * rest & 0x3f));
    return out;
}

/* \uXXXX, or two of them that make one character; walk->at is at the u. NULL if it is none. */
static char *undo_unicode(struct walk *walk, char *out)
{
    uint32_t point = read_unit(walk->at + 1);
    if (point == 0 || point == UINT32_MAX || (point >= 0xdc00 && point < 0xe000))
        return NULL;
    walk->at += 5;
    if (point < 0xd800 || point >= 0xe000)
        return put_utf8(out, point);
    uint32_t low = walk->at[0] == '\\' && walk->at[1] == 'u' ? read_unit(walk->at + 2) : UINT32_MAX;
    if (low < 0xdc00 || low >= 0xe000)
        return NULL;
    walk->at += 6;
    return put_utf8(out, 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00));
}

/* walk->at is after the backslash. */
static char *undo_escape(struct walk *walk, char *out)
{
    static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    if (*walk->at == 'u')
        return undo_unicode(walk, out);
    const char *name = *walk->at ? strchr(names, *walk->at) : NULL;
    if (!name)
        return NULL;
    walk->at++;
    *out++ = values[name - names];
    return out;
}

/* Cuts the string that begins at walk->at; what is undone is never longer than it was. */
static enum status read_string(struct walk *walk, char **string)
{
    if (*walk->at != '"')
        return wrong(walk);
    char *out = ++walk->at;
    *string = out;
    while (*walk->at != '"') {
        if ((unsigned char)*walk->at < 0x20)
            return wrong(walk);
        if (*walk->at != '\\') {
            *out++ = *walk->at++;
            continue;
        }
        walk->at++;
        out = undo_escape(walk, out);
        if (!out)
            return wrong(walk);
    }
    walk->at++;
    *out = '\0';
    return STATUS_OK;
}

/* ---- values ---- */

static enum status read_value(struct walk *walk);

/* Lengthens the way by a step, and returns how long it was. */
static size_t enter(struct walk *walk, const char *step)
{
    size_t size = strlen(walk->way);
    snprintf(walk->way + size, sizeof walk->way - size, "%s%s", size > 0 ? "/" : "", step);
    return size;
}

/* NOLINTNEXTLINE(misc-no-recursion): at most DEPTH_MAX groups, one in another. */
static enum status read_element(struct walk *walk, bool is_object)
{
    char *key = NULL;
    enum status status = is_object ? read_string(walk, &key) : STATUS_OK;
    if (status != STATUS_OK)
        return status;
    size_t before = enter(walk, key ? key : "*");
    skip_space(walk);
    if (is_object && *walk->at != ':')
        return wrong(walk);
    walk->at += is_object;
    status = read_value(walk);
    walk->way[before] = '\0';
    return status;
}

/* An object or a list.
 * NOLINTNEXTLINE(misc-no-recursion): at most DEPTH_MAX of them, one in another. */
static enum status read_group(struct walk *walk)
{
    bool is_object = *walk->at == '{';
    char closing = is_object ? '}' : ']';
    enum status status = STATUS_OK;
    if (walk->depth == DEPTH_MAX)
        return wrong(walk);
    walk->depth++;
    walk->at++;
    skip_space(walk);
    bool empty = *walk->at == closing;
    for (char next = ','; !empty && next == ',' && status == STATUS_OK;) {
        skip_space(walk);
        status = read_element(walk, is_object);
        if (status != STATUS_OK)
            return status;
        skip_space(walk);
        next = *walk->at;
        if (next == ',')
            walk->at++;
    }
    if (*walk->at != closing)
        return wrong(walk);
    walk->at++;
    walk->depth--;
    return STATUS_OK;
}

/* A number, true, false or null. */
static enum status read_word(struct walk *walk)
{
    static const char *const words[] = {"true", "false", "null"};
    char *begin = walk->at;
    size_t size = strspn(begin, "+-.0123456789eE");
    for (size_t i = 0; i < 3 && size == 0; i++) {
        if (strncmp(begin, words[i], strlen(words[i])) == 0)
            size = strlen(words[i]);
    }
    if (size == 0)
        return wrong(walk);
    char after = begin[size];
    begin[size] = '\0';
    enum status status = walk->value(walk->context, walk->way, begin, false);
    begin[size] = after;
    walk->at += size;
    return status;
}

/* NOLINTNEXTLINE(misc-no-recursion): at most DEPTH_MAX groups, one in another. */
static enum status read_value(struct walk *walk)
{
    char *string = NULL;
    skip_space(walk);
    if (*walk->at == '{' || *walk->at == '[')
        return read_group(walk);
    if (*walk->at != '"')
        return read_word(walk);
    enum status status = read_string(walk, &string);
    return status == STATUS_OK ? walk->value(walk->context, walk->way, string, true) : status;
}

enum status json_walk(char *text, size_t size, const char *path, json_value *value, void *context, struct fault *fault)
{
    struct walk walk = {.begin = text,
                        .at = text,
                        .end = text + size,
                        .value = value,
                        .context = context,
                        .path = path,
                        .fault = fault};
    enum status status = read_value(&walk);
    if (status != STATUS_OK)
        return status;
    skip_space(&walk);
    return walk.at == walk.end ? STATUS_OK : wrong(&walk);
}
