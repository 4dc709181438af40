#include "graph/scan/window.h"

#include "graph/scan/filemap.h"
#include "parser/mem.h"
#include "parser/parallel.h"
#include "parser/stop.h"
#include "parser/timings.h"

#define WINDOW_BYTES (1u << 20) /* a window ends with the block that reaches its bytes or blocks */
#define WINDOW_BLOCKS 256u
#define TOGETHER 64u /* windows: after so many none is in flight for once, so that the tables forget (resolve_forget) */
#define AHEAD_BYTES_PER_THREAD                                                                                         \
    (16u << 20) /* asked for before they are walked, so that the system reads them meanwhile */
#define AHEAD_BYTES_MIN (48u << 20)
#define CACHED_READ_RATE 1.0 /* bytes/ns: a window that was read slower than that waited for the disk */

static uint64_t ahead_bytes(const struct ingest_options *options)
{
    uint64_t bytes = (uint64_t)AHEAD_BYTES_PER_THREAD * options->threads;
    return bytes < AHEAD_BYTES_MIN ? AHEAD_BYTES_MIN : bytes;
}

static enum status new_worker(struct pipeline *pipeline, struct worker *worker, struct fault *fault)
{
    worker->pipeline = pipeline;
    for (unsigned i = 0; i < WINDOWS_EACH; i++) { /* no zeros: most are never used */
        worker->windows[i].slots = mem_resize(NULL, WINDOW_BLOCKS, sizeof *worker->windows[i].slots);
        if (!worker->windows[i].slots)
            return fault_nomem(fault);
    }
    return store_reader_open(pipeline->store, &worker->store_reader, fault);
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
    pipeline->windows_max = (size_t)options->threads * WINDOWS_EACH;
    pipeline->windows = mem_alloc(pipeline->windows_max, sizeof *pipeline->windows);
    enum status status = pipeline->workers && pipeline->windows ? STATUS_OK : fault_nomem(fault);
    for (unsigned i = 0; i < options->threads && status == STATUS_OK; i++)
        status = new_worker(pipeline, &pipeline->workers[i], fault);
    return status;
}

static void free_window(struct window *window)
{
    mem_free(window->slots);
    mem_free(window->inputs.at);
    mem_free(window->prevs.at);
    mem_free(window->txids.at);
    mem_free(window->walked.at);
    mem_free(window->created.at);
    mem_free(window->vouts.at);
    mem_free(window->hashes.at);
    mem_free(window->spending.at);
    mem_free(window->spends.at);
    buffer_free(&window->blob);
}

static void free_worker(struct worker *worker)
{
    blk_reader_free(&worker->reader);
    blk_reader_free(&worker->again);
    store_reader_close(worker->store_reader);
    block_verifier_free(&worker->verifier);
    mem_free(worker->txs.at);
    mem_free(worker->creating.at);
    for (unsigned i = 0; i < WINDOWS_EACH; i++)
        free_window(&worker->windows[i]);
}

void pipeline_free(struct pipeline *pipeline)
{
    if (!pipeline)
        return;
    for (unsigned i = 0; pipeline->workers && i < pipeline->options->threads; i++)
        free_worker(&pipeline->workers[i]);
    blk_reader_free(&pipeline->ahead);
    mem_free(pipeline->windows);
    mem_free(pipeline->workers);
    mem_free(pipeline->confirmed.at);
    mem_free(pipeline);
}

/* ---- the operating system reads ahead ---- */

