/* hidden_store: the store of the rule set hidden, in the folder `hidden` of another store: a store as any other, whose
 * outputs have that rule set too, since it was scanned with marks (graph/scan/marks.h). */
#ifndef UNKTX_CLI_INPUTS_HIDDEN_STORE_H
#define UNKTX_CLI_INPUTS_HIDDEN_STORE_H

#include "cli/options.h"
#include "graph/scan/marks.h"
#include "parser/blkfile.h"

/* Scans the blk files once more, with the marks, into a new store, which then takes the place of the one that is
 * there. What is there stays as it is on failure. */
enum status hidden_store_make(const struct settings *settings, const struct blkdir *dir,
                              const struct output_marks *marks, struct fault *fault) MUST_CHECK;

/* The folder of it, of mem_alloc in any case but STATUS_NOMEM. STATUS_NOT_FOUND with the way out where there is
 * none. */
enum status hidden_store_find(const char *store, char **hidden, struct fault *fault) MUST_CHECK;

#endif
