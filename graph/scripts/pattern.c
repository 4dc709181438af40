#include "graph/scripts/pattern.h"

#include <stdio.h>
#include <string.h>

#include "parser/mem.h"

/* In brackets too, where \1 would be two characters of which asm has only the second. */
static bool refers_back(const char *text)
{
    for (; *text; text++) {
        if (*text != '\\')
            continue;
        text++;
        if (*text == '\0')
            return false;
        if (*text >= '1' && *text <= '9')
            return true;
    }
    return false;
}

/* After a bracket expression, at whose [ `text` is; its end where it has none. */
static const char *after_bracket(const char *text)
{
    text++;
    text += *text == '^';
    text += *text == ']';
    while (*text && *text != ']') {
        const char *class_end = NULL;
        if (text[0] == '[' && text[1] && strchr(".:=", text[1])) {
            const char end[] = {text[1], ']', '\0'};
            class_end = strstr(text + 2, end);
        }
        text = class_end ? class_end + 2 : text + 1;
    }
    return *text ? text + 1 : text;
}

static bool closes_unopened(const char *text)
{
    size_t open = 0;
    while (*text) {
        if (*text == '[') {
            text = after_bracket(text);
            continue;
        }
        if (*text == '\\' && text[1])
            text++;
        else if (*text == ')' && open-- == 0)
            return true;
        else
            open += *text == '(';
        text++;
    }
    return false;
}

/* Bound to the beginning of the text, so that regexec does not try each place one after the other. */
static char *anchored(const char *text)
{
    bool is = text[0] == '^' && !strchr(text, '|');
    size_t size = strlen(text) + sizeof "^.*()";
    char *wrapped = mem_alloc(size, 1);
    if (wrapped)
        snprintf(wrapped, size, is ? "%s" : "^.*(%s)", text);
    return wrapped;
}

/* The expression as it is written first: what is wrong with it is said of that. */
enum status pattern_compile(const char *text, regex_t *regex, char why[PATTERN_WHY])
{
    if (refers_back(text) || closes_unopened(text)) {
        snprintf(why, PATTERN_WHY, "%s", refers_back(text) ? "back-references are not supported" : "a ) without its (");
        return STATUS_FORMAT;
    }
    int error = regcomp(regex, text, REG_EXTENDED | REG_NOSUB);
    if (error == REG_ESPACE)
        return STATUS_NOMEM;
    if (error) {
        regerror(error, regex, why, PATTERN_WHY);
        return STATUS_FORMAT;
    }
    regfree(regex);
    char *wrapped = anchored(text);
    error = wrapped ? regcomp(regex, wrapped, REG_EXTENDED | REG_NOSUB) : REG_ESPACE;
    mem_free(wrapped);
    return error ? STATUS_NOMEM : STATUS_OK;
}

enum status pattern_check(const char *text, char why[PATTERN_WHY])
{
    regex_t regex;
    enum status status = pattern_compile(text, &regex, why);
    if (status == STATUS_OK)
        regfree(&regex);
    return status;
}
