#include "graph/index/build.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "graph/scan/best_chain.h"
#include "graph/scan/filemap.h"
#include "graph/index/work.h"
#include "parser/mem.h"

#define DURABLE_BYTES (UINT64_C(1) << 30) /* of blocks; fewer are soon done again */
#define MEMORY_MIN (48u << 20)            /* for the arrays of a stage, whatever the limit */
#define MEMORY_FIXED (88u << 20)          /* queue, rounds of the walk, and what every program has */
#define BYTES_A_BLOCK 200u                /* of memory for each header known */
#define BYTES_A_TX 180u                   /* of blocks, fewer than any chain's average */
#define CREATORS_A_PART 40000u
#define NUMBERS_A_RANGE 65536u
#define RANGE_BYTES 96u /* of memory for each output or input of a range */

struct build {
    struct index_work work;
    struct index_result *result;
    struct store *store;
    uint8_t magic[4];
    struct hash256 genesis;
    uint32_t end;    /* height up to which the chain of the files is certain */
    uint32_t target; /* number of blocks that the index is to have */
};

static void note(const struct build *build, const char *text)
{
    const struct index_options *options = build->work.options;
    if (options->note)
        options->note(options->context, text);
}

static void report_damage(struct build *build, const struct fault *what)
{
    const struct index_options *options = build->work.options;
    build->result->damages++;
    if (options->damage)
        options->damage(options->context, what);
}

static void name_network(struct build *build)
{
    const struct network *network = network_by_magic(build->magic);
    const uint8_t *m = build->magic;
    char *name = build->result->network;
    if (network)
        snprintf(name, sizeof build->result->network, "%s", network->name);
    else
        snprintf(name, sizeof build->result->network, "signet-%02x%02x%02x%02x", m[0], m[1], m[2], m[3]);
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

static void relay_note(void *context, const char *text) { note(context, text); }

/* The scan's store remembers what is in each blk file, for both. One is made if there is none. */
static enum status open_store(struct build *build)
{
    const char *path = build->work.options->store;
    struct store_identity identity = {.genesis = build->genesis};
    memcpy(identity.magic, build->magic, sizeof identity.magic);
    struct store *store;
    if (store_open(path, STORE_READ, NULL, &store, NULL) == STATUS_OK) {
        identity.nulldata_stored = store_identity_of(store)->nulldata_stored;
        store_close(store);
    }
    return store_open(path, STORE_WRITE, &identity, &build->store, build->work.fault);
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
                                    .stop = options->stop,
                                    .progress = relay_progress,
                                    .damage = relay_damage,
                                    .note = relay_note,
                                    .context = build};
    enum status status = blkdir_open(options->datadir, options->chain, &work->dir, work->fault);
    if (status == STATUS_OK)
        status = filemap_identify(&work->dir, options->chain, build->magic, &build->genesis, work->fault);
    if (status == STATUS_OK)
        status = open_store(build);
    if (status == STATUS_OK)
        status = chain_new(&build->genesis, &work->chain, work->fault);
    struct best_chain best = {.options = &ingest,
                              .dir = &work->dir,
                              .store = build->store,
                              .chain = work->chain,
                              .genesis = build->genesis,
                              .damages = &build->result->damages};
    memcpy(best.magic, build->magic, sizeof best.magic);
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
    const struct index_state empty = {.cut_input = UINT64_MAX};
    uint8_t identity[IDENTITY_SIZE], state[STATE_SIZE];
    store_le32(identity, INDEX_VERSION);
    memcpy(identity + 4, build->magic, 4);
    memcpy(identity + 8, build->genesis.bytes, HASH256_SIZE);
    memcpy(identity + 40, build->work.seed, INDEX_SEED_SIZE);
    index_state_write(&empty, state);
    return kv_put(txn, TABLE_META, "identity", 8, identity, sizeof identity) &&
           kv_put(txn, TABLE_META, "state", 5, state, sizeof state);
}

