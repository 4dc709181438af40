#define _GNU_SOURCE /* sync_file_range */
#include "cli/output/outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/output/listed.h"
#include "cli/output/message.h"
#include "cli/output/outfolder.h"
#include "cli/output/partial.h"
#include "cli/output/signals.h"
#include "cli/output/sources.h"
#include "cli/output/sqlite.h"
#include "cli/output/temporary.h"
#include "cli/output/wrap.h"
#include "parser/file.h"
#include "parser/mem.h"
#include "parser/stop.h"
#include "parser/timings.h"

#define WRITE_BEHIND (8u << 20) /* bytes */

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

/* Whose file it is: nobody else's; of a folder whose manifest is written with it; of the store that the command makes,
 * where others find it refused. */
enum owner { OWNER_NONE, OWNER_FOLDER, OWNER_STORE };

static enum status open_path(struct outfile *file, const char *path, enum owner owner, struct fault *fault)
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
    enum status status = owner == OWNER_STORE ? STATUS_OK : sources_refuse(path, fault);
    if (status != STATUS_OK)
        return status;
    if (stat(path, &st) != 0 || S_ISREG(st.st_mode)) {
        status = owner == OWNER_NONE ? listed_refuse(path, fault) : STATUS_OK;
        file->is_told = owner == OWNER_NONE && !message_is_quiet();
        return status == STATUS_OK ? open_temporary(file, path, fault) : status;
    }
    if (owner == OWNER_STORE) /* where nobody reads a FIFO, opening it would wait for ever */
        return fault_set(fault, STATUS_REFUSED, path, FAULT_NO_OFFSET,
                         "is no file but %s, and a store has only files: take it away", file_kind(st.st_mode));
    int fd = file_open_again(path, O_WRONLY | O_NOCTTY);
    if (fd < 0)
        return fault_errno_place(fault, path, FAULT_NO_OFFSET, OUTPUT_OTHER, "cannot be written");
    file->fd_plus_1 = fd + 1;
    return STATUS_OK;
}

enum status outfile_open(struct outfile *file, const char *path, struct fault *fault)
{
    return open_path(file, path, OWNER_NONE, fault);
}

enum status outfile_open_lines(struct outfile *file, const char *path, struct fault *fault)
{
    enum status status = outfile_open(file, path, fault);
    file->wraps = status == STATUS_OK && file->is_stdout && isatty(STDOUT_FILENO);
    return status;
}

/* The mode of the file that it replaces may not allow it to be opened. */
static enum status let_open(struct outfile *file, struct fault *fault)
{
    struct stat st;
    int fd = file->fd_plus_1 - 1;
    bool done = fstat(fd, &st) == 0;
    mode_t mode = st.st_mode & 07777, open_mode = mode | S_IRUSR | S_IWUSR;
    if (done && open_mode != mode) {
        file->mode_plus_1 = mode + 1;
        done = fchmod(fd, open_mode) == 0;
    }
    return done ? STATUS_OK : fault_errno(fault, file->name, FAULT_NO_OFFSET, "cannot be given a mode");
}

enum status outfile_temporary(struct outfile *file, const char **path, struct fault *fault)
{
    enum status status = STATUS_OK;
    if (!file->is_new)
        return fault_set(fault, STATUS_REFUSED, file->name, FAULT_NO_OFFSET,
                         "is no regular file, and nothing else will do: name one with -o");
    if (!file->temporary)
        status = temporary_name_locked(file->path, file->fd_plus_1 - 1, &file->temporary, fault);
    if (status == STATUS_OK)
        status = let_open(file, fault);
    *path = file->temporary;
    return status;
}

void outfile_discard(struct outfile *file) { *file = (struct outfile){.is_discarded = true}; }

static enum status open_owned(struct outfile *file, const char *folder, const char *name, enum owner owner,
                              struct fault *fault)
{
    *file = (struct outfile){0};
    char *path = outfile_join(folder, name);
    if (!path)
        return fault_nomem(fault);
    enum status status = open_path(file, path, owner, fault);
    mem_free(path);
    return status;
}

