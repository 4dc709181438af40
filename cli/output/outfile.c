#define _GNU_SOURCE /* sync_file_range */
#include "cli/output/outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/output/message.h"
#include "cli/output/outfolder.h"
#include "cli/output/signals.h"
#include "cli/output/sources.h"
#include "cli/output/temporary.h"
#include "parser/file.h"
#include "parser/mem.h"
#include "parser/parallel.h"
#include "parser/stop.h"

#define WRITE_BEHIND (8u << 20) /* bytes */

char *outfile_join(const char *folder, const char *name)
{
    size_t size = strlen(folder) + strlen(name) + 2;
    char *path = mem_alloc(size, 1);
    if (path)
        snprintf(path, size, "%s/%s", folder, name);
    return path;
}

/* Where the bytes are to land: a symbolic link keeps pointing, its target is replaced. */
static char *final_path(const char *path)
{
    char *real = realpath(path, NULL);
    size_t size = strlen(real ? real : path) + 1;
    char *copy = mem_alloc(size, 1);
    if (copy)
        memcpy(copy, real ? real : path, size);
    free(real);
    return copy;
}

static enum status open_temporary(struct outfile *file, const char *path, struct fault *fault)
{
    struct stat st;
    int fd;
    file->path = final_path(path);
    if (!file->path)
        return fault_nomem(fault);
    enum status status = temporary_open(file->path, &fd, &file->temporary, fault);
    if (status != STATUS_OK)
        return status;
    file->is_new = true;
    file->fd_plus_1 = fd + 1;
    if (stat(file->path, &st) == 0 && fchmod(fd, st.st_mode & 07777) != 0) /* who may read it stays as it was */
        return fault_errno(fault, path, FAULT_NO_OFFSET, "cannot be given the mode of the file before");
    return STATUS_OK;
}

enum status outfile_open(struct outfile *file, const char *path, struct fault *fault)
{
    struct stat st;
    *file = (struct outfile){0};
    if (!path || strcmp(path, "-") == 0) {
        file->is_stdout = true;
        file->fd_plus_1 = STDOUT_FILENO + 1;
        snprintf(file->name, sizeof file->name, "stdout");
        return STATUS_OK;
    }
    snprintf(file->name, sizeof file->name, "%s", path);
    enum status status = sources_refuse(path, fault);
    if (status != STATUS_OK)
        return status;
    if (stat(path, &st) != 0 || S_ISREG(st.st_mode))
        return open_temporary(file, path, fault);
    int fd = file_open_again(path, O_WRONLY | O_NOCTTY);
    if (fd < 0)
        return fault_errno(fault, path, FAULT_NO_OFFSET, "cannot be written");
    file->fd_plus_1 = fd + 1;
    return STATUS_OK;
}

void outfile_discard(struct outfile *file) { *file = (struct outfile){.is_discarded = true}; }

enum status outfile_open_in(struct outfile *file, const char *folder, const char *name, struct fault *fault)
{
    *file = (struct outfile){0};
    char *path = outfile_join(folder, name);
    if (!path)
        return fault_nomem(fault);
    enum status status = outfile_open(file, path, fault);
    mem_free(path);
    return status;
}

enum status outfile_begin_table(struct outfile *file, const struct table_schema *table, unsigned flags,
                                struct fault *fault)
{
    struct text text = {0};
    file->table = table;
    file->flags = flags;
    enum status status = schema_put_header(&text, table, flags);
    status = status == STATUS_OK ? outfile_flush(file, &text, fault) : fault_nomem(fault);
    text_free(&text);
    return status;
}

/* Lets the disk begin early, so that fsync finds little left to wait for. Best effort. */
static void start_writing(struct outfile *file)
{
    if (!file->is_new || file->size - file->started < WRITE_BEHIND)
        return;
    sync_file_range(file->fd_plus_1 - 1, (off_t)file->started, (off_t)(file->size - file->started),
                    SYNC_FILE_RANGE_WRITE);
    file->started = file->size;
}