/* How many blocks from genesis on the index and the chain have in common. */
static enum status common_blocks(const struct build *build, struct tx_index *index, uint32_t *common)
{
    const struct index_work *work = &build->work;
    uint32_t blocks = work->base.totals.blocks, end = build->end;
    enum status status = STATUS_OK;
    for (*common = blocks <= end ? blocks : end + 1; *common > 0; --*common) {
        struct index_block block;
        status = index_block_at(index, *common - 1, &block, work->fault);
        if (status != STATUS_OK || hash256_equal(&block.hash, &chain_active(work->chain, *common - 1)->hash))
            break;
    }
    return status;
}

/* Drops what is above the base in tables of fixed width: what an interrupted build, or blocks taken back, left. */
static bool cut_fixed(struct kv_txn *txn, enum index_table table, uint64_t total, size_t a_page)
{
    uint8_t key[4];
    store_be32(key, (uint32_t)((total + a_page - 1) / a_page));
    return kv_delete_from(txn, table, key, sizeof key);
}

static bool cut_keyed(struct kv_txn *txn, enum index_table table, uint64_t total)
{
    uint8_t key[5];
    store_be40(key, total);
    return kv_delete_from(txn, table, key, sizeof key);
}

/* The same of runs that `base` does not have, but for the one of this build if it is to stay. */
static bool cut_runs(struct kv_txn *txn, const struct index_state *base, enum index_table table, bool new_stays)
{
    bool stays[INDEX_RUNS_MAX + 2] = {false}; /* a build makes one run, or two */
    stays[index_free_run(base)] = new_stays;
    for (uint32_t i = 0; i < base->runs; i++)
        if (base->run[i].number < sizeof stays)
            stays[base->run[i].number] = true;
    for (uint32_t number = 0; number < sizeof stays; number++) {
        uint8_t prefix[2] = {(uint8_t)(number >> 8), (uint8_t)number};
        if (!stays[number] && !kv_delete_prefix(txn, table, prefix, sizeof prefix))
            return false;
    }
    return true;
}

static bool cut_merged(struct kv_txn *txn, void *context)
{
    return cut_runs(txn, context, TABLE_TXIDS, false) && cut_runs(txn, context, TABLE_LATE_SPENDS, false);
}

/* The same in all tables that are written after `stage`. */
static bool cut_tables(struct kv_txn *txn, const struct index_state *base, enum work_stage stage)
{
    const struct index_totals *totals = &base->totals;
    if (totals->blocks == 0 && stage <= WORK_WALKED) {
        for (unsigned table = TABLE_BLOCKS; table < INDEX_TABLE_COUNT; table++)
            if (!kv_clear(txn, table))
                return false;
        return true;
    }
    if (!cut_runs(txn, base, TABLE_TXIDS, stage > WORK_WALKED) || !cut_runs(txn, base, TABLE_LATE_SPENDS, false))
        return false;
    if (stage <= WORK_JOINED && !cut_fixed(txn, TABLE_OUTPUTS, totals->outputs, OUTPUTS_A_PAGE))
        return false;
    return cut_fixed(txn, TABLE_BLOCKS, totals->blocks, BLOCKS_A_PAGE) &&
           cut_fixed(txn, TABLE_INPUTS, totals->inputs, INPUTS_A_PAGE) && cut_keyed(txn, TABLE_TXS, totals->outputs) &&
           cut_keyed(txn, TABLE_TX_NUMBERS, totals->txs) && cut_keyed(txn, TABLE_TX_INPUTS, totals->inputs);
}

static bool cut_after_stage(struct kv_txn *txn, void *context)
{
    const struct index_work *work = context;
    return cut_tables(txn, &work->base, work->stage);
}

static bool write_base(struct kv_txn *txn, void *context)
{
    const struct index_state *base = context;
    uint8_t state[STATE_SIZE];
    index_state_write(base, state);
    return kv_put(txn, TABLE_META, "state", 5, state, sizeof state) && cut_tables(txn, base, WORK_BEGUN);
}

