#include "graph/index/build.h"
#include "graph/index/format.h"
#include "parser/mem.h"
#include "parser/money.h"
#include "parser/network.h"
#include "parser/parallel.h"
#include "parser/sha256.h"

#define CHUNK_BLOCKS 256u /* the digest is one of the digests of so many blocks each, which threads make */
#define PIECE 512u        /* outputs or inputs read at a time */
#define COIN_SAT UINT64_C(100000000)

/* One thread's tools. */
struct checker {
    struct tx_index *index;
    struct tx_index *other; /* for what lies elsewhere, so that `index` keeps its page */
    struct fault fault;
    uint8_t *bytes; /* what the digest covers, of one block */
    size_t size;
    size_t capacity;
    struct index_output outputs[PIECE];
    uint64_t spent[PIECE];
};

struct chunk {
    enum status status;
    unsigned worker;
    uint8_t digest[32];
    uint64_t spenders; /* outputs that have a spender */
    uint64_t spends;   /* inputs that spend: as many, if each input's output names it */
};

struct check {
    struct checker *checkers;
    struct chunk *chunks;
    uint32_t blocks;
    uint32_t halving;
    const char *path;
};

static enum status wrong(struct checker *checker, const char *what, const struct index_tx *tx)
{
    char txid[HASH256_HEX_SIZE + 1];
    *hash256_hex(&tx->txid, txid) = 0;
    return fault_set(&checker->fault, STATUS_FORMAT, NULL, FAULT_NO_OFFSET,
                     "the index is damaged: %s (transaction %s of height %u): delete it and index again", what, txid,
                     tx->height);
}

static enum status digest_number(struct checker *checker, uint64_t number)
{
    if (mem_reserve(&checker->bytes, &checker->capacity, checker->size + 8, 1) != STATUS_OK)
        return fault_nomem(&checker->fault);
    store_le64(checker->bytes + checker->size, number);
    checker->size += 8;
    return STATUS_OK;
}

static enum status digest_hash(struct checker *checker, const struct hash256 *hash)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < HASH256_SIZE && status == STATUS_OK; i += 8)
        status = digest_number(checker, load_le64(hash->bytes + i));
    return status;
}

static enum status digest_numbers(struct checker *checker, const uint64_t *numbers, size_t count)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        status = digest_number(checker, numbers[i]);
    return status;
}

/* ---- one transaction ---- */

static enum status check_outputs(struct checker *checker, struct chunk *chunk, const struct index_tx *tx)
{
    uint64_t sum = 0;
    for (uint32_t done = 0; done < tx->outputs;) {
        uint32_t some = tx->outputs - done < PIECE ? tx->outputs - done : PIECE;
        enum status status = index_outputs(checker->index, tx->first_output + done, some, checker->outputs,
                                           &checker->fault);
        for (uint32_t i = 0; i < some && status == STATUS_OK; i++) {
            const struct index_output *output = &checker->outputs[i];
            const uint64_t numbers[] = {output->value_sat, output->kind, output->spender};
            sum = add_saturating(sum, output->value_sat);
            chunk->spenders += output->spender != INDEX_NONE;
            status = digest_numbers(checker, numbers, 3);
        }
        if (status != STATUS_OK)
            return status;
        done += some;
    }
    return sum == tx->value_out_sat ? STATUS_OK : wrong(checker, "outputs do not sum up", tx);
}

/* The output that an input spends names this input, and was created before it. */
static enum status check_spend(struct checker *checker, const struct index_tx *tx, uint64_t input, uint64_t spent,
                               uint64_t *value_sat)
{
    struct index_output output;
    if (spent >= tx->first_output)
        return wrong(checker, "an input spends what comes later", tx);
    enum status status = index_outputs(checker->other, spent, 1, &output, &checker->fault);
    if (status == STATUS_OK && output.spender != input)
        return wrong(checker, "an output does not name the input that spends it", tx);
    *value_sat = add_saturating(*value_sat, output.value_sat);
    return status;
}

