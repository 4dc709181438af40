/* replacement: files of one folder that take their places together, all of them or none.
 *
 * Each new file changes its name with the one before (renameat2, RENAME_EXCHANGE; where the file system has no such
 * thing, the one before gets a temporary name too, or instead), so that what was done can be undone until the last one
 * is in place. The files before are removed only then. A process that is killed meanwhile, or a power failure, leaves
 * some of them done: steps say which.
 *
 * Thread rule: one thread for a folder. */
#ifndef UNKTX_CLI_OUTPUT_REPLACEMENT_H
#define UNKTX_CLI_OUTPUT_REPLACEMENT_H

#include <stdbool.h>
#include <stddef.h>

#include "parser/status.h"

#define REPLACEMENT_STEPS 4u

/* One file that comes or goes. */
struct replaced {
    const char *name; /* in the folder, borrowed */
    char *temporary;  /* path of the new file, of mem_alloc; NULL: none comes, the one that is there goes */
    unsigned step;    /* below REPLACEMENT_STEPS; the next one begins when all files of a step are done, durably */
    /* the rest is zero before and set by replacement_make: */
    char *path;
    char *spare;  /* a name that nothing has */
    char *before; /* path of the file before, while it waits */
    bool is_done;
    bool is_gone; /* it was there, and went without a new one */
};

/* Puts the files in place, step by step, and makes their names durable where the file system can. STATUS_IO,
 * STATUS_RESOURCES: one cannot be; the folder is then as it was, or, if not even that can be done, stderr says which
 * files are which. `temporary` is NULL where it was renamed. O(count) renames. */
enum status replacement_make(const char *folder, struct replaced *files, size_t count, struct fault *fault) MUST_CHECK;

/* Removes new files that are not in place, and frees. */
void replacement_free(struct replaced *files, size_t count);

#endif