static enum status keep_blocks(struct build *build, struct tx_index *index, uint32_t keep)
{
    struct index_state *base = &build->work.base;
    struct block_entry entry, last;
    if (keep == base->totals.blocks)
        return STATUS_OK;
    if (keep == 0) {
        *base = (struct index_state){.cut_input = UINT64_MAX};
        return STATUS_OK;
    }
    enum status status = index_block_entry(index, keep, &entry, build->work.fault);
    if (status == STATUS_OK)
        status = index_block_entry(index, keep - 1, &last, build->work.fault);
    if (status != STATUS_OK)
        return status;
    base->totals.blocks = keep;
    base->totals.txs = entry.block.first_tx;
    base->totals.inputs = entry.first_input;
    base->totals.outputs = entry.first_output;
    base->totals.tip = last.block.hash;
    base->cut_input = entry.first_input < base->cut_input ? entry.first_input : base->cut_input;
    return STATUS_OK;
}

static uint64_t bytes_between(const struct build *build, uint32_t first, uint32_t end)
{
    uint64_t bytes = 0;
    for (uint32_t height = first; height < end && height <= chain_height(build->work.chain); height++)
        bytes += chain_active(build->work.chain, height)->size;
    return bytes;
}

/* Where the new blocks are many more than the old ones all is built anew: a join of all costs less than that many
 * look-ups. */
static bool is_worth_keeping(const struct build *build)
{
    const struct index_state *base = &build->work.base;
    return bytes_between(build, base->totals.blocks, build->target) / 2 <= bytes_between(build, 0, base->totals.blocks);
}

/* Where nothing but the genesis block is shared, the files are of a chain that was begun anew, unless they have the
 * index's first block above it on a branch that lost: then they are of a reorganisation from the first block on. */
static enum status refuse_other_chain(const struct build *build, struct tx_index *index, uint32_t common)
{
    const struct index_work *work = &build->work;
    struct index_block block;
    if (common > 1 || work->base.totals.blocks < 2 || build->end == 0)
        return STATUS_OK;
    enum status status = index_block_at(index, 1, &block, work->fault);
    uint32_t node = status == STATUS_OK ? chain_find(work->chain, &block.hash) : CHAIN_NONE;
    if (status != STATUS_OK || (node != CHAIN_NONE && chain_at(work->chain, node)->file != FILEMAP_GONE))
        return status;
    return fault_set(work->fault, STATUS_REFUSED, kv_path(work->kv), FAULT_NO_OFFSET,
                     "the index was made from another chain, which shares only the genesis block with this one: choose "
                     "another --store, or delete this one");
}

static enum status rewind_to_fork(struct build *build)
{
    struct index_work *work = &build->work;
    struct tx_index *index = NULL;
    enum status status = index_open_on(work->kv, &index, work->fault);
    if (status != STATUS_OK)
        return status;
    work->base = *index_state_of(index);
    memcpy(work->seed, index_seed_of(index), INDEX_SEED_SIZE);
    const struct index_totals totals = work->base.totals;
    uint32_t common = 0, blocks = totals.blocks, keep = blocks;
    if (memcmp(totals.magic, build->magic, 4) != 0 || !hash256_equal(&totals.genesis, &build->genesis))
        status = fault_set(work->fault, STATUS_REFUSED, kv_path(work->kv), FAULT_NO_OFFSET,
                           "the index is of another network: choose another --store");
    if (status == STATUS_OK)
        status = common_blocks(build, index, &common);
    if (status == STATUS_OK)
        status = refuse_other_chain(build, index, common);
    if (status == STATUS_OK) {
        bool shorter = common == build->end + 1 && !work->options->tip;
        if (shorter) /* blk files are gone or damaged: what the index holds stays right */
            build->target = work->options->to_height < blocks ? work->options->to_height + 1
                            : blocks > common                 ? blocks
                                                              : build->target;
        keep = shorter ? blocks : common;
        keep = keep > build->target ? build->target : keep;
        status = keep_blocks(build, index, keep);
    }
    index_close(index);
    if (status != STATUS_OK)
        return status;
    build->result->blocks_removed = blocks - keep;
    char text[160];
    snprintf(text, sizeof text, "taking back %u blocks, from height %u on", blocks - keep, keep);
    if (keep < blocks)
        note(build, text);
    bool anew = keep > 0 && build->target > keep && !is_worth_keeping(build);
    if (anew)
        work->base = (struct index_state){.cut_input = UINT64_MAX};
    return anew || keep < blocks ? kv_write(work->kv, 0, write_base, &work->base, work->fault) : STATUS_OK;
}

