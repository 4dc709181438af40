#include "graph/index/hidden.h"

#include "graph/index/promises.h"
#include "graph/index/waiting.h"
#include "parser/block.h"
#include "parser/mem.h"
#include "parser/parallel.h"
#include "parser/pushes.h"
#include "parser/search.h"

#define SLOTS_A_THREAD 16u
#define SLOTS_MAX 256u
#define ASKED_AHEAD 32u /* inputs */

struct pass {
    const struct hidden_pass *options;
    struct hidden_budget budget;
    struct tx_index **indexes; /* by worker */
    unsigned indexes_count;
    struct block_verifier *verifiers; /* by worker */
    struct waiting *waiting;          /* by worker */
    struct taproot *taproot;
    struct promises promises;
    uint64_t done; /* bytes of blocks */
    /* of the window */
    uint32_t first;
    struct blk_reader *readers; /* by slot */
    struct index_block *at;
    const uint8_t **block;
    enum status *statuses;
    struct fault *faults;
    bool *unproven; /* an input of the block shows nothing that hashes to its output */
};

unsigned hidden_slots(unsigned threads)
{
    unsigned slots = threads * SLOTS_A_THREAD;
    return slots < SLOTS_MAX ? slots : SLOTS_MAX;
}

/* ---- outputs of a block ---- */

struct hand {
    struct pass *pass;
    unsigned worker;
    unsigned slot;
    uint32_t height;
    struct fault *fault;
};

/* The blk file of the block in the folder; dir->count where it is gone. */
static size_t file_of(const struct hand *hand)
{
    const struct blkdir *dir = hand->pass->options->dir;
    const struct index_block *block = &hand->pass->at[hand->slot];
    size_t file = LOWER_BOUND(i, 0, dir->count, dir->files[i].number < block->file);
    return file < dir->count && dir->files[file].number == block->file ? file : dir->count;
}

static enum status other_bytes(const struct hand *hand)
{
    return fault_set(hand->fault, STATUS_FORMAT, hand->pass->options->dir->files[file_of(hand)].path,
                     hand->pass->at[hand->slot].offset, "block %u is not what the index has: run 'unktx index' again",
                     (unsigned)hand->height);
}

static enum status add_output(const struct hand *hand, uint64_t number, const struct tx_output *output)
{
    struct pass *pass = hand->pass;
    enum kind kind = script_kind(output->script, output->script_size);
    size_t size;
    const uint8_t *program = hidden_program(kind, output->script, &size);
    struct index_output indexed;
    if (!program)
        return STATUS_OK;
    enum status status = index_outputs(pass->indexes[hand->worker], number, 1, &indexed, hand->fault);
    if (status != STATUS_OK || indexed.spender == INDEX_NONE)
        return status;
    if (indexed.spender < pass->promises.places[hand->height].first_input)
        return index_damaged(pass->indexes[hand->worker], "an output's spender is of an earlier block", hand->fault);
    return promises_add(&pass->promises, hand->worker, indexed.spender, value_kind_of(output->value_sat, kind), program,
                        size, hand->fault);
}

/* A transaction that was read, and where its parts are. */
struct tx_parts {
    struct tx tx;
    struct cursor inputs;
    struct cursor outputs;
    struct cursor witnesses;
};

static bool read_tx(struct cursor *c, struct tx_parts *parts)
{
    struct tx_input input;
    struct tx_output output;
    tx_begin(c, &parts->tx);
    parts->inputs = *c;
    for (uint32_t i = 0; i < parts->tx.inputs && cursor_ok(c); i++)
        tx_input(c, &input);
    tx_outputs(c, &parts->tx);
    parts->outputs = *c;
    for (uint32_t i = 0; i < parts->tx.outputs && cursor_ok(c); i++)
        tx_output(c, &output);
    parts->witnesses = *c;
    tx_end(c, &parts->tx);
    return cursor_ok(c);
}

static struct cursor txs_of(const struct hand *hand)
{
    const struct pass *pass = hand->pass;
    struct cursor c = cursor_over(pass->block[hand->slot], pass->at[hand->slot].size);
    cursor_take(&c, BLOCK_HEADER_SIZE);
    cursor_compact(&c);
    return c;
}

