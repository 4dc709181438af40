/* promises: what each input of the index will spend, by the outputs that the index has it spend, for whom reads blocks
 * in order: every output is met before its spender. Inputs come in ranges of whole blocks. What is promised to the
 * range at hand is in memory, as long as it is not dropped; what is promised to later ones goes to disk (spill.h), in
 * files that have no name.
 *
 * Thread rule: between two calls of promises_begin_range any thread may call promises_add, promises_settle and
 * promises_drop, each worker number one at a time; promises_of reads what was settled before by other threads that have
 * ended or were waited for. */
#ifndef UNKTX_GRAPH_INDEX_PROMISES_H
#define UNKTX_GRAPH_INDEX_PROMISES_H

#include "graph/index/format.h"
#include "graph/index/spill.h"

#define PROMISE_BYTES 32u

struct promise {
    uint64_t value_kind; /* of the output, see value_kind_of */
    uint8_t bytes[PROMISE_BYTES];
};

/* Where a block begins. */
struct promises_block {
    uint64_t first_input;
    uint64_t first_output;
};

struct promises {
    struct tx_index *index;        /* for messages */
    uint32_t blocks;               /* of the chain that is read */
    struct promises_block *places; /* by height, and one more */
    uint64_t bytes;                /* of all blocks */
    uint32_t *ranges;              /* first block of each, and `blocks` */
    unsigned ranges_count;
    unsigned range;     /* at hand */
    uint32_t *numbers;  /* of its inputs: of the promise to each; 0: none was made */
    struct promise *at; /* by number; as many as it has inputs, and some, of which those are touched that are needed */
    uint64_t used;      /* numbers that workers have taken */
    uint64_t most;      /* numbers that there are */
    struct promises_worker *workers;
    unsigned threads;
    struct spill *spill; /* of the others; NULL: there is one range */
    char folder[4096];   /* that the spill's files were in */
};

struct promises_options {
    const char *tmp;    /* folder for temporary files */
    uint64_t memory;    /* bytes, for the promises of a range */
    uint64_t buffers;   /* bytes, for those of later ranges on their way to disk */
    unsigned threads;   /* worker numbers are below it */
    uint32_t to_height; /* UINT32_MAX: the tip */
};

/* The least that `buffers` has to be for a chain of so many inputs with that memory and so many threads. O(1). */
uint64_t promises_least_buffers(uint64_t inputs, uint64_t memory, unsigned threads);

/* Zero-initialise; promises_close in any case. Borrows the index. STATUS_NOT_FOUND: it ends below that height.
 * O(blocks) and 16 bytes for each. */
enum status promises_open(struct promises *promises, struct tx_index *index, const struct promises_options *options,
                          struct fault *fault) MUST_CHECK;
void promises_close(struct promises *promises);

/* Makes range `range` the one at hand; ranges come in order. O(its inputs, and what was promised to them). */
enum status promises_begin_range(struct promises *promises, unsigned range, struct fault *fault) MUST_CHECK;

/* For an input of the range at hand or a later one; one beyond the last block is left out. `size` is at most
 * PROMISE_BYTES. The bytes are borrowed until promises_settle, which may be what tells that something is wrong.
 * STATUS_FORMAT: it is of a range before, or has a promise already: the index is damaged. Other failures have no fault
 * here: promises_failure tells. O(1). */
enum status promises_add(struct promises *promises, unsigned worker, uint64_t input, uint64_t value_kind,
                         const uint8_t *bytes, size_t size, struct fault *fault) MUST_CHECK;

/* Makes what the worker has added and not made yet. Needed before a promise is read, and before its bytes go; also
 * after a failure. O(1). */
enum status promises_settle(struct promises *promises, unsigned worker, struct fault *fault) MUST_CHECK;

/* Why promises_add failed by a spill; once no thread adds any more. */
enum status promises_failure(const struct promises *promises, struct fault *fault) MUST_CHECK;

/* The numbers of those of the inputs of a block of the range at hand, in order. */
static inline const uint32_t *promises_of(const struct promises *promises, uint32_t height)
{
    const struct promises_block *places = promises->places;
    return promises->numbers + (places[height].first_input - places[promises->ranges[promises->range]].first_input);
}

/* Forgets promises that were read; their numbers are used again, so to none of these inputs may be promised any more.
 * `numbers` are of promises_of. O(1). */
void promises_drop(struct promises *promises, unsigned worker, const uint32_t *numbers, size_t count);

#endif
