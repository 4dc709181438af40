#include "graph/scan/sequential.h"

#include "parser/stop.h"
#include "parser/timings.h"

#define CACHE_BYTES ((uint64_t)512 << 20) /* of blocks that wait: some 300 large ones */

static uint32_t blocks_of(const struct ingest *ingest) { return store_totals_of(ingest->store).blocks; }

static uint32_t next_of(const void *ingest) { return blocks_of(ingest); }

/* How many of the store's blocks are on the chain: at least those that it had before, which are no matter here. */
static enum status find_common(const struct ingest *ingest, uint32_t most, uint32_t *common, struct fault *fault)
{
    struct store_reader *reader = NULL;
    bool same = false;
    enum status status = store_reader_open(ingest->store, &reader, fault);
    for (*common = most; status == STATUS_OK && *common > ingest->began && !same; *common -= !same) {
        struct block_record record = {0};
        const struct chain_block *block = chain_active(ingest->chain, *common - 1);
        status = block ? store_block(reader, *common - 1, &record, fault) : STATUS_OK;
        same = status == STATUS_OK && block && hash256_equal(&block->hash, &record.hash);
    }
    store_reader_close(reader);
    return status;
}

/* ---- a file ---- */

/* The chain so far has left what was taken of it. */
static enum status leave_branch(struct ingest *ingest, struct fault *fault)
{
    uint32_t common;
    enum status status = find_common(ingest, blocks_of(ingest), &common, fault);
    file_pass_leave(&ingest->pass);
    return status == STATUS_OK ? ingest_take_back(ingest, common) : status;
}

/* Whether the store's chain is a beginning of the chain so far. */
static enum status meet(void *context, bool *is, struct fault *fault)
{
    struct ingest *ingest = context;
    struct store_totals totals = store_totals_of(ingest->store);
    *is = true;
    if (totals.blocks == 0)
        return STATUS_OK;
    const struct chain_block *block = chain_active(ingest->chain, totals.blocks - 1);
    *is = block && hash256_equal(&block->hash, &totals.tip);
    return block && !*is && totals.blocks > ingest->began ? leave_branch(ingest, fault) : STATUS_OK;
}

/* A damaged block is told of when all is known: there may be another copy of it. */
static enum status take(void *context, uint32_t end, struct fault *fault)
{
    struct ingest *ingest = context;
    struct fault what = {0};
    ingest->next = blocks_of(ingest);
    ingest->target = end;
    enum status status = ingest->next < end ? ingest_prepare(ingest) : STATUS_OK;
    if (status == STATUS_OK && ingest->next < end && outpoints_moved(ingest->table) != STATUS_OK)
        status = fault_set(fault, STATUS_FORMAT, store_path(ingest->store), FAULT_NO_OFFSET,
                           "the saved table of outpoints cannot be read any more");
    if (status != STATUS_OK)
        return status;
    timings_stage("blocks");
    while (ingest->next < end && status == STATUS_OK)
        status = stop_requested() ? stop_check(&what) : ingest_run_job(ingest, &what);
    if (status == STATUS_FORMAT) {
        ingest->pass.order.ended = true;
        return STATUS_OK;
    }
    if (status != STATUS_OK && fault)
        *fault = what;
    return status;
}

/* ---- before and after ---- */

/* A file without a block later than the store's last one has hardly any that the store has not: a scan that finds
 * nothing new reads no file. The few of an earlier date (Core: later than the median of the last 11) are read from
 * their places. */
static enum status find_since(const struct ingest *ingest, uint32_t *since)
{
    struct store_reader *reader = NULL;
    struct block_record last = {0};
    enum status status = STATUS_OK;
    if (ingest->began > 0) {
        status = store_reader_open(ingest->store, &reader, ingest->fault);
        if (status == STATUS_OK)
            status = store_block(reader, ingest->began - 1, &last, ingest->fault);
        store_reader_close(reader);
    }
    *since = ingest->began > 0 && last.time < UINT32_MAX ? last.time + 1 : last.time;
    return status;
}

/* True where no store is there, or one without blocks. */
static bool is_first_scan(const struct ingest_options *options)
{
    struct store *store = NULL;
    enum status status = store_open(options->store, STORE_READ, NULL, &store, NULL);
    bool is = status == STATUS_NOT_FOUND || (status == STATUS_OK && store_is_empty(store));
    store_close(store);
    return is;
}

enum status sequential_prepare(struct ingest *ingest)
{
    const struct ingest_options *options = ingest->options;
    ingest->pass.options = options;
    if (options->partial)
        return STATUS_OK;
    enum status status = file_pass_open(&ingest->pass, &ingest->dir, options->store, CACHE_BYTES, ingest->fault);
    if (status == STATUS_OK && ingest->pass.cache && is_first_scan(options)) {
        timings_stage("files");
        status = blk_image_load(block_cache_image(ingest->pass.cache), &ingest->dir, 0, ingest->fault);
        timings_stage("open");
    }
    return status;
}

enum status sequential_begin(struct ingest *ingest)
{
    struct file_pass *pass = &ingest->pass;
    uint32_t since;
    if (store_first_height(ingest->store) > 0) { /* a partial one */
        block_cache_free(pass->cache);
        pass->cache = NULL;
    }
    if (!pass->cache)
        return STATUS_OK;
    ingest->began = blocks_of(ingest);
    ingest->in_order = true;
    enum status status = find_since(ingest, &since);
    if (status != STATUS_OK)
        return status;
    pass->taker = (struct file_pass_taker){.next = next_of, .meet = meet, .take = take, .context = ingest};
    pass->chain = ingest->chain;
    file_pass_begin(pass, since);
    pass->order.height = ingest->began > 0 ? ingest->began - 1 : 0;
    return STATUS_OK;
}

enum status sequential_end(struct ingest *ingest, enum status status)
{
    bool refused = status == STATUS_REFUSED || status == STATUS_NOT_FOUND;
    uint32_t blocks = blocks_of(ingest), keep = ingest->began;
    enum status end = STATUS_OK;
    ingest->in_order = false;
    if (!ingest->pass.cache || (status != STATUS_OK && !refused))
        return status;
    if (status == STATUS_OK && ingest->target > keep)
        end = find_common(ingest, blocks < ingest->target ? blocks : ingest->target, &keep, ingest->fault);
    if (end == STATUS_OK && keep < blocks) {
        struct fault *fault = ingest->fault, ignored;
        ingest->fault = refused ? &ignored : fault;
        end = ingest_take_back(ingest, keep);
        ingest->fault = fault;
    }
    ingest->result->blocks_added = keep - ingest->began;
    ingest->result->bytes = status == STATUS_OK ? ingest_bytes_between(ingest, ingest->began, keep) : 0;
    return status == STATUS_OK ? end : status;
}
