/* tx_text: a transaction as `unktx show` prints it, as text or JSON, as far as that is alike whether only the store has
 * it (stored_tx.h) or the index too (linked_tx.h). */
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
    bool json;
    bool in_list; /* of a list of JSON something is written */
    /* of --scripts; NULL: they are not asked for, or not there */
    const struct stored_blocks *blocks;
    struct blk_reader reader_of_blocks;
    struct tx_scripts scripts;
    bool has_scripts; /* of the transaction that is shown */
    bool missing;     /* of some transaction there are none */
};

/* In place of a vout: every output. */
#define TX_TEXT_ALL UINT32_MAX

/* All occurrences of a txid are one list. */
enum status tx_text_begin_list(struct tx_text *tx_text) MUST_CHECK;
enum status tx_text_end_list(struct tx_text *tx_text) MUST_CHECK;

/* A transaction as a whole. `number` is that in the forest, FOREST_NONE for one that is not stored. */
struct tx_head {
    struct hash256 txid;
    uint32_t number;
    uint32_t height;
    uint32_t index; /* in its block */
    uint32_t inputs;
    uint32_t outputs;
    uint64_t value_out_sat;
    uint64_t fee_sat;
    bool coinbase;
    bool has_fee; /* only an index knows it, and a coinbase has none */
};

/* What is about the transaction as a whole, and the beginning of its inputs. With --scripts it is read from the blk
 * files; where it is not there stderr says so, and the rest is shown. */
enum status tx_text_begin(struct tx_text *tx_text, const struct tx_head *head, struct fault *fault) MUST_CHECK;
enum status tx_text_begin_outputs(struct tx_text *tx_text) MUST_CHECK;
enum status tx_text_end(struct tx_text *tx_text) MUST_CHECK;

/* What an input spends. */
struct tx_prevout {
    struct hash256 txid;
    uint32_t vout;
    bool told;                   /* false: what follows is not known */
    uint32_t height;             /* of its transaction */
    struct output_record output; /* without a script where the store does not have it */
};
/* An input, in ascending order of vin; `prevout` is NULL for that of a coinbase. */
enum status tx_text_input(struct tx_text *tx_text, uint32_t vin, const struct tx_prevout *prevout) MUST_CHECK;

/* An output, without a script where the store does not have it, in ascending order of vout. One of the three that
 * follow is called next. */
enum status tx_text_output(struct tx_text *tx_text, uint32_t vout, const struct output_record *output) MUST_CHECK;
enum status tx_text_unspent(struct tx_text *tx_text) MUST_CHECK;
enum status tx_text_spent_by(struct tx_text *tx_text, const struct hash256 *txid, uint32_t vin, uint32_t height)
    MUST_CHECK;
/* It cannot be spent, or nobody knows. */
enum status tx_text_no_spender(struct tx_text *tx_text) MUST_CHECK;

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
/* Such an input. */
enum status tx_text_stored_input(struct tx_text *tx_text, const struct stored_spend *spent) MUST_CHECK;

#endif
