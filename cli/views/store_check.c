#include "cli/views/store_check.h"

#include "cli/inputs/opened_store.h"
#include "graph/scan/filemap.h"
#include "graph/scan/replay.h"
#include "graph/store/record_flaws.h"
#include "parser/bytes.h"
#include "parser/mem.h"
#include "parser/money.h"
#include "parser/network.h"
#include "parser/parallel.h"
#include "parser/sha256.h"

struct block_digest {
    uint8_t bytes[32];
};

/* What one batch says of itself, for the comparison with its neighbours. */
struct batch_ends {
    uint32_t first_height;
    uint32_t end_height;
    uint64_t first_tx;
    uint64_t end_tx;
    uint64_t first_ordinal;
    uint64_t end_ordinal;
};

struct check {
    const struct store *store;
    struct store_readers readers;
    struct buffer *scratch;      /* by worker */
    struct batch_ends *ends;     /* by batch */
    struct block_digest *blocks; /* by height */
    uint32_t blocks_count;
    struct fault *faults; /* by batch: the first violation found in it */
    size_t batches;
};

/* A violation: the store's path, the height, and what is not as it must be. */
static enum status violation(const struct check *check, uint32_t height, const char *what, struct fault *fault)
{
    return fault_set(fault, STATUS_FORMAT, store_path(check->store), FAULT_NO_OFFSET, "block %u: %s", (unsigned)height,
                     what);
}

static enum status add_u64(struct buffer *buffer, uint64_t value)
{
    uint8_t bytes[8];
    store_le64(bytes, value);
    return buffer_add(buffer, bytes, sizeof bytes);
}

static enum status add_numbers(struct buffer *buffer, const uint64_t *numbers, size_t count)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        status = add_u64(buffer, numbers[i]);
    return status;
}

/* ---- one transaction ---- */

static bool index_agrees(const struct batch_view *view, const struct tx_record *tx, uint64_t ordinal, uint32_t vout)
{
    struct hash256 txid;
    uint32_t indexed = 0;
    return batch_outpoint(view, ordinal, &txid, &indexed) == STATUS_OK && indexed == vout &&
           hash256_equal(&txid, &tx->txid);
}

struct tx_sums {
    const struct block_record *block;
    struct block_counts *stored; /* of the block's stored transactions */
    uint32_t maybe[RULES];       /* of these, those with an input made before the first block */
    uint64_t next_ordinal;
    uint32_t nulldata; /* outputs of the transaction under the check */
};

static enum status check_outputs(const struct check *check, const struct batch_view *view, uint32_t height,
                                 struct tx_view *tx, struct tx_sums *sums, struct buffer *buffer, struct fault *fault)
{
    struct output_record output;
    unsigned unknown = 0;
    enum status status;
    uint32_t vout = 0;
    for (; (status = tx_next_output(tx, &output)) == STATUS_OK; vout++) {
        const char *wrong = record_wrong_output(&output);
        if (wrong)
            return violation(check, height, wrong, fault);
        sums->nulldata += output.kind == KIND_NULLDATA;
        if (output_is_tracked(output.unknown, output.kind) && !index_agrees(view, &tx->tx, sums->next_ordinal++, vout))
            return violation(check, height, "the index of outputs does not lead to this one", fault);
        unknown |= output.unknown;
        sums->stored->kind_count[output.kind]++;
        sums->stored->kind_value_sat[output.kind] = add_saturating(sums->stored->kind_value_sat[output.kind],
                                                                   output.value_sat);
        const uint64_t numbers[] = {output.value_sat, output.kind, output.unknown, output.script_size, output.protocol};
        if (add_numbers(buffer, numbers, sizeof numbers / sizeof *numbers) != STATUS_OK ||
            buffer_add(buffer, output.script, output.script_size) != STATUS_OK)
            return fault_nomem(fault);
    }
    for (unsigned r = 0; r < RULES; r++) {
        sums->stored->unknown_txs[r] += unknown >> r & 1;
        sums->maybe[r] += tx->tx.inputs_before > 0 && (unknown >> r & 1);
    }
    if (status != STATUS_NOT_FOUND || vout != tx->tx.outputs)
        return violation(check, height, "the outputs of a transaction do not decode", fault);
    return STATUS_OK;
}

