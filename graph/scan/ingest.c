#include "graph/scan/ingest.h"

#include <stdio.h>

#include "graph/scan/best_chain.h"
#include "graph/scan/filemap.h"
#include "graph/scan/fork.h"
#include "graph/scan/ingest_parts.h"
#include "graph/scan/replay.h"
#include "graph/scan/sequential.h"
#include "parser/chain.h"
#include "parser/mem.h"
#include "parser/stop.h"
#include "parser/timings.h"

#define REPLAY_MAX 65536u                 /* records that are replayed rather than the table saved: some 20 ms */
#define ROOM ((size_t)16 << 20)           /* for batches, and LMDB's pages for them */
#define ROOM_PER_THREAD ((size_t)8 << 20) /* for a block, and what is noted of some */
#define WAY_OUT "restore the file or run the node with -reindex, then scan again"

static void tell(const struct ingest *ingest, const char *text)
{
    if (ingest->options->message)
        ingest->options->message(ingest->options->context, text);
}

static void report_damage(struct ingest *ingest, const struct fault *what)
{
    ingest->result->damages++;
    if (ingest->options->damage)
        ingest->options->damage(ingest->options->context, what);
}

/* ---- opening ---- */

/* A store goes on as it began; one without blocks begins anew. */
static enum status agree_on_begin(struct ingest *ingest)
{
    const struct ingest_options *options = ingest->options;
    const char *path = store_path(ingest->store);
    unsigned first = store_first_height(ingest->store);
    bool named = options->partial && options->from_height != UINT32_MAX;
    if (store_is_empty(ingest->store))
        return first > 0 ? store_begin_at(ingest->store, 0, NULL, ingest->fault) : STATUS_OK;
    if (first > 0 && !options->partial)
        return fault_set(ingest->fault, STATUS_REFUSED, path, FAULT_NO_OFFSET,
                         "the store is partial, it begins at height %u: add --partial to go on with it, or choose "
                         "another %s for a scan from the genesis block on",
                         first, ingest_store_option(options));
    if (named && options->from_height != first)
        return fault_set(ingest->fault, STATUS_REFUSED, path, FAULT_NO_OFFSET,
                         "the store begins at height %u, not at %u: choose another %s%s", first,
                         (unsigned)options->from_height, ingest_store_option(options),
                         first > 0 ? ", or go on with this one with --partial" : ", or scan without --from-height");
    return STATUS_OK;
}

/* The file that a pass over the files begins with, if it was read already. */
static const struct blk_image *image_of(const struct ingest *ingest)
{
    return ingest->pass.cache ? block_cache_image(ingest->pass.cache) : NULL;
}

static enum status open_all(struct ingest *ingest)
{
    const struct ingest_options *options = ingest->options;
    enum status status = blkdir_open_with_key(options->datadir, options->chain, options->xor_key, &ingest->dir,
                                              ingest->fault);
    if (status == STATUS_OK)
        status = sequential_prepare(ingest);
    if (status == STATUS_OK)
        status = filemap_identify(&ingest->dir, options->chain, image_of(ingest), ingest->magic, &ingest->genesis,
                                  ingest->fault);
    if (status != STATUS_OK)
        return status;
    struct store_identity identity = {.genesis = ingest->genesis,
                                      .nulldata_stored = options->nulldata_stored,
                                      .option = ingest_store_option(options)};
    memcpy(identity.magic, ingest->magic, sizeof identity.magic);
    status = store_open(options->store, STORE_WRITE, &identity, &ingest->store, ingest->fault);
    if (status == STATUS_OK)
        status = chain_new(&ingest->genesis, &ingest->chain, ingest->fault);
    if (status == STATUS_OK)
        status = outpoints_new(store_seed(ingest->store), &ingest->table, ingest->fault);
    if (status == STATUS_OK)
        status = agree_on_begin(ingest);
    return status == STATUS_OK && options->opened ? options->opened(options->context, ingest->fault) : status;
}

