#include "graph/scan/window.h"

#include "graph/scan/filemap.h"
#include "parser/mem.h"
#include "parser/parallel.h"
#include "parser/stop.h"
#include "parser/timings.h"

#define WINDOW_BYTES_PER_THREAD (1u << 20)
#define WINDOW_BLOCKS_MAX 4096u
#define SLICE_BYTES (1u << 20)
#define SLICE_BLOCKS 256u
#define AHEAD_BYTES_PER_THREAD                                                                                         \
    (16u << 20) /* asked for before they are walked, so that the system reads them meanwhile */
#define AHEAD_BYTES_MIN (48u << 20)
#define CACHED_READ_RATE 1.0 /* bytes/ns: a window that was read slower than that waited for the disk */

static uint64_t window_bytes(const struct ingest_options *options)
{
    return (uint64_t)WINDOW_BYTES_PER_THREAD * options->threads;
}

static uint64_t ahead_bytes(const struct ingest_options *options)
{
    uint64_t bytes = (uint64_t)AHEAD_BYTES_PER_THREAD * options->threads;
    return bytes < AHEAD_BYTES_MIN ? AHEAD_BYTES_MIN : bytes;
}

/* A window ends with the block that reaches its bytes, a slice with one that reaches its bytes or blocks. */
static size_t slices_max(const struct ingest_options *options)
{
    return (size_t)(window_bytes(options) / SLICE_BYTES) + WINDOW_BLOCKS_MAX / SLICE_BLOCKS + 2;
}

static enum status new_window(struct window *window, const struct ingest_options *options)
{
    window->slots = mem_resize(NULL, WINDOW_BLOCKS_MAX, sizeof *window->slots); /* no zeros: most are never used */
    window->slices = mem_alloc_apart(slices_max(options), sizeof *window->slices);
    return window->slots && window->slices ? STATUS_OK : STATUS_NOMEM;
}

enum status pipeline_new(const struct ingest_options *options, const struct blkdir *dir, struct store *store,
                         struct outpoints *table, struct txid_set *known, struct pipeline **out, struct fault *fault)
{
    struct pipeline *pipeline = mem_alloc(1, sizeof *pipeline);
    *out = pipeline;
    if (!pipeline)
        return fault_nomem(fault);
    *pipeline = (struct pipeline){
        .options = options, .dir = dir, .store = store, .table = table, .known = known, .reads_ahead = true};
    pipeline->workers = mem_alloc_apart(options->threads, sizeof *pipeline->workers);
    enum status status = pipeline->workers ? STATUS_OK : STATUS_NOMEM;
    for (unsigned i = 0; i < WINDOWS && status == STATUS_OK; i++)
        status = new_window(&pipeline->windows[i], options);
    if (status != STATUS_OK)
        return fault_nomem(fault);
    for (unsigned i = 0; i < options->threads && status == STATUS_OK; i++) {
        pipeline->workers[i].pipeline = pipeline;
        status = store_reader_open(store, &pipeline->workers[i].store_reader, fault);
    }
    return status;
}

static void free_worker(struct worker *worker)
{
    blk_reader_free(&worker->reader);
    blk_reader_free(&worker->again);
    store_reader_close(worker->store_reader);
    block_verifier_free(&worker->verifier);
    mem_free(worker->txs.at);
    mem_free(worker->creating.at);
}

static void free_window(struct window *window, size_t slices)
{
    for (size_t i = 0; window->slices && i < slices; i++) {
        struct slice *slice = &window->slices[i];
        mem_free(slice->inputs.at);
        mem_free(slice->prevs.at);
        mem_free(slice->txids.at);
        mem_free(slice->walked.at);
        mem_free(slice->created.at);
        mem_free(slice->vouts.at);
        mem_free(slice->hashes.at);
        mem_free(slice->spending.at);
        mem_free(slice->spends.at);
        buffer_free(&slice->blob);
    }
    mem_free(window->slices);
    mem_free(window->slots);
}

void pipeline_free(struct pipeline *pipeline)
{
    if (!pipeline)
        return;
    for (unsigned i = 0; pipeline->workers && i < pipeline->options->threads; i++)
        free_worker(&pipeline->workers[i]);
    for (unsigned i = 0; i < WINDOWS; i++)
        free_window(&pipeline->windows[i], slices_max(pipeline->options));
    blk_reader_free(&pipeline->ahead);
    mem_free(pipeline->workers);
    mem_free(pipeline->confirmed.at);
    mem_free(pipeline);
}

/* ---- the operating system reads ahead ---- */

/* How many blocks from height `first` on are so many bytes, or as many as a window may have. */
static uint32_t blocks_in(const struct pipeline *pipeline, uint32_t first, uint64_t limit)
{
    uint32_t count = 0, most = pipeline->options->commit_blocks;
    if (most == 0 || most > WINDOW_BLOCKS_MAX)
        most = WINDOW_BLOCKS_MAX;
    for (uint64_t bytes = 0; count < most && bytes < limit && first + count < pipeline->job->end; count++)
        bytes += chain_active(pipeline->job->chain, first + count)->size;
    return count;
}