static enum status add_outputs(const struct hand *hand)
{
    const struct promises_block *place = &hand->pass->promises.places[hand->height];
    uint64_t output = place->first_output, input = place->first_input;
    struct cursor c = txs_of(hand);
    struct tx_parts parts;
    struct tx_output read;
    enum status status = STATUS_OK;
    for (uint32_t t = 0; t < hand->pass->at[hand->slot].txs && status == STATUS_OK; t++) {
        if (!read_tx(&c, &parts) || parts.tx.outputs > place[1].first_output - output ||
            parts.tx.inputs > place[1].first_input - input)
            status = other_bytes(hand);
        input += parts.tx.inputs;
        for (uint32_t i = 0; i < parts.tx.outputs && status == STATUS_OK; i++) {
            tx_output(&parts.outputs, &read);
            status = add_output(hand, output++, &read);
        }
    }
    if (status == STATUS_OK && (output != place[1].first_output || input != place[1].first_input))
        status = other_bytes(hand);
    enum status settled = promises_settle(&hand->pass->promises, hand->worker,
                                          status == STATUS_OK ? hand->fault : NULL);
    return status == STATUS_OK ? settled : status;
}

/* ---- reading a block ---- */

/* Whether the transactions are those of the index. The header tells for a sound block, and costs no look-ups; an index
 * made without --verify may have others. What a witness shows has to hash to its output anyway. */
static enum status check_txs(const struct hand *hand)
{
    struct pass *pass = hand->pass;
    const struct index_block *block = &pass->at[hand->slot];
    struct block_counts counts;
    struct block_verifier *verifier = &pass->verifiers[hand->worker];
    enum block_flaw flaw = block_verify_txids(verifier, pass->block[hand->slot], block->size, &counts);
    struct index_tx tx;
    if (flaw == BLOCK_FINE)
        return STATUS_OK;
    if (flaw == BLOCK_NOMEM)
        return fault_nomem(hand->fault);
    if (flaw == BLOCK_MALFORMED || counts.txs != block->txs)
        return other_bytes(hand);
    for (uint32_t t = 0; t < block->txs; t++) {
        enum status status = index_tx_at(pass->indexes[hand->worker], block->first_tx + t, &tx, hand->fault);
        if (status != STATUS_OK)
            return status;
        if (!hash256_equal(&tx.txid, &verifier->txids[t]))
            return other_bytes(hand);
    }
    return STATUS_OK;
}

static enum status read_block(const struct hand *hand)
{
    struct pass *pass = hand->pass;
    const struct blkdir *dir = pass->options->dir;
    const struct index_block *block = &pass->at[hand->slot];
    struct blk_reader *reader = &pass->readers[hand->slot];
    struct hash256 hash;
    size_t file = file_of(hand);
    if (file == dir->count)
        return fault_set(hand->fault, STATUS_NOT_FOUND, dir->path, FAULT_NO_OFFSET,
                         "has no blk%05u.dat any more, which block %u is in: " INDEX_AGAIN, (unsigned)block->file,
                         (unsigned)hand->height);
    enum status status = blk_read(reader, dir, file, block->offset, block->size, &pass->block[hand->slot], hand->fault);
    if (status != STATUS_OK)
        return status;
    if (block->size <= BLOCK_HEADER_SIZE)
        return other_bytes(hand);
    sha256d(pass->block[hand->slot], BLOCK_HEADER_SIZE, &hash);
    return hash256_equal(&hash, &block->hash) ? check_txs(hand) : other_bytes(hand);
}

static void take_block(void *context, unsigned worker, size_t slot)
{
    struct pass *pass = context;
    struct hand hand = {pass, worker, (unsigned)slot, pass->first + (uint32_t)slot, &pass->faults[slot]};
    enum status status = read_block(&hand);
    pass->statuses[slot] = status == STATUS_OK ? add_outputs(&hand) : status;
}

/* ---- inputs of a block ---- */

/* An input of the block, and what was promised to it. */
struct met_input {
    struct tx_input input;
    const struct promise *promised;
    uint64_t number;
    uint32_t tx_index;
    uint32_t vin;
};

