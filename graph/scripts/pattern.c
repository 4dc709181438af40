#include "graph/scripts/pattern.h"

#include <stdio.h>

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

bool pattern_compile(const char *text, regex_t *regex, char why[PATTERN_WHY])
{
    if (refers_back(text)) {
        snprintf(why, PATTERN_WHY, "back-references are not supported");
        return false;
    }
    int error = regcomp(regex, text, REG_EXTENDED | REG_NOSUB);
    if (error)
        regerror(error, regex, why, PATTERN_WHY);
    return error == 0;
}
