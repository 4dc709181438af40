#include "cli/output/sources.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "parser/mem.h"

struct source {
    dev_t device;
    ino_t inode;
    bool is_folder;
};

static struct source *sources;
static size_t sources_count, sources_capacity;

void sources_clear(void)
{
    mem_free(sources);
    sources = NULL;
    sources_count = sources_capacity = 0;
}

enum status sources_add(const char *path, struct fault *fault)
{
    struct stat info;
    if (!path || stat(path, &info) != 0)
        return STATUS_OK;
    if (mem_reserve(&sources, &sources_capacity, sources_count + 1, sizeof *sources))
        return fault_nomem(fault);
    sources[sources_count++] = (struct source){info.st_dev, info.st_ino, S_ISDIR(info.st_mode)};
    return STATUS_OK;
}

/* `path` up to its last slash; "." without one, "/" for what is in the root folder. NULL without memory. */
static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    size_t size = slash ? (size_t)(slash - path) : 0;
    char *folder = mem_alloc(size + 2, 1);
    if (folder && size > 0)
        memcpy(folder, path, size);
    else if (folder)
        folder[0] = slash ? '/' : '.';
    return folder;
}

/* A blk file is read with the xor.dat in its folder. */
static enum status add_operand(const char *path, struct fault *fault)
{
    enum status status = sources_add(path, fault);
    char *folder = status == STATUS_OK ? folder_of(path) : NULL;
    size_t size = folder ? strlen(folder) + sizeof "/xor.dat" : 0;
    char *key = mem_alloc(size, 1);
    if (status == STATUS_OK && (!folder || !key))
        status = fault_nomem(fault);
    if (status == STATUS_OK) {
        snprintf(key, size, "%s/xor.dat", folder);
        status = sources_add(key, fault);
    }
    mem_free(folder);
    mem_free(key);
    return status;
}

enum status sources_add_settings(const struct settings *settings, struct fault *fault)
{
    const char *const paths[] = {settings->datadir, settings->store, settings->scripts, settings->exclude_scripts};
    enum status status = STATUS_OK;
    for (size_t i = 0; i < sizeof paths / sizeof *paths && status == STATUS_OK; i++)
        status = sources_add(paths[i], fault);
    for (size_t i = 0; i < settings->operands_count && status == STATUS_OK; i++)
        status = add_operand(settings->operands[i], fault);
    return status;
}

static bool is_source(const struct stat *info, bool folders)
{
    for (size_t i = 0; i < sources_count; i++) {
        if (sources[i].is_folder == folders && sources[i].device == info->st_dev && sources[i].inode == info->st_ino)
            return true;
    }
    return false;
}

/* Whether the folder at the real path is a source, or lies in one. */
static bool lies_in_source(char *real)
{
    struct stat info;
    for (;;) {
        if (stat(real, &info) == 0 && is_source(&info, true))
            return true;
        char *slash = strrchr(real, '/');
        if (!slash || real[1] == '\0')
            return false;
        slash[slash == real] = '\0';
    }
}

/* The folder that is there, of those on the way to the target. */
static enum status real_folder(const char *target, char **real, struct fault *fault)
{
    *real = realpath(target, NULL); /* a link is written through */
    char *folder = folder_of(*real ? *real : target);
    struct stat info;
    bool is_folder = *real && stat(*real, &info) == 0 && S_ISDIR(info.st_mode);
    while (folder && !is_folder) {
        free(*real);
        *real = realpath(folder, NULL);
        char *above = folder_of(folder);
        is_folder = *real || strcmp(folder, ".") == 0 || strcmp(folder, "/") == 0;
        mem_free(folder);
        folder = above;
    }
    enum status status = folder ? STATUS_OK : fault_nomem(fault);
    mem_free(folder);
    return status;
}

enum status sources_refuse(const char *target, struct fault *fault)
{
    struct stat info;
    char *real;
    if (stat(target, &info) == 0 && !S_ISDIR(info.st_mode) && is_source(&info, false))
        return fault_set(fault, STATUS_REFUSED, target, FAULT_NO_OFFSET,
                         "is read by this command, so it is not written: name another file with -o");
    enum status status = real_folder(target, &real, fault);
    if (status == STATUS_OK && real && lies_in_source(real))
        status = fault_set(fault, STATUS_REFUSED, target, FAULT_NO_OFFSET,
                           "lies in the node's data or the store that this command reads, where nothing is written: "
                           "name another place with -o");
    free(real);
    return status;
}
