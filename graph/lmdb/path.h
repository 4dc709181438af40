/* path: the pages between the root of a tree and a key, looked at just before LMDB follows them. For files so large
 * that pages_check leaves their leaf pages out on opening.
 *
 * Thread rule: path_check may run on any number of threads at the same time. */
#ifndef UNKTX_GRAPH_LMDB_PATH_H
#define UNKTX_GRAPH_LMDB_PATH_H

#include "graph/lmdb/pages.h"

enum path_reach {
    PATH_TO,   /* the pages to the leaf of the key */
    PATH_STEP, /* and to the one where a cursor comes that moves from there by one key */
    PATH_BOTH, /* and to the leaves on both sides: a key that is deleted may take its page with it */
};

struct paths; /* opaque: a file, and which of its pages were found sound */

/* `file`, and what it points to, must stay as long as the paths. Maps the file; one bit for each of its pages.
 * STATUS_IO, STATUS_NOMEM. */
enum status paths_open(const struct pages_file *file, uint32_t page_size, struct paths **paths, struct fault *fault)
    MUST_CHECK;
/* NULL is legal. */
void paths_close(struct paths *paths);

/* `record` is what the main database says of the tree (its value there, PATH_RECORD_SIZE bytes), in the snapshot that
 * LMDB shall follow. The key has 511 bytes at most; the empty one is below every other. Of large values only their
 * place is looked at. A page is looked at closely once: another process writes only sound ones. STATUS_FORMAT: damaged.
 * STATUS_IO. O(log n). */
#define PATH_RECORD_SIZE 48u
enum status path_check(struct paths *paths, const uint8_t *record, const void *key, size_t key_size,
                       enum path_reach reach, struct fault *fault) MUST_CHECK;

#endif