/* ---- the chain ---- */

static enum status refuse_begin(const struct ingest *ingest, uint32_t first, const char *what, uint32_t height)
{
    return fault_set(ingest->fault, STATUS_REFUSED, ingest->dir.path, FAULT_NO_OFFSET,
                     "no chain can be taken from height %u on: %s %u", (unsigned)first, what, (unsigned)height);
}

/* Where the store begins: a new one is told. */
static enum status begin_store(struct ingest *ingest, bool unnamed)
{
    const struct ingest_options *options = ingest->options;
    uint32_t base = chain_base(ingest->chain), first = store_first_height(ingest->store);
    bool is_new = options->partial && store_is_empty(ingest->store);
    char text[192], hash[HASH256_HEX_SIZE + 1] = "";
    if (is_new)
        first = options->from_height == UINT32_MAX ? base : options->from_height;
    if (first < base)
        return refuse_begin(ingest, first, "the unbroken chain of these blk files begins at height", base);
    if (is_new && first > ingest->end)
        return refuse_begin(ingest, first, "the chain of these blk files ends at height", ingest->end);
    if (first > 0 && options->to_height < first)
        return refuse_begin(ingest, first, "--to-height is", options->to_height);
    const struct chain_block *block = chain_active(ingest->chain, first);
    if (is_new && first > 0) {
        hash256_hex(&block->hash, hash);
        snprintf(text, sizeof text, "partial: the chain from height %u on, whose block is %s%s", (unsigned)first, hash,
                 unnamed ? " (its coinbase names no height)" : "");
        tell(ingest, text);
        return store_begin_at(ingest->store, first, &block->hash, ingest->fault);
    }
    if (options->partial && first == 0)
        tell(ingest, "the store is of the whole chain, from the genesis block on: it is not partial");
    if (first > 0 && (!block || !hash256_equal(&block->hash, &store_identity_of(ingest->store)->first_block)))
        return fault_set(ingest->fault, STATUS_REFUSED, store_path(ingest->store), FAULT_NO_OFFSET,
                         "the chain has left the store's first block, of height %u: choose another %s, or delete this "
                         "one",
                         (unsigned)first, ingest_store_option(options));
    return STATUS_OK;
}

/* ---- where the store's chain leaves that of the files ---- */

static enum status hash_at(void *context, uint32_t height, struct hash256 *hash, struct fault *fault)
{
    struct block_record block = {0};
    enum status status = store_block(context, height, &block, fault);
    *hash = block.hash;
    return status;
}

/* Where nothing but the genesis block is shared, the files are either of a chain that was begun anew (a regtest that
 * was reset, a custom signet), or of a reorganisation from the first block on. */
static enum status refuse_other_chain(struct ingest *ingest, const struct fork *fork)
{
    bool knows = fork->common > 1 || fork->blocks == 1 || chain_height(ingest->chain) == 0;
    enum status status = STATUS_OK;
    if (fork->first > 0) /* begin_store has seen to it */
        return STATUS_OK;
    if (fork->blocks > 0 && fork->common > 0 && !knows)
        status = fork_knows_first_block(fork, &knows, ingest->fault);
    if (status != STATUS_OK || fork->blocks == 0 || (fork->common > 0 && knows))
        return status;
    return fault_set(
        ingest->fault, STATUS_REFUSED, store_path(ingest->store), FAULT_NO_OFFSET,
        "the store was made from another chain, which shares %s with this one: choose another %s, or delete this one",
        fork->common == 0 ? "no block" : "only the genesis block", ingest_store_option(ingest->options));
}

static struct fork fork_of(const struct ingest *ingest, uint32_t end, uint32_t target)
{
    return (struct fork){.chain = ingest->chain,
                         .end = end,
                         .first = store_first_height(ingest->store),
                         .blocks = store_totals_of(ingest->store).blocks,
                         .to_height = ingest->options->to_height,
                         .tip_chosen = ingest->options->tip != NULL,
                         .hash_at = hash_at,
                         .target = target};
}

