/* The word that was most likely meant. */
#include <string.h>

#include "cli/options.h"

#define WORD_MAX 32u

/* Levenshtein's distance of two words shorter than WORD_MAX. */
static unsigned distance(const char *a, const char *b)
{
    unsigned row[WORD_MAX + 1], columns = (unsigned)strlen(b);
    for (unsigned j = 0; j <= columns; j++)
        row[j] = j;
    for (unsigned i = 1; a[i - 1]; i++) {
        unsigned diagonal = row[0];
        row[0] = i;
        for (unsigned j = 1; j <= columns; j++) {
            unsigned best = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            row[j] = best;
        }
    }
    return row[columns];
}

const char *options_nearest(const char *word, const char *const *names)
{
    const char *nearest = NULL;
    size_t size = strlen(word);
    if (size >= WORD_MAX)
        return NULL;
    /* A third of the word may be wrong, and at least one letter. */
    unsigned best = (unsigned)(size < 3 ? 1 : size / 3) + 1;
    for (; *names; names++) {
        unsigned d = strlen(*names) < WORD_MAX ? distance(word, *names) : best;
        if (d < best) {
            best = d;
            nearest = *names;
        }
    }
    return nearest;
}
