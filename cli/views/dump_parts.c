#include "cli/views/dump_parts.h"

#include <stdlib.h>
#include <time.h>

#include "cli/output/manifest.h"
#include "cli/output/message.h"
#include "cli/output/outfolder.h"
#include "cli/output/progress.h"
#include "cli/output/signals.h"
#include "cli/output/zstd.h"
#include "cli/views/dump_folder.h"
#include "parser/mem.h"
#include "parser/parallel.h"
#include "parser/stop.h"

#define MANIFEST_S 10 /* seconds after which the manifest is written again */

/* A file that is to be written. */
struct item {
    enum dump_table which;
    struct partition *file;
};

/* One worker, and the file that it writes. */
struct writer {
    struct parts *parts;
    struct dump_rows *rows;
    struct zstd *zstd; /* NULL: not compressed */
    struct text text;
    struct text packed;
    struct outfile file;
    struct sha256_stream sha256;
    struct item *item; /* NULL: none */
    bool is_there;     /* the file at its place has the same bytes */
    enum status status;
    struct fault fault;
};

struct parts {
    struct dump_folder *folder;
    struct partitions *plan;
    struct item *items;
    size_t count;
    size_t next;
    struct writer *writers; /* by worker */
    size_t written;
    int64_t manifest_s;
    struct progress_count progress;
    enum status status;
    struct fault fault;
};

/* ---- one file, in any thread ---- */

static enum status write_bytes(struct writer *writer, struct text *bytes, struct fault *fault)
{
    sha256_add(&writer->sha256, bytes->bytes, bytes->size);
    return outfile_flush(&writer->file, bytes, fault);
}

static enum status pack(struct writer *writer, struct text *text, bool is_end, struct fault *fault)
{
    if (!writer->zstd)
        return text->size > 0 ? write_bytes(writer, text, fault) : STATUS_OK;
    enum status status = zstd_add(writer->zstd, text->bytes, text->size, is_end, &writer->packed, fault);
    text->size = 0;
    return status == STATUS_OK && writer->packed.size > 0 ? write_bytes(writer, &writer->packed, fault) : status;
}

static enum status take_rows(void *context, struct text *text, struct fault *fault)
{
    return pack(context, text, false, fault);
}

/* About as many rows as a batch has of its file. */
static void add_rows(struct writer *writer, uint64_t first, uint64_t end)
{
    const struct partition *file = writer->item->file;
    double share = (double)(end - file->first) / (double)(file->end - file->first);
    double before = (double)(first - file->first) / (double)(file->end - file->first);
    uint64_t rows = (uint64_t)(share * (double)file->rows) - (uint64_t)(before * (double)file->rows);
    progress_add(&writer->parts->progress, rows);
}

static enum status write_rows(struct writer *writer, struct fault *fault)
{
    const struct item *item = writer->item;
    const struct partition_table *table = &writer->parts->plan->tables[item->which];
    uint64_t first = item->file->first, end = first;
    writer->text.size = writer->packed.size = 0;
    writer->rows->last_spender = 0;
    sha256_begin(&writer->sha256);
    if (writer->zstd)
        zstd_begin(writer->zstd);
    enum status status = schema_put_header(&writer->text, table->schema, table->flags);
    if (status != STATUS_OK)
        return fault_nomem(fault);
    for (; first < item->file->end && status == STATUS_OK; first = end) {
        status = stop_check(fault);
        if (status == STATUS_OK)
            status = dump_rows_batch(writer->rows, item->which, first, item->file->end, &end, fault);
        if (status == STATUS_OK)
            status = dump_rows_put(writer->rows, item->which, first, end, &writer->text, fault);
        if (status == STATUS_OK)
            status = pack(writer, &writer->text, false, fault);
        if (status == STATUS_OK)
            add_rows(writer, first, end);
    }
    return status == STATUS_OK ? pack(writer, &writer->text, true, fault) : status;
}

/* Nobody else looks at these members before the file is whole. */
static void describe_file(struct writer *writer)
{
    struct partition *file = writer->item->file;
    uint8_t digest[32];
    sha256_end(&writer->sha256, digest);
    *put_hex(file->sha256, digest, sizeof digest) = '\0';
    file->bytes = writer->file.size;
    file->last_spender = writer->rows->last_spender;
}

/* Does the file at that place have the same bytes? They are read: what a manifest says of them may not hold any more.
 * One that cannot be read is written anew. */