static enum status find_fork(struct ingest *ingest, struct fork *fork)
{
    struct store_reader *reader = NULL;
    enum status status = store_reader_open(ingest->store, &reader, ingest->fault);
    fork->context = reader;
    if (status == STATUS_OK)
        status = fork_find(fork, ingest->fault);
    if (status == STATUS_OK)
        status = refuse_other_chain(ingest, fork);
    store_reader_close(reader);
    return status;
}

/* Takes the store back to what it shares with the chain; never because files were lost above that, only because the
 * chain goes elsewhere or the user asked for an earlier end. */
static enum status rewind_to_fork(struct ingest *ingest)
{
    struct fork fork = fork_of(ingest, ingest->end, ingest->target);
    enum status status = find_fork(ingest, &fork);
    if (status != STATUS_OK)
        return status;
    char text[160];
    ingest->target = fork.target;
    if (fork.keep == fork.blocks) {
        snprintf(text, sizeof text, "the blk files hold the chain to height %u only; the store keeps what it has",
                 ingest->end);
        if (fork.shorter && fork.common < fork.blocks)
            tell(ingest, text);
        return STATUS_OK;
    }
    ingest->result->blocks_removed = fork.blocks - fork.keep;
    snprintf(text, sizeof text, "taking back %u block%s, from height %u on: %s", fork.blocks - fork.keep,
             fork.blocks - fork.keep == 1 ? "" : "s", fork.keep,
             fork.keep == fork.common ? "the chain has left them" : "--to-height or --tip ends below them");
    tell(ingest, text);
    return ingest_take_back(ingest, fork.keep);
}

/* ---- the chain of the files ---- */

/* The store remembers the blocks of files that are gone. Those of another chain have no parent here: that is no gap. */
static enum status check_chain(void *context, uint32_t end)
{
    struct ingest *ingest = context;
    if (store_is_empty(ingest->store) || store_first_height(ingest->store) > 0)
        return STATUS_OK;
    struct fork fork = fork_of(ingest, end, end + 1);
    return find_fork(ingest, &fork);
}

static enum status link_chain(struct ingest *ingest)
{
    const struct ingest_options *options = ingest->options;
    struct best_chain best = {.options = options,
                              .dir = &ingest->dir,
                              .store = ingest->store,
                              .chain = ingest->chain,
                              .genesis = ingest->genesis,
                              .check = check_chain,
                              .context = ingest,
                              .order = ingest->pass.cache ? &ingest->pass.order : NULL,
                              .damages = &ingest->result->damages};
    memcpy(best.magic, ingest->magic, sizeof best.magic);
    enum status status = best_chain_find(&best, ingest->fault);
    if (status != STATUS_OK)
        return status;
    ingest->end = best.end;
    ingest->result->detached = chain_detached(ingest->chain);
    ingest->result->stale = chain_count(ingest->chain) - ingest->result->detached -
                            (chain_height(ingest->chain) - chain_base(ingest->chain)) - 1;
    status = begin_store(ingest, best.unnamed);
    uint32_t first = store_first_height(ingest->store);
    if (ingest->end + 1 < first) /* a gap leaves it open which branch goes on from there */
        ingest->end = first - 1;
    ingest->target = (options->to_height < ingest->end ? options->to_height : ingest->end) + 1;
    return status;
}

/* ---- the outpoint table ---- */

static enum status put_chunk(void *context, uint32_t chunk, const void *bytes, size_t size)
{
    struct ingest *ingest = context;
    return store_put_snapshot(ingest->store, chunk, bytes, size, ingest->fault);
}

/* Stored transactions and tracked outputs: what a replay goes through. */
static uint64_t records_of(const struct store *store)
{
    struct store_totals totals = store_totals_of(store);
    return totals.txs + totals.tracked;
}

