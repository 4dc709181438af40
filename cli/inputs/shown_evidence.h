/* shown_evidence: the public keys, hashes and preimages that the unknown outputs of a store and their spenders show. */
#ifndef UNKTX_CLI_INPUTS_SHOWN_EVIDENCE_H
#define UNKTX_CLI_INPUTS_SHOWN_EVIDENCE_H

#include "cli/inputs/selected_outputs.h"
#include "cli/inputs/spenders.h"
#include "graph/dag/evidence.h"

/* Collects by batches of the store, which any number of threads may work on at once, one a batch. */
struct shown_evidence {
    const struct store *store;
    struct evidence_set *set;
    struct selected_outputs *selected; /* evidence of other outputs is hidden; NULL: of none */
    struct store_readers readers;
    size_t batches;
    struct evidence_set *outputs; /* by batch: what its outputs show */
    struct evidence_set *inputs;  /* by batch: what its inputs show */
};

/* For a set that was begun (evidence_begin); shown_evidence_close in any case. */
enum status shown_evidence_open(const struct store *store, unsigned threads, struct selected_outputs *selected,
                                struct evidence_set *set, struct shown_evidence *shown, struct fault *fault) MUST_CHECK;
void shown_evidence_close(struct shown_evidence *shown);

/* What the unknown outputs of a batch show. O(batch). */
enum status shown_evidence_add_outputs(struct shown_evidence *shown, unsigned worker, size_t batch, struct fault *fault)
    MUST_CHECK;
/* What an input of the batch shows; inputs come in order. O(bytes). */
enum status shown_evidence_add_input(struct shown_evidence *shown, unsigned worker, size_t batch,
                                     const struct spend *spend, const struct tx_input *input, struct fault *fault)
    MUST_CHECK;
/* After the outputs and inputs of a batch: what they do not need goes back. */
void shown_evidence_end_batch(struct shown_evidence *shown, unsigned worker, size_t batch);
/* Puts all into the set, in the order of the chain, and numbers its things. O(evidence). */
enum status shown_evidence_end(struct shown_evidence *shown, struct fault *fault) MUST_CHECK;

/* All of it. `spenders` (with its tdags) may be NULL: then what inputs show is left out. O(the store, and the blocks
 * that have a spender, read again). */
enum status shown_evidence_collect(const struct store *store, struct spenders *spenders,
                                   struct selected_outputs *selected, unsigned threads, struct evidence_set *set,
                                   struct fault *fault) MUST_CHECK;

/* spenders_open, but where the blk files are gone says so on stderr, and leaves `*spenders` without them. */
enum status spenders_open_if_there(const struct settings *settings, const struct store *store,
                                   const struct forest *forest, struct spenders *spenders, struct fault *fault)
    MUST_CHECK;
static inline struct spenders *spenders_are_there(struct spenders *spenders)
{
    return spenders->hands ? spenders : NULL;
}
/* Where inputs could not be read: true, after stderr says how many, and why. */
bool shown_evidence_tell_unread(const struct spenders *spenders);

#endif
