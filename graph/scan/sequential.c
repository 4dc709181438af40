#include "graph/scan/sequential.h"

#include "parser/disk.h"
#include "parser/stop.h"
#include "parser/timings.h"

#define CACHE_BYTES ((uint64_t)512 << 20) /* of blocks that wait: some 300 large ones */
#define MARGIN_FIRST 12u                  /* blocks: branches that lose are shorter, as a rule */
#define MARGIN_STEP 4u
#define MARGIN_MAX (1u << 20)
#define LINK_BYTES ((uint64_t)32 << 20) /* of files */
#define LINK_PART 16u                   /* of the blocks */

static uint32_t blocks_of(const struct ingest *ingest) { return store_totals_of(ingest->store).blocks; }

/* The height after that of the last block that this scan is to take. */
static uint32_t end_of(const struct ingest *ingest)
{
    uint32_t to_height = ingest->options->to_height;
    return to_height == UINT32_MAX ? UINT32_MAX : to_height + 1;
}

static struct block_need need_of(const struct ingest *ingest)
{
    return (struct block_need){.chain = ingest->chain, .next = blocks_of(ingest), .end = end_of(ingest)};
}

void sequential_drop(struct ingest *ingest)
{
    struct block_need need = need_of(ingest);
    block_cache_drop(ingest->cache, &need);
}

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
    if (ingest->margin < MARGIN_MAX)
        ingest->margin *= MARGIN_STEP;
    return status == STATUS_OK ? ingest_take_back(ingest, common) : status;
}

/* Whether the store's chain is a beginning of the chain so far. */
static enum status is_on_chain(struct ingest *ingest, bool *is, struct fault *fault)
{
    const struct other_chain *other = ingest->options->other;
    const struct chain_block *first = chain_active(ingest->chain, 1);
    struct store_totals totals = store_totals_of(ingest->store);
    *is = !other || (first && hash256_equal(&first->hash, &other->block_1));
    if (totals.blocks == 0 || !*is)
        return STATUS_OK;
    const struct chain_block *block = chain_active(ingest->chain, totals.blocks - 1);
    *is = block && hash256_equal(&block->hash, &totals.tip);
    return block && !*is && totals.blocks > ingest->began ? leave_branch(ingest, fault) : STATUS_OK;
}

/* *end: the height up to which blocks can be taken now; 0: none. */
static enum status link_so_far(struct ingest *ingest, uint32_t *end, struct fault *fault)
{
    const struct hash256 *tip = ingest->options->tip;
    struct fault why = {0};
    bool on_chain;
    *end = 0;
    if (tip && chain_find(ingest->chain, tip) == CHAIN_NONE)
        tip = NULL;
    enum status status = chain_link(ingest->chain, tip, &why);
    if (status == STATUS_NOT_FOUND) /* the genesis block, or what leads to the tip, is in a later file */
        return STATUS_OK;
    if (status != STATUS_OK && fault)
        *fault = why;
    if (status == STATUS_OK)
        status = is_on_chain(ingest, &on_chain, fault);
    uint32_t height = chain_height(ingest->chain);
    if (status == STATUS_OK && on_chain && height >= ingest->margin)
        *end = height - ingest->margin + 1;
    if (*end > end_of(ingest))
        *end = end_of(ingest);
    return status;
}

/* A damaged block is told of when all is known: there may be another copy of it. */
static enum status take(struct ingest *ingest, uint32_t end, struct fault *fault)
{
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
        ingest->order.ended = true;
        return STATUS_OK;
    }
    if (status != STATUS_OK && fault)
        *fault = what;
    return status;
}

/* To link the chain and to look through what waits costs as much as there is of them: it is done for so many bytes or
 * a part of the blocks, so that many small files take no longer. */
static bool is_time_to_link(struct ingest *ingest)
{
    uint32_t nodes = chain_count(ingest->chain);
    ingest->unlinked_bytes += block_cache_image(ingest->cache)->size;
    if (ingest->unlinked_bytes < LINK_BYTES && nodes - ingest->linked_nodes < nodes / LINK_PART)
        return false;
    ingest->unlinked_bytes = 0;
    ingest->linked_nodes = nodes;
    return true;
}

static enum status on_file(void *context, uint32_t first_node, struct fault *fault)
{
    struct ingest *ingest = context;
    uint32_t end;
    enum status status = STATUS_OK;
    if (is_time_to_link(ingest)) {
        status = link_so_far(ingest, &end, fault);
        if (status == STATUS_OK)
            status = take(ingest, end, fault);
        sequential_drop(ingest);
    }
    struct block_need need = need_of(ingest);
    return status == STATUS_OK ? block_cache_keep(ingest->cache, &need, first_node, fault) : status;
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
    bool wanted = options->order == INGEST_BY_FILE ||
                  (options->order == INGEST_AS_SUITED && disk_is_rotational(DISK_SYSFS, ingest->dir.files[0].path));
    if (!wanted || options->partial)
        return STATUS_OK;
    uint64_t memory = options->cache_bytes ? options->cache_bytes : CACHE_BYTES;
    enum status status = block_cache_new(options->store, memory, &ingest->cache, ingest->fault);
    if (status == STATUS_OK && is_first_scan(options)) {
        timings_stage("files");
        status = blk_image_load(block_cache_image(ingest->cache), &ingest->dir, 0, ingest->fault);
        timings_stage("open");
    }
    return status;
}

enum status sequential_begin(struct ingest *ingest)
{
    if (store_first_height(ingest->store) > 0) { /* a partial one */
        block_cache_free(ingest->cache);
        ingest->cache = NULL;
    }
    if (!ingest->cache)
        return STATUS_OK;
    ingest->began = blocks_of(ingest);
    ingest->margin = MARGIN_FIRST;
    ingest->in_order = true;
    ingest->order = (struct file_order){.image = block_cache_image(ingest->cache),
                                        .changed = ingest->options->order == INGEST_BY_FILE,
                                        .height = ingest->began > 0 ? ingest->began - 1 : 0,
                                        .on_file = on_file,
                                        .context = ingest};
    return find_since(ingest, &ingest->order.since);
}

enum status sequential_end(struct ingest *ingest, enum status status)
{
    bool refused = status == STATUS_REFUSED || status == STATUS_NOT_FOUND;
    uint32_t blocks = blocks_of(ingest), keep = ingest->began;
    enum status end = STATUS_OK;
    ingest->in_order = false;
    if (!ingest->cache || (status != STATUS_OK && !refused))
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