/* ---- the stages ---- */

/* Of the index's own, wherever it lies: what an interrupted build left is found again. */
static enum status name_folder(struct build *build)
{
    struct index_work *work = &build->work;
    const struct index_options *options = work->options;
    int size = options->tmp ? snprintf(work->folder, sizeof work->folder, "%s/unktx-index-%08x", options->tmp,
                                       load_le32(build->work.seed))
                            : snprintf(work->folder, sizeof work->folder, "%s/tio/tmp", options->store);
    if (size < 0 || (size_t)size >= sizeof work->folder)
        return fault_set(work->fault, STATUS_LIMIT, NULL, FAULT_NO_OFFSET,
                         "the path of the temporary folder is too long");
    return STATUS_OK;
}

/* In a folder that others may write to, somebody could have put a link or a folder of his there. */
static enum status make_folder(const struct index_work *work)
{
    struct stat info;
    if (mkdir(work->folder, 0700) == 0)
        return STATUS_OK;
    if (errno != EEXIST || lstat(work->folder, &info) != 0)
        return fault_errno(work->fault, work->folder, FAULT_NO_OFFSET, "cannot create a folder for temporary files");
    if (S_ISDIR(info.st_mode) && info.st_uid == geteuid())
        return STATUS_OK;
    return fault_set(
        work->fault, STATUS_REFUSED, work->folder, FAULT_NO_OFFSET,
        "is to be a folder for temporary files, but is no folder of yours: remove it, or give another --tmp");
}

/* With all that is in it: also what a build left that was killed. */
static void remove_folder(const struct index_work *work)
{
    work_empty_folder(work);
    rmdir(work->folder);
}

static enum status open_stream(struct index_work *work, const char *name, int *fd)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", work->folder, name);
    *fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    return *fd >= 0 ? STATUS_OK : fault_errno(work->fault, path, FAULT_NO_OFFSET, "cannot create a temporary file");
}

static enum status open_spill(struct index_work *work, struct spill_shape shape, struct spill **spill)
{
    shape.folder = work->folder;
    shape.workers = work->options->threads;
    shape.buffer = work_buffer(work, shape.parts);
    return spill_new(&shape, spill, work->fault);
}

static enum status begin_walk(struct build *build)
{
    struct index_work *work = &build->work;
    const struct index_totals *base = &work->base.totals;
    work->blocks = mem_alloc(work->end - work->first + 1, sizeof *work->blocks);
    if (!work->blocks)
        return fault_nomem(work->fault);
    work->blocks[0] = (struct work_block){base->txs, base->inputs, base->outputs};
    work->walked = work->first;
    uint64_t creators = bytes_between(build, work->first, work->end) / BYTES_A_TX;
    unsigned parts = work_parts(creators, (uint64_t)WORK_CREATOR_BYTES * work->options->threads, work->memory,
                                CREATORS_A_PART);
    work->part_bits = 1;
    while (1u << work->part_bits < parts)
        work->part_bits++;
    /* With 40 more bits few hashes are alike. Beside an older index, where those are far apart, all 64 are kept. */
    work->key_bits = 40;
    if (base->blocks > 0) {
        work->part_bits = 8;
        work->key_bits = 56;
    }
    struct spill_shape shape = {
        .name = "spenders", .parts = 1u << work->part_bits, .key_size = work->key_bits / 8, .extra = true};
    enum status status = work_alloc_sums(work);
    if (status == STATUS_OK)
        status = open_stream(work, "txs", &work->txs_fd);
    if (status == STATUS_OK)
        status = open_stream(work, "outs", &work->outs_fd);
    if (status == STATUS_OK)
        status = open_spill(work, shape, &work->spenders);
    shape.name = "creators";
    shape.check = true;
    return status == STATUS_OK ? open_spill(work, shape, &work->creators) : status;
}

/* Bytes that a number below `range` needs. */
static unsigned bytes_of(uint64_t range)
{
    unsigned bytes = 1;
    while ((range - 1) >> 8 * bytes > 0)
        bytes++;
    return bytes;
}

