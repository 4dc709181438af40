#define _GNU_SOURCE /* memfd_create */
#include "parser/file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#include "parser/stop.h"
#include "parser/timings.h"

#define WAIT_MS 50 /* how long a wait may go on before the flag of stop.h is looked at */

const char *file_kind(mode_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFREG: return "a file";
    case S_IFDIR: return "a folder";
    case S_IFIFO: return "a FIFO";
    case S_IFSOCK: return "a socket";
    case S_IFCHR:
    case S_IFBLK: return "a device";
    case S_IFLNK: return "a link that leads nowhere"; /* of lstat, after stat found nothing */
    default: return "something else";
    }
}

static bool go_on(void) { return errno == EINTR && !stop_requested(); }

int file_open_again(const char *path, int flags)
{
    int fd;
    do
        fd = open(path, flags | O_CLOEXEC, 0666);
    while (fd < 0 && go_on());
    return fd;
}

int file_in_memory(const char *name) { return memfd_create(name, MFD_CLOEXEC); }

static enum status no_file(const char *path, const char *what, mode_t mode, struct fault *fault)
{
    return fault_set(fault, STATUS_FORMAT, path, FAULT_NO_OFFSET, "%s is no file but %s", what, file_kind(mode));
}

enum status file_open(const char *path, const char *what, int *fd, struct stat *info, struct fault *fault)
{
    *fd = -1;
    if (stat(path, info) != 0)
        return errno == ENOENT ? fault_set(fault, STATUS_NOT_FOUND, path, FAULT_NO_OFFSET, "%s is not there", what)
                               : fault_errno(fault, path, FAULT_NO_OFFSET, "cannot look at %s", what);
    if (!S_ISREG(info->st_mode))
        return no_file(path, what, info->st_mode, fault);
    int opened = file_open_again(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    if (opened < 0)
        return fault_errno(fault, path, FAULT_NO_OFFSET, "cannot open %s", what);
    enum status status = STATUS_OK;
    if (fstat(opened, info) != 0)
        status = fault_errno(fault, path, FAULT_NO_OFFSET, "cannot look at %s", what);
    else if (!S_ISREG(info->st_mode))
        status = no_file(path, what, info->st_mode, fault);
    if (status == STATUS_OK)
        *fd = opened;
    else
        close(opened);
    return status;
}

static ssize_t read_at(int fd, void *bytes, size_t size, uint64_t offset)
{
    size_t done = 0;
    while (done < size) {
        ssize_t got = pread(fd, (char *)bytes + done, size - done, (off_t)(offset + done));
        if (got < 0 && go_on())
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        done += (size_t)got;
    }
    return (ssize_t)done;
}

static file_read_fn *read_watch;

void file_watch_reads(file_read_fn *watch) { read_watch = watch; }

ssize_t file_read_at(int fd, void *bytes, size_t size, uint64_t offset)
{
    enum timing_wait before = timings_wait(TIMING_DISK);
    if (read_watch)
        read_watch(fd, offset, size);
    ssize_t got = read_at(fd, bytes, size, offset);
    timings_wait(before);
    timings_read(got > 0 ? (uint64_t)got : 0);
    return got;
}

/* A call that a full disk or a limit cuts short writes what there is room for; only the next one says why. */
static bool write_at(int fd, const void *bytes, size_t size, uint64_t offset)
{
    size_t done = 0;
    while (done < size) {
        ssize_t written = pwrite(fd, (const char *)bytes + done, size - done, (off_t)(offset + done));
        if (written < 0 && go_on())
            continue;
        if (written == 0)
            errno = ENOSPC;
        if (written <= 0)
            return false;
        done += (size_t)written;
    }
    return true;
}

ssize_t file_memory_read_at(int fd, void *bytes, size_t size, uint64_t offset)
{
    return read_at(fd, bytes, size, offset);
}

bool file_memory_write_at(int fd, const void *bytes, size_t size, uint64_t offset)
{
    return write_at(fd, bytes, size, offset);
}

bool file_write_at(int fd, const void *bytes, size_t size, uint64_t offset)
{
    enum timing_wait before = timings_wait(TIMING_DISK);
    bool written = write_at(fd, bytes, size, offset);
    timings_wait(before);
    timings_written(written ? size : 0);
    return written;
}

int file_sync(int fd)
{
    enum timing_wait before = timings_wait(TIMING_DISK);
    int result = fdatasync(fd);
    timings_wait(before);
    return result;
}

/* Waits for a writer in steps: the signal may come to another thread, or between a look at the flag and the wait. */
ssize_t file_read_some(int fd, void *bytes, size_t size)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    for (;;) {
        if (stop_requested()) {
            errno = EINTR;
            return -1;
        }
        int ready = poll(&wait, 1, WAIT_MS);
        if (ready == 0 || (ready < 0 && errno == EINTR))
            continue;
        ssize_t got = ready < 0 ? -1 : read(fd, bytes, size);
        if (got >= 0 || (errno != EAGAIN && errno != EINTR))
            return got;
    }
}