static enum status show(void *context, const struct hidden_spend *spend)
{
    const struct hand *hand = context;
    const struct hidden_pass *options = hand->pass->options;
    hand->pass->unproven[hand->slot] |= spend->way == HIDDEN_NOT_PROVEN;
    return options->spend(options->context, hand->worker, hand->slot, spend, hand->fault);
}

static enum status flush(struct hand *hand)
{
    enum status status = waiting_flush(&hand->pass->waiting[hand->worker], hand->pass->taproot, show, hand);
    return status == STATUS_NOMEM ? fault_nomem(hand->fault) : status;
}

static enum status show_input(struct hand *hand, const struct tx_parts *parts, const struct met_input *met)
{
    struct pass *pass = hand->pass;
    struct waiting *waiting = &pass->waiting[hand->worker];
    const struct cursor *witness = &parts->witnesses;
    struct hidden_spend spend = {.block = &pass->at[hand->slot],
                                 .tx = &parts->tx,
                                 .input = &met->input,
                                 .tx_index = met->tx_index,
                                 .vin = met->vin,
                                 .value_sat = value_of(met->promised->value_kind),
                                 .kind = kind_of(met->promised->value_kind)};
    enum status status = index_inputs(pass->indexes[hand->worker], met->number, 1, &spend.output, hand->fault);
    if (status == STATUS_OK && spend.output == INDEX_NONE)
        return index_damaged(pass->indexes[hand->worker], "an output's spender is none", hand->fault);
    if (status == STATUS_OK && waiting_is_full(waiting))
        status = flush(hand);
    if (status == STATUS_OK)
        waiting_add(waiting, &spend, met->promised->bytes, parts->tx.segwit ? witness->at : NULL,
                    parts->tx.segwit ? cursor_left(witness) : 0);
    return status;
}

/* Shows the inputs of a transaction that spend what was promised to them; `number` is that of the first one. */
static enum status show_tx(struct hand *hand, struct tx_parts *parts, uint32_t tx_index, const uint32_t *promised,
                           uint64_t number)
{
    struct met_input met = {.tx_index = tx_index};
    struct push item;
    enum status status = STATUS_OK;
    for (; met.vin < parts->tx.inputs && status == STATUS_OK; met.vin++) {
        tx_input(&parts->inputs, &met.input);
        met.promised = &hand->pass->promises.at[promised[met.vin]];
        met.number = number + met.vin;
        if (promised[met.vin])
            status = show_input(hand, parts, &met);
        if (!parts->tx.segwit)
            continue;
        struct pushes witness = pushes_of_witness(parts->witnesses.at, cursor_left(&parts->witnesses));
        while (pushes_next(&witness, &item)) {
        }
        parts->witnesses = witness.c;
    }
    return status;
}

static bool any_promised(const uint32_t *promised, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (promised[i])
            return true;
    return false;
}

/* Asks for the promises to inputs up to `end`, as far as *asked does not say that it was done. */
static void ask_ahead(const struct promises *promises, const uint32_t *promised, uint64_t end, uint64_t *asked)
{
    for (; *asked < end; ++*asked)
        if (promised[*asked])
            __builtin_prefetch(&promises->at[promised[*asked]]);
}

/* Whether what was not proven is what the block commits to. */
static enum status check_witnesses(const struct hand *hand)
{
    struct pass *pass = hand->pass;
    struct index_block *block = &pass->at[hand->slot];
    enum block_flaw flaw = block_verify_witnesses(&pass->verifiers[hand->worker], pass->block[hand->slot], block->size);
    if (flaw == BLOCK_NOMEM)
        return fault_nomem(hand->fault);
    if (flaw == BLOCK_MALFORMED)
        return other_bytes(hand); /* take_block has read all of it */
    pass->unproven[hand->slot] = flaw == BLOCK_BAD_COMMITMENT;
    return STATUS_OK;
}

