#include "graph/scan/window.h"

#include "graph/scan/filemap.h"
#include "parser/mem.h"
#include "parser/parallel.h"

#define RUN_BYTES_PER_THREAD (3u << 20)
#define RUN_BYTES_MIN (12u << 20)
#define RUN_BLOCKS_MAX 4096u
#define SLICE_BYTES (1u << 20)
#define SLICE_BLOCKS 256u
#define AHEAD_BYTES_PER_THREAD (16u << 20) /* that the operating system is asked for before they are walked */
#define AHEAD_BYTES_MIN (48u << 20)
#define CACHED_READ_RATE 1.0 /* bytes/ns: a run that is read slower than that waited for the disk */

static uint64_t bytes_for(const struct ingest_options *options, uint32_t per_thread, uint32_t least)
{
    uint64_t bytes = (uint64_t)per_thread * options->threads;
    return bytes < least ? least : bytes;
}

/* A run ends with the block that reaches its bytes, a slice with one that reaches its bytes or blocks. */
static size_t slices_max(const struct ingest_options *options)
{
    return (size_t)(bytes_for(options, RUN_BYTES_PER_THREAD, RUN_BYTES_MIN) / SLICE_BYTES) +
           RUN_BLOCKS_MAX / SLICE_BLOCKS + 2;
}

static enum status new_run(struct run *run, const struct ingest_options *options)
{
    run->items = mem_alloc(RUN_BLOCKS_MAX, sizeof *run->items);
    run->slices = mem_alloc(slices_max(options), sizeof *run->slices);
    return run->items && run->slices ? STATUS_OK : STATUS_NOMEM;
}

enum status pipeline_new(const struct ingest_options *options, const struct blkdir *dir, struct store *store,
                         struct outpoints *table, struct pipeline **out, struct fault *fault)
{
    struct pipeline *round = mem_alloc(1, sizeof *round);
    *out = round;
    if (!round)
        return fault_nomem(fault);
    *round = (struct pipeline){.options = options, .dir = dir, .store = store, .table = table, .reads_ahead = true};
    round->workers = mem_alloc(options->threads, sizeof *round->workers);
    enum status status = round->workers ? STATUS_OK : STATUS_NOMEM;
    for (unsigned i = 0; i < RUNS && status == STATUS_OK; i++)
        status = new_run(&round->runs[i], options);
    if (status != STATUS_OK)
        return fault_nomem(fault);
    for (unsigned i = 0; i < options->threads && status == STATUS_OK; i++) {
        round->workers[i].round = round;
        status = store_reader_open(store, &round->workers[i].store_reader, fault);
    }
    return status;
}

static void free_worker(struct worker *worker)
{
    blk_reader_free(&worker->reader);
    store_reader_close(worker->store_reader);
    block_verifier_free(&worker->verifier);
    mem_free(worker->txs.at);
    mem_free(worker->creating.at);
}

static void free_run(struct run *run, size_t slices)
{
    for (size_t i = 0; run->slices && i < slices; i++) {
        struct slice *slice = &run->slices[i];
        mem_free(slice->inputs.at);
        mem_free(slice->walked.at);
        mem_free(slice->created.at);
        mem_free(slice->vouts.at);
        mem_free(slice->hashes.at);
        mem_free(slice->spending.at);
        mem_free(slice->spends.at);
        buffer_free(&slice->blob);
    }
    mem_free(run->slices);
    mem_free(run->items);
}

void pipeline_free(struct pipeline *round)
{
    if (!round)
        return;
    for (unsigned i = 0; round->workers && i < round->options->threads; i++)
        free_worker(&round->workers[i]);
    for (unsigned i = 0; i < RUNS; i++)
        free_run(&round->runs[i], slices_max(round->options));
    blk_reader_free(&round->ahead);
    mem_free(round->workers);
    mem_free(round->settled.at);
    mem_free(round);
}

/* ---- the operating system reads ahead ---- */

