/* window: what the files of the pipeline share. collect.c walks blocks and collects what they create; resolve.c finds
 * what they spend and appends both to the store; pipeline.c says which thread does what when. pipeline.h is what others
 * use.
 *
 * The words: the *pipeline* takes the blocks of a job through its stages. A *window* is a number of consecutive blocks
 * that go through each stage together. A *slice* is the part of a window that one thread works on at a time. A *slot*
 * is one block of a window. (The slots of the outpoint table, outpoints.h, are something else.) */
#ifndef UNKTX_GRAPH_SCAN_WINDOW_H
#define UNKTX_GRAPH_SCAN_WINDOW_H

#include "graph/scan/pipeline.h"
#include "graph/scan/txid_set.h"
#include "parser/array.h"
#include "parser/mem.h"

#define WINDOWS 4u       /* at work at the same time */
#define PROBES_AHEAD 48u /* inputs: the filter word of each is prefetched so many inputs before it is read */

/* A transaction that creates tracked outputs (or stored nulldata), as the walk finds it. */
struct created_tx {
    struct tx_record record;
    uint32_t first_output; /* of its block's */
    size_t blob;           /* its outputs blob, in slice.blob */
    size_t blob_size;
    size_t vouts;    /* its tracked vouts in slice.vouts, and their hashes in slice.hashes; record.tracked of them */
    uint32_t before; /* tracked outputs of its block in transactions before it; set by resolve_add */
};

struct walked_tx {
    uint32_t offset;       /* of the transaction in its block */
    uint32_t first_input;  /* among the block's inputs; 0 is the coinbase's */
    uint32_t first_output; /* among its outputs */
    uint8_t unknown;       /* mask of the rule sets that call it unknown */
};

/* A transaction that spends tracked outputs, as the look-up finds it. */
struct spending_tx {
    struct tx_record record;
    size_t blob; /* its outputs blob, in slice.blob */
    size_t blob_size;
    size_t spends; /* its spends in slice.spends; record.spends of them */
};

struct found_spend {
    struct spend_record spend;
    uint64_t hash; /* of the outpoint */
};

/* What a partial store keeps of a txid (record.h). */
struct txid_lead {
    uint8_t bytes[RECORD_TXID];
};

/* Each slice has arrays of its own, so that threads never grow an array together. What points into an array is an
 * index, since the array moves when it grows. */
struct slice {
    MEM_APART size_t first; /* its slots of the window: first..end - 1 */
    size_t end;
    const struct worker *walker; /* until its look-up begins */
    ARRAY(uint64_t) inputs;      /* the hash of each input's prevout */
    ARRAY(uint64_t) prevs;       /* txid_set_number of each input's prevout's txid; none in a scan of the whole chain */
    ARRAY(struct txid_lead) txids; /* of each transaction; likewise */
    ARRAY(struct walked_tx) walked;
    ARRAY(struct created_tx) created;
    ARRAY(uint32_t) vouts;
    ARRAY(uint64_t) hashes;
    ARRAY(struct spending_tx) spending;
    ARRAY(struct found_spend) spends;
    struct buffer blob;
};

struct slot {
    const struct chain_block *block;
    struct block_record record;
    enum status status; /* of its walk or look-up */
    struct fault fault; /* of the status */
    struct slice *slice;
    double read_ns; /* what reading it took */
    size_t inputs;  /* where its part of each of the slice's arrays begins, and its size */
    size_t inputs_count;
    size_t txids; /* as many as `walked` */
    size_t walked;
    size_t walked_count;
    size_t created;
    size_t created_count;
    size_t spending;
    size_t spending_count;
    uint64_t first_ordinal; /* of the block's first tracked output; set by resolve_add */
    size_t known;           /* place of its first transaction in the window of pipeline.known; likewise */
};

struct window {
    struct slot *slots;
    size_t count;
    struct slice *slices;
    size_t slices_count;
    size_t next; /* slice to hand out for the walk */
    size_t left; /* slices that are not done; of the walk, then of the look-up */
};

