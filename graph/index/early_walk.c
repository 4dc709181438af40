#include "graph/index/early_walk.h"

#include "graph/test_hooks.h"
#include "parser/timings.h"

#define CACHE_MAX ((uint64_t)512 << 20) /* of blocks that wait */
#define CACHE_MIN ((uint64_t)4 << 20)

static uint32_t next_of(const void *context)
{
    const struct index_work *work = ((const struct early_walk *)context)->work;
    return work->open ? work->walked : work->base.totals.blocks;
}

/* ---- while they are read ---- */

/* What was walked is dropped. */
static void drop(struct early_walk *early)
{
    index_close_stages(early->work, false);
    early->checkpoint = 0;
    early->tip = early->work->base.totals.tip;
}

static void give_up(struct early_walk *early)
{
    early->over = true;
    early->pass.order.ended = true;
}

/* Whether what was walked, or is in the index, is a beginning of the chain so far. */
static enum status meet(void *context, bool *is, struct fault *fault)
{
    struct early_walk *early = context;
    struct index_work *work = early->work;
    uint32_t next = next_of(early);
    (void)fault;
    const struct chain_block *last = next > 0 ? chain_active(work->chain, next - 1) : NULL;
    *is = next == 0 || (last && hash256_equal(&last->hash, &early->tip));
    if (last && !*is && work->open) {
        drop(early);
        file_pass_leave(&early->pass);
    }
    return STATUS_OK;
}

/* Whether the stages can begin, with the chain so far up to `end`. An index that is small against what is to come may
 * be made anew: whether it is shows at the end. */
static bool may_begin(struct early_walk *early, uint32_t end)
{
    struct index_work *work = early->work;
    uint32_t blocks = work->base.totals.blocks;
    if (blocks == 0)
        return end >= early->checkpoint;
    if (end < early->checkpoint || work_bytes(work, blocks, end) <= index_few_bytes)
        return false;
    uint64_t bytes = work_bytes(work, 0, blocks);
    work->to_come = early->files > bytes ? early->files - bytes : 0;
    if (work->to_come / 2 > bytes)
        give_up(early);
    return !early->over;
}

static enum status begin(struct early_walk *early, uint32_t end)
{
    struct index_work *work = early->work;
    work->first = work->base.totals.blocks;
    work->end = end;
    enum status status = index_begin_stages(work);
    early->resumed = work->walked > work->first;
    if (status == STATUS_OK && early->resumed)
        early->tip = chain_active(work->chain, work->walked - 1)->hash;
    if (work->stage > WORK_WALKING)
        give_up(early);
    return status;
}

/* A damaged block is told of when all is known: there may be another copy of it. */
static enum status walk(struct early_walk *early, uint32_t end, struct fault *fault)
{
    struct index_work *work = early->work;
    struct fault *told = work->fault, what = {0};
    timings_stage("walk");
    work->fault = &what;
    enum status status = index_extend_stages(work, end);
    if (status == STATUS_OK)
        status = index_walk_some(work);
    work->fault = told;
    if (status == STATUS_FORMAT && work->bad_height != UINT32_MAX) {
        drop(early);
        give_up(early);
        return STATUS_OK;
    }
    if (status != STATUS_OK && fault && what.status != STATUS_OK)
        *fault = what;
    if (status == STATUS_OK)
        early->tip = chain_active(work->chain, work->walked - 1)->hash;
    return status;
}

static enum status take(void *context, uint32_t end, struct fault *fault)
{
    struct early_walk *early = context;
    struct index_work *work = early->work;
    enum status status = STATUS_OK;
    if (early->over || end <= next_of(early))
        return STATUS_OK;
    if (!work->open && may_begin(early, end))
        status = begin(early, end);
    return status == STATUS_OK && work->open && !early->over ? walk(early, end, fault) : status;
}

/* ---- before the files are read ---- */

/* Bytes for blocks that wait, beside as many as half of them that are brought back, a file and the buffers of the walk;
 * 0: there is no room. */
static uint64_t cache_bytes(const struct index_work *work)
{
    uint64_t room = index_memory_beside_files(work), used = room / 8, file = 0;
    for (size_t i = 0; i < work->dir.count; i++)
        if (work->dir.files[i].size > file && work->dir.files[i].size <= BLK_IMAGE_MAX)
            file = work->dir.files[i].size;
    used += file;
    uint64_t bytes = used < room ? (room - used) / 3 * 2 : 0;
    return bytes < CACHE_MIN ? 0 : bytes < CACHE_MAX ? bytes : CACHE_MAX;
}

