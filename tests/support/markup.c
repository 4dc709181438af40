#include "tests/support/markup.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define DEPTH_MAX 64
#define NAME_MAX_SIZE 32

size_t count_of(const char *text, const char *part)
{
    size_t count = 0;
    for (text = strstr(text, part); text; text = strstr(text + strlen(part), part))
        count++;
    return count;
}

static void fail_at(const char *what, const char *at) { fail_msg("%s at: %.60s", what, at); }

static const char *read_name(const char *at, char name[NAME_MAX_SIZE])
{
    size_t size = 0;
    while (isalnum((unsigned char)*at) || *at == '-' || *at == ':') {
        if (size + 1 == NAME_MAX_SIZE)
            fail_at("a long name", at);
        name[size++] = *at++;
    }
    name[size] = '\0';
    if (size == 0)
        fail_at("no name", at);
    return at;
}

/* Up to the end of the tag, > included. */
static const char *read_attributes(const char *at, bool *is_closed)
{
    char names[32][NAME_MAX_SIZE];
    size_t count = 0;
    *is_closed = false;
    for (;;) {
        at += strspn(at, " \n");
        if (*at == '/') {
            *is_closed = true;
            at++;
        }
        if (*at == '>')
            return at + 1;
        if (*is_closed || count == 32)
            fail_at("no end of a tag", at);
        at = read_name(at, names[count]);
        for (size_t i = 0; i < count; i++) {
            if (strcmp(names[i], names[count]) == 0)
                fail_at("an attribute given twice", at);
        }
        count++;
        if (at[0] != '=' || at[1] != '"')
            fail_at("an attribute without quotes", at);
        const char *end = strchr(at + 2, '"');
        if (!end || memchr(at + 2, '<', (size_t)(end - at - 2)))
            fail_at("a bad attribute", at);
        at = end + 1;
    }
}

static const char *skip_text(const char *at)
{
    for (; *at && *at != '<'; at++) {
        if (*at != '&')
            continue;
        const char *end = at + 1 + (at[1] == '#');
        end += strspn(end, "abcdefghijklmnopqrstuvwxyz0123456789");
        if (*end != ';' || end == at + 1)
            fail_at("a stray &", at);
    }
    return at;
}

static bool is_void(const char *name)
{
    return strcmp(name, "meta") == 0 || strcmp(name, "link") == 0 || strcmp(name, "br") == 0;
}

static const char *skip_raw(const char *at, const char *name)
{
    char end[NAME_MAX_SIZE + 3];
    snprintf(end, sizeof end, "</%s", name);
    const char *found = strstr(at, end);
    if (!found)
        fail_at("no end of raw text", at);
    return found;
}

void assert_well_formed(const char *text)
{
    char open[DEPTH_MAX][NAME_MAX_SIZE], name[NAME_MAX_SIZE];
    size_t depth = 0;
    bool is_closed;
    const char *at = text;
    if (strncmp(at, "<!DOCTYPE html>", 15) == 0)
        at += 15;
    for (at = skip_text(at); *at; at = skip_text(at)) {
        if (at[1] == '/') {
            at = read_name(at + 2, name);
            if (*at++ != '>' || depth == 0 || strcmp(open[--depth], name) != 0)
                fail_at("an end tag out of turn", at);
            continue;
        }
        at = read_attributes(read_name(at + 1, name), &is_closed);
        if (is_closed || is_void(name))
            continue;
        if (depth == DEPTH_MAX)
            fail_at("too deep", at);
        strcpy(open[depth++], name);
        if (strcmp(name, "script") == 0 || strcmp(name, "style") == 0)
            at = skip_raw(at, name);
    }
    if (depth)
        fail_msg("<%s> is never closed", open[depth - 1]);
}
