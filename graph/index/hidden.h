/* hidden: one pass over the blk files of an index, which shows every input that spends an output of kind scripthash,
 * witness_v0_scripthash or witness_v1_taproot with the scripts that it shows (parser/hidden.h).
 *
 * The index tells of each such output which input spends it, so that the pass needs no look-up: an output's hash is
 * kept until that input comes. What memory has no room for is put on disk by the range of inputs in which it will be
 * needed (promises.h), so that each block is read once, whatever the memory. */
#ifndef UNKTX_GRAPH_INDEX_HIDDEN_H
#define UNKTX_GRAPH_INDEX_HIDDEN_H

#include "graph/index/tx_index.h"
#include "graph/scan/marks.h"
#include "parser/blkfile.h"
#include "parser/hidden.h"

/* An input that spends such an output. Borrowed during the call. */
struct hidden_spend {
    const struct index_block *block;
    const struct tx *tx;
    const struct tx_input *input;
    uint32_t tx_index; /* in the block */
    uint32_t vin;
    uint64_t output;    /* that it spends: number */
    uint64_t value_sat; /* of the output */
    enum kind kind;     /* of the output */
    enum hidden_way way;
    size_t count;
    struct hidden_script scripts[HIDDEN_SHOWN_MAX];
};

struct hidden_pass {
    const char *store;        /* folder of the store that the index is in */
    const struct blkdir *dir; /* its blk files */
    const char *tmp;          /* folder for temporary files; NULL: the store's */
    uint64_t memory;          /* bytes, at least 256 MiB */
    unsigned threads;         /* at least 1; more than hidden_budget_for has are not used */
    uint32_t to_height;       /* UINT32_MAX: the index's tip */
    /* Blocks are worked on some at a time, each with a number of its own below hidden_slots(threads). `spend` is called
     * by any thread for the inputs of a block in order, for no two blocks of one slot at once. `blocks` then is called
     * once for slots 0..count-1, whose blocks are in chain order. A status other than STATUS_OK ends the pass. */
    enum status (*spend)(void *context, unsigned worker, unsigned slot, const struct hidden_spend *spend,
                         struct fault *fault);
    enum status (*blocks)(void *context, unsigned count, struct fault *fault);
    /* Called after `blocks`, in chain order, for each that has a spend whose way is HIDDEN_NOT_PROVEN and whose
     * witnesses are not those that it commits to (BIP 141): its bytes changed. May be NULL. */
    void (*damaged)(void *context, uint32_t height, const struct index_block *block);
    void (*progress)(void *context, uint64_t done, uint64_t total); /* bytes of blocks; may be NULL */
    void *context;
};

unsigned hidden_slots(unsigned threads);

/* What is at work however large the chain is: the program, the multiples of taproot.h, rows; and for each thread its
 * readers, matchers, stack, and what it verifies and checks with, as measured, without the spends that wait. */
#define HIDDEN_FIXED_BYTES ((uint64_t)24 << 20)
#define HIDDEN_THREAD_BYTES ((uint64_t)1 << 20)

/* How a pass divides its memory: all of it together, with two windows more for what readers keep, is that memory at
 * most. */
struct hidden_budget {
    unsigned threads;  /* as many as half of the memory has room for */
    uint64_t window;   /* bytes of blocks at work at the same time */
    uint64_t buffers;  /* of the spill, with its list of pieces */
    uint64_t promises; /* of a range of inputs */
};
/* `memory` is 256 MiB or more. O(1). */
struct hidden_budget hidden_budget_of(uint64_t memory, unsigned threads);
/* The same for a chain of so many inputs: with fewer threads where the spill would have no room for so many.
 * O(threads). */
struct hidden_budget hidden_budget_for(uint64_t memory, unsigned threads, uint64_t inputs);
/* What one thread takes of it. */
uint64_t hidden_budget_thread(void);

/* STATUS_NOT_FOUND: there is no index, or a blk file is gone. STATUS_FORMAT: a block is not what the index has, or the
 * index contradicts itself. STATUS_INTERRUPTED once a signal came. O(bytes of the blocks), and the spills. */
enum status hidden_pass_run(const struct hidden_pass *pass, struct fault *fault) MUST_CHECK;

/* Marks without a bit set, for the blocks of an index up to a height (UINT32_MAX: the tip). hidden_marks_free in any
 * case. One bit for each output, 8 bytes for each block. */
enum status hidden_marks_new(const char *store, uint32_t to_height, struct output_marks *marks, struct fault *fault)
    MUST_CHECK;
void hidden_marks_free(struct output_marks *marks);

#endif
