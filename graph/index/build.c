#include "graph/index/build.h"

#include <stdio.h>
#include <sys/random.h>
#include <unistd.h>

#include "graph/scan/best_chain.h"
#include "graph/index/early_walk.h"
#include "graph/index/rewind.h"
#include "graph/scan/filemap.h"
#include "parser/mem.h"

#define MEMORY_FIXED (88u << 20) /* queue, windows of the walk, and what every program has */
#define MEMORY_MIN (48u << 20)   /* for the arrays of a stage, whatever the limit */
#define BYTES_A_BLOCK 200u       /* of memory for each header known */
#define BLOCK_BYTES (512u << 10) /* of files for each header, before they are known: fewer than mainnet has */
#define ROOM ((size_t)128 << 20) /* of the heap: for windows, the queue, LMDB's pages and the arrays of a stage */

struct build {
    struct index_work work;
    struct index_result *result;
    struct early_walk early;
    struct index_identity identity; /* of the chain */
    struct other_chain store_chain;
    uint32_t end;    /* height up to which the chain of the files is certain */
    uint32_t target; /* number of blocks that the index is to have */
};

static void report_damage(struct build *build, const struct fault *what)
{
    const struct index_options *options = build->work.options;
    build->result->damages++;
    if (options->damage)
        options->damage(options->context, what);
}

/* ---- the index ---- */

static bool create(struct kv_txn *txn, void *context)
{
    const struct build *build = context;
    const struct index_state empty = index_state_empty();
    uint8_t identity[IDENTITY_SIZE], state[STATE_SIZE];
    store_le32(identity, INDEX_VERSION);
    memcpy(identity + 4, build->identity.magic, 4);
    memcpy(identity + 8, build->identity.genesis.bytes, HASH256_SIZE);
    memcpy(identity + 40, build->work.seed, INDEX_SEED_SIZE);
    index_state_write(&empty, state);
    return index_put(txn, TABLE_META, "identity", 8, identity, sizeof identity) &&
           index_put(txn, TABLE_META, "state", 5, state, sizeof state);
}

static enum status open_index(struct build *build)
{
    struct index_work *work = &build->work;
    char path[4096];
    int size = snprintf(path, sizeof path, "%s/tio", work->options->store);
    if (size < 0 || (size_t)size >= sizeof path)
        return fault_set(work->fault, STATUS_LIMIT, NULL, FAULT_NO_OFFSET, "the path of the index is too long");
    if (getrandom(work->seed, sizeof work->seed, 0) != (ssize_t)sizeof work->seed ||
        getrandom(work->number, sizeof work->number, 0) != (ssize_t)sizeof work->number)
        return fault_errno(work->fault, path, FAULT_NO_OFFSET, "no random numbers");
    return kv_open(path, KV_NEW, &index_words, index_table_names, INDEX_TABLE_COUNT, create, build, &work->kv,
                   work->fault);
}

static uint64_t memory_left(const struct build *build, uint64_t blocks)
{
    uint64_t used = MEMORY_FIXED + BYTES_A_BLOCK * blocks, all = build->work.options->memory;
    return all > used + MEMORY_MIN ? all - used : MEMORY_MIN;
}

/* ---- the chain ---- */

static void relay_progress(void *context, const struct ingest_progress *progress)
{
    const struct build *build = context;
    enum index_stage stage = progress->stage == INGEST_FILES ? INDEX_FILES : INDEX_HEADERS;
    work_progress(&build->work, stage, progress->done, progress->total);
}

static void relay_damage(void *context, const struct fault *what)
{
    const struct build *build = context;
    if (build->work.options->damage)
        build->work.options->damage(build->work.options->context, what);
}

static void relay_message(void *context, const char *text)
{
    const struct build *build = context;
    work_message(&build->work, text);
}