static enum status check_spends(const struct check *check, uint32_t height, struct tx_view *tx, struct buffer *buffer,
                                struct fault *fault)
{
    struct spend_record spend;
    enum status status;
    uint32_t count = 0, last_vin = 0;
    for (; (status = tx_next_spend(tx, &spend)) == STATUS_OK; count++) {
        if (spend.ordinal >= tx->tx.first_ordinal)
            return violation(check, height, "an input spends an output that comes later", fault);
        if (spend.vin >= tx->tx.inputs || (count > 0 && spend.vin <= last_vin))
            return violation(check, height, "the spending inputs of a transaction are out of order", fault);
        last_vin = spend.vin;
        const uint64_t numbers[] = {spend.vin, spend.ordinal};
        if (add_numbers(buffer, numbers, 2) != STATUS_OK)
            return fault_nomem(fault);
    }
    if (status != STATUS_NOT_FOUND || count != tx->tx.spends)
        return violation(check, height, "the inputs of a transaction do not decode", fault);
    return STATUS_OK;
}

static enum status check_tx(const struct check *check, const struct batch_view *view, uint32_t height,
                            struct tx_view *tx, struct tx_sums *sums, struct buffer *buffer, struct fault *fault)
{
    const struct tx_record *record = &tx->tx;
    if (record->first_ordinal != sums->next_ordinal)
        return violation(check, height, "outputs are not numbered one after the other", fault);
    const uint64_t numbers[] = {record->index,   record->coinbase, record->inputs,
                                record->outputs, record->spends,   record->inputs_before};
    size_t count = sizeof numbers / sizeof *numbers - (view->partial ? 0 : 1);
    if (buffer_add(buffer, record->txid.bytes, HASH256_SIZE) != STATUS_OK ||
        add_numbers(buffer, numbers, count) != STATUS_OK)
        return fault_nomem(fault);
    if (view->partial && memcmp(sums->block->txids + record->index * RECORD_TXID, record->txid.bytes, RECORD_TXID) != 0)
        return violation(check, height, "a stored transaction's txid is not the one in its list of txids", fault);
    sums->nulldata = 0;
    enum status status = check_outputs(check, view, height, tx, sums, buffer, fault);
    if (status == STATUS_OK)
        status = check_spends(check, height, tx, buffer, fault);
    if (status == STATUS_OK && sums->next_ordinal - record->first_ordinal != record->tracked)
        status = violation(check, height, "a transaction has another number of unknown outputs than it says", fault);
    bool nulldata_counts = sums->nulldata > 0 && store_identity_of(check->store)->nulldata_stored;
    if (status == STATUS_OK && record->tracked == 0 && record->spends == 0 && !nulldata_counts)
        status = violation(check, height, "a transaction is stored that has nothing to do with unknown outputs", fault);
    return status;
}

/* ---- one block ---- */

static enum status add_block_record(struct buffer *buffer, const struct block_record *block)
{
    const struct block_counts *counts = &block->counts;
    const uint64_t numbers[] = {block->height,  block->time,     counts->txs,
                                counts->inputs, counts->outputs, block->stored_txs};
    enum status status = buffer_add(buffer, block->hash.bytes, HASH256_SIZE);
    if (status == STATUS_OK)
        status = add_numbers(buffer, numbers, sizeof numbers / sizeof *numbers);
    for (unsigned k = 0; k < KINDS && status == STATUS_OK; k++) {
        const uint64_t kind[] = {counts->kind_count[k], counts->kind_value_sat[k]};
        status = add_numbers(buffer, kind, 2);
    }
    for (unsigned r = 0; r < RULES && status == STATUS_OK; r++)
        status = add_u64(buffer, counts->unknown_txs[r]);
    for (unsigned r = 0; r < RULES && block->txids && status == STATUS_OK; r++)
        status = add_u64(buffer, block->maybe_txs[r]);
    if (block->txids && status == STATUS_OK)
        status = buffer_add(buffer, block->txids, (size_t)counts->txs * RECORD_TXID);
    return status;
}

