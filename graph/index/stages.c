#include "graph/index/work.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "parser/file.h"
#include "parser/mem.h"
#include "parser/parallel.h"
#include "parser/timings.h"

#define DURABLE_BYTES (UINT64_C(1) << 30) /* of blocks; fewer are soon done again */
#define MEMORY_LEFT (UINT64_C(256) << 20) /* at least, for the arrays of the stages, beside temporary files in memory */
#define ALONE_BYTES (UINT64_C(4) << 20)   /* of blocks that are added */
#define MEMORY_LEAST (UINT64_C(48) << 20)
#define BYTES_A_TX 180u /* of blocks, fewer than any chain's average */
#define CREATORS_A_PART 100000u
#define NUMBERS_A_RANGE 65536u
#define SPARE_BITS 4u    /* in the bytes of a key: most of what they hold then needs no byte of its own */
#define ALIKE_MAX 64u    /* pairs of hashes that are alike, reckoned with one for each BYTES_A_TX */
#define RANGE_BYTES 240u /* of memory for each output or input of a range, of which two are held for each thread */

uint64_t index_few_bytes = INDEX_FEW_BYTES;

static enum status open_stream(struct index_work *work, size_t stream)
{
    const char *name = work_stream_names[stream];
    int *fd = &work->streams[stream];
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", work->folder, name);
    *fd = work->in_memory ? file_in_memory(name) : open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    return *fd >= 0
               ? STATUS_OK
               : fault_errno_place(work->fault, path, FAULT_NO_OFFSET, SPILL_OTHER, "cannot create a temporary file");
}

static enum status open_spill(struct index_work *work, struct spill_shape shape, struct spill **spill)
{
    shape.folder = work->in_memory ? NULL : work->folder;
    shape.workers = work->options->threads;
    shape.buffer = work_buffer(work, shape.parts);
    return spill_new(&shape, spill, work->fault);
}

/* What spends older outputs is looked up part by part: more at a time where that leaves each thread several parts. */
static uint64_t creators_a_part(const struct index_work *work, uint64_t creators)
{
    uint64_t share = creators / (4 * (uint64_t)work->options->threads);
    if (work->base.totals.blocks == 0 || share < CREATORS_A_PART)
        return CREATORS_A_PART;
    return share < 2 * CREATORS_A_PART ? share : 2 * CREATORS_A_PART;
}

/* Bytes of the blocks that are added; while the files are read, the most that it can be. */
static uint64_t bytes_to_add(const struct index_work *work)
{
    return work->to_come > 0 ? work->to_come : work_bytes(work, work->first, work->end);
}

static unsigned parts_to_join(const struct index_work *work)
{
    uint64_t creators = bytes_to_add(work) / BYTES_A_TX;
    return work_parts(creators, (uint64_t)WORK_CREATOR_BYTES * work->options->threads, work->memory,
                      creators_a_part(work, creators));
}

enum status index_extend_stages(struct index_work *work, uint32_t end)
{
    size_t before = work->blocks_capacity, need = (size_t)(end - work->first) + 1;
    work->end = end;
    if (mem_reserve(&work->blocks, &work->blocks_capacity, need, sizeof *work->blocks) != STATUS_OK)
        return fault_nomem(work->fault);
    memset(work->blocks + before, 0,
           (work->blocks_capacity - before) * sizeof *work->blocks); /* a checkpoint has all */
    return STATUS_OK;
}

/* So many that few hashes are alike: of n transactions n^2 / 2^(bits + 1) pairs, for which blocks are read again. In a
 * build that adds to an index all 64 are kept: there the hash tells which transaction of the index is meant. */
static unsigned key_bits(const struct index_work *work)
{
    unsigned __int128 creators = bytes_to_add(work) / BYTES_A_TX;
    if (work->base.totals.blocks > 0)
        return 64 - work->part_bits;
    bool enough = creators * creators >> (36 + work->part_bits + 1) <= ALIKE_MAX;
    return enough && 36 + work->part_bits >= 40 ? 36 : 44;
}

