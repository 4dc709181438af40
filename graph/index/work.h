/* work: what the stages of a build share. Each stage reads what the one before left in the folder of temporary files:
 *
 *   walk     blk files -> txs (heads and txids, in chain order), outs (value and kind, in chain order),
 *            near (of inputs whose output is near, which), creators (hash of txid, first output, outputs, check), of
 *            other inputs spenders (hash of the prevout's txid, input, vout)
 *   join     creators with spenders, part by part of the hash -> links (output, input), by ranges of outputs; the txid
 *            table; of what spends an output of an older block, values and late spends
 *   outputs  outs with near and links -> the table of outputs; values (input, output, value), by ranges of inputs
 *   txs      txs with outs, near and values -> the tables of inputs and transactions; late spends -> their table;
 *            blocks
 *   merge    small runs of the tables of pairs -> one
 *
 * stages.c runs them in this order, in the folder that folder.c makes; walk.c and walk_window.c, join.c and
 * join_part.c, tables.c with output_table.c, tx_tables.c and late_spends.c, and merge.c do the work; reread.c reads
 * blocks again for them. For build.c and its stages only. Numbers are those of the whole chain. A stage that finds
 * that the chain cannot be right says which block: STATUS_FORMAT with bad_height set. Thread rule: a work belongs to
 * one thread; the threads of a stage read it, and change what their worker number gives them, and the rest one at a
 * time. */
#ifndef UNKTX_GRAPH_INDEX_WORK_H
#define UNKTX_GRAPH_INDEX_WORK_H

#include <pthread.h>

#include "graph/index/spill.h"
#include "graph/index/build.h"
#include "graph/index/format.h"
#include "graph/scan/file_pass.h"
#include "parser/array.h"
#include "parser/blkfile.h"
#include "parser/chain.h"

#define WORK_CREATOR_BYTES 72u /* of memory for each creator of a part that is joined */

/* Files in the order of the chain; walked.h says what is in them. */
enum work_stream { WORK_TXS, WORK_OUTS, WORK_NEAR, WORK_STREAMS };
extern const char *const work_stream_names[WORK_STREAMS];

/* Where a block of this build begins. */
struct work_block {
    uint64_t first_tx;
    uint64_t first_input;
    uint64_t first_output;
    uint64_t at[WORK_STREAMS];   /* in the files */
    uint32_t sums[WORK_STREAMS]; /* of what the block has there (walked.h); not set at the end, as the next */
    uint32_t window;             /* height of the first block of its window of the walk */
};

/* What is finished, and need not be done again after an interruption. */
enum work_stage {
    WORK_BEGUN,
    WORK_WALKING, /* to height `walked` */
    WORK_WALKED,
    WORK_JOINED,
    WORK_OUTPUTS_BUILT,
};

struct walk; /* opaque: the walk, while it goes on */

/* Records for the tables, written some MiB at a time in the order in which they come, by a thread of its own, so
 * that the work goes on while that thread waits for the disk. No view of the kv may be open meanwhile. */
struct index_work;
struct work_queue {
    struct index_work *work;
    bool waits;                 /* until each write is done: views are opened in between */
    struct index_state *merged; /* NULL, or index_cut_merged is part of each write */
    uint8_t *bytes;             /* NULL until needed */
    uint8_t *writing;           /* the same */
    size_t capacity;            /* of each */
    size_t soon;                /* bytes that are not waited for to be more, unless `waits` */
    size_t size;
    size_t writing_size;
    bool busy; /* `thread` runs */
    pthread_t thread;
    enum status status; /* of the last write */
    struct fault fault;
};