static enum status check_block(struct check *check, struct batch_view *view, const struct block_record *block,
                               struct batch_ends *ends, struct buffer *buffer, struct fault *fault)
{
    struct block_counts stored = {0};
    struct tx_sums sums = {.block = block, .stored = &stored, .next_ordinal = ends->end_ordinal};
    struct tx_view tx;
    enum status status;
    uint32_t last_index = 0, count = 0;
    buffer->size = 0;
    if (add_block_record(buffer, block) != STATUS_OK)
        return fault_nomem(fault);
    for (; (status = batch_next_tx(view, &tx)) == STATUS_OK; count++) {
        if (tx.tx.number != ends->end_tx++)
            return violation(check, block->height, "transactions are not numbered one after the other", fault);
        if (tx.tx.index >= block->counts.txs || (count > 0 && tx.tx.index <= last_index))
            return violation(check, block->height, "transactions are out of order", fault);
        last_index = tx.tx.index;
        status = check_tx(check, view, block->height, &tx, &sums, buffer, fault);
        if (status != STATUS_OK)
            return status;
    }
    if (status != STATUS_NOT_FOUND || count != block->stored_txs)
        return violation(check, block->height, "its transactions do not decode", fault);
    const char *wrong = record_wrong_counts(&block->counts, &stored, store_identity_of(check->store)->nulldata_stored);
    if (!wrong && view->partial)
        wrong = record_wrong_maybe(block, sums.maybe, store_identity_of(check->store)->nulldata_stored);
    if (wrong)
        return violation(check, block->height, wrong, fault);
    ends->end_ordinal = sums.next_ordinal;
    sha256(buffer->bytes, buffer->size, check->blocks[block->height].bytes);
    return STATUS_OK;
}