/* Asks for the blocks from height `from` on. */
static void read_ahead(struct pipeline *pipeline, uint32_t from)
{
    uint32_t end = from + blocks_in(pipeline, from, ahead_bytes(pipeline->options));
    for (uint32_t height = from > pipeline->asked ? from : pipeline->asked; height < end; height++) {
        const struct chain_block *block = chain_active(pipeline->job->chain, height);
        const struct block_cache *cache = pipeline->job->cache;
        bool cached = cache && block_cache_find(cache, block);
        if (pipeline->reads_ahead && !cached && block->file != FILEMAP_GONE)
            blk_read_ahead(&pipeline->ahead, pipeline->dir, block->file, block->offset, block->size);
        pipeline->asked = height + 1;
    }
}

/* All reads together decide: a thread that lost its processor for a moment makes one of them slow, not the disk. */
static void judge_reads(struct pipeline *pipeline, const struct window *window)
{
    double ns = 0, bytes = 0;
    for (size_t i = 0; i < window->count; i++) {
        ns += window->slots[i].read_ns;
        bytes += window->slots[i].block->size;
    }
    pipeline->reads_ahead = bytes < ns * CACHED_READ_RATE;
}

/* ---- who does what when ---- */

static struct window *window_of(struct pipeline *pipeline, size_t number)
{
    return &pipeline->windows[number % WINDOWS];
}

/* Divides the window into slices, which hold nothing yet. */
static void make_slices(struct window *window)
{
    window->slices_count = 0;
    for (size_t slot = 0; slot < window->count; window->slices_count++) {
        struct slice *slice = &window->slices[window->slices_count];
        uint64_t bytes = 0;
        slice->first = slot;
        for (; slot < window->count && bytes < SLICE_BYTES && slot - slice->first < SLICE_BLOCKS; slot++)
            bytes += window->slots[slot].block->size;
        slice->end = slot;
        slice->inputs.count = slice->walked.count = slice->created.count = slice->vouts.count = 0;
        slice->hashes.count = slice->spending.count = slice->spends.count = slice->blob.size = 0;
        slice->prevs.count = slice->txids.count = 0;
    }
    window->next = 0;
    window->left = window->slices_count;
}

static void begin_window(struct pipeline *pipeline)
{
    struct window *window = window_of(pipeline, pipeline->begun++);
    uint64_t bytes = window_bytes(pipeline->options);
    uint32_t first = pipeline->next, count = blocks_in(pipeline, first, bytes);
    window->count = count;
    pipeline->next += count;
    for (uint32_t i = 0; i < count; i++) {
        const struct chain_block *block = chain_active(pipeline->job->chain, first + i);
        window->slots[i] = (struct slot){.block = block,
                                         .record = {.height = first + i, .hash = block->hash, .time = block->time}};
    }
    make_slices(window);
}

/* Ends a walked window before its first damaged block, if it has one, and the job with it. */
static void cut_window(struct pipeline *pipeline, struct window *window)
{
    size_t sound = 0;
    while (sound < window->count && window->slots[sound].status == STATUS_OK)
        sound++;
    if (sound == window->count)
        return;
    pipeline->damaged = &window->slots[sound];
    window->count = sound;
    while (window->slices_count > 0 && window->slices[window->slices_count - 1].first >= sound)
        window->slices_count--;
    if (window->slices_count > 0)
        window->slices[window->slices_count - 1].end = sound;
    pipeline->begun = pipeline->added + 1;
    pipeline->ended = true;
}

/* A commit changes store and table: one thread at a time does, and none while others look up in the table. */
static bool take_commit(struct pipeline *pipeline, struct task *task)
{
    if (pipeline->committing)
        return false;
    struct window *append = pipeline->added > pipeline->appended ? window_of(pipeline, pipeline->appended) : NULL;
    struct window *add = pipeline->begun > pipeline->added ? window_of(pipeline, pipeline->added) : NULL;
    if (append && append->left > 0)
        return false;
    if (add && add->left > 0)
        add = NULL;
    if (add)
        cut_window(pipeline, add);
    *task = (struct task){.kind = TASK_COMMIT, .append = append, .add = add, .ahead = pipeline->next};
    pipeline->committing = append || add;
    return pipeline->committing;
}

static bool take_walk(struct window *window, struct worker *worker)
{
    if (window->next >= window->slices_count) /* above: the window was cut */
        return false;
    struct slice *slice = &window->slices[window->next++];
    slice->walker = worker;
    worker->task = (struct task){.kind = TASK_WALK, .window = window, .slice = slice};
    return true;
}

/* The last one that this thread has walked, of which it may still hold a block, else the first one that is left. */
static bool take_look_up(struct window *window, struct worker *worker)
{
    struct slice *taken = NULL;
    for (size_t i = 0; i < window->slices_count; i++) {
        struct slice *slice = &window->slices[i];
        if (slice->walker && (!taken || slice->walker == worker))
            taken = slice;
    }
    if (!taken)
        return false;
    taken->walker = NULL;
    worker->task = (struct task){.kind = TASK_LOOK_UP, .window = window, .slice = taken};
    return true;
}

