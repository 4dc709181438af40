/* forests: forests written by hand, transaction by transaction, without a store. Test support: a lack of memory aborts.
 */
#ifndef UNKTX_TESTS_SUPPORT_FORESTS_H
#define UNKTX_TESTS_SUPPORT_FORESTS_H

#include "graph/dag/forest.h"

struct forest_builder {
    struct forest forest;
    size_t txs_capacity;
    size_t outputs_capacity;
    size_t spends_capacity;
};

/* Zero-initialise a builder. A new transaction, in a block of its own at height = its number, time = 1000 + height; its
 * number is returned. `unknown` tracked outputs (nonstandard, unknown in every rule set) come first, then `known` ones,
 * then `nulldata`. An output is worth 1 satoshi more than its tracked ordinal, or 1000 if it is not tracked. Its txid
 * is its number in the first four bytes. */
uint32_t forest_add_tx(struct forest_builder *builder, uint32_t known_inputs, uint32_t unknown, uint32_t known,
                       uint32_t nulldata);

/* The newest transaction gets one more input, which spends output `i` of the tracked ones of `tx`. */
void forest_add_spend(struct forest_builder *builder, uint32_t tx, uint32_t i);

/* Closes the arrays with their sentinel and totals. The builder then owns a forest that is whole. */
const struct forest *forest_finish(struct forest_builder *builder);
void forest_builder_free(struct forest_builder *builder);

/* The script of tracked output `ordinal`; NULL for OP_TRUE or OP_HASH160 OP_EQUAL, as anyone_can_spend has it. */
typedef const uint8_t *forest_script(uint32_t ordinal, uint32_t *size);

/* Writes the forest to a new store below folder `path`, a block for each transaction, and opens it for reading;
 * `script` may be NULL. */
struct store *forest_write(const struct forest *forest, const char *path, forest_script *script);

#endif
