/* work: what the stages of index_build share. Each stage reads what the one before left in the folder of temporary
 * files:
 *
 *   walk   blk files -> txs (record heads and txids, in chain order), outs (7 bytes an output, in chain order),
 *          creators (hash of txid, first output, outputs, check), spenders (hash of the prevout's txid, input, vout)
 *   join   creators with spenders, part by part of the hash -> links (output, input), by ranges of outputs; the runs of
 *          the txid index into the tables; what spends an older output -> values and later
 *   place  outs with links -> the table of outputs, values (input, output, value), by ranges of inputs;
 *   rest   txs with values -> the tables of inputs and transactions; blocks
 *   merge  small runs of the tables of pairs -> one
 *
 * For build.c and its stages only. Numbers are those of the whole chain. A stage that finds that the chain cannot
 * be right says which block: STATUS_FORMAT with bad_height set. */
#ifndef UNKTX_GRAPH_INDEX_WORK_H
#define UNKTX_GRAPH_INDEX_WORK_H

#include <pthread.h>

#include "graph/index/spill.h"
#include "graph/index/build.h"
#include "graph/index/format.h"
#include "parser/blkfile.h"
#include "parser/chain.h"

#define WORK_CREATOR_BYTES 64u /* of memory for each creator of a part that is joined */

/* Where a block of this build begins. */
struct work_block {
    uint64_t first_tx, first_input, first_output;
};

/* What is finished, and need not be done again after an interruption. */
enum work_stage {
    WORK_BEGUN,
    WORK_WALKING /* to `walked` */,
    WORK_WALKED,
    WORK_JOINED,
    WORK_OUTPUTS_BUILT /* the outputs */
};

struct index_work {
    const struct index_options *options;
    struct fault *fault;
    struct blkdir dir;
    struct chain *chain;
    struct kv *kv;
    struct index_state base; /* what the index holds already */
    struct index_hasher hasher;
    uint8_t seed[INDEX_SEED_SIZE];
    enum work_stage stage;
    char folder[4000];            /* of temporary files */
    bool durable;                 /* they are to be there after a power failure too */
    uint64_t memory;              /* for the arrays of a stage */
    uint32_t first, end;          /* heights to add */
    uint32_t walked;              /* height up to which they are walked */
    struct work_block *blocks;    /* of first..end, the last one behind all */
    unsigned part_bits, key_bits; /* of a hash: the first choose the part, those behind are kept */
    unsigned __int128 *sums;      /* of index_check_of the prevouts of each part */
    bool *exact;                  /* parts in which full txids settle every spend */
    bool unsure;                  /* a join found more parts that need it: it is to be done again */
    int txs_fd, outs_fd;          /* -1: closed */
    uint64_t txs_size;
    struct spill *creators, *spenders, *links, *values, *late_spends;
    uint64_t out_range, in_range, late_range; /* numbers a part of links / values / later */
    uint64_t late_count;
    uint32_t bad_height; /* UINT32_MAX: none */
    bool bad_bytes;      /* of its copy in the files: another one may be right */
};

static inline const struct work_block *work_end(const struct index_work *work)
{
    return &work->blocks[work->end - work->first];
}
static inline bool work_stopped(const struct index_work *work) { return work->options->stop && *work->options->stop; }
static inline uint64_t work_outputs(const struct index_work *work)
{
    return work_end(work)->first_output - work->blocks[0].first_output;
}
static inline uint64_t work_inputs(const struct index_work *work)
{
    return work_end(work)->first_input - work->blocks[0].first_input;
}

/* `sums` and `exact` for the parts, all zeros. */
enum status work_alloc_sums(struct index_work *work) MUST_CHECK;
/* Notes in the folder that a stage is finished, and where its files are, which the disk has then. */
enum status work_save_checkpoint(struct index_work *work, enum work_stage stage) MUST_CHECK;
/* Deletes the note and what else is in the folder. */
void work_empty_folder(const struct index_work *work);
/* Goes on from the note that an interrupted build of (some of) these blocks on this index left, if there is one: the
 * stage, `end`, the blocks and the files are then those of the note. After false, close_stage has what was opened. */
bool work_load_checkpoint(struct index_work *work);

/* Now and then in a stage: has the system begin to write out its files, for which the note waits. */
void work_write_out(const struct index_work *work);
void work_progress(const struct index_work *work, enum index_stage stage, uint64_t done, uint64_t total);
/* The height, from `first` on, of the block with that input / output. O(log blocks). */
uint32_t work_height_of_input(const struct index_work *work, uint64_t input);
uint32_t work_height_of_output(const struct index_work *work, uint64_t output);
/* STATUS_FORMAT: the block with that input cannot be right. */
enum status work_bad_input(struct index_work *work, uint64_t input, const char *what);
/* Parts for so many things when one part may have so many bytes and should have few enough for the caches. */
unsigned work_parts(uint64_t things, uint64_t bytes_each, uint64_t memory, uint64_t wanted);
/* Bytes of buffer for each of so many lanes. */
size_t work_buffer(const struct index_work *work, unsigned parts);

/* What an input spends, read from its block again. */
struct work_spend {
    struct hash256 prevout; /* txid of it */
    struct hash256 txid;    /* of the spender */
    uint64_t first_output;  /* of the spender */
    uint32_t height;
};
enum status work_read_spend(const struct index_work *work, struct blk_reader *reader, uint64_t input,
                            struct work_spend *spend, struct fault *fault) MUST_CHECK;
/* The txid of the transaction with that first output, read from its block again. */
enum status work_read_txid(const struct index_work *work, struct blk_reader *reader, uint64_t first_output,
                           struct hash256 *txid, struct fault *fault) MUST_CHECK;

/* Records for the tables, written some 16 MiB at a time in the order in which they come, by a thread of its own: the
 * disk is waited for beside the work. No view of the kv may be open meanwhile. */
struct work_queue {
    struct index_work *work;
    bool waits; /* for each write: views are open beside it */
    uint8_t *bytes, *writing;
    size_t size, writing_size;
    bool busy; /* `thread` runs */
    pthread_t thread;
    enum status status; /* of the last write */
    struct fault fault;
};
enum status work_append(struct work_queue *queue, enum index_table table, const void *key, size_t key_size,
                        const void *value, size_t size) MUST_CHECK;
/* The same for a key that may be there, or be below others. */
enum status work_put(struct work_queue *queue, enum index_table table, const void *key, size_t key_size,
                     const void *value, size_t size) MUST_CHECK;
/* Writes what is left, and waits until all is written. */
enum status work_write(struct work_queue *queue) MUST_CHECK;
void work_queue_free(struct work_queue *queue);

/* Adds pairs in order to one run of a table of pairs. */
struct work_run {
    struct work_queue *queue;
    enum index_table table;
    uint32_t run;
    bool begun;
    uint8_t page[INDEX_PAGE];
    size_t size;
};
enum status work_pair(struct work_run *run, uint64_t first, uint64_t second) MUST_CHECK;
enum status work_run_end(struct work_run *run) MUST_CHECK;

enum status index_walk(struct index_work *work) MUST_CHECK;
enum status index_join(struct index_work *work) MUST_CHECK;
enum status index_build_outputs(struct index_work *work) MUST_CHECK;
enum status index_build_txs(struct index_work *work) MUST_CHECK;
/* Merges the last run of `state`, which this build has made, with those before that are not much larger: into a run of
 * its own, which `state` has then in their place. The pages of theirs stay. */
enum status index_merge(struct index_work *work, struct index_state *state) MUST_CHECK;

#endif