static enum status check_inputs(struct checker *checker, struct chunk *chunk, const struct index_tx *tx)
{
    uint64_t sum = 0;
    for (uint32_t done = 0; done < tx->inputs;) {
        uint32_t some = tx->inputs - done < PIECE ? tx->inputs - done : PIECE;
        enum status status = index_inputs(checker->index, tx->first_input + done, some, checker->spent,
                                          &checker->fault);
        for (uint32_t i = 0; i < some && status == STATUS_OK; i++) {
            uint64_t spent = checker->spent[i];
            if ((spent == INDEX_NONE) != tx->coinbase)
                return wrong(checker, "an input that is no coinbase's spends nothing", tx);
            chunk->spends += spent != INDEX_NONE;
            status = digest_number(checker, spent);
            if (status == STATUS_OK && spent != INDEX_NONE)
                status = check_spend(checker, tx, tx->first_input + done + i, spent, &sum);
        }
        if (status != STATUS_OK)
            return status;
        done += some;
    }
    bool balanced = tx->coinbase ? tx->fee_sat == 0 : sum == add_saturating(tx->value_out_sat, tx->fee_sat);
    return balanced ? STATUS_OK : wrong(checker, "inputs are not outputs and fee", tx);
}

static enum status check_tx(struct checker *checker, struct chunk *chunk, const struct index_tx *tx)
{
    struct index_tx found;
    const uint64_t numbers[] = {tx->inputs, tx->outputs, tx->fee_sat, tx->size,
                                tx->weight, tx->offset,  tx->segwit,  tx->coinbase};
    enum status status = digest_hash(checker, &tx->txid);
    if (status == STATUS_OK)
        status = digest_numbers(checker, numbers, sizeof numbers / sizeof *numbers);
    if (status == STATUS_OK)
        status = check_outputs(checker, chunk, tx);
    if (status == STATUS_OK)
        status = check_inputs(checker, chunk, tx);
    if (status != STATUS_OK)
        return status;
    uint64_t below = tx->number + 1;
    status = index_tx_find(checker->other, &tx->txid, below, &found, &checker->fault);
    if (status == STATUS_NOT_FOUND || (status == STATUS_OK && found.number != tx->number))
        return wrong(checker, "not found by its txid", tx);
    return status;
}

/* ---- blocks ---- */

/* Core's GetBlockSubsidy. */
static uint64_t subsidy_sat(uint32_t height, uint32_t halving)
{
    uint32_t halvings = height / halving;
    return halvings < 64 ? 50 * COIN_SAT >> halvings : 0;
}

static enum status check_block(const struct check *check, struct checker *checker, struct chunk *chunk, uint32_t height)
{
    struct block_entry entry;
    struct index_block found;
    const struct index_block *block = &entry.block;
    struct index_tx tx, first = {0};
    uint64_t fees = 0, value = 0;
    enum status status = index_block_entry(checker->index, height, &entry, &checker->fault);
    if (status == STATUS_OK)
        status = index_block_find(checker->other, &block->hash, &found, &checker->fault);
    if (status != STATUS_OK)
        return status;
    const uint64_t numbers[] = {block->height, block->time, block->txs, block->first_tx, block->size};
    checker->size = 0;
    status = digest_hash(checker, &block->hash);
    if (status == STATUS_OK)
        status = digest_numbers(checker, numbers, sizeof numbers / sizeof *numbers);
    for (uint32_t i = 0; i < block->txs && status == STATUS_OK; i++) {
        status = index_tx_at(checker->index, block->first_tx + i, &tx, &checker->fault);
        if (status != STATUS_OK)
            return status;
        first = i == 0 ? tx : first;
        if (first.first_input != entry.first_input || first.first_output != entry.first_output)
            return wrong(checker, "a block's inputs or outputs are not those of its transactions", &tx);
        if (tx.height != height || tx.index != i || tx.coinbase != (i == 0) || found.height != height)
            return wrong(checker, "a transaction is not where its block has it", &tx);
        fees = add_saturating(fees, tx.fee_sat);
        value = i == 0 ? tx.value_out_sat : value;
        status = check_tx(checker, chunk, &tx);
    }
    if (status == STATUS_OK && value > add_saturating(fees, subsidy_sat(height, check->halving)))
        return wrong(checker, "a coinbase has more than subsidy and fees", &first);
    return status;
}

