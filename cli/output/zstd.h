/* zstd: compresses what is written to a file (RFC 8878), at level 1, with a checksum of the content; the one place that
 * touches libzstd. The same pieces give the same bytes with the same release of the library.
 *
 * Thread rule: a zstd belongs to one thread. Memory: some 2 MiB each. */
#ifndef UNKTX_CLI_OUTPUT_ZSTD_H
#define UNKTX_CLI_OUTPUT_ZSTD_H

#include <stdbool.h>

#include "cli/output/text.h"

struct zstd; /* opaque */

/* STATUS_NOMEM. Released with zstd_free, for which NULL is legal. */
enum status zstd_new(struct zstd **zstd, struct fault *fault) MUST_CHECK;
void zstd_free(struct zstd *zstd);

/* Begins a file; what was begun before is forgotten. */
void zstd_begin(struct zstd *zstd);
/* Appends to `packed` what is ready of the file so far and `bytes`; with `is_end` all of it, and the file is whole.
 * STATUS_NOMEM. O(size). */
enum status zstd_add(struct zstd *zstd, const char *bytes, size_t size, bool is_end, struct text *packed,
                     struct fault *fault) MUST_CHECK;

#endif
