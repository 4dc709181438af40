#include "graph/index/walk_window.h"
#include "graph/scan/filemap.h"
#include "graph/store/store.h"
#include "parser/parallel.h"
#include "parser/stop.h"

#define WINDOWS_PER_THREAD 2u
#define CHECKPOINT_BYTES (UINT64_C(16) << 30) /* of blocks between checkpoints: what a kill may cost */

struct walk {
    struct index_work *work;
    struct walker *walkers;
    struct window *windows; /* window n of the walk is at n % windows_count */
    size_t windows_count;
    struct window **turns; /* what each worker was last given; NULL: nothing */
    size_t begun;          /* windows, of this walk */
    size_t numbered;       /* likewise */
    size_t spilled;        /* likewise, in order */
    uint32_t next;         /* height of the next block to walk */
    uint32_t end;          /* up to which windows may begin now */
    uint64_t done;         /* bytes of blocks */
    uint64_t total;
    uint64_t pause; /* bytes begun from which on none is begun, until a checkpoint is saved */
    uint64_t begun_bytes;
    bool ended;                         /* no window is begun any more */
    const struct walked_block *damaged; /* the first in the chain, with its height; NULL: none */
    uint32_t damaged_height;
    const struct window *failed; /* a window that could not be spilled; NULL: none */
};

/* ---- windows in order ---- */

/* Numbers the window's blocks. False at the first damaged one. */
static bool number_blocks(struct walk *walk, struct window *window)
{
    struct index_work *work = walk->work;
    for (size_t i = 0; i < window->count; i++) {
        struct walked_block *walked = &window->blocks[i];
        struct work_block *block = &work->blocks[window->height - work->first + i];
        if (walked->status != STATUS_OK) {
            walk->damaged = walked;
            walk->damaged_height = window->height + (uint32_t)i;
            return false;
        }
        walked->first_input = block->first_input;
        walked->first_output = block->first_output;
        block->window = window->height;
        memcpy(block->sums, walked->sums, sizeof block->sums);
        block[1] = (struct work_block){.first_tx = block->first_tx + walked->txs,
                                       .first_input = block->first_input + walked->inputs,
                                       .first_output = block->first_output + walked->outputs};
        for (size_t s = 0; s < WORK_STREAMS; s++)
            block[1].at[s] = block->at[s] + walked->sizes[s];
    }
    return true;
}

static struct window *window_of(const struct walk *walk, size_t number)
{
    return &walk->windows[number % walk->windows_count];
}

/* What the worker has done; then what others waited for it to do. */
static void end_turn(struct walk *walk, struct window *window)
{
    if (window->state == WINDOW_WALKING) {
        window->state = WINDOW_WALKED;
    } else {
        window->state = WINDOW_FREE;
        if (window->status != STATUS_OK && !walk->failed)
            walk->failed = window;
    }
    while (!walk->damaged && walk->numbered < walk->begun && window_of(walk, walk->numbered)->state == WINDOW_WALKED) {
        struct window *walked = window_of(walk, walk->numbered);
        if (number_blocks(walk, walked)) {
            walked->state = WINDOW_NUMBERED;
            walk->numbered++;
        }
    }
    for (; walk->spilled < walk->numbered && window_of(walk, walk->spilled)->state == WINDOW_FREE; walk->spilled++) {
        const struct window *spilled = window_of(walk, walk->spilled);
        walk->done += spilled->bytes;
        walk->work->walked = spilled->height + (uint32_t)spilled->count;
        if (!walk->work->growing) /* else the files tell how far all is */
            work_progress(walk->work, INDEX_WALK, walk->done, walk->total);
    }
    walk->ended |= walk->damaged || walk->failed || stop_requested();
}

static bool begin_window(struct walk *walk, struct window *window)
{
    bool is_due = walk->begun_bytes >= walk->pause;
    if (walk->ended || is_due || walk->next == walk->end || walk->begun - walk->spilled == walk->windows_count)
        return false;
    window->state = WINDOW_WALKING;
    window->height = walk->next;
    window->count = window_blocks(walk->work, walk->next, walk->end, &window->bytes);
    walk->next += (uint32_t)window->count;
    walk->begun_bytes += window->bytes;
    walk->begun++;
    return true;
}

