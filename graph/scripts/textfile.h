/* textfile: a whole text file in memory, and its lines. */
#ifndef UNKTX_GRAPH_SCRIPTS_TEXTFILE_H
#define UNKTX_GRAPH_SCRIPTS_TEXTFILE_H

#include <stdbool.h>
#include <stddef.h>

#include "parser/status.h"

#define TEXTFILE_SMALL ((size_t)1 << 20)

/* Reads all of it, also of a FIFO, into *text, which the caller frees with mem_free in any case; `what` names it in
 * faults. STATUS_FORMAT for more than `most` bytes (whole MiB), as of a device that never ends. */
enum status textfile_read(const char *path, const char *what, size_t most, char **text, size_t *size,
                          struct fault *fault) MUST_CHECK;

struct textline {
    const char *text;
    size_t size;   /* without line break */
    size_t number; /* from 1 */
};

/* The next line from *at on that is neither empty nor begins with #; false after the last. Zero-initialise `line`. */
bool textfile_line(const char *text, size_t size, size_t *at, struct textline *line);

/* STATUS_FORMAT with line and column for the first character of the line that is not printable (printable.h), but for
 * tabs. */
enum status textfile_check(const struct textline *line, const char *path, struct fault *fault) MUST_CHECK;

#endif
