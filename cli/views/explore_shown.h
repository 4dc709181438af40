/* explore_shown: what the unknown outputs of a rule set and their unlocking show: how the outputs of each T-DAG were
 * unlocked, the keys, hashes and preimages, and the groups of what shares them. The spenders' blocks are read again
 * when it is first asked for, by a thread of its own; then it is kept, on a long chain until that of another rule set
 * is asked for. That one waits until no page has used the first for EXPLORE_SHOWN_IDLE_S; after EXPLORE_SHOWN_TURN_S
 * only until the pages that have it are made.
 *
 * Thread rule: any number of threads at once. */
#ifndef UNKTX_CLI_VIEWS_EXPLORE_SHOWN_H
#define UNKTX_CLI_VIEWS_EXPLORE_SHOWN_H

#include "cli/views/explore.h"
#include "cli/views/unlocks.h"
#include "graph/dag/groups.h"

struct explore_group {
    uint32_t tdags;
    uint32_t outputs; /* single ones */
    uint32_t first_height;
    uint32_t last_height;
    uint32_t first_thing; /* things[first_thing .. + things_count - 1] tie it, in the order of the chain */
    uint32_t things_count;
};

/* A *thing* is the number of its first piece in the evidence. */

/* Of a T-DAG or a group: what ties it. */
struct explore_span {
    const uint32_t *things;
    uint32_t count;
};

/* How many outputs were unlocked in one way. */
struct explore_unlocked {
    uint32_t outputs;
    uint8_t by; /* enum unlock_by */
};

/* Some 70 bytes for each key or hash that an output or an input shows. */
struct explore_shown {
    /* T-DAG d: unlocked[unlocked_first[d] .. unlocked_first[d + 1] - 1]; NULL: the blk files are gone, and only outputs
     * show something. */
    uint32_t *unlocked_first;
    ARRAY(struct explore_unlocked) unlocked;
    uint64_t *partly; /* bits: T-DAGs, 1.., of which not all spenders could be read */
    uint64_t unread;  /* inputs that could not be read: what they showed is left out */
    struct evidence_set evidence;
    struct groups groups;       /* with names */
    struct explore_group *rows; /* by group - 1 */
    uint32_t *members;          /* by group, from groups.begins on: its T-DAGs, then its outputs, each in chain order */
    uint32_t *order;            /* groups: the one with the most T-DAGs first, then outputs */
    uint32_t *things;           /* by group, see above */
    uint32_t *dag_first;        /* count + 2: T-DAG d is tied by dag_things[dag_first[d] .. dag_first[d + 1] - 1] */
    uint32_t *dag_things;
    /* Keys, hashes and preimages, each in the order of their bytes, of keys without the first, of which there are two
     * for one point. */
    struct explore_ordered {
        uint32_t *at;
        uint32_t count;
    } ordered[EVIDENCE_PREIMAGE + 1];
};

/* A spender of an output of the rule set hidden opens a hidden script, which keys and unlocks know nothing of. */
#define EXPLORE_SHOWN_NOT_HIDDEN                                                                                       \
    "How outputs were unlocked, and what ties T-DAGs, is not told of the rule set hidden: a rule set of Core in the "  \
    "menu above has it."

#define EXPLORE_SHOWN_BYTES ((size_t)64 << 20)
/* What was used since then stays until its turn is over: else readers of two rule sets had it read all the time. */
#define EXPLORE_SHOWN_IDLE_S 5u
#define EXPLORE_SHOWN_TURN_S 30u

/* That of the request's rule set. STATUS_BUSY: it is being made. STATUS_NOT_FOUND: of the rule set hidden there is
 * none. Else it is there until the page is made, and is the request's: explore_shown_leave is called for it then.
 * Whoever needs it longer sets request->shown to NULL. */
enum status explore_shown_get(struct explore_request *request, const struct explore_shown **shown, struct fault *fault)
    MUST_CHECK;
/* Likewise, what is there, or can be there in no time: on a short chain it is begun, and waited for a moment. NULL: it
 * has to be asked for. */
const struct explore_shown *explore_shown_at_once(struct explore_request *request);
/* NULL is legal. */
void explore_shown_leave(struct explore *explore, const struct explore_shown *shown);
void explore_shown_free_all(struct explore *explore);

/* Calls `take` with each group whose name, the txid of its first transaction, begins so; at most `most` times, in the
 * order of the txids. O(transactions that begin so * log n). */
typedef void explore_group_take(void *context, uint32_t group);
void explore_groups_find(const struct explore *explore, const struct explore_shown *shown, const struct prefix *prefix,
                         uint32_t most, explore_group_take *take, void *context);

/* How the outputs of a T-DAG were unlocked, where there is unlocked_first. */
struct unlock_counts explore_shown_unlocks(const struct explore_shown *shown, uint32_t dag);
/* The things that tie a T-DAG. O(1). */
struct explore_span explore_shown_of_tdag(const struct explore_shown *shown, uint32_t dag);

#endif
