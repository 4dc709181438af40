/* record_flaws: what must be true of a record by itself, for `unktx check`. Each returns what is wrong in a few words
 * (a static string), or NULL. Thread rule: any thread, no state. */
#ifndef UNKTX_GRAPH_STORE_RECORD_FLAWS_H
#define UNKTX_GRAPH_STORE_RECORD_FLAWS_H

#include "graph/store/record.h"

/* The output's script against what the record says of it. O(size of the script). */
const char *record_wrong_output(const struct output_record *output);

/* A block's counts against those of its stored outputs and unknown transactions; `nulldata_stored` as the store's
 * identity has it. */
const char *record_wrong_counts(const struct block_counts *all, const struct block_counts *stored,
                                bool nulldata_stored);

/* Of a partial batch: a block's maybe_txs against those of its stored transactions, of which `stored` counts those with
 * an input made before the first block, by rule set. */
const char *record_wrong_maybe(const struct block_record *block, const uint32_t stored[RULES], bool nulldata_stored);

#endif
