#include "cli/output/partial.h"

#include <string.h>

static uint32_t first;

void partial_set(uint32_t first_height) { first = first_height; }
uint32_t partial_from(void) { return first; }
unsigned partial_flag(void) { return first > 0 ? COLUMN_WITH_PARTIAL : 0; }

char *partial_put_end(char *out)
{
    if (first > 0) {
        *out++ = ',';
        out = put_u64(out, first);
    }
    *out++ = '\n';
    return out;
}

enum status partial_end_rows(const char *rows, size_t size, bool *in_quotes, struct text *out)
{
    const char *end = rows + size;
    while (rows < end) {
        const char *at = rows;
        while (at < end && (*in_quotes || *at != '\n')) {
            *in_quotes ^= *at == '"';
            at++;
        }
        char *p = text_room(out, (size_t)(at - rows) + PARTIAL_END_MAX);
        if (!p)
            return STATUS_NOMEM;
        memcpy(p, rows, (size_t)(at - rows));
        p += at - rows;
        if (at < end) { /* an end of line outside of quotes */
            p = partial_put_end(p);
            at++;
        }
        text_end(out, p);
        rows = at;
    }
    return STATUS_OK;
}
