/* early_walk: the walk of an index while the blk files are read in their order (graph/scan/file_pass.h), for build.c.
 *
 * What lies some blocks below the best tip so far is walked, from where the index ends, or from where an interrupted
 * build came to. Where the chain so far leaves what was walked, that is walked again from its beginning; where a block
 * is damaged, all is walked when the whole chain is known. So are the blocks of an index that is to be made anew, and
 * those that are so few that they are added in one go: they wait in memory.
 *
 * Memory: of options->memory, with a file as a whole and blocks that wait. Thread rule: one thread. */
#ifndef UNKTX_GRAPH_INDEX_EARLY_WALK_H
#define UNKTX_GRAPH_INDEX_EARLY_WALK_H

#include "graph/index/work.h"

/* Zero-initialise, end with early_walk_close; at its address as long as it is used. */
struct early_walk {
    struct index_work *work;
    struct file_pass pass;
    uint64_t files;      /* bytes of all files */
    struct hash256 tip;  /* of the last block that was walked, or of the index */
    uint32_t checkpoint; /* height after that of the last block of an interrupted build; 0: there is none */
    bool resumed;        /* what was walked goes on from that build */
    bool over;           /* nothing more is walked before the whole chain is known */
};

/* With the work's options, folder of blk files and memory: where the files are to be read in their order, and there is
 * memory for one and for blocks that wait, early->pass.cache is there. `options` stay where they are. */
enum status early_walk_open(struct early_walk *early, struct index_work *work, const struct ingest_options *options)
    MUST_CHECK;
/* Before the headers are read, with chain, store and the open kv of the index: prepares early->pass.order for
 * best_chain_find. */
enum status early_walk_begin(struct early_walk *early) MUST_CHECK;
/* After that ended with `status`, which is returned if nothing else goes wrong. */
enum status early_walk_end(struct early_walk *early, enum status status) MUST_CHECK;
/* When base and target of the build are known: what was walked is the beginning of index_run_stages, or it is dropped.
 */
enum status early_walk_settle(struct early_walk *early, uint32_t target) MUST_CHECK;
/* When the build has ended with `status`, however far it came: closes the stages that are still open, of which the next
 * build finds what it can go on from, and frees what waits. */
void early_walk_close(struct early_walk *early, enum status status);

#endif
