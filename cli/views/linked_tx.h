/* linked_tx: a transaction of the index as text, with what the store alone knows of it: scripts, and in which rule sets
 * an output is unknown. */
#ifndef UNKTX_CLI_VIEWS_LINKED_TX_H
#define UNKTX_CLI_VIEWS_LINKED_TX_H

#include "cli/views/tx_text.h"

/* Each transaction of that txid, the newest first; of its outputs only `vout`, unless that is TX_TEXT_ALL.
 * STATUS_NOT_FOUND. O(inputs and outputs), each with a look-up in the index. */
enum status linked_tx_put(struct tx_text *tx_text, const struct hash256 *txid, uint32_t vout, struct fault *fault)
    MUST_CHECK;

#endif
