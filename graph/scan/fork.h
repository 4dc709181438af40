/* fork: where the chain that a store or an index holds leaves the best chain of the blk files, and what of it stays. A
 * scan and an index both ask this before they add blocks.
 *
 * Thread rule: none, no state. */
#ifndef UNKTX_GRAPH_SCAN_FORK_H
#define UNKTX_GRAPH_SCAN_FORK_H

#include "parser/chain.h"
#include "parser/hash256.h"
#include "parser/status.h"

/* The hash of the held block of that height. */
typedef enum status fork_hash_at(void *context, uint32_t height, struct hash256 *hash, struct fault *fault);

struct fork {
    const struct chain *chain;
    uint32_t end;       /* height up to which the chain is certain */
    uint32_t first;     /* height of the first held block */
    uint32_t blocks;    /* the height after that of the last held one; `first`: none is held */
    uint32_t to_height; /* the user's --to-height; UINT32_MAX: the tip */
    bool tip_chosen;    /* the user's --tip: the chain is to end there, even if more is held */
    fork_hash_at *hash_at;
    void *context;
    uint32_t common; /* out: the height after that of the last block that both have */
    uint32_t keep;   /* out: held blocks below this height stay */
    uint32_t target; /* in and out: the height after that of the last block that is to be held in the end */
    bool shorter;    /* out: the chain ends inside what is held */
};

/* Sets what is marked out. Held blocks go only where the chain goes elsewhere or the user asked for an earlier end; not
 * where blk files are gone or damaged, so that the chain ends inside what is held. O(log blocks) hashes. */
enum status fork_find(struct fork *fork, struct fault *fault) MUST_CHECK;

/* Whether the first held block above genesis is in the files, if only on a branch that lost: a node keeps such blocks.
 * If it is not, and nothing but genesis is shared, then the files are of a chain that was begun anew (a regtest that
 * was reset, a custom signet), and not of a reorganisation from the first block on. At least two blocks must be held.
 */
enum status fork_knows_first_block(const struct fork *fork, bool *knows, struct fault *fault) MUST_CHECK;

#endif