enum status outfile_open_in(struct outfile *file, const char *folder, const char *name, struct fault *fault)
{
    return open_owned(file, folder, name, OWNER_FOLDER, fault);
}

enum status outfile_begin_table(struct outfile *file, const struct table_schema *table, unsigned flags,
                                struct fault *fault)
{
    struct text text = {0};
    file->table = table;
    file->flags = flags |= partial_flag();
    enum status status = STATUS_OK;
    if (file->database) {
        status = sqlite_begin_table(file->database, file->folder_name, table, flags, &file->rows, fault);
    } else {
        status = schema_put_header(&text, table, flags);
        status = status == STATUS_OK ? outfile_flush(file, &text, fault) : fault_nomem(fault);
        text_free(&text);
    }
    file->ends_rows = partial_flag() != 0;
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

/* In parts of a fixed size, which the compiler turns into vectors. */
static size_t count_lines(const char *bytes, size_t size)
{
    size_t count = 0, i = 0;
    for (; size - i >= 128; i += 128) {
        uint8_t part = 0;
        for (size_t j = 0; j < 128; j++)
            part = (uint8_t)(part + (bytes[i + j] == '\n'));
        count += part;
    }
    for (; i < size; i++)
        count += bytes[i] == '\n';
    return count;
}

/* What the folder's manifest, or outfile_tell, says of a file. */
static void note_written(struct outfile *file, const char *bytes, size_t size)
{
    const char *end = bytes + size, *at = bytes;
    if (file->folder)
        sha256_add(&file->sha256, bytes, size);
    while (at < end) {
        const char *quote = memchr(at, '"', (size_t)(end - at));
        size_t part = (size_t)((quote ? quote : end) - at);
        file->lines += file->in_quotes ? 0 : count_lines(at, part);
        file->in_quotes ^= quote != NULL;
        at += part + (quote != NULL);
    }
}

static enum status write_wrapped(struct outfile *file, const char *bytes, size_t size, struct fault *fault)
{
    wrap_lines(stdout, wrap_width(STDOUT_FILENO), bytes, size);
    return fflush(stdout) == 0 ? STATUS_OK : fault_errno(fault, file->name, FAULT_NO_OFFSET, "write failed");
}

static enum status write_bytes(struct outfile *file, const char *bytes, size_t size, struct fault *fault)
{
    if (file->is_discarded)
        return STATUS_OK;
    if (size > 0)
        message_answer();
    if (file->wraps)
        return write_wrapped(file, bytes, size, fault);
    if (file->database)
        return file->rows ? sqlite_add(file->rows, bytes, size, fault) : STATUS_OK;
    if ((file->folder || (file->is_told && file->table)) && size > 0) /* of no rows there may be no bytes at all */
        note_written(file, bytes, size);
    while (size > 0 && !file->left) {
        enum timing_wait before = timings_wait(TIMING_DISK);
        ssize_t written = write(file->fd_plus_1 - 1, bytes, size);
        timings_wait(before);
        if (written < 0) {
            if (errno == EINTR && !stop_requested())
                continue;
            if (errno != EPIPE)
                return fault_errno_place(fault, file->name, FAULT_NO_OFFSET, OUTPUT_OTHER, "write failed");
            file->left = true;
            break;
        }
        bytes += written;
        size -= (size_t)written;
        file->size += (size_t)written;
        timings_written((uint64_t)written);
    }
    start_writing(file);
    return STATUS_OK;
}

enum status outfile_write(struct outfile *file, const char *bytes, size_t size, struct fault *fault)
{
    struct text text = {0};
    if (!file->ends_rows)
        return write_bytes(file, bytes, size, fault);
    enum status status = partial_end_rows(bytes, size, &file->in_quotes_of_row, &text);
    status = status == STATUS_OK ? write_bytes(file, text.bytes, text.size, fault) : fault_nomem(fault);
    text_free(&text);
    return status;
}

enum status outfile_flush(struct outfile *file, struct text *text, struct fault *fault)
{
    enum status status = outfile_write(file, text->bytes, text->size, fault);
    text->size = 0;
    return status;
}

enum status outfile_sync(struct outfile *file, struct fault *fault)
{
    enum timing_wait before = timings_wait(TIMING_DISK);
    bool durable = !file->is_new || fsync(file->fd_plus_1 - 1) == 0;
    timings_wait(before);
    if (!durable)
        return fault_errno_place(fault, file->name, FAULT_NO_OFFSET, OUTPUT_OTHER, "cannot be made durable");
    return STATUS_OK;
}

static enum status put_in_place(struct outfile *file, struct fault *fault)
{
    if (file->temporary && rename(file->temporary, file->path) != 0)
        return fault_errno_place(fault, file->name, FAULT_NO_OFFSET, OUTPUT_OTHER, "cannot be put in place");
    if (file->temporary)
        signals_forget_file(file->temporary);
    mem_free(file->temporary);
    file->temporary = NULL;
    return STATUS_OK;
}

enum status outfile_commit(struct outfile *file, struct fault *fault)
{
    int fd = file->fd_plus_1 - 1;
    struct sqlite_table *rows = file->rows;
    file->rows = NULL;
    if (file->database)
        return sqlite_end_table(rows, fault);
    if (file->is_stdout || file->is_discarded)
        return STATUS_OK;
    enum status status = outfile_sync(file, fault);
    if (status == STATUS_OK && file->mode_plus_1 > 0 && fchmod(fd, file->mode_plus_1 - 1) != 0)
        status = fault_errno(fault, file->name, FAULT_NO_OFFSET, "cannot be given the mode of the file before");
    if (status == STATUS_OK && file->is_new && !file->temporary)
        status = temporary_name(file->path, fd, &file->temporary, fault);
    if (status != STATUS_OK)
        return status;
    int lock = dup(fd); /* until it has its name */
    file->fd_plus_1 = 0;
    if (close(fd) != 0)
        status = fault_errno_place(fault, file->name, FAULT_NO_OFFSET, OUTPUT_OTHER, "cannot be closed");
    if (status == STATUS_OK)
        status = file->folder ? outfolder_take(file, fault) : put_in_place(file, fault);
    if (lock >= 0)
        close(lock);
    return status;
}

void outfile_abort(struct outfile *file)
{
    struct fault lost;
    if (file->rows && sqlite_end_table(file->rows, &lost) != STATUS_OK)
        file->rows = NULL; /* what is not whole is not wanted */
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

void outfile_tell(const struct outfile *file)
{
    unsigned long long rows = file->table ? file->lines - 1 : 0;
    if (!file->is_told)
        return;
    if (file->table)
        message("written to %s: %llu row%s", file->name, rows, rows == 1 ? "" : "s");
    else
        message("written to %s", file->name);
}

enum status outfile_finish(struct outfile *file, enum status status, struct fault *fault)
{
    if (status == STATUS_OK)
        status = outfile_commit(file, fault);
    if (status == STATUS_OK)
        outfile_tell(file);
    outfile_abort(file);
    return status;
}

enum status outfile_write_text(const char *path, struct text *text, struct fault *fault)
{
    return outfile_write_lines(path, false, text, fault);
}

enum status outfile_write_lines(const char *path, bool wraps, struct text *text, struct fault *fault)
{
    struct outfile file = {0};
    enum status status = wraps ? outfile_open_lines(&file, path, fault) : outfile_open(&file, path, fault);
    if (status == STATUS_OK)
        status = outfile_flush(&file, text, fault);
    return outfile_finish(&file, status, fault);
}

static enum status write_owned(const char *folder, const char *name, enum owner owner, struct text *text,
                               struct fault *fault)
{
    struct outfile file = {0};
    enum status status = open_owned(&file, folder, name, owner, fault);
    if (status == STATUS_OK)
        status = outfile_flush(&file, text, fault);
    return outfile_finish(&file, status, fault);
}

enum status outfile_write_text_in(const char *folder, const char *name, struct text *text, struct fault *fault)
{
    return write_owned(folder, name, OWNER_FOLDER, text, fault);
}

enum status outfile_write_of_store(const char *store, const char *name, struct text *text, struct fault *fault)
{
    return write_owned(store, name, OWNER_STORE, text, fault);
}
