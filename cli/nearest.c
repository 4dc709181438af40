/* The word that was most likely meant. */
#include <string.h>

#include "cli/options.h"

#define WORD_MAX 32u

/* Of two words shorter than WORD_MAX: letters added, left out, changed, or of two neighbours each in the other's place
 * (the optimal string alignment distance). */
static unsigned distance(const char *a, const char *b)
{
    unsigned rows[3][WORD_MAX + 1], columns = (unsigned)strlen(b), i = 0;
    for (unsigned j = 0; j <= columns; j++)
        rows[0][j] = j;
    for (; a[i]; i++) {
        const unsigned *two_above = rows[(i + 2) % 3], *above = rows[i % 3];
        unsigned *row = rows[(i + 1) % 3];
        row[0] = i + 1;
        for (unsigned j = 0; j < columns; j++) {
            unsigned best = above[j] + (a[i] != b[j]);
            if (above[j + 1] + 1 < best)
                best = above[j + 1] + 1;
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j] && two_above[j - 1] + 1 < best)
                best = two_above[j - 1] + 1;
            row[j + 1] = best;
        }
    }
    return rows[i % 3][columns];
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
