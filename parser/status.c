#include "parser/status.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

static void fault_fill(struct fault *fault, enum status status, const char *path, uint64_t offset, const char *format,
                       va_list args)
{
    fault->status = status;
    fault->offset = offset;
    snprintf(fault->path, sizeof fault->path, "%s", path ? path : "");
    vsnprintf(fault->text, sizeof fault->text, format, args);
}

enum status fault_set(struct fault *fault, enum status status, const char *path, uint64_t offset, const char *format,
                      ...)
{
    if (fault) {
        va_list args;
        va_start(args, format);
        fault_fill(fault, status, path, offset, format, args);
        va_end(args);
    }
    return status;
}

/* Whether an error tells of the data and its disk, or of what this process may have. */
static enum status status_of(int error)
{
    switch (error) {
    case ENOMEM: return STATUS_NOMEM;
    case EINTR: return STATUS_INTERRUPTED;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOLCK:
    case EAGAIN:
    case ESTALE: return STATUS_RESOURCES;
    default: return STATUS_IO;
    }
}

bool fault_lacks_inodes(const char *path)
{
    char folder[512];
    struct statvfs disk;
    size_t size = path ? strnlen(path, sizeof folder) : sizeof folder;
    if (size == sizeof folder)
        return false;
    memcpy(folder, path, size + 1);
    while (statvfs(folder, &disk) != 0) { /* what was to be made there is not: the folder above it, then */
        char *slash = strrchr(folder, '/');
        if (strcmp(folder, ".") == 0 || strcmp(folder, "/") == 0)
            return false;
        strcpy(slash ? slash + (slash == folder) : folder, slash ? "" : ".");
    }
    return disk.f_files > 0 && disk.f_favail == 0 && disk.f_bavail > 0;
}

/* What the user can do about an error; NULL where there is nothing to tell. */
static const char *way_out_of(int error, const char *path)
{
    switch (error) {
    case EMFILE: return "the limit of this process: raise it with ulimit -n";
    case ENFILE: return "the limit of the system: raise it with sysctl fs.file-max";
    case EFBIG: return "see ulimit -f and the file system's limit";
    case ESTALE: return "the network file system was mounted anew, or its server lost the file";
    case ENOMEM: return "see ulimit -v and sysctl vm.max_map_count, or use fewer --threads";
    case ENOSPC: return fault_lacks_inodes(path) ? "no inodes are left: delete files there" : "free some space there";
    case EDQUOT: return "your quota: free some space there";
    case EROFS: return "mount it for writing";
    default: return NULL;
    }
}

/* The way out in parentheses; "" where there is none. `other` as fault_errno_place has it. */
static void put_way_out(char *out, size_t size, int error, const char *path, const char *other)
{
    const char *what = way_out_of(error, path);
    bool refused = error == EACCES || error == EPERM, no_room = error == ENOSPC || error == EDQUOT || error == EROFS;
    *out = '\0';
    if (error == ENOENT && other)
        snprintf(out, size, " (make the folder that is missing, or name %s)", other);
    else if (error == EISDIR && other)
        snprintf(out, size, " (name a file in it, or %s)", other);
    else if (error == ENOTDIR && other)
        snprintf(out, size, " (a part of the path is no folder: name %s)", other);
    else if (refused && other)
        snprintf(out, size, " (name %s, or get the permission to write there)", other);
    else if (what && no_room && other)
        snprintf(out, size, " (%s, or name %s)", what, other);
    else if (what)
        snprintf(out, size, " (%s)", what);
}

static enum status fault_system(struct fault *fault, const char *path, uint64_t offset, const char *other,
                                const char *format, va_list args)
{
    int error = errno;
    enum status status = status_of(error);
    if (status == STATUS_INTERRUPTED)
        return fault_set(fault, status, NULL, FAULT_NO_OFFSET, "interrupted");
    if (fault) {
        fault_fill(fault, status, path, offset, format, args);
        char reason[128], way_out[192];
        size_t used = strlen(fault->text);
        put_way_out(way_out, sizeof way_out, error, path, other);
        /* strerror may share its text with other threads; this is the POSIX strerror_r, which returns a number */
        if (strerror_r(error, reason, sizeof reason) == 0)
            snprintf(fault->text + used, sizeof fault->text - used, ": %s%s", reason, way_out);
        errno = error;
    }
    return status;
}

enum status fault_errno(struct fault *fault, const char *path, uint64_t offset, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    enum status status = fault_system(fault, path, offset, NULL, format, args);
    va_end(args);
    return status;
}

enum status fault_errno_place(struct fault *fault, const char *path, uint64_t offset, const char *other,
                              const char *format, ...)
{
    va_list args;
    va_start(args, format);
    enum status status = fault_system(fault, path, offset, other, format, args);
    va_end(args);
    return status;
}
