/* ingest_parts: what the two files of a scan share: ingest.c, and sequential.c, which reads files in their order. */
#ifndef UNKTX_GRAPH_SCAN_INGEST_PARTS_H
#define UNKTX_GRAPH_SCAN_INGEST_PARTS_H

#include "graph/scan/file_pass.h"
#include "graph/scan/ingest.h"
#include "graph/scan/outpoints.h"
#include "graph/scan/pipeline.h"
#include "graph/scan/txid_set.h"

struct ingest {
    const struct ingest_options *options;
    struct ingest_result *result;
    struct fault *fault;
    struct blkdir dir;
    struct store *store;
    struct chain *chain;
    struct outpoints *table;
    struct txid_set *known; /* of a partial store, else NULL */
    struct pipeline *pipeline;
    uint8_t magic[4];
    struct hash256 genesis;
    uint32_t end;           /* height up to which the chain of the files is certain */
    uint32_t target;        /* the height after that of the last block that the store is to have */
    uint32_t next;          /* height of the first block that is not in the store */
    uint64_t total;         /* bytes of the blocks that this run is to take */
    uint64_t saved_records; /* records_of the blocks that the saved table knows */
    bool table_changed;     /* the table is that of the store's tip, and the store's snapshot of it is not */
    bool one_block;         /* the next job is of one block: another copy of one that is damaged */
    /* ---- of sequential.c ---- */
    struct file_pass pass;
    bool in_order;  /* the files are being read */
    uint32_t began; /* blocks that the store had before */
};

/* Loads the table of outpoints and makes the pipeline, if that was not done. */
enum status ingest_prepare(struct ingest *ingest) MUST_CHECK;
/* Takes the store back to so many blocks, and forgets what belongs to those above. */
enum status ingest_take_back(struct ingest *ingest, uint32_t blocks) MUST_CHECK;
/* Runs a job of blocks from `next` on, to `target` at most. `what` is the fault of a status that is not STATUS_OK; with
 * STATUS_FORMAT it is that of block `next`. */
enum status ingest_run_job(struct ingest *ingest, struct fault *what) MUST_CHECK;
uint64_t ingest_bytes_between(const struct ingest *ingest, uint32_t first, uint32_t end);

#endif
