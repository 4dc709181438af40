/* hidden_store: the store of the rule set hidden, in the folder `hidden` of another store: a store as any other, whose
 * outputs have that rule set too, since it was scanned with marks (graph/scan/marks.h). */
#ifndef UNKTX_CLI_INPUTS_HIDDEN_STORE_H
#define UNKTX_CLI_INPUTS_HIDDEN_STORE_H

#include "cli/options.h"
#include "graph/scan/marks.h"
#include "parser/blkfile.h"

/* Makes and locks the folder in which hidden_store_make makes the store: to be called before a long pass.
 * STATUS_REFUSED where another process has it, or where it or the one that it will replace is a link or holds anything
 * but the files of a store. *lock is for hidden_store_end, -1 on failure. */
enum status hidden_store_begin(const char *store, int *lock, struct fault *fault) MUST_CHECK;
/* Removes that folder, unless it was put in place, and unlocks it. Nothing for -1. */
void hidden_store_end(const char *store, int lock);

/* Scans the blk files once more, with the marks, into a new store, which then takes the place of the one that is
 * there; between hidden_store_begin and hidden_store_end. What is there stays as it is on failure; STATUS_REFUSED as
 * above. */
enum status hidden_store_make(const struct settings *settings, const struct blkdir *dir,
                              const struct output_marks *marks, struct fault *fault) MUST_CHECK;

/* The store that is there. */
struct hidden_found {
    char *folder;       /* of mem_alloc; the caller's, whatever the status */
    uint32_t tip;       /* its last height */
    uint32_t chain_tip; /* that of settings->store, or of the index where that has no blocks */
};

/* STATUS_NOT_FOUND, with the way out, where there is none. STATUS_REFUSED: it is of another network or branch, partial,
 * or was not made by hidden_store_make, or went on since. O(log n). */
enum status hidden_store_find(const struct settings *settings, struct hidden_found *found, struct fault *fault)
    MUST_CHECK;

/* What the rule set is. */
#define HIDDEN_STORE_IS                                                                                                \
    "hidden is no rule of Core: unknown are the outputs of core-22, and those whose spender showed a nonstandard "     \
    "script"

/* For a command with --rules hidden: takes the store that is there in place of settings->store, which becomes
 * settings->main_store, and says that it is no rule of Core and where it ends lower than the chain. Leaves out what
 * its outputs have no answer for: how they were unlocked. *folder is of mem_alloc, and stays until the command ends.
 * Nothing happens for another rule set, or once it was done. STATUS_REFUSED, with the way out: settings->to_height
 * names another block than its last, or as above. */
enum status hidden_store_use(struct settings *settings, char **folder, struct fault *fault) MUST_CHECK;

#endif