/* How many blocks from height `first` on are so many bytes, or as many as a window may have. */
static uint32_t blocks_in(const struct pipeline *pipeline, uint32_t first, uint64_t limit)
{
    uint32_t count = 0, most = pipeline->options->commit_blocks;
    if (most == 0 || most > WINDOW_BLOCKS)
        most = WINDOW_BLOCKS;
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

/* Reads decide together: a thread that lost its processor for a moment makes one of them slow, not the disk. */
static void judge_reads(struct pipeline *pipeline, const struct window *window)
{
    pipeline->judged_ns += window->read_ns;
    pipeline->judged_bytes += window->read_bytes;
    if (pipeline->judged_bytes < (double)WINDOW_BYTES * pipeline->options->threads)
        return;
    pipeline->reads_ahead = pipeline->judged_bytes < pipeline->judged_ns * CACHED_READ_RATE;
    pipeline->judged_ns = pipeline->judged_bytes = 0;
}

/* ---- who does what when ---- */

/* Ends the job before the damaged block that the window's walk has found. */
static void end_at_damage(struct pipeline *pipeline, const struct window *window, size_t number)
{
    pipeline->damaged = window;
    pipeline->begun = number + 1;
    pipeline->ended = true;
}

/* A commit changes store and table: one thread at a time does, and none while others look up in the table. */
static bool take_in_turn(struct pipeline *pipeline, struct task *task)
{
    if (pipeline->in_turn || pipeline->looking_up > 0)
        return false;
    size_t append = pipeline->appended, add = pipeline->added;
    while (append < add && window_of(pipeline, append)->state == WINDOW_LOOKED_UP)
        append++;
    if (append == add)
        pipeline->together = 0;
    for (; pipeline->together < TOGETHER && add < pipeline->begun; add++, pipeline->together++) {
        const struct window *window = window_of(pipeline, add);
        if (window->state != WINDOW_WALKED)
            break;
        if (window->damage != STATUS_OK)
            end_at_damage(pipeline, window, add);
    }
    pipeline->in_turn = append > pipeline->appended || add > pipeline->added;
    *task = (struct task){.kind = TASK_IN_TURN, .append_end = append, .add_end = add, .ahead = pipeline->next};
    return pipeline->in_turn;
}

/* The last one that this thread has walked, of which it may still hold a block, else the first one. */
static bool take_look_up(const struct pipeline *pipeline, struct worker *worker)
{
    struct window *taken = NULL;
    for (size_t number = pipeline->appended; number < pipeline->added; number++) {
        struct window *window = window_of(pipeline, number);
        bool own = window >= worker->windows && window < worker->windows + WINDOWS_EACH;
        if (window->state == WINDOW_ADDED && (!taken || own))
            taken = window;
    }
    if (!taken || pipeline->in_turn)
        return false;
    taken->state = WINDOW_IN_LOOK_UP;
    worker->task = (struct task){.kind = TASK_LOOK_UP, .window = taken};
    return true;
}

static bool take_walk(struct pipeline *pipeline, struct worker *worker)
{
    pipeline->ended |= pipeline->next == pipeline->job->end || stop_requested();
    struct window *window = worker->windows;
    while (window < worker->windows + WINDOWS_EACH && window->state != WINDOW_FREE)
        window++;
    if (pipeline->ended || window == worker->windows + WINDOWS_EACH)
        return false;
    window->state = WINDOW_IN_WALK;
    window->first = pipeline->next;
    window->count = blocks_in(pipeline, pipeline->next, WINDOW_BYTES);
    pipeline->next += (uint32_t)window->count;
    pipeline->windows[pipeline->begun++ % pipeline->windows_max] = window;
    worker->task = (struct task){.kind = TASK_WALK, .window = window};
    return true;
}

/* What is furthest goes first: to add, a look-up, a walk. So a thread mostly looks up what it has walked while it has
 * the bytes, and walks ahead while that cannot be done. To append alone frees windows, and ends the job. */
static bool take_task(struct pipeline *pipeline, struct worker *worker)
{
    bool can_add = pipeline->added < pipeline->begun && window_of(pipeline, pipeline->added)->state == WINDOW_WALKED;
    return (can_add && take_in_turn(pipeline, &worker->task)) || take_look_up(pipeline, worker) ||
           take_walk(pipeline, worker) || take_in_turn(pipeline, &worker->task);
}

static void end_task(struct pipeline *pipeline, struct task *task)
{
    if (task->kind == TASK_IN_TURN) {
        pipeline->in_turn = false;
        pipeline->status = task->status;
        for (; pipeline->appended < task->append_end; pipeline->appended++)
            window_of(pipeline, pipeline->appended)->state = WINDOW_FREE;
        for (; pipeline->added < task->add_end; pipeline->added++)
            window_of(pipeline, pipeline->added)->state = WINDOW_ADDED;
    } else if (task->kind == TASK_LOOK_UP) {
        task->window->state = WINDOW_LOOKED_UP;
        pipeline->looking_up--;
    } else if (task->kind == TASK_WALK) {
        task->window->state = WINDOW_WALKED;
    }
    task->kind = TASK_NONE;
}

static enum parallel_turn next_task(void *context, unsigned number)
{
    struct pipeline *pipeline = context;
    struct worker *worker = &pipeline->workers[number];
    end_task(pipeline, &worker->task);
    if (pipeline->status == STATUS_OK && take_task(pipeline, worker)) {
        pipeline->looking_up += worker->task.kind == TASK_LOOK_UP;
        return PARALLEL_WORK;
    }
    worker->task.kind = TASK_NONE;
    return pipeline->status != STATUS_OK || pipeline->appended == pipeline->begun ? PARALLEL_END : PARALLEL_WAIT;
}

static enum status append_and_add(struct worker *worker, const struct task *task)
{
    struct pipeline *pipeline = worker->pipeline;
    enum status status = STATUS_OK;
    for (size_t n = pipeline->appended; n < task->append_end && status == STATUS_OK; n++)
        status = resolve_append(pipeline, window_of(pipeline, n));
    if (task->append_end == pipeline->added && status == STATUS_OK)
        status = resolve_forget(pipeline);
    for (size_t n = pipeline->added; n < task->add_end && status == STATUS_OK; n++) {
        status = resolve_add(worker, window_of(pipeline, n));
        judge_reads(pipeline, window_of(pipeline, n));
    }
    read_ahead(pipeline, task->ahead);
    return status;
}

static void walk_window(struct worker *worker, struct window *window)
{
    const struct pipeline *pipeline = worker->pipeline;
    window->inputs.count = window->prevs.count = window->txids.count = window->walked.count = 0;
    window->created.count = window->vouts.count = window->hashes.count = 0;
    window->spending.count = window->spends.count = window->blob.size = 0;
    window->read_ns = window->read_bytes = 0;
    window->damage = window->status = STATUS_OK;
    for (size_t i = 0; i < window->count && window->damage == STATUS_OK; i++) {
        uint32_t height = window->first + (uint32_t)i;
        const struct chain_block *block = chain_active(pipeline->job->chain, height);
        window->slots[i] = (struct slot){.block = block,
                                         .record = {.height = height, .hash = block->hash, .time = block->time}};
        window->damage = collect_slot(worker, &window->slots[i]);
        if (window->damage != STATUS_OK)
            window->count = i;
    }
}

static void do_task(void *context, unsigned number)
{
    struct pipeline *pipeline = context;
    struct worker *worker = &pipeline->workers[number];
    struct task *task = &worker->task;
    struct window *window = worker->window = task->window;
    if (task->kind == TASK_IN_TURN) {
        enum timing_scope before = timings_scope(TIMING_IN_TURN);
        task->status = append_and_add(worker, task);
        timings_scope(before);
    } else if (task->kind == TASK_WALK) {
        walk_window(worker, window);
    } else {
        for (size_t i = 0; i < window->count && window->status == STATUS_OK; i++)
            window->status = resolve_look_up(worker, &window->slots[i]);
    }
}

/* The block that ended the job, as a fault for the user: which block, where, and why. */
static enum status name_damage(const struct pipeline *pipeline, struct fault *fault)
{
    const struct window *window = pipeline->damaged;
    uint32_t height = window->first + (uint32_t)window->count;
    const struct chain_block *block = chain_active(pipeline->job->chain, height);
    char hex[HASH256_HEX_SIZE + 1] = "";
    hash256_hex(&block->hash, hex);
    hex[HASH256_HEX_SIZE] = 0;
    if (window->damage == STATUS_NOMEM)
        return fault_nomem(fault);
    if (window->damage != STATUS_FORMAT && window->damage != STATUS_IO) { /* not the block's fault */
        if (fault)
            *fault = window->fault;
        return window->damage;
    }
    const char *path = block->file == FILEMAP_GONE ? NULL : pipeline->dir->files[block->file].path;
    return fault_set(fault, STATUS_FORMAT, path, block->offset - BLK_FRAME_SIZE, "block %s of height %u: %s", hex,
                     height, window->fault.text);
}

enum status pipeline_run(struct pipeline *pipeline, const struct pipeline_job *job, struct fault *fault)
{
    pipeline->job = job;
    pipeline->next = pipeline->asked = job->first;
    pipeline->ended = false;
    pipeline->begun = pipeline->added = pipeline->appended = pipeline->numbered = pipeline->together = 0;
    pipeline->next_ordinal = store_totals_of(pipeline->store).tracked;
    pipeline->damaged = NULL;
    for (unsigned i = 0; i < pipeline->options->threads; i++) {
        pipeline->workers[i].held = NULL;
        for (unsigned w = 0; w < WINDOWS_EACH; w++)
            pipeline->workers[i].windows[w].state = WINDOW_FREE;
    }
    read_ahead(pipeline, job->first);
    parallel_turns(pipeline->options->threads, next_task, do_task, pipeline);
    if (pipeline->status != STATUS_OK && fault)
        *fault = pipeline->fault;
    if (pipeline->status != STATUS_OK)
        return pipeline->status;
    return pipeline->damaged ? name_damage(pipeline, fault) : STATUS_OK;
}