static enum status begin_walk(struct index_work *work)
{
    const struct index_totals *base = &work->base.totals;
    if (index_extend_stages(work, work->end) != STATUS_OK)
        return STATUS_NOMEM;
    work->blocks[0] = (struct work_block){
        .first_tx = base->txs, .first_input = base->inputs, .first_output = base->outputs};
    work->walked = work->first;
    unsigned parts = parts_to_join(work);
    /* of one thread one part may be all: then the pages of the index are read once */
    work->part_bits = work->few && work->options->threads == 1 ? 0 : 1;
    while (1u << work->part_bits < parts)
        work->part_bits++;
    work->key_bits = key_bits(work);
    unsigned key_size = (work->key_bits + SPARE_BITS + 7) / 8 < 8 ? (work->key_bits + SPARE_BITS + 7) / 8 : 8;
    struct spill_shape shape = {.name = "spenders",
                                .parts = 1u << work->part_bits,
                                .key_size = key_size,
                                .spare_bits = 8 * key_size - work->key_bits,
                                .extra = true};
    enum status status = work_alloc_sums(work);
    for (size_t s = 0; s < WORK_STREAMS && status == STATUS_OK; s++)
        status = open_stream(work, s);
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

static enum status begin_join(struct index_work *work)
{
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

/* A prevout that does not exist was taken for a transaction with the same hash: undoes the join. */
static enum status take_join_back(struct index_work *work)
{
    struct spill **spills[] = {&work->links, &work->values, &work->late_spends};
    for (size_t i = 0; i < sizeof spills / sizeof *spills; i++) {
        spill_free(*spills[i]);
        *spills[i] = NULL;
    }
    work->late_count = 0;
    work->unsure = false;
    work_message(work, "joining again: full txids settle spends whose hashes deceive");
    enum status status = work_drop(&work->queue);
    return status == STATUS_OK ? kv_write(work->kv, 0, index_cut_after_stage, work, work->fault) : status;
}

/* The index as it will be. */
static struct index_state state_after(const struct index_work *work)
{
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
    return state;
}

/* The last stage. Without a merge the state is in its last commit: a disk is waited for once less. */
static enum status finish(struct index_work *work)
{
    struct index_state state = state_after(work);
    bool merges = index_merge_is_due(&state);
    enum status status = index_build_txs(work, merges ? NULL : &state);
    timings_stage("end");
    if (status == STATUS_OK && merges)
        status = index_merge(work, &state);
    if (status == STATUS_OK)
        work->base = state;
    return status;
}

static void close_stream(struct index_work *work, size_t stream, bool keep)
{
    char path[4096];
    int *fd = &work->streams[stream];
    snprintf(path, sizeof path, "%s/%s", work->folder, work_stream_names[stream]);
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
    if (!keep && !work->in_memory)
        unlink(path);
}

/* What a stage was the last to need: deleting a file takes as long as it is large, so threads share them. */
struct deletion {
    struct index_work *work;
    struct spill *const *spills;
    size_t files; /* of the spills; then those in the order of the chain, if `streams` */
};

static void delete_file(void *context, unsigned worker, size_t i)
{
    const struct deletion *deletion = context;
    struct index_work *work = deletion->work;
    (void)worker;
    if (i >= deletion->files)
        close_stream(work, i - deletion->files, false);
    else if (deletion->spills[i / SPILL_FILES])
        spill_remove(deletion->spills[i / SPILL_FILES], (unsigned)(i % SPILL_FILES));
}

static void delete_files(struct index_work *work, struct spill *const *spills, size_t count, bool streams)
{
    struct deletion deletion = {work, spills, count * SPILL_FILES};
    if (work->few) /* soon done by who closes them */
        return;
    parallel_whole(work->options->threads, deletion.files + (streams ? WORK_STREAMS : 0), delete_file, &deletion);
}

void index_close_stages(struct index_work *work, bool keep)
{
    struct spill **spills[] = {&work->creators, &work->spenders, &work->links, &work->values, &work->late_spends};
    struct spill *all[] = {work->creators, work->spenders, work->links, work->values, work->late_spends};
    index_walk_free(work);
    if (!keep)
        delete_files(work, all, sizeof all / sizeof *all, true);
    for (size_t i = 0; i < sizeof spills / sizeof *spills; i++) {
        (keep ? spill_close : spill_free)(*spills[i]);
        *spills[i] = NULL;
    }
    for (size_t s = 0; s < WORK_STREAMS; s++)
        close_stream(work, s, keep);
    if (!keep && !work->in_memory)
        work_empty_folder(work->folder);
    work_queue_free(&work->queue);
    mem_free(work->blocks);
    mem_free(work->sums);
    mem_free(work->exact);
    work->blocks = NULL;
    work->sums = NULL;
    work->exact = NULL;
    work->unsure = false;
    work->late_count = 0;
    work->blocks_capacity = 0;
    work->stage = WORK_BEGUN;
    work->open = false;
}

static enum status walk(struct index_work *work)
{
    work_hold(work, !work->in_memory);
    enum status status = index_walk(work);
    if (status == STATUS_OK)
        status = work_save_checkpoint(work, WORK_WALKED);
    work_hold(work, false);
    return status;
}

static enum status join(struct index_work *work)
{
    enum status status = STATUS_OK;
    do {
        if (work->unsure)
            status = take_join_back(work);
        if (status == STATUS_OK)
            status = begin_join(work);
        if (status == STATUS_OK)
            status = index_join(work);
    } while (status == STATUS_OK && work->unsure);
    if (status == STATUS_OK)
        status = work_save_checkpoint(work, WORK_JOINED);
    if (status != STATUS_OK)
        return status;
    struct spill *joined[] = {work->creators, work->spenders};
    delete_files(work, joined, 2, false);
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
    delete_files(work, &work->links, 1, false);
    spill_free(work->links);
    work->links = NULL;
    return STATUS_OK;
}

/* In a build that adds to an index; the first one of a chain has stages that can be gone on from, however short. */
static bool adds_few(const struct index_work *work)
{
    return work->base.totals.blocks > 0 && index_checkpoint_blocks == 0 && bytes_to_add(work) <= index_few_bytes;
}

/* The most that the temporary files can be. They are a seventh of the blocks as a rule; of the smallest transactions
 * that can be, 60 bytes each, they are 70 at most. */
static uint64_t bytes_in_memory(const struct index_work *work)
{
    uint64_t bytes = bytes_to_add(work);
    return bytes + bytes / 4;
}

/* Whether memory has room for the temporary files, and nobody named a folder for them. */
static bool fits_memory(const struct index_work *work)
{
    return index_checkpoint_blocks == 0 && index_few_bytes > 0 && !work->options->tmp &&
           bytes_in_memory(work) + MEMORY_LEFT <= work->memory;
}

/* A kernel, or what it is told to allow, may have no such files. */
static bool has_files_in_memory(void)
{
    int fd = file_in_memory("unktx");
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

uint64_t index_memory_beside_files(const struct index_work *work)
{
    return fits_memory(work) ? work->memory - bytes_in_memory(work) : work->memory;
}

/* A walk that was interrupted goes on to what is the end now, if its parts are not going to be too large then. */
static enum status go_on(struct index_work *work, uint32_t end)
{
    uint32_t before = work->end;
    work_message(work, "going on from where an interrupted build was");
    work_goes_on(work, true);
    work->open = true;
    enum status status = kv_finish(work->kv, work->fault);
    if (status != STATUS_OK || work->stage > WORK_WALKING)
        return status;
    work->end = end;
    return index_extend_stages(work, parts_to_join(work) <= 1u << work->part_bits ? end : before);
}

/* The memory of another thread, touched for the first time, costs more than that thread spares. */
static void take_one_thread(struct index_work *work)
{
    work->own = *work->options;
    work->own.threads = 1;
    work->options = &work->own;
}

/* Goes on from a checkpoint, or begins anew. What can be gone on from is in its place from the beginning, and each of
 * its commits on the disk; what cannot gets there when it is whole. */
static enum status open_stages(struct index_work *work)
{
    uint32_t end = work->end;
    work->bad_height = UINT32_MAX;
    work->bad_bytes = work->in_memory = false;
    work->durable = bytes_to_add(work) >= DURABLE_BYTES || index_checkpoint_blocks > 0;
    work->few = adds_few(work) && has_files_in_memory();
    if (work->few && bytes_to_add(work) <= ALONE_BYTES)
        take_one_thread(work);
    enum status status = work->few ? STATUS_OK : index_make_folder(work);
    if (status == STATUS_OK && !work->few && work_load_checkpoint(work))
        return go_on(work, end);
    if (status == STATUS_OK && !work->few)
        index_close_stages(work, false);
    work_goes_on(work, work->added);
    work->end = end;
    work->open = true;
    work->in_memory = work->few || (fits_memory(work) && has_files_in_memory());
    return status == STATUS_OK && !work->in_memory ? kv_finish(work->kv, work->fault) : status;
}

static void take_memory_of_files(struct index_work *work)
{
    uint64_t files = work->in_memory && !work->few ? bytes_in_memory(work) : 0;
    if (files > 0) /* the headers may have come to be more than was reckoned with */
        work->memory = work->memory > files + MEMORY_LEAST ? work->memory - files : MEMORY_LEAST;
}

enum status index_begin_stages(struct index_work *work)
{
    uint64_t memory = work->memory;
    timings_stage("walk");
    work_hold(work, true); /* else a folder is left that has the name of no index */
    enum status status = open_stages(work);
    work_hold(work, status == STATUS_OK && !work->in_memory && work->stage < WORK_WALKED);
    take_memory_of_files(work);
    work->cut = !work->few;
    if (status == STATUS_OK && work->cut)
        status = kv_write(work->kv, 0, index_cut_after_stage, work, work->fault);
    if (status == STATUS_OK && work->stage < WORK_WALKING)
        status = begin_walk(work);
    work->memory = memory;
    return status;
}

enum status index_run_stages(struct index_work *work)
{
    uint64_t memory = work->memory;
    timings_stage("walk");
    enum status status = work->open ? STATUS_OK : index_begin_stages(work);
    take_memory_of_files(work);
    if (status == STATUS_OK && work->stage < WORK_WALKED)
        status = walk(work);
    timings_stage("join");
    if (status == STATUS_OK && work->stage < WORK_JOINED)
        status = join(work);
    timings_stage("outputs");
    if (status == STATUS_OK && work->stage < WORK_OUTPUTS_BUILT)
        status = build_outputs(work);
    timings_stage("txs");
    if (status == STATUS_OK)
        status = finish(work);
    timings_stage("end");
    work->added |= status == STATUS_OK && !work->in_memory;
    work_hold(work, false);
    /* what is damaged is nothing to go on from */
    index_close_stages(work, status != STATUS_OK && status != STATUS_FORMAT && work->bad_height == UINT32_MAX);
    work->memory = memory;
    return status;
}
