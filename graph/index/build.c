#include "graph/index/build.h"

#include <stdio.h>
#include <sys/random.h>
#include <unistd.h>

#include "graph/scan/best_chain.h"
#include "graph/index/rewind.h"
#include "graph/scan/filemap.h"
#include "parser/mem.h"

#define MEMORY_FIXED (88u << 20) /* queue, windows of the walk, and what every program has */
#define MEMORY_MIN (48u << 20)   /* for the arrays of a stage, whatever the limit */
#define BYTES_A_BLOCK 200u       /* of memory for each header known */

struct build {
    struct index_work work;
    struct index_result *result;
    struct store *store;
    struct index_identity identity; /* of the chain */
    uint32_t end;                   /* height up to which the chain of the files is certain */
    uint32_t target;                /* number of blocks that the index is to have */
};

static void report_damage(struct build *build, const struct fault *what)
{
    const struct index_options *options = build->work.options;
    build->result->damages++;
    if (options->damage)
        options->damage(options->context, what);
}

/* ---- the chain ---- */

static void relay_progress(void *context, const struct ingest_progress *progress)
{
    const struct build *build = context;
    work_progress(&build->work, INDEX_HEADERS, progress->done, progress->total);
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
    const char *path = build->work.options->store;
    struct store_identity identity = {.genesis = build->identity.genesis};
    memcpy(identity.magic, build->identity.magic, sizeof identity.magic);
    struct store *store;
    unsigned first = 0;
    bool empty = true;
    if (store_open(path, STORE_READ, NULL, &store, NULL) == STATUS_OK) {
        identity.nulldata_stored = store_identity_of(store)->nulldata_stored;
        first = store_first_height(store);
        empty = store_is_empty(store);
        store_close(store);
    }
    if (first > 0 && !empty)
        return fault_set(build->work.fault, STATUS_REFUSED, path, FAULT_NO_OFFSET,
                         "the store there is partial, it begins at height %u, and an index is of the whole chain: "
                         "choose another --store, which takes all blk files from the genesis block on",
                         first);
    enum status status = store_open(path, STORE_WRITE, &identity, &build->store, build->work.fault);
    if (status == STATUS_OK && first > 0)
        status = store_begin_at(build->store, 0, NULL, build->work.fault);
    return status;
}

static enum status load_chain(struct build *build)
{
    struct index_work *work = &build->work;
    const struct index_options *options = work->options;
    struct ingest_options ingest = {.datadir = options->datadir,
                                    .chain = options->chain,
                                    .store = options->store,
                                    .threads = options->threads,
                                    .to_height = options->to_height,
                                    .tip = options->tip,
                                    .other = options->other,
                                    .progress = relay_progress,
                                    .damage = relay_damage,
                                    .message = relay_message,
                                    .context = build};
    enum status status = blkdir_open_with_key(options->datadir, options->chain, options->xor_key, &work->dir,
                                              work->fault);
    if (status == STATUS_OK)
        status = filemap_identify(&work->dir, options->chain, NULL, build->identity.magic, &build->identity.genesis,
                                  work->fault);
    if (status == STATUS_OK)
        status = open_store(build);
    if (status == STATUS_OK)
        status = chain_new(&build->identity.genesis, &work->chain, work->fault);
    struct best_chain best = {.options = &ingest,
                              .dir = &work->dir,
                              .store = build->store,
                              .chain = work->chain,
                              .genesis = build->identity.genesis,
                              .damages = &build->result->damages};
    memcpy(best.magic, build->identity.magic, sizeof best.magic);
    if (status == STATUS_OK)
        status = best_chain_find(&best, work->fault);
    if (status == STATUS_OK)
        status = store_commit(build->store, work->fault);
    store_close(build->store);
    build->store = NULL;
    build->end = best.end;
    build->target = (options->to_height < build->end ? options->to_height : build->end) + 1;
    return status;
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
    return kv_put(txn, TABLE_META, "identity", 8, identity, sizeof identity) &&
           kv_put(txn, TABLE_META, "state", 5, state, sizeof state);
}

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
        work->first = work->base.totals.blocks;
        work->end = build->target;
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
    rmdir(work->folder); /* only if there is one and it is empty: else the next build goes on from what it holds */
    return status;
}

static uint64_t memory_left(const struct build *build)
{
    uint64_t used = MEMORY_FIXED + (uint64_t)BYTES_A_BLOCK * chain_count(build->work.chain),
             all = build->work.options->memory;
    return all > used + MEMORY_MIN ? all - used : MEMORY_MIN;
}

static enum status run(struct build *build)
{
    struct index_work *work = &build->work;
    enum status status = load_chain(build);
    if (status != STATUS_OK)
        return status;
    network_label(build->identity.magic, build->result->network);
    char path[4096];
    int size = snprintf(path, sizeof path, "%s/tio", work->options->store);
    if (size < 0 || (size_t)size >= sizeof path)
        return fault_set(work->fault, STATUS_LIMIT, NULL, FAULT_NO_OFFSET, "the path of the index is too long");
    if (getrandom(build->work.seed, sizeof build->work.seed, 0) != (ssize_t)sizeof build->work.seed)
        return fault_errno(work->fault, path, FAULT_NO_OFFSET, "no random numbers");
    status = kv_open(path, KV_NEW, &index_words, index_table_names, INDEX_TABLE_COUNT, create, build, &work->kv,
                     work->fault);
    struct fork fork = {.end = build->end, .target = build->target};
    if (status == STATUS_OK)
        status = index_rewind_to_fork(work, &build->identity, &fork);
    if (status != STATUS_OK)
        return status;
    build->target = fork.target;
    build->result->blocks_removed = fork.blocks - fork.keep;
    index_hasher_init(&work->hasher, build->work.seed);
    work->memory = memory_left(build);
    uint32_t before = work->base.totals.blocks;
    status = index_name_folder(work);
    if (status == STATUS_OK && build->target > before)
        status = add_blocks(build);
    if (status == STATUS_OK)
        status = kv_finish(work->kv, work->fault);
    if (status == STATUS_OK)
        index_remove_folder(work);
    build->result->blocks_added = work->base.totals.blocks - before;
    build->result->bytes = work_bytes(work, before, work->base.totals.blocks);
    return status;
}

enum status index_build(const struct index_options *options, struct index_result *result, struct fault *fault)
{
    struct build *build = mem_alloc(1, sizeof *build);
    *result = (struct index_result){0};
    if (!build)
        return fault_nomem(fault);
    build->result = result;
    build->work.options = options;
    build->work.fault = fault;
    build->work.queue.work = &build->work;
    build->work.txs_fd = build->work.outs_fd = -1;
    enum status status = run(build);
    const struct index_totals *totals = &build->work.base.totals;
    result->height = totals->blocks > 0 ? totals->blocks - 1 : 0;
    result->tip = totals->tip;
    kv_close(build->work.kv);
    chain_free(build->work.chain);
    blkdir_free(&build->work.dir);
    mem_free(build);
    return status;
}
