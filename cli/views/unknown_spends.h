/* unknown_spends: which outputs in the index are unknown under a rule set, as the store has them: the index has no
 * scripts, and kinds alone do not tell (model.md, section 3). nulldata counts as none: it can never be spent. */
#ifndef UNKTX_CLI_VIEWS_UNKNOWN_SPENDS_H
#define UNKTX_CLI_VIEWS_UNKNOWN_SPENDS_H

#include "cli/options.h"
#include "graph/dag/forest.h"
#include "graph/index/tx_index.h"

/* Zero-initialise; unknown_spends_close in any case. */
struct unknown_spends {
    struct store *store;
    struct forest forest;
    enum rules rules;
};

/* Opens settings->store for settings->rules. STATUS_REFUSED: the index does not have the store's last block.
 * O(store). */
enum status unknown_spends_open(const struct settings *settings, struct tx_index *index, struct unknown_spends *spends,
                                struct fault *fault) MUST_CHECK;
void unknown_spends_close(struct unknown_spends *spends);

/* Is the output unknown? O(log n). */
bool unknown_spends_has(const struct unknown_spends *spends, const struct index_tx *tx, uint32_t vout);

#endif
