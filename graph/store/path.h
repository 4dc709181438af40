/* path: the pages between the root of a tree and a key, looked at just before LMDB follows them. For files so large
 * that pages_check leaves their leaf pages out on opening.
 *
 * Thread rule: none, no state. */
#ifndef UNKTX_GRAPH_PATH_H
#define UNKTX_GRAPH_PATH_H

#include "graph/store/pages.h"

enum path_reach {
    PATH_TO,   /* the pages to the leaf of the key */
    PATH_STEP, /* and to the one where a cursor comes that moves from there by one key */
    PATH_BOTH, /* and to the leaves on both sides: a key that is deleted may take its page with it */
};

/* `record` is what the main database says of the tree (its value there, PATH_RECORD_SIZE bytes), in the snapshot that
 * LMDB shall follow. The empty key is below every other. Of large values only their place is looked at.
 * STATUS_FORMAT: damaged. STATUS_IO. O(log n), of pages that are read. */
#define PATH_RECORD_SIZE 48u
enum status path_check(const struct pages_file *file, uint32_t page_size, const uint8_t *record, const void *key,
                       size_t key_size, enum path_reach reach, struct fault *fault) MUST_CHECK;

#endif
