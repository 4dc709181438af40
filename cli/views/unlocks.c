#include "cli/views/unlocks.h"

#include "cli/output/message.h"
#include "graph/dag/names.h"
#include "parser/mem.h"

/* Two templates and txids, kind, word, branch, the T-DAG's name; numbers and sighash types apart. */
#define ROW_TEXT                                                                                                       \
    (2u * SCRIPT_TEMPLATE_MAX + 2 * HASH256_HEX_SIZE + TDAG_NAME_MAX + 64 + sizeof((struct unlock *)0)->branch)
#define ROW_NUMBERS 20u

/* What one worker has at hand in a chunk. */
struct hand {
    struct unlocks *unlocks;
    unsigned worker;
    size_t batch;
    struct text *text;
    struct fault *fault;
};

/* ---- rows ---- */

static char *put_sighashes(char *p, const struct unlock *unlock)
{
    char *start = p, name[SIGHASH_TEXT];
    for (unsigned w = 0; w < 256 / 64; w++) {
        for (uint64_t left = unlock->sighashes[w]; left; left &= left - 1) {
            if (p > start)
                *p++ = ' ';
            sighash_text((uint8_t)(64 * w + (unsigned)__builtin_ctzll(left)), name);
            p = put_text(p, name);
        }
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

static enum status put_row(struct hand *hand, struct spender_hand *spender, const struct spend *spend)
{
    const struct forest *forest = hand->unlocks->spenders->forest;
    const struct tdags *tdags = hand->unlocks->spenders->tdags;
    uint32_t dag = tdags->tx_dag[spend->tx];
    struct tx_input input;
    struct unlock unlock;
    enum status status = spender_input(spender, spend, &input);
    char *p = text_room(hand->text, ROW_TEXT + ROW_NUMBERS * (PUT_U64_MAX + 1) + 256 * SIGHASH_TEXT +
                                        dag_labels_cell_size(hand->unlocks->labels, dag));
    if (status_ends_command(status))
        return status;
    if (!p)
        return STATUS_NOMEM;
    p = put_spend(p, forest, spend, dag);
    if (status == STATUS_OK) {
        unlock_read(pushes_of_script(input.script, input.script_size), spend->output.script, spend->output.script_size,
                    script_anyone_can_spend(spend->output.script, spend->output.script_size), &unlock);
        p = put_unlock(p, &unlock, &input);
        count_unlock(hand->unlocks, dag, unlock.by);
        if (hand->unlocks->shown)
            status = shown_evidence_add_input(hand->unlocks->shown, hand->worker, hand->batch, spend, &input,
                                              hand->fault);
    } else {
        status = STATUS_OK;
        p = put_text(p, ",,,,,,,,,,,,,");
        __atomic_store_n(&hand->unlocks->counts[dag].unread, true, __ATOMIC_RELAXED);
    }
    *p++ = ',';
    p = dag_labels_put_cell(hand->unlocks->labels, dag, tdag_put_name(forest, tdags, dag, p));
    *p++ = '\n';
    text_end(hand->text, p);
    return status;
}

static enum status put_if_selected(void *context, struct spender_hand *spender, const struct spend *spend)
{
    struct hand *hand = context;
    const struct unlocks *unlocks = hand->unlocks;
    const struct forest *forest = unlocks->spenders->forest;
    uint32_t creator = forest->outputs[spend->ordinal].tx;
    enum status status = STATUS_OK;
    if (unlocks->selected)
        status = selected_outputs_takes(unlocks->selected, hand->worker, forest->txs[creator].height, creator,
                                        &spend->output);
    if (status == STATUS_OK)
        status = put_row(hand, spender, spend);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static enum status format_batch(void *context, unsigned worker, size_t chunk, struct text *text, struct fault *fault)
{
    struct unlocks *unlocks = context;
    struct hand hand = {.unlocks = unlocks, .worker = worker, .batch = chunk, .text = text, .fault = fault};
    enum status status = STATUS_OK;
    if (unlocks->shown)
        status = shown_evidence_add_outputs(unlocks->shown, worker, chunk, fault);
    if (status == STATUS_OK)
        status = spenders_visit(unlocks->spenders, worker, chunk, put_if_selected, &hand, fault);
    if (unlocks->shown)
        shown_evidence_end_batch(unlocks->shown, worker, chunk);
    return status;
}

/* ---- the table ---- */

enum status unlocks_write(struct unlocks *unlocks, const struct tdags *tdags, struct outfolder *folder,
                          const char *path, struct fault *fault)
{
    struct spenders *spenders = unlocks->spenders;
    const struct outfile_table table = {&schema_unlocks, unlocks->labels ? COLUMN_WITH_LABELS : 0,
                                        store_batches(spenders->readers.readers[0]), format_batch, unlocks};
    spenders->tdags = tdags;
    unlocks->counts = mem_alloc((size_t)tdags->count + 1, sizeof *unlocks->counts);
    if (!unlocks->counts)
        return fault_nomem(fault);
    enum status status = STATUS_OK;
    if (folder || path)
        status = outfolder_begin(folder, &unlocks->file, path, fault);
    else
        outfile_discard(&unlocks->file);
    return status == STATUS_OK ? outfile_write_table(&unlocks->file, spenders->threads, &table, fault) : status;
}

enum status unlocks_sum_classes(struct unlocks *unlocks, const struct classes *classes, const uint32_t *class_of,
                                struct fault *fault)
{
    unlocks->of_class = mem_alloc(classes->classes_count, sizeof *unlocks->of_class);
    if (!unlocks->of_class)
        return fault_nomem(fault);
    for (uint32_t d = 0; d < classes->rows_count; d++) {
        if (!class_of[d])
            continue;
        struct unlock_counts *sum = &unlocks->of_class[class_of[d] - 1];
        sum->unread |= unlocks->counts[d + 1].unread;
        for (unsigned u = 0; u < UNLOCKS; u++)
            sum->of[u] += unlocks->counts[d + 1].of[u];
    }
    return STATUS_OK;
}

char *put_unlock_shares(char *out, const struct unlock_counts *counts)
{
    uint64_t sum = 0;
    for (unsigned u = 0; u < UNLOCKS; u++)
        sum += counts->of[u];
    for (unsigned u = 0; u < UNLOCKS; u++) {
        *out++ = ',';
        if (sum > 0 && !counts->unread)
            out = put_micro(out, (double)counts->of[u] / (double)sum);
    }
    return out;
}

enum status unlocks_commit(struct unlocks *unlocks, struct fault *fault)
{
    return outfile_finish(&unlocks->file, STATUS_OK, fault);
}

bool unlocks_tell_unread(const struct unlocks *unlocks)
{
    if (unlocks->spenders->unread == 0)
        return false;
    message_fault(&unlocks->spenders->why);
    message("how these outputs were unlocked is left empty: %llu", ULL(unlocks->spenders->unread));
    return true;
}

void unlocks_close(struct unlocks *unlocks)
{
    outfile_abort(&unlocks->file);
    mem_free(unlocks->counts);
    mem_free(unlocks->of_class);
    *unlocks = (struct unlocks){0};
}