/* How many blocks from height `first` on are so many bytes, or so many as a run may have. */
static uint32_t blocks_in(const struct pipeline *round, uint32_t first, uint64_t limit)
{
    uint32_t count = 0, most = round->options->commit_blocks;
    if (most == 0 || most > RUN_BLOCKS_MAX)
        most = RUN_BLOCKS_MAX;
    for (uint64_t bytes = 0; count < most && bytes < limit && first + count < round->job->end; count++)
        bytes += chain_active(round->job->chain, first + count)->size;
    return count;
}

/* Asks for the blocks from height `from` on. */
static void read_ahead(struct pipeline *round, uint32_t from)
{
    uint32_t end = from + blocks_in(round, from, bytes_for(round->options, AHEAD_BYTES_PER_THREAD, AHEAD_BYTES_MIN));
    for (uint32_t height = from > round->asked ? from : round->asked; height < end; height++) {
        const struct chain_block *block = chain_active(round->job->chain, height);
        if (round->reads_ahead && block->file != FILEMAP_GONE)
            blk_read_ahead(&round->ahead, round->dir, block->file, block->offset, block->size);
        round->asked = height + 1;
    }
}

/* All reads together decide: a thread that lost its processor for a moment makes one of them slow, not the disk. */
static void note_slow_reads(struct pipeline *round, const struct run *run)
{
    double ns = 0, bytes = 0;
    for (size_t i = 0; i < run->count; i++) {
        ns += run->items[i].read_ns;
        bytes += run->items[i].block->size;
    }
    round->reads_ahead = bytes < ns * CACHED_READ_RATE;
}

/* ---- who does what when ---- */

static struct run *run_of(struct pipeline *round, size_t number) { return &round->runs[number % RUNS]; }

/* Parts the run's blocks into slices, which are empty as yet. */
static void make_slices(struct run *run)
{
    run->slices_count = 0;
    for (size_t item = 0; item < run->count; run->slices_count++) {
        struct slice *slice = &run->slices[run->slices_count];
        uint64_t bytes = 0;
        slice->first = item;
        for (; item < run->count && bytes < SLICE_BYTES && item - slice->first < SLICE_BLOCKS; item++)
            bytes += run->items[item].block->size;
        slice->end = item;
        slice->inputs.count = slice->walked.count = slice->created.count = slice->vouts.count = 0;
        slice->hashes.count = slice->spending.count = slice->spends.count = slice->blob.size = 0;
    }
    run->next = 0;
    run->left = run->slices_count;
}

static void begin_run(struct pipeline *round)
{
    struct run *run = run_of(round, round->begun++);
    uint64_t bytes = bytes_for(round->options, RUN_BYTES_PER_THREAD, RUN_BYTES_MIN);
    uint32_t first = round->next, count = blocks_in(round, first, bytes);
    run->count = count;
    round->next += count;
    for (uint32_t i = 0; i < count; i++) {
        const struct chain_block *block = chain_active(round->job->chain, first + i);
        run->items[i] = (struct item){.block = block,
                                      .record = {.height = first + i, .hash = block->hash, .time = block->time}};
    }
    make_slices(run);
}

/* Ends a walked run, and with it all, before its first damaged block. */
static void cut_run(struct pipeline *round, struct run *run)
{
    size_t sound = 0;
    while (sound < run->count && run->items[sound].status == STATUS_OK)
        sound++;
    if (sound == run->count)
        return;
    round->damaged = &run->items[sound];
    run->count = sound;
    while (run->slices_count > 0 && run->slices[run->slices_count - 1].first >= sound)
        run->slices_count--;
    if (run->slices_count > 0)
        run->slices[run->slices_count - 1].end = sound;
    round->begun = round->added + 1;
    round->ended = true;
}

/* Store and table are changed by one thread at a time, and the table not beside look-ups. */
static bool take_change(struct pipeline *round, struct task *task)
{
    if (round->changing)
        return false;
    struct run *looked = round->added > round->appended ? run_of(round, round->appended) : NULL;
    struct run *walked = round->begun > round->added ? run_of(round, round->added) : NULL;
    if (looked && looked->left > 0)
        return false;
    if (walked && walked->left > 0)
        walked = NULL;
    if (walked)
        cut_run(round, walked);
    *task = (struct task){.kind = TASK_CHANGE, .append = looked, .add = walked, .ahead = round->next};
    round->changing = looked || walked;
    return round->changing;
}