struct index_work {
    const struct index_options *options;
    struct fault *fault;
    struct blkdir dir;
    struct chain *chain;
    struct kv *kv;
    struct store *store;     /* remembers the headers; NULL once all are known */
    struct file_pass *pass;  /* has blocks that wait for the walk; NULL: none do */
    struct index_state base; /* what the index holds already, and keeps */
    struct index_hasher hasher;
    uint8_t seed[INDEX_SEED_SIZE];
    uint8_t number[INDEX_BEGUN_SIZE]; /* of this build, at random */
    uint8_t begun[INDEX_BEGUN_SIZE];  /* that of the build by which the index was last cut to its base */
    enum work_stage stage;
    bool open;                 /* the stages have begun, and their files are open */
    bool growing;              /* blocks are walked while the files are read: `end` goes up with the chain so far */
    uint64_t to_come;          /* then: the bytes of blocks that this build will have to add, at most; else 0 */
    bool few;                  /* blocks: nothing is left on disk before all is there, see index_run_stages */
    bool cut;                  /* the tables are, to the base; else that is part of the next write */
    struct index_options own;  /* options with one thread, for the fewest blocks */
    bool in_memory;            /* the temporary files are: there is no checkpoint to go on from */
    bool held;                 /* see work_hold */
    bool added;                /* blocks are on disk that this build has added */
    char folder[4000];         /* of temporary files */
    bool durable;              /* they are to be there after a power failure too */
    uint64_t memory;           /* for the arrays of a stage */
    uint32_t first;            /* height of the first block to add */
    uint32_t end;              /* one above that of the last */
    uint32_t walked;           /* one above that of the last one walked */
    struct work_block *blocks; /* of first..end: the last one is where the next block would begin */
    size_t blocks_capacity;
    unsigned part_bits;        /* the first bits of a hash choose its part; 0: there is one */
    unsigned key_bits;         /* so many of the bits that follow are kept; with those of the part 40 at least */
    unsigned __int128 *sums;   /* of index_check_of the prevouts of each part */
    bool *exact;               /* parts in which full txids settle every spend */
    bool unsure;               /* the join found that more parts need that: it is to be done again */
    int streams[WORK_STREAMS]; /* file descriptors; -1: closed */
    struct walk *walk;
    struct spill *creators;
    struct spill *spenders;
    struct spill *links;
    struct spill *values;
    struct spill *late_spends;
    uint64_t out_range;      /* outputs a part of `links` */
    uint64_t in_range;       /* inputs a part of `values` */
    uint64_t late_range;     /* outputs a part of `late_spends` */
    uint64_t late_count;     /* of late spends */
    struct work_queue queue; /* of all stages */
    uint32_t bad_height;     /* UINT32_MAX: none */
    bool bad_bytes;          /* the bytes of this copy of the bad block are wrong: another copy may be right */
};

static inline const struct work_block *work_end(const struct index_work *work)
{
    return &work->blocks[work->end - work->first];
}
static inline uint64_t work_outputs(const struct index_work *work)
{
    return work_end(work)->first_output - work->blocks[0].first_output;
}
static inline uint64_t work_inputs(const struct index_work *work)
{
    return work_end(work)->first_input - work->blocks[0].first_input;
}

/* Whether blocks may wait in memory for the walk. */
static inline bool work_waits(const struct index_work *work) { return work->pass && work->pass->cache; }

/* `sums` and `exact` for the parts, all zeros. */
enum status work_alloc_sums(struct index_work *work) MUST_CHECK;
/* Saves in the folder that a stage is finished, and where its files are, which the disk has then. */
enum status work_save_checkpoint(struct index_work *work, enum work_stage stage) MUST_CHECK;
/* Deletes the checkpoint and what else is in the folder; true if there was anything. */
bool work_empty_folder(const char *path);
/* Goes on from the checkpoint that an interrupted build of (some of) these blocks on this index left, if there is one:
 * the stage, `end`, the blocks and the files are then those of the checkpoint. After false the files that were opened
 * are the caller's to close. */
bool work_load_checkpoint(struct index_work *work);
/* The height after that of the last block of the build that an interrupted one left a checkpoint of; 0: there is none
 * of this version that goes on from the blocks of the base. Whether that is of the same chain is not looked at. */
uint32_t work_checkpoint_end(const struct index_work *work);