/* Commit before look-up before walk: what is furthest goes first, and blocks are walked ahead while nothing else can be
 * done, as far as there are windows for them. */
static bool take_task(struct pipeline *pipeline, struct worker *worker)
{
    if (take_commit(pipeline, &worker->task))
        return true;
    if (!pipeline->committing && pipeline->added > pipeline->appended &&
        take_look_up(window_of(pipeline, pipeline->appended), worker))
        return true;
    if (pipeline->begun > pipeline->added && take_walk(window_of(pipeline, pipeline->begun - 1), worker))
        return true;
    pipeline->ended |= pipeline->next == pipeline->job->end || stop_requested();
    if (pipeline->ended || pipeline->begun - pipeline->appended == WINDOWS)
        return false;
    begin_window(pipeline);
    return take_walk(window_of(pipeline, pipeline->begun - 1), worker);
}

static void end_task(struct pipeline *pipeline, struct task *task)
{
    if (task->kind == TASK_COMMIT) {
        pipeline->committing = false;
        pipeline->status = task->status;
        pipeline->appended += task->append != NULL;
        pipeline->added += task->add != NULL;
        if (task->add)
            task->add->left = task->add->slices_count;
    } else if (task->kind != TASK_NONE) {
        task->window->left--;
    }
    task->kind = TASK_NONE;
}

static enum parallel_turn next_task(void *context, unsigned number)
{
    struct pipeline *pipeline = context;
    struct worker *worker = &pipeline->workers[number];
    end_task(pipeline, &worker->task);
    if (pipeline->status == STATUS_OK && take_task(pipeline, worker))
        return PARALLEL_WORK;
    worker->task.kind = TASK_NONE;
    return pipeline->status != STATUS_OK || pipeline->appended == pipeline->begun ? PARALLEL_END : PARALLEL_WAIT;
}

static enum status commit_windows(struct worker *worker, const struct task *task)
{
    struct pipeline *pipeline = worker->pipeline;
    enum status status = task->append ? resolve_append(pipeline, task->append) : STATUS_OK;
    if (status == STATUS_OK && task->add) {
        status = resolve_add(worker, task->add);
        judge_reads(pipeline, task->add);
        read_ahead(pipeline, task->ahead);
    }
    return status;
}

static void do_task(void *context, unsigned number)
{
    struct pipeline *pipeline = context;
    struct worker *worker = &pipeline->workers[number];
    struct task *task = &worker->task;
    if (task->kind == TASK_COMMIT) {
        enum timing_scope before = timings_scope(TIMING_IN_TURN);
        task->status = commit_windows(worker, task);
        timings_scope(before);
        return;
    }
    worker->slice = task->slice;
    for (size_t i = task->slice->first; i < task->slice->end; i++)
        if (task->kind == TASK_WALK)
            collect_slot(worker, task->slice, &task->window->slots[i]);
        else
            resolve_look_up(worker, &task->window->slots[i]);
}

/* The block that ended the job, as a fault for the user: which block, where, and why. */
static enum status name_damage(const struct pipeline *pipeline, struct fault *fault)
{
    const struct slot *slot = pipeline->damaged;
    char hex[HASH256_HEX_SIZE + 1] = "";
    hash256_hex(&slot->block->hash, hex);
    hex[HASH256_HEX_SIZE] = 0;
    if (slot->status == STATUS_NOMEM)
        return fault_nomem(fault);
    if (slot->status != STATUS_FORMAT && slot->status != STATUS_IO) { /* not the block's fault */
        if (fault)
            *fault = slot->fault;
        return slot->status;
    }
    const char *path = slot->block->file == FILEMAP_GONE ? NULL : pipeline->dir->files[slot->block->file].path;
    return fault_set(fault, STATUS_FORMAT, path, slot->block->offset - BLK_FRAME_SIZE, "block %s of height %u: %s", hex,
                     slot->record.height, slot->fault.text);
}

enum status pipeline_run(struct pipeline *pipeline, const struct pipeline_job *job, struct fault *fault)
{
    pipeline->job = job;
    pipeline->next = pipeline->asked = job->first;
    pipeline->ended = false;
    pipeline->begun = pipeline->added = pipeline->appended = 0;
    pipeline->damaged = NULL;
    for (unsigned i = 0; i < pipeline->options->threads; i++)
        pipeline->workers[i].held = NULL;
    read_ahead(pipeline, job->first);
    parallel_turns(pipeline->options->threads, next_task, do_task, pipeline);
    if (pipeline->status != STATUS_OK && fault)
        *fault = pipeline->fault;
    if (pipeline->status != STATUS_OK)
        return pipeline->status;
    return pipeline->damaged ? name_damage(pipeline, fault) : STATUS_OK;
}
