/* window: what the files of the pipeline share. collect.c walks blocks and collects what they create; resolve.c finds
 * what they spend and appends both to the store; pipeline.c says which thread does what when. pipeline.h is what others
 * use.
 *
 * The words: the *pipeline* takes the blocks of a job through its stages. A *window* is a number of consecutive blocks
 * that go through each stage together, one thread at a time. A *slot* is one block of a window. (The slots of the
 * outpoint table, outpoints.h, are something else.) A window that was added and is not appended yet is *in flight*. */
#ifndef UNKTX_GRAPH_SCAN_WINDOW_H
#define UNKTX_GRAPH_SCAN_WINDOW_H

#include "graph/scan/pipeline.h"
#include "graph/scan/txid_set.h"
#include "parser/array.h"
#include "parser/mem.h"

#define WINDOWS_EACH 4u  /* windows of a thread that are at work at the same time */
#define PROBES_AHEAD 48u /* inputs: the filter word of each is prefetched so many inputs before it is read */

/* A transaction that creates tracked outputs (or stored nulldata), as the walk finds it. */
struct created_tx {
    struct tx_record record;
    uint32_t first_output; /* of its block's */
    size_t blob;           /* its outputs blob, in window.blob */
    size_t blob_size;
    size_t vouts;    /* its tracked vouts in window.vouts, and their hashes in window.hashes; record.tracked of them */
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
    size_t blob; /* its outputs blob, in window.blob */
    size_t blob_size;
    size_t spends; /* its spends in window.spends; record.spends of them */
};

struct found_spend {
    struct spend_record spend;
    uint64_t hash; /* of the outpoint */
};

/* What a partial store keeps of a txid (record.h). */
struct txid_lead {
    uint8_t bytes[RECORD_TXID];
};

struct slot {
    const struct chain_block *block;
    struct block_record record;
    struct window *window;
    size_t inputs; /* where its part of each of the window's arrays begins, and its size */
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

enum window_state { WINDOW_FREE, WINDOW_IN_WALK, WINDOW_WALKED, WINDOW_ADDED, WINDOW_IN_LOOK_UP, WINDOW_LOOKED_UP };

/* A window belongs to the thread that walks it, and is used again by that one only: its memory stays in the cache of
 * one core. What points into an array is an index, since the array moves when it grows. */
struct window {
    MEM_APART enum window_state state;
    uint32_t first;         /* height of its first block */
    size_t count;           /* of blocks; of those before the damaged one where the walk found one */
    enum status damage;     /* of the walk: why block `count` cannot be taken; STATUS_OK: it found no such block */
    enum status status;     /* of the look-up */
    struct fault fault;     /* of damage or status */
    uint64_t first_ordinal; /* of its first tracked output; set by resolve_add */
    struct slot *slots;
    double read_ns; /* what reading its blocks took */
    double read_bytes;
    ARRAY(uint64_t) inputs; /* the hash of each input's prevout */
    ARRAY(uint64_t) prevs;  /* txid_set_number of each input's prevout's txid; none in a scan of the whole chain */
    ARRAY(struct txid_lead) txids; /* of each transaction; likewise */
    ARRAY(struct walked_tx) walked;
    ARRAY(struct created_tx) created;
    ARRAY(uint32_t) vouts;
    ARRAY(uint64_t) hashes;
    ARRAY(struct spending_tx) spending;
    ARRAY(struct found_spend) spends;
    struct buffer blob;
};

/* What a thread does next. In turn, so one thread at a time, it appends what was looked up, or adds what was walked, or
 * both. */
struct task {
    enum { TASK_NONE, TASK_WALK, TASK_LOOK_UP, TASK_IN_TURN } kind;
    struct window *window; /* of walk and look-up */
    size_t append_end;     /* in turn: windows up to this one are appended, */
    size_t add_end;        /* and up to this one added */
    uint32_t ahead;        /* in turn: then asks for the blocks from this height on */
    enum status status;    /* of what is done in turn */
};

struct worker {
    MEM_APART struct pipeline *pipeline;
    struct window windows[WINDOWS_EACH];
    struct window *window; /* that it is at work on */
    struct blk_reader reader;
    const struct chain_block *held; /* the block that was walked last, whose bytes are still there; NULL: none */
    const uint8_t *held_bytes;
    struct blk_reader again; /* for parts of other blocks, so that it stays */
    struct store_reader *store_reader;
    struct block_verifier verifier;
    ARRAY(struct tx) txs;      /* of the block under the walk, for the verifier */
    ARRAY(struct tx) creating; /* those of them that window->created ends with */
    const uint8_t *block;      /* under the walk */
    size_t first_input;        /* the block's, in window->inputs */
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
    uint32_t next;           /* height at which the next window begins */
    bool ended;              /* no further window begins */
    struct window **windows; /* of the job; number n is windows[n % windows_max] */
    size_t windows_max;
    size_t begun;          /* windows of the job */
    size_t added;          /* of these: walked, and their outputs in the table */
    size_t appended;       /* of these: looked up, and in the store */
    size_t together;       /* added since no window was in flight */
    unsigned looking_up;   /* threads */
    bool in_turn;          /* a thread appends or adds */
    size_t numbered;       /* windows whose outputs have ordinals; `added`, but for what is being added */
    uint64_t next_ordinal; /* of the next output that is added */
    struct blk_reader ahead;
    uint32_t asked;                       /* blocks below this height were asked for */
    bool reads_ahead;                     /* the blocks are not in the page cache, as far as the last reads tell */
    double judged_ns;                     /* of the reads since that was decided */
    double judged_bytes;                  /* likewise */
    ARRAY(struct spend_record) confirmed; /* spends of the transaction that is being appended */
    enum status status;
    struct fault fault;           /* of the status */
    const struct window *damaged; /* the one whose walk ended the job; NULL: none did */
};

/* Window `number` of the job, which has begun. */
static inline struct window *window_of(const struct pipeline *pipeline, size_t number)
{
    return pipeline->windows[number % pipeline->windows_max];
}

/* ---- collect.c ---- */

/* Reads and walks a block: fills the slot, and the window with what the block creates and spends. */
enum status collect_slot(struct worker *worker, struct slot *slot) MUST_CHECK;
/* The block's created transactions; NULL if it has none. */
const struct created_tx *slot_created(const struct slot *slot);
/* Part of the slot's block, which was walked; borrowed until the worker reads again. */
enum status slot_read_again(struct worker *worker, struct slot *slot, uint64_t offset, size_t size,
                            const uint8_t **bytes) MUST_CHECK;
/* Fills in what the record says of the transaction that starts at `start`, and encodes its outputs. One that is
 * `created` has its txid already, and its tracked outputs go to window.vouts and window.hashes. False: no memory, or
 * the bytes are no transaction. `first_output` is the number of its first output in its block. */
bool collect_record(struct worker *worker, const uint8_t *start, size_t size, uint32_t height, uint32_t first_output,
                    bool created, struct tx_record *record);

/* ---- resolve.c ---- */

/* No window is in flight: what the tables keep of those that were is forgotten. */
enum status resolve_forget(struct pipeline *pipeline) MUST_CHECK;
/* Gives every tracked output of the window its ordinal, and adds it to the outpoint table. */
enum status resolve_add(struct worker *worker, struct window *window) MUST_CHECK;
/* Finds which inputs of a block spend tracked outputs: slot.spending. */
enum status resolve_look_up(struct worker *worker, struct slot *slot) MUST_CHECK;
/* Writes the window's stored transactions to the store, and takes what they spend out of the table. */
enum status resolve_append(struct pipeline *pipeline, const struct window *window) MUST_CHECK;

#endif
