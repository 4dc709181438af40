#include "cli/inputs/spenders.h"

#include "parser/array.h"
#include "parser/sort.h"
#include "parser/stop.h"

/* Longer scripts stay where the store has them: an input of 41 bytes spends one of up to 10,000. */
#define SCRIPT_COPIED_MAX 256u

/* Where the output of a spend is in the store, and the spend's number in its list. */
struct wanted {
    uint64_t ordinal;
    uint64_t spend;
};

/* What one worker has at hand in a batch; the lists keep their memory for the next one. */
struct spender_hand {
    struct spenders *spenders;
    struct store_reader *reader;
    struct blk_reader blk_reader;
    ARRAY(struct spend) spends;
    struct wanted *wanted; /* twice as many as there are spends: sorting takes room */
    size_t wanted_capacity;
    ARRAY(uint8_t) scripts; /* short ones of the outputs, where what they were read from goes out of memory */
    struct fault unread;    /* why the block or transaction at hand is none */
    bool has_block;
    bool has_tx;
    uint32_t height; /* of the block */
    uint32_t tx;     /* number of the transaction */
    struct block_txs txs;
    struct cursor inputs;
    uint32_t next_vin;
};

/* ---- what a batch spends ---- */

/* In order of the inputs, as the forest has them. */
static enum status collect_spends(struct spender_hand *hand, const struct batch_view *view, struct fault *fault)
{
    const struct spenders *spenders = hand->spenders;
    const struct forest *forest = spenders->forest;
    uint64_t end = view->first_tx + view->tx_count;
    if (end > forest->txs_count)
        return opened_store_damaged(spenders->store, view->first_height, fault);
    hand->spends.count = 0;
    for (uint32_t tx = (uint32_t)view->first_tx; tx < end; tx++) {
        if (!spenders->tdags->tx_dag[tx])
            continue;
        for (uint32_t s = forest->txs[tx].first_spend; s < forest->txs[tx + 1].first_spend; s++) {
            FOREST_PREFETCH_SPENT(forest, s);
            const struct forest_output *output = &forest->outputs[forest->spends[s]];
            struct spend spend = {.ordinal = forest->spends[s], .tx = tx, .vin = output->spender_vin};
            if (forest_is_arc(output, spenders->tdags->rules) && !PUSH(hand->spends, spend))
                return fault_nomem(fault);
        }
    }
    return STATUS_OK;
}

/* Where the copy of the script begins; `scripts` may move until all are there. */
static enum status copy_script(struct spender_hand *hand, const struct output_record *output, uint64_t *begin)
{
    *begin = UINT64_MAX;
    if (!hand->spenders->frugal || output->script_size > SCRIPT_COPIED_MAX)
        return STATUS_OK;
    size_t count = hand->scripts.count;
    if (mem_reserve(&hand->scripts.at, &hand->scripts.capacity, count + output->script_size, 1) != STATUS_OK)
        return STATUS_NOMEM;
    if (output->script_size > 0)
        memcpy(hand->scripts.at + count, output->script, output->script_size);
    hand->scripts.count += output->script_size;
    *begin = count;
    return STATUS_OK;
}

/* Outputs in ascending order cost no more than their transactions, whatever the order of the spends. */
static enum status load_outputs(struct spender_hand *hand, struct fault *fault)
{
    struct spend *spends = hand->spends.at;
    size_t count = hand->spends.count;
    struct store_place place = {0};
    enum status status = STATUS_OK;
    if (mem_reserve(&hand->wanted, &hand->wanted_capacity, 2 * count, sizeof *hand->wanted) != STATUS_OK)
        return fault_nomem(fault);
    hand->scripts.count = 0;
    for (size_t i = 0; i < count; i++)
        hand->wanted[i] = (struct wanted){spends[i].ordinal, i};
    struct wanted *sorted = sort_by_key(hand->wanted, hand->wanted + count, count, sizeof *hand->wanted);
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        struct output_record *output = &spends[sorted[i].spend].output;
        size_t before = place.batch;
        bool had = place.open;
        status = store_tracked_output(hand->reader, &place, sorted[i].ordinal, output, fault);
        if (hand->spenders->frugal && had && place.batch != before)
            store_let_go_batch(hand->reader, before);
        if (status == STATUS_OK && copy_script(hand, output, &sorted[i].ordinal) != STATUS_OK)
            status = fault_nomem(fault);
    }
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        if (sorted[i].ordinal != UINT64_MAX)
            spends[sorted[i].spend].output.script = hand->scripts.at + sorted[i].ordinal;
    }
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
        enum status status = stored_blocks_read(&hand->spenders->blocks, &hand->blk_reader, tx->height, &bytes, &size,
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
    const struct forest *forest = hand->spenders->forest;
    size_t count = hand->spends.count;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        if (stop_requested()) /* each may be in a block of its own */
            return stop_check(fault);
        if (i + 2 * FOREST_AHEAD < count)
            __builtin_prefetch(&forest->outputs[hand->spends.at[i + 2 * FOREST_AHEAD].ordinal]);
        if (i + FOREST_AHEAD < count)
            __builtin_prefetch(&forest->txs[forest->outputs[hand->spends.at[i + FOREST_AHEAD].ordinal].tx]);
        status = each(context, hand, &hand->spends.at[i]);
    }
    if (status_ends_command(status) && status == hand->unread.status) /* of the blk files */
        *fault = hand->unread;
    return status == STATUS_NOMEM ? fault_nomem(fault) : status;
}

enum status spenders_visit(struct spenders *spenders, unsigned worker, size_t batch, spenders_each *each, void *context,
                           struct fault *fault)
{
    struct spender_hand *hand = &spenders->hands[worker];
    struct batch_view view;
    hand->spenders = spenders;
    hand->reader = spenders->readers.readers[worker];
    hand->has_block = false;
    hand->unread = (struct fault){0};
    enum status status = store_batch(hand->reader, batch, &view, fault);
    if (status == STATUS_OK)
        status = collect_spends(hand, &view, fault);
    if (status == STATUS_OK)
        status = load_outputs(hand, fault);
    return status == STATUS_OK ? visit_spends(hand, each, context, fault) : status;
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
    spenders->hands = mem_alloc(threads, sizeof *spenders->hands);
    return spenders->hands ? STATUS_OK : fault_nomem(fault);
}

void spenders_close(struct spenders *spenders)
{
    for (unsigned i = 0; spenders->hands && i < spenders->threads; i++) {
        blk_reader_free(&spenders->hands[i].blk_reader);
        mem_free(spenders->hands[i].spends.at);
        mem_free(spenders->hands[i].wanted);
        mem_free(spenders->hands[i].scripts.at);
    }
    mem_free(spenders->hands);
    store_readers_close(&spenders->readers);
    stored_blocks_close(&spenders->blocks);
    *spenders = (struct spenders){0};
}