static enum parallel_turn next_turn(void *context, unsigned worker)
{
    struct walk *walk = context;
    if (walk->turns[worker])
        end_turn(walk, walk->turns[worker]);
    walk->turns[worker] = NULL;
    bool at_work = false;
    for (size_t n = walk->spilled; n < walk->numbered && !walk->failed && !walk->damaged; n++) {
        struct window *window = window_of(walk, n);
        if (window->state == WINDOW_NUMBERED) {
            window->state = WINDOW_SPILLING;
            walk->turns[worker] = window;
            return PARALLEL_WORK;
        }
    }
    if (begin_window(walk, window_of(walk, walk->begun))) {
        walk->turns[worker] = window_of(walk, walk->begun - 1);
        return PARALLEL_WORK;
    }
    for (unsigned i = 0; i < walk->work->options->threads; i++)
        at_work |= walk->turns[i] != NULL;
    return at_work ? PARALLEL_WAIT : PARALLEL_END;
}

static void take_turn(void *context, unsigned worker)
{
    struct walk *walk = context;
    struct window *window = walk->turns[worker];
    if (window->state == WINDOW_WALKING) {
        window_walk(&walk->walkers[worker], window);
        return;
    }
    window_spill(&walk->walkers[worker], worker, window);
    work_write_out(walk->work);
}

/* ---- the walk ---- */

/* A damaged block ends the chain before it, and is told; anything else is an error. */
static enum status end_walk(struct walk *walk, uint32_t height, const struct walked_block *walked)
{
    struct index_work *work = walk->work;
    if (walked->status == STATUS_NOMEM)
        return fault_nomem(work->fault);
    if (walked->status != STATUS_FORMAT && walked->status != STATUS_IO) { /* not the block's fault */
        if (work->fault)
            *work->fault = walked->fault;
        return walked->status;
    }
    char hash[HASH256_HEX_SIZE + 1];
    *hash256_hex(&walked->block->hash, hash) = 0;
    const char *path = walked->block->file == FILEMAP_GONE ? NULL : work->dir.files[walked->block->file].path;
    work->bad_height = height;
    work->bad_bytes = true;
    return fault_set(
        work->fault, STATUS_FORMAT, path, walked->block->offset - BLK_FRAME_SIZE,
        "block %s of height %u is damaged (%s); the index ends before it: restore the file or run the node with "
        "-reindex, then index again",
        hash, height, walked->fault.text);
}

static void take_sums(struct walker *walker)
{
    for (size_t part = 0; part < (size_t)1 << walker->work->part_bits; part++) {
        walker->work->sums[part] += walker->sums[part];
        walker->sums[part] = 0;
    }
}

/* Writes what the walkers still hold, and adds up their sums. */
static enum status flush(struct walk *walk)
{
    struct index_work *work = walk->work;
    enum status status = spill_flush(work->creators, work->fault);
    if (status == STATUS_OK)
        status = spill_flush(work->spenders, work->fault);
    for (unsigned i = 0; i < work->options->threads && status == STATUS_OK; i++)
        take_sums(&walk->walkers[i]);
    return status;
}

/* Where the next checkpoint is due. */
static void set_pause(struct walk *walk)
{
    walk->pause = walk->begun_bytes + (index_checkpoint_blocks ? 1 : CHECKPOINT_BYTES);
}

/* So that an interrupted build goes on from here. The end of a chain that grows is where the walk is. */
static enum status save_walk(struct walk *walk)
{
    struct index_work *work = walk->work;
    uint32_t end = work->end;
    set_pause(walk);
    if (work->growing && work->walked == work->first)
        return STATUS_OK;
    if (work->durable && !work->in_memory && stop_requested())
        work_message(work, "saving what was walked, to go on from there; another interrupt ends this at once");
    enum status status = flush(walk);
    if (status == STATUS_OK && work->store)
        status = store_commit(work->store, work->fault);
    if (work->growing)
        work->end = work->walked;
    if (status == STATUS_OK)
        status = work_save_checkpoint(work, WORK_WALKING);
    work->end = end;
    return status;
}

