/* hidden_store: the store of the rule set hidden, in the folder `hidden` of another store: a store as any other, whose
 * outputs have that rule set too, since it was scanned with marks (graph/scan/marks.h). */
#ifndef UNKTX_CLI_INPUTS_HIDDEN_STORE_H
#define UNKTX_CLI_INPUTS_HIDDEN_STORE_H

#include "cli/options.h"
#include "graph/scan/marks.h"
#include "parser/blkfile.h"

/* STATUS_REFUSED where the folder in which hidden_store_make would put the store, or the one in which it makes it, is a
 * link or holds anything but the files of a store: to ask before a long pass. */
enum status hidden_store_check_place(const char *store, struct fault *fault) MUST_CHECK;

/* Scans the blk files once more, with the marks, into a new store, which then takes the place of the one that is
 * there. What is there stays as it is on failure; STATUS_REFUSED as above. */
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

#endif
