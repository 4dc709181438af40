/* window: what the files of the pipeline share: collect.c walks blocks, resolve.c finds and appends what they create and
 * spend, pipeline.c says who does what when. pipeline.h is what others use. */
#ifndef UNKTX_GRAPH_SCAN_WINDOW_H
#define UNKTX_GRAPH_SCAN_WINDOW_H

#include "graph/scan/pipeline.h"
#include "parser/array.h"

#define RUNS 4u          /* that are at work at the same time */
#define PROBES_AHEAD 48u /* inputs: their filter words are asked for this much before they are needed */

/* A transaction that creates tracked outputs (or stored nulldata), as the walk leaves it in its worker's arrays. */
struct created_tx {
    struct tx_record record;
    size_t blob, blob_size; /* its outputs blob */
    size_t vouts;           /* its tracked vouts and their hashes */
    uint32_t before;        /* tracked outputs of its block before it; set by add_run */
};

struct walked_tx {
    uint32_t offset;      /* of the transaction in its block */
    uint32_t first_input; /* of the block's inputs; 0 is the coinbase's */
};

/* A transaction that spends tracked outputs, as the look-up leaves it. */
struct spending_tx {
    struct tx_record record;
    size_t blob, blob_size;
    size_t spends; /* into the worker's spends; record.spends of them */
};

struct found_spend {
    struct spend_record spend;
    uint64_t hash;
};

/* Some consecutive blocks of a run, which one thread takes at a time, and what it collects there: so nobody's arrays
 * grow with what others leave to him. Positions are indices, since the arrays grow. */
struct slice {
    size_t first, end;      /* items of the run */
    ARRAY(uint64_t) inputs; /* hashes of the inputs */
    ARRAY(struct walked_tx) walked;
    ARRAY(struct created_tx) created;
    ARRAY(uint32_t) vouts;
    ARRAY(uint64_t) hashes;
    ARRAY(struct spending_tx) spending;
    ARRAY(struct found_spend) spends;
    struct buffer blob;
};

/* What a thread does next. */
struct task {
    enum { TASK_NONE, TASK_WALK, TASK_LOOK, TASK_CHANGE } kind;
    struct run *run; /* a walk's or look-up's */
    struct slice *slice;
    struct run *append, *add; /* a change's; NULL for none */
    enum status status;       /* a change's */
    uint32_t ahead;           /* a change's: blocks from this height on may be asked for */
};

struct worker {
    struct pipeline *round;
    struct slice *slice; /* that it is at work on */
    struct blk_reader reader;
    struct store_reader *store_reader;
    struct block_verifier verifier;
    ARRAY(struct tx) txs;      /* of the block under the walk, for the verifier */
    ARRAY(struct tx) creating; /* those of them that slice->created ends with */
    const uint8_t *block;      /* under the walk */
    size_t first_input;        /* the block's, in slice->inputs */
    uint32_t tracked;          /* tracked outputs of the transaction under the walk */
    struct task task;
};

/* One block of a run. */
struct item {
    const struct chain_block *block;
    struct block_record record;
    enum status status;
    struct fault fault;
    struct slice *slice;
    double read_ns; /* what reading it took */
    size_t inputs, inputs_count, walked, walked_count, created, created_count, spending, spending_count;
    uint64_t first_ordinal;
};

struct run {
    struct item *items;
    size_t count;
    struct slice *slices;
    size_t slices_count;
    size_t next, left; /* of its walk, then of its look-ups: slices to hand out, and slices that are not done */
};

struct pipeline {
    const struct ingest_options *options;
    const struct blkdir *dir;
    struct store *store;
    struct outpoints *table;
    struct worker *workers;
    const struct pipeline_job *job;
    uint32_t next; /* height of the next run to begin */
    bool ended;    /* no run is to begin */
    struct run runs[RUNS];
    size_t begun, added, appended; /* so many runs of the job; number n is runs[n % RUNS] */
    bool changing;                 /* a thread is at a change */
    const struct run *looked;      /* of which resolve() finds what is not in the store */
    struct blk_reader ahead;
    uint32_t asked;   /* height up to which blocks were asked for */
    bool reads_ahead; /* the blocks are not in the page cache, as far as the last run tells */
    ARRAY(struct spend_record) settled;
    enum status status;
    struct fault fault;         /* of the status */
    const struct item *damaged; /* the block that ended the job; NULL: none did */
};

/* ---- collect.c ---- */

void walk_item(struct worker *worker, struct slice *slice, struct item *item);
/* The block's created transactions; NULL if it has none. */
const struct created_tx *created_of(const struct item *item);
void prevout_of(const struct hash256 *txid, uint32_t vout, uint8_t prevout[TX_PREVOUT_SIZE]);
bool record_tx(struct worker *worker, const uint8_t *start, size_t size, bool created, struct tx_record *record);
enum status read_block(struct worker *worker, struct item *item, uint64_t offset, size_t size, const uint8_t **bytes)
    MUST_CHECK;

/* ---- resolve.c ---- */

enum status add_run(struct worker *worker, struct run *run) MUST_CHECK;
void look_up_item(struct worker *worker, struct item *item);
enum status append_run(struct pipeline *round, const struct run *run) MUST_CHECK;

#endif
