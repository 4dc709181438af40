#include "parser/status.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

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

/* The limit that was met, and how to raise it. */
static const char *limit_of(int error)
{
    switch (error) {
    case EMFILE: return " (the limit of this process: ulimit -n)";
    case ENFILE: return " (the limit of the system: sysctl fs.file-max)";
    case EFBIG: return " (the limit of this process: ulimit -f, or that of the file system)";
    case ESTALE: return " (the network file system was mounted anew, or its server lost the file)";
    case ENOMEM: return " (no memory is left, or a limit was met: ulimit -v, sysctl vm.max_map_count)";
    default: return "";
    }
}

enum status fault_errno(struct fault *fault, const char *path, uint64_t offset, const char *format, ...)
{
    int error = errno;
    enum status status = status_of(error);
    if (status == STATUS_INTERRUPTED)
        return fault_set(fault, status, NULL, FAULT_NO_OFFSET, "interrupted");
    if (fault) {
        va_list args;
        va_start(args, format);
        fault_fill(fault, status, path, offset, format, args);
        va_end(args);
        char reason[128];
        size_t used = strlen(fault->text);
        /* strerror may share its text with other threads; this is the POSIX strerror_r, which returns a number */
        if (strerror_r(error, reason, sizeof reason) == 0)
            snprintf(fault->text + used, sizeof fault->text - used, ": %s%s", reason, limit_of(error));
        errno = error;
    }
    return status;
}
