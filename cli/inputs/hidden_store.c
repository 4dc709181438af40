#include "cli/inputs/hidden_store.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/inputs/node_blocks.h"
#include "cli/output/message.h"
#include "cli/output/outfile.h"
#include "graph/scan/ingest.h"
#include "parser/mem.h"

#define FOLDER "hidden"
#define FOLDER_NEW "hidden.new"

/* Removes a folder of files, if it is there. */
static enum status remove_folder(const char *path, struct fault *fault)
{
    DIR *dir = opendir(path);
    struct dirent *entry;
    if (!dir)
        return errno == ENOENT ? STATUS_OK : fault_errno(fault, path, FAULT_NO_OFFSET, "cannot be opened");
    while ((entry = readdir(dir)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            (void)unlinkat(dirfd(dir), entry->d_name, 0);
    closedir(dir);
    return rmdir(path) == 0 ? STATUS_OK : fault_errno(fault, path, FAULT_NO_OFFSET, "cannot be removed");
}

static void on_progress(void *context, const struct ingest_progress *progress)
{
    progress_show(context, progress->stage == INGEST_HEADERS ? "headers" : "store", progress->done, progress->total,
                  progress->stage == INGEST_HEADERS ? PROGRESS_NO_HEIGHT : progress->height);
}

static enum status scan(const struct settings *settings, const struct blkdir *dir, const struct output_marks *marks,
                        const char *folder, struct fault *fault)
{
    struct progress progress;
    struct ingest_result result = {0};
    struct ingest_options options = {.datadir = dir->path,
                                     .xor_key = dir->key_given ? dir->key : NULL,
                                     .store = folder,
                                     .threads = (unsigned)settings->threads,
                                     .to_height = marks->blocks - 1,
                                     .tip = &marks->tip,
                                     .marks = marks,
                                     .progress = on_progress,
                                     .context = &progress};
    progress_begin(&progress, settings->quiet);
    enum status status = ingest_run(&options, &result, fault);
    progress_end(&progress);
    if (status == STATUS_OK && (result.blocks != marks->blocks || !hash256_equal(&result.tip, &marks->tip)))
        return fault_set(fault, STATUS_FORMAT, dir->path, FAULT_NO_OFFSET,
                         "the blk files do not hold the index's chain to height %u any more: run 'unktx index' again",
                         (unsigned)marks->blocks - 1);
    return status;
}

/* The new folder takes the place of the old one. */
static enum status replace(const char *new, const char *old, struct fault *fault)
{
    enum status status = remove_folder(old, fault);
    if (status == STATUS_OK && rename(new, old) != 0)
        status = fault_errno(fault, old, FAULT_NO_OFFSET, "cannot be put in place");
    return status;
}

enum status hidden_store_make(const struct settings *settings, const struct blkdir *dir,
                              const struct output_marks *marks, struct fault *fault)
{
    char *new = outfile_join(settings->store, FOLDER_NEW), *old = outfile_join(settings->store, FOLDER);
    enum status status = new &&old ? remove_folder(new, fault) : fault_nomem(fault);
    if (status == STATUS_OK)
        status = scan(settings, dir, marks, new, fault);
    if (status == STATUS_OK)
        status = replace(new, old, fault);
    else if (new)
        (void)remove_folder(new, NULL);
    mem_free(new);
    mem_free(old);
    return status;
}

enum status hidden_store_find(const char *store, char **hidden, struct fault *fault)
{
    struct stat info;
    *hidden = outfile_join(store, FOLDER);
    if (!*hidden)
        return fault_nomem(fault);
    if (stat(*hidden, &info) == 0 && S_ISDIR(info.st_mode))
        return STATUS_OK;
    return fault_set(fault, STATUS_NOT_FOUND, store, FAULT_NO_OFFSET,
                     "has no store of the rule set hidden: 'unktx index' and then 'unktx hidden --dags' make it");
}
