/* waiting: inputs that spend an output with a hidden script, kept in order until the claims of their control blocks are
 * answered together (parser/taproot.h), which costs a fraction of asking one by one. One thread. */
#ifndef UNKTX_GRAPH_INDEX_WAITING_H
#define UNKTX_GRAPH_INDEX_WAITING_H

#include "graph/index/hidden.h"

/* Zero-initialise; waiting_free in any case. */
struct waiting {
    struct waiting_spend *spends;
    struct taproot_claim *claims;
    size_t count;
    size_t claims_count;
};

typedef enum status waiting_show(void *context, const struct hidden_spend *spend);

enum status waiting_open(struct waiting *waiting) MUST_CHECK;
void waiting_free(struct waiting *waiting);

/* What waiting_open allocates. */
size_t waiting_bytes(void);

/* Forgets all that wait. */
void waiting_drop(struct waiting *waiting);

/* Room for one more is needed: waiting_flush if not. */
bool waiting_is_full(const struct waiting *waiting);

/* Keeps the spend with its transaction and input, whose bytes stay where they are until the flush; spend->way, count
 * and scripts are read from the witness (hidden_read). */
void waiting_add(struct waiting *waiting, const struct hidden_spend *spend, const uint8_t *program,
                 const uint8_t *witness, size_t witness_size);

/* Shows all that wait, in order. A status other than STATUS_OK of `show` ends it, and is returned; STATUS_NOMEM. */
enum status waiting_flush(struct waiting *waiting, const struct taproot *taproot, waiting_show *show, void *context)
    MUST_CHECK;

#endif