static enum status check_batch(struct check *check, unsigned worker, size_t batch, struct fault *fault)
{
    struct batch_view view;
    struct block_record block;
    struct batch_ends *ends = &check->ends[batch];
    enum status status = store_whole_batch(check->readers.readers[worker], batch, &view, fault);
    if (status != STATUS_OK)
        return status;
    *ends = (struct batch_ends){view.first_height, view.first_height,  view.first_tx,
                                view.first_tx,     view.first_ordinal, view.first_ordinal};
    while ((status = batch_next_block(&view, &block)) == STATUS_OK) {
        if (block.height != ends->end_height || block.height >= check->blocks_count)
            return violation(check, block.height, "blocks are not in order of height", fault);
        status = check_block(check, &view, &block, ends, &check->scratch[worker], fault);
        if (status != STATUS_OK)
            return status;
        ends->end_height++;
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : opened_store_damaged(check->store, view.first_height, fault);
}

static void check_work(void *context, unsigned worker, size_t item)
{
    struct check *check = context;
    check->faults[item].status = check_batch(check, worker, item, &check->faults[item]);
}

/* ---- the whole ---- */

static enum status check_ends(const struct check *check, struct fault *fault)
{
    struct store_totals totals = store_totals_of(check->store);
    struct batch_ends last = {.end_height = store_first_height(check->store)};
    for (size_t b = 0; b < check->batches; b++) {
        const struct batch_ends *ends = &check->ends[b];
        if (check->faults[b].status != STATUS_OK) {
            *fault = check->faults[b];
            return fault->status;
        }
        if (ends->first_height != last.end_height || ends->first_tx != last.end_tx ||
            ends->first_ordinal != last.end_ordinal)
            return violation(check, ends->first_height, "its batch does not begin where the one before ends", fault);
        last = *ends;
    }
    if (last.end_height != totals.blocks || last.end_tx != totals.txs || last.end_ordinal != totals.tracked)
        return violation(check, last.end_height, "the store's totals are not those of its batches", fault);
    return STATUS_OK;
}

/* Custom signets have magics of their own and signet's genesis block. */
static bool network_is_sound(const struct store_identity *identity)
{
    const struct network *network = network_by_magic(identity->magic);
    if (!network)
        network = network_by_name("signet");
    return hash256_equal(&network->genesis, &identity->genesis);
}

/* The chain's two ends are the identity's and the totals'. */
static enum status check_tips(const struct check *check, struct fault *fault)
{
    struct block_record first, last;
    const struct store_reader *reader = check->readers.readers[0];
    uint32_t begin = store_first_height(check->store);
    enum status status = store_block(reader, begin, &first, fault);
    if (status == STATUS_OK)
        status = store_block(reader, check->blocks_count - 1, &last, fault);
    if (status != STATUS_OK)
        return status;
    if (!network_is_sound(store_identity_of(check->store)))
        return violation(check, 0, "the store's magic and genesis block are of two networks", fault);
    const struct store_identity *identity = store_identity_of(check->store);
    if (!hash256_equal(&first.hash, begin > 0 ? &identity->first_block : &identity->genesis))
        return violation(check, begin,
                         begin > 0 ? "it is not the block that the store begins with"
                                   : "it is not the genesis block that the store is for",
                         fault);
    struct hash256 tip = store_totals_of(check->store).tip;
    if (!hash256_equal(&last.hash, &tip))
        return violation(check, last.height, "it is not the tip that the store's totals name", fault);
    return STATUS_OK;
}

/* An output that two inputs spend shows as more spends than outputs with a spender. */
static enum status check_forest(const struct check *check, const struct forest *forest, uint64_t *spent,
                                struct fault *fault)
{
    *spent = 0;
    for (uint32_t o = 0; o < forest->outputs_count; o++)
        *spent += forest->outputs[o].spender != FOREST_NONE;
    if (*spent != forest->spends_count)
        return fault_set(fault, STATUS_FORMAT, store_path(check->store), FAULT_NO_OFFSET, "an output is spent twice");
    return STATUS_OK;
}

static enum status digest(const struct check *check, uint8_t out[32], struct fault *fault)
{
    const struct store_identity *identity = store_identity_of(check->store);
    struct buffer buffer = {0};
    uint8_t nulldata = identity->nulldata_stored;
    enum status status = buffer_add(&buffer, identity->magic, sizeof identity->magic);
    if (status == STATUS_OK)
        status = buffer_add(&buffer, identity->genesis.bytes, HASH256_SIZE);
    if (status == STATUS_OK)
        status = buffer_add(&buffer, &nulldata, 1);
    if (status == STATUS_OK)
        status = buffer_add(&buffer, check->blocks + store_first_height(check->store),
                            (size_t)(check->blocks_count - store_first_height(check->store)) * sizeof *check->blocks);
    if (status == STATUS_OK)
        sha256(buffer.bytes, buffer.size, out);
    buffer_free(&buffer);
    return status == STATUS_OK ? STATUS_OK : fault_nomem(fault);
}

static enum status check_batches(struct check *check, unsigned threads, struct fault *fault)
{
    enum status status = store_readers_open(check->store, threads, &check->readers, fault);
    if (status != STATUS_OK)
        return status;
    check->batches = store_batches(check->readers.readers[0]);
    check->blocks_count = store_totals_of(check->store).blocks;
    check->blocks = mem_alloc(check->blocks_count, sizeof *check->blocks);
    check->ends = mem_alloc(check->batches, sizeof *check->ends);
    check->faults = mem_alloc(check->batches, sizeof *check->faults);
    check->scratch = mem_alloc(threads, sizeof *check->scratch);
    if (!check->blocks || !check->ends || !check->faults || !check->scratch)
        return fault_nomem(fault);
    status = parallel_for(threads, check->batches, check_work, check, fault);
    if (status == STATUS_OK)
        status = check_ends(check, fault);
    return status == STATUS_OK ? check_tips(check, fault) : status;
}

static void check_free(struct check *check, unsigned threads)
{
    for (unsigned i = 0; check->scratch && i < threads; i++)
        buffer_free(&check->scratch[i]);
    mem_free(check->scratch);
    mem_free(check->ends);
    mem_free(check->blocks);
    mem_free(check->faults);
    store_readers_close(&check->readers);
}

/* What was found, once all of it is sound. */
static enum status report(const struct check *check, const struct forest *forest, uint64_t spent,
                          struct store_checked *checked, struct fault *fault)
{
    *checked = (struct store_checked){.first = store_first_height(check->store),
                                      .height = forest->blocks - 1,
                                      .tip = forest->tip,
                                      .nulldata_stored = store_identity_of(check->store)->nulldata_stored,
                                      .stored_txs = forest->txs_count,
                                      .unknown_outputs = forest->outputs_count,
                                      .spent = spent};
    network_label(store_identity_of(check->store)->magic, checked->network);
    return digest(check, checked->digest, fault);
}

enum status store_check(struct store *store, unsigned threads, struct store_checked *checked, struct fault *fault)
{
    struct check check = {.store = store};
    struct forest forest = {0};
    uint64_t spent = 0;
    enum status status = check_batches(&check, threads, fault);
    if (status == STATUS_OK)
        status = forest_load(store, threads, &forest, fault);
    if (status == STATUS_OK)
        status = check_forest(&check, &forest, &spent, fault);
    if (status == STATUS_OK)
        status = opened_store_go_on(fault);
    if (status == STATUS_OK)
        status = filemap_check(store, fault);
    if (status == STATUS_OK)
        status = replay_check(store, fault);
    if (status == STATUS_OK)
        status = report(&check, &forest, spent, checked, fault);
    forest_free(&forest);
    check_free(&check, threads);
    return status;
}