/* Why the walk ended early; STATUS_OK if it did not. */
static enum status look_at_end(struct walk *walk)
{
    struct index_work *work = walk->work;
    if (walk->damaged)
        return end_walk(walk, walk->damaged_height, walk->damaged);
    if (!walk->failed)
        return STATUS_OK;
    enum status status = flush(walk); /* a spill knows why */
    if (status != STATUS_OK)
        return status;
    if (work->fault)
        *work->fault = walk->failed->fault;
    return walk->failed->status;
}

/* Walks blocks up to walk->end, or to where a checkpoint is due. */
static enum status walk_blocks(struct walk *walk)
{
    struct index_work *work = walk->work;
    parallel_turns(work->options->threads, next_turn, take_turn, walk);
    enum status status = look_at_end(walk);
    bool ends = work->walked == work->end && !work->growing;
    if (status == STATUS_OK && !ends && (stop_requested() || walk->begun_bytes >= walk->pause))
        status = save_walk(walk);
    return status == STATUS_OK && !ends && stop_requested() ? STATUS_INTERRUPTED : status;
}

/* Likewise up to work->end; of blocks that wait in a temporary file, those for which there is room in memory. */
static enum status walk_on(struct walk *walk)
{
    struct index_work *work = walk->work;
    enum status status = STATUS_OK;
    walk->end = work->end;
    if (work_waits(work))
        status = file_pass_fetch(work->pass, work->end, &walk->end, work->fault);
    if (status == STATUS_OK)
        status = walk_blocks(walk);
    if (work_waits(work))
        file_pass_drop(work->pass);
    return status;
}

static enum status begin_walk(struct walk *walk)
{
    struct index_work *work = walk->work;
    unsigned threads = work->options->threads;
    set_pause(walk);
    walk->windows_count = WINDOWS_PER_THREAD * (size_t)threads;
    walk->walkers = mem_alloc_apart(threads, sizeof *walk->walkers);
    walk->turns = mem_alloc(threads, sizeof(struct window *));
    walk->windows = mem_alloc_apart(walk->windows_count, sizeof *walk->windows);
    bool ok = walk->walkers && walk->turns && walk->windows;
    for (unsigned i = 0; i < threads && ok; i++)
        ok = walker_begin(&walk->walkers[i], work);
    for (size_t i = 0; i < walk->windows_count && ok; i++) {
        walk->windows[i].blocks = mem_resize(NULL, WINDOW_BLOCKS_MAX, sizeof *walk->windows[i].blocks);
        ok = walk->windows[i].blocks != NULL;
    }
    return ok ? STATUS_OK : fault_nomem(work->fault);
}

void index_walk_free(struct index_work *work)
{
    struct walk *walk = work->walk;
    work->walk = NULL;
    if (!walk)
        return;
    for (unsigned i = 0; i < work->options->threads && walk->walkers; i++)
        walker_free(&walk->walkers[i]);
    for (size_t i = 0; i < walk->windows_count && walk->windows; i++)
        window_free(&walk->windows[i]);
    mem_free(walk->walkers);
    mem_free(walk->turns);
    mem_free(walk->windows);
    mem_free(walk);
}

static enum status new_walk(struct index_work *work)
{
    work->walk = mem_alloc(1, sizeof *work->walk);
    if (!work->walk)
        return fault_nomem(work->fault);
    work->walk->work = work;
    return begin_walk(work->walk);
}

enum status index_walk_some(struct index_work *work)
{
    enum status status = work->walk ? STATUS_OK : new_walk(work);
    struct walk *walk = work->walk;
    if (status != STATUS_OK)
        return status;
    if (!work->growing) {
        walk->done = work_bytes(work, work->first, work->walked);
        walk->total = work_bytes(work, work->first, work->end);
    }
    walk->next = work->walked;
    while (work->walked < work->end && status == STATUS_OK)
        status = walk_on(walk);
    return status;
}

enum status index_walk_save(struct index_work *work) { return work->walk ? save_walk(work->walk) : STATUS_OK; }

enum status index_walk(struct index_work *work)
{
    enum status status = index_walk_some(work);
    if (status == STATUS_OK)
        status = flush(work->walk);
    index_walk_free(work);
    if (work_waits(work)) { /* nothing any more */
        block_cache_free(work->pass->cache);
        work->pass->cache = NULL;
    }
    return status;
}