/* What the folder's manifest says of a file. */
static void note_written(struct outfile *file, const char *bytes, size_t size)
{
    const char *end = bytes + size, *at = bytes;
    sha256_add(&file->sha256, bytes, size);
    if (file->in_quotes || memchr(bytes, '"', size)) {
        for (; at < end; at++) {
            file->in_quotes ^= *at == '"';
            file->lines += *at == '\n' && !file->in_quotes;
        }
    }
    while (at < end && (at = memchr(at, '\n', (size_t)(end - at)))) {
        file->lines++;
        at++;
    }
}

enum status outfile_write(struct outfile *file, const char *bytes, size_t size, struct fault *fault)
{
    if (file->is_discarded)
        return STATUS_OK;
    if (size > 0)
        message_answer();
    if (file->folder && size > 0) /* of no rows there may be no bytes at all */
        note_written(file, bytes, size);
    while (size > 0 && !file->left) {
        ssize_t written = write(file->fd_plus_1 - 1, bytes, size);
        if (written < 0) {
            if (errno == EINTR && !stop_requested())
                continue;
            if (errno != EPIPE)
                return fault_errno(fault, file->name, FAULT_NO_OFFSET, "write failed");
            file->left = true;
            break;
        }
        bytes += written;
        size -= (size_t)written;
        file->size += (size_t)written;
    }
    start_writing(file);
    return STATUS_OK;
}

enum status outfile_flush(struct outfile *file, struct text *text, struct fault *fault)
{
    enum status status = outfile_write(file, text->bytes, text->size, fault);
    text->size = 0;
    return status;
}

enum status outfile_commit(struct outfile *file, struct fault *fault)
{
    int fd = file->fd_plus_1 - 1;
    if (file->is_stdout || file->is_discarded)
        return STATUS_OK;
    if (file->is_new && fsync(fd) != 0)
        return fault_errno(fault, file->name, FAULT_NO_OFFSET, "cannot be made durable");
    enum status status = file->is_new && !file->temporary ? temporary_name(file->path, fd, &file->temporary, fault)
                                                          : STATUS_OK;
    if (status != STATUS_OK)
        return status;
    file->fd_plus_1 = 0;
    if (close(fd) != 0)
        return fault_errno(fault, file->name, FAULT_NO_OFFSET, "cannot be closed");
    if (file->folder)
        return outfolder_take(file, fault);
    if (file->temporary && rename(file->temporary, file->path) != 0)
        return fault_errno(fault, file->name, FAULT_NO_OFFSET, "cannot be put in place");
    signals_forget_file(file->temporary);
    mem_free(file->temporary);
    file->temporary = NULL;
    return STATUS_OK;
}

void outfile_abort(struct outfile *file)
{
    if (file->fd_plus_1 && !file->is_stdout)
        close(file->fd_plus_1 - 1);
    if (file->temporary) {
        unlink(file->temporary);
        signals_forget_file(file->temporary);
    }
    mem_free(file->temporary);
    mem_free(file->path);
    *file = (struct outfile){0};
}

enum status outfile_finish(struct outfile *file, enum status status, struct fault *fault)
{
    if (status == STATUS_OK)
        status = outfile_commit(file, fault);
    outfile_abort(file);
    return status;
}

enum status outfile_write_text(const char *path, struct text *text, struct fault *fault)
{
    struct outfile file = {0};
    enum status status = outfile_open(&file, path, fault);
    if (status == STATUS_OK)
        status = outfile_flush(&file, text, fault);
    return outfile_finish(&file, status, fault);
}

enum status outfile_write_text_in(const char *folder, const char *name, struct text *text, struct fault *fault)
{
    struct outfile file = {0};
    enum status status = outfile_open_in(&file, folder, name, fault);
    if (status == STATUS_OK)
        status = outfile_flush(&file, text, fault);
    return outfile_finish(&file, status, fault);
}

