/* stored_tx: a transaction of the store as text, where there is no index. */
#ifndef UNKTX_CLI_VIEWS_STORED_TX_H
#define UNKTX_CLI_VIEWS_STORED_TX_H

#include "cli/views/tx_text.h"

/* Each stored transaction of that txid, the newest first; of its outputs only `vout`, unless that is TX_TEXT_ALL.
 * STATUS_NOT_FOUND. O(transactions of the store): a look through some millions of txids in memory takes no time. */
enum status stored_tx_put(struct tx_text *tx_text, const struct hash256 *txid, uint32_t vout, struct fault *fault)
    MUST_CHECK;

#endif