/* The last saved table and what came since; of a partial store the transactions that it has. */
static enum status load_table(struct ingest *ingest)
{
    uint64_t replayed = 0;
    enum status status = replay_load(ingest->store, ingest->options->threads, ingest->table, &replayed, ingest->fault);
    ingest->saved_records = records_of(ingest->store) - replayed;
    if (status == STATUS_OK && store_first_height(ingest->store) > 0)
        status = txid_set_load(ingest->store, &ingest->known, ingest->fault);
    return status;
}

enum status ingest_prepare(struct ingest *ingest)
{
    if (ingest->pipeline)
        return STATUS_OK;
    timings_stage("table");
    enum status status = load_table(ingest);
    if (status == STATUS_OK)
        status = pipeline_new(ingest->options, &ingest->dir, ingest->store, ingest->table, ingest->known,
                              &ingest->pipeline, ingest->fault);
    return status;
}

enum status ingest_take_back(struct ingest *ingest, uint32_t blocks)
{
    enum status status = STATUS_OK;
    if (ingest->pipeline) {
        pipeline_free(ingest->pipeline);
        outpoints_free(ingest->table);
        ingest->pipeline = NULL;
        ingest->table = NULL;
        ingest->table_changed = false;
        status = outpoints_new(store_seed(ingest->store), &ingest->table, ingest->fault);
    }
    return status == STATUS_OK ? store_rollback(ingest->store, blocks, ingest->fault) : status;
}

/* To save the table costs as much as it holds, to replay what came since the last time as much as that at each scan: so
 * it is saved when as much has come as a part of it, and small steps stay small. */
static bool table_is_worth_saving(const struct ingest *ingest)
{
    uint64_t came = records_of(ingest->store) - ingest->saved_records;
    return came > REPLAY_MAX && came > outpoints_count(ingest->table) / 16;
}

/* Commits what is there. Who asked for an end does not wait for the table: the next scan replays more. */
static enum status finish(struct ingest *ingest)
{
    enum status status = STATUS_OK;
    timings_stage("end");
    if (ingest->table_changed && !stop_requested() && table_is_worth_saving(ingest))
        status = outpoints_save(ingest->table, put_chunk, ingest);
    return status == STATUS_OK ? store_commit(ingest->store, ingest->fault) : status;
}

/* ---- the blocks ---- */

uint64_t ingest_bytes_between(const struct ingest *ingest, uint32_t first, uint32_t end)
{
    uint64_t bytes = 0;
    for (uint32_t height = first; height < end; height++)
        bytes += chain_active(ingest->chain, height)->size;
    return bytes;
}

/* So many more blocks are in the store. */
static void on_appended(void *context, uint32_t count)
{
    struct ingest *ingest = context;
    ingest->result->blocks_added += count;
    ingest->result->bytes += ingest_bytes_between(ingest, ingest->next, ingest->next + count);
    ingest->next += count;
    if (ingest->in_order) { /* the file is not done yet: filemap.c tells */
        ingest->pass.order.height = ingest->next - 1;
        return;
    }
    struct ingest_progress progress = {.stage = INGEST_BLOCKS,
                                       .done = ingest->result->bytes,
                                       .total = ingest->total,
                                       .height = ingest->next ? ingest->next - 1 : 0};
    if (ingest->options->progress)
        ingest->options->progress(ingest->options->context, &progress);
}

/* Reports a damaged block. If the files hold it a second time, that copy is next; else it ends the chain. */
static enum status report_block(struct ingest *ingest, uint32_t height, const struct fault *damage)
{
    const struct chain_block *block = chain_active(ingest->chain, height);
    struct fault what = {0};
    enum status status = best_chain_doubt_files(ingest->store, &ingest->dir, block, ingest->fault);
    ingest->one_block = chain_next_copy(ingest->chain, chain_find(ingest->chain, &block->hash));
    if (ingest->one_block) {
        (void)fault_set(&what, damage->status, damage->path, damage->offset,
                        "%.300s; the copy in blk%05u.dat at byte %llu is taken", damage->text,
                        ingest->dir.files[block->file].number, (unsigned long long)block->offset - BLK_FRAME_SIZE);
    } else {
        ingest->target = height;
        (void)fault_set(&what, damage->status, damage->path, damage->offset, "%.300s; the scan ends below it%s",
                        damage->text, block->file == FILEMAP_GONE ? "" : ": " WAY_OUT);
    }
    report_damage(ingest, &what);
    return status;
}