/* Now and then in a stage: has the system begin to write out its files, for which a checkpoint waits. */
void work_write_out(const struct index_work *work);
/* options->message, if there is one. */
void work_message(const struct index_work *work, const char *text);
/* options->hold, where that is not so already. */
void work_hold(struct index_work *work, bool begins);
/* options->goes_on, if there is one. */
void work_goes_on(const struct index_work *work, bool goes_on);
void work_progress(const struct index_work *work, enum index_stage stage, uint64_t done, uint64_t total);
/* Bytes of the chain's blocks of heights first..end-1. O(end - first). */
uint64_t work_bytes(const struct index_work *work, uint32_t first, uint32_t end);
/* The height, from `first` on, of the block with that input / output. O(log blocks). */
uint32_t work_height_of_input(const struct index_work *work, uint64_t input);
uint32_t work_height_of_output(const struct index_work *work, uint64_t output);
/* STATUS_FORMAT: the block with that input cannot be right. */
enum status work_bad_input(struct index_work *work, uint64_t input, const char *what);
/* How many parts so many things are to have, so that a part fits into so many bytes of memory, and a thread's caches
 * hold what it works on: `wanted` things a part. */
unsigned work_parts(uint64_t things, uint64_t bytes_each, uint64_t memory, uint64_t wanted);
/* Bytes of buffer for each part of a spill and each thread. */
size_t work_buffer(const struct index_work *work, unsigned parts);

/* Reads blocks again, and knows what is where in the one that it read last: inputs come in the order of the chain for
 * the most part, and a block may have many that are asked for. Zero-initialise; one thread. */
struct work_reader {
    struct blk_reader reader;
    const uint8_t *bytes; /* of the block; NULL: none was read */
    uint32_t height;
    uint32_t outputs;
    ARRAY(struct reread_tx) txs;
    ARRAY(uint32_t) prevouts; /* where they are in the bytes, by input */
};
void work_reader_free(struct work_reader *reader);

/* What an input spends, read from its block again. */
struct work_spend {
    struct hash256 prevout; /* txid of it */
    struct hash256 txid;    /* of the spender */
    uint64_t first_output;  /* of the spender */
    uint32_t height;
};
enum status work_read_spend(const struct index_work *work, struct work_reader *reader, uint64_t input,
                            struct work_spend *spend, struct fault *fault) MUST_CHECK;
/* The txid of the transaction with that first output, read from its block again. */
enum status work_read_txid(const struct index_work *work, struct work_reader *reader, uint64_t first_output,
                           struct hash256 *txid, struct fault *fault) MUST_CHECK;

/* A value, up to INDEX_ROOM bytes, which is written with its checksum. */
enum status work_append(struct work_queue *queue, enum index_table table, const void *key, size_t key_size,
                        const void *value, size_t size) MUST_CHECK;
/* The same for a key that may be there, or be below others. */
enum status work_put(struct work_queue *queue, enum index_table table, const void *key, size_t key_size,
                     const void *value, size_t size) MUST_CHECK;
/* At the end of a stage: writes what is left, and waits until all is written, unless the temporary files are in memory:
 * then nothing is to be found on the disk after this stage, and the next one goes on with the queue as it is. */
enum status work_write(struct work_queue *queue) MUST_CHECK;
/* Before a view is opened: waits for what is being written. */
enum status work_wait(struct work_queue *queue) MUST_CHECK;
/* Writes what is left, and waits until all is written. */
enum status work_write_all(struct work_queue *queue) MUST_CHECK;
/* Forgets what is not written; after an error of the writer returns that. */
enum status work_drop(struct work_queue *queue) MUST_CHECK;
/* Waits for the writer and forgets all; the queue can be used again. */
void work_queue_free(struct work_queue *queue);

/* Adds pairs in order to one run of a table of pairs. */
struct work_run {
    struct work_queue *queue;
    enum index_table table;
    uint32_t run;
    bool begun;
    uint8_t page[INDEX_ROOM];
    size_t size;
};
enum status work_pair(struct work_run *run, uint64_t first, uint64_t second) MUST_CHECK;
/* So many that are there as in the table. */
enum status work_pairs(struct work_run *run, const uint8_t *pairs, size_t count) MUST_CHECK;
/* Of a run without pairs there is one empty page: that none is there is a damage. */
enum status work_run_end(struct work_run *run) MUST_CHECK;

