#include "cli/inputs/spenders.h"

#include <stdlib.h>

#include "parser/array.h"
#include "parser/stop.h"

struct spender_hand {
    struct spenders *spenders;
    struct store_reader *reader;
    struct blk_reader *blk_reader;
    ARRAY(struct spend) spends;
    struct fault unread; /* why the block or transaction at hand is none */
    bool has_block;
    bool has_tx;
    uint32_t height; /* of the block */
    uint32_t tx;     /* number of the transaction */
    struct block_txs txs;
    struct cursor inputs;
    uint32_t next_vin;
};

/* ---- what a batch spends ---- */

static enum status collect_tx(void *context, uint32_t height, struct tx_view *view)
{
    struct spender_hand *hand = context;
    const struct spenders *spenders = hand->spenders;
    const struct forest *forest = spenders->forest;
    struct spend_record spend;
    enum status status;
    (void)height;
    if (view->tx.number >= forest->txs_count)
        return STATUS_FORMAT;
    while ((status = tx_next_spend(view, &spend)) == STATUS_OK) {
        if (spend.ordinal >= forest->outputs_count)
            return STATUS_FORMAT;
        if (!forest_is_arc(&forest->outputs[spend.ordinal], spenders->tdags->rules) ||
            !spenders->tdags->tx_dag[view->tx.number])
            continue;
        struct spend found = {.ordinal = spend.ordinal, .tx = (uint32_t)view->tx.number, .vin = spend.vin};
        if (!PUSH(hand->spends, found))
            return STATUS_NOMEM;
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static int by_ordinal(const void *a, const void *b)
{
    const struct spend *x = a, *y = b;
    return x->ordinal < y->ordinal ? -1 : x->ordinal > y->ordinal;
}

static int by_input(const void *a, const void *b)
{
    const struct spend *x = a, *y = b;
    if (x->tx != y->tx)
        return x->tx < y->tx ? -1 : 1;
    return x->vin < y->vin ? -1 : x->vin > y->vin;
}

/* Outputs in ascending order cost no more than their transactions, whatever the order of the spends. */
static enum status load_outputs(struct spender_hand *hand, struct fault *fault)
{
    struct spend *spends = hand->spends.at;
    size_t count = hand->spends.count;
    struct store_place place = {0};
    enum status status = STATUS_OK;
    if (count == 0)
        return STATUS_OK;
    qsort(spends, count, sizeof *spends, by_ordinal);
    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        status = store_tracked_output(hand->reader, &place, spends[i].ordinal, &spends[i].output, fault);
    qsort(spends, count, sizeof *spends, by_input);
    return status;
}

/* ---- what the blk files have ---- */

static enum status other_bytes(const struct spender_hand *hand, const struct forest_tx *tx, struct fault *fault)
{
    return fault_set(fault, STATUS_FORMAT, hand->spenders->blocks.dir.path, FAULT_NO_OFFSET,
                     "block %u is not at the place that the store has it at", (unsigned)tx->height);
}

/* Makes the spender's inputs those at hand. STATUS_OK with has_tx false where they are damaged or not there. */
static enum status open_tx(struct spender_hand *hand, uint32_t number)
{
    const struct forest_tx *tx = &hand->spenders->forest->txs[number];
    const uint8_t *bytes;
    uint32_t size;
    struct tx read;
    struct hash256 txid;
    if (!hand->has_block || hand->height != tx->height) {
        hand->unread = (struct fault){0};
        enum status status = stored_blocks_read(&hand->spenders->blocks, hand->blk_reader, tx->height, &bytes, &size,
                                                &hand->unread);
        if (status_ends_command(status))
            return status;
        hand->txs = status == STATUS_OK ? block_txs_of(bytes, size) : (struct block_txs){.next = UINT32_MAX};
        hand->has_block = true;
        hand->height = tx->height;
    }
    hand->tx = number;
    hand->next_vin = 0;
    hand->has_tx = hand->unread.status == STATUS_OK && block_txs_read(&hand->txs, tx->index, &read);
    if (hand->has_tx) {
        tx_id(&read, &txid);
        hand->has_tx = hash256_equal(&txid, &tx->txid);
        hand->inputs = tx_inputs_of(&read);
    }
    if (!hand->has_tx && hand->unread.status == STATUS_OK)
        (void)!other_bytes(hand, tx, &hand->unread);
    return STATUS_OK;
}

/* One reason is enough; which of several it is depends on the threads, and goes to stderr only. */
static void count_unread(struct spender_hand *hand)
{
    struct spenders *spenders = hand->spenders;
    if (__atomic_fetch_add(&spenders->unread, 1, __ATOMIC_RELAXED) == 0)
        spenders->why = hand->unread;
}

enum status spender_input(struct spender_hand *hand, const struct spend *spend, struct tx_input *input)
{
    *input = (struct tx_input){0};
    if (!hand->has_block || hand->tx != spend->tx) {
        enum status status = open_tx(hand, spend->tx);
        if (status != STATUS_OK)
            return status;
    }
    while (hand->has_tx && hand->next_vin <= spend->vin && cursor_ok(&hand->inputs)) {
        tx_input(&hand->inputs, input);
        hand->next_vin++;
    }
    if (hand->has_tx && cursor_ok(&hand->inputs) && input->script)
        return STATUS_OK;
    count_unread(hand);
    return STATUS_NOT_FOUND;
}

/* ---- batches ---- */

static enum status visit_spends(struct spender_hand *hand, spenders_each *each, void *context, struct fault *fault)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < hand->spends.count && status == STATUS_OK; i++) {
        if (stop_requested()) /* each may be in a block of its own */
            return stop_check(fault);
        status = each(context, hand, &hand->spends.at[i]);
    }
    if (status_ends_command(status) && status == hand->unread.status) /* of the blk files */
        *fault = hand->unread;
    return status == STATUS_NOMEM ? fault_nomem(fault) : status;
}