static enum status begin_join(struct build *build)
{
    struct index_work *work = &build->work;
    uint64_t each = (uint64_t)RANGE_BYTES * work->options->threads, memory = work->memory / 2;
    uint64_t outputs = work_outputs(work), inputs = work_inputs(work), older = work->base.totals.outputs;
    unsigned out_parts = work_parts(outputs, each, memory, NUMBERS_A_RANGE);
    unsigned in_parts = work_parts(inputs, each, memory, NUMBERS_A_RANGE);
    unsigned later_parts = work_parts(inputs, 64, memory, 1u << 20);
    work->out_range = outputs / out_parts + 1;
    work->in_range = inputs / in_parts + 1;
    work->late_range = older / later_parts + 1;
    spill_end_adding(work->creators);
    spill_end_adding(work->spenders);
    struct spill_shape links = {.name = "links", .parts = out_parts, .key_size = bytes_of(work->out_range)},
                       values = {.name = "values",
                                 .parts = in_parts,
                                 .key_size = bytes_of(work->in_range),
                                 .extra = true},
                       later = {.name = "later", .parts = later_parts, .key_size = 5};
    enum status status = open_spill(work, links, &work->links);
    if (status == STATUS_OK)
        status = open_spill(work, values, &work->values);
    return status == STATUS_OK ? open_spill(work, later, &work->late_spends) : status;
}

/* A prevout that does not exist was taken for a transaction with the same hash: back to where the join began. */
static enum status take_join_back(struct build *build)
{
    struct index_work *work = &build->work;
    struct spill **spills[] = {&work->links, &work->values, &work->late_spends};
    for (size_t i = 0; i < sizeof spills / sizeof *spills; i++) {
        spill_free(*spills[i]);
        *spills[i] = NULL;
    }
    work->late_count = 0;
    work->unsure = false;
    note(build, "joining again: full txids settle spends whose hashes deceive");
    return kv_write(work->kv, 0, cut_after_stage, work, work->fault);
}

static bool write_state(struct kv_txn *txn, void *context)
{
    uint8_t bytes[STATE_SIZE];
    index_state_write(context, bytes);
    return kv_put(txn, TABLE_META, "state", 5, bytes, sizeof bytes);
}

/* From here on readers see the new blocks. */
static enum status finish(struct build *build)
{
    struct index_work *work = &build->work;
    const struct work_block *end = work_end(work);
    struct index_state state = work->base;
    state.totals.blocks = work->end;
    state.totals.txs = end->first_tx;
    state.totals.inputs = end->first_input;
    state.totals.outputs = end->first_output;
    state.totals.tip = chain_active(work->chain, work->end - 1)->hash;
    state.run[state.runs++] = (struct index_run){index_free_run(&work->base),
                                                 end->first_tx - work->blocks[0].first_tx + work->late_count};
    state.late_spends += work->late_count;
    enum status status = index_merge(work, &state);
    if (status == STATUS_OK)
        status = kv_write(work->kv, 0, write_state, &state, work->fault);
    if (status != STATUS_OK)
        return status;
    bool merged = state.runs <= work->base.runs;
    work->base = state;
    return merged ? kv_write(work->kv, 0, cut_merged, &state, work->fault) : STATUS_OK;
}

static void close_stream(struct index_work *work, const char *name, int *fd, bool keep)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", work->folder, name);
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
    if (!keep)
        unlink(path);
}

/* Closes the files of all stages, and deletes them unless they are there to go on from. */
static void close_stages(struct index_work *work, bool keep)
{
    struct spill **spills[] = {&work->creators, &work->spenders, &work->links, &work->values, &work->late_spends};
    for (size_t i = 0; i < sizeof spills / sizeof *spills; i++) {
        (keep ? spill_close : spill_free)(*spills[i]);
        *spills[i] = NULL;
    }
    close_stream(work, "txs", &work->txs_fd, keep);
    close_stream(work, "outs", &work->outs_fd, keep);
    if (!keep)
        work_empty_folder(work);
    mem_free(work->blocks);
    mem_free(work->sums);
    mem_free(work->exact);
    work->blocks = NULL;
    work->sums = NULL;
    work->exact = NULL;
    work->unsure = false;
    work->txs_size = work->late_count = 0;
    work->stage = WORK_BEGUN;
}

