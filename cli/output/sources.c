#include "cli/output/sources.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "parser/mem.h"

#define DEPTH_MAX 3u         /* of folders in a source: DATADIR/regtest/blocks/index */
#define ENTRIES_MAX 1000000u /* of a folder that is no data folder at all, the root folder say */

struct source {
    dev_t device;
    ino_t inode;
    bool is_folder;
    unsigned depth;
    char *path; /* of a folder that was not listed yet; else NULL */
};

static struct source *sources;
static size_t sources_count, sources_capacity;
static size_t sources_listed; /* so many of them are files, or were listed */

void sources_clear(void)
{
    for (size_t i = 0; i < sources_count; i++)
        mem_free(sources[i].path);
    mem_free(sources);
    sources = NULL;
    sources_count = sources_capacity = sources_listed = 0;
}

/* Takes `path`, which may be NULL. */
static enum status add(dev_t device, ino_t inode, unsigned depth, char *path, struct fault *fault)
{
    if (mem_reserve(&sources, &sources_capacity, sources_count + 1, sizeof *sources) != STATUS_OK) {
        mem_free(path);
        return fault_nomem(fault);
    }
    sources[sources_count++] = (struct source){device, inode, path != NULL, depth, path};
    return STATUS_OK;
}

static char *join(const char *folder, const char *name)
{
    size_t size = strlen(folder) + strlen(name) + 2;
    char *path = mem_alloc(size, 1);
    if (path)
        snprintf(path, size, "%s%s%s", folder, *name ? "/" : "", name);
    return path;
}

enum status sources_add(const char *path, struct fault *fault)
{
    struct stat info;
    if (!path || stat(path, &info) != 0)
        return STATUS_OK;
    char *folder = S_ISDIR(info.st_mode) ? join(path, "") : NULL;
    if (S_ISDIR(info.st_mode) && !folder)
        return fault_nomem(fault);
    return add(info.st_dev, info.st_ino, 0, folder, fault);
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
    const char *const paths[] = {settings->datadir, settings->store, settings->scripts, settings->exclude_scripts,
                                 settings->figures};
    enum status status = STATUS_OK;
    for (size_t i = 0; i < sizeof paths / sizeof *paths && status == STATUS_OK; i++)
        status = sources_add(paths[i], fault);
    for (size_t i = 0; i < settings->labels.count && status == STATUS_OK; i++)
        status = sources_add(settings->labels.items[i], fault);
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

/* ---- what is in the folders ---- */

/* An entry that is a link, a folder, or of a kind that the file system does not tell. */
static enum status add_linked(const char *folder, const char *name, unsigned depth, struct fault *fault)
{
    struct stat info;
    char *path = join(folder, name);
    if (!path)
        return fault_nomem(fault);
    bool there = stat(path, &info) == 0, is_folder = there && S_ISDIR(info.st_mode);
    if (is_folder && depth < DEPTH_MAX && !is_source(&info, true))
        return add(info.st_dev, info.st_ino, depth + 1, path, fault);
    mem_free(path);
    return there && !is_folder ? add(info.st_dev, info.st_ino, 0, NULL, fault) : STATUS_OK;
}

static enum status list_folder(const char *folder, dev_t device, unsigned depth, struct fault *fault)
{
    DIR *listing = opendir(folder);
    const struct dirent *entry;
    enum status status = STATUS_OK;
    while (listing && status == STATUS_OK && sources_count < ENTRIES_MAX && (entry = readdir(listing)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (entry->d_type == DT_REG)
            status = add(device, entry->d_ino, 0, NULL, fault);
        else if (entry->d_type == DT_LNK || entry->d_type == DT_DIR || entry->d_type == DT_UNKNOWN)
            status = add_linked(folder, entry->d_name, depth, fault);
    }
    if (listing)
        closedir(listing);
    return status;
}

/* A data folder may lie in several places by links, and its files have other names by hard links: the files in it and
 * the folders that links lead to are sources too. */
static enum status list_folders(struct fault *fault)
{
    enum status status = STATUS_OK;
    for (; sources_listed < sources_count && status == STATUS_OK; sources_listed++) {
        struct source *source = &sources[sources_listed];
        char *path = source->path;
        source->path = NULL;
        if (path)
            status = list_folder(path, source->device, source->depth, fault);
        mem_free(path);
    }
    return status;
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
    enum status status = list_folders(fault);
    if (status != STATUS_OK)
        return status;
    if (stat(target, &info) == 0 && !S_ISDIR(info.st_mode) && is_source(&info, false))
        return fault_set(fault, STATUS_REFUSED, target, FAULT_NO_OFFSET,
                         "is read by this command, so it is neither replaced nor removed: name another place with -o");
    status = real_folder(target, &real, fault);
    if (status == STATUS_OK && real && lies_in_source(real))
        status = fault_set(fault, STATUS_REFUSED, target, FAULT_NO_OFFSET,
                           "lies in the node's data or the store that this command reads, where nothing is written: "
                           "name another place with -o");
    free(real);
    return status;
}