static bool take_slice(struct run *run, struct task *task)
{
    if (run->next >= run->slices_count) /* more: the run was cut */
        return false;
    task->run = run;
    task->slice = &run->slices[run->next++];
    return true;
}

/* While there is nothing to look up, blocks are walked ahead, as far as there are runs for them. */
static bool take_task(struct pipeline *round, struct task *task)
{
    if (take_change(round, task))
        return true;
    task->kind = TASK_LOOK;
    if (!round->changing && round->added > round->appended && take_slice(run_of(round, round->appended), task))
        return true;
    task->kind = TASK_WALK;
    if (round->begun > round->added && take_slice(run_of(round, round->begun - 1), task))
        return true;
    round->ended |= round->next == round->job->end || (round->options->stop && *round->options->stop);
    if (round->ended || round->begun - round->appended == RUNS)
        return false;
    begin_run(round);
    return take_slice(run_of(round, round->begun - 1), task);
}

static void end_task(struct pipeline *round, struct task *task)
{
    if (task->kind == TASK_CHANGE) {
        round->changing = false;
        round->status = task->status;
        round->appended += task->append != NULL;
        round->added += task->add != NULL;
        if (task->add) {
            task->add->next = 0;
            task->add->left = task->add->slices_count;
        }
    } else if (task->kind != TASK_NONE) {
        task->run->left--;
    }
    task->kind = TASK_NONE;
}

static enum parallel_turn next_task(void *context, unsigned number)
{
    struct pipeline *round = context;
    struct task *task = &round->workers[number].task;
    end_task(round, task);
    if (round->status == STATUS_OK && take_task(round, task))
        return PARALLEL_WORK;
    task->kind = TASK_NONE;
    return round->status != STATUS_OK || round->appended == round->begun ? PARALLEL_END : PARALLEL_WAIT;
}

static enum status change(struct worker *worker, const struct task *task)
{
    struct pipeline *round = worker->round;
    enum status status = task->append ? append_run(round, task->append) : STATUS_OK;
    if (status == STATUS_OK && task->add) {
        status = add_run(worker, task->add);
        note_slow_reads(round, task->add);
        read_ahead(round, task->ahead);
    }
    return status;
}

static void do_task(void *context, unsigned number)
{
    struct pipeline *round = context;
    struct worker *worker = &round->workers[number];
    struct task *task = &worker->task;
    if (task->kind == TASK_CHANGE) {
        task->status = change(worker, task);
        return;
    }
    worker->slice = task->slice;
    for (size_t i = task->slice->first; i < task->slice->end; i++)
        if (task->kind == TASK_WALK)
            walk_item(worker, task->slice, &task->run->items[i]);
        else
            look_up_item(worker, &task->run->items[i]);
}

/* The block that ended the run, as a fault for the user: which block, where, and why. */
static enum status name_damage(const struct pipeline *round, struct fault *fault)
{
    const struct item *item = round->damaged;
    char hex[HASH256_HEX_SIZE + 1] = "";
    hash256_hex(&item->block->hash, hex);
    hex[HASH256_HEX_SIZE] = 0;
    if (item->status == STATUS_NOMEM)
        return fault_nomem(fault);
    const char *path = item->block->file == FILEMAP_GONE ? NULL : round->dir->files[item->block->file].path;
    return fault_set(fault, STATUS_FORMAT, path, item->block->offset, "block %s of height %u: %s", hex,
                     item->record.height, item->fault.text);
}

enum status pipeline_run(struct pipeline *round, const struct pipeline_job *job, struct fault *fault)
{
    round->job = job;
    round->next = round->asked = job->first;
    round->ended = false;
    round->begun = round->added = round->appended = 0;
    round->damaged = NULL;
    read_ahead(round, job->first);
    parallel_turns(round->options->threads, next_task, do_task, round);
    if (round->status != STATUS_OK && fault)
        *fault = round->fault;
    if (round->status != STATUS_OK)
        return round->status;
    return round->damaged ? name_damage(round, fault) : STATUS_OK;
}
