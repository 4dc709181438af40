/* rewind: what of an index stays when the chain has left it, for build.c. */
#ifndef UNKTX_GRAPH_INDEX_REWIND_H
#define UNKTX_GRAPH_INDEX_REWIND_H

#include "graph/index/work.h"
#include "graph/scan/fork.h"

/* Of which network an index is. */
struct index_identity {
    uint8_t magic[4];
    struct hash256 genesis;
};

/* Makes the base of the work what the index and the chain have in common, and deletes what the index has above it; of
 * an index that is small against what is to be added, nothing stays. Of the fork `end` and `target` are given, and the
 * rest is set. STATUS_REFUSED: the index is of another network, or of a chain that was begun anew. */
enum status index_rewind_to_fork(struct index_work *work, const struct index_identity *identity, struct fork *fork)
    MUST_CHECK;

/* STATUS_REFUSED: the index is of another network. */
enum status index_refuse_other_network(const struct index_work *work, const struct index_identity *identity) MUST_CHECK;

#endif