static void show_block(void *context, unsigned worker, size_t slot)
{
    struct pass *pass = context;
    struct hand hand = {pass, worker, (unsigned)slot, pass->first + (uint32_t)slot, &pass->faults[slot]};
    const uint32_t *promised = promises_of(&pass->promises, hand.height);
    const struct promises_block *place = &pass->promises.places[hand.height];
    uint64_t first = place->first_input, count = place[1].first_input - first, input = 0, asked = 0;
    struct cursor c = txs_of(&hand);
    struct tx_parts parts;
    enum status status = STATUS_OK;
    for (uint32_t t = 0; t < pass->at[slot].txs && status == STATUS_OK; t++) {
        ask_ahead(&pass->promises, promised, input + ASKED_AHEAD < count ? input + ASKED_AHEAD : count, &asked);
        if (!read_tx(&c, &parts))
            status = other_bytes(&hand); /* take_block has read all of it */
        else if (any_promised(promised + input, parts.tx.inputs))
            status = show_tx(&hand, &parts, t, promised + input, first + input);
        input += parts.tx.inputs;
    }
    if (status == STATUS_OK)
        status = flush(&hand);
    else
        waiting_drop(&pass->waiting[worker]); /* they are of this block, and not of the worker's next one */
    if (status == STATUS_OK)
        promises_drop(&pass->promises, worker, promised, (size_t)input);
    if (status == STATUS_OK && pass->unproven[slot])
        status = check_witnesses(&hand);
    pass->statuses[slot] = status;
}

/* ---- windows ---- */

/* The first failure in the order of the chain. */
static enum status failure_of(const struct pass *pass, unsigned count, enum status status, struct fault *fault)
{
    for (unsigned i = 0; i < count && status == STATUS_OK; i++)
        if (pass->statuses[i] != STATUS_OK) {
            status = pass->statuses[i];
            if (status == STATUS_NOMEM)
                return fault_nomem(fault);
            if (pass->faults[i].status == STATUS_OK && promises_failure(&pass->promises, fault) != STATUS_OK)
                return pass->statuses[i];
            if (fault)
                *fault = pass->faults[i];
        }
    return status;
}

/* So many blocks from `first` on, at least one. */
static enum status choose_window(struct pass *pass, unsigned *count, uint64_t *bytes, struct fault *fault)
{
    unsigned most = hidden_slots(pass->budget.threads);
    uint64_t room = pass->budget.window;
    uint32_t end = pass->promises.ranges[pass->promises.range + 1];
    enum status status = STATUS_OK;
    *bytes = 0;
    for (*count = 0; *count < most && pass->first + *count < end && status == STATUS_OK; ++*count) {
        struct index_block *block = &pass->at[*count];
        status = index_block_at(pass->indexes[0], pass->first + *count, block, fault);
        if (*count > 0 && *bytes + block->size > room)
            break;
        *bytes += block->size;
        pass->statuses[*count] = STATUS_OK;
        pass->unproven[*count] = false;
        pass->faults[*count] = (struct fault){0};
    }
    return status;
}

/* Readers keep the room of the largest block that they have read. Where that of all comes to more than two windows, all
 * of it is given back. */
static void let_go(struct pass *pass)
{
    unsigned slots = hidden_slots(pass->budget.threads);
    uint64_t kept = 0;
    for (unsigned i = 0; i < slots; i++)
        kept += pass->readers[i].capacity;
    if (kept <= 2 * pass->budget.window)
        return;
    for (unsigned i = 0; i < slots; i++)
        blk_reader_free(&pass->readers[i]);
}

static enum status run_window(struct pass *pass, struct fault *fault)
{
    const struct hidden_pass *options = pass->options;
    unsigned count;
    uint64_t bytes;
    enum status status = choose_window(pass, &count, &bytes, fault);
    if (status == STATUS_OK)
        status = parallel_for(pass->budget.threads, count, take_block, pass, fault);
    status = failure_of(pass, count, status, fault);
    if (status == STATUS_OK)
        status = parallel_for(pass->budget.threads, count, show_block, pass, fault);
    status = failure_of(pass, count, status, fault);
    if (status == STATUS_OK)
        status = options->blocks(options->context, count, fault);
    for (unsigned i = 0; i < count && status == STATUS_OK && options->damaged; i++)
        if (pass->unproven[i])
            options->damaged(options->context, pass->first + i, &pass->at[i]);
    let_go(pass);
    pass->first += count;
    pass->done += bytes;
    if (options->progress)
        options->progress(options->context, pass->done, pass->promises.bytes);
    return status;
}

