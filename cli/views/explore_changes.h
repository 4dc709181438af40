/* explore_changes: what has become of the T-DAGs since the run before, as changes.csv of the folder of results says in
 * which explore was started. Nothing in that file is trusted.
 *
 * Thread rule: what is loaded is only read. */
#ifndef UNKTX_CLI_VIEWS_EXPLORE_CHANGES_H
#define UNKTX_CLI_VIEWS_EXPLORE_CHANGES_H

#include "cli/views/explore.h"

/* new, grown, merged, shrunk, renamed, gone: the words of the column `change`. */
#define EXPLORE_CHANGES 6u

struct explore_changes {
    char *text;     /* of the file; NULL: there is none, or it is not as unktx writes it */
    size_t size;    /* of it, as far as it is held */
    uint32_t *rows; /* where each begins */
    uint8_t *words; /* of each, a place in the list above */
    uint32_t count;
    uint32_t counts[EXPLORE_CHANGES];
    bool cut; /* the file has more than is held */
    enum rules rules;
};

/* Takes at most 32 MiB of the file. STATUS_NOMEM; a file that is not there or damaged gives none. O(its size). */
enum status explore_changes_load(const struct settings *settings, struct explore_changes *changes, struct fault *fault)
    MUST_CHECK;
void explore_changes_free(struct explore_changes *changes);

/* The section of the start page; nothing without the file. */
void explore_put_changes(struct explore_request *request);

#endif
