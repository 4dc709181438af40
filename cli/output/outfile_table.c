#include "cli/output/outfile.h"

#include "parser/mem.h"
#include "parser/parallel.h"
#include "parser/stop.h"
#include "parser/timings.h"

/* Room for text that no chunk has, for all files. The last one that was given back goes first: the cache still has it,
 * where each chunk in its turn would write to memory that has long left it. */
struct spare_texts {
    pthread_mutex_t lock;
    struct text *texts;
    size_t count;
};

/* The text of a chunk on its way. */
struct slot {
    struct text text;
    enum status status; /* of the formatting */
    struct fault fault;
};

/* A file and its table. */
struct chunk_writer {
    struct outfile *file;
    const struct outfile_table *table;
    struct slot *slots;
    size_t slots_count;
    struct spare_texts *spare;
    enum status status; /* of the writing */
    struct fault fault;
};

static struct slot *slot_of(const struct chunk_writer *writer, size_t chunk)
{
    return &writer->slots[chunk % writer->slots_count];
}

static struct text take_spare(struct spare_texts *spare)
{
    struct text text = {0};
    pthread_mutex_lock(&spare->lock);
    if (spare->count > 0)
        text = spare->texts[--spare->count];
    pthread_mutex_unlock(&spare->lock);
    text.size = 0;
    return text;
}

static void give_spare(struct spare_texts *spare, struct text *text)
{
    pthread_mutex_lock(&spare->lock);
    spare->texts[spare->count++] = *text;
    pthread_mutex_unlock(&spare->lock);
    *text = (struct text){0};
}

static void format_chunk(void *context, unsigned worker, size_t number, size_t chunk)
{
    struct chunk_writer *writer = (struct chunk_writer *)context + number;
    struct slot *slot = slot_of(writer, chunk);
    slot->text = take_spare(writer->spare);
    slot->status = writer->table->format(writer->table->context, worker, chunk, &slot->text, &slot->fault);
}

/* A chunk that could not be formatted fails when it is its turn to be written: always the first such one. */
static bool write_chunk(void *context, size_t number, size_t chunk)
{
    struct chunk_writer *writer = (struct chunk_writer *)context + number;
    struct slot *slot = slot_of(writer, chunk);
    writer->status = slot->status;
    writer->fault = slot->fault;
    if (writer->status == STATUS_OK)
        writer->status = outfile_flush(writer->file, &slot->text, &writer->fault);
    give_spare(writer->spare, &slot->text);
    if (writer->status == STATUS_OK)
        writer->status = stop_check(&writer->fault);
    return writer->status == STATUS_OK && !outfile_left(writer->file);
}

/* Slots of one of `files` files. Threads share them all, so with more files each needs fewer, and memory stays that of
 * one file. */
static size_t slots_for(unsigned threads, size_t files)
{
    return threads > 1 ? 1 + (4 * (size_t)threads + files - 1) / files : 1;
}

/* Chunks of all files are formatted on all threads. */
static enum status write_chunks(struct chunk_writer *writers, struct parallel_lane *lanes, size_t count,
                                unsigned threads, struct fault *fault)
{
    struct spare_texts spare = {.lock = PTHREAD_MUTEX_INITIALIZER};
    size_t chunks = 0, slots = 0;
    bool ok = true;
    for (size_t i = 0; i < count; i++)
        chunks += writers[i].table->chunks;
    threads = chunks < threads ? (unsigned)chunks : threads;
    for (size_t i = 0; i < count && ok; i++) {
        struct chunk_writer *writer = &writers[i];
        writer->slots_count = slots_for(threads, count);
        writer->slots = mem_alloc(writer->slots_count, sizeof *writer->slots);
        writer->spare = &spare; /* cppcheck-suppress autoVariables ; it is not read after this function */
        lanes[i] = (struct parallel_lane){writer->table->chunks, writer->slots_count};
        slots += writer->slots_count;
        ok = writer->slots != NULL;
    }
    spare.texts = ok ? mem_alloc(slots, sizeof *spare.texts) : NULL;
    ok = spare.texts != NULL;
    enum status status = ok ? STATUS_OK : fault_nomem(fault);
    if (ok && chunks > 0)
        status = parallel_lanes(threads, lanes, count, format_chunk, write_chunk, writers, fault);
    for (size_t i = 0; i < spare.count; i++)
        text_free(&spare.texts[i]);
    mem_free(spare.texts);
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        status = writers[i].status;
        if (status != STATUS_OK && fault) {
            *fault = writers[i].fault;
            fault->status = status;
        }
    }
    return status;
}

