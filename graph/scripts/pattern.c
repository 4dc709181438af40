#include "graph/scripts/pattern.h"

#include <stdio.h>
#include <string.h>

#include "parser/mem.h"

#define PATTERN_DEPTH_MAX 50u
#define PATTERN_PARTS_MAX 4000u

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

/* How large regcomp makes it: it writes out what is counted, and calls itself for what is in parentheses. */
struct extent {
    size_t depth;
    size_t parts[PATTERN_DEPTH_MAX + 1]; /* of what is open in each depth */
    size_t last[PATTERN_DEPTH_MAX + 1];  /* of these, what a count in braces is of */
};

static void add_parts(struct extent *extent, size_t parts)
{
    extent->last[extent->depth] = parts;
    extent->parts[extent->depth] += parts;
}

/* {n}, {n,}, {,m} or {n,m}, at whose { `text` is: the larger number; {n,} is n and one with a star after it. Returns
 * its last character. */
static const char *repeat(struct extent *extent, const char *text)
{
    size_t most = 1;
    for (text += 1 + (text[1] == ','); *text >= '0' && *text <= '9'; text += *text == ',') {
        size_t number = 0;
        for (; *text >= '0' && *text <= '9'; text++)
            number = number < PATTERN_PARTS_MAX ? 10 * number + (size_t)(*text - '0') : number;
        most = number > most ? number : most;
    }
    most += text[-1] == ',';
    size_t *last = &extent->last[extent->depth];
    extent->parts[extent->depth] += *last * (most - 1);
    *last *= most;
    return *text == '}' ? text : text - 1;
}

/* What *, + and ? are of stays what a count in braces after them is of; glibc writes x+ as xx*. */
static void extend(struct extent *extent, char sign)
{
    size_t *last = &extent->last[extent->depth], more = 1 + (sign == '+' ? *last : 0);
    extent->parts[extent->depth] += more;
    *last += more;
}

static const char *what_is_too_much(const char *text)
{
    struct extent extent = {0};
    while (*text) {
        const char *next = *text == '[' ? after_bracket(text) : text + 1 + (*text == '\\' && text[1]);
        if (*text == ')' && extent.depth == 0)
            return "a ) without its (";
        if (*text == '(' && extent.depth == PATTERN_DEPTH_MAX)
            return "more than 50 parentheses in one another";
        if (*text == '(') {
            extent.depth++;
            extent.parts[extent.depth] = extent.last[extent.depth] = 0;
        } else if (*text == ')') {
            extent.depth--;
            add_parts(&extent, extent.parts[extent.depth + 1] + 1);
        } else if (*text == '{') {
            next = repeat(&extent, text) + 1;
        } else if (*text == '*' || *text == '+' || *text == '?') {
            extend(&extent, *text);
        } else {
            add_parts(&extent, 1);
        }
        if (extent.parts[extent.depth] > PATTERN_PARTS_MAX)
            return "more than 4,000 characters, counted ones each time";
        text = next;
    }
    return NULL;
}

/* Bound to the beginning of the text already. */
static bool is_anchored(const char *text) { return text[0] == '^' && !strchr(text, '|'); }

/* Bound to it, so that regexec does not try each place one after the other. */
static char *anchored(const char *text)
{
    size_t size = strlen(text) + sizeof "^.*()";
    char *wrapped = mem_alloc(size, 1);
    if (wrapped)
        snprintf(wrapped, size, "^.*(%s)", text);
    return wrapped;
}

static enum status compile_as_written(const char *text, regex_t *regex, char why[PATTERN_WHY])
{
    const char *refused = refers_back(text) ? "back-references are not supported" : what_is_too_much(text);
    if (refused) {
        snprintf(why, PATTERN_WHY, "%s", refused);
        return STATUS_FORMAT;
    }
    int error = regcomp(regex, text, REG_EXTENDED | REG_NOSUB);
    if (error == 0)
        return STATUS_OK;
    if (error == REG_ESPACE)
        return STATUS_NOMEM;
    regerror(error, regex, why, PATTERN_WHY);
    return STATUS_FORMAT;
}

/* The expression as it is written first: what is wrong with it is said of that. */
enum status pattern_compile(const char *text, regex_t *regex, char why[PATTERN_WHY])
{
    enum status status = compile_as_written(text, regex, why);
    if (status != STATUS_OK || is_anchored(text))
        return status;
    regfree(regex);
    char *wrapped = anchored(text);
    int error = wrapped ? regcomp(regex, wrapped, REG_EXTENDED | REG_NOSUB) : REG_ESPACE;
    mem_free(wrapped);
    return error ? STATUS_NOMEM : STATUS_OK;
}

enum status pattern_check(const char *text, char why[PATTERN_WHY])
{
    regex_t regex;
    enum status status = compile_as_written(text, &regex, why);
    if (status == STATUS_OK)
        regfree(&regex);
    return status;
}
