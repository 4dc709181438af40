/* mapping: which file is mapped into memory at an address, by /proc/self/maps.
 *
 * Thread rule: any thread; also in a signal handler. */
#ifndef UNKTX_CLI_OUTPUT_MAPPING_H
#define UNKTX_CLI_OUTPUT_MAPPING_H

#include <stdbool.h>
#include <stddef.h>

/* Puts the terminated path of the file into `path`, of `size` bytes, as the system names it: cut to fit, a line break
 * as \012. False, and an empty path, where there is none, or no /proc. O(mappings). */
bool mapping_path(const void *address, char *path, size_t size);

#endif