/* The scan's store remembers what is in each blk file, for scans and indexes. One is made if there is none. */
static enum status open_store(struct build *build)
{
    const struct index_options *options = build->work.options;
    const char *path = options->store;
    struct store_identity identity = {.genesis = build->identity.genesis, .nulldata_any = true};
    memcpy(identity.magic, build->identity.magic, sizeof identity.magic);
    enum status status = store_open(path, STORE_WRITE, &identity, &build->work.store, build->work.fault);
    if (status != STATUS_OK)
        return status;
    unsigned first = store_first_height(build->work.store);
    if (first > 0 && !store_is_empty(build->work.store))
        return fault_set(build->work.fault, STATUS_REFUSED, path, FAULT_NO_OFFSET,
                         "the store there is partial, it begins at height %u, and an index is of the whole chain: "
                         "choose another --store, which takes all blk files from the genesis block on",
                         first);
    if (first > 0)
        status = store_begin_at(build->work.store, 0, NULL, build->work.fault);
    return status == STATUS_OK && options->opened ? options->opened(options->context, build->work.fault) : status;
}

/* A disk that an interrupted build without --tmp has filled has no room for the store's next commit either. The index
 * is open before its folder is emptied: else another build could be at work there. A tip that was asked for may be none
 * of the chain, and nothing is deleted for a command that is refused: then room is made once the headers are known. */
static enum status make_room(struct build *build)
{
    struct index_work *work = &build->work;
    if (!index_left_own_folder(work))
        return STATUS_OK;
    enum status status = work->kv ? STATUS_OK : open_index(build);
    if (status == STATUS_OK)
        status = index_refuse_other_network(work, &build->identity);
    if (status == STATUS_OK)
        index_drop_own_folder(work);
    return status;
}

/* Where the files are read in their order the index is open before that, and what can be walked is. */
static enum status find_chain(struct build *build, const struct ingest_options *options)
{
    struct index_work *work = &build->work;
    struct early_walk *early = &build->early;
    bool is_early = early->pass.cache != NULL;
    struct best_chain best = {.options = options,
                              .dir = &work->dir,
                              .store = work->store,
                              .chain = work->chain,
                              .genesis = build->identity.genesis,
                              .order = is_early ? &early->pass.order : NULL,
                              .damages = &build->result->damages};
    memcpy(best.magic, build->identity.magic, sizeof best.magic);
    enum status status = is_early && !work->kv ? open_index(build) : STATUS_OK;
    if (status == STATUS_OK && is_early)
        status = early_walk_begin(early);
    if (status == STATUS_OK)
        status = best_chain_find(&best, work->fault);
    if (status == STATUS_OK && options->tip)
        status = make_room(build);
    if (is_early)
        status = early_walk_end(early, status);
    build->end = best.end;
    build->target = (options->to_height < build->end ? options->to_height : build->end) + 1;
    return status;
}

static uint64_t headers_to_come(const struct blkdir *dir)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < dir->count; i++)
        bytes += dir->files[i].size;
    return bytes / BLOCK_BYTES;
}

static enum status load_chain(struct build *build, struct ingest_options *options)
{
    struct index_work *work = &build->work;
    enum status status = blkdir_open_with_key(options->datadir, options->chain, options->xor_key, &work->dir,
                                              work->fault);
    if (status == STATUS_OK)
        status = filemap_identify(&work->dir, options->chain, NULL, build->identity.magic, &build->identity.genesis,
                                  work->fault);
    if (status == STATUS_OK && !options->tip)
        status = make_room(build);
    if (status == STATUS_OK)
        status = open_store(build);
    if (status == STATUS_OK && !options->other)
        options->other = best_chain_of_store(work->store, &build->store_chain);
    if (status == STATUS_OK)
        status = chain_new(&build->identity.genesis, &work->chain, work->fault);
    if (status == STATUS_OK) {
        work->memory = memory_left(build, headers_to_come(&work->dir));
        status = early_walk_open(&build->early, work, options);
    }
    if (status == STATUS_OK)
        status = find_chain(build, options);
    if (status == STATUS_OK)
        status = store_commit(work->store, work->fault);
    store_close(work->store);
    work->store = NULL;
    return status;
}

/* ---- the stages ---- */

/* A node that was killed may have written the damaged block a second time. */
static bool has_other_copy(struct index_work *work)
{
    uint32_t node = chain_find(work->chain, &chain_active(work->chain, work->bad_height)->hash);
    return work->bad_bytes && chain_next_copy(work->chain, node);
}

