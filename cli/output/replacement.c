#define _GNU_SOURCE /* renameat2 */
#include "cli/output/replacement.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/output/message.h"
#include "cli/output/outfile.h"
#include "cli/output/printer.h"
#include "cli/output/signals.h"
#include "cli/output/temporary.h"
#include "parser/file.h"
#include "parser/mem.h"

/* ---- one file; each returns 0 or an error of errno ---- */

/* Gives what is at the path, if anything is, a temporary name. */
static int move_away(struct replaced *file)
{
    if (rename(file->path, file->spare) != 0)
        return errno == ENOENT ? 0 : errno;
    file->before = file->spare;
    file->spare = NULL;
    return 0;
}

static int move_in(struct replaced *file)
{
    if (rename(file->temporary, file->path) != 0)
        return errno;
    mem_free(file->temporary);
    file->temporary = NULL;
    file->is_done = true;
    return 0;
}

/* The file before goes back to where it was, or the new one goes where none was. */
static void undo(struct replaced *file)
{
    if (file->before ? rename(file->before, file->path) != 0 : file->is_done && unlink(file->path) != 0)
        return; /* which is told */
    mem_free(file->before);
    file->before = NULL;
    file->is_done = file->is_gone = false;
}

static bool is_unknown_to_the_file_system(int error)
{
    return error == EINVAL || error == ENOSYS || error == EOPNOTSUPP;
}

/* For file systems that cannot exchange two names: the file before gets a second one, so that there is no moment
 * without a file, or where they have no such thing either, another one. */
static int put_over(struct replaced *file)
{
    if (link(file->path, file->spare) != 0) {
        int error = move_away(file);
        return error == 0 ? move_in(file) : error;
    }
    int error = move_in(file);
    if (error != 0) {
        unlink(file->spare);
        return error;
    }
    file->before = file->spare;
    file->spare = NULL;
    return 0;
}

static int put(struct replaced *file)
{
    if (!file->temporary) {
        int error = move_away(file);
        file->is_done = file->is_gone = file->before != NULL;
        return error;
    }
    signals_forget_file(file->temporary); /* from now on it may be the name of the file before */
    if (renameat2(AT_FDCWD, file->temporary, AT_FDCWD, file->path, RENAME_EXCHANGE) == 0) {
        file->before = file->temporary;
        file->temporary = NULL;
        file->is_done = true;
        return 0;
    }
    if (errno != ENOENT && !is_unknown_to_the_file_system(errno))
        return errno;
    return errno == ENOENT ? move_in(file) : put_over(file);
}

/* ---- all of them ---- */

static void list(struct printer *printer, const struct replaced *files, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct replaced *file = &files[i];
        const char *comma = printer->text.size > 0 ? ", " : "";
        if (file->before)
            PRINT(printer, "%s%s (%sthe one before: %s)", comma, file->name,
                  file->is_done && !file->is_gone ? "" : "not there; ", file->before);
        else if (file->is_done)
            PRINT(printer, "%s%s (there was none before)", comma, file->name);
    }
}

/* Says which files are new, where not all could be put back; true if all could. */
static bool tell_mixture(const char *folder, const struct replaced *files, size_t count)
{
    struct printer printer = {0};
    list(&printer, files, count);
    bool all = printer.text.size == 0 && printer.status == STATUS_OK;
    if (!all)
        message("%s: the tables there do not belong together now. Of this run: %.*s; the others are of the run before. "
                "Make all of them again with --replace",
                folder, (int)printer.text.size, printer.text.bytes ? printer.text.bytes : "");
    text_free(&printer.text);
    return all;
}

static enum status fail(const char *folder, const char *path, int error, const struct replaced *files, size_t count,
                        struct fault *fault)
{
    bool all = tell_mixture(folder, files, count);
    errno = error;
    return fault_errno_place(fault, path, FAULT_NO_OFFSET, OUTPUT_OTHER, "cannot be put in place%s",
                             all ? ", so all files of the folder are as they were" : "");
}

/* All memory that it takes, before anything is done that may have to be undone. */
static enum status prepare(const char *folder, struct replaced *files, size_t count, struct fault *fault)
{
    for (size_t i = 0; i < count; i++) {
        files[i].path = outfile_join(folder, files[i].name);
        files[i].spare = files[i].path ? temporary_spare(files[i].path) : NULL;
        if (!files[i].spare)
            return fault_nomem(fault);
    }
    return STATUS_OK;
}

/* Best effort: some folders cannot be opened, and some file systems cannot make names durable. */
static void make_names_durable(const char *folder)
{
    int fd = file_open_again(folder, O_RDONLY | O_DIRECTORY);
    if (fd < 0)
        return;
    (void)fsync(fd);
    close(fd);
}

/* Returns 0, or the error of the file that is then *failed. */
static int put_step(const char *folder, struct replaced *files, size_t count, unsigned step, size_t *failed)
{
    bool any = false;
    int error = 0;
    for (size_t i = 0; i < count && error == 0; i++) {
        if (files[i].step != step)
            continue;
        error = put(&files[i]);
        any = true;
        *failed = i;
    }
    if (any)
        make_names_durable(folder);
    return error;
}

/* Those of the last step first, so that who is killed meanwhile leaves no other mixture than on the way there. What was
 * not done stays. */
static void undo_all(struct replaced *files, size_t count)
{
    for (unsigned step = REPLACEMENT_STEPS; step-- > 0;) {
        for (size_t i = count; i-- > 0;) {
            if (files[i].step == step)
                undo(&files[i]);
        }
    }
}

enum status replacement_make(const char *folder, struct replaced *files, size_t count, struct fault *fault)
{
    size_t failed = 0;
    int error = 0;
    enum status status = prepare(folder, files, count, fault);
    if (status != STATUS_OK)
        return status;
    for (unsigned step = 0; step < REPLACEMENT_STEPS && error == 0; step++)
        error = put_step(folder, files, count, step, &failed);
    if (error != 0) {
        undo_all(files, count);
        return fail(folder, files[failed].path, error, files, count, fault);
    }
    for (size_t i = 0; i < count; i++) {
        if (files[i].before)
            unlink(files[i].before);
    }
    return STATUS_OK;
}

void replacement_free(struct replaced *files, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (files[i].temporary) {
            unlink(files[i].temporary);
            signals_forget_file(files[i].temporary);
        }
        mem_free(files[i].temporary);
        mem_free(files[i].before);
        mem_free(files[i].spare);
        mem_free(files[i].path);
        files[i] = (struct replaced){0};
    }
}