static enum status run_ranges(struct pass *pass, struct fault *fault)
{
    const struct promises *promises = &pass->promises;
    enum status status = STATUS_OK;
    for (unsigned range = 0; range < promises->ranges_count && status == STATUS_OK; range++) {
        status = promises_begin_range(&pass->promises, range, fault);
        while (status == STATUS_OK && pass->first < promises->ranges[range + 1])
            status = run_window(pass, fault);
    }
    return status;
}

/* ---- opening ---- */

/* One index for each thread; the first one tells how many there will be. */
static enum status open_indexes(struct pass *pass, struct fault *fault)
{
    const struct hidden_pass *options = pass->options;
    pass->indexes = mem_alloc(options->threads, sizeof *pass->indexes);
    if (!pass->indexes)
        return fault_nomem(fault);
    enum status status = STATUS_OK;
    do {
        status = index_open(options->store, &pass->indexes[pass->indexes_count], fault);
        pass->indexes_count += status == STATUS_OK;
        if (pass->indexes_count == 1)
            pass->budget = hidden_budget_for(options->memory, options->threads,
                                             index_totals_of(pass->indexes[0]).inputs);
    } while (status == STATUS_OK && pass->indexes_count < pass->budget.threads);
    return status;
}

static enum status open_window(struct pass *pass, struct fault *fault)
{
    unsigned slots = hidden_slots(pass->budget.threads);
    pass->readers = mem_alloc(slots, sizeof *pass->readers);
    pass->at = mem_alloc(slots, sizeof *pass->at);
    pass->block = mem_alloc(slots, sizeof *pass->block);
    pass->statuses = mem_alloc(slots, sizeof *pass->statuses);
    pass->faults = mem_alloc(slots, sizeof *pass->faults);
    pass->unproven = mem_alloc(slots, sizeof *pass->unproven);
    pass->verifiers = mem_alloc(pass->budget.threads, sizeof *pass->verifiers);
    pass->waiting = mem_alloc(pass->budget.threads, sizeof *pass->waiting);
    pass->taproot = taproot_new();
    bool ok = pass->verifiers && pass->readers && pass->at && pass->block && pass->statuses && pass->faults &&
              pass->unproven && pass->waiting && pass->taproot;
    for (unsigned i = 0; i < pass->budget.threads && ok; i++)
        ok = waiting_open(&pass->waiting[i]) == STATUS_OK;
    return ok ? STATUS_OK : fault_nomem(fault);
}

static void close_pass(struct pass *pass)
{
    for (unsigned i = 0; pass->readers && i < hidden_slots(pass->budget.threads); i++)
        blk_reader_free(&pass->readers[i]);
    for (unsigned i = 0; i < pass->indexes_count; i++)
        index_close(pass->indexes[i]);
    promises_close(&pass->promises);
    for (unsigned i = 0; pass->verifiers && i < pass->budget.threads; i++)
        block_verifier_free(&pass->verifiers[i]);
    for (unsigned i = 0; pass->waiting && i < pass->budget.threads; i++)
        waiting_free(&pass->waiting[i]);
    taproot_free(pass->taproot);
    mem_free(pass->waiting);
    mem_free(pass->unproven);
    mem_free(pass->verifiers);
    mem_free(pass->readers);
    mem_free(pass->at);
    mem_free(pass->block);
    mem_free(pass->statuses);
    mem_free(pass->faults);
    mem_free(pass->indexes);
}

enum status hidden_pass_run(const struct hidden_pass *options, struct fault *fault)
{
    struct pass pass = {.options = options};
    enum status status = open_indexes(&pass, fault);
    struct promises_options to_promise = {.tmp = options->tmp ? options->tmp : options->store,
                                          .memory = pass.budget.promises,
                                          .buffers = pass.budget.buffers,
                                          .threads = pass.budget.threads,
                                          .to_height = options->to_height};
    if (status == STATUS_OK)
        status = promises_open(&pass.promises, pass.indexes[0], &to_promise, fault);
    if (status == STATUS_OK)
        status = open_window(&pass, fault);
    if (status == STATUS_OK)
        status = run_ranges(&pass, fault);
    close_pass(&pass);
    return status;
}
