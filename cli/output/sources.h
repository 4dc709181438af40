/* sources: everything that a command opens for reading, so that no output replaces it.
 *
 * A source is a file, or a folder with all that is in it, now or later (the node's data, a store), also by links in it.
 * They are known by device and inode, so neither another spelling of the path nor a link or a mount gets round it.
 *
 * Thread rule: one thread. */
#ifndef UNKTX_CLI_OUTPUT_SOURCES_H
#define UNKTX_CLI_OUTPUT_SOURCES_H

#include "cli/options.h"
#include "parser/status.h"

/* Forgets the sources of the command before, and frees what they take. */
void sources_clear(void);

/* Adds the file or the folder; of what is not there nothing is read. NULL is legal. STATUS_NOMEM. */
enum status sources_add(const char *path, struct fault *fault) MUST_CHECK;

/* Adds what the options and operands of a command name. What else a command finds out (the data folder that an index
 * remembers) it adds itself. */
enum status sources_add_settings(const struct settings *settings, struct fault *fault) MUST_CHECK;

/* STATUS_REFUSED if writing the file or folder `target` would replace a source or put something into its folder.
 * O(sources * folders above the target); the first call lists the folders. */
enum status sources_refuse(const char *target, struct fault *fault) MUST_CHECK;

#endif
