/* temporary: a file that is written before it gets its name, so that nobody takes a half for the whole.
 *
 * Where the file system can, it has no name at all (O_TMPFILE) and goes with the process, however that ends. Else, and
 * for the moment before it is renamed, it is called .unktx-*.part in the folder of its target: with a random name that
 * is made and not opened, so no link that somebody has planted is followed, and short whatever the target is called.
 *
 * Thread rule: one thread for each file. */
#ifndef UNKTX_CLI_OUTPUT_TEMPORARY_H
#define UNKTX_CLI_OUTPUT_TEMPORARY_H

#include <stdbool.h>

#include "parser/status.h"

/* For fault_errno_place: what else a user can name where a file or folder cannot be written. */
#define OUTPUT_OTHER "another place"

/* Opens a new file for writing on the file system of `target`. *name is NULL where it has none yet; the caller frees
 * it. What a killed process has left in that folder is removed: a *.part when nobody has it open and it is a day old, a
 * *.lock (temporary_name_locked) as soon as nobody has it open. STATUS_IO. */
enum status temporary_open(const char *target, int *fd, char **name, struct fault *fault) MUST_CHECK;

/* Has the name of a file the form of those that are made here? */
bool temporary_is_name(const char *name);

/* A name for a file beside `target` that has to go there; nothing is made. NULL without memory; owned by the caller. */
char *temporary_spare(const char *target) MUST_CHECK;

/* Gives the file a name, which the caller renames. */
enum status temporary_name(const char *target, int fd, char **name, struct fault *fault) MUST_CHECK;
/* The same for a file that has the name while it is written: .unktx-*.lock. The descriptor, which is locked since
 * temporary_open, stays open until the file is renamed. */
enum status temporary_name_locked(const char *target, int fd, char **name, struct fault *fault) MUST_CHECK;

#endif