enum status outfile_make_folder(const char *path, size_t *there, struct fault *fault)
{
    struct stat st;
    enum status status = sources_refuse(path, fault);
    if (status != STATUS_OK)
        return status;
    char *copy = mem_alloc(strlen(path) + 1, 1);
    if (!copy)
        return fault_nomem(fault);
    memcpy(copy, path, strlen(path) + 1);
    *there = 0;
    bool making = false;
    for (char *at = copy + 1; *at; at++) {
        if (*at != '/')
            continue;
        *at = '\0';
        making |= mkdir(copy, 0777) == 0; /* a failure shows in the last one */
        if (!making)
            *there = (size_t)(at - copy);
        *at = '/';
    }
    mem_free(copy);
    if (mkdir(path, 0777) == 0)
        return STATUS_OK;
    *there = making ? *there : strlen(path);
    if (errno != EEXIST)
        return fault_errno(fault, path, FAULT_NO_OFFSET, "the folder cannot be made");
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return STATUS_OK;
    return fault_set(fault, STATUS_IO, path, FAULT_NO_OFFSET, "is no folder");
}

/* ---- tables ---- */

/* Two groups of texts take turns: while one is formatted, the first item of the loop writes the other. */
struct group {
    struct text *texts;
    size_t first;
    size_t count;
};

struct chunk_writer {
    struct outfile *file;
    const struct outfile_table *table;
    struct group groups[2];
    unsigned formatting;   /* which of them */
    struct fault *faults;  /* by item */
    enum status *statuses; /* by item */
};

static void chunk_work(void *context, unsigned worker, size_t item)
{
    struct chunk_writer *writer = context;
    struct fault *fault = &writer->faults[item];
    enum status status = STATUS_OK;
    if (item == 0) {
        struct group *done = &writer->groups[!writer->formatting];
        for (size_t i = 0; i < done->count && status == STATUS_OK; i++)
            status = outfile_flush(writer->file, &done->texts[i], fault);
    } else {
        struct group *group = &writer->groups[writer->formatting];
        struct text *text = &group->texts[item - 1];
        text->size = 0;
        status = writer->table->format(writer->table->context, worker, group->first + item - 1, text, fault);
    }
    writer->statuses[item] = status;
}

static enum status run_chunks(struct chunk_writer *writer, unsigned threads, size_t group_size, struct fault *fault)
{
    size_t next = 0, chunks = writer->table->chunks;
    do {
        struct group *group = &writer->groups[writer->formatting];
        group->first = next;
        group->count = chunks - next < group_size ? chunks - next : group_size;
        next += group->count;
        parallel_whole(threads, group->count + 1, chunk_work, writer);
        for (size_t i = 0; i <= group->count; i++) {
            if (writer->statuses[i] == STATUS_OK)
                continue;
            *fault = writer->faults[i];
            fault->status = writer->statuses[i];
            return writer->statuses[i];
        }
        enum status status = stop_check(fault);
        if (status != STATUS_OK)
            return status;
        writer->formatting = !writer->formatting;
    } while (writer->groups[!writer->formatting].count > 0 && !outfile_left(writer->file));
    return STATUS_OK;
}

static enum status write_chunks(struct outfile *file, unsigned threads, const struct outfile_table *table,
                                struct fault *fault)
{
    size_t group_size = (size_t)threads * 8;
    struct chunk_writer writer = {.file = file, .table = table};
    enum status status;
    writer.faults = mem_alloc(group_size + 1, sizeof *writer.faults);
    writer.statuses = mem_alloc(group_size + 1, sizeof *writer.statuses);
    writer.groups[0].texts = mem_alloc(group_size, sizeof *writer.groups[0].texts);
    writer.groups[1].texts = mem_alloc(group_size, sizeof *writer.groups[1].texts);
    if (!writer.faults || !writer.statuses || !writer.groups[0].texts || !writer.groups[1].texts)
        status = fault_nomem(fault);
    else
        status = run_chunks(&writer, threads, group_size, fault);
    for (unsigned g = 0; g < 2; g++) {
        for (size_t i = 0; writer.groups[g].texts && i < group_size; i++)
            text_free(&writer.groups[g].texts[i]);
        mem_free(writer.groups[g].texts);
    }
    mem_free(writer.faults);
    mem_free(writer.statuses);
    return status;
}

enum status outfile_write_table(struct outfile *file, unsigned threads, const struct outfile_table *table,
                                struct fault *fault)
{
    enum status status = table->schema ? outfile_begin_table(file, table->schema, table->flags, fault) : STATUS_OK;
    return status == STATUS_OK ? write_chunks(file, threads, table, fault) : status;
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