enum status ingest_run_job(struct ingest *ingest, struct fault *what)
{
    struct file_pass *pass = &ingest->pass;
    struct pipeline_job job = {.chain = ingest->chain,
                               .first = ingest->next,
                               .end = ingest->one_block ? ingest->next + 1 : ingest->target,
                               .cache = pass->cache,
                               .on_appended = on_appended,
                               .context = ingest};
    enum status status = pass->cache ? file_pass_fetch(pass, job.end, &job.end, what) : STATUS_OK;
    if (status != STATUS_OK)
        return status;
    ingest->table_changed = true;
    status = pipeline_run(ingest->pipeline, &job, what);
    if (pass->cache)
        file_pass_drop(pass);
    return status;
}

/* The blocks from `next` on, or one that has another copy. A damaged block is reported and no error. */
static enum status take_some(struct ingest *ingest)
{
    struct fault what = {0};
    enum status status = ingest_run_job(ingest, &what);
    if (status == STATUS_FORMAT)
        return report_block(ingest, ingest->next, &what);
    ingest->one_block = false;
    if (status != STATUS_OK && ingest->fault)
        *ingest->fault = what;
    return status;
}

static enum status take_blocks(struct ingest *ingest)
{
    enum status status = STATUS_OK;
    ingest->next = store_totals_of(ingest->store).blocks;
    ingest->total = ingest->result->bytes + ingest_bytes_between(ingest, ingest->next, ingest->target);
    while (ingest->next < ingest->target && status == STATUS_OK)
        status = stop_requested() ? STATUS_INTERRUPTED : take_some(ingest);
    return status;
}

static enum status run(struct ingest *ingest)
{
    enum status status = open_all(ingest);
    if (status != STATUS_OK)
        return status;
    network_label(ingest->magic, ingest->result->network);
    status = sequential_begin(ingest);
    if (status == STATUS_OK)
        status = sequential_end(ingest, link_chain(ingest));
    if (status == STATUS_OK)
        status = rewind_to_fork(ingest);
    if (status == STATUS_OK && ingest->target > store_totals_of(ingest->store).blocks) {
        status = ingest_prepare(ingest);
        timings_stage("blocks");
        if (status == STATUS_OK)
            status = take_blocks(ingest);
    }
    if (status == STATUS_OK || status == STATUS_INTERRUPTED) {
        enum status end = finish(ingest);
        return end == STATUS_OK ? status : end;
    }
    return status;
}

enum status ingest_run(const struct ingest_options *options, struct ingest_result *result, struct fault *fault)
{
    struct ingest ingest = {.options = options, .result = result, .fault = fault};
    *result = (struct ingest_result){0};
    mem_keep(ROOM + (size_t)options->threads * ROOM_PER_THREAD);
    enum status status = run(&ingest);
    if (ingest.store) {
        struct store_totals totals = store_totals_of(ingest.store);
        result->blocks = totals.blocks;
        result->first_height = store_first_height(ingest.store);
        result->height = store_is_empty(ingest.store) ? 0 : totals.blocks - 1;
        result->tip = totals.tip;
    }
    pipeline_free(ingest.pipeline);
    outpoints_free(ingest.table);
    txid_set_free(ingest.known);
    block_cache_free(ingest.pass.cache);
    chain_free(ingest.chain);
    store_close(ingest.store);
    blkdir_free(&ingest.dir);
    return status;
}
