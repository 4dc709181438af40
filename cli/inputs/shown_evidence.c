#include "cli/inputs/shown_evidence.h"

#include "cli/output/message.h"
#include "parser/parallel.h"
#include "parser/pushes.h"

/* Batches that are merged before the memory that they had goes back. */
#define GIVE_BACK_BATCHES 8u

/* What one worker has at hand in a batch. */
struct hand {
    const struct shown_evidence *shown;
    const struct forest *forest;
    const struct tdags *tdags;
    struct evidence_set *set;
    unsigned worker;
    struct fault *fault;
};

/* Evidence of outputs that are not asked for counts, but has no rows. */
static enum status hide(const struct hand *hand, uint32_t ordinal, const struct output_record *output,
                        struct evidence *piece)
{
    if (!hand->shown->selected)
        return STATUS_OK;
    uint32_t tx = hand->forest->outputs[ordinal].tx;
    enum status status = selected_outputs_takes(hand->shown->selected, hand->worker, hand->forest->txs[tx].height, tx,
                                                output);
    piece->hidden = status == STATUS_NOT_FOUND;
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* ---- outputs ---- */

static enum evidence_role role_of(enum kind kind)
{
    return kind == KIND_PUBKEY ? ROLE_PUBKEY : kind == KIND_MULTISIG ? ROLE_MULTISIG : ROLE_SCRIPT;
}

static enum status add_keys(struct hand *hand, struct evidence piece, const uint8_t *script, size_t size)
{
    struct push keys[KEYS_SHOWN_MAX];
    size_t count = keys_shown(pushes_of_script(script, size), keys);
    enum status status = STATUS_OK;
    piece.kind = EVIDENCE_KEY;
    piece.of = piece.role == ROLE_MULTISIG ? (uint8_t)count : 0; /* at most 20 */
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        piece.size = (uint16_t)keys[i].size;
        piece.number = (uint16_t)(i + 1);
        status = evidence_add(hand->set, &piece, keys[i].data, NULL, hand->fault);
    }
    return status;
}

static enum status add_lock(struct hand *hand, struct evidence piece, const struct hash_lock *lock, size_t number)
{
    piece.kind = EVIDENCE_HASH;
    piece.size = (uint16_t)lock->size;
    piece.number = (uint16_t)(number + 1);
    piece.of = lock->of_key;
    piece.operation = lock->code;
    return evidence_add(hand->set, &piece, lock->hash, NULL, hand->fault);
}

static enum status add_output(struct hand *hand, uint32_t tx, uint32_t ordinal, const struct output_record *output)
{
    struct hash_lock locks[HASH_LOCKS_MAX];
    struct evidence piece = {.ordinal = ordinal, .tx = tx, .role = (uint8_t)role_of(output->kind)};
    size_t count = hash_locks(output->script, output->script_size, locks);
    enum status status = hide(hand, ordinal, output, &piece);
    if (status == STATUS_OK)
        status = add_keys(hand, piece, output->script, output->script_size);
    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        status = add_lock(hand, piece, &locks[i], i);
    return status;
}