enum status spenders_visit(struct spenders *spenders, unsigned worker, size_t batch, spenders_each *each, void *context,
                           struct fault *fault)
{
    struct spender_hand hand = {.spenders = spenders,
                                .reader = spenders->readers.readers[worker],
                                .blk_reader = &spenders->blk_readers[worker]};
    struct batch_view view;
    enum status status = store_batch(hand.reader, batch, &view, fault);
    if (status == STATUS_OK) {
        status = opened_store_each_tx(&view, collect_tx, &hand);
        if (status == STATUS_FORMAT)
            status = opened_store_damaged(spenders->store, view.first_height, fault);
        else if (status != STATUS_OK)
            status = fault_nomem(fault);
    }
    if (status == STATUS_OK)
        status = load_outputs(&hand, fault);
    if (status == STATUS_OK)
        status = visit_spends(&hand, each, context, fault);
    mem_free(hand.spends.at);
    return status;
}

enum status spenders_open(const struct settings *settings, const struct store *store, const struct forest *forest,
                          struct spenders *spenders, struct fault *fault)
{
    unsigned threads = (unsigned)settings->threads;
    *spenders = (struct spenders){.store = store, .forest = forest, .threads = threads};
    enum status status = stored_blocks_open(settings, store, &spenders->blocks, fault);
    if (status == STATUS_OK)
        status = store_readers_open(store, threads, &spenders->readers, fault);
    if (status != STATUS_OK)
        return status;
    spenders->blk_readers = mem_alloc(threads, sizeof *spenders->blk_readers);
    return spenders->blk_readers ? STATUS_OK : fault_nomem(fault);
}

void spenders_close(struct spenders *spenders)
{
    for (unsigned i = 0; spenders->blk_readers && i < spenders->threads; i++)
        blk_reader_free(&spenders->blk_readers[i]);
    mem_free(spenders->blk_readers);
    store_readers_close(&spenders->readers);
    stored_blocks_close(&spenders->blocks);
    *spenders = (struct spenders){0};
}