static enum status walk(struct build *build)
{
    enum status status = build->work.stage < WORK_WALKING ? begin_walk(build) : STATUS_OK;
    if (status == STATUS_OK)
        status = index_walk(&build->work);
    return status == STATUS_OK ? work_save_checkpoint(&build->work, WORK_WALKED) : status;
}

static enum status join(struct build *build)
{
    struct index_work *work = &build->work;
    enum status status = STATUS_OK;
    do {
        if (work->unsure)
            status = take_join_back(build);
        if (status == STATUS_OK)
            status = begin_join(build);
        if (status == STATUS_OK)
            status = index_join(work);
    } while (status == STATUS_OK && work->unsure);
    if (status == STATUS_OK)
        status = work_save_checkpoint(work, WORK_JOINED);
    if (status != STATUS_OK)
        return status;
    spill_free(work->creators);
    spill_free(work->spenders);
    work->creators = work->spenders = NULL;
    return STATUS_OK;
}

static enum status build_outputs(struct index_work *work)
{
    enum status status = index_build_outputs(work);
    if (status == STATUS_OK)
        status = work_save_checkpoint(work, WORK_OUTPUTS_BUILT);
    if (status != STATUS_OK)
        return status;
    spill_free(work->links);
    work->links = NULL;
    close_stream(work, "outs", &work->outs_fd, false);
    return STATUS_OK;
}

/* All stages that are not finished. */
static enum status run_stages(struct build *build)
{
    struct index_work *work = &build->work;
    uint32_t end = work->end;
    work->bad_height = UINT32_MAX;
    work->bad_bytes = false;
    work->durable = bytes_between(build, work->first, work->end) >= DURABLE_BYTES || work->options->checkpoint_blocks;
    if (!work_load_checkpoint(work)) {
        close_stages(work, false);
        work->end = end;
    } else {
        note(build, "going on from where an interrupted build was");
    }
    enum status status = kv_write(work->kv, 0, cut_after_stage, work, work->fault);
    if (status == STATUS_OK && work->stage < WORK_WALKED)
        status = walk(build);
    if (status == STATUS_OK && work->stage < WORK_JOINED)
        status = join(build);
    if (status == STATUS_OK && work->stage < WORK_OUTPUTS_BUILT)
        status = build_outputs(work);
    if (status == STATUS_OK)
        status = index_build_txs(work);
    if (status == STATUS_OK)
        status = finish(build);
    /* what is damaged is nothing to go on from */
    close_stages(work, status != STATUS_OK && status != STATUS_FORMAT && work->bad_height == UINT32_MAX);
    return status;
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
    enum status status = make_folder(work);
    work->fault = &what;
    while (status == STATUS_OK && work->base.totals.blocks < build->target) {
        work->first = work->base.totals.blocks;
        work->end = build->target;
        status = run_stages(build);
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
    rmdir(work->folder); /* stays where there is something to go on from */
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
    name_network(build);
    char path[4096];
    int size = snprintf(path, sizeof path, "%s/tio", work->options->store);
    if (size < 0 || (size_t)size >= sizeof path)
        return fault_set(work->fault, STATUS_LIMIT, NULL, FAULT_NO_OFFSET, "the path of the index is too long");
    if (getrandom(build->work.seed, sizeof build->work.seed, 0) != (ssize_t)sizeof build->work.seed)
        return fault_errno(work->fault, path, FAULT_NO_OFFSET, "no random numbers");
    status = kv_open(path, KV_WRITE, &index_words, index_table_names, INDEX_TABLE_COUNT, create, build, &work->kv,
                     work->fault);
    if (status == STATUS_OK)
        status = rewind_to_fork(build);
    if (status != STATUS_OK)
        return status;
    index_hasher_init(&work->hasher, build->work.seed);
    work->memory = memory_left(build);
    uint32_t before = work->base.totals.blocks;
    status = name_folder(build);
    if (status == STATUS_OK && build->target > before)
        status = add_blocks(build);
    if (status == STATUS_OK)
        remove_folder(work);
    build->result->blocks_added = work->base.totals.blocks - before;
    build->result->bytes = bytes_between(build, before, work->base.totals.blocks);
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