enum status early_walk_open(struct early_walk *early, struct index_work *work, const struct ingest_options *options)
{
    const char *folder = work->options->tmp ? work->options->tmp : work->options->store;
    early->work = work;
    early->pass.options = options;
    for (size_t i = 0; i < work->dir.count; i++)
        early->files += work->dir.files[i].size;
    work->to_come = early->files;
    uint64_t bytes = cache_bytes(work);
    enum status status = STATUS_OK;
    if (bytes > 0)
        status = file_pass_open(&early->pass, &work->dir, folder, bytes, work->fault);
    else if (options->order == INGEST_BY_FILE)
        work_message(work, "--memory has no room for a whole blk file: the headers are read first");
    if (!early->pass.cache)
        work->to_come = 0;
    return status;
}

/* What the index has; *since: the time from which on a file's blocks may be new to it. */
static enum status read_base(struct early_walk *early, uint32_t *since)
{
    struct index_work *work = early->work;
    struct tx_index *index = NULL;
    struct index_block last = {0};
    enum status status = index_open_on(work->kv, &index, work->fault);
    if (status != STATUS_OK)
        return status;
    work->base = *index_state_of(index);
    memcpy(work->seed, index_seed_of(index), INDEX_SEED_SIZE);
    memcpy(work->begun, index_begun_of(index), INDEX_BEGUN_SIZE);
    uint32_t blocks = work->base.totals.blocks;
    if (blocks > 0)
        status = index_block_at(index, blocks - 1, &last, work->fault);
    index_close(index);
    early->tip = last.hash;
    *since = blocks > 0 && last.time < UINT32_MAX ? last.time + 1 : last.time;
    return status;
}

/* What an interrupted build has walked is in files that are remembered, as is all else in them but what waited: so much
 * is read from its places. */
enum status early_walk_begin(struct early_walk *early)
{
    struct index_work *work = early->work;
    struct file_pass *pass = &early->pass;
    uint32_t since;
    enum status status = read_base(early, &since);
    if (status == STATUS_OK)
        status = index_name_folder(work);
    if (status != STATUS_OK)
        return status;
    index_hasher_init(&work->hasher, work->seed);
    early->checkpoint = work_checkpoint_end(work);
    pass->chain = work->chain;
    pass->taker = (struct file_pass_taker){.next = next_of, .meet = meet, .take = take};
    pass->taker.context = early;
    file_pass_begin(pass, early->checkpoint > 0 ? UINT32_MAX : since);
    work->pass = pass;
    work->growing = true;
    return STATUS_OK;
}

/* ---- when all is known ---- */

static void free_waiting(struct early_walk *early)
{
    block_cache_free(early->pass.cache);
    early->pass.cache = NULL;
}

enum status early_walk_end(struct early_walk *early, enum status status)
{
    struct index_work *work = early->work;
    enum status saved = status == STATUS_INTERRUPTED ? index_walk_save(work) : STATUS_OK;
    work_hold(work, false);
    work->growing = false;
    work->to_come = 0;
    return saved == STATUS_OK ? status : saved;
}

enum status early_walk_settle(struct early_walk *early, uint32_t target)
{
    struct index_work *work = early->work;
    if (!work->open)
        return STATUS_OK;
    bool fits = work->base.totals.blocks == work->first && work->walked > work->first && work->walked <= target;
    if (fits && hash256_equal(&chain_active(work->chain, work->walked - 1)->hash, &early->tip)) {
        if (work->stage <= WORK_WALKING)
            return index_extend_stages(work, target);
        free_waiting(early); /* else the walk does when it ends */
        return STATUS_OK;
    }
    drop(early);
    return STATUS_OK;
}

/* What an interrupted build left is kept even where nothing can be done this time, as for a --tip that was mistyped. */
void early_walk_close(struct early_walk *early, enum status status)
{
    bool refused = status == STATUS_REFUSED || status == STATUS_NOT_FOUND;
    if (early->work && early->work->open)
        index_close_stages(early->work, (!refused || early->resumed) && work_checkpoint_end(early->work) > 0);
    free_waiting(early);
}
