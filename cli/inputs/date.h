/* date: dates in what users write, in UTC: in filters of `unktx explore` and files of known figures.
 *
 * Thread rule: none, no state. */
#ifndef UNKTX_CLI_INPUTS_DATE_H
#define UNKTX_CLI_INPUTS_DATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* "2014", "2014-02" or "2014-02-19", of 1970 to 9999: its first second, in seconds since 1970, and the first one after
 * it. False for anything else, such as a day that its month does not have. */
bool date_read(const char *text, size_t size, uint64_t *begin_s, uint64_t *end_s);

#endif