static void check_chunk(void *context, unsigned worker, size_t item)
{
    struct check *check = context;
    struct checker *checker = &check->checkers[worker];
    struct chunk *chunk = &check->chunks[item];
    uint32_t first = (uint32_t)item * CHUNK_BLOCKS,
             end = check->blocks - first < CHUNK_BLOCKS ? check->blocks : first + CHUNK_BLOCKS;
    uint8_t both[64] = {0};
    chunk->worker = worker;
    if (checker->fault.status != STATUS_OK) /* of an earlier chunk of this thread */
        return;
    if (!checker->index)
        chunk->status = index_open(check->path, &checker->index, &checker->fault);
    if (chunk->status == STATUS_OK && !checker->other)
        chunk->status = index_open(check->path, &checker->other, &checker->fault);
    for (uint32_t height = first; height < end && chunk->status == STATUS_OK; height++) {
        chunk->status = check_block(check, checker, chunk, height);
        sha256(checker->bytes, chunk->status == STATUS_OK ? checker->size : 0, both + 32);
        sha256(both, sizeof both, both);
    }
    memcpy(chunk->digest, both, 32);
}

/* Makes one digest of the chunks' digests; compares what they counted. */
static enum status sum_up(const struct check *check, const struct index_totals *totals, size_t chunks,
                          uint8_t digest[32], struct fault *fault)
{
    uint64_t spenders = 0, spends = 0;
    uint8_t both[64] = {0};
    memcpy(both, totals->genesis.bytes, HASH256_SIZE);
    sha256(both, sizeof both, both);
    for (size_t i = 0; i < chunks; i++) {
        const struct chunk *chunk = &check->chunks[i];
        if (chunk->status != STATUS_OK) {
            if (fault)
                *fault = check->checkers[chunk->worker].fault;
            return chunk->status;
        }
        spenders += chunk->spenders;
        spends += chunk->spends;
        memcpy(both + 32, chunk->digest, 32);
        sha256(both, sizeof both, both);
    }
    memcpy(digest, both, 32);
    if (spenders == spends)
        return STATUS_OK;
    return fault_set(fault, STATUS_FORMAT, check->path, FAULT_NO_OFFSET,
                     "the index is damaged: outputs that name a spender: %llu, inputs that spend one: %llu; delete it "
                     "and index again",
                     (unsigned long long)spenders, (unsigned long long)spends);
}

/* Each block begins where the one before ends; that the last ends at the totals was seen when the index was opened. */
static enum status check_counts(struct tx_index *index, const char *path, struct fault *fault)
{
    struct index_totals totals = index_totals_of(index);
    uint64_t txs = index_first_number;
    enum status status = STATUS_OK;
    for (uint32_t height = 0; height < totals.blocks && status == STATUS_OK; height++) {
        struct index_block block = {0};
        status = index_block_at(index, height, &block, fault);
        if (status == STATUS_OK && block.first_tx != txs)
            return fault_set(
                fault, STATUS_FORMAT, path, FAULT_NO_OFFSET,
                "the index is damaged: block %u does not begin where the one before ends: delete it and index again",
                height);
        txs += block.txs;
    }
    return status;
}

enum status index_check(const char *path, unsigned threads, uint8_t digest[32], struct fault *fault)
{
    struct tx_index *index = NULL;
    enum status status = index_open(path, &index, fault);
    if (status != STATUS_OK)
        return status;
    status = index_check_pages(index, fault);
    if (status != STATUS_OK) {
        index_close(index);
        return status;
    }
    struct index_totals totals = index_totals_of(index);
    const struct network *network = network_by_magic(totals.magic), *regtest = network_by_name("regtest");
    struct check check = {
        .blocks = totals.blocks, .halving = network && network == regtest ? 150 : 210000, .path = path};
    size_t chunks = ((size_t)totals.blocks + CHUNK_BLOCKS - 1) / CHUNK_BLOCKS;
    check.checkers = mem_alloc(threads, sizeof *check.checkers);
    check.chunks = mem_alloc(chunks, sizeof *check.chunks);
    status = check.checkers && check.chunks ? check_counts(index, path, fault) : fault_nomem(fault);
    if (status == STATUS_OK) {
        status = parallel_for(threads, chunks, check_chunk, &check, fault);
        if (status == STATUS_OK)
            status = sum_up(&check, &totals, chunks, digest, fault);
    }
    for (unsigned i = 0; check.checkers && i < threads; i++) {
        index_close(check.checkers[i].index);
        index_close(check.checkers[i].other);
        mem_free(check.checkers[i].bytes);
    }
    mem_free(check.checkers);
    mem_free(check.chunks);
    index_close(index);
    return status;
}
