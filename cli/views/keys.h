/* keys: the tables keys.csv and hashes.csv: the public keys that unknown outputs and their unlocking show, and the
 * hashes of hash locks with what opened them. */
#ifndef UNKTX_CLI_VIEWS_KEYS_H
#define UNKTX_CLI_VIEWS_KEYS_H

#include "cli/inputs/dag_labels.h"
#include "cli/inputs/shown_evidence.h"
#include "cli/output/outfolder.h"

/* Set all but `files`; the evidence must be numbered, and its T-DAGs have names (tdags_name). */
struct keys {
    const struct store *store;
    const struct evidence_set *evidence;
    unsigned threads;
    const struct dag_labels *labels; /* of the T-DAGs; NULL: without --labels */
    struct outfile files[2];         /* keys.csv and hashes.csv until they are committed */
};

/* Write a table to the file `path`, or to that of the folder unless it is NULL; keys_commit lets the files appear.
 * O(evidence), some 50 microseconds for each key. */
enum status keys_write(struct keys *keys, struct outfolder *folder, const char *path, struct fault *fault) MUST_CHECK;
enum status hashes_write(struct keys *keys, struct outfolder *folder, const char *path, struct fault *fault) MUST_CHECK;
enum status keys_commit(struct keys *keys, struct fault *fault) MUST_CHECK;
void keys_close(struct keys *keys);

#endif
