/* Paths and folders of outfile.h. */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "cli/output/outfile.h"
#include "cli/output/sources.h"
#include "cli/output/temporary.h"
#include "parser/mem.h"

char *outfile_join(const char *folder, const char *name)
{
    size_t folder_size = strlen(folder), size = folder_size + strlen(name) + 2;
    char *path = mem_alloc(size, 1);
    if (path)
        snprintf(path, size, "%s%s%s", folder, folder_size > 0 && folder[folder_size - 1] == '/' ? "" : "/", name);
    return path;
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
        return fault_errno_place(fault, path, FAULT_NO_OFFSET, OUTPUT_OTHER, "the folder cannot be made");
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return STATUS_OK;
    return fault_set(fault, STATUS_IO, path, FAULT_NO_OFFSET, "is no folder");
}
