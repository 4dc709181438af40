#include "cli/inputs/date.h"

#include <time.h>

#define PARTS 3u /* year, month and day */

/* Of the first day of a month or of any day; timegm takes the 13th month for the first of the next year. */
static uint64_t seconds_of(const int parts[PARTS])
{
    struct tm date = {.tm_year = parts[0] - 1900, .tm_mon = parts[1] - 1, .tm_mday = parts[2]};
    return (uint64_t)timegm(&date);
}

static bool has_day(const int parts[PARTS])
{
    struct tm date = {.tm_year = parts[0] - 1900, .tm_mon = parts[1] - 1, .tm_mday = parts[2]};
    return parts[0] >= 1970 && timegm(&date) != (time_t)-1 && date.tm_mon == parts[1] - 1 && date.tm_mday == parts[2];
}

bool date_read(const char *text, size_t size, uint64_t *begin_s, uint64_t *end_s)
{
    int parts[PARTS] = {0, 1, 1};
    size_t at = 0, part = 0;
    for (;; part++, at++) {
        size_t end = at + (part == 0 ? 4 : 2);
        if (part == PARTS || end > size)
            return false;
        for (parts[part] = 0; at < end; at++) {
            if (text[at] < '0' || text[at] > '9')
                return false;
            parts[part] = 10 * parts[part] + (text[at] - '0');
        }
        if (at == size)
            break;
        if (text[at] != '-')
            return false;
    }
    if (!has_day(parts))
        return false;
    *begin_s = seconds_of(parts);
    parts[part]++;
    *end_s = seconds_of(parts);
    return true;
}
