#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "graph/index/work.h"

/* Without --tmp. */
static int own_folder(const struct index_work *work, char *path, size_t size)
{
    return snprintf(path, size, "%s/tio/tmp", work->options->store);
}

enum status index_name_folder(struct index_work *work)
{
    const struct index_options *options = work->options;
    int size = options->tmp ? snprintf(work->folder, sizeof work->folder, "%s/unktx-index-%08x", options->tmp,
                                       load_le32(work->seed))
                            : own_folder(work, work->folder, sizeof work->folder);
    if (size < 0 || (size_t)size >= sizeof work->folder)
        return fault_set(work->fault, STATUS_LIMIT, NULL, FAULT_NO_OFFSET,
                         "the path of the temporary folder is too long");
    return STATUS_OK;
}

/* Where others may write to the folder above, the folder could be theirs, or a link. */
enum status index_make_folder(const struct index_work *work)
{
    struct stat info;
    if (mkdir(work->folder, 0700) == 0)
        return STATUS_OK;
    if (errno != EEXIST || lstat(work->folder, &info) != 0)
        return fault_errno_place(work->fault, work->folder, FAULT_NO_OFFSET, SPILL_OTHER,
                                 "cannot create a folder for temporary files");
    if (S_ISDIR(info.st_mode) && info.st_uid == geteuid())
        return STATUS_OK;
    return fault_set(work->fault, STATUS_REFUSED, work->folder, FAULT_NO_OFFSET,
                     "is needed as a folder for temporary files, but is not a folder that belongs to you: remove it, "
                     "or give another --tmp");
}

void index_remove_folder(const struct index_work *work)
{
    char path[4096];
    work_empty_folder(work->folder);
    rmdir(work->folder);
    (void)own_folder(work, path, sizeof path);
    rmdir(path);
}

bool index_left_own_folder(const struct index_work *work)
{
    char path[4096];
    (void)own_folder(work, path, sizeof path);
    return work->options->tmp && access(path, F_OK) == 0;
}

void index_drop_own_folder(const struct index_work *work)
{
    char path[4096];
    (void)own_folder(work, path, sizeof path);
    if (work_empty_folder(path))
        work_message(work, "what an interrupted build without --tmp left in the store's folder is deleted: with --tmp "
                           "the build does not go on from there");
}
