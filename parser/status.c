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

enum status fault_errno(struct fault *fault, const char *path, uint64_t offset, const char *format, ...)
{
    int error = errno;
    enum status status = error == ENOMEM ? STATUS_NOMEM : STATUS_IO;
    if (fault) {
        va_list args;
        va_start(args, format);
        fault_fill(fault, status, path, offset, format, args);
        va_end(args);
        char reason[128];
        size_t used = strlen(fault->text);
        /* strerror may share its text with other threads; this is the POSIX strerror_r, which returns a number */
        if (strerror_r(error, reason, sizeof reason) == 0)
            snprintf(fault->text + used, sizeof fault->text - used, ": %s", reason);
    }
    return status;
}
