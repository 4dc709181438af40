#include "cli/views/unlocks.h"

#include <stdlib.h>

#include "cli/output/message.h"
#include "graph/dag/names.h"
#include "parser/mem.h"
#include "parser/stop.h"

/* Two templates and txids, kind, word, branch, the T-DAG's name; numbers and sighash types apart. */
#define ROW_TEXT                                                                                                       \
    (2u * SCRIPT_TEMPLATE_MAX + 2 * HASH256_HEX_SIZE + TDAG_NAME_MAX + 64 + sizeof((struct unlock *)0)->branch)
#define ROW_NUMBERS 20u

/* A spend of a batch, and what it spends. */
struct spend {
    uint64_t ordinal;
    uint32_t tx; /* number of the spender */
    uint32_t vin;
    struct output_record output;
};

/* What one worker has at hand in a chunk. */
struct hand {
    struct unlocks *unlocks;
    unsigned worker;
    struct store_reader *reader;
    struct blk_reader *blk_reader;
    struct text *text;
    struct spend *spends;
    size_t count;
    size_t capacity;
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
    struct hand *hand = context;
    const struct unlocks *unlocks = hand->unlocks;
    const struct forest *forest = unlocks->forest;
    struct spend_record spend;
    enum status status;
    (void)height;
    if (view->tx.number >= forest->txs_count)
        return STATUS_FORMAT;
    while ((status = tx_next_spend(view, &spend)) == STATUS_OK) {
        if (spend.ordinal >= forest->outputs_count)
            return STATUS_FORMAT;
        if (!forest_is_arc(&forest->outputs[spend.ordinal], unlocks->tdags->rules) ||
            !unlocks->tdags->tx_dag[view->tx.number])
            continue;
        if (mem_reserve(&hand->spends, &hand->capacity, hand->count + 1, sizeof *hand->spends) != STATUS_OK)
            return STATUS_NOMEM;
        hand->spends[hand->count++] = (struct spend){
            .ordinal = spend.ordinal, .tx = (uint32_t)view->tx.number, .vin = spend.vin};
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
static enum status load_outputs(struct hand *hand, struct fault *fault)
{
    struct store_place place = {0};
    enum status status = STATUS_OK;
    if (hand->count == 0)
        return STATUS_OK;
    qsort(hand->spends, hand->count, sizeof *hand->spends, by_ordinal);
    for (size_t i = 0; i < hand->count && status == STATUS_OK; i++)
        status = store_tracked_output(hand->reader, &place, hand->spends[i].ordinal, &hand->spends[i].output, fault);
    qsort(hand->spends, hand->count, sizeof *hand->spends, by_input);
    return status;
}

/* ---- what the blk files have ---- */

static enum status other_bytes(const struct hand *hand, const struct forest_tx *tx, struct fault *fault)
{
    return fault_set(fault, STATUS_FORMAT, hand->unlocks->blocks.dir.path, FAULT_NO_OFFSET,
                     "block %u is not at the place that the store has it at", (unsigned)tx->height);
}

/* Makes the spender's inputs those at hand. STATUS_OK with has_tx false where they cannot be read. */
static enum status open_tx(struct hand *hand, uint32_t number)
{
    const struct forest_tx *tx = &hand->unlocks->forest->txs[number];
    const uint8_t *bytes;
    uint32_t size;
    struct tx read;
    struct hash256 txid;
    if (!hand->has_block || hand->height != tx->height) {
        hand->unread = (struct fault){0};
        enum status status = stored_blocks_read(&hand->unlocks->blocks, hand->blk_reader, tx->height, &bytes, &size,
                                                &hand->unread);
        if (status == STATUS_NOMEM)
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

/* The scriptSig of an input of the transaction at hand; its inputs are asked for in order. */
static bool script_sig_of(struct hand *hand, uint32_t vin, struct tx_input *input)
{
    *input = (struct tx_input){0};
    while (hand->has_tx && hand->next_vin <= vin && cursor_ok(&hand->inputs)) {
        tx_input(&hand->inputs, input);
        hand->next_vin++;
    }
    return hand->has_tx && cursor_ok(&hand->inputs) && input->script;
}

/* ---- rows ---- */

static char *put_sighashes(char *p, const struct unlock *unlock)
{
    char *start = p, name[SIGHASH_TEXT];
    for (unsigned b = 0; b < 256; b++) {
        if (!(unlock->sighashes[b / 64] >> b % 64 & 1))
            continue;
        if (p > start)
            *p++ = ' ';
        sighash_text((uint8_t)b, name);
        p = put_text(p, name);
    }
    return p;
}

/* Two quotes for an empty script: an empty cell would be a missing template. */
static char *put_template(char *p, const uint8_t *script, uint32_t size)
{
    size_t length = script_template(script, size, p);
    return length > 0 ? p + length : put_text(p, "\"\"");
}

/* From `unlock` to `sighashes`. */
static char *put_unlock(char *p, const struct unlock *unlock, const struct tx_input *input)
{
    p = put_text(p, unlock_name(unlock->by));
    *p++ = ',';
    p = put_text(p, unlock->branch);
    *p++ = ',';
    p = put_cell(p, unlock->time);
    p = put_template(p, input->script, input->script_size);
    *p++ = ',';
    const uint32_t cells[] = {unlock->signatures, unlock->keys,       unlock->preimages,
                              unlock->numbers,    unlock->nothing,    unlock->data,
                              unlock->operations, unlock->strict_der, unlock->low_s};
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++)
        p = put_cell(p, cells[i]);
    return put_sighashes(p, unlock);
}

static void count_unlock(struct unlocks *unlocks, uint32_t dag, enum unlock_by by)
{
    __atomic_fetch_add(&unlocks->counts[dag].of[by], 1, __ATOMIC_RELAXED);
}

/* One reason is enough; which of several it is depends on the threads, and goes to stderr only. */
static void count_unread(struct hand *hand)
{
    struct unlocks *unlocks = hand->unlocks;
    if (__atomic_fetch_add(&unlocks->unread, 1, __ATOMIC_RELAXED) == 0)
        unlocks->why = hand->unread;
}

/* From `dag_id` to `spender_vin`. */
static char *put_spend(char *p, const struct forest *forest, const struct spend *spend, uint32_t dag)
{
    const struct forest_output *output = &forest->outputs[spend->ordinal];
    const struct forest_tx *spender = &forest->txs[spend->tx];
    p = put_cell(p, dag);
    p = put_hash_cell(p, &forest->txs[output->tx].txid);
    p = put_cell(p, output->vout);
    p = put_cell(p, output->value_sat);
    p = put_text(p, kind_name((enum kind)output->kind));
    *p++ = ',';
    p = put_template(p, spend->output.script, spend->output.script_size);
    *p++ = ',';
    p = put_cell(p, spender->height);
    p = put_hash_cell(p, &spender->txid);
    return put_cell(p, spend->vin);
}

static enum status put_row(struct hand *hand, const struct spend *spend)
{
    const struct forest *forest = hand->unlocks->forest;
    const struct tdags *tdags = hand->unlocks->tdags;
    uint32_t dag = tdags->tx_dag[spend->tx];
    struct tx_input input;
    struct unlock unlock;
    enum status status = STATUS_OK;
    if (!hand->has_block || hand->tx != spend->tx)
        status = open_tx(hand, spend->tx);
    char *p = text_room(hand->text, ROW_TEXT + ROW_NUMBERS * (PUT_U64_MAX + 1) + 256 * SIGHASH_TEXT);
    if (!p || status != STATUS_OK)
        return STATUS_NOMEM;
    p = put_spend(p, forest, spend, dag);
    if (script_sig_of(hand, spend->vin, &input)) {
        unlock_read(pushes_of_script(input.script, input.script_size), spend->output.script, spend->output.script_size,
                    forest->outputs[spend->ordinal].anyone_can_spend, &unlock);
        p = put_unlock(p, &unlock, &input);
        count_unlock(hand->unlocks, dag, unlock.by);
    } else {
        p = put_text(p, ",,,,,,,,,,,,,");
        count_unread(hand);
    }
    *p++ = ',';
    p = tdag_put_name(forest, tdags, dag, p);
    *p++ = '\n';
    text_end(hand->text, p);
    return STATUS_OK;
}

static enum status put_if_selected(struct hand *hand, const struct spend *spend)
{
    const struct unlocks *unlocks = hand->unlocks;
    uint32_t creator = unlocks->forest->outputs[spend->ordinal].tx;
    enum status status = STATUS_OK;
    if (unlocks->selected)
        status = selected_outputs_takes(unlocks->selected, hand->worker, unlocks->forest->txs[creator].height, creator,
                                        &spend->output);
    if (status == STATUS_OK)
        status = put_row(hand, spend);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static enum status put_spends(struct hand *hand, struct fault *fault)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < hand->count && status == STATUS_OK; i++) {
        if (stop_requested()) /* each may be in a block of its own */
            return stop_check(fault);
        status = put_if_selected(hand, &hand->spends[i]);
    }
    return status == STATUS_OK ? STATUS_OK : fault_nomem(fault);
}

static enum status format_batch(void *context, unsigned worker, size_t chunk, struct text *text, struct fault *fault)
{
    struct unlocks *unlocks = context;
    struct hand hand = {.unlocks = unlocks,
                        .worker = worker,
                        .reader = unlocks->readers.readers[worker],
                        .blk_reader = &unlocks->blk_readers[worker],
                        .text = text};
    struct batch_view view;
    enum status status = store_batch(hand.reader, chunk, &view, fault);
    if (status == STATUS_OK) {
        status = opened_store_each_tx(&view, collect_tx, &hand);
        if (status == STATUS_FORMAT)
            status = opened_store_damaged(unlocks->store, view.first_height, fault);
        else if (status != STATUS_OK)
            status = fault_nomem(fault);
    }
    if (status == STATUS_OK)
        status = load_outputs(&hand, fault);
    if (status == STATUS_OK)
        status = put_spends(&hand, fault);
    mem_free(hand.spends);
    return status;
}

/* ---- the table ---- */

enum status unlocks_open(const struct settings *settings, const struct store *store, const struct forest *forest,
                         struct unlocks *unlocks, struct fault *fault)
{
    unsigned threads = (unsigned)settings->threads;
    *unlocks = (struct unlocks){.store = store, .forest = forest, .threads = threads};
    enum status status = stored_blocks_open(settings, store, &unlocks->blocks, fault);
    if (status == STATUS_OK)
        status = store_readers_open(store, threads, &unlocks->readers, fault);
    if (status != STATUS_OK)
        return status;
    unlocks->blk_readers = mem_alloc(threads, sizeof *unlocks->blk_readers);
    return unlocks->blk_readers ? STATUS_OK : fault_nomem(fault);
}

enum status unlocks_write(struct unlocks *unlocks, const struct tdags *tdags, struct outfolder *folder,
                          const char *path, struct fault *fault)
{
    const struct outfile_table table = {&schema_unlocks, 0, store_batches(unlocks->readers.readers[0]), format_batch,
                                        unlocks};
    unlocks->tdags = tdags;
    unlocks->counts = mem_alloc((size_t)tdags->count + 1, sizeof *unlocks->counts);
    if (!unlocks->counts)
        return fault_nomem(fault);
    enum status status = outfolder_begin(folder, &unlocks->file, path, fault);
    return status == STATUS_OK ? outfile_write_table(&unlocks->file, unlocks->threads, &table, fault) : status;
}

enum status unlocks_sum_classes(struct unlocks *unlocks, const struct classes *classes, const uint32_t *class_of,
                                struct fault *fault)
{
    unlocks->of_class = mem_alloc(classes->classes_count, sizeof *unlocks->of_class);
    if (!unlocks->of_class)
        return fault_nomem(fault);
    for (uint32_t d = 0; d < classes->rows_count; d++)
        for (unsigned u = 0; class_of[d] && u < UNLOCKS; u++)
            unlocks->of_class[class_of[d] - 1].of[u] += unlocks->counts[d + 1].of[u];
    return STATUS_OK;
}

char *put_unlock_shares(char *out, const struct unlock_counts *counts)
{
    uint64_t sum = 0;
    for (unsigned u = 0; u < UNLOCKS; u++)
        sum += counts->of[u];
    for (unsigned u = 0; u < UNLOCKS; u++) {
        *out++ = ',';
        if (sum > 0)
            out = put_micro(out, (double)counts->of[u] / (double)sum);
    }
    return out;
}

enum status unlocks_commit(struct unlocks *unlocks, struct fault *fault)
{
    return outfile_commit(&unlocks->file, fault);
}

void unlocks_tell_unread(const struct unlocks *unlocks)
{
    if (unlocks->unread == 0)
        return;
    message_fault(&unlocks->why);
    message("how these outputs were unlocked is left empty: %llu", ULL(unlocks->unread));
}

void unlocks_close(struct unlocks *unlocks)
{
    for (unsigned i = 0; unlocks->blk_readers && i < unlocks->threads; i++)
        blk_reader_free(&unlocks->blk_readers[i]);
    outfile_abort(&unlocks->file);
    mem_free(unlocks->blk_readers);
    mem_free(unlocks->counts);
    mem_free(unlocks->of_class);
    store_readers_close(&unlocks->readers);
    stored_blocks_close(&unlocks->blocks);
    *unlocks = (struct unlocks){0};
}
