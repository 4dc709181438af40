/* hidden_marks: the note in the folder of a store that it is one of the rule set hidden (hidden_store.h): this very
 * store, and no block more or less than it had then. */
#ifndef UNKTX_CLI_INPUTS_HIDDEN_MARKS_H
#define UNKTX_CLI_INPUTS_HIDDEN_MARKS_H

#include "graph/store/store.h"

/* The way out where it is not, for texts that end so. */
#define HIDDEN_AGAIN "'unktx index' and then 'unktx hidden --dags' make it again"

/* Writes the note into the folder of a store that was just scanned with marks. */
enum status hidden_marks_write(const char *folder, struct fault *fault) MUST_CHECK;

/* STATUS_REFUSED, with the way out: there is no note, it is of another store, as a scan makes one in the place of one
 * that was deleted, or the store went on since. */
enum status hidden_marks_check(const struct store *store, struct fault *fault) MUST_CHECK;

/* Is there a note, right or not? Without memory false. */
bool hidden_marks_are_in(const char *folder);

#endif