static enum status add_outputs(void *context, uint32_t height, struct tx_view *view)
{
    struct hand *hand = context;
    uint64_t ordinal = view->tx.first_ordinal;
    struct output_record output;
    enum status status;
    (void)height;
    if (view->tx.number >= hand->forest->txs_count)
        return STATUS_FORMAT;
    if (!evidence_has_members(hand->forest, hand->tdags, (uint32_t)view->tx.number))
        return STATUS_OK;
    while ((status = tx_next_output(view, &output)) == STATUS_OK) {
        if (!output_is_tracked(output.unknown, output.kind))
            continue;
        if (ordinal >= hand->forest->outputs_count)
            return STATUS_FORMAT;
        if (output.unknown >> hand->tdags->rules & 1)
            status = add_output(hand, (uint32_t)view->tx.number, (uint32_t)ordinal, &output);
        ordinal++;
        if (status != STATUS_OK)
            return status;
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* ---- inputs ---- */

/* A preimage comes after the hash that it opens. */
static enum status add_preimage(struct hand *hand, struct evidence piece, const struct hash_lock *lock, size_t number,
                                const struct push *push)
{
    enum status status = add_lock(hand, piece, lock, number);
    piece.kind = EVIDENCE_PREIMAGE;
    piece.size = (uint16_t)push->size;
    piece.number = (uint16_t)(number + 1);
    return status == STATUS_OK ? evidence_add(hand->set, &piece, push->data, NULL, hand->fault) : status;
}

/* One item may open several locks of a script, by several functions. */
static enum status add_preimages(struct hand *hand, struct evidence piece, const struct output_record *spent,
                                 const struct tx_input *input)
{
    struct hash_lock locks[HASH_LOCKS_MAX];
    size_t count = hash_locks(spent->script, spent->script_size, locks);
    struct pushes pushes = pushes_of_script(input->script, input->script_size);
    struct push push;
    enum status status = STATUS_OK;
    for (unsigned looks = 0; count > 0 && looks < STACK_ITEMS_MAX && status == STATUS_OK; looks++) {
        if (!pushes_next(&pushes, &push))
            break;
        for (size_t i = 0; push.data && i < count && status == STATUS_OK; i++) {
            i += hash_locks_opened(locks + i, count - i, push.data, push.size);
            if (i < count)
                status = add_preimage(hand, piece, &locks[i], i, &push);
        }
    }
    return status;
}

enum status shown_evidence_add_input(struct shown_evidence *shown, unsigned worker, size_t batch,
                                     const struct spend *spend, const struct tx_input *input, struct fault *fault)
{
    struct hand hand = {shown, shown->set->forest, shown->set->tdags, &shown->inputs[batch], worker, fault};
    struct evidence piece = {.ordinal = (uint32_t)spend->ordinal, .tx = spend->tx, .role = ROLE_SCRIPT_SIG};
    enum status status = hide(&hand, piece.ordinal, &spend->output, &piece);
    if (status == STATUS_OK)
        status = add_keys(&hand, piece, input->script, input->script_size);
    return status == STATUS_OK ? add_preimages(&hand, piece, &spend->output, input) : status;
}

/* ---- batches ---- */

enum status shown_evidence_add_outputs(struct shown_evidence *shown, unsigned worker, size_t batch, struct fault *fault)
{
    struct hand hand = {shown, shown->set->forest, shown->set->tdags, &shown->outputs[batch], worker, fault};
    struct batch_view view;
    enum status status = store_batch(shown->readers.readers[worker], batch, &view, fault);
    if (status != STATUS_OK)
        return status;
    status = opened_store_each_tx(&view, add_outputs, &hand);
    if (status == STATUS_FORMAT)
        return opened_store_damaged(shown->store, view.first_height, fault);
    return status == STATUS_NOMEM ? fault_nomem(fault) : status;
}

void shown_evidence_end_batch(struct shown_evidence *shown, unsigned worker, size_t batch)
{
    struct evidence_set *const sets[] = {&shown->outputs[batch], &shown->inputs[batch]};
    for (unsigned s = 0; s < 2; s++) {
        TRIM(sets[s]->pieces);
        TRIM(sets[s]->bytes);
    }
    store_let_go_batch(shown->readers.readers[worker], batch);
}

enum status shown_evidence_open(const struct store *store, unsigned threads, struct selected_outputs *selected,
                                struct evidence_set *set, struct shown_evidence *shown, struct fault *fault)
{
    *shown = (struct shown_evidence){.store = store, .set = set, .selected = selected};
    enum status status = store_readers_open(store, threads, &shown->readers, fault);
    if (status != STATUS_OK)
        return status;
    shown->batches = store_batches(shown->readers.readers[0]);
    shown->outputs = mem_alloc(shown->batches, sizeof *shown->outputs);
    shown->inputs = mem_alloc(shown->batches, sizeof *shown->inputs);
    return shown->outputs && shown->inputs ? STATUS_OK : fault_nomem(fault);
}

enum status shown_evidence_end(struct shown_evidence *shown, struct fault *fault)
{
    size_t pieces = 0, bytes = 0;
    for (size_t i = 0; i < shown->batches; i++) {
        pieces += shown->inputs[i].pieces.count + shown->outputs[i].pieces.count;
        bytes += shown->inputs[i].bytes.count + shown->outputs[i].bytes.count;
    }
    enum status status = evidence_reserve(shown->set, pieces, bytes, fault);
    for (size_t i = 0; i < shown->batches && status == STATUS_OK; i++) {
        status = evidence_merge(shown->set, &shown->inputs[i], &shown->outputs[i], fault);
        evidence_free(&shown->inputs[i]);
        evidence_free(&shown->outputs[i]);
        if (i % GIVE_BACK_BATCHES == GIVE_BACK_BATCHES - 1)
            mem_give_back();
    }
    return status == STATUS_OK ? evidence_number(shown->set, shown->readers.count, fault) : status;
}

void shown_evidence_close(struct shown_evidence *shown)
{
    for (size_t i = 0; i < shown->batches && shown->outputs && shown->inputs; i++) {
        evidence_free(&shown->inputs[i]);
        evidence_free(&shown->outputs[i]);
    }
    mem_free(shown->inputs);
    mem_free(shown->outputs);
    store_readers_close(&shown->readers);
    *shown = (struct shown_evidence){0};
}

/* ---- all of them ---- */

struct collection {
    struct shown_evidence *shown;
    struct spenders *spenders;
    struct fault *faults; /* by batch */
};

struct collected_batch {
    const struct collection *collection;
    unsigned worker;
    size_t number;
};

static enum status add_spend(void *context, struct spender_hand *hand, const struct spend *spend)
{
    const struct collected_batch *batch = context;
    struct tx_input input;
    enum status status = spender_input(hand, spend, &input);
    if (status == STATUS_OK)
        status = shown_evidence_add_input(batch->collection->shown, batch->worker, batch->number, spend, &input,
                                          &batch->collection->faults[batch->number]);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static void collect_batch(void *context, unsigned worker, size_t i)
{
    struct collection *collection = context;
    struct collected_batch batch = {collection, worker, i};
    struct fault *fault = &collection->faults[i];
    enum status status = shown_evidence_add_outputs(collection->shown, worker, i, fault);
    if (status == STATUS_OK && collection->spenders)
        status = spenders_visit(collection->spenders, worker, i, add_spend, &batch, fault);
    shown_evidence_end_batch(collection->shown, worker, i);
    fault->status = status;
}

enum status shown_evidence_collect(const struct store *store, struct spenders *spenders,
                                   struct selected_outputs *selected, unsigned threads, struct evidence_set *set,
                                   struct fault *fault)
{
    struct shown_evidence shown;
    enum status status = shown_evidence_open(store, threads, selected, set, &shown, fault);
    struct collection collection = {&shown, spenders, mem_alloc(shown.batches, sizeof(struct fault))};
    if (status == STATUS_OK && !collection.faults)
        status = fault_nomem(fault);
    if (status == STATUS_OK)
        status = parallel_for(threads, shown.batches, collect_batch, &collection, fault);
    for (size_t i = 0; i < shown.batches && status == STATUS_OK; i++) {
        status = collection.faults[i].status;
        if (status != STATUS_OK)
            *fault = collection.faults[i];
    }
    if (status == STATUS_OK)
        status = shown_evidence_end(&shown, fault);
    mem_free(collection.faults);
    shown_evidence_close(&shown);
    return status;
}

/* ---- blk files that may be gone ---- */

enum status spenders_open_if_there(const struct settings *settings, const struct store *store,
                                   const struct forest *forest, struct spenders *spenders, struct fault *fault)
{
    enum status status = spenders_open(settings, store, forest, spenders, fault);
    if (status != STATUS_NOT_FOUND)
        return status;
    message_fault(fault);
    message("what the spenders showed is left out");
    spenders_close(spenders);
    return STATUS_OK;
}

bool shown_evidence_tell_unread(const struct spenders *spenders)
{
    if (!spenders->hands)
        return true; /* spenders_open_if_there has said so */
    if (spenders->unread == 0)
        return false;
    message_fault(&spenders->why);
    message("inputs that could not be read, and what they showed is left out: %llu", ULL(spenders->unread));
    return true;
}