/* What a thread does next. A commit appends a window that was looked up, or adds one that was walked, or both. */
struct task {
    enum { TASK_NONE, TASK_WALK, TASK_LOOK_UP, TASK_COMMIT } kind;
    struct window *window; /* walk and look-up: which slice of which window */
    struct slice *slice;
    struct window *append; /* commit: NULL for none */
    struct window *add;    /* commit: NULL for none */
    uint32_t ahead;        /* commit: then asks for the blocks from this height on */
    enum status status;    /* of the commit */
};

struct worker {
    MEM_APART struct pipeline *pipeline;
    struct slice *slice; /* that it is at work on */
    struct blk_reader reader;
    const struct chain_block *held; /* the block that was walked last, whose bytes are still there; NULL: none */
    const uint8_t *held_bytes;
    struct blk_reader again; /* for parts of other blocks, so that it stays */
    struct store_reader *store_reader;
    struct block_verifier verifier;
    ARRAY(struct tx) txs;      /* of the block under the walk, for the verifier */
    ARRAY(struct tx) creating; /* those of them that slice->created ends with */
    const uint8_t *block;      /* under the walk */
    size_t first_input;        /* the block's, in slice->inputs */
    uint32_t tracked;          /* tracked outputs of the transaction under the walk */
    uint32_t height;           /* of the block under the walk */
    uint32_t outputs;          /* of it, so far */
    struct task task;
};

struct pipeline {
    const struct ingest_options *options;
    const struct blkdir *dir;
    struct store *store;
    struct outpoints *table;
    struct txid_set *known; /* the transactions from the store's first block on; NULL: that is the genesis block */
    struct worker *workers;
    const struct pipeline_job *job;
    uint32_t next; /* height at which the next window begins */
    bool ended;    /* no further window begins */
    struct window windows[WINDOWS];
    size_t begun;                       /* windows of the job; number n is windows[n % WINDOWS] */
    size_t added;                       /* of these: walked, and their outputs in the table */
    size_t appended;                    /* of these: looked up, and in the store */
    bool committing;                    /* a thread is at a commit */
    const struct window *lookup_window; /* the one added last: where outputs are that the store does not have yet */
    struct blk_reader ahead;
    uint32_t asked;                       /* blocks below this height were asked for */
    bool reads_ahead;                     /* the blocks are not in the page cache, as far as the last window tells */
    ARRAY(struct spend_record) confirmed; /* spends of the transaction that is being appended */
    enum status status;
    struct fault fault;         /* of the status */
    const struct slot *damaged; /* the block that ended the job; NULL: none did */
};

/* ---- collect.c ---- */

/* Reads and walks a block: fills the slot, and the slice with what the block creates and spends. */
void collect_slot(struct worker *worker, struct slice *slice, struct slot *slot);
/* The block's created transactions; NULL if it has none. */
const struct created_tx *slot_created(const struct slot *slot);
/* Part of the slot's block, which was walked; borrowed until the worker reads again. */
enum status slot_read_again(struct worker *worker, struct slot *slot, uint64_t offset, size_t size,
                            const uint8_t **bytes) MUST_CHECK;
/* Fills in what the record says of the transaction that starts at `start`, and encodes its outputs. One that is
 * `created` has its txid already, and its tracked outputs go to slice.vouts and slice.hashes. False: no memory, or the
 * bytes are no transaction. `first_output` is the number of its first output in its block. */
bool collect_record(struct worker *worker, const uint8_t *start, size_t size, uint32_t height, uint32_t first_output,
                    bool created, struct tx_record *record);

/* ---- resolve.c ---- */

/* Gives every tracked output of the window its ordinal, and adds it to the outpoint table. */
enum status resolve_add(struct worker *worker, struct window *window) MUST_CHECK;
/* Finds which inputs of a block spend tracked outputs: slot.spending, or slot.status. */
void resolve_look_up(struct worker *worker, struct slot *slot);
/* Writes the window's stored transactions to the store, and takes what they spend out of the table. */
enum status resolve_append(struct pipeline *pipeline, const struct window *window) MUST_CHECK;

#endif