static bool is_there(const char *folder, const struct partition *file)
{
    char sha256[DATAPACKAGE_HEX];
    char *path = dump_plan_has(folder, file) ? outfile_join(folder, file->path) : NULL;
    bool same = path && manifest_hash_file(path, "the file", sha256, NULL) == STATUS_OK &&
                strcmp(sha256, file->sha256) == 0;
    mem_free(path);
    return same;
}

static void work(void *context, unsigned worker)
{
    const struct parts *parts = context;
    struct writer *writer = &parts->writers[worker];
    writer->is_there = false;
    writer->status = write_rows(writer, &writer->fault);
    if (writer->status != STATUS_OK)
        return;
    describe_file(writer);
    writer->is_there = is_there(parts->folder->path, writer->item->file);
    if (!writer->is_there)
        writer->status = outfile_sync(&writer->file, &writer->fault);
}

/* ---- between two files, in one thread at a time ---- */

static enum status put_in_place(struct parts *parts, struct writer *writer, struct fault *fault)
{
    enum status status = writer->is_there ? STATUS_OK : outfile_commit(&writer->file, fault);
    writer->item->file->is_whole = status == STATUS_OK;
    parts->written += status == STATUS_OK && !writer->is_there;
    return status;
}

/* Seconds of a clock that nobody sets. */
static int64_t now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec;
}

/* What is done so far counts also if the process is killed. */
static enum status note_now_and_then(struct parts *parts, struct fault *fault)
{
    int64_t now = now_s();
    if (now - parts->manifest_s < MANIFEST_S)
        return STATUS_OK;
    parts->manifest_s = now;
    return partitions_write(parts->plan, parts->folder->path, fault);
}

static void end_item(struct parts *parts, struct writer *writer)
{
    if (writer->status == STATUS_OK)
        writer->status = put_in_place(parts, writer, &writer->fault);
    outfile_abort(&writer->file);
    if (!writer->item->file->is_whole)
        dump_folder_leave(parts->folder, writer->item->file);
    writer->item = NULL;
    if (writer->status == STATUS_OK)
        writer->status = note_now_and_then(parts, &writer->fault);
    if (writer->status != STATUS_OK && parts->status == STATUS_OK) {
        parts->status = writer->status;
        parts->fault = writer->fault;
    }
}

static enum parallel_turn next_item(void *context, unsigned worker)
{
    struct parts *parts = context;
    struct writer *writer = &parts->writers[worker];
    if (writer->item)
        end_item(parts, writer);
    if (parts->status == STATUS_OK && parts->next < parts->count)
        parts->status = stop_check(&parts->fault);
    if (parts->status != STATUS_OK || parts->next == parts->count)
        return PARALLEL_END;
    struct item *item = &parts->items[parts->next++];
    parts->status = dump_folder_begin(parts->folder, item->file, &writer->file, &parts->fault);
    writer->item = item;
    writer->status = parts->status;
    if (parts->status == STATUS_OK)
        return PARALLEL_WORK;
    end_item(parts, writer);
    return PARALLEL_END;
}

/* ---- all of them ---- */

/* The largest first, so that all threads end at about the same time. */
static int compare_items(const void *a, const void *b)
{
    const struct item *x = a, *y = b;
    if (x->file->rows != y->file->rows)
        return x->file->rows < y->file->rows ? 1 : -1;
    return strcmp(x->file->path, y->file->path);
}

static enum status list_items(struct parts *parts, struct fault *fault)
{
    ARRAY(struct item) items = {0};
    bool listed = true;
    for (unsigned t = 0; t < DUMP_TABLES; t++) {
        for (size_t i = 0; i < parts->plan->tables[t].files.count && listed; i++) {
            struct partition *file = &parts->plan->tables[t].files.at[i];
            struct item item = {(enum dump_table)t, file};
            listed = file->is_whole || PUSH(items, item);
        }
    }
    parts->items = items.at;
    parts->count = items.count;
    for (size_t i = 0; i < items.count; i++)
        parts->progress.total += items.at[i].file->rows;
    if (items.count > 0)
        qsort(items.at, items.count, sizeof *items.at, compare_items);
    return listed ? STATUS_OK : fault_nomem(fault);
}

static enum status make_writers(struct parts *parts, struct dump_readers *readers, unsigned threads,
                                struct fault *fault)
{
    enum status status = STATUS_OK;
    parts->writers = mem_alloc(threads, sizeof *parts->writers);
    if (!parts->writers)
        return fault_nomem(fault);
    for (unsigned i = 0; i < threads && status == STATUS_OK; i++) {
        struct writer *writer = &parts->writers[i];
        writer->parts = parts;
        writer->rows = &readers->rows[i];
        writer->rows->sink = take_rows;
        writer->rows->sink_context = writer;
        if (parts->plan->rule.is_packed)
            status = zstd_new(&writer->zstd, fault);
    }
    return status;
}