/* The part that joins a hash, and what of the hash is kept there. */
static inline unsigned work_part_of(const struct index_work *work, uint64_t hash)
{
    return work->part_bits > 0 ? (unsigned)(hash >> (64 - work->part_bits)) : 0;
}
static inline uint64_t work_key_of(const struct index_work *work, uint64_t hash)
{
    return hash >> (64 - work->part_bits - work->key_bits) & UINT64_MAX >> (64 - work->key_bits);
}

/* ---- the stages ---- */

/* The folder of temporary files is the index's own, wherever it lies, so that what an interrupted build left is found
 * again. Removing it deletes what is in it, also what a build left that was killed. */
enum status index_name_folder(struct index_work *work) MUST_CHECK;
enum status index_make_folder(const struct index_work *work) MUST_CHECK;
void index_remove_folder(const struct index_work *work);
/* Whether --tmp is given and there is the folder of builds without it; and empties that, and says so. */
bool index_left_own_folder(const struct index_work *work);
void index_drop_own_folder(const struct index_work *work);

/* Adds the blocks first..end-1 to the index: all stages that are not finished. Where there is memory for the temporary
 * files they are in it, and nothing is left to go on from: so many blocks are soon added again. One commit has all that
 * few blocks add. */
enum status index_run_stages(struct index_work *work) MUST_CHECK;
/* Before index_run_stages where the walk is to begin before it, and all blocks are not known yet: finds out what an
 * interrupted build left of the blocks first..end-1, or begins with nothing. index_run_stages goes on from there. */
enum status index_begin_stages(struct index_work *work) MUST_CHECK;
/* There are more blocks to walk than was known: up to `end`. */
enum status index_extend_stages(struct index_work *work, uint32_t end) MUST_CHECK;
/* Closes the files of all stages; deletes them unless the next build is to go on from them. */
void index_close_stages(struct index_work *work, bool keep);
/* What temporary files in memory leave of work->memory, if the work is going to have them there. */
uint64_t index_memory_beside_files(const struct index_work *work);

/* Walks blocks up to work->end and no further stage: the stages have begun, and `end` may go up then. Else as
 * index_walk. */
enum status index_walk_some(struct index_work *work) MUST_CHECK;
/* A checkpoint of that walk. */
enum status index_walk_save(struct index_work *work) MUST_CHECK;
/* Frees what only the walk needs. */
void index_walk_free(struct index_work *work);
enum status index_walk(struct index_work *work) MUST_CHECK;
enum status index_join(struct index_work *work) MUST_CHECK;
enum status index_build_outputs(struct index_work *work) MUST_CHECK;
/* `state`, if not NULL, is committed with what is written last: readers see the new blocks from then on. */
enum status index_build_txs(struct index_work *work, const struct index_state *state) MUST_CHECK;
/* Whether index_merge has anything to do. */
bool index_merge_is_due(const struct index_state *state);
/* Merges the last run of `state`, which this build has made, with those before that are not much larger: into a run of
 * its own, which `state` has then in their place, and commits that state without theirs. */
enum status index_merge(struct index_work *work, struct index_state *state) MUST_CHECK;

/* For kv_write: delete what an interrupted build, blocks that were taken back, or runs that were merged left in the
 * tables. index_cut_tables: what is above the base in all tables that are written after `stage`. The context of
 * index_cut_after_stage is a struct index_work, and does this for its base and stage; that of index_cut_merged is a
 * struct index_state, of which it deletes the runs that are not named there. */
bool index_cut_tables(struct kv_txn *txn, struct index_work *work, enum work_stage stage);
bool index_cut_after_stage(struct kv_txn *txn, void *context);
bool index_cut_merged(struct kv_txn *txn, void *context);

#endif
