/* tx_text: the lines in which `unktx show` prints a transaction, as far as they are alike whether only the store has it
 * (stored_tx.h) or the index too (linked_tx.h). */
#ifndef UNKTX_CLI_VIEWS_TX_TEXT_H
#define UNKTX_CLI_VIEWS_TX_TEXT_H

#include "cli/inputs/stored_blocks.h"
#include "cli/output/text.h"
#include "cli/views/membership.h"
#include "cli/views/tx_scripts.h"
#include "graph/dag/forest.h"
#include "graph/index/tx_index.h"
#include "graph/scripts/matcher.h"
#include "graph/store/store.h"

/* What is told from, all borrowed, and the lines. */
struct tx_text {
    const struct store *store;
    struct store_reader *reader;
    struct tx_index *index; /* NULL: there is no index */
    const struct catalogue *catalogue;
    struct matcher *matcher;
    const struct forest *forest;
    struct membership membership;
    struct text text;
    /* of --with-scripts; NULL: they are not asked for, or not there */
    const struct stored_blocks *blocks;
    struct blk_reader reader_of_blocks;
    struct tx_scripts scripts;
    bool has_scripts; /* of the transaction that is shown */
    bool missing;     /* of some transaction there are none */
};

/* In place of a vout: every output. */
#define TX_TEXT_ALL UINT32_MAX

/* Each appends what it names; STATUS_NOMEM without memory. */
enum status tx_text_unspent(struct tx_text *tx_text) MUST_CHECK;
enum status tx_text_spent_by(struct tx_text *tx_text, const struct hash256 *txid, uint32_t vin, uint32_t height)
    MUST_CHECK;
/* The end of an output's or an input's line: the rule sets of the mask, as "unknown in A, B". */
enum status tx_text_unknown(struct tx_text *tx_text, unsigned unknown) MUST_CHECK;
/* Script, keys and known scripts of an output; nothing of one that no rule set calls unknown. */
enum status tx_text_script(struct tx_text *tx_text, const struct output_record *output) MUST_CHECK;

/* Reads the transaction from the blk files, where that is asked for, and appends what is about it as a whole. Where it
 * is not there stderr says so, and the rest is shown. Then the same of an input and of an output, in ascending
 * order. */
enum status tx_text_open_scripts(struct tx_text *tx_text, uint32_t height, uint32_t index, const struct hash256 *txid)
    MUST_CHECK;
enum status tx_text_input_scripts(struct tx_text *tx_text, uint32_t vin) MUST_CHECK;
enum status tx_text_output_scripts(struct tx_text *tx_text, uint32_t vout) MUST_CHECK;

/* STATUS_NOT_FOUND: the transaction has only that many outputs. */
enum status tx_text_no_output(uint32_t vout, uint32_t outputs, struct fault *fault) MUST_CHECK;

/* A spend of the store with what is spent, whose script is in the transaction that created it. */
struct stored_spend {
    struct spend_record spend;
    struct output_record output;
};

/* All spends of the transaction, in order of vin; `*spent` is the caller's to free in any case. STATUS_FORMAT,
 * STATUS_NOMEM. O(n log n) and the batches of what is spent. */
enum status tx_text_spends(struct tx_text *tx_text, struct tx_view *view, struct stored_spend **spent, size_t *count,
                           struct fault *fault) MUST_CHECK;
/* The line of such an input. */
enum status tx_text_input(struct tx_text *tx_text, const struct stored_spend *spent) MUST_CHECK;

#endif