static void free_writers(struct parts *parts, unsigned threads)
{
    for (unsigned i = 0; parts->writers && i < threads; i++) {
        outfile_abort(&parts->writers[i].file);
        zstd_free(parts->writers[i].zstd);
        text_free(&parts->writers[i].text);
        text_free(&parts->writers[i].packed);
    }
    mem_free(parts->writers);
}

/* Writes the items, then the manifest of all that is whole, also where the items ended early. */
static enum status write_items(struct parts *parts, struct dump_readers *readers, struct fault *fault)
{
    unsigned threads = parts->count < readers->threads ? (unsigned)parts->count : readers->threads;
    enum status status = make_writers(parts, readers, threads, fault);
    parts->manifest_s = now_s();
    if (status == STATUS_OK && threads > 0) {
        parallel_turns(threads, next_item, work, parts);
        progress_end(&parts->progress.progress);
        status = parts->status;
        if (status != STATUS_OK && fault) {
            *fault = parts->fault;
            fault->status = status;
        }
    }
    free_writers(parts, threads);
    parts->plan->is_complete = status == STATUS_OK;
    struct fault other = {0};
    signals_hold();
    enum status noted = partitions_write(parts->plan, parts->folder->path, status == STATUS_OK ? fault : &other);
    signals_release();
    return status == STATUS_OK ? noted : status;
}

static void tell(const struct parts *parts, size_t removed)
{
    uint64_t rows = 0;
    size_t files = 0;
    for (unsigned t = 0; t < DUMP_TABLES; t++) {
        for (size_t i = 0; i < parts->plan->tables[t].files.count; i++, files++)
            rows += parts->plan->tables[t].files.at[i].rows;
    }
    message("%s: %zu file%s with %llu rows; %zu written, %zu as they were, %zu removed", parts->folder->path, files,
            files == 1 ? "" : "s", ULL(rows), parts->written, files - parts->written, removed);
}

static enum status write_missing(struct parts *parts, struct dump_readers *readers, bool quiet, struct fault *fault)
{
    size_t removed = 0;
    enum status status = list_items(parts, fault);
    if (status == STATUS_OK)
        status = dump_folder_check(parts->folder, parts->plan, fault);
    if (status == STATUS_OK)
        status = partitions_write(parts->plan, parts->folder->path, fault);
    if (status == STATUS_OK)
        status = dump_folder_clear(parts->folder, parts->plan, &removed, fault);
    if (status == STATUS_OK)
        status = write_items(parts, readers, fault);
    if (status == STATUS_OK && !quiet)
        tell(parts, removed);
    return status;
}

static void describe(const struct settings *settings, const struct dump_order *order, struct tx_index *index,
                     struct partitions *plan)
{
    struct index_totals totals = index_totals_of(index);
    plan->version = order->version;
    network_label(totals.magic, plan->network);
    plan->tip = totals.tip;
    plan->tip_height = totals.blocks - 1;
    plan->rule = order->rule;
    for (unsigned t = 0; t < DUMP_TABLES; t++) {
        plan->tables[t].schema = order->tables[t] ? dump_table_schema((enum dump_table)t) : NULL;
        plan->tables[t].flags = dump_columns(settings);
    }
}

enum status dump_parts_write(const struct settings *settings, const struct dump_order *order,
                             struct dump_readers *readers, struct fault *fault)
{
    struct partitions plan = {0};
    struct dump_folder folder = {.path = order->folder, .replace = order->replace, .resume = order->resume};
    struct parts parts = {.folder = &folder, .plan = &plan};
    struct tx_index *index = readers->indexes.indexes[0];
    uint32_t first, end;
    progress_begin(&parts.progress.progress, settings->quiet);
    parts.progress.progress.unit = parts.progress.stage = "rows";
    describe(settings, order, index, &plan);
    enum status status = dump_readers_range(readers, settings, &first, &end, fault);
    if (status == STATUS_OK)
        status = dump_plan_make(index, first, end, &plan, fault);
    if (status == STATUS_OK)
        status = dump_folder_open(&folder, &plan, fault);
    if (status == STATUS_OK && order->resume)
        status = dump_plan_keep(index, order->folder, &folder.before, &plan, fault);
    if (status == STATUS_OK)
        status = write_missing(&parts, readers, settings->quiet, fault);
    mem_free(parts.items);
    dump_folder_close(&folder);
    partitions_free(&plan);
    return status;
}