/* A chain with a block that cannot be right ends before it. */
static enum status add_blocks(struct build *build)
{
    struct index_work *work = &build->work;
    struct fault *fault = work->fault, what = {0};
    enum status status = STATUS_OK;
    work->fault = &what;
    while (status == STATUS_OK && work->base.totals.blocks < build->target) {
        if (!work->open) { /* else they go on from what was walked while the files were read */
            work->first = work->base.totals.blocks;
            work->end = build->target;
        }
        status = index_run_stages(work);
        if (status == STATUS_FORMAT && work->bad_height != UINT32_MAX) {
            if (!has_other_copy(work)) {
                report_damage(build, &what);
                build->target = work->bad_height;
            }
            what = (struct fault){0};
            status = STATUS_OK;
        }
    }
    work->fault = fault;
    if (status != STATUS_OK && fault && what.status != STATUS_OK)
        *fault = what;
    return status;
}

/* What the index keeps, and what is to be added to it. */
static enum status find_base(struct build *build)
{
    struct index_work *work = &build->work;
    struct fork fork = {.end = build->end, .target = build->target};
    enum status status = work->kv ? STATUS_OK : open_index(build);
    if (status == STATUS_OK)
        status = index_rewind_to_fork(work, &build->identity, &fork);
    if (status != STATUS_OK)
        return status;
    build->target = fork.target;
    build->result->blocks_removed = fork.blocks - fork.keep;
    index_hasher_init(&work->hasher, work->seed);
    work->memory = memory_left(build, chain_count(work->chain));
    return index_name_folder(work);
}

static enum status run(struct build *build, struct ingest_options *options)
{
    struct index_work *work = &build->work;
    enum status status = load_chain(build, options);
    if (status != STATUS_OK)
        return status;
    network_label(build->identity.magic, build->result->network);
    status = find_base(build);
    uint32_t before = work->base.totals.blocks;
    if (status == STATUS_OK)
        status = early_walk_settle(&build->early, build->target);
    if (status == STATUS_OK && build->target > before)
        status = add_blocks(build);
    if (status == STATUS_OK)
        status = kv_finish(work->kv, work->fault);
    if (status == STATUS_OK) {
        work_goes_on(work, true);
        index_remove_folder(work);
    }
    build->result->blocks_added = work->base.totals.blocks - before;
    build->result->bytes = work_bytes(work, before, work->base.totals.blocks);
    return status;
}

enum status index_build(const struct index_options *options, struct index_result *result, struct fault *fault)
{
    struct build *build = mem_alloc(1, sizeof *build);
    struct ingest_options ingest = {.datadir = options->datadir,
                                    .chain = options->chain,
                                    .xor_key = options->xor_key,
                                    .store = options->store,
                                    .threads = options->threads,
                                    .to_height = options->to_height,
                                    .tip = options->tip,
                                    .other = options->other,
                                    .progress = relay_progress,
                                    .damage = relay_damage,
                                    .message = relay_message,
                                    .context = build,
                                    .order = options->order,
                                    .cache_bytes = options->cache_bytes};
    *result = (struct index_result){0};
    if (!build)
        return fault_nomem(fault);
    mem_keep(ROOM);
    build->result = result;
    build->work.options = options;
    build->work.fault = fault;
    build->work.queue.work = &build->work;
    for (size_t i = 0; i < WORK_STREAMS; i++)
        build->work.streams[i] = -1;
    enum status status = run(build, &ingest);
    const struct index_totals *totals = &build->work.base.totals;
    result->height = totals->blocks > 0 ? totals->blocks - 1 : 0;
    result->tip = totals->tip;
    early_walk_close(&build->early, status);
    result->goes_on = result->blocks_added > 0 || (*build->work.folder && work_checkpoint_end(&build->work) > 0);
    rmdir(build->work.folder); /* only if it is empty: else the next build goes on from what it holds */
    kv_close(build->work.kv);
    chain_free(build->work.chain);
    blkdir_free(&build->work.dir);
    mem_free(build);
    return status;
}