/* A database takes the rows of one table at a time. */
static enum status write_one_by_one(struct outfile *files, unsigned threads, const struct outfile_table *tables,
                                    size_t count, struct fault *fault)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        status = outfile_write_table(&files[i], threads, &tables[i], fault);
    return status;
}

enum status outfile_write_tables(struct outfile *files, unsigned threads, const struct outfile_table *tables,
                                 size_t count, struct fault *fault)
{
    if (count > 1 && files[0].database)
        return write_one_by_one(files, threads, tables, count, fault);
    struct chunk_writer *writers = mem_alloc(count, sizeof *writers);
    struct parallel_lane *lanes = mem_alloc(count, sizeof *lanes);
    enum status status = writers && lanes ? STATUS_OK : fault_nomem(fault);
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        writers[i].file = &files[i];
        writers[i].table = &tables[i];
        if (tables[i].schema)
            status = outfile_begin_table(&files[i], tables[i].schema, tables[i].flags, fault);
    }
    if (status == STATUS_OK)
        status = write_chunks(writers, lanes, count, threads, fault);
    for (size_t i = 0; writers && i < count; i++) {
        for (size_t k = 0; writers[i].slots && k < writers[i].slots_count; k++)
            text_free(&writers[i].slots[k].text);
        mem_free(writers[i].slots);
    }
    mem_free(writers);
    mem_free(lanes);
    return status;
}

enum status outfile_write_table(struct outfile *file, unsigned threads, const struct outfile_table *table,
                                struct fault *fault)
{
    return outfile_write_tables(file, threads, table, 1, fault);
}

/* ---- the end of several files ---- */

static void *sync_beside(void *context)
{
    struct outfile_syncing *syncing = context;
    for (size_t i = 0; i < syncing->count && syncing->status == STATUS_OK; i++)
        syncing->status = outfile_sync(&syncing->files[i], &syncing->fault);
    return NULL;
}

void outfile_begin_sync(struct outfile_syncing *syncing, struct outfile *files, size_t count)
{
    *syncing = (struct outfile_syncing){.files = files, .count = count};
    syncing->has_thread = pthread_create(&syncing->thread, NULL, sync_beside, syncing) == 0;
}

enum status outfile_end_sync(struct outfile_syncing *syncing, struct fault *fault)
{
    enum timing_wait before = timings_wait(TIMING_DISK);
    if (syncing->has_thread)
        pthread_join(syncing->thread, NULL);
    else
        sync_beside(syncing);
    timings_wait(before);
    syncing->has_thread = false;
    syncing->count = 0;
    if (syncing->status != STATUS_OK && fault)
        *fault = syncing->fault;
    return syncing->status;
}

struct syncing {
    struct outfile *files;
    struct fault *faults;
};

static void sync_file(void *context, unsigned worker, size_t i)
{
    struct syncing *syncing = context;
    enum timing_scope before = timings_scope(worker == 0 ? TIMING_ALONE : TIMING_SHARED);
    enum status status = outfile_sync(&syncing->files[i], &syncing->faults[i]);
    syncing->faults[i].status = status;
    timings_scope(before);
}

/* The disk is waited for once, not once for each; more threads do not make it faster. */
enum status outfile_sync_all(struct outfile *files, size_t count, unsigned threads, struct fault *fault)
{
    struct syncing syncing = {files, mem_alloc(count, sizeof *syncing.faults)};
    if (!syncing.faults)
        return fault_nomem(fault);
    parallel_whole(threads, count, sync_file, &syncing);
    enum status status = STATUS_OK;
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        status = syncing.faults[i].status;
        if (status != STATUS_OK && fault)
            *fault = syncing.faults[i];
    }
    mem_free(syncing.faults);
    return status;
}

enum status outfile_make_table(const char *path, unsigned threads, const struct outfile_table *table,
                               struct fault *fault)
{
    struct outfile file = {0};
    enum status status = outfile_open(&file, path, fault);
    if (status == STATUS_OK)
        status = outfile_write_table(&file, threads, table, fault);
    return outfile_finish(&file, status, fault);
}
